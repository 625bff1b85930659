/* An event as bytes, and the three hashes. */
#include "audit/internal.h"

static void
put_be(struct an_buf *out, uint64_t number, size_t bytes)
{
    for (size_t i = bytes; i-- > 0;)
        an_buf_byte(out, (uint8_t)(number >> (8 * i)));
}

static uint64_t
take_be(an_bytes bytes, size_t at, size_t len)
{
    uint64_t number = 0;

    for (size_t i = 0; i < len; i++)
        number = number << 8 | bytes.ptr[at + i];
    return number;
}

void
entry_write(const struct entry *entry, struct an_buf *out)
{
    an_buf_byte(out, ENTRY_VERSION);
    put_be(out, (uint64_t)entry->at, 8);
    for (size_t i = 0; i < EVENT_TEXTS; i++) {
        put_be(out, entry->texts[i].len, 4);
        an_buf_append(out, entry->texts[i]);
    }
}

bool
entry_read(an_bytes bytes, struct entry *ret)
{
    size_t at = 9;

    if (bytes.len < at || bytes.ptr[0] != ENTRY_VERSION)
        return false;
    ret->at = (an_time)take_be(bytes, 1, 8);
    for (size_t i = 0; i < EVENT_TEXTS; i++) {
        size_t len;

        if (bytes.len - at < 4)
            return false;
        len = (size_t)take_be(bytes, at, 4);
        if (bytes.len - at - 4 < len)
            return false;
        ret->texts[i] = AN_BYTES(bytes.ptr + at + 4, len);
        at += 4 + len;
    }
    return at == bytes.len;
}

static void
tagged_hash(struct an_hash *hash, uint8_t tag, an_bytes a, an_bytes b, uint8_t ret[static HASH_SIZE])
{
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_update(hash, AN_BYTES(&tag, 1));
    an_hash_update(hash, a);
    an_hash_update(hash, b);
    an_hash_final(hash, digest);
    memcpy(ret, digest, HASH_SIZE);
}

void
leaf_hash(struct an_hash *hash, an_bytes entry, uint8_t ret[static HASH_SIZE])
{
    tagged_hash(hash, 0, entry, AN_NONE, ret);
}

void
node_hash(struct an_hash *hash, const uint8_t left[HASH_SIZE], const uint8_t right[HASH_SIZE], uint8_t ret[static HASH_SIZE])
{
    tagged_hash(hash, 1, AN_BYTES(left, HASH_SIZE), AN_BYTES(right, HASH_SIZE), ret);
}

void
chain_hash(struct an_hash *hash, const uint8_t before[HASH_SIZE], const uint8_t leaf[HASH_SIZE], uint8_t ret[static HASH_SIZE])
{
    tagged_hash(hash, 2, AN_BYTES(before, HASH_SIZE), AN_BYTES(leaf, HASH_SIZE), ret);
}
