/* Extensions about policies and about where things are found: RFC 5280 4.2.1.4–4.2.1.15, 4.2.2. */
#include "ca/lint_internal.h"

#include "base/utf8.h"

#define OID_ANY_POLICY AN_LIT("\x55\x1D\x20\x00")
#define OID_CPS AN_LIT("\x2B\x06\x01\x05\x05\x07\x02\x01")
#define OID_NOTICE AN_LIT("\x2B\x06\x01\x05\x05\x07\x02\x02")
#define VISIBLE_STRING 0x1A
#define NOTICE_CHARACTERS_MAX 200

static bool
open_sequence(an_bytes value, an_bytes *ret)
{
    return an_der_take(&value, AN_DER_SEQUENCE, ret, NULL) == AN_OK && value.len == 0;
}

/* ---- policies ---- */
/* UserNotice: an optional reference, an optional text. */
static void
check_notice(struct lint_cert *c, an_bytes qualifier)
{
    an_bytes in, text;
    size_t at = 0, characters = 0;
    int tag;

    if (an_der_take(&qualifier, AN_DER_SEQUENCE, &in, NULL) != AN_OK) {
        lint_raise(&c->run, LINT_CP_NOTICE);
        return;
    }
    while (in.len > 0 && an_der_any(&in, &tag, NULL, &text, NULL) == AN_OK) {
        if (tag == AN_DER_SEQUENCE)
            continue;
        for (at = 0, characters = 0; at < text.len; characters++)
            (void)an_utf8_next(text, &at);
        lint_if(&c->run, characters > NOTICE_CHARACTERS_MAX || (tag != AN_DER_UTF8_STRING && tag != VISIBLE_STRING),
                LINT_CP_NOTICE);
    }
}

static bool
read_qualifier(struct lint_cert *c, an_bytes *in)
{
    an_bytes qualifier, oid, text;

    if (an_der_take(in, AN_DER_SEQUENCE, &qualifier, NULL) != AN_OK ||
        an_der_take(&qualifier, AN_DER_OID, &oid, NULL) != AN_OK)
        return false;
    if (an_bytes_eq(oid, OID_CPS))
        lint_if(&c->run, an_der_take(&qualifier, AN_DER_IA5_STRING, &text, NULL) != AN_OK || !lint_is_uri(text, false),
                LINT_CP_CPS);
    else if (an_bytes_eq(oid, OID_NOTICE))
        check_notice(c, qualifier);
    else
        lint_raise(&c->run, LINT_CP_QUALIFIER);
    return true;
}

static bool
read_policy(struct lint_cert *c, an_bytes *in, an_bytes before)
{
    an_bytes policy, oid, earlier, qualifiers;

    if (an_der_take(in, AN_DER_SEQUENCE, &policy, NULL) != AN_OK ||
        an_der_take(&policy, AN_DER_OID, &oid, NULL) != AN_OK)
        return false;
    while (an_der_try(&before, AN_DER_SEQUENCE, &earlier) && an_der_take(&earlier, AN_DER_OID, &earlier, NULL) == AN_OK)
        lint_if(&c->run, an_bytes_eq(earlier, oid), LINT_CP_TWICE);
    if (policy.len == 0)
        return true;
    if (an_der_take(&policy, AN_DER_SEQUENCE, &qualifiers, NULL) != AN_OK || policy.len != 0 || qualifiers.len == 0)
        return false;
    while (qualifiers.len > 0)
        if (!read_qualifier(c, &qualifiers))
            return false;
    return true;
}

static void
read_policies(struct lint_cert *c, const struct lint_extension *e)
{
    bool is_sound = open_sequence(e->value, &c->policies) && c->policies.len > 0;
    an_bytes in = c->policies;

    while (is_sound && in.len > 0)
        is_sound = read_policy(c, &in, AN_BYTES(c->policies.ptr, c->policies.len - in.len));
    lint_if(&c->run, !is_sound, LINT_CP_STRUCTURE);
}

static void
read_mappings(struct lint_cert *c, const struct lint_extension *e)
{
    an_bytes in, pair, from, to;
    bool is_sound = open_sequence(e->value, &in) && in.len > 0;

    while (is_sound && in.len > 0)
        is_sound = an_der_take(&in, AN_DER_SEQUENCE, &pair, NULL) == AN_OK &&
            an_der_take(&pair, AN_DER_OID, &from, NULL) == AN_OK &&
                   an_der_take(&pair, AN_DER_OID, &to, NULL) == AN_OK && !an_bytes_eq(from, OID_ANY_POLICY) &&
                   !an_bytes_eq(to, OID_ANY_POLICY);
    lint_if(&c->run, !is_sound, LINT_PM_ANY);
    lint_if(&c->run, !c->is_ca, LINT_PM_CA);
}

static void
read_name_constraints(struct lint_cert *c, const struct lint_extension *e)
{
    an_bytes in;

    lint_if(&c->run, !open_sequence(e->value, &in) || in.len == 0, LINT_NC_EMPTY);
    lint_if(&c->run, !e->critical, LINT_NC_CRITICAL);
    lint_if(&c->run, !c->is_ca, LINT_NC_CA);
}

