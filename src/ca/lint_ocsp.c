/* Status answers: RFC 6960, 5019, 9654. */
#include "ca/lint_internal.h"

#define DAY ((an_time)86400)
#define NONCE_MAX 128

struct lint_ocsp {
    struct lint_run run;
    struct lint_time produced;
    an_bytes responder_key, responder_name;
    struct lint_algorithm algorithm;
    size_t singles;
};

static bool
take_generalized(an_bytes *in, struct lint_time *ret)
{
    bool wrong_type;

    return an_der_peek(*in) == AN_DER_GENERALIZED_TIME && lint_take_time(in, ret, &wrong_type);
}

/* ---- one certificate's answer ---- */
static bool
check_cert_id(struct lint_ocsp *c, an_bytes *in)
{
    an_bytes id, name, key, serial, whole;
    enum an_digest digest = AN_DIGEST_NONE;

    if (an_der_take(in, AN_DER_SEQUENCE, &id, NULL) != AN_OK ||
        an_der_take_whole(&id, AN_DER_SEQUENCE, &whole, NULL) != AN_OK ||
        an_der_take(&id, AN_DER_OCTET_STRING, &name, NULL) != AN_OK ||
        an_der_take(&id, AN_DER_OCTET_STRING, &key, NULL) != AN_OK ||
        an_der_take(&id, AN_DER_INTEGER, &serial, NULL) != AN_OK || id.len != 0)
        return false;
    lint_if(&c->run, an_digest_parse(whole, &digest, NULL) != AN_OK || name.len != an_digest_size(digest) ||
            key.len != name.len, LINT_OCSP_HASH_LENGTH);
    lint_if(&c->run, serial.len == 0 || serial.len > 21, LINT_OCSP_SERIAL);
    return true;
}

static void
check_revoked(struct lint_ocsp *c, an_bytes in)
{
    struct lint_time when = {0};
    int64_t reason = 0;
    an_bytes field;

    if (!take_generalized(&in, &when) || !when.is_sound) {
        lint_raise(&c->run, LINT_OCSP_CERT_STATUS);
        return;
    }
    lint_if(&c->run, c->produced.is_sound && when.when > c->produced.when, LINT_OCSP_REVOKED_FUTURE);
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field))
        lint_if(&c->run, an_der_peek(field) != AN_DER_ENUMERATED || an_der_int64(&field, &reason, NULL) != AN_OK ||
                reason < 0 || reason == 7 || reason > 10, LINT_OCSP_REASON);
}

static bool
check_status(struct lint_ocsp *c, an_bytes *in)
{
    an_bytes value;
    int tag;

    if (an_der_any(in, &tag, NULL, &value, NULL) != AN_OK)
        return false;
    if (tag == AN_DER_CONTEXT_CONSTRUCTED(1))
        check_revoked(c, value);
    else /* good, unknown: NULL */
        lint_if(&c->run, (tag != AN_DER_CONTEXT(0) && tag != AN_DER_CONTEXT(2)) || value.len != 0,
                LINT_OCSP_CERT_STATUS);
    return true;
}

static bool
check_single(struct lint_ocsp *c, an_bytes in)
{
    struct lint_time from = {0}, next = {0};
    an_bytes field;

    if (!check_cert_id(c, &in) || !check_status(c, &in))
        return false;
    lint_if(&c->run, !take_generalized(&in, &from) || !from.is_sound, LINT_OCSP_UPDATE_FORM);
    lint_if(&c->run, from.is_sound && c->produced.is_sound && c->produced.when < from.when, LINT_OCSP_PRODUCED_ORDER);
    if (!an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field)) {
        lint_raise(&c->run, LINT_OCSP_NEXT_NONE);
        return true;
    }
    lint_if(&c->run, !take_generalized(&field, &next) || !next.is_sound || field.len != 0, LINT_OCSP_UPDATE_FORM);
    if (from.is_sound && next.is_sound) {
        lint_if(&c->run, next.when <= from.when, LINT_OCSP_NEXT_ORDER);
        lint_if(&c->run, next.when - from.when > 31 * DAY, LINT_OCSP_NEXT_FAR);
    }
    return true;
}

/* ---- the answer ---- */
static void
check_extensions(struct lint_ocsp *c, an_bytes in)
{
    struct lint_extensions found;
    const struct lint_extension *nonce;
    an_bytes value;

    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK) {
        lint_raise(&c->run, LINT_OCSP_STRUCTURE);
        return;
    }
    lint_read_extensions(in, &found);
    lint_if(&c->run, !found.is_sound, LINT_OCSP_STRUCTURE);
    for (size_t i = 0; i < found.count; i++)
        lint_if(&c->run, found.items[i].critical, LINT_OCSP_CRITICAL);
    nonce = lint_find(&found, AN_OID_OCSP_NONCE);
    if (nonce == NULL)
        return;
    value = nonce->value;
    lint_if(&c->run, an_der_take(&value, AN_DER_OCTET_STRING, &value, NULL) != AN_OK || value.len == 0 ||
            value.len > NONCE_MAX, LINT_OCSP_NONCE);
}

