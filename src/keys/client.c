/*
 * Asking antin-key. There is no thread of our own: of those who wait, one sends what has gathered, one reads the
 * answers for all, the others sleep. When the connection breaks, what has no answer is asked again; a signature asked
 * for twice does no harm.
 */
#include "keys/wire.h"

#include "base/time.h"
#include "proc/frame.h"
#include "proc/json.h"
#include "token/elsewhere.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ASK_MS 30000
#define SETUP_MS 60000
#define LIST_MS 5000
#define RECONNECT_PAUSE_US 10000
#define SEND_BYTES_MAX ((size_t)64 * 1024) /* gathered into one frame; then the next frame */
#define RECEIVE_POLL_MS 1000

struct waiting {
    struct waiting *next;
    struct an_key_question question;
    struct an_buf *out;
    struct an_err *reterr;
    an_code code;
    bool is_done;
    struct asker *asker;
};
/* A thread that waits for one or several answers. */
struct asker {
    size_t open; /* answers that are not there yet */
    bool is_asleep;
    pthread_cond_t wake;
};

struct an_keys {
    char *dir;
    bool may_start;
    pthread_mutex_t lock;
    int fd; /* -1 = to be connected */
    struct an_child *child; /* a key process of our own, and where it listens */
    struct sockaddr_un own;
    socklen_t own_len;
    struct waiting *unsent, *sent;
    bool is_sending, is_reading, is_lost;
    unsigned epoch; /* counts connections */
    uint32_t last_id;
};

/* ---- connecting ---- */
/* Never waits: a key process that does not take connections must not hold up those who ask. */
static int
connect_to(const struct sockaddr_un *address, socklen_t len)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, len) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* A folder's name may be longer than an address can be: then the folder is reached through its descriptor. */
static int
connect_path(const char *dir)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", dir, AN_KEYS_SOCKET);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int folder = -1, fd;

    if (strlen(path) < sizeof(address.sun_path)) {
        memcpy(address.sun_path, path, strlen(path) + 1);
    } else {
        folder = open(dir, O_PATH | O_CLOEXEC);
        snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", folder, AN_KEYS_SOCKET);
    }
    fd = connect_to(&address, sizeof(address));
    if (folder >= 0)
        close(folder);
    return fd;
}

/* A key process of our own listens on an address that the kernel chooses and that no folder shows; it answers our user
 * alone. */
static an_code
listen_hidden(struct an_keys *keys, int *ret, struct an_err *reterr)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    keys->own_len = sizeof(keys->own);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&keys->own, &keys->own_len) != 0) {
        if (fd >= 0)
            close(fd);
        return an_err_set_errno(reterr, AN_E_KEYS_LOST, errno, "AF_UNIX");
    }
    *ret = fd;
    return AN_OK;
}

