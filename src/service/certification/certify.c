/* Issuing: what is asked is checked and signed first; the transaction only writes. */
#include "service/certification/certify_internal.h"

#include <stdio.h>

#include "audit/audit.h"
#include "decision/decision.h"
#include "x509/csr.h"

#define REQUEST_KEY_MAX 128

void
an_certified_done(struct an_certified *certified)
{
    an_cert_unref(&certified->cert);
    an_cert_unref(&certified->issuer);
}

an_code
certify_check_key(const char *request_key, struct an_err *reterr)
{
    size_t len = request_key ? strlen(request_key) : 0;

    if (len == 0 || len > REQUEST_KEY_MAX)
        AN_FAIL(reterr, AN_E_CA_REQUEST, "%zu byte", len);
    return AN_OK;
}

an_code
certify_rely(struct an_tx *tx, const struct an_reliance *reliance, struct an_err *reterr)
{
    if (reliance == NULL || reliance->act == NULL)
        return AN_OK;
    return an_matter_require(tx, reliance->matter, reliance->act, reliance->object, reliance->facts, reterr);
}

an_code
certify_audit(struct an_tx *tx, const char *act, const struct an_actor *actor, an_bytes serial, const char *citation,
              const char *detail, an_time now, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf object = an_buf_new(256);

    an_buf_str(&object, "certificate:");
    an_buf_hex(&object, serial);
    an_buf_byte(&object, 0);
    const struct an_audit_event event = {.at = now, .action = act, .actor = actor->id, .role = actor->role,
                                         .object = (const char *)object.ptr, .outcome = "done", .citation = citation,
                                         .detail = detail};
    return an_audit_append(tx, &event, reterr);
}

/* ---- the transaction ---- */
static an_code
store_job(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct certify_job *job = context;
    const struct an_registration *r = &job->registration;
    char detail[256];

    job->id = 0;
    AN_TRY(certify_rely(tx, job->reliance, reterr));
    AN_TRY(an_register_insert(tx, r, &job->texts, job->now, &job->id, reterr));
    if (job->id == 0)
        return AN_OK; /* the key is taken: nothing was done */
    if (job->ground != NULL)
        AN_TRY(certify_status_in(tx, job->before, AN_CERTIFICATE_REVOKED, job->ground, AN_TIME_NONE, job->now, reterr));
    if (job->answer.len != 0)
        AN_TRY(job->certifier->first_answer.put(job->certifier->first_answer.context, tx, job->id, job->answer,
                                                job->now, reterr));
    snprintf(detail, sizeof(detail), "{\"authority\":\"%s\",\"profile\":\"%s\",\"follows\":%lld,\"matter\":%lld}",
             job->authority->name, r->profile, (long long)r->predecessor, (long long)r->matter);
    return certify_audit(tx, job->act, job->actor, r->cert->serial, job->citation, detail, job->now, reterr);
}

/* ---- what an earlier request of this key made ---- */
struct looking { const char *key; int64_t id, authority; uint8_t digest[32]; struct an_buf der; };

static an_code
look_up(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct looking *looking = context;

    return an_register_by_request(tx, looking->key, &looking->id, looking->digest, &looking->authority, &looking->der,
                                  reterr);
}

an_code
certify_give_earlier(const struct certify_job *job, const struct certify_world *world, struct an_certified *ret,
                     struct an_err *reterr)
{
    struct looking looking = {.key = job->registration.request_key, .der = an_buf_new(AN_LIMIT_CERT_BYTES)};
    an_code code = an_store_read(job->certifier->setup.store, look_up, &looking, reterr);
    const struct an_authority *authority = an_authorities_by_id(&world->authorities, looking.authority);

    if (code == AN_OK && (looking.id == 0 || memcmp(looking.digest, job->registration.request_digest, 32) != 0 ||
                          authority == NULL))
        code = an_err_set(reterr, AN_E_CA_REQUEST, "%s", looking.key);
    if (code == AN_OK)
        code = an_cert_parse(an_buf_view(&looking.der), &ret->cert, reterr);
    if (code == AN_OK) {
        ret->issuer = an_cert_ref(authority->cert);
        ret->id = looking.id;
        ret->is_repeated = true;
    }
    an_buf_free(&looking.der);
    return code;
}

/* ---- signing ---- */
/* The list by distribution point that a certificate belongs to, by its random number. */
static int64_t
partition_of(const struct an_authority *authority, const uint8_t serial[static AN_SERIAL_SIZE])
{
    uint32_t number = (uint32_t)serial[16] << 24 | (uint32_t)serial[17] << 16 | (uint32_t)serial[18] << 8 | serial[19];

    return authority->partitions > 0 ? (int64_t)(number % (uint64_t)authority->partitions) + 1 : 0;
}

/* The tables refused: the certifier's picture of the rules was old, or the matter has fewer approvals than are asked
 * for. */
static an_code
tell_rule(const struct certify_job *job, an_code code, struct an_err *reterr)
{
    AN_CLEANUP(certify_world_give) struct certify_world *world = NULL;

    if (code != AN_E_STORE_RULE || an_certifier_reload(job->certifier, NULL) != AN_OK)
        return code;
    world = certify_world_take(job->certifier);
    return an_quorum_require(&world->quorum, job->act, NULL, reterr) != AN_OK ? AN_E_CERTIFY_APPROVAL : code;
}

