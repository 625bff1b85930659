/* Opening, the cross-reference, rebuilding, pages and what is said about a file. */
#include "pdf/pdf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(an_bytes file, bool allow_rebuild)
{
    const struct an_pdf_open options = {.allow_rebuild = allow_rebuild};
    struct an_pdf_info info;
    struct an_pdf_page page;
    struct an_pdf *pdf = NULL;
    struct an_err err;
    an_code notes[64];

    if (an_pdf_open(file, &options, &pdf, &err) != AN_OK)
        return;
    an_pdf_describe(pdf, &info);
    AN_ASSERT(an_pdf_notes(pdf, notes, AN_COUNT(notes)) <= AN_COUNT(notes));
    for (size_t i = 0; i < info.page_count && i < 20; i++)
        (void)(an_pdf_page(pdf, AN_PDF_NOW, i, &page, &err) == AN_OK);
    an_pdf_free(&pdf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    look(AN_BYTES(data, size), true);
    look(AN_BYTES(data, size), false);
    return 0;
}
