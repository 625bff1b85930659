/* Between postgres.c and postgres_copy.c: a connection as both want it. */
#pragma once

#include <libpq-fe.h>

#include "store/internal.h"

an_code pg_connect(const char *url, unsigned flags, PGconn **ret, struct an_err *reterr) AN_MUST_USE;
/* Runs statements without parameters; an error names none of the data. */
an_code pg_plain(PGconn *db, const char *text, PGresult **ret_result, struct an_err *reterr) AN_MUST_USE;
an_code pg_dump(const char *url, const char *path, struct an_err *reterr) AN_MUST_USE;
an_code pg_load(const char *url, const char *path, struct an_err *reterr) AN_MUST_USE;
