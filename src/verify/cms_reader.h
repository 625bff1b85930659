/* Between the readers of CMS objects: cms.c, archive.c, mime.c, pdf.c. */
#pragma once

#include "verify/internal.h"

struct an_cms_input {
    struct an_job *job;
    struct an_cms *cms;
    an_bytes content;         /* what was signed; ptr NULL = given in the options, or missing */
    an_bytes raw;             /* the object as it was given, perhaps in BER; AN_NONE when not kept */
    const char *format;
    bool has_archived_status; /* revocation values stand in unsigned attributes */
};
/* How many bytes the BER value at the front takes; 0 when it is malformed. */
size_t an_ber_size(an_bytes ber);
void an_case_begin(struct an_case *sig, struct an_job *job, const char *format);
void an_case_take_signer(struct an_case *sig, const struct an_cms_signer *signer);
an_code an_cms_content_digest(const struct an_cms_input *input, enum an_digest digest,
                              uint8_t ret[static AN_DIGEST_MAX], an_bytes *ret_digest,
                              struct an_err *reterr) AN_MUST_USE;
an_code an_cms_verify_object(struct an_job *job, an_bytes object, an_bytes content, const char *format,
                             struct an_err *reterr) AN_MUST_USE;

/* CAdES long-term attributes of signer `at` (archive.c): values into the material, archive time-stamps into sig. */
void an_archive_read(struct an_cms_input *input, size_t at, struct an_case *sig);
void an_archive_judge(struct an_cms_input *input, size_t at, struct an_case *sig);

/* Counter-signatures (counter.c): a row each, after the signatures that they sign. */
size_t an_counter_count(const struct an_cms *cms);
void an_counter_verify(const struct an_cms_input *input);
