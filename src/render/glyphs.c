/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "render/internal.h"

#include "base/utf8.h"

#include <math.h>

static bool
is_sane(const PopplerRectangle *box)
{
    return isfinite(box->x1) && isfinite(box->x2) && isfinite(box->y1) && isfinite(box->y2);
}

/* Poppler counts y from the top of the page. */
static struct glyph
turn_over(uint32_t code, const PopplerRectangle *box, double height)
{
    struct glyph glyph = {.code = code, .x0 = fmin(box->x1, box->x2), .x1 = fmax(box->x1, box->x2)};

    glyph.y0 = height - fmax(box->y1, box->y2);
    glyph.y1 = height - fmin(box->y1, box->y2);
    return glyph;
}

an_code
read_glyphs(PopplerPage *page, struct glyphs *ret, struct an_err *reterr)
{
    g_autofree char *text = poppler_page_get_text(page);
    g_autofree PopplerRectangle *boxes = NULL;
    an_bytes view = an_bytes_of_str(text ? text : "");
    double width = 0, height = 0;
    guint count = 0;
    size_t at = 0;

    poppler_page_get_size(page, &width, &height);
    if (!poppler_page_get_text_layout(page, &boxes, &count))
        count = 0; /* a page without text */
    if (count > RENDER_GLYPHS_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "%u characters on one page", count);
    for (guint i = 0; i < count && at < view.len; i++) {
        uint32_t code = an_utf8_next(view, &at);
        if (code != UINT32_MAX && is_sane(&boxes[i]))
            *glyphs_push(ret) = turn_over(code, &boxes[i], height);
    }
    return AN_OK;
}
