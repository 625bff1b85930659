/*
 * Long-term attributes of CAdES (EN 319 122-1; TS 101 733): certificate and revocation values, archive time-stamps v3
 * (clause 5.5.3, with its hash index) and v2. What an archive time-stamp covers is computed here from the encoded
 * object; all else is conclude.c's.
 */
#include "verify/cms_reader.h"

static const char id_certificate_values[] = "1.2.840.113549.1.9.16.2.23";
static const char id_revocation_values[] = "1.2.840.113549.1.9.16.2.24";
static const char id_archive_stamp_v2[] = "1.2.840.113549.1.9.16.2.48";
static const char id_archive_stamp_v3[] = "0.4.0.1733.2.4";
static const char id_hash_index[] = "0.4.0.1733.2.5";
static const char id_hash_index_v3[] = "0.4.0.19122.1.5";
static const char id_signature_stamp[] = "1.2.840.113549.1.9.16.2.14";
static const char id_certificate_refs[] = "1.2.840.113549.1.9.16.2.21";
static const char id_revocation_refs[] = "1.2.840.113549.1.9.16.2.22";
static const char id_esc_stamp[] = "1.2.840.113549.1.9.16.2.25";
static const char id_refs_stamp[] = "1.2.840.113549.1.9.16.2.26";
static const char id_content_stamp[] = "1.2.840.113549.1.9.16.2.20";

/* ---- the encoded SignedData, field by field ---- */
struct fields {
    an_bytes encapsulated, content_type; /* whole encapContentInfo; its eContentType with header */
    bool has_content;
    an_bytes certificates, crls;         /* whole [0], [1] */
    an_bytes version, sid, digest_algorithm, signed_attrs, signature_algorithm, signature; /* whole, of one signer */
    an_bytes unsigned_attrs;             /* content of [1] */
};

static bool
read_signer_fields(an_bytes info, struct fields *ret)
{
    an_bytes value;
    int tag;

    if (an_der_take(&info, AN_DER_SEQUENCE, &info, NULL) != AN_OK ||
        an_der_any(&info, &tag, &ret->version, &value, NULL) != AN_OK ||
        an_der_any(&info, &tag, &ret->sid, &value, NULL) != AN_OK ||
        an_der_any(&info, &tag, &ret->digest_algorithm, &value, NULL) != AN_OK)
        return false;
    if (an_der_peek(info) == AN_DER_CONTEXT_CONSTRUCTED(0) &&
        an_der_any(&info, &tag, &ret->signed_attrs, &value, NULL) != AN_OK)
        return false;
    if (an_der_any(&info, &tag, &ret->signature_algorithm, &value, NULL) != AN_OK ||
        an_der_any(&info, &tag, &ret->signature, &value, NULL) != AN_OK)
        return false;
    an_der_try(&info, AN_DER_CONTEXT_CONSTRUCTED(1), &ret->unsigned_attrs);
    return true;
}

static bool
read_encapsulated(struct fields *ret)
{
    an_bytes whole = ret->encapsulated, body;

    if (an_der_take(&whole, AN_DER_SEQUENCE, &body, NULL) != AN_OK ||
        an_der_take_whole(&body, AN_DER_OID, &ret->content_type, NULL) != AN_OK)
        return false;
    ret->has_content = body.len > 0;
    return true;
}

/* ContentInfo { OID, [0] SignedData { version, digestAlgorithms, encapContentInfo, [0]?, [1]?, signerInfos } } */
static bool
read_fields(an_bytes der, size_t signer, struct fields *ret)
{
    an_bytes body, value, whole, infos;
    int tag;

    *ret = (struct fields){0};
    if (an_der_take(&der, AN_DER_SEQUENCE, &body, NULL) != AN_OK ||
        an_der_any(&body, &tag, &whole, &value, NULL) != AN_OK ||
        an_der_take(&body, AN_DER_CONTEXT_CONSTRUCTED(0), &value, NULL) != AN_OK ||
        an_der_take(&value, AN_DER_SEQUENCE, &body, NULL) != AN_OK)
        return false;
    if (an_der_any(&body, &tag, &whole, &value, NULL) != AN_OK ||
        an_der_any(&body, &tag, &whole, &value, NULL) != AN_OK ||
        an_der_take_whole(&body, AN_DER_SEQUENCE, &ret->encapsulated, NULL) != AN_OK || !read_encapsulated(ret))
        return false;
    if (an_der_peek(body) == AN_DER_CONTEXT_CONSTRUCTED(0) &&
        an_der_any(&body, &tag, &ret->certificates, &value, NULL) != AN_OK)
        return false;
    if (an_der_peek(body) == AN_DER_CONTEXT_CONSTRUCTED(1) &&
        an_der_any(&body, &tag, &ret->crls, &value, NULL) != AN_OK)
        return false;
    if (an_der_take(&body, AN_DER_SET, &infos, NULL) != AN_OK)
        return false;
    for (size_t i = 0; i <= signer; i++)
        if (an_der_any(&infos, &tag, &whole, &value, NULL) != AN_OK)
            return false;
    return read_signer_fields(whole, ret);
}

