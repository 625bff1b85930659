/* Status answers (RFC 6960). */
#include "ca/internal.h"

#define KEY_ID_SIZE 20
#define NONCE_MAX 128 /* RFC 9654: 32 are asked for; longer ones are left out, not an error */

static void
put_cert_id(struct an_der_out *out, const struct an_cert *subject, const struct an_cert *issuer)
{
    uint8_t name[AN_DIGEST_MAX], key[AN_DIGEST_MAX];

    an_hash_once(AN_SHA1, issuer->subject, name);
    an_ca_key_id(issuer->key_bits, key);
    an_der_open(out, AN_DER_SEQUENCE);
    an_digest_write_null(out, AN_SHA1);
    an_der_put(out, AN_DER_OCTET_STRING, AN_BYTES(name, KEY_ID_SIZE));
    an_der_put(out, AN_DER_OCTET_STRING, AN_BYTES(key, KEY_ID_SIZE));
    an_der_put(out, AN_DER_INTEGER, subject->serial);
    an_der_close(out);
}

static void
put_status(struct an_der_out *out, const struct an_revocation *revoked)
{
    uint8_t reason = revoked ? (uint8_t)revoked->reason : 0;

    if (revoked == NULL) {
        an_der_put(out, AN_DER_CONTEXT(0), AN_NONE);
        return;
    }
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(1));
    an_der_put_generalized(out, revoked->at);
    if (revoked->reason != AN_REASON_UNSPECIFIED) {
        an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
        an_der_put(out, AN_DER_ENUMERATED, AN_BYTES(&reason, 1));
        an_der_close(out);
    }
    an_der_close(out);
}

static void
put_nonce(struct an_der_out *out, an_bytes nonce)
{
    if (nonce.len == 0 || nonce.len > NONCE_MAX)
        return;
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(1));
    an_der_open(out, AN_DER_SEQUENCE);
    an_ca_open_extension(out, "1.3.6.1.5.5.7.48.1.2", false);
    an_der_put(out, AN_DER_OCTET_STRING, nonce);
    an_ca_close_extension(out);
    an_der_close(out);
    an_der_close(out);
}

struct answer {
    struct an_cert *issuer, *responder, *subject;
    const struct an_revocation *revoked;
    an_time this_update, next_update;
    an_bytes nonce;
};

static void
put_response_data(struct an_der_out *out, const struct answer *answer)
{
    an_time now = an_time_now();
    uint8_t id[AN_DIGEST_MAX];

    an_ca_key_id(answer->responder->key_bits, id);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(2)); /* byKey */
    an_der_put(out, AN_DER_OCTET_STRING, AN_BYTES(id, KEY_ID_SIZE));
    an_der_close(out);
    an_der_put_generalized(out, now > answer->this_update ? now : answer->this_update); /* producedAt */
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_SEQUENCE);
    put_cert_id(out, answer->subject, answer->issuer);
    put_status(out, answer->revoked);
    an_der_put_generalized(out, answer->this_update);
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_put_generalized(out, answer->next_update);
    an_der_close(out);
    an_der_close(out);
    an_der_close(out);
    put_nonce(out, answer->nonce);
    an_der_close(out);
}

/* The issuer itself, or somebody to whom it gave OCSPSigning (RFC 6960 4.2.2.2). */
static an_code
check_responder(const struct answer *answer, const struct an_signer *key, struct an_err *reterr)
{
    bool is_issuer = an_bytes_eq(answer->issuer->der, answer->responder->der);

    if (!is_issuer && (!an_cert_has_eku(answer->responder, "1.3.6.1.5.5.7.3.9") || !an_cert_signed_by(answer->responder, answer->issuer)))
        AN_FAIL(reterr, AN_E_CA_RESPONDER, "OCSPSigning");
    if (!an_name_eq(answer->subject->issuer, answer->issuer->subject))
        AN_FAIL(reterr, AN_E_CA_FIELD, "issuer");
    if (answer->next_update <= answer->this_update || answer->this_update == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_CA_FIELD, "nextUpdate <= thisUpdate");
    if (answer->revoked != NULL)
        AN_TRY(an_ca_check_revocation(answer->revoked, reterr));
    return an_ca_check_key(answer->responder, key, 0, AN_E_CA_RESPONDER, reterr);
}

static void
wrap_basic(an_bytes basic, struct an_buf *ret)
{
    struct an_der_out out = AN_DER_OUT(ret);

    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put(&out, AN_DER_ENUMERATED, AN_LIT("\0")); /* successful */
    an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_oid(&out, "1.3.6.1.5.5.7.48.1.1");
    an_der_put(&out, AN_DER_OCTET_STRING, basic);
    an_der_close(&out);
    an_der_close(&out);
    an_der_close(&out);
}

an_code
an_ca_ocsp(struct an_cert *issuer, struct an_cert *responder, struct an_signer *key, struct an_cert *subject,
           const struct an_revocation *revoked, an_time this_update, an_time next_update, an_bytes nonce, struct an_buf *ret,
           struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf tbs = an_buf_new(AN_LIMIT_OCSP_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf certs = an_buf_new(AN_LIMIT_OCSP_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf basic = an_buf_new(AN_LIMIT_OCSP_BYTES);
    struct answer answer = {.issuer = issuer, .responder = responder ? responder : issuer, .subject = subject, .revoked = revoked,
                            .this_update = this_update, .next_update = next_update, .nonce = nonce};
    struct an_der_out tbs_out = AN_DER_OUT(&tbs), certs_out = AN_DER_OUT(&certs);

    AN_TRY(check_responder(&answer, key, reterr));
    put_response_data(&tbs_out, &answer);
    if (!an_bytes_eq(answer.responder->der, issuer->der)) {
        an_der_open(&certs_out, AN_DER_CONTEXT_CONSTRUCTED(0));
        an_der_open(&certs_out, AN_DER_SEQUENCE);
        an_der_put_raw(&certs_out, answer.responder->der);
        an_der_close(&certs_out);
        an_der_close(&certs_out);
    }
    AN_TRY(an_ca_sign(key, an_buf_view(&tbs), an_buf_view(&certs), &basic, reterr));
    wrap_basic(an_buf_view(&basic), ret);
    if (!an_buf_ok(ret))
        AN_FAIL(reterr, AN_E_LIMIT, "OCSPResponse");
    return AN_OK;
}
