/*
 * EST (RFC 7030): five operations, bodies in base64. A key is never made here for somebody else: serverkeygen is
 * answered with that reason. Who asks is known by a certificate of his connection or by a reference and its secret
 * (HTTP Basic).
 */
#include "enrol/internal.h"

#include "base/utf8.h"

static const struct { const char *name; enum an_est_operation operation; bool is_post; } operations[] = {
    {"cacerts", AN_EST_CACERTS, false}, {"csrattrs", AN_EST_CSRATTRS, false}, {"simpleenroll", AN_EST_ENROLL, true},
    {"simplereenroll", AN_EST_REENROLL, true}, {"serverkeygen", AN_EST_KEYGEN, true},
};

enum an_est_operation
an_est_operation_of(const char *path)
{
    an_bytes text = an_bytes_of_str(path);
    size_t slash = an_bytes_rfind(text, AN_LIT("/"));
    an_bytes last = slash == SIZE_MAX ? text : an_bytes_slice(text, slash + 1, SIZE_MAX);

    for (size_t i = 0; i < AN_COUNT(operations); i++)
        if (an_bytes_eq_str(last, operations[i].name))
            return operations[i].operation;
    return AN_EST_UNKNOWN;
}

/* SignedData without signers: certificates alone. */
void
an_certs_only(const struct an_certs *certs, struct an_buf *ret)
{
    struct an_der_out out = AN_DER_OUT(ret);

    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put(&out, AN_DER_OID, AN_OID_SIGNED_DATA);
    an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_int(&out, 1);
    an_der_put(&out, AN_DER_SET, AN_NONE);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put(&out, AN_DER_OID, AN_OID_DATA);
    an_der_close(&out);
    an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(0));
    for (size_t i = 0; i < certs->count; i++)
        an_der_put_raw(&out, certs->items[i]->der);
    an_der_close(&out);
    an_der_put(&out, AN_DER_SET, AN_NONE);
    an_der_close(&out);
    an_der_close(&out);
    an_der_close(&out);
}

/* ---- answers ---- */
/* base64 in lines of 76 that end in LF alone: RFC 8951 3.1 lets the reader skip white space, and base64(1) skips no
 * CR. */
static void
put_base64(struct an_buf *out, an_bytes bytes)
{
    for (size_t at = 0; at < bytes.len; at += 57) {
        an_base64_encode(out, an_bytes_slice(bytes, at, 57));
        an_buf_str(out, "\n");
    }
}

static void
answer_certs(struct an_est_answer *ret, const struct an_certs *certs)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CMP_BYTES);

    an_certs_only(certs, &der);
    ret->status = 200;
    ret->content_type = "application/pkcs7-mime; smime-type=certs-only";
    ret->is_base64 = true;
    put_base64(&ret->body, an_buf_view(&der));
}

/* A refusal's HTTP status; the text says why in both languages. */
static unsigned
status_of(an_code code)
{
    static const struct { an_code code; unsigned status; } statuses[] = {
        {AN_E_ENROL_REFERENCE, 401}, {AN_E_EST_SECRET, 401}, {AN_E_EST_UNKNOWN, 401}, {AN_E_ENROL_SIGNER, 401}, {AN_E_ENROL_REVOKED, 403},
        {AN_E_ENROL_KEY_ELSEWHERE, 501}, {AN_E_EST_BODY, 400}, {AN_E_EST_TYPE, 415}, {AN_E_CSR_PARSE, 400}, {AN_E_CSR_SIGNATURE, 400},
        {AN_E_LIMIT, 400}, {AN_E_KEY_PUBLIC, 400}, {AN_E_KEY_KIND, 400}, {AN_E_ENROL_SUBJECT, 400},
    };
    enum an_kind kind = an_message_find(code)->kind;

    for (size_t i = 0; i < AN_COUNT(statuses); i++)
        if (statuses[i].code == code)
            return statuses[i].status;
    if (kind == AN_KIND_REFUSED)
        return 403;
    return kind == AN_KIND_TEMPFAIL || kind == AN_KIND_UNAVAILABLE ? 503 : 500;
}

