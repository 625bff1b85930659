/* Lists of dossiers and a dossier's history: every question has an index under it. */
#include "request/internal.h"

#include "base/utf8.h"

#include <stdlib.h>

struct listing {
    an_request_line_fn each;
    void *context;
    const char *cursor; /* of the line at hand; NULL = the list has none */
};

static an_code
hand_line(void *context, const struct an_row *row, struct an_err *reterr)
{
    const struct listing *listing = context;
    struct an_request_line line = {
        .id = an_row_int(row, 0), .kind = (enum an_request_kind)an_row_int(row, 1),
        .state = (enum an_request_state)an_row_int(row, 2),
        .agency = an_row_text(row, 3), .addressee = an_row_text(row, 4), .number = an_row_text(row, 5),
        .form = an_row_text(row, 6),
        .created_at = an_row_int(row, 7), .received_at = request_time(row, 8), .due_at = request_time(row, 9),
        .closed_at = request_time(row, 10),
        .urgent = an_row_int(row, 11) != 0, .cursor = listing->cursor,
    };

    return listing->each(listing->context, &line, reterr);
}

/* The same with where it stands among the names. */
static an_code
hand_named(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct listing *listing = context;
    AN_CLEANUP(an_free_ptr) char *cursor = an_asprintf("%lld|%s", (long long)an_row_int(row, 0), an_row_text(row, 12));

    listing->cursor = cursor;
    return hand_line(listing, row, reterr);
}

/* "ID|folded name": the row the page before ended with. */
static an_code
read_cursor(const char *cursor, struct an_buf *from, int64_t *ret_id, struct an_err *reterr)
{
    char *end = NULL;

    *ret_id = 0;
    if (cursor == NULL)
        return AN_OK;
    *ret_id = strtoll(cursor, &end, 10);
    if (end == cursor || *end != '|' || *ret_id < 1)
        AN_FAIL(reterr, AN_E_REGISTRY_CURSOR, "%.40s", cursor);
    an_buf_reset(from);
    an_buf_str(from, end + 1);
    return AN_OK;
}

/* Everything that begins with the name: from it, or from where the page before ended, up to the text after the last
 * such. */
static an_code
each_name(struct an_tx *tx, const struct an_request_query *query, struct an_value limit, struct listing *listing,
          struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf from = an_buf_new(4096), to = an_buf_new(4096);
    int64_t id = 0;

    if (!an_utf8_fold(&from, an_bytes_of_str(query->name)))
        AN_FAIL(reterr, AN_E_UTF8, "name");
    an_buf_append(&to, an_buf_view(&from));
    an_utf8_append(&to, 0x10FFFF);
    AN_TRY(read_cursor(query->after, &from, &id, reterr));
    an_buf_byte(&from, 0);
    an_buf_byte(&to, 0);
    struct an_value values[] = {AN_V_INT(id), limit, an_v_text((const char *)from.ptr),
                                an_v_text((const char *)to.ptr)};
    return an_tx_each(tx, AN_SQL_REQUEST_LIST_NAME, values, AN_COUNT(values), hand_named, listing, reterr);
}

an_code
an_request_each(struct an_tx *tx, const struct an_request_query *query, an_request_line_fn each, void *context,
                struct an_err *reterr)
{
    struct listing listing = {.each = each, .context = context};
    struct an_value values[4] = {AN_V_INT(query->before ? query->before : INT64_MAX),
                                 AN_V_INT(query->limit ? query->limit : 50)};
    enum an_sql statement = AN_SQL_REQUEST_LIST_ALL;
    size_t count = 3;

    if (query->name != NULL)
        return each_name(tx, query, values[1], &listing, reterr);
    if (query->overdue_at != AN_TIME_NONE) {
        statement = AN_SQL_REQUEST_LIST_OVERDUE;
        values[2] = AN_V_INT(query->overdue_at);
    } else if (query->subject != NULL) {
        statement = AN_SQL_REQUEST_LIST_SUBJECT;
        values[2] = an_v_text(query->subject);
    } else if (query->addressee != NULL && query->state != 0) {
        statement = AN_SQL_REQUEST_LIST_ADDRESSEE;
        values[2] = an_v_text(query->addressee);
        values[3] = AN_V_INT(query->state);
        count = 4;
    } else if (query->agency != NULL) {
        statement = AN_SQL_REQUEST_LIST_AGENCY;
        values[2] = an_v_text(query->agency);
    } else if (query->state != 0) {
        statement = AN_SQL_REQUEST_LIST_STATE;
        values[2] = AN_V_INT(query->state);
    } else {
        count = 2;
    }
    return an_tx_each(tx, statement, values, count, hand_line, &listing, reterr);
}

struct telling {
    an_request_event_fn each;
    void *context;
};

static an_code
hand_event(void *context, const struct an_row *row, struct an_err *reterr)
{
    const struct telling *telling = context;
    struct an_request_event event = {
        .seq = an_row_int(row, 0), .at = an_row_int(row, 1), .act = an_row_text(row, 2), .actor = an_row_text(row, 3),
        .role = an_row_text(row, 4),
        .from = (enum an_request_state)an_row_int(row, 5), .to = (enum an_request_state)an_row_int(row, 6),
        .citation = an_row_text(row, 7), .detail = an_row_text(row, 8),
    };

    return telling->each(telling->context, &event, reterr);
}

an_code
an_request_history(struct an_tx *tx, int64_t id, an_request_event_fn each, void *context, struct an_err *reterr)
{
    struct telling telling = {each, context};
    struct an_value values[] = {AN_V_INT(id)};

    return an_tx_each(tx, AN_SQL_REQUEST_EVENT_LIST, values, AN_COUNT(values), hand_event, &telling, reterr);
}
