/* What the benchmarks of the registers share: a clock in microseconds, failures, the median of many. */
#pragma once

#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 200

static inline double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static inline void
must(an_code code, const struct an_err *err)
{
    if (code == AN_OK)
        return;
    fprintf(stderr, "%s: %s\n", an_message_find(code)->symbol, err->detail);
    exit(1);
}

static inline int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of ROUNDS times; sorts them. */
static inline double
median_of(double times[static ROUNDS])
{
    qsort(times, ROUNDS, sizeof(times[0]), compare);
    return times[ROUNDS / 2];
}
