#include "asn1/der.h"

#define BEGIN_MARK "-----BEGIN "
#define DASHES "-----"

/* The label after BEGIN_MARK; false when the line is not one. */
static bool
read_label(an_bytes text, size_t begin, char ret_label[static 64], size_t *ret_body)
{
    size_t from = begin + sizeof(BEGIN_MARK) - 1, to = an_bytes_find(text, AN_LIT(DASHES), from);

    if (to == SIZE_MAX || to - from >= 64)
        return false;
    for (size_t i = from; i < to; i++)
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7E)
            return false;
    memcpy(ret_label, text.ptr + from, to - from);
    ret_label[to - from] = '\0';
    *ret_body = to + sizeof(DASHES) - 1;
    return true;
}

/* Headers such as "Proc-Type:" end with an empty line; the base64 text starts behind it. */
static an_bytes
skip_headers(an_bytes body)
{
    size_t blank;

    if (an_bytes_find(body, AN_LIT(":"), 0) == SIZE_MAX)
        return body;
    blank = an_bytes_find(body, AN_LIT("\n\n"), 0);
    if (blank == SIZE_MAX)
        blank = an_bytes_find(body, AN_LIT("\n\r\n"), 0);
    return blank == SIZE_MAX ? body : an_bytes_slice(body, blank, body.len);
}

static bool
take_pem(an_bytes text, size_t *at, struct an_buf *ret_der, char ret_label[static 64])
{
    size_t begin = an_bytes_find(text, AN_LIT(BEGIN_MARK), *at), body, end, close;
    size_t before = ret_der->len;

    if (begin == SIZE_MAX) {
        *at = text.len;
        return false;
    }
    *at = begin;
    if (!read_label(text, begin, ret_label, &body))
        return false;
    end = an_bytes_find(text, AN_LIT("-----END "), body);
    if (end == SIZE_MAX)
        return false;
    close = an_bytes_find(text, AN_LIT(DASHES), end + sizeof(DASHES) - 1);
    if (close == SIZE_MAX || !an_base64_decode(ret_der, skip_headers(AN_BYTES(text.ptr + body, end - body)))) {
        ret_der->len = before;
        return false;
    }
    *at = close + sizeof(DASHES) - 1;
    return true;
}

/* A file that began with DER goes on with DER: white space at its end is an editor's, anything else is not ours. */
static bool
end_der(an_bytes text, size_t *at)
{
    for (size_t i = *at; i < text.len; i++)
        if (memchr(" \t\r\n", text.ptr[i], 4) == NULL)
            return false;
    *at = text.len;
    return false;
}

bool
an_pem_next(an_bytes text, size_t *at, struct an_buf *ret_der, char ret_label[static 64])
{
    an_bytes rest = an_bytes_slice(text, *at, text.len), whole;

    if (rest.len == 0)
        return false;
    if (rest.ptr[0] == AN_DER_SEQUENCE && an_der_any(&rest, NULL, &whole, NULL, NULL) == AN_OK) {
        an_buf_append(ret_der, whole);
        ret_label[0] = '\0';
        *at += whole.len;
        return an_buf_ok(ret_der);
    }
    if (*at > 0 && text.ptr[0] == AN_DER_SEQUENCE && an_bytes_find(text, AN_LIT(BEGIN_MARK), 0) == SIZE_MAX)
        return end_der(text, at);
    return take_pem(text, at, ret_der, ret_label);
}

void
an_pem_write(struct an_buf *out, const char *label, an_bytes der)
{
    enum { LINE_OCTETS = 48 }; /* 64 letters */

    an_buf_printf(out, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; at < der.len; at += LINE_OCTETS) {
        an_base64_encode(out, an_bytes_slice(der, at, LINE_OCTETS));
        an_buf_byte(out, '\n');
    }
    an_buf_printf(out, "-----END %s-----\n", label);
}
