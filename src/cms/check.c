/* Is this signature made by this certificate's key over this content? */
#include "cms/internal.h"

/* RFC 8933: one digest algorithm for content and attributes. EdDSA has its own inside. */
static an_code
check_algorithms(const struct an_cms_signer *signer, struct an_err *reterr)
{
    if (signer->digest == AN_DIGEST_NONE)
        AN_FAIL(reterr, AN_V_CMS_ALGORITHM, "digestAlgorithm is not known");
    if (signer->scheme.kind == AN_SIG_UNKNOWN)
        AN_FAIL(reterr, AN_V_CMS_ALGORITHM, "signatureAlgorithm is not known");
    if (signer->digest_unlisted)
        AN_FAIL(reterr, AN_V_CMS_ALGORITHM, "%s is not among digestAlgorithms", an_digest_name(signer->digest));
    if (signer->scheme.kind != AN_SIG_EDDSA && signer->scheme.digest != signer->digest)
        AN_FAIL(reterr, AN_V_CMS_ALGORITHM, "digestAlgorithm %s, signatureAlgorithm with %s",
                an_digest_name(signer->digest), an_digest_name(signer->scheme.digest));
    return AN_OK;
}

static an_code
check_attributes(const struct an_cms_signer *signer, an_bytes content_type, an_bytes content_digest,
                 struct an_err *reterr)
{
    if (signer->duplicate_attributes)
        AN_FAIL(reterr, AN_V_CMS_ATTRIBUTE_TWICE, "signedAttrs");
    if (signer->message_digest.len == 0)
        AN_FAIL(reterr, AN_V_CMS_ATTRIBUTE_MISSING, "message-digest");
    if (signer->content_type.len == 0 && !signer->is_counter)
        AN_FAIL(reterr, AN_V_CMS_ATTRIBUTE_MISSING, "content-type");
    if (content_type.len > 0 && !an_bytes_eq(signer->content_type, content_type))
        AN_FAIL(reterr, AN_V_CMS_CONTENT_TYPE, "content-type attribute");
    if (!an_bytes_eq(signer->message_digest, content_digest))
        AN_FAIL(reterr, AN_V_CMS_DIGEST, "message-digest");
    return AN_OK;
}

/* The first ESSCertID must fit in all that it says (RFC 5035 5.4). */
static an_code
check_ess(const struct an_cms_signer *signer, const struct an_cert *cert, struct an_err *reterr)
{
    uint8_t digest[AN_DIGEST_MAX];

    if (signer->ess_hash.len == 0)
        return AN_OK;
    if (signer->ess_digest == AN_DIGEST_NONE)
        AN_FAIL(reterr, AN_V_CMS_ALGORITHM, "digest algorithm of signing-certificate-v2 is not known");
    an_hash_once(signer->ess_digest, cert->der, digest);
    if (!an_bytes_eq(signer->ess_hash, AN_BYTES(digest, an_digest_size(signer->ess_digest))))
        AN_FAIL(reterr, AN_V_CMS_ESS, "certificate hash");
    if (signer->ess_hash_v1.len > 0)
        an_hash_once(AN_SHA1, cert->der, digest);
    if (signer->ess_hash_v1.len > 0 && !an_bytes_eq(signer->ess_hash_v1, AN_BYTES(digest, an_digest_size(AN_SHA1))))
        AN_FAIL(reterr, AN_V_CMS_ESS, "certificate hash of signing-certificate");
    if (signer->ess_serial.len > 0 && !an_serial_eq(signer->ess_serial, cert->serial))
        AN_FAIL(reterr, AN_V_CMS_ESS, "serial number");
    if (signer->ess_issuer.len > 0 && !an_name_eq(signer->ess_issuer, cert->issuer))
        AN_FAIL(reterr, AN_V_CMS_ESS, "issuer");
    return AN_OK;
}

/* Without signed attributes the signature stands over the content itself, which must be id-data (RFC 5652 5.3). */
static an_code
check_bare(const struct an_cms_signer *signer, struct an_pubkey *key, an_bytes content_type, an_bytes content_digest,
           struct an_err *reterr)
{
    if (content_type.len > 0 && !an_bytes_eq(content_type, AN_OID_DATA))
        AN_FAIL(reterr, AN_V_CMS_ATTRIBUTE_MISSING, "signedAttrs");
    if (signer->scheme.kind == AN_SIG_EDDSA)
        AN_FAIL(reterr, AN_V_CMS_ALGORITHM, "EdDSA without signed attributes");
    if (!an_pubkey_verify_digest(key, &signer->scheme, content_digest, signer->signature))
        AN_FAIL(reterr, AN_V_CMS_SIGNATURE, "over the content");
    return AN_OK;
}

bool
an_cms_is_attributes(an_bytes content)
{
    an_bytes set, attribute, oid;

    if (an_der_take(&content, AN_DER_SET, &set, NULL) != AN_OK)
        return false;
    while (set.len > 0 && an_der_take(&set, AN_DER_SEQUENCE, &attribute, NULL) == AN_OK &&
           an_der_take(&attribute, AN_DER_OID, &oid, NULL) == AN_OK)
        if (an_bytes_eq(oid, AN_OID_MESSAGE_DIGEST))
            return true;
    return false;
}

an_code
an_cms_check_signer(const struct an_cms_signer *signer, struct an_cert *cert, an_bytes content_type_expected,
                    an_bytes content_digest, struct an_err *reterr)
{
    struct an_pubkey *key;

    AN_TRY(check_algorithms(signer, reterr));
    key = an_cert_key(cert);
    if (key == NULL)
        AN_FAIL(reterr, AN_V_CMS_KEY, "subjectPublicKeyInfo");
    if (signer->signed_attrs.len == 0)
        return check_bare(signer, key, content_type_expected, content_digest, reterr);
    AN_TRY(check_attributes(signer, content_type_expected, content_digest, reterr));
    if (!an_pubkey_verify_message(key, &signer->scheme, signer->signed_attrs, signer->signature))
        AN_FAIL(reterr, AN_V_CMS_SIGNATURE, "over the signed attributes");
    return check_ess(signer, cert, reterr);
}

an_code
an_cms_check_over(const struct an_cms_signer *signer, struct an_cert *cert, an_bytes content_type_expected,
                  an_bytes content,
                  struct an_err *reterr)
{
    uint8_t digest[AN_DIGEST_MAX];

    AN_TRY(check_algorithms(signer, reterr));
    an_hash_once(signer->digest, content, digest);
    return an_cms_check_signer(signer, cert, content_type_expected, AN_BYTES(digest, an_digest_size(signer->digest)),
                               reterr);
}
