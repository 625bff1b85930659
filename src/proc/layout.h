/* Questions to antin-layout: pages by NĐ 30/2020 Phụ lục I, reports, and the sample pictures of the demonstration. */
#pragma once

#include "proc/proc.h"

/* child: an_child_start("antin-layout", …). ret is emptied first and keeps its maximum. */
/* json: a document as src/layout/README.md describes it. AN_E_LAYOUT_INPUT names the field that is wrong. */
an_code an_layout_document(struct an_child *child, an_bytes json, struct an_buf *ret_pdf,
                           struct an_err *reterr) AN_MUST_USE;

/* A red round seal on transparent ground, marked MẪU. */
struct an_layout_seal {
    const char *agency; /* on the circle, above */
    const char *place;  /* on the circle, below; NULL = nothing */
    double diameter_mm; /* 0 = 36 */
    unsigned dpi;       /* 0 = 300 */
};
an_code an_layout_seal(struct an_child *child, const struct an_layout_seal *what, struct an_buf *ret_png,
                       struct an_err *reterr) AN_MUST_USE;
/* A blue stroke like handwriting on transparent ground, marked MẪU; another name gives another stroke. */
an_code an_layout_signature(struct an_child *child, const char *name, struct an_buf *ret_png,
                            struct an_err *reterr) AN_MUST_USE;
