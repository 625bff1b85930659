/*
 * Name constraints, RFC 5280 4.2.1.10. Every set found on the way down stays as it was written: a name must lie in a
 * permitted subtree of each set that speaks of its form, and in no excluded one. That is the intersection and union of
 * 6.1.4 (g) without ever computing them. Each comparison is paid from a budget.
 */
#include "asn1/oid.h"
#include "x509/path_internal.h"

/* ---- parsing ---- */
static bool
mask_is_prefix(an_bytes mask)
{
    size_t bit = 0;

    while (bit < mask.len * 8 && (mask.ptr[bit / 8] & (0x80u >> (bit % 8))))
        bit++;
    for (; bit < mask.len * 8; bit++)
        if (mask.ptr[bit / 8] & (0x80u >> (bit % 8)))
            return false;
    return true;
}

/* a host, ".domain", or nothing for all */
static bool
host_base_is_well_formed(an_bytes base, bool strict)
{
    if (!strict || base.len == 0)
        return an_path_is_ia5(base);
    return an_path_is_hostname(base.ptr[0] == '.' ? an_bytes_slice(base, 1, SIZE_MAX) : base, false);
}

static bool
base_is_well_formed(const struct path_constraint *item, bool strict)
{
    an_bytes base = item->base;

    switch (item->kind) {
    case PATH_NAME_IP:
        return (base.len == 8 || base.len == 32) && mask_is_prefix(an_bytes_slice(base, base.len / 2, SIZE_MAX));
    case PATH_NAME_DNS:
        if (base.len > 0 && base.ptr[0] == '.' && !strict)
            base = an_bytes_slice(base, 1, SIZE_MAX);
        return base.len == 0 || an_path_is_hostname(base, false);
    case PATH_NAME_EMAIL:
        if (an_bytes_find(base, AN_LIT("@"), 0) != SIZE_MAX)
            return !strict || an_path_is_mailbox(base);
        return host_base_is_well_formed(base, strict);
    case PATH_NAME_URI:
        return host_base_is_well_formed(base, strict);
    default:
        return true;
    }
}

/* GeneralSubtree: base, minimum [0] DEFAULT 0, maximum [1]; other depths than "0 and below" are not in use
 * (4.2.1.10). */
static bool
parse_subtree(an_bytes *in, bool excluded, bool strict, struct path_constraint *ret)
{
    an_bytes subtree, minimum;
    enum path_name_kind kind;

    if (an_der_take(in, AN_DER_SEQUENCE, &subtree, NULL) != AN_OK || !an_path_name_next(&subtree, &kind, &ret->base))
        return false;
    ret->kind = (uint8_t)kind;
    ret->excluded = excluded;
    if (an_der_try(&subtree, AN_DER_CONTEXT(0), &minimum))
        ret->unsupported = minimum.len != 1 || minimum.ptr[0] != 0;
    if (subtree.len > 0)
        ret->unsupported = true;
    if (kind != PATH_NAME_EMAIL && kind != PATH_NAME_DNS && kind != PATH_NAME_DIRECTORY && kind != PATH_NAME_URI &&
        kind != PATH_NAME_IP)
        ret->unsupported = true;
    return base_is_well_formed(ret, strict);
}

static size_t
count_values(an_bytes in)
{
    an_bytes whole, value;
    size_t count = 0;
    int tag;

    while (in.len > 0 && an_der_any(&in, &tag, &whole, &value, NULL) == AN_OK)
        count++;
    return count;
}

static bool
parse_subtrees(an_bytes in, bool excluded, bool strict, struct path_constraints *set)
{
    while (in.len > 0) {
        struct path_constraint *item = &set->items[set->count];

        if (!parse_subtree(&in, excluded, strict, item))
            return false;
        set->kinds |= 1u << item->kind;
        if (!excluded)
            set->permitted_kinds |= 1u << item->kind;
        set->count++;
    }
    return true;
}

