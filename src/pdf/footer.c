/*
 * Text in the bottom margin of every page, in the update that carries the signature. It is drawn once, as a form
 * object; each page gets two more content streams around its own (mostly shared by all pages) and one more resource.
 */
#include "pdf/append.h"

#include "base/limits.h"
#include "base/map.h"

#include <stdio.h>

#define CONTENT_MAX ((size_t)16 * 1024 * 1024) /* page content that is looked into; more is taken to be balanced */
#define NAMES_MAX 1000

struct shared { uint32_t num, name; }; /* resources that several pages have in common, with ours added */

struct footer {
    struct an_pdf_append *append;
    struct an_pdf_field_job *job;
    uint32_t form;
    double width;              /* of the form */
    struct an_map *streams;    /* content → struct shared */
    struct an_map *resources;  /* place of a shared dictionary → struct shared */
    struct an_arena *kept, *brief;
    size_t written_before;
};

/* ---- the form ---- */

/* Boxes of text from the lower edge of the page up, so that the form stands on that edge. */
static an_code
draw_form(struct footer *footer, struct an_err *reterr)
{
    const struct an_pdf_footer *what = footer->job->what->footer;
    struct an_pdf_text_line lines[8];
    struct an_pdf_appearance look = {.font = what->font, .lines = lines, .line_count = what->line_count};

    if (what->line_count == 0 || what->line_count > AN_COUNT(lines))
        AN_FAIL(reterr, AN_E_INTERNAL, "footer of %zu lines", what->line_count);
    for (size_t i = 0; i < what->line_count; i++) {
        double top = what->lines[i].baseline + what->lines[i].size_pt, wide;

        lines[i] = what->lines[i];
        wide = an_pdf_font_width(what->font, an_bytes_of_str(lines[i].text), lines[i].size_pt);
        lines[i].x = wide; /* the width, until the line is centred */
        look.width = wide + 4 > look.width ? wide + 4 : look.width;
        look.height = top > look.height ? top : look.height;
    }
    for (size_t i = 0; i < what->line_count; i++)
        lines[i].x = (look.width - lines[i].x) / 2;
    footer->width = look.width;
    return an_pdf_appearance_write(footer->append, &footer->job->survey, &look, 0,
                                   (struct an_pdf_rect){0, 0, look.width, look.height}, &footer->form, reterr);
}

/* ---- content ---- */

/* A stream with this content: one object for all pages that need it. */
static uint32_t
use_stream(struct footer *footer, an_bytes content)
{
    struct shared *known = an_map_find(footer->streams, content);

    if (known == NULL) {
        known = an_arena_alloc(footer->kept, sizeof(*known));
        if (known == NULL)
            return 0;
        known->num = an_pdf_append_new(footer->append);
        an_pdf_append_stream(footer->append, known->num, AN_NONE, content);
        an_map_put(footer->streams, content, known);
    }
    return known->num;
}

/* From the form's place to the page's own coordinates: upright for the reader, centred, on the lower edge. */
static void
emit_placement(struct footer *footer, const struct an_pdf_page *page, struct an_buf *out)
{
    struct an_pdf_rect seen = {0, 0, 1, 1}, origin, box = page->crop;
    double unit = page->user_unit, side = footer->job->what->footer->side, scale, left;
    bool turned = page->rotate == 90 || page->rotate == 270;
    double width = (turned ? box.y1 - box.y0 : box.x1 - box.x0) * unit;
    static const int8_t turns[4][4] = {{1, 0, 0, 1}, {0, 1, -1, 0}, {-1, 0, 0, -1}, {0, -1, 1, 0}};
    const int8_t *turn = turns[page->rotate / 90 & 3];

    scale = width - 2 * side < footer->width ? (width - 2 * side) / footer->width : 1;
    scale = scale > 0.1 ? scale : 0.1;
    left = (width - scale * footer->width) / 2;
    seen = (struct an_pdf_rect){left, 0, left, 0};
    origin = an_pdf_place_rect(page, seen);
    for (size_t i = 0; i < 4; i++) {
        an_pdf_emit_number(out, turn[i] * scale / unit, 5);
        an_buf_byte(out, ' ');
    }
    an_pdf_emit_number(out, origin.x0, 3);
    an_buf_byte(out, ' ');
    an_pdf_emit_number(out, origin.y0, 3);
    an_buf_str(out, " cm");
}

