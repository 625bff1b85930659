/*
 * What a process killed inside the module left on a token. A module makes an object in several writes: first a file
 * without a name, then its attributes, and for a key pair its numbers after those; killed in between, it leaves a
 * nameless object, or a private key without its numbers, or public keys of which the private one was never made.
 */
#include "token/internal.h"

struct sweeping {
    struct an_p11_session session;
    an_bytes id;
    struct an_p11_handles found;
    struct an_buf modulus; /* of the whole private key of this id; empty = not known */
    bool has_private, has_public;
};

static void
sweeping_free(struct sweeping **s)
{
    if (*s != NULL) {
        an_p11_session_close(&(*s)->session);
        an_buf_free(&(*s)->modulus);
        free(*s);
    }
}

static bool
has_value(struct sweeping *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, an_bytes wanted)
{
    AN_CLEANUP(an_buf_free) struct an_buf value = an_buf_new(AN_TOKEN_VALUE_MAX);

    if (!an_p11_attribute(s->session.place.f, s->session.handle, object, type, &value))
        return false;
    return wanted.len > 0 ? an_bytes_eq(an_buf_view(&value), wanted) : value.len > 0;
}

static bool
is_nameless(struct sweeping *s, CK_OBJECT_HANDLE object)
{
    CK_ULONG class = CKO_PRIVATE_KEY; /* without a class it is not even half made */

    (void)an_p11_ulong(s->session.place.f, s->session.handle, object, CKA_CLASS, &class);
    return (class == CKO_PRIVATE_KEY || class == CKO_PUBLIC_KEY || class == CKO_CERTIFICATE) &&
           !has_value(s, object, CKA_ID, AN_NONE) &&
           !has_value(s, object, CKA_LABEL, AN_NONE);
}

/* A private key that holds its numbers: RSA its modulus, EC its curve. */
static bool
is_whole(struct sweeping *s, CK_OBJECT_HANDLE object)
{
    return has_value(s, object, CKA_MODULUS, AN_NONE) || has_value(s, object, CKA_EC_PARAMS, AN_NONE);
}

/* The first whole private key of the id stays, and one public key that belongs to it. */
static bool
is_left_over(struct sweeping *s, CK_OBJECT_HANDLE object, CK_OBJECT_CLASS class)
{
    bool *has = class == CKO_PRIVATE_KEY ? &s->has_private : &s->has_public, first = !*has;

    if (class == CKO_PRIVATE_KEY && !is_whole(s, object))
        return true;
    if (class == CKO_PUBLIC_KEY &&
        (!s->has_private || (s->modulus.len > 0 && !has_value(s, object, CKA_MODULUS, an_buf_view(&s->modulus)))))
        return true;
    *has = true;
    if (class == CKO_PRIVATE_KEY && first)
        (void)an_p11_attribute(s->session.place.f, s->session.handle, object, CKA_MODULUS, &s->modulus);
    return class == CKO_PUBLIC_KEY && !first && s->modulus.len > 0;
}

static an_code
destroy(struct sweeping *s, CK_OBJECT_HANDLE object, struct an_err *reterr)
{
    CK_RV rv = s->session.place.f->C_DestroyObject(s->session.handle, object);

    return rv == CKR_OK || rv == CKR_OBJECT_HANDLE_INVALID ? AN_OK : an_p11_fail(reterr, rv, "C_DestroyObject");
}

static an_code
find_of_id(struct sweeping *s, CK_OBJECT_CLASS class, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *copy = an_strdup_bytes(s->id);
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, copy, s->id.len}};

    return an_p11_find(s->session.place.f, s->session.handle, template, 2, &s->found, reterr);
}

static an_code
sweep_class(struct sweeping *s, CK_OBJECT_CLASS class, struct an_err *reterr)
{
    AN_TRY(find_of_id(s, class, reterr));
    for (CK_ULONG i = 0; i < s->found.count; i++)
        if (is_left_over(s, s->found.items[i], class))
            AN_TRY(destroy(s, s->found.items[i], reterr));
    return AN_OK;
}

static an_code
sweep_nameless(struct sweeping *s, struct an_err *reterr)
{
    AN_TRY(an_p11_find(s->session.place.f, s->session.handle, NULL, 0, &s->found, reterr));
    for (CK_ULONG i = 0; i < s->found.count; i++)
        if (is_nameless(s, s->found.items[i]))
            AN_TRY(destroy(s, s->found.items[i], reterr));
    return AN_OK;
}

an_code
an_token_sweep(const char *uri, struct an_pin_source pin, an_bytes id, struct an_err *reterr)
{
    AN_CLEANUP(sweeping_free) struct sweeping *s = AN_NEW(struct sweeping);
    bool is_certified;

    *s = (struct sweeping){.id = id, .modulus = an_buf_new(AN_TOKEN_VALUE_MAX)};
    if (id.len < 1 || id.len > 20)
        AN_FAIL(reterr, AN_E_LIMIT, "CKA_ID: %zu byte", id.len);
    AN_TRY(an_p11_session_open(uri, pin, true, true, &s->session, reterr));
    AN_TRY(sweep_nameless(s, reterr));
    AN_TRY(find_of_id(s, CKO_CERTIFICATE, reterr));
    is_certified = s->found.count > 0;
    AN_TRY(find_of_id(s, CKO_PRIVATE_KEY, reterr));
    if (is_certified && s->found.count == 0)
        return AN_OK; /* its key is elsewhere, or hides: not ours to judge */
    AN_TRY(sweep_class(s, CKO_PRIVATE_KEY, reterr));
    return sweep_class(s, CKO_PUBLIC_KEY, reterr);
}
