/*
 * PostgreSQL through libpq in pipeline mode: a statement whose answer nobody waits for is sent with those that follow,
 * and one round trip brings all their answers. Home of libpq.
 *
 * What was sent and not yet answered stands in a queue; an error makes the server skip everything up to the next
 * synchronisation point, so the first error in the queue is the one that counts.
 */
#include <stdio.h>

#include "base/limits.h"
#include "store/postgres.h"

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25, OID_VARCHAR = 1043 };

enum fixed { FIXED_READ = 0, FIXED_WRITE, FIXED_LOCK, FIXED_COMMIT, FIXED_ROLLBACK, FIXED_START, FIXED_KEEP, FIXED_UNDO,
            FIXED_COUNT };
static const char *const fixed_texts[FIXED_COUNT] = {
    [FIXED_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    [FIXED_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    /* one transaction writes at a time (docs/decisions/041-one-writer.md): "AnTn", and the schema in which the tables
     * lie */
    [FIXED_LOCK] = "SELECT pg_advisory_xact_lock(1097749614, hashtext(current_schema()))",
    [FIXED_COMMIT] = "COMMIT", [FIXED_ROLLBACK] = "ROLLBACK",
    [FIXED_START] = "SAVEPOINT work", [FIXED_KEEP] = "RELEASE SAVEPOINT work",
    [FIXED_UNDO] = "ROLLBACK TO SAVEPOINT work",
};

enum item_kind { ITEM_STATEMENT = 0, ITEM_PREPARE, ITEM_FIXED, ITEM_SYNC };
struct item { enum item_kind kind; int which; size_t work; };
#define ITEMS_MAX 512 /* answers that may wait; the 511th is fetched before more is sent */

struct pg {
    struct conn base;
    PGconn *db;
    bool writes;           /* in a writing transaction */
    bool late;             /* an error belongs to an earlier work of the group */
    size_t work;           /* number of the work in the transaction */
    size_t first, count;   /* the queue */
    struct item items[ITEMS_MAX];
    bool fixed[FIXED_COUNT], statements[AN_SQL_COUNT]; /* prepared */
};

static struct pg *
pg_of(struct conn *conn)
{
    return (struct pg *)(void *)conn;
}

/* ---- errors ---- */
static const struct { const char *state; an_code code; bool breaks; } states[] = {
    {"23505", AN_E_STORE_UNIQUE, false}, {"23", AN_E_STORE_RULE, false},      {"40", AN_E_STORE_BUSY, false},
    {"55P03", AN_E_STORE_BUSY, false},   {"53100", AN_E_STORE_FULL, false},   {"53", AN_E_STORE_ABSENT, true},
    {"57P", AN_E_STORE_ABSENT, true},    {"08", AN_E_STORE_ABSENT, true},     {"58", AN_E_STORE_ABSENT, true},
    {"25006", AN_E_STORE_READONLY, false}, {"25P03", AN_E_STORE_ABSENT, true}, {"XX", AN_E_STORE_DAMAGED, true},
};

static an_code
pg_lost(struct pg *pg, const char *name, struct an_err *reterr)
{
    char text[AN_DETAIL_MAX / 2];

    pg->base.broken = true;
    snprintf(text, sizeof(text), "%s", PQerrorMessage(pg->db));
    text[strcspn(text, "\n")] = 0;
    return an_err_set(reterr, AN_E_STORE_ABSENT, "%s: %s", name, text);
}

/* The primary message names tables and constraints; the detail line, which holds values, is left out. */
static an_code
pg_fail(struct pg *pg, const PGresult *result, const char *name, struct an_err *reterr)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE),
                *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    an_code code = AN_E_STORE_STATEMENT;

    if (PQstatus(pg->db) == CONNECTION_BAD && state == NULL)
        return pg_lost(pg, name, reterr);
    for (size_t i = 0; state != NULL && i < AN_COUNT(states); i++) {
        if (strncmp(state, states[i].state, strlen(states[i].state)) != 0)
            continue;
        code = states[i].code;
        pg->base.broken = pg->base.broken || states[i].breaks;
        break;
    }
    if (code == AN_E_STORE_READONLY && pg->writes) { /* a standby took this address, or the primary became one */
        code = AN_E_STORE_ABSENT;
        pg->base.broken = true;
    }
    return an_err_set(reterr, code, "%s: %s (%s)", name, text ? text : "?", state ? state : "");
}

