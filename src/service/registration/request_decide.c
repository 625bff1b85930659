/*
 * The deciding side: accept, ask for a supplement, refuse in writing, decide item by item. Each decision is a CMS
 * signature by the officer over the item as it stands (decision/); how many officers it takes is a parameter of the
 * regulation. Who filed never decides.
 */
#include "service/registration/request_internal.h"

#include "decision/decision.h"
#include "service/registration/papers.h"

#include <stdio.h>

struct judging {
    const struct an_desk *desk;
    int64_t id;
    enum an_request_act act;
    const char *reason;
    const uint8_t *document;
};

static an_code
find_for(struct an_tx *tx, const struct judging *j, struct an_arena *arena, struct an_dossier *request,
         struct request_rule *rule, struct an_err *reterr)
{
    AN_TRY(an_request_find(tx, j->id, arena, request, reterr));
    if (request->state == AN_REQUEST_LISTED) /* the list lies before its manager, not yet before the authority */
        request->addressee = "nguoi-quan-ly-thue-bao";
    return request_require_authority(j->desk, request, rule, reterr);
}

/* ---- accept, supplement, refuse ---- */
static an_code
write_judged(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct judging *j = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(request_rule_done) struct request_rule rule = {0};
    struct an_dossier request;
    struct an_request_deed deed;

    AN_TRY(find_for(tx, j, arena, &request, &rule, reterr));
    deed = request_deed(j->desk, rule.citation, j->act == AN_REQUEST_ACT_ACCEPT ? "" : j->reason);
    AN_TRY(an_request_move(tx, &request, j->act, &deed, reterr));
    if (j->act == AN_REQUEST_ACT_SUPPLEMENT) {
        AN_TRY(an_request_set_supplement(tx, request.id, j->reason, reterr));
        return request_tell_role(j->desk, tx, &request, "qltt", "supplement", "Yêu cầu bổ sung hồ sơ", j->reason, NULL,
                                 rule.citation, reterr);
    }
    if (j->act == AN_REQUEST_ACT_REFUSE) {
        AN_TRY(an_request_close(tx, request.id, j->reason, j->desk->at, reterr));
        return request_tell_role(j->desk, tx, &request, "qltt", "refused",
                                 "Thông báo không chấp nhận yêu cầu chứng thực", j->reason, j->document,
                                 rule.citation, reterr);
    }
    return AN_OK;
}

an_code
an_request_accept(const struct an_desk *desk, int64_t id, struct an_err *reterr)
{
    struct judging j = {.desk = desk, .id = id, .act = AN_REQUEST_ACT_ACCEPT};

    return an_store_write(desk->instance->store, write_judged, &j, reterr);
}

an_code
an_request_supplement(const struct an_desk *desk, int64_t id, const char *reason, struct an_err *reterr)
{
    struct judging j = {.desk = desk, .id = id, .act = AN_REQUEST_ACT_SUPPLEMENT, .reason = reason};

    if (reason == NULL || reason[0] == '\0')
        AN_FAIL(reterr, AN_E_REQUEST_REASON, "--reason");
    return an_store_write(desk->instance->store, write_judged, &j, reterr);
}

/* ---- the letter of refusal ---- */
struct refusing {
    const struct judging *judging;
    const struct an_person_key *key;
    struct an_arena *arena;
    struct an_dossier request;
    struct request_rule rule;
    struct an_agency agency, to;
    struct an_post post;
};

static an_code
read_refusing(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct refusing *r = context;
    const struct an_desk *desk = r->judging->desk;
    bool closed = false;

    AN_TRY(find_for(tx, r->judging, r->arena, &r->request, &r->rule, reterr));
    if (!an_request_may_follow(r->request.state, AN_REQUEST_ACT_REFUSE))
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)r->request.id,
                an_request_state_name(r->request.state, false));
    AN_TRY(request_check_signer(desk, tx, r->key->cert, reterr));
    AN_TRY(an_agency_find(tx, desk->agency, r->arena, &r->agency, reterr));
    AN_TRY(an_agency_find_code(tx, r->request.agency, r->arena, &r->to, &closed, reterr));
    AN_TRY(an_post_at(tx, desk->person, 0, desk->at, r->arena, &r->post, reterr));
    if (r->post.id == 0)
        AN_FAIL(reterr, AN_E_DESK_PERSON, "%s", desk->number);
    return AN_OK;
}

