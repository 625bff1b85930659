/*
 * Records of hand-over, return and loss: drafted, signed by the giver, then by the taker; with the second signature,
 * and in the same commit, they are carried out.
 */
#include "base/limits.h"
#include "crypto/crypto.h"
#include "registry/device_internal.h"

#include <stdio.h>

#define R(kind, member) {kind, offsetof(struct an_record, member)}
static const struct col record_cols[] = {
    R(COL_INT, id), R(COL_TEXT, number), R(COL_TEXT, form), R(COL_TEXT, medium), R(COL_TEXT, state), R(COL_TIME, at),
    R(COL_TEXT, place),
    R(COL_TEXT, giver_kind), R(COL_INT, giver), R(COL_TEXT, taker_kind), R(COL_INT, taker), R(COL_INT, giver_signer),
    R(COL_INT, taker_signer),
    R(COL_TIME, giver_signed), R(COL_TIME, taker_signed), R(COL_TEXT, way), R(COL_TEXT, reason), R(COL_TEXT, step),
    R(COL_TEXT, made_by),
};

/* What a signed record of a step does to each device; state NULL = as it was. */
static const struct step {
    const char *step, *giver_kind, *taker_kind, *state;
    bool moves;
} steps[] = {
    {"device.handover", "cuc", "co-yeu", NULL, true},
    {"device.handover", "cuc", "buu-chinh", NULL, true},
    {"device.handover", "cuc", "agency", NULL, true},
    {"device.handover", "co-yeu", "co-yeu", NULL, true},
    {"device.handover", "co-yeu", "agency", NULL, true},
    {"device.handover", "buu-chinh", "agency", NULL, true},
    {"device.handover", "agency", "agency", NULL, true},
    {"device.handover", "agency", "person", "dang-dung", true},
    {"device.custody-change", "person", "person", NULL, true},
    {"device.return", "person", "agency", "da-thu-hoi", true},
    {"device.return", "agency", "agency", "da-thu-hoi", true},
    {"device.return", "agency", "cuc", "da-thu-hoi", true},
    {"device.return", "agency", "co-yeu", "da-thu-hoi", true},
    {"device.return", "agency", "buu-chinh", "da-thu-hoi", true},
    {"device.return", "co-yeu", "cuc", "da-thu-hoi", true},
    {"device.return", "buu-chinh", "cuc", "da-thu-hoi", true},
    {"device.report-lost", "person", "agency", "that-lac", false},
    {"device.report-lost", "agency", "agency", "that-lac", false},
};

static const struct step *
find_step(const struct an_record *record)
{
    for (size_t i = 0; i < AN_COUNT(steps); i++)
        if (strcmp(steps[i].step, record->step) == 0 && strcmp(steps[i].giver_kind, record->giver_kind) == 0 &&
            strcmp(steps[i].taker_kind, record->taker_kind) == 0)
            return &steps[i];
    return NULL;
}

static an_code
carry_out_one(struct an_tx *tx, const struct an_record *record, const struct step *step, const struct an_device *device,
              const char *actor,
              an_time at, struct an_err *reterr)
{
    const struct an_custody link = {.device = device->id, .giver_kind = record->giver_kind, .giver = record->giver,
                                    .taker_kind = record->taker_kind,
                                    .taker = record->taker, .at = at, .way = record->way, .record = record->id};

    if (strcmp(device->holder_kind, record->giver_kind) != 0 || device->holder != record->giver)
        AN_FAIL(reterr, AN_E_CUSTODY_HOLDER, "%s: %s %s", device->number, device->holder_kind, device->holder_name);
    if (step->moves)
        AN_TRY(an_custody_add(tx, &link, reterr));
    if (step->state != NULL && strcmp(step->state, device->state) != 0)
        AN_TRY(an_device_change_state(tx, device->id, step->state, actor, at, record->number, reterr));
    return AN_OK;
}

