/* The given vectors: how far the verdicts agree. A wrong accept fails the test; wrong rejects are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include "cases.h"
#include "proc/proc.h"

#include <cmocka.h>

static struct an_verifier *verifier;

struct tally {
    const char *kind_prefix, *policy;
    size_t cases, agreed, skipped, excepted[EXCEPT_OTHER + 1], wrong_accepts, wrong_rejects, other_words, lawful, wrong_paths;
    bool not_shown_is_broken;
    size_t least_percent, stale;
    size_t subs, subs_agreed; /* cases that name a sub-indication, and those in which it is found */
};

static bool
is_one_of(const char *word, const char *words)
{
    const char *found = strstr(words, word);

    return found && (found == words || found[-1] == ' ') && (found[strlen(word)] == 0 || found[strlen(word)] == ' ');
}

/* What may stand for what. The first word is the exact one. */
static const struct { const char *expected, *same, *tolerable; } classes[] = {
    {"intact", "intact", ""},
    {"signed", "intact", ""},
    {"modified", "modified", "broken"},
    {"broken", "broken error", "modified unproven timestamp-bad no-signature"},
    {"timestamp-bad", "timestamp-bad", "broken unproven"},
    {"mixed", "modified broken", ""},
    {"failed", "broken error modified", ""},
    {"error", "error broken", "no-signature"},
    {"disputed", "intact modified broken", ""},
    {"no-signature", "no-signature", ""},
};

static void
say(const char *what, const json_t *row, const char *expected, const struct case_result *result)
{
    const struct an_signature_report *first = result->report.signature_count ? &result->report.signatures[0] : NULL;

    printf("# %s: %s expected %s, got %s", what, text_of(row, "id"), expected, result->class_);
    if (result->code != AN_OK)
        printf(" (%s: %s)", an_message_find(result->code)->symbol, result->err.detail);
    else if (first)
        printf(" (%d %s)", (int)first->indication, first->sub_indication);
    printf("\n");
    for (size_t i = 0; i < result->report.signature_count && getenv("ANTIN_VERBOSE"); i++) {
        const struct an_signature_report *row_ = &result->report.signatures[i];

        printf("#    [%s] %d %s word %d\n", row_->field, (int)row_->indication, row_->sub_indication, (int)row_->word);
        for (size_t j = 0; j < row_->finding_count; j++)
            if (row_->findings[j].status != AN_FINDING_PASSED && row_->findings[j].status != AN_FINDING_SKIPPED)
                printf("#      %d %s %s %s\n", (int)row_->findings[j].status, row_->findings[j].rule,
                       an_message_find(row_->findings[j].code)->symbol, row_->findings[j].detail);
        for (size_t j = 0; j < row_->time_stamp_count; j++)
            printf("#      stamp %s %lld %d %s\n", row_->time_stamps[j].kind, (long long)row_->time_stamps[j].gen_time,
                   (int)row_->time_stamps[j].indication, row_->time_stamps[j].sub_indication);
        for (size_t j = 0; j < row_->modification_count; j++)
            printf("#      mod %s obj %u %s %s %s\n", row_->modifications[j].what, row_->modifications[j].object,
                   row_->modifications[j].class_name, row_->modifications[j].allowed ? "allowed" : "FORBIDDEN",
                   an_message_find(row_->modifications[j].why)->symbol);
    }
}

/* ---- sub-indications: what the other validator's test names; TRY_LATER stands in every list of allowed ones ---- */
static bool
names_sub(const json_t *row, const char *sub)
{
    const json_t *list = json_object_get(json_object_get(row, "expected"), "sub_indications");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), sub) == 0)
            return true;
    return false;
}

static bool
finds_named_sub(const json_t *row, const struct case_result *result)
{
    for (size_t i = 0; i < result->report.signature_count; i++) {
        const struct an_signature_report *found = &result->report.signatures[i];

        if (found->indication != AN_TOTAL_PASSED && names_sub(row, found->sub_indication))
            return true;
        for (size_t j = 0; j < found->time_stamp_count; j++)
            if (found->time_stamps[j].indication != AN_TOTAL_PASSED && names_sub(row, found->time_stamps[j].sub_indication))
                return true;
    }
    return false;
}

