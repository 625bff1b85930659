/* Failures as people and programs read them; citations in words. */
#include "cli/cli.h"

#include "base/utf8.h"
#include "cli/report.h"
#include "regulation/regulation.h"
#include "verify/verify.h"

struct an_regulations *
cli_regulations(struct cli *cli)
{
    if (cli->regulations == NULL && an_regulations_open(NULL, &cli->regulations, NULL) != AN_OK)
        cli->regulations = NULL;
    return cli->regulations;
}

void
cli_citation(struct cli *cli, const char *citation, struct an_buf *out)
{
    struct an_regulations *regs;

    if (citation == NULL || *citation == '\0')
        return;
    regs = cli_regulations(cli);
    if (regs != NULL)
        an_citation_text(regs, citation, cli->english, out);
    else
        an_buf_str(out, citation);
}

void
cli_cell(FILE *out, const char *text, int columns)
{
    int letters = 0;

    for (const char *at = text; *at != '\0'; at++)
        letters += ((unsigned char)*at & 0xC0) != 0x80;
    fprintf(out, "%s%*s", text, letters < columns ? columns - letters : 1, "");
}

int
cli_exit_status(an_code code)
{
    return code == AN_OK ? 0 : (int)an_message_find(code)->kind;
}

/* Names of files and fields may be any bytes; what is no UTF-8 is shown as U+FFFD. */
json_t *
report_text_json(an_bytes text)
{
    json_t *json = json_stringn(text.len ? (const char *)text.ptr : "", text.len);
    AN_CLEANUP(an_buf_free) struct an_buf clean = an_buf_new(AN_BUF_UNLIMITED);
    size_t at = 0;

    while (json == NULL && at < text.len) {
        uint32_t c = an_utf8_next(text, &at);
        an_utf8_append(&clean, c == UINT32_MAX ? 0xFFFD : c);
    }
    if (json == NULL)
        json = json_stringn(clean.len ? (const char *)clean.ptr : "", clean.len);
    return json ? json : json_string("?");
}

/* {"code", "vi", "en", "citation", "detail", "file"}: the shape of every error, also inside other answers. */
json_t *
cli_error_json(struct cli *cli, const struct an_err *err)
{
    const struct an_message *message = an_message_find(err->code);
    AN_CLEANUP(an_buf_free) struct an_buf citation = an_buf_new(2048);

    cli_citation(cli, message->cite, &citation);
    return json_pack("{s:s, s:s, s:s, s:s%, s:o, s:o}", "code", message->symbol, "vi", message->vi, "en", message->en,
                     "citation",
                     citation.len ? (const char *)citation.ptr : "", citation.len, "detail",
                     report_text_json(an_bytes_of_str(err->detail)),
                     "file", report_text_json(an_bytes_of_str(err->file)));
}

int
cli_fail(struct cli *cli, const struct an_err *err)
{
    const struct an_message *message = an_message_find(err->code);
    AN_CLEANUP(an_buf_free) struct an_buf citation = an_buf_new(2048);

    if (cli->json) {
        json_t *error = cli_error_json(cli, err);
        json_t *whole = json_pack("{s:o, s:o}", "file", report_text_json(an_bytes_of_str(err->file)), "error", error);
        char *text = json_dumps(whole, JSON_COMPACT);
        fprintf(cli->out, "%s\n", text ? text : "{}");
        free(text);
        json_decref(whole);
    }
    cli_citation(cli, message->cite, &citation);
    fprintf(stderr, "antin: %s%s%s", err->file, err->file[0] ? ": " : "", SAY(cli, message->vi, message->en));
    if (err->detail[0] != '\0')
        fprintf(stderr, ": %s", err->detail);
    fprintf(stderr, "\n       %s", SAY(cli, message->en, message->vi));
    if (citation.len)
        fprintf(stderr, "\n       %s: %.*s", SAY(cli, "Căn cứ", "Basis"), AN_FMT(an_buf_view(&citation)));
    fprintf(stderr, " [%s]\n", message->symbol);
    return cli_exit_status(err->code);
}

int
cli_worse(int a, int b)
{
    static const int rank[] = {[AN_TOTAL_PASSED] = 0, [AN_INDETERMINATE] = 1, [AN_TOTAL_FAILED] = 2};
    int rank_a = a < 3 ? rank[a] : 3, rank_b = b < 3 ? rank[b] : 3;

    return rank_b > rank_a ? b : a;
}
