/*
 * A regulation asked about a day on which it is not in force: the answer is that it says nothing, since when it does,
 * and what did say something that day.
 */
#include <stdio.h>

#include "regulation/answer.h"
#include "regulation/rules.h"

#define DAY_TEXT 16

static bool
act_lives(const struct an_act *act, an_time on_utc)
{
    return (act->from_utc == AN_TIME_NONE || act->from_utc <= on_utc) &&
           (act->to_utc == AN_TIME_NONE || on_utc < act->to_utc);
}

/* "30/11/2025" */
static const char *
day_text(an_time day_utc, char ret[static DAY_TEXT])
{
    struct an_date day = an_date_of(day_utc, 420);

    snprintf(ret, DAY_TEXT, "%02d/%02d/%04d", day.day % 100, day.month % 100, day.year % 10000);
    return ret;
}

static void
say(struct answer_parts *parts, const struct an_buf *text, const char *citation, bool decides)
{
    answer_add_reason(parts, answer_dup(parts, (const char *)text->ptr), citation, decides);
    answer_add_citation(parts, citation);
}

static void
say_dates(const struct asking *asking, const struct an_act *act, struct answer_parts *parts)
{
    char day[DAY_TEXT], asked[DAY_TEXT];
    bool is_early = act->from_utc != AN_TIME_NONE && asking->question->on_utc < act->from_utc;
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(2000);

    an_buf_printf(&text, "%s %s ngày %s; ngày %s %s.", act->cited_vi,
                  is_early ? "có hiệu lực từ" : "hết hiệu lực từ",
                  day_text(is_early ? act->from_utc : act->to_utc, day), day_text(asking->question->on_utc, asked),
                  is_early ? "chưa có hiệu lực" : "không còn hiệu lực");
    if (is_early && act->replaces)
        an_buf_printf(&text, " Văn bản mà nó thay thế: %s.", act->replaces);
    if (!is_early && act->replaced_by)
        an_buf_printf(&text, " Thay thế nó: %s.", act->replaced_by);
    an_buf_byte(&text, 0);
    say(parts, &text, act->id, true);
}

/* Another regulation of the same place that was in force that day. */
static an_code
say_neighbour(const struct asking *asking, const struct law_head *head, struct answer_parts *parts,
              struct an_err *reterr)
{
    char asked[DAY_TEXT];

    AN_TRY(regs_list(asking->regs, reterr));
    for (size_t i = 0; head->place && i < asking->regs->id_count; i++) {
        struct law_head *other = NULL;
        AN_TRY(regs_head(asking->regs, asking->regs->ids[i], &other, reterr));
        bool is_here = other != head && other->has_act && other->place && strcmp(other->place, head->place) == 0;
        if (!is_here || !act_lives(&other->act, asking->question->on_utc))
            continue;
        AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(2000);
        an_buf_printf(&text, "Ngày %s áp dụng %s (hỏi với --regulation %s).",
                      day_text(asking->question->on_utc, asked), other->act.cited_vi, other->id);
        an_buf_byte(&text, 0);
        say(parts, &text, other->act.id, false);
    }
    return AN_OK;
}

/* The acts of what the regulation inherits that speak about the question that day, each once. */
static an_code
list_base_acts(const struct asking *asking, struct text_vec *ret, struct an_buf *names, struct an_err *reterr)
{
    for (size_t layer = 1; layer < asking->chain->count; layer++) {
        const struct law_rules *rules = asking->chain->layers[layer];
        for (size_t i = 0; i < rules->rule_count; i++) {
            const struct an_act *act = NULL;
            an_bytes cite = an_bytes_of_str(rules->rules[i].cites.items[0]);
            bool is_live = false, is_known = false;
            if (!rule_matches(asking, &rules->rules[i]))
                continue;
            AN_TRY(rule_is_live(asking->regs, &rules->rules[i], asking->question->on_utc, &is_live, reterr));
            AN_TRY(regs_act(asking->regs, an_bytes_slice(cite, 0, an_bytes_find(cite, AN_LIT("/"), 0)), &act, reterr));
            for (size_t at = 0; at < ret->count; at++)
                is_known = is_known || strcmp(ret->items[at], act->id) == 0;
            if (!is_live || is_known)
                continue;
            an_buf_printf(names, "%s%s", ret->count ? "; " : "", act->cited_vi);
            *text_vec_push(ret) = act->id;
        }
    }
    return AN_OK;
}

static an_code
say_base(const struct asking *asking, struct answer_parts *parts, struct an_err *reterr)
{
    char asked[DAY_TEXT];
    AN_CLEANUP(text_vec_done) struct text_vec acts = {0};
    AN_CLEANUP(an_buf_free) struct an_buf names = an_buf_new(8000), text = an_buf_new(8400);

    if (asking->chain->count < 2)
        return AN_OK;
    AN_TRY(list_base_acts(asking, &acts, &names, reterr));
    if (acts.count == 0)
        return AN_OK;
    an_buf_printf(&text, "Ngày %s nói về việc này: %.*s (hỏi với --regulation %s).",
                  day_text(asking->question->on_utc, asked), (int)names.len, (const char *)names.ptr,
                  asking->chain->layers[1]->id);
    an_buf_byte(&text, 0);
    say(parts, &text, acts.items[0], false);
    for (size_t i = 1; i < acts.count; i++)
        answer_add_citation(parts, acts.items[i]);
    return AN_OK;
}

an_code
answer_force(const struct asking *asking, struct answer_parts *parts, bool *ret_in_force, struct an_err *reterr)
{
    struct law_head *head = NULL;

    AN_TRY(regs_head(asking->regs, asking->question->regulation, &head, reterr));
    *ret_in_force = !head->has_act || act_lives(&head->act, asking->question->on_utc);
    if (*ret_in_force)
        return AN_OK;
    say_dates(asking, &head->act, parts);
    AN_TRY(say_neighbour(asking, head, parts, reterr));
    return say_base(asking, parts, reterr);
}
