/* antin ca matter, ceremony. */
#include "base/file.h"
#include "cli/report.h"
#include "office/ca_office.h"
#include "service/certification/ceremony.h"

#define TRANSCRIPT_MAX ((size_t)4 * 1024 * 1024)

static void
show_matter(struct cli *cli, int64_t id, const struct an_matter_state *s)
{
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:I, s:I, s:I, s:I, s:o}", "matter", (json_int_t)id, "needed",
                                              (json_int_t)s->needed, "approvals", (json_int_t)s->approvals, "refusals",
                                              (json_int_t)s->refusals, "decided_at", report_time_json(s->sealed_at)));
    else if (!cli->quiet)
        fprintf(cli->out, "%s %lld: %lld/%lld%s\n", SAY(cli, "việc", "matter"), (long long)id, (long long)s->approvals,
                (long long)s->needed,
                s->sealed_at == AN_TIME_NONE ? "" : SAY(cli, ", đã quyết định", ", decided"));
}

static an_code
read_facts(const char *hex, uint8_t ret[32], struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf bytes = an_buf_new(64);

    if (hex == NULL)
        AN_FAIL(reterr, AN_E_CLI_REQUIRED, "--facts");
    if (!an_hex_decode(&bytes, an_bytes_of_str(hex)) || bytes.len != 32)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--facts");
    memcpy(ret, bytes.ptr, 32);
    return AN_OK;
}

static an_code
open_matter(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    struct an_matter matter = {.act = args[0], .object = args[1], .proposer = o->actor.id,
                               .needed = a->needed ? a->needed : 2};
    struct an_matter_state state;
    int64_t id;

    AN_TRY(read_facts(a->facts, matter.facts, reterr));
    AN_TRY(an_decide_open(o->instance, &matter, &id, reterr));
    AN_TRY(an_decide_find(o->instance, id, &state, reterr));
    show_matter(cli, id, &state);
    return AN_OK;
}

/* Whose vote, with which key. */
struct voter { struct an_cert *cert; struct an_signer *signer; struct an_decide_vote vote; };

static void
voter_done(struct voter *voter)
{
    an_signer_close(&voter->signer);
    an_cert_unref(&voter->cert);
}

static an_code
open_voter(struct ca_office *o, const struct ca_args *a, struct voter *ret, struct an_err *reterr)
{
    if (a->as == NULL || strchr(a->as, '/') == NULL || a->key == NULL) /* what is signed names both */
        AN_FAIL(reterr, AN_E_CLI_REQUIRED, "--as WHO/ROLE, --key, --cert");
    AN_TRY(an_signer_open(a->key, ca_pin(a), &ret->signer, reterr));
    if (a->cert == NULL && an_signer_info(ret->signer)->certificate.len != 0)
        AN_TRY(an_cert_parse(an_signer_info(ret->signer)->certificate, &ret->cert, reterr));
    else
        AN_TRY(ca_read_cert(a->cert, &ret->cert, reterr));
    ret->vote = (struct an_decide_vote){.person = o->actor.id, .role = o->actor.role, .reason = a->reason,
                                        .refuses = a->refuse, .cert = ret->cert, .signer = ret->signer};
    return AN_OK;
}

static an_code
vote(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    AN_CLEANUP(voter_done) struct voter voter = {0};
    struct an_matter_state state;

    AN_TRY(open_voter(o, a, &voter, reterr));
    voter.vote.matter = strtoll(args[0], NULL, 10);
    AN_TRY(an_decide_vote(o->instance, &voter.vote, &state, reterr));
    show_matter(cli, voter.vote.matter, &state);
    return AN_OK;
}

static an_code
show(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_LIMIT_CMS_BYTES);
    int64_t id = strtoll(args[0], NULL, 10);
    struct an_matter_state state;

    AN_TRY(an_decide_find(o->instance, id, &state, reterr));
    show_matter(cli, id, &state);
    if (a->export_file == NULL)
        return AN_OK;
    AN_TRY(an_decide_export(o->instance, id, &text, reterr));
    return an_file_write(a->export_file, an_buf_view(&text), 0644, reterr);
}

/* ---- ceremonies ---- */
static an_code
open_ceremony(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    struct an_ceremony_state state;

    (void)a;
    AN_TRY(an_ceremony_open(o->instance, args[0], o->actor.id, &state, reterr));
    show_matter(cli, state.matter, &state.state);
    return AN_OK;
}

/* bien-ban.txt and its page bien-ban.pdf; whatever else the text is called, ".pdf" comes behind it. */
static char *
paper_path(const char *text)
{
    size_t len = strlen(text);
    bool is_txt = len > 4 && strcmp(text + len - 4, ".txt") == 0;

    return an_asprintf("%.*s.pdf", (int)(is_txt ? len - 4 : len), text);
}