/* ---- rows ---- */
struct pg_row { const PGresult *result; int number; };

static const PGresult *
cell(const struct an_row *row, size_t column, int *ret_row)
{
    const struct pg_row *at = row->handle;

    *ret_row = at->number;
    return (int)column < PQnfields(at->result) && PQgetisnull(at->result, at->number, (int)column) == 0 ? at->result
            : NULL;
}

static bool
pg_is_null(const struct an_row *row, size_t column)
{
    int number;

    return cell(row, column, &number) == NULL;
}

static int64_t
pg_integer(const struct an_row *row, size_t column)
{
    int number;
    const PGresult *result = cell(row, column, &number);
    const uint8_t *bytes;
    uint64_t value;
    int len;

    if (result == NULL)
        return 0;
    bytes = (const uint8_t *)PQgetvalue(result, number, (int)column);
    len = PQgetlength(result, number, (int)column);
    if (PQftype(result, (int)column) == OID_TEXT || len > 8 || len == 0)
        return 0;
    value = bytes[0] & 0x80 && len > 1 ? UINT64_MAX : 0;
    for (int i = 0; i < len; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

static an_bytes
pg_blob(const struct an_row *row, size_t column)
{
    int number;
    const PGresult *result = cell(row, column, &number);

    return result ? AN_BYTES(PQgetvalue(result, number, (int)column), (size_t)PQgetlength(result, number, (int)column))
            : AN_NONE;
}

static const char *
pg_text(const struct an_row *row, size_t column)
{
    int number;
    const PGresult *result = cell(row, column, &number);

    return result ? PQgetvalue(result, number, (int)column) : "";
}
static const struct row_ops pg_row_ops = {pg_is_null, pg_integer, pg_text, pg_blob};

/* Types that both engines carry; NUMERIC, which SUM of BIGINT gives, is not one. */
static an_code
check_types(const PGresult *result, const char *name, struct an_err *reterr)
{
    static const Oid known[] = {OID_BOOL, OID_BYTEA, OID_INT8, OID_INT2, OID_INT4, OID_TEXT, OID_VARCHAR};

    for (int column = 0; column < PQnfields(result); column++) {
        bool found = false;

        for (size_t i = 0; i < AN_COUNT(known); i++)
            found = found || PQftype(result, column) == known[i];
        if (!found)
            AN_FAIL(reterr, AN_E_STORE_STATEMENT, "%s: column %d has type %u", name, column, PQftype(result, column));
    }
    return AN_OK;
}

static an_code
hand_out(const PGresult *result, struct query *query, struct an_err *reterr)
{
    struct pg_row at = {result, 0};
    struct an_row row = {&pg_row_ops, &at};

    AN_TRY(check_types(result, sql_texts[query->statement].name, reterr));
    for (; at.number < PQntuples(result); at.number++) {
        an_code code;

        query->rows++;
        if (query->each == NULL || (query->one && query->rows > 1))
            continue;
        code = query->each(query->context, &row, reterr);
        query->stopped = code != AN_OK;
        if (query->stopped)
            return code;
    }
    return AN_OK;
}

/* ---- the queue ---- */
static struct item *
push_item(struct pg *pg, enum item_kind kind, int which)
{
    struct item *item = &pg->items[(pg->first + pg->count++) % ITEMS_MAX];

    *item = (struct item){kind, which, pg->work};
    return item;
}

static const char *
item_name(const struct item *item)
{
    if (item->kind == ITEM_SYNC)
        return "sync";
    return item->kind == ITEM_FIXED || item->which < 0 ? fixed_texts[item->kind == ITEM_FIXED ? item->which
                                                                     : -1 - item->which] : sql_texts[item->which].name;
}

/* A statement that could not be prepared must be prepared again. */
static void
forget_prepared(struct pg *pg, const struct item *item)
{
    if (item->kind != ITEM_PREPARE)
        return;
    if (item->which < 0)
        pg->fixed[-1 - item->which] = false;
    else
        pg->statements[item->which] = false;
}

/* The answers of the first item in the queue. query: whose rows are wanted, or NULL. An error is told in *code once. */
static void
take_answers(struct pg *pg, struct query *query, an_code *code, struct an_err *reterr)
{
    struct item item = pg->items[pg->first];
    PGresult *result;

    pg->first = (pg->first + 1) % ITEMS_MAX;
    pg->count--;
    if (query != NULL && query->each != NULL && !query->one)
        PQsetSingleRowMode(pg->db);
    while (!pg->base.broken && (result = PQgetResult(pg->db)) != NULL) {
        ExecStatusType status = PQresultStatus(result);

        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            an_code failed = *code == AN_OK ? pg_fail(pg, result, item_name(&item), reterr) : *code;
            pg->late = pg->late || (*code == AN_OK && item.work != pg->work);
            *code = failed;
        } else if ((status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE) && query != NULL && *code == AN_OK) {
            *code = hand_out(result, query, reterr);
        }
        if (status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED)
            forget_prepared(pg, &item);
        if (query != NULL && status == PGRES_COMMAND_OK)
            query->changed = strtoll(PQcmdTuples(result), NULL, 10);
        if (query != NULL && status == PGRES_TUPLES_OK)
            query->changed = PQcmdTuples(result)[0] ? strtoll(PQcmdTuples(result), NULL, 10) : 0;
        PQclear(result);
        if (item.kind == ITEM_SYNC)
            break; /* no end mark follows it */
    }
    if (PQstatus(pg->db) == CONNECTION_BAD && *code == AN_OK)
        *code = pg_lost(pg, item_name(&item), reterr);
}

static bool
send_sync(struct pg *pg)
{
    push_item(pg, ITEM_SYNC, 0);
    return PQpipelineSync(pg->db) == 1;
}

/* Sends what waits and takes every answer; the rows of the last statement go to query. The first error is the
 * answer. */
static an_code
drain(struct pg *pg, struct query *query, struct an_err *reterr)
{
    size_t last = query ? pg->count - 1 : SIZE_MAX;
    an_code code = AN_OK;

    if (pg->base.broken || !send_sync(pg))
        return pg_lost(pg, "send", reterr);
    for (size_t i = 0; pg->count > 0 && !pg->base.broken; i++)
        take_answers(pg, i == last ? query : NULL, &code, reterr);
    if (pg->base.broken)
        pg->count = 0;
    return code;
}

/* Room for a statement and its preparation. */
static an_code
make_room(struct pg *pg, struct an_err *reterr)
{
    if (pg->base.broken)
        AN_FAIL(reterr, AN_E_STORE_ABSENT, "connection lost");
    return pg->count + 4 > ITEMS_MAX ? drain(pg, NULL, reterr) : AN_OK;
}

static an_code
send_fixed(struct pg *pg, enum fixed which, struct an_err *reterr)
{
    char name[16];

    AN_TRY(make_room(pg, reterr));
    snprintf(name, sizeof(name), "f%d", (int)which);
    if (!pg->fixed[which]) {
        if (PQsendPrepare(pg->db, name, fixed_texts[which], 0, NULL) != 1)
            return pg_lost(pg, fixed_texts[which], reterr);
        push_item(pg, ITEM_PREPARE, -1 - (int)which);
        pg->fixed[which] = true;
    }
    if (PQsendQueryPrepared(pg->db, name, 0, NULL, NULL, NULL, 1) != 1)
        return pg_lost(pg, fixed_texts[which], reterr);
    push_item(pg, ITEM_FIXED, (int)which);
    return AN_OK;
}

#define VALUES_MAX 64
struct bound {
    const char *values[VALUES_MAX];
    int lengths[VALUES_MAX], formats[VALUES_MAX];
    Oid types[VALUES_MAX];
    char numbers[VALUES_MAX][24];
};

static void
bind_values(struct bound *bound, const struct query *query)
{
    for (size_t i = 0; i < query->count; i++) {
        const struct an_value *value = &query->values[i];

        bound->values[i] = NULL;
        bound->types[i] = 0;
        bound->lengths[i] = (int)value->bytes.len;
        bound->formats[i] = value->kind == AN_VALUE_BLOB || value->kind == AN_VALUE_TEXT;
        if (value->kind == AN_VALUE_INT) {
            snprintf(bound->numbers[i], sizeof(bound->numbers[i]), "%lld", (long long)value->number);
            bound->values[i] = bound->numbers[i];
            bound->types[i] = OID_INT8;
        } else if (value->kind != AN_VALUE_NULL) { /* the binary form of text is its bytes */
            bound->values[i] = value->bytes.len ? (const char *)value->bytes.ptr : "";
            bound->types[i] = value->kind == AN_VALUE_TEXT ? OID_TEXT : OID_BYTEA;
        }
    }
}

static an_code
pg_run(struct conn *conn, struct query *query, struct an_err *reterr)
{
    struct pg *pg = pg_of(conn);
    const struct sql_text *text = &sql_texts[query->statement];
    struct bound bound;

    AN_ASSERT(query->count <= VALUES_MAX);
    AN_TRY(make_room(pg, reterr));
    bind_values(&bound, query);
    if (!pg->statements[query->statement]) {
        if (PQsendPrepare(pg->db, text->name, text->text[AN_STORE_POSTGRESQL], (int)query->count, bound.types) != 1)
            return pg_lost(pg, text->name, reterr);
        push_item(pg, ITEM_PREPARE, (int)query->statement);
        pg->statements[query->statement] = true;
    }
    if (PQsendQueryPrepared(pg->db, text->name, (int)query->count, bound.values, bound.lengths, bound.formats, 1) != 1)
        return pg_lost(pg, text->name, reterr);
    push_item(pg, ITEM_STATEMENT, (int)query->statement);
    return query->later ? AN_OK : drain(pg, query, reterr);
}

/* ---- transactions ---- */
static an_code
pg_begin(struct conn *conn, enum begin_kind kind, struct an_err *reterr)
{
    struct pg *pg = pg_of(conn);

    pg->work = 0;
    pg->late = false;
    pg->writes = kind == BEGIN_WRITE;
    AN_TRY(send_fixed(pg, pg->writes ? FIXED_WRITE : FIXED_READ, reterr));
    return pg->writes ? send_fixed(pg, FIXED_LOCK, reterr) : AN_OK;
}

/* The end of a reading transaction is sent; its answer is fetched when the connection is used again. */
static void
pg_rollback(struct conn *conn)
{
    struct pg *pg = pg_of(conn);
    bool writes = pg->writes;

    pg->writes = false;
    if (send_fixed(pg, FIXED_ROLLBACK, NULL) != AN_OK)
        conn->broken = true;
    else if (writes ? drain(pg, NULL, NULL) != AN_OK && PQtransactionStatus(pg->db) != PQTRANS_IDLE : !send_sync(pg) ||
             PQflush(pg->db) < 0)
        conn->broken = true;
}

static an_code
pg_commit(struct conn *conn, struct an_err *reterr)
{
    struct pg *pg = pg_of(conn);
    an_code code = drain(pg, NULL, reterr); /* errors of what was sent before: nothing is committed */

    if (code == AN_OK)
        code = send_fixed(pg, FIXED_COMMIT, reterr);
    if (code != AN_OK) {
        if (!conn->broken)
            pg_rollback(conn);
        return code;
    }
    code = drain(pg, NULL, reterr);
    pg->writes = false;
    if (code == AN_E_STORE_ABSENT)
        return an_err_set(reterr, AN_E_STORE_LOST, "COMMIT");
    return code;
}

static an_code
pg_work_start(struct conn *conn, struct an_err *reterr)
{
    pg_of(conn)->work++;
    return send_fixed(pg_of(conn), FIXED_START, reterr);
}

static an_code
pg_work_keep(struct conn *conn, bool careful, struct an_err *reterr)
{
    AN_TRY(send_fixed(pg_of(conn), FIXED_KEEP, reterr));
    return careful ? drain(pg_of(conn), NULL, reterr) : AN_OK;
}

static an_code
pg_work_undo(struct conn *conn, struct an_err *reterr)
{
    struct pg *pg = pg_of(conn);

    if (pg->late)
        AN_FAIL(reterr, AN_E_STORE_BUSY, "the error is that of an earlier work");
    if (pg->count > 0 && drain(pg, NULL, reterr) != AN_OK && pg->late)
        AN_FAIL(reterr, AN_E_STORE_BUSY, "the error is that of an earlier work");
    AN_TRY(send_fixed(pg, FIXED_UNDO, reterr));
    AN_TRY(send_fixed(pg, FIXED_KEEP, reterr));
    return drain(pg, NULL, reterr);
}

/* ---- connections ---- */
static void
ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

static void
pg_close(struct conn **conn)
{
    struct pg *pg = *conn ? pg_of(*conn) : NULL;

    if (pg == NULL)
        return;
    PQfinish(pg->db);
    free(pg);
    *conn = NULL;
}

/* A password in an address ends up in lists of processes and in logs: a passfile or the service file has it. */
static an_code
check_url(const char *url, struct an_err *reterr)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &message);
    bool secret = false;

    if (options == NULL) {
        an_err_set(reterr, AN_E_STORE_URL, "%.*s", message ? (int)strcspn(message, "\n") : 0, message ? message : "");
        PQfreemem(message);
        return AN_E_STORE_URL;
    }
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
        secret = secret || (strcmp(option->keyword, "password") == 0 && option->val != NULL);
    PQconninfoFree(options);
    if (secret)
        AN_FAIL(reterr, AN_E_STORE_URL, "a password; use passfile=");
    return AN_OK;
}

