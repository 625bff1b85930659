/* Time-stamp tokens (RFC 3161 2.4.2, RFC 5816). */
#include "cms/internal.h"

static an_code
fail_field(const char *field, struct an_err *reterr)
{
    AN_FAIL(reterr, AN_E_TST_STRUCTURE, "%s", field);
}

/* Accuracy ::= SEQUENCE { seconds, [0] millis, [1] micros }, all optional; microseconds are rounded up. */
static bool
read_accuracy(an_bytes in, int64_t *ret_ms)
{
    int64_t seconds = 0, millis = 0, micros = 0;
    an_bytes field;

    if (an_der_peek(in) == AN_DER_INTEGER &&
        (an_der_int64(&in, &seconds, NULL) != AN_OK || seconds < 0 || seconds > INT32_MAX))
        return false;
    if (an_der_try(&in, AN_DER_CONTEXT(0), &field))
        for (size_t i = 0; i < field.len && millis <= 999; i++)
            millis = millis << 8 | field.ptr[i];
    if (an_der_try(&in, AN_DER_CONTEXT(1), &field))
        for (size_t i = 0; i < field.len && micros <= 999; i++)
            micros = micros << 8 | field.ptr[i];
    if (in.len != 0 || millis > 999 || micros > 999)
        return false;
    *ret_ms = seconds * 1000 + millis + (micros > 0);
    return true;
}

/* The optional fields behind genTime, in their fixed order. */
static an_code
read_options(struct an_tst *tst, an_bytes in, struct an_err *reterr)
{
    an_bytes field;

    tst->accuracy_ms = -1;
    if (an_der_try(&in, AN_DER_SEQUENCE, &field) && !read_accuracy(field, &tst->accuracy_ms))
        return fail_field("accuracy", reterr);
    if (an_der_peek(in) == AN_DER_BOOLEAN && an_der_bool(&in, &tst->ordering, NULL) != AN_OK)
        return fail_field("ordering", reterr);
    if (an_der_peek(in) == AN_DER_INTEGER && an_der_integer(&in, &tst->nonce, NULL) != AN_OK)
        return fail_field("nonce", reterr);
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field))
        tst->tsa = field;
    (void)an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(1), &field);
    return in.len == 0 ? AN_OK : fail_field("TSTInfo", reterr);
}

static bool
read_imprint(struct an_tst *tst, an_bytes *in)
{
    an_bytes imprint, algorithm;

    if (an_der_take(in, AN_DER_SEQUENCE, &imprint, NULL) != AN_OK ||
        an_der_take_whole(&imprint, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK ||
        an_der_take(&imprint, AN_DER_OCTET_STRING, &tst->imprint, NULL) != AN_OK || imprint.len != 0)
        return false;
    if (an_digest_parse(algorithm, &tst->digest, NULL) != AN_OK)
        tst->digest = AN_DIGEST_NONE;
    return true;
}

static an_code
parse_info(struct an_tst *tst, struct an_err *reterr)
{
    an_bytes whole = tst->cms->content, in;
    int64_t version;

    if (an_der_take(&whole, AN_DER_SEQUENCE, &in, NULL) != AN_OK || whole.len != 0)
        return fail_field("TSTInfo", reterr);
    if (an_der_int64(&in, &version, NULL) != AN_OK || version != 1)
        return fail_field("version", reterr);
    if (an_der_take(&in, AN_DER_OID, &tst->policy, NULL) != AN_OK)
        return fail_field("policy", reterr);
    if (!read_imprint(tst, &in))
        return fail_field("messageImprint", reterr);
    if (an_der_integer(&in, &tst->serial, NULL) != AN_OK)
        return fail_field("serialNumber", reterr);
    if (an_der_peek(in) != AN_DER_GENERALIZED_TIME || an_der_time(&in, &tst->gen_time, NULL) != AN_OK)
        return fail_field("genTime", reterr);
    return read_options(tst, in, reterr);
}

an_code
an_tst_parse(an_bytes token, struct an_tst **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_tst_free) struct an_tst *tst = AN_NEW(struct an_tst);

    AN_TRY(an_cms_parse(token, &tst->cms, reterr));
    if (!an_bytes_eq(tst->cms->content_type, AN_OID_TST_INFO) || tst->cms->content.ptr == NULL)
        return fail_field("eContentType", reterr);
    if (tst->cms->signer_count != 1) /* RFC 3161 2.4.2 */
        AN_FAIL(reterr, AN_E_TST_STRUCTURE, "%zu signers", tst->cms->signer_count);
    AN_TRY(parse_info(tst, reterr));
    *ret = tst;
    tst = NULL;
    return AN_OK;
}

void
an_tst_free(struct an_tst **tst)
{
    if (*tst == NULL)
        return;
    an_cms_free(&(*tst)->cms);
    free(*tst);
    *tst = NULL;
}

an_code
an_tst_check(const struct an_tst *tst, struct an_cert *cert, an_bytes data_digest, struct an_err *reterr)
{
    const struct an_cms_signer *signer = &tst->cms->signers[0];
    uint8_t digest[AN_DIGEST_MAX];
    struct an_err why = {0};
    an_code found;

    if (tst->digest == AN_DIGEST_NONE || !an_bytes_eq(tst->imprint, data_digest))
        AN_FAIL(reterr, AN_V_TST_IMPRINT, "messageImprint");
    if (signer->ess_hash.len == 0)
        AN_FAIL(reterr, AN_V_TST_ESS, "signing-certificate is absent");
    if (signer->digest == AN_DIGEST_NONE)
        AN_FAIL(reterr, AN_V_TST_SIGNATURE, "digestAlgorithm is not known");
    an_hash_once(signer->digest, tst->cms->content, digest);
    found = an_cms_check_signer(signer, cert, AN_OID_TST_INFO, AN_BYTES(digest, an_digest_size(signer->digest)), &why);
    if (found == AN_OK)
        return AN_OK;
    AN_FAIL(reterr, found == AN_V_CMS_ESS ? AN_V_TST_ESS : AN_V_TST_SIGNATURE, "%s: %s", an_message_find(found)->symbol,
            why.detail);
}
