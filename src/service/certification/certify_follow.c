/* Renewal and change of information: a certificate that follows another. */
#include "service/certification/certify_internal.h"

#include <stdio.h>

#include "x509/csr.h"

#define DAY ((an_time)86400)
#define PARTS_MAX 32

/* What is followed, as the transaction will find it again. */
struct following {
    struct an_arena *arena;
    struct an_certificate before;
    struct an_cert *cert; /* counted */
    struct an_name_part parts[PARTS_MAX]; size_t part_count;
    struct an_buf email;
};

static void
following_done(struct following *f)
{
    an_cert_unref(&f->cert);
    an_arena_free(&f->arena);
    an_buf_free(&f->email);
}

static an_code
load_before(struct an_certifier *certifier, const char *serial, struct following *f, struct an_err *reterr)
{
    AN_TRY(an_certify_find(certifier, serial, f->arena, &f->before, reterr));
    AN_TRY(an_cert_parse(f->before.der, &f->cert, reterr));
    /* as texts, so that the profile of today judges it */
    AN_TRY(an_name_parts_of(f->cert->subject, f->arena, f->parts, PARTS_MAX, &f->part_count, reterr));
    if (an_cert_email(f->cert, &f->email))
        an_buf_byte(&f->email, 0);
    return AN_OK;
}

static an_code
check_open(const struct an_certificate *before, int64_t days_left_min, an_time now, struct an_err *reterr)
{
    if (before->status != AN_CERTIFICATE_GOOD || before->not_after <= now)
        AN_FAIL(reterr, AN_E_CERTIFY_STATUS, "%s", an_certificate_status_name(before->not_after <= now
                ? AN_CERTIFICATE_EXPIRED : before->status));
    if (before->not_after - now < days_left_min * DAY)
        AN_FAIL(reterr, AN_E_CERTIFY_LATE, "%lld < %lld", (long long)((before->not_after - now) / DAY),
                (long long)days_left_min);
    return AN_OK;
}

/* A new key is proven as at issuance; no key given means the one it has. */
static an_code
choose_key(const struct an_recertify *what, const struct following *f, struct an_csr **ret_csr, an_bytes *ret,
           struct an_err *reterr)
{
    *ret = what->spki.len != 0 ? what->spki : f->cert->spki;
    if (what->csr.len == 0)
        return AN_OK;
    AN_TRY(an_csr_parse(what->csr, ret_csr, reterr));
    *ret = (*ret_csr)->spki;
    return an_csr_check(*ret_csr, reterr);
}

static void
digest_follow(const char *act, const struct an_recertify *what, an_bytes spki, uint8_t ret[32])
{
    struct an_hash *hash = an_hash_new(AN_SHA256);
    uint8_t digest[AN_DIGEST_MAX];
    char time[32];
    const char *texts[] = {act, what->serial, what->email, what->device, time};

    snprintf(time, sizeof(time), "%lld", (long long)what->not_after);
    for (size_t i = 0; i < AN_COUNT(texts); i++) {
        an_hash_update(hash, an_bytes_of_str(texts[i] ? texts[i] : ""));
        an_hash_update(hash, AN_BYTES("", 1));
    }
    for (size_t i = 0; i < what->subject_count; i++) {
        an_hash_update(hash, an_bytes_of_str(what->subject[i].oid));
        an_hash_update(hash, AN_BYTES("=", 1));
        an_hash_update(hash, an_bytes_of_str(what->subject[i].text));
        an_hash_update(hash, AN_BYTES("", 1));
    }
    an_hash_update(hash, spki);
    an_hash_final(hash, digest);
    an_hash_free(&hash);
    memcpy(ret, digest, 32);
}

struct earlier { const char *key; bool is_there; struct an_buf der; };

static an_code
look_for_earlier(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct earlier *e = context;
    int64_t id = 0, authority = 0;
    uint8_t digest[32];

    AN_TRY(an_register_by_request(tx, e->key, &id, digest, &authority, &e->der, reterr));
    e->is_there = id != 0;
    return AN_OK;
}

/* Conditions hold for who comes first; who repeats a request is given what it made. */
static an_code
is_repeated(struct an_certifier *certifier, const char *key, bool *ret, struct an_err *reterr)
{
    struct earlier e = {.key = key, .der = an_buf_new(AN_LIMIT_CERT_BYTES)};
    an_code code = an_store_read(certifier->setup.store, look_for_earlier, &e, reterr);

    an_buf_free(&e.der);
    *ret = e.is_there;
    return code;
}

struct follow_plan { const char *act, *kind; bool is_renewal; };

static an_code
check_conditions(const struct follow_plan *plan, const struct an_profile *profile, const struct an_certificate *before,
                 an_time now, struct an_err *reterr)
{
    AN_TRY(check_open(before, plan->is_renewal ? profile->renew_days_left_min : profile->change_days_left_min, now,
                      reterr));
    if (plan->is_renewal && before->renewals >= profile->renew_times_max)
        AN_FAIL(reterr, AN_E_CERTIFY_RENEW, "%lld", (long long)before->renewals);
    return AN_OK;
}

