/* One CMS object: attributes, the key, the time-stamp over the signature (EN 319 122-1, RFC 3161). */
#include "sign/internal.h"

#define TOKEN_GUESS 6144 /* room for a first time-stamp token with its chain; later ones use the size seen */
#define TOKEN_SLACK 64   /* serial numbers and ECDSA signatures vary by a few bytes from token to token */

void
sign_plan_init(struct an_sign_session *session, struct an_cms_plan *plan)
{
    *plan = (struct an_cms_plan){.signer = session->setup.cert, .chain = &session->chain, .scheme = session->scheme,
                                 .signing_time = AN_TIME_NONE, .signing_certificate_v2 = true};
}

static size_t
token_room(struct an_sign_session *session)
{
    size_t room;

    if (session->setup.level < AN_LEVEL_B_T)
        return 0;
    pthread_mutex_lock(&session->lock);
    room = session->token_size ? session->token_size + TOKEN_SLACK : TOKEN_GUESS;
    pthread_mutex_unlock(&session->lock);
    return room;
}

static void
remember_token(struct an_sign_session *session, size_t size)
{
    pthread_mutex_lock(&session->lock);
    if (size > session->token_size)
        session->token_size = size;
    pthread_mutex_unlock(&session->lock);
}

an_code
sign_cms_room(struct an_sign_session *session, struct an_cms_plan *plan, size_t *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf attributes = an_buf_new(AN_LIMIT_CMS_BYTES);
    uint8_t zeros[AN_DIGEST_MAX] = {0};

    plan->content_digest = AN_BYTES(zeros, an_digest_size(plan->scheme.digest));
    AN_TRY(an_cms_prepare(plan, &attributes, reterr));
    *ret = an_cms_size(plan, attributes.len, an_signer_size_max(session->setup.signer), token_room(session));
    plan->content_digest = AN_NONE;
    return AN_OK;
}

an_code
sign_time_stamp(struct an_sign_session *session, an_bytes data_digest, struct an_buf *ret_token, struct an_err *reterr)
{
    AN_TRY(session->setup.time_stamp(session->setup.time_stamp_context, AN_SHA256, data_digest, ret_token, reterr));
    remember_token(session, ret_token->len);
    return AN_OK;
}

/* A token over the signature value, or the choice the caller made for when there is none. */
static an_code
stamp_signature(struct an_sign_session *session, an_bytes signature, struct an_buf *ret_token, bool *ret_downgraded,
                struct an_err *reterr)
{
    uint8_t digest[AN_DIGEST_MAX];
    an_code code;

    if (session->setup.level < AN_LEVEL_B_T)
        return AN_OK;
    an_hash_once(AN_SHA256, signature, digest);
    code = sign_time_stamp(session, AN_BYTES(digest, 32), ret_token, reterr);
    if (code == AN_OK || session->setup.on_tsa_failure == AN_TSA_FAIL)
        return code;
    an_buf_reset(ret_token);
    *ret_downgraded = true;
    return AN_OK;
}

/* A device that answers wrongly must be found now, not by the receiver. (Software keys are checked by libcrypto.) */
static an_code
check_own_signature(struct an_sign_session *session, an_bytes to_sign, an_bytes signature, struct an_err *reterr)
{
    struct an_pubkey *key = an_cert_key(session->setup.cert);
    bool right = key != NULL && (session->scheme.kind == AN_SIG_EDDSA
                                     ? an_pubkey_verify_message(key, &session->scheme, to_sign, signature)
                                     : an_pubkey_verify_digest(key, &session->scheme, to_sign, signature));

    if (!right)
        AN_FAIL(reterr, AN_E_SIGN_SELF_CHECK, "%s", an_signer_info(session->setup.signer)->label);
    return AN_OK;
}

an_code
sign_make_cms(struct an_sign_session *session, struct an_cms_plan *plan, struct an_buf *ret, bool *ret_downgraded,
              struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf attributes = an_buf_new(AN_LIMIT_CMS_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf signature = an_buf_new(8192);
    AN_CLEANUP(an_buf_free) struct an_buf token = an_buf_new(AN_LIMIT_TSP_BYTES);
    uint8_t digest[AN_DIGEST_MAX];
    an_bytes to_sign;

    AN_TRY(an_cms_prepare(plan, &attributes, reterr));
    to_sign = an_buf_view(&attributes);
    if (plan->scheme.kind != AN_SIG_EDDSA) {
        an_hash_once(plan->scheme.digest, to_sign, digest);
        to_sign = AN_BYTES(digest, an_digest_size(plan->scheme.digest));
    }
    AN_TRY(an_signer_sign(session->setup.signer, &plan->scheme, to_sign, &signature, reterr));
    if (an_signer_info(session->setup.signer)->is_hardware)
        AN_TRY(check_own_signature(session, to_sign, an_buf_view(&signature), reterr));
    AN_TRY(stamp_signature(session, an_buf_view(&signature), &token, ret_downgraded, reterr));
    return an_cms_finish(plan, an_buf_view(&attributes), an_buf_view(&signature), an_buf_view(&token), ret, reterr);
}
