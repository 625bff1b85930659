/* Help, the man page and shell completion, all from the command table: they cannot disagree with the program. */
#include "cli/cmd.h"

static void
print_option(FILE *out, const struct opt *opt, bool english)
{
    char head[64];

    snprintf(head, sizeof(head), "--%s%s%s", opt->name, opt->metavar ? " " : "", opt->metavar ? opt->metavar : "");
    fprintf(out, "  %-28s %s\n", head, english ? opt->en : opt->vi);
}

void
cli_help_command(struct cli *cli, const struct command *command)
{
    fprintf(cli->out, "antin %s %s\n\n%s\n", command->name, command->args, SAY(cli, command->vi, command->en));
    if (command->more_vi != NULL)
        fprintf(cli->out, "\n%s\n", SAY(cli, command->more_vi, command->more_en));
    fprintf(cli->out, "\n%s\n", SAY(cli, "Tùy chọn:", "Options:"));
    for (size_t i = 0; i < command->opt_count; i++)
        print_option(cli->out, &command->opts[i], cli->english);
    for (size_t i = 0; i < common_opt_count; i++)
        print_option(cli->out, &common_opts[i], cli->english);
}

static void
print_command(const struct cli *cli, FILE *out, const struct command *command)
{
    fprintf(out, "  %-20s %s\n", command->name, SAY(cli, command->vi, command->en));
}

bool
cli_help_group(const struct cli *cli, FILE *out, const char *word)
{
    size_t len = strlen(word), count = 0;

    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct command *command = cli_command_at(i);

        if (strncmp(command->name, word, len) != 0 || command->name[len] != ' ')
            continue;
        if (count++ == 0)
            fprintf(out, "antin %s: %s\n", word, SAY(cli, "các lệnh", "commands"));
        print_command(cli, out, command);
    }
    return count > 0;
}

void
cli_help_overview(struct cli *cli)
{
    fprintf(cli->out, "antin %s · %s\n\n%s\n", AN_VERSION,
            SAY(cli, "Ấn Tín: chữ ký số chuyên dùng công vụ", "Ấn Tín: digital signatures for official duty"),
            SAY(cli, "Lệnh:", "Commands:"));
    for (size_t i = 0; i < cli_command_count(); i++)
        print_command(cli, cli->out, cli_command_at(i));
    fprintf(cli->out, "\n%s\n",
            SAY(cli, "“antin LỆNH --help” cho từng lệnh; “man antin” cho toàn bộ; “--lang en” for English.",
                "“antin COMMAND --help” for each command; “man antin” for everything; “--lang vi” cho tiếng Việt."));
}

/* roff wants backslashes, leading dots and dashes escaped. */
static void
roff_text(FILE *out, const char *text)
{
    bool line_start = true;

    for (const char *at = text; *at != '\0'; at++) {
        if (line_start && (*at == '.' || *at == '\''))
            fputs("\\&", out);
        if (*at == '\\')
            fputs("\\e", out);
        else if (*at == '-')
            fputs("\\-", out);
        else
            fputc(*at, out);
        line_start = *at == '\n';
    }
}

static void
roff_option(FILE *out, const struct opt *opt)
{
    fputs(".TP\n.BR \\-\\-", out);
    roff_text(out, opt->name);
    if (opt->metavar != NULL) {
        fputs(" \" \" ", out);
        fputs("\\fI", out);
        roff_text(out, opt->metavar);
        fputs("\\fR", out);
    }
    fputs("\n", out);
    roff_text(out, opt->en);
    fputs(".\n", out);
}

static void
roff_command(FILE *out, const struct command *command)
{
    fputs(".SS antin ", out);
    roff_text(out, command->name);
    fputc(' ', out);
    roff_text(out, command->args);
    fputs("\n", out);
    roff_text(out, command->en);
    fputs(".\n", out);
    if (command->more_en != NULL) {
        fputs(".PP\n", out);
        roff_text(out, command->more_en);
        fputs("\n", out);
    }
    for (size_t i = 0; i < command->opt_count; i++)
        roff_option(out, &command->opts[i]);
}