static void
read_policy_constraints(struct lint_cert *c, const struct lint_extension *e)
{
    an_bytes in;

    lint_if(&c->run, !open_sequence(e->value, &in) || in.len == 0, LINT_PC_EMPTY);
    lint_if(&c->run, !e->critical, LINT_PC_CRITICAL);
    lint_if(&c->run, !c->is_ca, LINT_PC_CA);
}

static void
read_inhibit(struct lint_cert *c, const struct lint_extension *e)
{
    lint_if(&c->run, !e->critical, LINT_IAP_CRITICAL);
}

/* ---- places ---- */
static void
check_point_name(struct lint_cert *c, an_bytes name)
{
    an_bytes full, value;
    int tag;

    if (!an_der_try(&name, AN_DER_CONTEXT_CONSTRUCTED(0), &full))
        return; /* relative to the issuer's name */
    lint_if(&c->run, !lint_general_names(full), LINT_CDP_STRUCTURE);
    while (full.len > 0 && an_der_any(&full, &tag, NULL, &value, NULL) == AN_OK) {
        lint_if(&c->run, tag == AN_DER_CONTEXT(6) && !lint_is_uri(value, false), LINT_CDP_URI);
        lint_if(&c->run, tag == AN_DER_CONTEXT(6) && value.len > 6 && memcmp(value.ptr, "https:", 6) == 0,
                LINT_CDP_HTTPS);
    }
}

static bool
read_points(struct lint_cert *c, an_bytes value)
{
    an_bytes in, point, name = AN_NONE, ignored;

    if (!open_sequence(value, &in) || in.len == 0)
        return false;
    while (in.len > 0) {
        bool has_name, has_issuer;
        if (an_der_take(&in, AN_DER_SEQUENCE, &point, NULL) != AN_OK)
            return false;
        has_name = an_der_try(&point, AN_DER_CONTEXT_CONSTRUCTED(0), &name);
        (void)an_der_try(&point, AN_DER_CONTEXT(1), &ignored);
        has_issuer = an_der_try(&point, AN_DER_CONTEXT_CONSTRUCTED(2), &ignored);
        lint_if(&c->run, !has_name && !has_issuer, LINT_CDP_EMPTY);
        if (has_name)
            check_point_name(c, name);
        if (point.len != 0)
            return false;
    }
    return true;
}

static void
read_crl_points(struct lint_cert *c, const struct lint_extension *e)
{
    lint_if(&c->run, !read_points(c, e->value), LINT_CDP_STRUCTURE);
    lint_if(&c->run, e->critical, LINT_CDP_CRITICAL);
}

static void
read_freshest(struct lint_cert *c, const struct lint_extension *e)
{
    lint_if(&c->run, e->critical || !read_points(c, e->value), LINT_FRESHEST_CRITICAL);
}

static void
read_access(struct lint_cert *c, const struct lint_extension *e)
{
    an_bytes in, access, oid, place;
    bool is_sound = open_sequence(e->value, &in) && in.len > 0;
    int tag;

    while (is_sound && in.len > 0) {
        is_sound = an_der_take(&in, AN_DER_SEQUENCE, &access, NULL) == AN_OK &&
            an_der_take(&access, AN_DER_OID, &oid, NULL) == AN_OK &&
                   an_der_any(&access, &tag, NULL, &place, NULL) == AN_OK && access.len == 0;
        lint_if(&c->run, is_sound && tag == AN_DER_CONTEXT(6) && !lint_is_uri(place, false), LINT_AIA_URI);
    }
    lint_if(&c->run, !is_sound, LINT_AIA_STRUCTURE);
    lint_if(&c->run, e->critical, LINT_AIA_CRITICAL);
}

void
lint_cert_places(struct lint_cert *c)
{
    const struct { an_bytes oid; void (*read)(struct lint_cert *c, const struct lint_extension *e); } readers[] = {
        {AN_OID_CERTIFICATE_POLICIES, read_policies}, {AN_OID_POLICY_MAPPINGS, read_mappings}, {AN_OID_NAME_CONSTRAINTS, read_name_constraints},
        {AN_OID_POLICY_CONSTRAINTS, read_policy_constraints}, {AN_OID_INHIBIT_ANY_POLICY, read_inhibit}, {AN_OID_CRL_POINTS, read_crl_points},
        {AN_OID_FRESHEST_CRL, read_freshest}, {AN_OID_AIA, read_access},
    };

    for (size_t i = 0; i < c->extensions.count; i++)
        for (size_t k = 0; k < AN_COUNT(readers); k++)
            if (an_bytes_eq(c->extensions.items[i].oid, readers[k].oid))
                readers[k].read(c, &c->extensions.items[i]);
    lint_if(&c->run, lint_find(&c->extensions, AN_OID_CERTIFICATE_POLICIES) == NULL && !c->is_self_issued,
            LINT_CP_NONE);
    lint_if(&c->run, lint_find(&c->extensions, AN_OID_CRL_POINTS) == NULL && !c->is_self_issued && !c->is_ocsp,
            LINT_CDP_NONE);
    lint_if(&c->run, lint_find(&c->extensions, AN_OID_AIA) == NULL && !c->is_self_issued, LINT_AIA_NONE);
}
