/*
 * From evidence to verdict, the same for every format: time-stamps, proofs of existence, certificate, rules, words
 * (EN 319 102-1, 5.5 and 5.6 as one pass: a signature without time-stamps is the case where nothing was proven).
 */
#include <stdarg.h>
#include <stdio.h>

#include "verify/rules.h"

void
an_step_set(struct an_step *step, enum an_finding_status status, an_code code, const char *fmt, ...)
{
    va_list args;

    step->status = status;
    step->code = code;
    va_start(args, fmt);
    vsnprintf(step->detail, sizeof(step->detail), fmt, args);
    va_end(args);
}

/* ---- the cryptography of one CMS signer ---- */
static void
fail_structure(struct an_case *sig, an_code code, const char *detail)
{
    an_step_set(&sig->structure, AN_FINDING_FAILED, AN_V_FORMAT_ATTRIBUTE, "%s: %.150s", an_message_find(code)->en,
                detail);
    an_step_set(&sig->value, AN_FINDING_INDETERMINATE, AN_V_VALUE_UNKNOWN, "%s", "");
}

static void
read_result(struct an_case *sig, an_code code, const char *detail)
{
    an_step_set(&sig->integrity, AN_FINDING_PASSED, AN_V_INTEGRITY_OK, "%s", an_digest_name(sig->digest));
    an_step_set(&sig->value, AN_FINDING_PASSED, AN_V_VALUE_OK, "%s", "");
    switch (code) {
    case AN_OK:
        return;
    case AN_V_CMS_DIGEST:
        an_step_set(&sig->integrity, AN_FINDING_FAILED, AN_V_INTEGRITY_BAD, "%.199s", detail);
        an_step_set(&sig->value, AN_FINDING_INDETERMINATE, AN_V_VALUE_UNKNOWN, "%s", "");
        return;
    case AN_V_CMS_ATTRIBUTE_MISSING:
    case AN_V_CMS_ATTRIBUTE_TWICE:
    case AN_V_CMS_CONTENT_TYPE:
        fail_structure(sig, code, detail);
        return;
    case AN_V_CMS_KEY:
        an_step_set(&sig->value, AN_FINDING_INDETERMINATE, AN_V_VALUE_UNKNOWN, "%.199s", detail);
        return;
    case AN_V_CMS_ESS:
        an_step_set(&sig->identified, AN_FINDING_INDETERMINATE, AN_V_SIGNER_OTHER, "%.199s", detail);
        return;
    default:
        an_step_set(&sig->value, AN_FINDING_FAILED, AN_V_VALUE_BAD, "%s: %.120s", an_message_find(code)->en, detail);
    }
}

/* Without a certificate the digest can still be compared. */
static void
compare_digest(struct an_case *sig, const struct an_cms_signer *signer, an_bytes content_digest)
{
    an_step_set(&sig->value, AN_FINDING_INDETERMINATE, AN_V_VALUE_UNKNOWN, "%s", "");
    if (!signer->message_digest.len)
        an_step_set(&sig->integrity, AN_FINDING_INDETERMINATE, AN_V_INTEGRITY_UNKNOWN, "%s", "");
    else if (an_bytes_eq(signer->message_digest, content_digest))
        an_step_set(&sig->integrity, AN_FINDING_PASSED, AN_V_INTEGRITY_OK, "%s", an_digest_name(sig->digest));
    else
        an_step_set(&sig->integrity, AN_FINDING_FAILED, AN_V_INTEGRITY_BAD, "%s", "");
}

/* RFC 8419: Ed25519 goes with SHA-512, Ed448 with SHAKE256 and nothing else. */
static bool
digest_suits_key(struct an_cert *cert, const struct an_cms_signer *signer)
{
    struct an_pubkey *key = an_cert_key(cert);

    if (!key || !signer->signed_attrs.len)
        return true;
    if (an_pubkey_kind(key) == AN_KEY_ED25519)
        return signer->digest == AN_SHA512;
    return an_pubkey_kind(key) != AN_KEY_ED448 || strcmp(an_digest_name(signer->digest), "SHAKE256") == 0;
}

