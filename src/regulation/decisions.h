/*
 * Decisions written from the texts (tests/regulation/decisions.tsv): questions with the answers that a reader of the
 * regulations gives, row by row. The tests hold the engine against them; `antin regulation coverage` shows which
 * clauses they try. Columns, parted by tabs, "-" = not said or not checked:
 * regulation, day, act, actor, subject, device, document, facts (a=b;c=d), allowed (yes|no|null), authority, forms,
 * notices, deadline (3 working_day valid-dossier | before 05-15 | none), looks, clauses, why. Lists are parted by
 * commas.
 */
#pragma once

#include "regulation/explain.h"

enum decision_column { COL_REGULATION, COL_ON, COL_ACT, COL_ACTOR, COL_SUBJECT, COL_DEVICE, COL_DOCUMENT, COL_FACTS,
                      COL_ALLOWED,
                       COL_AUTHORITY, COL_FORMS, COL_NOTICES, COL_DEADLINE, COL_LOOKS, COL_CLAUSES, COL_WHY,
                       COL_COUNT };
struct an_decision_row {
    const char *column[COL_COUNT]; /* NULL = "-" */
    size_t line;
};
struct an_decisions {
    char *text;
    struct an_decision_row *rows;
    size_t count;
};
/* path NULL = beside the regulations, else in the source tree. AN_E_DECISION_ROW. */
an_code an_decisions_load(struct an_regulations *regs, const char *path, struct an_decisions *ret,
                          struct an_err *reterr) AN_MUST_USE;
void an_decisions_free(struct an_decisions *decisions);

/* ---- coverage: every binding clause has a rule and a row, or a reason why not ---- */
struct an_coverage {
    const struct an_provision *provision;
    size_t rules, rows;      /* that cite it, or a part of it */
    const char *not_carried; /* why software does not carry it out; NULL */
};
typedef void (*an_coverage_fn)(void *context, const struct an_coverage *coverage);
/* The binding provisions of a regulation that say something and have nothing below them that does. */
an_code an_coverage_each(struct an_regulations *regs, const char *regulation, const struct an_decisions *decisions,
                         an_coverage_fn each, void *context, struct an_err *reterr) AN_MUST_USE;
