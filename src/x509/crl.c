/* Revocation lists: parsing and ownership. Entries are checked one by one but not copied; crl_index.c finds them. */
#include "x509/internal.h"

#include "base/mem.h"

#define ENTRY_EXTENSIONS_MAX 8 /* of one entry; four are known */

static an_code
fail_field(const struct an_crl *crl, an_bytes at, const char *field, struct an_err *reterr)
{
    size_t offset = at.ptr == NULL ? crl->der.len : (size_t)(at.ptr - crl->der.ptr);

    AN_FAIL(reterr, AN_E_CRL_STRUCTURE, "%s, at or before byte %zu", field, offset);
}

/* An entry extension that path validation understands (RFC 5280 5.3). */
static bool
is_known_entry_extension(an_bytes oid)
{
    return an_bytes_eq(oid, AN_OID_REASON_CODE) || an_bytes_eq(oid, AN_OID_INVALIDITY_DATE) ||
           an_bytes_eq(oid, AN_OID_CERTIFICATE_ISSUER) || an_bytes_eq(oid, AN_OID_HOLD_INSTRUCTION);
}

bool
an_x509_next_entry_extension(an_bytes *in, struct an_extension *ret)
{
    an_bytes content;

    ret->critical = false;
    if (!an_der_try(in, AN_DER_SEQUENCE, &content) || an_der_take(&content, AN_DER_OID, &ret->oid, NULL) != AN_OK)
        return false;
    if (an_der_peek(content) == AN_DER_BOOLEAN && an_der_bool(&content, &ret->critical, NULL) != AN_OK)
        return false;
    return an_der_take(&content, AN_DER_OCTET_STRING, &ret->value, NULL) == AN_OK && content.len == 0;
}

/* directoryName of a certificateIssuer value; AN_NONE when it names nobody whom we can compare. */
an_bytes
an_x509_entry_issuer(an_bytes names)
{
    an_bytes content, name;

    if (an_der_take(&names, AN_DER_SEQUENCE, &content, NULL) != AN_OK)
        return AN_NONE;
    return an_x509_next_general_name(&content, AN_DER_CONTEXT_CONSTRUCTED(4), &name) ? name : AN_NONE;
}

/* revokedCertificates entry: SEQUENCE { INTEGER, Time, Extensions OPTIONAL } */
bool
an_x509_next_crl_entry(an_bytes *revoked, an_bytes *ret_serial, an_bytes *ret_rest)
{
    return an_der_try(revoked, AN_DER_SEQUENCE, ret_rest) &&
           an_der_take(ret_rest, AN_DER_INTEGER, ret_serial, NULL) == AN_OK && ret_serial->len > 0;
}

static bool
check_entry_extensions(struct an_crl *crl, an_bytes field)
{
    struct an_extension extension;
    an_bytes in, seen[ENTRY_EXTENSIONS_MAX];
    size_t count = 0;

    if (an_der_take(&field, AN_DER_SEQUENCE, &in, NULL) != AN_OK || field.len != 0)
        return false;
    while (in.len > 0) {
        if (count == ENTRY_EXTENSIONS_MAX || !an_x509_next_entry_extension(&in, &extension))
            return false;
        for (size_t i = 0; i < count; i++)
            if (an_bytes_eq(seen[i], extension.oid))
                return false; /* which one counts? */
        seen[count++] = extension.oid;
        if (extension.critical && !is_known_entry_extension(extension.oid))
            crl->entries_have_unknown_critical = true;
        if (!crl->is_indirect || !an_bytes_eq(extension.oid, AN_OID_CERTIFICATE_ISSUER))
            continue; /* a list of its issuer's own certificates is about them whatever its entries say */
        if (an_x509_entry_issuer(extension.value).len == 0)
            return false; /* nobody knows whose certificates the entries from here on are */
        crl->has_entry_issuers = true;
    }
    return true;
}

/* A list that is sound only in part must not be taken for "not listed": every entry is looked at once. */
static an_code
check_entries(struct an_crl *crl, struct an_err *reterr)
{
    an_bytes in = crl->revoked, serial, rest, when;
    int tag;

    while (in.len > 0) {
        if (!an_x509_next_crl_entry(&in, &serial, &rest))
            return fail_field(crl, in, "revokedCertificates", reterr);
        if (an_der_any(&rest, &tag, NULL, &when, NULL) != AN_OK ||
            (tag != AN_DER_UTC_TIME && tag != AN_DER_GENERALIZED_TIME))
            return fail_field(crl, in, "revocationDate", reterr);
        if (rest.len > 0 && !check_entry_extensions(crl, rest))
            return fail_field(crl, in, "crlEntryExtensions", reterr);
        crl->revoked_count++;
    }
    return AN_OK;
}

