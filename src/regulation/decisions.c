/* Reading decisions.tsv, and which binding clauses rules and rows reach. */
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "regulation/decisions.h"
#include "regulation/rules.h"

static an_code
read_row(char *line, size_t number, struct an_decision_row *ret, struct an_err *reterr)
{
    size_t column = 0;

    ret->line = number;
    for (char *at = line; at && column < COL_COUNT; column++) {
        char *end = strchr(at, '\t');
        if (end)
            *end = '\0';
        ret->column[column] = strcmp(at, "-") == 0 || !*at ? NULL : at;
        at = end ? end + 1 : NULL;
    }
    bool is_whole = column == COL_COUNT && ret->column[COL_REGULATION] && ret->column[COL_ON] && ret->column[COL_ACT] &&
                    ret->column[COL_ALLOWED] && ret->column[COL_WHY];
    if (!is_whole)
        AN_FAIL(reterr, AN_E_DECISION_ROW, "decisions.tsv:%zu: %zu columns of %d", number, column, COL_COUNT);
    return AN_OK;
}

static an_code
read_rows(struct an_decisions *decisions, struct an_err *reterr)
{
    size_t number = 0;

    for (char *at = decisions->text; at && *at; number++) {
        char *end = strchr(at, '\n');
        if (end)
            *end = '\0';
        if (*at && *at != '#') {
            decisions->rows = an_grow(decisions->rows, decisions->count + 1, sizeof(*decisions->rows));
            decisions->rows[decisions->count] = (struct an_decision_row){0};
            AN_TRY(read_row(at, number + 1, &decisions->rows[decisions->count++], reterr));
        }
        at = end ? end + 1 : NULL;
    }
    return AN_OK;
}

an_code
an_decisions_load(struct an_regulations *regs, const char *path, struct an_decisions *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_LIMIT_YAML_BYTES);
    AN_CLEANUP(an_free_ptr) char *beside = an_asprintf("%s/decisions.tsv", regs->regulations_dir);
    AN_CLEANUP(an_free_ptr)
    char *source = an_asprintf("%s/../tests/regulation/decisions.tsv", regs->regulations_dir);
    AN_CLEANUP(an_decisions_free) struct an_decisions decisions = {0};

    AN_TRY(an_file_read(path ? path : access(beside, R_OK) == 0 ? beside : source, AN_LIMIT_YAML_BYTES, &text, reterr));
    decisions.text = an_buf_take_str(&text);
    AN_TRY(read_rows(&decisions, reterr));
    *ret = decisions;
    decisions = (struct an_decisions){0};
    return AN_OK;
}

void
an_decisions_free(struct an_decisions *decisions)
{
    free(decisions->text);
    free(decisions->rows);
    *decisions = (struct an_decisions){0};
}

/* ---- coverage ---- */

/* The citation itself, or a part of it. */
static bool
reaches(const char *citation, size_t len, const char *provision)
{
    size_t provision_len = strlen(provision);

    return len >= provision_len && strncmp(citation, provision, provision_len) == 0 &&
           (len == provision_len || citation[provision_len] == '/');
}

static size_t
count_rules(const struct law_rules *rules, const char *provision)
{
    size_t count = 0;

    for (size_t i = 0; i < rules->rule_count; i++) {
        bool is_found = false;
        for (size_t k = 0; k < rules->rules[i].cites.count; k++) {
            const char *cite = rules->rules[i].cites.items[k];
            is_found = is_found || reaches(cite, strlen(cite), provision);
        }
        count += is_found;
    }
    for (size_t i = 0; i < rules->reminder_count; i++) {
        const char *cite = rules->reminders[i].reminder.citation;
        count += cite && reaches(cite, strlen(cite), provision);
    }
    return count;
}

static size_t
count_rows(const struct an_decisions *decisions, const char *provision)
{
    size_t count = 0;

    for (size_t i = 0; decisions && i < decisions->count; i++) {
        bool is_found = false;
        for (const char *at = decisions->rows[i].column[COL_CLAUSES]; at && *at;) {
            size_t len = strcspn(at, ",");
            is_found = is_found || reaches(at, len, provision);
            at += len + (at[len] == ',');
        }
        count += is_found;
    }
    return count;
}

static bool
has_saying_part(const struct law_articles *articles, size_t place)
{
    const char *citation = articles->provisions[place].citation;
    size_t len = strlen(citation);

    for (size_t i = place + 1; i < articles->count; i++) {
        const char *other = articles->provisions[i].citation;
        if (strncmp(other, citation, len) != 0 || other[len] != '/')
            return false;
        if (articles->provisions[i].says)
            return true;
    }
    return false;
}

static const char *
find_not_carried(const struct law_rules *rules, const char *citation)
{
    for (size_t i = 0; i < rules->not_carried_count; i++)
        if (reaches(citation, strlen(citation), rules->not_carried[i].citation))
            return rules->not_carried[i].why;
    return NULL;
}

an_code
an_coverage_each(struct an_regulations *regs, const char *regulation, const struct an_decisions *decisions,
                 an_coverage_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(regs_unlock) struct an_regulations *locked = regs_lock(regs);
    struct law_articles *articles = NULL;
    struct law_rules *rules = NULL;

    AN_TRY(regs_articles(locked, regulation, &articles, reterr));
    AN_TRY(regs_rules(locked, regulation, &rules, reterr));
    for (size_t i = 0; i < articles->count; i++) {
        const struct an_provision *provision = &articles->provisions[i];
        if (!provision->binds || !provision->says || has_saying_part(articles, i))
            continue;
        struct an_coverage coverage = {provision, count_rules(rules, provision->citation),
                                       count_rows(decisions, provision->citation),
                                       find_not_carried(rules, provision->citation)};
        each(context, &coverage);
    }
    return AN_OK;
}