static an_code
make_refusal(struct refusing *r, uint8_t ret_hash[static 32], struct an_err *reterr)
{
    const struct an_desk *desk = r->judging->desk;
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(AN_LIMIT_PAPER_BYTES), cite = an_buf_new(4096);
    AN_CLEANUP(an_free_ptr) char *subject = NULL;
    AN_CLEANUP(an_free_ptr) char *first = NULL;
    AN_CLEANUP(an_free_ptr) char *why = NULL;

    an_citation_text(desk->instance->regulations, r->rule.citation, false, &cite);
    subject = an_asprintf("không chấp nhận đề nghị %s", an_request_kind_name(r->request.kind, false));
    first = an_asprintf("Qua kiểm tra hồ sơ số %s của %s về việc đề nghị %s, căn cứ %.*s, %s thông báo không chấp nhận yêu cầu, lý do như sau:",
                        r->request.number, r->to.name, an_request_kind_name(r->request.kind, false),
                        AN_FMT(an_buf_view(&cite)), r->agency.name);
    why = an_asprintf("%s./.", r->judging->reason);
    const char *lines[] = {first, why};
    struct request_letter letter = {.subject = subject, .to = r->to.name, .lines = lines, .count = AN_COUNT(lines)};
    AN_TRY(request_lay_out_letter(desk, &letter, &r->post, &r->agency, &pdf, reterr));
    return request_sign_pdf(desk, an_buf_view(&pdf), r->key, desk->name, ret_hash, reterr);
}

an_code
an_request_refuse(const struct an_desk *desk, int64_t id, const char *reason, const struct an_person_key *key,
                  struct an_err *reterr)
{
    uint8_t document[32];
    struct judging j = {.desk = desk, .id = id, .act = AN_REQUEST_ACT_REFUSE, .reason = reason, .document = document};
    struct refusing r = {.judging = &j, .key = key};
    an_code code;

    if (reason == NULL || reason[0] == '\0')
        AN_FAIL(reterr, AN_E_REQUEST_REASON, "--reason");
    r.arena = an_arena_new(REQUEST_ARENA_BYTES);
    code = an_store_read(desk->instance->store, read_refusing, &r, reterr);
    if (code == AN_OK)
        code = make_refusal(&r, document, reterr);
    request_rule_done(&r.rule);
    an_arena_free(&r.arena);
    return code != AN_OK ? code : an_store_write(desk->instance->store, write_judged, &j, reterr);
}

/* ---- item by item ---- */
struct ballot {
    int64_t place, matter;
    uint8_t facts[32];
    struct an_buf statement, cms;
};
struct deciding {
    const struct an_desk *desk;
    int64_t id;
    const struct an_request_verdict *verdict;
    const struct an_person_key *key;
    struct ballot *ballots;
    size_t count, decided;
    bool is_list;
    struct an_cert *signer;
};

static void
deciding_done(struct deciding *d)
{
    for (size_t i = 0; i < d->count; i++) {
        an_buf_free(&d->ballots[i].statement);
        an_buf_free(&d->ballots[i].cms);
    }
    free(d->ballots);
    an_cert_unref(&d->signer);
}

static const char *
matter_act(const struct deciding *d)
{
    return d->is_list ? "request.approve-list" : "request.approve";
}

static bool
is_wanted(const struct an_request_verdict *verdict, int64_t place)
{
    for (size_t i = 0; verdict->places != NULL && i < verdict->count; i++)
        if (verdict->places[i] == place)
            return true;
    return verdict->places == NULL;
}

static an_code
open_matter(struct an_tx *tx, struct deciding *d, const struct an_dossier *request, const struct an_request_item *item,
            struct ballot *ballot,
            struct an_err *reterr)
{
    char object[64];
    struct an_matter matter = {.act = matter_act(d), .object = object, .proposer = request->created_by,
                               .needed = d->is_list ? 1 : request_parameter(d->desk, request, "approve.officers", 1)};

    snprintf(object, sizeof(object), "request:%lld/item:%lld", (long long)request->id, (long long)item->place);
    memcpy(matter.facts, item->facts, 32);
    AN_TRY(an_matter_open(tx, &matter, d->desk->at, &ballot->matter, reterr));
    ballot->place = item->place;
    memcpy(ballot->facts, item->facts, 32);
    if (item->matter == 0 && !d->is_list)
        return an_request_item_set_matter(tx, request->id, item->place, ballot->matter, reterr);
    return AN_OK;
}

/* Who drafted, changed, signed or sent it has asked for it, and never decides on it (self-approval). */
static an_code
see_filing(void *context, const struct an_request_event *event, struct an_err *reterr)
{
    static const char *const filing[] = {"request.create", "request.edit", "request.sign", "request.send",
                                         "request.send-list"};
    const struct an_desk *desk = context;

    for (size_t i = 0; i < AN_COUNT(filing); i++)
        if (strcmp(event->act, filing[i]) == 0 && strcmp(event->actor, desk->number) == 0)
            AN_FAIL(reterr, AN_E_DECISION_SELF, "%s: %s", desk->number, event->act);
    return AN_OK;
}

