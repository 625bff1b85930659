/*
 * Contradictions inside one file: two rules that can both speak about one question, narrow it equally, live on a common
 * day, and answer it differently. Between files there is none: the nearer file outweighs what it inherits.
 */
#include "regulation/rules.h"

static bool
lists_meet(const struct an_yaml_texts *a, const struct an_yaml_texts *b)
{
    if (a->count == 0 || b->count == 0)
        return true;
    for (size_t i = 0; i < a->count; i++)
        if (texts_have(b, a->items[i]))
            return true;
    return false;
}

static bool
acts_meet(const struct rule *a, const struct rule *b)
{
    for (size_t i = 0; i < a->acts.count; i++)
        for (size_t k = 0; k < b->acts.count; k++)
            if (act_matches(a->acts.items[i], b->acts.items[k]) || act_matches(b->acts.items[k], a->acts.items[i]))
                return true;
    return false;
}

/* The same fact with values that exclude each other keeps two rules apart. */
static bool
facts_meet(const struct fact_tests *a, const struct fact_tests *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++) {
            const struct fact_test *left = &a->items[i], *right = &b->items[k];
            bool are_lists = left->kind == TEST_IN && right->kind == TEST_IN;
            if (left->fact == right->fact && are_lists && !lists_meet(&left->values, &right->values))
                return false;
        }
    return true;
}

struct span {
    an_time from, to;
};

/* A rule's own dates and those of the acts it cites. */
static an_code
span_of(struct an_regulations *regs, const struct rule *rule, struct span *ret, struct an_err *reterr)
{
    *ret = (struct span){rule->from_utc, rule->to_utc};
    for (size_t i = 0; i < rule->cites.count; i++) {
        const struct an_act *act = NULL;
        an_bytes cite = an_bytes_of_str(rule->cites.items[i]);
        AN_TRY(regs_act(regs, an_bytes_slice(cite, 0, an_bytes_find(cite, AN_LIT("/"), 0)), &act, reterr));
        if (act->from_utc != AN_TIME_NONE && (ret->from == AN_TIME_NONE || act->from_utc > ret->from))
            ret->from = act->from_utc;
        if (act->to_utc != AN_TIME_NONE && (ret->to == AN_TIME_NONE || act->to_utc < ret->to))
            ret->to = act->to_utc;
    }
    return AN_OK;
}

static bool
spans_meet(const struct span *a, const struct span *b)
{
    bool a_first = a->to != AN_TIME_NONE && b->from != AN_TIME_NONE && a->to <= b->from;
    bool b_first = b->to != AN_TIME_NONE && a->from != AN_TIME_NONE && b->to <= a->from;

    return !a_first && !b_first;
}

static bool
lists_are_equal(const struct an_yaml_texts *a, const struct an_yaml_texts *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!texts_have(b, a->items[i]))
            return false;
    return true;
}

static bool
deadlines_are_equal(const struct rule_deadline *a, const struct rule_deadline *b)
{
    return a->days == b->days && !a->parameter == !b->parameter &&
           (!a->parameter || strcmp(a->parameter, b->parameter) == 0) && a->month == b->month && a->day == b->day &&
           strcmp(a->unit, b->unit) == 0 && !a->from == !b->from && (!a->from || strcmp(a->from, b->from) == 0);
}

static bool
tests_have_fact(const struct fact_tests *tests, const struct word *fact)
{
    for (size_t i = 0; i < tests->count; i++)
        if (tests->items[i].fact == fact)
            return true;
    return false;
}

static bool
facts_are_equal(const struct fact_tests *a, const struct fact_tests *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (!tests_have_fact(b, a->items[i].fact))
            return false;
    return a->count == b->count;
}

/* A permission and a prohibition for a common role that hang on the same facts. On different facts the prohibition
 * stands beside the permission and beats it. */
static bool
decisions_clash(const struct rule *a, const struct rule *b)
{
    const struct an_yaml_texts *yes = a->allow.count ? &a->allow : &b->allow;
    const struct an_yaml_texts *no = a->forbid.count ? &a->forbid : &b->forbid;
    bool is_pair = (a->allow.count && b->forbid.count) || (a->forbid.count && b->allow.count);

    if (!is_pair || a->unless.count || b->unless.count || !facts_are_equal(&a->when, &b->when))
        return false;
    return lists_meet(yes, no) || texts_have(no, "any") || texts_have(yes, "any");
}

/* What the two say differently; NULL when they agree. */
static const char *
find_clash(const struct rule *a, const struct rule *b)
{
    if (a->authority && b->authority && strcmp(a->authority, b->authority) != 0)
        return "authority";
    if (a->deadline.is_set && b->deadline.is_set && !deadlines_are_equal(&a->deadline, &b->deadline))
        return "deadline";
    if (a->only.count && b->only.count && !lists_are_equal(&a->only, &b->only))
        return "only";
    return decisions_clash(a, b) ? "allow and forbid" : NULL;
}

static an_code
check_pair(struct an_regulations *regs, const struct law_rules *rules, const struct rule *a, const struct rule *b,
           struct an_err *reterr)
{
    struct span span_a, span_b;

