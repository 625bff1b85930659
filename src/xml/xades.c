/* XAdES properties (ETSI EN 319 132-1; TS 101 903 from version 1.1.1 on): read, not judged. */
#include "xml/internal.h"

xmlNode *
xml_find_qualifying(const xmlNode *signature)
{
    for (xmlNode *object = xml_child(signature, XML_NS_DSIG, "Object"); object;
         object = xml_next(object, XML_NS_DSIG, "Object")) {
        xmlNode *found = xml_child(object, NULL, "QualifyingProperties");

        if (found)
            return found;
    }
    return NULL;
}

static void
add_digest(json_t *list, const xmlNode *cert_digest)
{
    char *uri = xml_attribute(xml_child(cert_digest, XML_NS_DSIG, "DigestMethod"), "Algorithm");
    struct an_buf value = an_buf_new(1024);

    /* Before version 1.3.2 the two stood in the XAdES namespace. */
    if (!uri)
        uri = xml_attribute(xml_child(cert_digest, NULL, "DigestMethod"), "Algorithm");
    if (xml_base64(xml_child(cert_digest, XML_NS_DSIG, "DigestValue"), &value) ||
        xml_base64(xml_child(cert_digest, NULL, "DigestValue"), &value)) {
        json_t *row = json_pack("{s:i}", "digest", (int)xml_digest(uri));

        xml_put_bytes(row, "value", an_buf_view(&value));
        json_array_append_new(list, row);
    }
    an_buf_free(&value);
    free(uri);
}

static void
read_signing_certificate(struct xml_signature *signature, const xmlNode *properties)
{
    const xmlNode *node = xml_child(properties, NULL, "SigningCertificateV2");
    json_t *list = json_array();

    if (!node)
        node = xml_child(properties, NULL, "SigningCertificate");
    json_object_set_new(signature->json, "has_signing_certificate", json_boolean(node != NULL));
    for (const xmlNode *cert = xml_child(node, NULL, "Cert"); cert && json_array_size(list) < 32;
         cert = xml_next(cert, NULL, "Cert"))
        add_digest(list, xml_child(cert, NULL, "CertDigest"));
    json_object_set_new(signature->json, "cert_digests", list);
}

static void
put_text(json_t *out, const char *key, const xmlNode *node)
{
    struct an_buf text = an_buf_new(4096);

    xml_text(node, &text);
    if (node && an_buf_ok(&text) && text.len)
        json_object_set_new(out, key, json_stringn((const char *)text.ptr, text.len));
    an_buf_free(&text);
}

static bool
is_reference_id(const struct xml_signature *signature, const char *id)
{
    bool found = false;

    for (const xmlNode *node = xml_child(signature->signed_info, XML_NS_DSIG, "Reference"); node && !found;
         node = xml_next(node, XML_NS_DSIG, "Reference")) {
        char *own = xml_attribute(node, "Id");

        found = own && strcmp(own, id) == 0;
        free(own);
    }
    return found;
}

/* EN 319 132-1, 5.2.4 and 6.3: every DataObjectFormat names a reference of this signature, and a MIME type. */
static bool
formats_conform(const struct xml_signature *signature)
{
    const xmlNode *data = xml_child(signature->signed_properties, NULL, "SignedDataObjectProperties");
    bool ok = true;

    for (const xmlNode *node = xml_child(data, NULL, "DataObjectFormat"); node && ok;
         node = xml_next(node, NULL, "DataObjectFormat")) {
        char *uri = xml_attribute(node, "ObjectReference");

        ok = uri && uri[0] == '#' && is_reference_id(signature, uri + 1) && xml_child(node, NULL, "MimeType");
        free(uri);
    }
    return ok;
}

static void
read_signed(struct xml_signature *signature)
{
    const xmlNode *properties = xml_child(signature->signed_properties, NULL, "SignedSignatureProperties");
    const xmlNode *policy = xml_child(xml_child(properties, NULL, "SignaturePolicyIdentifier"), NULL,
                                      "SignaturePolicyId");

    put_text(signature->json, "signing_time", xml_child(properties, NULL, "SigningTime"));
    put_text(signature->json, "policy", xml_child(xml_child(policy, NULL, "SigPolicyId"), NULL, "Identifier"));
    read_signing_certificate(signature, properties);
    json_object_set_new(signature->json, "baseline", json_boolean(json_object_get(signature->json, "signing_time") &&
                                                                  formats_conform(signature)));
}

static void
add_all(json_t *list, const xmlNode *parent, const char *name)
{
    struct an_buf bytes = an_buf_new(AN_LIMIT_XML_BYTES);

    for (const xmlNode *node = xml_child(parent, NULL, name); node && json_array_size(list) < AN_LIMIT_VERIFY_STATUS;
         node = xml_next(node, NULL, name))
        if (xml_base64(node, &bytes) && bytes.len)
            xml_add_bytes(list, an_buf_view(&bytes));
    an_buf_free(&bytes);
}

static void
read_values(json_t *out, const xmlNode *properties)
{
    json_t *certs = json_array(), *crls = json_array(), *ocsps = json_array();
    bool has_status = false;

    for (const xmlNode *node = properties ? properties->children : NULL; node; node = node->next) {
        const xmlNode *status = node;

        if (xml_is(node, NULL, "CertificateValues") || xml_is(node, NULL, "AttrAuthoritiesCertValues"))
            add_all(certs, node, "EncapsulatedX509Certificate");
        if (xml_is(node, NULL, "TimeStampValidationData")) {
            add_all(certs, xml_child(node, NULL, "CertificateValues"), "EncapsulatedX509Certificate");
            status = xml_child(node, NULL, "RevocationValues");
        } else if (!xml_is(node, NULL, "RevocationValues") && !xml_is(node, NULL, "AttributeRevocationValues")) {
            continue;
        }
        has_status = has_status || status != NULL;
        add_all(crls, xml_child(status, NULL, "CRLValues"), "EncapsulatedCRLValue");
        add_all(ocsps, xml_child(status, NULL, "OCSPValues"), "EncapsulatedOCSPValue");
    }
    json_object_set_new(out, "cert_values", certs);
    json_object_set_new(out, "crl_values", crls);
    json_object_set_new(out, "ocsp_values", ocsps);
    json_object_set_new(out, "has_revocation_values", json_boolean(has_status));
}

void
xml_read_xades(struct xml_signature *signature)
{
    const xmlNode *unsigned_properties;

    signature->qualifying = xml_find_qualifying(signature->node);
    unsigned_properties = xml_child(signature->qualifying, NULL, "UnsignedProperties");
    unsigned_properties = xml_child(unsigned_properties, NULL, "UnsignedSignatureProperties");
    json_object_set_new(signature->json, "xades", json_boolean(signature->qualifying != NULL));
    json_object_set_new(signature->json, "signed_properties", json_boolean(signature->signed_properties != NULL));
    read_signed(signature);
    read_values(signature->json, unsigned_properties);
}
