/*
 * SQLite: write-ahead log, every commit synced. A connection keeps its prepared statements. Home of sqlite3.
 *
 * Only this file knows which of its errors end a transaction: afterwards the connection is asked, not remembered.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "store/internal.h"
#include "store/sqlite_fold.h"
#include "store/sqlite_log.h"

#define APPLICATION_ID 0x416e546e /* "AnTn": a SQLite file that is somebody else's is told from an empty one */

enum fixed { FIXED_READ = 0, FIXED_WRITE, FIXED_COMMIT, FIXED_ROLLBACK, FIXED_START, FIXED_KEEP, FIXED_UNDO,
            FIXED_NUMBER, FIXED_COUNT };
static const char *const fixed_texts[FIXED_COUNT] = {
    [FIXED_READ] = "BEGIN", [FIXED_WRITE] = "BEGIN IMMEDIATE", [FIXED_COMMIT] = "COMMIT", [FIXED_ROLLBACK] = "ROLLBACK",
    [FIXED_START] = "SAVEPOINT work", [FIXED_KEEP] = "RELEASE work", [FIXED_UNDO] = "ROLLBACK TO work",
    [FIXED_NUMBER] = "SELECT last_insert_rowid()",
};
struct lite {
    struct conn base;
    sqlite3 *db;
    char *path;
    dev_t device; /* of the file that was opened, and its number */
    ino_t inode;
    struct fold *fold; /* of the writer */
    sqlite3_stmt *fixed[FIXED_COUNT];
    sqlite3_stmt *statements[AN_SQL_COUNT];
};

static struct lite *
lite_of(struct conn *conn)
{
    return (struct lite *)(void *)conn;
}

static an_code
code_of(sqlite3 *db, int rc)
{
    /* within a COMMIT it is only in errno */
    int disk_errno = db && sqlite3_system_errno(db) ? sqlite3_system_errno(db) : errno;

    if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY || rc == SQLITE_CONSTRAINT_ROWID)
        return AN_E_STORE_UNIQUE;
    if (rc == SQLITE_READONLY_DBMOVED)
        return AN_E_STORE_ABSENT;
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH: return AN_E_STORE_RULE; /* a value of another kind than belongs there */
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return AN_E_STORE_BUSY;
    case SQLITE_FULL: return AN_E_STORE_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return AN_E_STORE_DAMAGED;
    case SQLITE_READONLY: return AN_E_STORE_READONLY;
    case SQLITE_IOERR: return disk_errno == ENOSPC || disk_errno == EDQUOT ||
        disk_errno == EFBIG ? AN_E_STORE_FULL : AN_E_STORE_ABSENT;
    case SQLITE_CANTOPEN: return AN_E_STORE_ABSENT;
    default: return AN_E_STORE_STATEMENT;
    }
}

/* name: which statement, for whoever has to find it. Errors of SQLite name tables and columns, never values. */
static an_code
lite_fail(struct lite *lite, int rc, const char *name, struct an_err *reterr)
{
    an_code code = code_of(lite->db, rc);

    if (code == AN_E_STORE_ABSENT || code == AN_E_STORE_DAMAGED)
        lite->base.broken = true;
    return an_err_set(reterr, code, "%s: %s (%d)", name, sqlite3_errmsg(lite->db), rc);
}

static int
prepare_fixed(struct lite *lite, enum fixed which)
{
    return lite->fixed[which] != NULL ? SQLITE_OK : sqlite3_prepare_v3(lite->db, fixed_texts[which], -1,
                                                                       SQLITE_PREPARE_PERSISTENT, &lite->fixed[which],
                                                                       NULL);
}

static an_code
run_fixed(struct lite *lite, enum fixed which, struct an_err *reterr)
{
    int rc = prepare_fixed(lite, which);

    if (rc == SQLITE_OK) {
        errno = 0;
        rc = sqlite3_step(lite->fixed[which]);
        sqlite3_reset(lite->fixed[which]);
    }
    return rc == SQLITE_DONE ? AN_OK : lite_fail(lite, rc, fixed_texts[which], reterr);
}

static void
lite_close(struct conn **conn)
{
    struct lite *lite = *conn ? lite_of(*conn) : NULL;

    if (lite == NULL)
        return;
    for (size_t i = 0; i < FIXED_COUNT; i++)
        sqlite3_finalize(lite->fixed[i]);
    for (size_t i = 0; i < AN_SQL_COUNT; i++)
        sqlite3_finalize(lite->statements[i]);
    fold_stop(&lite->fold);
    log_forget(lite->db);
    sqlite3_close(lite->db);
    free(lite->path);
    free(lite);
    *conn = NULL;
}

