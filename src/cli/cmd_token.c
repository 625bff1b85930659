/* antin token: lists, shows, initialises, generates. */
#include "cli/cmd.h"

#include "base/file.h"
#include "cli/material.h"
#include "cli/report.h"
#include "token/token.h"

static const struct { const char *vi, *en, *id; } pin_table[] = {
    [AN_PIN_OK] = {"bình thường", "normal", "ok"},
    [AN_PIN_COUNT_LOW] = {"đã nhập sai, còn ít lần thử", "wrong PIN entered, few tries left", "count-low"},
    [AN_PIN_FINAL_TRY] = {"chỉ còn MỘT lần thử", "ONE try left", "final-try"},
    [AN_PIN_LOCKED] = {"ĐÃ KHÓA: đề nghị khôi phục thiết bị", "LOCKED: ask for restoration of the device", "locked"},
    [AN_PIN_UNSET] = {"chưa đặt mã PIN", "no PIN set", "unset"},
};

static void
print_json(FILE *out, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);

    fprintf(out, "%s\n", text ? text : "{}");
    free(text);
    json_decref(object);
}

static void
show_token(void *context, const struct an_token_info *t)
{
    struct cli *cli = context;

    if (cli->json)
        print_json(cli->out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:I, s:I}", "label", t->label,
                                       "manufacturer", t->manufacturer, "model",
                                       t->model, "serial", t->serial, "module", t->module, "uri", t->uri, "initialised",
                                       (int)t->initialised, "pin",
                                       pin_table[t->pin].id, "pin_len_min", (json_int_t)t->pin_len_min, "pin_len_max",
                                       (json_int_t)t->pin_len_max));
    else
        fprintf(cli->out, "%s · %s %s · %s\n  PIN: %s (%lu–%lu)\n  %s\n", t->label, t->manufacturer, t->model,
                t->serial,
                t->initialised ? SAY(cli, pin_table[t->pin].vi, pin_table[t->pin].en) : SAY(cli, "chưa khởi tạo",
                        "not initialised"), t->pin_len_min, t->pin_len_max, t->uri);
}

static void
show_object(void *context, const struct an_token_object *o)
{
    struct cli *cli = context;

    if (cli->json)
        print_json(cli->out, json_pack("{s:s, s:s, s:s, s:i, s:s}", "class", o->class_name, "label", o->label, "id",
                                       o->id, "bits", o->bits, "uri", o->uri));
    else
        fprintf(cli->out, "%-12s %-30s id %s%s", o->class_name, o->label, o->id, o->bits ? "" : "\n");
    if (!cli->json && o->bits)
        fprintf(cli->out, " · %d bit\n", o->bits);
    if (!cli->json)
        fprintf(cli->out, "  %s\n", o->uri);
}

int
cmd_token_list(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};

    (void)options;
    return an_token_list(count ? args[0] : NULL, show_token, cli, &err) == AN_OK ? 0 : cli_fail(cli, &err);
}

static struct an_pin_source
pin_source(const char *file)
{
    return file ? an_pin_from_file(file) : an_pin_from_terminal();
}

int
cmd_token_show(struct cli *cli, const void *options, char **args, int count)
{
    const struct token_args *a = options;
    struct an_pin_source pin = {0};
    struct an_err err = {0};

    (void)count;
    if (a->pin_file != NULL)
        pin = an_pin_from_file(a->pin_file);
    return an_token_objects(args[0], pin, show_object, cli, &err) == AN_OK ? 0 : cli_fail(cli, &err);
}

static an_code
init_token(struct cli *cli, const struct token_args *a, const char *uri, struct an_err *reterr)
{
    AN_CLEANUP(an_secret_free) struct an_secret *so_pin = NULL;
    AN_CLEANUP(an_secret_free) struct an_secret *pin = NULL;
    struct an_pin_source so = pin_source(a->so_pin_file), user = pin_source(a->pin_file);
    char made[512];

    if (a->label == NULL)
        AN_FAIL(reterr, AN_E_CLI_NO_VALUE, "%s", "--label TEXT");
    AN_TRY(so.ask(so.context, SAY(cli, "mã PIN quản trị", "security officer's PIN"), AN_PIN_OK, &so_pin, reterr));
    AN_TRY(user.ask(user.context, SAY(cli, "mã PIN người dùng", "user's PIN"), AN_PIN_OK, &pin, reterr));
    AN_TRY(an_token_init(uri, a->label, so_pin, pin, made, reterr));
    fprintf(cli->out, "%s\n", made);
    return AN_OK;
}

int
cmd_token_init(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};

    (void)count;
    return init_token(cli, options, args[0], &err) == AN_OK ? 0 : cli_fail(cli, &err);
}

static an_code
generate(struct cli *cli, const struct token_args *a, const char *uri, struct an_err *reterr)
{
    bool ec = a->key_type != NULL && strcmp(a->key_type, "ec") == 0;
    AN_CLEANUP(an_buf_free) struct an_buf id = an_buf_new(20);
    AN_CLEANUP(an_buf_free) struct an_buf spki = an_buf_new(8192);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(16384);
    uint8_t random[8];

    if (a->key_type != NULL && !ec && strcmp(a->key_type, "rsa") != 0)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--type %s", a->key_type);
    if (a->id != NULL && (!an_hex_decode(&id, an_bytes_of_str(a->id)) || id.len == 0))
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--id %s", a->id);
    if (a->id == NULL) {
        AN_TRY(an_random(random, sizeof(random), reterr));
        an_buf_append(&id, AN_BYTES(random, sizeof(random)));
    }
    AN_TRY(an_token_generate(uri, pin_source(a->pin_file), ec ? AN_KEY_EC : AN_KEY_RSA,
                             a->bits > 0 ? (int)a->bits : ec ? 256 : 3072,
                             a->label ? a->label : "antin", an_buf_view(&id), &spki, reterr));
    an_pem_write(&text, "PUBLIC KEY", an_buf_view(&spki));
    fprintf(cli->out, "%.*s", AN_FMT(an_buf_view(&text)));
    return AN_OK;
}

int
cmd_token_generate(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};

    (void)count;
    return generate(cli, options, args[0], &err) == AN_OK ? 0 : cli_fail(cli, &err);
}
