/* The filing agency's side: draft, check, sign, send, withdraw; and, at once, the receiving side's first look. */
#include "service/registration/request_internal.h"

#include "base/file.h"
#include "base/limits.h"
#include "pdf/pdf.h"
#include "proc/json.h"
#include "regulation/calendar.h"
#include "service/registration/papers.h"

#include <stdio.h>

#define LIST_MANAGER "nguoi-quan-ly-thue-bao"

/* What every step works on: the dossier as it was read, its items, what is known of them. */
struct step {
    const struct an_desk *desk;
    int64_t id;
    struct an_arena *arena;
    struct an_dossier request;
    struct an_request_item *items;
    size_t count;
    struct request_facts gathered;
    struct an_post head;
    bool is_forwarded;
    bool verify; /* look at the signed form too */
    const char *citation, *detail;
};

static void
step_done(struct step *s)
{
    request_facts_done(&s->gathered);
    an_arena_free(&s->arena);
}

/* Its list was approved in this round, or who approves lists files it. */
static an_code
see_approval(void *context, const struct an_request_event *event, struct an_err *reterr)
{
    struct step *s = context;

    (void)reterr;
    if (strcmp(event->act, "request.approve-list") == 0 || (strcmp(event->act, "request.send") == 0 &&
                                                            strcmp(event->role, LIST_MANAGER) == 0))
        s->is_forwarded = true;
    if (strcmp(event->act, "request.edit") == 0)
        s->is_forwarded = false;
    return AN_OK;
}

static an_code
read_step(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct step *s = context;
    struct an_agency agency;
    bool closed = false;

    request_facts_done(&s->gathered);
    an_arena_reset(s->arena);
    AN_TRY(an_request_find(tx, s->id, s->arena, &s->request, reterr));
    AN_TRY(an_request_items(tx, s->id, s->arena, &s->items, &s->count, reterr));
    AN_TRY(request_gather(s->desk, tx, s->arena, &s->request, s->items, s->count, &s->gathered, reterr));
    AN_TRY(an_agency_find_code(tx, s->request.agency, s->arena, &agency, &closed, reterr));
    s->head = (struct an_post){0};
    AN_TRY(an_agency_head(tx, agency.id, s->desk->at, s->arena, &s->head, reterr));
    AN_TRY(request_may_be_paper(tx, agency.id, s->desk->at, s->arena, &s->gathered.facts.may_be_paper, reterr));
    s->is_forwarded = strcmp(s->desk->role, LIST_MANAGER) == 0;
    AN_TRY(an_request_history(tx, s->id, see_approval, s, reterr));
    s->gathered.facts.is_forwarded = s->is_forwarded;
    if (s->verify && s->request.has_document)
        AN_TRY(request_verify(s->desk, tx, &s->request, s->arena, &s->gathered.facts, reterr));
    return AN_OK;
}

static an_code
open_step(const struct an_desk *desk, int64_t id, bool verify, struct step *s, struct an_err *reterr)
{
    *s = (struct step){.desk = desk, .id = id, .arena = an_arena_new(REQUEST_ARENA_BYTES), .verify = verify};
    return an_store_read(desk->instance->store, read_step, s, reterr);
}

/* What was read must still be so: who changed it meanwhile comes first. */
static an_code
reread(struct an_tx *tx, struct step *s, struct an_arena *arena, struct an_dossier *ret, struct an_err *reterr)
{
    AN_TRY(an_request_find(tx, s->id, arena, ret, reterr));
    if (ret->state != s->request.state || ret->round != s->request.round ||
        memcmp(ret->digest, s->request.digest, 32) != 0)
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)s->id,
                an_request_state_name(ret->state, false));
    return AN_OK;
}

/* Only the agency that filed it, or one above it, acts for it. */
static an_code
require_agency(const struct an_desk *desk, struct an_tx *tx, const char *code, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_agency agency;
    bool closed = false, below = false;

    AN_TRY(an_agency_find_code(tx, code, arena, &agency, &closed, reterr));
    AN_TRY(an_agency_is_below(tx, agency.id, desk->agency, &below, reterr));
    if (!below)
        AN_FAIL(reterr, AN_E_REQUEST_AGENCY, "%s: %s", desk->number, code);
    return AN_OK;
}

/* ---- draft ---- */
struct drafting {
    const struct an_desk *desk;
    const struct an_request_spec *spec;
    int64_t id;
    struct an_request_drafted drafted;
};

