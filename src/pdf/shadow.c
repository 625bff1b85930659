/*
 * Before signing: what a shadow attack would need and this state has. Warnings only; the signer decides. The work is
 * bounded: documents with very many objects are looked at by page only.
 */
#include "pdf/diff.h"

#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGES_MAX 200     /* pages whose annotations are looked at */
#define OBJECTS_MAX 4000  /* documents with more objects are not searched for unused ones: the signer would wait */
#define FINDINGS_MAX 64

struct candidate { uint32_t num; an_code why; };
AN_VEC(candidates, struct candidate);

struct shadow {
    struct an_pdf *pdf;
    struct finding_list found;
    struct an_map *live, *mentioned, *listed; /* listed: as kids of a node of the page tree */
    struct candidates candidates;
};

static void
warn(struct shadow *shadow, an_code why, uint32_t num, const char *path)
{
    if (shadow->found.count >= FINDINGS_MAX)
        return;
    *finding_list_push(&shadow->found) = (struct an_pdf_finding){
        .class_ = AN_PDF_CHANGE_UNREACHABLE,
        .allowed = true,
        .num = num,
        .why = why,
        .path = an_strdup(path),
        .revision = an_pdf_latest(shadow->pdf),
    };
}

static const struct an_pdf_obj *
at(struct shadow *shadow, const struct an_pdf_obj *dict, const char *key)
{
    return an_pdf_at(shadow->pdf, AN_PDF_NOW, dict, key);
}

/* ---- layers and scripts ---- */

static void
scan_layers(struct shadow *shadow, const struct an_pdf_obj *catalog)
{
    const struct an_pdf_obj *properties = at(shadow, catalog, "OCProperties"), *config = at(shadow, properties, "D");
    const struct an_pdf_obj *off = at(shadow, config, "OFF");

    if (properties->kind != AN_PDF_DICT)
        return;
    if (an_pdf_is_name(at(shadow, config, "BaseState"), "OFF"))
        warn(shadow, AN_V_PDF_HIDDEN_LAYER, 0, "/Root/OCProperties/D/BaseState");
    for (size_t i = 0; off->kind == AN_PDF_ARRAY && i < off->u.array.count && i < 8; i++)
        warn(shadow, AN_V_PDF_HIDDEN_LAYER,
             off->u.array.items[i].kind == AN_PDF_REF ? off->u.array.items[i].u.ref.num : 0,
             "/Root/OCProperties/D/OFF");
}

static void
scan_scripts(struct shadow *shadow, const struct an_pdf_obj *catalog)
{
    if (an_pdf_is_name(at(shadow, at(shadow, catalog, "OpenAction"), "S"), "JavaScript"))
        warn(shadow, AN_V_PDF_HAS_SCRIPT, 0, "/Root/OpenAction");
    if (at(shadow, catalog, "AA")->kind == AN_PDF_DICT && at(shadow, catalog, "AA")->u.dict.count)
        warn(shadow, AN_V_PDF_HAS_SCRIPT, 0, "/Root/AA");
    if (at(shadow, at(shadow, catalog, "Names"), "JavaScript")->kind == AN_PDF_DICT)
        warn(shadow, AN_V_PDF_HAS_SCRIPT, 0, "/Root/Names/JavaScript");
}

/* ---- what lies over pages ---- */

/* Draws on the page: not hidden, a rectangle with an area, an appearance with data. */
static bool
is_drawn(struct shadow *shadow, const struct an_pdf_obj *annot)
{
    const struct an_pdf_obj *normal = at(shadow, at(shadow, annot, "AP"), "N");
    struct an_pdf_rect rect = {0};
    int64_t flags = 0;

    (void)an_pdf_int(at(shadow, annot, "F"), &flags);
    if (flags & (2 | 32)) /* Hidden, NoView */
        return false;
    if (!an_pdf_rect_of(shadow->pdf, AN_PDF_NOW, an_pdf_dict_find(annot, "Rect"), &rect) || rect.x1 <= rect.x0 ||
        rect.y1 <= rect.y0)
        return false;
    return normal->kind == AN_PDF_DICT || (normal->kind == AN_PDF_STREAM && normal->data_len > 2);
}