const struct an_extension *
an_crl_find_extension(const struct an_crl *crl, an_bytes oid)
{
    return an_x509_find_extension(crl->extensions, crl->extension_count, oid);
}

static bool
read_number(const struct an_crl *crl, an_bytes oid, an_bytes *ret)
{
    const struct an_extension *found = an_crl_find_extension(crl, oid);
    an_bytes value;

    if (found == NULL)
        return true;
    value = found->value;
    return an_der_integer(&value, ret, NULL) == AN_OK && value.len == 0;
}

static bool
read_issuing_point(struct an_crl *crl)
{
    const struct an_extension *found = an_crl_find_extension(crl, AN_OID_ISSUING_POINT);
    an_bytes value, in, field;
    int tag;

    if (found == NULL)
        return true;
    crl->idp = value = found->value;
    if (an_der_take(&value, AN_DER_SEQUENCE, &in, NULL) != AN_OK || value.len != 0)
        return false;
    while (in.len > 0) {
        if (an_der_any(&in, &tag, NULL, &field, NULL) != AN_OK)
            return false;
        if (tag == AN_DER_CONTEXT(4))
            crl->is_indirect = field.len == 1 && field.ptr[0] != 0;
    }
    return true;
}

static bool
read_aki(struct an_crl *crl)
{
    const struct an_extension *found = an_crl_find_extension(crl, AN_OID_AKI);
    an_bytes value, in;

    if (found == NULL)
        return true;
    value = found->value;
    if (an_der_take(&value, AN_DER_SEQUENCE, &in, NULL) != AN_OK || value.len != 0)
        return false;
    (void)an_der_try(&in, AN_DER_CONTEXT(0), &crl->aki_key);
    return true;
}

static an_code
parse_extensions(struct an_crl *crl, an_bytes *in, struct an_err *reterr)
{
    static const struct an_x509_ext_codes codes = {AN_E_CRL_EXTENSION, AN_E_CRL_EXTENSION};
    an_bytes field, content;

    if (in->len == 0)
        return AN_OK;
    if (an_der_take(in, AN_DER_CONTEXT_CONSTRUCTED(0), &field, NULL) != AN_OK || in->len != 0)
        return fail_field(crl, *in, "crlExtensions", reterr);
    if (an_der_take(&field, AN_DER_SEQUENCE, &content, NULL) != AN_OK || field.len != 0 || crl->version != 2)
        return fail_field(crl, field, "crlExtensions", reterr);
    AN_TRY(an_x509_read_extensions(content, crl->few, AN_COUNT(crl->few), &crl->extensions, &crl->extension_count,
                                   codes, reterr));
    if (!read_number(crl, AN_OID_CRL_NUMBER, &crl->number))
        AN_FAIL(reterr, AN_E_CRL_EXTENSION, "cRLNumber");
    if (!read_number(crl, AN_OID_DELTA_CRL, &crl->base_number))
        AN_FAIL(reterr, AN_E_CRL_EXTENSION, "deltaCRLIndicator");
    if (!read_issuing_point(crl))
        AN_FAIL(reterr, AN_E_CRL_EXTENSION, "issuingDistributionPoint");
    if (!read_aki(crl))
        AN_FAIL(reterr, AN_E_CRL_EXTENSION, "authorityKeyIdentifier");
    return AN_OK;
}

static an_code
parse_updates(struct an_crl *crl, an_bytes *in, struct an_err *reterr)
{
    int tag;

    if (an_der_time(in, &crl->this_update, NULL) != AN_OK)
        return fail_field(crl, *in, "thisUpdate", reterr);
    crl->next_update = AN_TIME_NONE;
    tag = an_der_peek(*in);
    if ((tag == AN_DER_UTC_TIME || tag == AN_DER_GENERALIZED_TIME) && an_der_time(in, &crl->next_update, NULL) != AN_OK)
        return fail_field(crl, *in, "nextUpdate", reterr);
    return AN_OK;
}

