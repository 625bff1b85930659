/* pdf/: appending signatures and validation stores to files of every style. Judges: qpdf, poppler, MuPDF, openssl. */
#include "made.h"
#include "oracle.h"

#include "base/limits.h"

static const struct an_pdf_sign plain_sign = {
    .sub_filter = "ETSI.CAdES.detached", .contents_max = 2400, .m_time = 1764642605, .rect = {100, 150, 220, 270}};

/* What prepare says; the file with the filled-in update in ret_file when it says AN_OK. */
static an_code
sign_bytes(an_bytes file, const struct an_pdf_sign *what, const char *password, struct an_buf *ret_file,
           struct an_pdf_update *ret_update, struct an_err *err)
{
    AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;
    AN_CLEANUP(an_secret_free) struct an_secret *secret = password ? an_secret_from(an_bytes_of_str(password)) : NULL;
    AN_CLEANUP(an_pdf_update_done) struct an_pdf_update update = {0};
    AN_CLEANUP(an_buf_free) struct an_buf cms = an_buf_new(AN_BUF_UNLIMITED);
    struct an_pdf_open options = {.allow_rebuild = true, .password = secret};
    size_t hole;

    AN_TRY(an_pdf_open(file, &options, &pdf, err));
    AN_TRY(an_pdf_sign_prepare(pdf, what, &update, err));
    hole = update.contents_offset - update.base;
    assert_int_equal(update.byte_range[1], update.contents_offset);
    assert_int_equal(update.byte_range[2], update.contents_offset + 2 + 2 * update.contents_max);
    assert_int_equal(update.byte_range[2] + update.byte_range[3], update.base + update.tail.len);
    oracle_save("signed-bytes", file, AN_BYTES(update.tail.ptr, hole));
    {
        FILE *more = fopen(oracle_path("signed-bytes"), "ab");

        fwrite(update.tail.ptr + hole + 2 + 2 * update.contents_max, 1, update.byte_range[3], more);
        fclose(more);
    }
    if (oracle_run(&cms, "openssl cms -sign -binary -outform DER -md sha256 -signer %s -inkey %s -in %s",
                   oracle_path("cert.pem"), oracle_path("key.pem"), oracle_path("signed-bytes")) != 0)
        fail_msg("openssl: %.*s", AN_FMT(an_buf_view(&cms)));
    AN_TRY(an_pdf_sign_fill(&update, an_buf_view(&cms), err));
    an_buf_append(ret_file, file);
    an_buf_append(ret_file, an_buf_view(&update.tail));
    if (ret_update) {
        *ret_update = update;
        update = (struct an_pdf_update){0};
    }
    return AN_OK;
}

static void
expect_signed(an_bytes file, const struct an_pdf_sign *what, const char *password, struct an_buf *ret_file)
{
    struct an_err err = {0};

    if (sign_bytes(file, what, password, ret_file, NULL, &err) != AN_OK)
        fail_msg("%s %s", an_message_find(err.code)->symbol, err.detail);
}

/* qpdf, poppler and MuPDF read it; poppler finds n valid signatures. */
static void
expect_good(an_bytes file, int signatures, const char *password)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(AN_BUF_UNLIMITED), list = an_buf_new(AN_BUF_UNLIMITED);
    const char *path = oracle_path("judged.pdf");
    int valid = 0;

    oracle_save("judged.pdf", file, AN_NONE);
    if (oracle_run(&out, "qpdf --check --password=%s %s 2>&1", password ? password : "", path) != 0)
        fail_msg("qpdf: %.*s", AN_FMT(an_buf_view(&out)));
    an_buf_reset(&out);
    if (oracle_run(&out, "mutool show -p '%s' %s trailer/Root/AcroForm/SigFlags 2>&1", password ? password : "",
                   path) != 0 ||
        an_bytes_find(an_buf_view(&out), AN_LIT("3"), 0) == SIZE_MAX)
        fail_msg("mutool: %.*s", AN_FMT(an_buf_view(&out)));
    if (password)
        return; /* pdfsig asks for passwords in another way */
    oracle_run(&list, "pdfsig -nocert %s 2>&1", path);
    for (size_t at = 0; (at = an_bytes_find(an_buf_view(&list), AN_LIT("Signature is Valid"), at)) != SIZE_MAX; at++)
        valid++;
    if (valid != signatures)
        fail_msg("%d of %d: %.*s", valid, signatures, AN_FMT(an_buf_view(&list)));
}

