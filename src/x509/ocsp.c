/* OCSP responses (RFC 6960). */
#include "x509/internal.h"

#include "base/mem.h"

static an_code
fail_field(const char *field, struct an_err *reterr)
{
    AN_FAIL(reterr, AN_E_OCSP_STRUCTURE, "%s", field);
}

/* CertID ::= SEQUENCE { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber } */
bool
an_x509_read_cert_id(an_bytes cert_id, enum an_digest *ret_hash, an_bytes *ret_name, an_bytes *ret_key,
                     an_bytes *ret_serial)
{
    an_bytes algorithm;

    if (an_der_take_whole(&cert_id, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK)
        return false;
    if (an_digest_parse(algorithm, ret_hash, NULL) != AN_OK)
        *ret_hash = AN_DIGEST_NONE;
    return an_der_take(&cert_id, AN_DER_OCTET_STRING, ret_name, NULL) == AN_OK &&
           an_der_take(&cert_id, AN_DER_OCTET_STRING, ret_key, NULL) == AN_OK &&
           an_der_integer(&cert_id, ret_serial, NULL) == AN_OK && cert_id.len == 0;
}

static bool
read_revoked_info(an_bytes in, struct an_ocsp_single *single)
{
    int64_t reason;
    an_bytes field;

    if (an_der_time(&in, &single->revoked_at, NULL) != AN_OK)
        return false;
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field)) {
        if (an_der_int64(&field, &reason, NULL) != AN_OK || reason < 0 || reason > 10)
            return false;
        single->reason = (enum an_crl_reason)reason;
    }
    return in.len == 0;
}

static bool
read_status(an_bytes *in, struct an_ocsp_single *single)
{
    an_bytes value;
    int tag;

    if (an_der_any(in, &tag, NULL, &value, NULL) != AN_OK)
        return false;
    switch (tag) {
    case AN_DER_CONTEXT(0):
        single->status = AN_OCSP_GOOD;
        return value.len == 0;
    case AN_DER_CONTEXT_CONSTRUCTED(1):
        single->status = AN_OCSP_REVOKED;
        return read_revoked_info(value, single);
    case AN_DER_CONTEXT(2):
        single->status = AN_OCSP_UNKNOWN;
        return value.len == 0;
    default:
        return false;
    }
}

static bool
read_single_extensions(an_bytes field, struct an_ocsp_single *single)
{
    struct an_extension extension;
    int64_t reason;
    an_bytes in;

    if (an_der_take(&field, AN_DER_SEQUENCE, &in, NULL) != AN_OK || field.len != 0)
        return false;
    while (in.len > 0) {
        if (!an_x509_next_entry_extension(&in, &extension))
            return false;
        if (an_bytes_eq(extension.oid, AN_OID_OCSP_ARCHIVE_CUTOFF)) {
            if (an_der_time(&extension.value, &single->archive_cutoff, NULL) != AN_OK)
                return false;
        } else if (an_bytes_eq(extension.oid, AN_OID_REASON_CODE)) {
            if (an_der_int64(&extension.value, &reason, NULL) == AN_OK && reason >= 0 && reason <= 10)
                single->reason = (enum an_crl_reason)reason;
        } else if (extension.critical) {
            single->has_unknown_critical = true;
        }
    }
    return true;
}

static bool
read_single(an_bytes in, struct an_ocsp_single *single)
{
    an_bytes cert_id, field;

    *single = (struct an_ocsp_single){
        .revoked_at = AN_TIME_NONE, .next_update = AN_TIME_NONE, .archive_cutoff = AN_TIME_NONE};
    if (an_der_take(&in, AN_DER_SEQUENCE, &cert_id, NULL) != AN_OK ||
        !an_x509_read_cert_id(cert_id, &single->hash, &single->issuer_name_hash, &single->issuer_key_hash,
                              &single->serial))
        return false;
    if (!read_status(&in, single) || an_der_time(&in, &single->this_update, NULL) != AN_OK)
        return false;
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field) &&
        (an_der_time(&field, &single->next_update, NULL) != AN_OK || field.len != 0))
        return false;
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(1), &field) && !read_single_extensions(field, single))
        return false;
    return in.len == 0;
}

static an_code
parse_singles(struct an_ocsp *ocsp, an_bytes content, struct an_err *reterr)
{
    an_bytes in = content, single;
    size_t count = 0;

    for (; in.len > 0; count++)
        if (count == AN_LIMIT_OCSP_SINGLES)
            AN_FAIL(reterr, AN_E_LIMIT, "more than %d answers in one OCSP response", AN_LIMIT_OCSP_SINGLES);
        else if (an_der_take(&in, AN_DER_SEQUENCE, &single, NULL) != AN_OK)
            return fail_field("responses", reterr);
    ocsp->singles = an_new_array(count, sizeof(*ocsp->singles));
    for (in = content; in.len > 0; ocsp->single_count++)
        if (!an_der_try(&in, AN_DER_SEQUENCE, &single) || !read_single(single, &ocsp->singles[ocsp->single_count]))
            return fail_field("singleResponse", reterr);
    return AN_OK;
}