static void
scan_stream(struct footer *footer, const struct an_pdf_obj *ref, struct an_pdf_balance *balance)
{
    AN_CLEANUP(an_buf_free) struct an_buf content = an_buf_new(CONTENT_MAX);
    const struct an_pdf_obj *stream = ref;

    if (ref->kind == AN_PDF_REF)
        stream = an_pdf_object_brief(footer->append->pdf, footer->brief, ref->u.ref.num);
    if (stream->kind == AN_PDF_STREAM &&
        an_pdf_stream_data(footer->append->pdf, stream, CONTENT_MAX, &content, NULL) == AN_OK)
        an_pdf_balance_scan(an_buf_view(&content), balance);
}

/* The page's own content: one stream, or an array of them, which may be an object of its own. */
static const struct an_pdf_obj *
own_content(struct footer *footer, const struct an_pdf_page *page, struct an_pdf_balance *balance)
{
    const struct an_pdf_obj *value = an_pdf_dict_find(page->dict, "Contents"), *list = value;

    if (value && value->kind == AN_PDF_REF)
        list = an_pdf_object_brief(footer->append->pdf, footer->brief, value->u.ref.num);
    if (list == NULL || (list->kind != AN_PDF_ARRAY && list->kind != AN_PDF_STREAM))
        return NULL;
    if (list->kind == AN_PDF_STREAM) {
        scan_stream(footer, value, balance);
        return value;
    }
    for (size_t i = 0; i < list->u.array.count; i++)
        scan_stream(footer, &list->u.array.items[i], balance);
    return list->u.array.count ? list : NULL;
}

struct content { uint32_t before, after; const struct an_pdf_obj *own; };

static an_code
write_content(struct footer *footer, const struct an_pdf_page *page, uint32_t name, struct content *ret,
              struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf before = an_buf_new(CONTENT_MAX), after = an_buf_new(CONTENT_MAX);
    struct an_pdf_balance balance = {0};

    ret->own = own_content(footer, page, &balance);
    for (unsigned i = 0; i <= balance.excess && ret->own; i++)
        an_buf_str(&before, "q\n");
    an_buf_str(&after, balance.in_text ? "\nET\n" : "\n");
    for (unsigned i = 0; i <= balance.open && ret->own; i++)
        an_buf_str(&after, "Q\n");
    an_buf_str(&after, "/Artifact<</Type/Pagination/Subtype/Footer>>BDC\nq ");
    emit_placement(footer, page, &after);
    an_buf_printf(&after, "/AnTinFooter%u Do Q\nEMC\n", name);
    if (!an_buf_ok(&before) || !an_buf_ok(&after))
        AN_FAIL(reterr, AN_E_PDF_APPEND, "content of page object %u", page->num);
    ret->before = ret->own ? use_stream(footer, an_buf_view(&before)) : 0;
    ret->after = use_stream(footer, an_buf_view(&after));
    return AN_OK;
}

static void
emit_content(struct footer *footer, const struct content *content)
{
    struct an_pdf_append *append = footer->append;

    an_buf_str(append->out, "/Contents[");
    if (content->own) {
        an_pdf_emit_ref(append->out, content->before, 0);
        an_buf_byte(append->out, ' ');
        if (content->own->kind == AN_PDF_ARRAY)
            an_pdf_emit_items(append, content->own);
        else
            an_pdf_emit_value(append, content->own);
        an_buf_byte(append->out, ' ');
    }
    an_pdf_emit_ref(append->out, content->after, 0);
    an_buf_byte(append->out, ']');
}

/* ---- resources ---- */

static uint32_t
free_name(struct footer *footer, const struct an_pdf_obj *resources)
{
    const struct an_pdf_obj *objects = an_pdf_at(footer->append->pdf, AN_PDF_NOW, resources, "XObject");
    char name[32];
    uint32_t n = 1;

    for (; n < NAMES_MAX; n++) {
        snprintf(name, sizeof name, "AnTinFooter%u", n);
        if (!an_pdf_dict_find(objects, name))
            break;
    }
    return n;
}

static void
emit_resources(struct footer *footer, const struct an_pdf_obj *resources, uint32_t name)
{
    static const char *const except[] = {"XObject", NULL};
    struct an_pdf_append *append = footer->append;

    an_buf_str(append->out, "<<");
    an_pdf_emit_entries(append, resources, except);
    an_buf_str(append->out, "/XObject<<");
    an_pdf_emit_entries(append, an_pdf_at(append->pdf, AN_PDF_NOW, resources, "XObject"), NULL);
    an_buf_printf(append->out, "/AnTinFooter%u %u 0 R>>>>", name, footer->form);
}

/* Resources that an object of their own or a branch of the tree holds are written again once for all their pages.
 * ret->num stays 0 when they stand in the page itself. */
