/* antin regulation explain: one question, one answer, with the articles. */
#include "cli/report.h"
#include "office/regulation_cmd.h"

#include "base/limits.h"

/* ---- JSON: the contract with whoever asks ---- */
static json_t *
citation_json(const char *citation)
{
    static const char *const KEYS[] = {"act", "article", "clause", "point"};
    json_t *json = json_object();

    for (size_t i = 0; i < AN_COUNT(KEYS); i++) {
        /* an article with points and no clauses */
        bool is_point = i == 2 && citation && !strchr("0123456789", citation[0]);
        size_t len = citation && !is_point ? strcspn(citation, "/") : 0;
        if (is_point) {
            json_object_set_new(json, KEYS[i], json_null());
            continue;
        }
        json_object_set_new(json, KEYS[i], len ? json_stringn(citation, len) : json_null());
        citation = len && citation[len] == '/' ? citation + len + 1 : NULL;
    }
    return json;
}

static json_t *
texts_json(const char **texts, size_t count)
{
    json_t *json = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(json, json_string(texts[i]));
    return json;
}

static json_t *
sentence_json(struct cli *cli, const char *fact, const char *text, const char *citation)
{
    AN_CLEANUP(an_buf_free) struct an_buf line = an_buf_new(8192);

    an_buf_printf(&line, "%s%s%s", fact ? fact : "", fact ? ": " : "", text);
    if (citation) {
        an_buf_str(&line, " (");
        cli_citation(cli, citation, &line);
        an_buf_byte(&line, ')');
    }
    return report_text_json(an_buf_view(&line));
}

static json_t *
deadline_json(const struct an_answer_deadline *deadline)
{
    char before[AN_TIME_TEXT_MAX];

    if (!deadline->is_set)
        return json_null();
    json_t *json = json_pack("{s:o, s:s, s:s?, s:b}", "days",
                             deadline->days < 0 ? json_null() : json_integer((json_int_t)deadline->days),
                             "unit", deadline->unit, "from", deadline->from, "unconfirmed", deadline->unconfirmed);
    if (deadline->before_utc != AN_TIME_NONE) {
        an_time_format_vn(deadline->before_utc, before);
        json_object_set_new(json, "before", json_stringn(before, 10));
    }
    return json;
}

static json_t *
parameter_json(const struct an_answer_parameter *parameter)
{
    json_t *value = parameter->is_number ? json_integer((json_int_t)parameter->number) : json_string(parameter->text);

    return json_pack("{s:s, s:o, s:b, s:s?}", "name", parameter->name, "value", value, "unconfirmed",
                     parameter->unconfirmed, "note",
                     parameter->note);
}

static json_t *
answer_json(struct cli *cli, const struct an_answer *answer)
{
    json_t *forms = json_array(), *conditions = json_array(), *parameters = json_array(), *reasons = json_array(),
           *citations = json_array();

    for (size_t i = 0; i < answer->form_count; i++)
        json_array_append_new(forms, json_string(answer->forms[i].id));
    for (size_t i = 0; i < answer->condition_count; i++)
        json_array_append_new(conditions,
                              sentence_json(cli, answer->conditions[i].fact, answer->conditions[i].text,
                                            answer->conditions[i].citation));
    for (size_t i = 0; i < answer->parameter_count; i++)
        json_array_append_new(parameters, parameter_json(&answer->parameters[i]));
    for (size_t i = 0; i < answer->reason_count; i++)
        json_array_append_new(reasons, sentence_json(cli, NULL, answer->reasons[i].text, answer->reasons[i].citation));
    for (size_t i = 0; i < answer->citation_count; i++)
        json_array_append_new(citations, citation_json(answer->citations[i]));
    json_t *allowed = answer->allowed == AN_ALLOWED_NOT_SAID ? json_null()
            : json_boolean(answer->allowed == AN_ALLOWED_YES);
    return json_pack("{s:o, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "allowed", allowed, "authority",
                     answer->authority, "forms",
                     forms, "conditions", conditions, "deadline", deadline_json(&answer->deadline), "notices",
                     texts_json(answer->notices, answer->notice_count), "looks",
                     texts_json(answer->looks, answer->look_count),
                     "parameters", parameters, "reasons", reasons, "citations", citations);
}

/* ---- words ---- */
static void
print_citation(struct cli *cli, const char *citation)
{
    AN_CLEANUP(an_buf_free) struct an_buf words = an_buf_new(4096);

    if (!citation)
        return;
    cli_citation(cli, citation, &words);
    fprintf(cli->out, " (%.*s)", AN_FMT(an_buf_view(&words)));
}

static void
print_list(struct cli *cli, struct an_regulations *regs, const char *label, enum an_word_kind kind, const char **words,
           size_t count)
{
    if (count == 0)
        return;
    fprintf(cli->out, "%s: ", label);
    for (size_t i = 0; i < count; i++)
        fprintf(cli->out, "%s%s (%s)", i ? "; " : "", an_word_name(regs, kind, words[i], cli->english), words[i]);
    fprintf(cli->out, "\n");
}

