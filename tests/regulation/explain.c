/* The engine itself: how rules are weighed, which words are refused, what an answer is asked. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "data.h"
#include "regulation/explain.h"

static struct an_answer *
ask(const char *regulation, const char *on, const char *act, const char *actor, const char *fact, const char *value)
{
    struct an_fact facts[1] = {{fact, value}};
    struct an_question question = {.regulation = regulation,
                                   .on_utc = an_time_parse(an_bytes_of_str(on)),
                                   .act = act,
                                   .actor = actor,
                                   .facts = facts,
                                   .fact_count = fact ? 1 : 0};
    struct an_answer *answer = NULL;
    struct an_err err = {0};

    if (an_regulation_explain(regs, &question, &answer, &err) != AN_OK)
        fail_msg("%s", err.detail);
    return answer;
}

static void
test_base(void **state)
{
    (void)state;
    struct an_answer *answer = ask("quoc-gia", "2026-01-05", "request.new", "qltt", NULL, NULL);
    assert_int_equal(answer->allowed, AN_ALLOWED_YES);
    assert_string_equal(answer->authority, "cuc");
    assert_int_equal(answer->deadline.days, 3);
    assert_string_equal(answer->deadline.unit, "working_day");
    assert_string_equal(answer->citations[0], "nd-68-2024/11/1");
    assert_int_equal(an_answer_require(answer, false, NULL), AN_OK);
    an_answer_free(&answer);

    answer = ask("quoc-gia", "2026-01-05", "request.new", "thue-bao", NULL, NULL);
    assert_int_equal(answer->allowed, AN_ALLOWED_NO);
    struct an_err err = {0};
    assert_int_equal(an_answer_require(answer, true, &err), AN_E_FORBIDDEN);
    assert_non_null(strstr(err.detail, "nd-68-2024/11/1"));
    an_answer_free(&answer);

    answer = ask("quoc-gia", "2026-01-05", "request.renew", "qltt", "days-left", "29");
    assert_int_equal(answer->allowed, AN_ALLOWED_NO);
    const struct an_answer_parameter *parameter = an_answer_parameter(answer, "renew.min_days_left");
    assert_true(parameter && parameter->is_number && parameter->number == 30 && parameter->unconfirmed);
    assert_true(answer->deadline.unconfirmed);
    an_answer_free(&answer);

    answer = ask("quoc-gia", "2026-01-05", "train", NULL, NULL, NULL);
    assert_int_equal(answer->allowed, AN_ALLOWED_NOT_SAID);
    assert_int_equal(an_answer_require(answer, true, NULL), AN_OK);
    assert_int_equal(an_answer_require(answer, false, NULL), AN_E_NOT_PROVIDED);
    an_answer_free(&answer);
}

/* The same question on two sides of a date. */
static void
test_dates(void **state)
{
    (void)state;
    struct an_answer *before = ask("quoc-gia", "2024-08-14", "request.renew", "qltt", "days-left", "45");
    struct an_answer *after = ask("quoc-gia", "2024-08-15", "request.renew", "qltt", "days-left", "45");

    assert_int_equal(before->allowed, AN_ALLOWED_NO);
    assert_int_equal(after->allowed, AN_ALLOWED_YES);
    an_answer_free(&before);
    an_answer_free(&after);
    struct an_answer_parameter parameter;
    assert_int_equal(an_regulation_parameter(regs, "quoc-gia", an_time_parse(AN_LIT("2023-06-01")),
                                             "renew.min_days_left", &parameter, NULL),
                     AN_OK);
    assert_int_equal(parameter.number, 60);
    assert_false(parameter.unconfirmed);
}

