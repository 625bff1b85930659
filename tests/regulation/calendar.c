/* Working days: the shipped years, counting across holidays, swaps and year ends, and faults with their line. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "data.h"
#include "regulation/calendar.h"

static struct an_calendar *calendar;

static an_time
at(const char *text)
{
    an_time time = an_time_parse(an_bytes_of_str(text));

    assert_true(time != AN_TIME_NONE);
    return time;
}

static void
test_days(void **state)
{
    static const struct {
        const char *on;
        enum an_day_kind kind;
        bool unconfirmed;
    } ROWS[] = {
        {"2025-12-05", AN_DAY_WORKING, false}, {"2025-12-06", AN_DAY_WEEKEND, false},
        {"2025-12-07", AN_DAY_WEEKEND, false}, {"2025-01-01", AN_DAY_HOLIDAY, false},
        {"2025-01-27", AN_DAY_HOLIDAY, false}, {"2025-02-03", AN_DAY_WORKING, false},
        {"2025-04-26", AN_DAY_MADE_UP, false}, {"2025-05-02", AN_DAY_OFF, false},
        {"2025-09-02", AN_DAY_HOLIDAY, false}, {"2023-05-03", AN_DAY_OFF, false},
        {"2026-02-16", AN_DAY_HOLIDAY, true},  {"2031-06-03", AN_DAY_WORKING, true},
        {"2031-09-02", AN_DAY_HOLIDAY, true},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        struct an_day day = an_calendar_day(calendar, at(ROWS[i].on));
        if (day.kind != ROWS[i].kind || day.unconfirmed != ROWS[i].unconfirmed)
            fail_msg("%s: %d %d", ROWS[i].on, day.kind, day.unconfirmed);
    }
}

/* The day of the event does not count; holidays and weekends do not; a made-up Saturday does. */
static void
test_adding(void **state)
{
    static const struct {
        const char *from;
        int days;
        const char *last;
    } ROWS[] = {
        {"2025-12-01", 3, "2025-12-04"},
        {"2025-12-04", 3, "2025-12-09"},
        {"2025-12-05", 1, "2025-12-08"},
        {"2025-12-06", 1, "2025-12-08"},
        {"2025-12-06", 0, "2025-12-08"},
        {"2025-12-05", 0, "2025-12-05"},
        {"2025-01-24", 1, "2025-02-03"},
        {"2025-04-25", 1, "2025-04-26"},
        {"2025-04-29", 1, "2025-05-05"},
        {"2025-08-29", 1, "2025-09-03"},
        {"2025-08-29", 5, "2025-09-09"},
        {"2024-12-31", 1, "2025-01-02"},
        {"2025-12-01T23:59:59+07:00", 1, "2025-12-02"}, /* still the first of December here */
        {"2025-11-30T17:00:00Z", 1, "2025-12-02"},      /* already the first of December here */
        {"2025-12-01", -4, "2025-12-01"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        struct an_due due = an_calendar_add_working_days(calendar, at(ROWS[i].from), ROWS[i].days);
        char text[AN_TIME_TEXT_MAX];
        if (due.last_day_utc != at(ROWS[i].last) || due.due_utc != due.last_day_utc + 86400)
            fail_msg("%s + %d: %s", ROWS[i].from, ROWS[i].days, an_time_format_vn(due.last_day_utc, text));
    }
    assert_false(an_calendar_add_working_days(calendar, at("2025-12-01"), 5).unconfirmed);
    assert_true(an_calendar_add_working_days(calendar, at("2025-12-30"), 5).unconfirmed);
    assert_true(an_calendar_add_working_days(calendar, at("2040-01-01"), 1000000).unconfirmed); /* ends */
}

/* Adding and counting are inverse, from every day of three years. */
static void
test_counting(void **state)
{
    (void)state;
    for (an_time from = at("2024-01-01"); from < at("2027-01-01"); from += 86400)
        for (int days = 1; days <= 12; days += 4) {
            an_time last = an_calendar_add_working_days(calendar, from, days).last_day_utc;
            assert_true(an_calendar_is_working(calendar, last));
            assert_int_equal(an_calendar_count_working_days(calendar, from, last), days);
        }
    assert_int_equal(an_calendar_count_working_days(calendar, at("2025-12-08"), at("2025-12-05")), -1);
}

static void
count_day(void *context, an_time day_utc, const struct an_day *day)
{
    size_t *counts = context;

    (void)day_utc;
    assert_non_null(day->name_vi);
    counts[day->kind]++;
}

static void
test_year(void **state)
{
    size_t counts[5] = {0};

    (void)state;
    an_calendar_each(calendar, 2025, count_day, counts);
    assert_int_equal(counts[AN_DAY_HOLIDAY], 11); /* Điều 112: 1 + 5 + 1 + 1 + 1 + 2 */
    assert_int_equal(counts[AN_DAY_OFF], 1);
    assert_int_equal(counts[AN_DAY_MADE_UP], 1);
}

static void
test_faults(void **state)
{
    static const struct {
        const char *weekend, *fixed, *year;
        an_code code;
        const char *detail;
    } ROWS[] = {
        {"[saturday]", "01-01", "2026-01-02", AN_OK, ""},
        {"[saturnday]", "01-01", "2026-01-02", AN_E_YAML_TYPE, "lich.yaml:3: weekend"},
        {"[monday, tuesday, wednesday, thursday, friday, saturday, sunday]", "01-01", "2026-01-02", AN_E_YAML_TYPE,
         "lich.yaml:3: weekend: a week has a working day"},
        {"[saturday]", "13-01", "2026-01-02", AN_E_YAML_TYPE, "lich.yaml:4: no such day"},
        {"[saturday]", "1-1", "2026-01-02", AN_E_YAML_TYPE, "lich.yaml:4: \"on\""},
        {"[saturday]", "01-01", "2025-01-02", AN_E_YAML_TYPE, "lich.yaml:9: from and to"},
        {"[saturday]", "01-01", "2026-01-05", AN_E_REGULATION_DATES, "lich.yaml:10: overlaps"},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        AN_CLEANUP(an_free_ptr)
        char *text =
            an_asprintf("vi: Lịch\nen: Calendar\nweekend: %s\nevery-year: [{on: %s, vi: a, en: b}]\nyears:\n  2026:\n"
                        "    confirmed: true\n    source: MẪU\n    days: [{from: %s, kind: off, vi: a, en: b},\n"
                        "           {from: 2026-01-05, kind: off, vi: a, en: b}]\n",
                        ROWS[i].weekend, ROWS[i].fixed, ROWS[i].year);
        char dir[] = "/tmp/antin-calendar-XXXXXX";
        assert_non_null(mkdtemp(dir));
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/lich.yaml", dir);
        assert_int_equal(an_file_write(path, an_bytes_of_str(text), 0600, NULL), AN_OK);
        struct an_calendar *own = NULL;
        struct an_err err = {0};
        an_code code = an_calendar_load(path, &own, &err);
        unlink(path);
        rmdir(dir);
        an_calendar_close(&own);
        if (code != ROWS[i].code || strncmp(err.detail, ROWS[i].detail, strlen(ROWS[i].detail)) != 0)
            fail_msg("row %zu: \"%s\", expected \"%s\"", i, err.detail, ROWS[i].detail);
    }
    struct an_calendar *none = NULL;
    assert_int_equal(an_calendar_open(AN_SOURCE_DIR, "../secret", &none, NULL), AN_E_CALENDAR_UNKNOWN);
}

static int
open_calendar(void **state)
{
    (void)state;
    return an_calendar_open(AN_SOURCE_DIR, NULL, &calendar, NULL) != AN_OK;
}

static int
close_calendar(void **state)
{
    (void)state;
    an_calendar_close(&calendar);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_days), cmocka_unit_test(test_adding),
                                       cmocka_unit_test(test_counting), cmocka_unit_test(test_year),
                                       cmocka_unit_test(test_faults)};
    return cmocka_run_group_tests(tests, open_calendar, close_calendar);
}
