/*
 * The keys that antin-key holds. Each has a queue and threads of its own, as many as its token has sessions, so that a
 * slow or absent token holds up nobody else's. A request that meets a token which went away waits here until it is
 * back.
 */
#include "keys/internal.h"

#include "base/time.h"
#include "base/program.h"
#include "proc/json.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LOCK_MS 500          /* how long one attempt waits until nobody signs; a call that hangs may hold it for ever */
#define PAUSE_US 20000       /* between two attempts to open a token again */
#define HARDWARE_THREADS 16  /* a token that signs on its own hardware is kept busy by these; more only wait */
#define STACK_BYTES ((size_t)256 * 1024)
#define TAKE_MAX 16          /* jobs taken at once by one thread, when many wait */

struct job {
    struct job *next;
    struct key_client *client;
    uint32_t id;
    struct an_scheme scheme;
    uint64_t deadline_ms;
    bool is_answered;        /* by the watch, while its call did not come back */
    size_t len;
    uint8_t digest[];
};

struct held_key {
    struct an_key_entry entry;
    bool is_token;           /* PKCS#11: may go away */
    bool is_left;            /* its token hung at the set-up: left alone, until a process beside us could open it */
    /* a PIN that was refused is not offered again before somebody looks: the token would lock */
    an_code refused;
    uint64_t handle;
    struct an_buf spki;
    struct an_signer *signer; /* NULL while its token is away; guarded by tokens_lock when is_token */
    unsigned epoch;          /* counts openings */
    uint64_t looked_ms;
    pthread_mutex_t lock;    /* guards what follows */
    pthread_cond_t is_work;
    struct job *first, **last;
    size_t waiting, idle, threads, threads_max;
};

static char *store_dir; /* where the instance's own SoftHSM2 tokens live */
static struct held_key *held;
static size_t held_count;
/* Signing holds it for reading. Whoever opens a token again holds it alone: a module is finalised by its last
 * signer. */
static pthread_rwlock_t tokens_lock = PTHREAD_RWLOCK_INITIALIZER;

/* ---- opening, and opening again ---- */
static an_code
open_key(struct held_key *key, struct an_err *reterr)
{
    struct an_pin_source pin = {0};
    an_bytes spki;

    if (key->is_left || key->refused != AN_OK)
        AN_FAIL(reterr, key->is_left ? AN_E_TOKEN_HANGS : key->refused, "%s", key->entry.name);
    if (key->entry.pin != NULL)
        pin = an_pin_from_file(key->entry.pin);
    an_code code = an_signer_open(key->entry.uri, pin, &key->signer, reterr);
    if (code == AN_E_PIN_WRONG || code == AN_E_PIN_LOCKED || code == AN_E_PIN_LENGTH || code == AN_E_PIN_FINAL_TRY)
        key->refused = code;
    if (code != AN_OK)
        return code;
    spki = an_signer_spki(key->signer);
    if (key->spki.len != 0 && !an_bytes_eq(spki, an_buf_view(&key->spki))) {
        an_signer_close(&key->signer); /* another token with the same name */
        AN_FAIL(reterr, AN_E_KEY_ABSENT, "%s: subjectPublicKeyInfo", key->entry.name);
    }
    if (key->spki.len == 0) {
        an_buf_append(&key->spki, spki);
        key->threads_max = an_signer_info(key->signer)->sessions_max;
        key->threads_max = key->threads_max > HARDWARE_THREADS ? HARDWARE_THREADS : key->threads_max;
        __atomic_store_n(&key->handle, an_key_handle(spki), __ATOMIC_RELEASE);
    }
    key->epoch++;
    return AN_OK;
}

/* What another attempt may mend. */
static bool
is_passing(an_code code)
{
    static const an_code passing[] = {AN_E_TOKEN_REMOVED, AN_E_TOKEN_ABSENT, AN_E_TOKEN_FAILED, AN_E_TOKEN_HANGS,
                                      AN_E_TOKEN_MODULE, AN_E_TOKEN_ANSWER, AN_E_KEY_ABSENT};

    for (size_t i = 0; i < AN_COUNT(passing); i++)
        if (passing[i] == code)
            return true;
    return false;
}

