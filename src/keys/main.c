/*
 * antin-key: learns its instance, opens the keys, closes its sandbox, then signs for those who connect. It can reach no
 * network and no database, and ends when whoever started it has gone and nobody is connected any more.
 */
#include "keys/internal.h"

#include "proc/frame.h"
#include "proc/json.h"

#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PARENT 3
#define LEAVE_PAUSE_US 20000
#define LEAVE_PAUSES 1500 /* thirty seconds for questions in hand after the parent has gone */

/* A token's module is unloaded and loaded again when it was restarted; in the sandbox no new code can be mapped, so
 * that whatever is loaded now stays. */
static int
pin_library(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size, (void)context;
    if (info->dlpi_name != NULL && info->dlpi_name[0] == '/')
        (void)!dlopen(info->dlpi_name, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
    return 0;
}

static an_code
enter_sandbox(const char *dir, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *tokens = an_asprintf("%s/tokens", dir);
    const char *const read_paths[] = {dir, "/usr", "/lib", "/lib64", "/etc", "/run/pcscd", "/dev/null", "/dev/urandom"};
    const char *const write_paths[] = {tokens}; /* SoftHSM2 locks and rewrites the objects of its tokens */
    const struct an_sandbox sandbox = {
        .threads = true, .local = true, .read_paths = read_paths, .read_count = AN_COUNT(read_paths),
        .write_paths = write_paths, .write_count = 1, .file_bytes_max = UINT64_C(16) << 20,
        .memory_bytes_max = UINT64_C(2) << 30,
    };

    dl_iterate_phdr(pin_library, NULL);
    return an_sandbox_enter(&sandbox, false, reterr);
}

static void
use_own_softhsm(const char *dir)
{
    AN_CLEANUP(an_free_ptr) char *conf = an_asprintf("%s/softhsm2.conf", dir);

    if (access(conf, R_OK) == 0)
        setenv("SOFTHSM2_CONF", conf, 1);
}

/* Somebody else's process on this machine is not answered, whatever the mode of the socket. */
static bool
is_ours(int fd)
{
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

/* The socket does not block: two key processes listen while one follows the other, and each is told of every
 * connection. */
static void
accept_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0 && is_ours(fd))
        an_key_client_start(fd);
    else if (fd >= 0)
        close(fd);
}

/* Until the parent goes. */
static void
accept_clients(int listener)
{
    struct pollfd both[2] = {{.fd = PARENT, .events = POLLIN}, {.fd = listener, .events = POLLIN}};

    for (;;) {
        char byte;
        if (poll(both, 2, -1) < 0 && errno != EINTR)
            return;
        if (both[0].revents != 0 && read(PARENT, &byte, 1) <= 0)
            return;
        if (both[1].revents != 0)
            accept_one(listener);
        both[0].revents = both[1].revents = 0;
    }
}

static an_code
set_up(const struct an_frame *frame, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    const char *dir = NULL;
    json_int_t call_ms = AN_KEYS_CALL_MS;
    json_t *left = NULL;
    an_code code;

    if (frame->type != AN_KEYS_SETUP || frame->fd < 0)
        AN_FAIL(reterr, AN_E_KEYS_QUESTION, "set-up");
    AN_TRY(an_json_parse(an_buf_view(&frame->payload), &root, reterr));
    if (json_unpack(root, "{s:s, s?I, s?o}", "dir", &dir, "call_ms", &call_ms, "left", &left) != 0 || *dir != '/' ||
        call_ms < 1)
        AN_FAIL(reterr, AN_E_KEYS_QUESTION, "set-up: dir");
    use_own_softhsm(dir);
    if (!an_key_watch_start(PARENT, (uint64_t)call_ms, true))
        AN_FAIL(reterr, AN_E_PROC_START, "thread");
    code = an_key_hold(dir, left, reterr);
    an_key_watch_stop(); /* it stands outside the sandbox */
    if (code == AN_OK)
        code = enter_sandbox(dir, reterr);
    if (code == AN_OK && !an_key_watch_start(PARENT, (uint64_t)call_ms, false))
        code = an_err_set(reterr, AN_E_PROC_START, "thread");
    return code;
}

int
main(void)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(AN_KEYS_FRAME_BYTES);
    struct an_frame frame = {.payload = an_buf_new(65536), .fd = -1};
    struct an_err err = {0};

    signal(SIGPIPE, SIG_IGN);
    if (an_frame_receive(PARENT, &frame, 0) != AN_FRAME_OK)
        return AN_KIND_PROTOCOL;
    err.code = set_up(&frame, &err);
    if (err.code != AN_OK)
        an_frame_write_error(&answer, &err);
    else
        an_key_tell(&answer);
    if (an_frame_send(PARENT, err.code == AN_OK ? AN_KEYS_SETUP : AN_FRAME_ERROR, an_buf_view(&answer), -1,
                      0) != AN_FRAME_OK || err.code != AN_OK)
        return AN_KIND_CONFIG;
    accept_clients(frame.fd);
    /* Where a call hangs or a token is away we are followed by a process that does better: those who are connected go
     * there at once, and what has no answer is asked there again. */
    for (int i = 0; i < LEAVE_PAUSES && an_key_client_count() != 0 && !an_key_has_late() && !an_key_lacks_some(); i++)
        usleep(LEAVE_PAUSE_US);
    _exit(0);
}
