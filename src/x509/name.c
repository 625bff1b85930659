/* Names: walking, text, building. Comparison is in name_compare.c. */
#include "x509/internal.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdio.h>

bool
an_x509_next_rdn(an_bytes *rdns, an_bytes *ret_rdn)
{
    return an_der_try(rdns, AN_DER_SET, ret_rdn);
}

bool
an_x509_next_ava(an_bytes *rdn, an_bytes *ret_oid, an_bytes *ret_value_whole)
{
    an_bytes ava;

    return an_der_try(rdn, AN_DER_SEQUENCE, &ava) && an_der_take(&ava, AN_DER_OID, ret_oid, NULL) == AN_OK &&
           an_der_any(&ava, NULL, ret_value_whole, NULL, NULL) == AN_OK && ava.len == 0;
}

bool
an_x509_name_is_sound(an_bytes name)
{
    an_bytes rdns, rdn, oid, value;

    if (an_der_take(&name, AN_DER_SEQUENCE, &rdns, NULL) != AN_OK || name.len != 0)
        return false;
    while (rdns.len > 0) {
        if (!an_x509_next_rdn(&rdns, &rdn) || rdn.len == 0)
            return false;
        while (rdn.len > 0)
            if (!an_x509_next_ava(&rdn, &oid, &value) || oid.len == 0)
                return false;
    }
    return true;
}

bool
an_x509_next_general_name(an_bytes *names, int tag, an_bytes *ret)
{
    an_bytes value;
    int found;

    while (names->len > 0 && an_der_any(names, &found, NULL, &value, NULL) == AN_OK)
        if (found == tag) {
            *ret = value;
            return true;
        }
    return false;
}

/* Short names of attribute types: RFC 4514 and those that Vietnamese certificates carry. */
static const struct { an_bytes oid; const char *text; } type_table[] = {
#define TYPE(octets, name) {{(const uint8_t *)(octets), sizeof(octets) - 1}, name}
    TYPE("\x55\x04\x03", "CN"),
    TYPE("\x55\x04\x04", "SN"),
    TYPE("\x55\x04\x05", "serialNumber"),
    TYPE("\x55\x04\x06", "C"),
    TYPE("\x55\x04\x07", "L"),
    TYPE("\x55\x04\x08", "ST"),
    TYPE("\x55\x04\x09", "STREET"),
    TYPE("\x55\x04\x0A", "O"),
    TYPE("\x55\x04\x0B", "OU"),
    TYPE("\x55\x04\x0C", "title"),
    TYPE("\x55\x04\x14", "telephoneNumber"),
    TYPE("\x55\x04\x2A", "GN"),
    TYPE("\x55\x04\x2B", "initials"),
    TYPE("\x55\x04\x2E", "dnQualifier"),
    TYPE("\x55\x04\x41", "pseudonym"),
    TYPE("\x55\x04\x61", "organizationIdentifier"),
    TYPE("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x01", "emailAddress"),
    TYPE("\x09\x92\x26\x89\x93\xF2\x2C\x64\x01\x01", "UID"),
    TYPE("\x09\x92\x26\x89\x93\xF2\x2C\x64\x01\x19", "DC"),
#undef TYPE
};

static void
append_type(an_bytes oid, struct an_buf *out)
{
    for (size_t i = 0; i < AN_COUNT(type_table); i++)
        if (an_bytes_eq(oid, type_table[i].oid)) {
            an_buf_str(out, type_table[i].text);
            return;
        }
    an_oid_text(oid, out);
}

/* Octets of what does not show, or moves what does: controls (also C2 80–9F), marks that turn or hide text (E2 80
 * 8B–AE, E2 81 A0–AF). 0 = an ordinary character. */
static size_t
hidden_size(an_bytes text, size_t at)
{
    const uint8_t *p = text.ptr + at;
    size_t left = text.len - at;

    if (p[0] < 0x20 || p[0] == 0x7F)
        return 1;
    if (p[0] == 0xC2 && left > 1 && p[1] < 0xA0)
        return 2;
    if (p[0] != 0xE2 || left < 3)
        return 0;
    if (p[1] == 0x80 && ((p[2] >= 0x8B && p[2] <= 0x8F) || (p[2] >= 0xA8 && p[2] <= 0xAE)))
        return 3;
    return p[1] == 0x81 && p[2] >= 0xA0 && p[2] <= 0xAF ? 3 : 0;
}

