/*
 * The two signers of an instance that speak for itself: of the audit log ("nhat-ky") and of enrolment ("dang-ky"). Each
 * has a key in antin-key and certificates in the register, the newest of which is used; what was signed before keeps
 * its own.
 */
#pragma once

#include "service/certification/certify.h"
#include "service/instance/init.h"

enum an_own_signer { AN_OWN_AUDIT = 0, AN_OWN_ENROL, AN_OWN_SIGNERS };

/* The name of its key and profile. */
const char *an_own_signer_name(enum an_own_signer which);
/* antin init: key and certificate, by the first issuing authority, unless they are there; nothing where none issues. */
an_code an_own_signer_init(struct an_instance *instance, enum an_own_signer which, const struct an_init_plan *plan,
                           struct an_err *reterr) AN_MUST_USE;
/* Within a transaction: its newest certificate; *ret stays NULL when there is none. The caller unrefs it. */
an_code an_own_signer_find(struct an_tx *tx, enum an_own_signer which, struct an_cert **ret,
                           struct an_err *reterr) AN_MUST_USE;
/* All its certificates, the first one first: what was signed before a renewal stays signed. */
an_code an_own_signer_all(struct an_tx *tx, enum an_own_signer which, struct an_certs *ret,
                          struct an_err *reterr) AN_MUST_USE;
/* A new certificate of the same key: a service that runs goes over to it by itself. */
an_code an_own_signer_renew(struct an_instance *instance, enum an_own_signer which, const struct an_reliance *reliance,
                            const struct an_actor *actor, struct an_cert **ret, struct an_err *reterr) AN_MUST_USE;
