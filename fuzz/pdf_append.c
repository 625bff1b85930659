/* Any file that opens: prepare a signature and a validation store; what was appended to a sound file must open again. */
#include "pdf/pdf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
reopen(struct an_pdf *before, an_bytes file, const struct an_pdf_update *update)
{
    an_code notes[8];
    bool is_sound = an_pdf_notes(before, notes, 8) == 0;
    struct an_buf whole = an_buf_new(AN_BUF_UNLIMITED);
    struct an_pdf_open options = {.allow_rebuild = true};
    struct an_pdf *pdf = NULL;
    struct an_err err;

    an_buf_append(&whole, file);
    an_buf_append(&whole, an_buf_view(&update->tail));
    AN_ASSERT(an_pdf_open(an_buf_view(&whole), &options, &pdf, &err) == AN_OK || !is_sound);
    an_pdf_free(&pdf);
    an_buf_free(&whole);
}

static void
sign(struct an_pdf *pdf, an_bytes file, const char *field, bool visible)
{
    struct an_pdf_text_line none = {0};
    struct an_pdf_appearance look = {.width = 50, .height = 20, .lines = &none};
    struct an_pdf_sign what = {
        .field_name = field, .visible = visible, .appearance = &look, .rect = {10, 10, 60, 30}, .page_index = SIZE_MAX,
        .sub_filter = "ETSI.CAdES.detached", .contents_max = 64, .reason = "Ký", .m_time = 0};
    struct an_pdf_update update = {0};
    struct an_err err;

    if (an_pdf_sign_prepare(pdf, &what, &update, &err) != AN_OK)
        return;
    AN_ASSERT(an_pdf_sign_fill(&update, AN_LIT("0123"), &err) == AN_OK);
    reopen(pdf, file, &update);
    an_pdf_update_done(&update);
}

/* Text on every page; where no font is to be had, what comes before it is looked at all the same. */
static void
sign_with_footer(struct an_pdf *pdf, an_bytes file)
{
    static struct an_pdf_font *font;
    struct an_pdf_text_line line = {.text = "Lưu trữ", .size_pt = 10, .baseline = 20};
    struct an_pdf_footer footer = {.lines = &line, .line_count = 1, .side = 40};
    struct an_pdf_sign what = {.footer = &footer, .page_index = SIZE_MAX, .sub_filter = "ETSI.CAdES.detached",
                               .contents_max = 64, .m_time = 0};
    struct an_pdf_update update = {0};
    struct an_err err;

    if (!font && (!an_pdf_font_find() || an_pdf_font_open(an_pdf_font_find(), &font, &err) != AN_OK))
        return;
    footer.font = font;
    if (an_pdf_sign_prepare(pdf, &what, &update, &err) != AN_OK)
        return;
    AN_ASSERT(an_pdf_sign_fill(&update, AN_LIT("0123"), &err) == AN_OK);
    reopen(pdf, file, &update);
    an_pdf_update_done(&update);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    an_bytes file = AN_BYTES(data, size), certs[] = {AN_LIT("certificate")};
    uint8_t key[20] = {0};
    struct an_pdf_vri vri = {key, certs, NULL, NULL, 1, 0, 0};
    struct an_pdf_dss dss = {certs, NULL, NULL, 1, 0, 0, &vri, 1};
    struct an_pdf_open options = {.allow_rebuild = true};
    struct an_pdf_update update = {0};
    struct an_pdf *pdf = NULL;
    struct an_err err;

    if (an_pdf_open(file, &options, &pdf, &err) != AN_OK)
        return 0;
    sign(pdf, file, NULL, false);
    sign(pdf, file, NULL, true);
    sign(pdf, file, "Empty", true);
    sign(pdf, file, "Group.New.Deep", true);
    sign_with_footer(pdf, file);
    if (an_pdf_dss_prepare(pdf, &dss, &update, &err) == AN_OK && update.tail.len > 0)
        reopen(pdf, file, &update);
    an_pdf_update_done(&update);
    an_pdf_free(&pdf);
    return 0;
}
