#include "x509/internal.h"

#include "base/mem.h"

const struct an_extension *
an_x509_find_extension(const struct an_extension *items, size_t count, an_bytes oid)
{
    for (size_t i = 0; i < count; i++)
        if (an_bytes_eq(items[i].oid, oid))
            return &items[i];
    return NULL;
}

static size_t
count_values(an_bytes content)
{
    size_t count = 0;

    while (content.len > 0 && count <= AN_LIMIT_EXTENSIONS && an_der_any(&content, NULL, NULL, NULL, NULL) == AN_OK)
        count++;
    return count;
}

/* Extension ::= SEQUENCE { OID, BOOLEAN DEFAULT FALSE, OCTET STRING }. An explicit FALSE is not DER, but common. */
static bool
take_extension(an_bytes *in, struct an_extension *ret)
{
    an_bytes content;

    ret->critical = false;
    if (an_der_take(in, AN_DER_SEQUENCE, &content, NULL) != AN_OK ||
        an_der_take(&content, AN_DER_OID, &ret->oid, NULL) != AN_OK)
        return false;
    if (ret->oid.len == 0)
        return false;
    if (an_der_peek(content) == AN_DER_BOOLEAN && an_der_bool(&content, &ret->critical, NULL) != AN_OK)
        return false;
    return an_der_take(&content, AN_DER_OCTET_STRING, &ret->value, NULL) == AN_OK && content.len == 0;
}

static an_code
fail_extension(an_code code, const struct an_extension *extension, size_t at, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf oid = an_buf_new(256);

    if (extension == NULL)
        AN_FAIL(reterr, code, "extension %zu", at + 1);
    an_oid_text(extension->oid, &oid);
    AN_FAIL(reterr, code, "extension %.*s", AN_FMT(an_buf_view(&oid)));
}

static an_code
fill_extensions(an_bytes content, struct an_extension *items, size_t count, struct an_x509_ext_codes codes,
                struct an_err *reterr)
{
    for (size_t i = 0; i < count; i++) {
        if (!take_extension(&content, &items[i]))
            return fail_extension(codes.malformed, NULL, i, reterr);
        if (an_x509_find_extension(items, i, items[i].oid) != NULL)
            return fail_extension(codes.twice, &items[i], i, reterr);
    }
    return content.len == 0 ? AN_OK : fail_extension(codes.malformed, NULL, count, reterr);
}

an_code
an_x509_read_extensions(an_bytes content, struct an_extension *few, size_t few_max, struct an_extension **ret_items,
                        size_t *ret_count, struct an_x509_ext_codes codes, struct an_err *reterr)
{
    size_t count = count_values(content);
    struct an_extension *items = few;
    an_code outcome;

    if (count > AN_LIMIT_EXTENSIONS)
        AN_FAIL(reterr, AN_E_LIMIT, "more than %d extensions", AN_LIMIT_EXTENSIONS);
    if (count == 0)
        return fail_extension(codes.malformed, NULL, 0, reterr);
    if (count > few_max)
        items = an_new_array(count, sizeof(*items));
    outcome = fill_extensions(content, items, count, codes, reterr);
    if (outcome != AN_OK) {
        if (items != few)
            free(items);
        return outcome;
    }
    *ret_items = items;
    *ret_count = count;
    return AN_OK;
}
