#include "service/registration/registry_merge.h"
#include "service/registration/request_internal.h"

#include <stdio.h>

struct merging {
    struct an_reorganisation plan;
    an_reorganisation_fn each;
    void *context;
    int64_t id;
    bool is_merge;
};
struct passing {
    const struct merging *m;
    struct an_tx *tx;
    an_time at;
};

/* Of the certificates, those that are in force; of one that another authority issued nothing is known here. */
static an_code
pass_line(void *context, const struct an_reorganisation_line *line, struct an_err *reterr)
{
    const struct passing *passing = context;
    struct request_cert cert = {0};

    if (strcmp(line->kind, "change") == 0 || strcmp(line->kind, "revoke") == 0)
        AN_TRY(request_find_cert(passing->tx, line->what, &cert, reterr));
    if (cert.found && (cert.status == 1 || cert.status == 3 || cert.not_after <= passing->at))
        return AN_OK;
    return passing->m->each ? passing->m->each(passing->m->context, line, reterr) : AN_OK;
}

static an_code
reorganise(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    struct merging *m = act->context;
    struct passing passing = {m, tx, act->desk->at};

    return m->is_merge ? an_agency_merge(tx, &m->plan, pass_line, &passing, &m->id, reterr)
                       : an_person_transfer(tx, &m->plan, pass_line, &passing, &m->id, reterr);
}

static an_code
authorise(struct an_registry_act *act, struct an_tx *tx, const struct merging *m, struct an_err *reterr)
{
    struct an_person person = {0};
    an_code code;

    snprintf(act->object, sizeof(act->object), "agency:#%lld", (long long)m->plan.into);
    snprintf(act->citation, sizeof(act->citation), m->is_merge ? "nd-68-2024/17" : "nd-68-2024/15");
    if (m->is_merge)
        return an_registry_require(tx, act->desk, "agency.merge", 0, reterr);
    AN_TRY(an_person_find(tx, m->plan.person, act->arena, &person, reterr));
    snprintf(act->object, sizeof(act->object), "person:%s", person.number);
    code = an_registry_require(tx, act->desk, "person.transfer", person.agency, NULL);
    /* the new agency asks, or the old one */
    return code == AN_OK ? code : an_registry_require(tx, act->desk, "person.transfer", m->plan.into, reterr);
}

static an_code
carry_out(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    struct merging *m = act->context;

    AN_TRY(authorise(act, tx, m, reterr));
    m->plan.actor = act->desk->number;
    AN_TRY(reorganise(act, tx, reterr));
    snprintf(act->detail, sizeof(act->detail), "{\"reorganisation\":%lld,\"into\":%lld}", (long long)m->id,
             (long long)m->plan.into);
    return AN_OK;
}

/* The same way without a commit: nothing is written, and nothing is told to the log. */
static an_code
look(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct an_registry_act *act = context;

    AN_TRY(authorise(act, tx, act->context, reterr));
    return reorganise(act, tx, reterr);
}

static an_code
run(const struct an_desk *desk, struct merging *m, const char *action, int64_t *ret_id, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_registry_act act = {.desk = desk, .action = action, .arena = arena, .context = m};

    if (m->plan.dry_run)
        AN_TRY(an_store_read(desk->instance->store, look, &act, reterr));
    else
        AN_TRY(an_registry_do(desk, action, carry_out, m, reterr));
    *ret_id = m->id;
    return AN_OK;
}

an_code
an_registry_merge(const struct an_desk *desk, const struct an_reorganisation *plan, an_reorganisation_fn each,
                  void *context, int64_t *ret_id,
                  struct an_err *reterr)
{
    struct merging m = {.plan = *plan, .each = each, .context = context, .is_merge = true};

    return run(desk, &m, "agency.merge", ret_id, reterr);
}

an_code
an_registry_transfer(const struct an_desk *desk, const struct an_reorganisation *plan, an_reorganisation_fn each,
                     void *context, int64_t *ret_id,
                     struct an_err *reterr)
{
    struct merging m = {.plan = *plan, .each = each, .context = context};

    return run(desk, &m, "person.transfer", ret_id, reterr);
}

/* May he who asks do such a thing? It is told to the log under its own name. */
static an_code
require_again(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const int64_t *id = act->context;
    const char *kind = NULL;
    bool is_undone = false;
    int64_t agency = 0;

    snprintf(act->object, sizeof(act->object), "reorganisation:%lld", (long long)*id);
    AN_TRY(an_reorganisation_find(tx, *id, act->arena, &kind, &agency, &is_undone, reterr));
    return an_registry_require(tx, act->desk, strcmp(kind, "merge") == 0 ? "agency.merge" : "person.transfer", agency,
                               reterr);
}

an_code
an_registry_prepare(const struct an_desk *desk, int64_t id, an_request_prepared_fn each, void *context,
                    struct an_err *reterr)
{
    AN_TRY(an_registry_do(desk, "reorganisation.prepare", require_again, &id, reterr));
    return an_request_prepare(desk, id, each, context, reterr);
}

static an_code
undo(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const int64_t *id = act->context;

    AN_TRY(require_again(act, tx, reterr));
    AN_TRY(request_withdraw_prepared(act->desk, tx, *id, reterr));
    return an_reorganisation_undo(tx, *id, act->desk->number, act->desk->at, reterr);
}

an_code
an_registry_undo(const struct an_desk *desk, int64_t id, struct an_err *reterr)
{
    return an_registry_do(desk, "reorganisation.undo", undo, &id, reterr);
}
