#include "service/registry_import.h"

#include "base/file.h"
#include "base/limits.h"
#include "crypto/crypto.h"
#include "registry/csv.h"
#include "service/workbook.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- columns: by identifier or by the words of the forms ---- */
enum column { COLUMN_NAME = 0, COLUMN_AGENCY, COLUMN_EMAIL, COLUMN_BORN, COLUMN_IDENTITY, COLUMN_ISSUED, COLUMN_PLACE, COLUMN_PHONE, COLUMN_NUMBER, COLUMN_RETIRES, COLUMN_COUNT };
static const struct { const char *id, *vi; bool required; } columns[COLUMN_COUNT] = {
    [COLUMN_NAME] = {"name", "Họ và tên", true}, [COLUMN_AGENCY] = {"agency", "Mã cơ quan", true}, [COLUMN_EMAIL] = {"email", "Địa chỉ thư điện tử công vụ", false},
    [COLUMN_BORN] = {"born", "Ngày sinh", false}, [COLUMN_IDENTITY] = {"identity", "Số định danh cá nhân", false},
    [COLUMN_ISSUED] = {"identity_issued", "Ngày cấp", false}, [COLUMN_PLACE] = {"identity_place", "Nơi cấp", false},
    [COLUMN_PHONE] = {"phone", "Số điện thoại di động", false}, [COLUMN_NUMBER] = {"number", "Số hiệu", false}, [COLUMN_RETIRES] = {"retires", "Ngày nghỉ hưu", false},
};

struct line {
    size_t number;
    const char *cells[COLUMN_COUNT];
    struct an_err err; /* code AN_OK = taken */
};

struct importing {
    const struct an_desk *desk;
    const struct an_import *import;
    struct an_csv csv;
    size_t place[COLUMN_COUNT]; /* in the row; SIZE_MAX = no such column */
    struct an_arena *arena;     /* of one batch */
    struct line *lines;
    size_t count, size;
    char digest[80];
    struct an_imported total;
    uint64_t batch_added, batch_refused;
    char agency_code[64]; /* found last: files are sorted by agency more often than not */
    int64_t agency;
    size_t last_line;
};

static an_code
read_header(struct importing *in, struct an_err *reterr)
{
    bool found = false;

    AN_TRY(an_csv_next(&in->csv, &found, reterr));
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        in->place[c] = SIZE_MAX;
        for (size_t i = 0; i < in->csv.count; i++)
            if (strcmp(an_csv_field(&in->csv, i), columns[c].id) == 0 || strcmp(an_csv_field(&in->csv, i), columns[c].vi) == 0)
                in->place[c] = i;
        if (columns[c].required && in->place[c] == SIZE_MAX)
            AN_FAIL(reterr, AN_E_IMPORT_HEADER, "%s (%s)", columns[c].vi, columns[c].id);
    }
    return AN_OK;
}

/* ---- one line ---- */
/* 1980-02-03, 03/02/1980 as people write, or the number of days that a workbook keeps. */
static an_code
read_day(const char *text, const char *column, an_time *ret, struct an_err *reterr)
{
    int day = 0, month = 0, year = 0, used = 0;

    *ret = AN_TIME_NONE;
    if (text[0] == '\0')
        return AN_OK;
    if (sscanf(text, "%2d/%2d/%4d%n", &day, &month, &year, &used) == 3 && text[used] == '\0') {
        const struct an_date date = {.year = year, .month = month, .day = day};
        *ret = an_time_of_date(&date, 7 * 60);
    } else if (strlen(text) == 5 && strspn(text, "0123456789") == 5) {
        *ret = ((an_time)strtol(text, NULL, 10) - 25569) * 86400 - 7 * 3600; /* 25569: 1970-01-01, counted from 1899-12-30 */
    } else {
        *ret = an_time_parse(an_bytes_of_str(text));
    }
    if (*ret == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_PERSON_FIELD, "%s", column);
    return AN_OK;
}

static an_code
take_agency(struct importing *in, struct an_tx *tx, const char *code, struct an_err *reterr)
{
    struct an_agency agency = {0};

    if (in->agency != 0 && strcmp(in->agency_code, code) == 0)
        return AN_OK;
    in->agency = 0;
    AN_TRY(an_agency_find_code(tx, code, in->arena, &agency, NULL, reterr));
    AN_TRY(an_registry_require(tx, in->desk, "person.add", agency.id, reterr));
    snprintf(in->agency_code, sizeof(in->agency_code), "%s", code);
    in->agency = agency.id;
    return AN_OK;
}

