/*
 * Updates appended by hand to a signed file: what each must be called. The files are made here byte by byte, so that
 * the writer of this room has no part in its own trial. The rules: ISO 32000-2, 12.8.2.2 (DocMDP) and the published
 * attacks on incremental saving, signature wrapping and shadows.
 */
#include "base/buf.h"
#include "pdf/pdf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIGNATURE                                                                                                      \
    "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/Contents<3003020100>>>"
#define STAMP "<</Type/DocTimeStamp/SubFilter/ETSI.RFC3161/ByteRange[0 1 2 3]/Contents<3003020100>>>"
#define CATALOG "/Type/Catalog/Pages 2 0 R/AcroForm 5 0 R/Metadata 9 0 R"
#define PAGE                                                                                                           \
    "/Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F1 7 0 R>>/XObject<</X 30 0 R>>>>"
#define TEXT_FIELD "/Type/Annot/Subtype/Widget/FT/Tx/T(t)/P 3 0 R/Rect[50 50 150 70]"
#define NEW_FIELD "<</Type/Annot/Subtype/Widget/FT/Sig/T(s2)/P 3 0 R/Rect[0 0 0 0]/V 21 0 R>>"
#define DRAWS "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 9>>stream\n0 0 9 9 f\nendstream"

/* The file before the update; object 8 is the signature, filled in by build_signed. */
static const char *const base_objects[] = {
    [1] = "<<" CATALOG ">>",
    [2] = "<</Type/Pages/Count 1/Kids[3 0 R]>>",
    [3] = "<<" PAGE "/Annots[6 0 R 10 0 R]>>",
    [4] = "<</Length 8>>stream\n0 0 1 rg\nendstream",
    [5] = "<</Fields[6 0 R 10 0 R]/SigFlags 3>>",
    [6] = "<</Type/Annot/Subtype/Widget/FT/Sig/T(s1)/P 3 0 R/Rect[0 0 0 0]/V 8 0 R>>",
    [7] = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    [8] = NULL,
    [9] = "<</Type/Metadata/Subtype/XML/Length 4>>stream\n<x/>\nendstream",
    [10] = "<<" TEXT_FIELD "/V(old)/AP<</N 11 0 R>>>>",
    [11] = "<</Type/XObject/Subtype/Form/BBox[0 0 100 20]/Length 3>>stream\n0 g\nendstream",
    [12] = "<</Length 8>>stream\n1 0 0 rg\nendstream", /* content prepared for later */
};

enum { LIST = 0, AT_OBJECT, FREED, TWICE, UNLISTED, WRONG_GEN };

struct object {
    uint32_t num;
    const char *text;
    int how;
    uint32_t other; /* AT_OBJECT: whose place the entry names */
};

struct row {
    const char *name;
    const char *allowed;  /* DocMDP levels at which the update passes: "0123" */
    an_code why;          /* among the findings */
    struct object objects[7];
    const char *root, *tail;
};

