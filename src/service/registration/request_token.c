/* The subscriber's token during execution: made ready, given a key, a certificate, a new PIN. Idempotent, each of
 * them. */
#include "service/registration/request_internal.h"

#include "base/file.h"
#include "crypto/crypto.h"
#include "registry/model.h"
#include "service/registration/device.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIN_DIGITS 8
#define KEY_BITS 2048 /* what the fielded tokens hold at least (TT 15/2025 Phụ lục I) */

/* DIR/pins/user-NUMBER.pin, so-NUMBER.pin: where `antin device prepare` keeps them too. */
static char *
pin_path(const struct request_token *token, const char *whose)
{
    AN_CLEANUP(an_free_ptr) char *own = token->pin_dir ? an_strdup(token->pin_dir) : an_instance_path(token->instance,
            "pins");

    return an_asprintf("%s/%s-%s.pin", own, whose, token->device->number);
}

/* A PIN that nobody chose, in a file of its owner's alone; one that is there stays. */
static an_code
keep_pin(const char *path, bool is_digits, struct an_secret **ret, struct an_err *reterr)
{
    struct an_pin_source source = an_pin_from_file(path);
    uint8_t random[PIN_DIGITS];
    char text[PIN_DIGITS + 4];
    an_code code;

    if (access(path, F_OK) != 0) {
        AN_CLEANUP(an_free_ptr) char *folder = an_asprintf("%.*s", (int)(strrchr(path, '/') - path), path);
        AN_TRY(an_dir_make(folder, true, reterr));
        AN_TRY(an_random(random, sizeof(random), reterr));
        for (size_t i = 0; i < PIN_DIGITS; i++)
            text[i] = (char)('0' + random[i] % 10);
        /* models that ask for letters ask for both cases */
        memcpy(text + PIN_DIGITS, is_digits ? "\n" : "aZ\n", is_digits ? 1 : 3);
        code = an_file_write(path, AN_BYTES(text, PIN_DIGITS + (is_digits ? 1 : 3)), 0600, reterr);
        an_wipe(text, sizeof(text));
        an_wipe(random, sizeof(random));
        AN_TRY(code);
    }
    return source.ask(source.context, path, AN_PIN_OK, ret, reterr);
}

static an_code
token_uri(const struct request_token *token, char **ret, struct an_err *reterr)
{
    return an_service_token_uri(token->instance, token->device, token->module, ret, reterr);
}

struct looking {
    bool found, initialised, has_pin;
};

static void
see_token(void *context, const struct an_token_info *info)
{
    struct looking *looking = context;

    looking->found = true;
    looking->initialised = info->initialised;
    looking->has_pin = info->pin != AN_PIN_UNSET;
}

an_code
request_token_prepare(const struct request_token *token, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *uri = NULL;
    AN_CLEANUP(an_free_ptr) char *pin_file = pin_path(token, "user");
    AN_CLEANUP(an_free_ptr) char *so_file = pin_path(token, "so");
    AN_CLEANUP(an_free_ptr) char *slot = NULL;
    AN_CLEANUP(an_secret_free) struct an_secret *pin = NULL, *so_pin = NULL;
    struct looking looking = {0};
    char made[512];

    AN_TRY(token_uri(token, &uri, reterr));
    if (an_token_list(uri, see_token, &looking, NULL) == AN_OK && looking.found && looking.initialised &&
        looking.has_pin)
        return AN_OK;
    AN_TRY(keep_pin(pin_file, true, &pin, reterr));
    AN_TRY(keep_pin(so_file, true, &so_pin, reterr));
    if (looking.found && looking.initialised) /* killed between the token and its PIN */
        return an_token_unlock(uri, an_pin_from_file(so_file), pin, NULL, reterr);
    slot = an_asprintf("pkcs11:%s", uri + strcspn(uri, "?")); /* a blank one of the module */
    return an_token_init(token->device->uri[0] != '\0' ? uri : slot, token->device->number, so_pin, pin, made, reterr);
}

/* ---- keys ---- */
struct finding {
    const char *id;
    bool found;
    char uri[512];
};

static void
see_object(void *context, const struct an_token_object *object)
{
    struct finding *finding = context;

    if (strcmp(object->class_name, "private-key") == 0 && strcmp(object->id, finding->id) == 0) {
        finding->found = true;
        snprintf(finding->uri, sizeof(finding->uri), "%s", object->uri);
    }
}

static void
hex_of(an_bytes bytes, char ret[static 80])
{
    ret[0] = '\0';
    for (size_t i = 0; i < bytes.len && i < 39; i++)
        snprintf(ret + 2 * i, 3, "%02x", bytes.ptr[i]);
}

/* The URI of one key in a token: its id in percent form after the token's path. */
static char *
key_uri(const char *uri, an_bytes id)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(1024);
    size_t path = strcspn(uri, "?");

    an_buf_append(&text, AN_BYTES(uri, path));
    an_buf_str(&text, ";id=");
    for (size_t i = 0; i < id.len; i++)
        an_buf_printf(&text, "%%%02x", id.ptr[i]);
    an_buf_str(&text, uri + path);
    return an_buf_take_str(&text);
}

