/*
 * What an office does to tokens: restores one whose PIN is locked (the SO PIN sets a new one), changes a PIN, wipes a
 * token that came back, puts a certificate in the place of the one before.
 */
#include "token/internal.h"

#include <stdio.h>

/* ---- what a model asks of a PIN ---- */
static unsigned
count_between(an_bytes text, uint8_t first, uint8_t last)
{
    unsigned count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] >= first && text.ptr[i] <= last;
    return count;
}

an_code
an_pin_check(const struct an_pin_policy *policy, const struct an_secret *pin, struct an_err *reterr)
{
    an_bytes text = an_secret_bytes(pin);
    unsigned upper = count_between(text, 'A', 'Z'), lower = count_between(text, 'a', 'z'),
             digits = count_between(text, '0', '9');
    unsigned printable = count_between(text, 0x20, 0x7e);
    const char *model = policy->model ? policy->model : "";
    const struct { bool is_missing; const char *what; } wants[] = {
        {policy->needs_upper && upper == 0, "A–Z"},
        {policy->needs_lower && lower == 0, "a–z"},
        {policy->needs_digit && digits == 0, "0–9"},
        {policy->needs_symbol && printable == upper + lower + digits, "!@#…"},
        {policy->digits_only && digits != text.len, "0–9 only"},
        /* Keyboards and readers disagree on how other letters are encoded: such a PIN locks its owner out. */
        {printable != text.len, "ASCII"},
    };

    if (text.len < policy->length_min || text.len > (policy->length_max ? policy->length_max : AN_LIMIT_PIN_BYTES))
        AN_FAIL(reterr, AN_E_PIN_POLICY, "%s: %u–%u", model, policy->length_min, policy->length_max);
    for (size_t i = 0; i < AN_COUNT(wants); i++)
        if (wants[i].is_missing)
            AN_FAIL(reterr, AN_E_PIN_POLICY, "%s: %s", model, wants[i].what);
    return AN_OK;
}

/* The model's rule, then the token's own bounds: before any try is spent. */
static an_code
check_new_pin(const CK_TOKEN_INFO *info, const struct an_pin_policy *policy, const struct an_secret *pin,
              struct an_err *reterr)
{
    size_t len = an_secret_len(pin);

    if (policy != NULL)
        AN_TRY(an_pin_check(policy, pin, reterr));
    if (len == 0 || len < info->ulMinPinLen || len > AN_LIMIT_PIN_BYTES ||
        (info->ulMaxPinLen != 0 && len > info->ulMaxPinLen))
        AN_FAIL(reterr, AN_E_PIN_LENGTH, "%lu–%lu", info->ulMinPinLen, info->ulMaxPinLen);
    return AN_OK;
}

/* ---- the security officer ---- */
static enum an_pin_state
so_pin_state(const CK_TOKEN_INFO *info)
{
    return info->flags & CKF_SO_PIN_LOCKED      ? AN_PIN_LOCKED
           : info->flags & CKF_SO_PIN_FINAL_TRY ? AN_PIN_FINAL_TRY
           : info->flags & CKF_SO_PIN_COUNT_LOW ? AN_PIN_COUNT_LOW
                                                : AN_PIN_OK;
}

static an_code
ask_so_pin(const CK_TOKEN_INFO *info, struct an_pin_source so_pin, struct an_secret **ret, struct an_err *reterr)
{
    enum an_pin_state state = so_pin_state(info);
    char label[64], what[96];

    an_p11_text(info->label, sizeof(info->label), label, sizeof(label));
    snprintf(what, sizeof(what), "SO, %s", label);
    if (state == AN_PIN_LOCKED)
        AN_FAIL(reterr, AN_E_SO_PIN_LOCKED, "%s", label);
    if (so_pin.ask == NULL)
        AN_FAIL(reterr, AN_E_PIN_NEEDED, "%s", what);
    return so_pin.ask(so_pin.context, what, state, ret, reterr);
}

/* The user's words for a refused PIN would mislead: here it is the officer's PIN. */
static an_code
name_so_failure(an_code code, struct an_err *reterr)
{
    if (code == AN_E_PIN_WRONG || code == AN_E_PIN_LOCKED) {
        code = code == AN_E_PIN_WRONG ? AN_E_SO_PIN_WRONG : AN_E_SO_PIN_LOCKED;
        if (reterr != NULL)
            reterr->code = code;
    }
    return code;
}

