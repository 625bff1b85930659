/* Small readers of elements. */
#include "xml/internal.h"

static bool
is_xades(const xmlChar *href)
{
    static const char prefix[] = "http://uri.etsi.org/01903/";

    return strncmp((const char *)href, prefix, sizeof(prefix) - 1) == 0;
}

bool
xml_is(const xmlNode *node, const char *ns, const char *name)
{
    if (!node || node->type != XML_ELEMENT_NODE || !node->ns || !node->ns->href)
        return false;
    if (name && strcmp((const char *)node->name, name) != 0)
        return false;
    return ns ? strcmp((const char *)node->ns->href, ns) == 0 : is_xades(node->ns->href);
}

static xmlNode *
first_of(xmlNode *node, const char *ns, const char *name)
{
    while (node && !xml_is(node, ns, name))
        node = node->next;
    return node;
}

xmlNode *
xml_child(const xmlNode *parent, const char *ns, const char *name)
{
    return parent ? first_of(parent->children, ns, name) : NULL;
}

xmlNode *
xml_next(const xmlNode *node, const char *ns, const char *name)
{
    return first_of(node->next, ns, name);
}

xmlNode *
xml_descend(const xmlNode *top, const xmlNode *node)
{
    if (node->type == XML_ELEMENT_NODE && node->children)
        return node->children;
    while (node != top && !node->next)
        node = node->parent;
    return node == top ? NULL : node->next;
}

char *
xml_attribute(const xmlNode *node, const char *name)
{
    xmlChar *value = node ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;
    char *copy = value ? an_strdup((const char *)value) : NULL;

    xmlFree(value);
    return copy;
}

void
xml_text(const xmlNode *node, struct an_buf *ret)
{
    size_t start = 0;

    an_buf_reset(ret);
    for (const xmlNode *child = node ? node->children : NULL; child; child = child->next)
        if ((child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) && child->content)
            an_buf_append(ret, an_bytes_of_str((const char *)child->content));
    while (ret->len && strchr(" \t\r\n", ret->ptr[ret->len - 1]))
        ret->len--;
    while (start < ret->len && strchr(" \t\r\n", ret->ptr[start]))
        start++;
    if (start) {
        memmove(ret->ptr, ret->ptr + start, ret->len - start);
        ret->len -= start;
    }
}

bool
xml_base64(const xmlNode *node, struct an_buf *ret)
{
    struct an_buf text = an_buf_new(AN_LIMIT_XML_BYTES);
    bool ok;

    xml_text(node, &text);
    an_buf_reset(ret);
    ok = node && an_buf_ok(&text) && an_base64_decode(ret, an_buf_view(&text)) && an_buf_ok(ret);
    an_buf_free(&text);
    return ok;
}

bool
xml_within(const xmlNode *node, const xmlNode *top)
{
    while (node && node != top)
        node = node->parent;
    return node != NULL;
}

void
xml_put_bytes(json_t *object, const char *key, an_bytes bytes)
{
    struct an_buf text = an_buf_new(AN_LIMIT_MESSAGE_BYTES);

    an_base64_encode(&text, bytes);
    if (an_buf_ok(&text))
        json_object_set_new(object, key, json_stringn((const char *)(text.ptr ? text.ptr : (const uint8_t *)""),
                                                      text.len));
    an_buf_free(&text);
}

void
xml_add_bytes(json_t *array, an_bytes bytes)
{
    struct an_buf text = an_buf_new(AN_LIMIT_MESSAGE_BYTES);

    an_base64_encode(&text, bytes);
    if (an_buf_ok(&text) && text.ptr)
        json_array_append_new(array, json_stringn((const char *)text.ptr, text.len));
    an_buf_free(&text);
}
