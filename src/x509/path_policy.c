/*
 * Certificate policies, RFC 5280 6.1.2–6.1.5, without the tree. The valid_policy_tree can double at every level
 * (CVE-2023-0464); the same information fits in one row of policies per certificate, where each policy remembers which
 * policies of the row above were mapped to it. The rows are linear in the certificates. What the user may accept is
 * read off at the end by walking the rows upwards.
 */
#include "x509/path_internal.h"

struct policy_node {
    an_bytes oid;
    an_bytes *parents; /* in the row above; none = came from anyPolicy above */
    size_t parent_count;
    bool is_mapped, is_reachable;
};

struct policy_row {
    struct policy_node *nodes; /* sorted by oid */
    size_t count;
    bool has_any;
};

struct policy_pair { an_bytes issuer, subject; };

struct path_policy {
    struct path_job *job;
    struct policy_row rows[AN_LIMIT_PATH_DEPTH + 1];
    size_t row; /* the one being worked on */
    size_t nodes_left;
    size_t explicit_policy, policy_mapping, inhibit_any; /* 6.1.2 (d)–(f) */
};

static const uint8_t any_policy_oid[] = {0x55, 0x1D, 0x20, 0x00};

static bool
is_any_policy(an_bytes oid)
{
    return an_bytes_eq(oid, AN_BYTES(any_policy_oid, sizeof(any_policy_oid)));
}

static int
compare_oids(const void *a, const void *b)
{
    return an_bytes_cmp(*(const an_bytes *)a, *(const an_bytes *)b);
}

static int
compare_nodes(const void *a, const void *b)
{
    return an_bytes_cmp(((const struct policy_node *)a)->oid, ((const struct policy_node *)b)->oid);
}

static int
compare_pairs_by_subject(const void *a, const void *b)
{
    const struct policy_pair *x = a, *y = b;
    int order = an_bytes_cmp(x->subject, y->subject);

    return order ? order : an_bytes_cmp(x->issuer, y->issuer);
}

static struct policy_node *
find_node(const struct policy_row *row, an_bytes oid)
{
    struct policy_node key = {.oid = oid};

    return row->count ? bsearch(&key, row->nodes, row->count, sizeof(key), compare_nodes) : NULL;
}

struct path_policy *
an_path_policy_new(struct path_job *job, size_t chain_count)
{
    const struct an_path_params *params = job->params;
    struct path_policy *policy = an_arena_alloc(job->shared->arena, sizeof(*policy));

    policy->job = job;
    policy->rows[0].has_any = true;
    policy->nodes_left = AN_LIMIT_POLICY_NODES;
    policy->explicit_policy = params->explicit_policy && !job->is_crl_signer ? 0 : chain_count;
    policy->policy_mapping = params->inhibit_mapping && !job->is_crl_signer ? 0 : chain_count;
    policy->inhibit_any = params->inhibit_any_policy && !job->is_crl_signer ? 0 : chain_count;
    return policy;
}

/* ---- certificatePolicies: 6.1.3 (d), (e) ---- */
/* The policies of the certificate, sorted; false when malformed or twice the same. */
static bool
parse_policies(struct path_policy *policy, an_bytes value, an_bytes **ret, size_t *ret_count, bool *ret_any)
{
    an_bytes in = value, info, counter, *oids;
    size_t count = 0, at = 0;

    if (!an_path_open(in, &in) || in.len == 0)
        return false;
    for (counter = in; counter.len > 0; count++)
        if (an_der_take(&counter, AN_DER_SEQUENCE, &info, NULL) != AN_OK)
            return false;
    oids = an_arena_alloc(policy->job->shared->arena, count * sizeof(*oids));
    *ret_any = false;
    while (in.len > 0) {
        if (an_der_take(&in, AN_DER_SEQUENCE, &info, NULL) != AN_OK ||
            an_der_take(&info, AN_DER_OID, &oids[at], NULL) != AN_OK || oids[at].len == 0)
            return false;
        if (is_any_policy(oids[at]) && *ret_any)
            return false;
        if (is_any_policy(oids[at]))
            *ret_any = true;
        else
            at++;
    }
    qsort(oids, at, sizeof(*oids), compare_oids);
    for (size_t i = 1; i < at; i++)
        if (an_bytes_eq(oids[i - 1], oids[i]))
            return false;
    *ret = oids;
    *ret_count = at;
    return true;
}

