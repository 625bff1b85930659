/*
 * The field that carries the signature: an existing empty one, or a new one with its place in the form and on the page
 * (ISO 32000-2, 12.7). Only objects that must change are written again.
 */
#include "pdf/append.h"

#include "base/limits.h"

#include <math.h>

#define WIDGET_FLAGS 132 /* Print and Locked */
#define WIDGETS_MAX 64   /* places where one signature is shown; more is nonsense */

static void
emit_key_ref(struct an_pdf_append *append, const char *key, uint32_t num, uint16_t gen)
{
    an_buf_str(append->out, key);
    an_buf_byte(append->out, ' ');
    an_pdf_emit_ref(append->out, num, gen);
}

static void
emit_rect(struct an_buf *out, struct an_pdf_rect rect)
{
    const double sides[4] = {rect.x0, rect.y0, rect.x1, rect.y1};

    an_buf_str(out, "/Rect[");
    for (size_t i = 0; i < 4; i++) {
        if (i > 0)
            an_buf_byte(out, ' ');
        an_pdf_emit_number(out, sides[i], 3);
    }
    an_buf_byte(out, ']');
}

static bool
is_empty(struct an_pdf_rect rect)
{
    return !(rect.x1 - rect.x0 > 0.01) || !(rect.y1 - rect.y0 > 0.01);
}

/* ---- lists that get one more reference ---- */
/* The array itself, when it is an object of its own. */
static void
rewrite_array(struct an_pdf_append *append, const struct an_pdf_obj *array, uint32_t num)
{
    an_pdf_append_open(append, array->num, array->gen);
    an_buf_byte(append->out, '[');
    an_pdf_emit_items(append, array);
    an_buf_byte(append->out, ' ');
    an_pdf_emit_ref(append->out, num, 0);
    an_buf_byte(append->out, ']');
    an_pdf_append_close(append);
}

void
an_pdf_emit_longer_list(struct an_pdf_append *append, const char *key, const struct an_pdf_obj *array, uint32_t num)
{
    an_buf_str(append->out, key);
    an_buf_byte(append->out, '[');
    if (array && array->kind == AN_PDF_ARRAY && array->u.array.count > 0) {
        an_pdf_emit_items(append, array);
        an_buf_byte(append->out, ' ');
    }
    an_pdf_emit_ref(append->out, num, 0);
    an_buf_byte(append->out, ']');
}

static void
add_to_page(struct an_pdf_append *append, struct an_pdf_field_job *job, uint32_t num)
{
    static const char *const except[] = {"Annots", NULL};
    const struct an_pdf_page *page = &job->page;
    const struct an_pdf_obj *list = an_pdf_at(append->pdf, AN_PDF_NOW, page->dict, "Annots");

    if (list->kind == AN_PDF_ARRAY && list->num != 0) {
        rewrite_array(append, list, num);
        return;
    }
    if (job->what->footer) { /* the page is written again anyway */
        job->page_annot = num;
        return;
    }
    an_pdf_append_open(append, page->num, page->gen);
    an_buf_str(append->out, "<<");
    an_pdf_emit_entries(append, page->dict, except);
    an_pdf_emit_longer_list(append, "/Annots", list, num);
    an_buf_str(append->out, ">>");
    an_pdf_append_close(append);
}

/* ---- the form and the catalog ---- */
static int64_t
signature_flags(struct an_pdf_append *append, const struct an_pdf_obj *form)
{
    int64_t flags = 0;

    an_pdf_int(an_pdf_at(append->pdf, AN_PDF_NOW, form, "SigFlags"), &flags);
    return flags;
}

/* added: a new top field whose reference goes into a direct /Fields, 0 = none. */
static void
emit_form(struct an_pdf_append *append, const struct an_pdf_survey *survey, uint32_t added)
{
    const char *const except[] = {"SigFlags", added ? "Fields" : NULL, NULL};

    an_buf_str(append->out, "<<");
    an_pdf_emit_entries(append, survey->form, except);
    if (added)
        an_pdf_emit_longer_list(append, "/Fields", survey->fields, added);
    an_buf_printf(append->out, "/SigFlags %lld>>", (long long)(signature_flags(append, survey->form) | 3));
}

static void
emit_permissions(struct an_pdf_append *append, const struct an_pdf_obj *catalog, uint32_t sig_num)
{
    static const char *const except[] = {"DocMDP", NULL};

    an_buf_str(append->out, "/Perms<<");
    an_pdf_emit_entries(append, an_pdf_at(append->pdf, AN_PDF_NOW, catalog, "Perms"), except);
    emit_key_ref(append, "/DocMDP", sig_num, 0);
    an_buf_str(append->out, ">>");
}

struct catalog_change {
    uint32_t form_num;        /* a new form object, 0 = none */
    bool inline_form;         /* the form stands in the catalog and changes */
    uint32_t added;           /* top field to add to it */
    uint32_t certification;   /* signature for /Perms, 0 = none */
};

