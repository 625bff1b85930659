/*
 * CMS SignedData (RFC 5652) with the CAdES attributes (ETSI EN 319 122-1) that PAdES and CAdES need, and time-stamps
 * (RFC 3161, 5816). Writing is two steps so that the key may be anywhere: an_cms_prepare gives the attributes to sign,
 * an_cms_finish puts the signature in. The content is never held: callers pass its digest.
 */
#pragma once

#include "x509/status.h"

/* ---- writing ---- */
struct an_cms_plan {
    struct an_cert *signer;
    const struct an_certs *chain;   /* embedded after the signer; may be NULL */
    bool omit_certs;                /* not even the signer's: time-stamps when none were asked for (RFC 3161 2.4.1) */
    struct an_scheme scheme;
    an_bytes content_digest;        /* made with scheme.digest */
    an_bytes content;               /* AN_NONE = detached; otherwise encapsulated (id-data) */
    const char *content_type;       /* NULL = id-data 1.2.840.113549.1.7.1 */
    an_time signing_time;           /* AN_TIME_NONE = no attribute (PAdES: EN 319 142-1 6.3 forbids it) */
    bool signing_certificate_v2;    /* ESS; SHA-256 default hash left out as DER wants */
    const struct an_crls *crls;     /* embedded as revocation information; may be NULL */
    const struct an_ocsps *ocsps;   /* as id-ri-ocsp-response */
};
/* The DER SET OF signedAttrs, whose digest is to be signed. */
an_code an_cms_prepare(const struct an_cms_plan *plan, struct an_buf *ret_signed_attrs,
                       struct an_err *reterr) AN_MUST_USE;
