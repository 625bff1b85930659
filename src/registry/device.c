/* Devices and their states. */
#include "registry/device.h"
#include "registry/device_internal.h"

#include "base/limits.h"

#include <stdio.h>

const struct an_device_state an_device_states[] = {
    {"chua-dung", "Chưa dùng", "not in use yet"}, {"dang-dung", "Đang dùng", "in use"}, {"bi-khoa", "Bị khóa", "locked"},
    {"hong", "Hỏng", "broken"}, {"that-lac", "Thất lạc", "lost"}, {"da-thu-hoi", "Đã thu hồi", "withdrawn"},
};
const size_t an_device_state_count = AN_COUNT(an_device_states);

const struct an_device_state *
an_device_state_find(const char *id)
{
    for (size_t i = 0; i < AN_COUNT(an_device_states); i++)
        if (strcmp(an_device_states[i].id, id) == 0)
            return &an_device_states[i];
    return NULL;
}

#define D(kind, member) {kind, offsetof(struct an_device, member)}
const struct col device_cols[] = {
    D(COL_INT, id), D(COL_TEXT, kind), D(COL_TEXT, number), D(COL_TEXT, model), D(COL_TEXT, uri), D(COL_TEXT, carrier),
    D(COL_TEXT, phone),
    D(COL_TEXT, account), D(COL_INT, subscriber), D(COL_TEXT, state), D(COL_INT, event), D(COL_INT, link),
    D(COL_TEXT, holder_kind),
    D(COL_INT, holder), D(COL_TEXT, place), D(COL_TEXT, note), D(COL_TEXT, holder_name), D(COL_TEXT, subscriber_number),
    D(COL_TEXT, subscriber_name),
};
const size_t device_col_count = AN_COUNT(device_cols);
#define E(kind, member) {kind, offsetof(struct an_device_event, member)}
static const struct col event_cols[] = {
    E(COL_INT, seq), E(COL_TEXT, state_from), E(COL_TEXT, state_to), E(COL_TIME, at), E(COL_TEXT, actor),
    E(COL_TEXT, reason),
};

/* ---- fields ---- */
static const char *const carriers[] = {"Viettel", "Vinaphone", "Mobifone"};

static bool
equal_folded(const char *text, size_t len, const char *other)
{
    for (size_t i = 0; i < len; i++) {
        char a = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
        char b = other[i] >= 'A' && other[i] <= 'Z' ? (char)(other[i] + 32) : other[i];
        if (a != b)
            return false;
    }
    return other[len] == '\0';
}

an_code
an_sim_parse(const char *text, const char **ret_carrier, bool *ret_converts, struct an_err *reterr)
{
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);

    while (len > 0 && text[len - 1] == ' ')
        len--;
    if (slash != NULL && strcmp(slash, "/cs") != 0)
        AN_FAIL(reterr, AN_E_DEVICE_SIM, "%.40s", text);
    for (size_t i = 0; i < AN_COUNT(carriers); i++)
        if (len == strlen(carriers[i]) && equal_folded(text, len, carriers[i])) {
            *ret_carrier = carriers[i];
            *ret_converts = slash != NULL;
            return AN_OK;
        }
    AN_FAIL(reterr, AN_E_DEVICE_SIM, "%.40s", text);
}

