/*
 * The certificate behind a signature or a time-stamp: X.509 validation at the validation time (EN 319 102-1, 5.2.6),
 * and when that fails for a reason that time can heal, past certificate validation with validation time sliding
 * (5.6.2.1,
 * 5.6.2.2): the path is judged at the moment that is proven, and time slides back from now only as far as revocations
 * and stale status force it to.
 */
#include <stdio.h>

#include "verify/internal.h"

#define CENTURY_S ((int64_t)100 * 31557600) /* "any age": sliding judges freshness itself */

static const char id_time_stamping[] = "1.3.6.1.5.5.7.3.8";

/* Extended key usages under which documents are signed in the field (ecosystem.md 5.1: KU and EKU vary). */
static const char *const signing_purposes[] = {
    "2.5.29.37.0",                /* any */
    "1.3.6.1.5.5.7.3.36",         /* document signing, RFC 9336 */
    "1.3.6.1.5.5.7.3.4",          /* e-mail protection */
    "1.3.6.1.5.5.7.3.2",          /* client authentication: most tokens */
    "1.2.840.113583.1.1.5",       /* Adobe authentic documents */
    "1.3.6.1.4.1.311.10.3.12",    /* Microsoft document signing */
    "1.3.6.1.4.1.311.20.2.2",     /* smart card logon */
};

/* May this certificate sign documents? NĐ 68/2024 Điều 31 khoản 1 điểm b. No usage stated = no limit stated. */
bool
an_cert_may_sign(const struct an_cert *cert)
{
    if (cert->has_key_usage && !(cert->key_usage & (AN_KU_DIGITAL_SIGNATURE | AN_KU_NON_REPUDIATION)))
        return false;
    if (!cert->has_eku)
        return true;
    for (size_t i = 0; i < AN_COUNT(signing_purposes); i++)
        if (an_cert_has_eku(cert, signing_purposes[i]))
            return true;
    return false;
}

/* RFC 3161 2.3: the usage stands alone and is critical. A policy of path rules alone does not ask for that. */
static bool
may_stamp(const struct an_policy *policy, const struct an_cert *cert)
{
    const struct an_extension *eku = an_cert_extension(cert, "2.5.29.37");
    an_bytes list = eku ? eku->value : AN_NONE, usages, usage;

    if (!eku || !an_cert_has_eku(cert, id_time_stamping))
        return false;
    if (policy->any_algorithm)
        return true;
    return eku->critical && an_der_take(&list, AN_DER_SEQUENCE, &usages, NULL) == AN_OK &&
           an_der_take(&usages, AN_DER_OID, &usage, NULL) == AN_OK && usages.len == 0;
}

/* A conformance policy takes the lists it is given at their word: what they do not cover is not known to be good. */
static enum an_revocation_mode
revocation_mode(const struct an_job *job)
{
    const struct an_verify_options *options = job->options;

    if (options->revocation)
        return (enum an_revocation_mode)(options->revocation - 1);
    if (job->policy->any_algorithm && ((options->crls && options->crls->count) ||
                                       (options->ocsps && options->ocsps->count)))
        return AN_REVOCATION_REQUIRE;
    return (enum an_revocation_mode)job->policy->revocation;
}

static struct an_path_params
params_at(struct an_job *job, const char *purpose, an_time at)
{
    const struct an_verify_options *options = job->options;

    return (struct an_path_params){
        .anchors = &job->anchors, .untrusted = &job->material.certs, .crls = &job->material.crls,
        .ocsps = &job->material.ocsps, .at = at, .status_at = AN_TIME_NONE, .now = job->now,
        .freshness_max = job->policy->freshness_seconds, .revocation = revocation_mode(job),
        .purpose = purpose, .algorithms = an_verify_algorithms(job->policy), .fetch = options->fetch,
        .policy_oids = options->policy_oids, .policy_count = options->policy_count,
        .explicit_policy = options->explicit_policy, .inhibit_mapping = options->inhibit_mapping,
        .inhibit_any_policy = options->inhibit_any_policy,
    };
}

static void
take_path(struct an_job *job, struct an_cert_verdict *verdict, struct an_path_entry *entry)
{
    const struct an_path_result *result = &entry->result;

    an_path_entry_unref(&verdict->path);
    verdict->path = entry;
    an_keep_path(job, result);
    snprintf(verdict->detail, sizeof(verdict->detail), "%s", result->detail);
    verdict->status_known = result->valid && result->status != NULL && result->chain_count > 1 &&
                            result->status[0].status == AN_STATUS_GOOD;
    for (size_t i = 0; result->status && i + 1 < result->chain_count; i++)
        an_fact_revoked(verdict, result->chain[i], &result->status[i]);
    verdict->revoked_at = AN_TIME_NONE;
    if (result->status && result->chain_count > 1 && result->status[0].status == AN_STATUS_REVOKED)
        verdict->revoked_at = result->status[0].revoked_at;
}

