/* The third kind of signer: its key is held by somebody else (another process), who is asked. */
#pragma once

#include "token/token.h"

/* As an_signer_sign_many, at most AN_SIGNINGS_MAX; called by several threads at once. */
typedef void (*an_signer_ask_fn)(void *context, const struct an_scheme *scheme, struct an_signing *all, size_t count);
struct an_signer_elsewhere {
    an_bytes spki;          /* copied */
    const char *label, *token;
    size_t sessions_max;
    bool is_hardware;
    an_signer_ask_fn ask;
    void (*done)(void *context); /* when the signer is closed; may be NULL */
    void *context;
};
/* AN_E_KEY_PUBLIC, AN_E_KEY_KIND; done is not called then. */
an_code an_signer_of(const struct an_signer_elsewhere *what, struct an_signer **ret, struct an_err *reterr) AN_MUST_USE;