static bool
read_responder(struct an_ocsp *ocsp, an_bytes *in)
{
    an_bytes value;
    int tag;

    if (an_der_any(in, &tag, NULL, &value, NULL) != AN_OK)
        return false;
    if (tag == AN_DER_CONTEXT_CONSTRUCTED(1)) {
        ocsp->responder_name = value;
        return an_x509_name_is_sound(value);
    }
    return tag == AN_DER_CONTEXT_CONSTRUCTED(2) &&
           an_der_take(&value, AN_DER_OCTET_STRING, &ocsp->responder_key, NULL) == AN_OK && value.len == 0;
}

/* The nonce is an OCTET STRING inside the extension (RFC 8954); old responders left it bare. */
static an_bytes
open_nonce(an_bytes value)
{
    an_bytes in = value, nonce;

    return an_der_take(&in, AN_DER_OCTET_STRING, &nonce, NULL) == AN_OK && in.len == 0 ? nonce : value;
}

bool
an_x509_read_nonce(an_bytes extensions, an_bytes *ret_nonce, bool *ret_unknown_critical)
{
    struct an_extension extension;
    an_bytes in;

    if (an_der_take(&extensions, AN_DER_SEQUENCE, &in, NULL) != AN_OK || extensions.len != 0)
        return false;
    while (in.len > 0) {
        if (!an_x509_next_entry_extension(&in, &extension))
            return false;
        if (an_bytes_eq(extension.oid, AN_OID_OCSP_NONCE))
            *ret_nonce = open_nonce(extension.value);
        else if (extension.critical)
            *ret_unknown_critical = true;
    }
    return true;
}

static an_code
parse_tbs(struct an_ocsp *ocsp, struct an_err *reterr)
{
    an_bytes whole = ocsp->tbs, in, field;
    int64_t version = 0;

    AN_TRY(an_der_take(&whole, AN_DER_SEQUENCE, &in, reterr));
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field) &&
        (an_der_int64(&field, &version, NULL) != AN_OK || version != 0))
        return fail_field("version", reterr);
    if (!read_responder(ocsp, &in))
        return fail_field("responderID", reterr);
    if (an_der_time(&in, &ocsp->produced_at, NULL) != AN_OK)
        return fail_field("producedAt", reterr);
    if (an_der_take(&in, AN_DER_SEQUENCE, &field, NULL) != AN_OK)
        return fail_field("responses", reterr);
    AN_TRY(parse_singles(ocsp, field, reterr));
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(1), &field) &&
        !an_x509_read_nonce(field, &ocsp->nonce, &ocsp->has_unknown_critical))
        return fail_field("responseExtensions", reterr);
    if (in.len != 0)
        return fail_field("tbsResponseData", reterr);
    return AN_OK;
}

/* A certificate that we cannot read does not spoil the answer: it may not be the one that is needed. */
static an_code
parse_certs(struct an_ocsp *ocsp, an_bytes field, struct an_err *reterr)
{
    an_bytes in, whole;
    struct an_cert *cert;

    if (an_der_take(&field, AN_DER_SEQUENCE, &in, NULL) != AN_OK || field.len != 0)
        return fail_field("certs", reterr);
    while (in.len > 0) {
        if (an_der_take_whole(&in, AN_DER_SEQUENCE, &whole, NULL) != AN_OK)
            return fail_field("certs", reterr);
        if (ocsp->certs.count >= AN_LIMIT_CMS_CERTS)
            AN_FAIL(reterr, AN_E_LIMIT, "more than %d certificates in an OCSP response", AN_LIMIT_CMS_CERTS);
        if (an_cert_parse(whole, &cert, NULL) != AN_OK)
            continue;
        an_certs_add(&ocsp->certs, cert);
        an_cert_unref(&cert);
    }
    return AN_OK;
}

static an_code
parse_basic(struct an_ocsp *ocsp, an_bytes basic, struct an_err *reterr)
{
    an_bytes in, field;

    if (an_der_take(&basic, AN_DER_SEQUENCE, &in, NULL) != AN_OK || basic.len != 0)
        return fail_field("BasicOCSPResponse", reterr);
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &ocsp->tbs, NULL) != AN_OK)
        return fail_field("tbsResponseData", reterr);
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &ocsp->signature_algorithm, NULL) != AN_OK)
        return fail_field("signatureAlgorithm", reterr);
    if (!an_x509_take_signature(&in, &ocsp->signature))
        return fail_field("signature", reterr);
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field))
        AN_TRY(parse_certs(ocsp, field, reterr));
    if (in.len != 0)
        return fail_field("BasicOCSPResponse", reterr);
    if (an_scheme_parse(ocsp->signature_algorithm, AN_DIGEST_NONE, &ocsp->scheme, NULL) != AN_OK)
        ocsp->scheme = (struct an_scheme){0};
    return parse_tbs(ocsp, reterr);
}

