/*
 * The server's side of CMP: one message in, one message out, in the order of RFC 4210 with the limits of RFC 9483 (one
 * certificate a message, nonces and transactionID always). A refusal of what was asked is an answer of its kind with
 * status "rejection"; a message that cannot be believed or does not fit gets an error message.
 */
#include "enrol/internal.h"

#define NONCE_MIN 16 /* RFC 9483 3.1: at least 128 bits */
#define TRANSACTION_MAX 64

/* One message being answered. */
struct exchange {
    const struct an_enrol_host *host;
    struct an_cmp_message message;
    struct an_cmp_guard guard;
    struct an_cmp_reply reply;
    struct an_buf content;
    struct an_certs extra;
    uint8_t key[32]; /* of the transaction */
    an_time now;
    bool is_refused;
};

/* What is asked for, from either format. */
struct asked {
    struct an_crmf crmf;
    struct an_csr *csr;
    int64_t id;
    an_bytes subject, spki;
    const struct an_extension *extensions;
    size_t extension_count;
};

static void
asked_done(struct asked *asked)
{
    an_crmf_done(&asked->crmf);
    an_csr_free(&asked->csr);
}

void
an_enrol_answer_done(struct an_enrol_answer *answer)
{
    an_cert_unref(&answer->cert);
    an_certs_done(&answer->chain);
}

void
an_enrol_transaction_done(struct an_enrol_transaction *transaction)
{
    an_buf_free(&transaction->request);
    an_buf_free(&transaction->cert);
}

/* ---- checks that every message passes ---- */
static void
make_key(struct exchange *x)
{
    struct an_hash *hash = an_hash_new(AN_SHA256);
    uint8_t digest[AN_DIGEST_MAX];

    if (x->guard.cert != NULL) {
        an_hash_update(hash, AN_LIT("certificate"));
        an_hash_update(hash, AN_BYTES(x->guard.cert->sha256, 32));
    } else {
        an_hash_once(AN_SHA256, x->guard.party.reference, digest);
        an_hash_update(hash, AN_LIT("reference"));
        an_hash_update(hash, AN_BYTES(digest, 32));
    }
    an_hash_update(hash, x->message.transaction);
    an_hash_final(hash, digest);
    an_hash_free(&hash);
    memcpy(x->key, digest, sizeof(x->key));
}

static an_code
check_header(const struct exchange *x, struct an_err *reterr)
{
    const struct an_cmp_message *message = &x->message;
    an_time skew = (an_time)x->host->clock_skew_s;

    if (skew > 0 && message->time != AN_TIME_NONE && (message->time < x->now - skew || message->time > x->now + skew))
        AN_FAIL(reterr, AN_E_CMP_TIME, "messageTime");
    if (message->sender_nonce.len < NONCE_MIN || message->sender_nonce.len > TRANSACTION_MAX)
        AN_FAIL(reterr, AN_E_CMP_SENDER_NONCE, "%zu byte", message->sender_nonce.len);
    if (message->transaction.len < NONCE_MIN || message->transaction.len > TRANSACTION_MAX)
        AN_FAIL(reterr, AN_E_CMP_PARSE, "transactionID: %zu byte", message->transaction.len);
    return AN_OK;
}

/* ---- asking for a certificate ---- */
static an_code
read_asked(int body, an_bytes value, an_bytes sender, struct asked *ret, struct an_err *reterr)
{
    if (body == CMP_P10CR) {
        AN_TRY(an_csr_parse(value, &ret->csr, reterr));
        ret->id = -1; /* RFC 9483 4.1.4 */
        ret->subject = ret->csr->subject;
        ret->spki = ret->csr->spki;
        ret->extensions = ret->csr->extensions;
        ret->extension_count = ret->csr->extension_count;
        return an_csr_check(ret->csr, reterr);
    }
    AN_TRY(an_crmf_read(value, sender, &ret->crmf, reterr));
    ret->id = ret->crmf.id;
    ret->subject = ret->crmf.subject;
    ret->spki = an_buf_view(&ret->crmf.spki);
    ret->extensions = ret->crmf.extensions;
    ret->extension_count = ret->crmf.extension_count;
    return AN_OK;
}

