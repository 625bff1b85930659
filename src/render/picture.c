/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "render/internal.h"

#include "base/limits.h"

#include <cairo.h>
#include <math.h>

#define INK_DPI 100.0
#define INK_WHITE 247 /* lighter than this in each colour is paper */

static void
free_surface(cairo_surface_t **surface)
{
    cairo_surface_destroy(*surface);
}

/* Draws the part of the page that begins x, y points from its upper left corner, on white. */
static an_code
draw_part(PopplerPage *page, double x, double y, double scale, cairo_surface_t *surface, struct an_err *reterr)
{
    cairo_t *cr = cairo_create(surface);
    cairo_status_t status;

    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_scale(cr, scale, scale);
    cairo_translate(cr, -x, -y);
    poppler_page_render(page, cr);
    status = cairo_status(cr);
    cairo_destroy(cr);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    if (status != CAIRO_STATUS_SUCCESS)
        AN_FAIL(reterr, AN_E_RENDER_PICTURE, "%s", cairo_status_to_string(status));
    return AN_OK;
}

static cairo_status_t
append_png(void *out, const unsigned char *part, unsigned len)
{
    an_buf_append(out, AN_BYTES(part, len));
    return an_buf_ok(out) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* A surface of that many pixels, refused when it would be too large. */
static an_code
open_surface(double width, double height, cairo_surface_t **ret, struct an_err *reterr)
{
    if (!(width * height <= (double)AN_LIMIT_PNG_PIXELS) || width > 32000 || height > 32000)
        AN_FAIL(reterr, AN_E_LIMIT, "a picture of %.0f x %.0f pixels", width, height);
    *ret = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)fmax(1, ceil(width)), (int)fmax(1, ceil(height)));
    return AN_OK;
}

an_code
draw_page(PopplerPage *page, int dpi, struct an_buf *out, struct an_err *reterr)
{
    AN_CLEANUP(free_surface) cairo_surface_t *surface = NULL;
    double width = 0, height = 0, scale = dpi / 72.0;

    if (dpi < 10 || dpi > 600)
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "dpi %d", dpi);
    poppler_page_get_size(page, &width, &height);
    AN_TRY(open_surface(width * scale, height * scale, &surface, reterr));
    AN_TRY(draw_part(page, 0, 0, scale, surface, reterr));
    if (cairo_surface_write_to_png_stream(surface, append_png, out) != CAIRO_STATUS_SUCCESS)
        AN_FAIL(reterr, AN_E_RENDER_PICTURE, "PNG");
    return AN_OK;
}

static size_t
count_ink(cairo_surface_t *surface)
{
    const unsigned char *data;
    int width = cairo_image_surface_get_width(surface), height = cairo_image_surface_get_height(surface);
    size_t ink = 0, stride = (size_t)cairo_image_surface_get_stride(surface);

    cairo_surface_flush(surface);
    data = cairo_image_surface_get_data(surface);
    if (data == NULL)
        return (size_t)width * (size_t)height; /* not known: not empty */
    for (size_t y = 0; y < (size_t)height; y++) {
        for (size_t x = 0; x < (size_t)width; x++) {
            const unsigned char *pixel = data + y * stride + x * 4;
            ink += pixel[0] < INK_WHITE || pixel[1] < INK_WHITE || pixel[2] < INK_WHITE;
        }
    }
    return ink;
}

an_code
measure_ink(PopplerPage *page, const struct ink_box *box, double *ret_share, struct an_err *reterr)
{
    AN_CLEANUP(free_surface) cairo_surface_t *surface = NULL;
    double width = 0, height = 0, scale = INK_DPI / 72.0, area, pixels;
    struct ink_box on;

    poppler_page_get_size(page, &width, &height);
    on = (struct ink_box){fmax(0, box->x0), fmax(0, box->y0), fmin(width, box->x1), fmin(height, box->y1)};
    area = (box->x1 - box->x0) * (box->y1 - box->y0);
    if (!(box->x1 > box->x0 && box->y1 > box->y0 && isfinite(area)))
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "an empty box");
    if (on.x1 <= on.x0 || on.y1 <= on.y0) {
        *ret_share = 1; /* nothing of it is on the page */
        return AN_OK;
    }
    pixels = (on.x1 - on.x0) * (on.y1 - on.y0) * scale * scale;
    if (pixels > 16e6)
        scale *= sqrt(16e6 / pixels);
    AN_TRY(open_surface((on.x1 - on.x0) * scale, (on.y1 - on.y0) * scale, &surface, reterr));
    AN_TRY(draw_part(page, on.x0, height - on.y1, scale, surface, reterr));
    pixels = (double)cairo_image_surface_get_width(surface) * cairo_image_surface_get_height(surface);
    *ret_share = 1 - (1 - (double)count_ink(surface) / pixels) * ((on.x1 - on.x0) * (on.y1 - on.y0) / area);
    *ret_share = fmin(1, fmax(0, *ret_share));
    return AN_OK;
}
