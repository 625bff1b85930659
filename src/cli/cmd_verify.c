/* antin verify: one file or thousands, one process; the worst verdict is the exit status. */
#include "cli/cmd.h"

#include "base/file.h"
#include "cli/material.h"
#include "cli/pool.h"
#include "cli/report.h"
#include "fetch/fetch.h"
#include "verify/online.h"
#include "verify/verify.h"

#define STATUS_TIMEOUT_MS 10000

struct verify_job {
    struct cli *cli;
    struct an_verifier *verifier;
    struct an_verify_options options;
    struct an_file content;
    char **files;
    size_t count;
    int *statuses;
};

/* A failure outranks every verdict; TOTAL-FAILED outranks INDETERMINATE. */
static int
worse(int a, int b)
{
    static const int rank[] = {[AN_TOTAL_PASSED] = 0, [AN_INDETERMINATE] = 1, [AN_TOTAL_FAILED] = 2};
    int rank_a = a < 3 ? rank[a] : 3, rank_b = b < 3 ? rank[b] : 3;

    return rank_b > rank_a ? b : a;
}

/* Answers of one file, printed in the order of the command line whatever thread made them. */
static void
verify_one(void *context, size_t index, FILE *out)
{
    struct verify_job *job = context;
    struct cli cli = *job->cli;
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    struct an_report report = {0};
    struct an_err err = {0};
    const char *path = job->files[index];
    an_code code = an_file_open(path, 0, &file, &err);

    cli.out = out;
    if (code == AN_OK)
        code = an_verify_file(job->verifier, &file, &job->options, &report, &err);
    if (code != AN_OK) {
        an_err_name_file(&err, path);
        job->statuses[index] = cli_fail(&cli, &err);
        return;
    }
    if (cli.json) {
        json_t *json = report_json(&cli, path, &report);
        char *text = json_dumps(json, JSON_COMPACT);
        fprintf(out, "%s\n", text ? text : "{}");
        free(text);
        json_decref(json);
    } else {
        report_text(&cli, path, &report);
    }
    job->statuses[index] = (int)report.indication;
    an_report_done(&report);
}

static an_code
load(const struct verify_args *args, struct material *m, struct verify_job *job, struct an_secret **password, struct an_err *reterr)
{
    for (size_t i = 0; i < args->trust.count; i++)
        AN_TRY(material_certs(args->trust.items[i], &m->anchors, reterr));
    for (size_t i = 0; i < args->untrusted.count; i++)
        AN_TRY(material_certs(args->untrusted.items[i], &m->untrusted, reterr));
    for (size_t i = 0; i < args->crl.count; i++)
        AN_TRY(material_crls(args->crl.items[i], &m->crls, reterr));
    for (size_t i = 0; i < args->ocsp.count; i++)
        AN_TRY(material_ocsps(args->ocsp.items[i], &m->ocsps, reterr));
    AN_TRY(material_time(args->at, &job->options.at, reterr));
    AN_TRY(material_password(args->password_file, password, reterr));
    if (args->content != NULL)
        AN_TRY(an_file_open(args->content, 0, &job->content, reterr));
    if (args->online && args->offline)
        AN_FAIL(reterr, AN_E_CLI_CONFLICT, "%s", "--online --offline");
    return an_verifier_new(NULL, &job->verifier, reterr);
}

static void
fill_options(const struct verify_args *args, const struct material *m, const struct an_secret *password, struct verify_job *job)
{
    struct an_verify_options *o = &job->options;

    o->anchors = m->anchors.count ? &m->anchors : NULL;
    o->untrusted = &m->untrusted;
    o->crls = &m->crls;
    o->ocsps = &m->ocsps;
    o->policy = args->policy;
    o->password = password;
    o->content = job->content.bytes;
    o->content_fd = job->content.fd;
}

static int
run_files(struct verify_job *job, long threads)
{
    int worst = 0;

    job->statuses = an_new_array(job->count, sizeof(*job->statuses));
    pool_run(job->count, 1, threads, job->cli->out, verify_one, job);
    for (size_t i = 0; i < job->count; i++)
        worst = worse(worst, job->statuses[i]);
    if (job->count > 1 && !job->cli->json && !job->cli->quiet) {
        size_t tally[4] = {0};
        for (size_t i = 0; i < job->count; i++)
            tally[job->statuses[i] < 3 ? job->statuses[i] : 3]++;
        fprintf(job->cli->out, "%s: %zu TOTAL-PASSED, %zu INDETERMINATE, %zu TOTAL-FAILED, %zu %s\n", SAY(job->cli, "Tổng cộng", "In all"),
                tally[AN_TOTAL_PASSED], tally[AN_INDETERMINATE], tally[AN_TOTAL_FAILED], tally[3], SAY(job->cli, "không kiểm tra được", "not checked"));
    }
    free(job->statuses);
    return worst;
}

int
cmd_verify(struct cli *cli, const void *options, char **argv, int count)
{
    const struct verify_args *args = options;
    AN_CLEANUP(material_done) struct material material = {0};
    AN_CLEANUP(an_secret_free) struct an_secret *password = NULL;
    struct verify_job job = {.cli = cli, .content = AN_FILE_NONE, .options = {.content_fd = -1}};
    struct an_fetcher *fetcher = NULL;
    struct an_online *online = NULL;
    struct an_err err = {0};
    int status;
    an_code code = load(args, &material, &job, &password, &err);

    if (code == AN_OK && args->online) {
        struct an_fetch_rules rules = {.allow_private = args->allow_private, .proxy = args->proxy};
        code = an_fetcher_start(&rules, &fetcher, &err);
    }
    if (code != AN_OK) {
        status = cli_fail(cli, &err);
    } else {
        fill_options(args, &material, password, &job);
        if (fetcher != NULL) {
            online = an_online_new(fetcher, STATUS_TIMEOUT_MS);
            job.options.fetch = an_online_path_fetch(online);
        }
        pool_expand(argv, count, &job.files, &job.count);
        status = run_files(&job, args->jobs);
        pool_expand_done(job.files, job.count);
    }
    an_online_free(&online);
    an_fetcher_stop(&fetcher);
    an_verifier_free(&job.verifier);
    an_file_close(&job.content);
    return status;
}
