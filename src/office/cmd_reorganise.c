/* antin agency merge, person transfer, agency undo. */
#include "office/registry_desk.h"
#include "service/registration/registry_merge.h"

#include <stdlib.h>

static an_code
note_line(void *context, const struct an_reorganisation_line *line, struct an_err *reterr)
{
    (void)reterr;
    json_array_append_new(context, json_pack("{s:s, s:s, s:s}", "kind", line->kind, "what", line->what, "name",
                                             line->name));
    return AN_OK;
}

static an_code
note_prepared(void *context, const struct an_request_prepared *prepared, struct an_err *reterr)
{
    (void)reterr;
    json_array_append_new(context, json_pack("{s:I, s:s, s:I, s:s, s:s, s:b}", "request", (json_int_t)prepared->id,
                                             "kind", an_request_kind_id(prepared->kind), "items",
                                             (json_int_t)prepared->count, "agency", prepared->agency, "signs",
                                             prepared->head, "is_new", (int)prepared->is_new));
    return AN_OK;
}

static an_code
reorganise(struct cli *cli, const struct registry_args *a, char **args, int count, bool is_merge, json_t *out,
           struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    AN_CLEANUP(an_free_ptr) int64_t *from = an_new_array((size_t)count, sizeof(*from));
    struct an_reorganisation plan = {.from = from, .from_count = (size_t)count, .document = a->document,
                                     .title = a->title, .dry_run = a->dry_run};
    json_t *lines = json_array();
    int64_t id = 0;

    json_object_set_new(out, "lines", lines);
    AN_TRY(cli_need("into", a->into, reterr));
    AN_TRY(cli_need("document", a->document, reterr));
    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(reg_agency_id(&d, a->into, &plan.into, reterr));
    AN_TRY(reg_day("on", a->on, &plan.effective, reterr));
    if (plan.effective == AN_TIME_NONE)
        plan.effective = d.desk.at;
    for (int i = 0; is_merge && i < count; i++)
        AN_TRY(reg_agency_id(&d, args[i], &from[i], reterr));
    if (!is_merge)
        AN_TRY(reg_person_id(&d, args[0], &plan.person, reterr));
    AN_TRY(is_merge ? an_registry_merge(&d.desk, &plan, note_line, lines, &id, reterr) : an_registry_transfer(&d.desk,
            &plan, note_line, lines, &id, reterr));
    json_object_set_new(out, "id", json_integer(id));
    json_object_set_new(out, "dry_run", json_boolean(a->dry_run));
    if (a->dry_run)
        return AN_OK;
    json_t *prepared = json_array();
    json_object_set_new(out, "prepared", prepared);
    return an_registry_prepare(&d.desk, id, note_prepared, prepared, reterr);
}

static void
print_prepared(struct cli *cli, const json_t *out)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(out, "prepared"), i, one) {
        const char *head = json_string_value(json_object_get(one, "signs"));
        fprintf(cli->out, SAY(cli, "Hồ sơ lập sẵn: request:%lld (%s, %lld mục), chờ %s ký: antin request sign %lld\n",
                              "Prepared: request:%lld (%s, %lld items), to be signed by %s: antin request sign %lld\n"),
                (long long)json_integer_value(json_object_get(one, "request")),
                json_string_value(json_object_get(one, "kind")),
                (long long)json_integer_value(json_object_get(one, "items")),
                head[0] ? head : SAY(cli, "người đứng đầu cơ quan", "the head of the agency"),
                (long long)json_integer_value(json_object_get(one, "request")));
    }
}

static int
run(struct cli *cli, const struct registry_args *a, char **args, int count, bool is_merge)
{
    json_t *out = json_object(), *line;
    struct an_err err = {0};
    an_code code = reorganise(cli, a, args, count, is_merge, out, &err);
    size_t i;

    if (code != AN_OK || cli->json)
        return reg_done(cli, code, &err, out);
    json_array_foreach(json_object_get(out, "lines"), i, line)
        fprintf(cli->out, "%-16s %-20s %s\n", json_string_value(json_object_get(line, "kind")),
                json_string_value(json_object_get(line, "what")),
                json_string_value(json_object_get(line, "name")));
    fprintf(cli->out, "%s %lld\n", SAY(cli, a->dry_run ? "Chỉ xem trước:" : "Đã thực hiện, số:",
                                       a->dry_run ? "Only shown:" : "Done, number:"),
            (long long)json_integer_value(json_object_get(out, "id")));
    print_prepared(cli, out);
    json_decref(out);
    return 0;
}

int
cmd_agency_merge(struct cli *cli, const void *options, char **args, int count)
{
    return run(cli, options, args, count, true);
}

int
cmd_person_transfer(struct cli *cli, const void *options, char **args, int count)
{
    return run(cli, options, args, count, false);
}

static an_code
prepare(struct cli *cli, const struct registry_args *a, const char *id, json_t *prepared, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    return an_registry_prepare(&d.desk, strtoll(id, NULL, 10), note_prepared, prepared, reterr);
}

int
cmd_agency_prepare(struct cli *cli, const void *options, char **args, int count)
{
    json_t *prepared = json_array(), *out = json_pack("{s:o}", "prepared", prepared);
    struct an_err err = {0};
    an_code code = prepare(cli, options, args[0], prepared, &err);

    (void)count;
    if (code != AN_OK || cli->json)
        return reg_done(cli, code, &err, out);
    print_prepared(cli, out);
    json_decref(out);
    return 0;
}

static an_code
undo(struct cli *cli, const struct registry_args *a, const char *id, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    return an_registry_undo(&d.desk, strtoll(id, NULL, 10), reterr);
}

int
cmd_agency_undo(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    an_code code = undo(cli, options, args[0], &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s}", "undone", args[0]));
}
