/* What commands load for checking: trust anchors, other certificates, CRLs, OCSP answers, passwords. */
#pragma once

#include "cli/cli.h"
#include "x509/status.h"

struct material {
    struct an_certs anchors, untrusted;
    struct an_crls crls;
    struct an_ocsps ocsps;
};

void material_done(struct material *m);
/* FILE or DIR: certificates (PEM, DER), into set. */
an_code material_certs(const char *path, struct an_certs *set, struct an_err *reterr) AN_MUST_USE;
an_code material_crls(const char *path, struct an_crls *set, struct an_err *reterr) AN_MUST_USE;
an_code material_ocsps(const char *path, struct an_ocsps *set, struct an_err *reterr) AN_MUST_USE;
/* First line of a file; NULL path gives NULL. */
an_code material_password(const char *path, struct an_secret **ret, struct an_err *reterr) AN_MUST_USE;
/* "2025-12-02T09:30:05+07:00"; NULL gives AN_TIME_NONE. */
an_code material_time(const char *text, an_time *ret, struct an_err *reterr) AN_MUST_USE;
