/* antin token: restores, changes a PIN, wipes, writes a certificate: what an office does to tokens at its desk. */
#include "cli/cmd.h"

#include "asn1/der.h"
#include "base/file.h"
#include "base/limits.h"
#include "registry/model.h"

static struct an_pin_source
pin_source(const char *file)
{
    return file ? an_pin_from_file(file) : an_pin_from_terminal();
}

static an_code
ask_new_pin(struct cli *cli, const char *file, struct an_secret **ret, struct an_err *reterr)
{
    struct an_pin_source source = pin_source(file);

    return source.ask(source.context, SAY(cli, "mã PIN mới", "new PIN"), AN_PIN_OK, ret, reterr);
}

/* What the model of this very token asks of a PIN; NULL when it is none we know of. */
struct desk_model {
    struct an_device_models *models;
    const struct an_device_model *model;
};

static void
note_model(void *context, const struct an_token_info *token)
{
    struct desk_model *found = context;

    found->model = an_device_model_of_token(found->models, token->model);
}

static const struct an_pin_policy *
find_policy(const char *uri, struct desk_model *found)
{
    if (an_device_models_open(NULL, &found->models, NULL) != AN_OK ||
        an_token_list(uri, note_model, found, NULL) != AN_OK)
        return NULL;
    return found->model ? &found->model->pin : NULL;
}

static int
tell(struct cli *cli, an_code code, const struct an_err *err, const char *id, const char *vi, const char *en)
{
    if (code != AN_OK)
        return cli_fail(cli, err);
    if (cli->json)
        fprintf(cli->out, "{\"done\":\"%s\"}\n", id);
    else if (!cli->quiet)
        fprintf(cli->out, "%s\n", SAY(cli, vi, en));
    return 0;
}

int
cmd_token_unlock(struct cli *cli, const void *options, char **args, int count)
{
    const struct token_args *a = options;
    AN_CLEANUP(an_secret_free) struct an_secret *pin = NULL;
    struct desk_model found = {0};
    struct an_err err = {0};
    an_code code = ask_new_pin(cli, a->new_pin_file, &pin, &err);

    (void)count;
    if (code == AN_OK)
        code = an_token_unlock(args[0], pin_source(a->so_pin_file), pin, find_policy(args[0], &found), &err);
    an_device_models_close(&found.models);
    return tell(cli, code, &err, "token.unlock", "Đã khôi phục: thiết bị mở được bằng mã PIN mới.",
                "Restored: the token opens with the new PIN.");
}

int
cmd_token_pin(struct cli *cli, const void *options, char **args, int count)
{
    const struct token_args *a = options;
    AN_CLEANUP(an_secret_free) struct an_secret *pin = NULL;
    struct desk_model found = {0};
    struct an_err err = {0};
    an_code code = ask_new_pin(cli, a->new_pin_file, &pin, &err);

    (void)count;
    if (code == AN_OK)
        code = an_token_change_pin(args[0], pin_source(a->pin_file), pin, find_policy(args[0], &found), &err);
    an_device_models_close(&found.models);
    return tell(cli, code, &err, "token.pin", "Đã đổi mã PIN.", "The PIN is changed.");
}

static an_code
wipe_token(const struct token_args *a, const char *uri, struct an_err *reterr)
{
    if (a->serial == NULL)
        AN_FAIL(reterr, AN_E_CLI_NO_VALUE, "%s", "--serial TEXT");
    return an_token_wipe(uri, a->serial, a->label ? a->label : a->serial, pin_source(a->so_pin_file), reterr);
}

int
cmd_token_wipe(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};

    (void)count;
    return tell(cli, wipe_token(options, args[0], &err), &err, "token.wipe", "Đã xóa sạch thiết bị.",
                "The token is wiped.");
}

static an_code
write_certificate(const struct token_args *a, const char *uri, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf file = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf id = an_buf_new(20);
    char label[64];
    size_t at = 0;

    if (a->cert == NULL || a->id == NULL)
        AN_FAIL(reterr, AN_E_CLI_NO_VALUE, "%s", a->cert ? "--id HEX" : "--cert FILE");
    if (!an_hex_decode(&id, an_bytes_of_str(a->id)) || id.len == 0)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--id %s", a->id);
    AN_TRY(an_file_read(a->cert, AN_LIMIT_CERT_BYTES, &file, reterr));
    if (!an_pem_next(an_buf_view(&file), &at, &der, label))
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--cert %s", a->cert);
    return an_token_replace_cert(uri, pin_source(a->pin_file), an_buf_view(&der), a->label ? a->label : "antin",
                                 an_buf_view(&id), reterr);
}

int
cmd_token_write(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};

    (void)count;
    return tell(cli, write_certificate(options, args[0], &err), &err, "token.write", "Đã ghi chứng thư vào thiết bị.",
                "The certificate is on the token.");
}
