#include "fetch/internal.h"

#include "base/limits.h"
#include "proc/json.h"
#include "proc/proc.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#define HELPERS_MAX 4          /* questions at one time; more wait */
#define HELPER_GRACE_MS 5000   /* what the helper may need beside the network */
#define RULES_TIMEOUT_MS 20000

struct helper {
    struct an_child *child; /* NULL = not started, or ended */
    bool is_busy;
};

struct an_fetcher {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    struct helper helpers[HELPERS_MAX];
    char *rules; /* JSON */
};

static an_code
build_rules(const struct an_fetch_rules *rules, char **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root =
        json_pack("{s:b, s:s*, s:s*, s:s*, s:s*}", "allow_private", rules->allow_private, "proxy", rules->proxy,
                  "cache_dir",
                  rules->cache_dir, "ca_file", rules->ca_file, "map", rules->map);

    if (root == NULL)
        AN_FAIL(reterr, AN_E_UTF8, "rules");
    *ret = json_dumps(root, JSON_COMPACT);
    if (*ret == NULL)
        an_die_memory();
    return AN_OK;
}

static an_code
start_helper(struct an_fetcher *fetcher, struct helper *helper, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(4096);
    an_code code;

    if (helper->child != NULL)
        return AN_OK;
    AN_TRY(an_child_start("antin-fetch", &helper->child, reterr));
    code = an_child_ask(helper->child, AN_FETCH_RULES, an_bytes_of_str(fetcher->rules), -1, RULES_TIMEOUT_MS, NULL,
                        &answer, reterr);
    if (code != AN_OK)
        an_child_stop(&helper->child);
    return code;
}

an_code
an_fetcher_start(const struct an_fetch_rules *rules, struct an_fetcher **ret, struct an_err *reterr)
{
    struct an_fetcher *fetcher = AN_NEW(struct an_fetcher);
    an_code code = build_rules(rules, &fetcher->rules, reterr);

    pthread_mutex_init(&fetcher->lock, NULL);
    pthread_cond_init(&fetcher->freed, NULL);
    if (code == AN_OK)
        code = start_helper(fetcher, &fetcher->helpers[0], reterr);
    if (code != AN_OK) {
        an_fetcher_stop(&fetcher);
        return code;
    }
    *ret = fetcher;
    return AN_OK;
}

void
an_fetcher_stop(struct an_fetcher **fetcher)
{
    if (*fetcher == NULL)
        return;
    for (size_t i = 0; i < HELPERS_MAX; i++)
        an_child_stop(&(*fetcher)->helpers[i].child);
    pthread_mutex_destroy(&(*fetcher)->lock);
    pthread_cond_destroy(&(*fetcher)->freed);
    free((*fetcher)->rules);
    free(*fetcher);
    *fetcher = NULL;
}

/* A helper that runs is taken before one that must be started. */
static struct helper *
pick_helper(struct an_fetcher *fetcher)
{
    struct helper *best = NULL;

    for (size_t i = 0; i < HELPERS_MAX; i++) {
        struct helper *one = &fetcher->helpers[i];
        if (!one->is_busy && (best == NULL || (best->child == NULL && one->child != NULL)))
            best = one;
    }
    return best;
}

static struct helper *
take_helper(struct an_fetcher *fetcher)
{
    struct helper *helper;

    pthread_mutex_lock(&fetcher->lock);
    while ((helper = pick_helper(fetcher)) == NULL)
        pthread_cond_wait(&fetcher->freed, &fetcher->lock);
    helper->is_busy = true;
    pthread_mutex_unlock(&fetcher->lock);
    return helper;
}

static void
give_helper_back(struct an_fetcher *fetcher, struct helper *helper)
{
    pthread_mutex_lock(&fetcher->lock);
    helper->is_busy = false;
    pthread_cond_signal(&fetcher->freed);
    pthread_mutex_unlock(&fetcher->lock);
}

static an_code
read_outcome(an_bytes payload, struct an_fetch_outcome *outcome, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    const char *detail = "";
    int code = -1, again = 0, wait = 0;
    json_int_t length = 0;

    if (an_json_parse(payload, &root, NULL) != AN_OK ||
        json_unpack(root, "{s:i, s?s, s?b, s?i, s?I}", "code", &code, "detail", &detail, "again", &again, "wait", &wait,
                    "length", &length) != 0 || length < 0 || wait < 0)
        AN_FAIL(reterr, AN_E_PROC_PROTOCOL, "antin-fetch");
    *outcome = (struct an_fetch_outcome){.length = (size_t)length, .again = again != 0, .wait_seconds = (unsigned)wait};
    if (code == 0)
        return AN_OK;
    return an_err_set(reterr, an_message_find((an_code)code)->code, "%s", detail);
}

