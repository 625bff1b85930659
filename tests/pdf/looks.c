/* pdf/: what a signature shows. Pages are drawn by poppler and MuPDF and searched for the mark; texts are read back by
 * poppler; pictures are made by libpng. */
#include "made.h"
#include "oracle.h"

#include <math.h>
#include <png.h>

/* ---- pictures ---- */
/* A square: red ring and upper half disc when coloured, grey otherwise; transparent around where the format can. */
static void
draw_pixel(int kind, int x, int y, int size, uint16_t ret[4])
{
    double d = hypot(x - size / 2.0, y - size / 2.0) / size;
    bool ink = (d > 0.42 && d < 0.5) || (d < 0.25 && y < size / 2);

    ret[0] = kind & PNG_COLOR_MASK_COLOR ? (ink ? 0xDC00 : 0xFFFF) : (ink ? 0x3000 : 0xFFFF);
    ret[1] = ink ? 0x1400 : 0xFFFF;
    ret[2] = ink ? 0x1E00 : 0xFFFF;
    ret[3] = ink ? 0xFFFF : 0;
}

static void
write_chunk(png_structp png, png_bytep data, size_t len)
{
    an_buf_append(png_get_io_ptr(png), AN_BYTES(data, len));
}

static void
flush_nothing(png_structp png)
{
    (void)png;
}

static size_t
put_pixel(int kind, int depth, const uint16_t pixel[4], png_byte *row, int x)
{
    int channels[4], n = 0;

    if (kind == PNG_COLOR_TYPE_PALETTE) {
        row[x] = pixel[3] ? 1 : 0;
        return 1;
    }
    channels[n++] = 0;
    if (kind & PNG_COLOR_MASK_COLOR) {
        channels[n++] = 1;
        channels[n++] = 2;
    }
    if (kind & PNG_COLOR_MASK_ALPHA)
        channels[n++] = 3;
    for (int i = 0; i < n; i++) {
        uint16_t value = pixel[channels[i]];

        if (depth == 16) {
            row[2 * (x * n + i)] = (png_byte)(value >> 8);
            row[2 * (x * n + i) + 1] = (png_byte)value;
        } else {
            row[x * n + i] = (png_byte)(value >> (16 - depth));
        }
    }
    return (size_t)(n * (depth == 16 ? 2 : 1));
}

