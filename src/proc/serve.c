#include "proc/internal.h"

#include "base/limits.h"

#include <signal.h>
#include <unistd.h>

#define SERVE_SOCKET 3
#define SERVE_SECONDS_MAX 900 /* one answer; a helper that hangs after its parent died must not stay for ever */

static enum an_frame_state
answer_request(an_handler_fn handle, struct an_request *request)
{
    struct an_buf answer = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    struct an_err err = {0};
    enum an_frame_state state;
    uint32_t type = request->type; /* unless the handler says otherwise */
    an_code code = handle(request, &type, &answer, &err);

    if (code == AN_OK && !an_buf_ok(&answer))
        code = an_err_set(&err, AN_E_LIMIT, "answer > %zu byte", answer.max);
    if (code != AN_OK) {
        an_buf_free(&answer);
        err.code = code;
        type = AN_FRAME_ERROR;
        an_frame_write_error(&answer, &err);
    }
    state = an_frame_send(SERVE_SOCKET, type, an_buf_view(&answer), -1, 0);
    an_buf_free(&answer);
    return state;
}

/*
 * The end of the parent is seen as the end of the socket. PR_SET_PDEATHSIG is not used: it fires when the thread that
 * started the helper ends, which is not when the parent ends.
 */
int
an_child_serve(an_handler_fn handle)
{
    struct an_frame frame = {.payload = an_buf_new(AN_LIMIT_MESSAGE_BYTES), .fd = -1};
    enum an_frame_state state;

    signal(SIGPIPE, SIG_IGN);
    while ((state = an_frame_receive(SERVE_SOCKET, &frame, 0)) == AN_FRAME_OK) {
        struct an_request request = {.type = frame.type, .payload = frame.payload, .fd = frame.fd};
        alarm(SERVE_SECONDS_MAX);
        state = answer_request(handle, &request);
        alarm(0);
        frame.payload = request.payload; /* the memory is reused, unless the handler took it */
        if (state != AN_FRAME_OK)
            break;
        /* A request may carry a password: nothing of it stays. */
        if (frame.payload.ptr != NULL)
            an_wipe(frame.payload.ptr, frame.payload.len);
        if (frame.payload.capacity > 1024 * 1024)
            an_buf_free(&frame.payload);
    }
    an_buf_free(&frame.payload);
    return state == AN_FRAME_CLOSED ? 0 : AN_KIND_PROTOCOL;
}
