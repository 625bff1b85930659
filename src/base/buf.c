#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#define FIRST_BYTES 256 /* most of what is written is short, and grows once or never */

void
an_buf_free(struct an_buf *buf)
{
    free(buf->ptr);
    *buf = an_buf_new(buf->max);
}

void
an_buf_reset(struct an_buf *buf)
{
    buf->len = 0;
    buf->overflowed = false;
}

uint8_t *
an_buf_extend(struct an_buf *buf, size_t len)
{
    uint8_t *room;

    if (buf->overflowed || len > buf->max - buf->len) {
        buf->overflowed = true;
        return NULL;
    }
    if (len > buf->capacity - buf->len || buf->ptr == NULL) {
        size_t wanted = buf->capacity < FIRST_BYTES ? FIRST_BYTES : buf->capacity;
        while (wanted - buf->len < len)
            /* the short ones grow in few steps */
            wanted = wanted > SIZE_MAX / 2 ? buf->len + len : wanted < 4096 ? wanted * 4 : wanted * 2;
        buf->ptr = an_grow(buf->ptr, wanted, 1);
        buf->capacity = wanted;
    }
    room = buf->ptr + buf->len;
    buf->len += len;
    return room;
}

void
an_buf_reserve(struct an_buf *buf, size_t len)
{
    if (buf->overflowed || len > buf->max - buf->len || len <= buf->capacity - buf->len)
        return; /* too much is found out by who writes it */
    buf->ptr = an_grow(buf->ptr, buf->len + len, 1);
    buf->capacity = buf->len + len;
}

uint8_t *
an_buf_insert(struct an_buf *buf, size_t at, size_t len)
{
    size_t behind = buf->len - at;

    if (an_buf_extend(buf, len) == NULL)
        return NULL;
    if (behind != 0)
        memmove(buf->ptr + at + len, buf->ptr + at, behind);
    return buf->ptr + at;
}

void
an_buf_append(struct an_buf *buf, an_bytes bytes)
{
    uint8_t *room = an_buf_extend(buf, bytes.len);

    if (room != NULL && bytes.len)
        memcpy(room, bytes.ptr, bytes.len);
}

void
an_buf_str(struct an_buf *buf, const char *text)
{
    an_buf_append(buf, an_bytes_of_str(text));
}

void
an_buf_byte(struct an_buf *buf, uint8_t byte)
{
    an_buf_append(buf, AN_BYTES(&byte, 1));
}

void
an_buf_printf(struct an_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    char text[512];
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof(text)) {
        an_buf_append(buf, AN_BYTES(text, (size_t)len));
    } else if (len >= 0) {
        uint8_t *room = an_buf_extend(buf, (size_t)len + 1);
        if (room != NULL) {
            vsnprintf((char *)room, (size_t)len + 1, fmt, again);
            buf->len--; /* the NUL is not content */
        }
    }
    va_end(again);
}

void
an_buf_hex(struct an_buf *buf, an_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *room = an_buf_extend(buf, bytes.len * 2);

    for (size_t i = 0; room != NULL && i < bytes.len; i++) {
        room[2 * i] = (uint8_t)digits[bytes.ptr[i] >> 4];
        room[2 * i + 1] = (uint8_t)digits[bytes.ptr[i] & 15u];
    }
}

char *
an_buf_take_str(struct an_buf *buf)
{
    char *text;

    buf->ptr = an_grow(buf->ptr, buf->len + 1, 1);
    buf->ptr[buf->len] = '\0';
    text = (char *)buf->ptr;
    *buf = an_buf_new(buf->max);
    return text;
}

static int
hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool
is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool
an_hex_decode(struct an_buf *out, an_bytes text)
{
    int high = -1;

    for (size_t i = 0; i < text.len; i++) {
        int value = hex_value(text.ptr[i]);
        if (value < 0 && is_space(text.ptr[i]))
            continue;
        if (value < 0)
            return false;
        if (high < 0) {
            high = value;
            continue;
        }
        an_buf_byte(out, (uint8_t)(high * 16 + value));
        high = -1;
    }
    return high < 0 && an_buf_ok(out);
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
an_base64_encode(struct an_buf *out, an_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t v = (uint32_t)bytes.ptr[i] << 16;
        if (n > 1)
            v |= (uint32_t)bytes.ptr[i + 1] << 8;
        if (n > 2)
            v |= bytes.ptr[i + 2];
        an_buf_byte(out, (uint8_t)base64_digits[v >> 18]);
        an_buf_byte(out, (uint8_t)base64_digits[v >> 12 & 63u]);
        an_buf_byte(out, n > 1 ? (uint8_t)base64_digits[v >> 6 & 63u] : '=');
        an_buf_byte(out, n > 2 ? (uint8_t)base64_digits[v & 63u] : '=');
    }
}

static int
base64_value(uint8_t c)
{
    const char *at = c ? strchr(base64_digits, c) : NULL;

    return at ? (int)(at - base64_digits) : -1;
}

bool
an_base64_decode(struct an_buf *out, an_bytes text)
{
    uint32_t bits = 0;
    unsigned have = 0, pads = 0, chars = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        int value = base64_value(c);
        if (is_space(c))
            continue;
        chars++;
        if (c == '=') {
            pads++;
            continue;
        }
        if (value < 0 || pads)
            return false;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            an_buf_byte(out, (uint8_t)(bits >> have & 255u));
        }
    }
    return chars % 4 == 0 && pads <= 2 && an_buf_ok(out);
}
