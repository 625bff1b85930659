/* X.690: one walk over every value of an object, also inside the OCTET STRINGs that hold one. */
#include "ca/lint_internal.h"

#define VALUES_MAX 4096 /* a list has one entry after another: the first thousand speak for the rest */

struct walk { struct lint_run *run; size_t values; };

/* Header by hand: the reader in asn1/ refuses what is to be named here. */
static bool
take_header(struct walk *w, an_bytes *in, int *ret_tag, an_bytes *ret_value)
{
    size_t at = 2, len;

    if (in->len < 2 || (in->ptr[0] & 0x1f) == 0x1f)
        return false;
    *ret_tag = in->ptr[0];
    len = in->ptr[1];
    if (len == 0x80) {
        lint_raise(w->run, LINT_DER_INDEFINITE);
        return false;
    }
    if (len > 0x80) {
        size_t octets = len & 0x7f;
        if (octets > 4 || octets > in->len - 2)
            return false;
        len = 0;
        for (size_t i = 0; i < octets; i++)
            len = len << 8 | in->ptr[at++];
        lint_if(w->run, len < 0x80 || in->ptr[2] == 0, LINT_DER_LENGTH);
    }
    if (len > in->len - at)
        return false;
    *ret_value = AN_BYTES(in->ptr + at, len);
    *in = AN_BYTES(in->ptr + at + len, in->len - at - len);
    return true;
}

static void
check_integer(struct walk *w, an_bytes v)
{
    lint_if(w->run, v.len == 0 || (v.len > 1 && ((v.ptr[0] == 0 && v.ptr[1] < 0x80) ||
                                                 (v.ptr[0] == 0xff && v.ptr[1] >= 0x80))), LINT_DER_INTEGER);
}

static void
check_oid(struct walk *w, an_bytes v)
{
    bool is_start = true, is_wrong = v.len == 0 || v.ptr[v.len - 1] >= 0x80;

    for (size_t i = 0; i < v.len && !is_wrong; i++) {
        is_wrong = is_start && v.ptr[i] == 0x80;
        is_start = v.ptr[i] < 0x80;
    }
    lint_if(w->run, is_wrong, LINT_DER_OID);
}

static void
check_bits(struct walk *w, an_bytes v)
{
    unsigned unused = v.len ? v.ptr[0] : 8;

    lint_if(w->run, unused > 7 || (unused > 0 && (v.len == 1 || (v.ptr[v.len - 1] & ((1u << unused) - 1u)) != 0)),
            LINT_DER_BITS);
}

static void walk_values(struct walk *w, an_bytes in, unsigned depth, int parent);

/*
 * Where an OCTET STRING holds DER: behind the OID of an extension or of an OCSP answer (and the BOOLEAN between), and
 * as the content of SignedData. Anywhere else it is a digest or a nonce, and one of 65,536 begins like a SEQUENCE.
 */
static bool
may_hold(int parent, int before)
{
    return before == AN_DER_OID || before == AN_DER_BOOLEAN || (before == 0 && parent == AN_DER_CONTEXT_CONSTRUCTED(0));
}

static void
check_value(struct walk *w, int tag, an_bytes v, unsigned depth, bool may_hold_value)
{
    an_bytes inside = v;

    switch (tag) {
    case AN_DER_BOOLEAN: lint_if(w->run, v.len != 1 || (v.ptr[0] != 0 && v.ptr[0] != 0xff), LINT_DER_BOOLEAN); break;
    case AN_DER_INTEGER:
    case AN_DER_ENUMERATED: check_integer(w, v); break;
    case AN_DER_BIT_STRING: check_bits(w, v); break;
    case AN_DER_NULL: lint_if(w->run, v.len != 0, LINT_DER_NULL); break;
    case AN_DER_OID: check_oid(w, v); break;
    case AN_DER_OCTET_STRING:
        if (may_hold_value && v.len > 1 && v.ptr[0] == AN_DER_SEQUENCE &&
            an_der_take(&inside, AN_DER_SEQUENCE, &inside, NULL) == AN_OK && an_der_size(inside.len) == v.len)
            walk_values(w, v, depth + 1, tag);
        break;
    default:
        if (tag & 0x20) {
            lint_if(w->run, tag < 0x40 && tag != AN_DER_SEQUENCE && tag != AN_DER_SET, LINT_DER_CONSTRUCTED);
            walk_values(w, v, depth + 1, tag);
        }
    }
}

static void
walk_values(struct walk *w, an_bytes in, unsigned depth, int parent)
{
    an_bytes before = AN_NONE, value;
    int tag, tag_before = 0;

    while (in.len > 0 && depth < AN_LIMIT_DER_DEPTH && w->values++ < VALUES_MAX) {
        const uint8_t *start = in.ptr;
        if (!take_header(w, &in, &tag, &value))
            return;
        an_bytes whole = AN_BYTES(start, (size_t)(in.ptr - start));
        lint_if(w->run, parent == AN_DER_SET && before.len != 0 && an_bytes_cmp(before, whole) > 0, LINT_DER_SET_ORDER);
        before = whole;
        check_value(w, tag, value, depth, may_hold(parent, tag_before));
        tag_before = tag;
    }
}

void
lint_der(struct lint_run *run, an_bytes der)
{
    struct walk w = {.run = run};
    an_bytes value;
    int tag;

    if (!take_header(&w, &der, &tag, &value))
        return;
    lint_if(run, der.len != 0, LINT_DER_TRAILING);
    check_value(&w, tag, value, 0, false);
}