/* What a remembered path depends on beside certificates, lists and time: everything that was asked of it. */
static size_t
write_salt(const char *kind, const struct an_job *job, const struct an_path_params *params, char ret[static 160])
{
    struct an_buf oids = an_buf_new(AN_BUF_UNLIMITED);
    uint8_t id[32];
    int len;

    for (size_t i = 0; i < params->policy_count; i++)
        an_buf_printf(&oids, "%s,", params->policy_oids[i]);
    an_poe_id(an_buf_view(&oids), id);
    an_buf_free(&oids);
    len = snprintf(ret, 160, "%s|%.40s|%.40s|%d%d%d%d|", kind, job->policy->id, params->purpose ? params->purpose : "",
                   (int)params->revocation, params->explicit_policy, params->inhibit_mapping,
                   params->inhibit_any_policy);
    memcpy(ret + len, id, 16);
    return (size_t)len + 16;
}

/* ---- basic: at the validation time ---- */
static void
judge_now(struct an_job *job, struct an_cert *leaf, const char *purpose, struct an_cert_verdict *verdict)
{
    struct an_path_params params = params_at(job, purpose, job->now);
    struct an_path_entry *entry;
    char salt[160];
    size_t len = write_salt("now", job, &params, salt);

    entry = an_verifier_path(job->verifier, leaf, &params, AN_BYTES(salt, len));
    take_path(job, verdict, entry);
    an_cert_verdict_set(verdict, an_cert_class_of(entry->result.why, entry->result.at), entry->result.why);
    if (verdict->class_ == AN_CERT_EXPIRED && entry->result.status &&
        entry->result.status[0].status == AN_STATUS_GOOD && entry->result.status[0].this_update > leaf->not_after)
        verdict->sub = AN_SUB_OUT_OF_BOUNDS_NOT_REVOKED;
}

/* ---- past certificate validation ---- */
struct slide {
    struct an_job *job;
    struct an_cert_verdict *verdict;
    an_time best_time; /* when the thing signed provably existed */
    an_time control;   /* validation time, sliding */
    struct an_path_params params;
};

static bool
slide_fail(struct slide *slide, enum an_cert_class class_, an_code why, const struct an_cert *cert)
{
    struct an_buf name = an_buf_new(180);

    an_cert_verdict_set(slide->verdict, class_, why);
    an_name_text(cert->subject, &name);
    snprintf(slide->verdict->detail, sizeof(slide->verdict->detail), "%.*s", AN_FMT(an_buf_view(&name)));
    an_buf_free(&name);
    return false;
}

static an_time
status_poe(const struct slide *slide, const struct an_status_result *status)
{
    uint8_t id[32];

    if (!status->crl && !status->ocsp)
        return slide->job->now;
    an_poe_id(status->crl ? status->crl->der : status->ocsp->der, id);
    return an_poe_find(&slide->job->poes, id, slide->job->now);
}

/* A status answers for later moments only until its nextUpdate (RFC 5280 and law: status "at the time of signing"). */
static void
slide_to_status(struct slide *slide, const struct an_status_result *status)
{
    int64_t slack = slide->job->policy->freshness_seconds;
    an_time good_until = status->next_update != AN_TIME_NONE ? status->next_update : status->this_update;

    if (good_until == AN_TIME_NONE)
        return;
    if (slack > 0)
        good_until += slack;
    if (good_until < slide->control)
        slide->control = good_until;
}

