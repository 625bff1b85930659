#include "registry/xlsx.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "registry/csv.h"

#include <stdlib.h>

/* ---- the scanner: one tag after the other, and the text before it ---- */
struct scan {
    an_bytes xml;
    size_t at;
    an_bytes text, tag; /* tag without brackets: "c r=\"A1\" t=\"s\"", "/c" */
};

static bool
next_tag(struct scan *scan)
{
    size_t open = an_bytes_find(scan->xml, AN_LIT("<"), scan->at), close;

    if (open == SIZE_MAX)
        return false;
    close = an_bytes_find(scan->xml, AN_LIT(">"), open);
    if (close == SIZE_MAX)
        return false;
    scan->text = an_bytes_slice(scan->xml, scan->at, open - scan->at);
    scan->tag = an_bytes_slice(scan->xml, open + 1, close - open - 1);
    scan->at = close + 1;
    return true;
}

/* "c", "/c", "c/": with a prefix or without. */
static bool
is_tag(an_bytes tag, const char *name)
{
    bool ends = tag.len > 0 && tag.ptr[0] == '/', wants_end = name[0] == '/';
    size_t start = ends ? 1 : 0, len = strlen(name + wants_end), stop = start;

    while (stop < tag.len && tag.ptr[stop] != ' ' && tag.ptr[stop] != '/' && tag.ptr[stop] != '\t' &&
           tag.ptr[stop] != '\n' && tag.ptr[stop] != '\r') {
        if (tag.ptr[stop] == ':')
            start = stop + 1;
        stop++;
    }
    return ends == wants_end && stop >= start && stop - start == len &&
           memcmp(tag.ptr + start, name + wants_end, len) == 0;
}

static an_bytes
attribute(an_bytes tag, const char *name)
{
    AN_CLEANUP(an_free_ptr) char *words = an_asprintf(" %s=\"", name);
    size_t at = an_bytes_find(tag, an_bytes_of_str(words), 0), end;

    if (at == SIZE_MAX)
        return AN_NONE;
    at += strlen(words);
    end = an_bytes_find(tag, AN_LIT("\""), at);
    return end == SIZE_MAX ? AN_NONE : an_bytes_slice(tag, at, end - at);
}

static void
append_reference(struct an_buf *out, an_bytes name)
{
    static const struct { const char *name; uint8_t letter; } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'},
            {"quot", '"'}, {"apos", '\''}};
    char number[16] = "";

    for (size_t i = 0; i < AN_COUNT(known); i++)
        if (an_bytes_eq_str(name, known[i].name))
            an_buf_byte(out, known[i].letter);
    if (name.len > 1 && name.len < 10 && name.ptr[0] == '#') {
        bool is_hex = name.ptr[1] == 'x';
        memcpy(number, name.ptr + 1 + is_hex, name.len - 1 - is_hex);
        unsigned long letter = strtoul(number, NULL, is_hex ? 16 : 10);
        if (letter > 0 && letter < 0x110000 && (letter < 0xD800 || letter > 0xDFFF))
            an_utf8_append(out, (uint32_t)letter);
    }
}

static void
append_text(struct an_buf *out, an_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        /* no longer than the longest reference: a run of ampersands is walked once */
        size_t end = text.ptr[i] == '&' ? an_bytes_find(an_bytes_slice(text, 0, i + 12), AN_LIT(";"), i) : SIZE_MAX;
        if (end != SIZE_MAX) {
            append_reference(out, an_bytes_slice(text, i + 1, end - i - 1));
            i = end;
        } else if (text.ptr[i] != 0) {
            an_buf_byte(out, text.ptr[i]);
        }
    }
}

/* ---- shared texts ---- */
AN_VEC(place_vec, size_t);
struct texts {
    struct an_buf all; /* each with a NUL behind it */
    struct place_vec places;
};

static void
texts_done(struct texts *texts)
{
    an_buf_free(&texts->all);
    place_vec_done(&texts->places);
}

static void
read_texts(an_bytes xml, struct texts *texts)
{
    struct scan scan = {.xml = xml};
    bool is_phonetic = false;

    while (next_tag(&scan)) {
        if (is_tag(scan.tag, "si"))
            *place_vec_push(&texts->places) = texts->all.len;
        else if (is_tag(scan.tag, "rPh") || is_tag(scan.tag, "/rPh"))
            is_phonetic = scan.tag.ptr[0] != '/';
        else if (is_tag(scan.tag, "/t") && !is_phonetic)
            append_text(&texts->all, scan.text);
        else if (is_tag(scan.tag, "/si"))
            an_buf_byte(&texts->all, 0);
    }
    an_buf_byte(&texts->all, 0);
}

/* ---- cells ---- */
struct sheet {
    const struct texts *texts;
    struct an_buf cells[AN_CSV_FIELDS_MAX];
    size_t count, column;
    size_t rows; /* written so far, blank ones too: a line is called by the number that people see */
    bool is_shared, is_in_cell;
};

