/*
 * A PKCS#11 module that passes every call to a real one and misbehaves on command, because SoftHSM2 never locks, is
 * never pulled out and never lies. The real module's path is in P11_TROUBLE_MODULE; orders are lines "name value" in
 * the file P11_TROUBLE_CONTROL, read again before every call, so that a test changes its mind in mid-flight:
 *
 *   lock_after N     wrong PINs until CKR_PIN_LOCKED, with the count-low, final-try and locked flags on the way
 *   wrong_pins N     wrong PINs counted so far: a new N sets the start, C_InitPIN by the officer sets it to nothing
 *   so_lock_after N  the same for the officer's PIN
 *   removed 1        the token is gone: every session dies; 0 brings it back
 *   dead_sessions N  a new N kills the sessions that exist at that moment, once
 *   fail_sign_every N  every n-th C_Sign of a session answers CKR_DEVICE_ERROR
 *   delay_ms N       before each C_Sign
 *   refuse_pin 1     C_Login answers CKR_PIN_INCORRECT whatever the PIN, as after a change by somebody else
 *   no_mechanism 1   C_SignInit answers CKR_MECHANISM_INVALID although C_GetMechanismInfo promises
 *   sessions_max N   C_OpenSession answers CKR_SESSION_COUNT beyond; told_sessions N is what CK_TOKEN_INFO says
 *   garbage_len N    C_Sign says that it wrote N bytes
 *   dead_module 1    every call after C_Initialize answers CKR_GENERAL_ERROR
 *   no_initialize 1  C_Initialize fails
 *   always_auth 1    CKA_ALWAYS_AUTHENTICATE; C_Sign without a context login answers CKR_USER_NOT_LOGGED_IN
 *   hang N           C_Sign does not come back: 1 while the order stands, 2 never again in this process
 *   hang_login 1     neither does C_Login while the order stands
 *   half_key N       C_GenerateKeyPair leaves half a pair and fails, as when its process is killed in it: 1 a public key that bears no
 *                    name, 2 one that bears its own
 *
 * Where the environment says nothing (a key process that a supervisor started), both paths are those of files beside the module:
 * p11_trouble.module holds the one, p11_trouble.control is the other.
 *
 * It writes what it saw ("logins N", "wrong N", "signs N") to P11_TROUBLE_CONTROL ".seen".
 */
#include <p11-kit/pkcs11.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SESSIONS_MAX 256

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST own;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* The real module does not bear a session closed by one thread while another signs with it; sessions die between two calls. */
static pthread_rwlock_t in_call = PTHREAD_RWLOCK_INITIALIZER;

struct orders {
    long lock_after, so_lock_after, wrong_pins, removed, refuse_pin, dead_sessions, fail_sign_every, delay_ms, no_mechanism, sessions_max, told_sessions,
        garbage_len, dead_module, no_initialize, always_auth, half_key, hang, hang_login;
};

static struct { CK_SESSION_HANDLE handle; bool is_dead, has_context_login; long signs; } sessions[SESSIONS_MAX];
static size_t session_count;
static long wrong_pins, so_wrong_pins, wrong_pins_set, deaths_done, sign_count, login_count;
static bool was_removed;

static char own_control[4096], own_module[4096];

static const char *
control_path(void)
{
    const char *path = getenv("P11_TROUBLE_CONTROL");

    return path != NULL ? path : own_control[0] != '\0' ? own_control : NULL;
}

static const char *
module_path(void)
{
    const char *path = getenv("P11_TROUBLE_MODULE");

    return path != NULL ? path : own_module[0] != '\0' ? own_module : NULL;
}

static void
look_beside(void)
{
    char name[4096];
    Dl_info where;
    FILE *file;

    if (dladdr((const void *)&own_control, &where) == 0 || where.dli_fname == NULL || strrchr(where.dli_fname, '/') == NULL)
        return;
    snprintf(own_control, sizeof(own_control), "%.*s/p11_trouble.control", (int)(strrchr(where.dli_fname, '/') - where.dli_fname), where.dli_fname);
    snprintf(name, sizeof(name), "%.*s/p11_trouble.module", (int)(strrchr(where.dli_fname, '/') - where.dli_fname), where.dli_fname);
    file = fopen(name, "re");
    if (file != NULL && fscanf(file, "%4095s", own_module) != 1)
        own_module[0] = '\0';
    if (file != NULL)
        fclose(file);
}

