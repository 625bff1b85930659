/*
 * Rules of certification that are not one kind of certificate's: grounds of revocation (NĐ 68/2024 Điều 17) with the
 * CRL reason each becomes, and who may do what. Data: profiles/rules/thu-hoi.yaml, vai-tro.yaml.
 */
#pragma once

#include "ca/profile.h"
#include "x509/status.h"

struct an_ground {
    const char *id, *vi, *en, *citation;
    const char *who;     /* whose request it needs */
    const char *subject; /* "all", "person", "agency", "device" */
    enum an_crl_reason reason;
};
struct an_rules;
/* From the folder the profiles came from. Borrowed until free. */
an_code an_rules_open(const struct an_profiles *profiles, struct an_rules **ret, struct an_err *reterr) AN_MUST_USE;
void an_rules_free(struct an_rules **rules);
size_t an_rules_ground_count(const struct an_rules *rules);
const struct an_ground *an_rules_ground_at(const struct an_rules *rules, size_t place);
/* AN_E_CA_GROUND lists what there is. */
an_code an_rules_ground(const struct an_rules *rules, const char *id, const struct an_ground **ret,
                        struct an_err *reterr) AN_MUST_USE;
/* May this role do this act? AN_E_CA_ROLE. *ret_citation: the article of the act. */
an_code an_rules_require(const struct an_rules *rules, const char *act, const char *role, const char **ret_citation,
                         struct an_err *reterr) AN_MUST_USE;
const char *an_reason_name(enum an_crl_reason reason); /* "keyCompromise" */
