/* Rules from a file to structs: every key known, every word one of the vocabulary, every parameter defined. */
#include <ctype.h>
#include <stdio.h>

#include "base/limits.h"
#include "regulation/rule_reading.h"

struct rule_keys {
    struct rule rule;
    const struct an_yaml_node *when, *unless, *requires, *cite, *conditions, *deadline;
};
#define RULE(member) offsetof(struct rule_keys, rule.member)
#define KEY(member) offsetof(struct rule_keys, member)
static const struct an_yaml_field RULE_FIELDS[] = {
    {"acts", AN_FIELD_TEXTS, true, RULE(acts), NULL},
    {"subjects", AN_FIELD_TEXTS, false, RULE(subjects), NULL},
    {"devices", AN_FIELD_TEXTS, false, RULE(devices), NULL},
    {"documents", AN_FIELD_TEXTS, false, RULE(documents), NULL},
    {"other-documents", AN_FIELD_TEXTS, false, RULE(other_documents), NULL},
    {"roles", AN_FIELD_TEXTS, false, RULE(roles), NULL},
    {"when", AN_FIELD_MAP, false, KEY(when), NULL},
    {"unless", AN_FIELD_MAP, false, KEY(unless), NULL},
    {"requires", AN_FIELD_MAP, false, KEY(requires), NULL},
    {"allow", AN_FIELD_TEXTS, false, RULE(allow), NULL},
    {"only", AN_FIELD_TEXTS, false, RULE(only), NULL},
    {"forbid", AN_FIELD_TEXTS, false, RULE(forbid), NULL},
    {"open", AN_FIELD_TEXTS, false, RULE(open), NULL},
    {"authority", AN_FIELD_TEXT, false, RULE(authority), NULL},
    {"forms", AN_FIELD_TEXTS, false, RULE(forms), NULL},
    {"conditions", AN_FIELD_TEXTS, false, RULE(conditions), NULL},
    {"notices", AN_FIELD_TEXTS, false, RULE(notices), NULL},
    {"looks", AN_FIELD_TEXTS, false, RULE(looks), NULL},
    {"parameters", AN_FIELD_TEXTS, false, RULE(parameters), NULL},
    {"deadline", AN_FIELD_MAP, false, KEY(deadline), NULL},
    {"says", AN_FIELD_TEXT, true, RULE(says), NULL},
    {"from", AN_FIELD_DATE, false, RULE(from_utc), NULL},
    {"to", AN_FIELD_DATE, false, RULE(to_utc), NULL},
    {"cite", AN_FIELD_NODE, true, KEY(cite), NULL},
};

an_code
fail_word(const struct reading *reading, const struct an_yaml_node *node, enum an_word_kind kind, const char *word)
{
    AN_CLEANUP(an_buf_free) struct an_buf list = an_buf_new(4096);

    words_append(reading->words, kind, &list);
    return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_WORD_UNKNOWN, "\"%.40s\" is not one of: %.*s", word,
                        (int)(list.len < 120 ? list.len : 120), (const char *)list.ptr);
}

an_code
check_words(const struct reading *reading, const struct an_yaml_node *map, const char *key, enum an_word_kind kind,
            const char *also, const char *also2)
{
    const struct an_yaml_node *list = an_yaml_find(map, key);

    for (const struct an_yaml_node *node = list ? list->first : NULL; node; node = node->next) {
        bool is_right = words_find(reading->words, kind, node->text) || (also && strcmp(node->text, also) == 0) ||
                        (also2 && strcmp(node->text, also2) == 0);
        if (!is_right)
            return fail_word(reading, node, kind, node->text);
    }
    return AN_OK;
}