static void
answer_refusal(const struct an_enrol_host *host, const struct an_enrol_party *party, const struct an_err *err,
               struct an_est_answer *ret)
{
    host->refused(host->context, party, "est", err);
    an_buf_reset(&ret->body);
    ret->status = status_of(err->code);
    ret->content_type = "text/plain; charset=utf-8";
    ret->is_base64 = false;
    ret->retry_after_s = ret->status == 503 ? 30 : 0;
    an_enrol_words(err, false, &ret->body);
    an_buf_str(&ret->body, "\n");
    an_enrol_words(err, true, &ret->body);
    an_buf_str(&ret->body, "\n");
}

/* ---- who asks ---- */
struct est_party {
    struct an_enrol_party party;
    struct an_buf basic; /* "reference:secret", wiped */
};

static void
est_party_done(struct est_party *party)
{
    if (party->basic.ptr != NULL)
        an_wipe(party->basic.ptr, party->basic.capacity);
    an_buf_free(&party->basic);
}

static an_code
check_basic(const struct an_enrol_host *host, const char *authorization, an_time now, struct est_party *ret,
            struct an_err *reterr)
{
    an_bytes text = an_bytes_of_str(authorization), given;
    struct an_secret *secret = NULL;
    size_t colon;
    bool is_right;

    if (text.len < 6 || strncasecmp(authorization, "Basic ", 6) != 0 ||
        !an_base64_decode(&ret->basic, an_bytes_slice(text, 6, SIZE_MAX)))
        AN_FAIL(reterr, AN_E_EST_UNKNOWN, "Authorization");
    colon = an_bytes_find(an_buf_view(&ret->basic), AN_LIT(":"), 0);
    if (colon == SIZE_MAX || colon == 0 || colon > AN_LIMIT_ENROL_REFERENCE)
        AN_FAIL(reterr, AN_E_EST_UNKNOWN, "Authorization");
    given = an_bytes_slice(an_buf_view(&ret->basic), colon + 1, SIZE_MAX);
    AN_TRY(host->find_secret(host->context, AN_BYTES(ret->basic.ptr, colon), now, &secret, reterr));
    is_right = an_bytes_eq_secret(given, an_secret_bytes(secret));
    an_secret_free(&secret);
    ret->party.reference = AN_BYTES(ret->basic.ptr, colon);
    ret->party.is_proved = is_right;
    if (!is_right)
        AN_FAIL(reterr, AN_E_EST_SECRET, "Authorization");
    return AN_OK;
}

/* A certificate first: who has one needs no secret. */
static an_code
find_party(const struct an_enrol_host *host, const struct an_est_request *request, an_time now, struct est_party *ret,
           struct an_err *reterr)
{
    ret->party.peer = request->peer;
    if (request->authorization != NULL && request->authorization[0] != '\0')
        return check_basic(host, request->authorization, now, ret, reterr);
    if (request->client == NULL)
        AN_FAIL(reterr, AN_E_EST_UNKNOWN, "TLS, Authorization");
    ret->party.cert = request->client;
    AN_TRY(host->check_cert(host->context, request->client, now, reterr));
    ret->party.is_proved = true;
    return AN_OK;
}

/* ---- operations ---- */
/* base64 is what the RFC says; the DER itself and PEM are understood, too. */
static an_code
read_csr(const struct an_est_request *request, struct an_csr **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CERT_BYTES);
    char label[64];
    size_t at = 0;

    if (strncasecmp(request->content_type, "application/pkcs10", 18) != 0)
        AN_FAIL(reterr, AN_E_EST_TYPE, "Content-Type");
    if (request->body.len > 0 && request->body.ptr[0] == '-') {
        if (!an_pem_next(request->body, &at, &der, label))
            AN_FAIL(reterr, AN_E_EST_BODY, "PEM");
    } else if (request->body.len > 0 && request->body.ptr[0] == AN_DER_SEQUENCE) {
        return an_csr_parse(request->body, ret, reterr);
    } else if (!an_base64_decode(&der, request->body)) {
        AN_FAIL(reterr, AN_E_EST_BODY, "base64");
    }
    return an_csr_parse(an_buf_view(&der), ret, reterr);
}

/* RFC 7030 4.2.2: a renewal has the subject of the certificate that it renews, which must be the one of the
 * connection. */
