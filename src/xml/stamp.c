/*
 * Time-stamps in XAdES: the token, and the digests of what it covers (EN 319 132-1: 5.2.8, 5.3, 5.5.2, 5.6.1; TS 101
 * 903
 * 7.2.9, 7.5, 7.7). The algorithm stands in the token, which is not read here: every usual one is computed.
 */
#include "xml/internal.h"

static const enum an_digest stamp_digests[] = {AN_SHA1,     AN_SHA224,   AN_SHA256,  AN_SHA384,
                                               AN_SHA512,   AN_SHA3_256, AN_SHA3_384, AN_SHA3_512};

struct stamp {
    struct xml_signature *signature;
    xmlNode *node;
    const xmlNode *c14n;
    struct an_buf data;
    bool ok;
};

static void
add_subtree(struct stamp *stamp, xmlNode *node)
{
    if (node && stamp->ok)
        stamp->ok = xml_canonicalize(stamp->signature->document, node, stamp->c14n, &stamp->data);
}

static void
add_reference(struct stamp *stamp, xmlNode *reference)
{
    struct xml_target target;

    if (!stamp->ok)
        return;
    xml_dereference(stamp->signature->document, reference, stamp->c14n, &target, &stamp->data);
    stamp->ok = target.state == AN_XML_MATCHES;
}

static bool
covers_properties(const struct stamp *stamp, const xmlNode *reference)
{
    char *uri = xml_attribute(reference, "URI");
    xmlNode *node = NULL;
    bool is = uri && uri[0] == '#' && xml_find_id(stamp->signature->document, an_bytes_of_str(uri + 1),
                                                  &node) == AN_XML_MATCHES &&
              xml_is(node, NULL, "SignedProperties");

    free(uri);
    return is;
}

/* ---- what each kind covers ---- */
static void
cover_value(struct stamp *stamp)
{
    add_subtree(stamp, stamp->signature->value);
}

static void
cover_data(struct stamp *stamp)
{
    for (xmlNode *node = xml_child(stamp->signature->signed_info, XML_NS_DSIG, "Reference"); node;
         node = xml_next(node, XML_NS_DSIG, "Reference"))
        if (!covers_properties(stamp, node))
            add_reference(stamp, node);
}

/* xades:Include names ds:Reference elements by their Id; referencedData: what they name, else the element itself. */
static void
cover_included(struct stamp *stamp)
{
    for (xmlNode *node = xml_child(stamp->node, NULL, "Include"); node; node = xml_next(node, NULL, "Include")) {
        char *uri = xml_attribute(node, "URI"), *data = xml_attribute(node, "referencedData");
        xmlNode *found = NULL;

        stamp->ok = stamp->ok && uri && uri[0] == '#' &&
                    xml_find_id(stamp->signature->document, an_bytes_of_str(uri + 1), &found) == AN_XML_MATCHES;
        if (stamp->ok && xml_is(found, XML_NS_DSIG, "Reference") && data && strcmp(data, "true") == 0)
            add_reference(stamp, found);
        else if (stamp->ok)
            add_subtree(stamp, found);
        free(uri);
        free(data);
    }
}

static xmlNode *
properties_of(const struct stamp *stamp)
{
    return stamp->node->parent;
}

static void
cover_named(struct stamp *stamp, const char *const *names, size_t count)
{
    for (xmlNode *node = properties_of(stamp)->children; node && node != stamp->node; node = node->next)
        for (size_t i = 0; i < count; i++)
            if (xml_is(node, NULL, names[i]))
                add_subtree(stamp, node);
}

static const char *const refs_names[] = {"CompleteCertificateRefs", "CompleteCertificateRefsV2",
                                         "CompleteRevocationRefs",
                                         "AttributeCertificateRefs", "AttributeCertificateRefsV2",
                                         "AttributeRevocationRefs"};

static void
cover_signature_and_refs(struct stamp *stamp)
{
    static const char *const names[] = {"SignatureTimeStamp", "CompleteCertificateRefs", "CompleteCertificateRefsV2",
                                        "CompleteRevocationRefs", "AttributeCertificateRefs",
                                        "AttributeCertificateRefsV2", "AttributeRevocationRefs"};

    add_subtree(stamp, stamp->signature->value);
    cover_named(stamp, names, AN_COUNT(names));
}

static void
cover_refs(struct stamp *stamp)
{
    cover_named(stamp, refs_names, AN_COUNT(refs_names));
}

static bool
is_referenced(const struct stamp *stamp, const xmlNode *object)
{
    char *id = xml_attribute(object, "Id");
    bool found = false;

    for (xmlNode *node = xml_child(stamp->signature->signed_info, XML_NS_DSIG, "Reference"); node && id && !found;
         node = xml_next(node, XML_NS_DSIG, "Reference")) {
        char *uri = xml_attribute(node, "URI");

        found = uri && uri[0] == '#' && strcmp(uri + 1, id) == 0;
        free(uri);
    }
    free(id);
    return found;
}

/* Everything of the signature that stands before the time-stamp, in the order of the standard. Version 1.3.2 leaves out
 * objects that a reference names (7.7.1); 1.4.1 takes them all (8.2.1). */