/* "AB12" → 27; what has no reference follows the cell before. */
static size_t
column_of(an_bytes reference, size_t otherwise)
{
    size_t column = 0;

    for (size_t i = 0; i < reference.len && reference.ptr[i] >= 'A' && reference.ptr[i] <= 'Z' && i < 4; i++)
        column = column * 26 + (size_t)(reference.ptr[i] - 'A' + 1);
    return column ? column - 1 : otherwise;
}

static void
put_value(struct sheet *sheet, an_bytes text)
{
    struct an_buf *cell;
    char number[16] = "";
    size_t place;

    if (sheet->column >= AN_CSV_FIELDS_MAX)
        return;
    cell = &sheet->cells[sheet->column];
    if (!sheet->is_shared) {
        append_text(cell, text);
        return;
    }
    memcpy(number, text.ptr ? (const void *)text.ptr : "", text.len < 15 ? text.len : 15);
    place = strtoul(number, NULL, 10);
    if (place < sheet->texts->places.count && sheet->texts->places.items[place] < sheet->texts->all.len)
        an_buf_str(cell, (const char *)sheet->texts->all.ptr + sheet->texts->places.items[place]);
}

static an_code
finish_row(struct sheet *sheet, struct an_buf *out, struct an_err *reterr)
{
    for (size_t i = 0; i < sheet->count; i++) {
        an_buf_byte(&sheet->cells[i], 0);
        if (!an_buf_ok(&sheet->cells[i]))
            AN_FAIL(reterr, AN_E_LIMIT, "%zu byte", sheet->cells[i].max);
        an_csv_write(out, (const char *)sheet->cells[i].ptr, i + 1 == sheet->count);
        an_buf_reset(&sheet->cells[i]);
    }
    sheet->count = sheet->column = 0;
    sheet->rows++;
    return AN_OK;
}

#define ROWS_MAX 1048576 /* of a sheet (ECMA-376) */

/* Rows with nothing in them are left out of the file; their lines stay blank. */
static void
begin_row(struct sheet *sheet, an_bytes reference, struct an_buf *out)
{
    char number[16] = "";
    size_t row;

    memcpy(number, reference.ptr ? (const void *)reference.ptr : "", reference.len < 15 ? reference.len : 15);
    row = strtoul(number, NULL, 10);
    for (; row <= ROWS_MAX && sheet->rows + 1 < row && an_buf_ok(out); sheet->rows++)
        an_buf_str(out, "\r\n");
}

static an_code
take_tag(struct sheet *sheet, const struct scan *scan, struct an_buf *out, struct an_err *reterr)
{
    if (is_tag(scan->tag, "c")) {
        sheet->column = column_of(attribute(scan->tag, "r"), sheet->count);
        sheet->is_shared = an_bytes_eq_str(attribute(scan->tag, "t"), "s");
        if (sheet->column < AN_CSV_FIELDS_MAX && sheet->column >= sheet->count)
            sheet->count = sheet->column + 1;
    } else if (is_tag(scan->tag, "row")) {
        begin_row(sheet, attribute(scan->tag, "r"), out);
    } else if (is_tag(scan->tag, "/v") || is_tag(scan->tag, "/t")) {
        put_value(sheet, scan->text);
    } else if (is_tag(scan->tag, "/row") && sheet->count > 0) {
        return finish_row(sheet, out, reterr);
    }
    return AN_OK;
}

/* No spreadsheet program declares anything: whoever does wants to be expanded. */
static an_code
check_parts(an_bytes xml, an_bytes strings, struct an_err *reterr)
{
    if (an_bytes_find(xml, AN_LIT("<!DOCTYPE"), 0) != SIZE_MAX ||
        an_bytes_find(strings, AN_LIT("<!DOCTYPE"), 0) != SIZE_MAX)
        AN_FAIL(reterr, AN_E_XLSX, "DOCTYPE");
    if (an_bytes_find(xml, AN_LIT("sheetData"), 0) == SIZE_MAX)
        AN_FAIL(reterr, AN_E_XLSX, "sheetData");
    return AN_OK;
}

an_code
an_xlsx_to_csv(an_bytes xml, an_bytes strings, struct an_buf *out, struct an_err *reterr)
{
    AN_CLEANUP(texts_done) struct texts texts = {.all = an_buf_new(AN_LIMIT_XLSX_BYTES)};
    struct sheet sheet = {.texts = &texts};
    struct scan scan = {.xml = xml};
    an_code code = AN_OK;

    AN_TRY(check_parts(xml, strings, reterr));
    for (size_t i = 0; i < AN_CSV_FIELDS_MAX; i++)
        sheet.cells[i] = an_buf_new(AN_LIMIT_CSV_ROW);
    read_texts(strings, &texts);
    while (code == AN_OK && an_buf_ok(&texts.all) && an_buf_ok(out) && next_tag(&scan))
        code = take_tag(&sheet, &scan, out, reterr);
    for (size_t i = 0; i < AN_CSV_FIELDS_MAX; i++)
        an_buf_free(&sheet.cells[i]);
    if (code == AN_OK && (!an_buf_ok(out) || !an_buf_ok(&texts.all)))
        AN_FAIL(reterr, AN_E_LIMIT, "%zu byte", out->max);
    return code;
}