static void
rewrite_catalog(struct an_pdf_append *append, const struct an_pdf_survey *survey, const struct catalog_change *change)
{
    const char *except[3] = {NULL};
    size_t n = 0;

    if (change->form_num || change->inline_form)
        except[n++] = "AcroForm";
    if (change->certification)
        except[n++] = "Perms";
    an_pdf_append_open(append, survey->catalog->num, survey->catalog->gen);
    an_buf_str(append->out, "<<");
    an_pdf_emit_entries(append, survey->catalog, except);
    if (change->form_num)
        emit_key_ref(append, "/AcroForm", change->form_num, 0);
    if (change->inline_form) {
        an_buf_str(append->out, "/AcroForm");
        emit_form(append, survey, change->added);
    }
    if (change->certification)
        emit_permissions(append, survey->catalog, change->certification);
    an_buf_str(append->out, ">>");
    an_pdf_append_close(append);
}

/* added: number of a new top field, 0 = the field is in the form already. */
static void
update_form(struct an_pdf_append *append, const struct an_pdf_survey *survey, uint32_t added, uint32_t certification)
{
    struct catalog_change change = {.added = added, .certification = certification};

    if (!survey->form) {
        change.form_num = an_pdf_append_new(append);
        an_pdf_append_open(append, change.form_num, 0);
        an_buf_printf(append->out, "<</Fields[%u 0 R]/SigFlags 3>>", added);
        an_pdf_append_close(append);
    } else {
        if (added && survey->fields && survey->fields->num != 0) {
            rewrite_array(append, survey->fields, added);
            change.added = 0;
        }
        if (change.added || (signature_flags(append, survey->form) & 3) != 3) {
            change.inline_form = survey->form->num == 0;
            if (!change.inline_form) {
                an_pdf_append_open(append, survey->form->num, survey->form->gen);
                emit_form(append, survey, change.added);
                an_pdf_append_close(append);
            }
        }
    }
    if (change.form_num || change.inline_form || certification)
        rewrite_catalog(append, survey, &change);
}

/* ---- the appearance of a widget ---- */
/* Where a widget stands and how its page is turned. */
struct spot { struct an_pdf_rect rect; int rotate; };

static bool
is_page_listing(struct an_pdf *pdf, const struct an_pdf_obj *page)
{
    return page->kind == AN_PDF_DICT && an_pdf_is_name(an_pdf_at(pdf, AN_PDF_NOW, page, "Type"), "Page");
}

/* /Rotate of the page a widget names, own or inherited; the wanted page's when it names none. */
static int
rotation_of(struct an_pdf_append *append, const struct an_pdf_obj *widget, const struct an_pdf_field_job *job)
{
    const struct an_pdf_obj *node = an_pdf_at(append->pdf, AN_PDF_NOW, widget, "P");
    int64_t rotate = 0;

    if (!is_page_listing(append->pdf, node))
        return job->has_page ? job->page.rotate : 0;
    for (int depth = 0; depth < AN_LIMIT_PDF_PAGE_DEPTH && node->kind == AN_PDF_DICT; depth++) {
        if (an_pdf_int(an_pdf_at(append->pdf, AN_PDF_NOW, node, "Rotate"), &rotate))
            break;
        node = an_pdf_at(append->pdf, AN_PDF_NOW, node, "Parent");
    }
    rotate %= 360;
    return (int)((rotate + 360) % 360 / 90 * 90);
}

/* ret: 0 when the field shows nothing and needs nothing. */
static an_code
write_look(struct an_pdf_append *append, const struct an_pdf_field_job *job, struct spot spot, uint32_t *ret,
           struct an_err *reterr)
{
    *ret = 0;
    if (job->what->visible && job->what->appearance && !is_empty(spot.rect))
        return an_pdf_appearance_write(append, &job->survey, job->what->appearance, spot.rotate, spot.rect, ret,
                                       reterr);
    if (an_pdf_pdfa_part(append->pdf) != 0)
        *ret = an_pdf_appearance_empty(append);
    return AN_OK;
}

static void
emit_look(struct an_pdf_append *append, uint32_t look)
{
    if (look)
        an_buf_printf(append->out, "/AP<</N %u 0 R>>", look);
}

static void
emit_lock(struct an_pdf_append *append, const struct an_pdf_field_job *job)
{
    if (job->what->lock == AN_PDF_LOCK_ALL)
        an_buf_str(append->out, "/Lock<</Type/SigFieldLock/Action/All>>");
}

