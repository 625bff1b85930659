/* Rows to structs and back; names as people type them and as they are searched. */
#include "registry/internal.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

static an_code
fill_text(const struct an_row *row, size_t column, struct an_arena *arena, const char **ret, struct an_err *reterr)
{
    const char *text = an_row_text(row, column);

    *ret = text[0] ? an_arena_str(arena, an_bytes_of_str(text)) : "";
    if (*ret == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "registry: arena");
    return AN_OK;
}

an_code
reg_fill(const struct col *cols, size_t count, const struct an_row *row, struct an_arena *arena, void *into,
         struct an_err *reterr)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t *member = (uint8_t *)into + cols[i].offset;
        int64_t number = an_row_int(row, i);
        bool flag = number != 0;
        if (cols[i].kind == COL_TEXT) {
            const char *text = NULL;
            AN_TRY(fill_text(row, i, arena, &text, reterr));
            memcpy(member, &text, sizeof(text));
            continue;
        }
        if (cols[i].kind == COL_TIME && an_row_is_null(row, i))
            number = AN_TIME_NONE;
        if (cols[i].kind == COL_FLAG)
            memcpy(member, &flag, sizeof(flag));
        else
            memcpy(member, &number, sizeof(number));
    }
    return AN_OK;
}

struct an_value
reg_id(int64_t id)
{
    return id ? AN_V_INT(id) : AN_V_NULL;
}

struct an_value
reg_time(an_time at)
{
    return at == AN_TIME_NONE ? AN_V_NULL : AN_V_INT(at);
}

struct an_value
reg_text(const char *text)
{
    return an_v_text(text ? text : "");
}

struct an_value
reg_text_or_null(const char *text)
{
    return an_v_text(text && text[0] ? text : NULL);
}

static bool
is_gap(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xA0 || c == 0x1680 ||
        (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* White space single, none at the ends, nothing that does not show. */
static void
tidy(struct an_buf *out, an_bytes text)
{
    bool gap = false;
    unsigned marks = 0;

    for (size_t at = 0; at < text.len;) {
        size_t before = at;
        uint32_t letter = an_utf8_next(text, &at);
        if (is_gap(letter)) {
            gap = out->len > 0;
            continue;
        }
        if (an_utf8_is_hidden(letter, &marks))
            continue;
        if (gap)
            an_buf_byte(out, ' ');
        gap = false;
        an_buf_append(out, an_bytes_slice(text, before, at - before));
    }
}

/* Fields by which people tell one from another; notes may hold what they like. */
static bool
is_name(const char *field)
{
    return strcmp(field, "name") == 0 || strcmp(field, "label") == 0;
}

an_code
reg_clean(struct an_arena *arena, const char *field, const char *text, const char **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf nfc = an_buf_new(AN_LIMIT_REGISTRY_TEXT);
    AN_CLEANUP(an_buf_free) struct an_buf tidied = an_buf_new(AN_LIMIT_REGISTRY_TEXT);

    if (!an_utf8_nfc(&nfc, an_bytes_of_str(text ? text : "")))
        AN_FAIL(reterr, AN_E_REGISTRY_TEXT, "%s", field);
    tidy(&tidied, an_buf_view(&nfc));
    *ret = an_buf_ok(&tidied) ? an_arena_str(arena, an_buf_view(&tidied)) : NULL;
    if (*ret == NULL)
        AN_FAIL(reterr, AN_E_REGISTRY_TEXT, "%s", field);
    if (is_name(field) && an_utf8_is_mixed(an_bytes_of_str(*ret)))
        AN_FAIL(reterr, AN_E_REGISTRY_LOOK_ALIKE, "%s", field);
    return AN_OK;
}

an_code
reg_fold(struct an_arena *arena, const char *text, const char **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf folded = an_buf_new(2 * AN_LIMIT_REGISTRY_TEXT);

    *ret = an_utf8_fold(&folded, an_bytes_of_str(text)) && an_buf_ok(&folded) ? an_arena_str(arena,
            an_buf_view(&folded)) : NULL;
    if (*ret == NULL)
        AN_FAIL(reterr, AN_E_REGISTRY_TEXT, "%.64s", text);
    return AN_OK;
}

static an_code
put_tail(struct an_tx *tx, const struct reg_tails *tails, int64_t id, const char *tail, struct an_err *reterr)
{
    const struct an_value values[] = {an_v_text(tail), AN_V_INT(id)};

    return an_tx_run(tx, tails->insert, values, AN_COUNT(values), NULL, reterr);
}

/* "nguyen thi kim uong": "thi kim uong", "kim uong", and the given name first: "uong nguyen thi kim". */
an_code
reg_put_tails(struct an_tx *tx, const struct reg_tails *tails, int64_t id, const char *folded, bool is_new,
              struct an_err *reterr)
{
    const struct an_value value = AN_V_INT(id);
    const char *last = strrchr(folded, ' ');
    AN_CLEANUP(an_free_ptr) char *turned = last ? an_asprintf("%s %.*s", last + 1, (int)(last - folded), folded) : NULL;

    if (!is_new)
        AN_TRY(an_tx_run(tx, tails->delete, &value, 1, NULL, reterr));
    for (const char *space = strchr(folded, ' '); space != NULL && space != last; space = strchr(space + 1, ' '))
        AN_TRY(put_tail(tx, tails, id, space + 1, reterr));
    return turned ? put_tail(tx, tails, id, turned, reterr) : AN_OK;
}

static an_code
fill_one(void *context, const struct an_row *row, struct an_err *reterr)
{
    const struct reg_one *one = context;

    return reg_fill(one->cols, one->col_count, row, one->arena, one->into, reterr);
}

an_code
reg_find(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count, const struct col *cols,
         size_t col_count,
         struct an_arena *arena, void *into, bool *ret_found, struct an_err *reterr)
{
    struct reg_one one = {cols, col_count, arena, into};

    return an_tx_one(tx, statement, values, count, fill_one, &one, ret_found, reterr);
}

an_code
reg_number(struct an_tx *tx, const char *sequence, const char *prefix, const char *given, an_code wrong,
           char ret[static 32], struct an_err *reterr)
{
    size_t head = strlen(prefix), len = given ? strlen(given) : 0;
    int64_t next = 0;

    if (len == 0) {
        AN_TRY(an_tx_next(tx, sequence, &next, reterr));
        snprintf(ret, 32, "%s%06lld", prefix, (long long)next);
        return AN_OK;
    }
    if (len > 31 || strspn(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != len)
        AN_FAIL(reterr, wrong, "number: %.31s", given);
    snprintf(ret, 32, "%s", given);
    if (strncmp(given, prefix, head) == 0 && len > head && len - head <= 12 &&
        strspn(given + head, "0123456789") == len - head)
        return an_tx_pass(tx, sequence, strtoll(given + head, NULL, 10), reterr);
    return AN_OK;
}
