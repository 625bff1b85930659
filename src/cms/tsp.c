/* The time-stamp protocol (RFC 3161 2.4): what is sent and what comes back. */
#include "cms/internal.h"

#include "base/utf8.h"

void
an_tsp_request(enum an_digest digest, an_bytes imprint, an_bytes nonce, bool want_certs, struct an_buf *out)
{
    struct an_der_out der = AN_DER_OUT(out);

    an_der_open(&der, AN_DER_SEQUENCE);
    an_der_put_int(&der, 1);
    an_der_open(&der, AN_DER_SEQUENCE);
    an_digest_write_null(&der, digest);
    an_der_put(&der, AN_DER_OCTET_STRING, imprint);
    an_der_close(&der);
    if (nonce.len > 0)
        an_der_put_unsigned(&der, nonce);
    if (want_certs)
        an_der_put_bool(&der, true);
    an_der_close(&der);
}

static bool
read_query(an_bytes in, struct an_tsp_query *ret)
{
    an_bytes imprint, algorithm, field;
    int64_t version;

    *ret = (struct an_tsp_query){0};
    if (an_der_int64(&in, &version, NULL) != AN_OK || version != 1 ||
        an_der_take_whole(&in, AN_DER_SEQUENCE, &ret->imprint_whole, NULL) != AN_OK)
        return false;
    imprint = ret->imprint_whole;
    if (an_der_take(&imprint, AN_DER_SEQUENCE, &imprint, NULL) != AN_OK ||
        an_der_take_whole(&imprint, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK ||
        an_der_take(&imprint, AN_DER_OCTET_STRING, &ret->imprint, NULL) != AN_OK || imprint.len != 0)
        return false;
    if (an_digest_parse(algorithm, &ret->digest, NULL) != AN_OK)
        ret->digest = AN_DIGEST_NONE;
    (void)an_der_try(&in, AN_DER_OID, &ret->policy);
    if (an_der_peek(in) == AN_DER_INTEGER && an_der_integer(&in, &ret->nonce, NULL) != AN_OK)
        return false;
    if (an_der_peek(in) == AN_DER_BOOLEAN && an_der_bool(&in, &ret->want_certs, NULL) != AN_OK)
        return false;
    ret->has_extensions = an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field);
    return in.len == 0;
}

an_code
an_tsp_request_parse(an_bytes der, struct an_tsp_query *ret, struct an_err *reterr)
{
    struct an_tsp_query query;
    an_bytes in;

    if (der.len > AN_LIMIT_TSP_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "time-stamp request of %zu bytes", der.len);
    if (an_der_take(&der, AN_DER_SEQUENCE, &in, NULL) != AN_OK || der.len != 0 || !read_query(in, &query))
        AN_FAIL(reterr, AN_E_TSP_PARSE, "TimeStampReq");
    *ret = query;
    return AN_OK;
}

/* ---- the answer ---- */

/* PKIStatus, its free text (one line, no control characters: it comes from outside), and PKIFailureInfo. */
struct tsp_status {
    int64_t status;
    char words[160];
    const char *failure;
};

static const char *
failure_name(an_bytes bits)
{
    static const struct { unsigned bit; const char *name; } failure_table[] = {
        {0, "badAlg"}, {2, "badRequest"}, {5, "badDataFormat"}, {14, "timeNotAvailable"}, {15, "unacceptedPolicy"},
        {16, "unacceptedExtension"}, {17, "addInfoNotAvailable"}, {25, "systemFailure"},
    };

    for (size_t i = 0; i < AN_COUNT(failure_table); i++) {
        unsigned bit = failure_table[i].bit;
        if (bit / 8 < bits.len && (bits.ptr[bit / 8] & (0x80u >> bit % 8)) != 0)
            return failure_table[i].name;
    }
    return "";
}

