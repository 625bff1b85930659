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
    while (in_order != NULL) {
        struct http_job *next = in_order->next;
        http_conn_finish(in_order);
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

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    loop->now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    loop->now = an_time_now();
    if (loop->now != second)
        http_set_date(loop);
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
    }
    stop_listening(loop);
    return NULL;
}
