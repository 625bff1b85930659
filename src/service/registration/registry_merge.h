/* Mergers and transfers by who may, with a dry run, and undone where people err. */
#pragma once

#include "registry/reorganise.h"
#include "service/registration/registry.h"
#include "service/registration/request.h"

an_code an_registry_merge(const struct an_desk *desk, const struct an_reorganisation *plan, an_reorganisation_fn each,
                          void *context, int64_t *ret_id,
                          struct an_err *reterr) AN_MUST_USE;
an_code an_registry_transfer(const struct an_desk *desk, const struct an_reorganisation *plan,
                             an_reorganisation_fn each, void *context,
                             int64_t *ret_id, struct an_err *reterr) AN_MUST_USE;
/* The drafts that follow from it (an_request_prepare), by who may do the thing itself. */
an_code an_registry_prepare(const struct an_desk *desk, int64_t id, an_request_prepared_fn each, void *context,
                            struct an_err *reterr) AN_MUST_USE;
/* What was prepared and not sent is withdrawn. */
an_code an_registry_undo(const struct an_desk *desk, int64_t id, struct an_err *reterr) AN_MUST_USE;
