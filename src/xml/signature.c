/* One ds:Signature: canonical SignedInfo, value, key, references, what they cover. */
#include "xml/internal.h"

#include "asn1/der.h"

#include <strings.h>

#define TYPE_COUNTERSIGNED "http://uri.etsi.org/01903#CountersignedSignature"

/* (EC)DSA values are r and s side by side (XML Signature 6.4.1, 6.4.3); everywhere else they are DER. */
static void
put_value(json_t *out, enum an_sig_kind kind, an_bytes value)
{
    struct an_buf der = an_buf_new(4096);
    struct an_der_out writer = AN_DER_OUT(&der);

    if ((kind == AN_SIG_ECDSA || kind == AN_SIG_DSA) && value.len && value.len % 2 == 0 && value.len <= 512) {
        an_der_open(&writer, AN_DER_SEQUENCE);
        an_der_put_unsigned(&writer, an_bytes_slice(value, 0, value.len / 2));
        an_der_put_unsigned(&writer, an_bytes_slice(value, value.len / 2, value.len / 2));
        an_der_close(&writer);
        value = an_buf_view(&der);
    }
    xml_put_bytes(out, "value", value);
    an_buf_free(&der);
}

static void
problem(struct xml_signature *signature, const char *text)
{
    if (!json_object_get(signature->json, "problem"))
        json_object_set_new(signature->json, "problem", json_string(text));
}

static void
read_method(struct xml_signature *signature)
{
    const xmlNode *node = xml_child(signature->signed_info, XML_NS_DSIG, "SignatureMethod");
    const xmlNode *length = xml_child(node, XML_NS_DSIG, "HMACOutputLength");
    char *uri = xml_attribute(node, "Algorithm");
    struct an_buf value = an_buf_new(AN_LIMIT_CERT_BYTES), text = an_buf_new(16);
    struct xml_method method;
    long bits = 0;

    xml_signature_method(node, &method);
    if (length) {
        xml_text(length, &text);
        an_buf_byte(&text, 0);
        bits = an_buf_ok(&text) ? strtol((const char *)text.ptr, NULL, 10) : -1;
        bits = bits < 1 || bits > 512 ? -1 : bits;
    }
    json_object_set_new(signature->json, "method", json_string(uri ? uri : ""));
    json_object_update_new(signature->json, json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "kind", (int)method.scheme.kind,
                                                      "digest", (int)method.scheme.digest, "mgf",
                                                      (int)method.scheme.mgf_digest, "salt", method.scheme.salt_len,
                                                      "hmac", (int)method.hmac, "hmac_bits", (int)bits));
    if (xml_base64(signature->value, &value) && value.len)
        put_value(signature->json, method.scheme.kind, an_buf_view(&value));
    else
        problem(signature, "SignatureValue");
    free(uri);
    an_buf_free(&text);
    an_buf_free(&value);
}

static void
canonicalize_info(struct xml_signature *signature)
{
    const xmlNode *method = xml_child(signature->signed_info, XML_NS_DSIG, "CanonicalizationMethod");
    struct an_buf out = an_buf_new(AN_LIMIT_XML_SIGNED_INFO);

    if (method && xml_canonicalize(signature->document, signature->signed_info, method, &out))
        xml_put_bytes(signature->json, "signed_info", an_buf_view(&out));
    else
        problem(signature, "CanonicalizationMethod");
    an_buf_free(&out);
}

/* ---- coverage ---- */
struct coverage { xmlNode *nodes[AN_LIMIT_XML_REFERENCES]; size_t count; bool whole, external, some; };

static bool
is_covered(const struct coverage *coverage, const xmlNode *node)
{
    for (size_t i = 0; i < coverage->count; i++)
        if (coverage->nodes[i] == node)
            return true;
    return false;
}

static bool
holds_covered(const struct coverage *coverage, const xmlNode *top)
{
    for (size_t i = 0; i < coverage->count; i++)
        if (xml_within(coverage->nodes[i], top))
            return true;
    for (const xmlNode *node = top; node; node = xml_descend(top, node))
        if (xml_is(node, XML_NS_DSIG, "Signature"))
            return true;
    return false;
}

