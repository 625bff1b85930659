/* Evidence records: record.c, for itself and for containers. */
#pragma once

#include "verify/cms_reader.h"

/* A row of the report, a time-stamp in kind. objects: the data group; none = not given, which proves nothing. */
an_code an_record_verify_object(struct an_job *job, an_bytes der, const an_bytes *objects, size_t count,
                                struct an_err *reterr) AN_MUST_USE;