static an_code
run_ceremony(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    AN_CLEANUP(an_ceremony_told_done) struct an_ceremony_told told = {.text = an_buf_new(TRANSCRIPT_MAX),
                                                                     .paper = an_buf_new(AN_LIMIT_PAPER_BYTES)};
    AN_CLEANUP(an_free_ptr) char *paper = NULL;

    if (a->output == NULL)
        AN_FAIL(reterr, AN_E_CLI_REQUIRED, "--output");
    paper = paper_path(a->output);
    AN_TRY(an_ceremony_run(o->instance, args[0], &o->actor, &told, reterr));
    AN_TRY(an_file_write(paper, an_buf_view(&told.paper), 0644, reterr));
    AN_TRY(an_file_write(a->output, an_buf_view(&told.text), 0644, reterr));
    show_matter(cli, told.state.matter, &told.state.state);
    return AN_OK;
}

/* The transcript as run wrote it: the text from --output, the page beside it. */
static an_code
read_transcript(const struct ca_args *a, struct an_buf *text, char **paper, struct an_ceremony_files *ret,
                struct an_err *reterr)
{
    if (a->output == NULL)
        AN_FAIL(reterr, AN_E_CLI_REQUIRED, "--output");
    AN_TRY(an_file_read(a->output, TRANSCRIPT_MAX, text, reterr));
    *paper = paper_path(a->output);
    *ret = (struct an_ceremony_files){.text = an_buf_view(text), .paper = *paper};
    return AN_OK;
}

static an_code
sign_ceremony(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(TRANSCRIPT_MAX);
    AN_CLEANUP(an_free_ptr) char *paper = NULL;
    AN_CLEANUP(voter_done) struct voter voter = {0};
    struct an_ceremony_files files;
    struct an_ceremony_state state;

    AN_TRY(read_transcript(a, &text, &paper, &files, reterr));
    AN_TRY(open_voter(o, a, &voter, reterr));
    AN_TRY(an_ceremony_sign(o->instance, args[0], &files, &voter.vote, &state, reterr));
    show_matter(cli, state.matter, &state.state);
    return AN_OK;
}

/* The text is written again with its signatures behind it. */
static an_code
close_ceremony(struct cli *cli, struct ca_office *o, const struct ca_args *a, char **args, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(TRANSCRIPT_MAX);
    AN_CLEANUP(an_buf_free) struct an_buf whole = an_buf_new(TRANSCRIPT_MAX * 4);
    AN_CLEANUP(an_free_ptr) char *path = NULL, *paper = NULL;
    struct an_ceremony_files files;

    AN_TRY(read_transcript(a, &text, &paper, &files, reterr));
    AN_TRY(an_ceremony_close(o->instance, args[0], &files, &whole, reterr));
    path = an_asprintf("%s.signed", a->output);
    AN_TRY(an_file_write(path, an_buf_view(&whole), 0644, reterr));
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:s, s:s}", "transcript", path, "paper", paper));
    else if (!cli->quiet)
        fprintf(cli->out, "%s\n%s\n", path, paper);
    return AN_OK;
}

/* ---- */
struct verb { const char *word; int arguments; an_code (*run)(struct cli *cli, struct ca_office *o,
                                                              const struct ca_args *a, char **args,
                                                              struct an_err *reterr); };

static int
run_verb(struct cli *cli, const struct verb *verbs, size_t verb_count, const struct ca_args *a, char **args, int count)
{
    struct ca_office o = {0};
    struct an_err err = {0};
    an_code code = an_err_set(&err, AN_E_CLI_ARGUMENTS, "%s", args[0]);

    for (size_t i = 0; i < verb_count; i++)
        if (strcmp(verbs[i].word, args[0]) == 0 && count == verbs[i].arguments + 1) {
            code = ca_office_look(&o, a, "quan-tri", &err);
            if (code == AN_OK)
                code = verbs[i].run(cli, &o, a, args + 1, &err);
        }
    ca_office_close(&o);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

int
cmd_ca_matter(struct cli *cli, const void *options, char **args, int count)
{
    static const struct verb verbs[] = {{"open", 2, open_matter}, {"vote", 1, vote}, {"show", 1, show}};

    return run_verb(cli, verbs, AN_COUNT(verbs), options, args, count);
}

int
cmd_ca_ceremony(struct cli *cli, const void *options, char **args, int count)
{
    static const struct verb verbs[] = {
        {"open", 1, open_ceremony}, {"run", 1, run_ceremony}, {"sign", 1, sign_ceremony}, {"close", 1, close_ceremony}};

    return run_verb(cli, verbs, AN_COUNT(verbs), options, args, count);
}
