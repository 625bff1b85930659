/*
 * Path building: depth-first from the leaf, best candidates first, each step only over a signature that is right. Key
 * identifiers order the candidates and never exclude one (RFC 4158 3.5.12). No authority (name and key) stands twice
 * in a path, so loops end; the number of steps and of signature checks is bounded for the whole call.
 */
#include "x509/path_internal.h"

#include <stdio.h>

static void
remember_failure(struct path_job *job, const struct path_verdict *verdict)
{
    bool is_better = verdict->rank > job->best.rank ||
                     (verdict->rank == job->best.rank && verdict->rank <= PATH_RANK_SIGNATURE &&
                      job->chain_count > job->best_count);

    if (!is_better && job->best.rank != PATH_RANK_NONE)
        return;
    job->best = *verdict;
    job->best_count = job->chain_count;
    memcpy(job->best_chain, job->chain, job->chain_count * sizeof(job->chain[0]));
}

static void
note_dead_end(struct path_job *job, size_t at, an_code why, int rank)
{
    struct path_verdict verdict = {.why = why, .at = at, .rank = rank};
    struct an_buf name AN_CLEANUP(an_buf_free) = an_buf_new(4096);

    if (job->best.rank > rank)
        return;
    an_name_text(job->chain[at]->cert->issuer, &name);
    snprintf(verdict.detail, sizeof(verdict.detail), "issuer %.*s", AN_FMT(an_bytes_slice(an_buf_view(&name), 0, 180)));
    remember_failure(job, &verdict);
}

/* Shows the path with the issuer that should have signed. */
static void
note_bad_signature(struct path_job *job, const struct path_node *node)
{
    size_t at = job->chain_count - 1;

    for (size_t i = 0; i < node->edge_count; i++) {
        if (node->edges[i].signature >= 0)
            continue;
        job->chain[job->chain_count++] = node->edges[i].issuer;
        break;
    }
    note_dead_end(job, at, AN_V_PATH_SIGNATURE, PATH_RANK_SIGNATURE);
    job->chain_count = at + 1;
}

static bool
is_anchor(const struct path_job *job, const struct path_node *node)
{
    return node->is_anchor && (!job->only_anchor || an_path_same_entity(node->cert, job->only_anchor));
}

/* A complete path: judge it. */
static bool
try_path(struct path_job *job)
{
    struct path_verdict verdict = {.rank = PATH_RANK_RULES};

    job->shared->candidates++;
    if (an_path_check(job, &verdict) == AN_OK) {
        verdict.rank = PATH_RANK_STATUS;
        if (an_path_check_status(job, &verdict) == AN_OK && an_path_check_key_identifiers(job, &verdict) == AN_OK)
            return true;
    }
    remember_failure(job, &verdict);
    return false;
}

static int
score_candidate(const struct path_job *job, const struct an_cert *cert, const struct path_node *candidate)
{
    const struct an_cert *issuer = candidate->cert;
    an_time at = job->params->at;
    int score = 0;

    if (cert->aki_key.len && issuer->ski.len)
        score += an_bytes_eq(cert->aki_key, issuer->ski) ? 16 : 0;
    else
        score += 8;
    score += candidate->is_anchor ? 4 : 0;
    score += at >= issuer->not_before && at <= issuer->not_after ? 2 : 0;
    return score;
}

static void
add_edge(struct path_job *job, struct path_node *node, struct path_node *candidate, size_t first)
{
    struct path_edge edge = {.issuer = candidate, .score = score_candidate(job, node->cert, candidate)};
    size_t at;

    if (node->edge_count == node->edge_capacity) {
        size_t capacity = node->edge_capacity ? node->edge_capacity * 2 : 4;
        struct path_edge *edges = an_arena_alloc(job->shared->arena, capacity * sizeof(*edges));

        if (node->edge_count)
            memcpy(edges, node->edges, node->edge_count * sizeof(*edges));
        node->edges = edges;
        node->edge_capacity = capacity;
    }
    for (at = node->edge_count++; at > first && node->edges[at - 1].score < edge.score; at--)
        node->edges[at] = node->edges[at - 1];
    node->edges[at] = edge;
}

