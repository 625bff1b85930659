/*
 * The first sheet of a workbook (ECMA-376) as comma-separated values. The ZIP is opened elsewhere, in a sandbox; here
 * two of its parts are read by a scanner that knows cells, texts and nothing else: no formula is computed, no reference
 * followed.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* sheet: xl/worksheets/sheet1.xml; strings: xl/sharedStrings.xml, AN_NONE when there is none. AN_E_XLSX; AN_E_LIMIT
 * when out is full. */
an_code an_xlsx_to_csv(an_bytes sheet, an_bytes strings, struct an_buf *out, struct an_err *reterr) AN_MUST_USE;
