/*
 * Weighing the rules that speak about one question (docs/decisions/067-rules.md):
 * a prohibition beats everything, and its exceptions stand in it; what the texts leave open is neither yes nor no;
 * "only" shuts out every other role, and is opened by a narrower permission; of two rules that both name an authority,
 * a deadline or an "only", the one of the nearer file wins, then the narrower one; everything else adds up.
 */
#include <stdio.h>

#include "regulation/answer.h"
#include "regulation/rules.h"

struct match {
    const struct rule *rule;
    size_t layer; /* 0: the regulation itself */
};
AN_VEC(match_vec, struct match);
struct weighing {
    struct asking asking;
    struct answer_parts parts;
    struct match_vec matches; /* the weightiest first */
    struct an_err *reterr;
};

static void
weighing_done(struct weighing *weighing)
{
    match_vec_done(&weighing->matches);
    answer_parts_done(&weighing->parts);
}

/* ---- the question itself ---- */

static an_code
check_word(const struct weighing *weighing, enum an_word_kind kind, const char *what, const char *word)
{
    if (!word || words_find(weighing->asking.words, kind, word))
        return AN_OK;
    AN_CLEANUP(an_buf_free) struct an_buf list = an_buf_new(4096);
    words_append(weighing->asking.words, kind, &list);
    AN_FAIL(weighing->reterr, AN_E_WORD_UNKNOWN, "%s \"%.40s\" (%.*s)", what, word,
            (int)(list.len < 240 ? list.len : 240), (const char *)list.ptr);
}