void
cli_man_page(FILE *out)
{
    fprintf(out,
            ".TH ANTIN 1 \"\" \"antin %s\" \"User commands\"\n.SH NAME\nantin \\- digital signatures for official duty (chữ ký số chuyên dùng công vụ)\n"
                 ".SH SYNOPSIS\n.B antin\n.I command\n.RI [ options ]\n.RI [ arguments ]\n.SH DESCRIPTION\n"
                 "Signs, seals and verifies documents by the regulations of Vietnamese state and Party agencies; runs the certification\n"
                 "services and the registration behind them.\n"
                 "Every refusal and every check names the article it rests on.\n.SH COMMANDS\n", AN_VERSION);
    for (size_t i = 0; i < cli_command_count(); i++)
        roff_command(out, cli_command_at(i));
    fputs(".SH COMMON OPTIONS\n", out);
    for (size_t i = 0; i < common_opt_count; i++)
        roff_option(out, &common_opts[i]);
    fputs(".SH EXIT STATUS\n"
          ".B antin verify\nanswers 0 for TOTAL-PASSED, 1 for TOTAL-FAILED and 2 for INDETERMINATE; with several files or signatures the worst counts.\n"
          "Every command answers 64 and above (sysexits) when it could not do what was asked: 64 usage, 65 bad input, 66 input missing,\n"
          "69 service unavailable, 70 internal error, 71 system error, 73 output cannot be created, 74 input/output error, 75 try again,\n"
          "76 protocol error, 77 refused by law, policy or PIN, 78 configuration.\n"
          ".SH ENVIRONMENT\n.TP\n.B SOURCE_DATE_EPOCH\nStands in place of the clock, for reproducible output.\n"
          ".TP\n.B ANTIN_DATA_DIR\nFolder of regulations, policies, profiles, forms, calendars and devices.\n"
          ".SH SECURITY\nPINs and passwords are read from a prompt or a file that only its owner may read, never from arguments or the environment.\n"
          "A wrong PIN is never tried again.\n", out);
}

bool
cli_completion(FILE *out, const char *shell)
{
    if (strcmp(shell, "bash") != 0)
        return false;
    fputs("# bash completion for antin\n_antin() {\n  local cur=${COMP_WORDS[COMP_CWORD]} cmd=\"${COMP_WORDS[1]-}\" sub=\"${COMP_WORDS[2]-}\"\n"
          "  local words=\"\"\n  case \"$cmd $sub\" in\n", out);
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct command *c = cli_command_at(i);
        fprintf(out, "    \"%s\"%s) words=\"", c->name, strchr(c->name, ' ') ? "" : "\\ *");
        for (size_t k = 0; k < c->opt_count; k++)
            fprintf(out, "--%s ", c->opts[k].name);
        fputs("--lang --json --quiet --help\" ;;\n", out);
    }
    fputs("  esac\n  if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"", out);
    for (size_t i = 0; i < cli_command_count(); i++) {
        size_t len = strcspn(cli_command_at(i)->name, " ");
        if (i == 0 || strncmp(cli_command_at(i)->name, cli_command_at(i - 1)->name, len + 1) != 0)
            fprintf(out, "%.*s ", (int)len, cli_command_at(i)->name);
    }
    fputs("\"\n  elif [ \"$COMP_CWORD\" -eq 2 ]; then\n    case \"$cmd\" in\n", out);
    for (size_t i = 0; i < cli_command_count(); i++) {
        const char *space = strchr(cli_command_at(i)->name, ' ');
        if (space != NULL)
            fprintf(out, "      %.*s) words=\"$words %s\" ;;&\n", (int)(space - cli_command_at(i)->name),
                    cli_command_at(i)->name, space + 1);
    }
    fputs("    esac\n  fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$cur\"))\n}\ncomplete -o filenames -F _antin antin\n", out);
    return true;
}

int
cmd_help(struct cli *cli, const void *options, char **args, int count)
{
    const struct help_args *a = options;
    struct an_err err = {0};

    (void)args;
    (void)count;
    if (a->man)
        cli_man_page(cli->out);
    else if (a->completion == NULL)
        cli_help_overview(cli);
    else if (!cli_completion(cli->out, a->completion)) {
        an_err_set(&err, AN_E_CLI_VALUE, "--completion %s", a->completion);
        return cli_fail(cli, &err);
    }
    return 0;
}
