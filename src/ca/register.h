/*
 * The register: authorities and the certificates they issued. Everything here runs inside a transaction of the caller;
 * whole acts (authorise, sign, record, audit) are service/certification/certify.h.
 */
#pragma once

#include "ca/ground.h"
#include "store/store.h"

/* ---- authorities ---- */
struct an_authority {
    int64_t id, parent; /* parent 0 = none here */
    char *name, *line, *kind, *hierarchy, *profile, *key, *ocsp_key, *base_url;
    struct an_cert *cert, *ocsp_cert; /* ocsp_cert NULL = none */
    int64_t partitions;
    bool is_retired;
};
struct an_authorities { struct an_authority *items; size_t count, capacity; };
an_code an_authorities_load(struct an_tx *tx, struct an_authorities *ret, struct an_err *reterr) AN_MUST_USE;
void an_authorities_done(struct an_authorities *authorities); /* for AN_CLEANUP too */
/* by name, or the active one of a line; NULL */
const struct an_authority *an_authorities_find(const struct an_authorities *authorities, const char *name);
const struct an_authority *an_authorities_by_id(const struct an_authorities *authorities, int64_t id);

struct an_authority_plan {
    const char *name, *line, *kind, *hierarchy, *profile, *key, *base_url;
    int64_t parent, partitions;
    struct an_cert *cert;
};
/* Adds one; an active one of the same line is retired. The same name again changes nothing. */
an_code an_authority_insert(struct an_tx *tx, const struct an_authority_plan *plan, an_time now,
                            struct an_err *reterr) AN_MUST_USE;
an_code an_authority_set_ocsp(struct an_tx *tx, int64_t id, struct an_cert *cert, const char *key,
                              struct an_err *reterr) AN_MUST_USE;

/* ---- certificates ---- */
enum an_certificate_status { AN_CERTIFICATE_GOOD = 0, AN_CERTIFICATE_REVOKED, AN_CERTIFICATE_HELD,
                            AN_CERTIFICATE_EXPIRED };
const char *an_certificate_status_name(enum an_certificate_status status); /* "good", … */
struct an_certificate {
    int64_t id, authority, partition, predecessor, renewals, matter; /* 0 = none */
    an_bytes serial, der;
    /* kind: new, renewed, changed */
    const char *authority_name, *profile, *subject, *subscriber, *device, *ground, *kind;
    an_time not_before, not_after, revoked_at, issued_at;
    enum an_certificate_status status;
    enum an_crl_reason reason;
};
struct an_registration {
    int64_t authority, partition, predecessor, renewals, matter; /* 0 = none */
    struct an_cert *cert;
    const char *profile, *email, *subscriber, *device, *request_key, *kind;
    uint8_t request_digest[32];
};
/* The texts by which a certificate is found, for whoever puts it into the register: made before the transaction, since
 * everybody waits for that. */
struct an_register_texts { struct an_buf subject, subject_folded, agency_folded, email_folded; };
void an_register_texts_make(const struct an_registration *registration, struct an_register_texts *ret);
void an_register_texts_done(struct an_register_texts *texts); /* for AN_CLEANUP */
/* *ret_id 0 = the request key is taken: an_register_by_request tells by what. */
an_code an_register_insert(struct an_tx *tx, const struct an_registration *registration,
                           const struct an_register_texts *texts, an_time now, int64_t *ret_id,
                           struct an_err *reterr) AN_MUST_USE;
/* What an earlier request of this key made; *ret_id 0 = nothing. der is appended. */
an_code an_register_by_request(struct an_tx *tx, const char *request_key, int64_t *ret_id,
                               uint8_t ret_digest[static 32], int64_t *ret_authority,
                               struct an_buf *ret_der, struct an_err *reterr) AN_MUST_USE;
/* Texts and bytes live in the arena. AN_E_CA_CERTIFICATE when there is none, or two authorities have it. */
an_code an_register_find(struct an_tx *tx, an_bytes serial, struct an_arena *arena, struct an_certificate *ret,
                         struct an_err *reterr) AN_MUST_USE;
an_code an_register_by_id(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_certificate *ret,
                          struct an_err *reterr) AN_MUST_USE;
/* From one status to another; AN_E_CA_STATUS when it is no longer in the first. */
an_code an_register_set_status(struct an_tx *tx, int64_t id, enum an_certificate_status from,
                               enum an_certificate_status to, an_time at, const struct an_ground *ground,
                               struct an_err *reterr) AN_MUST_USE;

/* ---- looking ---- */
typedef an_code (*an_certificate_fn)(void *context, const struct an_certificate *certificate, struct an_err *reterr);
enum an_search { AN_SEARCH_SUBJECT = 0, AN_SEARCH_AGENCY, AN_SEARCH_EMAIL, AN_SEARCH_SUBSCRIBER };
/* Names that begin so, accents and case aside; by an index, so that the time does not grow with the register. */
an_code an_register_search(struct an_tx *tx, enum an_search by, const char *text, int64_t limit, an_certificate_fn each,
                           void *context, struct an_err *reterr) AN_MUST_USE;
/* The latest first, before that id (0 = from the end). */
an_code an_register_list(struct an_tx *tx, int64_t before_id, int64_t limit, an_certificate_fn each, void *context,
                         struct an_err *reterr) AN_MUST_USE;

/* ---- acts under a key ---- */
/* *ret_is_new false: that key was used before, for this very act on this certificate; AN_E_CA_REQUEST for another. */
an_code an_register_act(struct an_tx *tx, const char *request_key, int64_t certificate, const char *act,
                        const char *ground, int64_t matter, an_time now,
                        bool *ret_is_new, struct an_err *reterr) AN_MUST_USE;
/* "0A1B…" and back; AN_E_CA_CERTIFICATE. */
an_code an_serial_parse(const char *hex, struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
