/*
 * The store: one schema, two engines (SQLite, PostgreSQL), the same named statements. The only way to change anything
 * is an_store_write, which returns after the change is durable. Works of several threads share one commit (group
 * commit), each under a savepoint of its own; at any moment one transaction writes, in the whole installation
 * (docs/decisions/041-one-writer.md), so a work reads what is so and nobody changes it until its commit.
 *
 * Statements stand in sql/<room>.sql, each under a line "-- name: certificate_insert", with parameters $1, $2 …; the
 * build makes `enum an_sql` of them (AN_SQL_CERTIFICATE_INSERT). Migrations stand in sql/migrations/NNNN-name.sql.
 * {int} {text} {blob} {id} {table} {clustered} {skip_locked}: see tools/sql.py.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "store/sql.h" /* generated: enum an_sql */

enum an_store_engine { AN_STORE_SQLITE = 0, AN_STORE_POSTGRESQL };
struct an_store;

/* url: "sqlite:PATH" or "postgresql://…" (a libpq connection URI; a password comes from a passfile, never from the
 * URL). Opens or, with AN_STORE_CREATE, creates (and migrates). The schema's version must be the program's:
 * AN_E_STORE_VERSION otherwise, unless AN_STORE_ANY_VERSION (for migrate). readers: connections for reading at once, 0
 * = by the machine. AN_STORE_READ_ONLY: an_store_write is refused; the database may be a replica that follows. */
enum { AN_STORE_CREATE = 1, AN_STORE_ANY_VERSION = 2, AN_STORE_READ_ONLY = 4 };
an_code an_store_open(const char *url, unsigned flags, size_t readers, struct an_store **ret,
                      struct an_err *reterr) AN_MUST_USE;
void an_store_close(struct an_store **store); /* waits for works in hand */
enum an_store_engine an_store_engine(const struct an_store *store);
/* Brings the schema to the program's version, one migration a transaction. A newer schema is refused with the reason
 * (AN_E_STORE_VERSION): a program never works on a schema it does not know; so is one whose migrations were others. */
an_code an_store_migrate(struct an_store *store, struct an_err *reterr) AN_MUST_USE;

/* The whole content, in one consistent snapshot while others read and write, to a new file; and back into a database
 * that is empty (AN_E_STORE_FOREIGN otherwise) or, PostgreSQL, holds a schema without rows. A dump is for the program
 * that wrote it: restore first, upgrade then. */
an_code an_store_dump(struct an_store *store, const char *path, struct an_err *reterr) AN_MUST_USE;
an_code an_store_load(const char *url, const char *path, struct an_err *reterr) AN_MUST_USE;

/* PostgreSQL: an empty schema of its own in the same database, for trying a dump; *ret_url leads to it. */
an_code an_store_scratch_new(const char *url, char **ret_url, struct an_err *reterr) AN_MUST_USE;
void an_store_scratch_drop(const char *url, const char *scratch_url);

/* Runs every statement called invariant_…: each answers a row (one text: what is wrong) for what must never be. */
typedef void (*an_store_fault_fn)(void *context, const char *invariant, const char *what);
an_code an_store_check(struct an_store *store, an_store_fault_fn tell, void *context, size_t *ret_faults,
                       struct an_err *reterr) AN_MUST_USE;

/* ---- transactions ---- */
struct an_tx;
/*
 * Everything a piece of work does to the store goes through tx. A work may be run again from its start (a serialisation
 * conflict, a connection lost before the commit was sent), so it has no other lasting effect than through tx and sets
 * its answers in context anew each time. It runs on another thread than its caller, who waits. An error undoes this
 * work alone, and after one failed statement the work is undone whatever it answers: what may be there already is said
 * with ON CONFLICT. With ret_changed == NULL a statement may be sent later, with those that follow (PostgreSQL): its
 * error is then that of a later one, or of the whole work.
 */
typedef an_code (*an_tx_fn)(void *context, struct an_tx *tx, struct an_err *reterr);
/* Returns AN_OK after the commit is on disk (and, with PostgreSQL, on the synchronous replicas). AN_E_STORE_LOST when
 * it cannot be known whether the commit happened: ask again with the same idempotency key. AN_E_STORE_ABSENT, _BUSY,
 * _FULL: nothing happened, worth trying again later. */
an_code an_store_write(struct an_store *store, an_tx_fn work, void *context, struct an_err *reterr) AN_MUST_USE;
/* For works that something slow stands before (a signature): announced when that begins. While few works wait and
 * others are announced, a commit waits for them, two milliseconds at most: it costs the same for one as for sixteen.
 * Whoever has announced a work writes it so, or withdraws it (for AN_CLEANUP too; nothing when it was written). */
