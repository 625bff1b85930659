/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Characters to printed lines. Columns, as in the head and the foot of an administrative document, stay apart. */
#include "render/internal.h"

#include "base/utf8.h"

#include <math.h>

/* A gap wider than this many heights of the line divides columns; justified text stays below it. */
#define COLUMN_GAP 1.6

struct growing {
    struct an_buf text;
    double x0, y0, x1, y1;
    size_t letters;
};

static bool
is_break(uint32_t code)
{
    return code == '\n' || code == '\r' || code == '\f' || code == 0x2028 || code == 0x2029;
}

static bool
is_blank(uint32_t code)
{
    return code == ' ' || code == '\t' || code == 0xA0 || (code >= 0x2000 && code <= 0x200B);
}

static bool
is_mark(uint32_t code)
{
    return code >= 0x300 && code <= 0x36F;
}

/* The glyph stands beside the line, not somewhere else: same height, and no gap as wide as between columns. */
static bool
continues(const struct growing *line, const struct glyph *glyph)
{
    double height = line->y1 - line->y0;
    double shared_y = fmin(line->y1, glyph->y1) - fmax(line->y0, glyph->y0);
    double shared_x = fmin(line->x1, glyph->x1) - fmax(line->x0, glyph->x0);

    if (shared_y > 0.25 * fmin(height, glyph->y1 - glyph->y0))
        return glyph->x0 - line->x1 < COLUMN_GAP * height && line->x0 - glyph->x1 < COLUMN_GAP * height;
    return shared_x > 0 && -shared_y < COLUMN_GAP * (line->x1 - line->x0); /* text that runs upwards */
}

static an_code
finish(struct growing *line, struct text_lines *lines, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf nfc = an_buf_new(AN_BUF_UNLIMITED);
    struct text_line *made;

    if (line->letters == 0) {
        an_buf_reset(&line->text);
        return AN_OK;
    }
    if (lines->count >= RENDER_LINES_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "%u lines on one page", RENDER_LINES_MAX);
    while (line->text.len > 0 && line->text.ptr[line->text.len - 1] == ' ')
        line->text.len--;
    if (!an_utf8_nfc(&nfc, an_buf_view(&line->text)))
        an_buf_append(&nfc, an_buf_view(&line->text));
    made = text_lines_push(lines);
    *made = (struct text_line){
        .text = an_strdup_bytes(an_buf_view(&nfc)), .x0 = line->x0, .y0 = line->y0, .x1 = line->x1, .y1 = line->y1};
    an_buf_reset(&line->text);
    line->letters = 0;
    return AN_OK;
}

static void
add_letter(struct growing *line, const struct glyph *glyph)
{
    bool is_first = line->letters == 0;

    an_utf8_append(&line->text, glyph->code);
    line->letters++;
    line->x0 = is_first ? glyph->x0 : fmin(line->x0, glyph->x0);
    line->y0 = is_first ? glyph->y0 : fmin(line->y0, glyph->y0);
    line->x1 = is_first ? glyph->x1 : fmax(line->x1, glyph->x1);
    line->y1 = is_first ? glyph->y1 : fmax(line->y1, glyph->y1);
}

static an_code
add_glyph(struct growing *line, const struct glyph *glyph, struct text_lines *lines, struct an_err *reterr)
{
    if (is_break(glyph->code))
        return finish(line, lines, reterr);
    if (is_blank(glyph->code)) {
        if (line->letters > 0 && line->text.ptr[line->text.len - 1] != ' ')
            an_buf_byte(&line->text, ' ');
        return AN_OK;
    }
    if (line->letters > 0 && !is_mark(glyph->code) && !continues(line, glyph))
        AN_TRY(finish(line, lines, reterr));
    add_letter(line, glyph);
    return AN_OK;
}

/* From the top down; what stands on one height, from the left. */
static int
compare_lines(const void *a, const void *b)
{
    const struct text_line *one = a, *other = b;

    if (one->y1 != other->y1)
        return one->y1 > other->y1 ? -1 : 1;
    return (one->x0 > other->x0) - (one->x0 < other->x0);
}

an_code
build_lines(const struct glyphs *glyphs, struct text_lines *ret, struct an_err *reterr)
{
    struct growing line = {.text = an_buf_new(AN_BUF_UNLIMITED)};
    an_code code = AN_OK;

    for (size_t i = 0; i < glyphs->count && code == AN_OK; i++)
        code = add_glyph(&line, &glyphs->items[i], ret, reterr);
    if (code == AN_OK)
        code = finish(&line, ret, reterr);
    an_buf_free(&line.text);
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof(*ret->items), compare_lines);
    return code;
}

void
free_lines(struct text_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->items[i].text);
    text_lines_done(lines);
}
