/* The regulation room: citations in words, looks against the law's table, faults with file and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "regulation/policy.h"

static struct an_regulations *regs;

static int
open_all(void **state)
{
    (void)state;
    return an_regulations_open(AN_SOURCE_DIR, &regs, NULL) != AN_OK;
}

static int
close_all(void **state)
{
    (void)state;
    an_regulations_close(&regs);
    return 0;
}

static void
assert_text(const char *citation, bool english, const char *expected)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(1024);

    an_citation_text(regs, citation, english, &out);
    an_buf_byte(&out, 0);
    assert_string_equal((const char *)out.ptr, expected);
}

static void
test_citation_words(void **state)
{
    static const struct {
        const char *citation, *vi, *en;
    } ROWS[] = {
        {"nd-68-2024/29", "Điều 29 Nghị định số 68/2024/NĐ-CP", "Article 29 of Decree No. 68/2024/NĐ-CP"},
        {"nd-68-2024/31/1/c", "điểm c khoản 1 Điều 31 Nghị định số 68/2024/NĐ-CP",
         "point c, clause 1, Article 31 of Decree No. 68/2024/NĐ-CP"},
        {"luat-gddt-2023/22/3/đ", "điểm đ khoản 3 Điều 22 Luật Giao dịch điện tử số 20/2023/QH15",
         "point đ, clause 3, Article 22 of the Law on Electronic Transactions No. 20/2023/QH15"},
        {"dong-thap-2025/13/1/a",
         "điểm a khoản 1 Điều 13 Quy chế ban hành kèm theo Quyết định số 144/2025/QĐ-CTUBND (Đồng Tháp)",
         "point a, clause 1, Article 13 of the Regulation issued with Decision No. 144/2025/QĐ-CTUBND (Đồng Tháp)"},
        {"binh-thuan-2017/14/1", "khoản 1 Điều 14 Quy định ban hành kèm theo Quyết định số 754-QĐ/TU (Bình Thuận)",
         "clause 1, Article 14 of the Rules issued with Decision No. 754-QĐ/TU (Bình Thuận)"},
        {"nd-30-2020/pl-1", "Phụ lục I Nghị định số 30/2020/NĐ-CP", "Appendix I of Decree No. 30/2020/NĐ-CP"},
        {"nd-30-2020/pl-4", "Phụ lục IV Nghị định số 30/2020/NĐ-CP", "Appendix IV of Decree No. 30/2020/NĐ-CP"},
        {"binh-thuan-2017/pl-3", "Phụ lục 3 Quy định ban hành kèm theo Quyết định số 754-QĐ/TU (Bình Thuận)",
         "Appendix 3 of the Rules issued with Decision No. 754-QĐ/TU (Bình Thuận)"},
        {"bac-ninh-2023/pl", "Phụ lục Quy chế ban hành kèm theo Quyết định số 09/2023/QĐ-UBND (Bắc Ninh)",
         "the Appendix of the Regulation issued with Decision No. 09/2023/QĐ-UBND (Bắc Ninh)"},
        {"nd-68-2024/mau-06", "Mẫu số 06 Nghị định số 68/2024/NĐ-CP", "Form 06 of Decree No. 68/2024/NĐ-CP"},
        {"qcvn-12-2026/2.2.22", "mục 2.2.22 QCVN 12:2026/BCA ban hành kèm theo Thông tư số 47/2026/TT-BCA",
         "section 2.2.22 of QCVN 12:2026/BCA issued with Circular No. 47/2026/TT-BCA"},
        {"tt-01-2019", "Thông tư số 01/2019/TT-BNV", "Circular No. 01/2019/TT-BNV"},
        {"khong-co-2030/1", "khong-co-2030/1", "khong-co-2030/1"},
        {"../../etc/passwd", "../../etc/passwd", "../../etc/passwd"},
        {"", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        assert_text(ROWS[i].citation, false, ROWS[i].vi);
        assert_text(ROWS[i].citation, true, ROWS[i].en);
    }
}

static void
test_citation_exists(void **state)
{
    static const struct {
        const char *citation;
        an_code code;
    } ROWS[] = {
        {"dong-thap-2025/13/1/a", AN_OK}, {"dong-thap-2025/13/1/b", AN_OK}, {"dong-thap-2025/19", AN_OK},
        {"binh-thuan-2017/3/15", AN_OK}, {"binh-thuan-2017/14/1/d", AN_OK}, {"binh-thuan-2017/24", AN_OK},
        {"tay-ninh-2025/18/1/đ", AN_OK}, {"tay-ninh-2025/18/1/l", AN_OK}, {"tay-ninh-2025/22/2", AN_OK},
        {"bac-ninh-2023/5/2/đ", AN_OK}, {"bac-ninh-2023/18/3", AN_OK}, {"gia-lai-2026/14/2", AN_OK},
        {"nd-68-2024/12", AN_OK}, /* exists, wording unknown */
        {"nd-30-2020/32/2/d", AN_OK}, {"tt-01-2019", AN_OK},
        {"dong-thap-2025/20", AN_E_CITATION_UNKNOWN}, {"dong-thap-2025/13/1/c", AN_E_CITATION_UNKNOWN},
        {"dong-thap-2025/13/7", AN_E_CITATION_UNKNOWN}, {"gia-lai-2026/15", AN_E_CITATION_UNKNOWN},
        {"tay-ninh-2025/18/1/j", AN_E_CITATION_UNKNOWN}, {"tt-01-2019/7", AN_E_CITATION_UNKNOWN},
        {"nd-99-2099/1", AN_E_CITATION_UNKNOWN}, {"quoc-gia/1", AN_E_CITATION_UNKNOWN},
        {"", AN_E_CITATION_FORM}, {"/1", AN_E_CITATION_FORM}, {"nd-68-2024/", AN_E_CITATION_FORM},
        {"nd-68-2024//a", AN_E_CITATION_FORM}, {"nd-68-2024/1/2/3/4", AN_E_CITATION_FORM},
        {"ND-68-2024/1", AN_E_CITATION_FORM}, {"nd-68-2024/1 ", AN_E_CITATION_FORM},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        an_code code = an_citation_check(regs, ROWS[i].citation, NULL);
        if (code != ROWS[i].code)
            fail_msg("%s: %s", ROWS[i].citation, an_message_find(code)->symbol);
    }
}

