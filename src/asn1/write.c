#include "asn1/der.h"

size_t
an_der_size(size_t content_len)
{
    size_t octets = 2;

    if (content_len >= 0x80)
        for (size_t rest = content_len; rest != 0; rest >>= 8)
            octets++;
    return octets + content_len;
}

/* Length octets of len; out has room for nine. */
static size_t
make_length(size_t len, uint8_t *out)
{
    size_t octets = 0;

    if (len < 0x80) {
        out[0] = (uint8_t)len;
        return 1;
    }
    for (size_t rest = len; rest != 0; rest >>= 8)
        octets++;
    out[0] = (uint8_t)(0x80u | octets);
    for (size_t i = 0; i < octets; i++)
        out[1 + i] = (uint8_t)(len >> 8 * (octets - 1 - i));
    return 1 + octets;
}

void
an_der_put_header(struct an_der_out *out, int tag, size_t content_len)
{
    uint8_t header[10];

    header[0] = (uint8_t)tag;
    an_buf_append(out->buf, AN_BYTES(header, 1 + make_length(content_len, header + 1)));
}

void
an_der_open(struct an_der_out *out, int tag)
{
    AN_ASSERT(out->depth < AN_LIMIT_DER_OUT_DEPTH);
    an_buf_byte(out->buf, (uint8_t)tag);
    out->starts[out->depth++] = out->buf->len;
    an_buf_byte(out->buf, 0);
}

/* One length octet was reserved; content of 128 bytes and more moves up to make room. */
void
an_der_close(struct an_der_out *out)
{
    struct an_buf *buf = out->buf;
    uint8_t octets[9];
    size_t start, content, more;

    AN_ASSERT(out->depth > 0);
    start = out->starts[--out->depth];
    if (!an_buf_ok(buf))
        return;
    content = buf->len - start - 1;
    more = make_length(content, octets) - 1;
    if (more > 0) {
        if (an_buf_extend(buf, more) == NULL)
            return;
        memmove(buf->ptr + start + 1 + more, buf->ptr + start + 1, content);
    }
    memcpy(buf->ptr + start, octets, 1 + more);
}

void
an_der_put(struct an_der_out *out, int tag, an_bytes content)
{
    an_der_put_header(out, tag, content.len);
    an_buf_append(out->buf, content);
}

void
an_der_put_raw(struct an_der_out *out, an_bytes whole)
{
    an_buf_append(out->buf, whole);
}

void
an_der_put_oid(struct an_der_out *out, const char *dotted)
{
    uint8_t octets[AN_OID_MAX];
    size_t len = an_oid_encode(dotted, octets);

    AN_ASSERT(len != 0);
    an_der_put(out, AN_DER_OID, AN_BYTES(octets, len));
}

void
an_der_put_int(struct an_der_out *out, int64_t value)
{
    uint8_t octets[8];
    uint64_t bits;
    size_t at = 0;

    memcpy(&bits, &value, sizeof(bits));
    for (size_t i = 0; i < 8; i++)
        octets[i] = (uint8_t)(bits >> 8 * (7 - i));
    while (at < 7 && ((octets[at] == 0 && octets[at + 1] < 0x80) || (octets[at] == 0xFF && octets[at + 1] >= 0x80)))
        at++;
    an_der_put(out, AN_DER_INTEGER, AN_BYTES(octets + at, 8 - at));
}

void
an_der_put_unsigned(struct an_der_out *out, an_bytes big_endian)
{
    bool sign;

    while (big_endian.len > 1 && big_endian.ptr[0] == 0)
        big_endian = AN_BYTES(big_endian.ptr + 1, big_endian.len - 1);
    sign = big_endian.len == 0 || big_endian.ptr[0] >= 0x80;
    an_der_put_header(out, AN_DER_INTEGER, big_endian.len + sign);
    if (sign)
        an_buf_byte(out->buf, 0);
    an_buf_append(out->buf, big_endian);
}

void
an_der_put_bool(struct an_der_out *out, bool value)
{
    an_der_put(out, AN_DER_BOOLEAN, value ? AN_LIT("\xFF") : AN_LIT("\0"));
}

void
an_der_put_null(struct an_der_out *out)
{
    an_der_put(out, AN_DER_NULL, AN_NONE);
}

void
an_der_put_bits(struct an_der_out *out, an_bytes bits, unsigned unused)
{
    AN_ASSERT(unused <= 7);
    an_der_put_header(out, AN_DER_BIT_STRING, bits.len + 1);
    an_buf_byte(out->buf, (uint8_t)unused);
    an_buf_append(out->buf, bits);
}

void
an_der_put_utf8(struct an_der_out *out, const char *text)
{
    an_der_put(out, AN_DER_UTF8_STRING, an_bytes_of_str(text));
}

/* "YYYYMMDDhhmmssZ"; years outside 0–9999 cannot be written and become the nearest that can. */
static void
format_time(an_time when, uint8_t text[static 15])
{
    struct an_date date = an_date_of(when, 0);
    int fields[7];

    if (date.year < 0)
        date = (struct an_date){0, 1, 1, 0, 0, 0};
    else if (date.year > 9999)
        date = (struct an_date){9999, 12, 31, 23, 59, 59};
    memcpy(fields, (int[]){date.year / 100, date.year % 100, date.month, date.day, date.hour, date.minute, date.second},
           sizeof(fields));
    for (size_t i = 0; i < AN_COUNT(fields); i++) {
        text[2 * i] = (uint8_t)('0' + fields[i] / 10);
        text[2 * i + 1] = (uint8_t)('0' + fields[i] % 10);
    }
    text[14] = 'Z';
}

void
an_der_put_generalized(struct an_der_out *out, an_time when)
{
    uint8_t text[15];

    format_time(when, text);
    an_der_put(out, AN_DER_GENERALIZED_TIME, AN_BYTES(text, sizeof(text)));
}

void
an_der_put_time(struct an_der_out *out, an_time when)
{
    int year = an_date_of(when, 0).year;
    uint8_t text[15];

    if (year < 1950 || year >= 2050) {
        an_der_put_generalized(out, when);
        return;
    }
    format_time(when, text);
    an_der_put(out, AN_DER_UTC_TIME, AN_BYTES(text + 2, sizeof(text) - 2));
}
