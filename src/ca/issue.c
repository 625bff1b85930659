/* One certificate: checked against its profile, written, linted, signed, checked again. */
#include "ca/internal.h"

#include "base/utf8.h"
#include "ca/lint.h"

#define SUBJECT_PARTS_MAX 32
#define SUBJECT_TEXT_MAX (255 * 4 * 3) /* characters of a part as octets; NFC never makes it three times as long */
#define EXTENSIONS_MAX 8192

struct an_template {
    const struct an_profiles *profiles;
    const struct an_profile *profile;
    struct an_cert *issuer; /* NULL = self-signed */
    struct an_signer *key;
    char *crl_url;
    struct an_buf algorithm, extensions; /* encoded once */
};

/* ---- templates ---- */
static an_code
check_url(const char *what, const char *text, struct an_err *reterr)
{
    if (text == NULL)
        return AN_OK;
    if (*text == '\0' || strlen(text) > 1024 || strstr(text, "://") == NULL)
        AN_FAIL(reterr, AN_E_CA_FIELD, "%s", what);
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~')
            AN_FAIL(reterr, AN_E_CA_FIELD, "%s", what);
    return AN_OK;
}

static an_code
check_places(const struct an_places *places, struct an_err *reterr)
{
    AN_TRY(check_url("cRLDistributionPoints", places->crl_url, reterr));
    AN_TRY(check_url("freshestCRL", places->delta_url, reterr));
    AN_TRY(check_url("caIssuers", places->issuer_url, reterr));
    AN_TRY(check_url("OCSP", places->ocsp_url, reterr));
    return check_url("CPS", places->cps_url, reterr);
}

static an_code
check_issuer(const struct an_profile *profile, struct an_cert *issuer, struct an_signer *key, struct an_err *reterr)
{
    if (issuer == NULL) {
        if (profile->use != AN_USE_ROOT)
            AN_FAIL(reterr, AN_E_CA_ISSUER, "%s: self-signed", profile->id);
        return AN_OK;
    }
    if (!issuer->is_ca || (profile->is_ca && issuer->path_len == 0))
        AN_FAIL(reterr, AN_E_CA_ISSUER, "%s: basicConstraints", profile->id);
    return an_ca_check_key(issuer, key, AN_KU_KEY_CERT_SIGN, AN_E_CA_ISSUER, reterr);
}

static void
encode_fixed(struct an_template *template, const struct an_places *places)
{
    struct an_der_out algorithm = AN_DER_OUT(&template->algorithm), extensions = AN_DER_OUT(&template->extensions);

    an_ca_put_algorithm(&algorithm, template->key);
    an_ca_put_fixed_extensions(&extensions, template->profile, places, template->issuer);
}

an_code
an_template_new(const struct an_profiles *profiles, const struct an_profile *profile, struct an_cert *issuer,
                struct an_signer *key,
                const struct an_places *places, struct an_template **ret, struct an_err *reterr)
{
    struct an_template *template;

    AN_TRY(check_places(places, reterr));
    AN_TRY(check_issuer(profile, issuer, key, reterr));
    template = AN_NEW(struct an_template);
    *template = (struct an_template){.profiles = profiles, .profile = profile, .issuer = issuer ? an_cert_ref(issuer)
                                     : NULL, .key = key,
        .crl_url = places->crl_url && profile->has_urls ? an_strdup(places->crl_url) : NULL,
        .algorithm = an_buf_new(EXTENSIONS_MAX),
        .extensions = an_buf_new(EXTENSIONS_MAX)};
    encode_fixed(template, places);
    if (issuer != NULL && an_cert_key(issuer) != NULL)
        an_pubkey_expect_many(an_cert_key(issuer));
    if (!an_buf_ok(&template->algorithm) || !an_buf_ok(&template->extensions)) {
        an_template_free(&template);
        AN_FAIL(reterr, AN_E_LIMIT, "extensions");
    }
    *ret = template;
    return AN_OK;
}

