/* A signer whose key lives in a PKCS#11 token. */
#include "token/pool.h"

#include "asn1/der.h"

#include <stdio.h>

#define SIGNATURE_MAX 2048 /* RSA-16384 */

struct p11_signer {
    struct an_signer base;
    struct pool pool;
    bool is_always_authenticated; /* CKA_ALWAYS_AUTHENTICATE: the PIN again for every signature */
};

/* ---- mechanisms ---- */
static const struct {
    enum an_digest digest;
    CK_MECHANISM_TYPE mechanism;
    CK_RSA_PKCS_MGF_TYPE mgf;
    const char *info; /* DigestInfo up to the digest itself, RFC 8017 9.2 note 1 */
    size_t info_len;
} digests[] = {
    {AN_SHA1, CKM_SHA_1, CKG_MGF1_SHA1, "\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14", 15},
    {AN_SHA224, CKM_SHA224, CKG_MGF1_SHA224, "\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04\x05\x00\x04\x1c", 19},
    {AN_SHA256, CKM_SHA256, CKG_MGF1_SHA256, "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 19},
    {AN_SHA384, CKM_SHA384, CKG_MGF1_SHA384, "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30", 19},
    {AN_SHA512, CKM_SHA512, CKG_MGF1_SHA512, "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40", 19},
};

/* What C_SignInit and C_Sign are given. Modules list mechanisms wrongly in both ways, so C_SignInit alone is
 * believed. */
struct request {
    CK_MECHANISM mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
    CK_BYTE input[AN_DIGEST_MAX + 32];
    CK_ULONG input_len;
};

static size_t
find_digest(enum an_digest digest)
{
    for (size_t i = 0; i < AN_COUNT(digests); i++)
        if (digests[i].digest == digest)
            return i;
    return SIZE_MAX;
}

static an_code
plan_rsa(const struct an_scheme *scheme, an_bytes digest, struct request *ret, struct an_err *reterr)
{
    size_t at = find_digest(scheme->digest);
    size_t mgf = find_digest(scheme->mgf_digest ? scheme->mgf_digest : scheme->digest);
    size_t info_len = 0;

    if (at == SIZE_MAX || mgf == SIZE_MAX)
        AN_FAIL(reterr, AN_E_TOKEN_MECHANISM, "%s", an_digest_name(scheme->digest));
    if (scheme->kind == AN_SIG_RSA_PSS) {
        ret->pss = (CK_RSA_PKCS_PSS_PARAMS){.hashAlg = digests[at].mechanism, .mgf = digests[mgf].mgf,
                                            .sLen = scheme->salt_len < 0 ? digest.len : (CK_ULONG)scheme->salt_len};
        ret->mechanism = (CK_MECHANISM){CKM_RSA_PKCS_PSS, &ret->pss, sizeof(ret->pss)};
    } else {
        info_len = digests[at].info_len;
        memcpy(ret->input, digests[at].info, info_len);
        ret->mechanism = (CK_MECHANISM){CKM_RSA_PKCS, NULL, 0};
    }
    memcpy(ret->input + info_len, digest.ptr, digest.len);
    ret->input_len = info_len + digest.len;
    return AN_OK;
}

static an_code
plan_request(const struct p11_signer *signer, const struct an_scheme *scheme, an_bytes digest, struct request *ret,
             struct an_err *reterr)
{
    enum an_key_kind kind = signer->base.info.kind;

    if (digest.len == 0 || digest.len != an_digest_size(scheme->digest))
        AN_FAIL(reterr, AN_E_SIGN, "digest: %zu byte", digest.len);
    if (kind == AN_KEY_RSA && (scheme->kind == AN_SIG_RSA_PKCS1 || scheme->kind == AN_SIG_RSA_PSS))
        return plan_rsa(scheme, digest, ret, reterr);
    if (kind != AN_KEY_EC || scheme->kind != AN_SIG_ECDSA)
        AN_FAIL(reterr, AN_E_TOKEN_MECHANISM, "signature kind %d", (int)scheme->kind);
    ret->mechanism = (CK_MECHANISM){CKM_ECDSA, NULL, 0};
    /* Modules differ in who shortens a digest that is longer than the curve; FIPS 186-4 keeps the leftmost bits. */
    ret->input_len = (CK_ULONG)(signer->base.info.bits + 7) / 8;
    if (ret->input_len > digest.len)
        ret->input_len = digest.len;
    memcpy(ret->input, digest.ptr, ret->input_len);
    return AN_OK;
}

/* ---- answers ---- */
static an_code
append_answer(const struct p11_signer *signer, an_bytes answer, struct an_buf *out, struct an_err *reterr)
{
    size_t field = ((size_t)signer->base.info.bits + 7) / 8;
    struct an_der_out der = AN_DER_OUT(out);

    if (answer.len != (signer->base.info.kind == AN_KEY_EC ? 2 * field : field))
        AN_FAIL(reterr, AN_E_TOKEN_ANSWER, "C_Sign: %zu byte", answer.len);
    if (signer->base.info.kind != AN_KEY_EC) {
        an_buf_append(out, answer);
    } else {
        an_der_open(&der, AN_DER_SEQUENCE);
        an_der_put_unsigned(&der, an_bytes_slice(answer, 0, field));
        an_der_put_unsigned(&der, an_bytes_slice(answer, field, field));
        an_der_close(&der);
    }
    return an_buf_ok(out) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "signature");
}

