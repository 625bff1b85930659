/*
 * The rules: one function each, one screen each, and the tables that put them in order. A rule reads what is known
 * about one signature and answers passed, indeterminate or failed; it decides nothing else. The order of a table is the
 * precedence of the sub-indications (EN 319 102-1, 5.3): the first failed rule decides, then the first indeterminate
 * one.
 */
#include "verify/rules.h"

static struct an_outcome
passed(an_code code)
{
    return (struct an_outcome){.status = AN_FINDING_PASSED, .code = code};
}

static struct an_outcome
indeterminate(enum an_sub sub, an_code code)
{
    return (struct an_outcome){.status = AN_FINDING_INDETERMINATE, .sub = sub, .code = code};
}

static struct an_outcome
skipped(void)
{
    return (struct an_outcome){.status = AN_FINDING_SKIPPED, .code = AN_V_CERT_SKIPPED};
}

static struct an_outcome
of_step(const struct an_step *step, enum an_sub sub)
{
    struct an_outcome outcome = {.status = step->status, .code = step->code, .detail = step->detail};

    if (step->status == AN_FINDING_FAILED || step->status == AN_FINDING_INDETERMINATE)
        outcome.sub = sub;
    return outcome;
}

/* ---- form, EN 319 102-1 5.2.2 ---- */
static struct an_outcome
rule_structure(const struct an_case *sig)
{
    return of_step(&sig->structure, AN_SUB_FORMAT_FAILURE);
}

static struct an_outcome
rule_coverage(const struct an_case *sig)
{
    return of_step(&sig->coverage, AN_SUB_FORMAT_FAILURE);
}

/* ---- identification of the signing certificate, 5.2.3 ---- */
static struct an_outcome
rule_identified(const struct an_case *sig)
{
    return of_step(&sig->identified, AN_SUB_NO_SIGNING_CERTIFICATE_FOUND);
}

/* ---- cryptographic verification, 5.2.7: data that are not there end it (5.2.7.4 step 1), whatever else is wrong */
static struct an_outcome
rule_data(const struct an_case *sig)
{
    struct an_outcome outcome = of_step(&sig->data, AN_SUB_SIGNED_DATA_NOT_FOUND);

    outcome.is_last = outcome.status == AN_FINDING_INDETERMINATE;
    return outcome;
}

static struct an_outcome
rule_integrity(const struct an_case *sig)
{
    return of_step(&sig->integrity, sig->integrity.status == AN_FINDING_FAILED ? AN_SUB_HASH_FAILURE : AN_SUB_GENERIC);
}

static struct an_outcome
rule_value(const struct an_case *sig)
{
    return of_step(&sig->value, sig->value.status == AN_FINDING_FAILED ? AN_SUB_SIG_CRYPTO_FAILURE : AN_SUB_GENERIC);
}

/* ---- after signing ---- */
static struct an_outcome
rule_changes(const struct an_case *sig)
{
    return of_step(&sig->changes, AN_SUB_FORMAT_FAILURE);
}

/* ---- signature acceptance, 5.2.8: what the profile demands ---- */
static struct an_outcome
rule_constraints(const struct an_case *sig)
{
    /* EN 319 102-1 asks for the attribute (5.2.3.4) and for typed properties; fielded signatures without them are
     * common: most policies only note it. */
    an_code lack = sig->has_ess ? sig->lack : AN_N_VERIFY_NO_ESS;

    if (sig->constraints.status != AN_FINDING_FAILED && lack != AN_OK && sig->job->policy->attributes_required)
        return indeterminate(AN_SUB_SIG_CONSTRAINTS_FAILURE, lack);
    return of_step(&sig->constraints, AN_SUB_SIG_CONSTRAINTS_FAILURE);
}

/* ---- X.509 validation, 5.2.6; NĐ 68/2024 Điều 31, 32 ---- */
static struct an_outcome
of_verdict(const struct an_case *sig, an_code code)
{
    const struct an_cert_verdict *verdict = &sig->verdict;

    return (struct an_outcome){.status = verdict->status, .sub = verdict->sub, .code = code, .why = verdict->why,
                               .detail = verdict->detail};
}

static bool
has_certificate(const struct an_case *sig)
{
    return sig->cert != NULL && sig->verdict.path != NULL;
}

