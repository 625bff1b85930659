/* The store for its callers: open and close, reading, statements. Writing: write.c. */
#include "store/store.h"

#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/program.h"
#include "store/internal.h"

static const struct engine *const engines[] = {[AN_STORE_SQLITE] = &engine_sqlite,
                                               [AN_STORE_POSTGRESQL] = &engine_postgres};

enum an_store_engine
engine_kind(const struct engine *engine)
{
    for (size_t i = 0; i < AN_COUNT(engines); i++)
        if (engines[i] == engine)
            return (enum an_store_engine)i;
    an_die_internal("store engine");
}

const struct engine *
find_engine(const char *url)
{
    for (size_t i = 0; i < AN_COUNT(engines); i++)
        if (strncmp(url, engines[i]->scheme, strlen(engines[i]->scheme)) == 0 && url[strlen(engines[i]->scheme)] != 0)
            return engines[i];
    return NULL;
}

static size_t
reader_count(size_t asked)
{
    size_t count = asked ? asked : 2 * an_cores();

    return count > AN_LIMIT_STORE_READERS ? AN_LIMIT_STORE_READERS : count;
}

an_code
an_store_open(const char *url, unsigned flags, size_t readers, struct an_store **ret, struct an_err *reterr)
{
    const struct engine *engine = find_engine(url);
    struct an_store *store;
    an_code code;

    if (engine == NULL)
        AN_FAIL(reterr, AN_E_STORE_URL, "sqlite:PATH, postgresql://…");
    store = AN_NEW(struct an_store);
    store->url = an_strdup(url);
    store->flags = flags;
    store->engine = engine;
    store->readers_max = reader_count(readers);
    store->readers = an_new_array(store->readers_max, sizeof(struct conn *));
    store->kept.bytes = an_buf_new(AN_LIMIT_STORE_KEPT_BYTES);
    pthread_mutex_init(&store->read_lock, NULL);
    pthread_mutex_init(&store->write_lock, NULL);
    pthread_cond_init(&store->reader_free, NULL);
    pthread_cond_init(&store->work_there, NULL);
    code = flags & AN_STORE_CREATE ? an_store_migrate(store, reterr) : AN_OK;
    if (code == AN_OK && !(flags & AN_STORE_ANY_VERSION))
        code = schema_check(store, reterr);
    if (code == AN_OK)
        *ret = store;
    else
        an_store_close(&store);
    return code;
}

void
an_store_close(struct an_store **place)
{
    struct an_store *store = *place;

    if (store == NULL)
        return;
    pthread_mutex_lock(&store->write_lock);
    store->closing = true;
    pthread_cond_broadcast(&store->work_there);
    pthread_mutex_unlock(&store->write_lock);
    if (store->has_writer)
        pthread_join(store->writer, NULL);
    if (store->writing != NULL)
        store->engine->close(&store->writing);
    pool_close(store);
    pthread_mutex_destroy(&store->read_lock);
    pthread_mutex_destroy(&store->write_lock);
    pthread_cond_destroy(&store->reader_free);
    pthread_cond_destroy(&store->work_there);
    an_buf_free(&store->kept.bytes);
    free(store->kept.ends);
    free(store->readers);
    free(store->url);
    free(store);
    *place = NULL;
}

enum an_store_engine
an_store_engine(const struct an_store *store)
{
    return engine_kind(store->engine);
}

void
an_store_set_closer(struct an_store *store, an_tx_close_fn closer)
{
    store->closer = closer;
}

static an_code
read_once(struct an_store *store, struct conn *conn, an_tx_fn work, void *context, bool *ret_handed,
          struct an_err *reterr)
{
    struct an_tx tx = {.store = store, .conn = conn};
    an_code code = store->engine->begin(conn, BEGIN_READ, reterr);

    if (code != AN_OK)
        return code;
    code = work(context, &tx, reterr);
    *ret_handed = tx.handed;
    store->engine->rollback(conn);
    return code;
}

/* A connection from before a fail-over is found dead at its first use; a new one is tried once. */
an_code
an_store_read(struct an_store *store, an_tx_fn work, void *context, struct an_err *reterr)
{
    an_code code = AN_OK;

    for (int attempt = 0; attempt < 2; attempt++) {
        struct conn *conn = NULL;
        bool again, handed = false; /* rows were seen: no second time */

        AN_TRY(pool_take(store, &conn, reterr));
        code = read_once(store, conn, work, context, &handed, reterr);
        again = conn->broken && !handed && code == AN_E_STORE_ABSENT;
        pool_give(store, conn);
        if (!again)
            break;
    }
    return code;
}

