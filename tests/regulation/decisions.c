/*
 * The decisions that readers of the regulations take, held against the engine: decisions.tsv was written from the
 * texts, clause by clause, and says which; second-reading.tsv by a second reader who knew neither the rules nor the
 * first reader's rows; third-reading.tsv by a third, at the borders of every text. Then: every binding clause of the five regulations has a rule and a row, or
 * a reason why software does not carry it out.
 */
#include <stdio.h>
#include <stdlib.h>

#include "data.h"
#include "regulation/decisions.h"

static struct an_decisions decisions, second_reading, third_reading;
static const char *reading = "decisions.tsv";
static size_t wrong;

static void
complain(const struct an_decision_row *row, const char *what, const char *expected, const char *found)
{
    wrong++;
    fprintf(stderr, "%s:%zu: %s %s %s %s: %s is \"%s\", the texts say \"%s\" (%s)\n", reading, row->line,
            row->column[COL_REGULATION], row->column[COL_ACT], row->column[COL_ACTOR] ? row->column[COL_ACTOR] : "-",
            row->column[COL_FACTS] ? row->column[COL_FACTS] : "-", what, found, expected, row->column[COL_WHY]);
}

static size_t
split_facts(const char *text, char *buf, size_t size, struct an_fact facts[static 8])
{
    size_t count = 0;

    snprintf(buf, size, "%s", text ? text : "");
    for (char *at = buf; *at && count < 8;) {
        char *end = strchr(at, ';'), *equals = strchr(at, '=');
        assert_non_null(equals);
        *equals = '\0';
        if (end)
            *end = '\0';
        facts[count++] = (struct an_fact){at, equals + 1};
        at = end ? end + 1 : at + strlen(at) + 1 + strlen(equals + 1);
    }
    return count;
}

static void
check_allowed(const struct an_decision_row *row, const struct an_answer *answer)
{
    static const char *const WORDS[] = {"null", "yes", "no"};

    if (strcmp(row->column[COL_ALLOWED], WORDS[answer->allowed]) != 0)
        complain(row, "allowed", row->column[COL_ALLOWED], WORDS[answer->allowed]);
}

/* Each of a comma list is in the answer's; "none" = the answer's is empty. */
static void
check_list(const struct an_decision_row *row, const char *what, const char *expected, const char **found, size_t count)
{
    char all[600] = "", one[128];

    if (!expected)
        return;
    for (size_t i = 0; i < count; i++)
        snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? "," : "", found[i]);
    if (strcmp(expected, "none") == 0) {
        if (count)
            complain(row, what, expected, all);
        return;
    }
    for (const char *at = expected; *at;) {
        size_t len = strcspn(at, ",");
        bool is_there = false;
        snprintf(one, sizeof(one), "%.*s", (int)len, at);
        for (size_t i = 0; i < count; i++)
            is_there = is_there || strcmp(found[i], one) == 0;
        if (!is_there)
            complain(row, what, one, all);
        at += len + (at[len] == ',');
    }
}

static void
check_forms(const struct an_decision_row *row, const struct an_answer *answer)
{
    const char *forms[16];
    size_t count = answer->form_count < 16 ? answer->form_count : 16;

    for (size_t i = 0; i < count; i++)
        forms[i] = row->column[COL_FORMS] && strchr(row->column[COL_FORMS], '/') ? answer->forms[i].citation
                                                                                 : answer->forms[i].id;
    check_list(row, "form", row->column[COL_FORMS], forms, count);
    /* what the row lists is all there is */
    size_t expected = 1;
    for (const char *at = row->column[COL_FORMS]; at && *at; at++)
        expected += *at == ',';
    if (row->column[COL_FORMS] && strcmp(row->column[COL_FORMS], "none") != 0 && expected != count)
        complain(row, "number of forms", row->column[COL_FORMS], count < expected ? "fewer" : "more");
}

static void
check_deadline(const struct an_decision_row *row, const struct an_answer *answer)
{
    const struct an_answer_deadline *deadline = &answer->deadline;
    char found[128] = "none", day[AN_TIME_TEXT_MAX];

    if (!row->column[COL_DEADLINE])
        return;
    if (deadline->is_set && deadline->before_utc != AN_TIME_NONE) {
        an_time_format_vn(deadline->before_utc, day);
        snprintf(found, sizeof(found), "before %.10s", day);
    } else if (deadline->is_set) {
        snprintf(found, sizeof(found), "%s%lld %s %s", deadline->unconfirmed ? "?" : "", (long long)deadline->days,
                 deadline->unit, deadline->from);
    }
    if (strcmp(found, row->column[COL_DEADLINE]) != 0)
        complain(row, "deadline", row->column[COL_DEADLINE], found);
}

