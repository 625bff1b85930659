/* Signature fields, their coverage, the validation store and what changed after every revision. */
#include "pdf/pdf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
compare(struct an_pdf *pdf)
{
    for (size_t revision = 0; revision <= an_pdf_latest(pdf) && revision < 6; revision++)
        for (int docmdp = 0; docmdp < 4; docmdp++) {
            struct an_pdf_diff diff;
            struct an_err err;

            if (an_pdf_diff(pdf, revision, docmdp, &diff, &err) == AN_OK)
                an_pdf_diff_done(&diff);
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct an_pdf_open options = {.allow_rebuild = false};
    struct an_pdf_sigfields fields = {0};
    struct an_pdf_dss_data dss;
    struct an_pdf_diff shadow;
    struct an_pdf *pdf = NULL;
    struct an_err err;
    bool covers;

    if (an_pdf_open(AN_BYTES(data, size), &options, &pdf, &err) != AN_OK)
        return 0;
    if (an_pdf_sigfields(pdf, AN_PDF_NOW, &fields, &err) == AN_OK)
        for (size_t i = 0; i < fields.count; i++)
            (void)(an_pdf_check_coverage(pdf, &fields, i, &covers, &err) == AN_OK);
    an_pdf_sigfields_done(&fields);
    compare(pdf);
    if (an_pdf_shadow_scan(pdf, &shadow, &err) == AN_OK)
        an_pdf_diff_done(&shadow);
    if (an_pdf_dss_read(pdf, AN_PDF_NOW, &dss, &err) == AN_OK)
        an_pdf_dss_data_done(&dss);
    an_pdf_free(&pdf);
    return 0;
}
