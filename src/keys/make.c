#include "keys/keys.h"

#include "base/file.h"

#include <stdio.h>
#include <unistd.h>

#define TOKEN_LABEL "antin"
#define PIN_FILE "pins/token.pin"
#define SO_PIN_FILE "pins/token.so-pin"
#define KEY_BYTES_MAX ((size_t)64 * 1024)

static an_code
make_secret(const char *path, struct an_secret **ret, struct an_err *reterr)
{
    static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* 32 letters: 5 bits each */
    uint8_t random[24];

    AN_TRY(an_random(random, sizeof(random), reterr));
    for (size_t i = 0; i < sizeof(random); i++)
        random[i] = (uint8_t)alphabet[random[i] % 32];
    *ret = an_secret_from(AN_BYTES(random, sizeof(random)));
    an_wipe(random, sizeof(random));
    return an_file_write(path, an_secret_bytes(*ret), 0600, reterr);
}

static char *
path_of(const char *dir, const char *part)
{
    return an_asprintf("%s/%s", dir, part);
}

/* The instance's own token: found by its PIN file, which is written before the token is made. */
static an_code
find_own_token(const char *dir, char ret_uri[static 512], struct an_err *reterr)
{
    AN_CLEANUP(an_secret_free) struct an_secret *pin = NULL;
    AN_CLEANUP(an_secret_free) struct an_secret *so_pin = NULL;
    AN_CLEANUP(an_free_ptr) char *module = NULL;
    AN_CLEANUP(an_free_ptr) char *pin_path = path_of(dir, PIN_FILE);
    AN_CLEANUP(an_free_ptr) char *so_path = path_of(dir, SO_PIN_FILE);
    AN_CLEANUP(an_free_ptr) char *done = path_of(dir, "tokens/uri");
    AN_CLEANUP(an_buf_free) struct an_buf uri = an_buf_new(511);

    AN_TRY(an_softhsm_use(dir, reterr));
    if (access(done, R_OK) == 0) {
        AN_TRY(an_file_read(done, 511, &uri, reterr));
        snprintf(ret_uri, 512, "%.*s", AN_FMT(an_buf_view(&uri)));
        return AN_OK;
    }
    module = an_asprintf("pkcs11:?module-path=%s", an_softhsm_module());
    AN_TRY(make_secret(pin_path, &pin, reterr));
    AN_TRY(make_secret(so_path, &so_pin, reterr));
    AN_TRY(an_token_init(module, TOKEN_LABEL, so_pin, pin, ret_uri, reterr));
    return an_file_write(done, an_bytes_of_str(ret_uri), 0600, reterr);
}

/* "pkcs11:token=x?module-path=y" and a key's label → "pkcs11:token=x;object=label;type=private?module-path=y" */
static char *
key_address(const char *token, const char *name)
{
    size_t head = strcspn(token, "?");

    return an_asprintf("%.*s%sobject=%s;type=private%s", (int)head, token, head > 7 ? ";" : "", name, token + head);
}

static an_code
keep_pin(const char *dir, const struct an_key_plan *plan, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = path_of(dir, PIN_FILE);
    AN_CLEANUP(an_secret_free) struct an_secret *pin = NULL;

    if (plan->token_pin.ask == NULL || access(path, F_OK) == 0)
        return AN_OK;
    AN_TRY(plan->token_pin.ask(plan->token_pin.context, plan->token, AN_PIN_OK, &pin, reterr));
    return an_file_write(path, an_secret_bytes(pin), 0600, reterr);
}

static an_code
make_in_token(const char *dir, const struct an_key_plan *plan, struct an_key_entry *entry, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *pin_path = path_of(dir, PIN_FILE);
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(KEY_BYTES_MAX);
    char token[512];
    uint8_t id[8];

    if (plan->token == NULL)
        AN_TRY(find_own_token(dir, token, reterr));
    else
        AN_TRY(keep_pin(dir, plan, reterr));
    AN_TRY(an_random(id, sizeof(id), reterr));
    entry->uri = key_address(plan->token ? plan->token : token, plan->name);
    entry->pin = an_strdup(PIN_FILE);
    return an_token_generate(plan->token ? plan->token : token, an_pin_from_file(pin_path), plan->kind, plan->bits,
                             plan->name,
                             AN_BYTES(id, sizeof(id)), &spki, reterr);
}

static an_code
make_in_file(const char *dir, const struct an_key_plan *plan, struct an_key_entry *entry, struct an_err *reterr)
{
    AN_CLEANUP(an_secret_free) struct an_secret *phrase = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf pem = an_buf_new(KEY_BYTES_MAX);
    AN_CLEANUP(an_free_ptr) char *pin_path = NULL, *key_path = NULL;
    struct an_privkey *key = NULL;
    an_code code;

    entry->uri = an_asprintf("keys/%s.pem", plan->name);
    entry->pin = an_asprintf("pins/%s.pin", plan->name);
    pin_path = path_of(dir, entry->pin);
    key_path = path_of(dir, entry->uri);
    AN_TRY(make_secret(pin_path, &phrase, reterr));
    AN_TRY(an_privkey_generate(plan->kind, plan->bits, &key, reterr));
    code = an_privkey_encode(key, phrase, &pem, reterr);
    an_privkey_free(&key);
    if (code == AN_OK)
        code = an_file_write(key_path, an_buf_view(&pem), 0600, reterr);
    if (pem.ptr != NULL)
        an_wipe(pem.ptr, pem.len);
    return code;
}

static an_code
open_entry(const char *dir, const struct an_key_entry *entry, struct an_signer **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *pin = entry->pin ? path_of(dir, entry->pin) : NULL;
    AN_CLEANUP(an_free_ptr) char *uri = strncmp(entry->uri, "pkcs11:", 7) == 0 ||
        entry->uri[0] == '/' ? an_strdup(entry->uri) : path_of(dir, entry->uri);

    return an_signer_open(uri, pin ? an_pin_from_file(pin) : (struct an_pin_source){0}, ret, reterr);
}

static void
free_texts(struct an_key_entry *entry)
{
    free(entry->name);
    free(entry->uri);
    free(entry->pin);
}

an_code
an_key_make(const char *dir, const struct an_key_plan *plan, struct an_signer **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_key_list_done) struct an_key_list list = {0};
    AN_CLEANUP(free_texts) struct an_key_entry entry = {.purposes = plan->purposes};

    AN_TRY(an_key_list_read(dir, &list, reterr));
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.entries[i].name, plan->name) == 0) {
            if (strstr(list.entries[i].uri, "libsofthsm2") != NULL && plan->token == NULL)
                AN_TRY(an_softhsm_use(dir, reterr));
            return open_entry(dir, &list.entries[i], ret, reterr);
        }
    entry.name = an_strdup(plan->name);
    if (plan->token != NULL && strcmp(plan->token, "file") == 0)
        AN_TRY(make_in_file(dir, plan, &entry, reterr));
    else
        AN_TRY(make_in_token(dir, plan, &entry, reterr));
    AN_TRY(an_key_list_add(dir, &entry, reterr));
    return open_entry(dir, &entry, ret, reterr);
}
