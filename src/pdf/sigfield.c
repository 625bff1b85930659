/* Signature fields and the signatures in them (ISO 32000-2, 12.7.5.5 and 12.8.1). */
#include "base/map.h"
#include "pdf/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define FIELD_DEPTH 32 /* levels of a field hierarchy */
#define NAME_MAX_BYTES 4096
#define TEXT_MAX ((size_t)64 * 1024)
#define STRAY_PAGES 16 /* pages looked at for widgets no field list names */
#define STRAY_OBJECTS 1000 /* objects of later revisions looked at for the same */
#define ADOPT_MAX 16   /* updates without /Prev that are followed */
#define END_SLACK 64   /* white space between %%EOF and where a byte range ends */

struct fields {
    struct an_pdf *pdf;
    size_t revision;
    struct an_map *seen; /* object numbers of nodes visited */
    size_t nodes;
    struct an_pdf_sigfield_vec found;
    const struct an_pdf_obj *perms_docmdp; /* /Perms/DocMDP of the catalog, not resolved */
};

/* What a node hands down to its kids. */
struct inherited {
    const struct an_pdf_obj *type, *value;
    struct an_buf *name;
    unsigned depth;
};

static char *
text_entry(struct fields *fields, const struct an_pdf_obj *dict, const char *key)
{
    struct an_buf text = an_buf_new(TEXT_MAX);

    (void)an_pdf_text_of(an_pdf_at(fields->pdf, fields->revision, dict, key), &text);
    return an_buf_take_str(&text);
}

static int
date_part(an_bytes text, size_t *at, size_t digits, int otherwise)
{
    int value = 0;

    if (text.len < *at || text.len - *at < digits)
        return otherwise;
    for (size_t i = 0; i < digits; i++) {
        uint8_t byte = text.ptr[*at + i];

        if (byte < '0' || byte > '9')
            return otherwise;
        value = value * 10 + (byte - '0');
    }
    *at += digits;
    return value;
}

