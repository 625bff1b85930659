/*
 * Digests, public-key operations and random numbers. Home of EVP_*: no other room includes OpenSSL.
 *
 * A scheme says how a signature was or will be made; FIPS 186-4, RFC 8017, RFC 8032. All functions are thread-safe;
 * an_hash objects belong to one thread at a time.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum an_digest {
    AN_DIGEST_NONE = 0, /* EdDSA signs the message itself */
    AN_MD5, AN_SHA1, AN_SHA224, AN_SHA256, AN_SHA384, AN_SHA512, AN_SHA512_224, AN_SHA512_256,
    AN_SHA3_224, AN_SHA3_256, AN_SHA3_384, AN_SHA3_512, AN_RIPEMD160,
    AN_SHAKE256, /* with 64 bytes, as CMS with Ed448 has it (RFC 8419) */
};
#define AN_DIGEST_MAX 64

size_t an_digest_size(enum an_digest digest);
const char *an_digest_name(enum an_digest digest); /* "SHA-256" */

struct an_hash;
/* never NULL for a listed digest; RIPEMD160/MD5 via legacy code paths */
struct an_hash *an_hash_new(enum an_digest digest);
struct an_hash *an_hash_dup(const struct an_hash *hash); /* goes on from where the other is */
void an_hash_free(struct an_hash **hash);
void an_hash_update(struct an_hash *hash, an_bytes bytes);
/* Writes an_digest_size bytes; the object then starts afresh with the same digest. */
void an_hash_final(struct an_hash *hash, uint8_t ret_digest[static AN_DIGEST_MAX]);
void an_hash_once(enum an_digest digest, an_bytes bytes, uint8_t ret_digest[static AN_DIGEST_MAX]);
/* Hashes n ranges of a file in order, streaming with pread so that memory does not grow with the file.
 * AN_E_FILE_READ when a range cannot be read whole. */
struct an_range { uint64_t offset, len; };
an_code an_hash_file_ranges(enum an_digest digest, int fd, const struct an_range *ranges, size_t n,
                            uint8_t ret_digest[static AN_DIGEST_MAX], struct an_err *reterr) AN_MUST_USE;

enum an_key_kind { AN_KEY_UNKNOWN = 0, AN_KEY_RSA, AN_KEY_RSA_PSS, AN_KEY_EC, AN_KEY_ED25519, AN_KEY_ED448,
                  AN_KEY_DSA };
enum an_sig_kind { AN_SIG_UNKNOWN = 0, AN_SIG_RSA_PKCS1, AN_SIG_RSA_PSS, AN_SIG_ECDSA, AN_SIG_EDDSA, AN_SIG_DSA };

struct an_scheme {
    enum an_sig_kind kind;
    enum an_digest digest;
    enum an_digest mgf_digest; /* PSS only */
    int salt_len;              /* PSS only; -1 = any on verification, digest size on signing */
};

/* ---- public keys: shared, immutable, counted ---- */
struct an_pubkey;
/* From a DER SubjectPublicKeyInfo. AN_E_KEY_PUBLIC when malformed, or such that others can sign under
 * it (RSA with e = 1, small order, a curve that is described and not named), AN_E_KEY_KIND when unsupported. */
an_code an_pubkey_parse(an_bytes spki, struct an_pubkey **ret, struct an_err *reterr) AN_MUST_USE;
/* The same judgement of a key that is not kept: its kind and size. */
an_code an_pubkey_look(an_bytes spki, enum an_key_kind *ret_kind, int *ret_bits, struct an_err *reterr) AN_MUST_USE;
void an_pubkey_unref(struct an_pubkey **key);
enum an_key_kind an_pubkey_kind(const struct an_pubkey *key);
int an_pubkey_bits(const struct an_pubkey *key);             /* RSA modulus, EC field, DSA p */
const char *an_pubkey_curve(const struct an_pubkey *key);    /* "P-256", …, "" when not EC */
/* Signatures of this key will be checked by the thousand (an authority checks its own): after some checks a table is
 * made that more than halves the price of the others (P-256 alone; 150 kB, 20 ms once). Answers are the same. */
