/*
 * Public keys that anybody can sign for, or that no standard lets stand in a certificate: refused when they are read,
 * so that no signature under them is ever looked at. libcrypto takes them all.
 */
#include "crypto/internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

/* RFC 8017 3.1: n odd, e odd and at least 3. With e = 1 a signature is its own message. */
static bool
is_sound_rsa(const EVP_PKEY *pkey)
{
    BIGNUM *n = NULL, *e = NULL;
    bool is_sound = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(n) && BN_is_odd(e) &&
                    !BN_is_one(e) && BN_cmp(e, n) < 0;

    BN_free(n);
    BN_free(e);
    return is_sound;
}

/* RFC 5480 2.1.1: a curve is named, never described: a description may hold a generator of the attacker's choice
 * (CVE-2020-0601). The point at infinity, one octet, is no key: (x(h/s G), s) is right under it for every message. */
static bool
is_sound_ec(const EVP_PKEY *pkey)
{
    int is_described = 0;
    size_t point_len = 0;

    if (EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_described) == 1 &&
        is_described != 0)
        return false;
    return EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, NULL, 0, &point_len) == 1 && point_len > 1;
}

/* The two y of order 8. Under a key of small order one signature is right for every message, or for one in eight. */
static const uint8_t small_order_25519[][32] = {
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
};

static bool
is_filled(const uint8_t *bytes, size_t len, uint8_t with)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != with)
            return false;
    return true;
}

/* y = 0 and 1 are of small order; p - 1 too, and from p on the encoding is not the one of RFC 8032 5.1.3. */
static bool
is_sound_25519(const uint8_t key[static 32])
{
    uint8_t y[32];

    memcpy(y, key, 32);
    y[31] &= 0x7F;
    for (size_t i = 0; i < AN_COUNT(small_order_25519); i++)
        if (memcmp(y, small_order_25519[i], 32) == 0)
            return false;
    if (y[0] <= 1 && is_filled(y + 1, 31, 0))
        return false;
    return y[0] < 0xEC || y[31] != 0x7F || !is_filled(y + 1, 30, 0xFF);
}

/* p = 2^448 - 2^224 - 1, cofactor 4: y = 0, 1 and p - 1; libcrypto itself refuses y from p on. */
static bool
is_sound_448(const uint8_t key[static 57])
{
    if (key[0] <= 1 && is_filled(key + 1, 55, 0))
        return false;
    return key[0] != 0xFE || key[28] != 0xFE || !is_filled(key + 1, 27, 0xFF) || !is_filled(key + 29, 27, 0xFF);
}

static bool
is_sound_edwards(const EVP_PKEY *pkey)
{
    uint8_t key[57];
    size_t len = sizeof(key);

    if (EVP_PKEY_get_raw_public_key(pkey, key, &len) != 1)
        return false;
    return len == 32 ? is_sound_25519(key) : len == 57 && is_sound_448(key);
}

bool
an_pkey_is_sound(const EVP_PKEY *pkey)
{
    switch (an_pkey_kind(pkey)) {
    case AN_KEY_RSA:
    case AN_KEY_RSA_PSS:
        return is_sound_rsa(pkey);
    case AN_KEY_EC:
        return is_sound_ec(pkey);
    case AN_KEY_ED25519:
    case AN_KEY_ED448:
        return is_sound_edwards(pkey);
    default:
        return true;
    }
}
