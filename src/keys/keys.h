/*
 * The keys of an instance. The program antin-key alone holds them; everybody else asks it to sign a digest with a named
 * key for a purpose, through an ordinary signer (token.h). antin-key checks the purpose itself, re-opens a token that
 * was pulled out, lost its sessions or whose module was restarted, and holds the requests meanwhile: none is lost.
 *
 * The list of keys stands in DIR/keys/keys.json: [{"name": "issuing-state", "uri": "pkcs11:…" or a file under DIR,
 * "pin": "pins/x.pin", "purposes": ["certificate", "crl"]}]. PIN files are of mode 0600.
 */
#pragma once

#include "token/token.h"

enum an_key_purpose { AN_PURPOSE_CERTIFICATE = 0, AN_PURPOSE_CRL, AN_PURPOSE_OCSP, AN_PURPOSE_TIME_STAMP,
                     AN_PURPOSE_AUDIT, AN_PURPOSE_ENROL, AN_PURPOSES };
const char *an_key_purpose_name(enum an_key_purpose purpose); /* "time-stamp" */

/* ---- the list (keys/list.c) ---- */
struct an_key_entry {
    char *name, *uri, *pin; /* pin: NULL = none needed */
    unsigned purposes;      /* bit n = purpose n */
};
struct an_key_list { struct an_key_entry *entries; size_t count; };
void an_key_list_done(struct an_key_list *list); /* also for AN_CLEANUP */
/* A file that is not there gives an empty list. AN_E_KEYS_LIST names what is wrong. */
an_code an_key_list_read(const char *dir, struct an_key_list *ret, struct an_err *reterr) AN_MUST_USE;
an_code an_key_list_parse(an_bytes json, struct an_key_list *ret, struct an_err *reterr) AN_MUST_USE;
/* Adds one (texts are copied; AN_E_KEYS_LIST when the name is taken or malformed) and writes the file, mode 0600. A
 * running key process learns of it at the next reload. */
an_code an_key_list_add(const char *dir, const struct an_key_entry *entry, struct an_err *reterr) AN_MUST_USE;

/* ---- asking (keys/client.c) ---- */
struct an_keys; /* thread-safe; questions of several threads travel together */
/* The key process that serves the instance (DIR/run/key.sock), or, when none runs, one of our own until the close. */
an_code an_keys_open(const char *dir, struct an_keys **ret, struct an_err *reterr) AN_MUST_USE;
/* The same, only the one that serves: a process that may start none waits for it to come back, at most wait_ms. */
an_code an_keys_attach(const char *dir, uint64_t wait_ms, struct an_keys **ret, struct an_err *reterr) AN_MUST_USE;
void an_keys_close(struct an_keys **keys); /* after its signers */

struct an_key_info { const char *name; enum an_key_kind kind; int bits; unsigned purposes; an_bytes spki;
                    bool is_ready; /* its token answered when last asked */
                    bool hangs; /* a call into its module does not come back */ };
typedef void (*an_key_info_fn)(void *context, const struct an_key_info *info);
an_code an_keys_each(struct an_keys *keys, an_key_info_fn each, void *context, struct an_err *reterr) AN_MUST_USE;

/* AN_E_KEYS_NAME, AN_E_KEYS_PURPOSE, AN_E_KEYS_LOST, or why its token cannot be opened. Signing waits up to 30 s for a
 * key process or a token that is away. */
an_code an_signer_of_keys(struct an_keys *keys, const char *name, enum an_key_purpose purpose, struct an_signer **ret,
                          struct an_err *reterr) AN_MUST_USE;

/* ---- making keys, when an instance is set up (keys/make.c); in this process, not in antin-key ---- */
struct an_key_plan {
    const char *name;
    unsigned purposes;
    enum an_key_kind kind;
    int bits;
    const char *token;
    /* pkcs11: URI of a token; NULL = a SoftHSM2 token of the instance, made when it is not there;
                                        "file" = an encrypted key file */
    struct an_pin_source token_pin;  /* of that token; it is kept in DIR/pins, where only its owner reads it */
};
/* The key of that name: the one in the list, or a new one that is added to it. Returns a signer on it. */
an_code an_key_make(const char *dir, const struct an_key_plan *plan, struct an_signer **ret,
                    struct an_err *reterr) AN_MUST_USE;
