/*
 * The signer contract: something that holds a private key and signs digests. Two implementations: a PKCS#11 object
 * (through p11-kit, RFC 7512 URI) and a software key file (encrypted PKCS#8). Home of p11-kit.
 *
 * A PIN is never taken from argv or the environment, never retried after it was wrong, never logged.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "crypto/crypto.h"

/* ---- where PINs come from ---- */
enum an_pin_state { AN_PIN_OK = 0, AN_PIN_COUNT_LOW, AN_PIN_FINAL_TRY, AN_PIN_LOCKED, AN_PIN_UNSET };
/* Answers the PIN for what ("token label"), or fails (AN_E_PIN_CANCELLED). state tells how near the lock is. */
typedef an_code (*an_pin_fn)(void *context, const char *what, enum an_pin_state state, struct an_secret **ret_pin,
                             struct an_err *reterr);
struct an_pin_source { an_pin_fn ask; void *context; };
/* First line of a file that only its owner may read (mode 0600 or stricter, else AN_E_PIN_FILE_MODE). path is borrowed
 * for as long as the source is used. */
struct an_pin_source an_pin_from_file(const char *path);
/* Asks on the controlling terminal without echo; AN_E_PIN_NO_TERMINAL when there is none. */
struct an_pin_source an_pin_from_terminal(void);

/* ---- signers ---- */
struct an_signer;
struct an_signer_info {
    char label[128];     /* object label, UTF-8 */
    char token[64];      /* token label or file name */
    enum an_key_kind kind;
    int bits;
    an_bytes certificate; /* DER found beside the key on the token; AN_NONE when there is none; borrowed */
    bool is_hardware;
    bool is_exposed;      /* an unencrypted key file that everybody on the machine can read: to be said */
    size_t sessions_max; /* how many signatures may run at once; 1 = serial */
};

/* uri: "pkcs11:…" (RFC 7512; module-path honoured; pin-source honoured when it is a file:), or "file:PATH" or a path
 * for an encrypted PKCS#8 key. Logs in once; fails with AN_E_TOKEN_ABSENT, AN_E_KEY_ABSENT, AN_E_KEY_AMBIGUOUS,
 * AN_E_PIN_WRONG, AN_E_PIN_LOCKED, AN_E_PIN_FINAL_TRY (refused unless the source confirms), AN_E_TOKEN_MODULE. */
an_code an_signer_open(const char *uri, struct an_pin_source pin, struct an_signer **ret,
                       struct an_err *reterr) AN_MUST_USE;
void an_signer_close(struct an_signer **signer);
const struct an_signer_info *an_signer_info(const struct an_signer *signer);
/* The largest signature in bytes (ECDSA: the largest DER form). */
size_t an_signer_size_max(const struct an_signer *signer);
/* Public key, DER SubjectPublicKeyInfo, for matching a certificate; borrowed. */
an_bytes an_signer_spki(const struct an_signer *signer);
/* Signs a digest (made with scheme->digest). Thread-safe: takes a session from the pool, waits when all are in use,
 * re-opens it once when the token was pulled and returned. Appends to out; ECDSA as DER. Errors: AN_E_TOKEN_REMOVED,
 * AN_E_TOKEN_MECHANISM, AN_E_TOKEN_FAILED. */
an_code an_signer_sign(struct an_signer *signer, const struct an_scheme *scheme, an_bytes digest, struct an_buf *out,
                       struct an_err *reterr) AN_MUST_USE;
/* Several by one key, each with its own outcome: a key that is held elsewhere is asked once for all of them. */
#define AN_SIGNINGS_MAX 32
struct an_signing { an_bytes digest; struct an_buf *out; an_code code; struct an_err *reterr; };
void an_signer_sign_many(struct an_signer *signer, const struct an_scheme *scheme, struct an_signing *all,
                         size_t count);

/* ---- tokens and their content ---- */
struct an_token_info {
    char label[64], manufacturer[64], model[32], serial[32], module[256], uri[512];
    enum an_pin_state pin;
    bool initialised, login_required, protected_path;
    unsigned long pin_len_min, pin_len_max;
};
/* One object: "private-key", "public-key", "certificate". id in hex. */
struct an_token_object {
    const char *class_name;
    char label[128], id[80], uri[512];
    enum an_key_kind kind;
    int bits;
    an_bytes value; /* certificate DER, borrowed for the call */
};
typedef void (*an_token_fn)(void *context, const struct an_token_info *token);
typedef void (*an_token_object_fn)(void *context, const struct an_token_object *object);
/* uri restricts (module-path=, token=, …); NULL = every token p11-kit knows. */
an_code an_token_list(const char *uri, an_token_fn each, void *context, struct an_err *reterr) AN_MUST_USE;
/* Objects of one token; logs in when pin.ask is not NULL. */
an_code an_token_objects(const char *uri, struct an_pin_source pin, an_token_object_fn each, void *context,
                         struct an_err *reterr) AN_MUST_USE;

