/*
 * Rules from a hostile editor: read, checked for contradictions, and then asked every act with roles and facts, on days
 * on both sides of the acts that the shipped data knows. Calendars go the same way.
 */
#include "regulation/calendar.h"
#include "regulation/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct an_regulations *regs;
static const struct words *words;

static struct an_yaml_doc *
parse(const uint8_t *data, size_t size)
{
    struct an_yaml_doc *doc = NULL;

    return an_yaml_parse(AN_BYTES(data, size), "fuzz/thu.yaml", NULL, &doc, NULL) == AN_OK ? doc : NULL;
}

static void
ask(const char *act, const char *actor, const char *on)
{
    static const struct an_fact FACTS[] = {{"secrecy", "mat"},           {"days-left", "45"},
                                           {"sent", "2026-05-15"},       {"email", "a@tayninh.gov.vn"},
                                           {"written-permission", "yes"}, {"signature", "incomplete"}};
    for (size_t count = 0; count <= AN_COUNT(FACTS); count += 3) {
        struct an_question question = {"thu", an_time_parse(an_bytes_of_str(on)), act, actor, "agency", "pki-token",
                                       "quyet-dinh", FACTS, count};
        struct an_answer *answer = NULL;
        if (an_regulation_explain(regs, &question, &answer, NULL) != AN_OK)
            continue;
        if (answer->allowed == AN_ALLOWED_NO && answer->reason_count == 0)
            __builtin_trap(); /* a refusal always says why */
        an_answer_free(&answer);
    }
}

/* The file takes its place beside the shipped ones for as long as it is asked. */
static void
ask_all(struct law_rules *rules, struct law_head *head)
{
    rules->inherits = NULL;
    rules->next = regs->rules;
    regs->rules = rules;
    head->next = regs->heads;
    regs->heads = head;
    (void)!rules_check(regs, rules, NULL);
    for (size_t i = 0; i < words->lists[AN_WORD_ACT].count; i++) {
        ask(words->lists[AN_WORD_ACT].items[i].id, "van-thu", "2026-01-05");
        ask(words->lists[AN_WORD_ACT].items[i].id, NULL, "2023-06-01");
    }
    for (struct law_rules **at = &regs->rules; *at; at = &(*at)->next)
        if (*at == rules) {
            *at = rules->next;
            break;
        }
    for (struct law_head **at = &regs->heads; *at; at = &(*at)->next)
        if (*at == head) {
            *at = head->next;
            break;
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct law_rules *rules = NULL;
    struct law_head *head = NULL;
    struct an_calendar *calendar = NULL;

    if (!regs && (an_regulations_open(NULL, &regs, NULL) != AN_OK || regs_words(regs, &words, NULL) != AN_OK))
        __builtin_trap();
    struct an_yaml_doc *doc = parse(data, size);
    if (doc && rules_read(doc, "thu", words, &rules, NULL) == AN_OK) {
        doc = parse(data, size);
        if (doc && head_read(doc, "thu", &head, NULL) == AN_OK)
            ask_all(rules, head);
    }
    head_free(&head);
    rules_free(&rules);
    doc = parse(data, size);
    if (doc && calendar_read(doc, &calendar, NULL) == AN_OK) {
        an_time from = an_time_parse(AN_LIT("2026-01-05"));
        struct an_due due = an_calendar_add_working_days(calendar, from, 12);
        if (due.due_utc <= from || !an_calendar_is_working(calendar, due.last_day_utc))
            __builtin_trap();
    }
    an_calendar_close(&calendar);
    return 0;
}
