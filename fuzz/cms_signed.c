/* Targets: an_cms_parse, an_cms_signer_cert, an_cms_check_signer. */
#include "cms/cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t digest[AN_DIGEST_MAX];
    struct an_cms *cms = NULL;

    if (an_cms_parse(AN_BYTES(data, size), &cms, NULL) != AN_OK)
        return 0;
    for (size_t i = 0; i < cms->signer_count; i++) {
        struct an_cms_signer *signer = &cms->signers[i];
        struct an_cert *cert = an_cms_signer_cert(cms, signer, NULL);
        an_bytes expected = signer->message_digest.len > 0 ? signer->message_digest : AN_BYTES(digest, 32);
        if (cert != NULL)
            (void)!an_cms_check_signer(signer, cert, cms->content_type, expected, NULL);
    }
    an_cms_free(&cms);
    return 0;
}
