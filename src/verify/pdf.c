/*
 * Signatures in PDF: PAdES (EN 319 142-1), the older adbe.* kinds, document time-stamps. The file is opened once; every
 * signature is read first, then document time-stamps are judged from the newest back (each may prove what lies under
 * it), then the signatures in the order in which they were made.
 */
#include <stdio.h>

#include "verify/pdf_reader.h"


bool
an_pdf_detect(an_bytes head)
{
    return an_bytes_find(an_bytes_slice(head, 0, 1024 + 5), AN_LIT("%PDF-"), 0) != SIZE_MAX;
}

static const struct {
    const char *sub_filter, *format;
    enum an_pdf_signature_kind kind;
    an_code note;
} kinds[] = {
    {"ETSI.CAdES.detached", "PAdES", AN_PDF_SIGNATURE_DETACHED, AN_OK},
    {"adbe.pkcs7.detached", "PKCS7", AN_PDF_SIGNATURE_DETACHED, AN_N_VERIFY_PKCS7_DETACHED},
    {"adbe.pkcs7.sha1", "PKCS7", AN_PDF_SIGNATURE_SHA1, AN_N_VERIFY_PKCS7_SHA1},
    {"adbe.x509.rsa_sha1", "X509", AN_PDF_SIGNATURE_RSA, AN_N_VERIFY_RSA_SHA1},
    {"ETSI.RFC3161", "TST", AN_PDF_SIGNATURE_STAMP, AN_OK},
};

/* ---- reading one signature ---- */
static void
find_kind(struct an_pdf_row *row)
{
    row->kind = AN_PDF_SIGNATURE_DETACHED;
    row->format = "";
    row->note = AN_OK;
    for (size_t i = 0; i < AN_COUNT(kinds); i++) {
        if (strcmp(kinds[i].sub_filter, row->field->sub_filter) != 0)
            continue;
        row->kind = kinds[i].kind;
        row->format = kinds[i].format;
        row->note = kinds[i].note;
    }
    if (row->field->is_doc_timestamp) {
        row->kind = AN_PDF_SIGNATURE_STAMP;
        row->format = "TST";
    }
}

static bool
has_signing_time(const struct an_cms_signer *signer)
{
    return an_cms_attribute_find(signer->attributes, signer->attribute_count, "1.2.840.113549.1.9.5") != NULL;
}

static void
read_cms(struct an_pdf_reader *reader, struct an_pdf_row *row)
{
    struct an_case *sig = &row->sig;
    struct an_err err = {0};
    an_code code = an_cms_parse(row->field->contents, &row->cms, &err);
    an_bytes contents = row->field->contents;

    /* What stands behind the object in /Contents is outside every signed range and can mean nothing: said, not
     * refused. */
    if (code == AN_E_CMS_TRAILING) {
        an_bytes object = an_bytes_slice(contents, 0, an_ber_size(contents));

        code = an_cms_parse(object, &row->cms, &err);
        an_finding_add(sig->report, "quirk.trailing", AN_FINDING_NOTE, AN_N_VERIFY_TRAILING, "%zu",
                       contents.len - object.len);
    }
    if (code == AN_OK && row->cms->signer_count == 0) {
        code = AN_E_CMS_SIGNER;
        snprintf(err.detail, sizeof(err.detail), "no SignerInfo");
    }
    if (code != AN_OK) {
        an_step_set(&sig->structure, AN_FINDING_FAILED, AN_V_FORMAT_BAD, "%.60s: %.120s", an_message_find(code)->en,
                    err.detail);
        return;
    }
    an_material_add_cms(&reader->job->material, reader->job->verifier, row->cms);
    an_case_take_signer(sig, &row->cms->signers[0]);
    if (strcmp(row->format, "PAdES") == 0 && row->cms->signers[0].signed_attrs.len == 0) /* EN 319 142-1 6.2.1 */
        an_step_set(&sig->structure, AN_FINDING_FAILED, AN_V_FORMAT_ATTRIBUTE, "%s", "PAdES without signedAttrs");
    an_case_read_stamps(sig, &row->cms->signers[0]);
    if (row->cms->signer_count > 1)
        an_finding_add(sig->report, "quirk.several-signers", AN_FINDING_NOTE, AN_N_VERIFY_SEVERAL_SIGNERS, "%zu",
                       row->cms->signer_count);
    if (strcmp(row->format, "PAdES") == 0 && has_signing_time(&row->cms->signers[0]))
        an_finding_add(sig->report, "quirk.signing-time-attribute", AN_FINDING_NOTE, AN_N_VERIFY_SIGNING_TIME, "%s",
                       "");
}