/* A module that was restarted under us wants to be initialised anew, which happens when none of its signers is left. */
static void
close_tokens(void)
{
    for (size_t i = 0; i < held_count; i++)
        if (held[i].is_token)
            an_signer_close(&held[i].signer);
}

/* What a killed process left of the instance's own tokens. Nobody signs meanwhile. */
static void
mend_tokens(void)
{
    struct an_err err = {0};
    size_t count = 0;

    if (an_softhsm_mend(store_dir, &count, &err) != AN_OK)
        dprintf(STDERR_FILENO, "antin-key: %s: %s\n", an_message_find(err.code)->symbol, err.detail);
    if (count > 0)
        dprintf(STDERR_FILENO, "antin-key: %zu files of SoftHSM2 were cut off and are restored\n", count);
}

/* Now that keys could be opened, the files are known to be good. */
static void
keep_tokens(void)
{
    struct an_err err = {0};

    if (an_softhsm_keep(store_dir, &err) != AN_OK)
        dprintf(STDERR_FILENO, "antin-key: %s: %s\n", an_message_find(err.code)->symbol, err.detail);
}

/* For opening and closing, while nobody signs. */
static bool
lock_tokens(struct held_key *key, struct key_call *call)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOCK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    if (pthread_rwlock_clockwrlock(&tokens_lock, CLOCK_MONOTONIC, &until) != 0)
        return false;
    an_key_call_begin(call, key->entry.name, NULL, NULL);
    return true;
}

static void
unlock_tokens(struct key_call *call)
{
    an_key_call_end(call);
    pthread_rwlock_unlock(&tokens_lock);
}

static an_code
open_again(struct held_key *key, unsigned epoch, bool all, struct an_err *reterr)
{
    struct key_call call;
    an_code code = AN_OK;

    if (!lock_tokens(key, &call))
        AN_FAIL(reterr, AN_E_TOKEN_REMOVED, "%s", key->entry.name);
    if (key->epoch == epoch || key->signer == NULL) { /* nobody else did it meanwhile */
        if (all)
            close_tokens();
        an_signer_close(&key->signer);
        if (all)
            mend_tokens();
        code = open_key(key, reterr);
    }
    unlock_tokens(&call);
    return code;
}

/* ---- what does not come back ---- */
/* What a thread has in hand: a job, and those behind it. */
struct turn { struct held_key *key; struct job *job; };

static void
refuse_job(const struct held_key *key, const struct job *job)
{
    struct an_err err = {0};

    an_err_set(&err, AN_E_TOKEN_HANGS, "%s", key->entry.name);
    an_key_client_answer(job->client, &(struct an_key_answer){.id = job->id, .code = err.code,
                                                              .bytes = an_bytes_of_str(err.detail)});
    an_key_client_flush(job->client);
}

static void add_thread(struct held_key *key);

/* To the front of the queue, for the threads that are left. */
static void
put_back(struct held_key *key, struct job **rest)
{
    struct job *last = *rest;

    pthread_mutex_lock(&key->lock);
    for (key->waiting++; last->next != NULL; last = last->next)
        key->waiting++;
    last->next = key->first;
    if (key->first == NULL)
        key->last = &last->next;
    key->first = *rest;
    *rest = NULL;
    add_thread(key);
    pthread_cond_signal(&key->is_work);
    pthread_mutex_unlock(&key->lock);
}

/* Those behind it go to others. Its own job is not refused yet: when a process beside us takes over, it is asked there
 * again. */
static void
note_late(void *context)
{
    struct turn *turn = context;

    if (turn->job->next != NULL)
        put_back(turn->key, &turn->job->next);
    if (turn->job->is_answered || an_time_monotonic_ms() < turn->job->deadline_ms)
        return;
    refuse_job(turn->key, turn->job);
    turn->job->is_answered = true;
}

