/* Rules for the form: fields added for signatures, signatures put into fields, values filled in. */
#include "pdf/diff.h"

#include <stdlib.h>

#define FIELD_DEPTH 32
#define INVISIBLE_MAX 2 /* data of an appearance that draws nothing: a blank or a line end */

enum field_kind { FIELD_NONE, FIELD_SIGNATURE, FIELD_OTHER };

/* A field's own or inherited entry in one state. */
static const struct an_pdf_obj *
inherited(struct diff *diff, size_t revision, const struct an_pdf_obj *node, const char *key)
{
    for (int depth = 0; depth < FIELD_DEPTH && node->kind == AN_PDF_DICT; depth++) {
        const struct an_pdf_obj *value = an_pdf_dict_find(node, key);

        if (value)
            return an_pdf_resolve(diff->pdf, revision, value);
        node = an_pdf_at(diff->pdf, revision, node, "Parent");
    }
    return &an_pdf_null;
}

static enum field_kind
kind_of(struct diff *diff, size_t revision, const struct an_pdf_obj *node)
{
    const struct an_pdf_obj *type = inherited(diff, revision, node, "FT");

    if (type->kind != AN_PDF_NAME)
        return FIELD_NONE;
    return an_pdf_is_name(type, "Sig") ? FIELD_SIGNATURE : FIELD_OTHER;
}

static bool
has_actions(const struct an_pdf_obj *node)
{
    const struct an_pdf_obj *action = an_pdf_dict_find(node, "A"), *events = an_pdf_dict_find(node, "AA");

    return (action && action->kind != AN_PDF_NULL) || (events && events->kind != AN_PDF_NULL);
}

/* ---- signatures as values ---- */

static enum an_pdf_change_class
signature_class(struct diff *diff, const struct an_pdf_obj *value)
{
    bool is_timestamp = an_pdf_is_name(an_diff_now(diff, value, "Type"), "DocTimeStamp") ||
                        an_pdf_is_name(an_diff_now(diff, value, "SubFilter"), "ETSI.RFC3161");

    return is_timestamp ? AN_PDF_CHANGE_TIMESTAMP : AN_PDF_CHANGE_SIGNATURE;
}

static bool
is_signature(struct diff *diff, const struct an_pdf_obj *value)
{
    const struct an_pdf_obj *type = an_diff_now(diff, value, "Type");

    return value->kind == AN_PDF_DICT && an_diff_now(diff, value, "ByteRange")->kind == AN_PDF_ARRAY &&
           an_diff_now(diff, value, "Contents")->kind == AN_PDF_STRING &&
           (type->kind == AN_PDF_NULL || an_pdf_is_name(type, "Sig") || an_pdf_is_name(type, "DocTimeStamp"));
}

static an_code
class_code(enum an_pdf_change_class class_)
{
    return class_ == AN_PDF_CHANGE_TIMESTAMP ? AN_V_PDF_TIMESTAMP
           : class_ == AN_PDF_CHANGE_FORM    ? AN_V_PDF_FORM
                                             : AN_V_PDF_SIGNATURE;
}

static void
claim_as(struct diff *diff, struct change *change, enum an_pdf_change_class class_)
{
    bool allowed = an_diff_permits(diff, class_);

    an_diff_claim(diff, change, class_, allowed, allowed ? class_code(class_) : AN_V_PDF_NOT_PERMITTED);
}

static void
claim_values(struct diff *diff, const struct an_pdf_obj *value, enum an_pdf_change_class class_)
{
    bool allowed = an_diff_permits(diff, class_);

    an_diff_claim_tree(diff, value, class_, allowed, allowed ? class_code(class_) : AN_V_PDF_NOT_PERMITTED);
}

