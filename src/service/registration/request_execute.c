/*
 * Carrying out what was approved. Every step can be done again without doing it twice: the device is reserved in the
 * commit that names it, the key in it is found by an identifier made of the item's name, the certificate by its request
 * key, and what is written on the device replaces what was there. After each step the store knows; after kill -9 the
 * next one goes on there.
 */
#include "service/registration/request_internal.h"

#include "ca/revocation.h"
#include "crypto/crypto.h"
#include "decision/decision.h"
#include "keys/keys.h"
#include "proc/json.h"
#include "service/certification/certify.h"
#include "service/registration/device.h"

#include <stdio.h>

enum step_place { STEP_DEVICE = 0, STEP_TOKEN, STEP_KEY, STEP_CERTIFICATE, STEP_WRITE, STEP_RECORD, STEP_END };

struct job {
    const struct an_desk *desk; /* the system's: the officers' decisions stand behind it */
    const struct an_request_tokens *tokens;
    struct an_certifier *certifier;
    struct an_keys *keys;
    char owner[80];
    struct an_arena *arena;
    struct an_dossier request;
    struct an_request_item item;
    struct an_execution execution;
    bool taken;
    struct an_subscriber subscriber;
    struct an_agency agency, parent;
    struct an_person person;
    struct an_device device;
    char object[64], device_number[64], serial[80];
    uint8_t key_id[AN_DIGEST_MAX];
    const char *what, *to; /* of a change; "" otherwise */
    const char *error;
};

static const struct an_actor SYSTEM = {"system", "he-thong"};

/* ---- steps of the store ---- */
static an_code
read_subject(struct an_tx *tx, struct job *j, struct an_err *reterr)
{
    AN_TRY(an_subscriber_find_number(tx, j->item.subject, j->arena, &j->subscriber, reterr));
    AN_TRY(an_agency_find(tx, j->subscriber.agency, j->arena, &j->agency, reterr));
    j->person = (struct an_person){0};
    if (j->subscriber.person != 0)
        AN_TRY(an_person_find(tx, j->subscriber.person, j->arena, &j->person, reterr));
    j->device = (struct an_device){0};
    if (j->device_number[0] != '\0')
        AN_TRY(an_device_find_number(tx, j->device_number, j->arena, &j->device, reterr));
    return AN_OK;
}

/* What a change changes, as it was approved. */
static an_code
read_change(struct job *j, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *content = NULL;

    j->what = j->to = "";
    if (j->request.kind != AN_REQUEST_CHANGE)
        return AN_OK;
    AN_TRY(an_json_parse(an_bytes_of_str(j->request.content), &content, reterr));
    const json_t *row = json_array_get(json_object_get(content, "rows"), (size_t)j->item.place - 1);
    j->what = an_arena_str(j->arena, an_bytes_of_str(request_text_at(row, "what")));
    j->to = an_arena_str(j->arena, an_bytes_of_str(request_text_at(row, "change_to")));
    if (j->what == NULL || j->to == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "%s", j->object);
    return AN_OK;
}

static an_code
take_job(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct job *j = context;

    AN_TRY(an_execution_take(tx, j->request.id, j->item.place, j->owner, an_time_now(), &j->execution, &j->taken,
                             reterr));
    if (!j->taken)
        return AN_OK;
    /* only of a new certificate is the device found while it is made */
    snprintf(j->device_number, sizeof(j->device_number), "%s", j->request.kind == AN_REQUEST_NEW
             ? j->execution.device : j->item.device);
    /* a new PIN needs the officers' signatures as much as a certificate does, which the tables ask for */
    AN_TRY(an_matter_require(tx, j->item.matter, "request.approve", j->object, j->item.facts, reterr));
    AN_TRY(read_subject(tx, j, reterr));
    if (j->request.kind == AN_REQUEST_NEW && j->device.id != 0 && j->device.subscriber != j->subscriber.id)
        AN_FAIL(reterr, AN_E_REQUEST_CHANGED, "%s: %s", j->object, j->device.number);
    return read_change(j, reterr);
}

