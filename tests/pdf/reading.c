/*
 * Values, text strings, filters and passwords. Encoded data are written out by hand from the examples of the standards
 * or were made by other programs.
 */
#include "base/file.h"
#include "pdf/pdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A one-page file whose object 4 is what is tried. */
static void
build(struct an_buf *out, an_bytes object)
{
    size_t offsets[5], xref;

    an_buf_str(out, "%PDF-1.7\n");
    offsets[1] = out->len;
    an_buf_str(out, "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n");
    offsets[2] = out->len;
    an_buf_str(out, "2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]/MediaBox[0 0 200 100]/Rotate 450>>endobj\n");
    offsets[3] = out->len;
    an_buf_str(out, "3 0 obj<</Type/Page/Parent 2 0 R/CropBox[150 90 -10 10]/UserUnit 2>>endobj\n");
    offsets[4] = out->len;
    an_buf_str(out, "4 0 obj\n");
    an_buf_append(out, object);
    an_buf_str(out, "\nendobj\n");
    xref = out->len;
    an_buf_str(out, "xref\n0 5\n0000000000 65535 f \n");
    for (size_t i = 1; i < 5; i++)
        an_buf_printf(out, "%010zu 00000 n \n", offsets[i]);
    an_buf_printf(out, "trailer<</Size 5/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n", xref);
}

static const struct an_pdf_obj *
open_object(struct an_buf *bytes, an_bytes object, struct an_pdf **pdf)
{
    struct an_err err = {0};

    an_buf_reset(bytes);
    build(bytes, object);
    an_pdf_free(pdf);
    if (an_pdf_open(an_buf_view(bytes), NULL, pdf, &err) != AN_OK)
        fail_msg("%s", err.detail);
    return an_pdf_object(*pdf, AN_PDF_NOW, 4);
}

/* As written in a file, and as this room writes it again. */
static const struct {
    const char *in, *out;
} values[] = {
    {"[1 -2 +3 4.5 -.002 --5 6. 1.2.3]", "[1 -2 3 4.5 -0.002 -5 6 1.2]"},
    {"<</A/B#20C/D[(a\\(b\\)\\101\\\nc)]>>", "<</A /B#20C/D [(a\\(b\\)Ac)]>>"},
    {"[<48 65 6C6C 7> true false null 12 0 R]", "[<48656c6c70> true false null 12 0 R]"},
    {"(nested (parentheses) stay)", "(nested \\(parentheses\\) stay)"},
    {"(a\r\nb\rc\\r)", "(a\nb\nc\\r)"},
    {"<</A 1 % a comment ]>>\n/B 2>>", "<</A 1/B 2>>"},
    {"99999999999999999999", "100000000000000000000.0"},
    {"[1 2", "[1 2]"},
    {"<</A<</B[1>>>>", "<</A <</B [1]>>>>"},
};

static void
values_are_read_and_written(void **state)
{
    struct an_buf file = an_buf_new(1 << 16), out = an_buf_new(1 << 16);
    struct an_pdf *pdf = NULL;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(values); i++) {
        an_buf_reset(&out);
        an_pdf_write(&out, open_object(&file, an_bytes_of_str(values[i].in), &pdf));
        an_buf_byte(&out, 0);
        if (i != 6) /* a number beyond 64 bits: only its size is kept */
            assert_string_equal((const char *)out.ptr, values[i].out);
        else
            assert_memory_equal(out.ptr, values[i].out, 15);
    }
    an_pdf_free(&pdf);
    an_buf_free(&file);
    an_buf_free(&out);
}

static const struct {
    an_bytes in;
    const char *utf8;
} texts[] = {
    {AN_LIT("(plain)"), "plain"},
    {AN_LIT("(\\200\\240)"), "\u2022\u20ac"},      /* PDFDocEncoding */
    {AN_LIT("<FEFF0056 0069 1EC7 0074>"), "Việt"}, /* UTF-16BE */
    {AN_LIT("<FEFFD83DDE00>"), "\U0001f600"},      /* surrogates */
    {AN_LIT("<FFFE 5600>"), "V"},
    {AN_LIT("<EFBBBF 56 69 E1BB87 74>"), "Việt"}, /* UTF-8, PDF 2.0 */
};