/* The finished ContentInfo. tst: TimeStampToken over the signature, AN_NONE = none. */
an_code an_cms_finish(const struct an_cms_plan *plan, an_bytes signed_attrs, an_bytes signature, an_bytes tst,
                      struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
/* Exact size of the finished object for a signature and token of these sizes. */
size_t an_cms_size(const struct an_cms_plan *plan, size_t signed_attrs_len, size_t signature_len, size_t tst_len);

/* ---- reading ---- */
struct an_cms_attribute { an_bytes oid, values; /* content of the SET */ };
struct an_cms_signer {
    int version;
    an_bytes issuer, serial;  /* or */
    an_bytes ski;
    enum an_digest digest;
    struct an_scheme scheme;
    an_bytes signature_algorithm; /* whole AlgorithmIdentifier */
    an_bytes signed_attrs; /* as signed: re-tagged as SET OF; AN_NONE when absent; owned by the object */
    struct an_cms_attribute *attributes; size_t attribute_count;
    struct an_cms_attribute *unsigned_attributes; size_t unsigned_count;
    an_bytes unsigned_attrs; /* whole [1], for archive time-stamps */
    an_bytes message_digest; /* AN_NONE when absent */
    an_bytes content_type;   /* from the attribute; AN_NONE when absent */
    an_time signing_time;    /* AN_TIME_NONE when absent */
    an_bytes ess_hash;       /* hash in signing-certificate(-v2), first; AN_NONE when absent */
    an_bytes ess_hash_v1;    /* SHA-1 in signing-certificate when -v2 stands beside it */
    enum an_digest ess_digest;
    an_bytes ess_issuer, ess_serial; /* IssuerSerial, AN_NONE when absent */
    bool duplicate_attributes; /* an attribute that must stand once stands twice */
    bool attrs_not_der_sorted; /* SET OF not in DER order: noted */
    bool digest_unlisted; /* its digestAlgorithm is not in SignedData's, which lists others (RFC 5652 5.1) */
    bool is_counter; /* a counter-signature: no content-type attribute (11.4) */
    an_bytes signature;
    void *block; /* what the views above that are not in cms->der point into */
};
struct an_cms {
    an_bytes der; /* DER form of what was given; owned */
    int version;
    an_bytes content_type, content; /* content AN_NONE when detached */
    struct an_cms_signer *signers; size_t signer_count;
    struct an_certs certs;
    struct an_crls crls;
    struct an_ocsps ocsps; /* from RevocationInfoChoices and adbe-revocationInfoArchival */
    size_t skipped; /* certificates and status in it that could not be read */
    size_t trailing; /* zero bytes after the object (PDF pads /Contents); other trailing bytes are an error */
};
/* DER or BER, with zero padding behind. AN_E_CMS_* names the field. */
an_code an_cms_parse(an_bytes der, struct an_cms **ret, struct an_err *reterr) AN_MUST_USE;
void an_cms_free(struct an_cms **cms);
/* A counter-signature: one whole SignerInfo, over the signature value of another. an_cms_signer_done frees what it
 * holds. */
an_code an_cms_counter_parse(an_bytes info, struct an_cms_signer *ret, struct an_err *reterr) AN_MUST_USE;
void an_cms_signer_done(struct an_cms_signer *signer);
/* The signer's certificate among cms->certs and more (may be NULL); borrowed; NULL when absent. ESS decides when
 * several fit. */
struct an_cert *an_cms_signer_cert(const struct an_cms *cms, const struct an_cms_signer *signer,
                                   const struct an_certs *more);
const struct an_cms_attribute *an_cms_attribute_find(const struct an_cms_attribute *attributes, size_t count,
                                                     const char *dotted_oid);

/* Cryptographic check of one signer: AN_OK, or AN_V_CMS_* (digest differs, signature wrong, attribute missing,
 * algorithms disagree, ESS does not name the certificate). content_digest was made with signer->digest. */
an_code an_cms_check_signer(const struct an_cms_signer *signer, struct an_cert *cert, an_bytes content_type_expected,
                            an_bytes content_digest, struct an_err *reterr) AN_MUST_USE;
/* The same, over content that lies in memory; a digest that nobody knows is an answer (AN_V_CMS_ALGORITHM), too. */
an_code an_cms_check_over(const struct an_cms_signer *signer, struct an_cert *cert, an_bytes content_type_expected,
                          an_bytes content,
                          struct an_err *reterr) AN_MUST_USE;

/* Is the content itself a set of signed attributes? A signature over attributes verifies over their bytes too, once the
 * attributes are taken out of the object: such content must never count as a document without signed attributes. */
bool an_cms_is_attributes(an_bytes content);

/* ---- time-stamps (cms/timestamp.c) ---- */
struct an_tst {
    struct an_cms *cms;
    enum an_digest digest; an_bytes imprint; /* AN_DIGEST_NONE when the algorithm is not known */
    an_bytes policy, serial, nonce, tsa; /* OID and INTEGER content; tsa: GeneralName, whole */
    an_time gen_time; int64_t accuracy_ms; /* -1 = not given */
    bool ordering;
};
an_code an_tst_parse(an_bytes token, struct an_tst **ret, struct an_err *reterr) AN_MUST_USE; /* a ContentInfo */
void an_tst_free(struct an_tst **tst);
/* Signature of the token and imprint against data digest: AN_OK or AN_V_TST_*. Path is judged by the caller. */
an_code an_tst_check(const struct an_tst *tst, struct an_cert *cert, an_bytes data_digest,
                     struct an_err *reterr) AN_MUST_USE;
/* Request and response (RFC 3161 2.4). */
void an_tsp_request(enum an_digest digest, an_bytes imprint, an_bytes nonce, bool want_certs, struct an_buf *out);
/* The token inside a response; AN_E_TSP_REFUSED with the TSA's words, AN_E_TSP_MISMATCH (nonce, imprint),
 * AN_E_TSP_PARSE. */
an_code an_tsp_response(an_bytes response, enum an_digest digest, an_bytes imprint, an_bytes nonce,
                        struct an_buf *ret_token, struct an_err *reterr) AN_MUST_USE;
/* What a request asks, for responders. Views into the DER given. */
struct an_tsp_query {
    enum an_digest digest; /* AN_DIGEST_NONE when not known */
    an_bytes imprint_whole; /* MessageImprint, to be repeated in the token */
    an_bytes imprint, policy, nonce; /* AN_NONE when absent */
    bool want_certs, has_extensions;
};
an_code an_tsp_request_parse(an_bytes der, struct an_tsp_query *ret, struct an_err *reterr) AN_MUST_USE;
