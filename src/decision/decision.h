/*
 * A decision by a person: a CMS signature by that person's own token over the exact bytes of what is decided. Quorum
 * (n of m), no self-approval, no double role, one vote a person and a token: kept by the database
 * (sql/migrations/0002-ca.sql). An outsider can check all of it offline, with openssl alone.
 */
#pragma once

#include "base/time.h"
#include "store/store.h"
#include "token/token.h"
#include "x509/path.h"

/* What is decided, as the bytes that are signed: one line "key: value" each, in the order of the alphabet, NFC, LF at
 * the end:
 *   act: certificate.revoke
 *   at: 2026-01-31T08:00:00Z
 *   decision: approve
 *   facts: sha256 in hex
 *   instance: identity of the instance
 *   object: certificate:0A1B…
 *   person: the number of who decides
 *   reason: …            (left out when there is none)
 *   role: in which role */
struct an_decision {
    const char *act;       /* "request.approve", "certificate.revoke", "ceremony.step" */
    const char *object;    /* "request:12/item:3" */
    const char *decision;  /* "approve", "refuse" */
    const char *reason;    /* "" = none */
    an_time at;
    uint8_t facts[32];     /* SHA-256 of the canonical form of what lies before the person */
    const char *person, *role, *instance;
};
/* The bytes to sign. AN_E_DECISION_FORM when a value is missing, has a line end or is not UTF-8. */
an_code an_decision_statement(const struct an_decision *decision, struct an_buf *ret,
                              struct an_err *reterr) AN_MUST_USE;
/* Reads them back; texts live in the arena. AN_E_DECISION_FORM unless it is exactly what an_decision_statement
 * writes. */
an_code an_decision_parse(an_bytes statement, struct an_arena *arena, struct an_decision *ret,
                          struct an_err *reterr) AN_MUST_USE;

/* The person signs: a detached CMS with SigningCertificateV2 and the certificate. */
an_code an_decision_sign(an_bytes statement, struct an_cert *cert, struct an_signer *signer, struct an_buf *ret,
                         struct an_err *reterr) AN_MUST_USE;

/* Whose signatures count. */
struct an_decision_trust {
    /* these certificates themselves: officers before there is an authority; may be NULL */
    const struct an_certs *pinned;
    const struct an_certs *anchors, *untrusted;   /* paths to these; may be NULL */
    const struct an_crls *crls;
    const struct an_ocsps *ocsps;
    enum an_revocation_mode revocation;
};
/* The signature is right, over these bytes, made by a certificate that counts at that moment and may sign. *ret_signer
 * is counted. AN_E_DECISION_SIGNATURE, AN_E_DECISION_SIGNER. */
an_code an_decision_check(an_bytes statement, an_bytes cms, const struct an_decision_trust *trust, an_time at,
                          struct an_cert **ret_signer,
                          struct an_err *reterr) AN_MUST_USE;

/* ---- matters: what is decided by several ---- */
struct an_matter {
    const char *act, *object, *proposer; /* proposer: who asks, and so never approves */
    uint8_t facts[32];
    int64_t needed; /* approvals */
};
/* Opens it, or finds the one that is open: the same act on the same object with the same facts is one matter. Without a
 * proposer it is found only. AN_E_DECISION_MATTER when it is there with another proposer or number. */
an_code an_matter_open(struct an_tx *tx, const struct an_matter *matter, an_time now, int64_t *ret_id,
                       struct an_err *reterr) AN_MUST_USE;

struct an_vote {
    an_bytes statement, cms; /* what the person signed, checked with an_decision_check by the caller */
    struct an_cert *signer;
};
struct an_matter_state { int64_t id, needed, approvals, refusals; an_time opened_at, sealed_at;
                        /* sealed_at AN_TIME_NONE = not decided */ };
/* Records a vote; the last approval seals the matter. The statement must be of this matter, its moment not before the
 * matter was opened and not later than now. AN_E_DECISION_SELF, _TWICE, _MATTER, _CLOSED. The same vote again changes
 * nothing. */
an_code an_matter_vote(struct an_tx *tx, int64_t matter, const struct an_vote *vote, an_time now,
                       struct an_matter_state *ret, struct an_err *reterr) AN_MUST_USE;
an_code an_matter_find(struct an_tx *tx, int64_t matter, struct an_matter_state *ret,
                       struct an_err *reterr) AN_MUST_USE;
/* Its act, object and facts as they stand: who relies on a matter asks that it is about what he does.
 * AN_E_DECISION_OPEN until it is sealed, AN_E_DECISION_MATTER when it is another. */
an_code an_matter_require(struct an_tx *tx, int64_t matter, const char *act, const char *object,
                          const uint8_t facts[static 32], struct an_err *reterr) AN_MUST_USE;
/* Each vote, in the order they were given. */
struct an_voted { const char *person, *role; bool approves; an_time at; an_bytes certificate; };
typedef an_code (*an_voted_fn)(void *context, const struct an_voted *vote, struct an_err *reterr);
an_code an_matter_votes(struct an_tx *tx, int64_t matter, an_voted_fn each, void *context,
                        struct an_err *reterr) AN_MUST_USE;
/* Everything an outsider needs, as one text file: for every vote the statement, the signature (PEM CMS) and the
 * certificate (PEM), between lines that say what they are. */
an_code an_matter_export(struct an_tx *tx, int64_t matter, struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;

/* ---- officers: who decides before anybody has a certificate of the authority itself ---- */
an_code an_officer_add(struct an_tx *tx, const char *person, const char *role, struct an_cert *cert, an_time now,
                       struct an_err *reterr) AN_MUST_USE;
an_code an_officer_end(struct an_tx *tx, const char *person, an_time now, struct an_err *reterr) AN_MUST_USE;
typedef an_code (*an_officer_fn)(void *context, const char *person, const char *role, an_bytes certificate,
                                 struct an_err *reterr);
an_code an_officer_each(struct an_tx *tx, an_officer_fn each, void *context, struct an_err *reterr) AN_MUST_USE;