static an_code
login_for_one(const struct p11_signer *signer, CK_SESSION_HANDLE session, struct an_err *reterr)
{
    if (!signer->is_always_authenticated)
        return AN_OK;
    return an_p11_login(signer->pool.place.f, session, CKU_CONTEXT_SPECIFIC, signer->pool.pin, reterr);
}

/* One attempt. ret_rv tells whether another is worth it. */
static an_code
sign_once(const struct p11_signer *signer, const struct pool_session *session, struct request *request,
          CK_BYTE *signature,
          CK_ULONG *len, CK_RV *ret_rv, struct an_err *reterr)
{
    CK_FUNCTION_LIST *f = signer->pool.place.f;

    *ret_rv = f->C_SignInit(session->handle, &request->mechanism, session->key);
    if (*ret_rv != CKR_OK)
        return an_p11_fail(reterr, *ret_rv, "C_SignInit");
    AN_TRY(login_for_one(signer, session->handle, reterr));
    *len = SIGNATURE_MAX;
    *ret_rv = f->C_Sign(session->handle, request->input, request->input_len, signature, len);
    if (*ret_rv != CKR_OK)
        return an_p11_fail(reterr, *ret_rv, "C_Sign");
    if (*len > SIGNATURE_MAX)
        AN_FAIL(reterr, AN_E_TOKEN_ANSWER, "C_Sign: %lu byte", *len);
    return AN_OK;
}

/*
 * A session that was used before may be lost without the token being so: another is taken, until a fresh one has had
 * its try. When the token has room for no more, the other is an old one too, and may be as worn as the first.
 */
static an_code
sign_lasting(struct p11_signer *signer, struct pool_session **session, struct request *request, CK_BYTE *signature,
             CK_ULONG *len,
             struct an_err *reterr)
{
    for (size_t tries = 0;; tries++) {
        bool is_fresh = !(*session)->is_used && tries > 0;
        CK_RV rv = CKR_OK;
        an_code code;

        (*session)->is_used = true;
        code = sign_once(signer, *session, request, signature, len, &rv, reterr);
        if (code == AN_OK || !an_p11_is_lost(rv) || is_fresh || tries == AN_TOKEN_SESSIONS_MAX)
            return code;
        AN_TRY(an_pool_reopen(&signer->pool, session, reterr));
    }
}

