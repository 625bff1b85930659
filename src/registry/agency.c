/* Agencies: a tree, with all identifiers they ever had. */
#include "registry/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define A(kind, member) {kind, offsetof(struct an_agency, member)}
static const struct col agency_cols[] = {
    A(COL_INT, id), A(COL_TEXT, code), A(COL_TEXT, name), A(COL_INT, superior), A(COL_TEXT, superior_name),
    A(COL_TEXT, hierarchy),
    A(COL_TEXT, address), A(COL_TEXT, province), A(COL_TEXT, tax_code), A(COL_TEXT, budget_code), A(COL_TEXT, email),
    A(COL_TEXT, email_domain),
    A(COL_TEXT, regulation), A(COL_INT, seal_um), A(COL_TEXT, seal_document), A(COL_TEXT, state), A(COL_TIME, since),
    A(COL_TIME, until),
    A(COL_INT, successor),
};
static const struct reg_pager agency_pager = {
    AN_SQL_AGENCY_PAGE_NAME, AN_SQL_AGENCY_PAGE_PART, AN_SQL_AGENCY_PAGE_SUPERIOR, AN_SQL_AGENCY_PAGE_SUPERIOR_PART,
    COLS(agency_cols), sizeof(struct an_agency)};

/* ---- fields ---- */
static bool
is_digits(const char *text, size_t least, size_t most, const char *also)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if (!(text[i] >= '0' && text[i] <= '9') && strchr(also, text[i]) == NULL)
            return false;
    return len >= least && len <= most;
}

static bool
is_domain(const char *text)
{
    size_t len = strlen(text), dots = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        dots += c == '.';
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.') ||
            (c == '.' && (i == 0 || text[i - 1] == '.')))
            return false;
    }
    return len <= 253 && dots > 0 && text[len - 1] != '.';
}

/* Tax codes have 10 digits, or 10-3; codes of budget relations 7. */
static an_code
check_fields(const struct an_agency *agency, struct an_err *reterr)
{
    const char *tax = agency->tax_code ? agency->tax_code : "", *budget = agency->budget_code ? agency->budget_code
            : "";
    const char *domain = agency->email_domain ? agency->email_domain : "",
                *hierarchy = agency->hierarchy ? agency->hierarchy : "";

    if (strcmp(hierarchy, "state") != 0 && strcmp(hierarchy, "party") != 0)
        AN_FAIL(reterr, AN_E_AGENCY_FIELD, "hierarchy: state, party");
    if (tax[0] != '\0' && !is_digits(tax, 10, 14, "-"))
        AN_FAIL(reterr, AN_E_AGENCY_FIELD, "tax_code: %.20s", tax);
    if (budget[0] != '\0' && !is_digits(budget, 7, 7, ""))
        AN_FAIL(reterr, AN_E_AGENCY_FIELD, "budget_code: %.20s", budget);
    if (domain[0] != '\0' && !is_domain(domain))
        AN_FAIL(reterr, AN_E_AGENCY_FIELD, "email_domain: %.64s", domain);
    if (agency->seal_um != 0 && (agency->seal_um < 10000 || agency->seal_um > 60000))
        AN_FAIL(reterr, AN_E_AGENCY_FIELD, "seal: 10–60 mm");
    return AN_OK;
}

static an_code
check_superior(struct an_tx *tx, int64_t superior, struct an_err *reterr)
{
    const struct an_value id = AN_V_INT(superior);
    int64_t found = 0;

    if (superior == 0)
        return AN_OK;
    AN_TRY(an_tx_int(tx, AN_SQL_AGENCY_ACTIVE_COUNT, &id, 1, &found, reterr));
    if (found == 0)
        AN_FAIL(reterr, AN_E_AGENCY_UNKNOWN, "#%lld", (long long)superior);
    return AN_OK;
}

