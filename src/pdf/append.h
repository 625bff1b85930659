/*
 * Private to the writing half of the room: one incremental update under construction (append.c, emit.c), ready-made
 * groups of objects that a file holds once (bundle.c), fields (survey.c, field.c, seed.c) and places (place.c).
 */
#pragma once

#include "pdf/internal.h"

struct an_pdf_written { uint32_t num; uint16_t gen; uint64_t offset; uint32_t container; bool is_free; };
AN_VEC(an_pdf_writtens, struct an_pdf_written);
AN_VEC(an_pdf_holes, struct an_range);

/* Everything is appended to out; a failure on the way (encryption) is kept and told by an_pdf_append_end. */
struct an_pdf_append {
    struct an_pdf *pdf;
    struct an_buf *out;
    struct an_pdf_tail tail;
    struct an_pdf_writtens written;
    struct an_pdf_holes holes;  /* parts of out that do not count for the file identifier */
    uint64_t base;
    uint32_t next_num;
    uint32_t num; uint16_t gen; /* object being written */
    bool encrypts, quiet;       /* quiet: strings are not encrypted now (trailer) */
    an_code failed;
    struct an_err err;
};

an_code an_pdf_append_begin(struct an_pdf_append *append, struct an_pdf *pdf, struct an_buf *out,
                            struct an_err *reterr) AN_MUST_USE;
void an_pdf_append_done(struct an_pdf_append *append);
uint32_t an_pdf_append_new(struct an_pdf_append *append); /* a free object number */
void an_pdf_append_open(struct an_pdf_append *append, uint32_t num, uint16_t gen); /* "N G obj" */
void an_pdf_append_close(struct an_pdf_append *append);
/* A whole stream object; dict: its entries but /Length, without << >>. */
void an_pdf_append_stream(struct an_pdf_append *append, uint32_t num, an_bytes dict, an_bytes data);
/* The bytes just written (a hole for /Contents, a long stream) stay out of the digest behind the file identifier. */
void an_pdf_append_skip(struct an_pdf_append *append, uint64_t offset, uint64_t len);
/* Cross-reference section and trailer in the style of the file. */
an_code an_pdf_append_end(struct an_pdf_append *append, struct an_err *reterr) AN_MUST_USE;
uint64_t an_pdf_append_position(const struct an_pdf_append *append); /* absolute */

/* ---- emit.c: values ---- */
void an_pdf_emit_number(struct an_buf *out, double value, int decimals); /* never depends on the locale */
void an_pdf_emit_name(struct an_buf *out, an_bytes name);
void an_pdf_emit_ref(struct an_buf *out, uint32_t num, uint16_t gen);
void an_pdf_emit_string(struct an_pdf_append *append, an_bytes bytes); /* encrypted for the open object */
bool an_pdf_emit_text(struct an_pdf_append *append, an_bytes utf8);    /* as a text string; false: not UTF-8 */
void an_pdf_emit_date(struct an_pdf_append *append, an_time time);
void an_pdf_emit_value(struct an_pdf_append *append, const struct an_pdf_obj *obj);
/* All entries of a dictionary but those in except (NULL-ended), without << >>. */
void an_pdf_emit_entries(struct an_pdf_append *append, const struct an_pdf_obj *dict, const char *const *except);
void an_pdf_emit_items(struct an_pdf_append *append, const struct an_pdf_obj *array); /* without [ ] */
bool an_pdf_deflate(struct an_buf *out, an_bytes data, int level);

/* ---- bundle.c ---- */
/*
 * A group of objects with fixed content (picture and its mask; a font's five objects), written with consecutive
 * numbers, the one that others refer to last. In a dictionary "\x01" and a byte i stand for a reference to part i, and
 * a text between two "\x02" for a string, which is encrypted in an encrypted file (not in a stream's dictionary).
 */
#define AN_PDF_BUNDLE_MAX 6
struct an_pdf_piece { struct an_buf dict; struct an_buf data; bool is_stream; };
struct an_pdf_bundle {
    struct an_pdf_piece parts[AN_PDF_BUNDLE_MAX];
    size_t count;
    char marker[33]; /* value of /AnTinDigest in the last part */
};
void an_pdf_bundle_seal(struct an_pdf_bundle *bundle); /* computes the marker, adds it to the last part */
void an_pdf_bundle_done(struct an_pdf_bundle *bundle);
/* Number of the last part, written now. */
uint32_t an_pdf_bundle_write(struct an_pdf_append *append, const struct an_pdf_bundle *bundle);
/* True when the file holds exactly these bytes with num as the last part: a marker alone proves nothing, because
 * whoever prepared the file could have put it on another picture. */
bool an_pdf_bundle_is_at(struct an_pdf_append *append, const struct an_pdf_bundle *bundle, uint32_t num);

/* ---- png.c, image.c ---- */
struct an_pdf_image_style { bool hard_mask, calibrated; };
/* The objects of a picture in a style; kept in the image, made once. */
an_code an_pdf_image_bundle(struct an_pdf_image *image, struct an_pdf_image_style style,
                            const struct an_pdf_bundle **ret, struct an_err *reterr) AN_MUST_USE;

