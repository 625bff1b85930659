/*
 * Folding SQLite's log back into the database while the writer goes on. A thread with a connection of its own does most
 * of it, so that commits do not wait for the disk twice. The log begins anew only when the whole of it is folded while
 * nobody writes; under load the writer does the little that is left itself, when the log has become long.
 */
#include <pthread.h>
#include <sqlite3.h>

#include "store/sqlite_fold.h"

#define FOLD_PAGES 1000  /* 4 MB: worth the two syncs of a fold */
#define FULL_PAGES 16384 /* 64 MB: the log is to begin anew */

struct fold {
    char *path;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool has_thread, is_asked, is_closing;
};

/* What cannot be folded now (a reader still needs it, somebody else is at it) is folded another time. */
static void
fold_now(sqlite3 *db)
{
    (void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

static void *
run_fold(void *context)
{
    struct fold *fold = context;
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(fold->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0", NULL, NULL, NULL) != SQLITE_OK) {
        sqlite3_close(db);
        return NULL; /* the writer does it all */
    }
    pthread_mutex_lock(&fold->lock);
    while (!fold->is_closing) {
        if (!fold->is_asked) {
            pthread_cond_wait(&fold->wake, &fold->lock);
            continue;
        }
        fold->is_asked = false;
        pthread_mutex_unlock(&fold->lock);
        fold_now(db);
        pthread_mutex_lock(&fold->lock);
    }
    pthread_mutex_unlock(&fold->lock);
    sqlite3_close(db);
    return NULL;
}

static void
ask_fold(struct fold *fold)
{
    pthread_mutex_lock(&fold->lock);
    if (!fold->has_thread)
        /* of the writer, who takes no signals */
        fold->has_thread = pthread_create(&fold->thread, NULL, run_fold, fold) == 0;
    fold->is_asked = true;
    pthread_cond_signal(&fold->wake);
    pthread_mutex_unlock(&fold->lock);
}

/* After each commit of the writer, with the length of the log. */
static int
after_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)name;
    if (pages >= FULL_PAGES)
        fold_now(db);
    else if (pages >= FOLD_PAGES)
        ask_fold(context);
    return SQLITE_OK;
}

struct fold *
fold_start(sqlite3 *db, const char *path)
{
    struct fold *fold = AN_NEW(struct fold);

    fold->path = an_strdup(path);
    pthread_mutex_init(&fold->lock, NULL);
    pthread_cond_init(&fold->wake, NULL);
    sqlite3_wal_hook(db, after_commit, fold);
    return fold;
}

void
fold_stop(struct fold **place)
{
    struct fold *fold = *place;

    if (fold == NULL)
        return;
    pthread_mutex_lock(&fold->lock);
    fold->is_closing = true;
    pthread_cond_signal(&fold->wake);
    pthread_mutex_unlock(&fold->lock);
    if (fold->has_thread)
        pthread_join(fold->thread, NULL);
    pthread_mutex_destroy(&fold->lock);
    pthread_cond_destroy(&fold->wake);
    free(fold->path);
    free(fold);
    *place = NULL;
}
