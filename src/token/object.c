#include "token/internal.h"

#include "asn1/der.h"
#include "base/utf8.h"

#include <stdio.h>

an_code
an_p11_find(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count,
            struct an_p11_handles *ret, struct an_err *reterr)
{
    CK_RV rv = f->C_FindObjectsInit(session, template, count);

    if (rv != CKR_OK)
        return an_p11_fail(reterr, rv, "C_FindObjectsInit");
    ret->count = 0;
    while (ret->count < AN_TOKEN_OBJECTS_MAX) {
        CK_ULONG got = 0, room = AN_TOKEN_OBJECTS_MAX - ret->count;
        rv = f->C_FindObjects(session, ret->items + ret->count, room < 64 ? room : 64, &got);
        if (rv != CKR_OK || got == 0)
            break;
        ret->count += got <= room ? got : room;
    }
    (void)f->C_FindObjectsFinal(session);
    return rv == CKR_OK ? AN_OK : an_p11_fail(reterr, rv, "C_FindObjects");
}

bool
an_p11_attribute(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 struct an_buf *out)
{
    CK_ATTRIBUTE attribute = {type, NULL, 0};
    size_t before = out->len, asked;

    if (f->C_GetAttributeValue(session, object, &attribute, 1) != CKR_OK)
        return false;
    if (attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION || attribute.ulValueLen > AN_TOKEN_VALUE_MAX)
        return false;
    asked = attribute.ulValueLen;
    if (asked == 0)
        return true;
    attribute.pValue = an_buf_extend(out, asked);
    if (attribute.pValue == NULL)
        return false;
    if (f->C_GetAttributeValue(session, object, &attribute, 1) != CKR_OK || attribute.ulValueLen > asked) {
        out->len = before;
        return false;
    }
    out->len = before + attribute.ulValueLen;
    return true;
}

bool
an_p11_ulong(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
             CK_ULONG *ret)
{
    CK_ULONG value = 0;
    CK_ATTRIBUTE attribute = {type, &value, sizeof(value)};

    if (f->C_GetAttributeValue(session, object, &attribute, 1) != CKR_OK || attribute.ulValueLen != sizeof(value))
        return false;
    *ret = value;
    return true;
}

bool
an_p11_flag(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
            bool otherwise)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE attribute = {type, &value, sizeof(value)};

    if (f->C_GetAttributeValue(session, object, &attribute, 1) != CKR_OK || attribute.ulValueLen != sizeof(value))
        return otherwise;
    return value != CK_FALSE;
}

/* ---- public keys ---- */
static bool
build_rsa(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, struct an_buf *out)
{
    AN_CLEANUP(an_buf_free) struct an_buf modulus = an_buf_new(AN_TOKEN_VALUE_MAX);
    AN_CLEANUP(an_buf_free) struct an_buf exponent = an_buf_new(AN_TOKEN_VALUE_MAX);

    if (!an_p11_attribute(f, session, object, CKA_MODULUS, &modulus) || modulus.len == 0 ||
        !an_p11_attribute(f, session, object, CKA_PUBLIC_EXPONENT, &exponent) || exponent.len == 0)
        return false;
    an_p11_rsa_spki(an_buf_view(&modulus), an_buf_view(&exponent), out);
    return an_buf_ok(out);
}

static bool
build_ec(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, struct an_buf *out)
{
    AN_CLEANUP(an_buf_free) struct an_buf params = an_buf_new(AN_TOKEN_VALUE_MAX);
    AN_CLEANUP(an_buf_free) struct an_buf point = an_buf_new(AN_TOKEN_VALUE_MAX);
    an_bytes view, inner;

    if (!an_p11_attribute(f, session, object, CKA_EC_PARAMS, &params) || params.len == 0 ||
        !an_p11_attribute(f, session, object, CKA_EC_POINT, &point) || point.len == 0)
        return false;
    /* The standard wraps the point in an OCTET STRING; some modules do not. 04 starts both: the length decides. */
    view = an_buf_view(&point);
    if (an_der_try(&view, AN_DER_OCTET_STRING, &inner) && view.len == 0)
        view = inner;
    else
        view = an_buf_view(&point);
    an_p11_ec_spki(an_buf_view(&params), view, out);
    return an_buf_ok(out);
}