static bool
slide_revocation(struct slide *slide, size_t at)
{
    struct an_path_result *path = &slide->verdict->path->result;
    struct an_cert *cert = path->chain[at];
    struct an_status_result status = {0};
    bool goes_on = true;

    if (slide->params.revocation == AN_REVOCATION_NONE)
        return true;
    an_status_check(cert, path->chain[at + 1], &slide->params, &status);
    an_keep_status(slide->job, &status);
    an_fact_revoked(slide->verdict, cert, &status);
    if (status.status == AN_STATUS_REVOKED) {
        if (at == 0)
            slide->verdict->revoked_at = status.revoked_at;
        if (status.revoked_at < slide->control)
            slide->control = status.revoked_at;
        if (status.revoked_at <= slide->best_time)
            goes_on = slide_fail(slide, at ? AN_CERT_CA_REVOKED : AN_CERT_REVOKED,
                                 at ? AN_V_PATH_CA_REVOKED : AN_V_PATH_REVOKED, cert);
    } else if (status.status == AN_STATUS_GOOD) {
        if (status_poe(slide, &status) > slide->control)
            goes_on = slide_fail(slide, AN_CERT_STATUS_UNKNOWN, AN_V_STATUS_FUTURE, cert);
        slide_to_status(slide, &status);
        if (at == 0)
            slide->verdict->status_known = true;
    } else if (slide->params.revocation == AN_REVOCATION_REQUIRE) {
        goes_on = slide_fail(slide, AN_CERT_STATUS_UNKNOWN, status.why ? status.why : AN_V_STATUS_NONE, cert);
    }
    an_status_result_done(&status);
    return goes_on;
}

static bool
slide_algorithm(struct slide *slide, size_t at)
{
    struct an_path_result *path = &slide->verdict->path->result;
    struct an_cert *cert = path->chain[at], *issuer = path->chain[at + 1];
    struct an_pubkey *key = an_cert_key(issuer);
    an_time until;

    if (!key)
        return slide_fail(slide, AN_CERT_ALGORITHM, AN_V_PATH_ALGORITHM, cert);
    until = an_verify_good_until(slide->job->policy, &cert->scheme, an_pubkey_kind(key), an_pubkey_bits(key), issuer);
    if (until == AN_TIME_NONE || until < slide->best_time)
        return slide_fail(slide, AN_CERT_ALGORITHM, AN_V_PATH_ALGORITHM, cert);
    if (until < slide->control)
        slide->control = until;
    return true;
}

static bool
slide_validity(struct slide *slide, size_t at)
{
    const struct an_cert *cert = slide->verdict->path->result.chain[at];

    if (slide->best_time < cert->not_before)
        return slide_fail(slide, at ? AN_CERT_CA_OUT_OF_BOUNDS : AN_CERT_NOT_YET, AN_V_PATH_NOT_YET_VALID, cert);
    if (slide->best_time > cert->not_after)
        return slide_fail(slide, at ? AN_CERT_CA_OUT_OF_BOUNDS : AN_CERT_EXPIRED, AN_V_PATH_EXPIRED, cert);
    return true;
}

/* From the anchor's child down to the leaf. */
static void
slide_down(struct slide *slide)
{
    const struct an_path_result *path = &slide->verdict->path->result;

    for (size_t at = path->chain_count - 1; at-- > 0;) {
        if (!slide_validity(slide, at) || !slide_revocation(slide, at) || !slide_algorithm(slide, at))
            return;
        if (slide->best_time > slide->control) {
            slide_fail(slide, AN_CERT_STATUS_UNKNOWN, AN_V_STATUS_STALE, path->chain[at]);
            return;
        }
    }
    an_cert_verdict_set(slide->verdict, AN_CERT_GOOD, AN_OK);
    slide->verdict->detail[0] = 0;
    slide->verdict->from_past = true;
}

static void
judge_past(struct an_job *job, struct an_cert *leaf, const char *purpose, an_time best_time,
           struct an_cert_verdict *verdict)
{
    struct slide slide = {.job = job, .verdict = verdict, .best_time = best_time, .control = job->now,
                          .params = params_at(job, purpose, best_time)};
    struct an_path_entry *entry;
    an_time revoked_at = verdict->revoked_at;
    char salt[160];
    size_t len;
    enum an_revocation_mode mode = slide.params.revocation;

    slide.params.ignore_validity = true;
    slide.params.revocation = AN_REVOCATION_NONE;
    slide.params.algorithms = (an_algorithm_policy){0};
    len = write_salt("past", job, &slide.params, salt);
    entry = an_verifier_path(job->verifier, leaf, &slide.params, AN_BYTES(salt, len));
    if (!entry->result.valid || entry->result.chain_count < 2) {
        an_path_entry_unref(&entry);
        return; /* time heals nothing: what was found at the validation time stands */
    }
    take_path(job, verdict, entry);
    verdict->revoked_at = revoked_at;
    slide.params.revocation = mode;
    slide.params.freshness_max = CENTURY_S;
    slide_down(&slide);
}

