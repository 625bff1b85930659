/* HMAC (RFC 2104) and PBKDF2 (RFC 8018 5.2). */
#include "crypto/internal.h"

#include "base/limits.h"

#include <limits.h>
#include <openssl/hmac.h>

void
an_hmac(enum an_digest digest, an_bytes key, an_bytes message, uint8_t ret_code[static AN_DIGEST_MAX])
{
    const EVP_MD *md = an_crypto_md(digest);
    unsigned len = 0;

    AN_ASSERT(md != NULL && key.len <= INT_MAX);
    if (HMAC(md, key.len ? key.ptr : (const uint8_t *)"", (int)key.len, message.len ? message.ptr : (const uint8_t *)"",
             message.len,
             ret_code, &len) == NULL)
        an_die_internal("HMAC");
}

an_code
an_pbkdf2(enum an_digest digest, an_bytes password, an_bytes salt, int64_t rounds, uint8_t *ret_key, size_t len,
          struct an_err *reterr)
{
    const EVP_MD *md = an_crypto_md(digest);

    if (md == NULL || rounds < 1 || rounds > AN_LIMIT_KDF_ROUNDS || len > INT_MAX || password.len > INT_MAX ||
        salt.len > INT_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "PBKDF2: %lld", (long long)rounds);
    if (PKCS5_PBKDF2_HMAC((const char *)password.ptr, (int)password.len, salt.ptr, (int)salt.len, (int)rounds, md,
                          (int)len, ret_key) != 1)
        return an_crypto_fail(reterr, AN_E_KEY_KIND, "PBKDF2");
    return AN_OK;
}
