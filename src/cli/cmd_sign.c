/* antin sign: options to a session, files to jobs; batches are committed in groups and answered in order. */
#include "cli/cmd.h"

#include "base/file.h"
#include "base/program.h"
#include "base/map.h"
#include "cli/material.h"
#include "cli/pool.h"
#include "cli/report.h"
#include "fetch/fetch.h"
#include "proc/render.h"
#include "sign/sign.h"
#include "sign/timestamp.h"
#include "verify/online.h"
#include "verify/verify.h"

#include "base/time.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS_TIMEOUT_MS 5000
#define CHUNK 16                /* files a thread takes at once */
#define COMMIT_FILES 32         /* outputs synced together */
#define COMMIT_AFTER_MS 1000    /* a slow token's files are not held back longer than this */

static const char *const level_names[] = {[AN_LEVEL_B_B] = "B-B", [AN_LEVEL_B_T] = "B-T", [AN_LEVEL_B_LT] = "B-LT",
                                          [AN_LEVEL_B_LTA] = "B-LTA"};

struct sign_run {
    struct cli *cli;
    const struct sign_args *args;
    struct material material;
    struct an_certs chain;
    struct an_buf image;
    struct an_signer *signer;
    struct an_cert *cert;
    struct an_fetcher *tsa_fetcher, *status_fetcher;
    struct an_online *online;
    struct an_tsa_client tsa;
    struct an_renderer *renderer;
    struct an_verifier *verifier;
    struct an_sign_session *session;
    struct an_secret *password;
    struct an_sign_job job; /* what all files share */
    char **files, **outputs;
    size_t count;
    bool chain_anchor;
    atomic_int status, signed_count, skipped_count;
    atomic_bool stop; /* the token is gone: the files left are not tried */
};

static void
run_done(struct sign_run *r)
{
    an_sign_session_free(&r->session);
    an_verifier_free(&r->verifier);
    an_renderer_stop(&r->renderer);
    an_online_free(&r->online);
    an_fetcher_stop(&r->tsa_fetcher);
    an_fetcher_stop(&r->status_fetcher);
    an_signer_close(&r->signer);
    an_cert_unref(&r->cert);
    an_certs_done(&r->chain);
    material_done(&r->material);
    an_buf_free(&r->image);
    an_secret_free(&r->password);
    for (size_t i = 0; r->outputs != NULL && i < r->count; i++)
        free(r->outputs[i]);
    free(r->outputs);
    pool_expand_done(r->files, r->count);
}

/* ---- options ---- */

static an_code
choose(const char *text, const char *option, const char *const *words, size_t count, int *ret, struct an_err *reterr)
{
    for (size_t i = 0; i < count; i++)
        if (words[i] != NULL && strcasecmp(text, words[i]) == 0) {
            *ret = (int)i;
            return AN_OK;
        }
    AN_FAIL(reterr, AN_E_CLI_VALUE, "%s %s", option, text);
}

static an_code
read_words(const struct sign_args *a, struct an_sign_setup *setup, struct an_sign_job *job, struct an_err *reterr)
{
    static const char *const digests[] = {"sha256", "sha384", "sha512"};
    static const enum an_digest digest_ids[] = {AN_SHA256, AN_SHA384, AN_SHA512};
    static const char *const secrecies[] = {"thuong", "mat", "toi-mat", "tuyet-mat"};
    static const char *const copies[] = {"sao-y", "sao-luc", "trich-sao"};
    static const char *const certify[] = {"0", "1", "2", "3"};
    int at = a->tsa ? AN_LEVEL_B_T : AN_LEVEL_B_B;

    if (a->level)
        AN_TRY(choose(a->level, "--level", level_names, AN_COUNT(level_names), &at, reterr));
    setup->level = (enum an_level)at;
    at = 0;
    if (a->secrecy)
        AN_TRY(choose(a->secrecy, "--secrecy", secrecies, AN_COUNT(secrecies), &at, reterr));
    setup->secret = at > 0;
    if (a->copy_kind)
        AN_TRY(choose(a->copy_kind, "--copy-kind", copies, AN_COUNT(copies), &at, reterr));
    if (a->digest) {
        AN_TRY(choose(a->digest, "--digest", digests, AN_COUNT(digests), &at, reterr));
        setup->digest = digest_ids[at];
    }
    at = 0;
    if (a->certify)
        AN_TRY(choose(a->certify, "--certify", certify, AN_COUNT(certify), &at, reterr));
    job->certify = at;
    setup->use_pss = a->pss;
    setup->number = a->number;
    setup->copy_kind = a->copy_kind;
    setup->agency = a->agency;
    setup->near_text = a->near_text;
    setup->font_path = a->font;
    setup->seal_diameter_mm = a->seal_diameter_mm;
    setup->on_tsa_failure = a->allow_downgrade ? AN_TSA_DOWNGRADE : AN_TSA_FAIL;
    return AN_OK;
}

