/* http/: asked through plain sockets. */
#include "http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>

static struct an_http_server *server;
static unsigned port, calls_made;
static char folder[64], big_path[80];
#define BIG_BYTES 3000000

static void
echo(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    AN_CLEANUP(an_buf_free) struct an_buf field = an_buf_new(1000);

    __atomic_add_fetch((unsigned *)context, 1, __ATOMIC_ACQ_REL);
    answer->status = 200;
    answer->content_type = "text/plain";
    an_buf_printf(&answer->body, "%s|%s|%.*s|%s", request->method, request->content_type, AN_FMT(request->body), request->peer);
    if (an_http_field(an_bytes_of_str(request->query), "q", &field))
        an_buf_printf(&answer->body, "|q=%.*s", AN_FMT(an_buf_view(&field)));
    an_http_answer_header(answer, "X-Cert", an_http_header(request, "x-client-cert").len ? "seen" : "none");
    an_http_answer_header(answer, "X-Proto", an_bytes_eq_str(an_http_header(request, "x-forwarded-proto"), "https") ? "https" : "none");
    an_http_answer_header(answer, "X-Way", !request->is_forwarded ? "direct" : request->is_vouched ? "passed on by ours" : "passed on by a stranger");
    an_http_answer_header(answer, "X-Split", "a\r\nInjected: 1");
}

static void
list(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    __atomic_add_fetch((unsigned *)context, 1, __ATOMIC_ACQ_REL);
    if (strcmp(request->path, "/crl/a b.crl") != 0)
        return;
    answer->status = 200;
    answer->content_type = "application/pkix-crl";
    answer->cache_seconds = 3600;
    answer->last_modified = 1700000000;
    snprintf(answer->etag, sizeof(answer->etag), "n7");
    an_buf_str(&answer->body, "CRL");
}

static void
overflow(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    (void)context, (void)request;
    answer->status = 200;
    an_buf_free(&answer->body);
    answer->body = an_buf_new(3);
    an_buf_str(&answer->body, "too long");
}

static void
nothing(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    (void)context, (void)request;
    answer->status = 204;
}

static void
slowly(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    (void)context, (void)request;
    usleep(200000);
    answer->status = 200;
    an_buf_str(&answer->body, "slow");
}

static void
big(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    (void)context, (void)request;
    answer->fd = open(big_path, O_RDONLY | O_CLOEXEC);
    answer->status = answer->fd >= 0 ? 200 : 500;
    answer->file_bytes = BIG_BYTES;
}

/* How many came at once, at most. */
static size_t most_together;

static void
together(void *context, const struct an_http_turn *turns, size_t count)
{
    (void)context;
    assert_in_range(count, 1, AN_HTTP_TURNS_MAX);
    if (count > __atomic_load_n(&most_together, __ATOMIC_ACQUIRE))
        __atomic_store_n(&most_together, count, __ATOMIC_RELEASE);
    for (size_t i = 0; i < count; i++) {
        turns[i].answer->status = 200;
        an_buf_printf(&turns[i].answer->body, "<%s>", turns[i].request->query);
    }
}

static bool
from_memory(void *context, const struct an_http_quick *quick, an_time now, struct an_buf *out, void (*put)(struct an_buf *out, const struct an_http_quick_answer *answer))
{
    (void)context, (void)now;
    if (!an_bytes_eq_str(quick->is_post ? quick->body : quick->rest, "known"))
        return false;
    put(out, &(struct an_http_quick_answer){.content_type = "text/x", .headers = AN_LIT("X-From: memory\r\n"), .body = AN_LIT("at once")});
    return true;
}

