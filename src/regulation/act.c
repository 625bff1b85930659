/* Acts, and the words of a citation. */
#include <ctype.h>
#include <stdio.h>

#include "regulation/internal.h"

static const char *const DIVISIONS[] = {"dieu", "muc", NULL};
static const char *const APPENDIX_NUMBERS[] = {"roman", "arabic", NULL};

#define ACT(member) offsetof(struct an_act, member)
static const struct an_yaml_field ACT_FIELDS[] = {
    {"cited-vi", AN_FIELD_TEXT, true, ACT(cited_vi), NULL},
    {"cited-en", AN_FIELD_TEXT, true, ACT(cited_en), NULL},
    {"title-vi", AN_FIELD_TEXT, true, ACT(title_vi), NULL},
    {"title-en", AN_FIELD_TEXT, true, ACT(title_en), NULL},
    {"number", AN_FIELD_TEXT, false, ACT(number), NULL},
    {"issuer", AN_FIELD_TEXT, false, ACT(issuer), NULL},
    {"issued", AN_FIELD_DATE, false, ACT(issued), NULL},
    {"from", AN_FIELD_DATE, false, ACT(from_utc), NULL},
    {"to", AN_FIELD_DATE, false, ACT(to_utc), NULL},
    {"replaced-by", AN_FIELD_TEXT, false, ACT(replaced_by), NULL},
    {"replaces", AN_FIELD_TEXT, false, ACT(replaces), NULL},
    {"note", AN_FIELD_TEXT, false, ACT(note), NULL},
    {"file", AN_FIELD_TEXT, false, ACT(file), NULL},
    {"doubtful-from", AN_FIELD_DATE, false, ACT(doubtful_utc), NULL},
    {"division", AN_FIELD_CHOICE, false, ACT(division), DIVISIONS},
    {"appendices", AN_FIELD_CHOICE, false, ACT(appendix_digits), APPENDIX_NUMBERS},
};

an_code
act_read(struct an_yaml_doc *doc, const struct an_yaml_node *map, const char *id, struct an_act *ret,
         struct an_err *reterr)
{
    struct an_act act = {
        .issued = AN_TIME_NONE, .from_utc = AN_TIME_NONE, .to_utc = AN_TIME_NONE, .doubtful_utc = AN_TIME_NONE};

    AN_TRY(an_yaml_read_fields(doc, map, ACT_FIELDS, AN_COUNT(ACT_FIELDS), &act, reterr));
    act.id = an_arena_str(doc->arena, an_bytes_of_str(id));
    if (!act.id)
        return an_yaml_fail(doc, map, reterr, AN_E_LIMIT, "too large");
    if (!act.file)
        act.file = act.id;
    bool in_order = (act.from_utc == AN_TIME_NONE || act.to_utc == AN_TIME_NONE || act.from_utc < act.to_utc) &&
                    (act.issued == AN_TIME_NONE || act.from_utc == AN_TIME_NONE || act.issued <= act.from_utc);
    if (!in_order)
        return an_yaml_fail(doc, map, reterr, AN_E_REGULATION_DATES, "issued, from, to are out of order");
    *ret = act;
    return AN_OK;
}

/* ---- words ---- */

struct citation_parts {
    an_bytes part[4]; /* act, article, clause, point */
    size_t count;
};

static struct citation_parts
split_citation(an_bytes citation)
{
    struct citation_parts parts = {.count = 0};
    size_t from = 0;

    while (parts.count < 4) {
        size_t slash = an_bytes_find(citation, AN_LIT("/"), from);
        size_t end = slash == SIZE_MAX ? citation.len : slash;
        parts.part[parts.count++] = an_bytes_slice(citation, from, end - from);
        if (slash == SIZE_MAX)
            break;
        from = slash + 1;
    }
    return parts;
}

static void
append_roman(struct an_buf *out, unsigned number)
{
    static const struct {
        unsigned value;
        const char *letters;
    } STEPS[] = {{10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}};

    for (size_t i = 0; i < AN_COUNT(STEPS); i++)
        for (; number >= STEPS[i].value; number -= STEPS[i].value)
            an_buf_str(out, STEPS[i].letters);
}

