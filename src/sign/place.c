/*
 * Where a look stands: given by the person, beside a page edge, in the empty space between title and printed name
 * (NĐ 30/2020 Phụ lục I, ô 7a–7c), or over the left third of the personal signature (ô 8). When the place cannot be
 * found, or something stands there, this refuses: a signature over the wrong words is worse than a question.
 */
#include "sign/internal.h"

#include "base/utf8.h"
#include "proc/render.h"

#include <math.h>

#define GAP_MIN (8 * POINTS_PER_MM)    /* less is ordinary line spacing, not a place for a signature */
#define GAP_MARGIN 2.0                 /* points kept free above and below the image */
#define NAME_EXTRA_BYTES 16            /* "TS. ", "Đ/c " before a printed name */
#define INK_MAX 0.002                  /* share of a box: a speck of a scan is not text */
#define EDGE_MM 3.0                    /* printers do not reach closer to the edge */
#define STEPS_MAX 24
#define CENTRES_MAX (15 * POINTS_PER_MM) /* how far the middles of title and name may lie apart */
#define EDGES_MAX 4.0                    /* or their left edges */

struct finder {
    struct an_sign_session *session;
    struct an_pdf *pdf;
    int fd;
    char password[256];
    bool has_password;
};

static const char *
password_of(const struct finder *f)
{
    return f->has_password ? f->password : NULL;
}

/* ---- page geometry: user space to what the reader sees, in points; the renderer knows no UserUnit ---- */

static double
unit_of(const struct an_pdf_page *page)
{
    return page->user_unit > 0 ? page->user_unit : 1;
}

static void
displayed_size(const struct an_pdf_page *page, double *ret_w, double *ret_h)
{
    double w = (page->crop.x1 - page->crop.x0) * unit_of(page), h = (page->crop.y1 - page->crop.y0) * unit_of(page);
    bool turned = page->rotate == 90 || page->rotate == 270;

    *ret_w = turned ? h : w;
    *ret_h = turned ? w : h;
}

static void
scale_box(struct an_box *box, double by)
{
    box->x0 *= by;
    box->y0 *= by;
    box->x1 *= by;
    box->y1 *= by;
}

static struct an_pdf_rect
turned_rect(const struct an_pdf_page *page, struct an_pdf_rect r)
{
    const struct an_pdf_rect *c = &page->crop;

    switch (page->rotate) {
    case 90:
        return (struct an_pdf_rect){r.y0 - c->y0, c->x1 - r.x1, r.y1 - c->y0, c->x1 - r.x0};
    case 180:
        return (struct an_pdf_rect){c->x1 - r.x1, c->y1 - r.y1, c->x1 - r.x0, c->y1 - r.y0};
    case 270:
        return (struct an_pdf_rect){c->y1 - r.y1, r.x0 - c->x0, c->y1 - r.y0, r.x1 - c->x0};
    default:
        return (struct an_pdf_rect){r.x0 - c->x0, r.y0 - c->y0, r.x1 - c->x0, r.y1 - c->y0};
    }
}

static struct an_pdf_rect
displayed_rect(const struct an_pdf_page *page, struct an_pdf_rect r)
{
    struct an_pdf_rect seen = turned_rect(page, r);
    double unit = unit_of(page);

    return (struct an_pdf_rect){seen.x0 * unit, seen.y0 * unit, seen.x1 * unit, seen.y1 * unit};
}

static struct an_pdf_rect
rect_at(double x, double y, struct sign_box box)
{
    return (struct an_pdf_rect){x, y, x + box.width, y + box.height};
}

/* Moved, never shrunk, so that it stays on the page. */
static struct an_pdf_rect
kept_on_page(struct an_pdf_rect r, double w, double h)
{
    double dx = r.x0 < 0 ? -r.x0 : r.x1 > w ? w - r.x1 : 0, dy = r.y0 < 0 ? -r.y0 : r.y1 > h ? h - r.y1 : 0;

    return (struct an_pdf_rect){r.x0 + dx, r.y0 + dy, r.x1 + dx, r.y1 + dy};
}

/* ---- a place given by the person ---- */

static an_code
place_given(struct finder *f, const struct an_sign_job *job, struct sign_box box, struct sign_place *ret,
            struct an_err *reterr)
{
    const struct an_look *look = f->session->setup.look;
    bool sized_by_law = look->true_size || look->line_count > 0;
    struct an_pdf_page page;
    size_t index = job->page_index, count;
    double w, h;

