/* antin calendar: holidays of a year, checking a file, counting working days. */
#include "cli/report.h"
#include "office/regulation_cmd.h"
#include "regulation/calendar.h"

static const struct {
    const char *id, *vi, *en;
} KINDS[] = {
    [AN_DAY_WORKING] = {"working", "ngày làm việc", "working day"},
    [AN_DAY_WEEKEND] = {"weekend", "nghỉ hằng tuần", "weekend"},
    [AN_DAY_HOLIDAY] = {"holiday", "nghỉ lễ, tết", "public holiday"},
    [AN_DAY_OFF] = {"off", "nghỉ bù, hoán đổi", "day off in lieu or by swap"},
    [AN_DAY_MADE_UP] = {"made-up", "làm bù", "worked in place of another day"},
};

static json_t *
day_json(struct cli *cli, an_time day_utc, const struct an_day *day)
{
    char text[AN_TIME_TEXT_MAX];

    an_time_format_vn(day_utc, text);
    return json_pack("{s:s%, s:s, s:b, s:s?, s:b}", "date", text, (size_t)10, "kind", KINDS[day->kind].id, "working",
                     day->kind == AN_DAY_WORKING || day->kind == AN_DAY_MADE_UP, "name",
                     day->name_vi ? SAY(cli, day->name_vi, day->name_en) : NULL, "unconfirmed", day->unconfirmed);
}

struct year_rows {
    struct cli *cli;
    json_t *rows;
    size_t count;
};

static void
show_day(void *context, an_time day_utc, const struct an_day *day)
{
    struct year_rows *rows = context;
    struct cli *cli = rows->cli;
    char text[16];

    rows->count++;
    if (cli->json)
        json_array_append_new(rows->rows, day_json(cli, day_utc, day));
    else
        fprintf(cli->out, "%s  %-28s %s%s\n", regulation_day_text(day_utc, text),
                SAY(cli, KINDS[day->kind].vi, KINDS[day->kind].en),
                SAY(cli, day->name_vi, day->name_en),
                day->unconfirmed ? SAY(cli, "  (năm này chưa xác nhận)", "  (year not confirmed)") : "");
}

int
cmd_calendar_show(struct cli *cli, const void *options, char **args, int count)
{
    const struct regulation_args *a = options;
    struct year_rows rows = {.cli = cli, .rows = json_array()};
    struct an_calendar *calendar = NULL;
    struct an_err err = {0};
    char *end = NULL;
    long year = count > 0 ? strtol(args[0], &end, 10) : an_date_of(an_time_now(), 420).year;
    an_code code = AN_OK;

    if ((end && *end != '\0') || year < 1900 || year > 9998)
        code = an_err_set(&err, AN_E_CLI_VALUE, "%.40s", count > 0 ? args[0] : "");
    if (code == AN_OK)
        code = an_calendar_open(NULL, a->calendar, &calendar, &err);
    if (code == AN_OK)
        an_calendar_each(calendar, (int)year, show_day, &rows);
    if (code == AN_OK && cli->json)
        report_print_json(cli->out, json_incref(rows.rows));
    json_decref(rows.rows);
    an_calendar_close(&calendar);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

int
cmd_calendar_check(struct cli *cli, const void *options, char **args, int count)
{
    const struct regulation_args *a = options;
    struct an_calendar *calendar = NULL;
    struct an_err err = {0};
    an_code code = count > 0 ? an_calendar_load(args[0], &calendar, &err) : an_calendar_open(NULL, a->calendar,
            &calendar, &err);

    an_calendar_close(&calendar);
    if (code != AN_OK)
        return cli_fail(cli, &err);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:b}", "ok", 1));
    else if (!cli->quiet)
        fprintf(cli->out, "%s\n", SAY(cli, "lịch không có lỗi", "the calendar has no faults"));
    return 0;
}

static void
show_due(struct cli *cli, an_time from, long days, const struct an_calendar *calendar)
{
    struct an_due due = an_calendar_add_working_days(calendar, from, days);
    struct an_day day = an_calendar_day(calendar, due.last_day_utc);
    char text[16];

    if (cli->json) {
        json_t *json = day_json(cli, due.last_day_utc, &day);
        json_object_set_new(json, "unconfirmed", json_boolean(due.unconfirmed));
        report_print_json(cli->out, json);
        return;
    }
    fprintf(cli->out, "%s%s\n", regulation_day_text(due.last_day_utc, text),
            due.unconfirmed ? SAY(cli, "  (đi qua năm chưa xác nhận)", "  (passes through a year not confirmed)") : "");
}

int
cmd_calendar_workday(struct cli *cli, const void *options, char **args, int count)
{
    const struct regulation_args *a = options;
    struct an_calendar *calendar = NULL;
    struct an_err err = {0};
    char *end = NULL;
    long days = count > 1 ? strtol(args[1], &end, 10) : 0;
    an_time from = an_time_parse(an_bytes_of_str(args[0]));
    an_code code = AN_OK;

    if (from == AN_TIME_NONE || (end && (*end != '\0' || days < 0 || days > 5000)))
        code = an_err_set(&err, AN_E_CLI_VALUE, "%.40s %.40s", args[0], count > 1 ? args[1] : "");
    if (code == AN_OK)
        code = an_calendar_open(NULL, a->calendar, &calendar, &err);
    if (code != AN_OK)
        return cli_fail(cli, &err);
    if (count > 1) {
        show_due(cli, from, days, calendar);
    } else {
        struct an_day day = an_calendar_day(calendar, from);
        if (cli->json)
            report_print_json(cli->out, day_json(cli, from, &day));
        else
            fprintf(cli->out, "%s%s%s\n", SAY(cli, KINDS[day.kind].vi, KINDS[day.kind].en), day.name_vi ? ": " : "",
                    day.name_vi ? SAY(cli, day.name_vi, day.name_en) : "");
    }
    an_calendar_close(&calendar);
    return 0;
}
