/* PKIMessage (RFC 4210 5.1) and the bodies that a server reads. The module has explicit tags. */
#include "enrol/internal.h"

#define OID_IMPLICIT_CONFIRM AN_LIT("\x2B\x06\x01\x05\x05\x07\x04\x0D") /* 1.3.6.1.5.5.7.4.13 */

static an_code
fail_field(const char *field, struct an_err *reterr)
{
    AN_FAIL(reterr, AN_E_CMP_PARSE, "%s", field);
}

static bool
take_octets(an_bytes *in, int number, an_bytes *ret)
{
    an_bytes field;

    if (an_der_peek(*in) != AN_DER_CONTEXT_CONSTRUCTED(number))
        return true;
    return an_der_take(in, AN_DER_CONTEXT_CONSTRUCTED(number), &field, NULL) == AN_OK &&
           an_der_take(&field, AN_DER_OCTET_STRING, ret, NULL) == AN_OK && field.len == 0;
}

static bool
take_time(an_bytes *in, an_time *ret)
{
    an_bytes field;

    if (an_der_peek(*in) != AN_DER_CONTEXT_CONSTRUCTED(0))
        return true;
    return an_der_take(in, AN_DER_CONTEXT_CONSTRUCTED(0), &field, NULL) == AN_OK &&
           an_der_peek(field) == AN_DER_GENERALIZED_TIME &&
           an_der_time(&field, ret, NULL) == AN_OK && field.len == 0;
}

static bool
take_algorithm(an_bytes *in, an_bytes *ret)
{
    an_bytes field;

    if (an_der_peek(*in) != AN_DER_CONTEXT_CONSTRUCTED(1))
        return true;
    return an_der_take(in, AN_DER_CONTEXT_CONSTRUCTED(1), &field, NULL) == AN_OK &&
           an_der_take_whole(&field, AN_DER_SEQUENCE, ret, NULL) == AN_OK && field.len == 0;
}

/* freeText is for people and not looked at; generalInfo: what is not known is passed over, as the RFC asks. */
static bool
take_general(an_bytes *in, struct an_cmp_message *message)
{
    an_bytes field, items, item, oid;

    if (an_der_peek(*in) == AN_DER_CONTEXT_CONSTRUCTED(7) &&
        an_der_take(in, AN_DER_CONTEXT_CONSTRUCTED(7), &field, NULL) != AN_OK)
        return false;
    if (an_der_peek(*in) != AN_DER_CONTEXT_CONSTRUCTED(8))
        return true;
    if (an_der_take(in, AN_DER_CONTEXT_CONSTRUCTED(8), &field, NULL) != AN_OK ||
        an_der_take(&field, AN_DER_SEQUENCE, &items, NULL) != AN_OK || field.len != 0)
        return false;
    while (items.len > 0) {
        if (an_der_take(&items, AN_DER_SEQUENCE, &item, NULL) != AN_OK ||
            an_der_take(&item, AN_DER_OID, &oid, NULL) != AN_OK)
            return false;
        message->wants_implicit = message->wants_implicit || an_bytes_eq(oid, OID_IMPLICIT_CONFIRM);
    }
    return true;
}

static void
read_sender_name(struct an_cmp_message *message)
{
    an_bytes in = message->sender, field;

    if (an_der_take(&in, AN_DER_CONTEXT_CONSTRUCTED(4), &field, NULL) == AN_OK && an_der_peek(field) == AN_DER_SEQUENCE)
        message->sender_name = field;
}

static an_code
read_header(struct an_cmp_message *message, struct an_err *reterr)
{
    an_bytes in = message->header_whole;

    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK || an_der_int64(&in, &message->version, NULL) != AN_OK)
        return fail_field("pvno", reterr);
    if (an_der_any(&in, NULL, &message->sender, NULL, NULL) != AN_OK ||
        an_der_any(&in, NULL, &message->recipient, NULL, NULL) != AN_OK)
        return fail_field("sender, recipient", reterr);
    read_sender_name(message);
    if (!take_time(&in, &message->time))
        return fail_field("messageTime", reterr);
    if (!take_algorithm(&in, &message->algorithm))
        return fail_field("protectionAlg", reterr);
    if (!take_octets(&in, 2, &message->sender_kid) || !take_octets(&in, 3, &(an_bytes){0}))
        return fail_field("senderKID, recipKID", reterr);
    if (!take_octets(&in, 4, &message->transaction))
        return fail_field("transactionID", reterr);
    if (!take_octets(&in, 5, &message->sender_nonce) || !take_octets(&in, 6, &message->recipient_nonce))
        return fail_field("senderNonce, recipNonce", reterr);
    if (!take_general(&in, message) || in.len != 0)
        return fail_field("generalInfo", reterr);
    return AN_OK;
}

