/*
 * The audit log: append-only, written in the same transaction as what it tells of, hash-chained and gathered in a
 * Merkle tree (RFC 9162, 2.1) whose signed and time-stamped heads (checkpoints) let an outsider find every change.
 *
 * An entry is the bytes 01, the moment (8 bytes, big-endian seconds), then action, actor, role, object, outcome,
 * citation, detail, each as 4 bytes of length and UTF-8. leaf = SHA-256(00 || entry), node = SHA-256(01 || left ||
 * right), chain(n) = SHA-256(02 || chain(n-1) || leaf(n)), chain(0) = 32 zero bytes.
 */
#pragma once

#include "base/time.h"
#include "crypto/crypto.h"
#include "store/store.h"

struct an_audit_event {
    an_time at;
    const char *action;    /* "certificate.issue": the words of docs/glossary.md */
    const char *actor;     /* who: a person's number, "system", a peer's address when nobody is known yet */
    const char *role;      /* in which role: "so-khcn"; "" = none */
    const char *object;    /* what: "certificate:SERIAL", "request:NUMBER" */
    const char *outcome;   /* "done", "refused", "failed" */
    const char *citation;  /* the article it rests on; "" = none */
    const char *detail;    /* JSON object, facts only; no secrets, no personal data beyond identifiers; "" = none */
};
/* Makes the store hash what works append; once, after it was opened (an_instance_open does it). */
void an_audit_attach(struct an_store *store);
/* Adds one event. Its place and hash are fixed at the commit. NULL reads as "". AN_E_AUDIT_EVENT: no action, or text
 * that is not UTF-8 or does not show as it is (whoever reads an export reads what was written); AN_E_LIMIT. */
an_code an_audit_append(struct an_tx *tx, const struct an_audit_event *event, struct an_err *reterr) AN_MUST_USE;

/* ---- reading ---- */
struct an_audit_entry { int64_t seq; struct an_audit_event event; an_bytes chain; }; /* borrowed for the call */
typedef an_code (*an_audit_entry_fn)(void *context, const struct an_audit_entry *entry, struct an_err *reterr);
struct an_audit_search {
    int64_t after;              /* seq; 0 = from the first */
    an_time from, to;           /* from ≤ at < to; 0, 0 = ever */
    const char *object, *actor; /* NULL = any */
    const char *action;         /* its beginning; NULL = any */
    int64_t limit;              /* 0 = all */
};
/* Looking at the log is an event itself, appended first: viewer says who looks. */
an_code an_audit_list(struct an_store *store, const struct an_audit_search *search, const char *viewer,
                      an_audit_entry_fn each, void *context,
                      struct an_err *reterr) AN_MUST_USE;

/* ---- checkpoints: signed heads ---- */
struct an_signer;
struct an_cert;
struct an_certs;
struct an_audit_signing {
    const char *instance;          /* named in the statement */
    struct an_signer *signer;
    struct an_cert *cert;
    const struct an_certs *chain;  /* embedded; may be NULL */
    /* A time-stamp token over the digest, or NULL when no TSA is configured. */
    an_code (*stamp)(void *context, enum an_digest digest, an_bytes imprint, struct an_buf *ret_token,
                     struct an_err *reterr);
    void *stamp_context;
};
/* Signs what stands in the log now; *ret_size = its size, 0 when nothing was added since the last checkpoint. */
an_code an_audit_checkpoint(struct an_store *store, const struct an_audit_signing *signing, int64_t *ret_size,
                            struct an_err *reterr) AN_MUST_USE;

/* ---- verifying: everything is computed again, by as many threads as the machine has ---- */
enum an_audit_fault {
    AN_AUDIT_MISSING = 0, /* no row first…last */
    AN_AUDIT_CHANGED,     /* row first is not the one that was chained (or its hash was changed) */
    AN_AUDIT_NODE,        /* rows first…last do not give the stored hash of their subtree: the chain was made anew */
    AN_AUDIT_HEAD,        /* the log ends elsewhere than its head says: rows after first are cut off or put on */
    AN_AUDIT_CHECKPOINT,  /* rows first…last are not those that were signed */
    AN_AUDIT_SIGNATURE,   /* the checkpoint at last is not signed as it should be */
    /* rows first…last are not those whose head was kept outside of the store: rolled back, exchanged, made anew */
    AN_AUDIT_KEPT,
};
struct an_audit_finding { enum an_audit_fault fault; int64_t first, last; };
struct an_audit_report {
    int64_t size;
    uint8_t root[32], chain[32];
    size_t checkpoints, stamped;
    int64_t signed_size;      /* of the last good checkpoint */
    /* in the order of the rows; at most AN_LIMIT_AUDIT_FINDINGS */
    struct an_audit_finding *findings; size_t finding_count;
};
/* signers: whose checkpoints are accepted; NULL = any certificate that comes with the signature. A damaged log is a
 * verdict (findings), not a failure. */
an_code an_audit_verify(struct an_store *store, const struct an_certs *signers, struct an_audit_report *ret,
                        struct an_err *reterr) AN_MUST_USE;
void an_audit_report_done(struct an_audit_report *report);

/* ---- proofs (RFC 9162, 2.1.3 and 2.1.4): hashes of 32 bytes, one after the other ---- */
an_code an_audit_inclusion(struct an_store *store, int64_t seq, int64_t size, struct an_buf *ret,
                           struct an_err *reterr) AN_MUST_USE;
an_code an_audit_consistency(struct an_store *store, int64_t size_before, int64_t size, struct an_buf *ret,
                             struct an_err *reterr) AN_MUST_USE;
an_code an_audit_root(struct an_store *store, int64_t size, uint8_t ret[static 32], struct an_err *reterr) AN_MUST_USE;

/* ---- export: JSON lines that antin-audit-verify checks without us (src/audit/outside.c says how they look) ---- */
an_code an_audit_export(struct an_store *store, const char *instance, const char *viewer, const char *path,
                        struct an_err *reterr) AN_MUST_USE;
