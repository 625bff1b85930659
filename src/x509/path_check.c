/*
 * Basic path validation, RFC 5280 6.1, on a path that path_build.c has put together: names chain and signatures are
 * right already. chain[0] is the leaf, the last one the anchor, of which name and key count, whether it may issue at
 * all and, as RFC 5937 has it, its name and length constraints; its dates and its form are looked at in strict mode
 * only.
 */
#include "x509/path_internal.h"

struct path_state {
    struct path_job *job;
    struct path_verdict *verdict;
    struct path_policy *policy;
    const struct path_constraints *constraints[AN_LIMIT_PATH_DEPTH];
    size_t constraint_count;
    size_t max_path_length;
};

static an_code
check_validity(struct path_state *state, const struct an_cert *cert, size_t at)
{
    const struct an_path_params *params = state->job->params;
    char text[AN_TIME_TEXT_MAX];

    if (params->ignore_validity)
        return AN_OK;
    if (params->at < cert->not_before)
        return an_path_refuse(state->verdict, AN_V_PATH_NOT_YET_VALID, at, "notBefore %s",
                              an_time_format_utc(cert->not_before, text));
    if (params->at > cert->not_after)
        return an_path_refuse(state->verdict, AN_V_PATH_EXPIRED, at, "notAfter %s",
                              an_time_format_utc(cert->not_after, text));
    return AN_OK;
}

static an_code
check_extensions(struct path_state *state, struct path_node *node, enum path_role role, size_t at)
{
    struct an_buf oid AN_CLEANUP(an_buf_free) = an_buf_new(128);
    const char *breach;
    an_code why;

    an_path_node_classify(node);
    if (node->unknown_critical) {
        an_oid_text(node->unknown_critical->oid, &oid);
        return an_path_refuse(state->verdict, AN_V_PATH_CRITICAL_EXTENSION, at, "%.*s", AN_FMT(an_buf_view(&oid)));
    }
    if (node->duplicate) {
        an_oid_text(node->duplicate->oid, &oid);
        return an_path_refuse(state->verdict, AN_V_PATH_EXTENSION, at, "%.*s twice", AN_FMT(an_buf_view(&oid)));
    }
    if (!an_path_names_are_readable(node->cert->subject_alt_name))
        return an_path_refuse(state->verdict, AN_V_PATH_EXTENSION, at, "subjectAltName");
    if (!state->job->params->strict)
        return AN_OK;
    breach = an_path_profile_breach(node, role, &why);
    return breach ? an_path_refuse(state->verdict, why, at, "%s", breach) : AN_OK;
}

static an_code
check_algorithm(struct path_state *state, struct path_node *node, struct path_node *issuer, size_t at)
{
    an_code code = an_path_algorithm_check(state->job->shared, &node->cert->scheme, issuer->cert);

    if (code == AN_OK && !an_path_key_comes_from(state->job->shared, node->cert, issuer->cert))
        return an_path_refuse(state->verdict, AN_V_PATH_SIGNATURE, at, "DSA parameters of another issuer");
    return code == AN_OK ? AN_OK
                         : an_path_refuse(state->verdict, code, at, "%s", an_digest_name(node->cert->scheme.digest));
}

/* 6.1.3 (b), (c): self-issued CA certificates are exempt, the leaf never is. */
static an_code
check_names(struct path_state *state, struct path_node *node, size_t at)
{
    if (state->constraint_count == 0 || (at > 0 && node->cert->self_issued))
        return AN_OK;
    return an_path_constraints_check(state->job->shared, state->constraints, state->constraint_count, node,
                                     state->verdict, at);
}

/* 6.1.4 (g) */
static an_code
add_constraints(struct path_state *state, struct path_node *node, size_t at)
{
    struct path_job *job = state->job;

    if (!node->ext[PATH_EXT_NAME_CONSTRAINTS])
        return AN_OK;
    if (an_path_constraints_load(job->shared, node, job->params->strict) != AN_OK)
        return an_path_refuse(state->verdict, AN_V_PATH_EXTENSION, at, "nameConstraints");
    state->constraints[state->constraint_count++] = node->constraints;
    return AN_OK;
}

/* 6.1.4 (k)–(n) */
static an_code
check_issuer(struct path_state *state, struct path_node *node, size_t at)
{
    const struct an_cert *cert = node->cert;

    if (cert->version != 3)
        return an_path_refuse(state->verdict, AN_V_PATH_VERSION, at, "version %d", cert->version);
    if (!cert->has_basic_constraints || !cert->is_ca)
        return an_path_refuse(state->verdict, AN_V_PATH_NOT_CA, at, "basicConstraints");
    if (!cert->self_issued) {
        if (state->max_path_length == 0)
            return an_path_refuse(state->verdict, AN_V_PATH_LENGTH, at, "pathLenConstraint");
        state->max_path_length--;
    }
    if (cert->path_len >= 0 && (size_t)cert->path_len < state->max_path_length)
        state->max_path_length = (size_t)cert->path_len;
    if (cert->has_key_usage && !(cert->key_usage & AN_KU_KEY_CERT_SIGN))
        return an_path_refuse(state->verdict, AN_V_PATH_KEY_USAGE, at, "keyCertSign");
    return AN_OK;
}