/* ---- adding, changing ---- */
static an_code
add_code(struct an_tx *tx, int64_t agency, const char *code, an_time since, const char *basis, struct an_err *reterr)
{
    const struct an_value values[] = {an_v_text(code), AN_V_INT(agency), reg_time(since), reg_text(basis)};
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_AGENCY_CODE_INSERT, values, AN_COUNT(values), &changed, reterr));
    if (changed == 0)
        AN_FAIL(reterr, AN_E_AGENCY_CODE_TAKEN, "%s", code);
    return AN_OK;
}

static an_code
write_agency(struct an_tx *tx, const struct an_agency *agency, const char *code, struct an_arena *arena,
             int64_t *ret_id, struct an_err *reterr)
{
    const char *name = NULL, *folded = NULL, *address = NULL, *province = NULL;

    AN_TRY(reg_clean(arena, "name", agency->name, &name, reterr));
    AN_TRY(reg_clean(arena, "address", agency->address, &address, reterr));
    AN_TRY(reg_clean(arena, "province", agency->province, &province, reterr));
    AN_TRY(reg_fold(arena, name, &folded, reterr));
    if (name[0] == '\0')
        AN_FAIL(reterr, AN_E_AGENCY_FIELD, "name");
    const struct an_value values[] = {
        an_v_text(name), an_v_text(folded), reg_id(agency->superior), an_v_text(agency->hierarchy), an_v_text(address),
        an_v_text(province),
        reg_text(agency->tax_code), reg_text(agency->budget_code), reg_text(agency->email),
        reg_text(agency->email_domain),
        reg_text(agency->regulation), AN_V_INT(agency->seal_um), reg_text(agency->seal_document),
        reg_time(agency->since),
        ret_id ? reg_text_or_null(code) : AN_V_INT(agency->id),
    };
    if (ret_id != NULL)
        return an_tx_int(tx, AN_SQL_AGENCY_INSERT, values, AN_COUNT(values), ret_id, reterr);
    return an_tx_run(tx, AN_SQL_AGENCY_UPDATE, values, AN_COUNT(values), NULL, reterr);
}

an_code
an_agency_add(struct an_tx *tx, const struct an_agency *agency, int64_t *ret_id, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    char code[AN_AGENCY_CODE_MAX + 1] = "";
    bool is_taken = false;

    AN_TRY(check_fields(agency, reterr));
    AN_TRY(check_superior(tx, agency->superior, reterr));
    if (agency->code != NULL && agency->code[0] != '\0') {
        AN_TRY(an_agency_code_normalise(an_bytes_of_str(agency->code), code, reterr));
        const struct an_value value = an_v_text(code);
        AN_TRY(an_tx_one(tx, AN_SQL_AGENCY_CODE_FIND, &value, 1, NULL, NULL, &is_taken, reterr));
    }
    if (is_taken)
        AN_FAIL(reterr, AN_E_AGENCY_CODE_TAKEN, "%s", code);
    AN_TRY(write_agency(tx, agency, code, arena, ret_id, reterr));
    return code[0] ? add_code(tx, *ret_id, code, agency->since, "", reterr) : AN_OK;
}

an_code
an_agency_edit(struct an_tx *tx, const struct an_agency *agency, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    bool is_below = false;

    AN_TRY(check_fields(agency, reterr));
    AN_TRY(check_superior(tx, agency->superior, reterr));
    if (agency->superior != 0)
        AN_TRY(an_agency_is_below(tx, agency->superior, agency->id, &is_below, reterr));
    if (is_below)
        AN_FAIL(reterr, AN_E_AGENCY_LOOP, "#%lld", (long long)agency->superior);
    return write_agency(tx, agency, "", arena, NULL, reterr);
}

an_code
an_agency_change_code(struct an_tx *tx, int64_t id, const char *code, const char *basis, an_time at,
                      struct an_err *reterr)
{
    char normal[AN_AGENCY_CODE_MAX + 1];

