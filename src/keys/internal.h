/* What the files of the program antin-key share. */
#pragma once

#include "keys/wire.h"

#include <pthread.h>

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
an_code an_key_hold(const char *dir, struct an_err *reterr) AN_MUST_USE;
/* {"keys": […]}; looks again for tokens that were away. */
void an_key_tell(struct an_buf *ret);
/* Queues questions of one frame. Each is answered to client once, now or later; a reference is taken for each. False when
 * the payload is malformed. */
bool an_key_ask(struct key_client *client, an_bytes payload, struct key_client *(*take)(struct key_client *client));
