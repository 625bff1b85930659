#include "ca/internal.h"

#include "base/utf8.h"

#define SUBJECT_PARTS_MAX 32
#define SUBJECT_TEXT_MAX 512 /* longer than any agency's name; RFC 5280's ub-common-name of 64 is too short for ours */
#define SERIAL_SIZE 20       /* RFC 5280 4.1.2.2: the most that may be */
#define RSA_BITS_MIN 2048
#define EC_BITS_MIN 256

/* ---- what may be asked ---- */
static an_code
check_years(const struct an_profile *profile, const struct an_issue *what, struct an_err *reterr)
{
    struct an_date last = an_date_of(what->not_before, 0);

    if (what->not_before == AN_TIME_NONE || what->not_after == AN_TIME_NONE || what->not_after <= what->not_before)
        AN_FAIL(reterr, AN_E_CA_TIME, "notAfter <= notBefore");
    if (profile->years_max == 0)
        return AN_OK;
    last.year += profile->years_max;
    if (last.month == 2 && last.day == 29)
        last.day = 28;
    if (what->not_after > an_time_of_date(&last, 0))
        AN_FAIL(reterr, AN_E_CA_VALIDITY, "%s: > %d", profile->name, profile->years_max);
    return AN_OK;
}

/* The order of the fielded names: country, place, organisation, units, then the name itself and what belongs to it. */
static int
rank_of(const char *oid)
{
    static const struct { const char *oid; int rank; } ranks[] = {
        {"2.5.4.6", 0}, {"2.5.4.8", 1}, {"2.5.4.7", 2}, {"2.5.4.10", 3}, {"2.5.4.97", 3}, {"2.5.4.11", 4},
    };

    for (size_t i = 0; i < AN_COUNT(ranks); i++)
        if (strcmp(ranks[i].oid, oid) == 0)
            return ranks[i].rank;
    return 5;
}

static an_code
check_part(const struct an_name_part *part, struct an_err *reterr)
{
    uint8_t oid[AN_OID_MAX];
    size_t len = part->text ? strlen(part->text) : 0;

    if (part->oid == NULL || an_oid_encode(part->oid, oid) == 0)
        AN_FAIL(reterr, AN_E_CA_NAME, "OID");
    if (len == 0 || len > SUBJECT_TEXT_MAX || !an_utf8_is_valid(an_bytes_of_str(part->text)))
        AN_FAIL(reterr, AN_E_CA_NAME, "%s: %zu byte", part->oid, len);
    if (strcmp(part->oid, "2.5.4.6") == 0 && len != 2)
        AN_FAIL(reterr, AN_E_CA_NAME, "C: %zu byte", len);
    return AN_OK;
}

static an_code
check_subject(const struct an_issue *what, struct an_err *reterr)
{
    bool has_common_name = false;
    int before = 0;

    if (what->subject_count == 0 || what->subject_count > SUBJECT_PARTS_MAX)
        AN_FAIL(reterr, AN_E_CA_NAME, "%zu RDN", what->subject_count);
    for (size_t i = 0; i < what->subject_count; i++) {
        const struct an_name_part *part = &what->subject[i];
        AN_TRY(check_part(part, reterr));
        if (rank_of(part->oid) < before)
            AN_FAIL(reterr, AN_E_CA_NAME, "%s: C, ST, L, O, OU, CN", part->oid);
        before = rank_of(part->oid);
        has_common_name = has_common_name || strcmp(part->oid, "2.5.4.3") == 0;
    }
    if (!has_common_name)
        AN_FAIL(reterr, AN_E_CA_NAME, "CN");
    return AN_OK;
}

static an_code
check_ascii(const char *what, const char *text, const char *needed, struct an_err *reterr)
{
    if (text == NULL)
        return AN_OK;
    if (*text == '\0' || strlen(text) > 1024 || strstr(text, needed) == NULL)
        AN_FAIL(reterr, AN_E_CA_FIELD, "%s", what);
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~')
            AN_FAIL(reterr, AN_E_CA_FIELD, "%s", what);
    return AN_OK;
}

static an_code
check_fields(const struct an_issue *what, struct an_err *reterr)
{
    uint8_t oid[AN_OID_MAX];

    AN_TRY(check_ascii("rfc822Name", what->email, "@", reterr));
    AN_TRY(check_ascii("cRLDistributionPoints", what->crl_url, "://", reterr));
    AN_TRY(check_ascii("caIssuers", what->issuer_url, "://", reterr));
    AN_TRY(check_ascii("OCSP", what->ocsp_url, "://", reterr));
    AN_TRY(check_ascii("CPS", what->cps_url, "://", reterr));
    if (what->policy_oid != NULL && an_oid_encode(what->policy_oid, oid) == 0)
        AN_FAIL(reterr, AN_E_CA_FIELD, "certificatePolicies: %s", what->policy_oid);
    return AN_OK;
}

static an_code
check_subject_key(an_bytes spki, struct an_err *reterr)
{
    struct an_pubkey *key = NULL;
    enum an_key_kind kind;
    int bits;

    AN_TRY(an_pubkey_parse(spki, &key, reterr));
    kind = an_pubkey_kind(key);
    bits = an_pubkey_bits(key);
    an_pubkey_unref(&key);
    if (((kind == AN_KEY_RSA || kind == AN_KEY_RSA_PSS) && bits < RSA_BITS_MIN) || (kind == AN_KEY_EC && bits < EC_BITS_MIN) ||
        kind == AN_KEY_DSA)
        AN_FAIL(reterr, AN_E_CA_KEY, "%d bit", bits);
    return AN_OK;
}