static an_code
add_line(struct importing *in, struct an_tx *tx, const struct line *line, struct an_err *reterr)
{
    struct an_person person = {.name = line->cells[COLUMN_NAME], .email = line->cells[COLUMN_EMAIL], .identity = line->cells[COLUMN_IDENTITY],
                               .identity_place = line->cells[COLUMN_PLACE], .phone = line->cells[COLUMN_PHONE], .number = line->cells[COLUMN_NUMBER],
                               .since = AN_TIME_NONE};
    char number[32];
    int64_t id = 0;

    AN_TRY(read_day(line->cells[COLUMN_BORN], columns[COLUMN_BORN].vi, &person.born, reterr));
    AN_TRY(read_day(line->cells[COLUMN_ISSUED], columns[COLUMN_ISSUED].vi, &person.identity_issued, reterr));
    AN_TRY(read_day(line->cells[COLUMN_RETIRES], columns[COLUMN_RETIRES].vi, &person.retires, reterr));
    AN_TRY(take_agency(in, tx, line->cells[COLUMN_AGENCY], reterr));
    person.agency = in->agency;
    return an_person_add(tx, &person, &id, number, reterr);
}

/* What the line says wrong is the line's; anything else ends the batch. */
static bool
is_of_the_line(an_code code)
{
    enum an_kind kind = an_message_find(code)->kind;

    return kind == AN_KIND_DATA || kind == AN_KIND_REFUSED || kind == AN_KIND_USAGE;
}