static an_code
read_extra_certs(struct an_cmp_message *message, an_bytes field, struct an_err *reterr)
{
    an_bytes certs, der;

    if (an_der_take(&field, AN_DER_SEQUENCE, &certs, NULL) != AN_OK || field.len != 0)
        return fail_field("extraCerts", reterr);
    for (size_t i = 0; certs.len > 0; i++) {
        struct an_cert *cert = NULL;
        if (i >= AN_LIMIT_CMP_CERTS || an_der_take_whole(&certs, AN_DER_SEQUENCE, &der, NULL) != AN_OK)
            return fail_field("extraCerts", reterr);
        if (an_cert_parse(der, &cert, NULL) == AN_OK) /* another kind of certificate is of no use to us, and no fault */
            an_certs_add(&message->certs, cert);
        an_cert_unref(&cert);
    }
    return AN_OK;
}

an_code
an_cmp_read(an_bytes der, struct an_cmp_message *ret, struct an_err *reterr)
{
    an_bytes in, field;
    unsigned unused = 0;
    int tag = 0;

    *ret = (struct an_cmp_message){.time = AN_TIME_NONE, .body = -1};
    if (der.len > AN_LIMIT_CMP_BYTES)
        AN_FAIL(reterr, AN_E_LIMIT, "PKIMessage: %zu byte", der.len);
    if (an_der_take(&der, AN_DER_SEQUENCE, &in, NULL) != AN_OK || der.len != 0)
        return fail_field("PKIMessage", reterr);
    if (an_der_take_whole(&in, AN_DER_SEQUENCE, &ret->header_whole, NULL) != AN_OK)
        return fail_field("header", reterr);
    AN_TRY(read_header(ret, reterr));
    if (an_der_any(&in, &tag, &ret->body_whole, &ret->body_value, NULL) != AN_OK || (tag & 0xE0) != 0xA0)
        return fail_field("body", reterr);
    ret->body = tag & 0x1F;
    if (an_der_peek(in) == AN_DER_CONTEXT_CONSTRUCTED(0) &&
        (an_der_take(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field, NULL) != AN_OK ||
         an_der_bits(&field, &ret->protection, &unused, NULL) != AN_OK || field.len != 0 || unused != 0))
        return fail_field("protection", reterr);
    if (an_der_peek(in) == AN_DER_CONTEXT_CONSTRUCTED(1)) {
        if (an_der_take(&in, AN_DER_CONTEXT_CONSTRUCTED(1), &field, NULL) != AN_OK)
            return fail_field("extraCerts", reterr);
        AN_TRY(read_extra_certs(ret, field, reterr));
    }
    return in.len == 0 ? AN_OK : fail_field("PKIMessage", reterr);
}

void
an_cmp_message_done(struct an_cmp_message *message)
{
    an_certs_done(&message->certs);
}

void
an_cmp_protected_part(an_bytes header, an_bytes body, struct an_buf *ret)
{
    struct an_der_out out = AN_DER_OUT(ret);

    an_der_put_header(&out, AN_DER_SEQUENCE, header.len + body.len);
    an_der_put_raw(&out, header);
    an_der_put_raw(&out, body);
}

/* ---- bodies ---- */
static bool
read_status_rejection(an_bytes status, bool *ret)
{
    int64_t number = 0;

    if (an_der_int64(&status, &number, NULL) != AN_OK)
        return false;
    *ret = number == CMP_REJECTION;
    return true;
}

