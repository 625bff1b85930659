/*
 * What RFC 5280 §4 demands of the certificates that conforming CAs issue, beyond what §6 checks: the strict mode. A
 * table of rules, each with the role it binds. Rules that fielded certificates break everywhere and that §4 itself
 * asks relying parties to bear (negative serial numbers) are not in it.
 */
#include "x509/path_internal.h"

enum { ON_LEAF = 1 << PATH_ROLE_LEAF, ON_CA = 1 << PATH_ROLE_CA, ON_ANCHOR = 1 << PATH_ROLE_ANCHOR };
#define ON_ISSUERS (ON_CA | ON_ANCHOR)
#define ON_ALL (ON_LEAF | ON_CA | ON_ANCHOR)

static bool
is_critical(const struct path_node *node, enum path_ext ext)
{
    return node->ext[ext] && node->ext[ext]->critical;
}

static bool
is_present_not_critical(const struct path_node *node, enum path_ext ext)
{
    return node->ext[ext] && !node->ext[ext]->critical;
}

static bool
is_empty_name(an_bytes name)
{
    an_bytes rdns;

    return !an_path_name_content(name, &rdns) || rdns.len == 0;
}

static bool
has_extensions_below_v3(const struct path_node *node)
{
    return node->cert->version < 3 && node->cert->extension_count > 0;
}

static bool
has_empty_issuer(const struct path_node *node)
{
    return is_empty_name(node->cert->issuer);
}

static bool
has_empty_subject(const struct path_node *node)
{
    return is_empty_name(node->cert->subject);
}

static bool
has_empty_subject_and_plain_san(const struct path_node *node)
{
    return is_empty_name(node->cert->subject) && !is_critical(node, PATH_EXT_SAN);
}

/* 4.1.2.2. The octet count is of the value: a leading zero octet only carries the sign. */
static bool
has_long_serial(const struct path_node *node)
{
    an_bytes serial = node->cert->serial;

    if (serial.len > 1 && serial.ptr[0] == 0)
        serial.len--;
    return serial.len > 20;
}

static bool
has_zero_serial(const struct path_node *node)
{
    for (size_t i = 0; i < node->cert->serial.len; i++)
        if (node->cert->serial.ptr[i])
            return false;
    return true;
}

static bool
has_critical_aki(const struct path_node *node)
{
    return is_critical(node, PATH_EXT_AKI);
}

/* An identifier that identifies nothing. */
static bool
has_empty_aki(const struct path_node *node)
{
    const struct an_cert *cert = node->cert;

    return node->ext[PATH_EXT_AKI] && !cert->aki_key.len && !cert->aki_issuer.len && !cert->aki_serial.len;
}

static bool
has_critical_ski(const struct path_node *node)
{
    return is_critical(node, PATH_EXT_SKI);
}

static bool
lacks_ski(const struct path_node *node)
{
    return !node->ext[PATH_EXT_SKI];
}

static bool
lacks_basic_constraints(const struct path_node *node)
{
    return !node->ext[PATH_EXT_BASIC_CONSTRAINTS] || !node->cert->is_ca;
}

static bool
has_plain_basic_constraints(const struct path_node *node)
{
    return is_present_not_critical(node, PATH_EXT_BASIC_CONSTRAINTS);
}

/* 4.2.1.2: the identifier that a key signs under is the one its certificate gives. */
static bool
has_other_key_identifier(const struct path_node *node)
{
    const struct an_cert *cert = node->cert;

    return cert->self_issued && cert->aki_key.len && cert->ski.len && !an_bytes_eq(cert->aki_key, cert->ski);
}

static bool
lacks_key_usage(const struct path_node *node)
{
    return !node->cert->has_key_usage;
}

static bool
signs_certificates_but_is_no_ca(const struct path_node *node)
{
    return node->cert->has_key_usage && (node->cert->key_usage & AN_KU_KEY_CERT_SIGN) && !node->cert->is_ca;
}

static bool
has_empty_key_usage(const struct path_node *node)
{
    return node->cert->has_key_usage && node->cert->key_usage == 0;
}

/* 4.2.1.9: pathLenConstraint only with cA and, when keyUsage is there, keyCertSign. */
static bool
has_stray_path_length(const struct path_node *node)
{
    const struct an_cert *cert = node->cert;

    return cert->has_basic_constraints && cert->path_len >= 0 &&
           (!cert->is_ca || (cert->has_key_usage && !(cert->key_usage & AN_KU_KEY_CERT_SIGN)));
}