static int
set_up(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(AN_BUF_UNLIMITED);

    if (oracle_set_up(state) != 0)
        return -1;
    return oracle_run(&out, "openssl req -x509 -newkey rsa:2048 -nodes -keyout %s -out %s -days 30 -subj /CN=Test 2>&1",
                      oracle_path("key.pem"), oracle_path("cert.pem"));
}

/* ---- every style of file ---- */
static const struct { const char *name; struct made made;
} style_table[] = {
    {"classic", {.style = MADE_CLASSIC}},
    {"no newline at the end", {.style = MADE_CLASSIC, .no_final_newline = true}},
    {"no identifier", {.style = MADE_CLASSIC, .no_id = true}},
    {"cross-reference stream", {.style = MADE_STREAM}},
    {"object stream", {.style = MADE_OBJECT_STREAM}},
    {"hybrid", {.style = MADE_HYBRID}},
    {"many pages", {.style = MADE_OBJECT_STREAM, .pages = 300}},
    {"direct form and list",
     {.style = MADE_CLASSIC, .catalog_extra = "/AcroForm<</Fields[]/DA(/F 0 Tf)>>", .page_extra = "/Annots[]"}},
    {"indirect form and list",
     {.style = MADE_STREAM,
      .catalog_extra = "/AcroForm 6 0 R",
      .page_extra = "/Annots 7 0 R",
      .objects = (const char *const[]){"<</Fields 8 0 R>>", "[]", "[]", NULL}}},
    {"form and lists in an object stream",
     {.style = MADE_OBJECT_STREAM,
      .catalog_extra = "/AcroForm 6 0 R",
      .page_extra = "/Annots 7 0 R",
      .objects = (const char *const[]){"<</Fields 8 0 R/SigFlags 1>>", "[]", "[]", NULL}}},
};

static void
every_style_is_continued(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(style_table); i++) {
        AN_CLEANUP(an_buf_free)
        struct an_buf file = an_buf_new(AN_BUF_UNLIMITED),
                      one = an_buf_new(AN_BUF_UNLIMITED), again = an_buf_new(AN_BUF_UNLIMITED),
                      three = an_buf_new(AN_BUF_UNLIMITED), two = an_buf_new(AN_BUF_UNLIMITED);
        struct an_pdf_sign what = plain_sign;
        bool is_stream = style_table[i].made.style == MADE_STREAM || style_table[i].made.style == MADE_OBJECT_STREAM;

        what.page_index = SIZE_MAX;
        what.reason = "Phê duyệt (văn bản)";
        print_message("  %s\n", style_table[i].name);
        made_file(&style_table[i].made, &file);
        expect_signed(an_buf_view(&file), &what, NULL, &one);
        expect_signed(an_buf_view(&file), &what, NULL, &again);
        /* openssl puts a signing time into its CMS: everything else is the same */
        assert_int_equal(one.len, again.len);
        assert_true(an_bytes_starts_with(an_buf_view(&one), an_buf_view(&file)));
        assert_true(one.len - file.len - 2 * what.contents_max < 1000);
        expect_good(an_buf_view(&one), 1, NULL);
        assert_int_equal(an_bytes_find(an_buf_view(&one), AN_LIT("\ntrailer"), file.len) == SIZE_MAX, is_stream);
        expect_signed(an_buf_view(&one), &what, NULL, &two);
        expect_signed(an_buf_view(&two), &what, NULL, &three);
        assert_true(an_bytes_starts_with(an_buf_view(&three), an_buf_view(&two)));
        expect_good(an_buf_view(&three), 3, NULL);
    }
}