static void
read_row(struct an_pdf_reader *reader, struct an_pdf_row *row)
{
    const struct an_pdf_sigfield *field = row->field;
    struct an_case *sig = &row->sig;

    find_kind(row);
    an_case_begin(sig, reader->job, row->format);
    sig->report->field = an_strdup(field->name ? field->name : "");
    sig->report->claimed_time = field->m_time;
    sig->report->page_object = field->rect.x1 > field->rect.x0 ? field->page_num : 0;
    sig->report->is_time_stamp = row->kind == AN_PDF_SIGNATURE_STAMP;
    if (row->note != AN_OK)
        an_finding_add(sig->report, "quirk.sub-filter", AN_FINDING_NOTE, row->note, "%s", field->sub_filter);
    if (!field->contents.len) {
        an_step_set(&sig->structure, AN_FINDING_FAILED, AN_V_FORMAT_EMPTY, "%s", "/Contents");
        return;
    }
    switch (row->kind) {
    case AN_PDF_SIGNATURE_STAMP:
        an_stamp_read(reader->job, &sig->stamps, AN_STAMP_DOCUMENT, field->contents);
        if (!sig->stamps.items[0].tst)
            an_step_set(&sig->structure, AN_FINDING_FAILED, AN_V_FORMAT_BAD, "%s", sig->stamps.items[0].detail);
        return;
    case AN_PDF_SIGNATURE_RSA:
        an_pdf_legacy_read(reader, row);
        return;
    default:
        read_cms(reader, row);
    }
}

/* ---- byte range ---- */
static void
check_coverage(struct an_pdf_reader *reader, struct an_pdf_row *row)
{
    struct an_err err = {0};
    an_code code = an_pdf_check_coverage(reader->pdf, &reader->fields, row->index, &row->covers_file, &err);

    row->covered = code == AN_OK;
    if (code == AN_OK) {
        an_step_set(&row->sig.coverage, AN_FINDING_PASSED, AN_V_COVERAGE_OK, "%s", "");
        row->sig.report->coverage = row->covers_file ? "whole-file" : "revision";
    } else {
        an_step_set(&row->sig.coverage, AN_FINDING_FAILED, AN_V_COVERAGE_BAD, "%.80s: %.100s",
                    an_message_find(code)->en, err.detail);
        row->coverage_why = code;
        row->sig.is_replaced = code == AN_V_PDF_RANGE_GAP && (row->field->contents_offset < row->field->byte_range[1] ||
                                                              row->field->contents_offset >= row->field->byte_range[2]);
    }
}

/* ---- changes after signing ---- */
static const char *const class_names[] = {
    [AN_PDF_CHANGE_SIGNATURE] = "signature",   [AN_PDF_CHANGE_DSS] = "dss",
    [AN_PDF_CHANGE_TIMESTAMP] = "timestamp",   [AN_PDF_CHANGE_FORM] = "form",
    [AN_PDF_CHANGE_ANNOTATION] = "annotation", [AN_PDF_CHANGE_METADATA] = "metadata",
    [AN_PDF_CHANGE_UNREACHABLE] = "unreachable", [AN_PDF_CHANGE_FORBIDDEN] = "forbidden",
};

/* Later signatures and their evidence are the document's life, not a change of what it says. */
static bool
is_substantial(enum an_pdf_change_class class_)
{
    return class_ == AN_PDF_CHANGE_FORM || class_ == AN_PDF_CHANGE_ANNOTATION || class_ == AN_PDF_CHANGE_METADATA;
}

static void
report_change(struct an_case *sig, const struct an_pdf_finding *finding)
{
    struct an_modification *row = an_modification_add(sig->report);

    *row = (struct an_modification){
        .what = an_strdup(finding->path ? finding->path : ""), .object = finding->num, .offset = finding->offset,
        .revision = finding->revision, .allowed = finding->allowed, .why = finding->why,
        .class_name = class_names[finding->class_],
    };
    if (finding->allowed && is_substantial(finding->class_))
        sig->changes_allowed = true;
}

