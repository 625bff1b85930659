/*
 * Refusing: always in writing, with the reason, signed by who refuses (NĐ 68/2024 Điều 22; Đồng Tháp Điều 11.2b),
 * whether it is the whole dossier or items of it.
 */
#include "service/registration/request_internal.h"

#include <stdio.h>

struct refusing {
    const struct an_desk *desk;
    int64_t id;
    const char *reason, *number; /* of the letter; "" = none yet */
    const struct an_request_verdict *verdict; /* of items; NULL = the whole dossier */
    const struct an_person_key *key;
    struct an_arena *arena;
    struct an_dossier request;
    struct request_rule rule;
    struct an_agency agency, to;
    struct an_post post, head; /* who signs; who heads the agency */
    struct request_refusal *refusal;
};

bool
request_is_wanted(const struct an_request_verdict *verdict, int64_t place)
{
    for (size_t i = 0; verdict->places != NULL && i < verdict->count; i++)
        if (verdict->places[i] == place)
            return true;
    return verdict->places == NULL;
}

void
request_refusal_done(struct request_refusal *refusal)
{
    an_buf_free(&refusal->text);
    an_buf_free(&refusal->part);
}

/* One line for each item that is refused. */
static an_code
list_items(struct refusing *r, struct an_tx *tx, struct an_err *reterr)
{
    struct an_request_item *items = NULL;
    size_t count = 0;

    AN_TRY(an_request_items(tx, r->id, r->arena, &items, &count, reterr));
    for (size_t i = 0; i < count; i++) {
        if (items[i].state != AN_ITEM_OPEN || !request_is_wanted(r->verdict, items[i].place))
            continue;
        an_buf_printf(&r->refusal->text, "- Mục %lld, %s: %s\n", (long long)items[i].place, items[i].name, r->reason);
        an_buf_printf(&r->refusal->part, "%s%lld", r->refusal->part.len > 0 ? "," : "", (long long)items[i].place);
    }
    return AN_OK;
}

static an_code
read_refusing(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct refusing *r = context;
    enum an_request_act act = r->verdict ? AN_REQUEST_ACT_DECIDE : AN_REQUEST_ACT_REFUSE;
    bool closed = false;

    AN_TRY(request_find_to_decide(r->desk, tx, r->id, r->arena, &r->request, &r->rule, reterr));
    if (r->request.state != AN_REQUEST_LISTED && !an_request_may_follow(r->request.state, act))
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)r->request.id,
                an_request_state_name(r->request.state, false));
    AN_TRY(request_check_signer(r->desk, tx, r->key->cert, reterr));
    AN_TRY(an_agency_find(tx, r->desk->agency, r->arena, &r->agency, reterr));
    AN_TRY(an_agency_find_code(tx, r->request.agency, r->arena, &r->to, &closed, reterr));
    AN_TRY(an_post_at(tx, r->desk->person, 0, r->desk->at, r->arena, &r->post, reterr));
    AN_TRY(an_agency_head(tx, r->desk->agency, r->desk->at, r->arena, &r->head, reterr));
    if (r->post.id == 0)
        AN_FAIL(reterr, AN_E_DESK_PERSON, "%s", r->desk->number);
    if (r->verdict != NULL)
        return list_items(r, tx, reterr);
    an_buf_printf(&r->refusal->text, "%s\n", r->reason);
    return AN_OK;
}

/* The lines of the text as paragraphs of the letter, the last with the mark that ends it; each is of the arena. */
static an_code
make_paragraphs(const struct refusing *r, const char *first, const char ***ret, size_t *ret_count,
                struct an_err *reterr)
{
    an_bytes text = an_buf_view(&r->refusal->text);
    const char **lines;
    size_t count = 1, at = 1, from = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    *ret = lines = an_new_array(count, sizeof(*lines));
    lines[0] = first;
    while (at < count) {
        size_t end = an_bytes_find(text, AN_LIT("\n"), from);
        AN_CLEANUP(an_free_ptr) char *line = an_asprintf("%.*s%s", (int)(end - from), (const char *)text.ptr + from,
                                                         at + 1 == count ? "./." : "");
        lines[at] = an_arena_str(r->arena, an_bytes_of_str(line));
        if (lines[at++] == NULL)
            AN_FAIL(reterr, AN_E_LIMIT, "letter");
        from = end + 1;
    }
    *ret_count = count;
    return AN_OK;
}

