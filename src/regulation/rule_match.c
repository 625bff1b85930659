/* Does a rule speak about a question? And is it in force on the day? */
#include <ctype.h>
#include <errno.h>

#include "base/utf8.h"
#include "regulation/rules.h"

bool
texts_have(const struct an_yaml_texts *texts, const char *text)
{
    for (size_t i = 0; text && i < texts->count; i++)
        if (strcmp(texts->items[i], text) == 0)
            return true;
    return false;
}

bool
act_matches(const char *pattern, const char *act)
{
    size_t len = strlen(pattern);

    if (len > 2 && strcmp(pattern + len - 2, ".*") == 0)
        return strncmp(pattern, act, len - 1) == 0;
    return strcmp(pattern, act) == 0;
}

static const char *
find_fact(const struct an_question *question, const char *name)
{
    for (size_t i = 0; i < question->fact_count; i++)
        if (strcmp(question->facts[i].name, name) == 0)
            return question->facts[i].value;
    return NULL;
}

/* The bound of a test: its own number, or the parameter's on that day. A parameter is looked up when it is read. */
static int64_t
test_bound(const struct asking *asking, const struct fact_test *test)
{
    if (!test->parameter)
        return test->number;
    const struct rule_parameter *parameter = chain_parameter(asking->chain, test->parameter, asking->question->on_utc);
    return parameter ? strtoll(parameter->text, NULL, 10) : test->number;
}

static bool
compare_number(int kind, int64_t value, int64_t bound)
{
    switch (kind) {
    case TEST_AT_LEAST: return value >= bound;
    case TEST_AT_MOST: return value <= bound;
    case TEST_LESS: return value < bound;
    default: return value > bound;
    }
}

static bool
is_before_day(const char *value, const struct fact_test *test)
{
    struct an_date sent = an_date_of(an_time_parse(an_bytes_of_str(value)), 420);

    return sent.month < test->month || (sent.month == test->month && sent.day < test->day);
}

bool
an_mail_is_official(const char *domains, const char *address)
{
    const char *at = strrchr(address, '@');

    if (!at || at == address || at[1] == '\0')
        return false;
    size_t len = strlen(at + 1);
    for (const char *domain = domains; *domain;) {
        size_t domain_len = strcspn(domain, ", ");
        bool is_tail = domain_len > 0 && len >= domain_len &&
            strncasecmp(at + 1 + len - domain_len, domain, domain_len) == 0;
        if (is_tail && (len == domain_len || at[len - domain_len] == '.'))
            return true;
        domain += domain_len + strspn(domain + domain_len, ", ");
    }
    return false;
}

static bool
is_official_mail(const struct asking *asking, const char *address)
{
    const struct rule_parameter *domains = chain_parameter(asking->chain, AN_PARAMETER_MAIL_DOMAINS,
                                                           asking->question->on_utc);

    return an_mail_is_official(domains ? domains->text : "", address);
}

enum test_result
fact_test_result(const struct asking *asking, const struct fact_test *test)
{
    const char *value = find_fact(asking->question, test->fact->id);
    bool holds = false;

    if (!value)
        return TEST_NOT_GIVEN;
    switch (test->kind) {
    case TEST_IN: holds = texts_have(&test->values, value); break;
    case TEST_BEFORE_DAY: holds = is_before_day(value, test); break;
    case TEST_OFFICIAL_MAIL: holds = is_official_mail(asking, value); break;
    default: holds = compare_number(test->kind, strtoll(value, NULL, 10), test_bound(asking, test)); break;
    }
    return holds ? TEST_HOLDS : TEST_FAILS;
}

/* A dimension that the rule narrows must be said in the question, and be one of the rule's. "none": also when
 * unsaid. */
static bool
dimension_matches(const struct an_yaml_texts *allowed, const char *value)
{
    return allowed->count == 0 || texts_have(allowed, value ? value : "none");
}

static bool
any_act_matches(const struct an_yaml_texts *patterns, const char *act)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (act_matches(patterns->items[i], act))
            return true;
    return false;
}

bool
rule_matches(const struct asking *asking, const struct rule *rule)
{
    const struct an_question *question = asking->question;

    if (!any_act_matches(&rule->acts, question->act) || !dimension_matches(&rule->subjects, question->subject) ||
        !dimension_matches(&rule->devices, question->device) ||
        !dimension_matches(&rule->documents, question->document) || !dimension_matches(&rule->roles, question->actor))
        return false;
    if (rule->other_documents.count && (!question->document || texts_have(&rule->other_documents, question->document)))
        return false;
    for (size_t i = 0; i < rule->when.count; i++)
        if (fact_test_result(asking, &rule->when.items[i]) != TEST_HOLDS)
            return false;
    return true;
}

static bool
is_within(an_time from, an_time to, an_time on)
{
    return (from == AN_TIME_NONE || from <= on) && (to == AN_TIME_NONE || on < to);
}

/* A rule lives as long as every act it cites is in force, and within its own dates where it has some. */
an_code
rule_is_live(struct an_regulations *regs, const struct rule *rule, an_time on_utc, bool *ret, struct an_err *reterr)
{
    *ret = is_within(rule->from_utc, rule->to_utc, on_utc);
    for (size_t i = 0; *ret && i < rule->cites.count; i++) {
        const struct an_act *act = NULL;
        an_bytes cite = an_bytes_of_str(rule->cites.items[i]);
        AN_TRY(regs_act(regs, an_bytes_slice(cite, 0, an_bytes_find(cite, AN_LIT("/"), 0)), &act, reterr));
        *ret = is_within(act->from_utc, act->to_utc, on_utc);
    }
    return AN_OK;
}
