/*
 * Writing: callers queue works and wait; one thread takes what is queued, runs all works in one transaction and commits
 * once for all. When one fails, all are undone and run again, now each under a savepoint, so that it fails alone. What
 * fails for all of them is tried again when trying again can help: after a conflict, on a new connection, or one by one
 * when a single work cost the others their transaction.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/time.h"
#include "store/internal.h"

#define WARY_GROUPS 64     /* after a work failed: where one did, the next do */
#define GATHERED_ENOUGH 16 /* works: a commit shared by more costs each hardly less */
#define GATHER_NS 2000000  /* and no longer than a commit takes */

void
an_tx_keep(struct an_tx *tx, an_bytes record)
{
    struct kept *kept = tx->kept; /* only a writing transaction has one */

    an_buf_append(&kept->bytes, record);
    if (kept->count == kept->capacity) {
        kept->capacity = kept->capacity ? kept->capacity * 2 : 64;
        kept->ends = an_grow(kept->ends, kept->capacity, sizeof(size_t));
    }
    kept->ends[kept->count++] = kept->bytes.len;
}

void
kept_cut(struct kept *kept, size_t count)
{
    if (count == 0) {
        an_buf_reset(&kept->bytes);
        kept->bytes.overflowed = false;
    } else {
        kept->bytes.len = kept->ends[count - 1];
    }
    kept->count = count;
}

static an_code
close_group(struct an_store *store, struct an_err *reterr)
{
    struct kept *kept = &store->kept;
    struct an_tx tx = {.store = store, .conn = store->writing, .kept = kept};
    AN_CLEANUP(an_free_ptr) an_bytes *records = NULL;

    if (kept->count == 0)
        return AN_OK;
    AN_ASSERT(store->closer != NULL);
    if (!an_buf_ok(&kept->bytes))
        AN_FAIL(reterr, AN_E_LIMIT, "audit records of one commit");
    records = an_new_array(kept->count, sizeof(*records));
    for (size_t i = 0, start = 0; i < kept->count; start = kept->ends[i++])
        records[i] = AN_BYTES(kept->bytes.ptr + start, kept->ends[i] - start);
    return store->closer(&tx, records, kept->count, reterr);
}

/* How works of a group are kept apart: what it costs is paid by all, what it saves by the one that fails. */
enum care {
    CARE_NONE = 0, /* not at all: who fails undoes the group */
    CARE_POINTS,   /* a savepoint each */
    CARE_ANSWERS,  /* and every answer waited for, so that an error is that of its work */
};

/* One work in the open transaction. The answer is the group's: AN_OK also when the work failed and was undone, or is to
 * be undone with the group. */
static an_code
run_work(struct an_store *store, struct work *work, enum care care, struct an_err *reterr)
{
    struct conn *conn = store->writing;
    struct an_tx tx = {.store = store, .conn = conn, .kept = &store->kept};
    size_t kept = store->kept.count;

    work->error = (struct an_err){0};
    if (care != CARE_NONE)
        AN_TRY(conn->engine->work_start(conn, reterr));
    work->code = work->run(work->context, &tx, &work->error);
    if (tx.failed != AN_OK) {
        work->code = tx.failed;
        work->error = tx.error;
    }
    if (conn->broken || tx.failed == AN_E_STORE_BUSY) {
        if (reterr != NULL)
            *reterr = work->error;
        return conn->broken && work->code == AN_OK ? AN_E_STORE_ABSENT : work->code;
    }
    if (work->code == AN_OK)
        return care == CARE_NONE ? AN_OK : conn->engine->work_keep(conn, care == CARE_ANSWERS, reterr);
    kept_cut(&store->kept, kept);
    if (care == CARE_NONE || conn->engine->work_undo(conn, NULL) == AN_OK)
        return AN_OK;
    if (reterr != NULL)
        *reterr = work->error;
    return work->code;
}

