/*
 * Registers from a file and into one: "agencies", "people", "posts", "roles", "subscribers", "devices"
 * (registry_sheet.c has the columns). Line by line, with a report; in batches, so that an import that was cut off goes
 * on where it stopped. What was exported with personal data makes the same registers in a fresh instance, in this
 * order.
 */
#pragma once

#include "service/registration/registry.h"

struct an_import {
    const char *path;       /* CSV or XLSX; columns by their Vietnamese name or identifier */
    bool dry_run;
    size_t batch;           /* rows of one commit; 0 = 500; agencies, whose superiors may stand below: 10,000 */
    /* A row that was refused: line, what (detail, no personal identifiers), code. May be NULL. */
    void (*refused)(void *context, size_t line, const struct an_err *err);
    void (*progress)(void *context, uint64_t rows, uint64_t bytes_left);
    void *context;
};
struct an_imported {
    uint64_t rows, added, refused;
    uint64_t resumed;       /* rows of an earlier run that were passed over */
};
/* AN_E_IMPORT_KIND; AN_E_IMPORT_HEADER names the column that is missing. */
an_code an_registry_import(const struct an_desk *desk, const char *what, const struct an_import *import,
                           struct an_imported *ret,
                           struct an_err *reterr) AN_MUST_USE;
/* A workbook when path ends with .xlsx, else CSV; formulas neutralised; masked unless personal, which needs person.read
 * for the agency (0 = all, or the own one of who sees that alone) and is told to the audit log. */
an_code an_registry_export(const struct an_desk *desk, const char *what, const char *path, int64_t agency,
                           bool personal, uint64_t *ret_rows,
                           struct an_err *reterr) AN_MUST_USE;
