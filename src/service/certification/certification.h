/*
 * The certification services of an instance: its certifier over the keys that antin-key holds, its authorities, and how
 * they are made: with the instance (antin init), by files that travel to an offline root, or by a roll-over of keys.
 */
#pragma once

#include "keys/keys.h"
#include "service/certification/certify.h"
#include "service/instance/init.h"

struct an_certification {
    struct an_instance *instance; /* borrowed */
    struct an_keys *keys;
    struct an_certifier *certifier;
    void *answers; /* signers of first status answers */
};
/* Everything that antin ca, the request desk and the enrolment protocols need. */
an_code an_certification_open(struct an_instance *instance, struct an_certification **ret,
                              struct an_err *reterr) AN_MUST_USE;
void an_certification_close(struct an_certification **certification);

/* The section `ca` of the configuration. */
an_code an_config_check_ca(const struct an_config *config, const struct an_yaml_node *section,
                           struct an_err *reterr) AN_MUST_USE;

/* ---- making authorities ---- */
struct an_authority_order {
    const char *name, *line, *kind, *hierarchy, *profile;
    const char *parent;       /* name of its issuer here; NULL = self-signed */
    const char *common_name;
    const char *key_setting, *key_default; /* "rsa-3072", and where the configuration says otherwise */
    unsigned purposes;        /* of its key */
    const char *key;          /* name of its key; NULL = its own name */
};
/* Goes on with every change of authorities and signers, in the commit of the change. */
#define AN_AUTHORITIES_SEQUENCE "authorities"
/* The init step: root, issuing authorities of the hierarchies, their OCSP signers, a TSA; what is there is left as it
 * is. */
an_code an_authority_bootstrap(struct an_instance *instance, const struct an_init_plan *plan,
                               struct an_err *reterr) AN_MUST_USE;

/* reliance: a decided matter, where service/certification/quorum.h asks for one; NULL = none.
 * By files: on the issuing side a key and a request; at the root (another instance, offline) the certificate; back on
 * the issuing side it is installed. */
an_code an_authority_request(struct an_instance *instance, const char *name, const char *common_name,
                             struct an_buf *ret_csr, struct an_err *reterr) AN_MUST_USE;
/* Signs with the key of `issuer` under `profile`: a subordinate's request. The subject is that of the request. */
an_code an_authority_sign(struct an_instance *instance, const char *issuer, const char *profile, an_bytes csr,
                          const struct an_reliance *reliance, const struct an_actor *actor, struct an_cert **ret,
                          struct an_err *reterr) AN_MUST_USE;
/* root: the certificate of the authority above, added when it is not known here yet; the path must hold. */
an_code an_authority_install(struct an_instance *instance, const char *name, const char *hierarchy,
                             struct an_cert *cert, struct an_cert *root, const struct an_actor *actor,
                             struct an_err *reterr) AN_MUST_USE;
/* A new certificate of the same key: for the OCSP signer "NAME-ocsp", or for a time-stamping authority, whose next
 * generation it is. A service that runs signs with it within seconds; what was signed before stands by the certificate
 * that lies in it. */
an_code an_authority_renew(struct an_instance *instance, const char *name, const struct an_reliance *reliance,
                           const struct an_actor *actor, struct an_cert **ret, struct an_err *reterr) AN_MUST_USE;
/* A new key for a line, or for the OCSP signer "NAME-ocsp": the next generation NAME-2, -3 … is active, the earlier one answers until it ends. For a root
 * also the two cross certificates (RFC 4210 4.4): new-with-old and old-with-new, in DIR/public/crt. */
an_code an_authority_roll(struct an_instance *instance, const char *line, const struct an_reliance *reliance,
                          const struct an_actor *actor, char ret_name[static 80], struct an_err *reterr) AN_MUST_USE;