/* RFC 4514 2.4: what would be read as syntax gets a backslash, control characters their hexadecimal value. */
static void
append_escaped(an_bytes text, struct an_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        bool edge_space = c == ' ' && (i == 0 || i + 1 == text.len);
        size_t hidden = hidden_size(text, i);
        for (size_t k = 0; k < hidden; k++)
            an_buf_printf(out, "\\%02X", (unsigned)text.ptr[i + k]);
        if (hidden > 0) {
            i += hidden - 1;
            continue;
        }
        if (edge_space || (c == '#' && i == 0) || strchr(",+\"\\<>;", c) != NULL)
            an_buf_byte(out, '\\');
        an_buf_byte(out, c);
    }
}

static void
append_value(an_bytes value_whole, struct an_buf *out)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_LIMIT_CERT_BYTES);
    an_bytes in = value_whole;

    if (an_der_text(&in, &text, NULL) == AN_OK) {
        append_escaped(an_buf_view(&text), out);
        return;
    }
    an_buf_byte(out, '#');
    an_buf_hex(out, value_whole);
}

static void
append_rdn(an_bytes rdn, struct an_buf *out)
{
    an_bytes oid, value;
    bool first = true;

    while (an_x509_next_ava(&rdn, &oid, &value)) {
        if (!first)
            an_buf_byte(out, '+');
        first = false;
        append_type(oid, out);
        an_buf_byte(out, '=');
        append_value(value, out);
    }
}

AN_VEC(views, an_bytes);

void
an_name_text(an_bytes name, struct an_buf *out)
{
    AN_CLEANUP(views_done) struct views rdns = {0};
    an_bytes content, rdn;

    if (an_der_take(&name, AN_DER_SEQUENCE, &content, NULL) != AN_OK)
        return;
    while (an_x509_next_rdn(&content, &rdn))
        *views_push(&rdns) = rdn;
    for (size_t i = rdns.count; i > 0; i--) {
        append_rdn(rdns.items[i - 1], out);
        if (i > 1)
            an_buf_str(out, ", ");
    }
}

bool
an_name_attribute(an_bytes name, const char *dotted_oid, struct an_buf *out)
{
    an_bytes content, rdn, oid, value, wanted;
    uint8_t octets[AN_OID_MAX];

    wanted = AN_BYTES(octets, an_oid_encode(dotted_oid, octets));
    if (wanted.len == 0 || an_der_take(&name, AN_DER_SEQUENCE, &content, NULL) != AN_OK)
        return false;
    while (an_x509_next_rdn(&content, &rdn))
        while (an_x509_next_ava(&rdn, &oid, &value))
            if (an_bytes_eq(oid, wanted))
                return an_der_text(&value, out, NULL) == AN_OK;
    return false;
}

bool
an_cert_email(const struct an_cert *cert, struct an_buf *out)
{
    an_bytes names = cert->subject_alt_name, email;

    if (an_x509_next_general_name(&names, AN_DER_CONTEXT(1), &email) && an_utf8_is_valid(email)) {
        an_buf_append(out, email);
        return an_buf_ok(out);
    }
    return an_name_attribute(cert->subject, "1.2.840.113549.1.9.1", out);
}

/* X.520 fixes the type of a few attributes; all others are UTF8String (RFC 5280 4.1.2.4). */
static int
string_tag(const char *oid)
{
    static const struct { const char *oid; int tag;
    } tag_table[] = {
        {"2.5.4.6", AN_DER_PRINTABLE_STRING},
        {"2.5.4.5", AN_DER_PRINTABLE_STRING},
        {"2.5.4.46", AN_DER_PRINTABLE_STRING},
        {"1.2.840.113549.1.9.1", AN_DER_IA5_STRING},
        {"0.9.2342.19200300.100.1.25", AN_DER_IA5_STRING},
    };

    for (size_t i = 0; i < AN_COUNT(tag_table); i++)
        if (strcmp(oid, tag_table[i].oid) == 0)
            return tag_table[i].tag;
    return AN_DER_UTF8_STRING;
}

void
an_name_build(struct an_der_out *out, const struct an_name_part *parts, size_t count)
{
    an_der_open(out, AN_DER_SEQUENCE);
    for (size_t i = 0; i < count; i++) {
        an_der_open(out, AN_DER_SET);
        an_der_open(out, AN_DER_SEQUENCE);
        an_der_put_oid(out, parts[i].oid);
        an_der_put(out, string_tag(parts[i].oid), an_bytes_of_str(parts[i].text));
        an_der_close(out);
        an_der_close(out);
    }
    an_der_close(out);
}