/* Whether the normal appearance puts anything on the page. */
static bool
is_visible(struct diff *diff, const struct an_pdf_obj *widget)
{
    const struct an_pdf_obj *normal = an_diff_now(diff, an_diff_now(diff, widget, "AP"), "N");
    AN_CLEANUP(an_buf_free) struct an_buf data = an_buf_new(AN_LIMIT_PDF_STREAM);
    struct an_pdf_rect rect = {0};

    if (!an_pdf_rect_of(diff->pdf, diff->now, an_pdf_dict_find(widget, "Rect"), &rect) || rect.x1 - rect.x0 <= 0 ||
        rect.y1 - rect.y0 <= 0)
        return false;
    if (normal->kind != AN_PDF_STREAM)
        return normal->kind != AN_PDF_NULL;
    return an_pdf_stream_data(diff->pdf, normal, AN_LIMIT_PDF_STREAM, &data, NULL) != AN_OK || data.len > INVISIBLE_MAX;
}

/* ---- new fields ---- */

static void
take_widget(struct diff *diff, const struct an_pdf_obj *ref, const struct an_pdf_obj *widget,
            enum an_pdf_change_class class_, bool is_signed)
{
    struct change *change = an_diff_change(diff, ref_num(ref));

    if (change == NULL)
        return;
    change->is_new_widget = true;
    if (has_actions(widget))
        an_diff_forbid(diff, change, AN_V_PDF_SCRIPT);
    else if (an_pdf_dict_find(widget, "Rect") && !an_pdf_is_name(an_diff_now(diff, widget, "Subtype"), "Widget"))
        an_diff_forbid(diff, change, AN_V_PDF_ANNOTATION); /* another annotation in a field's clothes */
    else if (!is_signed && is_visible(diff, widget))
        an_diff_forbid(diff, change, AN_V_PDF_OVERLAY);
    else if (change->is_new)
        claim_as(diff, change, class_);
}

/* A terminal signature field: its value, its widgets and what they draw. */
static void
take_terminal(struct diff *diff, const struct an_pdf_obj *ref, const struct an_pdf_obj *node,
              const struct an_pdf_obj *kids)
{
    const struct an_pdf_obj *value_ref = an_pdf_dict_find(node, "V"), *value = an_diff_now(diff, node, "V");
    enum an_pdf_change_class class_ = signature_class(diff, value);
    struct change *signature = an_diff_change(diff, ref_num(value_ref));
    bool is_signed = value->kind != AN_PDF_NULL;

    if (is_signed &&
        (!is_signature(diff, value) || (signature && !signature->is_new) || (ref_num(value_ref) && signature == NULL)))
        an_diff_forbid(diff, an_diff_change(diff, ref_num(ref)), AN_V_PDF_SIGNATURE_CHANGED);
    take_widget(diff, ref, node, class_, is_signed);
    for (size_t i = 0; kids->kind == AN_PDF_ARRAY && i < kids->u.array.count; i++)
        take_widget(diff, &kids->u.array.items[i], an_pdf_resolve(diff->pdf, diff->now, &kids->u.array.items[i]),
                    class_, is_signed);
    claim_values(diff, node, class_);
}

void
an_diff_take_stray(struct diff *diff, const struct an_pdf_obj *ref)
{
    struct an_pdf_sigfields fields = {0};
    bool is_verified = false;

    if (an_pdf_sigfields(diff->pdf, AN_PDF_NOW, &fields, NULL) != AN_OK)
        return;
    for (size_t i = 0; i < fields.count; i++)
        is_verified = is_verified || (fields.items[i].value && fields.items[i].field_num == ref_num(ref));
    an_pdf_sigfields_done(&fields);
    if (is_verified)
        take_terminal(diff, ref, an_pdf_resolve(diff->pdf, diff->now, ref), &an_pdf_null);
}

