/*
 * The audit log: append-only, written in the same transaction as what it tells of, hash-chained and gathered in a Merkle
 * tree (RFC 9162, 2.1) whose signed and time-stamped heads (checkpoints) let an outsider find every change.
 *
 * An entry is the bytes 01, the moment (8 bytes, big-endian seconds), then action, actor, role, object, outcome, citation,
 * detail, each as 4 bytes of length and UTF-8. leaf = SHA-256(00 || entry), node = SHA-256(01 || left || right),
 * chain(n) = SHA-256(02 || chain(n-1) || leaf(n)), chain(0) = 32 zero bytes.
 */
#pragma once

#include "base/time.h"
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
/* Adds one event. Its place and hash are fixed at the commit. NULL reads as "". AN_E_AUDIT_EVENT: no action, or text that
 * is not UTF-8; AN_E_LIMIT. */
an_code an_audit_append(struct an_tx *tx, const struct an_audit_event *event, struct an_err *reterr) AN_MUST_USE;
