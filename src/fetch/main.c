/* antin-fetch: learns its rules, closes its sandbox, then answers one question after the other. */
#include "base/limits.h"
#include "fetch/internal.h"
#include "proc/json.h"
#include "proc/proc.h"

#include <curl/curl.h>
#include <jansson.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

#define AUTHORITIES_BYTES_MAX ((size_t)4 * 1024 * 1024) /* the whole list of a system takes 220 kB */

static struct an_fetch_config config;
static bool has_rules;

static char *
dup_text(const char *text)
{
    return text != NULL && text[0] != '\0' ? an_strdup(text) : NULL;
}

/* Libraries that are loaded on first use must be here before the sandbox closes: name services, TLS. */
static void
warm_up(void)
{
    struct addrinfo *list = NULL;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (getaddrinfo("localhost", "80", NULL, &list) == 0)
        freeaddrinfo(list);
    curl_easy_cleanup(curl_easy_init());
}

static an_code
enter_sandbox(struct an_err *reterr)
{
    static const char *const read_paths[] = {
        "/etc/ssl",
        "/usr/lib/ssl",
        "/usr/share/ca-certificates",
        "/usr/local/share/ca-certificates",
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/host.conf",
        "/etc/gai.conf",
        "/etc/services",
        "/run/systemd/resolve",
        "/run/resolvconf",
        "/run/NetworkManager",
        "/etc/localtime",
        "/usr/share/zoneinfo",
    };
    const char *const write_paths[] = {config.cache_dir};
    const struct an_sandbox sandbox = {
        .network = true, .threads = true, .read_paths = read_paths, .read_count = AN_COUNT(read_paths),
        .write_paths = write_paths, .write_count = config.cache_dir ? 1 : 0, .file_bytes_max = AN_LIMIT_HTTP_BYTES,
        .memory_bytes_max = UINT64_C(1) << 30,
    };

    return an_sandbox_enter(&sandbox, false, reterr);
}

static an_code
answer_rules(json_t *root, struct an_err *reterr)
{
    const char *proxy = NULL, *cache_dir = NULL, *ca_file = NULL, *map = NULL;
    int allow_private = 0;

    if (has_rules || json_unpack(root, "{s:b, s?s, s?s, s?s, s?s}", "allow_private", &allow_private, "proxy", &proxy,
                                 "cache_dir", &cache_dir, "ca_file", &ca_file, "map", &map) != 0)
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "rules");
    config = (struct an_fetch_config){.allow_private = allow_private != 0, .proxy = dup_text(proxy),
                                      .cache_dir = dup_text(cache_dir), .map = dup_text(map),
                                      .authorities = an_buf_new(AUTHORITIES_BYTES_MAX)};
    if (ca_file != NULL)
        AN_TRY(an_file_read(ca_file, AUTHORITIES_BYTES_MAX, &config.authorities, reterr));
    if (config.cache_dir != NULL) {
        AN_TRY(an_dir_make(config.cache_dir, true, reterr));
        an_cache_prune(config.cache_dir);
    }
    AN_TRY(enter_sandbox(reterr));
    has_rules = true;
    return AN_OK;
}

static an_code
read_job(json_t *root, struct an_fetch_job *job, struct an_buf *body, struct an_err *reterr)
{
    const char *text = NULL;
    json_int_t timeout_ms = 0, bytes_max = 0;

    if (json_unpack(root, "{s:s, s?s, s?s, s?s, s:I, s:I}", "url", &job->url, "body", &text, "content_type",
                    &job->content_type, "accept", &job->accept, "timeout_ms", &timeout_ms, "bytes_max",
                    &bytes_max) != 0 ||
        timeout_ms < 1 || timeout_ms > 3600000 || bytes_max < 1 || bytes_max > (json_int_t)AN_LIMIT_HTTP_BYTES)
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "question");
    if (text != NULL && !an_base64_decode(body, an_bytes_of_str(text)))
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "body");
    job->is_post = text != NULL;
    job->body = an_buf_view(body);
    job->timeout_ms = (uint64_t)timeout_ms;
    job->bytes_max = (size_t)bytes_max;
    return AN_OK;
}

