/* An answer: gathering its parts without repeating any, what a caller asks of it, and its end. */
#include "regulation/answer.h"

const char *
answer_dup(struct answer_parts *parts, const char *text)
{
    char *copy = an_arena_str(parts->arena, an_bytes_of_str(text));

    if (!copy)
        an_die_memory(); /* what goes in is bounded by the rule files */
    return copy;
}

static void
add_text(struct text_vec *vec, const char *text)
{
    for (size_t i = 0; i < vec->count; i++)
        if (strcmp(vec->items[i], text) == 0)
            return;
    *text_vec_push(vec) = text;
}

void
answer_add_citation(struct answer_parts *parts, const char *citation)
{
    add_text(&parts->citations, citation);
}

void
answer_add_notice(struct answer_parts *parts, const char *role)
{
    add_text(&parts->notices, role);
}

void
answer_add_look(struct answer_parts *parts, const char *look)
{
    add_text(&parts->looks, look);
}

void
answer_add_form(struct answer_parts *parts, const char *citation)
{
    for (size_t i = 0; i < parts->forms.count; i++)
        if (strcmp(parts->forms.items[i].citation, citation) == 0)
            return;
    *form_vec_push(&parts->forms) = (struct an_answer_form){strrchr(citation, '/') + 1, citation};
}

void
answer_add_condition(struct answer_parts *parts, const char *fact, const char *text, const char *citation)
{
    for (size_t i = 0; i < parts->conditions.count; i++) {
        const struct an_answer_condition *other = &parts->conditions.items[i];
        bool is_same_fact = fact && other->fact && strcmp(other->fact, fact) == 0;
        bool is_same_text = !fact && !other->fact && strcmp(other->text, text) == 0;
        if (is_same_fact || is_same_text)
            return;
    }
    *condition_vec_push(&parts->conditions) = (struct an_answer_condition){fact, text, citation};
}

void
answer_add_parameter(struct answer_parts *parts, const struct an_answer_parameter *parameter)
{
    for (size_t i = 0; i < parts->parameters.count; i++)
        if (strcmp(parts->parameters.items[i].name, parameter->name) == 0)
            return;
    *parameter_vec_push(&parts->parameters) = *parameter;
}

void
answer_add_reason(struct answer_parts *parts, const char *text, const char *citation, bool decides)
{
    for (size_t i = 0; i < parts->reasons.count; i++)
        if (strcmp(parts->reasons.items[i].text, text) == 0)
            return;
    *reason_vec_push(&parts->reasons) = (struct an_answer_reason){text, citation, decides};
}

void
answer_parts_done(struct answer_parts *parts)
{
    an_arena_free(&parts->arena);
    form_vec_done(&parts->forms);
    condition_vec_done(&parts->conditions);
    text_vec_done(&parts->notices);
    text_vec_done(&parts->looks);
    text_vec_done(&parts->citations);
    parameter_vec_done(&parts->parameters);
    reason_vec_done(&parts->reasons);
}

/* The lists change hands; the parts are empty afterwards. */
struct an_answer *
answer_take(struct answer_parts *parts)
{
    struct an_answer *answer = AN_NEW(struct an_answer);

    *answer = (struct an_answer){
        .arena = parts->arena,
        .allowed = parts->allowed,
        .authority = parts->authority,
        .deadline = parts->deadline,
        .forms = parts->forms.items,
        .form_count = parts->forms.count,
        .conditions = parts->conditions.items,
        .condition_count = parts->conditions.count,
        .notices = parts->notices.items,
        .notice_count = parts->notices.count,
        .looks = parts->looks.items,
        .look_count = parts->looks.count,
        .parameters = parts->parameters.items,
        .parameter_count = parts->parameters.count,
        .reasons = parts->reasons.items,
        .reason_count = parts->reasons.count,
        .citations = parts->citations.items,
        .citation_count = parts->citations.count,
    };
    *parts = (struct answer_parts){0};
    return answer;
}

void
an_answer_free(struct an_answer **answer)
{
    if (!*answer)
        return;
    an_arena_free(&(*answer)->arena);
    free((*answer)->forms);
    free((*answer)->conditions);
    free((*answer)->notices);
    free((*answer)->looks);
    free((*answer)->parameters);
    free((*answer)->reasons);
    free((*answer)->citations);
    free(*answer);
    *answer = NULL;
}

an_code
an_answer_require(const struct an_answer *answer, bool unsaid_is_fine, struct an_err *reterr)
{
    if (answer->allowed == AN_ALLOWED_YES || (answer->allowed == AN_ALLOWED_NOT_SAID && unsaid_is_fine))
        return AN_OK;
    const struct an_answer_reason *reason = answer->reason_count ? &answer->reasons[0] : NULL;
    AN_FAIL(reterr, answer->allowed == AN_ALLOWED_NO ? AN_E_FORBIDDEN : AN_E_NOT_PROVIDED, "%s (%s)",
            reason ? reason->text : "", reason && reason->citation ? reason->citation : "");
}

const struct an_answer_parameter *
an_answer_parameter(const struct an_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->parameter_count; i++)
        if (strcmp(answer->parameters[i].name, name) == 0)
            return &answer->parameters[i];
    return NULL;
}
