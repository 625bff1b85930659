/* What several kinds of object have: times, algorithms, extensions, addresses. */
#include "ca/lint_internal.h"

#include <strings.h>

#define YEAR_2050 ((an_time)2524608000)

static bool
is_digits(an_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

bool
lint_take_time(an_bytes *in, struct lint_time *ret, bool *ret_wrong_type)
{
    int tag = an_der_peek(*in);
    bool is_general = tag == AN_DER_GENERALIZED_TIME;
    an_bytes rest = *in, text, whole;

    if ((tag != AN_DER_UTC_TIME && !is_general) || an_der_any(&rest, NULL, &whole, &text, NULL) != AN_OK)
        return false;
    ret->is_sound = text.len == (is_general ? 15u : 13u) && text.ptr[text.len - 1] == 'Z' &&
        is_digits(AN_BYTES(text.ptr, text.len - 1)) &&
                    an_der_time(&whole, &ret->when, NULL) == AN_OK;
    if (!ret->is_sound)
        ret->when = AN_TIME_NONE;
    *ret_wrong_type = ret->is_sound && is_general != (ret->when >= YEAR_2050);
    *in = rest;
    return true;
}

bool
lint_take_algorithm(an_bytes *in, struct lint_algorithm *ret)
{
    an_bytes content;

    if (an_der_take_whole(in, AN_DER_SEQUENCE, &ret->whole, NULL) != AN_OK)
        return false;
    content = ret->whole;
    if (an_der_take(&content, AN_DER_SEQUENCE, &content, NULL) != AN_OK ||
        an_der_take(&content, AN_DER_OID, &ret->oid, NULL) != AN_OK)
        return false;
    ret->params = content;
    ret->is_known = an_scheme_parse(ret->whole, AN_DIGEST_NONE, &ret->scheme, NULL) == AN_OK &&
        ret->scheme.kind != AN_SIG_UNKNOWN;
    return true;
}

bool
lint_digest_is_weak(enum an_digest digest)
{
    return digest == AN_MD5 || digest == AN_SHA1 || digest == AN_RIPEMD160 || digest == AN_SHA224 ||
           digest == AN_SHA512_224 || digest == AN_SHA3_224;
}

bool
lint_scheme_is_weak(const struct an_scheme *scheme)
{
    return lint_digest_is_weak(scheme->digest) || (scheme->kind == AN_SIG_RSA_PSS &&
                                                   lint_digest_is_weak(scheme->mgf_digest));
}

static bool
take_extension(an_bytes *in, struct lint_extension *ret)
{
    an_bytes content, flag;

    *ret = (struct lint_extension){0};
    if (an_der_take(in, AN_DER_SEQUENCE, &content, NULL) != AN_OK ||
        an_der_take(&content, AN_DER_OID, &ret->oid, NULL) != AN_OK)
        return false;
    if (an_der_try(&content, AN_DER_BOOLEAN, &flag)) {
        ret->critical = flag.len == 1 && flag.ptr[0] != 0;
        ret->says_false = !ret->critical;
    }
    return an_der_take(&content, AN_DER_OCTET_STRING, &ret->value, NULL) == AN_OK && content.len == 0;
}

const struct lint_extension *
lint_find(const struct lint_extensions *extensions, an_bytes oid)
{
    for (size_t i = 0; i < extensions->count; i++)
        if (an_bytes_eq(extensions->items[i].oid, oid))
            return &extensions->items[i];
    return NULL;
}

void
lint_read_extensions(an_bytes content, struct lint_extensions *ret)
{
    struct lint_extension next;

    *ret = (struct lint_extensions){.is_sound = true};
    while (content.len > 0 && ret->is_sound) {
        ret->is_sound = ret->count < LINT_EXTENSIONS_MAX && take_extension(&content, &next);
        if (!ret->is_sound)
            return;
        ret->has_twice = ret->has_twice || lint_find(ret, next.oid) != NULL;
        ret->items[ret->count++] = next;
    }
}

bool
lint_is_uri(an_bytes text, bool any_scheme)
{
    static const char *const schemes[] = {"http://", "https://", "ldap://", "ldaps://"};
    size_t colon = an_bytes_find(text, AN_LIT(":"), 0);

    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f)
            return false;
    if (any_scheme)
        return colon != SIZE_MAX && colon > 0 && colon + 1 < text.len;
    for (size_t i = 0; i < AN_COUNT(schemes); i++)
        if (text.len > strlen(schemes[i]) && strncasecmp((const char *)text.ptr, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

bool
lint_general_names(an_bytes names)
{
    an_bytes value;
    int tag;

    if (names.len == 0)
        return false;
    while (names.len > 0)
        if (an_der_any(&names, &tag, NULL, &value, NULL) != AN_OK || (tag & 0xc0) != 0x80 || (tag & 0x1f) > 8 ||
            value.len == 0)
            return false;
    return true;
}