static bool
build_spki(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, struct an_buf *out)
{
    CK_ULONG type = 0;

    if (!an_p11_ulong(f, session, object, CKA_KEY_TYPE, &type))
        return false;
    if (type == CKK_RSA)
        return build_rsa(f, session, object, out);
    return type == CKK_EC && build_ec(f, session, object, out);
}

bool
an_p11_spki(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, struct an_buf *out)
{
    AN_CLEANUP(an_buf_free) struct an_buf id = an_buf_new(AN_TOKEN_VALUE_MAX);
    AN_CLEANUP(an_free_ptr) struct an_p11_handles *found = NULL;
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;

    if (build_spki(f, session, object, out))
        return true;
    if (!an_p11_attribute(f, session, object, CKA_ID, &id) || id.len == 0)
        return false;
    found = AN_NEW(struct an_p11_handles);
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, id.ptr, id.len}};
    if (an_p11_find(f, session, template, 2, found, NULL) != AN_OK)
        return false;
    for (CK_ULONG i = 0; i < found->count; i++)
        if (build_spki(f, session, found->items[i], out))
            return true;
    return false;
}

static bool
is_certificate_of(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, an_bytes id, an_bytes spki,
                  an_bytes der)
{
    AN_CLEANUP(an_buf_free) struct an_buf own_id = an_buf_new(AN_TOKEN_VALUE_MAX);
    struct an_p11_cert fields;

    if (!an_p11_cert_parse(der, &fields))
        return false;
    if (spki.len != 0)
        return an_bytes_eq(fields.spki, spki);
    return id.len != 0 && an_p11_attribute(f, session, object, CKA_ID, &own_id) &&
           an_bytes_eq(an_buf_view(&own_id), id);
}

bool
an_p11_certificate(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, an_bytes id, an_bytes spki, struct an_buf *out)
{
    AN_CLEANUP(an_free_ptr) struct an_p11_handles *found = AN_NEW(struct an_p11_handles);
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_CERTIFICATE_TYPE, &type, sizeof(type)}};

    if (an_p11_find(f, session, template, 2, found, NULL) != AN_OK)
        return false;
    for (CK_ULONG i = 0; i < found->count; i++) {
        size_t before = out->len;
        if (an_p11_attribute(f, session, found->items[i], CKA_VALUE, out) &&
            is_certificate_of(f, session, found->items[i], id, spki,
                              an_bytes_slice(an_buf_view(out), before, SIZE_MAX)))
            return true;
        out->len = before;
    }
    return false;
}

/* ---- the key that a URI names ---- */
struct key_wanted { an_bytes id, label; };

static an_bytes
uri_attribute(P11KitUri *uri, CK_ATTRIBUTE_TYPE type)
{
    CK_ATTRIBUTE *attribute = p11_kit_uri_get_attribute(uri, type);

    return attribute ? AN_BYTES(attribute->pValue, attribute->ulValueLen) : AN_NONE;
}

/* Labels are typed by people: composed and decomposed Vietnamese are the same label. */
static bool
is_same_label(an_bytes a, an_bytes b)
{
    AN_CLEANUP(an_buf_free) struct an_buf left = an_buf_new(AN_TOKEN_VALUE_MAX);
    AN_CLEANUP(an_buf_free) struct an_buf right = an_buf_new(AN_TOKEN_VALUE_MAX);

    if (an_bytes_eq(a, b))
        return true;
    return an_utf8_nfc(&left, a) && an_utf8_nfc(&right, b) && an_bytes_eq(an_buf_view(&left), an_buf_view(&right));
}

