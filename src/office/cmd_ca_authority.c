/* antin ca authority, officer. */
#include "base/file.h"
#include "cli/report.h"
#include "decision/decision.h"
#include "office/ca_office.h"
#include "service/instance/own_signer.h"
#include "service/certification/quorum.h"

/* A word after the command chooses what is done. */
struct verb { const char *word; int arguments; an_code (*run)(struct cli *cli, struct ca_office *o,
                                                              const struct ca_args *a, char **args,
                                                              struct an_err *reterr); };

static int
run_verb(struct cli *cli, const struct verb *verbs, size_t verb_count, const char *role, const struct ca_args *a,
         char **args, int count)
{
    struct ca_office o = {0};
    struct an_err err = {0};
    an_code code = an_err_set(&err, AN_E_CLI_ARGUMENTS, "%s", args[0]);

    for (size_t i = 0; i < verb_count; i++)
        if (strcmp(verbs[i].word, args[0]) == 0 && count == verbs[i].arguments + 1) {
            code = ca_office_look(&o, a, role, &err);
            if (code == AN_OK)
                code = verbs[i].run(cli, &o, a, args + 1, &err);
        }
    ca_office_close(&o);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

/* ---- authorities ---- */
static an_code
load_authorities(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_authorities_load(tx, context, reterr);
}

static an_code
list_authorities(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    AN_CLEANUP(an_authorities_done) struct an_authorities all = {0};

    (void)a, (void)args;
    AN_TRY(an_store_read(o->instance->store, load_authorities, &all, reterr));
    for (size_t i = 0; i < all.count; i++) {
        const struct an_authority *one = &all.items[i];
        AN_CLEANUP(an_buf_free) struct an_buf subject = an_buf_new(AN_LIMIT_CERT_BYTES);
        char until[AN_TIME_TEXT_MAX];
        an_name_text(one->cert->subject, &subject);
        if (cli->json)
            report_print_json(cli->out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:b}", "name", one->name,
                                                  "line", one->line, "kind", one->kind, "hierarchy", one->hierarchy,
                                                  "key",
                                                  one->key, "active", (int)!one->is_retired, "subject",
                                                  report_text_json(an_buf_view(&subject)), "not_after",
                                                  report_time_json(one->cert->not_after), "ocsp",
                                                  (int)(one->ocsp_cert != NULL)));
        if (cli->json)
            continue;
        fprintf(cli->out, "%-16s %-8s %-8s ", one->name, one->kind, one->hierarchy);
        cli_cell(cli->out, one->is_retired ? SAY(cli, "đã thay", "retired") : SAY(cli, "hoạt động", "active"), 10);
        fprintf(cli->out, "%.10s  %.*s\n", an_time_format_vn(one->cert->not_after, until),
                AN_FMT(an_buf_view(&subject)));
    }
    return AN_OK;
}

static an_code
write_pem(const char *path, const char *label, an_bytes der, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf pem = an_buf_new(AN_LIMIT_CERT_BYTES * 4);

    if (path == NULL)
        AN_FAIL(reterr, AN_E_CLI_REQUIRED, "--output");
    an_pem_write(&pem, label, der);
    return an_file_write(path, an_buf_view(&pem), 0644, reterr);
}

static an_code
request_authority(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf csr = an_buf_new(AN_LIMIT_CERT_BYTES);

    (void)cli;
    AN_TRY(an_authority_request(o->instance, args[0], a->common_name, &csr, reterr));
    return write_pem(a->output, "CERTIFICATE REQUEST", an_buf_view(&csr), reterr);
}

static an_code
read_der(const char *path, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_LIMIT_CERT_BYTES);
    char label[64];
    size_t at = 0;

    if (path == NULL)
        AN_FAIL(reterr, AN_E_CLI_REQUIRED, "--csr");
    AN_TRY(an_file_read(path, AN_LIMIT_CERT_BYTES, &text, reterr));
    return an_pem_next(an_buf_view(&text), &at, ret, label) ? AN_OK : an_err_set(reterr, AN_E_CSR_PARSE, "%s", path);
}

static an_code
sign_authority(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf csr = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;

    (void)cli;
    AN_TRY(read_der(a->csr, &csr, reterr));
    AN_TRY(ca_rely(o, "authority.sign", args[0], an_buf_view(&csr), reterr));
    AN_TRY(an_authority_sign(o->instance, args[0], a->profile ? a->profile : "trung-gian", an_buf_view(&csr),
                             o->reliance, &o->actor, &cert, reterr));
    return write_pem(a->output, "CERTIFICATE", cert->der, reterr);
}