static bool
text_is_slug(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= 60 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool
value_is_number(const char *value)
{
    size_t sign = value[0] == '-', digits = strspn(value + sign, "0123456789");

    return digits > 0 && digits <= 9 && value[sign + digits] == '\0';
}

static an_code
check_fact(const struct weighing *weighing, const struct an_fact *fact)
{
    AN_TRY(check_word(weighing, AN_WORD_FACT, "fact", fact->name));
    const struct word *word = words_find(weighing->asking.words, AN_WORD_FACT, fact->name);
    bool is_right = true;
    switch (word->type) {
    case FACT_NUMBER: is_right = value_is_number(fact->value); break;
    case FACT_DATE: is_right = an_time_parse(an_bytes_of_str(fact->value)) != AN_TIME_NONE; break;
    case FACT_TEXT: is_right = fact->value[0] != '\0' && strlen(fact->value) <= 320; break;
    default: is_right = texts_have(&word->values, fact->value); break;
    }
    if (is_right)
        return AN_OK;
    AN_CLEANUP(an_buf_free) struct an_buf list = an_buf_new(1024);
    for (size_t i = 0; i < word->values.count; i++)
        an_buf_printf(&list, "%s%s", i ? ", " : "", word->values.items[i]);
    AN_FAIL(weighing->reterr, AN_E_WORD_UNKNOWN, "%s=%.60s (%.*s)", fact->name, fact->value, (int)list.len,
            list.len ? (const char *)list.ptr : "");
}

static an_code
check_question(const struct weighing *weighing)
{
    const struct an_question *question = weighing->asking.question;

    AN_TRY(check_word(weighing, AN_WORD_ACT, "act", question->act));
    AN_TRY(check_word(weighing, AN_WORD_ROLE, "actor", question->actor));
    AN_TRY(check_word(weighing, AN_WORD_SUBJECT, "subject", question->subject));
    AN_TRY(check_word(weighing, AN_WORD_DEVICE, "device", question->device));
    if (question->document && !text_is_slug(question->document))
        AN_FAIL(weighing->reterr, AN_E_WORD_UNKNOWN, "document \"%.40s\"", question->document);
    for (size_t i = 0; i < question->fact_count; i++) {
        AN_TRY(check_fact(weighing, &question->facts[i]));
        /* two words about one thing: whichever counted, the answer would hide the other */
        for (size_t before = 0; before < i; before++)
            if (strcmp(question->facts[before].name, question->facts[i].name) == 0)
                AN_FAIL(weighing->reterr, AN_E_FACT_TWICE, "%s", question->facts[i].name);
    }
    return AN_OK;
}

/* ---- gathering ---- */

static int
compare_matches(const void *a, const void *b)
{
    const struct match *left = a, *right = b;

    if (left->layer != right->layer)
        return left->layer < right->layer ? -1 : 1;
    if (left->rule->rank != right->rule->rank)
        return left->rule->rank > right->rule->rank ? -1 : 1;
    return left->rule->line < right->rule->line ? -1 : left->rule->line > right->rule->line;
}

static an_code
gather(struct weighing *weighing)
{
    const struct rule_chain *chain = weighing->asking.chain;

    for (size_t layer = 0; layer < chain->count; layer++) {
        for (size_t i = 0; i < chain->layers[layer]->rule_count; i++) {
            const struct rule *rule = &chain->layers[layer]->rules[i];
            bool is_live = false, is_gone = false;
            if (!rule_matches(&weighing->asking, rule))
                continue;
            AN_TRY(rule_is_live(weighing->asking.regs, rule, weighing->asking.question->on_utc, &is_live,
                                weighing->reterr));
            AN_TRY(chain_replaces(weighing->asking.regs, chain, layer, rule->id, weighing->asking.question->on_utc,
                                  &is_gone, weighing->reterr));
            if (is_live && !is_gone)
                *match_vec_push(&weighing->matches) = (struct match){rule, layer};
        }
    }
    if (weighing->matches.count)
        qsort(weighing->matches.items, weighing->matches.count, sizeof(struct match), compare_matches);
    return AN_OK;
}

/* ---- what wins ---- */

static void
use_parameter(struct weighing *weighing, const char *name, const struct rule_parameter **ret)
{
    const struct rule_parameter *parameter =
        chain_parameter(weighing->asking.chain, name, weighing->asking.question->on_utc);

    if (ret)
        *ret = parameter;
    if (!parameter)
        return;
    struct an_answer_parameter shown = answer_parameter_of(parameter);
    answer_add_parameter(&weighing->parts, &shown);
}

static void
find_authority(struct weighing *weighing)
{
    for (size_t i = 0; i < weighing->matches.count && !weighing->parts.authority; i++)
        weighing->parts.authority = weighing->matches.items[i].rule->authority;
}

/* "before 15/5": of the year in which the report was sent, else of the year asked about. */
static an_time
date_deadline(const struct weighing *weighing, const struct rule_deadline *deadline)
{
    const struct an_question *question = weighing->asking.question;
    an_time of = question->on_utc;

    for (size_t i = 0; i < question->fact_count; i++)
        if (strcmp(question->facts[i].name, "sent") == 0)
            of = an_time_parse(an_bytes_of_str(question->facts[i].value));
    struct an_date date = {.year = an_date_of(of, 420).year, .month = deadline->month, .day = deadline->day};
    return an_time_of_date(&date, 420);
}

static void
find_deadline(struct weighing *weighing)
{
    struct an_answer_deadline *ret = &weighing->parts.deadline;
    const struct rule_parameter *parameter = NULL;

    for (size_t i = 0; i < weighing->matches.count && !ret->is_set; i++) {
        const struct rule *rule = weighing->matches.items[i].rule;
        const struct rule_deadline *deadline = &rule->deadline;
        if (!deadline->is_set)
            continue;
        *ret = (struct an_answer_deadline){true,         deadline->days, deadline->unit,      deadline->from,
                                           AN_TIME_NONE, false,          rule->cites.items[0]};
        if (deadline->month) {
            ret->days = -1;
            ret->before_utc = date_deadline(weighing, deadline);
        }
        if (!deadline->parameter)
            continue;
        use_parameter(weighing, deadline->parameter, &parameter);
        ret->days = parameter ? strtoll(parameter->text, NULL, 10) : -1;
        ret->unconfirmed = !parameter || parameter->unconfirmed;
        ret->citation = parameter && !parameter->unconfirmed ? parameter->cite : NULL;
    }
}

static bool
names_role(const struct weighing *weighing, const struct an_yaml_texts *roles, const char *role)
{
    const char *authority = weighing->parts.authority;

    if (texts_have(roles, "any"))
        return true;
    if (!role)
        return false;
    return texts_have(roles, role) || (texts_have(roles, "authority") && authority && strcmp(authority, role) == 0);
}

/* ---- reasons ---- */

static void
add_reason(struct weighing *weighing, const struct rule *rule, bool decides)
{
    answer_add_reason(&weighing->parts, rule->says, rule->cites.items[0], decides);
    for (size_t i = 0; i < rule->cites.count; i++)
        answer_add_citation(&weighing->parts, rule->cites.items[i]);
}

static const char *
test_as_text(struct weighing *weighing, const struct fact_test *test)
{
    static const char *const SIGNS[] = {"=", ">=", "<=", "<", ">"};
    const struct rule_parameter *parameter = NULL;
    char text[160];

    if (test->parameter)
        use_parameter(weighing, test->parameter, &parameter);
    if (test->kind == TEST_BEFORE_DAY)
        snprintf(text, sizeof(text), "%s<%02d-%02d", test->fact->id, test->month, test->day);
    else if (test->kind == TEST_OFFICIAL_MAIL)
        snprintf(text, sizeof(text), "%s=official", test->fact->id);
    else if (test->kind != TEST_IN)
        snprintf(text, sizeof(text), "%s%s%lld", test->fact->id, SIGNS[test->kind],
                 parameter ? strtoll(parameter->text, NULL, 10) : (long long)test->number);
    else
        snprintf(text, sizeof(text), "%s=%s%s%s", test->fact->id, test->values.items[0],
                 test->values.count > 1 ? "|" : "", test->values.count > 1 ? test->values.items[1] : "");
    return answer_dup(&weighing->parts, text);
}

static bool
is_exempt(const struct weighing *weighing, const struct rule *rule)
{
    for (size_t i = 0; i < rule->unless.count; i++)
        if (fact_test_result(&weighing->asking, &rule->unless.items[i]) != TEST_HOLDS)
            return false;
    return rule->unless.count > 0;
}

/* Prohibitions and unfulfilled requirements. What a requirement needs and nobody said becomes a condition. */
static bool
apply_prohibitions(struct weighing *weighing)
{
    bool is_forbidden = false;

    for (size_t i = 0; i < weighing->matches.count; i++) {
        const struct rule *rule = weighing->matches.items[i].rule;
        bool fails = rule->forbid.count && !is_exempt(weighing, rule) &&
                     names_role(weighing, &rule->forbid, weighing->asking.question->actor);
        for (size_t k = 0; k < rule->requires.count; k++) {
            enum test_result result = fact_test_result(&weighing->asking, &rule->requires.items[k]);
            const char *text = test_as_text(weighing, &rule->requires.items[k]);
            fails = fails || result == TEST_FAILS;
            if (result == TEST_NOT_GIVEN)
                answer_add_condition(&weighing->parts, text, rule->says, rule->cites.items[0]);
        }
        if (fails)
            add_reason(weighing, rule, true);
        is_forbidden = is_forbidden || fails;
    }
    return is_forbidden;
}

static const struct match *
find_only(const struct weighing *weighing)
{
    for (size_t i = 0; i < weighing->matches.count; i++)
        if (weighing->matches.items[i].rule->only.count)
            return &weighing->matches.items[i];
    return NULL;
}

/* The weightiest permission for the role that asks; without a role, for anybody. */
static const struct match *
find_permission(const struct weighing *weighing)
{
    const char *actor = weighing->asking.question->actor;

    for (size_t i = 0; i < weighing->matches.count; i++) {
        const struct rule *rule = weighing->matches.items[i].rule;
        if (rule->allow.count && (!actor || names_role(weighing, &rule->allow, actor)))
            return &weighing->matches.items[i];
    }
    return NULL;
}

/* The texts leave it to somebody's opinion: neither yes nor no. */
static const struct match *
find_open(const struct weighing *weighing)
{
    for (size_t i = 0; i < weighing->matches.count; i++)
        if (names_role(weighing, &weighing->matches.items[i].rule->open, weighing->asking.question->actor))
            return &weighing->matches.items[i];
    return NULL;
}

static void
add_only_condition(struct weighing *weighing, const struct rule *only)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(512);

    an_buf_str(&text, "actor=");
    for (size_t i = 0; i < only->only.count; i++)
        an_buf_printf(&text, "%s%s", i ? "|" : "",
                      strcmp(only->only.items[i], "authority") == 0 && weighing->parts.authority
                          ? weighing->parts.authority
                          : only->only.items[i]);
    an_buf_byte(&text, 0);
    answer_add_condition(&weighing->parts, answer_dup(&weighing->parts, (const char *)text.ptr), only->says,
                         only->cites.items[0]);
}