static struct job *
take_late(struct held_key *key, uint64_t now)
{
    struct job *job;

    pthread_mutex_lock(&key->lock);
    job = key->first;
    if (job != NULL && now >= job->deadline_ms) {
        key->first = job->next;
        key->waiting--;
        if (key->first == NULL)
            key->last = &key->first;
    } else {
        job = NULL;
    }
    pthread_mutex_unlock(&key->lock);
    return job;
}

void
an_key_refuse_late(void)
{
    uint64_t now = an_time_monotonic_ms();
    struct job *job;

    for (size_t i = 0; i < held_count; i++)
        while ((job = take_late(&held[i], now)) != NULL) {
            refuse_job(&held[i], job);
            an_key_client_unref(job->client);
            free(job);
        }
}

/* ---- signing ---- */
static an_code
sign_once(struct turn *turn, struct an_buf *out, unsigned *ret_epoch, struct an_err *reterr)
{
    struct held_key *key = turn->key;
    const struct job *job = turn->job;
    struct key_call call;
    an_code code = AN_E_TOKEN_REMOVED;

    if (key->is_token)
        pthread_rwlock_rdlock(&tokens_lock);
    *ret_epoch = key->epoch;
    if (key->signer != NULL) {
        an_key_call_begin(&call, key->entry.name, note_late, turn);
        code = an_signer_sign(key->signer, &job->scheme, AN_BYTES(job->digest, job->len), out, reterr);
        an_key_call_end(&call);
    } else {
        an_err_set(reterr, code, "%s", key->entry.name);
    }
    if (key->is_token)
        pthread_rwlock_unlock(&tokens_lock);
    return code;
}

static an_code
sign_until(struct turn *turn, struct an_buf *out, struct an_err *reterr)
{
    struct held_key *key = turn->key;

    for (unsigned attempt = 0;; attempt++) {
        struct an_err again = {0};
        unsigned epoch = 0;
        an_code code = sign_once(turn, out, &epoch, reterr);

        if (code == AN_OK || !key->is_token || !is_passing(code) || an_time_monotonic_ms() >= turn->job->deadline_ms)
            return code;
        an_buf_reset(out);
        if (attempt > 0)
            usleep(PAUSE_US);
        code = open_again(key, epoch, attempt > 0, &again);
        if (code != AN_OK && !is_passing(code)) {
            *reterr = again;
            return code;
        }
    }
}

/* ---- workers ---- */
static void
do_job(struct turn *turn)
{
    const struct job *job = turn->job;
    AN_CLEANUP(an_buf_free) struct an_buf signature = an_buf_new(16384);
    struct an_err err = {0};
    an_code code = sign_until(turn, &signature, &err);
    struct an_key_answer answer = {.id = job->id, .code = code, .bytes = code == AN_OK ? an_buf_view(&signature)
                                   : an_bytes_of_str(err.detail)};

    if (!job->is_answered)
        an_key_client_answer(job->client, &answer);
}

static struct job *
take_jobs(struct held_key *key)
{
    struct job *first, *last;
    size_t count;

    pthread_mutex_lock(&key->lock);
    key->idle++;
    while (key->first == NULL)
        pthread_cond_wait(&key->is_work, &key->lock);
    key->idle--;
    count = (key->waiting + key->threads_max - 1) / key->threads_max;
    count = count < 1 ? 1 : count > TAKE_MAX ? TAKE_MAX : count;
    first = last = key->first;
    for (size_t i = 1; i < count && last->next != NULL; i++)
        last = last->next;
    key->first = last->next;
    if (key->first == NULL)
        key->last = &key->first;
    last->next = NULL;
    for (const struct job *job = first; job != NULL; job = job->next)
        key->waiting--;
    pthread_mutex_unlock(&key->lock);
    return first;
}

static void *
work(void *context)
{
    struct held_key *key = context;

    for (;;) {
        struct turn turn = {key, take_jobs(key)};
        while (turn.job != NULL) {
            struct key_client *client = turn.job->client;
            struct job *next;
            do_job(&turn);
            next = turn.job->next; /* none when they were given to others */
            free(turn.job);
            if (next == NULL || next->client != client)
                an_key_client_flush(client);
            an_key_client_unref(client);
            turn.job = next;
        }
    }
    return NULL;
}

