/* Revocation lists in memory (RFC 5280 5); those of the store are written by crl_publish.c. */
#include "ca/internal.h"


/* ---- lists ---- */
an_code
an_ca_check_revocation(const struct an_revocation *revoked, struct an_err *reterr)
{
    if (revoked->serial.len == 0 || revoked->serial.len > 21)
        AN_FAIL(reterr, AN_E_CA_FIELD, "serialNumber: %zu byte", revoked->serial.len);
    /* 7 is not used. */
    if (revoked->at == AN_TIME_NONE || (int)revoked->reason < 0 || revoked->reason > AN_REASON_AA_COMPROMISE ||
        (int)revoked->reason == 7)
        AN_FAIL(reterr, AN_E_CA_FIELD, "revocationDate, reason %d", (int)revoked->reason);
    return AN_OK;
}

an_code
an_ca_put_entry(struct an_der_out *out, const struct an_revocation *revoked, an_time invalidity_date,
                struct an_err *reterr)
{
    uint8_t reason = (uint8_t)revoked->reason;

    AN_TRY(an_ca_check_revocation(revoked, reterr));
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put(out, AN_DER_INTEGER, revoked->serial);
    an_der_put_time(out, revoked->at);
    if (revoked->reason != AN_REASON_UNSPECIFIED || invalidity_date != AN_TIME_NONE)
        an_der_open(out, AN_DER_SEQUENCE);
    if (revoked->reason != AN_REASON_UNSPECIFIED) { /* RFC 5280 5.3.1: left out */
        an_ca_open_extension(out, "2.5.29.21", false);
        an_der_put(out, AN_DER_ENUMERATED, AN_BYTES(&reason, 1));
        an_ca_close_extension(out);
    }
    if (invalidity_date != AN_TIME_NONE) {
        an_ca_open_extension(out, "2.5.29.24", false);
        an_der_put_generalized(out, invalidity_date);
        an_ca_close_extension(out);
    }
    if (revoked->reason != AN_REASON_UNSPECIFIED || invalidity_date != AN_TIME_NONE)
        an_der_close(out);
    an_der_close(out);
    return AN_OK;
}

void
an_ca_put_list_number(struct an_der_out *out, const char *oid, bool critical, uint64_t number)
{
    uint8_t octets[8];

    for (size_t i = 0; i < 8; i++)
        octets[i] = (uint8_t)(number >> (56 - 8 * i));
    an_ca_open_extension(out, oid, critical);
    an_der_put_unsigned(out, AN_BYTES(octets, sizeof(octets)));
    an_ca_close_extension(out);
}

/* The entries are written into a buffer of their own, so that closing a list of millions moves them once. */
static an_code
build_entries(const struct an_revocation *revoked, size_t count, struct an_buf *ret, struct an_err *reterr)
{
    struct an_der_out out = AN_DER_OUT(ret);

    for (size_t i = 0; i < count; i++) {
        if (revoked[i].reason == AN_REASON_REMOVE_FROM_CRL) /* for delta lists */
            AN_FAIL(reterr, AN_E_CA_FIELD, "removeFromCRL");
        AN_TRY(an_ca_put_entry(&out, &revoked[i], AN_TIME_NONE, reterr));
    }
    if (!an_buf_ok(ret))
        AN_FAIL(reterr, AN_E_LIMIT, "revokedCertificates: %zu", count);
    return AN_OK;
}

an_code
an_ca_crl(struct an_cert *issuer, struct an_signer *key, const struct an_revocation *revoked, size_t count,
          uint64_t number,
          an_time this_update, an_time next_update, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf entries = an_buf_new(AN_LIMIT_CRL_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf tbs = an_buf_new(AN_LIMIT_CRL_BYTES);
    struct an_der_out out = AN_DER_OUT(&tbs);

    if (this_update == AN_TIME_NONE || next_update == AN_TIME_NONE || next_update <= this_update)
        AN_FAIL(reterr, AN_E_CA_FIELD, "nextUpdate <= thisUpdate");
    AN_TRY(an_ca_check_key(issuer, key, AN_KU_CRL_SIGN, AN_E_CA_ISSUER, reterr));
    AN_TRY(build_entries(revoked, count, &entries, reterr));
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_int(&out, 1); /* v2 */
    an_ca_put_algorithm(&out, key);
    an_der_put_raw(&out, issuer->subject);
    an_der_put_time(&out, this_update);
    an_der_put_time(&out, next_update);
    if (count != 0)
        an_der_put(&out, AN_DER_SEQUENCE, an_buf_view(&entries));
    an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_open(&out, AN_DER_SEQUENCE);
    an_ca_put_authority_key(&out, issuer);
    an_ca_put_list_number(&out, "2.5.29.20", false, number);
    an_der_close(&out);
    an_der_close(&out);
    an_der_close(&out);
    if (!an_buf_ok(&tbs))
        AN_FAIL(reterr, AN_E_LIMIT, "TBSCertList");
    return an_ca_sign(key, an_buf_view(&tbs), AN_NONE, ret, reterr);
}