static bool
is_blank(const xmlNode *node)
{
    return node->type == XML_COMMENT_NODE || node->type == XML_PI_NODE || node->type == XML_DTD_NODE ||
           (node->type == XML_TEXT_NODE && xmlIsBlankNode(node));
}

/* Attributes of an element that is not covered itself; identifiers and where the schema lies say nothing. */
static bool
has_attributes(const xmlNode *element)
{
    for (const xmlAttr *at = element->properties; at; at = at->next)
        if (strcasecmp((const char *)at->name, "id") != 0 &&
            (!at->ns || strcmp((const char *)at->ns->href, "http://www.w3.org/2001/XMLSchema-instance") != 0))
            return true;
    return false;
}

/* Is every element, attribute and text that people read covered, or part of a signature? */
static bool
covers_all(const struct coverage *coverage, const xmlNode *top, size_t depth)
{
    if (is_covered(coverage, top) || xml_is(top, XML_NS_DSIG, "Signature"))
        return true;
    if (depth > 16 || has_attributes(top) || !holds_covered(coverage, top))
        return false;
    for (const xmlNode *node = top->children; node; node = node->next)
        if (!is_blank(node) && (node->type != XML_ELEMENT_NODE || !covers_all(coverage, node, depth + 1)))
            return false;
    return true;
}

static bool
belongs_to_signature(const xmlNode *node)
{
    static const char *const names[] = {"KeyInfo", "X509Data", "Manifest", "SignatureProperties"};

    for (size_t i = 0; i < AN_COUNT(names); i++)
        if (xml_is(node, XML_NS_DSIG, names[i]))
            return true;
    return xml_is(node, NULL, NULL); /* XAdES */
}

/* What stands in the objects of the signature itself: properties, keys and manifests, or something that it covers.
 * Anything else is content that came from anyone. */
static bool
covers_objects(const struct xml_signature *signature, const struct coverage *coverage)
{
    for (const xmlNode *object = xml_child(signature->node, XML_NS_DSIG, "Object"); object;
         object = xml_next(object, XML_NS_DSIG, "Object")) {
        if (is_covered(coverage, object))
            continue;
        for (const xmlNode *node = object->children; node; node = node->next)
            if (!is_blank(node) && !belongs_to_signature(node) &&
                (node->type != XML_ELEMENT_NODE || !covers_all(coverage, node, 0)))
                return false;
    }
    return true;
}

static const char *
coverage_name(const struct xml_signature *signature, const struct coverage *coverage)
{
    if (!coverage->count && !coverage->whole && !coverage->external)
        return coverage->some ? "part" : "none";
    if ((coverage->whole || covers_all(coverage, signature->document->root, 0)) && covers_objects(signature, coverage))
        return "whole-file";
    return "part";
}

static void
note_target(struct coverage *coverage, const struct xml_signature *signature, const struct xml_target *target)
{
    if (target->state != AN_XML_MATCHES)
        return;
    coverage->some = coverage->some || target->omits;
    coverage->external = coverage->external || (target->is_external && !target->omits);
    if (!target->node || target->omits)
        return;
    coverage->whole = coverage->whole || (target->node == signature->document->root && target->node != signature->node);
    if (strcmp(target->covers, "signed-properties") != 0 && strcmp(target->covers, "key-info") != 0 &&
        coverage->count < AN_LIMIT_XML_REFERENCES)
        coverage->nodes[coverage->count++] = target->node;
}

/* ---- references ---- */
static void
read_manifest(struct xml_signature *signature, const xmlNode *manifest, json_t *list, struct coverage *coverage)
{
    struct xml_target target;

    for (xmlNode *node = xml_child(manifest, XML_NS_DSIG, "Reference");
         node && json_array_size(list) < AN_LIMIT_XML_REFERENCES; node = xml_next(node, XML_NS_DSIG, "Reference")) {
        json_array_append_new(list, xml_reference_check(signature->document, signature->node, node, true, &target));
        note_target(coverage, signature, &target);
    }
}