static struct orders
read_orders(void)
{
    struct orders orders = {0};
    const struct { const char *name; long *value; } names[] = {
        {"lock_after", &orders.lock_after}, {"so_lock_after", &orders.so_lock_after}, {"wrong_pins", &orders.wrong_pins}, {"removed", &orders.removed},
        {"dead_sessions", &orders.dead_sessions}, {"fail_sign_every", &orders.fail_sign_every}, {"delay_ms", &orders.delay_ms},
        {"no_mechanism", &orders.no_mechanism}, {"sessions_max", &orders.sessions_max}, {"told_sessions", &orders.told_sessions},
        {"garbage_len", &orders.garbage_len}, {"dead_module", &orders.dead_module}, {"no_initialize", &orders.no_initialize},
        {"always_auth", &orders.always_auth}, {"refuse_pin", &orders.refuse_pin},
        {"half_key", &orders.half_key}, {"hang", &orders.hang}, {"hang_login", &orders.hang_login},
    };
    const char *path = control_path();
    FILE *file = path ? fopen(path, "re") : NULL;
    char name[64];
    long value;

    while (file != NULL && fscanf(file, "%63s %ld", name, &value) == 2)
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (strcmp(names[i].name, name) == 0)
                *names[i].value = value;
    if (file != NULL)
        fclose(file);
    return orders;
}

static void
write_seen(void)
{
    const char *path = control_path();
    char name[4200];
    FILE *file;

    if (path == NULL)
        return;
    snprintf(name, sizeof(name), "%s.seen", path);
    file = fopen(name, "we");
    if (file == NULL)
        return;
    fprintf(file, "logins %ld\nwrong %ld\nso_wrong %ld\nsigns %ld\n", login_count, wrong_pins, so_wrong_pins, sign_count);
    fclose(file);
}

/* Carries out what the orders say about sessions; called with the lock held. */
static struct orders
obey(void)
{
    struct orders orders = read_orders();
    bool kills = (orders.removed && !was_removed) || orders.dead_sessions > deaths_done;

    if (kills)
        pthread_rwlock_wrlock(&in_call);
    if (kills)
        for (size_t i = 0; i < session_count; i++)
            if (!sessions[i].is_dead) {
                sessions[i].is_dead = true;
                real->C_CloseSession(sessions[i].handle); /* the last one takes the login with it, as pulling out does */
            }
    if (kills)
        pthread_rwlock_unlock(&in_call);
    was_removed = orders.removed != 0;
    deaths_done = orders.dead_sessions;
    if (orders.wrong_pins > wrong_pins && orders.wrong_pins != wrong_pins_set)
        wrong_pins = orders.wrong_pins;
    wrong_pins_set = orders.wrong_pins;
    return orders;
}

static size_t
find_session(CK_SESSION_HANDLE handle)
{
    for (size_t i = session_count; i-- > 0;)
        if (sessions[i].handle == handle)
            return i;
    return SESSIONS_MAX;
}

/* What every call on a session meets first. */
static CK_RV
enter(CK_SESSION_HANDLE handle, struct orders *ret)
{
    struct orders orders;
    size_t at;
    CK_RV rv = CKR_OK;

    pthread_mutex_lock(&lock);
    orders = obey();
    at = find_session(handle);
    if (orders.dead_module)
        rv = CKR_GENERAL_ERROR;
    else if (orders.removed)
        rv = CKR_DEVICE_REMOVED;
    else if (at == SESSIONS_MAX || sessions[at].is_dead)
        rv = CKR_SESSION_HANDLE_INVALID;
    pthread_mutex_unlock(&lock);
    if (ret != NULL)
        *ret = orders;
    return rv;
}

static CK_RV
trouble_initialize(void *args)
{
    if (read_orders().no_initialize)
        return CKR_DEVICE_ERROR;
    return real->C_Initialize(args);
}

static CK_RV
trouble_get_function_list(CK_FUNCTION_LIST **list)
{
    *list = &own;
    return CKR_OK;
}

