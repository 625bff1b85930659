/* The host of enrolment: what CMP and EST ask, carried out on an instance. */
#include "service/certification/enrol_internal.h"

#include <pthread.h>
#include <stdio.h>

#include "audit/audit.h"
#include "service/certification/enrol_refusals.h"
#include "service/certification/trust_list.h"

#define PROFILE "thiet-bi"
#define PARTS_MAX 32
#define KEEP_DAYS 30 /* exchanges: longer than any client tries again */

struct an_enrol_service {
    struct an_enrol_setup setup;
    struct an_config_enrol config;
    struct an_enrol_host host;
    struct an_cert *signer_cert;
    struct an_certs issuers, roots, chain;
    pthread_mutex_t lock;
    an_time tended;
    struct an_refusals *refusals;
};

static const struct an_actor machine = {"he-thong", "he-thong"};

/* ---- small things ---- */
static void
hex_of(an_bytes bytes, char *ret, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < bytes.len && at + 3 <= size; i++, at += 2)
        snprintf(ret + at, 3, "%02x", bytes.ptr[i]);
    ret[at] = '\0';
}
#define SERIAL_HEX (2 * 32 + 1)

/* ---- approvals ---- */
struct approval_job {
    int what;
    an_bytes reference;
    struct an_approval approval;
    uint8_t key[32];
    an_bytes serial;
    an_time now;
};
enum { APPROVAL_FIND, APPROVAL_TAKE, APPROVAL_GIVE, APPROVAL_DONE };

static an_code
approval_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct approval_job *job = context;

    switch (job->what) {
    case APPROVAL_TAKE: AN_TRY(an_approval_take(tx, job->reference, job->key, job->now, reterr)); break;
    case APPROVAL_GIVE: AN_TRY(an_approval_give(tx, job->reference, job->key, reterr)); break;
    case APPROVAL_DONE:
        AN_TRY(an_approval_done(tx, job->reference, job->serial, reterr));
        AN_TRY(enrol_enter(tx, &job->approval, job->serial, job->now, reterr));
        break;
    default: break;
    }
    return an_approval_find(tx, job->reference, &job->approval, reterr);
}

static an_code
find_secret(void *context, an_bytes reference, an_time now, struct an_secret **ret, struct an_err *reterr)
{
    struct an_enrol_service *service = context;
    struct approval_job job = {.what = APPROVAL_FIND, .reference = reference};

    if (memchr(reference.ptr, 0, reference.len) != NULL)
        AN_FAIL(reterr, AN_E_ENROL_REFERENCE, "NUL");
    AN_TRY(an_store_read(service->setup.instance->store, approval_in, &job, reterr));
    AN_TRY(an_approval_check(&job.approval, now, reterr));
    return an_enrol_secret(service->setup.instance, &job.approval, ret, reterr);
}

/* ---- certificates that speak ---- */
struct cert_job { struct an_cert *cert; enum an_certificate_status status; bool is_device, is_known; };

static an_code
look_at_cert(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct cert_job *job = context;
    struct an_arena *arena = an_arena_new(256 * 1024);
    struct an_certificate row = {0};
    an_code code = an_register_find(tx, job->cert->serial, arena, &row, NULL);

    (void)reterr;
    /* the very certificate: nothing else need be checked of it */
    job->is_known = code == AN_OK && an_bytes_eq(row.der, job->cert->der);
    job->is_device = job->is_known && strcmp(row.profile, PROFILE) == 0;
    job->status = job->is_known ? row.status : AN_CERTIFICATE_REVOKED;
    an_arena_free(&arena);
    return AN_OK;
}

static an_code
check_cert(void *context, struct an_cert *cert, an_time now, struct an_err *reterr)
{
    struct an_enrol_service *service = context;
    struct cert_job job = {.cert = cert};
    char serial[SERIAL_HEX];

    hex_of(cert->serial, serial, sizeof(serial));
    AN_TRY(an_store_read(service->setup.instance->store, look_at_cert, &job, reterr));
    if (!job.is_known || !job.is_device || now < cert->not_before || now > cert->not_after)
        AN_FAIL(reterr, AN_E_ENROL_SIGNER, "%s", serial);
    if (job.status != AN_CERTIFICATE_GOOD)
        AN_FAIL(reterr, AN_E_ENROL_REVOKED, "%s", serial);
    return AN_OK;
}

