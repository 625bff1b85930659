/*
 * CertReqMessages (RFC 4211), with implicit tags. Keys are made by those who will use them (and never leave their
 * device): a request without a public key, with an archived key or with a proof that only decryption could give is
 * refused with that reason.
 */
#include "enrol/internal.h"

#define OID_ARCHIVE AN_LIT("\x2B\x06\x01\x05\x05\x07\x05\x01\x04")   /* 1.3.6.1.5.5.7.5.1.4 pkiArchiveOptions */
#define OID_OLD_CERT AN_LIT("\x2B\x06\x01\x05\x05\x07\x05\x01\x05")  /* .5 oldCertID */

static an_code
fail_field(const char *field, struct an_err *reterr)
{
    AN_FAIL(reterr, AN_E_CMP_PARSE, "%s", field);
}

/* The content of Extensions; each once. */
static an_code
read_extensions(an_bytes content, struct an_crmf *ret, struct an_err *reterr)
{
    an_bytes extension, value;

    free(ret->extensions);
    ret->extension_count = 0;
    ret->extensions = an_new_array(AN_LIMIT_EXTENSIONS, sizeof(*ret->extensions));
    while (content.len > 0) {
        struct an_extension *into = &ret->extensions[ret->extension_count];
        if (ret->extension_count == AN_LIMIT_EXTENSIONS)
            AN_FAIL(reterr, AN_E_LIMIT, "extensions");
        if (an_der_take(&content, AN_DER_SEQUENCE, &extension, NULL) != AN_OK ||
            an_der_take(&extension, AN_DER_OID, &into->oid, NULL) != AN_OK)
            return fail_field("extensions", reterr);
        into->critical = an_der_try(&extension, AN_DER_BOOLEAN, &value) && value.len == 1 && value.ptr[0] != 0;
        if (an_der_take(&extension, AN_DER_OCTET_STRING, &into->value, NULL) != AN_OK || extension.len != 0)
            return fail_field("extensions", reterr);
        ret->extension_count++;
    }
    return AN_OK;
}

/* [6] SubjectPublicKeyInfo is an implicit tag in place of SEQUENCE. */
static void
keep_key(an_bytes content, struct an_crmf *ret)
{
    struct an_der_out out = AN_DER_OUT(&ret->spki);

    an_buf_reset(&ret->spki);
    an_der_put(&out, AN_DER_SEQUENCE, content);
}

static an_code
read_template(an_bytes template, struct an_crmf *ret, struct an_err *reterr)
{
    int before = -1; /* fields stand in the order of their numbers, each once */

    while (template.len > 0) {
        an_bytes value;
        int tag = 0;
        if (an_der_any(&template, &tag, NULL, &value, NULL) != AN_OK || (tag & 0xC0) != 0x80 || (tag & 0x1F) <= before)
            return fail_field("certTemplate", reterr);
        before = tag & 0x1F;
        if (tag == AN_DER_CONTEXT_CONSTRUCTED(3))
            ret->issuer = value;
        else if (tag == AN_DER_CONTEXT_CONSTRUCTED(5))
            ret->subject = value;
        else if (tag == AN_DER_CONTEXT_CONSTRUCTED(6) && value.len > 0)
            keep_key(value, ret);
        else if (tag == AN_DER_CONTEXT_CONSTRUCTED(9))
            AN_TRY(read_extensions(value, ret, reterr));
    }
    if (ret->spki.len == 0)
        AN_FAIL(reterr, AN_E_ENROL_KEY_ELSEWHERE, "certTemplate: publicKey");
    return AN_OK;
}

/* CertId ::= SEQUENCE { issuer GeneralName, serialNumber INTEGER } */
static an_code
read_old_cert(an_bytes in, struct an_crmf *ret, struct an_err *reterr)
{
    an_bytes id, name;

    if (an_der_take(&in, AN_DER_SEQUENCE, &id, NULL) != AN_OK || in.len != 0 ||
        an_der_take(&id, AN_DER_CONTEXT_CONSTRUCTED(4), &name, NULL) != AN_OK ||
        an_der_integer(&id, &ret->old_serial, NULL) != AN_OK ||
        id.len != 0)
        return fail_field("oldCertID", reterr);
    ret->old_issuer = name;
    return AN_OK;
}

static an_code
read_controls(an_bytes controls, struct an_crmf *ret, struct an_err *reterr)
{
    an_bytes control, oid;

    while (controls.len > 0) {
        if (an_der_take(&controls, AN_DER_SEQUENCE, &control, NULL) != AN_OK ||
            an_der_take(&control, AN_DER_OID, &oid, NULL) != AN_OK)
            return fail_field("controls", reterr);
        if (an_bytes_eq(oid, OID_ARCHIVE))
            AN_FAIL(reterr, AN_E_ENROL_KEY_ELSEWHERE, "pkiArchiveOptions");
        if (an_bytes_eq(oid, OID_OLD_CERT))
            AN_TRY(read_old_cert(control, ret, reterr));
    }
    return AN_OK;
}

/* ---- proof of possession (RFC 4211 4) ---- */
/* POPOSigningKeyInput ::= SEQUENCE { authInfo CHOICE { sender [0] GeneralName, publicKeyMAC }, publicKey }: signed in
 * the place of the request when that lacks subject or key. It names the sender, or it would fit another's message. */
