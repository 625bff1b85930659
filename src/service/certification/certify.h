/*
 * Certification: issue, renew, change, revoke, hold, release, expire. One function per act: authorise, check, sign
 * outside the transaction, then certificate, status, first status answer, approval and audit entry in one commit.
 * Idempotent: the same request key with the same request is the same answer. A crash anywhere leaves all of it or
 * nothing.
 */
#pragma once

#include "ca/ca.h"
#include "ca/register.h"

struct an_actor { const char *id, *role; }; /* who acts, in which role: "can-bo-cap-chung-thu" */

/* A decided matter that an act rests on (decision/decision.h); the matter must be about this. NULL where none is needed
 * (service/certification/quorum.h). act NULL: the matter was looked at when what stands in between was allowed, as an
 * enrolment. */
struct an_reliance { int64_t matter; const char *act, *object; uint8_t facts[32]; };

/* The first status answer of a new certificate. make signs it, outside the transaction; put writes it, in the commit of
 * the certificate. */
struct an_first_answer {
    an_code (*make)(void *context, const struct an_authority *authority, struct an_cert *cert, an_time now,
                    struct an_buf *ret, struct an_err *reterr);
    an_code (*put)(void *context, struct an_tx *tx, int64_t certificate, an_bytes answer, an_time now,
                   struct an_err *reterr); /* certificate: its number in the register */
    void *context;
};
struct an_certifier_setup {
    struct an_store *store;
    const char *profiles_dir; /* NULL = that of the data folder */
    /* A signer on an authority's key; the certifier closes it. */
    an_code (*open_key)(void *context, const char *key, struct an_signer **ret, struct an_err *reterr);
    void *key_context;
    const struct an_first_answer *first_answer; /* copied; NULL = none */
    void (*announce)(void *context);            /* after the commit of a change of status; NULL = nobody to tell */
    void *announce_context;
};
struct an_certifier; /* thread-safe */
an_code an_certifier_open(const struct an_certifier_setup *setup, struct an_certifier **ret,
                          struct an_err *reterr) AN_MUST_USE;
void an_certifier_close(struct an_certifier **certifier);
/* Authorities were added or retired: looks again. */
an_code an_certifier_reload(struct an_certifier *certifier, struct an_err *reterr) AN_MUST_USE;
const struct an_profiles *an_certifier_profiles(const struct an_certifier *certifier);
const struct an_rules *an_certifier_rules(const struct an_certifier *certifier);

struct an_certified {
    struct an_cert *cert, *issuer; /* counted: an_certified_done */
    int64_t id;
    bool is_repeated; /* it was there already, under the same request key */
};
void an_certified_done(struct an_certified *certified); /* for AN_CLEANUP too */

struct an_certify {
    const char *request_key;    /* idempotency, 1–128 octets: "request:12/item:3" */
    const char *profile;
    const char *authority;      /* name or line; NULL = the one active issuing authority */
    const struct an_name_part *subject; size_t subject_count; /* most general first */
    const char *email;          /* NULL = none */
    an_bytes csr;               /* DER: its proof of possession is checked; or */
    an_bytes spki;              /* of a key that the caller made inside a token */
    an_time not_before, not_after; /* AN_TIME_NONE = now, the usual term */
    const char *subscriber, *device; /* numbers in the register of subscribers; NULL = none */
    const struct an_reliance *reliance;
    struct an_actor actor;
};
/* Fails with what an_ca_issue says, AN_E_CERTIFY_AUTHORITY, AN_E_CA_REQUEST (the key was used for another request),
 * AN_E_CA_ROLE, AN_E_CSR_*, AN_E_DECISION_*. */
an_code an_certify_issue(struct an_certifier *certifier, const struct an_certify *what, struct an_certified *ret,
                         struct an_err *reterr) AN_MUST_USE;

struct an_recertify {
    const char *request_key;
    const char *serial;         /* of the certificate that is followed, hex */
    an_bytes csr, spki;         /* a new key; both empty = the same key */
    /* change only: what becomes of the information; 0 and NULL = as it is */
    const struct an_name_part *subject; size_t subject_count;
    const char *email;
    an_time not_after;          /* renew only; AN_TIME_NONE = the usual term of a renewal */
    const char *device;         /* NULL = the same */
    const struct an_reliance *reliance;
    struct an_actor actor;
};
/* Renewal: at most renewal.times-max, with days-left-min left, for at most three years (NĐ 68/2024 Điều 9, 12).
 * AN_E_CERTIFY_RENEW, AN_E_CERTIFY_LATE, AN_E_CERTIFY_STATUS, AN_E_CERTIFY_FOLLOWED. The earlier certificate stays
 * good. */
an_code an_certify_renew(struct an_certifier *certifier, const struct an_recertify *what, struct an_certified *ret,
                         struct an_err *reterr) AN_MUST_USE;
/* Change of information (NĐ 68/2024 Điều 15): the end is kept; the earlier certificate is revoked as superseded in the
 * same commit. */
an_code an_certify_change(struct an_certifier *certifier, const struct an_recertify *what, struct an_certified *ret,
                          struct an_err *reterr) AN_MUST_USE;

struct an_withdraw {
    const char *request_key;
    const char *serial;         /* hex */
    const char *ground;         /* id in profiles/rules/thu-hoi.yaml; release: NULL */
    an_time invalid_since;      /* since when the key may be known to others; AN_TIME_NONE = not said */
    const struct an_reliance *reliance;
    struct an_actor actor;
};
an_code an_certify_revoke(struct an_certifier *certifier, const struct an_withdraw *what,
                          struct an_err *reterr) AN_MUST_USE;
/* ground NULL = tam-dung */
an_code an_certify_hold(struct an_certifier *certifier, const struct an_withdraw *what,
                        struct an_err *reterr) AN_MUST_USE;
an_code an_certify_release(struct an_certifier *certifier, const struct an_withdraw *what,
                           struct an_err *reterr) AN_MUST_USE;
/* Marks what has ended before now as expired; *ret_count = how many. */
an_code an_certify_expire(struct an_store *store, an_time now, int64_t *ret_count, struct an_err *reterr) AN_MUST_USE;

/* A copy of one row; texts live in the arena. */
an_code an_certify_find(struct an_certifier *certifier, const char *serial, struct an_arena *arena,
                        struct an_certificate *ret, struct an_err *reterr) AN_MUST_USE;
