#include "asn1/der.h"

/*
 * The first octet and the number of a multi-octet tag make one int: first | number << 8. Such tags occur only inside
 * values that are carried along unread, so three further octets are plenty. 0 when malformed.
 */
static size_t
read_long_tag(an_bytes in, int *ret_tag)
{
    unsigned number = 0;
    size_t at = 1;

    for (; at < in.len && at <= 3; at++) {
        number = number << 7 | (in.ptr[at] & 0x7Fu);
        if ((in.ptr[at] & 0x80u) == 0)
            break;
    }
    if (at >= in.len || at > 3 || number < 0x1F || in.ptr[1] == 0x80)
        return 0;
    *ret_tag = (int)(in.ptr[0] | number << 8);
    return at + 1;
}

/* Length octets of the long form, from *at, which moves past them; false when not the shortest form. */
static bool
read_long_length(an_bytes in, size_t *at, size_t *len)
{
    size_t octets = *len & 0x7Fu, value = 0;

    if (octets == 0 || octets > sizeof(size_t) || octets > in.len - *at || in.ptr[*at] == 0)
        return false;
    for (; octets > 0; octets--)
        value = value << 8 | in.ptr[(*at)++];
    *len = value;
    return value >= 0x80;
}

/* Size of the header of the value at the front; 0 when malformed, with the reason in *ret_why. */
static inline size_t
read_header(an_bytes in, int *ret_tag, size_t *ret_len, an_code *ret_why)
{
    size_t at = 1, len;

    *ret_why = AN_E_DER_TRUNCATED;
    if (in.len < 2)
        return 0;
    *ret_tag = in.ptr[0];
    if ((in.ptr[0] & 0x1Fu) == 0x1Fu) {
        at = read_long_tag(in, ret_tag);
        if (at == 0 || at >= in.len)
            return 0;
    }
    len = in.ptr[at++];
    if (len >= 0x80 && !read_long_length(in, &at, &len)) {
        *ret_why = AN_E_DER_LENGTH;
        return 0;
    }
    if (len > in.len - at)
        return 0;
    *ret_len = len;
    return at;
}

static an_code
fail_header(an_bytes in, an_code why, struct an_err *reterr)
{
    if (in.len == 0)
        AN_FAIL(reterr, AN_E_DER_TRUNCATED, "a value is missing at the end");
    AN_FAIL(reterr, why, "tag %02x, %zu bytes left", (unsigned)in.ptr[0], in.len);
}

int
an_der_peek(an_bytes in)
{
    int tag;

    if (in.len == 0)
        return -1;
    if ((in.ptr[0] & 0x1Fu) == 0x1Fu)
        return read_long_tag(in, &tag) != 0 ? tag : -1;
    return in.ptr[0];
}

static inline void
split_value(an_bytes *in, size_t header, size_t len, an_bytes *ret_whole, an_bytes *ret_value)
{
    an_bytes all = *in;

    /* *in first: a caller may open a value in place, with ret_value == in. */
    *in = AN_BYTES(all.ptr + header + len, all.len - header - len);
    *ret_whole = AN_BYTES(all.ptr, header + len);
    *ret_value = AN_BYTES(all.ptr + header, len);
}

an_code
an_der_any(an_bytes *in, int *ret_tag, an_bytes *ret_whole, an_bytes *ret_value, struct an_err *reterr)
{
    size_t len, header;
    an_bytes whole, value;
    an_code why;
    int tag;

    header = read_header(*in, &tag, &len, &why);
    if (header == 0)
        return fail_header(*in, why, reterr);
    split_value(in, header, len, &whole, &value);
    if (ret_tag != NULL)
        *ret_tag = tag;
    if (ret_whole != NULL)
        *ret_whole = whole;
    if (ret_value != NULL)
        *ret_value = value;
    return AN_OK;
}

static an_code
take_tagged(an_bytes *in, int tag, an_bytes *ret_whole, an_bytes *ret_value, struct an_err *reterr)
{
    size_t len, header;
    an_code why;
    int found;

    header = read_header(*in, &found, &len, &why);
    if (header == 0)
        return fail_header(*in, why, reterr);
    if (found != tag)
        AN_FAIL(reterr, AN_E_DER_TAG, "tag %02x where %02x should be", (unsigned)found, (unsigned)tag);
    split_value(in, header, len, ret_whole, ret_value);
    return AN_OK;
}

