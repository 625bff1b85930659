/*
 * One thread that watches many connections. Sockets are registered once, edge-triggered, so that a request answered
 * from memory costs a share of one epoll_wait. What is not in memory goes to the workers and comes back as done.
 */
#include "http/internal.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define TICK_MS 500
#define ACCEPTS_MAX 64 /* in a row; then those who are connected get their turn */
#define COUNT_US 1000      /* how often it is judged how much comes */
#define GATHER_FROM 60     /* events a millisecond: from here on a moment's wait brings several */
#define GATHER_US 50       /* the moment: a twentieth of what an answer from memory may take */
#define GATHERED_ENOUGH 16 /* events at once: waiting for more would save nothing */

/* How long a connection may stay in a list; 0 = for ever. While draining, the idle wait is for one more request. */
static const uint64_t list_ms[CONN_LISTS] = {[LIST_IDLE] = 60000, [LIST_HEAD] = 10000, [LIST_BODY] = 60000,
                                             [LIST_WRITE] = 60000, [LIST_LINGER] = 2000};
#define DRAIN_IDLE_MS 5000

/* ---- answers that come back ---- */
static void
finish_jobs(struct loop *loop)
{
    struct http_job *job, *in_order = NULL;
    uint64_t count;

    (void)!read(loop->event, &count, sizeof(count));
    pthread_mutex_lock(&loop->lock);
    job = loop->done;
    loop->done = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (job != NULL) { /* first come, first served */
        struct http_job *next = job->next;
        job->next = in_order;
        in_order = job;
        job = next;
    }
    for (job = in_order; job != NULL; job = job->next)
        http_conn_finish(job);
    while (in_order != NULL) {
        struct http_job *next = in_order->next;
        http_conn_send(in_order);
        in_order = next;
    }
}

void
http_loop_wake(struct loop *loop)
{
    const uint64_t one = 1;

    (void)!write(loop->event, &one, sizeof(one));
}

/* ---- connections come ---- */
/* Room for one more: who has been silent longest goes, first among those who have not finished saying what they
 * want. */
static void
make_room(struct loop *loop)
{
    static const enum conn_list lists[] = {LIST_HEAD, LIST_LINGER, LIST_IDLE, LIST_BODY, LIST_WRITE};

    for (size_t i = 0; i < AN_COUNT(lists); i++)
        if (loop->lists[lists[i]].first != NULL) {
            http_conn_close(loop->lists[lists[i]].first);
            loop->counts.refused++;
            return;
        }
}

static void
add_conn(struct loop *loop, int fd, const struct sockaddr_in6 *address)
{
    if (loop->connections >= loop->connections_max)
        make_room(loop);
    http_conn_add(loop, fd, address);
    loop->counts.accepted++;
}

static void
accept_some(struct loop *loop, int most)
{
    loop->accepted_ms = loop->now_ms;
    for (int i = 0; i < most && loop->listens; i++) {
        struct sockaddr_in6 address = {0};
        socklen_t len = sizeof(address);
        int fd = accept4(loop->server->listener, (struct sockaddr *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
            make_room(loop);
        if (fd < 0)
            return;
        add_conn(loop, fd, &address);
    }
}

/* ---- time ---- */
static void
read_clock(struct loop *loop)
{
    struct timespec now;
    an_time second = loop->now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    loop->now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    loop->now_ms = loop->now_us / 1000;
    loop->now = an_time_now();
    if (loop->now != second)
        http_set_date(loop);
}

/* ---- gathering ----
 * When many ask, each for little, a thread that sleeps until it is told of the next one is woken for one or two at a
 * time, and the waking costs as much as the answer. So it waits a moment before it looks again, unless it has its hands
 * full as it is (docs/decisions/145-who-is-asked-much.md). */
static void
gather(struct loop *loop, int count)
{
    const struct timespec moment = {.tv_nsec = GATHER_US * 1000L};
    uint64_t spent_us = loop->now_us - loop->counted_us;

    if (count <= 0)
        return;
    loop->counted += (size_t)count;
    if (spent_us >= COUNT_US) {
        loop->gathers = loop->counted * 1000 >= spent_us * GATHER_FROM;
        loop->counted = 0;
        loop->counted_us = loop->now_us;
    }
    if (loop->gathers && count < GATHERED_ENOUGH)
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
}

/* Whoever is connected when we begin to leave has the whole idle time for his last request. */
static bool
is_late(const struct loop *loop, const struct conn *conn, size_t list)
{
    bool leaves = (list == LIST_IDLE || list == LIST_WRITE) && http_is_draining(loop);
    uint64_t limit = leaves ? DRAIN_IDLE_MS : list_ms[list], since = leaves &&
        loop->left_ms > conn->since_ms ? loop->left_ms : conn->since_ms;

    return limit != 0 && loop->now_ms - since >= limit;
}

static void
end_late(struct loop *loop)
{
    for (size_t list = 0; list < CONN_LISTS; list++) {
        for (struct conn *conn = loop->lists[list].first, *next; conn != NULL && is_late(loop, conn, list);
             conn = next) {
            next = conn->next;
            http_conn_end_late(conn);
        }
    }
}

/* While we leave, only those whose request is in hand stay. */
static void
close_quiet(struct loop *loop)
{
    static const enum conn_list quiet[] = {LIST_IDLE, LIST_HEAD, LIST_BODY, LIST_LINGER};

    for (size_t i = 0; i < AN_COUNT(quiet); i++)
        while (loop->lists[quiet[i]].first != NULL)
            http_conn_close(loop->lists[quiet[i]].first);
}

/* A connection is told of to one of all who listen. Whoever leaves takes those that he was told of and nobody else was:
 * first he has himself told of no more, then he looks a last time. */
static void
stop_listening(struct loop *loop)
{
    if (!loop->listens)
        return;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->server->listener, NULL);
    accept_some(loop, HTTP_BACKLOG);
    loop->listens = false;
    loop->left_ms = loop->now_ms;
    __atomic_sub_fetch(&loop->server->listening, 1, __ATOMIC_ACQ_REL);
}

/* Whoever was told of a connection may have been killed before he took it: everybody looks from time to time without
 * being told. */
static void
look_for_untold(struct loop *loop)
{
    if (loop->now_ms - loop->accepted_ms >= TICK_MS)
        accept_some(loop, ACCEPTS_MAX);
}

void *
http_loop_run(void *context)
{
    struct loop *loop = context;
    struct epoll_event events[EVENTS_MAX];

    read_clock(loop);
    while (!__atomic_load_n(&loop->server->is_stopping, __ATOMIC_ACQUIRE) || loop->connections != 0) {
        int count = epoll_wait(loop->epoll, events, EVENTS_MAX, TICK_MS);

        read_clock(loop);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == loop)
                finish_jobs(loop);
            else if (events[i].data.ptr == loop->server)
                accept_some(loop, ACCEPTS_MAX);
            else
                http_conn_on(events[i].data.ptr, events[i].events);
        }
        if (loop->has_pushed)
            http_work_wake(loop->server);
        loop->has_pushed = false;
        if (http_is_draining(loop))
            stop_listening(loop);
        else
            look_for_untold(loop);
        if (__atomic_load_n(&loop->server->is_stopping, __ATOMIC_ACQUIRE))
            close_quiet(loop);
        end_late(loop);
        http_conn_free_dead(loop);
        gather(loop, count);
    }
    stop_listening(loop);
    return NULL;
}
