/* Extensions about who the subject is and what its key may do: RFC 5280 4.2.1. */
#include "ca/lint_internal.h"

#define PKIX_EKU "\x2B\x06\x01\x05\x05\x07\x03"
#define OID_ANY_EKU AN_LIT("\x55\x1D\x25\x00")
#define OID_OCSP_NOCHECK AN_LIT("\x2B\x06\x01\x05\x05\x07\x30\x01\x05")
#define OID_QC AN_LIT("\x2B\x06\x01\x05\x05\x07\x01\x03")
#define OID_SIA AN_LIT("\x2B\x06\x01\x05\x05\x07\x01\x0B")
#define OID_DIRECTORY AN_LIT("\x55\x1D\x09")

/* A SEQUENCE that is the whole value. */
static bool
open_sequence(an_bytes value, an_bytes *ret)
{
    return an_der_take(&value, AN_DER_SEQUENCE, ret, NULL) == AN_OK && value.len == 0;
}

static void
read_authority_key(struct lint_cert *c, const struct lint_extension *e)
{
    const struct an_cert *issuer = c->run.plan->issuer;
    an_bytes in, key = AN_NONE, name = AN_NONE, serial = AN_NONE;

    if (!open_sequence(e->value, &in)) {
        lint_raise(&c->run, LINT_AKI_STRUCTURE);
        return;
    }
    (void)an_der_try(&in, AN_DER_CONTEXT(0), &key);
    (void)an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(1), &name);
    (void)an_der_try(&in, AN_DER_CONTEXT(2), &serial);
    lint_if(&c->run, in.len != 0, LINT_AKI_STRUCTURE);
    lint_if(&c->run, e->critical, LINT_AKI_CRITICAL);
    lint_if(&c->run, key.len == 0, LINT_AKI_KEY);
    lint_if(&c->run, (name.len == 0) != (serial.len == 0), LINT_AKI_PAIR);
    lint_if(&c->run, issuer != NULL && issuer->ski.len != 0 && key.len != 0 && !an_bytes_eq(key, issuer->ski),
            LINT_AKI_SAME);
}

static void
read_subject_key(struct lint_cert *c, const struct lint_extension *e)
{
    an_bytes in = e->value;

    lint_if(&c->run, an_der_take(&in, AN_DER_OCTET_STRING, &c->ski, NULL) != AN_OK || in.len != 0 || c->ski.len == 0,
            LINT_SKI_STRUCTURE);
    lint_if(&c->run, e->critical, LINT_SKI_CRITICAL);
    lint_if(&c->run, c->ski.len != 0 && (c->ski.len < 8 || c->ski.len > 32), LINT_SKI_LENGTH);
}

static void
read_key_usage(struct lint_cert *c, const struct lint_extension *e)
{
    an_bytes in = e->value, bits;
    unsigned unused;

    if (an_der_take(&in, AN_DER_BIT_STRING, &bits, NULL) != AN_OK || in.len != 0 || bits.len == 0 || bits.len > 3 ||
        bits.ptr[0] > 7) {
        lint_raise(&c->run, LINT_KU_STRUCTURE);
        return;
    }
    unused = bits.ptr[0];
    c->has_ku = true;
    for (size_t bit = 0; bit < 9 && bit / 8 + 1 < bits.len; bit++)
        if (bits.ptr[1 + bit / 8] & (0x80u >> bit % 8))
            c->ku |= 1u << bit;
    lint_if(&c->run, !e->critical, LINT_KU_CRITICAL);
    lint_if(&c->run, c->ku == 0, LINT_KU_EMPTY);
    lint_if(&c->run, bits.len > 1 && (bits.ptr[bits.len - 1] >> unused & 1) == 0, LINT_KU_BITS);
}

static void
read_constraints(struct lint_cert *c, const struct lint_extension *e)
{
    an_bytes in, flag;
    bool has_flag;

    if (!open_sequence(e->value, &in)) {
        lint_raise(&c->run, LINT_BC_STRUCTURE);
        return;
    }
    has_flag = an_der_try(&in, AN_DER_BOOLEAN, &flag);
    c->is_ca = has_flag && flag.len == 1 && flag.ptr[0] != 0;
    lint_if(&c->run, has_flag && !c->is_ca, LINT_BC_DEFAULT);
    if (in.len != 0) {
        bool is_sound = an_der_int64(&in, &c->path_len, NULL) == AN_OK && in.len == 0;
        lint_if(&c->run, !is_sound, LINT_BC_STRUCTURE);
        lint_if(&c->run, is_sound && c->path_len < 0, LINT_BC_LENGTH_NEGATIVE);
        lint_if(&c->run, is_sound && !c->is_ca, LINT_BC_LENGTH_ALONE);
    }
    lint_if(&c->run, c->is_ca && !e->critical, LINT_BC_CRITICAL);
}

