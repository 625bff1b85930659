/* Between the files that read signatures in PDF: pdf.c, pdf_ranges.c, pdf_dss.c, pdf_legacy.c, pdf_damaged.c. */
#pragma once

#include "pdf/pdf.h"
#include "verify/record.h"

enum an_pdf_signature_kind {
    AN_PDF_SIGNATURE_DETACHED = 0, AN_PDF_SIGNATURE_SHA1, AN_PDF_SIGNATURE_RSA, AN_PDF_SIGNATURE_STAMP,
};
struct an_pdf_row {
    size_t index;    /* in fields */
    size_t position; /* in rows */
    const struct an_pdf_sigfield *field;
    enum an_pdf_signature_kind kind;
    const char *format;
    an_code note;
    struct an_cms *cms; /* NULL when it could not be read, or is none */
    bool covered, covers_file;
    an_code coverage_why;
    struct an_case sig;
};
struct an_pdf_reader {
    struct an_job *job;
    struct an_pdf *pdf;
    struct an_pdf_sigfields fields;
    struct an_pdf_row *rows;
    size_t count;
    bool has_empty, removed;
    struct an_hash *common; /* over the bytes that all signed ranges begin with, with common_digest; NULL before */
    enum an_digest common_digest;
    uint64_t common_len;
    struct an_material dss; /* what the Document Security Store of the newest state holds */
};

/* pdf_ranges.c: false when the range is not in the file */
bool an_pdf_range_digest(struct an_pdf_reader *reader, const struct an_pdf_row *row, enum an_digest digest,
                         uint8_t ret[static AN_DIGEST_MAX]);
/* pdf_dss.c */
void an_pdf_read_dss(struct an_pdf_reader *reader);
void an_pdf_dss_done(struct an_pdf_reader *reader);
/* Everything under a document time-stamp existed at its time. */
void an_pdf_prove(struct an_pdf_reader *reader, const struct an_pdf_row *stamp, an_time time);
/* Is there status information for the signer in the DSS or in the signature? */
bool an_pdf_has_status(const struct an_pdf_reader *reader, const struct an_pdf_row *row);
/* pdf_legacy.c: the kinds that ISO 32000-2 deprecates */
void an_pdf_legacy_read(struct an_pdf_reader *reader, struct an_pdf_row *row);
void an_pdf_legacy_check_rsa(struct an_pdf_reader *reader, struct an_pdf_row *row);
void an_pdf_legacy_check_sha1(struct an_pdf_reader *reader, struct an_pdf_row *row);
void an_pdf_legacy_check_other(struct an_pdf_row *row, const struct an_cms_signer *signer);
/* pdf_damaged.c: a row for every signature that can be seen in the bytes; false when there is none but the
 * dictionaries of usage rights, as many as rights says. */
bool an_pdf_report_damaged(struct an_job *job, an_code why, const char *detail, size_t rights);
