/* antin regulation list, show, check: what is in the data. */
#include "cli/report.h"
#include "office/regulation_cmd.h"
#include "regulation/decisions.h"

an_code
regulation_open(struct cli *cli, struct an_regulations **ret, struct an_err *reterr)
{
    *ret = cli_regulations(cli);
    if (*ret == NULL)
        return an_regulations_open(NULL, ret, reterr); /* again, for the reason */
    return AN_OK;
}

an_code
regulation_day(const char *text, an_time *ret, struct an_err *reterr)
{
    *ret = text ? an_time_parse(an_bytes_of_str(text)) : an_time_now();
    if (*ret == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--on %s", text);
    return AN_OK;
}

const char *
regulation_day_text(an_time utc, char buf[static 16])
{
    struct an_date date = an_date_of(utc == AN_TIME_NONE ? 0 : utc, 420);

    buf[0] = '\0';
    if (utc != AN_TIME_NONE)
        snprintf(buf, 16, "%02d/%02d/%04d", date.day % 100, date.month % 100, date.year % 10000);
    return buf;
}

/* ---- list ---- */
struct listing {
    struct cli *cli;
    an_time on;
    json_t *rows;
};

/* 1 in force, 0 not, -1 not known: another act has its place, and no text says that it ended. */
static int
act_is_in_force(const struct an_act *act, an_time on)
{
    if ((act->from_utc != AN_TIME_NONE && on < act->from_utc) || (act->to_utc != AN_TIME_NONE && on >= act->to_utc))
        return 0;
    return act->doubtful_utc != AN_TIME_NONE && on >= act->doubtful_utc ? -1 : 1;
}

static void
list_act(void *context, const struct an_act *act)
{
    struct listing *listing = context;
    struct cli *cli = listing->cli;
    char from[16], to[16];
    int in_force = act_is_in_force(act, listing->on);

    regulation_day_text(act->from_utc, from);
    regulation_day_text(act->to_utc, to);
    if (cli->json) {
        json_array_append_new(listing->rows,
                              json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s, s:o, s:s?, s:s?, s:s?}", "id", act->id,
                                        "cited",
                                        SAY(cli, act->cited_vi, act->cited_en), "title",
                                        SAY(cli, act->title_vi, act->title_en), "number",
                                        act->number, "from", from, "to", to, "in_force",
                                        in_force < 0 ? json_null() : json_boolean(in_force), "replaced_by",
                                        act->replaced_by,
                                        "replaces", act->replaces, "note", act->note));
        return;
    }
    fprintf(cli->out, "%-18s %-10s  %-10s  %s  %s\n", act->id, from, to,
            in_force > 0   ? SAY(cli, "còn hiệu lực  ", "in force    ")
            : in_force == 0 ? SAY(cli, "không hiệu lực", "not in force")
                            : SAY(cli, "không rõ      ", "not known   "),
            SAY(cli, act->cited_vi, act->cited_en));
}