static void
make_png(int kind, int depth, int interlace, int size, struct an_buf *out)
{
    static const png_color colours[2] = {{255, 255, 255}, {220, 20, 30}};
    static const png_byte opacity[2] = {0, 255};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_bytep *rows = an_new_array((size_t)size, sizeof *rows);

    png_set_write_fn(png, out, write_chunk, flush_nothing);
    png_set_IHDR(png, info, (png_uint_32)size, (png_uint_32)size, depth, kind, interlace, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (kind == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(png, info, colours, 2);
        png_set_tRNS(png, info, opacity, 2, NULL);
    }
    png_write_info(png, info);
    if (depth < 8)
        png_set_packing(png);
    for (int y = 0; y < size; y++) {
        rows[y] = an_new_array((size_t)size, 8);
        for (int x = 0; x < size; x++) {
            uint16_t pixel[4];

            draw_pixel(kind, x, y, size, pixel);
            put_pixel(kind, depth, pixel, rows[y], x);
        }
    }
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    for (int y = 0; y < size; y++)
        free(rows[y]);
    free(rows);
}

static struct an_pdf_image *
load_seal(int size)
{
    AN_CLEANUP(an_buf_free) struct an_buf png = an_buf_new(AN_BUF_UNLIMITED);
    struct an_pdf_image *image = NULL;

    make_png(PNG_COLOR_TYPE_RGB_ALPHA, 8, PNG_INTERLACE_NONE, size, &png);
    assert_int_equal(an_pdf_image_load(an_buf_view(&png), &image, NULL), AN_OK);
    return image;
}

static const struct { int kind, depth; bool alpha; } png_table[] = {
    {PNG_COLOR_TYPE_GRAY, 1, false}, {PNG_COLOR_TYPE_GRAY, 8, false}, {PNG_COLOR_TYPE_GRAY, 16, false},
    {PNG_COLOR_TYPE_PALETTE, 1, true}, {PNG_COLOR_TYPE_PALETTE, 8, true}, {PNG_COLOR_TYPE_RGB, 8, false},
    {PNG_COLOR_TYPE_RGB, 16, false}, {PNG_COLOR_TYPE_GRAY_ALPHA, 8, true}, {PNG_COLOR_TYPE_GRAY_ALPHA, 16, true},
    {PNG_COLOR_TYPE_RGB_ALPHA, 8, true}, {PNG_COLOR_TYPE_RGB_ALPHA, 16, true},
};

static an_code
sign_with(an_bytes file, const struct an_pdf_appearance *look, struct an_pdf_rect rect, struct an_buf *ret,
          struct an_err *err)
{
    AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;
    AN_CLEANUP(an_pdf_update_done) struct an_pdf_update update = {0};
    struct an_pdf_open options = {0};
    struct an_pdf_sign what = {.visible = true, .appearance = look, .rect = rect, .contents_max = 40,
                               .sub_filter = "ETSI.CAdES.detached", .m_time = AN_TIME_NONE};

    AN_TRY(an_pdf_open(file, &options, &pdf, err));
    AN_TRY(an_pdf_sign_prepare(pdf, &what, &update, err));
    AN_TRY(an_pdf_sign_fill(&update, AN_LIT("\x30\x03\x02\x01\x01"), err));
    an_buf_append(ret, file);
    an_buf_append(ret, an_buf_view(&update.tail));
    return AN_OK;
}

static void
expect_drawn(const char *label, an_bytes file, double x, double y, double side)
{
    static const char *const judges[] = {"poppler", "MuPDF"};

    oracle_save("drawn.pdf", file, AN_NONE);
    for (size_t i = 0; i < AN_COUNT(judges); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf ppm = an_buf_new(AN_BUF_UNLIMITED);
        struct oracle_marks marks;
        char command[256];

        snprintf(command, sizeof command,
                 i == 0 ? "pdftoppm -r 72 -cropbox %s 2>/dev/null"
                        : "mutool draw -q -r 72 -F ppm -o - %s 1 2>/dev/null",
                 oracle_path("drawn.pdf"));
        oracle_run(&ppm, "%s", command);
        marks = oracle_find_red(an_buf_view(&ppm));
        if (fabs(marks.left - x) > 1.6 || fabs(marks.right + 1 - x - side) > 1.6 || fabs(marks.bottom - y) > 1.6 ||
            fabs(marks.top + 1 - y - side) > 1.6)
            fail_msg("%s, %s: %d-%d, %d-%d", label, judges[i], marks.left, marks.right, marks.bottom, marks.top);
        if ((double)marks.upper < 0.55 * (double)marks.count) /* the half disc is above */
            fail_msg("%s, %s: not upright", label, judges[i]);
    }
}

static void
every_png_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * AN_COUNT(png_table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf png = an_buf_new(AN_BUF_UNLIMITED), file = an_buf_new(AN_BUF_UNLIMITED),
                                              out = an_buf_new(AN_BUF_UNLIMITED);
        AN_CLEANUP(an_pdf_image_free) struct an_pdf_image *image = NULL;
        int kind = png_table[i / 2].kind, depth = png_table[i / 2].depth;
        struct an_pdf_appearance look = {.width = 100, .height = 100, .image_rect = {0, 0, 100, 100}};
        const struct an_pdf_image_info *info;
        struct made made = {0};
        char label[40];

        snprintf(label, sizeof label, "kind %d, depth %d, interlaced %d", kind, depth, (int)(i % 2));
        make_png(kind, depth, i % 2 ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 90, &png);
        assert_int_equal(an_pdf_image_load(an_buf_view(&png), &image, NULL), AN_OK);
        info = an_pdf_image_info(image);
        assert_int_equal(info->width, 90);
        if (info->has_alpha != png_table[i / 2].alpha)
            fail_msg("%s: transparency", label);
        if (kind & PNG_COLOR_MASK_COLOR) {
            assert_true(info->share_red > 0.99 && info->share_blue < 0.01);
            assert_true(fabs(info->red - 220 / 255.0) < 0.01 && fabs(info->green - 20 / 255.0) < 0.01);
        } else {
            assert_true(info->share_red < 0.01);
        }
        look.image = image;
        made_file(&made, &file);
        assert_int_equal(sign_with(an_buf_view(&file), &look, (struct an_pdf_rect){100, 200, 200, 300}, &out, NULL),
                         AN_OK);
        if (kind & PNG_COLOR_MASK_COLOR)
            expect_drawn(label, an_buf_view(&out), 100, 200, 100);
    }
}