an_code
an_der_take(an_bytes *in, int tag, an_bytes *ret_value, struct an_err *reterr)
{
    an_bytes whole;

    return take_tagged(in, tag, &whole, ret_value, reterr);
}

an_code
an_der_take_whole(an_bytes *in, int tag, an_bytes *ret_whole, struct an_err *reterr)
{
    an_bytes value;

    return take_tagged(in, tag, ret_whole, &value, reterr);
}

bool
an_der_try(an_bytes *in, int tag, an_bytes *ret_value)
{
    return in->len != 0 && an_der_take(in, tag, ret_value, NULL) == AN_OK;
}

an_code
an_der_end(an_bytes in, struct an_err *reterr)
{
    if (in.len != 0)
        AN_FAIL(reterr, AN_E_DER_TRAILING, "%zu bytes", in.len);
    return AN_OK;
}

static an_code
take_integer(an_bytes *in, int tag, an_bytes *ret_content, struct an_err *reterr)
{
    an_bytes rest = *in, content;

    AN_TRY(an_der_take(&rest, tag, &content, reterr));
    if (content.len == 0)
        AN_FAIL(reterr, AN_E_DER_VALUE, "INTEGER without content");
    if (content.len > 1 &&
        ((content.ptr[0] == 0 && content.ptr[1] < 0x80) || (content.ptr[0] == 0xFF && content.ptr[1] >= 0x80)))
        AN_FAIL(reterr, AN_E_DER_VALUE, "INTEGER with a superfluous leading octet");
    *ret_content = content;
    *in = rest;
    return AN_OK;
}

an_code
an_der_integer(an_bytes *in, an_bytes *ret_content, struct an_err *reterr)
{
    return take_integer(in, AN_DER_INTEGER, ret_content, reterr);
}

an_code
an_der_int64(an_bytes *in, int64_t *ret, struct an_err *reterr)
{
    an_bytes rest = *in, content;
    uint64_t value;

    AN_TRY(take_integer(&rest, an_der_peek(rest) == AN_DER_ENUMERATED ? AN_DER_ENUMERATED : AN_DER_INTEGER, &content,
                        reterr));
    if (content.len > 8)
        AN_FAIL(reterr, AN_E_DER_VALUE, "INTEGER of %zu octets where 8 are the most", content.len);
    value = content.ptr[0] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < content.len; i++)
        value = value << 8 | content.ptr[i];
    memcpy(ret, &value, sizeof(*ret));
    *in = rest;
    return AN_OK;
}

an_code
an_der_bool(an_bytes *in, bool *ret, struct an_err *reterr)
{
    an_bytes rest = *in, content;

    AN_TRY(an_der_take(&rest, AN_DER_BOOLEAN, &content, reterr));
    if (content.len != 1 || (content.ptr[0] != 0 && content.ptr[0] != 0xFF))
        AN_FAIL(reterr, AN_E_DER_VALUE, "BOOLEAN that is neither 00 nor FF");
    *ret = content.ptr[0] != 0;
    *in = rest;
    return AN_OK;
}

an_code
an_der_bits(an_bytes *in, an_bytes *ret_bits, unsigned *ret_unused, struct an_err *reterr)
{
    an_bytes rest = *in, content;
    unsigned unused;

    AN_TRY(an_der_take(&rest, AN_DER_BIT_STRING, &content, reterr));
    if (content.len == 0)
        AN_FAIL(reterr, AN_E_DER_VALUE, "BIT STRING without content");
    unused = content.ptr[0];
    if (unused > 7 || (unused > 0 && content.len == 1))
        AN_FAIL(reterr, AN_E_DER_VALUE, "BIT STRING with %u unused bits", unused);
    if (unused > 0 && (content.ptr[content.len - 1] & ((1u << unused) - 1u)) != 0)
        AN_FAIL(reterr, AN_E_DER_VALUE, "BIT STRING whose unused bits are not zero");
    *ret_bits = AN_BYTES(content.ptr + 1, content.len - 1);
    if (ret_unused != NULL)
        *ret_unused = unused;
    *in = rest;
    return AN_OK;
}