/* ---- values ---- */
static void
read_certificate_values(struct an_job *job, an_bytes values)
{
    an_bytes list, whole, value;
    int tag;

    if (an_der_take(&values, AN_DER_SEQUENCE, &list, NULL) != AN_OK)
        return;
    while (list.len && an_der_any(&list, &tag, &whole, &value, NULL) == AN_OK) {
        struct an_cert *cert = an_verifier_cert(job->verifier, whole);

        if (cert)
            an_material_add_cert(&job->material, job->verifier, cert);
        an_cert_unref(&cert);
    }
}

static void
add_basic_ocsp(struct an_job *job, an_bytes basic)
{
    struct an_buf der = an_buf_new(AN_LIMIT_OCSP_BYTES + 64);
    struct an_der_out out = AN_DER_OUT(&der);
    struct an_ocsp *ocsp;

    /* The attribute holds BasicOCSPResponse; our reader wants the OCSPResponse around it. */
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put(&out, AN_DER_ENUMERATED, AN_BYTES("\0", 1));
    an_der_open(&out, AN_DER_CONTEXT_CONSTRUCTED(0));
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_oid(&out, "1.3.6.1.5.5.7.48.1.1");
    an_der_put(&out, AN_DER_OCTET_STRING, basic);
    an_der_close(&out);
    an_der_close(&out);
    an_der_close(&out);
    ocsp = an_buf_ok(&der) ? an_verifier_ocsp(job->verifier, an_buf_view(&der)) : NULL;
    if (ocsp)
        an_material_add_ocsp(&job->material, job->verifier, ocsp);
    an_ocsp_unref(&ocsp);
    an_buf_free(&der);
}

/* RevocationValues ::= SEQUENCE { crlVals [0] SEQUENCE OF …, ocspVals [1] SEQUENCE OF …, … } */
static void
read_revocation_values(struct an_job *job, an_bytes values)
{
    an_bytes body, part, list, whole, value;
    int tag;

    if (an_der_take(&values, AN_DER_SEQUENCE, &body, NULL) != AN_OK)
        return;
    if (an_der_try(&body, AN_DER_CONTEXT_CONSTRUCTED(0), &part) &&
        an_der_take(&part, AN_DER_SEQUENCE, &list, NULL) == AN_OK)
        while (list.len && an_der_any(&list, &tag, &whole, &value, NULL) == AN_OK) {
            struct an_crl *crl = an_verifier_crl(job->verifier, whole);

            if (crl)
                an_material_add_crl(&job->material, job->verifier, crl);
            an_crl_unref(&crl);
        }
    if (an_der_try(&body, AN_DER_CONTEXT_CONSTRUCTED(1), &part) &&
        an_der_take(&part, AN_DER_SEQUENCE, &list, NULL) == AN_OK)
        while (list.len && an_der_any(&list, &tag, &whole, &value, NULL) == AN_OK)
            add_basic_ocsp(job, whole);
}

static void
read_tokens(struct an_case *sig, enum an_stamp_kind kind, an_bytes values)
{
    an_bytes whole, value;
    int tag;

    while (values.len && an_der_any(&values, &tag, &whole, &value, NULL) == AN_OK)
        an_stamp_read(sig->job, &sig->stamps, kind, whole);
}

/* CAdES-X: over the signature with references to certificates and lists (type 1), or over the references alone (type
 * 2). */
static void
read_extended(struct an_case *sig, const struct an_cms_attribute *attribute)
{
    size_t before = sig->stamps.count;

    if (!an_oid_eq(attribute->oid, id_esc_stamp) && !an_oid_eq(attribute->oid, id_refs_stamp))
        return;
    read_tokens(sig, AN_STAMP_ARCHIVE, attribute->values);
    for (; before < sig->stamps.count; before++) {
        sig->stamps.items[before].is_extended = true;
        sig->stamps.items[before].is_aside = an_oid_eq(attribute->oid, id_refs_stamp);
    }
}

