/*
 * Private keys by hand, for the kinds that people have: RSA (PKCS #8, PKCS #1) and EC on the usual curves (PKCS #8, SEC
 * 1), not encrypted any more. libcrypto's decoder tries every format it knows, which costs a short run of signing a
 * fifth of its time; what is not met here is still left to it.
 */
#include "crypto/internal.h"

#include "asn1/der.h"
#include "base/mem.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#define NUMBERS_MAX 9
#define ROOM_BYTES ((size_t)16 * 1024) /* the numbers of an RSA key of 16384 bits together take 9 kB */

static const uint8_t rsa_algorithm[] = {0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01,
                                        0x05, 0x00};
static const uint8_t ec_oid[] = {0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};

static const struct { an_bytes parameters; const char *group; size_t size; } curves[] = {
    {{(const uint8_t *)"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10}, "prime256v1", 32},
    {{(const uint8_t *)"\x06\x05\x2b\x81\x04\x00\x22", 7}, "secp384r1", 48},
    {{(const uint8_t *)"\x06\x05\x2b\x81\x04\x00\x23", 7}, "secp521r1", 66},
};

/* ---- numbers as libcrypto takes them: the machine's order of bytes ---- */
struct room { uint8_t bytes[ROOM_BYTES]; size_t used; OSSL_PARAM params[NUMBERS_MAX + 1]; size_t count; };

static bool
add_number(struct room *room, const char *name, an_bytes big_endian)
{
    const uint16_t probe = 1;
    bool is_little = *(const uint8_t *)&probe == 1;
    uint8_t *at = room->bytes + room->used;

    if (big_endian.len == 0 || (big_endian.ptr[0] & 0x80) != 0 || big_endian.len > ROOM_BYTES - room->used ||
        room->count == NUMBERS_MAX)
        return false;
    for (size_t i = 0; i < big_endian.len; i++)
        at[i] = big_endian.ptr[is_little ? big_endian.len - 1 - i : i];
    room->params[room->count++] = OSSL_PARAM_construct_BN(name, at, big_endian.len);
    room->used += big_endian.len;
    return true;
}

static EVP_PKEY *
build_key(struct room *room, const char *type)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    room->params[room->count] = OSSL_PARAM_construct_end();
    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR,
            room->params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* ---- RSA: RSAPrivateKey ::= SEQUENCE { 0, n, e, d, p, q, dP, dQ, qInv } ---- */
static void
write_rsa_spki(an_bytes n, an_bytes e, struct an_buf *out)
{
    struct an_buf key = an_buf_new(ROOM_BYTES);
    struct an_der_out inner = AN_DER_OUT(&key), outer = AN_DER_OUT(out);

    an_der_open(&inner, AN_DER_SEQUENCE);
    an_der_put(&inner, AN_DER_INTEGER, n);
    an_der_put(&inner, AN_DER_INTEGER, e);
    an_der_close(&inner);
    an_der_open(&outer, AN_DER_SEQUENCE);
    an_der_put_raw(&outer, AN_BYTES(rsa_algorithm, sizeof(rsa_algorithm)));
    an_der_put_bits(&outer, an_buf_view(&key), 0);
    an_der_close(&outer);
    an_buf_free(&key);
}

static EVP_PKEY *
parse_rsa(an_bytes der, struct an_buf *ret_spki)
{
    static const char *const names[] = {OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
                                        OSSL_PKEY_PARAM_RSA_D,
                                        OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,
                                        OSSL_PKEY_PARAM_RSA_EXPONENT1,
                                        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    an_bytes in, numbers[AN_COUNT(names)];
    EVP_PKEY *pkey = NULL;
    struct room *room;
    int64_t version;
    bool ok;

    if (an_der_take(&der, AN_DER_SEQUENCE, &in, NULL) != AN_OK || der.len != 0 ||
        an_der_int64(&in, &version, NULL) != AN_OK || version != 0)
        return NULL;
    room = AN_NEW(struct room);
    ok = true;
    for (size_t i = 0; i < AN_COUNT(names) && ok; i++)
        ok = an_der_integer(&in, &numbers[i], NULL) == AN_OK && add_number(room, names[i], numbers[i]);
    if (ok && in.len == 0)
        pkey = build_key(room, "RSA");
    if (pkey != NULL)
        write_rsa_spki(numbers[0], numbers[1], ret_spki);
    an_wipe(room, sizeof(*room));
    free(room);
    return pkey;
}

/* ---- EC: ECPrivateKey ::= SEQUENCE { 1, OCTET STRING, [0] parameters?, [1] BIT STRING? } ---- */
static void
write_ec_spki(an_bytes parameters, an_bytes point, struct an_buf *out)
{
    struct an_der_out der = AN_DER_OUT(out);

    an_der_open(&der, AN_DER_SEQUENCE);
    an_der_open(&der, AN_DER_SEQUENCE);
    an_der_put_raw(&der, AN_BYTES(ec_oid, sizeof(ec_oid)));
    an_der_put_raw(&der, parameters);
    an_der_close(&der);
    an_der_put_bits(&der, point, 0);
    an_der_close(&der);
}

static EVP_PKEY *
build_ec(size_t curve, an_bytes secret, an_bytes point)
{
    struct room *room = AN_NEW(struct room);
    uint8_t padded[67] = {0}; /* a sign octet in front: an unsigned number */
    EVP_PKEY *pkey = NULL;

    memcpy(padded + 1, secret.ptr, secret.len);
    room->params[room->count++] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                                   (char *)(uintptr_t)curves[curve].group, 0);
    room->params[room->count++] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                                                    (void *)(uintptr_t)point.ptr, point.len);
    if (add_number(room, OSSL_PKEY_PARAM_PRIV_KEY, AN_BYTES(padded, secret.len + 1)))
        pkey = build_key(room, "EC");
    an_wipe(padded, sizeof(padded));
    an_wipe(room, sizeof(*room));
    free(room);
    return pkey;
}

/* parameters: of the PKCS #8 wrapping, AN_NONE when there is none. A key without its point is left to libcrypto. */
static EVP_PKEY *
parse_ec(an_bytes der, an_bytes parameters, struct an_buf *ret_spki)
{
    an_bytes in, secret, own = AN_NONE, public_part, point = AN_NONE;
    unsigned unused = 0;
    int64_t version;

    if (an_der_take(&der, AN_DER_SEQUENCE, &in, NULL) != AN_OK || der.len != 0 ||
        an_der_int64(&in, &version, NULL) != AN_OK || version != 1 ||
        an_der_take(&in, AN_DER_OCTET_STRING, &secret, NULL) != AN_OK)
        return NULL;
    an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &own);
    if (!an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(1), &public_part) ||
        an_der_bits(&public_part, &point, &unused, NULL) != AN_OK || unused != 0 ||
        in.len != 0 || (own.len != 0 && parameters.len != 0 && !an_bytes_eq(own, parameters)))
        return NULL;
    for (size_t i = 0; i < AN_COUNT(curves); i++) {
        EVP_PKEY *pkey;

        if (!an_bytes_eq(parameters.len ? parameters : own, curves[i].parameters) || secret.len != curves[i].size)
            continue;
        pkey = build_ec(i, secret, point);
        if (pkey != NULL)
            write_ec_spki(curves[i].parameters, point, ret_spki);
        return pkey;
    }
    return NULL;
}