static an_code
parse_response(struct an_ocsp *ocsp, struct an_err *reterr)
{
    an_bytes rest = ocsp->der, in, field, bytes, oid, basic;
    int64_t status;

    if (an_der_take(&rest, AN_DER_SEQUENCE, &in, NULL) != AN_OK || rest.len != 0)
        return fail_field("OCSPResponse", reterr);
    if (an_der_peek(in) != AN_DER_ENUMERATED || an_der_int64(&in, &status, NULL) != AN_OK || status < 0 || status > 6 ||
        status == 4)
        return fail_field("responseStatus", reterr);
    ocsp->response_status = (int)status;
    if (status != 0 || in.len == 0)
        return AN_OK;
    if (an_der_take(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field, NULL) != AN_OK || in.len != 0 ||
        an_der_take(&field, AN_DER_SEQUENCE, &bytes, NULL) != AN_OK || field.len != 0)
        return fail_field("responseBytes", reterr);
    if (an_der_take(&bytes, AN_DER_OID, &oid, NULL) != AN_OK || !an_bytes_eq(oid, AN_OID_OCSP_BASIC) ||
        an_der_take(&bytes, AN_DER_OCTET_STRING, &basic, NULL) != AN_OK || bytes.len != 0)
        return fail_field("responseBytes", reterr);
    return parse_basic(ocsp, basic, reterr);
}

struct ocsp_block {
    struct an_ocsp ocsp;
    uint8_t der[];
};

static an_code
parse_der(an_bytes der, struct an_ocsp **ret, struct an_err *reterr)
{
    struct ocsp_block *block = an_new_array(1, sizeof(*block) + der.len);
    struct an_ocsp *ocsp = &block->ocsp;
    an_code outcome;

    if (der.len)
        memcpy(block->der, der.ptr, der.len);
    ocsp->der = AN_BYTES(block->der, der.len);
    ocsp->refs = 1;
    ocsp->produced_at = AN_TIME_NONE;
    outcome = parse_response(ocsp, reterr);
    if (outcome != AN_OK)
        an_ocsp_unref(&ocsp);
    else
        *ret = ocsp;
    return outcome;
}

an_code
an_ocsp_parse(an_bytes der, struct an_ocsp **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf decoded = an_buf_new(AN_LIMIT_OCSP_BYTES);
    char label[64];
    size_t at = 0;

    if (der.len == 0 || der.len > AN_LIMIT_OCSP_BYTES)
        AN_FAIL(reterr, der.len == 0 ? AN_E_OCSP_STRUCTURE : AN_E_LIMIT, "OCSP response of %zu bytes", der.len);
    if (der.ptr[0] == AN_DER_SEQUENCE)
        return parse_der(der, ret, reterr);
    if (der.ptr[0] == '-' ? !an_pem_next(der, &at, &decoded, label) : !an_base64_decode(&decoded, der))
        AN_FAIL(reterr, AN_E_OCSP_STRUCTURE, "neither DER nor base64");
    return parse_der(an_buf_view(&decoded), ret, reterr);
}

an_code
an_ocsp_parse_basic(an_bytes basic, struct an_ocsp **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf whole = an_buf_new(AN_LIMIT_OCSP_BYTES);
    struct an_der_out out = AN_DER_OUT(&whole);

    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put(&out, AN_DER_ENUMERATED, AN_LIT("\0"));
    an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put(&out, AN_DER_OID, AN_OID_OCSP_BASIC);
    an_der_put(&out, AN_DER_OCTET_STRING, basic);
    for (int i = 0; i < 3; i++)
        an_der_close(&out);
    if (!an_buf_ok(&whole))
        AN_FAIL(reterr, AN_E_LIMIT, "OCSP response of %zu bytes", basic.len);
    return parse_der(an_buf_view(&whole), ret, reterr);
}

struct an_ocsp *
an_ocsp_ref(struct an_ocsp *ocsp)
{
    __atomic_add_fetch(&ocsp->refs, 1, __ATOMIC_RELAXED);
    return ocsp;
}

void
an_ocsp_unref(struct an_ocsp **ocsp)
{
    if (*ocsp != NULL && __atomic_sub_fetch(&(*ocsp)->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        an_certs_done(&(*ocsp)->certs);
        free((*ocsp)->singles);
        free(*ocsp);
    }
    *ocsp = NULL;
}

void
an_ocsps_unref(struct an_ocsps *set)
{
    for (size_t i = 0; i < set->count; i++)
        an_ocsp_unref(&set->items[i]);
    an_ocsps_done(set);
}