static void
check_row(const struct an_decision_row *row)
{
    char facts_text[256];
    struct an_fact facts[8];
    struct an_answer *answer = NULL;
    struct an_err err = {0};
    struct an_question question = {
        .regulation = row->column[COL_REGULATION],
        .on_utc = an_time_parse(an_bytes_of_str(row->column[COL_ON])),
        .act = row->column[COL_ACT],
        .actor = row->column[COL_ACTOR],
        .subject = row->column[COL_SUBJECT],
        .device = row->column[COL_DEVICE],
        .document = row->column[COL_DOCUMENT],
        .facts = facts,
        .fact_count = split_facts(row->column[COL_FACTS], facts_text, sizeof(facts_text), facts),
    };

    if (an_regulation_explain(regs, &question, &answer, &err) != AN_OK) {
        complain(row, "failure", row->column[COL_ALLOWED], err.detail);
        return;
    }
    check_allowed(row, answer);
    if (row->column[COL_AUTHORITY] &&
        strcmp(row->column[COL_AUTHORITY], answer->authority ? answer->authority : "none") != 0)
        complain(row, "authority", row->column[COL_AUTHORITY], answer->authority ? answer->authority : "none");
    check_forms(row, answer);
    check_list(row, "notice", row->column[COL_NOTICES], answer->notices, answer->notice_count);
    check_deadline(row, answer);
    check_list(row, "look", row->column[COL_LOOKS], answer->looks, answer->look_count);
    check_list(row, "citation", row->column[COL_CLAUSES], answer->citations, answer->citation_count);
    if (answer->allowed != AN_ALLOWED_NOT_SAID && (!answer->reason_count || !answer->citation_count))
        complain(row, "reason", "a reason with its clause", "nothing");
    an_answer_free(&answer);
}

static void
check_rows(const struct an_decisions *rows, const char *name, size_t least)
{
    reading = name;
    wrong = 0;
    for (size_t i = 0; i < rows->count; i++)
        check_row(&rows->rows[i]);
    printf("%s: %zu decisions, %zu wrong\n", name, rows->count, wrong);
    assert_true(rows->count >= least);
    assert_int_equal(wrong, 0);
}

static void
test_decisions(void **state)
{
    (void)state;
    check_rows(&decisions, "decisions.tsv", 300);
}

static void
test_second_reading(void **state)
{
    (void)state;
    check_rows(&second_reading, "second-reading.tsv", 200);
}

static void
test_third_reading(void **state)
{
    (void)state;
    check_rows(&third_reading, "third-reading.tsv", 100);
}

/* ---- coverage ---- */

struct tally {
    const char *regulation;
    size_t binding, carried, listed, missing;
};

static void
count_clause(void *context, const struct an_coverage *coverage)
{
    struct tally *tally = context;
    bool is_carried = coverage->rules > 0 && coverage->rows > 0;

    tally->binding++;
    tally->carried += is_carried;
    tally->listed += !is_carried && coverage->not_carried;
    if (is_carried || coverage->not_carried)
        return;
    tally->missing++;
    fprintf(stderr, "%s: %zu rules, %zu rows: %s\n", coverage->provision->citation, coverage->rules, coverage->rows,
            coverage->provision->says);
}

static void
test_coverage(void **state)
{
    static const char *const FIVE[] = {"tay-ninh-2025", "bac-ninh-2023", "gia-lai-2026", "dong-thap-2025",
                                       "binh-thuan-2017"};
    size_t missing = 0;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(FIVE); i++) {
        struct tally tally = {.regulation = FIVE[i]};
        assert_int_equal(an_coverage_each(regs, FIVE[i], &decisions, count_clause, &tally, NULL), AN_OK);
        printf("%-16s %3zu binding clauses: %3zu with rule and row, %3zu not for software, %zu missing\n", FIVE[i],
               tally.binding, tally.carried, tally.listed, tally.missing);
        assert_true(tally.binding > 20 && tally.carried > 10);
        missing += tally.missing;
    }
    assert_int_equal(missing, 0);
}

static int
load(void **state)
{
    struct an_err err = {0};

    if (open_all(state) != 0 || an_decisions_load(regs, NULL, &decisions, &err) != AN_OK ||
        an_decisions_load(regs, AN_SOURCE_DIR "/tests/regulation/second-reading.tsv", &second_reading, &err) != AN_OK ||
        an_decisions_load(regs, AN_SOURCE_DIR "/tests/regulation/third-reading.tsv", &third_reading, &err) != AN_OK) {
        fprintf(stderr, "%s\n", err.detail);
        return 1;
    }
    return 0;
}

static int
unload(void **state)
{
    an_decisions_free(&decisions);
    an_decisions_free(&second_reading);
    an_decisions_free(&third_reading);
    return close_all(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_decisions), cmocka_unit_test(test_second_reading),
                                       cmocka_unit_test(test_third_reading), cmocka_unit_test(test_coverage)};
    return cmocka_run_group_tests(tests, load, unload);
}
