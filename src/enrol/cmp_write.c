/* Answers: header, body, protection. */
#include "enrol/internal.h"

/* PKIFailureInfo (RFC 4210 5.2.3): the bit that belongs to a reason. Anything else is a failure of the system. */
static const struct { an_code code; unsigned bit; } failures[] = {
    {AN_E_CMP_ALGORITHM, 0}, {AN_E_CMP_PROTECTION, 1}, {AN_E_CMP_UNPROTECTED, 1}, {AN_E_ENROL_REFERENCE, 1},
    {AN_E_CMP_BODY, 2}, {AN_E_CMP_TRANSACTION_UNKNOWN, 2}, {AN_E_CMP_TIME, 3}, {AN_E_ENROL_CERT_ID, 4}, {AN_E_ENROL_CONFIRM_HASH, 4},
    {AN_E_CMP_PARSE, 5}, {AN_E_CSR_PARSE, 5}, {AN_E_LIMIT, 5}, {AN_E_ENROL_POP, 9}, {AN_E_CSR_SIGNATURE, 9},
    {AN_E_ENROL_REVOKED, 10}, {AN_E_ENROL_CONFIRMED, 11}, {AN_E_CMP_RECIPIENT_NONCE, 13}, {AN_E_CMP_SENDER_NONCE, 18},
    {AN_E_ENROL_SUBJECT, 19}, {AN_E_ENROL_KEY_ELSEWHERE, 19}, {AN_E_KEY_PUBLIC, 19}, {AN_E_KEY_KIND, 19}, {AN_E_ENROL_SIGNER, 20},
    {AN_E_CMP_TRANSACTION, 21}, {AN_E_CMP_VERSION, 22}, {AN_E_ENROL_NOT_ALLOWED, 23}, {AN_E_ENROL_USED, 23},
};
#define FAILURE_REFUSED 23u     /* notAuthorized */
#define FAILURE_UNAVAILABLE 24u /* systemUnavail */
#define FAILURE_SYSTEM 25u      /* systemFailure */

unsigned
an_cmp_failure_of(an_code code)
{
    enum an_kind kind = an_message_find(code)->kind;

    for (size_t i = 0; i < AN_COUNT(failures); i++)
        if (failures[i].code == code)
            return failures[i].bit;
    if (kind == AN_KIND_REFUSED)
        return FAILURE_REFUSED;
    return kind == AN_KIND_TEMPFAIL || kind == AN_KIND_UNAVAILABLE ? FAILURE_UNAVAILABLE : FAILURE_SYSTEM;
}

/* What a stranger is told of a fault of ours is only that there is one: details are for the log. */
void
an_enrol_words(const struct an_err *err, bool is_english, struct an_buf *ret)
{
    const struct an_message *message = an_message_find(err->code);

    an_buf_str(ret, is_english ? message->en : message->vi);
    if (err->detail[0] != '\0' && (message->kind == AN_KIND_DATA || message->kind == AN_KIND_REFUSED ||
                                   message->kind == AN_KIND_PROTOCOL))
        an_buf_printf(ret, ": %s", err->detail);
}

static void
put_words(struct an_der_out *out, const struct an_err *err, bool is_english)
{
    AN_CLEANUP(an_buf_free) struct an_buf words = an_buf_new(4096);

    an_enrol_words(err, is_english, &words);
    an_der_put(out, AN_DER_UTF8_STRING, an_buf_view(&words));
}

/* SEQUENCE { status, statusString: Vietnamese, then English; failInfo of a rejection } */
void
an_cmp_put_status(struct an_der_out *out, int status, const struct an_err *err)
{
    uint8_t bits[4] = {0};
    unsigned bit;

    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_int(out, status);
    if (err != NULL) {
        an_der_open(out, AN_DER_SEQUENCE);
        put_words(out, err, false);
        put_words(out, err, true);
        an_der_close(out);
    }
    if (err != NULL && status == CMP_REJECTION) {
        bit = an_cmp_failure_of(err->code);
        bits[bit / 8] = (uint8_t)(0x80u >> bit % 8);
        an_der_put_bits(out, AN_BYTES(bits, bit / 8 + 1), 7 - bit % 8);
    }
    an_der_close(out);
}

