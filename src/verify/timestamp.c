/*
 * Time-stamp validation, EN 319 102-1 clause 5.4: form, imprint, signature of the token, the authority's certificate.
 * A token is judged at its own proven time: an older one may rest on a newer one that covers it.
 */
#include <stdio.h>

#include "verify/internal.h"

static const char id_time_stamping[] = "1.3.6.1.5.5.7.3.8";

#define CLOCKS_APART 300 /* seconds by which the authority's clock may be ahead of the moment of validation */

static const char *const kinds[] = {
    [AN_STAMP_CONTENT] = "content",
    [AN_STAMP_SIGNATURE] = "signature",
    [AN_STAMP_DOCUMENT] = "document",
    [AN_STAMP_ARCHIVE] = "archive",
};

void
an_stamp_read(struct an_job *job, struct an_stamps *stamps, enum an_stamp_kind kind, an_bytes token)
{
    struct an_err err = {0};
    struct an_stamp *stamp;

    if (stamps->count >= AN_LIMIT_VERIFY_STAMPS)
        return;
    /* Some writers wrap the token once more. */
    if (an_der_peek(token) == AN_DER_OCTET_STRING && an_der_take(&token, AN_DER_OCTET_STRING, &token, NULL) != AN_OK)
        return;
    stamp = an_stamps_push(stamps);
    stamp->kind = kind;
    stamp->status = AN_FINDING_INDETERMINATE;
    an_poe_id(token, stamp->id);
    if (job->exists_since != AN_TIME_NONE)
        an_poe_add(&job->poes, stamp->id, job->exists_since);
    stamp->parse = an_tst_parse(token, &stamp->tst, &err);
    if (stamp->parse == AN_OK && stamp->tst->digest == AN_DIGEST_NONE) {
        an_tst_free(&stamp->tst);
        stamp->parse = AN_E_DIGEST_UNKNOWN;
    }
    if (stamp->parse == AN_OK)
        an_material_add_cms(&job->material, job->verifier, stamp->tst->cms);
    else
        snprintf(stamp->detail, sizeof(stamp->detail), "%.199s", err.detail);
}

static void
stamp_set(struct an_stamp *stamp, enum an_finding_status status, enum an_sub sub, an_code why, const char *detail)
{
    stamp->status = status;
    stamp->sub = sub;
    stamp->why = why;
    if (detail != stamp->detail)
        snprintf(stamp->detail, sizeof(stamp->detail), "%.199s", detail);
}

void
an_stamp_fail(struct an_stamp *stamp, enum an_sub sub, an_code why, const char *detail)
{
    stamp_set(stamp, AN_FINDING_FAILED, sub, why, detail);
}

/* The token's own cryptography. False when it is decided already. */
static bool
check_token(struct an_job *job, struct an_stamp *stamp, an_bytes data_digest)
{
    struct an_cms *cms = stamp->tst->cms;
    struct an_cert *cert = cms->signer_count ? an_cms_signer_cert(cms, &cms->signers[0], &job->material.certs) : NULL;
    struct an_err err = {0};
    an_code code;

    if (!cert && cms->signer_count) /* a token may carry no certificate (RFC 3161, certReq) */
        cert = an_cms_signer_cert(cms, &cms->signers[0], job->options->anchors);
    if (!cert) {
        stamp_set(stamp, AN_FINDING_INDETERMINATE, AN_SUB_NO_SIGNING_CERTIFICATE_FOUND, AN_V_STAMP_SIGNER_NONE, "");
        return false;
    }
    stamp->cert = an_verifier_intern_cert(job->verifier, cert);
    code = an_tst_check(stamp->tst, stamp->cert, data_digest, &err);
    if (code == AN_V_TST_IMPRINT)
        stamp_set(stamp, AN_FINDING_FAILED, AN_SUB_HASH_FAILURE, code, err.detail);
    else if (code != AN_OK)
        stamp_set(stamp, AN_FINDING_FAILED, AN_SUB_SIG_CRYPTO_FAILURE, code, err.detail);
    return code == AN_OK;
}

