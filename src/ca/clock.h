/*
 * Is the clock fit to time-stamp? Luật GDĐT Điều 31: the source follows the law on the national standard time; QCVN
 * 12:2026 2.2.22: how it is kept, and how far it may be off, is known. Nothing here sets a clock.
 */
#pragma once

#include "base/err.h"
#include "base/time.h"

enum an_clock_check {
    AN_CLOCK_KERNEL = 0, /* the kernel's clock discipline, which NTP, PTP or chrony feed */
    AN_CLOCK_FILE,       /* a monitor of ours writes "offset_ms at_utc" into a file */
    AN_CLOCK_NONE,       /* nobody checks: for trials */
    /* nobody vouches for the clock, but it may not be set, nor stand before what was stamped already */
    AN_CLOCK_STEPS,
};
struct an_clock_rules {
    enum an_clock_check check;
    const char *file;        /* of AN_CLOCK_FILE */
    int64_t offset_ms_max;   /* how far the clock may be off, as far as its source knows */
    int64_t file_seconds_max; /* how old the monitor's word may be */
    /* of AN_CLOCK_STEPS: where the last time trusted is kept, about every five seconds; NULL = nowhere */
    const char *last_file;
    /* NULL = the system's clocks: the wall's, and the one that only runs */
    int64_t (*read_ms)(void *context, bool is_wall);
    void *context;
    bool (*is_disciplined)(void *context); /* NULL = the kernel is asked */
};
/* Whether somebody proves the time to this check: what production needs. */
bool an_clock_is_proven(enum an_clock_check check);
struct an_clock;
struct an_clock *an_clock_new(const struct an_clock_rules *rules); /* copied; never NULL */
void an_clock_free(struct an_clock **clock);
/*
 * The time, in seconds and milliseconds, when it can be trusted now; thread-safe, a few microseconds. AN_E_TSA_CLOCK
 * says why not: not synchronised, off by more than is allowed, the monitor is silent, or the clock was set by more than
 * that since the last look (then it is not trusted for a minute: what set it may set it again). With AN_CLOCK_STEPS a
 * clock that was set is not trusted until it is back where it was, or the kernel's discipline vouches for it, or the
 * service is started anew.
 */
an_code an_clock_read(struct an_clock *clock, an_time *ret, int *ret_ms, struct an_err *reterr) AN_MUST_USE;
