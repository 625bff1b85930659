/*
 * A list that somebody hands in, as spreadsheet programs save it: a workbook (unpacked in a sandbox, its first sheet),
 * or a text that is parted by commas, semicolons or tabulators, in UTF-8 or UTF-16.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* ret: the list as comma-separated values; borrowed from file, or from own, which takes what had to be written anew.
 * AN_E_XLSX; AN_E_LIST_FORMAT for what is to be saved in another way (.ods, .xls). */
an_code an_list_to_csv(an_bytes file, struct an_buf *own, an_bytes *ret, struct an_err *reterr) AN_MUST_USE;
