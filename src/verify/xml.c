/*
 * XML signatures and XAdES (EN 319 132-1). antin-xml has parsed, canonicalised and digested; here the signature value
 * is checked with the key, the certificate identified, and everything given to the same rules as any other format.
 */
#include "verify/xml_reader.h"

#define KEY_TRIES_MAX 64 /* certificates tried when the signature does not say which one */

bool
an_xml_detect(an_bytes head)
{
    size_t at = an_bytes_starts_with(head, AN_LIT("\xEF\xBB\xBF")) ? 3 : 0;

    if (an_bytes_starts_with(head, AN_LIT("\xFF\xFE<\0")) || an_bytes_starts_with(head, AN_LIT("\xFE\xFF\0<")))
        return true;
    while (at < head.len && strchr(" \t\r\n", head.ptr[at]) && head.ptr[at])
        at++;
    if (at + 1 >= head.len || head.ptr[at] != '<')
        return false;
    return head.ptr[at + 1] == '?' || head.ptr[at + 1] == '!' || head.ptr[at + 1] == '_' || head.ptr[at + 1] >= 0x80 ||
           ((head.ptr[at + 1] | 32) >= 'a' && (head.ptr[at + 1] | 32) <= 'z');
}

/* ---- what the references say ---- */
static void
judge_reference(struct an_case *sig, const struct an_xml_reference *reference)
{
    const char *name = reference->uri[0] ? reference->uri : reference->covers;
    bool is_lost;

    switch (reference->state) {
    case AN_XML_MATCHES:
        return;
    case AN_XML_DIFFERS:
        an_step_set(&sig->integrity, AN_FINDING_FAILED, AN_V_INTEGRITY_BAD, "%.180s", name);
        return;
    case AN_XML_AMBIGUOUS:
        an_step_set(&sig->structure, AN_FINDING_FAILED, AN_V_XML_WRAPPED, "%.180s", name);
        return;
    case AN_XML_MALFORMED:
        an_step_set(&sig->structure, AN_FINDING_FAILED, AN_V_FORMAT_BAD, "%.100s %.80s", reference->detail, name);
        return;
    default:
        break;
    }
    if (reference->in_manifest) {
        an_finding_add(sig->report, "xml.manifest", AN_FINDING_NOTE, AN_N_XML_MANIFEST_MISSING, "%.180s", name);
        return;
    }
    is_lost = sig->job->in_container && reference->state == AN_XML_MISSING && !strchr(reference->uri, ':');
    sig->is_lost = sig->is_lost || is_lost;
    an_step_set(&sig->data, AN_FINDING_INDETERMINATE,
                reference->state == AN_XML_REFUSED ? AN_V_XML_TRANSFORM : is_lost ? AN_V_ASIC_LOST : AN_V_DATA_MISSING,
                "%.60s %.120s", reference->detail, name);
    if (sig->integrity.status == AN_FINDING_PASSED)
        an_step_set(&sig->integrity, AN_FINDING_INDETERMINATE, AN_V_INTEGRITY_UNKNOWN, "%.180s", name);
}

/* Is there any data that the signature speaks of, beside its own properties and keys? */
static bool
names_data(const struct an_xml_signature *signature)
{
    for (size_t i = 0; i < signature->reference_count; i++)
        if (!signature->references[i].in_manifest && strcmp(signature->references[i].covers, "signed-properties") != 0 &&
            strcmp(signature->references[i].covers, "key-info") != 0)
            return true;
    return false;
}

static void
judge_references(struct an_xml_case *row)
{
    const struct an_xml_signature *signature = row->signature;
    struct an_case *sig = &row->sig;

    an_step_set(&sig->integrity, AN_FINDING_PASSED, AN_V_INTEGRITY_OK, "%zu", signature->reference_count);
    for (size_t i = 0; i < signature->reference_count; i++)
        judge_reference(sig, &signature->references[i]);
    if (!names_data(signature)) {
        an_step_set(&sig->data, AN_FINDING_INDETERMINATE, AN_V_XML_NOTHING, "%s", "");
        if (!signature->reference_count)
            an_step_set(&sig->integrity, AN_FINDING_INDETERMINATE, AN_V_INTEGRITY_UNKNOWN, "%s", "");
    }
    for (size_t i = 0; i < signature->reference_count; i++)
        if (signature->references[i].filtered)
            an_finding_add(sig->report, "xml.filter", AN_FINDING_NOTE, AN_N_XML_FILTERED, "%.180s",
                           signature->references[i].uri);
}