static const struct an_http_route route_table[] = {
    {"/echo", AN_HTTP_GET | AN_HTTP_POST, 0, echo, NULL, NULL}, {"/crl/", AN_HTTP_GET, 0, list, NULL, NULL}, {"/overflow", AN_HTTP_GET, 0, overflow, NULL, NULL},
    {"/empty", AN_HTTP_GET, 0, nothing, NULL, NULL},            {"/slow", AN_HTTP_GET, 0, slowly, NULL, NULL}, {"/big", AN_HTTP_GET, 0, big, NULL, NULL},
    {"/small", AN_HTTP_POST, 10, echo, NULL, NULL},             {"/quick/", AN_HTTP_GET | AN_HTTP_POST, 100, echo, from_memory, NULL},
    {"/together", AN_HTTP_GET, 0, NULL, NULL, together},
};
static const struct an_http_routes tables[] = {{route_table, AN_COUNT(route_table)}};
static const struct an_http_setup usual = {.listen = "127.0.0.1:0", .listen_fd = -1, .log_fd = -1, .tables = tables, .table_count = 1, .context = &calls_made, .loops = 2, .workers = 3};

static int
dial(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((in_port_t)port)};
    struct timeval limit = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Sends a request, with as many bytes of body as asked, and reads until the server closes. */
static void
talk(const char *request, size_t body_len, struct an_buf *answer)
{
    int fd = dial();
    char part[4096];
    ssize_t got;

    assert_true(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0);
    memset(part, 'x', sizeof(part));
    while (body_len > 0) {
        size_t step = body_len < sizeof(part) ? body_len : sizeof(part);
        if (send(fd, part, step, MSG_NOSIGNAL) < 0)
            break;
        body_len -= step;
    }
    an_buf_reset(answer);
    while ((got = recv(fd, part, sizeof(part), 0)) > 0)
        an_buf_append(answer, AN_BYTES(part, (size_t)got));
    an_buf_byte(answer, 0);
    close(fd);
}

#define END "Host: a\r\nConnection: close\r\n\r\n"