static void
test_words(void **state)
{
    static const struct {
        const char *act, *actor, *fact, *value;
        an_code code;
    } ROWS[] = {
        {"request.new", "qltt", NULL, NULL, AN_OK},
        {"request.make", "qltt", NULL, NULL, AN_E_WORD_UNKNOWN},
        {"request.new", "boss", NULL, NULL, AN_E_WORD_UNKNOWN},
        {"request.new", "qltt", "colour", "red", AN_E_WORD_UNKNOWN},
        {"request.new", "qltt", "secrecy", "secret", AN_E_WORD_UNKNOWN},
        {"request.new", "qltt", "days-left", "many", AN_E_WORD_UNKNOWN},
        {"request.new", "qltt", "days-left", "12345678901", AN_E_WORD_UNKNOWN},
        {"request.new", "qltt", "sent", "15/5", AN_E_WORD_UNKNOWN},
        {"request.new", "qltt", "email", "", AN_E_WORD_UNKNOWN},
        {"request.new", "qltt", "days-left", "-1", AN_OK},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        struct an_fact facts[1] = {{ROWS[i].fact, ROWS[i].value}};
        struct an_question question = {"quoc-gia",
                                       an_time_parse(AN_LIT("2026-01-05")),
                                       ROWS[i].act,
                                       ROWS[i].actor,
                                       NULL,
                                       NULL,
                                       NULL,
                                       facts,
                                       ROWS[i].fact ? 1 : 0};
        struct an_answer *answer = NULL;
        assert_int_equal(an_regulation_explain(regs, &question, &answer, NULL), ROWS[i].code);
        an_answer_free(&answer);
    }
}

/* secrecy=mat and secrecy=thuong at once: no answer, whichever stands first. */
static void
test_facts_once(void **state)
{
    static const struct { struct an_fact facts[3]; an_code code; } ROWS[] = {
        {{{"secrecy", "mat"}, {"joint", "yes"}, {"paper", "no"}}, AN_OK},
        {{{"secrecy", "mat"}, {"secrecy", "thuong"}, {"paper", "no"}}, AN_E_FACT_TWICE},
        {{{"secrecy", "thuong"}, {"paper", "no"}, {"secrecy", "mat"}}, AN_E_FACT_TWICE},
        {{{"paper", "no"}, {"joint", "yes"}, {"joint", "yes"}}, AN_E_FACT_TWICE},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        struct an_question question = {.regulation = "quoc-gia", .on_utc = an_time_parse(AN_LIT("2026-01-05")), .act = "document.send", .actor = "van-thu", .facts = ROWS[i].facts, .fact_count = 3};
        struct an_answer *answer = NULL;
        assert_int_equal(an_regulation_explain(regs, &question, &answer, NULL), ROWS[i].code);
        an_answer_free(&answer);
    }
}

/* Mail of a State body, at the border between a domain and what only ends like it. */
static void
test_mail(void **state)
{
    static const struct {
        const char *address;
        enum an_allowed allowed;
    } ROWS[] = {
        {"an.nv@tayninh.gov.vn", AN_ALLOWED_YES},
        {"An.NV@BCY.GOV.VN", AN_ALLOWED_YES},
        {"x@gov.vn", AN_ALLOWED_YES},
        {"x@gmail.com", AN_ALLOWED_NO},
        {"x@notgov.vn", AN_ALLOWED_NO},
        {"x@gov.vn.example.com", AN_ALLOWED_NO},
        {"@gov.vn", AN_ALLOWED_NO},
        {"gov.vn", AN_ALLOWED_NO},
        {"x@", AN_ALLOWED_NO},
    };

    (void)state;
    for (size_t i = 0; i < AN_COUNT(ROWS); i++) {
        struct an_answer *answer = ask("quoc-gia", "2026-01-05", "request.new", "qltt", "email", ROWS[i].address);
        if (answer->allowed != ROWS[i].allowed)
            fail_msg("%s", ROWS[i].address);
        an_answer_free(&answer);
    }
}

