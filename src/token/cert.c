#include "token/internal.h"

#include "asn1/der.h"

/* Only the fields that PKCS#11 keeps beside a certificate; judging it is the business of x509. */
static an_code
read_fields(an_bytes der, struct an_p11_cert *ret)
{
    an_bytes outer, tbs, skipped;

    AN_TRY(an_der_take(&der, AN_DER_SEQUENCE, &outer, NULL));
    AN_TRY(an_der_take(&outer, AN_DER_SEQUENCE, &tbs, NULL));
    (void)an_der_try(&tbs, AN_DER_CONTEXT_CONSTRUCTED(0), &skipped);
    AN_TRY(an_der_take_whole(&tbs, AN_DER_INTEGER, &ret->serial, NULL));
    AN_TRY(an_der_take(&tbs, AN_DER_SEQUENCE, &skipped, NULL)); /* signature */
    AN_TRY(an_der_take_whole(&tbs, AN_DER_SEQUENCE, &ret->issuer, NULL));
    AN_TRY(an_der_take(&tbs, AN_DER_SEQUENCE, &skipped, NULL)); /* validity */
    AN_TRY(an_der_take_whole(&tbs, AN_DER_SEQUENCE, &ret->subject, NULL));
    return an_der_take_whole(&tbs, AN_DER_SEQUENCE, &ret->spki, NULL);
}

bool
an_p11_cert_parse(an_bytes der, struct an_p11_cert *ret)
{
    return read_fields(der, ret) == AN_OK;
}

void
an_p11_rsa_spki(an_bytes modulus, an_bytes exponent, struct an_buf *out)
{
    AN_CLEANUP(an_buf_free) struct an_buf key = an_buf_new(AN_TOKEN_VALUE_MAX);
    struct an_der_out key_out = AN_DER_OUT(&key), der = AN_DER_OUT(out);

    an_der_open(&key_out, AN_DER_SEQUENCE);
    an_der_put_unsigned(&key_out, modulus);
    an_der_put_unsigned(&key_out, exponent);
    an_der_close(&key_out);
    an_der_open(&der, AN_DER_SEQUENCE);
    an_der_open(&der, AN_DER_SEQUENCE);
    an_der_put_oid(&der, "1.2.840.113549.1.1.1");
    an_der_put_null(&der);
    an_der_close(&der);
    an_der_put_bits(&der, an_buf_view(&key), 0);
    an_der_close(&der);
}

void
an_p11_ec_spki(an_bytes params, an_bytes point, struct an_buf *out)
{
    struct an_der_out der = AN_DER_OUT(out);

    an_der_open(&der, AN_DER_SEQUENCE);
    an_der_open(&der, AN_DER_SEQUENCE);
    an_der_put_oid(&der, "1.2.840.10045.2.1");
    an_der_put_raw(&der, params);
    an_der_close(&der);
    an_der_put_bits(&der, point, 0);
    an_der_close(&der);
}
