/* antin ca lint, ca checks. */
#include "base/file.h"
#include "ca/lint.h"
#include "cli/report.h"
#include "office/ca_office.h"

static const char *const severity_names[] = {"error", "warning", "note"};

struct linting { struct cli *cli; const char *file; json_t *findings; size_t counts[3]; };

static void
tell(void *context, const struct an_lint *lint)
{
    struct linting *l = context;

    l->counts[lint->severity]++;
    if (l->cli->json)
        json_array_append_new(l->findings, json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", lint->id, "severity",
                                                     severity_names[lint->severity], "source", lint->source, "vi",
                                                     lint->vi, "en", lint->en));
    else
        fprintf(l->cli->out, "%s: %s %s: %s (%s)\n", l->file, severity_names[lint->severity], lint->id,
                SAY(l->cli, lint->vi, lint->en), lint->source);
}

static an_code
lint_file(struct linting *l, const struct an_lint_plan *plan, struct an_err *reterr)
{
    static void (*const lints[])(an_bytes der, const struct an_lint_plan *plan) = {
        [AN_LINT_ANY] = NULL, [AN_LINT_CERT] = an_lint_cert, [AN_LINT_CRL] = an_lint_crl,
        [AN_LINT_OCSP] = an_lint_ocsp, [AN_LINT_TOKEN] = an_lint_token,
    };
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CRL_BYTES);
    enum an_lint_kind kind;
    char label[64];
    size_t at = 0;
    an_bytes bytes;

    AN_TRY(an_file_open(l->file, AN_LIMIT_CRL_BYTES, &file, reterr));
    bytes = file.bytes;
    /* DER is linted as it stands, with whatever is wrong with it; only PEM is decoded. */
    if (bytes.len > 0 && bytes.ptr[0] != AN_DER_SEQUENCE && an_pem_next(bytes, &at, &der, label))
        bytes = an_buf_view(&der);
    kind = an_lint_guess(bytes);
    if (kind == AN_LINT_ANY)
        AN_FAIL(reterr, AN_E_CA_LINT_KIND, "%s", l->file);
    lints[kind](bytes, plan);
    return AN_OK;
}

static void
sum_up(struct linting *l)
{
    if (l->cli->json)
        report_print_json(l->cli->out, json_pack("{s:s, s:o, s:I, s:I}", "file", l->file, "findings", l->findings,
                                                 "errors", (json_int_t)l->counts[AN_LINT_ERROR], "warnings",
                                                 (json_int_t)l->counts[AN_LINT_WARNING]));
    else
        json_decref(l->findings);
    if (!l->cli->json && l->counts[AN_LINT_ERROR] + l->counts[AN_LINT_WARNING] == 0)
        fprintf(l->cli->out, "%s: %s\n", l->file, SAY(l->cli, "đạt", "passed"));
}

static int
lint_all(struct cli *cli, const struct ca_args *a, const struct an_lint_plan *base, char **args, int count)
{
    int worst = 0;

    for (int i = 0; i < count; i++) {
        struct linting l = {.cli = cli, .file = args[i], .findings = json_array()};
        struct an_lint_plan plan = *base;
        struct an_err err = {0};
        plan.each = tell;
        plan.context = &l;
        if (lint_file(&l, &plan, &err) != AN_OK) {
            an_err_name_file(&err, args[i]);
            json_decref(l.findings);
            worst = cli_fail(cli, &err);
            continue;
        }
        sum_up(&l);
        if (worst == 0 && (l.counts[AN_LINT_ERROR] > 0 || (a->strict && l.counts[AN_LINT_WARNING] > 0)))
            worst = 1;
    }
    return worst;
}

/* Exit status: 0 passed, 1 something was found, 64 and up: could not be looked at. */
int
cmd_ca_lint(struct cli *cli, const void *options, char **args, int count)
{
    const struct ca_args *a = options;
    AN_CLEANUP(an_cert_unref) struct an_cert *issuer = NULL;
    struct an_profiles *profiles = NULL;
    struct an_lint_plan plan = {0};
    struct an_err err = {0};
    an_code code = AN_OK;
    int status;

    if (a->profile != NULL)
        code = an_profiles_open(NULL, &profiles, &err);
    if (code == AN_OK && a->profile != NULL)
        code = an_profiles_find(profiles, a->profile, &plan.profile, &err);
    if (code == AN_OK && a->issuer != NULL)
        code = ca_read_cert(a->issuer, &issuer, &err);
    plan.issuer = issuer;
    status = code == AN_OK ? lint_all(cli, a, &plan, args, count) : cli_fail(cli, &err);
    an_profiles_free(&profiles);
    return status;
}

int
cmd_ca_checks(struct cli *cli, const void *options, char **args, int count)
{
    (void)options, (void)args, (void)count;
    for (size_t i = 0; i < an_lint_count(); i++) {
        const struct an_lint *lint = an_lint_at(i);
        if (cli->json)
            report_print_json(cli->out, json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", lint->id, "severity",
                                                  severity_names[lint->severity], "source", lint->source, "vi",
                                                  lint->vi, "en", lint->en));
        else
            fprintf(cli->out, "%-26s %-8s %-28s %s\n", lint->id, severity_names[lint->severity], lint->source,
                    SAY(cli, lint->vi, lint->en));
    }
    return 0;
}
