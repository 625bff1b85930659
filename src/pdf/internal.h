/*
 * Private to the room. The upper part is the reader's own; the lower part is what the writer (append.c and friends)
 * needs of the reader beyond pdf.h and object.h.
 */
#pragma once

#include "crypto/crypto.h"
#include "pdf/pdf.h"

/* ---- the reader, for the writer (xref.c, crypt.c) ---- */
struct an_pdf_tail {
    uint64_t startxref; /* as written in the file: goes into /Prev of the next section */
    uint64_t bias;      /* bytes before "%PDF-" when the file counts its offsets from there; 0 otherwise */
    bool is_stream;     /* the newest section is a cross-reference stream (hybrid: false) */
    bool is_rebuilt;    /* no usable section: the next one must list every live object */
    uint32_t next_num;  /* first number no section uses: /Size, or more when /Size is too small */
};
/* Cheap: nothing but what opening has read. */
void an_pdf_tail(struct an_pdf *pdf, struct an_pdf_tail *ret);
/* Every live object of the current state (number, generation, offset or container with index in offset). free(). */
an_code an_pdf_live_objects(struct an_pdf *pdf, struct an_pdf_change **ret, size_t *ret_count, struct an_err *reterr) AN_MUST_USE;
bool an_pdf_is_encrypted(const struct an_pdf *pdf);
bool an_pdf_may_sign(struct an_pdf *pdf);   /* permission bits */
int an_pdf_pdfa_part(struct an_pdf *pdf);   /* 0 = no PDF/A; kept after the first call */
/* Encrypt for an object as the file's handler does (string filter, stream filter). AES initialisation vectors are
 * derived from the file key, the object number and the plain text, so the same input gives the same bytes. */
an_code an_pdf_crypt_string(struct an_pdf *pdf, uint32_t num, uint16_t gen, an_bytes plain, struct an_buf *out,
                            struct an_err *reterr) AN_MUST_USE;
an_code an_pdf_crypt_stream(struct an_pdf *pdf, uint32_t num, uint16_t gen, an_bytes plain, struct an_buf *out,
                            struct an_err *reterr) AN_MUST_USE;
