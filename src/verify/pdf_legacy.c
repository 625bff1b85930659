/*
 * Kinds of PDF signatures that ISO 32000-2 deprecates and that old documents carry: adbe.pkcs7.sha1 (the CMS object
 * signs the SHA-1 of the ranges as its content) and adbe.x509.rsa_sha1 (a bare RSA value in an OCTET STRING,
 * certificates in /Cert). Read, reported as a note; whether SHA-1 is still enough is for the policy.
 */
#include "verify/pdf_reader.h"

/* Another SignerInfo of the same object; its content was compared with the ranges already. */
void
an_pdf_legacy_check_other(struct an_pdf_row *row, const struct an_cms_signer *signer)
{
    uint8_t digest[AN_DIGEST_MAX];
    an_bytes content = AN_NONE;

    if (signer->digest != AN_DIGEST_NONE) {
        an_hash_once(signer->digest, row->cms->content, digest);
        content = AN_BYTES(digest, an_digest_size(signer->digest));
    }
    an_case_check_other(&row->sig, row->cms, signer, content);
}

void
an_pdf_legacy_check_sha1(struct an_pdf_reader *reader, struct an_pdf_row *row)
{
    const struct an_cms_signer *signer = &row->cms->signers[0];
    uint8_t range[AN_DIGEST_MAX], content[AN_DIGEST_MAX];
    struct an_case *sig = &row->sig;

    if (signer->digest == AN_DIGEST_NONE || !an_pdf_range_digest(reader, row, AN_SHA1, range)) {
        an_case_check_cms(sig, row->cms, signer, row->cms->content_type, AN_NONE);
        return;
    }
    an_hash_once(signer->digest, row->cms->content, content);
    an_case_check_cms(sig, row->cms, signer, row->cms->content_type,
                      AN_BYTES(content, an_digest_size(signer->digest)));
    if (!an_bytes_eq(row->cms->content, AN_BYTES(range, an_digest_size(AN_SHA1))))
        an_step_set(&sig->integrity, AN_FINDING_FAILED, AN_V_INTEGRITY_BAD, "%s", "SHA-1 of the ranges");
}

/* /Cert: a byte string, or an array of them with the signer's certificate first. */
static void
read_certs(struct an_pdf_reader *reader, struct an_pdf_row *row)
{
    const struct an_pdf_obj *certs = an_pdf_at(reader->pdf, AN_PDF_NOW, row->field->value, "Cert");
    size_t count = certs->kind == AN_PDF_ARRAY ? certs->u.array.count : 1;

    for (size_t i = 0; i < count && i < AN_LIMIT_CMS_CERTS; i++) {
        const struct an_pdf_obj *item = certs->kind == AN_PDF_ARRAY
                                            ? an_pdf_resolve(reader->pdf, AN_PDF_NOW, &certs->u.array.items[i])
                                            : certs;
        struct an_cert *cert = NULL;

        if (item->kind == AN_PDF_STRING)
            cert = an_verifier_cert(reader->job->verifier, item->u.text);
        if (cert) {
            an_material_add_cert(&reader->job->material, reader->job->verifier, cert);
            if (i == 0)
                an_case_identify(&row->sig, cert);
        }
        an_cert_unref(&cert);
    }
}

void
an_pdf_legacy_read(struct an_pdf_reader *reader, struct an_pdf_row *row)
{
    an_bytes contents = row->field->contents;
    struct an_case *sig = &row->sig;

    sig->scheme = (struct an_scheme){.kind = AN_SIG_RSA_PKCS1, .digest = AN_SHA1, .mgf_digest = AN_DIGEST_NONE};
    sig->digest = AN_SHA1;
    if (an_der_take(&contents, AN_DER_OCTET_STRING, &sig->signature, NULL) != AN_OK || !sig->signature.len) {
        an_step_set(&sig->structure, AN_FINDING_FAILED, AN_V_FORMAT_BAD, "%s", "/Contents is not an OCTET STRING");
        return;
    }
    read_certs(reader, row);
}

void
an_pdf_legacy_check_rsa(struct an_pdf_reader *reader, struct an_pdf_row *row)
{
    static const enum an_digest digests[] = {AN_SHA1, AN_SHA256, AN_SHA384, AN_SHA512}; /* PDF 1.6 let it be larger */
    struct an_case *sig = &row->sig;
    struct an_pubkey *key = sig->cert ? an_cert_key(sig->cert) : NULL;
    uint8_t digest[AN_DIGEST_MAX];

    if (!key)
        return;
    for (size_t i = 0; i < AN_COUNT(digests); i++) {
        sig->scheme.digest = sig->digest = digests[i];
        if (!an_pdf_range_digest(reader, row, digests[i], digest))
            return;
        if (!an_pubkey_verify_digest(key, &sig->scheme, AN_BYTES(digest, an_digest_size(digests[i])), sig->signature))
            continue;
        an_step_set(&sig->integrity, AN_FINDING_PASSED, AN_V_INTEGRITY_OK, "%s", an_digest_name(digests[i]));
        an_step_set(&sig->value, AN_FINDING_PASSED, AN_V_VALUE_OK, "%s", "");
        return;
    }
    sig->scheme.digest = sig->digest = AN_SHA1;
    an_step_set(&sig->value, AN_FINDING_FAILED, AN_V_VALUE_BAD, "%s", "RSA");
}
