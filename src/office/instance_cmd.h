/* Options of the commands that make, check and keep an instance, and their functions. */
#pragma once

#include "cli/cli.h"

struct init_args { const char *name, *database, *regulation, *hierarchy, *base_url, *token, *pin_file; };
struct serve_args { const char *dir, *listen; };
struct doctor_args { bool deep; };
struct upgrade_args { const char *database; };
struct backup_args { const char *database; bool with_tokens; };

int cmd_serve(struct cli *cli, const void *options, char **args, int count);
int cmd_init(struct cli *cli, const void *options, char **args, int count);
int cmd_config_check(struct cli *cli, const void *options, char **args, int count);
int cmd_upgrade(struct cli *cli, const void *options, char **args, int count);
int cmd_backup(struct cli *cli, const void *options, char **args, int count);
int cmd_restore(struct cli *cli, const void *options, char **args, int count);
int cmd_doctor(struct cli *cli, const void *options, char **args, int count);
