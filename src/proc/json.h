/* JSON payloads: for the helper programs and their clients, the rooms that speak JSON with each other. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct json_t; /* jansson's json_t; who uses this includes <jansson.h> */

void an_json_free(struct json_t **root); /* also for AN_CLEANUP */
/* Duplicate keys are refused. AN_E_PROC_REQUEST with the position. */
an_code an_json_parse(an_bytes text, struct json_t **ret, struct an_err *reterr) AN_MUST_USE;
void an_json_write(struct an_buf *out, const struct json_t *root);
