/*
 * The linter: does what is about to be signed, or was, keep to the standards, the law and its profile? Pure functions
 * over bytes, a few microseconds each, no signature checked. Every check is a row of lint.def: id, source, severity,
 * words.
 */
#pragma once

#include "ca/profile.h"

enum an_lint_severity { AN_LINT_ERROR = 0, AN_LINT_WARNING, AN_LINT_NOTE };
enum an_lint_kind { AN_LINT_ANY = 0, AN_LINT_CERT, AN_LINT_CRL, AN_LINT_OCSP, AN_LINT_TOKEN };
struct an_lint {
    const char *id;     /* "cert.serial.positive" */
    enum an_lint_kind kind;
    enum an_lint_severity severity;
    const char *source; /* "RFC 5280 4.1.2.2", or an article "nd-68-2024/9" */
    const char *vi, *en;
};
size_t an_lint_count(void);
const struct an_lint *an_lint_at(size_t place);

/* Called once for every check that fails, in the order of the table. */
typedef void (*an_lint_fn)(void *context, const struct an_lint *lint);
struct an_lint_plan {
    const struct an_profile *profile;  /* NULL = what the certificate says of itself decides */
    const struct an_cert *issuer;      /* NULL = not known; for CRLs and answers: whose they are */
    bool is_unsigned;                  /* the signature is not there yet */
    an_lint_fn each;
    void *context;
};
void an_lint_cert(an_bytes der, const struct an_lint_plan *plan);
void an_lint_crl(an_bytes der, const struct an_lint_plan *plan);
/* The same for a list that is read in steps: what stands around the entries as a list without them, then whole entries
 * one after the other, then what was found. */
struct an_lint_list;
struct an_lint_list *an_lint_list_begin(an_bytes frame, const struct an_lint_plan *plan) AN_MUST_USE;
void an_lint_list_entries(struct an_lint_list *list, an_bytes entries);
void an_lint_list_end(struct an_lint_list **list);
void an_lint_ocsp(an_bytes der, const struct an_lint_plan *plan);
void an_lint_token(an_bytes der, const struct an_lint_plan *plan); /* a TimeStampToken, or a TimeStampResp */
/* What these bytes are, by their shape: a certificate, list, answer or token; AN_LINT_ANY when none of them. */
enum an_lint_kind an_lint_guess(an_bytes der);