/* One thread more when all are busy. Called with the lock held. */
static void
add_thread(struct held_key *key)
{
    pthread_attr_t attributes;
    pthread_t thread;

    if (key->idle >= key->waiting || key->threads >= key->threads_max)
        return;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, work, key) == 0)
        key->threads++;
    pthread_attr_destroy(&attributes);
}

/* Questions of one key that came in one frame; they are shared out when all are there. */
struct gathered { struct held_key *key; struct job *first, **last; size_t count; };

static void
push_gathered(struct gathered *all)
{
    struct held_key *key = all->key;

    if (all->count == 0)
        return;
    pthread_mutex_lock(&key->lock);
    *key->last = all->first;
    key->last = all->last;
    key->waiting += all->count;
    for (size_t i = 0; i < all->count && i < key->threads_max; i++) {
        add_thread(key);
        pthread_cond_signal(&key->is_work);
    }
    pthread_mutex_unlock(&key->lock);
    *all = (struct gathered){0};
}

static void
gather(struct gathered *all, struct held_key *key, struct job *job)
{
    if (all->key != key) {
        push_gathered(all);
        all->key = key;
        all->last = &all->first;
    }
    *all->last = job;
    all->last = &job->next;
    all->count++;
}

/* ---- questions ---- */
static struct held_key *
find_key(uint64_t handle)
{
    for (size_t i = 0; i < held_count; i++)
        if (__atomic_load_n(&held[i].handle, __ATOMIC_ACQUIRE) == handle)
            return &held[i];
    return NULL;
}

/* One whose token could not be opened yet is not known by its public key. */
bool
an_key_lacks_some(void)
{
    for (size_t i = 0; i < held_count; i++)
        if (__atomic_load_n(&held[i].handle, __ATOMIC_ACQUIRE) == 0)
            return true;
    return false;
}

static bool
hangs_some(void)
{
    for (size_t i = 0; i < held_count; i++)
        if (held[i].is_left)
            return true;
    return false;
}

static void
refuse(struct key_client *client, uint32_t id, an_code code, const char *detail)
{
    an_key_client_answer(client, &(struct an_key_answer){.id = id, .code = code, .bytes = an_bytes_of_str(detail)});
}

bool
an_key_ask(struct key_client *client, an_bytes payload, struct key_client *(*take)(struct key_client *client))
{
    struct an_key_question question;
    struct gathered all = {0};

    while (an_key_take_question(&payload, &question)) {
        struct held_key *key = find_key(question.key);
        struct job *job;

        if (key == NULL && an_key_lacks_some()) {
            refuse(client, question.id, hangs_some() ? AN_E_TOKEN_HANGS : AN_E_TOKEN_ABSENT, "when antin-key was started");
            continue;
        }
        if (key == NULL || (key->entry.purposes & 1u << question.purpose) == 0) {
            refuse(client, question.id, key == NULL ? AN_E_KEYS_NAME : AN_E_KEYS_PURPOSE,
                   an_key_purpose_name(question.purpose));
            continue;
        }
        job = an_new_array(1, sizeof(*job) + question.digest.len);
        *job = (struct job){.client = take(client), .id = question.id, .scheme = question.scheme,
                            .deadline_ms = an_time_monotonic_ms() + an_key_wait_ms(), .len = question.digest.len};
        if (question.digest.len != 0)
            memcpy(job->digest, question.digest.ptr, question.digest.len);
        gather(&all, key, job);
    }
    push_gathered(&all);
    an_key_client_flush(client);
    return payload.len == 0;
}

static void
look_again(struct held_key *key)
{
    struct an_err err = {0};
    uint64_t now = an_time_monotonic_ms();
    struct key_call call;

    if (key->is_left || !lock_tokens(key, &call))
        return;
    if (key->signer == NULL && now - key->looked_ms > 200) {
        key->looked_ms = now;
        mend_tokens();
        if (open_key(key, &err) == AN_OK)
            keep_tokens();
    }
    unlock_tokens(&call);
}

