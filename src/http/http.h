/*
 * The HTTP/1.1 server: a table of routes, a few threads that watch every connection (epoll), others that carry requests
 * out. No TLS: nginx or another proxy stands in front where it is needed (docs/decisions/058-own-http-server.md).
 *
 * Bounds: a head of 16 kB (431), a target of 8 kB (414), a body by route (413), a head within 10 s, a body within 60 s,
 * idle connections a minute, 64 MB of bodies in all (who began first gives way). Whoever is slow costs a descriptor and
 * nobody else's time.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

enum { AN_HTTP_GET = 1, AN_HTTP_POST = 2, AN_HTTP_PUT = 4, AN_HTTP_DELETE = 8 };

struct an_http_head;
struct an_http_request {      /* valid during the call */
    const char *method;       /* "GET" (HEAD comes as GET), "POST", … */
    const char *path;         /* percent-decoded, without the query; starts with "/"; no NUL */
    const char *query;        /* behind "?", as it came; "" when absent */
    const char *content_type; /* of the body; "" when not said */
    an_bytes body;
    const char *peer;         /* the address of the other end */
    bool is_forwarded;        /* a header says that somebody passed it on: peer may be a proxy that nobody named */
    bool is_vouched;          /* it came from a proxy that is trusted: peer is who the proxy says */
    const struct an_http_head *head;
};
/* A header's value, name in lower case; AN_NONE when absent. Of several with one name, the first;
 * those by which a proxy speaks come once, or not at all. */
an_bytes an_http_header(const struct an_http_request *request, const char *name);
/* name=value of a query (or of a body in that form), percent-decoded, "+" as blank; false when absent or malformed. */
bool an_http_field(an_bytes fields, const char *name, struct an_buf *ret);

struct an_http_answer {
    unsigned status;          /* 404 unless the handler says otherwise */
    const char *content_type; /* NULL = application/octet-stream; a text that outlives the call */
    struct an_buf body;
    int fd;                   /* a file to send instead of body; -1 = none; the server closes it */
    uint64_t file_bytes;
    uint32_t cache_seconds;   /* how long the answer is fresh; 0 = no-store */
    an_time last_modified;    /* AN_TIME_NONE = not said; otherwise If-Modified-Since is honoured */
    an_time expires;          /* AN_TIME_NONE = not said */
    char etag[72];            /* "" = none; without quotes; otherwise If-None-Match is honoured */
    struct an_buf headers;    /* more lines: an_http_answer_header */
};
void an_http_answer_header(struct an_http_answer *answer, const char *name, const char *value);
/* A one-line text for people, in Vietnamese and English. */
void an_http_answer_text(struct an_http_answer *answer, unsigned status, const char *vi, const char *en);

typedef void (*an_http_route_fn)(void *context, const struct an_http_request *request, struct an_http_answer *answer);
/* From memory, by a thread that must not wait: body is the request's, rest the target behind the route's path, as it
 * came. Appends the lines of the head that follow the status line and the content, as an_http_quick_put writes them;
 * false = ask handle. */
struct an_http_quick { an_bytes rest, body; bool is_post; };
struct an_http_quick_answer { const char *content_type; an_bytes headers, body; };
typedef bool (*an_http_quick_fn)(void *context, const struct an_http_quick *quick, an_time now, struct an_buf *out,
                                 void (*put)(struct an_buf *out, const struct an_http_quick_answer *answer));

/* Several requests of one route that wait at once: each gets its own answer. */
#define AN_HTTP_TURNS_MAX 32
struct an_http_turn { const struct an_http_request *request; struct an_http_answer *answer; };
typedef void (*an_http_turns_fn)(void *context, const struct an_http_turn *turns, size_t count);

struct an_http_route {
    const char *path;         /* "/tsa"; with "/" at the end: everything under it */
    unsigned methods;
    size_t body_max;          /* 0 = 1 MB */
    an_http_route_fn handle;  /* called by several threads at once */
    an_http_quick_fn quick;   /* NULL = none */
    an_http_turns_fn handle_many; /* NULL = handle, one after the other; otherwise handle is not called */
};
struct an_http_routes { const struct an_http_route *items; size_t count; };

struct an_http_setup {
    const char *listen;       /* "127.0.0.1:0", "[::1]:8080"; port 0 = any free one */
    int listen_fd;            /* a socket that listens already, instead; -1 = none; it stays the caller's */
    const struct an_http_routes *tables; size_t table_count; /* must outlive the server */
    void *context;            /* for every handler */
    unsigned loops, workers;  /* 0 = by the machine */
    size_t connections_max;   /* 0 = 8192 */
    int log_fd;               /* one JSON line a request; -1 = none */
    /* addresses of proxies whose X-Forwarded-For and -Proto are believed, blanks between; NULL = none */
    const char *trusted;
    const char *trusted_certs; /* of those whose X-Client-Cert is believed; NULL = none (docs/decisions/135-…) */
};
struct an_http_server;
/* AN_E_HTTP_LISTEN */
an_code an_http_server_start(const struct an_http_setup *setup, struct an_http_server **ret, unsigned *ret_port,
                             struct an_err *reterr) AN_MUST_USE;
/* Takes no more connections; those that are open get one more answer, with "Connection: close". Returns when nobody
 * listens any more: a socket that others listen on, too, may be closed only then. A descriptor closed before would stay
 * in our epoll sets, and connections that only we are told of would be nobody's. */
void an_http_server_drain(struct an_http_server *server);
bool an_http_server_is_empty(const struct an_http_server *server); /* no connection is left */
void an_http_server_stop(struct an_http_server **server); /* requests in hand are finished */
/* Counters in the form of Prometheus. */
void an_http_server_metrics(const struct an_http_server *server, struct an_buf *out);

/* A socket that listens; AN_E_HTTP_LISTEN. Port 0 = any free one. */
an_code an_http_listen(const char *listen, int *ret, unsigned *ret_port, struct an_err *reterr) AN_MUST_USE;
