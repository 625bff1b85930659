/*
 * Who keeps the register. The direct managing agency answers for the data of its subscribers (NĐ 68/2024 Điều 37; Tây
 * Ninh Điều 18 khoản 1 điểm đ, i), the delegated body and Cục for all: decision 076. The law names no more; so this is
 * a table.
 */
#include "audit/audit.h"
#include "service/registration/registry.h"

#include <jansson.h>
#include <stdio.h>

static const struct may { const char *act, *everywhere, *own; } may_table[] = {
    {"agency.add", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
    {"agency.edit", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
    {"agency.code", "cuc so-khcn nguoi-quan-ly-thue-bao", ""},
    {"agency.merge", "cuc so-khcn nguoi-quan-ly-thue-bao", ""},
    {"person.add", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
    {"person.edit", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
    {"person.end", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
    {"person.post", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
    {"person.role", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
    {"person.transfer", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
    {"person.list", "cuc so-khcn nguoi-quan-ly-thue-bao kiem-tra", "qltt thu-truong phu-trach-cntt van-thu"},
    {"person.show", "cuc so-khcn nguoi-quan-ly-thue-bao kiem-tra", "qltt thu-truong phu-trach-cntt van-thu"},
    {"person.read", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt thu-truong"},
    {"subscriber.add", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
    {"subscriber.edit", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
    {"subscriber.end", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
    {"subscriber.list", "cuc so-khcn nguoi-quan-ly-thue-bao kiem-tra", "qltt thu-truong phu-trach-cntt van-thu"},
    {"subscriber.show", "cuc so-khcn nguoi-quan-ly-thue-bao kiem-tra", "qltt thu-truong phu-trach-cntt van-thu"},
    {"device.list", "cuc so-khcn nguoi-quan-ly-thue-bao kiem-tra co-yeu", "qltt thu-truong phu-trach-cntt van-thu"},
    {"device.show", "cuc so-khcn nguoi-quan-ly-thue-bao kiem-tra co-yeu", "qltt thu-truong phu-trach-cntt van-thu"},
    {"device.add", "cuc so-khcn nguoi-quan-ly-thue-bao co-yeu", ""},
    {"device.edit", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt phu-trach-cntt"},
    {"device.state", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt phu-trach-cntt"},
    {"device.wipe", "cuc so-khcn", ""},
    {"device.record", "cuc so-khcn nguoi-quan-ly-thue-bao co-yeu", "qltt phu-trach-cntt van-thu"},
    {"notice.run", "cuc so-khcn nguoi-quan-ly-thue-bao", ""},
    {"notice.send", "cuc so-khcn nguoi-quan-ly-thue-bao", ""},
    {"request.list", "cuc so-khcn nguoi-quan-ly-thue-bao kiem-tra co-yeu", "qltt thu-truong phu-trach-cntt van-thu"},
    {"request.show", "cuc so-khcn nguoi-quan-ly-thue-bao kiem-tra co-yeu", "qltt thu-truong phu-trach-cntt van-thu"},
    {"notice.list", "cuc so-khcn nguoi-quan-ly-thue-bao kiem-tra", "qltt thu-truong phu-trach-cntt van-thu"},
    {"registry.import", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
    {"registry.export", "cuc so-khcn nguoi-quan-ly-thue-bao", "qltt"},
};

static bool
holds(const char *roles, const char *role)
{
    size_t len = strlen(role);

    for (const char *at = roles; *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == len && strncmp(at, role, len) == 0)
            return true;
        at += word + strspn(at + word, " ");
    }
    return false;
}

static bool
is_system(const struct an_desk *desk)
{
    return desk->person == 0 && strcmp(desk->number, "system") == 0;
}

static const struct may *
find_may(const char *act)
{
    for (size_t i = 0; i < AN_COUNT(may_table); i++)
        if (strcmp(may_table[i].act, act) == 0)
            return &may_table[i];
    return NULL;
}

static bool
is_reading(const char *act)
{
    const char *dot = strchr(act, '.');

    return dot != NULL && holds("read list show", dot + 1);
}

an_code
an_registry_require(struct an_tx *tx, const struct an_desk *desk, const char *act, int64_t agency,
                    struct an_err *reterr)
{
    const struct may *may = find_may(act);
    bool is_own = false;

    if (is_system(desk))
        return AN_OK;
    /* held still, in this very transaction: a role that ended meanwhile does not act any more */
    AN_TRY(an_registry_may(tx, desk->person, desk->role, 0, desk->at, &is_own, NULL, reterr));
    /* which everybody is for himself, and which keeps no register */
    if (!is_own && strcmp(desk->role, "thue-bao") != 0)
        AN_FAIL(reterr, AN_E_DESK_ROLE, "%s/%s", desk->number, desk->role);
    if (may != NULL && holds(may->everywhere, desk->role))
        return AN_OK;
    if (may != NULL && holds(may->own, desk->role) && agency != 0) {
        AN_TRY(an_registry_may(tx, desk->person, desk->role, agency, desk->at, &is_own, NULL, reterr));
        if (is_own)
            return AN_OK;
    }
    AN_FAIL(reterr, is_reading(act) ? AN_E_REGISTRY_PERSONAL : AN_E_REGISTRY_MAY, "%s: %s", desk->role, act);
}

an_code
an_registry_tell(struct an_tx *tx, const struct an_desk *desk, const char *action, const char *object,
                 const char *citation, const char *detail,
                 struct an_err *reterr)
{
    const struct an_audit_event event = {.at = desk->at, .action = action, .actor = desk->number, .role = desk->role,
                                         .object = object,
                                         .outcome = "done", .citation = citation, .detail = detail};

    return an_audit_append(tx, &event, reterr);
}

/* ---- the seat ---- */
static an_code
count_duties(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_tx_int(tx, AN_SQL_DUTY_COUNT, NULL, 0, context, reterr);
}

/* Everybody in office acts for himself: "CB000004/thue-bao", or without a role when he holds none. */
struct own_seat {
    struct an_desk *desk;
    bool is_named; /* the role was */
};

static an_code
count_duty(void *context, const struct an_duty *duty, struct an_err *reterr)
{
    (void)duty, (void)reterr;
    ++*(size_t *)context;
    return AN_OK;
}

static an_code
sit_for_oneself(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct own_seat *seat = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_person person = {0};
    size_t duties = 0;

    AN_TRY(an_person_find_number(tx, seat->desk->number, arena, &person, reterr));
    AN_TRY(an_duty_each(tx, person.id, count_duty, &duties, reterr));
    if (strcmp(person.state, "active") != 0)
        AN_FAIL(reterr, AN_E_DESK_PERSON, "%s: %s", person.number, person.state);
    if (duties != 0 && !seat->is_named)
        AN_FAIL(reterr, AN_E_DESK_ROLE, "%s", person.number);
    seat->desk->person = person.id;
    seat->desk->agency = person.agency;
    snprintf(seat->desk->name, sizeof(seat->desk->name), "%s", person.name);
    return AN_OK;
}

static an_code
open_seat(struct an_instance *instance, const char *as, struct an_desk *ret, struct an_err *reterr)
{
    struct an_desk desk = {.instance = instance, .role = "thue-bao", .at = an_time_now()};
    const char *slash = as ? strchr(as, '/') : NULL;
    struct own_seat seat = {.desk = &desk, .is_named = slash != NULL && strcmp(slash, "/thue-bao") == 0};
    an_code code = an_desk_open(instance, as, AN_TIME_NONE, ret, reterr);

    if (code != AN_E_DESK_ROLE || (slash != NULL && !seat.is_named))
        return code;
    snprintf(desk.number, sizeof(desk.number), "%.*s", slash ? (int)(slash - as) : (int)strlen(as), as);
    if (an_store_read(instance->store, sit_for_oneself, &seat, NULL) != AN_OK)
        return code; /* what was said first says it better */
    *ret = desk;
    return AN_OK;
}

an_code
an_registry_seat(struct an_instance *instance, const char *as, struct an_desk *ret, struct an_err *reterr)
{
    int64_t duties = 0;

    if (as == NULL || strcmp(as, "system") != 0)
        return open_seat(instance, as, ret, reterr);
    AN_TRY(an_store_read(instance->store, count_duties, &duties, reterr));
    if (duties != 0)
        AN_FAIL(reterr, AN_E_REGISTRY_SETUP, "--as");
    *ret = (struct an_desk){.instance = instance, .number = "system", .role = "", .at = an_time_now()};
    return AN_OK;
}

/* ---- one act ---- */
struct doing {
    struct an_registry_act *act;
    an_registry_run run;
};

static an_code
do_act(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct doing *doing = context;
    struct an_registry_act *act = doing->act;

    an_arena_reset(act->arena);
    act->object[0] = act->citation[0] = act->detail[0] = '\0';
    AN_TRY(doing->run(act, tx, reterr));
    return an_registry_tell(tx, act->desk, act->action, act->object, act->citation, act->detail, reterr);
}

struct refusal {
    const struct an_registry_act *act;
    const struct an_err *err;
};

static an_code
tell_refusal(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct refusal *refusal = context;
    const struct an_message *message = an_message_find(refusal->err->code);
    char detail[64];
    const struct an_audit_event event = {.at = refusal->act->desk->at, .action = refusal->act->action,
                                         .actor = refusal->act->desk->number,
                                         .role = refusal->act->desk->role, .object = refusal->act->object,
                                         .outcome = "refused",
                                         .citation = message->cite, .detail = detail};

    snprintf(detail, sizeof(detail), "{\"code\":%d}", (int)refusal->err->code);
    return an_audit_append(tx, &event, reterr);
}

an_code
an_registry_do(const struct an_desk *desk, const char *action, an_registry_run run, void *context,
               struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_registry_act act = {.desk = desk, .action = action, .arena = arena, .context = context};
    struct doing doing = {&act, run};
    struct an_err err = {0};
    an_code code = an_store_write(desk->instance->store, do_act, &doing, &err);

    if (code != AN_OK && an_message_find(code)->kind == AN_KIND_REFUSED) {
        struct refusal refusal = {&act, &err};
        AN_TRY(an_store_write(desk->instance->store, tell_refusal, &refusal, reterr));
    }
    if (code != AN_OK && reterr != NULL)
        *reterr = err;
    return code;
}

/* ---- looking ---- */
struct looking {
    const char *object;
    int64_t agency, owner;
};

static an_code
look(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct looking *in = act->context;

    snprintf(act->object, sizeof(act->object), "%s", in->object);
    snprintf(act->citation, sizeof(act->citation), "luat-bvdlcn-2025");
    if (in->owner != 0 && in->owner == act->desk->person)
        return AN_OK;
    return an_registry_require(tx, act->desk, act->action, in->agency, reterr);
}

bool
an_registry_is_everywhere(const struct an_desk *desk, const char *act)
{
    const struct may *may = find_may(act);

    return is_system(desk) || (may != NULL && holds(may->everywhere, desk->role));
}

an_code
an_registry_look(const struct an_desk *desk, const char *act, int64_t *agency, struct an_err *reterr)
{
    char object[64] = "registry";
    struct looking in = {.object = object};

    if (*agency == 0 && !an_registry_is_everywhere(desk, act))
        *agency = desk->agency; /* his own is what he sees */
    if (*agency != 0)
        snprintf(object, sizeof(object), "agency:#%lld", (long long)*agency);
    in.agency = *agency;
    return an_registry_do(desk, act, look, &in, reterr);
}

an_code
an_registry_look_at(const struct an_desk *desk, const char *act, const char *object, int64_t agency, int64_t owner,
                    struct an_err *reterr)
{
    struct looking in = {object, agency, owner};

    return an_registry_do(desk, act, look, &in, reterr);
}