static an_code
start_own(struct an_keys *keys, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf list = an_buf_new(AN_KEYS_FRAME_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf setup = an_buf_new(8192);
    AN_CLEANUP(an_json_free) json_t *root = json_pack("{s:s}", "dir", keys->dir);
    int listener = -1;
    an_code code;

    an_child_stop(&keys->child);
    AN_TRY(listen_hidden(keys, &listener, reterr));
    an_json_write(&setup, root);
    code = an_child_start("antin-key", &keys->child, reterr);
    if (code == AN_OK)
        code = an_child_ask(keys->child, AN_KEYS_SETUP, an_buf_view(&setup), listener, SETUP_MS, NULL, &list, reterr);
    close(listener);
    if (code != AN_OK)
        an_child_stop(&keys->child);
    return code;
}

static int
connect_any(const struct an_keys *keys)
{
    int fd = connect_path(keys->dir);

    return fd < 0 && keys->child != NULL ? connect_to(&keys->own, keys->own_len) : fd;
}

/* One attempt. */
static an_code
connect_keys(struct an_keys *keys, struct an_err *reterr)
{
    keys->fd = connect_any(keys);
    if (keys->fd >= 0)
        return AN_OK;
    if (keys->may_start) {
        AN_TRY(start_own(keys, reterr));
        keys->fd = connect_any(keys);
    }
    if (keys->fd >= 0)
        return AN_OK;
    AN_FAIL(reterr, AN_E_KEYS_LOST, "%s/%s", keys->dir, AN_KEYS_SOCKET);
}

static an_code
connect_until(struct an_keys *keys, uint64_t deadline_ms, struct an_err *reterr)
{
    for (;;) {
        an_code code = connect_keys(keys, reterr);
        if (code != AN_E_KEYS_LOST || an_time_monotonic_ms() >= deadline_ms)
            return code;
        usleep(RECONNECT_PAUSE_US);
    }
}

static an_code
open_keys(const char *dir, bool may_start, uint64_t wait_ms, struct an_keys **ret, struct an_err *reterr)
{
    struct an_keys *keys = AN_NEW(struct an_keys);
    an_code code;

    *keys = (struct an_keys){.may_start = may_start, .fd = -1};
    keys->dir = realpath(dir, NULL);
    pthread_mutex_init(&keys->lock, NULL);
    code = keys->dir != NULL ? connect_until(keys, an_time_monotonic_ms() + wait_ms, reterr)
                             : an_err_set_errno(reterr, AN_E_FILE_OPEN, errno, "%s", dir);
    if (code != AN_OK) {
        an_keys_close(&keys);
        return code;
    }
    *ret = keys;
    return AN_OK;
}

an_code
an_keys_open(const char *dir, struct an_keys **ret, struct an_err *reterr)
{
    return open_keys(dir, true, 0, ret, reterr);
}

an_code
an_keys_attach(const char *dir, uint64_t wait_ms, struct an_keys **ret, struct an_err *reterr)
{
    return open_keys(dir, false, wait_ms, ret, reterr);
}

void
an_keys_close(struct an_keys **keys)
{
    if (*keys == NULL)
        return;
    if ((*keys)->fd >= 0)
        close((*keys)->fd);
    an_child_stop(&(*keys)->child);
    pthread_mutex_destroy(&(*keys)->lock);
    free((*keys)->dir);
    free(*keys);
    *keys = NULL;
}

/* ---- those who wait: all with the lock held, except where a descriptor is used ---- */
static void
finish(struct waiting *one, an_code code)
{
    one->code = code;
    one->is_done = true;
    if (--one->asker->open == 0)
        pthread_cond_signal(&one->asker->wake);
}

static bool
unlink_from(struct waiting **list, const struct waiting *one)
{
    for (struct waiting **at = list; *at != NULL; at = &(*at)->next)
        if (*at == one) {
            *at = one->next;
            return true;
        }
    return false;
}

/* The connection of that epoch is gone: everything without an answer is to be asked again. */
static void
note_lost(struct an_keys *keys, unsigned epoch)
{
    if (keys->epoch != epoch || keys->is_lost)
        return;
    keys->is_lost = true;
    shutdown(keys->fd, SHUT_RDWR); /* wakes the reader; closed when nobody uses it */
    keys->epoch++;
    while (keys->sent != NULL) {
        struct waiting *one = keys->sent;
        keys->sent = one->next;
        one->next = keys->unsent;
        keys->unsent = one;
    }
}

static void
take_answers(struct an_keys *keys, an_bytes payload)
{
    struct an_key_answer answer;

    while (an_key_take_answer(&payload, &answer)) {
        struct waiting *one = keys->sent;
        while (one != NULL && one->question.id != answer.id)
            one = one->next;
        if (one == NULL)
            continue; /* it gave up */
        (void)unlink_from(&keys->sent, one);
        if (answer.code == AN_OK)
            an_buf_append(one->out, answer.bytes);
        else
            an_err_set(one->reterr, answer.code, "%.*s", AN_FMT(answer.bytes));
        finish(one, answer.code == AN_OK && !an_buf_ok(one->out) ? an_err_set(one->reterr, AN_E_LIMIT, "signature")
               : answer.code);
    }
}

static void
read_for_all(struct an_keys *keys, struct an_buf *room)
{
    struct an_frame frame = {.payload = *room, .fd = -1};
    unsigned epoch = keys->epoch;
    enum an_frame_state state;

    keys->is_reading = true;
    pthread_mutex_unlock(&keys->lock);
    state = an_frame_receive(keys->fd, &frame, an_time_monotonic_ms() + RECEIVE_POLL_MS);
    if (frame.fd >= 0)
        close(frame.fd);
    pthread_mutex_lock(&keys->lock);
    keys->is_reading = false;
    if (state == AN_FRAME_OK && frame.type == AN_KEYS_SIGNED && keys->epoch == epoch)
        take_answers(keys, an_buf_view(&frame.payload));
    else if (state != AN_FRAME_LATE || frame.payload.len != 0)
        note_lost(keys, epoch);
    *room = frame.payload;
}

static void
send_for_all(struct an_keys *keys, struct an_buf *room)
{
    unsigned epoch = keys->epoch;
    enum an_frame_state state;

    an_buf_reset(room);
    while (keys->unsent != NULL && room->len < SEND_BYTES_MAX) {
        struct waiting *one = keys->unsent;
        an_key_put_question(room, &one->question);
        keys->unsent = one->next;
        one->next = keys->sent;
        keys->sent = one;
    }
    keys->is_sending = true;
    pthread_mutex_unlock(&keys->lock);
    state = an_frame_send(keys->fd, AN_KEYS_SIGN, an_buf_view(room), -1, an_time_monotonic_ms() + ASK_MS);
    pthread_mutex_lock(&keys->lock);
    keys->is_sending = false;
    if (state != AN_FRAME_OK)
        note_lost(keys, epoch);
}

/* The old descriptor is closed when neither the sender nor the reader holds it. */
static bool
connect_again(struct an_keys *keys)
{
    struct an_err err = {0};

    if (keys->is_sending || keys->is_reading)
        return false;
    keys->is_sending = keys->is_reading = true;
    pthread_mutex_unlock(&keys->lock);
    if (keys->fd >= 0)
        close(keys->fd);
    keys->fd = -1;
    if (connect_keys(keys, &err) != AN_OK)
        usleep(RECONNECT_PAUSE_US);
    pthread_mutex_lock(&keys->lock);
    keys->is_sending = keys->is_reading = false;
    keys->is_lost = keys->fd < 0;
    return true;
}

static void
wait_a_little(struct an_keys *keys, struct asker *me)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    me->is_asleep = true;
    pthread_cond_timedwait(&me->wake, &keys->lock, &until);
    me->is_asleep = false;
}

