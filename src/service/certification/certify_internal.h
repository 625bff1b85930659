/* What the files of certification share. Not for other rooms. */
#pragma once

#include <pthread.h>

#include "service/certification/certify.h"
#include "service/certification/quorum.h"

struct certify_key { int64_t authority; struct an_signer *signer; };
struct certify_template { int64_t authority; const struct an_profile *profile; struct an_template *template; };
AN_VEC(certify_keys, struct certify_key);
AN_VEC(certify_templates, struct certify_template);

/* What is known of the authorities, until the next reload; counted, so that who works with it keeps it. */
struct certify_world {
    struct an_authorities authorities;
    struct an_quorum quorum;
    struct certify_keys keys;
    struct certify_templates templates;
    pthread_mutex_t lock; /* over keys and templates, which only grow */
    unsigned refs;
};
struct an_certifier {
    struct an_certifier_setup setup;
    struct an_first_answer first_answer;
    struct an_profiles *profiles;
    struct an_rules *rules;
    pthread_mutex_t lock; /* over world */
    struct certify_world *world;
};

/* ---- certifier.c ---- */
struct certify_world *certify_world_take(struct an_certifier *certifier);
void certify_world_give(struct certify_world **world); /* for AN_CLEANUP */
an_code certify_authority(const struct certify_world *world, const char *name, const struct an_authority **ret,
                          struct an_err *reterr) AN_MUST_USE;
an_code certify_template_of(struct an_certifier *certifier, struct certify_world *world,
                            const struct an_authority *authority, const struct an_profile *profile,
                            const struct an_template **ret, struct an_err *reterr) AN_MUST_USE;

/* ---- certify.c ---- */
an_code certify_check_key(const char *request_key, struct an_err *reterr) AN_MUST_USE;
an_code certify_audit(struct an_tx *tx, const char *act, const struct an_actor *actor, an_bytes serial,
                      const char *citation, const char *detail, an_time now, struct an_err *reterr) AN_MUST_USE;
an_code certify_rely(struct an_tx *tx, const struct an_reliance *reliance, struct an_err *reterr) AN_MUST_USE;
/* A certificate on its way into the register. */
struct certify_job {
    struct an_certifier *certifier;
    const struct an_authority *authority;
    const struct an_reliance *reliance;
    const struct an_actor *actor;
    const char *act, *citation; /* certificate.issue … */
    struct an_registration registration;
    struct an_register_texts texts;
    const struct an_certificate *before; /* what it follows; NULL = nothing */
    const struct an_ground *ground;      /* with which that is revoked; NULL = it is not */
    an_bytes answer;
    an_time now;
    /* answers */
    int64_t id;
};
an_code certify_sign_and_store(struct certify_job *job, const struct certify_world *world,
                               const struct an_template *template, const struct an_issue *issue,
                               struct an_certified *ret,
                               struct an_err *reterr) AN_MUST_USE;
/* What an earlier request of this key made; AN_E_CA_REQUEST when that was another request. */
an_code certify_give_earlier(const struct certify_job *job, const struct certify_world *world, struct an_certified *ret,
                             struct an_err *reterr) AN_MUST_USE;
/* ---- certify_status.c ---- */
an_code certify_status_in(struct an_tx *tx, const struct an_certificate *certificate, enum an_certificate_status to,
                          const struct an_ground *ground, an_time invalid_since, an_time now,
                          struct an_err *reterr) AN_MUST_USE;