/* ---- an existing field ---- */
/* The first place where a field is shown: the field itself or its first kid; NULL = nowhere. */
static const struct an_pdf_obj *
find_widget(struct an_pdf *pdf, const struct an_pdf_obj *field)
{
    const struct an_pdf_obj *kids = an_pdf_at(pdf, AN_PDF_NOW, field, "Kids"), *kid;

    if (an_pdf_dict_find(field, "Rect"))
        return field;
    if (kids->kind != AN_PDF_ARRAY || kids->u.array.count == 0)
        return NULL;
    kid = an_pdf_resolve(pdf, AN_PDF_NOW, &kids->u.array.items[0]);
    return kid->kind == AN_PDF_DICT && kid->num != 0 ? kid : NULL;
}

static void
emit_widget(struct an_pdf_append *append, const struct an_pdf_field_job *job, struct an_pdf_rect rect)
{
    an_buf_str(append->out, "/Type/Annot/Subtype/Widget");
    if (job->has_page)
        emit_key_ref(append, "/P", job->page.num, job->page.gen);
    emit_rect(append->out, rect);
    an_buf_printf(append->out, "/F %d", WIDGET_FLAGS);
}

/* Rewrites the field, or a widget that is an object of its own. Both get /V: it belongs to the field, but poppler and
 * what is built on it look for it in the widget. */
static void
rewrite_field(struct an_pdf_append *append, const struct an_pdf_field_job *job, const struct an_pdf_obj *obj,
              bool is_field, const struct an_pdf_rect *new_rect, uint32_t look)
{
    const char *except[8] = {NULL};
    size_t n = 0;
    bool shown = an_pdf_dict_find(obj, "Rect") != NULL;

    except[n++] = "V";
    if (look)
        except[n++] = "AP";
    if (new_rect)
        except[n++] = "Rect";
    if (is_field && job->what->lock == AN_PDF_LOCK_ALL)
        except[n++] = "Lock";
    an_pdf_append_open(append, obj->num, obj->gen);
    an_buf_str(append->out, "<<");
    an_pdf_emit_entries(append, obj, except);
    emit_key_ref(append, "/V", job->sig_num, 0);
    if (is_field)
        emit_lock(append, job);
    if (new_rect && !shown)
        emit_widget(append, job, *new_rect);
    else if (new_rect)
        emit_rect(append->out, *new_rect);
    if (look && shown && !an_pdf_dict_find(obj, "F"))
        an_buf_str(append->out, "/F 4");
    emit_look(append, look);
    an_buf_str(append->out, ">>");
    an_pdf_append_close(append);
}

/* A signature shown in several places is found by each of them; only the first one is drawn. */
static void
rewrite_other_widgets(struct an_pdf_append *append, const struct an_pdf_field_job *job, const struct an_pdf_obj *field)
{
    const struct an_pdf_obj *kids = an_pdf_at(append->pdf, AN_PDF_NOW, field, "Kids");

    for (size_t i = 1; kids->kind == AN_PDF_ARRAY && i < kids->u.array.count && i < WIDGETS_MAX; i++) {
        const struct an_pdf_obj *kid = an_pdf_resolve(append->pdf, AN_PDF_NOW, &kids->u.array.items[i]);
        bool again = kid->kind != AN_PDF_DICT || kid->num == 0;

        for (size_t j = 0; j < append->written.count && !again; j++)
            again = append->written.items[j].num == kid->num;
        if (!again)
            rewrite_field(append, job, kid, false, NULL, 0);
    }
}

static an_code
sign_existing(struct an_pdf_append *append, struct an_pdf_field_job *job, struct an_err *reterr)
{
    const struct an_pdf_obj *field = job->survey.target, *widget = find_widget(append->pdf, field);
    struct an_pdf_rect wanted = {0};
    struct spot spot = {.rotate = rotation_of(append, widget ? widget : field, job)};
    bool has_rect = widget && an_pdf_rect_of(append->pdf, AN_PDF_NOW, an_pdf_dict_find(widget, "Rect"), &spot.rect);
    bool moves = !widget || (job->what->visible && job->has_page && (!has_rect || is_empty(spot.rect)));
    uint32_t look = 0;

    if (moves && job->what->visible && job->has_page) {
        wanted = an_pdf_place_rect(&job->page, job->what->rect);
        spot = (struct spot){wanted, job->page.rotate};
    }
    AN_TRY(write_look(append, job, spot, &look, reterr));
    if (widget && widget != field) {
        rewrite_field(append, job, field, true, NULL, 0);
        rewrite_field(append, job, widget, false, moves ? &wanted : NULL, look);
        rewrite_other_widgets(append, job, field);
    } else {
        rewrite_field(append, job, field, true, moves ? &wanted : NULL, look);
    }
    if (!widget && job->has_page)
        add_to_page(append, job, field->num);
    update_form(append, &job->survey, 0, job->what->docmdp ? job->sig_num : 0);
    return AN_OK;
}

