/* Options of the commands on requests and notices, and their functions. */
#pragma once

#include "cli/cli.h"

struct request_args {
    const char *dir, *as, *agency, *list, *addressee, *subject_kind, *device_kind, *number, *filing_key, *receiver,
    *regulation, *certificate, *device,
        *what, *to, *ground, *reason, *key, *cert, *pin_file, *image, *paper, *record, *state, *name, *subject_one,
        *about, *token, *pin_dir, *after;
    struct opt_list subject, item;
    long edit, limit, before;
    bool urgent, overdue, mine;
};

int cmd_request_new(struct cli *cli, const void *options, char **args, int count);
int cmd_request_renew(struct cli *cli, const void *options, char **args, int count);
int cmd_request_change(struct cli *cli, const void *options, char **args, int count);
int cmd_request_revoke(struct cli *cli, const void *options, char **args, int count);
int cmd_request_recover(struct cli *cli, const void *options, char **args, int count);
int cmd_request_emergency(struct cli *cli, const void *options, char **args, int count);
int cmd_request_check(struct cli *cli, const void *options, char **args, int count);
int cmd_request_paper(struct cli *cli, const void *options, char **args, int count);
int cmd_request_sign(struct cli *cli, const void *options, char **args, int count);
int cmd_request_send(struct cli *cli, const void *options, char **args, int count);
int cmd_request_withdraw(struct cli *cli, const void *options, char **args, int count);
int cmd_request_accept(struct cli *cli, const void *options, char **args, int count);
int cmd_request_supplement(struct cli *cli, const void *options, char **args, int count);
int cmd_request_refuse(struct cli *cli, const void *options, char **args, int count);
int cmd_request_approve(struct cli *cli, const void *options, char **args, int count);
int cmd_request_execute(struct cli *cli, const void *options, char **args, int count);
int cmd_request_handover(struct cli *cli, const void *options, char **args, int count);
int cmd_request_list(struct cli *cli, const void *options, char **args, int count);
int cmd_request_show(struct cli *cli, const void *options, char **args, int count);
int cmd_notice_list(struct cli *cli, const void *options, char **args, int count);
int cmd_notice_show(struct cli *cli, const void *options, char **args, int count);
int cmd_notice_resend(struct cli *cli, const void *options, char **args, int count);
int cmd_notice_set_aside(struct cli *cli, const void *options, char **args, int count);
int cmd_notice_run(struct cli *cli, const void *options, char **args, int count);
