/* Looking at the log, which is an event of its own. */
#include "audit/internal.h"

struct view { const char *viewer; const char *what; const struct an_audit_search *search; };

static an_code
note_view(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct view *view = context;
    const struct an_audit_event event = {.at = an_time_now(), .action = view->what, .actor = view->viewer,
                                         .outcome = "done",
                                         .object = view->search &&
                                         view->search->object ? view->search->object : "audit"};

    return an_audit_append(tx, &event, reterr);
}

an_code
audit_note_view(struct an_store *store, const char *viewer, const char *what, const struct an_audit_search *search,
                struct an_err *reterr)
{
    struct view view = {viewer, what, search};

    return an_store_write(store, note_view, &view, reterr);
}

struct listing {
    const struct an_audit_search *search;
    an_audit_entry_fn each;
    void *context;
};

static an_code
hand_entry(void *context, const struct an_row *row, struct an_err *reterr)
{
    const struct listing *listing = context;
    const struct an_audit_entry entry = {
        .seq = an_row_int(row, 0), .chain = an_row_blob(row, 9),
        .event = {.at = an_row_int(row, 1), .action = an_row_text(row, 2), .actor = an_row_text(row, 3),
                  .role = an_row_text(row, 4),
                  .object = an_row_text(row, 5), .outcome = an_row_text(row, 6), .citation = an_row_text(row, 7),
                  .detail = an_row_text(row, 8)},
    };

    return listing->each(listing->context, &entry, reterr);
}

static an_code
run_search(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct listing *listing = context;
    const struct an_audit_search *s = listing->search;
    bool ever = s->from == 0 && s->to == 0;
    const struct an_value values[] = {
        AN_V_INT(s->after), AN_V_INT(ever ? INT64_MIN : s->from), AN_V_INT(ever ? INT64_MAX : s->to),
        an_v_text(s->object ? s->object : ""),
        an_v_text(s->actor ? s->actor : ""), an_v_text(s->action ? s->action : ""),
        AN_V_INT(s->limit > 0 ? s->limit : INT64_MAX),
    };

    return an_tx_each(tx, AN_SQL_AUDIT_EVENT_SEARCH, values, AN_COUNT(values), hand_entry, context, reterr);
}

an_code
an_audit_list(struct an_store *store, const struct an_audit_search *search, const char *viewer, an_audit_entry_fn each,
              void *context,
              struct an_err *reterr)
{
    struct listing listing = {search, each, context};

    AN_TRY(audit_note_view(store, viewer, "audit.view", search, reterr));
    return an_store_read(store, run_search, &listing, reterr);
}

struct range { int64_t after, to; struct listing listing; };

static an_code
run_range(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct range *range = context;

    return an_tx_each(tx, AN_SQL_AUDIT_EVENT_RANGE, (struct an_value[]){AN_V_INT(range->after), AN_V_INT(range->to)}, 2,
                      hand_entry,
                      &range->listing, reterr);
}

an_code
audit_each(struct an_store *store, int64_t after, int64_t to, an_audit_entry_fn each, void *context,
           struct an_err *reterr)
{
    struct range range = {after, to, {NULL, each, context}};

    return an_store_read(store, run_range, &range, reterr);
}