static an_code
write_batch(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct importing *in = context;
    char detail[200];

    in->batch_added = in->batch_refused = 0;
    in->agency = 0;
    for (size_t i = 0; i < in->count; i++) {
        struct line *line = &in->lines[i];
        line->err = (struct an_err){0};
        an_code code = add_line(in, tx, line, &line->err);
        if (code != AN_OK && !is_of_the_line(code)) {
            if (reterr != NULL)
                *reterr = line->err;
            return code;
        }
        in->batch_added += code == AN_OK;
        in->batch_refused += code != AN_OK;
    }
    const struct an_value job[] = {an_v_text(in->digest), AN_V_INT(in->last_line), AN_V_INT(in->total.added + in->batch_added),
                                   AN_V_INT(in->total.refused + in->batch_refused), AN_V_INT(in->desk->at)};
    AN_TRY(an_tx_run(tx, AN_SQL_IMPORT_JOB_PUT, job, AN_COUNT(job), NULL, reterr));
    snprintf(detail, sizeof(detail), "{\"added\":%llu,\"refused\":%llu,\"file\":\"%.64s\"}", (unsigned long long)in->batch_added,
             (unsigned long long)in->batch_refused, in->digest);
    return an_registry_tell(tx, in->desk, "person.import", "registry:people", "", detail, reterr);
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
    code = in->import->dry_run ? an_store_write(store, try_batch, in, reterr) : an_store_write(store, write_batch, in, reterr);
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

static an_code
keep_line(struct importing *in, struct an_err *reterr)
{
    struct line *line = &in->lines[in->count++];

    line->number = in->last_line = in->csv.line;
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        line->cells[c] = in->place[c] == SIZE_MAX ? "" : an_arena_str(in->arena, an_bytes_of_str(an_csv_field(&in->csv, in->place[c])));
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
    struct resuming resuming = {.digest = in->digest};
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

an_code
an_registry_import_people(const struct an_desk *desk, const struct an_import *import, struct an_imported *ret, struct an_err *reterr)
{
    struct importing in = {.desk = desk, .import = import, .size = import->batch ? import->batch : 500};
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(80);
    AN_CLEANUP(an_buf_free) struct an_buf list = an_buf_new(AN_LIMIT_XLSX_BYTES);
    uint8_t hash[AN_DIGEST_MAX];
    an_code code;

    if (in.size > 10000)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu > 10000", in.size);
    AN_TRY(an_file_open(import->path, AN_LIMIT_IMPORT_BYTES, &file, reterr));
    an_hash_once(AN_SHA256, file.bytes, hash);
    an_buf_hex(&hex, AN_BYTES(hash, 32));
    snprintf(in.digest, sizeof(in.digest), "%.*s", AN_FMT(an_buf_view(&hex)));
    if (an_workbook_is(file.bytes))
        AN_TRY(an_workbook_to_csv(file.bytes, &list, reterr));
    in.arena = an_arena_new(AN_LIMIT_IMPORT_ARENA);
    in.lines = an_new_array(in.size, sizeof(*in.lines));
    an_csv_start(&in.csv, list.len ? an_buf_view(&list) : file.bytes);
    code = run_import(&in, reterr);
    an_csv_done(&in.csv);
    an_arena_free(&in.arena);
    free(in.lines);
    *ret = in.total;
    return code;
}

/* ---- export ---- */
struct exporting {
    struct an_output out;
    struct an_page page;
    const char *cursor;
    char kept[2100];
    struct an_arena *arena;
    bool personal;
    uint64_t rows;
    struct an_buf text;
};

static void
write_day(struct an_buf *out, an_time at, bool is_last)
{
    char text[AN_TIME_TEXT_MAX] = "";

    if (at != AN_TIME_NONE)
        an_time_format_vn(at, text);
    text[10] = '\0';
    an_csv_write(out, text, is_last);
}

static an_code
export_row(void *context, const struct an_person *person, struct an_err *reterr)
{
    struct exporting *e = context;
    struct an_person shown = *person;

    (void)reterr;
    if (!e->personal)
        an_person_mask(&shown, e->arena);
    an_csv_write(&e->text, shown.number, false);
    an_csv_write(&e->text, shown.name, false);
    an_csv_write(&e->text, shown.agency_name, false);
    an_csv_write(&e->text, shown.email, false);
    write_day(&e->text, shown.born, false);
    an_csv_write(&e->text, shown.identity, false);
    an_csv_write(&e->text, shown.phone, false);
    an_csv_write(&e->text, shown.state, true);
    e->rows++;
    return AN_OK;
}

static an_code
export_page(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct exporting *e = context;

    return an_person_list(tx, &e->page, e->arena, export_row, e, &e->cursor, reterr);
}

static an_code
export_pages(const struct an_desk *desk, struct exporting *e, struct an_err *reterr)
{
    an_buf_str(&e->text, "\xEF\xBB\xBF" "Số hiệu,Họ và tên,Cơ quan,Địa chỉ thư điện tử công vụ,Ngày sinh,Số định danh cá nhân,Số điện thoại di động,Tình trạng\r\n");
    do {
        AN_TRY(an_store_read(desk->instance->store, export_page, e, reterr));
        if (!an_buf_ok(&e->text))
            AN_FAIL(reterr, AN_E_LIMIT, "%zu byte", e->text.max);
        AN_TRY(an_output_write(&e->out, an_buf_view(&e->text), reterr));
        an_buf_reset(&e->text);
        snprintf(e->kept, sizeof(e->kept), "%s", e->cursor ? e->cursor : "");
        e->page.cursor = e->kept;
        an_arena_reset(e->arena);
    } while (e->cursor != NULL);
    return an_output_commit(&e->out, reterr);
}

struct permission {
    int64_t agency;
    bool personal;
};

static an_code
permit_export(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct permission *permission = act->context;

    snprintf(act->object, sizeof(act->object), "agency:#%lld", (long long)permission->agency);
    snprintf(act->citation, sizeof(act->citation), "luat-bvdlcn-2025");
    snprintf(act->detail, sizeof(act->detail), "{\"personal\":%s}", permission->personal ? "true" : "false");
    AN_TRY(an_registry_require(tx, act->desk, "registry.export", permission->agency, reterr));
    return permission->personal ? an_registry_require(tx, act->desk, "person.read", permission->agency, reterr) : AN_OK;
}

an_code
an_registry_export_people(const struct an_desk *desk, const char *path, int64_t agency, bool personal, uint64_t *ret_rows, struct an_err *reterr)
{
    struct permission permission = {agency, personal};
    struct exporting e = {.out = AN_OUTPUT_NONE, .page = {.agency = agency, .limit = AN_PAGE_MAX}, .personal = personal, .text = an_buf_new(AN_LIMIT_IMPORT_ARENA)};
    an_code code;

    AN_TRY(an_registry_do(desk, "registry.export", permit_export, &permission, reterr));
    AN_TRY(an_output_open(path, &e.out, reterr));
    e.arena = an_arena_new(AN_LIMIT_IMPORT_ARENA);
    code = export_pages(desk, &e, reterr);
    an_output_discard(&e.out);
    an_arena_free(&e.arena);
    an_buf_free(&e.text);
    *ret_rows = e.rows;
    return code;
}
