/*
 * The tokens themselves: prepared for their first holder, restored when locked, wiped when they came back. What happens
 * on the token cannot be undone with the store, so the question is asked first, the token served second, and the
 * register told third.
 */
#include "service/registration/device.h"

#include "base/file.h"
#include "base/limits.h"
#include "crypto/crypto.h"
#include "regulation/explain.h"

#include <stdio.h>

char *
an_service_so_pin_path(const struct an_instance *instance, const char *number)
{
    return an_asprintf("%s/pins/so-%s.pin", instance->dir, number);
}

/* ---- where a token is ---- */
/* "pkcs11:?module-path=…" of a module; one that names a token, a slot or a serial is taken as it is. */
static char *
uri_in_module(const char *module, const char *label)
{
    size_t path = strcspn(module, "?");
    bool is_whole = path > strlen("pkcs11:");

    return is_whole ? an_strdup(module) : an_asprintf("pkcs11:token=%s%s", label, module + path);
}

an_code
an_service_token_uri(const struct an_instance *instance, const struct an_device *device, const char *module,
                     char **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *folder = an_instance_path(instance, "devices");

    if (device->uri != NULL && device->uri[0] != '\0') {
        *ret = an_strdup(device->uri);
        return AN_OK;
    }
    if (module != NULL && module[0] != '\0') {
        if (strncmp(module, "pkcs11:", 7) != 0)
            AN_FAIL(reterr, AN_E_TOKEN_URI, "--token");
        *ret = uri_in_module(module, device->number);
        return AN_OK;
    }
    AN_TRY(an_dir_make(folder, true, reterr));
    AN_TRY(an_softhsm_use(folder, reterr));
    if (an_softhsm_module() == NULL)
        AN_FAIL(reterr, AN_E_TOKEN_MODULE, "softhsm2");
    *ret = an_asprintf("pkcs11:token=%s?module-path=%s", device->number, an_softhsm_module());
    return AN_OK;
}

/* ---- PINs by the rule of a model ---- */
static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"; /* none that look alike */
static const char digits[] = "0123456789";

static uint8_t
pick(const char *from, size_t count, uint8_t random)
{
    return (uint8_t)from[random % count];
}

/* Random, and again until the rule is met: each try meets it with a probability of about a half. */
static an_code
make_pin(const struct an_pin_policy *policy, struct an_secret **ret, struct an_err *reterr)
{
    size_t len = policy->length_max >= 10 ? 10 : policy->length_max, least = policy->length_min;
    bool only_digits = policy->digits_only;

    if (len < least)
        len = least;
    for (int tries = 0; tries < 1000; tries++) {
        AN_CLEANUP(an_secret_free) struct an_secret *pin = an_secret_new(len), *noise = an_secret_new(len);
        AN_TRY(an_random(an_secret_ptr(noise), len, reterr));
        for (size_t i = 0; i < len; i++)
            an_secret_ptr(pin)[i] = only_digits ? pick(digits, 10, an_secret_ptr(noise)[i])
                    : pick(letters, sizeof(letters) - 1, an_secret_ptr(noise)[i]);
        an_secret_set_len(pin, len);
        if (an_pin_check(policy, pin, NULL) != AN_OK)
            continue;
        *ret = pin;
        pin = NULL;
        return AN_OK;
    }
    AN_FAIL(reterr, AN_E_PIN_POLICY, "%s", policy->model);
}

/* ---- preparing ---- */
static void
keep_token(void *context, const struct an_token_info *token)
{
    struct an_token_info *kept = context;

    *kept = *token;
}

static an_code
write_pins(const struct an_instance *instance, const char *number, const struct an_secret *so,
           const struct an_secret *user, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *folder = an_instance_path(instance, "pins");
    AN_CLEANUP(an_free_ptr) char *so_path = an_service_so_pin_path(instance, number);
    AN_CLEANUP(an_free_ptr) char *user_path = an_asprintf("%s/user-%s.pin", folder, number);

    AN_TRY(an_dir_make(folder, true, reterr));
    AN_TRY(an_file_write(so_path, an_secret_bytes(so), 0600, reterr));
    return an_file_write(user_path, an_secret_bytes(user), 0600, reterr);
}

struct asking {
    const struct an_desk *desk;
    const char *number;
    struct an_arena *arena;
    struct an_device device;
    const char *regulation, *subject;
    int64_t agency;
};

