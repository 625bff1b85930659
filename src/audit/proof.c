/* Proofs (RFC 9162, 2.1.3.1 and 2.1.4.1), from stored subtrees and at most 255 rows at either edge of what is asked. */
#include "audit/internal.h"

struct proof {
    struct an_tx *tx;
    struct an_hash *hash;
    struct an_buf entry;
    struct frontier nodes; /* gathered: subtrees of one level, as if they were leaves */
    int64_t expected;
};

static an_code
gather_row(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct proof *proof = context;
    uint8_t leaf[HASH_SIZE];
    struct entry entry;

    if (an_row_int(row, 0) != proof->expected++)
        AN_FAIL(reterr, AN_E_AUDIT_DAMAGED, "no event %lld", (long long)proof->expected - 1);
    entry_of_row(row, &entry);
    an_buf_reset(&proof->entry);
    entry_write(&entry, &proof->entry);
    leaf_hash(proof->hash, an_buf_view(&proof->entry), leaf);
    return frontier_add(&proof->nodes, proof->hash, leaf, NULL, NULL, reterr);
}

static an_code
gather_node(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct proof *proof = context;
    an_bytes hash = an_row_blob(row, 1);

    if (an_row_int(row, 0) != proof->expected++ || hash.len != HASH_SIZE)
        AN_FAIL(reterr, AN_E_AUDIT_DAMAGED, "subtree %lld", (long long)proof->expected - 1);
    return frontier_add(&proof->nodes, proof->hash, hash.ptr, NULL, NULL, reterr);
}

/* Hash of the leaves begin…end-1; a full subtree when both are multiples of its size, which is a power of two. */
static an_code
full_subtree(struct proof *proof, int64_t begin, int64_t end, uint8_t ret[static HASH_SIZE], struct an_err *reterr)
{
    unsigned level = 0;
    int64_t unit = 1;

    while (unit << TILE_LEVELS <= end - begin) {
        unit <<= TILE_LEVELS;
        level += TILE_LEVELS;
    }
    proof->nodes = (struct frontier){0};
    if (level == 0) {
        proof->expected = begin + 1;
        AN_TRY(an_tx_each(proof->tx, AN_SQL_AUDIT_EVENT_RANGE, (struct an_value[]){AN_V_INT(begin), AN_V_INT(end)}, 2,
                          gather_row, proof, reterr));
    } else {
        proof->expected = begin / unit;
        AN_TRY(an_tx_each(proof->tx, AN_SQL_AUDIT_NODE_RANGE,
                          (struct an_value[]){AN_V_INT(level), AN_V_INT(begin / unit), AN_V_INT(end / unit)},
                          3, gather_node, proof, reterr));
    }
    if ((int64_t)proof->nodes.size != (end - begin) / unit)
        AN_FAIL(reterr, AN_E_AUDIT_DAMAGED, "events %lld to %lld", (long long)begin + 1, (long long)end);
    frontier_root(&proof->nodes, proof->hash, ret);
    return AN_OK;
}

/* The largest power of two smaller than n > 1. */
static int64_t
split(int64_t n)
{
    int64_t k = 1;

    while (k * 2 < n)
        k *= 2;
    return k;
}

static an_code
range_hash(struct proof *proof, int64_t begin, int64_t end, uint8_t ret[static HASH_SIZE], struct an_err *reterr)
{
    struct frontier parts = {0};

    while (begin < end) {
        int64_t n = end - begin, k = (n & (n - 1)) == 0 ? n : split(n);

        AN_TRY(full_subtree(proof, begin, begin + k, parts.hashes[parts.count++], reterr));
        begin += k;
    }
    frontier_root(&parts, proof->hash, ret);
    return AN_OK;
}

static an_code
append_range(struct proof *proof, int64_t begin, int64_t end, struct an_buf *ret, struct an_err *reterr)
{
    uint8_t hash[HASH_SIZE];

    AN_TRY(range_hash(proof, begin, end, hash, reterr));
    an_buf_append(ret, AN_BYTES(hash, HASH_SIZE));
    return AN_OK;
}

/* The siblings on the way from the root down; a proof lists them from the leaf up. */
struct sibling { int64_t begin, end; };

