/* One walk over the form: the wanted field, the signatures, what they lock, and the names that are taken. */
#include "pdf/append.h"

#include "base/limits.h"

struct node {
    const struct an_pdf_obj *field, *kind; /* kind: /FT, own or inherited */
    int64_t flags;
    unsigned depth;
};

struct walk {
    struct an_pdf *pdf;
    struct an_pdf_survey *survey;
    an_bytes wanted;
    struct an_buf name; /* full name of the node at hand */
    size_t count;
};

static bool
is_dict(const struct an_pdf_obj *obj)
{
    return obj && obj->kind == AN_PDF_DICT;
}

static void
note_lock(struct walk *walk, const struct an_pdf_obj *dict)
{
    struct an_pdf_lock *lock;

    if (!is_dict(dict))
        return;
    lock = an_pdf_locks_push(&walk->survey->locks);
    lock->dict = dict;
    lock->owner = an_strdup_bytes(an_buf_view(&walk->name));
}

/* FieldMDP parameters of a signature dictionary. */
static void
note_references(struct walk *walk, const struct an_pdf_obj *signature)
{
    const struct an_pdf_obj *list = an_pdf_at(walk->pdf, AN_PDF_NOW, signature, "Reference");

    for (size_t i = 0; list->kind == AN_PDF_ARRAY && i < list->u.array.count && i < 16; i++) {
        const struct an_pdf_obj *reference = an_pdf_resolve(walk->pdf, AN_PDF_NOW, &list->u.array.items[i]);

        if (an_pdf_is_name(an_pdf_at(walk->pdf, AN_PDF_NOW, reference, "TransformMethod"), "FieldMDP"))
            note_lock(walk, an_pdf_at(walk->pdf, AN_PDF_NOW, reference, "TransformParams"));
    }
}

static void
note_signature(struct walk *walk, const struct an_pdf_obj *field, const struct an_pdf_obj *signature)
{
    const struct an_pdf_obj *kids = an_pdf_at(walk->pdf, AN_PDF_NOW, field, "Kids");

    walk->survey->has_signature = true;
    note_references(walk, signature);
    note_lock(walk, an_pdf_at(walk->pdf, AN_PDF_NOW, field, "Lock"));
    if (kids->kind == AN_PDF_ARRAY && kids->u.array.count > 0)
        field = an_pdf_resolve(walk->pdf, AN_PDF_NOW, &kids->u.array.items[0]);
    *an_pdf_objs_push(&walk->survey->widgets) = field;
}

/* "AnTin" and a number, at the top of the form. */
static void
note_own_name(struct walk *walk)
{
    an_bytes name = an_buf_view(&walk->name);
    uint64_t number = 0;

    if (!an_bytes_starts_with(name, AN_LIT("AnTin")) || name.len > 15)
        return;
    for (size_t i = 5; i < name.len; i++) {
        if (name.ptr[i] < '0' || name.ptr[i] > '9')
            return;
        number = number * 10 + (uint64_t)(name.ptr[i] - '0');
    }
    if (number > walk->survey->own_max)
        walk->survey->own_max = number;
}

static void
note_wanted(struct walk *walk, const struct node *node, bool is_terminal)
{
    an_bytes name = an_buf_view(&walk->name);
    struct an_pdf_survey *survey = walk->survey;

    if (walk->wanted.len == 0 || !an_bytes_starts_with(walk->wanted, name))
        return;
    if (walk->wanted.len == name.len) {
        survey->target = node->field;
        survey->target_kind = node->kind;
        survey->target_flags = node->flags;
        survey->target_is_branch = !is_terminal;
    } else if (walk->wanted.ptr[name.len] == '.' && name.len > survey->ancestor_len) {
        survey->ancestor = node->field;
        survey->ancestor_len = name.len;
        survey->ancestor_is_terminal = is_terminal && (node->kind || an_pdf_dict_find(node->field, "Subtype"));
    }
}

static an_code walk_node(struct walk *walk, const struct an_pdf_obj *field, struct node parent, struct an_err *reterr);

/* Whether the kids are fields of their own (they have names) and not just the places where this one is shown. */
static bool
has_named_kid(struct walk *walk, const struct an_pdf_obj *kids)
{
    for (size_t i = 0; kids->kind == AN_PDF_ARRAY && i < kids->u.array.count && i < 4; i++)
        if (an_pdf_dict_find(an_pdf_resolve(walk->pdf, AN_PDF_NOW, &kids->u.array.items[i]), "T"))
            return true;
    return false;
}

