/* A verification report as JSON and on the terminal. */
#pragma once

#include "cli/cli.h"
#include "verify/verify.h"

#include <jansson.h>

json_t *cli_error_json(struct cli *cli, const struct an_err *err);
/* {file, indication, word, signatures[…], document{legal_effect}, notes[]}; the caller decrefs. */
json_t *report_json(struct cli *cli, const char *file, const struct an_report *report);
void report_text(struct cli *cli, const char *file, const struct an_report *report);
json_t *report_text_json(an_bytes text); /* never NULL, always valid */
json_t *report_cert_json(const struct an_cert *cert);
json_t *report_time_json(an_time when);    /* null when not known */
json_t *report_hex_json(an_bytes bytes);
/* {code, vi, en, citation, detail} */
json_t *report_message_json(struct cli *cli, an_code code, const char *detail);
/* A list of {code, vi, en}: notes and warnings. */
json_t *report_codes_json(const an_code *codes, size_t count);
/* One line, compact. Takes json over. */
void report_print_json(FILE *out, json_t *json);
const char *indication_text(enum an_indication indication);
