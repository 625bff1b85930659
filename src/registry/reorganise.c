/* Mergers and transfers: what goes with whom, and how it is put back. */
#include "registry/reorganise.h"

#include "base/limits.h"
#include "registry/internal.h"

/* A row that is changed: its id, one value of it, and what people call it. */
struct row {
    int64_t id, value;
    const char *what, *name, *extra;
};
AN_VEC(row_vec, struct row);

struct work {
    struct an_tx *tx;
    const struct an_reorganisation *plan;
    an_reorganisation_fn each;
    void *context;
    int64_t id, seq;
    struct an_arena *arena;
    struct row_vec rows;
};

static void
work_done(struct work *work)
{
    row_vec_done(&work->rows);
    an_arena_free(&work->arena);
}

/* ---- rows ---- */
static an_code
gather(void *context, const struct an_row *row, struct an_err *reterr)
{
    static const struct col cols[] = {{COL_INT, offsetof(struct row, id)}, {COL_TIME, offsetof(struct row, value)},
                                      {COL_TEXT, offsetof(struct row, what)},
                                      {COL_TEXT, offsetof(struct row, name)}, {COL_TEXT, offsetof(struct row, extra)}};
    struct work *work = context;

    return reg_fill(COLS(cols), row, work->arena, row_vec_push(&work->rows), reterr);
}

static an_code
select_rows(struct work *work, enum an_sql statement, const struct an_value *values, size_t count,
            struct an_err *reterr)
{
    work->rows.count = 0;
    return an_tx_each(work->tx, statement, values, count, gather, work, reterr);
}

static an_code
tell(struct work *work, const char *kind, const struct row *row, struct an_err *reterr)
{
    const struct an_reorganisation_line line = {kind, row->what, row->name};

    return work->each ? work->each(work->context, &line, reterr) : AN_OK;
}

/* ---- what each kind of row becomes, and what it was: the table by which it is done and undone ---- */
enum change { CHANGE_PERSON = 0, CHANGE_UNIT, CHANGE_SUBSCRIBER, CHANGE_SUBSCRIBER_ENDED, CHANGE_POST, CHANGE_DUTY,
             CHANGE_AGENCY, CHANGE_NEW_POST };
static const struct {
    const char *kind, *told;
    enum an_sql set, unset; /* $1 id, $2 value; undone with the value before */
} changes[] = {
    [CHANGE_PERSON] = {"person", "person", AN_SQL_PERSON_MOVE, AN_SQL_PERSON_MOVE},
    [CHANGE_UNIT] = {"unit", "unit", AN_SQL_AGENCY_SUPERIOR_SET, AN_SQL_AGENCY_SUPERIOR_SET},
    [CHANGE_SUBSCRIBER] = {"subscriber", "subscriber", AN_SQL_SUBSCRIBER_MOVE, AN_SQL_SUBSCRIBER_MOVE},
    [CHANGE_SUBSCRIBER_ENDED] = {"subscriber-ended", "subscriber-ended", AN_SQL_SUBSCRIBER_END,
                                 AN_SQL_SUBSCRIBER_REOPEN},
    [CHANGE_POST] = {"post", "post", AN_SQL_POST_UNTIL_SET, AN_SQL_POST_UNTIL_SET},
    [CHANGE_DUTY] = {"role", "role", AN_SQL_DUTY_UNTIL_SET, AN_SQL_DUTY_UNTIL_SET},
    [CHANGE_AGENCY] = {"agency", "agency", AN_SQL_AGENCY_MERGED, AN_SQL_AGENCY_REOPEN},
    [CHANGE_NEW_POST] = {"post-begun", "post", AN_SQL_POST_DELETE, AN_SQL_POST_DELETE},
};

static an_code
note_item(struct work *work, enum change change, int64_t object, int64_t before, struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(work->id), AN_V_INT(++work->seq), an_v_text(changes[change].kind),
                                      AN_V_INT(object), reg_time(before)};

    return an_tx_run(work->tx, AN_SQL_REORGANISATION_ITEM_INSERT, values, AN_COUNT(values), NULL, reterr);
}