/* Properties count only when they are the ones of this signature and a reference covers them. */
static void
note_properties(struct xml_signature *signature, xmlNode *node)
{
    xmlNode *qualifying = node->parent;

    if (!xml_is(qualifying, NULL, "QualifyingProperties") || !xml_within(node, signature->node) ||
        !xml_is(qualifying->parent, XML_NS_DSIG, "Object") ||
        qualifying->parent->parent != signature->node) {
        problem(signature, "SignedProperties stand outside their signature");
        json_object_set_new(signature->json, "moved", json_true());
    } else if (signature->signed_properties && signature->signed_properties != node) {
        problem(signature, "two SignedProperties");
    } else {
        signature->signed_properties = node;
    }
}

static void
read_references(struct xml_signature *signature, struct coverage *coverage)
{
    json_t *list = json_array();
    size_t count = 0;

    json_object_set_new(signature->json, "references", list);
    for (xmlNode *node = xml_child(signature->signed_info, XML_NS_DSIG, "Reference"); node;
         node = xml_next(node, XML_NS_DSIG, "Reference")) {
        struct xml_target target;

        if (++count > AN_LIMIT_XML_REFERENCES) {
            problem(signature, "too many references");
            return;
        }
        json_array_append_new(list, xml_reference_check(signature->document, signature->node, node, false, &target));
        note_target(coverage, signature, &target);
        if (target.state != AN_XML_MATCHES || !target.node)
            continue;
        if (strcmp(target.covers, "signed-properties") == 0)
            note_properties(signature, target.node);
        if (strcmp(target.covers, "manifest") == 0)
            read_manifest(signature, target.node, list, coverage);
    }
}

/* A counter-signature signs the value of the signature that it stands in (XAdES 5.2.7.2). */
static void
read_parent(struct xml_signature *signature, const struct coverage *coverage)
{
    xmlNode *above = signature->node->parent, *parent;
    bool is_counter = xml_is(above, NULL, "CounterSignature"), found = false;
    char *id;

    json_object_set_new(signature->json, "counter", json_boolean(is_counter));
    for (parent = above; parent && !xml_is(parent, XML_NS_DSIG, "Signature"); parent = parent->parent)
        ;
    if (!is_counter || !parent)
        return;
    id = xml_attribute(parent, "Id");
    json_object_set_new(signature->json, "parent", json_string(id ? id : ""));
    free(id);
    for (size_t i = 0; i < coverage->count; i++)
        found = found || coverage->nodes[i] == xml_child(parent, XML_NS_DSIG, "SignatureValue");
    if (!found)
        problem(signature, "the counter-signature does not sign the value of the signature around it");
}

static bool
has_two(const xmlNode *parent, const char *name)
{
    const xmlNode *first = xml_child(parent, XML_NS_DSIG, name);

    return first && xml_next(first, XML_NS_DSIG, name);
}

json_t *
xml_read_signature(struct xml_document *document, xmlNode *node)
{
    struct xml_signature signature = {.document = document, .node = node, .json = json_object()};
    struct coverage *coverage = AN_NEW(struct coverage);
    char *id = xml_attribute(node, "Id");

    signature.signed_info = xml_child(node, XML_NS_DSIG, "SignedInfo");
    signature.value = xml_child(node, XML_NS_DSIG, "SignatureValue");
    signature.key_info = xml_child(node, XML_NS_DSIG, "KeyInfo");
    if (!signature.signed_info || !signature.value || has_two(node, "SignedInfo") || has_two(node, "SignatureValue") ||
        has_two(node, "KeyInfo"))
        problem(&signature, "SignedInfo, SignatureValue or KeyInfo");
    json_object_set_new(signature.json, "id", json_string(id ? id : ""));
    if (signature.signed_info)
        canonicalize_info(&signature);
    read_method(&signature);
    xml_read_key(document, signature.key_info, signature.json);
    read_references(&signature, coverage);
    json_object_set_new(signature.json, "coverage", json_string(coverage_name(&signature, coverage)));
    read_parent(&signature, coverage);
    xml_read_xades(&signature);
    xml_read_stamps(&signature);
    xml_read_seals(&signature);
    free(coverage);
    free(id);
    return signature.json;
}
