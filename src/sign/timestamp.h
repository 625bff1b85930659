/* The RFC 3161 client: asks a time-stamping server, with retries and the long patience that the fielded server
 * needs. */
#pragma once

#include "crypto/crypto.h"

struct an_fetcher;
struct an_tsa_client {
    struct an_fetcher *fetcher; /* borrowed */
    const char *url;
    uint64_t timeout_ms;        /* of one try; 0 = 180 s: answers after 131 s have been seen */
    unsigned tries;             /* 0 = 3 */
};
/* For an_sign_setup.time_stamp; context is a struct an_tsa_client *. AN_E_SIGN_TSA with the cause. Thread-safe. */
an_code an_tsa_client_stamp(void *context, enum an_digest digest, an_bytes imprint, struct an_buf *ret_token,
                            struct an_err *reterr) AN_MUST_USE;