/* ---- statements ---- */
bool
an_row_is_null(const struct an_row *row, size_t column)
{
    return row->ops->is_null(row, column);
}

int64_t
an_row_int(const struct an_row *row, size_t column)
{
    return row->ops->integer(row, column);
}

const char *
an_row_text(const struct an_row *row, size_t column)
{
    return row->ops->text(row, column);
}

an_bytes
an_row_blob(const struct an_row *row, size_t column)
{
    return row->ops->blob(row, column);
}

/* After the first failure a work is lost: its later statements are not sent. */
static an_code
run_query(struct an_tx *tx, struct query *query, struct an_err *reterr)
{
    struct an_err err = {0};
    an_code code;

    AN_ASSERT(!tx->in_row);
    AN_ASSERT((size_t)query->statement < AN_SQL_COUNT && query->count == sql_texts[query->statement].params);
    if (tx->failed != AN_OK) {
        if (reterr != NULL)
            *reterr = tx->error;
        return tx->failed;
    }
    tx->in_row = true;
    code = tx->conn->engine->run(tx->conn, query, &err);
    tx->in_row = false;
    tx->handed = tx->handed || query->rows > 0;
    if (code != AN_OK && !query->stopped) {
        tx->failed = code;
        tx->error = err;
    }
    if (code != AN_OK && reterr != NULL)
        *reterr = err;
    return code;
}

an_code
an_tx_run(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count, int64_t *ret_changed,
          struct an_err *reterr)
{
    struct query query = {.statement = statement, .values = values, .count = count, .later = ret_changed == NULL};

    AN_TRY(run_query(tx, &query, reterr));
    if (ret_changed != NULL)
        *ret_changed = query.changed;
    return AN_OK;
}

an_code
an_tx_each(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count, an_row_fn each,
           void *context,
           struct an_err *reterr)
{
    struct query query = {.statement = statement, .values = values, .count = count, .each = each, .context = context};

    return run_query(tx, &query, reterr);
}

an_code
an_tx_one(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count, an_row_fn each,
          void *context,
          bool *ret_found, struct an_err *reterr)
{
    struct query query = {.statement = statement, .values = values, .count = count, .each = each, .context = context,
                          .one = true};

    AN_TRY(run_query(tx, &query, reterr));
    if (ret_found != NULL)
        *ret_found = query.rows > 0;
    return AN_OK;
}

static an_code
take_int(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    *(int64_t *)context = an_row_int(row, 0);
    return AN_OK;
}

an_code
an_tx_int(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count, int64_t *ret,
          struct an_err *reterr)
{
    int64_t number = 0;

    AN_TRY(an_tx_one(tx, statement, values, count, take_int, &number, NULL, reterr));
    *ret = number;
    return AN_OK;
}

an_code
an_tx_next(struct an_tx *tx, const char *sequence, int64_t *ret, struct an_err *reterr)
{
    return an_tx_int(tx, AN_SQL_STORE_SEQUENCE_NEXT, (struct an_value[]){an_v_text(sequence)}, 1, ret, reterr);
}

an_code
an_tx_pass(struct an_tx *tx, const char *sequence, int64_t number, struct an_err *reterr)
{
    const struct an_value values[] = {an_v_text(sequence), AN_V_INT(number)};

    return an_tx_run(tx, AN_SQL_STORE_SEQUENCE_PASS, values, AN_COUNT(values), NULL, reterr);
}

static an_code
take_text(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    *(char **)context = an_strdup(an_row_text(row, 0));
    return AN_OK;
}

an_code
an_tx_value(struct an_tx *tx, const char *name, char **ret, struct an_err *reterr)
{
    char *value = NULL;

    AN_TRY(an_tx_one(tx, AN_SQL_STORE_VALUE_FIND, (struct an_value[]){an_v_text(name)}, 1, take_text, &value, NULL,
                     reterr));
    *ret = value;
    return AN_OK;
}

an_code
an_tx_put_value(struct an_tx *tx, const char *name, const char *value, struct an_err *reterr)
{
    return an_tx_run(tx, AN_SQL_STORE_VALUE_PUT, (struct an_value[]){an_v_text(name), an_v_text(value)}, 2, NULL,
                     reterr);
}
