/* What commands load for checking: trust anchors, other certificates, CRLs, OCSP answers, passwords. */
#pragma once

#include "cli/cli.h"
#include "x509/status.h"

struct material_bad { size_t count; struct an_err first; };
struct material {
    struct an_certs anchors, untrusted;
    struct an_crls crls;
    struct an_ocsps ocsps;
    struct material_bad bad_certs, bad_status; /* passed over because their content is malformed (only when tolerant) */
};

/* Files parsed before, by path, time and size: for thousands of questions that name the same files. Not thread-safe. */
struct material_cache;
struct material_cache *material_cache_new(void);
void material_cache_free(struct material_cache **cache);

struct material_paths {
    const struct opt_list *trust, *untrusted, *crl, *ocsp;
};
/* All four kinds. cache: NULL = none. tolerant: malformed content is counted, not a failure (a check of a certification
 * path judges what it was given); a file that cannot be opened is a failure in any case. */
an_code material_load(struct material_cache *cache, const struct material_paths *paths, bool tolerant,
                      struct material *ret, struct an_err *reterr) AN_MUST_USE;

void material_done(struct material *m);
/* Certificates of PEM, DER or PKCS#7 content. */
an_code material_cert_bytes(an_bytes content, struct an_certs *set, struct an_err *reterr) AN_MUST_USE;
bool material_is_bundle(an_bytes content); /* PKCS#7 */
/* FILE or DIR: certificates (PEM, DER, PKCS#7), into set. */
an_code material_certs(const char *path, struct an_certs *set, struct an_err *reterr) AN_MUST_USE;
an_code material_crls(const char *path, struct an_crls *set, struct an_err *reterr) AN_MUST_USE;
an_code material_ocsps(const char *path, struct an_ocsps *set, struct an_err *reterr) AN_MUST_USE;
/* First line of a file; NULL path gives NULL. */
an_code material_password(const char *path, struct an_secret **ret, struct an_err *reterr) AN_MUST_USE;
/* "2025-12-02T09:30:05+07:00"; NULL gives AN_TIME_NONE. */
an_code material_time(const char *text, an_time *ret, struct an_err *reterr) AN_MUST_USE;