/* An EKU in a CA certificate limits what it may issue for; RFC 5280 is silent, every validator in the field does it. */
static an_code
check_purpose(struct path_state *state, const struct path_node *node, size_t at)
{
    const char *purpose = state->job->params->purpose;

    if (!purpose || state->job->is_crl_signer || !node->cert->has_eku)
        return AN_OK;
    if (an_cert_has_eku(node->cert, purpose) || an_cert_has_eku(node->cert, "2.5.29.37.0"))
        return AN_OK;
    return an_path_refuse(state->verdict, AN_V_PATH_PURPOSE, at, "extKeyUsage without %s", purpose);
}

/* Uses that are never implied: to go without extKeyUsage, or with "any" alone, is not enough for them. */
static const struct { const char *purpose; bool is_sole; } stated_table[] = {
    {"1.3.6.1.5.5.7.3.8", true},  /* timeStamping: critical and alone, RFC 3161 2.3 */
    {"1.3.6.1.5.5.7.3.9", false}, /* OCSPSigning, RFC 6960 4.2.2.2 */
};

static bool
is_sole_and_critical(const struct an_extension *eku)
{
    an_bytes in = eku->value, usage;

    return eku->critical && an_path_open(in, &in) && an_der_try(&in, AN_DER_OID, &usage) && in.len == 0;
}

/* That a time-stamping use stands alone is asked of conforming issuers; for documents the verification policy asks. */
static an_code
check_stated_purpose(struct path_state *state, const struct path_node *node)
{
    const struct an_path_params *params = state->job->params;

    for (size_t i = 0; params->purpose && i < AN_COUNT(stated_table); i++) {
        if (strcmp(params->purpose, stated_table[i].purpose) != 0)
            continue;
        if (!an_cert_has_eku(node->cert, params->purpose))
            return an_path_refuse(state->verdict, AN_V_PATH_PURPOSE, 0, "extKeyUsage without %s", params->purpose);
        if (stated_table[i].is_sole && params->strict && !is_sole_and_critical(node->ext[PATH_EXT_EKU]))
            return an_path_refuse(state->verdict, AN_V_PATH_PURPOSE, 0, "extKeyUsage: %s not critical, or not alone",
                                  params->purpose);
    }
    return AN_OK;
}

static an_code
check_leaf(struct path_state *state, const struct path_node *node)
{
    const struct an_path_params *params = state->job->params;
    const struct an_cert *cert = node->cert;

    if (state->job->is_crl_signer) {
        if (cert->has_key_usage && !(cert->key_usage & AN_KU_CRL_SIGN))
            return an_path_refuse(state->verdict, AN_V_PATH_KEY_USAGE, 0, "cRLSign");
        return AN_OK;
    }
    AN_TRY(check_purpose(state, node, 0));
    AN_TRY(check_stated_purpose(state, node));
    for (size_t i = 0; i < params->name_count; i++)
        if (!an_path_cert_has_name(node, &params->names[i]))
            return an_path_refuse(state->verdict, AN_V_PATH_NAME, 0, "%s:%.120s", params->names[i].kind,
                                  params->names[i].value);
    return AN_OK;
}

/* Trust in a certificate is not leave to issue: one that says that it is no CA (a pinned signer, say) stays none. Roots
 * of version 1, and roots that say keyCertSign but lack basicConstraints, are as old as they look. */
static an_code
check_anchor_issues(struct path_state *state, const struct an_cert *cert, size_t at)
{
    bool may_sign = cert->has_key_usage && (cert->key_usage & AN_KU_KEY_CERT_SIGN);

    if (cert->has_key_usage && !may_sign)
        return an_path_refuse(state->verdict, AN_V_PATH_KEY_USAGE, at, "keyCertSign");
    if (cert->has_basic_constraints ? !cert->is_ca : cert->version == 3 && !may_sign)
        return an_path_refuse(state->verdict, AN_V_PATH_NOT_CA, at, "basicConstraints");
    return AN_OK;
}

static an_code
check_anchor(struct path_state *state, struct path_node *anchor, size_t at)
{
    const struct an_cert *cert = anchor->cert;

    AN_TRY(check_extensions(state, anchor, PATH_ROLE_ANCHOR, at));
    AN_TRY(check_anchor_issues(state, cert, at));
    if (state->job->params->strict)
        AN_TRY(check_validity(state, cert, at));
    if (cert->has_basic_constraints && cert->path_len >= 0)
        state->max_path_length = (size_t)cert->path_len;
    return add_constraints(state, anchor, at);
}