static an_code
read_body(int fd, size_t length, const struct an_fetch *what, struct an_buf *ret, struct an_err *reterr)
{
    size_t done = 0;
    uint8_t *room;

    an_buf_reset(ret);
    if (length > what->bytes_max || (room = an_buf_extend(ret, length)) == NULL) {
        an_buf_reset(ret);
        AN_FAIL(reterr, AN_E_FETCH_SIZE, "%zu byte", length);
    }
    while (done < length) {
        ssize_t got = pread(fd, room + done, length - done, (off_t)done);
        if (got <= 0)
            AN_FAIL(reterr, AN_E_PROC_PROTOCOL, "antin-fetch: body");
        done += (size_t)got;
    }
    return AN_OK;
}

static an_code
ask_helper(struct an_fetcher *fetcher, struct helper *helper, uint32_t type, an_bytes question, int fd,
           uint64_t timeout_ms,
           struct an_fetch_outcome *outcome, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(65536);
    an_code code;

    AN_TRY(start_helper(fetcher, helper, reterr));
    code = an_child_ask(helper->child, type, question, fd, timeout_ms + HELPER_GRACE_MS, NULL, &answer, reterr);
    if (code == AN_E_PROC_CRASHED || code == AN_E_PROC_TIMEOUT || code == AN_E_PROC_PROTOCOL)
        an_child_stop(&helper->child);
    return code != AN_OK ? code : read_outcome(an_buf_view(&answer), outcome, reterr);
}

an_code
an_fetcher_ask(struct an_fetcher *fetcher, uint32_t type, an_bytes question, int fd, uint64_t timeout_ms,
               struct an_fetch_outcome *ret, struct an_err *reterr)
{
    struct helper *helper = take_helper(fetcher);
    an_code code = ask_helper(fetcher, helper, type, question, fd, timeout_ms, ret, reterr);

    give_helper_back(fetcher, helper);
    return code;
}

static an_code
try_once(struct an_fetcher *fetcher, an_bytes question, const struct an_fetch *what, struct an_fetch_outcome *outcome,
         struct an_buf *ret, struct an_err *reterr)
{
    int fd = memfd_create("antin-fetch", MFD_CLOEXEC);
    an_code code;

    if (fd < 0)
        return an_err_set_errno(reterr, AN_E_FILE_CREATE, errno, "memfd");
    code = an_fetcher_ask(fetcher, AN_FETCH_GET, question, fd, what->timeout_ms, outcome, reterr);
    if (code == AN_OK)
        code = read_body(fd, outcome->length, what, ret, reterr);
    close(fd);
    return code;
}

static an_code
build_question(const struct an_fetch *what, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(AN_LIMIT_MESSAGE_BYTES);

    an_base64_encode(&body, what->body);
    an_buf_byte(&body, 0);
    if (!an_buf_ok(&body))
        AN_FAIL(reterr, AN_E_LIMIT, "body of %zu byte", what->body.len);
    root =
        json_pack("{s:s, s:s*, s:s*, s:s*, s:I, s:I}", "url", what->url, "body",
                  what->body.ptr ? (char *)body.ptr : NULL, "content_type", what->content_type, "accept", what->accept,
                  "timeout_ms", (json_int_t)what->timeout_ms, "bytes_max", (json_int_t)what->bytes_max);
    if (root == NULL)
        AN_FAIL(reterr, AN_E_FETCH_URL, "not UTF-8");
    an_json_write(ret, root);
    if (!an_buf_ok(ret))
        AN_FAIL(reterr, AN_E_LIMIT, "body of %zu byte", what->body.len);
    return AN_OK;
}

an_code
an_fetch_do(struct an_fetcher *fetcher, const struct an_fetch *what, struct an_buf *ret_body, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf question = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    struct an_fetch limited = *what;

    if (limited.bytes_max == 0 || limited.bytes_max > AN_LIMIT_HTTP_BYTES)
        limited.bytes_max = AN_LIMIT_HTTP_BYTES;
    if (limited.timeout_ms == 0 || limited.timeout_ms > 600000)
        limited.timeout_ms = limited.timeout_ms == 0 ? 30000 : 600000;
    AN_TRY(build_question(&limited, &question, reterr));
    for (unsigned tried = 1, wait = 2;; tried++, wait = wait < 16 ? wait * 2 : wait) {
        struct an_fetch_outcome outcome = {0};
        an_code code = try_once(fetcher, an_buf_view(&question), &limited, &outcome, ret_body, reterr);
        if (code == AN_OK || !outcome.again || tried >= what->tries)
            return code;
        sleep(outcome.wait_seconds > wait ? outcome.wait_seconds : wait);
    }
}
