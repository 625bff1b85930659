/*
 * antin serve: holds the sockets that listen and the store open, and keeps two processes running: antin-key with the
 * private keys, antin-http with the network. What ends unasked is started again; what is replaced (SIGHUP) leaves after
 * its successor serves, so that no connection is refused and no request lost.
 */
#include "office/instance_cmd.h"

#include "base/file.h"
#include "base/time.h"
#include "http/node.h"
#include "keys/wire.h"
#include "proc/json.h"
#include "proc/proc.h"
#include "service/instance/instance.h"
#include "service/instance/serve_config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SETUP_MS 60000
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS 10000
#define KEYS_AWAITED_MS 1000
#define STEADY_MS 30000   /* who has run that long starts again at once */
#define STOP_MS 30000
#define CHECKPOINT_PAUSE_MS 30000 /* asked for more often than that, it is not made more often */
#define LEAVING_MAX 16
#define LEFT_MAX 16
#define SUCCESSOR_FIRST_MS 500
#define SUCCESSOR_MAX_MS 30000

enum { CHILD_KEY = 0, CHILD_HTTP, CHILDREN };
static const struct { const char *program; uint32_t setup; } programs[CHILDREN] = {{"antin-key", AN_KEYS_SETUP},
        {"antin-http", AN_NODE_SETUP}};

struct kept_child {
    struct an_child *child; /* NULL = to be started */
    int listener;
    uint64_t started_ms, start_at_ms, backoff_ms;
};
/* A key process that is started beside one in trouble, by a thread: a token that hangs must not stop the watch. */
struct successor {
    bool is_wanted, is_running, is_done; /* is_done: atomic */
    pthread_t thread;
    struct an_child *child;
    struct an_err err;
    uint64_t try_at_ms, pause_ms;
};
struct supervisor {
    struct an_instance *instance;
    struct kept_child kept[CHILDREN];
    struct an_child *leaving[LEAVING_MAX];
    struct an_child *checkpoint; /* the command that makes one; NULL = none runs */
    uint64_t stuck_ms;           /* when a key process said last that a call does not come back; 0 = never */
    bool told_hangs;             /* the network process knows that a token hangs */
    uint64_t checkpoint_ms;      /* when the last one was started */
    struct successor successor;
    /* keys whose tokens hung when they were opened: the next key process leaves them alone */
    char *left[LEFT_MAX];
    size_t left_count;
    int lock, signals;
};

/* ---- words ---- */
static void
say(const char *event, const char *program, const char *detail)
{
    AN_CLEANUP(an_buf_free) struct an_buf line = an_buf_new(2048);
    char at[AN_TIME_TEXT_MAX];
    json_t *object = json_pack("{s:s, s:s, s:s, s:s}", "at", an_time_format_utc(an_time_now(), at), "event", event,
                               "program", program, "detail", detail);

    if (object == NULL)
        return;
    an_json_write(&line, object);
    an_buf_byte(&line, '\n');
    (void)!write(STDERR_FILENO, line.ptr, line.len);
    json_decref(object);
}

/* systemd's way of being told (sd_notify(3)): a datagram to the socket that it names. */
static void
tell_manager(const char *word)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (path == NULL || strlen(path) >= sizeof(address.sun_path) || (*path != '/' && *path != '@'))
        return;
    memcpy(address.sun_path, path, strlen(path));
    if (*path == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, word, strlen(word), MSG_NOSIGNAL, (struct sockaddr *)&address,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
    close(fd);
}

/* ---- one of us, and our sockets ---- */
static an_code
take_lock(struct supervisor *s, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_instance_path(s->instance, "run/antin.pid");
    AN_CLEANUP(an_free_ptr) char *number = an_asprintf("%d\n", (int)getpid());

    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (s->lock < 0)
        return an_err_set_errno(reterr, AN_E_FILE_CREATE, errno, "%s", path);
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
        AN_FAIL(reterr, AN_E_SERVE_RUNS, "%s", path);
    if (ftruncate(s->lock, 0) != 0 || write(s->lock, number, strlen(number)) < 0)
        return an_err_set_errno(reterr, AN_E_FILE_WRITE, errno, "%s", path);
    return AN_OK;
}