static void
check_algorithm(struct an_job *job, struct an_stamp *stamp, an_time proven)
{
    const struct an_cms_signer *signer = &stamp->tst->cms->signers[0];
    struct an_pubkey *key = an_cert_key(stamp->cert);
    an_code code = key ? an_verify_algorithm(job->policy, &signer->scheme, an_pubkey_kind(key), an_pubkey_bits(key),
                                             proven, stamp->cert)
                       : AN_V_ALGORITHM_WEAK;

    if (code != AN_OK)
        stamp_set(stamp, AN_FINDING_INDETERMINATE,
                  code == AN_V_ALGORITHM_NO_POE ? AN_SUB_CRYPTO_CONSTRAINTS_FAILURE_NO_POE
                                                : AN_SUB_CRYPTO_CONSTRAINTS_FAILURE,
                  code, an_digest_name(signer->scheme.digest));
}

void
an_stamp_judge(struct an_job *job, struct an_stamp *stamp, an_bytes data_digest)
{
    an_time proven = an_poe_find(&job->poes, stamp->id, job->now);

    if (stamp->judged)
        return;
    stamp->judged = true;
    if (!stamp->tst) {
        if (stamp->parse == AN_E_DIGEST_UNKNOWN)
            stamp_set(stamp, AN_FINDING_INDETERMINATE, AN_SUB_CRYPTO_CONSTRAINTS_FAILURE, stamp->parse, stamp->detail);
        else
            stamp_set(stamp, AN_FINDING_FAILED, AN_SUB_FORMAT_FAILURE, stamp->parse, stamp->detail);
        return;
    }
    if (!data_digest.len) {
        stamp_set(stamp, AN_FINDING_INDETERMINATE, AN_SUB_SIGNED_DATA_NOT_FOUND, AN_V_STAMP_IMPRINT_UNKNOWN, "");
        return;
    }
    if (!check_token(job, stamp, data_digest))
        return;
    if (stamp->tst->gen_time > job->now + CLOCKS_APART) {
        stamp_set(stamp, AN_FINDING_INDETERMINATE, AN_SUB_NOT_YET_VALID, AN_V_STAMP_FUTURE, "");
        return;
    }
    an_certificate_judge(job, stamp->cert, id_time_stamping, proven, &stamp->verdict);
    stamp_set(stamp, stamp->verdict.status, stamp->verdict.sub, stamp->verdict.why, stamp->verdict.detail);
    if (stamp->status == AN_FINDING_PASSED)
        check_algorithm(job, stamp, proven);
}

static enum an_indication
indication_of(enum an_finding_status status)
{
    return status == AN_FINDING_PASSED ? AN_TOTAL_PASSED
           : status == AN_FINDING_FAILED ? AN_TOTAL_FAILED
                                         : AN_INDETERMINATE;
}

void
an_stamp_report(const struct an_job *job, struct an_signature_report *report, const struct an_stamp *stamp)
{
    struct an_time_stamp_report *row;
    struct an_buf name = an_buf_new(1024);

    report->time_stamps = an_grow(report->time_stamps, report->time_stamp_count + 1, sizeof(*report->time_stamps));
    row = &report->time_stamps[report->time_stamp_count++];
    if (stamp->cert && !an_name_attribute(stamp->cert->subject, "2.5.4.3", &name))
        an_name_text(stamp->cert->subject, &name);
    *row = (struct an_time_stamp_report){
        .kind = kinds[stamp->kind], .gen_time = stamp->tst ? stamp->tst->gen_time : AN_TIME_NONE,
        .tsa = an_strdup_bytes(an_buf_view(&name)), .indication = indication_of(stamp->status),
        .sub_indication = an_sub_name(stamp->sub),
    };
    an_keep_token(job, row, stamp);
    an_buf_free(&name);
}

void
an_stamps_free(struct an_stamps *stamps)
{
    struct an_stamps gone = *stamps;

    for (size_t i = 0; i < gone.count; i++) {
        an_tst_free(&gone.items[i].tst);
        an_cert_unref(&gone.items[i].cert);
        an_cert_verdict_done(&gone.items[i].verdict);
    }
    free(gone.items);
    *stamps = (struct an_stamps){0};
}
