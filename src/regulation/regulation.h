/*
 * Law as data: loads regulations/<id>.yaml and answers what binds an act. In this room: acts and their articles
 * (citations), and looks (how a signature appears and where).
 *
 * A citation is "act/article[/clause[/point]]", e.g. "dong-thap-2025/13/1/a", "nd-68-2024/29", "nd-30-2020/pl-1"
 * (an appendix), "nd-30-2020/pl-1/1.2.7/d" (part I, section II, clause 7 of it), "nd-68-2024/mau-06" (a form). An act
 * alone, "tt-01-2019", cites it as a whole.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

struct an_regulations;
/* dir: a data folder, with regulations/ and policies/ in it (regulations/ itself will do). NULL = $ANTIN_DATA_DIR, else
 * the source tree where it exists, else the installed data. Nothing is read yet; what is asked for is read once, under
 * a lock, and is borrowed until close: one object serves all threads. */
an_code an_regulations_open(const char *dir, struct an_regulations **ret, struct an_err *reterr) AN_MUST_USE;
void an_regulations_close(struct an_regulations **regs);

/* ---- acts ---- */
struct an_act {
    const char *id;                   /* "nd-68-2024" */
    const char *cited_vi, *cited_en;  /* the words of a citation: "Nghị định 68/2024/NĐ-CP" */
    const char *title_vi, *title_en;
    const char *number, *issuer;      /* NULL when the source leaves it blank */
    an_time issued, from_utc, to_utc; /* to_utc: first moment no longer in force; AN_TIME_NONE = unknown or open */
    const char *replaced_by, *replaces; /* free text or NULL */
    const char *note;
    const char *file;                 /* which <file>.yaml holds its articles */
    /* from then another act has its place, yet no text says that it ended; NONE = no doubt */
    an_time doubtful_utc;
    int division;                     /* 0: its parts are Điều; 1: mục (technical regulations) */
    int appendix_digits;              /* 0: Phụ lục I, II; 1: Phụ lục 1, 2 */
};
/* AN_E_REGULATION_UNKNOWN when there is none. */
an_code an_act_find(struct an_regulations *regs, const char *id, const struct an_act **ret,
                    struct an_err *reterr) AN_MUST_USE;
typedef void (*an_act_fn)(void *context, const struct an_act *act);
an_code an_act_each(struct an_regulations *regs, an_act_fn each, void *context, struct an_err *reterr) AN_MUST_USE;

/* ---- provisions: articles, clauses, points ---- */
enum an_provision_text {
    AN_TEXT_READ = 0, /* the wording was read word by word; says is a fact drawn from it, not a quotation */
    AN_TEXT_RESTATED, /* known from someone's restatement only */
    AN_TEXT_UNKNOWN,  /* the article exists, its wording was not found */
};
struct an_provision {
    const char *citation; /* "dong-thap-2025/13/1/a" */
    const char *title;    /* of an article, else NULL */
    const char *says;     /* one short sentence in Vietnamese, NULL when unknown or said by the parts below it */
    enum an_provision_text text;
    bool binds;           /* false: scope, definitions, closing words */
    size_t line;          /* in its file */
};
/* AN_E_CITATION_UNKNOWN when it does not stand in the data. */
an_code an_provision_find(struct an_regulations *regs, const char *citation, const struct an_provision **ret,
                          struct an_err *reterr) AN_MUST_USE;
typedef void (*an_provision_fn)(void *context, const struct an_provision *provision);
/* All provisions of an act, in the order of the text. */
an_code an_provision_each(struct an_regulations *regs, const char *act, an_provision_fn each, void *context,
                          struct an_err *reterr) AN_MUST_USE;

/* ---- citations ---- */
/* "điểm a khoản 1 Điều 13 Quyết định … (Đồng Tháp)"; and in English. Works on the short table of acts alone (cheap).
 * An unknown act is written as it stands. */
void an_citation_text(struct an_regulations *regs, const char *citation, bool english, struct an_buf *out);
/* Does the article (clause, point) stand in the data? AN_E_CITATION_UNKNOWN otherwise. Loads the act. */
an_code an_citation_check(struct an_regulations *regs, const char *citation, struct an_err *reterr) AN_MUST_USE;

/* ---- looks: NĐ 30/2020 Phụ lục I, TT 01/2019, TT 05/2025, Bình Thuận Điều 10 and 13 ---- */
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
    const char *regulation;    /* file it came from: "quoc-gia", "dong-thap-2025", "binh-thuan-2017" */
    enum an_look_signer signer;
    bool signs;                /* false: this case takes no signature of its own (look C same file) */
    bool image_required, image_allowed, image_png_transparent;
    enum an_look_colour colour;
    bool true_size;            /* the image is drawn at its real size in mm */
    double width_mm, height_mm; /* default box of a personal signature; 0 = from the image */
    enum an_look_place place;
    bool last_page;            /* else first */
    double margin_top_mm, margin_side_mm; /* PAGE_*: from the page edges; at the bottom, top is the bottom edge */
    bool avoid_text;           /* must not cover text */
    double overlap;            /* share of the signature image covered: 0.33 */
    /* templates with {number} {copy_kind} {agency} {time} {name} {email} {organisation} */
    const char *const *lines; size_t line_count;
    const char *font; double size_pt; double red, green, blue;
    const char *time_format;   /* "iso8601" or a template with {dd}.{MM}.{yyyy} {HH}:{mm}:{ss} {zone} */
    bool requires_person_first; /* agency seal only on a file already signed by a person */
    bool requires_number, requires_agency, requires_copy_kind; /* the template uses {number}, {agency}, {copy_kind} */
    bool has_other_place;          /* Party, personal: the place of the hand signature will also do */
    enum an_look_place other_place;
    bool same_file_unsigned;       /* look C: in the same file as the main text it takes no signature of its own */
    const char *footer;            /* template drawn centred in the bottom margin of every page, or NULL */
    /* Where each group of values stands; NULL = nowhere: see unconfirmed. */
    const char *image_citation, *box_citation, *place_citation, *margins_citation, *text_citation, *font_citation,
        *time_citation, *order_citation, *same_file_citation, *footer_citation;
    const char *const *unconfirmed; size_t unconfirmed_count; /* groups no text fixes: "box", "margins", … */
};
/* regulation NULL = wherever the look is defined: the national base first, then the others. A regulation that inherits
 * from another (a State province from the national base) has that one's looks too. Borrowed until close.
 * AN_E_LOOK_UNKNOWN lists the ids. */
an_code an_look_find(struct an_regulations *regs, const char *regulation, const char *look_id,
                     const struct an_look **ret, struct an_err *reterr) AN_MUST_USE;
typedef void (*an_look_fn)(void *context, const struct an_look *look);
an_code an_look_each(struct an_regulations *regs, const char *regulation, an_look_fn each, void *context,
                     struct an_err *reterr) AN_MUST_USE;

/* Reads every file whole and checks what cheap reading leaves out: that every citation in looks and policies stands in
 * the data. The first fault is the error, with file and line. */
an_code an_regulations_check(struct an_regulations *regs, struct an_err *reterr) AN_MUST_USE;
