/* Mergers and transfers by who may, with a dry run, and undone where people err. */
#pragma once

#include "registry/reorganise.h"
#include "service/registration/registry.h"

an_code an_registry_merge(const struct an_desk *desk, const struct an_reorganisation *plan, an_reorganisation_fn each,
                          void *context, int64_t *ret_id,
                          struct an_err *reterr) AN_MUST_USE;
an_code an_registry_transfer(const struct an_desk *desk, const struct an_reorganisation *plan,
                             an_reorganisation_fn each, void *context,
                             int64_t *ret_id, struct an_err *reterr) AN_MUST_USE;
an_code an_registry_undo(const struct an_desk *desk, int64_t id, struct an_err *reterr) AN_MUST_USE;
