/* pdf/: a text in the bottom margin of every page, in the update that carries a signature. Judges: qpdf, poppler, MuPDF. */
#include "made.h"
#include "oracle.h"

#include <math.h>

#define BASELINE 24.0
#define TEXT "LLLLLLLL" /* more ink below than above: seen upside down it would be the other way round */

static struct an_pdf_font *font;

static an_code
sign_with_footer(an_bytes file, const char *text, double size, struct an_buf *ret, struct an_err *err)
{
    AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;
    AN_CLEANUP(an_pdf_update_done) struct an_pdf_update update = {0};
    struct an_pdf_open options = {0};
    struct an_pdf_text_line line = {.text = text, .size_pt = size, .baseline = BASELINE, .red = 0.9};
    struct an_pdf_footer footer = {.font = font, .lines = &line, .line_count = 1, .side = 40};
    struct an_pdf_sign what = {.visible = true, .rect = {60, 150, 180, 270}, .contents_max = 40, .footer = &footer,
                               .sub_filter = "ETSI.CAdES.detached", .m_time = AN_TIME_NONE};

    AN_TRY(an_pdf_open(file, &options, &pdf, err));
    AN_TRY(an_pdf_sign_prepare(pdf, &what, &update, err));
    AN_TRY(an_pdf_sign_fill(&update, AN_LIT("\x30\x03\x02\x01\x01"), err));
    an_buf_append(ret, file);
    an_buf_append(ret, an_buf_view(&update.tail));
    return AN_OK;
}

static void
expect_signed(an_bytes file, const char *text, double size, struct an_buf *ret)
{
    struct an_err err = {0};

    if (sign_with_footer(file, text, size, ret, &err) != AN_OK)
        fail_msg("%s %s", an_message_find(err.code)->symbol, err.detail);
    assert_memory_equal(ret->ptr, file.ptr, file.len);
}

/* Both judges see the text centred near the lower edge of a page, upright. */
static void
expect_drawn(const char *label, int page)
{
    static const char *const judges[] = {"poppler", "MuPDF"};

    for (size_t i = 0; i < AN_COUNT(judges); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf ppm = an_buf_new(AN_BUF_UNLIMITED);
        struct oracle_marks marks;

        if (i == 0)
            oracle_run(&ppm, "pdftoppm -r 144 -cropbox -f %d -l %d %s 2>/dev/null", page, page, oracle_path("drawn.pdf"));
        else
            oracle_run(&ppm, "mutool draw -q -r 144 -F ppm -o - %s %d 2>/dev/null", oracle_path("drawn.pdf"), page);
        marks = oracle_find_red(an_buf_view(&ppm));
        if (marks.count < 100 || abs(marks.left + marks.right - marks.width) > 6 ||
            fabs(marks.bottom / 2.0 - BASELINE) > 2 || marks.top / 2.0 > BASELINE + 12)
            fail_msg("%s, page %d, %s: %d-%d of %d, %d-%d", label, page, judges[i], marks.left, marks.right,
                     marks.width, marks.bottom, marks.top);
        if ((double)marks.upper > 0.5 * (double)marks.count)
            fail_msg("%s, page %d, %s: not upright", label, page, judges[i]);
    }
}

static void
expect_sound(const char *label, an_bytes file)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(AN_BUF_UNLIMITED);

    oracle_save("drawn.pdf", file, AN_NONE);
    if (oracle_run(&out, "qpdf --check %s 2>&1", oracle_path("drawn.pdf")) != 0)
        fail_msg("%s: qpdf: %.*s", label, AN_FMT(an_buf_view(&out)));
}

static void
every_page_of_every_style(void **state)
{
    static const char *const crops[] = {"", "/CropBox[50 100 400 600]", "/MediaBox[-100 -50 495 792]"};

    (void)state;
    for (int i = 0; i < 12; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), out = an_buf_new(AN_BUF_UNLIMITED);
        char extra[100];
        struct made made = {.page_extra = extra, .style = (enum made_style)(i % 4), .pages = 3};

        snprintf(extra, sizeof extra, "/Rotate %d%s", i / 3 * 90, crops[i % 3]);
        made_file(&made, &file);
        expect_signed(an_buf_view(&file), TEXT, 10, &out);
        oracle_save("drawn.pdf", an_buf_view(&out), AN_NONE);
        if (i % 3 != 2) /* that one has two entries /MediaBox, as some producers write them */
            expect_sound(extra, an_buf_view(&out));
        for (int page = 1; page <= 3; page++)
            expect_drawn(extra, page);
        if (i % 3 == 0)
            oracle_says("A page.", "mutool draw -q -F txt -o - %s 2 2>&1", oracle_path("drawn.pdf"));
        oracle_says("/Sig", "mutool show %s trailer/Root/AcroForm/Fields/1/V/Type", oracle_path("drawn.pdf"));
    }
}

