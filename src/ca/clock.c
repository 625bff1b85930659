#include "ca/clock.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/timex.h>
#include <time.h>

#define LOOK_MS 200     /* the source is asked that often; between two looks its word holds */
#define DISTRUST_MS 60000

struct an_clock {
    struct an_clock_rules rules;
    char *file;
    pthread_mutex_t lock;
    int64_t looked_ms;      /* on the monotonic clock; 0 = never */
    int64_t distance_ms;    /* of the wall clock from the monotonic one at the last look */
    int64_t distrust_until_ms;
    struct an_err verdict;  /* of the last look */
};

struct an_clock *
an_clock_new(const struct an_clock_rules *rules)
{
    struct an_clock *clock = AN_NEW(struct an_clock);

    *clock = (struct an_clock){.rules = *rules};
    clock->file = rules->file ? an_strdup(rules->file) : NULL;
    pthread_mutex_init(&clock->lock, NULL);
    return clock;
}

void
an_clock_free(struct an_clock **clock)
{
    if (*clock == NULL)
        return;
    pthread_mutex_destroy(&(*clock)->lock);
    free((*clock)->file);
    free(*clock);
    *clock = NULL;
}

static int64_t
read_ms(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whoever disciplines the clock tells the kernel how well it does; unprivileged reading changes nothing. */
static an_code
ask_kernel(const struct an_clock *clock, struct an_err *reterr)
{
    struct timex state = {0};
    int answer = adjtimex(&state);

    if (answer < 0 || answer == TIME_ERROR || (state.status & STA_UNSYNC))
        AN_FAIL(reterr, AN_E_TSA_CLOCK, "adjtimex: not synchronised");
    if (state.maxerror / 1000 > clock->rules.offset_ms_max)
        AN_FAIL(reterr, AN_E_TSA_CLOCK, "adjtimex: up to %ld ms off", (long)(state.maxerror / 1000));
    return AN_OK;
}

static an_code
ask_file(const struct an_clock *clock, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(256);
    long long offset_ms = 0, at = 0;
    int64_t age;

    AN_TRY(an_file_read(clock->file, 255, &text, reterr));
    an_buf_byte(&text, 0);
    if (sscanf((const char *)text.ptr, "%lld %lld", &offset_ms, &at) != 2)
        AN_FAIL(reterr, AN_E_TSA_CLOCK, "%s: offset_ms at_utc", clock->file);
    age = an_time_now() - at;
    if (age < -1 || age > clock->rules.file_seconds_max)
        AN_FAIL(reterr, AN_E_TSA_CLOCK, "%s: %lld s old", clock->file, (long long)age);
    if (offset_ms > clock->rules.offset_ms_max || offset_ms < -clock->rules.offset_ms_max)
        AN_FAIL(reterr, AN_E_TSA_CLOCK, "%s: %lld ms off", clock->file, offset_ms);
    return AN_OK;
}

/* A clock that was set moves against the one that only runs. */
static an_code
notice_step(struct an_clock *clock, int64_t monotonic_ms, struct an_err *reterr)
{
    int64_t distance = read_ms(CLOCK_REALTIME) - monotonic_ms, moved = distance - clock->distance_ms;
    int64_t most = clock->rules.offset_ms_max > 50 ? clock->rules.offset_ms_max : 50; /* two readings are never quite of one moment */

    if (clock->looked_ms != 0 && (moved > most || moved < -most))
        clock->distrust_until_ms = monotonic_ms + DISTRUST_MS;
    clock->distance_ms = distance;
    if (monotonic_ms < clock->distrust_until_ms)
        AN_FAIL(reterr, AN_E_TSA_CLOCK, "set by %lld ms", (long long)moved);
    return AN_OK;
}

static an_code
look(struct an_clock *clock, int64_t monotonic_ms, struct an_err *reterr)
{
    an_code code = clock->rules.check == AN_CLOCK_NONE ? AN_OK : notice_step(clock, monotonic_ms, reterr);

    if (code == AN_OK && clock->rules.check == AN_CLOCK_KERNEL)
        code = ask_kernel(clock, reterr);
    if (code == AN_OK && clock->rules.check == AN_CLOCK_FILE)
        code = ask_file(clock, reterr);
    return code;
}

an_code
an_clock_read(struct an_clock *clock, an_time *ret, int *ret_ms, struct an_err *reterr)
{
    int64_t monotonic_ms = read_ms(CLOCK_BOOTTIME);
    struct timespec now;
    struct an_err verdict;

    pthread_mutex_lock(&clock->lock);
    if (clock->looked_ms == 0 || monotonic_ms - clock->looked_ms >= LOOK_MS) {
        clock->verdict = (struct an_err){0};
        clock->verdict.code = look(clock, monotonic_ms, &clock->verdict);
        clock->looked_ms = monotonic_ms;
    }
    verdict = clock->verdict;
    pthread_mutex_unlock(&clock->lock);
    if (verdict.code != AN_OK)
        return an_err_set(reterr, AN_E_TSA_CLOCK, "%s", verdict.detail);
    clock_gettime(CLOCK_REALTIME, &now);
    *ret = now.tv_sec;
    *ret_ms = (int)(now.tv_nsec / 1000000);
    return AN_OK;
}
