/*
 * Questions to antin-render about the pages of an untrusted PDF. Coordinates are points, origin at the lower left of
 * the page as displayed: crop box and rotation applied; one point is one unit of the page's user space.
 */
#pragma once

#include "proc/proc.h"

struct an_renderer; /* one helper, started anew when it ends; thread-safe: questions wait for each other */

/* timeout_ms bounds each question; 0 = one minute. */
an_code an_renderer_start(uint64_t timeout_ms, struct an_renderer **ret, struct an_err *reterr) AN_MUST_USE;
void an_renderer_stop(struct an_renderer **renderer);

struct an_box { double x0, y0, x1, y1; };

struct an_text_hit { uint32_t page; struct an_box box; };
struct an_text_hits { struct an_text_hit *items; size_t count; uint32_t pages; };

struct an_text_line { char *text; struct an_box box; }; /* NFC */
struct an_text_lines { /* from the top of the page to its foot, left to right */
    struct an_text_line *items; size_t count;
    uint32_t page, pages;
    double width, height;
};

void an_text_hits_free(struct an_text_hits *hits);    /* also for AN_CLEANUP */
void an_text_lines_free(struct an_text_lines *lines); /* also for AN_CLEANUP */

/*
 * fd: the PDF, a regular file or memory file, open for reading; it stays the caller's. password: NULL = none.
 * Errors: AN_E_RENDER_PDF, AN_E_RENDER_PASSWORD, AN_E_RENDER_PAGE_NUMBER, AN_E_PROC_*.
 */
/* Every place of a text, in page order; case, accents, white space and NFC/NFD do not matter. None is no error. */
an_code an_renderer_find_text(struct an_renderer *renderer, int fd, const char *text, const char *password,
                              struct an_text_hits *ret, struct an_err *reterr) AN_MUST_USE;
/* The printed lines of one page (-1 = the last); columns are lines of their own. */
an_code an_renderer_lines(struct an_renderer *renderer, int fd, int page, const char *password,
                          struct an_text_lines *ret, struct an_err *reterr) AN_MUST_USE;
/* ret is emptied first and keeps its maximum. dpi: 10 to 600. */
an_code an_renderer_page_png(struct an_renderer *renderer, int fd, int page, unsigned dpi, const char *password,
                             struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
/* The share (0 to 1) of the box that is not white paper: 0 = nothing stands there. Outside the page all is ink. */
an_code an_renderer_ink(struct an_renderer *renderer, int fd, int page, const struct an_box *box, const char *password,
                        double *ret_share, struct an_err *reterr) AN_MUST_USE;
