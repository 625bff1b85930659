/*
 * Questions to antin-xml about untrusted XML and ZIP: signatures with every reference digested and every time-stamp's
 * data computed, containers unpacked, manifests read. The public-key operation and every judgement are the caller's.
 * Digests and schemes are the numbers of crypto/crypto.h; signature values of (EC)DSA come as DER.
 */
#pragma once

#include "base/time.h"
#include "proc/proc.h"

struct an_xml_reader; /* one helper, started with the first question and anew when it ends; thread-safe */
struct an_xml_reader *an_xml_reader_new(uint64_t timeout_ms); /* bounds each question; 0 = one minute */
void an_xml_reader_free(struct an_xml_reader **reader);

/* A file beside the signature, by the name that references use. */
struct an_xml_part { const char *name; an_bytes bytes; };

enum an_xml_state {
    AN_XML_MATCHES = 0,
    AN_XML_DIFFERS,     /* the digest is not the one that was signed */
    AN_XML_MISSING,     /* what is referred to is not there */
    AN_XML_AMBIGUOUS,   /* two elements carry the identifier: a wrapping attack, or damage */
    AN_XML_REFUSED,     /* a transform or address that is not followed */
    AN_XML_MALFORMED,
};
struct an_xml_reference {
    const char *uri, *type, *detail; /* "" when absent */
    /* "document", "object", "signed-properties", "signature-value", "element", "external", … */
    const char *covers;
    enum an_xml_state state;
    int digest;              /* enum an_digest; 0 = unknown */
    bool in_manifest;        /* named by a signed ds:Manifest, not by the signature itself */
    bool has_uri;
    bool filtered;           /* an XPath transform chooses nodes */
};
struct an_xml_digest { int digest; an_bytes value; };
enum an_xml_stamp_kind {
    AN_XML_STAMP_CONTENT = 0, AN_XML_STAMP_SIGNATURE, AN_XML_STAMP_REFS, AN_XML_STAMP_ARCHIVE,
    AN_XML_STAMP_REFS_ONLY, /* covers references to certificates and lists, not the signature */
};
struct an_xml_stamp {
    enum an_xml_stamp_kind kind;
    an_bytes token;
    struct an_xml_digest *digests; size_t digest_count; /* of the data that it covers; none = not computable */
};

/* ---- evidence records: read from XML by the helper (RFC 6283), from DER by verify/ (RFC 4998) ---- */
struct an_ers_group { an_bytes *hashes; size_t count; };
struct an_ers_stamp {
    struct an_ers_group *groups; size_t group_count; /* the reduced hash tree, from the leaf up; none = no tree */
    an_bytes token;
    an_bytes self;           /* hash of its encoding, by the algorithm of its chain: what the next one covers */
};
struct an_ers_chain {
    int digest;              /* enum an_digest; 0 = unknown */
    an_bytes before;         /* hash over the chains before it; AN_NONE in the first */
    an_bytes *objects; size_t object_count; /* canonical hashes of the data objects, one for one; AN_NONE = not XML */
    struct an_ers_stamp *stamps; size_t stamp_count;
};
struct an_ers { struct an_ers_chain *chains; size_t chain_count; bool is_xml; };
/* A record inside a signature, and what it has to cover. */
struct an_xml_seal {
    struct an_ers *record;   /* NULL: */
    an_bytes asn1;           /* DER of RFC 4998 */
    struct an_xml_digest *digests; size_t digest_count; /* none = not computable */
};