/* Somebody who still waits takes over what we did for all. */
static void
wake_another(struct an_keys *keys)
{
    struct waiting *const lists[] = {keys->unsent, keys->sent};

    for (size_t i = 0; i < AN_COUNT(lists); i++)
        for (struct waiting *one = lists[i]; one != NULL; one = one->next)
            if (one->asker->is_asleep) {
                pthread_cond_signal(&one->asker->wake);
                return;
            }
}

static void
wait_for_answers(struct an_keys *keys, struct asker *me, uint64_t deadline_ms)
{
    AN_CLEANUP(an_buf_free) struct an_buf room = an_buf_new(AN_KEYS_FRAME_BYTES);

    while (me->open != 0 && an_time_monotonic_ms() < deadline_ms) {
        if (keys->is_lost && connect_again(keys))
            continue;
        if (!keys->is_lost && keys->unsent != NULL && !keys->is_sending)
            send_for_all(keys, &room);
        else if (!keys->is_lost && !keys->is_reading)
            read_for_all(keys, &room);
        else
            wait_a_little(keys, me);
    }
}

/* While we sent, somebody may have put questions and gone to read: then nobody but us can send them. */
static void
send_rest(struct an_keys *keys)
{
    AN_CLEANUP(an_buf_free) struct an_buf room = an_buf_new(AN_KEYS_FRAME_BYTES);

    while (keys->unsent != NULL && !keys->is_sending && !keys->is_lost)
        send_for_all(keys, &room);
}

/* ---- the signer ---- */
struct remote_key {
    struct an_keys *keys;
    uint64_t handle;
    enum an_key_purpose purpose;
};

/* Puts the questions to those that go out next. What is too long to ask is done with. */
static void
line_up(const struct remote_key *key, const struct an_scheme *scheme, struct an_signing *all, size_t count,
        struct waiting *waiting, struct asker *asker)
{
    struct an_keys *keys = key->keys;

    for (size_t i = count; i-- > 0;) { /* the list is worked off from its front */
        struct waiting *one = &waiting[i];
        *one = (struct waiting){.question = {.id = ++keys->last_id, .key = key->handle, .purpose = key->purpose,
                                             .scheme = *scheme, .digest = all[i].digest},
                                .out = all[i].out, .reterr = all[i].reterr, .asker = asker,
                                .is_done = all[i].digest.len > AN_KEYS_MESSAGE_BYTES};
        if (one->is_done) {
            one->code = an_err_set(one->reterr, AN_E_LIMIT, "%zu byte", all[i].digest.len);
            continue;
        }
        one->next = keys->unsent;
        keys->unsent = one;
        asker->open++;
    }
}

static void
ask_remote(void *context, const struct an_scheme *scheme, struct an_signing *all, size_t count)
{
    const struct remote_key *key = context;
    struct an_keys *keys = key->keys;
    struct waiting waiting[AN_SIGNINGS_MAX];
    struct asker me = {0};

    pthread_cond_init(&me.wake, NULL);
    pthread_mutex_lock(&keys->lock);
    line_up(key, scheme, all, count, waiting, &me);
    wait_for_answers(keys, &me, an_time_monotonic_ms() + ASK_MS);
    for (size_t i = 0; i < count && me.open != 0; i++)
        if (!waiting[i].is_done && !unlink_from(&keys->unsent, &waiting[i]))
            (void)unlink_from(&keys->sent, &waiting[i]);
    send_rest(keys);
    wake_another(keys);
    pthread_mutex_unlock(&keys->lock);
    pthread_cond_destroy(&me.wake);
    for (size_t i = 0; i < count; i++)
        all[i].code = waiting[i].is_done ? waiting[i].code : an_err_set(all[i].reterr, AN_E_KEYS_LOST, "%d ms", ASK_MS);
}