/* "pl-1" → "Phụ lục I", "mau-06" → "Mẫu số 06", "13" → "Điều 13". */
static void
append_article(struct an_buf *out, const struct an_act *act, an_bytes article, bool english)
{
    static const char *const DIVISION_WORDS[2][2] = {{"Điều", "Article"}, {"mục", "section"}};
    bool is_numbered = an_bytes_starts_with(article, AN_LIT("pl-")) && article.len <= 5 && article.len > 3;

    if (an_bytes_eq_str(article, "pl")) {
        an_buf_str(out, english ? "the Appendix" : "Phụ lục");
    } else if (is_numbered) {
        unsigned number = 0;
        for (size_t i = 3; i < article.len; i++)
            number = number * 10 + (unsigned)(article.ptr[i] - '0') % 10;
        an_buf_str(out, english ? "Appendix " : "Phụ lục ");
        if (act->appendix_digits)
            an_buf_printf(out, "%u", number);
        else
            append_roman(out, number);
    } else if (an_bytes_starts_with(article, AN_LIT("mau-"))) {
        an_buf_str(out, english ? "Form " : "Mẫu số ");
        an_buf_append(out, an_bytes_slice(article, 4, SIZE_MAX));
    } else {
        an_buf_printf(out, "%s ", DIVISION_WORDS[act->division][english]);
        an_buf_append(out, article);
    }
}

/* An appendix is divided into Phần, Mục, khoản: "1.2.7" is clause 7 of section II of part I. */
static bool
append_nested_clause(struct an_buf *out, an_bytes clause, bool english)
{
    unsigned numbers[3] = {0};
    size_t at = 0;

    for (size_t i = 0; i < clause.len; i++) {
        if (clause.ptr[i] == '.' && ++at < 3)
            continue;
        if (at > 2 || !isdigit(clause.ptr[i]))
            return false;
        numbers[at] = (numbers[at] * 10 + (unsigned)(clause.ptr[i] - '0')) % 100;
    }
    if (at != 2)
        return false;
    an_buf_printf(out, english ? "clause %u, Section " : "khoản %u Mục ", numbers[2]);
    append_roman(out, numbers[1]);
    an_buf_str(out, english ? ", Part " : " Phần ");
    append_roman(out, numbers[0]);
    an_buf_str(out, english ? ", " : " ");
    return true;
}

static void
append_clause(struct an_buf *out, an_bytes clause, bool english)
{
    if (append_nested_clause(out, clause, english))
        return;
    if (isdigit(clause.ptr[0]))
        an_buf_printf(out, english ? "clause %.*s, " : "khoản %.*s ", AN_FMT(clause));
    else /* an article that has points but no clauses */
        an_buf_printf(out, english ? "point %.*s, " : "điểm %.*s ", AN_FMT(clause));
}

static void
append_citation(struct an_buf *out, const struct an_act *act, const struct citation_parts *parts, bool english)
{
    if (parts->count > 3)
        an_buf_printf(out, english ? "point %.*s, " : "điểm %.*s ", AN_FMT(parts->part[3]));
    if (parts->count > 2)
        append_clause(out, parts->part[2], english);
    if (parts->count > 1) {
        append_article(out, act, parts->part[1], english);
        an_buf_str(out, english ? " of " : " ");
    }
    an_buf_str(out, english ? act->cited_en : act->cited_vi);
}

void
an_citation_text(struct an_regulations *regs, const char *citation, bool english, struct an_buf *out)
{
    an_bytes text = an_bytes_of_str(citation);
    const struct an_act *act = NULL;

    if (!an_yaml_is_citation(text)) {
        an_buf_append(out, text);
        return;
    }
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    struct citation_parts parts = split_citation(text);
    if (regs_act(locked, parts.part[0], &act, NULL) != AN_OK) {
        an_buf_append(out, text);
        return;
    }
    append_citation(out, act, &parts, english);
}

an_code
an_act_find(struct an_regulations *regs, const char *id, const struct an_act **ret, struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    return regs_act(locked, an_bytes_of_str(id), ret, reterr);
}

an_code
an_act_each(struct an_regulations *regs, an_act_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    const struct an_act *act = NULL;

    AN_TRY(regs_list(locked, reterr));
    AN_TRY(regs_act(locked, AN_LIT("nd-68-2024"), &act, reterr)); /* reads the table */
    for (size_t i = 0; i < locked->acts.count; i++)
        each(context, &locked->acts.items[i]);
    for (size_t i = 0; i < locked->id_count; i++) {
        struct law_head *head = NULL;
        AN_TRY(regs_head(locked, locked->ids[i], &head, reterr));
        if (head->has_act)
            each(context, &head->act);
    }
    return AN_OK;
}
