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

void
entry_of_row(const struct an_row *row, struct entry *ret)
{
    ret->at = an_row_int(row, 1);
    for (size_t i = 0; i < EVENT_TEXTS; i++)
        ret->texts[i] = an_row_blob(row, 2 + i);
}

void
free_hash(struct an_hash **hash)
{
    an_hash_free(hash);
}

/* One update a hash: the cost of a call is that of fifty bytes. */
static void
hash_parts(struct an_hash *hash, uint8_t tag, const uint8_t *left, const uint8_t *right, uint8_t ret[static HASH_SIZE])
{
    uint8_t bytes[1 + 2 * HASH_SIZE], digest[AN_DIGEST_MAX];

    bytes[0] = tag;
    memcpy(bytes + 1, left, HASH_SIZE);
    memcpy(bytes + 1 + HASH_SIZE, right, HASH_SIZE);
    an_hash_update(hash, AN_BYTES(bytes, sizeof(bytes)));
    an_hash_final(hash, digest);
    memcpy(ret, digest, HASH_SIZE);
}

void
leaf_hash(struct an_hash *hash, an_bytes entry, uint8_t ret[static HASH_SIZE])
{
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_update(hash, AN_LIT("\0"));
    an_hash_update(hash, entry);
    an_hash_final(hash, digest);
    memcpy(ret, digest, HASH_SIZE);
}

void
node_hash(struct an_hash *hash, const uint8_t left[HASH_SIZE], const uint8_t right[HASH_SIZE],
          uint8_t ret[static HASH_SIZE])
{
    hash_parts(hash, 1, left, right, ret);
}

void
chain_hash(struct an_hash *hash, const uint8_t before[HASH_SIZE], const uint8_t leaf[HASH_SIZE],
           uint8_t ret[static HASH_SIZE])
{
    hash_parts(hash, 2, before, leaf, ret);
}
