/* The helper of the test: does what it is asked, also what a helper must not be able to do. */
#include "proc/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

static int
result(long value)
{
    return value < 0 ? errno : 0;
}

static int try_open(void) { return result(open("/etc/passwd", O_RDONLY)); }
static int try_open_allowed(void) { return result(open("/usr/share/fonts", O_RDONLY | O_DIRECTORY)); }
static int try_create(void) { return result(open("/usr/share/fonts/antin-test", O_RDWR | O_CREAT, 0600)); }
static int try_socket(void) { return result(socket(AF_INET, SOCK_STREAM, 0)); }
static int try_unix_socket(void) { return result(socket(AF_UNIX, SOCK_STREAM, 0)); }
static int try_fork(void) { return result(fork()); }
static int try_ptrace(void) { return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }
static int try_kill(void) { return result(kill(getppid(), 0)); }
static int try_unlink(void) { return result(unlink("/tmp/antin-test-does-not-matter")); }

static int
try_exec(void)
{
    char name[] = "true";
    char *arguments[] = {name, NULL};

    return result(execve("/bin/true", arguments, NULL));
}

static int
try_ioctl(void)
{
    char byte = 'x';

    return result(ioctl(2, TIOCSTI, &byte));
}

static int
try_new_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}

static int
try_much_memory(void)
{
    return mmap(NULL, (size_t)1 << 32, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}

static const struct { const char *name; int (*try)(void); } try_table[] = {
    {"open", try_open}, {"open-allowed", try_open_allowed}, {"create", try_create}, {"socket", try_socket},
    {"unix-socket", try_unix_socket}, {"fork", try_fork}, {"ptrace", try_ptrace}, {"kill", try_kill},
    {"unlink", try_unlink}, {"exec", try_exec}, {"ioctl", try_ioctl}, {"new-code", try_new_code},
    {"much-memory", try_much_memory},
};

static an_code
answer_try(struct an_request *request, struct an_buf *ret, struct an_err *reterr)
{
    for (size_t i = 0; i < AN_COUNT(try_table); i++) {
        if (!an_bytes_eq_str(an_buf_view(&request->payload), try_table[i].name))
            continue;
        an_buf_printf(ret, "%d", try_table[i].try());
        return AN_OK;
    }
    AN_FAIL(reterr, AN_E_PROC_REQUEST, "unknown try");
}

static an_code
enter_sandbox(struct an_err *reterr)
{
    static const char *const fonts[] = {"/usr/share/fonts", "/no/such/folder"};
    const struct an_sandbox sandbox = {.read_paths = fonts, .read_count = 2, .memory_bytes_max = (size_t)1 << 30};

    return an_sandbox_enter(&sandbox, false, reterr);
}

static an_code
answer_facts(struct an_buf *ret)
{
    int open_count = 0;

    for (int fd = 0; fd < 1024; fd++)
        open_count += fcntl(fd, F_GETFD) >= 0;
    an_buf_printf(ret, "%d %d %s", open_count, getenv("HOME") != NULL, getenv("PATH"));
    return AN_OK;
}

static an_code
handle(struct an_request *request, uint32_t *ret_type, struct an_buf *ret, struct an_err *reterr)
{
    char text[64];
    ssize_t got;

    switch (request->type) {
    case 'e':
        an_buf_append(ret, an_buf_view(&request->payload));
        *ret_type = 'E';
        return AN_OK;
    case 'c':
        abort();
    case 'q':
        _exit(7);
    case 'h':
        for (;;)
            pause();
    case 'f':
        AN_FAIL(reterr, AN_E_RENDER_PASSWORD, "chi tiết “%s”", "đúng");
    case 'g':
        if (write(3, "HTTP/1.1 200 OK and more", 24) != 24)
            abort();
        return AN_OK;
    case 'd':
        got = pread(request->fd, text, sizeof(text), 0);
        an_buf_append(ret, AN_BYTES(text, got > 0 ? (size_t)got : 0));
        close(request->fd);
        return AN_OK;
    case 's':
        return enter_sandbox(reterr);
    case 't':
        return answer_try(request, ret, reterr);
    case 'n':
        return answer_facts(ret);
    default:
        AN_FAIL(reterr, AN_E_PROC_REQUEST, "type %u", request->type);
    }
}

int
main(void)
{
    _exit(an_child_serve(handle));
}
