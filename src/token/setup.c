/* Setting tokens up: SoftHSM2 stores, initialisation, key generation, certificates. */
#include "token/internal.h"

#include "base/file.h"

#include <stdio.h>
#include <unistd.h>

const char *
an_softhsm_module(void)
{
    static const char *const paths[] = {
        "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
    };

    for (size_t i = 0; i < AN_COUNT(paths); i++)
        if (access(paths[i], R_OK) == 0)
            return paths[i];
    return NULL;
}

/* the folder last given to an_softhsm_use, as SOFTHSM2_CONF is one for the whole process */
static char used_store[4096];

an_code
an_softhsm_use(const char *dir, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *tokens = NULL, *config = NULL, *text = NULL, *whole = NULL;
    size_t mended = 0;

    if (an_softhsm_module() == NULL)
        AN_FAIL(reterr, AN_E_SOFTHSM_ABSENT, "libsofthsm2.so");
    tokens = an_asprintf("%s/tokens", dir);
    AN_TRY(an_dir_make(tokens, true, reterr));
    whole = realpath(tokens, NULL); /* the module may be used from another working folder */
    config = an_asprintf("%s/softhsm2.conf", dir);
    text = an_asprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
                       whole ? whole : tokens);
    AN_TRY(an_file_write(config, an_bytes_of_str(text), 0600, reterr));
    free(whole);
    whole = realpath(config, NULL);
    if (setenv("SOFTHSM2_CONF", whole ? whole : config, 1) != 0)
        AN_FAIL(reterr, AN_E_INTERNAL, "setenv");
    snprintf(used_store, sizeof(used_store), "%s", dir);
    AN_TRY(an_softhsm_mend(dir, &mended, reterr));
    return an_softhsm_keep(dir, reterr);
}

/* After the files were changed; nothing when the token does not live in a store of ours. */
static an_code
keep_store(struct an_err *reterr)
{
    return used_store[0] == '\0' ? AN_OK : an_softhsm_keep(used_store, reterr);
}

/* ---- initialising ---- */
static an_code
find_empty_slot(CK_FUNCTION_LIST *f, P11KitUri *uri, CK_SLOT_ID *ret, struct an_err *reterr)
{
    CK_SLOT_ID slots[AN_TOKEN_SLOTS_MAX], wanted = p11_kit_uri_get_slot_id(uri);
    CK_ULONG count = 0;
    CK_RV rv = an_p11_slots(f, slots, &count);

    if (rv != CKR_OK)
        return an_p11_fail(reterr, rv, "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (f->C_GetTokenInfo(slots[i], &info) != CKR_OK || (info.flags & CKF_TOKEN_INITIALIZED))
            continue; /* never wipes a token that holds something */
        if (wanted == (CK_SLOT_ID)-1 || wanted == slots[i]) {
            *ret = slots[i];
            return AN_OK;
        }
    }
    AN_FAIL(reterr, AN_E_TOKEN_ABSENT, "no token without CKF_TOKEN_INITIALIZED among %lu", count);
}

/* The token that was just made: same label, initialised, no user PIN yet. SoftHSM2 moves it to another slot. */
static an_code
find_new_token(CK_FUNCTION_LIST *f, const CK_UTF8CHAR label[static 32], CK_SLOT_ID *ret, CK_TOKEN_INFO *ret_info,
               struct an_err *reterr)
{
    CK_SLOT_ID slots[AN_TOKEN_SLOTS_MAX];
    CK_ULONG count = 0;
    CK_RV rv = an_p11_slots(f, slots, &count);

    if (rv != CKR_OK)
        return an_p11_fail(reterr, rv, "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++) {
        if (f->C_GetTokenInfo(slots[i], ret_info) != CKR_OK || memcmp(ret_info->label, label, 32) != 0)
            continue;
        if ((ret_info->flags & CKF_TOKEN_INITIALIZED) && !(ret_info->flags & CKF_USER_PIN_INITIALIZED)) {
            *ret = slots[i];
            return AN_OK;
        }
    }
    AN_FAIL(reterr, AN_E_TOKEN_ABSENT, "C_InitToken");
}

static an_code
set_user_pin(CK_FUNCTION_LIST *f, CK_SLOT_ID slot, const struct an_secret *so_pin, struct an_secret *pin,
             struct an_err *reterr)
{
    CK_SESSION_HANDLE session;
    CK_RV rv = f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
    an_code code;