static an_code
append_siblings(struct proof *proof, const struct sibling *siblings, size_t count, struct an_buf *ret,
                struct an_err *reterr)
{
    while (count-- > 0)
        AN_TRY(append_range(proof, siblings[count].begin, siblings[count].end, ret, reterr));
    return AN_OK;
}

struct question { int64_t a, size; struct an_buf *ret; uint8_t *root; };

static an_code
start(struct proof *proof, struct an_tx *tx, int64_t size, struct an_err *reterr)
{
    struct head head = {0};

    proof->tx = tx;
    AN_TRY(an_tx_one(tx, AN_SQL_AUDIT_HEAD_FIND, NULL, 0, take_head, &head, NULL, reterr));
    if (size < 0 || size > (int64_t)head.frontier.size)
        AN_FAIL(reterr, AN_E_AUDIT_RANGE, "%lld of %lld", (long long)size, (long long)head.frontier.size);
    return AN_OK;
}

static an_code
prove_inclusion(struct proof *proof, const struct question *question, struct an_err *reterr)
{
    struct sibling siblings[64];
    int64_t begin = 0, end = question->size, leaf = question->a - 1;
    size_t count = 0;

    if (question->a < 1 || question->a > question->size)
        AN_FAIL(reterr, AN_E_AUDIT_RANGE, "%lld of %lld", (long long)question->a, (long long)question->size);
    while (end - begin > 1) {
        int64_t middle = begin + split(end - begin);
        bool left = leaf < middle;

        siblings[count++] = left ? (struct sibling){middle, end} : (struct sibling){begin, middle};
        *(left ? &end : &begin) = middle;
    }
    return append_siblings(proof, siblings, count, question->ret, reterr);
}

static an_code
prove_consistency(struct proof *proof, const struct question *question, struct an_err *reterr)
{
    struct sibling siblings[64];
    int64_t begin = 0, end = question->size, before = question->a;
    size_t count = 0;
    bool known = true; /* the verifier has the hash of begin…before already */

    if (before < 1 || before > question->size)
        AN_FAIL(reterr, AN_E_AUDIT_RANGE, "%lld of %lld", (long long)before, (long long)question->size);
    while (before < end) {
        int64_t middle = begin + split(end - begin);
        bool left = before <= middle;

        siblings[count++] = left ? (struct sibling){middle, end} : (struct sibling){begin, middle};
        known = known && left;
        *(left ? &end : &begin) = middle;
    }
    if (!known)
        AN_TRY(append_range(proof, begin, end, question->ret, reterr));
    return append_siblings(proof, siblings, count, question->ret, reterr);
}

static an_code
prove_root(struct proof *proof, const struct question *question, struct an_err *reterr)
{
    return range_hash(proof, 0, question->size, question->root, reterr);
}

typedef an_code (*prove_fn)(struct proof *proof, const struct question *question, struct an_err *reterr);
struct asking { prove_fn prove; const struct question *question; };

static an_code
run_proof(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct asking *asking = context;
    AN_CLEANUP(free_hash) struct an_hash *hash = an_hash_new(AN_SHA256);
    struct proof proof = {.hash = hash, .entry = an_buf_new(AN_BUF_UNLIMITED)};
    an_code code = start(&proof, tx, asking->question->size, reterr);

    if (asking->question->ret != NULL)
        an_buf_reset(asking->question->ret);
    if (code == AN_OK)
        code = asking->prove(&proof, asking->question, reterr);
    an_buf_free(&proof.entry);
    return code;
}

an_code
an_audit_inclusion(struct an_store *store, int64_t seq, int64_t size, struct an_buf *ret, struct an_err *reterr)
{
    const struct question question = {seq, size, ret, NULL};
    struct asking asking = {prove_inclusion, &question};

    return an_store_read(store, run_proof, &asking, reterr);
}

an_code
an_audit_consistency(struct an_store *store, int64_t size_before, int64_t size, struct an_buf *ret,
                     struct an_err *reterr)
{
    const struct question question = {size_before, size, ret, NULL};
    struct asking asking = {prove_consistency, &question};

    return an_store_read(store, run_proof, &asking, reterr);
}

an_code
an_audit_root(struct an_store *store, int64_t size, uint8_t ret[static 32], struct an_err *reterr)
{
    const struct question question = {0, size, NULL, ret};
    struct asking asking = {prove_root, &question};

    return an_store_read(store, run_proof, &asking, reterr);
}