static an_code
parse_tbs(struct an_crl *crl, struct an_err *reterr)
{
    an_bytes whole = crl->tbs, in, algorithm;
    int64_t version = 0;

    AN_TRY(an_der_take(&whole, AN_DER_SEQUENCE, &in, reterr));
    if (an_der_peek(in) == AN_DER_INTEGER && (an_der_int64(&in, &version, NULL) != AN_OK || version < 0 || version > 1))
        return fail_field(crl, in, "version", reterr);
    crl->version = (int)version + 1;
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK)
        return fail_field(crl, in, "signature", reterr);
    if (!an_bytes_eq(algorithm, crl->signature_algorithm))
        AN_FAIL(reterr, AN_E_CRL_ALGORITHM, "signature and signatureAlgorithm differ");
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &crl->issuer, NULL) != AN_OK || !an_x509_name_is_sound(crl->issuer))
        return fail_field(crl, in, "issuer", reterr);
    AN_TRY(parse_updates(crl, &in, reterr));
    if (an_der_peek(in) == AN_DER_SEQUENCE && an_der_take(&in, AN_DER_SEQUENCE, &crl->revoked, NULL) != AN_OK)
        return fail_field(crl, in, "revokedCertificates", reterr);
    AN_TRY(parse_extensions(crl, &in, reterr));
    return check_entries(crl, reterr);
}

static an_code
parse_list(struct an_crl *crl, struct an_err *reterr)
{
    an_bytes rest = crl->der, in;

    if (an_der_take(&rest, AN_DER_SEQUENCE, &in, NULL) != AN_OK)
        return fail_field(crl, rest, "CertificateList", reterr);
    if (rest.len != 0)
        AN_FAIL(reterr, AN_E_DER_TRAILING, "%zu bytes after the revocation list", rest.len);
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &crl->tbs, NULL) != AN_OK)
        return fail_field(crl, in, "tbsCertList", reterr);
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &crl->signature_algorithm, NULL) != AN_OK)
        return fail_field(crl, in, "signatureAlgorithm", reterr);
    if (!an_x509_take_signature(&in, &crl->signature) || in.len != 0)
        return fail_field(crl, in, "signatureValue", reterr);
    if (an_scheme_parse(crl->signature_algorithm, AN_DIGEST_NONE, &crl->scheme, NULL) != AN_OK)
        crl->scheme = (struct an_scheme){0};
    return parse_tbs(crl, reterr);
}

static void
free_crl(struct an_crl *crl)
{
    an_x509_free_crl_index(crl->index);
    if (crl->extensions != crl->few)
        free(crl->extensions);
    if (crl->owns_der)
        free((void *)(uintptr_t)crl->der.ptr);
    free(crl->signed_by);
    free(crl);
}

static an_code
parse_crl(an_bytes der, bool owns, struct an_crl **ret, struct an_err *reterr)
{
    struct an_crl *crl = AN_NEW(struct an_crl);
    an_code outcome;

    crl->der = der;
    crl->owns_der = owns;
    crl->refs = 1;
    crl->extensions = crl->few;
    outcome = parse_list(crl, reterr);
    if (outcome != AN_OK) {
        free_crl(crl);
        return outcome;
    }
    *ret = crl;
    return AN_OK;
}

an_code
an_crl_parse_borrowed(an_bytes der, struct an_crl **ret, struct an_err *reterr)
{
    if (der.len > AN_LIMIT_CRL_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "revocation list of %zu bytes", der.len);
    return parse_crl(der, false, ret, reterr);
}

an_code
an_crl_parse(an_bytes der, struct an_crl **ret, struct an_err *reterr)
{
    uint8_t *copy;

    if (der.len > AN_LIMIT_CRL_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "revocation list of %zu bytes", der.len);
    copy = malloc(der.len ? der.len : 1);
    if (copy == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "no memory for a revocation list of %zu bytes", der.len);
    if (der.len)
        memcpy(copy, der.ptr, der.len);
    return parse_crl(AN_BYTES(copy, der.len), true, ret, reterr);
}

struct an_crl *
an_crl_ref(struct an_crl *crl)
{
    __atomic_add_fetch(&crl->refs, 1, __ATOMIC_RELAXED);
    return crl;
}

void
an_crl_unref(struct an_crl **crl)
{
    if (*crl != NULL && __atomic_sub_fetch(&(*crl)->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free_crl(*crl);
    *crl = NULL;
}

void
an_crls_unref(struct an_crls *set)
{
    for (size_t i = 0; i < set->count; i++)
        an_crl_unref(&set->items[i]);
    an_crls_done(set);
}
