/*
 * Calls into modules are watched: one that does not come back cannot be ended, only left behind. What waited behind it
 * goes to others; whoever started us is told, and starts a process beside us in which nothing hangs.
 */
#include "keys/internal.h"

#include "base/time.h"
#include "proc/frame.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 50

static pthread_mutex_t calls_lock = PTHREAD_MUTEX_INITIALIZER; /* before the lock of a key, and that of a client */
static pthread_cond_t is_over = PTHREAD_COND_INITIALIZER;
static pthread_t watcher;
static struct key_call *calls;
static size_t late_count;
static uint64_t limit_ms = AN_KEYS_CALL_MS;
static int parent = -1;
static bool is_setting_up, is_told, has_ended;

void
an_key_call_begin(struct key_call *call, const char *key, void (*late)(void *context), void *context)
{
    *call = (struct key_call){.key = key, .since_ms = an_time_monotonic_ms(), .late = late, .context = context};
    pthread_mutex_lock(&calls_lock);
    call->next = calls;
    calls = call;
    pthread_mutex_unlock(&calls_lock);
}

void
an_key_call_end(struct key_call *call)
{
    struct key_call **at = &calls;

    pthread_mutex_lock(&calls_lock);
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    late_count -= call->is_late;
    pthread_mutex_unlock(&calls_lock);
}

bool
an_key_has_late(void)
{
    bool has;

    pthread_mutex_lock(&calls_lock);
    has = late_count != 0;
    pthread_mutex_unlock(&calls_lock);
    return has;
}

bool
an_key_is_late(const char *key)
{
    bool is_late = false;

    pthread_mutex_lock(&calls_lock);
    for (const struct key_call *call = calls; call != NULL; call = call->next)
        is_late = is_late || (call->is_late && strcmp(call->key, key) == 0);
    pthread_mutex_unlock(&calls_lock);
    return is_late;
}

uint64_t
an_key_wait_ms(void)
{
    return 2 * limit_ms;
}

/* While a token is opened nobody signs with any. During the set-up whoever started us learns whose token it was. */
static void
end_process(const struct key_call *call)
{
    AN_CLEANUP(an_buf_free) struct an_buf words = an_buf_new(4096);
    struct an_err err = {0};

    if (is_setting_up) {
        an_err_set(&err, AN_E_TOKEN_HANGS, "%s", call->key);
        an_frame_write_error(&words, &err);
        (void)!an_frame_send(parent, AN_FRAME_ERROR, an_buf_view(&words), -1, an_time_monotonic_ms() + LOOK_MS);
    }
    _exit(AN_KIND_UNAVAILABLE);
}

static void
note_late(struct key_call *call)
{
    call->is_late = true;
    late_count++;
    dprintf(STDERR_FILENO, "antin-key: %s: its module did not come back within %llu ms\n", call->key,
            (unsigned long long)limit_ms);
    if (call->late == NULL)
        end_process(call);
    if (!is_told)
        (void)!an_frame_send(parent, AN_KEYS_STUCK, AN_LIT("{}"), -1, an_time_monotonic_ms() + LOOK_MS);
    is_told = true;
}

static void
look(void)
{
    uint64_t now = an_time_monotonic_ms();

    for (struct key_call *call = calls; call != NULL; call = call->next) {
        if (now - call->since_ms < limit_ms)
            continue;
        if (!call->is_late)
            note_late(call);
        call->late(call->context);
    }
    if (!is_setting_up)
        an_key_refuse_late();
}

static void *
watch(void *context)
{
    struct timespec until;

    (void)context;
    pthread_mutex_lock(&calls_lock);
    while (!has_ended) {
        look();
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_clockwait(&is_over, &calls_lock, CLOCK_MONOTONIC, &until);
    }
    pthread_mutex_unlock(&calls_lock);
    return NULL;
}

bool
an_key_watch_start(int told, uint64_t call_ms, bool sets_up)
{
    parent = told;
    limit_ms = call_ms;
    is_setting_up = sets_up;
    has_ended = false;
    return pthread_create(&watcher, NULL, watch, NULL) == 0;
}

void
an_key_watch_stop(void)
{
    pthread_mutex_lock(&calls_lock);
    has_ended = true;
    pthread_cond_signal(&is_over);
    pthread_mutex_unlock(&calls_lock);
    pthread_join(watcher, NULL);
}
