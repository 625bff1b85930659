/* KeyInfo: certificates, CRLs, and bare keys as SubjectPublicKeyInfo. */
#include "xml/internal.h"

#include "asn1/der.h"

#define TYPE_RAW_CERTIFICATE XML_NS_DSIG "rawX509Certificate"

static bool
part(const xmlNode *parent, const char *name, struct an_buf *ret)
{
    return xml_base64(xml_child(parent, XML_NS_DSIG, name), ret) && ret->len;
}

static void
put_spki(json_t *out, const struct an_buf *spki)
{
    if (an_buf_ok(spki) && !json_object_get(out, "spki"))
        xml_put_bytes(out, "spki", an_buf_view(spki));
}

static void
close_with_key(struct an_der_out *der, const struct an_buf *key)
{
    an_der_close(der);
    an_der_put_bits(der, an_buf_view(key), 0);
    an_der_close(der);
}

static void
read_rsa(const xmlNode *value, json_t *out)
{
    struct an_buf n = an_buf_new(4096), e = an_buf_new(4096), key = an_buf_new(16384), spki = an_buf_new(16384);
    struct an_der_out der = AN_DER_OUT(&spki), inner = AN_DER_OUT(&key);

    if (part(value, "Modulus", &n) && part(value, "Exponent", &e)) {
        an_der_open(&inner, AN_DER_SEQUENCE);
        an_der_put_unsigned(&inner, an_buf_view(&n));
        an_der_put_unsigned(&inner, an_buf_view(&e));
        an_der_close(&inner);
        an_der_open(&der, AN_DER_SEQUENCE);
        an_der_open(&der, AN_DER_SEQUENCE);
        an_der_put_oid(&der, "1.2.840.113549.1.1.1");
        an_der_put_null(&der);
        close_with_key(&der, &key);
        put_spki(out, &spki);
    }
    an_buf_free(&n);
    an_buf_free(&e);
    an_buf_free(&key);
    an_buf_free(&spki);
}

static void
read_dsa(const xmlNode *value, json_t *out)
{
    static const char *const names[] = {"P", "Q", "G"};
    struct an_buf number = an_buf_new(4096), key = an_buf_new(16384), spki = an_buf_new(16384);
    struct an_der_out der = AN_DER_OUT(&spki), inner = AN_DER_OUT(&key);
    bool ok = true;

    an_der_open(&der, AN_DER_SEQUENCE);
    an_der_open(&der, AN_DER_SEQUENCE);
    an_der_put_oid(&der, "1.2.840.10040.4.1");
    an_der_open(&der, AN_DER_SEQUENCE);
    for (size_t i = 0; i < AN_COUNT(names); i++) {
        ok = ok && part(value, names[i], &number);
        an_der_put_unsigned(&der, an_buf_view(&number));
    }
    an_der_close(&der);
    ok = ok && part(value, "Y", &number);
    an_der_put_unsigned(&inner, an_buf_view(&number));
    close_with_key(&der, &key);
    if (ok)
        put_spki(out, &spki);
    an_buf_free(&number);
    an_buf_free(&key);
    an_buf_free(&spki);
}

static void
read_ec(const xmlNode *value, json_t *out)
{
    static const char prefix[] = "urn:oid:";
    char *uri = xml_attribute(xml_child(value, XML_NS_DSIG11, "NamedCurve"), "URI");
    struct an_buf point = an_buf_new(4096), spki = an_buf_new(16384), oid = an_buf_new(256);
    struct an_der_out der = AN_DER_OUT(&spki);

    if (uri && strncmp(uri, prefix, sizeof(prefix) - 1) == 0 && an_oid_bytes(uri + sizeof(prefix) - 1, &oid) &&
        xml_base64(xml_child(value, XML_NS_DSIG11, "PublicKey"), &point) && point.len) {
        an_der_open(&der, AN_DER_SEQUENCE);
        an_der_open(&der, AN_DER_SEQUENCE);
        an_der_put_oid(&der, "1.2.840.10045.2.1");
        an_der_put(&der, AN_DER_OID, an_buf_view(&oid));
        close_with_key(&der, &point);
        put_spki(out, &spki);
    }
    free(uri);
    an_buf_free(&point);
    an_buf_free(&spki);
    an_buf_free(&oid);
}