static an_code
write_draft(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct drafting *d = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(request_rule_done) struct request_rule rule = {0};
    struct request_paper paper = {.arena = arena};
    struct an_request_deed deed;

    AN_TRY(request_compose(d->desk, tx, d->spec, &paper, reterr));
    AN_TRY(require_agency(d->desk, tx, paper.request.agency, reterr));
    AN_TRY(request_rule_of(d->desk, &paper.request, d->desk->role, &rule, reterr));
    deed = request_deed(d->desk, rule.citation, "");
    d->drafted.id = d->id;
    d->drafted.is_new = false;
    if (d->id != 0)
        return an_request_rewrite(tx, d->id, &paper.request, paper.items, paper.count, &deed, reterr);
    return an_request_create(tx, &paper.request, paper.items, paper.count, &deed, &d->drafted.id, &d->drafted.is_new,
                             reterr);
}

an_code
an_request_draft(const struct an_desk *desk, const struct an_request_spec *spec, int64_t id,
                 struct an_request_drafted *ret, struct an_err *reterr)
{
    struct drafting d = {.desk = desk, .spec = spec, .id = id};

    AN_TRY(an_store_write(desk->instance->store, write_draft, &d, reterr));
    *ret = d.drafted;
    return AN_OK;
}

/* ---- the number of the letter ---- */
struct numbering {
    const struct an_desk *desk;
    int64_t id;
    const char *number;
};

/* The content with the number in it: what the form shows is what is signed. */
static an_code
number_content(const struct numbering *n, struct an_arena *arena, struct an_dossier *request, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *content = NULL;
    char *text;

    AN_TRY(an_json_parse(an_bytes_of_str(request->content), &content, reterr));
    text = json_object_set_new(content, "number", json_string(n->number)) == 0 ? json_dumps(content,
            JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (text == NULL)
        AN_FAIL(reterr, AN_E_UTF8, "number");
    request->content = an_arena_str(arena, an_bytes_of_str(text));
    request->number = n->number;
    free(text);
    if (request->content == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "content");
    return AN_OK;
}

static an_code
write_number(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct numbering *n = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(request_rule_done) struct request_rule rule = {0};
    struct an_request_item *items = NULL;
    struct an_dossier request;
    struct an_request_deed deed;
    size_t count = 0;

    AN_TRY(an_request_find(tx, n->id, arena, &request, reterr));
    if (strcmp(request.number, n->number) == 0)
        return AN_OK;
    if (request.number[0] != '\0')
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)n->id, request.number);
    AN_TRY(require_agency(n->desk, tx, request.agency, reterr));
    AN_TRY(request_rule_of(n->desk, &request, n->desk->role, &rule, reterr));
    AN_TRY(an_request_items(tx, n->id, arena, &items, &count, reterr));
    AN_TRY(number_content(n, arena, &request, reterr));
    deed = request_deed(n->desk, rule.citation, "");
    return an_request_rewrite(tx, n->id, &request, items, count, &deed, reterr);
}

an_code
an_request_number(const struct an_desk *desk, int64_t id, const char *number, struct an_err *reterr)
{
    struct numbering n = {desk, id, number};

    return an_store_write(desk->instance->store, write_number, &n, reterr);
}

an_code
an_request_check_all(const struct an_desk *desk, int64_t id, an_check_fn each, void *context, size_t *ret_failed,
                     struct an_err *reterr)
{
    AN_CLEANUP(step_done) struct step s = {0};

    AN_TRY(open_step(desk, id, true, &s, reterr));
    return an_request_check(&s.gathered.facts, each, context, ret_failed, NULL, reterr);
}

/* ---- signing ---- */
struct signing {
    struct step *step;
    const struct an_person_key *key;
    uint8_t document[32];
    const char *signer;
};

static an_code
check_key(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct signing *s = context;

    return request_check_signer(s->step->desk, tx, s->key->cert, reterr);
}

static an_code
write_signed(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct signing *s = context;
    const struct an_desk *desk = s->step->desk;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(request_rule_done) struct request_rule rule = {0};
    struct an_dossier request;
    struct an_request_deed deed;

    AN_TRY(reread(tx, s->step, arena, &request, reterr));
    AN_TRY(request_rule_of(desk, &request, desk->role, &rule, reterr));
    deed = request_deed(desk, rule.citation, s->key ? "" : "bản giấy đã ký, đóng dấu");
    AN_TRY(an_request_move(tx, &request, AN_REQUEST_ACT_SIGN, &deed, reterr));
    return an_request_set_signed(tx, request.id, s->document, s->signer, desk->at, reterr);
}