    AN_TRY(an_pdf_page_count(f->pdf, AN_PDF_NOW, &count, reterr));
    if (index == SIZE_MAX)
        index = count ? count - 1 : 0;
    AN_TRY(an_pdf_page(f->pdf, AN_PDF_NOW, index, &page, reterr));
    displayed_size(&page, &w, &h);
    if (!(job->w > 0) || !(job->h > 0) || job->x < -0.01 || job->y < -0.01 || job->x + job->w > w + 0.01 ||
        job->y + job->h > h + 0.01)
        AN_FAIL(reterr, AN_E_SIGN_RECT, "%.1f,%.1f,%.1f,%.1f / %.1f × %.1f", job->x, job->y, job->w, job->h, w, h);
    ret->page_index = index;
    ret->rect = (struct an_pdf_rect){job->x, job->y, job->x + job->w, job->y + job->h};
    if (sized_by_law) /* the law fixes the size: the box says where, from its upper left corner */
        ret->rect = kept_on_page(rect_at(job->x, job->y + job->h - box.height, box), w, h);
    return AN_OK;
}

/* ---- is a box free? ---- */

static an_code
is_free(struct finder *f, size_t page, struct an_pdf_rect r, bool *ret, struct an_err *reterr)
{
    struct an_box box = {r.x0, r.y0, r.x1, r.y1};
    struct an_pdf_page found;
    double ink = 1;

    AN_TRY(an_pdf_page(f->pdf, AN_PDF_NOW, page, &found, reterr));
    scale_box(&box, 1 / unit_of(&found));
    AN_TRY(an_renderer_ink(f->session->setup.renderer, f->fd, (int)page, &box, password_of(f), &ink, reterr));
    *ret = ink <= INK_MAX;
    return AN_OK;
}

/* ---- beside a page edge ---- */

/* The place the look asks for, then nearer to the edge, then further in: the first free one. */
static struct an_pdf_rect
edge_candidate(const struct an_look *look, struct sign_box box, double w, double h, unsigned step)
{
    double side = look->margin_side_mm * POINTS_PER_MM, top = look->margin_top_mm * POINTS_PER_MM,
           edge = EDGE_MM * POINTS_PER_MM;
    double nearer = top > edge ? (top - edge) / 6 : 0;
    double from_top = step <= 6 ? top - nearer * step : top + (step - 6) * 6.0;
    double x = look->place == AN_LOOK_PAGE_TOP_LEFT ? side : look->place == AN_LOOK_PAGE_TOP_CENTRE
            ? (w - box.width) / 2 : w - side - box.width;
    double y = look->place == AN_LOOK_PAGE_BOTTOM_RIGHT ? from_top : h - from_top - box.height;

    return kept_on_page(rect_at(x, y, box), w, h);
}

static an_code
place_at_edge(struct finder *f, struct sign_box box, struct sign_place *ret, struct an_err *reterr)
{
    const struct an_look *look = f->session->setup.look;
    struct an_pdf_page page;
    struct an_err trouble = {0};
    double w, h;
    size_t count;

    AN_TRY(an_pdf_page_count(f->pdf, AN_PDF_NOW, &count, reterr));
    ret->page_index = look->last_page && count ? count - 1 : 0;
    AN_TRY(an_pdf_page(f->pdf, AN_PDF_NOW, ret->page_index, &page, reterr));
    displayed_size(&page, &w, &h);
    for (unsigned step = 0; f->session->setup.renderer != NULL && step < STEPS_MAX; step++) {
        bool is_empty = false;
        ret->rect = edge_candidate(look, box, w, h, step);
        if (is_free(f, ret->page_index, ret->rect, &is_empty, &trouble) != AN_OK)
            break;
        if (is_empty)
            return AN_OK;
    }
    if (f->session->setup.renderer != NULL && trouble.code == AN_OK)
        AN_FAIL(reterr, AN_E_SIGN_PLACE_COVERED, "%s, %zu", look->id, ret->page_index + 1);
    if (look->avoid_text)
        AN_FAIL(reterr, AN_E_SIGN_PLACE, "%s: %s", look->id, trouble.detail);
    ret->rect = edge_candidate(look, box, w, h, 0); /* the page cannot be looked at: the place the look names */
    return AN_OK;
}

/* ---- between title and printed name ---- */

struct block {
    uint32_t page;
    double centre, bottom, top; /* the empty space */
};

static double
centre_of(const struct an_box *box)
{
    return (box->x0 + box->x1) / 2;
}

static bool
same_column(const struct an_box *a, const struct an_box *b)
{
    double a_centre = centre_of(a), b_centre = centre_of(b);

    return (a_centre >= b->x0 && a_centre <= b->x1) || (b_centre >= a->x0 && b_centre <= a->x1);
}

static bool
overlaps(double a0, double a1, double b0, double b1)
{
    return a0 < b1 && b0 < a1;
}

static struct an_box
joined(const struct an_box *a, const struct an_box *b)
{
    return (struct an_box){fmin(a->x0, b->x0), fmin(a->y0, b->y0), fmax(a->x1, b->x1), fmax(a->y1, b->y1)};
}

