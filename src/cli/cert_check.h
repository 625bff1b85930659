/* One question about one certificate, answered as JSON: `antin cert verify`, and requests of a stream. */
#pragma once

#include "cli/cmd.h"
#include "cli/material.h"
#include "verify/verify.h"

#include <jansson.h>

struct cert_checker {
    struct an_verifier *verifier;
    struct material_cache *cache; /* NULL = none */
    an_path_fetch fetch;          /* empty = offline */
};
/* *ret_json: {file, indication, subindication, why, at, policy, chain[], policies[], status[], notes[]}. */
an_code cert_check(struct cli *cli, const struct cert_checker *checker, const char *file,
                   const struct cert_verify_args *args, enum an_indication *ret_indication, json_t **ret_json,
                   struct an_err *reterr) AN_MUST_USE;