/* ---- pages of every build ---- */
static const char *const odd_objects[] = {
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[4 0 R 5 0 R 6 0 R]/Count 7/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>>>",
    "<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>",
    /* a branch with resources of its own, one of whose names is ours */
    ("<</Type/Pages/Parent 2 0 R/Kids[7 0 R 8 0 R 9 0 R 10 0 R]/Count 4/Resources<</Font<</F 3 0 R>>/XObject<</AnTinFooter1 "
     "13 0 R>>>>>>"),
    "<</Type/Page/Parent 2 0 R/Contents[14 0 R 15 0 R]>>",
    "<</Type/Pages/Parent 2 0 R/Kids[11 0 R 12 0 R]/Count 2>>",
    "<</Type/Page/Parent 4 0 R/Contents 14 0 R>>",
    "<</Type/Page/Parent 4 0 R/Contents 16 0 R>>",        /* the array is an object */
    "<</Type/Page/Parent 4 0 R>>",                          /* nothing on it */
    "<</Type/Page/Parent 4 0 R/Contents 17 0 R>>",        /* leaves q and a text open */
    "<</Type/Page/Parent 6 0 R/Resources 19 0 R/Contents 18 0 R>>", /* closes more than it opens */
    "<</Type/Page/Parent 6 0 R/Resources 19 0 R/Contents[]>>",
    "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 0>>\nstream\n\nendstream",
    "~q BT /F 24 Tf 72 700 Td (A \\(q\\) BT) Tj ET ",
    "~Q BI /W 1/H 1/BPC 8/CS/G ID q EI BT % q q q\nET",
    "[15 0 R 14 0 R 15 0 R]",
    "~q q 3 0 0 3 50 50 cm BT /F 24 Tf 72 200 Td (A \\(q\\) BT) Tj   ",
    "~Q Q 2 0 0 2 90 90 cm BT /F 24 Tf 9 200 Td (A q) Tj ET ",
    "<</Font 20 0 R/XObject 21 0 R>>",
    "<</F 3 0 R>>",
    "<</X 13 0 R>>",
};

static void
hand_file(const char *const *objects, size_t count, struct an_buf *out)
{
    uint64_t offsets[64] = {0}, at;

    an_buf_str(out, "%PDF-1.7\n");
    for (size_t i = 0; i < count; i++) {
        offsets[i] = out->len;
        if (*objects[i] == '~') /* content */
            an_buf_printf(out, "%zu 0 obj\n<</Length %zu>>\nstream\n%s\nendstream\nendobj\n", i + 1,
                          strlen(objects[i] + 1), objects[i] + 1);
        else
            an_buf_printf(out, "%zu 0 obj\n%s\nendobj\n", i + 1, objects[i]);
    }
    at = out->len;
    an_buf_printf(out, "xref\n0 %zu\n0000000000 65535 f \n", count + 1);
    for (size_t i = 0; i < count; i++)
        an_buf_printf(out, "%010llu 00000 n \n", (unsigned long long)offsets[i]);
    an_buf_printf(out, "trailer\n<</Size %zu/Root 1 0 R>>\nstartxref\n%llu\n%%%%EOF\n", count + 1,
                  (unsigned long long)at);
}

static void
pages_of_every_build(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), out = an_buf_new(AN_BUF_UNLIMITED);

    (void)state;
    hand_file(odd_objects, AN_COUNT(odd_objects), &file);
    expect_signed(an_buf_view(&file), TEXT, 10, &out);
    oracle_save("drawn.pdf", an_buf_view(&out), AN_NONE);
    oracle_says("Pages:           7", "pdfinfo %s", oracle_path("drawn.pdf"));
    for (int page = 1; page <= 7; page++) {
        expect_drawn("odd", page);
        if (page != 3 && page != 7)
            oracle_says(page == 6 ? "A" : "A (q) BT", "pdftotext -f %d -l %d %s -", page, page, oracle_path("drawn.pdf"));
    }
    oracle_says("13 0 obj", "mutool show %s pages/1/Resources/XObject/AnTinFooter1", oracle_path("drawn.pdf"));
}

