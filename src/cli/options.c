/* Reading argv by a command's option table. Nothing secret is ever an option: PINs and passwords come from files. */
#include "cli/cli.h"

#include <errno.h>

const struct opt common_opts[] = {
    {"lang", "vi|en", OPT_TEXT, 0, "ngôn ngữ hiển thị (mặc định vi)", "language of the output (default vi)"},
    {"json", NULL, OPT_FLAG, 0, "kết quả dạng JSON, mỗi tệp một dòng", "JSON output, one line for each file"},
    {"quiet", NULL, OPT_FLAG, 0, "chỉ in lỗi", "print errors only"},
    {"help", NULL, OPT_FLAG, 0, "hướng dẫn của lệnh này", "help for this command"},
};
const size_t common_opt_count = AN_COUNT(common_opts);

static const struct opt *
find_opt(const struct opt *table, size_t count, an_bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (an_bytes_eq_str(name, table[i].name))
            return &table[i];
    return NULL;
}

static an_code
store_number(const struct opt *opt, const char *value, void *target, struct an_err *reterr)
{
    char *end = NULL;

    errno = 0;
    if (opt->type == OPT_INT)
        *(long *)target = strtol(value, &end, 10);
    else
        *(double *)target = strtod(value, &end);
    if (errno != 0 || end == value || *end != '\0')
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--%s %s", opt->name, value);
    return AN_OK;
}

static an_code
store(const struct opt *opt, const char *value, void *options, struct an_err *reterr)
{
    void *target = (char *)options + opt->offset;
    struct opt_list *list = target;

    switch (opt->type) {
    case OPT_FLAG:
        *(bool *)target = true;
        return AN_OK;
    case OPT_TEXT:
        *(const char **)target = value;
        return AN_OK;
    case OPT_LIST:
        list->items = an_grow(list->items, list->count + 1, sizeof(*list->items));
        list->items[list->count++] = value;
        return AN_OK;
    case OPT_INT:
    case OPT_REAL:
        return store_number(opt, value, target, reterr);
    }
    return AN_OK;
}

static an_code
store_common(struct cli *cli, const struct opt *opt, const char *value, bool *ret_help, struct an_err *reterr)
{
    if (strcmp(opt->name, "json") == 0)
        cli->json = true;
    else if (strcmp(opt->name, "quiet") == 0)
        cli->quiet = true;
    else if (strcmp(opt->name, "help") == 0)
        *ret_help = true;
    else if (strcmp(value, "en") == 0 || strcmp(value, "vi") == 0)
        cli->english = strcmp(value, "en") == 0;
    else
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--lang %s", value);
    return AN_OK;
}

/* "--name value", "--name=value" or a flag; at points at the word and moves past what was used. */
static an_code
take_option(struct cli *cli, const struct command *command, int argc, char **argv, int *at, void *options,
            bool *ret_help,
            struct an_err *reterr)
{
    const char *word = argv[*at] + 2, *equals = strchr(word, '='), *value = NULL;
    an_bytes name = AN_BYTES(word, equals ? (size_t)(equals - word) : strlen(word));
    const struct opt *opt = find_opt(command->opts, command->opt_count, name);
    const struct opt *common = opt ? NULL : find_opt(common_opts, common_opt_count, name);
    const struct opt *found = opt ? opt : common;

    if (found == NULL)
        AN_FAIL(reterr, AN_E_CLI_OPTION, "--%.*s", AN_FMT(name));
    if (found->type == OPT_FLAG && equals != NULL)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--%s", word);
    if (found->type != OPT_FLAG) {
        value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
        if (value == NULL)
            AN_FAIL(reterr, AN_E_CLI_NO_VALUE, "--%s %s", found->name, found->metavar);
    }
    return opt ? store(opt, value, options, reterr) : store_common(cli, common, value, ret_help, reterr);
}

an_code
cli_parse(struct cli *cli, const struct command *command, int argc, char **argv, void *options, char **args,
          int *ret_count,
          bool *ret_help, struct an_err *reterr)
{
    bool only_arguments = false;
    int count = 0;

    for (int at = 0; at < argc; at++) {
        char *word = argv[at];
        if (!only_arguments && strcmp(word, "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && strcmp(word, "-o") == 0) {
            static char output[] = "--output";
            argv[at--] = output; /* the one short option everybody types */
        } else if (!only_arguments && strcmp(word, "-h") == 0) {
            *ret_help = true;
        } else if (!only_arguments && strncmp(word, "--", 2) == 0) {
            AN_TRY(take_option(cli, command, argc, argv, &at, options, ret_help, reterr));
        } else if (!only_arguments && word[0] == '-' && word[1] != '\0') {
            AN_FAIL(reterr, AN_E_CLI_OPTION, "%s", word);
        } else {
            args[count++] = word;
        }
    }
    *ret_count = count;
    if (*ret_help)
        return AN_OK;
    if (count < command->args_min || (command->args_max >= 0 && count > command->args_max))
        AN_FAIL(reterr, AN_E_CLI_ARGUMENTS, "antin %s %s", command->name, command->args);
    return AN_OK;
}

an_code
cli_need(const char *option, const char *value, struct an_err *reterr)
{
    return value != NULL && value[0] != '\0' ? AN_OK : an_err_set(reterr, AN_E_CLI_REQUIRED, "--%s", option);
}

void
cli_options_done(const struct command *command, void *options)
{
    for (size_t i = 0; i < command->opt_count; i++)
        if (command->opts[i].type == OPT_LIST)
            free(((struct opt_list *)(void *)((char *)options + command->opts[i].offset))->items);
}
