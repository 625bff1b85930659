/*
 * Signatures that are files of their own: CMS and CAdES, attached (.p7m) or detached (.p7s), time-stamp tokens and
 * time-stamp responses (.tst, .tsr). DER, BER, PEM or plain base64.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "verify/record.h"

static const char id_tst_info[] = "1.2.840.113549.1.9.16.1.4";

/* ---- finding the object ---- */
static bool
is_base64(an_bytes head)
{
    size_t letters = 0;

    /* "MII", "MIA", "MIM"…: base64 of a SEQUENCE with a long or indefinite length. */
    if (!an_bytes_starts_with(head, AN_LIT("MI")))
        return false;
    for (size_t i = 0; i < head.len && i < 256; i++) {
        uint8_t c = head.ptr[i];

        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/')
            letters++;
        else if (c != '\r' && c != '\n' && c != '=' && c != ' ')
            return false;
    }
    return letters >= 40;
}

bool
an_cms_detect(an_bytes head)
{
    /* A long or indefinite length follows: no text starts with "0" and an octet above 127. */
    if (head.len > 1 && head.ptr[0] == AN_DER_SEQUENCE && (head.ptr[1] & 0x80))
        return true;
    return an_bytes_starts_with(head, AN_LIT("-----BEGIN ")) || is_base64(head);
}

/* DER or BER of the object; decoded holds it when the file is text. */
static an_code
find_object(an_bytes file, struct an_buf *decoded, an_bytes *ret, struct an_err *reterr)
{
    char label[64];
    size_t at = 0;

    if (file.ptr[0] == AN_DER_SEQUENCE) {
        *ret = file;
        return AN_OK;
    }
    if (file.len > AN_LIMIT_VERIFY_CMS_TEXT)
        AN_FAIL(reterr, AN_E_LIMIT, "text form of %zu bytes", file.len);
    if (is_base64(file) ? !an_base64_decode(decoded, file) : !an_pem_next(file, &at, decoded, label))
        AN_FAIL(reterr, AN_E_VERIFY_FORMAT, "no CMS object in the text");
    *ret = an_buf_view(decoded);
    return AN_OK;
}

/* TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken ContentInfo OPTIONAL } */
static bool
find_token(an_bytes object, an_bytes *ret)
{
    an_bytes body, status, token = AN_NONE;
    int tag;

    if (an_der_take(&object, AN_DER_SEQUENCE, &body, NULL) != AN_OK || an_der_peek(body) != AN_DER_SEQUENCE)
        return false;
    if (an_der_any(&body, &tag, &token, &status, NULL) != AN_OK || an_der_peek(status) != AN_DER_INTEGER)
        return false;
    return an_der_take_whole(&body, AN_DER_SEQUENCE, ret, NULL) == AN_OK && body.len == 0;
}

/* One header: its size, and the length of the content or SIZE_MAX for "until the end marker". */
static size_t
ber_header(an_bytes ber, size_t at, size_t *ret_len)
{
    size_t count, len = 0, header = 2;

    if (ber.len - at < 2 || (ber.ptr[at] & 0x1F) == 0x1F)
        return 0;
    count = ber.ptr[at + 1];
    if (count == 0x80) {
        *ret_len = SIZE_MAX;
        return header;
    }
    if (count & 0x80) {
        count &= 0x7F;
        if (count > 8 || ber.len - at < header + count)
            return 0;
        for (size_t i = 0; i < count; i++)
            len = len << 8 | ber.ptr[at + header + i];
        header += count;
    } else {
        len = count;
    }
    if (len > ber.len - at - header)
        return 0;
    *ret_len = len;
    return header;
}

size_t
an_ber_size(an_bytes ber)
{
    size_t at = 0, depth = 0;

    do {
        size_t len = 0, header = at < ber.len ? ber_header(ber, at, &len) : 0;

        if (!header || depth > AN_LIMIT_DER_DEPTH)
            return 0;
        if (len == SIZE_MAX) {
            depth++;
        } else if (depth && ber.ptr[at] == 0 && len == 0) {
            depth--;
        } else {
            at += len;
        }
        at += header;
    } while (depth);
    return at;
}

/* ---- the content that was signed ---- */
static an_code
digest_content(const struct an_cms_input *input, enum an_digest digest, uint8_t ret[static AN_DIGEST_MAX],
               an_bytes *ret_digest, struct an_err *reterr)
{
    const struct an_verify_options *options = input->job->options;

    *ret_digest = AN_NONE;
    if (digest == AN_DIGEST_NONE)
        return AN_OK;
    if (input->content.ptr) {
        an_hash_once(digest, input->content, ret);
    } else if (options->content_fd > 0) {
        struct an_range whole = {0, options->content.len};
        struct stat st;

        if (!options->content.ptr) {
            if (fstat(options->content_fd, &st) != 0)
                AN_FAIL(reterr, AN_E_VERIFY_CONTENT, "size unknown");
            whole.len = (uint64_t)st.st_size;
        }
        AN_TRY(an_hash_file_ranges(digest, options->content_fd, &whole, 1, ret, reterr));
    } else if (options->content.ptr) {
        an_hash_once(digest, options->content, ret);
    } else {
        return AN_OK; /* not given: a finding, not a failure */
    }
    *ret_digest = AN_BYTES(ret, an_digest_size(digest));
    return AN_OK;
}

