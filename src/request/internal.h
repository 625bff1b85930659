/* Between the files of the room. */
#pragma once

#include "base/limits.h"
#include "base/mem.h"
#include "request/request.h"

AN_VEC(an_request_items, struct an_request_item);

an_time request_time(const struct an_row *row, size_t column);
struct an_value request_v_time(an_time at);
const char *request_text(struct an_arena *arena, const struct an_row *row, size_t column);
/* The dossier's own history and the audit log. */
an_code request_tell(struct an_tx *tx, int64_t id, const char *action, enum an_request_state from,
                     enum an_request_state to,
                     const struct an_request_deed *deed, struct an_err *reterr) AN_MUST_USE;