    AN_TRY(an_agency_code_normalise(an_bytes_of_str(code), normal, reterr));
    const struct an_value close[] = {AN_V_INT(id), AN_V_INT(at), an_v_text(normal), reg_text(basis)};
    const struct an_value set[] = {AN_V_INT(id), an_v_text(normal)};
    AN_TRY(an_tx_run(tx, AN_SQL_AGENCY_CODE_CLOSE, close, AN_COUNT(close), NULL, reterr));
    AN_TRY(add_code(tx, id, normal, at, basis, reterr));
    return an_tx_run(tx, AN_SQL_AGENCY_CODE_SET, set, AN_COUNT(set), NULL, reterr);
}

an_code
an_agency_close(struct an_tx *tx, const struct an_agency *agency, const char *basis, struct an_err *reterr)
{
    const struct an_value close[] = {AN_V_INT(agency->id), AN_V_INT(agency->until), AN_V_NULL, reg_text(basis)};
    const struct an_value end[] = {AN_V_INT(agency->id), AN_V_INT(agency->until)},
                          successor[] = {AN_V_INT(agency->id), AN_V_INT(agency->successor)};

    if (agency->until == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_AGENCY_FIELD, "until");
    if (strcmp(agency->state, "dissolved") != 0 && (strcmp(agency->state, "merged") != 0 || agency->successor == 0))
        AN_FAIL(reterr, AN_E_AGENCY_FIELD, "state, successor");
    AN_TRY(an_tx_run(tx, AN_SQL_AGENCY_MERGED, end, AN_COUNT(end), NULL, reterr));
    if (agency->successor != 0)
        AN_TRY(an_tx_run(tx, AN_SQL_AGENCY_SUCCESSOR_SET, successor, AN_COUNT(successor), NULL, reterr));
    return an_tx_run(tx, AN_SQL_AGENCY_CODE_CLOSE, close, AN_COUNT(close), NULL, reterr);
}

an_code
an_agency_add_closed(struct an_tx *tx, int64_t id, const char *code, const char *basis, an_time until,
                     struct an_err *reterr)
{
    char normal[AN_AGENCY_CODE_MAX + 1];
    int64_t changed = 0;

    AN_TRY(an_agency_code_normalise(an_bytes_of_str(code), normal, reterr));
    const struct an_value values[] = {an_v_text(normal), AN_V_INT(id), AN_V_INT(until), reg_text(basis)};
    AN_TRY(an_tx_run(tx, AN_SQL_AGENCY_CODE_INSERT_CLOSED, values, AN_COUNT(values), &changed, reterr));
    if (changed == 0)
        AN_FAIL(reterr, AN_E_AGENCY_CODE_TAKEN, "%s", normal);
    return AN_OK;
}

/* ---- finding ---- */
an_code
an_agency_find_named(struct an_tx *tx, const char *text, int64_t *ret_id, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_agency agency = {0};
    const char *name = NULL, *folded = NULL;
    int64_t count = 0;

    if (text[0] == '#' || an_agency_code_form(an_bytes_of_str(text)) != AN_CODE_WRONG) {
        AN_TRY(an_agency_find_code(tx, text, arena, &agency, NULL, reterr));
        *ret_id = agency.id;
        return AN_OK;
    }
    AN_TRY(reg_clean(arena, "agency", text, &name, reterr));
    AN_TRY(reg_fold(arena, name, &folded, reterr));
    const struct an_value values[] = {an_v_text(folded), an_v_text(name)};
    AN_TRY(an_tx_int(tx, AN_SQL_AGENCY_NAMED_COUNT, values, AN_COUNT(values), &count, reterr));
    if (count != 1)
        AN_FAIL(reterr, AN_E_AGENCY_UNKNOWN, "%.80s", text);
    return an_tx_int(tx, AN_SQL_AGENCY_NAMED, values, AN_COUNT(values), ret_id, reterr);
}