static bool
has_plain_inhibit_any(const struct path_node *node)
{
    return is_present_not_critical(node, PATH_EXT_INHIBIT_ANY);
}

static bool
has_name_constraints_but_is_no_ca(const struct path_node *node)
{
    return node->ext[PATH_EXT_NAME_CONSTRAINTS] && !node->cert->is_ca;
}

static bool
has_critical_freshest(const struct path_node *node)
{
    return is_critical(node, PATH_EXT_FRESHEST);
}

static bool
has_critical_access(const struct path_node *node)
{
    return is_critical(node, PATH_EXT_AIA) || is_critical(node, PATH_EXT_SIA);
}

/* ---- well-formedness of what nothing else reads ---- */
static bool
has_bad_access(const struct path_node *node, enum path_ext ext)
{
    an_bytes in, access, oid, value;
    enum path_name_kind kind;

    if (!node->ext[ext])
        return false;
    in = node->ext[ext]->value;
    if (!an_path_open(in, &in) || in.len == 0)
        return true;
    while (in.len > 0)
        if (an_der_take(&in, AN_DER_SEQUENCE, &access, NULL) != AN_OK ||
            an_der_take(&access, AN_DER_OID, &oid, NULL) != AN_OK || !an_path_name_next(&access, &kind, &value) ||
            access.len > 0)
            return true;
    return false;
}

static bool
has_bad_aia(const struct path_node *node)
{
    return has_bad_access(node, PATH_EXT_AIA);
}

static bool
has_bad_sia(const struct path_node *node)
{
    return has_bad_access(node, PATH_EXT_SIA);
}

static bool
has_bad_eku(const struct path_node *node)
{
    an_bytes in, oid;

    if (!node->ext[PATH_EXT_EKU])
        return false;
    in = node->ext[PATH_EXT_EKU]->value;
    if (!an_path_open(in, &in) || in.len == 0)
        return true;
    while (in.len > 0)
        if (an_der_take(&in, AN_DER_OID, &oid, NULL) != AN_OK)
            return true;
    return false;
}

static bool
has_bad_distribution_points(const struct path_node *node)
{
    struct status_dp dp;
    an_bytes in;

    if (!node->ext[PATH_EXT_CRL_DP])
        return false;
    in = node->ext[PATH_EXT_CRL_DP]->value;
    if (!an_path_open(in, &in) || in.len == 0)
        return true;
    while (in.len > 0)
        if (!an_status_dp_next(&in, &dp))
            return true;
    return false;
}

static bool
is_bad_alternative_name(enum path_name_kind kind, an_bytes value)
{
    switch (kind) {
    case PATH_NAME_DNS:
        return !an_path_is_hostname(value, true);
    case PATH_NAME_EMAIL:
        return !an_path_is_mailbox(value);
    case PATH_NAME_URI:
        return value.len == 0 || !an_path_is_ia5(value) || an_bytes_find(value, AN_LIT(":"), 0) == SIZE_MAX;
    case PATH_NAME_IP:
        return value.len != 4 && value.len != 16;
    default:
        return false;
    }
}

static bool
has_bad_alternative_name(const struct path_node *node)
{
    an_bytes in, value;
    enum path_name_kind kind;

    if (!node->ext[PATH_EXT_SAN])
        return false;
    in = node->ext[PATH_EXT_SAN]->value;
    if (!an_path_open(in, &in) || in.len == 0)
        return true;
    while (in.len > 0)
        if (!an_path_name_next(&in, &kind, &value) || is_bad_alternative_name(kind, value))
            return true;
    return false;
}

/* An anchor is trusted by decision, not by its form: it is held to what makes it usable as an issuer at all, not to
 * serial number, authority key identifier or keyUsage, which roots older than RFC 5280 lack. */