/* EN 319 132-1, 4.4.2: the reference to the properties says so by its Type. */
static bool
has_typed_properties(const struct an_xml_signature *signature)
{
    for (size_t i = 0; i < signature->reference_count; i++) {
        const char *type = strrchr(signature->references[i].type, '#');

        if (type && strcmp(type, "#SignedProperties") == 0 &&
            strcmp(signature->references[i].covers, "signed-properties") == 0)
            return true;
    }
    return false;
}

/* Properties that were moved out of their signature are not its signed data, which are then not to be found (EN 319
 * 102-1, 5.2.7.4); somebody moved them, and the file is damaged. */
static void
judge_problem(struct an_case *sig, const struct an_xml_signature *signature)
{
    if (signature->is_moved) {
        sig->is_lost = true;
        an_step_set(&sig->data, AN_FINDING_INDETERMINATE, AN_V_XML_WRAPPED, "%.180s", signature->problem);
    } else if (signature->problem[0]) {
        an_step_set(&sig->structure, AN_FINDING_FAILED,
                    strstr(signature->problem, "SignedProperties") ? AN_V_XML_WRAPPED : AN_V_FORMAT_BAD, "%.180s",
                    signature->problem);
    }
}

/* A signature that does not cover what people read is right only in a narrow sense. */
static void
judge_coverage(struct an_xml_case *row)
{
    const struct an_xml_signature *signature = row->signature;
    struct an_case *sig = &row->sig;

    sig->report->coverage = strcmp(signature->coverage, "whole-file") == 0 ? "whole-file"
                            : strcmp(signature->coverage, "part") == 0     ? "part"
                                                                           : "none";
    judge_problem(sig, signature);
    sig->report->is_counter = signature->is_counter;
    if (signature->has_signed_properties && !has_typed_properties(signature)) {
        sig->lack = AN_N_XML_UNTYPED;
        an_finding_add(sig->report, "xml.untyped", AN_FINDING_NOTE, AN_N_XML_UNTYPED, "%s", "");
    }
    if (signature->has_xades && !signature->has_signed_properties)
        an_step_set(&sig->constraints, AN_FINDING_INDETERMINATE, AN_V_XML_NO_PROPERTIES, "%s", "");
    else if (signature->is_counter)
        an_finding_add(sig->report, "xml.counter", AN_FINDING_NOTE, AN_N_XML_COUNTER, "%.100s", signature->parent);
    else if (strcmp(signature->coverage, "part") == 0)
        an_step_set(&sig->constraints, AN_FINDING_INDETERMINATE, AN_V_XML_PART, "%.100s", row->document->root);
    else if (strcmp(signature->coverage, "none") == 0)
        an_step_set(&sig->constraints, AN_FINDING_INDETERMINATE, AN_V_XML_NOTHING, "%s", "");
}

/* ---- certificates and status ---- */
static void
take_certs(struct an_xml_case *row, const struct an_xml_blobs *blobs, bool is_key_info)
{
    struct an_job *job = row->sig.job;

    for (size_t i = 0; i < blobs->count; i++) {
        struct an_cert *cert = an_verifier_cert(job->verifier, blobs->items[i]);

        if (!cert)
            continue;
        an_material_add_cert(&job->material, job->verifier, cert);
        an_material_add_cert(&row->own, job->verifier, cert);
        if (is_key_info && row->key_cert_count < AN_COUNT(row->key_certs))
            row->key_certs[row->key_cert_count++] = an_certs_find_hash(&row->own.certs, cert->sha256);
        an_cert_unref(&cert);
    }
}

static void
take_crls(struct an_xml_case *row, const struct an_xml_blobs *blobs)
{
    struct an_job *job = row->sig.job;

    for (size_t i = 0; i < blobs->count; i++) {
        struct an_crl *crl = an_verifier_crl(job->verifier, blobs->items[i]);

        if (!crl)
            continue;
        an_material_add_crl(&job->material, job->verifier, crl);
        an_material_add_crl(&row->own, job->verifier, crl);
        an_crl_unref(&crl);
    }
}

static void
take_material(struct an_xml_case *row)
{
    const struct an_xml_signature *signature = row->signature;
    struct an_job *job = row->sig.job;

    take_certs(row, &signature->certs, true);
    take_certs(row, &signature->cert_values, false);
    take_crls(row, &signature->crls);
    take_crls(row, &signature->crl_values);
    for (size_t i = 0; i < signature->ocsp_values.count; i++) {
        struct an_ocsp *ocsp = an_verifier_ocsp(job->verifier, signature->ocsp_values.items[i]);

        if (!ocsp)
            continue;
        an_material_add_ocsp(&job->material, job->verifier, ocsp);
        an_material_add_ocsp(&row->own, job->verifier, ocsp);
        an_ocsp_unref(&ocsp);
    }
}