static void
take_field(struct diff *diff, const struct an_pdf_obj *ref, unsigned depth)
{
    const struct an_pdf_obj *node = an_pdf_resolve(diff->pdf, diff->now, ref), *kids = an_diff_now(diff, node, "Kids");
    struct change *change = an_diff_change(diff, ref_num(ref));
    bool is_parent = false;

    if (depth > FIELD_DEPTH || node->kind != AN_PDF_DICT)
        return;
    if (++diff->field_visits > AN_LIMIT_PDF_FIELDS) {
        an_diff_forbid(diff, change, AN_V_PDF_FIELD);
        return;
    }
    for (size_t i = 0; kids->kind == AN_PDF_ARRAY && i < kids->u.array.count; i++)
        is_parent = is_parent || an_pdf_dict_find(an_pdf_resolve(diff->pdf, diff->now, &kids->u.array.items[i]), "T");
    if (ref_num(ref) && (change == NULL || !change->is_new) && kind_of(diff, diff->now, node) == FIELD_SIGNATURE &&
        !is_parent)
        return; /* stood there already and is now listed as a field; what changed in it is judged by itself */
    if (change == NULL || (!change->is_new && !is_parent)) {
        an_diff_report(diff, AN_V_PDF_FIELD, ref_num(ref), 0, diff->now);
    } else if (is_parent) {
        if (change->is_new)
            claim_as(diff, change, diff->main_class);
        for (size_t i = 0; i < kids->u.array.count; i++)
            if (an_diff_change(diff, ref_num(&kids->u.array.items[i])))
                take_field(diff, &kids->u.array.items[i], depth + 1);
    } else if (kind_of(diff, diff->now, node) != FIELD_SIGNATURE) {
        an_diff_forbid(diff, change, AN_V_PDF_FIELD);
    } else {
        take_terminal(diff, ref, node, kids);
    }
}

/* ---- the list of fields ---- */

/* Old entries must all be there still, in their order; what is new is judged. */
static void
compare_lists(struct diff *diff, const struct an_pdf_obj *a, const struct an_pdf_obj *b, struct change *holder)
{
    size_t old_count = a->kind == AN_PDF_ARRAY ? a->u.array.count : 0,
           new_count = b->kind == AN_PDF_ARRAY ? b->u.array.count : 0;
    size_t at = 0;

    for (size_t i = 0; i < new_count; i++) {
        if (at < old_count && an_pdf_equal(&a->u.array.items[at], &b->u.array.items[i])) {
            at++;
            continue;
        }
        claim_as(diff, holder, diff->main_class);
        take_field(diff, &b->u.array.items[i], 0);
    }
    if (at < old_count) {
        an_diff_report(diff, AN_V_PDF_FIELD_REMOVED, ref_num(&a->u.array.items[at]), 0, diff->now);
        an_diff_forbid(diff, holder, AN_V_PDF_FIELD_REMOVED);
    }
}

/* ---- default resources ---- */

static void
judge_resource(struct diff *diff, struct change *holder, an_bytes key, const struct an_pdf_obj *a,
               const struct an_pdf_obj *b, void *user)
{
    const char *category = user;

    (void)key;
    /* Earlier fields draw with the fonts; pictures there are only the drafts of signatures. */
    if (a->kind != AN_PDF_NULL && (category == NULL || strcmp(category, "XObject") != 0)) {
        an_diff_forbid(diff, holder, AN_V_PDF_RESOURCES);
        return;
    }
    claim_as(diff, holder, diff->main_class);
    claim_values(diff, b, diff->main_class);
}

static void *
category_of(an_bytes key)
{
    static char pictures[] = "XObject";

    return is_key(key, pictures) ? pictures : NULL;
}

static void
judge_category(struct diff *diff, struct change *holder, an_bytes key, const struct an_pdf_obj *a,
               const struct an_pdf_obj *b, void *user)
{
    const struct an_pdf_obj *x = an_pdf_resolve(diff->pdf, diff->old, a), *y = an_pdf_resolve(diff->pdf, diff->now, b);

    if (x->kind == AN_PDF_DICT && y->kind == AN_PDF_DICT)
        an_diff_each_key(diff, an_diff_holder(diff, b, holder), x, y, judge_resource, category_of(key));
    else if (is_key(key, "ProcSet"))
        claim_as(diff, holder, diff->main_class);
    else
        judge_resource(diff, holder, key, a, b, user);
}

static bool
is_from_form(struct diff *diff, uint32_t from, const struct an_pdf_obj *referrer, uint32_t num, void *user)
{
    const struct an_pdf_obj *form = an_pdf_dict_find(an_pdf_catalog(diff->pdf, diff->old), "AcroForm");

    if (ref_num(form))
        return from == ref_num(form) && an_diff_only_under(referrer, user, num);
    return an_pdf_object(diff->pdf, diff->old, from) == an_pdf_catalog(diff->pdf, diff->old) &&
           an_diff_only_under(referrer, "AcroForm", num);
}