static void
test_provisions(void **state)
{
    const struct an_provision *provision = NULL;

    (void)state;
    assert_int_equal(an_provision_find(regs, "nd-68-2024/9", &provision, NULL), AN_OK);
    assert_int_equal(provision->text, AN_TEXT_READ);
    assert_true(provision->binds);
    assert_int_equal(an_provision_find(regs, "nd-68-2024/12", &provision, NULL), AN_OK);
    assert_int_equal(provision->text, AN_TEXT_UNKNOWN);
    assert_null(provision->says);
    assert_int_equal(an_provision_find(regs, "nd-68-2024/32", &provision, NULL), AN_OK);
    assert_int_equal(provision->text, AN_TEXT_RESTATED);
    assert_int_equal(an_provision_find(regs, "tay-ninh-2025/2/1", &provision, NULL), AN_OK);
    assert_false(provision->binds);
    assert_int_equal(an_provision_find(regs, "binh-thuan-2017/3/15", &provision, NULL), AN_OK);
    assert_true(provision->binds); /* a definition that fixes what a signature must show */
}

static void
test_acts(void **state)
{
    static const struct {
        const char *id, *from, *to;
    } ROWS[] = {
        {"luat-gddt-2023", "2024-07-01", NULL},  {"nd-68-2024", "2024-08-15", NULL},
        {"nd-130-2018", NULL, "2025-04-10"},     {"nd-30-2020", "2020-03-05", NULL},
        {"nd-23-2025", "2025-04-10", NULL},      {"tt-41-2017", "2018-02-05", NULL},
        {"tt-185-2019", "2020-02-18", NULL},     {"tt-15-2025", "2025-08-15", NULL},
        {"tt-22-2020", NULL, "2025-08-15"},      {"tt-05-2025", "2025-07-01", NULL},
        {"qcvn-12-2026", "2026-07-01", NULL},    {"tay-ninh-2025", "2025-12-01", NULL},
        {"bac-ninh-2023", "2023-05-01", NULL},   {"gia-lai-2026", "2026-05-10", NULL},
        {"dong-thap-2025", "2025-12-20", NULL},  {"binh-thuan-2017", "2017-09-14", NULL},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        const struct an_act *act = NULL;
        assert_int_equal(an_act_find(regs, ROWS[i].id, &act, NULL), AN_OK);
        assert_true(act->from_utc == (ROWS[i].from ? an_time_parse(an_bytes_of_str(ROWS[i].from)) : AN_TIME_NONE));
        assert_true(act->to_utc == (ROWS[i].to ? an_time_parse(an_bytes_of_str(ROWS[i].to)) : AN_TIME_NONE));
    }
}

