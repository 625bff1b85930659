/* Key files: PEM and DER, PKCS#8, PKCS#1, SEC1, encrypted or not. */
#include "crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AN_CLEANUP(an_secret_free) struct an_secret *pass = an_secret_from(AN_LIT("mk"));
    struct an_privkey *key = NULL;
    struct an_err err = {0};

    if (an_privkey_parse(AN_BYTES(data, size), pass, &key, &err) == AN_OK)
        an_privkey_free(&key);
    return 0;
}
