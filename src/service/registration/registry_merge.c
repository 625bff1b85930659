#include "service/registration/registry_merge.h"

#include <stdio.h>

struct merging {
    struct an_reorganisation plan;
    an_reorganisation_fn each;
    void *context;
    int64_t id;
    bool is_merge;
};

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
    if (m->is_merge)
        AN_TRY(an_agency_merge(tx, &m->plan, m->each, m->context, &m->id, reterr));
    else
        AN_TRY(an_person_transfer(tx, &m->plan, m->each, m->context, &m->id, reterr));
    snprintf(act->detail, sizeof(act->detail), "{\"reorganisation\":%lld,\"into\":%lld}", (long long)m->id,
             (long long)m->plan.into);
    return AN_OK;
}

/* The same way without a commit: nothing is written, and nothing is told to the log. */
static an_code
look(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct an_registry_act *act = context;
    struct merging *m = act->context;

    AN_TRY(authorise(act, tx, m, reterr));
    return m->is_merge ? an_agency_merge(tx, &m->plan, m->each, m->context, &m->id, reterr)
                       : an_person_transfer(tx, &m->plan, m->each, m->context, &m->id, reterr);
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

static an_code
undo(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const int64_t *id = act->context;
    const char *kind = NULL;
    bool is_undone = false;
    int64_t agency = 0;

    snprintf(act->object, sizeof(act->object), "reorganisation:%lld", (long long)*id);
    AN_TRY(an_reorganisation_find(tx, *id, act->arena, &kind, &agency, &is_undone, reterr));
    AN_TRY(an_registry_require(tx, act->desk, strcmp(kind, "merge") == 0 ? "agency.merge" : "person.transfer", agency,
                               reterr));
    return an_reorganisation_undo(tx, *id, act->desk->number, act->desk->at, reterr);
}

an_code
an_registry_undo(const struct an_desk *desk, int64_t id, struct an_err *reterr)
{
    return an_registry_do(desk, "reorganisation.undo", undo, &id, reterr);
}