/* A scan is a PDF with pages, whatever its name says. */
static an_code
keep_scan(const struct an_desk *desk, const char *path, uint8_t ret_hash[static 32], struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;
    struct an_pdf_open options = {.allow_rebuild = true};
    size_t pages = 0;
    an_code code;

    AN_TRY(an_file_open(path, AN_LIMIT_PAPER_BYTES, &file, reterr));
    code = an_pdf_open(file.bytes, &options, &pdf, reterr);
    if (code == AN_OK)
        code = an_pdf_page_count(pdf, AN_PDF_NOW, &pages, reterr);
    if (code == AN_OK && pages == 0)
        code = an_err_set(reterr, AN_E_PDF_HEADER, "0");
    if (code != AN_OK) {
        an_err_name_file(reterr, path);
        return code;
    }
    return an_paper_put(desk->instance, file.bytes, ret_hash, reterr);
}

static an_code
sign_digitally(struct step *step, struct signing *s, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(AN_LIMIT_PAPER_BYTES);

    AN_TRY(an_store_read(step->desk->instance->store, check_key, s, reterr));
    AN_TRY(request_lay_out(&step->request, &step->head, step->desk->at, &pdf, reterr));
    return request_sign_pdf(step->desk, an_buf_view(&pdf), s->key, step->head.person_name, s->document, reterr);
}

an_code
an_request_sign(const struct an_desk *desk, int64_t id, const struct an_person_key *key, const char *paper,
                struct an_err *reterr)
{
    AN_CLEANUP(step_done) struct step step = {0};
    AN_CLEANUP(an_free_ptr) char *serial = key ? an_desk_serial(key->cert) : an_strdup("paper");
    struct signing s = {.step = &step, .key = key, .signer = serial};

    AN_TRY(open_step(desk, id, false, &step, reterr));
    if (!an_request_may_follow(step.request.state, AN_REQUEST_ACT_SIGN))
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)id,
                an_request_state_name(step.request.state, false));
    if (step.head.id == 0 || step.head.person != desk->person)
        AN_FAIL(reterr, AN_E_REQUEST_HEAD, "%s: %s", step.request.agency, step.head.id ? step.head.person_number : "");
    if (key == NULL && !step.gathered.facts.may_be_paper)
        AN_FAIL(reterr, AN_E_CHECK_PAPER, "%s", step.request.agency);
    if (key == NULL)
        AN_TRY(keep_scan(desk, paper, s.document, reterr));
    else
        AN_TRY(sign_digitally(&step, &s, reterr));
    return an_store_write(desk->instance->store, write_signed, &s, reterr);
}

an_code
an_request_save_paper(const struct an_desk *desk, int64_t id, const char *path, struct an_err *reterr)
{
    AN_CLEANUP(step_done) struct step step = {0};
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(AN_LIMIT_PAPER_BYTES);
    AN_CLEANUP(an_file_close) struct an_file kept = AN_FILE_NONE;

    AN_TRY(open_step(desk, id, false, &step, reterr));
    if (step.request.has_document) {
        AN_TRY(an_paper_open(desk->instance, step.request.document, &kept, reterr));
        return an_file_write(path, kept.bytes, 0600, reterr);
    }
    if (step.head.id == 0)
        AN_FAIL(reterr, AN_E_REQUEST_HEAD, "%s", step.request.agency);
    AN_TRY(request_lay_out(&step.request, &step.head, desk->at, &pdf, reterr));
    return an_file_write(path, an_buf_view(&pdf), 0600, reterr);
}

/* ---- sending ---- */
struct sending {
    struct step *step;
    bool is_listed;
    struct an_answer *answer; /* borrowed */
};

static const char *
first_citation(const struct an_answer *answer)
{
    return answer->citation_count > 0 ? answer->citations[0] : "";
}

/* Bình Thuận Điều 17.1: a list that goes to the manager of subscribers is approved by him, then it goes on to the
 * authority. */
static bool
needs_list_approval(const struct step *s)
{
    return strcmp(s->request.addressee, LIST_MANAGER) == 0 && strcmp(s->desk->role, LIST_MANAGER) != 0;
}

