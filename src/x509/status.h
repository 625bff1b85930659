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
    bool is_indirect;
    unsigned refs;
    void *index; /* built on first look-up: sorted serials */
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
/* The entry for (issuer, serial); false when not listed. Indexed: about constant time after the first call. */
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
    struct an_ocsp_single *singles;
    size_t single_count;
    struct an_certs certs;
    unsigned refs;
};
an_code an_ocsp_parse(an_bytes der, struct an_ocsp **ret, struct an_err *reterr) AN_MUST_USE; /* DER or base64 */
struct an_ocsp *an_ocsp_ref(struct an_ocsp *ocsp);
void an_ocsp_unref(struct an_ocsp **ocsp);
/* The answer for one certificate of one issuer; NULL when the response does not speak of it. */
const struct an_ocsp_single *an_ocsp_find(const struct an_ocsp *ocsp, const struct an_cert *cert, const struct an_cert *issuer);
/* A request for one certificate; nonce may be AN_NONE; CertID with SHA-1 (what every responder knows). */
void an_ocsp_request(const struct an_cert *cert, const struct an_cert *issuer, an_bytes nonce, struct an_buf *out);

AN_VEC(an_crls, struct an_crl *);
AN_VEC(an_ocsps, struct an_ocsp *);
void an_crls_unref(struct an_crls *set);   /* for AN_CLEANUP */
void an_ocsps_unref(struct an_ocsps *set); /* for AN_CLEANUP */
