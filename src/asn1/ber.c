/* BER as CMS producers write it (indefinite lengths, constructed strings) turned into DER lengths. */
#include "asn1/der.h"

/* A BER header. The end of an indefinite value is known only after its children were read. */
struct ber_header {
    uint8_t tag[4];
    size_t tag_len, len;
    bool indefinite;
};

static bool
take_tag(an_bytes *in, struct ber_header *ret)
{
    size_t n = 1;

    if (in->len == 0)
        return false;
    if ((in->ptr[0] & 0x1Fu) == 0x1Fu)
        do {
            n++;
        } while (n <= in->len && n <= sizeof(ret->tag) && (in->ptr[n - 1] & 0x80u) != 0);
    if (n > in->len || n > sizeof(ret->tag))
        return false;
    memcpy(ret->tag, in->ptr, n);
    ret->tag_len = n;
    *in = AN_BYTES(in->ptr + n, in->len - n);
    return true;
}

static bool
take_length(an_bytes *in, struct ber_header *ret)
{
    size_t octets;

    if (in->len == 0)
        return false;
    ret->len = in->ptr[0];
    ret->indefinite = ret->len == 0x80;
    octets = ret->len < 0x80 ? 0 : ret->len & 0x7Fu;
    *in = AN_BYTES(in->ptr + 1, in->len - 1);
    if (octets > in->len)
        return false;
    if (ret->len >= 0x80)
        ret->len = 0;
    for (; octets > 0; octets--) {
        if (ret->len >> (sizeof(ret->len) * 8 - 8) != 0)
            return false;
        ret->len = ret->len << 8 | in->ptr[0];
        *in = AN_BYTES(in->ptr + 1, in->len - 1);
    }
    return ret->indefinite || ret->len <= in->len;
}

static an_code
take_header(an_bytes *in, struct ber_header *ret, struct an_err *reterr)
{
    size_t left = in->len;

    if (!take_tag(in, ret) || !take_length(in, ret))
        AN_FAIL(reterr, AN_E_DER_TRUNCATED, "%zu bytes left", left);
    if (ret->indefinite && (ret->tag[0] & 0x20u) == 0)
        AN_FAIL(reterr, AN_E_DER_LENGTH, "primitive value of indefinite length");
    return AN_OK;
}

/*
 * Universal string types may be sent in pieces; the pieces' contents are the string. Not BIT STRING, whose pieces each
 * count their unused bits: nobody sends it so, and left as it is the reader refuses it.
 */
static bool
is_pieced_string(const struct ber_header *header)
{
    switch (header->tag[0]) {
    case 0x20 | AN_DER_OCTET_STRING:
    case 0x20 | AN_DER_UTF8_STRING:
    case 0x20 | 0x12:
    case 0x20 | AN_DER_PRINTABLE_STRING:
    case 0x20 | AN_DER_T61_STRING:
    case 0x20 | AN_DER_IA5_STRING:
    case 0x20 | AN_DER_UTC_TIME:
    case 0x20 | AN_DER_GENERALIZED_TIME:
    case 0x20 | 0x1A:
    case 0x20 | AN_DER_UNIVERSAL_STRING:
    case 0x20 | AN_DER_BMP_STRING:
        return true;
    default:
        return false;
    }
}

static void
put_header(struct an_buf *out, const struct ber_header *header, size_t content_len)
{
    struct an_der_out der = AN_DER_OUT(out);

    an_buf_append(out, AN_BYTES(header->tag, header->tag_len - 1));
    an_der_put_header(&der, header->tag[header->tag_len - 1], content_len);
}

/* Content stands in out from start on: the header is put before it. */
static void
insert_header(struct an_buf *out, const struct ber_header *header, size_t start)
{
    size_t content = out->len - start, size = an_der_size(content) - content + header->tag_len - 1;

    if (!an_buf_ok(out) || an_buf_extend(out, size) == NULL)
        return;
    memmove(out->ptr + start + size, out->ptr + start, content);
    out->len = start;
    put_header(out, header, content);
    out->len += content;
}