/* ---- issuing ---- */
/* The subject in the words of the approval; a request may leave it out, or say the same. */
static an_code
check_subject(const struct an_name_part *parts, size_t count, an_bytes asked, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf name = an_buf_new(AN_LIMIT_CERT_BYTES), text = an_buf_new(4096);
    struct an_der_out out = AN_DER_OUT(&name);

    if (asked.len <= 2)
        return AN_OK;
    an_name_build(&out, parts, count);
    if (an_name_eq(an_buf_view(&name), asked))
        return AN_OK;
    an_name_text(an_buf_view(&name), &text);
    AN_FAIL(reterr, AN_E_ENROL_SUBJECT, "%.*s", AN_FMT(an_buf_view(&text)));
}

static an_time
add_months(an_time from, int64_t months)
{
    struct an_date date = an_date_of(from, 0);
    int64_t month = date.month - 1 + months;

    date.year += (int)(month / 12);
    date.month = (int)(month % 12) + 1;
    if (date.day > 28)
        date.day = 28;
    return an_time_of_date(&date, 0);
}

static an_code
certify(struct an_enrol_service *service, const struct an_approval *approval, const struct an_enrol_request *request,
        const struct an_name_part *parts,
        size_t count, struct an_certified *ret, struct an_err *reterr)
{
    struct an_certify what = {
        .request_key = approval->item, .profile = approval->profile,
        .authority = approval->authority[0] != '\0' ? approval->authority : NULL,
        .subject = parts, .subject_count = count, .email = approval->email[0] != '\0' ? approval->email : NULL,
        .spki = request->spki,
        .not_before = AN_TIME_NONE, .not_after = AN_TIME_NONE,
        .subscriber = approval->subscriber[0] != '\0' ? approval->subscriber : NULL, .actor = machine,
    };

    const struct an_reliance reliance = {.matter = approval->matter};

    if (approval->matter != 0)
        what.reliance = &reliance;
    /* from when the approval was first used, so that the same request again is the same request */
    if (approval->months > 0)
        what.not_after = add_months(approval->used_at, approval->months);
    return an_certify_issue(service->setup.certifier, &what, ret, reterr);
}

/* The key takes the approval first; a refusal of the authority gives it back, a failure leaves it to the same key. */
static an_code
issue_approved(struct an_enrol_service *service, struct approval_job *job, const struct an_enrol_request *request,
               const struct an_name_part *parts,
               size_t count, struct an_certified *ret, struct an_err *reterr)
{
    struct an_store *store = service->setup.instance->store;
    uint8_t digest[AN_DIGEST_MAX];
    enum an_kind kind;
    an_code code;

    an_hash_once(AN_SHA256, request->spki, digest);
    memcpy(job->key, digest, sizeof(job->key));
    job->what = APPROVAL_TAKE;
    job->now = request->now;
    AN_TRY(an_store_write(store, approval_in, job, reterr));
    code = certify(service, &job->approval, request, parts, count, ret, reterr);
    kind = an_message_find(code)->kind;
    job->what = code == AN_OK ? APPROVAL_DONE : APPROVAL_GIVE;
    if (code == AN_OK) {
        job->serial = ret->cert->serial;
        if (job->approval.serial_len > 0)
            return AN_OK;
        return an_store_write(store, approval_in, job, reterr);
    }
    if (kind == AN_KIND_REFUSED || kind == AN_KIND_DATA || kind == AN_KIND_USAGE)
        (void)!an_store_write(store, approval_in, job, NULL);
    return code;
}

static an_code
issue(struct an_enrol_service *service, const struct an_enrol_request *request, struct an_certified *ret,
      enum an_enrol_outcome *ret_outcome,
      struct an_err *reterr)
{
    struct approval_job job = {.what = APPROVAL_FIND, .reference = request->party->reference};
    struct an_arena *arena;
    struct an_name_part parts[PARTS_MAX];
    size_t count = 0;
    an_code code;

