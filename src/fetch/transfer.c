/* One question to the network: redirects by hand, so that every step is held to the rules; what is kept is reused. */
#include "fetch/internal.h"

#include "base/limits.h"

#include <curl/curl.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#define CONNECT_MS_MAX 15000
#define WAIT_SECONDS_MAX 30 /* of a Retry-After that is obeyed */

/* One step: one request to one address. */
struct step {
    const struct an_fetch_config *config;
    struct an_fetch_job *job;
    const struct an_fetch_url *url;
    struct an_cached cached;
    bool has_cached, is_blocked, is_large, is_full;
    CURL *curl;
    struct curl_slist *headers, *connect_to;
    long status;
    char fault[CURL_ERROR_SIZE];
};

static curl_socket_t
open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct step *step = context;
    bool is_free = step->config->allow_private || step->config->proxy != NULL || step->url->is_overridden;

    (void)purpose;
    if (!is_free && an_fetch_is_private(&address->addr)) {
        step->is_blocked = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Only the body of an answer that is wanted goes to the file; pages that explain an error do not. */
static size_t
take_body(char *part, size_t size, size_t count, void *context)
{
    struct step *step = context;
    size_t len = size * count;
    long status = 0;

    curl_easy_getinfo(step->curl, CURLINFO_RESPONSE_CODE, &status);
    if (len > step->job->bytes_max - step->job->length) {
        step->is_large = true;
        return 0;
    }
    if (status == 200 && pwrite(step->job->fd, part, len, (off_t)step->job->length) != (ssize_t)len) {
        step->is_full = true;
        return 0;
    }
    step->job->length += len;
    return len;
}

static void
add_header(struct step *step, const char *name, const char *value)
{
    AN_CLEANUP(an_free_ptr) char *line = value ? an_asprintf("%s: %s", name, value) : NULL;
    struct curl_slist *longer = line ? curl_slist_append(step->headers, line) : NULL;

    if (longer != NULL)
        step->headers = longer;
}

static void
set_headers(struct step *step)
{
    struct an_fetch_job *job = step->job;

    add_header(step, "Accept", job->accept);
    if (job->is_post) {
        add_header(step, "Content-Type", job->content_type ? job->content_type : "application/octet-stream");
        add_header(step, "Expect", ""); /* small bodies: no waiting for 100 */
    }
    if (step->has_cached) {
        add_header(step, "If-None-Match", step->cached.etag);
        add_header(step, "If-Modified-Since", step->cached.last_modified);
    }
    curl_easy_setopt(step->curl, CURLOPT_HTTPHEADER, step->headers);
}

static void
set_authorities(const struct step *step)
{
    const struct an_buf *authorities = &step->config->authorities;
    struct curl_blob blob = {.data = authorities->ptr, .len = authorities->len, .flags = CURL_BLOB_NOCOPY};

    if (authorities->len > 0)
        curl_easy_setopt(step->curl, CURLOPT_CAINFO_BLOB, &blob);
}

static void
set_options(struct step *step, uint64_t left_ms)
{
    CURL *curl = step->curl;
    struct an_fetch_job *job = step->job;

    curl_easy_setopt(curl, CURLOPT_URL, step->url->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "antin/" AN_VERSION);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(left_ms < CONNECT_MS_MAX ? left_ms : CONNECT_MS_MAX));
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)job->bytes_max);
    curl_easy_setopt(curl, CURLOPT_PROXY, step->config->proxy ? step->config->proxy : "");
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, step);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, step);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, step->fault);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    set_authorities(step);
    if (step->url->connect_to != NULL) {
        step->connect_to = curl_slist_append(NULL, step->url->connect_to);
        curl_easy_setopt(curl, CURLOPT_CONNECT_TO, step->connect_to);
    }
    if (job->is_post) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, job->body.ptr);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->body.len);
    }
    set_headers(step);
}

