/*
 * One connection: which list it waits in, what it is sent, the request it says, the answer that comes back. Touched by
 * the thread of its loop alone. A request answered from memory costs one recv and one send.
 */
#include "http/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILE_TURN ((uint64_t)4 << 20) /* who fetches a large list; then the others get their turn */
#define BODY_DEFAULT ((size_t)1024 * 1024)
#define HEAD_ROOM ((size_t)512)       /* for the lines of an answer without those of its handler */
#define ROOM_KEPT 16384               /* an output buffer larger than that is not kept */

/* ---- lists ---- */
static void
unlink_conn(struct conn *conn)
{
    struct loop *loop = conn->loop;

    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        loop->lists[conn->list].first = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    else
        loop->lists[conn->list].last = conn->prev;
}

static void
link_conn(struct conn *conn, enum conn_list list)
{
    struct loop *loop = conn->loop;

    conn->list = list;
    conn->since_ms = loop->now_ms;
    conn->next = NULL;
    conn->prev = loop->lists[list].last;
    if (conn->prev != NULL)
        conn->prev->next = conn;
    else
        loop->lists[list].first = conn;
    loop->lists[list].last = conn;
}

/* Lists are in the order of their deadlines. */
static void
move_conn(struct conn *conn, enum conn_list list)
{
    unlink_conn(conn);
    link_conn(conn, list);
}

/* Jobs come and go with every request that is not answered from memory: some are kept, with their room. */
static struct http_job *
take_job(struct loop *loop)
{
    struct http_job *job = loop->spare_jobs;

    if (job == NULL) {
        job = AN_NEW(struct http_job);
        *job = (struct http_job){.head_bytes = an_buf_new(AN_HTTP_HEAD_BYTES),
                                 .path = an_buf_new(AN_HTTP_TARGET_BYTES + 1), .answer.fd = -1};
        return job;
    }
    loop->spare_jobs = job->next;
    loop->spare_job_count--;
    return job;
}

static void
drop_job(struct loop *loop, struct http_job *job)
{
    loop->bodies -= job->held;
    if (loop->spare_job_count == HTTP_SPARE || job->head_bytes.capacity + job->body.capacity > ROOM_KEPT ||
        job->answer.body.capacity > ROOM_KEPT || job->answer.headers.capacity > ROOM_KEPT) {
        http_job_free(job);
        return;
    }
    http_job_reset(job);
    job->next = loop->spare_jobs;
    loop->spare_jobs = job;
    loop->spare_job_count++;
}

static void
free_conn(struct conn *conn)
{
    unlink_conn(conn);
    an_buf_free(&conn->in);
    an_buf_free(&conn->out);
    if (conn->file >= 0)
        close(conn->file);
    if (conn->job != NULL)
        drop_job(conn->loop, conn->job);
    conn->job = NULL;
    conn->next = conn->loop->dead;
    conn->loop->dead = conn;
    __atomic_sub_fetch(&conn->loop->connections, 1, __ATOMIC_ACQ_REL);
}

void
http_conn_free_dead(struct loop *loop)
{
    while (loop->dead != NULL) {
        struct conn *conn = loop->dead;
        loop->dead = conn->next;
        free(conn);
    }
}

/* A connection whose request is being carried out is kept until it comes back. */
void
http_conn_close(struct conn *conn)
{
    if (!conn->is_gone)
        close(conn->fd);
    conn->is_gone = true;
    if (conn->state != CONN_BUSY)
        free_conn(conn);
}

/* ---- writing ---- */
bool
http_is_draining(const struct loop *loop)
{
    return __atomic_load_n(&loop->server->is_draining, __ATOMIC_RELAXED) ||
           __atomic_load_n(&loop->server->is_stopping, __ATOMIC_RELAXED);
}

static bool
has_output(const struct conn *conn)
{
    return conn->sent < conn->out.len || conn->file >= 0;
}

static void
note_sent(struct conn *conn, uint64_t bytes)
{
    uint64_t *counter = &conn->loop->counts.bytes_out;

    __atomic_store_n(counter, *counter + bytes, __ATOMIC_RELAXED);
    if (conn->list == LIST_WRITE)
        move_conn(conn, LIST_WRITE);
}

/* An edge that will not come of itself, since we stopped before the socket was full, is asked for. */
static void
rearm(struct conn *conn)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = conn};

    epoll_ctl(conn->loop->epoll, EPOLL_CTL_MOD, conn->fd, &event);
}

enum flushed { FLUSH_DONE, FLUSH_WAITS, FLUSH_GONE };

