/*
 * Certificates found by serial number, subject, agency or e-mail, for the public: accents and case make no difference.
 * What is shown is what the certificate itself says and its status; nothing of the register
 * (docs/decisions/066-public-search.md).
 */
#pragma once

#include "base/time.h"
#include "store/store.h"

struct an_public_search {
    const char *serial;  /* hexadecimal, with or without ":" and blanks */
    const char *subject; /* beginning of the common name, or of the name as "CN=…" */
    const char *agency;  /* beginning of the agency's name */
    const char *email;   /* the whole address */
    /* one of the four; the others NULL */
    int64_t after;       /* id of the last row that was seen; 0 = from the beginning */
    int64_t limit;       /* rows at most; 0 = 20 */
};
struct an_found {
    int64_t id;
    const char *serial;  /* hexadecimal */
    const char *subject, *profile, *authority;
    an_time not_before, not_after, revoked_at; /* revoked_at AN_TIME_NONE when in force */
    int status, reason;  /* 0 in force, 1 revoked, 2 on hold, 3 expired */
};
typedef void (*an_found_fn)(void *context, const struct an_found *found);
/* AN_E_SEARCH_QUERY. *ret_more: there are rows behind the last. */
an_code an_public_search_run(struct an_store *store, const struct an_public_search *search, an_time now,
                             an_found_fn each, void *context, bool *ret_more,
                      struct an_err *reterr) AN_MUST_USE;
/* The certificate itself; *ret_found false when there is none. */
an_code an_public_search_certificate(struct an_store *store, const char *serial, struct an_buf *ret_der,
                                     bool *ret_found, struct an_err *reterr) AN_MUST_USE;

/* The same as a document. language of the page: both. */
an_code an_public_search_json(struct an_store *store, const struct an_public_search *search, an_time now,
                              struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
/* search NULL = the form alone. A query that is not acceptable is said on the page. */
an_code an_public_search_page(struct an_store *store, const struct an_public_search *search, an_time now,
                              struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
const char *an_public_status_word(int status, bool is_english);
