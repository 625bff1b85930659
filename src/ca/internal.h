/* What the files of ca/ share. */
#pragma once

#include "ca/ca.h"
#include "ca/lint.h"

/* ---- signed.c: SEQUENCE { tbs, algorithm, signature } ---- */
/* How this key signs what the authority makes: SHA-256 for RSA, the curve's own digest for ECDSA. */
struct an_scheme an_ca_scheme(const struct an_signer *key);
void an_ca_put_algorithm(struct an_der_out *out, const struct an_signer *key);
/* Appends the signed object; extra: more elements behind the signature (OCSP certificates), AN_NONE = none. */
an_code an_ca_sign(struct an_signer *key, an_bytes tbs, an_bytes extra, struct an_buf *ret,
                   struct an_err *reterr) AN_MUST_USE;
/* Several by one key, at most AN_SIGNINGS_MAX; each answers for itself. */
struct an_ca_signed { an_bytes tbs, extra; struct an_buf *ret; an_code code; struct an_err *reterr; };
void an_ca_sign_many(struct an_signer *key, struct an_ca_signed *all, size_t count);
/* For a lint plan: context is a const struct an_lint *, NULL at first. */
void an_ca_keep_first_error(void *context, const struct an_lint *lint);
/* What was made, before it leaves: AN_E_CA_LINT_ANSWER names the first error. */
an_code an_ca_lint_made(void (*lint)(an_bytes der, const struct an_lint_plan *plan), an_bytes der,
                        const struct an_cert *issuer, struct an_err *reterr) AN_MUST_USE;
/* The key belongs to the certificate, which may sign this (a keyUsage bit; 0 = any). */
an_code an_ca_check_key(const struct an_cert *cert, const struct an_signer *key, uint32_t usage, an_code code,
                        struct an_err *reterr) AN_MUST_USE;
/* SHA-1 of subjectPublicKey: key identifiers (RFC 5280 4.2.1.2 (1)) and OCSP responder ids name keys so. */
void an_ca_key_id(an_bytes key_bits, uint8_t ret[static AN_DIGEST_MAX]);

/* ---- extension.c ---- */
void an_ca_open_extension(struct an_der_out *out, const char *oid, bool critical);
void an_ca_close_extension(struct an_der_out *out);
void an_ca_put_authority_key(struct an_der_out *out, const struct an_cert *issuer);
/* The extensions that are the same in every certificate of a template: constraints, purposes, issuer's key, places,
 * policies. */
void an_ca_put_fixed_extensions(struct an_der_out *out, const struct an_profile *profile,
                                const struct an_places *places, const struct an_cert *issuer);
/* Those of one certificate: its key and what that may do, its distribution point when that is its own, its e-mail. */
void an_ca_put_subject_extensions(struct an_der_out *out, uint32_t key_usage, an_bytes key_bits, const char *crl_url,
                                  const char *email);

/* ---- crl.c: pieces of lists ---- */
an_code an_ca_check_revocation(const struct an_revocation *revoked, struct an_err *reterr) AN_MUST_USE;
an_code an_ca_put_entry(struct an_der_out *out, const struct an_revocation *revoked, an_time invalidity_date,
                        struct an_err *reterr) AN_MUST_USE;
/* cRLNumber and deltaCRLIndicator */
void an_ca_put_list_number(struct an_der_out *out, const char *oid, bool critical, uint64_t number);

/* ---- ocsp.c ---- */
#define AN_OCSP_NONCE_MAX 128 /* RFC 9654 2.1: longer ones are refused */
struct an_ocsp_item { an_bytes cert_id; int status; /* AN_OCSP_GOOD … */ an_time at; enum an_crl_reason reason; };
struct an_ocsp_plan {
    struct an_cert *responder;
    const uint8_t *responder_id; /* an_ca_key_id of its key */
    struct an_signer *key;
    const struct an_ocsp_item *items; size_t count;
    an_time this_update, next_update, produced_at;
    an_bytes nonce;
    bool omit_cert; /* the responder is the issuer, whose certificate everybody has */
};
an_code an_ca_write_ocsp(const struct an_ocsp_plan *plan, struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
/* The same in two steps, with the signature between them: ResponseData and the certificates behind it; then, of the
 * signed BasicOCSPResponse, which ret has from start on, the OCSPResponse. */
void an_ca_put_response_data(const struct an_ocsp_plan *plan, struct an_buf *tbs, struct an_buf *certs);
void an_ca_wrap_basic(struct an_buf *ret, size_t start);
an_code an_ca_check_responder(struct an_cert *issuer, struct an_cert *responder, const struct an_signer *key,
                              struct an_err *reterr) AN_MUST_USE;
/* CertID by SHA-1: what every client knows. */
void an_ca_put_cert_id(struct an_der_out *out, const struct an_cert *issuer, an_bytes serial);
