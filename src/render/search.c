/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "render/internal.h"

#include "base/utf8.h"

#include <math.h>

static bool
is_space(uint32_t code)
{
    return code <= ' ' || code == 0xA0 || code == 0x3000 || (code >= 0x2000 && code <= 0x200B);
}

static void
fold_one(struct an_buf *out, uint32_t code)
{
    uint8_t bytes[8];
    struct an_buf one = {.ptr = bytes, .capacity = sizeof(bytes), .max = sizeof(bytes)};

    an_utf8_append(&one, code);
    (void)!an_utf8_fold(out, an_buf_view(&one));
}

void
fold_needle(struct an_buf *out, an_bytes text)
{
    if (!an_utf8_fold(out, text))
        an_buf_reset(out);
}

/* The folded text of the page, and for each of its bytes the glyph that it comes from. */
struct folded {
    struct an_buf text;
    uint32_t *source;
    size_t source_capacity;
};

static void
note_source(struct folded *folded, size_t from, uint32_t glyph)
{
    if (folded->text.len > folded->source_capacity) {
        folded->source_capacity = folded->text.len * 2;
        folded->source = an_grow(folded->source, folded->source_capacity, sizeof(uint32_t));
    }
    for (size_t i = from; i < folded->text.len; i++)
        folded->source[i] = glyph;
}

static struct folded
fold_glyphs(const struct glyphs *glyphs)
{
    struct folded folded = {.text = an_buf_new((size_t)RENDER_GLYPHS_MAX * 8)};

    for (size_t i = 0; i < glyphs->count; i++) {
        size_t before = folded.text.len;
        bool after_space = before == 0 || folded.text.ptr[before - 1] == ' ';
        if (!is_space(glyphs->items[i].code))
            fold_one(&folded.text, glyphs->items[i].code);
        else if (!after_space)
            an_buf_byte(&folded.text, ' ');
        note_source(&folded, before, (uint32_t)i);
    }
    return folded;
}

static struct glyph
unite(const struct glyphs *glyphs, size_t from, size_t to)
{
    struct glyph box = glyphs->items[from];

    for (size_t i = from; i <= to; i++) {
        const struct glyph *one = &glyphs->items[i];
        if (is_space(one->code))
            continue;
        box.x0 = fmin(box.x0, one->x0);
        box.y0 = fmin(box.y0, one->y0);
        box.x1 = fmax(box.x1, one->x1);
        box.y1 = fmax(box.y1, one->y1);
    }
    return box;
}

/* A combining mark belongs to the letter before it though nothing of it is left in the folded text. */
static size_t
end_of_letter(const struct glyphs *glyphs, size_t at)
{
    while (at + 1 < glyphs->count && glyphs->items[at + 1].code >= 0x300 && glyphs->items[at + 1].code <= 0x36F)
        at++;
    return at;
}

size_t
search_glyphs(const struct glyphs *glyphs, an_bytes needle, size_t max, hit_fn hit, void *context)
{
    struct folded folded = fold_glyphs(glyphs);
    size_t count = 0, at = 0;

    while (needle.len > 0 && count < max) {
        at = an_bytes_find(an_buf_view(&folded.text), needle, at);
        if (at == SIZE_MAX)
            break;
        size_t first = folded.source[at], last = end_of_letter(glyphs, folded.source[at + needle.len - 1]);
        struct glyph box = unite(glyphs, first, last);
        hit(context, box.x0, box.y0, box.x1, box.y1);
        count++;
        at += needle.len;
    }
    free(folded.source);
    an_buf_free(&folded.text);
    return count;
}
