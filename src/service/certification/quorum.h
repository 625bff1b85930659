/*
 * Which acts of certification need the approval of several persons (antin.yaml, section approval), and how many. What
 * is in force stands in the store (approval_rule), which refuses an act without its matter; here it is refused before
 * anything is signed, with its reason. docs/decisions/110-approval-of-acts.md.
 */
#pragma once

#include "service/certification/certify.h"
#include "service/instance/instance.h"

enum an_quorum_act { AN_QUORUM_ISSUE = 0, AN_QUORUM_RENEW, AN_QUORUM_CHANGE, AN_QUORUM_REVOKE, AN_QUORUM_HOLD,
                    AN_QUORUM_RELEASE, AN_QUORUM_SIGN, AN_QUORUM_ROLL, AN_QUORUM_OFFICER,
                     AN_QUORUM_ACTS };
struct an_quorum { int64_t needed[AN_QUORUM_ACTS]; }; /* approvals; 0 = none */
/* "certificate.issue" …; in the configuration the last word of it, or "officer". */
const char *an_quorum_act_name(enum an_quorum_act act);

/* What is in force. */
an_code an_quorum_load(struct an_tx *tx, struct an_quorum *ret, struct an_err *reterr) AN_MUST_USE;
/* AN_E_CERTIFY_APPROVAL when the act needs approval and rests on nothing. */
an_code an_quorum_require(const struct an_quorum *quorum, const char *act, const struct an_reliance *reliance,
                          struct an_err *reterr) AN_MUST_USE;
/* The same for acts of authorities and officers: also whether the matter is decided, by as many as are needed. */
an_code an_quorum_require_now(struct an_instance *instance, const char *act, const struct an_reliance *reliance,
                              struct an_err *reterr) AN_MUST_USE;

/* What the configuration asks for, given the officers that there are now. */
an_code an_quorum_wanted(struct an_instance *instance, struct an_quorum *ret, struct an_err *reterr) AN_MUST_USE;
/* The bytes whose SHA-256 is decided on when less is to be asked for: a line "act: number" each. */
void an_quorum_facts(const struct an_quorum *quorum, struct an_buf *ret);
/* Puts into force what the configuration asks for beyond what is; with a matter ("approval.rules" about
 * "approval.rules") also less. Each change is told to the log. *ret: what is in force then. */
an_code an_quorum_follow(struct an_instance *instance, const struct an_reliance *reliance, const struct an_actor *actor,
                         struct an_quorum *ret, struct an_err *reterr) AN_MUST_USE;

/* Officers: registered and ended, on approval where it is asked for; the rules that the number of officers calls for
 * come into force. */
an_code an_quorum_officer_add(struct an_instance *instance, const char *person, const char *role, struct an_cert *cert,
                              const struct an_reliance *reliance, const struct an_actor *actor,
                              struct an_err *reterr) AN_MUST_USE;
an_code an_quorum_officer_end(struct an_instance *instance, const char *person, const struct an_reliance *reliance,
                              const struct an_actor *actor, struct an_err *reterr) AN_MUST_USE;

an_code an_config_check_approval(const struct an_config *config, const struct an_yaml_node *section,
                                 struct an_err *reterr) AN_MUST_USE;
/* Which acts will need approval once there are officers, as the configuration says it: for config check. Borrowed from
 * the configuration. */
an_code an_config_approval_acts(const struct an_config *config, const char **ret, struct an_err *reterr) AN_MUST_USE;
