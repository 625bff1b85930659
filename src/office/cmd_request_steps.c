/* request check | sign | send | withdraw | accept | supplement | refuse | approve | execute | handover */
#include "office/request_seat.h"

#include <unistd.h>

/* Findings of the checks, gathered as JSON and told as text. */
struct telling {
    struct seat *seat;
    json_t *findings;
};

static void
tell_text(struct seat *seat, const struct an_check_finding *finding)
{
    struct cli *cli = seat->cli;
    const struct an_message *message = an_message_find(finding->code);
    AN_CLEANUP(an_free_ptr) char *cite = seat_citation(cli, finding->citation);

    if (finding->holds || cli->quiet)
        return;
    fprintf(cli->out, "✗ %s", SAY(cli, message->vi, message->en));
    if (finding->place > 0)
        fprintf(cli->out, SAY(cli, " (mục %lld)", " (item %lld)"), (long long)finding->place);
    fprintf(cli->out, "%s%s%s%s%s\n", finding->detail[0] ? ": " : "", finding->detail, cite[0] ? " [" : "", cite,
            cite[0] ? "]" : "");
}

static void
tell_finding(void *context, const struct an_check_finding *finding)
{
    struct telling *t = context;
    struct cli *cli = t->seat->cli;
    const struct an_message *message = an_message_find(finding->code);

    if (!cli->json) {
        tell_text(t->seat, finding);
        return;
    }
    AN_CLEANUP(an_free_ptr) char *cite = seat_citation(cli, finding->citation);
    json_array_append_new(t->findings, json_pack("{s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:o, s:I}", "rule", finding->rule,
                                                 "holds", (int)finding->holds,
                                                 "code", message->symbol, "vi", message->vi, "en", message->en,
                                                 "citation", finding->citation,
                                                 "article", cite, "detail",
                                                 report_text_json(an_bytes_of_str(finding->detail)),
                                                 "item", (json_int_t)finding->place));
}

static an_code
open_step(struct cli *cli, const struct request_args *args, const char *id, struct seat *seat, int64_t *ret,
          struct an_err *reterr)
{
    AN_TRY(seat_number(id, ret, reterr));
    return seat_open(cli, args, seat, reterr);
}

static int
say_step(struct seat *seat, int64_t id, const char *state, const char *vi, const char *en)
{
    struct cli *cli = seat->cli;

    if (cli->json)
        report_print_json(cli->out, json_pack("{s:I, s:s}", "id", (json_int_t)id, "done", state));
    else if (!cli->quiet)
        fprintf(cli->out, "request:%lld %s\n", (long long)id, SAY(cli, vi, en));
    return 0;
}

int
cmd_request_check(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    struct telling telling = {.seat = &seat, .findings = json_array()};
    struct an_err err = {0};
    size_t failed = 0;
    int64_t id = 0;

    (void)count;
    if (open_step(cli, options, args[0], &seat, &id, &err) != AN_OK ||
        an_request_look_at(&seat.desk, id, &err) != AN_OK ||
        an_request_check_all(&seat.desk, id, tell_finding, &telling, &failed, &err) != AN_OK) {
        json_decref(telling.findings);
        return cli_fail(cli, &err);
    }
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:I, s:I, s:o}", "id", (json_int_t)id, "failed", (json_int_t)failed,
                                              "findings", telling.findings));
    else {
        json_decref(telling.findings);
        if (failed == 0 && !cli->quiet)
            fprintf(cli->out, "request:%lld %s\n", (long long)id, SAY(cli, "đủ điều kiện gửi", "may be sent"));
    }
    return failed > 0 ? AN_KIND_REFUSED : 0;
}

int
cmd_request_sign(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    const struct request_args *a = options;
    struct an_err err = {0};
    int64_t id = 0;
    an_code code = open_step(cli, a, args[0], &seat, &id, &err);

    (void)count;
    if (code == AN_OK && a->paper == NULL)
        code = seat_open_key(&seat, a, &err);
    if (code == AN_OK && a->number != NULL)
        code = an_request_number(&seat.desk, id, a->number, &err);
    if (code == AN_OK)
        code = an_request_sign(&seat.desk, id, a->paper ? NULL : &seat.key, a->paper, &err);
    return code != AN_OK ? cli_fail(cli, &err) : say_step(&seat, id, "signed", "đã ký, chưa gửi", "signed, not sent");
}