static void
check_changes(struct an_pdf_reader *reader, struct an_pdf_row *row)
{
    struct an_case *sig = &row->sig;
    struct an_pdf_diff diff = {0};
    struct an_err err = {0};
    an_code code;

    if (reader->removed) {
        an_step_set(&sig->changes, AN_FINDING_FAILED, AN_V_CHANGES_REMOVED, "%s", "");
        return;
    }
    if (!row->covered || row->covers_file) {
        an_step_set(&sig->changes, row->covered ? AN_FINDING_PASSED : AN_FINDING_SKIPPED,
                    row->covered ? AN_V_CHANGES_NONE : AN_V_CHANGES_UNKNOWN, "%s", "");
        return;
    }
    if (row->field->revision < 0) {
        an_step_set(&sig->changes, AN_FINDING_FAILED, AN_V_CHANGES_FORBIDDEN, "%s", "no revision ends at the range");
        return;
    }
    code = an_pdf_diff(reader->pdf, (size_t)row->field->revision, row->field->docmdp, &diff, &err);
    if (code != AN_OK) {
        an_step_set(&sig->changes, AN_FINDING_FAILED, AN_V_CHANGES_UNKNOWN, "%.60s: %.120s",
                    an_message_find(code)->en, err.detail);
        return;
    }
    for (size_t i = 0; i < diff.count; i++)
        report_change(sig, &diff.items[i]);
    if (diff.any_forbidden)
        an_step_set(&sig->changes, AN_FINDING_FAILED, AN_V_CHANGES_FORBIDDEN, "%zu", diff.count);
    else if (diff.count)
        an_step_set(&sig->changes, AN_FINDING_PASSED, AN_V_CHANGES_ALLOWED, "%zu", diff.count);
    else
        an_step_set(&sig->changes, AN_FINDING_PASSED, AN_V_CHANGES_NONE, "%s", "");
    an_pdf_diff_done(&diff);
}

/* ---- evidence records in the CMS object: the signed content is the byte range ---- */
static void
read_records(struct an_pdf_reader *reader, struct an_pdf_row *row)
{
    static const enum an_digest digests[] = {AN_SHA1, AN_SHA224, AN_SHA256, AN_SHA384, AN_SHA512};
    const struct an_cms_signer *signer = &row->cms->signers[0];
    struct an_cms_input input = {.job = reader->job, .cms = row->cms, .raw = row->field->contents,
                                 .format = row->format};
    struct an_xml_digest values[AN_COUNT(digests)];
    uint8_t buffers[AN_COUNT(digests)][AN_DIGEST_MAX];
    struct an_ers_object content = {.digests = values};

    if (!an_cms_attribute_find(signer->unsigned_attributes, signer->unsigned_count, "1.2.840.113549.1.9.16.2.49") &&
        !an_cms_attribute_find(signer->unsigned_attributes, signer->unsigned_count, "1.2.840.113549.1.9.16.2.50"))
        return;
    for (size_t i = 0; i < AN_COUNT(digests); i++)
        if (an_pdf_range_digest(reader, row, digests[i], buffers[i]))
            values[content.digest_count++] =
                (struct an_xml_digest){(int)digests[i], AN_BYTES(buffers[i], an_digest_size(digests[i]))};
    an_record_read_cms(&input, 0, &row->sig, &content);
}

/* ---- cryptography ---- */
static void
check_signers(struct an_pdf_reader *reader, struct an_pdf_row *row)
{
    struct an_case *sig = &row->sig;
    const struct an_cms_signer *signer = &row->cms->signers[0];
    uint8_t buffer[AN_DIGEST_MAX];
    an_bytes digest = AN_NONE;

    if (row->kind == AN_PDF_SIGNATURE_SHA1) {
        an_pdf_legacy_check_sha1(reader, row);
        for (size_t i = 1; i < row->cms->signer_count; i++)
            an_pdf_legacy_check_other(row, &row->cms->signers[i]);
        return;
    }
    if (row->cms->content.ptr) {
        an_step_set(&sig->structure, AN_FINDING_FAILED, AN_V_FORMAT_BAD, "%s",
                    "encapsulated content in a detached kind");
        return;
    }
    if (an_pdf_range_digest(reader, row, signer->digest, buffer))
        digest = AN_BYTES(buffer, an_digest_size(signer->digest));
    an_case_check_cms(sig, row->cms, signer, row->cms->content_type, digest);
    for (size_t i = 1; i < row->cms->signer_count; i++) {
        digest = AN_NONE;
        if (an_pdf_range_digest(reader, row, row->cms->signers[i].digest, buffer))
            digest = AN_BYTES(buffer, an_digest_size(row->cms->signers[i].digest));
        an_case_check_other(sig, row->cms, &row->cms->signers[i], digest);
    }
    read_records(reader, row);
}