static an_code
check_decider(struct an_tx *tx, const struct deciding *d, struct an_err *reterr)
{
    AN_TRY(request_check_signer(d->desk, tx, d->key->cert, reterr));
    return an_request_history(tx, d->id, see_filing, (void *)(uintptr_t)d->desk, reterr);
}

/* First commit: the matters stand, each about one item as it is. */
static an_code
open_matters(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct deciding *d = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(request_rule_done) struct request_rule rule = {0};
    struct judging j = {.desk = d->desk, .id = d->id};
    struct an_dossier request;
    struct an_request_item *items = NULL;
    size_t count = 0;

    AN_TRY(find_for(tx, &j, arena, &request, &rule, reterr));
    d->is_list = request.state == AN_REQUEST_LISTED;
    if (!d->is_list && !an_request_may_follow(request.state, AN_REQUEST_ACT_DECIDE))
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)d->id,
                an_request_state_name(request.state, false));
    AN_TRY(check_decider(tx, d, reterr));
    AN_TRY(an_request_items(tx, d->id, arena, &items, &count, reterr));
    if (d->ballots == NULL)
        d->ballots = an_new_array(count, sizeof(*d->ballots));
    d->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_wanted(d->verdict, items[i].place))
            continue;
        if (items[i].state != AN_ITEM_OPEN && d->verdict->places != NULL)
            AN_FAIL(reterr, AN_E_REQUEST_DECIDED, "request:%lld/item:%lld", (long long)d->id,
                    (long long)items[i].place);
        if (items[i].state == AN_ITEM_OPEN)
            AN_TRY(open_matter(tx, d, &request, &items[i], &d->ballots[d->count++], reterr));
    }
    if (d->count == 0)
        AN_FAIL(reterr, AN_E_REQUEST_DECIDED, "request:%lld", (long long)d->id);
    return AN_OK;
}

/* The officer signs each statement; each signature is checked before anything rests on it. */
static an_code
sign_ballots(struct deciding *d, struct an_err *reterr)
{
    AN_CLEANUP(an_desk_trust_done) struct an_desk_trust trust = {0};
    char object[64];
    struct an_decision decision = {.act = matter_act(d), .object = object, .decision = d->verdict->approve ? "approve"
                                   : "refuse",
                                   .reason = d->verdict->reason ? d->verdict->reason : "", .at = d->desk->at,
                                   .person = d->desk->number,
                                   .role = d->desk->role, .instance = d->desk->instance->config.instance};

    AN_TRY(an_desk_trust_load(d->desk->instance, &trust, reterr));
    /* request_check_signer found whose certificate it is: the register's, or an officer's; that one alone counts */
    AN_CLEANUP(an_certs_done) struct an_certs pinned = {0};
    an_certs_add(&pinned, d->key->cert);
    const struct an_decision_trust counts = {.pinned = &pinned, .anchors = &trust.anchors,
                                             .untrusted = &trust.untrusted, .crls = &trust.crls,
                                             .revocation = AN_REVOCATION_NONE};
    for (size_t i = 0; i < d->count; i++) {
        struct ballot *ballot = &d->ballots[i];
        if (d->verdict->progress != NULL)
            d->verdict->progress(d->verdict->context, i, d->count);
        snprintf(object, sizeof(object), "request:%lld/item:%lld", (long long)d->id, (long long)ballot->place);
        memcpy(decision.facts, ballot->facts, 32);
        ballot->statement = an_buf_new(16384);
        ballot->cms = an_buf_new(AN_LIMIT_CERT_BYTES);
        an_cert_unref(&d->signer);
        AN_TRY(an_decision_statement(&decision, &ballot->statement, reterr));
        AN_TRY(an_decision_sign(an_buf_view(&ballot->statement), d->key->cert, d->key->signer, &ballot->cms, reterr));
        AN_TRY(an_decision_check(an_buf_view(&ballot->statement), an_buf_view(&ballot->cms), &counts, d->desk->at,
                                 &d->signer, reterr));
    }
    return AN_OK;
}

static an_code
cast_ballot(struct an_tx *tx, struct deciding *d, struct ballot *ballot, struct an_err *reterr)
{
    struct an_vote vote = {.statement = an_buf_view(&ballot->statement), .cms = an_buf_view(&ballot->cms),
                           .signer = d->signer};
    struct an_matter_state state = {0};
    bool sealed;

    AN_TRY(an_matter_vote(tx, ballot->matter, &vote, d->desk->at, &state, reterr));
    sealed = state.sealed_at != AN_TIME_NONE;
    if (d->verdict->approve && !sealed)
        return AN_OK; /* another officer is needed */
    d->decided++;
    if (d->is_list && d->verdict->approve)
        return AN_OK; /* the list is approved; the item itself is for the authority */
    AN_TRY(an_request_item_decide(tx, d->id, ballot->place, d->verdict->approve, d->desk->number,
                                  d->verdict->reason ? d->verdict->reason : "",
                                  d->desk->at, reterr));
    return d->verdict->approve ? an_execution_plan(tx, d->id, ballot->place, d->desk->at, reterr) : AN_OK;
}

