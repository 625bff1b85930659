/* Between the client and antin-fetch, and between the files of the program. */
#pragma once

#include "base/file.h"
#include "base/time.h"
#include "fetch/fetch.h"

#include <sys/socket.h>

#define AN_FETCH_REDIRECTS_MAX 5
#define AN_FETCH_CACHED_BYTES_MAX ((size_t)64 * 1024 * 1024) /* one kept answer */
#define AN_FETCH_CACHED_DAYS_MAX 90                          /* an answer nobody refreshed is thrown away */

/* Questions. RULES comes first and once; then the process enters its sandbox. GET carries a memory file for the body;
 * answers: {"code": 0, "length": n} or {"code", "detail", "again": worth trying again, "wait": seconds or 0}. */
#define AN_FETCH_RULES 1u /* {"allow_private", "proxy"?, "cache_dir"?, "ca_file"?, "map"?} */
#define AN_FETCH_MAIL 3u  /* {"server", "user"?, "password"?, "plain", "from", "to": [..], "message": base64, "timeout_ms"} */
#define AN_FETCH_GET 2u   /* {"url", "body": base64?, "content_type"?, "accept"?, "timeout_ms", "bytes_max"} */

/* ---- client.c ---- */
struct an_fetch_outcome {
    size_t length;
    bool again;
    unsigned wait_seconds;
};
/* One question to a helper that is free; one that broke down is started anew next time. */
an_code an_fetcher_ask(struct an_fetcher *fetcher, uint32_t type, an_bytes question, int fd, uint64_t timeout_ms,
                       struct an_fetch_outcome *ret, struct an_err *reterr) AN_MUST_USE;

/* ---- address.c ---- */
/* True for every address that is not of the public Internet: loopback, RFC 1918, CGNAT, link-local, ULA, multicast, and
 * IPv6 forms that carry such an IPv4 address. */
bool an_fetch_is_private(const struct sockaddr *address);
/* The same for a host as written in a URL; false for a name that must be resolved first. */
bool an_fetch_names_private(const char *host);

/* ---- url.c ---- */
struct an_fetch_url {
    char *url;   /* to connect with: overrides of prefixes applied */
    char *shown; /* for messages: without user, password and query */
    char *connect_to; /* NULL or "host:port:host:port" */
    bool is_https, is_overridden, names_private; /* the last: a private address or name is written out */
};
void an_fetch_url_free(struct an_fetch_url *url);
/* AN_E_FETCH_URL, AN_E_FETCH_SCHEME; AN_E_LIMIT above 8 kB. */
an_code an_fetch_url_parse(const char *text, const char *map, struct an_fetch_url *ret,
                           struct an_err *reterr) AN_MUST_USE;

/* ---- cache.c ---- */
struct an_cached {
    char *etag, *last_modified, *type; /* NULL = none */
    an_time expires;
    an_bytes body; /* into file */
    struct an_file file;
};
void an_cached_free(struct an_cached *cached);
/* False when nothing usable is kept. */
bool an_cache_find(const char *folder, const char *url, struct an_cached *ret);
/* Failing to keep something is no failure. */
void an_cache_put(const char *folder, const char *url, const struct an_cached *what);
void an_cache_prune(const char *folder);

/* ---- transfer.c ---- */
struct an_fetch_config {
    bool allow_private;
    char *proxy, *cache_dir, *map;
    struct an_buf authorities; /* PEM; empty = the system's */
};
struct an_fetch_job {
    const char *url, *content_type, *accept;
    an_bytes body;
    bool is_post;
    uint64_t timeout_ms;
    size_t bytes_max;
    int fd; /* the body is written here */
    size_t length; /* out */
    bool again;    /* out */
    unsigned wait_seconds; /* out: what Retry-After said, 0 = nothing */
};
/* The words for what curl met; again: another try may go better. AN_E_FETCH_PROTOCOL for what is not in the table. */
an_code an_fetch_trouble(int curl_code, bool *ret_again);
an_code an_fetch_run(const struct an_fetch_config *config, struct an_fetch_job *job, struct an_err *reterr) AN_MUST_USE;

/* ---- post.c ---- */
struct an_fetch_letter {
    const char *server, *user, *password, *from;
    const char **to;
    size_t to_count;
    an_bytes message;
    bool plain;
    uint64_t timeout_ms;
};
an_code an_fetch_post(const struct an_fetch_config *config, const struct an_fetch_letter *letter,
                      struct an_err *reterr) AN_MUST_USE;