static an_code
lite_script(struct conn *conn, const char *text, struct an_err *reterr)
{
    struct lite *lite = lite_of(conn);
    int rc = sqlite3_exec(lite->db, text, NULL, NULL, NULL);

    return rc == SQLITE_OK ? AN_OK : lite_fail(lite, sqlite3_extended_errcode(lite->db), "script", reterr);
}

/* What the file says about whose it is; a new file is marked as ours. */
static an_code
check_owner(struct lite *lite, const char *path, unsigned flags, struct an_err *reterr)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(lite->db,
                                "SELECT (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)", -1,
                                &statement, NULL);
    int64_t owner = 0, tables = 0;
    char mark[64];

    rc = rc == SQLITE_OK ? sqlite3_step(statement) : rc;
    if (rc == SQLITE_ROW) {
        owner = sqlite3_column_int64(statement, 0);
        tables = sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
    if (rc != SQLITE_ROW)
        return lite_fail(lite, sqlite3_extended_errcode(lite->db), path, reterr);
    if (owner == APPLICATION_ID)
        return AN_OK;
    if (owner != 0 || tables != 0 || !(flags & AN_STORE_CREATE))
        AN_FAIL(reterr, tables || owner ? AN_E_STORE_FOREIGN : AN_E_STORE_VERSION, "%s", path);
    snprintf(mark, sizeof(mark), "PRAGMA application_id=%d", APPLICATION_ID);
    return lite_script(&lite->base, mark, reterr);
}