void
an_archive_read(struct an_cms_input *input, size_t at, struct an_case *sig)
{
    const struct an_cms_signer *signer = &input->cms->signers[at];

    for (size_t i = 0; i < signer->unsigned_count; i++) {
        const struct an_cms_attribute *attribute = &signer->unsigned_attributes[i];

        read_extended(sig, attribute);
        if (an_oid_eq(attribute->oid, id_certificate_values)) {
            read_certificate_values(input->job, attribute->values);
        } else if (an_oid_eq(attribute->oid, id_revocation_values)) {
            read_revocation_values(input->job, attribute->values);
            input->has_archived_status = true;
        } else if (an_oid_eq(attribute->oid, id_archive_stamp_v3) || an_oid_eq(attribute->oid, id_archive_stamp_v2)) {
            size_t before = sig->stamps.count;

            read_tokens(sig, AN_STAMP_ARCHIVE, attribute->values);
            for (; before < sig->stamps.count; before++)
                sig->stamps.items[before].is_v3 = an_oid_eq(attribute->oid, id_archive_stamp_v3);
        }
    }
    for (size_t i = 0; i < signer->attribute_count; i++)
        if (an_oid_eq(signer->attributes[i].oid, id_content_stamp))
            read_tokens(sig, AN_STAMP_CONTENT, signer->attributes[i].values);
}

/* ---- what a v3 time-stamp covers ---- */
static an_bytes
find_index(const struct an_tst *tst)
{
    const struct an_cms_signer *signer = &tst->cms->signers[0];
    const struct an_cms_attribute *found =
        an_cms_attribute_find(signer->unsigned_attributes, signer->unsigned_count, id_hash_index_v3);

    if (!found)
        found = an_cms_attribute_find(signer->unsigned_attributes, signer->unsigned_count, id_hash_index);
    return found ? found->values : AN_NONE;
}

static bool
digest_v3(const struct an_cms_input *input, const struct fields *fields, const struct an_tst *tst,
          uint8_t ret[static AN_DIGEST_MAX])
{
    uint8_t content[AN_DIGEST_MAX];
    an_bytes content_digest, index = find_index(tst);
    struct an_hash *hash;

    /* A token without the index is no v3 time-stamp: computed without, it cannot match. */
    if (an_cms_content_digest(input, tst->digest, content, &content_digest, NULL) != AN_OK || !content_digest.len)
        return false;
    hash = an_hash_new(tst->digest);
    an_hash_update(hash, fields->content_type);
    an_hash_update(hash, content_digest);
    an_hash_update(hash, fields->version);
    an_hash_update(hash, fields->sid);
    an_hash_update(hash, fields->digest_algorithm);
    an_hash_update(hash, fields->signed_attrs);
    an_hash_update(hash, fields->signature_algorithm);
    an_hash_update(hash, fields->signature);
    an_hash_update(hash, index);
    an_hash_final(hash, ret);
    an_hash_free(&hash);
    return true;
}

/* ---- what a v2 time-stamp covers: the fields as they stand, unsigned attributes up to itself ---- */
static bool
digest_v2(const struct an_cms_input *input, const struct fields *fields, const struct an_stamp *stamp,
          uint8_t ret[static AN_DIGEST_MAX])
{
    struct an_hash *hash;
    an_bytes attributes = fields->unsigned_attrs, whole, value;
    int tag;

    if (!fields->has_content && !input->content.ptr && !input->job->options->content.ptr)
        return false;
    hash = an_hash_new(stamp->tst->digest);
    an_hash_update(hash, fields->encapsulated);
    if (!fields->has_content)
        an_hash_update(hash, input->content.ptr ? input->content : input->job->options->content);
    an_hash_update(hash, fields->certificates);
    an_hash_update(hash, fields->crls);
    an_hash_update(hash, fields->version);
    an_hash_update(hash, fields->sid);
    an_hash_update(hash, fields->digest_algorithm);
    an_hash_update(hash, fields->signed_attrs);
    an_hash_update(hash, fields->signature_algorithm);
    an_hash_update(hash, fields->signature);
    while (attributes.len && an_der_any(&attributes, &tag, &whole, &value, NULL) == AN_OK) {
        an_bytes oid;

        if (an_der_take(&value, AN_DER_OID, &oid, NULL) == AN_OK && an_oid_eq(oid, id_archive_stamp_v2) &&
            an_bytes_find(whole, stamp->tst->cms->der, 0) != SIZE_MAX)
            break;
        an_hash_update(hash, whole);
    }
    an_hash_final(hash, ret);
    an_hash_free(&hash);
    return true;
}

/* ---- what a CAdES-X time-stamp covers (TS 101 733, 6.3.5, 6.3.6): type and values of attributes, without their
 * SEQUENCE ---- */
