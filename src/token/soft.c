/* A signer whose key is an (encrypted) PKCS#8 file. */
#include "token/internal.h"

#include "base/file.h"

#include <stdio.h>
#include <sys/stat.h>

#define KEY_FILE_MAX 65536

struct soft_signer {
    struct an_signer base;
    struct an_privkey *key;
};

static an_code
sign_soft(struct an_signer *base, const struct an_scheme *scheme, an_bytes digest, struct an_buf *out,
          struct an_err *reterr)
{
    return an_privkey_sign(((struct soft_signer *)base)->key, scheme, digest, out, reterr);
}

static void
close_soft(struct an_signer *base)
{
    struct soft_signer *signer = (struct soft_signer *)base;

    an_privkey_free(&signer->key);
    an_signer_done(base);
    free(signer);
}

static const struct an_signer_ops soft_ops = {.sign = sign_soft, .close = close_soft};

/* A plain key that anybody on the machine can read: the damage is done, refusing now mends nothing; it is said. */
static bool
is_readable_by_all(const struct an_file *file)
{
    struct stat st;

    return fstat(file->fd, &st) == 0 && (st.st_mode & 0007) != 0;
}

static an_code
load_key(const char *path, const char *name, struct an_pin_source pin, struct an_privkey **ret, bool *ret_exposed,
         struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_secret_free) struct an_secret *passphrase = NULL;
    struct an_err first = {0};
    an_code code;

    AN_TRY(an_file_open(path, KEY_FILE_MAX, &file, reterr));
    code = an_privkey_parse(file.bytes, NULL, ret, &first);
    if (code == AN_OK) {
        *ret_exposed = is_readable_by_all(&file);
        return code;
    }
    if (code != AN_E_PIN_NEEDED || pin.ask == NULL)
        AN_FAIL(reterr, code, "%s: %s", path, first.detail);
    AN_TRY(pin.ask(pin.context, name, AN_PIN_OK, &passphrase, reterr));
    return an_privkey_parse(file.bytes, passphrase, ret, reterr);
}

an_code
an_soft_signer_open(const char *path, struct an_pin_source pin, struct an_signer **ret, struct an_err *reterr)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    struct an_privkey *key = NULL;
    struct soft_signer *signer;
    bool exposed = false;
    an_code code;

    AN_TRY(load_key(path, name, pin, &key, &exposed, reterr));
    signer = AN_NEW(struct soft_signer);
    signer->base = (struct an_signer){.ops = &soft_ops, .spki = an_buf_new(AN_TOKEN_VALUE_MAX)};
    signer->key = key;
    snprintf(signer->base.info.label, sizeof(signer->base.info.label), "%s", name);
    snprintf(signer->base.info.token, sizeof(signer->base.info.token), "%s", name);
    signer->base.info.sessions_max = AN_TOKEN_SESSIONS_MAX;
    signer->base.info.is_exposed = exposed;
    code = an_privkey_spki(key, &signer->base.spki, reterr);
    if (code == AN_OK)
        code = an_signer_set_key(&signer->base, reterr);
    if (code != AN_OK) {
        close_soft(&signer->base);
        return code;
    }
    *ret = &signer->base;
    return AN_OK;
}
