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

/* The same by deadline. */
static an_code
hand_late(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct listing *listing = context;
    AN_CLEANUP(an_free_ptr) char *cursor = an_asprintf("%lld|%lld", (long long)an_row_int(row, 0),
                                                       (long long)an_row_int(row, 9));

    listing->cursor = cursor;
    return hand_line(listing, row, reterr);
}

/* "ID|text": the row the page before ended with; *ret_text NULL = from the first. */
static an_code
read_cursor(const char *cursor, int64_t *ret_id, const char **ret_text, struct an_err *reterr)
{
    char *end = NULL;

    *ret_id = 0;
    *ret_text = NULL;
    if (cursor == NULL)
        return AN_OK;
    *ret_id = strtoll(cursor, &end, 10);
    if (end == cursor || *end != '|' || *ret_id < 1)
        AN_FAIL(reterr, AN_E_REGISTRY_CURSOR, "%.40s", cursor);
    *ret_text = end + 1;
    return AN_OK;
}

/* Everything that begins with the name: from it, or from where the page before ended, up to the text after the last
 * such. */
static an_code
each_name(struct an_tx *tx, const struct an_request_query *query, struct an_value limit, struct listing *listing,
          struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf from = an_buf_new(4096), to = an_buf_new(4096);
    const char *text;
    int64_t id;

    if (!an_utf8_fold(&from, an_bytes_of_str(query->name)))
        AN_FAIL(reterr, AN_E_UTF8, "name");
    an_buf_append(&to, an_buf_view(&from));
    an_utf8_append(&to, 0x10FFFF);
    AN_TRY(read_cursor(query->after, &id, &text, reterr));
    if (text != NULL) {
        an_buf_reset(&from);
        an_buf_str(&from, text);
    }
    an_buf_byte(&from, 0);
    an_buf_byte(&to, 0);
    struct an_value values[] = {AN_V_INT(id), limit, an_v_text((const char *)from.ptr),
                                an_v_text((const char *)to.ptr)};
    return an_tx_each(tx, AN_SQL_REQUEST_LIST_NAME, values, AN_COUNT(values), hand_named, listing, reterr);
}

static an_code
each_late(struct an_tx *tx, const struct an_request_query *query, struct an_value limit, struct listing *listing,
          struct an_err *reterr)
{
    const char *text;
    int64_t id;

    AN_TRY(read_cursor(query->after, &id, &text, reterr));
    struct an_value values[] = {AN_V_INT(id), limit, AN_V_INT(query->overdue_at),
                                AN_V_INT(text ? strtoll(text, NULL, 10) : INT64_MIN),
                                an_v_text(query->agency ? query->agency : ""),
                                an_v_text(query->addressee ? query->addressee : "")};
    return an_tx_each(tx, AN_SQL_REQUEST_LIST_OVERDUE, values, AN_COUNT(values), hand_late, listing, reterr);
}

/* Which questions have an index of their own. */
enum asked { BY_AGENCY = 1, BY_ADDRESSEE = 2, BY_SUBJECT = 4, BY_NAME = 8, BY_STATE = 16, BY_DEADLINE = 32 };
static const struct { unsigned asked; enum an_sql statement; } question_table[] = {
    {0, AN_SQL_REQUEST_LIST_ALL},
    {BY_AGENCY, AN_SQL_REQUEST_LIST_AGENCY},
    {BY_AGENCY | BY_STATE, AN_SQL_REQUEST_LIST_AGENCY_STATE},
    {BY_ADDRESSEE | BY_STATE, AN_SQL_REQUEST_LIST_ADDRESSEE},
    {BY_STATE, AN_SQL_REQUEST_LIST_STATE},
    {BY_SUBJECT, AN_SQL_REQUEST_LIST_SUBJECT},
    {BY_NAME, AN_SQL_REQUEST_LIST_NAME},
    {BY_DEADLINE, AN_SQL_REQUEST_LIST_OVERDUE},
    {BY_DEADLINE | BY_AGENCY, AN_SQL_REQUEST_LIST_OVERDUE},
    {BY_DEADLINE | BY_ADDRESSEE, AN_SQL_REQUEST_LIST_OVERDUE},
};

static unsigned
what_is_asked(const struct an_request_query *query)
{
    return (query->agency ? BY_AGENCY : 0u) | (query->addressee ? BY_ADDRESSEE : 0u) |
        (query->subject ? BY_SUBJECT : 0u) | (query->name ? BY_NAME : 0u) | (query->state != 0 ? BY_STATE : 0u) |
        (query->overdue_at != AN_TIME_NONE ? BY_DEADLINE : 0u);
}

/* The questions whose pages go down from the newest: what is asked stands behind the place of the page. */
static an_code
each_newest(struct an_tx *tx, const struct an_request_query *query, enum an_sql statement, struct an_value limit,
            struct listing *listing, struct an_err *reterr)
{
    const char *text = query->agency ? query->agency : query->addressee ? query->addressee : query->subject;
    struct an_value values[4] = {AN_V_INT(query->before ? query->before : INT64_MAX), limit};
    size_t count = 2;

    if (text != NULL)
        values[count++] = an_v_text(text);
    if (query->state != 0)
        values[count++] = AN_V_INT(query->state);
    return an_tx_each(tx, statement, values, count, hand_line, listing, reterr);
}

an_code
an_request_each(struct an_tx *tx, const struct an_request_query *query, an_request_line_fn each, void *context,
                struct an_err *reterr)
{
    struct listing listing = {.each = each, .context = context};
    struct an_value limit = AN_V_INT(query->limit ? query->limit : 50);
    unsigned asked = what_is_asked(query);

    for (size_t i = 0; i < AN_COUNT(question_table); i++) {
        if (question_table[i].asked != asked)
            continue;
        if (asked == BY_NAME)
            return each_name(tx, query, limit, &listing, reterr);
        if (asked & BY_DEADLINE)
            return each_late(tx, query, limit, &listing, reterr);
        return each_newest(tx, query, question_table[i].statement, limit, &listing, reterr);
    }
    AN_FAIL(reterr, AN_E_REQUEST_QUESTION, "request list");
}

an_code
an_request_each_untold(struct an_tx *tx, an_time now, size_t limit, an_request_line_fn each, void *context,
                       struct an_err *reterr)
{
    struct listing listing = {.each = each, .context = context};
    struct an_value values[] = {AN_V_INT(now), AN_V_INT(limit)};

    return an_tx_each(tx, AN_SQL_REQUEST_LIST_UNTOLD, values, AN_COUNT(values), hand_line, &listing, reterr);
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