static void
judge_stamp_row(struct an_pdf_reader *reader, struct an_pdf_row *row)
{
    uint8_t buffer[AN_DIGEST_MAX];
    struct an_stamp *stamp = row->sig.stamps.count ? &row->sig.stamps.items[0] : NULL;
    an_bytes digest = AN_NONE;

    if (!stamp)
        return;
    if (stamp->tst && an_pdf_range_digest(reader, row, stamp->tst->digest, buffer))
        digest = AN_BYTES(buffer, an_digest_size(stamp->tst->digest));
    an_stamp_judge(reader->job, stamp, digest);
    if (stamp->status == AN_FINDING_PASSED && row->covered && stamp->tst->gen_time <= reader->job->now)
        an_pdf_prove(reader, row, stamp->tst->gen_time);
}

/* ---- level, EN 319 142-1 clause 6 ---- */
static bool
has_store(const struct an_pdf_reader *reader, int revision)
{
    const struct an_pdf_obj *catalog = revision < 0 ? NULL : an_pdf_catalog(reader->pdf, (size_t)revision);

    return catalog && an_pdf_at(reader->pdf, (size_t)revision, catalog, "DSS")->kind == AN_PDF_DICT;
}

static const char *
pades_level(const struct an_pdf_reader *reader, const struct an_pdf_row *row)
{
    bool has_t = false, has_later_stamp = false, covers_store = false;

    if (strcmp(row->format, "PAdES") != 0 || !row->sig.has_ess)
        return "";
    for (size_t i = 0; i < row->sig.stamps.count; i++)
        has_t = has_t || (row->sig.stamps.items[i].tst && row->sig.stamps.items[i].kind == AN_STAMP_SIGNATURE);
    for (size_t i = row->position + 1; i < reader->count; i++) {
        if (reader->rows[i].kind != AN_PDF_SIGNATURE_STAMP || !reader->rows[i].covered)
            continue;
        has_later_stamp = true;
        covers_store = covers_store || has_store(reader, reader->rows[i].field->revision);
    }
    if (!has_t && !has_later_stamp)
        return "B-B";
    if (!an_pdf_has_status(reader, row))
        return "B-T";
    return covers_store ? "B-LTA" : "B-LT";
}

static void
conclude_row(struct an_pdf_reader *reader, struct an_pdf_row *row)
{
    if (row->kind == AN_PDF_SIGNATURE_STAMP) {
        an_case_conclude_stamp(&row->sig);
        return;
    }
    if (row->cms && row->cms->signer_count)
        check_signers(reader, row);
    else if (row->kind == AN_PDF_SIGNATURE_RSA && row->sig.structure.status == AN_FINDING_PASSED)
        an_pdf_legacy_check_rsa(reader, row);
    an_case_conclude(&row->sig);
    row->sig.report->level = pades_level(reader, row);
    if (row->cms && row->cms->certs.count == 1 && row->sig.verdict.path &&
        row->sig.verdict.path->result.chain_count > 2)
        an_finding_add(row->sig.report, "quirk.leaf-only", AN_FINDING_NOTE, AN_N_VERIFY_LEAF_ONLY, "%s", "");
}

static void
verify_rows(struct an_pdf_reader *reader)
{
    struct an_job *job = reader->job;

    an_pdf_read_dss(reader);
    for (size_t i = 0; i < reader->count; i++)
        read_row(reader, &reader->rows[i]);
    an_verify_anchors(job->policy, job->options, &job->material.certs, &job->anchors);
    for (size_t i = 0; i < reader->count; i++)
        check_coverage(reader, &reader->rows[i]);
    for (size_t i = reader->count; i-- > 0;)
        if (reader->rows[i].kind == AN_PDF_SIGNATURE_STAMP)
            judge_stamp_row(reader, &reader->rows[i]);
    for (size_t i = 0; i < reader->count; i++) {
        check_changes(reader, &reader->rows[i]);
        conclude_row(reader, &reader->rows[i]);
    }
}

