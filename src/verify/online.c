#include "verify/online.h"

#include "base/map.h"
#include "fetch/fetch.h"

#include <pthread.h>

#define OID_OCSP "1.3.6.1.5.5.7.48.1"
#define OID_CA_ISSUERS "1.3.6.1.5.5.7.48.2"
#define ADDRESSES_MAX 4 /* of one kind in one certificate */
#define ADDRESS_BYTES_MAX 2048

/* One address: what it answered, or why that was of no use. */
struct answer {
    struct an_buf body;
    struct an_err err; /* code AN_OK = useful so far as is known */
    bool is_coming;    /* asked by a thread that has not yet got it */
};

struct an_online {
    struct an_fetcher *fetcher;
    uint64_t timeout_ms;
    pthread_mutex_t lock; /* never held while the network is asked: only who wants the same answer waits for it */
    pthread_cond_t came;
    struct an_map *answers; /* address → struct answer *, also for failures: nothing is asked twice */
};

struct an_online *
an_online_new(struct an_fetcher *fetcher, uint64_t timeout_ms)
{
    struct an_online *online = AN_NEW(struct an_online);

    online->fetcher = fetcher;
    online->timeout_ms = timeout_ms;
    online->answers = an_map_new();
    pthread_mutex_init(&online->lock, NULL);
    pthread_cond_init(&online->came, NULL);
    return online;
}

void
an_online_free(struct an_online **online)
{
    struct an_online *o = *online;

    if (o == NULL)
        return;
    for (size_t i = 0; i < an_map_count(o->answers); i++) {
        struct answer *answer = an_map_value(o->answers, i);
        an_buf_free(&answer->body);
        free(answer);
    }
    an_map_free(&o->answers);
    pthread_mutex_destroy(&o->lock);
    pthread_cond_destroy(&o->came);
    free(o);
    *online = NULL;
}

/* The row of an address. *ret_is_new: it was made now, and the caller is the one to fill it; otherwise it is full. */
static struct answer *
take_row(struct an_online *online, an_bytes key, bool *ret_is_new)
{
    struct answer *answer;

    pthread_mutex_lock(&online->lock);
    answer = an_map_find(online->answers, key);
    *ret_is_new = answer == NULL;
    if (answer == NULL) {
        answer = AN_NEW(struct answer);
        answer->is_coming = true;
        an_map_put(online->answers, key, answer);
    }
    while (!*ret_is_new && answer->is_coming)
        pthread_cond_wait(&online->came, &online->lock);
    pthread_mutex_unlock(&online->lock);
    return answer;
}

/* The answer of an address, asked for once; never NULL, valid as long as the object. kind: what was asked, for
 * people. */
static struct answer *
ask(struct an_online *online, an_bytes key, const char *kind, const struct an_fetch *what)
{
    struct an_buf body = an_buf_new(what->bytes_max);
    struct an_err err = {0};
    struct answer *answer;
    bool is_new;
    an_code code;

    answer = take_row(online, key, &is_new);
    if (!is_new)
        return answer;
    code = an_fetch_do(online->fetcher, what, &body, &err);
    if (code != AN_OK)
        an_buf_reset(&body);
    pthread_mutex_lock(&online->lock);
    answer->body = body;
    if (code != AN_OK)
        an_err_set(&answer->err, err.code, "%s: %s", kind, err.detail);
    answer->is_coming = false;
    pthread_cond_broadcast(&online->came);
    pthread_mutex_unlock(&online->lock);
    return answer;
}

/* It came, but cannot be read. */
static void
reject(struct an_online *online, struct answer *answer, const char *kind, const char *url, an_code code)
{
    pthread_mutex_lock(&online->lock);
    if (answer->err.code == AN_OK)
        an_err_set(&answer->err, code, "%s: %s", kind, url);
    pthread_mutex_unlock(&online->lock);
}

static struct answer *
fetch_address(struct an_online *online, const char *kind, const char *url, size_t bytes_max)
{
    struct an_fetch what = {.url = url, .timeout_ms = online->timeout_ms, .bytes_max = bytes_max, .tries = 1};

    return ask(online, an_bytes_of_str(url), kind, &what);
}

/* The n-th address of a kind in a certificate; false when there is none (any more). A terminator stands behind it. */
static bool
find_address(struct an_cert *cert, const char *oid, size_t n, struct an_buf *ret)
{
    an_buf_reset(ret);
    if (n >= ADDRESSES_MAX || !(oid ? an_cert_aia_uri(cert, oid, n, ret) : an_cert_crl_uri(cert, n, ret)))
        return false;
    an_buf_byte(ret, '\0');
    return an_buf_ok(ret);
}

