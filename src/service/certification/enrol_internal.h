/* Between the files of enrol*.c: what is entered when a machine has fetched its certificate. */
#pragma once

#include "service/certification/enrol.h"

/* Links it to the subscriber that the approval names, and shows it as the result of the request's item. */
an_code enrol_enter(struct an_tx *tx, const struct an_approval *approval, an_bytes serial, an_time now,
                    struct an_err *reterr) AN_MUST_USE;
/* The one that follows another belongs to whom that one belongs to. */
an_code enrol_enter_next(struct an_tx *tx, an_bytes before, an_bytes serial, an_time now,
                         struct an_err *reterr) AN_MUST_USE;