static void
count_reminder(void *context, const struct an_reminder *reminder)
{
    size_t *count = context;

    assert_true(reminder->days_before >= 0 && reminder->to_count > 0);
    /* a callback may ask again */
    assert_string_not_equal(an_word_name(regs, AN_WORD_EVENT, reminder->event, false), reminder->event);
    *count += strcmp(reminder->event, "certificate-expiry") == 0;
}

static void
test_reminders(void **state)
{
    size_t count = 0;

    (void)state;
    assert_int_equal(
        an_reminder_each(regs, "quoc-gia", an_time_parse(AN_LIT("2026-01-05")), count_reminder, &count, NULL), AN_OK);
    assert_int_equal(count, 4); /* 90, 60, 30 days, and the end itself */
}

/* ---- every question of a grid: what holds of every answer ---- */
struct words {
    const char *items[64];
    size_t count;
};

static void
keep_word(void *context, const char *word, const char *vi, const char *en)
{
    struct words *words = context;

    assert_true(vi[0] && en[0] && words->count < AN_COUNT(words->items));
    words->items[words->count++] = word;
}

static const struct {
    const char *regulation, *on;
} DAYS[] = {{"tay-ninh-2025", "2026-01-05"},   {"bac-ninh-2023", "2023-06-01"}, {"bac-ninh-2023", "2024-12-01"},
            {"bac-ninh-2023", "2026-01-05"},   {"gia-lai-2026", "2026-06-01"},  {"dong-thap-2025", "2026-01-05"},
            {"binh-thuan-2017", "2018-03-01"}, {"quoc-gia", "2026-01-05"}};

static void
check_answer(const struct an_question *question, const struct an_answer *answer)
{
    const struct an_provision *provision = NULL;
    const struct an_look *look = NULL;

    if (answer->allowed != AN_ALLOWED_NOT_SAID) {
        assert_true(answer->reason_count > 0 && answer->citation_count > 0);
        assert_true(answer->reasons[0].decides && answer->reasons[0].citation);
        assert_string_equal(answer->reasons[0].citation, answer->citations[0]);
    }
    for (size_t i = 0; i < answer->form_count; i++)
        assert_int_equal(an_provision_find(regs, answer->forms[i].citation, &provision, NULL), AN_OK);
    for (size_t i = 0; i < answer->look_count; i++)
        assert_int_equal(an_look_find(regs, question->regulation, answer->looks[i], &look, NULL), AN_OK);
    if (answer->deadline.is_set)
        assert_true(answer->deadline.days >= 0 || answer->deadline.before_utc != AN_TIME_NONE);
}

static enum an_allowed
ask_once(const struct an_question *question)
{
    struct an_answer *answer = NULL;
    struct an_err err = {0};

    if (an_regulation_explain(regs, question, &answer, &err) != AN_OK)
        fail_msg("%s %s: %s", question->regulation, question->act, err.detail);
    enum an_allowed allowed = answer->allowed;
    check_answer(question, answer);
    an_answer_free(&answer);
    return allowed;
}

/* A secret never becomes allowed; nobody outside gets in by saying less; what a role may, may be done at all. */
static void
sweep(const struct words *acts, const struct words *roles)
{
    static const struct an_fact SECRET = {"secrecy", "tuyet-mat"};

    for (size_t d = 0; d < AN_COUNT(DAYS); d++)
        for (size_t a = 0; a < acts->count; a++) {
            struct an_question question = {.regulation = DAYS[d].regulation,
                                           .on_utc = an_time_parse(an_bytes_of_str(DAYS[d].on)),
                                           .act = acts->items[a]};
            enum an_allowed anybody = ask_once(&question);
            for (size_t r = 0; r < roles->count; r++) {
                question.actor = roles->items[r];
                enum an_allowed plain = ask_once(&question);
                assert_true(plain != AN_ALLOWED_YES || anybody == AN_ALLOWED_YES);
                question.facts = &SECRET;
                question.fact_count = 1;
                enum an_allowed secret = ask_once(&question);
                assert_true(secret == AN_ALLOWED_NO || secret == plain);
                bool is_signing = strncmp(question.act, "sign.", 5) == 0 && d < AN_COUNT(DAYS) - 1;
                assert_true(!is_signing || secret == AN_ALLOWED_NO);
                question.facts = NULL;
                question.fact_count = 0;
            }
        }
}

