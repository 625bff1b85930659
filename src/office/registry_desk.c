#include "office/registry_desk.h"

#include <stdio.h>

an_code
reg_desk_open(struct cli *cli, const char *dir, const char *as, struct reg_desk *ret, struct an_err *reterr)
{
    struct reg_desk d = {.cli = cli};
    an_code code;

    if (dir == NULL)
        AN_FAIL(reterr, AN_E_CLI_REQUIRED, "--dir DIR");
    if (as == NULL)
        AN_FAIL(reterr, AN_E_CLI_REQUIRED, "--as PERSON[/ROLE]");
    AN_TRY(an_instance_open(dir, 0, &d.instance, reterr));
    d.arena = an_arena_new(0);
    d.desk = (struct an_desk){.instance = d.instance, .at = an_time_now()};
    code = an_registry_seat(d.instance, as, &d.desk, reterr);
    if (code != AN_OK) {
        reg_desk_done(&d);
        return code;
    }
    *ret = d;
    return AN_OK;
}

void
reg_desk_done(struct reg_desk *d)
{
    an_arena_free(&d->arena);
    an_instance_close(&d->instance);
}

an_code
reg_day(const char *option, const char *text, an_time *ret, struct an_err *reterr)
{
    *ret = AN_TIME_NONE;
    if (text == NULL || text[0] == '\0')
        return AN_OK;
    *ret = an_time_parse(an_bytes_of_str(text));
    if (*ret == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--%s %s", option, text);
    return AN_OK;
}

/* ---- output ---- */
static void
print_value(FILE *out, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING: fprintf(out, "%s", json_string_value(value)); break;
    case JSON_INTEGER: fprintf(out, "%lld", (long long)json_integer_value(value)); break;
    case JSON_TRUE: fprintf(out, "có"); break;
    case JSON_FALSE: fprintf(out, "không"); break;
    default: {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        fprintf(out, "%s", text ? text : "");
        free(text);
    }
    }
}

void
reg_print(struct cli *cli, json_t *object)
{
    const char *key;
    json_t *value;

    if (cli->json) {
        report_print_json(cli->out, object);
        return;
    }
    json_object_foreach(object, key, value)
    {
        if (json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0))
            continue;
        fprintf(cli->out, "%s: ", key);
        print_value(cli->out, value);
        fputc('\n', cli->out);
    }
    json_decref(object);
}

int
reg_done(struct cli *cli, an_code code, const struct an_err *err, json_t *object)
{
    if (code != AN_OK) {
        json_decref(object);
        return cli_fail(cli, err);
    }
    if (cli->quiet && !cli->json)
        json_decref(object);
    else
        reg_print(cli, object);
    return 0;
}

json_t *
reg_day_json(an_time at)
{
    char text[AN_TIME_TEXT_MAX];

    if (at == AN_TIME_NONE)
        return json_null();
    an_time_format_vn(at, text);
    return json_stringn(text, 10);
}

json_t *
reg_person_json(const struct an_person *p)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:s, s:s, s:s, s:s, s:o, s:o}", "number", p->number, "name",
                     p->name, "agency", p->agency_name,
                     "born", reg_day_json(p->born), "identity", p->identity, "identity_issued",
                     reg_day_json(p->identity_issued), "identity_place",
                     p->identity_place, "email", p->email, "phone", p->phone, "state", p->state, "until",
                     reg_day_json(p->until), "retires",
                     reg_day_json(p->retires));
}

json_t *
reg_agency_json(const struct an_agency *a)
{
    json_t *json = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id",
                             (json_int_t)a->id, "code", a->code, "name", a->name,
                             "superior", a->superior_name, "hierarchy", a->hierarchy, "address", a->address, "province",
                             a->province, "tax_code",
                             a->tax_code, "budget_code", a->budget_code, "email", a->email, "email_domain",
                             a->email_domain, "regulation",
                             a->regulation, "state", a->state);

    if (a->seal_um != 0)
        json_object_set_new(json, "seal_mm", json_real((double)a->seal_um / 1000.0));
    json_object_set_new(json, "seal_document", json_string(a->seal_document));
    json_object_set_new(json, "since", reg_day_json(a->since));
    json_object_set_new(json, "until", reg_day_json(a->until));
    if (a->successor != 0)
        json_object_set_new(json, "successor", json_integer(a->successor));
    return json;
}