    /* another certificate needs an approval of its own, which only a reference names */
    if (request->party->reference.len == 0)
        AN_FAIL(reterr, AN_E_ENROL_NOT_ALLOWED, "reference");
    AN_TRY(an_store_read(service->setup.instance->store, approval_in, &job, reterr));
    AN_TRY(an_approval_check(&job.approval, request->now, reterr));
    if (job.approval.state == AN_APPROVAL_WAITING) {
        *ret_outcome = AN_ENROL_WAITING;
        return AN_OK;
    }
    arena = an_arena_new(64 * 1024);
    code = an_name_parts_parse(job.approval.subject, arena, parts, PARTS_MAX, &count, reterr);
    if (code == AN_OK)
        code = check_subject(parts, count, request->subject, reterr);
    if (code == AN_OK)
        code = issue_approved(service, &job, request, parts, count, ret, reterr);
    an_arena_free(&arena);
    *ret_outcome = request->extension_count > 0 ? AN_ENROL_CHANGED : AN_ENROL_DONE;
    return code;
}

/* ---- renewing, revoking ---- */
/* The device's own key asks: what was decided when it was allowed to enrol holds for what follows. */
static an_code
rest_on(struct an_enrol_service *service, const char *serial, struct an_reliance *reliance,
        const struct an_reliance **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_CERT_BYTES * 4);
    struct an_certificate before;

    AN_TRY(an_certify_find(service->setup.certifier, serial, arena, &before, reterr));
    *reliance = (struct an_reliance){.matter = before.matter};
    *ret = before.matter != 0 ? reliance : NULL;
    return AN_OK;
}

struct next_job { an_bytes before, serial; an_time now; };

static an_code
next_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct next_job *job = context;

    return enrol_enter_next(tx, job->before, job->serial, job->now, reterr);
}

static an_code
renew(struct an_enrol_service *service, const struct an_enrol_request *request, struct an_certified *ret,
      struct an_err *reterr)
{
    const struct an_cert *cert = request->party->cert;
    char serial[SERIAL_HEX], key_hex[33], request_key[129];
    uint8_t digest[AN_DIGEST_MAX];
    struct an_reliance reliance;
    struct an_recertify what = {.request_key = request_key, .serial = serial, .spki = request->spki,
                                .not_after = AN_TIME_NONE, .actor = machine};

    if (request->subject.len > 2 && !an_name_eq(request->subject, cert->subject))
        AN_FAIL(reterr, AN_E_ENROL_SUBJECT, "subject");
    an_hash_once(AN_SHA256, request->spki, digest);
    hex_of(cert->serial, serial, sizeof(serial));
    hex_of(AN_BYTES(digest, 16), key_hex, sizeof(key_hex));
    snprintf(request_key, sizeof(request_key), "enrol:renew:%s:%s", serial, key_hex);
    AN_TRY(rest_on(service, serial, &reliance, &what.reliance, reterr));
    AN_TRY(an_certify_renew(service->setup.certifier, &what, ret, reterr));
    struct next_job next = {.before = cert->serial, .serial = ret->cert->serial, .now = request->now};
    return an_store_write(service->setup.instance->store, next_in, &next, reterr);
}

/* The ground of the decree that stands behind a CRL reason when the device itself asks. */
static const char *
ground_of(enum an_crl_reason reason)
{
    switch (reason) {
    case AN_REASON_KEY_COMPROMISE:
        return "lo-khoa";
    case AN_REASON_SUPERSEDED:
        return "thay-the";
    default:
        return "ngung-hoat-dong";
    }
}

