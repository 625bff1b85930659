/* What stands beside the rules of a file: parameters, doubts, reminders, and the clauses that no rule carries out. */
#include "regulation/rule_reading.h"

#define PARAMETER(member) offsetof(struct rule_parameter, member)
static const struct an_yaml_field PARAMETER_FIELDS[] = {
    {"value", AN_FIELD_TEXT, true, PARAMETER(text), NULL},
    {"note", AN_FIELD_TEXT, false, PARAMETER(note), NULL},
    {"cite", AN_FIELD_CITATION, false, PARAMETER(cite), NULL},
    {"unconfirmed", AN_FIELD_FLAG, false, PARAMETER(unconfirmed), NULL},
    {"from", AN_FIELD_DATE, false, PARAMETER(from_utc), NULL},
    {"to", AN_FIELD_DATE, false, PARAMETER(to_utc), NULL},
};

static bool
spans_overlap(an_time from_a, an_time to_a, an_time from_b, an_time to_b)
{
    bool a_ends_first = to_a != AN_TIME_NONE && from_b != AN_TIME_NONE && to_a <= from_b;
    bool b_ends_first = to_b != AN_TIME_NONE && from_a != AN_TIME_NONE && to_b <= from_a;

    return !a_ends_first && !b_ends_first;
}

static an_code
read_parameter(const struct reading *reading, const struct an_yaml_node *node, const char *name,
               struct law_rules *rules)
{
    struct rule_parameter *parameter = &rules->parameters[rules->parameter_count];

    *parameter = (struct rule_parameter){.from_utc = AN_TIME_NONE, .to_utc = AN_TIME_NONE};
    AN_TRY(an_yaml_read_fields(reading->doc, node, PARAMETER_FIELDS, AN_COUNT(PARAMETER_FIELDS), parameter,
                               reading->reterr));
    parameter->name = name;
    parameter->line = node->line;
    if (parameter->unconfirmed == (parameter->cite != NULL))
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_UNCITED, "a citation, or unconfirmed: true");
    for (size_t i = 0; i < rules->parameter_count; i++) {
        const struct rule_parameter *other = &rules->parameters[i];
        if (strcmp(other->name, name) == 0 &&
            spans_overlap(other->from_utc, other->to_utc, parameter->from_utc, parameter->to_utc))
            return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_REGULATION_DATES,
                                "its time overlaps with the value on line %zu", other->line);
    }
    rules->parameter_count++;
    return AN_OK;
}

/* A parameter has one value, or a list of values each with its time. */
an_code
parameters_read(const struct reading *reading, const struct an_yaml_node *map, struct law_rules *rules)
{
    size_t count = 0;

    for (const struct an_yaml_node *node = map->first; node; node = node->next)
        count += node->kind == AN_YAML_LIST ? node->count : 1;
    rules->parameters = an_arena_alloc(reading->doc->arena, (count + 1) * sizeof(struct rule_parameter));
    if (!rules->parameters)
        return an_yaml_fail(reading->doc, map, reading->reterr, AN_E_LIMIT, "too large");
    for (const struct an_yaml_node *node = map->first; node; node = node->next) {
        if (node->kind != AN_YAML_LIST) {
            AN_TRY(read_parameter(reading, node, node->key, rules));
            continue;
        }
        for (const struct an_yaml_node *value = node->first; value; value = value->next)
            AN_TRY(read_parameter(reading, value, node->key, rules));
    }
    return AN_OK;
}