static an_code
check_device(const struct an_device *device, struct an_err *reterr)
{
    static const char *const kinds[] = {"pki-token", "sim-pki", "hsm"};
    const char *kind = device->kind ? device->kind : "", *carrier = NULL, *number = device->number ? device->number
            : "";
    bool is_known = false, converts = false;

    for (size_t i = 0; i < AN_COUNT(kinds); i++)
        is_known |= strcmp(kind, kinds[i]) == 0;
    if (!is_known)
        AN_FAIL(reterr, AN_E_DEVICE_FIELD, "kind: %.20s", kind);
    if (number[0] == '\0' || strlen(number) > 64 || strspn(number,
                                                           "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_/") != strlen(number))
        AN_FAIL(reterr, AN_E_DEVICE_FIELD, "number: %.64s", number);
    if (device->uri != NULL && (strstr(device->uri, "pin-value") != NULL || strlen(device->uri) > 500))
        AN_FAIL(reterr, AN_E_DEVICE_FIELD, "uri");
    if (strcmp(kind, "sim-pki") == 0) {
        AN_TRY(an_sim_parse(device->carrier ? device->carrier : "", &carrier, &converts, reterr));
        if (device->phone == NULL || strspn(device->phone, "0123456789") != strlen(device->phone) ||
            strlen(device->phone) != 10 || device->phone[0] != '0')
            AN_FAIL(reterr, AN_E_DEVICE_SIM, "phone: %.20s", device->phone ? device->phone : "");
    }
    if (strcmp(kind, "hsm") == 0 && (device->account == NULL || device->account[0] == '\0'))
        AN_FAIL(reterr, AN_E_DEVICE_FIELD, "account");
    return AN_OK;
}

/* Mẫu 01: a number in use is converted, and then the carrier says so. In use is what the register has as the phone of
 * the person who gets the SIM. */
static an_code
check_number_in_use(struct an_tx *tx, const struct an_device *device, const char *carrier, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA);
    struct an_subscriber subscriber = {0};
    struct an_person person = {0};

    if (device->subscriber == 0 || strstr(carrier, "/cs") != NULL)
        return AN_OK;
    AN_TRY(an_subscriber_find(tx, device->subscriber, arena, &subscriber, reterr));
    if (subscriber.person == 0)
        return AN_OK;
    AN_TRY(an_person_find(tx, subscriber.person, arena, &person, reterr));
    if (person.phone != NULL && strcmp(person.phone, device->phone) == 0)
        AN_FAIL(reterr, AN_E_DEVICE_SIM, "%s/cs", carrier);
    return AN_OK;
}

/* The carrier as it is kept: "Viettel", "Viettel/cs"; "" of what is no SIM. */
static an_code
clean_carrier(struct an_tx *tx, const struct an_device *device, char ret[static 32], struct an_err *reterr)
{
    const char *carrier = NULL;
    bool converts = false;

    ret[0] = '\0';
    if (strcmp(device->kind, "sim-pki") != 0)
        return AN_OK;
    AN_TRY(an_sim_parse(device->carrier ? device->carrier : "", &carrier, &converts, reterr));
    snprintf(ret, 32, "%s%s", carrier, converts ? "/cs" : "");
    return check_number_in_use(tx, device, ret, reterr);
}

/* ---- adding, changing ---- */
static an_code
add_event(struct an_tx *tx, int64_t id, int64_t seq, const char *from, const char *to, const char *actor, an_time at,
          const char *reason,
          struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(id), AN_V_INT(seq), seq == 1 ? AN_V_NULL : AN_V_INT(seq - 1),
                                      an_v_text(from), an_v_text(to),
                                      AN_V_INT(at), reg_text(actor), reg_text(reason)};

    return an_tx_run(tx, AN_SQL_DEVICE_EVENT_INSERT, values, AN_COUNT(values), NULL, reterr);
}

an_code
an_device_add(struct an_tx *tx, const struct an_device *device, const char *actor, an_time at, int64_t *ret_id,
              struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    const char *place = NULL, *note = NULL;
    char carrier[32];
    bool is_taken = false;

    AN_TRY(check_device(device, reterr));
    AN_TRY(clean_carrier(tx, device, carrier, reterr));
    AN_TRY(reg_clean(arena, "place", device->place, &place, reterr));
    AN_TRY(reg_clean(arena, "note", device->note, &note, reterr));
    const struct an_value number = an_v_text(device->number);
    AN_TRY(an_tx_one(tx, AN_SQL_DEVICE_FIND_NUMBER, &number, 1, NULL, NULL, &is_taken, reterr));
    if (is_taken)
        AN_FAIL(reterr, AN_E_DEVICE_TAKEN, "%s", device->number);
    const struct an_value values[] = {
        an_v_text(device->kind), number, reg_text(device->model), reg_text(device->uri), an_v_text(carrier),
        reg_text(device->phone),
        reg_text(device->account), reg_id(device->subscriber), an_v_text(place), an_v_text(note),
    };
    AN_TRY(an_tx_int(tx, AN_SQL_DEVICE_INSERT, values, AN_COUNT(values), ret_id, reterr));
    return add_event(tx, *ret_id, 1, "", "chua-dung", actor, at, "", reterr);
}

