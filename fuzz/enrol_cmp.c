/* Targets: every body of CMP as the server reads it, past its protection; and the server itself with a host that grants nothing. */
#include "enrol/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static an_code
find_secret(void *context, an_bytes reference, an_time now, struct an_secret **ret, struct an_err *reterr)
{
    (void)context, (void)reference, (void)now, (void)reterr;
    *ret = an_secret_from(AN_LIT("bi-mat"));
    return AN_OK;
}

static an_code
refuse_cert(void *context, struct an_cert *cert, an_time now, struct an_err *reterr)
{
    (void)context, (void)cert, (void)now;
    AN_FAIL(reterr, AN_E_ENROL_SIGNER, "fuzz");
}

static void
note(void *context, const struct an_enrol_party *party, const char *what, const struct an_err *err)
{
    (void)context, (void)party, (void)what, (void)err;
}

static void
read_bodies(an_bytes body, an_bytes sender)
{
    struct an_cmp_confirmation confirmation;
    struct an_cmp_revocation revocation;
    struct an_buf answer = an_buf_new(AN_LIMIT_CMP_BYTES);
    struct an_enrol_host host = {0};
    struct an_crmf crmf;
    int64_t id = 0;

    if (an_crmf_read(body, sender, &crmf, NULL) == AN_OK)
        AN_ASSERT(crmf.spki.len > 0 && crmf.extension_count <= AN_LIMIT_EXTENSIONS);
    an_crmf_done(&crmf);
    (void)!an_cmp_read_confirmation(body, &confirmation, NULL);
    (void)!an_cmp_read_revocation(body, &revocation, NULL);
    (void)!an_cmp_read_poll(body, &id, NULL);
    (void)!an_cmp_general(&host, body, 0, &answer, NULL);
    an_buf_free(&answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct an_enrol_host host = {.find_secret = find_secret, .check_cert = refuse_cert, .refused = note};
    struct an_buf answer = an_buf_new(AN_LIMIT_CMP_BYTES);
    struct an_cmp_message message, again;
    bool is_failed = false;

    if (an_cmp_read(AN_BYTES(data, size), &message, NULL) == AN_OK)
        read_bodies(message.body_value, message.sender);
    if (message.body < 0 || message.body == 21 || message.protection.len == 0 || !an_cmp_is_mac(message.algorithm)) /* others need a host that keeps */
        if (an_cmp_answer(&host, AN_BYTES(data, size), "", 0, &answer, &is_failed, NULL) == AN_OK) {
            AN_ASSERT(an_cmp_read(an_buf_view(&answer), &again, NULL) == AN_OK);
            AN_ASSERT(is_failed == (again.body == 23));
            an_cmp_message_done(&again);
        }
    an_cmp_message_done(&message);
    an_buf_free(&answer);
    return 0;
}
