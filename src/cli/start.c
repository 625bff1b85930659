/* What every program with a command line does first: locale, hardening, the two options that count everywhere. */
#include "cli/cli.h"

#include "base/file.h"

#include <locale.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* A signal must not leave a half-written file behind. */
static void
on_deadly_signal(int number)
{
    an_file_remove_temporaries();
    signal(number, SIG_DFL);
    raise(number);
}

static void
harden(void)
{
    static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXFSZ};
    struct rlimit none = {0, 0};

    (void)prctl(PR_SET_DUMPABLE, 0); /* keys and PINs never reach a core file or another process of the same user */
    (void)setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < AN_COUNT(deadly); i++)
        signal(deadly[i], on_deadly_signal);
    an_file_guard();
    signal(SIGXFSZ, SIG_IGN); /* a full quota is an error of write(), told as one */
    signal(SIGPIPE, SIG_IGN);
}

/* --lang and --json count wherever they stand, also when the command itself is wrong. */
static void
look_ahead(struct cli *cli, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            cli->json = true;
        if (strcmp(argv[i], "--lang=en") == 0 || (strcmp(argv[i], "--lang") == 0 && i + 1 < argc &&
                                                  strcmp(argv[i + 1], "en") == 0))
            cli->english = true;
    }
}

void
cli_start(struct cli *cli, int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    harden();
    look_ahead(cli, argc, argv);
}
