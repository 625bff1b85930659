/*
 * A request is a JSON object: "file", "kind" ("verify" when absent, or "cert"), "id" (given back as it came), and
 * options of the command of that kind by their names ("policy_oid" or "policy-oid"; lists also in the plural). The
 * option tables of the two commands say what there is, so that a stream and a command line cannot come to differ.
 */
#include "cli/stream.h"

#include "cli/report.h"
#include "cli/verify_setup.h"
#include "proc/json.h"

#include <ctype.h>

/* What concerns the whole process, or writes files, is asked for on the command line only. */
static const char *const process_options[] = {"online",  "allow-private", "proxy",    "ca-file",       "jobs",
                                              "report",
                                              "refusal", "etsi-report",   "evidence", "from-evidence", "stream"};

static const struct command *
find_command(const char *name)
{
    for (size_t i = 0; i < cli_command_count(); i++)
        if (strcmp(cli_command_at(i)->name, name) == 0)
            return cli_command_at(i);
    return NULL;
}

static bool
names_option(const char *key, const struct opt *opt)
{
    size_t i;

    for (i = 0; opt->name[i] != '\0' && key[i] != '\0'; i++)
        if (key[i] != opt->name[i] && !(key[i] == '_' && opt->name[i] == '-'))
            return false;
    if (opt->name[i] != '\0')
        return false;
    return key[i] == '\0' || (opt->type == OPT_LIST && strcmp(key + i, "s") == 0);
}

static const struct opt *
find_option(const struct command *command, const char *key)
{
    for (size_t i = 0; i < AN_COUNT(process_options); i++)
        if (strcmp(key, process_options[i]) == 0)
            return NULL;
    for (size_t i = 0; i < command->opt_count; i++)
        if (names_option(key, &command->opts[i]))
            return &command->opts[i];
    return NULL;
}

/* ---- a request's options ---- */
static bool
set_list(struct opt_list *list, json_t *value)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;

    list->items =
        an_new_array(count + 1, sizeof(*list->items)); /* replaces the command line's, which stays its owner's */
    list->count = 0;
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_string(item))
            return false;
        list->items[list->count++] = json_string_value(item);
    }
    return true;
}

static bool
set_option(const struct opt *opt, json_t *value, void *options)
{
    void *target = (char *)options + opt->offset;

    if (opt->type == OPT_LIST)
        return set_list(target, value);
    if (opt->type == OPT_FLAG && json_is_boolean(value))
        *(bool *)target = json_is_true(value);
    else if (opt->type == OPT_TEXT && (json_is_string(value) || json_is_null(value)))
        *(const char **)target = json_string_value(value);
    else
        return false;
    return true;
}

static an_code
read_options(const struct command *command, json_t *request, void *options, struct an_err *reterr)
{
    const char *key;
    json_t *value;

    json_object_foreach (request, key, value) {
        const struct opt *opt;
        if (strcmp(key, "file") == 0 || strcmp(key, "kind") == 0 || strcmp(key, "id") == 0)
            continue;
        opt = find_option(command, key);
        if (opt == NULL)
            AN_FAIL(reterr, AN_E_CLI_OPTION, "\"%.100s\"", key);
        if (!set_option(opt, value, options))
            AN_FAIL(reterr, AN_E_CLI_VALUE, "\"%.100s\"", key);
    }
    return AN_OK;
}

/* Lists that the request brought; those of the command line stay. */
static void
free_lists(const struct command *command, void *options, const void *defaults)
{
    for (size_t i = 0; i < command->opt_count; i++) {
        const struct opt *opt = &command->opts[i];
        struct opt_list *list = (struct opt_list *)(void *)((char *)options + opt->offset);
        const struct opt_list *kept = (const struct opt_list *)(const void *)((const char *)defaults + opt->offset);
        if (opt->type == OPT_LIST && list->items != kept->items)
            free(list->items);
    }
}

/* Options that both commands know, from the one to the other. */
static void
copy_common(const struct command *from_command, const void *from, const struct command *to_command, void *to)
{
    static const size_t sizes[] = {[OPT_FLAG] = sizeof(bool),
                                   [OPT_TEXT] = sizeof(char *),
                                   [OPT_INT] = sizeof(long),
                                   [OPT_REAL] = sizeof(double),
                                   [OPT_LIST] = sizeof(struct opt_list)};

    for (size_t i = 0; i < to_command->opt_count; i++)
        for (size_t k = 0; k < from_command->opt_count; k++) {
            const struct opt *a = &from_command->opts[k], *b = &to_command->opts[i];
            if (strcmp(a->name, b->name) == 0 && a->type == b->type)
                memcpy((char *)to + b->offset, (const char *)from + a->offset, sizes[a->type]);
        }
}