/* The group's mark, in its own transaction: whoever loses the answer to a commit looks for it. */
static an_code
put_mark(struct an_store *store, bool is_new, struct an_err *reterr)
{
    struct an_tx tx = {.store = store, .conn = store->writing};
    const an_time now = an_time_now();

    if (store->mark[0] == 0) {
        snprintf(store->mark, sizeof(store->mark), "%ld-%d-%llx", (long)now, (int)getpid(),
                 (unsigned long long)(uintptr_t)store ^ an_time_monotonic_ms());
        AN_TRY(an_tx_run(&tx, AN_SQL_STORE_COMMIT_FORGET, (struct an_value[]){AN_V_INT(now - 7 * 86400)}, 1, NULL,
                         reterr));
    }
    store->groups += is_new;
    return an_tx_run(&tx, AN_SQL_STORE_COMMIT_PUT, (struct an_value[]){an_v_text(store->mark), AN_V_INT(store->groups),
                                                                       AN_V_INT(now)}, 3, NULL,
                     reterr);
}

/* All works in one transaction. An error is that of the group: nothing of it is stored (or, AN_E_STORE_LOST,
 * unknown). Spoilt: a work failed that cannot be undone alone; nothing is stored either. */
static an_code
try_group(struct an_store *store, struct work **works, size_t count, enum care care, bool *ret_spoilt,
          struct an_err *reterr)
{
    size_t good = 0;
    an_code code;

    if (store->writing != NULL && store->writing->broken)
        store->engine->close(&store->writing);
    if (store->writing == NULL)
        AN_TRY(store->engine->open(store->url, 0, &store->writing, reterr));
    kept_cut(&store->kept, 0);
    code = store->engine->begin(store->writing, BEGIN_WRITE, reterr);
    for (size_t i = 0; code == AN_OK && i < count; i++) {
        code = run_work(store, works[i], count == 1 ? CARE_NONE : care, reterr);
        good += works[i]->code == AN_OK;
        *ret_spoilt = code == AN_OK && works[i]->code != AN_OK && care == CARE_NONE && count > 1;
        if (*ret_spoilt)
            code = works[i]->code;
    }
    if (code == AN_OK && good > 0)
        code = close_group(store, reterr);
    if (code == AN_OK && good > 0 && store->engine->marks)
        code = put_mark(store, true, reterr);
    if (code == AN_OK && good > 0)
        return store->engine->commit(store->writing, reterr);
    if (!store->writing->broken)
        store->engine->rollback(store->writing);
    return code;
}

static void
answer_all(struct work **works, size_t count, an_code code, const struct an_err *err)
{
    for (size_t i = 0; i < count; i++) {
        works[i]->code = code;
        works[i]->error = *err;
    }
}

static void
sleep_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* Whether the same works may do better in a moment. */
static bool
is_worth_waiting(struct an_store *store, an_code code, int runs, uint64_t until)
{
    bool closing;

    pthread_mutex_lock(&store->write_lock);
    closing = store->closing;
    pthread_mutex_unlock(&store->write_lock);
    if (code == AN_E_STORE_BUSY)
        return runs < AN_LIMIT_STORE_RERUNS;
    return (code == AN_E_STORE_ABSENT || code == AN_E_STORE_OPEN) && !closing && an_time_monotonic_ms() < until;
}

/*
 * The answer to a commit was lost. On a new connection, under the lock that the lost transaction held or holds, its
 * mark is there or will never be. A commit of our own then proves that what was found is as durable as any commit.
 */