static an_code
check_certificate(struct path_state *state, size_t at)
{
    struct path_job *job = state->job;
    struct path_node *node = job->chain[at];
    bool is_last = at == 0;

    AN_TRY(check_extensions(state, node, is_last ? PATH_ROLE_LEAF : PATH_ROLE_CA, at));
    AN_TRY(check_algorithm(state, node, job->chain[at + 1], at));
    AN_TRY(check_validity(state, node->cert, at));
    AN_TRY(check_names(state, node, at));
    AN_TRY(an_path_policy_add(state->policy, node, is_last, state->verdict, at));
    if (is_last)
        return check_leaf(state, node);
    AN_TRY(add_constraints(state, node, at));
    AN_TRY(check_issuer(state, node, at));
    return check_purpose(state, node, at);
}

/* The leaf itself is trusted: nothing chains to it, but it must be in force and right for the use. */
static an_code
check_single(struct path_state *state)
{
    struct path_node *node = state->job->chain[0];

    AN_TRY(check_extensions(state, node, PATH_ROLE_LEAF, 0));
    AN_TRY(check_validity(state, node->cert, 0));
    return check_leaf(state, node);
}

an_code
an_path_check(struct path_job *job, struct path_verdict *ret)
{
    struct path_state state = {.job = job, .verdict = ret, .max_path_length = job->chain_count};
    struct path_policy_result *policies;

    policies = an_arena_alloc(job->shared->arena, sizeof(*policies));
    job->policies = policies;
    if (job->chain_count == 1)
        return check_single(&state);
    AN_TRY(check_anchor(&state, job->chain[job->chain_count - 1], job->chain_count - 1));
    state.policy = an_path_policy_new(job, job->chain_count);
    for (size_t at = job->chain_count - 1; at-- > 0;)
        AN_TRY(check_certificate(&state, at));
    return an_path_policy_finish(state.policy, policies, ret);
}

/* ---- status of the chain ---- */
static an_code
refuse_revoked(const struct an_status_result *status, size_t at, struct path_verdict *ret)
{
    char text[AN_TIME_TEXT_MAX];
    an_code why = at > 0 ? AN_V_PATH_CA_REVOKED : AN_V_PATH_REVOKED;

    if (at == 0 && status->reason == AN_REASON_HOLD)
        why = AN_V_PATH_ON_HOLD;
    return an_path_refuse(ret, why, at, "revocationDate %s, reason %d", an_time_format_utc(status->revoked_at, text),
                          (int)status->reason);
}

/* IF_AVAILABLE accepts that nothing is known. What is there and does not fit is accepted too, unless strict: whoever
 * can spoil a list can also withhold it. A certificate that stands on a list we cannot use is never accepted. */
static bool
is_tolerated(const struct path_job *job, const struct an_status_result *status, struct an_cert *cert)
{
    if (job->params->revocation == AN_REVOCATION_REQUIRE)
        return false;
    if (status->why == AN_V_STATUS_NONE)
        return true;
    if (job->params->strict)
        return false;
    return status->why != AN_V_STATUS_CRITICAL || !an_status_is_listed(job->shared, cert);
}

an_code
an_path_check_status(struct path_job *job, struct path_verdict *ret)
{
    struct an_cert *anchor = job->chain[job->chain_count - 1]->cert;
    an_code code = AN_OK;

    if (job->params->revocation == AN_REVOCATION_NONE)
        return AN_OK;
    for (size_t at = job->chain_count - 1; at-- > 0 && code == AN_OK;) {
        struct an_cert *cert = job->chain[at]->cert;
        struct an_status_result status = {0};

        an_status_decide(job->shared, cert, job->chain[at + 1]->cert, anchor, &status);
        if (status.status == AN_STATUS_REVOKED)
            code = refuse_revoked(&status, at, ret);
        else if (status.status != AN_STATUS_GOOD && !is_tolerated(job, &status, cert))
            code = an_path_refuse(ret, status.why, at, "status of certificate %zu", at);
        an_status_result_done(&status);
    }
    return code;
}

an_code
an_path_check_key_identifiers(struct path_job *job, struct path_verdict *ret)
{
    an_code code = AN_OK;

    for (size_t at = job->chain_count - 1; at-- > 0 && job->params->strict && code == AN_OK;) {
        struct an_status_result status = {0};

        if (an_path_profile_names_issuer(job->chain[at]))
            continue;
        if (job->params->revocation != AN_REVOCATION_NONE)
            an_status_decide(job->shared, job->chain[at]->cert, job->chain[at + 1]->cert,
                             job->chain[job->chain_count - 1]->cert, &status);
        if (status.status != AN_STATUS_GOOD || !status.ocsp)
            code = an_path_refuse(ret, AN_V_PATH_PROFILE, at, "authorityKeyIdentifier.keyIdentifier missing (4.2.1.1)");
        an_status_result_done(&status);
    }
    return code;
}