an_code
an_path_constraints_load(struct path_shared *shared, struct path_node *node, bool strict)
{
    an_bytes in, permitted = AN_NONE, excluded = AN_NONE;
    struct path_constraints *set;
    bool has_permitted, has_excluded;

    if (node->has_constraints)
        return node->constraints ? AN_OK : AN_V_PATH_EXTENSION;
    node->has_constraints = true;
    in = node->ext[PATH_EXT_NAME_CONSTRAINTS]->value;
    if (!an_path_open(in, &in))
        return AN_V_PATH_EXTENSION;
    has_permitted = an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &permitted);
    has_excluded = an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(1), &excluded);
    if (in.len > 0 || (!has_permitted && !has_excluded))
        return AN_V_PATH_EXTENSION;
    if ((has_permitted && permitted.len == 0) || (has_excluded && excluded.len == 0))
        return AN_V_PATH_EXTENSION;
    set = an_arena_alloc(shared->arena, sizeof(*set));
    set->items =
        an_arena_alloc(shared->arena, (count_values(permitted) + count_values(excluded) + 1) * sizeof(*set->items));
    if (!parse_subtrees(permitted, false, strict, set) || !parse_subtrees(excluded, true, strict, set))
        return AN_V_PATH_EXTENSION;
    node->constraints = set;
    return AN_OK;
}

/* ---- matching one name against one subtree ---- */
static bool
host_within(an_bytes base, an_bytes host)
{
    an_bytes tail;

    if (base.len == 0)
        return true;
    if (host.len < base.len)
        return false;
    tail = an_bytes_slice(host, host.len - base.len, SIZE_MAX);
    if (!an_path_text_eq_nocase(base, tail))
        return false;
    return host.len == base.len || base.ptr[0] == '.' || host.ptr[host.len - base.len - 1] == '.';
}

/* "*.example.com" may be used as "bar.example.com": an excluded "bar.example.com" catches it (CVE-2025-61727). */
static bool
wildcard_touches(an_bytes base, an_bytes host)
{
    size_t dot = an_bytes_find(base, AN_LIT("."), 0);

    if (host.len < 3 || host.ptr[0] != '*' || dot == SIZE_MAX)
        return false;
    return an_path_text_eq_nocase(an_bytes_slice(base, dot, SIZE_MAX), an_bytes_slice(host, 1, SIZE_MAX));
}

static bool
dns_matches(const struct path_constraint *item, an_bytes host)
{
    if (host.len > 0 && host.ptr[host.len - 1] == '.')
        host.len--;
    return host_within(item->base, host) || (item->excluded && wildcard_touches(item->base, host));
}

/* "user@host" one mailbox, "host" all of that host, ".domain" all hosts below it. */
static bool
email_within(an_bytes base, an_bytes email)
{
    size_t at = an_bytes_rfind(email, AN_LIT("@")), base_at = an_bytes_rfind(base, AN_LIT("@"));
    an_bytes host = an_bytes_slice(email, at == SIZE_MAX ? 0 : at + 1, SIZE_MAX);

    if (base_at != SIZE_MAX)
        return at != SIZE_MAX && an_bytes_eq(AN_BYTES(base.ptr, base_at), AN_BYTES(email.ptr, at)) &&
               an_path_text_eq_nocase(an_bytes_slice(base, base_at, SIZE_MAX), an_bytes_slice(email, at, SIZE_MAX));
    if (base.len > 0 && base.ptr[0] == '.')
        return host.len > base.len && host_within(base, host);
    return base.len == 0 || an_path_text_eq_nocase(base, host);
}

static bool
uri_within(an_bytes base, an_bytes host)
{
    if (base.len > 0 && base.ptr[0] == '.')
        return host.len > base.len && host_within(base, host);
    return base.len == 0 || an_path_text_eq_nocase(base, host);
}