static an_code
check_input(an_bytes input, an_bytes sender, const struct an_crmf *crmf, struct an_err *reterr)
{
    an_bytes name, key;

    if (an_der_take(&input, AN_DER_CONTEXT_CONSTRUCTED(0), &name, NULL) != AN_OK || !an_bytes_eq(name, sender))
        AN_FAIL(reterr, AN_E_ENROL_POP, "authInfo: sender");
    if (an_der_take_whole(&input, AN_DER_SEQUENCE, &key, NULL) != AN_OK || input.len != 0 ||
        !an_bytes_eq(key, an_buf_view(&crmf->spki)))
        AN_FAIL(reterr, AN_E_ENROL_POP, "poposkInput: publicKey");
    return AN_OK;
}

static an_code
check_signature(an_bytes pop, an_bytes sender, const struct an_crmf *crmf, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf input_whole = an_buf_new(AN_LIMIT_CMP_BYTES);
    struct an_der_out out = AN_DER_OUT(&input_whole);
    an_bytes message = crmf->request, input, algorithm, signature;
    struct an_scheme scheme = {0};
    unsigned unused = 0;

    if (an_der_try(&pop, AN_DER_CONTEXT_CONSTRUCTED(0), &input)) {
        AN_TRY(check_input(input, sender, crmf, reterr));
        an_der_put(&out, AN_DER_SEQUENCE, input);
        message = an_buf_view(&input_whole);
    }
    if (an_der_take_whole(&pop, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK ||
        an_der_bits(&pop, &signature, &unused, NULL) != AN_OK ||
        unused != 0 || pop.len != 0)
        return fail_field("POPOSigningKey", reterr);
    if (an_scheme_parse(algorithm, AN_DIGEST_NONE, &scheme, NULL) != AN_OK)
        AN_FAIL(reterr, AN_E_ENROL_POP, "algorithmIdentifier");
    if (an_possession_check(an_buf_view(&crmf->spki), &scheme, message, signature, NULL) != AN_OK)
        AN_FAIL(reterr, AN_E_ENROL_POP, "signature");
    return AN_OK;
}

static an_code
check_possession(an_bytes in, an_bytes sender, const struct an_crmf *crmf, struct an_err *reterr)
{
    an_bytes value;
    int tag = 0;

    if (in.len == 0)
        AN_FAIL(reterr, AN_E_ENROL_POP, "popo");
    if (an_der_any(&in, &tag, NULL, &value, NULL) != AN_OK)
        return fail_field("popo", reterr);
    switch (tag) {
    case AN_DER_CONTEXT(0):
        AN_FAIL(reterr, AN_E_ENROL_POP, "raVerified");
    case AN_DER_CONTEXT_CONSTRUCTED(1):
        AN_TRY(check_signature(value, sender, crmf, reterr));
        break;
    case AN_DER_CONTEXT_CONSTRUCTED(2):
        AN_FAIL(reterr, AN_E_ENROL_KEY_ELSEWHERE, "keyEncipherment");
    case AN_DER_CONTEXT_CONSTRUCTED(3):
        AN_FAIL(reterr, AN_E_ENROL_KEY_ELSEWHERE, "keyAgreement");
    default:
        return fail_field("popo", reterr);
    }
    (void)an_der_try(&in, AN_DER_SEQUENCE, &value); /* regInfo: of no use here */
    return in.len == 0 ? AN_OK : fail_field("CertReqMsg", reterr);
}

static an_code
read_request(struct an_crmf *ret, struct an_err *reterr)
{
    an_bytes in = ret->request, template, controls;

    if (an_der_take(&in, AN_DER_SEQUENCE, &in, NULL) != AN_OK || an_der_int64(&in, &ret->id, NULL) != AN_OK ||
        an_der_take(&in, AN_DER_SEQUENCE, &template, NULL) != AN_OK)
        return fail_field("certReq", reterr);
    if (an_der_try(&in, AN_DER_SEQUENCE, &controls))
        AN_TRY(read_controls(controls, ret, reterr));
    if (in.len != 0)
        return fail_field("certReq", reterr);
    return read_template(template, ret, reterr);
}

an_code
an_crmf_read(an_bytes body, an_bytes sender, struct an_crmf *ret, struct an_err *reterr)
{
    an_bytes list, message;

    *ret = (struct an_crmf){.spki = an_buf_new(AN_LIMIT_CERT_BYTES)};
    if (an_der_take(&body, AN_DER_SEQUENCE, &list, NULL) != AN_OK || body.len != 0 ||
        an_der_take(&list, AN_DER_SEQUENCE, &message, NULL) != AN_OK)
        return fail_field("CertReqMessages", reterr);
    if (list.len != 0)
        AN_FAIL(reterr, AN_E_CMP_BODY, "CertReqMessages: > 1"); /* RFC 9483 4.1.1: one at a time */
    if (an_der_take_whole(&message, AN_DER_SEQUENCE, &ret->request, NULL) != AN_OK)
        return fail_field("CertReqMsg", reterr);
    AN_TRY(read_request(ret, reterr));
    if (!an_buf_ok(&ret->spki))
        AN_FAIL(reterr, AN_E_LIMIT, "publicKey");
    return check_possession(message, sender, ret, reterr);
}

void
an_crmf_done(struct an_crmf *crmf)
{
    free(crmf->extensions);
    an_buf_free(&crmf->spki);
    crmf->extensions = NULL;
}
