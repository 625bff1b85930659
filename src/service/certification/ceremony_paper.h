/*
 * The transcript of a ceremony as a PDF beside its text. The text ends with a line that names the size and the hash of
 * the page as it was laid out, so the quorum that decides the text decides the page; each of them signs the page as
 * well (PAdES), which any reader of PDF shows. Signatures are appended: what was laid out stays its beginning.
 */
#pragma once

#include "service/certification/ceremony.h"

struct json_t;

/* What stands on the page beside the steps. */
struct ceremony_facts {
    const char *vi, *en, *id, *script;
    const uint8_t *script_sha256; /* 32 bytes */
    const struct an_actor *actor;
    int64_t matter;               /* by which the script was approved */
};
/* rows: [number, moment, what was done] each; taken. */
an_code ceremony_lay_out(struct an_instance *instance, const struct ceremony_facts *facts, struct json_t *rows,
                         struct an_buf *ret_pdf, struct an_err *reterr) AN_MUST_USE;
/* The line that ends the text. */
void ceremony_name_paper(an_bytes pdf, struct an_buf *text);
/* Does this text name a page? Those of earlier versions do not. */
bool ceremony_has_paper(an_bytes text);
/* AN_E_CEREMONY_PAPER when the file is not the page that the text names, with or without signatures behind it. */
an_code ceremony_match_paper(an_bytes text, const char *path, struct an_err *reterr) AN_MUST_USE;
/* Signs the page in place with a person's key, unless it bears that certificate's signature already. Whose
 * certificate it is and what it may do was judged by the vote before. */
an_code ceremony_sign_paper(struct an_instance *instance, an_bytes text, const char *path, struct an_cert *cert,
                            struct an_signer *signer, struct an_err *reterr) AN_MUST_USE;
/* It is the page that the text names, every signature on it holds, and everybody who approved the matter signed it.
 * AN_E_CEREMONY_PAPER. */
an_code ceremony_check_paper(struct an_instance *instance, an_bytes text, const char *path, int64_t matter,
                             struct an_err *reterr) AN_MUST_USE;