/* The authority that issued it, or the one that follows in its line. */
static an_code
authority_of(const struct certify_world *world, const struct an_certificate *before, const struct an_authority **ret,
             struct an_err *reterr)
{
    const struct an_authority *authority = an_authorities_by_id(&world->authorities, before->authority);

    return certify_authority(world, authority ? authority->line : before->authority_name, ret, reterr);
}

static an_code
follow_with(struct certify_job *job, struct certify_world *world, const struct an_recertify *what,
            const struct follow_plan *plan, struct following *f, struct an_certified *ret,
            struct an_err *reterr)
{
    AN_CLEANUP(an_csr_free) struct an_csr *csr = NULL;
    AN_CLEANUP(an_free_ptr) struct an_name_part *subject = NULL;
    struct an_issue issue = {.subject = f->parts, .subject_count = f->part_count,
                             .email = what->email ? what->email : f->email.len ? (const char *)f->email.ptr : NULL,
                             .not_before = job->now, .is_renewed = plan->is_renewal};
    const struct an_template *template;
    const struct an_profile *profile;
    bool repeated = false;

    AN_TRY(an_profiles_find(job->certifier->profiles, f->before.profile, &profile, reterr));
    if (what->subject_count != 0) {
        issue.subject = subject = an_new_array(what->subject_count + profile->part_count, sizeof(*subject));
        issue.subject_count = an_profile_arrange_subject(profile, what->subject, what->subject_count, subject);
    }
    AN_TRY(choose_key(what, f, &csr, &issue.spki, reterr));
    AN_TRY(is_repeated(job->certifier, what->request_key, &repeated, reterr));
    job->registration = (struct an_registration){.predecessor = f->before.id,
        .renewals = f->before.renewals + plan->is_renewal, .profile = profile->id, .email = issue.email,
        .subscriber = f->before.subscriber, .device = what->device ? what->device : f->before.device,
        .request_key = what->request_key, .kind = plan->kind};
    digest_follow(job->act, what, issue.spki, job->registration.request_digest);
    if (repeated)
        return certify_give_earlier(job, world, ret, reterr);
    AN_TRY(check_conditions(plan, profile, &f->before, job->now, reterr));
    AN_TRY(authority_of(world, &f->before, &job->authority, reterr));
    AN_TRY(certify_template_of(job->certifier, world, job->authority, profile, &template, reterr));
    issue.not_after = !plan->is_renewal ? f->before.not_after : what->not_after == AN_TIME_NONE
            ? an_profile_usual_end(profile, job->now, true) : what->not_after;
    job->before = &f->before;
    return certify_sign_and_store(job, world, template, &issue, ret, reterr);
}

static an_code
follow(struct an_certifier *certifier, const struct an_recertify *what, const struct follow_plan *plan,
       struct an_certified *ret, struct an_err *reterr)
{
    AN_CLEANUP(certify_world_give) struct certify_world *world = certify_world_take(certifier);
    AN_CLEANUP(following_done) struct following f = {.arena = an_arena_new(AN_LIMIT_CERT_BYTES * 4),
                                                     .email = an_buf_new(1024)};
    struct certify_job job = {.certifier = certifier, .reliance = what->reliance, .actor = &what->actor,
                              .act = plan->act, .now = an_time_now()};
    an_code code;

    AN_TRY(certify_check_key(what->request_key, reterr));
    AN_TRY(an_rules_require(certifier->rules, plan->act, what->actor.role, &job.citation, reterr));
    AN_TRY(an_quorum_require(&world->quorum, plan->act, what->reliance, reterr));
    if (!plan->is_renewal)
        AN_TRY(an_rules_ground(certifier->rules, "thay-the", &job.ground, reterr));
    AN_TRY(load_before(certifier, what->serial, &f, reterr));
    code = follow_with(&job, world, what, plan, &f, ret, reterr);
    if (code == AN_E_STORE_UNIQUE) /* meanwhile somebody followed the same certificate: under this key, or another */
        code = certify_give_earlier(&job, world, ret, NULL) == AN_OK ? AN_OK : an_err_set(reterr, AN_E_CERTIFY_FOLLOWED,
                "%s", what->serial);
    if (code == AN_OK && !plan->is_renewal && certifier->setup.announce != NULL)
        certifier->setup.announce(certifier->setup.announce_context);
    return code;
}

an_code
an_certify_renew(struct an_certifier *certifier, const struct an_recertify *what, struct an_certified *ret,
                 struct an_err *reterr)
{
    static const struct follow_plan plan = {"certificate.renew", "renewed", true};

    return follow(certifier, what, &plan, ret, reterr);
}

an_code
an_certify_change(struct an_certifier *certifier, const struct an_recertify *what, struct an_certified *ret,
                  struct an_err *reterr)
{
    static const struct follow_plan plan = {"certificate.change", "changed", false};

    return follow(certifier, what, &plan, ret, reterr);
}