    if (rv != CKR_OK)
        return an_p11_fail(reterr, rv, "C_OpenSession");
    code = an_p11_login(f, session, CKU_SO, so_pin, reterr);
    if (code == AN_OK) {
        rv = f->C_InitPIN(session, an_secret_ptr(pin), (CK_ULONG)an_secret_len(pin));
        if (rv != CKR_OK)
            code = an_p11_fail(reterr, rv, "C_InitPIN");
        f->C_Logout(session);
    }
    f->C_CloseSession(session);
    return code;
}

an_code
an_token_init(const char *text, const char *label, const struct an_secret *so_pin, const struct an_secret *pin,
              char ret_uri[static 512], struct an_err *reterr)
{
    AN_CLEANUP(an_p11_uri_free) P11KitUri *uri = NULL;
    AN_CLEANUP(an_p11_modules_close) struct an_p11_modules modules = {0};
    /* PKCS#11 has no const */
    AN_CLEANUP(an_secret_free) struct an_secret *so = an_secret_from(an_secret_bytes(so_pin));
    AN_CLEANUP(an_secret_free) struct an_secret *user = an_secret_from(an_secret_bytes(pin));
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    CK_UTF8CHAR padded[32];
    CK_SLOT_ID slot = 0;
    CK_TOKEN_INFO info;
    CK_RV rv;

    if (strlen(label) == 0 || strlen(label) > sizeof(padded))
        AN_FAIL(reterr, AN_E_LIMIT, "CK_TOKEN_INFO.label: %zu > 32 byte", strlen(label));
    memset(padded, ' ', sizeof(padded));
    memcpy(padded, label, strlen(label));
    AN_TRY(an_p11_uri_parse(text, &uri, reterr));
    AN_TRY(an_p11_modules_open(uri, &modules, reterr));
    if (modules.count != 1)
        AN_FAIL(reterr, AN_E_TOKEN_AMBIGUOUS, "%zu PKCS#11 module", modules.count);
    AN_TRY(find_empty_slot(modules.items[0], uri, &slot, reterr));
    rv = modules.items[0]->C_InitToken(slot, an_secret_ptr(so), (CK_ULONG)an_secret_len(so), padded);
    if (rv != CKR_OK)
        return an_p11_fail(reterr, rv, "C_InitToken");
    AN_TRY(find_new_token(modules.items[0], padded, &slot, &info, reterr));
    AN_TRY(set_user_pin(modules.items[0], slot, so, user, reterr));
    path = p11_kit_module_get_filename(modules.items[0]);
    an_p11_token_uri(&info, path ? path : "", ret_uri, 512);
    return keep_store(reterr);
}

/* ---- keys ---- */
static const struct { int bits; CK_BYTE params[12]; CK_ULONG params_len; } curves[] = {
    {256, {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}, 10},
    {384, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}, 7},
    {521, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23}, 7},
};

struct generation {
    CK_MECHANISM mechanism;
    CK_ATTRIBUTE parameters[2]; /* of the public key */
    CK_ULONG parameter_count;
    CK_ULONG bits;
    CK_BYTE exponent[3], params[12];
};

static an_code
plan_generation(enum an_key_kind kind, int bits, struct generation *ret, struct an_err *reterr)
{
    *ret = (struct generation){.bits = (CK_ULONG)bits, .exponent = {1, 0, 1}};
    if (kind == AN_KEY_RSA && bits >= 2048 && bits <= 8192) {
        ret->mechanism.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
        ret->parameters[0] = (CK_ATTRIBUTE){CKA_MODULUS_BITS, &ret->bits, sizeof(ret->bits)};
        ret->parameters[1] = (CK_ATTRIBUTE){CKA_PUBLIC_EXPONENT, ret->exponent, sizeof(ret->exponent)};
        ret->parameter_count = 2;
        return AN_OK;
    }
    for (size_t i = 0; kind == AN_KEY_EC && i < AN_COUNT(curves); i++) {
        if (curves[i].bits != bits)
            continue;
        memcpy(ret->params, curves[i].params, curves[i].params_len);
        ret->mechanism.mechanism = CKM_EC_KEY_PAIR_GEN;
        ret->parameters[0] = (CK_ATTRIBUTE){CKA_EC_PARAMS, ret->params, curves[i].params_len};
        ret->parameter_count = 1;
        return AN_OK;
    }
    AN_FAIL(reterr, AN_E_KEY_KIND, "%d bit", bits);
}

static an_code
check_id(const struct an_p11_session *session, an_bytes id, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) struct an_p11_handles *found = AN_NEW(struct an_p11_handles);
    AN_CLEANUP(an_free_ptr) char *copy = an_strdup_bytes(id);
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, copy, id.len}};

    if (id.len < 1 || id.len > 20)
        AN_FAIL(reterr, AN_E_LIMIT, "CKA_ID: %zu byte", id.len);
    AN_TRY(an_p11_find(session->place.f, session->handle, template, 2, found, reterr));
    if (found->count != 0)
        AN_FAIL(reterr, AN_E_KEY_AMBIGUOUS, "CKA_ID");
    return AN_OK;
}