static void
texts_become_utf8(void **state)
{
    struct an_buf file = an_buf_new(1 << 16), out = an_buf_new(1 << 16);
    struct an_pdf *pdf = NULL;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(texts); i++) {
        an_buf_reset(&out);
        assert_true(an_pdf_text_of(open_object(&file, texts[i].in, &pdf), &out));
        an_buf_byte(&out, 0);
        assert_string_equal((const char *)out.ptr, texts[i].utf8);
    }
    an_pdf_free(&pdf);
    an_buf_free(&file);
    an_buf_free(&out);
}

static const struct {
    const char *dict;
    an_bytes data, want;
} filters[] = {
    {"/Filter/ASCIIHexDecode", AN_LIT("48 65 6c6C 6f 7>"), AN_LIT("Hellop")},
    {"/Filter/A85", AN_LIT("87cUR\nD]i,\"Ebo80~>"), AN_LIT("Hello World!")},
    {"/Filter/ASCII85Decode", AN_LIT("z!!*~>"), AN_LIT("\0\0\0\0\0\1")},
    {"/Filter/RunLengthDecode",
     AN_LIT("\x02"
            "abc\xfe"
            "x\x80"),
     AN_LIT("abcxxx")},
    /* ISO 32000-2, 7.4.4.2, the example of LZW */
    {"/Filter/LZWDecode", AN_LIT("\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01"), AN_LIT("-----A---B")},
    {"/Filter[/AHx/RL]", AN_LIT("FE 78 80>"), AN_LIT("xxx")},
    {"/Filter/FlateDecode", AN_LIT("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15"), AN_LIT("hello")},
    {"/Filter/FlateDecode", AN_LIT("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07"), AN_LIT("hello")}, /* without its checksum */
    /* five rows of three bytes with the PNG types None, Sub, Up, Average, Paeth; then TIFF over two pixels of three bytes */
    {"/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 3>>",
     AN_LIT("\x78\x9c\x63\xe0\x12\x91\x63\x64\x65\x65\x65\x62\x64\x64\x64\x66\x62\x62\x62\x01\xd2\x00\x05\xa2\x00\x62"),
     AN_LIT("\x0a\x14\x1e\x05\x0a\x0f\x06\x0b\x10\x05\x0a\x0f\x06\x0b\x10")},
    {"/Filter/FlateDecode/DecodeParms<</Predictor 2/Colors 3/Columns 2>>",
     AN_LIT("\x78\x9c\x63\x64\x62\x66\x64\x64\x04\x00\x00\x28\x00\x0a"), AN_LIT("\1\2\3\2\3\4")},
    {"/Filter[/AHx/Fl]", AN_LIT("789ccb48cdc9c907 00062c0215>"), AN_LIT("hello")},
};

static void
filters_are_undone(void **state)
{
    struct an_buf file = an_buf_new(1 << 16), object = an_buf_new(1 << 16), out = an_buf_new(0);
    struct an_pdf *pdf = NULL;
    struct an_err err = {0};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(filters); i++) {
        an_buf_reset(&object);
        an_buf_printf(&object, "<<%s/Length %zu>>stream\n", filters[i].dict, filters[i].data.len);
        an_buf_append(&object, filters[i].data);
        an_buf_str(&object, "\nendstream");
        const struct an_pdf_obj *stream = open_object(&file, an_buf_view(&object), &pdf);

        if (an_pdf_stream_data(pdf, stream, 1000, &out, &err) != AN_OK)
            fail_msg("%s: %s", filters[i].dict, err.detail);
        assert_int_equal(out.len, filters[i].want.len);
        assert_memory_equal(out.ptr, filters[i].want.ptr, out.len);
    }
    an_pdf_free(&pdf);
    an_buf_free(&file);
    an_buf_free(&object);
    an_buf_free(&out);
}

