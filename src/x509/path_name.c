/* GeneralNames, and whether a certificate carries a name that is wanted (RFC 5280 4.2.1.6, RFC 9525 6). */
#include "base/utf8.h"
#include "x509/path_internal.h"

#include <arpa/inet.h>
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
an_path_is_mailbox(an_bytes text)
{
    size_t at = an_bytes_rfind(text, AN_LIT("@"));
    an_bytes local;

    if (at == SIZE_MAX || at == 0 || !an_path_is_ia5(text) ||
        !an_path_is_hostname(an_bytes_slice(text, at + 1, SIZE_MAX), false))
        return false;
    local = an_bytes_slice(text, 0, at);
    return an_bytes_find(local, AN_LIT("@"), 0) == SIZE_MAX ||
           (local.len > 2 && local.ptr[0] == '"' && local.ptr[at - 1] == '"');
}

bool
an_path_uri_host(an_bytes uri, an_bytes *ret_host)
{
    size_t at = an_bytes_find(uri, AN_LIT("://"), 0);
    an_bytes rest;
    size_t end = 0, user;

    if (at == SIZE_MAX || at == 0)
        return false;
    rest = an_bytes_slice(uri, at + 3, SIZE_MAX);
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' && rest.ptr[end] != '#')
        end++;
    rest.len = end;
    user = an_bytes_rfind(rest, AN_LIT("@"));
    if (user != SIZE_MAX)
        rest = an_bytes_slice(rest, user + 1, SIZE_MAX);
    if (rest.len > 0 && rest.ptr[0] == '[')
        return false; /* an address is not a name */
    at = an_bytes_find(rest, AN_LIT(":"), 0);
    if (at != SIZE_MAX)
        rest.len = at;
    *ret_host = rest;
    return rest.len > 0;
}

/* A pattern of subjectAltName against a host. "*" stands for exactly the whole left-most label, and at least two labels
 * must follow it: nobody is given a certificate for all of ".vn". */
static bool
host_matches(an_bytes pattern, an_bytes host)
{
    size_t dot;

    if (!an_path_is_hostname(pattern, true))
        return false;
    if (pattern.ptr[0] != '*')
        return an_path_text_eq_nocase(pattern, host);
    pattern = an_bytes_slice(pattern, 2, SIZE_MAX);
    dot = an_bytes_find(host, AN_LIT("."), 0);
    if (dot == SIZE_MAX || dot == 0 || an_bytes_find(pattern, AN_LIT("."), 0) == SIZE_MAX)
        return false;
    return an_path_text_eq_nocase(pattern, an_bytes_slice(host, dot + 1, SIZE_MAX));
}

/* Local part exactly, domain without regard to case (RFC 5280 7.5). */
static bool
email_matches(an_bytes a, an_bytes b)
{
    size_t at = an_bytes_rfind(a, AN_LIT("@"));

    if (a.len != b.len || at == SIZE_MAX || at != an_bytes_rfind(b, AN_LIT("@")))
        return false;
    return an_bytes_eq(AN_BYTES(a.ptr, at), AN_BYTES(b.ptr, at)) &&
           an_path_text_eq_nocase(an_bytes_slice(a, at, SIZE_MAX), an_bytes_slice(b, at, SIZE_MAX));
}

static bool
ip_matches(an_bytes address, const char *text)
{
    uint8_t wanted[16];

    if (inet_pton(AF_INET, text, wanted) == 1)
        return an_bytes_eq(address, AN_BYTES(wanted, 4));
    return inet_pton(AF_INET6, text, wanted) == 1 && an_bytes_eq(address, AN_BYTES(wanted, 16));
}

static bool
dn_matches(an_bytes name, const char *text)
{
    struct an_buf printed AN_CLEANUP(an_buf_free) = an_buf_new(64 * 1024);
    struct an_buf a AN_CLEANUP(an_buf_free) = an_buf_new(64 * 1024);
    struct an_buf b AN_CLEANUP(an_buf_free) = an_buf_new(64 * 1024);

    an_name_text(name, &printed);
    if (!an_utf8_nfc(&a, an_buf_view(&printed)) || !an_utf8_nfc(&b, an_bytes_of_str(text)))
        return false;
    return an_path_text_eq_nocase(an_buf_view(&a), an_buf_view(&b));
}

static bool
name_matches(enum path_name_kind kind, an_bytes value, const struct an_name_want *want)
{
    an_bytes wanted = an_bytes_of_str(want->value);

    if (kind == PATH_NAME_DNS && strcmp(want->kind, "dns") == 0) {
        if (wanted.len > 1 && wanted.ptr[wanted.len - 1] == '.')
            wanted.len--;
        return host_matches(value, wanted);
    }
    if (kind == PATH_NAME_IP && strcmp(want->kind, "ip") == 0)
        return ip_matches(value, want->value);
    if (kind == PATH_NAME_EMAIL && strcmp(want->kind, "email") == 0)
        return email_matches(value, wanted);
    if (kind == PATH_NAME_URI && strcmp(want->kind, "uri") == 0)
        return an_bytes_eq(value, wanted);
    return kind == PATH_NAME_DIRECTORY && strcmp(want->kind, "dn") == 0 && dn_matches(value, want->value);
}

/* Host names, addresses and URIs stand in subjectAltName only; a common name is not a host (RFC 9525 6.4.4). */
static bool
subject_has_name(const struct an_cert *cert, const struct an_name_want *want)
{
    an_bytes rdns, atavs = AN_NONE, value;

    if (strcmp(want->kind, "dn") == 0)
        return dn_matches(cert->subject, want->value);
    if (strcmp(want->kind, "email") != 0 || !an_path_name_content(cert->subject, &rdns))
        return false;
    while (an_path_email_next(&rdns, &atavs, &value))
        if (email_matches(value, an_bytes_of_str(want->value)))
            return true;
    return false;
}

bool
an_path_cert_has_name(const struct path_node *node, const struct an_name_want *want)
{
    an_bytes names = node->cert->subject_alt_name, value;
    enum path_name_kind kind;

    while (names.len > 0 && an_path_name_next(&names, &kind, &value))
        if (name_matches(kind, value, want))
            return true;
    return subject_has_name(node->cert, want);
}