static an_code
carry_out(struct an_tx *tx, int64_t id, const char *actor, an_time at, struct an_err *reterr)
{
    AN_CLEANUP(device_list_done) struct device_list list = {.arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA)};
    const struct an_value value = AN_V_INT(id);
    struct an_record record = {0};
    const struct step *step;

    AN_TRY(an_record_find(tx, id, list.arena, &record, reterr));
    step = find_step(&record);
    if (step == NULL)
        AN_FAIL(reterr, AN_E_RECORD_STEP, "%s", record.step);
    AN_TRY(an_tx_each(tx, AN_SQL_RECORD_DEVICE_LIST, &value, 1, device_gather, &list, reterr));
    for (size_t i = 0; i < list.devices.count; i++)
        AN_TRY(carry_out_one(tx, &record, step, &list.devices.items[i], actor, at, reterr));
    return AN_OK;
}

/* ---- making ---- */
static an_code
check_record(struct an_tx *tx, const struct an_record *record, an_bytes pdf, const int64_t *devices, size_t count,
             struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA);

    if (find_step(record) == NULL)
        AN_FAIL(reterr, AN_E_RECORD_STEP, "%s: %s → %s", record->step, record->giver_kind, record->taker_kind);
    if (count == 0 || count > AN_LIMIT_RECORD_DEVICES)
        AN_FAIL(reterr, AN_E_LIMIT, "1–%d", AN_LIMIT_RECORD_DEVICES);
    if ((strcmp(record->medium, "paper") == 0) != (pdf.len == 0) || pdf.len > AN_LIMIT_RECORD_BYTES)
        AN_FAIL(reterr, AN_E_RECORD_STEP, "pdf: %zu byte", pdf.len);
    for (size_t i = 0; i < count; i++) {
        struct an_device device = {0};
        AN_TRY(an_device_find(tx, devices[i], arena, &device, reterr));
        if (strcmp(device.holder_kind, record->giver_kind) != 0 || device.holder != record->giver)
            AN_FAIL(reterr, AN_E_CUSTODY_HOLDER, "%s: %s %s", device.number, device.holder_kind, device.holder_name);
    }
    return AN_OK;
}

an_code
an_record_add(struct an_tx *tx, const struct an_record *record, an_bytes pdf, const int64_t *devices, size_t count,
              int64_t *ret_id,
              struct an_err *reterr)
{
    bool is_paper = strcmp(record->medium, "paper") == 0;
    uint8_t hash[AN_DIGEST_MAX];

    AN_TRY(check_record(tx, record, pdf, devices, count, reterr));
    an_hash_once(AN_SHA256, pdf, hash);
    const struct an_value values[] = {
        an_v_text(record->number), an_v_text(record->form), an_v_text(record->medium),
        an_v_text(is_paper ? "signed" : "draft"),
        AN_V_INT(record->at), reg_text(record->place), an_v_text(record->giver_kind), AN_V_INT(record->giver),
        an_v_text(record->taker_kind),
        AN_V_INT(record->taker), reg_id(record->giver_signer), reg_id(record->taker_signer), reg_text(record->way),
        reg_text(record->reason),
        an_v_text(record->step), is_paper ? AN_V_NULL : AN_V_BLOB(pdf),
        is_paper ? AN_V_NULL : AN_V_BLOB(AN_BYTES(hash, 32)),
        reg_text(record->made_by),
    };
    AN_TRY(an_tx_int(tx, AN_SQL_RECORD_INSERT, values, AN_COUNT(values), ret_id, reterr));
    for (size_t i = 0; i < count; i++) {
        const struct an_value pair[] = {AN_V_INT(*ret_id), AN_V_INT(devices[i])};
        AN_TRY(an_tx_run(tx, AN_SQL_RECORD_DEVICE_INSERT, pair, 2, NULL, reterr));
    }
    return is_paper ? carry_out(tx, *ret_id, record->made_by, record->at, reterr) : AN_OK;
}

/* ---- signing ---- */
an_code
an_record_signed(struct an_tx *tx, int64_t id, bool by_giver, const uint8_t before[static 32], an_bytes pdf,
                 const char *actor, an_time at,
                 struct an_err *reterr)
{
    uint8_t hash[AN_DIGEST_MAX];
    int64_t changed = 0;