static an_code
make_letter(struct refusing *r, struct an_err *reterr)
{
    const struct an_desk *desk = r->desk;
    const char *kind = an_request_kind_name(r->request.kind, false), **lines = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(AN_LIMIT_PAPER_BYTES), cite = an_buf_new(4096);
    AN_CLEANUP(an_free_ptr) char *subject = an_asprintf("không chấp nhận đề nghị %s", kind);
    AN_CLEANUP(an_free_ptr) char *first = NULL;
    size_t count = 0;
    an_code code;

    an_citation_text(desk->instance->regulations, r->rule.citation, false, &cite);
    first = an_asprintf("Qua kiểm tra hồ sơ số %s của %s về việc đề nghị %s, căn cứ %.*s, %s thông báo không chấp nhận "
                        "%s, lý do như sau:", r->request.number, r->to.name, kind, AN_FMT(an_buf_view(&cite)),
                        r->agency.name, r->verdict ? "các mục sau đây của danh sách" : "yêu cầu");
    code = make_paragraphs(r, first, &lines, &count, reterr);
    if (code == AN_OK) {
        struct request_letter letter = {.number = r->number, .subject = subject, .to = r->to.name, .lines = lines,
                                        .count = count, .agency = &r->agency, .signer = &r->post, .head = &r->head};
        code = request_lay_out_letter(desk, &letter, &pdf, reterr);
    }
    free(lines);
    AN_TRY(code);
    return request_sign_pdf(desk, an_buf_view(&pdf), r->key, desk->name, r->refusal->document, reterr);
}

static an_code
write_letter(struct refusing *r, struct an_err *reterr)
{
    an_code code;

    r->arena = an_arena_new(REQUEST_ARENA_BYTES);
    r->refusal->text = an_buf_new(2 * 1024 * 1024);
    r->refusal->part = an_buf_new(64 * 1024);
    code = an_store_read(r->desk->instance->store, read_refusing, r, reterr);
    if (code == AN_OK)
        code = make_letter(r, reterr);
    an_buf_byte(&r->refusal->text, 0);
    an_buf_byte(&r->refusal->part, 0);
    request_rule_done(&r->rule);
    an_arena_free(&r->arena);
    return code;
}

an_code
request_write_refusal(const struct an_desk *desk, int64_t id, const struct an_request_verdict *verdict,
                      const struct an_person_key *key, struct request_refusal *ret, struct an_err *reterr)
{
    struct refusing r = {.desk = desk, .id = id, .reason = verdict->reason,
                         .number = verdict->number ? verdict->number : "", .verdict = verdict, .key = key,
                         .refusal = ret};

    return write_letter(&r, reterr);
}

an_code
request_tell_refusal(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request,
                     const struct request_refusal *refusal, const char *citation, struct an_err *reterr)
{
    const char *part = (const char *)refusal->part.ptr;
    struct request_word word = {.role = "qltt", .what = "refused", .part = part[0] ? part : NULL,
                                .subject = "Thông báo không chấp nhận yêu cầu chứng thực",
                                .body = (const char *)refusal->text.ptr, .document = refusal->document,
                                .citation = citation};

    return request_notify(desk, tx, request, &word, reterr);
}

/* ---- the whole dossier ---- */
static an_code
write_refused(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct refusing *r = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(request_rule_done) struct request_rule rule = {0};
    struct an_dossier request;
    struct an_request_deed deed;
    int64_t approved = 0;

    AN_TRY(request_find_to_decide(r->desk, tx, r->id, arena, &request, &rule, reterr));
    AN_TRY(an_request_item_count(tx, r->id, AN_ITEM_APPROVED, &approved, reterr));
    if (approved > 0) /* what is approved is carried out; only what is open can be refused, item by item */
        AN_FAIL(reterr, AN_E_REQUEST_DECIDED, "request:%lld", (long long)r->id);
    deed = request_deed(r->desk, rule.citation, r->reason);
    AN_TRY(an_request_move(tx, &request, AN_REQUEST_ACT_REFUSE, &deed, reterr));
    AN_TRY(an_request_close(tx, request.id, r->reason, r->desk->at, reterr));
    return request_tell_refusal(r->desk, tx, &request, r->refusal, rule.citation, reterr);
}

an_code
an_request_refuse(const struct an_desk *desk, int64_t id, const char *reason, const char *number,
                  const struct an_person_key *key, struct an_err *reterr)
{
    AN_CLEANUP(request_refusal_done) struct request_refusal refusal = {0};
    struct refusing r = {.desk = desk, .id = id, .reason = reason, .number = number ? number : "", .key = key,
                         .refusal = &refusal};

    if (reason == NULL || reason[0] == '\0')
        AN_FAIL(reterr, AN_E_REQUEST_REASON, "--reason");
    AN_TRY(write_letter(&r, reterr));
    return an_store_write(desk->instance->store, write_refused, &r, reterr);
}
