/*
 * Law as data: loads regulations/<id>.yaml and answers what binds an act. In this room: acts and their articles
 * (citations), and looks (how a signature appears and where). Home of libcyaml.
 *
 * A citation is "act/article[/clause[/point]]", e.g. "dong-thap-2025/13/1/a", "nd-68-2024/29", "nd-30-2020/pl-1".
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

struct an_regulations;
/* dir: NULL = the installed data folder, or regulations/ of the source tree, or $ANTIN_DATA_DIR. Nothing is read yet. */
an_code an_regulations_open(const char *dir, struct an_regulations **ret, struct an_err *reterr) AN_MUST_USE;
void an_regulations_close(struct an_regulations **regs);

/* ---- citations ---- */
/* "điểm a khoản 1 Điều 13 Quyết định … (Đồng Tháp)"; and in English. Works on the short table of acts alone (cheap).
 * An unknown act is written as it stands. */
void an_citation_text(struct an_regulations *regs, const char *citation, bool english, struct an_buf *out);
/* Does the article (clause, point) stand in the data? AN_E_CITATION_UNKNOWN otherwise. Loads the act. */
an_code an_citation_check(struct an_regulations *regs, const char *citation, struct an_err *reterr) AN_MUST_USE;

/* ---- looks (law.md §6.4 A–L) ---- */
enum an_look_signer { AN_LOOK_PERSON = 0, AN_LOOK_AGENCY, AN_LOOK_ARCHIVE };
enum an_look_colour { AN_LOOK_ANY_COLOUR = 0, AN_LOOK_BLUE, AN_LOOK_RED };
enum an_look_place {
    AN_LOOK_BETWEEN_TITLE_AND_NAME = 0, /* centred in the empty space between title line and printed name */
    AN_LOOK_OVER_SIGNATURE_LEFT,        /* covers `overlap` of the personal signature's image on its left */
    AN_LOOK_PAGE_TOP_RIGHT, AN_LOOK_PAGE_TOP_LEFT, AN_LOOK_PAGE_TOP_CENTRE, AN_LOOK_PAGE_BOTTOM_RIGHT,
    AN_LOOK_NO_PLACE,                   /* nothing is drawn: look C, same file */
};
struct an_look {
    const char *id;            /* "nguoi-co-tham-quyen" */
    const char *name_vi, *name_en;
    const char *citation;      /* most specific article */
    const char *regulation;    /* file it came from */
    enum an_look_signer signer;
    bool signs;                /* false: this case takes no signature of its own (look C same file) */
    bool image_required, image_allowed, image_png_transparent;
    enum an_look_colour colour;
    bool true_size;            /* the image is drawn at its real size in mm */
    double width_mm, height_mm; /* default box of a personal signature; 0 = from the image */
    enum an_look_place place;
    bool last_page;            /* else first */
    double margin_top_mm, margin_side_mm; /* for PAGE_* places */
    bool avoid_text;           /* must not cover text */
    double overlap;            /* share of the signature image covered: 0.33 */
    const char *const *lines; size_t line_count; /* templates: {number} {copy_kind} {agency} {time} {name} {email} {organisation} */
    const char *font; double size_pt; double red, green, blue;
    const char *time_format;   /* "iso8601" or a template with {dd}.{MM}.{yyyy} {HH}:{mm}:{ss} {zone} */
    bool requires_person_first; /* agency seal only on a file already signed by a person */
    bool requires_number, requires_agency, requires_copy_kind;
};
/* regulation NULL = wherever the look is defined: the national base first, then the others. Borrowed until close.
 * AN_E_LOOK_UNKNOWN lists the ids. */
an_code an_look_find(struct an_regulations *regs, const char *regulation, const char *look_id, const struct an_look **ret,
                     struct an_err *reterr) AN_MUST_USE;
typedef void (*an_look_fn)(void *context, const struct an_look *look);
an_code an_look_each(struct an_regulations *regs, const char *regulation, an_look_fn each, void *context, struct an_err *reterr) AN_MUST_USE;
