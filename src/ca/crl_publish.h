/*
 * Revocation lists of the store, written as a stream: entries lie there encoded, gathered in blocks of thousands, so
 * that a list of millions is read, hashed and written once and never held. A list is checked again from its file before
 * it takes the place of the last one.
 */
#pragma once

#include "ca/ca.h"
#include "store/store.h"

struct an_crl_plan {
    int64_t authority;
    struct an_cert *issuer;
    struct an_signer *key;      /* RSA or ECDSA */
    const char *path;           /* where it is published: written beside it, then renamed */
    int64_t partition;          /* 0 = certificates of all partitions */
    const char *point_url;      /* of the partition: its issuingDistributionPoint */
    const char *delta_url;      /* freshestCRL; NULL = none */
    bool is_delta;              /* changes since the last full list; AN_E_CA_NO_BASE when there is none */
    an_time this_update, next_update;
};
struct an_crl_made { int64_t number, base_number, sequence, entries; uint64_t bytes; };
/* Numbers come from the store and only grow, whoever makes the list. */
an_code an_crl_publish(struct an_store *store, const struct an_crl_plan *plan, struct an_crl_made *ret,
                       struct an_err *reterr) AN_MUST_USE;

/* Gathers rows into blocks. Called before a list is made; early calls make that quick. */
an_code an_crl_fold(struct an_store *store, int64_t authority, struct an_err *reterr) AN_MUST_USE;

/* A list in a file: its signature by issuer, its number, how many entries. Read as a stream. AN_E_CA_CHECK. */
an_code an_crl_check_file(const char *path, struct an_cert *issuer, int64_t number, int64_t entries,
                          struct an_err *reterr) AN_MUST_USE;
