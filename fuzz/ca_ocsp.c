/* Status requests from the network: every one gets an answer that can be read, and the quick look at the serial agrees with the reader. */
#include "ca/respond.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(AN_LIMIT_OCSP_BYTES);
    an_bytes request = AN_BYTES(data, size), nonce, serial = an_respond_serial(request);
    struct an_responder nobody = {.fresh_seconds = 60};
    struct an_respond_note note;
    struct an_ocsp_query query;
    struct an_ocsp *parsed = NULL;
    size_t count = 0;

    AN_ASSERT(an_respond(&nobody, request, 1700000000, &answer, &note, NULL) == AN_OK);
    AN_ASSERT(note.status == AN_RESPOND_MALFORMED || note.status == AN_RESPOND_UNAUTHORIZED);
    AN_ASSERT(an_ocsp_parse(an_buf_view(&answer), &parsed, NULL) == AN_OK && parsed->response_status == (int)note.status);
    an_ocsp_unref(&parsed);
    if (serial.len != 0 && an_ocsp_request_parse(request, &query, 1, &count, &nonce, NULL) == AN_OK)
        AN_ASSERT(count == 1 && nonce.ptr == NULL && an_bytes_eq(query.serial, serial));
    return 0;
}
