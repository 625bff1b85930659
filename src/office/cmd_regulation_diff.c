/* antin regulation diff: the same questions put to two regulations, and the answers that differ. */
#include "cli/report.h"
#include "office/regulation_cmd.h"

struct names {
    const char *items[64];
    size_t count;
};
struct comparing {
    struct cli *cli;
    struct an_regulations *regs;
    const char *ids[2];
    an_time on[2];
    struct names acts, roles;
    json_t *rows;
    struct an_err *reterr;
    an_code code;
};
/* One thing that a question asks beside the act. */
struct aspect {
    const char *name; /* shown; NULL: the question alone */
    const char *actor, *subject, *device;
    struct an_fact fact;
};
static const struct aspect VARIANTS[] = {
    {0},
    {.name = "person", .subject = "person"},
    {.name = "agency", .subject = "agency"},
    {.name = "device-service-software", .subject = "device-service-software"},
    {.name = "pki-token", .device = "pki-token"},
    {.name = "sim-pki", .device = "sim-pki"},
    {.name = "hsm", .device = "hsm"},
};
static const struct aspect FACTS[] = {
    {.name = "secrecy=mat", .fact = {"secrecy", "mat"}},
    {.name = "signature=invalid", .fact = {"signature", "invalid"}},
    {.name = "signed-by-authorised=no", .fact = {"signed-by-authorised", "no"}},
    {.name = "same-file=yes", .fact = {"same-file", "yes"}},
    {.name = "certificate=other-person", .fact = {"certificate", "other-person"}},
    {.name = "written-permission=yes", .fact = {"written-permission", "yes"}},
    {.name = "signatures=partial", .fact = {"signatures", "partial"}},
    {.name = "paper=yes", .fact = {"paper", "yes"}},
    {.name = "days-left=45", .fact = {"days-left", "45"}},
    {.name = "renewals=1", .fact = {"renewals", "1"}},
};

static void
add_name(void *context, const char *word, const char *vi, const char *en)
{
    struct names *names = context;

    (void)vi;
    (void)en;
    if (names->count < AN_COUNT(names->items))
        names->items[names->count++] = word;
}

/* Padded by characters, not by bytes. */
static void
print_cell(FILE *out, const char *text, size_t width)
{
    size_t shown = 0;

    for (const char *at = text; *at; at++)
        shown += ((unsigned char)*at & 0xC0) != 0x80;
    fprintf(out, "%s%*s", text, shown < width ? (int)(width - shown) : 0, "");
}

static void
print_row(FILE *out, const char *act, const char *what, const char *a, const char *b)
{
    print_cell(out, act, 23);
    print_cell(out, what, 35);
    fprintf(out, "| ");
    print_cell(out, a, 32);
    fprintf(out, "| %s\n", b);
}

static void
add_row(struct comparing *comparing, const char *act, const char *what, const char *a, const char *b)
{
    struct cli *cli = comparing->cli;

    if (strcmp(a, b) == 0)
        return;
    if (cli->json)
        json_array_append_new(comparing->rows, json_pack("{s:s, s:s, s:s, s:s}", "act", act, "what", what, "a", a, "b",
                                                         b));
    else
        print_row(cli->out, act, what, a, b);
}

static struct an_answer *
ask(struct comparing *comparing, int side, const char *act, const struct aspect *aspect)
{
    struct an_answer *answer = NULL;
    struct an_question question = {.regulation = comparing->ids[side],
                                   .on_utc = comparing->on[side],
                                   .act = act,
                                   .actor = aspect->actor,
                                   .subject = aspect->subject,
                                   .device = aspect->device,
                                   .facts = &aspect->fact,
                                   .fact_count = aspect->fact.name ? 1 : 0};

    if (comparing->code == AN_OK)
        comparing->code = an_regulation_explain(comparing->regs, &question, &answer, comparing->reterr);
    return answer;
}

static void
join(const char **texts, size_t count, char *buf, size_t size)
{
    snprintf(buf, size, "%s", count ? "" : "–");
    for (size_t i = 0; i < count; i++)
        snprintf(buf + strlen(buf), size - strlen(buf), "%s%s", i ? ", " : "", texts[i]);
}

