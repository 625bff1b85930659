/* Counters, and one JSON line a request when a log is wanted. */
#include "http/internal.h"

#include <stdio.h>
#include <unistd.h>

const unsigned http_bucket_us[HTTP_BUCKETS] = {100, 250, 500, 1000, 2500, 5000, 10000, 50000, 250000, 1000000};

/* Written by the loop's own thread alone; whoever reads may see the number before. */
static void
add(uint64_t *counter, uint64_t amount)
{
    __atomic_store_n(counter, *counter + amount, __ATOMIC_RELAXED);
}

void
http_count(struct loop *loop, size_t route, unsigned status, uint64_t spent_us)
{
    size_t row = route < HTTP_ROUTES_MAX ? route : HTTP_ROUTES_MAX, bucket = 0;

    add(&loop->counts.by_route[row][status / 100 < HTTP_CLASSES ? status / 100 : 0], 1);
    while (bucket < HTTP_BUCKETS && spent_us > http_bucket_us[bucket])
        bucket++;
    add(&loop->counts.buckets[row][bucket], 1);
    add(&loop->counts.total_us[row], spent_us);
}

/* The path is a stranger's: only what is plain stands in the log as it came. */
static void
put_text(struct an_buf *out, an_bytes text)
{
    for (size_t i = 0; i < text.len && i < 512; i++) {
        uint8_t c = text.ptr[i];
        if (c == '"' || c == '\\')
            an_buf_byte(out, '\\');
        if (c >= ' ' && c < 0x7f)
            an_buf_byte(out, c);
    }
}

void
http_log(const struct loop *loop, const struct http_job *job, unsigned status, uint64_t bytes, uint64_t spent_us)
{
    AN_CLEANUP(an_buf_free) struct an_buf line = an_buf_new(2048);
    char at[AN_TIME_TEXT_MAX];

    if (loop->server->setup.log_fd < 0)
        return;
    an_buf_printf(&line, "{\"at\":\"%s\",\"event\":\"http\",\"peer\":\"%s\",\"method\":\"",
                  an_time_format_utc(loop->now, at), job->peer);
    put_text(&line, job->head.method);
    an_buf_str(&line, "\",\"path\":\"");
    put_text(&line, job->head.path); /* never the query: it may name people */
    an_buf_printf(&line, "\",\"status\":%u,\"bytes\":%llu,\"us\":%llu}\n", status, (unsigned long long)bytes,
                  (unsigned long long)spent_us);
    (void)!write(loop->server->setup.log_fd, line.ptr, line.len); /* one line, one write */
}

static void
put_histogram(struct an_buf *out, const struct an_http_server *server, size_t row, const char *path)
{
    uint64_t sum = 0, spent = 0;

    for (size_t bucket = 0; bucket <= HTTP_BUCKETS; bucket++) {
        for (unsigned i = 0; i < server->loop_count; i++)
            sum += __atomic_load_n(&server->loops[i].counts.buckets[row][bucket], __ATOMIC_RELAXED);
        if (bucket < HTTP_BUCKETS)
            an_buf_printf(out, "antin_http_seconds_bucket{route=\"%s\",le=\"%g\"} %llu\n", path,
                          http_bucket_us[bucket] / 1e6, (unsigned long long)sum);
    }
    for (unsigned i = 0; i < server->loop_count; i++)
        spent += __atomic_load_n(&server->loops[i].counts.total_us[row], __ATOMIC_RELAXED);
    an_buf_printf(out,
                  "antin_http_seconds_bucket{route=\"%s\",le=\"+Inf\"} %llu\nantin_http_seconds_sum{route=\"%s\"} %g\nantin_http_seconds_count{route=\"%s\"} %llu\n",
                  path, (unsigned long long)sum, path, (double)spent / 1e6, path, (unsigned long long)sum);
}

static void
put_route(struct an_buf *out, const struct an_http_server *server, size_t row, const char *path)
{
    for (size_t class = 1; class < HTTP_CLASSES; class++) {
        uint64_t sum = 0;
        for (unsigned i = 0; i < server->loop_count; i++)
            sum += __atomic_load_n(&server->loops[i].counts.by_route[row][class], __ATOMIC_RELAXED);
        if (sum != 0)
            an_buf_printf(out, "antin_http_requests_total{route=\"%s\",status=\"%zuxx\"} %llu\n", path, class,
                          (unsigned long long)sum);
    }
}

static void
put_sum(struct an_buf *out, const struct an_http_server *server, const char *name, const char *type, size_t offset)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < server->loop_count; i++)
        sum += __atomic_load_n((const uint64_t *)(const void *)((const char *)&server->loops[i] + offset),
                               __ATOMIC_RELAXED);
    an_buf_printf(out, "# TYPE %s %s\n%s %llu\n", name, type, name, (unsigned long long)sum);
}

void
an_http_server_metrics(const struct an_http_server *server, struct an_buf *out)
{
    an_buf_str(out, "# TYPE antin_http_requests_total counter\n");
    for (size_t i = 0; i <= server->route_count; i++)
        put_route(out, server, i < server->route_count ? i : HTTP_ROUTES_MAX,
                  i < server->route_count ? server->routes[i]->path : "");
    an_buf_str(out, "# TYPE antin_http_seconds histogram\n");
    for (size_t i = 0; i < server->route_count; i++)
        put_histogram(out, server, i, server->routes[i]->path);
    put_sum(out, server, "antin_http_connections", "gauge", offsetof(struct loop, connections));
    put_sum(out, server, "antin_http_accepted_total", "counter", offsetof(struct loop, counts.accepted));
    put_sum(out, server, "antin_http_refused_total", "counter", offsetof(struct loop, counts.refused));
    put_sum(out, server, "antin_http_timed_out_total", "counter", offsetof(struct loop, counts.timed_out));
    put_sum(out, server, "antin_http_sent_bytes_total", "counter", offsetof(struct loop, counts.bytes_out));
}