static bool
is_signed_field(struct shadow *shadow, const struct an_pdf_obj *widget)
{
    const struct an_pdf_obj *value = at(shadow, widget, "V");

    if (value->kind == AN_PDF_NULL)
        value = at(shadow, at(shadow, widget, "Parent"), "V");
    return value->kind == AN_PDF_DICT && an_pdf_dict_find(value, "ByteRange");
}

static void
scan_annotation(struct shadow *shadow, const struct an_pdf_obj *ref, size_t page, size_t index)
{
    const struct an_pdf_obj *annot = an_pdf_resolve(shadow->pdf, AN_PDF_NOW, ref);
    bool is_widget = an_pdf_is_name(at(shadow, annot, "Subtype"), "Widget");
    char path[80];

    if (an_pdf_is_name(at(shadow, annot, "Subtype"), "Link") || an_pdf_is_name(at(shadow, annot, "Subtype"), "Popup"))
        return;
    if (!is_drawn(shadow, annot) || (is_widget && is_signed_field(shadow, annot)))
        return;
    snprintf(path, sizeof path, "/Root/Pages[%zu]/Annots[%zu]", page, index);
    warn(shadow, is_widget ? AN_V_PDF_OVERLAY_FIELD : AN_V_PDF_OVERLAY_ANNOTATION,
         ref->kind == AN_PDF_REF ? ref->u.ref.num : 0, path);
}

static void
scan_pages(struct shadow *shadow)
{
    size_t count = 0;

    if (an_pdf_page_count(shadow->pdf, AN_PDF_NOW, &count, NULL) != AN_OK)
        return;
    for (size_t i = 0; i < count && i < PAGES_MAX; i++) {
        struct an_pdf_page page;
        const struct an_pdf_obj *annots;

        if (an_pdf_page(shadow->pdf, AN_PDF_NOW, i, &page, NULL) != AN_OK)
            break;
        annots = at(shadow, page.dict, "Annots");
        for (size_t j = 0; annots->kind == AN_PDF_ARRAY && j < annots->u.array.count && j < 1000; j++)
            scan_annotation(shadow, &annots->u.array.items[j], i, j);
        if (an_pdf_dict_find(page.dict, "AA"))
            warn(shadow, AN_V_PDF_HAS_SCRIPT, page.num, "/AA");
    }
}

/* ---- objects nothing leads to ---- */

static void
mark_mention(void *user, uint32_t num)
{
    struct shadow *shadow = user;

    if (an_map_find_u64(shadow->mentioned, num) == NULL)
        an_map_put_u64(shadow->mentioned, num, shadow);
}

/* A page is not proved used by what merely points back at it: a node of the tree must list it. */
static void
mark_kids(struct shadow *shadow, const struct an_pdf_obj *node)
{
    const struct an_pdf_obj *kids = at(shadow, node, "Kids");

    for (size_t i = 0; kids->kind == AN_PDF_ARRAY && i < kids->u.array.count; i++)
        if (kids->u.array.items[i].kind == AN_PDF_REF)
            an_map_put_u64(shadow->listed, kids->u.array.items[i].u.ref.num, shadow);
}

/* Is it something to look for once all objects have been seen? */
static bool
is_candidate(struct shadow *shadow, const struct an_pdf_obj *obj, an_code *ret_why)
{
    const struct an_pdf_obj *subtype = an_pdf_dict_find(obj, "Subtype");

    if (an_pdf_is_name(at(shadow, obj, "Type"), "Page"))
        *ret_why = AN_V_PDF_UNUSED_PAGE;
    else if (obj->kind == AN_PDF_STREAM && (an_pdf_is_name(subtype, "Image") || an_pdf_is_name(subtype, "Form")))
        *ret_why = AN_V_PDF_UNUSED_XOBJECT;
    else
        return false;
    return true;
}