/* ---- the value and the signer ---- */
static bool
fits(const struct an_xml_case *row, struct an_cert *cert)
{
    struct an_pubkey *key = cert ? an_cert_key(cert) : NULL;

    return key && an_pubkey_verify_message(key, &row->sig.scheme, row->signature->signed_info, row->signature->value);
}

static bool
is_named(const struct an_xml_signature *signature, const struct an_cert *cert)
{
    uint8_t digest[AN_DIGEST_MAX];

    if (!signature->cert_digest_count || signature->cert_digests[0].digest <= AN_DIGEST_NONE ||
        signature->cert_digests[0].digest > AN_RIPEMD160)
        return false;
    an_hash_once((enum an_digest)signature->cert_digests[0].digest, cert->der, digest);
    return an_bytes_eq(AN_BYTES(digest, an_digest_size((enum an_digest)signature->cert_digests[0].digest)),
                       signature->cert_digests[0].value);
}

static struct an_cert *
find_named(const struct an_xml_case *row, const struct an_certs *known)
{
    for (size_t i = 0; known && i < known->count; i++)
        if (is_named(row->signature, known->items[i]))
            return known->items[i];
    return NULL;
}

/* By the signed digest, what the caller trusts included; then, in what KeyInfo gives, the one whose key fits; then any
 * that is known. */
static struct an_cert *
find_signer(const struct an_xml_case *row)
{
    const struct an_certs *known = &row->sig.job->material.certs;
    struct an_cert *named = find_named(row, known);
    size_t tries = 0;

    if (!named)
        named = find_named(row, row->sig.job->options->anchors);
    if (named)
        return named;
    for (size_t i = 0; i < row->key_cert_count; i++)
        if (fits(row, row->key_certs[i]))
            return row->key_certs[i];
    if (row->key_cert_count)
        return row->key_certs[0];
    if (row->signature->spki.len)
        return NULL;
    for (size_t i = 0; i < known->count && tries < KEY_TRIES_MAX; i++, tries++)
        if (fits(row, known->items[i]))
            return known->items[i];
    return NULL;
}

static void
set_value(struct an_case *sig, bool right, const char *detail)
{
    an_step_set(&sig->value, right ? AN_FINDING_PASSED : AN_FINDING_FAILED, right ? AN_V_VALUE_OK : AN_V_VALUE_BAD,
                "%s",
                detail);
}

/* A bare key proves that its holder signed, not who that is. */
static void
check_bare_key(struct an_xml_case *row)
{
    const struct an_verify_options *options = row->sig.job->options;
    an_bytes spki = row->signature->spki.len ? row->signature->spki : options->public_key;
    struct an_pubkey *key = NULL;

    if (!spki.len || an_pubkey_parse(spki, &key, NULL) != AN_OK)
        return;
    set_value(&row->sig, an_pubkey_verify_message(key, &row->sig.scheme, row->signature->signed_info,
                                                  row->signature->value),
              "KeyValue");
    an_pubkey_unref(&key);
}

static void
check_secret(struct an_xml_case *row)
{
    const struct an_verify_options *options = row->sig.job->options;
    const struct an_xml_signature *signature = row->signature;

    if (!options->hmac_key.len)
        an_step_set(&row->sig.value, AN_FINDING_INDETERMINATE, AN_V_XML_SECRET, "%.180s", signature->method);
    else
        set_value(&row->sig, an_hmac_verify((enum an_digest)signature->hmac_digest, options->hmac_key,
                                            signature->signed_info, signature->hmac_bits, signature->value), "HMAC");
}

static void
check_value(struct an_xml_case *row)
{
    const struct an_xml_signature *signature = row->signature;
    struct an_case *sig = &row->sig;
    struct an_cert *cert;

    if (signature->hmac_digest > AN_DIGEST_NONE) {
        check_secret(row);
        return;
    }
    if (signature->scheme_kind == AN_SIG_UNKNOWN) {
        an_step_set(&sig->value, AN_FINDING_INDETERMINATE, AN_V_XML_METHOD, "%.180s", signature->method);
        an_case_identify(sig, find_signer(row));
        return;
    }
    cert = find_signer(row);
    an_case_identify(sig, cert);
    if (!cert) {
        check_bare_key(row);
        return;
    }
    set_value(sig, fits(row, sig->cert), "");
    if (signature->has_signing_certificate && !is_named(signature, sig->cert))
        an_step_set(&sig->identified, AN_FINDING_INDETERMINATE, AN_V_SIGNER_OTHER, "%s", "SigningCertificate");
}

