/* The reader of lists on any bytes; what it read is written and read again as it was. */
#include "base/mem.h"
#include "registry/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_csv csv, again;
    bool found = true;

    an_csv_start(&csv, AN_BYTES(data, size));
    while (an_csv_next(&csv, &found, NULL) == AN_OK && found) {
        struct an_buf text = an_buf_new(1024 * 1024);
        bool back = false;
        for (size_t i = 0; i < csv.count; i++)
            an_csv_write(&text, an_csv_field(&csv, i), i + 1 == csv.count);
        an_csv_start(&again, an_buf_view(&text));
        again.separator = ',';
        AN_ASSERT(!an_buf_ok(&text) || (an_csv_next(&again, &back, NULL) == AN_OK && back && again.count == csv.count));
        an_csv_done(&again);
        an_buf_free(&text);
    }
    an_csv_done(&csv);
    return 0;
}
