/* Character strings of every ASN.1 type as UTF-8. */
#include "asn1/der.h"

#include "base/utf8.h"

/* One octet a character. T61String: in certificates it has always meant Latin-1 (RFC 2459 and every implementation). */
static void
append_latin1(struct an_buf *out, an_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x80)
            an_buf_byte(out, text.ptr[i]);
        else
            an_utf8_append(out, text.ptr[i]);
}

static bool
append_ascii(struct an_buf *out, an_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 0x80)
            return false;
    an_buf_append(out, text);
    return true;
}

static bool
append_utf32(struct an_buf *out, an_bytes text)
{
    for (size_t i = 0; i + 3 < text.len; i += 4) {
        uint32_t c = (uint32_t)text.ptr[i] << 24 | (uint32_t)text.ptr[i + 1] << 16 | (uint32_t)text.ptr[i + 2] << 8 |
                     text.ptr[i + 3];
        if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
            return false;
        an_utf8_append(out, c);
    }
    return text.len % 4 == 0;
}

/* -1 = not a string type, 0 = malformed, 1 = appended */
static int
append_text(int tag, an_bytes value, struct an_buf *out)
{
    switch (tag) {
    case AN_DER_UTF8_STRING:
        if (!an_utf8_is_valid(value))
            return 0;
        an_buf_append(out, value);
        return 1;
    case AN_DER_T61_STRING:
        append_latin1(out, value);
        return 1;
    case 0x12: /* NumericString */
    case AN_DER_PRINTABLE_STRING:
    case AN_DER_IA5_STRING:
    case 0x1A: /* VisibleString */
        return append_ascii(out, value);
    case AN_DER_BMP_STRING:
        return an_utf8_of_utf16be(out, value);
    case AN_DER_UNIVERSAL_STRING:
        return append_utf32(out, value);
    default:
        return -1;
    }
}

an_code
an_der_text(an_bytes *in, struct an_buf *out, struct an_err *reterr)
{
    size_t before = out->len;
    an_bytes rest = *in, value;
    int tag, outcome;

    AN_TRY(an_der_any(&rest, &tag, NULL, &value, reterr));
    outcome = append_text(tag, value, out);
    if (outcome < 0)
        AN_FAIL(reterr, AN_E_DER_TAG, "tag %02x where a character string should be", (unsigned)tag);
    if (outcome == 0) {
        out->len = before;
        AN_FAIL(reterr, AN_E_DER_VALUE, "character string with octets its type does not allow");
    }
    if (!an_buf_ok(out))
        AN_FAIL(reterr, AN_E_LIMIT, "character string of %zu bytes", value.len);
    *in = rest;
    return AN_OK;
}
