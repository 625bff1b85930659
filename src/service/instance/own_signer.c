#include "service/instance/own_signer.h"

#include "audit/audit.h"
#include "base/limits.h"
#include "ca/ca.h"
#include "ca/register.h"
#include "keys/keys.h"
#include "service/certification/certification.h"
#include "service/certification/quorum.h"

#include <stdio.h>

#define YEARS 5
#define RENEWALS_MAX 100

struct own { const char *name, *request, *common_name; enum an_key_purpose purpose; };
static const struct own own_table[AN_OWN_SIGNERS] = {
    [AN_OWN_AUDIT] = {"nhat-ky", "audit:signer", "Xác nhận nhật ký", AN_PURPOSE_AUDIT},
    [AN_OWN_ENROL] = {"dang-ky", "enrol:signer", "Đăng ký tự động dang-ky", AN_PURPOSE_ENROL},
};

struct job {
    enum an_own_signer which;
    const struct an_actor *actor;
    struct an_authorities authorities;
    struct an_cert *cert; /* the newest */
    char request[64];     /* the first that is free */
    struct an_registration registration;
    an_time now;
    int64_t id;
};

static void
job_done(struct job *job)
{
    an_authorities_done(&job->authorities);
    an_cert_unref(&job->cert);
}

const char *
an_own_signer_name(enum an_own_signer which)
{
    return own_table[which].name;
}

/* Requests are numbered from the second on: the first that is not there ends the row. all may be NULL. */
static an_code
find_newest(struct an_tx *tx, struct job *job, struct an_certs *all, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CERT_BYTES);
    const char *first = own_table[job->which].request;

    an_cert_unref(&job->cert);
    for (int number = 1; number <= RENEWALS_MAX; number++) {
        int64_t id = 0, authority = 0;
        uint8_t digest[32];

        snprintf(job->request, sizeof(job->request), number == 1 ? "%s" : "%s:%d", first, number);
        AN_TRY(an_register_by_request(tx, job->request, &id, digest, &authority, &der, reterr));
        if (id == 0)
            return AN_OK;
        an_cert_unref(&job->cert);
        AN_TRY(an_cert_parse(an_buf_view(&der), &job->cert, reterr));
        if (all != NULL)
            an_certs_add(all, job->cert);
    }
    AN_FAIL(reterr, AN_E_LIMIT, "%s", first);
}

an_code
an_own_signer_all(struct an_tx *tx, enum an_own_signer which, struct an_certs *ret, struct an_err *reterr)
{
    AN_CLEANUP(job_done) struct job job = {.which = which};

    return find_newest(tx, &job, ret, reterr);
}

an_code
an_own_signer_find(struct an_tx *tx, enum an_own_signer which, struct an_cert **ret, struct an_err *reterr)
{
    AN_CLEANUP(job_done) struct job job = {.which = which};

    AN_TRY(find_newest(tx, &job, NULL, reterr));
    *ret = job.cert ? an_cert_ref(job.cert) : NULL;
    return AN_OK;
}

static an_code
look_up(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct job *job = context;

    an_authorities_done(&job->authorities);
    AN_TRY(find_newest(tx, job, NULL, reterr));
    return an_authorities_load(tx, &job->authorities, reterr);
}

static const struct an_authority *
first_issuer(const struct an_authorities *authorities)
{
    for (size_t i = 0; i < authorities->count; i++)
        if (!authorities->items[i].is_retired && strcmp(authorities->items[i].kind, "issuing") == 0)
            return &authorities->items[i];
    return NULL;
}