an_code
an_cms_content_digest(const struct an_cms_input *input, enum an_digest digest, uint8_t ret[static AN_DIGEST_MAX],
                      an_bytes *ret_digest, struct an_err *reterr)
{
    return digest_content(input, digest, ret, ret_digest, reterr);
}

/* ---- one signer ---- */
void
an_case_begin(struct an_case *sig, struct an_job *job, const char *format)
{
    *sig = (struct an_case){.job = job, .best_time = job->now};
    sig->report = an_report_signature(job);
    sig->report->format = format;
    an_step_set(&sig->structure, AN_FINDING_PASSED, AN_V_FORMAT_OK, "%s", format);
    an_step_set(&sig->coverage, AN_FINDING_SKIPPED, AN_V_COVERAGE_OK, "%s", "");
    an_step_set(&sig->data, AN_FINDING_PASSED, AN_V_DATA_OK, "%s", "");
    an_step_set(&sig->integrity, AN_FINDING_INDETERMINATE, AN_V_INTEGRITY_UNKNOWN, "%s", "");
    an_step_set(&sig->value, AN_FINDING_INDETERMINATE, AN_V_VALUE_UNKNOWN, "%s", "");
    an_step_set(&sig->identified, AN_FINDING_INDETERMINATE, AN_V_SIGNER_NONE, "%s", "");
    an_step_set(&sig->changes, AN_FINDING_SKIPPED, AN_V_CHANGES_NONE, "%s", "");
    an_step_set(&sig->constraints, AN_FINDING_SKIPPED, AN_V_FORMAT_OK, "%s", "");
}

/* What a CMS signer says of itself, the same in every container. */
void
an_case_take_signer(struct an_case *sig, const struct an_cms_signer *signer)
{
    sig->scheme = signer->scheme;
    sig->digest = signer->digest;
    sig->signature = signer->signature;
    sig->has_ess = signer->ess_hash.len > 0;
    if (signer->signing_time != AN_TIME_NONE)
        sig->report->claimed_time = signer->signing_time;
    if (signer->duplicate_attributes)
        an_step_set(&sig->structure, AN_FINDING_FAILED, AN_V_FORMAT_ATTRIBUTE, "%s", "signedAttrs: one stands twice");
    if (signer->digest_unlisted)
        an_step_set(&sig->structure, AN_FINDING_FAILED, AN_V_FORMAT_BAD, "%s", "digestAlgorithms");
    if (signer->attrs_not_der_sorted)
        an_finding_add(sig->report, "quirk.attribute-order", AN_FINDING_NOTE, AN_N_VERIFY_NOT_SORTED, "%s", "");
    if (!sig->has_ess)
        an_finding_add(sig->report, "quirk.no-ess", AN_FINDING_NOTE, AN_N_VERIFY_NO_ESS, "%s", "");
}

static const char *
cms_level(const struct an_case *sig, const struct an_cms_input *input)
{
    const struct an_stamp *stamp;
    bool has_t = false, has_a = false, has_status;

    if (!sig->has_ess)
        return "";
    for (size_t i = 0; i < sig->stamps.count; i++) {
        stamp = &sig->stamps.items[i];
        has_t = has_t || (stamp->kind == AN_STAMP_SIGNATURE && stamp->tst);
        has_a = has_a || (stamp->kind == AN_STAMP_ARCHIVE && stamp->tst && !stamp->is_extended);
    }
    has_status = input->cms->crls.count || input->cms->ocsps.count || input->has_archived_status;
    if (!has_t)
        return "B-B";
    if (!has_status)
        return "B-T";
    return has_a ? "B-LTA" : "B-LT";
}

static an_code
read_signer(struct an_cms_input *input, size_t at, struct an_case *sig, struct an_err *reterr)
{
    struct an_cms *cms = input->cms;
    const struct an_cms_signer *signer = &cms->signers[at];
    uint8_t digest[AN_DIGEST_MAX];
    an_bytes content_digest;

    an_case_begin(sig, input->job, input->format);
    sig->report->field = an_asprintf("#%zu", at + 1);
    sig->report->coverage = "whole-file";
    an_case_take_signer(sig, signer);
    if (signer->signed_attrs.len == 0 &&
        an_cms_is_attributes(input->content.ptr ? input->content : input->job->options->content))
        an_step_set(&sig->structure, AN_FINDING_FAILED, AN_V_FORMAT_ATTRIBUTE, "%s", "content is a set of signedAttrs");
    AN_TRY(digest_content(input, signer->digest, digest, &content_digest, reterr));
    an_case_read_stamps(sig, signer);
    an_archive_read(input, at, sig);
    an_case_check_cms(sig, cms, signer, cms->content_type, content_digest);
    return AN_OK;
}

