/* Inside registry/: rows to structs and back, pages. */
#pragma once

#include "registry/registry.h"

/* A column of a SELECT and the member it fills, in the same order. */
enum col_kind { COL_INT = 0, COL_TEXT, COL_TIME, COL_FLAG };
struct col {
    enum col_kind kind;
    size_t offset;
};
#define COLS(table) table, AN_COUNT(table)
/* Texts go into the arena; NULL moments become AN_TIME_NONE. */
an_code reg_fill(const struct col *cols, size_t count, const struct an_row *row, struct an_arena *arena, void *into,
                 struct an_err *reterr) AN_MUST_USE;

struct an_value reg_id(int64_t id);           /* 0 = NULL */
struct an_value reg_time(an_time at);         /* AN_TIME_NONE = NULL */
struct an_value reg_text(const char *text);   /* NULL = "" */
struct an_value reg_text_or_null(const char *text); /* "" = NULL */

/* A name as people type it: NFC, single spaces; its form for search.
 * AN_E_REGISTRY_TEXT names the field. In the arena. */
an_code reg_clean(struct an_arena *arena, const char *field, const char *text, const char **ret,
                  struct an_err *reterr) AN_MUST_USE;
an_code reg_fold(struct an_arena *arena, const char *text, const char **ret, struct an_err *reterr) AN_MUST_USE;
/* The tails of a name, by which its words are found; is_new: none is there yet. */
struct reg_tails { enum an_sql delete, insert; };
an_code reg_put_tails(struct an_tx *tx, const struct reg_tails *tails, int64_t id, const char *folded, bool is_new,
                      struct an_err *reterr) AN_MUST_USE;

/* A number in a register: the given one ("CB000012", and the sequence goes on behind it), or the next. field: what
 * AN_E_PERSON_FIELD, AN_E_SUBSCRIBER_KIND … (wrong) names. */
an_code reg_number(struct an_tx *tx, const char *sequence, const char *prefix, const char *given, an_code wrong,
                   char ret[static 32],
                   struct an_err *reterr) AN_MUST_USE;

/* One struct by one statement. *ret_found may be NULL. */
struct reg_one {
    const struct col *cols;
    size_t col_count;
    struct an_arena *arena;
    void *into;
};
an_code reg_find(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count,
                 const struct col *cols, size_t col_count,
                 struct an_arena *arena, void *into, bool *ret_found, struct an_err *reterr) AN_MUST_USE;

/* ---- pages (page.c) ---- */
/*
 * How a register is paged. Each statement takes $1 searched text, $2 its upper bound, $3 last text (at first: the
 * searched one), $4 last id, $5 limit, and one of an agency's own $6 agency; answers the columns `cols` (id first) and
 * behind them the text by which it is ordered. by_key and by_agency_key are what comes when by_name and by_agency are
 * through: other places in which the text may stand.
 */
struct reg_pager {
    enum an_sql by_name, by_key, by_agency, by_agency_key;
    const struct col *cols;
    size_t col_count, size; /* of the struct */
};
typedef an_code (*reg_row_fn)(void *context, const void *item, struct an_err *reterr);
an_code reg_page(struct an_tx *tx, const struct reg_pager *pager, const struct an_page *page, struct an_arena *arena,
                 reg_row_fn each,
                 void *context, const char **ret_cursor, struct an_err *reterr) AN_MUST_USE;
