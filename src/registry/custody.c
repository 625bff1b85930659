/* The chain of hands a device went through. */
#include "base/limits.h"
#include "registry/device_internal.h"

#define C(kind, member) {kind, offsetof(struct an_custody, member)}
static const struct col custody_cols[] = {
    C(COL_INT, device), C(COL_INT, seq), C(COL_TEXT, giver_kind), C(COL_INT, giver), C(COL_TEXT, taker_kind),
    C(COL_INT, taker), C(COL_TIME, at),
    C(COL_TEXT, way), C(COL_INT, record), C(COL_TEXT, record_number), C(COL_TEXT, giver_name), C(COL_TEXT, taker_name),
};

static an_code
check_link(struct an_tx *tx, const struct an_custody *link, const struct an_device *device, struct an_err *reterr)
{
    const struct an_value pair[] = {an_v_text(link->giver_kind), an_v_text(link->taker_kind)};
    const struct an_value record = AN_V_INT(link->record);
    int64_t count = 0;

    if (strcmp(device->holder_kind, link->giver_kind) != 0 || device->holder != link->giver)
        AN_FAIL(reterr, AN_E_CUSTODY_HOLDER, "%s: %s %s", device->number, device->holder_kind, device->holder_name);
    AN_TRY(an_tx_int(tx, AN_SQL_CUSTODY_STEP_COUNT, pair, 2, &count, reterr));
    if (count == 0 || (strcmp(link->giver_kind, link->taker_kind) == 0 && link->giver == link->taker))
        AN_FAIL(reterr, AN_E_CUSTODY_STEP, "%s → %s", link->giver_kind, link->taker_kind);
    AN_TRY(an_tx_int(tx, AN_SQL_RECORD_SIGNED_COUNT, &record, 1, &count, reterr));
    if (count == 0)
        AN_FAIL(reterr, AN_E_RECORD_STATE, "#%lld", (long long)link->record);
    return AN_OK;
}

an_code
an_custody_add(struct an_tx *tx, const struct an_custody *link, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA);
    struct an_device device = {0};

    AN_TRY(an_device_find(tx, link->device, arena, &device, reterr));
    AN_TRY(check_link(tx, link, &device, reterr));
    const struct an_value values[] = {
        AN_V_INT(link->device), AN_V_INT(device.link + 1), device.link ? AN_V_INT(device.link) : AN_V_NULL,
        an_v_text(link->giver_kind),
        AN_V_INT(link->giver), an_v_text(link->taker_kind), AN_V_INT(link->taker), AN_V_INT(link->at),
        reg_text(link->way), AN_V_INT(link->record),
    };
    const struct an_value holder[] = {AN_V_INT(link->device), AN_V_INT(device.link + 1), an_v_text(link->taker_kind),
                                      AN_V_INT(link->taker)};
    AN_TRY(an_tx_run(tx, AN_SQL_CUSTODY_INSERT, values, AN_COUNT(values), NULL, reterr));
    return an_tx_run(tx, AN_SQL_DEVICE_HOLDER_SET, holder, AN_COUNT(holder), NULL, reterr);
}

AN_VEC(custody_vec, struct an_custody);
struct custody_list {
    struct an_arena *arena;
    struct custody_vec links;
};

static void
custody_list_done(struct custody_list *list)
{
    custody_vec_done(&list->links);
    an_arena_free(&list->arena);
}

static an_code
gather_link(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct custody_list *list = context;

    return reg_fill(COLS(custody_cols), row, list->arena, custody_vec_push(&list->links), reterr);
}

an_code
an_custody_each(struct an_tx *tx, int64_t device, an_custody_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(custody_list_done) struct custody_list list = {.arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA)};
    const struct an_value value = AN_V_INT(device);

    AN_TRY(an_tx_each(tx, AN_SQL_CUSTODY_LIST, &value, 1, gather_link, &list, reterr));
    for (size_t i = 0; i < list.links.count; i++)
        AN_TRY(each(context, &list.links.items[i], reterr));
    return AN_OK;
}
