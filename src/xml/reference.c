/*
 * References (XML Signature 1.1, 4.4.3): what they name is found by us (one element per identifier, parts by name, no
 * network), the transforms are xmlsec's, the digest is ours. XSLT is a programming language and is refused.
 */
#include "xml/internal.h"

#include <xmlsec/buffer.h>
#include <xmlsec/nodeset.h>
#include <xmlsec/transforms.h>
#include <xmlsec/xmlsec.h>

#define TRANSFORM_XSLT "http://www.w3.org/TR/1999/REC-xslt-19991116"
#define TRANSFORM_BASE64 "http://www.w3.org/2000/09/xmldsig#base64"
#define TRANSFORM_XPATH "http://www.w3.org/TR/1999/REC-xpath-19991116"
#define TRANSFORM_XPATH2 "http://www.w3.org/2002/06/xmldsig-filter2"
#define TRANSFORM_RELATIONSHIP "http://schemas.openxmlformats.org/package/2006/RelationshipTransform"

static void
refuse(struct xml_target *target, enum an_xml_state state, const char *detail)
{
    target->state = state;
    snprintf(target->detail, sizeof(target->detail), "%.159s", detail);
}

/* ---- which transforms ---- */
struct plan { bool makes_octets; };

static bool
look_at_transforms(const xmlNode *transforms, struct plan *plan, struct xml_target *target)
{
    size_t count = 0;

    for (const xmlNode *node = xml_child(transforms, XML_NS_DSIG, "Transform"); node;
         node = xml_next(node, XML_NS_DSIG, "Transform")) {
        char *uri = xml_attribute(node, "Algorithm");
        bool is_xslt = uri && strcmp(uri, TRANSFORM_XSLT) == 0;

        plan->makes_octets = uri && (xml_is_c14n(uri) || strcmp(uri, TRANSFORM_BASE64) == 0 ||
                                     strcmp(uri, TRANSFORM_RELATIONSHIP) == 0);
        target->filtered =
            target->filtered || (uri && (strcmp(uri, TRANSFORM_XPATH) == 0 || strcmp(uri, TRANSFORM_XPATH2) == 0));
        free(uri);
        if (is_xslt || ++count > AN_LIMIT_XML_TRANSFORMS) {
            refuse(target, AN_XML_REFUSED, is_xslt ? "transform XSLT" : "too many transforms");
            return false;
        }
    }
    return true;
}

static bool
enable_transforms(xmlSecTransformCtxPtr ctx)
{
    const xmlSecTransformId ids[] = {
        xmlSecTransformBase64Id, xmlSecTransformInclC14NId, xmlSecTransformInclC14NWithCommentsId,
        xmlSecTransformInclC14N11Id, xmlSecTransformInclC14N11WithCommentsId, xmlSecTransformExclC14NId,
        xmlSecTransformExclC14NWithCommentsId, xmlSecTransformEnvelopedId, xmlSecTransformXPathId,
        xmlSecTransformXPath2Id, xmlSecTransformXPointerId, xmlSecTransformRelationshipId,
    };

    for (size_t i = 0; i < AN_COUNT(ids); i++)
        if (xmlSecPtrListAdd(&ctx->enabledTransforms, (xmlSecPtr)(uintptr_t)ids[i]) < 0)
            return false;
    return true;
}

/* ---- what the URI names ---- */
enum source { SOURCE_NOTHING, SOURCE_NODES, SOURCE_XPOINTER, SOURCE_PART };
struct origin { enum source source; xmlNode *node; bool whole, comments; an_bytes part; };

