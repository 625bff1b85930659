/*
 * HMAC (RFC 2104) as XML Signature uses it. A code that is cut below half of its digest, or below 80 bits, proves
 * nothing (CVE-2009-0217) and is never right.
 */
#include "verify/xml_reader.h"

#define BLOCK_MAX 144

static size_t
block_size(enum an_digest digest)
{
    switch (digest) {
    case AN_SHA384:
    case AN_SHA512:
    case AN_SHA512_224:
    case AN_SHA512_256:
        return 128;
    default:
        return 64;
    }
}

static void
mix(uint8_t *block, const uint8_t *key, size_t size, uint8_t with)
{
    for (size_t i = 0; i < size; i++)
        block[i] = (uint8_t)(key[i] ^ with);
}

bool
an_hmac_verify(enum an_digest digest, an_bytes key, an_bytes message, int bits, an_bytes code)
{
    size_t size = block_size(digest), full = an_digest_size(digest), len = bits ? (size_t)bits / 8 : full;
    uint8_t padded[BLOCK_MAX] = {0}, block[BLOCK_MAX], inner[AN_DIGEST_MAX];
    struct an_hash *hash = an_hash_new(digest);

    if (key.len > size)
        an_hash_once(digest, key, padded);
    else if (key.len)
        memcpy(padded, key.ptr, key.len);
    mix(block, padded, size, 0x36);
    an_hash_update(hash, AN_BYTES(block, size));
    an_hash_update(hash, message);
    an_hash_final(hash, inner);
    mix(block, padded, size, 0x5C);
    an_hash_update(hash, AN_BYTES(block, size));
    an_hash_update(hash, AN_BYTES(inner, full));
    an_hash_final(hash, inner);
    an_hash_free(&hash);
    an_wipe(padded, sizeof(padded));
    an_wipe(block, sizeof(block));
    return bits >= 0 && bits % 8 == 0 && len <= full && len * 2 >= full && len >= 10 && code.len == len &&
           an_bytes_eq_secret(AN_BYTES(inner, len), code);
}
