/* base/: bytes, buffers, time, text, files. */
#include "base/buf.h"
#include "base/file.h"
#include "base/map.h"
#include "base/time.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static const struct { const char *text; an_time want; } time_table[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2025-12-02T09:30:05+07:00", 1764642605},
    {"2024-02-29T00:00:00Z", 1709164800},
    {"2023-02-29T00:00:00Z", AN_TIME_NONE},
    {"2025-12-02", 1764608400},
    {"2025-12-02T09:30:05.123Z", 1764667805},
    {"2025-12-02T09:30:05", AN_TIME_NONE},
    {"2025-13-02", AN_TIME_NONE},
    {"", AN_TIME_NONE},
};

static void
times_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < AN_COUNT(time_table); i++)
        if (an_time_parse(an_bytes_of_str(time_table[i].text)) != time_table[i].want)
            fail_msg("%s: %lld", time_table[i].text, (long long)an_time_parse(an_bytes_of_str(time_table[i].text)));
}

static void
times_are_written(void **state)
{
    char buf[AN_TIME_TEXT_MAX];

    (void)state;
    assert_string_equal(an_time_format_vn(1764642605, buf), "2025-12-02T09:30:05+07:00");
    assert_string_equal(an_time_format_utc(1764642605, buf), "2025-12-02T02:30:05Z");
    for (an_time t = -3000000000; t < 40000000000; t += 86399 * 37 + 11) {
        struct an_date date = an_date_of(t, 420);
        if (date.year >= 0 && an_time_of_date(&date, 420) != t)
            fail_msg("round trip of %lld", (long long)t);
    }
}

static void
text_is_folded(void **state)
{
    static const char *const pairs[][2] = {
        {"PHÓ GIÁM ĐỐC", "pho giam doc"}, {"Ủy ban  nhân dân", "uy ban nhan dan"},
        {"U\xCC\x89y", "uy"}, {" Đặng ", "dang"}, {"Nguyễn Thị Ưởng", "nguyen thi uong"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(pairs); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(AN_BUF_UNLIMITED);
        assert_true(an_utf8_fold(&out, an_bytes_of_str(pairs[i][0])));
        if (!an_bytes_eq_str(an_buf_view(&out), pairs[i][1]))
            fail_msg("%s -> %.*s", pairs[i][0], AN_FMT(an_buf_view(&out)));
    }
}

/* Texts that do not read as they are, and names that read like others. */
static void
text_shows_what_it_is(void **state)
{
    static const struct { const char *text; bool is_visible, is_mixed; } table[] = {
        {"Nguyễn Thị Ưởng", true, false}, {"Nguye\xCC\x82\xCC\x83n", true, false}, /* NFD: two marks */
        {"Ủy ban nhân dân xã Mẫu – số 1/2025 (QĐ)", true, false}, {"", true, false}, {"Иванов", true, false}, {"中文 ひらがな", true, false},
        {"a\u202Eb", false, false}, {"a\u200Bb", false, false}, {"a\u00ADb", false, false}, {"a\u034Fb", false, false}, {"a\u061Cb", false, false},
        {"a\u115Fb", false, false}, {"a\u17B4b", false, false}, {"a\u180Eb", false, false}, {"a\u2028b", false, false}, {"a\u2066b", false, false},
        {"a\u2800b", false, false}, {"a\u3164b", false, false}, {"a\uE000b", false, false}, {"a\uFDD0b", false, false}, {"a\uFE0Fb", false, false},
        {"a\uFEFFb", false, false}, {"a\uFFA0b", false, false}, {"a\uFFF9b", false, false}, {"a\U000E0041b", false, false}, {"a\U0010FFFFb", false, false},
        {"a\nb", false, false}, {"a\x1B[2Jb", false, false}, {"a\xC2\x9B" "2J", false, false}, {"a\xFF", false, false}, {"a\xED\xA0\x80", false, false},
        {"e\u0301\u0302\u0303\u0304", true, false}, {"e\u0301\u0302\u0303\u0304\u0305", false, false},
        {"ỦY ВAN", true, true}, {"Nguyễn Vаn A", true, true}, {"ABΟ", true, true}, {"Ｎguyen", true, true}, {"𝐍guyen", true, true}, {"Ⅽuc", true, true}, {"Օffice", true, true},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_free_ptr) char *shown = an_strdup(table[i].text);
        if (an_utf8_is_visible(an_bytes_of_str(table[i].text)) != table[i].is_visible || an_utf8_is_mixed(an_bytes_of_str(table[i].text)) != table[i].is_mixed)
            fail_msg("row %zu", i);
        an_utf8_make_visible(shown);
        assert_true(an_utf8_is_visible(an_bytes_of_str(shown)));
        assert_true((strcmp(shown, table[i].text) == 0) == table[i].is_visible);
    }
}

