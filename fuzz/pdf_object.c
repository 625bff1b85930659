/* Every object a file lists: parsed, its stream decoded, in every revision. */
#include "pdf/pdf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_object(struct an_pdf *pdf, size_t revision, uint32_t num)
{
    const struct an_pdf_obj *obj = an_pdf_object(pdf, revision, num);
    struct an_buf out = an_buf_new(1 << 22);
    struct an_err err;

    an_pdf_write(&out, obj);
    AN_ASSERT(an_pdf_equal(obj, obj));
    if (obj->kind == AN_PDF_STREAM)
        (void)(an_pdf_stream_data(pdf, obj, 1 << 22, &out, &err) == AN_OK);
    an_buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct an_pdf_open options = {.allow_rebuild = true};
    struct an_pdf *pdf = NULL;
    struct an_err err;

    if (an_pdf_open(AN_BYTES(data, size), &options, &pdf, &err) != AN_OK)
        return 0;
    for (size_t revision = 0; revision <= an_pdf_latest(pdf) && revision < 8; revision++) {
        struct an_pdf_change *changes = NULL;
        size_t count = 0;

        if (an_pdf_revision_changes(pdf, revision, &changes, &count, &err) != AN_OK)
            break;
        for (size_t i = 0; i < count && i < 500; i++)
            read_object(pdf, revision, changes[i].num);
        free(changes);
    }
    an_pdf_free(&pdf);
    return 0;
}