static void
decide(struct weighing *weighing)
{
    const char *actor = weighing->asking.question->actor;
    const struct match *only = find_only(weighing), *permission = find_permission(weighing);
    bool is_in_only = only && (!actor || names_role(weighing, &only->rule->only, actor));
    bool opens = permission && (!only || compare_matches(permission, only) < 0);
    bool is_shut_out = only && !is_in_only && !opens;
    bool is_forbidden = apply_prohibitions(weighing);

    if (is_shut_out)
        add_reason(weighing, only->rule, true);
    if (is_forbidden || is_shut_out) {
        weighing->parts.allowed = AN_ALLOWED_NO;
        return;
    }
    const struct match *left_open = find_open(weighing);
    if (left_open) {
        add_reason(weighing, left_open->rule, true);
    } else if (is_in_only || permission) {
        weighing->parts.allowed = AN_ALLOWED_YES;
        add_reason(weighing, opens || !is_in_only ? permission->rule : only->rule, true);
    }
    if (only && !actor)
        add_only_condition(weighing, only->rule);
}

/* ---- everything that adds up ---- */

static void
add_parts(struct weighing *weighing, const struct rule *rule)
{
    struct answer_parts *parts = &weighing->parts;

    for (size_t i = 0; i < rule->forms.count; i++)
        answer_add_form(parts, rule->forms.items[i]);
    for (size_t i = 0; i < rule->conditions.count; i++)
        answer_add_condition(parts, NULL, rule->conditions.items[i], rule->cites.items[0]);
    for (size_t i = 0; i < rule->notices.count; i++)
        answer_add_notice(parts, rule->notices.items[i]);
    for (size_t i = 0; i < rule->looks.count; i++)
        answer_add_look(parts, rule->looks.items[i]);
    for (size_t i = 0; i < rule->parameters.count; i++)
        use_parameter(weighing, rule->parameters.items[i], NULL);
}

