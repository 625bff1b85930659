#include "token/pool.h"

static bool
is_logged_in(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;

    return f->C_GetSessionInfo(session, &info) == CKR_OK && (info.state == CKS_RO_USER_FUNCTIONS ||
                                                             info.state == CKS_RW_USER_FUNCTIONS);
}

/* Never spends the last try, never offers a refused PIN twice: somebody else may have changed it meanwhile. */
static an_code
login_again(struct pool *pool, CK_SESSION_HANDLE session, struct an_err *reterr)
{
    enum an_pin_state state = an_p11_pin_state(&pool->place.info);
    an_code code;

    if (!pool->needs_login || is_logged_in(pool->place.f, session))
        return AN_OK;
    if (pool->is_pin_refused)
        AN_FAIL(reterr, AN_E_PIN_WRONG, "C_Login");
    if (state == AN_PIN_LOCKED || state == AN_PIN_FINAL_TRY)
        AN_FAIL(reterr, state == AN_PIN_LOCKED ? AN_E_PIN_LOCKED : AN_E_PIN_FINAL_TRY, "%.32s",
                (const char *)pool->place.info.label);
    code = an_p11_login(pool->place.f, session, CKU_USER, pool->pin, reterr);
    pool->is_pin_refused = code == AN_E_PIN_WRONG || code == AN_E_PIN_LENGTH || code == AN_E_PIN_LOCKED;
    return code;
}

static an_code
open_session(struct pool *pool, struct pool_session *session, CK_RV *ret_rv, struct an_err *reterr)
{
    CK_FUNCTION_LIST *f = pool->place.f;
    an_code code;

    *ret_rv = f->C_OpenSession(pool->place.slot, CKF_SERIAL_SESSION, NULL, NULL, &session->handle);
    if (*ret_rv != CKR_OK)
        return an_p11_fail(reterr, *ret_rv, "C_OpenSession");
    code = login_again(pool, session->handle, reterr);
    if (code == AN_OK)
        code = an_p11_find_key(f, session->handle, pool->uri, &session->key, reterr);
    if (code != AN_OK)
        f->C_CloseSession(session->handle);
    session->is_open = code == AN_OK;
    session->is_used = false;
    return code;
}

/* Finding the token, opening and logging in go one thread at a time: a login belongs to all sessions of a process. */
static an_code
open_guarded(struct pool *pool, struct pool_session *session, bool must_refind, CK_RV *ret_rv, struct an_err *reterr)
{
    an_code code = AN_OK;

    pthread_mutex_lock(&pool->login_lock);
    if (must_refind)
        code = an_p11_place_refind(&pool->place, reterr);
    if (code == AN_OK)
        code = open_session(pool, session, ret_rv, reterr);
    pthread_mutex_unlock(&pool->login_lock);
    return code;
}

static size_t
count_open(const struct pool *pool)
{
    size_t count = 0;

    for (size_t i = 0; i < AN_TOKEN_SESSIONS_MAX; i++)
        count += pool->sessions[i].is_busy || pool->sessions[i].is_open; /* a busy one belongs to its thread */
    return count;
}

/* An idle session, an open one rather than a new one; NULL when all that may be are busy. */
static struct pool_session *
pick_idle(struct pool *pool)
{
    struct pool_session *closed = NULL;

    for (size_t i = 0; i < AN_TOKEN_SESSIONS_MAX; i++) {
        struct pool_session *session = &pool->sessions[i];
        if (session->is_busy)
            continue;
        if (session->is_open)
            return session;
        if (closed == NULL)
            closed = session;
    }
    return count_open(pool) < pool->open_max ? closed : NULL;
}

static struct pool_session *
wait_idle(struct pool *pool)
{
    struct pool_session *session;

    pthread_mutex_lock(&pool->lock);
    while ((session = pick_idle(pool)) == NULL)
        pthread_cond_wait(&pool->is_idle, &pool->lock);
    session->is_busy = true;
    pthread_mutex_unlock(&pool->lock);
    return session;
}

void
an_pool_give(struct pool *pool, struct pool_session *session)
{
    pthread_mutex_lock(&pool->lock);
    session->is_busy = false;
    pthread_cond_signal(&pool->is_idle);
    pthread_mutex_unlock(&pool->lock);
}

