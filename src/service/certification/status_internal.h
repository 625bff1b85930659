/* What the files of the status service share. */
#pragma once

#include "ca/revocation.h"
#include "service/certification/status.h"
#include "service/certification/status_cache.h"

#include <pthread.h>

/* An authority as it stands in the store, with the keys that could be opened. */
struct status_authority {
    int64_t id, parent, partitions;
    char *name, *key, *ocsp_key, *base_url;
    bool is_tsa;
    struct an_cert *cert, *ocsp_cert;
    struct an_signer *crl_signer, *ocsp_signer, *stamp_signer; /* NULL: not kept here, or away */
    bool lacks_key;           /* one that should be here is away */
    struct an_respond_authority respond;
    struct an_certs chain;    /* of a time-stamping authority */
};
/* Replaced as a whole; counted. */
struct status_set {
    unsigned refs;
    struct status_authority *items; size_t count;
    const struct an_respond_authority **responders; size_t responder_count;
    const struct status_authority *stamper;
    size_t lacking;
};
/* When which list of an authority was made; touched by the ticking thread alone. */
struct status_list { int64_t authority, sequence; an_time full_at, delta_at, next_update, noticed_at; };

struct an_status {
    struct an_instance *instance;
    struct an_keys *keys;
    an_status_log_fn log;
    void *log_context;
    struct an_config_serve serve;
    struct an_config_stamp stamp;
    struct an_clock *clock;
    struct an_answers *answers;
    struct an_status_watch *watch;
    uint64_t seen;            /* atomic: the count up to which changes were looked at */
    pthread_mutex_t refresh_lock;
    int64_t sequence;         /* of the last change looked at; with refresh_lock */
    pthread_mutex_t set_lock; /* guards the pointer */
    struct status_set *set;
    int64_t mark[4];          /* of the authorities in the store */
    an_time looked_at;
    void (*tell)(enum an_status_word word); /* NULL: checkpoints are made here */
    an_time checkpoint_looked_at; /* of the thread that ticks */
    bool token_hangs;         /* atomic */
    bool keys_are_lost;       /* the key process did not answer; while a set is loaded */
    struct status_list *lists; size_t list_count;
    an_time lists_until;      /* atomic */
    uint64_t quick, signed_answers, refused, stamps, stamp_refusals; /* atomic */
};

/* ---- status_set.c ---- */
an_code status_set_load(struct an_status *status, struct status_set **ret, struct an_err *reterr);
struct status_set *status_set_take(struct an_status *status);
void status_set_drop(struct status_set *set);
/* By which a change of authorities or signers is seen. */
an_code status_set_mark(struct an_status *status, int64_t ret[static 4], struct an_err *reterr);
/* Loads it anew when a key was away. When the store has other authorities somebody is told who starts new processes:
 * the key process and what issues have read them, too; where there is nobody, it is loaded anew. */
void status_set_refresh(struct an_status *status, an_time now);

/* ---- status_lists.c ---- */
void status_lists_tick(struct an_status *status, an_time now);

/* ---- status.c ---- */
an_code status_refresh(struct an_status *status, struct an_err *reterr);
void status_say(const struct an_status *status, const char *event, const char *fmt, ...) AN_PRINTF(3, 4);
