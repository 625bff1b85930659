/* Inside the room: the parts of an answer while it is put together. */
#pragma once

#include "regulation/rules.h"

AN_VEC(text_vec, const char *);
AN_VEC(form_vec, struct an_answer_form);
AN_VEC(condition_vec, struct an_answer_condition);
AN_VEC(parameter_vec, struct an_answer_parameter);
AN_VEC(reason_vec, struct an_answer_reason);
struct answer_parts {
    struct an_arena *arena;
    enum an_allowed allowed;
    const char *authority;
    struct an_answer_deadline deadline;
    struct form_vec forms;
    struct condition_vec conditions;
    struct text_vec notices, looks, citations;
    struct parameter_vec parameters;
    struct reason_vec reasons;
};
/* Each is added once; texts are borrowed unless dup'd into the arena. */
const char *answer_dup(struct answer_parts *parts, const char *text);
void answer_add_citation(struct answer_parts *parts, const char *citation);
void answer_add_notice(struct answer_parts *parts, const char *role);
void answer_add_look(struct answer_parts *parts, const char *look);
void answer_add_form(struct answer_parts *parts, const char *citation);
void answer_add_condition(struct answer_parts *parts, const char *fact, const char *text, const char *citation);
void answer_add_parameter(struct answer_parts *parts, const struct an_answer_parameter *parameter);
void answer_add_reason(struct answer_parts *parts, const char *text, const char *citation, bool decides);
void answer_parts_done(struct answer_parts *parts); /* for AN_CLEANUP */
struct an_answer *answer_take(struct answer_parts *parts) AN_MUST_USE;

/* force.c: is the regulation in force on the day? When not, the answer says since (until) when, and what was. */
an_code answer_force(const struct asking *asking, struct answer_parts *parts, bool *ret_in_force,
                     struct an_err *reterr) AN_MUST_USE;
