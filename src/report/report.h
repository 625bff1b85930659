/*
 * Documents about a verification: the report that a clerk files, the letter to the sender when a document is refused,
 * the ETSI validation report, and the record that lets anybody have the same verdict again. A struct an_report comes
 * in, bytes go out; pages are laid out by antin-layout from the JSON written here.
 */
#pragma once

#include "regulation/regulation.h"
#include "verify/verify.h"

/* One document and what was found. */
struct an_report_paper {
    const char *file; /* as the person named it */
    uint8_t sha256[32];
    uint64_t bytes;
    an_time at;         /* validation time */
    const char *policy; /* id */
    const struct an_report *report;
    an_bytes picture;      /* PNG of the page that shows the signature; AN_NONE = none */
    unsigned picture_page; /* from 1 */
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
void an_report_write_refusal_text(const struct an_report_context *context, const struct an_report_paper *papers,
                                  size_t count, struct an_buf *out);
void an_report_write_refusal_letter(const struct an_report_context *context, const struct an_report_paper *papers,
                                    size_t count, struct an_buf *out);

/* ---- the record of what decided (evidence.c, evidence_read.c) ---- */
/* A folder: manifest.json (what was asked, the verdict, every piece by its SHA-256) and the pieces. The report must
 * have been made with keep_evidence. options: what was asked. whole: everything that was known, not only what can have
 * decided. */
an_code an_evidence_save(const struct an_report_context *context, const struct an_report_paper *paper,
                         const struct an_verify_options *options, bool whole, const char *folder,
                         struct an_err *reterr) AN_MUST_USE;

struct an_evidence; /* a record, read and found unaltered */
/* AN_E_EVIDENCE_MISSING, _FORMAT, _TAMPERED (names the piece). */
an_code an_evidence_open(const char *folder, struct an_evidence **ret, struct an_err *reterr) AN_MUST_USE;
void an_evidence_free(struct an_evidence **evidence);
an_time an_evidence_time(const struct an_evidence *evidence);
const char *an_evidence_policy(const struct an_evidence *evidence);
/* Verifies the file with what the record holds and nothing else. password, content: as in an_verify_options.
 * AN_E_EVIDENCE_DOCUMENT when it is another file; AN_E_EVIDENCE_DIFFERS when the verdict is not the recorded one (ret
 * is filled then too). */
an_code an_evidence_verify(struct an_evidence *evidence, const struct an_file *file, const struct an_secret *password,
                           const struct an_file *content, struct an_report *ret, struct an_err *reterr) AN_MUST_USE;

/* ---- ETSI TS 119 102-2 (etsi.c) ---- */
void an_report_write_etsi(const struct an_report_context *context, const struct an_report_paper *papers, size_t count,
                          struct an_buf *out);