/* The folder's name may be longer than an address can be: then it is bound through the folder's descriptor. */
static an_code
listen_for_keys(struct supervisor *s, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_instance_path(s->instance, AN_KEYS_SOCKET);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int folder = open(s->instance->dir, O_PATH | O_CLOEXEC),
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), failed = 0;
    mode_t before = umask(0177);

    if (strlen(path) < sizeof(address.sun_path))
        memcpy(address.sun_path, path, strlen(path) + 1);
    else
        snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", folder, AN_KEYS_SOCKET);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 64) != 0)
        failed = errno;
    umask(before);
    close(folder);
    if (failed != 0) {
        if (fd >= 0)
            close(fd);
        return an_err_set_errno(reterr, AN_E_FILE_CREATE, failed, "%s", path);
    }
    s->kept[CHILD_KEY].listener = fd;
    return AN_OK;
}

/* ---- children ---- */
/* As the configuration stands now. */
static int64_t
token_ms(const struct supervisor *s)
{
    AN_CLEANUP(an_config_done) struct an_config config = {0};
    AN_CLEANUP(an_free_ptr) char *path = an_instance_path(s->instance, "antin.yaml");
    struct an_config_serve serve;

    if (an_config_load(path, &config, NULL) != AN_OK || an_config_read_serve(&config, &serve, NULL) != AN_OK)
        return AN_KEYS_CALL_MS;
    return serve.token_seconds * 1000;
}

/* all: also keys whose tokens hung the last time. */
static an_code
start_child(const struct supervisor *s, int which, bool all, struct an_child **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(AN_KEYS_FRAME_BYTES), setup = an_buf_new(65536);
    AN_CLEANUP(an_json_free) json_t *root = json_pack("{s:s}", "dir", s->instance->dir);
    struct an_child *child = NULL;
    json_t *left = json_array();
    an_code code;

    for (size_t i = 0; i < s->left_count && !all; i++)
        json_array_append_new(left, json_string(s->left[i]));
    json_object_set_new(root, "left", left);
    json_object_set_new(root, "call_ms", json_integer(which == CHILD_KEY ? token_ms(s) : 0));
    an_json_write(&setup, root);
    AN_TRY(an_child_start(programs[which].program, &child, reterr));
    code = an_child_ask(child, programs[which].setup, an_buf_view(&setup), s->kept[which].listener, SETUP_MS, NULL,
                        &answer, reterr);
    if (code != AN_OK) {
        an_child_stop(&child);
        return code;
    }
    *ret = child;
    return AN_OK;
}

static void
keep_child(struct supervisor *s, int which, struct an_child *child)
{
    char detail[32];

    snprintf(detail, sizeof(detail), "%d", an_child_number(child));
    say("started", programs[which].program, detail);
    s->kept[which].child = child;
    if (which == CHILD_HTTP)
        s->told_hangs = false;
    s->kept[which].started_ms = an_time_monotonic_ms();
}

static void
forget_left(struct supervisor *s)
{
    while (s->left_count > 0)
        free(s->left[--s->left_count]);
}

/* A key process that found a token hanging says whose and ends; the next one leaves that token alone and holds the
 * others. */
static an_code
start_surely(struct supervisor *s, int which, struct an_child **ret, struct an_err *reterr)
{
    an_code code;

    while ((code = start_child(s, which, false, ret, reterr)) == AN_E_TOKEN_HANGS && which == CHILD_KEY &&
           s->left_count < LEFT_MAX) {
        say("token.hangs", programs[which].program, reterr->detail);
        s->left[s->left_count++] = an_strdup(reterr->detail);
        s->successor.is_wanted = true;
    }
    return code;
}

static void
put_off(struct kept_child *kept, uint64_t now)
{
    kept->backoff_ms = kept->backoff_ms == 0 ? BACKOFF_FIRST_MS : kept->backoff_ms * 2 < BACKOFF_MAX_MS
            ? kept->backoff_ms * 2 : BACKOFF_MAX_MS;
    kept->start_at_ms = now + kept->backoff_ms;
}

/* The network process wants the keys at its start. When they do not come back soon, it serves what needs none. */
static bool
waits_for_keys(const struct supervisor *s, int which)
{
    return which == CHILD_HTTP && s->kept[CHILD_KEY].child == NULL && s->kept[CHILD_KEY].backoff_ms < KEYS_AWAITED_MS;
}

