/*
 * Writing SignedData. All lengths are worked out first, so that the object is written front to back, once, and its
 * exact size is known before there is a signature.
 */
#include "cms/internal.h"

#define ATTRIBUTES_MAX 4
#define ALGORITHM_MAX 128 /* octets of an AlgorithmIdentifier of ours; the longest (PSS) has 67 */

/* EdDSA hashes inside; the content's digest is then SHA-512 (RFC 8419 3.1). */
static enum an_digest
content_digest_of(const struct an_cms_plan *plan)
{
    return plan->scheme.kind == AN_SIG_EDDSA ? AN_SHA512 : plan->scheme.digest;
}

static an_code
check_plan(const struct an_cms_plan *plan, struct an_err *reterr)
{
    uint8_t oid[AN_OID_MAX];

    if (plan->signer == NULL)
        AN_FAIL(reterr, AN_E_CMS_PLAN, "signer's certificate");
    if (!an_scheme_can_write(&plan->scheme))
        AN_FAIL(reterr, AN_E_CMS_PLAN, "signature scheme");
    if (plan->content_digest.len != an_digest_size(content_digest_of(plan)))
        AN_FAIL(reterr, AN_E_CMS_PLAN, "content digest of %zu bytes", plan->content_digest.len);
    if (plan->content_type != NULL && an_oid_encode(plan->content_type, oid) == 0)
        AN_FAIL(reterr, AN_E_CMS_PLAN, "content type");
    return AN_OK;
}

/* Octets of the content type; scratch holds them when they are not those of id-data. */
static an_bytes
content_type_of(const struct an_cms_plan *plan, uint8_t scratch[static AN_OID_MAX])
{
    if (plan->content_type == NULL)
        return AN_OID_DATA;
    return AN_BYTES(scratch, an_oid_encode(plan->content_type, scratch));
}

/* ---- signed attributes ---- */

static void
open_attribute(struct an_der_out *out, an_bytes oid)
{
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put(out, AN_DER_OID, oid);
    an_der_open(out, AN_DER_SET);
}

static void
close_attribute(struct an_der_out *out)
{
    an_der_close(out);
    an_der_close(out);
}

/* SigningCertificateV2 with SHA-256, the default, whose identifier DER leaves out (RFC 5035 4). */
static void
put_signing_certificate(struct an_der_out *out, const struct an_cert *signer)
{
    open_attribute(out, AN_OID_SIGNING_CERT_V2);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put(out, AN_DER_OCTET_STRING, AN_BYTES(signer->sha256, sizeof(signer->sha256)));
    for (int i = 0; i < 3; i++)
        an_der_close(out);
    close_attribute(out);
}

struct attribute_list {
    struct an_der_out out;
    size_t ends[ATTRIBUTES_MAX];
    size_t count;
};

static void
end_attribute(struct attribute_list *list)
{
    list->ends[list->count++] = list->out.buf->len;
}

static void
put_attributes(const struct an_cms_plan *plan, struct attribute_list *list)
{
    uint8_t scratch[AN_OID_MAX];

    open_attribute(&list->out, AN_OID_CONTENT_TYPE);
    an_der_put(&list->out, AN_DER_OID, content_type_of(plan, scratch));
    close_attribute(&list->out);
    end_attribute(list);
    if (plan->signing_time != AN_TIME_NONE) {
        open_attribute(&list->out, AN_OID_SIGNING_TIME);
        an_der_put_time(&list->out, plan->signing_time);
        close_attribute(&list->out);
        end_attribute(list);
    }
    open_attribute(&list->out, AN_OID_MESSAGE_DIGEST);
    an_der_put(&list->out, AN_DER_OCTET_STRING, plan->content_digest);
    close_attribute(&list->out);
    end_attribute(list);
    if (plan->signing_certificate_v2) {
        put_signing_certificate(&list->out, plan->signer);
        end_attribute(list);
    }
}

