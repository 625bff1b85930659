#include "proc/internal.h"

#include "base/limits.h"
#include "base/program.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_GRACE_MS 500 /* from closing the socket to the kill */

struct an_child {
    pid_t pid; /* 0 = not running */
    int socket;
    char *name;
};

static char *extra_folder;

void
an_child_look_in(const char *folder)
{
    free(extra_folder);
    extra_folder = folder ? an_strdup(folder) : NULL;
}

static char *
find_program(const char *name)
{
    char *path = NULL;

    if (strchr(name, '/') != NULL)
        return NULL;
    if (extra_folder != NULL && extra_folder[0] != '\0') {
        path = an_asprintf("%s/%s", extra_folder, name);
        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return an_program_find(name);
}

/* What a helper may know of our environment: language, zone, a fixed clock for reproducible output, where the password
 * of the database stands. */
static const char *const environment_kept[] = {"LANG", "LC_ALL", "LC_CTYPE", "TZ", "SOURCE_DATE_EPOCH", "PGPASSFILE",
                                               "ASAN_OPTIONS",
                                               "UBSAN_OPTIONS", "LSAN_OPTIONS"};

static void
build_environment(char *out[static AN_COUNT(environment_kept) + 2])
{
    size_t count = 0;

    out[count++] = an_strdup("PATH=/usr/bin:/bin");
    for (size_t i = 0; i < AN_COUNT(environment_kept); i++) {
        const char *value = getenv(environment_kept[i]);
        if (value != NULL)
            out[count++] = an_asprintf("%s=%s", environment_kept[i], value);
    }
    out[count] = NULL;
}

/*
 * posix_spawn, because a fork of a process with threads and gigabytes mapped is slow and fragile. The child has its own
 * process group, so that Ctrl-C at the terminal reaches only us and we decide what becomes of the work in hand.
 */
static int
spawn_with(const char *path, char *const *arguments, int socket, pid_t *ret_pid)
{
    char *environment[AN_COUNT(environment_kept) + 2];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    int failed;

    sigfillset(&all);
    sigemptyset(&none);
    build_environment(environment);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (socket >= 0)
        posix_spawn_file_actions_adddup2(&actions, socket, 3);
    posix_spawn_file_actions_addclosefrom_np(&actions, socket >= 0 ? 4 : 3);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    failed = posix_spawn(ret_pid, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; environment[i] != NULL; i++)
        free(environment[i]);
    return failed;
}

/* A pair whose ends lie above the standard descriptors, where the file actions put other things. */
static int
open_pair(int ret[static 2])
{
    int low[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, low) != 0)
        return errno;
    for (size_t i = 0; i < 2; i++) {
        ret[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 10);
        close(low[i]);
    }
    if (ret[0] >= 0 && ret[1] >= 0)
        return 0;
    close(ret[0]);
    close(ret[1]);
    return EMFILE;
}

static an_code
find_surely(const char *name, char **ret_path, struct an_err *reterr)
{
    *ret_path = find_program(name);
    if (*ret_path == NULL)
        AN_FAIL(reterr, AN_E_PROC_START, "%s: not beside the program nor in %s", name, AN_LIBEXEC_DIR);
    return AN_OK;
}

static void
keep_child(const char *name, pid_t pid, int socket, struct an_child **ret)
{
    *ret = AN_NEW(struct an_child);
    **ret = (struct an_child){.pid = pid, .socket = socket, .name = an_strdup(name)};
}

an_code
an_child_run(const char *name, char *const *argv, struct an_child **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    pid_t pid = 0;
    int failed;

    AN_TRY(find_surely(name, &path, reterr));
    failed = spawn_with(path, argv, -1, &pid);
    if (failed != 0)
        return an_err_set_errno(reterr, AN_E_PROC_START, failed, "%s", path);
    keep_child(name, pid, -1, ret);
    return AN_OK;
}

an_code
an_child_start(const char *name, struct an_child **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = NULL, *argument = an_strdup(name);
    char *const arguments[] = {argument, NULL};
    pid_t pid = 0;
    int pair[2] = {-1, -1}, failed;

    AN_TRY(find_surely(name, &path, reterr));
    failed = open_pair(pair);
    if (failed != 0)
        return an_err_set_errno(reterr, AN_E_PROC_START, failed, "%s", name);
    failed = spawn_with(path, arguments, pair[1], &pid);
    close(pair[1]);
    if (failed != 0) {
        close(pair[0]);
        return an_err_set_errno(reterr, AN_E_PROC_START, failed, "%s", path);
    }
    keep_child(name, pid, pair[0], ret);
    return AN_OK;
}

an_code
an_child_become(const char *name, const char *const *argv, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    char *copies[32] = {NULL};

    AN_TRY(find_surely(name, &path, reterr));
    for (size_t i = 0; argv[i] != NULL; i++) {
        AN_ASSERT(i + 1 < AN_COUNT(copies));
        copies[i] = an_strdup(argv[i]);
    }
    execv(path, copies);
    for (size_t i = 0; copies[i] != NULL; i++)
        free(copies[i]);
    return an_err_set_errno(reterr, AN_E_PROC_START, errno, "%s", path);
}

