/* notice resend | set-aside */
#include "office/request_seat.h"

#include "proc/json.h"

static int
take_care(struct cli *cli, const struct request_args *a, const char *text, bool again)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    struct an_err err = {0};
    int64_t id = 0;
    an_code code = seat_number(text, &id, &err);

    if (code == AN_OK)
        code = seat_open(cli, a, &seat, &err);
    if (code == AN_OK)
        code = again ? an_notice_resend(&seat.desk, id, &err) : an_notice_set_aside(&seat.desk, id, a->reason, &err);
    if (code != AN_OK)
        return cli_fail(cli, &err);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:I, s:s}", "id", (json_int_t)id, "letter", again ? "waiting" : "aside"));
    else if (!cli->quiet)
        fprintf(cli->out, "notice:%lld %s\n", (long long)id,
                again ? SAY(cli, "chờ gửi lại", "waits to be sent again") : SAY(cli, "không gửi nữa", "is set aside"));
    return 0;
}

int
cmd_notice_resend(struct cli *cli, const void *options, char **args, int count)
{
    (void)count;
    return take_care(cli, options, args[0], true);
}

int
cmd_notice_set_aside(struct cli *cli, const void *options, char **args, int count)
{
    (void)count;
    return take_care(cli, options, args[0], false);
}
