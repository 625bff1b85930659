/* The report: rows that stay where they are, findings, names of sub-indications. */
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "verify/internal.h"

static const char *const sub_names[] = {
    [AN_SUB_NONE] = "",
    [AN_SUB_FORMAT_FAILURE] = "FORMAT_FAILURE",
    [AN_SUB_HASH_FAILURE] = "HASH_FAILURE",
    [AN_SUB_SIG_CRYPTO_FAILURE] = "SIG_CRYPTO_FAILURE",
    [AN_SUB_REVOKED] = "REVOKED",
    [AN_SUB_EXPIRED] = "EXPIRED",
    [AN_SUB_NOT_YET_VALID] = "NOT_YET_VALID",
    [AN_SUB_SIG_CONSTRAINTS_FAILURE] = "SIG_CONSTRAINTS_FAILURE",
    [AN_SUB_CHAIN_CONSTRAINTS_FAILURE] = "CHAIN_CONSTRAINTS_FAILURE",
    [AN_SUB_CERTIFICATE_CHAIN_GENERAL_FAILURE] = "CERTIFICATE_CHAIN_GENERAL_FAILURE",
    [AN_SUB_CRYPTO_CONSTRAINTS_FAILURE] = "CRYPTO_CONSTRAINTS_FAILURE",
    [AN_SUB_CRYPTO_CONSTRAINTS_FAILURE_NO_POE] = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
    [AN_SUB_TIMESTAMP_ORDER_FAILURE] = "TIMESTAMP_ORDER_FAILURE",
    [AN_SUB_NO_SIGNING_CERTIFICATE_FOUND] = "NO_SIGNING_CERTIFICATE_FOUND",
    [AN_SUB_NO_CERTIFICATE_CHAIN_FOUND] = "NO_CERTIFICATE_CHAIN_FOUND",
    [AN_SUB_NO_CERTIFICATE_CHAIN_FOUND_NO_POE] = "NO_CERTIFICATE_CHAIN_FOUND_NO_POE",
    [AN_SUB_REVOKED_NO_POE] = "REVOKED_NO_POE",
    [AN_SUB_REVOKED_CA_NO_POE] = "REVOKED_CA_NO_POE",
    [AN_SUB_OUT_OF_BOUNDS_NO_POE] = "OUT_OF_BOUNDS_NO_POE",
    [AN_SUB_OUT_OF_BOUNDS_NOT_REVOKED] = "OUT_OF_BOUNDS_NOT_REVOKED",
    [AN_SUB_NO_POE] = "NO_POE",
    [AN_SUB_TRY_LATER] = "TRY_LATER",
    [AN_SUB_SIGNED_DATA_NOT_FOUND] = "SIGNED_DATA_NOT_FOUND",
    [AN_SUB_GENERIC] = "GENERIC",
};

const char *
an_sub_name(enum an_sub sub)
{
    AN_ASSERT((size_t)sub < AN_COUNT(sub_names));
    return sub_names[sub];
}

void
an_report_note(struct an_job *job, an_code note)
{
    struct an_report *report = job->report;

    for (size_t i = 0; i < report->note_count; i++)
        if (report->notes[i] == note)
            return;
    report->notes = an_grow(report->notes, report->note_count + 1, sizeof(*report->notes));
    report->notes[report->note_count++] = note;
}

struct an_signature_report *
an_report_signature(struct an_job *job)
{
    struct an_report *report = job->report;
    struct an_signature_report *row;

    /* Room for all rows was made by the reader (an_report_reserve): cases keep pointers to them. */
    AN_ASSERT(report->signature_count < job->report_capacity);
    row = &report->signatures[report->signature_count++];
    *row = (struct an_signature_report){
        .indication = AN_INDETERMINATE, .sub_indication = "GENERIC", .word = AN_WORD_NOT_ENOUGH, .level = "",
        .format = "", .coverage = "none", .claimed_time = AN_TIME_NONE, .best_time = AN_TIME_NONE,
    };
    return row;
}

void
an_report_reserve(struct an_job *job, size_t count)
{
    /* Several signature files of one container: each has finished with its rows before the next one asks. */
    job->report_capacity = job->report->signature_count + count;
    job->report->signatures =
        an_grow(job->report->signatures, job->report_capacity, sizeof(*job->report->signatures));
}

