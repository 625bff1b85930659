/* Targets: an EST request's body and Authorization, both from the network. The first octet says which operation. */
#include "enrol/enrol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static an_code
find_secret(void *context, an_bytes reference, an_time now, struct an_secret **ret, struct an_err *reterr)
{
    (void)context, (void)reference, (void)now, (void)reterr;
    *ret = an_secret_from(AN_LIT("bi-mat"));
    return AN_OK;
}

static an_code
carry_out(void *context, const struct an_enrol_request *request, struct an_enrol_answer *ret, struct an_err *reterr)
{
    (void)context, (void)ret;
    AN_ASSERT(request->spki.len > 0 && request->party->reference.len > 0);
    AN_FAIL(reterr, AN_E_ENROL_NOT_ALLOWED, "fuzz");
}

static void
note(void *context, const struct an_enrol_party *party, const char *what, const struct an_err *err)
{
    (void)context, (void)party, (void)what, (void)err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_certs none = {0};
    struct an_enrol_host host = {.find_secret = find_secret, .carry_out = carry_out, .refused = note, .issuers = &none};
    struct an_est_request request = {.is_post = true, .content_type = "application/pkcs10", .authorization = "Basic cmVmOmJpLW1hdA==", .peer = ""};
    struct an_est_answer answer = {.body = an_buf_new(AN_LIMIT_CMP_BYTES)};
    char header[201];

    if (size == 0)
        return 0;
    request.operation = (enum an_est_operation)(data[0] % (AN_EST_UNKNOWN + 1));
    request.body = AN_BYTES(data + 1, size - 1);
    if (data[0] & 0x80) { /* the header instead */
        memcpy(header, data + 1, size - 1 > 200 ? 200 : size - 1);
        header[size - 1 > 200 ? 200 : size - 1] = '\0';
        request.authorization = header;
    }
    an_est_answer(&host, &request, 0, &answer);
    AN_ASSERT(answer.status >= 200 && answer.status < 600);
    an_buf_free(&answer.body);
    return 0;
}
