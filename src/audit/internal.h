/* Inside the room: how an entry becomes bytes and a hash, and the right edge of the tree. */
#pragma once

#include "audit/audit.h"

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
void node_hash(struct an_hash *hash, const uint8_t left[HASH_SIZE], const uint8_t right[HASH_SIZE],
               uint8_t ret[static HASH_SIZE]);
void chain_hash(struct an_hash *hash, const uint8_t before[HASH_SIZE], const uint8_t leaf[HASH_SIZE],
                uint8_t ret[static HASH_SIZE]);

void entry_of_row(const struct an_row *row, struct entry *ret); /* columns as audit_event_range has them */
void free_hash(struct an_hash **hash);                          /* for AN_CLEANUP */

/* frontier.c: the full subtrees at the right edge, largest first; as many as size has one-bits. */
struct frontier {
    uint64_t size;
    size_t count;
    uint8_t hashes[FRONTIER_MAX][HASH_SIZE];
};
/* Called for each subtree of 2^level leaves that became full: the place-th of its level. */
typedef an_code (*node_fn)(void *context, unsigned level, uint64_t place, const uint8_t hash[HASH_SIZE],
                           struct an_err *reterr);
an_code frontier_add(struct frontier *frontier, struct an_hash *hash, const uint8_t leaf[HASH_SIZE], node_fn each,
                     void *context,
                     struct an_err *reterr) AN_MUST_USE;
/* RFC 9162: of nothing, SHA-256("") */
void frontier_root(const struct frontier *frontier, struct an_hash *hash, uint8_t ret[static HASH_SIZE]);
/* As if everything in right followed: right begins where a full subtree ends that is at least as large. */
void frontier_join(struct frontier *frontier, struct an_hash *hash, const struct frontier *right);

/* append.c: the head row */
struct head {
    struct frontier frontier;
    uint8_t chain[HASH_SIZE];
};
an_code take_head(void *head, const struct an_row *row, struct an_err *reterr) AN_MUST_USE;

/* statement.c: what a checkpoint says, as text; and its signature. */
struct statement {
    char instance[80];
    int64_t size;
    uint8_t root[HASH_SIZE], chain[HASH_SIZE];
    an_time at;
};
void statement_write(const struct statement *statement, struct an_buf *out);
bool statement_read(an_bytes text, struct statement *ret);
bool statement_is_signed(an_bytes text, an_bytes signature, const struct an_certs *signers, bool *ret_stamped);

/* list.c */
an_code audit_note_view(struct an_store *store, const char *viewer, const char *what,
                        const struct an_audit_search *search,
                        struct an_err *reterr) AN_MUST_USE;
an_code audit_each(struct an_store *store, int64_t after, int64_t to, an_audit_entry_fn each, void *context,
                   struct an_err *reterr) AN_MUST_USE;
