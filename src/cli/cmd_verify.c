/* antin verify: one file or thousands, one process; the worst verdict is the exit status. */
#include "cli/cmd.h"

#include "cli/pool.h"
#include "cli/products.h"
#include "cli/report.h"
#include "cli/stream.h"
#include "cli/verify_setup.h"
#include "fetch/fetch.h"
#include "report/report.h"
#include "sign/sign.h"
#include "verify/online.h"

#include <unistd.h>

#define STATUS_TIMEOUT_MS 10000

struct verify_job {
    struct cli *cli;
    const struct verify_args *args;
    struct an_verifier *verifier;
    struct an_fetcher *fetcher;
    struct an_online *online;
    struct verify_setup setup;
    struct products *products;
    char **files;
    size_t count;
    int *statuses;
};

/* Where the record of a file lies: the folder itself, or one of the folders that --evidence made in it. */
static char *
find_record(const char *folder, const char *path)
{
    const char *slash = strrchr(path, '/');
    AN_CLEANUP(an_free_ptr) char *manifest = an_asprintf("%s/manifest.json", folder);

    if (access(manifest, F_OK) == 0)
        return an_strdup(folder);
    return an_asprintf("%s/%s.evidence", folder, slash != NULL ? slash + 1 : path);
}

static an_code
verify_recorded(const struct verify_job *job, const char *path, const struct an_file *file,
                struct an_evidence **ret_evidence, struct an_report *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *folder = find_record(job->args->from_evidence, path);

    AN_TRY(an_evidence_open(folder, ret_evidence, reterr));
    return an_evidence_verify(*ret_evidence, file, job->setup.password,
                              job->setup.content.fd >= 0 ? &job->setup.content : NULL, ret, reterr);
}

static void
print_answer(struct cli *cli, const char *path, const struct an_report *report, const struct an_evidence *evidence)
{
    char when[AN_TIME_TEXT_MAX] = "";

    if (evidence != NULL)
        an_time_format_vn(an_evidence_time(evidence), when);
    if (cli->json) {
        json_t *json = report_json(cli, path, report);
        if (evidence != NULL)
            json_object_set_new(
                json, "evidence",
                json_pack("{s:s, s:s, s:b}", "at", when, "policy", an_evidence_policy(evidence), "same", 1));
        report_print_json(cli->out, json);
        return;
    }
    report_text(cli, path, report);
    if (evidence != NULL)
        fprintf(cli->out, "  %s %s\n",
                SAY(cli, "Khớp với kết quả ghi trong hồ sơ lập cho thời điểm", "The same as recorded for the moment"),
                when);
}

/* A tail that nobody signed may be what a power loss left of our own signing. */
static void
note_interrupted(const char *path, struct an_report *report)
{
    AN_CLEANUP(an_free_ptr) char *journal = an_asprintf("%s" AN_SIGN_JOURNAL, path);

    if (access(journal, F_OK) != 0)
        return;
    report->notes = an_grow(report->notes, report->note_count + 1, sizeof(*report->notes));
    report->notes[report->note_count++] = AN_N_SIGN_INTERRUPTED;
}

/* Answers of one file, printed in the order of the command line whatever thread made them. */
static void
verify_one(void *context, size_t index, FILE *out)
{
    struct verify_job *job = context;
    struct cli cli = *job->cli;
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    struct an_evidence *evidence = NULL;
    struct an_report report = {0};
    struct an_err err = {0};
    const char *path = job->files[index];
    an_code code = an_file_open(path, 0, &file, &err);

    cli.out = out;
    if (code == AN_OK)
        code = job->args->from_evidence ? verify_recorded(job, path, &file, &evidence, &report, &err)
                                        : an_verify_file(job->verifier, &file, &job->setup.options, &report, &err);
    if (code == AN_OK)
        code = verify_setup_check_same(&job->setup, &err);
    if (code != AN_OK) {
        an_err_name_file(&err, path);
        job->statuses[index] = cli_fail(&cli, &err);
        an_report_done(&report);
        an_evidence_free(&evidence);
        return;
    }
    note_interrupted(path, &report);
    print_answer(&cli, path, &report, evidence);
    job->statuses[index] = (int)report.indication;
    if (job->products != NULL)
        products_add(job->products, index, path, &file, evidence ? an_evidence_time(evidence) : job->setup.options.at,
                     evidence ? an_evidence_policy(evidence) : job->setup.options.policy, &report);
    an_report_done(&report);
    an_evidence_free(&evidence);
}

