/* The head of a request, as a stranger sends it (RFC 9112). Strict: what is ambiguous is refused. */
#pragma once

#include "base/bytes.h"
#include "base/buf.h"

#define AN_HTTP_HEAD_BYTES ((size_t)16 * 1024)
#define AN_HTTP_TARGET_BYTES ((size_t)8 * 1024) /* an OCSP request in a GET is under 300 */
#define AN_HTTP_HEADERS_MAX 64

struct an_http_line { an_bytes name, value; };
struct an_http_head {
    an_bytes method, target; /* target: as it came */
    an_bytes path, query;    /* parts of the target, still encoded */
    int minor;               /* HTTP/1.minor */
    struct an_http_line headers[AN_HTTP_HEADERS_MAX];
    size_t header_count;
    bool keep_alive, is_chunked, expects_continue, has_body;
    uint64_t content_length;
    size_t len;              /* of the whole head */
};
/* 0 = more is needed, 200 = done, otherwise the status to refuse it with. Views into in. searched: how long in was when
 * more was needed, so that a head which comes octet by octet is not read from its start for each; 0 = never. */
unsigned an_http_head_parse(an_bytes in, size_t searched, struct an_http_head *ret);
an_bytes an_http_head_find(const struct an_http_head *head, const char *lower_name); /* AN_NONE when absent */
/* Percent-decoding; false when malformed or a NUL comes out. */
bool an_http_decode(an_bytes text, bool plus_is_blank, struct an_buf *out);

/* A chunked body, fed as it comes. */
struct an_http_chunks { enum { AN_CHUNK_SIZE = 0, AN_CHUNK_DATA, AN_CHUNK_END, AN_CHUNK_TRAILER, AN_CHUNK_DONE } state;
                       uint64_t left; size_t line; bool has_digit, in_blank, in_extension, was_cr; };
/* Takes what it can off the front of *in, appends data to out. False when malformed; done when state is
 * AN_CHUNK_DONE. */
bool an_http_chunks_feed(struct an_http_chunks *chunks, an_bytes *in, struct an_buf *out);
