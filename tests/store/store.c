/* store/: the same cases on either engine. Argument: the URL of an empty PostgreSQL database; none: SQLite in a temporary folder. */
#include "store/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static char url[256];

static struct an_store *
open_store(unsigned flags)
{
    struct an_store *store = NULL;
    struct an_err err = {0};

    if (an_store_open(url, flags, 3, &store, &err) != AN_OK)
        fail_msg("%s: %s", an_message_find(err.code)->symbol, err.detail);
    return store;
}

static void
check_write(struct an_store *store, an_tx_fn work, void *context, an_code want)
{
    struct an_err err = {0};
    an_code code = an_store_write(store, work, context, &err);

    if (code != want)
        fail_msg("%s: %s, wanted %s", an_message_find(code)->symbol, err.detail, an_message_find(want)->symbol);
}

/* Straight to the engine, past the rules of the room. */
static void
run_script(const char *text)
{
    struct an_store *store = open_store(AN_STORE_CREATE | AN_STORE_ANY_VERSION);
    struct conn *conn = NULL;
    struct an_err err = {0};

    if (store->engine->open(url, 0, &conn, &err) != AN_OK || store->engine->script(conn, text, &err) != AN_OK)
        fail_msg("%s", err.detail);
    store->engine->close(&conn);
    an_store_close(&store);
}

static char *
value_of(struct an_store *store, const char *name)
{
    extern an_code read_value(void *context, struct an_tx *tx, struct an_err *reterr);
    struct { const char *name; char *value; } ask = {name, NULL};

    assert_int_equal(an_store_read(store, read_value, &ask, NULL), AN_OK);
    return ask.value;
}

an_code read_value(void *context, struct an_tx *tx, struct an_err *reterr);
an_code
read_value(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct { const char *name; char *value; } *ask = context;

    free(ask->value);
    ask->value = NULL;
    return an_tx_value(tx, ask->name, &ask->value, reterr);
}

/* ---- opening, versions ---- */
static void
urls_are_checked(void **state)
{
    struct an_store *store = NULL;

    (void)state;
    assert_int_equal(an_store_open("mysql://x", 0, 0, &store, NULL), AN_E_STORE_URL);
    assert_int_equal(an_store_open("sqlite:", 0, 0, &store, NULL), AN_E_STORE_URL);
    assert_int_equal(an_store_open("sqlite:/nonexistent/x.db", AN_STORE_CREATE, 0, &store, NULL), AN_E_STORE_OPEN);
    assert_null(store);
}

static void
versions_are_kept_apart(void **state)
{
    static const struct { const char *change, *back; } cases[] = {
        {"INSERT INTO store_migration VALUES (9999, 'later', 'x', '9.9', 0)", "DELETE FROM store_migration WHERE number = 9999"},
        {"UPDATE store_migration SET digest = digest || 'x' WHERE number = 1", "UPDATE store_migration SET digest = substr(digest, 1, 64) WHERE number = 1"},
    };
    struct an_store *store = NULL;

    (void)state;
    assert_int_not_equal(an_store_open(url, 0, 0, &store, NULL), AN_OK); /* nothing there yet */
    store = open_store(AN_STORE_CREATE);
    an_store_close(&store);
    for (size_t i = 0; i < AN_COUNT(cases); i++) {
        struct an_err err = {0};
        struct conn *conn = NULL;

        run_script(cases[i].change);
        assert_int_equal(an_store_open(url, 0, 0, &store, &err), AN_E_STORE_VERSION);
        assert_true(err.detail[0] != 0);
        store = open_store(AN_STORE_ANY_VERSION);
        assert_int_equal(an_store_migrate(store, &err), AN_E_STORE_VERSION);
        assert_int_equal(store->engine->open(url, 0, &conn, &err), AN_OK);
        assert_int_equal(store->engine->script(conn, cases[i].back, &err), AN_OK);
        store->engine->close(&conn);
        an_store_close(&store);
    }
    store = open_store(0);
    an_store_close(&store);
}

