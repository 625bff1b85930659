/* Inside service/: the registers as lists. A list is a table of columns, a statement that answers whole rows, and what
 * a row enters. */
#pragma once

#include "service/registration/registry.h"

#define SHEET_COLUMNS_MAX 20

enum cell_kind {
    CELL_TEXT = 0,
    CELL_DAY,     /* 2026-12-02, or a moment of that day */
    CELL_FLAG,    /* "x" */
    CELL_MM,      /* kept in micrometres */
    CELL_TAIL,    /* personal: its last three signs unless all is asked for */
    CELL_YEAR,    /* personal: a day, its year */
    CELL_HIDDEN,  /* personal: nothing */
    CELL_HIDDEN_DAY,
};
struct sheet_column {
    const char *id, *vi;
    enum cell_kind kind;
    bool required;
};

/* One row on its way in; the agency found last is kept: files are sorted by agency more often than not. */
struct sheet_in {
    const struct an_desk *desk;
    struct an_arena *arena; /* of one batch */
    const char *const *cells;
    size_t line;
    const char *digest;     /* of the file */
    int64_t agency;
    char agency_text[128], act[32];
};
struct an_sheet_kind {
    const char *id, *vi;      /* "people", "Danh sách người" */
    const char *act;          /* what is told: "person.import" */
    const char *permission;   /* "person.list": who may have it without personal data has that too */
    const struct sheet_column *columns;
    size_t column_count;
    enum an_sql rows;         /* of the register, whole */
    size_t page, batch;       /* rows of one answer, of one commit (0 = the usual) */
    an_code (*take)(struct sheet_in *in, struct an_tx *tx, struct an_err *reterr);
};
extern const struct an_sheet_kind sheet_kinds[];
extern const size_t sheet_kind_count;
const struct an_sheet_kind *sheet_kind_find(const char *id); /* NULL when there is none */

/* 1980-02-03, 03/02/1980, 3-2-1980 and 3.2.1980 as people write, the number of days that a workbook keeps, a moment; "" = AN_TIME_NONE. */
an_code sheet_day(const char *text, const char *column, an_time *ret, struct an_err *reterr) AN_MUST_USE;
