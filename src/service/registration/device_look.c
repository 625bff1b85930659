/* Looking at devices and at their records: who may, and what he sees. */
#include "service/registration/device.h"

#include <stdio.h>

/* ---- a device ---- */
struct looking {
    const char *number;
    struct an_device device;
    struct an_subscriber subscriber;
    struct an_arena *arena;
    int64_t agency;
};

static an_code
find_looked_at(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct looking *l = context;

    AN_TRY(an_device_find_number(tx, l->number, l->arena, &l->device, reterr));
    if (l->device.subscriber != 0)
        AN_TRY(an_subscriber_find(tx, l->device.subscriber, l->arena, &l->subscriber, reterr));
    return an_service_holder_agency(tx, &l->device, l->arena, &l->agency, reterr);
}

an_code
an_service_device_look(const struct an_desk *desk, const char *number, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct looking l = {.number = number, .arena = arena};
    bool is_held = false;
    char object[96];

    AN_TRY(an_store_read(desk->instance->store, find_looked_at, &l, reterr));
    is_held = strcmp(l.device.holder_kind, "person") == 0 && l.device.holder == desk->person;
    if (l.agency == 0)
        l.agency = l.subscriber.agency; /* on its way: of whom it is made for */
    snprintf(object, sizeof(object), "device:%.64s", number);
    return an_registry_look_at(desk, "device.show", object, l.agency, is_held ? l.device.holder : l.subscriber.person,
                               reterr);
}

/* ---- records ---- */
struct reading {
    const struct an_desk *desk;
    int64_t id, agency; /* agency 0 = all of them are his to see */
    struct an_record record;
    struct an_buf *pdf;
    struct an_arena *arena;
    const char *device;
    an_record_fn each;
    void *context;
};

/* Who signs it sees it. */
static bool
is_signer(const struct an_desk *desk, const struct an_record *record)
{
    return desk->person != 0 && (record->giver_signer == desk->person || record->taker_signer == desk->person);
}

static bool
is_side(const struct an_record *record, int64_t agency)
{
    return (strcmp(record->giver_kind, "agency") == 0 && record->giver == agency) ||
           (strcmp(record->taker_kind, "agency") == 0 && record->taker == agency);
}

static an_code
find_record(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct reading *r = context;

    AN_TRY(an_record_find(tx, r->id, r->arena, &r->record, reterr));
    return an_record_pdf(tx, r->id, r->pdf, reterr);
}

an_code
an_service_record_paper(const struct an_desk *desk, int64_t record, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct reading r = {.desk = desk, .id = record, .arena = arena, .pdf = ret};
    int64_t agency;
    char object[64];
    an_code code = an_store_read(desk->instance->store, find_record, &r, reterr);

    if (code == AN_OK) {
        snprintf(object, sizeof(object), "record:%.40s", r.record.number);
        agency = strcmp(r.record.giver_kind, "agency") == 0 ? r.record.giver : strcmp(r.record.taker_kind,
                "agency") == 0 ? r.record.taker : 0;
        code = an_registry_look_at(desk, "device.show", object, agency, is_signer(desk, &r.record) ? desk->person : 0,
                                   reterr);
    }
    if (code != AN_OK)
        an_buf_reset(ret); /* nothing of what was looked up on the way to a refusal */
    return code;
}

static an_code
pass_record(void *context, const struct an_record *record, struct an_err *reterr)
{
    const struct reading *r = context;

    if (r->agency != 0 && !is_signer(r->desk, record) && !is_side(record, r->agency))
        return AN_OK;
    return r->each(r->context, record, reterr);
}

static an_code
read_records(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct reading *r = context;
    struct an_device device = {0};

    if (r->device != NULL)
        AN_TRY(an_device_find_number(tx, r->device, r->arena, &device, reterr));
    return an_record_each(tx, device.id, pass_record, r, reterr);
}

an_code
an_service_record_list(const struct an_desk *desk, const char *device, an_record_fn each, void *context,
                       struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct reading r = {.desk = desk, .arena = arena, .device = device, .each = each, .context = context};

    if (device != NULL)
        AN_TRY(an_service_device_look(desk, device, reterr));
    else if (strcmp(desk->role, "thue-bao") == 0)
        r.agency = -1; /* no agency's: those alone that he signs */
    else
        AN_TRY(an_registry_look(desk, "device.list", &r.agency, reterr));
    return an_store_read(desk->instance->replica, read_records, &r, reterr);
}