/* Where the other validator's test says only "not technically valid", it had nothing to check either: no data, no signer. */
static bool
is_not_shown(const struct case_result *result)
{
    const char *sub = result->report.signature_count ? result->report.signatures[0].sub_indication : "";

    return strcmp(result->class_, "unproven") == 0 && is_one_of(sub, "SIGNED_DATA_NOT_FOUND NO_SIGNING_CERTIFICATE_FOUND");
}

static void
judge_sub(struct tally *tally, const json_t *row, const struct case_result *result)
{
    const json_t *list = json_object_get(json_object_get(row, "expected"), "sub_indications");

    if (!json_array_size(list) || names_sub(row, "TRY_LATER"))
        return;
    tally->subs++;
    if (finds_named_sub(row, result))
        tally->subs_agreed++;
    else
        say(exception_of(text_of(row, "id")) ? "sub-indication, excepted" : "other sub-indication", row,
            json_string_value(json_array_get(list, 0)), result);
}

static void
judge_class(struct tally *tally, const json_t *row, const char *expected, const struct case_result *result)
{
    enum exception exception = exception_of(text_of(row, "id"));
    size_t at = 0;
    bool is_lawful = strcmp(expected, "intact") == 0 || strcmp(expected, "signed") == 0;

    while (at < AN_COUNT(classes) && strcmp(classes[at].expected, expected) != 0)
        at++;
    assert_true(at < AN_COUNT(classes));
    tally->lawful += is_lawful;
    if (is_one_of(result->class_, classes[at].same) || finds_named_sub(row, result) ||
        (tally->not_shown_is_broken && is_one_of(expected, "broken") && is_not_shown(result))) {
        tally->agreed++;
        if (exception != EXCEPT_NONE && exception != EXCEPT_ABSENT) {
            tally->stale++;
            say("an exception no longer needed", row, expected, result);
        }
    } else if (exception != EXCEPT_NONE) {
        tally->excepted[exception]++;
    } else if (is_one_of(result->class_, classes[at].tolerable)) {
        tally->other_words++;
        say("other word", row, expected, result);
    } else if (is_lawful) {
        tally->wrong_rejects++;
        say("WRONG REJECT", row, expected, result);
    } else {
        tally->wrong_accepts++;
        say("WRONG ACCEPT", row, expected, result);
    }
}

/* The certificate's side: "valid" must pass, the others must not, each for its own reason. */
static const struct { const char *path, *subs; } paths[] = {
    {"untrusted", "NO_CERTIFICATE_CHAIN_FOUND"},
    {"revoked", "REVOKED REVOKED_NO_POE"},
    {"expired", "EXPIRED OUT_OF_BOUNDS_NO_POE OUT_OF_BOUNDS_NOT_REVOKED"},
    {"wrong-usage", "CHAIN_CONSTRAINTS_FAILURE"},
};

static void
judge_path(struct tally *tally, const json_t *row, const struct case_result *result)
{
    const char *path = text_of(json_object_get(row, "expected"), "path");
    const struct an_signature_report *first = result->report.signature_count ? &result->report.signatures[0] : NULL;

    if (!path[0] || !first || strcmp(result->class_, "intact") != 0)
        return;
    if (strcmp(path, "valid") == 0) {
        /* A signature may be too weak for the policy (SHA-1) on a certificate that is perfectly valid. */
        if (first->indication != AN_TOTAL_PASSED && strcmp(first->sub_indication, "CRYPTO_CONSTRAINTS_FAILURE") != 0) {
            tally->wrong_paths++;
            say("path is valid", row, path, result);
        }
        return;
    }
    for (size_t i = 0; i < AN_COUNT(paths); i++) {
        if (strcmp(paths[i].path, path) != 0 || is_one_of(first->sub_indication, paths[i].subs))
            continue;
        tally->wrong_paths++;
        say("path is not", row, path, result);
    }
}

