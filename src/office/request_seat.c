#include "office/request_seat.h"

#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>

an_code
seat_open_instance(struct cli *cli, const struct request_args *args, struct seat *ret, struct an_err *reterr)
{
    const char *dir = args->dir ? args->dir : getenv("ANTIN_DIR");

    ret->cli = cli;
    return an_instance_open(dir ? dir : ".", 0, &ret->instance, reterr);
}

an_code
seat_open(struct cli *cli, const struct request_args *args, struct seat *ret, struct an_err *reterr)
{
    AN_TRY(seat_open_instance(cli, args, ret, reterr));
    return an_desk_open(ret->instance, args->as, AN_TIME_NONE, &ret->desk, reterr);
}

void
seat_close(struct seat *seat)
{
    an_signer_close(&seat->key.signer);
    an_cert_unref(&seat->key.cert);
    an_buf_free(&seat->image);
    an_instance_close(&seat->instance);
}

static an_code
read_cert(const struct request_args *args, struct seat *seat, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_certs_done) struct an_certs certs = {0};
    an_bytes on_token = an_signer_info(seat->key.signer)->certificate;

    if (args->cert == NULL && on_token.len > 0)
        return an_cert_parse(on_token, &seat->key.cert, reterr);
    if (args->cert == NULL)
        AN_FAIL(reterr, AN_E_CLI_REQUIRED, "--cert");
    AN_TRY(an_file_open(args->cert, AN_LIMIT_CERT_BYTES, &file, reterr));
    AN_TRY(an_certs_read(&certs, file.bytes, reterr));
    if (certs.count == 0)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--cert %s", args->cert);
    seat->key.cert = an_cert_ref(certs.items[0]);
    return AN_OK;
}

an_code
seat_open_key(struct seat *seat, const struct request_args *args, struct an_err *reterr)
{
    struct an_pin_source pin = args->pin_file ? an_pin_from_file(args->pin_file) : an_pin_from_terminal();

    if (args->key == NULL)
        AN_FAIL(reterr, AN_E_REQUEST_NO_KEY, "--key");
    AN_TRY(an_signer_open(args->key, pin, &seat->key.signer, reterr));
    AN_TRY(read_cert(args, seat, reterr));
    if (args->image == NULL)
        return AN_OK;
    seat->image = an_buf_new(AN_LIMIT_PNG_BYTES);
    AN_TRY(an_file_read(args->image, AN_LIMIT_PNG_BYTES, &seat->image, reterr));
    seat->key.image_png = an_buf_view(&seat->image);
    return AN_OK;
}

an_code
seat_number(const char *text, int64_t *ret, struct an_err *reterr)
{
    char *end = NULL;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < 1)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "%.40s", text);
    *ret = number;
    return AN_OK;
}

json_t *
seat_time(an_time at)
{
    char text[AN_TIME_TEXT_MAX];

    return at == AN_TIME_NONE ? json_null() : json_string(an_time_format_vn(at, text));
}

char *
seat_citation(struct cli *cli, const char *citation)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(4096);

    if (citation[0] != '\0')
        cli_citation(cli, citation, &text);
    return an_buf_take_str(&text);
}
