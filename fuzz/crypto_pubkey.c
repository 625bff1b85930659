/* SubjectPublicKeyInfo from outside: our reader and libcrypto's behind it. A key that parses must survive a check. */
#include "crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct an_scheme schemes[] = {
        {.kind = AN_SIG_RSA_PKCS1, .digest = AN_SHA256}, {.kind = AN_SIG_RSA_PSS, .digest = AN_SHA256, .mgf_digest = AN_SHA1, .salt_len = -1},
        {.kind = AN_SIG_ECDSA, .digest = AN_SHA256}, {.kind = AN_SIG_EDDSA},
    };
    struct an_pubkey *key = NULL;
    struct an_err err = {0};

    if (an_pubkey_parse(AN_BYTES(data, size), &key, &err) != AN_OK)
        return 0;
    for (size_t i = 0; i < AN_COUNT(schemes) && an_pubkey_bits(key) <= 4096; i++)
        AN_ASSERT(!an_pubkey_verify_message(key, &schemes[i], AN_LIT("m"), AN_BYTES(data, size)) || size < 16);
    an_pubkey_unref(&key);
    return 0;
}