static an_code
write_step(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct job *j = context;

    return an_execution_step(tx, j->request.id, j->item.place, j->owner, j->execution.step + 1, j->device_number,
                             an_time_now(), reterr);
}

static an_code
give_back(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct job *j = context;

    return an_execution_give(tx, j->request.id, j->item.place, j->owner, j->error, reterr);
}

/* ---- a device for a new subscriber: reserved in the commit that names it ---- */
static an_code
reserve_device(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct job *j = context;

    AN_TRY(an_device_free(tx, j->request.device_kind, j->subscriber.id, j->device_number, reterr));
    if (j->device_number[0] == '\0')
        AN_FAIL(reterr, AN_E_REQUEST_NO_DEVICE, "%s", j->request.device_kind);
    AN_TRY(read_subject(tx, j, reterr));
    j->device.subscriber = j->subscriber.id;
    AN_TRY(an_device_edit(tx, &j->device, reterr));
    return write_step(j, tx, reterr);
}

static an_code
do_device(struct job *j, struct an_err *reterr)
{
    return an_store_write(j->desk->instance->store, reserve_device, j, reterr);
}

/* ---- the token: made by request_token.c ---- */
static struct request_token
token_of(const struct job *j)
{
    return (struct request_token){.instance = j->desk->instance, .pin_dir = j->tokens->pin_dir,
                                  .module = j->tokens->uri, .device = &j->device};
}

/* What --token named is where the device is from now on. */
static an_code
keep_uri(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct job *j = context;
    AN_CLEANUP(an_free_ptr) char *uri = NULL;

    AN_TRY(an_device_find(tx, j->device.id, j->arena, &j->device, reterr));
    AN_TRY(an_service_token_uri(j->desk->instance, &j->device, j->tokens->uri, &uri, reterr));
    j->device.uri = an_arena_str(j->arena, an_bytes_of_str(uri));
    if (j->device.uri == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "uri");
    return an_device_edit(tx, &j->device, reterr);
}

static an_code
do_token(struct job *j, struct an_err *reterr)
{
    const struct request_token token = token_of(j);
    bool is_named = j->tokens->uri != NULL && j->device.uri[0] == '\0';

    AN_TRY(request_token_prepare(&token, reterr));
    return is_named ? an_store_write(j->desk->instance->store, keep_uri, j, reterr) : AN_OK;
}

static an_code
do_key(struct job *j, struct an_err *reterr)
{
    const struct request_token token = token_of(j);
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(AN_LIMIT_CERT_BYTES);

    return request_token_key(&token, AN_BYTES(j->key_id, 16), &spki, reterr);
}

/* ---- the certificate ---- */
/* State: C, L (province), O (superior), OU (agency), CN. NĐ 68/2024 Điều 7 and the fielded profile. */
static size_t
build_subject(const struct job *j, struct an_name_part *parts)
{
    bool is_renamed = strcmp(j->what, "name") == 0;
    const char *organisation = j->agency.superior_name ? j->agency.superior_name : "";
    bool is_agency = strcmp(j->request.subject_kind, "agency") == 0;
    size_t count = 0;

    parts[count++] = (struct an_name_part){"2.5.4.6", "VN"};
    if (j->agency.province != NULL && j->agency.province[0] != '\0')
        parts[count++] = (struct an_name_part){"2.5.4.7", j->agency.province};
    if (organisation[0] != '\0')
        parts[count++] = (struct an_name_part){"2.5.4.10", organisation};
    else if (!is_agency)
        parts[count++] = (struct an_name_part){"2.5.4.10", j->agency.name};
    if (!is_agency && organisation[0] != '\0')
        parts[count++] = (struct an_name_part){"2.5.4.11", j->agency.name};
    parts[count++] = (struct an_name_part){"2.5.4.3", is_renamed ? j->to : j->subscriber.name};
    return count;
}

