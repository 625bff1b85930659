/* One request per line in, one JSON answer per line out: `antin verify --stream` (docs/verify-json.md). */
#pragma once

#include "cli/cert_check.h"

/* defaults: the command line; a request replaces what it names. 0 when every line was answered. */
int stream_run(struct cli *cli, FILE *in, const struct verify_args *defaults, const struct cert_checker *checker);
