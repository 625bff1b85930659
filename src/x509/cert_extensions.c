/* The extensions that struct an_cert shows, and the questions asked of the others. */
#include "x509/internal.h"

#include <limits.h>

static bool
read_key_usage(struct an_cert *cert, an_bytes value)
{
    unsigned unused;
    an_bytes bits;

    if (an_der_bits(&value, &bits, &unused, NULL) != AN_OK || value.len != 0)
        return false;
    cert->has_key_usage = true;
    for (size_t bit = 0; bit < 9 && bit / 8 < bits.len; bit++)
        if ((bits.ptr[bit / 8] & (0x80u >> bit % 8)) != 0)
            cert->key_usage |= 1u << bit;
    return true;
}

/* BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL } */
static bool
read_basic_constraints(struct an_cert *cert, an_bytes value)
{
    an_bytes in, number;

    if (an_der_take(&value, AN_DER_SEQUENCE, &in, NULL) != AN_OK || value.len != 0)
        return false;
    cert->has_basic_constraints = true;
    if (an_der_peek(in) == AN_DER_BOOLEAN && an_der_bool(&in, &cert->is_ca, NULL) != AN_OK)
        return false;
    if (in.len == 0)
        return true;
    if (an_der_integer(&in, &number, NULL) != AN_OK || in.len != 0 || number.ptr[0] >= 0x80)
        return false;
    cert->path_len = 0;
    for (size_t i = 0; i < number.len; i++)
        cert->path_len = cert->path_len > (INT_MAX >> 8) ? INT_MAX : cert->path_len << 8 | number.ptr[i];
    return true;
}

static bool
read_eku(struct an_cert *cert, an_bytes value)
{
    an_bytes in, oid;

    if (an_der_take(&value, AN_DER_SEQUENCE, &in, NULL) != AN_OK || value.len != 0 || in.len == 0)
        return false;
    while (in.len > 0)
        if (an_der_take(&in, AN_DER_OID, &oid, NULL) != AN_OK)
            return false;
    cert->has_eku = true;
    return true;
}

static bool
read_ski(struct an_cert *cert, an_bytes value)
{
    return an_der_take(&value, AN_DER_OCTET_STRING, &cert->ski, NULL) == AN_OK && value.len == 0;
}

static bool
read_aki(struct an_cert *cert, an_bytes value)
{
    an_bytes in;

    if (an_der_take(&value, AN_DER_SEQUENCE, &in, NULL) != AN_OK || value.len != 0)
        return false;
    (void)an_der_try(&in, AN_DER_CONTEXT(0), &cert->aki_key);
    (void)an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(1), &cert->aki_issuer);
    (void)an_der_try(&in, AN_DER_CONTEXT(2), &cert->aki_serial);
    return in.len == 0;
}

/* An empty SEQUENCE is not allowed but issued: it counts as a name that says nothing. */
static bool
read_subject_alt_name(struct an_cert *cert, an_bytes value)
{
    an_bytes names;

    if (an_der_take(&value, AN_DER_SEQUENCE, &cert->subject_alt_name, NULL) != AN_OK || value.len != 0)
        return false;
    names = cert->subject_alt_name;
    while (names.len > 0)
        if (an_der_any(&names, NULL, NULL, NULL, NULL) != AN_OK)
            return false;
    return true;
}

an_code
an_x509_read_cert_extensions(struct an_cert *cert, struct an_err *reterr)
{
    static const struct {
        an_bytes oid;
        bool (*read)(struct an_cert *cert, an_bytes value);
        const char *field;
    } reader_table[] = {
        {{(const uint8_t *)"\x55\x1D\x0F", 3}, read_key_usage, "keyUsage"},
        {{(const uint8_t *)"\x55\x1D\x13", 3}, read_basic_constraints, "basicConstraints"},
        {{(const uint8_t *)"\x55\x1D\x25", 3}, read_eku, "extKeyUsage"},
        {{(const uint8_t *)"\x55\x1D\x0E", 3}, read_ski, "subjectKeyIdentifier"},
        {{(const uint8_t *)"\x55\x1D\x23", 3}, read_aki, "authorityKeyIdentifier"},
        {{(const uint8_t *)"\x55\x1D\x11", 3}, read_subject_alt_name, "subjectAltName"},
    };

    for (size_t i = 0; i < AN_COUNT(reader_table); i++) {
        const struct an_extension *found = an_cert_find_extension(cert, reader_table[i].oid);
        if (found != NULL && !reader_table[i].read(cert, found->value))
            AN_FAIL(reterr, AN_E_CERT_EXTENSION, "%s", reader_table[i].field);
    }
    return AN_OK;
}