int
cmd_regulation_list(struct cli *cli, const void *options, char **args, int count)
{
    const struct regulation_args *a = options;
    struct listing listing = {.cli = cli, .rows = json_array()};
    struct an_regulations *regs = NULL;
    struct an_err err = {0};
    an_code code = regulation_day(a->on, &listing.on, &err);

    (void)args;
    (void)count;
    if (code == AN_OK)
        code = regulation_open(cli, &regs, &err);
    if (code == AN_OK)
        code = an_act_each(regs, list_act, &listing, &err);
    if (code == AN_OK && cli->json)
        report_print_json(cli->out, json_incref(listing.rows));
    json_decref(listing.rows);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

/* ---- show ---- */
struct showing {
    struct cli *cli;
    struct an_regulations *regs;
    json_t *provisions, *rules, *parameters, *reminders;
};

static void
show_provision(void *context, const struct an_provision *provision)
{
    struct showing *showing = context;
    struct cli *cli = showing->cli;

    if (cli->json) {
        json_array_append_new(showing->provisions, json_pack("{s:s, s:s?, s:s?, s:b}", "citation", provision->citation,
                                                             "title",
                                                             provision->title, "says", provision->says, "binds",
                                                             provision->binds));
        return;
    }
    const char *place = strchr(provision->citation, '/');
    if (provision->title)
        fprintf(cli->out, "\n%s. %s\n", place ? place + 1 : "", provision->title);
    if (provision->says)
        fprintf(cli->out, "  %-8s %s\n", place ? place + 1 : "", provision->says);
}

static void
show_rule(void *context, const struct an_rule *rule)
{
    struct showing *showing = context;
    struct cli *cli = showing->cli;
    json_t *acts = json_array(), *cites = json_array();

    for (size_t i = 0; i < rule->act_count; i++)
        json_array_append_new(acts, json_string(rule->acts[i]));
    for (size_t i = 0; i < rule->citation_count; i++)
        json_array_append_new(cites, json_string(rule->citations[i]));
    if (cli->json) {
        json_array_append_new(showing->rules, json_pack("{s:s, s:s, s:I, s:O, s:s, s:O}", "id", rule->id, "file",
                                                        rule->regulation, "line",
                                                        (json_int_t)rule->line, "acts", acts, "says", rule->says,
                                                        "citations", cites));
    } else {
        fprintf(cli->out, "  %-30s %s:%zu ", rule->id, rule->regulation, rule->line);
        for (size_t i = 0; i < rule->act_count; i++)
            fprintf(cli->out, " %s", rule->acts[i]);
        fprintf(cli->out, "\n    %s (", rule->says);
        for (size_t i = 0; i < rule->citation_count; i++)
            fprintf(cli->out, "%s%s", i ? ", " : "", rule->citations[i]);
        fprintf(cli->out, ")\n");
    }
    json_decref(acts);
    json_decref(cites);
}

static void
show_parameter(void *context, const struct an_answer_parameter *parameter)
{
    struct showing *showing = context;
    struct cli *cli = showing->cli;

    if (cli->json)
        json_array_append_new(showing->parameters,
                              json_pack("{s:s, s:s, s:b, s:s?, s:s?}", "name", parameter->name, "value",
                                        parameter->text, "unconfirmed",
                                        parameter->unconfirmed, "citation", parameter->citation, "note",
                                        parameter->note));
    else
        fprintf(cli->out, "  %-28s %-12s %s %s\n", parameter->name, parameter->text,
                parameter->unconfirmed ? SAY(cli, "chưa xác nhận", "unconfirmed") : parameter->citation,
                parameter->note ? parameter->note : "");
}

static void
show_reminder(void *context, const struct an_reminder *reminder)
{
    struct showing *showing = context;
    struct cli *cli = showing->cli;
    json_t *to = json_array();

    for (size_t i = 0; i < reminder->to_count; i++)
        json_array_append_new(to, json_string(reminder->to[i]));
    if (cli->json)
        json_array_append_new(showing->reminders,
                              json_pack("{s:s, s:I, s:O, s:s?, s:b}", "event", reminder->event, "days_before",
                                        (json_int_t)reminder->days_before,
                                        "roles", to, "citation", reminder->citation, "unconfirmed",
                                        reminder->citation == NULL));
    else
        fprintf(cli->out, "  %3lld %s %-32s %s\n", (long long)reminder->days_before,
                SAY(cli, "ngày trước", "days before"),
                an_word_name(showing->regs, AN_WORD_EVENT, reminder->event, cli->english),
                reminder->citation ? reminder->citation : SAY(cli, "chưa xác nhận", "unconfirmed"));
    json_decref(to);
}

static void
show_head(struct cli *cli, const struct an_act *act)
{
    char from[16], to[16];

    regulation_day_text(act->from_utc, from);
    regulation_day_text(act->to_utc, to);
    fprintf(cli->out, "%s\n%s\n%s %s%s%s\n", SAY(cli, act->title_vi, act->title_en),
            SAY(cli, act->cited_vi, act->cited_en),
            SAY(cli, "Có hiệu lực từ", "In force from"), from[0] ? from : "?",
            to[0] ? SAY(cli, " đến trước ", " until before ") : "", to);
    if (act->replaces)
        fprintf(cli->out, "%s: %s\n", SAY(cli, "Thay thế", "Replaces"), act->replaces);
    if (act->replaced_by)
        fprintf(cli->out, "%s: %s\n", SAY(cli, "Được thay thế bởi", "Replaced by"), act->replaced_by);
    if (act->note)
        fprintf(cli->out, "%s: %s\n", SAY(cli, "Ghi chú", "Note"), act->note);
}

static an_code
show_all(struct showing *showing, const char *id, an_time on, struct an_err *reterr)
{
    struct cli *cli = showing->cli;
    const struct an_act *act = NULL;

    if (strcmp(id, "quoc-gia") != 0)
        AN_TRY(an_act_find(showing->regs, id, &act, reterr));
    if (act && !cli->json)
        show_head(cli, act);
    if (act)
        AN_TRY(an_provision_each(showing->regs, id, show_provision, showing, reterr));
    if (!cli->json)
        fprintf(cli->out, "\n%s\n",
                SAY(cli, "Quy tắc trong ngày (tệp của quy định trước, văn bản chung sau):",
                    "Rules of the day (the regulation's own file first, then what it inherits):"));
    AN_TRY(an_rule_each(showing->regs, id, on, show_rule, showing, reterr));
    if (!cli->json)
        fprintf(cli->out, "\n%s\n", SAY(cli, "Tham số:", "Parameters:"));
    AN_TRY(an_parameter_each(showing->regs, id, on, show_parameter, showing, reterr));
    if (!cli->json)
        fprintf(cli->out, "\n%s\n", SAY(cli, "Nhắc trước:", "Reminders:"));
    AN_TRY(an_reminder_each(showing->regs, id, on, show_reminder, showing, reterr));
    if (cli->json)
        report_print_json(cli->out,
                          json_pack("{s:s, s:s, s:O, s:O, s:O, s:O}", "id", id, "title",
                                    act ? SAY(cli, act->title_vi, act->title_en) : "",
                                    "provisions", showing->provisions, "rules", showing->rules, "parameters",
                                    showing->parameters,
                                    "reminders", showing->reminders));
    return AN_OK;
}

int
cmd_regulation_show(struct cli *cli, const void *options, char **args, int count)
{
    const struct regulation_args *a = options;
    struct showing showing = {.cli = cli, .provisions = json_array(), .rules = json_array(), .parameters = json_array(),
                              .reminders = json_array()};
    struct an_err err = {0};
    an_time on = 0;
    an_code code = regulation_day(a->on, &on, &err);

    (void)count;
    if (code == AN_OK)
        code = regulation_open(cli, &showing.regs, &err);
    if (code == AN_OK)
        code = show_all(&showing, args[0], on, &err);
    json_decref(showing.provisions);
    json_decref(showing.rules);
    json_decref(showing.parameters);
    json_decref(showing.reminders);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

/* ---- check ---- */
static void
count_act(void *context, const struct an_act *act)
{
    size_t *acts = context;

    *acts += act->id != NULL;
}

int
cmd_regulation_check(struct cli *cli, const void *options, char **args, int count)
{
    struct an_regulations *regs = NULL;
    struct an_err err = {0};
    size_t acts = 0;
    an_code code = regulation_open(cli, &regs, &err);

    (void)options;
    if (code == AN_OK && count > 0)
        code = an_regulations_add_file(regs, args[0], &err);
    if (code == AN_OK)
        code = an_regulations_check(regs, &err);
    if (code == AN_OK)
        code = an_act_each(regs, count_act, &acts, &err);
    if (code != AN_OK)
        return cli_fail(cli, &err);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:b, s:I}", "ok", 1, "acts", (json_int_t)acts));
    else if (!cli->quiet)
        fprintf(cli->out, SAY(cli, "%zu văn bản, không có lỗi\n", "%zu acts, no faults\n"), acts);
    return 0;
}