/* ---- statements ---- */
static an_code
put_two(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const char *const *pair = context;

    AN_TRY(an_tx_put_value(tx, pair[0], pair[1], reterr));
    return an_tx_put_value(tx, "last", pair[0], reterr);
}

static void
values_stay(void **state)
{
    struct an_store *store = open_store(AN_STORE_CREATE);

    (void)state;
    check_write(store, put_two, (void *)(const char *[]){"ten", "Ấn Tín"}, AN_OK);
    check_write(store, put_two, (void *)(const char *[]){"", ""}, AN_OK);
    an_store_close(&store);
    store = open_store(0);
    for (int i = 0; i < 3; i++) {
        static const char *const pairs[][2] = {{"ten", "Ấn Tín"}, {"last", ""}, {"", ""}};
        AN_CLEANUP(an_free_ptr) char *value = value_of(store, pairs[i][0]);

        assert_non_null(value);
        assert_string_equal(value, pairs[i][1]);
    }
    assert_null(value_of(store, "none"));
    an_store_close(&store);
}

static an_code
check_row(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)context;
    (void)reterr;
    assert_int_equal(an_row_int(row, 0), INT64_MIN + 7);
    assert_int_equal(an_row_blob(row, 1).len, 3);
    assert_memory_equal(an_row_blob(row, 1).ptr, "\0\xff\0", 3);
    assert_false(an_row_is_null(row, 2));
    assert_int_equal(an_row_blob(row, 2).len, 0);
    return AN_OK;
}

/* The head of the audit log has the kinds that matter: numbers, blobs with any bytes, empty blobs. */
static an_code
kinds_round(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(INT64_MIN + 7), AN_V_BLOB(AN_LIT("\0\xff\0")), AN_V_BLOB(AN_NONE)};
    bool found = false;

    (void)context;
    AN_TRY(an_tx_run(tx, AN_SQL_AUDIT_HEAD_PUT, values, 3, NULL, reterr));
    AN_TRY(an_tx_one(tx, AN_SQL_AUDIT_HEAD_FIND, NULL, 0, check_row, NULL, &found, reterr));
    assert_true(found);
    return AN_E_LIMIT; /* and undone */
}

static an_code
no_head(void *context, struct an_tx *tx, struct an_err *reterr)
{
    bool found = true;

    (void)context;
    AN_TRY(an_tx_one(tx, AN_SQL_AUDIT_HEAD_FIND, NULL, 0, NULL, NULL, &found, reterr));
    assert_false(found);
    return AN_OK;
}

static void
kinds_are_kept(void **state)
{
    struct an_store *store = open_store(AN_STORE_CREATE);

    (void)state;
    check_write(store, kinds_round, NULL, AN_E_LIMIT);
    assert_int_equal(an_store_read(store, no_head, NULL, NULL), AN_OK);
    an_store_close(&store);
}

/* Runs each statement with NULLs: rules may refuse them, but no statement may be one that the engine does not understand. */
static an_code
run_any(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct an_value nothing[32] = {{0}};
    enum an_sql statement = *(enum an_sql *)context;
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_IMPORT_LINE_START, NULL, 0, NULL, reterr)); /* two statements end what this one begins */
    AN_TRY(an_tx_run(tx, statement, nothing, sql_texts[statement].params, &changed, reterr));
    return AN_E_LIMIT;
}

static void
statements_are_understood(void **state)
{
    struct an_store *store = open_store(AN_STORE_CREATE);

    (void)state;
    for (int i = 0; i < AN_SQL_COUNT; i++) {
        struct an_err err = {0};
        enum an_sql statement = (enum an_sql)i;
        an_code code = an_store_write(store, run_any, &statement, &err);

        if (code != AN_E_LIMIT && code != AN_E_STORE_RULE)
            fail_msg("%s: %s: %s", sql_texts[i].name, an_message_find(code)->symbol, err.detail);
    }
    an_store_close(&store);
}

