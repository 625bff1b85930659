/* Targets: an_cert_parse and every question that is asked of a certificate. */
#include "x509/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_buf out = an_buf_new(1 << 20);
    struct an_cert *cert = NULL;
    an_code quirks[32];

    if (an_cert_parse(AN_BYTES(data, size), &cert, NULL) == AN_OK) {
        (void)an_cert_quirks(cert, quirks, AN_COUNT(quirks));
        an_name_text(cert->subject, &out);
        an_name_text(cert->issuer, &out);
        AN_ASSERT(an_name_eq(cert->subject, cert->subject) && an_name_within(cert->issuer, cert->issuer));
        (void)an_cert_email(cert, &out);
        for (size_t n = 0; n < 3; n++) {
            (void)an_cert_crl_uri(cert, n, &out);
            (void)an_cert_aia_uri(cert, "1.3.6.1.5.5.7.48.1", n, &out);
        }
        (void)an_cert_has_eku(cert, "1.3.6.1.5.5.7.3.8");
        (void)an_cert_signed_by(cert, cert);
    }
    an_cert_unref(&cert);
    an_buf_free(&out);
    return 0;
}