static bool
is_from_catalog(struct diff *diff, uint32_t from, const struct an_pdf_obj *referrer, uint32_t num, void *user)
{
    (void)user;
    return from && an_pdf_object(diff->pdf, diff->old, from) == an_pdf_catalog(diff->pdf, diff->old) &&
           an_diff_only_under(referrer, "AcroForm", num);
}

/* An object of the form that was changed in place must belong to the form alone. */
static void
claim_part(struct diff *diff, const struct an_pdf_obj *ref, an_diff_accept_fn *accepts, void *key)
{
    struct change *change = an_diff_change(diff, ref_num(ref));

    if (change == NULL)
        return;
    if (change->is_new || an_diff_only_from(diff, change->num, accepts, key))
        claim_as(diff, change, diff->main_class);
    else
        an_diff_forbid(diff, change, AN_V_PDF_SHARED);
}

static void
rule_resources(struct diff *diff, const struct an_pdf_obj *a, const struct an_pdf_obj *b, struct change *holder)
{
    static char key[] = "DR";
    const struct an_pdf_obj *x = an_pdf_resolve(diff->pdf, diff->old, a), *y = an_pdf_resolve(diff->pdf, diff->now, b);

    an_diff_each_key(diff, an_diff_holder(diff, b, holder), x, y, judge_category, NULL);
    /* Categories that are objects changed in place. */
    for (size_t i = 0; y->kind == AN_PDF_DICT && i < y->u.dict.count;
         i++) {
        struct change *change = an_diff_change(diff, ref_num(&y->u.dict.entries[i].value));

        if (change && !change->is_new && !change->is_claimed && change->a->kind == AN_PDF_DICT &&
            change->b->kind == AN_PDF_DICT)
            an_diff_each_key(diff, change, change->a, change->b, judge_resource, category_of(y->u.dict.entries[i].key));
    }
    claim_part(diff, b, is_from_form, key);
}

/* ---- the form ---- */

static void
judge_form_key(struct diff *diff, struct change *holder, an_bytes key, const struct an_pdf_obj *a,
               const struct an_pdf_obj *b, void *user)
{
    (void)user;
    if (is_key(key, "Fields") || is_key(key, "DR"))
        return;
    if (is_key(key, "SigFlags") && an_pdf_resolve(diff->pdf, diff->now, b)->kind == AN_PDF_INT)
        claim_as(diff, holder, diff->main_class);
    else if (is_key(key, "NeedAppearances"))
        claim_as(diff, holder, diff->main_class);
    else if ((is_key(key, "DA") || is_key(key, "Q")) && a->kind == AN_PDF_NULL)
        claim_as(diff, holder, diff->main_class);
    else
        an_diff_forbid(diff, holder, AN_V_PDF_FORM_DICT);
}

/* The holder of a direct form dictionary is the catalog. */
void
an_diff_rule_form(struct diff *diff, const struct an_pdf_obj *old_form, const struct an_pdf_obj *new_form,
                  struct change *catalog)
{
    static char fields_key[] = "Fields";
    const struct an_pdf_obj *a = an_pdf_resolve(diff->pdf, diff->old, old_form),
                            *b = an_pdf_resolve(diff->pdf, diff->now, new_form);
    struct change *holder = an_diff_holder(diff, new_form, catalog);
    const struct an_pdf_obj *list = an_pdf_dict_find(b, "Fields");

    if (a->kind == AN_PDF_DICT && b->kind != AN_PDF_DICT) {
        an_diff_forbid(diff, catalog, AN_V_PDF_FORM_DICT);
        return;
    }
    if (b->kind != AN_PDF_DICT)
        return;
    if (!an_diff_same(diff, old_form, new_form))
        claim_as(diff, catalog, diff->main_class);
    if (ref_num(new_form))
        claim_part(diff, new_form, is_from_catalog, NULL);
    an_diff_each_key(diff, holder, a, b, judge_form_key, NULL);
    compare_lists(diff, an_diff_old(diff, a, "Fields"), an_diff_now(diff, b, "Fields"),
                  an_diff_holder(diff, list, holder));
    claim_part(diff, list, is_from_form, fields_key);
    if (an_pdf_dict_find(b, "DR") || an_pdf_dict_find(a, "DR"))
        rule_resources(diff, an_pdf_dict_find(a, "DR"), an_pdf_dict_find(b, "DR"), holder);
}

