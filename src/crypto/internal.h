/* What the files of crypto/ share: OpenSSL's algorithms, fetched once. */
#pragma once

#include "crypto/crypto.h"

#include <openssl/bn.h>
#include <openssl/evp.h>

/* Starts libcrypto without its configuration file, error texts or exit handlers: start-up is part of every run. */
void an_crypto_start(void);
/* The fetched algorithm; cached for the life of the process; NULL when the library was built without it. */
const EVP_MD *an_crypto_md(enum an_digest digest);
/* Records code with the innermost reason of libcrypto's queue, which is emptied. */
an_code an_crypto_fail(struct an_err *reterr, an_code code, const char *what);

/*
 * Setting a key context up costs more than checking a short ECDSA signature, so a key keeps the context of its last
 * scheme. A context belongs to one thread at a time: whoever takes it leaves the slot empty, others make their own.
 */
struct an_key_use {
    EVP_PKEY_CTX *ctx;
    struct an_scheme scheme;
};
#define AN_KEY_USES 2
struct an_key_cache {
    struct an_key_use *slots[AN_KEY_USES];
};
struct an_key_use *an_key_use_take(struct an_key_cache *cache, EVP_PKEY *pkey, const struct an_scheme *scheme,
                                   bool is_signing);
void an_key_use_give(struct an_key_cache *cache, struct an_key_use *use);
void an_key_use_free(struct an_key_use **use);
void an_key_cache_done(struct an_key_cache *cache);

/* Multiples of a P-256 key, for checking its signatures by the thousand; NULL when it is not such a key. */
struct an_key_table;
struct an_key_table *an_key_table_new(EVP_PKEY *pkey);
void an_key_table_free(struct an_key_table **table);
bool an_key_table_verify(struct an_key_table *table, an_bytes digest, an_bytes signature);
/* 1/x modulo an odd number of at most 256 bits that shares no factor with x, x below it; eight times as fast as
 * libcrypto's. How long it takes tells what x is: for public numbers only. Whoever rests on it multiplies back.
 * false: no answer. */
bool an_quick_inverse(const BIGNUM *x, const BIGNUM *modulus, BIGNUM *ret);

/* The common kinds of SubjectPublicKeyInfo without libcrypto's decoder; NULL: not one of them, or malformed. */
EVP_PKEY *an_spki_parse(an_bytes spki);
/* The size of the curve that the point of an EC key lies on; 0: another kind of key, another form, or not on its
 * curve. */
int an_spki_point_bits(an_bytes spki);

/* The common kinds of private key in the clear, likewise, and their SubjectPublicKeyInfo. */
EVP_PKEY *an_plainkey_parse(an_bytes der, struct an_buf *ret_spki);

/* Not one of the keys under which everybody can sign, or which must not stand in a certificate (soundkey.c). */
bool an_pkey_is_sound(const EVP_PKEY *pkey);
enum an_key_kind an_pkey_kind(const EVP_PKEY *pkey);
/* May this kind of key make a signature of this kind? */
bool an_key_may(enum an_key_kind key, enum an_sig_kind signature);