int
cmd_request_paper(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    struct an_err err = {0};
    int64_t id = 0;

    (void)count;
    if (open_step(cli, options, args[0], &seat, &id, &err) != AN_OK ||
        an_request_save_paper(&seat.desk, id, args[1], &err) != AN_OK)
        return cli_fail(cli, &err);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:I, s:s}", "id", (json_int_t)id, "file", args[1]));
    else if (!cli->quiet)
        fprintf(cli->out, "%s\n", args[1]);
    return 0;
}

static int
say_not_sent(struct cli *cli, struct telling *telling, int64_t id, const struct an_err *err)
{
    if (!cli->json || err->code != AN_E_REQUEST_CHECK) {
        json_decref(telling->findings);
        return cli_fail(cli, err);
    }
    report_print_json(cli->out, json_pack("{s:I, s:s, s:o, s:o}", "id", (json_int_t)id, "done", "refused", "error",
                                          cli_error_json(cli, err), "findings",
                                          telling->findings));
    return cli_exit_status(err->code);
}

int
cmd_request_send(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    struct telling telling = {.seat = &seat, .findings = json_array()};
    struct an_request_sent sent = {.due_at = AN_TIME_NONE};
    struct an_err err = {0};
    char due[AN_TIME_TEXT_MAX];
    int64_t id = 0;

    (void)count;
    if (open_step(cli, options, args[0], &seat, &id, &err) != AN_OK ||
        an_request_send(&seat.desk, id, tell_finding, &telling, &sent, &err) != AN_OK)
        return say_not_sent(cli, &telling, id, &err);
    json_decref(telling.findings);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:I, s:s, s:o, s:b}", "id", (json_int_t)id, "done",
                                              sent.is_listed ? "listed" : sent.is_returned ? "supplement" : "checking",
                                              "due", seat_time(sent.due_at),
                                              "due_unconfirmed", (int)sent.due_unconfirmed));
    else if (!cli->quiet)
        fprintf(cli->out, "request:%lld %s%s%s\n", (long long)id,
                sent.is_listed ? SAY(cli, "đã gửi, chờ phê duyệt danh sách", "sent, the list awaits approval")
                : sent.is_returned ? SAY(cli, "bị trả lại để bổ sung", "came back to be supplemented")
                : SAY(cli, "đã gửi và tiếp nhận", "sent and received"),
                sent.due_at != AN_TIME_NONE ? SAY(cli, ", hạn trước ", ", due before ") : "",
                an_time_format_vn(sent.due_at, due));
    return 0;
}

int
cmd_request_withdraw(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    const struct request_args *a = options;
    struct an_err err = {0};
    int64_t id = 0;

    (void)count;
    if (open_step(cli, a, args[0], &seat, &id, &err) != AN_OK ||
        an_request_withdraw(&seat.desk, id, a->reason, &err) != AN_OK)
        return cli_fail(cli, &err);
    return say_step(&seat, id, "withdrawn", "đã rút", "withdrawn");
}

int
cmd_request_accept(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    struct an_err err = {0};
    int64_t id = 0;

    (void)count;
    if (open_step(cli, options, args[0], &seat, &id, &err) != AN_OK || an_request_accept(&seat.desk, id, &err) != AN_OK)
        return cli_fail(cli, &err);
    return say_step(&seat, id, "accepted", "đã chấp nhận hồ sơ", "accepted");
}

int
cmd_request_supplement(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    const struct request_args *a = options;
    struct an_err err = {0};
    int64_t id = 0;

    (void)count;
    if (open_step(cli, a, args[0], &seat, &id, &err) != AN_OK ||
        an_request_supplement(&seat.desk, id, a->reason, &err) != AN_OK)
        return cli_fail(cli, &err);
    return say_step(&seat, id, "supplement", "đã yêu cầu bổ sung", "a supplement is asked for");
}

int
cmd_request_refuse(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    const struct request_args *a = options;
    struct an_err err = {0};
    int64_t id = 0;

    (void)count;
    if (open_step(cli, a, args[0], &seat, &id, &err) != AN_OK || seat_open_key(&seat, a, &err) != AN_OK ||
        an_request_refuse(&seat.desk, id, a->reason, a->number, &seat.key, &err) != AN_OK)
        return cli_fail(cli, &err);
    return say_step(&seat, id, "refused", "đã từ chối bằng văn bản", "refused in writing");
}

