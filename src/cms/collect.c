/*
 * Certificates, revocation lists and OCSP answers from every place where CMS and CAdES put them. One that cannot be
 * read is counted and passed over: whether it was needed shows in the path.
 */
#include "cms/internal.h"

static void
add_cert(struct an_cms *cms, an_bytes whole)
{
    struct an_cert *cert;

    if (cms->certs.count >= AN_LIMIT_CMS_CERTS || an_cert_parse(whole, &cert, NULL) != AN_OK) {
        cms->skipped++;
        return;
    }
    an_certs_add(&cms->certs, cert);
    an_cert_unref(&cert);
}

static void
add_crl(struct an_cms *cms, an_bytes whole)
{
    struct an_crl *crl;

    if (cms->crls.count >= AN_LIMIT_CMS_CERTS || an_crl_parse(whole, &crl, NULL) != AN_OK)
        cms->skipped++;
    else
        *an_crls_push(&cms->crls) = crl;
}

static void
add_ocsp(struct an_cms *cms, an_bytes whole, bool basic)
{
    struct an_ocsp *ocsp;

    if (cms->ocsps.count >= AN_LIMIT_CMS_CERTS ||
        (basic ? an_ocsp_parse_basic(whole, &ocsp, NULL) : an_ocsp_parse(whole, &ocsp, NULL)) != AN_OK)
        cms->skipped++;
    else
        *an_ocsps_push(&cms->ocsps) = ocsp;
}

/* CertificateChoices: attribute certificates and the like ([0]…[3]) are not for us. */
an_code
an_cms_collect_certs(struct an_cms *cms, an_bytes set, struct an_err *reterr)
{
    an_bytes whole;
    int tag;

    while (set.len > 0) {
        if (an_der_any(&set, &tag, &whole, NULL, NULL) != AN_OK)
            AN_FAIL(reterr, AN_E_CMS_STRUCTURE, "certificates");
        if (tag == AN_DER_SEQUENCE)
            add_cert(cms, whole);
    }
    return AN_OK;
}

/* OtherRevocationInfoFormat: whole OCSP responses (RFC 5940), or the basic part alone as early CAdES wrote it. */
static void
add_other(struct an_cms *cms, an_bytes in)
{
    an_bytes oid, whole;

    if (an_der_take(&in, AN_DER_OID, &oid, NULL) != AN_OK || an_der_any(&in, NULL, &whole, NULL, NULL) != AN_OK)
        cms->skipped++;
    else if (an_bytes_eq(oid, AN_OID_RI_OCSP))
        add_ocsp(cms, whole, false);
    else if (an_bytes_eq(oid, AN_OID_OCSP_BASIC))
        add_ocsp(cms, whole, true);
    else
        cms->skipped++;
}

an_code
an_cms_collect_revocation(struct an_cms *cms, an_bytes set, struct an_err *reterr)
{
    an_bytes whole, value;
    int tag;

    while (set.len > 0) {
        if (an_der_any(&set, &tag, &whole, &value, NULL) != AN_OK)
            AN_FAIL(reterr, AN_E_CMS_STRUCTURE, "crls");
        if (tag == AN_DER_SEQUENCE)
            add_crl(cms, whole);
        else if (tag == AN_DER_CONTEXT_CONSTRUCTED(1))
            add_other(cms, value);
    }
    return AN_OK;
}

/* SEQUENCE { [0] SEQUENCE OF CertificateList, [1] SEQUENCE OF OCSP, … }: RevocationValues has basic responses in [1],
 * Adobe's RevocationInfoArchival whole ones. */
static void
add_status(struct an_cms *cms, an_bytes value, bool basic)
{
    an_bytes in, field, list, whole;
    int tag;

    if (an_der_take(&value, AN_DER_SEQUENCE, &in, NULL) != AN_OK)
        return;
    while (in.len > 0 && an_der_any(&in, &tag, NULL, &field, NULL) == AN_OK) {
        if (an_der_take(&field, AN_DER_SEQUENCE, &list, NULL) != AN_OK)
            continue;
        while (list.len > 0 && an_der_any(&list, NULL, &whole, NULL, NULL) == AN_OK)
            if (tag == AN_DER_CONTEXT_CONSTRUCTED(0))
                add_crl(cms, whole);
            else if (tag == AN_DER_CONTEXT_CONSTRUCTED(1))
                add_ocsp(cms, whole, basic);
    }
}

static void
add_cert_values(struct an_cms *cms, an_bytes value)
{
    an_bytes in, whole;

    if (an_der_take(&value, AN_DER_SEQUENCE, &in, NULL) != AN_OK)
        return;
    while (in.len > 0 && an_der_any(&in, NULL, &whole, NULL, NULL) == AN_OK)
        add_cert(cms, whole);
}

void
an_cms_collect_values(struct an_cms *cms, const struct an_cms_signer *signer)
{
    for (size_t i = 0; i < signer->attribute_count; i++)
        if (an_bytes_eq(signer->attributes[i].oid, AN_OID_ADBE_REVOCATION))
            add_status(cms, an_cms_single_value(&signer->attributes[i]), false);
    for (size_t i = 0; i < signer->unsigned_count; i++) {
        const struct an_cms_attribute *attribute = &signer->unsigned_attributes[i];
        if (an_bytes_eq(attribute->oid, AN_OID_REVOCATION_VALUES))
            add_status(cms, an_cms_single_value(attribute), true);
        else if (an_bytes_eq(attribute->oid, AN_OID_ADBE_REVOCATION))
            add_status(cms, an_cms_single_value(attribute), false);
        else if (an_bytes_eq(attribute->oid, AN_OID_CERT_VALUES))
            add_cert_values(cms, an_cms_single_value(attribute));
    }
}