an_code
an_device_edit(struct an_tx *tx, const struct an_device *device, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    const char *place = NULL, *note = NULL;
    char carrier[32];

    AN_TRY(check_device(device, reterr));
    AN_TRY(clean_carrier(tx, device, carrier, reterr));
    AN_TRY(reg_clean(arena, "place", device->place, &place, reterr));
    AN_TRY(reg_clean(arena, "note", device->note, &note, reterr));
    const struct an_value values[] = {reg_text(device->model), reg_text(device->uri), an_v_text(carrier),
                                      reg_text(device->phone), reg_text(device->account), reg_id(device->subscriber),
                                      an_v_text(place), an_v_text(note), AN_V_INT(device->id)};
    return an_tx_run(tx, AN_SQL_DEVICE_UPDATE, values, AN_COUNT(values), NULL, reterr);
}

an_code
an_device_change_state(struct an_tx *tx, int64_t id, const char *state, const char *actor, an_time at,
                       const char *reason, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA);
    struct an_device device = {0};
    int64_t allowed = 0;

    AN_TRY(an_device_find(tx, id, arena, &device, reterr));
    const struct an_value pair[] = {an_v_text(device.state), an_v_text(state)};
    AN_TRY(an_tx_int(tx, AN_SQL_DEVICE_TRANSITION_COUNT, pair, 2, &allowed, reterr));
    if (allowed == 0) {
        const struct an_device_state *from = an_device_state_find(device.state), *to = an_device_state_find(state);
        AN_FAIL(reterr, AN_E_DEVICE_STATE, "%s: %s → %s", device.number, from ? from->vi : device.state,
                to ? to->vi : state);
    }
    AN_TRY(add_event(tx, id, device.event + 1, device.state, state, actor, at, reason, reterr));
    const struct an_value values[] = {AN_V_INT(id), an_v_text(state), AN_V_INT(device.event + 1)};
    return an_tx_run(tx, AN_SQL_DEVICE_STATE_SET, values, AN_COUNT(values), NULL, reterr);
}

/* ---- finding, listing ---- */
an_code
an_device_find(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_device *ret, struct an_err *reterr)
{
    const struct an_value value = AN_V_INT(id);
    bool found = false;

    AN_TRY(reg_find(tx, AN_SQL_DEVICE_FIND, &value, 1, device_cols, device_col_count, arena, ret, &found, reterr));
    if (!found)
        AN_FAIL(reterr, AN_E_DEVICE_UNKNOWN, "#%lld", (long long)id);
    return AN_OK;
}

an_code
an_device_find_number(struct an_tx *tx, const char *number, struct an_arena *arena, struct an_device *ret,
                      struct an_err *reterr)
{
    const struct an_value value = an_v_text(number);
    bool found = false;

    AN_TRY(reg_find(tx, AN_SQL_DEVICE_FIND_NUMBER, &value, 1, device_cols, device_col_count, arena, ret, &found,
                    reterr));
    if (!found)
        AN_FAIL(reterr, AN_E_DEVICE_UNKNOWN, "%.64s", number);
    return AN_OK;
}

static an_code
take_number(void *context, const struct an_row *row, struct an_err *reterr)
{
    char *number = context;

    (void)reterr;
    snprintf(number, 64, "%s", an_row_text(row, 0));
    return AN_OK;
}

