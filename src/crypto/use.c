#include "crypto/internal.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

enum an_key_kind
an_pkey_kind(const EVP_PKEY *pkey)
{
    static const struct { const char *name; enum an_key_kind kind; } kinds[] = {
        {"RSA", AN_KEY_RSA}, {"RSA-PSS", AN_KEY_RSA_PSS}, {"EC", AN_KEY_EC},
        {"ED25519", AN_KEY_ED25519}, {"ED448", AN_KEY_ED448}, {"DSA", AN_KEY_DSA},
    };

    for (size_t i = 0; i < AN_COUNT(kinds); i++)
        if (EVP_PKEY_is_a(pkey, kinds[i].name))
            return kinds[i].kind;
    return AN_KEY_UNKNOWN;
}

bool
an_key_may(enum an_key_kind key, enum an_sig_kind signature)
{
    switch (key) {
    case AN_KEY_RSA:
        return signature == AN_SIG_RSA_PKCS1 || signature == AN_SIG_RSA_PSS;
    case AN_KEY_RSA_PSS:
        return signature == AN_SIG_RSA_PSS;
    case AN_KEY_EC:
        return signature == AN_SIG_ECDSA;
    case AN_KEY_ED25519:
    case AN_KEY_ED448:
        return signature == AN_SIG_EDDSA;
    case AN_KEY_DSA:
        return signature == AN_SIG_DSA;
    case AN_KEY_UNKNOWN:
        break;
    }
    return false;
}

static bool
is_same_scheme(const struct an_scheme *a, const struct an_scheme *b)
{
    if (a->kind != b->kind || a->digest != b->digest)
        return false;
    return a->kind != AN_SIG_RSA_PSS || (a->mgf_digest == b->mgf_digest && a->salt_len == b->salt_len);
}

/* A key bound to PSS parameters has its own smallest salt; "any length" then means that one. */
static bool
set_pss(EVP_PKEY_CTX *ctx, const EVP_PKEY *pkey, const struct an_scheme *scheme, bool is_signing)
{
    const EVP_MD *mgf = an_crypto_md(scheme->mgf_digest ? scheme->mgf_digest : scheme->digest);

    if (mgf == NULL || EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf) <= 0)
        return false;
    if (scheme->salt_len >= 0)
        return EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, scheme->salt_len) > 0;
    if (is_signing)
        return EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
    if (EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_AUTO) > 0)
        return true;
    return an_pkey_kind(pkey) == AN_KEY_RSA_PSS;
}

static bool
set_up(EVP_PKEY_CTX *ctx, const EVP_PKEY *pkey, const struct an_scheme *scheme, bool is_signing)
{
    const EVP_MD *md = an_crypto_md(scheme->digest);

    if ((is_signing ? EVP_PKEY_sign_init(ctx) : EVP_PKEY_verify_init(ctx)) <= 0)
        return false;
    if (scheme->kind != AN_SIG_RSA_PKCS1 && scheme->kind != AN_SIG_RSA_PSS)
        return true; /* (EC)DSA takes the digest as it is */
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, scheme->kind == AN_SIG_RSA_PSS ? RSA_PKCS1_PSS_PADDING
                                     : RSA_PKCS1_PADDING) <= 0)
        return false;
    if (md == NULL || EVP_PKEY_CTX_set_signature_md(ctx, md) <= 0)
        return false;
    return scheme->kind != AN_SIG_RSA_PSS || set_pss(ctx, pkey, scheme, is_signing);
}

void
an_key_use_free(struct an_key_use **use)
{
    if (*use == NULL)
        return;
    EVP_PKEY_CTX_free((*use)->ctx);
    free(*use);
    *use = NULL;
}

struct an_key_use *
an_key_use_take(struct an_key_cache *cache, EVP_PKEY *pkey, const struct an_scheme *scheme, bool is_signing)
{
    struct an_key_use *use;

    for (size_t i = 0; i < AN_KEY_USES; i++) {
        use = __atomic_exchange_n(&cache->slots[i], NULL, __ATOMIC_ACQ_REL);
        if (use != NULL && is_same_scheme(&use->scheme, scheme))
            return use;
        an_key_use_free(&use);
    }
    use = AN_NEW(struct an_key_use);
    use->scheme = *scheme;
    use->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (use->ctx == NULL)
        an_die_memory();
    if (!set_up(use->ctx, pkey, scheme, is_signing)) {
        ERR_clear_error();
        an_key_use_free(&use);
    }
    return use;
}

void
an_key_use_give(struct an_key_cache *cache, struct an_key_use *use)
{
    for (size_t i = 0; i < AN_KEY_USES && use != NULL; i++) {
        struct an_key_use *empty = NULL;
        if (__atomic_compare_exchange_n(&cache->slots[i], &empty, use, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return;
    }
    an_key_use_free(&use);
}

void
an_key_cache_done(struct an_key_cache *cache)
{
    for (size_t i = 0; i < AN_KEY_USES; i++)
        an_key_use_free(&cache->slots[i]);
}