/* Điều 32: the path and the certificates in it. */
static struct an_outcome
rule_path(const struct an_case *sig)
{
    if (!has_certificate(sig))
        return skipped();
    switch (sig->verdict.class_) {
    case AN_CERT_NO_CHAIN:
        return of_verdict(sig, AN_V_CERT_UNTRUSTED);
    case AN_CERT_GENERAL:
    case AN_CERT_CONSTRAINTS:
        return of_verdict(sig, AN_V_CERT_PATH_BAD);
    case AN_CERT_CA_OUT_OF_BOUNDS:
        return of_verdict(sig, AN_V_CERT_CA_EXPIRED);
    case AN_CERT_CA_REVOKED:
        return of_verdict(sig, AN_V_CERT_CA_REVOKED);
    case AN_CERT_LIMIT:
        return of_verdict(sig, AN_V_CERT_LIMIT);
    default:
        return passed(AN_V_CERT_PATH_OK);
    }
}

static bool
path_stands(const struct an_case *sig)
{
    return has_certificate(sig) && rule_path(sig).status == AN_FINDING_PASSED;
}

/* Điều 31 khoản 1 điểm b: the scope of use. */
static struct an_outcome
rule_usage(const struct an_case *sig)
{
    if (!has_certificate(sig))
        return skipped();
    if (sig->verdict.class_ == AN_CERT_PURPOSE)
        return of_verdict(sig, AN_V_CERT_USAGE_BAD);
    return passed(AN_V_CERT_USAGE_OK);
}

/* Điều 31 khoản 1 điểm a: within its validity at the moment of signing. */
static struct an_outcome
rule_validity(const struct an_case *sig)
{
    enum an_cert_class class_ = sig->verdict.class_;

    if (!path_stands(sig))
        return skipped();
    if (class_ == AN_CERT_NOT_YET)
        return of_verdict(sig, AN_V_CERT_NOT_YET);
    if (class_ == AN_CERT_EXPIRED)
        return of_verdict(sig, sig->verdict.status == AN_FINDING_FAILED ? AN_V_CERT_EXPIRED
                                                                        : AN_V_CERT_EXPIRED_NO_POE);
    return passed(AN_V_CERT_VALIDITY_OK);
}

/* Điều 31 khoản 1 điểm c, khoản 2: in force at the moment of signing, by CRL or OCSP. */
static struct an_outcome
rule_status(const struct an_case *sig)
{
    enum an_cert_class class_ = sig->verdict.class_;

    if (!path_stands(sig))
        return skipped();
    if (class_ == AN_CERT_REVOKED)
        return of_verdict(sig, sig->verdict.status == AN_FINDING_FAILED ? AN_V_CERT_REVOKED : AN_V_CERT_REVOKED_NO_POE);
    if (class_ == AN_CERT_STATUS_UNKNOWN)
        return of_verdict(sig, AN_V_CERT_STATUS_UNKNOWN);
    if (class_ != AN_CERT_GOOD)
        return skipped();
    if (sig->verdict.from_past)
        return passed(AN_V_CERT_AFTER_OK);
    if (!sig->verdict.status_known)
        return (struct an_outcome){.status = AN_FINDING_NOTE, .code = AN_V_CERT_STATUS_SKIPPED};
    return passed(AN_V_CERT_STATUS_OK);
}

/* ---- cryptographic constraints, 5.2.8.4.2: at the moment that is proven ---- */
static struct an_outcome
rule_algorithm(const struct an_case *sig)
{
    struct an_pubkey *key = sig->cert ? an_cert_key(sig->cert) : NULL;
    an_code code;

    if (sig->verdict.class_ == AN_CERT_ALGORITHM)
        return of_verdict(sig, sig->verdict.sub == AN_SUB_CRYPTO_CONSTRAINTS_FAILURE ? AN_V_ALGORITHM_WEAK
                                                                                     : AN_V_ALGORITHM_NO_POE);
    if (!key)
        return skipped();
    code = an_verify_algorithm(sig->job->policy, &sig->scheme, an_pubkey_kind(key), an_pubkey_bits(key),
                               sig->best_time, sig->cert);
    if (code == AN_V_ALGORITHM_WEAK)
        return indeterminate(AN_SUB_CRYPTO_CONSTRAINTS_FAILURE, code);
    if (code != AN_OK)
        return indeterminate(sig->has_poe ? AN_SUB_CRYPTO_CONSTRAINTS_FAILURE
                                          : AN_SUB_CRYPTO_CONSTRAINTS_FAILURE_NO_POE, code);
    return passed(AN_V_ALGORITHM_OK);
}

/* ---- time-stamps on the signature, 5.5.4; Bình Thuận Điều 14 khoản 1 điểm d ---- */
static const struct an_stamp *
worst_stamp(const struct an_case *sig)
{
    const struct an_stamp *worst = NULL;

    for (size_t i = 0; i < sig->stamps.count; i++) {
        const struct an_stamp *stamp = &sig->stamps.items[i];

        if (stamp->kind == AN_STAMP_DOCUMENT && !sig->report->is_time_stamp)
            continue;
        if (!worst || stamp->status > worst->status)
            worst = stamp;
    }
    return worst;
}

