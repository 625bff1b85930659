/* antin-layout: the files of the program. Home of cairo and Pango. Lengths are points; y counts from the top of the
 * page. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>
#include <pango/pangocairo.h>

#define MM 2.8346456692913387
#define PAGE_WIDTH (210 * MM)
#define PAGE_HEIGHT (297 * MM)
#define LAYOUT_FONT "Liberation Serif" /* the metric twin of Times New Roman */
#define LAYOUT_PAGES_MAX 2000u
#define LAYOUT_ITEMS_MAX 20000u /* paragraphs, rows, recipients: of each list */

/* ---- press.c: pages and text on them ---- */
struct press {
    cairo_surface_t *surface;
    cairo_t *cr;
    PangoContext *context;
    struct an_buf *out;
    double top, bottom, left, right; /* margins */
    double page_width, page_height;  /* A4, upright or on its side */
    double y;                        /* where the next thing goes */
    unsigned pages, page_of_part;    /* of the document; of the text or one appendix, each counted from 1 */
};

struct style {
    double size;
    bool is_bold, is_italic, is_upper, is_justified;
    PangoAlignment align;
    double indent;       /* of a paragraph's first line */
    double space_before; /* not at the top of a page */
    double pitch;        /* line height over size; 0 = 1.2 */
};

/* made: when, as YYYY-MM-DDThh:mm:ss±hh:mm; NULL or "" = now. */
struct document_facts { const char *title, *author, *subject, *keywords, *made; };

an_code press_open(struct press *press, struct an_buf *out, const struct document_facts *facts,
                   struct an_err *reterr) AN_MUST_USE;
an_code press_close(struct press *press, struct an_err *reterr) AN_MUST_USE; /* writes what is left of the PDF */
void press_free(struct press *press);                                        /* for AN_CLEANUP */
an_code press_break_page(struct press *press, struct an_err *reterr) AN_MUST_USE;
/* The next page begins a part with page numbers of its own. */
an_code press_begin_part(struct press *press, struct an_err *reterr) AN_MUST_USE;
/* this page and the next ones lie on their side; before anything is drawn */
void press_turn(struct press *press);
double press_width(const struct press *press); /* between the margins */
double press_rest(const struct press *press);  /* of this page's height */

/* Makes a text ready; bold_bytes of its beginning are bold. Freed with g_object_unref / free_text. */
PangoLayout *build_text(struct press *press, const char *text, const struct style *style, double width,
                        size_t bold_bytes) AN_MUST_USE;
void free_text(PangoLayout **text);
double text_height(PangoLayout *text, const struct style *style);
double text_width(PangoLayout *text); /* of its longest line */
double longest_word(struct press *press, const char *words, const struct style *style); /* its width */
/* Draws whole, at a place. Returns the height. */
double draw_text(struct press *press, PangoLayout *text, const struct style *style, double x, double y);
/* build, draw, free. */
double draw_words(struct press *press, const char *words, const struct style *style, double x, double y, double width);
/* Between the margins from press->y on, over as many pages as it takes. */
an_code flow_text(struct press *press, const char *text, const struct style *style, size_t bold_bytes,
                  struct an_err *reterr) AN_MUST_USE;
void draw_rule(struct press *press, double x, double y, double width, double thickness);

/* ---- input.c: reading the JSON ---- */
/* The text at a key, in NFC; "" when absent. AN_E_LAYOUT_INPUT names the key when it is no text, or absent and
 * required. */
an_code input_text(struct an_arena *arena, const json_t *object, const char *key, bool required, const char **ret,
                   struct an_err *reterr) AN_MUST_USE;
/* The list at a key; NULL when absent. */
an_code input_list(const json_t *object, const char *key, json_t **ret, struct an_err *reterr) AN_MUST_USE;
/* Item i of a list of texts. */
an_code input_item(struct an_arena *arena, const json_t *list, size_t i, const char *key, const char **ret,
                   struct an_err *reterr) AN_MUST_USE;

/* ---- vanban.c, block.c, baocao.c: the kinds of documents ---- */
an_code layout_van_ban(struct an_arena *arena, const json_t *root, struct an_buf *out,
                       struct an_err *reterr) AN_MUST_USE;
an_code layout_bao_cao(struct an_arena *arena, const json_t *root, struct an_buf *out,
                       struct an_err *reterr) AN_MUST_USE;
/* The head of an administrative document: Quốc hiệu, agencies, number, place and date. */
an_code draw_head(struct press *press, struct an_arena *arena, const json_t *root, struct an_err *reterr) AN_MUST_USE;
/* One signature block: a letter's stands on the right, the recipients on the left. */
struct foot {
    const char *lines[4], *name; /* quyền hạn, chức vụ */
    size_t line_count;
    const json_t *recipients;
};
/* A record's foot: up to three signature blocks side by side, recipients below them. */
struct signatures {
    struct foot blocks[3];
    size_t count;
    const json_t *recipients;
};
an_code read_signatures(struct an_arena *arena, const json_t *root, struct signatures *ret,
                        struct an_err *reterr) AN_MUST_USE;
double signatures_height(struct press *press, struct an_arena *arena, const struct signatures *signatures);
an_code draw_signatures(struct press *press, struct an_arena *arena, const struct signatures *signatures,
                        struct an_err *reterr) AN_MUST_USE;

/* ---- table.c ---- */
an_code flow_table(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr) AN_MUST_USE;

/* ---- verdict.c: parts of a report on verification ---- */
an_code flow_banner(struct press *press, struct an_arena *arena, const json_t *block,
                    struct an_err *reterr) AN_MUST_USE;
an_code flow_facts(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr) AN_MUST_USE;
an_code flow_signer(struct press *press, struct an_arena *arena, const json_t *block,
                    struct an_err *reterr) AN_MUST_USE;
an_code flow_checks(struct press *press, struct an_arena *arena, const json_t *block,
                    struct an_err *reterr) AN_MUST_USE;
an_code flow_small(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr) AN_MUST_USE;
an_code flow_break(struct press *press, struct an_arena *arena, const json_t *block, struct an_err *reterr) AN_MUST_USE;

/* ---- picture.c ---- */
/* The block's picture at x and press->y, within the box, framed; *ret_foot: below it. press->y stays. */
an_code draw_picture_beside(struct press *press, const json_t *block, double x, double width, double height_max,
                            double *ret_foot, struct an_err *reterr) AN_MUST_USE;
an_code flow_picture(struct press *press, struct an_arena *arena, const json_t *block,
                     struct an_err *reterr) AN_MUST_USE;
an_code write_picture(cairo_surface_t *surface, struct an_buf *out, struct an_err *reterr) AN_MUST_USE;

/* ---- seal.c, signature.c ---- */
an_code draw_seal(struct an_arena *arena, const json_t *root, struct an_buf *out, struct an_err *reterr) AN_MUST_USE;
an_code draw_signature(struct an_arena *arena, const json_t *root, struct an_buf *out,
                       struct an_err *reterr) AN_MUST_USE;