/* What the network did is an answer; only a broken question is an error of the conversation. */
static an_code
answer_get(json_t *root, int fd, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    AN_CLEANUP(an_json_free) json_t *answer = NULL;
    struct an_fetch_job job = {.fd = fd};
    struct an_err err = {0};
    an_code code;

    if (!has_rules || fd < 0)
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "no rules or no file");
    AN_TRY(read_job(root, &job, &body, reterr));
    code = an_fetch_run(&config, &job, &err);
    answer = code == AN_OK ? json_pack("{s:i, s:I}", "code", 0, "length", (json_int_t)job.length)
                           : json_pack("{s:i, s:s, s:b, s:i}", "code", (int)code, "detail", err.detail, "again",
                                       job.again, "wait", (int)job.wait_seconds);
    if (answer == NULL) /* a server put bytes into a header that are no text */
        answer = json_pack("{s:i, s:s, s:b, s:i}", "code", (int)code, "detail", "", "again", job.again, "wait", 0);
    an_json_write(ret, answer);
    return AN_OK;
}

static an_code
read_letter(json_t *root, struct an_fetch_letter *letter, struct an_buf *message, struct an_err *reterr)
{
    const char *text = NULL;
    json_t *to = NULL;
    json_int_t timeout_ms = 0;
    int plain = 0;

    if (json_unpack(root, "{s:s, s?s, s?s, s:b, s:s, s:o, s:s, s:I}", "server", &letter->server, "user", &letter->user,
                    "password",
                    &letter->password, "plain", &plain, "from", &letter->from, "to", &to, "message", &text,
                    "timeout_ms",
                    &timeout_ms) != 0 ||
        timeout_ms < 1 || timeout_ms > 3600000 || json_array_size(to) < 1 ||
        json_array_size(to) > AN_LIMIT_MAIL_RECIPIENTS ||
        !an_base64_decode(message, an_bytes_of_str(text)))
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "letter");
    letter->to = an_new_array(json_array_size(to), sizeof(*letter->to));
    for (; letter->to_count < json_array_size(to); letter->to_count++) {
        letter->to[letter->to_count] = json_string_value(json_array_get(to, letter->to_count));
        if (letter->to[letter->to_count] == NULL)
            AN_FAIL(reterr, AN_E_PROC_REQUEST, "letter: to");
    }
    letter->plain = plain != 0;
    letter->message = an_buf_view(message);
    letter->timeout_ms = (uint64_t)timeout_ms;
    return AN_OK;
}

static an_code
answer_mail(json_t *root, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf message = an_buf_new(AN_LIMIT_MAIL_BYTES);
    AN_CLEANUP(an_json_free) json_t *answer = NULL;
    struct an_fetch_letter letter = {0};
    struct an_err err = {0};
    an_code code;

    if (!has_rules)
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "no rules");
    code = read_letter(root, &letter, &message, reterr);
    if (code == AN_OK) {
        an_code sent = an_fetch_post(&config, &letter, &err);
        answer = json_pack("{s:i, s:s}", "code", (int)sent, "detail", err.detail);
        if (answer == NULL) /* a server's words that are no text */
            answer = json_pack("{s:i, s:s}", "code", (int)sent, "detail", "");
        an_json_write(ret, answer);
    }
    free(letter.to);
    return code;
}

static an_code
handle(struct an_request *request, uint32_t *ret_type, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    an_code code = an_json_parse(an_buf_view(&request->payload), &root, reterr);

    (void)ret_type;
    if (code == AN_OK && request->type == AN_FETCH_RULES)
        code = answer_rules(root, reterr);
    else if (code == AN_OK && request->type == AN_FETCH_MAIL)
        code = answer_mail(root, ret, reterr);
    else if (code == AN_OK)
        code = answer_get(root, request->fd, ret, reterr);
    if (request->fd >= 0)
        close(request->fd);
    return code;
}

int
main(void)
{
    warm_up();
    _exit(an_child_serve(handle));
}
