/* Canonical forms of subtrees: Canonical XML 1.0, 1.1, Exclusive 1.0, each with and without comments. */
#include "xml/internal.h"

#include <libxml/c14n.h>

static const struct { const char *uri; int mode; bool comments; } methods[] = {
    {"http://www.w3.org/TR/2001/REC-xml-c14n-20010315", XML_C14N_1_0, false},
    {"http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments", XML_C14N_1_0, true},
    {"http://www.w3.org/2006/12/xml-c14n11", XML_C14N_1_1, false},
    {"http://www.w3.org/2006/12/xml-c14n11#WithComments", XML_C14N_1_1, true},
    {"http://www.w3.org/2001/10/xml-exc-c14n#", XML_C14N_EXCLUSIVE_1_0, false},
    {"http://www.w3.org/2001/10/xml-exc-c14n#WithComments", XML_C14N_EXCLUSIVE_1_0, true},
};

struct scope { const xmlNode *top; xmlNode *const *hidden; size_t hidden_count; };

static int
is_visible(void *context, xmlNode *node, xmlNode *parent)
{
    const struct scope *scope = context;
    const xmlNode *element = node->type == XML_NAMESPACE_DECL || node->type == XML_ATTRIBUTE_NODE ? parent : node;

    for (size_t i = 0; i < scope->hidden_count; i++)
        if (xml_within(element, scope->hidden[i]))
            return 0;
    return xml_within(element, scope->top);
}

static int
write_bytes(void *context, const char *bytes, int len)
{
    struct an_buf *out = context;

    an_buf_append(out, AN_BYTES(bytes, (size_t)len));
    return an_buf_ok(out) ? len : -1;
}

bool
xml_is_c14n(const char *uri)
{
    for (size_t i = 0; i < AN_COUNT(methods); i++)
        if (uri && strcmp(methods[i].uri, uri) == 0)
            return true;
    return false;
}

/* The PrefixList of ec:InclusiveNamespaces, cut at its blanks; prefixes points into text. */
static bool
read_prefixes(const xmlNode *method, char **ret_text, xmlChar *prefixes[static 65])
{
    const xmlNode *list = xml_child(method, XML_NS_EXC_C14N, "InclusiveNamespaces");
    char *save = NULL;
    size_t count = 0;

    *ret_text = xml_attribute(list, "PrefixList");
    for (char *word = *ret_text ? strtok_r(*ret_text, " \t\r\n", &save) : NULL; word;
         word = strtok_r(NULL, " \t\r\n", &save)) {
        if (count == 64)
            return false;
        prefixes[count++] = (xmlChar *)word;
    }
    prefixes[count] = NULL;
    return true;
}

static bool
execute(struct xml_document *document, struct scope *scope, size_t at, xmlChar **prefixes, struct an_buf *out)
{
    xmlOutputBufferPtr sink = xmlOutputBufferCreateIO(write_bytes, NULL, out, NULL);
    size_t before = out->len;
    int done;

    if (!sink)
        return false;
    done = xmlC14NExecute(document->doc, is_visible, scope, methods[at].mode, prefixes, methods[at].comments, sink);
    if (xmlOutputBufferClose(sink) < 0)
        done = -1;
    return done >= 0 && an_buf_ok(out) && xml_count_work(document, out->len - before);
}

bool
xml_canonicalize_without(struct xml_document *document, xmlNode *top, xmlNode *const *hidden, size_t hidden_count,
                         const xmlNode *method, struct an_buf *out)
{
    struct scope scope = {top, hidden, hidden_count};
    char *uri = xml_attribute(method, "Algorithm"), *text = NULL;
    xmlChar *prefixes[65];
    bool ok = false;

    if (top && read_prefixes(method, &text, prefixes))
        for (size_t i = 0; i < AN_COUNT(methods) && !ok; i++)
            if (strcmp(uri && uri[0] ? uri : methods[0].uri, methods[i].uri) == 0)
                ok = execute(document, &scope, i, methods[i].mode == XML_C14N_EXCLUSIVE_1_0 ? prefixes : NULL, out);
    free(uri);
    free(text);
    return ok;
}

bool
xml_canonicalize(struct xml_document *document, xmlNode *top, const xmlNode *method, struct an_buf *out)
{
    return xml_canonicalize_without(document, top, NULL, 0, method, out);
}
