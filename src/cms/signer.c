/* Reading one SignerInfo (RFC 5652 5.3) and finding its certificate. */
#include "cms/internal.h"

static an_code
fail_field(const char *field, struct an_err *reterr)
{
    AN_FAIL(reterr, AN_E_CMS_SIGNER, "%s", field);
}

static bool
read_identifier(an_bytes *in, struct an_cms_signer *signer)
{
    an_bytes pair;

    if (an_der_try(in, AN_DER_CONTEXT(0), &signer->ski))
        return true;
    return an_der_take(in, AN_DER_SEQUENCE, &pair, NULL) == AN_OK &&
           an_der_take_whole(&pair, AN_DER_SEQUENCE, &signer->issuer, NULL) == AN_OK &&
           /* leading zeros too: some writers pad the serial number, and it only names */
           an_der_take(&pair, AN_DER_INTEGER, &signer->serial, NULL) == AN_OK && signer->serial.len > 0 &&
           pair.len == 0;
}

/* Attribute ::= SEQUENCE { OID, SET OF ANY } */
static bool
take_attribute(an_bytes *in, struct an_cms_attribute *ret)
{
    an_bytes attribute;

    return an_der_try(in, AN_DER_SEQUENCE, &attribute) &&
           an_der_take(&attribute, AN_DER_OID, &ret->oid, NULL) == AN_OK &&
           an_der_take(&attribute, AN_DER_SET, &ret->values, NULL) == AN_OK && attribute.len == 0;
}

static an_code
count_attributes(an_bytes in, size_t *ret, struct an_err *reterr)
{
    struct an_cms_attribute ignored;
    size_t count = 0;

    for (; in.len > 0; count++)
        if (count == AN_LIMIT_CMS_ATTRIBUTES)
            AN_FAIL(reterr, AN_E_LIMIT, "more than %d attributes", AN_LIMIT_CMS_ATTRIBUTES);
        else if (!take_attribute(&in, &ignored))
            AN_FAIL(reterr, AN_E_CMS_ATTRIBUTE, "attribute %zu", count + 1);
    *ret = count;
    return AN_OK;
}

static bool
is_sorted(an_bytes in)
{
    an_bytes before = AN_NONE, whole;

    while (in.len > 0 && an_der_take_whole(&in, AN_DER_SEQUENCE, &whole, NULL) == AN_OK) {
        if (before.len > 0 && an_bytes_cmp(before, whole) > 0)
            return false;
        before = whole;
    }
    return true;
}

/* One block for both lists and for the signed attributes under the tag they were signed with. */
static an_code
read_attribute_lists(struct an_cms_signer *signer, an_bytes signed_whole, an_bytes signed_in, an_bytes unsigned_in,
                     struct an_err *reterr)
{
    size_t signed_count, unsigned_count;
    uint8_t *copy;

    AN_TRY(count_attributes(signed_in, &signed_count, reterr));
    AN_TRY(count_attributes(unsigned_in, &unsigned_count, reterr));
    signer->block =
        an_grow(NULL, 1, (signed_count + unsigned_count) * sizeof(struct an_cms_attribute) + signed_whole.len);
    signer->attributes = signer->block;
    signer->unsigned_attributes = signer->attributes + signed_count;
    for (; signed_in.len > 0 && take_attribute(&signed_in, &signer->attributes[signer->attribute_count]);)
        signer->attribute_count++;
    for (; unsigned_in.len > 0 && take_attribute(&unsigned_in, &signer->unsigned_attributes[signer->unsigned_count]);)
        signer->unsigned_count++;
    if (signed_whole.len == 0)
        return AN_OK;
    copy = (uint8_t *)(signer->unsigned_attributes + unsigned_count);
    memcpy(copy, signed_whole.ptr, signed_whole.len);
    copy[0] = AN_DER_SET;
    signer->signed_attrs = AN_BYTES(copy, signed_whole.len);
    return AN_OK;
}

static an_code
read_signature(an_bytes *in, struct an_cms_signer *signer, struct an_err *reterr)
{
    if (an_der_take_whole(in, AN_DER_SEQUENCE, &signer->signature_algorithm, NULL) != AN_OK)
        return fail_field("signatureAlgorithm", reterr);
    if (an_der_take(in, AN_DER_OCTET_STRING, &signer->signature, NULL) != AN_OK)
        return fail_field("signature", reterr);
    if (an_scheme_parse(signer->signature_algorithm, signer->digest, &signer->scheme, NULL) != AN_OK)
        signer->scheme = (struct an_scheme){0};
    return AN_OK;
}

