#include "token/internal.h"

#include <stdio.h>

static void
list_module(P11KitUri *uri, CK_FUNCTION_LIST *f, an_token_fn each, void *context, CK_RV *ret_rv)
{
    char *path = p11_kit_module_get_filename(f);
    CK_SLOT_ID slots[AN_TOKEN_SLOTS_MAX];
    CK_ULONG count = 0;
    CK_RV rv = an_p11_slots(f, slots, &count);

    if (rv != CKR_OK)
        *ret_rv = rv;
    for (CK_ULONG i = 0; i < count; i++) {
        struct an_token_info token;
        CK_TOKEN_INFO info;
        if (f->C_GetTokenInfo(slots[i], &info) != CKR_OK || p11_kit_uri_match_token_info(uri, &info) != 1)
            continue;
        an_p11_token_info(&info, path ? path : "", &token);
        each(context, &token);
    }
    free(path);
}

an_code
an_token_list(const char *text, an_token_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(an_p11_uri_free) P11KitUri *uri = NULL;
    AN_CLEANUP(an_p11_modules_close) struct an_p11_modules modules = {0};
    CK_RV rv = CKR_OK;

    AN_TRY(an_p11_uri_parse(text, &uri, reterr));
    AN_TRY(an_p11_modules_open(uri, &modules, reterr));
    for (size_t i = 0; i < modules.count; i++)
        list_module(uri, modules.items[i], each, context, &rv);
    /* One broken module among the registered ones does not hide the others' tokens. */
    if (rv != CKR_OK && !modules.is_registered)
        AN_FAIL(reterr, AN_E_TOKEN_MODULE, "C_GetSlotList: 0x%lX %s", (unsigned long)rv, p11_kit_strerror(rv));
    return AN_OK;
}

static const struct { CK_OBJECT_CLASS class; const char *name; } classes[] = {
    {CKO_PRIVATE_KEY, "private-key"}, {CKO_PUBLIC_KEY, "public-key"}, {CKO_CERTIFICATE, "certificate"},
};

static void
describe_key(const struct an_p11_session *session, CK_OBJECT_HANDLE handle, an_bytes certificate,
             struct an_token_object *ret)
{
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(AN_TOKEN_VALUE_MAX);
    struct an_pubkey *key = NULL;
    struct an_p11_cert fields;

    if (certificate.len != 0 && an_p11_cert_parse(certificate, &fields))
        an_buf_append(&spki, fields.spki);
    else if (certificate.len == 0)
        (void)an_p11_spki(session->place.f, session->handle, handle, &spki);
    if (spki.len == 0 || an_pubkey_parse(an_buf_view(&spki), &key, NULL) != AN_OK)
        return;
    ret->kind = an_pubkey_kind(key);
    ret->bits = an_pubkey_bits(key);
    an_pubkey_unref(&key);
}

static void
tell_object(const struct an_p11_session *session, size_t class, CK_OBJECT_HANDLE handle, an_token_object_fn each,
            void *context)
{
    AN_CLEANUP(an_buf_free) struct an_buf id = an_buf_new(AN_TOKEN_VALUE_MAX);
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(AN_TOKEN_VALUE_MAX * 2);
    AN_CLEANUP(an_buf_free) struct an_buf label = an_buf_new(AN_TOKEN_VALUE_MAX);
    AN_CLEANUP(an_buf_free) struct an_buf value = an_buf_new(AN_TOKEN_VALUE_MAX);
    struct an_token_object object = {.class_name = classes[class].name};
    CK_FUNCTION_LIST *f = session->place.f;

    (void)an_p11_attribute(f, session->handle, handle, CKA_ID, &id);
    (void)an_p11_attribute(f, session->handle, handle, CKA_LABEL, &label);
    if (classes[class].class == CKO_CERTIFICATE && an_p11_attribute(f, session->handle, handle, CKA_VALUE, &value))
        object.value = an_buf_view(&value);
    an_buf_hex(&hex, an_buf_view(&id));
    snprintf(object.id, sizeof(object.id), "%.*s", AN_FMT(an_buf_view(&hex)));
    snprintf(object.label, sizeof(object.label), "%.*s", AN_FMT(an_buf_view(&label)));
    an_p11_object_uri(&session->place.info, session->place.module_path, classes[class].class, an_buf_view(&id),
                      an_buf_view(&label), object.uri, sizeof(object.uri));
    describe_key(session, handle, object.value, &object);
    each(context, &object);
}

an_code
an_token_objects(const char *uri, struct an_pin_source pin, an_token_object_fn each, void *context,
                 struct an_err *reterr)
{
    AN_CLEANUP(an_p11_session_close) struct an_p11_session session = {0};
    AN_CLEANUP(an_free_ptr) struct an_p11_handles *found = AN_NEW(struct an_p11_handles);

    AN_TRY(an_p11_session_open(uri, pin, false, false, &session, reterr));
    for (size_t c = 0; c < AN_COUNT(classes); c++) {
        CK_OBJECT_CLASS class = classes[c].class;
        CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};
        AN_TRY(an_p11_find(session.place.f, session.handle, template, 1, found, reterr));
        for (CK_ULONG i = 0; i < found->count; i++)
            tell_object(&session, c, found->items[i], each, context);
    }
    return AN_OK;
}
