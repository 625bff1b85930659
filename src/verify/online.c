#include "verify/online.h"

#include "base/map.h"
#include "fetch/fetch.h"

#include <pthread.h>

#define OID_OCSP "1.3.6.1.5.5.7.48.1"
#define OID_CA_ISSUERS "1.3.6.1.5.5.7.48.2"
#define ADDRESSES_MAX 4 /* of one kind in one certificate */
#define FAILURES_MAX 16

AN_VEC(err_list, struct an_err);

struct an_online {
    struct an_fetcher *fetcher;
    uint64_t timeout_ms;
    pthread_mutex_t lock;
    struct an_map *bodies; /* key (address or request) → struct an_buf *, also for failures: nothing is asked twice */
    struct err_list failures;
};

struct an_online *
an_online_new(struct an_fetcher *fetcher, uint64_t timeout_ms)
{
    struct an_online *online = AN_NEW(struct an_online);

    online->fetcher = fetcher;
    online->timeout_ms = timeout_ms;
    online->bodies = an_map_new();
    pthread_mutex_init(&online->lock, NULL);
    return online;
}

void
an_online_free(struct an_online **online)
{
    struct an_online *o = *online;

    if (o == NULL)
        return;
    for (size_t i = 0; i < an_map_count(o->bodies); i++) {
        struct an_buf *body = an_map_value(o->bodies, i);
        an_buf_free(body);
        free(body);
    }
    an_map_free(&o->bodies);
    err_list_done(&o->failures);
    pthread_mutex_destroy(&o->lock);
    free(o);
    *online = NULL;
}

static void
remember_failure(struct an_online *online, const struct an_err *err)
{
    if (online->failures.count < FAILURES_MAX)
        *err_list_push(&online->failures) = *err;
}

/* The body of an answer, asked for once; an empty view when there is none. Valid as long as the object. */
static an_bytes
ask(struct an_online *online, an_bytes key, const struct an_fetch *what)
{
    struct an_buf *body;
    struct an_err err = {0};

    pthread_mutex_lock(&online->lock);
    body = an_map_find(online->bodies, key);
    if (body == NULL) {
        body = AN_NEW(struct an_buf);
        *body = an_buf_new(what->bytes_max);
        if (an_fetch_do(online->fetcher, what, body, &err) != AN_OK) {
            an_buf_reset(body);
            remember_failure(online, &err);
        }
        an_map_put(online->bodies, key, body);
    }
    pthread_mutex_unlock(&online->lock);
    return an_buf_view(body);
}

static an_bytes
fetch_address(struct an_online *online, const struct an_buf *address, size_t bytes_max)
{
    AN_CLEANUP(an_free_ptr) char *url = an_strdup_bytes(an_buf_view(address));
    struct an_fetch what = {.url = url, .timeout_ms = online->timeout_ms, .bytes_max = bytes_max, .tries = 1};

    return ask(online, an_buf_view(address), &what);
}

static bool
fetch_issuers(void *context, struct an_cert *cert, struct an_certs *ret)
{
    size_t before = ret->count;

    for (size_t n = 0; n < ADDRESSES_MAX; n++) {
        AN_CLEANUP(an_buf_free) struct an_buf address = an_buf_new(2048);
        if (!an_cert_aia_uri(cert, OID_CA_ISSUERS, n, &address))
            break;
        an_bytes body = fetch_address(context, &address, AN_LIMIT_CMS_BYTES);
        struct an_err ignored;
        if (body.len && an_certs_read(ret, body, &ignored) == AN_OK && ret->count > before)
            break;
    }
    return ret->count > before;
}

static bool
fetch_crls(void *context, struct an_cert *cert, struct an_crls *ret)
{
    size_t before = ret->count;

    for (size_t n = 0; n < ADDRESSES_MAX; n++) {
        AN_CLEANUP(an_buf_free) struct an_buf address = an_buf_new(2048);
        struct an_crl *crl = NULL;
        if (!an_cert_crl_uri(cert, n, &address))
            break;
        an_bytes body = fetch_address(context, &address, AN_LIMIT_CRL_BYTES);
        if (body.len && an_crl_parse(body, &crl, NULL) == AN_OK) {
            *an_crls_push(ret) = crl;
            break;
        }
    }
    return ret->count > before;
}

static bool
fetch_ocsps(void *context, struct an_cert *cert, struct an_cert *issuer, struct an_ocsps *ret)
{
    struct an_online *online = context;
    AN_CLEANUP(an_buf_free) struct an_buf request = an_buf_new(AN_LIMIT_OCSP_BYTES);
    size_t before = ret->count;

    an_ocsp_request(cert, issuer, AN_NONE, &request);
    for (size_t n = 0; n < ADDRESSES_MAX; n++) {
        AN_CLEANUP(an_buf_free) struct an_buf address = an_buf_new(2048);
        AN_CLEANUP(an_buf_free) struct an_buf key = an_buf_new(AN_LIMIT_OCSP_BYTES);
        struct an_ocsp *ocsp = NULL;
        if (!an_cert_aia_uri(cert, OID_OCSP, n, &address))
            break;
        an_buf_append(&key, an_buf_view(&address));
        an_buf_append(&key, an_buf_view(&request));
        an_buf_byte(&address, '\0');
        struct an_fetch what = {.url = (const char *)address.ptr, .body = an_buf_view(&request), .content_type = "application/ocsp-request",
                                .timeout_ms = online->timeout_ms, .bytes_max = AN_LIMIT_OCSP_BYTES, .tries = 1};
        an_bytes body = ask(online, an_buf_view(&key), &what);
        if (body.len && an_ocsp_parse(body, &ocsp, NULL) == AN_OK) {
            *an_ocsps_push(ret) = ocsp;
            break;
        }
    }
    return ret->count > before;
}

an_path_fetch
an_online_path_fetch(struct an_online *online)
{
    return (an_path_fetch){.issuers = fetch_issuers, .crls = fetch_crls, .ocsps = fetch_ocsps, .context = online};
}

const struct an_err *
an_online_failures(struct an_online *online, size_t *ret_count)
{
    *ret_count = online->failures.count;
    return online->failures.items;
}
