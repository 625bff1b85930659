/* antin ca list, show, search, approvals, profiles, grounds. */
#include "base/file.h"
#include "base/utf8.h"
#include "cli/report.h"
#include "decision/decision.h"
#include "office/ca_office.h"

static const char *
status_word(const struct cli *cli, enum an_certificate_status status)
{
    static const struct { const char *vi, *en; } words[] = {{"hiệu lực", "good"}, {"thu hồi", "revoked"},
                                                            {"tạm dừng", "hold"}, {"hết hạn", "expired"}};

    return (size_t)status < AN_COUNT(words) ? SAY(cli, words[status].vi, words[status].en) : "?";
}

static json_t *
certificate_json(const struct an_certificate *c)
{
    json_t *revoked = c->revoked_at == AN_TIME_NONE ? json_null() : json_pack("{s:o, s:s, s:s}", "at",
            report_time_json(c->revoked_at), "reason", an_reason_name(c->reason), "ground", c->ground);

    return json_pack("{s:I, s:o, s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o}", "id",
                     (json_int_t)c->id, "serial", report_hex_json(c->serial), "authority", c->authority_name,
                     "profile", c->profile, "subject", c->subject, "not_before", report_time_json(c->not_before),
                     "not_after", report_time_json(c->not_after), "status",
                     an_certificate_status_name(c->status), "kind", c->kind, "subscriber", c->subscriber, "device",
                     c->device, "renewals", (json_int_t)c->renewals, "issued_at",
                     report_time_json(c->issued_at), "revoked", revoked, "matter",
                     c->matter ? json_integer(c->matter) : json_null());
}

static an_code
show_line(void *context, const struct an_certificate *c, struct an_err *reterr)
{
    struct cli *cli = context;
    AN_CLEANUP(an_buf_free) struct an_buf serial = an_buf_new(256);
    AN_CLEANUP(an_free_ptr) char *subject = an_strdup(c->subject);
    char until[AN_TIME_TEXT_MAX];

    (void)reterr;
    if (cli->json) {
        report_print_json(cli->out, certificate_json(c));
        return AN_OK;
    }
    an_buf_hex(&serial, c->serial);
    an_utf8_make_visible(subject);
    fprintf(cli->out, "%8lld  %.*s  ", (long long)c->id, AN_FMT(an_buf_view(&serial)));
    cli_cell(cli->out, status_word(cli, c->status), 11);
    fprintf(cli->out, "%.10s  %s\n", an_time_format_vn(c->not_after, until), subject);
    return AN_OK;
}

struct looking { struct cli *cli; const struct ca_args *args; const char *text; enum an_search by; };

static long
limit_of(const struct ca_args *a)
{
    return a->limit > 0 ? a->limit : 50;
}

static an_code
list_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct looking *l = context;

    return an_register_list(tx, l->args->before, limit_of(l->args), show_line, l->cli, reterr);
}

static an_code
search_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct looking *l = context;

    return an_register_search(tx, l->by, l->text, limit_of(l->args), show_line, l->cli, reterr);
}

static int
look(struct cli *cli, const struct ca_args *a, an_tx_fn work, void *context)
{
    struct ca_office o = {0};
    struct an_err err = {0};
    an_code code = ca_office_look(&o, a, "can-bo-cap-chung-thu", &err);

    if (code == AN_OK)
        code = an_store_read(o.instance->replica, work, context, &err);
    ca_office_close(&o);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

int
cmd_ca_list(struct cli *cli, const void *options, char **args, int count)
{
    struct looking l = {.cli = cli, .args = options};

    (void)args, (void)count;
    return look(cli, options, list_in, &l);
}

int
cmd_ca_search(struct cli *cli, const void *options, char **args, int count)
{
    static const char *const words[] = {[AN_SEARCH_SUBJECT] = "subject", [AN_SEARCH_AGENCY] = "agency",
                                        [AN_SEARCH_EMAIL] = "email", [AN_SEARCH_SUBSCRIBER] = "subscriber"};
    const struct ca_args *a = options;
    struct looking l = {.cli = cli, .args = a, .text = args[0]};
    struct an_err err = {0};

    (void)count;
    for (size_t i = 0; i < AN_COUNT(words); i++)
        if (strcmp(a->by ? a->by : "subject", words[i]) == 0) {
            l.by = (enum an_search)i;
            return look(cli, a, search_in, &l);
        }
    an_err_set(&err, AN_E_CLI_VALUE, "--by %s", a->by);
    return cli_fail(cli, &err);
}

/* ---- one certificate ---- */
struct showing { struct cli *cli; const char *serial; struct an_arena *arena; struct an_certificate certificate; };

static an_code
show_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct showing *s = context;
    AN_CLEANUP(an_buf_free) struct an_buf serial = an_buf_new(AN_LIMIT_SERIAL_BYTES);

    AN_TRY(an_serial_parse(s->serial, &serial, reterr));
    return an_register_find(tx, an_buf_view(&serial), s->arena, &s->certificate, reterr);
}