/* ---- looks: law.md §6.4 A to L, written here again by hand from the texts ---- */
#define TIMES "Times New Roman"
static const struct {
    const char *regulation, *id, *citation, *found_in;
    enum an_look_signer signer;
    bool image_required, image_allowed, png_transparent, true_size;
    enum an_look_colour colour;
    enum an_look_place place;
    bool last_page;
    double overlap;
    const char *lines; /* joined by "|" */
    const char *font;
    bool person_first, number, agency, copy_kind, same_file_unsigned;
} LOOKS[] = {
    {"quoc-gia", "nguoi-co-tham-quyen", "nd-30-2020/pl-1", "quoc-gia", AN_LOOK_PERSON, true, true, true, false, AN_LOOK_BLUE,
     AN_LOOK_BETWEEN_TITLE_AND_NAME, true, 0, "", NULL, false, false, false, false, false},
    {"quoc-gia", "co-quan", "nd-30-2020/pl-1", "quoc-gia", AN_LOOK_AGENCY, true, true, true, true, AN_LOOK_RED,
     AN_LOOK_OVER_SIGNATURE_LEFT, true, 0.333, "", NULL, true, false, false, false, false},
    {"quoc-gia", "van-ban-kem-theo", "nd-30-2020/pl-1", "quoc-gia", AN_LOOK_AGENCY, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{number}|{time}", TIMES, false, true, false, false, true},
    {"quoc-gia", "phu-luc", "nd-30-2020/pl-1", "quoc-gia", AN_LOOK_AGENCY, false, false, false, false, AN_LOOK_ANY_COLOUR,
     AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{number}|{time}", TIMES, false, true, false, false, true},
    {"quoc-gia", "ban-sao", "nd-30-2020/pl-1", "quoc-gia", AN_LOOK_AGENCY, false, false, false, false, AN_LOOK_ANY_COLOUR,
     AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{copy_kind}|{agency}|{time}", TIMES, false, false, true, true, false},
    {"quoc-gia", "van-ban-den-so-hoa", "tt-01-2019", "quoc-gia", AN_LOOK_AGENCY, true, true, true, true, AN_LOOK_RED,
     AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{agency}|{time}", TIMES, false, false, true, false, false},
    {"quoc-gia", "luu-tru-so-hoa", "tt-05-2025/8/1/c", "quoc-gia", AN_LOOK_AGENCY, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{agency}|{time}", TIMES, false, false, true, false, false},
    {"quoc-gia", "ban-sao-luu-tru", "tt-05-2025/40", "quoc-gia", AN_LOOK_ARCHIVE, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "BẢN SAO", TIMES, false, false, true, false, false},
    {"dong-thap-2025", "nguoi-co-tham-quyen", "dong-thap-2025/13/1/a", "dong-thap-2025", AN_LOOK_PERSON, true, true, true,
     false, AN_LOOK_BLUE, AN_LOOK_BETWEEN_TITLE_AND_NAME, true, 0, "", NULL, false, false, false, false, false},
    {"dong-thap-2025", "co-quan", "dong-thap-2025/13/1/b", "dong-thap-2025", AN_LOOK_AGENCY, true, true, true, true,
     AN_LOOK_RED, AN_LOOK_OVER_SIGNATURE_LEFT, true, 0.333, "", NULL, true, false, false, false, false},
    {"dong-thap-2025", "van-ban-kem-theo", "dong-thap-2025/13/4/b", "dong-thap-2025", AN_LOOK_AGENCY, false, false, false,
     false, AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{number}|{time}", TIMES, false, true, false, false, true},
    {"dong-thap-2025", "phu-luc", "dong-thap-2025/13/5", "dong-thap-2025", AN_LOOK_AGENCY, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{number}|{time}", TIMES, false, true, false, false, true},
    {"dong-thap-2025", "ban-sao", "dong-thap-2025/13/2", "dong-thap-2025", AN_LOOK_AGENCY, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{copy_kind}|{agency}|{time}", TIMES, false, false, true, true, false},
    /* inherited from the national base, as in Tây Ninh */
    {"dong-thap-2025", "luu-tru-so-hoa", "tt-05-2025/8/1/c", "quoc-gia", AN_LOOK_AGENCY, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{agency}|{time}", TIMES, false, false, true, false, false},
    {"tay-ninh-2025", "co-quan", "nd-30-2020/pl-1", "quoc-gia", AN_LOOK_AGENCY, true, true, true, true, AN_LOOK_RED,
     AN_LOOK_OVER_SIGNATURE_LEFT, true, 0.333, "", NULL, true, false, false, false, false},
    /* Party; regulation left open */
    {NULL, "dang-ca-nhan", "binh-thuan-2017/13/1", "binh-thuan-2017", AN_LOOK_PERSON, true, true, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_BOTTOM_RIGHT, true, 0,
     "Ký bởi: {name}|Thư điện tử: {email}|Cơ quan: {organisation}|Thời gian ký: {time}", TIMES, false, false, false, false, false},
    {NULL, "dang-co-quan", "binh-thuan-2017/13/2", "binh-thuan-2017", AN_LOOK_AGENCY, true, true, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_CENTRE, false, 0,
     "Ký bởi: {name}|Thư điện tử: {email}|Cơ quan: {organisation}|Thời gian ký: {time}", TIMES, true, false, false, false, false},
    {NULL, "dang-dau-treo", "binh-thuan-2017/10/2", "binh-thuan-2017", AN_LOOK_AGENCY, false, true, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_LEFT, false, 0,
     "Ký bởi: {name}|Thư điện tử: {email}|Cơ quan: {organisation}|Thời gian ký: {time}", TIMES, false, false, false, false, true},
    {NULL, "dang-luu-tru", "binh-thuan-2017/13/3", "binh-thuan-2017", AN_LOOK_ARCHIVE, false, true, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_LEFT, false, 0,
     "Ký bởi: {name}|Thư điện tử: {email}|Cơ quan: {organisation}|Thời gian ký: {time}", TIMES, false, false, false, false, false},
};

static void
assert_lines(const struct an_look *look, const char *expected)
{
    AN_CLEANUP(an_buf_free) struct an_buf joined = an_buf_new(1024);

    for (size_t i = 0; i < look->line_count; i++)
        an_buf_printf(&joined, "%s%s", i ? "|" : "", look->lines[i]);
    an_buf_byte(&joined, 0);
    assert_string_equal((const char *)joined.ptr, expected);
}

static void
test_looks(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(LOOKS); i++) {
        const struct an_look *look = NULL;
        struct an_err err = {0};
        if (an_look_find(regs, LOOKS[i].regulation, LOOKS[i].id, &look, &err) != AN_OK)
            fail_msg("%s: %s", LOOKS[i].id, err.detail);
        assert_string_equal(look->id, LOOKS[i].id);
        assert_string_equal(look->citation, LOOKS[i].citation);
        assert_string_equal(look->regulation, LOOKS[i].found_in);
        assert_int_equal(look->signer, LOOKS[i].signer);
        assert_true(look->signs);
        assert_int_equal(look->image_required, LOOKS[i].image_required);
        assert_int_equal(look->image_allowed, LOOKS[i].image_allowed);
        assert_int_equal(look->image_png_transparent, LOOKS[i].png_transparent);
        assert_int_equal(look->true_size, LOOKS[i].true_size);
        assert_int_equal(look->colour, LOOKS[i].colour);
        assert_int_equal(look->place, LOOKS[i].place);
        assert_int_equal(look->last_page, LOOKS[i].last_page);
        assert_true(fabs(look->overlap - LOOKS[i].overlap) < 1e-9);
        assert_lines(look, LOOKS[i].lines);
        assert_int_equal(look->requires_person_first, LOOKS[i].person_first);
        assert_int_equal(look->requires_number, LOOKS[i].number);
        assert_int_equal(look->requires_agency, LOOKS[i].agency);
        assert_int_equal(look->requires_copy_kind, LOOKS[i].copy_kind);
        assert_int_equal(look->same_file_unsigned, LOOKS[i].same_file_unsigned);
        assert_string_equal(look->time_format, "iso8601");
        if (LOOKS[i].font) {
            assert_string_equal(look->font, LOOKS[i].font);
            assert_true(look->size_pt == 10 && look->red == 0 && look->green == 0 && look->blue == 0);
        }
        assert_int_equal(an_citation_check(regs, look->citation, NULL), AN_OK);
        assert_non_null(look->image_citation);
        assert_non_null(look->place_citation);
    }
}

static void
test_look_details(void **state)
{
    const struct an_look *look = NULL;
    struct an_err err = {0};

    (void)state;
    assert_int_equal(an_look_find(regs, NULL, "ban-sao-luu-tru", &look, NULL), AN_OK);
    assert_string_equal(look->footer, "{agency}");
    assert_int_equal(an_look_find(regs, NULL, "dang-luu-tru", &look, NULL), AN_OK);
    assert_true(look->avoid_text);
    assert_int_equal(an_look_find(regs, NULL, "dang-ca-nhan", &look, NULL), AN_OK);
    assert_true(look->has_other_place && look->other_place == AN_LOOK_BETWEEN_TITLE_AND_NAME);
    assert_int_equal(an_look_find(regs, NULL, "nguoi-co-tham-quyen", &look, NULL), AN_OK);
    assert_int_equal(look->unconfirmed_count, 1);
    assert_string_equal(look->unconfirmed[0], "box");
    assert_null(look->box_citation);
    assert_int_equal(an_look_find(regs, "dong-thap-2025", "co-quan", &look, NULL), AN_OK);
    assert_string_equal(look->order_citation, "nd-30-2020/32/2/d");
    assert_int_equal(look->unconfirmed_count, 0);
    /* Party agencies do not take the State's looks. */
    assert_int_equal(an_look_find(regs, "binh-thuan-2017", "co-quan", &look, &err), AN_E_LOOK_UNKNOWN);
    assert_string_equal(err.detail, "co-quan (dang-ca-nhan, dang-co-quan, dang-dau-treo, dang-luu-tru)");
    assert_int_equal(an_look_find(regs, "khong-co", "co-quan", &look, &err), AN_E_REGULATION_UNKNOWN);
    assert_int_equal(an_look_find(regs, "../regulations/quoc-gia", "co-quan", &look, &err), AN_E_REGULATION_UNKNOWN);
}

static void
count_look(void *context, const struct an_look *look)
{
    (void)look;
    ++*(size_t *)context;
}

static void
test_look_lists(void **state)
{
    static const struct {
        const char *regulation;
        size_t count;
    } ROWS[] = {{NULL, 17}, {"quoc-gia", 8}, {"dong-thap-2025", 8}, {"tay-ninh-2025", 8}, {"binh-thuan-2017", 4}};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        size_t count = 0;
        assert_int_equal(an_look_each(regs, ROWS[i].regulation, count_look, &count, NULL), AN_OK);
        assert_int_equal(count, ROWS[i].count);
    }
}

/* ---- policies ---- */

static void
test_policy_official_duty(void **state)
{
    static const uint8_t ROOT_G1[] = {0xF7, 0xBC, 0x89, 0x05}, SUB_G1[] = {0x75, 0xE9, 0x69, 0xC0};
    const struct an_policy *policy = NULL;

    (void)state;
    assert_int_equal(an_policy_find(regs, "cong-vu", &policy, NULL), AN_OK);
    assert_int_equal(policy->anchor_rule, AN_ANCHORS_PINNED);
    assert_int_equal(policy->anchor_count, 2);
    assert_int_equal(policy->intermediate_count, 3);
    assert_memory_equal(policy->anchors[0].sha256, ROOT_G1, 4);
    assert_memory_equal(policy->intermediates[0].sha256, SUB_G1, 4);
    assert_int_equal(policy->revocation, AN_POLICY_REVOCATION_REQUIRE);
    assert_true(policy->legal_effect && !policy->time_stamp_required);
    /* SHA-1 passes for the pinned pair and for nobody else. */
    const uint8_t *sub = policy->intermediates[0].sha256, *state_g2 = policy->intermediates[1].sha256;
    assert_non_null(an_policy_excepts(policy, sub, AN_POLICY_RSA_PKCS1, "SHA-1", 2048));
    assert_non_null(an_policy_excepts(policy, policy->anchors[0].sha256, AN_POLICY_RSA_PKCS1, "SHA-1", 2048));
    assert_null(an_policy_excepts(policy, sub, AN_POLICY_RSA_PKCS1, "MD5", 2048));
    assert_null(an_policy_excepts(policy, sub, AN_POLICY_RSA_PKCS1, "SHA-1", 1024));
    assert_null(an_policy_excepts(policy, state_g2, AN_POLICY_RSA_PKCS1, "SHA-1", 4096));
}

static void
test_policy_algorithms(void **state)
{
    static const struct {
        const char *policy;
        enum an_policy_sig kind;
        const char *digest;
        int64_t bits;
        const char *when;
        bool allowed, too_late;
    } ROWS[] = {
        {"cong-vu", AN_POLICY_RSA_PKCS1, "SHA-256", 2048, "2026-01-01", true, false},
        {"cong-vu", AN_POLICY_RSA_PSS, "SHA3-512", 3072, "2026-01-01", true, false},
        {"cong-vu", AN_POLICY_RSA_PSS, "SHA-512/224", 2048, "2026-01-01", true, false},
        {"cong-vu", AN_POLICY_ECDSA, "SHA-384", 384, "2026-01-01", true, false},
        {"cong-vu", AN_POLICY_RSA_PKCS1, "SHA-256", 2047, "2026-01-01", false, false},
        {"cong-vu", AN_POLICY_RSA_PKCS1, "SHA-1", 4096, "2010-01-01", false, false},
        {"cong-vu", AN_POLICY_ECDSA, "SHA-256", 224, "2026-01-01", false, false},
        {"cong-vu", AN_POLICY_EDDSA, "", 256, "2026-01-01", false, false},
        {"cong-vu", AN_POLICY_DSA, "SHA-256", 3072, "2026-01-01", false, false},
        {"noi-bo", AN_POLICY_EDDSA, "", 256, "2026-01-01", true, false},
        {"etsi-qes", AN_POLICY_RSA_PKCS1, "SHA-256", 2048, "2026-01-01", true, false},
        {"etsi-qes", AN_POLICY_RSA_PKCS1, "SHA-256", 2048, "2029-01-01", false, true},
        {"etsi-qes", AN_POLICY_RSA_PKCS1, "SHA-256", 3072, "2035-01-01", true, false},
        {"etsi-qes", AN_POLICY_RSA_PKCS1, "SHA-1", 2048, "2011-01-01", true, false},
        {"etsi-qes", AN_POLICY_RSA_PKCS1, "SHA-1", 2048, "2013-01-01", false, true},
        {"etsi-qes", AN_POLICY_RSA_PKCS1, "MD5", 512, "2000-01-01", false, false},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        const struct an_policy *policy = NULL;
        bool too_late = false;
        assert_int_equal(an_policy_find(regs, ROWS[i].policy, &policy, NULL), AN_OK);
        an_time when = an_time_parse(an_bytes_of_str(ROWS[i].when));
        bool allowed = an_policy_allows(policy, ROWS[i].kind, ROWS[i].digest, ROWS[i].bits, when, &too_late) != NULL;
        if (allowed != ROWS[i].allowed || too_late != ROWS[i].too_late)
            fail_msg("row %zu: allowed %d, too late %d", i, allowed, too_late);
    }
}

static void
count_policy(void *context, const struct an_policy *policy)
{
    ++*(size_t *)context;
    assert_true(policy->any_algorithm == (policy->algorithm_count == 0));
}

static void
test_policy_list(void **state)
{
    const struct an_policy *policy = NULL;
    struct an_err err = {0};
    size_t count = 0;

    (void)state;
    assert_int_equal(an_policy_each(regs, count_policy, &count, NULL), AN_OK);
    assert_int_equal(count, 5);
    assert_int_equal(an_policy_find(regs, "rfc5280", &policy, NULL), AN_OK);
    assert_true(policy->any_algorithm);
    assert_int_equal(an_policy_find(regs, "../policies/cong-vu", &policy, &err), AN_E_POLICY_UNKNOWN);
    assert_int_equal(an_policy_find(regs, "la", &policy, &err), AN_E_POLICY_UNKNOWN);
    assert_string_equal(err.detail, "la (cong-cong, cong-vu, etsi-qes, noi-bo, rfc5280)");
}

/* ---- faults: one line of a good file is made bad, and the answer names that line ---- */
static const char HEAD[] = "act:\n"
                           "  cited-vi: Quy chế thử\n"
                           "  cited-en: the trial regulation\n"
                           "  title-vi: Thử\n"
                           "  title-en: Trial\n"
                           "  from: 2026-01-01\n"
                           "looks:\n"
                           "  thu:\n"
                           "    cite: thu/1\n"
                           "    signer: agency\n"
                           "    name: {vi: Thử, en: Trial}\n"
                           "    image: {use: none, cite: thu/1}\n"
                           "    place: {where: page-top-left, page: first, cite: thu/1}\n"
                           "    margins: {top-mm: 8, side-mm: 15, unconfirmed: true}\n"
                           "    text: {lines: ['{time}'], cite: thu/1}\n"
                           "    time: {format: iso8601, cite: thu/1}\n"
                           "    font: {name: Times New Roman, size-pt: 10, cite: thu/1}\n"
                           "articles:\n"
                           "  thu:\n"
                           "    1: {title: Một, says: Một điều.}\n";
static const struct {
    size_t line; /* replaced; 0 = nothing: the good file */
    const char *with;
    an_code code;
    const char *detail; /* how it begins */
} FAULTS[] = {
    {0, NULL, AN_OK, ""},
    {2, "  cited-vn: Quy chế thử", AN_E_YAML_KEY, "thu.yaml:2: cited-vn: "},
    {3, "  cited-vi: hai lần", AN_E_YAML_DUPLICATE, "thu.yaml:3: cited-vi: stands already on line 2"},
    {4, "  title-vi: [a, b]", AN_E_YAML_TYPE, "thu.yaml:4: title-vi: "},
    {5, "  note: x", AN_E_YAML_MISSING, "thu.yaml:1: act: \"title-en\""},
    {6, "  from: 2026-13-01", AN_E_YAML_TYPE, "thu.yaml:6: from: "},
    {6, "  from: tomorrow", AN_E_YAML_TYPE, "thu.yaml:6: from: "},
    {6, "  to: 2025-01-01\n  from: 2026-01-01", AN_E_REGULATION_DATES, "thu.yaml:1: act: "},
    {9, "    cite: Thu/1", AN_E_CITATION_FORM, "thu.yaml:9: cite: Thu/1"},
    {10, "    signer: clerk", AN_E_YAML_TYPE, "thu.yaml:10: signer: \"clerk\" is not one of: person, agency, archive"},
    {10, "    signer: agency\n    colour: red", AN_E_YAML_KEY, "thu.yaml:11: colour: "},
    {11, "    name: Thử", AN_E_YAML_TYPE, "thu.yaml:11: name: a map"},
    {12, "    image: {use: none}", AN_E_YAML_UNCITED, "thu.yaml:12: image: "},
    {12, "    image: {use: none, true-size: yes, cite: thu/1}", AN_E_YAML_TYPE, "thu.yaml:12: true-size: true or false"},
    {12, "    image: {use: none, true-size: 'true', cite: thu/1}", AN_E_YAML_TYPE, "thu.yaml:12: true-size: true or false"},
    {13, "    place: {where: page-top-left, page: first, overlap: 1.5, cite: thu/1}", AN_E_YAML_TYPE, "thu.yaml:13: overlap: "},
    {14, "    margins: {top-mm: -8, side-mm: 15, unconfirmed: true}", AN_E_YAML_TYPE, "thu.yaml:14: top-mm: a number"},
    {14, "    margins: {top-mm: 1e9, side-mm: 15, unconfirmed: true}", AN_E_YAML_TYPE, "thu.yaml:14: top-mm: a number"},
    {14, "    box: {width-mm: 8, height-mm: 15, unconfirmed: true}", AN_E_YAML_MISSING, "thu.yaml:8: thu: this place needs \"margins\""},
    {15, "    text: {lines: ['{tmie}'], cite: thu/1}", AN_E_YAML_TYPE, "thu.yaml:15: text: unknown field"},
    {16, "    order: {person-first: false, cite: thu/1}", AN_E_YAML_MISSING, "thu.yaml:8: thu: {time} needs \"time\""},
    {17, "    font: {name: Times New Roman, size-pt: 0, cite: thu/1}", AN_E_YAML_TYPE, "thu.yaml:17: font: "},
    {17, "    font: &f {name: Times New Roman, size-pt: 10, cite: thu/1}", AN_E_YAML, "thu.yaml:17: anchors"},
    {17, "    font: !!map {name: x, size-pt: 10, cite: thu/1}", AN_E_YAML, "thu.yaml:17: anchors"},
    {17, "\tfont: {}", AN_E_YAML, "thu.yaml:17: "},
    {17, "    font: {name: \"\\xff\\0\", size-pt: 10, cite: thu/1}", AN_E_YAML, "thu.yaml:17: "},
    /* below the head: seen by the whole check */
    {9, "    cite: thu/2", AN_E_CITATION_UNKNOWN, "thu.yaml:9: cite: thu/2"},
    {12, "    image: {use: none, cite: thu/1/1}", AN_E_CITATION_UNKNOWN, "thu.yaml:12: cite: thu/1/1"},
    {18, "article:", AN_E_YAML_KEY, "thu.yaml:18: article: "},
    {20, "    1: {title: Một}", AN_E_YAML_MISSING, "thu.yaml:20: 1: \"says\""},
    {20, "    1: {says: Một điều.}", AN_E_YAML_MISSING, "thu.yaml:20: 1: \"title\""},
    {20, "    1: {title: Một, says: x}\n    1: {title: Hai, says: y}", AN_E_YAML_DUPLICATE, "thu.yaml:21: 1: stands already on line 20"},
    {20, "    1: {title: Một, says: x, clauses: {A: y}}", AN_E_CITATION_FORM, "thu.yaml:20: A: thu/1/A"},
    {20, "    1: {title: Một, says: x, text: heard}", AN_E_YAML_TYPE, "thu.yaml:20: text: \"heard\" is not one of: read"},
    {20, "    1: {title: Một, says: x}\n--- {}", AN_E_YAML, "thu.yaml:21: "},
};

static char dir[] = "/tmp/antin-regulation-XXXXXX";

static void
write_file(const char *name, const char *text)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", dir, name);
    assert_int_equal(an_file_write(path, an_bytes_of_str(text), 0644, NULL), AN_OK);
}

static void
write_with_fault(size_t line, const char *with)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(65536);
    size_t number = 1;

    for (const char *at = HEAD; *at; number++) {
        const char *end = strchr(at, '\n');
        if (number == line)
            an_buf_str(&text, with);
        else
            an_buf_append(&text, AN_BYTES(at, (size_t)(end - at)));
        an_buf_byte(&text, '\n');
        at = end + 1;
    }
    an_buf_byte(&text, 0);
    write_file("regulations/thu.yaml", (const char *)text.ptr);
}

static int
make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return 1;
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf(
        "mkdir %s/regulations %s/policies && cp %s/regulations/acts.yaml %s/regulations/quoc-gia.yaml %s/regulations/", dir, dir,
        AN_SOURCE_DIR, AN_SOURCE_DIR, dir);
    return system(command);
}

static int
remove_dir(void **state)
{
    (void)state;
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("rm -r %s", dir);
    return system(command);
}

static void
test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(FAULTS); i++) {
        struct an_regulations *own = NULL;
        struct an_err err = {0};
        write_with_fault(FAULTS[i].line, FAULTS[i].with);
        assert_int_equal(an_regulations_open(dir, &own, &err), AN_OK);
        an_code code = an_regulations_check(own, &err);
        an_regulations_close(&own);
        if (code != FAULTS[i].code || strncmp(err.detail, FAULTS[i].detail, strlen(FAULTS[i].detail)) != 0)
            fail_msg("row %zu: %s \"%s\", expected \"%s\"", i, an_message_find(code)->symbol, err.detail, FAULTS[i].detail);
        if (code != AN_OK)
            assert_non_null(strstr(err.file, "regulations/thu.yaml"));
    }
}

/* A new province is one new file: cited, found and listed without a line of C or of the table of acts. */
static void
test_sixth_file(void **state)
{
    struct an_regulations *own = NULL;
    const struct an_look *look = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(256);

    (void)state;
    write_with_fault(0, NULL);
    assert_int_equal(an_regulations_open(dir, &own, NULL), AN_OK);
    an_citation_text(own, "thu/1", false, &text);
    an_buf_byte(&text, 0);
    assert_string_equal((const char *)text.ptr, "Điều 1 Quy chế thử");
    assert_int_equal(an_look_find(own, NULL, "thu", &look, NULL), AN_OK);
    assert_string_equal(look->regulation, "thu");
    an_regulations_close(&own);
}

static void
test_policy_faults(void **state)
{
    static const struct {
        const char *text;
        an_code code;
        const char *detail;
    } ROWS[] = {
        {"id: khac\n", AN_E_YAML_MISSING, "thu.yaml:1: "},
        {"id: thu\nname-vi: a\nname-en: b\ndomain: noi-bo\nanchors: pinned\nalgorithms: {any: true}\n"
         "revocation: {mode: none, freshness-seconds: 0, grace-seconds: 0, online: false, unconfirmed: true}\n"
         "time-stamp: {required: false, unconfirmed: true}\nlegal-effect: {classified: false, unconfirmed: true}\n",
         AN_E_YAML_MISSING, "thu.yaml:5: anchors: "},
        {"id: thu\nname-vi: a\nname-en: b\ndomain: noi-bo\nanchors: pinned\npinned:\n  - {sha256: abcd, name: x}\n"
         "algorithms: {any: true}\n"
         "revocation: {mode: none, freshness-seconds: 0, grace-seconds: 0, online: false, unconfirmed: true}\n"
         "time-stamp: {required: false, unconfirmed: true}\nlegal-effect: {classified: false, unconfirmed: true}\n",
         AN_E_YAML_TYPE, "thu.yaml:7: sha256: 64 hexadecimal digits"},
        {"id: thu\nname-vi: a\nname-en: b\ndomain: noi-bo\nanchors: given\n"
         "algorithms:\n  accepted:\n    - {kind: rsa-pss, digests: [SHA-257], bits-min: 2048, unconfirmed: true}\n"
         "revocation: {mode: none, freshness-seconds: 0, grace-seconds: 0, online: false, unconfirmed: true}\n"
         "time-stamp: {required: false, unconfirmed: true}\nlegal-effect: {classified: false, unconfirmed: true}\n",
         AN_E_YAML_TYPE, "thu.yaml:8: unknown digest \"SHA-257\""},
        {"id: thu\nname-vi: a\nname-en: b\ndomain: noi-bo\nanchors: given\nalgorithms: {any: true}\n"
         "revocation: {mode: none, freshness-seconds: 0, grace-seconds: 0, online: false}\n"
         "time-stamp: {required: false, unconfirmed: true}\nlegal-effect: {classified: false, unconfirmed: true}\n",
         AN_E_YAML_UNCITED, "thu.yaml:7: revocation: "},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        struct an_regulations *own = NULL;
        const struct an_policy *policy = NULL;
        struct an_err err = {0};
        write_file("policies/thu.yaml", ROWS[i].text);
        assert_int_equal(an_regulations_open(dir, &own, NULL), AN_OK);
        an_code code = an_policy_find(own, "thu", &policy, &err);
        an_regulations_close(&own);
        if (code != ROWS[i].code || strncmp(err.detail, ROWS[i].detail, strlen(ROWS[i].detail)) != 0)
            fail_msg("row %zu: %s \"%s\"", i, an_message_find(code)->symbol, err.detail);
    }
}

/* ---- one object, many threads ---- */
static void *
ask_everything(void *context)
{
    size_t *wrong = context;

    for (int i = 0; i < 50; i++) {
        const struct an_look *look = NULL;
        const struct an_policy *policy = NULL;
        AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(256);
        *wrong += an_look_find(regs, i % 2 ? "dong-thap-2025" : NULL, "co-quan", &look, NULL) != AN_OK;
        *wrong += an_policy_find(regs, i % 2 ? "cong-vu" : "rfc5280", &policy, NULL) != AN_OK;
        *wrong += an_citation_check(regs, "gia-lai-2026/12/3", NULL) != AN_OK;
        an_citation_text(regs, "nd-68-2024/31", false, &text);
        *wrong += text.len == 0;
    }
    return NULL;
}

static void
test_threads(void **state)
{
    pthread_t threads[8];
    size_t wrong[AN_COUNT(threads)] = {0};

    (void)state;
    for (size_t i = 0; i < AN_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_everything, &wrong[i]), 0);
    for (size_t i = 0; i < AN_COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(wrong[i], 0);
    }
}

/* What a process pays that asks one question of each kind: far below the cost of one RSA signature's process. */
static void
test_cost(void **state)
{
    enum { TURNS = 100 };
    uint64_t start = an_time_monotonic_ms();

    (void)state;
    for (int i = 0; i < TURNS; i++) {
        struct an_regulations *own = NULL;
        const struct an_look *look = NULL;
        const struct an_policy *policy = NULL;
        AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(256);
        assert_int_equal(an_regulations_open(AN_SOURCE_DIR, &own, NULL), AN_OK);
        assert_int_equal(an_look_find(own, NULL, "co-quan", &look, NULL), AN_OK);
        assert_int_equal(an_policy_find(own, "cong-vu", &policy, NULL), AN_OK);
        an_citation_text(own, look->citation, false, &text);
        an_regulations_close(&own);
    }
    uint64_t each_us = (an_time_monotonic_ms() - start) * 1000 / TURNS;
    print_message("cold: one look, one policy, one citation in %lu us\n", (unsigned long)each_us);
    assert_true(each_us < 20000); /* twenty times the usual, so that a busy or sanitized run passes */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads), /* first: nothing is loaded yet */
        cmocka_unit_test(test_citation_words), cmocka_unit_test(test_citation_exists), cmocka_unit_test(test_provisions),
        cmocka_unit_test(test_acts), cmocka_unit_test(test_looks), cmocka_unit_test(test_look_details),
        cmocka_unit_test(test_look_lists), cmocka_unit_test(test_policy_official_duty),
        cmocka_unit_test(test_policy_algorithms), cmocka_unit_test(test_policy_list),
        cmocka_unit_test(test_faults), cmocka_unit_test(test_sixth_file),
        cmocka_unit_test(test_policy_faults), cmocka_unit_test(test_cost),
    };

    if (make_dir(NULL) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, open_all, close_all);
    return remove_dir(NULL) != 0 ? 1 : failed;
}
