#include "ca/respond.h"

#include "ca/internal.h"

static const enum an_digest digests[4] = {AN_SHA1, AN_SHA256, AN_SHA384, AN_SHA512};

an_code
an_respond_prepare(struct an_respond_authority *authority, struct an_err *reterr)
{
    AN_TRY(an_ca_check_responder(authority->issuer, authority->signer, authority->key, reterr));
    for (size_t i = 0; i < AN_COUNT(digests); i++) {
        an_hash_once(digests[i], authority->issuer->subject, authority->hashes[i][0]);
        an_hash_once(digests[i], authority->issuer->key_bits, authority->hashes[i][1]);
    }
    an_ca_key_id(authority->signer->key_bits, authority->signer_id);
    return AN_OK;
}

static bool
is_of(const struct an_respond_authority *authority, const struct an_ocsp_query *query)
{
    size_t size = an_digest_size(query->hash);

    for (size_t i = 0; i < AN_COUNT(digests); i++)
        if (digests[i] == query->hash)
            return query->issuer_name_hash.len == size && memcmp(authority->hashes[i][0], query->issuer_name_hash.ptr,
                                                                 size) == 0 &&
                   query->issuer_key_hash.len == size && memcmp(authority->hashes[i][1], query->issuer_key_hash.ptr,
                                                                size) == 0;
    return false;
}

static const struct an_respond_authority *
find_authority(const struct an_responder *responder, const struct an_ocsp_query *query)
{
    for (size_t i = 0; i < responder->count; i++)
        if (is_of(responder->authorities[i], query))
            return responder->authorities[i];
    return NULL;
}

void
an_respond_refuse(enum an_respond_status status, struct an_buf *ret)
{
    struct an_der_out out = AN_DER_OUT(ret);
    uint8_t octet = (uint8_t)status;

    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put(&out, AN_DER_ENUMERATED, AN_BYTES(&octet, 1));
    an_der_close(&out);
}

/* One answer has one signer: who may speak for the first issuer that we know. Of other issuers' certificates it does
 * not know, which is the truth. */
static an_code
fill_items(const struct an_responder *responder, const struct an_respond_authority *speaker,
           const struct an_ocsp_query *queries, size_t count,
           struct an_ocsp_item *items, bool *ret_issued, struct an_err *reterr)
{
    *ret_issued = true;
    for (size_t i = 0; i < count; i++) {
        struct an_known_status known = {0};
        if (find_authority(responder, &queries[i]) == speaker)
            AN_TRY(responder->find(responder->context, speaker->id, queries[i].serial, &known, reterr));
        items[i] = (struct an_ocsp_item){.cert_id = queries[i].cert_id, .at = known.at, .reason = known.reason,
                                         .status = !known.is_issued ? AN_OCSP_UNKNOWN
                                         : known.is_revoked ? AN_OCSP_REVOKED : AN_OCSP_GOOD};
        *ret_issued = *ret_issued && known.is_issued;
    }
    return AN_OK;
}

/* What has nothing to be signed. */
static an_code
refuse(struct an_respond_draft *draft, enum an_respond_status status)
{
    draft->note.status = status;
    an_respond_refuse(status, draft->ret);
    return AN_OK;
}

an_time
an_respond_until(const struct an_cert *signer, an_time now, int64_t fresh_seconds)
{
    an_time until = now + fresh_seconds;

    return signer->not_after > now && signer->not_after < until ? signer->not_after : until;
}

static an_code
write_draft(const struct an_responder *responder, const struct an_ocsp_query *queries, size_t count, an_bytes nonce,
            an_time now, struct an_respond_draft *draft,
            struct an_err *reterr)
{
    const struct an_respond_authority *speaker = NULL;
    struct an_ocsp_item items[AN_RESPOND_QUERIES_MAX];
    bool is_issued = false;

    for (size_t i = 0; i < count && speaker == NULL; i++)
        speaker = find_authority(responder, &queries[i]);
    if (speaker == NULL) /* RFC 5019 2.2.3: not ours to answer */
        return refuse(draft, AN_RESPOND_UNAUTHORIZED);
    AN_TRY(fill_items(responder, speaker, queries, count, items, &is_issued, reterr));
    draft->note = (struct an_respond_note){.may_keep = count == 1 && nonce.ptr == NULL && is_issued,
                                           .authority = speaker->id, .serial = queries[0].serial,
                                           .this_update = now,
                                           .next_update = an_respond_until(speaker->signer, now,
                                                                           responder->fresh_seconds)};
    an_ca_put_response_data(&(struct an_ocsp_plan){.responder = speaker->signer, .responder_id = speaker->signer_id,
                                                   .key = speaker->key, .items = items,
                                                   .count = count, .this_update = now,
                                                   .next_update = draft->note.next_update, .produced_at = now,
                                                   .nonce = nonce,
                                                   .omit_cert = speaker->signer == speaker->issuer}, &draft->tbs,
                                                   &draft->certs);
    draft->speaker = speaker;
    return AN_OK;
}

an_code
an_respond_draft(const struct an_responder *responder, an_time now, struct an_respond_draft *draft,
                 struct an_err *reterr)
{
    struct an_ocsp_query queries[AN_RESPOND_QUERIES_MAX];
    an_bytes nonce = AN_NONE;
    size_t count = 0;

