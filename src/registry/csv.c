#include "registry/csv.h"

#include "base/limits.h"
#include "base/utf8.h"

/* The first line that has any of the three tells, by the one it has most of: above the head there may be a title. */
static char
find_separator(an_bytes bytes)
{
    static const char signs[] = ",;\t";
    size_t counts[3] = {0}, most = 0;

    for (size_t i = 0, lines = 0; i < bytes.len && lines < 20; i++) {
        const char *sign = bytes.ptr[i] ? strchr(signs, bytes.ptr[i]) : NULL;
        if (sign != NULL)
            counts[sign - signs]++;
        if (bytes.ptr[i] != '\n')
            continue;
        lines++;
        if (counts[0] + counts[1] + counts[2] > 0)
            break;
    }
    for (size_t i = 1; i < 3; i++)
        most = counts[i] > counts[most] ? i : most;
    return signs[most];
}

void
an_csv_start(struct an_csv *csv, an_bytes bytes)
{
    if (an_bytes_starts_with(bytes, AN_LIT("\xEF\xBB\xBF")))
        bytes = an_bytes_slice(bytes, 3, bytes.len);
    *csv = (struct an_csv){.rest = bytes, .next_line = 1, .separator = find_separator(bytes),
                           .text = an_buf_new(AN_LIMIT_CSV_ROW)};
}

void
an_csv_done(struct an_csv *csv)
{
    an_buf_free(&csv->text);
}

static bool
begin_field(struct an_csv *csv)
{
    if (csv->count == AN_CSV_FIELDS_MAX)
        return false;
    csv->starts[csv->count++] = csv->text.len;
    return true;
}

/* From the quote on; false when it does not close. */
static bool
read_quoted(struct an_csv *csv, size_t *at)
{
    for (++*at; *at < csv->rest.len; ++*at) {
        uint8_t c = csv->rest.ptr[*at];
        if (c == '"' && !(*at + 1 < csv->rest.len && csv->rest.ptr[*at + 1] == '"')) {
            ++*at;
            return true;
        }
        if (c == '"')
            ++*at;
        csv->next_line += c == '\n';
        an_buf_byte(&csv->text, c);
    }
    return false;
}

static an_code
read_row(struct an_csv *csv, struct an_err *reterr)
{
    size_t at = 0;
    bool is_at_end = false;

    an_buf_reset(&csv->text);
    csv->count = 0;
    csv->line = csv->next_line;
    while (!is_at_end) {
        if (!begin_field(csv))
            AN_FAIL(reterr, AN_E_CSV, "%zu: > %d", csv->line, AN_CSV_FIELDS_MAX);
        if (at < csv->rest.len && csv->rest.ptr[at] == '"' && !read_quoted(csv, &at))
            AN_FAIL(reterr, AN_E_CSV, "%zu: \"", csv->line);
        while (at < csv->rest.len && csv->rest.ptr[at] != (uint8_t)csv->separator && csv->rest.ptr[at] != '\n') {
            if (csv->rest.ptr[at] != '\r')
                an_buf_byte(&csv->text, csv->rest.ptr[at]);
            at++;
        }
        an_buf_byte(&csv->text, 0);
        is_at_end = at >= csv->rest.len || csv->rest.ptr[at] == '\n';
        at++;
    }
    csv->next_line++;
    /* what stands behind it would be read by nobody */
    if (memchr(csv->rest.ptr, 0, at < csv->rest.len ? at : csv->rest.len) != NULL)
        AN_FAIL(reterr, AN_E_CSV, "%zu: NUL", csv->line);
    csv->rest = an_bytes_slice(csv->rest, at, csv->rest.len);
    if (!an_buf_ok(&csv->text))
        AN_FAIL(reterr, AN_E_CSV, "%zu: > %zu byte", csv->line, csv->text.max);
    for (size_t i = 0; i < csv->count; i++)
        if (!an_utf8_is_valid(an_bytes_of_str(an_csv_field(csv, i))))
            AN_FAIL(reterr, AN_E_CSV, "%zu: UTF-8", csv->line);
    return AN_OK;
}

an_code
an_csv_next(struct an_csv *csv, bool *ret_found, struct an_err *reterr)
{
    *ret_found = false;
    while (csv->rest.len > 0) {
        AN_TRY(read_row(csv, reterr));
        for (size_t i = 0; i < csv->count && !*ret_found; i++)
            *ret_found = an_csv_field(csv, i)[0] != '\0';
        if (*ret_found)
            return AN_OK;
    }
    return AN_OK;
}

const char *
an_csv_field(const struct an_csv *csv, size_t at)
{
    return at < csv->count && csv->text.ptr != NULL ? (const char *)csv->text.ptr + csv->starts[at] : "";
}

/* Where a spreadsheet begins to look: behind what it takes for a mark or a blank. */
static const char *
skip_unseen(const char *text)
{
    static const char *const unseen[] = {" ", "\xEF\xBB\xBF", "\xC2\xA0", "\xE2\x80\x8B"};

    for (size_t i = 0; i < AN_COUNT(unseen);)
        if (strncmp(text, unseen[i], strlen(unseen[i])) == 0)
            text += strlen(unseen[i]), i = 0;
        else
            i++;
    return text;
}

/* = + - @ and their full-width forms, which are read as the same; a tabulator or line end puts the rest into a cell of
 * its own. */
static bool
begins_formula(const char *text)
{
    static const char *const wide[] = {"\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};
    const char *first = skip_unseen(text);
    bool is_one = *first != '\0' && strchr("=+-@\t\r\n|%", *first) != NULL;

    for (size_t i = 0; i < AN_COUNT(wide); i++)
        is_one = is_one || strncmp(first, wide[i], strlen(wide[i])) == 0;
    return is_one;
}

void
an_csv_write(struct an_buf *out, const char *text, bool is_last)
{
    bool is_formula = begins_formula(text), is_quoted = is_formula || skip_unseen(text) != text ||
        strpbrk(text, ",;\"\n\r\t") != NULL;

    if (is_quoted)
        an_buf_byte(out, '"');
    if (is_formula)
        an_buf_byte(out, '\'');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"')
            an_buf_byte(out, '"');
        an_buf_byte(out, (uint8_t)*c);
    }
    if (is_quoted)
        an_buf_byte(out, '"');
    an_buf_str(out, is_last ? "\r\n" : ",");
}