static CK_RV
trouble_get_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
    struct orders orders;

    pthread_mutex_lock(&lock);
    orders = obey();
    pthread_mutex_unlock(&lock);
    if (orders.dead_module)
        return CKR_GENERAL_ERROR;
    if (orders.removed && present) {
        *count = 0;
        return CKR_OK;
    }
    return real->C_GetSlotList(present, slots, count);
}

static CK_RV
trouble_get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    struct orders orders;
    CK_RV rv;

    pthread_mutex_lock(&lock);
    orders = obey();
    pthread_mutex_unlock(&lock);
    if (orders.removed)
        return CKR_TOKEN_NOT_PRESENT;
    rv = real->C_GetTokenInfo(slot, info);
    if (rv != CKR_OK)
        return rv;
    if (orders.told_sessions)
        info->ulMaxSessionCount = (CK_ULONG)orders.told_sessions;
    if (orders.lock_after) {
        info->flags &= ~(CK_FLAGS)(CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED);
        if (wrong_pins > 0)
            info->flags |= CKF_USER_PIN_COUNT_LOW;
        if (wrong_pins == orders.lock_after - 1)
            info->flags |= CKF_USER_PIN_FINAL_TRY;
        if (wrong_pins >= orders.lock_after)
            info->flags |= CKF_USER_PIN_LOCKED;
    }
    if (orders.so_lock_after) {
        info->flags &= ~(CK_FLAGS)(CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED);
        if (so_wrong_pins > 0)
            info->flags |= CKF_SO_PIN_COUNT_LOW;
        if (so_wrong_pins == orders.so_lock_after - 1)
            info->flags |= CKF_SO_PIN_FINAL_TRY;
        if (so_wrong_pins >= orders.so_lock_after)
            info->flags |= CKF_SO_PIN_LOCKED;
    }
    return CKR_OK;
}

static CK_ULONG
count_living(void)
{
    CK_ULONG count = 0;

    for (size_t i = 0; i < session_count; i++)
        count += !sessions[i].is_dead;
    return count;
}

static CK_RV
trouble_open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
    struct orders orders;
    CK_RV rv;

    pthread_mutex_lock(&lock);
    orders = obey();
    if (orders.dead_module)
        rv = CKR_GENERAL_ERROR;
    else if (orders.removed)
        rv = CKR_TOKEN_NOT_PRESENT;
    else if ((orders.sessions_max && count_living() >= (CK_ULONG)orders.sessions_max) || session_count == SESSIONS_MAX)
        rv = CKR_SESSION_COUNT;
    else
        rv = real->C_OpenSession(slot, flags, application, notify, session);
    if (rv == CKR_OK) {
        sessions[session_count].handle = *session;
        sessions[session_count].is_dead = sessions[session_count].has_context_login = false;
        sessions[session_count].signs = 0;
        session_count++;
    }
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV
trouble_close_session(CK_SESSION_HANDLE session)
{
    CK_RV rv = CKR_SESSION_HANDLE_INVALID;
    size_t at;

    pthread_mutex_lock(&lock);
    (void)obey();
    at = find_session(session);
    if (at != SESSIONS_MAX) {
        if (!sessions[at].is_dead)
            rv = real->C_CloseSession(session);
        sessions[at] = sessions[--session_count];
    }
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV
trouble_get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
    CK_RV rv = enter(session, NULL);

    return rv == CKR_OK ? real->C_GetSessionInfo(session, info) : rv;
}

static CK_RV
context_login(CK_SESSION_HANDLE session)
{
    size_t at;

    pthread_mutex_lock(&lock);
    at = find_session(session);
    if (at != SESSIONS_MAX)
        sessions[at].has_context_login = true;
    login_count++;
    write_seen();
    pthread_mutex_unlock(&lock);
    return CKR_OK;
}

/* Counts an answer to a PIN and makes a lock of it when it was one wrong PIN too many. */
static CK_RV
count_pin(CK_RV rv, long *wrong, long lock_after)
{
    pthread_mutex_lock(&lock);
    login_count++;
    if (rv == CKR_PIN_INCORRECT)
        ++*wrong;
    else if (rv == CKR_OK)
        *wrong = 0;
    if (rv == CKR_PIN_INCORRECT && lock_after && *wrong >= lock_after)
        rv = CKR_PIN_LOCKED;
    write_seen();
    pthread_mutex_unlock(&lock);
    return rv;
}