static an_code
check_issuer(const struct an_profile *profile, const struct an_issue *what, struct an_cert *issuer, struct an_signer *key,
             struct an_err *reterr)
{
    if (issuer == NULL) {
        if (!profile->is_ca)
            AN_FAIL(reterr, AN_E_CA_ISSUER, "%s: self-signed", profile->name);
        if (!an_bytes_eq(what->spki, an_signer_spki(key)))
            AN_FAIL(reterr, AN_E_CA_KEY, "self-signed: subjectPublicKeyInfo");
        return AN_OK;
    }
    if (!issuer->is_ca || (profile->is_ca && issuer->path_len == 0))
        AN_FAIL(reterr, AN_E_CA_ISSUER, "basicConstraints");
    if (what->not_before < issuer->not_before || what->not_before >= issuer->not_after)
        AN_FAIL(reterr, AN_E_CA_TIME, "notBefore");
    return an_ca_check_key(issuer, key, AN_KU_KEY_CERT_SIGN, AN_E_CA_ISSUER, reterr);
}

/* ---- writing ---- */
/* Names are written in NFC, so that the same name typed on two systems is the same name. */
static an_code
put_subject(struct an_der_out *out, const struct an_issue *what, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf texts = an_buf_new((size_t)SUBJECT_PARTS_MAX * (SUBJECT_TEXT_MAX * 3 + 1));
    struct an_name_part parts[SUBJECT_PARTS_MAX];
    size_t starts[SUBJECT_PARTS_MAX];

    for (size_t i = 0; i < what->subject_count; i++) {
        starts[i] = texts.len;
        if (!an_utf8_nfc(&texts, an_bytes_of_str(what->subject[i].text)))
            AN_FAIL(reterr, AN_E_CA_NAME, "%s", what->subject[i].oid);
        an_buf_byte(&texts, 0);
    }
    for (size_t i = 0; i < what->subject_count; i++)
        parts[i] = (struct an_name_part){.oid = what->subject[i].oid, .text = (const char *)texts.ptr + starts[i]};
    an_name_build(out, parts, what->subject_count);
    return AN_OK;
}

static an_code
put_serial(struct an_der_out *out, struct an_err *reterr)
{
    uint8_t serial[SERIAL_SIZE];

    AN_TRY(an_random(serial, sizeof(serial), reterr));
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, and always as long as that */
    an_der_put_unsigned(out, AN_BYTES(serial, sizeof(serial)));
    return AN_OK;
}

static an_bytes
key_bits_of(an_bytes spki)
{
    an_bytes inside, algorithm, bits = AN_NONE;
    unsigned unused = 0;

    if (an_der_take(&spki, AN_DER_SEQUENCE, &inside, NULL) != AN_OK ||
        an_der_take(&inside, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK || an_der_bits(&inside, &bits, &unused, NULL) != AN_OK)
        return AN_NONE;
    return bits;
}

static an_code
put_tbs(struct an_der_out *out, const struct an_profile *profile, const struct an_issue *what, const struct an_cert *issuer,
        const struct an_signer *key, struct an_err *reterr)
{
    bool is_longer = issuer != NULL && what->not_after > issuer->not_after;

    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_put_int(out, 2); /* v3 */
    an_der_close(out);
    AN_TRY(put_serial(out, reterr));
    an_ca_put_algorithm(out, key);
    if (issuer != NULL)
        an_der_put_raw(out, issuer->subject);
    else
        AN_TRY(put_subject(out, what, reterr));
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_time(out, what->not_before);
    an_der_put_time(out, is_longer ? issuer->not_after : what->not_after);
    an_der_close(out);
    AN_TRY(put_subject(out, what, reterr));
    an_der_put_raw(out, what->spki);
    an_ca_put_extensions(out, profile, what, key_bits_of(what->spki), issuer);
    an_der_close(out);
    return AN_OK;
}

an_code
an_ca_issue(const struct an_issue *what, struct an_cert *issuer, struct an_signer *key, struct an_cert **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf tbs = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CERT_BYTES);
    const struct an_profile *profile = an_profile_find(what->profile);
    struct an_der_out out = AN_DER_OUT(&tbs);

    if (profile == NULL)
        AN_FAIL(reterr, AN_E_CA_FIELD, "profile %d", (int)what->profile);
    AN_TRY(check_years(profile, what, reterr));
    AN_TRY(check_subject(what, reterr));
    AN_TRY(check_fields(what, reterr));
    AN_TRY(check_subject_key(what->spki, reterr));
    AN_TRY(check_issuer(profile, what, issuer, key, reterr));
    AN_TRY(put_tbs(&out, profile, what, issuer, key, reterr));
    if (!an_buf_ok(&tbs))
        AN_FAIL(reterr, AN_E_LIMIT, "TBSCertificate");
    AN_TRY(an_ca_sign(key, an_buf_view(&tbs), AN_NONE, &der, reterr));
    return an_cert_parse(an_buf_view(&der), ret, reterr);
}
