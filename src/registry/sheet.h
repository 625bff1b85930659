/*
 * A list for people, row by row and in flat memory, as a workbook (ECMA-376) or as comma-separated values, by the end
 * of the file's name. Every cell is text: what begins like a formula (= + - @) is none in a workbook, and gets an
 * apostrophe in front in the other.
 */
#pragma once

#include "base/err.h"

struct an_sheet;
/* path ".xlsx": a workbook with one sheet of that name; anything else: CSV with a mark at its beginning.
 * AN_E_FILE_OPEN. */
an_code an_sheet_new(const char *path, const char *name, struct an_sheet **ret, struct an_err *reterr) AN_MUST_USE;
/* AN_E_LIMIT beyond the rows of a workbook. */
an_code an_sheet_row(struct an_sheet *sheet, const char *const *cells, size_t count, struct an_err *reterr) AN_MUST_USE;
an_code an_sheet_commit(struct an_sheet *sheet, struct an_err *reterr) AN_MUST_USE; /* then the file is there, whole */
void an_sheet_free(struct an_sheet **sheet); /* nothing remains unless it was committed; also for AN_CLEANUP */