void
an_key_tell(struct an_buf *ret)
{
    AN_CLEANUP(an_json_free) json_t *root = json_object();
    json_t *list = json_array();

    for (size_t i = 0; i < held_count; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(65536);
        if (held[i].signer == NULL)
            look_again(&held[i]);
        an_base64_encode(&spki, an_buf_view(&held[i].spki));
        an_buf_byte(&spki, 0);
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:I, s:b, s:b, s:b}", "name", held[i].entry.name, "spki",
                                              (const char *)spki.ptr, "purposes",
                                              (int)held[i].entry.purposes, "sessions", (json_int_t)held[i].threads_max,
                                              "ready",
                                              (int)(held[i].signer != NULL), "token", (int)held[i].is_token, "hangs",
                                              (int)(held[i].is_left || an_key_is_late(held[i].entry.name))));
    }
    json_object_set_new(root, "keys", list);
    an_json_write(ret, root);
}

static char *
resolve(const char *dir, const char *path)
{
    return path == NULL || *path == '/' ? (path ? an_strdup(path) : NULL) : an_asprintf("%s/%s", dir, path);
}

/* An attribute of a PKCS#11 address, up to what ends it. */
static an_bytes
attribute(const char *uri, const char *name)
{
    const char *at = strstr(uri, name);

    return at != NULL ? AN_BYTES((const uint8_t *)at, strcspn(at, ";?&")) : AN_NONE;
}

/* On the token of a key that is to be left alone, or on one that is reached through the same module. */
static bool
is_to_be_left(const struct an_key_list *list, const char *uri, const json_t *left)
{
    const json_t *name;
    size_t at;

    json_array_foreach(left, at, name)
        for (size_t i = 0; i < list->count; i++)
            if (json_string_value(name) != NULL && strcmp(list->entries[i].name, json_string_value(name)) == 0 &&
                an_bytes_eq(attribute(list->entries[i].uri, "token="), attribute(uri, "token=")) &&
                an_bytes_eq(attribute(list->entries[i].uri, "module-path="), attribute(uri, "module-path=")))
                return true;
    return false;
}

/* The first time; watched, since a module may hang here, too. */
static void
open_first(struct held_key *key)
{
    struct key_call call;
    struct an_err err = {0};

    if (key->is_token)
        an_key_call_begin(&call, key->entry.name, NULL, NULL);
    if (open_key(key, &err) != AN_OK)
        dprintf(STDERR_FILENO, "antin-key: %s: %s: %s\n", key->entry.name, an_message_find(err.code)->symbol,
                err.detail);
    if (key->is_token)
        an_key_call_end(&call);
}

an_code
an_key_hold(const char *dir, const json_t *left, struct an_err *reterr)
{
    AN_CLEANUP(an_key_list_done) struct an_key_list list = {0};
    size_t cores = an_cores();
    bool is_token_open = false;

    AN_TRY(an_key_list_read(dir, &list, reterr));
    held = an_new_array(list.count + 1, sizeof(*held));
    held_count = list.count;
    store_dir = an_strdup(dir);
    mend_tokens();
    for (size_t i = 0; i < list.count; i++) {
        const struct an_key_entry *entry = &list.entries[i];
        struct held_key *key = &held[i];
        *key = (struct held_key){.is_token = strncmp(entry->uri, "pkcs11:", 7) == 0, .spki = an_buf_new(65536),
                                 .threads_max = 1};
        key->entry = (struct an_key_entry){.name = an_strdup(entry->name), .pin = resolve(dir, entry->pin),
                                           .purposes = entry->purposes,
                                           .uri = key->is_token ? an_strdup(entry->uri) : resolve(dir, entry->uri)};
        pthread_mutex_init(&key->lock, NULL);
        pthread_cond_init(&key->is_work, NULL);
        key->last = &key->first;
        key->is_left = key->is_token && is_to_be_left(&list, entry->uri, left);
        open_first(key);
        if (!key->is_token && key->threads_max > cores)
            key->threads_max = cores;
        is_token_open |= key->is_token && key->signer != NULL;
    }
    if (is_token_open)
        keep_tokens();
    return AN_OK;
}