/* Nested, flat and repeated: the index by counting upwards is the index by walking down. */
static void
pages_are_found_by_number(void **state)
{
    static const uint32_t order[] = {7, 8, 9, 10, 5, 11, 12};
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED);
    AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;
    struct an_pdf_open options = {0};
    struct an_pdf_page page;
    size_t index;

    (void)state;
    hand_file(odd_objects, AN_COUNT(odd_objects), &file);
    assert_int_equal(an_pdf_open(an_buf_view(&file), &options, &pdf, NULL), AN_OK);
    for (size_t i = 0; i < AN_COUNT(order); i++) {
        assert_int_equal(an_pdf_page_find(pdf, AN_PDF_NOW, order[i], &index, &page, NULL), AN_OK);
        assert_int_equal(index, i);
        assert_int_equal(page.num, order[i]);
    }
    assert_int_equal(an_pdf_page_find(pdf, AN_PDF_NOW, 4, &index, &page, NULL), AN_E_PDF_PAGE);
    assert_int_equal(an_pdf_page_find(pdf, AN_PDF_NOW, 3, &index, &page, NULL), AN_E_PDF_PAGE);
}

/* ---- the text ---- */
static void
long_names_become_narrower(void **state)
{
    static const char name[] = "TRUNG TÂM LƯU TRỮ LỊCH SỬ TRỰC THUỘC SỞ NỘI VỤ TỈNH ĐỒNG THÁP – PHÒNG BẢO QUẢN VÀ KHAI THÁC TÀI LIỆU";
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), out = an_buf_new(AN_BUF_UNLIMITED),
                                          ppm = an_buf_new(AN_BUF_UNLIMITED);
    struct made made = {.pages = 2};
    struct oracle_marks marks;

    (void)state;
    made_file(&made, &file);
    expect_signed(an_buf_view(&file), name, 14, &out);
    expect_sound("long name", an_buf_view(&out));
    oracle_says(name, "pdftotext -f 2 -l 2 %s -", oracle_path("drawn.pdf"));
    oracle_run(&ppm, "pdftoppm -r 72 -f 2 -l 2 %s 2>/dev/null", oracle_path("drawn.pdf"));
    marks = oracle_find_red(an_buf_view(&ppm));
    assert_in_range(marks.left, 39, 44);
    assert_in_range(marks.right, 595 - 45, 595 - 39);
}

static void
signed_files_are_refused(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), one = an_buf_new(AN_BUF_UNLIMITED),
                                          two = an_buf_new(AN_BUF_UNLIMITED);
    struct made made = {.pages = 2};
    struct an_err err = {0};

    (void)state;
    made_file(&made, &file);
    expect_signed(an_buf_view(&file), TEXT, 10, &one);
    assert_int_equal(sign_with_footer(an_buf_view(&one), TEXT, 10, &two, &err), AN_E_PDF_FOOTER_SIGNED);
}

/* Mostly shared: a page costs its own dictionary and one line of the table. */
static void
many_pages_cost_little(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), out = an_buf_new(AN_BUF_UNLIMITED);
    struct made made = {.pages = 2000, .style = MADE_OBJECT_STREAM};

    (void)state;
    made_file(&made, &file);
    expect_signed(an_buf_view(&file), TEXT, 10, &out);
    assert_in_range(out.len - file.len, 1, 2000 * 260 + 20000);
    expect_sound("2,000 pages", an_buf_view(&out));
    expect_drawn("2,000 pages", 1);
    expect_drawn("2,000 pages", 2000);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_of_every_style), cmocka_unit_test(pages_of_every_build),
        cmocka_unit_test(long_names_become_narrower), cmocka_unit_test(signed_files_are_refused),
        cmocka_unit_test(many_pages_cost_little),    cmocka_unit_test(pages_are_found_by_number),
    };
    int failed;

    if (an_pdf_font_find() == NULL || an_pdf_font_open(an_pdf_font_find(), &font, NULL) != AN_OK) {
        printf("no font with Vietnamese letters here: this test ran without it\n");
        return 77;
    }
    failed = cmocka_run_group_tests(tests, oracle_set_up, oracle_tear_down);
    an_pdf_font_free(&font);
    return failed;
}
