/* What decided about a certificate or an algorithm, as TS 119 102-2 has it: RevocationStatusInformation,
 * CryptoInformation. */
#include "report/etsi.h"

#include <ctype.h>

/* Names of algorithms in XML: RFC 9231. */
static const struct { enum an_sig_kind kind; const char *before, *after; bool is_2007; } methods[] = {
    {AN_SIG_RSA_PKCS1, "rsa-", "", false},
    {AN_SIG_RSA_PSS, "", "-rsa-MGF1", true},
    {AN_SIG_ECDSA, "ecdsa-", "", false},
};

static char *
algorithm_uri(const struct an_scheme *scheme)
{
    const char *name = an_digest_name(scheme->digest);
    char digest[32] = "";
    size_t len = 0;
    bool is_sha3 = strncmp(name, "SHA3", 4) == 0;

    for (; *name && len + 1 < sizeof(digest); name++)
        if (*name != '-' || is_sha3)
            digest[len++] = (char)tolower((unsigned char)*name);
    if (scheme->kind == AN_SIG_RSA_PKCS1 && scheme->digest == AN_SHA1)
        return an_strdup("http://www.w3.org/2000/09/xmldsig#rsa-sha1");
    if (scheme->kind == AN_SIG_DSA)
        return an_asprintf("http://www.w3.org/%s#dsa-%s", scheme->digest == AN_SHA1 ? "2000/09/xmldsig"
                           : "2009/xmldsig11", digest);
    for (size_t i = 0; i < AN_COUNT(methods); i++)
        if (methods[i].kind == scheme->kind)
            return an_asprintf("http://www.w3.org/%s#%s%s%s", methods[i].is_2007 ||
                               is_sha3 ? "2007/05/xmldsig-more" : "2001/04/xmldsig-more",
                               methods[i].before, digest, methods[i].after);
    return an_strdup(scheme->kind == AN_SIG_EDDSA ? "http://www.w3.org/2021/04/xmldsig-more#eddsa"
                     : "urn:x-antin:algorithm:unknown");
}

/* RFC 5280, 5.3.1, in the words of the ETSI schema, which has none for the rest. */
static const char *const reasons[] = {
    [AN_REASON_UNSPECIFIED] = "unspecified", [AN_REASON_KEY_COMPROMISE] = "keyCompromise",
    [AN_REASON_CA_COMPROMISE] = "cACompromise",
    [AN_REASON_AFFILIATION_CHANGED] = "affiliationChanged", [AN_REASON_SUPERSEDED] = "superseded",
    [AN_REASON_CESSATION] = "cessationOfOperation", [AN_REASON_HOLD] = "certificateHold",
    [AN_REASON_PRIVILEGE_WITHDRAWN] = "privilegeWithdrawn",
};

void
etsi_write_revoked(struct etsi *etsi, const struct an_revoked_fact *fact)
{
    AN_CLEANUP(an_free_ptr) char *reason = NULL;

    if (!fact->cert || fact->at == AN_TIME_NONE)
        return;
    xml_open(&etsi->xml, "RevocationStatusInformation", NULL, NULL);
    etsi_write_reference(etsi, "ValidationObjectId", 'C', fact->cert->der);
    etsi_write_time(etsi, "RevocationTime", fact->at);
    if (fact->reason >= 0 && (size_t)fact->reason < AN_COUNT(reasons) && reasons[fact->reason]) {
        reason = an_asprintf("urn:etsi:019102:revocationReason:%s", reasons[fact->reason]);
        xml_text(&etsi->xml, "RevocationReason", reason);
    }
    if (fact->crl)
        etsi_write_reference(etsi, "RevocationObject", 'R', fact->crl->der);
    else if (fact->ocsp)
        etsi_write_reference(etsi, "RevocationObject", 'O', fact->ocsp->der);
    xml_close(&etsi->xml);
}

void
etsi_write_crypto(struct etsi *etsi, const struct an_crypto_fact *fact, const char *signature_id)
{
    AN_CLEANUP(an_free_ptr) char *uri = algorithm_uri(&fact->scheme);

    if (!fact->is_known)
        return;
    xml_open(&etsi->xml, "CryptoInformation", NULL, NULL);
    if (fact->cert)
        etsi_write_reference(etsi, "ValidationObjectId", 'C', fact->cert->der);
    else
        xml_empty(&etsi->xml, "ValidationObjectId", "VOReference", signature_id);
    xml_text(&etsi->xml, "Algorithm", uri);
    xml_text(&etsi->xml, "SecureAlgorithm", fact->is_secure ? "true" : "false");
    if (fact->good_until != AN_TIME_NONE && fact->good_until != INT64_MAX)
        etsi_write_time(etsi, "NotAfter", fact->good_until);
    xml_close(&etsi->xml);
}
