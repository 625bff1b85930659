/* Options of the commands about devices, and the functions that carry them out. */
#pragma once

#include "cli/cli.h"

struct device_args {
    const char *dir, *as;
    const char *kind, *number, *model, *uri, *carrier, *phone, *account, *subscriber, *place, *note;
    const char *state, *holder, *agency, *cursor, *reason;
    long limit;
    const char *to, *giver, *taker, *way, *permission, *paper;
    const char *key, *cert, *image, *pin_file, *so_pin_file, *new_pin_file;
};

int cmd_device_add(struct cli *cli, const void *options, char **args, int count);
int cmd_device_list(struct cli *cli, const void *options, char **args, int count);
int cmd_device_show(struct cli *cli, const void *options, char **args, int count);
int cmd_device_edit(struct cli *cli, const void *options, char **args, int count);
int cmd_device_state(struct cli *cli, const void *options, char **args, int count);
int cmd_device_prepare(struct cli *cli, const void *options, char **args, int count);
int cmd_device_handover(struct cli *cli, const void *options, char **args, int count);
int cmd_device_change(struct cli *cli, const void *options, char **args, int count);
int cmd_device_return(struct cli *cli, const void *options, char **args, int count);
int cmd_device_lost(struct cli *cli, const void *options, char **args, int count);
int cmd_device_records(struct cli *cli, const void *options, char **args, int count);
int cmd_device_paper(struct cli *cli, const void *options, char **args, int count);
int cmd_device_sign(struct cli *cli, const void *options, char **args, int count);
int cmd_device_void(struct cli *cli, const void *options, char **args, int count);
int cmd_device_restore(struct cli *cli, const void *options, char **args, int count);
int cmd_device_wipe(struct cli *cli, const void *options, char **args, int count);