/* DER orders the members of a SET OF by their octets. */
static void
append_sorted(const struct attribute_list *list, struct an_buf *ret)
{
    an_bytes sorted[ATTRIBUTES_MAX], all = an_buf_view(list->out.buf);

    for (size_t i = 0; i < list->count; i++) {
        size_t start = i == 0 ? 0 : list->ends[i - 1], at = i;
        an_bytes attribute = an_bytes_slice(all, start, list->ends[i] - start);
        for (; at > 0 && an_bytes_cmp(attribute, sorted[at - 1]) < 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = attribute;
    }
    for (size_t i = 0; i < list->count; i++)
        an_buf_append(ret, sorted[i]);
}

an_code
an_cms_prepare(const struct an_cms_plan *plan, struct an_buf *ret_signed_attrs, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf attributes = an_buf_new(4096);
    struct attribute_list list = {.out = AN_DER_OUT(&attributes)};
    struct an_der_out out = AN_DER_OUT(ret_signed_attrs);

    AN_TRY(check_plan(plan, reterr));
    put_attributes(plan, &list);
    an_der_put_header(&out, AN_DER_SET, attributes.len);
    append_sorted(&list, ret_signed_attrs);
    if (!an_buf_ok(&attributes) || !an_buf_ok(ret_signed_attrs))
        AN_FAIL(reterr, AN_E_LIMIT, "signed attributes");
    return AN_OK;
}

/* ---- the whole ---- */

/* Lengths of contents, innermost first; 0 = the part is absent. */
struct layout {
    struct an_buf algorithms; /* digest algorithm, then signature algorithm */
    size_t digest_algorithm;
    uint8_t type_octets[AN_OID_MAX];
    an_bytes content_type;
    int version;
    size_t encapsulated, certs, revocation, issuer_and_serial, unsigned_attribute, unsigned_attributes, signer,
        signed_data;
};

static void
free_layout(struct layout *layout)
{
    an_buf_free(&layout->algorithms);
}

static void
measure_revocation(const struct an_cms_plan *plan, struct layout *layout)
{
    for (size_t i = 0; plan->crls != NULL && i < plan->crls->count; i++)
        layout->revocation += plan->crls->items[i]->der.len;
    for (size_t i = 0; plan->ocsps != NULL && i < plan->ocsps->count; i++) {
        layout->revocation += an_der_size(an_der_size(AN_OID_RI_OCSP.len) + plan->ocsps->items[i]->der.len);
        layout->version = 5; /* RFC 5652 5.1: other revocation information */
    }
}

static void
measure_signer(const struct an_cms_plan *plan, struct layout *layout, size_t attrs_len, size_t signature_len,
               size_t tst_len)
{
    layout->issuer_and_serial = plan->signer->issuer.len + an_der_size(plan->signer->serial.len);
    if (tst_len > 0) {
        layout->unsigned_attribute = an_der_size(AN_OID_SIGNATURE_TIMESTAMP.len) + an_der_size(tst_len);
        layout->unsigned_attributes = an_der_size(layout->unsigned_attribute);
    }
    layout->signer =
        3 + an_der_size(layout->issuer_and_serial) + layout->algorithms.len + attrs_len + an_der_size(signature_len);
    if (tst_len > 0)
        layout->signer += an_der_size(layout->unsigned_attributes);
}

static void
measure(const struct an_cms_plan *plan, size_t attrs_len, size_t signature_len, size_t tst_len, struct layout *layout)
{
    struct an_der_out algorithms;
    struct an_pubkey *key = plan->scheme.kind == AN_SIG_EDDSA ? an_cert_key(plan->signer) : NULL;

    *layout =
        (struct layout){.algorithms = an_buf_new(2 * ALGORITHM_MAX), .version = plan->content_type == NULL ? 1 : 3};
    algorithms = AN_DER_OUT(&layout->algorithms);
    an_digest_write(&algorithms, content_digest_of(plan));
    layout->digest_algorithm = layout->algorithms.len;
    an_scheme_write_for(&algorithms, &plan->scheme, key != NULL ? an_pubkey_kind(key) : AN_KEY_UNKNOWN);
    layout->content_type = content_type_of(plan, layout->type_octets);
    layout->encapsulated = an_der_size(layout->content_type.len);
    if (plan->content.ptr != NULL)
        layout->encapsulated += an_der_size(an_der_size(plan->content.len));
    layout->certs = plan->omit_certs ? 0 : plan->signer->der.len;
    for (size_t i = 0; layout->certs > 0 && plan->chain != NULL && i < plan->chain->count; i++)
        if (memcmp(plan->chain->items[i]->sha256, plan->signer->sha256, 32) != 0)
            layout->certs += plan->chain->items[i]->der.len;
    measure_revocation(plan, layout);
    measure_signer(plan, layout, attrs_len, signature_len, tst_len);
    layout->signed_data = 3 + an_der_size(layout->digest_algorithm) + an_der_size(layout->encapsulated) +
                          an_der_size(an_der_size(layout->signer));
    if (layout->certs > 0)
        layout->signed_data += an_der_size(layout->certs);
    if (layout->revocation > 0)
        layout->signed_data += an_der_size(layout->revocation);
}

static size_t
total_size(const struct layout *layout)
{
    size_t signed_data = an_der_size(layout->signed_data);

    return an_der_size(an_der_size(AN_OID_SIGNED_DATA.len) + an_der_size(signed_data));
}

size_t
an_cms_size(const struct an_cms_plan *plan, size_t signed_attrs_len, size_t signature_len, size_t tst_len)
{
    AN_CLEANUP(free_layout) struct layout layout;

    measure(plan, signed_attrs_len, signature_len, tst_len, &layout);
    return total_size(&layout);
}

static void
put_encapsulated(struct an_der_out *out, const struct an_cms_plan *plan, const struct layout *layout)
{
    an_der_put_header(out, AN_DER_SEQUENCE, layout->encapsulated);
    an_der_put(out, AN_DER_OID, layout->content_type);
    if (plan->content.ptr == NULL)
        return;
    an_der_put_header(out, AN_DER_CONTEXT_CONSTRUCTED(0), an_der_size(plan->content.len));
    an_der_put(out, AN_DER_OCTET_STRING, plan->content);
}

/* The signer first: simple readers take the first certificate for the signer's. */
static void
put_certs(struct an_der_out *out, const struct an_cms_plan *plan, const struct layout *layout)
{
    if (layout->certs == 0)
        return;
    an_der_put_header(out, AN_DER_CONTEXT_CONSTRUCTED(0), layout->certs);
    an_der_put_raw(out, plan->signer->der);
    for (size_t i = 0; plan->chain != NULL && i < plan->chain->count; i++)
        if (memcmp(plan->chain->items[i]->sha256, plan->signer->sha256, 32) != 0)
            an_der_put_raw(out, plan->chain->items[i]->der);
}

static void
put_revocation(struct an_der_out *out, const struct an_cms_plan *plan, const struct layout *layout)
{
    if (layout->revocation == 0)
        return;
    an_der_put_header(out, AN_DER_CONTEXT_CONSTRUCTED(1), layout->revocation);
    for (size_t i = 0; plan->crls != NULL && i < plan->crls->count; i++)
        an_der_put_raw(out, plan->crls->items[i]->der);
    for (size_t i = 0; plan->ocsps != NULL && i < plan->ocsps->count; i++) {
        an_bytes response = plan->ocsps->items[i]->der;
        an_der_put_header(out, AN_DER_CONTEXT_CONSTRUCTED(1), an_der_size(AN_OID_RI_OCSP.len) + response.len);
        an_der_put(out, AN_DER_OID, AN_OID_RI_OCSP);
        an_der_put_raw(out, response);
    }
}

static void
put_signer(struct an_der_out *out, const struct an_cms_plan *plan, const struct layout *layout, an_bytes signed_attrs,
           an_bytes signature, an_bytes tst)
{
    an_bytes algorithms = an_buf_view(&layout->algorithms);

    an_der_put_header(out, AN_DER_SET, an_der_size(layout->signer));
    an_der_put_header(out, AN_DER_SEQUENCE, layout->signer);
    an_der_put_int(out, 1);
    an_der_put_header(out, AN_DER_SEQUENCE, layout->issuer_and_serial);
    an_der_put_raw(out, plan->signer->issuer);
    an_der_put(out, AN_DER_INTEGER, plan->signer->serial);
    an_der_put_raw(out, an_bytes_slice(algorithms, 0, layout->digest_algorithm));
    an_buf_byte(out->buf, AN_DER_CONTEXT_CONSTRUCTED(0)); /* instead of SET OF, as it was signed */
    an_der_put_raw(out, an_bytes_slice(signed_attrs, 1, signed_attrs.len));
    an_der_put_raw(out, an_bytes_slice(algorithms, layout->digest_algorithm, algorithms.len));
    an_der_put(out, AN_DER_OCTET_STRING, signature);
    if (tst.len == 0)
        return;
    an_der_put_header(out, AN_DER_CONTEXT_CONSTRUCTED(1), layout->unsigned_attributes);
    an_der_put_header(out, AN_DER_SEQUENCE, layout->unsigned_attribute);
    an_der_put(out, AN_DER_OID, AN_OID_SIGNATURE_TIMESTAMP);
    an_der_put(out, AN_DER_SET, tst);
}

static void
put_signed_data(struct an_der_out *out, const struct an_cms_plan *plan, const struct layout *layout)
{
    an_der_put_header(out, AN_DER_SEQUENCE,
                      an_der_size(AN_OID_SIGNED_DATA.len) + an_der_size(an_der_size(layout->signed_data)));
    an_der_put(out, AN_DER_OID, AN_OID_SIGNED_DATA);
    an_der_put_header(out, AN_DER_CONTEXT_CONSTRUCTED(0), an_der_size(layout->signed_data));
    an_der_put_header(out, AN_DER_SEQUENCE, layout->signed_data);
    an_der_put_int(out, layout->version);
    an_der_put_header(out, AN_DER_SET, layout->digest_algorithm);
    an_der_put_raw(out, an_bytes_slice(an_buf_view(&layout->algorithms), 0, layout->digest_algorithm));
    put_encapsulated(out, plan, layout);
    put_certs(out, plan, layout);
    put_revocation(out, plan, layout);
}

an_code
an_cms_finish(const struct an_cms_plan *plan, an_bytes signed_attrs, an_bytes signature, an_bytes tst,
              struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(free_layout) struct layout layout;
    struct an_der_out out = AN_DER_OUT(ret);
    size_t start = ret->len;

    AN_TRY(check_plan(plan, reterr));
    if (signed_attrs.len < 2 || signed_attrs.ptr[0] != AN_DER_SET || signature.len == 0)
        AN_FAIL(reterr, AN_E_CMS_PLAN, "signed attributes or signature");
    measure(plan, signed_attrs.len, signature.len, tst.len, &layout);
    if (an_buf_extend(ret, total_size(&layout)) == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "CMS object of %zu bytes", total_size(&layout));
    ret->len = start; /* the room stays: nothing below allocates */
    put_signed_data(&out, plan, &layout);
    put_signer(&out, plan, &layout, signed_attrs, signature, tst);
    AN_ASSERT(ret->len - start == total_size(&layout));
    return AN_OK;
}