static void
conclude_signer(struct an_cms_input *input, size_t at, struct an_case *sig)
{
    an_record_read_cms(input, at, sig, NULL);
    an_archive_judge(input, at, sig);
    an_case_conclude(sig);
    sig->report->level = cms_level(sig, input);
    if (input->cms->certs.count == 1 && sig->verdict.path && sig->verdict.path->result.chain_count > 2)
        an_finding_add(sig->report, "quirk.leaf-only", AN_FINDING_NOTE, AN_N_VERIFY_LEAF_ONLY, "%s", "");
}

static an_code
verify_signers(struct an_cms_input *input, struct an_err *reterr)
{
    size_t count = input->cms->signer_count;
    struct an_case *cases = an_new_array(count, sizeof(*cases));
    an_code code = AN_OK;
    size_t begun = 0;

    an_report_reserve(input->job, count + an_counter_count(input->cms));
    an_material_add_cms(&input->job->material, input->job->verifier, input->cms);
    while (begun < count && code == AN_OK) {
        code = read_signer(input, begun, &cases[begun], reterr);
        begun++;
    }
    an_poe_take_file(input->job, &(struct an_material){input->cms->certs, input->cms->crls, input->cms->ocsps});
    an_verify_anchors(input->job->policy, input->job->options, &input->job->material.certs, &input->job->anchors);
    for (size_t i = 0; i < begun && code == AN_OK; i++)
        conclude_signer(input, i, &cases[i]);
    for (size_t i = 0; i < begun; i++)
        an_case_done(&cases[i]);
    free(cases);
    if (code == AN_OK) {
        an_counter_verify(input);
        an_effect_conclude(input->job, false);
    }
    return code;
}

/* ---- a time-stamp as a document ---- */
static an_code
verify_token(struct an_job *job, an_bytes token, an_bytes content, struct an_err *reterr)
{
    struct an_cms_input input = {.job = job, .content = content, .format = "TST"};
    uint8_t buffer[AN_DIGEST_MAX];
    an_bytes digest = AN_NONE;
    struct an_case sig;
    an_code code = AN_OK;

    an_report_reserve(job, 1);
    an_case_begin(&sig, job, "TST");
    sig.report->field = an_strdup("#1");
    sig.report->is_time_stamp = true;
    an_stamp_read(job, &sig.stamps, AN_STAMP_DOCUMENT, token);
    if (sig.stamps.items[0].tst)
        code = digest_content(&input, sig.stamps.items[0].tst->digest, buffer, &digest, reterr);
    if (code == AN_OK) {
        an_poe_take_file(job, NULL);
        an_verify_anchors(job->policy, job->options, &job->material.certs, &job->anchors);
        an_stamp_judge(job, &sig.stamps.items[0], digest);
        an_case_conclude_stamp(&sig);
    }
    an_case_done(&sig);
    return code;
}

/* content: AN_NONE = what the object holds, or what the options give. */
an_code
an_cms_verify_object(struct an_job *job, an_bytes object, an_bytes content, const char *format, struct an_err *reterr)
{
    struct an_cms_input input = {.job = job, .content = content, .raw = object, .format = format};
    an_bytes token;
    an_code code;

    if (find_token(object, &token))
        return verify_token(job, token, content, reterr);
    code = an_cms_parse(object, &input.cms, reterr);
    if (code == AN_E_CMS_TYPE)
        AN_FAIL(reterr, AN_E_VERIFY_FORMAT, "the CMS object is not SignedData");
    AN_TRY(code);
    if (an_oid_eq(input.cms->content_type, id_tst_info))
        code = verify_token(job, input.cms->der, content, reterr);
    else if (input.cms->signer_count == 0)
        code = an_err_set(reterr, AN_E_VERIFY_UNSIGNED, "SignedData without signers");
    else {
        if (!input.content.ptr)
            input.content = input.cms->content;
        code = verify_signers(&input, reterr);
    }
    an_cms_free(&input.cms);
    return code;
}

an_code
an_cms_verify(struct an_job *job, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf decoded = an_buf_new(AN_LIMIT_VERIFY_CMS_TEXT);
    an_bytes object;

    AN_TRY(find_object(job->file->bytes, &decoded, &object, reterr));
    return an_cms_verify_object(job, object, AN_NONE, "CAdES", reterr);
}
