#include "base/utf8.h"

#include <utf8proc.h>

uint32_t
an_utf8_next(an_bytes text, size_t *at)
{
    utf8proc_int32_t code_point = -1;
    utf8proc_ssize_t used;

    if (*at >= text.len)
        return UINT32_MAX;
    used = utf8proc_iterate(text.ptr + *at, (utf8proc_ssize_t)(text.len - *at), &code_point);
    if (used <= 0) {
        (*at)++;
        return UINT32_MAX;
    }
    *at += (size_t)used;
    return (uint32_t)code_point;
}

bool
an_utf8_is_valid(an_bytes text)
{
    for (size_t at = 0; at < text.len;)
        if (text.ptr[at] < 0x80)
            at++;
        else if (an_utf8_next(text, &at) == UINT32_MAX)
            return false;
    return true;
}

void
an_utf8_append(struct an_buf *out, uint32_t code_point)
{
    utf8proc_uint8_t encoded[4];
    utf8proc_ssize_t len = utf8proc_encode_char((utf8proc_int32_t)code_point, encoded);

    if (len > 0)
        an_buf_append(out, AN_BYTES(encoded, (size_t)len));
}

static bool
is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xE0000 && c <= 0xE0FFF) || c == UINT32_MAX;
}

bool
an_utf8_is_visible(an_bytes text)
{
    for (size_t at = 0; at < text.len;)
        if (is_hidden(an_utf8_next(text, &at)))
            return false;
    return true;
}

void
an_utf8_make_visible(char *text)
{
    an_bytes in = an_bytes_of_str(text ? text : "");
    size_t at = 0, out = 0;

    while (at < in.len) {
        size_t from = at;
        if (is_hidden(an_utf8_next(in, &at))) {
            text[out++] = '?';
        } else {
            memmove(text + out, text + from, at - from);
            out += at - from;
        }
    }
    if (text != NULL)
        text[out] = '\0';
}

static bool
map_text(struct an_buf *out, an_bytes text, utf8proc_option_t options)
{
    utf8proc_uint8_t *mapped = NULL;
    utf8proc_ssize_t len;

    if (text.len == 0)
        return true;
    len = utf8proc_map(text.ptr, (utf8proc_ssize_t)text.len, &mapped, options);
    if (len >= 0)
        an_buf_append(out, AN_BYTES(mapped, (size_t)len));
    free(mapped);
    return len >= 0 && an_buf_ok(out);
}

/* Letters that compose with nothing before or after them: what Vietnamese names are made of already. */
static bool
is_composed(an_bytes text)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t c = text.ptr[at];
        if (c < 0x80) {
            at++;
            continue;
        }
        c = an_utf8_next(text, &at);
        if (c >= 0x300 && (c < 0x1E00 || c > 0x1EFF))
            return false;
    }
    return true;
}

bool
an_utf8_nfc(struct an_buf *out, an_bytes text)
{
    if (is_composed(text)) {
        an_buf_append(out, text);
        return an_buf_ok(out);
    }
    return map_text(out, text, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
}

/* Appends text with white space trimmed and runs of it made one space. */
static void
append_squeezed(struct an_buf *out, an_bytes text, bool fold_stroke)
{
    size_t start = out->len;
    bool space = false;

    for (size_t at = 0; at < text.len;) {
        uint32_t c = text.ptr[at] < 0x80 ? text.ptr[at++] : an_utf8_next(text, &at);
        if (c == ' ' || c == 0xA0 || (c >= '\t' && c <= '\r')) {
            space = out->len > start;
            continue;
        }
        if (space)
            an_buf_byte(out, ' ');
        space = false;
        if (c < 0x80)
            an_buf_byte(out, (uint8_t)c);
        else
            an_utf8_append(out, fold_stroke && (c == 0x111 || c == 0x110) ? 'd' : c);
    }
}

bool
an_utf8_fold(struct an_buf *out, an_bytes text)
{
    AN_CLEANUP(an_buf_free) struct an_buf plain = an_buf_new(AN_BUF_UNLIMITED);

    if (!map_text(&plain, text, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK | UTF8PROC_CASEFOLD))
        return false;
    append_squeezed(out, an_buf_view(&plain), true);
    return an_buf_ok(out);
}

bool
an_utf8_fold_name(struct an_buf *out, an_bytes text)
{
    AN_CLEANUP(an_buf_free) struct an_buf plain = an_buf_new(AN_BUF_UNLIMITED);

    if (!map_text(&plain, text,
                  UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE))
        return false;
    append_squeezed(out, an_buf_view(&plain), false);
    return an_buf_ok(out);
}

bool
an_utf8_of_utf16be(struct an_buf *out, an_bytes utf16)
{
    for (size_t at = 0; at + 1 < utf16.len; at += 2) {
        uint32_t unit = (uint32_t)utf16.ptr[at] << 8 | utf16.ptr[at + 1];
        if (unit >= 0xDC00 && unit < 0xE000)
            return false;
        if (unit >= 0xD800 && unit < 0xDC00) {
            if (at + 3 >= utf16.len)
                return false;
            uint32_t low = (uint32_t)utf16.ptr[at + 2] << 8 | utf16.ptr[at + 3];
            if (low < 0xDC00 || low > 0xDFFF)
                return false;
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            at += 2;
        }
        an_utf8_append(out, unit);
    }
    return utf16.len % 2 == 0 && an_buf_ok(out);
}

bool
an_utf16be_of_utf8(struct an_buf *out, an_bytes text)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t c = an_utf8_next(text, &at);
        if (c == UINT32_MAX)
            return false;
        if (c >= 0x10000) {
            c -= 0x10000;
            uint32_t high = 0xD800 + (c >> 10), low = 0xDC00 + (c & 0x3FFu);
            an_buf_byte(out, (uint8_t)(high >> 8));
            an_buf_byte(out, (uint8_t)(high & 255u));
            c = low;
        }
        an_buf_byte(out, (uint8_t)(c >> 8));
        an_buf_byte(out, (uint8_t)(c & 255u));
    }
    return an_buf_ok(out);
}