/* ---- setting tokens up (the demonstration authority; the registration issue builds on it) ---- */
/* Creates a SoftHSM2 store inside dir (never system-wide) and writes dir/softhsm2.conf; sets SOFTHSM2_CONF for this
 * process. */
an_code an_softhsm_use(const char *dir, struct an_err *reterr) AN_MUST_USE;
/* Files of the store in dir that a killed process left empty or cut off, written anew from the copies beside them; how
 * many. Before the module is loaded; it looks at its files once more only when it is initialised again. */
an_code an_softhsm_mend(const char *dir, size_t *ret_count, struct an_err *reterr) AN_MUST_USE;
/* Copies what is whole and changed, synced; forgets copies of what was destroyed. No other thread may be using the
 * module. */
an_code an_softhsm_keep(const char *dir, struct an_err *reterr) AN_MUST_USE;
/* Its module, for "pkcs11:module-path=…"; NULL when it is not installed. */
const char *an_softhsm_module(void);
an_code an_token_init(const char *uri, const char *label, const struct an_secret *so_pin, const struct an_secret *pin,
                      char ret_uri[static 512], struct an_err *reterr) AN_MUST_USE;
/* Generates inside the token: sensitive, not extractable. id: 1–20 bytes. Returns the SPKI. */
an_code an_token_generate(const char *uri, struct an_pin_source pin, enum an_key_kind kind, int bits, const char *label,
                          an_bytes id, struct an_buf *ret_spki, struct an_err *reterr) AN_MUST_USE;
an_code an_token_write_cert(const char *uri, struct an_pin_source pin, an_bytes der, const char *label, an_bytes id,
                            struct an_err *reterr) AN_MUST_USE;

/* ---- what an office does to tokens (care.c; NĐ 68/2024 Điều 11, 20, 22) ---- */
/* What a model of token asks of a PIN; a length_max of 0 is no bound. */
struct an_pin_policy {
    const char *model; /* for messages */
    unsigned length_min, length_max;
    bool needs_upper, needs_lower, needs_digit, needs_symbol, digits_only;
    unsigned tries; /* wrong ones until it locks; 0 = not known */
};
/* AN_E_PIN_POLICY names what is missing, never the PIN. */
an_code an_pin_check(const struct an_pin_policy *policy, const struct an_secret *pin,
                     struct an_err *reterr) AN_MUST_USE;
/* Khôi phục: sets a new user PIN with the SO PIN, whether it was locked, forgotten or never set, and proves that it
 * opens the token. policy may be NULL. AN_E_PIN_POLICY and AN_E_PIN_LENGTH before a try is spent; AN_E_SO_PIN_WRONG,
 * AN_E_SO_PIN_LOCKED. */
an_code an_token_unlock(const char *uri, struct an_pin_source so_pin, const struct an_secret *new_pin,
                        const struct an_pin_policy *policy, struct an_err *reterr) AN_MUST_USE;
/* The user's own change. */
an_code an_token_change_pin(const char *uri, struct an_pin_source old_pin, const struct an_secret *new_pin,
                            const struct an_pin_policy *policy, struct an_err *reterr) AN_MUST_USE;
/* Destroys everything on the token that bears this serial number (AN_E_TOKEN_SERIAL: it is another one) and proves it
 * empty. Afterwards it has no user PIN: an_token_unlock sets one for the next holder. */
an_code an_token_wipe(const char *uri, const char *serial, const char *label, struct an_pin_source so_pin,
                      struct an_err *reterr) AN_MUST_USE;
/* Writes the certificate of a key and removes those that were there before: the new one first, so that a token pulled
 * out in between holds two, never none. */
an_code an_token_replace_cert(const char *uri, struct an_pin_source pin, an_bytes der, const char *label, an_bytes id,
                              struct an_err *reterr) AN_MUST_USE;
/* Takes away what a process killed inside the module left: keys and certificates that bear neither an identifier nor a
 * label, halves of the key of this id, public keys of it that belong to no private one. A whole key, and one that has a
 * certificate, stays. */
an_code an_token_sweep(const char *uri, struct an_pin_source pin, an_bytes id, struct an_err *reterr) AN_MUST_USE;
