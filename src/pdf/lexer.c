#include "pdf/internal.h"

#define S AN_PDF_SPACE
#define D AN_PDF_DELIMITER
#define N (AN_PDF_DIGIT | AN_PDF_NUMBER)
#define M AN_PDF_NUMBER

/* ISO 32000-2, 7.2.3: white space, delimiters; everything without either bit is a regular character. */
const uint8_t an_pdf_class[256] = {
    [0] = S,   ['\t'] = S, ['\n'] = S, ['\f'] = S, ['\r'] = S, [' '] = S, ['('] = D, [')'] = D, ['<'] = D, ['>'] = D,
    ['['] = D, [']'] = D,  ['{'] = D,  ['}'] = D,  ['/'] = D,  ['%'] = D, ['0'] = N, ['1'] = N, ['2'] = N, ['3'] = N,
    ['4'] = N, ['5'] = N,  ['6'] = N,  ['7'] = N,  ['8'] = N,  ['9'] = N, ['+'] = M, ['-'] = M, ['.'] = M,
};

#undef S
#undef D
#undef N
#undef M

static bool
is_class(an_bytes in, size_t at, unsigned class_bits)
{
    return at < in.len && (an_pdf_class[in.ptr[at]] & class_bits) != 0;
}

/* Value plus one of a hexadecimal digit: signatures are long strings of them. */
static const uint8_t hex_table[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static int
hex_value(uint8_t byte)
{
    return hex_table[byte] - 1;
}

size_t
an_pdf_skip_space(an_bytes in, size_t at)
{
    while (at < in.len) {
        if (an_pdf_class[in.ptr[at]] & AN_PDF_SPACE) {
            at++;
            continue;
        }
        if (in.ptr[at] != '%')
            break;
        while (at < in.len && in.ptr[at] != '\n' && in.ptr[at] != '\r')
            at++;
    }
    return at;
}

bool
an_pdf_read_uint(an_bytes in, size_t *at, uint64_t *ret)
{
    uint64_t value = 0;
    size_t i = *at;

    for (; is_class(in, i, AN_PDF_DIGIT); i++) {
        if (value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(in.ptr[i] - '0');
    }
    if (i == *at)
        return false;
    *at = i;
    *ret = value;
    return true;
}

bool
an_pdf_read_word(an_bytes in, size_t *at, const char *word)
{
    size_t len = strlen(word);

    if (*at > in.len || in.len - *at < len || memcmp(in.ptr + *at, word, len) != 0)
        return false;
    if (*at + len < in.len && !is_class(in, *at + len, AN_PDF_SPACE | AN_PDF_DELIMITER))
        return false;
    *at += len;
    return true;
}

static an_bytes
unescape_name(struct an_arena *arena, an_bytes raw)
{
    uint8_t *out = an_arena_alloc(arena, raw.len);
    size_t len = 0;

    if (out == NULL)
        return AN_NONE;
    for (size_t i = 0; i < raw.len; i++) {
        int high = raw.ptr[i] == '#' && i + 2 < raw.len ? hex_value(raw.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_value(raw.ptr[i + 2]) : -1;

        if (low < 0) {
            out[len++] = raw.ptr[i];
            continue;
        }
        out[len++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    return AN_BYTES(out, len);
}

an_bytes
an_pdf_read_name(struct an_arena *arena, an_bytes in, size_t *at)
{
    size_t start = *at, i = start;
    bool is_escaped = false;

    for (; i < in.len && !is_class(in, i, AN_PDF_SPACE | AN_PDF_DELIMITER); i++)
        is_escaped = is_escaped || in.ptr[i] == '#';
    *at = i;
    return is_escaped ? unescape_name(arena, AN_BYTES(in.ptr + start, i - start)) : AN_BYTES(in.ptr + start, i - start);
}

/* One escape sequence: at stands after the backslash. Returns the byte, or -1 for a line continuation. */
static int
read_escape(an_bytes in, size_t *at)
{
    static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
    uint8_t byte = in.ptr[(*at)++];
    const char *found = byte ? strchr(from, byte) : NULL;
    int value = 0;

    if (found)
        return (uint8_t)to[found - from];
    if (byte == '\r' && *at < in.len && in.ptr[*at] == '\n')
        ++*at;
    if (byte == '\r' || byte == '\n')
        return -1;
    if (byte < '0' || byte > '7')
        return byte;
    value = byte - '0';
    for (int digits = 1; digits < 3 && *at < in.len && in.ptr[*at] >= '0' && in.ptr[*at] <= '7'; digits++)
        value = value * 8 + (in.ptr[(*at)++] - '0');
    return value & 0xff;
}

static an_bytes
unescape_literal(struct an_arena *arena, an_bytes raw)
{
    uint8_t *out = an_arena_alloc(arena, raw.len);
    size_t len = 0, i = 0;

    if (out == NULL)
        return AN_NONE;
    while (i < raw.len) {
        uint8_t byte = raw.ptr[i++];

        if (byte == '\\' && i < raw.len) {
            int value = read_escape(raw, &i);

            if (value >= 0)
                out[len++] = (uint8_t)value;
        } else if (byte == '\r') { /* 7.3.4.2: any end of line counts as a line feed */
            if (i < raw.len && raw.ptr[i] == '\n')
                i++;
            out[len++] = '\n';
        } else {
            out[len++] = byte;
        }
    }
    return AN_BYTES(out, len);
}

an_bytes
an_pdf_read_literal(struct an_arena *arena, an_bytes in, size_t *at)
{
    size_t start = *at, i = start, nesting = 1, end;
    bool is_plain = true;

    for (; i < in.len; i++) {
        uint8_t byte = in.ptr[i];

        if (byte == '\\' || byte == '\r') {
            is_plain = false;
            i += byte == '\\';
        } else if (byte == '(') {
            nesting++;
        } else if (byte == ')' && --nesting == 0) {
            break;
        }
    }
    end = i < in.len ? i : in.len;
    *at = i < in.len ? i + 1 : in.len;
    return is_plain ? AN_BYTES(in.ptr + start, end - start)
                    : unescape_literal(arena, AN_BYTES(in.ptr + start, end - start));
}

an_bytes
an_pdf_read_hex(struct an_arena *arena, an_bytes in, size_t *at)
{
    size_t start = *at, end, len = 0;
    int high = -1;
    uint8_t *out;
    const uint8_t *close = start < in.len ? memchr(in.ptr + start, '>', in.len - start) : NULL;

    end = close ? (size_t)(close - in.ptr) : in.len;
    *at = close ? end + 1 : end;
    out = an_arena_alloc(arena, (end - start) / 2 + 1);
    if (out == NULL)
        return AN_NONE;
    for (; start + 1 < end; start += 2) { /* clean pairs, until something else turns up */
        unsigned first = hex_table[in.ptr[start]], second = hex_table[in.ptr[start + 1]];

        if (first == 0 || second == 0)
            break;
        out[len++] = (uint8_t)((first - 1) << 4 | (second - 1));
    }
    for (size_t i = start; i < end; i++) {
        int value = hex_value(in.ptr[i]);

        if (value < 0)
            continue;
        if (high < 0) {
            high = value;
            continue;
        }
        out[len++] = (uint8_t)(high << 4 | value);
        high = -1;
    }
    if (high >= 0)
        out[len++] = (uint8_t)(high << 4);
    return AN_BYTES(out, len);
}

/* Lenient as the common readers are: "--5" is -5, a second dot or an inner sign ends the number. */
void
an_pdf_read_number(an_bytes in, size_t *at, struct an_pdf_obj *ret)
{
    bool is_negative = false, is_real = false, is_big = false;
    int64_t whole = 0;
    double real = 0, scale = 1;
    size_t i = *at;

    for (; i < in.len && (in.ptr[i] == '+' || in.ptr[i] == '-'); i++)
        is_negative = is_negative || in.ptr[i] == '-';
    for (; i < in.len && (is_class(in, i, AN_PDF_DIGIT) || (in.ptr[i] == '.' && !is_real)); i++) {
        if (in.ptr[i] == '.') {
            is_real = true;
            continue;
        }
        int digit = in.ptr[i] - '0';

        real = real * 10 + digit;
        scale *= is_real ? 10 : 1;
        is_big = is_big || whole > (INT64_MAX - 9) / 10;
        whole = is_big ? 0 : whole * 10 + digit;
    }
    while (is_class(in, i, AN_PDF_NUMBER)) /* the rest of a malformed number */
        i++;
    *at = i;
    ret->kind = is_real || is_big ? AN_PDF_REAL : AN_PDF_INT;
    if (ret->kind == AN_PDF_INT)
        ret->u.integer = is_negative ? -whole : whole;
    else
        ret->u.real = (is_negative ? -real : real) / scale;
}