an_code
an_cms_read_signer(an_bytes in, struct an_cms_signer *signer, struct an_err *reterr)
{
    an_bytes algorithm, signed_whole = AN_NONE, signed_in = AN_NONE, unsigned_in = AN_NONE;
    int64_t version;

    signer->signing_time = AN_TIME_NONE;
    if (an_der_int64(&in, &version, NULL) != AN_OK || (version != 1 && version != 3))
        return fail_field("version", reterr);
    signer->version = (int)version;
    if (!read_identifier(&in, signer))
        return fail_field("sid", reterr);
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK)
        return fail_field("digestAlgorithm", reterr);
    if (an_digest_parse(algorithm, &signer->digest, NULL) != AN_OK)
        signer->digest = AN_DIGEST_NONE;
    if (an_der_peek(in) == AN_DER_CONTEXT_CONSTRUCTED(0) &&
        an_der_any(&in, NULL, &signed_whole, &signed_in, NULL) != AN_OK)
        return fail_field("signedAttrs", reterr);
    AN_TRY(read_signature(&in, signer, reterr));
    if (in.len > 0 && (an_der_peek(in) != AN_DER_CONTEXT_CONSTRUCTED(1) ||
                       an_der_any(&in, NULL, &signer->unsigned_attrs, &unsigned_in, NULL) != AN_OK || in.len > 0))
        return fail_field("unsignedAttrs", reterr);
    signer->attrs_not_der_sorted = !is_sorted(signed_in);
    AN_TRY(read_attribute_lists(signer, signed_whole, signed_in, unsigned_in, reterr));
    return an_cms_read_attributes(signer, reterr);
}

an_code
an_cms_counter_parse(an_bytes info, struct an_cms_signer *ret, struct an_err *reterr)
{
    an_bytes in;
    an_code code;

    *ret = (struct an_cms_signer){.is_counter = true};
    if (an_der_take(&info, AN_DER_SEQUENCE, &in, NULL) != AN_OK || info.len != 0)
        return fail_field("countersignature", reterr);
    code = an_cms_read_signer(in, ret, reterr);
    if (code != AN_OK)
        an_cms_signer_done(ret);
    return code;
}

void
an_cms_signer_done(struct an_cms_signer *signer)
{
    free(signer->block);
    *signer = (struct an_cms_signer){0};
}

static bool
has_ski(const struct an_cert *cert, an_bytes ski)
{
    uint8_t digest[AN_DIGEST_MAX];

    if (cert->ski.len > 0)
        return an_bytes_eq(cert->ski, ski);
    an_hash_once(AN_SHA1, cert->key_bits, digest);
    return an_bytes_eq(AN_BYTES(digest, an_digest_size(AN_SHA1)), ski);
}

static bool
is_named(const struct an_cms_signer *signer, const struct an_cert *cert)
{
    if (signer->ski.len > 0)
        return has_ski(cert, signer->ski);
    return an_serial_eq(cert->serial, signer->serial) && an_name_eq(cert->issuer, signer->issuer);
}

static bool
has_ess_hash(const struct an_cms_signer *signer, const struct an_cert *cert)
{
    uint8_t digest[AN_DIGEST_MAX];

    if (signer->ess_hash.len == 0 || signer->ess_digest == AN_DIGEST_NONE)
        return false;
    if (signer->ess_digest == AN_SHA256)
        return an_bytes_eq(signer->ess_hash, AN_BYTES(cert->sha256, sizeof(cert->sha256)));
    an_hash_once(signer->ess_digest, cert->der, digest);
    return an_bytes_eq(signer->ess_hash, AN_BYTES(digest, an_digest_size(signer->ess_digest)));
}

struct an_cert *
an_cms_signer_cert(const struct an_cms *cms, const struct an_cms_signer *signer, const struct an_certs *more)
{
    const struct an_certs *sets[] = {&cms->certs, more};
    struct an_cert *first = NULL;

    for (size_t s = 0; s < AN_COUNT(sets); s++)
        for (size_t i = 0; sets[s] != NULL && i < sets[s]->count; i++) {
            struct an_cert *cert = sets[s]->items[i];
            if (!is_named(signer, cert))
                continue;
            if (signer->ess_hash.len == 0 || has_ess_hash(signer, cert))
                return cert;
            if (first == NULL)
                first = cert;
        }
    return first;
}
