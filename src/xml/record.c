/*
 * Evidence records in XML (RFC 6283): hash trees and tokens as they stand, and the digests that need canonical forms:
 * of a time-stamp, which the next one covers; of the chains before, which a new chain covers; of the data objects. Also
 * what a record inside a signature seals (TS 119 132-3, 5.2). Nothing is compared here.
 */
#include "xml/internal.h"

#define CHAINS_MAX 64
#define GROUPS_MAX 256 /* levels of one hash tree: 2^256 objects */

/* ---- order: children are told apart by an attribute, not by where they stand ---- */
struct ordered { xmlNode *node; long order; };
struct row { struct ordered items[GROUPS_MAX]; size_t count; };

static int
compare_order(const void *a, const void *b)
{
    const struct ordered *left = a, *right = b;

    return left->order < right->order ? -1 : left->order > right->order;
}

static void
collect_ordered(const xmlNode *parent, const char *name, size_t max, struct row *ret)
{
    ret->count = 0;
    for (xmlNode *node = xml_child(parent, XML_NS_ERS, name); node && ret->count < max;
         node = xml_next(node, XML_NS_ERS, name)) {
        char *order = xml_attribute(node, "Order");

        ret->items[ret->count++] = (struct ordered){node, order ? strtol(order, NULL, 10) : 0};
        free(order);
    }
    qsort(ret->items, ret->count, sizeof(*ret->items), compare_order);
}

static void
put_digest(json_t *object, const char *key, enum an_digest digest, const struct an_buf *data, bool ok)
{
    uint8_t value[AN_DIGEST_MAX];

    if (!ok || digest == AN_DIGEST_NONE || !an_buf_ok(data))
        return;
    an_hash_once(digest, an_buf_view(data), value);
    xml_put_bytes(object, key, AN_BYTES(value, an_digest_size(digest)));
}

/* ---- one ArchiveTimeStamp ---- */
static json_t *
read_tree(const xmlNode *stamp)
{
    struct row *groups = AN_NEW(struct row);
    struct an_buf value = an_buf_new(1024);
    json_t *list = json_array();

    collect_ordered(xml_child(stamp, XML_NS_ERS, "HashTree"), "Sequence", GROUPS_MAX, groups);
    for (size_t i = 0; i < groups->count; i++) {
        json_t *group = json_array();

        for (const xmlNode *node = xml_child(groups->items[i].node, XML_NS_ERS, "DigestValue");
             node && json_array_size(group) < GROUPS_MAX; node = xml_next(node, XML_NS_ERS, "DigestValue"))
            if (xml_base64(node, &value))
                xml_add_bytes(group, an_buf_view(&value));
        json_array_append_new(list, group);
    }
    an_buf_free(&value);
    free(groups);
    return list;
}

static json_t *
read_stamp(struct xml_document *document, xmlNode *stamp, const xmlNode *c14n, enum an_digest digest)
{
    xmlNode *holder = xml_child(stamp, XML_NS_ERS, "TimeStamp");
    struct an_buf token = an_buf_new(AN_LIMIT_TSP_BYTES * 16), canonical = an_buf_new(AN_LIMIT_XML_BYTES);
    json_t *row = json_pack("{s:o}", "groups", read_tree(stamp));

    if (xml_base64(xml_child(holder, XML_NS_ERS, "TimeStampToken"), &token))
        xml_put_bytes(row, "token", an_buf_view(&token));
    put_digest(row, "self", digest, &canonical, holder && xml_canonicalize(document, holder, c14n, &canonical));
    an_buf_free(&token);
    an_buf_free(&canonical);
    return row;
}

/* ---- one chain ---- */
/* An XML object counts in its canonical form; of others the caller has the digest. */
static json_t *
digest_objects(const struct xml_document *document, const xmlNode *c14n, enum an_digest digest)
{
    json_t *list = json_array();

    for (size_t i = 1; i < document->input->count; i++) {
        struct xml_input part = {&document->input->parts[i], 1};
        struct an_buf canonical = an_buf_new(AN_LIMIT_XML_BYTES);
        struct xml_document object;
        json_t *row = json_object();

        if (xml_open(&part, &object, NULL) == AN_OK) {
            put_digest(row, "value", digest, &canonical, xml_canonicalize(&object, (xmlNode *)object.doc, c14n,
                    &canonical));
            xml_close(&object);
        }
        json_array_append_new(list, row);
        an_buf_free(&canonical);
    }
    return list;
}