static an_code
check_acts(const struct reading *reading, const struct an_yaml_node *map)
{
    const struct word_list *acts = &reading->words->lists[AN_WORD_ACT];

    for (const struct an_yaml_node *node = an_yaml_find(map, "acts")->first; node; node = node->next) {
        size_t i = 0;
        while (i < acts->count && !act_matches(node->text, acts->items[i].id))
            i++;
        if (i == acts->count)
            return fail_word(reading, node, AN_WORD_ACT, node->text);
    }
    return AN_OK;
}

/* ---- tests of facts ---- */

static const struct {
    const char *sign;
    int kind;
} SIGNS[] = {{">= ", TEST_AT_LEAST}, {"<= ", TEST_AT_MOST}, {"< ", TEST_LESS}, {"> ", TEST_MORE}};

/* "< 60" or "< renew.min_days_left" */
static bool
read_comparison(const char *text, struct fact_test *test)
{
    for (size_t i = 0; i < AN_COUNT(SIGNS); i++) {
        size_t len = strlen(SIGNS[i].sign);
        if (strncmp(text, SIGNS[i].sign, len) != 0)
            continue;
        test->kind = SIGNS[i].kind;
        if (isdigit((unsigned char)text[len])) {
            char *end = NULL;
            test->number = strtoll(text + len, &end, 10);
            return *end == '\0';
        }
        test->parameter = text + len;
        return text[len] != '\0';
    }
    return false;
}

/* "MM-DD" */
static bool
read_month_day(const char *text, int *ret_month, int *ret_day)
{
    for (size_t i = 0; i < 5; i++)
        if (i == 2 ? text[i] != '-' : !isdigit((unsigned char)text[i]))
            return false;
    *ret_month = (text[0] - '0') * 10 + text[1] - '0';
    *ret_day = (text[3] - '0') * 10 + text[4] - '0';
    return text[5] == '\0' && *ret_month >= 1 && *ret_month <= 12 && *ret_day >= 1 && *ret_day <= 31;
}

static bool
read_test_text(const struct an_yaml_node *node, struct fact_test *test)
{
    switch (test->fact->type) {
    case FACT_NUMBER: return read_comparison(node->text, test);
    case FACT_DATE:
        test->kind = TEST_BEFORE_DAY;
        return strncmp(node->text, "before ", 7) == 0 && read_month_day(node->text + 7, &test->month, &test->day);
    case FACT_TEXT:
        test->kind = TEST_OFFICIAL_MAIL;
        test->parameter = AN_PARAMETER_MAIL_DOMAINS;
        return strcmp(node->text, "official") == 0;
    default: return texts_have(&test->fact->values, node->text);
    }
}

static an_code
read_test(const struct reading *reading, const struct an_yaml_node *node, struct fact_test *test)
{
    test->fact = words_find(reading->words, AN_WORD_FACT, node->key);
    if (!test->fact)
        return fail_word(reading, node, AN_WORD_FACT, node->key);
    if (node->kind == AN_YAML_LIST && test->fact->type == FACT_CHOICE) {
        AN_TRY(an_yaml_read_texts(reading->doc, node, &test->values, reading->reterr));
        for (size_t i = 0; i < test->values.count; i++)
            if (!texts_have(&test->fact->values, test->values.items[i]))
                return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_WORD_UNKNOWN,
                                    "\"%.40s\" is no value of this fact", test->values.items[i]);
        return AN_OK;
    }
    if (node->kind != AN_YAML_TEXT || !read_test_text(node, test))
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_RULE_TEST,
                            "a value, a list of values, \">= N\", \"before MM-DD\" or \"official\" is expected");
    if (test->fact->type != FACT_CHOICE)
        return AN_OK;
    test->values.items = an_arena_alloc(reading->doc->arena, sizeof(char *));
    if (!test->values.items)
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_LIMIT, "too large");
    test->values.items[test->values.count++] = node->text;
    return AN_OK;
}

an_code
tests_read(struct an_yaml_doc *doc, const struct an_yaml_node *map, const struct words *words, struct fact_tests *ret,
           struct an_err *reterr)
{
    struct reading reading = {doc, words, reterr};

