/* The command line: a table of commands, each with a table of options; help, man page and completion come from them. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdio.h>

enum opt_type { OPT_FLAG, OPT_TEXT, OPT_INT, OPT_REAL, OPT_LIST };

struct opt_list { const char **items; size_t count; };

struct opt {
    const char *name;    /* without dashes */
    const char *metavar; /* NULL for flags */
    enum opt_type type;
    size_t offset;       /* of the member: bool, const char *, long, double, struct opt_list */
    const char *vi, *en;
};

/* What every command is given beside its own options. */
struct cli {
    bool english, json, quiet;
    FILE *out;
    struct an_regulations *regulations; /* opened on first use: cli_regulations */
};

struct command {
    const char *name; /* "cert show" */
    const char *args; /* "FILE..." */
    int args_min, args_max; /* max -1 = any number */
    const struct opt *opts;
    size_t opt_count, options_size;
    int (*run)(struct cli *cli, const void *options, char **args, int count); /* NULL: antin-office carries it out */
    const char *vi, *en;           /* one line */
    const char *more_vi, *more_en; /* paragraphs for --help and the man page; may be NULL */
};

/* The commands stand in groups: those of a person's desk (commands.c) and those that act on an instance (office/). */
struct command_group { const struct command *commands; size_t count; };
extern const struct command_group *const command_groups[]; /* ends with NULL */
size_t cli_command_count(void);
const struct command *cli_command_at(size_t place);
bool cli_command_is_of_desk(const struct command *command); /* of `antin` itself; the others act on an instance */
extern const struct opt common_opts[];
extern const size_t common_opt_count;

/* options.c: fills a zeroed options struct; leaves the positional arguments in args. */
an_code cli_parse(struct cli *cli, const struct command *command, int argc, char **argv, void *options, char **args,
                  int *ret_count,
                  bool *ret_help, struct an_err *reterr) AN_MUST_USE;
/* AN_E_CLI_REQUIRED names the option when it was not given. */
an_code cli_need(const char *option, const char *value, struct an_err *reterr) AN_MUST_USE;
void cli_options_done(const struct command *command, void *options);

/* start.c */
void cli_start(struct cli *cli, int argc, char **argv);

/* help.c */
void cli_help_overview(struct cli *cli);
/* The commands whose first word is `word`; false when there is none. */
bool cli_help_group(const struct cli *cli, FILE *out, const char *word);
void cli_help_command(struct cli *cli, const struct command *command);
void cli_man_page(FILE *out);
bool cli_completion(FILE *out, const char *shell);

/* output.c */
#define SAY(cli, vi, en) ((cli)->english ? (en) : (vi))
/* A column of a list: text and blanks up to `columns` letters (not bytes: Vietnamese has more of those), at least one
 * blank. */
void cli_cell(FILE *out, const char *text, int columns);
/* NULL when the data cannot be read: citations then stay as they are */
struct an_regulations *cli_regulations(struct cli *cli);
/* Says what failed (stderr, or JSON on stdout) and answers its exit status. */
int cli_fail(struct cli *cli, const struct an_err *err);
int cli_exit_status(an_code code);
/* Of two exit statuses of verification. A failure outranks every verdict; TOTAL-FAILED outranks INDETERMINATE. */
int cli_worse(int a, int b);
/* "điểm a khoản 1 Điều 13 …" appended to out; the key itself when the table is not there. */
void cli_citation(struct cli *cli, const char *citation, struct an_buf *out);