/* synchronous=FULL: in WAL mode each commit is synced. How the log is folded back: sqlite_fold.c. */
static const char open_script[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY;"
    "PRAGMA cell_size_check=ON; PRAGMA cache_size=-32768; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;";

/* Nobody asks how much memory SQLite uses, and counting it takes a lock at every allocation. */
static void
configure_once(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static an_code
lite_open(const char *url, unsigned flags, struct conn **ret, struct an_err *reterr)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const char *path = url + strlen(engine_sqlite.scheme);
    struct lite *lite = AN_NEW(struct lite);
    struct conn *conn = &lite->base;
    int mode = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | (flags & AN_STORE_CREATE
            ? SQLITE_OPEN_CREATE : 0);
    mode_t old = umask(0077); /* what officials did is nobody else's to read */
    struct stat info;
    int rc;
    an_code code;

    pthread_once(&once, configure_once);
    conn->engine = &engine_sqlite;
    lite->path = an_strdup(path);
    rc = sqlite3_open_v2(path, &lite->db, mode, flags == 0 ? log_vfs() : NULL);
    if (rc != SQLITE_OK) {
        an_err_set(reterr, AN_E_STORE_OPEN, "%s: %s", path, lite->db ? sqlite3_errmsg(lite->db) : sqlite3_errstr(rc));
        umask(old);
        lite_close(&conn);
        return AN_E_STORE_OPEN;
    }
    sqlite3_extended_result_codes(lite->db, 1);
    sqlite3_busy_timeout(lite->db, AN_LIMIT_STORE_BUSY_MS);
    code = check_owner(lite, path, flags, reterr);
    if (code == AN_OK)
        code = lite_script(conn, open_script, reterr);
    if (code == AN_OK && stat(path, &info) != 0)
        code = an_err_set(reterr, AN_E_STORE_OPEN, "%s", path);
    lite->device = code == AN_OK ? info.st_dev : 0;
    lite->inode = code == AN_OK ? info.st_ino : 0;
    if (code == AN_OK && (flags & (AN_STORE_READ_ONLY | OPEN_READER)))
        /* several, and the system keeps the file too */
        code = lite_script(conn, "PRAGMA query_only=ON; PRAGMA cache_size=-8192", reterr);
    umask(old);
    if (code == AN_OK && flags == 0)
        lite->fold = fold_start(lite->db, path);
    if (code == AN_OK)
        *ret = conn;
    else
        lite_close(&conn);
    return code;
}

/* A file that was removed or replaced would go on taking writes that nobody ever sees again. */
static an_code
check_place(struct lite *lite, struct an_err *reterr)
{
    struct stat info;

    if (stat(lite->path, &info) == 0 && info.st_dev == lite->device && info.st_ino == lite->inode)
        return AN_OK;
    lite->base.broken = true;
    return an_err_set(reterr, AN_E_STORE_ABSENT, "%s was removed or replaced", lite->path);
}

static an_code
lite_begin(struct conn *conn, enum begin_kind kind, struct an_err *reterr)
{
    struct lite *lite = lite_of(conn);

    AN_TRY(check_place(lite, reterr));
    log_forget(lite->db);
    return run_fixed(lite, kind == BEGIN_WRITE ? FIXED_WRITE : FIXED_READ, reterr);
}

static void
lite_rollback(struct conn *conn)
{
    struct lite *lite = lite_of(conn);

    if (!sqlite3_get_autocommit(lite->db) && run_fixed(lite, FIXED_ROLLBACK, NULL) != AN_OK)
        conn->broken = true;
}

static an_code
lite_commit(struct conn *conn, struct an_err *reterr)
{
    struct lite *lite = lite_of(conn);
    an_code code = run_fixed(lite, FIXED_COMMIT, reterr);

    if (code == AN_OK)
        return AN_OK;
    if (sqlite3_extended_errcode(lite->db) == SQLITE_IOERR_FSYNC ||
        sqlite3_extended_errcode(lite->db) == SQLITE_IOERR_DIR_FSYNC) {
        conn->broken = true; /* the frames are in the log and may be on the disk, or not */
        return an_err_set(reterr, AN_E_STORE_LOST, "COMMIT: %s", sqlite3_errmsg(lite->db));
    }
    lite_rollback(conn);
    return code;
}

static an_code
lite_work_start(struct conn *conn, struct an_err *reterr)
{
    return run_fixed(lite_of(conn), FIXED_START, reterr);
}

static an_code
lite_work_keep(struct conn *conn, bool careful, struct an_err *reterr)
{
    (void)careful;
    return run_fixed(lite_of(conn), FIXED_KEEP, reterr);
}

/* A full disk ends the transaction by itself; then there is nothing to go back to. */
static an_code
lite_work_undo(struct conn *conn, struct an_err *reterr)
{
    struct lite *lite = lite_of(conn);

    if (sqlite3_get_autocommit(lite->db))
        AN_FAIL(reterr, AN_E_STORE_BUSY, "the transaction ended early");
    AN_TRY(run_fixed(lite, FIXED_UNDO, reterr));
    return run_fixed(lite, FIXED_KEEP, reterr);
}

/* ---- one statement ---- */
static bool
lite_is_null(const struct an_row *row, size_t column)
{
    return sqlite3_column_type(row->handle, (int)column) == SQLITE_NULL;
}

static int64_t
lite_integer(const struct an_row *row, size_t column)
{
    return sqlite3_column_int64(row->handle, (int)column);
}

static const char *
lite_text(const struct an_row *row, size_t column)
{
    const char *text = (const char *)sqlite3_column_text(row->handle, (int)column);

    return text ? text : "";
}

static an_bytes
lite_blob(const struct an_row *row, size_t column)
{
    const void *ptr = sqlite3_column_blob(row->handle, (int)column);

    return AN_BYTES(ptr, ptr ? (size_t)sqlite3_column_bytes(row->handle, (int)column) : 0);
}
static const struct row_ops lite_row_ops = {lite_is_null, lite_integer, lite_text, lite_blob};

static int
bind_value(sqlite3_stmt *statement, int at, const struct an_value *value)
{
    const char *ptr = value->bytes.len ? (const char *)value->bytes.ptr : "";

    switch (value->kind) {
    case AN_VALUE_INT: return sqlite3_bind_int64(statement, at, value->number);
    case AN_VALUE_TEXT: return sqlite3_bind_text64(statement, at, ptr, value->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    case AN_VALUE_BLOB: return sqlite3_bind_blob64(statement, at, ptr, value->bytes.len, SQLITE_STATIC);
    case AN_VALUE_NULL: break;
    }
    return sqlite3_bind_null(statement, at);
}

/* Hands out rows until there are no more, one is enough, or the receiver fails. */
static an_code
step_rows(struct lite *lite, sqlite3_stmt *statement, struct query *query, struct an_err *reterr)
{
    struct an_row row = {&lite_row_ops, statement};
    int rc;

    errno = 0;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        query->rows++;
        if (query->each != NULL && (!query->one || query->rows == 1)) {
            an_code code = query->each(query->context, &row, reterr);
            query->stopped = code != AN_OK;
            if (query->stopped)
                return code;
        }
        if (query->one && sqlite3_stmt_readonly(statement))
            return AN_OK;
    }
    return rc == SQLITE_DONE ? AN_OK : lite_fail(lite, rc, sql_texts[query->statement].name, reterr);
}

/* The number of the row that was added. RETURNING would make a table of its own for it, each time, and a savepoint. */
static an_code
hand_number(struct lite *lite, struct query *query, struct an_err *reterr)
{
    int rc = prepare_fixed(lite, FIXED_NUMBER);
    an_code code;

    if (rc != SQLITE_OK)
        return lite_fail(lite, rc, fixed_texts[FIXED_NUMBER], reterr);
    code = step_rows(lite, lite->fixed[FIXED_NUMBER], query, reterr);
    sqlite3_reset(lite->fixed[FIXED_NUMBER]);
    return code;
}

static an_code
lite_run(struct conn *conn, struct query *query, struct an_err *reterr)
{
    struct lite *lite = lite_of(conn);
    sqlite3_stmt **place = &lite->statements[query->statement];
    const struct sql_text *text = &sql_texts[query->statement];
    int rc = SQLITE_OK;
    an_code code;

    if (*place == NULL)
        rc = sqlite3_prepare_v3(lite->db, text->text[AN_STORE_SQLITE], -1, SQLITE_PREPARE_PERSISTENT, place, NULL);
    for (size_t i = 0; rc == SQLITE_OK && i < query->count; i++)
        rc = bind_value(*place, (int)i + 1, &query->values[i]);
    if (rc != SQLITE_OK)
        return lite_fail(lite, rc, text->name, reterr);
    code = step_rows(lite, *place, query, reterr);
    query->changed = sqlite3_stmt_readonly(*place) ? 0 : sqlite3_changes64(lite->db);
    sqlite3_reset(*place);
    sqlite3_clear_bindings(*place);
    return code == AN_OK && text->answers_number && query->changed > 0 ? hand_number(lite, query, reterr) : code;
}

/* ---- the whole file ---- */
static an_code
copy_pages(sqlite3 *from, sqlite3 *to, const char *path, struct an_err *reterr)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    int rc = SQLITE_ERROR;

    if (backup != NULL) {
        rc = sqlite3_backup_step(backup, -1); /* in one read transaction: writers go on, and are not in it */
        sqlite3_backup_finish(backup);
    }
    if (rc == SQLITE_DONE)
        return AN_OK;
    return an_err_set(reterr, code_of(to, rc), "%s: %s", path, sqlite3_errmsg(to));
}

