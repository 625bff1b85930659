/*
 * Certification: certificates by profile, CRLs, OCSP answers and time-stamp tokens. What is signed follows a profile
 * (ca/profile.h) and passes the linter (ca/lint.h) first. No register here: ca/register.h.
 */
#pragma once

#include "ca/clock.h"
#include "ca/profile.h"
#include "cms/cms.h"
#include "token/token.h"

/* Where readers of a certificate find what belongs to it; the issuer's. NULL = left out. */
struct an_places { const char *crl_url, *delta_url, *issuer_url, *ocsp_url, *cps_url; };

/* A profile, an issuer and its key, made ready once: what is the same in every certificate is encoded already.
 * Immutable, serves all threads. */
struct an_template;
/* issuer NULL = self-signed by `key`. profiles, profile and key are borrowed, issuer counted. AN_E_CA_ISSUER when this
 * certificate or key may not issue by this profile. */
an_code an_template_new(const struct an_profiles *profiles, const struct an_profile *profile, struct an_cert *issuer,
                        struct an_signer *key,
                        const struct an_places *places, struct an_template **ret, struct an_err *reterr) AN_MUST_USE;
void an_template_free(struct an_template **template);

struct an_issue {
    const struct an_name_part *subject; size_t subject_count; /* most general first, in the order of the profile */
    const char *email;                /* rfc822Name; NULL = none */
    an_bytes spki;                    /* of the subject */
    an_time not_before, not_after;    /* a later end than the issuer's is cut to it */
    bool is_renewed;                  /* the shorter term of a renewal (NĐ 68/2024 Điều 9) */
    an_bytes serial;                  /* INTEGER content; AN_NONE = 20 random octets */
    const char *crl_url;              /* of its partition; NULL = that of the template */
};
#define AN_SERIAL_SIZE 20 /* RFC 5280 4.1.2.2: the most that may be */
/* Positive, never shorter than 20 octets. */
an_code an_serial_random(uint8_t ret[static AN_SERIAL_SIZE], struct an_err *reterr) AN_MUST_USE;
/* Checks what is asked against the profile, writes the certificate, lints it, signs it, checks the signature, lints it
 * again. AN_E_CA_NAME, _EMAIL, _KEY, _TIME, _VALIDITY (NĐ 68/2024 Điều 9), _LINT. */
an_code an_ca_issue(const struct an_template *template, const struct an_issue *what, struct an_cert **ret,
                    struct an_err *reterr) AN_MUST_USE;

/* All three steps for one certificate: for authorities that make a handful. */
an_code an_ca_issue_once(const struct an_profiles *profiles, const char *profile_id, struct an_cert *issuer,
                         struct an_signer *key,
                         const struct an_places *places, const struct an_issue *what, struct an_cert **ret,
                         struct an_err *reterr) AN_MUST_USE;

/* A certification request of ours (PKCS#10), DER. */
an_code an_ca_request(const struct an_name_part *subject, size_t count, struct an_signer *key, struct an_buf *ret,
                      struct an_err *reterr) AN_MUST_USE;

struct an_revocation { an_bytes serial; an_time at; enum an_crl_reason reason; };
an_code an_ca_crl(struct an_cert *issuer, struct an_signer *key, const struct an_revocation *revoked, size_t count,
                  uint64_t number, an_time this_update, an_time next_update, struct an_buf *ret,
                  struct an_err *reterr) AN_MUST_USE;
an_code an_ca_ocsp(struct an_cert *issuer, struct an_cert *responder, struct an_signer *key, struct an_cert *subject,
                   const struct an_revocation *revoked /* NULL = good */, an_time this_update, an_time next_update,
                   an_bytes nonce, struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;

struct an_tsa {
    struct an_signer *key; struct an_cert *cert; const struct an_certs *chain;
    const char *policy_oid; int64_t accuracy_ms;
    bool ordering; /* every two tokens can be put in order by their time: only with one node and a good clock */
};
/* Answers a TimeStampReq with a TimeStampResp (granted or a refusal with its reason). Fails only when the service
 * itself cannot work: its certificate, its key. */
an_code an_tsa_answer(const struct an_tsa *tsa, an_bytes request, an_time now, struct an_buf *ret,
                      struct an_err *reterr) AN_MUST_USE;
/* The same by a clock that is checked. AN_E_TSA_CLOCK when it is not to be trusted: ret then holds the refusal
 * (timeNotAvailable), to be sent all the same. Times have milliseconds. */
an_code an_tsa_answer_by(const struct an_tsa *tsa, struct an_clock *clock, an_bytes request, struct an_buf *ret,
                         struct an_err *reterr) AN_MUST_USE;
/* Several that wait at once, at most AN_SIGNINGS_MAX, signed together; code and err are what an_tsa_answer_by would
 * say. */
struct an_tsa_turn { an_bytes request; struct an_buf *ret; an_code code; struct an_err err; };
void an_tsa_answer_many(const struct an_tsa *tsa, struct an_clock *clock, struct an_tsa_turn *turns, size_t count);
