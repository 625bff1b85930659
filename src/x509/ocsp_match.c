/* OCSP: whose answer it is, who signed it, and how to ask. */
#include "x509/internal.h"

bool
an_ocsp_single_is_of(const struct an_ocsp_single *single, const struct an_cert *issuer)
{
    uint8_t digest[AN_DIGEST_MAX];
    size_t size;

    if (single->hash == AN_DIGEST_NONE)
        return false;
    size = an_digest_size(single->hash);
    an_hash_once(single->hash, issuer->subject, digest);
    if (!an_bytes_eq(single->issuer_name_hash, AN_BYTES(digest, size)))
        return false;
    an_hash_once(single->hash, issuer->key_bits, digest);
    return an_bytes_eq(single->issuer_key_hash, AN_BYTES(digest, size));
}

const struct an_ocsp_single *
an_ocsp_next(const struct an_ocsp *ocsp, const struct an_cert *cert, const struct an_cert *issuer, size_t *at)
{
    while (*at < ocsp->single_count) {
        const struct an_ocsp_single *single = &ocsp->singles[(*at)++];

        if (an_serial_eq(single->serial, cert->serial) && an_ocsp_single_is_of(single, issuer))
            return single;
    }
    return NULL;
}

const struct an_ocsp_single *
an_ocsp_find(const struct an_ocsp *ocsp, const struct an_cert *cert, const struct an_cert *issuer)
{
    size_t at = 0;

    return an_ocsp_next(ocsp, cert, issuer, &at);
}

bool
an_ocsp_signed_by(const struct an_ocsp *ocsp, struct an_cert *responder)
{
    struct an_pubkey *key = ocsp->scheme.kind == AN_SIG_UNKNOWN ? NULL : an_cert_key(responder);

    return key != NULL && an_pubkey_verify_message(key, &ocsp->scheme, ocsp->tbs, ocsp->signature);
}

static void
put_sha1(struct an_der_out *out, an_bytes bytes)
{
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(AN_SHA1, bytes, digest);
    an_der_put(out, AN_DER_OCTET_STRING, AN_BYTES(digest, an_digest_size(AN_SHA1)));
}

static void
put_nonce(struct an_der_out *out, an_bytes nonce)
{
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(2));
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put(out, AN_DER_OID, AN_OID_OCSP_NONCE);
    an_der_open(out, AN_DER_OCTET_STRING);
    an_der_put(out, AN_DER_OCTET_STRING, nonce);
    for (int i = 0; i < 4; i++)
        an_der_close(out);
}

/* The hash algorithm carries NULL here: responders that compare CertIDs as octets were built around that form. */
void
an_ocsp_request(const struct an_cert *cert, const struct an_cert *issuer, an_bytes nonce, struct an_buf *out)
{
    struct an_der_out der = AN_DER_OUT(out);

    an_der_open(&der, AN_DER_SEQUENCE); /* OCSPRequest */
    an_der_open(&der, AN_DER_SEQUENCE); /* tbsRequest */
    an_der_open(&der, AN_DER_SEQUENCE); /* requestList */
    an_der_open(&der, AN_DER_SEQUENCE); /* Request */
    an_der_open(&der, AN_DER_SEQUENCE); /* CertID */
    an_der_put_raw(&der, AN_LIT("\x30\x09\x06\x05\x2B\x0E\x03\x02\x1A\x05\x00"));
    put_sha1(&der, issuer->subject);
    put_sha1(&der, issuer->key_bits);
    an_der_put(&der, AN_DER_INTEGER, cert->serial);
    for (int i = 0; i < 3; i++)
        an_der_close(&der);
    if (nonce.len > 0)
        put_nonce(&der, nonce);
    an_der_close(&der);
    an_der_close(&der);
}

static bool
read_query(an_bytes *list, struct an_ocsp_query *ret)
{
    an_bytes request, inside;

    if (an_der_take(list, AN_DER_SEQUENCE, &request, NULL) != AN_OK ||
        an_der_take_whole(&request, AN_DER_SEQUENCE, &ret->cert_id, NULL) != AN_OK)
        return false;
    inside = ret->cert_id;
    return an_der_take(&inside, AN_DER_SEQUENCE, &inside, NULL) == AN_OK &&
           an_x509_read_cert_id(inside, &ret->hash, &ret->issuer_name_hash, &ret->issuer_key_hash, &ret->serial);
}

/* tbsRequest: [0] version, [1] requestorName, requestList, [2] extensions. A signature over it is not looked at. */
static bool
open_request(an_bytes der, an_bytes *ret_list, an_bytes *ret_nonce)
{
    an_bytes outer, tbs, field;
    bool unknown_critical; /* whether to answer such a question is the responder's choice (RFC 6960 4.4) */

    if (an_der_take(&der, AN_DER_SEQUENCE, &outer, NULL) != AN_OK || der.len != 0 ||
        an_der_take(&outer, AN_DER_SEQUENCE, &tbs, NULL) != AN_OK)
        return false;
    (void)an_der_try(&tbs, AN_DER_CONTEXT_CONSTRUCTED(0), &field);
    (void)an_der_try(&tbs, AN_DER_CONTEXT_CONSTRUCTED(1), &field);
    if (an_der_take(&tbs, AN_DER_SEQUENCE, ret_list, NULL) != AN_OK)
        return false;
    if (an_der_try(&tbs, AN_DER_CONTEXT_CONSTRUCTED(2), &field) &&
        !an_x509_read_nonce(field, ret_nonce, &unknown_critical))
        return false;
    return tbs.len == 0;
}

an_code
an_ocsp_request_parse(an_bytes der, struct an_ocsp_query *ret, size_t max, size_t *ret_count, an_bytes *ret_nonce,
                      struct an_err *reterr)
{
    struct an_ocsp_query query;
    an_bytes list, nonce = AN_NONE;
    size_t count = 0;

    if (der.len > AN_LIMIT_OCSP_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "OCSP request of %zu bytes", der.len);
    if (!open_request(der, &list, &nonce))
        AN_FAIL(reterr, AN_E_OCSP_STRUCTURE, "OCSPRequest");
    for (; list.len > 0; count++) {
        if (!read_query(&list, &query))
            AN_FAIL(reterr, AN_E_OCSP_STRUCTURE, "request %zu", count + 1);
        if (count < max)
            ret[count] = query;
    }
    *ret_count = count;
    *ret_nonce = nonce;
    return AN_OK;
}
