/* EvidenceRecord of RFC 4998, read into the tree that the checks walk. */
#include "verify/record.h"

#define CHAINS_MAX 64
#define GROUPS_MAX 256
#define HASHES_MAX 4096 /* of one node; a group of so many objects is sealed by a container instead */

struct reader { struct an_arena *arena; bool failed; };

static void *
make_array(struct reader *reader, size_t count, size_t size)
{
    void *items = an_arena_alloc(reader->arena, count * size + 1);

    reader->failed = reader->failed || !items;
    if (items)
        memset(items, 0, count * size + 1);
    return items;
}

static size_t
count_elements(an_bytes list, int tag, size_t max)
{
    size_t count = 0;
    an_bytes part;

    while (list.len) {
        if (count == max || an_der_take(&list, tag, &part, NULL) != AN_OK)
            return SIZE_MAX;
        count++;
    }
    return count;
}

/* The algorithm identifier under [0] IMPLICIT has lost its tag: it is put back. */
static enum an_digest
tagged_digest(an_bytes content)
{
    struct an_buf whole = an_buf_new(256);
    struct an_der_out out = AN_DER_OUT(&whole);
    enum an_digest digest = AN_DIGEST_NONE;

    an_der_put(&out, AN_DER_SEQUENCE, content);
    if (!an_buf_ok(&whole) || an_digest_parse(an_buf_view(&whole), &digest, NULL) != AN_OK)
        digest = AN_DIGEST_NONE;
    an_buf_free(&whole);
    return digest;
}

static enum an_digest
imprint_digest(an_bytes token)
{
    struct an_tst *tst = NULL;
    enum an_digest digest = an_tst_parse(token, &tst, NULL) == AN_OK ? tst->digest : AN_DIGEST_NONE;

    an_tst_free(&tst);
    return digest;
}

static an_bytes
hash_of(struct reader *reader, enum an_digest digest, an_bytes data)
{
    uint8_t value[AN_DIGEST_MAX];

    an_hash_once(digest, data, value);
    return an_arena_dup(reader->arena, AN_BYTES(value, an_digest_size(digest)));
}

static void
read_group(struct reader *reader, an_bytes list, struct an_ers_group *ret)
{
    size_t count = count_elements(list, AN_DER_OCTET_STRING, HASHES_MAX);

    reader->failed = reader->failed || count == SIZE_MAX;
    if (reader->failed)
        return;
    ret->hashes = make_array(reader, count, sizeof(*ret->hashes));
    while (!reader->failed && ret->count < count && an_der_take(&list, AN_DER_OCTET_STRING, &ret->hashes[ret->count],
                                                                NULL) == AN_OK)
        ret->count++;
}

static void
read_tree(struct reader *reader, an_bytes tree, struct an_ers_stamp *ret)
{
    size_t count = count_elements(tree, AN_DER_SEQUENCE, GROUPS_MAX);
    an_bytes list;

    reader->failed = reader->failed || count == SIZE_MAX || count == 0;
    if (reader->failed)
        return;
    ret->groups = make_array(reader, count, sizeof(*ret->groups));
    while (!reader->failed && ret->group_count < count && an_der_take(&tree, AN_DER_SEQUENCE, &list, NULL) == AN_OK)
        read_group(reader, list, &ret->groups[ret->group_count++]);
}

/* ArchiveTimeStamp ::= SEQUENCE { [0] digestAlgorithm?, [1] attributes?, [2] reducedHashtree?, timeStamp ContentInfo
 * } */
