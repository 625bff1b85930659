/*
 * The page of the certificate policy and practice statement (RFC 3647): docs/cp-cps/cp.yaml as HTML, Vietnamese and
 * English, with the article behind each provision, what is unconfirmed marked, and the profiles in force.
 */
#pragma once

#include "ca/profile.h"
#include "regulation/regulation.h"

struct an_policy_page {
    const char *path;     /* of the content; NULL = docs/cp-cps/cp.yaml of the data folder */
    const char *name, *base_url;
    const struct an_profiles *profiles;
    struct an_regulations *regulations; /* NULL = articles are shown by their identifiers */
};
/* AN_E_CP_PAGE and the codes of yaml/. */
an_code an_policy_page_write(const struct an_policy_page *page, struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
/* Text between tags and in quoted attributes. */
void an_html_text(struct an_buf *out, an_bytes text);
