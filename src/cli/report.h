/* A verification report as JSON and on the terminal. */
#pragma once

#include "cli/cli.h"
#include "verify/verify.h"

#include <jansson.h>

json_t *cli_error_json(struct cli *cli, const struct an_err *err);
/* {file, indication, word, signatures[…], document{legal_effect}, notes[]}; the caller decrefs. */
json_t *report_json(struct cli *cli, const char *file, const struct an_report *report);
void report_text(struct cli *cli, const char *file, const struct an_report *report);
const char *indication_text(enum an_indication indication);
