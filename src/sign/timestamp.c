#include "sign/timestamp.h"

#include "cms/cms.h"
#include "fetch/fetch.h"

#define TIMEOUT_MS 180000
#define TRIES 3

an_code
an_tsa_client_stamp(void *context, enum an_digest digest, an_bytes imprint, struct an_buf *ret_token,
                    struct an_err *reterr)
{
    const struct an_tsa_client *client = context;
    AN_CLEANUP(an_buf_free) struct an_buf request = an_buf_new(4096);
    AN_CLEANUP(an_buf_free) struct an_buf response = an_buf_new(AN_LIMIT_TSP_BYTES);
    struct an_err cause = {0};
    uint8_t nonce[8];
    an_code code;

    AN_TRY(an_random(nonce, sizeof(nonce), reterr));
    nonce[0] = (uint8_t)((nonce[0] & 0x7Fu) | 0x40u); /* positive, always eight octets: tokens keep one size */
    an_tsp_request(digest, imprint, AN_BYTES(nonce, sizeof(nonce)), true, &request);
    struct an_fetch what = {.url = client->url, .body = an_buf_view(&request),
                            .content_type = "application/timestamp-query",
                            .timeout_ms = client->timeout_ms ? client->timeout_ms : TIMEOUT_MS,
                            .bytes_max = AN_LIMIT_TSP_BYTES,
                            .tries = client->tries ? client->tries : TRIES};
    code = an_fetch_do(client->fetcher, &what, &response, &cause);
    if (code == AN_OK)
        code = an_tsp_response(an_buf_view(&response), digest, imprint, AN_BYTES(nonce, sizeof(nonce)), ret_token,
                               &cause);
    if (code != AN_OK) {
        const struct an_message *message = an_message_find(code);
        AN_FAIL(reterr, AN_E_SIGN_TSA, "%s (%s): %s", message->vi, message->en, cause.detail);
    }
    return AN_OK;
}