/* ---- one signature ---- */
static void
read_case(struct an_job *job, struct an_xml_case *row, size_t at)
{
    const struct an_xml_signature *signature = row->signature;
    struct an_case *sig = &row->sig;

    an_case_begin(sig, job, signature->has_xades ? "XAdES" : "XML");
    sig->report->field = signature->id[0] ? an_strdup(signature->id) : an_asprintf("#%zu", at + 1);
    sig->scheme = (struct an_scheme){(enum an_sig_kind)signature->scheme_kind, (enum an_digest)signature->scheme_digest,
                                     (enum an_digest)signature->scheme_mgf, signature->scheme_salt};
    sig->digest = sig->scheme.digest;
    sig->signature = signature->value;
    sig->has_ess = signature->has_signing_certificate;
    sig->report->claimed_time = signature->signing_time;
    take_material(row);
    judge_references(row);
    judge_coverage(row);
    an_xml_read_stamps(row);
}

static const char *
level_of(const struct an_xml_case *row)
{
    bool has_t = false, has_a = false;

    if (!row->signature->has_signed_properties || !row->signature->has_signing_certificate ||
        !row->signature->is_baseline || !names_data(row->signature))
        return "";
    for (size_t i = 0; i < row->sig.stamps.count; i++) {
        has_t = has_t || (row->sig.stamps.items[i].kind == AN_STAMP_SIGNATURE && row->sig.stamps.items[i].tst);
        has_a = has_a || (row->sig.stamps.items[i].tst && (i >= row->signature->stamp_count ||
                                                           row->signature->stamps[i].kind == AN_XML_STAMP_ARCHIVE));
    }
    if (!has_t)
        return "B-B";
    if (!row->signature->has_revocation_values)
        return "B-T";
    return has_a ? "B-LTA" : "B-LT";
}

static void
case_done(struct an_xml_case *row)
{
    an_case_done(&row->sig);
    an_material_done(&row->own);
}

static void
verify_signatures(struct an_job *job, const struct an_xml_document *document)
{
    struct an_xml_case *rows = an_new_array(document->signature_count, sizeof(*rows));

    an_report_reserve(job, document->signature_count);
    for (size_t i = 0; i < document->signature_count; i++) {
        rows[i].document = document;
        rows[i].signature = &document->signatures[i];
        read_case(job, &rows[i], i);
    }
    for (size_t i = 0; i < document->signature_count; i++)
        an_poe_take_file(job, &rows[i].own);
    an_verify_anchors(job->policy, job->options, &job->material.certs, &job->anchors);
    for (size_t i = 0; i < document->signature_count; i++) {
        check_value(&rows[i]);
        an_xml_judge_seals(&rows[i]);
        an_xml_judge_stamps(&rows[i]);
        an_case_conclude(&rows[i].sig);
        rows[i].sig.report->level = level_of(&rows[i]);
    }
    for (size_t i = 0; i < document->signature_count; i++)
        case_done(&rows[i]);
    free(rows);
    an_effect_conclude(job, false);
}

an_code
an_xml_verify_object(struct an_job *job, an_bytes xml, const struct an_xml_part *parts, size_t part_count,
                     struct an_err *reterr)
{
    struct an_xml_document *document = NULL;
    an_code code = AN_OK;

    AN_TRY(an_xml_read(job->verifier->xml, xml, parts, part_count, &document, reterr));
    if (document->has_dtd)
        an_report_note(job, AN_N_XML_DTD);
    if (document->signature_count)
        verify_signatures(job, document);
    else if (strcmp(document->root, "EvidenceRecord") == 0)
        code = an_record_verify(job, reterr);
    else
        code = an_err_set(reterr, AN_E_VERIFY_UNSIGNED, "XML without ds:Signature");
    an_xml_document_free(&document);
    return code;
}

an_code
an_xml_verify(struct an_job *job, struct an_err *reterr)
{
    const struct an_verify_options *options = job->options;
    struct an_xml_part *parts = an_new_array(options->named_count + 1, sizeof(*parts));
    size_t count = 0;
    an_code code;

    for (size_t i = 0; i < options->named_count; i++)
        parts[count++] = (struct an_xml_part){options->named[i].name, options->named[i].bytes};
    if (!count && options->content.ptr)
        parts[count++] = (struct an_xml_part){"", options->content};
    code = an_xml_verify_object(job, job->file->bytes, parts, count, reterr);
    free(parts);
    return code;
}