static void
same_input_same_bytes(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), first = an_buf_new(AN_BUF_UNLIMITED);
    struct made made = {.style = MADE_STREAM};

    (void)state;
    made_file(&made, &file);
    for (int round = 0; round < 3; round++) {
        AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;
        AN_CLEANUP(an_pdf_update_done) struct an_pdf_update update = {0};
        struct an_pdf_sign what = plain_sign;
        struct an_pdf_open options = {0};

        what.m_time += round == 2; /* another time, another identifier */
        assert_int_equal(an_pdf_open(an_buf_view(&file), &options, &pdf, NULL), AN_OK);
        assert_int_equal(an_pdf_sign_prepare(pdf, &what, &update, NULL), AN_OK);
        assert_true(update.tail.len - 2 * update.contents_max < 900);
        if (round == 0) {
            an_buf_append(&first, an_buf_view(&update.tail));
        } else {
            size_t id = an_bytes_find(an_buf_view(&update.tail), AN_LIT("/ID["), 0);

            assert_int_equal(an_bytes_eq(an_buf_view(&first), an_buf_view(&update.tail)), round == 1);
            assert_int_equal(memcmp(first.ptr + id + 40, update.tail.ptr + id + 40, 32) == 0, round == 1);
        }
    }
}

/* qpdf makes what we do not: linearized and encrypted files. */
static const struct { const char *options, *password; } qpdf_table[] = {
    {"--linearize", NULL},
    {"--linearize --object-streams=generate", NULL},
    {"--allow-weak-crypto --encrypt '' owner 40 --", NULL},
    {"--allow-weak-crypto --encrypt '' owner 128 --", NULL},
    {"--allow-weak-crypto --encrypt '' owner 128 --use-aes=y --", NULL},
    {"--allow-weak-crypto --object-streams=generate --encrypt '' owner 128 --use-aes=y --cleartext-metadata --", NULL},
    {"--encrypt '' owner 256 --", NULL},
    {"--encrypt user owner 256 --", "user"},
    {"--encrypt user owner 256 --", "owner"},
    {"--allow-weak-crypto --encrypt user owner 256 --force-R5 --", "user"},
};

static void
linearized_and_encrypted_files(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED);
    struct made made = {.style = MADE_CLASSIC, .pages = 3};
    struct an_pdf_sign what = plain_sign;

    (void)state;
    if (!oracle_has("qpdf"))
        skip();
    made_file(&made, &file);
    oracle_save("plain.pdf", an_buf_view(&file), AN_NONE);
    what.reason = "Đồng ý";
    for (size_t i = 0; i < AN_COUNT(qpdf_table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf in = an_buf_new(AN_BUF_UNLIMITED), out = an_buf_new(AN_BUF_UNLIMITED),
                                              said = an_buf_new(AN_BUF_UNLIMITED);

        print_message("  %s\n", qpdf_table[i].options);
        if (oracle_run(&said, "qpdf %s %s %s 2>&1", qpdf_table[i].options, oracle_path("plain.pdf"),
                       oracle_path("made.pdf")))
            fail_msg("%.*s", AN_FMT(an_buf_view(&said)));
        assert_int_equal(an_file_read(oracle_path("made.pdf"), 1 << 20, &in, NULL), AN_OK);
        expect_signed(an_buf_view(&in), &what, qpdf_table[i].password, &out);
        expect_good(an_buf_view(&out), 1, qpdf_table[i].password);
        oracle_says("Reason (",
                    "qpdf --password=%s --qdf --decrypt %s - | sed -n '/Reason/s/<feff011001ed.*/(/p' | tr -d /; echo "
                    "'Reason ('",
                    qpdf_table[i].password ? qpdf_table[i].password : "", oracle_path("judged.pdf"));
        oracle_says("<feff0110", "qpdf --password=%s --qdf --decrypt %s - | tr A-Z a-z",
                    qpdf_table[i].password ? qpdf_table[i].password : "", oracle_path("judged.pdf"));
    }
}

static void
damaged_files_become_readable(void **state)
{
    static const enum made_style styles[] = {MADE_CLASSIC, MADE_OBJECT_STREAM};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(styles); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), out = an_buf_new(AN_BUF_UNLIMITED);
        struct made made = {.style = styles[i]};
        size_t at;

        made_file(&made, &file);
        at = an_bytes_rfind(an_buf_view(&file), AN_LIT("startxref"));
        memcpy(file.ptr + at + 10, "7\n%", 3); /* points into the header */
        at = an_bytes_rfind(an_buf_view(&file), styles[i] == MADE_CLASSIC ? AN_LIT("\nxref") : AN_LIT("/XRef"));
        file.ptr[at + 2] = 'X';
        expect_signed(an_buf_view(&file), &plain_sign, NULL, &out);
        assert_int_equal(an_bytes_find(an_buf_view(&out), AN_LIT("/Prev"), file.len), SIZE_MAX);
        expect_good(an_buf_view(&out), 1, NULL);
    }
}