static int
hex_value(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Percent-decoding as RFC 3986 has it; "./" in front is dropped. */
static void
decode_uri(const char *uri, struct an_buf *ret)
{
    an_bytes in = an_bytes_of_str(uri);

    if (an_bytes_starts_with(in, AN_LIT("./")))
        in = an_bytes_slice(in, 2, in.len);
    for (size_t i = 0; i < in.len; i++) {
        int high = in.ptr[i] == '%' && i + 2 < in.len ? hex_value(in.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_value(in.ptr[i + 2]) : -1;

        if (low >= 0) {
            an_buf_byte(ret, (uint8_t)(high * 16 + low));
            i += 2;
        } else {
            an_buf_byte(ret, in.ptr[i]);
        }
    }
}

static bool
has_name(const struct an_xml_part *part, const char *uri)
{
    struct an_buf decoded = an_buf_new(8192);
    bool same;

    decode_uri(uri, &decoded);
    same = strcmp(part->name, uri) == 0 || an_bytes_eq_str(an_buf_view(&decoded), part->name);
    an_buf_free(&decoded);
    return same;
}

/* Some writers encode names as forms do: "+" for a space. Only when nothing has the name as it stands. */
static bool
find_form_encoded(const struct xml_input *input, const char *uri, an_bytes *ret)
{
    char *spaced = an_strdup(uri);
    bool found = false;

    for (char *at = strchr(spaced, '+'); at; at = strchr(at, '+'))
        *at = ' ';
    for (size_t i = 1; i < input->count && !found && strcmp(spaced, uri) != 0; i++)
        if ((found = input->parts[i].name[0] && has_name(&input->parts[i], spaced)))
            *ret = input->parts[i].bytes;
    free(spaced);
    return found;
}

/* A part by its name; a nameless part was given for whatever the one reference names. */
static bool
find_part(const struct xml_document *document, const char *uri, an_bytes *ret)
{
    const struct xml_input *input = document->input;

    for (size_t i = 1; uri && i < input->count; i++) {
        if (input->parts[i].name[0] && has_name(&input->parts[i], uri)) {
            *ret = input->parts[i].bytes;
            return true;
        }
    }
    if (uri && find_form_encoded(input, uri, ret))
        return true;
    if (input->count == 2 && (!uri || !input->parts[1].name[0])) {
        *ret = input->parts[1].bytes;
        return true;
    }
    return false;
}

/* "xpointer(id('x'))" with either quote: the identifier, or an empty view. */
static an_bytes
xpointer_id(const char *pointer)
{
    an_bytes text = an_bytes_of_str(pointer), id;
    uint8_t quote;

    if (!an_bytes_starts_with(text, AN_LIT("xpointer(id(")) || text.len < 17)
        return AN_NONE;
    quote = text.ptr[12];
    id = an_bytes_slice(text, 13, text.len - 16);
    if ((quote != '\'' && quote != '"') || text.ptr[text.len - 3] != quote || text.ptr[text.len - 2] != ')' ||
        text.ptr[text.len - 1] != ')' || (id.len && memchr(id.ptr, quote, id.len)))
        return AN_NONE;
    return id;
}

static void
find_fragment(struct xml_document *document, const char *fragment, struct origin *origin, struct xml_target *target)
{
    an_bytes id = xpointer_id(fragment);

    origin->source = SOURCE_NODES;
    if (strcmp(fragment, "xpointer(/)") == 0) {
        origin->whole = origin->comments = true;
        return;
    }
    if (!id.len && strncmp(fragment, "xpointer(", 9) == 0) {
        origin->source = SOURCE_XPOINTER;
        return;
    }
    origin->comments = id.len > 0;
    target->state = xml_find_id(document, id.len ? id : an_bytes_of_str(fragment), &origin->node);
    if (target->state != AN_XML_MATCHES)
        refuse(target, target->state, fragment);
}

static void
find_origin(struct xml_document *document, const char *uri, struct origin *origin, struct xml_target *target)
{
    *origin = (struct origin){0};
    if (uri && uri[0] == '\0') {
        origin->source = SOURCE_NODES;
        origin->whole = true;
        origin->comments = uri[0] == '#';
    } else if (uri && uri[0] == '#') {
        find_fragment(document, uri + 1, origin, target);
    } else {
        target->is_external = true;
        origin->source = SOURCE_PART;
        if (!find_part(document, uri, &origin->part))
            refuse(target, AN_XML_MISSING, uri ? uri : "no URI");
    }
    if (origin->whole)
        target->node = document->root;
    else
        target->node = origin->node;
}

/* A reference stands in the SignedInfo of its signature; elsewhere there is nothing to find. */
static xmlNode *
own_properties(const xmlNode *reference)
{
    const xmlNode *signature = xml_is(reference->parent, XML_NS_DSIG, "SignedInfo") ? reference->parent->parent : NULL;

    return xml_child(xml_find_qualifying(signature), NULL, "SignedProperties");
}

/* ---- the transforms, by xmlsec ---- */
static int
run_transforms(struct xml_document *document, xmlSecTransformCtxPtr ctx, const struct origin *origin,
               const xmlNode *reference,
               struct xml_target *target)
{
    xmlSecNodeSetPtr nodes;
    int done;

    if (origin->source == SOURCE_PART) {
        done = xmlSecTransformCtxBinaryExecute(ctx, (const xmlSecByte *)(origin->part.ptr ? origin->part.ptr
                : (const uint8_t *)""),
                                               (xmlSecSize)origin->part.len);
        if (done == 0 && target->filtered)
            xml_filter_look(ctx, NULL, target);
        return done;
    }
    if (origin->source == SOURCE_XPOINTER)
        return xmlSecTransformCtxExecute(ctx, document->doc);
    nodes = xmlSecNodeSetGetChildren(document->doc, origin->whole ? NULL : origin->node, origin->comments, 0);
    if (!nodes)
        return -1;
    done = xmlSecTransformCtxXmlExecute(ctx, nodes);
    if (done == 0 && target->filtered) /* while the set that the others were made of lives */
        xml_filter_look(ctx, own_properties(reference), target);
    xmlSecNodeSetDestroy(nodes);
    return done;
}

/* A canonicalisation for node-sets that no transform made octets of. */
static bool
append_c14n(xmlSecTransformCtxPtr ctx, const xmlNode *c14n)
{
    union { const xmlNode *is_const; xmlNode *node; } method = {c14n};

    return xmlSecTransformCtxNodeRead(ctx, method.node, xmlSecTransformUsageC14NMethod) != NULL;
}

static bool
execute(struct xml_document *document, xmlNode *reference, const char *uri, const xmlNode *c14n,
        const struct origin *origin, struct xml_target *target, struct an_buf *out)
{
    xmlSecTransformCtxPtr ctx = xmlSecTransformCtxCreate();
    xmlNode *transforms = xml_child(reference, XML_NS_DSIG, "Transforms");
    bool ok = ctx && enable_transforms(ctx);

    if (ctx)
        ctx->enabledUris = xmlSecTransformUriTypeEmpty | xmlSecTransformUriTypeSameDocument;
    if (ok && origin->source == SOURCE_XPOINTER)
        ok = xmlSecTransformCtxSetUri(ctx, (const xmlChar *)uri, reference) == 0;
    if (ok && transforms)
        ok = xmlSecTransformCtxNodesListRead(ctx, transforms, xmlSecTransformUsageDSigTransform) == 0;
    /* Base64 decodes the text of a node-set (6.6.2), not its canonical form. */
    if (ok && origin->source == SOURCE_NODES && xmlSecTransformCheckId(ctx->first, xmlSecTransformBase64Id))
        ok = xmlSecTransformCtxCreateAndPrepend(ctx, xmlSecTransformRemoveXmlTagsC14NId) != NULL;
    if (ok && c14n)
        ok = append_c14n(ctx, c14n);
    if (ok && (ok = run_transforms(document, ctx, origin, reference, target) == 0 && ctx->result != NULL))
        an_buf_append(out, AN_BYTES(xmlSecBufferGetData(ctx->result), xmlSecBufferGetSize(ctx->result)));
    if (ctx)
        xmlSecTransformCtxDestroy(ctx);
    return ok;
}

void
xml_dereference(struct xml_document *document, xmlNode *reference, const xmlNode *c14n, struct xml_target *target,
                struct an_buf *out)
{
    char *uri = xml_attribute(reference, "URI");
    xmlNode *transforms = xml_child(reference, XML_NS_DSIG, "Transforms");
    struct plan plan = {0};
    struct origin origin;
    size_t before = out->len;

    *target = (struct xml_target){0};
    find_origin(document, uri, &origin, target);
    if (target->state == AN_XML_MATCHES && look_at_transforms(transforms, &plan, target)) {
        if (origin.source == SOURCE_PART && !transforms)
            an_buf_append(out, origin.part);
        else if (!execute(document, reference, uri, plan.makes_octets || target->is_external ? NULL : c14n, &origin,
                          target, out))
            refuse(target, AN_XML_REFUSED, "transforms");
        if (!an_buf_ok(out) || !xml_count_work(document, out->len - before + 1000))
            refuse(target, AN_XML_REFUSED, "too much data");
    }
    free(uri);
}

/* ---- what it covers, for people and against wrapping ---- */
static const char *
describe(const struct xml_document *document, const xmlNode *signature, const struct xml_target *target)
{
    const xmlNode *node = target->node;

    if (target->is_external)
        return "external";
    if (!node)
        return "nodes";
    if (node == document->root && node != signature)
        return "document";
    if (xml_is(node, NULL, "SignedProperties"))
        return "signed-properties";
    if (xml_is(node, XML_NS_DSIG, "SignatureValue"))
        return "signature-value";
    if (xml_is(node, XML_NS_DSIG, "KeyInfo"))
        return "key-info";
    if (xml_is(node, XML_NS_DSIG, "Manifest"))
        return "manifest";
    return xml_within(node, signature) ? "object" : "element";
}

static void
check_digest(const xmlNode *reference, const struct an_buf *octets, enum an_digest *ret_digest,
             struct xml_target *target)
{
    char *uri = xml_attribute(xml_child(reference, XML_NS_DSIG, "DigestMethod"), "Algorithm");
    struct an_buf expected = an_buf_new(1024);
    uint8_t digest[AN_DIGEST_MAX];

    *ret_digest = xml_digest(uri);
    if (!xml_base64(xml_child(reference, XML_NS_DSIG, "DigestValue"), &expected)) {
        refuse(target, AN_XML_MALFORMED, "DigestValue");
    } else if (*ret_digest == AN_DIGEST_NONE) {
        refuse(target, AN_XML_REFUSED, uri ? uri : "DigestMethod");
    } else if (target->state == AN_XML_MATCHES) {
        an_hash_once(*ret_digest, an_buf_view(octets), digest);
        if (!an_bytes_eq(AN_BYTES(digest, an_digest_size(*ret_digest)), an_buf_view(&expected)))
            target->state = AN_XML_DIFFERS;
    }
    an_buf_free(&expected);
    free(uri);
}

/* Properties are taken by their identifier, or (before XAdES 1.2.2, and in Austria still) as part of an object or out
 * of it by XPath: then the reference says so by its type. */
static const char *
settle(const xmlNode *reference, const char *type, const char *covers, struct xml_target *target)
{
    const char *hash = type ? strrchr(type, '#') : NULL;
    xmlNode *properties = hash && strcmp(hash, "#SignedProperties") == 0 ? own_properties(reference) : NULL;

    if (!target->is_external && xml_is(target->node, NULL, "SignedProperties"))
        return target->filtered && target->omits ? "nodes" : covers;
    if (!properties || !target->node || !xml_within(properties, target->node) ||
        (target->filtered && !target->has_properties))
        return covers;
    target->node = properties;
    target->omits = false;
    return "signed-properties";
}

json_t *
xml_reference_check(struct xml_document *document, xmlNode *signature, xmlNode *reference, bool in_manifest,
                    struct xml_target *target)
{
    struct an_buf octets = an_buf_new(AN_LIMIT_XML_PARTS);
    char *uri = xml_attribute(reference, "URI"), *type = xml_attribute(reference, "Type");
    enum an_digest digest;
    json_t *json;

    xml_dereference(document, reference, NULL, target, &octets);
    target->covers = settle(reference, type, describe(document, signature, target), target);
    check_digest(reference, &octets, &digest, target);
    json = json_pack("{s:s, s:b, s:s, s:s, s:s, s:i, s:i, s:b, s:b}", "uri", uri ? uri : "", "has_uri", uri != NULL,
                     "type", type ? type : "", "detail", target->detail, "covers", target->covers, "state",
                     (int)target->state, "digest", (int)digest, "manifest", in_manifest, "filtered", target->filtered);
    an_buf_free(&octets);
    free(uri);
    free(type);
    return json;
}