static bool
rule_adds_parts(const struct rule *rule)
{
    return rule->deadline.is_set || rule->forms.count || rule->conditions.count || rule->notices.count ||
           rule->looks.count || rule->parameters.count || rule->requires.count;
}

/* A rule whose whole point is to allow others, to forbid what was not asked, or to name an authority that a weightier
 * rule replaces, says nothing about this question. */
static bool
adds_nothing(const struct weighing *weighing, const struct rule *rule)
{
    const char *actor = weighing->asking.question->actor, *authority = weighing->parts.authority;

    if (rule->forbid.count && (is_exempt(weighing, rule) || !names_role(weighing, &rule->forbid, actor)))
        return true;
    if (rule_adds_parts(rule))
        return false;
    if (rule->authority && authority && strcmp(rule->authority, authority) != 0)
        return true;
    return !rule->authority && actor && rule->allow.count && !names_role(weighing, &rule->allow, actor);
}

static void
add_rest(struct weighing *weighing)
{
    for (size_t i = 0; i < weighing->matches.count; i++) {
        const struct rule *rule = weighing->matches.items[i].rule;
        if (adds_nothing(weighing, rule))
            continue;
        add_parts(weighing, rule);
        add_reason(weighing, rule, false);
    }
}

/* What makes the whole regulation doubtful that day: it rests on acts that are gone, its province is no more. */
static void
add_doubts(struct weighing *weighing)
{
    const struct law_rules *rules = weighing->asking.chain->layers[0];

    for (size_t i = 0; i < rules->doubt_count; i++) {
        const struct rule_doubt *doubt = &rules->doubts[i];
        if (weighing->asking.question->on_utc < doubt->from_utc)
            continue;
        struct an_answer_parameter parameter = {.name = "regulation.in_force",
                                                .text = "yes",
                                                .unconfirmed = true,
                                                .note = doubt->says,
                                                .citation = doubt->cite};
        answer_add_parameter(&weighing->parts, &parameter);
        answer_add_reason(&weighing->parts, doubt->says, doubt->cite, false);
    }
}

static an_code
weigh(struct weighing *weighing)
{
    bool is_in_force = true;

    AN_TRY(check_question(weighing));
    AN_TRY(answer_force(&weighing->asking, &weighing->parts, &is_in_force, weighing->reterr));
    if (!is_in_force)
        return AN_OK;
    AN_TRY(gather(weighing));
    find_authority(weighing);
    decide(weighing);
    find_deadline(weighing);
    add_rest(weighing);
    if (weighing->parts.allowed == AN_ALLOWED_NOT_SAID && !find_open(weighing))
        answer_add_reason(&weighing->parts,
                          weighing->asking.question->actor
                              ? "Các văn bản không nói vai trò này được hay không được làm việc này."
                              : "Các văn bản không nói về việc này.",
                          NULL, false);
    add_doubts(weighing);
    return AN_OK;
}

an_code
an_regulation_explain(struct an_regulations *regs, const struct an_question *question, struct an_answer **ret,
                      struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    AN_CLEANUP(weighing_done) struct weighing weighing = {.reterr = reterr};
    const struct words *words = NULL;
    struct rule_chain chain;

    AN_TRY(regs_words(locked, &words, reterr));
    AN_TRY(regs_chain(locked, question->regulation, &chain, reterr));
    weighing.asking = (struct asking){question, words, &chain, locked};
    weighing.parts.arena = an_arena_new(0);
    AN_TRY(weigh(&weighing));
    *ret = answer_take(&weighing.parts);
    return AN_OK;
}