/* As a module behind a dead cable, or one that waits for an answer that was lost. */
static void
hang(long kind)
{
    while (kind == 2 || (kind == 1 && read_orders().hang == 1))
        usleep(5000);
}

static CK_RV
trouble_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG len)
{
    struct orders orders;
    CK_RV rv = enter(session, &orders);
    long *wrong = user == CKU_SO ? &so_wrong_pins : &wrong_pins, lock_after = user == CKU_SO ? orders.so_lock_after : orders.lock_after;

    while (read_orders().hang_login)
        usleep(5000);
    if (rv != CKR_OK)
        return rv;
    if (user == CKU_CONTEXT_SPECIFIC)
        return context_login(session);
    if (lock_after && *wrong >= lock_after)
        return CKR_PIN_LOCKED;
    return count_pin(orders.refuse_pin ? CKR_PIN_INCORRECT : real->C_Login(session, user, pin, len), wrong, lock_after);
}

static CK_RV
trouble_init_pin(CK_SESSION_HANDLE session, CK_UTF8CHAR *pin, CK_ULONG len)
{
    CK_RV rv = enter(session, NULL);

    if (rv == CKR_OK)
        rv = real->C_InitPIN(session, pin, len);
    pthread_mutex_lock(&lock);
    if (rv == CKR_OK)
        wrong_pins = 0;
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV
trouble_set_pin(CK_SESSION_HANDLE session, CK_UTF8CHAR *old, CK_ULONG old_len, CK_UTF8CHAR *new, CK_ULONG new_len)
{
    struct orders orders;
    CK_RV rv = enter(session, &orders);

    if (rv != CKR_OK)
        return rv;
    if (orders.lock_after && wrong_pins >= orders.lock_after)
        return CKR_PIN_LOCKED;
    return count_pin(real->C_SetPIN(session, old, old_len, new, new_len), &wrong_pins, orders.lock_after);
}

static CK_RV
trouble_init_token(CK_SLOT_ID slot, CK_UTF8CHAR *pin, CK_ULONG len, CK_UTF8CHAR *label)
{
    struct orders orders = read_orders();

    if (orders.removed)
        return CKR_TOKEN_NOT_PRESENT;
    if (orders.so_lock_after && so_wrong_pins >= orders.so_lock_after)
        return CKR_PIN_LOCKED;
    return count_pin(real->C_InitToken(slot, pin, len, label), &so_wrong_pins, orders.so_lock_after);
}

static CK_RV
trouble_find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_RV rv = enter(session, NULL);

    return rv == CKR_OK ? real->C_FindObjectsInit(session, template, count) : rv;
}

static CK_RV
trouble_get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG count)
{
    struct orders orders;
    CK_RV rv = enter(session, &orders);

    if (rv == CKR_OK && orders.always_auth && count == 1 && template->type == CKA_ALWAYS_AUTHENTICATE &&
        template->pValue != NULL && template->ulValueLen == sizeof(CK_BBOOL)) {
        *(CK_BBOOL *)template->pValue = CK_TRUE;
        return CKR_OK;
    }
    return rv == CKR_OK ? real->C_GetAttributeValue(session, object, template, count) : rv;
}

static CK_RV
leave_half(CK_SESSION_HANDLE session, const CK_ATTRIBUTE *wanted, CK_ULONG count, bool is_named)
{
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_KEY_TYPE type = CKK_RSA;
    CK_BBOOL yes = CK_TRUE;
    CK_BYTE modulus[256], exponent[] = {1, 0, 1};
    CK_ATTRIBUTE half[16] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_KEY_TYPE, &type, sizeof(type)}, {CKA_TOKEN, &yes, sizeof(yes)},
                             {CKA_MODULUS, modulus, sizeof(modulus)}, {CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)}};
    CK_ULONG used = 5;
    CK_OBJECT_HANDLE handle;
    CK_RV rv;

    memset(modulus, 0xa5, sizeof(modulus));
    for (CK_ULONG i = 0; i < count && used < 16; i++)
        if (is_named && (wanted[i].type == CKA_ID || wanted[i].type == CKA_LABEL))
            half[used++] = wanted[i];
    rv = real->C_CreateObject(session, half, used, &handle);
    return rv == CKR_OK ? CKR_DEVICE_ERROR : rv;
}

