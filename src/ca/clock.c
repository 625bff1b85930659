#include "ca/clock.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 200     /* the source is asked that often; between two looks its word holds */
#define DISTRUST_MS 60000
#define NOTE_MS 5000    /* between two notes of the time trusted */
#define STEP_MS_MIN 50  /* two readings are never quite of one moment */

struct an_clock {
    struct an_clock_rules rules;
    char *file, *last_file;
    int64_t last_ms;        /* the latest time trusted, of this process or one before */
    int64_t noted_ms;       /* what of it stands in the file */
    pthread_mutex_t lock;
    int64_t looked_ms;      /* on the monotonic clock; 0 = never */
    int64_t distance_ms;    /* of the wall clock from the monotonic one at the last look */
    bool is_based;          /* AN_CLOCK_STEPS: distance_ms is that of a clock that was trusted */
    int64_t distrust_until_ms;
    struct an_err verdict;  /* of the last look */
};

/* Boot time runs while the machine sleeps, too, and is slewed together with the wall clock: only settings part them. */
static int64_t
read_system_ms(void *context, bool is_wall)
{
    struct timespec now;

    (void)context;
    clock_gettime(is_wall ? CLOCK_REALTIME : CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t
read_ms(const struct an_clock *clock, bool is_wall)
{
    return clock->rules.read_ms(clock->rules.context, is_wall);
}

static bool
is_kernel_disciplined(void *context)
{
    struct timex state = {0};
    int answer = adjtimex(&state);

    (void)context;
    return answer >= 0 && answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

static void
read_last(struct an_clock *clock)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(64);
    long long last = 0;

    if (access(clock->last_file, R_OK) != 0 || an_file_read(clock->last_file, 63, &text, NULL) != AN_OK)
        return;
    an_buf_byte(&text, 0);
    if (sscanf((const char *)text.ptr, "%lld", &last) == 1)
        clock->last_ms = clock->noted_ms = last;
}

bool
an_clock_is_proven(enum an_clock_check check)
{
    return check == AN_CLOCK_KERNEL || check == AN_CLOCK_FILE;
}

struct an_clock *
an_clock_new(const struct an_clock_rules *rules)
{
    struct an_clock *clock = AN_NEW(struct an_clock);

    *clock = (struct an_clock){.rules = *rules};
    clock->file = rules->file ? an_strdup(rules->file) : NULL;
    clock->last_file = rules->last_file ? an_strdup(rules->last_file) : NULL;
    if (clock->rules.read_ms == NULL)
        clock->rules.read_ms = read_system_ms;
    if (clock->rules.is_disciplined == NULL)
        clock->rules.is_disciplined = is_kernel_disciplined;
    pthread_mutex_init(&clock->lock, NULL);
    if (clock->last_file != NULL)
        read_last(clock);
    return clock;
}

void
an_clock_free(struct an_clock **clock)
{
    if (*clock == NULL)
        return;
    pthread_mutex_destroy(&(*clock)->lock);
    free((*clock)->file);
    free((*clock)->last_file);
    free(*clock);
    *clock = NULL;
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

static int64_t
most_ms(const struct an_clock *clock)
{
    return clock->rules.offset_ms_max > STEP_MS_MIN ? clock->rules.offset_ms_max : STEP_MS_MIN;
}

/* After a crash the note may be some seconds old; a failure to write it stops the stamping, since nothing would warn
 * then. */
static an_code
note_last(struct an_clock *clock, int64_t wall_ms, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *text = NULL;

    clock->last_ms = wall_ms > clock->last_ms ? wall_ms : clock->last_ms;
    if (clock->last_file == NULL || clock->last_ms < clock->noted_ms + NOTE_MS)
        return AN_OK;
    text = an_asprintf("%lld\n", (long long)clock->last_ms);
    AN_TRY(an_file_write(clock->last_file, an_bytes_of_str(text), 0600, reterr));
    clock->noted_ms = clock->last_ms;
    return AN_OK;
}

/* Measured from where the clock stood when it was trusted first, so that many small settings count as the large one
 * they make. A process that was started under a clock that stands before the last time-stamp trusts none until then. */
static an_code
judge_steps(struct an_clock *clock, int64_t monotonic_ms, struct an_err *reterr)
{
    int64_t wall_ms = read_ms(clock, true), moved;

    if (!clock->is_based)
        clock->distance_ms = wall_ms - monotonic_ms;
    moved = wall_ms - monotonic_ms - clock->distance_ms;
    if (moved > most_ms(clock) || moved < -most_ms(clock)) {
        if (!clock->rules.is_disciplined(clock->rules.context))
            AN_FAIL(reterr, AN_E_TSA_CLOCK, "set by %lld ms", (long long)moved);
        clock->distance_ms = wall_ms - monotonic_ms;
    }
    if (wall_ms < clock->last_ms - most_ms(clock))
        AN_FAIL(reterr, AN_E_TSA_CLOCK, "%lld ms before the last time-stamp", (long long)(clock->last_ms - wall_ms));
    clock->is_based = true;
    return note_last(clock, wall_ms, reterr);
}

/* A clock that was set moves against the one that only runs. */
static an_code
notice_step(struct an_clock *clock, int64_t monotonic_ms, struct an_err *reterr)
{
    int64_t distance = read_ms(clock, true) - monotonic_ms, moved = distance - clock->distance_ms,
            most = most_ms(clock);

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
    an_code code;

    if (clock->rules.check == AN_CLOCK_NONE)
        return AN_OK;
    if (clock->rules.check == AN_CLOCK_STEPS)
        return judge_steps(clock, monotonic_ms, reterr);
    code = notice_step(clock, monotonic_ms, reterr);
    if (code == AN_OK && clock->rules.check == AN_CLOCK_KERNEL)
        code = ask_kernel(clock, reterr);
    if (code == AN_OK && clock->rules.check == AN_CLOCK_FILE)
        code = ask_file(clock, reterr);
    return code;
}

an_code
an_clock_read(struct an_clock *clock, an_time *ret, int *ret_ms, struct an_err *reterr)
{
    int64_t monotonic_ms = read_ms(clock, false), wall_ms;
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
    wall_ms = read_ms(clock, true);
    *ret = wall_ms / 1000;
    *ret_ms = (int)(wall_ms % 1000);
    return AN_OK;
}