an_code
an_device_free(struct an_tx *tx, const char *kind, int64_t subscriber, char ret_number[static 64],
               struct an_err *reterr)
{
    const struct an_value values[] = {an_v_text(kind), AN_V_INT(subscriber)};
    bool found = false;

    ret_number[0] = '\0';
    AN_TRY(an_tx_one(tx, AN_SQL_DEVICE_FREE_OWN, values, 2, take_number, ret_number, &found, reterr));
    return found ? AN_OK : an_tx_one(tx, AN_SQL_DEVICE_FREE, values, 1, take_number, ret_number, &found, reterr);
}

an_code
device_gather(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct device_list *list = context;

    return reg_fill(device_cols, device_col_count, row, list->arena, device_vec_push(&list->devices), reterr);
}

void
device_list_done(struct device_list *list)
{
    device_vec_done(&list->devices);
    an_arena_free(&list->arena);
}

an_code
an_device_list(struct an_tx *tx, const struct an_device_page *page, an_device_fn each, void *context,
               struct an_err *reterr)
{
    AN_CLEANUP(device_list_done) struct device_list list = {.arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA)};
    size_t limit = page->limit == 0 ? 50 : page->limit < AN_PAGE_MAX ? page->limit : AN_PAGE_MAX;
    const struct an_value all[] = {reg_text(page->after), AN_V_INT(limit)};
    const struct an_value state[] = {reg_text(page->after), AN_V_INT(limit), reg_text(page->state)};
    const struct an_value holder[] = {reg_text(page->after), AN_V_INT(limit), reg_text(page->holder_kind),
                                      AN_V_INT(page->holder)};
    const struct an_value subscriber[] = {reg_text(page->after), AN_V_INT(limit), AN_V_INT(page->subscriber)};
    const struct an_value agency[] = {reg_text(page->after), AN_V_INT(limit), AN_V_INT(page->agency),
                                      reg_text(page->state)};

    if (page->subscriber != 0)
        AN_TRY(an_tx_each(tx, AN_SQL_DEVICE_PAGE_SUBSCRIBER, subscriber, AN_COUNT(subscriber), device_gather, &list,
                          reterr));
    else if (page->holder_kind != NULL)
        AN_TRY(an_tx_each(tx, AN_SQL_DEVICE_PAGE_HOLDER, holder, AN_COUNT(holder), device_gather, &list, reterr));
    else if (page->agency != 0)
        AN_TRY(an_tx_each(tx, AN_SQL_DEVICE_PAGE_AGENCY, agency, AN_COUNT(agency), device_gather, &list, reterr));
    else if (page->state != NULL)
        AN_TRY(an_tx_each(tx, AN_SQL_DEVICE_PAGE_STATE, state, AN_COUNT(state), device_gather, &list, reterr));
    else
        AN_TRY(an_tx_each(tx, AN_SQL_DEVICE_PAGE, all, AN_COUNT(all), device_gather, &list, reterr));
    for (size_t i = 0; i < list.devices.count; i++)
        AN_TRY(each(context, &list.devices.items[i], reterr));
    return AN_OK;
}

AN_VEC(event_vec, struct an_device_event);
struct event_list {
    struct an_arena *arena;
    struct event_vec events;
};

static void
event_list_done(struct event_list *list)
{
    event_vec_done(&list->events);
    an_arena_free(&list->arena);
}

static an_code
gather_event(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct event_list *list = context;

    return reg_fill(COLS(event_cols), row, list->arena, event_vec_push(&list->events), reterr);
}

an_code
an_device_events(struct an_tx *tx, int64_t id, an_device_event_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(event_list_done) struct event_list list = {.arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA)};
    const struct an_value value = AN_V_INT(id);

    AN_TRY(an_tx_each(tx, AN_SQL_DEVICE_EVENT_LIST, &value, 1, gather_event, &list, reterr));
    for (size_t i = 0; i < list.events.count; i++)
        AN_TRY(each(context, &list.events.items[i], reterr));
    return AN_OK;
}
