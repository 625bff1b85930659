/* antin device handover, return, change, lost; records; signing them. */
#include "base/file.h"
#include "base/limits.h"
#include "office/device_cmd.h"
#include "office/registry_desk.h"
#include "service/registration/device.h"

#include <stdlib.h>

static an_code
draft(struct cli *cli, const struct device_args *a, const char *step, char **args, int count, json_t *out,
      struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    const struct an_handover handover = {.step = step, .devices = (const char *const *)args,
                                         .device_count = (size_t)count, .to = a->to,
                                         .giver = a->giver, .taker = a->taker, .way = a->way, .place = a->place,
                                         .reason = a->reason,
                                         .permission = a->permission, .paper = a->paper};
    char number[32];
    int64_t id = 0;

    AN_TRY(cli_need("to", a->to, reterr));
    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(an_service_record_draft(&d.desk, &handover, &id, number, reterr));
    json_object_set_new(out, "record", json_integer(id));
    json_object_set_new(out, "number", json_string(number));
    json_object_set_new(out, "state", json_string(a->paper ? "signed" : "draft"));
    return AN_OK;
}

static int
run_draft(struct cli *cli, const void *options, const char *step, char **args, int count)
{
    json_t *out = json_object();
    struct an_err err = {0};
    an_code code = draft(cli, options, step, args, count, out, &err);

    return reg_done(cli, code, &err, out);
}

int
cmd_device_handover(struct cli *cli, const void *options, char **args, int count)
{
    return run_draft(cli, options, "device.handover", args, count);
}

int
cmd_device_change(struct cli *cli, const void *options, char **args, int count)
{
    return run_draft(cli, options, "device.custody-change", args, count);
}

int
cmd_device_return(struct cli *cli, const void *options, char **args, int count)
{
    return run_draft(cli, options, "device.return", args, count);
}

int
cmd_device_lost(struct cli *cli, const void *options, char **args, int count)
{
    return run_draft(cli, options, "device.report-lost", args, count);
}

/* ---- records ---- */
static an_code
add_row(void *context, const struct an_record *record, struct an_err *reterr)
{
    (void)reterr;
    json_array_append_new(context, json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "record",
                                             (json_int_t)record->id, "number", record->number, "form",
                                             record->form, "step", record->step, "state", record->state, "medium",
                                             record->medium, "from",
                                             record->giver_kind, "to", record->taker_kind));
    return AN_OK;
}

static an_code
records(struct cli *cli, const struct device_args *a, const char *number, json_t *rows, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    return an_service_record_list(&d.desk, number, add_row, rows, reterr);
}

int
cmd_device_records(struct cli *cli, const void *options, char **args, int count)
{
    json_t *rows = json_array(), *row;
    struct an_err err = {0};
    an_code code = records(cli, options, count ? args[0] : NULL, rows, &err);
    size_t i;

    if (code == AN_OK && !cli->json)
        json_array_foreach(rows, i, row)
            fprintf(cli->out, "%lld  %s  %s  %s  %s\n", (long long)json_integer_value(json_object_get(row, "record")),
                    json_string_value(json_object_get(row, "number")), json_string_value(json_object_get(row, "form")),
                    json_string_value(json_object_get(row, "step")), json_string_value(json_object_get(row, "state")));
    else if (code == AN_OK)
        reg_print(cli, json_pack("{s:O}", "records", rows));
    json_decref(rows);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}

static an_code
save_paper(struct cli *cli, const struct device_args *a, const char *id, const char *path, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(AN_LIMIT_RECORD_BYTES);

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(an_service_record_paper(&d.desk, strtoll(id, NULL, 10), &pdf, reterr));
    if (pdf.len == 0)
        AN_FAIL(reterr, AN_E_RECORD_STATE, "%s", id);
    return an_file_write(path, an_buf_view(&pdf), 0644, reterr);
}

int
cmd_device_paper(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    an_code code = save_paper(cli, options, args[0], args[1], &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s}", "file", args[1]));
}

/* ---- signing ---- */
static an_code
sign(struct cli *cli, const struct device_args *a, const char *id, bool *ret_done, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    AN_CLEANUP(an_buf_free) struct an_buf image = an_buf_new(AN_LIMIT_PNG_BYTES);
    struct an_record_key key = {.uri = a->key, .cert = a->cert, .pin = a->pin_file ? an_pin_from_file(a->pin_file)
                                : an_pin_from_terminal()};

    AN_TRY(cli_need("key", a->key, reterr));
    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    if (a->image != NULL)
        AN_TRY(an_file_read(a->image, AN_LIMIT_PNG_BYTES, &image, reterr));
    key.image = an_buf_view(&image);
    return an_service_record_sign(&d.desk, strtoll(id, NULL, 10), &key, ret_done, reterr);
}

int
cmd_device_sign(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    bool is_done = false;
    an_code code = sign(cli, options, args[0], &is_done, &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s, s:s}", "record", args[0], "state",
                                               is_done ? "signed" : "half-signed"));
}

static an_code
void_record(struct cli *cli, const struct device_args *a, const char *id, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    return an_service_record_void(&d.desk, strtoll(id, NULL, 10), reterr);
}

int
cmd_device_void(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    an_code code = void_record(cli, options, args[0], &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s, s:s}", "record", args[0], "state", "void"));
}