static an_code
revoke(struct an_enrol_service *service, struct an_cert *cert, const char *ground, struct an_err *reterr)
{
    char serial[SERIAL_HEX], request_key[129];
    struct an_reliance reliance;
    struct an_withdraw what = {.request_key = request_key, .serial = serial, .ground = ground,
                               .invalid_since = AN_TIME_NONE, .actor = machine};

    hex_of(cert->serial, serial, sizeof(serial));
    snprintf(request_key, sizeof(request_key), "enrol:revoke:%s", serial);
    AN_TRY(rest_on(service, serial, &reliance, &what.reliance, reterr));
    return an_certify_revoke(service->setup.certifier, &what, reterr);
}

static an_code
carry_out(void *context, const struct an_enrol_request *request, struct an_enrol_answer *ret, struct an_err *reterr)
{
    struct an_enrol_service *service = context;
    AN_CLEANUP(an_certified_done) struct an_certified certified = {0};

    if (request->act == AN_ENROL_REVOKE)
        return revoke(service, request->party->cert, ground_of(request->reason), reterr);
    if (request->act == AN_ENROL_RENEW) {
        AN_TRY(renew(service, request, &certified, reterr));
        ret->outcome = request->extension_count > 0 ? AN_ENROL_CHANGED : AN_ENROL_DONE;
    } else {
        AN_TRY(issue(service, request, &certified, &ret->outcome, reterr));
    }
    if (ret->outcome == AN_ENROL_WAITING) {
        ret->check_after = (uint32_t)service->config.poll_seconds;
        return AN_OK;
    }
    ret->cert = an_cert_ref(certified.cert);
    if (!certified.issuer->self_issued)
        an_certs_add(&ret->chain, certified.issuer);
    return AN_OK;
}

static an_code
audit_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_audit_append(tx, context, reterr);
}

static an_code
confirm(void *context, const struct an_enrol_party *party, struct an_cert *cert, bool is_taken, an_time now,
        struct an_err *reterr)
{
    struct an_enrol_service *service = context;
    char actor[200], serial[SERIAL_HEX], object[SERIAL_HEX + 16];
    struct an_audit_event event = {.at = now, .action = is_taken ? "certificate.confirm" : "certificate.reject",
                                   .actor = actor, .role = "", .object = object,
                                   .outcome = "done", .citation = "", .detail = ""};

    an_enrol_party_name(party, actor, sizeof(actor));
    hex_of(cert->serial, serial, sizeof(serial));
    snprintf(object, sizeof(object), "certificate:%s", serial);
    if (!is_taken)
        AN_TRY(revoke(service, cert, "ngung-hoat-dong", reterr));
    return an_store_write(service->setup.instance->store, audit_in, &event, reterr);
}

/* ---- exchanges ---- */
struct exchange_job {
    int what;
    an_bytes key;
    const struct an_enrol_transaction *given;
    struct an_enrol_transaction *loaded;
    enum an_enrol_state from;
};
enum { EXCHANGE_BEGIN, EXCHANGE_LOAD, EXCHANGE_SAVE };

static an_code
exchange_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct exchange_job *job = context;

    switch (job->what) {
    case EXCHANGE_BEGIN: return an_enrol_transaction_begin(tx, job->key, job->given, "", reterr);
    case EXCHANGE_LOAD: return an_enrol_transaction_load(tx, job->key, job->loaded, reterr);
    default: return an_enrol_transaction_save(tx, job->key, job->from, job->given, reterr);
    }
}

static an_code
begin(void *context, an_bytes key, const struct an_enrol_transaction *transaction, struct an_err *reterr)
{
    struct an_enrol_service *service = context;
    struct exchange_job job = {.what = EXCHANGE_BEGIN, .key = key, .given = transaction};

    return an_store_write(service->setup.instance->store, exchange_in, &job, reterr);
}

static an_code
load(void *context, an_bytes key, struct an_enrol_transaction *ret, struct an_err *reterr)
{
    struct an_enrol_service *service = context;
    struct exchange_job job = {.what = EXCHANGE_LOAD, .key = key, .loaded = ret};

    return an_store_read(service->setup.instance->store, exchange_in, &job, reterr);
}

static an_code
save(void *context, an_bytes key, enum an_enrol_state from, const struct an_enrol_transaction *transaction,
     struct an_err *reterr)
{
    struct an_enrol_service *service = context;
    struct exchange_job job = {.what = EXCHANGE_SAVE, .key = key, .given = transaction, .from = from};