static an_code
init_pin(const struct an_p11_session *session, const struct an_secret *so_pin, const struct an_secret *new_pin,
         struct an_err *reterr)
{
    CK_FUNCTION_LIST *f = session->place.f;
    /* PKCS#11 has no const */
    AN_CLEANUP(an_secret_free) struct an_secret *copy = an_secret_from(an_secret_bytes(new_pin));
    an_code code = name_so_failure(an_p11_login(f, session->handle, CKU_SO, so_pin, reterr), reterr);
    CK_RV rv;

    if (code != AN_OK)
        return code;
    rv = f->C_InitPIN(session->handle, an_secret_ptr(copy), (CK_ULONG)an_secret_len(copy));
    f->C_Logout(session->handle);
    return rv == CKR_OK ? AN_OK : an_p11_fail(reterr, rv, "C_InitPIN");
}

/* A restored token is one that opens: the new PIN is tried at once, while the person is still there. */
static an_code
prove_pin(struct an_p11_session *session, const struct an_secret *pin, struct an_err *reterr)
{
    CK_RV rv = session->place.f->C_GetTokenInfo(session->place.slot, &session->place.info);

    if (rv != CKR_OK)
        return an_p11_fail(reterr, rv, "C_GetTokenInfo");
    if (session->place.info.flags & CKF_USER_PIN_LOCKED)
        AN_FAIL(reterr, AN_E_PIN_LOCKED, "C_InitPIN");
    AN_TRY(an_p11_login(session->place.f, session->handle, CKU_USER, pin, reterr));
    session->place.f->C_Logout(session->handle);
    return AN_OK;
}

an_code
an_token_unlock(const char *uri, struct an_pin_source so_pin, const struct an_secret *new_pin,
                const struct an_pin_policy *policy,
                struct an_err *reterr)
{
    AN_CLEANUP(an_p11_session_close) struct an_p11_session session = {0};
    AN_CLEANUP(an_secret_free) struct an_secret *officer = NULL;

    AN_TRY(an_p11_session_open(uri, (struct an_pin_source){0}, false, true, &session, reterr));
    AN_TRY(check_new_pin(&session.place.info, policy, new_pin, reterr));
    AN_TRY(ask_so_pin(&session.place.info, so_pin, &officer, reterr));
    AN_TRY(init_pin(&session, officer, new_pin, reterr));
    return prove_pin(&session, new_pin, reterr);
}

an_code
an_token_change_pin(const char *uri_text, struct an_pin_source old_pin, const struct an_secret *new_pin,
                    const struct an_pin_policy *policy, struct an_err *reterr)
{
    AN_CLEANUP(an_p11_session_close) struct an_p11_session session = {0};
    AN_CLEANUP(an_secret_free) struct an_secret *answer = NULL, *old = NULL,
                                                 *new = an_secret_from(an_secret_bytes(new_pin));
    AN_CLEANUP(an_p11_uri_free) P11KitUri *uri = NULL;
    CK_RV rv;

    AN_TRY(an_p11_uri_parse(uri_text, &uri, reterr));
    AN_TRY(an_p11_session_open(uri_text, (struct an_pin_source){0}, false, true, &session, reterr));
    AN_TRY(check_new_pin(&session.place.info, policy, new_pin, reterr));
    AN_TRY(an_p11_pin_ask(&session.place.info, uri, old_pin, &answer, reterr));
    if (answer == NULL) /* a reader with a key pad asks for both itself */
        rv = session.place.f->C_SetPIN(session.handle, NULL, 0, NULL, 0);
    else {
        old = an_secret_from(an_secret_bytes(answer));
        rv = session.place.f->C_SetPIN(session.handle, an_secret_ptr(old), (CK_ULONG)an_secret_len(old),
                                       an_secret_ptr(new),
                                       (CK_ULONG)an_secret_len(new));
    }
    return rv == CKR_OK ? AN_OK : an_p11_fail(reterr, rv, "C_SetPIN");
}

/* ---- wiping ---- */
static an_code
check_serial(const CK_TOKEN_INFO *info, const char *serial, struct an_err *reterr)
{
    char found[32];

    an_p11_text(info->serialNumber, sizeof(info->serialNumber), found, sizeof(found));
    if (strcmp(found, serial) != 0)
        AN_FAIL(reterr, AN_E_TOKEN_SERIAL, "%s ≠ %s", found, serial);
    return AN_OK;
}