/* ---- font.c, subset.c ---- */
struct an_pdf_subset; /* counted */
struct an_pdf_shaped;
/* Shapes all lines and makes (or finds) the subset that holds them. */
an_code an_pdf_font_shape(struct an_pdf_font *font, const struct an_pdf_text_line *lines, size_t count, bool cid_set,
                          struct an_pdf_shaped **ret, struct an_err *reterr) AN_MUST_USE;
void an_pdf_shaped_free(struct an_pdf_shaped **shaped);
const struct an_pdf_bundle *an_pdf_shaped_bundle(const struct an_pdf_shaped *shaped);
/* Operators that show line i, from "Tf" to the last "Tj". */
void an_pdf_shaped_show(const struct an_pdf_shaped *shaped, size_t line, struct an_buf *out);

/* ---- place.c ---- */
struct an_pdf_rect an_pdf_place_rect(const struct an_pdf_page *page, struct an_pdf_rect seen);
/* Box of the appearance in its own coordinates, so that it keeps its proportions in rect. */
struct an_pdf_rect an_pdf_place_box(int rotate, struct an_pdf_rect rect, double width, double height);

/* ---- survey.c: one walk over the form ---- */
struct an_pdf_lock { const struct an_pdf_obj *dict; char *owner; }; /* /Lock or FieldMDP parameters of a signed field */
AN_VEC(an_pdf_locks, struct an_pdf_lock);
AN_VEC(an_pdf_objs, const struct an_pdf_obj *);
struct an_pdf_survey {
    const struct an_pdf_obj *catalog, *form, *fields; /* resolved; form and fields NULL when absent */
    const struct an_pdf_obj *target;   /* field of the wanted name */
    const struct an_pdf_obj *target_kind; /* its /FT, own or inherited; NULL when none */
    int64_t target_flags;
    bool target_is_branch;             /* it has fields below it and is none itself */
    const struct an_pdf_obj *ancestor; /* deepest existing part of a wanted name that is not there */
    size_t ancestor_len;               /* length of that part */
    bool ancestor_is_terminal;
    struct an_pdf_locks locks;
    struct an_pdf_objs widgets;        /* of signed fields, for pictures and fonts to use again */
    bool has_signature;
    uint64_t own_max;                  /* greatest N of a top field "AnTinN" */
};
an_code an_pdf_survey(struct an_pdf *pdf, const char *wanted, struct an_pdf_survey *ret,
                      struct an_err *reterr) AN_MUST_USE;
void an_pdf_survey_done(struct an_pdf_survey *survey);

/* ---- seed.c: what forbids ---- */
an_code an_pdf_check_permission(struct an_pdf *pdf, const struct an_pdf_sign *what, const struct an_pdf_survey *survey,
                                const char *name, struct an_err *reterr) AN_MUST_USE;
an_code an_pdf_check_target(struct an_pdf *pdf, const struct an_pdf_sign *what, const struct an_pdf_survey *survey,
                            const char *name, struct an_err *reterr) AN_MUST_USE;

/* ---- appearance.c ---- */
/* Writes the form object (and picture and font unless the file has them); ret_num is its number. */
an_code an_pdf_appearance_write(struct an_pdf_append *append, const struct an_pdf_survey *survey,
                                const struct an_pdf_appearance *look, int rotate, struct an_pdf_rect rect,
                                uint32_t *ret_num, struct an_err *reterr) AN_MUST_USE;
/* The empty appearance that PDF/A-1 asks of an invisible field. */
uint32_t an_pdf_appearance_empty(struct an_pdf_append *append);

/* ---- field.c ---- */
struct an_pdf_field_job {
    const struct an_pdf_sign *what;
    struct an_pdf_survey survey;
    char *name;
    uint32_t sig_num;           /* the signature dictionary to be */
    bool has_page; struct an_pdf_page page;
    uint32_t page_annot;        /* a widget that the page has to list when its object is written with the footer */
};
an_code an_pdf_field_write(struct an_pdf_append *append, struct an_pdf_field_job *job,
                           struct an_err *reterr) AN_MUST_USE;
/* "/Key[old items, num 0 R]" inside the dictionary that is being written. */
void an_pdf_emit_longer_list(struct an_pdf_append *append, const char *key, const struct an_pdf_obj *array,
                             uint32_t num);

/* ---- footer.c, balance.c: text on every page ---- */
/* After the field: pages are written again once, with the widget that job->page_annot names. */
an_code an_pdf_footer_write(struct an_pdf_append *append, struct an_pdf_field_job *job,
                            struct an_err *reterr) AN_MUST_USE;
/* What page content leaves open (ISO 32000-2, 8.4.2): operators added after it must start from a clean state. */
struct an_pdf_balance {
    unsigned open, excess; /* q without Q; Q without q */
    bool in_text;          /* BT without ET */
};
void an_pdf_balance_scan(an_bytes content, struct an_pdf_balance *balance);