/* The printed line that holds the hit and little else (a name inside a sentence is not a signature block). A long name
 * stands on two lines. */
static bool
line_of_hit(const struct an_text_lines *lines, const struct an_box *hit, const char *wanted, struct an_box *ret)
{
    size_t len = 0;

    for (size_t i = 0; i < lines->count; i++) {
        const struct an_text_line *line = &lines->items[i];
        double middle = (line->box.y0 + line->box.y1) / 2;
        if (middle < hit->y0 || middle > hit->y1 || !overlaps(line->box.x0, line->box.x1, hit->x0, hit->x1))
            continue;
        *ret = len ? joined(ret, &line->box) : line->box;
        len += strlen(line->text) + 1;
    }
    return len > 0 && len <= strlen(wanted) + NAME_EXTRA_BYTES + 2;
}

/* Nearest line of the same column above (or below) another; NULL when there is none. */
static const struct an_text_line *
neighbour(const struct an_text_lines *lines, const struct an_box *from, bool above)
{
    const struct an_text_line *best = NULL;

    for (size_t i = 0; i < lines->count; i++) {
        const struct an_text_line *line = &lines->items[i];
        bool beyond = above ? line->box.y0 >= from->y1 - 1 : line->box.y1 <= from->y0 + 1;
        if (!beyond || !same_column(&line->box, from))
            continue;
        if (best == NULL || (above ? line->box.y0 < best->box.y0 : line->box.y1 > best->box.y1))
            best = line;
    }
    return best;
}

/* Title and name are centred on one another, or begin at one edge; the cell of a table and the text above it are
 * not. */
static bool
belong_together(const struct an_box *a, const struct an_box *b)
{
    return fabs(centre_of(a) - centre_of(b)) <= CENTRES_MAX || fabs(a->x0 - b->x0) <= EDGES_MAX;
}

/* The space above a printed name, or below a printed title. */
static bool
block_around(const struct an_text_lines *lines, const struct an_box *line, struct block *ret)
{
    const struct an_text_line *above = neighbour(lines, line, true), *below = neighbour(lines, line, false);
    double gap_above = above && belong_together(&above->box, line) ? above->box.y0 - line->y1 : 0;
    double gap_below = below && belong_together(&below->box, line) ? line->y0 - below->box.y1 : 0;
    bool use_above = gap_above >= GAP_MIN && gap_above >= gap_below;
    const struct an_text_line *other = use_above ? above : below;

    if (!use_above && gap_below < GAP_MIN)
        return false;
    *ret = (struct block){.page = lines->page, .centre = (centre_of(line) + centre_of(&other->box)) / 2,
                          .bottom = use_above ? line->y1 : other->box.y1, .top = use_above ? other->box.y0 : line->y0};
    return true;
}

/* The lines of one page, in points; *ret_unit: what its hits are to be multiplied with. */
static an_code
load_lines(struct finder *f, size_t index, struct an_text_lines *ret, double *ret_unit, struct an_err *reterr)
{
    struct an_pdf_page page;

    an_text_lines_free(ret);
    AN_TRY(an_pdf_page(f->pdf, AN_PDF_NOW, index, &page, reterr));
    AN_TRY(an_renderer_lines(f->session->setup.renderer, f->fd, (int)index, password_of(f), ret, reterr));
    *ret_unit = unit_of(&page);
    ret->width *= *ret_unit;
    ret->height *= *ret_unit;
    for (size_t i = 0; i < ret->count; i++)
        scale_box(&ret->items[i].box, *ret_unit);
    return AN_OK;
}

static bool
is_below(const struct block *block, const struct block *other)
{
    return block->page > other->page || (block->page == other->page && block->bottom < other->bottom);
}

static an_code
find_block(struct finder *f, const char *wanted, struct block *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_text_hits_free) struct an_text_hits hits = {0};
    AN_CLEANUP(an_text_lines_free) struct an_text_lines lines = {0};
    struct an_renderer *renderer = f->session->setup.renderer;
    size_t found = 0;
    bool loaded = false;
    double unit = 1;

    if (renderer == NULL)
        AN_FAIL(reterr, AN_E_SIGN_PLACE, "%s", wanted);
    AN_TRY(an_renderer_find_text(renderer, f->fd, wanted, password_of(f), &hits, reterr));
    for (size_t i = 0; i < hits.count; i++) {
        struct block block;
        struct an_box line;
        if (!loaded || lines.page != hits.items[i].page)
            AN_TRY(load_lines(f, hits.items[i].page, &lines, &unit, reterr));
        loaded = true;
        scale_box(&hits.items[i].box, unit);
        if (!line_of_hit(&lines, &hits.items[i].box, wanted, &line) || !block_around(&lines, &line, &block))
            continue;
        found += found == 0 || block.page != ret->page || fabs(block.bottom - ret->bottom) > 1 ||
            fabs(block.centre - ret->centre) > 30;
        if (found == 1 || !f->session->setup.near_last || is_below(&block, ret))
            *ret = block;
    }
    if (found == 0)
        AN_FAIL(reterr, AN_E_SIGN_PLACE, "%s (%zu)", wanted, hits.count);
    if (found > 1 && !f->session->setup.near_last)
        AN_FAIL(reterr, AN_E_SIGN_PLACE_AMBIGUOUS, "%s (%zu)", wanted, found);
    return AN_OK;
}

