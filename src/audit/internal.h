/* Inside the room: how an entry becomes bytes and a hash, and the right edge of the tree. */
#pragma once

#include "audit/audit.h"
#include "crypto/crypto.h"

#define HASH_SIZE 32
#define EVENT_TEXTS 7        /* action … detail, in the order of the entry */
#define ENTRY_VERSION 1
#define TILE_LEVELS 8        /* every eighth level of the tree is stored */
#define FRONTIER_MAX 56      /* more leaves than that are never written */

struct entry {
    an_time at;
    an_bytes texts[EVENT_TEXTS];
};
/* entry.c */
void entry_write(const struct entry *entry, struct an_buf *out);
bool entry_read(an_bytes bytes, struct entry *ret);
void leaf_hash(struct an_hash *hash, an_bytes entry, uint8_t ret[static HASH_SIZE]);
void node_hash(struct an_hash *hash, const uint8_t left[HASH_SIZE], const uint8_t right[HASH_SIZE], uint8_t ret[static HASH_SIZE]);
void chain_hash(struct an_hash *hash, const uint8_t before[HASH_SIZE], const uint8_t leaf[HASH_SIZE], uint8_t ret[static HASH_SIZE]);

/* frontier.c: the full subtrees at the right edge, largest first; as many as size has one-bits. */
struct frontier {
    uint64_t size;
    size_t count;
    uint8_t hashes[FRONTIER_MAX][HASH_SIZE];
};
/* Called for each subtree of 2^level leaves that became full: the place-th of its level. */
typedef an_code (*node_fn)(void *context, unsigned level, uint64_t place, const uint8_t hash[HASH_SIZE], struct an_err *reterr);
an_code frontier_add(struct frontier *frontier, struct an_hash *hash, const uint8_t leaf[HASH_SIZE], node_fn each, void *context,
                     struct an_err *reterr) AN_MUST_USE;
void frontier_root(const struct frontier *frontier, struct an_hash *hash, uint8_t ret[static HASH_SIZE]); /* RFC 9162: of nothing, SHA-256("") */