static void
hash_attributes(struct an_hash *hash, an_bytes attributes, const char *wanted)
{
    an_bytes whole, value, rest, oid;
    int tag;

    while (attributes.len && an_der_any(&attributes, &tag, &whole, &value, NULL) == AN_OK) {
        rest = value;
        if (an_der_take(&rest, AN_DER_OID, &oid, NULL) == AN_OK && an_oid_eq(oid, wanted))
            an_hash_update(hash, value);
    }
}

static void
digest_extended(const struct fields *fields, const struct an_case *sig, const struct an_stamp *stamp,
                uint8_t ret[static AN_DIGEST_MAX])
{
    struct an_hash *hash = an_hash_new(stamp->tst->digest);

    if (!stamp->is_aside) {
        an_hash_update(hash, sig->signature);
        hash_attributes(hash, fields->unsigned_attrs, id_signature_stamp);
    }
    hash_attributes(hash, fields->unsigned_attrs, id_certificate_refs);
    hash_attributes(hash, fields->unsigned_attrs, id_revocation_refs);
    an_hash_final(hash, ret);
    an_hash_free(&hash);
}

static bool
digest_archive(const struct an_cms_input *input, const struct fields *fields, const struct an_case *sig,
               const struct an_stamp *stamp,
               uint8_t ret[static AN_DIGEST_MAX])
{
    if (stamp->is_extended) {
        digest_extended(fields, sig, stamp, ret);
        return true;
    }
    return stamp->is_v3 ? digest_v3(input, fields, stamp->tst, ret) : digest_v2(input, fields, stamp, ret);
}

/* ---- judging, newest first ---- */
static void
prove(const struct an_cms_input *input, struct an_case *sig, const struct an_stamp *by)
{
    struct an_poes *poes = &input->job->poes;
    an_time time = by->tst->gen_time;
    uint8_t id[32];

    an_poe_id(sig->signature, id);
    an_poe_add(poes, id, time);
    if (!by->is_extended) /* references are not the certificates and lists themselves */
        an_poe_add_material(poes, &(struct an_material){input->cms->certs, input->cms->crls, input->cms->ocsps}, time);
    for (size_t i = 0; i < sig->stamps.count; i++) {
        const struct an_stamp *stamp = &sig->stamps.items[i];

        if (stamp != by && stamp->tst && stamp->tst->gen_time <= time &&
            (!by->is_extended || stamp->kind == AN_STAMP_SIGNATURE))
            an_poe_add(poes, stamp->id, time);
    }
}

static void
judge_archive(const struct an_cms_input *input, const struct fields *fields, struct an_case *sig,
              struct an_stamp *stamp)
{
    uint8_t digest[AN_DIGEST_MAX];
    an_bytes over = AN_NONE;

    if (digest_archive(input, fields, sig, stamp, digest))
        over = AN_BYTES(digest, an_digest_size(stamp->tst->digest));
    /* v2 covers the encoding as it once was, which BER and later additions to the lists blur: no match there is "not
     * known", and proves nothing. */
    if (!stamp->is_v3 && !an_bytes_eq(over, stamp->tst->imprint))
        over = AN_NONE;
    an_stamp_judge(input->job, stamp, over);
    if (stamp->status == AN_FINDING_PASSED && stamp->tst->gen_time <= input->job->now && !stamp->is_aside)
        prove(input, sig, stamp);
}

static struct an_stamp *
newest_unjudged(struct an_case *sig)
{
    struct an_stamp *newest = NULL;

    for (size_t i = 0; i < sig->stamps.count; i++) {
        struct an_stamp *stamp = &sig->stamps.items[i];

        if (stamp->kind == AN_STAMP_ARCHIVE && !stamp->judged && stamp->tst &&
            (!newest || stamp->tst->gen_time > newest->tst->gen_time))
            newest = stamp;
    }
    return newest;
}

void
an_archive_judge(struct an_cms_input *input, size_t at, struct an_case *sig)
{
    uint8_t digest[AN_DIGEST_MAX];
    struct fields fields;
    struct an_stamp *stamp;

    if (!read_fields(input->cms->der, at, &fields))
        return;
    while ((stamp = newest_unjudged(sig)))
        judge_archive(input, &fields, sig, stamp);
    for (size_t i = 0; i < sig->stamps.count; i++) {
        an_bytes over = AN_NONE;

        stamp = &sig->stamps.items[i];
        if (stamp->kind != AN_STAMP_CONTENT || !stamp->tst)
            continue;
        if (an_cms_content_digest(input, stamp->tst->digest, digest, &over, NULL) == AN_OK)
            an_stamp_judge(input->job, stamp, over);
    }
}