static void
bad_png_is_refused(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf png = an_buf_new(AN_BUF_UNLIMITED);
    struct an_pdf_image *image = NULL;

    (void)state;
    make_png(PNG_COLOR_TYPE_RGB, 8, PNG_INTERLACE_NONE, 40, &png);
    assert_int_equal(an_pdf_image_load(AN_LIT("GIF89a"), &image, NULL), AN_E_PDF_PNG);
    assert_int_equal(an_pdf_image_load(AN_NONE, &image, NULL), AN_E_PDF_PNG);
    assert_int_equal(an_pdf_image_load(AN_BYTES(png.ptr, 60), &image, NULL), AN_E_PDF_PNG);
    memcpy(png.ptr + 16, "\x7F\xFF\x00\x00\x7F\xFF\x00\x00", 8); /* a wall of pixels, and the wrong check sum */
    assert_int_not_equal(an_pdf_image_load(an_buf_view(&png), &image, NULL), AN_OK);
    assert_null(image);
}

/* ---- places ---- */
static void
marks_stand_where_asked(void **state)
{
    static const char *const crops[] = {"", "/CropBox[50 100 400 600]", "/MediaBox[-100 -50 495 792]"};
    AN_CLEANUP(an_pdf_image_free) struct an_pdf_image *image = load_seal(120);
    struct an_pdf_appearance look = {.width = 120, .height = 120, .image = image, .image_rect = {0, 0, 120, 120}};

    (void)state;
    for (int rotate = -90; rotate <= 360; rotate += 90) {
        for (size_t i = 0; i < AN_COUNT(crops); i++) {
            AN_CLEANUP(an_buf_free)
            struct an_buf file = an_buf_new(AN_BUF_UNLIMITED),
                          out = an_buf_new(AN_BUF_UNLIMITED);
            char extra[100];
            struct made made = {.page_extra = extra, .style = rotate % 180 ? MADE_OBJECT_STREAM : MADE_CLASSIC};

            snprintf(extra, sizeof extra, "/Rotate %d%s", rotate, crops[i]);
            made_file(&made, &file);
            assert_int_equal(sign_with(an_buf_view(&file), &look, (struct an_pdf_rect){60, 150, 180, 270}, &out, NULL),
                             AN_OK);
            expect_drawn(extra, an_buf_view(&out), 60, 150, 120);
        }
    }
}

/* MuPDF knows UserUnit: twice the points as seen. */
static void
user_unit_is_honoured(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), out = an_buf_new(AN_BUF_UNLIMITED),
                                          ppm = an_buf_new(AN_BUF_UNLIMITED);
    AN_CLEANUP(an_pdf_image_free) struct an_pdf_image *image = load_seal(120);
    struct an_pdf_appearance look = {.width = 120, .height = 120, .image = image, .image_rect = {0, 0, 120, 120}};
    struct made made = {.page_extra = "/UserUnit 2"};
    struct oracle_marks marks;

    (void)state;
    made_file(&made, &file);
    assert_int_equal(sign_with(an_buf_view(&file), &look, (struct an_pdf_rect){60, 150, 180, 270}, &out, NULL), AN_OK);
    oracle_save("drawn.pdf", an_buf_view(&out), AN_NONE);
    oracle_run(&ppm, "mutool draw -q -r 72 -F ppm -o - %s 1 2>/dev/null", oracle_path("drawn.pdf"));
    marks = oracle_find_red(an_buf_view(&ppm));
    assert_in_range(marks.left, 58, 62);
    assert_in_range(marks.right, 178, 182);
    assert_in_range(marks.bottom, 148, 152);
}