static CK_RV
trouble_generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public_key, CK_ULONG public_count,
                          CK_ATTRIBUTE *private_key, CK_ULONG private_count, CK_OBJECT_HANDLE *ret_public, CK_OBJECT_HANDLE *ret_private)
{
    struct orders orders;
    CK_RV rv = enter(session, &orders);

    if (rv != CKR_OK)
        return rv;
    if (orders.half_key)
        return leave_half(session, public_key, public_count, orders.half_key == 2);
    return real->C_GenerateKeyPair(session, mechanism, public_key, public_count, private_key, private_count, ret_public, ret_private);
}

static CK_RV
trouble_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    struct orders orders;
    CK_RV rv = enter(session, &orders);

    if (rv != CKR_OK)
        return rv;
    if (orders.no_mechanism)
        return CKR_MECHANISM_INVALID;
    pthread_rwlock_rdlock(&in_call);
    rv = real->C_SignInit(session, mechanism, key);
    pthread_rwlock_unlock(&in_call);
    return rv;
}

/* A context login holds for one signature. */
static bool
use_context_login(CK_SESSION_HANDLE session)
{
    bool had = false;
    size_t at;

    pthread_mutex_lock(&lock);
    at = find_session(session);
    if (at != SESSIONS_MAX) {
        had = sessions[at].has_context_login;
        sessions[at].has_context_login = false;
    }
    pthread_mutex_unlock(&lock);
    return had;
}

static CK_RV
trouble_sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature, CK_ULONG *len)
{
    struct orders orders;
    CK_RV rv = enter(session, &orders);
    long number;
    size_t at;

    if (rv != CKR_OK)
        return rv;
    pthread_mutex_lock(&lock);
    at = find_session(session);
    number = at != SESSIONS_MAX ? ++sessions[at].signs : 0;
    sign_count++;
    write_seen();
    pthread_mutex_unlock(&lock);
    hang(orders.hang);
    if (orders.delay_ms)
        usleep((useconds_t)orders.delay_ms * 1000);
    if (orders.always_auth && !use_context_login(session))
        return CKR_USER_NOT_LOGGED_IN;
    if (orders.fail_sign_every && number % orders.fail_sign_every == 0)
        return CKR_DEVICE_ERROR;
    pthread_rwlock_rdlock(&in_call);
    rv = real->C_Sign(session, data, data_len, signature, len);
    pthread_rwlock_unlock(&in_call);
    if (rv == CKR_OK && orders.garbage_len)
        *len = (CK_ULONG)orders.garbage_len;
    return rv;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    union { void *object; CK_RV (*function)(CK_FUNCTION_LIST **); } entry;
    const char *path;
    void *module;

    look_beside();
    path = module_path();
    module = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (module == NULL)
        return CKR_GENERAL_ERROR;
    entry.object = dlsym(module, "C_GetFunctionList");
    if (entry.object == NULL || entry.function(&real) != CKR_OK)
        return CKR_GENERAL_ERROR;
    own = *real;
    own.C_Initialize = trouble_initialize;
    own.C_GetFunctionList = trouble_get_function_list;
    own.C_GetSlotList = trouble_get_slot_list;
    own.C_GetTokenInfo = trouble_get_token_info;
    own.C_OpenSession = trouble_open_session;
    own.C_CloseSession = trouble_close_session;
    own.C_GetSessionInfo = trouble_get_session_info;
    own.C_Login = trouble_login;
    own.C_InitPIN = trouble_init_pin;
    own.C_SetPIN = trouble_set_pin;
    own.C_InitToken = trouble_init_token;
    own.C_FindObjectsInit = trouble_find_objects_init;
    own.C_GetAttributeValue = trouble_get_attribute_value;
    own.C_GenerateKeyPair = trouble_generate_key_pair;
    own.C_SignInit = trouble_sign_init;
    own.C_Sign = trouble_sign;
    *list = &own;
    return CKR_OK;
}
