/* Comparison of names by RFC 5280 7.1: strings are prepared by RFC 4518, so case, white space and type do not count. */
#include "x509/internal.h"

#include "base/utf8.h"

#define SHORT_TEXT 256
#define AVAS_MAX 16 /* parts of one RDN; two are rare */

/* A short ASCII string prepared without Unicode tables; SIZE_MAX when it is neither. */
static size_t
fold_ascii(an_bytes text, uint8_t ret[static SHORT_TEXT])
{
    bool space = false;
    size_t len = 0;

    if (text.len >= SHORT_TEXT)
        return SIZE_MAX;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c < 0x20 || c >= 0x7F)
            return SIZE_MAX;
        if (c == ' ') {
            space = len > 0;
            continue;
        }
        if (space)
            ret[len++] = ' ';
        space = false;
        ret[len++] = (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return len;
}

static bool
is_octet_string_type(int tag)
{
    return tag == AN_DER_PRINTABLE_STRING || tag == AN_DER_UTF8_STRING || tag == AN_DER_IA5_STRING ||
           tag == AN_DER_T61_STRING || tag == 0x1A || tag == 0x12;
}

/* 1 equal, 0 different, -1 when the long way is needed */
static int
compare_ascii(an_bytes a, an_bytes b)
{
    uint8_t folded_a[SHORT_TEXT], folded_b[SHORT_TEXT];
    size_t len_a, len_b;
    int tag_a, tag_b;

    if (an_der_any(&a, &tag_a, NULL, &a, NULL) != AN_OK || an_der_any(&b, &tag_b, NULL, &b, NULL) != AN_OK)
        return 0;
    if (!is_octet_string_type(tag_a) || !is_octet_string_type(tag_b))
        return -1;
    len_a = fold_ascii(a, folded_a);
    len_b = fold_ascii(b, folded_b);
    if (len_a == SIZE_MAX || len_b == SIZE_MAX)
        return -1;
    return len_a == len_b && memcmp(folded_a, folded_b, len_a) == 0;
}

static bool
prepare(an_bytes value_whole, struct an_buf *ret)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_LIMIT_CERT_BYTES);

    return an_der_text(&value_whole, &text, NULL) == AN_OK && an_utf8_fold_name(ret, an_buf_view(&text));
}

/* Values of types that are not strings are equal only octet by octet. */
static bool
value_eq(an_bytes a, an_bytes b)
{
    AN_CLEANUP(an_buf_free) struct an_buf text_a = an_buf_new(4 * AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf text_b = an_buf_new(4 * AN_LIMIT_CERT_BYTES);
    int quick;

    if (an_bytes_eq(a, b))
        return true;
    quick = compare_ascii(a, b);
    if (quick >= 0)
        return quick == 1;
    return prepare(a, &text_a) && prepare(b, &text_b) && an_bytes_eq(an_buf_view(&text_a), an_buf_view(&text_b));
}

struct ava { an_bytes oid, value; };

static size_t
read_avas(an_bytes rdn, struct ava ret[static AVAS_MAX])
{
    size_t count = 0;

    while (rdn.len > 0) {
        if (count == AVAS_MAX || !an_x509_next_ava(&rdn, &ret[count].oid, &ret[count].value))
            return 0;
        count++;
    }
    return count;
}

/* An RDN is a set: each part of a needs a part of b of its own. */
static bool
rdn_eq(an_bytes a, an_bytes b)
{
    struct ava parts_a[AVAS_MAX], parts_b[AVAS_MAX];
    size_t count = read_avas(a, parts_a);
    unsigned used = 0;

    if (count == 0 || read_avas(b, parts_b) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t j = 0;
        while (j < count && ((used >> j & 1u) != 0 || !an_bytes_eq(parts_a[i].oid, parts_b[j].oid) ||
                             !value_eq(parts_a[i].value, parts_b[j].value)))
            j++;
        if (j == count)
            return false;
        used |= 1u << j;
    }
    return true;
}

/* Takes one RDN off both; false when they differ or one of them has none left. */
static bool
next_rdn_eq(an_bytes *a, an_bytes *b)
{
    an_bytes rdn_a, rdn_b;

    if (!an_x509_next_rdn(a, &rdn_a) || !an_x509_next_rdn(b, &rdn_b))
        return false;
    return an_bytes_eq(rdn_a, rdn_b) || rdn_eq(rdn_a, rdn_b);
}

static bool
open_names(an_bytes *a, an_bytes *b)
{
    return an_der_take(a, AN_DER_SEQUENCE, a, NULL) == AN_OK && an_der_take(b, AN_DER_SEQUENCE, b, NULL) == AN_OK;
}

bool
an_name_eq(an_bytes a, an_bytes b)
{
    if (an_bytes_eq(a, b))
        return true;
    if (!open_names(&a, &b))
        return false;
    while (a.len > 0 && b.len > 0)
        if (!next_rdn_eq(&a, &b))
            return false;
    return a.len == 0 && b.len == 0;
}

bool
an_name_within(an_bytes base, an_bytes name)
{
    if (!open_names(&base, &name))
        return false;
    while (base.len > 0)
        if (!next_rdn_eq(&base, &name))
            return false;
    return true;
}