/* ---- once per file ---- */
static int
count_of(an_bytes file, an_bytes what)
{
    int n = 0;

    for (size_t at = 0; (at = an_bytes_find(file, what, at)) != SIZE_MAX; at++)
        n++;
    return n;
}

static void
pictures_and_fonts_are_kept_once(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), one = an_buf_new(AN_BUF_UNLIMITED),
                                          two = an_buf_new(AN_BUF_UNLIMITED), forged = an_buf_new(AN_BUF_UNLIMITED);
    AN_CLEANUP(an_pdf_image_free) struct an_pdf_image *image = load_seal(120);
    AN_CLEANUP(an_pdf_font_free) struct an_pdf_font *font = NULL;
    struct an_pdf_text_line line = {.text = "Ngày 02/12/2025", .size_pt = 10},
                            other = {.text = "Ngày 31-12-2026", .size_pt = 10};
    struct an_pdf_appearance look = {.width = 120, .height = 120, .image = image, .image_rect = {0, 0, 120, 120},
                                     .lines = &line, .line_count = 1};
    struct an_pdf_rect rect = {60, 150, 180, 270};
    struct made made = {.style = MADE_STREAM};
    size_t at;

    (void)state;
    assert_non_null(an_pdf_font_find());
    assert_int_equal(an_pdf_font_open(an_pdf_font_find(), &font, NULL), AN_OK);
    look.font = font;
    made_file(&made, &file);
    assert_int_equal(sign_with(an_buf_view(&file), &look, rect, &one, NULL), AN_OK);
    assert_int_equal(count_of(an_buf_view(&one), AN_LIT("/AnTinDigest")), 2);
    look.lines = &other; /* the same letters and other digits: the same subset */
    assert_int_equal(sign_with(an_buf_view(&one), &look, rect, &two, NULL), AN_OK);
    assert_int_equal(count_of(an_buf_view(&two), AN_LIT("/AnTinDigest")), 2);
    assert_true(two.len - one.len < 1500);
    /* The marker on another picture is not believed. */
    an_buf_append(&forged, an_buf_view(&one));
    at = an_bytes_find(an_buf_view(&forged), AN_LIT("/SMask"), 0);
    at = an_bytes_find(an_buf_view(&forged), AN_LIT("stream\n"), at);
    forged.ptr[at + 20] ^= 1;
    an_buf_reset(&two);
    assert_int_equal(sign_with(an_buf_view(&forged), &look, rect, &two, NULL), AN_OK);
    assert_int_equal(count_of(an_buf_view(&two), AN_LIT("/AnTinDigest")), 3);
}

/* ---- Vietnamese ---- */
static const char letters_composed[] = "AÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬEÈÉẺẼẸÊỀẾỂỄỆIÌÍỈĨỊOÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢUÙÚỦŨỤƯỪỨỬỮỰYỲÝỶỸỴĐ"
                                       "aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵđ";