enum { PART_AUTHORITY, PART_FORMS, PART_DEADLINE, PART_NOTICES, PART_LOOKS, PART_COUNT };
static const char *const PART_NAMES[] = {"authority", "forms", "deadline", "notices", "looks"};
#define PART_SIZE 300

static void
describe(const struct an_answer *answer, char parts[PART_COUNT][PART_SIZE])
{
    const struct an_answer_deadline *deadline = &answer->deadline;
    const char *forms[16] = {NULL};
    char day[16];
    size_t count = answer->form_count < AN_COUNT(forms) ? answer->form_count : AN_COUNT(forms);

    for (size_t i = 0; i < count; i++)
        forms[i] = answer->forms[i].citation;
    snprintf(parts[PART_AUTHORITY], PART_SIZE, "%s", answer->authority ? answer->authority : "–");
    join(forms, count, parts[PART_FORMS], PART_SIZE);
    if (!deadline->is_set)
        snprintf(parts[PART_DEADLINE], PART_SIZE, "–");
    else if (deadline->before_utc != AN_TIME_NONE)
        snprintf(parts[PART_DEADLINE], PART_SIZE, "< %.5s", regulation_day_text(deadline->before_utc, day));
    else
        snprintf(parts[PART_DEADLINE], PART_SIZE, "%lld %s %s%s", (long long)deadline->days, deadline->unit,
                 deadline->from,
                 deadline->unconfirmed ? " ?" : "");
    join(answer->notices, answer->notice_count, parts[PART_NOTICES], PART_SIZE);
    join(answer->looks, answer->look_count, parts[PART_LOOKS], PART_SIZE);
}

/* Parts of the plain answer first; of a variant only what differs from it. */
static void
compare_variants(struct comparing *comparing, const char *act)
{
    char plain[2][PART_COUNT][PART_SIZE] = {0}, parts[2][PART_COUNT][PART_SIZE] = {0}, what[64];

    for (size_t v = 0; v < AN_COUNT(VARIANTS); v++) {
        for (int side = 0; side < 2; side++) {
            struct an_answer *answer = ask(comparing, side, act, &VARIANTS[v]);
            if (!answer)
                return;
            describe(answer, v ? parts[side] : plain[side]);
            an_answer_free(&answer);
        }
        for (int part = 0; part < PART_COUNT; part++) {
            if (v && strcmp(parts[0][part], plain[0][part]) == 0 && strcmp(parts[1][part], plain[1][part]) == 0)
                continue;
            snprintf(what, sizeof(what), "%s%s%s", PART_NAMES[part], v ? ": " : "", v ? VARIANTS[v].name : "");
            add_row(comparing, act, what, v ? parts[0][part] : plain[0][part], v ? parts[1][part] : plain[1][part]);
        }
    }
}

static const char *
ask_allowed(struct comparing *comparing, int side, const char *act, const struct aspect *aspect)
{
    static const char *const WORDS[] = {"–", "yes", "no"};
    struct an_answer *answer = ask(comparing, side, act, aspect);
    const char *word = answer ? WORDS[answer->allowed] : NULL;

    an_answer_free(&answer);
    return word;
}

static void
compare_role(struct comparing *comparing, const char *act, const char *role)
{
    struct aspect aspect = {.name = role, .actor = role};
    const char *a = ask_allowed(comparing, 0, act, &aspect), *b = ask_allowed(comparing, 1, act, &aspect);
    char what[80];

    snprintf(what, sizeof(what), "allowed: %s", role);
    if (a && b)
        add_row(comparing, act, what, a, b);
}

/* Only where the fact changes something on either side. */
static void
compare_fact(struct comparing *comparing, const char *act, const struct aspect *fact)
{
    const char *plain[2], *found[2];
    char what[80];

    for (int side = 0; side < 2; side++) {
        plain[side] = ask_allowed(comparing, side, act, &VARIANTS[0]);
        found[side] = ask_allowed(comparing, side, act, fact);
        if (!plain[side] || !found[side])
            return;
    }
    snprintf(what, sizeof(what), "allowed: %s", fact->name);
    if (strcmp(plain[0], found[0]) != 0 || strcmp(plain[1], found[1]) != 0)
        add_row(comparing, act, what, found[0], found[1]);
}