/* On a terminal only: how far a long list is. */
static void
tell_progress(void *context, size_t done, size_t count)
{
    struct cli *cli = context;

    if (!cli->json && !cli->quiet && count > 1 && isatty(STDERR_FILENO))
        fprintf(stderr, SAY(cli, "\r\033[Kmục %zu / %zu%s", "\r\033[Kitem %zu / %zu%s"), done + 1, count,
                done + 1 == count ? "\r\033[K" : "");
}

static an_code
read_places(const struct opt_list *list, int64_t **ret, struct an_err *reterr)
{
    int64_t *places = list->count > 0 ? an_new_array(list->count, sizeof(*places)) : NULL;

    for (size_t i = 0; i < list->count; i++) {
        an_code code = seat_number(list->items[i], &places[i], reterr);
        if (code != AN_OK) {
            free(places);
            return code;
        }
    }
    *ret = places;
    return AN_OK;
}

int
cmd_request_approve(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    AN_CLEANUP(an_free_ptr) int64_t *places = NULL;
    const struct request_args *a = options;
    struct an_request_verdict verdict = {.count = a->item.count, .approve = !a->mine, .reason = a->reason,
                                        .number = a->number,
                                         .progress = tell_progress, .context = cli};
    struct an_err err = {0};
    size_t decided = 0;
    int64_t id = 0;
    an_code code = open_step(cli, a, args[0], &seat, &id, &err);

    (void)count;
    if (code == AN_OK)
        code = read_places(&a->item, &places, &err);
    verdict.places = places;
    if (code == AN_OK)
        code = seat_open_key(&seat, a, &err);
    if (code == AN_OK)
        code = an_request_decide(&seat.desk, id, &verdict, &seat.key, &decided, &err);
    if (code != AN_OK)
        return cli_fail(cli, &err);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:I, s:s, s:I}", "id", (json_int_t)id, "done",
                                              verdict.approve ? "approved" : "refused", "decided",
                                              (json_int_t)decided));
    else if (!cli->quiet)
        fprintf(cli->out, SAY(cli, "request:%lld đã quyết định %zu mục\n", "request:%lld %zu items decided\n"),
                (long long)id, decided);
    return 0;
}

int
cmd_request_execute(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    const struct request_args *a = options;
    struct an_request_tokens tokens = {.uri = a->token, .pin_dir = a->pin_dir, .progress = tell_progress,
                                       .context = cli};
    struct an_request_done done = {0};
    struct an_err err = {0};
    int64_t id = 0;

    (void)count;
    if (open_step(cli, a, args[0], &seat, &id, &err) != AN_OK ||
        an_request_execute(&seat.desk, id, &tokens, &done, &err) != AN_OK)
        return cli_fail(cli, &err);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:I, s:I, s:I, s:I, s:s, s:s}", "id", (json_int_t)id, "carried_out",
                                              (json_int_t)done.done, "failed", (json_int_t)done.failed,
                                              "busy", (json_int_t)done.busy, "error",
                                              err.code ? an_message_find(err.code)->symbol : "", "detail", err.detail));
    else if (!cli->quiet)
        fprintf(cli->out, SAY(cli, "request:%lld đã thực hiện %zu mục, lỗi %zu, đang làm %zu\n",
                              "request:%lld %zu items carried out, %zu failed, %zu in hand\n"),
                (long long)id, done.done, done.failed, done.busy);
    if (done.failed > 0 && !cli->json)
        (void)cli_fail(cli, &err);
    return done.failed > 0 ? AN_KIND_TEMPFAIL : 0;
}

int
cmd_request_handover(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    const struct request_args *a = options;
    struct an_err err = {0};
    int64_t id = 0;

    (void)count;
    if (open_step(cli, a, args[0], &seat, &id, &err) != AN_OK ||
        an_request_handover(&seat.desk, id, a->record, &err) != AN_OK)
        return cli_fail(cli, &err);
    return say_step(&seat, id, "handed-over", "đã bàn giao", "handed over");
}