/* ---- fields ---- */
#define FORM "/AcroForm<</SigFlags 3/Fields[6 0 R 7 0 R 8 0 R 11 0 R]>>"
static const char *const form_objects[] = {
    /* 6 */ "<</Type/Annot/Subtype/Widget/FT/Sig/T(Empty)/P 4 0 R/Rect[100 100 200 150]/F 4>>",
    /* 7 */ "<</Type/Annot/Subtype/Widget/FT/Tx/T(Text)/P 4 0 R/Rect[0 0 10 10]/F 4>>",
    /* 8 */ "<</T(Group)/FT/Sig/Kids[9 0 R 12 0 R]>>",
    /* 9 */ "<</T(Inner)/Parent 8 0 R/Kids[10 0 R]>>",
    /* 10 */ "<</Type/Annot/Subtype/Widget/Parent 9 0 R/P 4 0 R/Rect[300 300 400 350]/F 4>>",
    /* 11 */ "<</Type/Annot/Subtype/Widget/FT/Sig/T(Fixed)/Ff 1/P 4 0 R/Rect[0 0 0 0]/F 4>>",
    /* 12 */ "<</T(Twice)/Parent 8 0 R/Kids[13 0 R 14 0 R]>>",
    /* 13 */ "<</Type/Annot/Subtype/Widget/Parent 12 0 R/P 4 0 R/Rect[300 300 400 350]/F 4>>",
    /* 14 */ "<</Type/Annot/Subtype/Widget/Parent 12 0 R/P 4 0 R/Rect[300 200 400 250]/F 4>>", NULL};

/* seen: by poppler, which counts the places where a signature is shown. */
static const struct { const char *field, *page_extra; an_code want; int seen; } field_table[] = {
    {"Empty", "/Annots[6 0 R 7 0 R 10 0 R]", AN_OK, 1},
    {"Group.Inner", "/Annots[6 0 R 7 0 R 10 0 R]", AN_OK, 1},
    {"Group.Twice", "/Annots[6 0 R 13 0 R 14 0 R]", AN_OK, 2},
    {"Group.New", "/Annots[6 0 R]", AN_OK, 1},
    {"Group.Deep.New", NULL, AN_OK, 1},
    {"Other.Deep.New", NULL, AN_OK, 1},
    {"Chữ ký", NULL, AN_OK, 1},
    {"Text", NULL, AN_E_PDF_FIELD_KIND},
    {"Text.Below", NULL, AN_E_PDF_FIELD_KIND},
    {"Group", NULL, AN_E_PDF_FIELD_KIND},
    {"Fixed", NULL, AN_E_PDF_LOCKED},
    {"a..b", NULL, AN_E_PDF_TEXT},
    {".a", NULL, AN_E_PDF_TEXT},
};

static void
fields_are_found_or_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(field_table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), one = an_buf_new(AN_BUF_UNLIMITED),
                                              two = an_buf_new(AN_BUF_UNLIMITED);
        struct made made = {.catalog_extra = FORM, .objects = form_objects, .page_extra = field_table[i].page_extra};
        struct an_pdf_sign what = plain_sign;
        struct an_err err = {0};
        an_code code;

        what.field_name = field_table[i].field;
        print_message("  %s\n", what.field_name);
        made_file(&made, &file);
        code = sign_bytes(an_buf_view(&file), &what, NULL, &one, NULL, &err);
        if (code != field_table[i].want)
            fail_msg("%s: %s %s", what.field_name, an_message_find(code)->symbol, err.detail);
        if (code != AN_OK)
            continue;
        expect_good(an_buf_view(&one), field_table[i].seen, NULL);
        if (strcmp(what.field_name, "Group.Inner") == 0)
            oracle_says("/ETSI.CAdES.detached", "mutool show %s trailer/Root/AcroForm/Fields/3/Kids/1/V/SubFilter 2>&1",
                        oracle_path("judged.pdf"));
        oracle_says(what.field_name, "pdfsig -nocert %s 2>&1", oracle_path("judged.pdf"));
        assert_int_equal(sign_bytes(an_buf_view(&one), &what, NULL, &two, NULL, &err), AN_E_PDF_FIELD_SIGNED);
        assert_non_null(strstr(err.detail, what.field_name));
    }
}

