/* Targets: an_ocsp_parse, an_ocsp_parse_basic, an_ocsp_request_parse. */
#include "x509/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_ocsp_query queries[4];
    struct an_ocsp *ocsp = NULL;
    an_bytes nonce;
    size_t count;

    if (an_ocsp_parse(AN_BYTES(data, size), &ocsp, NULL) == AN_OK)
        for (size_t i = 0; i < ocsp->certs.count; i++) {
            (void)an_ocsp_find(ocsp, ocsp->certs.items[i], ocsp->certs.items[i]);
            (void)an_ocsp_signed_by(ocsp, ocsp->certs.items[i]);
        }
    an_ocsp_unref(&ocsp);
    if (an_ocsp_parse_basic(AN_BYTES(data, size), &ocsp, NULL) == AN_OK)
        an_ocsp_unref(&ocsp);
    (void)!an_ocsp_request_parse(AN_BYTES(data, size), queries, AN_COUNT(queries), &count, &nonce, NULL);
    return 0;
}
