/* What the benchmark programs share: clocks, threads, one line of JSON as result. */
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static inline double
seconds_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

typedef void (*bench_fn)(void *context, unsigned thread, unsigned index);

struct bench_thread { bench_fn run; void *context; unsigned thread, count; };

static inline void *
bench_work(void *argument)
{
    struct bench_thread *t = argument;

    for (unsigned i = 0; i < t->count; i++)
        t->run(t->context, t->thread, i);
    return NULL;
}

/* Runs count times on each thread after one warm-up run on each; prints {"name", "per_second", "cpu_us", "rss_kb"}. */
static inline void
bench_report(const char *name, unsigned threads, unsigned count, bench_fn run, void *context)
{
    pthread_t ids[64];
    struct bench_thread jobs[64];
    double wall, cpu;
    struct rusage usage;

    for (unsigned t = 0; t < threads; t++)
        run(context, t, 0);
    wall = seconds_of(CLOCK_MONOTONIC);
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned t = 0; t < threads; t++) {
        jobs[t] = (struct bench_thread){run, context, t, count};
        if (t + 1 < threads)
            pthread_create(&ids[t], NULL, bench_work, &jobs[t]);
    }
    bench_work(&jobs[threads - 1]);
    for (unsigned t = 0; t + 1 < threads; t++)
        pthread_join(ids[t], NULL);
    wall = seconds_of(CLOCK_MONOTONIC) - wall;
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"name\": \"%s\", \"threads\": %u, \"per_second\": %.2f, \"cpu_us\": %.2f, \"rss_kb\": %ld}\n", name, threads,
           (double)count * threads / wall, cpu * 1e6 / ((double)count * threads), usage.ru_maxrss);
    fflush(stdout);
}
