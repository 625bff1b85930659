/* The schema's version: which migrations were applied, whether they are those of this program, and applying the
 * rest. */
#include <stdio.h>

#include "base/time.h"
#include "store/internal.h"

struct applied {
    int64_t newest;
    bool *there;      /* by place in sql_migrations */
    char program[64]; /* that applied the newest */
};

static an_code
note_migration(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct applied *applied = context;

    applied->newest = an_row_int(row, 0);
    snprintf(applied->program, sizeof(applied->program), "%s", an_row_text(row, 3));
    for (size_t i = 0; i < sql_migration_count; i++) {
        if (sql_migrations[i].number != applied->newest)
            continue;
        if (strcmp(sql_migrations[i].digest, an_row_text(row, 2)) != 0)
            AN_FAIL(reterr, AN_E_STORE_VERSION, "%04d-%s was another when it was applied (by antin %s)",
                    sql_migrations[i].number,
                    sql_migrations[i].name, applied->program);
        applied->there[i] = true;
        return AN_OK;
    }
    AN_FAIL(reterr, AN_E_STORE_VERSION, "%04d-%s is not known to antin %s; the schema is that of antin %s or later",
            (int)applied->newest,
            an_row_text(row, 1), AN_VERSION, applied->program);
}

static an_code
query(struct conn *conn, enum an_sql statement, an_row_fn each, void *context, size_t *ret_rows, struct an_err *reterr)
{
    struct query query = {.statement = statement, .each = each, .context = context};

    AN_TRY(conn->engine->run(conn, &query, reterr));
    *ret_rows = query.rows;
    return AN_OK;
}

/* In a transaction. Nothing applied in an empty database; a database with other tables is somebody else's. */
static an_code
read_applied(struct conn *conn, struct applied *applied, struct an_err *reterr)
{
    size_t rows = 0;

    AN_TRY(query(conn, AN_SQL_STORE_MIGRATION_EXISTS, NULL, NULL, &rows, reterr));
    if (rows > 0)
        return query(conn, AN_SQL_STORE_MIGRATION_LIST, note_migration, applied, &rows, reterr);
    AN_TRY(query(conn, AN_SQL_STORE_TABLE_ANY, NULL, NULL, &rows, reterr));
    if (rows > 0)
        AN_FAIL(reterr, AN_E_STORE_FOREIGN, "tables, but none of ours");
    return AN_OK;
}

static an_code
apply(struct conn *conn, const struct sql_migration *migration, struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(migration->number), an_v_text(migration->name),
                                      an_v_text(migration->digest),
                                      an_v_text(AN_VERSION), AN_V_INT(an_time_now())};
    struct query insert = {.statement = AN_SQL_STORE_MIGRATION_INSERT, .values = values, .count = AN_COUNT(values)};

    AN_TRY(conn->engine->script(conn, migration->script[engine_kind(conn->engine)], reterr));
    return conn->engine->run(conn, &insert, reterr);
}

/* The first migration that is missing, in a transaction of its own; two programs at once do not meet in it. */
static an_code
apply_next(struct conn *conn, bool *ret_more, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) bool *there = an_new_array(sql_migration_count, sizeof(bool));
    struct applied applied = {.there = there};
    size_t next = 0;
    an_code code;

    AN_TRY(conn->engine->begin(conn, BEGIN_WRITE, reterr));
    code = read_applied(conn, &applied, reterr);
    while (next < sql_migration_count && there[next])
        next++;
    *ret_more = next < sql_migration_count;
    if (code == AN_OK && *ret_more)
        code = apply(conn, &sql_migrations[next], reterr);
    if (code == AN_OK && *ret_more)
        return conn->engine->commit(conn, reterr);
    conn->engine->rollback(conn);
    return code;
}

an_code
an_store_migrate(struct an_store *store, struct an_err *reterr)
{
    struct conn *conn = NULL;
    an_code code;
    bool more = true;

    AN_TRY(store->engine->open(store->url, store->flags, &conn, reterr));
    do
        code = apply_next(conn, &more, reterr);
    while (code == AN_OK && more);
    store->engine->close(&conn);
    return code;
}

static an_code
check_versions(void *context, struct an_tx *tx, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) bool *there = an_new_array(sql_migration_count, sizeof(bool));
    struct applied applied = {.there = there};

    (void)context;
    AN_TRY(read_applied(tx->conn, &applied, reterr));
    for (size_t i = 0; i < sql_migration_count; i++)
        if (!there[i])
            AN_FAIL(reterr, AN_E_STORE_VERSION, "%04d-%s is not applied yet", sql_migrations[i].number,
                    sql_migrations[i].name);
    return AN_OK;
}

an_code
schema_check(struct an_store *store, struct an_err *reterr)
{
    return an_store_read(store, check_versions, NULL, reterr);
}