struct an_xml_blobs { an_bytes *items; size_t count; };
struct an_xml_signature {
    const char *id, *parent; /* parent: Id of the signature that this one counter-signs, "" = none */
    bool is_baseline;        /* the signed properties that a baseline level asks for stand there, well formed */
    bool is_counter, has_xades, has_signed_properties;
    const char *problem;     /* why the structure is refused, "" = none */
    bool is_moved;           /* the problem: the properties that are signed stand in another place */
    const char *coverage;    /* "whole-file", "part", "none" */
    const char *method;      /* URI */
    int scheme_kind, scheme_digest, scheme_mgf, scheme_salt; /* enum an_sig_kind … */
    int hmac_digest, hmac_bits;                              /* a shared secret instead of a key pair */
    an_bytes signed_info;    /* canonical */
    an_bytes value;
    an_bytes spki;           /* of KeyValue; AN_NONE when absent */
    struct an_xml_blobs certs, crls;      /* KeyInfo */
    struct an_xml_reference *references; size_t reference_count;
    an_time signing_time;
    const char *policy;
    struct an_xml_digest *cert_digests; size_t cert_digest_count; /* SigningCertificate(V2), in order */
    bool has_signing_certificate;
    struct an_xml_blobs cert_values, crl_values, ocsp_values;
    bool has_revocation_values;
    struct an_xml_stamp *stamps; size_t stamp_count;
    struct an_xml_seal *seals; size_t seal_count;
};
struct an_xml_document {
    const char *root;        /* local name of the root element */
    bool has_dtd;
    struct an_xml_signature *signatures; size_t signature_count;
    struct an_arena *arena;  /* owns everything */
};
void an_xml_document_free(struct an_xml_document **document); /* also for AN_CLEANUP */
/* AN_E_XML_PARSE when it is not XML; a document without signatures is no error. */
an_code an_xml_read(struct an_xml_reader *reader, an_bytes xml, const struct an_xml_part *parts, size_t part_count,
                    struct an_xml_document **ret, struct an_err *reterr) AN_MUST_USE;

/* parts: the data objects, in the order in which the digests come back. Everything lives in *ret_arena. */
an_code an_xml_record_read(struct an_xml_reader *reader, an_bytes xml, const struct an_xml_part *parts,
                           size_t part_count,
                           struct an_ers **ret, struct an_arena **ret_arena, struct an_err *reterr) AN_MUST_USE;

/* ---- containers ---- */
struct an_zip_entry { const char *name; an_bytes bytes; };
struct an_zip {
    struct an_zip_entry *entries; size_t count; /* files, in the order of the directory */
    an_bytes comment;
    struct an_arena *arena;
};
void an_zip_free(struct an_zip **zip); /* also for AN_CLEANUP */
/* AN_E_XML_ZIP when it is malformed, encrypted, ambiguous (two entries of one name, headers that disagree). */
an_code an_zip_read(struct an_xml_reader *reader, an_bytes zip, struct an_zip **ret, struct an_err *reterr) AN_MUST_USE;
/* The same with a bound of the caller's on what comes out, all together: AN_E_LIMIT before more is unpacked. */
an_code an_zip_read_within(struct an_xml_reader *reader, an_bytes zip, size_t bytes_max, struct an_zip **ret,
                           struct an_err *reterr) AN_MUST_USE;

/* ASiCManifest (EN 319 162-1, A.4): what a signature or time-stamp file stands for. */
struct an_manifest_entry { const char *uri; int digest; an_bytes value; bool is_root; };
struct an_manifest {
    const char *sig_uri;
    struct an_manifest_entry *entries; size_t count;
    struct an_arena *arena;
};
void an_manifest_free(struct an_manifest **manifest); /* also for AN_CLEANUP */
an_code an_manifest_read(struct an_xml_reader *reader, an_bytes xml, struct an_manifest **ret,
                         struct an_err *reterr) AN_MUST_USE;

/* ---- the wire; fd = a memory file. {"parts": [{"name", "offset", "len"}]}: the first is the file itself ---- */
#define AN_XML_SIGNATURES 1u
#define AN_XML_UNZIP 2u    /* the contents are appended to the memory file: {"entries": [{"name","offset","len"}]} */
#define AN_XML_MANIFEST 3u
#define AN_XML_RECORD 4u
