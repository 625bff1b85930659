/* Private: between font.c (opening, shaping) and subset.c (the embedded font). */
#pragma once

#include "base/file.h"
#include "pdf/append.h"

#include <hb-subset.h>
#include <hb.h>
#include <pthread.h>

#define AN_PDF_SUBSETS_KEPT 32

struct an_pdf_font {
    struct an_file file;
    hb_face_t *face;
    hb_font_t *font;
    uint32_t units, glyph_count;
    bool is_cff;
    char name[64]; /* PostScript name */
    int ascent, descent, cap_height, flags, box[4]; /* thousandths of an em */
    double italic_angle;
    pthread_mutex_t lock; /* of the kept subsets and their counts */
    struct an_pdf_subset *kept[AN_PDF_SUBSETS_KEPT];
    size_t next_kept;
};

/* A glyph and the text it stands for (copying and searching in the page). */
struct an_pdf_glyph_text { uint32_t glyph; size_t count; uint32_t code_points[4]; };
AN_VEC(an_pdf_glyph_texts, struct an_pdf_glyph_text);

struct an_pdf_subset {
    size_t refs;
    struct an_buf key;      /* the sorted glyph texts, as bytes */
    uint16_t *new_of_old;   /* glyph_count entries */
    double *widths;         /* of new glyphs, thousandths of an em as written in /W */
    uint32_t glyph_count;
    struct an_pdf_bundle bundle;
};
/* texts: sorted by glyph, each once. Counted; from the font's store when it has these glyphs already. */
an_code an_pdf_subset_take(struct an_pdf_font *font, const struct an_pdf_glyph_texts *texts, bool cid_set,
                           struct an_pdf_subset **ret, struct an_err *reterr) AN_MUST_USE;
void an_pdf_subset_drop(struct an_pdf_font *font, struct an_pdf_subset **subset);