const struct an_extension *
an_cert_find_extension(const struct an_cert *cert, an_bytes oid)
{
    return an_x509_find_extension(cert->extensions, cert->extension_count, oid);
}

const struct an_extension *
an_cert_extension(const struct an_cert *cert, const char *dotted_oid)
{
    uint8_t octets[AN_OID_MAX];
    size_t len = an_oid_encode(dotted_oid, octets);

    return an_cert_find_extension(cert, AN_BYTES(octets, len));
}

bool
an_cert_has_eku(const struct an_cert *cert, const char *dotted_oid)
{
    const struct an_extension *eku = an_cert_find_extension(cert, AN_OID_EXT_KEY_USAGE);
    uint8_t octets[AN_OID_MAX];
    an_bytes wanted = AN_BYTES(octets, an_oid_encode(dotted_oid, octets)), value, in, oid;

    if (eku == NULL)
        return false;
    value = eku->value;
    if (an_der_take(&value, AN_DER_SEQUENCE, &in, NULL) != AN_OK)
        return false;
    while (an_der_try(&in, AN_DER_OID, &oid))
        if (an_bytes_eq(oid, wanted))
            return true;
    return false;
}

static bool
is_http(an_bytes uri)
{
    return uri.len > 8 && (strncasecmp((const char *)uri.ptr, "http://", 7) == 0 ||
                           strncasecmp((const char *)uri.ptr, "https://", 8) == 0);
}

/* A URI is handed on only when it is plain printable ASCII: it goes into requests and messages. */
static bool
is_plain(an_bytes uri)
{
    for (size_t i = 0; i < uri.len; i++)
        if (uri.ptr[i] <= 0x20 || uri.ptr[i] >= 0x7F)
            return false;
    return uri.len > 0;
}

static bool
give_uri(an_bytes uri, struct an_buf *ret)
{
    an_buf_reset(ret);
    an_buf_append(ret, uri);
    return an_buf_ok(ret);
}

bool
an_cert_aia_uri(const struct an_cert *cert, const char *method_oid, size_t n, struct an_buf *ret)
{
    const struct an_extension *aia = an_cert_find_extension(cert, AN_OID_AIA);
    uint8_t octets[AN_OID_MAX];
    an_bytes wanted = AN_BYTES(octets, an_oid_encode(method_oid, octets)), value, in, access, oid, uri;

    if (aia == NULL)
        return false;
    value = aia->value;
    if (an_der_take(&value, AN_DER_SEQUENCE, &in, NULL) != AN_OK)
        return false;
    while (an_der_try(&in, AN_DER_SEQUENCE, &access)) {
        if (an_der_take(&access, AN_DER_OID, &oid, NULL) != AN_OK || !an_bytes_eq(oid, wanted))
            continue;
        if (an_der_try(&access, AN_DER_CONTEXT(6), &uri) && is_plain(uri) && n-- == 0)
            return give_uri(uri, ret);
    }
    return false;
}

bool
an_cert_crl_uri(const struct an_cert *cert, size_t n, struct an_buf *ret)
{
    const struct an_extension *points = an_cert_find_extension(cert, AN_OID_CRL_POINTS);
    an_bytes value, in, point, name, full, uri;

    if (points == NULL)
        return false;
    value = points->value;
    if (an_der_take(&value, AN_DER_SEQUENCE, &in, NULL) != AN_OK)
        return false;
    while (an_der_try(&in, AN_DER_SEQUENCE, &point)) {
        if (!an_der_try(&point, AN_DER_CONTEXT_CONSTRUCTED(0), &name) ||
            !an_der_try(&name, AN_DER_CONTEXT_CONSTRUCTED(0), &full))
            continue;
        while (an_x509_next_general_name(&full, AN_DER_CONTEXT(6), &uri))
            if (is_http(uri) && is_plain(uri) && n-- == 0)
                return give_uri(uri, ret);
    }
    return false;
}
