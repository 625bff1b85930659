/*
 * Outgoing HTTP and mail, done by the antin-fetch process (home of libcurl): http and https, smtp and smtps only, size
 * and time limits, no private addresses unless allowed, redirects within the rules, proxy from configuration.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

struct an_fetcher; /* one helper process; thread-safe */
struct an_fetch_rules {
    bool allow_private;    /* loopback, RFC 1918, link-local */
    const char *proxy;     /* NULL = none */
    const char *cache_dir; /* NULL = no cache */
    const char *ca_file;   /* PEM: the only authorities for https, on a closed network; NULL = the system's */
    /* NULL or "from=to" lines: address overrides on closed networks. "host[:port]=host[:port]" changes where is
     * connected to and keeps the name that is asked for; a from with "://" is a prefix of the URL that is replaced.
     * What is overridden may be private. */
    const char *map;
};
an_code an_fetcher_start(const struct an_fetch_rules *rules, struct an_fetcher **ret,
                         struct an_err *reterr) AN_MUST_USE;
void an_fetcher_stop(struct an_fetcher **fetcher);

struct an_fetch {
    const char *url;
    an_bytes body;                       /* AN_NONE = GET */
    const char *content_type, *accept;   /* of the body; expected answer, NULL = any */
    uint64_t timeout_ms;
    size_t bytes_max;
    unsigned tries;                      /* 1 = once; waits 2 s, 4 s, … between */
};
/* ret_body is emptied first. Redirects: five at most, none from https to http. Errors: AN_E_FETCH_REFUSED (connection),
 * _TIMEOUT, _DNS, _TLS, _STATUS (with the HTTP status), _TYPE, _SIZE, _BLOCKED (rule), _SCHEME, _RATE (429/503),
 * _EMPTY, _PROTOCOL (no HTTP, or cut off), _REDIRECT, _URL. detail names the URL without credentials. */
an_code an_fetch_do(struct an_fetcher *fetcher, const struct an_fetch *what, struct an_buf *ret_body,
                    struct an_err *reterr) AN_MUST_USE;

/* ---- mail (RFC 5321) ---- */
struct an_mail {
    const char *server;               /* "smtp://host[:port]" (with STARTTLS), "smtps://host[:port]" */
    const char *user;                 /* NULL = no log-in */
    const struct an_secret *password;
    /* no TLS is needed: a server on loopback or on a closed network; never with a user */
    bool allow_plain;
    const char *from, *const *to;     /* addresses alone, without names and brackets */
    size_t to_count;
    an_bytes message;                 /* RFC 5322 with CRLF */
    uint64_t timeout_ms;
};
/* Hands one letter to the server. AN_OK: the server has taken it for every recipient. AN_E_MAIL_REFUSED: it said 5xx to
 * a recipient or the letter, and trying again is useless; AN_E_MAIL_LATER (4xx): try this one again; AN_E_MAIL_SERVER
 * (it takes nothing from us: its greeting, our sender), AN_E_MAIL_LOGIN, AN_E_FETCH_*: try all again. When the
 * connection broke after the letter was sent it may have been taken: send the same Message-ID again. */
an_code an_mail_send(struct an_fetcher *fetcher, const struct an_mail *mail, struct an_err *reterr) AN_MUST_USE;