static an_code
read_rect(const struct sign_args *a, struct an_sign_job *job, struct an_err *reterr)
{
    int used = 0;

    if (a->rect == NULL)
        return AN_OK;
    if (sscanf(a->rect, "%lf,%lf,%lf,%lf%n", &job->x, &job->y, &job->w, &job->h, &used) != 4 || a->rect[used] != '\0' ||
        a->page < -1)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--rect %s", a->rect);
    job->has_rect = true;
    job->page_index = a->page == -1 ? SIZE_MAX : a->page > 0 ? (size_t)(a->page - 1) : 0;
    return AN_OK;
}

/* ---- material ---- */

/* Without --trust the topmost certificate that the person gave with --chain is what the person trusts; it is said. */
static void
anchor_from_chain(struct sign_run *r)
{
    struct an_cert *top = NULL;

    if (r->args->trust.count > 0)
        return;
    for (size_t i = 0; i < r->chain.count && (top == NULL || !top->self_issued); i++)
        if (r->chain.items[i]->self_issued || top == NULL || an_name_eq(top->issuer, r->chain.items[i]->subject))
            top = r->chain.items[i];
    if (top != NULL) {
        an_certs_add(&r->material.anchors, top);
        r->chain_anchor = true;
    }
}

static an_code
load_material(struct sign_run *r, struct an_err *reterr)
{
    const struct sign_args *a = r->args;

    for (size_t i = 0; i < a->chain.count; i++)
        AN_TRY(material_certs(a->chain.items[i], &r->chain, reterr));
    for (size_t i = 0; i < a->trust.count; i++)
        AN_TRY(material_certs(a->trust.items[i], &r->material.anchors, reterr));
    for (size_t i = 0; i < a->crl.count; i++)
        AN_TRY(material_crls(a->crl.items[i], &r->material.crls, reterr));
    for (size_t i = 0; i < a->ocsp.count; i++)
        AN_TRY(material_ocsps(a->ocsp.items[i], &r->material.ocsps, reterr));
    AN_TRY(material_password(a->password_file, &r->password, reterr));
    if (a->image != NULL)
        AN_TRY(an_file_read(a->image, AN_LIMIT_PNG_BYTES, &r->image, reterr));
    anchor_from_chain(r);
    return AN_OK;
}

static an_code
open_key(struct sign_run *r, struct an_err *reterr)
{
    const struct sign_args *a = r->args;
    struct an_pin_source pin = a->pin_file ? an_pin_from_file(a->pin_file) : an_pin_from_terminal();
    AN_CLEANUP(an_certs_done) struct an_certs given = {0};

    if (a->key == NULL)
        AN_FAIL(reterr, AN_E_CLI_NO_VALUE, "%s", "--key URI");
    if (a->cert != NULL)
        AN_TRY(material_certs(a->cert, &given, reterr)); /* before the PIN is asked for */
    AN_TRY(an_signer_open(a->key, pin, &r->signer, reterr));
    for (size_t i = 0; i < given.count && r->cert == NULL; i++)
        if (an_bytes_eq(given.items[i]->spki, an_signer_spki(r->signer)))
            r->cert = an_cert_ref(given.items[i]);
    if (r->cert == NULL && given.count > 0)
        r->cert = an_cert_ref(given.items[0]); /* the session names the mismatch */
    for (size_t i = 0; i < given.count; i++)
        if (given.items[i] != r->cert)
            an_certs_add(&r->chain, given.items[i]);
    if (r->cert == NULL && an_signer_info(r->signer)->certificate.len)
        AN_TRY(an_cert_parse(an_signer_info(r->signer)->certificate, &r->cert, reterr));
    return AN_OK;
}

static bool
names_addresses(const struct an_cert *cert)
{
    AN_CLEANUP(an_buf_free) struct an_buf uri = an_buf_new(2048);

    return an_cert_crl_uri(cert, 0, &uri) || an_cert_aia_uri(cert, "1.3.6.1.5.5.7.48.1", 0, &uri);
}

