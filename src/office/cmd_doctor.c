/* antin doctor. */
#include "cli/report.h"
#include "office/instance_cmd.h"
#include "service/instance/doctor.h"

static const struct { const char *id, *mark, *vi, *en; } healths[] = {
    [AN_HEALTH_GOOD] = {"good", "✓", "ổn", "good"},
    [AN_HEALTH_WARNING] = {"warning", "!", "cảnh báo", "warning"},
    [AN_HEALTH_BAD] = {"bad", "✗", "lỗi", "wrong"},
};

struct ward { struct cli *cli; json_t *list; int counts[AN_HEALTH_SKIPPED]; };

static void
show_symptom(void *context, const struct an_symptom *s)
{
    struct ward *ward = context;
    struct cli *cli = ward->cli;
    const char *english = cli->english ? s->name_en : s->name_vi;

    ward->counts[s->health]++;
    if (cli->json) {
        json_array_append_new(ward->list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?}", "check", s->check,
                                                    "health", healths[s->health].id, "vi", s->name_vi,
                                                    "en", s->name_en, "detail", s->detail, "remedy_vi",
                                                    s->health ? s->remedy_vi : NULL, "remedy_en",
                                                    s->health ? s->remedy_en : NULL));
        return;
    }
    if (cli->quiet && s->health == AN_HEALTH_GOOD)
        return;
    fprintf(cli->out, "%s %s%s%s\n", healths[s->health].mark, english, s->detail[0] ? ": " : "", s->detail);
    if (s->health != AN_HEALTH_GOOD)
        fprintf(cli->out, "  → %s\n", SAY(cli, s->remedy_vi, s->remedy_en));
}

int
cmd_doctor(struct cli *cli, const void *options, char **args, int count)
{
    const struct doctor_args *a = options;
    struct ward ward = {.cli = cli, .list = json_array()};

    an_doctor_examine(count ? args[0] : NULL, a->deep, show_symptom, &ward);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:O, s:i, s:i, s:i}", "checks", ward.list, "good",
                                              ward.counts[AN_HEALTH_GOOD], "warnings",
                                              ward.counts[AN_HEALTH_WARNING], "bad", ward.counts[AN_HEALTH_BAD]));
    json_decref(ward.list);
    return ward.counts[AN_HEALTH_BAD] ? 1 : ward.counts[AN_HEALTH_WARNING] ? 2 : 0;
}