static an_code
ask_may_add(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_registry_require(tx, context, "device.add", 0, reterr);
}

an_code
an_service_device_prepare(const struct an_desk *desk, const char *uri, const char *model_id, int64_t *ret_id,
                          char ret_number[static 64],
                          struct an_err *reterr)
{
    AN_CLEANUP(an_device_models_close) struct an_device_models *models = NULL;
    AN_CLEANUP(an_secret_free) struct an_secret *so = NULL, *user = NULL;
    static const struct an_pin_policy so_policy = {.model = "SO", .length_min = 10, .length_max = 16};
    const struct an_device_model *model;
    union { const struct an_desk *in; void *out; } pass = {.in = desk};
    struct an_token_info token = {0};
    char made[512], label[33];
    uint8_t random[4];

    AN_TRY(an_store_read(desk->instance->store, ask_may_add, pass.out, reterr));
    AN_TRY(an_device_models_open(NULL, &models, reterr));
    model = an_device_model_find(models, model_id ? model_id : "");
    if (model == NULL)
        AN_FAIL(reterr, AN_E_DEVICE_FIELD, "model: %.40s", model_id ? model_id : "");
    AN_TRY(make_pin(&so_policy, &so, reterr));
    AN_TRY(make_pin(&model->pin, &user, reterr));
    AN_TRY(an_random(random, sizeof(random), reterr));
    snprintf(label, sizeof(label), "antin-%02x%02x%02x%02x", random[0], random[1], random[2], random[3]);
    AN_TRY(an_token_init(uri, label, so, user, made, reterr));
    AN_TRY(an_token_list(made, keep_token, &token, reterr));
    if (token.serial[0] == '\0')
        AN_FAIL(reterr, AN_E_TOKEN_ANSWER, "CK_TOKEN_INFO.serialNumber");
    AN_TRY(write_pins(desk->instance, token.serial, so, user, reterr));
    const struct an_device device = {.kind = "pki-token", .number = token.serial, .model = model->id, .uri = made};
    AN_TRY(an_service_device_add(desk, &device, ret_id, reterr));
    snprintf(ret_number, 64, "%s", token.serial);
    return AN_OK;
}

/* ---- restoring, wiping: who may ---- */
static an_code
load_device(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct asking *a = context;
    struct an_subscriber subscriber = {0};
    struct an_person person = {0};

    a->regulation = "";
    AN_TRY(an_device_find_number(tx, a->number, a->arena, &a->device, reterr));
    a->agency = a->device.holder;
    if (strcmp(a->device.holder_kind, "person") == 0) {
        AN_TRY(an_person_find(tx, a->device.holder, a->arena, &person, reterr));
        a->agency = person.agency;
    }
    if (a->device.subscriber != 0) {
        AN_TRY(an_subscriber_find(tx, a->device.subscriber, a->arena, &subscriber, reterr));
        a->subject = subscriber.kind;
    }
    return a->agency ? an_agency_regulation(tx, a->agency, a->arena, &a->regulation, reterr) : AN_OK;
}

struct restored {
    const struct asking *a;
    const char *citation;
};

static an_code
tell_restored(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct restored *restored = act->context;
    struct an_device now = {0};

    snprintf(act->object, sizeof(act->object), "device:%s", restored->a->device.number);
    snprintf(act->citation, sizeof(act->citation), "%s", restored->citation);
    AN_TRY(an_device_find(tx, restored->a->device.id, act->arena, &now, reterr));
    if (strcmp(now.state, "bi-khoa") != 0)
        return AN_OK;
    return an_device_change_state(tx, now.id, "dang-dung", act->desk->number, act->desk->at, "khôi phục", reterr);
}

static struct an_pin_source
so_pin_of(const struct an_instance *instance, const char *number, struct an_pin_source given, char **ret_path)
{
    if (given.ask != NULL)
        return given;
    *ret_path = an_service_so_pin_path(instance, number);
    return an_pin_from_file(*ret_path);
}

static an_code
restore_token(const struct asking *a, const struct an_secret *new_pin, struct an_pin_source so_pin,
              struct an_err *reterr)
{
    AN_CLEANUP(an_device_models_close) struct an_device_models *models = NULL;
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    AN_CLEANUP(an_free_ptr) char *uri = NULL;
    const struct an_device_model *model;

