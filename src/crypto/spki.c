/*
 * SubjectPublicKeyInfo by hand for the kinds that fill certificates. libcrypto's decoder tries every format it knows
 * and takes several times as long as checking a signature with the key; what is not met here is still left to it.
 */
#include "crypto/internal.h"

#include "asn1/der.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <pthread.h>

#define RSA_BITS_MAX 16384 /* libcrypto refuses longer ones too: a check would take seconds */

struct spki_parts {
    an_bytes algorithm, parameters; /* OID content; whole parameters or AN_NONE */
    an_bytes bits;
};

static an_code
split_spki(an_bytes spki, struct spki_parts *ret)
{
    an_bytes outer, algorithm;
    unsigned unused = 0;
    int tag;
    an_bytes value;

    AN_TRY(an_der_take(&spki, AN_DER_SEQUENCE, &outer, NULL));
    AN_TRY(an_der_end(spki, NULL));
    AN_TRY(an_der_take(&outer, AN_DER_SEQUENCE, &algorithm, NULL));
    AN_TRY(an_der_take(&algorithm, AN_DER_OID, &ret->algorithm, NULL));
    ret->parameters = AN_NONE;
    if (algorithm.len != 0)
        AN_TRY(an_der_any(&algorithm, &tag, &ret->parameters, &value, NULL));
    AN_TRY(an_der_end(algorithm, NULL));
    AN_TRY(an_der_bits(&outer, &ret->bits, &unused, NULL));
    AN_TRY(an_der_end(outer, NULL));
    return unused == 0 ? AN_OK : AN_E_KEY_PUBLIC;
}

static EVP_PKEY *
build_key(const char *type, int selection, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    if (params != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

static an_code
split_rsa(an_bytes bits, an_bytes *ret_modulus, an_bytes *ret_exponent)
{
    an_bytes sequence;

    AN_TRY(an_der_take(&bits, AN_DER_SEQUENCE, &sequence, NULL));
    AN_TRY(an_der_end(bits, NULL));
    AN_TRY(an_der_integer(&sequence, ret_modulus, NULL));
    AN_TRY(an_der_integer(&sequence, ret_exponent, NULL));
    return an_der_end(sequence, NULL);
}

/* Odd forms (a negative modulus, missing NULL) go to libcrypto, which decides. */
static bool
is_plain_positive(an_bytes integer)
{
    return integer.len != 0 && integer.len <= RSA_BITS_MAX / 8 + 1 && (integer.ptr[0] & 0x80) == 0;
}

static EVP_PKEY *
parse_rsa(const struct spki_parts *parts)
{
    an_bytes modulus, exponent;
    OSSL_PARAM_BLD *builder;
    EVP_PKEY *pkey = NULL;
    BIGNUM *n, *e;

    if (!an_bytes_eq(parts->parameters, AN_LIT("\x05\x00")) || split_rsa(parts->bits, &modulus, &exponent) != AN_OK ||
        !is_plain_positive(modulus) || !is_plain_positive(exponent))
        return NULL;
    builder = OSSL_PARAM_BLD_new();
    n = BN_bin2bn(modulus.ptr, (int)modulus.len, NULL);
    e = BN_bin2bn(exponent.ptr, (int)exponent.len, NULL);
    if (builder != NULL && n != NULL && e != NULL && BN_is_odd(n) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        pkey = build_key("RSA", EVP_PKEY_PUBLIC_KEY, builder);
    BN_free(n);
    BN_free(e);
    OSSL_PARAM_BLD_free(builder);
    return pkey;
}

/* Parameters are compared whole, so that explicit curves (CVE-2020-0601) never reach this path. */
static const struct { an_bytes parameters; const char *group; int nid, bits; } curves[] = {
    {{(const uint8_t *)"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10}, "prime256v1", NID_X9_62_prime256v1, 256},
    {{(const uint8_t *)"\x06\x05\x2b\x81\x04\x00\x22", 7}, "secp384r1", NID_secp384r1, 384},
    {{(const uint8_t *)"\x06\x05\x2b\x81\x04\x00\x23", 7}, "secp521r1", NID_secp521r1, 521},
};

/* Setting a curve up takes several times as long as reading a point: each is set up once, and copied. */
static EVP_PKEY *empty_keys[AN_COUNT(curves)];
static EC_GROUP *groups[AN_COUNT(curves)];
static pthread_once_t curves_once = PTHREAD_ONCE_INIT;

static void
make_empty_keys(void)
{
    for (size_t i = 0; i < AN_COUNT(curves); i++) {
        OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
        if (builder != NULL && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curves[i].group,
                                                               0) == 1)
            empty_keys[i] = build_key("EC", EVP_PKEY_KEY_PARAMETERS, builder);
        groups[i] = EC_GROUP_new_by_curve_name(curves[i].nid);
        OSSL_PARAM_BLD_free(builder);
    }
}

/* libcrypto refuses a point that is not on the curve. The point at infinity, one octet, is left to it altogether. */
static EVP_PKEY *
parse_ec(const struct spki_parts *parts)
{
    EVP_PKEY *pkey = NULL;

    pthread_once(&curves_once, make_empty_keys);
    for (size_t i = 0; i < AN_COUNT(curves); i++)
        if (an_bytes_eq(parts->parameters, curves[i].parameters) && empty_keys[i] != NULL && parts->bits.len > 1)
            pkey = EVP_PKEY_dup(empty_keys[i]);
    if (pkey != NULL && EVP_PKEY_set1_encoded_public_key(pkey, parts->bits.ptr, parts->bits.len) == 1)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

int
an_spki_point_bits(an_bytes spki)
{
    struct spki_parts parts;
    int bits = 0;

    if (split_spki(spki, &parts) != AN_OK || parts.bits.len <= 1 ||
        !an_bytes_eq(parts.algorithm, AN_LIT("\x2a\x86\x48\xce\x3d\x02\x01")))
        return 0;
    pthread_once(&curves_once, make_empty_keys);
    for (size_t i = 0; i < AN_COUNT(curves); i++) {
        EC_POINT *point = groups[i] && an_bytes_eq(parts.parameters, curves[i].parameters) ? EC_POINT_new(groups[i])
                : NULL;
        if (point != NULL && EC_POINT_oct2point(groups[i], point, parts.bits.ptr, parts.bits.len, NULL) == 1)
            bits = curves[i].bits;
        EC_POINT_free(point);
    }
    if (bits == 0)
        ERR_clear_error();
    return bits;
}

EVP_PKEY *
an_spki_parse(an_bytes spki)
{
    struct spki_parts parts;

    if (split_spki(spki, &parts) != AN_OK || parts.bits.len == 0)
        return NULL;
    if (an_bytes_eq(parts.algorithm, AN_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")))
        return parse_rsa(&parts);
    if (an_bytes_eq(parts.algorithm, AN_LIT("\x2a\x86\x48\xce\x3d\x02\x01")))
        return parse_ec(&parts);
    if (an_bytes_eq(parts.algorithm, AN_LIT("\x2b\x65\x70")) && parts.parameters.len == 0)
        return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, parts.bits.ptr, parts.bits.len);
    if (an_bytes_eq(parts.algorithm, AN_LIT("\x2b\x65\x71")) && parts.parameters.len == 0)
        return EVP_PKEY_new_raw_public_key_ex(NULL, "ED448", NULL, parts.bits.ptr, parts.bits.len);
    return NULL;
}