/* Bắc Ninh Điều 5.3: one notice to the Centre; every notice that the regulation asks for beside the one to who
 * filed. */
static an_code
tell_others(struct an_tx *tx, struct sending *g, const struct an_dossier *request, struct an_err *reterr)
{
    struct request_word word = {.what = "sent", .subject = "Thông báo về hồ sơ yêu cầu chứng thực",
                                .body = "Cơ quan quản lý trực tiếp đã gửi hồ sơ yêu cầu chứng thực.",
                                .document = request->document, .citation = first_citation(g->answer)};

    for (size_t i = 0; i < g->answer->notice_count; i++) {
        word.role = g->answer->notices[i];
        if (strcmp(word.role, "qltt") != 0 && strcmp(word.role, "sender") != 0)
            AN_TRY(request_notify(g->step->desk, tx, request, &word, reterr));
    }
    return AN_OK;
}

static an_code
write_sent(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct sending *g = context;
    struct step *s = g->step;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    struct an_dossier request;
    struct an_request_deed deed = request_deed(s->desk, first_citation(g->answer), "");

    AN_TRY(reread(tx, s, arena, &request, reterr));
    AN_TRY(require_agency(s->desk, tx, request.agency, reterr));
    AN_TRY(an_request_claim(tx, &request, s->items, s->count, reterr));
    AN_TRY(an_request_move(tx, &request, g->is_listed ? AN_REQUEST_ACT_SEND_LIST : AN_REQUEST_ACT_SEND, &deed, reterr));
    AN_TRY(an_request_set_sent(tx, request.id, s->desk->at, reterr));
    return tell_others(tx, g, &request, reterr);
}

an_code
an_request_send(const struct an_desk *desk, int64_t id, an_check_fn each, void *context, struct an_request_sent *ret,
                struct an_err *reterr)
{
    AN_CLEANUP(step_done) struct step s = {0};
    AN_CLEANUP(an_answer_free) struct an_answer *answer = NULL;
    struct sending g = {.step = &s};
    size_t failed = 0;

    *ret = (struct an_request_sent){.due_at = AN_TIME_NONE};
    AN_TRY(open_step(desk, id, true, &s, reterr));
    if (!an_request_may_follow(s.request.state, AN_REQUEST_ACT_SEND))
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)id,
                an_request_state_name(s.request.state, false));
    AN_TRY(an_request_check(&s.gathered.facts, each, context, &failed, &answer, reterr));
    if (failed > 0)
        AN_FAIL(reterr, AN_E_REQUEST_CHECK, "%zu", failed);
    g.answer = answer;
    g.is_listed = needs_list_approval(&s);
    AN_TRY(an_store_write(desk->instance->store, write_sent, &g, reterr));
    ret->is_listed = g.is_listed;
    return g.is_listed ? AN_OK : an_request_receive(desk->instance, id, desk->at, ret, reterr);
}

/* ---- receiving: the other side looks for itself ---- */
struct receiving {
    struct step *step;
    struct an_answer *answer; /* borrowed */
    struct an_buf wrong;      /* what stands against it, a line each */
    size_t failed;
    struct an_due due;
};

static void
note_wrong(void *context, const struct an_check_finding *finding)
{
    struct receiving *r = context;
    AN_CLEANUP(an_buf_free) struct an_buf cite = an_buf_new(2048);

    if (finding->holds)
        return;
    an_citation_text(r->step->desk->instance->regulations, finding->citation, false, &cite);
    an_buf_printf(&r->wrong, "- %s%s%s (%.*s)\n", an_message_find(finding->code)->vi, finding->detail[0] ? ": " : "",
                  finding->detail,
                  AN_FMT(an_buf_view(&cite)));
}

/* The deadline that the regulation gives, in working days from the receipt of a valid dossier. */
static an_code
find_due(const struct an_desk *desk, const struct an_answer *answer, struct an_due *ret, struct an_err *reterr)
{
    struct an_calendar *calendar = NULL;

    *ret = (struct an_due){.due_utc = AN_TIME_NONE};
    if (!answer->deadline.is_set || strcmp(answer->deadline.unit, "working_day") != 0)
        return AN_OK;
    AN_TRY(an_calendar_open(NULL, NULL, &calendar, reterr));
    *ret = an_calendar_add_working_days(calendar, desk->at, answer->deadline.days);
    ret->unconfirmed = ret->unconfirmed || answer->deadline.unconfirmed;
    an_calendar_close(&calendar);
    return AN_OK;
}