static void
test_sweep(void **state)
{
    struct words acts = {0}, roles = {0};

    (void)state;
    assert_int_equal(an_word_each(regs, AN_WORD_ACT, keep_word, &acts, NULL), AN_OK);
    assert_int_equal(an_word_each(regs, AN_WORD_ROLE, keep_word, &roles, NULL), AN_OK);
    assert_int_equal(acts.count, 36);
    assert_int_equal(roles.count, 13);
    sweep(&acts, &roles);
}

/* One object serves all threads, also those that ask first. */
static void *
ask_many(void *context)
{
    struct an_regulations *shared = context;
    size_t *yes = an_new_array(1, sizeof(*yes));

    for (size_t i = 0; i < 400; i++) {
        struct an_question question = {.regulation = DAYS[i % AN_COUNT(DAYS)].regulation,
                                       .on_utc = an_time_parse(an_bytes_of_str(DAYS[i % AN_COUNT(DAYS)].on)),
                                       .act = "sign.seal",
                                       .actor = "van-thu"};
        struct an_answer *answer = NULL;
        if (an_regulation_explain(shared, &question, &answer, NULL) == AN_OK)
            *yes += answer->allowed == AN_ALLOWED_YES;
        an_answer_free(&answer);
    }
    return yes;
}

static void
test_threads(void **state)
{
    struct an_regulations *fresh = NULL;
    pthread_t threads[4];

    (void)state;
    assert_int_equal(an_regulations_open(AN_SOURCE_DIR, &fresh, NULL), AN_OK);
    for (size_t i = 0; i < AN_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_many, fresh), 0);
    for (size_t i = 0; i < AN_COUNT(threads); i++) {
        void *yes = NULL;
        assert_int_equal(pthread_join(threads[i], &yes), 0);
        assert_int_equal(*(size_t *)yes, 400);
        free(yes);
    }
    an_regulations_close(&fresh);
}

/* A sixth province is a file: put beside the five, checked with them, asked like them. No line of C knows it. */
static void
test_sixth_province(void **state)
{
    struct an_regulations *six = NULL, *kept = regs;
    struct an_err err = {0};

    (void)state;
    assert_int_equal(an_regulations_open(AN_SOURCE_DIR, &six, NULL), AN_OK);
    assert_int_equal(an_regulations_add_file(six, AN_SOURCE_DIR "/samples/regulations/ninh-binh-2025.yaml", &err),
                     AN_OK);
    if (an_regulations_check(six, &err) != AN_OK)
        fail_msg("%s", err.detail);
    regs = six;
    struct an_answer *answer = ask("ninh-binh-2025", "2026-01-05", "request.renew", "so-khcn", NULL, NULL);
    assert_int_equal(answer->allowed, AN_ALLOWED_YES);
    assert_string_equal(answer->authority, "so-khcn");
    assert_string_equal(answer->citations[0], "ninh-binh-2025/9/3");
    assert_string_equal(answer->forms[0].citation, "nd-68-2024/mau-04"); /* from the national base */
    an_answer_free(&answer);
    answer = ask("ninh-binh-2025", "2026-01-05", "device.return", "qltt", NULL, NULL);
    assert_int_equal(answer->deadline.days, 5);
    assert_string_equal(answer->deadline.citation, "ninh-binh-2025/10/6");
    an_answer_free(&answer);
    answer = ask("ninh-binh-2025", "2026-01-05", "sign.personal", "thue-bao", "to", "other-person");
    assert_int_equal(answer->allowed, AN_ALLOWED_NO);
    assert_string_equal(answer->citations[0], "ninh-binh-2025/11/3");
    an_answer_free(&answer);
    assert_int_equal(an_regulations_add_file(six, AN_SOURCE_DIR "/samples/regulations/ninh-binh-2025.yaml", NULL),
                     AN_E_YAML_DUPLICATE);
    assert_int_equal(an_regulations_add_file(six, "/nowhere/a.yaml", NULL), AN_E_REGULATION_UNKNOWN);
    regs = kept;
    an_regulations_close(&six);
}