void
an_template_free(struct an_template **template)
{
    struct an_template *t = *template;

    if (t == NULL)
        return;
    an_cert_unref(&t->issuer);
    an_buf_free(&t->algorithm);
    an_buf_free(&t->extensions);
    free(t->crl_url);
    free(t);
    *template = NULL;
}

/* ---- what may be asked ---- */
static an_code
check_request(const struct an_template *template, const struct an_issue *what, struct an_err *reterr)
{
    const struct an_profile *profile = template->profile;

    if (what->subject_count > SUBJECT_PARTS_MAX)
        AN_FAIL(reterr, AN_E_CA_NAME, "%zu RDN", what->subject_count);
    AN_TRY(an_profile_check_validity(profile, what->not_before, what->not_after, what->is_renewed, reterr));
    AN_TRY(an_profile_check_subject(profile, what->subject, what->subject_count, reterr));
    AN_TRY(an_profile_check_email(template->profiles, profile, what->email, reterr));
    AN_TRY(an_profile_check_key(profile, what->spki, reterr));
    AN_TRY(check_url("cRLDistributionPoints", what->crl_url, reterr));
    if (what->serial.len > AN_SERIAL_SIZE)
        AN_FAIL(reterr, AN_E_CA_FIELD, "serialNumber: %zu byte", what->serial.len);
    if (template->issuer == NULL)
        return an_bytes_eq(what->spki, an_signer_spki(template->key)) ? AN_OK : an_err_set(reterr, AN_E_CA_KEY,
                "self-signed: subjectPublicKeyInfo");
    if (what->not_before < template->issuer->not_before || what->not_before >= template->issuer->not_after)
        AN_FAIL(reterr, AN_E_CA_TIME, "notBefore");
    return AN_OK;
}