    if (pdf.len == 0 || pdf.len > AN_LIMIT_RECORD_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu byte", pdf.len);
    an_hash_once(AN_SHA256, pdf, hash);
    const struct an_value values[] = {AN_V_INT(id), AN_V_BLOB(AN_BYTES(before, 32)), AN_V_BLOB(pdf),
                                      AN_V_BLOB(AN_BYTES(hash, 32)), AN_V_INT(at)};
    AN_TRY(an_tx_run(tx, by_giver ? AN_SQL_RECORD_GIVER_SIGNED : AN_SQL_RECORD_TAKER_SIGNED, values, AN_COUNT(values),
                     &changed, reterr));
    if (changed == 0)
        AN_FAIL(reterr, AN_E_RECORD_STATE, "#%lld", (long long)id);
    return by_giver ? AN_OK : carry_out(tx, id, actor, at, reterr);
}

an_code
an_record_void(struct an_tx *tx, int64_t id, struct an_err *reterr)
{
    const struct an_value value = AN_V_INT(id);
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_RECORD_VOID, &value, 1, &changed, reterr));
    if (changed == 0)
        AN_FAIL(reterr, AN_E_RECORD_STATE, "#%lld", (long long)id);
    return AN_OK;
}

/* ---- finding ---- */
an_code
an_record_find(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_record *ret, struct an_err *reterr)
{
    const struct an_value value = AN_V_INT(id);
    bool found = false;

    AN_TRY(reg_find(tx, AN_SQL_RECORD_FIND, &value, 1, COLS(record_cols), arena, ret, &found, reterr));
    if (!found)
        AN_FAIL(reterr, AN_E_RECORD_UNKNOWN, "#%lld", (long long)id);
    return AN_OK;
}

static an_code
keep_pdf(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    an_buf_append(context, an_row_blob(row, 0));
    return AN_OK;
}

an_code
an_record_pdf(struct an_tx *tx, int64_t id, struct an_buf *ret, struct an_err *reterr)
{
    const struct an_value value = AN_V_INT(id);
    bool found = false;

    an_buf_reset(ret);
    AN_TRY(an_tx_one(tx, AN_SQL_RECORD_PDF, &value, 1, keep_pdf, ret, &found, reterr));
    if (!found)
        AN_FAIL(reterr, AN_E_RECORD_UNKNOWN, "#%lld", (long long)id);
    if (!an_buf_ok(ret))
        AN_FAIL(reterr, AN_E_LIMIT, "%zu byte", ret->max);
    return AN_OK;
}

AN_VEC(record_vec, struct an_record);
struct record_list {
    struct an_arena *arena;
    struct record_vec records;
};

static void
record_list_done(struct record_list *list)
{
    record_vec_done(&list->records);
    an_arena_free(&list->arena);
}

static an_code
gather_record(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct record_list *list = context;

    return reg_fill(COLS(record_cols), row, list->arena, record_vec_push(&list->records), reterr);
}

an_code
an_record_each(struct an_tx *tx, int64_t device, an_record_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(record_list_done) struct record_list list = {.arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA)};
    const struct an_value value = AN_V_INT(device);

    AN_TRY(an_tx_each(tx, device ? AN_SQL_RECORD_LIST_DEVICE : AN_SQL_RECORD_LIST_OPEN, &value, device ? 1 : 0,
                      gather_record, &list, reterr));
    for (size_t i = 0; i < list.records.count; i++)
        AN_TRY(each(context, &list.records.items[i], reterr));
    return AN_OK;
}

an_code
an_record_devices(struct an_tx *tx, int64_t id, an_device_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(device_list_done) struct device_list list = {.arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA)};
    const struct an_value value = AN_V_INT(id);

    AN_TRY(an_tx_each(tx, AN_SQL_RECORD_DEVICE_LIST, &value, 1, device_gather, &list, reterr));
    for (size_t i = 0; i < list.devices.count; i++)
        AN_TRY(each(context, &list.devices.items[i], reterr));
    return AN_OK;
}
