/* Running clients, and the server that they speak to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"

#include "base/file.h"

char test_folder[128];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool
test_run(const char *fmt, ...)
{
    char line[4000];
    AN_CLEANUP(an_free_ptr) char *command = NULL;
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    command = an_asprintf("cd '%s' && (%s) > out 2>&1", test_folder, line);
    return system(command) == 0;
}

void
test_read(const char *name, struct an_buf *ret)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", test_folder, name);
    struct an_err err = {0};

    if (an_file_read(path, 1 << 20, ret, &err) != AN_OK)
        fail_msg("%s: %s", name, err.detail);
}

bool
test_output_has(const char *text)
{
    AN_CLEANUP(an_buf_free) struct an_buf out = an_buf_new(1 << 20);

    test_read("out", &out);
    if (an_bytes_find(an_buf_view(&out), an_bytes_of_str(text), 0) != SIZE_MAX)
        return true;
    print_message("not in the output: %s\n%.*s\n", text, AN_FMT(an_buf_view(&out)));
    return false;
}

struct an_cert *
test_cert(const char *name)
{
    AN_CLEANUP(an_buf_free) struct an_buf pem = an_buf_new(1 << 20);
    struct an_certs certs = {0};
    struct an_cert *cert;

    test_read(name, &pem);
    assert_int_equal(an_certs_read(&certs, an_buf_view(&pem), NULL), AN_OK);
    cert = an_cert_ref(certs.items[0]);
    an_certs_done(&certs);
    return cert;
}

/* ---- the server ---- */
static const struct an_enrol_host *served;
static int listener;

/* Head and body of one request; the body's length, or -1. */
static ssize_t
read_request(int fd, char *head, size_t head_size, char **ret_body)
{
    size_t have = 0;
    char *end = NULL, *length;
    size_t wanted = 0;

    while (have < head_size - 1) {
        ssize_t got = recv(fd, head + have, head_size - 1 - have, 0);
        if (got <= 0)
            return -1;
        have += (size_t)got;
        head[have] = '\0';
        end = end != NULL ? end : memmem(head, have, "\r\n\r\n", 4);
        if (end == NULL)
            continue;
        *end = '\0';
        length = strcasestr(head, "\r\nContent-Length:");
        wanted = length != NULL ? (size_t)strtoul(length + 17, NULL, 10) : 0;
        *end = '\r';
        if (have >= (size_t)(end - head) + 4 + wanted)
            break;
    }
    if (end == NULL)
        return -1;
    *end = '\0';
    *ret_body = end + 4;
    return (ssize_t)wanted;
}

static void
header_of(const char *head, const char *name, char *ret, size_t size)
{
    const char *at = strcasestr(head, name);

    ret[0] = '\0';
    if (at != NULL)
        snprintf(ret, size, "%.*s", (int)strcspn(at + strlen(name), "\r"), at + strlen(name));
}

static void
send_all(int fd, an_bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t put = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (put <= 0)
            return;
        bytes = an_bytes_slice(bytes, (size_t)put, SIZE_MAX);
    }
}

static void
answer_cmp(int fd, an_bytes body)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(1 << 20);
    AN_CLEANUP(an_buf_free) struct an_buf head = an_buf_new(1000);
    struct an_err err = {0};
    bool is_answered = an_cmp_answer(served, body, "127.0.0.1", an_time_now(), &answer, NULL, &err) == AN_OK;

    an_buf_printf(&head, "HTTP/1.1 %s\r\nContent-Type: application/pkixcmp\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                  is_answered ? "200 OK" : "400 Bad Request", is_answered ? answer.len : 0);
    send_all(fd, an_buf_view(&head));
    if (is_answered)
        send_all(fd, an_buf_view(&answer));
}

/* "X-Client: NAME" stands for the certificate DIR/NAME.pem of the connection. */
static void
answer_est(int fd, const char *head, an_bytes body)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(1 << 20);
    struct an_est_answer answer = {.body = an_buf_new(1 << 20)};
    char path[200] = "", type[100], authorization[200], client[60], file[70];
    struct an_cert *cert = NULL;

    if (sscanf(head, "%*s %199s", path) != 1)
        return;
    header_of(head, "\r\nContent-Type: ", type, sizeof(type));
    header_of(head, "\r\nAuthorization: ", authorization, sizeof(authorization));
    header_of(head, "\r\nX-Client: ", client, sizeof(client));
    snprintf(file, sizeof(file), "%s.pem", client);
    if (client[0] != '\0')
        cert = test_cert(file);
    an_est_answer(served,
                  &(struct an_est_request){.operation = an_est_operation_of(path), .is_post = strncmp(head, "POST", 4) == 0, .content_type = type,
                                           .body = body, .authorization = authorization, .client = cert, .peer = "127.0.0.1"},
                  an_time_now(), &answer);
    an_buf_printf(&text, "HTTP/1.1 %u X\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\nRetry-After: %u\r\n\r\n", answer.status,
                  answer.content_type, answer.body.len, answer.retry_after_s);
    an_buf_append(&text, an_buf_view(&answer.body));
    send_all(fd, an_buf_view(&text));
    an_buf_free(&answer.body);
    an_cert_unref(&cert);
}

static void *
serve(void *context)
{
    static char head[1 << 18];

    (void)context;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        char *body = NULL;
        ssize_t len = read_request(fd, head, sizeof(head), &body);
        pthread_mutex_lock(&lock);
        if (len >= 0 && strstr(head, "/est") != NULL)
            answer_est(fd, head, AN_BYTES(body, (size_t)len));
        else if (len >= 0)
            answer_cmp(fd, AN_BYTES(body, (size_t)len));
        pthread_mutex_unlock(&lock);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
    return NULL;
}

unsigned
test_serve(const struct an_enrol_host *host)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    pthread_t thread;

    served = host;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, len) != 0 || getsockname(listener, (struct sockaddr *)&address, &len) != 0 ||
        listen(listener, 50) != 0 || pthread_create(&thread, NULL, serve, NULL) != 0)
        abort();
    pthread_detach(thread);
    return ntohs(address.sin_port);
}