static void
read_stamp(struct reader *reader, an_bytes body, struct an_ers_chain *chain, struct an_ers_stamp *ret)
{
    enum an_digest digest = AN_DIGEST_NONE;
    an_bytes part;

    if (an_der_try(&body, AN_DER_CONTEXT_CONSTRUCTED(0), &part))
        digest = tagged_digest(part);
    an_der_try(&body, AN_DER_CONTEXT_CONSTRUCTED(1), &part);
    if (an_der_try(&body, AN_DER_CONTEXT_CONSTRUCTED(2), &part))
        read_tree(reader, part, ret);
    if (an_der_take_whole(&body, AN_DER_SEQUENCE, &ret->token, NULL) != AN_OK || body.len) {
        reader->failed = true;
        return;
    }
    if (digest == AN_DIGEST_NONE)
        digest = imprint_digest(ret->token);
    /* One algorithm a chain (5.1): a stronger one starts a new chain. */
    reader->failed = reader->failed || digest == AN_DIGEST_NONE || (chain->digest && chain->digest != (int)digest);
    chain->digest = (int)digest;
    if (!reader->failed)
        ret->self = hash_of(reader, digest, ret->token);
}

static void
read_chain(struct reader *reader, an_bytes list, const struct an_buf *before, struct an_ers_chain *ret)
{
    size_t count = count_elements(list, AN_DER_SEQUENCE, AN_LIMIT_VERIFY_STAMPS);
    struct an_buf sequence = an_buf_new(AN_LIMIT_CMS_BYTES);
    struct an_der_out out = AN_DER_OUT(&sequence);
    an_bytes body;

    reader->failed = reader->failed || count == SIZE_MAX || count == 0;
    if (!reader->failed)
        ret->stamps = make_array(reader, count, sizeof(*ret->stamps));
    while (!reader->failed && ret->stamp_count < count && an_der_take(&list, AN_DER_SEQUENCE, &body, NULL) == AN_OK)
        read_stamp(reader, body, ret, &ret->stamps[ret->stamp_count++]);
    an_der_put(&out, AN_DER_SEQUENCE, an_buf_view(before));
    if (before->len && !reader->failed)
        ret->before = hash_of(reader, (enum an_digest)ret->digest, an_buf_view(&sequence));
    reader->failed = reader->failed || !an_buf_ok(&sequence);
    an_buf_free(&sequence);
}

static void
read_chains(struct reader *reader, an_bytes chains, struct an_ers *ret)
{
    struct an_buf before = an_buf_new(AN_LIMIT_CMS_BYTES);
    size_t count = count_elements(chains, AN_DER_SEQUENCE, CHAINS_MAX);
    an_bytes whole, list;
    int tag;

    reader->failed = reader->failed || count == SIZE_MAX || count == 0;
    if (!reader->failed)
        ret->chains = make_array(reader, count, sizeof(*ret->chains));
    while (!reader->failed && ret->chain_count < count && an_der_any(&chains, &tag, &whole, &list, NULL) == AN_OK) {
        read_chain(reader, list, &before, &ret->chains[ret->chain_count++]);
        an_buf_append(&before, whole);
    }
    reader->failed = reader->failed || !an_buf_ok(&before);
    an_buf_free(&before);
}

/* EvidenceRecord ::= SEQUENCE { version, digestAlgorithms, [0]?, [1]?, SEQUENCE OF SEQUENCE OF ArchiveTimeStamp } */
bool
an_ers_parse(an_bytes der, struct an_arena *arena, struct an_ers *ret)
{
    struct reader reader = {.arena = arena};
    an_bytes body, part, chains;
    int64_t version;

    *ret = (struct an_ers){0};
    if (an_der_take(&der, AN_DER_SEQUENCE, &body, NULL) != AN_OK || an_der_int64(&body, &version, NULL) != AN_OK ||
        an_der_take(&body, AN_DER_SEQUENCE, &part, NULL) != AN_OK)
        return false;
    an_der_try(&body, AN_DER_CONTEXT_CONSTRUCTED(0), &part);
    an_der_try(&body, AN_DER_CONTEXT_CONSTRUCTED(1), &part);
    if (an_der_take(&body, AN_DER_SEQUENCE, &chains, NULL) != AN_OK || body.len)
        return false;
    read_chains(&reader, chains, ret);
    return !reader.failed;
}