static an_code
generate_pair(const struct an_p11_session *session, struct generation *how, const char *label, an_bytes id,
              CK_OBJECT_HANDLE *ret_public, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *label_copy = an_strdup(label);
    AN_CLEANUP(an_free_ptr) char *id_copy = an_strdup_bytes(id);
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ATTRIBUTE public_key[6] = {
        {CKA_TOKEN, &yes, sizeof(yes)}, {CKA_VERIFY, &yes, sizeof(yes)},
        {CKA_LABEL, label_copy, strlen(label)}, {CKA_ID, id_copy, id.len},
    };
    CK_ATTRIBUTE private_key[] = {
        {CKA_TOKEN, &yes, sizeof(yes)}, {CKA_PRIVATE, &yes, sizeof(yes)}, {CKA_SENSITIVE, &yes, sizeof(yes)},
        {CKA_EXTRACTABLE, &no, sizeof(no)}, {CKA_SIGN, &yes, sizeof(yes)},
        {CKA_LABEL, label_copy, strlen(label)}, {CKA_ID, id_copy, id.len},
    };
    CK_OBJECT_HANDLE private_handle;
    CK_RV rv;

    memcpy(public_key + 4, how->parameters, how->parameter_count * sizeof(*public_key));
    rv = session->place.f->C_GenerateKeyPair(session->handle, &how->mechanism, public_key, 4 + how->parameter_count,
                                             private_key,
                                             AN_COUNT(private_key), ret_public, &private_handle);
    return rv == CKR_OK ? AN_OK : an_p11_fail(reterr, rv, "C_GenerateKeyPair");
}

an_code
an_token_generate(const char *uri, struct an_pin_source pin, enum an_key_kind kind, int bits, const char *label,
                  an_bytes id,
                  struct an_buf *ret_spki, struct an_err *reterr)
{
    AN_CLEANUP(an_p11_session_close) struct an_p11_session session = {0};
    CK_OBJECT_HANDLE public_key = 0;
    struct generation how;

    AN_TRY(plan_generation(kind, bits, &how, reterr));
    AN_TRY(an_p11_session_open(uri, pin, true, true, &session, reterr));
    AN_TRY(check_id(&session, id, reterr));
    AN_TRY(generate_pair(&session, &how, label, id, &public_key, reterr));
    if (!an_p11_spki(session.place.f, session.handle, public_key, ret_spki))
        AN_FAIL(reterr, AN_E_TOKEN_ANSWER, "CKA_MODULUS, CKA_EC_POINT");
    return keep_store(reterr);
}

/* ---- certificates ---- */
static CK_ATTRIBUTE
attribute_of(CK_ATTRIBUTE_TYPE type, an_bytes value)
{
    union { const uint8_t *in; void *out; } borrowed = {.in = value.ptr}; /* CK_ATTRIBUTE has no const; only read */

    return (CK_ATTRIBUTE){type, borrowed.out, (CK_ULONG)value.len};
}

an_code
an_token_write_cert(const char *uri, struct an_pin_source pin, an_bytes der, const char *label, an_bytes id,
                    struct an_err *reterr)
{
    AN_CLEANUP(an_p11_session_close) struct an_p11_session session = {0};
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_OBJECT_HANDLE handle;
    struct an_p11_cert fields;
    CK_RV rv;

    if (!an_p11_cert_parse(der, &fields))
        AN_FAIL(reterr, AN_E_KEY_PUBLIC, "X.509: %zu byte", der.len);
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof(class)}, {CKA_CERTIFICATE_TYPE, &type, sizeof(type)},
        {CKA_TOKEN, &yes, sizeof(yes)}, {CKA_PRIVATE, &no, sizeof(no)},
        attribute_of(CKA_LABEL, an_bytes_of_str(label)), attribute_of(CKA_ID, id),
        attribute_of(CKA_SUBJECT, fields.subject),
        attribute_of(CKA_ISSUER, fields.issuer), attribute_of(CKA_SERIAL_NUMBER, fields.serial),
        attribute_of(CKA_VALUE, der),
    };
    AN_TRY(an_p11_session_open(uri, pin, true, true, &session, reterr));
    rv = session.place.f->C_CreateObject(session.handle, template, AN_COUNT(template), &handle);
    return rv == CKR_OK ? keep_store(reterr) : an_p11_fail(reterr, rv, "C_CreateObject");
}
