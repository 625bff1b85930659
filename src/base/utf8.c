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

/* Vietnamese has two marks on a letter, Tibetan four; more climb over the lines above. */
#define MARKS_MAX 4

bool
an_utf8_is_hidden(uint32_t c, unsigned *marks)
{
    const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)c);

    if (c == UINT32_MAX || c == 0x2800) /* malformed; a Braille pattern without dots */
        return true;
    switch (property->category) {
    case UTF8PROC_CATEGORY_CC: /* controls */
    case UTF8PROC_CATEGORY_CF: /* formats: no width, directions, soft hyphens, annotations, tags */
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO: /* private: whatever the next font shows */
    case UTF8PROC_CATEGORY_CN: /* nothing, for ever or still */
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return true;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
        return property->ignorable || ++*marks > MARKS_MAX;
    default:
        *marks = 0;
        return property->ignorable; /* fillers */
    }
}

bool
an_utf8_is_visible(an_bytes text)
{
    unsigned marks = 0;

    for (size_t at = 0; at < text.len;)
        if (an_utf8_is_hidden(an_utf8_next(text, &at), &marks))
            return false;
    return true;
}

void
an_utf8_make_visible(char *text)
{
    an_bytes in = an_bytes_of_str(text ? text : "");
    size_t at = 0, out = 0;
    unsigned marks = 0;

    while (at < in.len) {
        size_t from = at;
        if (an_utf8_is_hidden(an_utf8_next(in, &at), &marks)) {
            text[out++] = '?';
        } else {
            memmove(text + out, text + from, at - from);
            out += at - from;
        }
    }
    if (text != NULL)
        text[out] = '\0';
}

/* Scripts whose letters pass for Latin ones, and letters that are Latin ones in another dress. */
static const struct { uint32_t first, last; } look_alikes[] = {
    {0x0370, 0x052F},   /* Greek, Cyrillic */
    {0x0530, 0x058F},   /* Armenian */
    {0x13A0, 0x13FF},   /* Cherokee */
    {0x1C80, 0x1C8F}, {0x1F00, 0x1FFF}, {0x2C80, 0x2CFF}, /* Cyrillic, Greek, Coptic */
    {0x2100, 0x214F}, {0x2160, 0x2188}, {0x2460, 0x24FF}, /* letters as signs, numbers, in circles */
    {0x2DE0, 0x2DFF}, {0xA4D0, 0xA4FF}, {0xA640, 0xA69F}, {0xAB70, 0xABBF}, /* Cyrillic, Lisu, Cyrillic, Cherokee */
    {0xFF21, 0xFF5A},   /* full width */
    {0x1D400, 0x1D7FF}, /* mathematical */
};

static bool
is_look_alike(uint32_t c)
{
    for (size_t i = 0; i < AN_COUNT(look_alikes); i++)
        if (c >= look_alikes[i].first && c <= look_alikes[i].last)
            return true;
    return false;
}

static bool
is_latin(uint32_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= 0xC0 && c <= 0x24F && c != 0xD7 && c != 0xF7) ||
        (c >= 0x1E00 && c <= 0x1EFF);
}

bool
an_utf8_is_mixed(an_bytes text)
{
    bool has_latin = false, has_look_alike = false;

    for (size_t at = 0; at < text.len;) {
        uint32_t c = an_utf8_next(text, &at);
        has_latin = has_latin || is_latin(c);
        has_look_alike = has_look_alike || is_look_alike(c);
    }
    return has_latin && has_look_alike;
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