static an_code
place_in_block(struct finder *f, struct sign_box box, struct sign_place *ret, struct an_err *reterr)
{
    const struct an_sign_setup *setup = &f->session->setup;
    const char *wanted = setup->near_text ? setup->near_text : f->session->signer_name;
    struct block block = {0};
    double room;

    AN_TRY(find_block(f, wanted, &block, reterr));
    room = block.top - block.bottom - 2 * GAP_MARGIN;
    for (double share = 1.0; share > 0.45; share -= 0.1) {
        double scale = (box.height > room ? room / box.height : 1.0) * share;
        struct sign_box fitted = {box.width * scale, box.height * scale};
        bool is_empty = false;
        ret->page_index = block.page;
        ret->rect = rect_at(block.centre - fitted.width / 2, (block.top + block.bottom - fitted.height) / 2, fitted);
        AN_TRY(is_free(f, ret->page_index, ret->rect, &is_empty, reterr));
        if (is_empty)
            return AN_OK;
    }
    AN_FAIL(reterr, AN_E_SIGN_PLACE_COVERED, "%s, %u", wanted, block.page + 1);
}

/* ---- over the personal signature ---- */

/* The newest visible signature: by the order that the rules of signing enforce, the competent person's. */
static an_code
place_over_signature(struct finder *f, struct sign_box box, struct sign_place *ret, struct an_err *reterr)
{
    const struct an_look *look = f->session->setup.look;
    struct an_pdf_sigfields fields = {0};
    const struct an_pdf_sigfield *under = NULL;
    struct an_pdf_page page;
    bool found = false;
    double w, h;

    AN_TRY(an_pdf_sigfields(f->pdf, AN_PDF_NOW, &fields, reterr));
    for (size_t i = 0; i < fields.count; i++) {
        const struct an_pdf_sigfield *s = &fields.items[i];
        if (s->value != NULL && !s->is_doc_timestamp && s->page_num != 0 && s->rect.x1 - s->rect.x0 > 1 &&
            s->rect.y1 - s->rect.y0 > 1)
            under = s;
    }
    if (under != NULL &&
        an_pdf_page_find(f->pdf, AN_PDF_NOW, under->page_num, &ret->page_index, &page, NULL) == AN_OK) {
        struct an_pdf_rect image = displayed_rect(&page, under->rect);
        double covered = look->overlap * (image.x1 - image.x0);
        displayed_size(&page, &w, &h);
        ret->rect = kept_on_page(rect_at(image.x0 + covered - box.width, (image.y0 + image.y1 - box.height) / 2, box),
                                 w, h);
        found = true;
    }
    an_pdf_sigfields_done(&fields);
    if (!found)
        AN_FAIL(reterr, AN_E_SIGN_NO_SIGNATURE_BELOW, "%s (%s)", look->id, look->citation);
    return AN_OK;
}

static void
take_password(struct finder *f, const struct an_secret *password)
{
    an_bytes bytes = password ? an_secret_bytes(password) : AN_NONE;

    f->has_password = password != NULL && bytes.len < sizeof(f->password);
    if (f->has_password && bytes.len)
        memcpy(f->password, bytes.ptr, bytes.len);
}

an_code
sign_place_find(struct an_sign_session *session, struct an_pdf *pdf, int fd, const struct an_sign_job *job,
                struct sign_box box,
                struct sign_place *ret, struct an_err *reterr)
{
    struct finder f = {.session = session, .pdf = pdf, .fd = fd};
    an_code code;

    take_password(&f, job->password);
    if (job->has_rect)
        code = place_given(&f, job, box, ret, reterr);
    else if (session->setup.look->place == AN_LOOK_BETWEEN_TITLE_AND_NAME)
        code = place_in_block(&f, box, ret, reterr);
    else if (session->setup.look->place == AN_LOOK_OVER_SIGNATURE_LEFT)
        code = place_over_signature(&f, box, ret, reterr);
    else
        code = place_at_edge(&f, box, ret, reterr);
    an_wipe(f.password, sizeof(f.password));
    return code;
}