static enum flushed
flush_file(struct conn *conn)
{
    uint64_t turn = 0;

    while (conn->file >= 0 && conn->file_at < conn->file_end) {
        off_t at = (off_t)conn->file_at;
        uint64_t left = conn->file_end - conn->file_at;
        ssize_t put;

        if (turn >= FILE_TURN) {
            rearm(conn);
            return FLUSH_WAITS;
        }
        put = sendfile(conn->fd, conn->file, &at, left < 1u << 20 ? left : 1u << 20);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && errno == EAGAIN)
            return FLUSH_WAITS;
        if (put <= 0) /* also a file that became shorter: the length was promised */
            return FLUSH_GONE;
        conn->file_at += (uint64_t)put;
        turn += (uint64_t)put;
        note_sent(conn, (uint64_t)put);
    }
    if (conn->file >= 0)
        close(conn->file);
    conn->file = -1;
    return FLUSH_DONE;
}

/* Who has nothing to be sent holds no room for it: the loop keeps some, the warmest for whoever is answered next. */
static void
take_room(struct conn *conn)
{
    struct loop *loop = conn->loop;

    if (conn->out.ptr == NULL && loop->spare_count != 0)
        conn->out = loop->spare[--loop->spare_count];
}

static void
give_room(struct conn *conn)
{
    struct loop *loop = conn->loop;

    if (conn->out.ptr == NULL)
        return;
    if (loop->spare_count == HTTP_SPARE || conn->out.capacity > ROOM_KEPT) {
        an_buf_free(&conn->out);
        return;
    }
    an_buf_reset(&conn->out);
    loop->spare[loop->spare_count++] = conn->out;
    conn->out = an_buf_new(AN_BUF_UNLIMITED);
}

static enum flushed
flush_out(struct conn *conn)
{
    while (conn->sent < conn->out.len) {
        ssize_t put = send(conn->fd, conn->out.ptr + conn->sent, conn->out.len - conn->sent,
                           MSG_NOSIGNAL | (conn->file >= 0 ? MSG_MORE : 0));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno == EAGAIN ? FLUSH_WAITS : FLUSH_GONE;
        conn->sent += (size_t)put;
        note_sent(conn, (uint64_t)put);
    }
    give_room(conn);
    conn->sent = 0;
    return flush_file(conn);
}

/* Our side says that it is done; what the other side still sends is read and forgotten for a moment, so that it is not
 * answered with a reset that would take our last answer with it. */
static void
linger(struct conn *conn)
{
    if (conn->is_at_end || shutdown(conn->fd, SHUT_WR) != 0) {
        http_conn_close(conn);
        return;
    }
    an_buf_free(&conn->in);
    an_buf_free(&conn->out);
    conn->state = CONN_LINGER;
    move_conn(conn, LIST_LINGER);
}

/* Sends what there is. False when the connection is no more, or done with. */
static bool
flush(struct conn *conn)
{
    switch (flush_out(conn)) {
    case FLUSH_WAITS:
        if (conn->list != LIST_WRITE)
            move_conn(conn, LIST_WRITE);
        return true;
    case FLUSH_GONE:
        http_conn_close(conn);
        return false;
    case FLUSH_DONE:
        break;
    }
    if (conn->state == CONN_BUSY || conn->state == CONN_LINGER)
        return true;
    if (conn->close_after) {
        linger(conn);
        return false;
    }
    if (conn->list == LIST_WRITE || conn->list == LIST_BUSY)
        move_conn(conn, conn->state == CONN_BODY ? LIST_BODY : conn->in.len ? LIST_HEAD : LIST_IDLE);
    return true;
}

/* ---- requests ---- */
static void
refuse(struct conn *conn, size_t route, unsigned status, unsigned allow, bool is_head, bool close)
{
    conn->close_after = conn->close_after || close || http_is_draining(conn->loop);
    http_put_plain(&conn->out, conn->loop, status, allow, is_head, conn->close_after);
    http_count(conn->loop, route, status, 0);
}

static void
dispatch(struct conn *conn)
{
    struct http_job *job = conn->job;

    conn->job = NULL;
    conn->state = CONN_BUSY;
    move_conn(conn, LIST_BUSY);
    job->start_us = conn->loop->now_us;
    if (http_work_push(conn->loop->server, job)) {
        conn->loop->has_pushed = true;
        return;
    }
    conn->state = CONN_HEAD;
    move_conn(conn, LIST_IDLE);
    refuse(conn, job->route_number, 503, 0, job->is_head, !job->head.keep_alive);
    drop_job(conn->loop, job);
}

