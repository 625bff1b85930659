/* A request's head, then its chunked body, as a stranger sends them; cut anywhere the outcome is the same. */
#include "base/mem.h"
#include "http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
feed(an_bytes in, size_t step, struct an_buf *out, bool *ret_ok, bool *ret_done)
{
    struct an_http_chunks chunks = {0};

    *ret_ok = true;
    for (size_t at = 0; at < in.len && *ret_ok && chunks.state != AN_CHUNK_DONE; at += step) {
        an_bytes part = an_bytes_slice(in, at, step);
        *ret_ok = an_http_chunks_feed(&chunks, &part, out);
    }
    *ret_done = chunks.state == AN_CHUNK_DONE;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(100000), whole = an_buf_new(100000), parts = an_buf_new(100000);
    static struct an_http_head head, shorter;
    bool ok[2], done[2];
    unsigned status = an_http_head_parse(AN_BYTES(data, size), 0, &head);

    if (status == 200) {
        AN_ASSERT(head.len <= size && head.path.len <= head.target.len);
        AN_ASSERT(an_http_head_parse(AN_BYTES(data, head.len - 1), 0, &shorter) == 0);
        for (size_t seen = 0; seen < head.len; seen++)
            AN_ASSERT(an_http_head_parse(AN_BYTES(data, size), seen, &shorter) == 200 && shorter.len == head.len);
        (void)!an_http_decode(head.path, false, &text);
        feed(AN_BYTES(data + head.len, size - head.len), SIZE_MAX / 2, &whole, &ok[0], &done[0]);
        feed(AN_BYTES(data + head.len, size - head.len), 1, &parts, &ok[1], &done[1]);
        AN_ASSERT(ok[0] == ok[1] && done[0] == done[1] && an_bytes_eq(an_buf_view(&whole), an_buf_view(&parts)));
    }
    return 0;
}
