/* Targets: an_ber_to_der, an_der_* readers, an_pem_next, an_oid_text. */
#include "asn1/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_buf out = an_buf_new(1 << 20), text = an_buf_new(1 << 20);
    an_bytes in = AN_BYTES(data, size), rest, value;
    char label[64];
    size_t at = 0;
    int64_t number;
    an_time when;
    int tag;

    if (an_ber_to_der(in, &out, NULL) == AN_OK) {
        struct an_buf again = an_buf_new(1 << 20);
        /* DER does not change any more */
        AN_ASSERT(an_ber_to_der(an_buf_view(&out), &again, NULL) == AN_OK &&
                  an_bytes_eq(an_buf_view(&out), an_buf_view(&again)));
        an_buf_free(&again);
    }
    while (in.len > 0) {
        rest = in;
        (void)(an_der_int64(&rest, &number, NULL) == AN_OK || an_der_time(&rest, &when, NULL) == AN_OK ||
               an_der_text(&rest, &text, NULL) == AN_OK);
        if (an_der_any(&in, &tag, NULL, &value, NULL) != AN_OK)
            break;
        if (tag == AN_DER_OID)
            an_oid_text(value, &text);
        if ((tag & 0x20) != 0 && value.len > 0)
            in = value;
    }
    an_buf_reset(&out);
    while (an_pem_next(AN_BYTES(data, size), &at, &out, label))
        an_buf_reset(&out);
    an_buf_free(&out);
    an_buf_free(&text);
    return 0;
}