/* Keeps what the certificate also asserts; under anyPolicy above, adds what it asserts anew. */
static an_code
restrict_row(struct path_policy *policy, struct policy_row *row, const an_bytes *oids, size_t count, bool any_holds)
{
    struct policy_node *nodes;
    size_t kept = 0, total = row->count + (row->has_any ? count : 0);

    if (total > policy->nodes_left)
        return AN_V_PATH_LIMIT;
    nodes = an_arena_alloc(policy->job->shared->arena, (total + 1) * sizeof(*nodes));
    for (size_t i = 0; i < row->count; i++)
        if (any_holds || (count && bsearch(&row->nodes[i].oid, oids, count, sizeof(*oids), compare_oids)))
            nodes[kept++] = row->nodes[i];
    for (size_t i = 0; row->has_any && i < count; i++)
        if (!find_node(row, oids[i]))
            nodes[kept++] = (struct policy_node){.oid = oids[i]};
    policy->nodes_left -= kept;
    qsort(nodes, kept, sizeof(*nodes), compare_nodes);
    row->nodes = nodes;
    row->count = kept;
    row->has_any = row->has_any && any_holds;
    return AN_OK;
}

static an_code
apply_policies(struct path_policy *policy, const struct path_node *node, bool is_last)
{
    struct policy_row *row = &policy->rows[policy->row];
    bool has_any, any_allowed = policy->inhibit_any > 0 || (!is_last && node->cert->self_issued);
    an_bytes *oids;
    size_t count;

    if (!node->ext[PATH_EXT_POLICIES]) {
        row->count = 0;
        row->has_any = false;
        return AN_OK;
    }
    if (!parse_policies(policy, node->ext[PATH_EXT_POLICIES]->value, &oids, &count, &has_any))
        return AN_V_PATH_EXTENSION;
    return restrict_row(policy, row, oids, count, has_any && any_allowed);
}

/* ---- policyMappings: 6.1.4 (a), (b) ---- */
static an_code
parse_mappings(struct path_policy *policy, an_bytes value, struct policy_pair **ret, size_t *ret_count)
{
    an_bytes in = value, mapping, counter;
    struct policy_pair *pairs;
    size_t count = 0, at = 0;

    if (!an_path_open(in, &in) || in.len == 0)
        return AN_V_PATH_EXTENSION;
    for (counter = in; counter.len > 0; count++)
        if (an_der_take(&counter, AN_DER_SEQUENCE, &mapping, NULL) != AN_OK)
            return AN_V_PATH_EXTENSION;
    if (count > policy->nodes_left)
        return AN_V_PATH_LIMIT;
    policy->nodes_left -= count;
    pairs = an_arena_alloc(policy->job->shared->arena, count * sizeof(*pairs));
    for (; in.len > 0; at++) {
        if (an_der_take(&in, AN_DER_SEQUENCE, &mapping, NULL) != AN_OK ||
            an_der_take(&mapping, AN_DER_OID, &pairs[at].issuer, NULL) != AN_OK ||
            an_der_take(&mapping, AN_DER_OID, &pairs[at].subject, NULL) != AN_OK || mapping.len > 0 ||
            pairs[at].issuer.len == 0 || pairs[at].subject.len == 0)
            return AN_V_PATH_EXTENSION;
        if (is_any_policy(pairs[at].issuer) || is_any_policy(pairs[at].subject))
            return AN_V_PATH_POLICY; /* 6.1.4 (a) */
    }
    *ret = pairs;
    *ret_count = count;
    return AN_OK;
}

/* Marks the mapped policies of the row, adding those that only anyPolicy stood for. */
static an_code
mark_mapped(struct path_policy *policy, struct policy_row *row, const struct policy_pair *pairs, size_t count)
{
    struct policy_node *nodes = an_arena_alloc(policy->job->shared->arena, (row->count + count + 1) * sizeof(*nodes));
    struct policy_row old = *row;
    size_t total = row->count, unique = 0;

    if (row->count)
        memcpy(nodes, row->nodes, row->count * sizeof(*nodes));
    for (size_t i = 0; row->has_any && i < count; i++)
        if (!find_node(&old, pairs[i].issuer))
            nodes[total++] = (struct policy_node){.oid = pairs[i].issuer};
    qsort(nodes, total, sizeof(*nodes), compare_nodes);
    for (size_t i = 0; i < total; i++)
        if (i == 0 || !an_bytes_eq(nodes[i].oid, nodes[unique - 1].oid))
            nodes[unique++] = nodes[i];
    row->nodes = nodes;
    row->count = unique;
    for (size_t i = 0; i < count; i++) {
        struct policy_node *node = find_node(row, pairs[i].issuer);

        if (node)
            node->is_mapped = true;
    }
    return AN_OK;
}