an_code
an_cmp_read_confirmation(an_bytes body, struct an_cmp_confirmation *ret, struct an_err *reterr)
{
    an_bytes list, status, field, algorithm;

    *ret = (struct an_cmp_confirmation){0};
    if (an_der_take(&body, AN_DER_SEQUENCE, &list, NULL) != AN_OK || body.len != 0)
        return fail_field("certConf", reterr);
    if (an_der_take(&list, AN_DER_SEQUENCE, &status, NULL) != AN_OK || list.len != 0)
        return fail_field("certConf: CertStatus", reterr);
    if (an_der_take(&status, AN_DER_OCTET_STRING, &ret->hash, NULL) != AN_OK ||
        an_der_int64(&status, &ret->request_id, NULL) != AN_OK)
        return fail_field("CertStatus", reterr);
    if (an_der_try(&status, AN_DER_SEQUENCE, &field) && !read_status_rejection(field, &ret->is_rejected))
        return fail_field("statusInfo", reterr);
    if (an_der_peek(status) == AN_DER_CONTEXT_CONSTRUCTED(0)) {
        if (an_der_take(&status, AN_DER_CONTEXT_CONSTRUCTED(0), &field, NULL) != AN_OK ||
            an_der_take_whole(&field, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK)
            return fail_field("hashAlg", reterr);
        if (an_digest_parse(algorithm, &ret->digest, NULL) != AN_OK)
            AN_FAIL(reterr, AN_E_CMP_ALGORITHM, "hashAlg");
    }
    return status.len == 0 ? AN_OK : fail_field("CertStatus", reterr);
}

an_code
an_cmp_read_poll(an_bytes body, int64_t *ret_request_id, struct an_err *reterr)
{
    an_bytes list, item;

    if (an_der_take(&body, AN_DER_SEQUENCE, &list, NULL) != AN_OK || body.len != 0 ||
        an_der_take(&list, AN_DER_SEQUENCE, &item, NULL) != AN_OK || list.len != 0 ||
        an_der_int64(&item, ret_request_id, NULL) != AN_OK ||
        item.len != 0)
        return fail_field("pollReq", reterr);
    return AN_OK;
}

/* reasonCode among crlEntryDetails; removeFromCRL and what is not known are refused. */
static an_code
read_reason(an_bytes extensions, enum an_crl_reason *ret, struct an_err *reterr)
{
    an_bytes extension, oid, value;
    int64_t reason = 0;

    while (extensions.len > 0) {
        if (an_der_take(&extensions, AN_DER_SEQUENCE, &extension, NULL) != AN_OK ||
            an_der_take(&extension, AN_DER_OID, &oid, NULL) != AN_OK)
            return fail_field("crlEntryDetails", reterr);
        (void)an_der_try(&extension, AN_DER_BOOLEAN, &value);
        if (an_der_take(&extension, AN_DER_OCTET_STRING, &value, NULL) != AN_OK || extension.len != 0)
            return fail_field("crlEntryDetails", reterr);
        if (!an_bytes_eq(oid, AN_OID_REASON_CODE))
            continue;
        if (value.len != 3 || value.ptr[0] != AN_DER_ENUMERATED || value.ptr[1] != 1)
            return fail_field("reasonCode", reterr);
        reason = value.ptr[2];
        if (reason > 10 || reason == 7 || reason == 8)
            return fail_field("reasonCode", reterr);
    }
    *ret = (enum an_crl_reason)reason;
    return AN_OK;
}

an_code
an_cmp_read_revocation(an_bytes body, struct an_cmp_revocation *ret, struct an_err *reterr)
{
    an_bytes list, details, template, field, extensions = AN_NONE;

    *ret = (struct an_cmp_revocation){0};
    if (an_der_take(&body, AN_DER_SEQUENCE, &list, NULL) != AN_OK || body.len != 0 ||
        an_der_take(&list, AN_DER_SEQUENCE, &details, NULL) != AN_OK || list.len != 0 ||
        an_der_take(&details, AN_DER_SEQUENCE, &template, NULL) != AN_OK)
        return fail_field("rr", reterr);
    if (an_der_try(&details, AN_DER_SEQUENCE, &extensions))
        AN_TRY(read_reason(extensions, &ret->reason, reterr));
    if (details.len != 0)
        return fail_field("RevDetails", reterr);
    while (template.len > 0) { /* CertTemplate has implicit tags: [1] serialNumber, [3] issuer */
        int tag = 0;
        if (an_der_any(&template, &tag, NULL, &field, NULL) != AN_OK)
            return fail_field("certDetails", reterr);
        if (tag == AN_DER_CONTEXT(1))
            ret->serial = field;
        else if (tag == AN_DER_CONTEXT_CONSTRUCTED(3))
            ret->issuer = field;
    }
    if (ret->serial.len == 0 || ret->issuer.len == 0)
        AN_FAIL(reterr, AN_E_ENROL_CERT_ID, "rr: issuer, serialNumber");
    return AN_OK;
}