static struct an_outcome
rule_stamp(const struct an_case *sig)
{
    const struct an_stamp *worst = worst_stamp(sig);
    struct an_outcome outcome;

    if (!worst)
        return sig->job->policy->time_stamp_required
                   ? indeterminate(AN_SUB_SIG_CONSTRAINTS_FAILURE, AN_V_STAMP_NONE)
                   : (struct an_outcome){.status = AN_FINDING_NOTE, .code = AN_V_STAMP_NONE};
    if (worst->status == AN_FINDING_PASSED)
        return passed(AN_V_STAMP_OK);
    outcome = (struct an_outcome){.why = worst->why, .detail = worst->detail};
    if (worst->status == AN_FINDING_FAILED) {
        /* The signature itself may stand; but a stamp that is wrong is never passed over in silence. */
        outcome.status = AN_FINDING_INDETERMINATE;
        outcome.sub = AN_SUB_SIG_CONSTRAINTS_FAILURE;
        outcome.code = AN_V_STAMP_BAD;
        outcome.shown = AN_FINDING_FAILED;
    } else if (sig->job->policy->time_stamp_required) {
        outcome.status = AN_FINDING_INDETERMINATE;
        outcome.sub = worst->sub;
        outcome.code = AN_V_STAMP_UNKNOWN;
    } else {
        outcome.status = AN_FINDING_NOTE; /* a stamp that proves nothing is as no stamp */
        outcome.code = AN_V_STAMP_UNKNOWN;
        outcome.shown = AN_FINDING_INDETERMINATE;
    }
    return outcome;
}

/* 5.5.4 step 5: content stamps before signature stamps before archive stamps; accuracy gives leeway. */
static struct an_outcome
rule_stamp_order(const struct an_case *sig)
{
    static const int order[] = {[AN_STAMP_CONTENT] = 0, [AN_STAMP_SIGNATURE] = 1, [AN_STAMP_DOCUMENT] = 2,
                                [AN_STAMP_ARCHIVE] = 2};

    if (sig->stamps.count < 2)
        return skipped();
    for (size_t i = 0; i < sig->stamps.count; i++) {
        const struct an_stamp *a = &sig->stamps.items[i];

        for (size_t j = 0; a->tst && j < sig->stamps.count; j++) {
            const struct an_stamp *b = &sig->stamps.items[j];
            int64_t leeway = 1 + (a->tst->accuracy_ms > 0 ? a->tst->accuracy_ms / 1000 : 0);

            if (b->tst && order[a->kind] < order[b->kind] && a->tst->gen_time > b->tst->gen_time + leeway)
                return indeterminate(AN_SUB_TIMESTAMP_ORDER_FAILURE, AN_V_STAMP_ORDER);
        }
    }
    return passed(AN_V_STAMP_ORDER_OK);
}

/* A document time-stamp as a row of its own. */
static struct an_outcome
rule_document_stamp(const struct an_case *sig)
{
    const struct an_stamp *stamp = sig->stamps.count ? &sig->stamps.items[0] : NULL;

    if (!stamp)
        return skipped();
    if (stamp->status == AN_FINDING_PASSED)
        return passed(AN_V_STAMP_OK);
    return (struct an_outcome){.status = stamp->status, .sub = stamp->sub, .why = stamp->why, .detail = stamp->detail,
                               .code = stamp->status == AN_FINDING_FAILED ? AN_V_STAMP_BAD : AN_V_STAMP_UNKNOWN};
}

const struct an_rule an_signature_rules[] = {
    {"format.structure", rule_structure},
    {"format.byte-range", rule_coverage},
    {"signature.certificate", rule_identified},
    {"signature.data", rule_data},
    {"signature.integrity", rule_integrity},
    {"signature.value", rule_value},
    {"document.changes", rule_changes},
    {"signature.constraints", rule_constraints},
    {"certificate.path", rule_path},
    {"certificate.usage", rule_usage},
    {"certificate.validity", rule_validity},
    {"certificate.status", rule_status},
    {"signature.algorithm", rule_algorithm},
    {"time-stamp.signature", rule_stamp},
    {"time-stamp.order", rule_stamp_order},
};
const size_t an_signature_rule_count = AN_COUNT(an_signature_rules);

const struct an_rule an_stamp_rules[] = {
    {"format.structure", rule_structure},
    {"format.byte-range", rule_coverage},
    {"time-stamp.document", rule_document_stamp},
    {"document.changes", rule_changes},
};
const size_t an_stamp_rule_count = AN_COUNT(an_stamp_rules);