    if (a->rank != b->rank || !acts_meet(a, b) || !lists_meet(&a->subjects, &b->subjects) ||
        !lists_meet(&a->devices, &b->devices) || !lists_meet(&a->documents, &b->documents) ||
        !lists_meet(&a->roles, &b->roles) || !facts_meet(&a->when, &b->when))
        return AN_OK;
    const char *clash = find_clash(a, b);
    if (!clash)
        return AN_OK;
    AN_TRY(span_of(regs, a, &span_a, reterr));
    AN_TRY(span_of(regs, b, &span_b, reterr));
    if (!spans_meet(&span_a, &span_b))
        return AN_OK;
    struct an_yaml_node at = {.key = b->id, .line = b->line};
    return an_yaml_fail(rules->doc, &at, reterr, AN_E_RULE_CONTRADICTION,
                        "says another thing (%s) than \"%s\" on line %zu, and neither is narrower", clash, a->id,
                        a->line);
}

static an_code
check_known(struct an_regulations *regs, const struct law_rules *rules, const struct rule *rule, struct an_err *reterr)
{
    struct an_yaml_node at = {.key = rule->id, .line = rule->line};

    for (size_t i = 0; i < rule->cites.count; i++)
        if (find_provision(regs, rule->cites.items[i], NULL, NULL) != AN_OK)
            return an_yaml_fail(rules->doc, &at, reterr, AN_E_CITATION_UNKNOWN, "%.100s", rule->cites.items[i]);
    for (size_t i = 0; i < rule->forms.count; i++)
        if (find_provision(regs, rule->forms.items[i], NULL, NULL) != AN_OK)
            return an_yaml_fail(rules->doc, &at, reterr, AN_E_CITATION_UNKNOWN, "%.100s", rule->forms.items[i]);
    return AN_OK;
}

static bool
chain_has_parameter(const struct rule_chain *chain, const char *name)
{
    for (size_t i = 0; i < chain->count; i++)
        for (size_t k = 0; k < chain->layers[i]->parameter_count; k++)
            if (strcmp(chain->layers[i]->parameters[k].name, name) == 0)
                return true;
    return false;
}

static const char *
find_missing_parameter(const struct rule_chain *chain, const struct rule *rule)
{
    const struct fact_tests *lists[] = {&rule->when, &rule->unless, &rule->requires};

    for (size_t i = 0; i < rule->parameters.count; i++)
        if (!chain_has_parameter(chain, rule->parameters.items[i]))
            return rule->parameters.items[i];
    if (rule->deadline.parameter && !chain_has_parameter(chain, rule->deadline.parameter))
        return rule->deadline.parameter;
    for (size_t i = 0; i < AN_COUNT(lists); i++)
        for (size_t k = 0; k < lists[i]->count; k++)
            if (lists[i]->items[k].parameter && !chain_has_parameter(chain, lists[i]->items[k].parameter))
                return lists[i]->items[k].parameter;
    return NULL;
}

static bool
look_is_known(struct an_regulations *regs, const char *id, const char *look)
{
    for (int steps = 0; id && steps < CHAIN_MAX; steps++) {
        struct law_head *head = NULL;
        if (regs_head(regs, id, &head, NULL) != AN_OK)
            return false;
        for (size_t i = 0; i < head->look_count; i++)
            if (strcmp(head->looks[i].id, look) == 0)
                return true;
        id = head->inherits;
    }
    return false;
}

/* With the lock held. */
an_code
rules_check(struct an_regulations *regs, const struct law_rules *rules, struct an_err *reterr)
{
    struct rule_chain chain;

    AN_TRY(regs_chain(regs, rules->id, &chain, reterr));
    for (size_t i = 0; i < rules->rule_count; i++) {
        const struct rule *rule = &rules->rules[i];
        struct an_yaml_node at = {.key = rule->id, .line = rule->line};
        AN_TRY(check_known(regs, rules, rule, reterr));
        const char *missing = find_missing_parameter(&chain, rule);
        if (missing)
            return an_yaml_fail(rules->doc, &at, reterr, AN_E_PARAMETER_UNKNOWN, "%.60s", missing);
        for (size_t k = 0; k < rule->looks.count; k++)
            if (!look_is_known(regs, rules->id, rule->looks.items[k]))
                return an_yaml_fail(rules->doc, &at, reterr, AN_E_LOOK_UNKNOWN, "%.60s", rule->looks.items[k]);
        for (size_t k = 0; k < i; k++)
            AN_TRY(check_pair(regs, rules, &rules->rules[k], rule, reterr));
    }
    for (size_t i = 0; i < rules->not_carried_count; i++) {
        struct an_yaml_node at = {.key = rules->not_carried[i].citation, .line = rules->not_carried[i].line};
        if (find_provision(regs, rules->not_carried[i].citation, NULL, NULL) != AN_OK)
            return an_yaml_fail(rules->doc, &at, reterr, AN_E_CITATION_UNKNOWN, "%.100s", at.key);
    }
    return AN_OK;
}