static void
read_extended_usage(struct lint_cert *c, const struct lint_extension *e)
{
    an_bytes in, oid, before;
    size_t count = 0;
    bool has_any = false;

    if (!open_sequence(e->value, &c->eku) || c->eku.len == 0) {
        lint_raise(&c->run, LINT_EKU_STRUCTURE);
        c->eku = AN_NONE;
        return;
    }
    for (in = c->eku; in.len > 0; count++) {
        an_bytes all = c->eku;
        if (an_der_take(&in, AN_DER_OID, &oid, NULL) != AN_OK) {
            lint_raise(&c->run, LINT_EKU_STRUCTURE);
            break;
        }
        for (size_t i = 0; i < count && an_der_try(&all, AN_DER_OID, &before); i++)
            lint_if(&c->run, an_bytes_eq(before, oid), LINT_EKU_TWICE);
        has_any = has_any || an_bytes_eq(oid, OID_ANY_EKU);
        c->is_tsa = c->is_tsa || an_bytes_eq(oid, AN_LIT(PKIX_EKU "\x08"));
        c->is_ocsp = c->is_ocsp || an_bytes_eq(oid, AN_LIT(PKIX_EKU "\x09"));
    }
    lint_if(&c->run, has_any && (count > 1 || e->critical), LINT_EKU_ANY);
    lint_if(&c->run, c->is_tsa && !e->critical, LINT_EKU_TSA_CRITICAL);
    lint_if(&c->run, c->is_tsa && count > 1, LINT_EKU_TSA_ONLY);
    lint_if(&c->run, c->is_ocsp && count > 1, LINT_EKU_OCSP_ONLY);
}

/* ---- other names of the subject ---- */
static bool
is_host(an_bytes text)
{
    size_t label = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (c == '.' ? label == 0 : !is_alnum && c != '-' && c != '_' && !(c == '*' && i == 0))
            return false;
        label = c == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return label > 0 && text.len <= 253;
}

static bool
is_email(an_bytes text)
{
    size_t at = an_bytes_find(text, AN_LIT("@"), 0);

    if (at == SIZE_MAX || at == 0 || at > 64)
        return false;
    for (size_t i = 0; i < at; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f || text.ptr[i] == '<' || text.ptr[i] == '>' || text.ptr[i] == ',')
            return false;
    return is_host(AN_BYTES(text.ptr + at + 1, text.len - at - 1));
}

static void
read_alternative_names(struct lint_cert *c, const struct lint_extension *e)
{
    an_bytes names, value;
    size_t emails = 0;
    int tag;

    if (!open_sequence(e->value, &names) || !lint_general_names(names)) {
        lint_raise(&c->run, LINT_SAN_STRUCTURE);
        return;
    }
    while (names.len > 0 && an_der_any(&names, &tag, NULL, &value, NULL) == AN_OK) {
        emails += tag == AN_DER_CONTEXT(1);
        lint_if(&c->run, tag == AN_DER_CONTEXT(1) && !is_email(value), LINT_SAN_EMAIL);
        lint_if(&c->run, tag == AN_DER_CONTEXT(2) && !is_host(value), LINT_SAN_DNS);
        lint_if(&c->run, tag == AN_DER_CONTEXT(6) && !lint_is_uri(value, true), LINT_SAN_URI);
        lint_if(&c->run, tag == AN_DER_CONTEXT(7) && value.len != 4 && value.len != 16, LINT_SAN_IP);
    }
    c->has_email = emails > 0;
    lint_if(&c->run, emails > 1, LINT_SAN_EMAIL_TWICE);
    lint_if(&c->run, e->critical && c->subject.len > 2, LINT_SAN_CRITICAL);
}

static void
read_issuer_names(struct lint_cert *c, const struct lint_extension *e)
{
    an_bytes names;

    lint_if(&c->run, !open_sequence(e->value, &names) || !lint_general_names(names), LINT_IAN_STRUCTURE);
}

static void
read_statements(struct lint_cert *c, const struct lint_extension *e)
{
    an_bytes in, statement, oid;
    bool is_sound = open_sequence(e->value, &in) && in.len > 0 && !e->critical;

    while (is_sound && in.len > 0)
        is_sound = an_der_take(&in, AN_DER_SEQUENCE, &statement, NULL) == AN_OK &&
            an_der_take(&statement, AN_DER_OID, &oid, NULL) == AN_OK;
    lint_if(&c->run, !is_sound, LINT_QC_STRUCTURE);
}

static void
read_no_check(struct lint_cert *c, const struct lint_extension *e)
{
    lint_if(&c->run, !an_bytes_eq(e->value, AN_LIT("\x05\x00")), LINT_NOCHECK_FORM);
    lint_if(&c->run, e->critical, LINT_NOCHECK_CRITICAL);
}

static void
read_access_to_subject(struct lint_cert *c, const struct lint_extension *e)
{
    lint_if(&c->run, e->critical, LINT_SIA_CRITICAL);
}

static void
read_directory(struct lint_cert *c, const struct lint_extension *e)
{
    lint_if(&c->run, e->critical, LINT_SDA_CRITICAL);
}

