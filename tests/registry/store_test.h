/*
 * A store for tests of the register, on either engine. Include it once, last.
 */
#pragma once

#include "audit/audit.h"
#include "crypto/crypto.h"
#include "registry/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/antin-registry-XXXXXX";
static const char *store_url; /* main's argument: an empty PostgreSQL database; NULL = SQLite in the folder */
static struct an_store *store;
static struct an_arena *arena;

/* ---- a work as a nested function's stand-in: what runs in a transaction ---- */
struct work {
    an_code (*run)(struct an_tx *tx, void *context, struct an_err *reterr);
    void *context;
};

static an_code
run_work(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct work *work = context;

    return work->run(tx, work->context, reterr);
}

static an_code
write_with(an_code (*run)(struct an_tx *tx, void *context, struct an_err *reterr), void *context, struct an_err *err)
{
    struct work work = {run, context};

    return an_store_write(store, run_work, &work, err);
}

static void
expect(an_code got, an_code wanted, const struct an_err *err, const char *what)
{
    if (got != wanted)
        fail_msg("%s: %s (%s), wanted %s", what, an_message_find(got)->symbol, err->detail, an_message_find(wanted)->symbol);
}

/* ---- set-up ---- */
static int
open_store(void **state)
{
    AN_CLEANUP(an_free_ptr) char *own = NULL;
    struct an_err err = {0};

    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    an_email_set_official("gov.vn, dcs.vn, quochoi.vn");
    own = an_asprintf("sqlite:%s/store.db", folder);
    arena = an_arena_new(0);
    if (an_store_open(store_url ? store_url : own, AN_STORE_CREATE, 0, &store, &err) != AN_OK) {
        print_error("%s %s\n", an_message_find(err.code)->symbol, err.detail);
        return -1;
    }
    an_audit_attach(store);
    return 0;
}

static int
close_store(void **state)
{
    AN_CLEANUP(an_free_ptr) char *command = an_asprintf("rm -rf '%s'", folder);

    (void)state;
    an_store_close(&store);
    an_arena_free(&arena);
    return system(command);
}