/* A key update is signed by the certificate that it renews, and may say so. */
static an_code
check_update(const struct exchange *x, const struct asked *asked, struct an_err *reterr)
{
    const struct an_cert *cert = x->guard.cert;

    if (cert == NULL)
        AN_FAIL(reterr, AN_E_ENROL_NOT_ALLOWED, "kur");
    if (asked->crmf.old_serial.len > 0 &&
        (!an_serial_eq(asked->crmf.old_serial, cert->serial) || !an_name_eq(asked->crmf.old_issuer, cert->issuer)))
        AN_FAIL(reterr, AN_E_ENROL_CERT_ID, "oldCertID");
    return AN_OK;
}

static an_code
carry_out(struct exchange *x, int body, const struct asked *asked, struct an_enrol_answer *ret, struct an_err *reterr)
{
    struct an_enrol_request request = {
        .act = body == CMP_KUR ? AN_ENROL_RENEW : AN_ENROL_ISSUE, .party = &x->guard.party, .spki = asked->spki,
        .subject = asked->subject, .extensions = asked->extensions, .extension_count = asked->extension_count,
        .now = x->now,
    };

    if (body == CMP_KUR)
        AN_TRY(check_update(x, asked, reterr));
    return x->host->carry_out(x->host->context, &request, ret, reterr);
}

/* CertRepMessage: [1] caPubs only where a secret protects it: then the root may be learnt from it (RFC 9483 4.1.1). */
static void
put_cert_response(struct exchange *x, int64_t id, int status, const struct an_err *err, const struct an_cert *cert)
{
    struct an_der_out out = AN_DER_OUT(&x->content);
    const struct an_certs *roots = x->host->roots;

    an_der_open(&out, AN_DER_SEQUENCE);
    if (cert != NULL && x->guard.secret != NULL && x->reply.body == CMP_IP && roots != NULL && roots->count > 0) {
        an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(1));
        an_der_open(&out, AN_DER_SEQUENCE);
        for (size_t i = 0; i < roots->count; i++)
            an_der_put_raw(&out, roots->items[i]->der);
        an_der_close(&out);
        an_der_close(&out);
    }
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_int(&out, id);
    an_cmp_put_status(&out, status, err);
    if (cert != NULL) {
        an_der_open(&out, AN_DER_SEQUENCE);
        an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(0));
        an_der_put_raw(&out, cert->der);
        an_der_close(&out);
        an_der_close(&out);
    }
    an_der_close(&out);
    an_der_close(&out);
    an_der_close(&out);
}

static struct an_err
note_of(an_code code)
{
    return (struct an_err){.code = code};
}

/* Puts the answer into the reply and what must be remembered into the transaction. */
static void
tell_outcome(struct exchange *x, int64_t id, struct an_enrol_answer *answer, struct an_enrol_transaction *transaction)
{
    struct an_err waiting = note_of(AN_N_ENROL_WAITING), changed = note_of(AN_N_ENROL_CHANGED);
    bool is_changed = answer->outcome == AN_ENROL_CHANGED;

    if (answer->outcome == AN_ENROL_WAITING) {
        transaction->state = AN_ENROL_POLLING;
        put_cert_response(x, id, CMP_WAITING, &waiting, NULL);
        return;
    }
    transaction->implicit = x->message.wants_implicit;
    transaction->state = transaction->implicit ? AN_ENROL_CLOSED : AN_ENROL_UNCONFIRMED;
    an_buf_reset(&transaction->request);
    an_buf_reset(&transaction->cert);
    an_buf_append(&transaction->cert, answer->cert->der);
    x->reply.grants_implicit = transaction->implicit;
    x->reply.confirm_wait_s = transaction->implicit ? 0 : x->host->confirm_wait_s;
    put_cert_response(x, id, is_changed ? CMP_GRANTED_WITH_MODS : CMP_ACCEPTED, is_changed ? &changed : NULL,
                      answer->cert);
    for (size_t i = 0; i < answer->chain.count; i++)
        an_certs_add(&x->extra, answer->chain.items[i]);
}

static int
answer_body_of(int body)
{
    return body == CMP_P10CR ? CMP_CP : body + 1;
}

/* A refusal of the request itself; the transaction ends with it. */
static an_code
reject_request(struct exchange *x, int64_t id, enum an_enrol_state from, struct an_enrol_transaction *transaction,
               const struct an_err *err,
               struct an_err *reterr)
{
    x->is_refused = true;
    x->host->refused(x->host->context, &x->guard.party, "cmp", err);
    put_cert_response(x, id, CMP_REJECTION, err, NULL);
    an_buf_reset(&transaction->request);
    transaction->state = AN_ENROL_CLOSED;
    return x->host->save(x->host->context, AN_BYTES(x->key, 32), from, transaction, reterr);
}