static void
requests_are_answered(void **state)
{
    static const struct { const char *request; size_t body; const char *want[3], *unwanted; } table[] = {
        {"GET /echo HTTP/1.1\r\n" END, 0, {" 200 OK", "GET|||127.0.0.1", "no-store"}, "Injected"},
        {"GET /echo?q=a%20b+c&r=1 HTTP/1.1\r\n" END, 0, {" 200 ", "|q=a b c", "Connection: close"}, NULL},
        {"GET /echo?x=1 HTTP/1.1\r\n" END, 0, {" 200 ", "127.0.0.1", "Date: "}, "q="},
        {"\r\nGET /echo HTTP/1.1\r\n" END, 0, {" 200 ", "", ""}, NULL},
        {"GET /echo HTTP/1.0\r\n\r\n", 0, {" 200 ", "Connection: close", ""}, NULL},
        {"POST /echo HTTP/1.1\r\nContent-Type: a/b\r\nContent-Length: 5\r\n" END "hello", 0, {" 200 ", "POST|a/b|hello", "text/plain"}, NULL},
        {"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: 1\r\n\r\n", 0, {" 200 ", "POST||hello", ""}, NULL},
        {"POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n" END "ab", 0, {"HTTP/1.1 100 Continue\r\n\r\n", " 200 ", "POST||ab"}, NULL},
        {"GET /crl/a%20b.crl HTTP/1.1\r\n" END, 0, {" 200 ", "max-age=3600", "\r\n\r\nCRL"}, NULL},
        {"GET /crl/a%20b.crl HTTP/1.1\r\nIf-None-Match: \"x\", \"n7\"\r\n" END, 0, {" 304 ", "ETag: \"n7\"", "max-age"}, "CRL"},
        {"GET /crl/a%20b.crl HTTP/1.1\r\nIf-None-Match: \"n8\"\r\n" END, 0, {" 200 ", "CRL", ""}, NULL},
        {"GET /crl/a%20b.crl HTTP/1.1\r\nIf-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\n" END, 0, {" 304 ", "", ""}, "CRL"},
        {"GET /crl/other HTTP/1.1\r\n" END, 0, {" 404 ", "", ""}, NULL},
        {"GET /crl HTTP/1.1\r\n" END, 0, {" 404 ", "", ""}, NULL},
        {"GET /crl/%zz HTTP/1.1\r\n" END, 0, {" 400 ", "", ""}, NULL},
        {"GET /crl/%00 HTTP/1.1\r\n" END, 0, {" 400 ", "", ""}, NULL},
        {"GET /empty HTTP/1.1\r\n" END, 0, {" 204 ", "", ""}, "Content-Length"},
        {"GET /overflow HTTP/1.1\r\n" END, 0, {" 500 ", "Internal error", ""}, "too long"},
        {"GET /quick/known HTTP/1.1\r\nHost: a\r\n\r\nGET /quick/other HTTP/1.1\r\n" END, 0, {"X-From: memory\r\nContent-Type: text/x\r\nContent-Length: 7\r\n\r\nat once", "GET||", ""}, NULL},
        {"POST /quick/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nknownGET /echo HTTP/1.1\r\n" END, 0, {"at once", "GET||", ""}, "POST"},
        {"HEAD /quick/known HTTP/1.1\r\n" END, 0, {" 200 ", "", ""}, "at once"},
        {"DELETE /echo HTTP/1.1\r\n" END, 0, {" 405 ", "Allow: GET, HEAD, POST", ""}, NULL},
        {"PATCH /crl/x HTTP/1.1\r\n" END, 0, {" 405 ", "Allow: GET, HEAD\r\n", ""}, NULL},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 1048577, {" 413 ", "Connection: close", ""}, NULL},
        {"POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n", 20, {" 413 ", "", ""}, NULL},
        {"POST /echo HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n" END "hello", 0, {" 400 ", "", ""}, "POST|"},
        {"POST /echo HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n" END "0\r\n\r\n", 0, {" 400 ", "", ""}, "POST|"},
        {"POST /echo HTTP/1.1\r\nContent-Length: +5\r\n" END "hello", 0, {" 400 ", "", ""}, "POST|"},
        {"POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" END "0\r\n\r\n", 0, {" 501 ", "", ""}, "POST|"},
        {"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END "x\r\n", 0, {" 400 ", "", ""}, "POST|"},
        {"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END "2 ;x\r\nhe\r\n0\r\n\r\n", 0, {" 200 ", "POST||he", ""}, NULL},
        {"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END "2 \r\nhe\r\n0\r\n\r\n", 0, {" 400 ", "", ""}, "POST|"},
        {"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END "2 3\r\nhe\r\n0\r\n\r\n", 0, {" 400 ", "", ""}, "POST|"},
        {"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END " 2\r\nhe\r\n0\r\n\r\n", 0, {" 400 ", "", ""}, "POST|"},
        {"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END ";x\r\nhe\r\n0\r\n\r\n", 0, {" 400 ", "", ""}, "POST|"},
        {"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END "2\r\nabc\r\n", 0, {" 400 ", "", ""}, "POST|"},
        {"GET /echo HTTP/1.1\r\nConnection: close\r\n\r\n", 0, {" 400 ", "", ""}, "GET|"},
        {"GET /echo HTTP/1.1\r\nHost : a\r\n" END, 0, {" 400 ", "", ""}, "GET|"},
        {"GET /echo HTTP/1.1\r\nX: a\r\n continued\r\n" END, 0, {" 400 ", "", ""}, "GET|"},
        {"GET /echo HTTP/1.1\nHost: a\r\n\r\n", 0, {" 400 ", "", ""}, "GET|"},
        {"GET http://a/echo HTTP/1.1\r\n" END, 0, {" 400 ", "", ""}, "GET|"},
        {"GET /echo HTTP/2.0\r\n" END, 0, {" 505 ", "", ""}, "GET|"},
    };
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(10000000);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        talk(table[i].request, table[i].body, &answer);
        for (size_t j = 0; j < 3; j++)
            if (strstr((char *)answer.ptr, table[i].want[j]) == NULL)
                fail_msg("row %zu: %s not in\n%.400s", i, table[i].want[j], (char *)answer.ptr);
        if (table[i].unwanted != NULL && strstr((char *)answer.ptr, table[i].unwanted) != NULL)
            fail_msg("row %zu: %s in\n%.400s", i, table[i].unwanted, (char *)answer.ptr);
    }
}

/* Heads that are too long, in their two ways. */
static void
long_heads_are_refused(void **state)
{
    static const struct { const char *before; size_t len; const char *after, *want; } table[] = {
        {"GET /echo?", 9000, " HTTP/1.1\r\n" END, " 414 "}, {"GET /echo?", 20000, "", " 414 "},
        {"GET /echo HTTP/1.1\r\nX: ", 9000, "\r\n" END, " 200 "}, {"GET /echo HTTP/1.1\r\nX: ", 20000, "", " 431 "},
    };
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(100000);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf request = an_buf_new(100000);
        an_buf_str(&request, table[i].before);
        memset(an_buf_extend(&request, table[i].len), 'x', table[i].len);
        an_buf_str(&request, table[i].after);
        an_buf_byte(&request, 0);
        talk((const char *)request.ptr, 0, &answer);
        if (strstr((char *)answer.ptr, table[i].want) == NULL)
            fail_msg("row %zu: %.200s", i, (char *)answer.ptr);
    }
}

/* A request cut into single bytes is the same request. */
static void
bytes_may_come_one_by_one(void **state)
{
    static const char request[] = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /quick/known HTTP/1.1\r\n" END;
    char answer[2000];
    size_t have = 0;
    ssize_t got;
    int fd = dial();

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(request); i++)
        assert_int_equal(send(fd, request + i, 1, MSG_NOSIGNAL), 1);
    while (have + 1 < sizeof(answer) && (got = recv(fd, answer + have, sizeof(answer) - have - 1, 0)) > 0)
        have += (size_t)got;
    close(fd);
    answer[have] = '\0';
    assert_non_null(strstr(answer, "POST||abc"));
    assert_non_null(strstr(answer, "GET||"));
}

static void
files_are_sent_whole(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(10000000);
    const char *body;

    (void)state;
    talk("GET /big HTTP/1.1\r\nHost: a\r\n\r\nGET /echo HTTP/1.1\r\n" END, 0, &answer);
    body = strstr((char *)answer.ptr, "\r\n\r\n");
    assert_non_null(body);
    assert_true(answer.len > BIG_BYTES);
    for (size_t i = 0; i < BIG_BYTES; i++)
        if (body[4 + i] != (char)('a' + i % 23))
            fail_msg("octet %zu", i);
    assert_non_null(strstr(body + 4 + BIG_BYTES, "GET||"));
}

/* While it leaves, everybody who is connected gets one more answer. */
static void
draining_loses_nothing(void **state)
{
    struct an_http_server *leaving = NULL;
    unsigned kept = port;
    struct an_http_setup setup = usual;
    int busy, idle, listener = -1;
    char answer[2000];
    struct an_err err = {0};
    ssize_t got;

    (void)state;
    setup.listen = NULL;
    assert_int_equal(an_http_listen("127.0.0.1:0", &listener, &port, &err), AN_OK);
    setup.listen_fd = listener;
    assert_int_equal(an_http_server_start(&setup, &leaving, NULL, &err), AN_OK);
    busy = dial();
    idle = dial();
    assert_true(send(busy, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", 32, MSG_NOSIGNAL) > 0);
    assert_true(send(idle, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 32, MSG_NOSIGNAL) > 0);
    assert_true(recv(idle, answer, sizeof(answer), 0) > 0);
    usleep(50000);
    an_http_server_drain(leaving);
    usleep(50000);
    assert_true(send(idle, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 32, MSG_NOSIGNAL) > 0);
    got = recv(idle, answer, sizeof(answer) - 1, 0);
    answer[got > 0 ? got : 0] = '\0';
    assert_non_null(strstr(answer, "Connection: close"));
    got = recv(busy, answer, sizeof(answer) - 1, 0);
    answer[got > 0 ? got : 0] = '\0';
    assert_non_null(strstr(answer, "slow"));
    assert_int_equal(recv(idle, answer, sizeof(answer), 0), 0);
    close(busy);
    close(idle);
    for (int i = 0; i < 500 && !an_http_server_is_empty(leaving); i++)
        usleep(10000);
    assert_true(an_http_server_is_empty(leaving));
    an_http_server_stop(&leaving);
    close(listener);
    port = kept;
}

/* One process follows another on one socket, each with its own descriptor: whoever connects meanwhile is answered by one of them. */
static void
successors_take_every_connection(void **state)
{
    enum { ROUNDS = 40, ASKERS = 4 };
    unsigned kept = port;
    int listener = -1, answered = 0, own = -1;
    struct an_http_server *serving = NULL;
    struct an_err err = {0};

    (void)state;
    assert_int_equal(an_http_listen("127.0.0.1:0", &listener, &port, &err), AN_OK);
    for (int round = 0; round < ROUNDS; round++) {
        struct an_http_setup setup = usual;
        struct an_http_server *before = serving;
        int asking, own_before = own;
        own = dup(listener);
        setup.listen = NULL;
        setup.listen_fd = own;
        assert_int_equal(an_http_server_start(&setup, &serving, NULL, &err), AN_OK);
        if (before != NULL) {
            an_http_server_drain(before);
            close(own_before);
        }
        for (int i = 0; i < ASKERS; i++) {
            char answer[500];
            asking = dial();
            assert_true(send(asking, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 32, MSG_NOSIGNAL) > 0);
            answered += recv(asking, answer, sizeof(answer), 0) > 0;
            close(asking);
        }
        an_http_server_stop(&before);
    }
    an_http_server_drain(serving);
    close(own);
    an_http_server_stop(&serving);
    close(listener);
    port = kept;
    assert_int_equal(answered, ROUNDS * ASKERS);
}

/* What a proxy says is believed when the proxy is known. */
static void
proxies_are_known(void **state)
{
    static const char both[] = "X-Forwarded-For: 1.2.3.4, 203.0.113.9\r\nX-Client-Cert: abc\r\n";
    static const struct { const char *trusted, *certs, *lines, *want[2]; } table[] = {
        {NULL, NULL, both, {"|127.0.0.1", "X-Cert: none"}},
        {"10.0.0.1", "10.0.0.1", both, {"|127.0.0.1", "X-Cert: none"}},
        {"10.0.0.1 127.0.0.1", NULL, both, {"|203.0.113.9", "X-Cert: none"}},
        {"127.0.0.1", "10.0.0.1", both, {"|203.0.113.9", "X-Cert: none"}},
        {"127.0.0.1", "127.0.0.1", both, {"|203.0.113.9", "X-Cert: seen"}},
        {NULL, "127.0.0.1", both, {"|127.0.0.1", "X-Cert: seen"}},
        /* a stranger's own line in front of the proxy's */
        {"127.0.0.1", "127.0.0.1", "X-Forwarded-For: 127.0.0.1\r\nX-Client-Cert: a\r\nX-Forwarded-For: 203.0.113.9\r\nx-client-CERT: b\r\n",
         {"|203.0.113.9", "X-Cert: none"}},
        {NULL, NULL, "X-Forwarded-Proto: https\r\n", {"X-Proto: none", "X-Way: passed on by a stranger"}},
        {"127.0.0.1", NULL, "X-Forwarded-Proto: https\r\n", {"X-Proto: https", "X-Way: passed on by ours"}},
        {"127.0.0.1", NULL, "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n", {"X-Proto: none", "X-Way: passed on by ours"}},
        {NULL, NULL, "Via: 1.1 proxy\r\n", {"X-Proto: none", "X-Way: passed on by a stranger"}},
        {NULL, NULL, "X-Forwarded-Fo: 1.1.1.1\r\n", {"|127.0.0.1", "X-Way: direct"}},
    };
    unsigned kept = port;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(10000);
        struct an_http_server *other = NULL;
        struct an_http_setup setup = usual;
        struct an_err err = {0};
        AN_CLEANUP(an_free_ptr) char *request = an_asprintf("GET /echo HTTP/1.1\r\n%s" END, table[i].lines);
        setup.trusted = table[i].trusted;
        setup.trusted_certs = table[i].certs;
        assert_int_equal(an_http_server_start(&setup, &other, &port, &err), AN_OK);
        talk(request, 0, &answer);
        for (size_t j = 0; j < 2; j++)
            if (strstr((char *)answer.ptr, table[i].want[j]) == NULL)
                fail_msg("row %zu: %.400s", i, (char *)answer.ptr);
        an_http_server_stop(&other);
    }
    port = kept;
}

/* Half a body in each of many connections: those who began first give way, memory stays bounded, and who comes last is served. */
static void
half_bodies_give_way(void **state)
{
    enum { MANY = 100, WHOLE = 1000000, HALF = 900000 };
    static char half[HALF];
    static const char head[] = "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n";
    int fds[MANY], ended = 0;
    char answer[200];
    ssize_t got;

    (void)state;
    memset(half, 'x', sizeof(half));
    for (int i = 0; i < MANY; i++) {
        fds[i] = dial();
        assert_int_equal(send(fds[i], head, sizeof(head) - 1, MSG_NOSIGNAL), sizeof(head) - 1);
        assert_int_equal(send(fds[i], half, HALF, MSG_NOSIGNAL), HALF);
    }
    for (int tries = 0; tries < 100 && ended < MANY - 64; tries++) { /* as soon as the last ones are read */
        usleep(100000);
        ended = 0;
        for (int i = 0; i < MANY - 1; i++)
            ended += recv(fds[i], answer, sizeof(answer), MSG_DONTWAIT | MSG_PEEK) >= 0 || errno != EAGAIN;
    }
    assert_in_range(ended, MANY - 64, MANY - 10); /* 64 MB hold no more than 64 of them */
    assert_int_equal(send(fds[MANY - 1], half, WHOLE - HALF, MSG_NOSIGNAL), WHOLE - HALF);
    got = recv(fds[MANY - 1], answer, sizeof(answer) - 1, 0);
    answer[got > 0 ? got : 0] = '\0';
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
}

static void
counters_count(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(100000);

    (void)state;
    an_http_server_metrics(server, &text);
    an_buf_byte(&text, 0);
    assert_non_null(strstr((char *)text.ptr, "antin_http_requests_total{route=\"/echo\",status=\"2xx\"} "));
    assert_non_null(strstr((char *)text.ptr, "antin_http_requests_total{route=\"\",status=\"4xx\"} "));
    assert_non_null(strstr((char *)text.ptr, "antin_http_seconds_count{route=\"/echo\"} "));
}

static void
what_is_no_http_reaches_nobody(void **state)
{
    static const char *const table[] = {"garbage\r\n\r\n", "\r\n\r\n\r\n", "\x16\x03\x01\x02",
                                        "GET /echo HTTP/9.9\r\n\r\n", "GET /echo HTTP/1.1\r\nHost: a\r\n"};
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(10000);
    unsigned before = calls_made;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        int fd = dial();
        assert_true(send(fd, table[i], strlen(table[i]), MSG_NOSIGNAL) > 0);
        shutdown(fd, SHUT_WR);
        usleep(10000);
        close(fd);
    }
    assert_int_equal(calls_made, before);
    talk("GET /echo HTTP/1.0\r\n\r\n", 0, &answer); /* and the server is still there */
    assert_non_null(strstr((char *)answer.ptr, "GET||"));
    assert_int_equal(calls_made, before + 1);
}

static void
head_has_no_body(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(10000);

    (void)state;
    talk("HEAD /crl/a%20b.crl HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0, &answer);
    assert_non_null(strstr((char *)answer.ptr, "Content-Length: 3"));
    assert_null(strstr((char *)answer.ptr, "CRL"));
}

static void
many_connections_are_served(void **state)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(10000);
    int idle[300];

    (void)state;
    for (size_t i = 0; i < AN_COUNT(idle); i++)
        idle[i] = dial(); /* those who say nothing, or half of it, hold nobody up */
    for (size_t i = 0; i < AN_COUNT(idle); i += 2)
        assert_true(send(idle[i], "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf", i % 4 ? 52 : 20, MSG_NOSIGNAL) > 0);
    for (int i = 0; i < 200; i++) {
        talk("GET /echo HTTP/1.0\r\n\r\n", 0, &answer);
        assert_non_null(strstr((char *)answer.ptr, "GET||"));
    }
    for (size_t i = 0; i < AN_COUNT(idle); i++)
        close(idle[i]);
}

/* While every worker is busy, requests of one route gather; each still gets its own answer. */
static void
what_waits_is_carried_out_together(void **state)
{
    int slow[3], many[50];
    char text[128], want[16];

    (void)state;
    for (size_t i = 0; i < AN_COUNT(slow); i++) {
        slow[i] = dial();
        assert_true(send(slow[i], "GET /slow HTTP/1.1\r\n" END, strlen("GET /slow HTTP/1.1\r\n" END), MSG_NOSIGNAL) > 0);
    }
    for (size_t i = 0; i < AN_COUNT(many); i++) {
        int len = snprintf(text, sizeof(text), "GET /together?%zu HTTP/1.1\r\n" END, i);
        many[i] = dial();
        assert_true(send(many[i], text, (size_t)len, MSG_NOSIGNAL) == len);
    }
    for (size_t i = 0; i < AN_COUNT(many); i++) {
        char answer[512] = "";
        size_t have = 0;
        for (ssize_t got; have + 1 < sizeof(answer) && (got = recv(many[i], answer + have, sizeof(answer) - 1 - have, 0)) > 0;)
            have += (size_t)got;
        snprintf(want, sizeof(want), "<%zu>", i);
        assert_non_null(strstr(answer, want));
        close(many[i]);
    }
    for (size_t i = 0; i < AN_COUNT(slow); i++)
        close(slow[i]);
    assert_true(most_together > 1);
}

static void
addresses_are_checked(void **state)
{
    static const char *const wrong[] = {"",           "127.0.0.1",       "localhost:0",   ":80",
                                        "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:x",   "[::1:80",
                                        "[]:80",      "1.2.3.4.5:80",    "203.0.113.7:80"};
    struct an_http_server *other = NULL;
    struct an_http_setup setup = usual;
    struct an_err err = {0};
    unsigned other_port = 0;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(wrong); i++) {
        setup.listen = wrong[i];
        if (an_http_server_start(&setup, &other, &other_port, &err) != AN_E_HTTP_LISTEN)
            fail_msg("%s", wrong[i]);
    }
    setup.listen = "[::1]:0";
    if (an_http_server_start(&setup, &other, &other_port, NULL) == AN_OK) /* where there is IPv6 */
        assert_true(other_port != 0);
    an_http_server_stop(&other);
    an_http_server_stop(&other);
}

static int
set_up(void **state)
{
    struct an_err err = {0};

    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/antin-http-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(big_path, sizeof(big_path), "%s/big", folder);
    FILE *file = fopen(big_path, "we");
    for (int i = 0; file != NULL && i < BIG_BYTES; i++)
        fputc('a' + i % 23, file);
    if (file == NULL || fclose(file) != 0)
        return -1;
    if (an_http_server_start(&usual, &server, &port, &err) == AN_OK && port != 0)
        return 0;
    print_message("%s\n", err.detail);
    return -1;
}

static int
tear_down(void **state)
{
    (void)state;
    an_http_server_stop(&server);
    unlink(big_path);
    rmdir(folder);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(long_heads_are_refused),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(files_are_sent_whole),
        cmocka_unit_test(draining_loses_nothing),
        cmocka_unit_test(successors_take_every_connection),
        cmocka_unit_test(half_bodies_give_way), cmocka_unit_test(proxies_are_known),
        cmocka_unit_test(counters_count),
        cmocka_unit_test(what_is_no_http_reaches_nobody),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(many_connections_are_served),
        cmocka_unit_test(what_waits_is_carried_out_together),
        cmocka_unit_test(addresses_are_checked),
    };

    return cmocka_run_group_tests_name("http", tests, set_up, tear_down);
}
