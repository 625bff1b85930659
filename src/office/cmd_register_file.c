/* antin agency|person|subscriber|device import, export. */
#include "base/file.h"
#include "office/registry_desk.h"
#include "registry/csv.h"
#include "service/registration/registry_import.h"

struct telling {
    struct cli *cli;
    struct an_output report;
    bool has_report;
    an_code code;
    struct an_err err;
};

static void
tell_refused(void *context, size_t line, const struct an_err *err)
{
    struct telling *t = context;
    const struct an_message *message = an_message_find(err->code);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(8192), cite = an_buf_new(2048);
    char number[24];

    cli_citation(t->cli, message->cite, &cite);
    if (!t->has_report) {
        if (!t->cli->quiet)
            fprintf(stderr, "%zu: %s: %s%s%.*s\n", line, SAY(t->cli, message->vi, message->en), err->detail,
                    cite.len ? " · " : "", AN_FMT(an_buf_view(&cite)));
        return;
    }
    snprintf(number, sizeof(number), "%zu", line);
    an_csv_write(&text, number, false);
    an_csv_write(&text, err->detail, false);
    an_csv_write(&text, SAY(t->cli, message->vi, message->en), false);
    an_buf_byte(&cite, 0);
    an_csv_write(&text, (const char *)cite.ptr, true);
    if (t->code == AN_OK)
        t->code = an_output_write(&t->report, an_buf_view(&text), &t->err);
}

static void
tell_progress(void *context, uint64_t rows, uint64_t bytes_left)
{
    struct telling *t = context;

    if (!t->cli->json && !t->cli->quiet)
        fprintf(stderr, SAY(t->cli, "%llu dòng, còn %llu byte\r", "%llu rows, %llu bytes left\r"),
                (unsigned long long)rows, (unsigned long long)bytes_left);
}

static an_code
import(struct cli *cli, const struct registry_args *a, const char *what, const char *path, json_t *out,
       struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct telling t = {.cli = cli, .report = AN_OUTPUT_NONE};
    const struct an_import plan = {.path = path, .dry_run = a->dry_run, .batch = a->batch > 0 ? (size_t)a->batch : 0,
                                   .refused = tell_refused,
                                   .progress = tell_progress, .context = &t};
    struct an_imported done = {0};
    an_code code;

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    if (a->report != NULL) {
        AN_TRY(an_output_open(a->report, &t.report, reterr));
        t.has_report = true;
        t.code = an_output_write(&t.report, AN_LIT("\xEF\xBB\xBF" "Dòng,Trường,Nội dung,Căn cứ\r\n"), &t.err);
    }
    code = an_registry_import(&d.desk, what, &plan, &done, reterr);
    if (t.has_report && code == AN_OK)
        code = t.code == AN_OK ? an_output_commit(&t.report, reterr) : t.code;
    an_output_discard(&t.report);
    json_object_set_new(out, "what", json_string(what));
    json_object_set_new(out, "rows", json_integer((json_int_t)done.rows));
    json_object_set_new(out, "added", json_integer((json_int_t)done.added));
    json_object_set_new(out, "refused", json_integer((json_int_t)done.refused));
    json_object_set_new(out, "resumed", json_integer((json_int_t)done.resumed));
    json_object_set_new(out, "dry_run", json_boolean(a->dry_run));
    return code;
}

static an_code
export(struct cli *cli, const struct registry_args *a, const char *what, const char *path, json_t *out,
       struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    uint64_t rows = 0;
    int64_t agency = 0;

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(reg_agency_id(&d, a->agency, &agency, reterr));
    AN_TRY(an_registry_export(&d.desk, what, path, agency, a->personal, &rows, reterr));
    json_object_set_new(out, "file", json_string(path));
    json_object_set_new(out, "rows", json_integer((json_int_t)rows));
    return AN_OK;
}

typedef an_code (*file_act)(struct cli *cli, const struct registry_args *a, const char *what, const char *path,
                            json_t *out, struct an_err *reterr);

static int
run(struct cli *cli, file_act act, const struct registry_args *a, const char *what, const char *path)
{
    json_t *out = json_object();
    struct an_err err = {0};
    an_code code = act(cli, a, what, path, out, &err);

    return reg_done(cli, code, &err, out);
}

static const char *
people_list(const struct registry_args *a)
{
    return a->what ? a->what : "people";
}

#define FILE_COMMANDS(name, what) \
    int cmd_##name##_import(struct cli *cli, const void *options, char **args, int count) \
    { \
        const struct registry_args *a = options; \
        (void)count; \
        return run(cli, import, a, what, args[0]); \
    } \
    int cmd_##name##_export(struct cli *cli, const void *options, char **args, int count) \
    { \
        const struct registry_args *a = options; \
        (void)count; \
        return run(cli, export, a, what, args[0]); \
    }

FILE_COMMANDS(agency, "agencies")
FILE_COMMANDS(person, people_list(a))
FILE_COMMANDS(subscriber, "subscribers")
FILE_COMMANDS(device, "devices")