/* ---- FieldMDP ---- */

/* All, or a list, or all but a list. What is not said right locks everything. */
static void
add_lock(struct diff *diff, const struct an_pdf_obj *parms)
{
    const struct an_pdf_obj *action = an_diff_old(diff, parms, "Action"), *fields = an_diff_old(diff, parms, "Fields");
    bool is_exclude = an_pdf_is_name(action, "Exclude"), has_list = fields->kind == AN_PDF_ARRAY;

    if (!(is_exclude && has_list) && !an_pdf_is_name(action, "Include"))
        diff->lock_all = true;
    else if (diff->lock_count == AN_COUNT(diff->locks))
        diff->lock_all = true;
    else if (has_list)
        diff->locks[diff->lock_count++] = (struct an_diff_lock){is_exclude, fields};
}

static void
find_field_locks(struct diff *diff, const struct an_pdf_sigfield *field)
{
    const struct an_pdf_obj *references = an_diff_old(diff, field->value, "Reference");
    const struct an_pdf_obj *own = an_diff_old(diff, field->field, "Lock");

    if (own->kind == AN_PDF_DICT)
        add_lock(diff, own);
    for (size_t j = 0; references->kind == AN_PDF_ARRAY && j < references->u.array.count; j++) {
        const struct an_pdf_obj *reference = an_pdf_resolve(diff->pdf, diff->old, &references->u.array.items[j]);

        if (an_pdf_is_name(an_diff_old(diff, reference, "TransformMethod"), "FieldMDP"))
            add_lock(diff, an_diff_old(diff, reference, "TransformParams"));
    }
}

static void
find_locks(struct diff *diff)
{
    struct an_pdf_sigfields fields = {0};

    if (diff->lock_known || an_pdf_sigfields(diff->pdf, diff->old, &fields, NULL) != AN_OK)
        return;
    diff->lock_known = true;
    for (size_t i = 0; i < fields.count; i++)
        if (fields.items[i].value && fields.items[i].revision == (int)diff->old)
            find_field_locks(diff, &fields.items[i]);
    an_pdf_sigfields_done(&fields);
}

/* Full name of a field, "a.b.c". */
static void
full_name(struct diff *diff, const struct an_pdf_obj *node, struct an_buf *out, unsigned depth)
{
    const struct an_pdf_obj *part = an_diff_old(diff, node, "T");

    if (node->kind != AN_PDF_DICT || depth > FIELD_DEPTH)
        return;
    full_name(diff, an_diff_old(diff, node, "Parent"), out, depth + 1);
    if (part->kind != AN_PDF_STRING)
        return;
    if (out->len)
        an_buf_byte(out, '.');
    (void)an_pdf_text_of(part, out);
}

static bool
is_listed(struct diff *diff, const struct an_pdf_obj *list, an_bytes name)
{
    bool found = false;

    for (size_t i = 0; i < list->u.array.count && !found; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf locked = an_buf_new(8192);

        (void)an_pdf_text_of(an_pdf_resolve(diff->pdf, diff->old, &list->u.array.items[i]), &locked);
        found = an_bytes_starts_with(name, an_buf_view(&locked)) &&
                (name.len == locked.len || name.ptr[locked.len] == '.');
    }
    return found;
}

static bool
is_locked(struct diff *diff, const struct an_pdf_obj *node)
{
    AN_CLEANUP(an_buf_free) struct an_buf name = an_buf_new(8192);
    bool locked;

    find_locks(diff);
    locked = diff->lock_all;
    if (diff->lock_count && !locked)
        full_name(diff, node, &name, 0);
    for (size_t i = 0; i < diff->lock_count && !locked; i++)
        locked = is_listed(diff, diff->locks[i].fields, an_buf_view(&name)) != diff->locks[i].is_exclude;
    return locked;
}