static an_code
answer_request(struct exchange *x, struct an_err *reterr)
{
    AN_CLEANUP(asked_done) struct asked asked = {0};
    AN_CLEANUP(an_enrol_answer_done) struct an_enrol_answer answer = {0};
    AN_CLEANUP(an_enrol_transaction_done) struct an_enrol_transaction transaction = {
        .body = x->message.body, .request = an_buf_new(AN_LIMIT_CMP_BYTES), .cert = an_buf_new(AN_LIMIT_CERT_BYTES),
        .at = x->now};
    struct an_err err = {0};
    an_code code;

    x->reply.body = answer_body_of(x->message.body);
    memcpy(transaction.server_nonce, x->reply.nonce, CMP_NONCE_SIZE);
    AN_TRY(x->host->begin(x->host->context, AN_BYTES(x->key, 32), &transaction, reterr));
    code = read_asked(x->message.body, x->message.body_value, x->message.sender, &asked, &err);
    transaction.request_id = asked.id;
    if (code == AN_OK)
        code = carry_out(x, x->message.body, &asked, &answer, &err);
    if (code != AN_OK)
        return reject_request(x, asked.id, AN_ENROL_OPEN, &transaction, &err, reterr);
    if (answer.outcome == AN_ENROL_WAITING) /* kept only while it waits: what is refused shall not fill the store */
        an_buf_append(&transaction.request, x->message.body_value);
    tell_outcome(x, asked.id, &answer, &transaction);
    return x->host->save(x->host->context, AN_BYTES(x->key, 32), AN_ENROL_OPEN, &transaction, reterr);
}

/* ---- the messages that follow ---- */
static an_code
load_transaction(struct exchange *x, struct an_enrol_transaction *ret, struct an_err *reterr)
{
    *ret = (struct an_enrol_transaction){.request = an_buf_new(AN_LIMIT_CMP_BYTES),
                                         .cert = an_buf_new(AN_LIMIT_CERT_BYTES)};
    AN_TRY(x->host->load(x->host->context, AN_BYTES(x->key, 32), ret, reterr));
    if (!an_bytes_eq(x->message.recipient_nonce, AN_BYTES(ret->server_nonce, CMP_NONCE_SIZE)))
        AN_FAIL(reterr, AN_E_CMP_RECIPIENT_NONCE, "recipNonce");
    return AN_OK;
}

static an_code
answer_poll(struct exchange *x, struct an_err *reterr)
{
    AN_CLEANUP(asked_done) struct asked asked = {0};
    AN_CLEANUP(an_enrol_answer_done) struct an_enrol_answer answer = {0};
    AN_CLEANUP(an_enrol_transaction_done) struct an_enrol_transaction transaction = {0};
    struct an_der_out out = AN_DER_OUT(&x->content);
    struct an_err err = {0};
    int64_t id = 0;
    an_code code;

    AN_TRY(an_cmp_read_poll(x->message.body_value, &id, reterr));
    AN_TRY(load_transaction(x, &transaction, reterr));
    if (transaction.state != AN_ENROL_POLLING || id != transaction.request_id)
        AN_FAIL(reterr, AN_E_CMP_TRANSACTION_UNKNOWN, "pollReq");
    memcpy(transaction.server_nonce, x->reply.nonce, CMP_NONCE_SIZE);
    code = read_asked(transaction.body, an_buf_view(&transaction.request), x->message.sender, &asked, &err);
    if (code == AN_OK)
        code = carry_out(x, transaction.body, &asked, &answer, &err);
    x->reply.body = answer_body_of(transaction.body);
    if (code != AN_OK)
        return reject_request(x, id, AN_ENROL_POLLING, &transaction, &err, reterr);
    if (answer.outcome == AN_ENROL_WAITING) {
        x->reply.body = CMP_POLLREP;
        an_der_open(&out, AN_DER_SEQUENCE);
        an_der_open(&out, AN_DER_SEQUENCE);
        an_der_put_int(&out, id);
        an_der_put_int(&out, answer.check_after);
        an_der_close(&out);
        an_der_close(&out);
    } else {
        tell_outcome(x, id, &answer, &transaction);
    }
    return x->host->save(x->host->context, AN_BYTES(x->key, 32), AN_ENROL_POLLING, &transaction, reterr);
}

