/*
 * Documents about a verification: the report that a clerk files, the letter to the sender when a document is refused, the
 * ETSI validation report, and the record that lets anybody have the same verdict again. A struct an_report comes in, bytes
 * go out; pages are laid out by antin-layout from the JSON written here.
 */
#pragma once

#include "regulation/regulation.h"
#include "verify/verify.h"

/* One document and what was found. */
struct an_report_paper {
    const char *file;          /* as the person named it */
    uint8_t sha256[32];
    uint64_t bytes;
    an_time at;                /* validation time */
    const char *policy;        /* id */
    const struct an_report *report;
    an_bytes picture;          /* PNG of the page that shows the signature; AN_NONE = none */
    unsigned picture_page;     /* from 1 */
};
struct an_report_context {
    struct an_regulations *regulations;
    bool english;
};

/* ---- the report: {"kind": "bao-cao", …} for antin-layout (words.c, paper.c) ---- */
void an_report_write_paper(const struct an_report_context *context, const struct an_report_paper *papers, size_t count,
                           struct an_buf *out);

/* ---- the refusal letter (refusal.c): only for papers that are not TOTAL-PASSED ---- */
bool an_report_is_refused(const struct an_report_paper *paper);
/* Plain text, and the same as {"kind": "van-ban", …} for antin-layout. */
void an_report_write_refusal_text(const struct an_report_context *context, const struct an_report_paper *papers, size_t count,
                                  struct an_buf *out);
void an_report_write_refusal_letter(const struct an_report_context *context, const struct an_report_paper *papers, size_t count,
                                    struct an_buf *out);

/* ---- ETSI TS 119 102-2 (etsi.c) ---- */
void an_report_write_etsi(const struct an_report_context *context, const struct an_report_paper *papers, size_t count, struct an_buf *out);