an_code
doubts_read(const struct reading *reading, const struct an_yaml_node *list, struct law_rules *rules)
{
    static const struct an_yaml_field FIELDS[] = {
        {"from", AN_FIELD_DATE, true, offsetof(struct rule_doubt, from_utc), NULL},
        {"says", AN_FIELD_TEXT, true, offsetof(struct rule_doubt, says), NULL},
        {"cite", AN_FIELD_CITATION, false, offsetof(struct rule_doubt, cite), NULL},
    };

    rules->doubts = an_arena_alloc(reading->doc->arena, (list->count + 1) * sizeof(struct rule_doubt));
    if (!rules->doubts)
        return an_yaml_fail(reading->doc, list, reading->reterr, AN_E_LIMIT, "too large");
    for (const struct an_yaml_node *node = list->first; node; node = node->next)
        AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &rules->doubts[rules->doubt_count++],
                                   reading->reterr));
    return AN_OK;
}

static an_code
read_reminder(const struct reading *reading, const struct an_yaml_node *node, struct rule_reminder *ret)
{
    struct reminder_keys {
        const char *event, *cite;
        int64_t days_before;
        struct an_yaml_texts to;
        bool unconfirmed;
        an_time from_utc, to_utc;
    } keys = {.from_utc = AN_TIME_NONE, .to_utc = AN_TIME_NONE};
    static const struct an_yaml_field FIELDS[] = {
        {"event", AN_FIELD_TEXT, true, offsetof(struct reminder_keys, event), NULL},
        {"days-before", AN_FIELD_INT64, true, offsetof(struct reminder_keys, days_before), NULL},
        {"roles", AN_FIELD_TEXTS, true, offsetof(struct reminder_keys, to), NULL},
        {"cite", AN_FIELD_CITATION, false, offsetof(struct reminder_keys, cite), NULL},
        {"unconfirmed", AN_FIELD_FLAG, false, offsetof(struct reminder_keys, unconfirmed), NULL},
        {"from", AN_FIELD_DATE, false, offsetof(struct reminder_keys, from_utc), NULL},
        {"to", AN_FIELD_DATE, false, offsetof(struct reminder_keys, to_utc), NULL},
    };

    AN_TRY(an_yaml_read_fields(reading->doc, node, FIELDS, AN_COUNT(FIELDS), &keys, reading->reterr));
    AN_TRY(check_words(reading, node, "roles", AN_WORD_ROLE, NULL, NULL));
    if (!words_find(reading->words, AN_WORD_EVENT, keys.event))
        return fail_word(reading, an_yaml_find(node, "event"), AN_WORD_EVENT, keys.event);
    if (keys.unconfirmed == (keys.cite != NULL))
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_UNCITED, "a citation, or unconfirmed: true");
    *ret = (struct rule_reminder){
        {keys.event, keys.days_before, keys.to.items, keys.to.count, keys.cite}, keys.from_utc, keys.to_utc};
    return AN_OK;
}

an_code
reminders_read(const struct reading *reading, const struct an_yaml_node *list, struct law_rules *rules)
{
    rules->reminders = an_arena_alloc(reading->doc->arena, (list->count + 1) * sizeof(struct rule_reminder));
    if (!rules->reminders)
        return an_yaml_fail(reading->doc, list, reading->reterr, AN_E_LIMIT, "too large");
    for (const struct an_yaml_node *node = list->first; node; node = node->next)
        AN_TRY(read_reminder(reading, node, &rules->reminders[rules->reminder_count++]));
    return AN_OK;
}

an_code
not_carried_read(const struct reading *reading, const struct an_yaml_node *map, struct law_rules *rules)
{
    rules->not_carried = an_arena_alloc(reading->doc->arena, (map->count + 1) * sizeof(struct not_carried));
    if (!rules->not_carried)
        return an_yaml_fail(reading->doc, map, reading->reterr, AN_E_LIMIT, "too large");
    for (const struct an_yaml_node *node = map->first; node; node = node->next) {
        if (!an_yaml_is_citation(an_bytes_of_str(node->key)))
            return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_CITATION_FORM, "a provision is expected");
        if (node->kind != AN_YAML_TEXT || !node->text[0])
            return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_TYPE, "a reason is expected");
        rules->not_carried[rules->not_carried_count++] = (struct not_carried){node->key, node->text, node->line};
    }
    return AN_OK;
}