/* certHash is made as the certificate's own signature was, unless the message says with what (RFC 9480 2.10). */
static an_code
check_hash(const struct an_cmp_confirmation *confirmation, const struct an_cert *cert, struct an_err *reterr)
{
    enum an_digest digest = confirmation->digest != AN_DIGEST_NONE ? confirmation->digest : cert->scheme.digest;
    uint8_t expected[AN_DIGEST_MAX];

    if (digest == AN_DIGEST_NONE)
        digest = AN_SHA512; /* EdDSA */
    an_hash_once(digest, cert->der, expected);
    if (!an_bytes_eq(confirmation->hash, AN_BYTES(expected, an_digest_size(digest))))
        AN_FAIL(reterr, AN_E_ENROL_CONFIRM_HASH, "certHash");
    return AN_OK;
}

static an_code
answer_confirmation(struct exchange *x, struct an_err *reterr)
{
    AN_CLEANUP(an_enrol_transaction_done) struct an_enrol_transaction transaction = {0};
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    struct an_cmp_confirmation confirmation;
    struct an_der_out out = AN_DER_OUT(&x->content);

    AN_TRY(an_cmp_read_confirmation(x->message.body_value, &confirmation, reterr));
    AN_TRY(load_transaction(x, &transaction, reterr));
    if (transaction.state != AN_ENROL_UNCONFIRMED)
        AN_FAIL(reterr, transaction.state == AN_ENROL_CLOSED ? AN_E_ENROL_CONFIRMED : AN_E_CMP_TRANSACTION_UNKNOWN,
                "certConf");
    if (confirmation.request_id != transaction.request_id &&
        !(transaction.body == CMP_P10CR && confirmation.request_id == 0))
        AN_FAIL(reterr, AN_E_CMP_PARSE, "certReqId"); /* some clients count from 0 after p10cr, too */
    AN_TRY(an_cert_parse(an_buf_view(&transaction.cert), &cert, reterr));
    AN_TRY(check_hash(&confirmation, cert, reterr));
    AN_TRY(x->host->confirm(x->host->context, &x->guard.party, cert, !confirmation.is_rejected, x->now, reterr));
    transaction.state = AN_ENROL_CLOSED;
    memcpy(transaction.server_nonce, x->reply.nonce, CMP_NONCE_SIZE);
    AN_TRY(x->host->save(x->host->context, AN_BYTES(x->key, 32), AN_ENROL_UNCONFIRMED, &transaction, reterr));
    x->reply.body = CMP_PKICONF;
    an_der_put_null(&out);
    return AN_OK;
}

/* ---- revocation: by the certificate's own key ---- */
static void
put_revocation_response(struct exchange *x, const struct an_cmp_revocation *asked, const struct an_err *err)
{
    struct an_der_out out = AN_DER_OUT(&x->content);

    x->reply.body = CMP_RP;
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_cmp_put_status(&out, err != NULL ? CMP_REJECTION : CMP_ACCEPTED, err);
    an_der_close(&out);
    an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put(&out, AN_DER_CONTEXT_CONSTRUCTED(4), asked->issuer);
    an_der_put(&out, AN_DER_INTEGER, asked->serial);
    for (int i = 0; i < 4; i++)
        an_der_close(&out);
}

static an_code
revoke(struct exchange *x, const struct an_cmp_revocation *asked, struct an_err *reterr)
{
    AN_CLEANUP(an_enrol_answer_done) struct an_enrol_answer answer = {0};
    const struct an_cert *cert = x->guard.cert;
    struct an_enrol_request request = {.act = AN_ENROL_REVOKE, .party = &x->guard.party, .old_issuer = asked->issuer,
                                       .old_serial = asked->serial, .reason = asked->reason, .now = x->now};

    if (cert == NULL)
        AN_FAIL(reterr, AN_E_ENROL_NOT_ALLOWED, "rr");
    if (!an_serial_eq(asked->serial, cert->serial) || !an_name_eq(asked->issuer, cert->issuer))
        AN_FAIL(reterr, AN_E_ENROL_NOT_ALLOWED, "rr: certDetails");
    return x->host->carry_out(x->host->context, &request, &answer, reterr);
}

static an_code
answer_revocation(struct exchange *x, struct an_err *reterr)
{
    struct an_cmp_revocation asked;
    struct an_err err = {0};

    AN_TRY(an_cmp_read_revocation(x->message.body_value, &asked, reterr));
    if (revoke(x, &asked, &err) == AN_OK) {
        put_revocation_response(x, &asked, NULL);
        return AN_OK;
    }
    x->is_refused = true;
    x->host->refused(x->host->context, &x->guard.party, "cmp", &err);
    put_revocation_response(x, &asked, &err);
    return AN_OK;
}

