/*
 * Child processes and framed messages: helpers that do one dangerous thing each (parse untrusted pages, talk to the
 * network, lay out pages) and can do nothing else. Sandbox: no_new_privs, seccomp, Landlock, resource limits.
 *
 * A frame on a socketpair: magic "ANT1", uint32 type, uint32 length (little endian), payload; a file descriptor may
 * travel with it (SCM_RIGHTS). Payloads are JSON text unless the type says otherwise; capped at AN_LIMIT_MESSAGE_BYTES.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct an_child;
/* Starts libexec program `name` ("antin-render"): looked for beside our own executable, then in the install folder.
 * Never through a shell or PATH. The child gets the socket as descriptor 3 and nothing else. */
an_code an_child_start(const char *name, struct an_child **ret, struct an_err *reterr) AN_MUST_USE;
/* Starts a program of ours with arguments, argv ending with NULL, that works by itself: it has no socket to us, its
 * output is forgotten, its standard error is ours. */
an_code an_child_run(const char *name, char *const *argv, struct an_child **ret, struct an_err *reterr) AN_MUST_USE;
/* Replaces this process with the program `name`, looked for in the same places; argv ends with NULL. Returns only on
 * failure. */
an_code an_child_become(const char *name, const char *const *argv, struct an_err *reterr) AN_MUST_USE;
void an_child_stop(struct an_child **child); /* closes, waits a little, kills */
/* An extra folder, looked in before all others; for programs that do not stand beside the helpers, such as tests. Not
 * thread-safe: called once, early. NULL = none. The text is copied. */
void an_child_look_in(const char *folder);
/* One question, one answer. fd = -1 for none. A child that crashed, hung (timeout_ms) or answered nonsense gives
 * AN_E_PROC_CRASHED, _TIMEOUT, _PROTOCOL; it is then stopped and must be started anew. An error that the child itself
 * reports comes back with its own code. */
an_code an_child_ask(struct an_child *child, uint32_t type, an_bytes payload, int fd, uint64_t timeout_ms,
                     uint32_t *ret_type, struct an_buf *ret_payload, struct an_err *reterr) AN_MUST_USE;

/* For those who keep a child for long: something said without an answer; the end of the conversation, after which it
 * should end by itself; whether it has (*ret_status as of waitpid). */
an_code an_child_tell(struct an_child *child, uint32_t type, struct an_err *reterr) AN_MUST_USE;
void an_child_hang_up(struct an_child *child);
bool an_child_has_ended(struct an_child *child, int *ret_status);
/* What a child says unasked: the type of its frame, 0 = nothing. The socket is there to be watched. */
uint32_t an_child_word(struct an_child *child);
int an_child_socket(const struct an_child *child);
int an_child_number(const struct an_child *child); /* its process id; 0 when it has ended */

/* ---- inside a child ---- */
struct an_request { uint32_t type; struct an_buf payload; int fd; /* -1 = none; the handler closes */ };
typedef an_code (*an_handler_fn)(struct an_request *request, uint32_t *ret_type, struct an_buf *ret_payload,
                                 struct an_err *reterr);
/* Reads frames from descriptor 3 until it closes; answers each; errors are sent as frames. Returns the exit status. */
int an_child_serve(an_handler_fn handle);

/* ---- sandbox: what a process may still do; each names what it keeps ---- */
struct an_sandbox {
    bool network;              /* may open sockets */
    const char *const *read_paths; size_t read_count; /* folders that may be read (fonts, …) */
    uint64_t memory_bytes_max; /* RLIMIT_AS, 0 = unchanged */
    uint32_t cpu_seconds_max;  /* 0 = unchanged */
    const char *const *write_paths; size_t write_count; /* folders where files may be made and changed (a cache) */
    uint64_t file_bytes_max;   /* largest file written, also through a descriptor that was given; 0 = none */
    bool threads;              /* may start threads (a resolver); processes never */
    unsigned descriptors_max;  /* open files and connections; 0 = 256 with sockets, 64 without */
    /* may talk and listen on sockets of this machine (AF_UNIX) and on those that it was given, lock files, ask how good
     * the clock is */
    bool local;
};
/* Applies to the calling process for good. A path that does not exist is skipped. AN_E_PROC_SANDBOX when the system
 * call filter cannot be set, or when the kernel has no Landlock and `required`. Without Landlock the folders are not
 * told apart: a process that may read some may then read all that its user may. */
an_code an_sandbox_enter(const struct an_sandbox *what, bool required, struct an_err *reterr) AN_MUST_USE;

/* ---- questions to antin-render (render/): types and payloads; proc/render.h asks them. All: "password": "…"?, fd =
 * the PDF. Points, origin lower left of the page as displayed; "page": 0 is the first, -1 the last ---- */
#define AN_RENDER_TEXT 1u  /* in: {"text": "…"}; out: {"pages": n, "hits": [{"page": 0, "x0","y0","x1","y1"}]} */
#define AN_RENDER_PAGE 2u  /* in: {"page": 0, "dpi": 100}; out: PNG bytes */
/* in: {"page": 0}; out: {"width","height","lines": [{"text","x0","y0","x1","y1"}], "page": n, "pages": n} */
#define AN_RENDER_LINES 3u
#define AN_RENDER_INK 4u   /* in: {"page": 0, "x0","y0","x1","y1"}; out: {"ink": share of the box that is not white} */

/* ---- questions to antin-layout (layout/); proc/layout.h asks them ---- */
#define AN_LAYOUT_DOCUMENT 1u  /* in: {"kind": "van-ban" | "bao-cao", …} (src/layout/README.md); out: PDF bytes */
#define AN_LAYOUT_SEAL 2u      /* in: {"agency": "…", "place": "…"?, "diameter_mm": 36?, "dpi": 300?}; out: PNG bytes */
#define AN_LAYOUT_SIGNATURE 3u /* in: {"name": "…", "dpi": 300?}; out: PNG bytes */
