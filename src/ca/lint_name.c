/* Names: RFC 5280 4.1.2.4 and its appendix A, ETSI EN 319 412-2 4.2. */
#include "ca/lint_internal.h"

#include "base/utf8.h"

enum type_rule { ANY_DIRECTORY = 0, PRINTABLE, IA5 };
/* rank: from the general to the particular; -1 = stands anywhere */
static const struct attribute_row { const char *octets; size_t len; enum type_rule type; size_t characters_max;
                                   int rank; } attribute_table[] = {
    {"\x55\x04\x06", 3, PRINTABLE, 2, 0},       /* C */
    {"\x55\x04\x08", 3, ANY_DIRECTORY, 128, 1}, /* ST */
    {"\x55\x04\x07", 3, ANY_DIRECTORY, 128, 2}, /* L */
    {"\x55\x04\x0A", 3, ANY_DIRECTORY, 64, 3},  /* O */
    {"\x55\x04\x0B", 3, ANY_DIRECTORY, 64, 4},  /* OU */
    {"\x55\x04\x03", 3, ANY_DIRECTORY, 64, 5},  /* CN */
    {"\x55\x04\x0C", 3, ANY_DIRECTORY, 64, -1}, /* title */
    {"\x55\x04\x04", 3, ANY_DIRECTORY, 32768, -1}, /* surname */
    {"\x55\x04\x2A", 3, ANY_DIRECTORY, 32768, -1}, /* given name */
    {"\x55\x04\x61", 3, ANY_DIRECTORY, 256, -1}, /* organizationIdentifier */
    {"\x55\x04\x05", 3, PRINTABLE, 64, -1},     /* serialNumber */
    {"\x55\x04\x2E", 3, PRINTABLE, 64, -1},     /* dnQualifier */
    {"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x01", 9, IA5, 255, -1},      /* emailAddress */
    {"\x09\x92\x26\x89\x93\xF2\x2C\x64\x01\x19", 10, IA5, 63, -1},  /* domainComponent */
};

static const struct attribute_row *
find_attribute(an_bytes oid)
{
    for (size_t i = 0; i < AN_COUNT(attribute_table); i++)
        if (an_bytes_eq(oid, AN_BYTES(attribute_table[i].octets, attribute_table[i].len)))
            return &attribute_table[i];
    return NULL;
}

static bool
is_printable(an_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alnum && (c == 0 || strchr(" '()+,-./:=?", c) == NULL))
            return false;
    }
    return true;
}

static bool
is_ascii(an_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 0x80)
            return false;
    return true;
}

