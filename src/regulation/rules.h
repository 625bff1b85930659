/* Inside the room: rules as they stand in a file, and what is loaded beside them. Read: rule_read.c; weighed:
 * explain.c. */
#pragma once

#include "regulation/explain.h"
#include "regulation/internal.h"

/* ---- words.c: the vocabulary ---- */
enum fact_type { FACT_CHOICE = 0, FACT_NUMBER, FACT_DATE, FACT_TEXT };
struct word {
    const char *id, *vi, *en;
    int type;                    /* facts: enum fact_type */
    struct an_yaml_texts values; /* facts of type choice */
};
struct word_list {
    struct word *items;
    size_t count;
};
#define WORD_KINDS 7
struct words {
    struct an_yaml_doc *doc;
    struct word_list lists[WORD_KINDS]; /* by enum an_word_kind */
};
void words_free(struct words **words);
/* With the lock held. */
an_code regs_words(struct an_regulations *regs, const struct words **ret, struct an_err *reterr) AN_MUST_USE;
const struct word *words_find(const struct words *words, enum an_word_kind kind, const char *id);
/* "sender, trung-tam…" for messages. */
void words_append(const struct words *words, enum an_word_kind kind, struct an_buf *out);

/* ---- one test of one fact: "mat", [mat, toi-mat], ">= 60", ">= renew.min_days_left", "before 05-15", "official"
 * ---- */
enum test_kind { TEST_IN = 0, TEST_AT_LEAST, TEST_AT_MOST, TEST_LESS, TEST_MORE, TEST_BEFORE_DAY, TEST_OFFICIAL_MAIL };
struct fact_test {
    const struct word *fact;
    int kind;
    struct an_yaml_texts values; /* TEST_IN */
    int64_t number;
    const char *parameter; /* instead of the number */
    int month, day;        /* TEST_BEFORE_DAY */
    const char *as_text;   /* "days-left>=30": for conditions */
};
struct fact_tests {
    struct fact_test *items;
    size_t count;
};

/* ---- one rule ---- */
struct rule_deadline {
    bool is_set;
    int64_t days;
    const char *parameter; /* instead of days */
    const char *unit, *from;
    int month, day; /* "before" a day of the year */
};
struct rule {
    const char *id;
    size_t line;
    struct an_yaml_texts acts, subjects, devices, documents, roles; /* count 0 = all */
    struct an_yaml_texts other_documents;                           /* every kind but these */
    struct fact_tests when, unless, requires;
    struct an_yaml_texts allow, only, forbid, open; /* roles; "any"; "authority" */
    const char *authority;
    struct an_yaml_texts forms, conditions, notices, looks, parameters, cites;
    struct rule_deadline deadline;
    const char *says;
    an_time from_utc, to_utc;
    int rank; /* how many dimensions its scope narrows */
};
struct rule_parameter {
    const char *name, *text, *note, *cite;
    bool unconfirmed;
    an_time from_utc, to_utc;
    size_t line;
};
struct rule_doubt {
    const char *says, *cite;
    an_time from_utc;
};
struct rule_reminder {
    struct an_reminder reminder;
    an_time from_utc, to_utc;
};
struct not_carried {
    const char *citation, *why;
    size_t line;
};
struct law_rules {
    struct an_yaml_doc *doc;
    char *id;
    const char *inherits;
    struct rule *rules;
    size_t rule_count;
    struct rule_parameter *parameters;
    size_t parameter_count;
    struct rule_doubt *doubts;
    size_t doubt_count;
    struct rule_reminder *reminders;
    size_t reminder_count;
    struct not_carried *not_carried;
    size_t not_carried_count;
    struct law_rules *next;
};
an_code rules_read(struct an_yaml_doc *doc, const char *id, const struct words *words, struct law_rules **ret,
                   struct an_err *reterr) AN_MUST_USE; /* takes doc over, also on failure */
void rules_free(struct law_rules **rules);
an_code tests_read(struct an_yaml_doc *doc, const struct an_yaml_node *map, const struct words *words,
                   struct fact_tests *ret, struct an_err *reterr) AN_MUST_USE;
/* Two rules of one file that say different things about the same question, neither narrower than the other. */
an_code rules_check(struct an_regulations *regs, const struct law_rules *rules, struct an_err *reterr) AN_MUST_USE;

/* ---- with the lock held ---- */
an_code regs_rules(struct an_regulations *regs, const char *id, struct law_rules **ret,
                   struct an_err *reterr) AN_MUST_USE;
/* The file itself first, then what it inherits. */
#define CHAIN_MAX 4
struct rule_chain {
    struct law_rules *layers[CHAIN_MAX];
    size_t count;
};
an_code regs_chain(struct an_regulations *regs, const char *id, struct rule_chain *ret,
                   struct an_err *reterr) AN_MUST_USE;
struct an_answer_parameter answer_parameter_of(const struct rule_parameter *parameter);
const struct rule_parameter *chain_parameter(const struct rule_chain *chain, const char *name, an_time on_utc);

an_code chain_replaces(struct an_regulations *regs, const struct rule_chain *chain, size_t layer, const char *id,
                       an_time on_utc, bool *ret, struct an_err *reterr) AN_MUST_USE;

/* ---- rule_match.c ---- */
struct asking {
    const struct an_question *question;
    const struct words *words;
    const struct rule_chain *chain;
    struct an_regulations *regs;
};
enum test_result { TEST_NOT_GIVEN = 0, TEST_HOLDS, TEST_FAILS };
enum test_result fact_test_result(const struct asking *asking, const struct fact_test *test);
/* Acts, subject, device, document, role and `when`; not the dates. */
bool rule_matches(const struct asking *asking, const struct rule *rule);
an_code rule_is_live(struct an_regulations *regs, const struct rule *rule, an_time on_utc, bool *ret,
                     struct an_err *reterr) AN_MUST_USE;
bool texts_have(const struct an_yaml_texts *texts, const char *text);
bool act_matches(const char *pattern, const char *act); /* "sign.*" */
