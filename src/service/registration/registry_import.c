#include "service/registration/registry_import.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "crypto/crypto.h"
#include "registry/csv.h"
#include "service/registration/registry_sheet.h"
#include "service/registration/workbook.h"

#include <stdio.h>
#include <stdlib.h>

struct line {
    size_t number;
    const char *cells[SHEET_COLUMNS_MAX];
    struct an_err err; /* code AN_OK = taken */
    bool is_done;
};

struct importing {
    const struct an_desk *desk;
    const struct an_import *import;
    const struct an_sheet_kind *kind;
    struct an_csv csv;
    size_t place[SHEET_COLUMNS_MAX]; /* in the row; SIZE_MAX = no such column */
    struct an_arena *arena;     /* of one batch */
    struct line *lines;
    size_t count, size;
    char job[100]; /* what it is read as, and the digest of the file */
    const char *digest;
    struct an_imported total;
    uint64_t batch_added, batch_refused;
    size_t last_line;
};

/* As people write it: in capitals, over two lines, with a star for what is required. */
static bool
heads(const char *cell, const struct sheet_column *column)
{
    AN_CLEANUP(an_buf_free) struct an_buf own = an_buf_new(AN_LIMIT_CSV_ROW), name = an_buf_new(AN_LIMIT_CSV_ROW);
    size_t len = strlen(cell);

    while (len > 0 && strchr(" *()\r\n\t", cell[len - 1]) != NULL)
        len--;
    /* "Đường kính con dấu (mm)" ends in a bracket of its own */
    size_t whole = strlen(column->vi);
    while (whole > 0 && column->vi[whole - 1] == ')')
        whole--;
    if (!an_utf8_fold_name(&own, AN_BYTES(cell, len)) || !an_utf8_fold_name(&name, AN_BYTES(column->vi, whole)))
        return false;
    return an_bytes_eq(an_buf_view(&own), an_buf_view(&name)) || an_bytes_eq_str(an_buf_view(&own), column->id);
}

/* Where each column stands in this row; the first that is required and not there, NULL = none. */
static const struct sheet_column *
place_columns(struct importing *in)
{
    const struct sheet_column *missing = NULL;

    for (size_t c = 0; c < in->kind->column_count; c++) {
        const struct sheet_column *column = &in->kind->columns[c];
        in->place[c] = SIZE_MAX;
        for (size_t i = 0; i < in->csv.count && in->place[c] == SIZE_MAX; i++)
            if (heads(an_csv_field(&in->csv, i), column))
                in->place[c] = i;
        if (column->required && in->place[c] == SIZE_MAX && missing == NULL)
            missing = column;
    }
    return missing;
}

#define TITLE_ROWS 20 /* a list has its name above it, its agency, a day */

static an_code
read_header(struct importing *in, struct an_err *reterr)
{
    const struct sheet_column *missing = NULL, *first = NULL;
    bool found = true;

    for (size_t row = 0; found && row < TITLE_ROWS; row++) {
        AN_TRY(an_csv_next(&in->csv, &found, reterr));
        missing = place_columns(in);
        if (missing == NULL)
            return AN_OK;
        /* of the row that has some of them: what it lacks */
        for (size_t c = 0; c < in->kind->column_count && first == NULL; c++)
            first = in->place[c] != SIZE_MAX ? missing : NULL;
    }
    missing = first != NULL ? first : missing;
    AN_FAIL(reterr, AN_E_IMPORT_HEADER, "%s (%s)", missing->vi, missing->id);
}

/* What the line says wrong is the line's; anything else ends the batch. */
static bool
is_of_the_line(an_code code)
{
    enum an_kind kind = an_message_find(code)->kind;

    return kind == AN_KIND_DATA || kind == AN_KIND_REFUSED || kind == AN_KIND_USAGE;
}

static an_code
take_line(struct importing *in, struct an_tx *tx, struct sheet_in *row, struct line *line, struct an_err *reterr)
{
    AN_TRY(an_tx_run(tx, AN_SQL_IMPORT_LINE_START, NULL, 0, NULL, reterr));
    line->err = (struct an_err){0};
    row->cells = line->cells;
    row->line = line->number;
    an_code code = in->kind->take(row, tx, &line->err);
    if (code != AN_OK && !is_of_the_line(code)) {
        if (reterr != NULL)
            *reterr = line->err;
        return code;
    }
    line->is_done = code == AN_OK;
    if (code != AN_OK)
        AN_TRY(an_tx_run(tx, AN_SQL_IMPORT_LINE_UNDO, NULL, 0, NULL, reterr));
    return an_tx_run(tx, AN_SQL_IMPORT_LINE_KEEP, NULL, 0, NULL, reterr);
}

