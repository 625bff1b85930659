#include "token/internal.h"

#include <stdio.h>

/* RFC 7512 lets the URI name the file; other forms ("|command") would run programs and are refused. */
static an_code
ask_uri_source(P11KitUri *uri, const char *what, enum an_pin_state state, struct an_secret **ret, struct an_err *reterr)
{
    const char *source = uri ? p11_kit_uri_get_pin_source(uri) : NULL;
    struct an_pin_source pin;

    if (source == NULL)
        AN_FAIL(reterr, AN_E_PIN_NEEDED, "%s", what);
    if (strncmp(source, "file:", 5) == 0)
        source += strncmp(source, "file://", 7) == 0 ? 7 : 5;
    if (source[0] != '/')
        AN_FAIL(reterr, AN_E_TOKEN_URI, "pin-source");
    pin = an_pin_from_file(source);
    return pin.ask(pin.context, what, state, ret, reterr);
}

static an_code
check_pin_length(const CK_TOKEN_INFO *info, const struct an_secret *pin, struct an_err *reterr)
{
    size_t len = an_secret_len(pin);

    if (len < info->ulMinPinLen || (info->ulMaxPinLen != 0 && len > info->ulMaxPinLen))
        AN_FAIL(reterr, AN_E_PIN_LENGTH, "%lu–%lu", info->ulMinPinLen, info->ulMaxPinLen);
    return AN_OK;
}

an_code
an_p11_pin_ask(const CK_TOKEN_INFO *info, P11KitUri *uri, struct an_pin_source pin, struct an_secret **ret,
               struct an_err *reterr)
{
    AN_CLEANUP(an_secret_free) struct an_secret *answer = NULL;
    enum an_pin_state state = an_p11_pin_state(info);
    char label[64];

    an_p11_text(info->label, sizeof(info->label), label, sizeof(label));
    if (state == AN_PIN_LOCKED)
        AN_FAIL(reterr, AN_E_PIN_LOCKED, "%s", label);
    if (state == AN_PIN_UNSET)
        AN_FAIL(reterr, AN_E_PIN_UNSET, "%s", label);
    *ret = NULL;
    if (info->flags & CKF_PROTECTED_AUTHENTICATION_PATH)
        return AN_OK;
    if (pin.ask != NULL)
        AN_TRY(pin.ask(pin.context, label, state, &answer, reterr));
    else
        AN_TRY(ask_uri_source(uri, label, state, &answer, reterr));
    /* A PIN that cannot be right must not cost a try. */
    AN_TRY(check_pin_length(info, answer, reterr));
    *ret = answer;
    answer = NULL;
    return AN_OK;
}

an_code
an_p11_login(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_USER_TYPE user, const struct an_secret *pin,
             struct an_err *reterr)
{
    CK_UTF8CHAR copy[AN_LIMIT_PIN_BYTES + 1]; /* C_Login takes a pointer without const */
    an_bytes bytes = pin ? an_secret_bytes(pin) : AN_NONE;
    CK_RV rv;

    if (bytes.len > AN_LIMIT_PIN_BYTES)
        AN_FAIL(reterr, AN_E_PIN_LENGTH, "0–%d", AN_LIMIT_PIN_BYTES);
    if (bytes.len != 0)
        memcpy(copy, bytes.ptr, bytes.len);
    rv = f->C_Login(session, user, pin ? copy : NULL, (CK_ULONG)bytes.len);
    an_wipe(copy, sizeof(copy));
    return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN ? AN_OK : an_p11_fail(reterr, rv, "C_Login");
}

an_code
an_p11_session_open(const char *uri_text, struct an_pin_source pin, bool must_login, bool may_write,
                    struct an_p11_session *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_p11_session_close) struct an_p11_session session = {0};
    AN_CLEANUP(an_p11_uri_free) P11KitUri *uri = NULL;
    AN_CLEANUP(an_secret_free) struct an_secret *secret = NULL;
    CK_RV rv;

    AN_TRY(an_p11_uri_parse(uri_text, &uri, reterr));
    AN_TRY(an_p11_place_open(uri, &session.place, reterr));
    if (may_write && (session.place.info.flags & CKF_WRITE_PROTECTED))
        AN_FAIL(reterr, AN_E_TOKEN_READONLY, "CKF_WRITE_PROTECTED");
    rv = session.place.f->C_OpenSession(session.place.slot, CKF_SERIAL_SESSION | (may_write ? CKF_RW_SESSION : 0), NULL,
                                        NULL,
                                        &session.handle);
    if (rv != CKR_OK)
        return an_p11_fail(reterr, rv, "C_OpenSession");
    session.is_open = true;
    if (must_login || pin.ask != NULL || p11_kit_uri_get_pin_source(uri) != NULL) {
        AN_TRY(an_p11_pin_ask(&session.place.info, uri, pin, &secret, reterr));
        AN_TRY(an_p11_login(session.place.f, session.handle, CKU_USER, secret, reterr));
    }
    *ret = session;
    session = (struct an_p11_session){0};
    return AN_OK;
}

void
an_p11_session_close(struct an_p11_session *session)
{
    if (session->is_open)
        session->place.f->C_CloseSession(session->handle);
    session->is_open = false;
    an_p11_place_close(&session->place);
}
