/* Entry of path validation: the pool of certificates, budgets, memory of signatures, and the result. */
#include "x509/path_internal.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- extensions by number: id-ce is 2.5.29, id-pkix 1.3.6.1.5.5.7 ---- */
static const struct { uint8_t arc, ext; } ce_extensions[] = {
    {14, PATH_EXT_SKI},      {15, PATH_EXT_KEY_USAGE},          {17, PATH_EXT_SAN},
    {18, PATH_EXT_IAN},      {19, PATH_EXT_BASIC_CONSTRAINTS},  {30, PATH_EXT_NAME_CONSTRAINTS},
    {31, PATH_EXT_CRL_DP},   {32, PATH_EXT_POLICIES},           {33, PATH_EXT_MAPPINGS},
    {35, PATH_EXT_AKI},      {36, PATH_EXT_POLICY_CONSTRAINTS}, {37, PATH_EXT_EKU},
    {46, PATH_EXT_FRESHEST}, {54, PATH_EXT_INHIBIT_ANY},
};

static enum path_ext
find_extension(an_bytes oid)
{
    static const uint8_t pkix[] = {0x2B, 0x06, 0x01, 0x05, 0x05, 0x07};
    an_bytes tail;

    if (oid.len == 3 && oid.ptr[0] == 0x55 && oid.ptr[1] == 0x1D) {
        for (size_t i = 0; i < AN_COUNT(ce_extensions); i++)
            if (ce_extensions[i].arc == oid.ptr[2])
                return (enum path_ext)ce_extensions[i].ext;
        return PATH_EXT_COUNT;
    }
    if (!an_bytes_starts_with(oid, AN_BYTES(pkix, sizeof(pkix))))
        return PATH_EXT_COUNT;
    tail = an_bytes_slice(oid, sizeof(pkix), SIZE_MAX);
    if (an_bytes_eq(tail, AN_LIT("\x01\x01")))
        return PATH_EXT_AIA;
    if (an_bytes_eq(tail, AN_LIT("\x01\x0B")))
        return PATH_EXT_SIA;
    return an_bytes_eq(tail, AN_LIT("\x30\x01\x05")) ? PATH_EXT_NO_CHECK : PATH_EXT_COUNT;
}

void
an_path_node_classify(struct path_node *node)
{
    if (node->is_classified)
        return;
    node->is_classified = true;
    for (size_t i = 0; i < node->cert->extension_count; i++) {
        const struct an_extension *extension = &node->cert->extensions[i];
        enum path_ext ext = find_extension(extension->oid);

        if (ext == PATH_EXT_COUNT || ext == PATH_EXT_AIA || ext == PATH_EXT_SIA)
            if (extension->critical && !node->unknown_critical)
                node->unknown_critical = extension;
        if (ext == PATH_EXT_COUNT)
            continue;
        if (node->ext[ext])
            node->duplicate = extension;
        node->ext[ext] = extension;
    }
}

/* ---- pool ---- */
static struct path_node *
find_node(const struct path_shared *shared, const struct an_cert *cert)
{
    for (size_t i = 0; i < shared->pool.count; i++)
        if (shared->pool.items[i]->cert == cert || memcmp(shared->pool.items[i]->cert->sha256, cert->sha256, 32) == 0)
            return shared->pool.items[i];
    return NULL;
}

struct path_node *
an_path_node_add(struct path_shared *shared, struct an_cert *cert, bool is_anchor)
{
    struct path_node *node = is_anchor ? NULL : find_node(shared, cert);

    if (node)
        return node;
    node = an_arena_alloc(shared->arena, sizeof(*node));
    node->cert = cert;
    node->is_anchor = is_anchor;
    *path_nodes_push(&shared->pool) = node;
    return node;
}

void
an_path_shared_init(struct path_shared *shared, const struct an_path_params *params)
{
    *shared = (struct path_shared){
        .params = params,
        .arena = an_arena_new(0),
        .signatures_left = AN_LIMIT_PATH_SIGNATURES,
        .tries_left = AN_LIMIT_PATH_TRIES,
        .name_checks_left = AN_LIMIT_NAME_CHECKS,
        .statuses_left = AN_LIMIT_STATUS_DECISIONS,
    };
    for (size_t i = 0; params->anchors && i < params->anchors->count; i++)
        an_path_node_add(shared, params->anchors->items[i], true);
    for (size_t i = 0; params->untrusted && i < params->untrusted->count; i++)
        an_path_node_add(shared, params->untrusted->items[i], false);
}