/* The token has fewer sessions than it said: goes on with those that are open. False when none is. */
static bool
lower_maximum(struct pool *pool, struct pool_session *refused)
{
    size_t open;

    pthread_mutex_lock(&pool->lock);
    refused->is_busy = false;
    open = count_open(pool);
    if (open != 0)
        pool->open_max = open;
    pthread_mutex_unlock(&pool->lock);
    return open != 0;
}

/* Opens a session in the place of one that is busy and closed. *ret_full: the token has room for no more. */
static an_code
fill_session(struct pool *pool, struct pool_session *session, bool must_refind, bool *ret_full, struct an_err *reterr)
{
    CK_RV rv = CKR_OK;
    an_code code = open_guarded(pool, session, must_refind, &rv, reterr);

    if (code != AN_OK && an_p11_is_lost(rv) && !must_refind)
        code = open_guarded(pool, session, true, &rv, reterr);
    if (code == AN_OK)
        return AN_OK;
    *ret_full = rv == CKR_SESSION_COUNT && lower_maximum(pool, session);
    if (!*ret_full)
        an_pool_give(pool, session);
    return code;
}

an_code
an_pool_take(struct pool *pool, struct pool_session **ret, struct an_err *reterr)
{
    for (;;) {
        struct pool_session *session = wait_idle(pool);
        bool is_full = false;
        an_code code = session->is_open ? AN_OK : fill_session(pool, session, false, &is_full, reterr);

        if (code == AN_OK)
            *ret = session;
        if (!is_full)
            return code;
    }
}

an_code
an_pool_reopen(struct pool *pool, struct pool_session **session, struct an_err *reterr)
{
    struct pool_session *lost = *session;
    bool is_full = false;
    an_code code;

    (void)pool->place.f->C_CloseSession(lost->handle);
    lost->is_open = false;
    *session = NULL;
    code = fill_session(pool, lost, true, &is_full, reterr);
    if (code == AN_OK)
        *session = lost;
    return is_full ? an_pool_take(pool, session, reterr) : code;
}

static size_t
find_session_maximum(const CK_TOKEN_INFO *info)
{
    CK_ULONG most = info->ulMaxSessionCount;

    if (most == CK_UNAVAILABLE_INFORMATION || most == CK_EFFECTIVELY_INFINITE || most > AN_TOKEN_SESSIONS_MAX)
        return AN_TOKEN_SESSIONS_MAX;
    return most;
}

/* The first login: with the person's PIN, so that a wrong one is told at once and counted once. */
static an_code
login_first(struct pool *pool, struct an_pin_source pin, struct an_err *reterr)
{
    CK_FUNCTION_LIST *f = pool->place.f;
    CK_SESSION_HANDLE session;
    CK_RV rv;
    an_code code;

    AN_TRY(an_p11_pin_ask(&pool->place.info, pool->uri, pin, &pool->pin, reterr));
    rv = f->C_OpenSession(pool->place.slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return an_p11_fail(reterr, rv, "C_OpenSession");
    code = an_p11_login(f, session, CKU_USER, pool->pin, reterr);
    if (code == AN_OK)
        code = an_p11_find_key(f, session, pool->uri, &pool->sessions[0].key, reterr);
    if (code != AN_OK) {
        f->C_CloseSession(session);
        return code;
    }
    pool->sessions[0].handle = session;
    pool->sessions[0].is_open = true;
    return AN_OK;
}

an_code
an_pool_open(struct pool *pool, struct an_pin_source pin, struct an_err *reterr)
{
    CK_RV rv = CKR_OK;

    pthread_mutex_init(&pool->lock, NULL);
    pthread_mutex_init(&pool->login_lock, NULL);
    pthread_cond_init(&pool->is_idle, NULL);
    pool->open_max = find_session_maximum(&pool->place.info);
    pool->needs_login = (pool->place.info.flags & CKF_LOGIN_REQUIRED) != 0;
    if (pool->needs_login)
        return login_first(pool, pin, reterr);
    return open_session(pool, &pool->sessions[0], &rv, reterr);
}

void
an_pool_close(struct pool *pool)
{
    for (size_t i = 0; i < AN_TOKEN_SESSIONS_MAX; i++)
        if (pool->sessions[i].is_open)
            (void)pool->place.f->C_CloseSession(pool->sessions[i].handle);
    an_secret_free(&pool->pin);
    an_p11_uri_free(&pool->uri);
    an_p11_place_close(&pool->place);
    pthread_mutex_destroy(&pool->lock);
    pthread_mutex_destroy(&pool->login_lock);
    pthread_cond_destroy(&pool->is_idle);
}