/* ---- what forbids ---- */
#define SIGNATURE(reference)                                                                                           \
    "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 "                                  \
    "3]/Contents<00>/Reference[" reference "]>>"
#define TRANSFORM(method, parameters)                                                                                  \
    "<</TransformMethod/" method "/TransformParams<</Type/TransformParams/V/1.2" parameters ">>>>"
#define EMPTY_FIELD(extra) "<</Type/Annot/Subtype/Widget/FT/Sig/T(Empty)/P 4 0 R/Rect[0 0 0 0]/F 4" extra ">>"
#define SIGNED_FIELD(extra) "<</Type/Annot/Subtype/Widget/FT/Sig/T(First)/V 8 0 R/P 4 0 R/Rect[0 0 0 0]/F 4" extra ">>"

static const struct {
    const char *label, *catalog, *empty, *signed_, *signature;
    struct an_pdf_sign what; an_code want;
} forbid_table[] = {
    {"certified, nothing may change",
     "/Perms<</DocMDP 8 0 R>>",
     EMPTY_FIELD(""),
     SIGNED_FIELD(""),
     SIGNATURE(TRANSFORM("DocMDP", "/P 1")),
     {0},
     AN_E_PDF_DOCMDP},
    {"a time-stamp is no change",
     "/Perms<</DocMDP 8 0 R>>",
     EMPTY_FIELD(""),
     SIGNED_FIELD(""),
     SIGNATURE(TRANSFORM("DocMDP", "/P 1")),
     {.sub_filter = "ETSI.RFC3161", .field_name = "Stamp"},
     AN_OK},
    {"certified, signing allowed",
     "/Perms<</DocMDP 8 0 R>>",
     EMPTY_FIELD(""),
     SIGNED_FIELD(""),
     SIGNATURE(TRANSFORM("DocMDP", "/P 2")),
     {0},
     AN_OK},
    {"certified, level by default",
     "/Perms<</DocMDP 8 0 R>>",
     EMPTY_FIELD(""),
     SIGNED_FIELD(""),
     SIGNATURE(""),
     {0},
     AN_OK},
    {"certifying a signed file", "", EMPTY_FIELD(""), SIGNED_FIELD(""), SIGNATURE(""), {.docmdp = 2}, AN_E_PDF_CERTIFY},
    {"all locked by FieldMDP",
     "",
     EMPTY_FIELD(""),
     SIGNED_FIELD(""),
     SIGNATURE(TRANSFORM("FieldMDP", "/Action/All")),
     {0},
     AN_E_PDF_FIELDMDP},
    {"a new field too",
     "",
     EMPTY_FIELD(""),
     SIGNED_FIELD(""),
     SIGNATURE(TRANSFORM("FieldMDP", "/Action/All")),
     {.field_name = "New"},
     AN_E_PDF_FIELDMDP},
    {"in the list",
     "",
     EMPTY_FIELD(""),
     SIGNED_FIELD("/Lock<</Action/Include/Fields[(Empty)]>>"),
     SIGNATURE(""),
     {0},
     AN_E_PDF_FIELDMDP},
    {"below a name in the list",
     "",
     EMPTY_FIELD(""),
     SIGNED_FIELD("/Lock<</Action/Include/Fields[(G)]>>"),
     SIGNATURE(""),
     {.field_name = "G.x"},
     AN_E_PDF_FIELDMDP},
    {"not in the list",
     "",
     EMPTY_FIELD(""),
     SIGNED_FIELD("/Lock<</Action/Include/Fields[(Emp)]>>"),
     SIGNATURE(""),
     {0},
     AN_OK},
    {"all but the list",
     "",
     EMPTY_FIELD(""),
     SIGNED_FIELD("/Lock<</Action/Exclude/Fields[(Other)]>>"),
     SIGNATURE(""),
     {0},
     AN_E_PDF_FIELDMDP},
    {"all but this one",
     "",
     EMPTY_FIELD(""),
     SIGNED_FIELD("/Lock<</Action/Exclude/Fields[(Empty)]>>"),
     SIGNATURE(""),
     {0},
     AN_OK},
    {"lock of the document",
     "",
     EMPTY_FIELD(""),
     SIGNED_FIELD("/Lock<</Action/Include/Fields[(x)]/P 1>>"),
     SIGNATURE(""),
     {0},
     AN_E_PDF_LOCKED},
    {"filter", "", EMPTY_FIELD("/SV<</Filter/Other/Ff 1>>"), "null", "null", {0}, AN_E_PDF_SEED_VALUE},
    {"filter, a wish", "", EMPTY_FIELD("/SV<</Filter/Other>>"), "null", "null", {0}, AN_OK},
    {"sub-filter",
     "",
     EMPTY_FIELD("/SV<</SubFilter[/adbe.pkcs7.detached]/Ff 2>>"),
     "null",
     "null",
     {0},
     AN_E_PDF_SEED_VALUE},
    {"sub-filter met", "", EMPTY_FIELD("/SV<</SubFilter[/x/ETSI.CAdES.detached]/Ff 2>>"), "null", "null", {0}, AN_OK},
    {"version", "", EMPTY_FIELD("/SV<</V 4/Ff 4>>"), "null", "null", {0}, AN_E_PDF_SEED_VALUE},
    {"digest", "", EMPTY_FIELD("/SV<</DigestMethod[(SHA512)]/Ff 64>>"), "null", "null", {0}, AN_E_PDF_SEED_VALUE},
    {"digest met", "", EMPTY_FIELD("/SV<</DigestMethod[(SHA256)(SHA512)]/Ff 64>>"), "null", "null", {0}, AN_OK},
    {"reason", "", EMPTY_FIELD("/SV<</Reasons[(A)(B)]/Ff 8>>"), "null", "null", {.reason = "C"}, AN_E_PDF_SEED_VALUE},
    {"reason missing", "", EMPTY_FIELD("/SV<</Reasons[(A)(B)]/Ff 8>>"), "null", "null", {0}, AN_E_PDF_SEED_VALUE},
    {"reason met", "", EMPTY_FIELD("/SV<</Reasons[(A)(B)]/Ff 8>>"), "null", "null", {.reason = "B"}, AN_OK},
    {"no reason may be given",
     "",
     EMPTY_FIELD("/SV<</Reasons[(.)]/Ff 8>>"),
     "null",
     "null",
     {.reason = "A"},
     AN_E_PDF_SEED_VALUE},
    {"must certify", "", EMPTY_FIELD("/SV<</MDP<</P 2>>>>"), "null", "null", {0}, AN_E_PDF_SEED_VALUE},
    {"must certify, does", "", EMPTY_FIELD("/SV<</MDP<</P 2>>>>"), "null", "null", {.docmdp = 2}, AN_OK},
    {"must lock", "", EMPTY_FIELD("/SV<</LockDocument/true/Ff 128>>"), "null", "null", {0}, AN_E_PDF_SEED_VALUE},
    {"must lock, does",
     "",
     EMPTY_FIELD("/SV<</LockDocument/true/Ff 128>>"),
     "null",
     "null",
     {.lock = AN_PDF_LOCK_ALL},
     AN_OK},
    {"demands on the certificate", "", EMPTY_FIELD("/SV<</Cert<</Ff 2>>>>"), "null", "null", {0}, AN_E_PDF_SEED_VALUE},
    {"time-stamp",
     "",
     EMPTY_FIELD("/SV<</TimeStamp<</Ff 1/URL(http://x)>>>>"),
     "null",
     "null",
     {0},
     AN_E_PDF_SEED_VALUE},
    {"time-stamp met",
     "",
     EMPTY_FIELD("/SV<</TimeStamp<</Ff 1/URL(http://x)>>>>"),
     "null",
     "null",
     {.has_time_stamp = true},
     AN_OK},
};

