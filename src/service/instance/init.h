/*
 * Making an instance: the steps of a table, each done once and noted in the store, so that an init that was cut off
 * goes on where it stopped when it is called again.
 */
#pragma once

#include "service/instance/instance.h"
#include "token/token.h"

struct an_init_plan {
    const char *dir;
    const char *name;       /* NULL = the name of the folder */
    const char *database;   /* NULL = "sqlite:store.db" */
    const char *regulation; /* NULL = "quoc-gia" */
    const char *hierarchy;  /* NULL = "state" */
    const char *base_url;   /* NULL = "http://localhost:8080" */
    /* pkcs11: URI of the token for the keys of the authorities; NULL = a SoftHSM2 token in DIR/tokens */
    const char *token;
    struct an_pin_source token_pin; /* of that token */
};
/* A step after folder, configuration and store are there. run is called again when it did not end: it is idempotent. */
struct an_init_step {
    const char *name; /* noted in the store as "init.NAME" */
    an_code (*run)(struct an_instance *instance, const struct an_init_plan *plan, struct an_err *reterr);
};
extern const struct an_init_step an_init_steps[];
extern const size_t an_init_step_count;

typedef void (*an_init_fn)(void *context, const char *step); /* told before each step */
/* AN_E_INSTANCE_THERE: it is complete already. AN_E_INSTANCE_FOLDER: a folder with other things in it. */
an_code an_instance_init(const struct an_init_plan *plan, an_init_fn tell, void *context,
                         struct an_err *reterr) AN_MUST_USE;
