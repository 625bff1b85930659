/*
 * Parsing. No network, no external entity, no file: what a document refers to outside itself is not followed. Internal
 * entities are expanded under libxml2's bound on amplification. Identifiers are collected by us, so that two elements
 * with the same one are seen.
 */
#include "xml/internal.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/valid.h>
#include <strings.h>
#include <xmlsec/xmlsec.h>
/* needs the one above */
#include <xmlsec/errors.h>

#define TEXT_BYTES_PLAIN 9000000 /* libxml2 refuses a text of ten million bytes unless told otherwise */

static void
drop_message(void *context, const char *text, ...)
{
    (void)context, (void)text;
}

static void
drop_error(void *context, xmlErrorPtr error)
{
    (void)context, (void)error;
}

static xmlParserInputPtr
load_nothing(const char *url, const char *id, xmlParserCtxtPtr context)
{
    (void)url, (void)id, (void)context;
    return NULL;
}

void
xml_start(void)
{
    xmlInitParser();
    xmlSetGenericErrorFunc(NULL, drop_message);
    xmlSetStructuredErrorFunc(NULL, drop_error);
    xmlSetExternalEntityLoader(load_nothing);
    AN_ASSERT(xmlSecInit() == 0);
    xmlSecErrorsDefaultCallbackEnableOutput(0);
}

static bool
is_id_name(const xmlAttr *attribute)
{
    return strcasecmp((const char *)attribute->name, "id") == 0;
}

static void
add_id(struct xml_document *document, xmlNode *node, xmlAttr *attribute)
{
    xmlChar *value = xmlNodeListGetString(document->doc, attribute->children, 1);
    an_bytes key = an_bytes_of_str((const char *)value);

    if (value && key.len) {
        void *before = an_map_find(document->ids, key);

        an_map_put(document->ids, key, before && before != (void *)node ? (void *)document : (void *)node);
        if (!before && attribute->atype != XML_ATTRIBUTE_ID)
            xmlAddID(NULL, document->doc, value, attribute);
    }
    xmlFree(value);
}

/* False when it nests too deep for the recursive parts of the libraries. */
static bool
collect_ids(struct xml_document *document)
{
    xmlNode *node = document->root;
    size_t depth = 0;

    while (node) {
        for (xmlAttr *attribute = node->type == XML_ELEMENT_NODE ? node->properties : NULL; attribute;
             attribute = attribute->next)
            if (is_id_name(attribute) || attribute->atype == XML_ATTRIBUTE_ID)
                add_id(document, node, attribute);
        if (node->type == XML_ELEMENT_NODE && node->children) {
            node = node->children;
            if (++depth > AN_LIMIT_XML_DEPTH)
                return false;
            continue;
        }
        while (node && node != document->root && !node->next) {
            node = node->parent;
            depth--;
        }
        node = node && node != document->root ? node->next : NULL;
    }
    return true;
}

/* A text of more than ten million bytes needs XML_PARSE_HUGE, which lifts the bound on entities too: only without
 * any. */
static int
parse_options(an_bytes xml)
{
    int options = XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;

    if (xml.len > TEXT_BYTES_PLAIN && xml.ptr[0] == '<' && an_bytes_find(xml, AN_LIT("<!ENTITY"), 0) == SIZE_MAX &&
        an_bytes_find(xml, AN_LIT("\0"), 0) == SIZE_MAX)
        options |= XML_PARSE_HUGE;
    return options;
}

an_code
xml_open(const struct xml_input *input, struct xml_document *ret, struct an_err *reterr)
{
    an_bytes xml = input->parts[0].bytes;

    *ret = (struct xml_document){.input = input};
    if (xml.len > AN_LIMIT_XML_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "XML of %zu bytes", xml.len);
    ret->doc = xmlReadMemory((const char *)xml.ptr, (int)xml.len, NULL, NULL, parse_options(xml));
    ret->root = ret->doc ? xmlDocGetRootElement(ret->doc) : NULL;
    if (!ret->root) {
        const xmlError *error = xmlGetLastError();

        xml_close(ret);
        AN_FAIL(reterr, AN_E_XML_PARSE, "line %d", error ? error->line : 0);
    }
    ret->ids = an_map_new();
    if (!collect_ids(ret)) {
        xml_close(ret);
        AN_FAIL(reterr, AN_E_LIMIT, "elements nest deeper than %d", AN_LIMIT_XML_DEPTH);
    }
    return AN_OK;
}

void
xml_close(struct xml_document *document)
{
    an_map_free(&document->ids);
    if (document->doc)
        xmlFreeDoc(document->doc);
    document->doc = NULL;
    document->root = NULL;
}

enum an_xml_state
xml_find_id(const struct xml_document *document, an_bytes id, xmlNode **ret)
{
    void *found = an_map_find(document->ids, id);

    *ret = NULL;
    if (!found)
        return AN_XML_MISSING;
    if (found == (const void *)document)
        return AN_XML_AMBIGUOUS;
    *ret = found;
    return AN_XML_MATCHES;
}

bool
xml_count_work(struct xml_document *document, size_t bytes)
{
    document->work += bytes;
    return document->work <= AN_LIMIT_XML_WORK;
}
