/* antin agency: adds, lists, shows, changes. */
#include "office/registry_desk.h"

#include <math.h>

/* What the options say, over what is there. */
static an_code
take_options(struct reg_desk *d, const struct registry_args *a, struct an_agency *agency, struct an_err *reterr)
{
    const struct { const char *given; const char **member; } texts[] = {
        {a->name, &agency->name}, {a->hierarchy, &agency->hierarchy}, {a->address, &agency->address}, {a->province, &agency->province},
        {a->tax_code, &agency->tax_code}, {a->budget_code, &agency->budget_code}, {a->email, &agency->email}, {a->email_domain, &agency->email_domain},
        {a->regulation, &agency->regulation}, {a->seal_document, &agency->seal_document},
    };

    for (size_t i = 0; i < AN_COUNT(texts); i++)
        if (texts[i].given != NULL)
            *texts[i].member = texts[i].given;
    if (a->seal_mm != 0)
        agency->seal_um = (int64_t)llround(a->seal_mm * 1000);
    if (a->superior != NULL)
        AN_TRY(reg_agency_id(d, a->superior, &agency->superior, reterr));
    if (a->since != NULL)
        AN_TRY(reg_day("since", a->since, &agency->since, reterr));
    return AN_OK;
}

static an_code
add(struct cli *cli, const struct registry_args *a, json_t *out, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct an_agency agency = {.code = a->code, .hierarchy = "state", .since = AN_TIME_NONE};
    int64_t id = 0;

    AN_TRY(cli_need("name", a->name, reterr));
    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(take_options(&d, a, &agency, reterr));
    AN_TRY(an_registry_add_agency(&d.desk, &agency, &id, reterr));
    json_object_set_new(out, "id", json_integer(id));
    json_object_set_new(out, "code", json_string(a->code ? a->code : ""));
    return AN_OK;
}

int
cmd_agency_add(struct cli *cli, const void *options, char **args, int count)
{
    json_t *out = json_object();
    struct an_err err = {0};
    an_code code = add(cli, options, out, &err);

    (void)args, (void)count;
    return reg_done(cli, code, &err, out);
}

/* ---- one ---- */
struct one {
    struct reg_desk *d;
    const char *code;
    struct an_agency agency;
    bool is_closed;
};

static an_code
find_one(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct one *one = context;

    return an_agency_find_code(tx, one->code, one->d->arena, &one->agency, &one->is_closed, reterr);
}

static an_code
show(struct cli *cli, const struct registry_args *a, const char *code, json_t **ret, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct one one = {.d = &d, .code = code};

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(an_store_read(d.instance->replica, find_one, &one, reterr));
    *ret = reg_agency_json(&one.agency);
    if (one.is_closed)
        json_object_set_new(*ret, "asked_by_closed_code", json_true());
    return AN_OK;
}

int
cmd_agency_show(struct cli *cli, const void *options, char **args, int count)
{
    json_t *out = NULL;
    struct an_err err = {0};
    an_code code = show(cli, options, args[0], &out, &err);

    (void)count;
    return reg_done(cli, code, &err, out);
}

static an_code
edit(struct cli *cli, const struct registry_args *a, const char *code, json_t **ret, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct one one = {.d = &d, .code = code};

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(an_store_read(d.instance->store, find_one, &one, reterr));
    AN_TRY(take_options(&d, a, &one.agency, reterr));
    AN_TRY(an_registry_edit_agency(&d.desk, &one.agency, reterr));
    *ret = reg_agency_json(&one.agency);
    return AN_OK;
}

int
cmd_agency_edit(struct cli *cli, const void *options, char **args, int count)
{
    json_t *out = NULL;
    struct an_err err = {0};
    an_code code = edit(cli, options, args[0], &out, &err);

    (void)count;
    return reg_done(cli, code, &err, out);
}

static an_code
new_code(struct cli *cli, const struct registry_args *a, const char *code, const char *next, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    int64_t id = 0;

    AN_TRY(cli_need("document", a->document, reterr));
    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(reg_agency_id(&d, code, &id, reterr));
    return an_registry_change_code(&d.desk, id, next, a->document, reterr);
}

int
cmd_agency_code(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    an_code code = new_code(cli, options, args[0], args[1], &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s, s:s}", "closed", args[0], "code", args[1]));
}

/* ---- many ---- */
static an_code
add_row(void *context, const struct an_agency *agency, struct an_err *reterr)
{
    (void)reterr;
    json_array_append_new(((struct reg_rows *)context)->rows, reg_agency_json(agency));
    return AN_OK;
}

static an_code
read_rows(struct reg_rows *rows, struct an_tx *tx, struct an_err *reterr)
{
    return an_agency_list(tx, &rows->page, rows->d->arena, add_row, rows, &rows->cursor, reterr);
}

static void
print_row(FILE *out, const json_t *row)
{
    const char *superior = reg_word(row, "superior");

    fprintf(out, "%-14s %s%s%s\n", reg_word(row, "code"), reg_word(row, "name"), superior[0] ? " · " : "", superior);
}

int
cmd_agency_list(struct cli *cli, const void *options, char **args, int count)
{
    static const struct reg_list list = {"agencies", NULL, read_rows, print_row};
    const struct registry_args *a = options;
    const struct reg_ask ask = {a->dir, a->as, a->text, a->superior, a->cursor, a->limit, a};

    (void)args, (void)count;
    return reg_list(cli, &list, &ask);
}