/* Network helpers are started only when something will ask them. */
static an_code
start_network(struct sign_run *r, struct an_sign_setup *setup, struct an_err *reterr)
{
    const struct sign_args *a = r->args;
    /* the person named this address */
    struct an_fetch_rules tsa_rules = {.allow_private = true, .proxy = a->proxy, .ca_file = a->ca_file};
    struct an_fetch_rules rules = {.allow_private = a->allow_private, .proxy = a->proxy, .ca_file = a->ca_file};
    bool has_status = a->crl.count + a->ocsp.count > 0;

    if (a->tsa != NULL && setup->level >= AN_LEVEL_B_T) {
        AN_TRY(an_fetcher_start(&tsa_rules, &r->tsa_fetcher, reterr));
        r->tsa = (struct an_tsa_client){.fetcher = r->tsa_fetcher, .url = a->tsa,
                                        .timeout_ms = (uint64_t)(a->tsa_timeout > 0 ? a->tsa_timeout : 0) * 1000};
        setup->time_stamp = an_tsa_client_stamp;
        setup->time_stamp_context = &r->tsa;
    }
    if (!a->offline && r->cert != NULL && names_addresses(r->cert) && (!has_status || setup->level >= AN_LEVEL_B_LT)) {
        AN_TRY(an_fetcher_start(&rules, &r->status_fetcher, reterr));
        r->online = an_online_new(r->status_fetcher, STATUS_TIMEOUT_MS);
        setup->fetch = an_online_path_fetch(r->online);
    }
    return AN_OK;
}

static an_code
start_helpers(struct sign_run *r, struct an_sign_setup *setup, struct an_err *reterr)
{
    bool by_text = setup->look != NULL && setup->look->place != AN_LOOK_OVER_SIGNATURE_LEFT &&
        setup->look->place != AN_LOOK_NO_PLACE && !r->job.has_rect;

    if (setup->look != NULL && setup->look->requires_person_first)
        AN_TRY(an_verifier_new(NULL, &r->verifier, reterr));
    if (by_text)
        AN_TRY(an_renderer_start(0, &r->renderer, reterr));
    setup->renderer = r->renderer;
    setup->verifier = r->verifier;
    return AN_OK;
}

static an_code
open_session(struct sign_run *r, struct an_err *reterr)
{
    struct an_sign_setup setup = {.revocation = AN_REVOCATION_IF_AVAILABLE};
    struct an_regulations *regs;

    AN_TRY(read_words(r->args, &setup, &r->job, reterr));
    AN_TRY(read_rect(r->args, &r->job, reterr));
    if (r->args->look != NULL) {
        regs = cli_regulations(r->cli);
        if (regs == NULL)
            AN_TRY(an_regulations_open(NULL, &regs, reterr));
        AN_TRY(an_look_find(regs, r->args->regulation, r->args->look, &setup.look, reterr));
    } else if (r->args->image != NULL) {
        AN_FAIL(reterr, AN_E_CLI_NO_VALUE, "%s", "--look ID (--image)");
    }
    AN_TRY(load_material(r, reterr));
    AN_TRY(open_key(r, reterr));
    AN_TRY(start_network(r, &setup, reterr));
    AN_TRY(start_helpers(r, &setup, reterr));
    setup.signer = r->signer;
    setup.cert = r->cert;
    setup.chain = &r->chain;
    setup.anchors = &r->material.anchors;
    setup.crls = &r->material.crls;
    setup.ocsps = &r->material.ocsps;
    setup.image_png = an_buf_view(&r->image);
    r->job.password = r->password;
    r->job.field = r->args->field;
    r->job.in_place = r->args->in_place;
    return an_sign_session_new(&setup, &r->session, reterr);
}

/* ---- outputs ---- */

static char *
output_name(const struct sign_args *a, const char *in)
{
    const char *base = strrchr(in, '/') ? strrchr(in, '/') + 1 : in;

    if (a->in_place)
        return an_strdup(in);
    if (a->out_dir != NULL)
        return an_asprintf("%s/%s%s", a->out_dir, base, a->format &&
                           strcmp(a->format, "cades") == 0 ? (a->attached ? ".p7m" : ".p7s") : "");
    return an_strdup(a->output);
}

