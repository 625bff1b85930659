/* Options of antin regulation and antin calendar. */
#pragma once

#include "cli/cli.h"
#include "regulation/explain.h"

struct regulation_args {
    const char *regulation, *on, *act, *actor, *subject, *device, *document, *decisions, *calendar;
    struct opt_list fact;
    bool missing;
};

int cmd_regulation_list(struct cli *cli, const void *options, char **args, int count);
int cmd_regulation_show(struct cli *cli, const void *options, char **args, int count);
int cmd_regulation_explain(struct cli *cli, const void *options, char **args, int count);
int cmd_regulation_diff(struct cli *cli, const void *options, char **args, int count);
int cmd_regulation_check(struct cli *cli, const void *options, char **args, int count);
int cmd_regulation_coverage(struct cli *cli, const void *options, char **args, int count);
int cmd_calendar_show(struct cli *cli, const void *options, char **args, int count);
int cmd_calendar_check(struct cli *cli, const void *options, char **args, int count);
int cmd_calendar_workday(struct cli *cli, const void *options, char **args, int count);

/* cmd_regulation_list.c: what the other files share */
an_code regulation_open(struct cli *cli, struct an_regulations **ret, struct an_err *reterr) AN_MUST_USE;
/* "2026-01-05", or today when text is NULL. */
an_code regulation_day(const char *text, an_time *ret, struct an_err *reterr) AN_MUST_USE;
/* "05/01/2026"; "" for AN_TIME_NONE. */
const char *regulation_day_text(an_time utc, char buf[static 16]);
