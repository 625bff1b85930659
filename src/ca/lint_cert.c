/* Certificates: the frame, RFC 5280 4.1. */
#include "ca/lint_internal.h"

#define CERT_BYTES_USUAL 8192

/* ---- reading ---- */
static bool
read_outer(struct lint_cert *c)
{
    an_bytes in = c->der, content;

    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK ||
        an_der_take_whole(&in, AN_DER_SEQUENCE, &c->tbs, NULL) != AN_OK ||
        !lint_take_algorithm(&in, &c->outer) || an_der_take(&in, AN_DER_BIT_STRING, &content, NULL) != AN_OK ||
        in.len != 0 || content.len == 0)
        return false;
    c->signature_unused = content.ptr[0];
    c->signature = AN_BYTES(content.ptr + 1, content.len - 1);
    return true;
}

static void
check_version(struct lint_cert *c, an_bytes *in)
{
    an_bytes field;
    int64_t version = 0;

    if (an_der_try(in, AN_DER_CONTEXT_CONSTRUCTED(0), &field) &&
        (an_der_int64(&field, &version, NULL) != AN_OK || field.len != 0))
        version = -1;
    lint_if(&c->run, version != 2, LINT_CERT_VERSION);
}

static bool
read_validity(struct lint_cert *c, an_bytes *in)
{
    bool first_wrong = false, second_wrong = false;
    an_bytes validity;

    if (an_der_take(in, AN_DER_SEQUENCE, &validity, NULL) != AN_OK ||
        !lint_take_time(&validity, &c->not_before, &first_wrong) ||
        !lint_take_time(&validity, &c->not_after, &second_wrong) || validity.len != 0)
        return false;
    lint_if(&c->run, first_wrong || second_wrong, LINT_CERT_TIME_TYPE);
    lint_if(&c->run, !c->not_before.is_sound || !c->not_after.is_sound, LINT_CERT_TIME_FORM);
    return true;
}

static bool
read_extensions(struct lint_cert *c, an_bytes in)
{
    an_bytes ignored, content;
    bool has_unique = an_der_try(&in, AN_DER_CONTEXT(1), &ignored);

    has_unique = an_der_try(&in, AN_DER_CONTEXT(2), &ignored) || has_unique;
    lint_if(&c->run, has_unique, LINT_CERT_UNIQUE_ID);
    if (in.len == 0) {
        lint_raise(&c->run, LINT_CERT_EXTENSIONS_NONE);
        return true;
    }
    if (an_der_take(&in, AN_DER_CONTEXT_CONSTRUCTED(3), &content, NULL) != AN_OK || in.len != 0 ||
        an_der_take(&content, AN_DER_SEQUENCE, &content, NULL) != AN_OK)
        return false;
    lint_read_extensions(content, &c->extensions);
    lint_if(&c->run, c->extensions.is_sound && c->extensions.count == 0, LINT_CERT_EXTENSIONS_NONE);
    lint_if(&c->run, c->extensions.has_twice, LINT_CERT_EXTENSIONS_TWICE);
    return c->extensions.is_sound;
}

static bool
read_tbs(struct lint_cert *c)
{
    an_bytes in = c->tbs;

    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK)
        return false;
    check_version(c, &in);
    return an_der_take(&in, AN_DER_INTEGER, &c->serial, NULL) == AN_OK && lint_take_algorithm(&in, &c->inner) &&
           an_der_take_whole(&in, AN_DER_SEQUENCE, &c->issuer, NULL) == AN_OK && read_validity(c, &in) &&
           an_der_take_whole(&in, AN_DER_SEQUENCE, &c->subject, NULL) == AN_OK &&
           an_der_take_whole(&in, AN_DER_SEQUENCE, &c->spki, NULL) == AN_OK && read_extensions(c, in);
}

/* ---- checking ---- */
static void
check_serial(struct lint_cert *c)
{
    an_bytes serial = c->serial;
    bool is_zero = true;

    for (size_t i = 0; i < serial.len; i++)
        is_zero = is_zero && serial.ptr[i] == 0;
    lint_if(&c->run, is_zero || serial.ptr[0] >= 0x80, LINT_CERT_SERIAL_POSITIVE);
    lint_if(&c->run, serial.len > 20, LINT_CERT_SERIAL_LENGTH);
    lint_if(&c->run, serial.len < 8 && !c->is_self_issued, LINT_CERT_SERIAL_SHORT);
}

/* RSA v1.5 has NULL (RFC 4055 2.1 and 5), ECDSA nothing (RFC 5758 3.2), EdDSA nothing (RFC 8410 3). */
static bool
has_right_parameters(const struct lint_algorithm *algorithm)
{
    if (algorithm->scheme.kind == AN_SIG_RSA_PKCS1)
        return an_bytes_eq(algorithm->params, AN_LIT("\x05\x00"));
    return algorithm->scheme.kind == AN_SIG_RSA_PSS || algorithm->params.len == 0;
}

static bool
fits_key(enum an_sig_kind scheme, enum an_key_kind key)
{
    switch (scheme) {
    case AN_SIG_RSA_PKCS1: return key == AN_KEY_RSA;
    case AN_SIG_RSA_PSS: return key == AN_KEY_RSA || key == AN_KEY_RSA_PSS;
    case AN_SIG_ECDSA: return key == AN_KEY_EC;
    case AN_SIG_EDDSA: return key == AN_KEY_ED25519 || key == AN_KEY_ED448;
    case AN_SIG_DSA: return key == AN_KEY_DSA;
    case AN_SIG_UNKNOWN: break;
    }
    return false;
}