static void
look_at_object(struct shadow *shadow, const struct an_pdf_obj *obj, uint32_t num)
{
    struct candidate candidate = {.num = num};

    an_pdf_each_ref(obj, mark_mention, shadow);
    if (obj->kind != AN_PDF_DICT && obj->kind != AN_PDF_STREAM)
        return;
    if (is_candidate(shadow, obj, &candidate.why))
        *candidates_push(&shadow->candidates) = candidate;
    if (an_pdf_dict_find(obj, "Kids"))
        mark_kids(shadow, obj);
    if (obj->kind == AN_PDF_STREAM && (an_pdf_dict_find(obj, "F") || an_pdf_dict_find(obj, "Ref")))
        warn(shadow, AN_V_PDF_OUTSIDE_CONTENT, num, "");
    if (an_pdf_is_name(an_pdf_dict_find(obj, "Type"), "FontDescriptor") && !an_pdf_dict_find(obj, "FontFile") &&
        !an_pdf_dict_find(obj, "FontFile2") && !an_pdf_dict_find(obj, "FontFile3"))
        warn(shadow, AN_V_PDF_OUTSIDE_FONT, num, "");
}

static void
judge_candidates(struct shadow *shadow)
{
    for (size_t i = 0; i < shadow->candidates.count; i++) {
        const struct candidate *candidate = &shadow->candidates.items[i];
        const struct an_map *used = candidate->why == AN_V_PDF_UNUSED_PAGE ? shadow->listed : shadow->mentioned;

        if (an_map_find_u64(used, candidate->num) == NULL)
            warn(shadow, candidate->why, candidate->num, "");
    }
}

static void
judge_mentions(struct shadow *shadow)
{
    for (size_t i = 0; i < an_map_count(shadow->mentioned); i++) {
        uint64_t num = 0;
        an_bytes key = an_map_key(shadow->mentioned, i);

        memcpy(&num, key.ptr, key.len < sizeof num ? key.len : sizeof num);
        if (num && an_map_find_u64(shadow->live, num) == NULL)
            warn(shadow, AN_V_PDF_DANGLING_NOW, (uint32_t)num, "");
    }
}

/* Entries of all sections, without reading them. */
static size_t
count_entries(struct an_pdf *pdf)
{
    struct an_pdf_section *section;
    size_t count = 0;

    for (size_t i = 0; (section = an_pdf_section_at(pdf, i)) != NULL; i++)
        for (size_t j = 0; j < section->run_count; j++)
            count += section->runs[j].count;
    return count;
}

static an_code
scan_objects(struct shadow *shadow, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) struct an_pdf_change *live = NULL;
    AN_CLEANUP(an_arena_free) struct an_arena *brief = NULL;
    size_t count = 0;

    if (count_entries(shadow->pdf) > 2 * OBJECTS_MAX)
        return AN_OK;
    AN_TRY(an_pdf_live_objects(shadow->pdf, &live, &count, reterr));
    if (count > OBJECTS_MAX)
        return AN_OK;
    brief = an_arena_new(AN_LIMIT_PDF_ARENA);
    for (size_t i = 0; i < count; i++) {
        an_map_put_u64(shadow->live, live[i].num, shadow);
        an_arena_reset(brief);
        look_at_object(shadow, an_pdf_object_brief(shadow->pdf, brief, live[i].num), live[i].num);
    }
    an_pdf_each_ref(an_pdf_trailer(shadow->pdf, AN_PDF_NOW), mark_mention, shadow);
    judge_candidates(shadow);
    judge_mentions(shadow);
    return AN_OK;
}

an_code
an_pdf_shadow_scan(struct an_pdf *pdf, struct an_pdf_diff *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_map_free) struct an_map *live = an_map_new(), *mentioned = an_map_new(), *listed = an_map_new();
    struct shadow shadow = {.pdf = pdf, .live = live, .mentioned = mentioned, .listed = listed};
    const struct an_pdf_obj *catalog = an_pdf_catalog(pdf, AN_PDF_NOW);
    an_code code;

    *ret = (struct an_pdf_diff){0};
    scan_layers(&shadow, catalog);
    scan_scripts(&shadow, catalog);
    scan_pages(&shadow);
    code = scan_objects(&shadow, reterr);
    candidates_done(&shadow.candidates);
    ret->items = shadow.found.items;
    ret->count = shadow.found.count;
    ret->any_allowed = shadow.found.count != 0;
    if (code != AN_OK)
        an_pdf_diff_done(ret);
    return code;
}
