/* Options of the commands about certificate status, and their functions. */
#pragma once

#include "cli/cli.h"

struct crl_args { const char *dir; bool delta; };

int cmd_ca_crl(struct cli *cli, const void *options, char **args, int count);
