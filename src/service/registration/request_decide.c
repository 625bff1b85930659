/*
 * The deciding side: accept, ask for a supplement, decide item by item; refusing: request_refuse.c. Each decision is a
 * CMS signature by the officer over the item as it stands (decision/); how many officers it takes is a parameter of the
 * regulation. Who filed never decides.
 */
#include "service/registration/request_internal.h"

#include "decision/decision.h"
#include "service/registration/papers.h"

#include <stdio.h>

an_code
request_find_to_decide(const struct an_desk *desk, struct an_tx *tx, int64_t id, struct an_arena *arena,
                       struct an_dossier *ret, struct request_rule *ret_rule, struct an_err *reterr)
{
    AN_TRY(an_request_find(tx, id, arena, ret, reterr));
    if (ret->state == AN_REQUEST_LISTED) /* the list lies before its manager, not yet before the authority */
        ret->addressee = "nguoi-quan-ly-thue-bao";
    return request_require_authority(desk, ret, ret_rule, reterr);
}

/* ---- accept, supplement ---- */
struct judging {
    const struct an_desk *desk;
    int64_t id;
    enum an_request_act act;
    const char *reason;
};

static an_code
write_judged(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct judging *j = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(request_rule_done) struct request_rule rule = {0};
    struct an_dossier request;
    struct an_request_deed deed;

    AN_TRY(request_find_to_decide(j->desk, tx, j->id, arena, &request, &rule, reterr));
    if (j->act == AN_REQUEST_ACT_ACCEPT)
        AN_TRY(request_require_form(j->desk, tx, &request, reterr));
    deed = request_deed(j->desk, rule.citation, j->reason ? j->reason : "");
    AN_TRY(an_request_move(tx, &request, j->act, &deed, reterr));
    if (j->act != AN_REQUEST_ACT_SUPPLEMENT)
        return AN_OK;
    struct request_word word = {.role = "qltt", .what = "supplement", .subject = "Yêu cầu bổ sung hồ sơ",
                                .body = j->reason, .citation = rule.citation};
    AN_TRY(an_request_set_supplement(tx, request.id, j->reason, reterr));
    return request_notify(j->desk, tx, &request, &word, reterr);
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
    struct request_refusal refusal; /* of what is not approved: the letter */
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
    request_refusal_done(&d->refusal);
}

static const char *
matter_act(const struct deciding *d)
{
    return d->is_list ? "request.approve-list" : "request.approve";
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
check_decider(struct an_tx *tx, const struct deciding *d, const struct an_dossier *request, struct an_err *reterr)
{
    AN_TRY(request_check_signer(d->desk, tx, d->key->cert, reterr));
    if (d->verdict->approve)
        AN_TRY(request_require_form(d->desk, tx, request, reterr));
    return an_request_history(tx, d->id, see_filing, (void *)(uintptr_t)d->desk, reterr);
}

/* First commit: the matters stand, each about one item as it is. */
static an_code
open_matters(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct deciding *d = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(request_rule_done) struct request_rule rule = {0};
    struct an_dossier request;
    struct an_request_item *items = NULL;
    size_t count = 0;

    AN_TRY(request_find_to_decide(d->desk, tx, d->id, arena, &request, &rule, reterr));
    d->is_list = request.state == AN_REQUEST_LISTED;
    if (!d->is_list && !an_request_may_follow(request.state, AN_REQUEST_ACT_DECIDE))
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)d->id,
                an_request_state_name(request.state, false));
    AN_TRY(check_decider(tx, d, &request, reterr));
    AN_TRY(an_request_items(tx, d->id, arena, &items, &count, reterr));
    if (d->ballots == NULL)
        d->ballots = an_new_array(count, sizeof(*d->ballots));
    d->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!request_is_wanted(d->verdict, items[i].place))
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
    struct an_dossier request;
    struct an_request_deed deed;

    d->decided = 0;
    AN_TRY(request_find_to_decide(d->desk, tx, d->id, arena, &request, &rule, reterr));
    AN_TRY(check_decider(tx, d, &request, reterr)); /* again: certificates may have been revoked while he signed */
    if ((request.state == AN_REQUEST_LISTED) != d->is_list)
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)d->id,
                an_request_state_name(request.state, false));
    if (!d->is_list) {
        deed = request_deed(d->desk, rule.citation, d->verdict->approve ? "" : d->verdict->reason);
        AN_TRY(an_request_move(tx, &request, AN_REQUEST_ACT_DECIDE, &deed, reterr));
    }
    for (size_t i = 0; i < d->count; i++)
        AN_TRY(cast_ballot(tx, d, &d->ballots[i], reterr));
    if (!d->verdict->approve)
        AN_TRY(request_tell_refusal(d->desk, tx, &request, &d->refusal, rule.citation, reterr));
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
    if (!verdict->approve)
        AN_TRY(request_write_refusal(desk, id, verdict, key, &d.refusal, reterr));
    AN_TRY(an_store_write(desk->instance->store, cast_ballots, &d, reterr));
    *ret_decided = d.decided;
    return d.is_list && verdict->approve ? an_request_receive(desk->instance, id, desk->at, &sent, reterr) : AN_OK;
}
