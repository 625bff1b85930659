/* A whole document as JSON; field names as in proc/xml.c. */
#include "xml/internal.h"

an_code
xml_answer(const struct xml_input *input, json_t **ret, struct an_err *reterr)
{
    struct xml_document document;
    json_t *list;

    AN_TRY(xml_open(input, &document, reterr));
    list = json_array();
    for (xmlNode *node = document.root; node && json_array_size(list) < AN_LIMIT_XML_SIGNATURES;
         node = xml_descend(document.root, node))
        if (xml_is(node, XML_NS_DSIG, "Signature"))
            json_array_append_new(list, xml_read_signature(&document, node));
    *ret = json_pack("{s:s, s:b, s:o}", "root", (const char *)document.root->name, "dtd",
                     document.doc->intSubset != NULL, "signatures", list);
    xml_close(&document);
    return AN_OK;
}

static json_t *
manifest_entry(const xmlNode *node)
{
    char *uri = xml_attribute(node, "URI"), *root = xml_attribute(node, "Rootfile");
    char *method = xml_attribute(xml_child(node, XML_NS_DSIG, "DigestMethod"), "Algorithm");
    struct an_buf value = an_buf_new(1024);
    json_t *row = json_pack("{s:s, s:i, s:b}", "uri", uri ? uri : "", "digest", (int)xml_digest(method), "root",
                            root != NULL && (strcmp(root, "true") == 0 || strcmp(root, "1") == 0));

    if (xml_base64(xml_child(node, XML_NS_DSIG, "DigestValue"), &value))
        xml_put_bytes(row, "value", an_buf_view(&value));
    an_buf_free(&value);
    free(uri);
    free(root);
    free(method);
    return row;
}

/* Namespaces differ between versions of the format: names decide. */
static bool
is_named(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

an_code
xml_answer_manifest(const struct xml_input *input, json_t **ret, struct an_err *reterr)
{
    struct xml_document document;
    json_t *list;
    char *uri = NULL;

    AN_TRY(xml_open(input, &document, reterr));
    if (!is_named(document.root, "ASiCManifest")) {
        xml_close(&document);
        AN_FAIL(reterr, AN_E_XML_PARSE, "not ASiCManifest");
    }
    list = json_array();
    for (const xmlNode *node = document.root; node && json_array_size(list) < AN_LIMIT_ZIP_ENTRIES;
         node = xml_descend(document.root, node)) {
        if (is_named(node, "SigReference") && !uri)
            uri = xml_attribute(node, "URI");
        if (is_named(node, "DataObjectReference"))
            json_array_append_new(list, manifest_entry(node));
    }
    *ret = json_pack("{s:s, s:o}", "sig_uri", uri ? uri : "", "entries", list);
    free(uri);
    xml_close(&document);
    return AN_OK;
}
