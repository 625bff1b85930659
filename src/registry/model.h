/* Models of key-storage devices (devices/models.yaml): what each asks of its PIN. */
#pragma once

#include "token/token.h"

struct an_device_model {
    const char *id, *name, *maker;
    const char *kind;        /* "pki-token", "sim-pki", "hsm" */
    const char *token_model; /* CK_TOKEN_INFO.model begins so; NULL = not seen through PKCS#11 */
    struct an_pin_policy pin;
    bool unconfirmed;
};
struct an_device_models;
/* dir: the folder with devices/ in it; NULL = our data. */
an_code an_device_models_open(const char *dir, struct an_device_models **ret, struct an_err *reterr) AN_MUST_USE;
void an_device_models_close(struct an_device_models **models); /* also for AN_CLEANUP */
/* Borrowed; NULL when there is none. */
const struct an_device_model *an_device_model_find(const struct an_device_models *models, const char *id);
/* By what the token says of itself; NULL when no model fits. */
const struct an_device_model *an_device_model_of_token(const struct an_device_models *models, const char *token_model);
