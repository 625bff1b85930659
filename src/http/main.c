/*
 * antin-http: learns its instance, closes its sandbox, opens the instance, serves. It reads requests of strangers and
 * the database, and can reach neither private keys nor PINs nor other machines (but the one of the database).
 */
#include "http/enrol.h"
#include "http/node.h"

#include "base/program.h"
#include "proc/frame.h"
#include "proc/json.h"
#include "ca/revocation.h"
#include "service/certification/enrol.h"

#include <jansson.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PARENT 3
#define KEYS_WAIT_MS 5000
#define DESCRIPTORS_MAX 16384
#define BIG_BYTES (32 * 1024)
#define SLACK_NS 1000 /* of what sleeps: fifty times as much unless said otherwise, longer than a loop waits to gather */
#define DRAIN_MS 20000 /* who has not read his answer by then never will */

/* One JSON line. What stands in detail comes from us, but names in it may be anybody's. */
static void
log_event(void *context, const char *event, const char *detail)
{
    AN_CLEANUP(an_buf_free) struct an_buf line = an_buf_new(2048);
    json_t *object = json_pack("{s:s, s:s%}", "event", event, "detail", detail, strlen(detail));
    char at[AN_TIME_TEXT_MAX];

    (void)context;
    if (object == NULL) /* not UTF-8 */
        object = json_pack("{s:s}", "event", event);
    json_object_set_new(object, "at", json_string(an_time_format_utc(an_time_now(), at)));
    an_json_write(&line, object);
    an_buf_byte(&line, '\n');
    (void)!write(STDERR_FILENO, line.ptr, line.len);
    json_decref(object);
}

/* ---- sandbox ---- */
struct places { char *config, *public_dir, *run, *database, *wal, *shm, *passfile, *enrol_key; };

static void
free_places(struct places *places)
{
    char **all[] = {&places->config, &places->public_dir, &places->run, &places->database, &places->wal, &places->shm,
                    &places->passfile, &places->enrol_key};

    for (size_t i = 0; i < AN_COUNT(all); i++)
        free(*all[i]);
}

static bool
find_places(const char *dir, const struct an_config *config, struct places *ret)
{
    AN_CLEANUP(an_free_ptr) char *url = an_instance_database(dir, config->database);
    bool is_sqlite = strncmp(url, "sqlite:", 7) == 0;

    ret->config = an_asprintf("%s/antin.yaml", dir);
    /* of the secrets of enrolment: codes are checked here (decision 063) */
    ret->enrol_key = an_asprintf("%s/keys/enrol.key", dir);
    ret->public_dir = an_asprintf("%s/public", dir);
    ret->run = an_asprintf("%s/run", dir);
    ret->database = is_sqlite ? an_strdup(url + 7) : an_strdup("/nowhere");
    ret->wal = an_asprintf("%s-wal", ret->database);
    ret->shm = an_asprintf("%s-shm", ret->database);
    ret->passfile = getenv("PGPASSFILE") ? an_strdup(getenv("PGPASSFILE")) : an_strdup("/nowhere");
    return is_sqlite;
}

/* Before the store is opened, so that every thread of ours is inside. The store's files are named one by one: whoever
 * started us holds it open, so they are there and stay. */
static an_code
enter_sandbox(const char *dir, struct an_err *reterr)
{
    AN_CLEANUP(an_config_done) struct an_config config = {0};
    AN_CLEANUP(free_places) struct places places = {0};
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/antin.yaml", dir);
    bool is_sqlite;

    AN_TRY(an_config_load(path, &config, reterr));
    is_sqlite = find_places(dir, &config, &places);
    const char *const read_paths[] = {places.config, an_program_data(), "/etc", "/usr", "/lib", "/lib64", "/dev/null",
                                      "/proc/self", places.enrol_key, is_sqlite ? places.config : places.passfile};
    const char *const write_paths[] = {places.public_dir, places.run, places.database, places.wal, places.shm};
    const struct an_sandbox sandbox = {
        .threads = true, .local = true, .network = !is_sqlite, .descriptors_max = DESCRIPTORS_MAX,
        .read_paths = read_paths, .read_count = AN_COUNT(read_paths),
        .write_paths = write_paths, .write_count = is_sqlite ? AN_COUNT(write_paths) : 2,
        .file_bytes_max = UINT64_C(1) << 42,
    };
    return an_sandbox_enter(&sandbox, false, reterr);
}

