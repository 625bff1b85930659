#include "http/http.h"

#include "base/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#define HTTP_BODY_BYTES_MAX ((size_t)1024 * 1024) /* a time-stamp or status request is under 1 kB */
#define HTTP_CONNECTIONS_MAX 256u
#define HTTP_IDLE_SECONDS 15u

struct an_http_server {
    struct MHD_Daemon *daemon;
    an_http_handler_fn handle;
    void *context;
};

/* One request while its body comes in. */
struct incoming {
    struct an_buf body;
};

static bool
parse_port(an_bytes text, in_port_t *ret)
{
    unsigned long port = 0;

    if (text.len < 1 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        port = port * 10 + (unsigned long)(text.ptr[i] - '0');
    }
    *ret = htons((in_port_t)port);
    return port <= 65535;
}

static bool
parse_listen(const char *listen, struct sockaddr_storage *ret)
{
    an_bytes text = an_bytes_of_str(listen);
    size_t colon = an_bytes_rfind(text, AN_LIT(":"));
    bool is_v6 = text.len > 0 && text.ptr[0] == '[';
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    char host[INET6_ADDRSTRLEN] = "";
    in_port_t port = 0;

    if (colon == SIZE_MAX || colon >= sizeof(host) || !parse_port(an_bytes_slice(text, colon + 1, SIZE_MAX), &port))
        return false;
    memset(ret, 0, sizeof(*ret));
    if (is_v6) {
        if (colon < 3 || text.ptr[colon - 1] != ']')
            return false;
        memcpy(host, text.ptr + 1, colon - 2);
        v6.sin6_port = port;
        memcpy(ret, &v6, sizeof(v6));
        return inet_pton(AF_INET6, host, &((struct sockaddr_in6 *)ret)->sin6_addr) == 1;
    }
    memcpy(host, text.ptr, colon);
    v4.sin_port = port;
    memcpy(ret, &v4, sizeof(v4));
    return inet_pton(AF_INET, host, &((struct sockaddr_in *)ret)->sin_addr) == 1;
}

static enum MHD_Result
send_answer(struct MHD_Connection *connection, struct an_http_answer *answer)
{
    char cache[40];
    enum MHD_Result result;
    /* The server frees what malloc gave; an empty body has nothing to free. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->body.len, answer->body.ptr, answer->body.len ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);

    if (response == NULL) {
        an_buf_free(&answer->body);
        return MHD_NO;
    }
    if (answer->body.len == 0)
        an_buf_free(&answer->body);
    if (answer->cache_seconds > 0)
        snprintf(cache, sizeof(cache), "public, max-age=%u", answer->cache_seconds);
    else
        snprintf(cache, sizeof(cache), "no-store");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            answer->content_type ? answer->content_type : "application/octet-stream");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST");
    result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
send_status(struct MHD_Connection *connection, unsigned status)
{
    struct an_http_answer answer = {.status = status, .content_type = "text/plain", .body = an_buf_new(100)};

    an_buf_printf(&answer.body, "%u\n", status);
    return send_answer(connection, &answer);
}

static enum MHD_Result
answer_request(const struct an_http_server *server, struct MHD_Connection *connection,
               const struct an_http_request *request)
{
    struct an_http_answer answer = {.status = MHD_HTTP_NOT_FOUND, .body = an_buf_new(AN_LIMIT_MESSAGE_BYTES)};

    server->handle(server->context, request, &answer);
    if (an_buf_ok(&answer.body) && answer.status >= 200 && answer.status <= 599)
        return send_answer(connection, &answer);
    an_buf_free(&answer.body);
    return send_status(connection, MHD_HTTP_INTERNAL_SERVER_ERROR);
}

/* Called once when the head is there, then for every part of the body, then once more at its end. */
static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *path, const char *method, const char *version,
           const char *upload, size_t *upload_len, void **state)
{
    struct incoming *incoming = *state;
    const char *type;
    bool is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;

    (void)version;
    if (incoming == NULL) {
        incoming = AN_NEW(struct incoming);
        incoming->body = an_buf_new(HTTP_BODY_BYTES_MAX);
        *state = incoming;
        return MHD_YES;
    }
    if (*upload_len > 0) {
        an_buf_append(&incoming->body,
                      AN_BYTES(upload, *upload_len)); /* what is too much is forgotten, and answered below */
        *upload_len = 0;
        return MHD_YES;
    }
    if (!an_buf_ok(&incoming->body))
        return send_status(connection, MHD_HTTP_CONTENT_TOO_LARGE);
    if (!is_get && strcmp(method, "POST") != 0)
        return send_status(connection, MHD_HTTP_METHOD_NOT_ALLOWED);
    type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    return answer_request(context, connection,
                          &(struct an_http_request){.method = is_get ? "GET" : "POST",
                                                    .path = path,
                                                    .content_type = type ? type : "",
                                                    .body = an_buf_view(&incoming->body)});
}

static void
on_end(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode how)
{
    struct incoming *incoming = *state;

    (void)context, (void)connection, (void)how;
    if (incoming != NULL)
        an_buf_free(&incoming->body);
    free(incoming);
    *state = NULL;
}

static struct MHD_Daemon *
start_daemon(struct an_http_server *server, const struct sockaddr_storage *address)
{
    unsigned flags =
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | (address->ss_family == AF_INET6 ? MHD_USE_IPv6 : 0u);

    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server,
                            MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)address,
                            MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
                            MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_SECONDS,
                            MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
}

an_code
an_http_server_start(const char *listen, an_http_handler_fn handle, void *context, struct an_http_server **ret,
                     unsigned *ret_port, struct an_err *reterr)
{
    struct sockaddr_storage address;
    struct an_http_server *server;
    const union MHD_DaemonInfo *port;

    if (!parse_listen(listen, &address))
        AN_FAIL(reterr, AN_E_HTTP_LISTEN, "%s: not address:port", listen);
    server = AN_NEW(struct an_http_server);
    *server = (struct an_http_server){.handle = handle, .context = context};
    server->daemon = start_daemon(server, &address);
    if (server->daemon == NULL) {
        free(server);
        return an_err_set_errno(reterr, AN_E_HTTP_LISTEN, errno, "%s", listen);
    }
    port = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    if (ret_port != NULL)
        *ret_port = port != NULL ? port->port : 0;
    *ret = server;
    return AN_OK;
}

void
an_http_server_stop(struct an_http_server **server)
{
    if (*server == NULL)
        return;
    MHD_stop_daemon((*server)->daemon);
    free(*server);
    *server = NULL;
}
