#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listener;
static unsigned port;
static char last_request[70000];
static char paths[1000][64];
static size_t path_count;

/* What is sent for a path, word for word. %u is the port. */
static const struct { const char *path, *answer; } answer_table[] = {
    {"/ok",
     "HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"},
    {"/chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n"},
    {"/empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
    {"/nothing", ""},
    {"/garbage", "\x01\x02 this is not HTTP\r\n\r\n"},
    {"/short", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nConnection: close\r\n\r\nhello"},
    {"/missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry"},
    {"/broken", "HTTP/1.1 500 Oh\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry"},
    {"/rate", "HTTP/1.1 429 Slow down\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
    {"/busy", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
    {"/large", "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\nConnection: close\r\n\r\nhello"},
    {"/hop", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
    {"/keep-post", "HTTP/1.1 307 Found\r\nLocation: /echo\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
    {"/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
    {"/to-file",
     "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
    {"/to-private",
     "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%u/ok\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
    {"/fresh", "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 5\r\nConnection: close\r\n\r\nfresh"},
    {"/no-store", "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nETag: \"a\"\r\nContent-Length: 5\r\nConnection: "
                  "close\r\n\r\nstore"},
};

static void
send_text(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t put = send(fd, text, len, MSG_NOSIGNAL);
        if (put <= 0)
            return;
        text += put;
        len -= (size_t)put;
    }
}

static void
send_special(int fd, const char *path, const char *request)
{
    char text[1000];
    const char *body = strstr(request, "\r\n\r\n");

    if (strcmp(path, "/silent") == 0) {
        sleep(5);
    } else if (strcmp(path, "/slow") == 0) {
        send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", 40);
        for (int i = 0; i < 40; i++) {
            send_text(fd, "x", 1);
            usleep(100000);
        }
    } else if (strcmp(path, "/endless") == 0) {
        memset(text, 'x', sizeof(text));
        send_text(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 38);
        for (int i = 0; i < 3000; i++)
            send_text(fd, text, sizeof(text));
    } else if (strcmp(path, "/etag") == 0) {
        bool same = strstr(request, "If-None-Match: \"v1\"") != NULL;
        int len =
            same ? snprintf(text, sizeof(text), "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n")
                 : snprintf(text, sizeof(text),
                            "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 4\r\nConnection: close\r\n\r\netag");
        send_text(fd, text, (size_t)len);
    } else if (strcmp(path, "/echo") == 0 && body != NULL) {
        int len = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                           strlen(body + 4), body + 4);
        send_text(fd, text, (size_t)len);
    }
}

static void
send_answer(int fd, const char *path, const char *request)
{
    for (size_t i = 0; i < sizeof(answer_table) / sizeof(answer_table[0]); i++) {
        char text[1000];
        const char *answer = answer_table[i].answer, *mark = strstr(answer, "%u");
        if (strcmp(answer_table[i].path, path) != 0)
            continue;
        if (mark != NULL)
            snprintf(text, sizeof(text), "%.*s%u%s", (int)(mark - answer), answer, port, mark + 2);
        else
            snprintf(text, sizeof(text), "%s", answer);
        send_text(fd, text, strlen(text));
        return;
    }
    send_special(fd, path, request);
}

static void
read_request(int fd, char *request, size_t size)
{
    size_t have = 0;

    for (;;) {
        char *end, *length;
        ssize_t got = recv(fd, request + have, size - 1 - have, 0);
        if (got <= 0)
            return;
        have += (size_t)got;
        request[have] = '\0';
        if (request[0] == 0x16)
            return; /* TLS is not spoken here */
        end = strstr(request, "\r\n\r\n");
        if (end == NULL)
            continue;
        length = strstr(request, "Content-Length: ");
        if (length == NULL || strlen(end + 4) >= (size_t)atol(length + 16))
            return;
    }
}

static void *
serve_one(void *context)
{
    int fd = *(int *)context;
    char request[70000] = "", path[64] = "";

    free(context);
    read_request(fd, request, sizeof(request));
    if (sscanf(request, "%*s %63s", path) == 1 && path_count < 1000) {
        memcpy(paths[path_count++], path, sizeof(path));
        memcpy(last_request, request, sizeof(request));
        send_answer(fd, path, request);
    }
    shutdown(fd, SHUT_WR);
    close(fd);
    return NULL;
}

static void *
serve(void *context)
{
    (void)context;
    for (;;) {
        pthread_t thread;
        int *one = malloc(sizeof(int));
        *one = accept(listener, NULL, NULL);
        if (pthread_create(&thread, NULL, serve_one, one) == 0)
            pthread_detach(thread);
    }
    return NULL;
}

static int
bind_loopback(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&address, len) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        abort();
    *ret_port = ntohs(address.sin_port);
    return fd;
}

unsigned
server_start(void)
{
    pthread_t thread;

    listener = bind_loopback(&port);
    if (listen(listener, 50) != 0 || pthread_create(&thread, NULL, serve, NULL) != 0)
        abort();
    return port;
}

unsigned
server_closed_port(void)
{
    unsigned closed;

    close(bind_loopback(&closed));
    return closed;
}

const char *
server_last_request(void)
{
    return last_request;
}

unsigned
server_count(const char *path)
{
    unsigned count = 0;

    for (size_t i = 0; i < path_count; i++)
        count += strcmp(paths[i], path) == 0;
    return count;
}
