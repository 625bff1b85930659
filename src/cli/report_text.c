/* The same report for a person at a terminal. */
#include "cli/report.h"

#include "base/time.h"
#include "base/utf8.h"

#include <unistd.h>

static const struct { const char *vi, *en; } word_table[] = {
    [AN_WORD_VALID] = {"HỢP LỆ", "VALID"},
    [AN_WORD_VALID_WITH_CHANGES] = {"HỢP LỆ, CÓ THAY ĐỔI ĐƯỢC PHÉP", "VALID, WITH PERMITTED CHANGES"},
    [AN_WORD_MODIFIED] = {"ĐÃ BỊ THAY ĐỔI", "MODIFIED"},
    [AN_WORD_BROKEN] = {"BỊ HỎNG", "BROKEN"},
    [AN_WORD_NOT_ENOUGH] = {"CHƯA ĐỦ CĂN CỨ", "NOT ENOUGH EVIDENCE"},
};
static const struct { const char *vi, *en; } effect_table[] = {
    [AN_EFFECT_NONE] = {"không có chữ ký có hiệu lực", "no signature with effect"},
    [AN_EFFECT_PERSONAL_ONLY] = {"chỉ có chữ ký cá nhân (như văn bản giấy ký tay, chưa đóng dấu)",
                                 "personal signature only (as paper signed but not sealed)"},
    [AN_EFFECT_AGENCY_ONLY] = {"chỉ có chữ ký cơ quan (như văn bản giấy có dấu)",
                               "agency signature only (as paper with a seal)"},
    [AN_EFFECT_BOTH] = {"đủ chữ ký của người có thẩm quyền và của cơ quan (như bản gốc văn bản giấy)",
                        "signed by the competent person and by the agency (as the paper original)"},
    [AN_EFFECT_INCOMPLETE] = {"chưa đầy đủ: có chữ ký không hợp lệ hoặc còn thiếu",
                              "incomplete: a signature is missing or not valid"},
};
static const char *const mark_table[] = {[AN_FINDING_PASSED] = "✓", [AN_FINDING_INDETERMINATE] = "?",
                                         [AN_FINDING_FAILED] = "✗",
                                         [AN_FINDING_NOTE] = "·", [AN_FINDING_SKIPPED] = "–"};

static void
print_citation(struct cli *cli, const char *cite)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(2048);

    cli_citation(cli, cite, &text);
    if (text.len)
        fprintf(cli->out, "  [%.*s]", AN_FMT(an_buf_view(&text)));
}

static void
print_finding(struct cli *cli, const struct an_finding *f)
{
    const struct an_message *message = an_message_find(f->code);

    fprintf(cli->out, "    %s %s", mark_table[f->status], SAY(cli, message->vi, message->en));
    if (f->detail != NULL && *f->detail)
        fprintf(cli->out, ": %s", f->detail);
    print_citation(cli, message->cite);
    fputc('\n', cli->out);
}

/* What was not allowed is named object by object; what was is counted by its kind. */
static void
print_forbidden(struct cli *cli, const struct an_modification *m)
{
    const struct an_message *message = an_message_find(m->why);

    fprintf(cli->out, "    ✗ %s", SAY(cli, message->vi, message->en));
    if (m->object != 0)
        fprintf(cli->out, ": %s %u", SAY(cli, "đối tượng", "object"), m->object);
    if (m->what != NULL && *m->what)
        fprintf(cli->out, " %s", m->what);
    fputc('\n', cli->out);
}

static bool
said_before(const struct an_signature_report *s, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (s->modifications[i].allowed && s->modifications[i].why == s->modifications[at].why)
            return true;
    return false;
}

static void
print_modifications(struct cli *cli, const struct an_signature_report *s)
{
    for (size_t i = 0; i < s->modification_count; i++) {
        const struct an_message *message = an_message_find(s->modifications[i].why);
        size_t count = 0;
        if (!s->modifications[i].allowed) {
            print_forbidden(cli, &s->modifications[i]);
            continue;
        }
        if (said_before(s, i))
            continue;
        for (size_t k = i; k < s->modification_count; k++)
            count += s->modifications[k].allowed && s->modifications[k].why == s->modifications[i].why;
        fprintf(cli->out, "    · %s (%zu %s)\n", SAY(cli, message->vi, message->en), count,
                SAY(cli, "đối tượng", "objects"));
    }
}

static void
print_times(struct cli *cli, const struct an_signature_report *s)
{
    char claimed[AN_TIME_TEXT_MAX], best[AN_TIME_TEXT_MAX];

    fprintf(cli->out, "    %s: %s", SAY(cli, "thời gian ký (theo người ký)", "claimed signing time"),
            an_time_format_vn(s->claimed_time, claimed));
    if (s->time_stamp_count)
        fprintf(cli->out, " · %s: %s", SAY(cli, "chứng minh được", "proven"), an_time_format_vn(s->best_time, best));
    fputc('\n', cli->out);
}

/* What was decided by law or policy, not by bytes, has no word of the five: a certificate revoked before signing is
 * refused. */
static const char *
word_text(struct cli *cli, enum an_clerk_word word, enum an_indication indication)
{
    if (word == AN_WORD_NOT_ENOUGH && indication == AN_TOTAL_FAILED)
        return SAY(cli, "KHÔNG HỢP LỆ", "NOT VALID");
    return SAY(cli, word_table[word].vi, word_table[word].en);
}

static void
print_signature(struct cli *cli, const struct an_signature_report *s)
{
    fprintf(cli->out, "  %s · %s · %s%s%s\n", s->field ? s->field : "?",
            s->signer ? s->signer : SAY(cli, "không rõ người ký", "unknown signer"),
            s->format ? s->format : "", s->level && *s->level ? " " : "", s->level ? s->level : "");
    fprintf(cli->out, "    %s (%s%s%s)\n", word_text(cli, s->word, s->indication), indication_text(s->indication),
            s->sub_indication && *s->sub_indication ? ", " : "", s->sub_indication ? s->sub_indication : "");
    print_times(cli, s);
    for (size_t i = 0; i < s->finding_count; i++)
        if (s->findings[i].status != AN_FINDING_SKIPPED)
            print_finding(cli, &s->findings[i]);
    print_modifications(cli, s);
}

void
report_text(struct cli *cli, const char *file, const struct an_report *report)
{
    AN_CLEANUP(an_free_ptr) char *name = an_strdup(file);
    bool colour = isatty(fileno(cli->out));
    const char *paint = !colour ? "" : report->indication == AN_TOTAL_PASSED ? "\033[32m"
            : report->indication == AN_TOTAL_FAILED ? "\033[31m" : "\033[33m";

    an_utf8_make_visible(name);
    fprintf(cli->out, "%s: %s%s%s\n", name, paint, word_text(cli, report->word, report->indication),
            colour ? "\033[0m" : "");
    if (cli->quiet)
        return;
    for (size_t i = 0; i < report->signature_count; i++)
        print_signature(cli, &report->signatures[i]);
    for (size_t i = 0; i < report->note_count; i++)
        fprintf(cli->out, "  · %s\n", SAY(cli, an_message_find(report->notes[i])->vi,
                                          an_message_find(report->notes[i])->en));
    fprintf(cli->out, "  %s: %s", SAY(cli, "Giá trị pháp lý", "Legal effect"),
            SAY(cli, effect_table[report->legal_effect].vi, effect_table[report->legal_effect].en));
    print_citation(cli, "nd-30-2020/5");
    fputc('\n', cli->out);
}