/* ---- a field that was there ---- */

struct field {
    enum field_kind kind;
    bool was_signed, is_signed, value_changed, state_changed;
    enum an_pdf_change_class class_;
};

static an_diff_accept_fn is_from_appearance;

struct appearance {
    unsigned depth;
    enum an_pdf_change_class class_;
    bool has_owner;
};

/* The dictionary of appearances that is replaced, and a stream of it that is written anew, must not be reached by
 * another way: content drawn elsewhere would hang on them. A stream that is only no longer used here stays what it
 * was. */
static void
check_shared(struct diff *diff, struct change *change, const struct an_pdf_obj *old_ap)
{
    const struct an_pdf_obj *dict = an_pdf_resolve(diff->pdf, diff->old, old_ap);
    uint32_t holder = ref_num(old_ap), look = ref_num(an_pdf_dict_find(dict, "N"));
    struct appearance appearance = {0}, of_look = {0};

    if ((holder && !an_diff_only_from(diff, holder, is_from_appearance, &appearance)) ||
        (an_diff_change(diff, look) && !an_diff_only_from(diff, look, is_from_appearance, &of_look)))
        an_diff_forbid(diff, change, AN_V_PDF_SHARED);
}

static bool
is_read_only_added(const struct an_pdf_obj *a, const struct an_pdf_obj *b)
{
    int64_t before = 0, after = 0;

    (void)an_pdf_int(a, &before);
    return an_pdf_int(b, &after) && after == (before | 1);
}

static void
judge_signature_key(struct diff *diff, struct change *change, an_bytes key, const struct an_pdf_obj *a,
                    const struct an_pdf_obj *b, const struct field *field)
{
    static const char *const with_signing[] = {"V", "AP", "AS", "F", "M", "MK", "DA", "Q", "DR"};
    static const char *const if_absent[] = {"P", "Type", "Rect", "Subtype", "BS", "Border", "H", "TU", "NM"};
    bool is_known = false;

    if (is_key(key, "Ff") && is_read_only_added(a, b)) {
        claim_as(diff, change, field->class_);
        return;
    }
    for (size_t i = 0; i < AN_COUNT(with_signing); i++)
        is_known = is_known || is_key(key, with_signing[i]);
    for (size_t i = 0; i < AN_COUNT(if_absent) && a->kind == AN_PDF_NULL; i++)
        is_known = is_known || is_key(key, if_absent[i]);
    if (field->was_signed || !field->is_signed || !is_known) {
        an_diff_forbid(diff, change, field->was_signed ? AN_V_PDF_SIGNATURE_CHANGED : AN_V_PDF_FIELD);
        return;
    }
    if (is_key(key, "AP"))
        check_shared(diff, change, a);
    claim_as(diff, change, field->class_);
    claim_values(diff, b, field->class_);
}

static void
judge_other_key(struct diff *diff, struct change *change, an_bytes key, const struct an_pdf_obj *a,
                const struct an_pdf_obj *b, const struct field *field)
{
    bool is_value = is_key(key, "V") || is_key(key, "AS") || is_key(key, "I") || is_key(key, "RV") || is_key(key, "M");

    if (is_key(key, "Ff") && is_read_only_added(a, b)) { /* a signature that locks fields sets them read-only */
        claim_as(diff, change, AN_PDF_CHANGE_SIGNATURE);
        return;
    }
    /* A new look for an old value shows the reader something else than what was signed. */
    if (is_key(key, "AP") && (field->value_changed || field->state_changed)) {
        check_shared(diff, change, a);
        is_value = true;
    }
    if (!is_value) {
        an_diff_forbid(diff, change, is_key(key, "AP") ? AN_V_PDF_APPEARANCE : AN_V_PDF_FIELD);
        return;
    }
    if (an_diff_permits(diff, AN_PDF_CHANGE_FORM) && is_locked(diff, change->a))
        an_diff_claim(diff, change, AN_PDF_CHANGE_FORM, false, AN_V_PDF_LOCKED);
    claim_as(diff, change, AN_PDF_CHANGE_FORM);
    claim_values(diff, b, AN_PDF_CHANGE_FORM);
}

