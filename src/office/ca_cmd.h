/* Options of `antin ca …` and the functions that carry them out. */
#pragma once

#include "cli/cli.h"

struct ca_args {
    const char *dir, *profile, *csr, *token, *pin_file, *key_type, *subject, *email, *output, *authority, *request_key,
    *as, *role, *subscriber, *device;
    const char *not_before, *not_after, *ground, *since, *list, *by, *export_file, *hierarchy, *cert, *root,
                *common_name, *facts, *key, *reason, *issuer;
    long days, jobs, limit, before, matter, needed;
    bool generate, refuse, strict;
};

int cmd_ca_issue(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_renew(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_change(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_revoke(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_hold(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_release(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_expire(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_list(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_show(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_search(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_lint(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_checks(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_profiles(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_grounds(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_approvals(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_authority(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_approval(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_officer(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_matter(struct cli *cli, const void *options, char **args, int count);
int cmd_ca_ceremony(struct cli *cli, const void *options, char **args, int count);