json_t *
reg_subscriber_json(const struct an_subscriber *u)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "number", u->number, "kind", u->kind, "name",
                     u->name, "label", u->label, "agency",
                     u->agency_name, "person", u->person_number, "email", u->email, "state", u->state, "since",
                     reg_day_json(u->since), "until",
                     reg_day_json(u->until));
}

const char *
reg_word(const json_t *row, const char *key)
{
    const char *word = json_string_value(json_object_get(row, key));

    return word ? word : "";
}

/* ---- names to ids ---- */
struct naming {
    struct reg_desk *d;
    const char *name;
    int64_t id;
};

static an_code
find_agency(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct naming *naming = context;
    struct an_agency agency = {0};

    AN_TRY(an_agency_find_code(tx, naming->name, naming->d->arena, &agency, NULL, reterr));
    naming->id = agency.id;
    return AN_OK;
}

static an_code
find_person(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct naming *naming = context;
    struct an_person person = {0};

    AN_TRY(an_person_find_number(tx, naming->name, naming->d->arena, &person, reterr));
    naming->id = person.id;
    return AN_OK;
}

an_code
reg_agency_id(struct reg_desk *d, const char *code, int64_t *ret, struct an_err *reterr)
{
    struct naming naming = {d, code, 0};

    *ret = 0;
    if (code == NULL || code[0] == '\0')
        return AN_OK;
    AN_TRY(an_store_read(d->instance->store, find_agency, &naming, reterr));
    *ret = naming.id;
    return AN_OK;
}

an_code
reg_person_id(struct reg_desk *d, const char *number, int64_t *ret, struct an_err *reterr)
{
    struct naming naming = {d, number, 0};

    *ret = 0;
    if (number == NULL || number[0] == '\0')
        return AN_OK;
    AN_TRY(an_store_read(d->instance->store, find_person, &naming, reterr));
    *ret = naming.id;
    return AN_OK;
}

/* ---- a page of a register ---- */
struct paging {
    const struct reg_list *list;
    struct reg_rows rows;
};

static an_code
read_page(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct paging *paging = context;

    json_array_clear(paging->rows.rows);
    paging->rows.cursor = NULL;
    return paging->list->read(&paging->rows, tx, reterr);
}

static void
print_page(struct cli *cli, const struct paging *paging)
{
    const struct reg_rows *rows = &paging->rows;
    size_t i;
    json_t *row;

    if (cli->json) {
        reg_print(cli, json_pack("{s:O, s:s?}", paging->list->key, rows->rows, "next", rows->cursor));
        return;
    }
    json_array_foreach(rows->rows, i, row)
        paging->list->print(cli->out, row);
    if (rows->cursor != NULL)
        fprintf(cli->out, "%s --cursor '%s'\n", SAY(cli, "Còn nữa:", "More:"), rows->cursor);
}

static an_code
list_page(struct cli *cli, struct paging *paging, const struct reg_ask *ask, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct reg_rows *rows = &paging->rows;

    AN_TRY(reg_desk_open(cli, ask->dir, ask->as, &d, reterr));
    rows->d = &d;
    AN_TRY(reg_agency_id(&d, ask->agency, &rows->page.agency, reterr));
    if (paging->list->act != NULL)
        AN_TRY(an_registry_look(&d.desk, paging->list->act, &rows->page.agency, reterr));
    AN_TRY(an_store_read(d.instance->replica, read_page, paging, reterr));
    print_page(cli, paging);
    return AN_OK;
}

int
reg_list(struct cli *cli, const struct reg_list *list, const struct reg_ask *ask)
{
    struct paging paging = {.list = list, .rows = {.options = ask->options, .rows = json_array(),
                                                   .page = {.text = ask->text, .cursor = ask->cursor,
                                                   .limit = ask->limit > 0 ? (size_t)ask->limit : 0}}};
    struct an_err err = {0};
    an_code code = list_page(cli, &paging, ask, &err);

    json_decref(paging.rows.rows);
    return code == AN_OK ? 0 : cli_fail(cli, &err);
}