/* Kids of a field: more widgets or fields of signatures, never fewer. */
static void
judge_kids(struct diff *diff, struct change *change, const struct an_pdf_obj *a, const struct an_pdf_obj *b)
{
    compare_lists(diff, an_pdf_resolve(diff->pdf, diff->old, a), an_pdf_resolve(diff->pdf, diff->now, b),
                  an_diff_holder(diff, b, change));
    claim_as(diff, change, diff->main_class);
}

static void
judge_field_key(struct diff *diff, struct change *change, an_bytes key, const struct an_pdf_obj *a,
                const struct an_pdf_obj *b, void *user)
{
    const struct field *field = user;

    if (is_key(key, "Kids") && !field->was_signed)
        judge_kids(diff, change, a, b);
    else if (field->kind == FIELD_SIGNATURE)
        judge_signature_key(diff, change, key, a, b, field);
    else
        judge_other_key(diff, change, key, a, b, field);
}

static struct field
describe_field(struct diff *diff, const struct change *change)
{
    struct field field = {.kind = kind_of(diff, diff->old, change->a), .class_ = AN_PDF_CHANGE_SIGNATURE};
    const struct an_pdf_obj *before = inherited(diff, diff->old, change->a, "V"),
                            *after = inherited(diff, diff->now, change->b, "V");

    field.was_signed = field.kind == FIELD_SIGNATURE && before->kind != AN_PDF_NULL;
    field.is_signed = field.kind == FIELD_SIGNATURE && is_signature(diff, after);
    field.value_changed = !an_diff_same(diff, before, after);
    field.state_changed = !an_diff_same(diff, an_pdf_dict_find(change->a, "AS"), an_pdf_dict_find(change->b, "AS"));
    if (field.is_signed)
        field.class_ = signature_class(diff, after);
    return field;
}

/* Dictionaries that mention fields for their own ends: structure elements, actions on fields. */
static bool
is_field_user(const struct an_pdf_obj *dict, uint32_t num)
{
    const struct an_pdf_obj *type = an_pdf_dict_find(dict, "Type");

    if (an_pdf_is_name(type, "OBJR") || an_pdf_is_name(type, "StructElem") || an_pdf_dict_find(dict, "Pg"))
        return an_diff_only_under(dict, "Obj", num) || an_diff_only_under(dict, "K", num);
    if (an_pdf_dict_find(dict, "S"))
        return an_diff_only_under(dict, "T", num) || an_diff_only_under(dict, "Fields", num);
    return false;
}

/* A field that is also something else (a layer configuration, a node of the page tree) could change that under the
 * cover of a permitted value. */
bool
an_diff_is_field_place(struct diff *diff, uint32_t from, const struct an_pdf_obj *referrer, uint32_t num, void *user)
{
    const struct an_pdf_obj *type = an_pdf_dict_find(referrer, "Type");
    const struct an_pdf_obj *form = an_pdf_dict_find(an_pdf_catalog(diff->pdf, diff->old), "AcroForm");

    (void)user;
    if (from == 0)
        return false;
    if (referrer->kind == AN_PDF_ARRAY || from == ref_num(form))
        return true;
    if (an_diff_is_page(referrer))
        return an_diff_only_under(referrer, "Annots", num);
    if (referrer == an_pdf_catalog(diff->pdf, diff->old))
        return an_diff_only_under(referrer, "AcroForm", num);
    if (type == NULL || an_pdf_is_name(type, "Annot"))
        if (an_pdf_dict_find(referrer, "T") || an_pdf_dict_find(referrer, "FT") || an_pdf_dict_find(referrer, "Rect"))
            return true;
    return is_field_user(referrer, num);
}

