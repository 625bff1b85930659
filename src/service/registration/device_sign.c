/*
 * Signing a record: by the person whose turn it is, with his own token and his own certificate, through the same
 * session that signs every document (the path is checked first: NĐ 68/2024 Điều 29).
 */
#include "service/registration/device.h"

#include "base/file.h"
#include "base/limits.h"
#include "crypto/crypto.h"
#include "proc/render.h"
#include "sign/sign.h"

#include <stdio.h>
#include <unistd.h>

struct signing {
    const struct an_desk *desk;
    const struct an_record_key *key;
    struct an_arena *arena;
    int64_t id;
    struct an_record record;
    bool by_giver;
    struct an_buf pdf;
    uint8_t before[AN_DIGEST_MAX];
    char serial[128], email[256];
    struct an_signer *signer;
    struct an_cert *cert;
    struct an_desk_trust trust;
    struct an_renderer *renderer;
    struct an_sign_session *session;
    char *in_path, *out_path;
    bool is_done;
};

static void
signing_done(struct signing *s)
{
    an_sign_session_free(&s->session);
    an_renderer_stop(&s->renderer);
    an_signer_close(&s->signer);
    an_cert_unref(&s->cert);
    an_desk_trust_done(&s->trust);
    an_buf_free(&s->pdf);
    an_arena_free(&s->arena);
    if (s->in_path != NULL)
        unlink(s->in_path);
    if (s->out_path != NULL)
        unlink(s->out_path);
    free(s->in_path);
    free(s->out_path);
}

/* ---- whose turn ---- */
static an_code
load_record(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct signing *s = context;
    int64_t turn;

    AN_TRY(an_record_find(tx, s->id, s->arena, &s->record, reterr));
    s->by_giver = strcmp(s->record.state, "draft") == 0;
    if (strcmp(s->record.medium, "electronic") != 0 || (!s->by_giver && strcmp(s->record.state, "half-signed") != 0))
        AN_FAIL(reterr, AN_E_RECORD_STATE, "%s: %s", s->record.number, s->record.state);
    turn = s->by_giver ? s->record.giver_signer : s->record.taker_signer;
    if (turn != s->desk->person)
        AN_FAIL(reterr, AN_E_RECORD_SIGNER, "%s", s->record.number);
    return an_record_pdf(tx, s->id, &s->pdf, reterr);
}

/* ---- whose certificate ---- */
static an_code
read_certificate(struct signing *s, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_certs_done) struct an_certs found = {0};
    an_bytes on_token = an_signer_info(s->signer)->certificate;

    if (s->key->cert != NULL)
        AN_TRY(an_file_read(s->key->cert, AN_LIMIT_CERT_BYTES, &der, reterr));
    AN_TRY(an_certs_read(&found, s->key->cert ? an_buf_view(&der) : on_token, reterr));
    if (found.count == 0)
        AN_FAIL(reterr, AN_E_RECORD_CERT, "%s", s->desk->number);
    s->cert = an_cert_ref(found.items[0]);
    return AN_OK;
}

/* His by the register, or bearing his own official address; and in force by the store, which knows of a hold before any
 * list does. */
static an_code
check_owner(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct signing *s = context;
    struct an_desk_cert whose;
    struct an_person person = {0};
    bool is_his;

    AN_TRY(an_person_find(tx, s->desk->person, s->arena, &person, reterr));
    AN_TRY(an_desk_cert_look(tx, s->cert, &whose, reterr));
    is_his = whose.subscriber != 0 ? whose.person == s->desk->person
        : s->email[0] != '\0' && strcmp(s->email, person.email) == 0;
    if (!is_his || (whose.is_ours && !whose.is_good))
        AN_FAIL(reterr, AN_E_RECORD_CERT, "%s: %s", s->desk->number, s->serial);
    return AN_OK;
}

static an_code
take_key(struct signing *s, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf serial = an_buf_new(sizeof(s->serial) - 1);
    AN_CLEANUP(an_buf_free) struct an_buf email = an_buf_new(sizeof(s->email) - 1);

    AN_TRY(an_signer_open(s->key->uri, s->key->pin, &s->signer, reterr));
    AN_TRY(read_certificate(s, reterr));
    an_buf_hex(&serial, s->cert->serial);
    snprintf(s->serial, sizeof(s->serial), "%.*s", AN_FMT(an_buf_view(&serial)));
    if (an_cert_email(s->cert, &email))
        snprintf(s->email, sizeof(s->email), "%.*s", AN_FMT(an_buf_view(&email)));
    return an_store_read(s->desk->instance->store, check_owner, s, reterr);
}

