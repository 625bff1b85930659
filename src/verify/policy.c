/* Carries out what a policy file says: algorithms by time, pinned exceptions, anchors. */
#include "verify/internal.h"

static enum an_policy_sig
policy_kind(enum an_sig_kind kind)
{
    switch (kind) {
    case AN_SIG_RSA_PSS:
        return AN_POLICY_RSA_PSS;
    case AN_SIG_ECDSA:
        return AN_POLICY_ECDSA;
    case AN_SIG_EDDSA:
        return AN_POLICY_EDDSA;
    case AN_SIG_DSA:
        return AN_POLICY_DSA;
    case AN_SIG_RSA_PKCS1:
    case AN_SIG_UNKNOWN:
        break;
    }
    return AN_POLICY_RSA_PKCS1;
}

static const char *
policy_digest(const struct an_scheme *scheme)
{
    return scheme->kind == AN_SIG_EDDSA || scheme->digest == AN_DIGEST_NONE ? "" : an_digest_name(scheme->digest);
}

static int
key_bits(struct an_cert *cert)
{
    struct an_pubkey *key = an_cert_key(cert);

    return key ? an_pubkey_bits(key) : 0;
}

bool
an_verify_is_excepted(const struct an_policy *policy, const struct an_scheme *scheme, struct an_cert *signer)
{
    return an_policy_excepts(policy, signer->sha256, policy_kind(scheme->kind), policy_digest(scheme),
                             key_bits(signer)) != NULL;
}

an_code
an_verify_algorithm(const struct an_policy *policy, const struct an_scheme *scheme, enum an_key_kind kind, int bits,
                    an_time when, const struct an_cert *signer)
{
    bool too_late = false;

    (void)kind;
    if (scheme->kind == AN_SIG_UNKNOWN)
        return AN_V_ALGORITHM_WEAK;
    if (policy->any_algorithm)
        return AN_OK;
    if (an_policy_allows(policy, policy_kind(scheme->kind), policy_digest(scheme), bits, when, &too_late))
        return AN_OK;
    if (signer && an_policy_excepts(policy, signer->sha256, policy_kind(scheme->kind), policy_digest(scheme), bits))
        return AN_OK;
    return too_late ? AN_V_ALGORITHM_NO_POE : AN_V_ALGORITHM_WEAK;
}

static an_code
check_algorithm(void *context, const struct an_scheme *scheme, enum an_key_kind kind, int bits, const char *curve,
                an_time when, const struct an_cert *signer)
{
    (void)curve;
    return an_verify_algorithm(context, scheme, kind, bits, when, signer);
}

an_algorithm_policy
an_verify_algorithms(const struct an_policy *policy)
{
    return (an_algorithm_policy){.check = check_algorithm, .context = (void *)(uintptr_t)policy};
}

an_time
an_verify_good_until(const struct an_policy *policy, const struct an_scheme *scheme, enum an_key_kind kind, int bits,
                     const struct an_cert *signer)
{
    an_time latest = AN_TIME_NONE;

    if (an_verify_algorithm(policy, scheme, kind, bits, INT64_MAX, signer) == AN_OK)
        return INT64_MAX;
    for (size_t i = 0; i < policy->algorithm_count; i++) {
        an_time until = policy->algorithms[i].until;

        if (until == AN_TIME_NONE || until <= latest)
            continue;
        if (an_verify_algorithm(policy, scheme, kind, bits, until - 1, signer) == AN_OK)
            latest = until - 1;
    }
    return latest;
}

static bool
is_pinned(const struct an_policy *policy, const struct an_cert *cert)
{
    for (size_t i = 0; i < policy->anchor_count; i++)
        if (memcmp(policy->anchors[i].sha256, cert->sha256, 32) == 0)
            return true;
    return false;
}

static void
add_pinned(const struct an_policy *policy, const struct an_certs *known, struct an_certs *ret)
{
    for (size_t i = 0; known && i < known->count; i++)
        if (is_pinned(policy, known->items[i]))
            an_certs_add(ret, known->items[i]);
}

void
an_verify_anchors(const struct an_policy *policy, const struct an_verify_options *options,
                  const struct an_certs *known, struct an_certs *ret)
{
    if (policy->anchor_rule == AN_ANCHORS_PINNED) {
        /* A pinned root is known by its hash: it does not matter who brings the bytes. */
        add_pinned(policy, options->anchors, ret);
        add_pinned(policy, known, ret);
        return;
    }
    for (size_t i = 0; options->anchors && i < options->anchors->count; i++)
        an_certs_add(ret, options->anchors->items[i]);
}
