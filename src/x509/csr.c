/* PKCS#10 requests: CertificationRequest ::= SEQUENCE { info, signatureAlgorithm, signature }. */
#include "x509/internal.h"

#include "base/mem.h"
#include "x509/csr.h"

#define OID_EXTENSION_REQUEST AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x0E") /* 1.2.840.113549.1.9.14 */
#define OID_CHALLENGE AN_LIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x07")         /* 1.2.840.113549.1.9.7 */

static an_code
fail_field(const char *field, struct an_err *reterr)
{
    AN_FAIL(reterr, AN_E_CSR_PARSE, "%s", field);
}

static an_code
read_attribute(struct an_csr *csr, an_bytes in, struct an_err *reterr)
{
    an_bytes oid, values, content;

    if (an_der_take(&in, AN_DER_OID, &oid, NULL) != AN_OK || an_der_take(&in, AN_DER_SET, &values, NULL) != AN_OK ||
        in.len != 0)
        return fail_field("attribute", reterr);
    if (an_bytes_eq(oid, OID_CHALLENGE)) {
        if (an_der_any(&values, NULL, NULL, &csr->challenge, NULL) != AN_OK || values.len != 0)
            return fail_field("challengePassword", reterr);
    } else if (an_bytes_eq(oid, OID_EXTENSION_REQUEST)) {
        if (csr->extensions != NULL || an_der_take(&values, AN_DER_SEQUENCE, &content, NULL) != AN_OK ||
            values.len != 0)
            return fail_field("extensionRequest", reterr);
        if (content.len == 0) /* written by some tools when nothing is asked for */
            return AN_OK;
        return an_x509_read_extensions(content, NULL, 0, &csr->extensions, &csr->extension_count,
                                       (struct an_x509_ext_codes){AN_E_CSR_PARSE, AN_E_CSR_PARSE}, reterr);
    }
    return AN_OK;
}

static an_code
read_info(struct an_csr *csr, struct an_err *reterr)
{
    an_bytes in = csr->info, attributes, attribute;
    int64_t version = -1;

    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK || an_der_int64(&in, &version, NULL) != AN_OK ||
        version != 0)
        return fail_field("version", reterr);
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &csr->subject, NULL) != AN_OK || !an_x509_name_is_sound(csr->subject))
        return fail_field("subject", reterr);
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &csr->spki, NULL) != AN_OK)
        return fail_field("subjectPKInfo", reterr);
    if (in.len == 0) /* [0] is not optional, but left out in the field */
        return AN_OK;
    if (an_der_take(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &csr->attributes, NULL) != AN_OK || in.len != 0)
        return fail_field("attributes", reterr);
    attributes = csr->attributes;
    while (attributes.len > 0) {
        if (an_der_take(&attributes, AN_DER_SEQUENCE, &attribute, NULL) != AN_OK)
            return fail_field("attributes", reterr);
        AN_TRY(read_attribute(csr, attribute, reterr));
    }
    return AN_OK;
}

static an_code
read_request(struct an_csr *csr, struct an_err *reterr)
{
    an_bytes in = csr->der, content, algorithm;

    if (an_der_take(&in, AN_DER_SEQUENCE, &content, NULL) != AN_OK || in.len != 0)
        return fail_field("CertificationRequest", reterr);
    if (an_der_take_whole(&content, AN_DER_SEQUENCE, &csr->info, NULL) != AN_OK)
        return fail_field("certificationRequestInfo", reterr);
    AN_TRY(read_info(csr, reterr));
    if (an_der_take_whole(&content, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK)
        return fail_field("signatureAlgorithm", reterr);
    if (an_scheme_parse(algorithm, AN_DIGEST_NONE, &csr->scheme, NULL) != AN_OK)
        csr->scheme = (struct an_scheme){0};
    if (!an_x509_take_signature(&content, &csr->signature) || content.len != 0)
        return fail_field("signature", reterr);
    return AN_OK;
}

an_code
an_csr_parse(an_bytes der, struct an_csr **ret, struct an_err *reterr)
{
    struct an_csr *csr;
    uint8_t *copy;
    an_code code;

    if (der.len > AN_LIMIT_CERT_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "PKCS#10: %zu byte", der.len);
    csr = AN_NEW(struct an_csr);
    copy = an_new_array(der.len + 1, 1);
    if (der.len > 0)
        memcpy(copy, der.ptr, der.len);
    csr->der = AN_BYTES(copy, der.len);
    code = read_request(csr, reterr);
    if (code != AN_OK) {
        an_csr_free(&csr);
        return code;
    }
    *ret = csr;
    return AN_OK;
}

void
an_csr_free(struct an_csr **csr)
{
    if (*csr == NULL)
        return;
    free((*csr)->extensions);
    free((void *)(uintptr_t)(*csr)->der.ptr);
    free(*csr);
    *csr = NULL;
}

const struct an_extension *
an_csr_find_extension(const struct an_csr *csr, an_bytes oid)
{
    return an_x509_find_extension(csr->extensions, csr->extension_count, oid);
}

an_code
an_possession_check(an_bytes spki, const struct an_scheme *scheme, an_bytes message, an_bytes signature,
                    struct an_err *reterr)
{
    struct an_pubkey *key = NULL;
    bool is_right;

    if (scheme->kind == AN_SIG_UNKNOWN || scheme->digest == AN_SHA1 || scheme->digest == AN_MD5)
        AN_FAIL(reterr, AN_E_CSR_SIGNATURE, "%s", scheme->kind == AN_SIG_UNKNOWN ? "signatureAlgorithm"
                : an_digest_name(scheme->digest));
    AN_TRY(an_pubkey_parse(spki, &key, reterr));
    is_right = an_pubkey_verify_message(key, scheme, message, signature);
    an_pubkey_unref(&key);
    if (!is_right)
        AN_FAIL(reterr, AN_E_CSR_SIGNATURE, "%s", "signature");
    return AN_OK;
}

an_code
an_csr_check(const struct an_csr *csr, struct an_err *reterr)
{
    return an_possession_check(csr->spki, &csr->scheme, csr->info, csr->signature, reterr);
}