    return an_store_write(service->setup.instance->store, exchange_in, &job, reterr);
}

/* ---- refusals ---- */
static void
refused(void *context, const struct an_enrol_party *party, const char *what, const struct an_err *err)
{
    const struct an_enrol_service *service = context;

    an_refusals_note(service->refusals, service->setup.instance->store, party, what, err, an_time_now());
}

/* ---- tending ---- */
struct stale { uint8_t keys[100][32]; struct an_buf certs[100]; size_t count; an_time before, forget; };

static an_code
keep_stale(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct stale *stale = context;

    (void)reterr;
    if (stale->count == AN_COUNT(stale->keys) || an_row_blob(row, 0).len != 32)
        return AN_OK;
    memcpy(stale->keys[stale->count], an_row_blob(row, 0).ptr, 32);
    stale->certs[stale->count] = an_buf_new(AN_LIMIT_CERT_BYTES);
    an_buf_append(&stale->certs[stale->count++], an_row_blob(row, 1));
    return AN_OK;
}

static an_code
find_stale(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct stale *stale = context;
    const struct an_value before[] = {AN_V_INT(stale->before)};

    stale->count = 0;
    return an_tx_each(tx, AN_SQL_ENROL_TRANSACTION_UNCONFIRMED, before, 1, keep_stale, stale, reterr);
}

static an_code
forget_old(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct stale *stale = context;
    const struct an_value forget[] = {AN_V_INT(stale->forget)};

    return an_tx_run(tx, AN_SQL_ENROL_TRANSACTION_DELETE_OLD, forget, 1, NULL, reterr);
}

/* RFC 4210 5.2.8: what is not confirmed in time is revoked. Revoking twice is one act, so a crash in between does no
 * harm. */
static an_code
close_stale(struct an_enrol_service *service, an_bytes key, an_bytes der, an_time now, struct an_err *reterr)
{
    AN_CLEANUP(an_enrol_transaction_done) struct an_enrol_transaction transaction =
        {.request = an_buf_new(AN_LIMIT_CMP_BYTES), .cert = an_buf_new(AN_LIMIT_CERT_BYTES)};
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    const struct an_enrol_party party = {.peer = "he-thong"};

    AN_TRY(an_cert_parse(der, &cert, reterr));
    AN_TRY(load(service, key, &transaction, reterr));
    AN_TRY(confirm(service, &party, cert, false, now, reterr));
    transaction.state = AN_ENROL_CLOSED;
    return save(service, key, AN_ENROL_UNCONFIRMED, &transaction, reterr);
}

an_code
an_enrol_service_tend(struct an_enrol_service *service, an_time now, struct an_err *reterr)
{
    struct stale *stale;
    bool is_due;
    an_code code;

    pthread_mutex_lock(&service->lock);
    is_due = now >= service->tended + 60 || now < service->tended;
    if (is_due)
        service->tended = now;
    pthread_mutex_unlock(&service->lock);
    if (!is_due)
        return AN_OK;
    an_refusals_tell(service->refusals, service->setup.instance->store, now, false);
    stale = AN_NEW(struct stale);
    stale->before = now - (an_time)service->config.confirm_minutes * 60;
    stale->forget = now - (an_time)KEEP_DAYS * 86400;
    code = an_store_read(service->setup.instance->store, find_stale, stale, reterr);
    for (size_t i = 0; i < stale->count; i++) {
        if (code == AN_OK)
            code = close_stale(service, AN_BYTES(stale->keys[i], 32), an_buf_view(&stale->certs[i]), now, reterr);
        an_buf_free(&stale->certs[i]);
    }
    if (code == AN_OK)
        code = an_store_write(service->setup.instance->store, forget_old, stale, reterr);
    free(stale);
    return code;
}

