#include "service/checkpoint.h"

#include <stdlib.h>
#include <unistd.h>

#include "audit/audit.h"
#include "base/file.h"
#include "base/limits.h"
#include "ca/ca.h"
#include "ca/register.h"
#include "fetch/fetch.h"
#include "keys/keys.h"
#include "sign/timestamp.h"

#define SIGNER "nhat-ky"
#define SIGNER_REQUEST "audit:signer"

struct signer_job {
    struct an_authorities authorities;
    struct an_buf der;
    int64_t id;
    struct an_registration registration;
    an_time now;
};

static an_code
look_up(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct signer_job *job = context;
    uint8_t digest[32];
    int64_t authority = 0;

    an_authorities_done(&job->authorities);
    AN_TRY(an_register_by_request(tx, SIGNER_REQUEST, &job->id, digest, &authority, &job->der, reterr));
    return an_authorities_load(tx, &job->authorities, reterr);
}

static void
job_done(struct signer_job *job)
{
    an_authorities_done(&job->authorities);
    an_buf_free(&job->der);
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
issue_signer(const struct an_authority *issuer, struct an_signer *issuer_key, const char *organisation, an_bytes spki,
             an_time now, struct an_cert **ret,
             struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *crl = an_asprintf("%s/crl/%s.crl", issuer->base_url, issuer->name);
    AN_CLEANUP(an_free_ptr) char *crt = an_asprintf("%s/crt/%s.crt", issuer->base_url, issuer->name),
                                  *ocsp = an_asprintf("%s/ocsp", issuer->base_url);
    const struct an_places places = {.crl_url = crl, .issuer_url = crt, .ocsp_url = ocsp};
    const struct an_name_part parts[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", organisation},
                                         {"2.5.4.3", "Xác nhận nhật ký"}};
    const struct an_issue what = {.subject = parts, .subject_count = AN_COUNT(parts), .spki = spki, .not_before = now,
                                  .not_after = now + (an_time)5 * 365 * 86400};
    struct an_profiles *profiles = NULL;
    an_code code;

    AN_TRY(an_profiles_open(NULL, &profiles, reterr));
    code = an_ca_issue_once(profiles, SIGNER, issuer->cert, issuer_key, &places, &what, ret, reterr);
    an_profiles_free(&profiles);
    return code;
}

static an_code
record(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct signer_job *job = context;
    const struct an_audit_event event = {.at = job->now, .action = "certificate.issue", .actor = "he-thong",
                                         .role = "he-thong", .object = "authority:" SIGNER,
                                         .outcome = "done", .citation = "nd-68-2024/6"};

    AN_TRY(an_register_insert(tx, &job->registration, job->now, &job->id, reterr));
    return job->id != 0 ? an_audit_append(tx, &event, reterr) : AN_OK;
}

static an_code
make_signer(struct an_instance *instance, const struct an_init_plan *plan, const struct an_authority *issuer,
            struct signer_job *job,
            struct an_err *reterr)
{
    const struct an_key_plan own = {.name = SIGNER, .purposes = 1u << AN_PURPOSE_AUDIT, .kind = AN_KEY_EC, .bits = 256,
                                    .token = plan->token, .token_pin = plan->token_pin};
    const struct an_key_plan there = {.name = issuer->key};
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    AN_CLEANUP(an_signer_close) struct an_signer *key = NULL;
    AN_CLEANUP(an_signer_close) struct an_signer *issuer_key = NULL;

    AN_TRY(an_key_make(instance->dir, &own, &key, reterr));
    AN_TRY(an_key_make(instance->dir, &there, &issuer_key, reterr));
    job->now = an_time_now();
    AN_TRY(issue_signer(issuer, issuer_key, instance->config.name, an_signer_spki(key), job->now, &cert, reterr));
    job->registration = (struct an_registration){.authority = issuer->id, .cert = cert, .profile = SIGNER,
                                                 .request_key = SIGNER_REQUEST, .kind = "new"};
    return an_store_write(instance->store, record, job, reterr);
}

an_code
an_checkpoint_init(struct an_instance *instance, const struct an_init_plan *plan, struct an_err *reterr)
{
    AN_CLEANUP(job_done) struct signer_job job = {.der = an_buf_new(AN_LIMIT_CERT_BYTES)};
    const struct an_authority *issuer;

    AN_TRY(an_store_read(instance->store, look_up, &job, reterr));
    issuer = first_issuer(&job.authorities);
    return job.id != 0 || issuer == NULL ? AN_OK : make_signer(instance, plan, issuer, &job, reterr);
}

/* ---- when ---- */
struct state { int64_t size, signed_size, signed_at, first_at; };

static an_code
take_last(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct state *state = context;

    (void)reterr;
    state->signed_size = an_row_int(row, 0);
    state->signed_at = an_row_int(row, 1);
    return AN_OK;
}

static an_code
look_at_state(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct state *state = context;

    AN_TRY(an_tx_int(tx, AN_SQL_AUDIT_EVENT_LAST, NULL, 0, &state->size, reterr));
    return an_tx_one(tx, AN_SQL_AUDIT_CHECKPOINT_LAST, NULL, 0, take_last, state, NULL, reterr);
}

an_code
an_checkpoint_is_due(struct an_instance *instance, bool *ret, bool *ret_stamped, struct an_err *reterr)
{
    struct an_config_audit config;
    struct state state = {0};

    AN_TRY(an_config_read_audit(&instance->config, &config, reterr));
    AN_TRY(an_store_read(instance->store, look_at_state, &state, reterr));
    *ret_stamped = config.tsa != NULL;
    *ret = state.size - state.signed_size >= config.checkpoint_events ||
           (state.size > state.signed_size && an_time_now() - state.signed_at >= config.checkpoint_minutes * 60);
    return AN_OK;
}

/* ---- signing ---- */
static an_code
sign_head(struct an_instance *instance, struct an_signer *signer, struct an_cert *cert, const struct an_certs *chain,
          int64_t *ret_size, bool *ret_stamped,
          struct an_err *reterr)
{
    struct an_audit_signing signing = {.instance = instance->config.instance, .signer = signer, .cert = cert,
                                       .chain = chain};
    struct an_tsa_client client = {.tries = 2, .timeout_ms = 30000};
    struct an_config_audit config;
    an_code code;

    AN_TRY(an_config_read_audit(&instance->config, &config, reterr));
    *ret_stamped = config.tsa != NULL;
    if (config.tsa != NULL) {
        const struct an_fetch_rules rules = {.allow_private = config.tsa_private};

        AN_TRY(an_fetcher_start(&rules, &client.fetcher, reterr));
        client.url = config.tsa;
        signing.stamp = an_tsa_client_stamp;
        signing.stamp_context = &client;
    }
    code = an_audit_checkpoint(instance->store, &signing, ret_size, reterr);
    an_fetcher_stop(&client.fetcher);
    return code;
}

/* ---- the head that is kept beside the store ---- */
#define KEPT_NAME "run/audit-head" /* "SIZE ROOT" */
#define KEPT_BYTES 128

static void
write_kept(int64_t size, const uint8_t root[static 32], struct an_buf *out)
{
    an_buf_printf(out, "%lld ", (long long)size);
    an_buf_hex(out, AN_BYTES(root, 32));
    an_buf_byte(out, '\n');
}

static an_code
keep_head(struct an_instance *instance, int64_t size, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_instance_path(instance, KEPT_NAME);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(KEPT_BYTES);
    uint8_t root[32];

    if (size == 0)
        return AN_OK;
    AN_TRY(an_audit_root(instance->store, size, root, reterr));
    write_kept(size, root, &text);
    return an_file_write(path, an_buf_view(&text), 0600, reterr);
}

/* True when the log begins with the events of the kept head, or none was kept. *ret_size = its size; what cannot be
 * read was tampered with. */
static bool
fits_kept(struct an_instance *instance, int64_t *ret_size)
{
    AN_CLEANUP(an_free_ptr) char *path = an_instance_path(instance, KEPT_NAME);
    AN_CLEANUP(an_buf_free) struct an_buf kept = an_buf_new(KEPT_BYTES), again = an_buf_new(KEPT_BYTES);
    uint8_t root[32];

    *ret_size = 0;
    if (access(path, F_OK) != 0)
        return true;
    if (an_file_read(path, KEPT_BYTES - 1, &kept, NULL) != AN_OK)
        return false;
    an_buf_byte(&kept, 0);
    *ret_size = strtoll((const char *)kept.ptr, NULL, 10);
    if (*ret_size < 1 || an_audit_root(instance->store, *ret_size, root, NULL) != AN_OK)
        return false;
    write_kept(*ret_size, root, &again);
    an_buf_byte(&again, 0);
    return an_bytes_eq(an_buf_view(&kept), an_buf_view(&again));
}

an_code
an_checkpoint_verify(struct an_instance *instance, const struct an_certs *signers, struct an_audit_report *ret,
                     struct an_err *reterr)
{
    int64_t kept = 0;

    AN_TRY(an_audit_verify(instance->store, signers, ret, reterr));
    if (fits_kept(instance, &kept))
        return AN_OK;
    ret->findings = an_grow(ret->findings, ret->finding_count + 1, sizeof(*ret->findings));
    ret->findings[ret->finding_count++] = (struct an_audit_finding){AN_AUDIT_KEPT, 1, kept};
    return AN_OK;
}

an_code
an_checkpoint_make(struct an_instance *instance, struct an_keys *keys, int64_t *ret_size, bool *ret_stamped,
                   struct an_err *reterr)
{
    AN_CLEANUP(job_done) struct signer_job job = {.der = an_buf_new(AN_LIMIT_CERT_BYTES)};
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    AN_CLEANUP(an_certs_done) struct an_certs chain = {0};
    struct an_keys *own = NULL;
    struct an_signer *signer = NULL;
    an_code code;

    AN_TRY(an_store_read(instance->store, look_up, &job, reterr));
    if (job.id == 0)
        AN_FAIL(reterr, AN_E_CHECKPOINT_SIGNER, "%s", SIGNER);
    AN_TRY(an_cert_parse(an_buf_view(&job.der), &cert, reterr));
    for (size_t i = 0; i < job.authorities.count; i++)
        if (an_cert_signed_by(cert, job.authorities.items[i].cert))
            an_certs_add(&chain, job.authorities.items[i].cert);
    if (keys == NULL)
        AN_TRY(an_keys_open(instance->dir, &own, reterr));
    code = an_signer_of_keys(keys ? keys : own, SIGNER, AN_PURPOSE_AUDIT, &signer, reterr);
    if (code == AN_OK)
        code = sign_head(instance, signer, cert, &chain, ret_size, ret_stamped, reterr);
    if (code == AN_OK)
        code = keep_head(instance, *ret_size, reterr);
    an_signer_close(&signer);
    an_keys_close(&own);
    return code;
}
