#include "crypto/internal.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <pthread.h>

static pthread_once_t started = PTHREAD_ONCE_INIT;

static void
start_library(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ATEXIT,
                        NULL);
}

void
an_crypto_start(void)
{
    pthread_once(&started, start_library);
}

an_code
an_crypto_fail(struct an_err *reterr, an_code code, const char *what)
{
    unsigned long last = ERR_peek_last_error();
    char text[160] = "";

    if (last != 0)
        ERR_error_string_n(last, text, sizeof(text));
    ERR_clear_error();
    return an_err_set(reterr, code, "%s%s%s", what, text[0] != '\0' ? ": " : "", text);
}

an_code
an_random(uint8_t *out, size_t len, struct an_err *reterr)
{
    an_crypto_start();
    if (RAND_bytes_ex(NULL, out, len, 0) != 1)
        return an_crypto_fail(reterr, AN_E_RANDOM, "RAND_bytes");
    return AN_OK;
}
