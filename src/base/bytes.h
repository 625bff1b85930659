/* Borrowed runs of bytes, passed by value. A view never owns: it is valid as long as what it points into. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define AN_MUST_USE __attribute__((warn_unused_result))
#define AN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define AN_COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Runs fn(&variable) when the variable leaves its scope; fn takes T ** or T * and accepts the empty value. */
#define AN_CLEANUP(fn) __attribute__((cleanup(fn)))
/* A local of kilobytes that is written before it is read: zeroing it, as is done to every other, would cost more than
 * what it is for. */
#define AN_UNZEROED __attribute__((uninitialized))

typedef struct an_bytes {
    const uint8_t *ptr; /* may be NULL only when len is 0 */
    size_t len;
} an_bytes;

#define AN_BYTES(pointer, length) ((an_bytes){(const uint8_t *)(pointer), (length)})
#define AN_LIT(literal) ((an_bytes){(const uint8_t *)("" literal), sizeof(literal) - 1})
#define AN_NONE ((an_bytes){NULL, 0})
/* For printf("%.*s"): AN_FMT(view) gives the two arguments. */
#define AN_FMT(view) (int)((view).len > 4096 ? 4096 : (view).len), (const char *)((view).ptr ? (view).ptr : (const uint8_t *)"")

static inline an_bytes
an_bytes_of_str(const char *text)
{
    return AN_BYTES(text, text ? strlen(text) : 0);
}

static inline bool
an_bytes_eq(an_bytes a, an_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool
an_bytes_eq_str(an_bytes a, const char *text)
{
    return an_bytes_eq(a, an_bytes_of_str(text));
}

/* Lexicographic order, shorter first when one is a prefix of the other. */
static inline int
an_bytes_cmp(an_bytes a, an_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

static inline bool
an_bytes_starts_with(an_bytes a, an_bytes prefix)
{
    return a.len >= prefix.len && an_bytes_eq(AN_BYTES(a.ptr, prefix.len), prefix);
}

/* The part of view that starts at offset and has at most len bytes; clipped, never out of range. */
static inline an_bytes
an_bytes_slice(an_bytes view, size_t offset, size_t len)
{
    if (offset >= view.len)
        return AN_NONE;
    if (len > view.len - offset)
        len = view.len - offset;
    return AN_BYTES(view.ptr + offset, len);
}

/* First position of needle in haystack at or after from; SIZE_MAX when absent. */
size_t an_bytes_find(an_bytes haystack, an_bytes needle, size_t from);
/* Last position of needle; SIZE_MAX when absent. */
size_t an_bytes_rfind(an_bytes haystack, an_bytes needle);
/* Comparison whose time does not depend on the content: for secrets and authentication codes. */
bool an_bytes_eq_secret(an_bytes a, an_bytes b);
