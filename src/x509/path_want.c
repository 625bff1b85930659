/* Does a certificate carry a name that is wanted? RFC 5280 4.2.1.6, RFC 9525 6. */
#include "asn1/oid.h"
#include "base/utf8.h"
#include "x509/path_internal.h"

#include <arpa/inet.h>
#include <strings.h>

#define DN_PARTS_MAX 64
#define DN_TEXT_MAX (64 * 1024)

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

/* ---- a distinguished name as people write it ---- */
/* Spaces around; one that is escaped belongs to the value. */
static an_bytes
trim(an_bytes text)
{
    while (text.len > 0 && text.ptr[0] == ' ')
        text = an_bytes_slice(text, 1, SIZE_MAX);
    while (text.len > 0 && text.ptr[text.len - 1] == ' ' && (text.len < 2 || text.ptr[text.len - 2] != '\\'))
        text.len--;
    return text;
}

/* The parts between commas that are not escaped; SIZE_MAX when there are more than fit. */
static size_t
split_dn(an_bytes text, an_bytes ret[static DN_PARTS_MAX])
{
    size_t count = 0, begin = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] == '\\') {
            i++;
            continue;
        }
        if (i < text.len && text.ptr[i] != ',')
            continue;
        if (count == DN_PARTS_MAX)
            return SIZE_MAX;
        ret[count++] = trim(an_bytes_slice(text, begin, i - begin));
        begin = i + 1;
    }
    return count;
}

static bool
value_eq(an_bytes a, an_bytes b)
{
    struct an_buf x AN_CLEANUP(an_buf_free) = an_buf_new(DN_TEXT_MAX);
    struct an_buf y AN_CLEANUP(an_buf_free) = an_buf_new(DN_TEXT_MAX);

    return an_utf8_fold_name(&x, a) && an_utf8_fold_name(&y, b) && an_bytes_eq(an_buf_view(&x), an_buf_view(&y));
}

/* "CN=An" and "CN = an" */
static bool
part_eq(an_bytes a, an_bytes b)
{
    size_t sign_a = an_bytes_find(a, AN_LIT("="), 0), sign_b = an_bytes_find(b, AN_LIT("="), 0);

    if (sign_a == SIZE_MAX || sign_b == SIZE_MAX)
        return false;
    return an_path_text_eq_nocase(trim(an_bytes_slice(a, 0, sign_a)), trim(an_bytes_slice(b, 0, sign_b))) &&
           value_eq(trim(an_bytes_slice(a, sign_a + 1, SIZE_MAX)), trim(an_bytes_slice(b, sign_b + 1, SIZE_MAX)));
}

/* Some tools print the country first, RFC 4514 (and an_name_text) last: either way round is the same name. */
static bool
dn_matches(an_bytes name, const char *text)
{
    struct an_buf printed AN_CLEANUP(an_buf_free) = an_buf_new(DN_TEXT_MAX);
    an_bytes ours[DN_PARTS_MAX], theirs[DN_PARTS_MAX];
    size_t count, forward = 0, backward = 0;

    an_name_text(name, &printed);
    count = split_dn(an_buf_view(&printed), ours);
    if (count == SIZE_MAX || split_dn(an_bytes_of_str(text), theirs) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        forward += part_eq(ours[i], theirs[i]);
        backward += part_eq(ours[i], theirs[count - 1 - i]);
    }
    return forward == count || backward == count;
}

/* Two kinds of name that stand in otherName: RFC 9598, and the one by which people log in to Windows domains. */
static bool
other_name_matches(an_bytes value, const struct an_name_want *want)
{
    an_bytes text, wanted = an_bytes_of_str(want->value);

    if (strcmp(want->kind, "upn") == 0)
        return an_path_other_name(value, AN_OID_UPN, &text) && value_eq(text, wanted);
    return strcmp(want->kind, "email") == 0 && an_path_other_name(value, AN_OID_UTF8_MAILBOX, &text) &&
           email_matches(text, wanted);
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
    if (kind == PATH_NAME_OTHER)
        return other_name_matches(value, want);
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