struct parameter_list {
    struct comparing *comparing;
    int side;
    char names[64][64], values[64][2][200];
    size_t count;
};

static void
keep_parameter(void *context, const struct an_answer_parameter *parameter)
{
    struct parameter_list *list = context;
    size_t at = 0;

    while (at < list->count && strcmp(list->names[at], parameter->name) != 0)
        at++;
    if (at == AN_COUNT(list->names))
        return;
    if (at == list->count) {
        snprintf(list->names[at], sizeof(list->names[at]), "%s", parameter->name);
        snprintf(list->values[at][0], sizeof(list->values[at][0]), "–");
        snprintf(list->values[at][1], sizeof(list->values[at][1]), "–");
        list->count++;
    }
    snprintf(list->values[at][list->side], sizeof(list->values[at][0]), "%s%s", parameter->text,
             parameter->unconfirmed ? " ?" : "");
}

static void
compare_parameters(struct comparing *comparing)
{
    struct parameter_list list = {.comparing = comparing};

    for (list.side = 0; list.side < 2 && comparing->code == AN_OK; list.side++)
        comparing->code = an_parameter_each(comparing->regs, comparing->ids[list.side], comparing->on[list.side],
                                            keep_parameter, &list,
                                            comparing->reterr);
    for (size_t i = 0; i < list.count; i++)
        add_row(comparing, "–", list.names[i], list.values[i][0], list.values[i][1]);
}

static void
compare_all(struct comparing *comparing)
{
    for (size_t i = 0; i < comparing->acts.count && comparing->code == AN_OK; i++) {
        const char *act = comparing->acts.items[i];
        compare_variants(comparing, act);
        for (size_t k = 0; k < comparing->roles.count; k++)
            compare_role(comparing, act, comparing->roles.items[k]);
        for (size_t k = 0; k < AN_COUNT(FACTS); k++)
            compare_fact(comparing, act, &FACTS[k]);
    }
    if (comparing->code == AN_OK)
        compare_parameters(comparing);
}

/* The day asked for; else today, or the regulation's first day when it is not in force yet. */
static an_code
choose_day(struct comparing *comparing, int side, const char *on)
{
    const struct an_act *act = NULL;

    AN_TRY(regulation_day(on, &comparing->on[side], comparing->reterr));
    if (on || strcmp(comparing->ids[side], "quoc-gia") == 0)
        return AN_OK;
    AN_TRY(an_act_find(comparing->regs, comparing->ids[side], &act, comparing->reterr));
    if (act->from_utc != AN_TIME_NONE && act->from_utc > comparing->on[side])
        comparing->on[side] = act->from_utc;
    return AN_OK;
}

int
cmd_regulation_diff(struct cli *cli, const void *options, char **args, int count)
{
    const struct regulation_args *a = options;
    struct an_err err = {0};
    struct comparing comparing = {.cli = cli, .ids = {args[0], args[1]}, .rows = json_array(), .reterr = &err};
    an_code code = regulation_open(cli, &comparing.regs, &err);

    (void)count;
    for (int side = 0; side < 2 && code == AN_OK; side++)
        code = choose_day(&comparing, side, a->on);
    if (code == AN_OK)
        code = an_word_each(comparing.regs, AN_WORD_ACT, add_name, &comparing.acts, &err);
    if (code == AN_OK)
        code = an_word_each(comparing.regs, AN_WORD_ROLE, add_name, &comparing.roles, &err);
    if (code == AN_OK) {
        if (!cli->json)
            print_row(cli->out, SAY(cli, "việc", "act"), "", args[0], args[1]);
        compare_all(&comparing);
        code = comparing.code;
    }
    if (code == AN_OK && cli->json)
        report_print_json(cli->out, json_incref(comparing.rows));
    json_decref(comparing.rows);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}