/* "D:YYYYMMDDHHmmSSOHH'mm" (7.9.4), shortened from the right. */
static an_time
parse_date(an_bytes text)
{
    struct an_date date = {0};
    size_t at = an_bytes_starts_with(text, AN_LIT("D:")) ? 2 : 0;
    int hours = 0, minutes = 0, sign = 0;

    date.year = date_part(text, &at, 4, -1);
    date.month = date_part(text, &at, 2, 1);
    date.day = date_part(text, &at, 2, 1);
    date.hour = date_part(text, &at, 2, 0);
    date.minute = date_part(text, &at, 2, 0);
    date.second = date_part(text, &at, 2, 0);
    if (date.year < 0)
        return AN_TIME_NONE;
    if (at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-'))
        sign = text.ptr[at++] == '-' ? -1 : 1;
    if (sign) {
        hours = date_part(text, &at, 2, 0);
        at += at < text.len && text.ptr[at] == '\'';
        minutes = date_part(text, &at, 2, 0);
    }
    return an_time_of_date(&date, sign * (hours * 60 + minutes));
}

static void
copy_name(char ret[static 40], const struct an_pdf_obj *name)
{
    if (name->kind == AN_PDF_NAME)
        snprintf(ret, 40, "%.*s", AN_FMT(an_bytes_slice(name->u.text, 0, 39)));
}

static void
read_byte_range(struct fields *fields, struct an_pdf_sigfield *field)
{
    const struct an_pdf_obj *array = an_pdf_at(fields->pdf, fields->revision, field->value, "ByteRange");

    if (array->kind != AN_PDF_ARRAY)
        return;
    field->byte_range_count = array->u.array.count;
    for (size_t i = 0; i < array->u.array.count && i < 4; i++) {
        int64_t number;

        if (!an_pdf_int(an_pdf_resolve(fields->pdf, fields->revision, &array->u.array.items[i]), &number) || number < 0)
            return;
        field->byte_range[i] = (uint64_t)number;
        field->has_byte_range = i == 3;
    }
}

/* Offsets of signatures count from "%PDF-" like all others when the file has bytes before it; kept as written. */
static void
read_contents(struct fields *fields, struct an_pdf_sigfield *field)
{
    const struct an_pdf_obj *contents = an_pdf_at(fields->pdf, fields->revision, field->value, "Contents");

    if (contents->kind != AN_PDF_STRING)
        return;
    field->contents = contents->u.text;
    if (contents->container)
        return;
    field->contents_offset = contents->offset;
    field->contents_end = contents->end;
}

static int
docmdp_level(struct fields *fields, const struct an_pdf_sigfield *field)
{
    const struct an_pdf_obj *references = an_pdf_at(fields->pdf, fields->revision, field->value, "Reference");
    int64_t level = 2; /* table 257 */

    for (size_t i = 0; references->kind == AN_PDF_ARRAY && i < references->u.array.count && i < 64; i++) {
        const struct an_pdf_obj *reference =
            an_pdf_resolve(fields->pdf, fields->revision, &references->u.array.items[i]);

        if (!an_pdf_is_name(an_pdf_at(fields->pdf, fields->revision, reference, "TransformMethod"), "DocMDP"))
            continue;
        (void)an_pdf_int(an_pdf_at(fields->pdf, fields->revision,
                                   an_pdf_at(fields->pdf, fields->revision, reference, "TransformParams"), "P"),
                         &level);
        return level < 1 || level > 3 ? 1 : (int)level;
    }
    if (fields->perms_docmdp && fields->perms_docmdp->kind == AN_PDF_REF &&
        fields->perms_docmdp->u.ref.num == field->value_num)
        return 2;
    return 0;
}

static bool
is_white(struct an_pdf *pdf, uint64_t from, uint64_t to)
{
    for (; from < to && from < pdf->file.len; from++)
        if (!(an_pdf_class[pdf->file.ptr[from]] & AN_PDF_SPACE))
            return false;
    return true;
}

/* The revision that ends where the byte range ends, give or take the white space behind %%EOF. */
static int
covered_revision(struct an_pdf *pdf, uint64_t end)
{
    size_t latest = an_pdf_latest(pdf);

    if (end > pdf->file.len)
        return -1;
    for (size_t i = latest + 1; i-- > 0;) {
        uint64_t revision_end = pdf->parts.items[i].revision.end;
        uint64_t low = end < revision_end ? end : revision_end, high = end < revision_end ? revision_end : end;

        if (high - low <= END_SLACK && is_white(pdf, low, high))
            return (int)i;
    }
    /* Bytes after the newest %%EOF that the signature covers to the last one. */
    return end == pdf->file.len && end >= pdf->parts.items[latest].revision.end ? (int)latest : -1;
}

static void
read_value(struct fields *fields, struct an_pdf_sigfield *field)
{
    const struct an_pdf_obj *date;

    if (field->value == NULL) {
        field->revision = -1;
        field->m_time = AN_TIME_NONE;
        return;
    }
    copy_name(field->filter, an_pdf_at(fields->pdf, fields->revision, field->value, "Filter"));
    copy_name(field->sub_filter, an_pdf_at(fields->pdf, fields->revision, field->value, "SubFilter"));
    field->is_doc_timestamp =
        strcmp(field->sub_filter, "ETSI.RFC3161") == 0 ||
        an_pdf_is_name(an_pdf_at(fields->pdf, fields->revision, field->value, "Type"), "DocTimeStamp");
    read_byte_range(fields, field);
    read_contents(fields, field);
    date = an_pdf_at(fields->pdf, fields->revision, field->value, "M");
    field->m_time = date->kind == AN_PDF_STRING ? parse_date(date->u.text) : AN_TIME_NONE;
    field->docmdp = docmdp_level(fields, field);
    field->revision = field->has_byte_range && field->byte_range[3] <= UINT64_MAX - field->byte_range[2]
                          ? covered_revision(fields->pdf, field->byte_range[2] + field->byte_range[3])
                          : -1;
}

/* The widget that shows a field: itself, or its first kid without a name. */
static const struct an_pdf_obj *
find_widget(struct fields *fields, const struct an_pdf_obj *node)
{
    const struct an_pdf_obj *kids = an_pdf_at(fields->pdf, fields->revision, node, "Kids");

    if (an_pdf_dict_find(node, "Rect"))
        return node;
    for (size_t i = 0; kids->kind == AN_PDF_ARRAY && i < kids->u.array.count && i < 64; i++) {
        const struct an_pdf_obj *kid = an_pdf_resolve(fields->pdf, fields->revision, &kids->u.array.items[i]);

        if (an_pdf_dict_find(kid, "Rect"))
            return kid;
    }
    return NULL;
}

static void
add_field(struct fields *fields, const struct an_pdf_obj *node, uint32_t num, const struct inherited *from)
{
    struct an_pdf_sigfield *field = an_pdf_sigfield_vec_push(&fields->found);
    const struct an_pdf_obj *widget = find_widget(fields, node), *page = an_pdf_dict_find(widget, "P");
    const struct an_pdf_obj *value = an_pdf_resolve(fields->pdf, fields->revision, from->value);

    field->name = an_strdup_bytes(an_buf_view(from->name));
    field->field_num = num;
    field->field = node;
    if (value->kind == AN_PDF_DICT) {
        field->value = value;
        field->value_num = from->value->kind == AN_PDF_REF ? from->value->u.ref.num : 0;
    }
    if (page && page->kind == AN_PDF_REF)
        field->page_num = page->u.ref.num;
    (void)an_pdf_rect_of(fields->pdf, fields->revision, an_pdf_dict_find(widget, "Rect"), &field->rect);
    read_value(fields, field);
    field->signer_name = text_entry(fields, field->value, "Name");
    field->reason = text_entry(fields, field->value, "Reason");
    field->location = text_entry(fields, field->value, "Location");
    field->contact = text_entry(fields, field->value, "ContactInfo");
}

/* MuPDF writes the value into the widget of a field, not into the field. */
static const struct an_pdf_obj *
value_of_widget(struct fields *fields, const struct an_pdf_obj *kids)
{
    for (size_t i = 0; kids->kind == AN_PDF_ARRAY && i < kids->u.array.count && i < 64; i++) {
        const struct an_pdf_obj *kid = an_pdf_resolve(fields->pdf, fields->revision, &kids->u.array.items[i]);
        const struct an_pdf_obj *value = an_pdf_dict_find(kid, "V");

        if (an_pdf_dict_find(an_pdf_resolve(fields->pdf, fields->revision, value), "ByteRange"))
            return value;
    }
    return NULL;
}

static bool
has_named_kids(struct fields *fields, const struct an_pdf_obj *kids)
{
    for (size_t i = 0; kids->kind == AN_PDF_ARRAY && i < kids->u.array.count; i++)
        if (an_pdf_dict_find(an_pdf_resolve(fields->pdf, fields->revision, &kids->u.array.items[i]), "T"))
            return true;
    return false;
}

static bool
mark_seen(struct fields *fields, uint32_t num)
{
    if (num == 0)
        return true;
    if (an_map_find_u64(fields->seen, num))
        return false;
    an_map_put_u64(fields->seen, num, fields);
    return true;
}

static void
walk_field(struct fields *fields, const struct an_pdf_obj *ref, const struct inherited *from)
{
    const struct an_pdf_obj *node = an_pdf_resolve(fields->pdf, fields->revision, ref);
    const struct an_pdf_obj *kids = an_pdf_at(fields->pdf, fields->revision, node, "Kids");
    const struct an_pdf_obj *type = an_pdf_dict_find(node, "FT"), *value = an_pdf_dict_find(node, "V");
    const struct an_pdf_obj *part = an_pdf_at(fields->pdf, fields->revision, node, "T");
    uint32_t num = ref->kind == AN_PDF_REF ? ref->u.ref.num : 0;
    struct inherited own = {.name = from->name, .depth = from->depth + 1};
    size_t name_len = from->name->len;

    if (node->kind != AN_PDF_DICT || from->depth >= FIELD_DEPTH || ++fields->nodes > AN_LIMIT_PDF_FIELDS ||
        !mark_seen(fields, num))
        return;
    own.type = type ? type : from->type;
    own.value = value ? value : from->value;
    if (part->kind == AN_PDF_STRING) {
        if (name_len)
            an_buf_byte(own.name, '.');
        (void)an_pdf_text_of(part, own.name);
    }
    if (has_named_kids(fields, kids)) {
        for (size_t i = 0; i < kids->u.array.count; i++)
            walk_field(fields, &kids->u.array.items[i], &own);
    } else if (an_pdf_is_name(an_pdf_resolve(fields->pdf, fields->revision, own.type), "Sig")) {
        own.value = own.value ? own.value : value_of_widget(fields, kids);
        add_field(fields, node, num, &own);
    }
    own.name->len = name_len;
    own.name->overflowed = false;
}

/* Signature widgets of a page that the field list does not lead to. */
static void
walk_annotations(struct fields *fields, const struct an_pdf_obj *annots, const struct inherited *root)
{
    for (size_t i = 0; annots->kind == AN_PDF_ARRAY && i < annots->u.array.count; i++) {
        const struct an_pdf_obj *annot = an_pdf_resolve(fields->pdf, fields->revision, &annots->u.array.items[i]);

        if (an_pdf_is_name(an_pdf_at(fields->pdf, fields->revision, annot, "FT"), "Sig") &&
            an_pdf_dict_find(annot, "V") && !an_pdf_dict_find(annot, "Parent"))
            walk_field(fields, &annots->u.array.items[i], root);
    }
}

/* No signature in the form: the first pages are looked at. */
static void
walk_first_pages(struct fields *fields, const struct inherited *root)
{
    struct an_pdf_page page;

    for (size_t i = 0; i < STRAY_PAGES; i++)
        if (an_pdf_page(fields->pdf, fields->revision, i, &page, NULL) == AN_OK)
            walk_annotations(fields, an_pdf_at(fields->pdf, fields->revision, page.dict, "Annots"), root);
}

/* A later signature that its program hung on a page without naming it in a form that stands in the catalog itself
 * (poppler): only pages, or lists of annotations, that later revisions name can show it. */
static void
walk_later_pages(struct fields *fields, const struct inherited *root)
{
    size_t latest = an_pdf_latest(fields->pdf), looked_at = 0;

    for (size_t revision = 1; revision <= latest; revision++) {
        AN_CLEANUP(an_free_ptr) struct an_pdf_change *listed = NULL;
        size_t count = 0;

        if (an_pdf_revision_changes(fields->pdf, revision, &listed, &count, NULL) != AN_OK)
            return;
        for (size_t i = 0; i < count && looked_at < STRAY_OBJECTS; i++) {
            const struct an_pdf_obj *obj =
                listed[i].is_free ? &an_pdf_null : an_pdf_object(fields->pdf, AN_PDF_NOW, listed[i].num);

            looked_at++;
            if (an_pdf_is_name(an_pdf_dict_find(obj, "Type"), "Page"))
                walk_annotations(fields, an_pdf_at(fields->pdf, AN_PDF_NOW, obj, "Annots"), root);
            else
                walk_annotations(fields, obj, root);
        }
    }
}

/* A signature whose range ends at no known revision: the newer one may have been written without /Prev. */
static bool
find_older(struct fields *fields)
{
    uint64_t end = 0;

    for (size_t i = 0; fields->revision == AN_PDF_NOW && i < fields->found.count; i++) {
        const struct an_pdf_sigfield *field = &fields->found.items[i];
        uint64_t its_end = field->byte_range[2] + field->byte_range[3];

        if (field->value && field->has_byte_range && field->revision < 0 && its_end >= field->byte_range[2] &&
            its_end < fields->pdf->file.len && its_end > end)
            end = its_end;
    }
    return end && an_pdf_adopt_older(fields->pdf, end);
}

static uint64_t
signed_end(const struct an_pdf_sigfield *field)
{
    if (field->value == NULL)
        return UINT64_MAX;
    return field->has_byte_range ? field->byte_range[2] + field->byte_range[3] : UINT64_MAX - 1;
}

static int
by_signed_end(const void *a, const void *b)
{
    const struct an_pdf_sigfield *x = a, *y = b;
    uint64_t end_x = signed_end(x), end_y = signed_end(y);

    if (end_x != end_y)
        return end_x < end_y ? -1 : 1;
    return (x->field_num > y->field_num) - (x->field_num < y->field_num);
}

static void
forget_found(struct fields *fields)
{
    struct an_pdf_sigfields part = {fields->found.items, fields->found.count};

    an_pdf_sigfields_done(&part);
    fields->found = (struct an_pdf_sigfield_vec){0};
}

static void
walk_all(struct fields *fields)
{
    AN_CLEANUP(an_map_free) struct an_map *seen = an_map_new();
    AN_CLEANUP(an_buf_free) struct an_buf name = an_buf_new(NAME_MAX_BYTES);
    const struct inherited root = {.name = &name};
    const struct an_pdf_obj *catalog = an_pdf_catalog(fields->pdf, fields->revision);
    const struct an_pdf_obj *form = an_pdf_at(fields->pdf, fields->revision, catalog, "AcroForm");
    const struct an_pdf_obj *list = an_pdf_at(fields->pdf, fields->revision, form, "Fields");
    bool has_signed = false;

    fields->seen = seen;
    fields->nodes = 0;
    fields->perms_docmdp = an_pdf_dict_find(an_pdf_at(fields->pdf, fields->revision, catalog, "Perms"), "DocMDP");
    for (size_t i = 0; list->kind == AN_PDF_ARRAY && i < list->u.array.count; i++)
        walk_field(fields, &list->u.array.items[i], &root);
    for (size_t i = 0; i < fields->found.count; i++)
        has_signed = has_signed || fields->found.items[i].value;
    if (!has_signed)
        walk_first_pages(fields, &root);
    else if (fields->revision == AN_PDF_NOW)
        walk_later_pages(fields, &root);
}

an_code
an_pdf_sigfields(struct an_pdf *pdf, size_t revision, struct an_pdf_sigfields *ret, struct an_err *reterr)
{
    struct fields fields = {.pdf = pdf, .revision = revision};

    walk_all(&fields);
    for (int i = 0; i < ADOPT_MAX && find_older(&fields); i++) {
        forget_found(&fields);
        walk_all(&fields);
    }
    if (fields.nodes > AN_LIMIT_PDF_FIELDS) {
        forget_found(&fields);
        AN_FAIL(reterr, AN_E_LIMIT, "more than %d form fields", AN_LIMIT_PDF_FIELDS);
    }
    if (fields.found.count)
        qsort(fields.found.items, fields.found.count, sizeof(*fields.found.items), by_signed_end);
    ret->items = fields.found.items;
    ret->count = fields.found.count;
    return AN_OK;
}

void
an_pdf_sigfields_done(struct an_pdf_sigfields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        free(fields->items[i].name);
        free(fields->items[i].signer_name);
        free(fields->items[i].reason);
        free(fields->items[i].location);
        free(fields->items[i].contact);
    }
    free(fields->items);
    *fields = (struct an_pdf_sigfields){0};
}
