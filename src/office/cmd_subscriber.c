/* antin subscriber: adds, lists, shows, changes, ends. */
#include "office/registry_desk.h"

static an_code
add(struct cli *cli, const struct registry_args *a, json_t *out, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct an_subscriber subscriber = {.kind = a->kind ? a->kind : a->person ? "person" : "agency", .name = a->name,
                                       .label = a->label, .email = a->email};
    char number[32];
    int64_t id = 0;

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    subscriber.since = d.desk.at;
    if (a->person == NULL)
        AN_TRY(cli_need("agency", a->agency, reterr));
    AN_TRY(reg_agency_id(&d, a->agency, &subscriber.agency, reterr));
    AN_TRY(reg_person_id(&d, a->person, &subscriber.person, reterr));
    AN_TRY(reg_person_id(&d, a->manager, &subscriber.manager, reterr));
    AN_TRY(an_registry_add_subscriber(&d.desk, &subscriber, &id, number, reterr));
    json_object_set_new(out, "number", json_string(number));
    return AN_OK;
}

int
cmd_subscriber_add(struct cli *cli, const void *options, char **args, int count)
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
    const char *number;
    struct an_subscriber subscriber;
    json_t *certs;
};

static an_code
note_cert(void *context, const struct an_subscriber_cert *cert, struct an_err *reterr)
{
    struct one *one = context;

    (void)reterr;
    json_array_append_new(one->certs, json_pack("{s:s, s:o}", "serial", cert->serial, "since",
                                                reg_day_json(cert->since)));
    return AN_OK;
}

static an_code
find_one(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct one *one = context;

    json_array_clear(one->certs);
    AN_TRY(an_subscriber_find_number(tx, one->number, one->d->arena, &one->subscriber, reterr));
    return an_subscriber_certs(tx, one->subscriber.id, 0, note_cert, one, reterr);
}

static an_code
permit(const struct one *one, struct an_err *reterr)
{
    const struct an_subscriber *u = &one->subscriber;
    char object[64];

    snprintf(object, sizeof(object), "subscriber:%s", u->number);
    return an_registry_look_at(&one->d->desk, "subscriber.show", object, u->agency, u->person ? u->person : u->manager,
                               reterr);
}

static an_code
show(struct cli *cli, const struct registry_args *a, const char *number, json_t **ret, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct one one = {.d = &d, .number = number, .certs = json_array()};
    an_code code = reg_desk_open(cli, a->dir, a->as, &d, reterr);

    if (code == AN_OK)
        code = an_store_read(d.instance->replica, find_one, &one, reterr);
    if (code == AN_OK)
        code = permit(&one, reterr);
    if (code == AN_OK) {
        *ret = reg_subscriber_json(&one.subscriber);
        json_object_set(*ret, "certificates", one.certs);
    }
    json_decref(one.certs);
    return code;
}

int
cmd_subscriber_show(struct cli *cli, const void *options, char **args, int count)
{
    json_t *out = NULL;
    struct an_err err = {0};
    an_code code = show(cli, options, args[0], &out, &err);

    (void)count;
    return reg_done(cli, code, &err, out);
}

static an_code
edit(struct cli *cli, const struct registry_args *a, const char *number, bool ends, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct one one = {.d = &d, .number = number, .certs = json_array()};
    an_code code = reg_desk_open(cli, a->dir, a->as, &d, reterr);

    if (code == AN_OK)
        code = an_store_read(d.instance->store, find_one, &one, reterr);
    json_decref(one.certs);
    if (code != AN_OK)
        return code;
    if (ends)
        return an_registry_end_subscriber(&d.desk, one.subscriber.id, d.desk.at, reterr);
    one.subscriber.name = a->name ? a->name : one.subscriber.name;
    one.subscriber.label = a->label ? a->label : one.subscriber.label;
    one.subscriber.email = a->email ? a->email : one.subscriber.email;
    if (a->manager != NULL)
        AN_TRY(reg_person_id(&d, a->manager, &one.subscriber.manager, reterr));
    return an_registry_edit_subscriber(&d.desk, &one.subscriber, reterr);
}

int
cmd_subscriber_edit(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    an_code code = edit(cli, options, args[0], false, &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s}", "number", args[0]));
}

int
cmd_subscriber_end(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    an_code code = edit(cli, options, args[0], true, &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s, s:s}", "number", args[0], "state", "ended"));
}

/* ---- many ---- */
static an_code
add_row(void *context, const struct an_subscriber *subscriber, struct an_err *reterr)
{
    (void)reterr;
    json_array_append_new(((struct reg_rows *)context)->rows, reg_subscriber_json(subscriber));
    return AN_OK;
}

static an_code
read_rows(struct reg_rows *rows, struct an_tx *tx, struct an_err *reterr)
{
    return an_subscriber_list(tx, &rows->page, rows->d->arena, add_row, rows, &rows->cursor, reterr);
}

static void
print_row(FILE *out, const json_t *row)
{
    fprintf(out, "%-10s %-24s %s · %s\n", reg_word(row, "number"), reg_word(row, "kind"), reg_word(row, "name"),
            reg_word(row, "agency"));
}

int
cmd_subscriber_list(struct cli *cli, const void *options, char **args, int count)
{
    static const struct reg_list list = {"subscribers", "subscriber.list", read_rows, print_row};
    const struct registry_args *a = options;
    const struct reg_ask ask = {a->dir, a->as, a->text, a->agency, a->cursor, a->limit, a};

    (void)args, (void)count;
    return reg_list(cli, &list, &ask);
}
