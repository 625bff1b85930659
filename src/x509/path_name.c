/* GeneralNames and the forms of their values (RFC 5280 4.2.1.6, 7.2-7.5, RFC 9598). */
#include "base/utf8.h"
#include "x509/path_internal.h"

#include <ctype.h>
#include <strings.h>

bool
an_path_name_next(an_bytes *in, enum path_name_kind *ret_kind, an_bytes *ret_value)
{
    an_bytes whole, value, inner;
    int tag, number;
    bool constructed;

    if (an_der_any(in, &tag, &whole, &value, NULL) != AN_OK || (tag & 0xC0) != 0x80)
        return false;
    number = tag & 0x1F;
    constructed = (tag & 0x20) != 0;
    if (number >= PATH_NAME_KINDS)
        return false;
    if (constructed != (number == PATH_NAME_OTHER || (number >= PATH_NAME_X400 && number <= PATH_NAME_EDI)))
        return false;
    if (number == PATH_NAME_DIRECTORY) {
        inner = value;
        if (an_der_take_whole(&inner, AN_DER_SEQUENCE, &value, NULL) != AN_OK || inner.len != 0)
            return false;
    }
    *ret_kind = (enum path_name_kind)number;
    *ret_value = value;
    return true;
}

bool
an_path_names_are_readable(an_bytes names)
{
    enum path_name_kind kind;
    an_bytes value;

    while (names.len > 0)
        if (!an_path_name_next(&names, &kind, &value))
            return false;
    return true;
}

bool
an_path_other_name(an_bytes other, an_bytes type, an_bytes *ret_text)
{
    an_bytes oid, value;

    return an_der_take(&other, AN_DER_OID, &oid, NULL) == AN_OK && an_bytes_eq(oid, type) &&
           an_der_take(&other, AN_DER_CONTEXT_CONSTRUCTED(0), &value, NULL) == AN_OK && other.len == 0 &&
           an_der_take(&value, AN_DER_UTF8_STRING, ret_text, NULL) == AN_OK && value.len == 0;
}

bool
an_path_open(an_bytes value, an_bytes *ret)
{
    an_bytes content;

    if (an_der_take(&value, AN_DER_SEQUENCE, &content, NULL) != AN_OK || value.len != 0)
        return false;
    *ret = content;
    return true;
}

bool
an_path_name_content(an_bytes name, an_bytes *ret_rdns)
{
    return an_der_take(&name, AN_DER_SEQUENCE, ret_rdns, NULL) == AN_OK;
}

/* rdns: what is left of the RDNSequence; atavs: what is left of the RDN being read. */
bool
an_path_email_next(an_bytes *rdns, an_bytes *atavs, an_bytes *ret_value)
{
    static const uint8_t email_oid[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x01};
    an_bytes pair, oid, whole;
    int tag;

    for (;;) {
        while (atavs->len == 0)
            if (rdns->len == 0 || an_der_take(rdns, AN_DER_SET, atavs, NULL) != AN_OK)
                return false;
        if (an_der_take(atavs, AN_DER_SEQUENCE, &pair, NULL) != AN_OK)
            return false;
        if (an_der_take(&pair, AN_DER_OID, &oid, NULL) != AN_OK ||
            !an_bytes_eq(oid, AN_BYTES(email_oid, sizeof(email_oid))))
            continue;
        return an_der_any(&pair, &tag, &whole, ret_value, NULL) == AN_OK;
    }
}

bool
an_path_text_eq_nocase(an_bytes a, an_bytes b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp((const char *)a.ptr, (const char *)b.ptr, a.len) == 0);
}

bool
an_path_is_ia5(an_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 0x80 || text.ptr[i] == 0)
            return false;
    return true;
}

static bool
is_label_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