static bool
fetch_issuers(void *context, struct an_cert *cert, struct an_certs *ret)
{
    AN_CLEANUP(an_buf_free) struct an_buf url = an_buf_new(ADDRESS_BYTES_MAX);
    size_t before = ret->count;

    for (size_t n = 0; ret->count == before && find_address(cert, OID_CA_ISSUERS, n, &url); n++) {
        const char *text = (const char *)url.ptr;
        struct answer *answer = fetch_address(context, "AIA", text, AN_LIMIT_CMS_BYTES);
        struct an_err err = {0};
        if (answer->body.len && an_certs_read(ret, an_buf_view(&answer->body), &err) != AN_OK)
            reject(context, answer, "AIA", text, err.code);
    }
    return ret->count > before;
}

static bool
fetch_crls(void *context, struct an_cert *cert, struct an_crls *ret)
{
    AN_CLEANUP(an_buf_free) struct an_buf url = an_buf_new(ADDRESS_BYTES_MAX);
    size_t before = ret->count;

    for (size_t n = 0; ret->count == before && find_address(cert, NULL, n, &url); n++) {
        const char *text = (const char *)url.ptr;
        struct answer *answer = fetch_address(context, "CRL", text, AN_LIMIT_CRL_BYTES);
        struct an_crl *crl = NULL;
        struct an_err err = {0};
        if (answer->body.len == 0)
            continue;
        if (an_crl_parse(an_buf_view(&answer->body), &crl, &err) == AN_OK)
            *an_crls_push(ret) = crl;
        else
            reject(context, answer, "CRL", text, err.code);
    }
    return ret->count > before;
}

/* An OCSP answer is about one certificate: the key is the address and its serial number. */
static void
build_ocsp_key(const struct an_cert *cert, const struct an_buf *url, struct an_buf *ret)
{
    an_buf_reset(ret);
    an_buf_append(ret, an_buf_view(url));
    an_buf_append(ret, AN_BYTES(cert->sha256, sizeof(cert->sha256)));
}

static bool
fetch_ocsps(void *context, struct an_cert *cert, struct an_cert *issuer, struct an_ocsps *ret)
{
    struct an_online *online = context;
    AN_CLEANUP(an_buf_free) struct an_buf request = an_buf_new(AN_LIMIT_OCSP_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf url = an_buf_new(ADDRESS_BYTES_MAX), key = an_buf_new(2 * ADDRESS_BYTES_MAX);
    size_t before = ret->count;

    an_ocsp_request(cert, issuer, AN_NONE, &request);
    for (size_t n = 0; ret->count == before && find_address(cert, OID_OCSP, n, &url); n++) {
        const char *text = (const char *)url.ptr;
        struct an_fetch what = {.url = text, .body = an_buf_view(&request), .content_type = "application/ocsp-request",
                                .timeout_ms = online->timeout_ms, .bytes_max = AN_LIMIT_OCSP_BYTES, .tries = 1};
        struct an_ocsp *ocsp = NULL;
        struct an_err err = {0};
        build_ocsp_key(cert, &url, &key);
        struct answer *answer = ask(online, an_buf_view(&key), "OCSP", &what);
        if (answer->body.len == 0)
            continue;
        if (an_ocsp_parse(an_buf_view(&answer->body), &ocsp, &err) == AN_OK)
            *an_ocsps_push(ret) = ocsp;
        else
            reject(online, answer, "OCSP", text, err.code);
    }
    return ret->count > before;
}

static size_t
copy_failure(struct an_online *online, an_bytes key, struct an_err *ret)
{
    const struct answer *answer;
    size_t count = 0;

    pthread_mutex_lock(&online->lock);
    answer = an_map_find(online->answers, key);
    if (answer != NULL && answer->err.code != AN_OK)
        ret[count++] = answer->err;
    pthread_mutex_unlock(&online->lock);
    return count;
}

static size_t
list_failures(void *context, struct an_cert *cert, struct an_err *ret, size_t max)
{
    static const char *const kinds[] = {OID_OCSP, NULL, OID_CA_ISSUERS};
    AN_CLEANUP(an_buf_free) struct an_buf url = an_buf_new(ADDRESS_BYTES_MAX), key = an_buf_new(2 * ADDRESS_BYTES_MAX);
    size_t count = 0;

    for (size_t k = 0; k < AN_COUNT(kinds); k++)
        for (size_t n = 0; count < max && find_address(cert, kinds[k], n, &url); n++) {
            build_ocsp_key(cert, &url, &key);
            count += copy_failure(context, k == 0 ? an_buf_view(&key) : AN_BYTES(url.ptr, url.len - 1), &ret[count]);
        }
    return count;
}

an_path_fetch
an_online_path_fetch(struct an_online *online)
{
    return (an_path_fetch){.issuers = fetch_issuers, .crls = fetch_crls, .ocsps = fetch_ocsps,
                           .failures = list_failures,
                           .context = online};
}