    draft->note = (struct an_respond_note){0};
    draft->speaker = NULL;
    draft->tbs = an_buf_new(AN_LIMIT_OCSP_BYTES);
    draft->certs = an_buf_new(AN_LIMIT_OCSP_BYTES);
    if (an_ocsp_request_parse(draft->request, queries, AN_RESPOND_QUERIES_MAX, &count, &nonce, NULL) != AN_OK ||
        count == 0 || count > AN_RESPOND_QUERIES_MAX ||
        (nonce.ptr != NULL && (nonce.len == 0 || nonce.len > AN_OCSP_NONCE_MAX)))
        return refuse(draft, AN_RESPOND_MALFORMED);
    return write_draft(responder, queries, count, nonce, now, draft, reterr);
}

void
an_respond_draft_done(struct an_respond_draft *draft)
{
    an_buf_free(&draft->tbs);
    an_buf_free(&draft->certs);
}

/* Every answer that will be given again is linted, and the first of those that are signed together: the rest differ
 * from it in serial numbers and nonces (docs/decisions/062-what-is-checked-before-it-leaves.md). */
static void
finish_signed(struct an_respond_draft *draft, size_t before, bool must_lint)
{
    if (draft->code != AN_OK)
        return;
    an_ca_wrap_basic(draft->ret, before);
    if (!an_buf_ok(draft->ret))
        draft->code = an_err_set(&draft->err, AN_E_LIMIT, "OCSPResponse");
    else if (must_lint || draft->note.may_keep)
        draft->code = an_ca_lint_made(an_lint_ocsp, an_bytes_slice(an_buf_view(draft->ret), before, SIZE_MAX),
                                      draft->speaker->issuer, &draft->err);
}

/* Those of the same speaker as the first that is open. */
static void
finish_together(struct an_respond_draft *const *drafts, size_t count)
{
    AN_UNZEROED struct an_ca_signed all[AN_SIGNINGS_MAX];
    size_t before[AN_SIGNINGS_MAX];

    for (size_t i = 0; i < count; i++) {
        before[i] = drafts[i]->ret->len;
        all[i] = (struct an_ca_signed){.tbs = an_buf_view(&drafts[i]->tbs), .extra = an_buf_view(&drafts[i]->certs),
                                       .ret = drafts[i]->ret, .reterr = &drafts[i]->err};
    }
    an_ca_sign_many(drafts[0]->speaker->key, all, count);
    for (size_t i = 0; i < count; i++) {
        drafts[i]->code = all[i].code;
        finish_signed(drafts[i], before[i], i == 0 || drafts[i - 1]->code != AN_OK);
    }
}

void
an_respond_finish(struct an_respond_draft *drafts, size_t count)
{
    bool is_done[AN_SIGNINGS_MAX] = {false};

    for (size_t i = 0; i < count; i++) {
        struct an_respond_draft *same[AN_SIGNINGS_MAX];
        size_t many = 0;
        for (size_t k = i; k < count; k++)
            if (!is_done[k] && drafts[k].code == AN_OK && drafts[k].speaker != NULL &&
                drafts[k].speaker == drafts[i].speaker) {
                is_done[k] = true;
                same[many++] = &drafts[k];
            }
        if (many != 0)
            finish_together(same, many);
    }
}

an_code
an_respond(const struct an_responder *responder, an_bytes request, an_time now, struct an_buf *ret,
           struct an_respond_note *ret_note, struct an_err *reterr)
{
    AN_CLEANUP(an_respond_draft_done) struct an_respond_draft draft = {.request = request, .ret = ret};
    size_t before = ret->len;

    AN_TRY(an_respond_draft(responder, now, &draft, reterr));
    an_respond_finish(&draft, 1);
    *ret_note = draft.note;
    if (draft.code == AN_OK)
        return AN_OK;
    ret->len = before;
    AN_FAIL(reterr, draft.code, "%s", draft.err.detail);
}

an_code
an_respond_beforehand(const struct an_respond_authority *authority, an_bytes serial, an_time now, int64_t fresh_seconds,
                      struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf id = an_buf_new(1024);
    struct an_der_out out = AN_DER_OUT(&id);
    struct an_ocsp_item item = {.status = AN_OCSP_GOOD};
    size_t before = ret->len;

    an_ca_put_cert_id(&out, authority->issuer, serial);
    item.cert_id = an_buf_view(&id);
    AN_TRY(an_ca_write_ocsp(&(struct an_ocsp_plan){.responder = authority->signer,
                                                   .responder_id = authority->signer_id, .key = authority->key,
                                                   .items = &item, .count = 1, .this_update = now,
                                                   .next_update = an_respond_until(authority->signer, now,
                                                                                   fresh_seconds),
                                                   .produced_at = now,
                                                   .omit_cert = authority->signer == authority->issuer},
                            ret, reterr));
    return an_ca_lint_made(an_lint_ocsp, an_bytes_slice(an_buf_view(ret), before, SIZE_MAX), authority->issuer, reterr);
}

an_bytes
an_respond_serial(an_bytes request)
{
    an_bytes in = request, list, serial;

    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_SEQUENCE, &list, NULL) != AN_OK || in.len != 0 ||
        /* one list, no extensions */
        an_der_peek(list) != AN_DER_SEQUENCE || an_der_take(&list, AN_DER_SEQUENCE, &in, NULL) != AN_OK ||
            list.len != 0 ||
        /* one request */
        an_der_take(&in, AN_DER_SEQUENCE, &list, NULL) != AN_OK || in.len != 0 ||
        /* its CertID alone */
        an_der_take(&list, AN_DER_SEQUENCE, &in, NULL) != AN_OK || list.len != 0)
        return AN_NONE;
    if (an_der_take(&in, AN_DER_SEQUENCE, &list, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_OCTET_STRING, &list, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_OCTET_STRING, &list, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_INTEGER, &serial, NULL) != AN_OK || in.len != 0)
        return AN_NONE;
    return serial;
}