static void
name_peer(const struct conn *conn, char ret[static INET6_ADDRSTRLEN])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&conn->address;

    if (conn->address.sin6_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, ret, INET6_ADDRSTRLEN);
    else if (IN6_IS_ADDR_V4MAPPED(&conn->address.sin6_addr))
        inet_ntop(AF_INET, &conn->address.sin6_addr.s6_addr[12], ret, INET6_ADDRSTRLEN);
    else
        inet_ntop(AF_INET6, &conn->address.sin6_addr, ret, INET6_ADDRSTRLEN);
}

/* False when its path cannot be decoded. */
static bool
make_job(struct conn *conn, an_bytes head_bytes, size_t route, size_t body_max)
{
    struct http_job *job = take_job(conn->loop);

    job->conn = conn;
    job->route = conn->loop->server->routes[route];
    job->route_number = route;
    job->body.max = job->body_max = body_max;
    an_buf_append(&job->head_bytes, head_bytes);
    if (an_http_head_parse(an_buf_view(&job->head_bytes), 0, &job->head) != 200 ||
        !an_http_decode(job->head.path, false, &job->path)) {
        drop_job(conn->loop, job);
        return false;
    }
    an_buf_byte(&job->path, 0);
    job->is_head = an_bytes_eq_str(job->head.method, "HEAD");
    name_peer(conn, job->peer);
    conn->job = job;
    return true;
}

/* An answer from memory. 0 = not this way; otherwise how many octets of rest it took. */
static size_t
answer_quickly(struct conn *conn, const struct an_http_route *route, size_t number, const struct an_http_head *head,
               unsigned method, an_bytes rest)
{
    struct loop *loop = conn->loop;
    size_t before = conn->out.len;
    struct an_http_quick quick = {.is_post = method == AN_HTTP_POST,
                                  .rest = an_bytes_slice(head->path, loop->server->route_lens[number], SIZE_MAX),
                                  .body = an_bytes_slice(rest, head->len, (size_t)head->content_length)};

    if (route->quick == NULL || !head->keep_alive || head->is_chunked || head->expects_continue ||
        head->method.ptr[0] == 'H' ||
        quick.body.len != head->content_length || an_http_head_find(head, "if-none-match").ptr != NULL ||
        http_is_draining(loop))
        return 0;
    an_buf_append(&conn->out, AN_LIT("HTTP/1.1 200 OK\r\n"));
    an_buf_str(&conn->out, loop->date);
    if (!route->quick(loop->server->setup.context, &quick, loop->now, &conn->out, http_put_quick)) {
        conn->out.len = before;
        return 0;
    }
    http_count(loop, number, 200, 0);
    return head->len + quick.body.len;
}

