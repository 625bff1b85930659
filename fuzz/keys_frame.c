/* Questions to and answers from the key process, as bytes of a stranger; what is read is written again and must be the same. */
#include "keys/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AN_CLEANUP(an_buf_free) struct an_buf again = an_buf_new(AN_BUF_UNLIMITED);
    struct an_key_question question;
    struct an_key_answer answer;
    struct an_key_list list = {0};
    an_bytes in = AN_BYTES(data, size);

    while (an_key_take_question(&in, &question))
        an_key_put_question(&again, &question);
    AN_ASSERT(an_bytes_eq(an_buf_view(&again), AN_BYTES(data, size - in.len)));
    an_buf_reset(&again);
    in = AN_BYTES(data, size);
    while (an_key_take_answer(&in, &answer))
        an_key_put_answer(&again, &answer);
    AN_ASSERT(an_bytes_eq(an_buf_view(&again), AN_BYTES(data, size - in.len)));
    if (an_key_list_parse(AN_BYTES(data, size), &list, NULL) == AN_OK)
        an_key_list_done(&list);
    return 0;
}