/* ---- writing ---- */
/* Names are written in NFC, so that the same name typed on two systems is the same name. */
static an_code
put_subject(struct an_der_out *out, const struct an_issue *what, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf texts = an_buf_new((size_t)SUBJECT_PARTS_MAX * (SUBJECT_TEXT_MAX + 1));
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

an_code
an_serial_random(uint8_t ret[static AN_SERIAL_SIZE], struct an_err *reterr)
{
    AN_TRY(an_random(ret, AN_SERIAL_SIZE, reterr));
    ret[0] = (uint8_t)((ret[0] & 0x7f) | 0x40); /* positive, and always as long as that */
    return AN_OK;
}

static an_code
put_serial(struct an_der_out *out, const struct an_issue *what, struct an_err *reterr)
{
    uint8_t serial[AN_SERIAL_SIZE];

    if (what->serial.len != 0) {
        an_der_put(out, AN_DER_INTEGER, what->serial);
        return AN_OK;
    }
    AN_TRY(an_serial_random(serial, reterr));
    an_der_put(out, AN_DER_INTEGER, AN_BYTES(serial, sizeof(serial)));
    return AN_OK;
}

static an_bytes
key_bits_of(an_bytes spki)
{
    an_bytes inside, algorithm, bits = AN_NONE;
    unsigned unused = 0;

    if (an_der_take(&spki, AN_DER_SEQUENCE, &inside, NULL) != AN_OK ||
        an_der_take(&inside, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK ||
        an_der_bits(&inside, &bits, &unused, NULL) != AN_OK)
        return AN_NONE;
    return bits;
}

/* Already known to be one of the profile's. */
static enum an_key_kind
kind_of(an_bytes spki)
{
    static const uint8_t rsa[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01};
    an_bytes inside, algorithm, oid;

    if (an_der_take(&spki, AN_DER_SEQUENCE, &inside, NULL) != AN_OK ||
        an_der_take(&inside, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK ||
        an_der_take(&algorithm, AN_DER_OID, &oid, NULL) != AN_OK)
        return AN_KEY_UNKNOWN;
    return an_bytes_eq(oid, AN_BYTES(rsa, sizeof(rsa))) ? AN_KEY_RSA : AN_KEY_EC;
}

static void
put_extensions(struct an_der_out *out, const struct an_template *template, const struct an_issue *what)
{
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(3));
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_raw(out, an_buf_view(&template->extensions));
    an_ca_put_subject_extensions(out, an_profile_usage_for(template->profile, kind_of(what->spki)),
                                 key_bits_of(what->spki), what->crl_url ? what->crl_url : template->crl_url,
                                 what->email);
    an_der_close(out);
    an_der_close(out);
}

static an_code
put_tbs(struct an_der_out *out, const struct an_template *template, const struct an_issue *what, struct an_err *reterr)
{
    const struct an_cert *issuer = template->issuer;
    bool is_longer = issuer != NULL && what->not_after > issuer->not_after;

    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_put_int(out, 2); /* v3 */
    an_der_close(out);
    AN_TRY(put_serial(out, what, reterr));
    an_der_put_raw(out, an_buf_view(&template->algorithm));
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
    put_extensions(out, template, what);
    an_der_close(out);
    return AN_OK;
}

/* ---- the linter stands before the key, the check of the signature behind it ---- */
/* The certificate as it will be, with zeros where the signature comes. */
static an_code
lint_unsigned(const struct an_template *template, an_bytes tbs, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CERT_BYTES);
    struct an_der_out out = AN_DER_OUT(&der);
    const struct an_lint *first = NULL;
    const struct an_lint_plan plan = {.profile = template->profile, .issuer = template->issuer, .is_unsigned = true,
                                      .each = an_ca_keep_first_error, .context = &first};
    static const uint8_t zeros[64];

    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_raw(&out, tbs);
    an_der_put_raw(&out, an_buf_view(&template->algorithm));
    an_der_put_bits(&out, AN_BYTES(zeros, sizeof(zeros)), 0);
    an_der_close(&out);
    if (!an_buf_ok(&der))
        AN_FAIL(reterr, AN_E_LIMIT, "Certificate");
    an_lint_cert(an_buf_view(&der), &plan);
    if (first != NULL)
        AN_FAIL(reterr, AN_E_CA_LINT, "%s: %s (%s)", first->id, first->vi, first->source);
    return AN_OK;
}

/* What was linted is what is signed, octet for octet. A key store that errs once gives a signature that harms (and may
 * tell the key, RSA's as well as ECDSA's): none leaves unchecked. */
static an_code
check_made(const struct an_template *template, an_bytes tbs, struct an_cert *cert, struct an_err *reterr)
{
    if (!an_bytes_eq(cert->tbs, tbs) || !an_cert_signed_by(cert, template->issuer ? template->issuer : cert))
        AN_FAIL(reterr, AN_E_CA_SIGNATURE, "%s", an_signer_info(template->key)->label);
    return AN_OK;
}

an_code
an_ca_issue(const struct an_template *template, const struct an_issue *what, struct an_cert **ret,
            struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf tbs = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    struct an_der_out out = AN_DER_OUT(&tbs);

    AN_TRY(check_request(template, what, reterr));
    AN_TRY(put_tbs(&out, template, what, reterr));
    if (!an_buf_ok(&tbs))
        AN_FAIL(reterr, AN_E_LIMIT, "TBSCertificate");
    AN_TRY(lint_unsigned(template, an_buf_view(&tbs), reterr));
    AN_TRY(an_ca_sign(template->key, an_buf_view(&tbs), AN_NONE, &der, reterr));
    AN_TRY(an_cert_parse(an_buf_view(&der), &cert, reterr));
    AN_TRY(check_made(template, an_buf_view(&tbs), cert, reterr));
    *ret = cert;
    cert = NULL;
    return AN_OK;
}

an_code
an_ca_issue_once(const struct an_profiles *profiles, const char *profile_id, struct an_cert *issuer,
                 struct an_signer *key,
                 const struct an_places *places, const struct an_issue *what, struct an_cert **ret,
                 struct an_err *reterr)
{
    AN_CLEANUP(an_template_free) struct an_template *template = NULL;
    const struct an_profile *profile;

    AN_TRY(an_profiles_find(profiles, profile_id, &profile, reterr));
    AN_TRY(an_template_new(profiles, profile, issuer, key, places, &template, reterr));
    return an_ca_issue(template, what, ret, reterr);
}