static void
judge_level(struct tally *tally, const json_t *row, const struct case_result *result)
{
    static const struct { const char *word, *level; } levels[] = {{"bb", "B-B"}, {"bt", "B-T"}, {"blta", "B-LTA"}};
    const char *level = text_of(json_object_get(row, "expected"), "level");

    for (size_t i = 0; i < AN_COUNT(levels) && result->report.signature_count; i++) {
        if (strcmp(levels[i].word, level) != 0 || strcmp(levels[i].level, result->report.signatures[0].level) == 0)
            continue;
        tally->wrong_paths++;
        say("level", row, level, result);
        printf("#   level is '%s'\n", result->report.signatures[0].level);
    }
}

/* Where one indication of a signature is named and no other, some signature has it. */
static void
judge_indication(struct tally *tally, const json_t *row, const struct case_result *result)
{
    static const struct { const char *word; enum an_indication is; } words[] = {
        {"TOTAL_PASSED", AN_TOTAL_PASSED}, {"TOTAL_FAILED", AN_TOTAL_FAILED}, {"INDETERMINATE", AN_INDETERMINATE}};
    const json_t *list = json_object_get(json_object_get(row, "expected"), "indications");
    size_t named = 0, last = 0;

    for (size_t i = 0; i < json_array_size(list); i++)
        for (size_t j = 0; j < AN_COUNT(words); j++)
            if (strcmp(json_string_value(json_array_get(list, i)), words[j].word) == 0)
                named++, last = j;
    if (named != 1 || exception_of(text_of(row, "id")) != EXCEPT_NONE)
        return;
    for (size_t i = 0; i < result->report.signature_count; i++)
        if (result->report.signatures[i].indication == words[last].is)
            return;
    tally->wrong_paths++;
    say("indication", row, words[last].word, result);
}

static void
judge_document(void *context, const json_t *row)
{
    struct tally *tally = context;
    struct case_result result;

    if (tally->kind_prefix && strncmp(text_of(row, "kind"), tally->kind_prefix, strlen(tally->kind_prefix)) != 0) {
        tally->skipped++;
        return;
    }
    if (getenv("ANTIN_CASE") && !strstr(text_of(row, "id"), getenv("ANTIN_CASE")))
        return;
    tally->cases++;
    run_case(verifier, row, tally->policy, &result);
    judge_class(tally, row, text_of(json_object_get(row, "expected"), "verdict"), &result);
    judge_path(tally, row, &result);
    judge_level(tally, row, &result);
    judge_indication(tally, row, &result);
    judge_sub(tally, row, &result);
    case_result_done(&result);
}

static double
percent(size_t part, size_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 100.0;
}

static void
finish(const char *name, const struct tally *tally)
{
    size_t own = tally->agreed + tally->excepted[EXCEPT_SAID] + tally->excepted[EXCEPT_SILENT];
    size_t given = tally->cases - tally->excepted[EXCEPT_ABSENT];

    printf("# %s: %zu cases, %zu agree, %zu other words, %zu wrong accepts, %zu wrong rejects of %zu, "
           "%zu wrong paths or levels\n",
           name, tally->cases, tally->agreed, tally->other_words, tally->wrong_accepts, tally->wrong_rejects,
           tally->lawful, tally->wrong_paths);
    printf("| %-11s | %3zu cases | %5.1f %% as the manifest has it | %5.1f %% as the suite itself asserts | said %zu, silent %zu, "
           "absent %zu, other %zu | sub-indications %zu of %zu |\n",
           name, tally->cases, percent(tally->agreed, tally->cases), percent(own, given), tally->excepted[EXCEPT_SAID],
           tally->excepted[EXCEPT_SILENT], tally->excepted[EXCEPT_ABSENT], tally->excepted[EXCEPT_OTHER],
           tally->subs_agreed, tally->subs);
    assert_true(own * 100 >= given * tally->least_percent);
    assert_int_equal(tally->stale, 0);
    assert_int_equal(tally->wrong_accepts, 0);
    assert_int_equal(tally->other_words, 0); /* each has its reason in exceptions.tsv */
    assert_int_equal(tally->wrong_paths, 0);
    assert_true(tally->wrong_rejects * 100 <= tally->lawful);
}

