/* Certificates (RFC 5280), parsed once into an immutable, counted object. Parsing is not believing: x509/path.h. */
#pragma once

#include "asn1/der.h"
#include "crypto/crypto.h"

struct an_extension {
    an_bytes oid, value; /* content octets; value = inside the OCTET STRING */
    bool critical;
};

/* keyUsage bits, RFC 5280 4.2.1.3, bit n as 1 << n */
enum {
    AN_KU_DIGITAL_SIGNATURE = 1 << 0,
    AN_KU_NON_REPUDIATION = 1 << 1,
    AN_KU_KEY_ENCIPHERMENT = 1 << 2,
    AN_KU_DATA_ENCIPHERMENT = 1 << 3,
    AN_KU_KEY_AGREEMENT = 1 << 4,
    AN_KU_KEY_CERT_SIGN = 1 << 5,
    AN_KU_CRL_SIGN = 1 << 6,
};

struct an_cert {
    /* all views point into der, which the object owns */
    an_bytes der, tbs;
    int version; /* 1, 2, 3 */
    an_bytes serial; /* INTEGER content */
    an_bytes issuer, subject; /* whole Name, DER */
    an_bytes spki; /* whole SubjectPublicKeyInfo */
    an_bytes key_bits; /* content of the subjectPublicKey BIT STRING: what key identifiers hash */
    an_bytes signature_algorithm; /* whole AlgorithmIdentifier, outer; equals the inner one */
    struct an_scheme scheme; /* kind AN_SIG_UNKNOWN when the algorithm is not known */
    an_bytes signature;
    an_time not_before, not_after;
    struct an_extension *extensions;
    size_t extension_count;

    bool has_key_usage, has_basic_constraints, is_ca, has_eku;
    uint32_t key_usage;
    int path_len; /* -1 = none */
    an_bytes ski; /* subjectKeyIdentifier octets, AN_NONE when absent */
    an_bytes aki_key, aki_issuer, aki_serial; /* authorityKeyIdentifier: keyIdentifier, GeneralNames content, serial */
    an_bytes subject_alt_name; /* GeneralNames content */
    bool self_issued; /* issuer and subject are equal by RFC 5280 7.1 */
    uint8_t sha256[32]; /* of der */
    uint32_t oddities; /* noticed while parsing, for an_cert_quirks */

    unsigned refs; /* atomic */
    struct an_pubkey *key; /* parsed on demand: an_cert_key */
};

/* One DER certificate, copied. AN_E_CERT_* names the field. Odd but fielded things (serial with a high bit, empty
 * issuerAltName, v1 with extensions absent) parse; notes about them come from an_cert_quirks. */
an_code an_cert_parse(an_bytes der, struct an_cert **ret, struct an_err *reterr) AN_MUST_USE;
struct an_cert *an_cert_ref(struct an_cert *cert);
void an_cert_unref(struct an_cert **cert);
/* Borrowed; NULL when the key is malformed or of an unknown kind. Thread-safe. */
struct an_pubkey *an_cert_key(struct an_cert *cert);
const struct an_extension *an_cert_extension(const struct an_cert *cert, const char *dotted_oid);
/* The same by content octets (asn1/oid.h): for code that runs for every certificate. */
const struct an_extension *an_cert_find_extension(const struct an_cert *cert, an_bytes oid);
bool an_cert_has_eku(const struct an_cert *cert, const char *dotted_oid); /* false when there is no EKU at all */
/* First URI of an access method in authorityInfoAccess ("1.3.6.1.5.5.7.48.1" OCSP, ".2" caIssuers), n-th; "" none. */
bool an_cert_aia_uri(const struct an_cert *cert, const char *method_oid, size_t n, struct an_buf *ret);
/* n-th http(s) URI of cRLDistributionPoints. */
bool an_cert_crl_uri(const struct an_cert *cert, size_t n, struct an_buf *ret);
/* Quirks of fielded certificates, as AN_N_* codes (messages/asn1.def); returns how many were written. */
size_t an_cert_quirks(const struct an_cert *cert, an_code *ret, size_t max);
/* Does issuer's key make the signature of cert (or of any tbs)? */
bool an_cert_signed_by(struct an_cert *cert, struct an_cert *issuer);

/* Equal serial numbers, whether or not a leading zero octet was written (a fielded fault). */
bool an_serial_eq(an_bytes a, an_bytes b);

/* ---- sets of certificates ---- */
struct an_certs { struct an_cert **items; size_t count, capacity; };
void an_certs_add(struct an_certs *set, struct an_cert *cert); /* takes a reference; ignores a duplicate (by hash) */
void an_certs_done(struct an_certs *set); /* for AN_CLEANUP too */
/* Every certificate in PEM or DER content; PKCS#7 bundles are the business of cms. */
an_code an_certs_read(struct an_certs *set, an_bytes content, struct an_err *reterr) AN_MUST_USE;
struct an_cert *an_certs_find_hash(const struct an_certs *set, const uint8_t sha256[static 32]); /* borrowed */

/* ---- names (x509/name.c) ---- */
/* "CN=…, OU=…, O=…, C=VN" in the order of RFC 4514 reversed (most specific first), UTF-8. */
void an_name_text(an_bytes name, struct an_buf *out);
/* First value of an attribute type ("2.5.4.3" CN, …), UTF-8; false when absent. */
bool an_name_attribute(an_bytes name, const char *dotted_oid, struct an_buf *out);
/* Comparison by RFC 5280 7.1 (case, white space, string type folded); exact bytes first. */
bool an_name_eq(an_bytes a, an_bytes b);
bool an_name_within(an_bytes base, an_bytes name); /* name is in the subtree base: directoryName constraints */
/* First rfc822Name of subjectAltName or emailAddress of the subject. */
bool an_cert_email(const struct an_cert *cert, struct an_buf *out);
/* An attribute for building: type, text (UTF8String; C as PrintableString; e-mail as IA5String). */
struct an_name_part { const char *oid, *text; };
void an_name_build(struct an_der_out *out, const struct an_name_part *parts, size_t count);

/* ---- algorithm identifiers (x509/algorithm.c) ---- */
/* scheme of a signature AlgorithmIdentifier; for rsaEncryption/id-ecPublicKey alone the digest is given by CMS. */
an_code an_scheme_parse(an_bytes algorithm, enum an_digest cms_digest, struct an_scheme *ret,
                        struct an_err *reterr) AN_MUST_USE;
an_code an_digest_parse(an_bytes algorithm, enum an_digest *ret, struct an_err *reterr) AN_MUST_USE;
/* AlgorithmIdentifier. EdDSA is written as Ed25519; an_scheme_write_for asks the key which curve it is. */
void an_scheme_write(struct an_der_out *out, const struct an_scheme *scheme);
void an_scheme_write_for(struct an_der_out *out, const struct an_scheme *scheme, enum an_key_kind key);
bool an_scheme_can_write(const struct an_scheme *scheme);
void an_digest_write(struct an_der_out *out, enum an_digest digest);      /* parameters absent, as CMS wants */
void an_digest_write_null(struct an_der_out *out, enum an_digest digest); /* parameters NULL: PSS, TSP, OCSP */
