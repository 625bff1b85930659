/* The registers into files: whole rows, masked unless personal data is asked for by who answers for it. */
#include "base/limits.h"
#include "registry/sheet.h"
#include "service/registration/registry_import.h"
#include "service/registration/registry_sheet.h"

#include <stdio.h>

struct exporting {
    const struct an_sheet_kind *kind;
    struct an_sheet *sheet;
    struct an_arena *arena;
    int64_t agency, after;
    bool personal;
    const char **cells; /* of a page, row after row */
    size_t count, size;
    uint64_t rows;
};

/* ---- cells ---- */
static const char *
write_day(int64_t at, bool is_whole, struct an_arena *arena)
{
    char text[AN_TIME_TEXT_MAX] = "";
    struct an_date date = an_date_of(at, 7 * 60);

    an_time_format_vn(at, text);
    if (an_time_of_date(&(struct an_date){.year = date.year, .month = date.month, .day = date.day}, 7 * 60) == at)
        text[10] = '\0'; /* a day; otherwise the moment */
    if (!is_whole)
        text[4] = '\0';
    return an_arena_str(arena, an_bytes_of_str(text));
}

static const char *
write_mm(int64_t um, struct an_arena *arena)
{
    char text[32];

    snprintf(text, sizeof(text), "%g", (double)um / 1000.0);
    return an_arena_str(arena, an_bytes_of_str(um ? text : ""));
}

static const char *
write_cell(const struct exporting *e, const struct an_row *row, size_t at)
{
    enum cell_kind kind = e->kind->columns[at].kind;
    const char *text;

    if ((kind == CELL_HIDDEN || kind == CELL_HIDDEN_DAY) && !e->personal)
        return "";
    switch (kind) {
    case CELL_DAY:
    case CELL_YEAR:
    case CELL_HIDDEN_DAY:
        return an_row_is_null(row, at + 1) ? "" : write_day(an_row_int(row, at + 1), e->personal || kind == CELL_DAY,
                                                            e->arena);
    case CELL_FLAG:
        return an_row_int(row, at + 1) ? "x" : "";
    case CELL_MM:
        return write_mm(an_row_int(row, at + 1), e->arena);
    case CELL_TAIL:
        text = an_row_text(row, at + 1);
        return e->personal ? an_arena_str(e->arena, an_bytes_of_str(text)) : an_mask_tail(text, 3, e->arena);
    case CELL_TEXT:
    case CELL_HIDDEN:
        break;
    }
    return an_arena_str(e->arena, an_bytes_of_str(an_row_text(row, at + 1)));
}

static an_code
keep_row(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct exporting *e = context;
    size_t columns = e->kind->column_count;

    if (e->count == e->size) {
        e->size = e->size ? 2 * e->size : 1024;
        e->cells = an_grow(e->cells, e->size * columns, sizeof(*e->cells));
    }
    for (size_t i = 0; i < columns; i++)
        if ((e->cells[e->count * columns + i] = write_cell(e, row, i)) == NULL)
            AN_FAIL(reterr, AN_E_LIMIT, "%zu", e->count);
    e->after = an_row_int(row, 0);
    e->count++;
    return AN_OK;
}

/* ---- pages ---- */
struct asking {
    struct exporting *e;
    int64_t after;
};

static an_code
read_page(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct asking *asking = context;
    struct exporting *e = asking->e;
    const struct an_value values[] = {AN_V_INT(asking->after), AN_V_INT(e->kind->page), AN_V_INT(e->agency)};

    e->count = 0;
    an_arena_reset(e->arena);
    return an_tx_each(tx, e->kind->rows, values, AN_COUNT(values), keep_row, e, reterr);
}

static an_code
write_head(struct exporting *e, struct an_err *reterr)
{
    const char *names[SHEET_COLUMNS_MAX];

    for (size_t i = 0; i < e->kind->column_count; i++)
        names[i] = e->kind->columns[i].vi;
    return an_sheet_row(e->sheet, names, e->kind->column_count, reterr);
}

static an_code
write_pages(struct exporting *e, const struct an_desk *desk, struct an_err *reterr)
{
    AN_TRY(write_head(e, reterr));
    do {
        struct asking asking = {e, e->after};
        AN_TRY(an_store_read(desk->instance->replica, read_page, &asking, reterr));
        for (size_t i = 0; i < e->count; i++)
            AN_TRY(an_sheet_row(e->sheet, e->cells + i * e->kind->column_count, e->kind->column_count, reterr));
        e->rows += e->count;
    } while (e->count == e->kind->page);
    return an_sheet_commit(e->sheet, reterr);
}

/* ---- who may ---- */
struct permission {
    const struct an_sheet_kind *kind;
    int64_t agency;
    bool personal;
};

static an_code
permit(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct permission *p = act->context;

    snprintf(act->object, sizeof(act->object), "agency:#%lld", (long long)p->agency);
    snprintf(act->citation, sizeof(act->citation), "luat-bvdlcn-2025");
    snprintf(act->detail, sizeof(act->detail), "{\"what\":\"%s\",\"personal\":%s}", p->kind->id,
             p->personal ? "true" : "false");
    AN_TRY(an_registry_require(tx, act->desk, "registry.export", p->agency, reterr));
    return p->personal ? an_registry_require(tx, act->desk, "person.read", p->agency, reterr) : AN_OK;
}

an_code
an_registry_export(const struct an_desk *desk, const char *what, const char *path, int64_t agency, bool personal,
                   uint64_t *ret_rows, struct an_err *reterr)
{
    struct permission permission = {sheet_kind_find(what), agency, personal};
    struct exporting e = {.kind = permission.kind, .personal = personal};
    an_code code;

    if (permission.kind == NULL)
        AN_FAIL(reterr, AN_E_IMPORT_KIND, "%.40s", what);
    if (agency == 0 && !an_registry_is_everywhere(desk, "registry.export"))
        permission.agency = desk->agency; /* his own is what he has */
    e.agency = permission.agency;
    AN_TRY(an_registry_do(desk, "registry.export", permit, &permission, reterr));
    AN_TRY(an_sheet_new(path, permission.kind->vi, &e.sheet, reterr));
    e.arena = an_arena_new(AN_LIMIT_IMPORT_ARENA);
    code = write_pages(&e, desk, reterr);
    an_sheet_free(&e.sheet);
    an_arena_free(&e.arena);
    free(e.cells);
    *ret_rows = e.rows;
    return code;
}
