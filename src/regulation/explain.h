/*
 * "What binds this act, for this role, this subject, this device, on this day": the question that everything which
 * authorises, routes, sets a deadline, picks a form or tells somebody asks. The answer comes from the `rules` of
 * regulations/<id>.yaml and of what that file inherits, as they stand on the day; each part names its article.
 *
 * The words (roles, acts, facts…) are those of docs/glossary.md and stand in regulations/words.yaml. How rules are
 * weighed against each other: docs/decisions/067-rules.md. Callbacks of this header may ask again.
 */
#pragma once

#include "regulation/regulation.h"

struct an_fact {
    const char *name, *value; /* "secrecy", "thuong" */
};
struct an_question {
    const char *regulation; /* "dong-thap-2025"; "quoc-gia" = the national base alone */
    an_time on_utc;         /* the day, in Vietnam's zone */
    const char *act;        /* "request.new" */
    const char *actor, *subject, *device, *document; /* NULL = not said */
    const struct an_fact *facts;
    size_t fact_count;
};

enum an_allowed {
    AN_ALLOWED_NOT_SAID = 0, /* null: the texts do not say */
    AN_ALLOWED_YES,
    AN_ALLOWED_NO,
};
struct an_answer_form {
    const char *id;       /* "mau-06", of the act in force that day */
    const char *citation; /* "nd-68-2024/mau-06", "tt-185-2019/mau-14"; names the form without doubt */
};
/* What must hold for "yes" and was not said in the question. fact NULL = something that no fact stands for. */
struct an_answer_condition {
    const char *fact; /* "signed-by-authorised=yes", "days-left>=30" */
    const char *text; /* Vietnamese sentence */
    const char *citation;
};
struct an_answer_deadline {
    bool is_set;
    int64_t days;         /* -1 when it is a date: before_utc */
    const char *unit;     /* "working_day", "day", "month", "year", "date" */
    const char *from;     /* the event it runs from: "valid-dossier", "revocation-notice"…; NULL for a date */
    an_time before_utc;   /* AN_TIME_NONE unless unit is "date": must be done before this moment */
    bool unconfirmed;     /* the number is a parameter of ours, no text was found */
    const char *citation; /* NULL when unconfirmed */
};
struct an_answer_parameter {
    const char *name; /* "renew.min_days_left" */
    bool is_number;
    int64_t number;
    const char *text; /* the value as text, always */
    bool unconfirmed;
    const char *note, *citation; /* either may be NULL */
};
struct an_answer_reason {
    const char *text; /* Vietnamese sentence */
    const char *citation;
    bool decides; /* false: tells more than what decided */
};
struct an_answer {
    struct an_arena *arena; /* owns every text here that the regulations do not */
    enum an_allowed allowed;
    const char *authority; /* the role that decides or receives; NULL = not said */
    struct an_answer_deadline deadline;
    struct an_answer_form *forms;           size_t form_count;
    struct an_answer_condition *conditions; size_t condition_count;
    const char **notices;                   size_t notice_count; /* roles, "sender", "trung-tam" */
    const char **looks;                     size_t look_count;   /* ids for an_look_find */
    struct an_answer_parameter *parameters; size_t parameter_count;
    struct an_answer_reason *reasons;       size_t reason_count; /* what decided comes first */
    const char **citations;                 size_t citation_count; /* the most specific first */
};
/* AN_E_REGULATION_UNKNOWN; AN_E_WORD_UNKNOWN (an act, role, fact or value that is no word here: the detail lists them);
 * AN_E_RULE_* when a rule file is faulty. regs must outlive the answer. */
an_code an_regulation_explain(struct an_regulations *regs, const struct an_question *question, struct an_answer **ret,
                              struct an_err *reterr) AN_MUST_USE;
void an_answer_free(struct an_answer **answer);
/* AN_E_FORBIDDEN with the deciding reason and its article as detail when allowed is "no"; when the texts do not say,
 * AN_E_NOT_PROVIDED unless unsaid_is_fine. */
an_code an_answer_require(const struct an_answer *answer, bool unsaid_is_fine, struct an_err *reterr) AN_MUST_USE;
/* The answer's parameter; NULL when it has none of this name. */
const struct an_answer_parameter *an_answer_parameter(const struct an_answer *answer, const char *name);

/* A parameter of a regulation on a day, wherever the chain of inheritance defines it. AN_E_PARAMETER_UNKNOWN. */
an_code an_regulation_parameter(struct an_regulations *regs, const char *regulation, an_time on_utc, const char *name,
                                struct an_answer_parameter *ret, struct an_err *reterr) AN_MUST_USE;

/* Whose addresses are "do cơ quan nhà nước cấp": domains parted by commas; each stands for itself and what is below it.
 * No text lists them. Addresses are compared without case. */
#define AN_PARAMETER_MAIL_DOMAINS "mail.official_domains"
bool an_mail_is_official(const char *domains, const char *address);

/* All parameters of a day, each once, the nearest value. */
typedef void (*an_parameter_fn)(void *context, const struct an_answer_parameter *parameter);
an_code an_parameter_each(struct an_regulations *regs, const char *regulation, an_time on_utc, an_parameter_fn each,
                          void *context, struct an_err *reterr) AN_MUST_USE;

/* ---- the rules themselves, for people who read them ---- */
struct an_rule {
    const char *id, *regulation; /* its file */
    size_t line;
    const char *says;
    const char *const *acts;      size_t act_count; /* "sign.*" */
    const char *const *citations; size_t citation_count;
};
typedef void (*an_rule_fn)(void *context, const struct an_rule *rule);
/* The rules in force on a day: of the regulation, then of what it inherits and does not replace. */
an_code an_rule_each(struct an_regulations *regs, const char *regulation, an_time on_utc, an_rule_fn each,
                     void *context, struct an_err *reterr) AN_MUST_USE;

/* ---- words: every list of what a question may be made of, in the order of regulations/words.yaml ---- */
enum an_word_kind { AN_WORD_ACT = 0, AN_WORD_ROLE, AN_WORD_SUBJECT, AN_WORD_DEVICE, AN_WORD_NOTICE, AN_WORD_FACT,
                   AN_WORD_EVENT };
typedef void (*an_word_fn)(void *context, const char *word, const char *vi, const char *en);
an_code an_word_each(struct an_regulations *regs, enum an_word_kind kind, an_word_fn each, void *context,
                     struct an_err *reterr) AN_MUST_USE;
/* The Vietnamese (English) name of a word; the word itself when it has none. Borrowed until close. */
const char *an_word_name(struct an_regulations *regs, enum an_word_kind kind, const char *word, bool english);

/* ---- reminders: what is told before something ends ---- */
struct an_reminder {
    const char *event;    /* "certificate-expiry", "retirement", "transfer" */
    int64_t days_before;
    const char *const *to; size_t to_count; /* roles */
    const char *citation; /* NULL: unconfirmed */
};
typedef void (*an_reminder_fn)(void *context, const struct an_reminder *reminder);
an_code an_reminder_each(struct an_regulations *regs, const char *regulation, an_time on_utc, an_reminder_fn each,
                         void *context, struct an_err *reterr) AN_MUST_USE;

/* One more regulation from a file outside the data folder, under the id of its name (dir/ninh-binh-2025.yaml); it may
 * inherit from those of the folder. AN_E_YAML_DUPLICATE when the id is taken. */
an_code an_regulations_add_file(struct an_regulations *regs, const char *path, struct an_err *reterr) AN_MUST_USE;