static void
copy_words(an_bytes texts, struct tsp_status *status)
{
    AN_CLEANUP(an_buf_free) struct an_buf words = an_buf_new(sizeof(status->words) - 1);
    size_t whole = 0, at = 0;

    while (texts.len > 0 && an_der_text(&texts, &words, NULL) == AN_OK)
        an_buf_byte(&words, ' ');
    while (at < words.len) {
        uint32_t c = an_utf8_next(an_buf_view(&words), &at);
        if (c != UINT32_MAX && c >= 0x20 && (c < 0x7F || c > 0x9F)) {
            memcpy(status->words + whole, words.ptr + whole, at - whole);
            whole = at;
            continue;
        }
        memset(words.ptr + whole, ' ', at - whole);
        memset(status->words + whole, ' ', at - whole);
        whole = at;
    }
    status->words[whole] = '\0';
}

static bool
read_status(an_bytes in, struct tsp_status *ret)
{
    an_bytes texts, bits;

    *ret = (struct tsp_status){.failure = ""};
    if (an_der_int64(&in, &ret->status, NULL) != AN_OK)
        return false;
    if (an_der_try(&in, AN_DER_SEQUENCE, &texts))
        copy_words(texts, ret);
    if (an_der_peek(in) == AN_DER_BIT_STRING) {
        if (an_der_bits(&in, &bits, NULL, NULL) != AN_OK)
            return false;
        ret->failure = failure_name(bits);
    }
    return in.len == 0;
}

/* Numbers as sent: the nonce may have come with zeros in front. */
static bool
is_same_number(an_bytes content, an_bytes big_endian)
{
    while (content.len > 1 && content.ptr[0] == 0)
        content = AN_BYTES(content.ptr + 1, content.len - 1);
    while (big_endian.len > 1 && big_endian.ptr[0] == 0)
        big_endian = AN_BYTES(big_endian.ptr + 1, big_endian.len - 1);
    return an_bytes_eq(content, big_endian);
}

static an_code
check_token(an_bytes token, enum an_digest digest, an_bytes imprint, an_bytes nonce, struct an_err *reterr)
{
    AN_CLEANUP(an_tst_free) struct an_tst *tst = NULL;

    AN_TRY(an_tst_parse(token, &tst, reterr));
    if (tst->digest != digest || !an_bytes_eq(tst->imprint, imprint))
        AN_FAIL(reterr, AN_E_TSP_MISMATCH, "messageImprint");
    if (nonce.len > 0 && (tst->nonce.len == 0 || !is_same_number(tst->nonce, nonce)))
        AN_FAIL(reterr, AN_E_TSP_MISMATCH, "nonce");
    return AN_OK;
}

an_code
an_tsp_response(an_bytes response, enum an_digest digest, an_bytes imprint, an_bytes nonce, struct an_buf *ret_token,
                struct an_err *reterr)
{
    struct tsp_status status;
    an_bytes in, info;

    if (response.len > AN_LIMIT_TSP_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "time-stamp response of %zu bytes", response.len);
    if (an_der_take(&response, AN_DER_SEQUENCE, &in, NULL) != AN_OK || response.len != 0 ||
        an_der_take(&in, AN_DER_SEQUENCE, &info, NULL) != AN_OK || !read_status(info, &status))
        AN_FAIL(reterr, AN_E_TSP_PARSE, "TimeStampResp");
    if (status.status != 0 && status.status != 1)
        AN_FAIL(reterr, AN_E_TSP_REFUSED, "status %lld %s %s", (long long)status.status, status.failure, status.words);
    if (an_der_peek(in) != AN_DER_SEQUENCE)
        AN_FAIL(reterr, AN_E_TSP_PARSE, "granted, but without a token");
    AN_TRY(check_token(in, digest, imprint, nonce, reterr));
    an_buf_append(ret_token, in);
    if (!an_buf_ok(ret_token))
        AN_FAIL(reterr, AN_E_LIMIT, "time-stamp token of %zu bytes", in.len);
    return AN_OK;
}