/* A decomposition table of its own: base letter, then marks, as input methods of other systems send them. */
static void
decompose(const char *text, struct an_buf *out)
{
    static const struct { const char *composed, *parts;
    } table[] = {
        {"À", "A\u0300"},       {"Á", "A\u0301"},       {"Ả", "A\u0309"},       {"Ã", "A\u0303"},
        {"Ạ", "A\u0323"},       {"Ằ", "A\u0306\u0300"}, {"Ặ", "A\u0323\u0306"}, {"Ầ", "A\u0302\u0300"},
        {"Ậ", "A\u0323\u0302"}, {"Ễ", "E\u0302\u0303"}, {"Ợ", "O\u031B\u0323"}, {"Ử", "U\u031B\u0309"},
        {"ễ", "e\u0302\u0303"}, {"ợ", "o\u031B\u0323"}, {"ữ", "u\u031B\u0303"}, {"ỹ", "y\u0303"},
        {"ộ", "o\u0323\u0302"}, {"ẵ", "a\u0306\u0303"},
    };

    for (size_t i = 0; text[i];) {
        size_t k = 0;

        while (k < AN_COUNT(table) && strncmp(text + i, table[k].composed, strlen(table[k].composed)) != 0)
            k++;
        if (k < AN_COUNT(table)) {
            an_buf_str(out, table[k].parts);
            i += strlen(table[k].composed);
        } else {
            an_buf_byte(out, (uint8_t)text[i++]);
        }
    }
    an_buf_byte(out, 0);
}

static void
all_vietnamese_letters(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), one = an_buf_new(AN_BUF_UNLIMITED),
                                          two = an_buf_new(AN_BUF_UNLIMITED), loose = an_buf_new(AN_BUF_UNLIMITED);
    AN_CLEANUP(an_pdf_font_free) struct an_pdf_font *font = NULL;
    struct an_pdf_text_line line = {.text = letters_composed, .x = 2, .baseline = 10, .size_pt = 3};
    struct an_pdf_appearance look = {.width = 500, .height = 40, .lines = &line, .line_count = 1};
    struct an_pdf_rect rect = {20, 100, 520, 140};
    struct made made = {0};
    struct an_err err = {0};

    (void)state;
    assert_int_equal(an_pdf_font_open(an_pdf_font_find(), &font, NULL), AN_OK);
    look.font = font;
    made_file(&made, &file);
    if (sign_with(an_buf_view(&file), &look, rect, &one, &err) != AN_OK)
        fail_msg("%s %s", an_message_find(err.code)->symbol, err.detail);
    if (one.len - file.len > 30000)
        fail_msg("%zu bytes", one.len - file.len);
    oracle_save("drawn.pdf", an_buf_view(&one), AN_NONE);
    oracle_says(letters_composed, "pdftotext %s -", oracle_path("drawn.pdf"));
    oracle_says("CID TrueType      Identity-H       yes yes yes", "pdffonts %s", oracle_path("drawn.pdf"));
    decompose(letters_composed, &loose);
    assert_true(loose.len > sizeof letters_composed);
    line.text = (const char *)loose.ptr;
    assert_int_equal(sign_with(an_buf_view(&file), &look, rect, &two, &err), AN_OK);
    assert_true(an_bytes_eq(an_buf_view(&one), an_buf_view(&two)));
    assert_true(fabs(an_pdf_font_width(font, AN_LIT("Ưởng"), 10) -
                     an_pdf_font_width(font, AN_LIT("U\u031Bo\u031B\u0309ng"), 10)) < 1e-9);
    assert_true(fabs(an_pdf_font_width(font, AN_LIT("0000000000"), 10) - 50) < 1e-9); /* a digit is half an em */
}

/* What has no precomposed letter is set with combining marks and read back. */
static void
marks_without_a_letter_of_their_own(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), one = an_buf_new(AN_BUF_UNLIMITED);
    AN_CLEANUP(an_pdf_font_free) struct an_pdf_font *font = NULL;
    struct an_pdf_text_line lines[] = {{.text = "q\u0301x\u0323", .x = 2, .baseline = 10, .size_pt = 12},
                                       {.text = "\u6F22", .x = 2, .baseline = 30, .size_pt = 12}};
    struct an_pdf_appearance look = {.width = 100, .height = 40, .lines = lines, .line_count = 1};
    struct made made = {0};
    struct an_err err = {0};

    (void)state;
    assert_int_equal(an_pdf_font_open(an_pdf_font_find(), &font, NULL), AN_OK);
    look.font = font;
    made_file(&made, &file);
    assert_int_equal(sign_with(an_buf_view(&file), &look, (struct an_pdf_rect){20, 100, 120, 140}, &one, &err), AN_OK);
    oracle_save("drawn.pdf", an_buf_view(&one), AN_NONE);
    oracle_says("x\u0323", "pdftotext %s -", oracle_path("drawn.pdf"));
    look.line_count = 2; /* a letter that the font lacks is an error that names it */
    assert_int_equal(sign_with(an_buf_view(&file), &look, (struct an_pdf_rect){20, 100, 120, 140}, &one, &err),
                     AN_E_PDF_GLYPH);
    assert_string_equal(err.detail, "U+6F22");
}