static an_code
install_authority(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    AN_CLEANUP(an_cert_unref) struct an_cert *root = NULL;

    (void)cli;
    AN_TRY(ca_read_cert(a->cert, &cert, reterr));
    AN_TRY(ca_read_cert(a->root, &root, reterr));
    return an_authority_install(o->instance, args[0], a->hierarchy ? a->hierarchy : "state", cert, root, &o->actor,
                                reterr);
}

static an_code
roll_authority(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    char name[80];

    (void)a;
    AN_TRY(ca_rely(o, "authority.roll", args[0], AN_NONE, reterr));
    AN_TRY(an_authority_roll(o->instance, args[0], o->reliance, &o->actor, name, reterr));
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:s}", "name", name));
    else if (!cli->quiet)
        fprintf(cli->out, "%s\n", name);
    return AN_OK;
}

static an_code
renew(struct ca_office *o, const char *name, struct an_cert **ret, struct an_err *reterr)
{
    for (enum an_own_signer which = 0; which < AN_OWN_SIGNERS; which++)
        if (strcmp(an_own_signer_name(which), name) == 0)
            return an_own_signer_renew(o->instance, which, o->reliance, &o->actor, ret, reterr);
    return an_authority_renew(o->instance, name, o->reliance, &o->actor, ret, reterr);
}

static an_code
renew_authority(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    char until[AN_TIME_TEXT_MAX];

    (void)a;
    AN_TRY(ca_rely(o, "authority.roll", args[0], AN_NONE, reterr));
    AN_TRY(renew(o, args[0], &cert, reterr));
    an_time_format_vn(cert->not_after, until);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:s, s:s}", "name", args[0], "not_after", until));
    else if (!cli->quiet)
        fprintf(cli->out, "%s  %s  %s\n", args[0], until,
                SAY(cli, "dịch vụ đang chạy tự chuyển sang trong vài giây", "a service that runs goes over within seconds"));
    return AN_OK;
}

int
cmd_ca_authority(struct cli *cli, const void *options, char **args, int count)
{
    static const struct verb verbs[] = {{"list", 0, list_authorities}, {"request", 1, request_authority},
                                        {"sign", 1, sign_authority}, {"install", 1, install_authority},
                                        {"roll", 1, roll_authority}, {"renew", 1, renew_authority}};

    return run_verb(cli, verbs, AN_COUNT(verbs), "quan-tri", options, args, count);
}

/* ---- officers ---- */
static an_code
show_officer(void *context, const char *person, const char *role, an_bytes certificate, struct an_err *reterr)
{
    struct cli *cli = context;
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf subject = an_buf_new(AN_LIMIT_CERT_BYTES);

    AN_TRY(an_cert_parse(certificate, &cert, reterr));
    an_name_text(cert->subject, &subject);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:s, s:s, s:o, s:o}", "person", person, "role", role, "subject",
                                              report_text_json(an_buf_view(&subject)), "sha256",
                                              report_hex_json(AN_BYTES(cert->sha256, 32))));
    else
        fprintf(cli->out, "%-16s %-20s %.*s\n", person, role, AN_FMT(an_buf_view(&subject)));
    return AN_OK;
}

static an_code
list_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_officer_each(tx, show_officer, context, reterr);
}

static an_code
list_officers(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    (void)a, (void)args;
    return an_store_read(o->instance->store, list_in, cli, reterr);
}

static an_code
add_officer(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;

    (void)cli;
    if (a->role == NULL)
        AN_FAIL(reterr, AN_E_CLI_REQUIRED, "--role");
    AN_TRY(ca_read_cert(a->cert, &cert, reterr));
    AN_TRY(ca_rely(o, "officer.change", args[0], cert->der, reterr));
    return an_quorum_officer_add(o->instance, args[0], a->role, cert, o->reliance, &o->actor, reterr);
}

static an_code
end_officer(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    (void)cli, (void)a;
    AN_TRY(ca_rely(o, "officer.change", args[0], AN_NONE, reterr));
    return an_quorum_officer_end(o->instance, args[0], o->reliance, &o->actor, reterr);
}

int
cmd_ca_officer(struct cli *cli, const void *options, char **args, int count)
{
    static const struct verb verbs[] = {{"list", 0, list_officers}, {"add", 1, add_officer}, {"end", 1, end_officer}};

    return run_verb(cli, verbs, AN_COUNT(verbs), "quan-tri", options, args, count);
}