/* ---- the signature ---- */
static an_code
open_session(struct signing *s, struct an_err *reterr)
{
    struct an_sign_setup setup = {
        .signer = s->signer, .cert = s->cert, .chain = &s->trust.untrusted, .anchors = &s->trust.anchors,
        .crls = &s->trust.crls,
        .revocation = AN_REVOCATION_IF_AVAILABLE, .level = AN_LEVEL_B_B, .near_text = s->desk->name, .near_last = true,
    };

    AN_TRY(an_desk_trust_load(s->desk->instance, &s->trust, reterr));
    if (s->key->image.len != 0) {
        AN_TRY(an_look_find(s->desk->instance->regulations, NULL, "nguoi-co-tham-quyen", &setup.look, reterr));
        AN_TRY(an_renderer_start(60000, &s->renderer, reterr));
        setup.renderer = s->renderer;
        setup.image_png = s->key->image;
    }
    return an_sign_session_new(&setup, &s->session, reterr);
}

static an_code
sign_file(struct signing *s, struct an_buf *ret_pdf, struct an_err *reterr)
{
    struct an_sign_job job = {.field = s->by_giver ? "ben-giao" : "ben-nhan"};
    struct an_sign_result result = {0};
    uint8_t random[8];
    AN_CLEANUP(an_buf_free) struct an_buf name = an_buf_new(64);
    AN_CLEANUP(an_free_ptr) char *folder = an_instance_path(s->desk->instance, "run");

    AN_TRY(an_random(random, sizeof(random), reterr));
    an_buf_hex(&name, AN_BYTES(random, sizeof(random)));
    AN_TRY(an_dir_make(folder, true, reterr));
    s->in_path = an_asprintf("%s/record-%.*s.pdf", folder, AN_FMT(an_buf_view(&name)));
    s->out_path = an_asprintf("%s/record-%.*s-signed.pdf", folder, AN_FMT(an_buf_view(&name)));
    AN_TRY(an_file_write(s->in_path, an_buf_view(&s->pdf), 0600, reterr));
    job.in_path = s->in_path;
    job.out_path = s->out_path;
    AN_TRY(an_sign_pdf(s->session, &job, &result, reterr));
    return an_file_read(s->out_path, AN_LIMIT_RECORD_BYTES, ret_pdf, reterr);
}

struct keeping {
    struct signing *s;
    an_bytes pdf;
};

static an_code
keep_signature(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    struct keeping *keeping = act->context;
    struct signing *s = keeping->s;

    AN_TRY(check_owner(s, tx, reterr)); /* again: it may have been held while he signed */
    snprintf(act->object, sizeof(act->object), "record:%s", s->record.number);
    snprintf(act->citation, sizeof(act->citation), "%s", s->record.form);
    snprintf(act->detail, sizeof(act->detail), "{\"side\":\"%s\",\"certificate\":\"%s\",\"step\":\"%s\"}",
             s->by_giver ? "giver" : "taker", s->serial,
             s->record.step);
    return an_record_signed(tx, s->id, s->by_giver, s->before, keeping->pdf, act->desk->number, act->desk->at, reterr);
}

an_code
an_service_record_sign(const struct an_desk *desk, int64_t record, const struct an_record_key *key, bool *ret_done,
                       struct an_err *reterr)
{
    AN_CLEANUP(signing_done) struct signing s = {
        .desk = desk, .key = key, .id = record, .arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA),
        .pdf = an_buf_new(AN_LIMIT_RECORD_BYTES)};
    AN_CLEANUP(an_buf_free) struct an_buf signed_pdf = an_buf_new(AN_LIMIT_RECORD_BYTES);
    struct keeping keeping = {.s = &s};

    AN_TRY(an_store_read(desk->instance->store, load_record, &s, reterr));
    an_hash_once(AN_SHA256, an_buf_view(&s.pdf), s.before);
    AN_TRY(take_key(&s, reterr));
    AN_TRY(open_session(&s, reterr));
    AN_TRY(sign_file(&s, &signed_pdf, reterr));
    keeping.pdf = an_buf_view(&signed_pdf);
    AN_TRY(an_registry_do(desk, "device.record-sign", keep_signature, &keeping, reterr));
    *ret_done = !s.by_giver;
    return AN_OK;
}

static an_code
void_record(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const int64_t *id = act->context;
    struct an_record record = {0};

    AN_TRY(an_record_find(tx, *id, act->arena, &record, reterr));
    snprintf(act->object, sizeof(act->object), "record:%s", record.number);
    AN_TRY(an_registry_require(tx, act->desk, "device.record", strcmp(record.giver_kind, "agency") == 0 ? record.giver
                               : 0, reterr));
    return an_record_void(tx, *id, reterr);
}

an_code
an_service_record_void(const struct an_desk *desk, int64_t record, struct an_err *reterr)
{
    return an_registry_do(desk, "device.record-void", void_record, &record, reterr);
}