/* ---- the list ---- */
/* Over a connection of its own, so that it never stands between questions and answers. */
static an_code
fetch_list(struct an_keys *keys, struct json_t **ret, struct an_err *reterr)
{
    struct an_frame frame = {.payload = an_buf_new(AN_KEYS_FRAME_BYTES), .fd = -1};
    int fd = connect_any(keys);
    uint64_t deadline = an_time_monotonic_ms() + LIST_MS;
    bool done = fd >= 0 && an_frame_send(fd, AN_KEYS_LIST, AN_LIT("{}"), -1, deadline) == AN_FRAME_OK &&
                an_frame_receive(fd, &frame, deadline) == AN_FRAME_OK && frame.type == AN_KEYS_LIST;
    an_code code = done ? an_json_parse(an_buf_view(&frame.payload), ret, reterr) : an_err_set(reterr, AN_E_KEYS_LOST,
            "%s", keys->dir);

    if (fd >= 0)
        close(fd);
    an_buf_free(&frame.payload);
    return code;
}

static bool
read_info(json_t *item, struct an_buf *spki, struct an_key_info *ret, int *ret_sessions, int *ret_token)
{
    const char *encoded = NULL;
    int purposes = 0, ready = 0, hangs = 0;
    struct an_pubkey *key = NULL;

    if (json_unpack(item, "{s:s, s:s, s:i, s:b, s?b, s:i, s:b}", "name", &ret->name, "spki", &encoded, "purposes", &purposes,
                    "ready", &ready, "hangs", &hangs,
                    "sessions", ret_sessions, "token", ret_token) != 0 ||
                    !an_base64_decode(spki, an_bytes_of_str(encoded)))
        return false;
    ret->purposes = (unsigned)purposes;
    ret->is_ready = ready != 0;
    ret->hangs = hangs != 0;
    ret->spki = an_buf_view(spki);
    if (an_pubkey_parse(ret->spki, &key, NULL) == AN_OK) {
        ret->kind = an_pubkey_kind(key);
        ret->bits = an_pubkey_bits(key);
    }
    an_pubkey_unref(&key);
    return true;
}

an_code
an_keys_each(struct an_keys *keys, an_key_info_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    json_t *item;
    size_t at;

    AN_TRY(fetch_list(keys, &root, reterr));
    json_array_foreach(json_object_get(root, "keys"), at, item) {
        AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(65536);
        struct an_key_info info = {0};
        int sessions = 0, token = 0;
        if (!read_info(item, &spki, &info, &sessions, &token))
            AN_FAIL(reterr, AN_E_KEYS_QUESTION, "list");
        each(context, &info);
    }
    return AN_OK;
}

static an_code
open_signer(struct an_keys *keys, json_t *item, enum an_key_purpose purpose, struct an_signer **ret,
            struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(65536);
    struct an_key_info info = {0};
    struct remote_key *key;
    int sessions = 0, token = 0;
    an_code code;

    if (!read_info(item, &spki, &info, &sessions, &token))
        AN_FAIL(reterr, AN_E_KEYS_QUESTION, "list");
    if ((info.purposes & 1u << purpose) == 0)
        AN_FAIL(reterr, AN_E_KEYS_PURPOSE, "%s: %s", info.name, an_key_purpose_name(purpose));
    if (info.spki.len == 0)
        AN_FAIL(reterr, AN_E_TOKEN_ABSENT, "%s", info.name);
    key = AN_NEW(struct remote_key);
    *key = (struct remote_key){.keys = keys, .handle = an_key_handle(info.spki), .purpose = purpose};
    code = an_signer_of(&(struct an_signer_elsewhere){.spki = info.spki, .label = info.name, .token = "antin-key",
                                                      .sessions_max = sessions > 0 ? (size_t)sessions : 1,
                                                      .is_hardware = token != 0, .ask = ask_remote, .done = free,
                                                      .context = key}, ret, reterr);
    if (code != AN_OK)
        free(key);
    return code;
}

an_code
an_signer_of_keys(struct an_keys *keys, const char *name, enum an_key_purpose purpose, struct an_signer **ret,
                  struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    json_t *item;
    size_t at;

    AN_TRY(fetch_list(keys, &root, reterr));
    json_array_foreach(json_object_get(root, "keys"), at, item) {
        const char *found = json_string_value(json_object_get(item, "name"));
        if (found != NULL && strcmp(found, name) == 0)
            return open_signer(keys, item, purpose, ret, reterr);
    }
    AN_FAIL(reterr, AN_E_KEYS_NAME, "%s", name);
}
