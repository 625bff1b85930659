/* Rules for pages and their annotations, and the reason a change is forbidden. */
#include "pdf/diff.h"

bool
an_diff_is_page(const struct an_pdf_obj *obj)
{
    if (obj->kind != AN_PDF_DICT)
        return false;
    return an_pdf_is_name(an_pdf_dict_find(obj, "Type"), "Page") ||
           (an_pdf_dict_find(obj, "MediaBox") && an_pdf_dict_find(obj, "Parent") && !an_pdf_dict_find(obj, "Kids"));
}

/* ---- lists of annotations ---- */

static void
claim_annotation(struct diff *diff, struct change *change)
{
    bool allowed = an_diff_permits(diff, AN_PDF_CHANGE_ANNOTATION);

    an_diff_claim(diff, change, AN_PDF_CHANGE_ANNOTATION, allowed, AN_V_PDF_ANNOTATION);
}

/* What a reviewer writes, and nothing that acts, plays, hides or belongs to the page (Redact, Watermark, …); a kind
 * that is not known may do any of it. */
static bool
is_active(const struct an_pdf_obj *annot)
{
    static const char *const harmless[] = {"Text", "FreeText", "Link", "Line", "Square", "Circle", "Polygon",
                                           "PolyLine", "Highlight",
                                           "Underline", "Squiggly", "StrikeOut", "Stamp", "Caret", "Ink", "Popup",
                                           "FileAttachment"};
    const struct an_pdf_obj *subtype = an_pdf_dict_find(annot, "Subtype");
    bool is_known = false;

    for (size_t i = 0; i < AN_COUNT(harmless); i++)
        is_known = is_known || an_pdf_is_name(subtype, harmless[i]);
    return !is_known || an_pdf_dict_find(annot, "A") || an_pdf_dict_find(annot, "AA");
}

/* An entry that the signed state did not list. */
static void
take_added(struct diff *diff, const struct an_pdf_obj *ref, struct change *holder)
{
    struct change *change = an_diff_change(diff, ref_num(ref));
    const struct an_pdf_obj *annot = an_pdf_resolve(diff->pdf, diff->now, ref);
    bool allowed;

    if (change && change->is_new && !change->is_new_widget && an_pdf_is_name(an_diff_now(diff, annot, "FT"), "Sig"))
        an_diff_take_stray(diff, ref);
    if (change && change->is_new_widget) {
        an_diff_claim(diff, holder, change->class_, change->allowed, change->why);
        return;
    }
    /* The widget of an empty field that stood in the form, but on no page. */
    if (an_pdf_is_name(an_diff_now(diff, annot, "FT"), "Sig") && (change == NULL || !change->is_new)) {
        an_diff_claim(diff, holder, AN_PDF_CHANGE_SIGNATURE, an_diff_permits(diff, AN_PDF_CHANGE_SIGNATURE),
                      AN_V_PDF_SIGNATURE);
        return;
    }
    allowed = an_diff_permits(diff, AN_PDF_CHANGE_ANNOTATION) && !is_active(annot);
    an_diff_claim(diff, holder, AN_PDF_CHANGE_ANNOTATION, allowed, AN_V_PDF_ANNOTATION);
    if (change && change->is_new)
        an_diff_claim(diff, change, AN_PDF_CHANGE_ANNOTATION, allowed, AN_V_PDF_ANNOTATION);
    an_diff_claim_tree(diff, annot, AN_PDF_CHANGE_ANNOTATION, allowed, AN_V_PDF_ANNOTATION);
}