/* Every gathered row gets the value; nothing is written in a dry run. */
static an_code
change_rows(struct work *work, enum change change, int64_t value, struct an_err *reterr)
{
    for (size_t i = 0; i < work->rows.count; i++) {
        const struct row *row = &work->rows.items[i];
        const struct an_value values[] = {AN_V_INT(row->id), AN_V_INT(value)};
        AN_TRY(tell(work, changes[change].told, row, reterr));
        if (work->plan->dry_run)
            continue;
        AN_TRY(an_tx_run(work->tx, changes[change].set, values, AN_COUNT(values), NULL, reterr));
        AN_TRY(note_item(work, change, row->id, row->value, reterr));
    }
    return AN_OK;
}

static an_code
begin(struct work *work, const char *kind, struct an_err *reterr)
{
    const struct an_reorganisation *plan = work->plan;
    const struct an_value into = AN_V_INT(plan->into);
    int64_t active = 0;

    if (plan->document == NULL || plan->document[0] == '\0')
        AN_FAIL(reterr, AN_E_REORGANISATION, "document");
    AN_TRY(an_tx_int(work->tx, AN_SQL_AGENCY_ACTIVE_COUNT, &into, 1, &active, reterr));
    if (active == 0)
        AN_FAIL(reterr, AN_E_AGENCY_CLOSED, "#%lld", (long long)plan->into);
    if (plan->dry_run)
        return AN_OK;
    const struct an_value values[] = {an_v_text(kind), into, an_v_text(plan->document), AN_V_INT(plan->effective),
                                      AN_V_INT(an_time_now()), reg_text(plan->actor)};
    return an_tx_int(work->tx, AN_SQL_REORGANISATION_INSERT, values, AN_COUNT(values), &work->id, reterr);
}

/* ---- certificates: listed, not touched: who decides about them is asked by a request ---- */
static an_code
list_certificates(struct work *work, int64_t agency, int64_t person, struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(agency), AN_V_INT(person)};

    AN_TRY(select_rows(work, AN_SQL_REORGANISATION_CERTS, values, AN_COUNT(values), reterr));
    for (size_t i = 0; i < work->rows.count; i++)
        AN_TRY(tell(work, strcmp(work->rows.items[i].extra, "person") == 0 ? "change" : "revoke", &work->rows.items[i],
                    reterr));
    return AN_OK;
}

/* ---- merging ---- */
static an_code
check_merge(struct work *work, int64_t from, struct an_err *reterr)
{
    const struct an_value id = AN_V_INT(from);
    bool is_below = false;
    int64_t active = 0;

    if (from == work->plan->into)
        AN_FAIL(reterr, AN_E_REORGANISATION, "#%lld → #%lld", (long long)from, (long long)from);
    AN_TRY(an_tx_int(work->tx, AN_SQL_AGENCY_ACTIVE_COUNT, &id, 1, &active, reterr));
    if (active == 0)
        AN_FAIL(reterr, AN_E_AGENCY_CLOSED, "#%lld", (long long)from);
    AN_TRY(an_agency_is_below(work->tx, work->plan->into, from, &is_below, reterr));
    if (is_below)
        AN_FAIL(reterr, AN_E_REORGANISATION, "#%lld", (long long)work->plan->into);
    return AN_OK;
}

static an_code
close_agency(struct work *work, int64_t from, struct an_err *reterr)
{
    const struct an_reorganisation *plan = work->plan;
    const struct an_value id = AN_V_INT(from);
    struct an_agency successor = {0};

    AN_TRY(select_rows(work, AN_SQL_REORGANISATION_AGENCY, &id, 1, reterr));
    AN_TRY(change_rows(work, CHANGE_AGENCY, plan->effective, reterr));
    if (plan->dry_run)
        return AN_OK;
    AN_TRY(an_agency_find(work->tx, plan->into, work->arena, &successor, reterr));
    const struct an_value link[] = {id, AN_V_INT(plan->into)};
    const struct an_value close[] = {id, AN_V_INT(plan->effective), reg_text(successor.code),
                                     an_v_text(plan->document)};
    AN_TRY(an_tx_run(work->tx, AN_SQL_AGENCY_SUCCESSOR_SET, link, AN_COUNT(link), NULL, reterr));
    return an_tx_run(work->tx, AN_SQL_AGENCY_CODE_CLOSE, close, AN_COUNT(close), NULL, reterr);
}