/* ---- PKCS #8: PrivateKeyInfo ::= SEQUENCE { 0, AlgorithmIdentifier, OCTET STRING, … } ---- */
static EVP_PKEY *
parse_info(an_bytes algorithm, an_bytes key, struct an_buf *ret_spki)
{
    an_bytes in, oid;

    if (an_bytes_eq(algorithm, AN_BYTES(rsa_algorithm, sizeof(rsa_algorithm))))
        return parse_rsa(key, ret_spki);
    if (an_der_take(&algorithm, AN_DER_SEQUENCE, &in, NULL) != AN_OK ||
        an_der_take_whole(&in, AN_DER_OID, &oid, NULL) != AN_OK ||
        !an_bytes_eq(oid, AN_BYTES(ec_oid, sizeof(ec_oid))))
        return NULL;
    return parse_ec(key, in, ret_spki);
}

EVP_PKEY *
an_plainkey_parse(an_bytes der, struct an_buf *ret_spki)
{
    an_bytes whole = der, in, algorithm, key;
    int64_t version;

    if (an_der_take(&whole, AN_DER_SEQUENCE, &in, NULL) != AN_OK || whole.len != 0 ||
        an_der_int64(&in, &version, NULL) != AN_OK)
        return NULL;
    if (version == 1 && an_der_peek(in) == AN_DER_OCTET_STRING)
        return parse_ec(der, AN_NONE, ret_spki);
    if (version != 0)
        return NULL;
    if (an_der_peek(in) == AN_DER_INTEGER)
        return parse_rsa(der, ret_spki);
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_OCTET_STRING, &key, NULL) != AN_OK)
        return NULL;
    return parse_info(algorithm, key, ret_spki);
}
