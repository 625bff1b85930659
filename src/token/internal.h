/* What the files of token/ share: PKCS#11 places, sessions and values. Home of p11-kit; not for other rooms. */
#pragma once

#include "base/limits.h"
#include "token/token.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#define AN_TOKEN_SLOTS_MAX 256   /* readers on one machine */
#define AN_TOKEN_OBJECTS_MAX 4096 /* objects looked at on one token */
#define AN_TOKEN_VALUE_MAX ((size_t)64 * 1024) /* one attribute: the largest is a certificate */
#define AN_TOKEN_SESSIONS_MAX 64 /* more threads than that never wait for one device */

/* ---- uri.c ---- */
/* AN_E_TOKEN_URI when malformed or when it carries a PIN. NULL and "" stand for "pkcs11:". */
an_code an_p11_uri_parse(const char *text, P11KitUri **ret, struct an_err *reterr) AN_MUST_USE;
void an_p11_uri_free(P11KitUri **uri); /* for AN_CLEANUP */
/* Fixed-width, blank-padded PKCS#11 text without its padding. */
void an_p11_text(const unsigned char *padded, size_t width, char *ret, size_t ret_size);
void an_p11_token_uri(const CK_TOKEN_INFO *info, const char *module_path, char *ret, size_t ret_size);
/* "pkcs11:…;id=…;object=…;type=…" */
void an_p11_object_uri(const CK_TOKEN_INFO *info, const char *module_path, CK_OBJECT_CLASS class, an_bytes id,
                       an_bytes label,
                       char *ret, size_t ret_size);
enum an_pin_state an_p11_pin_state(const CK_TOKEN_INFO *info);

/* ---- rv.c ---- */
/* Our code for a return value of a module, with the function's name as detail. */
an_code an_p11_fail(struct an_err *reterr, CK_RV rv, const char *function);
/* The session or the token behind it went away: worth one attempt to open it again. */
bool an_p11_is_lost(CK_RV rv);

/* ---- place.c: loaded modules, and one token in a slot of one of them ---- */
struct an_p11_modules {
    CK_FUNCTION_LIST **items;
    size_t count;
    bool is_registered; /* the whole system configuration, or one file by its path */
};
an_code an_p11_modules_open(P11KitUri *uri, struct an_p11_modules *ret, struct an_err *reterr) AN_MUST_USE;
void an_p11_modules_close(struct an_p11_modules *modules); /* for AN_CLEANUP */
/* Slots with a token, at most AN_TOKEN_SLOTS_MAX. */
CK_RV an_p11_slots(CK_FUNCTION_LIST *f, CK_SLOT_ID ret[static AN_TOKEN_SLOTS_MAX], CK_ULONG *ret_count);

struct an_p11_place {
    struct an_p11_modules modules;
    CK_FUNCTION_LIST *f;
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    char module_path[256];
};
/* The one initialised token that fits; AN_E_TOKEN_ABSENT, AN_E_TOKEN_AMBIGUOUS (named), AN_E_TOKEN_MODULE. */
an_code an_p11_place_open(P11KitUri *uri, struct an_p11_place *ret, struct an_err *reterr) AN_MUST_USE;
void an_p11_place_close(struct an_p11_place *place); /* for AN_CLEANUP */
/* Finds the same token (label and serial) again: it may sit in another slot now. */
an_code an_p11_place_refind(struct an_p11_place *place, struct an_err *reterr) AN_MUST_USE;
void an_p11_token_info(const CK_TOKEN_INFO *info, const char *module_path, struct an_token_info *ret);

/* ---- login.c ---- */
/* The PIN for the token as it stands now: refuses when it is locked, asks the source otherwise. NULL for a reader with
 * a key pad of its own. pin.ask NULL falls back on the URI's pin-source. */
an_code an_p11_pin_ask(const CK_TOKEN_INFO *info, P11KitUri *uri, struct an_pin_source pin, struct an_secret **ret,
                       struct an_err *reterr) AN_MUST_USE;
an_code an_p11_login(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_USER_TYPE user, const struct an_secret *pin,
                     struct an_err *reterr) AN_MUST_USE;
/* A session for set-up work, logged in when the token asks for it and a PIN source is there. */
struct an_p11_session {
    struct an_p11_place place;
    CK_SESSION_HANDLE handle;
    bool is_open;
};
an_code an_p11_session_open(const char *uri, struct an_pin_source pin, bool must_login, bool may_write,
                            struct an_p11_session *ret, struct an_err *reterr) AN_MUST_USE;
void an_p11_session_close(struct an_p11_session *session); /* for AN_CLEANUP */

/* ---- object.c ---- */
struct an_p11_handles { CK_OBJECT_HANDLE items[AN_TOKEN_OBJECTS_MAX]; CK_ULONG count; };
/* All objects that fit the template. */
an_code an_p11_find(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count,
                    struct an_p11_handles *ret, struct an_err *reterr) AN_MUST_USE;
/* One attribute appended to out; false when the object has none, hides it or lies about its length. */
bool an_p11_attribute(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                      struct an_buf *out);
bool an_p11_ulong(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                  CK_ULONG *ret);
bool an_p11_flag(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 bool otherwise);
/* SubjectPublicKeyInfo of a private or public key object, from it or from the public key beside it; false when not
 * told. */
bool an_p11_spki(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, struct an_buf *out);
/* The certificate of that key; false when there is none. spki may be empty: then CKA_ID decides. */
bool an_p11_certificate(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, an_bytes id, an_bytes spki, struct an_buf *out);
/* The private key a URI names; AN_E_KEY_ABSENT, AN_E_KEY_AMBIGUOUS. */
an_code an_p11_find_key(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, P11KitUri *uri, CK_OBJECT_HANDLE *ret,
                        struct an_err *reterr) AN_MUST_USE;

/* ---- certificate fields, for PKCS#11 attributes (cert.c) ---- */
struct an_p11_cert { an_bytes serial, issuer, subject, spki; };
bool an_p11_cert_parse(an_bytes der, struct an_p11_cert *ret);
void an_p11_rsa_spki(an_bytes modulus, an_bytes exponent, struct an_buf *out);
void an_p11_ec_spki(an_bytes params, an_bytes point, struct an_buf *out);

/* ---- the signer contract's two sides ---- */
struct an_signer_ops {
    an_code (*sign)(struct an_signer *signer, const struct an_scheme *scheme, an_bytes digest, struct an_buf *out,
                    struct an_err *reterr);
    /* NULL = one after the other */
    void (*sign_many)(struct an_signer *signer, const struct an_scheme *scheme, struct an_signing *all, size_t count);
    void (*close)(struct an_signer *signer);
};
/* First member of both kinds. */
struct an_signer {
    const struct an_signer_ops *ops;
    struct an_signer_info info;
    struct an_buf spki, certificate;
    struct an_pubkey *pubkey;
};
/* Fills kind and bits from the SPKI. */
an_code an_signer_set_key(struct an_signer *signer, struct an_err *reterr) AN_MUST_USE;
void an_signer_done(struct an_signer *signer);
an_code an_p11_signer_open(const char *uri, struct an_pin_source pin, struct an_signer **ret,
                           struct an_err *reterr) AN_MUST_USE;
an_code an_soft_signer_open(const char *path, struct an_pin_source pin, struct an_signer **ret,
                            struct an_err *reterr) AN_MUST_USE;