/* ---- serving ---- */
/* Whoever started us may start others: in our sandbox nothing reaches another machine. */
static void
tell_parent(enum an_status_word word)
{
    static const uint32_t types[] = {[AN_STATUS_CHECKPOINT] = AN_NODE_CHECKPOINT,
                                     [AN_STATUS_AUTHORITIES] = AN_NODE_AUTHORITIES};

    (void)!an_frame_send(PARENT, types[word], AN_LIT("{}"), -1, an_time_monotonic_ms() + KEYS_WAIT_MS);
}

static an_code
open_authority_key(void *context, const char *key, struct an_signer **ret, struct an_err *reterr)
{
    const struct an_node *node = context;

    return an_signer_of_keys(node->keys, key, AN_PURPOSE_CERTIFICATE, ret, reterr);
}

static an_code
make_first_answer(void *context, const struct an_authority *authority, struct an_cert *cert, an_time now,
                  struct an_buf *ret, struct an_err *reterr)
{
    const struct an_node *node = context;

    if (authority->ocsp_key == NULL || authority->ocsp_key[0] == '\0')
        return AN_OK;
    return an_status_first_make(node->status, authority->id, cert->serial, now, ret, reterr);
}

static an_code
put_first_answer(void *context, struct an_tx *tx, int64_t certificate, an_bytes answer, an_time now,
                 struct an_err *reterr)
{
    const struct an_node *node = context;

    return an_status_first_put(node->status, tx, certificate, answer, now, reterr);
}

static void
announce_change(void *context)
{
    const struct an_node *node = context;

    an_status_announce(node->instance->dir);
}

/* Enrolment is served when authorities and the registration signer are there; without it everything else is. */
static an_code
open_enrolment(struct an_node *node, struct an_err *reterr)
{
    const struct an_first_answer answer = {make_first_answer, put_first_answer, node};
    const struct an_certifier_setup certify = {.store = node->instance->store, .open_key = open_authority_key,
                                               .key_context = node, .first_answer = &answer,
                                               .announce = announce_change, .announce_context = node};
    struct an_enrol_setup setup = {.instance = node->instance};
    struct an_enrol_service *service = NULL;

    if (node->certifier == NULL)
        AN_TRY(an_certifier_open(&certify, &node->certifier, reterr));
    if (node->enrol_signer == NULL)
        AN_TRY(an_signer_of_keys(node->keys, "dang-ky", AN_PURPOSE_ENROL, &node->enrol_signer, reterr));
    setup.certifier = node->certifier;
    setup.signer = node->enrol_signer;
    AN_TRY(an_enrol_service_open(&setup, &service, reterr));
    __atomic_store_n(&node->enrol, service, __ATOMIC_RELEASE);
    return AN_OK;
}

/* What was away when we started may be back: tried again after a second, then after twice as long each time, a minute
 * at most. An instance that has no registration signer at all is not asked again. */
static void
look_for_enrolment(struct an_node *node)
{
    struct an_err err = {0};
    uint64_t now = an_time_monotonic_ms();

    if (an_node_enrol(node) != NULL || now < node->enrol_again_ms)
        return;
    err.code = open_enrolment(node, &err);
    if (err.code == AN_OK) {
        log_event(NULL, "enrol.on", "");
        return;
    }
    if (node->enrol_pause_ms == 0)
        log_event(NULL, "enrol.off", err.detail);
    node->enrol_pause_ms = node->enrol_pause_ms == 0 ? 1000 : node->enrol_pause_ms >= 30000 ? 60000
            : node->enrol_pause_ms * 2;
    node->enrol_again_ms = err.code == AN_E_KEYS_NAME ? UINT64_MAX : now + node->enrol_pause_ms;
}