/* ---- undoing ---- */
static an_code
insert_twice(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(1), an_v_text("x"), an_v_text("x"), an_v_text("x"), AN_V_INT(0)};

    AN_TRY(an_tx_put_value(tx, context, "half", reterr));
    (void)!an_tx_run(tx, AN_SQL_STORE_MIGRATION_INSERT, values, 5, NULL, reterr); /* the number is taken */
    return AN_OK; /* says all is well: the store knows better */
}

static void
failure_undoes_all(void **state)
{
    struct an_store *store = open_store(AN_STORE_CREATE);

    (void)state;
    check_write(store, insert_twice, (void *)(uintptr_t)"half", AN_E_STORE_UNIQUE);
    assert_null(value_of(store, "half"));
    an_store_close(&store);
}

static an_code
write_in_read(void *context, struct an_tx *tx, struct an_err *reterr)
{
    int64_t changed;

    return an_tx_run(tx, AN_SQL_STORE_VALUE_PUT, (struct an_value[]){an_v_text("r"), an_v_text(context)}, 2, &changed, reterr);
}

static void
reading_changes_nothing(void **state)
{
    struct an_store *store = open_store(AN_STORE_CREATE);

    (void)state;
    assert_int_equal(an_store_read(store, write_in_read, (void *)(uintptr_t)"x", NULL), AN_E_STORE_READONLY);
    assert_null(value_of(store, "r"));
    an_store_close(&store);
    store = open_store(AN_STORE_READ_ONLY);
    assert_int_equal(an_store_write(store, write_in_read, (void *)(uintptr_t)"x", NULL), AN_E_STORE_READONLY);
    an_store_close(&store);
}

/* ---- many at once ---- */
#define THREADS 16
#define ROUNDS 40
struct client {
    struct an_store *store;
    pthread_t thread;
    int number, fine, undone, wrong;
    int64_t taken;
};
static size_t closed_records, closed_groups;

static an_code
count_records(struct an_tx *tx, const an_bytes *records, size_t count, struct an_err *reterr)
{
    closed_records += count;
    closed_groups++;
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(records[i].ptr, "kept", 4);
    return an_tx_put_value(tx, "closed", "yes", reterr);
}

static an_code
take_number(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct client *client = context;
    bool fails = (client->fine + client->undone) % 3 == 2;

    AN_TRY(an_tx_next(tx, "so", &client->taken, reterr));
    an_tx_keep(tx, AN_LIT("kept"));
    return fails ? AN_E_LIMIT : AN_OK;
}

static void *
run_client(void *context)
{
    struct client *client = context;

    for (int i = 0; i < ROUNDS; i++) {
        bool fails = i % 3 == 2;
        an_code code = an_store_write(client->store, take_number, client, NULL);

        client->fine += code == AN_OK;
        client->undone += code == AN_E_LIMIT;
        client->wrong += code != (fails ? AN_E_LIMIT : AN_OK);
    }
    return NULL;
}

static an_code
next_number(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_tx_next(tx, "so", context, reterr);
}