static const char *
profile_of(const struct job *j)
{
    if (strcmp(j->subscriber.kind, "person") == 0)
        return strcmp(j->request.device_kind, "sim-pki") == 0 ? "sim-pki" : strcmp(j->request.device_kind, "hsm") == 0
                ? "tap-trung" : "ca-nhan";
    return strcmp(j->subscriber.kind, "agency") == 0 ? "co-quan" : strcmp(j->subscriber.kind, "agency-second") == 0
            ? "co-quan-thu-hai" : "thiet-bi";
}

/*
 * The officers signed the hash of the row that lay before them. Before anything is done for an item, that row must be
 * the one that was signed, and the dossier must still ask for that: who turns a revocation to another certificate after
 * the approval gets nothing done.
 */
static an_code
find_row(const struct job *j, json_t **ret_content, const json_t **ret_row, struct an_err *reterr)
{
    uint8_t facts[32];

    AN_TRY(an_json_parse(an_bytes_of_str(j->request.content), ret_content, reterr));
    *ret_row = json_array_get(json_object_get(*ret_content, "rows"), (size_t)j->item.place - 1);
    request_row_digest(*ret_row, facts);
    if (memcmp(facts, j->item.facts, 32) != 0)
        AN_FAIL(reterr, AN_E_REQUEST_CHANGED, "%s", j->object);
    return AN_OK;
}

/* Rows of dossiers older than a column do not say it. */
static bool
is_asked(const json_t *row, const char *key, const char *now)
{
    return json_object_get(row, key) == NULL || strcmp(request_text_at(row, key), now) == 0;
}

static an_code
check_asked(const struct job *j, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *content = NULL;
    const json_t *row = NULL;
    const struct { const char *key, *now; } table[] = {
        {"kind", an_request_kind_id(j->request.kind)}, {"subject", j->item.subject},
        {"subscriber_kind", j->subscriber.kind}, {"device_kind", j->request.device_kind},
        {"certificate", j->item.certificate}, {"ground", j->item.ground},
        /* of a new certificate the device is found while it is made */
        {"device", j->request.kind == AN_REQUEST_NEW ? "" : j->item.device}};

    AN_TRY(find_row(j, &content, &row, reterr));
    for (size_t i = 0; i < AN_COUNT(table); i++)
        if (!is_asked(row, table[i].key, table[i].now))
            AN_FAIL(reterr, AN_E_REQUEST_CHANGED, "%s: %s", j->object, table[i].key);
    return AN_OK;
}

/* What is asked to change may read as before or as asked, nothing else may differ. */
static bool
says(const json_t *row, const char *key, const char *what, const char *now)
{
    const char *to = strcmp(request_text_at(row, "what"), what) == 0 ? request_text_at(row, "change_to") : "";

    return strcmp(request_text_at(row, key), now ? now : "") == 0 || (to[0] != '\0' && strcmp(to, now ? now : "") == 0);
}

/* Before a certificate is made of what the register says, it must still say what was approved: who edits a name after
 * the approval gets no certificate for it. */
static an_code
check_approved(const struct job *j, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *content = NULL;
    const json_t *row = NULL;
    const struct { const char *key, *what, *now; } table[] = {
        {"subject", "-", j->subscriber.number}, {"name", "name", j->subscriber.name}, {"email", "email", j->item.email},
        {"workplace", "agency", j->agency.name}, {"superior", "-", j->agency.superior_name},
        {"province", "-", j->agency.province}, {"hierarchy", "-", j->agency.hierarchy}};

    AN_TRY(find_row(j, &content, &row, reterr));
    for (size_t i = 0; i < AN_COUNT(table); i++)
        if (!says(row, table[i].key, table[i].what, table[i].now) &&
            !(strcmp(j->what, "name") == 0 && table[i].now != NULL && strcmp(table[i].now, j->to) == 0))
            /* the last: an agency's workplace is its name, and another item of it came first */
            AN_FAIL(reterr, AN_E_REQUEST_CHANGED, "%s: %s", j->object, table[i].key);
    return AN_OK;
}