static void
start_due(struct supervisor *s)
{
    for (int i = 0; i < CHILDREN; i++) {
        struct an_child *child = NULL;
        struct an_err err = {0};
        if (s->kept[i].child != NULL || an_time_monotonic_ms() < s->kept[i].start_at_ms || waits_for_keys(s, i))
            continue;
        if (start_surely(s, i, &child, &err) == AN_OK) {
            keep_child(s, i, child);
        } else {
            say("start.failed", programs[i].program, err.detail);
            put_off(&s->kept[i], an_time_monotonic_ms());
        }
    }
}

static void
note_ended(struct supervisor *s)
{
    uint64_t now = an_time_monotonic_ms();

    for (int i = 0; i < CHILDREN; i++) {
        int status = 0;
        char detail[64];
        if (s->kept[i].child == NULL || !an_child_has_ended(s->kept[i].child, &status))
            continue;
        snprintf(detail, sizeof(detail), WIFSIGNALED(status) ? "signal %d" : "exit status %d",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        say("ended", programs[i].program, detail);
        an_child_stop(&s->kept[i].child);
        if (now - s->kept[i].started_ms >= STEADY_MS)
            s->kept[i].backoff_ms = 0;
        put_off(&s->kept[i], now);
    }
    for (size_t i = 0; i < LEAVING_MAX; i++) {
        int status = 0;
        if (s->leaving[i] != NULL && an_child_has_ended(s->leaving[i], &status))
            an_child_stop(&s->leaving[i]);
    }
}

/* It ends by itself when those who are connected to it have gone. */
static void
let_leave(struct supervisor *s, int which, struct an_child **child)
{
    size_t place = 0;

    if (*child == NULL)
        return;
    if (which == CHILD_HTTP)
        (void)!an_child_tell(*child, AN_NODE_DRAIN, NULL);
    else
        an_child_hang_up(*child);
    while (place + 1 < LEAVING_MAX && s->leaving[place] != NULL)
        place++;
    an_child_stop(&s->leaving[place]); /* the seventeenth at once: somebody reloads in a loop */
    s->leaving[place] = *child;
    *child = NULL;
}

/* New processes, with the configuration, keys and programs as they are now. When one cannot start, the old one
 * stays. */
static void
replace_children(struct supervisor *s)
{
    tell_manager("RELOADING=1");
    for (int i = 0; i < CHILDREN; i++) {
        struct an_child *child = NULL, *before = s->kept[i].child;
        struct an_err err = {0};
        if (start_child(s, i, true, &child, &err) != AN_OK) {
            say("replace.failed", programs[i].program, err.detail);
            continue;
        }
        if (i == CHILD_KEY)
            forget_left(s);
        keep_child(s, i, child);
        let_leave(s, i, &before);
    }
    tell_manager("READY=1");
}

/* ---- what children say unasked ---- */
/* A command as a person would give it: it asks the key process that serves, and starts antin-fetch for itself. */
static void
start_checkpoint(struct supervisor *s)
{
    char *argv[] = {an_strdup("antin-office"), an_strdup("audit"), an_strdup("checkpoint"), an_strdup("--dir"),
                    an_strdup(s->instance->dir), an_strdup("--lang=en"), NULL};
    uint64_t now = an_time_monotonic_ms();
    struct an_err err = {0};

    if (s->checkpoint == NULL && (s->checkpoint_ms == 0 || now - s->checkpoint_ms >= CHECKPOINT_PAUSE_MS)) {
        s->checkpoint_ms = now;
        if (an_child_run("antin-office", argv, &s->checkpoint, &err) != AN_OK)
            say("checkpoint.failed", "antin-office", err.detail);
    }
    for (size_t i = 0; argv[i] != NULL; i++)
        free(argv[i]);
}

static void
note_checkpoint(struct supervisor *s)
{
    int status = 0;

    if (s->checkpoint == NULL || !an_child_has_ended(s->checkpoint, &status))
        return;
    if (status != 0)
        say("checkpoint.failed", "antin-office", "its words stand above");
    an_child_stop(&s->checkpoint);
}

static void *
try_successor(void *context)
{
    struct supervisor *s = context;

    s->successor.err.code = start_child(s, CHILD_KEY, true, &s->successor.child, &s->successor.err);
    __atomic_store_n(&s->successor.is_done, true, __ATOMIC_RELEASE);
    kill(getpid(), SIGCHLD); /* wakes the watch */
    return NULL;
}

/* It serves: whoever was in trouble leaves, and what he has not answered is asked here. */
static void
take_successor(struct supervisor *s)
{
    struct successor *next = &s->successor;
    struct an_child *before = s->kept[CHILD_KEY].child;

    pthread_join(next->thread, NULL);
    next->is_running = false;
    if (next->child == NULL) {
        say("successor.failed", programs[CHILD_KEY].program, next->err.detail);
        next->pause_ms = next->pause_ms == 0 ? SUCCESSOR_FIRST_MS : next->pause_ms * 2 < SUCCESSOR_MAX_MS
                ? next->pause_ms * 2 : SUCCESSOR_MAX_MS;
        next->try_at_ms = an_time_monotonic_ms() + next->pause_ms;
        return;
    }
    keep_child(s, CHILD_KEY, next->child);
    let_leave(s, CHILD_KEY, &before);
    forget_left(s);
    *next = (struct successor){0};
}

static void
tend_successor(struct supervisor *s)
{
    struct successor *next = &s->successor;

    if (next->is_running && __atomic_load_n(&next->is_done, __ATOMIC_ACQUIRE))
        take_successor(s);
    if (!next->is_wanted || next->is_running || an_time_monotonic_ms() < next->try_at_ms)
        return;
    next->is_done = false;
    next->err = (struct an_err){0};
    next->is_running = pthread_create(&next->thread, NULL, try_successor, s) == 0;
}

/* For /healthz and /metrics: from the moment a token is known to hang until a key process could open all and none was
 * in trouble for as long as two calls may take: a token may open and hang at the next signature. */
static void
tell_hanging(struct supervisor *s)
{
    bool hangs;

    if (s->stuck_ms != 0 && an_time_monotonic_ms() - s->stuck_ms >= 2 * (uint64_t)token_ms(s))
        s->stuck_ms = 0;
    hangs = s->successor.is_wanted || s->stuck_ms != 0;
    if (s->kept[CHILD_HTTP].child == NULL || hangs == s->told_hangs)
        return;
    s->told_hangs = an_child_tell(s->kept[CHILD_HTTP].child, hangs ? AN_NODE_TOKEN_HANGS : AN_NODE_TOKEN_ANSWERS,
                                  NULL) == AN_OK ? hangs : s->told_hangs;
}

static void
listen_to_children(struct supervisor *s)
{
    if (s->kept[CHILD_KEY].child != NULL && an_child_word(s->kept[CHILD_KEY].child) == AN_KEYS_STUCK) {
        say("token.hangs", programs[CHILD_KEY].program, "a successor is tried");
        s->successor.is_wanted = true;
        s->stuck_ms = an_time_monotonic_ms();
    }
    tend_successor(s);
    tell_hanging(s);

    uint32_t word = s->kept[CHILD_HTTP].child != NULL ? an_child_word(s->kept[CHILD_HTTP].child) : 0;
    if (word == AN_NODE_CHECKPOINT)
        start_checkpoint(s);
    note_checkpoint(s);
    if (word == AN_NODE_AUTHORITIES) {
        say("authorities", "antin", "others than before: new processes take over");
        replace_children(s);
    }
}

static bool
all_have_left(struct supervisor *s)
{
    note_ended(s);
    for (size_t i = 0; i < LEAVING_MAX; i++)
        if (s->leaving[i] != NULL)
            return false;
    return true;
}

/* The network first: its last requests still need the keys. */
static void
stop_all(struct supervisor *s)
{
    static const int order[] = {CHILD_HTTP, CHILD_KEY};
    uint64_t deadline = an_time_monotonic_ms() + STOP_MS;

    if (s->successor.is_running)
        pthread_join(s->successor.thread, NULL);
    an_child_stop(&s->successor.child);
    tell_manager("STOPPING=1");
    for (size_t i = 0; i < AN_COUNT(order); i++) {
        let_leave(s, order[i], &s->kept[order[i]].child);
        while (!all_have_left(s) && an_time_monotonic_ms() < deadline)
            usleep(10000);
    }
    for (size_t i = 0; i < LEAVING_MAX; i++)
        an_child_stop(&s->leaving[i]);
    say("stopped", "antin", "");
}

/* ---- the watch ---- */
static an_code
open_signals(struct supervisor *s, struct an_err *reterr)
{
    sigset_t watched;

    sigemptyset(&watched);
    for (size_t i = 0; i < 6; i++)
        sigaddset(&watched, ((const int[]){SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGCHLD, SIGQUIT})[i]);
    sigprocmask(SIG_BLOCK, &watched, NULL);
    signal(SIGPIPE, SIG_IGN);
    s->signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals >= 0 ? AN_OK : an_err_set_errno(reterr, AN_E_PROC_START, errno, "signalfd");
}

static int
wait_ms(const struct supervisor *s)
{
    uint64_t now = an_time_monotonic_ms(), next = now + 1000;

    for (int i = 0; i < CHILDREN; i++)
        if (s->kept[i].child == NULL && s->kept[i].start_at_ms < next)
            next = s->kept[i].start_at_ms;
    if (s->successor.is_wanted && !s->successor.is_running && s->successor.try_at_ms < next)
        next = s->successor.try_at_ms;
    return next > now ? (int)(next - now) : 0;
}

/* False when we are to stop. */
static bool
obey_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;

    while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT || info.ssi_signo == SIGQUIT)
            return false;
        if (info.ssi_signo == SIGHUP || info.ssi_signo == SIGUSR2)
            replace_children(s);
    }
    return true;
}