void
an_path_shared_done(struct path_shared *shared)
{
    for (size_t i = 0; i < shared->statuses.count; i++)
        an_status_result_done(&shared->statuses.items[i].result);
    path_status_memos_done(&shared->statuses);
    path_signature_memos_done(&shared->signatures);
    path_signer_memos_done(&shared->signers);
    an_path_inherited_keys_free(shared);
    path_nodes_done(&shared->pool);
    an_certs_done(&shared->fetched_certs);
    an_crls_unref(&shared->fetched_crls);
    an_ocsps_unref(&shared->fetched_ocsps);
    an_arena_free(&shared->arena);
}

an_code
an_path_refuse(struct path_verdict *verdict, an_code why, size_t at, const char *fmt, ...)
{
    va_list args;

    verdict->why = why;
    verdict->at = at;
    va_start(args, fmt);
    vsnprintf(verdict->detail, sizeof(verdict->detail), fmt, args);
    va_end(args);
    return why;
}

bool
an_path_same_entity(const struct an_cert *a, const struct an_cert *b)
{
    return a == b || (an_bytes_eq(a->spki, b->spki) &&
                      (an_bytes_eq(a->subject, b->subject) || an_name_eq(a->subject, b->subject)));
}

/* ---- signatures, each pair once ---- */
static const struct path_signature_memo *
find_signature(const struct path_shared *shared, const void *object, const struct an_cert *signer)
{
    for (size_t i = 0; i < shared->signatures.count; i++)
        if (shared->signatures.items[i].signed_object == object && shared->signatures.items[i].signer == signer)
            return &shared->signatures.items[i];
    return NULL;
}

static bool
spend_signature(struct path_shared *shared)
{
    if (shared->signatures_left == 0) {
        shared->limit_reached = true;
        return false;
    }
    shared->signatures_left--;
    return true;
}

static bool
remember_signature(struct path_shared *shared, const void *object, const struct an_cert *signer, bool is_right)
{
    *path_signature_memos_push(&shared->signatures) = (struct path_signature_memo){object, signer, is_right};
    return is_right;
}

bool
an_path_cert_signed_by(struct path_shared *shared, struct an_cert *cert, struct an_cert *signer)
{
    return an_path_data_signed_by(shared, cert, &cert->scheme, cert->tbs, cert->signature, signer);
}

bool
an_path_data_signed_by(struct path_shared *shared, const void *object, const struct an_scheme *scheme, an_bytes tbs,
                       an_bytes signature, struct an_cert *signer)
{
    const struct path_signature_memo *memo = find_signature(shared, object, signer);
    struct an_pubkey *key;

    if (memo)
        return memo->is_right;
    key = an_path_key(shared, signer);
    if (!key || scheme->kind == AN_SIG_UNKNOWN || !spend_signature(shared))
        return false;
    return remember_signature(shared, object, signer, an_pubkey_verify_message(key, scheme, tbs, signature));
}

an_code
an_path_algorithm_check(struct path_shared *shared, const struct an_scheme *scheme, struct an_cert *signer)
{
    const struct an_algorithm_policy *policy = &shared->params->algorithms;
    struct an_pubkey *key;

    if (!policy->check)
        return AN_OK;
    key = an_path_key(shared, signer);
    if (!key)
        return AN_V_PATH_ALGORITHM;
    return policy->check(policy->context, scheme, an_pubkey_kind(key), an_pubkey_bits(key), an_pubkey_curve(key),
                         shared->params->at, signer);
}

/* ---- the path of a CRL signer ---- */
static bool
validate_signer(struct path_shared *shared, struct an_cert *signer, struct an_cert *anchor)
{
    struct path_job *job = an_arena_alloc(shared->arena, sizeof(*job));

    if (shared->nesting >= AN_LIMIT_STATUS_NESTING)
        return false;
    job->shared = shared;
    job->params = shared->params;
    job->only_anchor = anchor;
    job->is_crl_signer = true;
    return an_path_search(job, an_path_node_add(shared, signer, false));
}

bool
an_path_signer_is_valid(struct path_shared *shared, struct an_cert *signer, struct an_cert *anchor)
{
    bool is_valid;

    for (size_t i = 0; i < shared->signers.count; i++)
        if (shared->signers.items[i].cert == signer && shared->signers.items[i].anchor == anchor)
            return shared->signers.items[i].is_valid;
    is_valid = validate_signer(shared, signer, anchor);
    /* A refusal deep inside may come from a cycle that another way round does not have. */
    if (is_valid || shared->nesting <= 1)
        *path_signer_memos_push(&shared->signers) = (struct path_signer_memo){signer, anchor, is_valid};
    return is_valid;
}

/* ---- more issuers from outside ---- */
static bool
fetch_issuers_of(struct path_shared *shared, struct path_node *node)
{
    const struct an_path_fetch *fetch = &shared->params->fetch;
    struct an_certs found AN_CLEANUP(an_certs_done) = {0};
    size_t before = shared->pool.count;

    node->was_fetched = true;
    if (!fetch->issuers(fetch->context, node->cert, &found))
        return false;
    for (size_t i = 0; i < found.count && i < AN_LIMIT_CMS_CERTS; i++) {
        an_certs_add(&shared->fetched_certs, found.items[i]);
        an_path_node_add(shared, found.items[i], false);
    }
    return shared->pool.count > before;
}