static void
run_manifest(const char *manifest, const char *kind_prefix, const char *policy)
{
    bool is_dss = strcmp(manifest, "dss") == 0;
    struct tally tally = {.kind_prefix = kind_prefix, .policy = policy, .not_shown_is_broken = is_dss,
                          .least_percent = is_dss ? 98 : 90};

    if (!vectors_folder()) {
        printf("# %s: the given vectors are not here; skipped\n", manifest);
        skip();
    }
    each_case(manifest, judge_document, &tally);
    finish(kind_prefix ? kind_prefix : manifest, &tally);
}

static void
test_interop(void **state)
{
    (void)state;
    run_manifest("interop", NULL, NULL);
}

static void
test_pyhanko(void **state)
{
    (void)state;
    run_manifest("pyhanko", NULL, NULL);
}

static void
test_dss_pades(void **state)
{
    (void)state;
    run_manifest("dss", "dss/pades", "etsi-qes");
}

static void
test_dss_cades(void **state)
{
    (void)state;
    run_manifest("dss", "dss/cades", "etsi-qes");
}

static void
test_dss_xades(void **state)
{
    (void)state;
    run_manifest("dss", "dss/xades", "etsi-qes");
}

static void
test_dss_asic(void **state)
{
    (void)state;
    run_manifest("dss", "dss/asic", "etsi-qes");
}

/* An evidence record proves something only with its data objects, which most cases here were given in other ways. */
static void
judge_record(void *context, const json_t *row)
{
    struct tally *tally = context;
    const struct an_signature_report *first;
    struct case_result result;
    bool is_lawful = strcmp(text_of(json_object_get(row, "expected"), "verdict"), "intact") == 0, is_shown;

    if (strncmp(text_of(row, "kind"), "dss/ers-", strlen("dss/ers-")) != 0)
        return;
    run_case(verifier, row, NULL, &result);
    first = result.report.signature_count ? &result.report.signatures[0] : NULL;
    is_shown = first && first->word != AN_WORD_BROKEN && strcmp(first->sub_indication, "SIGNED_DATA_NOT_FOUND") != 0;
    if (is_lawful && !json_array_size(json_object_get(json_object_get(row, "extra"), "detached"))) {
        tally->skipped++;
        case_result_done(&result);
        return;
    }
    tally->cases++;
    if (is_shown == is_lawful) {
        tally->agreed++;
    } else {
        *(is_lawful ? &tally->wrong_rejects : &tally->wrong_accepts) += 1;
        say(is_lawful ? "WRONG REJECT" : "WRONG ACCEPT", row, text_of(json_object_get(row, "expected"), "verdict"), &result);
    }
    case_result_done(&result);
}

static void
test_records(void **state)
{
    struct tally tally = {0};

    (void)state;
    if (!vectors_folder())
        skip();
    each_case("dss", judge_record, &tally);
    printf("# evidence records: %zu without their data\n", tally.skipped);
    finish("dss/ers", &tally);
}

/* "parse" means only that it must be read; "signed" that the signature is right. */
static void
judge_cms(void *context, const json_t *row)
{
    struct tally *tally = context;
    const char *verdict = text_of(json_object_get(row, "expected"), "verdict");
    struct case_result result;

    if (getenv("ANTIN_CASE") && !strstr(text_of(row, "id"), getenv("ANTIN_CASE")))
        return;
    tally->cases++;
    run_case(verifier, row, "rfc5280", &result);
    if (strcmp(verdict, "signed") == 0)
        judge_class(tally, row, verdict, &result);
    else
        tally->agreed++; /* it came back */
    case_result_done(&result);
}

