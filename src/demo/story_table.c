/* What a story says to its reader: why something was refused; and at its end the same questions to the five
 * regulations, each on a day of its own. */
#include "demo/demo.h"

#include "cli/report.h"
#include "regulation/explain.h"

#include <stdio.h>

static const struct { const char *id, *day; } regulation_table[] = {
    {"tay-ninh-2025", "2026-01-15"}, {"dong-thap-2025", "2026-01-15"}, {"gia-lai-2026", "2026-10-01"}, {"bac-ninh-2023", "2023-09-01"}, {"binh-thuan-2017", "2018-03-01"},
};
static const struct { const char *act, *device; } question_table[] = {
    {"request.new", "pki-token"}, {"request.renew", "pki-token"}, {"request.change", "pki-token"}, {"request.revoke", "pki-token"},
    {"request.recover", "pki-token"}, {"request.recover", "hsm"},
};

bool
story_refusal(const json_t *answer, bool english, struct an_buf *out)
{
    const json_t *findings = json_object_get(answer, "findings"), *said = json_object_get(answer, "error"), *finding;
    const char *language = english ? "en" : "vi", *words, *detail;
    size_t i;

    json_array_foreach(findings, i, finding)
        if (json_is_false(json_object_get(finding, "holds"))) {
            said = finding;
            break;
        }
    words = json_string_value(json_object_get(said, language));
    detail = json_string_value(json_object_get(said, "detail"));
    if (words == NULL)
        return false;
    an_buf_printf(out, "%s%s%s", words, detail != NULL && detail[0] ? ": " : "", detail != NULL ? detail : "");
    return true;
}

static void
print_answer(struct cli *cli, const char *regulation, const struct an_answer *answer)
{
    fprintf(cli->out, "  %-16s ", regulation);
    cli_cell(cli->out, answer->authority ? answer->authority : "—", 23);
    cli_cell(cli->out, answer->form_count ? answer->forms[0].citation : "—", 22);
    if (answer->deadline.is_set)
        fprintf(cli->out, " %lld %s%s", (long long)answer->deadline.days,
                strcmp(answer->deadline.unit, "working_day") == 0 ? SAY(cli, "ngày làm việc", "working days")
                : answer->deadline.unit,
                answer->deadline.unconfirmed ? "?" : "");
    else
        fprintf(cli->out, " —");
    fprintf(cli->out, "  ");
    for (size_t i = 0; i < answer->notice_count; i++)
        fprintf(cli->out, "%s%s", i ? ", " : "", answer->notices[i]);
    fprintf(cli->out, "%s%s\n", answer->citation_count ? "  · " : "", answer->citation_count ? answer->citations[0]
            : "");
}

void
story_differences(struct cli *cli)
{
    struct an_regulations *regulations = cli_regulations(cli);

    fprintf(cli->out, "%s\n",
            SAY(cli, "\nNăm quy chế khác nhau ở đâu (cơ quan giải quyết, mẫu, thời hạn, báo cho ai; “?”: chưa có văn bản nêu)",
                                  "\nWhere the five regulations differ (who decides, form, days, who is told; “?”: no text says so)"));
    for (size_t q = 0; regulations != NULL && q < AN_COUNT(question_table); q++) {
        fprintf(cli->out, "%s (%s)\n", question_table[q].act, question_table[q].device);
        for (size_t r = 0; r < AN_COUNT(regulation_table); r++) {
            AN_CLEANUP(an_answer_free) struct an_answer *answer = NULL;
            struct an_question question = {.regulation = regulation_table[r].id,
                                           .on_utc = an_time_parse(an_bytes_of_str(regulation_table[r].day)),
                                           .act = question_table[q].act, .actor = "qltt", .subject = "person",
                                           .device = question_table[q].device};
            if (an_regulation_explain(regulations, &question, &answer, NULL) == AN_OK)
                print_answer(cli, regulation_table[r].id, answer);
        }
    }
}
