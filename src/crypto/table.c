/*
 * Checking thousands of signatures of one P-256 key: multiples of the key are worked out once, as libcrypto ships them
 * for the curve's own generator. A check then costs less than half of an ordinary one. FIPS 186-4 6.4; SEC 1 4.1.4.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* EC_GROUP_precompute_mult; without its effect the answer is the same, only later */
#include "crypto/internal.h"

#include "asn1/der.h"

#include <openssl/ec.h>
#include <openssl/err.h>

#define FIELD_BYTES 32

#define ROOMS 4

/* What a check works in: making it anew would be a tenth of the check. One thread at a time. */
struct room {
    BN_CTX *ctx;
    EC_POINT *sum, *part;
};
struct an_key_table {
    EC_GROUP *plain, *keyed; /* keyed: the same curve with the key as its generator */
    struct room *rooms[ROOMS]; /* atomic: those that nobody works in */
};

static void
free_room(struct room *room)
{
    if (room == NULL)
        return;
    BN_CTX_free(room->ctx);
    EC_POINT_free(room->sum);
    EC_POINT_free(room->part);
    free(room);
}

static struct room *
take_room(struct an_key_table *table)
{
    struct room *room;

    for (size_t i = 0; i < ROOMS; i++)
        if ((room = __atomic_exchange_n(&table->rooms[i], NULL, __ATOMIC_ACQ_REL)) != NULL)
            return room;
    room = AN_NEW(struct room);
    *room = (struct room){BN_CTX_new(), EC_POINT_new(table->plain), EC_POINT_new(table->keyed)};
    if (room->ctx == NULL || room->sum == NULL || room->part == NULL)
        an_die_memory();
    return room;
}

static void
give_room(struct an_key_table *table, struct room *room)
{
    for (size_t i = 0; i < ROOMS && room != NULL; i++)
        room = __atomic_exchange_n(&table->rooms[i], room, __ATOMIC_ACQ_REL);
    free_room(room);
}

void
an_key_table_free(struct an_key_table **table)
{
    if (*table == NULL)
        return;
    for (size_t i = 0; i < ROOMS; i++)
        free_room((*table)->rooms[i]);
    EC_GROUP_free((*table)->plain);
    EC_GROUP_free((*table)->keyed);
    free(*table);
    *table = NULL;
}

static bool
set_key(EC_GROUP *keyed, EVP_PKEY *pkey)
{
    unsigned char *encoded = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(pkey, &encoded);
    EC_POINT *point = EC_POINT_new(keyed);
    bool is_done = len != 0 && point != NULL && EC_POINT_oct2point(keyed, point, encoded, len, NULL) == 1 &&
                   EC_GROUP_set_generator(keyed, point, EC_GROUP_get0_order(keyed), BN_value_one()) == 1 &&
                   EC_GROUP_precompute_mult(keyed, NULL) == 1;

    EC_POINT_free(point);
    OPENSSL_free(encoded);
    return is_done;
}

struct an_key_table *
an_key_table_new(EVP_PKEY *pkey)
{
    struct an_key_table *table = AN_NEW(struct an_key_table);

    table->plain = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    table->keyed = table->plain ? EC_GROUP_dup(table->plain) : NULL;
    if (table->keyed == NULL || !set_key(table->keyed, pkey)) {
        ERR_clear_error();
        an_key_table_free(&table);
    }
    return table;
}

/* An integer from 1 to the order less one. */
static bool
take_number(an_bytes *at, const BIGNUM *order, BIGNUM *ret)
{
    an_bytes content;

    return ret != NULL && an_der_integer(at, &content, NULL) == AN_OK && content.len <= FIELD_BYTES + 1 &&
           content.ptr[0] < 0x80 && BN_bin2bn(content.ptr, (int)content.len, ret) != NULL && !BN_is_zero(ret) &&
           BN_cmp(ret, order) < 0;
}

/* Exactly the DER of two such integers. */
static bool
read_signature(an_bytes signature, const BIGNUM *order, BIGNUM *ret_r, BIGNUM *ret_s)
{
    an_bytes inside;

    return an_der_take(&signature, AN_DER_SEQUENCE, &inside, NULL) == AN_OK && signature.len == 0 &&
           take_number(&inside, order, ret_r) && take_number(&inside, order, ret_s) && inside.len == 0;
}

/* The quick answer counts when libcrypto multiplies it back to one. */
static bool
invert(const BIGNUM *s, const BIGNUM *order, BIGNUM *ret, BN_CTX *ctx)
{
    BIGNUM *product = BN_CTX_get(ctx);

    if (product != NULL && an_quick_inverse(s, order, ret) && BN_mod_mul(product, s, ret, order, ctx) == 1 &&
        BN_is_one(product))
        return true;
    return BN_mod_inverse(ret, s, order, ctx) != NULL;
}

/* x of (e/s)G + (r/s)Q, modulo the order, is r. */
static bool
is_equation_met(const struct an_key_table *table, const struct room *room, const BIGNUM *r, const BIGNUM *s,
                an_bytes digest)
{
    const BIGNUM *order = EC_GROUP_get0_order(table->plain);
    BIGNUM *inverse = BN_CTX_get(room->ctx), *e = BN_CTX_get(room->ctx), *u = BN_CTX_get(room->ctx),
            *x = BN_CTX_get(room->ctx);

    return x != NULL && invert(s, order, inverse, room->ctx) &&
           BN_bin2bn(digest.ptr, (int)(digest.len < FIELD_BYTES ? digest.len : FIELD_BYTES), e) != NULL &&
           BN_mod_mul(u, e, inverse, order, room->ctx) == 1 &&
           EC_POINT_mul(table->plain, room->sum, u, NULL, NULL, room->ctx) == 1 &&
           BN_mod_mul(u, r, inverse, order, room->ctx) == 1 &&
           EC_POINT_mul(table->keyed, room->part, u, NULL, NULL, room->ctx) == 1 &&
           EC_POINT_add(table->plain, room->sum, room->sum, room->part, room->ctx) == 1 &&
           EC_POINT_is_at_infinity(table->plain, room->sum) == 0 &&
           EC_POINT_get_affine_coordinates(table->plain, room->sum, x, NULL, room->ctx) == 1 &&
           BN_nnmod(x, x, order, room->ctx) == 1 && BN_cmp(x, r) == 0;
}

bool
an_key_table_verify(struct an_key_table *table, an_bytes digest, an_bytes signature)
{
    struct room *room = take_room(table);
    BIGNUM *r, *s;
    bool is_right;

    BN_CTX_start(room->ctx);
    r = BN_CTX_get(room->ctx);
    s = BN_CTX_get(room->ctx);
    is_right = read_signature(signature, EC_GROUP_get0_order(table->plain), r, s) &&
               is_equation_met(table, room, r, s, digest);
    BN_CTX_end(room->ctx);
    give_room(table, room);
    if (!is_right)
        ERR_clear_error();
    return is_right;
}
