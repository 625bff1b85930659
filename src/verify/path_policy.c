/* What a policy file says about a certification path alone: `antin cert verify`. */
#include "verify/internal.h"
#include "verify/path_policy.h"

static const char *const modes[] = {
    [AN_POLICY_REVOCATION_NONE] = "none",
    [AN_POLICY_REVOCATION_IF_AVAILABLE] = "if-available",
    [AN_POLICY_REVOCATION_REQUIRE] = "require",
};

an_code
an_verifier_path_policy(struct an_verifier *verifier, const char *id, const struct an_certs *given,
                        const struct an_certs *untrusted, struct an_path_policy *ret, struct an_err *reterr)
{
    const struct an_verify_options options = {.anchors = given};
    const struct an_policy *policy = NULL;

    AN_TRY(an_verifier_policy(verifier, id, &policy, reterr));
    an_verify_anchors(policy, &options, untrusted, &ret->anchors);
    ret->strict = policy->any_algorithm;
    if (!policy->any_algorithm)
        ret->algorithms = an_verify_algorithms(policy);
    ret->revocation = modes[policy->revocation];
    return AN_OK;
}