static void
cover_archive(struct stamp *stamp)
{
    struct xml_signature *signature = stamp->signature;
    bool takes_all = strcmp((const char *)stamp->node->ns->href, "http://uri.etsi.org/01903/v1.4.1#") == 0;

    for (xmlNode *node = xml_child(signature->signed_info, XML_NS_DSIG, "Reference"); node;
         node = xml_next(node, XML_NS_DSIG, "Reference"))
        add_reference(stamp, node);
    add_subtree(stamp, signature->signed_info);
    add_subtree(stamp, signature->value);
    add_subtree(stamp, signature->key_info);
    for (xmlNode *node = properties_of(stamp)->children; node && node != stamp->node; node = node->next)
        if (node->type == XML_ELEMENT_NODE)
            add_subtree(stamp, node);
    for (xmlNode *object = xml_child(signature->node, XML_NS_DSIG, "Object"); object;
         object = xml_next(object, XML_NS_DSIG, "Object"))
        if (!xml_within(stamp->node, object) && (takes_all || !is_referenced(stamp, object)))
            add_subtree(stamp, object);
}

static const struct { const char *name; enum an_xml_stamp_kind kind; void (*cover)(struct stamp *stamp); } kinds[] = {
    {"SignatureTimeStamp", AN_XML_STAMP_SIGNATURE, cover_value},
    {"AllDataObjectsTimeStamp", AN_XML_STAMP_CONTENT, cover_data},
    {"IndividualDataObjectsTimeStamp", AN_XML_STAMP_CONTENT, cover_included},
    {"SigAndRefsTimeStamp", AN_XML_STAMP_REFS, cover_signature_and_refs},
    {"SigAndRefsTimeStampV2", AN_XML_STAMP_REFS, cover_signature_and_refs},
    {"RefsOnlyTimeStamp", AN_XML_STAMP_REFS_ONLY, cover_refs},
    {"RefsOnlyTimeStampV2", AN_XML_STAMP_REFS_ONLY, cover_refs},
    {"ArchiveTimeStamp", AN_XML_STAMP_ARCHIVE, cover_archive},
};

static json_t *
digests_of(struct stamp *stamp)
{
    json_t *list = json_array();
    uint8_t digest[AN_DIGEST_MAX];

    for (size_t i = 0; i < AN_COUNT(stamp_digests) && stamp->ok && an_buf_ok(&stamp->data); i++) {
        json_t *row = json_pack("{s:i}", "digest", (int)stamp_digests[i]);

        an_hash_once(stamp_digests[i], an_buf_view(&stamp->data), digest);
        xml_put_bytes(row, "value", AN_BYTES(digest, an_digest_size(stamp_digests[i])));
        json_array_append_new(list, row);
    }
    return list;
}

/* One property may hold several tokens over the same data. */
static void
add_tokens(struct xml_signature *signature, const xmlNode *property, enum an_xml_stamp_kind kind, json_t *digests)
{
    json_t *list = json_object_get(signature->json, "stamps");
    struct an_buf token = an_buf_new(AN_LIMIT_TSP_BYTES * 16);

    for (const xmlNode *node = xml_child(property, NULL, "EncapsulatedTimeStamp");
         node && json_array_size(list) < AN_LIMIT_VERIFY_STAMPS; node = xml_next(node, NULL, "EncapsulatedTimeStamp")) {
        json_t *row = json_pack("{s:i, s:O}", "kind", (int)kind, "digests", digests);

        if (!xml_base64(node, &token))
            an_buf_reset(&token);
        xml_put_bytes(row, "token", an_buf_view(&token));
        json_array_append_new(list, row);
    }
    json_decref(digests);
    an_buf_free(&token);
}

static void
read_property(struct xml_signature *signature, xmlNode *node)
{
    for (size_t i = 0; i < AN_COUNT(kinds); i++) {
        struct stamp stamp = {.signature = signature, .node = node, .ok = true, .data = an_buf_new(AN_LIMIT_XML_PARTS),
                              .c14n = xml_child(node, XML_NS_DSIG, "CanonicalizationMethod")};

        if (!xml_is(node, NULL, kinds[i].name))
            continue;
        kinds[i].cover(&stamp);
        add_tokens(signature, node, kinds[i].kind, digests_of(&stamp));
        an_buf_free(&stamp.data);
    }
}

void
xml_read_stamps(struct xml_signature *signature)
{
    xmlNode *data = xml_child(signature->signed_properties, NULL, "SignedDataObjectProperties");
    xmlNode *after = xml_child(signature->qualifying, NULL, "UnsignedProperties");
    size_t count = 0;

    after = xml_child(after, NULL, "UnsignedSignatureProperties");
    json_object_set_new(signature->json, "stamps", json_array());
    if (!signature->value || !signature->signed_info)
        return;
    for (xmlNode *node = data ? data->children : NULL; node && count < 4096; node = node->next, count++)
        read_property(signature, node);
    for (xmlNode *node = after ? after->children : NULL; node && count < 4096; node = node->next, count++)
        read_property(signature, node);
}
