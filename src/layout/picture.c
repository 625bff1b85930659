#include "layout/internal.h"

#include "base/limits.h"

#include <math.h>

struct reader { an_bytes rest; };

static cairo_status_t
read_part(void *context, unsigned char *out, unsigned len)
{
    struct reader *reader = context;

    if (reader->rest.len < len)
        return CAIRO_STATUS_READ_ERROR;
    memcpy(out, reader->rest.ptr, len);
    reader->rest = an_bytes_slice(reader->rest, len, SIZE_MAX);
    return CAIRO_STATUS_SUCCESS;
}

/* The size stands at fixed places of a PNG: looked at before anything is unpacked. */
static bool
is_png_of_sane_size(an_bytes png)
{
    uint64_t width = 0, height = 0;

    if (png.len < 33 || memcmp(png.ptr, "\x89PNG\r\n\x1a\n", 8) != 0)
        return false;
    for (size_t i = 0; i < 4; i++) {
        width = width << 8 | png.ptr[16 + i];
        height = height << 8 | png.ptr[20 + i];
    }
    return width > 0 && height > 0 && width < 32000 && height < 32000 && width * height <= AN_LIMIT_PNG_PIXELS;
}

static an_code
open_png(const char *base64, cairo_surface_t **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf png = an_buf_new(AN_LIMIT_PNG_BYTES);
    struct reader reader;

    if (base64 == NULL || !an_base64_decode(&png, an_bytes_of_str(base64)) || !is_png_of_sane_size(an_buf_view(&png)))
        AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "picture: not a PNG in base64");
    reader.rest = an_buf_view(&png);
    *ret = cairo_image_surface_create_from_png_stream(read_part, &reader);
    if (cairo_surface_status(*ret) == CAIRO_STATUS_SUCCESS)
        return AN_OK;
    cairo_surface_destroy(*ret);
    AN_FAIL(reterr, AN_E_LAYOUT_INPUT, "picture: damaged PNG");
}

static void
draw_scaled(struct press *press, cairo_surface_t *picture, double x, double width, double height)
{
    cairo_save(press->cr);
    cairo_translate(press->cr, x, press->y);
    cairo_scale(press->cr, width / cairo_image_surface_get_width(picture),
                height / cairo_image_surface_get_height(picture));
    cairo_set_source_surface(press->cr, picture, 0, 0);
    cairo_paint(press->cr);
    cairo_restore(press->cr);
}

an_code
flow_picture(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr)
{
    const struct style caption_style = {.size = 12, .is_italic = true, .align = PANGO_ALIGN_CENTER};
    double wanted = json_number_value(json_object_get(block, "width_mm")) * MM, whole = press_width(press), ratio,
           width;
    double page = PAGE_HEIGHT - press->top - press->bottom - 3 * caption_style.size;
    cairo_surface_t *picture = NULL;
    const char *caption;
    an_code code = AN_OK;

    AN_TRY(input_text(arena, block, "caption", false, &caption, reterr));
    AN_TRY(open_png(json_string_value(json_object_get(block, "picture")), &picture, reterr));
    ratio = (double)cairo_image_surface_get_height(picture) / cairo_image_surface_get_width(picture);
    width = fmin(wanted > 0 ? fmin(wanted, whole) : whole, page / ratio);
    press->y += 6;
    if (width * ratio + 2 * caption_style.size > press_rest(press))
        code = press_break_page(press, reterr);
    if (code == AN_OK) {
        draw_scaled(press, picture, press->left + (whole - width) / 2, width, width * ratio);
        press->y += width * ratio + 4;
    }
    cairo_surface_destroy(picture);
    return code != AN_OK || caption[0] == '\0' ? code : flow_text(press, caption, &caption_style, 0, reterr);
}

an_code
draw_picture_beside(struct press *press, const json_t *block, double x, double width, double height_max,
                    double *ret_foot, struct an_err *reterr)
{
    cairo_surface_t *picture = NULL;
    double ratio, height;

    AN_TRY(open_png(json_string_value(json_object_get(block, "picture")), &picture, reterr));
    ratio = (double)cairo_image_surface_get_height(picture) / cairo_image_surface_get_width(picture);
    height = fmin(width * ratio, height_max);
    x += (width - height / ratio) / 2;
    draw_scaled(press, picture, x, height / ratio, height);
    cairo_surface_destroy(picture);
    cairo_set_source_rgb(press->cr, 0.6, 0.6, 0.6);
    cairo_set_line_width(press->cr, 0.6);
    cairo_rectangle(press->cr, x, press->y, height / ratio, height);
    cairo_stroke(press->cr);
    cairo_set_source_rgb(press->cr, 0, 0, 0);
    *ret_foot = press->y + height;
    return AN_OK;
}

static cairo_status_t
append_png(void *out, const unsigned char *part, unsigned len)
{
    an_buf_append(out, AN_BYTES(part, len));
    return an_buf_ok(out) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

an_code
write_picture(cairo_surface_t *surface, struct an_buf *out, struct an_err *reterr)
{
    cairo_status_t status = cairo_surface_write_to_png_stream(surface, append_png, out);

    if (status != CAIRO_STATUS_SUCCESS)
        AN_FAIL(reterr, AN_E_LAYOUT_DRAW, "%s", cairo_status_to_string(status));
    return AN_OK;
}