static void
drop_mapped(struct policy_row *row)
{
    size_t kept = 0;

    for (size_t i = 0; i < row->count; i++)
        if (!row->nodes[i].is_mapped)
            row->nodes[kept++] = row->nodes[i];
    row->count = kept;
}

/* The row for the next certificate: each pair (policy above, policy below), grouped by the one below. */
static an_code
open_next_row(struct path_policy *policy, const struct policy_pair *mappings, size_t mapping_count)
{
    struct an_arena *arena = policy->job->shared->arena;
    struct policy_row *row = &policy->rows[policy->row], *next = &policy->rows[policy->row + 1];
    struct policy_pair *pairs = an_arena_alloc(arena, (row->count + mapping_count + 1) * sizeof(*pairs));
    an_bytes *parents;
    size_t count = 0;

    for (size_t i = 0; i < row->count; i++)
        if (!row->nodes[i].is_mapped)
            pairs[count++] = (struct policy_pair){row->nodes[i].oid, row->nodes[i].oid};
    for (size_t i = 0; i < mapping_count; i++)
        if (find_node(row, mappings[i].issuer))
            pairs[count++] = mappings[i];
    if (count > policy->nodes_left)
        return AN_V_PATH_LIMIT;
    policy->nodes_left -= count;
    qsort(pairs, count, sizeof(*pairs), compare_pairs_by_subject);
    next->nodes = an_arena_alloc(arena, (count + 1) * sizeof(*next->nodes));
    parents = an_arena_alloc(arena, (count + 1) * sizeof(*parents));
    next->count = 0;
    next->has_any = row->has_any;
    for (size_t i = 0; i < count; i++) {
        struct policy_node *node = next->count ? &next->nodes[next->count - 1] : NULL;

        if (!node || !an_bytes_eq(node->oid, pairs[i].subject)) {
            node = &next->nodes[next->count++];
            *node = (struct policy_node){.oid = pairs[i].subject};
            node->parents = &parents[i];
        }
        parents[i] = pairs[i].issuer;
        node->parent_count++;
    }
    policy->row++;
    return AN_OK;
}

static an_code
apply_mappings(struct path_policy *policy, const struct path_node *node)
{
    struct policy_row *row = &policy->rows[policy->row];
    struct policy_pair *pairs = NULL;
    size_t count = 0;

    if (!node->ext[PATH_EXT_MAPPINGS])
        return open_next_row(policy, NULL, 0);
    AN_TRY(parse_mappings(policy, node->ext[PATH_EXT_MAPPINGS]->value, &pairs, &count));
    if (policy->policy_mapping > 0) {
        AN_TRY(mark_mapped(policy, row, pairs, count));
        return open_next_row(policy, pairs, count);
    }
    for (size_t i = 0; i < count; i++) {
        struct policy_node *mapped = find_node(row, pairs[i].issuer);

        if (mapped)
            mapped->is_mapped = true;
    }
    drop_mapped(row);
    return open_next_row(policy, NULL, 0);
}

/* ---- the counters: 6.1.4 (h)–(j), 6.1.5 (a), (b) ---- */
static bool
take_skip(an_bytes *in, int tag, size_t *counter)
{
    an_bytes value;
    size_t skip = 0;

    if (!an_der_try(in, tag, &value))
        return true;
    if (value.len == 0 || (value.ptr[0] & 0x80))
        return false;
    for (size_t i = 0; i < value.len; i++)
        skip = skip > 0xFFFF ? skip : (skip << 8) | value.ptr[i];
    if (skip < *counter)
        *counter = skip;
    return true;
}

static an_code
apply_policy_constraints(struct path_policy *policy, const struct path_node *node, bool is_last)
{
    an_bytes in;
    size_t ignored = SIZE_MAX, require = SIZE_MAX;

    if (!node->ext[PATH_EXT_POLICY_CONSTRAINTS])
        return AN_OK;
    in = node->ext[PATH_EXT_POLICY_CONSTRAINTS]->value;
    if (!an_path_open(in, &in) || in.len == 0 ||
        !take_skip(&in, AN_DER_CONTEXT(0), &require) ||
        !take_skip(&in, AN_DER_CONTEXT(1), is_last ? &ignored : &policy->policy_mapping) || in.len > 0)
        return AN_V_PATH_EXTENSION;
    if (is_last ? require == 0 : require < policy->explicit_policy)
        policy->explicit_policy = require;
    return AN_OK;
}

