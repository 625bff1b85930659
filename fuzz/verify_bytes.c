/* The whole verification on any bytes: format detection, PDF, CMS, mail, time-stamps, paths. Nothing from the network. */
#include "base/file.h"
#include "verify/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct an_verifier *verifier;
    struct an_file file = {.bytes = AN_BYTES(data, size), .fd = -1};
    struct an_verify_options options = {.at = 1800000000, .content_fd = -1, .content = AN_LIT("content")};
    struct an_report report = {0};

    if (!verifier && an_verifier_new(NULL, &verifier, NULL) != AN_OK)
        return 0;
    if (size && an_verify_file(verifier, &file, &options, &report, NULL) == AN_OK)
        an_report_done(&report);
    return 0;
}
