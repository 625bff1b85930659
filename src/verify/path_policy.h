/* A policy file as far as it concerns a certification path without a signature: `antin cert verify`. */
#pragma once

#include "verify/verify.h"

struct an_path_policy {
    struct an_certs anchors;        /* those of the given ones that the policy lets stand; an_certs_done */
    an_algorithm_policy algorithms; /* empty = no limit; valid as long as the verifier */
    bool strict;                    /* path rules alone: everything RFC 5280 asks of issuers counts */
    const char *revocation;         /* as `--revocation` */
};
/* untrusted: where pinned anchors may be found too. AN_E_POLICY_UNKNOWN lists the ids. */
an_code an_verifier_path_policy(struct an_verifier *verifier, const char *id, const struct an_certs *given,
                                const struct an_certs *untrusted, struct an_path_policy *ret,
                                struct an_err *reterr) AN_MUST_USE;