static an_code
name_outputs(struct sign_run *r, struct an_err *reterr)
{
    struct an_map *seen;
    an_code code = AN_OK;
    const struct sign_args *a = r->args;
    struct stat st;

    if (!a->in_place && (a->output != NULL) == (a->out_dir != NULL))
        AN_FAIL(reterr, AN_E_CLI_CONFLICT, "%s", "-o OUT | --out-dir DIR | --in-place");
    if (r->count == 0)
        AN_FAIL(reterr, AN_E_CLI_NO_FILES, "%s", "IN.pdf");
    if (a->output != NULL && r->count > 1)
        AN_FAIL(reterr, AN_E_CLI_CONFLICT, "-o %s: %zu", a->output, r->count);
    if (a->output != NULL && stat(a->output, &st) == 0 && S_ISDIR(st.st_mode))
        return an_err_set_errno(reterr, AN_E_FILE_CREATE, EISDIR, "%s", a->output);
    if (a->out_dir != NULL)
        AN_TRY(an_dir_make(a->out_dir, false, reterr));
    r->outputs = an_new_array(r->count, sizeof(*r->outputs));
    seen = an_map_new();
    for (size_t i = 0; i < r->count && code == AN_OK; i++) {
        r->outputs[i] = output_name(a, r->files[i]);
        if (an_map_find(seen, an_bytes_of_str(r->outputs[i])) != NULL)
            code = an_err_set(reterr, AN_E_CLI_SAME_OUTPUT, "%s", r->outputs[i]);
        an_map_put(seen, an_bytes_of_str(r->outputs[i]), r->files[i]);
    }
    an_map_free(&seen);
    return code;
}

/* An earlier run's finished output: longer than the input and beginning with its bytes. Outputs appear whole or not at
 * all, so nothing else needs to be remembered. */
static bool
is_finished(const char *in, const char *out)
{
    AN_CLEANUP(an_file_close) struct an_file a = AN_FILE_NONE;
    AN_CLEANUP(an_file_close) struct an_file b = AN_FILE_NONE;

    return an_file_open(in, 0, &a, NULL) == AN_OK && an_file_open(out, 0, &b, NULL) == AN_OK &&
           b.bytes.len > a.bytes.len &&
           memcmp(a.bytes.ptr, b.bytes.ptr, a.bytes.len) == 0;
}

/* ---- one file, one chunk ---- */

struct pending {
    size_t index;
    struct an_sign_result result;
    struct an_output output;
};

static void
say_signed(struct sign_run *r, const struct pending *p, FILE *out)
{
    const struct an_sign_result *s = &p->result;
    char time[AN_TIME_TEXT_MAX];
    json_t *line;
    char *text;

    atomic_fetch_add(&r->signed_count, 1);
    an_time_format_vn(s->signing_time, time);
    if (!r->cli->json) {
        if (!r->cli->quiet)
            fprintf(out, "%s → %s: %s %s, %s\n", r->files[p->index], r->outputs[p->index],
                    SAY(r->cli, "đã ký", "signed"), level_names[s->level], time);
        for (size_t i = 0; i < s->warning_count; i++)
            fprintf(out, "  ! %s\n", SAY(r->cli, an_message_find(s->warnings[i])->vi,
                                         an_message_find(s->warnings[i])->en));
        return;
    }
    line = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:[f, f, f, f], s:o}", "file", r->files[p->index], "output",
                     r->outputs[p->index],
                     "status", "signed", "level", level_names[s->level], "signing_time", time, "bytes_added",
                     (json_int_t)s->bytes_added,
                     "page", (int)s->page_index + 1, "rect", s->x, s->y, s->w, s->h, "warnings",
                     report_codes_json(s->warnings, s->warning_count));
    text = json_dumps(line, JSON_COMPACT);
    fprintf(out, "%s\n", text ? text : "{}");
    free(text);
    json_decref(line);
}

static void
say_failed(struct sign_run *r, const struct an_err *err, FILE *out)
{
    struct cli cli = *r->cli;
    int expected = 0, status;

    cli.out = out;
    status = cli_fail(&cli, err);
    atomic_compare_exchange_strong(&r->status, &expected, status);
    if (err->code == AN_E_TOKEN_REMOVED || err->code == AN_E_PIN_LOCKED || err->code == AN_E_PIN_WRONG)
        atomic_store(&r->stop, true);
}

/* Syncs and names a group of finished files; only then are they said to be signed. */
static void
commit(struct sign_run *r, struct pending *group, size_t *count, FILE *out)
{
    struct an_output *outs[COMMIT_FILES];
    struct an_err err = {0};
    an_code code = AN_OK;

    for (size_t i = 0; i < *count; i++)
        outs[i] = &group[i].output;
    if (*count > 0 && !r->args->in_place)
        code = an_output_commit_group(outs, *count, &err);
    for (size_t i = 0; i < *count; i++) {
        if (code == AN_OK || group[i].output.temporary == NULL)
            say_signed(r, &group[i], out);
        else
            say_failed(r, &err, out);
        an_output_discard(&group[i].output);
    }
    *count = 0;
}

