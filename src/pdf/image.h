/* Private: pixels between png.c (decoding, colour statistics) and image.c (PDF objects). */
#pragma once

#include "pdf/append.h"

#include <pthread.h>

struct an_pdf_pixels { uint8_t *rgba; uint32_t width, height; };

struct an_pdf_image {
    struct an_pdf_image_info info;
    uint8_t *png; size_t png_len;  /* to decode again when the pixels were too many to keep */
    struct an_pdf_pixels pixels;   /* rgba NULL = not kept */
    pthread_mutex_t lock;          /* of bundles */
    struct an_pdf_bundle bundles[4];
};

/* Free rgba afterwards. */
an_code an_pdf_png_decode(an_bytes png, struct an_pdf_pixels *ret, bool *ret_alpha, struct an_err *reterr) AN_MUST_USE;
