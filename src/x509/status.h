/* Revocation lists (RFC 5280 §5) and online status (RFC 6960). Parsing only; who may be believed is x509/path.h. */
#pragma once

#include "x509/cert.h"

/* CRLReason; 7 is not used */
enum an_crl_reason {
    AN_REASON_UNSPECIFIED = 0, AN_REASON_KEY_COMPROMISE, AN_REASON_CA_COMPROMISE, AN_REASON_AFFILIATION_CHANGED,
    AN_REASON_SUPERSEDED, AN_REASON_CESSATION, AN_REASON_HOLD, AN_REASON_REMOVE_FROM_CRL = 8,
    AN_REASON_PRIVILEGE_WITHDRAWN, AN_REASON_AA_COMPROMISE,
};

struct an_crl {
    an_bytes der, tbs, issuer, signature_algorithm, signature;
    struct an_scheme scheme;
    int version;
    an_time this_update, next_update; /* next_update AN_TIME_NONE when absent */
    an_bytes revoked; /* content of revokedCertificates: searched without a copy */
    struct an_extension *extensions;
    size_t extension_count;
    an_bytes aki_key;
    an_bytes number, base_number; /* cRLNumber and deltaCRLIndicator, INTEGER content; AN_NONE when absent */
    an_bytes idp; /* issuingDistributionPoint value, AN_NONE when absent */
    bool is_indirect; /* issuingDistributionPoint says so */
    bool has_entry_issuers; /* an entry names its issuer: it holds for the following entries too (5.3.3) */
    bool entries_have_unknown_critical; /* RFC 5280 5.3: such a list decides about no certificate */
    uint32_t revoked_count;
    struct an_extension few[8];
    bool owns_der;
    unsigned refs;
    unsigned lookups; /* the first few are answered by reading the list through */
    void *index; /* published atomically when look-ups repeat */
    uint8_t *signed_by; /* published atomically: SHA-256 of the SubjectPublicKeyInfo whose signature was found right */
};

an_code an_crl_parse(an_bytes der, struct an_crl **ret, struct an_err *reterr) AN_MUST_USE;
/* The same without copying der: for large mapped files; der must outlive the object. */
an_code an_crl_parse_borrowed(an_bytes der, struct an_crl **ret, struct an_err *reterr) AN_MUST_USE;
struct an_crl *an_crl_ref(struct an_crl *crl);
void an_crl_unref(struct an_crl **crl);

struct an_crl_entry {
    an_bytes serial;
    an_time revoked_at;
    enum an_crl_reason reason;
    an_time invalidity_date; /* AN_TIME_NONE when absent */
    an_bytes certificate_issuer; /* Name; the CRL issuer's unless the list is indirect */
    bool has_unknown_critical;
};
/* Its extension; NULL when absent. */
const struct an_extension *an_crl_find_extension(const struct an_crl *crl, an_bytes oid);
/* The entry for (issuer, serial), of several the one that says more; false when not listed. Indexed: constant time when
 * called often. Thread-safe. */
bool an_crl_find(struct an_crl *crl, an_bytes issuer, an_bytes serial, struct an_crl_entry *ret);

struct an_ocsp_single {
    enum an_digest hash;
    an_bytes issuer_name_hash, issuer_key_hash, serial;
    enum { AN_OCSP_GOOD = 0, AN_OCSP_REVOKED, AN_OCSP_UNKNOWN } status;
    an_time revoked_at, this_update, next_update;
    enum an_crl_reason reason;
    an_time archive_cutoff;
    bool has_unknown_critical;
};

struct an_ocsp {
    an_bytes der, tbs, signature_algorithm, signature;
    struct an_scheme scheme;
    int response_status; /* 0 successful … 6 unauthorized; nothing below is set unless 0 */
    an_bytes responder_name; /* Name, or AN_NONE */
    an_bytes responder_key;  /* SHA-1 of the key, or AN_NONE */
    an_time produced_at;
    an_bytes nonce; /* AN_NONE when absent */
    bool has_unknown_critical; /* an extension of the response as a whole: it answers for no certificate */
    struct an_ocsp_single *singles;
    size_t single_count;
    struct an_certs certs;
    unsigned refs;
};
an_code an_ocsp_parse(an_bytes der, struct an_ocsp **ret, struct an_err *reterr) AN_MUST_USE; /* DER or base64 */
/* A BasicOCSPResponse alone, as CAdES attributes carry it. */
an_code an_ocsp_parse_basic(an_bytes basic, struct an_ocsp **ret, struct an_err *reterr) AN_MUST_USE;
struct an_ocsp *an_ocsp_ref(struct an_ocsp *ocsp);
void an_ocsp_unref(struct an_ocsp **ocsp);
/* The next answer from *at on for one certificate of one issuer; NULL when there is none left. */
const struct an_ocsp_single *an_ocsp_next(const struct an_ocsp *ocsp, const struct an_cert *cert,
                                          const struct an_cert *issuer, size_t *at);
/* The first of them; NULL when the response does not speak of the certificate. */
const struct an_ocsp_single *an_ocsp_find(const struct an_ocsp *ocsp, const struct an_cert *cert,
                                          const struct an_cert *issuer);
/* Name and key hash of a CertID against an issuer, by any digest. */
bool an_ocsp_single_is_of(const struct an_ocsp_single *single, const struct an_cert *issuer);
/* Was the response signed with this key? (Who may sign: x509/path.h.) */
bool an_ocsp_signed_by(const struct an_ocsp *ocsp, struct an_cert *responder);
/* A request for one certificate; nonce may be AN_NONE; CertID with SHA-1 (what every responder knows). */
void an_ocsp_request(const struct an_cert *cert, const struct an_cert *issuer, an_bytes nonce, struct an_buf *out);

/* What a request asks, for responders. Views into the DER given. */
struct an_ocsp_query {
    enum an_digest hash; /* AN_DIGEST_NONE when not known */
    an_bytes cert_id; /* whole CertID, to be repeated in the answer */
    an_bytes issuer_name_hash, issuer_key_hash, serial;
};
/* The first max queries; *ret_count says how many there are. nonce: AN_NONE when absent. */
an_code an_ocsp_request_parse(an_bytes der, struct an_ocsp_query *ret, size_t max, size_t *ret_count,
                              an_bytes *ret_nonce, struct an_err *reterr) AN_MUST_USE;

AN_VEC(an_crls, struct an_crl *);
AN_VEC(an_ocsps, struct an_ocsp *);
void an_crls_unref(struct an_crls *set);   /* for AN_CLEANUP */
void an_ocsps_unref(struct an_ocsps *set); /* for AN_CLEANUP */
