/* request new | renew | change | revoke | recover | emergency */
#include "office/request_seat.h"

#include "base/limits.h"

static int
say_drafted(struct seat *seat, const struct an_request_drafted *drafted)
{
    struct cli *cli = seat->cli;

    if (cli->json)
        report_print_json(cli->out, json_pack("{s:I, s:b, s:s}", "id", (json_int_t)drafted->id, "new",
                                              (int)drafted->is_new, "state", "draft"));
    else
        fprintf(cli->out, "request:%lld %s\n", (long long)drafted->id,
                drafted->is_new ? SAY(cli, "bản nháp đã lập", "drafted") : SAY(cli, "đã có (cùng mã gửi)",
                        "was there (the same filing key)"));
    return 0;
}

static an_code
draft(struct seat *seat, const struct request_args *args, enum an_request_kind kind, struct an_request_drafted *ret,
      struct an_err *reterr)
{
    struct an_request_list list = {0};
    struct an_request_subject *subjects;
    struct an_request_spec spec = {.kind = kind, .agency = args->agency, .addressee = args->addressee,
                                   .device_kind = args->device_kind,
                                   .number = args->number, .key = args->filing_key, .receiver = args->receiver,
                                   .regulation = args->regulation,
                                   .urgent = args->urgent};
    an_code code;

    if (args->list != NULL) {
        AN_TRY(an_request_list_read(args->list, &list, reterr));
        spec.subjects = list.subjects;
        spec.count = list.count;
        code = an_request_draft(&seat->desk, &spec, args->edit, ret, reterr);
        an_request_list_done(&list);
        return code;
    }
    subjects = an_new_array(args->subject.count + 1, sizeof(*subjects));
    for (size_t i = 0; i < args->subject.count; i++)
        subjects[i] = (struct an_request_subject){.subject = args->subject.items[i], .certificate = args->certificate,
                                                  .device = args->device,
                                                  .what = args->what, .to = args->to, .ground = args->ground};
    spec.subjects = subjects;
    spec.count = args->subject.count;
    code = an_request_draft(&seat->desk, &spec, args->edit, ret, reterr);
    free(subjects);
    return code;
}

static int
run_draft(struct cli *cli, const struct request_args *args, enum an_request_kind kind)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    struct an_request_drafted drafted = {0};
    struct an_err err = {0};

    if (seat_open(cli, args, &seat, &err) != AN_OK || draft(&seat, args, kind, &drafted, &err) != AN_OK)
        return cli_fail(cli, &err);
    return say_drafted(&seat, &drafted);
}

int
cmd_request_new(struct cli *cli, const void *options, char **args, int count)
{
    (void)args;
    (void)count;
    return run_draft(cli, options, AN_REQUEST_NEW);
}

int
cmd_request_renew(struct cli *cli, const void *options, char **args, int count)
{
    (void)args;
    (void)count;
    return run_draft(cli, options, AN_REQUEST_RENEW);
}

int
cmd_request_change(struct cli *cli, const void *options, char **args, int count)
{
    (void)args;
    (void)count;
    return run_draft(cli, options, AN_REQUEST_CHANGE);
}

int
cmd_request_revoke(struct cli *cli, const void *options, char **args, int count)
{
    (void)args;
    (void)count;
    return run_draft(cli, options, AN_REQUEST_REVOKE);
}

int
cmd_request_recover(struct cli *cli, const void *options, char **args, int count)
{
    (void)args;
    (void)count;
    return run_draft(cli, options, AN_REQUEST_RECOVER);
}

int
cmd_request_emergency(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    const struct request_args *a = options;
    struct an_request_drafted drafted = {0};
    struct an_err err = {0};

    (void)args;
    (void)count;
    if (seat_open(cli, a, &seat, &err) != AN_OK ||
        an_request_emergency(&seat.desk, a->certificate ? a->certificate : "", a->ground ? a->ground : "", &drafted,
                             &err) != AN_OK)
        return cli_fail(cli, &err);
    return say_drafted(&seat, &drafted);
}
