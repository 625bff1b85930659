/*
 * Pages of a list. A page begins behind the last row of the one before (its order text and id stand in the cursor), so
 * the thousandth costs what the first does; a search is a range of an index, whatever the size of the register.
 */
#include "registry/internal.h"

#include <stdio.h>

#define PAGE_DEFAULT 50
#define ABOVE_ALL "\xF4\x8F\xBF\xBF" /* U+10FFFF: sorts behind every text */

/* What is listed, and in the text's other places behind it: of the whole register, of one agency. */
enum page_mode { PAGE_NAME = 'n', PAGE_KEY = 'k', PAGE_AGENCY = 'a', PAGE_AGENCY_KEY = 'b' };

struct page_at {
    enum page_mode mode;
    int64_t id;
    const char *text;
};

struct gather {
    const struct reg_pager *pager;
    struct an_arena *arena;
    uint8_t *items;
    size_t count;
    struct page_at last;
};

static an_code
gather_row(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct gather *gather = context;

    AN_TRY(reg_fill(gather->pager->cols, gather->pager->col_count, row, gather->arena,
                    gather->items + gather->count * gather->pager->size,
                    reterr));
    gather->count++;
    gather->last.id = an_row_int(row, 0);
    gather->last.text = an_arena_str(gather->arena, an_bytes_of_str(an_row_text(row, gather->pager->col_count)));
    if (gather->last.text == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "registry: arena");
    return AN_OK;
}

static an_code
read_cursor(const char *cursor, struct page_at *ret, struct an_err *reterr)
{
    long long id = 0;
    char mode = 0;
    int used = 0;

    if (cursor == NULL)
        return AN_OK;
    if (sscanf(cursor, "%c|%lld|%n", &mode, &id, &used) != 2 || used == 0 ||
        strchr("nkab", mode) == NULL)
        AN_FAIL(reterr, AN_E_REGISTRY_CURSOR, "%.40s", cursor);
    *ret = (struct page_at){(enum page_mode)mode, id, cursor + used};
    return AN_OK;
}

static bool
is_of_agency(enum page_mode mode)
{
    return mode == PAGE_AGENCY || mode == PAGE_AGENCY_KEY;
}

static enum an_sql
statement_of(const struct reg_pager *pager, enum page_mode mode)
{
    switch (mode) {
    case PAGE_AGENCY:
        return pager->by_agency;
    case PAGE_AGENCY_KEY:
        return pager->by_agency_key;
    case PAGE_KEY:
        return pager->by_key;
    default:
        return pager->by_name;
    }
}

static an_code
run_page(struct an_tx *tx, struct gather *gather, const struct page_at *at, const char *lower, const char *upper,
         size_t limit, int64_t agency,
         struct an_err *reterr)
{
    const struct an_value values[] = {an_v_text(lower), an_v_text(upper), an_v_text(at->text), AN_V_INT(at->id),
                                      AN_V_INT(limit), AN_V_INT(agency)};

    gather->last.mode = at->mode;
    return an_tx_each(tx, statement_of(gather->pager, at->mode), values, is_of_agency(at->mode) ? 6 : 5, gather_row,
                      gather, reterr);
}

/* From at on, over into the text's other places when those that begin with it are through. An agency's own are looked
 * through in the order of their names, since an agency is small; the whole register in the order of its words. */
static an_code
gather_page(struct an_tx *tx, struct gather *gather, struct page_at at, const char *folded, size_t limit,
            int64_t agency, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *upper = an_asprintf("%s" ABOVE_ALL, folded);

    AN_TRY(run_page(tx, gather, &at, folded, upper, limit, agency, reterr));
    if (gather->count < limit && (at.mode == PAGE_NAME || at.mode == PAGE_AGENCY) && folded[0] != '\0') {
        at = at.mode == PAGE_NAME ? (struct page_at){PAGE_KEY, 0, folded} : (struct page_at){PAGE_AGENCY_KEY, 0, ""};
        AN_TRY(run_page(tx, gather, &at, folded, upper, limit - gather->count, agency, reterr));
    }
    return AN_OK;
}

an_code
reg_page(struct an_tx *tx, const struct reg_pager *pager, const struct an_page *page, struct an_arena *arena,
         reg_row_fn each, void *context,
         const char **ret_cursor, struct an_err *reterr)
{
    bool has_text = page->text != NULL && page->text[0] != '\0';
    struct page_at at = {page->agency != 0 ? PAGE_AGENCY : PAGE_NAME, 0, ""};
    size_t limit = page->limit == 0 ? PAGE_DEFAULT : page->limit < AN_PAGE_MAX ? page->limit : AN_PAGE_MAX;
    struct gather gather = {.pager = pager, .arena = arena};
    const char *folded = "";

    if (has_text)
        AN_TRY(reg_fold(arena, page->text, &folded, reterr));
    at.text = folded; /* the one lower bound: an index is entered at one place */
    AN_TRY(read_cursor(page->cursor, &at, reterr));
    gather.items = an_arena_alloc(arena, limit * pager->size);
    if (gather.items == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "registry: arena");
    AN_TRY(gather_page(tx, &gather, at, folded, limit, page->agency, reterr));
    for (size_t i = 0; i < gather.count; i++)
        AN_TRY(each(context, gather.items + i * pager->size, reterr));
    *ret_cursor = NULL;
    if (gather.count == limit) {
        AN_CLEANUP(an_free_ptr) char *cursor = an_asprintf("%c|%lld|%s", (char)gather.last.mode,
                                                           (long long)gather.last.id, gather.last.text);
        *ret_cursor = an_arena_str(arena, an_bytes_of_str(cursor));
    }
    return AN_OK;
}