bool
an_path_is_hostname(an_bytes host, bool wildcard_allowed)
{
    size_t label = 0;

    if (wildcard_allowed && host.len > 2 && host.ptr[0] == '*' && host.ptr[1] == '.')
        host = an_bytes_slice(host, 2, SIZE_MAX);
    if (host.len == 0 || host.len > 253)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] == '.') {
            if (label == 0 || host.ptr[i - 1] == '-')
                return false;
            label = 0;
            continue;
        }
        if (!is_label_byte(host.ptr[i]) || (label == 0 && host.ptr[i] == '-') || ++label > 63)
            return false;
    }
    return label > 0 && host.ptr[host.len - 1] != '-';
}

bool
an_path_is_host_like(an_bytes host)
{
    size_t label = 0;

    if (host.len > 1 && host.ptr[host.len - 1] == '.')
        host.len--;
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] == '.' && label == 0)
            return false;
        if (host.ptr[i] != '.' && !is_label_byte(host.ptr[i]) && host.ptr[i] != '_' && host.ptr[i] != '*')
            return false;
        label = host.ptr[i] == '.' ? 0 : label + 1;
    }
    return label > 0;
}

bool
an_path_is_mailbox(an_bytes text)
{
    return an_path_is_ia5(text) && an_path_is_utf8_mailbox(text);
}

bool
an_path_is_utf8_mailbox(an_bytes text)
{
    size_t at = an_bytes_rfind(text, AN_LIT("@"));
    an_bytes local;

    if (at == SIZE_MAX || at == 0 || !an_utf8_is_valid(text) || memchr(text.ptr, 0, text.len) != NULL ||
        !an_path_is_hostname(an_bytes_slice(text, at + 1, SIZE_MAX), false))
        return false;
    local = an_bytes_slice(text, 0, at);
    return an_bytes_find(local, AN_LIT("@"), 0) == SIZE_MAX ||
           (local.len > 2 && local.ptr[0] == '"' && local.ptr[at - 1] == '"');
}

/* RFC 3986 3.2.1: what else stands before an "@" makes readers differ about where the host begins. */
static bool
is_userinfo(an_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum(text.ptr[i]) && (text.ptr[i] == 0 || strchr("-._~%!$&'()*+,;=:", text.ptr[i]) == NULL))
            return false;
    return true;
}

static bool
is_scheme(an_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!isalpha(text.ptr[i]) && (i == 0 || (!isdigit(text.ptr[i]) && strchr("+-.", text.ptr[i]) == NULL)))
            return false;
    return text.len > 0;
}

/* Takes ":" and digits off the end; false when something else stands behind a colon. */
static bool
drop_port(an_bytes *authority)
{
    size_t colon = an_bytes_find(*authority, AN_LIT(":"), 0);

    for (size_t i = colon == SIZE_MAX ? authority->len : colon + 1; i < authority->len; i++)
        if (!isdigit(authority->ptr[i]))
            return false;
    if (colon != SIZE_MAX)
        authority->len = colon;
    return true;
}

/* A last label that begins with a digit is the end of an address, in one of the many ways to write it. */
static bool
is_address(an_bytes host)
{
    size_t dot = an_bytes_rfind(host, AN_LIT("."));

    return isdigit(host.ptr[dot == SIZE_MAX ? 0 : dot + 1]) != 0;
}

bool
an_path_uri_host(an_bytes uri, an_bytes *ret_host)
{
    size_t at = an_bytes_find(uri, AN_LIT("://"), 0), end = 0, user;
    an_bytes rest;

    if (at == SIZE_MAX || !is_scheme(an_bytes_slice(uri, 0, at)))
        return false;
    rest = an_bytes_slice(uri, at + 3, SIZE_MAX);
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' && rest.ptr[end] != '#')
        end++;
    rest.len = end;
    user = an_bytes_rfind(rest, AN_LIT("@"));
    if (user != SIZE_MAX && !is_userinfo(an_bytes_slice(rest, 0, user)))
        return false;
    if (user != SIZE_MAX)
        rest = an_bytes_slice(rest, user + 1, SIZE_MAX);
    if (!drop_port(&rest) || !an_path_is_hostname(rest, false) || is_address(rest))
        return false;
    *ret_host = rest;
    return true;
}
