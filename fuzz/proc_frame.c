/* Frames from the other side of the socket, and the error payload inside one. */
#include "base/limits.h"
#include "base/time.h"
#include "proc/internal.h"

#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_frame frame = {.payload = an_buf_new(100000), .fd = -1};
    struct an_err err = {0};
    int pair[2];

    if (size > 60000 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return 0;
    if (size > 0 && write(pair[0], data, size) < 0)
        size = 0;
    close(pair[0]);
    while (an_frame_receive(pair[1], &frame, an_time_monotonic_ms() + 1000) == AN_FRAME_OK)
        if (frame.type == AN_FRAME_ERROR && an_frame_read_error(an_buf_view(&frame.payload), &err) == AN_OK)
            __builtin_trap(); /* an error frame is never success */
    close(pair[1]);
    an_buf_free(&frame.payload);
    return 0;
}