/* What was acknowledged must be on disk whatever the server's default; whoever hangs in a transaction must not stop the
 * others. Every statement of ours goes by an index, in its order, a row at a time, and must do so while the server
 * knows nothing yet of a table that has just grown: no plan may rest on statistics (docs/decisions/160). What is
 * switched off is still done where there is no other way. */
static const char session_script[] =
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local');"
    "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '20s'; SET client_min_messages = 'warning'; SET jit = off;"
    "SET enable_sort = off; SET enable_bitmapscan = off; SET enable_seqscan = off; SET enable_hashjoin = off; "
    "SET enable_mergejoin = off; SET max_parallel_workers_per_gather = 0;";

an_code
pg_plain(PGconn *db, const char *text, PGresult **ret_result, struct an_err *reterr)
{
    struct pg around = {.db = db};
    PGresult *result = PQexec(db, text);
    ExecStatusType status = PQresultStatus(result);
    an_code code = AN_OK;

    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || result == NULL)
        code = pg_fail(&around, result, "script", reterr);
    if (code == AN_OK && ret_result != NULL)
        *ret_result = result;
    else
        PQclear(result);
    return code;
}

an_code
pg_connect(const char *url, unsigned flags, PGconn **ret, struct an_err *reterr)
{
    /* ours may be set otherwise by the address, except the last */
    const char *const keys[] = {"connect_timeout", "tcp_user_timeout", "keepalives_idle", "keepalives_interval",
                                "keepalives_count",
                                "dbname", "fallback_application_name", "client_encoding",
                                flags & AN_STORE_READ_ONLY ? NULL : "target_session_attrs", NULL};
    const char *const values[] = {"5", "10000", "5", "2", "3", url, "antin", "UTF8", "read-write", NULL};
    an_code code;
    PGconn *db;

    AN_TRY(check_url(url, reterr));
    db = PQconnectdbParams(keys, values, 1);
    if (PQstatus(db) != CONNECTION_OK) {
        code = an_err_set(reterr, AN_E_STORE_OPEN, "%.*s", (int)strcspn(PQerrorMessage(db), "\n"), PQerrorMessage(db));
    } else {
        PQsetNoticeReceiver(db, ignore_notice, NULL);
        code = pg_plain(db, session_script, NULL, reterr);
    }
    if (code == AN_OK)
        *ret = db;
    else
        PQfinish(db);
    return code;
}

