/*
 * A small HTTP server: one thread, one handler, for a loopback service (time-stamps, CRLs, certificates, status
 * answers). Home of libmicrohttpd.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct an_http_request { /* valid during the call */
    const char *method; /* "GET" (HEAD comes as GET) or "POST" */
    const char *path;   /* percent-decoded, without the query; starts with "/" */
    const char *content_type; /* of the body; "" when not said */
    an_bytes body;
};

struct an_http_answer {
    unsigned status;          /* 404 unless the handler says otherwise */
    const char *content_type; /* NULL = application/octet-stream; a text that outlives the call */
    struct an_buf body;       /* at most AN_LIMIT_MESSAGE_BYTES unless the handler puts in a buffer of its own */
    uint32_t cache_seconds;   /* how long the answer is fresh; 0 = no-store */
};

/* Called by the server's thread, never by two at a time. */
typedef void (*an_http_handler_fn)(void *context, const struct an_http_request *request, struct an_http_answer *answer);

struct an_http_server;
/* listen: a numeric address and a port, "127.0.0.1:0" or "[::1]:8080"; port 0 = any free one, see ret_port.
 * AN_E_HTTP_LISTEN. Bodies above 1 MB are answered 413, other methods 405, idle connections closed after 15 s. */
an_code an_http_server_start(const char *listen, an_http_handler_fn handle, void *context, struct an_http_server **ret,
                             unsigned *ret_port, struct an_err *reterr) AN_MUST_USE;
void an_http_server_stop(struct an_http_server **server); /* requests in hand are finished */