/* ---- answers ---- */
static an_code
answer_document(struct cli *cli, const struct cert_checker *checker, const char *path, const struct verify_args *args,
                int *ret_status, json_t **ret, struct an_err *reterr)
{
    AN_CLEANUP(verify_setup_done) struct verify_setup setup = VERIFY_SETUP_NONE;
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    struct an_report report = {0};
    an_code code;

    AN_TRY(
        verify_setup_load(args, checker->cache, args->offline ? (an_path_fetch){0} : checker->fetch, &setup, reterr));
    AN_TRY(an_file_open(path, 0, &file, reterr));
    code = an_verify_file(checker->verifier, &file, &setup.options, &report, reterr);
    if (code == AN_OK)
        code = verify_setup_check_same(&setup, reterr);
    if (code == AN_OK) {
        *ret = report_json(cli, path, &report);
        *ret_status = (int)report.indication;
    }
    an_report_done(&report);
    return code;
}

static an_code
answer_cert(struct cli *cli, const struct cert_checker *checker, const char *path, const struct cert_verify_args *args,
            int *ret_status, json_t **ret, struct an_err *reterr)
{
    struct cert_checker offline = *checker;
    enum an_indication indication = AN_INDETERMINATE;

    if (args->offline)
        offline.fetch = (an_path_fetch){0};
    AN_TRY(cert_check(cli, &offline, path, args, &indication, ret, reterr));
    *ret_status = (int)indication;
    return AN_OK;
}

static an_code
answer_request(struct cli *cli, json_t *request, const struct verify_args *defaults, const struct cert_checker *checker,
               int *ret_status, json_t **ret, struct an_err *reterr)
{
    const struct command *verify = find_command("verify"), *cert = find_command("cert verify");
    const char *file = json_string_value(json_object_get(request, "file")),
               *kind = json_string_value(json_object_get(request, "kind"));
    struct verify_args verify_args = *defaults;
    struct cert_verify_args cert_args = {0}, cert_defaults;
    an_code code;

    if (file == NULL)
        AN_FAIL(reterr, AN_E_CLI_STREAM, "\"file\"");
    if (json_object_get(request, "kind") != NULL &&
        (kind == NULL || (strcmp(kind, "verify") != 0 && strcmp(kind, "cert") != 0)))
        AN_FAIL(reterr, AN_E_CLI_STREAM, "\"kind\": \"verify\", \"cert\"");
    if (kind == NULL || strcmp(kind, "verify") == 0) {
        code = read_options(verify, request, &verify_args, reterr);
        if (code == AN_OK)
            code = answer_document(cli, checker, file, &verify_args, ret_status, ret, reterr);
        free_lists(verify, &verify_args, defaults);
    } else {
        copy_common(verify, defaults, cert, &cert_args);
        cert_defaults = cert_args;
        code = read_options(cert, request, &cert_args, reterr);
        if (code == AN_OK)
            code = answer_cert(cli, checker, file, &cert_args, ret_status, ret, reterr);
        free_lists(cert, &cert_args, &cert_defaults);
    }
    if (code != AN_OK)
        an_err_name_file(reterr, file);
    return code;
}

static void
answer_line(struct cli *cli, const struct an_buf *line, size_t number, const struct verify_args *defaults,
            const struct cert_checker *checker)
{
    struct an_err err = {0};
    json_t *request = NULL, *answer = NULL;
    int status = 0;
    an_code code = an_buf_ok(line)
                       ? an_json_parse(an_buf_view(line), &request, &err)
                       : an_err_set(&err, AN_E_LIMIT, "line %zu: more than %zu bytes", number, AN_LIMIT_STREAM_LINE);

    if (code == AN_E_PROC_REQUEST || (code == AN_OK && !json_is_object(request))) {
        char detail[200];
        snprintf(detail, sizeof(detail), "%.190s", err.detail);
        code = an_err_set(&err, AN_E_CLI_STREAM, "line %zu: %s", number, code == AN_OK ? "not an object" : detail);
    }
    if (code == AN_OK)
        code = answer_request(cli, request, defaults, checker, &status, &answer, &err);
    if (code != AN_OK) {
        answer = json_pack("{s:o, s:o}", "file", report_text_json(an_bytes_of_str(err.file)), "error",
                           cli_error_json(cli, &err));
        status = cli_exit_status(code);
    }
    json_object_set_new(answer, "exit_status", json_integer(status));
    if (json_object_get(request, "id") != NULL)
        json_object_set(answer, "id", json_object_get(request, "id"));
    report_print_json(cli->out, answer);
    fflush(cli->out);
    json_decref(request);
}

/* False at the end of the input. A line over the limit is read to its end and remembered as overflowed. */
static bool
read_line(FILE *in, struct an_buf *line)
{
    int c;

    an_buf_free(line);
    *line = an_buf_new(AN_LIMIT_STREAM_LINE);
    while ((c = getc_unlocked(in)) != EOF && c != '\n')
        an_buf_byte(line, (uint8_t)c);
    return c != EOF || line->len > 0 || line->overflowed;
}

int
stream_run(struct cli *cli, FILE *in, const struct verify_args *defaults, const struct cert_checker *checker)
{
    struct an_buf line AN_CLEANUP(an_buf_free) = an_buf_new(AN_LIMIT_STREAM_LINE);

    for (size_t number = 1; read_line(in, &line); number++) {
        answer_line(cli, &line, number, defaults, checker);
        if (ferror(cli->out)) /* nobody reads any more */
            return AN_KIND_IO;
    }
    return ferror(in) ? AN_KIND_IO : 0;
}