static an_code
pg_open(const char *url, unsigned flags, struct conn **ret, struct an_err *reterr)
{
    PGconn *db = NULL;
    struct pg *pg;

    AN_TRY(pg_connect(url, flags, &db, reterr));
    if (PQenterPipelineMode(db) != 1) {
        PQfinish(db);
        AN_FAIL(reterr, AN_E_STORE_OPEN, "pipeline");
    }
    pg = AN_NEW(struct pg);
    pg->base.engine = &engine_postgres;
    pg->db = db;
    *ret = &pg->base;
    return AN_OK;
}

static an_code
pg_script(struct conn *conn, const char *text, struct an_err *reterr)
{
    struct pg *pg = pg_of(conn);
    an_code code;

    AN_TRY(drain(pg, NULL, reterr));
    if (PQexitPipelineMode(pg->db) != 1)
        return pg_lost(pg, "pipeline", reterr);
    code = pg_plain(pg->db, text, NULL, reterr);
    if (PQstatus(pg->db) == CONNECTION_BAD || PQenterPipelineMode(pg->db) != 1)
        return pg_lost(pg, "pipeline", reterr);
    return code;
}

const struct engine engine_postgres = {
    .scheme = "postgresql://", .marks = true, .open = pg_open, .close = pg_close, .begin = pg_begin,
    .commit = pg_commit, .rollback = pg_rollback,
    .work_start = pg_work_start, .work_keep = pg_work_keep, .work_undo = pg_work_undo, .run = pg_run,
    .script = pg_script,
    .dump = pg_dump, .load = pg_load,
};