static void
watch(struct supervisor *s)
{
    for (;;) {
        struct pollfd all[1 + CHILDREN] = {{.fd = s->signals, .events = POLLIN}};
        start_due(s);
        for (int i = 0; i < CHILDREN; i++)
            all[1 + i] = (struct pollfd){.fd = s->kept[i].child ? an_child_socket(s->kept[i].child) : -1,
                                         .events = POLLIN};
        (void)poll(all, AN_COUNT(all), wait_ms(s));
        if (!obey_signals(s))
            return;
        note_ended(s);
        listen_to_children(s);
    }
}

/* Where libpq looks for the password, said outright: helpers are not told whose home this is. */
static void
name_passfile(void)
{
    const char *home = getenv("HOME");
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/.pgpass", home ? home : "");

    if (home != NULL && access(path, R_OK) == 0)
        setenv("PGPASSFILE", path, 0);
}

static an_code
open_all(struct supervisor *s, const char *dir, const char *listen, unsigned *ret_port, struct an_err *reterr)
{
    struct an_config_serve serve;

    AN_TRY(an_instance_open(dir, 0, &s->instance, reterr));
    AN_TRY(take_lock(s, reterr));
    AN_TRY(an_config_read_serve(&s->instance->config, &serve, reterr));
    AN_TRY(an_http_listen(listen ? listen : serve.listen, &s->kept[CHILD_HTTP].listener, ret_port, reterr));
    AN_TRY(listen_for_keys(s, reterr));
    AN_TRY(open_signals(s, reterr));
    name_passfile();
    for (int i = 0; i < CHILDREN; i++) {
        struct an_child *child = NULL;
        AN_TRY(start_surely(s, i, &child, reterr)); /* what does not start the first time is told to who started us */
        keep_child(s, i, child);
    }
    return AN_OK;
}

static void
close_all(struct supervisor *s)
{
    for (int i = 0; i < CHILDREN; i++) {
        an_child_stop(&s->kept[i].child);
        if (s->kept[i].listener >= 0)
            close(s->kept[i].listener);
    }
    an_child_stop(&s->checkpoint);
    forget_left(s);
    if (s->signals >= 0)
        close(s->signals);
    if (s->lock >= 0)
        close(s->lock);
    an_instance_close(&s->instance);
}

int
cmd_serve(struct cli *cli, const void *options, char **args, int count)
{
    const struct serve_args *a = options;
    struct supervisor s = {.lock = -1, .signals = -1, .kept = {{.listener = -1}, {.listener = -1}}};
    struct an_err err = {0};
    unsigned port = 0;

    (void)args, (void)count;
    if (open_all(&s, a->dir ? a->dir : ".", a->listen, &port, &err) != AN_OK) {
        close_all(&s);
        return cli_fail(cli, &err);
    }
    fprintf(cli->out, SAY(cli, "Đang phục vụ tại cổng %u\n", "Serving on port %u\n"), port);
    fflush(cli->out);
    tell_manager("READY=1");
    watch(&s);
    stop_all(&s);
    close_all(&s);
    return 0;
}