static void
what_is_forbidden_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(forbid_table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED);
        AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;
        AN_CLEANUP(an_pdf_update_done) struct an_pdf_update update = {0};
        const char *objects[] = {forbid_table[i].empty, forbid_table[i].signed_, forbid_table[i].signature, NULL};
        char catalog[256];
        struct made made = {.catalog_extra = catalog, .objects = objects, .page_extra = "/Annots[6 0 R 7 0 R]"};
        struct an_pdf_sign what = forbid_table[i].what;
        struct an_pdf_open options = {0};
        struct an_err err = {0};
        an_code code;

        snprintf(catalog, sizeof catalog, "/AcroForm<</SigFlags 3/Fields[6 0 R 7 0 R]>>%s", forbid_table[i].catalog);
        what.sub_filter = what.sub_filter ? what.sub_filter : plain_sign.sub_filter;
        what.contents_max = 100;
        what.m_time = AN_TIME_NONE;
        what.field_name = what.field_name ? what.field_name : "Empty";
        made_file(&made, &file);
        assert_int_equal(an_pdf_open(an_buf_view(&file), &options, &pdf, &err), AN_OK);
        code = an_pdf_sign_prepare(pdf, &what, &update, &err);
        if (code != forbid_table[i].want)
            fail_msg("%s: %s %s", forbid_table[i].label, an_message_find(code)->symbol, err.detail);
        if (code != AN_OK && err.detail[0] == 0)
            fail_msg("%s: no detail", forbid_table[i].label);
    }
}