    if (!map)
        return AN_OK;
    ret->items = an_arena_alloc(doc->arena, (map->count + 1) * sizeof(struct fact_test));
    if (!ret->items)
        return an_yaml_fail(doc, map, reterr, AN_E_LIMIT, "too large");
    for (const struct an_yaml_node *node = map->first; node; node = node->next)
        AN_TRY(read_test(&reading, node, &ret->items[ret->count++]));
    return AN_OK;
}

/* ---- parts of a rule ---- */

static an_code
read_cites(const struct reading *reading, const struct an_yaml_node *node, struct an_yaml_texts *ret)
{
    if (node->kind == AN_YAML_LIST) {
        AN_TRY(an_yaml_read_texts(reading->doc, node, ret, reading->reterr));
    } else {
        ret->items = an_arena_alloc(reading->doc->arena, sizeof(char *));
        if (!ret->items || node->kind != AN_YAML_TEXT)
            return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_TYPE, "a citation or a list of them");
        ret->items[ret->count++] = node->text;
    }
    for (size_t i = 0; i < ret->count; i++)
        if (!an_yaml_is_citation(an_bytes_of_str(ret->items[i])))
            return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_CITATION_FORM, "%.100s", ret->items[i]);
    return ret->count ? AN_OK : an_yaml_fail(reading->doc, node, reading->reterr, AN_E_YAML_UNCITED, "no citation");
}

static const char *const UNITS[] = {"working_day", "day", "month", "year", NULL};

static an_code
read_deadline(const struct reading *reading, const struct an_yaml_node *map, struct rule_deadline *ret)
{
    struct deadline_keys {
        const char *days, *from, *before;
        int unit;
    } keys = {.unit = -1};
    static const struct an_yaml_field FIELDS[] = {
        {"days", AN_FIELD_TEXT, false, offsetof(struct deadline_keys, days), NULL},
        {"unit", AN_FIELD_CHOICE, false, offsetof(struct deadline_keys, unit), UNITS},
        {"from", AN_FIELD_TEXT, false, offsetof(struct deadline_keys, from), NULL},
        {"before", AN_FIELD_TEXT, false, offsetof(struct deadline_keys, before), NULL},
    };

    if (!map)
        return AN_OK;
    AN_TRY(an_yaml_read_fields(reading->doc, map, FIELDS, AN_COUNT(FIELDS), &keys, reading->reterr));
    ret->is_set = true;
    if (keys.before) {
        ret->unit = "date";
        bool is_date = !keys.days && !keys.from && read_month_day(keys.before, &ret->month, &ret->day);
        return is_date ? AN_OK
                       : an_yaml_fail(reading->doc, map, reading->reterr, AN_E_YAML_TYPE, "\"before\" MM-DD alone");
    }
    if (!keys.days || keys.unit < 0 || !keys.from)
        return an_yaml_fail(reading->doc, map, reading->reterr, AN_E_YAML_MISSING,
                            "\"days\", \"unit\" and \"from\", or \"before\"");
    if (!words_find(reading->words, AN_WORD_EVENT, keys.from))
        return fail_word(reading, an_yaml_find(map, "from"), AN_WORD_EVENT, keys.from);
    ret->unit = UNITS[keys.unit];
    ret->from = keys.from;
    char *end = NULL;
    ret->days = strtoll(keys.days, &end, 10);
    if (*end != '\0' || !isdigit((unsigned char)keys.days[0]))
        ret->parameter = keys.days;
    return AN_OK;
}

/* How many dimensions of the question a rule narrows: more of them outweigh fewer. */
static int
count_rank(const struct rule *rule)
{
    int rank = (rule->subjects.count > 0) + (rule->devices.count > 0) + (rule->documents.count > 0) +
               (rule->other_documents.count > 0) + (rule->roles.count > 0) + (int)rule->when.count;

    for (size_t i = 0; i < rule->acts.count; i++)
        if (strchr(rule->acts.items[i], '*'))
            return rank;
    return rank + 1;
}