    AN_TRY(an_device_models_open(NULL, &models, reterr));
    AN_TRY(an_service_token_uri(a->desk->instance, &a->device, NULL, &uri, reterr));
    model = an_device_model_find(models, a->device.model);
    return an_token_unlock(uri, so_pin_of(a->desk->instance, a->device.number, so_pin, &path), new_pin,
                           model ? &model->pin : NULL, reterr);
}

static an_code
refuse(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct { const char *number; const struct an_err *err; } *why = act->context;

    (void)tx;
    snprintf(act->object, sizeof(act->object), "device:%.64s", why->number);
    if (reterr != NULL)
        *reterr = *why->err;
    return why->err->code;
}

an_code
an_service_device_restore(const struct an_desk *desk, const char *number, const struct an_secret *new_pin,
                          struct an_pin_source so_pin, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA);
    AN_CLEANUP(an_answer_free) struct an_answer *answer = NULL;
    struct asking a = {.desk = desk, .number = number, .arena = arena};
    struct restored restored = {.a = &a, .citation = ""};
    struct an_err err = {0};
    an_code code;

    AN_TRY(an_store_read(desk->instance->store, load_device, &a, reterr));
    code = an_service_device_explain(desk, "device.restore", &a.device, a.subject, a.regulation, false, false, &answer,
                                     &err);
    if (code != AN_OK) { /* who may not is told, and written down */
        struct { const char *number; const struct an_err *err; } why = {number, &err};
        return an_registry_do(desk, "device.restore", refuse, &why, reterr);
    }
    if (strcmp(a.device.state, "bi-khoa") != 0 && strcmp(a.device.state, "dang-dung") != 0)
        AN_FAIL(reterr, AN_E_DEVICE_STATE, "%s: %s", number, a.device.state);
    if (answer->citation_count > 0)
        restored.citation = answer->citations[0];
    AN_TRY(restore_token(&a, new_pin, so_pin, reterr));
    return an_registry_do(desk, "device.restore", tell_restored, &restored, reterr);
}

static an_code
ask_may_wipe(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct asking *a = context;

    AN_TRY(load_device(a, tx, reterr));
    AN_TRY(an_registry_require(tx, a->desk, "device.wipe", a->agency, reterr));
    if (strcmp(a->device.state, "da-thu-hoi") != 0)
        AN_FAIL(reterr, AN_E_DEVICE_STATE, "%s: %s", a->number, a->device.state);
    return AN_OK;
}

static an_code
tell_wiped(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct asking *a = act->context;
    struct an_device now = {0};

    snprintf(act->object, sizeof(act->object), "device:%s", a->device.number);
    snprintf(act->citation, sizeof(act->citation), "nd-68-2024/20");
    AN_TRY(an_device_find(tx, a->device.id, act->arena, &now, reterr));
    now.subscriber = 0;
    AN_TRY(an_device_edit(tx, &now, reterr));
    return an_device_change_state(tx, now.id, "chua-dung", act->desk->number, act->desk->at, "xóa sạch", reterr);
}

/* The serial that the token must bear, so that no other one is destroyed: a PKI Token's number is its serial. A token
 * that bears the device's number as label, and a SIM or an account whose address names one token, is known by that. */
static const char *
serial_to_wipe(const struct asking *a, const char *uri, const struct an_token_info *token)
{
    bool is_one = strstr(uri, "token=") != NULL || strstr(uri, "serial=") != NULL;

    if (strcmp(token->label, a->number) == 0 || (is_one && strcmp(a->device.kind, "pki-token") != 0))
        return token->serial;
    return a->number;
}

an_code
an_service_device_wipe(const struct an_desk *desk, const char *number, struct an_pin_source so_pin,
                       struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA);
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    AN_CLEANUP(an_free_ptr) char *uri = NULL;
    struct asking a = {.desk = desk, .number = number, .arena = arena};
    struct an_token_info token = {0};

    AN_TRY(an_store_read(desk->instance->store, ask_may_wipe, &a, reterr));
    AN_TRY(an_service_token_uri(desk->instance, &a.device, NULL, &uri, reterr));
    /* it keeps its label: the register knows it by that */
    AN_TRY(an_token_list(uri, keep_token, &token, reterr));
    AN_TRY(an_token_wipe(uri, serial_to_wipe(&a, uri, &token), token.label[0] ? token.label : number,
                         so_pin_of(desk->instance, number, so_pin, &path), reterr));
    return an_registry_do(desk, "device.wipe", tell_wiped, &a, reterr);
}