static an_code convert_value(an_bytes *in, struct an_buf *out, unsigned depth, int piece_of, struct an_err *reterr);

/* The children of a constructed value up to its end. */
static an_code
convert_children(an_bytes *in, const struct ber_header *header, struct an_buf *out, unsigned depth, int piece_of,
                 struct an_err *reterr)
{
    an_bytes inside = header->indefinite ? *in : AN_BYTES(in->ptr, header->len);

    while (inside.len > 0) {
        if (header->indefinite && inside.len >= 2 && inside.ptr[0] == 0 && inside.ptr[1] == 0)
            break;
        AN_TRY(convert_value(&inside, out, depth + 1, piece_of, reterr));
    }
    if (header->indefinite && inside.len < 2)
        AN_FAIL(reterr, AN_E_DER_TRUNCATED, "a value of indefinite length does not end");
    size_t used = header->indefinite ? in->len - inside.len + 2 : header->len;
    *in = AN_BYTES(in->ptr + used, in->len - used);
    return AN_OK;
}

/* piece_of: the value is part of a string with this tag, so only its content counts; 0 = it is not. */
static an_code
convert_value(an_bytes *in, struct an_buf *out, unsigned depth, int piece_of, struct an_err *reterr)
{
    struct ber_header header;
    size_t start = out->len;
    int pieces;

    if (depth > AN_LIMIT_DER_DEPTH)
        AN_FAIL(reterr, AN_E_LIMIT, "BER nested deeper than %d", AN_LIMIT_DER_DEPTH);
    AN_TRY(take_header(in, &header, reterr));
    if (piece_of != 0 && (header.tag[0] & ~0x20u) != (unsigned)piece_of)
        AN_FAIL(reterr, AN_E_DER_TAG, "tag %02x inside a string of tag %02x", (unsigned)header.tag[0],
                (unsigned)piece_of);
    if ((header.tag[0] & 0x20u) == 0) {
        if (piece_of == 0)
            put_header(out, &header, header.len);
        an_buf_append(out, AN_BYTES(in->ptr, header.len));
        *in = AN_BYTES(in->ptr + header.len, in->len - header.len);
        return AN_OK;
    }
    pieces = is_pieced_string(&header) ? header.tag[0] & ~0x20 : 0;
    AN_TRY(convert_children(in, &header, out, depth, pieces, reterr));
    if (pieces != 0)
        header.tag[0] = (uint8_t)pieces;
    if (piece_of == 0)
        insert_header(out, &header, start);
    return AN_OK;
}

/* Are all lengths of this value definite and shortest, and no string in pieces? */
static bool
is_der(an_bytes whole, unsigned depth)
{
    an_bytes value, child;
    int tag;

    if (an_der_any(&whole, &tag, NULL, &value, NULL) != AN_OK || whole.len != 0)
        return false;
    if (depth >= AN_LIMIT_DER_DEPTH)
        return false;
    if (is_pieced_string(&(struct ber_header){.tag = {(uint8_t)tag}}))
        return false;
    while ((tag & 0x20) != 0 && value.len > 0)
        if (an_der_any(&value, NULL, &child, NULL, NULL) != AN_OK ||
            ((child.ptr[0] & 0x20u) != 0 && !is_der(child, depth + 1)))
            return false;
    return true;
}

an_code
an_ber_take(an_bytes *in, struct an_buf *out, struct an_err *reterr)
{
    an_bytes rest = *in, whole;

    if (an_der_any(&rest, NULL, &whole, NULL, NULL) == AN_OK && is_der(whole, 0)) {
        an_buf_append(out, whole);
    } else {
        rest = *in;
        AN_TRY(convert_value(&rest, out, 0, 0, reterr));
    }
    if (!an_buf_ok(out))
        AN_FAIL(reterr, AN_E_LIMIT, "more than %zu bytes of DER", out->max);
    *in = rest;
    return AN_OK;
}

an_code
an_ber_to_der(an_bytes ber, struct an_buf *out, struct an_err *reterr)
{
    AN_TRY(an_ber_take(&ber, out, reterr));
    return an_der_end(ber, reterr);
}