static an_code
write_received(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct receiving *r = context;
    struct step *s = r->step;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    struct an_dossier request;
    struct an_request_deed deed = {.actor = "system", .role = s->request.addressee,
                                   .citation = first_citation(r->answer), .at = s->desk->at};

    AN_TRY(reread(tx, s, arena, &request, reterr));
    if (r->failed == 0) {
        AN_TRY(an_request_move(tx, &request, AN_REQUEST_ACT_RECEIVE, &deed, reterr));
        return an_request_set_received(tx, request.id, deed.at, deed.at, r->due.due_utc, reterr);
    }
    AN_TRY(an_request_move(tx, &request, AN_REQUEST_ACT_RETURN, &deed, reterr));
    AN_TRY(an_request_set_supplement(tx, request.id, (const char *)r->wrong.ptr, reterr));
    struct request_word word = {.role = "qltt", .what = "returned", .subject = "Yêu cầu bổ sung hồ sơ",
                                .body = (const char *)r->wrong.ptr, .citation = deed.citation};
    return request_notify(s->desk, tx, &request, &word, reterr);
}

an_code
an_request_receive(struct an_instance *instance, int64_t id, an_time at, struct an_request_sent *ret,
                   struct an_err *reterr)
{
    const struct an_desk desk = {.instance = instance, .number = "system", .role = "qltt", .at = at};
    AN_CLEANUP(step_done) struct step s = {0};
    AN_CLEANUP(an_answer_free) struct an_answer *answer = NULL;
    struct receiving r = {.step = &s, .wrong = an_buf_new(256 * 1024)};
    an_code code;

    AN_TRY(open_step(&desk, id, true, &s, reterr));
    if (s.request.state != AN_REQUEST_SENT)
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)id,
                an_request_state_name(s.request.state, false));
    code = an_request_check(&s.gathered.facts, note_wrong, &r, &r.failed, &answer, reterr);
    an_buf_byte(&r.wrong, 0);
    r.answer = answer;
    if (code == AN_OK)
        code = find_due(&desk, answer, &r.due, reterr);
    if (code == AN_OK)
        code = an_store_write(instance->store, write_received, &r, reterr);
    an_buf_free(&r.wrong);
    ret->is_returned = r.failed > 0;
    ret->due_at = r.failed > 0 ? AN_TIME_NONE : r.due.due_utc;
    ret->due_unconfirmed = r.due.unconfirmed;
    return code;
}

/* ---- withdrawing: until the other side has accepted it ---- */
static bool
lies_elsewhere(enum an_request_state state)
{
    return state == AN_REQUEST_LISTED || state == AN_REQUEST_SENT || state == AN_REQUEST_CHECKING;
}

static an_code
write_withdrawn(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct step *s = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    struct an_dossier request;
    struct an_request_deed deed = request_deed(s->desk, s->citation, s->detail);

    AN_TRY(reread(tx, s, arena, &request, reterr));
    AN_TRY(require_agency(s->desk, tx, request.agency, reterr));
    AN_TRY(an_request_move(tx, &request, AN_REQUEST_ACT_WITHDRAW, &deed, reterr));
    AN_TRY(an_request_close(tx, request.id, s->detail, s->desk->at, reterr));
    if (!lies_elsewhere(s->request.state))
        return AN_OK;
    struct request_word word = {.role = s->request.state == AN_REQUEST_LISTED ? LIST_MANAGER : request.addressee,
                                .what = "withdrawn", .subject = "Cơ quan quản lý trực tiếp rút hồ sơ",
                                .body = s->detail, .citation = s->citation};
    return request_notify(s->desk, tx, &request, &word, reterr);
}

an_code
an_request_withdraw(const struct an_desk *desk, int64_t id, const char *reason, struct an_err *reterr)
{
    AN_CLEANUP(step_done) struct step s = {0};

    AN_TRY(open_step(desk, id, false, &s, reterr));
    s.citation = "";
    s.detail = reason ? reason : "";
    if (lies_elsewhere(s.request.state) && s.detail[0] == '\0') /* who has it is told why */
        AN_FAIL(reterr, AN_E_REQUEST_REASON, "--reason");
    return an_store_write(desk->instance->store, write_withdrawn, &s, reterr);
}
