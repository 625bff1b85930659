/* antin: finds the command in the table, reads its options, runs it. */
#include "cli/cmd.h"

#include "base/utf8.h"
#include "proc/proc.h"
#include "regulation/regulation.h"

#include <unistd.h>

/* "cert show" takes two words, "sign" one; ret_words says how many were used. */
static const struct command *
find_command(int argc, char **argv, int *ret_words)
{
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct command *command = cli_command_at(i);
        const char *space = strchr(command->name, ' ');
        size_t len = space ? (size_t)(space - command->name) : strlen(command->name);
        if (argc < 2 || strlen(argv[1]) != len || strncmp(argv[1], command->name, len) != 0)
            continue;
        if (space == NULL || (argc > 2 && strcmp(argv[2], space + 1) == 0)) {
            *ret_words = space ? 2 : 1;
            return command;
        }
    }
    return NULL;
}

/* What is written into an instance is read by others, on their terminals and in their letters: words with control
 * characters or marks that turn the line round are refused at the door, unless they name a file that is there. */
static an_code
check_words(const struct command *command, int argc, char **argv, struct an_err *reterr)
{
    for (int i = 0; i < argc && !cli_command_is_of_desk(command); i++)
        if (!an_utf8_is_visible(an_bytes_of_str(argv[i])) && access(argv[i], F_OK) != 0)
            AN_FAIL(reterr, AN_E_CLI_VALUE, "%.80s", argv[i]);
    return AN_OK;
}

static int
run_command(struct cli *cli, const struct command *command, int argc, char **argv)
{
    AN_CLEANUP(an_free_ptr) void *options = an_new_array(1, command->options_size);
    AN_CLEANUP(an_free_ptr) char **args = an_new_array((size_t)argc + 1, sizeof(*args));
    struct an_err err = {0};
    bool help = false;
    int count = 0, status;

    if (check_words(command, argc, argv, &err) != AN_OK || cli_parse(cli, command, argc, argv, options, args, &count,
                                                                     &help, &err) != AN_OK)
        status = cli_fail(cli, &err);
    else if (help)
        cli_help_command(cli, command), status = 0;
    else
        status = command->run(cli, options, args, count);
    cli_options_done(command, options);
    return status;
}

/* "antin ca" and "antin ca --help" list what there is under "ca"; a wrong second word is a failure with the same
 * list. */
static int
tell_no_command(struct cli *cli, int argc, char **argv)
{
    const char *second = argc > 2 ? argv[2] : "";
    struct an_err err = {0};
    int status;

    if ((strcmp(second, "--help") == 0 || strcmp(second, "-h") == 0) && cli_help_group(cli, cli->out, argv[1]))
        return 0;
    if ((*second == '\0' || *second == '-') && cli_help_group(cli, stderr, argv[1]))
        return AN_KIND_USAGE;
    an_err_set(&err, AN_E_CLI_COMMAND, "%s%s%s", argv[1], argc > 2 ? " " : "", second);
    status = cli_fail(cli, &err);
    (void)cli_help_group(cli, stderr, argv[1]);
    return status;
}

int
main(int argc, char **argv)
{
    struct cli cli = {.out = stdout};
    const struct command *command;
    struct an_err err = {0};
    int words = 0, status;

    cli_start(&cli, argc, argv);
    command = find_command(argc, argv, &words);
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--lang=en") == 0 ||
        strcmp(argv[1], "--lang") == 0) {
        cli_help_overview(&cli);
        status = argc < 2 ? AN_KIND_USAGE : 0;
    } else if (strcmp(argv[1], "--version") == 0) {
        printf("antin %s\n", AN_VERSION);
        status = 0;
    } else if (command == NULL) {
        status = tell_no_command(&cli, argc, argv);
    } else if (command->run == NULL) {
        (void)!an_child_become("antin-office", (const char *const *)argv, &err); /* returns only when it failed */
        status = cli_fail(&cli, &err);
    } else {
        status = run_command(&cli, command, argc - 1 - words, argv + 1 + words);
    }
    an_regulations_close(&cli.regulations);
    if (fflush(stdout) != 0 && status == 0)
        status = AN_KIND_IO;
    return status;
}
