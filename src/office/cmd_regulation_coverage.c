/* antin regulation coverage: every binding clause has a rule and a tried decision, or a reason why not. */
#include "cli/report.h"
#include "office/regulation_cmd.h"
#include "regulation/decisions.h"

struct tally {
    struct cli *cli;
    const char *regulation;
    bool only_missing;
    size_t binding, carried, listed, missing;
    json_t *clauses;
};

static void
count_clause(void *context, const struct an_coverage *coverage)
{
    struct tally *tally = context;
    struct cli *cli = tally->cli;
    bool is_carried = coverage->rules > 0 && coverage->rows > 0, is_missing = !is_carried && !coverage->not_carried;

    tally->binding++;
    tally->carried += is_carried;
    tally->listed += !is_carried && coverage->not_carried;
    tally->missing += is_missing;
    if (tally->only_missing && !is_missing)
        return;
    if (cli->json)
        json_array_append_new(tally->clauses, json_pack("{s:s, s:I, s:I, s:s?, s:s}", "citation",
                                                        coverage->provision->citation, "rules",
                                                        (json_int_t)coverage->rules, "decisions",
                                                        (json_int_t)coverage->rows, "not_carried",
                                                        is_carried ? NULL : coverage->not_carried, "says",
                                                        coverage->provision->says));
    else if (!cli->quiet)
        fprintf(cli->out, "%-28s %3zu %s %3zu %s  %s\n", coverage->provision->citation, coverage->rules,
                SAY(cli, "quy tắc", "rules"),
                coverage->rows, SAY(cli, "quyết định", "decisions"),
                is_carried              ? ""
                : coverage->not_carried ? coverage->not_carried
                                        : SAY(cli, "THIẾU", "MISSING"));
}

static an_code
cover(struct cli *cli, struct an_regulations *regs, const char *id, const struct an_decisions *decisions,
      bool only_missing, json_t *all,
      size_t *ret_missing, struct an_err *reterr)
{
    struct tally tally = {.cli = cli, .regulation = id, .only_missing = only_missing, .clauses = json_array()};
    an_code code = an_coverage_each(regs, id, decisions, count_clause, &tally, reterr);

    *ret_missing += tally.missing;
    if (code == AN_OK && cli->json)
        json_array_append_new(all, json_pack("{s:s, s:I, s:I, s:I, s:I, s:O}", "regulation", id, "binding",
                                             (json_int_t)tally.binding,
                                             "carried", (json_int_t)tally.carried, "not_carried",
                                             (json_int_t)tally.listed, "missing",
                                             (json_int_t)tally.missing, "clauses", tally.clauses));
    else if (code == AN_OK)
        fprintf(cli->out,
                SAY(cli, "%s: %zu điều khoản ràng buộc; %zu có quy tắc và quyết định thử, %zu không thuộc phần mềm, %zu thiếu\n",
                    "%s: %zu binding clauses; %zu with rule and decision, %zu not for software, %zu missing\n"),
                id, tally.binding, tally.carried, tally.listed, tally.missing);
    json_decref(tally.clauses);
    return code;
}

struct ids {
    const char *items[600];
    size_t count;
};

/* A regulation has a file of its own; the acts of the national base do not. */
static void
add_id(void *context, const struct an_act *act)
{
    struct ids *ids = context;

    if (ids->count < AN_COUNT(ids->items) && strcmp(act->file, act->id) == 0)
        ids->items[ids->count++] = act->id;
}

int
cmd_regulation_coverage(struct cli *cli, const void *options, char **args, int count)
{
    const struct regulation_args *a = options;
    struct an_decisions decisions = {0};
    struct an_regulations *regs = NULL;
    struct ids ids = {0};
    struct an_err err = {0};
    size_t missing = 0;
    json_t *all = json_array();
    an_code code = regulation_open(cli, &regs, &err);

    for (int i = 0; i < count && (size_t)i < AN_COUNT(ids.items); i++)
        ids.items[ids.count++] = args[i];
    if (code == AN_OK && count == 0)
        code = an_act_each(regs, add_id, &ids, &err);
    if (code == AN_OK)
        code = an_decisions_load(regs, a->decisions, &decisions, &err);
    for (size_t i = 0; i < ids.count && code == AN_OK; i++)
        code = cover(cli, regs, ids.items[i], &decisions, a->missing, all, &missing, &err);
    if (code == AN_OK && cli->json)
        report_print_json(cli->out, json_incref(all));
    json_decref(all);
    an_decisions_free(&decisions);
    return code != AN_OK ? cli_fail(cli, &err) : missing > 0;
}