/* ---- PDF/A ---- */
#define XMP(part)                                                                                                      \
    "<</Type/Metadata/Subtype/XML/Length 275>>\nstream\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF "               \
    "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description rdf:about=\"\" "                       \
    "xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\"><pdfaid:part>" part "</pdfaid:part>"                             \
    "<pdfaid:conformance>B</pdfaid:conformance></rdf:Description></rdf:RDF></x:xmpmeta>\nendstream"

static const struct { const char *label, *xmp; bool soft, calibrated, cid_set, intent; } pdfa_table[] = {
    {"PDF/A-1", XMP("1"), false, true, true, false},
    {"PDF/A-1 with an RGB intent", XMP("1"), false, false, true, true},
    {"PDF/A-2", XMP("2"), false, true, false, false},
    {"PDF/A-3 with an RGB intent", XMP("3"), true, false, false, true},
};

static void
pdfa_stays_pdfa(void **state)
{
    AN_CLEANUP(an_pdf_image_free) struct an_pdf_image *image = load_seal(120);
    AN_CLEANUP(an_pdf_font_free) struct an_pdf_font *font = NULL;
    struct an_pdf_text_line line = {.text = "Ký số", .size_pt = 10, .red = 1};
    struct an_pdf_appearance look = {.width = 120, .height = 120, .image = image, .image_rect = {0, 0, 120, 120},
                                     .lines = &line, .line_count = 1};

    (void)state;
    assert_int_equal(an_pdf_font_open(an_pdf_font_find(), &font, NULL), AN_OK);
    look.font = font;
    for (size_t i = 0; i < AN_COUNT(pdfa_table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), out = an_buf_new(AN_BUF_UNLIMITED);
        const char *objects[] = {pdfa_table[i].xmp, "<</N 3/Length 3>>\nstream\nabc\nendstream", NULL};
        struct made made = {.objects = objects,
                            .catalog_extra =
                                pdfa_table[i].intent
                                    ? "/Metadata 6 0 R/OutputIntents[<</S/GTS_PDFA1/DestOutputProfile 7 0 R>>]"
                                    : "/Metadata 6 0 R"};

        made_file(&made, &file);
        assert_int_equal(sign_with(an_buf_view(&file), &look, (struct an_pdf_rect){60, 150, 180, 270}, &out, NULL),
                         AN_OK);
        if ((count_of(an_buf_view(&out), AN_LIT("/SMask")) > 0) != pdfa_table[i].soft ||
            (count_of(an_buf_view(&out), AN_LIT("/CalRGB")) > 0) != pdfa_table[i].calibrated ||
            (count_of(an_buf_view(&out), AN_LIT("/DeviceRGB")) > 0) != !pdfa_table[i].calibrated ||
            (count_of(an_buf_view(&out), AN_LIT("/CIDSet")) > 0) != pdfa_table[i].cid_set)
            fail_msg("%s", pdfa_table[i].label);
        expect_drawn(pdfa_table[i].label, an_buf_view(&out), 60, 150, 120);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_png_is_read),
        cmocka_unit_test(bad_png_is_refused),
        cmocka_unit_test(marks_stand_where_asked),
        cmocka_unit_test(user_unit_is_honoured),
        cmocka_unit_test(pictures_and_fonts_are_kept_once),
        cmocka_unit_test(all_vietnamese_letters),
        cmocka_unit_test(marks_without_a_letter_of_their_own),
        cmocka_unit_test(pdfa_stays_pdfa),
    };

    return cmocka_run_group_tests(tests, oracle_set_up, oracle_tear_down);
}
