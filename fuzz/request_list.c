/* Lists of subscribers (CSV), the outbox's letters made of what stands in them. */
#include "request/notice.h"
#include "service/registration/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(1 << 20);
    struct an_request_list list = {0};

    if (an_request_list_parse(AN_BYTES(data, size), &list, NULL) != AN_OK)
        return 0;
    for (size_t i = 0; i < list.count; i++) {
        const struct an_request_subject *s = &list.subjects[i];
        struct an_letter letter = {.message_id = "<0a@mau.gov.vn>", .address = s->to ? s->to : "a@mau.gov.vn", .name = s->what ? s->what : "",
                                   .subject = s->subject, .body = s->ground ? s->ground : "", .created_at = 1764642605};
        struct an_letter_form form = {.from = "antin@mau.gov.vn", .from_name = s->device ? s->device : "", .letter = &letter};
        if (an_letter_write(&form, &out, NULL) != AN_OK)
            continue;
        for (size_t k = 0; k < out.len; k++)
            AN_ASSERT(out.ptr[k] < 0x80 && (out.ptr[k] != '\n' || (k > 0 && out.ptr[k - 1] == '\r')));
    }
    an_request_list_done(&list);
    return 0;
}
