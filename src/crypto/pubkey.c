#include "crypto/internal.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#define TABLE_AFTER 100 /* checks; the table costs as much as some three hundred of them */
#define SPKI_MAX ((size_t)64 * 1024) /* a 16384-bit RSA key takes 2 kB; DSA with parameters 4 kB */

struct an_pubkey {
    EVP_PKEY *pkey;
    enum an_key_kind kind;
    int bits;
    const char *curve;
    unsigned refs;
    struct an_key_cache cache;
    bool expects_many;
    unsigned checks;            /* atomic, as is */
    struct an_key_table *table; /* made by whoever does the check that is one too many */
};

static const char *
find_curve_name(const EVP_PKEY *pkey)
{
    static const struct { const char *openssl, *name; } curves[] = {
        {"prime256v1", "P-256"}, {"secp384r1", "P-384"}, {"secp521r1", "P-521"}, {"secp224r1", "P-224"},
        {"prime192v1", "P-192"}, {"secp256k1", "secp256k1"},
        {"brainpoolP224r1", "brainpoolP224r1"}, {"brainpoolP256r1", "brainpoolP256r1"}, {"brainpoolP320r1", "brainpoolP320r1"},
        {"brainpoolP384r1", "brainpoolP384r1"}, {"brainpoolP512r1", "brainpoolP512r1"},
    };
    char text[64] = "";

    if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, text, sizeof(text), NULL) != 1)
        return "";
    for (size_t i = 0; i < AN_COUNT(curves); i++)
        if (strcmp(text, curves[i].openssl) == 0)
            return curves[i].name;
    return "other";
}

an_code
an_pubkey_parse(an_bytes spki, struct an_pubkey **ret, struct an_err *reterr)
{
    const unsigned char *at = spki.ptr;
    struct an_pubkey *key;
    EVP_PKEY *pkey = NULL;

    an_crypto_start();
    if (spki.len > SPKI_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "SubjectPublicKeyInfo: %zu byte", spki.len);
    pkey = an_spki_parse(spki);
    if (pkey != NULL)
        at = spki.ptr + spki.len;
    else if (spki.len != 0)
        pkey = d2i_PUBKEY_ex(NULL, &at, (long)spki.len, NULL, NULL);
    if (pkey == NULL || at != spki.ptr + spki.len) {
        EVP_PKEY_free(pkey);
        return an_crypto_fail(reterr, AN_E_KEY_PUBLIC, "SubjectPublicKeyInfo");
    }
    if (an_pkey_kind(pkey) == AN_KEY_UNKNOWN) {
        EVP_PKEY_free(pkey);
        AN_FAIL(reterr, AN_E_KEY_KIND, "SubjectPublicKeyInfo");
    }
    if (!an_pkey_is_sound(pkey)) {
        EVP_PKEY_free(pkey);
        return an_crypto_fail(reterr, AN_E_KEY_PUBLIC, "a key under which others can sign");
    }
    key = AN_NEW(struct an_pubkey);
    key->pkey = pkey;
    key->kind = an_pkey_kind(pkey);
    key->bits = EVP_PKEY_get_bits(pkey);
    key->curve = key->kind == AN_KEY_EC ? find_curve_name(pkey) : "";
    key->refs = 1;
    *ret = key;
    return AN_OK;
}

an_code
an_pubkey_look(an_bytes spki, enum an_key_kind *ret_kind, int *ret_bits, struct an_err *reterr)
{
    struct an_pubkey *key = NULL;

    an_crypto_start();
    *ret_kind = AN_KEY_EC;
    *ret_bits = an_spki_point_bits(spki);
    if (*ret_bits != 0)
        return AN_OK;
    AN_TRY(an_pubkey_parse(spki, &key, reterr));
    *ret_kind = key->kind;
    *ret_bits = key->bits;
    an_pubkey_unref(&key);
    return AN_OK;
}

void
an_pubkey_unref(struct an_pubkey **key)
{
    struct an_pubkey *gone = *key;

    *key = NULL;
    if (gone == NULL || __atomic_sub_fetch(&gone->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    an_key_cache_done(&gone->cache);
    an_key_table_free(&gone->table);
    EVP_PKEY_free(gone->pkey);
    free(gone);
}

enum an_key_kind
an_pubkey_kind(const struct an_pubkey *key)
{
    return key->kind;
}

int
an_pubkey_bits(const struct an_pubkey *key)
{
    return key->bits;
}

const char *
an_pubkey_curve(const struct an_pubkey *key)
{
    return key->curve;
}

static bool
verify_eddsa(struct an_pubkey *key, an_bytes message, an_bytes signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_right = false;

    if (ctx == NULL)
        an_die_memory();
    if (EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, key->pkey, NULL) == 1)
        is_right = EVP_DigestVerify(ctx, signature.ptr, signature.len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!is_right)
        ERR_clear_error();
    return is_right;
}

void
an_pubkey_expect_many(struct an_pubkey *key)
{
    __atomic_store_n(&key->expects_many, strcmp(key->curve, "P-256") == 0, __ATOMIC_RELAXED);
}

/* False also when there is no table yet: then, and before a signature is called wrong, the ordinary check decides. */
static bool
is_right_by_table(struct an_pubkey *key, an_bytes digest, an_bytes signature)
{
    struct an_key_table *table = __atomic_load_n(&key->table, __ATOMIC_ACQUIRE);

    if (table == NULL && __atomic_load_n(&key->expects_many, __ATOMIC_RELAXED) &&
        __atomic_add_fetch(&key->checks, 1, __ATOMIC_RELAXED) == TABLE_AFTER) {
        table = an_key_table_new(key->pkey);
        __atomic_store_n(&key->table, table, __ATOMIC_RELEASE);
    }
    return table != NULL && an_key_table_verify(table, digest, signature);
}

bool
an_pubkey_verify_digest(struct an_pubkey *key, const struct an_scheme *scheme, an_bytes digest, an_bytes signature)
{
    struct an_key_use *use;
    bool is_right;

    if (!an_key_may(key->kind, scheme->kind) || signature.len == 0)
        return false;
    if (scheme->kind == AN_SIG_EDDSA)
        return verify_eddsa(key, digest, signature);
    if (digest.len == 0 || digest.len != an_digest_size(scheme->digest))
        return false;
    if (is_right_by_table(key, digest, signature))
        return true;
    use = an_key_use_take(&key->cache, key->pkey, scheme, false);
    if (use == NULL)
        return false;
    is_right = EVP_PKEY_verify(use->ctx, signature.ptr, signature.len, digest.ptr, digest.len) == 1;
    if (!is_right)
        ERR_clear_error();
    an_key_use_give(&key->cache, use);
    return is_right;
}

bool
an_pubkey_verify_message(struct an_pubkey *key, const struct an_scheme *scheme, an_bytes message, an_bytes signature)
{
    uint8_t digest[AN_DIGEST_MAX];

    if (scheme->kind == AN_SIG_EDDSA)
        return an_pubkey_verify_digest(key, scheme, message, signature);
    if (an_crypto_md(scheme->digest) == NULL)
        return false;
    an_hash_once(scheme->digest, message, digest);
    return an_pubkey_verify_digest(key, scheme, AN_BYTES(digest, an_digest_size(scheme->digest)), signature);
}