static bool
ip_within(an_bytes base, an_bytes address)
{
    size_t len = base.len / 2;

    if (address.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((address.ptr[i] & base.ptr[len + i]) != (base.ptr[i] & base.ptr[len + i]))
            return false;
    return true;
}

static bool
name_matches(const struct path_constraint *item, an_bytes value)
{
    switch (item->kind) {
    case PATH_NAME_DNS:
        return dns_matches(item, value);
    case PATH_NAME_EMAIL:
        return email_within(item->base, value);
    case PATH_NAME_URI:
        return uri_within(item->base, value);
    case PATH_NAME_IP:
        return ip_within(item->base, value);
    case PATH_NAME_DIRECTORY:
        return an_name_within(item->base, value);
    default:
        return false;
    }
}

/* ---- one name against all sets ---- */
/* Names of many parts, each folded by Unicode's tables, take as long as some twenty hosts. */
#define DIRECTORY_COST 16

static bool
spend_name_check(struct path_shared *shared, size_t cost)
{
    if (shared->name_checks_left < cost) {
        shared->limit_reached = true;
        return false;
    }
    shared->name_checks_left -= cost;
    return true;
}

static an_code
check_in_set(struct path_shared *shared, const struct path_constraints *set, enum path_name_kind kind, an_bytes value)
{
    bool is_permitted = !(set->permitted_kinds & (1u << kind));

    for (size_t i = 0; i < set->count; i++) {
        const struct path_constraint *item = &set->items[i];

        if (!spend_name_check(shared, item->kind == kind && kind == PATH_NAME_DIRECTORY ? DIRECTORY_COST : 1))
            return AN_V_PATH_LIMIT;
        if (item->kind != kind || (!item->excluded && is_permitted))
            continue;
        /* A form we cannot compare is constrained and present: 6.1 leaves only rejection. */
        if (item->unsupported)
            return AN_V_PATH_NAME_CONSTRAINT;
        if (!name_matches(item, value))
            continue;
        if (item->excluded)
            return AN_V_PATH_NAME_CONSTRAINT;
        is_permitted = true;
    }
    return is_permitted ? AN_OK : AN_V_PATH_NAME_CONSTRAINT;
}

/* A name that cannot be read as its form says cannot be shown to be inside anything. */
static bool
value_is_comparable(enum path_name_kind kind, an_bytes *value)
{
    switch (kind) {
    case PATH_NAME_IP:
        return value->len == 4 || value->len == 16;
    case PATH_NAME_URI:
        return an_path_is_ia5(*value) && an_path_uri_host(*value, value);
    case PATH_NAME_EMAIL:
        return an_path_is_mailbox(*value);
    case PATH_NAME_DNS:
        return an_path_is_host_like(*value);
    default:
        return true;
    }
}

static an_code
check_name(struct path_shared *shared, const struct path_constraints *const *sets, size_t set_count,
           enum path_name_kind kind, an_bytes value)
{
    an_bytes compared = value;

    for (size_t i = 0; i < set_count; i++) {
        compared = value;
        if (!(sets[i]->kinds & (1u << kind)))
            continue;
        if (!value_is_comparable(kind, &compared))
            return AN_V_PATH_NAME_CONSTRAINT;
        AN_TRY(check_in_set(shared, sets[i], kind, compared));
    }
    return AN_OK;
}

/* RFC 9598 6: constraints on mailboxes hold for those with other letters too, which stand in otherName. */
static an_code
check_utf8_mailbox(struct path_shared *shared, const struct path_constraints *const *sets, size_t set_count,
                   an_bytes other)
{
    an_bytes mailbox;

    if (!an_path_other_name(other, AN_OID_UTF8_MAILBOX, &mailbox))
        return AN_OK;
    for (size_t i = 0; i < set_count; i++) {
        if (!(sets[i]->kinds & (1u << PATH_NAME_EMAIL)))
            continue;
        if (!an_path_is_utf8_mailbox(mailbox))
            return AN_V_PATH_NAME_CONSTRAINT;
        AN_TRY(check_in_set(shared, sets[i], PATH_NAME_EMAIL, mailbox));
    }
    return AN_OK;
}

static an_code
check_subject(struct path_shared *shared, const struct path_constraints *const *sets, size_t set_count,
              const struct an_cert *cert)
{
    an_bytes rdns, atavs = AN_NONE, value;

    if (!an_path_name_content(cert->subject, &rdns) || rdns.len == 0)
        return AN_OK;
    AN_TRY(check_name(shared, sets, set_count, PATH_NAME_DIRECTORY, cert->subject));
    /* Also when there is a subjectAltName: whoever reads the address from the subject must not be misled. */
    while (an_path_email_next(&rdns, &atavs, &value))
        AN_TRY(check_name(shared, sets, set_count, PATH_NAME_EMAIL, value));
    return AN_OK;
}

an_code
an_path_constraints_check(struct path_shared *shared, const struct path_constraints *const *sets, size_t set_count,
                          const struct path_node *node, struct path_verdict *ret, size_t at)
{
    an_bytes names = node->cert->subject_alt_name, value;
    enum path_name_kind kind;
    an_code code = check_subject(shared, sets, set_count, node->cert);

    if (code != AN_OK)
        return an_path_refuse(ret, code, at, "subject");
    while (names.len > 0) {
        if (!an_path_name_next(&names, &kind, &value))
            return an_path_refuse(ret, AN_V_PATH_EXTENSION, at, "subjectAltName");
        code = check_name(shared, sets, set_count, kind, value);
        if (code == AN_OK && kind == PATH_NAME_OTHER)
            code = check_utf8_mailbox(shared, sets, set_count, value);
        if (code != AN_OK)
            return an_path_refuse(ret, code, at, "subjectAltName [%d]", (int)kind);
    }
    return AN_OK;
}
