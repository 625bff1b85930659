/*
 * The store and the audit log, measured: "store append URL THREADS SECONDS" (one durable event a write), "store fill URL EVENTS"
 * (many in a write), "store verify URL", "store sync FILE SECONDS" (the disk alone: append 4 kB and sync). Prints JSON.
 */
#include "audit/audit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct an_store *store;
static double end_at;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
must(an_code code, const struct an_err *err)
{
    if (code == AN_OK)
        return;
    fprintf(stderr, "%s: %s\n", an_message_find(code)->symbol, err->detail);
    exit(1);
}

struct client { pthread_t thread; int number; size_t done, many; float *times; };
#define TIMES_MAX 2000000

static an_code
append(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct client *client = context;
    char object[64];
    const struct an_audit_event event = {.at = 1764642605, .action = "certificate.issue", .actor = "mau-01", .role = "so-khcn", .object = object,
                                         .outcome = "done", .citation = "nd-68-2024/13/2", .detail = "{\"profile\":\"ca-nhan\",\"request\":\"12/3\"}"};

    for (size_t i = 0; i < client->many; i++) {
        snprintf(object, sizeof(object), "certificate:%d-%zu-%zu", client->number, client->done, i);
        AN_TRY(an_audit_append(tx, &event, reterr));
    }
    return AN_OK;
}

static void *
run_client(void *context)
{
    struct client *client = context;
    struct an_err err = {0};

    for (double start = now(), t; start < end_at && client->done < TIMES_MAX; start = t) {
        must(an_store_write(store, append, client, &err), &err);
        t = now();
        client->times[client->done++] = (float)(t - start);
    }
    return NULL;
}

static int
compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static int
measure_append(int threads, double seconds)
{
    struct client *clients = an_new_array((size_t)threads, sizeof(*clients));
    size_t done = 0;
    float *all;
    double start = now();

    end_at = start + seconds;
    for (int i = 0; i < threads; i++) {
        clients[i] = (struct client){.number = i, .many = 1, .times = an_new_array(TIMES_MAX, sizeof(float))};
        pthread_create(&clients[i].thread, NULL, run_client, &clients[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(clients[i].thread, NULL);
        done += clients[i].done;
    }
    seconds = now() - start;
    all = an_new_array(done + 1, sizeof(float));
    for (size_t i = 0, at = 0; i < (size_t)threads; at += clients[i++].done)
        memcpy(all + at, clients[i].times, clients[i].done * sizeof(float));
    qsort(all, done, sizeof(float), compare);
    printf("{\"per_second\": %.1f, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n", (double)done / seconds, 1000.0 * (double)all[done / 2],
           1000.0 * (double)all[done * 99 / 100]);
    return 0;
}

static int
fill(size_t events)
{
    struct client client = {.many = 10000};
    struct an_err err = {0};

    for (; client.done < events / client.many; client.done++)
        must(an_store_write(store, append, &client, &err), &err);
    printf("{}\n");
    return 0;
}

static int
verify(void)
{
    struct an_audit_report report;
    struct an_err err = {0};
    double start = now();

    must(an_audit_verify(store, NULL, &report, &err), &err);
    printf("{\"seconds\": %.3f, \"events\": %lld, \"findings\": %zu}\n", now() - start, (long long)report.size, report.finding_count);
    return 0;
}

static int
sync_file(const char *path, double seconds)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_APPEND, 0600);
    char block[4096] = {0};
    size_t done = 0;
    double start = now();

    for (; fd >= 0 && now() < start + seconds; done++)
        if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block) || fdatasync(fd) != 0)
            return 1;
    printf("{\"per_second\": %.1f}\n", (double)done / (now() - start));
    return fd < 0 || close(fd) != 0 || unlink(path) != 0;
}

int
main(int argc, char **argv)
{
    struct an_err err = {0};
    int status = 2;

    if (argc >= 4 && strcmp(argv[1], "sync") == 0)
        return sync_file(argv[2], strtod(argv[3], NULL));
    if (argc < 3)
        return 2;
    must(an_store_open(argv[2], AN_STORE_CREATE, 0, &store, &err), &err);
    an_audit_attach(store);
    if (strcmp(argv[1], "append") == 0 && argc == 5)
        status = measure_append((int)strtol(argv[3], NULL, 10), strtod(argv[4], NULL));
    else if (strcmp(argv[1], "fill") == 0 && argc == 4)
        status = fill((size_t)strtol(argv[3], NULL, 10));
    else if (strcmp(argv[1], "verify") == 0)
        status = verify();
    an_store_close(&store);
    return status;
}