/* The sequence as it stood before chain `at` was added. */
static void
put_before(struct xml_document *document, const struct row *chains, size_t at, const xmlNode *c14n,
           enum an_digest digest, json_t *row)
{
    struct an_buf canonical = an_buf_new(AN_LIMIT_XML_BYTES);
    xmlNode *hidden[CHAINS_MAX];
    size_t count = 0;

    for (size_t i = at; i < chains->count; i++)
        hidden[count++] = chains->items[i].node;
    put_digest(row, "before", digest, &canonical,
               xml_canonicalize_without(document, chains->items[at].node->parent, hidden, count, c14n, &canonical));
    an_buf_free(&canonical);
}

static json_t *
read_chain(struct xml_document *document, const struct row *chains, size_t at)
{
    xmlNode *node = chains->items[at].node;
    const xmlNode *c14n = xml_child(node, XML_NS_ERS, "CanonicalizationMethod");
    char *method = xml_attribute(xml_child(node, XML_NS_ERS, "DigestMethod"), "Algorithm");
    enum an_digest digest = method ? xml_digest(method) : AN_DIGEST_NONE;
    struct row *stamps = AN_NEW(struct row);
    json_t *list = json_array(), *row = json_pack("{s:i, s:o}", "digest", (int)digest, "stamps", list);

    collect_ordered(node, "ArchiveTimeStamp", AN_LIMIT_VERIFY_STAMPS, stamps);
    for (size_t i = 0; i < stamps->count; i++)
        json_array_append_new(list, read_stamp(document, stamps->items[i].node, c14n, digest));
    if (at > 0)
        put_before(document, chains, at, c14n, digest, row);
    if (document->root == node->parent->parent) /* a file of its own: the other parts are its data */
        json_object_set_new(row, "objects", digest_objects(document, c14n, digest));
    free(stamps);
    free(method);
    return row;
}

json_t *
xml_read_record(struct xml_document *document, xmlNode *record)
{
    struct row *chains = AN_NEW(struct row);
    json_t *list = json_array();

    collect_ordered(xml_child(record, XML_NS_ERS, "ArchiveTimeStampSequence"), "ArchiveTimeStampChain", CHAINS_MAX,
                    chains);
    for (size_t i = 0; i < chains->count; i++)
        json_array_append_new(list, read_chain(document, chains, i));
    free(chains);
    return json_pack("{s:o}", "chains", list);
}

an_code
xml_answer_record(const struct xml_input *input, json_t **ret, struct an_err *reterr)
{
    struct xml_document document;

    AN_TRY(xml_open(input, &document, reterr));
    if (!xml_is(document.root, XML_NS_ERS, "EvidenceRecord")) {
        xml_close(&document);
        AN_FAIL(reterr, AN_E_XML_PARSE, "not EvidenceRecord");
    }
    *ret = xml_read_record(&document, document.root);
    xml_close(&document);
    return AN_OK;
}

/* ---- what a record inside a signature seals: a group of objects, each with its own digest ---- */
static const enum an_digest seal_digests[] = {AN_SHA1, AN_SHA224, AN_SHA256, AN_SHA384, AN_SHA512};
struct seal {
    struct xml_signature *signature;
    const xmlNode *c14n;
    struct an_buf hashes[AN_COUNT(seal_digests)]; /* one after the other */
    bool ok;
};

static void
add_data(struct seal *seal, const struct an_buf *data)
{
    uint8_t value[AN_DIGEST_MAX];

    seal->ok = seal->ok && an_buf_ok(data);
    for (size_t i = 0; i < AN_COUNT(seal_digests) && seal->ok; i++) {
        an_hash_once(seal_digests[i], an_buf_view(data), value);
        an_buf_append(&seal->hashes[i], AN_BYTES(value, an_digest_size(seal_digests[i])));
    }
}

static void
add_element(struct seal *seal, xmlNode *node)
{
    struct an_buf data = an_buf_new(AN_LIMIT_XML_PARTS);

    if (node && seal->ok) {
        seal->ok = xml_canonicalize(seal->signature->document, node, seal->c14n, &data);
        add_data(seal, &data);
    }
    an_buf_free(&data);
}

