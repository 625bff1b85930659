/* Targets: an_tst_parse, an_tst_check, an_tsp_response, an_tsp_request_parse. */
#include "cms/cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_buf token = an_buf_new(1 << 20);
    struct an_tsp_query query;
    struct an_tst *tst = NULL;

    if (an_tst_parse(AN_BYTES(data, size), &tst, NULL) == AN_OK) {
        struct an_cert *cert = an_cms_signer_cert(tst->cms, &tst->cms->signers[0], NULL);
        if (cert != NULL)
            (void)!an_tst_check(tst, cert, tst->imprint, NULL);
        an_tst_free(&tst);
    }
    (void)!an_tsp_response(AN_BYTES(data, size), AN_SHA256, AN_LIT("01234567890123456789012345678901"), AN_NONE, &token,
                           NULL);
    (void)!an_tsp_request_parse(AN_BYTES(data, size), &query, NULL);
    an_buf_free(&token);
    return 0;
}