static an_code
check_rule_words(const struct reading *reading, const struct an_yaml_node *node, const struct rule *rule)
{
    AN_TRY(check_acts(reading, node));
    AN_TRY(check_words(reading, node, "subjects", AN_WORD_SUBJECT, "none", NULL));
    AN_TRY(check_words(reading, node, "devices", AN_WORD_DEVICE, "none", NULL));
    AN_TRY(check_words(reading, node, "roles", AN_WORD_ROLE, NULL, NULL));
    AN_TRY(check_words(reading, node, "allow", AN_WORD_ROLE, "any", "authority"));
    AN_TRY(check_words(reading, node, "only", AN_WORD_ROLE, "authority", NULL));
    AN_TRY(check_words(reading, node, "forbid", AN_WORD_ROLE, "any", NULL));
    AN_TRY(check_words(reading, node, "open", AN_WORD_ROLE, "any", NULL));
    AN_TRY(check_words(reading, node, "notices", AN_WORD_NOTICE, NULL, NULL));
    if (rule->authority && !words_find(reading->words, AN_WORD_ROLE, rule->authority))
        return fail_word(reading, an_yaml_find(node, "authority"), AN_WORD_ROLE, rule->authority);
    return AN_OK;
}

/* A comma ends an unquoted item of a list in brackets: half a sentence is then two conditions. */
static bool
text_is_sentence(const char *text)
{
    return text[strlen(text) - 1] == '.';
}

static an_code
read_rule(const struct reading *reading, const struct an_yaml_node *node, struct rule *ret)
{
    struct rule_keys keys = {.rule = {.from_utc = AN_TIME_NONE, .to_utc = AN_TIME_NONE}};

    AN_TRY(an_yaml_read_fields(reading->doc, node, RULE_FIELDS, AN_COUNT(RULE_FIELDS), &keys, reading->reterr));
    struct rule *rule = &keys.rule;
    rule->id = node->key;
    rule->line = node->line;
    AN_TRY(check_rule_words(reading, node, rule));
    AN_TRY(tests_read(reading->doc, keys.when, reading->words, &rule->when, reading->reterr));
    AN_TRY(tests_read(reading->doc, keys.unless, reading->words, &rule->unless, reading->reterr));
    AN_TRY(tests_read(reading->doc, keys.requires, reading->words, &rule->requires, reading->reterr));
    AN_TRY(read_cites(reading, keys.cite, &rule->cites));
    AN_TRY(read_deadline(reading, keys.deadline, &rule->deadline));
    for (size_t i = 0; i < rule->conditions.count; i++)
        if (!text_is_sentence(rule->conditions.items[i]))
            return an_yaml_fail(reading->doc, an_yaml_find(node, "conditions"), reading->reterr, AN_E_YAML_TYPE,
                                "\"%.80s\": a sentence ends with a full stop (quote it when it has a comma)",
                                rule->conditions.items[i]);
    for (size_t i = 0; i < rule->forms.count; i++)
        if (!an_yaml_is_citation(an_bytes_of_str(rule->forms.items[i])) || !strchr(rule->forms.items[i], '/'))
            return an_yaml_fail(reading->doc, an_yaml_find(node, "forms"), reading->reterr, AN_E_CITATION_FORM,
                                "%.100s: a form is written act/mau-NN", rule->forms.items[i]);
    if (rule->unless.count && !rule->forbid.count)
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_RULE_TEST, "\"unless\" belongs to \"forbid\"");
    if ((rule->allow.count > 0) + (rule->only.count > 0) + (rule->forbid.count > 0) + (rule->open.count > 0) > 1)
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_RULE_CONTRADICTION,
                            "only one of \"allow\", \"only\", \"forbid\", \"open\" in one rule");
    if (rule->from_utc != AN_TIME_NONE && rule->to_utc != AN_TIME_NONE && rule->from_utc >= rule->to_utc)
        return an_yaml_fail(reading->doc, node, reading->reterr, AN_E_REGULATION_DATES, "from, to are out of order");
    rule->rank = count_rank(rule);
    *ret = *rule;
    return AN_OK;
}

