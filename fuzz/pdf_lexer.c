/* Bytes as a run of PDF values: parsed, written out, parsed again. */
#include "base/map.h"
#include "pdf/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_and_read(struct an_pdf *pdf, const struct an_pdf_obj *obj)
{
    struct an_buf text = an_buf_new(1 << 24);
    struct an_pdf_obj again;
    struct an_pdf_parser parser = {.pdf = pdf, .arena = pdf->arena};

    an_pdf_write(&text, obj);
    parser.in = an_buf_view(&text);
    AN_ASSERT(!an_buf_ok(&text) || an_pdf_parse_value(&parser, &again));
    an_buf_reset(&text);
    (void)an_pdf_text_of(obj, &text);
    an_buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_pdf pdf = {.file = AN_BYTES(data, size), .arena = an_arena_new(0)};
    struct an_pdf_parser parser = {.pdf = &pdf, .arena = pdf.arena, .in = pdf.file};
    struct an_pdf_obj obj;

    while (parser.at < size) {
        size_t before = parser.at;

        if (an_pdf_parse_value(&parser, &obj))
            write_and_read(&pdf, &obj);
        parser.at += parser.at == before;
    }
    an_pdf_obj_vec_done(&pdf.stack);
    an_pdf_fault_vec_done(&pdf.faults);
    an_arena_free(&pdf.arena);
    return 0;
}