static an_code
sign_p11(struct an_signer *base, const struct an_scheme *scheme, an_bytes digest, struct an_buf *out,
         struct an_err *reterr)
{
    struct p11_signer *signer = (struct p11_signer *)base;
    struct pool_session *session = NULL;
    CK_BYTE signature[SIGNATURE_MAX];
    struct request request;
    CK_ULONG len = 0;
    an_code code;

    AN_TRY(plan_request(signer, scheme, digest, &request, reterr));
    AN_TRY(an_pool_take(&signer->pool, &session, reterr));
    code = sign_lasting(signer, &session, &request, signature, &len, reterr);
    if (session != NULL)
        an_pool_give(&signer->pool, session);
    return code == AN_OK ? append_answer(signer, AN_BYTES(signature, len), out, reterr) : code;
}

static void
close_p11(struct an_signer *base)
{
    struct p11_signer *signer = (struct p11_signer *)base;

    an_pool_close(&signer->pool);
    an_signer_done(base);
    free(signer);
}

static const struct an_signer_ops p11_ops = {.sign = sign_p11, .close = close_p11};

/* ---- opening ---- */
static an_code
read_key(struct p11_signer *signer, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf id = an_buf_new(AN_TOKEN_VALUE_MAX);
    AN_CLEANUP(an_buf_free) struct an_buf label = an_buf_new(AN_TOKEN_VALUE_MAX);
    const struct pool_session *session = &signer->pool.sessions[0];
    CK_FUNCTION_LIST *f = signer->pool.place.f;
    struct an_signer *base = &signer->base;
    struct an_p11_cert fields;

    (void)an_p11_attribute(f, session->handle, session->key, CKA_ID, &id);
    (void)an_p11_attribute(f, session->handle, session->key, CKA_LABEL, &label);
    snprintf(base->info.label, sizeof(base->info.label), "%.*s", AN_FMT(an_buf_view(&label)));
    an_p11_text(signer->pool.place.info.label, sizeof(signer->pool.place.info.label), base->info.token,
                sizeof(base->info.token));
    signer->is_always_authenticated = an_p11_flag(f, session->handle, session->key, CKA_ALWAYS_AUTHENTICATE, false);
    (void)an_p11_spki(f, session->handle, session->key, &base->spki);
    if (an_p11_certificate(f, session->handle, an_buf_view(&id), an_buf_view(&base->spki), &base->certificate))
        base->info.certificate = an_buf_view(&base->certificate);
    if (base->spki.len == 0 && an_p11_cert_parse(base->info.certificate, &fields))
        an_buf_append(&base->spki, fields.spki);
    if (base->spki.len == 0)
        AN_FAIL(reterr, AN_E_KEY_PUBLIC, "CKA_MODULUS, CKA_EC_POINT, CKO_CERTIFICATE");
    return an_signer_set_key(base, reterr);
}

an_code
an_p11_signer_open(const char *text, struct an_pin_source pin, struct an_signer **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_p11_uri_free) P11KitUri *uri = NULL;
    struct an_p11_place place = {0};
    struct p11_signer *signer;
    an_code code;

    AN_TRY(an_p11_uri_parse(text, &uri, reterr));
    AN_TRY(an_p11_place_open(uri, &place, reterr));
    signer = AN_NEW(struct p11_signer);
    signer->base = (struct an_signer){.ops = &p11_ops, .spki = an_buf_new(AN_TOKEN_VALUE_MAX),
                                      .certificate = an_buf_new(AN_TOKEN_VALUE_MAX)};
    signer->pool.place = place;
    signer->pool.uri = uri;
    uri = NULL;
    code = an_pool_open(&signer->pool, pin, reterr);
    if (code == AN_OK)
        code = read_key(signer, reterr);
    if (code != AN_OK) {
        close_p11(&signer->base);
        return code;
    }
    signer->base.info.is_hardware = true;
    signer->base.info.sessions_max = signer->pool.open_max;
    *ret = &signer->base;
    return AN_OK;
}