/* Asks for the issuers of what was reached in vain; true when the search is worth repeating. */
static bool
fetch_issuers(struct path_job *job, size_t *asked)
{
    struct path_shared *shared = job->shared;
    bool has_new = false;

    if (!job->params->fetch.issuers || job->best.rank >= PATH_RANK_RULES)
        return false;
    for (size_t i = 0; i < shared->pool.count && *asked < AN_LIMIT_PATH_FETCHES; i++) {
        struct path_node *node = shared->pool.items[i];

        if (!node->was_reached || node->was_fetched || node->is_anchor)
            continue;
        ++*asked;
        has_new |= fetch_issuers_of(shared, node);
    }
    return has_new;
}

/* ---- result ---- */
static void
fill_status(const struct path_shared *shared, struct an_path_result *ret)
{
    for (size_t at = 0; at + 1 < ret->chain_count; at++)
        for (size_t i = 0; i < shared->statuses.count; i++) {
            const struct path_status_memo *memo = &shared->statuses.items[i];

            if (memo->cert != ret->chain[at] || memo->issuer != ret->chain[at + 1] || memo->in_progress)
                continue;
            an_status_result_done(&ret->status[at]);
            an_status_copy(&ret->status[at], &memo->result);
        }
}

static void
fill_policies(const struct path_job *job, struct an_path_result *ret)
{
    const struct path_policy_result *found = job->policies;
    const struct an_path_params *params = job->params;
    size_t user_count = found->any ? params->policy_count : 0;

    ret->policies = an_new_array(found->count + user_count + 1, sizeof(char *));
    for (size_t i = 0; i < found->count; i++) {
        struct an_buf text = an_buf_new(4096);

        an_oid_text(found->oids[i], &text);
        ret->policies[ret->policy_count++] = an_buf_take_str(&text);
    }
    for (size_t i = 0; i < user_count; i++) {
        bool is_known = false;

        for (size_t j = 0; j < found->count; j++)
            is_known |= strcmp(ret->policies[j], params->policy_oids[i]) == 0;
        if (!is_known)
            ret->policies[ret->policy_count++] = an_strdup(params->policy_oids[i]);
    }
    if (found->any && params->policy_count == 0)
        ret->policies[ret->policy_count++] = an_strdup("2.5.29.32.0");
}

static void
fill_chain(struct path_node *const *chain, size_t count, struct an_path_result *ret)
{
    ret->chain = an_new_array(count, sizeof(*ret->chain));
    ret->status = an_new_array(count, sizeof(*ret->status));
    ret->chain_count = count;
    for (size_t i = 0; i < count; i++)
        ret->chain[i] = an_cert_ref(chain[i]->cert);
}

static void
fill_result(struct path_job *job, bool is_valid, struct an_path_result *ret)
{
    ret->valid = is_valid;
    ret->candidates = job->shared->candidates;
    if (is_valid) {
        fill_chain(job->chain, job->chain_count, ret);
        fill_policies(job, ret);
    } else {
        fill_chain(job->best_chain, job->best_count, ret);
        ret->why = job->best.why;
        ret->at = job->best.at;
        memcpy(ret->detail, job->best.detail, sizeof(ret->detail));
        if (job->shared->limit_reached && job->best.rank < PATH_RANK_RULES)
            ret->why = AN_V_PATH_LIMIT;
    }
    fill_status(job->shared, ret);
}

void
an_path_validate(struct an_cert *leaf, const struct an_path_params *params, struct an_path_result *ret)
{
    struct path_shared shared AN_CLEANUP(an_path_shared_done);
    struct path_job job = {.shared = &shared, .params = params};
    struct path_node *node;
    size_t asked = 0;
    bool is_valid;

    *ret = (struct an_path_result){0};
    an_path_shared_init(&shared, params);
    node = find_node(&shared, leaf);
    if (!node)
        node = an_path_node_add(&shared, leaf, false);
    do
        is_valid = an_path_search(&job, node);
    while (!is_valid && fetch_issuers(&job, &asked));
    fill_result(&job, is_valid, ret);
}

void
an_path_result_done(struct an_path_result *result)
{
    for (size_t i = 0; i < result->chain_count; i++) {
        an_cert_unref(&result->chain[i]);
        an_status_result_done(&result->status[i]);
    }
    for (size_t i = 0; i < result->policy_count; i++)
        free(result->policies[i]);
    free(result->chain);
    free(result->status);
    free(result->policies);
    *result = (struct an_path_result){0};
}
