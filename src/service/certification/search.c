#include "service/certification/search.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"

#define SHORTEST 3 /* characters: a search for less is a copy of the register */
#define LONGEST 256
#define AFTER_ALL "\xF4\x8F\xBF\xBF" /* U+10FFFF: behind every text that begins so */

const char *
an_public_status_word(int status, bool is_english)
{
    static const char *const words[][2] = {
        {"còn hiệu lực", "in force"}, {"đã thu hồi", "revoked"}, {"tạm dừng", "on hold"}, {"hết hạn", "expired"}};

    return words[status >= 0 && status < 4 ? status : 0][is_english];
}

/* What one search needs. */
struct run {
    const struct an_public_search *search;
    an_time now;
    enum an_sql statement;
    size_t column; /* of search_cursor */
    struct an_buf from, to, after;
    uint8_t serial[32]; size_t serial_len;
    int64_t limit, given;
    bool has_more;
    an_found_fn each;
    void *context;
};

static void
run_done(struct run *run)
{
    an_buf_free(&run->from);
    an_buf_free(&run->to);
    an_buf_free(&run->after);
}

/* ---- what is asked ---- */
static an_code
read_serial(const char *text, uint8_t ret[static 32], size_t *ret_len, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf bare = an_buf_new(200), octets = an_buf_new(40);
    size_t skip = 0;

    for (; *text != '\0'; text++)
        if (*text != ':' && *text != ' ')
            an_buf_byte(&bare, (uint8_t)*text);
    if (bare.len % 2 != 0 || bare.len < 2 || !an_buf_ok(&bare) || !an_hex_decode(&octets, an_buf_view(&bare)) ||
        octets.len > 30)
        AN_FAIL(reterr, AN_E_SEARCH_QUERY, "serial");
    while (skip + 1 < octets.len && octets.ptr[skip] == 0)
        skip++;
    *ret_len = 0;
    if (octets.ptr[skip] & 0x80) /* the sign octet that a positive INTEGER has */
        ret[(*ret_len)++] = 0;
    memcpy(ret + *ret_len, octets.ptr + skip, octets.len - skip);
    *ret_len += octets.len - skip;
    return AN_OK;
}

static an_code
fold_query(struct run *run, const char *text, const char *field, struct an_err *reterr)
{
    size_t characters = 0, at = 0;

    if (strlen(text) > LONGEST || !an_utf8_fold(&run->from, an_bytes_of_str(text)))
        AN_FAIL(reterr, AN_E_SEARCH_QUERY, "%s", field);
    for (; at < run->from.len; characters++)
        (void)an_utf8_next(an_buf_view(&run->from), &at);
    if (characters < SHORTEST)
        AN_FAIL(reterr, AN_E_SEARCH_QUERY, "%s: < %d", field, SHORTEST);
    an_buf_append(&run->to, an_buf_view(&run->from));
    an_buf_str(&run->to, AFTER_ALL);
    return AN_OK;
}

static an_code
prepare(struct run *run, struct an_err *reterr)
{
    const struct an_public_search *search = run->search;
    const struct { const char *text, *field; enum an_sql statement; size_t column; } fields[] = {
        {search->subject, "subject", AN_SQL_SEARCH_SUBJECT, 0}, {search->agency, "agency", AN_SQL_SEARCH_AGENCY, 1},
        {search->email, "email", AN_SQL_SEARCH_EMAIL, 2}};
    size_t given = search->serial != NULL;

    run->limit = search->limit > 0 ? search->limit : AN_LIMIT_SEARCH_ROWS;
    if (run->limit > AN_LIMIT_SEARCH_ROWS_MAX || search->after < 0)
        AN_FAIL(reterr, AN_E_SEARCH_QUERY, "limit, after");
    for (size_t i = 0; i < AN_COUNT(fields); i++) {
        if (fields[i].text == NULL)
            continue;
        given++;
        run->statement = fields[i].statement;
        run->column = fields[i].column;
        AN_TRY(fold_query(run, fields[i].text, fields[i].field, reterr));
    }
    if (given != 1)
        AN_FAIL(reterr, AN_E_SEARCH_QUERY, "serial, subject, agency, email");
    if (search->email != NULL && strchr(search->email, '@') == NULL)
        AN_FAIL(reterr, AN_E_SEARCH_QUERY, "email");
    if (search->serial != NULL) {
        run->statement = AN_SQL_SEARCH_SERIAL;
        AN_TRY(read_serial(search->serial, run->serial, &run->serial_len, reterr));
    }
    return AN_OK;
}

