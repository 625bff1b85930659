/* What the files of the program antin-key share. */
#pragma once

#include "keys/wire.h"

#include <pthread.h>

struct json_t;

/* ---- serve.c: those who ask ---- */
struct key_client;
void an_key_client_answer(struct key_client *client, const struct an_key_answer *answer); /* kept until the flush */
void an_key_client_flush(struct key_client *client);
void an_key_client_unref(struct key_client *client);
/* A connection of its own thread; takes fd over. */
void an_key_client_start(int fd);
size_t an_key_client_count(void);

/* ---- hold.c: the keys, their workers, their recovery ---- */
/* Opens what can be opened; a token that is away is looked for again when its key is asked for. */
an_code an_key_hold(const char *dir, const struct json_t *left, struct an_err *reterr) AN_MUST_USE;
/* {"keys": […]}; looks again for tokens that were away. */
void an_key_tell(struct an_buf *ret);
/* Queues questions of one frame. Each is answered to client once, now or later; a reference is taken for each. False
 * when the payload is malformed. */
bool an_key_ask(struct key_client *client, an_bytes payload, struct key_client *(*take)(struct key_client *client));
bool an_key_lacks_some(void); /* tokens of some keys could not be opened yet */
/* Answers what waited too long in a queue. */
void an_key_refuse_late(void);

/* ---- watch.c: calls into modules that do not come back ---- */
/* A call that is being made; it lies on the stack of its thread. late is told at every look once the call takes too
 * long; calls are locked meanwhile, so that it cannot end. NULL: nobody can sign while it lasts, so that the process
 * ends. */
struct key_call {
    struct key_call *next;
    const char *key;
    uint64_t since_ms;
    void (*late)(void *context);
    void *context;
    bool is_late;
};
void an_key_call_begin(struct key_call *call, const char *key, void (*late)(void *context), void *context);
void an_key_call_end(struct key_call *call);
bool an_key_has_late(void);
bool an_key_is_late(const char *key); /* a call for this one */
uint64_t an_key_wait_ms(void); /* how long a question waits for its token at most */
/* Watches from a thread of its own, which is in the sandbox only when it is started there. */
bool an_key_watch_start(int told, uint64_t call_ms, bool sets_up) AN_MUST_USE;
void an_key_watch_stop(void);