static void
compare_annots(struct diff *diff, const struct an_pdf_obj *a_ref, const struct an_pdf_obj *b_ref, struct change *holder)
{
    const struct an_pdf_obj *a = an_pdf_resolve(diff->pdf, diff->old, a_ref),
                            *b = an_pdf_resolve(diff->pdf, diff->now, b_ref);
    size_t old_count = a->kind == AN_PDF_ARRAY ? a->u.array.count : 0,
           new_count = b->kind == AN_PDF_ARRAY ? b->u.array.count : 0;
    size_t at = 0;

    for (size_t i = 0; i < new_count; i++) {
        if (at < old_count && an_pdf_equal(&a->u.array.items[at], &b->u.array.items[i]))
            at++;
        else
            take_added(diff, &b->u.array.items[i], holder);
    }
    if (at < old_count) {
        bool is_widget = an_pdf_is_name(
            an_diff_old(diff, an_pdf_resolve(diff->pdf, diff->old, &a->u.array.items[at]), "Subtype"), "Widget");

        an_diff_claim(diff, holder, AN_PDF_CHANGE_ANNOTATION,
                      !is_widget && an_diff_permits(diff, AN_PDF_CHANGE_ANNOTATION), AN_V_PDF_ANNOTATION);
    }
}

/* ---- pages ---- */

static an_code
page_fault(an_bytes key)
{
    if (is_key(key, "Contents"))
        return AN_V_PDF_CONTENT;
    if (is_key(key, "Resources"))
        return AN_V_PDF_RESOURCES;
    if (is_key(key, "Parent"))
        return AN_V_PDF_PAGE_TREE;
    return is_key(key, "AA") ? AN_V_PDF_SCRIPT : AN_V_PDF_PAGE;
}

/* "5 0 R" and "[5 0 R]" draw the same. */
static bool
is_wrapped(const struct an_pdf_obj *a, const struct an_pdf_obj *b)
{
    if (a->kind == AN_PDF_ARRAY && a->u.array.count == 1)
        a = &a->u.array.items[0];
    if (b->kind == AN_PDF_ARRAY && b->u.array.count == 1)
        b = &b->u.array.items[0];
    return a->kind == AN_PDF_REF && b->kind == AN_PDF_REF && a->u.ref.num == b->u.ref.num &&
           a->u.ref.gen == b->u.ref.gen;
}

static void
judge_page_key(struct diff *diff, struct change *change, an_bytes key, const struct an_pdf_obj *a,
               const struct an_pdf_obj *b, void *user)
{
    (void)user;
    if (is_key(key, "Annots")) {
        compare_annots(diff, a, b, change);
        if (ref_num(b)) /* a list that became an object of its own */
            an_diff_claim(
                diff, an_diff_change(diff, ref_num(b)), change->is_claimed ? change->class_ : AN_PDF_CHANGE_SIGNATURE,
                !change->is_claimed || change->allowed, change->is_claimed ? change->why : AN_V_PDF_REWRITTEN);
    } else if (is_key(key, "Contents") && is_wrapped(a, b)) {
        an_diff_claim(diff, change, AN_PDF_CHANGE_SIGNATURE, true, AN_V_PDF_REWRITTEN);
    } else if (is_key(key, "LastModified") || (is_key(key, "Tabs") && a->kind == AN_PDF_NULL)) {
        an_diff_claim(diff, change, AN_PDF_CHANGE_METADATA, true, AN_V_PDF_METADATA);
    } else {
        an_diff_forbid(diff, change, page_fault(key));
    }
}

void
an_diff_rule_page(struct diff *diff, struct change *change)
{
    if (!an_diff_is_page(change->b)) {
        an_diff_forbid(diff, change, AN_V_PDF_PAGE_TREE);
        return;
    }
    an_diff_each_key(diff, change, change->a, change->b, judge_page_key, NULL);
    if (!change->is_claimed)
        an_diff_claim(diff, change, AN_PDF_CHANGE_SIGNATURE, true, AN_V_PDF_REWRITTEN);
}

/* ---- lists that are objects of their own ---- */

struct annots {
    uint32_t page;
};

static bool
is_from_page(struct diff *diff, uint32_t from, const struct an_pdf_obj *referrer, uint32_t num, void *user)
{
    struct annots *annots = user;

    (void)diff;
    if (!an_diff_is_page(referrer) || !an_diff_only_under(referrer, "Annots", num))
        return false;
    annots->page = from;
    return true;
}

