/* Status answers (RFC 6960): how they are written. */
#include "ca/internal.h"

#define KEY_ID_SIZE 20
#define WRAPPING_BYTES 64 /* what stands before a BasicOCSPResponse: five headers, a status, a type */

void
an_ca_put_cert_id(struct an_der_out *out, const struct an_cert *issuer, an_bytes serial)
{
    uint8_t name[AN_DIGEST_MAX], key[AN_DIGEST_MAX];

    an_hash_once(AN_SHA1, issuer->subject, name);
    an_ca_key_id(issuer->key_bits, key);
    an_der_open(out, AN_DER_SEQUENCE);
    an_digest_write_null(out, AN_SHA1);
    an_der_put(out, AN_DER_OCTET_STRING, AN_BYTES(name, KEY_ID_SIZE));
    an_der_put(out, AN_DER_OCTET_STRING, AN_BYTES(key, KEY_ID_SIZE));
    an_der_put(out, AN_DER_INTEGER, serial);
    an_der_close(out);
}

static void
put_status(struct an_der_out *out, const struct an_ocsp_item *item)
{
    uint8_t reason = (uint8_t)item->reason;

    if (item->status != AN_OCSP_REVOKED) { /* [0] good, [2] unknown */
        an_der_put(out, item->status == AN_OCSP_GOOD ? AN_DER_CONTEXT(0) : AN_DER_CONTEXT(2), AN_NONE);
        return;
    }
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(1));
    an_der_put_generalized(out, item->at);
    if (item->reason != AN_REASON_UNSPECIFIED) {
        an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
        an_der_put(out, AN_DER_ENUMERATED, AN_BYTES(&reason, 1));
        an_der_close(out);
    }
    an_der_close(out);
}

static void
put_nonce(struct an_der_out *out, an_bytes nonce)
{
    if (nonce.len == 0)
        return;
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(1));
    an_der_open(out, AN_DER_SEQUENCE);
    an_ca_open_extension(out, "1.3.6.1.5.5.7.48.1.2", false);
    an_der_put(out, AN_DER_OCTET_STRING, nonce);
    an_ca_close_extension(out);
    an_der_close(out);
    an_der_close(out);
}

static void
put_single(struct an_der_out *out, const struct an_ocsp_plan *plan, const struct an_ocsp_item *item)
{
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_raw(out, item->cert_id);
    put_status(out, item);
    an_der_put_generalized(out, plan->this_update);
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_put_generalized(out, plan->next_update);
    an_der_close(out);
    an_der_close(out);
}

static void
put_response_data(struct an_der_out *out, const struct an_ocsp_plan *plan)
{
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(2)); /* byKey */
    an_der_put(out, AN_DER_OCTET_STRING, AN_BYTES(plan->responder_id, KEY_ID_SIZE));
    an_der_close(out);
    an_der_put_generalized(out, plan->produced_at);
    an_der_open(out, AN_DER_SEQUENCE);
    for (size_t i = 0; i < plan->count; i++)
        put_single(out, plan, &plan->items[i]);
    an_der_close(out);
    put_nonce(out, plan->nonce);
    an_der_close(out);
}

/* Lengths first, so that an answer of a kilobyte is moved once and not for each level around it. */
void
an_ca_wrap_basic(struct an_buf *ret, size_t start)
{
    static const uint8_t successful[] = {AN_DER_ENUMERATED, 1, 0};
    static const uint8_t type[] = {AN_DER_OID, 9, 0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1}; /* 1.3.6.1.5.5.7.48.1.1 */
    AN_CLEANUP(an_buf_free) struct an_buf head = an_buf_new(WRAPPING_BYTES);
    struct an_der_out out = AN_DER_OUT(&head);
    size_t basic = ret->len - start, inner = sizeof(type) + an_der_size(basic);
    uint8_t *to;

    an_der_put_header(&out, AN_DER_SEQUENCE, sizeof(successful) + an_der_size(an_der_size(inner)));
    an_der_put_raw(&out, AN_BYTES(successful, sizeof(successful)));
    an_der_put_header(&out, AN_DER_CONTEXT_CONSTRUCTED(0), an_der_size(inner));
    an_der_put_header(&out, AN_DER_SEQUENCE, inner);
    an_der_put_raw(&out, AN_BYTES(type, sizeof(type)));
    an_der_put_header(&out, AN_DER_OCTET_STRING, basic);
    to = an_buf_insert(ret, start, head.len);
    if (to != NULL)
        memcpy(to, head.ptr, head.len);
}