/* How many octets of rest were taken. */
static size_t
begin_request(struct conn *conn, an_bytes rest, const struct an_http_head *head)
{
    struct loop *loop = conn->loop;
    size_t number = http_route_find(loop->server, head->path), took, body_max;
    const struct an_http_route *route = number != SIZE_MAX ? loop->server->routes[number] : NULL;
    unsigned method = http_method_bit(head->method);
    bool is_head = an_bytes_eq_str(head->method, "HEAD");

    if (route == NULL || (route->methods & method) == 0) { /* a body that nobody wants is not read */
        refuse(conn, number, route == NULL ? 404 : 405, route ? route->methods : 0, is_head, head->has_body ||
               !head->keep_alive);
        return head->len;
    }
    body_max = route->body_max ? route->body_max : BODY_DEFAULT;
    if (head->content_length > body_max) {
        refuse(conn, number, 413, 0, is_head, true);
        return head->len;
    }
    took = answer_quickly(conn, route, number, head, method, rest);
    if (took != 0)
        return took;
    if (!make_job(conn, AN_BYTES(rest.ptr, head->len), number, body_max)) {
        refuse(conn, number, 400, 0, is_head, true);
        return head->len;
    }
    conn->state = CONN_BODY;
    conn->body_left = head->content_length;
    conn->chunks = (struct an_http_chunks){0};
    if (!head->has_body) {
        dispatch(conn);
    } else {
        move_conn(conn, LIST_BODY);
        if (head->expects_continue)
            an_buf_append(&conn->out, AN_LIT("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    return head->len;
}

static void
drop_body(struct conn *conn, unsigned status)
{
    size_t route = conn->job->route_number;

    drop_job(conn->loop, conn->job);
    conn->job = NULL;
    conn->state = CONN_HEAD;
    refuse(conn, route, status, 0, false, true);
}

/* Says 408 to who has been sending longest, which is what his minute would end with. */
static void
end_body(struct conn *conn)
{
    struct loop *loop = conn->loop;

    http_put_plain(&conn->out, loop, 408, 0, false, true);
    (void)flush_out(conn);
    loop->counts.refused++;
    http_conn_close(conn);
}

/* Room for what came in: those who began before give way. False when there is none: what waits to be worked on takes it
 * all. */
static bool
hold_body(struct conn *conn)
{
    struct loop *loop = conn->loop;
    struct http_job *job = conn->job;

    loop->bodies += job->body.capacity - job->held;
    job->held = job->body.capacity;
    for (struct conn *other = loop->lists[LIST_BODY].first, *next; loop->bodies > loop->bodies_max && other != NULL;
         other = next) {
        next = other->next;
        if (other != conn)
            end_body(other);
    }
    return loop->bodies <= loop->bodies_max || loop->bodies == job->held;
}

static size_t
take_body(struct conn *conn, an_bytes rest)
{
    struct http_job *job = conn->job;
    an_bytes left = rest;
    bool done;

    if (job->head.is_chunked) {
        if (!an_http_chunks_feed(&conn->chunks, &left, &job->body) || !an_buf_ok(&job->body)) {
            drop_body(conn, an_buf_ok(&job->body) ? 400 : 413);
            return rest.len;
        }
        done = conn->chunks.state == AN_CHUNK_DONE;
    } else {
        an_bytes part = an_bytes_slice(rest, 0, conn->body_left < rest.len ? (size_t)conn->body_left : rest.len);
        an_buf_append(&job->body, part);
        conn->body_left -= part.len;
        left = an_bytes_slice(rest, part.len, SIZE_MAX);
        done = conn->body_left == 0;
    }
    if (!hold_body(conn)) {
        drop_body(conn, 503);
        return rest.len;
    }
    if (done)
        dispatch(conn);
    return rest.len - left.len;
}

/* Requests one after the other, for as long as their answers are at hand. */
static size_t
process(struct conn *conn, an_bytes bytes)
{
    size_t used = 0;

    while (used < bytes.len && conn->state != CONN_BUSY && !conn->close_after) {
        an_bytes rest = an_bytes_slice(bytes, used, SIZE_MAX);
        AN_UNZEROED struct an_http_head head;
        unsigned status;

        if (conn->state == CONN_BODY) {
            used += take_body(conn, rest);
            continue;
        }
        if (rest.ptr[0] == '\r' || rest.ptr[0] == '\n') { /* RFC 9112 2.2: an empty line before a request */
            used++;
            continue;
        }
        status = an_http_head_parse(rest, conn->searched, &head);
        conn->searched = status == 0 ? rest.len : 0;
        if (status == 0)
            break;
        if (status != 200) {
            refuse(conn, SIZE_MAX, status, 0, false, true);
            return bytes.len;
        }
        used += begin_request(conn, rest, &head);
    }
    return conn->close_after ? bytes.len : used;
}

/* Works off bytes, which are conn->in or lie in the loop's room, and keeps what is left. */
static void
process_and_keep(struct conn *conn, an_bytes bytes)
{
    size_t used;

    take_room(conn);
    used = process(conn, bytes);
    if (bytes.ptr == conn->in.ptr) {
        conn->in.len -= used;
        if (conn->in.len != 0)
            memmove(conn->in.ptr, conn->in.ptr + used, conn->in.len);
    } else if (used < bytes.len) {
        an_buf_append(&conn->in, an_bytes_slice(bytes, used, SIZE_MAX));
    }
    if (conn->in.len == 0)
        an_buf_free(&conn->in);
    if (conn->state == CONN_HEAD && conn->in.len != 0 && conn->list == LIST_IDLE)
        move_conn(conn, LIST_HEAD);
    else if (conn->state == CONN_HEAD && conn->in.len == 0 && conn->list == LIST_HEAD)
        move_conn(conn, LIST_IDLE);
}

/* ---- reading ---- */
/* What was received: more than 0; 0 = nothing now; -1 = the other side is done; -2 = broken. */
static ssize_t
receive(struct conn *conn)
{
    ssize_t got;

    do
        got = recv(conn->fd, conn->loop->room, HTTP_ROOM_BYTES, 0);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return -1;
    return got > 0 ? got : errno == EAGAIN ? 0 : -2;
}

static void
note_end(struct conn *conn)
{
    conn->is_at_end = conn->close_after = true;
    if (conn->state != CONN_BUSY && !has_output(conn))
        http_conn_close(conn);
}

/* to_end: the other side has said that nothing more comes, so that a short read is not the last one. */
static void
read_conn(struct conn *conn, bool to_end)
{
    for (;;) {
        ssize_t got;

        if (conn->state == CONN_BUSY || has_output(conn)) { /* who does not read our answers is not read */
            conn->is_readable = true;
            return;
        }
        got = receive(conn);
        conn->is_readable = false;
        /* who asks is not idle, also when he is answered at once */
        if (conn->list == LIST_IDLE && conn->since_ms != conn->loop->now_ms)
            move_conn(conn, LIST_IDLE);
        if (got == -1)
            note_end(conn);
        else if (got == -2)
            http_conn_close(conn);
        if (got <= 0)
            return;
        if (conn->state != CONN_LINGER) {
            if (conn->in.len != 0)
                an_buf_append(&conn->in, AN_BYTES(conn->loop->room, (size_t)got));
            process_and_keep(conn, conn->in.len != 0 ? an_buf_view(&conn->in) : AN_BYTES(conn->loop->room,
                    (size_t)got));
            if (!flush(conn))
                return;
        }
        if ((size_t)got < HTTP_ROOM_BYTES && !to_end)
            return;
    }
}

/* After an answer has gone out: what came meanwhile. */
static void
go_on(struct conn *conn)
{
    if (conn->state != CONN_BUSY && !has_output(conn) && conn->in.len != 0) {
        process_and_keep(conn, an_buf_view(&conn->in));
        if (!flush(conn))
            return;
    }
    if (conn->is_readable)
        read_conn(conn, true);
}

void
http_conn_on(struct conn *conn, uint32_t events)
{
    if (conn->is_gone) /* by an earlier event of this round, or waiting for its request to come back */
        return;
    if (events & (EPOLLERR | EPOLLHUP)) {
        http_conn_close(conn);
        return;
    }
    if ((events & EPOLLOUT) && has_output(conn)) {
        if (!flush(conn))
            return;
        if (!has_output(conn)) {
            conn->is_readable = conn->is_readable || (events & EPOLLIN);
            go_on(conn);
            return;
        }
    }
    if (events & (EPOLLIN | EPOLLRDHUP))
        read_conn(conn, (events & EPOLLRDHUP) != 0);
}

/* ---- answers that come back ---- */
void
http_conn_finish(struct http_job *job)
{
    struct conn *conn = job->conn;
    uint64_t spent_us = conn->loop->now_us - job->start_us;
    struct an_http_answer *answer = &job->answer;

    if (conn->is_gone)
        return;
    take_room(conn);
    an_buf_reserve(&conn->out, HEAD_ROOM + answer->headers.len + answer->body.len);
    if (http_is_known(job))
        answer->status = 304;
    conn->close_after = conn->close_after || !job->head.keep_alive || http_is_draining(conn->loop);
    http_put_head(&conn->out, conn->loop, answer, conn->close_after);
    if (!job->is_head && answer->status != 304 && answer->status != 204) {
        if (answer->fd >= 0) {
            conn->file = answer->fd;
            conn->file_at = 0;
            conn->file_end = answer->file_bytes;
            answer->fd = -1;
        } else {
            an_buf_append(&conn->out, an_buf_view(&answer->body));
        }
    }
    http_count(conn->loop, job->route_number, answer->status, spent_us);
    http_log(conn->loop, job, answer->status, conn->out.len + conn->file_end - conn->file_at, spent_us);
}

void
http_conn_send(struct http_job *job)
{
    struct conn *conn = job->conn;
    bool is_gone = conn->is_gone;

    drop_job(conn->loop, job);
    conn->state = CONN_HEAD;
    if (is_gone) {
        free_conn(conn);
        return;
    }
    move_conn(conn, LIST_IDLE);
    if (flush(conn))
        go_on(conn);
}

void
http_conn_add(struct loop *loop, int fd, const struct sockaddr_in6 *address)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
    struct conn *conn = AN_NEW(struct conn);
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    *conn = (struct conn){.loop = loop, .fd = fd, .file = -1, .in = an_buf_new(AN_BUF_UNLIMITED),
                          .out = an_buf_new(AN_BUF_UNLIMITED), .address = *address};
    __atomic_add_fetch(&loop->connections, 1, __ATOMIC_ACQ_REL);
    link_conn(conn, LIST_IDLE);
    event.data.ptr = conn;
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        http_conn_close(conn);
}

/* Told why before it is closed, when it was in the middle of saying something. */
void
http_conn_end_late(struct conn *conn)
{
    if (conn->list == LIST_HEAD || conn->list == LIST_BODY) {
        http_put_plain(&conn->out, conn->loop, 408, 0, false, true);
        (void)flush_out(conn);
    }
    if (conn->list != LIST_LINGER)
        conn->loop->counts.timed_out++;
    http_conn_close(conn);
}