static void
show_certificate(struct cli *cli, const struct an_certificate *c)
{
    json_t *object = certificate_json(c), *value;
    const char *name;

    if (cli->json) {
        report_print_json(cli->out, object);
        return;
    }
    json_object_foreach(object, name, value) {
        char *text = json_is_string(value) ? an_strdup(json_string_value(value)) : json_dumps(value,
                JSON_ENCODE_ANY | JSON_COMPACT);
        an_utf8_make_visible(text);
        fprintf(cli->out, "%-12s %s\n", name, text);
        free(text);
    }
    json_decref(object);
}

int
cmd_ca_show(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_CERT_BYTES * 16);
    struct showing s = {.cli = cli, .serial = args[0], .arena = arena};
    int status = look(cli, options, show_in, &s);

    (void)count;
    if (status == 0)
        show_certificate(cli, &s.certificate);
    return status;
}

/* ---- what it rests on ---- */
struct approvals { struct showing showing; struct an_buf text; };

static an_code
approvals_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct approvals *a = context;

    an_buf_reset(&a->text);
    AN_TRY(show_in(&a->showing, tx, reterr));
    if (a->showing.certificate.matter == 0)
        AN_FAIL(reterr, AN_E_DECISION_MATTER, "%s: -", a->showing.serial);
    return an_matter_export(tx, a->showing.certificate.matter, &a->text, reterr);
}

int
cmd_ca_approvals(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_CERT_BYTES * 16);
    const struct ca_args *a = options;
    struct approvals approvals = {.showing = {.cli = cli, .serial = args[0], .arena = arena},
                                  .text = an_buf_new(AN_LIMIT_CMS_BYTES)};
    struct an_err err = {0};
    int status = look(cli, a, approvals_in, &approvals);

    (void)count;
    if (status == 0 && a->export_file != NULL && an_file_write(a->export_file, an_buf_view(&approvals.text), 0644,
                                                               &err) != AN_OK)
        status = cli_fail(cli, &err);
    else if (status == 0 && a->export_file == NULL)
        fwrite(approvals.text.ptr, 1, approvals.text.len, cli->out);
    an_buf_free(&approvals.text);
    return status;
}

/* ---- data ---- */
int
cmd_ca_profiles(struct cli *cli, const void *options, char **args, int count)
{
    struct an_profiles *profiles = NULL;
    struct an_err err = {0};

    (void)options, (void)args, (void)count;
    if (an_profiles_open(NULL, &profiles, &err) != AN_OK)
        return cli_fail(cli, &err);
    for (size_t i = 0; i < an_profiles_count(profiles); i++) {
        const struct an_profile *p = an_profiles_at(profiles, i);
        if (cli->json)
            report_print_json(cli->out, json_pack("{s:s, s:s, s:s, s:I, s:s}", "id", p->id, "vi", p->name_vi, "en",
                                                  p->name_en, "years_max", (json_int_t)p->years_max, "cite",
                                                  p->citation));
        else
            fprintf(cli->out, "%-16s %s\n", p->id, SAY(cli, p->name_vi, p->name_en));
    }
    an_profiles_free(&profiles);
    return 0;
}

static void
show_grounds(struct cli *cli, const struct an_rules *rules)
{
    for (size_t i = 0; i < an_rules_ground_count(rules); i++) {
        const struct an_ground *g = an_rules_ground_at(rules, i);
        if (cli->json)
            report_print_json(cli->out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", g->id, "vi", g->vi, "en",
                                                  g->en, "reason", an_reason_name(g->reason), "who", g->who, "for",
                                                  g->subject, "cite", g->citation));
        else
            fprintf(cli->out, "%-18s %-20s %s\n", g->id, an_reason_name(g->reason), SAY(cli, g->vi, g->en));
    }
}

int
cmd_ca_grounds(struct cli *cli, const void *options, char **args, int count)
{
    struct an_profiles *profiles = NULL;
    struct an_rules *rules = NULL;
    struct an_err err = {0};
    an_code code = an_profiles_open(NULL, &profiles, &err);

    (void)options, (void)args, (void)count;
    if (code == AN_OK)
        code = an_rules_open(profiles, &rules, &err);
    if (code == AN_OK)
        show_grounds(cli, rules);
    an_rules_free(&rules);
    an_profiles_free(&profiles);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}
