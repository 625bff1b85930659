#include "pdf/internal.h"

#include <math.h>

#define REF_CHAIN_MAX 32 /* references to references: real files have none */

const struct an_pdf_obj an_pdf_null = {.kind = AN_PDF_NULL};

static bool
has_entries(const struct an_pdf_obj *obj)
{
    return obj && (obj->kind == AN_PDF_DICT || obj->kind == AN_PDF_STREAM);
}

const struct an_pdf_obj *
an_pdf_dict_find(const struct an_pdf_obj *obj, const char *key)
{
    size_t len = strlen(key);

    if (!has_entries(obj))
        return NULL;
    for (size_t i = obj->u.dict.count; i-- > 0;) {
        const struct an_pdf_entry *entry = &obj->u.dict.entries[i];

        if (entry->key.len == len && memcmp(entry->key.ptr, key, len) == 0)
            return &entry->value;
    }
    return NULL;
}

const struct an_pdf_obj *
an_pdf_resolve(struct an_pdf *pdf, size_t revision, const struct an_pdf_obj *obj)
{
    if (obj == NULL)
        return &an_pdf_null;
    for (int i = 0; obj->kind == AN_PDF_REF; i++) {
        if (i >= REF_CHAIN_MAX)
            return &an_pdf_null;
        obj = an_pdf_object(pdf, revision, obj->u.ref.num);
    }
    return obj;
}

const struct an_pdf_obj *
an_pdf_at(struct an_pdf *pdf, size_t revision, const struct an_pdf_obj *dict, const char *key)
{
    return an_pdf_resolve(pdf, revision, an_pdf_dict_find(dict, key));
}

const struct an_pdf_obj *
an_pdf_object(struct an_pdf *pdf, size_t revision, uint32_t num)
{
    struct an_pdf_spot spot = an_pdf_find_spot(pdf, revision, num);

    return an_pdf_object_at(pdf, revision, num, &spot);
}

bool
an_pdf_is_name(const struct an_pdf_obj *obj, const char *name)
{
    return obj && obj->kind == AN_PDF_NAME && an_bytes_eq_str(obj->u.text, name);
}

bool
an_pdf_int(const struct an_pdf_obj *obj, int64_t *ret)
{
    if (obj == NULL)
        return false;
    if (obj->kind == AN_PDF_INT) {
        *ret = obj->u.integer;
        return true;
    }
    if (obj->kind != AN_PDF_REAL || !(fabs(obj->u.real) < 9e18) || obj->u.real - trunc(obj->u.real) != 0)
        return false;
    *ret = (int64_t)obj->u.real;
    return true;
}

bool
an_pdf_number(const struct an_pdf_obj *obj, double *ret)
{
    if (obj == NULL || (obj->kind != AN_PDF_INT && obj->kind != AN_PDF_REAL))
        return false;
    *ret = obj->kind == AN_PDF_INT ? (double)obj->u.integer : obj->u.real;
    return true;
}

bool
an_pdf_rect_of(struct an_pdf *pdf, size_t revision, const struct an_pdf_obj *obj, struct an_pdf_rect *ret)
{
    const struct an_pdf_obj *array = an_pdf_resolve(pdf, revision, obj);
    double v[4];

    if (array->kind != AN_PDF_ARRAY || array->u.array.count < 4)
        return false;
    for (size_t i = 0; i < 4; i++)
        if (!an_pdf_number(an_pdf_resolve(pdf, revision, &array->u.array.items[i]), &v[i]) || !isfinite(v[i]))
            return false;
    *ret = (struct an_pdf_rect){fmin(v[0], v[2]), fmin(v[1], v[3]), fmax(v[0], v[2]), fmax(v[1], v[3])};
    return true;
}

static bool
equal_arrays(const struct an_pdf_obj *a, const struct an_pdf_obj *b)
{
    if (a->u.array.count != b->u.array.count)
        return false;
    for (size_t i = 0; i < a->u.array.count; i++)
        if (!an_pdf_equal(&a->u.array.items[i], &b->u.array.items[i]))
            return false;
    return true;
}

static const struct an_pdf_obj *
find_key(const struct an_pdf_obj *dict, an_bytes key, size_t hint)
{
    if (hint < dict->u.dict.count && an_bytes_eq(dict->u.dict.entries[hint].key, key))
        return &dict->u.dict.entries[hint].value;
    for (size_t i = dict->u.dict.count; i-- > 0;)
        if (an_bytes_eq(dict->u.dict.entries[i].key, key))
            return &dict->u.dict.entries[i].value;
    return NULL;
}

/* Every key of a has an equal value in b; a null value is the same as an absent key (7.3.7). */
static bool
covers_dict(const struct an_pdf_obj *a, const struct an_pdf_obj *b)
{
    for (size_t i = 0; i < a->u.dict.count; i++) {
        const struct an_pdf_entry *entry = &a->u.dict.entries[i];
        const struct an_pdf_obj *other = find_key(b, entry->key, i);

        if (!an_pdf_equal(&entry->value, other ? other : &an_pdf_null))
            return false;
    }
    return true;
}

bool
an_pdf_equal(const struct an_pdf_obj *a, const struct an_pdf_obj *b)
{
    double x, y;

    if (a == b)
        return true;
    if (an_pdf_number(a, &x) && an_pdf_number(b, &y))
        return a->kind == AN_PDF_INT && b->kind == AN_PDF_INT ? a->u.integer == b->u.integer : !(x < y) && !(x > y);
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case AN_PDF_NULL:
        return true;
    case AN_PDF_BOOL:
        return a->u.boolean == b->u.boolean;
    case AN_PDF_NAME:
    case AN_PDF_STRING:
        return an_bytes_eq(a->u.text, b->u.text);
    case AN_PDF_ARRAY:
        return equal_arrays(a, b);
    case AN_PDF_DICT:
        return covers_dict(a, b) && covers_dict(b, a);
    case AN_PDF_STREAM: /* data are compared by those who have the file */
        return a->data_len == b->data_len && a->data_offset == b->data_offset && covers_dict(a, b) && covers_dict(b, a);
    case AN_PDF_REF:
        return a->u.ref.num == b->u.ref.num && a->u.ref.gen == b->u.ref.gen;
    case AN_PDF_INT:
    case AN_PDF_REAL:
        break;
    }
    return false;
}
