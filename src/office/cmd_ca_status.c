/* antin ca revoke, hold, release, expire. */
#include "cli/report.h"
#include "office/ca_office.h"

typedef an_code (*withdraw_fn)(struct an_certifier *certifier, const struct an_withdraw *what, struct an_err *reterr);

static void
say_done(struct cli *cli, const char *serial, const char *what)
{
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:s, s:s}", "serial", serial, "status", what));
    else if (!cli->quiet)
        fprintf(cli->out, "%s  %s\n", serial, what);
}

static int
withdraw(struct cli *cli, const struct ca_args *a, const char *serial, withdraw_fn act, const char *name,
         const char *status)
{
    struct ca_office o = {0};
    struct an_err err = {0};
    struct an_withdraw what = {.serial = serial, .ground = a->ground, .invalid_since = AN_TIME_NONE};
    an_code code = ca_office_open(&o, a, "can-bo-thu-hoi", &err);

    if (code == AN_OK)
        code = ca_moment(a->since, "since", &what.invalid_since, &err);
    if (code == AN_OK)
        code = ca_rely_serial(&o, name, serial, &err);
    what.request_key = o.request_key;
    what.reliance = o.reliance;
    what.actor = o.actor;
    if (code == AN_OK)
        code = act(o.certification->certifier, &what, &err);
    if (code == AN_OK)
        say_done(cli, serial, status);
    ca_office_close(&o);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

int
cmd_ca_revoke(struct cli *cli, const void *options, char **args, int count)
{
    (void)count;
    return withdraw(cli, options, args[0], an_certify_revoke, "certificate.revoke", "revoked");
}

int
cmd_ca_hold(struct cli *cli, const void *options, char **args, int count)
{
    (void)count;
    return withdraw(cli, options, args[0], an_certify_hold, "certificate.hold", "hold");
}

int
cmd_ca_release(struct cli *cli, const void *options, char **args, int count)
{
    (void)count;
    return withdraw(cli, options, args[0], an_certify_release, "certificate.release", "good");
}

int
cmd_ca_expire(struct cli *cli, const void *options, char **args, int count)
{
    struct ca_office o = {0};
    struct an_err err = {0};
    int64_t expired = 0;
    an_code code = ca_office_open(&o, options, "he-thong", &err);

    (void)args, (void)count;
    if (code == AN_OK)
        code = an_certify_expire(o.instance->store, an_time_now(), &expired, &err);
    ca_office_close(&o);
    if (code != AN_OK)
        return cli_fail(cli, &err);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:I}", "expired", (json_int_t)expired));
    else if (!cli->quiet)
        fprintf(cli->out, "%lld %s\n", (long long)expired, SAY(cli, "chứng thư hết hạn", "certificates expired"));
    return 0;
}