/* Who filed is told in writing what was not approved, and why (NĐ 68/2024 Điều 22; Đồng Tháp Điều 11.2b). */
static an_code
tell_refused(struct an_tx *tx, const struct deciding *d, const struct an_dossier *request, const char *citation,
             struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(512 * 1024);
    struct an_request_item *items = NULL;
    size_t count = 0;

    AN_TRY(an_request_items(tx, d->id, arena, &items, &count, reterr));
    for (size_t i = 0; i < count; i++)
        if (items[i].state == AN_ITEM_REFUSED)
            an_buf_printf(&text, "- Mục %lld, %s: %s\n", (long long)items[i].place, items[i].name, items[i].reason);
    if (text.len == 0)
        return AN_OK;
    an_buf_byte(&text, 0);
    return request_tell_role(d->desk, tx, request, "qltt", "refused", "Thông báo không chấp nhận yêu cầu chứng thực",
                             (const char *)text.ptr, NULL, citation, reterr);
}

/* When nothing is open any more the dossier goes on, or ends. */
static an_code
go_on(struct an_tx *tx, struct deciding *d, struct an_dossier *request, const char *citation, struct an_err *reterr)
{
    struct an_request_deed deed = request_deed(d->desk, citation, "");
    int64_t open = 0, approved = 0;

    AN_TRY(an_request_item_count(tx, d->id, AN_ITEM_OPEN, &open, reterr));
    AN_TRY(an_request_item_count(tx, d->id, AN_ITEM_APPROVED, &approved, reterr));
    if (d->is_list && open > 0 && !d->verdict->approve)
        return AN_OK;
    if (d->is_list && open > 0) {
        AN_TRY(an_request_move(tx, request, AN_REQUEST_ACT_APPROVE_LIST, &deed, reterr));
        return an_request_set_addressee(tx, d->id, "cuc", reterr);
    }
    if (open > 0)
        return AN_OK;
    AN_TRY(tell_refused(tx, d, request, citation, reterr));
    if (approved > 0)
        return an_request_move(tx, request, AN_REQUEST_ACT_BEGIN, &deed, reterr);
    AN_TRY(an_request_move(tx, request, d->is_list ? AN_REQUEST_ACT_REFUSE : AN_REQUEST_ACT_REFUSE_ALL, &deed, reterr));
    return an_request_close(tx, d->id, d->verdict->reason ? d->verdict->reason : "", d->desk->at, reterr);
}

/* Second commit: votes, what they decide, and where the dossier goes. */
static an_code
cast_ballots(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct deciding *d = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(request_rule_done) struct request_rule rule = {0};
    struct judging j = {.desk = d->desk, .id = d->id};
    struct an_dossier request;
    struct an_request_deed deed;

    d->decided = 0;
    AN_TRY(find_for(tx, &j, arena, &request, &rule, reterr));
    AN_TRY(check_decider(tx, d, reterr)); /* again: the certificate may have been revoked while he signed */
    if ((request.state == AN_REQUEST_LISTED) != d->is_list)
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)d->id,
                an_request_state_name(request.state, false));
    if (!d->is_list) {
        deed = request_deed(d->desk, rule.citation, d->verdict->approve ? "" : d->verdict->reason);
        AN_TRY(an_request_move(tx, &request, AN_REQUEST_ACT_DECIDE, &deed, reterr));
    }
    for (size_t i = 0; i < d->count; i++)
        AN_TRY(cast_ballot(tx, d, &d->ballots[i], reterr));
    return go_on(tx, d, &request, rule.citation, reterr);
}

an_code
an_request_decide(const struct an_desk *desk, int64_t id, const struct an_request_verdict *verdict,
                  const struct an_person_key *key,
                  size_t *ret_decided, struct an_err *reterr)
{
    AN_CLEANUP(deciding_done) struct deciding d = {.desk = desk, .id = id, .verdict = verdict, .key = key};
    struct an_request_sent sent = {0};

    if (!verdict->approve && (verdict->reason == NULL || verdict->reason[0] == '\0'))
        AN_FAIL(reterr, AN_E_REQUEST_REASON, "--reason");
    AN_TRY(an_store_write(desk->instance->store, open_matters, &d, reterr));
    AN_TRY(sign_ballots(&d, reterr));
    AN_TRY(an_store_write(desk->instance->store, cast_ballots, &d, reterr));
    *ret_decided = d.decided;
    return d.is_list && verdict->approve ? an_request_receive(desk->instance, id, desk->at, &sent, reterr) : AN_OK;
}
