/*
 * The status responder: RFC 6960 with 5019 (answers that may be kept) and 9654 (nonces). Pure but for the status of a
 * certificate, which the host is asked for, and the key.
 */
#pragma once

#include "ca/ca.h"

/* An issuer whose certificates are answered for. */
struct an_respond_authority {
    int64_t id;
    struct an_cert *issuer;
    struct an_cert *signer;   /* has OCSPSigning from issuer; the issuer itself when nobody has */
    struct an_signer *key;
    uint8_t hashes[4][2][AN_DIGEST_MAX]; /* of name and key: SHA-1, SHA-256, SHA-384, SHA-512 */
    uint8_t signer_id[AN_DIGEST_MAX]; /* SHA-1 of the signer's key */
};
/* Fills hashes and signer_id; AN_E_CA_RESPONDER when signer or key may not answer for issuer. */
an_code an_respond_prepare(struct an_respond_authority *authority, struct an_err *reterr) AN_MUST_USE;

struct an_known_status { bool is_issued, is_revoked; an_time at; enum an_crl_reason reason; };
struct an_responder {
    const struct an_respond_authority *const *authorities; size_t count;
    an_code (*find)(void *context, int64_t authority, an_bytes serial, struct an_known_status *ret,
                    struct an_err *reterr);
    void *context;
    int64_t fresh_seconds;    /* from thisUpdate to nextUpdate */
};
enum an_respond_status { AN_RESPOND_DONE = 0, AN_RESPOND_MALFORMED = 1, AN_RESPOND_INTERNAL = 2, AN_RESPOND_LATER = 3,
                        AN_RESPOND_UNAUTHORIZED = 6 };
/* What was answered, for those who keep answers. */
struct an_respond_note {
    enum an_respond_status status;
    bool may_keep;            /* one certificate that was issued, no nonce */
    int64_t authority;
    an_bytes serial;          /* in the request */
    an_time this_update, next_update;
};
#define AN_RESPOND_QUERIES_MAX 64 /* certificates in one request; clients ask for one, rarely for a path */
/* Appends an OCSPResponse, whatever was asked: nonsense and foreign issuers get theirs. Fails only when the host or the
 * key does; then nothing is appended. */
an_code an_respond(const struct an_responder *responder, an_bytes request, an_time now, struct an_buf *ret,
                   struct an_respond_note *ret_note,
                   struct an_err *reterr) AN_MUST_USE;
/*
 * The same in two steps, for several requests that wait at once: each is drafted (what is to be signed is written, or
 * the answer that needs no signature), then those of one authority are signed together.
 */
struct an_respond_draft {
    an_bytes request;
    struct an_buf *ret;
    struct an_respond_note note;
    const struct an_respond_authority *speaker; /* NULL = nothing to sign: ret has the answer */
    struct an_buf tbs, certs;
    an_code code;             /* once finished */
    struct an_err err;
};
an_code an_respond_draft(const struct an_responder *responder, an_time now, struct an_respond_draft *draft,
                         struct an_err *reterr) AN_MUST_USE;
/* at most AN_SIGNINGS_MAX; fills code, err and ret of those with code AN_OK */
void an_respond_finish(struct an_respond_draft *drafts, size_t count);
void an_respond_draft_done(struct an_respond_draft *draft);

/* nextUpdate of an answer that is given now: an answer does not outlive the certificate that signs it. */
an_time an_respond_until(const struct an_cert *signer, an_time now, int64_t fresh_seconds);

/* An OCSPResponse without an answer: malformedRequest, tryLater, … */
void an_respond_refuse(enum an_respond_status status, struct an_buf *ret);
/* For one certificate as most clients ask (SHA-1, no nonce): signed before anybody asks. */
an_code an_respond_beforehand(const struct an_respond_authority *authority, an_bytes serial, an_time now,
                              int64_t fresh_seconds, struct an_buf *ret,
                              struct an_err *reterr) AN_MUST_USE;
/* The serial of a request for one certificate without extensions, quickly; AN_NONE otherwise. */
an_bytes an_respond_serial(an_bytes request);