static bool
is_key_wanted(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, const struct key_wanted *wanted)
{
    AN_CLEANUP(an_buf_free) struct an_buf id = an_buf_new(AN_TOKEN_VALUE_MAX);
    AN_CLEANUP(an_buf_free) struct an_buf label = an_buf_new(AN_TOKEN_VALUE_MAX);

    if (!an_p11_flag(f, session, key, CKA_SIGN, true))
        return false;
    if (wanted->id.len != 0 &&
        !(an_p11_attribute(f, session, key, CKA_ID, &id) && an_bytes_eq(an_buf_view(&id), wanted->id)))
        return false;
    return wanted->label.len == 0 ||
           (an_p11_attribute(f, session, key, CKA_LABEL, &label) && is_same_label(an_buf_view(&label), wanted->label));
}

static void
describe_key(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, struct an_buf *out)
{
    AN_CLEANUP(an_buf_free) struct an_buf id = an_buf_new(AN_TOKEN_VALUE_MAX);
    AN_CLEANUP(an_buf_free) struct an_buf label = an_buf_new(AN_TOKEN_VALUE_MAX);

    (void)an_p11_attribute(f, session, key, CKA_ID, &id);
    (void)an_p11_attribute(f, session, key, CKA_LABEL, &label);
    an_buf_printf(out, "%s%.*s (id=", out->len ? ", " : "", AN_FMT(an_buf_view(&label)));
    an_buf_hex(out, an_buf_view(&id));
    an_buf_str(out, ")");
}

/* Certificate labels are what people see in other programs: the label of a certificate leads to its key by CKA_ID. */
static bool
find_id_by_certificate(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, an_bytes label, struct an_buf *ret_id)
{
    AN_CLEANUP(an_free_ptr) struct an_p11_handles *found = AN_NEW(struct an_p11_handles);
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};
    size_t fitting = 0;

    if (label.len == 0 || an_p11_find(f, session, template, 1, found, NULL) != AN_OK)
        return false;
    for (CK_ULONG i = 0; i < found->count; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf own = an_buf_new(AN_TOKEN_VALUE_MAX);
        if (!an_p11_attribute(f, session, found->items[i], CKA_LABEL, &own) || !is_same_label(an_buf_view(&own), label))
            continue;
        an_buf_reset(ret_id);
        if (an_p11_attribute(f, session, found->items[i], CKA_ID, ret_id) && ret_id->len != 0)
            fitting++;
    }
    return fitting == 1;
}

static void
match_keys(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, const struct an_p11_handles *all,
           const struct key_wanted *wanted,
           struct an_p11_handles *ret)
{
    ret->count = 0;
    for (CK_ULONG i = 0; i < all->count; i++)
        if (is_key_wanted(f, session, all->items[i], wanted))
            ret->items[ret->count++] = all->items[i];
}

an_code
an_p11_find_key(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, P11KitUri *uri, CK_OBJECT_HANDLE *ret,
                struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) struct an_p11_handles *all = AN_NEW(struct an_p11_handles);
    AN_CLEANUP(an_free_ptr) struct an_p11_handles *fit = AN_NEW(struct an_p11_handles);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_TOKEN_VALUE_MAX);
    struct key_wanted wanted = {.id = uri_attribute(uri, CKA_ID), .label = uri_attribute(uri, CKA_LABEL)};
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};

    AN_TRY(an_p11_find(f, session, template, 1, all, reterr));
    match_keys(f, session, all, &wanted, fit);
    if (fit->count == 0 && find_id_by_certificate(f, session, wanted.label, &text)) {
        wanted = (struct key_wanted){.id = wanted.id.len ? wanted.id : an_buf_view(&text)};
        match_keys(f, session, all, &wanted, fit);
    }
    if (fit->count == 0)
        AN_FAIL(reterr, AN_E_KEY_ABSENT, "%lu CKO_PRIVATE_KEY", all->count);
    if (fit->count > 1) {
        an_buf_reset(&text);
        for (CK_ULONG i = 0; i < fit->count && i < 8; i++)
            describe_key(f, session, fit->items[i], &text);
        AN_FAIL(reterr, AN_E_KEY_AMBIGUOUS, "%lu: %.*s", fit->count, AN_FMT(an_buf_view(&text)));
    }
    *ret = fit->items[0];
    return AN_OK;
}