static void
sign_one(struct sign_run *r, size_t index, struct pending *group, size_t *count, FILE *out)
{
    struct pending *p = &group[*count];
    struct an_sign_job job = r->job;
    struct an_err err = {0};
    bool cades = r->args->format != NULL && strcmp(r->args->format, "cades") == 0;
    an_code code;

    *p = (struct pending){.index = index, .output = AN_OUTPUT_NONE};
    job.in_path = r->files[index];
    job.out_path = r->outputs[index];
    job.defer = &p->output;
    code = cades ? an_sign_cades(r->session, job.in_path, job.out_path, r->args->attached, &p->result, &err)
                 : an_sign_pdf(r->session, &job, &p->result, &err);
    if (code != AN_OK) {
        an_err_name_file(&err, job.in_path);
        say_failed(r, &err, out);
    } else if (cades) {
        say_signed(r, p, out);
    } else {
        (*count)++;
    }
}

static void
sign_chunk(void *context, size_t chunk, FILE *out)
{
    struct sign_run *r = context;
    struct pending group[COMMIT_FILES];
    size_t count = 0, end = (chunk + 1) * CHUNK < r->count ? (chunk + 1) * CHUNK : r->count;
    uint64_t since = an_time_monotonic_ms();

    for (size_t i = chunk * CHUNK; i < end; i++) {
        if (atomic_load(&r->stop) || pool_interrupted())
            break;
        if (r->args->resume && is_finished(r->files[i], r->outputs[i])) {
            atomic_fetch_add(&r->skipped_count, 1);
            continue;
        }
        sign_one(r, i, group, &count, out);
        if (count == COMMIT_FILES || an_time_monotonic_ms() - since > COMMIT_AFTER_MS) {
            commit(r, group, &count, out);
            since = an_time_monotonic_ms();
        }
    }
    commit(r, group, &count, out);
}

static int
summary(struct sign_run *r)
{
    size_t done = (size_t)atomic_load(&r->signed_count) + (size_t)atomic_load(&r->skipped_count);
    int status = atomic_load(&r->status);
    struct an_err err = {0};

    if (r->count > 1 && !r->cli->json && !r->cli->quiet)
        fprintf(r->cli->out, "%s: %d/%zu%s%d\n", SAY(r->cli, "Đã ký", "Signed"), atomic_load(&r->signed_count),
                r->count,
                SAY(r->cli, ", đã có từ trước: ", ", finished earlier: "), atomic_load(&r->skipped_count));
    if (done < r->count && (pool_interrupted() || atomic_load(&r->stop))) {
        an_err_set(&err, AN_E_CLI_INTERRUPTED, "%zu / %zu", done, r->count);
        cli_fail(r->cli, &err);
        if (status == 0)
            status = cli_exit_status(err.code);
    }
    return status;
}

int
cmd_sign(struct cli *cli, const void *options, char **argv, int argc)
{
    AN_CLEANUP(run_done) struct sign_run r = {.cli = cli, .args = options, .image = an_buf_new(AN_LIMIT_PNG_BYTES)};
    struct an_err err = {0};
    an_code code;
    long jobs = r.args->jobs;

    pool_expand(argv, argc, &r.files, &r.count);
    code = name_outputs(&r, &err);
    if (code == AN_OK)
        code = open_session(&r, &err);
    if (code != AN_OK)
        return cli_fail(cli, &err);
    if (r.chain_anchor && !cli->quiet && !cli->json)
        fprintf(stderr, "antin: %s\n", SAY(cli, an_message_find(AN_N_SIGN_CHAIN_ANCHOR)->vi,
                                           an_message_find(AN_N_SIGN_CHAIN_ANCHOR)->en));
    if (jobs <= 0)
        jobs = (long)an_cores();
    if ((size_t)jobs > an_signer_info(r.signer)->sessions_max + 1)
        jobs = (long)an_signer_info(r.signer)->sessions_max + 1; /* one prepares the next file while the token signs */
    (void)cli_regulations(cli); /* opened once, before the threads copy what they need of cli */
    pool_run((r.count + CHUNK - 1) / CHUNK, r.count > CHUNK ? CHUNK : r.count, jobs, cli->out, sign_chunk, &r);
    return summary(&r);
}
