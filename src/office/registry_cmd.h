/* Options of the commands about agencies, people, subscribers and devices, and the functions that carry them out. */
#pragma once

#include "cli/cli.h"

struct registry_args {
    const char *dir, *as;
    /* pages */
    const char *text, *cursor;
    long limit;
    /* agencies */
    const char *name, *code, *superior, *hierarchy, *address, *province, *tax_code, *budget_code, *email, *email_domain,
                *regulation, *seal_document,
        *into, *document, *on, *basis;
    double seal_mm;
    /* people */
    const char *agency, *number, *born, *identity, *identity_issued, *identity_place, *phone, *retires, *title,
                *authority, *role, *since, *until, *state;
    bool head, reveal, end, dry_run;
    /* subscribers */
    const char *kind, *person, *label, *manager;
    /* files */
    const char *report, *what;
    long batch;
    bool personal;
};

int cmd_agency_add(struct cli *cli, const void *options, char **args, int count);
int cmd_agency_list(struct cli *cli, const void *options, char **args, int count);
int cmd_agency_show(struct cli *cli, const void *options, char **args, int count);
int cmd_agency_edit(struct cli *cli, const void *options, char **args, int count);
int cmd_agency_code(struct cli *cli, const void *options, char **args, int count);
int cmd_agency_merge(struct cli *cli, const void *options, char **args, int count);
int cmd_agency_prepare(struct cli *cli, const void *options, char **args, int count);
int cmd_agency_undo(struct cli *cli, const void *options, char **args, int count);
int cmd_person_add(struct cli *cli, const void *options, char **args, int count);
int cmd_person_list(struct cli *cli, const void *options, char **args, int count);
int cmd_person_show(struct cli *cli, const void *options, char **args, int count);
int cmd_person_edit(struct cli *cli, const void *options, char **args, int count);
int cmd_person_post(struct cli *cli, const void *options, char **args, int count);
int cmd_person_end_post(struct cli *cli, const void *options, char **args, int count);
int cmd_person_role(struct cli *cli, const void *options, char **args, int count);
int cmd_person_end(struct cli *cli, const void *options, char **args, int count);
int cmd_person_transfer(struct cli *cli, const void *options, char **args, int count);
int cmd_person_import(struct cli *cli, const void *options, char **args, int count);
int cmd_person_export(struct cli *cli, const void *options, char **args, int count);
int cmd_agency_import(struct cli *cli, const void *options, char **args, int count);
int cmd_agency_export(struct cli *cli, const void *options, char **args, int count);
int cmd_subscriber_import(struct cli *cli, const void *options, char **args, int count);
int cmd_subscriber_export(struct cli *cli, const void *options, char **args, int count);
int cmd_device_import(struct cli *cli, const void *options, char **args, int count);
int cmd_device_export(struct cli *cli, const void *options, char **args, int count);
int cmd_subscriber_add(struct cli *cli, const void *options, char **args, int count);
int cmd_subscriber_list(struct cli *cli, const void *options, char **args, int count);
int cmd_subscriber_show(struct cli *cli, const void *options, char **args, int count);
int cmd_subscriber_edit(struct cli *cli, const void *options, char **args, int count);
int cmd_subscriber_end(struct cli *cli, const void *options, char **args, int count);
