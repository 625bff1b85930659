/* Rules by the id of their file, the chain of inheritance, and what is looked up along it. */
#include <unistd.h>

#include "regulation/rules.h"

an_code
regs_rules(struct an_regulations *regs, const char *id, struct law_rules **ret, struct an_err *reterr)
{
    const struct words *words = NULL;
    struct an_yaml_doc *doc = NULL;

    for (struct law_rules *rules = regs->rules; rules; rules = rules->next) {
        if (strcmp(rules->id, id) == 0) {
            *ret = rules;
            return AN_OK;
        }
    }
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    AN_TRY(regs_path(regs, id, &path, reterr));
    AN_TRY(regs_words(regs, &words, reterr));
    AN_TRY(an_yaml_load(path, NULL, &doc, reterr));
    AN_TRY(rules_read(doc, id, words, ret, reterr));
    (*ret)->next = regs->rules;
    regs->rules = *ret;
    return AN_OK;
}

an_code
regs_chain(struct an_regulations *regs, const char *id, struct rule_chain *ret, struct an_err *reterr)
{
    *ret = (struct rule_chain){.count = 0};
    for (const char *at = id; at && ret->count < CHAIN_MAX;) {
        struct law_rules *rules = NULL;
        AN_TRY(regs_rules(regs, at, &rules, reterr));
        ret->layers[ret->count++] = rules;
        at = rules->inherits;
    }
    return AN_OK;
}

static bool
is_within(an_time from, an_time to, an_time on)
{
    return (from == AN_TIME_NONE || from <= on) && (to == AN_TIME_NONE || on < to);
}

/* The nearest layer that has a value for the day. */
const struct rule_parameter *
chain_parameter(const struct rule_chain *chain, const char *name, an_time on_utc)
{
    for (size_t i = 0; i < chain->count; i++)
        for (size_t k = 0; k < chain->layers[i]->parameter_count; k++) {
            const struct rule_parameter *parameter = &chain->layers[i]->parameters[k];
            if (strcmp(parameter->name, name) == 0 && is_within(parameter->from_utc, parameter->to_utc, on_utc))
                return parameter;
        }
    return NULL;
}

struct an_answer_parameter
answer_parameter_of(const struct rule_parameter *parameter)
{
    char *end = NULL;
    int64_t number = strtoll(parameter->text, &end, 10);

    return (struct an_answer_parameter){.name = parameter->name,
                                        .is_number = end != parameter->text && *end == '\0',
                                        .number = number,
                                        .text = parameter->text,
                                        .unconfirmed = parameter->unconfirmed,
                                        .note = parameter->note,
                                        .citation = parameter->cite};
}

an_code
an_regulation_parameter(struct an_regulations *regs, const char *regulation, an_time on_utc, const char *name,
                        struct an_answer_parameter *ret, struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    struct rule_chain chain;

    AN_TRY(regs_chain(locked, regulation, &chain, reterr));
    const struct rule_parameter *parameter = chain_parameter(&chain, name, on_utc);
    if (!parameter)
        AN_FAIL(reterr, AN_E_PARAMETER_UNKNOWN, "%s: %.60s", regulation, name);
    *ret = answer_parameter_of(parameter);
    return AN_OK;
}

/* What was loaded never changes, so it is walked without the lock: a callback may ask again. */
static an_code
load_chain(struct an_regulations *regs, const char *id, struct rule_chain *ret, struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    return regs_chain(locked, id, ret, reterr);
}

/* Defined nearer, for the same day. */
static bool
is_hidden_parameter(const struct rule_chain *chain, const struct rule_parameter *parameter, an_time on_utc)
{
    return chain_parameter(chain, parameter->name, on_utc) != parameter;
}

an_code
an_parameter_each(struct an_regulations *regs, const char *regulation, an_time on_utc, an_parameter_fn each,
                  void *context, struct an_err *reterr)
{
    struct rule_chain chain;

    AN_TRY(load_chain(regs, regulation, &chain, reterr));
    for (size_t i = 0; i < chain.count; i++)
        for (size_t k = 0; k < chain.layers[i]->parameter_count; k++) {
            const struct rule_parameter *parameter = &chain.layers[i]->parameters[k];
            if (is_hidden_parameter(&chain, parameter, on_utc))
                continue;
            struct an_answer_parameter shown = answer_parameter_of(parameter);
            each(context, &shown);
        }
    return AN_OK;
}

/* A rule of the same id in a nearer file, in force that day, stands in this one's place. */
an_code
chain_replaces(struct an_regulations *regs, const struct rule_chain *chain, size_t layer, const char *id,
               an_time on_utc, bool *ret, struct an_err *reterr)
{
    *ret = false;
    for (size_t i = 0; i < layer; i++)
        for (size_t k = 0; k < chain->layers[i]->rule_count && !*ret; k++)
            if (strcmp(chain->layers[i]->rules[k].id, id) == 0)
                AN_TRY(rule_is_live(regs, &chain->layers[i]->rules[k], on_utc, ret, reterr));
    return AN_OK;
}

static an_code
rule_speaks(struct an_regulations *regs, const struct rule_chain *chain, size_t layer, const struct rule *rule,
            an_time on_utc, bool *ret, struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    bool is_gone = false;

    AN_TRY(rule_is_live(locked, rule, on_utc, ret, reterr));
    AN_TRY(chain_replaces(locked, chain, layer, rule->id, on_utc, &is_gone, reterr));
    *ret = *ret && !is_gone;
    return AN_OK;
}

an_code
an_rule_each(struct an_regulations *regs, const char *regulation, an_time on_utc, an_rule_fn each, void *context,
             struct an_err *reterr)
{
    struct rule_chain chain;

    AN_TRY(load_chain(regs, regulation, &chain, reterr));
    for (size_t i = 0; i < chain.count; i++)
        for (size_t k = 0; k < chain.layers[i]->rule_count; k++) {
            const struct rule *rule = &chain.layers[i]->rules[k];
            bool speaks = false;
            AN_TRY(rule_speaks(regs, &chain, i, rule, on_utc, &speaks, reterr));
            if (!speaks)
                continue;
            struct an_rule shown = {rule->id,         chain.layers[i]->id, rule->line,        rule->says,
                                    rule->acts.items, rule->acts.count,    rule->cites.items, rule->cites.count};
            each(context, &shown);
        }
    return AN_OK;
}

an_code
an_reminder_each(struct an_regulations *regs, const char *regulation, an_time on_utc, an_reminder_fn each,
                 void *context, struct an_err *reterr)
{
    struct rule_chain chain;

    AN_TRY(load_chain(regs, regulation, &chain, reterr));
    for (size_t i = 0; i < chain.count; i++)
        for (size_t k = 0; k < chain.layers[i]->reminder_count; k++) {
            const struct rule_reminder *reminder = &chain.layers[i]->reminders[k];
            if (is_within(reminder->from_utc, reminder->to_utc, on_utc))
                each(context, &reminder->reminder);
        }
    return AN_OK;
}
