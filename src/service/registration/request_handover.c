/* Telling the result, and the end of a dossier whose devices are handed over. */
#include "service/registration/request_internal.h"

#include <stdio.h>
#include <stdlib.h>

char *
request_result_text(const struct an_desk *desk, const struct an_dossier *request, bool hands_over)
{
    struct an_date day = an_date_of(desk->at, 7 * 60);

    if (hands_over)
        return an_asprintf("Yêu cầu đã được thực hiện ngày %02d/%02d/%04d. Đề nghị cơ quan quản lý trực tiếp đến tiếp nhận thiết bị lưu khóa bí mật trong "
                           "giờ hành chính, tại trụ sở %s.",
                           day.day, day.month, day.year, an_word_name(desk->instance->regulations, AN_WORD_ROLE,
                                                                      request->addressee, false));
    if (request->kind == AN_REQUEST_REVOKE)
        return an_asprintf("Chứng thư đã bị thu hồi ngày %02d/%02d/%04d. Trong 05 ngày làm việc kể từ khi nhận thông báo này, cơ quan quản lý trực tiếp thu hồi "
                           "và bàn giao thiết bị lưu khóa bí mật (hoặc gửi biên bản xác nhận thất lạc).",
                           day.day, day.month, day.year);
    return an_asprintf("Yêu cầu %s đã được thực hiện ngày %02d/%02d/%04d.", an_request_kind_name(request->kind, false),
                       day.day, day.month, day.year);
}

struct handing {
    const struct an_desk *desk;
    int64_t id, record;
    char numbers[64][64];
    size_t count;
};

static an_code
gather_number(void *context, const struct an_device *device, struct an_err *reterr)
{
    struct handing *h = context;

    (void)reterr;
    if (h->count < AN_COUNT(h->numbers))
        snprintf(h->numbers[h->count++], sizeof(h->numbers[0]), "%s", device->number);
    return AN_OK;
}

/* Every device of the dossier must have gone by a record that both sides signed: the one named, or another. */
static an_code
check_devices(struct an_tx *tx, struct handing *h, struct an_arena *arena, struct an_err *reterr)
{
    struct an_request_item *items = NULL;
    size_t count = 0;

    AN_TRY(an_request_items(tx, h->id, arena, &items, &count, reterr));
    for (size_t i = 0; i < count; i++) {
        struct an_device device;
        bool named = false;
        if (items[i].state != AN_ITEM_DONE || items[i].device[0] == '\0')
            continue;
        for (size_t k = 0; k < h->count; k++)
            named = named || strcmp(h->numbers[k], items[i].device) == 0;
        AN_TRY(an_device_find_number(tx, items[i].device, arena, &device, reterr));
        if (!named && strcmp(device.holder_kind, "cuc") == 0)
            AN_FAIL(reterr, AN_E_REQUEST_HANDOVER, "%s", items[i].device);
    }
    return AN_OK;
}

static an_code
write_handover(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct handing *h = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(request_rule_done) struct request_rule rule = {0};
    struct an_dossier request;
    struct an_record record;
    struct an_request_deed deed;

    h->count = 0;
    AN_TRY(an_request_find(tx, h->id, arena, &request, reterr));
    AN_TRY(request_rule_of(h->desk, &request, h->desk->role, &rule, reterr));
    AN_TRY(an_record_find(tx, h->record, arena, &record, reterr));
    if (strcmp(record.state, "signed") != 0 || strcmp(record.step, "device.handover") != 0)
        AN_FAIL(reterr, AN_E_REQUEST_HANDOVER, "%s: %s", record.number, record.state);
    AN_TRY(an_record_devices(tx, h->record, gather_number, h, reterr));
    AN_TRY(check_devices(tx, h, arena, reterr));
    deed = request_deed(h->desk, record.form, record.number);
    AN_TRY(an_request_move(tx, &request, AN_REQUEST_ACT_HANDOVER, &deed, reterr));
    return an_request_close(tx, request.id, "", h->desk->at, reterr);
}

an_code
an_request_handover(const struct an_desk *desk, int64_t id, const char *record, struct an_err *reterr)
{
    struct handing h = {.desk = desk, .id = id, .record = record ? strtoll(record, NULL, 10) : 0};

    if (h.record < 1)
        AN_FAIL(reterr, AN_E_REQUEST_HANDOVER, "--record");
    return an_store_write(desk->instance->store, write_handover, &h, reterr);
}
