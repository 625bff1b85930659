/* A container of strangers: every entry that comes out has the size and sum that the directory gives it. */
#include "xml/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static an_code
take(void *context, const char *name, an_bytes bytes, struct an_err *reterr)
{
    size_t *total = context;

    AN_ASSERT(name[0] != '\0' && bytes.len <= AN_LIMIT_XML_PARTS);
    *total += bytes.len;
    if (*total > (size_t)64 * 1024 * 1024)
        AN_FAIL(reterr, AN_E_LIMIT, "enough for a harness");
    return AN_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t total = 0;

    (void)!xml_unzip(AN_BYTES(data, size), AN_LIMIT_XML_PARTS, take, &total, NULL);
    return 0;
}
