/*
 * An instance: a folder with its configuration, its store and the law it works by.
 *
 * antin.yaml the configuration store.db the store, unless PostgreSQL tokens/ keys/ pins/ private keys
 *     public/     crt, crl, as served    documents/ outbox/                           run/                 sockets, pid
 */
#pragma once

#include "regulation/regulation.h"
#include "service/instance/config.h"
#include "store/store.h"

struct an_instance {
    char *dir;                          /* absolute */
    struct an_config config;
    struct an_store *store;             /* the audit log is attached to it */
    /* for reads that may be a moment old; the store itself when there is no replica */
    struct an_store *replica;
    struct an_regulations *regulations;
};

/* AN_E_INSTANCE: not the folder of an instance. AN_INSTANCE_ANY_VERSION: for upgrade and doctor. AN_INSTANCE_READ_ONLY:
 * nothing can be written. One instance serves all threads. */
enum { AN_INSTANCE_ANY_VERSION = 1, AN_INSTANCE_READ_ONLY = 2 };
an_code an_instance_open(const char *dir, unsigned flags, struct an_instance **ret, struct an_err *reterr) AN_MUST_USE;
void an_instance_close(struct an_instance **instance);

/* Nobody but the account of the service (and root) may write there: whoever can exchanges the configuration or the
 * folder of keys. AN_E_INSTANCE_MODE. */
an_code an_instance_check_folder(const char *path, struct an_err *reterr) AN_MUST_USE;
/* DIR/part, the caller's. */
char *an_instance_path(const struct an_instance *instance, const char *part) AN_MUST_USE;
/* The database's URL with its path made absolute; the caller's. */
char *an_instance_database(const char *dir, const char *database) AN_MUST_USE;
/* The folders of an instance that are not there yet are made. */
an_code an_instance_make_folders(const char *dir, struct an_err *reterr) AN_MUST_USE;
bool an_instance_folder_is_empty(const char *dir);
