/*
 * Certificate status as a service (NĐ 68/2024 Điều 6: publishing, online checking, time-stamps): answers, lists and
 * stamps for the authorities of an instance. One object serves all threads.
 */
#pragma once

#include "ca/ca.h"
#include "ca/crl_publish.h"
#include "ca/respond.h"
#include "keys/keys.h"
#include "service/instance/instance.h"
#include "service/instance/serve_config.h"

struct an_status;
/* What happened that somebody should know: one line of facts, no secrets. */
typedef void (*an_status_log_fn)(void *context, const char *event, const char *detail);
/* Authorities whose keys cannot be reached yet are looked for again by an_status_tick. */
an_code an_status_open(struct an_instance *instance, struct an_keys *keys, an_status_log_fn log, void *context,
                       struct an_status **ret,
                       struct an_err *reterr) AN_MUST_USE;
void an_status_close(struct an_status **status);
/* What somebody must do who may start processes: a checkpoint of the audit log is due that another authority stamps;
 * authorities or signers are others than when this process read them. */
enum an_status_word { AN_STATUS_CHECKPOINT = 0, AN_STATUS_AUTHORITIES };
void an_status_delegate(struct an_status *status, void (*tell)(enum an_status_word word));
const struct an_config_serve *an_status_config(const struct an_status *status);

/* ---- answers ---- */
/* Appends an OCSPResponse; on failure too: internalError, to be sent with what ret_note says. */
an_code an_status_answer(struct an_status *status, an_bytes request, struct an_buf *ret,
                         struct an_respond_note *ret_note, struct an_err *reterr) AN_MUST_USE;
/* The same for several requests that wait at once, at most AN_SIGNINGS_MAX: one look into the store, one question to
 * the key process. */
struct an_status_turn { an_bytes request; struct an_buf *ret; struct an_respond_note note; an_code code;
                       struct an_err err; };
void an_status_answer_many(struct an_status *status, struct an_status_turn *turns, size_t count);
void an_status_etag(an_bytes answer, char ret[static 33]);
/* From memory, without waiting for anything: headers (Last-Modified, Expires, ETag lines), the answer and how long it
 * is still fresh; valid during take. False = ask an_status_answer. */
typedef void (*an_status_take_fn)(void *context, an_bytes headers, an_bytes answer, int64_t fresh_seconds);
bool an_status_quick(struct an_status *status, an_bytes request, an_time now, an_status_take_fn take, void *context);

/* ---- stamps ---- */
/* Each turn gets a TimeStampResp; on failure a refusal too, unless there is no time-stamping authority (AN_E_TSA_SETUP
 * in its code). At most AN_SIGNINGS_MAX. */
void an_status_stamp_many(struct an_status *status, struct an_tsa_turn *turns, size_t count);

/* ---- lists ---- */
typedef void (*an_status_made_fn)(void *context, const char *file, const struct an_crl_made *made);
/* Makes the lists of one authority (NULL = of all) into DIR/public/crl. AN_E_STATUS_AUTHORITY when there is none of
 * that name. */
an_code an_status_publish(struct an_status *status, const char *authority, bool is_delta, an_status_made_fn made,
                          void *context, struct an_err *reterr) AN_MUST_USE;

/* ---- from time to time: every poll_ms, by one thread ---- */
/* Looks for changes by others, for new authorities and for keys that came back; makes the lists that are due. */
void an_status_tick(struct an_status *status);

/* ---- certificates of authorities ---- */
bool an_status_certificate(struct an_status *status, const char *name, struct an_buf *ret);

/* ---- what is there: for /healthz and /metrics ---- */
struct an_status_health {
    size_t authorities, without_key, answers_kept;
    bool has_stamping;      /* there is an authority for time-stamps, with its key */
    struct an_err clock;    /* why nothing is stamped now; code AN_OK = the clock is trusted */
    bool is_clock_proven;
    bool token_hangs;       /* a call into a token's module does not come back (AN_E_TOKEN_HANGS) */
    an_time lists_until;    /* the earliest nextUpdate; AN_TIME_NONE = no list */
};
/* Whoever started us and the key process says so. */
void an_status_note_token(struct an_status *status, bool hangs);
void an_status_health(struct an_status *status, struct an_status_health *ret);
void an_status_metrics(struct an_status *status, struct an_buf *out);

/* ---- an answer signed with the certificate, for those who issue (service/certification/certify.h) ---- */
an_code an_status_first_make(struct an_status *status, int64_t authority, an_bytes serial, an_time now,
                             struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
an_code an_status_first_put(struct an_status *status, struct an_tx *tx, int64_t certificate, an_bytes answer,
                            an_time now, struct an_err *reterr) AN_MUST_USE;
