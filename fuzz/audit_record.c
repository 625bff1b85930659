/* Targets: entry_read and statement_read: what is read is written again byte for byte. */
#include "audit/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AN_CLEANUP(an_buf_free) struct an_buf again = an_buf_new(AN_BUF_UNLIMITED);
    struct statement statement;
    struct entry entry;

    if (entry_read(AN_BYTES(data, size), &entry)) {
        entry_write(&entry, &again);
        AN_ASSERT(an_bytes_eq(an_buf_view(&again), AN_BYTES(data, size)));
    }
    if (statement_read(AN_BYTES(data, size), &statement))
        AN_ASSERT(statement.size >= 0 && statement.at != AN_TIME_NONE);
    return 0;
}