static void
pages_inherit(void **state)
{
    struct an_buf file = an_buf_new(1 << 16);
    struct an_pdf *pdf = NULL;
    struct an_pdf_page page;
    struct an_err err = {0};

    (void)state;
    (void)open_object(&file, AN_LIT("null"), &pdf);
    assert_int_equal(an_pdf_page(pdf, AN_PDF_NOW, 0, &page, &err), AN_OK);
    assert_int_equal(page.num, 3);
    assert_int_equal(page.rotate, 90);
    assert_true(page.media.x1 > 199 && page.media.x1 < 201 && page.crop.x0 > -1 && page.crop.x0 < 1 &&
                page.crop.y1 < 91);
    assert_true(page.user_unit > 1.9);
    assert_int_equal(an_pdf_page(pdf, AN_PDF_NOW, 1, &page, &err), AN_E_PDF_PAGE);
    an_pdf_free(&pdf);
    an_buf_free(&file);
}

/* A compressed stream that grows without bound stops at the limit. */
static void
bombs_stop(void **state)
{
    struct an_buf file = an_buf_new(1 << 20), object = an_buf_new(1 << 20), out = an_buf_new(0);
    struct an_pdf *pdf = NULL;
    const struct an_pdf_obj *stream;
    struct an_err err = {0};

    (void)state;
    an_buf_str(&object, "<</Filter/RunLengthDecode/Length 100000>>stream\n");
    for (int i = 0; i < 50000; i++)
        an_buf_append(&object, AN_LIT("\x81x"));
    an_buf_str(&object, "\nendstream");
    stream = open_object(&file, an_buf_view(&object), &pdf);
    assert_int_equal(an_pdf_stream_data(pdf, stream, 100000, &out, &err), AN_E_LIMIT);
    an_pdf_free(&pdf);
    an_buf_free(&file);
    an_buf_free(&object);
    an_buf_free(&out);
}

/* Files of another program; the passwords stand in their names. */
static const struct {
    const char *file, *password;
    an_code code;
    const char *encryption;
} locked[] = {
    {"enc-R3,V2,U=view,O=view.pdf", "view", AN_OK, "RC4-128 (R3)"},
    {"enc-R3,V2,U=view,O=view.pdf", "wrong", AN_E_PDF_PASSWORD, ""},
    {"enc-R3,V2,U=view,O=view.pdf", NULL, AN_E_PDF_PASSWORD, ""},
    {"enc-XI-R6,V5,O=master.pdf", NULL, AN_OK, "AES-256 (R6)"},
    {"enc-XI-R6,V5,O=master.pdf", "master", AN_OK, "AES-256 (R6)"},
    {"enc-XI-R6,V5,U=view,attachments,cleartext-metadata.pdf", "view", AN_OK, "AES-256 (R6)"},
    {"enc-XI-R6,V5,U=view,attachments,cleartext-metadata.pdf", "View", AN_E_PDF_PASSWORD, ""},
};

static void
passwords_open(void **state)
{
    const char *folder = getenv("ANTIN_VECTORS");
    size_t tried = 0;

    (void)state;
    for (size_t i = 0; folder && i < AN_COUNT(locked); i++) {
        struct an_secret *password = locked[i].password ? an_secret_from(an_bytes_of_str(locked[i].password)) : NULL;
        struct an_pdf_open options = {.password = password};
        struct an_file file = AN_FILE_NONE;
        struct an_pdf *pdf = NULL;
        struct an_pdf_info info;
        struct an_err err = {0};
        char path[1024];

        snprintf(path, sizeof path, "%s/qpdf/qpdf/qtest/qpdf/%s", folder, locked[i].file);
        if (an_file_open(path, 0, &file, &err) == AN_OK) {
            an_code code = an_pdf_open(file.bytes, &options, &pdf, &err);

            if (code != locked[i].code)
                fail_msg("%s with %s: %s", locked[i].file, locked[i].password ? locked[i].password : "none",
                         an_message_find(code)->symbol);
            if (code == AN_OK) {
                an_pdf_describe(pdf, &info);
                assert_string_equal(info.encryption, locked[i].encryption);
                assert_true(info.page_count > 0);
            }
            tried++;
        }
        an_pdf_free(&pdf);
        an_file_close(&file);
        an_secret_free(&password);
    }
    if (tried == 0) {
        printf("the given files are not here: skipped\n");
        skip();
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_and_written),
        cmocka_unit_test(texts_become_utf8),
        cmocka_unit_test(filters_are_undone),
        cmocka_unit_test(pages_inherit),
        cmocka_unit_test(bombs_stop),
        cmocka_unit_test(passwords_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