static void
certification_and_lock_are_written(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), one = an_buf_new(AN_BUF_UNLIMITED),
                                          two = an_buf_new(AN_BUF_UNLIMITED);
    struct made made = {.catalog_extra = "/Perms<</UR3 3 0 R>>"};
    struct an_pdf_sign what = plain_sign;
    struct an_err err = {0};

    (void)state;
    what.docmdp = 2;
    what.lock = AN_PDF_LOCK_ALL;
    made_file(&made, &file);
    expect_signed(an_buf_view(&file), &what, NULL, &one);
    expect_good(an_buf_view(&one), 1, NULL);
    oracle_says("/P 2", "mutool show %s trailer/Root/Perms/DocMDP/Reference/1/TransformParams 2>&1",
                oracle_path("judged.pdf"));
    oracle_says("/Action /All", "mutool show %s trailer/Root/Perms/DocMDP/Reference/2/TransformParams 2>&1",
                oracle_path("judged.pdf"));
    oracle_says("/UR3", "mutool show %s trailer/Root/Perms 2>&1", oracle_path("judged.pdf"));
    assert_int_equal(sign_bytes(an_buf_view(&one), &plain_sign, NULL, &two, NULL, &err), AN_E_PDF_FIELDMDP);
    assert_non_null(strstr(err.detail, "AnTin1"));
}

/* ---- validation store ---- */
static void
append_store(an_bytes file, const struct an_pdf_dss *dss, struct an_buf *ret)
{
    AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;
    AN_CLEANUP(an_pdf_update_done) struct an_pdf_update update = {0};
    struct an_pdf_open options = {0};
    struct an_err err = {0};

    if (an_pdf_open(file, &options, &pdf, &err) != AN_OK || an_pdf_dss_prepare(pdf, dss, &update, &err) != AN_OK)
        fail_msg("%s %s", an_message_find(err.code)->symbol, err.detail);
    an_buf_append(ret, file);
    an_buf_append(ret, an_buf_view(&update.tail));
}

static void
stores_are_merged(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED), signed_ = an_buf_new(AN_BUF_UNLIMITED),
                                          one = an_buf_new(AN_BUF_UNLIMITED), same = an_buf_new(AN_BUF_UNLIMITED),
                                          two = an_buf_new(AN_BUF_UNLIMITED);
    an_bytes certs[] = {AN_LIT("certificate one"),
                        AN_LIT("certificate two, certificate two, certificate two, certificate two")};
    an_bytes crls[] = {AN_LIT("a list"), AN_LIT("another list")}, ocsps[] = {AN_LIT("an answer")};
    uint8_t key[20] = {0xAB, 1, 2}, other[20] = {0xCD};
    struct an_pdf_vri vris[] = {{key, certs, crls, NULL, 1, 1, 0}, {other, certs + 1, NULL, ocsps, 1, 0, 1}};
    struct an_pdf_dss first = {certs, crls, NULL, 1, 1, 0, vris, 1},
                      second = {certs, crls, ocsps, 2, 2, 1, vris + 1, 1};
    struct made made = {.style = MADE_STREAM};
    struct an_pdf_dss_data data = {0};
    struct an_pdf_open options = {0};
    AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;

    (void)state;
    made_file(&made, &file);
    expect_signed(an_buf_view(&file), &plain_sign, NULL, &signed_);
    append_store(an_buf_view(&signed_), &first, &one);
    append_store(an_buf_view(&one), &first, &same);
    assert_int_equal(one.len, same.len); /* nothing new: nothing appended */
    append_store(an_buf_view(&one), &second, &two);
    expect_good(an_buf_view(&two), 1, NULL);
    oracle_says("/AB01020000000000000000000000000000000000", "mutool show %s trailer/Root/DSS/VRI 2>&1",
                oracle_path("judged.pdf"));
    oracle_says("/CD00000000000000000000000000000000000000", "mutool show %s trailer/Root/DSS/VRI 2>&1",
                oracle_path("judged.pdf"));
    oracle_says("certificate two, cert", "qpdf --qdf %s - 2>&1", oracle_path("judged.pdf"));
    assert_int_equal(an_bytes_rfind(an_buf_view(&two), AN_LIT("certificate one")),
                     an_bytes_find(an_buf_view(&two), AN_LIT("certificate one"), 0));
    assert_int_equal(an_pdf_open(an_buf_view(&two), &options, &pdf, NULL), AN_OK);
    assert_int_equal(an_pdf_dss_read(pdf, AN_PDF_NOW, &data, NULL), AN_OK);
    assert_int_equal(data.cert_count, 2);
    assert_int_equal(data.crl_count, 2);
    assert_int_equal(data.ocsp_count, 1);
    assert_true(an_bytes_eq(data.certs[1], certs[1]));
    an_pdf_dss_data_done(&data);
}

