/* Targets: an_crl_parse, an_crl_find by reading through and by index. */
#include "x509/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_crl_entry entry;
    struct an_crl *crl = NULL;

    if (an_crl_parse(AN_BYTES(data, size), &crl, NULL) == AN_OK)
        for (int round = 0; round < 4; round++)
            if (an_crl_find(crl, crl->issuer, AN_LIT("\x05"), &entry))
                AN_ASSERT(entry.serial.len > 0);
    an_crl_unref(&crl);
    return 0;
}