an_code
an_agency_find(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_agency *ret, struct an_err *reterr)
{
    const struct an_value value = AN_V_INT(id);
    bool found = false;

    AN_TRY(reg_find(tx, AN_SQL_AGENCY_FIND, &value, 1, COLS(agency_cols), arena, ret, &found, reterr));
    if (!found)
        AN_FAIL(reterr, AN_E_AGENCY_UNKNOWN, "#%lld", (long long)id);
    return AN_OK;
}

struct code_row {
    int64_t agency;
    bool is_closed;
};

static an_code
read_code(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct code_row *code = context;

    (void)reterr;
    code->agency = an_row_int(row, 0);
    code->is_closed = an_row_int(row, 1) != 0;
    return AN_OK;
}

/* "H53.05" of old lists may be "H53.5" now. */
static void
drop_zeros(char *code)
{
    char *to = code;

    for (const char *at = code; *at != '\0'; at++)
        if (!(*at == '0' && at > code + 3 && at[-1] == '.' && at[1] >= '0' && at[1] <= '9'))
            *to++ = *at;
    *to = '\0';
}

an_code
an_agency_find_code(struct an_tx *tx, const char *code, struct an_arena *arena, struct an_agency *ret, bool *ret_closed,
                    struct an_err *reterr)
{
    char normal[AN_AGENCY_CODE_MAX + 1];
    struct code_row row = {0};
    bool found = false;

    if (ret_closed != NULL)
        *ret_closed = false;
    if (code[0] == '#')
        return an_agency_find(tx, strtoll(code + 1, NULL, 10), arena, ret, reterr);
    AN_TRY(an_agency_code_normalise(an_bytes_of_str(code), normal, reterr));
    for (int round = 0; round < 2 && !found; round++) {
        const struct an_value value = an_v_text(normal);
        AN_TRY(an_tx_one(tx, AN_SQL_AGENCY_CODE_FIND, &value, 1, read_code, &row, &found, reterr));
        if (!found && an_agency_code_form(an_bytes_of_str(code)) == AN_CODE_LEGACY)
            drop_zeros(normal);
        else
            break;
    }
    if (!found)
        AN_FAIL(reterr, AN_E_AGENCY_UNKNOWN, "%s", code);
    if (ret_closed != NULL)
        *ret_closed = row.is_closed;
    return an_agency_find(tx, row.agency, arena, ret, reterr);
}

an_code
an_agency_is_below(struct an_tx *tx, int64_t id, int64_t other, bool *ret, struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(id), AN_V_INT(other)};
    int64_t count = 0;

    AN_TRY(an_tx_int(tx, AN_SQL_AGENCY_ABOVE_COUNT, values, AN_COUNT(values), &count, reterr));
    *ret = count > 0;
    return AN_OK;
}

struct text_row {
    struct an_arena *arena;
    const char *text;
};

static an_code
keep_text(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct text_row *kept = context;

    kept->text = an_arena_str(kept->arena, an_bytes_of_str(an_row_text(row, 0)));
    if (kept->text == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "registry: arena");
    return AN_OK;
}

an_code
an_agency_regulation(struct an_tx *tx, int64_t id, struct an_arena *arena, const char **ret, struct an_err *reterr)
{
    struct text_row kept = {arena, ""};
    const struct an_value value = AN_V_INT(id);

    AN_TRY(an_tx_one(tx, AN_SQL_AGENCY_REGULATION, &value, 1, keep_text, &kept, NULL, reterr));
    *ret = kept.text;
    return AN_OK;
}

/* ---- listing ---- */
struct list {
    an_agency_fn each;
    void *context;
};

static an_code
list_row(void *context, const void *item, struct an_err *reterr)
{
    struct list *list = context;

    return list->each(list->context, item, reterr);
}

an_code
an_agency_list(struct an_tx *tx, const struct an_page *page, struct an_arena *arena, an_agency_fn each, void *context,
               const char **ret_cursor,
               struct an_err *reterr)
{
    struct list list = {each, context};

    return reg_page(tx, &agency_pager, page, arena, list_row, &list, ret_cursor, reterr);
}