void an_pubkey_expect_many(struct an_pubkey *key);
/* true when the signature is right. A wrong scheme for the key is simply false. */
bool an_pubkey_verify_digest(struct an_pubkey *key, const struct an_scheme *scheme, an_bytes digest,
                             an_bytes signature);
bool an_pubkey_verify_message(struct an_pubkey *key, const struct an_scheme *scheme, an_bytes message,
                              an_bytes signature);

/* ---- private keys in software (token/soft.c, tests, the demonstration authority) ---- */
struct an_privkey;
/* PKCS#8, PEM or DER, encrypted or not. A wrong passphrase is AN_E_PIN_WRONG. passphrase may be NULL. */
an_code an_privkey_parse(an_bytes encoded, const struct an_secret *passphrase, struct an_privkey **ret,
                         struct an_err *reterr) AN_MUST_USE;
/* bits: 2048, 3072, 4096 for RSA; 256, 384, 521 for EC; ignored for Ed25519. */
an_code an_privkey_generate(enum an_key_kind kind, int bits, struct an_privkey **ret,
                            struct an_err *reterr) AN_MUST_USE;
/* Encrypted PKCS#8 PEM (PBES2: scrypt or PBKDF2-HMAC-SHA256, AES-256-CBC); unencrypted when passphrase is NULL. */
an_code an_privkey_encode(const struct an_privkey *key, const struct an_secret *passphrase, struct an_buf *out,
                          struct an_err *reterr) AN_MUST_USE;
void an_privkey_free(struct an_privkey **key);
int an_privkey_bits(const struct an_privkey *key);
an_code an_privkey_spki(const struct an_privkey *key, struct an_buf *out, struct an_err *reterr) AN_MUST_USE;
/* digest is the message itself for EdDSA. Appends the signature (ECDSA as DER Ecdsa-Sig-Value). */
an_code an_privkey_sign(struct an_privkey *key, const struct an_scheme *scheme, an_bytes digest, struct an_buf *out,
                        struct an_err *reterr) AN_MUST_USE;

/* ---- random ---- */
an_code an_random(uint8_t *out, size_t len, struct an_err *reterr) AN_MUST_USE;

/* ---- codes and keys from secrets (crypto/mac.c) ---- */
/* HMAC (RFC 2104); writes an_digest_size bytes. */
void an_hmac(enum an_digest digest, an_bytes key, an_bytes message, uint8_t ret_code[static AN_DIGEST_MAX]);
/* PBKDF2 (RFC 8018) with HMAC of digest. AN_E_LIMIT outside 1 … AN_LIMIT_KDF_ROUNDS. */
an_code an_pbkdf2(enum an_digest digest, an_bytes password, an_bytes salt, int64_t rounds, uint8_t *ret_key, size_t len,
                  struct an_err *reterr) AN_MUST_USE;

/* ---- symmetric ciphers, only what PDF encryption needs (ISO 32000-2, 7.6) ---- */
void an_rc4(an_bytes key, an_bytes in, struct an_buf *out);
/* AES-CBC with PKCS#7 padding; the first 16 bytes of in are the IV; 128- or 256-bit key. AN_E_DECRYPT when
 * malformed. */
an_code an_aes_cbc_decrypt(an_bytes key, an_bytes in, struct an_buf *out, struct an_err *reterr) AN_MUST_USE;
an_code an_aes_cbc_encrypt(an_bytes key, an_bytes iv, an_bytes in, struct an_buf *out,
                           struct an_err *reterr) AN_MUST_USE;
/* Without padding, IV given: the /UE /OE /Perms arithmetic of revision 6. len must be a multiple of 16. */
an_code an_aes_cbc_raw(an_bytes key, an_bytes iv, an_bytes in, bool encrypt, struct an_buf *out,
                       struct an_err *reterr) AN_MUST_USE;
