/* Citations in words and in the data, acts, provisions; one object for many threads; what a cold question costs. */
#include <pthread.h>

#include "data.h"

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
        {"nd-30-2020/pl-1/1.2.7/d", "điểm d khoản 7 Mục II Phần I Phụ lục I Nghị định số 30/2020/NĐ-CP",
         "point d, clause 7, Section II, Part I, Appendix I of Decree No. 30/2020/NĐ-CP"},
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
        cmocka_unit_test(test_citation_words),
        cmocka_unit_test(test_citation_exists),
        cmocka_unit_test(test_provisions),
        cmocka_unit_test(test_acts),
        cmocka_unit_test(test_cost),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