/* The decision that all of it rests on. */
static struct an_reliance
reliance_of(const struct job *j)
{
    struct an_reliance reliance = {.matter = j->item.matter, .act = "request.approve", .object = j->object};

    memcpy(reliance.facts, j->item.facts, 32);
    return reliance;
}

static const char *
authority_of(const struct job *j)
{
    return strcmp(j->agency.hierarchy, "party") == 0 ? "dang" : "nha-nuoc";
}

static an_code
issue_new(struct job *j, struct an_certified *ret, struct an_err *reterr)
{
    const struct request_token token = token_of(j);
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(AN_LIMIT_CERT_BYTES);
    struct an_reliance reliance = reliance_of(j);
    struct an_name_part subject[6];
    struct an_certify what = {.request_key = j->object, .profile = profile_of(j), .subject = subject,
                              .email = j->item.email,
                              .not_before = AN_TIME_NONE, .not_after = AN_TIME_NONE, .subscriber = j->subscriber.number,
                              .device = j->device_number,
                              .reliance = &reliance, .actor = SYSTEM};

    AN_TRY(request_token_key(&token, AN_BYTES(j->key_id, 16), &spki, reterr)); /* there already: only read */
    what.subject_count = build_subject(j, subject);
    what.spki = an_buf_view(&spki);
    what.authority = authority_of(j);
    return an_certify_issue(j->certifier, &what, ret, reterr);
}

static an_code
issue_next(struct job *j, struct an_certified *ret, struct an_err *reterr)
{
    struct an_reliance reliance = reliance_of(j);
    struct an_name_part subject[6];
    struct an_recertify what = {.request_key = j->object, .serial = j->item.certificate, .not_after = AN_TIME_NONE,
                                .reliance = &reliance, .actor = SYSTEM};

    if (j->request.kind == AN_REQUEST_RENEW)
        return an_certify_renew(j->certifier, &what, ret, reterr);
    what.subject = subject;
    what.subject_count = build_subject(j, subject);
    what.email = j->item.email; /* of a change of address: the new one */
    return an_certify_change(j->certifier, &what, ret, reterr);
}

static an_code
make_certificate(struct job *j, struct an_certified *ret, struct an_err *reterr)
{
    an_code code = check_approved(j, reterr);

    if (code == AN_OK)
        code = j->request.kind == AN_REQUEST_NEW ? issue_new(j, ret, reterr) : issue_next(j, ret, reterr);
    if (code == AN_OK) {
        AN_CLEANUP(an_free_ptr) char *serial = an_desk_serial(ret->cert);
        snprintf(j->serial, sizeof(j->serial), "%s", serial);
    }
    return code;
}

static an_code
do_certificate(struct job *j, struct an_err *reterr)
{
    AN_CLEANUP(an_certified_done) struct an_certified certified = {0};

    return make_certificate(j, &certified, reterr);
}

static an_code
do_write(struct job *j, struct an_err *reterr)
{
    const struct request_token token = token_of(j);
    AN_CLEANUP(an_certified_done) struct an_certified certified = {0};

    AN_TRY(make_certificate(j, &certified, reterr)); /* the same answer as before */
    if (j->device_number[0] == '\0')
        return AN_OK;
    return request_token_write(&token, certified.cert, reterr);
}

static an_code
do_revoke(struct job *j, struct an_err *reterr)
{
    struct an_reliance reliance = reliance_of(j);
    struct an_withdraw what = {.request_key = j->object, .serial = j->item.certificate, .ground = j->item.ground,
                               .invalid_since = AN_TIME_NONE,
                               .reliance = &reliance, .actor = SYSTEM};

    return an_certify_revoke(j->certifier, &what, reterr);
}

static an_code
do_unlock(struct job *j, struct an_err *reterr)
{
    const struct request_token token = token_of(j);

    return request_token_recover(&token, reterr);
}

