/* Inside the room: what an engine does for the rest (connection, transaction, one statement), and the store itself. */
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include "store/store.h"

/* ---- made by tools/sql.py ---- */
struct sql_text {
    const char *name;
    size_t params;
    bool answers_number; /* an insertion RETURNING id: SQLite's text is without it, its engine tells the number */
    const char *text[2]; /* by enum an_store_engine */
};
extern const struct sql_text sql_texts[AN_SQL_COUNT];
struct sql_migration {
    int number;
    const char *name, *digest, *script[2];
};
extern const struct sql_migration sql_migrations[];
extern const size_t sql_migration_count;

/* ---- an engine ---- */
struct row_ops {
    bool (*is_null)(const struct an_row *row, size_t column);
    int64_t (*integer)(const struct an_row *row, size_t column);
    const char *(*text)(const struct an_row *row, size_t column);
    an_bytes (*blob)(const struct an_row *row, size_t column);
};
struct an_row {
    const struct row_ops *ops;
    void *handle;
};
struct query {
    enum an_sql statement;
    const struct an_value *values;
    size_t count;
    an_row_fn each; /* may be NULL */
    void *context;
    bool one;         /* the first row is enough */
    bool later;       /* nobody looks at the answer: it may be sent with what follows */
    size_t rows;      /* ← rows seen */
    bool stopped;     /* ← each answered an error: the statement itself did not fail */
    int64_t changed;  /* ← rows changed */
};
/* A connection belongs to one thread at a time. An engine's own struct begins with this. */
struct conn {
    const struct engine *engine;
    bool broken; /* of no more use: the transaction is over, whatever became of it */
};
enum { OPEN_READER = 8 }; /* beside the flags of an_store_open: a connection of the pool */
enum begin_kind { BEGIN_READ = 0, BEGIN_WRITE };
struct engine {
    const char *scheme; /* "sqlite:" */
    bool marks;         /* each group leaves a mark, by which a commit whose answer was lost is found (write.c) */
    an_code (*open)(const char *url, unsigned flags, struct conn **ret, struct an_err *reterr);
    void (*close)(struct conn **conn);
    an_code (*begin)(struct conn *conn, enum begin_kind kind, struct an_err *reterr);
    /* AN_E_STORE_LOST: unknown whether it happened; any other error: it did not, and the transaction is over. */
    an_code (*commit)(struct conn *conn, struct an_err *reterr);
    void (*rollback)(struct conn *conn);
    /* One work inside a writing transaction: start, keep (finds errors of what was sent later), undo. careful = keep
     * waits for every answer; without it an error may come out in a later work, or at the commit (RERUN). */
    an_code (*work_start)(struct conn *conn, struct an_err *reterr);
    an_code (*work_keep)(struct conn *conn, bool careful, struct an_err *reterr);
    an_code (*work_undo)(struct conn *conn, struct an_err *reterr);
    an_code (*run)(struct conn *conn, struct query *query, struct an_err *reterr);
    an_code (*script)(struct conn *conn, const char *text, struct an_err *reterr);
    /* The whole content, as it stands in one snapshot, to a file and back into a schema that holds nothing yet. */
    an_code (*dump)(const char *url, const char *path, struct an_err *reterr);
    an_code (*load)(const char *url, const char *path, struct an_err *reterr);
};
extern const struct engine engine_sqlite, engine_postgres;

/* ---- the store ---- */
struct kept { /* records of a group, one after the other */
    struct an_buf bytes;
    size_t *ends; /* of each */
    size_t count, capacity;
};
struct an_tx {
    struct an_store *store;
    struct conn *conn;
    struct kept *kept; /* NULL when reading */
    bool in_row;       /* a row is being handed out */
    bool handed;       /* rows were handed out */
    an_code failed;    /* the first failed statement of this work */
    struct an_err error;
};
struct work {
    an_tx_fn run;
    void *context;
    an_code code;
    struct an_err error;
    sem_t answered; /* its owner sleeps on it: waking hundreds must not make each wait for the queue's lock */
    struct work *next;
};
struct an_store {
    char *url;
    unsigned flags;
    const struct engine *engine;
    an_tx_close_fn closer;

    pthread_mutex_t read_lock;
    pthread_cond_t reader_free;
    struct conn **readers; /* those that are free, [0, readers_free) */
    size_t readers_free, readers_open, readers_max;

    pthread_mutex_t write_lock;
    pthread_cond_t work_there;
    struct work *first, *last;
    size_t waiting, announced; /* works in the queue; atomic: on their way into it */
    bool closing, has_writer;
    pthread_t writer;
    struct conn *writing; /* the writer's connection; NULL until it is needed, and after a loss */
    struct kept kept;
    unsigned wary;     /* groups that still go with savepoints, since a work failed */
    char mark[40];     /* the writer's name among marks; made with its first group */
    int64_t groups;    /* tried so far: the mark of each */
};
enum an_store_engine engine_kind(const struct engine *engine);
const struct engine *find_engine(const char *url); /* NULL: none */

/* pool.c */
an_code pool_take(struct an_store *store, struct conn **ret, struct an_err *reterr) AN_MUST_USE;
void pool_give(struct an_store *store, struct conn *conn);
void pool_close(struct an_store *store);
/* write.c */
void *writer_main(void *store);
void kept_cut(struct kept *kept, size_t count);
/* migrate.c: on a connection of one's own */
an_code schema_check(struct an_store *store, struct an_err *reterr) AN_MUST_USE;
