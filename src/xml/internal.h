/*
 * Inside antin-xml. The way of one document: document.c parses and registers identifiers, signature.c reads each
 * ds:Signature, reference.c dereferences and digests, xades.c reads properties, answer.c writes JSON.
 */
#pragma once

#include <jansson.h>
#include <libxml/tree.h>

#include "base/limits.h"
#include "base/map.h"
#include "crypto/crypto.h"
#include "proc/xml.h"

#define XML_NS_DSIG "http://www.w3.org/2000/09/xmldsig#"
#define XML_NS_DSIG11 "http://www.w3.org/2009/xmldsig11#"
#define XML_NS_ERS "urn:ietf:params:xml:ns:ers"
#define XML_NS_EXC_C14N "http://www.w3.org/2001/10/xml-exc-c14n#"

/* ---- document.c ---- */
struct xml_input { struct an_xml_part *parts; size_t count; }; /* parts[0] is the document itself */
struct xml_document {
    xmlDoc *doc;
    xmlNode *root;
    struct an_map *ids;         /* identifier -> xmlNode *, or the document itself when several carry it */
    const struct xml_input *input;
    size_t work;                /* bytes canonicalised so far: bounded */
};
void xml_start(void); /* once per process, before the sandbox closes */
an_code xml_open(const struct xml_input *input, struct xml_document *ret, struct an_err *reterr) AN_MUST_USE;
void xml_close(struct xml_document *document);
enum an_xml_state xml_find_id(const struct xml_document *document, an_bytes id, xmlNode **ret);
/* Work is counted so that many references over one large document cannot take for ever. */
bool xml_count_work(struct xml_document *document, size_t bytes);

/* ---- node.c: small readers ---- */
bool xml_is(const xmlNode *node, const char *ns, const char *name); /* ns NULL = any XAdES namespace */
xmlNode *xml_child(const xmlNode *parent, const char *ns, const char *name);
xmlNode *xml_next(const xmlNode *node, const char *ns, const char *name);
xmlNode *xml_descend(const xmlNode *top, const xmlNode *node); /* document order inside top, NULL at the end */
char *xml_attribute(const xmlNode *node, const char *name); /* owned; NULL when absent */
void xml_text(const xmlNode *node, struct an_buf *ret);     /* direct text, trimmed */
bool xml_base64(const xmlNode *node, struct an_buf *ret);
bool xml_within(const xmlNode *node, const xmlNode *top);   /* node is top or inside it */
void xml_put_bytes(json_t *object, const char *key, an_bytes bytes);
void xml_add_bytes(json_t *array, an_bytes bytes);

/* ---- c14n.c ---- */
/* Appends the canonical form of the subtree; method: the element with Algorithm, NULL = inclusive without comments. */
bool xml_canonicalize(struct xml_document *document, xmlNode *top, const xmlNode *method, struct an_buf *out);
/* The same without the elements named and what is in them. */
bool xml_canonicalize_without(struct xml_document *document, xmlNode *top, xmlNode *const *hidden, size_t hidden_count,
                              const xmlNode *method, struct an_buf *out);
bool xml_is_c14n(const char *uri);

/* ---- algorithm.c ---- */
enum an_digest xml_digest(const char *uri);
struct xml_method { struct an_scheme scheme; enum an_digest hmac; };
bool xml_signature_method(const xmlNode *method, struct xml_method *ret);

/* ---- reference.c ---- */
struct xml_target {
    enum an_xml_state state;
    xmlNode *node;
    bool is_external;
    bool filtered;       /* an XPath transform chose nodes; then: */
    bool omits;          /* something below node that people read is left out */
    bool has_properties; /* the SignedProperties of this signature are in, whole */
    char detail[160];
    const char *covers;
};
/* The octets that a ds:Reference (or xades:Include) digests. c14n: for node-sets that no transform serialises. */
void xml_dereference(struct xml_document *document, xmlNode *reference, const xmlNode *c14n, struct xml_target *target,
                     struct an_buf *out);
json_t *xml_reference_check(struct xml_document *document, xmlNode *signature, xmlNode *reference, bool in_manifest,
                            struct xml_target *target);

/* ---- filter.c ---- */
/* After the transforms ran: what they left. properties: the SignedProperties of the signature, or NULL. */
struct _xmlSecTransformCtx; /* xmlsec's */
void xml_filter_look(const struct _xmlSecTransformCtx *ctx, const xmlNode *properties, struct xml_target *target);

/* ---- key.c ---- */
void xml_read_key(struct xml_document *document, const xmlNode *key_info, json_t *out);

/* ---- signature.c ---- */
struct xml_signature {
    struct xml_document *document;
    xmlNode *node, *signed_info, *value, *key_info;
    xmlNode *qualifying, *signed_properties; /* NULL unless a reference covers them */
    json_t *json;
};
json_t *xml_read_signature(struct xml_document *document, xmlNode *node);

/* ---- xades.c ---- */
xmlNode *xml_find_qualifying(const xmlNode *signature); /* inside one of its own objects */
void xml_read_xades(struct xml_signature *signature);
/* stamp.c */
void xml_read_stamps(struct xml_signature *signature);

/* ---- record.c: evidence records, RFC 6283 ---- */
json_t *xml_read_record(struct xml_document *document, xmlNode *record);
void xml_read_seals(struct xml_signature *signature);

/* ---- answer.c ---- */
an_code xml_answer(const struct xml_input *input, json_t **ret, struct an_err *reterr) AN_MUST_USE;
an_code xml_answer_record(const struct xml_input *input, json_t **ret, struct an_err *reterr) AN_MUST_USE;
an_code xml_answer_manifest(const struct xml_input *input, json_t **ret, struct an_err *reterr) AN_MUST_USE;

/* ---- zip.c ---- */
typedef an_code (*zip_sink)(void *context, const char *name, an_bytes bytes, struct an_err *reterr);
an_code xml_unzip(an_bytes zip, size_t room, zip_sink sink, void *context, struct an_err *reterr) AN_MUST_USE;