static an_code
read_rule_list(const struct reading *reading, const struct an_yaml_node *map, struct law_rules *rules)
{
    if (map->count > AN_LIMIT_RULES)
        return an_yaml_fail(reading->doc, map, reading->reterr, AN_E_LIMIT, "too many rules");
    rules->rules = an_arena_alloc(reading->doc->arena, (map->count + 1) * sizeof(struct rule));
    if (!rules->rules)
        return an_yaml_fail(reading->doc, map, reading->reterr, AN_E_LIMIT, "too large");
    for (const struct an_yaml_node *node = map->first; node; node = node->next)
        AN_TRY(read_rule(reading, node, &rules->rules[rules->rule_count++]));
    return AN_OK;
}

/* What stands below the articles is read by nobody else, so this is where an unknown key of the file is found. */
static an_code
check_root(struct an_yaml_doc *doc, struct an_err *reterr)
{
    static const char *const KEYS[] = {"act",   "place",      "inherits", "looks",     "articles",
                                       "rules", "parameters", "doubts",   "reminders", "not-carried"};

    for (const struct an_yaml_node *node = doc->root->first; node; node = node->next) {
        size_t i = 0;
        while (i < AN_COUNT(KEYS) && strcmp(KEYS[i], node->key) != 0)
            i++;
        if (i == AN_COUNT(KEYS))
            return an_yaml_fail(doc, node, reterr, AN_E_YAML_KEY, "this key is not known here");
    }
    return AN_OK;
}

/* Takes doc over, also on failure. The other keys of the file are the business of head.c and article.c. */
an_code
rules_read(struct an_yaml_doc *doc, const char *id, const struct words *words, struct law_rules **ret,
           struct an_err *reterr)
{
    static const struct {
        const char *key;
        enum an_yaml_kind kind;
        an_code (*read)(const struct reading *, const struct an_yaml_node *, struct law_rules *);
    } PARTS[] = {
        {"rules", AN_YAML_MAP, read_rule_list},         {"parameters", AN_YAML_MAP, parameters_read},
        {"doubts", AN_YAML_LIST, doubts_read},          {"reminders", AN_YAML_LIST, reminders_read},
        {"not-carried", AN_YAML_MAP, not_carried_read},
    };
    AN_CLEANUP(rules_free) struct law_rules *rules = AN_NEW(struct law_rules);
    struct reading reading = {doc, words, reterr};

    *rules = (struct law_rules){.doc = doc, .id = an_strdup(id)};
    AN_TRY(check_root(doc, reterr));
    const struct an_yaml_node *inherits = an_yaml_find(doc->root, "inherits");
    rules->inherits = inherits && inherits->kind == AN_YAML_TEXT && inherits->text[0] ? inherits->text : NULL;
    for (size_t i = 0; i < AN_COUNT(PARTS); i++) {
        const struct an_yaml_node *part = an_yaml_find(doc->root, PARTS[i].key);
        if (!part)
            continue;
        if (part->kind != PARTS[i].kind)
            return an_yaml_fail(doc, part, reterr, AN_E_YAML_TYPE, "a %s is expected here",
                                PARTS[i].kind == AN_YAML_MAP ? "map" : "list");
        AN_TRY(PARTS[i].read(&reading, part, rules));
    }
    *ret = rules;
    rules = NULL;
    return AN_OK;
}

void
rules_free(struct law_rules **rules)
{
    if (!*rules)
        return;
    an_yaml_free(&(*rules)->doc);
    free((*rules)->id);
    free(*rules);
    *rules = NULL;
}
