/*
 * What XPath transforms leave of the thing that a reference names. A signer may choose anything; the verdict must say
 * when something that people read was left out, and whose SignedProperties were really taken.
 */
#include "xml/internal.h"

#include <xmlsec/nodeset.h>
#include <xmlsec/transforms.h>
#include <xmlsec/xmlsec.h>

/* The node-set behind the last transform that made one. */
static xmlSecNodeSetPtr
last_nodes(const xmlSecTransformCtx *ctx)
{
    xmlSecNodeSetPtr nodes = NULL;

    for (const xmlSecTransform *transform = ctx->first; transform; transform = transform->next)
        if (transform->outNodes)
            nodes = transform->outNodes;
    return nodes;
}

static bool
holds(xmlSecNodeSetPtr nodes, const xmlNode *node, const xmlNode *parent)
{
    union { const xmlNode *is_const; xmlNode *node; } here = {node}, above = {parent};

    return xmlSecNodeSetContains(nodes, here.node, above.node) == 1;
}

static bool
holds_attributes(xmlSecNodeSetPtr nodes, const xmlNode *element)
{
    for (const xmlAttr *at = element->properties; at; at = at->next)
        if (!holds(nodes, (const xmlNode *)(const void *)at, element))
            return false;
    return true;
}

static bool
is_read(const xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE || node->type == XML_CDATA_SECTION_NODE ||
           (node->type == XML_TEXT_NODE && !xmlIsBlankNode(node));
}

static bool
is_in_signature(const xmlNode *node, const xmlNode *top)
{
    for (; node && node != top; node = node->parent)
        if (xml_is(node, XML_NS_DSIG, "Signature"))
            return true;
    return false;
}

/* Everything below top that is read, signatures inside it aside. */
static bool
keeps_all(xmlSecNodeSetPtr nodes, const xmlNode *top)
{
    for (const xmlNode *node = xml_descend(top, top); node; node = xml_descend(top, node)) {
        if (!is_read(node) || is_in_signature(node, top))
            continue;
        if (!holds(nodes, node, node->parent) || (node->type == XML_ELEMENT_NODE && !holds_attributes(nodes, node)))
            return false;
    }
    return true;
}

void
xml_filter_look(const xmlSecTransformCtx *ctx, const xmlNode *properties, struct xml_target *target)
{
    xmlSecNodeSetPtr nodes = last_nodes(ctx);
    const xmlNode *top = target->node;

    if (nodes && target->is_external)
        top = xmlDocGetRootElement(nodes->doc);
    target->omits = !nodes || !top || !keeps_all(nodes, top);
    target->has_properties = nodes && properties && holds(nodes, properties, properties->parent) &&
                             holds_attributes(nodes, properties) && keeps_all(nodes, properties);
}
