/* A list of subscribers as CSV: comma or semicolon, quoted as RFC 4180 says, the first line names the columns; or as a
 * workbook. */
#include "service/registration/request_internal.h"

#include "base/file.h"
#include "base/utf8.h"
#include "service/registration/workbook.h"

#include <stdio.h>
#include <strings.h>

#define LIST_BYTES_MAX ((size_t)8 * 1024 * 1024) /* 5,000 lines of 200 octets take 1 MB */
#define COLUMNS_MAX 32

static const struct { const char *name, *vi; size_t offset; } column_table[] = {
    {"subject", "số hiệu thuê bao", offsetof(struct an_request_subject, subject)},
    {"certificate", "số hiệu chứng thư", offsetof(struct an_request_subject, certificate)},
    {"device", "số hiệu thiết bị", offsetof(struct an_request_subject, device)},
    {"what", "thông tin cần thay đổi", offsetof(struct an_request_subject, what)},
    {"to", "thông tin mới", offsetof(struct an_request_subject, to)},
    {"ground", "lý do", offsetof(struct an_request_subject, ground)},
};

struct parsing {
    an_bytes text;
    size_t at, line;
    char separator;
    struct an_arena *arena;
    ptrdiff_t columns[COLUMNS_MAX]; /* offset in the struct; -1 = not ours */
    size_t column_count;
};

/* The octets of one field: RFC 4180, where "" inside quotes is one quote. */
static bool
take_octets(struct parsing *p, struct an_buf *field)
{
    bool quoted = p->at < p->text.len && p->text.ptr[p->at] == '"';

    for (p->at += quoted; p->at < p->text.len; p->at++) {
        uint8_t c = p->text.ptr[p->at];
        bool doubled = c == '"' && p->at + 1 < p->text.len && p->text.ptr[p->at + 1] == '"';
        if (!quoted && (c == (uint8_t)p->separator || c == '\n'))
            break;
        if (quoted && c == '"' && !doubled) {
            quoted = false;
            continue;
        }
        p->at += quoted && doubled;
        an_buf_byte(field, c);
    }
    return !quoted && an_buf_ok(field);
}

/* One field; *ret_last: the line ends after it. */
static an_code
next_field(struct parsing *p, const char **ret, bool *ret_last, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf field = an_buf_new(4096);

    if (!take_octets(p, &field))
        AN_FAIL(reterr, AN_E_REQUEST_LIST, "%zu", p->line);
    while (field.len > 0 && (field.ptr[field.len - 1] == '\r' || field.ptr[field.len - 1] == ' '))
        field.len--;
    *ret_last = p->at >= p->text.len || p->text.ptr[p->at] == '\n';
    p->at += p->at < p->text.len;
    *ret = an_arena_str(p->arena, an_buf_view(&field));
    if (*ret == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu", p->line);
    return AN_OK;
}

static ptrdiff_t
find_column(const char *name)
{
    AN_CLEANUP(an_buf_free) struct an_buf said = an_buf_new(4096), ours = an_buf_new(4096);

    if (!an_utf8_fold(&said, an_bytes_of_str(name)))
        return -1;
    for (size_t i = 0; i < AN_COUNT(column_table); i++) {
        an_buf_reset(&ours);
        if (strcasecmp(name, column_table[i].name) == 0 ||
            (an_utf8_fold(&ours, an_bytes_of_str(column_table[i].vi)) &&
             an_bytes_eq(an_buf_view(&said), an_buf_view(&ours))))
            return (ptrdiff_t)column_table[i].offset;
    }
    return -1;
}

static an_code
read_head(struct parsing *p, struct an_err *reterr)
{
    size_t end = an_bytes_find(p->text, AN_LIT("\n"), 0);
    an_bytes first = an_bytes_slice(p->text, 0, end);
    bool last = false, has_subject = false;

    p->separator = an_bytes_find(first, AN_LIT(";"), 0) != SIZE_MAX ? ';' : ',';
    while (!last && p->column_count < COLUMNS_MAX) {
        const char *name;
        AN_TRY(next_field(p, &name, &last, reterr));
        p->columns[p->column_count] = find_column(name);
        has_subject = has_subject || p->columns[p->column_count] == (ptrdiff_t)offsetof(struct an_request_subject,
                subject);
        p->column_count++;
    }
    if (!last || !has_subject)
        AN_FAIL(reterr, AN_E_REQUEST_LIST, "1: subject");
    return AN_OK;
}

static an_code
read_line(struct parsing *p, struct an_request_subject *subject, struct an_err *reterr)
{
    bool last = false;

    for (size_t column = 0; !last; column++) {
        const char *value;
        AN_TRY(next_field(p, &value, &last, reterr));
        if (column >= p->column_count && value[0] != '\0')
            AN_FAIL(reterr, AN_E_REQUEST_LIST, "%zu", p->line);
        if (column < p->column_count && p->columns[column] >= 0 && value[0] != '\0')
            memcpy((uint8_t *)subject + p->columns[column], &value, sizeof(value));
    }
    return AN_OK;
}

an_code
an_request_list_parse(an_bytes text, struct an_request_list *ret, struct an_err *reterr)
{
    struct parsing p = {.text = text, .line = 1};
    struct an_request_list list = {.arena = an_arena_new(REQUEST_ARENA_BYTES)};
    an_code code;

    if (an_bytes_starts_with(p.text, AN_LIT("\xEF\xBB\xBF")))
        p.at = 3;
    p.arena = list.arena;
    list.subjects = an_arena_alloc(list.arena, AN_LIMIT_REQUEST_ITEMS * sizeof(*list.subjects));
    code = an_utf8_is_valid(text) && memchr(text.ptr ? text.ptr : (const uint8_t *)"", 0, text.len) == NULL
               ? read_head(&p, reterr)
               : an_err_set(reterr, AN_E_REQUEST_LIST, "UTF-8");
    while (code == AN_OK && p.at < p.text.len) {
        struct an_request_subject subject = {0};
        p.line++;
        code = read_line(&p, &subject, reterr);
        if (code != AN_OK || subject.subject == NULL)
            continue; /* an empty line */
        if (list.count == AN_LIMIT_REQUEST_ITEMS)
            code = an_err_set(reterr, AN_E_REQUEST_EMPTY, "> %d", AN_LIMIT_REQUEST_ITEMS);
        else
            list.subjects[list.count++] = subject;
    }
    if (code == AN_OK)
        *ret = list;
    else
        an_request_list_done(&list);
    return code;
}

an_code
an_request_list_read(const char *path, struct an_request_list *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(LIST_BYTES_MAX), sheet = an_buf_new(LIST_BYTES_MAX);
    an_bytes list = AN_NONE;
    an_code code;

    AN_TRY(an_file_read(path, LIST_BYTES_MAX, &file, reterr));
    code = an_list_to_csv(an_buf_view(&file), &sheet, &list, reterr);
    if (code == AN_OK)
        code = an_request_list_parse(list, ret, reterr);
    if (code != AN_OK)
        an_err_name_file(reterr, path);
    return code;
}

void
an_request_list_done(struct an_request_list *list)
{
    an_arena_free(&list->arena);
    *list = (struct an_request_list){0};
}