/* True when the process is gone; its status is put into *status. */
static bool
reap(pid_t pid, uint64_t wait_ms, int *status)
{
    uint64_t end = an_time_monotonic_ms() + wait_ms;

    for (unsigned pause_us = 200;; pause_us = pause_us < 20000 ? pause_us * 2 : pause_us) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid || (got < 0 && errno != EINTR))
            return true;
        if (an_time_monotonic_ms() >= end)
            return false;
        usleep(pause_us);
    }
}

/* Ends the process whatever it does; returns its wait status, 0 when unknown. */
static int
end_process(struct an_child *child, uint64_t grace_ms)
{
    int status = 0;

    if (child->socket >= 0)
        close(child->socket);
    child->socket = -1;
    if (child->pid == 0)
        return 0;
    if (!reap(child->pid, grace_ms, &status)) {
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    child->pid = 0;
    return status;
}

void
an_child_stop(struct an_child **child)
{
    if (*child == NULL)
        return;
    end_process(*child, CHILD_GRACE_MS);
    free((*child)->name);
    free(*child);
    *child = NULL;
}

an_code
an_child_tell(struct an_child *child, uint32_t type, struct an_err *reterr)
{
    if (child->pid == 0 || child->socket < 0 || an_frame_send(child->socket, type, AN_LIT("{}"), -1,
                                                              an_time_monotonic_ms() + CHILD_GRACE_MS) != AN_FRAME_OK)
        AN_FAIL(reterr, AN_E_PROC_CRASHED, "%s", child->name);
    return AN_OK;
}

int
an_child_socket(const struct an_child *child)
{
    return child->socket;
}

uint32_t
an_child_word(struct an_child *child)
{
    struct an_frame frame = {.payload = an_buf_new(4096), .fd = -1};
    struct pollfd one = {.fd = child->socket, .events = POLLIN};
    bool is_there = child->socket >= 0 && poll(&one, 1, 0) > 0 &&
        an_frame_receive(child->socket, &frame, an_time_monotonic_ms() + CHILD_GRACE_MS) == AN_FRAME_OK;

    if (frame.fd >= 0)
        close(frame.fd);
    an_buf_free(&frame.payload);
    return is_there ? frame.type : 0;
}

void
an_child_hang_up(struct an_child *child)
{
    if (child->socket >= 0)
        close(child->socket);
    child->socket = -1;
}

bool
an_child_has_ended(struct an_child *child, int *ret_status)
{
    if (child->pid == 0)
        return true;
    if (!reap(child->pid, 0, ret_status))
        return false;
    child->pid = 0;
    return true;
}

int
an_child_number(const struct an_child *child)
{
    return child->pid;
}

static an_code
fail_frame(struct an_child *child, enum an_frame_state state, uint64_t timeout_ms, struct an_err *reterr)
{
    int status = end_process(child, state == AN_FRAME_CLOSED ? CHILD_GRACE_MS : 0);

    if (state == AN_FRAME_LATE)
        AN_FAIL(reterr, AN_E_PROC_TIMEOUT, "%s: %llu ms", child->name, (unsigned long long)timeout_ms);
    if (state == AN_FRAME_FOREIGN)
        AN_FAIL(reterr, AN_E_PROC_PROTOCOL, "%s", child->name);
    if (WIFSIGNALED(status))
        AN_FAIL(reterr, AN_E_PROC_CRASHED, "%s: signal %d", child->name, WTERMSIG(status));
    AN_FAIL(reterr, AN_E_PROC_CRASHED, "%s: exit status %d", child->name, WEXITSTATUS(status));
}

an_code
an_child_ask(struct an_child *child, uint32_t type, an_bytes payload, int fd, uint64_t timeout_ms, uint32_t *ret_type,
             struct an_buf *ret_payload, struct an_err *reterr)
{
    uint64_t deadline = an_time_monotonic_ms() + timeout_ms;
    struct an_frame answer = {.payload = an_buf_new(ret_payload->max), .fd = -1};
    enum an_frame_state state;
    an_code code = AN_OK;

    if (child->pid == 0)
        AN_FAIL(reterr, AN_E_PROC_CRASHED, "%s: no longer running", child->name);
    if (payload.len > AN_LIMIT_MESSAGE_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "%s: request of %zu byte", child->name, payload.len);
    /* An error must fit even where the caller expects a small answer. */
    if (answer.payload.max < 4096)
        answer.payload.max = 4096;
    state = an_frame_send(child->socket, type, payload, fd, deadline);
    if (state == AN_FRAME_OK)
        state = an_frame_receive(child->socket, &answer, deadline);
    if (answer.fd >= 0)
        close(answer.fd); /* no helper hands descriptors back */
    if (state != AN_FRAME_OK)
        code = fail_frame(child, state, timeout_ms, reterr);
    else if (answer.type == AN_FRAME_ERROR)
        code = an_frame_read_error(an_buf_view(&answer.payload), reterr);
    else if (answer.payload.len > ret_payload->max)
        code = an_err_set(reterr, AN_E_LIMIT, "%s: answer of %zu byte", child->name, answer.payload.len);
    if (code != AN_OK) {
        an_buf_free(&answer.payload);
        return code;
    }
    answer.payload.max = ret_payload->max;
    an_buf_free(ret_payload);
    *ret_payload = answer.payload;
    if (ret_type != NULL)
        *ret_type = answer.type;
    return AN_OK;
}
