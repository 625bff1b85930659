/* A workbook that somebody hands in: unpacked in a sandbox, its first sheet becomes a list. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

bool an_workbook_is(an_bytes file);
/* The first sheet as comma-separated values, appended. AN_E_XLSX. */
an_code an_workbook_to_csv(an_bytes file, struct an_buf *out, struct an_err *reterr) AN_MUST_USE;
