/* What the files of ca/ share. */
#pragma once

#include "ca/ca.h"

/* ---- profile.c ---- */
#define AN_PROFILE_EKU_MAX 4
struct an_profile {
    const char *name;
    bool is_ca, is_subscriber;
    int path_len; /* -1 = none */
    uint32_t key_usage;
    const char *eku[AN_PROFILE_EKU_MAX];
    bool eku_critical, no_check;
    int years_max; /* 0 = the issuer's own validity is the only bound */
};
const struct an_profile *an_profile_find(enum an_profile_id id); /* NULL when unknown */

/* ---- signed.c: SEQUENCE { tbs, algorithm, signature } ---- */
/* How this key signs what the authority makes: SHA-256 for RSA, the curve's own digest for ECDSA. */
struct an_scheme an_ca_scheme(const struct an_signer *key);
void an_ca_put_algorithm(struct an_der_out *out, const struct an_signer *key);
/* Appends the signed object; extra: more elements behind the signature (OCSP certificates), AN_NONE = none. */
an_code an_ca_sign(struct an_signer *key, an_bytes tbs, an_bytes extra, struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
/* The key belongs to the certificate, which may sign this (a keyUsage bit; 0 = any). */
an_code an_ca_check_key(const struct an_cert *cert, const struct an_signer *key, uint32_t usage, an_code code,
                        struct an_err *reterr) AN_MUST_USE;
/* SHA-1 of subjectPublicKey: key identifiers (RFC 5280 4.2.1.2 (1)) and OCSP responder ids name keys so. */
void an_ca_key_id(an_bytes key_bits, uint8_t ret[static AN_DIGEST_MAX]);

/* ---- extension.c ---- */
void an_ca_open_extension(struct an_der_out *out, const char *oid, bool critical);
void an_ca_close_extension(struct an_der_out *out);
void an_ca_put_authority_key(struct an_der_out *out, const struct an_cert *issuer);
void an_ca_put_extensions(struct an_der_out *out, const struct an_profile *profile, const struct an_issue *what, an_bytes key_bits,
                          const struct an_cert *issuer);

/* ---- crl.c: pieces of lists ---- */
an_code an_ca_check_revocation(const struct an_revocation *revoked, struct an_err *reterr) AN_MUST_USE;
an_code an_ca_put_entry(struct an_der_out *out, const struct an_revocation *revoked, an_time invalidity_date, struct an_err *reterr) AN_MUST_USE;
/* cRLNumber and deltaCRLIndicator */
void an_ca_put_list_number(struct an_der_out *out, const char *oid, bool critical, uint64_t number);