struct an_store *an_store_announce(struct an_store *store);
void an_store_withdraw(struct an_store **announced);
an_code an_store_write_announced(struct an_store **announced, an_tx_fn work, void *context,
                                 struct an_err *reterr) AN_MUST_USE;
/* One consistent snapshot; nothing may be changed. Runs on the caller's thread. */
an_code an_store_read(struct an_store *store, an_tx_fn work, void *context, struct an_err *reterr) AN_MUST_USE;

/*
 * What works gather and is written once, before their common commit (the audit log, whose order is fixed only there).
 * A record is copied, and forgotten when its work fails. The closer is given all records of the group in order; when it
 * fails, the works that share the commit fail with it.
 */
void an_tx_keep(struct an_tx *tx, an_bytes record);
typedef an_code (*an_tx_close_fn)(struct an_tx *tx, const an_bytes *records, size_t count, struct an_err *reterr);
void an_store_set_closer(struct an_store *store, an_tx_close_fn closer);

/* ---- statements ---- */
enum an_value_kind { AN_VALUE_NULL = 0, AN_VALUE_INT, AN_VALUE_TEXT, AN_VALUE_BLOB };
struct an_value { enum an_value_kind kind; int64_t number; an_bytes bytes; }; /* text: UTF-8 without a NUL */
#define AN_V_INT(n) ((struct an_value){AN_VALUE_INT, (int64_t)(n), AN_NONE})
#define AN_V_BLOB(b) ((struct an_value){AN_VALUE_BLOB, 0, (b)})
#define AN_V_NULL ((struct an_value){AN_VALUE_NULL, 0, AN_NONE})
static inline struct an_value
an_v_text(const char *text) /* NULL → NULL */
{
    return (struct an_value){text ? AN_VALUE_TEXT : AN_VALUE_NULL, 0, an_bytes_of_str(text)};
}

/* A row is valid during the call. Columns from 0; a NULL reads as 0, "" and nothing. Numbers are 64 bits (SUM needs a
 * CAST AS {int}). The function that is given a row runs no statement of the same tx: it gathers first. */
struct an_row;
bool an_row_is_null(const struct an_row *row, size_t column);
int64_t an_row_int(const struct an_row *row, size_t column);
const char *an_row_text(const struct an_row *row, size_t column);
an_bytes an_row_blob(const struct an_row *row, size_t column);
typedef an_code (*an_row_fn)(void *context, const struct an_row *row, struct an_err *reterr);

/* Runs a statement that answers no rows; ret_changed (may be NULL) = rows changed. AN_E_STORE_UNIQUE when a unique key
 * stands against it, AN_E_STORE_RULE for foreign keys, checks and triggers; AN_E_STORE_FULL, AN_E_STORE_BUSY,
 * AN_E_STORE_ABSENT, AN_E_STORE_DAMAGED. count must be the statement's number of parameters. */
an_code an_tx_run(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count,
                  int64_t *ret_changed,
                  struct an_err *reterr) AN_MUST_USE;
/* Runs a statement and hands out each row, streamed: memory does not grow with their number. */
an_code an_tx_each(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count, an_row_fn each,
                   void *context,
                   struct an_err *reterr) AN_MUST_USE;
/* At most one row; *ret_found (may be NULL) tells. each may be NULL (existence only). */
an_code an_tx_one(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count, an_row_fn each,
                  void *context,
                  bool *ret_found, struct an_err *reterr) AN_MUST_USE;
/* One integer (COUNT, RETURNING id); 0 when there is no row. */
an_code an_tx_int(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count, int64_t *ret,
                  struct an_err *reterr) AN_MUST_USE;
/* The next number of a named sequence, from 1 and without gaps. */
an_code an_tx_next(struct an_tx *tx, const char *sequence, int64_t *ret, struct an_err *reterr) AN_MUST_USE;
/* A number that came from elsewhere: the sequence goes on behind it. */
an_code an_tx_pass(struct an_tx *tx, const char *sequence, int64_t number, struct an_err *reterr) AN_MUST_USE;
/* Named values of the whole store; *ret is the caller's, NULL when there is none. */
an_code an_tx_value(struct an_tx *tx, const char *name, char **ret, struct an_err *reterr) AN_MUST_USE;
an_code an_tx_put_value(struct an_tx *tx, const char *name, const char *value, struct an_err *reterr) AN_MUST_USE;