/* The machine comes for it: the officers' decision opens the allowance, once. */
static an_code
allow_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct job *j = context;
    const struct an_reliance reliance = reliance_of(j);
    struct an_name_part subject[6];
    struct request_enrolment what = {.item = j->object, .authority = authority_of(j), .email = j->item.email,
                                     .subscriber = j->subscriber.number, .agency = j->agency.code, .subject = subject,
                                     .reliance = &reliance};

    what.subject_count = build_subject(j, subject);
    return request_allow_enrolment(tx, &what, reterr);
}

static an_code
do_allow(struct job *j, struct an_err *reterr)
{
    AN_TRY(check_approved(j, reterr));
    return an_store_write(j->desk->instance->store, allow_in, j, reterr);
}

/* ---- the end of an item: the register and the store agree ---- */
/* What was certified anew is what the register says: an address of mail; a name, of a subscriber and of the agency that
 * it is; an agency's address. A person's agency stands there already (person transfer). */
static an_code
change_agency(struct an_tx *tx, struct job *j, struct an_err *reterr)
{
    struct an_agency agency = j->agency;

    if (strcmp(j->what, "name") == 0)
        agency.name = j->to;
    else
        agency.address = j->to;
    return an_agency_edit(tx, &agency, reterr);
}

static an_code
change_register(struct an_tx *tx, struct job *j, struct an_err *reterr)
{
    bool is_agency = strcmp(j->subscriber.kind, "agency") == 0, is_name = strcmp(j->what, "name") == 0;
    struct an_subscriber subscriber = j->subscriber;

    if (is_agency && (is_name || strcmp(j->what, "address") == 0))
        AN_TRY(change_agency(tx, j, reterr));
    if (!is_name)
        return AN_OK;
    subscriber.name = j->to;
    return an_subscriber_edit(tx, &subscriber, reterr);
}

static an_code
change_mail(struct an_tx *tx, struct job *j, struct an_err *reterr)
{
    struct an_subscriber subscriber = j->subscriber;
    struct an_person person = j->person;

    if (j->request.kind != AN_REQUEST_CHANGE || strcmp(j->item.email, subscriber.email) == 0)
        return AN_OK;
    if (person.id != 0) {
        person.email = j->item.email;
        AN_TRY(an_person_edit(tx, &person, reterr));
    }
    subscriber.email = j->item.email;
    return an_subscriber_edit(tx, &subscriber, reterr);
}

static an_code
record_new(struct an_tx *tx, struct job *j, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf id = an_buf_new(64);
    struct an_subscriber_cert link = {.serial = j->serial, .subscriber = j->subscriber.id, .device = j->device.id,
                                      .since = j->desk->at};

    if (j->serial[0] == '\0')
        return AN_OK;
    an_buf_hex(&id, AN_BYTES(j->key_id, 16));
    an_buf_byte(&id, 0);
    link.object_id = (const char *)id.ptr;
    AN_TRY(an_subscriber_link_cert(tx, &link, reterr));
    AN_TRY(change_mail(tx, j, reterr));
    return change_register(tx, j, reterr);
}

/* An account on an HSM has no hand-over and no return: it opens with its certificate and ends with it. */
static const struct { enum an_request_kind kind; const char *device_kind, *from, *to, *why; } device_moves[] = {
    {AN_REQUEST_RECOVER, NULL, "bi-khoa", "dang-dung", "khôi phục"},
    {AN_REQUEST_NEW, "hsm", "chua-dung", "dang-dung", "cấp chứng thư"},
    {AN_REQUEST_REVOKE, "hsm", "dang-dung", "da-thu-hoi", "thu hồi chứng thư"},
    {AN_REQUEST_REVOKE, "hsm", "bi-khoa", "da-thu-hoi", "thu hồi chứng thư"},
};

static an_code
record_device(struct an_tx *tx, struct job *j, struct an_err *reterr)
{
    struct an_device now = {0};

    if (j->device.id == 0)
        return AN_OK;
    AN_TRY(an_device_find(tx, j->device.id, j->arena, &now, reterr));
    for (size_t i = 0; i < AN_COUNT(device_moves); i++)
        if (device_moves[i].kind == j->request.kind && strcmp(device_moves[i].from, now.state) == 0 &&
            (device_moves[i].device_kind == NULL || strcmp(device_moves[i].device_kind, now.kind) == 0))
            return an_device_change_state(tx, now.id, device_moves[i].to, "system", j->desk->at, device_moves[i].why,
                                          reterr);
    return AN_OK;
}

