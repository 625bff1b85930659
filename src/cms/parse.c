/* Reading SignedData (RFC 5652 5.1). */
#include "cms/internal.h"

static an_code
fail_field(const char *field, struct an_err *reterr)
{
    AN_FAIL(reterr, AN_E_CMS_STRUCTURE, "%s", field);
}

/* EncapsulatedContentInfo. PKCS #7 (version 1) allowed any type where CMS has OCTET STRING: its content is what was
 * signed. */
static an_code
parse_encapsulated(struct an_cms *cms, an_bytes *in, struct an_err *reterr)
{
    an_bytes info, field;
    int tag;

    if (an_der_take(in, AN_DER_SEQUENCE, &info, NULL) != AN_OK ||
        an_der_take(&info, AN_DER_OID, &cms->content_type, NULL) != AN_OK)
        return fail_field("encapContentInfo", reterr);
    if (info.len == 0)
        return AN_OK;
    if (an_der_take(&info, AN_DER_CONTEXT_CONSTRUCTED(0), &field, NULL) != AN_OK || info.len != 0 ||
        an_der_any(&field, &tag, NULL, &cms->content, NULL) != AN_OK || field.len != 0)
        return fail_field("eContent", reterr);
    if (cms->version >= 3 && tag != AN_DER_OCTET_STRING)
        return fail_field("eContent", reterr);
    return AN_OK;
}

/* The list may be empty, or name more than are used; a signer whose algorithm is missing from it was not made with
 * it. */
static bool
is_unlisted(an_bytes list, enum an_digest digest)
{
    enum an_digest listed;
    an_bytes algorithm;
    size_t count = 0;

    while (list.len > 0 && an_der_take_whole(&list, AN_DER_SEQUENCE, &algorithm, NULL) == AN_OK) {
        count++;
        if (an_digest_parse(algorithm, &listed, NULL) == AN_OK && listed == digest)
            return false;
    }
    return (count > 0 || list.len > 0) && digest != AN_DIGEST_NONE;
}

static an_code
parse_signers(struct an_cms *cms, an_bytes set, an_bytes digests, struct an_err *reterr)
{
    an_bytes in = set, signer;
    size_t count = 0;

    for (; in.len > 0; count++)
        if (count == AN_LIMIT_CMS_SIGNERS)
            AN_FAIL(reterr, AN_E_LIMIT, "more than %d signers", AN_LIMIT_CMS_SIGNERS);
        else if (an_der_take(&in, AN_DER_SEQUENCE, &signer, NULL) != AN_OK)
            return fail_field("signerInfos", reterr);
    cms->signers = an_new_array(count, sizeof(*cms->signers));
    for (in = set; an_der_try(&in, AN_DER_SEQUENCE, &signer);) {
        struct an_cms_signer *next = &cms->signers[cms->signer_count++];
        AN_TRY(an_cms_read_signer(signer, next, reterr));
        next->digest_unlisted = is_unlisted(digests, next->digest);
        an_cms_collect_values(cms, next);
    }
    return AN_OK;
}

static an_code
parse_signed_data(struct an_cms *cms, an_bytes in, struct an_err *reterr)
{
    int64_t version;
    an_bytes field, digests;

    if (an_der_int64(&in, &version, NULL) != AN_OK || version < 1 || version == 2 || version > 5)
        return fail_field("version", reterr);
    cms->version = (int)version;
    if (an_der_take(&in, AN_DER_SET, &digests, NULL) != AN_OK)
        return fail_field("digestAlgorithms", reterr);
    AN_TRY(parse_encapsulated(cms, &in, reterr));
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field))
        AN_TRY(an_cms_collect_certs(cms, field, reterr));
    if (an_der_try(&in, AN_DER_CONTEXT_CONSTRUCTED(1), &field))
        AN_TRY(an_cms_collect_revocation(cms, field, reterr));
    if (an_der_take(&in, AN_DER_SET, &field, NULL) != AN_OK || in.len != 0)
        return fail_field("signerInfos", reterr);
    return parse_signers(cms, field, digests, reterr);
}

static an_code
parse_content_info(struct an_cms *cms, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf type = an_buf_new(512);
    an_bytes rest = cms->der, in, oid, field, signed_data;

    if (an_der_take(&rest, AN_DER_SEQUENCE, &in, NULL) != AN_OK || an_der_take(&in, AN_DER_OID, &oid, NULL) != AN_OK)
        return fail_field("ContentInfo", reterr);
    if (!an_bytes_eq(oid, AN_OID_SIGNED_DATA)) {
        an_oid_text(oid, &type);
        AN_FAIL(reterr, AN_E_CMS_TYPE, "content type %.*s", AN_FMT(an_buf_view(&type)));
    }
    if (an_der_take(&in, AN_DER_CONTEXT_CONSTRUCTED(0), &field, NULL) != AN_OK || in.len != 0 ||
        an_der_take(&field, AN_DER_SEQUENCE, &signed_data, NULL) != AN_OK || field.len != 0)
        return fail_field("SignedData", reterr);
    return parse_signed_data(cms, signed_data, reterr);
}

/* The DER form, and behind it nothing but the zero bytes with which PDF fills /Contents. */
static an_code
read_object(struct an_cms *cms, an_bytes ber, struct an_err *reterr)
{
    struct an_buf der = an_buf_new(AN_LIMIT_CMS_BYTES);
    an_code outcome = an_ber_take(&ber, &der, reterr);

    cms->der = an_buf_view(&der); /* the object owns it from here, also when something fails */
    AN_TRY(outcome);
    cms->trailing = ber.len;
    for (size_t i = 0; i < ber.len; i++)
        if (ber.ptr[i] != 0)
            AN_FAIL(reterr, AN_E_CMS_TRAILING, "%zu bytes after the object, not all zero", ber.len);
    return AN_OK;
}

an_code
an_cms_parse(an_bytes der, struct an_cms **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_cms_free) struct an_cms *cms = NULL;

    if (der.len == 0 || der.len > AN_LIMIT_CMS_BYTES)
        AN_FAIL(reterr, der.len == 0 ? AN_E_CMS_STRUCTURE : AN_E_LIMIT, "CMS object of %zu bytes", der.len);
    cms = AN_NEW(struct an_cms);
    AN_TRY(read_object(cms, der, reterr));
    AN_TRY(parse_content_info(cms, reterr));
    *ret = cms;
    cms = NULL;
    return AN_OK;
}

void
an_cms_free(struct an_cms **cms)
{
    struct an_cms *gone = *cms;

    if (gone == NULL)
        return;
    for (size_t i = 0; i < gone->signer_count; i++)
        free(gone->signers[i].block);
    free(gone->signers);
    an_certs_done(&gone->certs);
    an_crls_unref(&gone->crls);
    an_ocsps_unref(&gone->ocsps);
    free((void *)(uintptr_t)gone->der.ptr);
    free(gone);
    *cms = NULL;
}