static bool
is_hidden(uint32_t c)
{
    return (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
           c == 0xFEFF || c == 0x00AD;
}

static bool
may_be_decomposed(uint32_t c)
{
    return (c >= 0x0300 && c <= 0x036F) || c >= 0x1100;
}

/* Vietnamese letters stand in Latin blocks below U+1F00: only text with combining marks needs the costly test. */
static bool
is_nfc(an_bytes text)
{
    AN_CLEANUP(an_buf_free) struct an_buf composed = an_buf_new(text.len * 3 + 64);

    return an_utf8_nfc(&composed, text) && an_bytes_eq(an_buf_view(&composed), text);
}

static void
check_utf8(struct lint_run *run, an_bytes text, size_t *ret_characters)
{
    bool needs_nfc = false;
    size_t at = 0, count = 0;

    while (at < text.len) {
        uint32_t c = an_utf8_next(text, &at);
        count++;
        if (c == UINT32_MAX) {
            lint_raise(run, LINT_NAME_VALUE_UTF8);
            continue;
        }
        lint_if(run, c < 0x20 || (c >= 0x7f && c < 0xa0), LINT_NAME_VALUE_CONTROL);
        lint_if(run, is_hidden(c), LINT_NAME_VALUE_HIDDEN);
        needs_nfc = needs_nfc || (may_be_decomposed(c) && !(c >= 0x1E00 && c < 0x1F00));
    }
    lint_if(run, needs_nfc && an_utf8_is_valid(text) && !is_nfc(text), LINT_NAME_VALUE_NFC);
    *ret_characters = count;
}

static void
check_type(struct lint_run *run, const struct attribute_row *row, an_bytes oid, int tag)
{
    bool is_old = tag == AN_DER_T61_STRING || tag == AN_DER_BMP_STRING || tag == AN_DER_UNIVERSAL_STRING;

    lint_if(run, is_old, LINT_NAME_TYPE_OLD);
    if (row == NULL || is_old)
        return;
    if (an_bytes_eq(oid, AN_OID_COUNTRY))
        lint_if(run, tag != AN_DER_PRINTABLE_STRING, LINT_NAME_COUNTRY_TYPE);
    else if (row->type == PRINTABLE)
        lint_if(run, tag != AN_DER_PRINTABLE_STRING, LINT_NAME_TYPE);
    else if (row->type == IA5)
        lint_if(run, tag != AN_DER_IA5_STRING, LINT_NAME_TYPE);
    else
        lint_if(run, tag != AN_DER_UTF8_STRING && tag != AN_DER_PRINTABLE_STRING, LINT_NAME_TYPE);
}

static void
check_value(struct lint_run *run, const struct attribute_row *row, an_bytes oid, int tag, an_bytes text)
{
    size_t characters = text.len;

    check_type(run, row, oid, tag);
    lint_if(run, text.len == 0, LINT_NAME_VALUE_EMPTY);
    if (text.len == 0)
        return;
    lint_if(run, text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ', LINT_NAME_VALUE_SPACE);
    if (tag == AN_DER_UTF8_STRING)
        check_utf8(run, text, &characters);
    lint_if(run, tag == AN_DER_PRINTABLE_STRING && !is_printable(text), LINT_NAME_VALUE_PRINTABLE);
    lint_if(run, tag == AN_DER_IA5_STRING && !is_ascii(text), LINT_NAME_VALUE_IA5);
    if (an_bytes_eq(oid, AN_OID_COUNTRY))
        lint_if(run, text.len != 2 || text.ptr[0] < 'A' || text.ptr[0] > 'Z' || text.ptr[1] < 'A' || text.ptr[1] > 'Z',
                LINT_NAME_COUNTRY_LENGTH);
    else
        lint_if(run, row != NULL && characters > row->characters_max, LINT_NAME_LENGTH);
}

static void
count_attribute(struct lint_run *run, an_bytes oid, struct lint_name *name)
{
    static const uint8_t organisation[] = {0x55, 0x04, 0x0A};

    name->parts++;
    name->countries += an_bytes_eq(oid, AN_OID_COUNTRY);
    name->common_names += an_bytes_eq(oid, AN_OID_CN);
    name->organisations += an_bytes_eq(oid, AN_BYTES(organisation, 3));
    name->emails += an_bytes_eq(oid, AN_OID_EMAIL);
    lint_if(run, name->countries > 1, LINT_NAME_COUNTRY_ONCE);
    lint_if(run, name->common_names > 1, LINT_NAME_CN_ONCE);
    lint_if(run, name->emails > 0, LINT_NAME_EMAIL);
}

#define PARTS_SEEN_MAX 24
struct seen { an_bytes items[PARTS_SEEN_MAX]; size_t count; int rank; };

/* One AttributeTypeAndValue. */
static bool
read_part(struct lint_run *run, an_bytes *rdn, struct lint_name *name, struct seen *seen)
{
    const struct attribute_row *row;
    an_bytes whole, in, oid, text;
    int tag;

    if (an_der_take_whole(rdn, AN_DER_SEQUENCE, &whole, NULL) != AN_OK)
        return false;
    in = whole;
    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK || an_der_take(&in, AN_DER_OID, &oid, NULL) != AN_OK ||
        an_der_any(&in, &tag, NULL, &text, NULL) != AN_OK || in.len != 0)
        return false;
    row = find_attribute(oid);
    check_value(run, row, oid, tag, text);
    count_attribute(run, oid, name);
    for (size_t i = 0; i < seen->count; i++)
        lint_if(run, an_bytes_eq(seen->items[i], whole), LINT_NAME_TWICE);
    if (seen->count < PARTS_SEEN_MAX)
        seen->items[seen->count++] = whole;
    if (row != NULL && row->rank >= 0) {
        lint_if(run, row->rank < seen->rank, LINT_NAME_ORDER);
        seen->rank = row->rank;
    }
    return true;
}

static bool
read_parts(struct lint_run *run, an_bytes name, struct lint_name *ret)
{
    struct seen seen = {.rank = -1};
    an_bytes rdn;

    if (an_der_take(&name, AN_DER_SEQUENCE, &name, NULL) != AN_OK)
        return false;
    while (name.len > 0) {
        if (an_der_take(&name, AN_DER_SET, &rdn, NULL) != AN_OK || rdn.len == 0)
            return false;
        for (size_t in_step = 0; rdn.len > 0; in_step++) {
            if (!read_part(run, &rdn, ret, &seen))
                return false;
            lint_if(run, in_step == 1, LINT_NAME_MULTI);
        }
    }
    return true;
}

void
lint_name(struct lint_run *run, an_bytes name, struct lint_name *ret)
{
    *ret = (struct lint_name){0};
    ret->is_sound = read_parts(run, name, ret);
    lint_if(run, !ret->is_sound, LINT_NAME_STRUCTURE);
}
