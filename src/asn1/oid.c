#include "asn1/der.h"

#include <stdio.h>

static size_t
put_arc(uint64_t arc, uint8_t *out)
{
    uint8_t reversed[10];
    size_t n = 0;

    do {
        reversed[n++] = (uint8_t)(arc & 0x7Fu);
        arc >>= 7;
    } while (arc != 0);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(reversed[n - 1 - i] | (i + 1 < n ? 0x80u : 0u));
    return n;
}

/* One decimal arc; *text moves past it and a following dot. A number of more than 18 digits is not one of ours. */
static bool
take_arc(const char **text, uint64_t *ret)
{
    uint64_t value = 0;
    int digits = 0;

    for (; **text >= '0' && **text <= '9'; (*text)++, digits++) {
        if (digits == 18)
            return false;
        value = value * 10 + (uint64_t)(**text - '0');
    }
    if (digits == 0 || (**text != '\0' && **text != '.'))
        return false;
    if (**text == '.' && (*text)[1] == '\0')
        return false;
    *text += **text == '.';
    *ret = value;
    return true;
}

size_t
an_oid_encode(const char *dotted, uint8_t ret[static AN_OID_MAX])
{
    uint64_t first, second, arc;
    size_t len;

    if (!take_arc(&dotted, &first) || !take_arc(&dotted, &second) || first > 2 || (first < 2 && second > 39))
        return 0;
    len = put_arc(first * 40 + second, ret);
    while (*dotted != '\0') {
        if (len > AN_OID_MAX - 10 || !take_arc(&dotted, &arc))
            return 0;
        len += put_arc(arc, ret + len);
    }
    return len;
}

bool
an_oid_eq(an_bytes content, const char *dotted)
{
    uint8_t octets[AN_OID_MAX];
    size_t len = an_oid_encode(dotted, octets);

    return len != 0 && an_bytes_eq(content, AN_BYTES(octets, len));
}

bool
an_oid_bytes(const char *dotted, struct an_buf *out)
{
    uint8_t octets[AN_OID_MAX];
    size_t len = an_oid_encode(dotted, octets);

    an_buf_append(out, AN_BYTES(octets, len));
    return len != 0 && an_buf_ok(out);
}

/* An arc that does not fit 64 bits is shown as "?": it is for people to read, never compared. */
void
an_oid_text(an_bytes content, struct an_buf *out)
{
    uint64_t arc = 0;
    bool first = true, wide = false;

    for (size_t i = 0; i < content.len; i++) {
        wide = wide || arc >> 57 != 0;
        arc = arc << 7 | (content.ptr[i] & 0x7Fu);
        if ((content.ptr[i] & 0x80u) != 0)
            continue;
        if (wide) {
            an_buf_str(out, first ? "2.?" : ".?");
        } else if (first) {
            uint64_t root = arc < 80 ? arc / 40 : 2;
            an_buf_printf(out, "%llu.%llu", (unsigned long long)root, (unsigned long long)(arc - root * 40));
        } else {
            an_buf_printf(out, ".%llu", (unsigned long long)arc);
        }
        first = wide = false;
        arc = 0;
    }
}