/* Where and when: QLTT is told; the Centre and others too when the regulation says so. */
static an_code
end_dossier(struct an_tx *tx, struct job *j, struct an_err *reterr)
{
    AN_CLEANUP(request_rule_done) struct request_rule rule = {0};
    bool is_fetched = request_is_self_enrol(&j->request);
    bool hands_over = j->request.kind == AN_REQUEST_NEW && strcmp(j->request.device_kind, "hsm") != 0 && !is_fetched;
    struct an_dossier request = j->request;
    AN_CLEANUP(an_buf_free) struct an_buf told = an_buf_new(512 * 1024);
    struct an_request_deed deed = {.actor = "system", .role = "he-thong", .at = j->desk->at};
    AN_CLEANUP(an_free_ptr) char *body = NULL;

    AN_TRY(request_rule_of(j->desk, &request, request.addressee, &rule, reterr));
    deed.citation = rule.citation;
    AN_TRY(an_request_move(tx, &request, AN_REQUEST_ACT_FINISH, &deed, reterr));
    request.state = AN_REQUEST_EXECUTED;
    if (is_fetched)
        AN_TRY(request_enrolment_text(tx, &request, j->arena, &told, reterr));
    body = is_fetched ? an_buf_take_str(&told) : request_result_text(j->desk, &request, hands_over);
    struct request_word word = {.role = "qltt", .what = "executed", .subject = "Thông báo kết quả yêu cầu chứng thực",
                                .body = body, .citation = rule.citation};
    AN_TRY(request_notify(j->desk, tx, &request, &word, reterr));
    AN_TRY(an_request_move(tx, &request, hands_over ? AN_REQUEST_ACT_EXPECT : AN_REQUEST_ACT_NOTIFY, &deed, reterr));
    return hands_over ? AN_OK : an_request_close(tx, request.id, "", j->desk->at, reterr);
}

static an_code
finish_job(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct job *j = context;
    int64_t open = 0, left = 0;

    AN_TRY(an_execution_finish(tx, j->request.id, j->item.place, j->owner, STEP_END, j->device_number, j->serial,
                               j->desk->at, reterr));
    AN_TRY(record_new(tx, j, reterr));
    AN_TRY(record_device(tx, j, reterr));
    AN_TRY(an_request_item_count(tx, j->request.id, AN_ITEM_OPEN, &open, reterr));
    AN_TRY(an_request_item_count(tx, j->request.id, AN_ITEM_APPROVED, &left, reterr));
    if (open > 0 || left > 0)
        return AN_OK;
    an_arena_reset(j->arena);
    AN_TRY(an_request_find(tx, j->request.id, j->arena, &j->request, reterr));
    return end_dossier(tx, j, reterr);
}

static an_code
do_record(struct job *j, struct an_err *reterr)
{
    AN_CLEANUP(an_certified_done) struct an_certified certified = {0};

    if (j->request.kind <= AN_REQUEST_CHANGE && j->serial[0] == '\0' && !request_is_self_enrol(&j->request))
        AN_TRY(make_certificate(j, &certified, reterr));
    return an_store_write(j->desk->instance->store, finish_job, j, reterr);
}

/* What is done for each kind, in this order; a step that is not there is passed over. */
typedef an_code (*step_fn)(struct job *job, struct an_err *reterr);
static const step_fn step_table[AN_REQUEST_KINDS + 1][STEP_END] = {
    [AN_REQUEST_NEW] = {do_device, do_token, do_key, do_certificate, do_write, do_record},
    [AN_REQUEST_RENEW] = {NULL, NULL, NULL, do_certificate, do_write, do_record},
    [AN_REQUEST_CHANGE] = {NULL, NULL, NULL, do_certificate, do_write, do_record},
    [AN_REQUEST_REVOKE] = {NULL, NULL, NULL, do_revoke, NULL, do_record},
    [AN_REQUEST_RECOVER] = {NULL, do_unlock, NULL, NULL, NULL, do_record},
};
static const step_fn self_enrol_steps[STEP_END] = {NULL, NULL, NULL, do_allow, NULL, do_record};