static void
read_encoded(const xmlNode *value, json_t *out)
{
    struct an_buf spki = an_buf_new(16384);

    if (xml_base64(value, &spki) && spki.len)
        put_spki(out, &spki);
    an_buf_free(&spki);
}

static void
read_x509(const xmlNode *data, json_t *out)
{
    struct an_buf bytes = an_buf_new(AN_LIMIT_XML_BYTES);

    for (const xmlNode *node = data->children; node; node = node->next) {
        bool is_cert = xml_is(node, XML_NS_DSIG, "X509Certificate"), is_crl = xml_is(node, XML_NS_DSIG, "X509CRL");
        json_t *list = json_object_get(out, is_cert ? "certs" : "crls");

        if ((is_cert || is_crl) && json_array_size(list) < AN_LIMIT_CMS_CERTS && xml_base64(node, &bytes) && bytes.len)
            xml_add_bytes(list, an_buf_view(&bytes));
    }
    an_buf_free(&bytes);
}

static const struct { const char *ns, *name; void (*read)(const xmlNode *value, json_t *out); } kinds[] = {
    {XML_NS_DSIG, "X509Data", read_x509},        {XML_NS_DSIG, "RSAKeyValue", read_rsa},
    {XML_NS_DSIG, "DSAKeyValue", read_dsa},      {XML_NS_DSIG11, "ECKeyValue", read_ec},
    {XML_NS_DSIG11, "DEREncodedKeyValue", read_encoded},
};

static void
read_one(const xmlNode *node, json_t *out)
{
    for (size_t i = 0; i < AN_COUNT(kinds); i++)
        if (xml_is(node, kinds[i].ns, kinds[i].name))
            kinds[i].read(node, out);
}

/* A key that stands elsewhere in the document, or a certificate given beside it. */
static void
follow_retrieval(struct xml_document *document, xmlNode *method, json_t *out)
{
    struct an_buf bytes = an_buf_new(AN_LIMIT_CERT_BYTES);
    char *uri = xml_attribute(method, "URI"), *type = xml_attribute(method, "Type");
    struct xml_target target;
    xmlNode *node;

    if (uri && uri[0] == '#' && xml_find_id(document, an_bytes_of_str(uri + 1), &node) == AN_XML_MATCHES) {
        read_one(node, out);
        for (xmlNode *child = node->children; child; child = child->next)
            read_one(child, out);
    } else if (type && strcmp(type, TYPE_RAW_CERTIFICATE) == 0) {
        xml_dereference(document, method, NULL, &target, &bytes);
        if (target.state == AN_XML_MATCHES && an_buf_ok(&bytes))
            xml_add_bytes(json_object_get(out, "certs"), an_buf_view(&bytes));
    }
    an_buf_free(&bytes);
    free(uri);
    free(type);
}

void
xml_read_key(struct xml_document *document, const xmlNode *key_info, json_t *out)
{
    size_t retrievals = 0;

    json_object_set_new(out, "certs", json_array());
    json_object_set_new(out, "crls", json_array());
    for (xmlNode *node = key_info ? key_info->children : NULL; node; node = node->next) {
        read_one(node, out);
        if (xml_is(node, XML_NS_DSIG, "KeyValue"))
            for (xmlNode *child = node->children; child; child = child->next)
                read_one(child, out);
        if ((xml_is(node, XML_NS_DSIG, "RetrievalMethod") || xml_is(node, XML_NS_DSIG11, "KeyInfoReference")) &&
            retrievals++ < 4)
            follow_retrieval(document, node, out);
    }
}