static void
print_deadline(struct cli *cli, struct an_regulations *regs, const struct an_answer_deadline *deadline)
{
    static const struct {
        const char *unit, *vi, *en;
    } UNITS[] = {
        {"working_day", "ngày làm việc", "working days"}, {"day", "ngày", "days"}, {"month", "tháng", "months"},
        {"year", "năm", "years"}};
    char day[16];

    if (!deadline->is_set)
        return;
    if (deadline->before_utc != AN_TIME_NONE) {
        fprintf(cli->out, "%s %s\n", SAY(cli, "Thời hạn: trước ngày", "Deadline: before"),
                regulation_day_text(deadline->before_utc, day));
        return;
    }
    const char *unit = deadline->unit;
    for (size_t i = 0; i < AN_COUNT(UNITS); i++)
        if (strcmp(UNITS[i].unit, deadline->unit) == 0)
            unit = SAY(cli, UNITS[i].vi, UNITS[i].en);
    fprintf(cli->out, "%s: %02lld %s %s %s%s", SAY(cli, "Thời hạn", "Deadline"), (long long)deadline->days, unit,
            SAY(cli, "kể từ", "from"),
            an_word_name(regs, AN_WORD_EVENT, deadline->from, cli->english),
            deadline->unconfirmed ? SAY(cli, "; chưa xác nhận", "; unconfirmed") : "");
    print_citation(cli, deadline->citation);
    fprintf(cli->out, "\n");
}

static void
print_answer(struct cli *cli, struct an_regulations *regs, const struct an_answer *answer)
{
    static const struct {
        const char *vi, *en;
    } ALLOWED[] = {{"Các văn bản không nói.", "The texts do not say."}, {"Được.", "Yes."}, {"Không được.", "No."}};

    fprintf(cli->out, "%s\n", SAY(cli, ALLOWED[answer->allowed].vi, ALLOWED[answer->allowed].en));
    for (size_t i = 0; i < answer->reason_count; i++) {
        fprintf(cli->out, "%s %s", answer->reasons[i].decides ? "  *" : "  -", answer->reasons[i].text);
        print_citation(cli, answer->reasons[i].citation);
        fprintf(cli->out, "\n");
    }
    print_list(cli, regs, SAY(cli, "Thẩm quyền", "Authority"), AN_WORD_ROLE, (const char *[]){answer->authority},
               answer->authority != NULL);
    for (size_t i = 0; i < answer->form_count; i++) {
        fprintf(cli->out, "%s: %s", SAY(cli, "Mẫu", "Form"), answer->forms[i].id);
        print_citation(cli, answer->forms[i].citation);
        fprintf(cli->out, "\n");
    }
    for (size_t i = 0; i < answer->condition_count; i++)
        fprintf(cli->out, "%s: %s%s%s\n", SAY(cli, "Điều kiện", "Condition"),
                answer->conditions[i].fact ? answer->conditions[i].fact : "",
                answer->conditions[i].fact ? ": " : "", answer->conditions[i].text);
    print_deadline(cli, regs, &answer->deadline);
    print_list(cli, regs, SAY(cli, "Thông báo", "Notices"), AN_WORD_NOTICE, answer->notices, answer->notice_count);
    for (size_t i = 0; i < answer->look_count; i++)
        fprintf(cli->out, "%s: %s\n", SAY(cli, "Hình thức chữ ký", "Look"), answer->looks[i]);
    for (size_t i = 0; i < answer->parameter_count; i++) {
        const struct an_answer_parameter *p = &answer->parameters[i];
        fprintf(cli->out, "%s: %s = %s%s%s%s\n", SAY(cli, "Tham số", "Parameter"), p->name, p->text,
                p->unconfirmed ? SAY(cli, " (chưa xác nhận)", " (unconfirmed)") : "", p->note ? "; " : "",
                p->note ? p->note : "");
    }
}

/* ---- the command ---- */
static an_code
read_facts(const struct opt_list *list, struct an_fact facts[static AN_LIMIT_FACTS], char *texts[static AN_LIMIT_FACTS],
           struct an_err *reterr)
{
    if (list->count > AN_LIMIT_FACTS)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--fact (%d)", AN_LIMIT_FACTS);
    for (size_t i = 0; i < list->count; i++) {
        texts[i] = an_strdup(list->items[i]);
        char *equals = strchr(texts[i], '=');
        if (equals == NULL)
            AN_FAIL(reterr, AN_E_CLI_VALUE, "--fact %s", list->items[i]);
        *equals = '\0';
        facts[i] = (struct an_fact){texts[i], equals + 1};
    }
    return AN_OK;
}

int
cmd_regulation_explain(struct cli *cli, const void *options, char **args, int count)
{
    const struct regulation_args *a = options;
    struct an_fact facts[AN_LIMIT_FACTS];
    char *texts[AN_LIMIT_FACTS] = {0};
    struct an_question question = {.regulation = a->regulation,
                                   .act = count > 0 ? args[0] : a->act,
                                   .actor = a->actor,
                                   .subject = a->subject,
                                   .device = a->device,
                                   .document = a->document,
                                   .facts = facts,
                                   .fact_count = a->fact.count};
    struct an_regulations *regs = NULL;
    struct an_answer *answer = NULL;
    struct an_err err = {0};
    an_code code = AN_OK;

    if (question.regulation == NULL || question.act == NULL)
        code = an_err_set(&err, AN_E_CLI_ARGUMENTS, "antin regulation explain --regulation ID --act ACT");
    if (code == AN_OK)
        code = regulation_day(a->on, &question.on_utc, &err);
    if (code == AN_OK)
        code = read_facts(&a->fact, facts, texts, &err);
    if (code == AN_OK)
        code = regulation_open(cli, &regs, &err);
    if (code == AN_OK)
        code = an_regulation_explain(regs, &question, &answer, &err);
    if (code == AN_OK && cli->json)
        report_print_json(cli->out, answer_json(cli, answer));
    else if (code == AN_OK)
        print_answer(cli, regs, answer);
    an_answer_free(&answer);
    for (size_t i = 0; i < AN_LIMIT_FACTS; i++)
        free(texts[i]);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}
