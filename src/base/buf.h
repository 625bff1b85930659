/*
 * A growable run of bytes. It is created with its maximum and remembers that it overflowed, so a chain of appends is
 * checked once at the end: an_buf_ok(). After an overflow nothing more is appended.
 */
#pragma once

#include "base/mem.h"

struct an_buf {
    uint8_t *ptr;
    size_t len, capacity, max;
    bool overflowed;
};

#define AN_BUF_UNLIMITED SIZE_MAX

static inline struct an_buf
an_buf_new(size_t bytes_max)
{
    return (struct an_buf){.max = bytes_max};
}

void an_buf_free(struct an_buf *buf); /* also for AN_CLEANUP; leaves an empty buffer with the same maximum */
void an_buf_reset(struct an_buf *buf); /* empties, keeps the memory */
/* Room for len more bytes, uninitialised, counted as used; NULL when over the maximum. */
uint8_t *an_buf_extend(struct an_buf *buf, size_t len);
/* Memory for len more bytes, of which none is used yet, so that what follows does not grow it step by step. */
void an_buf_reserve(struct an_buf *buf, size_t len);
/* Room for len bytes at offset at, what stands there moves behind it; uninitialised; NULL when over the maximum. */
uint8_t *an_buf_insert(struct an_buf *buf, size_t at, size_t len);
void an_buf_append(struct an_buf *buf, an_bytes bytes);
void an_buf_str(struct an_buf *buf, const char *text);
void an_buf_byte(struct an_buf *buf, uint8_t byte);
void an_buf_printf(struct an_buf *buf, const char *fmt, ...) AN_PRINTF(2, 3);
void an_buf_hex(struct an_buf *buf, an_bytes bytes); /* lower case */

static inline bool
an_buf_ok(const struct an_buf *buf)
{
    return !buf->overflowed;
}

static inline an_bytes
an_buf_view(const struct an_buf *buf)
{
    return AN_BYTES(buf->ptr, buf->len);
}

/* Hands the memory over to the caller (free()), NUL-terminated; the buffer is empty afterwards. */
char *an_buf_take_str(struct an_buf *buf) AN_MUST_USE;

/* Hexadecimal and base64, whole values. Decoders skip ASCII white space; false on anything else that is foreign. */
bool an_hex_decode(struct an_buf *out, an_bytes text);
void an_base64_encode(struct an_buf *out, an_bytes bytes);
bool an_base64_decode(struct an_buf *out, an_bytes text);
