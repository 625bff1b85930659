#include "token/internal.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* ---- from a file ---- */
static an_code
check_pin_file(int fd, const char *path, struct an_err *reterr)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return an_err_set_errno(reterr, AN_E_FILE_OPEN, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        AN_FAIL(reterr, AN_E_FILE_KIND, "%s", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        AN_FAIL(reterr, AN_E_PIN_FILE_MODE, "%s: uid %u", path, (unsigned)st.st_uid);
    if (st.st_mode & 0077)
        AN_FAIL(reterr, AN_E_PIN_FILE_MODE, "%s: %04o", path, (unsigned)st.st_mode & 07777u);
    return AN_OK;
}

static an_code
read_first_line(int fd, const char *path, struct an_secret **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_secret_free) struct an_secret *pin = an_secret_new(AN_LIMIT_PIN_BYTES + 2);
    uint8_t *at = an_secret_ptr(pin);
    size_t len = 0;

    for (;;) {
        ssize_t got = read(fd, at + len, AN_LIMIT_PIN_BYTES + 2 - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return an_err_set_errno(reterr, AN_E_FILE_READ, errno, "%s", path);
        len += (size_t)got;
        if (got == 0 || len == AN_LIMIT_PIN_BYTES + 2)
            break;
    }
    for (size_t i = 0; i < len; i++)
        if (at[i] == '\n' || (at[i] == '\r' && i + 1 < len && at[i + 1] == '\n'))
            len = i;
    if (len == 0 || len > AN_LIMIT_PIN_BYTES)
        AN_FAIL(reterr, AN_E_PIN_LENGTH, "%s: 1–%d", path, AN_LIMIT_PIN_BYTES);
    an_secret_set_len(pin, len);
    *ret = pin;
    pin = NULL;
    return AN_OK;
}

static an_code
ask_file(void *context, const char *what, enum an_pin_state state, struct an_secret **ret, struct an_err *reterr)
{
    const char *path = context;
    an_code code;
    int fd;

    /* Nobody is there to confirm: the last try is not spent on a file that may be out of date. */
    if (state == AN_PIN_FINAL_TRY)
        AN_FAIL(reterr, AN_E_PIN_FINAL_TRY, "%s", what);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return an_err_set_errno(reterr, AN_E_FILE_OPEN, errno, "%s", path);
    code = check_pin_file(fd, path, reterr);
    if (code == AN_OK)
        code = read_first_line(fd, path, ret, reterr);
    close(fd);
    return code;
}

struct an_pin_source
an_pin_from_file(const char *path)
{
    union { const char *in; void *out; } borrowed = {.in = path}; /* only read; the field has no const */

    return (struct an_pin_source){.ask = ask_file, .context = borrowed.out};
}

/* ---- from the terminal ---- */
static const int guarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM, SIGPIPE};
static volatile sig_atomic_t arrived[AN_COUNT(guarded)];

static void
note_signal(int number)
{
    for (size_t i = 0; i < AN_COUNT(guarded); i++)
        if (guarded[i] == number)
            arrived[i] = 1;
}

/* One line without echo. Signals are held back until the terminal is as it was, then delivered. */
static ssize_t
read_hidden(int tty, uint8_t *to, size_t size)
{
    struct sigaction note = {.sa_handler = note_signal}, kept[AN_COUNT(guarded)];
    struct termios before, hidden;
    ssize_t got;

    if (tcgetattr(tty, &before) != 0)
        return -1;
    sigemptyset(&note.sa_mask);
    for (size_t i = 0; i < AN_COUNT(guarded); i++) {
        arrived[i] = 0;
        sigaction(guarded[i], &note, &kept[i]);
    }
    hidden = before;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    hidden.c_lflag |= ICANON | ISIG;
    tcsetattr(tty, TCSAFLUSH, &hidden);
    got = read(tty, to, size);
    tcsetattr(tty, TCSAFLUSH, &before);
    for (size_t i = 0; i < AN_COUNT(guarded); i++)
        sigaction(guarded[i], &kept[i], NULL);
    for (size_t i = 0; i < AN_COUNT(guarded); i++)
        if (arrived[i])
            raise(guarded[i]);
    return got;
}

static bool
is_confirmed(int tty)
{
    char answer[16] = "";
    ssize_t got;

    dprintf(tty, "Chỉ còn MỘT lần nhập mã PIN trước khi thiết bị bị khóa. Gõ \"co\" để tiếp tục.\n"
                 "Only ONE try is left before the token locks. Type \"yes\" to go on: ");
    got = read(tty, answer, sizeof(answer) - 1);
    if (got <= 0)
        return false;
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcmp(answer, "co") == 0 || strcmp(answer, "có") == 0 || strcmp(answer, "yes") == 0;
}

static an_code
ask_on(int tty, const char *what, enum an_pin_state state, struct an_secret **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_secret_free) struct an_secret *pin = an_secret_new(AN_LIMIT_PIN_BYTES + 2);
    uint8_t *at = an_secret_ptr(pin);
    ssize_t got;
    size_t len;

    if (state == AN_PIN_FINAL_TRY && !is_confirmed(tty))
        AN_FAIL(reterr, AN_E_PIN_FINAL_TRY, "%s", what);
    if (state == AN_PIN_COUNT_LOW)
        dprintf(tty, "Đã có lần nhập sai mã PIN. / A wrong PIN was entered before.\n");
    dprintf(tty, "Mã PIN / PIN (%s): ", what);
    got = read_hidden(tty, at, AN_LIMIT_PIN_BYTES + 2);
    dprintf(tty, "\n");
    len = got > 0 ? (size_t)got : 0;
    while (len > 0 && (at[len - 1] == '\n' || at[len - 1] == '\r'))
        len--;
    if (len == 0)
        AN_FAIL(reterr, AN_E_PIN_CANCELLED, "%s", what);
    if (len > AN_LIMIT_PIN_BYTES)
        AN_FAIL(reterr, AN_E_PIN_LENGTH, "1–%d", AN_LIMIT_PIN_BYTES);
    an_secret_set_len(pin, len);
    *ret = pin;
    pin = NULL;
    return AN_OK;
}

static an_code
ask_terminal(void *context, const char *what, enum an_pin_state state, struct an_secret **ret, struct an_err *reterr)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    an_code code;

    (void)context;
    if (tty < 0)
        return an_err_set_errno(reterr, AN_E_PIN_NO_TERMINAL, errno, "/dev/tty");
    code = ask_on(tty, what, state, ret, reterr);
    close(tty);
    return code;
}

struct an_pin_source
an_pin_from_terminal(void)
{
    return (struct an_pin_source){.ask = ask_terminal, .context = NULL};
}