static void
name_signer(struct an_case *sig, struct an_cert *cert)
{
    struct an_buf name = an_buf_new(4096);

    sig->report->cert = an_verifier_intern_cert(sig->job->verifier, cert);
    sig->cert = sig->report->cert;
    if (!an_name_attribute(cert->subject, "2.5.4.3", &name) || !name.len) {
        an_buf_reset(&name);
        an_name_text(cert->subject, &name);
    }
    sig->report->signer = an_strdup_bytes(an_buf_view(&name));
    an_buf_free(&name);
}

void
an_case_identify(struct an_case *sig, struct an_cert *cert)
{
    if (!cert) {
        an_step_set(&sig->identified, AN_FINDING_INDETERMINATE, AN_V_SIGNER_NONE, "%s", "");
        return;
    }
    name_signer(sig, cert);
    an_step_set(&sig->identified, AN_FINDING_PASSED, AN_V_SIGNER_OK, "%.199s", sig->report->signer);
}

/* In the object, among what came with it, at last among what the caller trusts: a signer may carry no certificate at
 * all. */
static struct an_cert *
find_signer(const struct an_case *sig, const struct an_cms *cms, const struct an_cms_signer *signer)
{
    struct an_cert *cert = an_cms_signer_cert(cms, signer, &sig->job->material.certs);

    return cert ? cert : an_cms_signer_cert(cms, signer, sig->job->options->anchors);
}

void
an_case_check_cms(struct an_case *sig, const struct an_cms *cms, const struct an_cms_signer *signer,
                  an_bytes content_type, an_bytes content_digest)
{
    struct an_cert *cert = find_signer(sig, cms, signer);
    struct an_err err = {0};
    an_code code;

    an_case_identify(sig, cert);
    if (signer->digest == AN_DIGEST_NONE) {
        an_step_set(&sig->value, AN_FINDING_FAILED, AN_V_VALUE_BAD, "%s", "digest algorithm not supported");
        return;
    }
    if (!content_digest.len) {
        an_step_set(&sig->data, AN_FINDING_INDETERMINATE, AN_V_DATA_MISSING, "%s", "");
        an_step_set(&sig->integrity, AN_FINDING_INDETERMINATE, AN_V_INTEGRITY_UNKNOWN, "%s", "");
        an_step_set(&sig->value, AN_FINDING_INDETERMINATE, AN_V_VALUE_UNKNOWN, "%s", "");
        return;
    }
    an_step_set(&sig->data, AN_FINDING_PASSED, AN_V_DATA_OK, "%s", "");
    if (!cert) {
        compare_digest(sig, signer, content_digest);
        return;
    }
    code = an_cms_check_signer(signer, sig->cert, content_type, content_digest, &err);
    if (code == AN_OK && !digest_suits_key(sig->cert, signer))
        code = an_err_set(&err, AN_V_CMS_ALGORITHM, "%s with this EdDSA key", an_digest_name(signer->digest));
    read_result(sig, code, err.detail);
}

void
an_case_check_other(struct an_case *sig, const struct an_cms *cms, const struct an_cms_signer *signer,
                    an_bytes content_digest)
{
    struct an_cert *cert = find_signer(sig, cms, signer);
    struct an_err err = {0};
    an_code code;

    if (sig->value.status == AN_FINDING_FAILED)
        return;
    if (!cert || !content_digest.len) {
        an_step_set(&sig->value, AN_FINDING_INDETERMINATE, AN_V_VALUE_UNKNOWN, "%s", "another SignerInfo");
        return;
    }
    code = an_cms_check_signer(signer, cert, cms->content_type, content_digest, &err);
    if (code == AN_OK && digest_suits_key(cert, signer))
        return;
    an_step_set(&sig->value, AN_FINDING_FAILED, AN_V_VALUE_BAD, "another SignerInfo: %.120s", err.detail);
}

/* ---- time-stamps on the signature value ---- */
static const char id_signature_stamp[] = "1.2.840.113549.1.9.16.2.14";

