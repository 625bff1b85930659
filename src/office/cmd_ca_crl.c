/* antin ca crl: makes revocation lists now. */
#include "office/status_cmd.h"

#include "proc/json.h"
#include "service/certification/status.h"

#include <jansson.h>

struct lists { struct cli *cli; json_t *made; };

static void
show_made(void *context, const char *file, const struct an_crl_made *made)
{
    struct lists *lists = context;

    if (lists->cli->json)
        json_array_append_new(lists->made, json_pack("{s:s, s:I, s:I, s:I, s:I}", "file", file, "number",
                                                     (json_int_t)made->number, "base", (json_int_t)made->base_number,
                                                     "entries", (json_int_t)made->entries, "bytes",
                                                     (json_int_t)made->bytes));
    else if (!lists->cli->quiet)
        fprintf(lists->cli->out, SAY(lists->cli, "%s: số %lld, %lld chứng thư, %llu byte\n",
                                     "%s: number %lld, %lld certificates, %llu bytes\n"), file,
                (long long)made->number, (long long)made->entries, (unsigned long long)made->bytes);
}

static an_code
make_lists(struct lists *lists, const struct crl_args *a, const char *authority, struct an_err *reterr)
{
    struct an_instance *instance = NULL;
    struct an_keys *keys = NULL;
    struct an_status *status = NULL;
    an_code code = an_instance_open(a->dir ? a->dir : ".", 0, &instance, reterr);

    if (code == AN_OK)
        code = an_keys_open(instance->dir, &keys, reterr);
    if (code == AN_OK)
        code = an_status_open(instance, keys, NULL, NULL, &status, reterr);
    if (code == AN_OK)
        code = an_status_publish(status, authority, a->delta, show_made, lists, reterr);
    an_status_close(&status);
    an_keys_close(&keys);
    an_instance_close(&instance);
    return code;
}

int
cmd_ca_crl(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(1 << 20);
    struct lists lists = {.cli = cli, .made = json_array()};
    struct an_err err = {0};
    an_code code = make_lists(&lists, options, count > 0 ? args[0] : NULL, &err);

    if (code == AN_OK && cli->json) {
        an_json_write(&text, lists.made);
        fprintf(cli->out, "%.*s\n", (int)text.len, (const char *)text.ptr);
    }
    json_decref(lists.made);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}
