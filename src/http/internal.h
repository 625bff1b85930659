/* What the files of http/ share: connections belong to one loop and are touched by its thread alone; a request that is
 * being carried out belongs to a worker until it comes back. */
#pragma once

#include "http/head.h"
#include "http/http.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/types.h>

#define HTTP_ROOM_BYTES ((size_t)64 * 1024) /* read at once */
#define HTTP_BACKLOG 1024
#define HTTP_BODIES_BYTES ((size_t)64 * 1024 * 1024) /* of all loops: half a body in each of thousands of connections costs no more */
#define HTTP_SPARE 32                       /* kept for who comes next: as many as are carried out together */
#define HTTP_CLASSES 6                      /* of statuses, by hundreds */
#define HTTP_ROUTES_MAX 64
#define HTTP_BUCKETS 10
extern const unsigned http_bucket_us[HTTP_BUCKETS];

/* A request that is not answered from memory. */
struct http_job {
    struct http_job *next;
    struct conn *conn;
    const struct an_http_route *route;
    size_t route_number;
    struct an_buf head_bytes;   /* head points into it */
    struct an_http_head head;
    struct an_buf path;         /* decoded */
    struct an_buf body;
    size_t body_max, held;      /* held: what its body counts for in the loop's sum */
    bool is_head;               /* HEAD */
    char peer[INET6_ADDRSTRLEN];
    uint64_t start_us;
    struct an_http_answer answer;
};

enum conn_state { CONN_HEAD = 0, CONN_BODY, CONN_BUSY, CONN_LINGER };
enum conn_list { LIST_IDLE = 0, LIST_HEAD, LIST_BODY, LIST_WRITE, LIST_LINGER, LIST_BUSY, CONN_LISTS };

struct conn {
    struct loop *loop;
    struct conn *prev, *next;
    enum conn_list list;
    uint64_t since_ms;          /* when it came into its list */
    int fd;
    enum conn_state state;
    bool is_v1_0, close_after, is_at_end, is_readable, is_gone;
    struct an_buf in, out;
    size_t searched;            /* of in: there no head ends */
    size_t sent;
    int file;                   /* sent behind out; -1 = none */
    uint64_t file_at, file_end;
    struct http_job *job;       /* while its body comes in */
    struct an_http_chunks chunks;
    uint64_t body_left;
    struct sockaddr_in6 address;
};

struct http_counts {
    uint64_t by_route[HTTP_ROUTES_MAX + 1][HTTP_CLASSES]; /* the last row: no route */
    uint64_t buckets[HTTP_ROUTES_MAX + 1][HTTP_BUCKETS + 1], total_us[HTTP_ROUTES_MAX + 1];
    uint64_t accepted, refused, timed_out, bytes_out;
};

struct loop {
    struct an_http_server *server;
    pthread_t thread;
    int epoll, event;           /* event: something was finished, or we are to leave */
    struct { struct conn *first, *last; } lists[CONN_LISTS];
    struct conn *dead;          /* closed; freed when no event of this round can name them */
    size_t connections;         /* atomic: read by others */
    size_t connections_max;
    size_t bodies, bodies_max;  /* octets of bodies that come in or wait to be worked on */
    uint64_t now_us, now_ms;    /* when this round began */
    uint64_t accepted_ms, left_ms; /* when it last looked for new connections; when it stopped doing so */
    uint64_t counted_us;        /* from then on events are counted */
    size_t counted;
    bool gathers;               /* so many come that being woken for each costs more than a moment's wait */
    an_time now;
    char date[40];              /* "Date: …" line */
    uint8_t *room;
    struct an_buf spare[HTTP_SPARE]; /* lent to those who are answered */
    size_t spare_count;
    struct http_job *spare_jobs;
    size_t spare_job_count;
    bool listens, has_pushed;   /* has_pushed: in this round */
    pthread_mutex_t lock;       /* guards done */
    struct http_job *done;
    struct http_counts counts;
};

struct an_http_server {
    struct an_http_setup setup;
    const struct an_http_route *routes[HTTP_ROUTES_MAX];
    size_t route_lens[HTTP_ROUTES_MAX];
    size_t route_count;
    char *trusted, *trusted_certs;
    int listener;
    bool owns_listener, is_draining, is_stopping; /* atomic */
    bool loops_gone;            /* with the lock: nothing more will be queued */
    struct loop *loops;
    unsigned loop_count, worker_count, listening; /* listening: loops that do; atomic */
    pthread_t *workers;
    pthread_mutex_t lock;       /* guards the queue */
    pthread_cond_t is_work;
    struct http_job *first, **last;
    size_t waiting;
    size_t in_hand[HTTP_ROUTES_MAX]; /* of each route: jobs that workers have */
};

/* ---- route.c ---- */
/* The route of a target's path, still encoded; SIZE_MAX when there is none. */
size_t http_route_find(const struct an_http_server *server, an_bytes path);
unsigned http_method_bit(an_bytes method); /* 0 = not one of ours; HEAD is GET */
/* Does the list of addresses, blanks between, name this one? NULL names nobody. */
bool http_is_named(const char *list, const char *peer);

/* ---- conn.c ---- */
/* A socket that was accepted: registered with the loop, closed again when that fails. */
void http_conn_add(struct loop *loop, int fd, const struct sockaddr_in6 *address);
/* Something may be read or written. */
void http_conn_on(struct conn *conn, uint32_t events);
/* A request comes back from its worker: its answer is written, then sent, which takes the job. All that come back
 * together are written before any is sent. */
void http_conn_finish(struct http_job *job);
void http_conn_send(struct http_job *job);
/* Kept until its request comes back, when one is being carried out. */
void http_conn_close(struct conn *conn);
/* It was too long in its list. */
void http_conn_end_late(struct conn *conn);
/* Those that were closed in this round, which no event can name any more. */
void http_conn_free_dead(struct loop *loop);
bool http_is_draining(const struct loop *loop);

/* ---- loop.c ---- */
void *http_loop_run(void *loop);
void http_loop_wake(struct loop *loop);

/* ---- answer.c ---- */
/* Status line and headers up to the empty line. */
void http_put_head(struct an_buf *out, const struct loop *loop, const struct an_http_answer *answer, bool close);
void http_put_date(struct an_buf *out, const char *name, an_time when);
void http_put_quick(struct an_buf *out, const struct an_http_quick_answer *answer);
/* An answer without a handler: 400, 404, 405, … */
void http_put_plain(struct an_buf *out, const struct loop *loop, unsigned status, unsigned allow, bool is_head,
                    bool close);
void http_answer_done(struct an_http_answer *answer);
/* RFC 9110 13.1: has the client this very answer already? */
bool http_is_known(const struct http_job *job);
void http_set_date(struct loop *loop);

/* ---- work.c ---- */
void *http_work(void *server);
/* False when too many wait. Somebody takes it up after http_work_wake: a loop calls that once a round. */
bool http_work_push(struct an_http_server *server, struct http_job *job);
void http_work_wake(struct an_http_server *server);
void http_job_free(struct http_job *job);
void http_job_reset(struct http_job *job); /* for another request; keeps its room */

/* ---- log.c ---- */
void http_count(struct loop *loop, size_t route, unsigned status, uint64_t spent_us);
void http_log(const struct loop *loop, const struct http_job *job, unsigned status, uint64_t bytes, uint64_t spent_us);
