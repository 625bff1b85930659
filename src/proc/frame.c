#include "proc/internal.h"

#include "base/limits.h"
#include "base/time.h"
#include "base/utf8.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_FDS_MAX 8 /* more than one is a fault, but all that arrive must be closed */

static void
write_u32(uint8_t out[static 4], uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t
read_u32(const uint8_t in[static 4])
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static enum an_frame_state
wait_for(int socket, short events, uint64_t deadline_ms)
{
    for (;;) {
        struct pollfd one = {.fd = socket, .events = events};
        uint64_t now = deadline_ms ? an_time_monotonic_ms() : 0;
        int wait_ms = -1, ready;

        if (deadline_ms != 0 && now >= deadline_ms)
            return AN_FRAME_LATE;
        if (deadline_ms != 0)
            wait_ms = deadline_ms - now > 60000 ? 60000 : (int)(deadline_ms - now);
        ready = poll(&one, 1, wait_ms);
        if (ready > 0)
            return AN_FRAME_OK;
        if (ready < 0 && errno != EINTR)
            return AN_FRAME_CLOSED;
    }
}

static struct iovec
iovec_of(an_bytes part)
{
    struct iovec vec = {.iov_len = part.len};

    memcpy(&vec.iov_base, &part.ptr, sizeof(part.ptr)); /* iovec is not const-correct */
    return vec;
}

/* Header and payload in one call. The descriptor travels with the first byte sent, as control data. */
static ssize_t
send_some(int socket, an_bytes header, an_bytes payload, int fd)
{
    union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = {.room = {0}};
    struct iovec parts[2] = {iovec_of(header), iovec_of(payload)};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    if (fd >= 0) {
        struct cmsghdr *head;
        message.msg_control = control.room;
        message.msg_controllen = sizeof(control.room);
        head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &fd, sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static enum an_frame_state
send_all(int socket, an_bytes header, an_bytes payload, int fd, uint64_t deadline_ms)
{
    while (header.len + payload.len > 0) {
        ssize_t put = send_some(socket, header, payload, fd);
        if (put > 0) {
            size_t of_header = (size_t)put < header.len ? (size_t)put : header.len;
            header = an_bytes_slice(header, of_header, SIZE_MAX);
            payload = an_bytes_slice(payload, (size_t)put - of_header, SIZE_MAX);
            fd = -1;
            continue;
        }
        if (put < 0 && errno != EAGAIN && errno != EINTR)
            return AN_FRAME_CLOSED;
        enum an_frame_state state = wait_for(socket, POLLOUT, deadline_ms);
        if (state != AN_FRAME_OK)
            return state;
    }
    return AN_FRAME_OK;
}

enum an_frame_state
an_frame_send(int socket, uint32_t type, an_bytes payload, int fd, uint64_t deadline_ms)
{
    uint8_t header[AN_FRAME_HEADER_BYTES];

    if (payload.len > AN_LIMIT_MESSAGE_BYTES)
        return AN_FRAME_FOREIGN;
    memcpy(header, AN_FRAME_MAGIC, 4);
    write_u32(header + 4, type);
    write_u32(header + 8, (uint32_t)payload.len);
    return send_all(socket, AN_BYTES(header, sizeof(header)), payload, fd, deadline_ms);
}

/* Keeps the first descriptor that arrives, closes every other. */
static void
take_descriptors(struct msghdr *message, int *fd)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL; head = CMSG_NXTHDR(message, head)) {
        size_t count;
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int one;
            memcpy(&one, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
            if (*fd < 0)
                *fd = one;
            else
                close(one);
        }
    }
}

static enum an_frame_state
receive_all(int socket, uint8_t *out, size_t len, int *fd, uint64_t deadline_ms)
{
    for (size_t have = 0; have < len;) {
        union { char room[CMSG_SPACE(FRAME_FDS_MAX * sizeof(int))]; struct cmsghdr align; } control;
        struct iovec vec = {.iov_base = out + have, .iov_len = len - have};
        struct msghdr message = {.msg_iov = &vec, .msg_iovlen = 1, .msg_control = control.room,
                                 .msg_controllen = sizeof(control.room)};
        ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        /* waiting is a call of its own: only for what is not there yet */
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            enum an_frame_state state = wait_for(socket, POLLIN, deadline_ms);
            if (state != AN_FRAME_OK)
                return state;
            continue;
        }
        if (got < 0)
            return AN_FRAME_CLOSED;
        take_descriptors(&message, fd);
        if (got == 0)
            return AN_FRAME_CLOSED;
        have += (size_t)got;
    }
    return AN_FRAME_OK;
}

/* In steps, so that a header which lies about the length does not make us reserve all of it. */
static enum an_frame_state
receive_payload(int socket, size_t len, struct an_frame *frame, uint64_t deadline_ms)
{
    while (len > 0) {
        size_t step = len < 256 * 1024 ? len : 256 * 1024;
        uint8_t *room = an_buf_extend(&frame->payload, step);
        enum an_frame_state state;

        if (room == NULL)
            return AN_FRAME_FOREIGN;
        state = receive_all(socket, room, step, &frame->fd, deadline_ms);
        if (state != AN_FRAME_OK)
            return state;
        len -= step;
    }
    return AN_FRAME_OK;
}

enum an_frame_state
an_frame_receive(int socket, struct an_frame *ret, uint64_t deadline_ms)
{
    uint8_t header[AN_FRAME_HEADER_BYTES];
    enum an_frame_state state;
    size_t len;

    ret->fd = -1;
    an_buf_reset(&ret->payload);
    state = receive_all(socket, header, sizeof(header), &ret->fd, deadline_ms);
    if (state == AN_FRAME_OK) {
        len = read_u32(header + 8);
        ret->type = read_u32(header + 4);
        state = memcmp(header, AN_FRAME_MAGIC, 4) != 0 || len > AN_LIMIT_MESSAGE_BYTES || len > ret->payload.max
                    ? AN_FRAME_FOREIGN
                    : receive_payload(socket, len, ret, deadline_ms);
    }
    if (state != AN_FRAME_OK && ret->fd >= 0) {
        close(ret->fd);
        ret->fd = -1;
    }
    return state;
}

void
an_frame_write_error(struct an_buf *out, const struct an_err *err)
{
    bool detail_ok = an_utf8_is_valid(an_bytes_of_str(err->detail));
    bool file_ok = an_utf8_is_valid(an_bytes_of_str(err->file));
    json_t *root = json_pack("{s:i, s:s, s:s}", "code", (int)err->code, "detail", detail_ok ? err->detail : "", "file",
                             file_ok ? err->file : "");
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

    if (text == NULL)
        an_die_memory();
    an_buf_str(out, text);
    free(text);
    json_decref(root);
}

an_code
an_frame_read_error(an_bytes payload, struct an_err *reterr)
{
    json_t *root = json_loadb((const char *)payload.ptr, payload.len, JSON_REJECT_DUPLICATES, NULL);
    int code = 0;
    const char *detail = "", *file = "";
    an_code known;

    if (json_unpack(root, "{s:i, s?s, s?s}", "code", &code, "detail", &detail, "file", &file) != 0 || code == 0) {
        json_decref(root);
        AN_FAIL(reterr, AN_E_PROC_PROTOCOL, "error frame of %zu byte", payload.len);
    }
    known = an_message_find((an_code)code)->code;
    an_err_set(reterr, known, "%s", detail);
    if (file[0] != '\0')
        an_err_name_file(reterr, file);
    json_decref(root);
    return known;
}
