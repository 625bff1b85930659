/*
 * Certification: profiles, certificates, CRLs, OCSP answers and time-stamp tokens. In this state: enough for a
 * demonstration authority and the tests; profiles follow the fielded certificates (law.md §2.11).
 */
#pragma once

#include "cms/cms.h"
#include "token/token.h"

enum an_profile_id { AN_PROFILE_ROOT = 0, AN_PROFILE_ISSUING, AN_PROFILE_PERSON, AN_PROFILE_AGENCY, AN_PROFILE_DEVICE, AN_PROFILE_OCSP, AN_PROFILE_TSA };

struct an_issue {
    enum an_profile_id profile;
    const struct an_name_part *subject; size_t subject_count; /* most general first: C, L, O, OU…, CN */
    const char *email;                /* rfc822Name; NULL = none */
    an_bytes spki;                    /* of the subject */
    an_time not_before, not_after;
    const char *crl_url, *issuer_url, *ocsp_url, *policy_oid, *cps_url; /* NULL = left out */
};
/* Signs a certificate. issuer NULL = self-signed by `key`. Serial: 20 random bytes (positive). not_after never passes
 * the issuer's: a later one is cut to it. AN_E_CA_VALIDITY when the profile's years are passed (NĐ 68/2024 Điều 9). */
an_code an_ca_issue(const struct an_issue *what, struct an_cert *issuer, struct an_signer *key, struct an_cert **ret,
                    struct an_err *reterr) AN_MUST_USE;

struct an_revocation { an_bytes serial; an_time at; enum an_crl_reason reason; };
an_code an_ca_crl(struct an_cert *issuer, struct an_signer *key, const struct an_revocation *revoked, size_t count,
                  uint64_t number, an_time this_update, an_time next_update, struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
an_code an_ca_ocsp(struct an_cert *issuer, struct an_cert *responder, struct an_signer *key, struct an_cert *subject,
                   const struct an_revocation *revoked /* NULL = good */, an_time this_update, an_time next_update,
                   an_bytes nonce, struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;

struct an_tsa {
    struct an_signer *key; struct an_cert *cert; const struct an_certs *chain;
    const char *policy_oid; int64_t accuracy_ms;
};
/* Answers a TimeStampReq with a TimeStampResp (granted or a refusal with its reason). Fails only when the service itself
 * cannot work: its certificate, its key. */
an_code an_tsa_answer(const struct an_tsa *tsa, an_bytes request, an_time now, struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