an_code
request_token_key(const struct request_token *token, an_bytes id, struct an_buf *ret_spki, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *uri = NULL;
    AN_CLEANUP(an_free_ptr) char *pin_file = pin_path(token, "user");
    AN_CLEANUP(an_free_ptr) char *key = NULL;
    AN_CLEANUP(an_signer_close) struct an_signer *signer = NULL;
    char hex[80];
    struct finding finding = {.id = hex};

    hex_of(id, hex);
    AN_TRY(token_uri(token, &uri, reterr));
    /* who was killed while making it left halves */
    AN_TRY(an_token_sweep(uri, an_pin_from_file(pin_file), id, reterr));
    AN_TRY(an_token_objects(uri, an_pin_from_file(pin_file), see_object, &finding, reterr));
    if (!finding.found)
        return an_token_generate(uri, an_pin_from_file(pin_file), AN_KEY_RSA, KEY_BITS, token->device->number, id,
                                 ret_spki, reterr);
    key = key_uri(uri, id);
    AN_TRY(an_signer_open(key, an_pin_from_file(pin_file), &signer, reterr));
    an_buf_append(ret_spki, an_signer_spki(signer));
    return AN_OK;
}

/* ---- certificates ---- */
struct matching {
    const struct request_token *token;
    char ids[16][80];
    size_t count;
};

static void
see_key(void *context, const struct an_token_object *object)
{
    struct matching *m = context;

    if (strcmp(object->class_name, "private-key") == 0 && m->count < AN_COUNT(m->ids))
        snprintf(m->ids[m->count++], sizeof(m->ids[0]), "%s", object->id);
}

static an_code
is_key_of(const char *uri, const char *pin_file, an_bytes id, const struct an_cert *cert, bool *ret,
          struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *key = key_uri(uri, id);
    AN_CLEANUP(an_signer_close) struct an_signer *signer = NULL;

    AN_TRY(an_signer_open(key, an_pin_from_file(pin_file), &signer, reterr));
    *ret = an_bytes_eq(an_signer_spki(signer), cert->spki);
    return AN_OK;
}

/* Under the identifier of the key it belongs to. A device whose PIN is the subscriber's own by now is not at hand: the
 * subscriber writes it with `antin token write`, and is told so. */
an_code
request_token_write(const struct request_token *token, const struct an_cert *cert, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *uri = NULL;
    AN_CLEANUP(an_free_ptr) char *pin_file = pin_path(token, "user");
    struct matching m = {.token = token};

    AN_TRY(token_uri(token, &uri, reterr));
    if (access(pin_file, R_OK) != 0)
        return AN_OK;
    AN_TRY(an_token_objects(uri, an_pin_from_file(pin_file), see_key, &m, reterr));
    for (size_t i = 0; i < m.count; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf id = an_buf_new(64);
        bool own = false;
        if (!an_hex_decode(&id, an_bytes_of_str(m.ids[i])) || id.len == 0)
            continue;
        AN_TRY(is_key_of(uri, pin_file, an_buf_view(&id), cert, &own, reterr));
        if (!own)
            continue;
        AN_TRY(an_token_sweep(uri, an_pin_from_file(pin_file), an_buf_view(&id), reterr));
        return an_token_replace_cert(uri, an_pin_from_file(pin_file), cert->der, token->device->number,
                                     an_buf_view(&id), reterr);
    }
    AN_FAIL(reterr, AN_E_KEY_ABSENT, "%s", token->device->number);
}

/* A new first PIN, by the SO PIN. It is chosen and on disk before it is set: after a crash the same one is set
 * again. */
an_code
request_token_recover(const struct request_token *token, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *uri = NULL;
    AN_CLEANUP(an_free_ptr) char *pin_file = pin_path(token, "user");
    AN_CLEANUP(an_free_ptr) char *new_file = pin_path(token, "next");
    AN_CLEANUP(an_free_ptr) char *so_file = pin_path(token, "so");
    AN_CLEANUP(an_secret_free) struct an_secret *pin = NULL;
    AN_CLEANUP(an_device_models_close) struct an_device_models *models = NULL;
    const struct an_device_model *model;

    AN_TRY(token_uri(token, &uri, reterr));
    AN_TRY(an_device_models_open(NULL, &models, reterr));
    model = an_device_model_find(models, token->device->model);
    AN_TRY(keep_pin(new_file, model != NULL && model->pin.digits_only, &pin, reterr));
    AN_TRY(an_token_unlock(uri, an_pin_from_file(so_file), pin, model ? &model->pin : NULL, reterr));
    if (rename(new_file, pin_file) != 0)
        AN_FAIL(reterr, AN_E_FILE_CREATE, "%s", pin_file);
    return AN_OK;
}