void
an_finding_add(struct an_signature_report *report, const char *rule, enum an_finding_status status, an_code code,
               const char *fmt, ...)
{
    char detail[AN_DETAIL_MAX];
    struct an_finding *finding;
    va_list args;

    va_start(args, fmt);
    vsnprintf(detail, sizeof(detail), fmt, args);
    va_end(args);
    an_utf8_make_visible(detail);
    report->findings = an_grow(report->findings, report->finding_count + 1, sizeof(*report->findings));
    finding = &report->findings[report->finding_count++];
    *finding = (struct an_finding){.rule = rule, .status = status, .code = code, .detail = an_strdup(detail)};
}

struct an_modification *
an_modification_add(struct an_signature_report *report)
{
    struct an_modification *row;

    report->modifications =
        an_grow(report->modifications, report->modification_count + 1, sizeof(*report->modifications));
    row = &report->modifications[report->modification_count++];
    *row = (struct an_modification){.class_name = ""};
    return row;
}

static void
signature_done(struct an_signature_report *row)
{
    free(row->field);
    free(row->signer);
    an_cert_unref(&row->cert);
    for (size_t i = 0; i < row->modification_count; i++)
        free(row->modifications[i].what);
    free(row->modifications);
    for (size_t i = 0; i < row->finding_count; i++)
        free(row->findings[i].detail);
    free(row->findings);
    for (size_t i = 0; i < row->chain_count; i++)
        an_cert_unref(&row->chain[i]);
    free(row->chain);
    for (size_t i = 0; i < row->time_stamp_count; i++)
        free(row->time_stamps[i].tsa), free(row->time_stamps[i].token);
    free(row->time_stamps);
    free(row->value);
    an_fact_revoked_done(&row->revoked);
    an_cert_unref(&row->crypto.cert);
}

void
an_report_done(struct an_report *report)
{
    for (size_t i = 0; i < report->signature_count; i++)
        signature_done(&report->signatures[i]);
    free(report->signatures);
    free(report->notes);
    an_keep_done(report);
    *report = (struct an_report){.word = AN_WORD_NOT_ENOUGH};
}

/* The worst of several: failed before indeterminate before passed. */
static int
badness(enum an_indication indication)
{
    return indication == AN_TOTAL_FAILED ? 2 : indication == AN_INDETERMINATE ? 1 : 0;
}

static int
word_badness(enum an_clerk_word word)
{
    static const int order[] = {[AN_WORD_VALID] = 0, [AN_WORD_VALID_WITH_CHANGES] = 1, [AN_WORD_NOT_ENOUGH] = 2,
                                [AN_WORD_MODIFIED] = 3, [AN_WORD_BROKEN] = 4};

    return order[word];
}

/* Names come from certificates and files, that is from whoever made them. */
static void
make_visible(struct an_signature_report *row)
{
    an_utf8_make_visible(row->field);
    an_utf8_make_visible(row->signer);
    for (size_t i = 0; i < row->time_stamp_count; i++)
        an_utf8_make_visible(row->time_stamps[i].tsa);
    for (size_t i = 0; i < row->modification_count; i++)
        an_utf8_make_visible(row->modifications[i].what);
}

static bool
has_signature(const struct an_report *report)
{
    for (size_t i = 0; i < report->signature_count; i++)
        if (!report->signatures[i].is_time_stamp)
            return true;
    return false;
}

/* A time-stamp or record that is broken proves nothing; anybody can lay one beside a good signature, which it does not
 * break. It is not passed over either. A counter-signature that is wrong speaks for a person who did not sign: it
 * counts in full. */
static void
add_row(struct an_report *report, const struct an_signature_report *row, bool is_lenient)
{
    bool is_doubt = is_lenient && row->is_time_stamp && row->word == AN_WORD_BROKEN;
    enum an_indication indication = is_doubt ? AN_INDETERMINATE : row->indication;
    enum an_clerk_word word = is_doubt ? AN_WORD_NOT_ENOUGH : row->word;

    if (badness(indication) > badness(report->indication))
        report->indication = indication;
    if (word_badness(word) > word_badness(report->word))
        report->word = word;
}

void
an_report_conclude(struct an_report *report)
{
    bool is_lenient = has_signature(report);

    report->indication = AN_TOTAL_PASSED;
    report->word = AN_WORD_VALID;
    for (size_t i = 0; i < report->signature_count; i++) {
        make_visible(&report->signatures[i]);
        add_row(report, &report->signatures[i], is_lenient);
    }
}
