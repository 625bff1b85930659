/* The registration signer: its key, its certificate in the register; and the section `enrol` of the configuration. */
#include "service/enrol.h"

#include "audit/audit.h"
#include "keys/keys.h"
#include "service/init.h"

#define SIGNER "dang-ky"
#define SIGNER_REQUEST "enrol:signer"
#define PARTS_MAX 32

static const struct an_yaml_field FIELDS[] = {
    {"confirm_minutes", AN_FIELD_INT64, false, offsetof(struct an_config_enrol, confirm_minutes), NULL},
    {"poll_seconds", AN_FIELD_INT64, false, offsetof(struct an_config_enrol, poll_seconds), NULL},
    {"clock_skew_seconds", AN_FIELD_INT64, false, offsetof(struct an_config_enrol, clock_skew_seconds), NULL},
    {"trust_list_days", AN_FIELD_INT64, false, offsetof(struct an_config_enrol, trust_list_days), NULL},
};

an_code
an_config_read_enrol(const struct an_config *config, struct an_config_enrol *ret, struct an_err *reterr)
{
    *ret = (struct an_config_enrol){.confirm_minutes = 60, .poll_seconds = 30, .clock_skew_seconds = 900,
                                    .trust_list_days = 30};
    if (config->enrol == NULL)
        return AN_OK;
    AN_TRY(an_yaml_read_fields(config->doc, config->enrol, FIELDS, AN_COUNT(FIELDS), ret, reterr));
    if (ret->confirm_minutes < 1 || ret->confirm_minutes > 10080 || ret->poll_seconds < 1 ||
        ret->poll_seconds > 86400 || ret->clock_skew_seconds < 0 ||
        ret->trust_list_days < 1 || ret->trust_list_days > 365)
        return an_yaml_fail(config->doc, config->enrol, reterr, AN_E_CONFIG_VALUE, "1 or more");
    return AN_OK;
}

/* ---- the signer ---- */
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

static an_code
record(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct signer_job *job = context;
    const struct an_audit_event event = {.at = job->now, .action = "certificate.issue", .actor = "he-thong",
                                         .role = "he-thong", .object = "authority:" SIGNER,
                                         .outcome = "done", .citation = "nd-68-2024/6", .detail = ""};

    AN_TRY(an_register_insert(tx, &job->registration, job->now, &job->id, reterr));
    return job->id != 0 ? an_audit_append(tx, &event, reterr) : AN_OK;
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
issue_signer(const struct an_authority *issuer, struct an_signer *issuer_key, an_bytes spki, an_time now,
             struct an_cert **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf organisation = an_buf_new(2048);
    AN_CLEANUP(an_free_ptr) char *name = NULL, *crl = an_asprintf("%s/crl/%s.crl", issuer->base_url, issuer->name),
                                 *crt = an_asprintf("%s/crt/%s.crt", issuer->base_url, issuer->name),
                                 *ocsp = an_asprintf("%s/ocsp", issuer->base_url);
    const struct an_places places = {.crl_url = crl, .issuer_url = crt, .ocsp_url = ocsp};
    struct an_profiles *profiles = NULL;
    an_code code = an_profiles_open(NULL, &profiles, reterr);

    if (code != AN_OK)
        return code;
    (void)an_name_attribute(issuer->cert->subject, "2.5.4.10", &organisation);
    name = an_buf_take_str(&organisation);
    {
        const struct an_name_part parts[] = {{"2.5.4.6", "VN"}, {"2.5.4.10", name},
                                             {"2.5.4.3", "Đăng ký tự động " SIGNER}};
        const struct an_issue what = {.subject = parts, .subject_count = AN_COUNT(parts), .spki = spki,
                                      .not_before = now,
                                      .not_after = now + (an_time)5 * 365 * 86400};
        code = an_ca_issue_once(profiles, SIGNER, issuer->cert, issuer_key, &places, &what, ret, reterr);
    }
    an_profiles_free(&profiles);
    return code;
}

static an_code
make_signer(struct an_instance *instance, const struct an_init_plan *plan, struct signer_job *job,
            struct an_err *reterr)
{
    const struct an_authority *issuer = first_issuer(&job->authorities);
    const struct an_key_plan key_plan = {.name = SIGNER, .purposes = 1u << AN_PURPOSE_ENROL, .kind = AN_KEY_EC,
                                         .bits = 256, .token = plan->token, .token_pin = plan->token_pin};
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    struct an_signer *key = NULL, *issuer_key = NULL;
    struct an_keys *keys = NULL;
    an_code code;

    if (issuer == NULL) /* an instance of a root alone: nobody enrols there */
        return AN_OK;
    code = an_key_make(instance->dir, &key_plan, &key, reterr);
    if (code == AN_OK)
        code = an_keys_open(instance->dir, &keys, reterr);
    if (code == AN_OK)
        code = an_signer_of_keys(keys, issuer->key, AN_PURPOSE_CERTIFICATE, &issuer_key, reterr);
    job->now = an_time_now();
    if (code == AN_OK)
        code = issue_signer(issuer, issuer_key, an_signer_spki(key), job->now, &cert, reterr);
    if (code == AN_OK) {
        job->registration = (struct an_registration){.authority = issuer->id, .cert = cert, .profile = SIGNER,
                                                     .request_key = SIGNER_REQUEST, .kind = "new"};
        code = an_store_write(instance->store, record, job, reterr);
    }
    an_signer_close(&issuer_key);
    an_signer_close(&key);
    an_keys_close(&keys);
    return code;
}

an_code
an_enrol_init(struct an_instance *instance, const struct an_init_plan *plan, struct an_err *reterr)
{
    struct signer_job job = {.der = an_buf_new(AN_LIMIT_CERT_BYTES)};
    struct an_secret *secret = NULL;
    an_code code = an_store_read(instance->store, look_up, &job, reterr);

    if (code == AN_OK && job.id == 0)
        code = make_signer(instance, plan, &job, reterr);
    if (code == AN_OK) /* the key of the secrets, too: who serves may read it and make none */
        code = an_enrol_secret(instance, &(struct an_approval){.reference = ""}, &secret, reterr);
    an_secret_free(&secret);
    an_authorities_done(&job.authorities);
    an_buf_free(&job.der);
    return code;
}

an_code
an_enrol_signer_cert(struct an_store *store, struct an_cert **ret, struct an_err *reterr)
{
    struct signer_job job = {.der = an_buf_new(AN_LIMIT_CERT_BYTES)};
    an_code code = an_store_read(store, look_up, &job, reterr);

    if (code == AN_OK && job.id != 0)
        code = an_cert_parse(an_buf_view(&job.der), ret, reterr);
    an_authorities_done(&job.authorities);
    an_buf_free(&job.der);
    return code;
}