/* Nothing may be left: neither the user's PIN nor any object that can be seen. */
static an_code
prove_empty(const struct an_p11_place *place, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) struct an_p11_handles *found = AN_NEW(struct an_p11_handles);
    CK_SESSION_HANDLE session;
    CK_TOKEN_INFO info;
    CK_RV rv = place->f->C_GetTokenInfo(place->slot, &info);
    an_code code;

    if (rv == CKR_OK && (info.flags & CKF_USER_PIN_INITIALIZED))
        AN_FAIL(reterr, AN_E_TOKEN_NOT_EMPTY, "CKF_USER_PIN_INITIALIZED");
    if (rv == CKR_OK)
        rv = place->f->C_OpenSession(place->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return an_p11_fail(reterr, rv, "C_OpenSession");
    code = an_p11_find(place->f, session, NULL, 0, found, reterr);
    place->f->C_CloseSession(session);
    if (code == AN_OK && found->count != 0)
        AN_FAIL(reterr, AN_E_TOKEN_NOT_EMPTY, "%lu", found->count);
    return code;
}

an_code
an_token_wipe(const char *uri_text, const char *serial, const char *label, struct an_pin_source so_pin,
              struct an_err *reterr)
{
    AN_CLEANUP(an_p11_uri_free) P11KitUri *uri = NULL;
    AN_CLEANUP(an_p11_place_close) struct an_p11_place place = {0};
    AN_CLEANUP(an_secret_free) struct an_secret *answer = NULL, *officer = NULL;
    CK_UTF8CHAR padded[32];
    CK_RV rv;

    if (strlen(label) == 0 || strlen(label) > sizeof(padded))
        AN_FAIL(reterr, AN_E_LIMIT, "CK_TOKEN_INFO.label: %zu > 32 byte", strlen(label));
    memset(padded, ' ', sizeof(padded));
    memcpy(padded, label, strlen(label));
    AN_TRY(an_p11_uri_parse(uri_text, &uri, reterr));
    AN_TRY(an_p11_place_open(uri, &place, reterr));
    AN_TRY(check_serial(&place.info, serial, reterr));
    AN_TRY(ask_so_pin(&place.info, so_pin, &answer, reterr));
    officer = an_secret_from(an_secret_bytes(answer)); /* PKCS#11 has no const */
    rv = place.f->C_InitToken(place.slot, an_secret_ptr(officer), (CK_ULONG)an_secret_len(officer), padded);
    if (rv != CKR_OK)
        return name_so_failure(an_p11_fail(reterr, rv, "C_InitToken"), reterr);
    return prove_empty(&place, reterr);
}

/* ---- certificates ---- */
/* The certificates of that key but one that is what was just written: whoever was killed after writing it writes it
 * once more, and half of one, without its value, is no certificate. */
static an_code
destroy_others(const struct an_p11_session *session, an_bytes id, an_bytes keep, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) struct an_p11_handles *found = AN_NEW(struct an_p11_handles);
    AN_CLEANUP(an_free_ptr) char *id_copy = an_strdup_bytes(id);
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, id_copy, id.len}};
    bool kept = false;

    AN_TRY(an_p11_find(session->place.f, session->handle, template, 2, found, reterr));
    for (CK_ULONG i = 0; i < found->count; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_TOKEN_VALUE_MAX);
        CK_RV rv;
        if (!kept && an_p11_attribute(session->place.f, session->handle, found->items[i], CKA_VALUE, &der) &&
            an_bytes_eq(an_buf_view(&der), keep)) {
            kept = true;
            continue;
        }
        rv = session->place.f->C_DestroyObject(session->handle, found->items[i]);
        if (rv != CKR_OK)
            return an_p11_fail(reterr, rv, "C_DestroyObject");
    }
    return AN_OK;
}

an_code
an_token_replace_cert(const char *uri, struct an_pin_source pin, an_bytes der, const char *label, an_bytes id,
                      struct an_err *reterr)
{
    AN_CLEANUP(an_p11_session_close) struct an_p11_session session = {0};

    if (id.len < 1 || id.len > 20)
        AN_FAIL(reterr, AN_E_LIMIT, "CKA_ID: %zu byte", id.len);
    AN_TRY(an_token_write_cert(uri, pin, der, label, id, reterr));
    AN_TRY(an_p11_session_open(uri, pin, true, true, &session, reterr));
    return destroy_others(&session, id, der, reterr);
}
