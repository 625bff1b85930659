/*
 * SQLite writes each page into its log by two calls, 24 octets and the page, and syncs at the commit. A VFS over the
 * system's gathers what follows one after the other, and hands it over at the sync or when somebody wants to read it:
 * a commit of hundreds of pages is a few calls. What could not be written stays and is tried again with the next call,
 * so that a later success never stands for pages that are missing.
 */
#include "store/sqlite_log.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "base/mem.h"

#define PIECE ((size_t)124 * 1024) /* what is handed over at once: SQLite writes no 128 kB in one call */

struct log_file {
    sqlite3_file base;
    uint8_t *piece;      /* PIECE octets */
    sqlite3_int64 start; /* where in the file they belong */
    size_t len;
    sqlite3_file *real;  /* lies behind this */
};

static struct log_file *
log_of(sqlite3_file *file)
{
    return (struct log_file *)(void *)file;
}

static int
hand_over(struct log_file *log)
{
    int rc = log->len == 0 ? SQLITE_OK : log->real->pMethods->xWrite(log->real, log->piece, (int)log->len, log->start);

    if (rc == SQLITE_OK)
        log->len = 0;
    return rc;
}

static int
log_close(sqlite3_file *file)
{
    struct log_file *log = log_of(file);

    free(log->piece); /* commits were synced: nothing that counts is in it */
    log->piece = NULL;
    return log->real->pMethods->xClose(log->real);
}

static int
log_read(sqlite3_file *file, void *to, int amount, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    bool is_waiting = log->len != 0 && at < log->start + (sqlite3_int64)log->len && at + amount > log->start;
    int rc = is_waiting ? hand_over(log) : SQLITE_OK;

    return rc == SQLITE_OK ? log->real->pMethods->xRead(log->real, to, amount, at) : rc;
}

static int
log_write(sqlite3_file *file, const void *from, int amount, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    bool follows = log->len == 0 || at == log->start + (sqlite3_int64)log->len;
    int rc = follows && log->len + (size_t)amount <= PIECE ? SQLITE_OK : hand_over(log);

    if (rc != SQLITE_OK)
        return rc;
    if ((size_t)amount > PIECE)
        return log->real->pMethods->xWrite(log->real, from, amount, at);
    if (log->len == 0)
        log->start = at;
    memcpy(log->piece + log->len, from, (size_t)amount);
    log->len += (size_t)amount;
    return SQLITE_OK;
}

static int
log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = hand_over(log_of(file));

    return rc == SQLITE_OK ? log_of(file)->real->pMethods->xTruncate(log_of(file)->real, size) : rc;
}

static int
log_sync(sqlite3_file *file, int flags)
{
    int rc = hand_over(log_of(file));

    return rc == SQLITE_OK ? log_of(file)->real->pMethods->xSync(log_of(file)->real, flags) : rc;
}

static int
log_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    int rc = hand_over(log_of(file));

    return rc == SQLITE_OK ? log_of(file)->real->pMethods->xFileSize(log_of(file)->real, ret) : rc;
}

/* ---- what goes to the system as it is ---- */
static int
log_lock(sqlite3_file *file, int level)
{
    return log_of(file)->real->pMethods->xLock(log_of(file)->real, level);
}

static int
log_unlock(sqlite3_file *file, int level)
{
    return log_of(file)->real->pMethods->xUnlock(log_of(file)->real, level);
}

static int
log_check_lock(sqlite3_file *file, int *ret)
{
    return log_of(file)->real->pMethods->xCheckReservedLock(log_of(file)->real, ret);
}

static int
log_control(sqlite3_file *file, int what, void *argument)
{
    return log_of(file)->real->pMethods->xFileControl(log_of(file)->real, what, argument);
}

static int
log_sector(sqlite3_file *file)
{
    return log_of(file)->real->pMethods->xSectorSize(log_of(file)->real);
}

static int
log_device(sqlite3_file *file)
{
    return log_of(file)->real->pMethods->xDeviceCharacteristics(log_of(file)->real);
}

static const sqlite3_io_methods log_methods = {
    .iVersion = 1, .xClose = log_close, .xRead = log_read, .xWrite = log_write, .xTruncate = log_truncate,
    .xSync = log_sync, .xFileSize = log_size, .xLock = log_lock, .xUnlock = log_unlock,
    .xCheckReservedLock = log_check_lock, .xFileControl = log_control, .xSectorSize = log_sector,
    .xDeviceCharacteristics = log_device,
};

void
log_forget(sqlite3 *db)
{
    sqlite3_file *file = NULL;

    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) == SQLITE_OK && file != NULL &&
        file->pMethods == &log_methods)
        log_of(file)->len = 0;
}

/* ---- the VFS ---- */
static int
open_file(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *ret_flags)
{
    sqlite3_vfs *system = vfs->pAppData;
    struct log_file *log = log_of(file);
    int rc;

    if (!(flags & SQLITE_OPEN_WAL))
        return system->xOpen(system, name, file, flags, ret_flags);
    *log = (struct log_file){.real = (sqlite3_file *)(void *)(log + 1)};
    rc = system->xOpen(system, name, log->real, flags, ret_flags);
    if (rc != SQLITE_OK)
        return rc; /* no methods: it is not closed */
    log->piece = an_new_array(PIECE, 1);
    log->base.pMethods = &log_methods;
    return SQLITE_OK;
}

static sqlite3_vfs log_system;

static void
register_once(void)
{
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);

    if (system == NULL)
        return;
    log_system = *system;
    log_system.pNext = NULL;
    log_system.zName = "antin-log";
    log_system.pAppData = system;
    log_system.szOsFile = (int)sizeof(struct log_file) + system->szOsFile;
    log_system.xOpen = open_file;
    if (sqlite3_vfs_register(&log_system, 0) != SQLITE_OK)
        log_system.zName = NULL;
}

const char *
log_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_once);
    return log_system.zName;
}