/* tier 0: the issuer's name octet for octet, as nearly every CA writes it; tier 1: equal only after folding (7.1). */
static void
collect_edges(struct path_job *job, struct path_node *node, int tier)
{
    struct path_nodes *pool = &job->shared->pool;
    size_t first = node->edge_count;

    for (size_t i = node->pool_seen[tier]; i < pool->count; i++) {
        struct path_node *candidate = pool->items[i];
        bool is_exact = an_bytes_eq(candidate->cert->subject, node->cert->issuer);

        if (candidate != node && is_exact == (tier == 0) &&
            (is_exact || an_name_eq(candidate->cert->subject, node->cert->issuer)))
            add_edge(job, node, candidate, first);
    }
    node->pool_seen[tier] = pool->count;
}

static bool
is_in_chain(const struct path_job *job, const struct path_node *candidate)
{
    for (size_t i = 0; i < job->chain_count; i++)
        if (job->chain[i] == candidate || an_path_same_entity(job->chain[i]->cert, candidate->cert))
            return true;
    return false;
}

static bool
edge_is_signed(struct path_job *job, struct path_node *node, struct path_edge *edge)
{
    if (edge->signature == 0) {
        bool is_right = an_path_cert_signed_by(job->shared, node->cert, edge->issuer->cert);

        if (job->shared->signatures_left == 0 && !is_right)
            return false;
        edge->signature = is_right ? 1 : -1;
    }
    return edge->signature > 0;
}

static bool extend(struct path_job *job);

static bool
follow(struct path_job *job, struct path_node *issuer)
{
    if (job->shared->tries_left == 0) {
        job->shared->limit_reached = true;
        return false;
    }
    job->shared->tries_left--;
    job->chain[job->chain_count++] = issuer;
    if (extend(job))
        return true;
    job->chain_count--;
    return false;
}

/* Follows every candidate of the node from edge *at on; counts the edges whose signature is right or wrong. */
static bool
follow_edges(struct path_job *job, struct path_node *node, size_t *at, size_t *good, size_t *bad)
{
    for (; *at < node->edge_count; (*at)++) {
        struct path_edge *edge = &node->edges[*at];

        if (is_in_chain(job, edge->issuer))
            continue;
        if (!edge_is_signed(job, node, edge)) {
            ++*bad;
            continue;
        }
        ++*good;
        if (follow(job, edge->issuer))
            return true;
    }
    return false;
}

/* Bounded by AN_LIMIT_PATH_DEPTH: each call adds one certificate. */
static bool
extend(struct path_job *job)
{
    struct path_node *node = job->chain[job->chain_count - 1];
    size_t at = 0, good = 0, bad = 0;

    node->was_reached = true;
    if (is_anchor(job, node) && try_path(job))
        return true;
    if (is_anchor(job, node) && job->chain_count > 1)
        return false; /* what is above an anchor adds nothing */
    if (job->chain_count == AN_LIMIT_PATH_DEPTH) {
        job->shared->limit_reached = true;
        note_dead_end(job, job->chain_count - 1, AN_V_PATH_LIMIT, PATH_RANK_DEAD_END);
        return false;
    }
    for (int tier = 0; tier < 2; tier++) {
        collect_edges(job, node, tier);
        if (follow_edges(job, node, &at, &good, &bad))
            return true;
    }
    if (good == 0 && bad > 0)
        note_bad_signature(job, node);
    else if (good == 0)
        note_dead_end(job, job->chain_count - 1, AN_V_PATH_NO_ISSUER, PATH_RANK_DEAD_END);
    return false;
}

bool
an_path_search(struct path_job *job, struct path_node *leaf)
{
    job->chain[0] = leaf;
    job->chain_count = 1;
    return extend(job);
}