/* ---- bounds ---- */
static void
bad_requests_are_refused(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_BUF_UNLIMITED);
    AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;
    struct an_pdf_update update = {0};
    struct an_pdf_appearance look = {.width = 10, .height = 10};
    struct an_pdf_sign what = plain_sign;
    struct an_pdf_open options = {0};
    struct made made = {0};

    (void)state;
    made_file(&made, &file);
    assert_int_equal(an_pdf_open(an_buf_view(&file), &options, &pdf, NULL), AN_OK);
    what.contents_max = 0;
    assert_int_equal(an_pdf_sign_prepare(pdf, &what, &update, NULL), AN_E_LIMIT);
    what.contents_max = AN_LIMIT_CMS_BYTES + 1;
    assert_int_equal(an_pdf_sign_prepare(pdf, &what, &update, NULL), AN_E_LIMIT);
    what = plain_sign;
    what.visible = true;
    what.appearance = &look;
    what.page_index = 5;
    assert_int_equal(an_pdf_sign_prepare(pdf, &what, &update, NULL), AN_E_PDF_PAGE);
    what.page_index = 0;
    what.rect = (struct an_pdf_rect){700, 0, 800, 100}; /* right of the page */
    assert_int_equal(an_pdf_sign_prepare(pdf, &what, &update, NULL), AN_E_PDF_RECT);
    what.rect = (struct an_pdf_rect){10, 10, 10, 100};
    assert_int_equal(an_pdf_sign_prepare(pdf, &what, &update, NULL), AN_E_PDF_RECT);
    what = plain_sign;
    what.reason = "\xFF";
    assert_int_equal(an_pdf_sign_prepare(pdf, &what, &update, NULL), AN_E_PDF_TEXT);
    what = plain_sign;
    what.contents_max = 4;
    assert_int_equal(an_pdf_sign_prepare(pdf, &what, &update, NULL), AN_OK);
    assert_int_equal(an_pdf_sign_fill(&update, AN_LIT("12345"), NULL), AN_E_PDF_CONTENTS_SIZE);
    assert_int_equal(an_pdf_sign_fill(&update, AN_LIT("1234"), NULL), AN_OK);
    assert_int_equal(an_pdf_sign_fill(&update, AN_LIT("12"), NULL), AN_OK);
    assert_true(an_bytes_starts_with(
        an_bytes_slice(an_buf_view(&update.tail), update.contents_offset - update.base, 10), AN_LIT("<31320000>")));
    an_pdf_update_done(&update);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_style_is_continued),
        cmocka_unit_test(same_input_same_bytes),
        cmocka_unit_test(linearized_and_encrypted_files),
        cmocka_unit_test(damaged_files_become_readable),
        cmocka_unit_test(fields_are_found_or_made),
        cmocka_unit_test(what_is_forbidden_is_refused),
        cmocka_unit_test(certification_and_lock_are_written),
        cmocka_unit_test(stores_are_merged),
        cmocka_unit_test(bad_requests_are_refused),
    };

    return cmocka_run_group_tests(tests, set_up, oracle_tear_down);
}