static bool
has_reason(const struct an_answer *answer, const char *words)
{
    for (size_t i = 0; i < answer->reason_count; i++)
        if (strstr(answer->reasons[i].text, words))
            return true;
    return false;
}

/* A day on which the regulation is not in force: since when it is, what it replaced, and who speaks that day. */
static void
test_not_in_force(void **state)
{
    static const char OLDER[] = "act:\n  cited-vi: Quy chế cũ\n  cited-en: the old regulation\n  title-vi: cũ\n"
                                "  title-en: old\n  from: 2016-03-20\n  to: 2025-12-01\n"
                                "place: tay-ninh\ninherits: quoc-gia\n";
    struct an_regulations *more = NULL, *kept = regs;
    struct an_answer *answer = ask("tay-ninh-2025", "2025-11-30", "request.new", "qltt", NULL, NULL);

    (void)state;
    assert_int_equal(answer->allowed, AN_ALLOWED_NOT_SAID);
    assert_true(answer->reasons[0].decides);
    assert_true(has_reason(answer, "có hiệu lực từ ngày 01/12/2025; ngày 30/11/2025 chưa có hiệu lực"));
    assert_true(has_reason(answer, "07/2016/QĐ-UBND"));
    assert_true(has_reason(answer, "Ngày 30/11/2025 nói về việc này: Nghị định số 68/2024/NĐ-CP"));
    assert_string_equal(answer->citations[0], "tay-ninh-2025");
    assert_string_equal(answer->citations[1], "nd-68-2024");
    an_answer_free(&answer);
    answer = ask("binh-thuan-2017", "2017-09-13", "request.new", "qltt", NULL, NULL);
    assert_int_equal(answer->reason_count, 1); /* it inherits nothing */
    an_answer_free(&answer);

    char dir[] = "/tmp/antin-force-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/tay-ninh-2016.yaml", dir);
    FILE *file = fopen(path, "w");
    assert_true(file && fwrite(OLDER, 1, sizeof(OLDER) - 1, file) == sizeof(OLDER) - 1 && fclose(file) == 0);
    assert_int_equal(an_regulations_open(AN_SOURCE_DIR, &more, NULL), AN_OK);
    assert_int_equal(an_regulations_add_file(more, path, NULL), AN_OK);
    regs = more;
    answer = ask("tay-ninh-2025", "2025-11-30", "request.new", "qltt", NULL, NULL);
    assert_true(has_reason(answer, "Ngày 30/11/2025 áp dụng Quy chế cũ (hỏi với --regulation tay-ninh-2016)"));
    an_answer_free(&answer);
    answer = ask("tay-ninh-2016", "2025-12-01", "request.new", "qltt", NULL, NULL);
    assert_true(has_reason(answer, "hết hiệu lực từ ngày 01/12/2025; ngày 01/12/2025 không còn hiệu lực"));
    an_answer_free(&answer);
    regs = kept;
    an_regulations_close(&more);
    assert_int_equal(unlink(path) + rmdir(dir), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_base),      cmocka_unit_test(test_dates),
                                       cmocka_unit_test(test_words), cmocka_unit_test(test_facts_once),     cmocka_unit_test(test_mail),
                                       cmocka_unit_test(test_reminders), cmocka_unit_test(test_sweep),
                                       cmocka_unit_test(test_threads),   cmocka_unit_test(test_sixth_province),
                                       cmocka_unit_test(test_not_in_force)};
    return cmocka_run_group_tests(tests, open_all, close_all);
}
