/*
 * PDF objects (ISO 32000-2, 7.3) as small trees inside the reader's arena. Inside the room and for verify/'s change
 * analysis; other rooms use pdf.h.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum an_pdf_kind {
    AN_PDF_NULL = 0, AN_PDF_BOOL, AN_PDF_INT, AN_PDF_REAL, AN_PDF_NAME, AN_PDF_STRING, AN_PDF_ARRAY, AN_PDF_DICT,
    AN_PDF_STREAM, AN_PDF_REF,
};

struct an_pdf_entry;
struct an_pdf_obj {
    enum an_pdf_kind kind;
    bool is_hex;            /* STRING written as <…> */
    uint64_t offset, end;   /* where it stands: in the file, or in the object stream `container` */
    uint32_t container;     /* object stream number, 0 = in the file itself */
    union {
        bool boolean;
        int64_t integer;
        double real;
        an_bytes text;                                            /* NAME: #xx decoded; STRING: decoded and decrypted */
        struct { const struct an_pdf_obj *items; size_t count; } array;
        struct { const struct an_pdf_entry *entries; size_t count; } dict; /* also of a STREAM; order of the file */
        struct { uint32_t num; uint16_t gen; } ref;
    } u;
    /* STREAM: where the raw data stand in the file */
    uint64_t data_offset, data_len;
    uint32_t num; uint16_t gen; /* of the indirect object this is the top of; 0 when direct */
};
struct an_pdf_entry { an_bytes key; struct an_pdf_obj value; };

struct an_pdf;
/* Value of a key, not resolved; NULL when absent or obj is no dictionary. A key that stands twice: the last one, and
 * the file is marked (an_pdf_notes). */
const struct an_pdf_obj *an_pdf_dict_find(const struct an_pdf_obj *obj, const char *key);
/* Follows references in a revision (an_pdf_latest for the current state); never NULL: a missing object is null.
 * Chains of references are bounded. */
const struct an_pdf_obj *an_pdf_resolve(struct an_pdf *pdf, size_t revision, const struct an_pdf_obj *obj);
/* dict_find, then resolve. Never NULL. */
const struct an_pdf_obj *an_pdf_at(struct an_pdf *pdf, size_t revision, const struct an_pdf_obj *dict, const char *key);
/* An object by number in a revision. Never NULL. */
const struct an_pdf_obj *an_pdf_object(struct an_pdf *pdf, size_t revision, uint32_t num);

bool an_pdf_is_name(const struct an_pdf_obj *obj, const char *name);
bool an_pdf_int(const struct an_pdf_obj *obj, int64_t *ret);    /* INT, or REAL without a fraction */
bool an_pdf_number(const struct an_pdf_obj *obj, double *ret);
/* Four numbers, normalised so that x0 <= x1 and y0 <= y1. */
struct an_pdf_rect { double x0, y0, x1, y1; };
bool an_pdf_rect_of(struct an_pdf *pdf, size_t revision, const struct an_pdf_obj *obj, struct an_pdf_rect *ret);
/* A text string (PDFDocEncoding, UTF-16BE with BOM, UTF-8 with BOM) as UTF-8. */
bool an_pdf_text_of(const struct an_pdf_obj *string, struct an_buf *out);
/* Deep equality of two objects as values (dictionaries in any order, numbers by value, references by number). */
bool an_pdf_equal(const struct an_pdf_obj *a, const struct an_pdf_obj *b);
/* Serialises; references keep their numbers, strings are written in the clear (emit.c encrypts what an update
 * appends). */
void an_pdf_write(struct an_buf *out, const struct an_pdf_obj *obj);

/* Decoded data of a stream: decrypted and all filters undone. AN_E_PDF_FILTER when a filter is unknown (images). */
an_code an_pdf_stream_data(struct an_pdf *pdf, const struct an_pdf_obj *stream, size_t bytes_max, struct an_buf *ret,
                           struct an_err *reterr) AN_MUST_USE;
/* Raw bytes as they stand in the file. */
an_bytes an_pdf_stream_raw(struct an_pdf *pdf, const struct an_pdf_obj *stream);
