/* The sessions of one PKCS#11 signer. Not for other rooms. */
#pragma once

#include "token/internal.h"

#include <pthread.h>

struct pool_session {
    CK_SESSION_HANDLE handle;
    CK_OBJECT_HANDLE key;
    bool is_open, is_busy, is_used; /* used: has signed, or tried to */
};

struct pool {
    struct an_p11_place place;
    P11KitUri *uri;          /* names the key */
    struct an_secret *pin;   /* kept for as long as the signer lives: after a removal the token wants it again */
    bool needs_login;
    bool is_pin_refused;     /* the token said no to it: it is never offered again */
    pthread_mutex_t lock;    /* guards sessions[], open_max */
    pthread_cond_t is_idle;
    pthread_mutex_t login_lock; /* guards place, is_pin_refused */
    struct pool_session sessions[AN_TOKEN_SESSIONS_MAX];
    size_t open_max;
};

/* Takes over place and uri on success; logs in with one session already open and its key found. */
an_code an_pool_open(struct pool *pool, struct an_pin_source pin, struct an_err *reterr) AN_MUST_USE;
void an_pool_close(struct pool *pool);
/* A session with the key found, logged in; waits when all are busy. Always given back. */
an_code an_pool_take(struct pool *pool, struct pool_session **ret, struct an_err *reterr) AN_MUST_USE;
void an_pool_give(struct pool *pool, struct pool_session *session);
/* Closes a session that was lost and opens it again, on the token wherever it is now; another one when the token has no
 * room left for it. On failure *session is NULL and needs no giving back. */
an_code an_pool_reopen(struct pool *pool, struct pool_session **session, struct an_err *reterr) AN_MUST_USE;