/* Once over the lines that are not in yet; *ret_added tells how many came in. */
static an_code
take_lines(struct importing *in, struct an_tx *tx, struct sheet_in *row, uint64_t *ret_added, struct an_err *reterr)
{
    *ret_added = 0;
    for (size_t i = 0; i < in->count; i++) {
        struct line *line = &in->lines[i];
        if (line->is_done)
            continue;
        AN_TRY(take_line(in, tx, row, line, reterr));
        *ret_added += line->is_done;
    }
    return AN_OK;
}

static an_code
write_batch(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct importing *in = context;
    struct sheet_in row = {.desk = in->desk, .arena = in->arena, .digest = in->digest};
    char detail[200], object[64];
    uint64_t added = 0;

    in->batch_added = 0;
    for (size_t i = 0; i < in->count; i++)
        in->lines[i].is_done = false;
    do { /* a superior may stand below those that name it */
        AN_TRY(take_lines(in, tx, &row, &added, reterr));
        in->batch_added += added;
    } while (added > 0 && in->batch_added < in->count && in->kind->batch > 0);
    in->batch_refused = in->count - in->batch_added;
    const struct an_value job[] = {an_v_text(in->job), AN_V_INT(in->last_line),
                                   AN_V_INT(in->total.added + in->batch_added),
                                   AN_V_INT(in->total.refused + in->batch_refused), AN_V_INT(in->desk->at),
                                   an_v_text(in->kind->id)};
    AN_TRY(an_tx_run(tx, AN_SQL_IMPORT_JOB_PUT, job, AN_COUNT(job), NULL, reterr));
    snprintf(detail, sizeof(detail), "{\"added\":%llu,\"refused\":%llu,\"file\":\"%.64s\"}",
             (unsigned long long)in->batch_added,
             (unsigned long long)in->batch_refused, in->digest);
    snprintf(object, sizeof(object), "registry:%s", in->kind->id);
    return an_registry_tell(tx, in->desk, in->kind->act, object, "", detail, reterr);
}

/* A dry run goes the same way and is undone at its end. */
static an_code
try_batch(void *context, struct an_tx *tx, struct an_err *reterr)
{
    AN_TRY(write_batch(context, tx, reterr));
    return an_err_set(reterr, AN_E_IMPORT_DRY, "%s", "");
}

static an_code
finish_batch(struct importing *in, struct an_err *reterr)
{
    struct an_store *store = in->desk->instance->store;
    an_code code;

    if (in->count == 0)
        return AN_OK;
    code = in->import->dry_run ? an_store_write(store, try_batch, in, reterr) : an_store_write(store, write_batch, in,
            reterr);
    if (code != AN_OK && code != AN_E_IMPORT_DRY)
        return code;
    for (size_t i = 0; i < in->count; i++)
        if (in->lines[i].err.code != AN_OK && in->import->refused != NULL)
            in->import->refused(in->import->context, in->lines[i].number, &in->lines[i].err);
    in->total.rows += in->count;
    in->total.added += in->batch_added;
    in->total.refused += in->batch_refused;
    if (in->import->progress != NULL)
        in->import->progress(in->import->context, in->total.rows, in->csv.rest.len);
    in->count = 0;
    an_arena_reset(in->arena);
    return AN_OK;
}

/* What a cell says: without blanks around it, without the apostrophe that keeps a formula from being one (csv.h), and
 * without ="…", by which spreadsheets are made to keep a leading zero. */