static bool
is_from_field(struct diff *diff, uint32_t from, const struct an_pdf_obj *referrer, uint32_t num, void *user)
{
    struct annots *annots = user;

    (void)diff;
    if (!an_pdf_dict_find(referrer, "T") || an_pdf_dict_find(referrer, "Type") ||
        !an_diff_only_under(referrer, "Kids", num))
        return false;
    annots->page = from;
    return true;
}

bool
an_diff_rule_annots(struct diff *diff, struct change *change)
{
    struct annots annots = {0};

    if (change->a->kind != AN_PDF_ARRAY || change->b->kind != AN_PDF_ARRAY)
        return false;
    if (an_diff_only_from(diff, change->num, is_from_page, &annots) && annots.page) {
        compare_annots(diff, change->a, change->b, change);
        return change->is_claimed;
    }
    annots.page = 0;
    if (!an_diff_only_from(diff, change->num, is_from_field, &annots) || !annots.page)
        return false;
    compare_annots(diff, change->a, change->b, change); /* kids of a field: only widgets of new fields pass */
    return change->is_claimed;
}

bool
an_diff_rule_annotation(struct diff *diff, struct change *change)
{
    const struct an_pdf_obj *a = change->a, *b = change->b;

    const struct an_pdf_obj *type = an_pdf_dict_find(a, "Type");

    if ((type && !an_pdf_is_name(type, "Annot")) || !an_diff_only_from(diff, change->num, an_diff_is_field_place, NULL))
        return false;
    if (a->kind != AN_PDF_DICT || !an_pdf_dict_find(a, "Subtype") || !an_pdf_dict_find(a, "Rect") ||
        an_pdf_is_name(an_pdf_dict_find(a, "Subtype"), "Widget"))
        return false;
    if (b->kind == AN_PDF_DICT && (!an_diff_same(diff, an_pdf_dict_find(a, "A"), an_pdf_dict_find(b, "A")) ||
                                   !an_diff_same(diff, an_pdf_dict_find(a, "AA"), an_pdf_dict_find(b, "AA"))))
        an_diff_forbid(diff, change, AN_V_PDF_SCRIPT);
    claim_annotation(diff, change);
    an_diff_claim_tree(diff, b, AN_PDF_CHANGE_ANNOTATION, an_diff_permits(diff, AN_PDF_CHANGE_ANNOTATION),
                       AN_V_PDF_ANNOTATION);
    return true;
}

/* ---- reasons ---- */

an_code
an_diff_why_forbidden(struct diff *diff, const struct change *change)
{
    const struct an_pdf_obj *obj = change->is_new ? change->b : change->a, *type = an_pdf_dict_find(obj, "Type");

    (void)diff;
    if (change->is_gone)
        return AN_V_PDF_REMOVED;
    if (an_pdf_is_name(type, "Font") || an_pdf_is_name(type, "FontDescriptor") || an_pdf_dict_find(obj, "Length1"))
        return AN_V_PDF_FONT;
    if (an_pdf_is_name(type, "Page") || an_pdf_is_name(type, "Pages"))
        return AN_V_PDF_PAGE_TREE;
    if (an_pdf_is_name(an_pdf_dict_find(obj, "S"), "JavaScript") || an_pdf_is_name(type, "Action"))
        return AN_V_PDF_SCRIPT;
    if (an_pdf_dict_find(obj, "ByteRange"))
        return AN_V_PDF_SIGNATURE_CHANGED;
    if (an_pdf_dict_find(obj, "Font") || an_pdf_dict_find(obj, "XObject") || an_pdf_dict_find(obj, "ProcSet"))
        return AN_V_PDF_RESOURCES;
    return obj->kind == AN_PDF_STREAM ? AN_V_PDF_CONTENT : AN_V_PDF_OBJECT;
}
