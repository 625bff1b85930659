/*
 * Matters of an instance: opened, voted on by persons with their own tokens, asked for. What a person signs is checked
 * against the officers of the instance and its own hierarchies before it is recorded.
 */
#pragma once

#include "decision/decision.h"
#include "service/certification/certify.h"
#include "service/instance/instance.h"

an_code an_decide_open(struct an_instance *instance, const struct an_matter *matter, int64_t *ret_id,
                       struct an_err *reterr) AN_MUST_USE;
struct an_decide_vote {
    int64_t matter;
    const char *person, *role, *reason; /* reason NULL = none */
    bool refuses;
    struct an_cert *cert;
    struct an_signer *signer;
};
/* Writes the statement, has it signed by the person's token, checks and records it. */
an_code an_decide_vote(struct an_instance *instance, const struct an_decide_vote *vote, struct an_matter_state *ret,
                       struct an_err *reterr) AN_MUST_USE;
/* The same for a signature that was made elsewhere. */
an_code an_decide_record(struct an_instance *instance, int64_t matter, an_bytes statement, an_bytes cms,
                         struct an_matter_state *ret, struct an_err *reterr) AN_MUST_USE;
an_code an_decide_find(struct an_instance *instance, int64_t matter, struct an_matter_state *ret,
                       struct an_err *reterr) AN_MUST_USE;
an_code an_decide_export(struct an_instance *instance, int64_t matter, struct an_buf *ret,
                         struct an_err *reterr) AN_MUST_USE;