void
an_ca_put_response_data(const struct an_ocsp_plan *plan, struct an_buf *tbs, struct an_buf *certs)
{
    struct an_der_out tbs_out = AN_DER_OUT(tbs), certs_out = AN_DER_OUT(certs);
    an_bytes cert = plan->responder->der;

    put_response_data(&tbs_out, plan);
    if (plan->omit_cert)
        return;
    an_buf_reserve(certs, an_der_size(an_der_size(cert.len)));
    an_der_put_header(&certs_out, AN_DER_CONTEXT_CONSTRUCTED(0), an_der_size(cert.len));
    an_der_put(&certs_out, AN_DER_SEQUENCE, cert);
}

an_code
an_ca_write_ocsp(const struct an_ocsp_plan *plan, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf tbs = an_buf_new(AN_LIMIT_OCSP_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf certs = an_buf_new(AN_LIMIT_OCSP_BYTES);
    size_t before = ret->len;

    an_ca_put_response_data(plan, &tbs, &certs);
    AN_TRY(an_ca_sign(plan->key, an_buf_view(&tbs), an_buf_view(&certs), ret, reterr));
    an_ca_wrap_basic(ret, before);
    if (!an_buf_ok(ret))
        AN_FAIL(reterr, AN_E_LIMIT, "OCSPResponse");
    return AN_OK;
}

/* A responder's certificate does not change from one answer to the next: each thread remembers the pair it checked
 * last. */
static bool
is_issued_by(struct an_cert *responder, struct an_cert *issuer)
{
    static _Thread_local uint8_t known[64];
    uint8_t pair[64];

    memcpy(pair, responder->sha256, 32);
    memcpy(pair + 32, issuer->sha256, 32);
    if (memcmp(pair, known, sizeof(pair)) == 0)
        return true;
    if (!an_cert_signed_by(responder, issuer))
        return false;
    memcpy(known, pair, sizeof(known));
    return true;
}

/* The issuer itself, or somebody to whom it gave OCSPSigning (RFC 6960 4.2.2.2). */
an_code
an_ca_check_responder(struct an_cert *issuer, struct an_cert *responder, const struct an_signer *key,
                      struct an_err *reterr)
{
    bool is_issuer = an_bytes_eq(issuer->der, responder->der);

    if (!is_issuer && (!an_cert_has_eku(responder, "1.3.6.1.5.5.7.3.9") || !is_issued_by(responder, issuer)))
        AN_FAIL(reterr, AN_E_CA_RESPONDER, "OCSPSigning");
    return an_ca_check_key(responder, key, 0, AN_E_CA_RESPONDER, reterr);
}

an_code
an_ca_ocsp(struct an_cert *issuer, struct an_cert *responder, struct an_signer *key, struct an_cert *subject,
           const struct an_revocation *revoked, an_time this_update, an_time next_update, an_bytes nonce,
           struct an_buf *ret,
           struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf id = an_buf_new(1024);
    struct an_der_out out = AN_DER_OUT(&id);
    struct an_ocsp_item item = {.status = revoked ? AN_OCSP_REVOKED : AN_OCSP_GOOD};
    an_time now = an_time_now();
    uint8_t key_id[AN_DIGEST_MAX];
    struct an_ocsp_plan plan = {.responder = responder ? responder : issuer, .responder_id = key_id, .key = key,
                                .items = &item, .count = 1,
                                .this_update = this_update,
                                .next_update = next_update, .produced_at = now > this_update ? now : this_update,
                                .nonce = nonce};

    AN_TRY(an_ca_check_responder(issuer, plan.responder, key, reterr));
    if (!an_name_eq(subject->issuer, issuer->subject))
        AN_FAIL(reterr, AN_E_CA_FIELD, "issuer");
    if (next_update <= this_update || this_update == AN_TIME_NONE || nonce.len > AN_OCSP_NONCE_MAX)
        AN_FAIL(reterr, AN_E_CA_FIELD, "nextUpdate <= thisUpdate");
    if (revoked != NULL) {
        AN_TRY(an_ca_check_revocation(revoked, reterr));
        item.at = revoked->at;
        item.reason = revoked->reason;
    }
    plan.omit_cert = an_bytes_eq(plan.responder->der, issuer->der);
    an_ca_key_id(plan.responder->key_bits, key_id);
    an_ca_put_cert_id(&out, issuer, subject->serial);
    item.cert_id = an_buf_view(&id);
    return an_ca_write_ocsp(&plan, ret, reterr);
}
