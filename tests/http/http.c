/* http/: asked through plain sockets. */
#include "http/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>

static struct an_http_server *server;
static unsigned port, calls_made;

static void
handle(void *context, const struct an_http_request *request, struct an_http_answer *answer)
{
    *(unsigned *)context += 1;
    if (strcmp(request->path, "/echo") == 0) {
        answer->status = 200;
        answer->content_type = "text/plain";
        an_buf_printf(&answer->body, "%s|%s|%.*s", request->method, request->content_type, AN_FMT(request->body));
    } else if (strcmp(request->path, "/crl/a b.crl") == 0) {
        answer->status = 200;
        answer->content_type = "application/pkix-crl";
        answer->cache_seconds = 3600;
        an_buf_str(&answer->body, "CRL");
    } else if (strcmp(request->path, "/overflow") == 0) {
        answer->status = 200;
        an_buf_free(&answer->body);
        answer->body = an_buf_new(3);
        an_buf_str(&answer->body, "too long");
    } else if (strcmp(request->path, "/empty") == 0) {
        answer->status = 204;
    }
}

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

static void
requests_are_answered(void **state)
{
    static const struct { const char *request; size_t body; const char *want[3];
    } table[] = {
        {"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0, {" 200 ", "GET||", "no-store"}},
        {"GET /echo?q=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0, {" 200 ", "GET||", ""}},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
         0,
         {" 200 ", "POST|a/b|hello", "text/plain"}},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: "
         "close\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
         0,
         {" 200 ", "POST||hello", ""}},
        {"GET /crl/a%20b.crl HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
         0,
         {" 200 ", "max-age=3600", "\r\n\r\nCRL"}},
        {"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0, {" 404 ", "", ""}},
        {"GET /empty HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0, {" 204 ", "", ""}},
        {"GET /overflow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0, {" 500 ", "", ""}},
        {"DELETE /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0, {" 405 ", "Allow: GET", ""}},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\nConnection: close\r\n\r\n",
         1048577,
         {" 413 ", "", ""}},
    };
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(10000000);

    (void)state;
    for (size_t i = 0; i < AN_COUNT(table); i++) {
        talk(table[i].request, table[i].body, &answer);
        for (size_t j = 0; j < 3; j++)
            if (strstr((char *)answer.ptr, table[i].want[j]) == NULL)
                fail_msg("row %zu: %s not in\n%.400s", i, table[i].want[j], (char *)answer.ptr);
    }
}

static void
what_is_no_http_reaches_nobody(void **state)
{
    static const char *const table[] = {"garbage\r\n\r\n", "\r\n\r\n\r\n", "\x16\x03\x01\x02",
                                        "GET /echo HTTP/9.9\r\n\r\n"};
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
    int idle[100];

    (void)state;
    for (size_t i = 0; i < AN_COUNT(idle); i++)
        idle[i] = dial(); /* those who say nothing hold nobody up */
    for (int i = 0; i < 200; i++) {
        talk("GET /echo HTTP/1.0\r\n\r\n", 0, &answer);
        assert_non_null(strstr((char *)answer.ptr, "GET||"));
    }
    for (size_t i = 0; i < AN_COUNT(idle); i++)
        close(idle[i]);
}

static void
addresses_are_checked(void **state)
{
    static const char *const wrong[] = {"",           "127.0.0.1",       "localhost:0",   ":80",
                                        "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:x",   "[::1:80",
                                        "[]:80",      "1.2.3.4.5:80",    "203.0.113.7:80"};
    struct an_http_server *other = NULL;
    struct an_err err = {0};
    unsigned calls = 0, other_port = 0;

    (void)state;
    for (size_t i = 0; i < AN_COUNT(wrong); i++)
        if (an_http_server_start(wrong[i], handle, &calls, &other, &other_port, &err) != AN_E_HTTP_LISTEN)
            fail_msg("%s", wrong[i]);
    if (an_http_server_start("[::1]:0", handle, &calls, &other, &other_port, NULL) == AN_OK) /* where there is IPv6 */
        assert_true(other_port != 0);
    an_http_server_stop(&other);
    an_http_server_stop(&other);
}

static int
set_up(void **state)
{
    struct an_err err = {0};

    (void)state;
    if (an_http_server_start("127.0.0.1:0", handle, &calls_made, &server, &port, &err) == AN_OK && port != 0)
        return 0;
    print_message("%s\n", err.detail);
    return -1;
}

static int
tear_down(void **state)
{
    (void)state;
    an_http_server_stop(&server);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(what_is_no_http_reaches_nobody),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(many_connections_are_served),
        cmocka_unit_test(addresses_are_checked),
    };

    return cmocka_run_group_tests_name("http", tests, set_up, tear_down);
}