static an_code
run_steps(struct job *j, struct an_err *reterr)
{
    const step_fn *steps = request_is_self_enrol(&j->request) ? self_enrol_steps : step_table[j->request.kind];

    AN_TRY(check_asked(j, reterr));
    while (j->execution.step < STEP_END) {
        step_fn step = steps[j->execution.step];
        if (step != NULL)
            AN_TRY(step(j, reterr));
        if (step != NULL && j->execution.step != STEP_DEVICE && j->execution.step != STEP_RECORD)
            AN_TRY(an_store_write(j->desk->instance->store, write_step, j, reterr)); /* those two write it themselves */
        j->execution.step++;
    }
    return AN_OK;
}

static an_code
run_job(struct job *j, struct an_request_done *done, struct an_err *reterr)
{
    struct an_err err = {0};
    char why[400];

    snprintf(j->object, sizeof(j->object), "request:%lld/item:%lld", (long long)j->request.id,
             (long long)j->item.place);
    an_hash_once(AN_SHA256, an_bytes_of_str(j->object), j->key_id);
    j->serial[0] = '\0';
    AN_TRY(an_store_write(j->desk->instance->store, take_job, j, reterr));
    if (!j->taken) {
        done->busy += j->execution.finished_at == AN_TIME_NONE && j->execution.started_at != 0;
        return AN_OK;
    }
    if (run_steps(j, &err) == AN_OK) {
        done->done++;
        return AN_OK;
    }
    snprintf(why, sizeof(why), "%s: %s", an_message_find(err.code)->symbol, err.detail);
    j->error = why;
    done->failed++;
    if (reterr != NULL)
        *reterr = err;
    return err.code == AN_E_REQUEST_OWNER ? AN_OK : an_store_write(j->desk->instance->store, give_back, j, reterr);
}

/* ---- the certifier of this instance ---- */
static an_code
open_key(void *context, const char *key, struct an_signer **ret, struct an_err *reterr)
{
    return an_signer_of_keys(context, key, AN_PURPOSE_CERTIFICATE, ret, reterr);
}

static void
announce(void *context)
{
    an_status_announce(context);
}

static an_code
open_certifier(const struct an_instance *instance, struct an_keys **keys, struct an_certifier **ret,
               struct an_err *reterr)
{
    struct an_certifier_setup setup = {.store = instance->store, .open_key = open_key, .announce = announce,
                                       .announce_context = instance->dir};

    AN_TRY(an_keys_open(instance->dir, keys, reterr));
    setup.key_context = *keys;
    return an_certifier_open(&setup, ret, reterr);
}

struct reading {
    int64_t id;
    const struct an_desk *desk;
    struct an_arena *arena;
    struct an_dossier request;
    struct an_request_item *items;
    size_t count;
};

static an_code
read_request(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct reading *r = context;
    AN_CLEANUP(request_rule_done) struct request_rule rule = {0};

    an_arena_reset(r->arena);
    AN_TRY(an_request_find(tx, r->id, r->arena, &r->request, reterr));
    AN_TRY(request_require_authority(r->desk, &r->request, &rule, reterr));
    return an_request_items(tx, r->id, r->arena, &r->items, &r->count, reterr);
}

static void
job_done(struct job *j)
{
    an_certifier_close(&j->certifier);
    an_keys_close(&j->keys);
    an_arena_free(&j->arena);
}