/* ---- header ---- */
static void
put_octets(struct an_der_out *out, int number, an_bytes octets)
{
    if (octets.len == 0)
        return;
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(number));
    an_der_put(out, AN_DER_OCTET_STRING, octets);
    an_der_close(out);
}

/* We are the signer when there is one; else the first issuer: clients compare it with what they expect. */
static void
put_sender(struct an_der_out *out, const struct an_enrol_host *host, bool is_secret)
{
    struct an_cert *name = host->signer_cert;

    if ((is_secret || name == NULL) && host->issuers != NULL && host->issuers->count > 0)
        name = host->issuers->items[0];
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(4));
    if (name != NULL)
        an_der_put_raw(out, name->subject);
    else
        an_der_put(out, AN_DER_SEQUENCE, AN_NONE);
    an_der_close(out);
}

static void
put_general(struct an_der_out *out, const struct an_cmp_reply *reply, an_time now)
{
    if (!reply->grants_implicit && reply->confirm_wait_s == 0)
        return;
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(8));
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_oid(out, reply->grants_implicit ? "1.3.6.1.5.5.7.4.13" : "1.3.6.1.5.5.7.4.14");
    if (reply->grants_implicit)
        an_der_put_null(out);
    else
        an_der_put_generalized(out, now + (an_time)reply->confirm_wait_s);
    an_der_close(out);
    an_der_close(out);
    an_der_close(out);
}

/* What protects an answer. */
struct cover {
    bool is_secret, is_signed;
    struct an_cmp_mac mac;
    struct an_scheme scheme;
    uint8_t salt[16];
};

/* SHA-256 for RSA, the curve's own digest for ECDSA, as for everything that the authority signs. */
static struct an_scheme
scheme_of(const struct an_signer *signer)
{
    const struct an_signer_info *info = an_signer_info(signer);

    switch (info->kind) {
    case AN_KEY_EC:
        return (struct an_scheme){AN_SIG_ECDSA, info->bits > 384 ? AN_SHA512 : info->bits > 256 ? AN_SHA384 : AN_SHA256,
                                  AN_DIGEST_NONE, 0};
    case AN_KEY_ED25519:
    case AN_KEY_ED448:
        return (struct an_scheme){AN_SIG_EDDSA, AN_DIGEST_NONE, AN_DIGEST_NONE, 0};
    default:
        return (struct an_scheme){AN_SIG_RSA_PKCS1, AN_SHA256, AN_DIGEST_NONE, 0};
    }
}

static an_code
choose_cover(const struct an_enrol_host *host, const struct an_cmp_guard *guard, struct cover *ret,
             struct an_err *reterr)
{
    *ret = (struct cover){0};
    if (guard->secret != NULL) {
        ret->is_secret = true;
        ret->mac = guard->mac;
        AN_TRY(an_random(ret->salt, sizeof(ret->salt), reterr));
        ret->mac.salt = AN_BYTES(ret->salt, sizeof(ret->salt));
    } else if (host->signer != NULL && host->signer_cert != NULL) {
        ret->is_signed = true;
        ret->scheme = scheme_of(host->signer);
    }
    return AN_OK;
}

static void
put_header(struct an_der_out *out, const struct an_enrol_host *host, const struct an_cmp_message *to,
           const struct an_cmp_guard *guard,
           const struct an_cmp_reply *reply, const struct cover *cover, an_time now)
{
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_int(out, to->version == 3 ? 3 : 2);
    put_sender(out, host, cover->is_secret);
    if (to->sender.len > 0) {
        an_der_put_raw(out, to->sender);
    } else {
        an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(4));
        an_der_put(out, AN_DER_SEQUENCE, AN_NONE);
        an_der_close(out);
    }
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_put_generalized(out, now);
    an_der_close(out);
    if (cover->is_secret || cover->is_signed) {
        an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(1));
        if (cover->is_secret)
            an_cmp_mac_write(out, &cover->mac);
        else
            an_scheme_write_for(out, &cover->scheme, an_signer_info(host->signer)->kind);
        an_der_close(out);
    }
    if (cover->is_secret)
        put_octets(out, 2, guard->party.reference);
    else if (cover->is_signed)
        put_octets(out, 2, host->signer_cert->ski);
    put_octets(out, 4, to->transaction);
    put_octets(out, 5, AN_BYTES(reply->nonce, sizeof(reply->nonce)));
    put_octets(out, 6, to->sender_nonce);
    put_general(out, reply, now);
    an_der_close(out);
}

