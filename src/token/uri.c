#include "token/internal.h"

#include <stdio.h>

an_code
an_p11_uri_parse(const char *text, P11KitUri **ret, struct an_err *reterr)
{
    P11KitUri *uri = p11_kit_uri_new();
    int rc;

    if (uri == NULL)
        an_die_memory();
    rc = p11_kit_uri_parse(text != NULL && *text != '\0' ? text : "pkcs11:", P11_KIT_URI_FOR_ANY, uri);
    if (rc != P11_KIT_URI_OK || p11_kit_uri_any_unrecognized(uri)) {
        p11_kit_uri_free(uri);
        /* The text itself is not repeated: it may carry a PIN. */
        AN_FAIL(reterr, AN_E_TOKEN_URI, "RFC 7512: %s", rc == P11_KIT_URI_OK ? "unknown attribute"
                : p11_kit_uri_message(rc));
    }
    if (p11_kit_uri_get_pin_value(uri) != NULL) {
        p11_kit_uri_free(uri);
        AN_FAIL(reterr, AN_E_TOKEN_URI, "pin-value");
    }
    *ret = uri;
    return AN_OK;
}

void
an_p11_uri_free(P11KitUri **uri)
{
    p11_kit_uri_free(*uri); /* accepts NULL */
    *uri = NULL;
}

void
an_p11_text(const unsigned char *padded, size_t width, char *ret, size_t ret_size)
{
    while (width > 0 && (padded[width - 1] == ' ' || padded[width - 1] == '\0'))
        width--;
    if (width >= ret_size)
        width = ret_size - 1;
    memcpy(ret, padded, width);
    ret[width] = '\0';
}

static void
format_uri(P11KitUri *uri, P11KitUriType type, char *ret, size_t ret_size)
{
    char *text = NULL;

    ret[0] = '\0';
    if (p11_kit_uri_format(uri, type, &text) == P11_KIT_URI_OK && text != NULL && strlen(text) < ret_size)
        memcpy(ret, text, strlen(text) + 1);
    free(text);
}

static P11KitUri *
new_token_uri(const CK_TOKEN_INFO *info, const char *module_path)
{
    P11KitUri *uri = p11_kit_uri_new();

    if (uri == NULL)
        an_die_memory();
    memcpy(p11_kit_uri_get_token_info(uri)->label, info->label, sizeof(info->label));
    memcpy(p11_kit_uri_get_token_info(uri)->serialNumber, info->serialNumber, sizeof(info->serialNumber));
    if (module_path[0] != '\0')
        p11_kit_uri_set_module_path(uri, module_path);
    return uri;
}

void
an_p11_token_uri(const CK_TOKEN_INFO *info, const char *module_path, char *ret, size_t ret_size)
{
    AN_CLEANUP(an_p11_uri_free) P11KitUri *uri = new_token_uri(info, module_path);

    format_uri(uri, P11_KIT_URI_FOR_TOKEN | P11_KIT_URI_FOR_MODULE_WITH_VERSION, ret, ret_size);
}

void
an_p11_object_uri(const CK_TOKEN_INFO *info, const char *module_path, CK_OBJECT_CLASS class, an_bytes id,
                  an_bytes label,
                  char *ret, size_t ret_size)
{
    AN_CLEANUP(an_p11_uri_free) P11KitUri *uri = new_token_uri(info, module_path);
    AN_CLEANUP(an_free_ptr) char *id_copy = an_strdup_bytes(id); /* CK_ATTRIBUTE has no const */
    AN_CLEANUP(an_free_ptr) char *label_copy = an_strdup_bytes(label);
    CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &class, sizeof(class)}, {CKA_ID, id_copy, id.len}, {CKA_LABEL, label_copy, label.len}};

    for (size_t i = 0; i < AN_COUNT(attributes); i++)
        if (attributes[i].ulValueLen != 0)
            p11_kit_uri_set_attribute(uri, &attributes[i]);
    format_uri(uri, P11_KIT_URI_FOR_OBJECT_ON_TOKEN_AND_MODULE, ret, ret_size);
}

enum an_pin_state
an_p11_pin_state(const CK_TOKEN_INFO *info)
{
    if (info->flags & CKF_USER_PIN_LOCKED)
        return AN_PIN_LOCKED;
    if (!(info->flags & CKF_USER_PIN_INITIALIZED))
        return AN_PIN_UNSET;
    if (info->flags & CKF_USER_PIN_FINAL_TRY)
        return AN_PIN_FINAL_TRY;
    return info->flags & CKF_USER_PIN_COUNT_LOW ? AN_PIN_COUNT_LOW : AN_PIN_OK;
}

void
an_p11_token_info(const CK_TOKEN_INFO *info, const char *module_path, struct an_token_info *ret)
{
    *ret = (struct an_token_info){
        .pin = an_p11_pin_state(info),
        .initialised = (info->flags & CKF_TOKEN_INITIALIZED) != 0,
        .login_required = (info->flags & CKF_LOGIN_REQUIRED) != 0,
        .protected_path = (info->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0,
        .pin_len_min = info->ulMinPinLen,
        .pin_len_max = info->ulMaxPinLen,
    };
    an_p11_text(info->label, sizeof(info->label), ret->label, sizeof(ret->label));
    an_p11_text(info->manufacturerID, sizeof(info->manufacturerID), ret->manufacturer, sizeof(ret->manufacturer));
    an_p11_text(info->model, sizeof(info->model), ret->model, sizeof(ret->model));
    an_p11_text(info->serialNumber, sizeof(info->serialNumber), ret->serial, sizeof(ret->serial));
    snprintf(ret->module, sizeof(ret->module), "%s", module_path);
    an_p11_token_uri(info, module_path, ret->uri, sizeof(ret->uri));
}