static an_code
merge_one(struct work *work, int64_t from, struct an_err *reterr)
{
    const struct an_reorganisation *plan = work->plan;
    const struct an_value agency = AN_V_INT(from), effective[] = {AN_V_INT(0), AN_V_INT(from),
                                                                  AN_V_INT(plan->effective)};
    static const struct { enum an_sql select; enum change change; bool by_day; bool ends; } steps[] = {
        {AN_SQL_REORGANISATION_UNITS, CHANGE_UNIT, false, false},
        {AN_SQL_REORGANISATION_POSTS, CHANGE_POST, true, true},
        {AN_SQL_REORGANISATION_DUTIES, CHANGE_DUTY, true, true},
        {AN_SQL_REORGANISATION_PEOPLE, CHANGE_PERSON, false, false},
        {AN_SQL_REORGANISATION_SUBSCRIBERS, CHANGE_SUBSCRIBER, false, false},
        {AN_SQL_REORGANISATION_ENDED, CHANGE_SUBSCRIBER_ENDED, false, true},
    };

    AN_TRY(check_merge(work, from, reterr));
    AN_TRY(list_certificates(work, from, 0, reterr));
    AN_TRY(select_rows(work, AN_SQL_REORGANISATION_DEVICES, &agency, 1, reterr));
    for (size_t i = 0; i < work->rows.count; i++)
        AN_TRY(tell(work, "device", &work->rows.items[i], reterr)); /* to be handed over on a record */
    for (size_t i = 0; i < AN_COUNT(steps); i++) {
        AN_TRY(select_rows(work, steps[i].select, steps[i].by_day ? effective : &agency, steps[i].by_day ? 3 : 1,
                           reterr));
        AN_TRY(change_rows(work, steps[i].change, steps[i].ends ? plan->effective : plan->into, reterr));
    }
    return close_agency(work, from, reterr);
}

an_code
an_agency_merge(struct an_tx *tx, const struct an_reorganisation *plan, an_reorganisation_fn each, void *context,
                int64_t *ret_id, struct an_err *reterr)
{
    AN_CLEANUP(work_done) struct work work = {.tx = tx, .plan = plan, .each = each, .context = context,
                                              .arena = an_arena_new(0)};

    if (plan->from_count == 0)
        AN_FAIL(reterr, AN_E_REORGANISATION, "0");
    AN_TRY(begin(&work, "merge", reterr));
    for (size_t i = 0; i < plan->from_count; i++)
        AN_TRY(merge_one(&work, plan->from[i], reterr));
    *ret_id = work.id;
    return AN_OK;
}

/* ---- a transfer ---- */
static an_code
add_post(struct work *work, struct an_err *reterr)
{
    const struct an_reorganisation *plan = work->plan;
    const struct an_post post = {.person = plan->person, .agency = plan->into, .title = plan->title,
                                 .document = plan->document, .since = plan->effective,
                                 .until = AN_TIME_NONE};
    int64_t id = 0;

    if (plan->title == NULL || plan->dry_run)
        return AN_OK;
    AN_TRY(an_post_add(work->tx, &post, &id, reterr));
    return note_item(work, CHANGE_NEW_POST, id, AN_TIME_NONE, reterr);
}

an_code
an_person_transfer(struct an_tx *tx, const struct an_reorganisation *plan, an_reorganisation_fn each, void *context,
                   int64_t *ret_id, struct an_err *reterr)
{
    AN_CLEANUP(work_done) struct work work = {.tx = tx, .plan = plan, .each = each, .context = context,
                                              .arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA)};
    const struct an_value person = AN_V_INT(plan->person);
    struct an_person who = {0};

    AN_TRY(an_person_find(tx, plan->person, work.arena, &who, reterr));
    if (strcmp(who.state, "active") != 0 || who.agency == plan->into)
        AN_FAIL(reterr, AN_E_REORGANISATION, "%s: %s, %s", who.number, who.state, who.agency_name);
    AN_TRY(begin(&work, "transfer", reterr));
    AN_TRY(list_certificates(&work, 0, plan->person, reterr));
    const struct an_value ended[] = {person, AN_V_INT(who.agency), AN_V_INT(plan->effective)};
    AN_TRY(select_rows(&work, AN_SQL_REORGANISATION_POSTS, ended, AN_COUNT(ended), reterr));
    AN_TRY(change_rows(&work, CHANGE_POST, plan->effective, reterr));
    AN_TRY(select_rows(&work, AN_SQL_REORGANISATION_DUTIES, ended, AN_COUNT(ended), reterr));
    AN_TRY(change_rows(&work, CHANGE_DUTY, plan->effective, reterr));
    AN_TRY(select_rows(&work, AN_SQL_REORGANISATION_PERSON, &person, 1, reterr));
    AN_TRY(change_rows(&work, CHANGE_PERSON, plan->into, reterr));
    AN_TRY(select_rows(&work, AN_SQL_REORGANISATION_OWN_SUBSCRIBER, &person, 1, reterr));
    AN_TRY(change_rows(&work, CHANGE_SUBSCRIBER, plan->into, reterr));
    AN_TRY(add_post(&work, reterr));
    *ret_id = work.id;
    return AN_OK;
}