an_code
certify_sign_and_store(struct certify_job *job, const struct certify_world *world, const struct an_template *template,
                       const struct an_issue *issue, struct an_certified *ret,
                       struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(AN_LIMIT_OCSP_BYTES);
    AN_CLEANUP(an_free_ptr) char *crl = NULL;
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    AN_CLEANUP(an_store_withdraw) struct an_store *announced = an_store_announce(job->certifier->setup.store);
    struct an_issue what = *issue;
    uint8_t serial[AN_SERIAL_SIZE];
    an_code code;

    AN_TRY(an_serial_random(serial, reterr));
    what.serial = AN_BYTES(serial, sizeof(serial));
    job->registration.partition = partition_of(job->authority, serial);
    if (job->registration.partition != 0)
        what.crl_url = crl = an_asprintf("%s/crl/%s-%lld.crl", job->authority->base_url, job->authority->name,
                                         (long long)job->registration.partition);
    AN_TRY(an_ca_issue(template, &what, &cert, reterr));
    job->registration.cert = cert;
    job->registration.authority = job->authority->id;
    job->registration.matter = job->reliance ? job->reliance->matter : 0;
    if (job->certifier->first_answer.make != NULL)
        AN_TRY(job->certifier->first_answer.make(job->certifier->first_answer.context, job->authority, cert, job->now,
                                                 &answer, reterr));
    job->answer = an_buf_view(&answer);
    an_register_texts_make(&job->registration, &job->texts);
    code = an_store_write_announced(&announced, store_job, job, reterr);
    an_register_texts_done(&job->texts);
    if (code != AN_OK)
        return tell_rule(job, code, reterr);
    if (job->id == 0)
        return certify_give_earlier(job, world, ret, reterr);
    *ret = (struct an_certified){.cert = cert, .issuer = an_cert_ref(job->authority->cert), .id = job->id};
    cert = NULL;
    return AN_OK;
}

/* ---- what was asked, as 32 octets ---- */
static void
digest_text(struct an_hash *hash, const char *text)
{
    an_hash_update(hash, an_bytes_of_str(text ? text : ""));
    an_hash_update(hash, AN_BYTES("", 1));
}

static void
digest_request(const struct an_certify *what, an_bytes spki, uint8_t ret[32])
{
    struct an_hash *hash = an_hash_new(AN_SHA256);
    uint8_t digest[AN_DIGEST_MAX];
    char times[64];

    digest_text(hash, what->profile);
    digest_text(hash, what->authority);
    for (size_t i = 0; i < what->subject_count; i++) {
        digest_text(hash, what->subject[i].oid);
        digest_text(hash, what->subject[i].text);
    }
    digest_text(hash, what->email);
    digest_text(hash, what->subscriber);
    digest_text(hash, what->device);
    snprintf(times, sizeof(times), "%lld %lld", (long long)what->not_before, (long long)what->not_after);
    digest_text(hash, times);
    an_hash_update(hash, spki);
    an_hash_final(hash, digest);
    an_hash_free(&hash);
    memcpy(ret, digest, 32);
}

/* The subject's key: a request's, proven, or one that was made in a token. */
static an_code
subject_key(an_bytes csr, an_bytes spki, struct an_csr **ret_csr, an_bytes *ret, struct an_err *reterr)
{
    *ret = spki;
    if (csr.len == 0)
        return spki.len != 0 ? AN_OK : an_err_set(reterr, AN_E_CA_KEY, "subjectPublicKeyInfo");
    AN_TRY(an_csr_parse(csr, ret_csr, reterr));
    *ret = (*ret_csr)->spki;
    return an_csr_check(*ret_csr, reterr);
}

an_code
an_certify_issue(struct an_certifier *certifier, const struct an_certify *what, struct an_certified *ret,
                 struct an_err *reterr)
{
    AN_CLEANUP(certify_world_give) struct certify_world *world = certify_world_take(certifier);
    AN_CLEANUP(an_csr_free) struct an_csr *csr = NULL;
    struct certify_job job = {.certifier = certifier, .reliance = what->reliance, .actor = &what->actor,
                              .act = "certificate.issue", .now = an_time_now()};
    AN_CLEANUP(an_free_ptr) struct an_name_part *subject = NULL;
    struct an_issue issue = {.email = what->email, .not_before = what->not_before, .not_after = what->not_after};
    const struct an_template *template;
    const struct an_profile *profile;

    AN_TRY(certify_check_key(what->request_key, reterr));
    AN_TRY(an_rules_require(certifier->rules, job.act, what->actor.role, &job.citation, reterr));
    AN_TRY(an_quorum_require(&world->quorum, job.act, what->reliance, reterr));
    AN_TRY(an_profiles_find(certifier->profiles, what->profile, &profile, reterr));
    if (profile->use != AN_USE_SUBSCRIBER)
        AN_FAIL(reterr, AN_E_CERTIFY_PROFILE, "%s", profile->id);
    issue.subject = subject = an_new_array(what->subject_count + profile->part_count, sizeof(*subject));
    issue.subject_count = an_profile_arrange_subject(profile, what->subject, what->subject_count, subject);
    AN_TRY(certify_authority(world, what->authority, &job.authority, reterr));
    AN_TRY(subject_key(what->csr, what->spki, &csr, &issue.spki, reterr));
    AN_TRY(certify_template_of(certifier, world, job.authority, profile, &template, reterr));
    issue.not_before = what->not_before == AN_TIME_NONE ? job.now : what->not_before;
    if (what->not_after == AN_TIME_NONE)
        issue.not_after = an_profile_usual_end(profile, issue.not_before, false);
    job.registration = (struct an_registration){.profile = profile->id, .email = what->email,
                                                .subscriber = what->subscriber, .device = what->device,
                                                .request_key = what->request_key, .kind = "new"};
    digest_request(what, issue.spki, job.registration.request_digest);
    return certify_sign_and_store(&job, world, template, &issue, ret, reterr);
}