static bool
read_responder(struct lint_ocsp *c, an_bytes *in)
{
    an_bytes field;

    if (an_der_try(in, AN_DER_CONTEXT_CONSTRUCTED(1), &field)) {
        c->responder_name = field;
        lint_if(&c->run, an_der_peek(field) != AN_DER_SEQUENCE || field.len <= 2, LINT_OCSP_RESPONDER);
        return true;
    }
    if (!an_der_try(in, AN_DER_CONTEXT_CONSTRUCTED(2), &field))
        return false;
    lint_if(&c->run, an_der_take(&field, AN_DER_OCTET_STRING, &c->responder_key, NULL) != AN_OK ||
            c->responder_key.len != 20, LINT_OCSP_RESPONDER);
    return true;
}

static bool
read_data(struct lint_ocsp *c, an_bytes in)
{
    an_bytes field, singles, single;

    lint_if(&c->run, an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field), LINT_OCSP_VERSION);
    if (!read_responder(c, &in))
        return false;
    lint_if(&c->run, !take_generalized(&in, &c->produced) || !c->produced.is_sound, LINT_OCSP_PRODUCED);
    if (an_der_take(&in, AN_DER_SEQUENCE, &singles, NULL) != AN_OK)
        return false;
    lint_if(&c->run, singles.len == 0, LINT_OCSP_SINGLES);
    for (; singles.len > 0; c->singles++)
        if (an_der_take(&singles, AN_DER_SEQUENCE, &single, NULL) != AN_OK || !check_single(c, single))
            return false;
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(1), &field))
        check_extensions(c, field);
    return in.len == 0;
}

/* The first certificate sent along is the one that the responder's identifier names. */
static void
check_signer(struct lint_ocsp *c, an_bytes in)
{
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    uint8_t digest[AN_DIGEST_MAX];
    an_bytes first;

    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK ||
        an_der_take_whole(&in, AN_DER_SEQUENCE, &first, NULL) != AN_OK ||
        an_cert_parse(first, &cert, NULL) != AN_OK) {
        lint_raise(&c->run, LINT_OCSP_SIGNER);
        return;
    }
    an_hash_once(AN_SHA1, cert->key_bits, digest);
    lint_if(&c->run, c->responder_key.len != 0 ? !an_bytes_eq(c->responder_key, AN_BYTES(digest, 20))
            : !an_name_eq(c->responder_name, cert->subject), LINT_OCSP_SIGNER);
}

static bool
read_basic(struct lint_ocsp *c, an_bytes basic)
{
    an_bytes in, data, signature, certs;

    if (an_der_take(&basic, AN_DER_SEQUENCE, &in, NULL) != AN_OK || basic.len != 0 ||
        an_der_take(&in, AN_DER_SEQUENCE, &data, NULL) != AN_OK ||
        !lint_take_algorithm(&in, &c->algorithm) || an_der_take(&in, AN_DER_BIT_STRING, &signature, NULL) != AN_OK ||
        !read_data(c, data))
        return false;
    lint_if(&c->run, !c->algorithm.is_known || lint_scheme_is_weak(&c->algorithm.scheme), LINT_OCSP_DIGEST);
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &certs))
        check_signer(c, certs);
    return in.len == 0;
}

static bool
read_response(struct lint_ocsp *c, an_bytes der)
{
    an_bytes in, bytes, oid, basic;
    int64_t status = -1;
    bool has_bytes;

    if (an_der_take(&der, AN_DER_SEQUENCE, &in, NULL) != AN_OK || an_der_peek(in) != AN_DER_ENUMERATED ||
        an_der_int64(&in, &status, NULL) != AN_OK)
        return false;
    lint_if(&c->run, status < 0 || status == 4 || status > 6, LINT_OCSP_STATUS);
    has_bytes = an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &bytes);
    lint_if(&c->run, status == 0 && !has_bytes, LINT_OCSP_BYTES_MISSING);
    lint_if(&c->run, status != 0 && has_bytes, LINT_OCSP_BYTES_BESIDE);
    if (!has_bytes)
        return in.len == 0;
    if (an_der_take(&bytes, AN_DER_SEQUENCE, &bytes, NULL) != AN_OK ||
        an_der_take(&bytes, AN_DER_OID, &oid, NULL) != AN_OK ||
        an_der_take(&bytes, AN_DER_OCTET_STRING, &basic, NULL) != AN_OK)
        return false;
    if (!an_bytes_eq(oid, AN_OID_OCSP_BASIC)) {
        lint_raise(&c->run, LINT_OCSP_TYPE);
        return true;
    }
    return read_basic(c, basic);
}

void
an_lint_ocsp(an_bytes der, const struct an_lint_plan *plan)
{
    struct lint_ocsp c = {.run = {.plan = plan}};

    lint_der(&c.run, der);
    lint_if(&c.run, !read_response(&c, der), LINT_OCSP_STRUCTURE);
    lint_report(&c.run);
}