static an_code
make_protection(const struct an_enrol_host *host, const struct an_cmp_guard *guard, const struct cover *cover,
                an_bytes part,
                struct an_buf *ret, struct an_err *reterr)
{
    uint8_t digest[AN_DIGEST_MAX];

    if (cover->is_secret) {
        AN_TRY(an_cmp_mac_make(&cover->mac, guard->secret, part, digest, reterr));
        an_buf_append(ret, AN_BYTES(digest, an_digest_size(cover->mac.mac)));
        return AN_OK;
    }
    if (cover->scheme.kind == AN_SIG_EDDSA)
        return an_signer_sign(host->signer, &cover->scheme, part, ret, reterr);
    an_hash_once(cover->scheme.digest, part, digest);
    return an_signer_sign(host->signer, &cover->scheme, AN_BYTES(digest, an_digest_size(cover->scheme.digest)), ret,
                          reterr);
}

/* extraCerts: the signer's own first, then its issuers, then those of the certificate issued. */
static void
put_extra_certs(struct an_der_out *out, const struct an_enrol_host *host, const struct cover *cover,
                const struct an_certs *more)
{
    AN_CLEANUP(an_certs_done) struct an_certs certs = {0};

    if (cover->is_signed) {
        an_certs_add(&certs, host->signer_cert);
        for (size_t i = 0; host->chain != NULL && i < host->chain->count; i++)
            an_certs_add(&certs, host->chain->items[i]);
    }
    for (size_t i = 0; more != NULL && i < more->count; i++)
        an_certs_add(&certs, more->items[i]);
    if (certs.count == 0)
        return;
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(1));
    an_der_open(out, AN_DER_SEQUENCE);
    for (size_t i = 0; i < certs.count; i++)
        an_der_put_raw(out, certs.items[i]->der);
    an_der_close(out);
    an_der_close(out);
}

an_code
an_cmp_write(const struct an_enrol_host *host, const struct an_cmp_message *to, const struct an_cmp_guard *guard,
             const struct an_cmp_reply *reply, an_time now, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf header = an_buf_new(AN_LIMIT_CMP_BYTES),
                                          body = an_buf_new(AN_LIMIT_CMP_BYTES),
                                          part = an_buf_new(AN_LIMIT_CMP_BYTES), protection = an_buf_new(16384);
    struct an_der_out header_out = AN_DER_OUT(&header), body_out = AN_DER_OUT(&body), out = AN_DER_OUT(ret);
    struct cover cover;

    AN_TRY(choose_cover(host, guard, &cover, reterr));
    put_header(&header_out, host, to, guard, reply, &cover, now);
    an_der_put(&body_out, AN_DER_CONTEXT_CONSTRUCTED(reply->body), reply->content);
    an_cmp_protected_part(an_buf_view(&header), an_buf_view(&body), &part);
    if (cover.is_secret || cover.is_signed)
        AN_TRY(make_protection(host, guard, &cover, an_buf_view(&part), &protection, reterr));
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_raw(&out, an_buf_view(&header));
    an_der_put_raw(&out, an_buf_view(&body));
    if (protection.len > 0) {
        an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(0));
        an_der_put_bits(&out, an_buf_view(&protection), 0);
        an_der_close(&out);
    }
    put_extra_certs(&out, host, &cover, reply->certs);
    an_der_close(&out);
    if (!an_buf_ok(&part) || !an_buf_ok(ret))
        AN_FAIL(reterr, AN_E_LIMIT, "PKIMessage");
    return AN_OK;
}
