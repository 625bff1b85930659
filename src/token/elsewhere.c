#include "token/elsewhere.h"

#include "token/internal.h"

#include <stdio.h>

struct asking_signer {
    struct an_signer base;
    an_signer_ask_fn ask;
    void (*done)(void *context);
    void *context;
};

static void
sign_many_elsewhere(struct an_signer *base, const struct an_scheme *scheme, struct an_signing *all, size_t count)
{
    struct asking_signer *signer = (struct asking_signer *)base;

    for (size_t at = 0; at < count; at += AN_SIGNINGS_MAX)
        signer->ask(signer->context, scheme, all + at, count - at < AN_SIGNINGS_MAX ? count - at : AN_SIGNINGS_MAX);
}

static an_code
sign_elsewhere(struct an_signer *base, const struct an_scheme *scheme, an_bytes digest, struct an_buf *out,
               struct an_err *reterr)
{
    struct an_signing one = {.digest = digest, .out = out, .reterr = reterr};

    sign_many_elsewhere(base, scheme, &one, 1);
    return one.code;
}

static void
close_elsewhere(struct an_signer *base)
{
    struct asking_signer *signer = (struct asking_signer *)base;

    if (signer->done != NULL)
        signer->done(signer->context);
    an_signer_done(base);
    free(signer);
}

static const struct an_signer_ops elsewhere_ops = {.sign = sign_elsewhere, .sign_many = sign_many_elsewhere,
                                                   .close = close_elsewhere};

an_code
an_signer_of(const struct an_signer_elsewhere *what, struct an_signer **ret, struct an_err *reterr)
{
    struct asking_signer *signer = AN_NEW(struct asking_signer);
    an_code code;

    *signer = (struct asking_signer){.base = {.ops = &elsewhere_ops, .spki = an_buf_new(AN_TOKEN_VALUE_MAX)},
                                     .ask = what->ask, .context = what->context};
    an_buf_append(&signer->base.spki, what->spki);
    snprintf(signer->base.info.label, sizeof(signer->base.info.label), "%s", what->label);
    snprintf(signer->base.info.token, sizeof(signer->base.info.token), "%s", what->token);
    signer->base.info.sessions_max = what->sessions_max;
    signer->base.info.is_hardware = what->is_hardware;
    code = an_signer_set_key(&signer->base, reterr);
    if (code != AN_OK) {
        close_elsewhere(&signer->base);
        return code;
    }
    signer->done = what->done;
    *ret = &signer->base;
    return AN_OK;
}
