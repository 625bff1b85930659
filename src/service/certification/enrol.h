/*
 * Enrolment of devices, services and software bound to an instance: approvals that people give, and the host
 * (enrol/enrol.h) that carries out what a machine asks for. Subject and profile are those of the approval; renewal and
 * revocation follow the rules of service/certification/certify.h; every act stands in the log with its article.
 */
#pragma once

#include "enrol/approval.h"
#include "service/certification/certify.h"
#include "service/instance/instance.h"

/* ---- approvals ---- */
struct an_enrol_allowance {
    const char *item;       /* what was approved: "request:12/item:3"; one allowance an item */
    const char *profile;    /* of devices, services, software; NULL = "thiet-bi" */
    const char *authority;  /* NULL = the only one that issues */
    const char *subject;    /* "C=VN, O=…, CN=…", as it will stand in the certificate */
    const char *email;      /* NULL = none */
    const char *subscriber, *agency; /* numbers in the register; NULL = none */
    int64_t months;         /* of validity; 0 = usual */
    int64_t days;           /* until the reference runs out; 0 = 14 */
    /* the decided matter, where service/certification/quorum.h asks for one (certificate.issue); NULL = none */
    const struct an_reliance *reliance;
    bool is_waiting;        /* the reference may be handed out now; certificates only after an_enrol_open */
    struct an_actor actor;
};
/* In the caller's transaction, with its audit entry. The same item again answers the same reference (its secret, too).
 * AN_E_ENROL_APPROVAL, AN_E_ENROL_PROFILE, AN_E_CA_ROLE (profiles/rules/vai-tro.yaml). */
an_code an_enrol_allow(struct an_tx *tx, const struct an_profiles *profiles, const struct an_rules *rules,
                       const struct an_enrol_allowance *what,
                       struct an_approval *ret, struct an_err *reterr) AN_MUST_USE;
/* Whoever hands the secret over asks for it (an_enrol_secret); told to the log. name: the reference, or what was
 * approved. AN_E_ENROL_REFERENCE, AN_E_CA_ROLE. */
an_code an_enrol_tell(struct an_tx *tx, const struct an_rules *rules, const char *name, const struct an_actor *actor,
                      struct an_approval *ret, struct an_err *reterr) AN_MUST_USE;
/* What waits is approved now; what is open, or waits, is taken back. AN_E_ENROL_STATE. */
an_code an_enrol_open(struct an_tx *tx, const struct an_rules *rules, const char *reference,
                      const struct an_actor *actor, struct an_err *reterr) AN_MUST_USE;
an_code an_enrol_withdraw(struct an_tx *tx, const struct an_rules *rules, const char *reference,
                          const struct an_actor *actor, struct an_err *reterr) AN_MUST_USE;
/* The secret that goes with it; made of the instance's key (made when it is not there yet). */
an_code an_enrol_secret(struct an_instance *instance, const struct an_approval *approval, struct an_secret **ret,
                        struct an_err *reterr) AN_MUST_USE;

/* ---- the service ---- */
struct an_enrol_setup {
    struct an_instance *instance;
    struct an_certifier *certifier;
    /* of "dang-ky", purpose enrol; NULL = messages signed by certificates get unprotected answers */
    struct an_signer *signer;
};
struct an_enrol_service; /* thread-safe; setup is borrowed until the close */
an_code an_enrol_service_open(const struct an_enrol_setup *setup, struct an_enrol_service **ret,
                              struct an_err *reterr) AN_MUST_USE;
void an_enrol_service_close(struct an_enrol_service **service);
const struct an_enrol_host *an_enrol_service_host(const struct an_enrol_service *service);
const struct an_profiles *an_enrol_service_profiles(const struct an_enrol_service *service);
/* What was refused and only counted is told to the log: before a process ends. */
void an_enrol_service_leave(struct an_enrol_service *service, an_time now);
/* Certificates that nobody confirmed in time are revoked, old exchanges forgotten, refusals of the last hour told to
 * the log. Called now and then; does nothing when it ran within the minute. */
an_code an_enrol_service_tend(struct an_enrol_service *service, an_time now, struct an_err *reterr) AN_MUST_USE;

/* antin init: key and certificate of the registration signer ("dang-ky"), issued by the first issuing authority and
 * kept in the register. Idempotent. open_key makes or opens the key of that name. */
struct an_init_plan;
an_code an_enrol_init(struct an_instance *instance, const struct an_init_plan *plan, struct an_err *reterr) AN_MUST_USE;
/* Its certificate from the register; NULL in *ret when there is none. */
an_code an_enrol_signer_cert(struct an_store *store, struct an_cert **ret, struct an_err *reterr) AN_MUST_USE;
/* The trust list in force, published when it is time (service/certification/trust_list.h). */
an_code an_enrol_trust_list(const struct an_enrol_service *service, an_time now, struct an_buf *ret_list,
                            struct an_buf *ret_signature,
                            struct an_err *reterr) AN_MUST_USE;

/* The section `enrol` of the configuration. */
struct an_config_enrol { int64_t confirm_minutes, poll_seconds, clock_skew_seconds, trust_list_days; };
an_code an_config_read_enrol(const struct an_config *config, struct an_config_enrol *ret,
                             struct an_err *reterr) AN_MUST_USE;