static void
codes_round_trip(void **state)
{
    (void)state;
    for (size_t len = 0; len < 70; len++) {
        uint8_t in[70];
        AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_BUF_UNLIMITED);
        AN_CLEANUP(an_buf_free) struct an_buf back = an_buf_new(AN_BUF_UNLIMITED);
        for (size_t i = 0; i < len; i++)
            in[i] = (uint8_t)(i * 37 + len);
        an_base64_encode(&text, AN_BYTES(in, len));
        assert_true(an_base64_decode(&back, an_buf_view(&text)));
        assert_true(an_bytes_eq(an_buf_view(&back), AN_BYTES(in, len)));
        an_buf_reset(&text);
        an_buf_reset(&back);
        an_buf_hex(&text, AN_BYTES(in, len));
        assert_true(an_hex_decode(&back, an_buf_view(&text)));
        assert_true(an_bytes_eq(an_buf_view(&back), AN_BYTES(in, len)));
    }
}

static void
buffers_stop_at_their_maximum(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(4);

    (void)state;
    an_buf_str(&out, "abcd");
    assert_true(an_buf_ok(&out));
    an_buf_str(&out, "e");
    assert_false(an_buf_ok(&out));
    assert_int_equal(out.len, 4);
}

static void
map_keeps_everything(void **state)
{
    struct an_map *map = an_map_new();

    (void)state;
    for (uint64_t i = 1; i <= 5000; i++)
        an_map_put_u64(map, i * i, (void *)(uintptr_t)i);
    for (uint64_t i = 1; i <= 5000; i++)
        assert_ptr_equal(an_map_find_u64(map, i * i), (void *)(uintptr_t)i);
    assert_null(an_map_find_u64(map, 3));
    an_map_free(&map);
}

static void
files_appear_whole_or_not_at_all(void **state)
{
    char path[] = "/tmp/antin-test-XXXXXX", name[64];
    struct an_output out = AN_OUTPUT_NONE;
    struct an_file file = AN_FILE_NONE;
    struct an_err err = {0};

    (void)state;
    assert_non_null(mkdtemp(path));
    snprintf(name, sizeof(name), "%s/a", path);
    assert_int_equal(an_output_open(name, &out, &err), AN_OK);
    assert_int_equal(an_output_write(&out, AN_LIT("x"), &err), AN_OK);
    an_output_discard(&out);
    assert_int_equal(access(name, F_OK), -1);
    assert_int_equal(an_file_write(name, AN_LIT("hello"), 0600, &err), AN_OK);
    assert_int_equal(an_file_open(name, 0, &file, &err), AN_OK);
    assert_true(an_bytes_eq_str(file.bytes, "hello"));
    an_file_close(&file);
    assert_int_equal(an_file_open(path, 0, &file, &err), AN_E_FILE_KIND);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(rmdir(path), 0); /* no temporary file is left */
}

static void
leftovers_are_taken_away(void **state)
{
    char path[] = "/tmp/antin-test-XXXXXX", name[64], left[80], beside[80];
    struct an_output first = AN_OUTPUT_NONE, second = AN_OUTPUT_NONE;
    struct an_err err = {0};

    (void)state;
    assert_non_null(mkdtemp(path));
    snprintf(name, sizeof(name), "%s/a", path);
    snprintf(left, sizeof(left), "%s.antin-new", name);
    snprintf(beside, sizeof(beside), "%s/khac", path);
    assert_int_equal(an_file_write(left, AN_LIT("of a killed run"), 0600, &err), AN_OK);
    assert_int_equal(an_output_open(name, &first, &err), AN_OK);
    assert_int_equal(an_output_open(name, &second, &err), AN_OK); /* the first is alive: its file stays */
    assert_int_equal(an_output_write(&first, AN_LIT("1"), &err), AN_OK);
    assert_int_equal(an_output_commit(&first, &err), AN_OK);
    an_output_discard(&second);
    assert_int_equal(access(left, F_OK), -1);
    /* What is not a plain file is nobody's leftover. */
    assert_int_equal(symlink(beside, left), 0);
    assert_int_equal(an_file_write(beside, AN_LIT("x"), 0600, &err), AN_OK);
    assert_int_equal(an_output_open(name, &first, &err), AN_OK);
    an_output_discard(&first);
    assert_int_equal(access(beside, F_OK), 0);
    assert_int_equal(unlink(left), 0);
    assert_int_equal(unlink(beside), 0);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(rmdir(path), 0);
}

static void
messages_are_unique_and_bilingual(void **state)
{
    size_t count;
    const struct an_message *table = an_message_table(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(table[i].vi[0] != '\0' && table[i].en[0] != '\0');
        for (size_t j = 0; j < i; j++)
            if (table[i].code == table[j].code)
                fail_msg("%s and %s share a number", table[i].symbol, table[j].symbol);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read), cmocka_unit_test(times_are_written), cmocka_unit_test(text_is_folded), cmocka_unit_test(text_shows_what_it_is),
        cmocka_unit_test(codes_round_trip), cmocka_unit_test(buffers_stop_at_their_maximum),
        cmocka_unit_test(map_keeps_everything), cmocka_unit_test(files_appear_whole_or_not_at_all),
        cmocka_unit_test(leftovers_are_taken_away),
        cmocka_unit_test(messages_are_unique_and_bilingual),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
