/* Pictures of signatures and seals: decoding and colour statistics. Home of libpng. */
#include "pdf/image.h"

#include "base/limits.h"

#include <png.h>
#include <stdio.h>

#define KEPT_PIXELS ((size_t)1 << 20) /* more are decoded again for each style */

static an_code
fail_png(png_image *png, struct an_err *reterr)
{
    an_code code = an_err_set(reterr, AN_E_PDF_PNG, "%s", png->message[0] ? png->message : "IHDR");

    png_image_free(png);
    return code;
}

an_code
an_pdf_png_decode(an_bytes bytes, struct an_pdf_pixels *ret, bool *ret_alpha, struct an_err *reterr)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    uint8_t *rgba;
    size_t pixels;

    if (bytes.len > AN_LIMIT_PNG_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "PNG of %zu bytes", bytes.len);
    if (!png_image_begin_read_from_memory(&png, bytes.ptr, bytes.len))
        return fail_png(&png, reterr);
    pixels = (size_t)png.width * png.height;
    if (pixels == 0 || pixels > AN_LIMIT_PNG_PIXELS) {
        png_image_free(&png);
        AN_FAIL(reterr, AN_E_LIMIT, "PNG of %u x %u pixels", png.width, png.height);
    }
    *ret_alpha = (png.format & PNG_FORMAT_FLAG_ALPHA) != 0;
    png.format = PNG_FORMAT_RGBA;
    png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* 16-bit scans without gAMA are not linear */
    rgba = an_new_array(pixels, 4);
    if (!png_image_finish_read(&png, NULL, rgba, 0, NULL)) {
        free(rgba);
        return fail_png(&png, reterr);
    }
    *ret = (struct an_pdf_pixels){.rgba = rgba, .width = png.width, .height = png.height};
    return AN_OK;
}

/* Hue in degrees; -1 for what the eye takes as grey. */
static double
hue_of(const uint8_t *pixel)
{
    int r = pixel[0], g = pixel[1], b = pixel[2];
    int high = r > g ? (r > b ? r : b) : (g > b ? g : b), low = r < g ? (r < b ? r : b) : (g < b ? g : b);
    double span = high - low, hue;

    if (high == 0 || span / high < 0.25)
        return -1;
    if (high == r)
        hue = 60 * (g - b) / span;
    else if (high == g)
        hue = 120 + 60 * (b - r) / span;
    else
        hue = 240 + 60 * (r - g) / span;
    return hue < 0 ? hue + 360 : hue;
}

struct tally { uint64_t visible, red, blue, sum[3], transparent; };

static void
count_pixel(struct tally *tally, const uint8_t *pixel)
{
    double hue;

    tally->transparent += pixel[3] < 255;
    if (pixel[3] < 128 || (pixel[0] > 240 && pixel[1] > 240 && pixel[2] > 240))
        return;
    tally->visible++;
    for (int i = 0; i < 3; i++)
        tally->sum[i] += pixel[i];
    hue = hue_of(pixel);
    tally->red += hue >= 330 || (hue >= 0 && hue <= 25);
    tally->blue += hue >= 190 && hue <= 265;
}

static struct an_pdf_image_info
describe_pixels(const struct an_pdf_pixels *pixels, bool alpha)
{
    struct tally tally = {0};
    size_t count = (size_t)pixels->width * pixels->height;
    double visible;

    for (size_t i = 0; i < count; i++)
        count_pixel(&tally, pixels->rgba + 4 * i);
    visible = tally.visible ? (double)tally.visible : 1;
    return (struct an_pdf_image_info){
        .width = pixels->width, .height = pixels->height, .has_alpha = alpha && tally.transparent > 0,
        .red = (double)tally.sum[0] / visible / 255, .green = (double)tally.sum[1] / visible / 255,
        .blue = (double)tally.sum[2] / visible / 255,
        .share_red = (double)tally.red / visible, .share_blue = (double)tally.blue / visible};
}

an_code
an_pdf_image_load(an_bytes png, struct an_pdf_image **ret, struct an_err *reterr)
{
    struct an_pdf_pixels pixels = {0};
    struct an_pdf_image *image;
    bool alpha = false;

    AN_TRY(an_pdf_png_decode(png, &pixels, &alpha, reterr));
    image = AN_NEW(struct an_pdf_image);
    image->info = describe_pixels(&pixels, alpha);
    pthread_mutex_init(&image->lock, NULL);
    if ((size_t)pixels.width * pixels.height <= KEPT_PIXELS) {
        image->pixels = pixels;
    } else {
        free(pixels.rgba);
        image->png = an_new_array(png.len, 1);
        image->png_len = png.len;
        memcpy(image->png, png.ptr, png.len);
    }
    *ret = image;
    return AN_OK;
}

void
an_pdf_image_free(struct an_pdf_image **image)
{
    if (!image || !*image)
        return;
    for (size_t i = 0; i < AN_COUNT((*image)->bundles); i++)
        an_pdf_bundle_done(&(*image)->bundles[i]);
    pthread_mutex_destroy(&(*image)->lock);
    free((*image)->pixels.rgba);
    free((*image)->png);
    free(*image);
    *image = NULL;
}

const struct an_pdf_image_info *
an_pdf_image_info(const struct an_pdf_image *image)
{
    return &image->info;
}