void
an_case_read_stamps(struct an_case *sig, const struct an_cms_signer *signer)
{
    for (size_t i = 0; i < signer->unsigned_count; i++) {
        an_bytes values = signer->unsigned_attributes[i].values;
        an_bytes token, value;
        int tag;

        if (!an_oid_eq(signer->unsigned_attributes[i].oid, id_signature_stamp))
            continue;
        while (values.len && an_der_any(&values, &tag, &token, &value, NULL) == AN_OK)
            an_stamp_read(sig->job, &sig->stamps, AN_STAMP_SIGNATURE, token);
    }
}

static void
judge_stamps(struct an_case *sig)
{
    uint8_t digest[AN_DIGEST_MAX];

    for (size_t i = 0; i < sig->stamps.count; i++) {
        struct an_stamp *stamp = &sig->stamps.items[i];
        an_bytes over = AN_NONE;

        if (stamp->tst && stamp->kind == AN_STAMP_SIGNATURE && !stamp->judged) {
            an_hash_once(stamp->tst->digest, sig->signature, digest);
            over = AN_BYTES(digest, an_digest_size(stamp->tst->digest));
        }
        an_stamp_judge(sig->job, stamp, over);
        an_stamp_report(sig->job, sig->report, stamp);
    }
}

/* The earliest moment at which the signature provably existed. True when a stamp of the signature itself says so. */
static bool
find_best_time(struct an_case *sig)
{
    struct an_job *job = sig->job;
    uint8_t id[32];
    bool own = false;

    an_poe_id(sig->signature, id);
    if (job->exists_since != AN_TIME_NONE)
        an_poe_add(&job->poes, id, job->exists_since);
    for (size_t i = 0; i < sig->stamps.count; i++) {
        const struct an_stamp *stamp = &sig->stamps.items[i];

        if (stamp->status != AN_FINDING_PASSED || stamp->tst->gen_time > job->now || stamp->kind == AN_STAMP_CONTENT ||
            stamp->is_aside)
            continue;
        an_poe_add(&job->poes, id, stamp->tst->gen_time);
        own = own || stamp->kind == AN_STAMP_SIGNATURE;
    }
    sig->best_time = an_poe_find(&job->poes, id, job->now);
    sig->has_poe = sig->best_time < job->now;
    sig->report->best_time = sig->has_poe ? sig->best_time : AN_TIME_NONE;
    return own;
}

static void
report_chain(struct an_case *sig)
{
    const struct an_path_result *path = &sig->verdict.path->result;

    sig->report->chain = an_new_array(path->chain_count, sizeof(*sig->report->chain));
    sig->report->chain_count = path->chain_count;
    for (size_t i = 0; i < path->chain_count; i++)
        sig->report->chain[i] = an_cert_ref(path->chain[i]);
}

/* ---- the rule table ---- */
static void
add_finding(struct an_case *sig, const struct an_rule *rule, const struct an_outcome *outcome)
{
    enum an_finding_status shown = outcome->shown != AN_FINDING_PASSED ? outcome->shown : outcome->status;
    const char *detail = outcome->detail ? outcome->detail : "";

    an_finding_add(sig->report, rule->id, shown, outcome->code, "%s", detail);
    /* The exact reason of a lower room has words of its own in both languages. */
    if (outcome->why != AN_OK && outcome->why != outcome->code)
        an_finding_add(sig->report, rule->id, AN_FINDING_NOTE, outcome->why, "%s", detail);
}

/* The first failed, then the first indeterminate; what is the last word gives way to neither. */
static bool
decides(const struct an_outcome *outcome, const struct an_outcome *before)
{
    if (before->is_last || before->status == AN_FINDING_FAILED)
        return false;
    return outcome->status == AN_FINDING_FAILED || outcome->is_last ||
           (outcome->status == AN_FINDING_INDETERMINATE && before->status == AN_FINDING_PASSED);
}