static void
write_resources(struct footer *footer, const struct an_pdf_page *page, const struct an_pdf_obj *value,
                const struct an_pdf_obj *resources, struct shared *ret)
{
    uint64_t key[2] = {resources->offset, resources->container};
    struct shared *known = an_map_find(footer->resources, AN_BYTES(key, sizeof key));

    *ret = (struct shared){.name = known ? known->name : free_name(footer, resources)};
    if (value == NULL || (value->kind != AN_PDF_REF && value == an_pdf_dict_find(page->dict, "Resources")))
        return;
    if (known == NULL) {
        ret->num = an_pdf_append_new(footer->append);
        an_pdf_append_open(footer->append, ret->num, 0);
        emit_resources(footer, resources, ret->name);
        an_pdf_append_close(footer->append);
        known = an_arena_alloc(footer->kept, sizeof(*known));
        if (known == NULL)
            return;
        *known = *ret;
        an_map_put(footer->resources, AN_BYTES(key, sizeof key), known);
    }
    ret->num = known->num;
}

/* ---- one page ---- */

static an_code
check_page(struct footer *footer, const struct an_pdf_page *page, struct an_err *reterr)
{
    if (page->num == 0)
        AN_FAIL(reterr, AN_E_PDF_APPEND, "page object %u", page->num);
    for (size_t i = 0; i < footer->written_before; i++)
        if (footer->append->written.items[i].num == page->num)
            AN_FAIL(reterr, AN_E_PDF_APPEND, "page object %u", page->num);
    return AN_OK;
}

static void
emit_page(struct footer *footer, const struct an_pdf_page *page, const struct content *content,
          const struct an_pdf_obj *resources, const struct shared *shared)
{
    struct an_pdf_append *append = footer->append;
    bool lists = footer->job->page_annot && footer->job->page.num == page->num;
    const char *const except[] = {"Contents", "Resources", lists ? "Annots" : NULL, NULL};

    an_pdf_append_open(append, page->num, page->gen);
    an_buf_str(append->out, "<<");
    an_pdf_emit_entries(append, page->dict, except);
    emit_content(footer, content);
    an_buf_str(append->out, shared->num ? "/Resources " : "/Resources");
    if (shared->num)
        an_pdf_emit_ref(append->out, shared->num, 0);
    else
        emit_resources(footer, resources, shared->name);
    if (lists) {
        an_pdf_emit_longer_list(append, "/Annots", an_pdf_at(append->pdf, AN_PDF_NOW, page->dict, "Annots"),
                                footer->job->page_annot);
        footer->job->page_annot = 0;
    }
    an_buf_str(append->out, ">>");
    an_pdf_append_close(append);
}

static an_code
visit_page(void *context, const struct an_pdf_page *page, const struct an_pdf_obj *value, struct an_err *reterr)
{
    struct footer *footer = context;
    const struct an_pdf_obj *resources;
    struct shared shared = {0};
    struct content content = {0};

    AN_TRY(check_page(footer, page, reterr));
    an_arena_reset(footer->brief);
    resources = value ? value : &an_pdf_null;
    if (resources->kind == AN_PDF_REF)
        resources = an_pdf_object_brief(footer->append->pdf, footer->brief, resources->u.ref.num);
    if (resources->kind != AN_PDF_DICT) {
        resources = &an_pdf_null;
        value = NULL;
    }
    write_resources(footer, page, value, resources, &shared);
    AN_TRY(write_content(footer, page, shared.name, &content, reterr));
    emit_page(footer, page, &content, resources, &shared);
    return AN_OK;
}

static void
footer_done(struct footer *footer)
{
    an_map_free(&footer->streams);
    an_map_free(&footer->resources);
    an_arena_free(&footer->kept);
    an_arena_free(&footer->brief);
}

an_code
an_pdf_footer_write(struct an_pdf_append *append, struct an_pdf_field_job *job, struct an_err *reterr)
{
    AN_CLEANUP(footer_done) struct footer footer = {.append = append, .job = job};

    if (job->survey.has_signature)
        AN_FAIL(reterr, AN_E_PDF_FOOTER_SIGNED, "/AcroForm");
    AN_TRY(draw_form(&footer, reterr));
    footer.streams = an_map_new();
    footer.resources = an_map_new();
    footer.kept = an_arena_new(AN_LIMIT_PDF_ARENA);
    footer.brief = an_arena_new(AN_LIMIT_PDF_ARENA);
    footer.written_before = append->written.count;
    AN_TRY(an_pdf_pages_each(append->pdf, visit_page, &footer, reterr));
    if (job->page_annot)
        AN_FAIL(reterr, AN_E_PDF_PAGE, "page object %u", job->page.num);
    return AN_OK;
}
