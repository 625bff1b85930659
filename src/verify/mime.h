/* Reading signed mail: mime.c and its tests and harness. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

struct an_mime_part { struct an_buf type, encoding; };
#define AN_MIME_PART_NONE ((struct an_mime_part){an_buf_new(4096), an_buf_new(256)})

/* The CMS object of a signed mail and, when it is detached, the content in canonical form. */
an_code an_mime_read(an_bytes mail, struct an_buf *content, struct an_buf *cms, struct an_err *reterr) AN_MUST_USE;