static void
works_share_commits(void **state)
{
    struct an_store *store = open_store(AN_STORE_CREATE);
    struct client clients[THREADS] = {0};
    int64_t next = 0;
    size_t fine = 0;

    (void)state;
    an_store_set_closer(store, count_records);
    for (int i = 0; i < THREADS; i++) {
        clients[i] = (struct client){.store = store, .number = i};
        assert_int_equal(pthread_create(&clients[i].thread, NULL, run_client, &clients[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(clients[i].thread, NULL);
        assert_int_equal(clients[i].wrong, 0);
        fine += (size_t)clients[i].fine;
    }
    check_write(store, next_number, &next, AN_OK);
    assert_int_equal(next, fine + 1); /* undone works left no gap */
    assert_true(closed_records >= fine);
    print_message("%zu works in %zu commits\n", fine, closed_groups);
    an_store_close(&store);
}

/* Announced works are written or withdrawn; one that never comes holds nobody up for good. */
static void *
run_announced(void *context)
{
    struct client *client = context;

    for (int i = 0; i < ROUNDS; i++) {
        struct an_store *announced = an_store_announce(client->store);

        if (i % 5 == 4) {
            an_store_withdraw(&announced);
            continue;
        }
        client->wrong += an_store_write_announced(&announced, next_number, &client->taken, NULL) != AN_OK;
        client->wrong += announced != NULL;
        an_store_withdraw(&announced); /* nothing is left to withdraw */
        client->fine++;
    }
    return NULL;
}

static void
announced_works_are_waited_for(void **state)
{
    struct an_store *store = open_store(AN_STORE_CREATE), *never = an_store_announce(store);
    struct client clients[THREADS] = {0};
    int64_t before = 0, after = 0;
    int fine = 0;

    (void)state;
    check_write(store, next_number, &before, AN_OK);
    for (int i = 0; i < THREADS; i++) {
        clients[i] = (struct client){.store = store, .number = i};
        assert_int_equal(pthread_create(&clients[i].thread, NULL, run_announced, &clients[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(clients[i].thread, NULL);
        assert_int_equal(clients[i].wrong, 0);
        fine += clients[i].fine;
    }
    assert_int_equal(__atomic_load_n(&store->announced, __ATOMIC_RELAXED), 1);
    an_store_withdraw(&never);
    assert_int_equal(__atomic_load_n(&store->announced, __ATOMIC_RELAXED), 0);
    check_write(store, next_number, &after, AN_OK);
    assert_int_equal(after, before + fine + 1);
    an_store_close(&store);
}

/* Nothing in these works waits for an answer, so an error comes out late; it is still that of its own work alone. */
static an_code
put_node(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(1), AN_V_INT(*(int64_t *)context), AN_V_BLOB(AN_LIT("hash"))};

    return an_tx_run(tx, AN_SQL_AUDIT_NODE_INSERT, values, 3, NULL, reterr);
}

static void *
run_late(void *context)
{
    struct client *client = context;

    for (int64_t i = 0; i < ROUNDS; i++) {
        int64_t place = client->number % 4 == 3 && i % 5 == 4 ? 0 : 1000 * client->number + i + 1;
        an_code code = an_store_write(client->store, put_node, &place, NULL);

        client->fine += code == AN_OK;
        client->wrong += code != (place == 0 ? AN_E_STORE_UNIQUE : AN_OK);
    }
    return NULL;
}

static void
late_errors_hit_their_work(void **state)
{
    struct an_store *store = open_store(AN_STORE_CREATE);
    struct client clients[THREADS] = {0};
    int64_t taken = 0;

    (void)state;
    check_write(store, put_node, &taken, AN_OK);
    for (int i = 0; i < THREADS; i++) {
        clients[i] = (struct client){.store = store, .number = i};
        assert_int_equal(pthread_create(&clients[i].thread, NULL, run_late, &clients[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(clients[i].thread, NULL);
        assert_int_equal(clients[i].wrong, 0);
    }
    an_store_close(&store);
}

static an_code
count_rows(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)row;
    (void)reterr;
    return ++*(int *)context == 2 ? AN_E_LIMIT : AN_OK;
}

static an_code
stop_early(void *context, struct an_tx *tx, struct an_err *reterr)
{
    int rows = 0;

    (void)context;
    assert_int_equal(an_tx_each(tx, AN_SQL_STORE_MIGRATION_LIST, NULL, 0, count_rows, &rows, reterr), AN_E_LIMIT);
    assert_int_equal(rows, 2);
    return an_tx_next(tx, "stop", &(int64_t){0}, reterr); /* the transaction goes on */
}

static void
rows_stop_when_told(void **state)
{
    struct an_store *store = open_store(AN_STORE_CREATE);

    (void)state;
    check_write(store, stop_early, NULL, AN_OK);
    an_store_close(&store);
}

/* ---- more than the cache holds ---- */
struct large { int64_t tag; int64_t until; bool fails; };

/* 40 MB, written into the log before the commit, which may never come. */
static an_code
put_much(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct large *large = context;
    AN_CLEANUP(an_free_ptr) uint8_t *bytes = an_new_array(1 << 20, 1);

    for (int64_t i = 0; i < large->until; i++) {
        memset(bytes, (int)(large->tag + i), 1 << 20);
        const struct an_value values[] = {AN_V_INT(large->tag), AN_V_INT(i), AN_V_BLOB(AN_BYTES(bytes, 1 << 20))};
        AN_TRY(an_tx_run(tx, AN_SQL_AUDIT_NODE_INSERT, values, 3, NULL, reterr));
    }
    return large->fails ? AN_E_LIMIT : AN_OK;
}

static an_code
check_node(void *context, const struct an_row *row, struct an_err *reterr)
{
    const struct large *large = context;
    an_bytes hash = an_row_blob(row, 1);

    (void)reterr;
    assert_int_equal(hash.len, 1 << 20);
    for (size_t i = 0; i < hash.len; i++)
        if (hash.ptr[i] != (uint8_t)(large->tag + an_row_int(row, 0)))
            return AN_E_LIMIT;
    return AN_OK;
}

static an_code
check_much(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct large *large = context;
    const struct an_value values[] = {AN_V_INT(large->tag), AN_V_INT(0), AN_V_INT(large->until)};

    return an_tx_each(tx, AN_SQL_AUDIT_NODE_RANGE, values, 3, check_node, context, reterr);
}

static void
tell_fault(void *context, const char *invariant, const char *what)
{
    (void)context;
    fail_msg("%s: %s", invariant, what);
}

/* What was undone is not written over what another has put in its place meanwhile. */
static void
what_is_undone_stays_away(void **state)
{
    struct an_store *one = open_store(AN_STORE_CREATE), *other = open_store(0);
    struct large undone = {1000, 45, true}, kept = {2000, 40, false}, last = {3000, 2, false};
    size_t faults = 0;

    (void)state;
    check_write(one, put_much, &undone, AN_E_LIMIT);
    check_write(other, put_much, &kept, AN_OK);
    check_write(one, put_much, &last, AN_OK);
    check_write(one, put_much, &undone, AN_E_LIMIT);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(an_store_read(i ? one : other, check_much, &kept, NULL), AN_OK);
        assert_int_equal(an_store_read(i ? one : other, check_much, &last, NULL), AN_OK);
    }
    an_store_close(&one);
    assert_int_equal(an_store_read(other, check_much, &kept, NULL), AN_OK);
    assert_int_equal(an_store_check(other, tell_fault, NULL, &faults, NULL), AN_OK);
    an_store_close(&other);
}

int
main(int argc, char **argv)
{
    static char folder[] = "/tmp/antin-store-XXXXXX";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_checked), cmocka_unit_test(versions_are_kept_apart), cmocka_unit_test(values_stay),
        cmocka_unit_test(kinds_are_kept), cmocka_unit_test(statements_are_understood), cmocka_unit_test(failure_undoes_all),
        cmocka_unit_test(reading_changes_nothing), cmocka_unit_test(works_share_commits), cmocka_unit_test(announced_works_are_waited_for), cmocka_unit_test(late_errors_hit_their_work),
        cmocka_unit_test(rows_stop_when_told), cmocka_unit_test(what_is_undone_stays_away),
    };
    int failed;

    if (argc > 1)
        snprintf(url, sizeof(url), "%s", argv[1]);
    else if (mkdtemp(folder) == NULL)
        return 1;
    else
        snprintf(url, sizeof(url), "sqlite:%s/store.db", folder);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (argc < 2) {
        const char *const names[] = {"store.db", "store.db-wal", "store.db-shm"};

        for (size_t i = 0; i < AN_COUNT(names); i++) {
            AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", folder, names[i]);
            unlink(path);
        }
        rmdir(folder);
    }
    return failed;
}
