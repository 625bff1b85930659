/* antin demo: hands over to the program antin-demo beside us, which alone carries an HTTP server and an authority. */
#include "cli/cmd.h"

#include "proc/proc.h"

int
cmd_demo(struct cli *cli, const void *options, char **args, int count)
{
    const struct demo_args *a = options;
    const char *argv[16] = {"antin-demo"};
    struct an_err err = {0};
    size_t at = 1;

    (void)args;
    (void)count;
    if (a->dir != NULL) {
        argv[at++] = "--dir";
        argv[at++] = a->dir;
    }
    const struct { const char *option, *value; } more[] = {{"--regulation", a->regulation}, {"--database", a->database},
                                                           {"--module", a->module}};
    for (size_t i = 0; i < AN_COUNT(more); i++)
        if (more[i].value != NULL) {
            argv[at++] = more[i].option;
            argv[at++] = more[i].value;
        }
    if (cli->english)
        argv[at++] = "--lang=en";
    if (cli->json)
        argv[at++] = "--json";
    if (cli->quiet)
        argv[at++] = "--quiet";
    if (an_child_become("antin-demo", argv, &err) == AN_OK)
        return 0; /* not reached: the program has been replaced */
    return cli_fail(cli, &err);
}
