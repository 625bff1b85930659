/* Looks: finding one by its id, in a regulation and what it inherits, or anywhere. */
#include "regulation/internal.h"

static const struct an_look *
find_in_head(const struct law_head *head, const char *look_id)
{
    for (size_t i = 0; i < head->look_count; i++)
        if (strcmp(head->looks[i].id, look_id) == 0)
            return &head->looks[i];
    return NULL;
}

/* The look in this regulation, or in what it inherits from; NULL in *ret when neither has it. */
static an_code
find_inherited(struct an_regulations *regs, const char *regulation, const char *look_id, const struct an_look **ret,
               struct an_err *reterr)
{
    const char *id = regulation;

    *ret = NULL;
    for (int steps = 0; id && steps < 4 && !*ret; steps++) {
        struct law_head *head = NULL;
        AN_TRY(regs_head(regs, id, &head, reterr));
        *ret = find_in_head(head, look_id);
        id = head->inherits;
    }
    return AN_OK;
}

struct id_list {
    struct an_buf text;
};

static void
append_id(void *context, const struct an_look *look)
{
    struct id_list *list = context;

    an_buf_printf(&list->text, "%s%s", list->text.len ? ", " : "", look->id);
}

static an_code
each_of_head(struct an_regulations *regs, const struct law_head *head, an_look_fn each, void *context,
             struct an_err *reterr)
{
    for (size_t i = 0; i < head->look_count; i++)
        each(context, &head->looks[i]);
    if (!head->inherits)
        return AN_OK;
    struct law_head *base = NULL;
    AN_TRY(regs_head(regs, head->inherits, &base, reterr));
    for (size_t i = 0; i < base->look_count; i++)
        if (!find_in_head(head, base->looks[i].id))
            each(context, &base->looks[i]);
    return AN_OK;
}

static an_code
each_look(struct an_regulations *regs, const char *regulation, an_look_fn each, void *context, struct an_err *reterr)
{
    struct law_head *head = NULL;

    if (regulation) {
        AN_TRY(regs_head(regs, regulation, &head, reterr));
        return each_of_head(regs, head, each, context, reterr);
    }
    AN_TRY(regs_list(regs, reterr));
    for (size_t i = 0; i < regs->id_count; i++) {
        AN_TRY(regs_head(regs, regs->ids[i], &head, reterr));
        for (size_t k = 0; k < head->look_count; k++)
            each(context, &head->looks[k]);
    }
    return AN_OK;
}

an_code
an_look_each(struct an_regulations *regs, const char *regulation, an_look_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    return each_look(locked, regulation, each, context, reterr);
}

/* Cheap first: the national base alone, and only then the other files. */
static an_code
find_anywhere(struct an_regulations *regs, const char *look_id, const struct an_look **ret, struct an_err *reterr)
{
    AN_TRY(find_inherited(regs, NATIONAL_BASE, look_id, ret, reterr));
    if (*ret)
        return AN_OK;
    AN_TRY(regs_list(regs, reterr));
    for (size_t i = 0; i < regs->id_count && !*ret; i++) {
        struct law_head *head = NULL;
        AN_TRY(regs_head(regs, regs->ids[i], &head, reterr));
        *ret = find_in_head(head, look_id);
    }
    return AN_OK;
}

an_code
an_look_find(struct an_regulations *regs, const char *regulation, const char *look_id, const struct an_look **ret,
             struct an_err *reterr)
{
    const struct an_look *look = NULL;
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);

    if (regulation)
        AN_TRY(find_inherited(locked, regulation, look_id, &look, reterr));
    else
        AN_TRY(find_anywhere(locked, look_id, &look, reterr));
    if (look) {
        *ret = look;
        return AN_OK;
    }
    struct id_list list = {.text = an_buf_new(4096)};
    an_code code = each_look(locked, regulation, append_id, &list, reterr);
    if (code == AN_OK)
        code = an_err_set(reterr, AN_E_LOOK_UNKNOWN, "%.60s (%.*s)", look_id, AN_FMT(an_buf_view(&list.text)));
    an_buf_free(&list.text);
    return code;
}
