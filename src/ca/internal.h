/* What the files of ca/ share. */
#pragma once

#include "ca/ca.h"

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
/* The extensions that are the same in every certificate of a template: constraints, purposes, issuer's key, places, policies. */
void an_ca_put_fixed_extensions(struct an_der_out *out, const struct an_profile *profile, const struct an_places *places, const struct an_cert *issuer);
/* Those of one certificate: its key and what that may do, its distribution point when that is its own, its e-mail. */
void an_ca_put_subject_extensions(struct an_der_out *out, uint32_t key_usage, an_bytes key_bits, const char *crl_url, const char *email);

/* ---- crl.c: pieces of lists ---- */
an_code an_ca_check_revocation(const struct an_revocation *revoked, struct an_err *reterr) AN_MUST_USE;
an_code an_ca_put_entry(struct an_der_out *out, const struct an_revocation *revoked, an_time invalidity_date, struct an_err *reterr) AN_MUST_USE;
/* cRLNumber and deltaCRLIndicator */
void an_ca_put_list_number(struct an_der_out *out, const char *oid, bool critical, uint64_t number);