static void
add_references(struct seal *seal, const xmlNode *parent, bool only_manifests)
{
    for (xmlNode *node = xml_child(parent, XML_NS_DSIG, "Reference"); node && seal->ok;
         node = xml_next(node, XML_NS_DSIG, "Reference")) {
        struct an_buf data = an_buf_new(AN_LIMIT_XML_PARTS);
        struct xml_target target;

        xml_dereference(seal->signature->document, node, seal->c14n, &target, &data);
        seal->ok = target.state == AN_XML_MATCHES;
        if (!only_manifests)
            add_data(seal, &data);
        else if (target.node && xml_is(target.node, XML_NS_DSIG, "Manifest"))
            add_references(seal, target.node, false);
        an_buf_free(&data);
    }
}

static bool
holds_properties(const xmlNode *object)
{
    return xml_child(object, NULL, "QualifyingProperties") != NULL;
}

static void
add_all(struct seal *seal, const xmlNode *property)
{
    struct xml_signature *signature = seal->signature;

    add_references(seal, signature->signed_info, false);
    add_element(seal, signature->signed_info);
    add_element(seal, signature->value);
    add_element(seal, signature->key_info);
    for (xmlNode *node = property->parent->children; node && node != property; node = node->next)
        if (node->type == XML_ELEMENT_NODE)
            add_element(seal, node);
    for (xmlNode *object = xml_child(signature->node, XML_NS_DSIG, "Object"); object;
         object = xml_next(object, XML_NS_DSIG, "Object"))
        if (!holds_properties(object))
            add_element(seal, object);
    add_references(seal, signature->signed_info, true);
}

static size_t chunk_size;

static int
compare_chunks(const void *a, const void *b)
{
    return memcmp(a, b, chunk_size);
}

static json_t *
group_digests(struct seal *seal)
{
    json_t *list = json_array();
    uint8_t value[AN_DIGEST_MAX];

    for (size_t i = 0; i < AN_COUNT(seal_digests) && seal->ok; i++) {
        struct an_buf *hashes = &seal->hashes[i];
        json_t *row = json_pack("{s:i}", "digest", (int)seal_digests[i]);

        chunk_size = an_digest_size(seal_digests[i]); /* this program has one thread */
        qsort(hashes->ptr, hashes->len / chunk_size, chunk_size, compare_chunks);
        an_hash_once(seal_digests[i], an_buf_view(hashes), value);
        xml_put_bytes(row, "value", AN_BYTES(value, chunk_size));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *
read_seal(struct xml_signature *signature, xmlNode *node, json_t *digests)
{
    json_t *row = json_pack("{s:O}", "digests", digests);
    struct an_buf der = an_buf_new(AN_LIMIT_CMS_BYTES);

    if (xml_is(node, XML_NS_ERS, "EvidenceRecord"))
        json_object_set_new(row, "xml", xml_read_record(signature->document, node));
    else if (xml_base64(node, &der))
        xml_put_bytes(row, "asn1", an_buf_view(&der));
    an_buf_free(&der);
    return row;
}

static void
read_property(struct xml_signature *signature, xmlNode *property, json_t *list)
{
    struct seal seal = {.signature = signature, .ok = true, .c14n = xml_child(signature->signed_info, XML_NS_DSIG,
            "CanonicalizationMethod")};
    json_t *digests;

    for (size_t i = 0; i < AN_COUNT(seal_digests); i++)
        seal.hashes[i] = an_buf_new(AN_LIMIT_CMS_BYTES);
    add_all(&seal, property);
    digests = group_digests(&seal);
    for (xmlNode *node = property->children; node && json_array_size(list) < AN_LIMIT_VERIFY_STAMPS; node = node->next)
        if (node->type == XML_ELEMENT_NODE)
            json_array_append_new(list, read_seal(signature, node, digests));
    json_decref(digests);
    for (size_t i = 0; i < AN_COUNT(seal_digests); i++)
        an_buf_free(&seal.hashes[i]);
}

void
xml_read_seals(struct xml_signature *signature)
{
    xmlNode *properties = xml_child(signature->qualifying, NULL, "UnsignedProperties");
    json_t *list = json_array();

    properties = xml_child(properties, NULL, "UnsignedSignatureProperties");
    for (xmlNode *node = properties ? properties->children : NULL; node && signature->value && signature->signed_info;
         node = node->next)
        if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, "SealingEvidenceRecords") == 0)
            read_property(signature, node, list);
    json_object_set_new(signature->json, "seals", list);
}
