/*
 * Frames on a descriptor (proc.h says how one looks): for rooms whose conversation is not one question, one answer.
 */
#pragma once

#include "proc/proc.h"

#define AN_FRAME_HEADER_BYTES 12
#define AN_FRAME_MAGIC "ANT1"
#define AN_FRAME_ERROR UINT32_MAX /* payload: {"code": 1640, "detail": "…", "file": "…"} */

struct an_frame {
    uint32_t type;
    struct an_buf payload; /* its maximum is the caller's */
    int fd;                /* -1 = none; the receiver closes */
};

/* What went wrong on the wire, before it is known which code that is for the caller. */
enum an_frame_state {
    AN_FRAME_OK,
    AN_FRAME_CLOSED,  /* the other end is gone */
    AN_FRAME_LATE,    /* the deadline passed */
    AN_FRAME_FOREIGN, /* not our frame, or larger than the maximum */
};

/* deadline_ms: on the clock of an_time_monotonic_ms; 0 = wait for ever. fd = -1 for none. */
enum an_frame_state an_frame_send(int socket, uint32_t type, an_bytes payload, int fd, uint64_t deadline_ms);
/* ret->payload must be a buffer with its maximum; it is emptied first. ret->fd is set to -1 or a new descriptor. */
enum an_frame_state an_frame_receive(int socket, struct an_frame *ret, uint64_t deadline_ms);
/* Writes and reads the payload of AN_FRAME_ERROR. A payload that is no error of ours gives AN_E_PROC_PROTOCOL. */
void an_frame_write_error(struct an_buf *out, const struct an_err *err);
an_code an_frame_read_error(an_bytes payload, struct an_err *reterr);
