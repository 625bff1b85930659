/* A request of a machine that makes and keeps its key itself: its approval opens the allowance (CMP, EST). */
#include "service/registration/request_internal.h"

#include "service/certification/enrol.h"

#include <stdio.h>

bool
request_is_self_enrol(const struct an_dossier *request)
{
    return request->kind == AN_REQUEST_NEW && strcmp(request->device_kind, "self-enrol") == 0;
}

/* "C=VN, O=Sở A\, B": what separates parts and what escapes it is escaped. */
static void
write_subject(const struct an_name_part *parts, size_t count, struct an_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        an_buf_printf(out, "%s%s=", i > 0 ? ", " : "", an_name_part_name(parts[i].oid));
        for (const char *c = parts[i].text; *c != '\0'; c++) {
            if (*c == ',' || *c == '\\')
                an_buf_byte(out, '\\');
            an_buf_byte(out, (uint8_t)*c);
        }
    }
    an_buf_byte(out, 0);
}

struct lawbook { struct an_profiles *profiles; struct an_rules *rules; };

static void
lawbook_done(struct lawbook *book)
{
    an_rules_free(&book->rules);
    an_profiles_free(&book->profiles);
}

an_code
request_allow_enrolment(struct an_tx *tx, const struct request_enrolment *what, struct an_err *reterr)
{
    AN_CLEANUP(lawbook_done) struct lawbook book = {0};
    AN_CLEANUP(an_buf_free) struct an_buf subject = an_buf_new(16 * 1024);
    struct an_approval approval;
    const struct an_enrol_allowance allowance = {
        .item = what->item, .authority = what->authority, .email = what->email && what->email[0] ? what->email : NULL,
        .subscriber = what->subscriber, .agency = what->agency, .reliance = what->reliance,
        .actor = {"system", "he-thong"}};
    struct an_enrol_allowance said = allowance;

    write_subject(what->subject, what->subject_count, &subject);
    if (!an_buf_ok(&subject))
        AN_FAIL(reterr, AN_E_LIMIT, "%s", what->item);
    said.subject = (const char *)subject.ptr;
    AN_TRY(an_profiles_open(NULL, &book.profiles, reterr));
    AN_TRY(an_rules_open(book.profiles, &book.rules, reterr));
    return an_enrol_allow(tx, book.profiles, book.rules, &said, &approval, reterr);
}

an_code
request_enrolment_text(struct an_tx *tx, const struct an_dossier *request, struct an_arena *arena, struct an_buf *ret,
                       struct an_err *reterr)
{
    struct an_request_item *items = NULL;
    size_t count = 0;

    an_buf_str(ret, "Yêu cầu đã được thực hiện. Thiết bị, dịch vụ, phần mềm tự tạo khóa và lấy chứng thư qua CMP hoặc EST bằng mã tham "
                    "chiếu dưới đây; mã bí mật đi kèm do cán bộ cấp chứng thư giao riêng.\n");
    AN_TRY(an_request_items(tx, request->id, arena, &items, &count, reterr));
    for (size_t i = 0; i < count; i++) {
        struct an_approval approval;
        char item[64], until[AN_TIME_TEXT_MAX];
        bool found = false;
        snprintf(item, sizeof(item), "request:%lld/item:%lld", (long long)request->id, (long long)items[i].place);
        AN_TRY(an_approval_of_item(tx, item, &approval, &found, reterr));
        if (found)
            an_buf_printf(ret, "- Mục %lld, %s: %s, trước %.10s\n", (long long)items[i].place, items[i].name,
                          approval.reference, an_time_format_vn(approval.expires_at, until));
    }
    return an_buf_ok(ret) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "request:%lld", (long long)request->id);
}