/* ---- opening ---- */
static an_code
load_issuers(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct an_enrol_service *service = context;
    AN_CLEANUP(an_authorities_done) struct an_authorities authorities = {0};

    an_certs_done(&service->issuers);
    an_certs_done(&service->roots);
    AN_TRY(an_authorities_load(tx, &authorities, reterr));
    for (size_t i = 0; i < authorities.count; i++)
        if (!authorities.items[i].is_retired && strcmp(authorities.items[i].kind, "issuing") == 0)
            an_certs_add(&service->issuers, authorities.items[i].cert);
    for (size_t i = 0; i < authorities.count; i++)
        if (strcmp(authorities.items[i].kind, "root") == 0) {
            an_certs_add(&service->issuers, authorities.items[i].cert);
            an_certs_add(&service->roots, authorities.items[i].cert);
        }
    return AN_OK;
}

static void
fill_host(struct an_enrol_service *service)
{
    service->host = (struct an_enrol_host){
        .context = service, .find_secret = find_secret, .check_cert = check_cert, .carry_out = carry_out,
        .confirm = confirm, .begin = begin,
        .load = load, .save = save, .refused = refused, .signer = service->signer_cert != NULL ? service->setup.signer
        : NULL,
        .signer_cert = service->signer_cert, .chain = &service->chain, .roots = &service->roots,
        .issuers = &service->issuers,
        .confirm_wait_s = (uint32_t)(service->config.confirm_minutes * 60),
        .clock_skew_s = (uint32_t)service->config.clock_skew_seconds,
    };
    for (size_t i = 0; service->signer_cert != NULL && i < service->issuers.count; i++)
        if (an_name_eq(service->issuers.items[i]->subject, service->signer_cert->issuer))
            an_certs_add(&service->chain, service->issuers.items[i]);
}

an_code
an_enrol_service_open(const struct an_enrol_setup *setup, struct an_enrol_service **ret, struct an_err *reterr)
{
    struct an_enrol_service *service = AN_NEW(struct an_enrol_service);
    an_code code;

    service->setup = *setup;
    pthread_mutex_init(&service->lock, NULL);
    service->refusals = an_refusals_new();
    code = an_config_read_enrol(&setup->instance->config, &service->config, reterr);
    if (code == AN_OK)
        code = an_store_read(setup->instance->store, load_issuers, service, reterr);
    if (code == AN_OK && setup->signer != NULL)
        code = an_enrol_signer_cert(setup->instance->store, &service->signer_cert, reterr);
    if (code != AN_OK) {
        an_enrol_service_close(&service);
        return code;
    }
    fill_host(service);
    *ret = service;
    return AN_OK;
}

void
an_enrol_service_leave(struct an_enrol_service *service, an_time now)
{
    an_refusals_tell(service->refusals, service->setup.instance->store, now, true);
}

void
an_enrol_service_close(struct an_enrol_service **service)
{
    struct an_enrol_service *gone = *service;

    if (gone == NULL)
        return;
    an_enrol_service_leave(gone, an_time_now());
    an_refusals_free(&gone->refusals);
    an_certs_done(&gone->issuers);
    an_certs_done(&gone->roots);
    an_certs_done(&gone->chain);
    an_cert_unref(&gone->signer_cert);
    pthread_mutex_destroy(&gone->lock);
    free(gone);
    *service = NULL;
}

const struct an_enrol_host *
an_enrol_service_host(const struct an_enrol_service *service)
{
    return &service->host;
}

const struct an_profiles *
an_enrol_service_profiles(const struct an_enrol_service *service)
{
    return an_certifier_profiles(service->setup.certifier);
}

an_code
an_enrol_trust_list(const struct an_enrol_service *service, an_time now, struct an_buf *ret_list,
                    struct an_buf *ret_signature, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *identifier = an_asprintf("%s/trust/gca.ctl",
                                                           service->setup.instance->config.base_url);
    const struct an_trust_publisher publisher = {
        .store = service->setup.instance->store, .identifier = identifier, .signer = service->host.signer,
        .signer_cert = service->signer_cert,
        .chain = &service->chain, .days = (uint32_t)service->config.trust_list_days};

    return an_trust_list_current(&publisher, now, ret_list, ret_signature, reterr);
}
