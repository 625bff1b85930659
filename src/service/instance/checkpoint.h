/*
 * The signer of the audit log of an instance: its key "nhat-ky" (purpose audit), its certificate in the register, and
 * the checkpoints it signs, time-stamped when the section audit names a TSA.
 */
#pragma once

#include "service/instance/init.h"

struct an_keys;
struct an_certs;
struct an_audit_report;

/* The init step "audit": after the authorities. Without an authority there is no signer, and checkpoints are
 * refused. */
an_code an_checkpoint_init(struct an_instance *instance, const struct an_init_plan *plan,
                           struct an_err *reterr) AN_MUST_USE;
/* Enough events, or enough time with at least one, since the last checkpoint (section audit); whether a TSA is to stamp
 * it. */
an_code an_checkpoint_is_due(struct an_instance *instance, bool *ret, bool *ret_stamped,
                             struct an_err *reterr) AN_MUST_USE;
/* Signs what stands in the log now; *ret_size 0 = nothing new. keys NULL = opened here. AN_E_CHECKPOINT_SIGNER. */
an_code an_checkpoint_make(struct an_instance *instance, struct an_keys *keys, int64_t *ret_size, bool *ret_stamped,
                           struct an_err *reterr) AN_MUST_USE;
/* Whose checkpoints this instance has: the certificates of its signer in the register, all of them, as far as an
 * authority of its own issued them. */
an_code an_checkpoint_signers(struct an_instance *instance, struct an_certs *ret, struct an_err *reterr) AN_MUST_USE;
/* an_audit_verify, and against the head of the last checkpoint as this machine kept it (DIR/run/audit-head), which who
 * administers the database alone cannot change: a log that was rolled back or exchanged as a whole is a finding
 * (AN_AUDIT_KEPT). signers NULL = an_checkpoint_signers. */
an_code an_checkpoint_verify(struct an_instance *instance, const struct an_certs *signers, struct an_audit_report *ret,
                             struct an_err *reterr) AN_MUST_USE;
