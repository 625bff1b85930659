/* A picture from anywhere: decoding, colours, and every form it takes inside a PDF. */
#include "pdf/append.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_pdf_image *image = NULL;
    const struct an_pdf_bundle *bundle = NULL;
    struct an_err err;

    if (an_pdf_image_load(AN_BYTES(data, size), &image, &err) != AN_OK)
        return 0;
    if ((size_t)an_pdf_image_info(image)->width * an_pdf_image_info(image)->height < 1 << 16) {
        for (int style = 0; style < 4; style++) {
            struct an_pdf_image_style wanted = {.hard_mask = style & 1, .calibrated = style & 2};

            AN_ASSERT(an_pdf_image_bundle(image, wanted, &bundle, &err) == AN_OK);
        }
    }
    an_pdf_image_free(&image);
    return 0;
}
