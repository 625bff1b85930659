/* Oddities of fielded certificates: read without complaint, reported here. */
#include "x509/internal.h"

static bool
serial_is_negative(const struct an_cert *cert)
{
    return cert->serial.ptr[0] >= 0x80;
}

static bool
serial_is_zero(const struct an_cert *cert)
{
    return cert->serial.len == 1 && cert->serial.ptr[0] == 0;
}

static bool
serial_is_long(const struct an_cert *cert)
{
    return cert->serial.len > 20;
}

static bool
is_empty_sequence(const struct an_extension *extension)
{
    return extension != NULL && an_bytes_eq(extension->value, AN_LIT("\x30\x00"));
}

static bool
alt_name_is_empty(const struct an_cert *cert)
{
    return is_empty_sequence(an_cert_find_extension(cert, AN_OID_SUBJECT_ALT_NAME)) ||
           is_empty_sequence(an_cert_find_extension(cert, AN_OID_ISSUER_ALT_NAME));
}

static bool
key_usage_not_critical(const struct an_cert *cert)
{
    const struct an_extension *found = an_cert_find_extension(cert, AN_OID_KEY_USAGE);

    return found != NULL && !found->critical;
}

static bool
constraints_not_critical(const struct an_cert *cert)
{
    const struct an_extension *found = an_cert_find_extension(cert, AN_OID_BASIC_CONSTRAINTS);

    return found != NULL && cert->is_ca && !found->critical;
}

static bool
is_version_1(const struct an_cert *cert)
{
    return cert->version == 1;
}

/* Does fits hold for any attribute value of the name? */
static bool
any_value(an_bytes name, bool (*fits)(an_bytes oid, int tag, an_bytes value))
{
    an_bytes rdns, rdn, oid, whole, value;
    int tag;

    if (an_der_take(&name, AN_DER_SEQUENCE, &rdns, NULL) != AN_OK)
        return false;
    while (an_x509_next_rdn(&rdns, &rdn))
        while (an_x509_next_ava(&rdn, &oid, &whole))
            if (an_der_any(&whole, &tag, NULL, &value, NULL) == AN_OK && fits(oid, tag, value))
                return true;
    return false;
}

static bool
is_odd_country(an_bytes oid, int tag, an_bytes value)
{
    return an_bytes_eq(oid, AN_OID_COUNTRY) && (tag != AN_DER_PRINTABLE_STRING || value.len != 2);
}

static bool
is_obsolete_string(an_bytes oid, int tag, an_bytes value)
{
    (void)oid;
    (void)value;
    return tag == AN_DER_T61_STRING || tag == AN_DER_BMP_STRING || tag == AN_DER_UNIVERSAL_STRING;
}

static bool
country_is_odd(const struct an_cert *cert)
{
    return any_value(cert->subject, is_odd_country) || any_value(cert->issuer, is_odd_country);
}

static bool
name_is_obsolete(const struct an_cert *cert)
{
    return any_value(cert->subject, is_obsolete_string) || any_value(cert->issuer, is_obsolete_string);
}

static bool
subject_is_empty(const struct an_cert *cert)
{
    return cert->subject.len == 2;
}

static bool
is_sha1(const struct an_cert *cert)
{
    return cert->scheme.kind != AN_SIG_UNKNOWN && cert->scheme.digest == AN_SHA1;
}

static bool
has_netscape(const struct an_cert *cert)
{
    for (size_t i = 0; i < cert->extension_count; i++)
        if (an_bytes_starts_with(cert->extensions[i].oid, AN_OID_NETSCAPE_PREFIX))
            return true;
    return false;
}

static bool
time_type_is_odd(const struct an_cert *cert)
{
    return (cert->oddities & AN_CERT_ODD_TIME_TYPE) != 0;
}

size_t
an_cert_quirks(const struct an_cert *cert, an_code *ret, size_t max)
{
    static const struct {
        an_code code;
        bool (*holds)(const struct an_cert *cert);
    } quirk_table[] = {
        {AN_N_CERT_SERIAL_NEGATIVE, serial_is_negative},
        {AN_N_CERT_SERIAL_ZERO, serial_is_zero},
        {AN_N_CERT_SERIAL_LONG, serial_is_long},
        {AN_N_CERT_ALT_NAME_EMPTY, alt_name_is_empty},
        {AN_N_CERT_KEY_USAGE_NOT_CRITICAL, key_usage_not_critical},
        {AN_N_CERT_CONSTRAINTS_NOT_CRITICAL, constraints_not_critical},
        {AN_N_CERT_VERSION_1, is_version_1},
        {AN_N_CERT_COUNTRY_STRING, country_is_odd},
        {AN_N_CERT_NAME_STRING, name_is_obsolete},
        {AN_N_CERT_SUBJECT_EMPTY, subject_is_empty},
        {AN_N_CERT_SHA1, is_sha1},
        {AN_N_CERT_NETSCAPE, has_netscape},
        {AN_N_CERT_TIME_TYPE, time_type_is_odd},
    };
    size_t count = 0;

    for (size_t i = 0; i < AN_COUNT(quirk_table) && count < max; i++)
        if (quirk_table[i].holds(cert))
            ret[count++] = quirk_table[i].code;
    return count;
}
