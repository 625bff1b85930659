/* Looks against the law's table, which stands here again, written by hand from the texts (NĐ 30/2020 Phụ lục I, Đồng
 * Tháp Điều 13, TT 05/2025 Điều 8, 40, 41, Bình Thuận Điều 3.15, 10, 13). */
#include <math.h>

#include "data.h"

#define TIMES "Times New Roman"
#define PARTY "Ký bởi: {name}|Thư điện tử: {email}|Cơ quan: {organisation}|Thời gian ký: {time}"
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
    {"quoc-gia", "nguoi-co-tham-quyen", "nd-30-2020/pl-1/1.2.7/d", "quoc-gia", AN_LOOK_PERSON, true, true, true, false,
     AN_LOOK_BLUE, AN_LOOK_BETWEEN_TITLE_AND_NAME, true, 0, "", NULL, false, false, false, false, false},
    {"quoc-gia", "co-quan", "nd-30-2020/pl-1/1.2.8/a", "quoc-gia", AN_LOOK_AGENCY, true, true, true, true, AN_LOOK_RED,
     AN_LOOK_OVER_SIGNATURE_LEFT, true, 0.333, "", NULL, true, false, false, false, false},
    {"quoc-gia", "van-ban-kem-theo", "nd-30-2020/pl-1/1.2.8/b", "quoc-gia", AN_LOOK_AGENCY, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{number}|{time}", TIMES, false, true, false, false, true},
    {"quoc-gia", "phu-luc", "nd-30-2020/pl-1/1.3.1/d", "quoc-gia", AN_LOOK_AGENCY, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{number}|{time}", TIMES, false, true, false, false, true},
    {"quoc-gia", "ban-sao", "nd-30-2020/pl-1/2.1.3", "quoc-gia", AN_LOOK_AGENCY, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{copy_kind}|{agency}|{time}", TIMES, false, false, true,
     true, false},
    {"quoc-gia", "van-ban-den-so-hoa", "tt-01-2019", "quoc-gia", AN_LOOK_AGENCY, true, true, true, true, AN_LOOK_RED,
     AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{agency}|{time}", TIMES, false, false, true, false, false},
    {"quoc-gia", "luu-tru-so-hoa", "tt-05-2025/8/1/c", "quoc-gia", AN_LOOK_AGENCY, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{agency}|{time}", TIMES, false, false, true, false,
     false},
    {"quoc-gia", "ban-sao-luu-tru", "tt-05-2025/41/2", "quoc-gia", AN_LOOK_ARCHIVE, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "BẢN SAO", TIMES, false, false, true, false, false},
    {"dong-thap-2025", "nguoi-co-tham-quyen", "dong-thap-2025/13/1/a", "dong-thap-2025", AN_LOOK_PERSON, true, true,
     true, false, AN_LOOK_BLUE, AN_LOOK_BETWEEN_TITLE_AND_NAME, true, 0, "", NULL, false, false, false, false, false},
    {"dong-thap-2025", "co-quan", "dong-thap-2025/13/1/b", "dong-thap-2025", AN_LOOK_AGENCY, true, true, true, true,
     AN_LOOK_RED, AN_LOOK_OVER_SIGNATURE_LEFT, true, 0.333, "", NULL, true, false, false, false, false},
    {"dong-thap-2025", "van-ban-kem-theo", "dong-thap-2025/13/4/b", "dong-thap-2025", AN_LOOK_AGENCY, false, false,
     false, false, AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{number}|{time}", TIMES, false, true, false,
     false, true},
    {"dong-thap-2025", "phu-luc", "dong-thap-2025/13/5", "dong-thap-2025", AN_LOOK_AGENCY, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{number}|{time}", TIMES, false, true, false, false, true},
    {"dong-thap-2025", "ban-sao", "dong-thap-2025/13/2", "dong-thap-2025", AN_LOOK_AGENCY, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{copy_kind}|{agency}|{time}", TIMES, false, false, true,
     true, false},
    /* inherited from the national base, as in Tây Ninh */
    {"dong-thap-2025", "luu-tru-so-hoa", "tt-05-2025/8/1/c", "quoc-gia", AN_LOOK_AGENCY, false, false, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_RIGHT, false, 0, "{agency}|{time}", TIMES, false, false, true, false,
     false},
    {"tay-ninh-2025", "co-quan", "nd-30-2020/pl-1/1.2.8/a", "quoc-gia", AN_LOOK_AGENCY, true, true, true, true,
     AN_LOOK_RED, AN_LOOK_OVER_SIGNATURE_LEFT, true, 0.333, "", NULL, true, false, false, false, false},
    /* Party; regulation left open */
    {NULL, "dang-ca-nhan", "binh-thuan-2017/13/1", "binh-thuan-2017", AN_LOOK_PERSON, true, true, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_BOTTOM_RIGHT, true, 0, PARTY, TIMES, false, false, false, false, false},
    {NULL, "dang-co-quan", "binh-thuan-2017/13/2", "binh-thuan-2017", AN_LOOK_AGENCY, true, true, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_CENTRE, false, 0, PARTY, TIMES, true, false, false, false, false},
    {NULL, "dang-dau-treo", "binh-thuan-2017/10/2", "binh-thuan-2017", AN_LOOK_AGENCY, false, true, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_LEFT, false, 0, PARTY, TIMES, false, false, false, false, true},
    {NULL, "dang-luu-tru", "binh-thuan-2017/13/3", "binh-thuan-2017", AN_LOOK_ARCHIVE, false, true, false, false,
     AN_LOOK_ANY_COLOUR, AN_LOOK_PAGE_TOP_LEFT, false, 0, PARTY, TIMES, false, false, false, false, false},
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_look_details),
        cmocka_unit_test(test_look_lists),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
