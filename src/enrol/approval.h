/*
 * What stands approved for a machine to fetch by protocol: one reference, one key, one certificate. The secret that
 * goes with a reference is derived from a key of the instance (docs/decisions/063-enrolment-secrets.md), so that the
 * store betrays none.
 */
#pragma once

#include "base/time.h"
#include "crypto/crypto.h"
#include "enrol/enrol.h"
#include "store/store.h"

enum an_approval_state { AN_APPROVAL_WAITING = 0, AN_APPROVAL_OPEN, AN_APPROVAL_USED, AN_APPROVAL_WITHDRAWN };

struct an_approval {
    int64_t id;
    char reference[AN_LIMIT_ENROL_REFERENCE + 1];
    uint8_t salt[16];
    char item[129], profile[65], authority[65] /* "" = the only one that issues */, subscriber[129], agency[129],
         created_by[129];
    char subject[2049], email[257];
    int64_t months, matter; /* matter: the decided one that it rests on; 0 = none */
    enum an_approval_state state;
    an_time created_at, expires_at, used_at; /* used_at AN_TIME_NONE = not yet */
    bool has_key;
    uint8_t key_digest[32];
    uint8_t serial[32]; size_t serial_len; /* of its certificate; 0 = none yet */
    int64_t failures;
};

/* Adds one; fills id, reference and salt. The same item again: the one that is there, unchanged (*ret_is_new false). */
an_code an_approval_add(struct an_tx *tx, struct an_approval *approval, bool *ret_is_new,
                        struct an_err *reterr) AN_MUST_USE;
/* AN_E_ENROL_REFERENCE when there is none. */
an_code an_approval_find(struct an_tx *tx, an_bytes reference, struct an_approval *ret,
                         struct an_err *reterr) AN_MUST_USE;
an_code an_approval_of_item(struct an_tx *tx, const char *item, struct an_approval *ret, bool *ret_found,
                            struct an_err *reterr) AN_MUST_USE;
typedef an_code (*an_approval_fn)(void *context, const struct an_approval *approval, struct an_err *reterr);
/* Newest first, those with an id below before; 0 = from the newest. */
an_code an_approval_list(struct an_tx *tx, int64_t before, int64_t most, an_approval_fn each, void *context,
                         struct an_err *reterr) AN_MUST_USE;
/* waiting → open; AN_E_ENROL_STATE otherwise. */
an_code an_approval_open(struct an_tx *tx, an_bytes reference, const char *by, an_time now,
                         struct an_err *reterr) AN_MUST_USE;
an_code an_approval_withdraw(struct an_tx *tx, an_bytes reference, struct an_err *reterr) AN_MUST_USE;
/* open → used by this key (its SHA-256); used already by the same key is no failure. AN_E_ENROL_USED. */
an_code an_approval_take(struct an_tx *tx, an_bytes reference, const uint8_t key_digest[static 32], an_time now,
                         struct an_err *reterr) AN_MUST_USE;
/* The authority refused: open again. */
an_code an_approval_give(struct an_tx *tx, an_bytes reference, const uint8_t key_digest[static 32],
                         struct an_err *reterr) AN_MUST_USE;
an_code an_approval_done(struct an_tx *tx, an_bytes reference, an_bytes serial, struct an_err *reterr) AN_MUST_USE;
/* One more wrong code. *ret_counts false: there were AN_LIMIT_ENROL_FAILURES already; a stranger shall fill neither
 * store nor log. */
an_code an_approval_failed(struct an_tx *tx, an_bytes reference, bool *ret_counts, struct an_err *reterr) AN_MUST_USE;
/* May it be used at this moment? AN_E_ENROL_REFERENCE: run out, withdrawn. */
an_code an_approval_check(const struct an_approval *approval, an_time now, struct an_err *reterr) AN_MUST_USE;

/* The secret: 26 letters and digits (128 bits) from the instance's key. */
struct an_secret *an_approval_secret(const struct an_secret *instance_key, const struct an_approval *approval);

/* ---- transactions, for an_enrol_host ---- */
an_code an_enrol_transaction_begin(struct an_tx *tx, an_bytes key, const struct an_enrol_transaction *transaction,
                                   const char *party,
                                   struct an_err *reterr) AN_MUST_USE;
an_code an_enrol_transaction_load(struct an_tx *tx, an_bytes key, struct an_enrol_transaction *ret,
                                  struct an_err *reterr) AN_MUST_USE;
an_code an_enrol_transaction_save(struct an_tx *tx, an_bytes key, enum an_enrol_state from,
                                  const struct an_enrol_transaction *transaction,
                                  struct an_err *reterr) AN_MUST_USE;