static void
print_total(const struct verify_job *job)
{
    size_t tally[4] = {0};

    for (size_t i = 0; i < job->count; i++)
        tally[job->statuses[i] < 3 ? job->statuses[i] : 3]++;
    fprintf(job->cli->out, "%s: %zu TOTAL-PASSED, %zu INDETERMINATE, %zu TOTAL-FAILED, %zu %s\n",
            SAY(job->cli, "Tổng cộng", "In all"), tally[AN_TOTAL_PASSED], tally[AN_INDETERMINATE],
            tally[AN_TOTAL_FAILED], tally[3], SAY(job->cli, "không kiểm tra được", "not checked"));
}

static int
run_files(struct verify_job *job, char **argv, int count)
{
    struct an_err err = {0};
    int worst = 0;

    pool_expand(argv, count, &job->files, &job->count);
    if (job->count == 0) { /* nothing checked is not "valid" */
        an_err_set(&err, AN_E_CLI_NO_FILES, "%s", argv[0]);
        worst = cli_fail(job->cli, &err);
    }
    job->statuses = an_new_array(job->count, sizeof(*job->statuses));
    job->products = products_new(job->cli, job->args, &job->setup, job->count);
    (void)cli_regulations(job->cli); /* opened once, before the threads copy what they need of cli */
    pool_run(job->count, 1, job->args->jobs, job->cli->out, verify_one, job);
    for (size_t i = 0; i < job->count; i++)
        worst = cli_worse(worst, job->statuses[i]);
    if (job->count > 1 && !job->cli->json && !job->cli->quiet)
        print_total(job);
    if (job->products != NULL && products_write(job->products, &err) != AN_OK)
        worst = cli_worse(worst, cli_fail(job->cli, &err));
    products_free(&job->products);
    free(job->statuses);
    pool_expand_done(job->files, job->count);
    return worst;
}

static an_code
check_options(const struct verify_args *args, int count, struct an_err *reterr)
{
    if (args->online && args->offline)
        AN_FAIL(reterr, AN_E_CLI_CONFLICT, "%s", "--online --offline");
    if (args->stream && (args->report || args->refusal || args->etsi_report || args->evidence || args->from_evidence))
        AN_FAIL(reterr, AN_E_CLI_CONFLICT, "%s",
                "--stream --report|--refusal|--etsi-report|--evidence|--from-evidence");
    if (args->from_evidence && (args->trust.count || args->untrusted.count || args->crl.count || args->ocsp.count ||
                                args->at || args->policy || args->online || args->evidence))
        AN_FAIL(reterr, AN_E_CLI_CONFLICT, "%s",
                "--from-evidence --trust|--untrusted|--crl|--ocsp|--at|--policy|--online|--evidence");
    if (args->stream && count > 0)
        AN_FAIL(reterr, AN_E_CLI_CONFLICT, "%s", "--stream FILE");
    if (!args->stream && count == 0)
        AN_FAIL(reterr, AN_E_CLI_ARGUMENTS, "%s", "antin verify FILE...");
    return AN_OK;
}

static an_code
start(struct verify_job *job, an_path_fetch *ret_fetch, struct an_err *reterr)
{
    const struct verify_args *args = job->args;
    struct an_fetch_rules rules = {.allow_private = args->allow_private, .proxy = args->proxy,
                                   .ca_file = args->ca_file};

    AN_TRY(an_verifier_new(NULL, &job->verifier, reterr));
    if (!args->online)
        return AN_OK;
    AN_TRY(an_fetcher_start(&rules, &job->fetcher, reterr));
    job->online = an_online_new(job->fetcher, STATUS_TIMEOUT_MS);
    *ret_fetch = an_online_path_fetch(job->online);
    return AN_OK;
}

static int
run_stream(const struct verify_job *job, an_path_fetch fetch)
{
    struct cert_checker checker = {.verifier = job->verifier, .cache = material_cache_new(), .fetch = fetch};
    int status = stream_run(job->cli, stdin, job->args, &checker);

    material_cache_free(&checker.cache);
    return status;
}

int
cmd_verify(struct cli *cli, const void *options, char **argv, int count)
{
    const struct verify_args *args = options;
    struct verify_job job = {.cli = cli, .args = args, .setup = VERIFY_SETUP_NONE};
    an_path_fetch fetch = {0};
    struct an_err err = {0};
    int status;
    an_code code = check_options(args, count, &err);

    if (code == AN_OK)
        code = start(&job, &fetch, &err);
    if (code == AN_OK && !args->stream)
        code = verify_setup_load(args, NULL, fetch, &job.setup, &err);
    if (code != AN_OK)
        status = cli_fail(cli, &err);
    else
        status = args->stream ? run_stream(&job, fetch) : run_files(&job, argv, count);
    verify_setup_done(&job.setup);
    an_online_free(&job.online);
    an_fetcher_stop(&job.fetcher);
    an_verifier_free(&job.verifier);
    return status;
}
