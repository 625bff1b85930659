/* Targets: an_csr_parse, and what is asked of a request. */
#include "asn1/oid.h"
#include "x509/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_buf out = an_buf_new(1 << 20);
    struct an_csr *csr = NULL;

    if (an_csr_parse(AN_BYTES(data, size), &csr, NULL) == AN_OK) {
        AN_ASSERT(csr->info.len < csr->der.len && csr->spki.len < csr->info.len);
        an_name_text(csr->subject, &out);
        (void)an_csr_find_extension(csr, AN_OID_SUBJECT_ALT_NAME);
        (void)!an_csr_check(csr, NULL);
    }
    an_csr_free(&csr);
    an_buf_free(&out);
    return 0;
}
