/* Options of the commands on enrolment, and their functions. */
#pragma once

#include "cli/cli.h"

struct enrol_args { const char *dir, *profile, *authority, *subject, *email, *subscriber, *agency, *as, *secret_out;
                   long months, days, limit, matter; bool is_waiting; };

int cmd_enrol_allow(struct cli *cli, const void *options, char **args, int count);
int cmd_enrol_list(struct cli *cli, const void *options, char **args, int count);
int cmd_enrol_show(struct cli *cli, const void *options, char **args, int count);
int cmd_enrol_open(struct cli *cli, const void *options, char **args, int count);
int cmd_enrol_withdraw(struct cli *cli, const void *options, char **args, int count);
