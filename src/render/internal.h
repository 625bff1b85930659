/* SPDX-License-Identifier: GPL-3.0-or-later */
/* antin-render: reads pages of untrusted PDF files with poppler. Its own program, under the GPL as poppler is. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <poppler.h>

/* What can be asked about, at most (a page larger than that is no page of an office). */
#define RENDER_GLYPHS_MAX 2000000u
#define RENDER_HITS_MAX 10000u
#define RENDER_LINES_MAX 50000u

/* ---- document.c ---- */
/* The document behind fd, opened once and kept until another comes. Borrowed. fd stays the caller's. */
an_code open_document(int fd, const char *password, PopplerDocument **ret, struct an_err *reterr) AN_MUST_USE;
/* number: 0 = first, -1 = last; *number becomes the true one. */
an_code open_page(PopplerDocument *document, int *number, PopplerPage **ret, struct an_err *reterr) AN_MUST_USE;
void free_page(PopplerPage **page);
/* Opens a small document of our own, so that fonts and tables are loaded before the sandbox closes. */
void warm_up(void);

/* ---- glyphs.c: the characters of a page with their boxes; points, origin lower left ---- */
struct glyph {
    uint32_t code;
    double x0, y0, x1, y1;
};
AN_VEC(glyphs, struct glyph);

an_code read_glyphs(PopplerPage *page, struct glyphs *ret, struct an_err *reterr) AN_MUST_USE;

/* ---- search.c ---- */
typedef void (*hit_fn)(void *context, double x0, double y0, double x1, double y1);
/* needle: folded by fold_needle. Returns the number of hits, at most max. */
void fold_needle(struct an_buf *out, an_bytes text);
size_t search_glyphs(const struct glyphs *glyphs, an_bytes needle, size_t max, hit_fn hit, void *context);

/* ---- lines.c ---- */
struct text_line {
    char *text;
    double x0, y0, x1, y1;
};
AN_VEC(text_lines, struct text_line);

an_code build_lines(const struct glyphs *glyphs, struct text_lines *ret, struct an_err *reterr) AN_MUST_USE;
void free_lines(struct text_lines *lines);

/* ---- picture.c ---- */
an_code draw_page(PopplerPage *page, int dpi, struct an_buf *out, struct an_err *reterr) AN_MUST_USE;
struct ink_box { double x0, y0, x1, y1; };
an_code measure_ink(PopplerPage *page, const struct ink_box *box, double *ret_share, struct an_err *reterr) AN_MUST_USE;