static an_code
start_node(const char *dir, int listener, struct an_node *node, struct an_err *reterr)
{
    static struct an_http_routes tables[2];
    const struct an_config_serve *serve;

    tables[0] = (struct an_http_routes){an_status_routes, an_status_route_count};
    tables[1] = (struct an_http_routes){an_enrol_routes, an_enrol_route_count};
    AN_TRY(an_instance_open(dir, 0, &node->instance, reterr));
    AN_TRY(an_keys_attach(dir, KEYS_WAIT_MS, &node->keys, reterr));
    AN_TRY(an_status_open(node->instance, node->keys, log_event, NULL, &node->status, reterr));
    an_status_delegate(node->status, tell_parent);
    look_for_enrolment(node);
    node->started = an_time_now();
    serve = an_status_config(node->status);
    struct an_http_setup setup = {.listen_fd = listener, .tables = tables, .table_count = AN_COUNT(tables),
                                  .context = node, .workers = (unsigned)serve->workers,
                                  .log_fd = serve->access_log ? STDERR_FILENO : -1, .trusted = serve->proxies,
                                  .trusted_certs = serve->client_certs_from};
    return an_http_server_start(&setup, &node->server, NULL, reterr);
}

static an_code
set_up(const struct an_frame *frame, struct an_node *node, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    const char *dir = NULL;

    if (frame->type != AN_NODE_SETUP || frame->fd < 0)
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "set-up");
    AN_TRY(an_json_parse(an_buf_view(&frame->payload), &root, reterr));
    if (json_unpack(root, "{s:s}", "dir", &dir) != 0 || *dir != '/')
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "set-up: dir");
    AN_TRY(enter_sandbox(dir, reterr));
    node->listener = frame->fd;
    return start_node(dir, frame->fd, node, reterr);
}

/* Lists and changes have a thread of their own: a list of millions must not delay our parent's word. */
static void *
tick(void *context)
{
    struct an_node *node = context;

    for (;;) {
        an_status_tick(node->status);
        look_for_enrolment(node);
        if (an_node_enrol(node) != NULL)
            /* what fails now is tended a minute later */
            (void)!an_enrol_service_tend(an_node_enrol(node), an_time_now(), NULL);
        usleep((useconds_t)an_status_config(node->status)->poll_ms * 1000);
    }
    return NULL;
}

/* Until our parent says so, or has gone. */
static void
wait_for_word(struct an_node *node)
{
    struct an_frame frame = {.payload = an_buf_new(4096), .fd = -1};

    while (an_frame_receive(PARENT, &frame, 0) == AN_FRAME_OK && frame.type != AN_NODE_DRAIN)
        if (frame.type == AN_NODE_TOKEN_HANGS || frame.type == AN_NODE_TOKEN_ANSWERS)
            an_status_note_token(node->status, frame.type == AN_NODE_TOKEN_HANGS);
    an_buf_free(&frame.payload);
}

static void
leave(struct an_node *node)
{
    uint64_t deadline = an_time_monotonic_ms() + DRAIN_MS;

    an_http_server_drain(node->server);
    close(node->listener); /* whoever comes after us listens there: we must not keep the port */
    while (!an_http_server_is_empty(node->server) && an_time_monotonic_ms() < deadline)
        usleep(10000);
    an_http_server_stop(&node->server);
    if (an_node_enrol(node) != NULL)
        an_enrol_service_leave(an_node_enrol(node), an_time_now());
    log_event(NULL, "http.left", "");
}

int
main(void)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(65536);
    struct an_frame frame = {.payload = an_buf_new(65536), .fd = -1};
    struct an_node node = {0};
    struct an_err err = {0};
    pthread_t ticking;

    signal(SIGPIPE, SIG_IGN);
    /* said once, it stays: large bodies go back to the system when they are freed */
    (void)mallopt(M_MMAP_THRESHOLD, BIG_BYTES);
    (void)prctl(PR_SET_TIMERSLACK, SLACK_NS); /* threads take it over */
    if (an_frame_receive(PARENT, &frame, 0) != AN_FRAME_OK)
        return AN_KIND_PROTOCOL;
    err.code = set_up(&frame, &node, &err);
    if (err.code != AN_OK)
        an_frame_write_error(&answer, &err);
    else
        an_buf_str(&answer, "{}");
    if (an_frame_send(PARENT, err.code == AN_OK ? AN_NODE_SETUP : AN_FRAME_ERROR, an_buf_view(&answer), -1,
                      0) != AN_FRAME_OK || err.code != AN_OK)
        return AN_KIND_CONFIG;
    if (pthread_create(&ticking, NULL, tick, &node) != 0)
        return AN_KIND_OS;
    wait_for_word(&node);
    leave(&node);
    _exit(0); /* the ticking thread holds what would be closed */
}
