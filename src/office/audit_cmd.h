/* Options of the commands on the audit log, and their functions. */
#pragma once

#include "cli/cli.h"

struct audit_args { const char *dir, *object, *actor, *action, *from, *to, *output; struct opt_list signer;
                   long limit, after, size; };

int cmd_audit_list(struct cli *cli, const void *options, char **args, int count);
int cmd_audit_verify(struct cli *cli, const void *options, char **args, int count);
int cmd_audit_export(struct cli *cli, const void *options, char **args, int count);
int cmd_audit_proof(struct cli *cli, const void *options, char **args, int count);
int cmd_audit_checkpoint(struct cli *cli, const void *options, char **args, int count);