/* Could the same path have been good earlier? */
static bool
time_heals(enum an_cert_class class_)
{
    switch (class_) {
    case AN_CERT_EXPIRED:
    case AN_CERT_CA_OUT_OF_BOUNDS:
    case AN_CERT_REVOKED:
    case AN_CERT_CA_REVOKED:
    case AN_CERT_STATUS_UNKNOWN:
    case AN_CERT_ALGORITHM:
        return true;
    default:
        return false;
    }
}

/* A time-stamp that belongs to the signature fixes the moment of signing, and the doubt becomes a fact (NĐ 68/2024
 * Điều 31 khoản 1 điểm a, c). A stamp added later by somebody else proves no such thing: callers do not settle then. */
void
an_cert_verdict_settle(struct an_cert_verdict *verdict)
{
    if (verdict->class_ == AN_CERT_REVOKED) {
        verdict->status = AN_FINDING_FAILED;
        verdict->sub = AN_SUB_REVOKED;
    } else if (verdict->class_ == AN_CERT_EXPIRED) {
        verdict->status = AN_FINDING_FAILED;
        verdict->sub = AN_SUB_EXPIRED;
    } else if (verdict->class_ == AN_CERT_NOT_YET) {
        verdict->status = AN_FINDING_FAILED;
        verdict->sub = AN_SUB_NOT_YET_VALID;
    }
}

/* Where the policy lets an unknown status pass, what is out of date still speaks: a list that is old answers for the
 * proven moment of signing, and a revocation does not wear off. */
static void
ask_older_status(struct an_job *job, struct an_cert *leaf, const char *purpose, an_time best_time,
                 struct an_cert_verdict *verdict)
{
    struct an_cert_verdict older = {.class_ = AN_CERT_STATUS_UNKNOWN, .revoked_at = AN_TIME_NONE};

    if (verdict->status_known || revocation_mode(job) == AN_REVOCATION_NONE ||
        (!job->material.crls.count && !job->material.ocsps.count))
        return;
    judge_past(job, leaf, purpose, best_time, &older);
    if ((older.class_ == AN_CERT_GOOD && older.status_known) || older.class_ == AN_CERT_REVOKED ||
        older.class_ == AN_CERT_CA_REVOKED) {
        an_cert_verdict_done(verdict);
        *verdict = older;
    } else {
        an_cert_verdict_done(&older);
    }
}

/* An anchor is a name and a key (RFC 5280, 6.1.1 d): who trusts the signer himself does so until he no longer does. */
static void
trust_signer(const struct an_job *job, struct an_cert_verdict *verdict)
{
    bool is_anchor = verdict->path && verdict->path->result.chain_count == 1;

    if (is_anchor && verdict->class_ == AN_CERT_EXPIRED && job->policy->trusted_signer_enough) {
        an_cert_verdict_set(verdict, AN_CERT_GOOD, AN_OK);
        verdict->detail[0] = 0;
    }
}

void
an_certificate_judge(struct an_job *job, struct an_cert *leaf, const char *purpose, an_time best_time,
                     struct an_cert_verdict *ret)
{
    bool has_poe = best_time < job->now;

    *ret = (struct an_cert_verdict){.revoked_at = AN_TIME_NONE};
    judge_now(job, leaf, purpose, ret);
    trust_signer(job, ret);
    if (ret->class_ != AN_CERT_GOOD && has_poe && time_heals(ret->class_))
        judge_past(job, leaf, purpose, best_time, ret);
    else if (ret->class_ == AN_CERT_GOOD)
        ask_older_status(job, leaf, purpose, best_time, ret);
    /* Proven to be older than its certificate (5.5.4): a stamp over something else, or a forged certificate. */
    if (ret->class_ == AN_CERT_GOOD && has_poe && best_time < leaf->not_before)
        an_cert_verdict_set(ret, AN_CERT_NOT_YET, AN_V_PATH_NOT_YET_VALID);
    if (ret->class_ == AN_CERT_GOOD && !purpose && !job->policy->any_algorithm &&
        !an_cert_may_sign(leaf))
        an_cert_verdict_set(ret, AN_CERT_PURPOSE, AN_V_CERT_USAGE_BAD);
    if (ret->class_ == AN_CERT_GOOD && purpose && !may_stamp(job->policy, leaf))
        an_cert_verdict_set(ret, AN_CERT_PURPOSE, AN_V_STAMP_TSA);
    if (has_poe && ret->class_ == AN_CERT_ALGORITHM)
        ret->sub = AN_SUB_CRYPTO_CONSTRAINTS_FAILURE;
}

void
an_cert_verdict_done(struct an_cert_verdict *verdict)
{
    an_fact_revoked_done(&verdict->revoked);
    an_path_entry_unref(&verdict->path);
}