an_code
an_request_execute(const struct an_desk *desk, int64_t id, const struct an_request_tokens *tokens,
                   struct an_request_done *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    AN_CLEANUP(job_done) struct job j = {.desk = desk, .tokens = tokens, .arena = an_arena_new(REQUEST_ARENA_BYTES)};
    struct reading r = {.id = id, .desk = desk, .arena = arena};

    *ret = (struct an_request_done){0};
    AN_TRY(an_store_read(desk->instance->store, read_request, &r, reterr));
    if (r.request.state != AN_REQUEST_EXECUTING && r.request.state != AN_REQUEST_ACCEPTED)
        AN_FAIL(reterr, AN_E_REQUEST_STATE, "request:%lld: %s", (long long)id,
                an_request_state_name(r.request.state, false));
    an_execution_owner(j.owner);
    AN_TRY(open_certifier(desk->instance, &j.keys, &j.certifier, reterr));
    for (size_t i = 0; i < r.count; i++) {
        if (tokens->progress != NULL)
            tokens->progress(tokens->context, i, r.count);
        if (r.items[i].state != AN_ITEM_APPROVED)
            continue;
        j.request = r.request;
        j.item = r.items[i];
        AN_TRY(run_job(&j, ret, reterr));
    }
    return AN_OK;
}

/* ---- loss, or a leak: at once ---- */
struct emergency {
    const struct an_desk *desk;
    const char *certificate;
    struct an_subscriber subscriber;
    struct request_cert cert;
    struct an_arena *arena;
};

static an_code
read_emergency(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct emergency *e = context;
    struct an_subscriber_cert link = {0};
    bool below = false;

    AN_TRY(an_subscriber_of_cert(tx, e->certificate, e->arena, &link, reterr));
    if (link.subscriber == 0)
        AN_FAIL(reterr, AN_E_CHECK_CERTIFICATE, "%s", e->certificate);
    AN_TRY(an_subscriber_find(tx, link.subscriber, e->arena, &e->subscriber, reterr));
    AN_TRY(an_agency_is_below(tx, e->subscriber.agency, e->desk->agency, &below, reterr));
    if (!below && e->subscriber.person != e->desk->person)
        AN_FAIL(reterr, AN_E_CHECK_MANAGED, "%s", e->subscriber.number);
    return request_find_cert(tx, e->certificate, &e->cert, reterr);
}

static an_code
hold_now(const struct an_desk *desk, const char *certificate, struct an_err *reterr)
{
    struct job j = {.desk = desk};
    /* released and lost again is another emergency: its own key */
    AN_CLEANUP(an_free_ptr) char *key = an_asprintf("emergency:%s@%lld", certificate, (long long)desk->at);
    struct an_withdraw what = {.request_key = key, .serial = certificate, .invalid_since = AN_TIME_NONE,
                               .actor = SYSTEM};
    an_code code = open_certifier(desk->instance, &j.keys, &j.certifier, reterr);

    if (code == AN_OK)
        code = an_certify_hold(j.certifier, &what, reterr);
    job_done(&j);
    return code;
}

an_code
an_request_emergency(const struct an_desk *desk, const char *certificate, const char *ground,
                     struct an_request_drafted *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    AN_CLEANUP(an_free_ptr) char *key = NULL;
    struct emergency e = {.desk = desk, .certificate = certificate, .arena = arena};

    if (!request_ground_is_emergency(ground))
        AN_FAIL(reterr, AN_E_CHECK_GROUND, "%s", ground);
    AN_TRY(an_store_read(desk->instance->store, read_emergency, &e, reterr));
    if (e.cert.status != AN_CERTIFICATE_HELD) {
        AN_TRY(hold_now(desk, certificate, reterr));
        AN_TRY(an_store_read(desk->instance->store, read_emergency, &e, reterr));
    }
    /* one dossier for each time it is held */
    key = an_asprintf("emergency:%s@%lld", certificate, (long long)e.cert.since);
    struct an_request_subject subject = {.subject = e.subscriber.number, .certificate = certificate, .ground = ground};
    struct an_request_spec spec = {.kind = AN_REQUEST_REVOKE, .key = key, .urgent = true, .subjects = &subject,
                                   .count = 1};
    return an_request_draft(desk, &spec, 0, ret, reterr);
}