/* ---- undoing ---- */
struct found {
    struct an_arena *arena;
    const char *kind;
    int64_t agency;
    bool is_undone;
};

static an_code
read_found(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct found *found = context;

    found->kind = an_arena_str(found->arena, an_bytes_of_str(an_row_text(row, 0)));
    found->agency = an_row_int(row, 1);
    found->is_undone = strcmp(an_row_text(row, 2), "undone") == 0;
    if (found->kind == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "registry: arena");
    return AN_OK;
}

an_code
an_reorganisation_find(struct an_tx *tx, int64_t id, struct an_arena *arena, const char **ret_kind, int64_t *ret_agency,
                       bool *ret_undone,
                       struct an_err *reterr)
{
    struct found found = {.arena = arena};
    const struct an_value value = AN_V_INT(id);
    bool is_found = false;

    AN_TRY(an_tx_one(tx, AN_SQL_REORGANISATION_FIND, &value, 1, read_found, &found, &is_found, reterr));
    if (!is_found)
        AN_FAIL(reterr, AN_E_REORGANISATION, "#%lld", (long long)id);
    *ret_kind = found.kind;
    *ret_agency = found.agency;
    *ret_undone = found.is_undone;
    return AN_OK;
}

an_code
an_reorganisation_subscribers(struct an_tx *tx, int64_t id, an_moved_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(work_done) struct work work = {.tx = tx, .arena = an_arena_new(0)};
    const struct an_value one = AN_V_INT(id);

    AN_TRY(select_rows(&work, AN_SQL_REORGANISATION_ITEMS, &one, 1, reterr));
    for (size_t i = work.rows.count; i > 0; i--) { /* the statement has the last first */
        const char *kind = work.rows.items[i - 1].what;
        if (strcmp(kind, changes[CHANGE_SUBSCRIBER].kind) == 0 ||
            strcmp(kind, changes[CHANGE_SUBSCRIBER_ENDED].kind) == 0)
            AN_TRY(each(context, work.rows.items[i - 1].id, reterr));
    }
    return AN_OK;
}

static an_code
undo_row(struct work *work, const struct row *row, struct an_err *reterr)
{
    for (size_t i = 0; i < AN_COUNT(changes); i++) {
        const struct an_value values[] = {AN_V_INT(row->id), reg_time(row->value)};
        int64_t changed = 0;
        if (strcmp(changes[i].kind, row->what) != 0)
            continue;
        AN_TRY(an_tx_run(work->tx, changes[i].unset, values, AN_COUNT(values), &changed, reterr));
        if (changed == 0)
            AN_FAIL(reterr, AN_E_REORGANISATION, "%s #%lld", row->what, (long long)row->id);
        return i == CHANGE_AGENCY ? an_tx_run(work->tx, AN_SQL_AGENCY_CODE_REOPEN, values, 1, NULL, reterr) : AN_OK;
    }
    AN_FAIL(reterr, AN_E_REORGANISATION, "%s", row->what);
}

an_code
an_reorganisation_undo(struct an_tx *tx, int64_t id, const char *actor, an_time at, struct an_err *reterr)
{
    const struct an_reorganisation plan = {.actor = actor};
    AN_CLEANUP(work_done) struct work work = {.tx = tx, .plan = &plan, .arena = an_arena_new(0)};
    const struct an_value values[] = {AN_V_INT(id), AN_V_INT(at), reg_text(actor)}, one = AN_V_INT(id);
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_REORGANISATION_UNDO, values, AN_COUNT(values), &changed, reterr));
    if (changed == 0)
        AN_FAIL(reterr, AN_E_REORGANISATION, "#%lld", (long long)id);
    AN_TRY(select_rows(&work, AN_SQL_REORGANISATION_ITEMS, &one, 1, reterr));
    for (size_t i = 0; i < work.rows.count; i++)
        AN_TRY(undo_row(&work, &work.rows.items[i], reterr));
    return AN_OK;
}
