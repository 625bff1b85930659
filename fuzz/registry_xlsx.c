/* The scanner of sheets on any bytes, half of them as shared texts. */
#include "registry/xlsx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_buf out = an_buf_new(1024 * 1024);

    (void)!an_xlsx_to_csv(AN_BYTES(data, size), AN_BYTES(data + size / 2, size - size / 2), &out, NULL);
    an_buf_free(&out);
    return 0;
}
