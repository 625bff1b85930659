/* Private: what the font module (font.c, subset.c) offers to font_load.c. Both sides are built together, never
 * mixed. */
#pragma once

#include "pdf/append.h"

struct an_pdf_font_ops {
    an_code (*open)(const char *path, struct an_pdf_font **ret, struct an_err *reterr);
    void (*free)(struct an_pdf_font **font);
    double (*width)(struct an_pdf_font *font, an_bytes utf8, double size_pt);
    an_code (*shape)(struct an_pdf_font *font, const struct an_pdf_text_line *lines, size_t count, bool cid_set,
                     struct an_pdf_shaped **ret, struct an_err *reterr);
    void (*shaped_free)(struct an_pdf_shaped **shaped);
    const struct an_pdf_bundle *(*shaped_bundle)(const struct an_pdf_shaped *shaped);
    void (*shaped_show)(const struct an_pdf_shaped *shaped, size_t line, struct an_buf *out);
};

#define AN_PDF_FONT_MODULE "antin-font.so"
extern __attribute__((visibility("default"))) const struct an_pdf_font_ops an_pdf_font_ops;