static an_code
look_for_mark(struct an_store *store, struct an_err *reterr)
{
    int64_t mark = 0;
    an_code code;

    store->engine->close(&store->writing);
    AN_TRY(store->engine->open(store->url, 0, &store->writing, reterr));
    AN_TRY(store->engine->begin(store->writing, BEGIN_WRITE, reterr));
    {
        struct an_tx tx = {.store = store, .conn = store->writing};

        code = an_tx_int(&tx, AN_SQL_STORE_COMMIT_FIND, (struct an_value[]){an_v_text(store->mark)}, 1, &mark, reterr);
    }
    if (code == AN_OK)
        code = put_mark(store, false, reterr);
    if (code != AN_OK)
        return code;
    code = store->engine->commit(store->writing, reterr);
    if (code == AN_OK && mark != store->groups)
        AN_FAIL(reterr, AN_E_STORE_BUSY, "the commit did not happen");
    return code;
}

/* AN_OK: it was committed after all; AN_E_STORE_BUSY: it was not; AN_E_STORE_LOST: nobody can say. */
static an_code
settle(struct an_store *store)
{
    uint64_t until = an_time_monotonic_ms() + AN_LIMIT_STORE_PATIENCE_MS;

    while (store->engine->marks && an_time_monotonic_ms() < until) {
        struct an_err err = {0};
        an_code code = look_for_mark(store, &err);

        if (code == AN_OK || (code == AN_E_STORE_BUSY && !store->writing->broken))
            return code;
        sleep_ms(200);
    }
    return AN_E_STORE_LOST;
}

/* What failed for the group as a whole goes with more care: with savepoints when a work failed; else with every answer
 * waited for, so that an error is that of its work; then one by one. */
static void
run_group(struct an_store *store, struct work **works, size_t count, enum care care)
{
    uint64_t until = an_time_monotonic_ms() + AN_LIMIT_STORE_PATIENCE_MS;
    struct an_err err = {0};
    bool is_spoilt = false;
    an_code code;

    for (int runs = 1; (code = try_group(store, works, count, care, &is_spoilt, &err)) != AN_OK && !is_spoilt; runs++) {
        if (code == AN_E_STORE_LOST)
            code = settle(store);
        if (code == AN_OK || !is_worth_waiting(store, code, runs, until))
            break;
        sleep_ms(runs < 10 ? 20 * runs : 200);
    }
    if (code == AN_OK)
        return;
    if (is_spoilt) {
        store->wary = WARY_GROUPS;
        run_group(store, works, count, CARE_POINTS);
    } else if (code == AN_E_STORE_LOST || code == AN_E_STORE_ABSENT || code == AN_E_STORE_OPEN ||
               (count == 1 && care == CARE_ANSWERS)) {
        answer_all(works, count, code, &err);
    } else if (care != CARE_ANSWERS) {
        run_group(store, works, count, CARE_ANSWERS);
    } else {
        for (size_t i = 0; i < count; i++)
            run_group(store, &works[i], 1, CARE_ANSWERS);
    }
}

static size_t
take_works(struct an_store *store, struct work **works)
{
    size_t count = 0;

    while (store->first != NULL && count < AN_LIMIT_STORE_GROUP) {
        works[count++] = store->first;
        store->first = store->first->next;
    }
    if (store->first == NULL)
        store->last = NULL;
    store->waiting -= count;
    return count;
}

/* While few wait and others are on their way; with the lock, which others have meanwhile. */
static void
gather_works(struct an_store *store)
{
    struct timespec until;

    if (store->waiting >= GATHERED_ENOUGH || __atomic_load_n(&store->announced, __ATOMIC_RELAXED) == 0)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += GATHER_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (store->waiting < GATHERED_ENOUGH && __atomic_load_n(&store->announced, __ATOMIC_RELAXED) > 0 &&
           !store->closing)
        if (pthread_cond_clockwait(&store->work_there, &store->write_lock, CLOCK_MONOTONIC, &until) != 0)
            return;
}