/* What curl calls its troubles, in our words. `again`: another try may go better. */
static const struct { CURLcode trouble; an_code code; bool again; } trouble_table[] = {
    {CURLE_COULDNT_CONNECT, AN_E_FETCH_REFUSED, true},
    {CURLE_COULDNT_RESOLVE_HOST, AN_E_FETCH_DNS, true},
    {CURLE_COULDNT_RESOLVE_PROXY, AN_E_FETCH_DNS, true},
    {CURLE_PROXY, AN_E_FETCH_REFUSED, true},
    {CURLE_OPERATION_TIMEDOUT, AN_E_FETCH_TIMEOUT, true},
    {CURLE_GOT_NOTHING, AN_E_FETCH_EMPTY, true},
    {CURLE_PARTIAL_FILE, AN_E_FETCH_PROTOCOL, true},
    {CURLE_RECV_ERROR, AN_E_FETCH_PROTOCOL, true},
    {CURLE_SEND_ERROR, AN_E_FETCH_PROTOCOL, true},
    {CURLE_WEIRD_SERVER_REPLY, AN_E_FETCH_PROTOCOL, false},
    {CURLE_UNSUPPORTED_PROTOCOL, AN_E_FETCH_PROTOCOL, false},
    {CURLE_BAD_CONTENT_ENCODING, AN_E_FETCH_PROTOCOL, false},
    {CURLE_FILESIZE_EXCEEDED, AN_E_FETCH_SIZE, false},
    {CURLE_URL_MALFORMAT, AN_E_FETCH_URL, false},
    {CURLE_SSL_CONNECT_ERROR, AN_E_FETCH_TLS, false},
    {CURLE_PEER_FAILED_VERIFICATION, AN_E_FETCH_TLS, false},
    {CURLE_SSL_CACERT_BADFILE, AN_E_FETCH_TLS, false},
    {CURLE_SSL_CERTPROBLEM, AN_E_FETCH_TLS, false},
    {CURLE_SSL_CIPHER, AN_E_FETCH_TLS, false},
    {CURLE_SSL_INVALIDCERTSTATUS, AN_E_FETCH_TLS, false},
    {CURLE_SSL_ISSUER_ERROR, AN_E_FETCH_TLS, false},
};

an_code
an_fetch_trouble(int curl_code, bool *ret_again)
{
    for (size_t i = 0; i < AN_COUNT(trouble_table); i++) {
        if ((int)trouble_table[i].trouble != curl_code)
            continue;
        *ret_again = trouble_table[i].again;
        return trouble_table[i].code;
    }
    return AN_E_FETCH_PROTOCOL;
}

static an_code
name_trouble(struct step *step, CURLcode trouble, struct an_err *reterr)
{
    if (step->is_blocked)
        AN_FAIL(reterr, AN_E_FETCH_BLOCKED, "%s", step->url->shown);
    if (step->is_large)
        AN_FAIL(reterr, AN_E_FETCH_SIZE, "%s: > %zu byte", step->url->shown, step->job->bytes_max);
    if (step->is_full)
        AN_FAIL(reterr, AN_E_FILE_WRITE, "%s", step->url->shown);
    AN_FAIL(reterr, an_fetch_trouble((int)trouble, &step->job->again), "%s: %s (%d)", step->url->shown, step->fault,
            (int)trouble);
}

