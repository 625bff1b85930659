/* The right edge of a Merkle tree: all that the next leaf needs, however many there are. */
#include "audit/internal.h"

an_code
frontier_add(struct frontier *frontier, struct an_hash *hash, const uint8_t leaf[HASH_SIZE], node_fn each,
             void *context,
             struct an_err *reterr)
{
    unsigned level = 0;

    AN_ASSERT(frontier->count < FRONTIER_MAX);
    memcpy(frontier->hashes[frontier->count++], leaf, HASH_SIZE);
    frontier->size++;
    /* as many pairs close as the new size has zero-bits at its end */
    for (uint64_t rest = frontier->size; rest % 2 == 0; rest /= 2) {
        uint8_t *left = frontier->hashes[frontier->count - 2];

        node_hash(hash, left, frontier->hashes[frontier->count - 1], left);
        frontier->count--;
        level++;
        if (each != NULL)
            AN_TRY(each(context, level, (frontier->size >> level) - 1, left, reterr));
    }
    return AN_OK;
}

void
frontier_root(const struct frontier *frontier, struct an_hash *hash, uint8_t ret[static HASH_SIZE])
{
    uint8_t digest[AN_DIGEST_MAX];

    if (frontier->count == 0) {
        an_hash_final(hash, digest);
        memcpy(ret, digest, HASH_SIZE);
        return;
    }
    memcpy(ret, frontier->hashes[frontier->count - 1], HASH_SIZE);
    for (size_t i = frontier->count - 1; i-- > 0;)
        node_hash(hash, frontier->hashes[i], ret, ret);
}

void
frontier_join(struct frontier *frontier, struct an_hash *hash, const struct frontier *right)
{
    AN_ASSERT(frontier->count + right->count <= FRONTIER_MAX);
    memcpy(frontier->hashes[frontier->count], right->hashes, right->count * HASH_SIZE);
    frontier->count += right->count;
    frontier->size += right->size;
    while (frontier->count > (size_t)__builtin_popcountll(frontier->size)) { /* a full right part may close pairs */
        uint8_t *left = frontier->hashes[frontier->count - 2];

        node_hash(hash, left, frontier->hashes[frontier->count - 1], left);
        frontier->count--;
    }
}