/* ---- together ---- */
static void
check_authority(struct lint_cert *c)
{
    struct lint_run *run = &c->run;
    const struct an_cert *issuer = run->plan->issuer;

    lint_if(run, lint_find(&c->extensions, AN_OID_SKI) == NULL, c->is_ca ? LINT_SKI_NONE_CA : LINT_SKI_NONE);
    lint_if(run, lint_find(&c->extensions, AN_OID_AKI) == NULL && !c->is_self_issued, LINT_AKI_NONE);
    lint_if(run, c->is_ca && c->has_ku && (c->ku & AN_KU_KEY_CERT_SIGN) == 0, LINT_KU_CA);
    lint_if(run, c->is_ca && c->has_ku && (c->ku & AN_KU_CRL_SIGN) == 0, LINT_KU_CRL);
    lint_if(run, !c->is_ca && (c->ku & AN_KU_KEY_CERT_SIGN) != 0, LINT_KU_CERT_SIGN);
    lint_if(run, (c->ku & AN_KU_KEY_CERT_SIGN) != 0 && lint_find(&c->extensions, AN_OID_BASIC_CONSTRAINTS) == NULL,
            LINT_BC_NONE);
    lint_if(run, c->is_ca && c->eku.len != 0, LINT_EKU_CA);
    lint_if(run, c->is_ca && issuer != NULL && !c->is_self_issued && issuer->path_len >= 0 &&
            (c->path_len < 0 || c->path_len >= issuer->path_len), LINT_BC_LENGTH_ISSUER);
}

static void
check_usages(struct lint_cert *c)
{
    struct lint_run *run = &c->run;
    const uint32_t signing = AN_KU_DIGITAL_SIGNATURE | AN_KU_NON_REPUDIATION,
                   enciphering = AN_KU_KEY_ENCIPHERMENT | AN_KU_DATA_ENCIPHERMENT;
    const struct lint_extension *no_check = lint_find(&c->extensions, OID_OCSP_NOCHECK);

    lint_if(run, lint_find(&c->extensions, AN_OID_KEY_USAGE) == NULL, LINT_KU_NONE);
    lint_if(run, (c->ku & (1u << 7 | 1u << 8)) != 0 && (c->ku & AN_KU_KEY_AGREEMENT) == 0, LINT_KU_AGREEMENT);
    lint_if(run, c->key_kind == AN_KEY_RSA && (c->ku & AN_KU_KEY_AGREEMENT) != 0, LINT_KU_RSA);
    lint_if(run, c->key_kind == AN_KEY_EC && (c->ku & enciphering) != 0, LINT_KU_EC);
    lint_if(run, !c->is_ca && (c->ku & signing) != 0 && (c->ku & enciphering) != 0, LINT_KU_MIXED);
    lint_if(run, (c->is_tsa || c->is_ocsp) && c->has_ku && (c->ku & signing) == 0, LINT_EKU_SIGN);
    lint_if(run, no_check != NULL && !c->is_ocsp, LINT_NOCHECK_OTHER);
}

static bool
is_known_extension(an_bytes oid)
{
    /* subjectDirectoryAttributes, SKI, KU, privateKeyUsagePeriod, SAN, IAN, BC, NC, CDP, CP, PM, AKI, PC, EKU,
     * freshest, inhibitAny */
    static const uint8_t known[] = {9, 14, 15, 16, 17, 18, 19, 30, 31, 32, 33, 35, 36, 37, 46, 54};

    if (oid.len == 3 && oid.ptr[0] == 0x55 && oid.ptr[1] == 0x1D)
        return memchr(known, oid.ptr[2], sizeof(known)) != NULL;
    return an_bytes_eq(oid, AN_OID_AIA) || an_bytes_eq(oid, OID_SIA) || an_bytes_eq(oid, OID_QC) ||
           an_bytes_eq(oid, OID_OCSP_NOCHECK);
}

void
lint_cert_extensions(struct lint_cert *c)
{
    const struct { an_bytes oid; void (*read)(struct lint_cert *c, const struct lint_extension *e); } readers[] = {
        {AN_OID_AKI, read_authority_key}, {AN_OID_SKI, read_subject_key}, {AN_OID_KEY_USAGE, read_key_usage},
        {AN_OID_BASIC_CONSTRAINTS, read_constraints}, {AN_OID_EXT_KEY_USAGE, read_extended_usage}, {AN_OID_SUBJECT_ALT_NAME, read_alternative_names},
        {AN_OID_ISSUER_ALT_NAME, read_issuer_names}, {OID_QC, read_statements}, {OID_OCSP_NOCHECK, read_no_check},
        {OID_SIA, read_access_to_subject}, {OID_DIRECTORY, read_directory},
    };

    for (size_t i = 0; i < c->extensions.count; i++) {
        const struct lint_extension *e = &c->extensions.items[i];
        lint_if(&c->run, e->critical && !is_known_extension(e->oid), LINT_CERT_EXTENSIONS_CRITICAL);
        lint_if(&c->run, e->says_false, LINT_CERT_EXTENSIONS_DEFAULT);
        lint_if(&c->run, an_bytes_starts_with(e->oid, AN_OID_NETSCAPE_PREFIX), LINT_CERT_EXTENSIONS_OLD);
        for (size_t k = 0; k < AN_COUNT(readers); k++)
            if (an_bytes_eq(e->oid, readers[k].oid))
                readers[k].read(c, e);
    }
    check_authority(c);
    check_usages(c);
}
