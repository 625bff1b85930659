/* A certification request of ours (PKCS#10, RFC 2986): what an authority sends to the one above it, as a file. */
#include "ca/internal.h"

#include "base/utf8.h"

an_code
an_ca_request(const struct an_name_part *subject, size_t count, struct an_signer *key, struct an_buf *ret,
              struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf info = an_buf_new(AN_LIMIT_CERT_BYTES);
    struct an_der_out out = AN_DER_OUT(&info);

    for (size_t i = 0; i < count; i++)
        if (subject[i].oid == NULL || subject[i].text == NULL || !an_utf8_is_valid(an_bytes_of_str(subject[i].text)))
            AN_FAIL(reterr, AN_E_CA_NAME, "%zu", i + 1);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_int(&out, 0);
    an_name_build(&out, subject, count);
    an_der_put_raw(&out, an_signer_spki(key));
    an_der_put(&out, AN_DER_CONTEXT_CONSTRUCTED(0), AN_NONE); /* no attributes */
    an_der_close(&out);
    if (!an_buf_ok(&info))
        AN_FAIL(reterr, AN_E_LIMIT, "CertificationRequestInfo");
    return an_ca_sign(key, an_buf_view(&info), AN_NONE, ret, reterr);
}