static an_code
apply_inhibit_any(struct path_policy *policy, const struct path_node *node)
{
    an_bytes in;

    if (!node->ext[PATH_EXT_INHIBIT_ANY])
        return AN_OK;
    in = node->ext[PATH_EXT_INHIBIT_ANY]->value;
    if (an_der_peek(in) != AN_DER_INTEGER || !take_skip(&in, AN_DER_INTEGER, &policy->inhibit_any) || in.len > 0)
        return AN_V_PATH_EXTENSION;
    return AN_OK;
}

static void
count_down(struct path_policy *policy)
{
    policy->explicit_policy -= policy->explicit_policy > 0;
    policy->policy_mapping -= policy->policy_mapping > 0;
    policy->inhibit_any -= policy->inhibit_any > 0;
}

static an_code
add_certificate(struct path_policy *policy, const struct path_node *node, bool is_last)
{
    AN_TRY(apply_policies(policy, node, is_last));
    if (is_last) {
        policy->explicit_policy -= policy->explicit_policy > 0;
        return apply_policy_constraints(policy, node, true);
    }
    AN_TRY(apply_mappings(policy, node));
    if (!node->cert->self_issued)
        count_down(policy);
    AN_TRY(apply_policy_constraints(policy, node, false));
    return apply_inhibit_any(policy, node);
}

an_code
an_path_policy_add(struct path_policy *policy, const struct path_node *node, bool is_last, struct path_verdict *ret,
                   size_t at)
{
    an_code code = add_certificate(policy, node, is_last);

    if (code == AN_V_PATH_LIMIT)
        policy->job->shared->limit_reached = true;
    return code == AN_OK ? AN_OK : an_path_refuse(ret, code, at, "certificate policies");
}

/* ---- 6.1.5 (g): what remains, in the words of the trust anchor ---- */
static bool
user_accepts(const struct path_policy *policy, an_bytes oid)
{
    const struct an_path_params *params = policy->job->params;

    for (size_t i = 0; i < params->policy_count; i++)
        if (an_oid_eq(oid, params->policy_oids[i]))
            return true;
    return false;
}

static bool
user_accepts_any(const struct path_policy *policy)
{
    const struct an_path_params *params = policy->job->params;

    if (policy->job->is_crl_signer || params->policy_count == 0)
        return true;
    for (size_t i = 0; i < params->policy_count; i++)
        if (strcmp(params->policy_oids[i], "2.5.29.32.0") == 0)
            return true;
    return false;
}

static void
collect_reachable(struct path_policy *policy, struct path_policy_result *ret, bool any_accepted)
{
    struct policy_row *last = &policy->rows[policy->row];

    for (size_t i = 0; i < last->count; i++)
        last->nodes[i].is_reachable = true;
    for (size_t at = policy->row + 1; at-- > 0;) {
        struct policy_row *row = &policy->rows[at];

        for (size_t i = 0; i < row->count; i++) {
            struct policy_node *node = &row->nodes[i];

            if (!node->is_reachable)
                continue;
            if (node->parent_count == 0 && (any_accepted || user_accepts(policy, node->oid)))
                ret->oids[ret->count++] = node->oid;
            for (size_t j = 0; at > 0 && j < node->parent_count; j++) {
                struct policy_node *parent = find_node(&policy->rows[at - 1], node->parents[j]);

                if (parent)
                    parent->is_reachable = true;
            }
        }
    }
}

an_code
an_path_policy_finish(struct path_policy *policy, struct path_policy_result *ret, struct path_verdict *ret_verdict)
{
    struct policy_row *last = &policy->rows[policy->row];
    bool any_accepted = user_accepts_any(policy);
    size_t capacity = 1;

    for (size_t at = 0; at <= policy->row; at++)
        capacity += policy->rows[at].count;
    *ret = (struct path_policy_result){.any = last->has_any};
    ret->oids = an_arena_alloc(policy->job->shared->arena, capacity * sizeof(*ret->oids));
    collect_reachable(policy, ret, any_accepted);
    if (policy->explicit_policy == 0 && ret->count == 0 && !last->has_any)
        return an_path_refuse(ret_verdict, AN_V_PATH_POLICY, 0, "no acceptable policy");
    return AN_OK;
}