static an_code
check_renewal(const struct est_party *party, const struct an_csr *csr, struct an_err *reterr)
{
    if (party->party.cert == NULL)
        AN_FAIL(reterr, AN_E_ENROL_NOT_ALLOWED, "simplereenroll");
    if (!an_name_eq(csr->subject, party->party.cert->subject))
        AN_FAIL(reterr, AN_E_ENROL_SUBJECT, "subject");
    return AN_OK;
}

static an_code
enroll(const struct an_enrol_host *host, const struct an_est_request *request, an_time now, struct est_party *party,
       struct an_est_answer *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_csr_free) struct an_csr *csr = NULL;
    AN_CLEANUP(an_enrol_answer_done) struct an_enrol_answer answer = {0};
    AN_CLEANUP(an_certs_done) struct an_certs one = {0};
    struct an_enrol_request what = {.act = request->operation == AN_EST_REENROLL ? AN_ENROL_RENEW : AN_ENROL_ISSUE,
                                    .party = &party->party, .now = now};

    AN_TRY(find_party(host, request, now, party, reterr));
    AN_TRY(read_csr(request, &csr, reterr));
    AN_TRY(an_csr_check(csr, reterr));
    if (request->operation == AN_EST_REENROLL)
        AN_TRY(check_renewal(party, csr, reterr));
    what.spki = csr->spki;
    what.subject = csr->subject;
    what.extensions = csr->extensions;
    what.extension_count = csr->extension_count;
    AN_TRY(host->carry_out(host->context, &what, &answer, reterr));
    if (answer.outcome == AN_ENROL_WAITING) {
        ret->status = 202;
        ret->retry_after_s = answer.check_after;
        ret->content_type = "text/plain; charset=utf-8";
        an_enrol_words(&(struct an_err){.code = AN_N_ENROL_WAITING}, false, &ret->body);
        an_buf_str(&ret->body, "\n");
        return AN_OK;
    }
    an_certs_add(&one, answer.cert);
    answer_certs(ret, &one);
    return AN_OK;
}

/* CsrAttrs ::= SEQUENCE OF AttrOrOID: the kinds of signature that we take; names are as approved. */
static void
answer_attributes(struct an_est_answer *ret)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(1024);
    struct an_der_out out = AN_DER_OUT(&der);

    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_oid(&out, "1.2.840.10045.4.3.2");   /* ecdsa-with-SHA256 */
    an_der_put_oid(&out, "1.2.840.113549.1.1.11"); /* sha256WithRSAEncryption */
    an_der_close(&out);
    ret->status = 200;
    ret->content_type = "application/csrattrs";
    ret->is_base64 = true;
    put_base64(&ret->body, an_buf_view(&der));
}

static bool
is_method_right(const struct an_est_request *request)
{
    for (size_t i = 0; i < AN_COUNT(operations); i++)
        if (operations[i].operation == request->operation)
            return operations[i].is_post == request->is_post;
    return true;
}

void
an_est_answer(const struct an_enrol_host *host, const struct an_est_request *request, an_time now,
              struct an_est_answer *ret)
{
    AN_CLEANUP(est_party_done) struct est_party party = {.basic = an_buf_new(1024)};
    struct an_err err = {0};
    an_code code = AN_OK;

    ret->content_type = "text/plain";
    if (!is_method_right(request)) {
        ret->status = 405;
        return;
    }
    switch (request->operation) {
    case AN_EST_CACERTS:
        answer_certs(ret, host->issuers);
        break;
    case AN_EST_CSRATTRS:
        answer_attributes(ret);
        break;
    case AN_EST_ENROLL:
    case AN_EST_REENROLL:
        code = enroll(host, request, now, &party, ret, &err);
        break;
    case AN_EST_KEYGEN:
        code = an_err_set(&err, AN_E_ENROL_KEY_ELSEWHERE, "serverkeygen");
        break;
    case AN_EST_UNKNOWN:
        ret->status = 404;
        break;
    }
    if (code != AN_OK)
        answer_refusal(host, &party.party, &err, ret);
    if (!an_buf_ok(&ret->body))
        ret->status = 500;
}