static void
test_cms(void **state)
{
    struct tally tally = {0};

    (void)state;
    if (!vectors_folder())
        skip();
    each_case("cms", judge_cms, &tally);
    finish("cms", &tally);
}

static void
judge_mail(void *context, const json_t *row)
{
    struct tally *tally = context;
    const json_t *expected = json_object_get(row, "expected");
    struct case_result result;
    bool is_valid = strcmp(text_of(expected, "verdict"), "valid") == 0;

    if (getenv("ANTIN_CASE") && !strstr(text_of(row, "id"), getenv("ANTIN_CASE")))
        return;
    tally->cases++;
    tally->lawful += is_valid;
    run_case(verifier, row, "rfc5280", &result);
    if (strcmp(result.class_, text_of(expected, "cms")) != 0) {
        tally->wrong_rejects++;
        say("CMS", row, text_of(expected, "cms"), &result);
    } else if ((result.report.indication == AN_TOTAL_PASSED) == is_valid) {
        tally->agreed++;
    } else if (is_valid) {
        tally->wrong_rejects++;
        say("WRONG REJECT", row, "valid", &result);
    } else {
        tally->wrong_accepts++;
        say("WRONG ACCEPT", row, text_of(expected, "why"), &result);
    }
    case_result_done(&result);
}

static void
test_pkits_mail(void **state)
{
    struct tally tally = {0};

    (void)state;
    if (!vectors_folder())
        skip();
    each_case("pkits-smime", judge_mail, &tally);
    finish("pkits-smime", &tally);
}

/* Odd PDFs: whatever they are, an answer comes back, and never that an unsigned file is signed and valid. */
static void
judge_odd(void *context, const json_t *row)
{
    struct tally *tally = context;
    struct case_result result;

    if (getenv("ANTIN_CASE") && !strstr(text_of(row, "id"), getenv("ANTIN_CASE")))
        return;
    tally->cases++;
    run_case(verifier, row, "cong-vu", &result);
    if (strcmp(result.class_, "no-signature") == 0 || strcmp(result.class_, "error") == 0)
        tally->agreed++;
    else
        tally->skipped++;
    if (result.code == AN_OK && result.report.indication == AN_TOTAL_PASSED) {
        tally->wrong_accepts++;
        say("PASSED WITHOUT AN ANCHOR", row, "", &result);
    }
    case_result_done(&result);
}

static void
test_robust(void **state)
{
    struct tally tally = {0};

    (void)state;
    if (!vectors_folder())
        skip();
    each_case("robust", judge_odd, &tally);
    printf("# robust: %zu files, %zu without a signature or unreadable, %zu with signatures\n", tally.cases,
           tally.agreed, tally.skipped);
    assert_int_equal(tally.wrong_accepts, 0);
}

static int
open_verifier(void **state)
{
    struct an_err err = {0};

    (void)state;
    if (an_verifier_new(NULL, &verifier, &err) == AN_OK)
        return 0;
    printf("# %s\n", err.detail);
    return -1;
}

static int
close_verifier(void **state)
{
    (void)state;
    an_verifier_free(&verifier);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interop),   cmocka_unit_test(test_pyhanko), cmocka_unit_test(test_dss_pades),
        cmocka_unit_test(test_dss_cades), cmocka_unit_test(test_dss_xades), cmocka_unit_test(test_dss_asic), cmocka_unit_test(test_records), cmocka_unit_test(test_cms),     cmocka_unit_test(test_pkits_mail),
        cmocka_unit_test(test_robust),
    };

    setvbuf(stdout, NULL, _IOLBF, 0);
    an_child_look_in(getenv("ANTIN_HELPERS"));
    if (getenv("ANTIN_TEST"))
        cmocka_set_test_filter(getenv("ANTIN_TEST"));
    return cmocka_run_group_tests(tests, open_verifier, close_verifier);
}