static void
check_ecdsa_form(struct lint_cert *c)
{
    an_bytes in = c->signature, r = AN_NONE, s = AN_NONE;
    bool is_sound = an_der_take(&in, AN_DER_SEQUENCE, &r, NULL) == AN_OK && in.len == 0;

    in = r;
    is_sound = is_sound && an_der_integer(&in, &r, NULL) == AN_OK && an_der_integer(&in, &s, NULL) == AN_OK &&
        in.len == 0;
    lint_if(&c->run, !is_sound || r.ptr[0] >= 0x80 || s.ptr[0] >= 0x80, LINT_CERT_SIGNATURE_ECDSA);
}

static void
check_signature(struct lint_cert *c, enum an_key_kind issuer_kind, int issuer_bits)
{
    if (c->run.plan->is_unsigned)
        return;
    lint_if(&c->run, c->signature_unused != 0, LINT_CERT_SIGNATURE_BITS);
    if (c->outer.scheme.kind == AN_SIG_ECDSA)
        check_ecdsa_form(c);
    else if (issuer_kind == AN_KEY_RSA && issuer_bits > 0)
        lint_if(&c->run, c->signature.len != (size_t)(issuer_bits + 7) / 8, LINT_CERT_SIGNATURE_LENGTH);
}

static void
check_algorithm(struct lint_cert *c)
{
    struct an_cert *issuer = (struct an_cert *)(uintptr_t)c->run.plan->issuer; /* its key is parsed on demand */
    struct an_pubkey *key = issuer ? an_cert_key(issuer) : NULL;
    enum an_key_kind kind = key ? an_pubkey_kind(key) : c->is_self_issued ? c->key_kind : AN_KEY_UNKNOWN;

    lint_if(&c->run, !an_bytes_eq(c->inner.whole, c->outer.whole), LINT_CERT_ALGORITHM_SAME);
    lint_if(&c->run, !c->inner.is_known, LINT_CERT_ALGORITHM_KNOWN);
    if (!c->inner.is_known)
        return;
    lint_if(&c->run, lint_scheme_is_weak(&c->inner.scheme), LINT_CERT_ALGORITHM_DIGEST);
    lint_if(&c->run, !has_right_parameters(&c->inner), LINT_CERT_ALGORITHM_PARAMETERS);
    lint_if(&c->run, kind != AN_KEY_UNKNOWN && !fits_key(c->inner.scheme.kind, kind), LINT_CERT_ALGORITHM_ISSUER);
    check_signature(c, kind, key ? an_pubkey_bits(key) : kind != AN_KEY_UNKNOWN ? c->key_bits : 0);
}

static bool
is_longer_than(const struct lint_cert *c, int years)
{
    struct an_date last = an_date_of(c->not_before.when, 0);

    last.year += years;
    if (last.month == 2 && last.day == 29)
        last.day = 28;
    return c->not_after.when > an_time_of_date(&last, 0);
}

static void
check_times(struct lint_cert *c)
{
    const struct an_cert *issuer = c->run.plan->issuer;
    an_time from = c->not_before.when, until = c->not_after.when;
    bool is_service = c->is_ca || c->is_tsa || c->is_ocsp;

    if (!c->not_before.is_sound || !c->not_after.is_sound)
        return;
    lint_if(&c->run, until <= from, LINT_CERT_TIME_ORDER);
    lint_if(&c->run, issuer != NULL && (from < issuer->not_before || until > issuer->not_after), LINT_CERT_TIME_WITHIN);
    lint_if(&c->run, is_service && is_longer_than(c, 20), LINT_CERT_YEARS_AUTHORITY);
    lint_if(&c->run, !is_service && is_longer_than(c, 5), LINT_CERT_YEARS_SUBSCRIBER);
}

static void
check_names(struct lint_cert *c)
{
    const struct an_cert *issuer = c->run.plan->issuer;
    struct lint_name issuer_name;

    lint_name(&c->run, c->issuer, &issuer_name);
    if (an_bytes_eq(c->issuer, c->subject))
        c->subject_name = issuer_name;
    else
        lint_name(&c->run, c->subject, &c->subject_name);
    lint_if(&c->run, issuer_name.is_sound && issuer_name.parts == 0, LINT_CERT_ISSUER_EMPTY);
    lint_if(&c->run, c->subject_name.is_sound && c->subject_name.parts == 0, LINT_CERT_SUBJECT_EMPTY);
    lint_if(&c->run, issuer != NULL && !an_bytes_eq(c->issuer, issuer->subject), LINT_CERT_ISSUER_SAME);
    if (c->subject_name.parts == 0)
        return;
    lint_if(&c->run, c->subject_name.countries == 0, LINT_NAME_COUNTRY_NONE);
    lint_if(&c->run, c->subject_name.common_names == 0, LINT_NAME_CN_NONE);
    lint_if(&c->run, c->subject_name.organisations == 0, LINT_NAME_O_NONE);
    lint_if(&c->run, c->is_self_issued && !c->is_ca, LINT_CERT_SUBJECT_SELF);
}

void
an_lint_cert(an_bytes der, const struct an_lint_plan *plan)
{
    struct lint_cert c = {.run = {.plan = plan}, .der = der, .path_len = -1};

    lint_der(&c.run, der);
    lint_if(&c.run, der.len > CERT_BYTES_USUAL, LINT_CERT_SIZE);
    if (!read_outer(&c) || !read_tbs(&c)) {
        lint_raise(&c.run, LINT_CERT_STRUCTURE);
        lint_report(&c.run);
        return;
    }
    c.is_self_issued = an_bytes_eq(c.issuer, c.subject);
    check_serial(&c);
    lint_cert_key(&c);
    lint_cert_extensions(&c);
    lint_cert_places(&c);
    check_algorithm(&c);
    check_times(&c);
    check_names(&c);
    lint_cert_profile(&c);
    lint_report(&c.run);
}
