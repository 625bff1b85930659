/*
 * Verification policies: files policies/<id>.yaml that say which trust domain, which algorithms until when, how fresh
 * a status must be, and on which article each rule rests. verify/ carries them out; nothing here calculates anything.
 */
#pragma once

#include "regulation/regulation.h"

enum an_policy_anchors {
    AN_ANCHORS_PINNED = 0, /* only the certificates named below, by SHA-256 */
    AN_ANCHORS_GIVEN
}; /* whatever the caller trusts */
enum an_policy_revocation {
    AN_POLICY_REVOCATION_NONE = 0,
    AN_POLICY_REVOCATION_IF_AVAILABLE,
    AN_POLICY_REVOCATION_REQUIRE
};
enum an_policy_sig { AN_POLICY_RSA_PKCS1 = 0, AN_POLICY_RSA_PSS, AN_POLICY_ECDSA, AN_POLICY_EDDSA, AN_POLICY_DSA };

struct an_policy_anchor {
    uint8_t sha256[32];
    const char *name, *note; /* note may be NULL */
};
/* One row: this kind of signature with any of these digests and a key of at least bits_min is accepted before until. */
struct an_policy_algorithm {
    enum an_policy_sig kind;
    const char *const *digests;
    size_t digest_count; /* names as an_digest_name; none for EdDSA */
    int64_t bits_min;
    an_time until;        /* AN_TIME_NONE = no end known */
    const char *citation; /* NULL when unconfirmed */
    bool unconfirmed;
    const char *note; /* NULL = nothing to report; else the verifier reports its use with these words */
};
/* Beyond the table: signatures made by one pinned certificate's key (the G1 pair signs with SHA-1). */
struct an_policy_exception {
    uint8_t signer_sha256[32];
    enum an_policy_sig kind;
    const char *digest;
    int64_t bits_min;
    const char *note_vi, *note_en; /* must be reported */
};
struct an_policy {
    const char *id, *name_vi, *name_en;
    const char *citation; /* of the whole, or NULL */
    const char *domain;   /* "cong-vu", "cong-cong", "noi-bo", "trung-lap": two domains are never crossed */
    enum an_policy_anchors anchor_rule;
    const struct an_policy_anchor *anchors;
    size_t anchor_count; /* self-signed roots: ends of a path */
    const struct an_policy_anchor *intermediates;
    size_t intermediate_count; /* known issuing authorities: identified by hash, never ends */
    bool any_algorithm;        /* the table is not applied: path rules alone */
    const struct an_policy_algorithm *algorithms;
    size_t algorithm_count;
    const struct an_policy_exception *exceptions;
    size_t exception_count;
    enum an_policy_revocation revocation;
    int64_t freshness_seconds; /* a status may be this much older than its nextUpdate; -1 = nextUpdate decides alone */
    int64_t grace_seconds;     /* status must have been issued this long after the signing time */
    bool online;               /* what happens without --online or --offline */
    bool time_stamp_required;
    bool attributes_required;   /* the signing-certificate attribute and the types that EN 319 122-1, 132-1 demand */
    bool trusted_signer_enough; /* a signer who is an anchor himself: his dates are not looked at (RFC 5280, 6.1.1 d) */
    bool legal_effect; /* the document's legal effect is classified (law: both signatures) */
    const char *path_citation, *algorithm_citation, *revocation_citation, *time_stamp_citation,
        *legal_citation; /* or NULL */
    const char *const *unconfirmed;
    size_t unconfirmed_count;
};
/* AN_E_POLICY_UNKNOWN lists the ids. Borrowed until an_regulations_close. */
an_code an_policy_find(struct an_regulations *regs, const char *id, const struct an_policy **ret,
                       struct an_err *reterr) AN_MUST_USE;
/* The file that a policy was read from: for a record of what decided. The caller frees. */
char *an_policy_path(const struct an_regulations *regs, const char *id) AN_MUST_USE;
typedef void (*an_policy_fn)(void *context, const struct an_policy *policy);
an_code an_policy_each(struct an_regulations *regs, an_policy_fn each, void *context,
                       struct an_err *reterr) AN_MUST_USE;

/* The row that accepts it at that moment, or NULL. digest as an_digest_name, "" for EdDSA. Says true in *ret_too_late
 * when a row would have accepted it earlier (a matter of time: INDETERMINATE, not failed). any_algorithm is the
 * caller's to look at first. */
const struct an_policy_algorithm *an_policy_allows(const struct an_policy *policy, enum an_policy_sig kind,
                                                   const char *digest, int64_t bits, an_time when, bool *ret_too_late);
/* The exception for this signer, or NULL. */
const struct an_policy_exception *an_policy_excepts(const struct an_policy *policy, const uint8_t signer_sha256[32],
                                                    enum an_policy_sig kind, const char *digest, int64_t bits);