static void
run_rules(struct an_case *sig, const struct an_rule *rules, size_t count)
{
    struct an_outcome decisive = {.status = AN_FINDING_PASSED};

    for (size_t i = 0; i < count; i++) {
        struct an_outcome outcome = rules[i].check(sig);

        add_finding(sig, &rules[i], &outcome);
        if (decides(&outcome, &decisive))
            decisive = outcome;
    }
    sig->report->indication = decisive.status == AN_FINDING_PASSED   ? AN_TOTAL_PASSED
                              : decisive.status == AN_FINDING_FAILED ? AN_TOTAL_FAILED
                                                                     : AN_INDETERMINATE;
    sig->report->sub_indication = an_sub_name(decisive.sub);
}

static void
find_word(struct an_case *sig)
{
    struct an_signature_report *report = sig->report;
    bool stamp_failed = report->is_time_stamp && sig->stamps.count && sig->stamps.items[0].status == AN_FINDING_FAILED;
    /* What was signed is right, but its dictionary was written anew behind it: that is a change, not damage. */
    bool is_replaced = sig->is_replaced && sig->integrity.status == AN_FINDING_PASSED &&
        sig->value.status == AN_FINDING_PASSED;

    if (sig->structure.status == AN_FINDING_FAILED || (sig->coverage.status == AN_FINDING_FAILED && !is_replaced) ||
        sig->integrity.status == AN_FINDING_FAILED || sig->value.status == AN_FINDING_FAILED || stamp_failed ||
        sig->is_lost)
        report->word = AN_WORD_BROKEN;
    else if (sig->changes.status == AN_FINDING_FAILED || is_replaced)
        report->word = AN_WORD_MODIFIED;
    else if (report->indication != AN_TOTAL_PASSED)
        report->word = AN_WORD_NOT_ENOUGH;
    else
        report->word = sig->changes_allowed ? AN_WORD_VALID_WITH_CHANGES : AN_WORD_VALID;
}

void
an_case_conclude(struct an_case *sig)
{
    bool own_stamp;

    if (sig->job->container && sig->job->container->status == AN_FINDING_FAILED) {
        if (sig->job->container->code == AN_V_ASIC_MANIFEST)
            sig->integrity = *sig->job->container;
        else
            sig->structure = *sig->job->container;
    }
    an_keep_value(sig);
    judge_stamps(sig);
    own_stamp = find_best_time(sig);
    sig->verdict = (struct an_cert_verdict){.revoked_at = AN_TIME_NONE, .status = AN_FINDING_INDETERMINATE};
    if (sig->cert) {
        an_certificate_judge(sig->job, sig->cert, NULL, sig->best_time, &sig->verdict);
        if (own_stamp)
            an_cert_verdict_settle(&sig->verdict);
        report_chain(sig);
    }
    an_facts_add(sig);
    run_rules(sig, an_signature_rules, an_signature_rule_count);
    an_network_add_case(sig);
    find_word(sig);
    an_lines_add(sig);
    an_effect_classify(sig->report);
}

/* A document time-stamp: stamps.items[0], judged by the reader in the order of time. */
void
an_case_conclude_stamp(struct an_case *sig)
{
    struct an_stamp *stamp = sig->stamps.count ? &sig->stamps.items[0] : NULL;
    const struct an_step *container = sig->job->container;

    /* Right over a manifest that is not right: it stamps other files than those that are here. */
    if (stamp && container && container->status == AN_FINDING_FAILED && stamp->status != AN_FINDING_FAILED)
        an_stamp_fail(stamp, AN_SUB_HASH_FAILURE, container->code, container->detail);
    if (stamp) {
        if (stamp->cert) {
            name_signer(sig, stamp->cert);
            sig->verdict.path = stamp->verdict.path;
            if (sig->verdict.path)
                report_chain(sig);
            sig->verdict.path = NULL;
        }
        an_stamp_report(sig->job, sig->report, stamp);
        sig->report->claimed_time = stamp->tst ? stamp->tst->gen_time : AN_TIME_NONE;
        sig->report->best_time = stamp->status == AN_FINDING_PASSED ? stamp->tst->gen_time : AN_TIME_NONE;
    }
    run_rules(sig, an_stamp_rules, an_stamp_rule_count);
    an_network_add_case(sig);
    find_word(sig);
}

void
an_case_done(struct an_case *sig)
{
    an_stamps_free(&sig->stamps);
    an_cert_verdict_done(&sig->verdict);
}