/* ---- rows ---- */
static an_code
give_row(void *context, const struct an_row *row, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf serial = an_buf_new(200);
    AN_CLEANUP(an_free_ptr) char *hex = NULL;
    struct run *run = context;
    an_bytes content = an_row_blob(row, 1);
    struct an_found found = {.id = an_row_int(row, 0), .subject = an_row_text(row, 2), .profile = an_row_text(row, 3),
                             .not_before = an_row_int(row, 4),
                             .not_after = an_row_int(row, 5), .status = (int)an_row_int(row, 6),
                             .reason = (int)an_row_int(row, 8),
                             .authority = an_row_text(row, 9), .revoked_at = an_row_is_null(row, 7) ? AN_TIME_NONE
                             : an_row_int(row, 7)};

    (void)reterr;
    if (run->given == run->limit) { /* one more was asked for to know that there is one */
        run->has_more = true;
        return AN_OK;
    }
    run->given++;
    if (content.len > 1 && content.ptr[0] == 0)
        content = an_bytes_slice(content, 1, SIZE_MAX);
    an_buf_hex(&serial, content);
    hex = an_buf_take_str(&serial);
    found.serial = hex;
    if (found.status == 0 && found.not_after < run->now)
        found.status = 3;
    run->each(run->context, &found);
    return AN_OK;
}

static an_code
keep_cursor(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct run *run = context;

    (void)reterr;
    an_buf_reset(&run->after);
    an_buf_str(&run->after, an_row_text(row, run->column));
    return AN_OK;
}

static struct an_value
text_value(const struct an_buf *buf)
{
    return (struct an_value){AN_VALUE_TEXT, 0, buf->len > 0 ? an_buf_view(buf) : AN_LIT("")};
}

static an_code
search_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct run *run = context;
    const struct an_value cursor[] = {AN_V_INT(run->search->after)},
                          serial[] = {AN_V_BLOB(AN_BYTES(run->serial, run->serial_len))};
    bool is_found = false;

    run->given = 0;
    run->has_more = false;
    if (run->statement == AN_SQL_SEARCH_SERIAL)
        return an_tx_each(tx, run->statement, serial, 1, give_row, run, reterr);
    if (run->search->after > 0) {
        AN_TRY(an_tx_one(tx, AN_SQL_SEARCH_CURSOR, cursor, 1, keep_cursor, run, &is_found, reterr));
        if (!is_found)
            AN_FAIL(reterr, AN_E_SEARCH_QUERY, "after");
    }
    {
        bool is_behind = an_bytes_cmp(an_buf_view(&run->after), an_buf_view(&run->from)) > 0;
        const struct an_value values[] = {
            text_value(is_behind && run->statement != AN_SQL_SEARCH_EMAIL ? &run->after : &run->from),
            text_value(&run->to), text_value(&run->after),
            AN_V_INT(run->search->after), AN_V_INT(run->limit + 1)};
        return an_tx_each(tx, run->statement, values, AN_COUNT(values), give_row, run, reterr);
    }
}

an_code
an_public_search_run(struct an_store *store, const struct an_public_search *search, an_time now, an_found_fn each,
                     void *context, bool *ret_more,
              struct an_err *reterr)
{
    AN_CLEANUP(run_done) struct run run = {.search = search, .now = now, .each = each, .context = context,
                                           .from = an_buf_new(4096),
                                           .to = an_buf_new(4096), .after = an_buf_new(65536)};

    AN_TRY(prepare(&run, reterr));
    AN_TRY(an_store_read(store, search_in, &run, reterr));
    *ret_more = run.has_more;
    return AN_OK;
}

struct fetch { uint8_t serial[32]; size_t serial_len; struct an_buf *der; bool is_found; };

static an_code
keep_der(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    an_buf_append(context, an_row_blob(row, 0));
    return AN_OK;
}

static an_code
fetch_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct fetch *fetch = context;
    const struct an_value values[] = {AN_V_BLOB(AN_BYTES(fetch->serial, fetch->serial_len))};

    an_buf_reset(fetch->der);
    return an_tx_one(tx, AN_SQL_SEARCH_CERTIFICATE, values, 1, keep_der, fetch->der, &fetch->is_found, reterr);
}

an_code
an_public_search_certificate(struct an_store *store, const char *serial, struct an_buf *ret_der, bool *ret_found,
                             struct an_err *reterr)
{
    struct fetch fetch = {.der = ret_der};

    AN_TRY(read_serial(serial, fetch.serial, &fetch.serial_len, reterr));
    AN_TRY(an_store_read(store, fetch_in, &fetch, reterr));
    *ret_found = fetch.is_found;
    return AN_OK;
}
