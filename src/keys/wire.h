/*
 * What travels between antin-key and those who ask it: frames of proc/, several questions in one and several answers in
 * one, in any order. Numbers are little endian.
 */
#pragma once

#include "keys/keys.h"

/* From the parent, first: {"dir": "…", "call_ms": N, "left": [names of keys whose tokens are left alone]}, the last two
 * optional, with a listening socket; answered with the list. AN_E_TOKEN_FAILED: the token of the key named in detail
 * does not come back. */
#define AN_KEYS_SETUP 1u
#define AN_KEYS_LIST 2u   /* {}; out: {"keys": [{"name", "spki" (base64), "purposes", "sessions", "ready", "hangs"}]} */
#define AN_KEYS_SIGN 3u   /* questions, see below */
#define AN_KEYS_SIGNED 4u /* answers */
#define AN_KEYS_STUCK 5u  /* to the parent, unasked, {}: a module does not come back; a process beside this one would do better */
#define AN_KEYS_CALL_MS 10000 /* how long a module may take for one call, unless the set-up says otherwise */

#define AN_KEYS_FRAME_BYTES ((size_t)1024 * 1024)
#define AN_KEYS_MESSAGE_BYTES ((size_t)256 * 1024) /* EdDSA signs the message itself: certificates, not lists */
#define AN_KEYS_SOCKET "run/key.sock"

struct an_key_question {
    uint32_t id;
    uint64_t key; /* an_key_handle of its public key */
    enum an_key_purpose purpose;
    struct an_scheme scheme;
    an_bytes digest;
};
struct an_key_answer {
    uint32_t id;
    an_code code;
    an_bytes bytes; /* the signature, or what went wrong */
};
uint64_t an_key_handle(an_bytes spki);
void an_key_put_question(struct an_buf *out, const struct an_key_question *question);
/* The next one off the front; false at the end and when malformed (then *in is not empty). */
bool an_key_take_question(an_bytes *in, struct an_key_question *ret);
void an_key_put_answer(struct an_buf *out, const struct an_key_answer *answer);
bool an_key_take_answer(an_bytes *in, struct an_key_answer *ret);
