/* The reader of signed mail on any bytes. */
#include "verify/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_buf content = an_buf_new(AN_LIMIT_MIME_BYTES), cms = an_buf_new(AN_LIMIT_MIME_BYTES);

    if (an_mime_read(AN_BYTES(data, size), &content, &cms, NULL) == AN_OK)
        (void)an_buf_ok(&cms);
    an_buf_free(&content);
    an_buf_free(&cms);
    return 0;
}