static const struct {
    unsigned roles;
    bool (*is_broken)(const struct path_node *);
    an_code why;
    const char *text;
} rules[] = {
    {ON_ALL, has_extensions_below_v3, AN_V_PATH_PROFILE, "extensions need version 3 (4.1.2.1)"},
    {ON_LEAF | ON_CA, has_zero_serial, AN_V_PATH_PROFILE, "serial number zero (4.1.2.2)"},
    {ON_LEAF | ON_CA, has_long_serial, AN_V_PATH_PROFILE, "serial number over 20 octets (4.1.2.2)"},
    {ON_ALL, has_empty_issuer, AN_V_PATH_PROFILE, "empty issuer (4.1.2.4)"},
    {ON_ISSUERS, has_empty_subject, AN_V_PATH_PROFILE, "CA with an empty subject (4.1.2.6)"},
    {ON_LEAF, has_empty_subject_and_plain_san, AN_V_PATH_PROFILE,
     "empty subject needs a critical subjectAltName (4.2.1.6)"},
    {ON_ALL, has_critical_aki, AN_V_PATH_PROFILE, "authorityKeyIdentifier critical (4.2.1.1)"},
    {ON_ALL, has_empty_aki, AN_V_PATH_PROFILE, "authorityKeyIdentifier empty (4.2.1.1)"},
    {ON_ALL, has_critical_ski, AN_V_PATH_PROFILE, "subjectKeyIdentifier critical (4.2.1.2)"},
    {ON_ISSUERS, lacks_ski, AN_V_PATH_PROFILE, "CA without subjectKeyIdentifier (4.2.1.2)"},
    {ON_ISSUERS, lacks_basic_constraints, AN_V_PATH_PROFILE, "CA without basicConstraints cA (4.2.1.9)"},
    /* below the anchor PKITS 4.6.4 wants it accepted */
    {ON_ANCHOR, has_plain_basic_constraints, AN_V_PATH_PROFILE, "basicConstraints of a root not critical (4.2.1.9)"},
    {ON_ANCHOR, has_other_key_identifier, AN_V_PATH_PROFILE,
     "key identifiers of a self-signed certificate differ (4.2.1.2)"},
    {ON_CA, lacks_key_usage, AN_V_PATH_PROFILE, "CA without keyUsage (4.2.1.3)"},
    {ON_ALL, has_empty_key_usage, AN_V_PATH_PROFILE, "keyUsage without a bit (4.2.1.3)"},
    {ON_ALL, signs_certificates_but_is_no_ca, AN_V_PATH_PROFILE, "keyCertSign without cA (4.2.1.3)"},
    {ON_ALL, has_stray_path_length, AN_V_PATH_PROFILE, "pathLenConstraint without cA and keyCertSign (4.2.1.9)"},
    {ON_ALL, has_name_constraints_but_is_no_ca, AN_V_PATH_PROFILE, "nameConstraints in an end entity (4.2.1.10)"},
    {ON_ALL, has_plain_inhibit_any, AN_V_PATH_PROFILE, "inhibitAnyPolicy not critical (4.2.1.14)"},
    {ON_ALL, has_critical_freshest, AN_V_PATH_PROFILE, "freshestCRL critical (4.2.1.15)"},
    {ON_ALL, has_critical_access, AN_V_PATH_PROFILE, "authority or subject information access critical (4.2.2)"},
    {ON_ALL, has_bad_alternative_name, AN_V_PATH_EXTENSION, "subjectAltName (4.2.1.6)"},
    {ON_ALL, has_bad_eku, AN_V_PATH_EXTENSION, "extKeyUsage (4.2.1.12)"},
    {ON_ALL, has_bad_distribution_points, AN_V_PATH_EXTENSION, "cRLDistributionPoints (4.2.1.13)"},
    {ON_ALL, has_bad_aia, AN_V_PATH_EXTENSION, "authorityInfoAccess (4.2.2.1)"},
    {ON_ALL, has_bad_sia, AN_V_PATH_EXTENSION, "subjectInfoAccess (4.2.2.2)"},
};

/* 4.2.1.1: every certificate but a self-signed one names its issuer's key. */
bool
an_path_profile_names_issuer(const struct path_node *node)
{
    return node->cert->self_issued || node->cert->aki_key.len > 0;
}

const char *
an_path_profile_breach(struct path_node *node, enum path_role role, an_code *ret_why)
{
    an_path_node_classify(node);
    for (size_t i = 0; i < AN_COUNT(rules); i++) {
        if (!(rules[i].roles & (1u << role)) || !rules[i].is_broken(node))
            continue;
        *ret_why = rules[i].why;
        return rules[i].text;
    }
    return NULL;
}