/* ---- the file ---- */
static size_t
count_signed(const struct an_pdf_sigfields *fields)
{
    size_t count = 0;

    for (size_t i = 0; i < fields->count; i++)
        count += fields->items[i].value != NULL;
    return count;
}

/* A signature that a later revision took out of the form is still evidence: of what was done to the document. */
static an_code
find_removed(struct an_pdf_reader *reader, struct an_err *reterr)
{
    size_t latest = an_pdf_latest(reader->pdf);

    for (size_t revision = latest; revision-- > 0 && latest - revision <= 64;) {
        an_pdf_sigfields_done(&reader->fields);
        AN_TRY(an_pdf_sigfields(reader->pdf, revision, &reader->fields, reterr));
        if (count_signed(&reader->fields)) {
            reader->removed = true;
            return AN_OK;
        }
    }
    return AN_OK;
}

static an_code
list_rows(struct an_pdf_reader *reader, struct an_err *reterr)
{
    size_t count;

    AN_TRY(an_pdf_sigfields(reader->pdf, AN_PDF_NOW, &reader->fields, reterr));
    if (!count_signed(&reader->fields))
        AN_TRY(find_removed(reader, reterr));
    count = count_signed(&reader->fields);
    if (count > AN_LIMIT_VERIFY_SIGNATURES)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu signatures", count);
    reader->rows = an_new_array(count ? count : 1, sizeof(*reader->rows));
    for (size_t i = 0; i < reader->fields.count; i++) {
        if (!reader->fields.items[i].value) {
            reader->has_empty = true;
            continue;
        }
        reader->rows[reader->count] =
            (struct an_pdf_row){.index = i, .position = reader->count, .field = &reader->fields.items[i]};
        reader->count++;
    }
    return AN_OK;
}

static void
reader_done(struct an_pdf_reader *reader)
{
    for (size_t i = 0; i < reader->count; i++) {
        an_case_done(&reader->rows[i].sig);
        an_cms_free(&reader->rows[i].cms);
    }
    free(reader->rows);
    an_hash_free(&reader->common);
    an_pdf_dss_done(reader);
    an_pdf_sigfields_done(&reader->fields);
    an_pdf_free(&reader->pdf);
}

static void
note_file(struct an_pdf_reader *reader)
{
    an_code notes[32];
    size_t count = an_pdf_notes(reader->pdf, notes, AN_COUNT(notes));

    for (size_t i = 0; i < count; i++)
        an_report_note(reader->job, notes[i]);
}

/* Damage is a verdict when there are signatures to speak of, a failure otherwise. */
static an_code
settle_damage(struct an_job *job, struct an_pdf *pdf, an_code code, struct an_err *reterr)
{
    size_t rights = pdf ? an_pdf_usage_rights(pdf) : 0;

    if (an_message_find(code)->kind != AN_KIND_DATA || code == AN_E_LIMIT)
        return code;
    if (!an_pdf_report_damaged(job, code, reterr ? reterr->detail : "", rights))
        return code;
    if (reterr)
        *reterr = (struct an_err){0};
    return AN_OK;
}

an_code
an_pdf_verify(struct an_job *job, struct an_err *reterr)
{
    struct an_pdf_reader reader = {.job = job};
    struct an_pdf_open open = {.password = job->options->password, .allow_rebuild = true};
    struct an_err err = {0};
    an_code code = an_pdf_open(job->file->bytes, &open, &reader.pdf, &err);

    if (code == AN_OK)
        code = list_rows(&reader, &err);
    if (code == AN_OK && reader.count) {
        an_report_reserve(job, reader.count);
        verify_rows(&reader);
        an_effect_conclude(job, reader.has_empty);
        note_file(&reader);
    } else if (code == AN_OK) {
        code = an_err_set(&err, AN_E_VERIFY_UNSIGNED, "no signature field has a value");
    }
    if (code != AN_OK)
        code = settle_damage(job, reader.pdf, code, &err);
    reader_done(&reader);
    if (code != AN_OK && reterr)
        *reterr = err;
    return code;
}