/* ---- the rest ---- */
static an_code
answer_general(struct exchange *x, struct an_err *reterr)
{
    x->reply.body = CMP_GENP;
    return an_cmp_general(x->host, x->message.body_value, x->now, &x->content, reterr);
}

/* The client gives up: what it was given is not taken. */
static an_code
answer_error(struct exchange *x, struct an_err *reterr)
{
    AN_CLEANUP(an_enrol_transaction_done) struct an_enrol_transaction transaction = {0};
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    struct an_der_out out = AN_DER_OUT(&x->content);
    enum an_enrol_state from;

    AN_TRY(load_transaction(x, &transaction, reterr));
    from = transaction.state;
    if (from == AN_ENROL_UNCONFIRMED) {
        AN_TRY(an_cert_parse(an_buf_view(&transaction.cert), &cert, reterr));
        AN_TRY(x->host->confirm(x->host->context, &x->guard.party, cert, false, x->now, reterr));
    }
    transaction.state = AN_ENROL_CLOSED;
    AN_TRY(x->host->save(x->host->context, AN_BYTES(x->key, 32), from, &transaction, reterr));
    x->reply.body = CMP_PKICONF;
    an_der_put_null(&out);
    return AN_OK;
}

static const struct { int body; an_code (*answer)(struct exchange *x, struct an_err *reterr); } bodies[] = {
    {CMP_IR, answer_request}, {CMP_CR, answer_request}, {CMP_P10CR, answer_request}, {CMP_KUR, answer_request},
    {CMP_RR, answer_revocation}, {CMP_CERTCONF, answer_confirmation}, {CMP_POLLREQ, answer_poll}, {CMP_GENM, answer_general},
    {CMP_ERROR, answer_error},
};

static an_code
dispatch(struct exchange *x, an_bytes der, struct an_err *reterr)
{
    AN_TRY(an_cmp_read(der, &x->message, reterr));
    if (x->message.version != 2 && x->message.version != 3)
        AN_FAIL(reterr, AN_E_CMP_VERSION, "pvno %lld", (long long)x->message.version);
    AN_TRY(an_cmp_check_protection(x->host, &x->message, x->now, &x->guard, reterr));
    AN_TRY(check_header(x, reterr));
    make_key(x);
    for (size_t i = 0; i < AN_COUNT(bodies); i++)
        if (bodies[i].body == x->message.body)
            return bodies[i].answer(x, reterr);
    AN_FAIL(reterr, AN_E_CMP_BODY, "body [%d]", x->message.body);
}

static void
put_error(struct exchange *x, const struct an_err *err)
{
    struct an_der_out out = AN_DER_OUT(&x->content);

    an_buf_reset(&x->content);
    an_certs_done(&x->extra);
    x->is_refused = true;
    x->reply.body = CMP_ERROR;
    x->reply.grants_implicit = false;
    x->reply.confirm_wait_s = 0;
    an_der_open(&out, AN_DER_SEQUENCE);
    an_cmp_put_status(&out, CMP_REJECTION, err);
    an_der_put_int(&out, (int64_t)err->code); /* errorCode: the number by which our documentation knows it */
    an_der_close(&out);
}

static void
exchange_done(struct exchange *x)
{
    an_cmp_guard_done(&x->guard);
    an_cmp_message_done(&x->message);
    an_buf_free(&x->content);
    an_certs_done(&x->extra);
}

an_code
an_cmp_answer(const struct an_enrol_host *host, an_bytes message, const char *peer, an_time now, struct an_buf *ret,
              bool *ret_failed,
              struct an_err *reterr)
{
    AN_CLEANUP(exchange_done) struct exchange x = {.host = host, .now = now, .content = an_buf_new(AN_LIMIT_CMP_BYTES)};
    struct an_err err = {0};

    x.guard.party.peer = peer;
    x.reply.certs = &x.extra;
    AN_TRY(an_random(x.reply.nonce, sizeof(x.reply.nonce), reterr));
    if (dispatch(&x, message, &err) != AN_OK) {
        if (x.message.header_whole.len == 0) { /* nobody to answer to: the caller says so in HTTP */
            if (reterr != NULL)
                *reterr = err;
            return err.code;
        }
        host->refused(host->context, &x.guard.party, "cmp", &err);
        put_error(&x, &err);
    }
    if (ret_failed != NULL)
        *ret_failed = x.is_refused;
    x.reply.content = an_buf_view(&x.content);
    return an_cmp_write(host, &x.message, &x.guard, &x.reply, now, ret, reterr);
}