void *
writer_main(void *context)
{
    struct an_store *store = context;
    struct work *works[AN_LIMIT_STORE_GROUP];
    size_t count;

    pthread_mutex_lock(&store->write_lock);
    for (;;) {
        while (store->first == NULL && !store->closing)
            pthread_cond_wait(&store->work_there, &store->write_lock);
        if (store->first == NULL)
            break;
        gather_works(store);
        count = take_works(store, works);
        pthread_mutex_unlock(&store->write_lock);
        run_group(store, works, count, store->wary > 0 ? CARE_POINTS : CARE_NONE);
        store->wary -= store->wary > 0;
        for (size_t i = 0; i < count; i++)
            sem_post(&works[i]->answered); /* then it is gone */
        pthread_mutex_lock(&store->write_lock);
    }
    pthread_mutex_unlock(&store->write_lock);
    return NULL;
}

/* The writer takes no signals: they are for the threads that know what to do with them. */
static void
start_writer(struct an_store *store)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&store->writer, NULL, writer_main, store) != 0)
        an_die_memory();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    store->has_writer = true;
}

/* With the lock. The writer is woken for the first work, and when there is nothing more to wait for. */
static void
wake_writer(struct an_store *store)
{
    if (store->waiting == 1 || store->waiting >= GATHERED_ENOUGH ||
        __atomic_load_n(&store->announced, __ATOMIC_RELAXED) == 0)
        pthread_cond_signal(&store->work_there);
}

struct an_store *
an_store_announce(struct an_store *store)
{
    __atomic_add_fetch(&store->announced, 1, __ATOMIC_RELAXED);
    return store;
}

void
an_store_withdraw(struct an_store **announced)
{
    struct an_store *store = *announced;

    *announced = NULL;
    if (store == NULL)
        return;
    pthread_mutex_lock(&store->write_lock);
    __atomic_sub_fetch(&store->announced, 1, __ATOMIC_RELAXED);
    if (store->waiting > 0)
        wake_writer(store);
    pthread_mutex_unlock(&store->write_lock);
}

/* With the lock: the work stays on its caller's stack until the writer has said that it is done. */
static void
queue_work(struct an_store *store, struct work *work)
{
    if (!store->has_writer)
        start_writer(store);
    AN_ASSERT(!pthread_equal(store->writer, pthread_self())); /* a work that waits for itself */
    if (store->last != NULL)
        store->last->next = work;
    else
        store->first = work;
    store->last = work;
    store->waiting++;
    wake_writer(store);
}

static an_code
write_work(struct an_store *store, struct work *work, bool was_announced, struct an_err *reterr)
{
    bool is_full;

    sem_init(&work->answered, 0, 0);
    pthread_mutex_lock(&store->write_lock);
    if (was_announced)
        __atomic_sub_fetch(&store->announced, 1, __ATOMIC_RELAXED);
    is_full = store->waiting >= AN_LIMIT_STORE_WAITING;
    if (!is_full)
        queue_work(store, work);
    pthread_mutex_unlock(&store->write_lock);
    while (!is_full && sem_wait(&work->answered) != 0) {
        /* a signal */
    }
    sem_destroy(&work->answered);
    if (is_full)
        AN_FAIL(reterr, AN_E_STORE_BUSY, "%d works are waiting", AN_LIMIT_STORE_WAITING);
    if (work->code != AN_OK && reterr != NULL)
        *reterr = work->error;
    return work->code;
}

an_code
an_store_write(struct an_store *store, an_tx_fn run, void *context, struct an_err *reterr)
{
    struct work work = {.run = run, .context = context};

    if (store->flags & AN_STORE_READ_ONLY)
        AN_FAIL(reterr, AN_E_STORE_READONLY, "opened for reading");
    return write_work(store, &work, false, reterr);
}

an_code
an_store_write_announced(struct an_store **announced, an_tx_fn run, void *context, struct an_err *reterr)
{
    struct work work = {.run = run, .context = context};
    struct an_store *store = *announced;

    if (store->flags & AN_STORE_READ_ONLY)
        AN_FAIL(reterr, AN_E_STORE_READONLY, "opened for reading");
    *announced = NULL;
    return write_work(store, &work, true, reterr);
}