static const char *
find_header(CURL *curl, const char *name)
{
    struct curl_header *header = NULL;

    return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

static void
note_wait(struct step *step)
{
    curl_off_t seconds = 0;

    step->job->again = true;
    if (curl_easy_getinfo(step->curl, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
        step->job->wait_seconds = seconds > WAIT_SECONDS_MAX ? WAIT_SECONDS_MAX : (unsigned)seconds;
}

/* "text/html; charset=utf-8" is of type "text/html"; accepted may be a list. */
static bool
is_type_accepted(const char *type, const char *accepted)
{
    size_t len = type ? strcspn(type, "; \t") : 0;

    while (len > 0 && *accepted != '\0') {
        size_t word = strcspn(accepted, ", ;");
        if (word == len && strncasecmp(type, accepted, len) == 0)
            return true;
        accepted += strcspn(accepted, ",");
        accepted += strspn(accepted, ", ");
    }
    return false;
}

static an_code
check_type(const struct step *step, const char *type, struct an_err *reterr)
{
    if (step->job->accept != NULL && !is_type_accepted(type, step->job->accept))
        AN_FAIL(reterr, AN_E_FETCH_TYPE, "%s: %.80s", step->url->shown, type ? type : "no content type");
    return AN_OK;
}

/* A header's own text is valid only until the next one is asked for. */
static char *
dup_header(CURL *curl, const char *name)
{
    const char *value = find_header(curl, name);

    return value != NULL && value[0] != '\0' ? an_strdup(value) : NULL;
}

/* RFC 9111: how long an answer is fresh; AN_TIME_NONE when it must not be kept. */
static an_time
read_expiry(CURL *curl)
{
    AN_CLEANUP(an_free_ptr) char *control = dup_header(curl, "Cache-Control");
    AN_CLEANUP(an_free_ptr) char *expires = dup_header(curl, "Expires");
    AN_CLEANUP(an_free_ptr) char *age = dup_header(curl, "Age");
    const char *max_age = control ? strcasestr(control, "max-age=") : NULL;
    an_time now = an_time_now(), until = now;

    if (control != NULL && strcasestr(control, "no-store") != NULL)
        return AN_TIME_NONE;
    if (control != NULL && strcasestr(control, "no-cache") != NULL)
        return now;
    if (max_age != NULL)
        until = now + (an_time)strtol(max_age + 8, NULL, 10) - (age ? (an_time)strtol(age, NULL, 10) : 0);
    else if (expires != NULL)
        until = (an_time)curl_getdate(expires, NULL);
    if (until > now + 30 * 86400)
        until = now + 30 * 86400; /* nobody vouches for longer */
    return until > now ? until : now;
}

static void
keep_answer(struct step *step)
{
    AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(AN_FETCH_CACHED_BYTES_MAX);
    struct an_cached what = {.file = AN_FILE_NONE, .expires = read_expiry(step->curl)};
    uint8_t *room;

    what.etag = dup_header(step->curl, "ETag");
    what.last_modified = dup_header(step->curl, "Last-Modified");
    what.type = dup_header(step->curl, "Content-Type");
    room = an_buf_extend(&body, step->job->length);
    if (what.expires != AN_TIME_NONE && (what.expires > an_time_now() || what.etag || what.last_modified) &&
        room != NULL && pread(step->job->fd, room, step->job->length, 0) == (ssize_t)step->job->length) {
        what.body = an_buf_view(&body);
        an_cache_put(step->config->cache_dir, step->url->url, &what);
    }
    an_cached_free(&what);
}

static an_code
use_kept(struct step *step, struct an_err *reterr)
{
    AN_TRY(check_type(step, step->cached.type, reterr));
    if (step->cached.body.len > step->job->bytes_max)
        AN_FAIL(reterr, AN_E_FETCH_SIZE, "%s: > %zu byte", step->url->shown, step->job->bytes_max);
    if (pwrite(step->job->fd, step->cached.body.ptr, step->cached.body.len, 0) != (ssize_t)step->cached.body.len)
        AN_FAIL(reterr, AN_E_FILE_WRITE, "%s", step->url->shown);
    step->job->length = step->cached.body.len;
    return AN_OK;
}

static an_code
use_not_modified(struct step *step, struct an_err *reterr)
{
    an_time until = read_expiry(step->curl);

    if (until != AN_TIME_NONE && until > step->cached.expires) {
        step->cached.expires = until;
        an_cache_put(step->config->cache_dir, step->url->url, &step->cached);
    }
    return use_kept(step, reterr);
}

static an_code
judge_answer(struct step *step, struct an_err *reterr)
{
    if (step->status == 304 && step->has_cached)
        return use_not_modified(step, reterr);
    if (step->status == 429 || step->status == 503) {
        note_wait(step);
        AN_FAIL(reterr, AN_E_FETCH_RATE, "%s: HTTP %ld", step->url->shown, step->status);
    }
    step->job->again = step->status >= 500;
    if (step->status != 200)
        AN_FAIL(reterr, AN_E_FETCH_STATUS, "%s: HTTP %ld", step->url->shown, step->status);
    AN_TRY(check_type(step, find_header(step->curl, "Content-Type"), reterr));
    if (step->job->length == 0)
        AN_FAIL(reterr, AN_E_FETCH_EMPTY, "%s", step->url->shown);
    if (step->config->cache_dir != NULL && !step->job->is_post)
        keep_answer(step);
    return AN_OK;
}

static bool
is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void
end_step(struct step *step)
{
    curl_easy_cleanup(step->curl);
    curl_slist_free_all(step->headers);
    curl_slist_free_all(step->connect_to);
    an_cached_free(&step->cached);
}

/* *ret_next: where the answer points to, NULL when this was the last step. */
static an_code
run_step(struct step *step, uint64_t left_ms, char **ret_next, struct an_err *reterr)
{
    char *next = NULL;
    CURLcode trouble;

    if (step->config->cache_dir != NULL && !step->job->is_post)
        step->has_cached = an_cache_find(step->config->cache_dir, step->url->url, &step->cached);
    if (step->has_cached && step->cached.expires > an_time_now())
        return use_kept(step, reterr);
    /* Behind a proxy the address is not ours to see; what the URL itself says still counts. */
    if (step->config->proxy != NULL && !step->config->allow_private && !step->url->is_overridden &&
        step->url->names_private)
        AN_FAIL(reterr, AN_E_FETCH_BLOCKED, "%s", step->url->shown);
    step->curl = curl_easy_init();
    if (step->curl == NULL)
        an_die_memory();
    set_options(step, left_ms);
    step->job->length = 0;
    trouble = curl_easy_perform(step->curl);
    if (trouble != CURLE_OK)
        return name_trouble(step, trouble, reterr);
    curl_easy_getinfo(step->curl, CURLINFO_RESPONSE_CODE, &step->status);
    if (is_redirect(step->status) && curl_easy_getinfo(step->curl, CURLINFO_REDIRECT_URL, &next) == CURLE_OK &&
        next != NULL) {
        *ret_next = an_strdup(next);
        return AN_OK;
    }
    return judge_answer(step, reterr);
}

static an_code
check_next(const struct an_fetch_url *from, const struct an_fetch_url *to, struct an_err *reterr)
{
    if (from->is_https && !to->is_https)
        AN_FAIL(reterr, AN_E_FETCH_BLOCKED, "%s -> %s", from->shown, to->shown);
    return AN_OK;
}

static an_code
run_to_end(const struct an_fetch_config *config, struct an_fetch_job *job, struct an_fetch_url *url,
           struct an_err *reterr)
{
    uint64_t end = an_time_monotonic_ms() + job->timeout_ms;

    for (unsigned steps = 0; steps <= AN_FETCH_REDIRECTS_MAX; steps++) {
        AN_CLEANUP(end_step)
        struct step step = {.config = config, .job = job, .url = url, .cached = {.file = AN_FILE_NONE}};
        AN_CLEANUP(an_free_ptr) char *next = NULL;
        struct an_fetch_url target = {0};
        uint64_t now = an_time_monotonic_ms();
        an_code code;

        if (now >= end)
            AN_FAIL(reterr, AN_E_FETCH_TIMEOUT, "%s", url->shown);
        AN_TRY(run_step(&step, end - now, &next, reterr));
        if (next == NULL)
            return AN_OK;
        AN_TRY(an_fetch_url_parse(next, config->map, &target, reterr));
        code = check_next(url, &target, reterr);
        an_fetch_url_free(url);
        *url = target;
        AN_TRY(code);
    }
    AN_FAIL(reterr, AN_E_FETCH_REDIRECT, "%s: > %d", url->shown, AN_FETCH_REDIRECTS_MAX);
}

static bool
is_header_safe(const char *value)
{
    return value == NULL || (strlen(value) < 1000 && strpbrk(value, "\r\n") == NULL);
}

an_code
an_fetch_run(const struct an_fetch_config *config, struct an_fetch_job *job, struct an_err *reterr)
{
    AN_CLEANUP(an_fetch_url_free) struct an_fetch_url url = {0};

    if (!is_header_safe(job->accept) || !is_header_safe(job->content_type))
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "content type");
    AN_TRY(an_fetch_url_parse(job->url, config->map, &url, reterr));
    return run_to_end(config, job, &url, reterr);
}