/* ---- a new field ---- */
static void
write_branch(struct an_pdf_append *append, uint32_t num, uint32_t parent, uint16_t parent_gen, an_bytes name,
             uint32_t kid)
{
    an_pdf_append_open(append, num, 0);
    an_buf_str(append->out, "<</T");
    an_pdf_emit_text(append, name);
    if (parent)
        emit_key_ref(append, "/Parent", parent, parent_gen);
    an_buf_printf(append->out, "/Kids[%u 0 R]>>", kid);
    an_pdf_append_close(append);
}

static void
rewrite_ancestor(struct an_pdf_append *append, const struct an_pdf_obj *ancestor, uint32_t kid)
{
    static const char *const except[] = {"Kids", NULL};
    const struct an_pdf_obj *kids = an_pdf_at(append->pdf, AN_PDF_NOW, ancestor, "Kids");

    if (kids->kind == AN_PDF_ARRAY && kids->num != 0) {
        rewrite_array(append, kids, kid);
        return;
    }
    an_pdf_append_open(append, ancestor->num, ancestor->gen);
    an_buf_str(append->out, "<<");
    an_pdf_emit_entries(append, ancestor, except);
    an_pdf_emit_longer_list(append, "/Kids", kids, kid);
    an_buf_str(append->out, ">>");
    an_pdf_append_close(append);
}

struct branch { uint32_t top, parent; uint16_t parent_gen; an_bytes leaf; };

/* The parts of a dotted name that are not there become fields without a kind, each the parent of the next.
 * ret_branch->top: what must be added to the form, 0 = nothing. */
static struct branch
write_branches(struct an_pdf_append *append, const struct an_pdf_field_job *job, uint32_t leaf_num)
{
    const struct an_pdf_obj *ancestor = job->survey.ancestor;
    an_bytes rest = an_bytes_of_str(job->name);
    struct branch branch = {0};
    uint32_t own = 0;

    if (ancestor) {
        rest = an_bytes_slice(rest, job->survey.ancestor_len + 1, rest.len);
        branch.parent = ancestor->num;
        branch.parent_gen = ancestor->gen;
    }
    for (size_t dot; (dot = an_bytes_find(rest, AN_LIT("."), 0)) != SIZE_MAX;) {
        bool is_last;
        uint32_t num = own ? own : an_pdf_append_new(append), kid;

        is_last = an_bytes_find(rest, AN_LIT("."), dot + 1) == SIZE_MAX;
        kid = is_last ? leaf_num : an_pdf_append_new(append);
        write_branch(append, num, branch.parent, branch.parent_gen, AN_BYTES(rest.ptr, dot), kid);
        if (!branch.top)
            branch.top = num;
        branch.parent = num;
        branch.parent_gen = 0;
        own = kid;
        rest = an_bytes_slice(rest, dot + 1, rest.len);
    }
    if (!branch.top)
        branch.top = leaf_num;
    if (ancestor) {
        rewrite_ancestor(append, ancestor, branch.top);
        branch.top = 0;
    }
    branch.leaf = rest;
    return branch;
}

static an_code
write_new_field(struct an_pdf_append *append, const struct an_pdf_field_job *job, uint32_t num,
                const struct branch *branch, struct spot spot, struct an_err *reterr)
{
    uint32_t look = 0;

    AN_TRY(write_look(append, job, spot, &look, reterr));
    an_pdf_append_open(append, num, 0);
    an_buf_str(append->out, "<<");
    emit_widget(append, job, spot.rect);
    an_buf_str(append->out, "/FT/Sig/T");
    if (!an_pdf_emit_text(append, branch->leaf))
        AN_FAIL(reterr, AN_E_PDF_TEXT, "/T");
    if (branch->parent)
        emit_key_ref(append, "/Parent", branch->parent, branch->parent_gen);
    emit_key_ref(append, "/V", job->sig_num, 0);
    emit_lock(append, job);
    emit_look(append, look);
    an_buf_str(append->out, ">>");
    an_pdf_append_close(append);
    return AN_OK;
}

static an_code
sign_new(struct an_pdf_append *append, struct an_pdf_field_job *job, struct an_err *reterr)
{
    uint32_t num = an_pdf_append_new(append);
    struct branch branch;
    struct spot spot = {.rotate = job->has_page ? job->page.rotate : 0};

    if (job->what->visible)
        spot.rect = an_pdf_place_rect(&job->page, job->what->rect);
    branch = write_branches(append, job, num);
    AN_TRY(write_new_field(append, job, num, &branch, spot, reterr));
    if (job->has_page)
        add_to_page(append, job, num);
    update_form(append, &job->survey, branch.top, job->what->docmdp ? job->sig_num : 0);
    return AN_OK;
}

an_code
an_pdf_field_write(struct an_pdf_append *append, struct an_pdf_field_job *job, struct an_err *reterr)
{
    return job->survey.target ? sign_existing(append, job, reterr) : sign_new(append, job, reterr);
}
