/*
 * Comma-separated values (RFC 4180), line by line and in flat memory: what spreadsheets write (UTF-8, with or without a
 * mark at its beginning; the separator is told by the first line that has one: comma, semicolon or tabulator), and what
 * they may read without harm.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define AN_CSV_FIELDS_MAX 64

struct an_csv {
    an_bytes rest;
    size_t line;      /* from 1, of the row that was read last: where it begins */
    size_t next_line;
    char separator;
    struct an_buf text; /* of the row's fields, each with a NUL behind it */
    size_t starts[AN_CSV_FIELDS_MAX];
    size_t count;
};
/* bytes stay borrowed. */
void an_csv_start(struct an_csv *csv, an_bytes bytes);
void an_csv_done(struct an_csv *csv); /* also for AN_CLEANUP */
/* *ret_found false at the end. AN_E_CSV: a quote that does not close, more than 64 fields, a row above 64 kB, no UTF-8.
 * Empty lines are passed over. */
an_code an_csv_next(struct an_csv *csv, bool *ret_found, struct an_err *reterr) AN_MUST_USE;
const char *an_csv_field(const struct an_csv *csv, size_t at); /* "" beyond the last; until the next call */

/* One field: quoted where needed; what a spreadsheet would take for a formula (= + - @, tabulator) gets an apostrophe
 * in front. */
void an_csv_write(struct an_buf *out, const char *text, bool is_last);