static an_bytes
bare_cell(const char *text)
{
    an_bytes cell = an_bytes_of_str(text);

    for (bool again = true; again && cell.len > 0;) {
        size_t front = an_bytes_starts_with(cell, AN_LIT("\xC2\xA0")) ? 2 : cell.ptr[0] == ' ' || cell.ptr[0] == '\n';
        size_t back = cell.ptr[cell.len - 1] == ' ' || cell.ptr[cell.len - 1] == '\n';
        if (cell.len >= 2 && memcmp(cell.ptr + cell.len - 2, "\xC2\xA0", 2) == 0)
            back = 2;
        again = front + back > 0 && front + back <= cell.len;
        if (again)
            cell = an_bytes_slice(cell, front, cell.len - front - back);
    }
    if (cell.len > 1 && cell.ptr[0] == '\'' && strchr("=+-@\t\r", cell.ptr[1]) != NULL)
        return an_bytes_slice(cell, 1, cell.len);
    if (cell.len > 3 && an_bytes_starts_with(cell, AN_LIT("=\"")) && cell.ptr[cell.len - 1] == '"')
        return an_bytes_slice(cell, 2, cell.len - 3);
    return cell;
}

static an_code
keep_line(struct importing *in, struct an_err *reterr)
{
    struct line *line = &in->lines[in->count++];

    line->number = in->last_line = in->csv.line;
    for (size_t c = 0; c < in->kind->column_count; c++) {
        const char *text = in->place[c] == SIZE_MAX ? "" : an_csv_field(&in->csv, in->place[c]);
        line->cells[c] = an_arena_str(in->arena, bare_cell(text));
        if (line->cells[c] == NULL)
            AN_FAIL(reterr, AN_E_LIMIT, "%zu", line->number);
    }
    return AN_OK;
}

struct resuming {
    const char *digest;
    int64_t line;
};

static an_code
find_job(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct resuming *resuming = context;
    const struct an_value value = an_v_text(resuming->digest);

    return an_tx_int(tx, AN_SQL_IMPORT_JOB_LINE, &value, 1, &resuming->line, reterr);
}

static an_code
run_import(struct importing *in, struct an_err *reterr)
{
    struct resuming resuming = {.digest = in->job};
    bool found = true;

    AN_TRY(read_header(in, reterr));
    if (!in->import->dry_run)
        AN_TRY(an_store_read(in->desk->instance->store, find_job, &resuming, reterr));
    for (;;) {
        AN_TRY(an_csv_next(&in->csv, &found, reterr));
        if (!found)
            return finish_batch(in, reterr);
        if ((int64_t)in->csv.line <= resuming.line) {
            in->total.resumed++;
            continue;
        }
        AN_TRY(keep_line(in, reterr));
        if (in->count == in->size)
            AN_TRY(finish_batch(in, reterr));
    }
}

static an_code
open_list(struct importing *in, struct an_file *file, struct an_buf *own, an_bytes *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(80);
    uint8_t hash[AN_DIGEST_MAX];

    AN_TRY(an_file_open(in->import->path, AN_LIMIT_IMPORT_BYTES, file, reterr));
    an_hash_once(AN_SHA256, file->bytes, hash);
    an_buf_hex(&hex, AN_BYTES(hash, 32));
    snprintf(in->job, sizeof(in->job), "%s:%.*s", in->kind->id, AN_FMT(an_buf_view(&hex)));
    in->digest = in->job + strlen(in->kind->id) + 1;
    return an_list_to_csv(file->bytes, own, ret, reterr);
}

an_code
an_registry_import(const struct an_desk *desk, const char *what, const struct an_import *import,
                   struct an_imported *ret, struct an_err *reterr)
{
    struct importing in = {.desk = desk, .import = import, .kind = sheet_kind_find(what)};
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_buf_free) struct an_buf own = an_buf_new(AN_LIMIT_XLSX_BYTES);
    an_bytes list = AN_NONE;
    an_code code;

    if (in.kind == NULL)
        AN_FAIL(reterr, AN_E_IMPORT_KIND, "%.40s", what);
    in.size = import->batch ? import->batch : in.kind->batch ? in.kind->batch : 500;
    if (in.size > 10000)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu > 10000", in.size);
    AN_TRY(open_list(&in, &file, &own, &list, reterr));
    in.arena = an_arena_new(AN_LIMIT_IMPORT_ARENA);
    in.lines = an_new_array(in.size, sizeof(*in.lines));
    an_csv_start(&in.csv, list);
    code = run_import(&in, reterr);
    an_csv_done(&in.csv);
    an_arena_free(&in.arena);
    free(in.lines);
    *ret = in.total;
    return code;
}