bool
an_diff_rule_field(struct diff *diff, struct change *change)
{
    const struct an_pdf_obj *type = an_pdf_dict_find(change->a, "Type");
    bool is_widget = an_pdf_is_name(an_pdf_dict_find(change->a, "Subtype"), "Widget");
    bool is_node = an_pdf_dict_find(change->a, "T") || an_pdf_dict_find(change->a, "FT");
    struct field field;

    if (change->a->kind != AN_PDF_DICT || (!is_widget && !is_node) || (type && !an_pdf_is_name(type, "Annot")))
        return false;
    if (change->b->kind != AN_PDF_DICT) {
        an_diff_forbid(diff, change, AN_V_PDF_FIELD_REMOVED);
        return true;
    }
    if (!an_diff_only_from(diff, change->num, an_diff_is_field_place, NULL)) {
        an_diff_forbid(diff, change, AN_V_PDF_SHARED);
        return true;
    }
    field = describe_field(diff, change);
    if (field.kind == FIELD_SIGNATURE && field.is_signed && !field.was_signed) {
        const struct change *signature = an_diff_change(diff, ref_num(an_pdf_dict_find(change->b, "V")));

        if (ref_num(an_pdf_dict_find(change->b, "V")) && (signature == NULL || !signature->is_new))
            an_diff_forbid(diff, change, AN_V_PDF_SIGNATURE_CHANGED);
    }
    an_diff_each_key(diff, change, change->a, change->b, judge_field_key, &field);
    if (!change->is_claimed)
        an_diff_claim(diff, change, AN_PDF_CHANGE_SIGNATURE, true, AN_V_PDF_REWRITTEN);
    return true;
}

/* ---- appearances overwritten in place ---- */

/* May the field this widget shows be drawn anew? */
static bool
may_redraw(struct diff *diff, uint32_t widget, struct appearance *appearance)
{
    const struct an_pdf_obj *a = an_pdf_object(diff->pdf, diff->old, widget),
                            *b = an_pdf_object(diff->pdf, diff->now, widget);
    const struct an_pdf_obj *before = inherited(diff, diff->old, a, "V"), *after = inherited(diff, diff->now, b, "V");

    if (kind_of(diff, diff->old, a) == FIELD_SIGNATURE) {
        appearance->class_ = AN_PDF_CHANGE_SIGNATURE;
        return before->kind == AN_PDF_NULL && is_signature(diff, after);
    }
    appearance->class_ = AN_PDF_CHANGE_FORM;
    return kind_of(diff, diff->old, a) == FIELD_OTHER && !an_diff_same(diff, before, after) && !is_locked(diff, a);
}

static bool
is_from_appearance(struct diff *diff, uint32_t from, const struct an_pdf_obj *referrer, uint32_t num, void *user)
{
    struct appearance *appearance = user;
    bool is_widget =
        an_pdf_is_name(an_pdf_dict_find(referrer, "Subtype"), "Widget") || an_pdf_dict_find(referrer, "FT");

    if (from == 0 || appearance->depth > 4)
        return false;
    if (is_widget) {
        if (!an_diff_only_under(referrer, "AP", num))
            return false;
        appearance->has_owner = may_redraw(diff, from, appearance);
        return appearance->has_owner;
    }
    if (referrer->kind != AN_PDF_DICT || an_pdf_dict_find(referrer, "Type"))
        return false;
    appearance->depth++;
    if (!an_diff_only_from(diff, from, is_from_appearance, appearance))
        return false;
    appearance->depth--;
    return appearance->has_owner;
}

bool
an_diff_rule_appearance(struct diff *diff, struct change *change)
{
    struct appearance appearance = {0};
    bool is_form = change->a->kind == AN_PDF_STREAM && change->b->kind == AN_PDF_STREAM &&
                   an_pdf_is_name(an_pdf_dict_find(change->a, "Subtype"), "Form");
    bool is_dict = change->a->kind == AN_PDF_DICT && change->b->kind == AN_PDF_DICT && an_pdf_dict_find(change->a, "N");

    if (!is_form && !is_dict)
        return false;
    if (!an_diff_only_from(diff, change->num, is_from_appearance, &appearance) || !appearance.has_owner)
        return false;
    claim_as(diff, change, appearance.class_);
    claim_values(diff, change->b, appearance.class_);
    return true;
}