static const struct row rows[] = {
    {"second signature", "023", AN_V_PDF_SIGNATURE,
     {{3, "<<" PAGE "/Annots[6 0 R 10 0 R 20 0 R]>>"}, {5, "<</Fields[6 0 R 10 0 R 20 0 R]/SigFlags 3>>"},
      {20, NEW_FIELD}, {21, SIGNATURE}}},
    {"document time-stamp", "0123", AN_V_PDF_TIMESTAMP,
     {{3, "<<" PAGE "/Annots[6 0 R 10 0 R 20 0 R]>>"}, {5, "<</Fields[6 0 R 10 0 R 20 0 R]/SigFlags 3>>"},
      {20, NEW_FIELD}, {21, STAMP}}},
    {"validation store", "0123", AN_V_PDF_DSS,
     {{1, "<<" CATALOG "/DSS 20 0 R>>"}, {20, "<</Certs[21 0 R]>>"}, {21, "<</Length 2>>stream\n00\nendstream"}}},
    {"metadata", "0123", AN_V_PDF_METADATA,
     {{9, "<</Type/Metadata/Subtype/XML/Length 4>>stream\n<y/>\nendstream"}}},
    {"unused object", "0123", AN_V_PDF_UNREACHABLE, {{20, "<</A 1>>"}}},
    {"same object again", "0123", AN_OK, {{7, "<</Subtype/Type1/Type/Font/BaseFont/Helvetica>>"}}},
    {"text filled in", "23", AN_V_PDF_FORM, {{10, "<<" TEXT_FIELD "/V(new)/AP<</N 20 0 R>>>>"}, {20, DRAWS}}},
    {"appearance overwritten with the value", "23", AN_V_PDF_FORM,
     {{10, "<<" TEXT_FIELD "/V(new)/AP<</N 11 0 R>>>>"}, {11, DRAWS}}},
    {"new look for an old value", "", AN_V_PDF_APPEARANCE,
     {{10, "<<" TEXT_FIELD "/V(old)/AP<</N 20 0 R>>>>"}, {20, DRAWS}}},
    {"old look overwritten", "", AN_V_PDF_CONTENT, {{11, DRAWS}}},
    {"annotation", "3", AN_V_PDF_ANNOTATION,
     {{3, "<<" PAGE "/Annots[6 0 R 10 0 R 20 0 R]>>"},
      {20, "<</Type/Annot/Subtype/FreeText/Rect[9 9 99 99]/Contents(x)/AP<</N 21 0 R>>>>"}, {21, DRAWS}}},
    {"annotation in the clothes of a signature", "", AN_V_PDF_ANNOTATION,
     {{3, "<<" PAGE "/Annots[6 0 R 10 0 R 22 0 R]>>"}, {5, "<</Fields[6 0 R 10 0 R 20 0 R]/SigFlags 3>>"},
      {20, "<</FT/Sig/T(s2)/V 21 0 R/Kids[22 0 R]>>"}, {21, SIGNATURE},
      {22, "<</Type/Annot/Subtype/Stamp/Rect[9 9 99 99]/Parent 20 0 R/AP<</N 23 0 R>>>>"}, {23, DRAWS}}},
    {"empty signature field that draws", "", AN_V_PDF_OVERLAY,
     {{3, "<<" PAGE "/Annots[6 0 R 10 0 R 20 0 R]>>"}, {5, "<</Fields[6 0 R 10 0 R 20 0 R]/SigFlags 3>>"},
      {20, "<</Type/Annot/Subtype/Widget/FT/Sig/T(s2)/P 3 0 R/Rect[0 0 99 99]/AP<</N 21 0 R>>>>"}, {21, DRAWS}}},
    {"new text field", "", AN_V_PDF_FIELD,
     {{3, "<<" PAGE "/Annots[6 0 R 10 0 R 20 0 R]>>"}, {5, "<</Fields[6 0 R 10 0 R 20 0 R]/SigFlags 3>>"},
      {20, "<</Type/Annot/Subtype/Widget/FT/Tx/T(u)/P 3 0 R/Rect[0 0 99 99]/V(x)>>"}}},
    {"field removed", "", AN_V_PDF_FIELD_REMOVED, {{5, "<</Fields[6 0 R]/SigFlags 3>>"}}},
    {"signature removed", "", AN_V_PDF_SIGNATURE_CHANGED,
     {{6, "<</Type/Annot/Subtype/Widget/FT/Sig/T(s1)/P 3 0 R/Rect[0 0 0 0]>>"}}},
    {"signature moved", "", AN_V_PDF_SIGNATURE_CHANGED,
     {{6, "<</Type/Annot/Subtype/Widget/FT/Sig/T(s1)/P 3 0 R/Rect[9 9 99 99]/V 8 0 R>>"}}},
    {"signature dictionary replaced", "", AN_V_PDF_SIGNATURE_CHANGED, {{8, SIGNATURE}}},
    {"content replaced", "", AN_V_PDF_CONTENT, {{4, "<</Length 8>>stream\n1 0 0 rg\nendstream"}}},
    {"content by another reference", "", AN_V_PDF_CONTENT,
     {{3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 20 0 R/Resources<</Font<</F1 7 0 R>>/XObject<</X 30 "
          "0 R>>>>/Annots[6 0 R 10 0 R]>>"},
      {20, "<</Length 8>>stream\n1 0 0 rg\nendstream"}}},
    {"font replaced", "", AN_V_PDF_FONT, {{7, "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"}}},
    {"page added", "", AN_V_PDF_PAGE_TREE,
     {{2, "<</Type/Pages/Count 2/Kids[3 0 R 20 0 R]>>"}, {20, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"}}},
    {"page size", "", AN_V_PDF_PAGE, {{3, "<<" PAGE "/Annots[6 0 R 10 0 R]/CropBox[0 0 9 9]>>"}}},
    {"content deleted", "", AN_V_PDF_REMOVED, {{4, NULL, FREED}}},
    {"script on opening", "", AN_V_PDF_SCRIPT,
     {{1, "<<" CATALOG "/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>"}}},
    {"layers", "", AN_V_PDF_CATALOG, {{1, "<<" CATALOG "/OCProperties<</OCGs[]/D<<>>>>>>"}}},
    {"entry pointed at prepared content", "", AN_V_PDF_REPOINTED, {{4, NULL, AT_OBJECT, 12}}},
    {"gap filled", "", AN_V_PDF_DANGLING, {{30, DRAWS}}},
    {"another catalog inside the signed bytes", "", AN_V_PDF_ROOT, {{20, "<</A 1>>"}}, "12 0 R"},
    {"new catalog of the same content", "0123", AN_V_PDF_REWRITTEN, {{20, "<<" CATALOG ">>"}}, "20 0 R"},
    {"new catalog with a script", "", AN_V_PDF_SCRIPT,
     {{20, "<<" CATALOG "/AA<</WC<</S/JavaScript/JS(x)>>>>>>"}}, "20 0 R"},
    {"generation", "", AN_V_PDF_GENERATION, {{9, "<</Type/Metadata/Subtype/XML/Length 1>>stream\nx\nendstream", WRONG_GEN}}},
    {"unlisted object", "", AN_V_PDF_STRAY, {{20, "<</A 1>>"}, {4, "<</Length 1>>stream\nx\nendstream", UNLISTED}}},
    {"listed twice", "", AN_V_PDF_AMBIGUOUS, {{9, "<</Type/Metadata/Subtype/XML/Length 1>>stream\nx\nendstream", TWICE}}},
    {"repeated key", "", AN_V_PDF_AMBIGUOUS, {{1, "<<" CATALOG "/Metadata 9 0 R>>"}}},
    {"wrong stream length", "", AN_V_PDF_AMBIGUOUS,
     {{9, "<</Type/Metadata/Subtype/XML/Length 1>>stream\n<y/>\nendstream"}}},
    {"bytes behind the end", "", AN_V_PDF_TAIL, {{20, "<</A 1>>"}}, NULL, "4 0 obj<<>>endobj\n"},
};

/* ---- building ---- */

struct file {
    struct an_buf bytes;
    size_t offsets[64];
    size_t xref;
};

static void
put_object(struct file *file, uint32_t num, unsigned gen, const char *text)
{
    file->offsets[num] = file->bytes.len;
    an_buf_printf(&file->bytes, "%u %u obj\n%s\nendobj\n", num, gen, text);
}

/* One signature over everything but its own value. */
static void
build_signed(struct file *file)
{
    size_t range_at, contents_at, contents_end;
    char range[64];

    an_buf_str(&file->bytes, "%PDF-1.7\n");
    for (uint32_t i = 1; i < AN_COUNT(base_objects); i++)
        if (base_objects[i])
            put_object(file, i, 0, base_objects[i]);
    file->offsets[8] = file->bytes.len;
    an_buf_str(&file->bytes, "8 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange");
    range_at = file->bytes.len;
    an_buf_printf(&file->bytes, "%*s/Contents", 40, "");
    contents_at = file->bytes.len;
    an_buf_str(&file->bytes, "<30030201000000>");
    contents_end = file->bytes.len;
    an_buf_str(&file->bytes, ">>\nendobj\n");
    file->xref = file->bytes.len;
    an_buf_printf(&file->bytes, "xref\n0 %zu\n0000000000 65535 f \n", AN_COUNT(base_objects));
    for (uint32_t i = 1; i < AN_COUNT(base_objects); i++)
        an_buf_printf(&file->bytes, "%010zu 00000 n \n", file->offsets[i]);
    an_buf_printf(&file->bytes, "trailer\n<</Size 40/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n", file->xref);
    snprintf(range, sizeof range, "[0 %zu %zu %zu]", contents_at, contents_end, file->bytes.len - contents_end);
    memcpy(file->bytes.ptr + range_at, range, strlen(range));
}

static void
put_entry(struct file *file, const struct object *object)
{
    size_t offset = file->offsets[object->how == AT_OBJECT ? object->other : object->num];

    if (object->how == UNLISTED)
        return;
    if (object->how == FREED)
        an_buf_printf(&file->bytes, "%u 1\n0000000000 00001 f \n", object->num);
    else
        an_buf_printf(&file->bytes, "%u 1\n%010zu %05u n \n", object->num, offset, object->how == WRONG_GEN ? 3u : 0u);
    if (object->how == TWICE)
        an_buf_printf(&file->bytes, "%u 1\n%010zu 00000 n \n", object->num, file->offsets[9] / 2);
}

static void
append_update(struct file *file, const struct row *row)
{
    size_t previous = file->xref;

    for (size_t i = 0; i < AN_COUNT(row->objects) && row->objects[i].num; i++)
        if (row->objects[i].text)
            put_object(file, row->objects[i].num, row->objects[i].how == WRONG_GEN ? 3 : 0, row->objects[i].text);
    file->xref = file->bytes.len;
    an_buf_str(&file->bytes, "xref\n");
    for (size_t i = 0; i < AN_COUNT(row->objects) && row->objects[i].num; i++)
        put_entry(file, &row->objects[i]);
    an_buf_printf(&file->bytes, "trailer\n<</Size 40/Root %s/Prev %zu>>\nstartxref\n%zu\n%%%%EOF\n%s",
                  row->root ? row->root : "1 0 R", previous, file->xref, row->tail ? row->tail : "");
}

/* ---- judging ---- */

static bool
has_finding(const struct an_pdf_diff *diff, an_code why)
{
    for (size_t i = 0; i < diff->count; i++)
        if (diff->items[i].why == why)
            return true;
    return why == AN_OK && diff->count == 0;
}

static bool
is_named(const struct row *row, int docmdp)
{
    return strchr(row->allowed, '0' + docmdp) != NULL;
}

static size_t
check_level(struct an_pdf *pdf, const struct row *row, int docmdp)
{
    struct an_pdf_diff diff;
    struct an_err err = {0};
    size_t wrong = 0;

    if (an_pdf_diff(pdf, 0, docmdp, &diff, &err) != AN_OK)
        fail_msg("%s: %s", row->name, err.detail);
    if (diff.any_forbidden == is_named(row, docmdp)) {
        print_message("%s at DocMDP %d: %s\n", row->name, docmdp, diff.any_forbidden ? "refused" : "accepted");
        wrong++;
    }
    if ((is_named(row, docmdp) || row->allowed[0] == '\0') && !has_finding(&diff, row->why)) {
        print_message("%s at DocMDP %d: not called %s\n", row->name, docmdp, an_message_find(row->why)->symbol);
        wrong++;
    }
    for (size_t i = 0; wrong && i < diff.count; i++)
        print_message("    %s %u %s\n", an_message_find(diff.items[i].why)->symbol, diff.items[i].num, diff.items[i].path);
    an_pdf_diff_done(&diff);
    return wrong;
}

static void
updates_are_judged(void **state)
{
    const struct an_pdf_open options = {0};
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(rows); i++) {
        struct file file = {.bytes = an_buf_new(1 << 20)};
        struct an_pdf *pdf = NULL;
        struct an_err err = {0};

        build_signed(&file);
        append_update(&file, &rows[i]);
        if (an_pdf_open(an_buf_view(&file.bytes), &options, &pdf, &err) != AN_OK)
            /* a catalog that is none: refused at the door */
            assert_int_equal(rows[i].why, AN_V_PDF_ROOT);
        else
            for (int docmdp = 0; docmdp < 4; docmdp++)
                wrong += check_level(pdf, &rows[i], docmdp);
        an_pdf_free(&pdf);
        an_buf_free(&file.bytes);
    }
    assert_int_equal(wrong, 0);
}

/* ---- coverage ---- */

static const struct {
    const char *name;
    long change[4]; /* added to the four numbers */
    an_code why;
} ranges[] = {
    {"right", {0, 0, 0, 0}, AN_OK},
    {"starts late", {1, 0, 0, 0}, AN_V_PDF_RANGE_START},
    {"gap too wide in front", {0, -1, 0, 0}, AN_V_PDF_RANGE_GAP},
    {"gap too wide behind", {0, 0, 1, -1}, AN_V_PDF_RANGE_GAP},
    {"delimiter left out of the gap", {0, 1, 0, 0}, AN_V_PDF_RANGE_GAP},
    {"ends early", {0, 0, 0, -30}, AN_V_PDF_RANGE_END},
    {"ends outside", {0, 0, 0, 1000}, AN_V_PDF_RANGE_OUTSIDE},
};

static void
ranges_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(ranges); i++) {
        struct file file = {.bytes = an_buf_new(1 << 20)};
        struct an_pdf_sigfields fields = {0};
        struct an_pdf *pdf = NULL;
        struct an_err err = {0};
        bool covers;
        an_code code;

        build_signed(&file);
        assert_int_equal(an_pdf_open(an_buf_view(&file.bytes), NULL, &pdf, &err), AN_OK);
        assert_int_equal(an_pdf_sigfields(pdf, AN_PDF_NOW, &fields, &err), AN_OK);
        assert_int_equal(fields.count, 1);
        assert_string_equal(fields.items[0].name, "s1");
        for (size_t j = 0; j < 4; j++)
            fields.items[0].byte_range[j] = (uint64_t)((long)fields.items[0].byte_range[j] + ranges[i].change[j]);
        if (ranges[i].why == AN_V_PDF_RANGE_END)
            fields.items[0].revision = -1; /* what the list says of such a range */
        code = an_pdf_check_coverage(pdf, &fields, 0, &covers, &err);
        if (code != ranges[i].why)
            fail_msg("%s: %s", ranges[i].name, an_message_find(code)->symbol);
        assert_int_equal(covers, code == AN_OK);
        an_pdf_sigfields_done(&fields);
        an_pdf_free(&pdf);
        an_buf_free(&file.bytes);
    }
}

/* ---- before signing ---- */

static void
shadows_are_seen(void **state)
{
    struct file file = {.bytes = an_buf_new(1 << 20)};
    struct an_pdf_diff diff;
    struct an_pdf *pdf = NULL;
    struct an_err err = {0};

    (void)state;
    build_signed(&file);
    assert_int_equal(an_pdf_open(an_buf_view(&file.bytes), NULL, &pdf, &err), AN_OK);
    assert_int_equal(an_pdf_shadow_scan(pdf, &diff, &err), AN_OK);
    assert_true(has_finding(&diff, AN_V_PDF_DANGLING_NOW));
    assert_true(has_finding(&diff, AN_V_PDF_OVERLAY_FIELD));
    assert_false(diff.any_forbidden);
    an_pdf_diff_done(&diff);
    an_pdf_free(&pdf);
    an_buf_free(&file.bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_are_judged),
        cmocka_unit_test(ranges_are_judged),
        cmocka_unit_test(shadows_are_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