/* The names of its issuer, with one of its own in the place of the common name. */
static an_code
issue(const struct job *job, const struct an_authority *issuer, struct an_signer *issuer_key, an_bytes spki,
      struct an_cert **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf organisation = an_buf_new(2048);
    AN_CLEANUP(an_free_ptr) char *crl = an_asprintf("%s/crl/%s.crl", issuer->base_url, issuer->name);
    AN_CLEANUP(an_free_ptr) char *crt = an_asprintf("%s/crt/%s.crt", issuer->base_url, issuer->name);
    AN_CLEANUP(an_free_ptr) char *ocsp = an_asprintf("%s/ocsp", issuer->base_url);
    AN_CLEANUP(an_free_ptr) char *name = NULL;
    const struct an_places places = {.crl_url = crl, .issuer_url = crt, .ocsp_url = ocsp};
    struct an_profiles *profiles = NULL;
    an_code code;

    AN_TRY(an_profiles_open(NULL, &profiles, reterr));
    (void)an_name_attribute(issuer->cert->subject, "2.5.4.10", &organisation);
    name = an_buf_take_str(&organisation);
    const struct an_name_part parts[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", name},
                                         {"2.5.4.3", own_table[job->which].common_name}};
    const struct an_issue what = {.subject = parts, .subject_count = AN_COUNT(parts), .spki = spki,
                                  .not_before = job->now, .not_after = job->now + (an_time)YEARS * 365 * 86400};
    code = an_ca_issue_once(profiles, own_table[job->which].name, issuer->cert, issuer_key, &places, &what, ret,
                            reterr);
    an_profiles_free(&profiles);
    return code;
}

static an_code
record(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct job *job = context;
    AN_CLEANUP(an_free_ptr) char *object = an_asprintf("authority:%s", own_table[job->which].name);
    AN_CLEANUP(an_register_texts_done) struct an_register_texts texts = {0};
    const struct an_audit_event event = {.at = job->now, .action = "certificate.issue", .actor = job->actor->id,
                                         .role = job->actor->role, .object = object, .outcome = "done",
                                         .citation = "nd-68-2024/6", .detail = ""};
    int64_t version;

    AN_TRY(an_tx_next(tx, AN_AUTHORITIES_SEQUENCE, &version, reterr));
    an_register_texts_make(&job->registration, &texts);
    AN_TRY(an_register_insert(tx, &job->registration, &texts, job->now, &job->id, reterr));
    return job->id != 0 ? an_audit_append(tx, &event, reterr) : AN_OK;
}

static an_code
make(struct an_instance *instance, const struct an_init_plan *plan, struct job *job, struct an_cert **ret,
     struct an_err *reterr)
{
    const struct an_authority *issuer = first_issuer(&job->authorities);
    struct an_key_plan own = {.name = own_table[job->which].name, .purposes = 1u << own_table[job->which].purpose,
                              .kind = AN_KEY_EC, .bits = 256};
    AN_CLEANUP(an_signer_close) struct an_signer *key = NULL;
    AN_CLEANUP(an_signer_close) struct an_signer *issuer_key = NULL;

    if (issuer == NULL)
        return AN_OK;
    const struct an_key_plan there = {.name = issuer->key};
    if (plan != NULL)
        own.token = plan->token, own.token_pin = plan->token_pin;
    AN_TRY(an_key_make(instance->dir, &own, &key, reterr));
    AN_TRY(an_key_make(instance->dir, &there, &issuer_key, reterr));
    job->now = an_time_now();
    AN_TRY(issue(job, issuer, issuer_key, an_signer_spki(key), ret, reterr));
    job->registration = (struct an_registration){.authority = issuer->id, .cert = *ret,
                                                 .profile = own_table[job->which].name, .request_key = job->request,
                                                 .kind = "new"};
    return an_store_write(instance->store, record, job, reterr);
}

an_code
an_own_signer_init(struct an_instance *instance, enum an_own_signer which, const struct an_init_plan *plan,
                   struct an_err *reterr)
{
    static const struct an_actor system = {"he-thong", "he-thong"};
    AN_CLEANUP(job_done) struct job job = {.which = which, .actor = &system};
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;

    AN_TRY(an_store_read(instance->store, look_up, &job, reterr));
    return job.cert != NULL ? AN_OK : make(instance, plan, &job, &cert, reterr);
}

an_code
an_own_signer_renew(struct an_instance *instance, enum an_own_signer which, const struct an_reliance *reliance,
                    const struct an_actor *actor, struct an_cert **ret, struct an_err *reterr)
{
    AN_CLEANUP(job_done) struct job job = {.which = which, .actor = actor};
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;

    AN_TRY(an_quorum_require_now(instance, "authority.roll", reliance, reterr));
    AN_TRY(an_store_read(instance->store, look_up, &job, reterr));
    if (job.cert == NULL)
        AN_FAIL(reterr, AN_E_CERTIFY_AUTHORITY, "%s", own_table[which].name);
    AN_TRY(make(instance, NULL, &job, &cert, reterr));
    *ret = cert;
    cert = NULL;
    return AN_OK;
}