static an_code
copy_file(const char *from, const char *to, struct an_err *reterr)
{
    sqlite3 *source = NULL, *target = NULL;
    mode_t old = umask(0077);
    an_code code = AN_OK;

    if (sqlite3_open_v2(from, &source, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        code = an_err_set(reterr, AN_E_STORE_OPEN, "%s: %s", from, sqlite3_errmsg(source));
    else if (sqlite3_open_v2(to, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
        code = an_err_set(reterr, AN_E_STORE_OPEN, "%s: %s", to, sqlite3_errmsg(target));
    sqlite3_busy_timeout(source, AN_LIMIT_STORE_BUSY_MS);
    if (code == AN_OK)
        code = copy_pages(source, target, to, reterr);
    if (code == AN_OK && sqlite3_exec(target, "PRAGMA journal_mode=DELETE; PRAGMA journal_mode=WAL", NULL, NULL,
                                      NULL) != SQLITE_OK)
        code = an_err_set(reterr, AN_E_STORE_DAMAGED, "%s: %s", to, sqlite3_errmsg(target));
    sqlite3_close(target);
    sqlite3_close(source);
    umask(old);
    return code;
}

static an_code
lite_dump(const char *url, const char *path, struct an_err *reterr)
{
    return copy_file(url + strlen(engine_sqlite.scheme), path, reterr);
}

static an_code
lite_load(const char *url, const char *path, struct an_err *reterr)
{
    const char *to = url + strlen(engine_sqlite.scheme);
    struct stat there;

    if (stat(to, &there) == 0 && there.st_size > 0)
        AN_FAIL(reterr, AN_E_STORE_FOREIGN, "%s", to);
    return copy_file(path, to, reterr);
}

const struct engine engine_sqlite = {
    .scheme = "sqlite:", .open = lite_open, .close = lite_close, .begin = lite_begin, .commit = lite_commit,
    .rollback = lite_rollback,
    .work_start = lite_work_start, .work_keep = lite_work_keep, .work_undo = lite_work_undo, .run = lite_run,
    .script = lite_script,
    .dump = lite_dump, .load = lite_load,
};