static an_code
walk_kids(struct walk *walk, const struct an_pdf_obj *kids, struct node node, struct an_err *reterr)
{
    for (size_t i = 0; i < kids->u.array.count; i++) {
        const struct an_pdf_obj *kid = an_pdf_resolve(walk->pdf, AN_PDF_NOW, &kids->u.array.items[i]);

        if (is_dict(kid) && an_pdf_dict_find(kid, "T"))
            AN_TRY(walk_node(walk, kid, node, reterr));
    }
    return AN_OK;
}

static an_code
visit_node(struct walk *walk, struct node node, struct an_err *reterr)
{
    const struct an_pdf_obj *kids = an_pdf_at(walk->pdf, AN_PDF_NOW, node.field, "Kids"), *value;
    bool is_terminal = !has_named_kid(walk, kids);

    if (node.depth == 1)
        note_own_name(walk);
    note_wanted(walk, &node, is_terminal);
    if (!is_terminal)
        return walk_kids(walk, kids, node, reterr);
    if (!node.kind || !an_pdf_is_name(node.kind, "Sig"))
        return AN_OK;
    value = an_pdf_at(walk->pdf, AN_PDF_NOW, node.field, "V");
    if (value->kind != AN_PDF_NULL)
        note_signature(walk, node.field, value);
    return AN_OK;
}

static an_code
walk_node(struct walk *walk, const struct an_pdf_obj *field, struct node parent, struct an_err *reterr)
{
    size_t before = walk->name.len;
    struct node node = {.field = field, .kind = parent.kind, .flags = parent.flags, .depth = parent.depth + 1};
    const struct an_pdf_obj *kind = an_pdf_at(walk->pdf, AN_PDF_NOW, field, "FT");
    an_code code;

    if (node.depth > AN_LIMIT_PDF_DEPTH || ++walk->count > AN_LIMIT_PDF_FIELDS)
        AN_FAIL(reterr, AN_E_LIMIT, "form fields, object %u", field->num);
    if (kind->kind == AN_PDF_NAME)
        node.kind = kind;
    an_pdf_int(an_pdf_at(walk->pdf, AN_PDF_NOW, field, "Ff"), &node.flags);
    if (before > 0)
        an_buf_byte(&walk->name, '.');
    an_pdf_text_of(an_pdf_at(walk->pdf, AN_PDF_NOW, field, "T"), &walk->name);
    code = visit_node(walk, node, reterr);
    walk->name.len = before;
    return code;
}

an_code
an_pdf_survey(struct an_pdf *pdf, const char *wanted, struct an_pdf_survey *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf name = an_buf_new(1 << 16);
    struct walk walk = {.pdf = pdf, .survey = ret, .wanted = an_bytes_of_str(wanted), .name = name};
    const struct an_pdf_obj *form;
    an_code code = AN_OK;

    *ret = (struct an_pdf_survey){.catalog = an_pdf_catalog(pdf, AN_PDF_NOW)};
    form = an_pdf_at(pdf, AN_PDF_NOW, ret->catalog, "AcroForm");
    if (!is_dict(form))
        return AN_OK;
    ret->form = form;
    ret->fields = an_pdf_at(pdf, AN_PDF_NOW, form, "Fields");
    if (ret->fields->kind != AN_PDF_ARRAY)
        ret->fields = NULL;
    for (size_t i = 0; ret->fields && i < ret->fields->u.array.count && code == AN_OK; i++) {
        const struct an_pdf_obj *field = an_pdf_resolve(pdf, AN_PDF_NOW, &ret->fields->u.array.items[i]);

        if (is_dict(field))
            code = walk_node(&walk, field, (struct node){0}, reterr);
    }
    name = walk.name; /* so that the grown memory is freed */
    if (code != AN_OK)
        an_pdf_survey_done(ret);
    return code;
}

void
an_pdf_survey_done(struct an_pdf_survey *survey)
{
    for (size_t i = 0; i < survey->locks.count; i++)
        free(survey->locks.items[i].owner);
    an_pdf_locks_done(&survey->locks);
    an_pdf_objs_done(&survey->widgets);
    *survey = (struct an_pdf_survey){0};
}
