/* antin device: the register of devices and the tokens themselves. */
#include "office/device_cmd.h"
#include "office/registry_desk.h"
#include "service/registration/device.h"

static json_t *
device_json(const struct an_device *d)
{
    const struct an_device_state *state = an_device_state_find(d->state);

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "number", d->number,
                     "kind", d->kind, "model", d->model,
                     "state", d->state, "state_vi", state ? state->vi : "", "holder_kind", d->holder_kind, "holder",
                     d->holder_name, "subscriber",
                     d->subscriber_number, "subscriber_name", d->subscriber_name, "place", d->place, "carrier",
                     d->carrier, "phone", d->phone, "account",
                     d->account, "uri", d->uri, "note", d->note);
}

/* ---- one ---- */
struct one {
    struct reg_desk *d;
    const char *number, *subscriber;
    struct an_device device;
    int64_t subscriber_id;
    json_t *custody, *events, *certs;
};

static an_code
find_one(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct one *one = context;
    struct an_subscriber subscriber = {0};

    if (one->number != NULL)
        AN_TRY(an_device_find_number(tx, one->number, one->d->arena, &one->device, reterr));
    if (one->subscriber != NULL && one->subscriber[0] != '\0')
        AN_TRY(an_subscriber_find_number(tx, one->subscriber, one->d->arena, &subscriber, reterr));
    one->subscriber_id = subscriber.id;
    return AN_OK;
}

static an_code
note_link(void *context, const struct an_custody *link, struct an_err *reterr)
{
    (void)reterr;
    json_array_append_new(context, json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "from", link->giver_kind,
                                             "from_name", link->giver_name, "to",
                                             link->taker_kind, "to_name", link->taker_name, "at",
                                             report_time_json(link->at), "way", link->way, "record",
                                             link->record_number));
    return AN_OK;
}

static an_code
note_event(void *context, const struct an_device_event *event, struct an_err *reterr)
{
    (void)reterr;
    json_array_append_new(context, json_pack("{s:s, s:s, s:o, s:s, s:s}", "from", event->state_from, "to",
                                             event->state_to, "at",
                                             report_time_json(event->at), "actor", event->actor, "reason",
                                             event->reason));
    return AN_OK;
}

static an_code
note_cert(void *context, const struct an_subscriber_cert *cert, struct an_err *reterr)
{
    (void)reterr;
    json_array_append_new(context, json_string(cert->serial));
    return AN_OK;
}

static an_code
read_story(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct one *one = context;

    AN_TRY(find_one(one, tx, reterr));
    json_array_clear(one->custody);
    json_array_clear(one->events);
    json_array_clear(one->certs);
    AN_TRY(an_custody_each(tx, one->device.id, note_link, one->custody, reterr));
    AN_TRY(an_device_events(tx, one->device.id, note_event, one->events, reterr));
    return an_subscriber_certs(tx, 0, one->device.id, note_cert, one->certs, reterr);
}

static an_code
show(struct cli *cli, const struct device_args *a, const char *number, json_t **ret, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct one one = {.d = &d, .number = number, .custody = json_array(), .events = json_array(),
                      .certs = json_array()};
    an_code code = reg_desk_open(cli, a->dir, a->as, &d, reterr);

    if (code == AN_OK)
        code = an_service_device_look(&d.desk, number, reterr);
    if (code == AN_OK)
        code = an_store_read(d.instance->replica, read_story, &one, reterr);
    if (code == AN_OK) {
        *ret = device_json(&one.device);
        json_object_set(*ret, "certificates", one.certs);
        json_object_set(*ret, "custody", one.custody);
        json_object_set(*ret, "events", one.events);
    }
    json_decref(one.custody);
    json_decref(one.events);
    json_decref(one.certs);
    return code;
}

int
cmd_device_show(struct cli *cli, const void *options, char **args, int count)
{
    json_t *out = NULL;
    struct an_err err = {0};
    an_code code = show(cli, options, args[0], &out, &err);

    (void)count;
    return reg_done(cli, code, &err, out);
}

static an_code
add(struct cli *cli, const struct device_args *a, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct one one = {.d = &d, .subscriber = a->subscriber};
    struct an_device device = {.kind = a->kind ? a->kind : "pki-token", .number = a->number, .model = a->model,
                               .uri = a->uri, .carrier = a->carrier,
                               .phone = a->phone, .account = a->account, .place = a->place, .note = a->note};
    int64_t id = 0;

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(an_store_read(d.instance->store, find_one, &one, reterr));
    device.subscriber = one.subscriber_id;
    return an_service_device_add(&d.desk, &device, &id, reterr);
}

int
cmd_device_add(struct cli *cli, const void *options, char **args, int count)
{
    const struct device_args *a = options;
    struct an_err err = {0};
    an_code code = add(cli, a, &err);

    (void)args, (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s}", "number", a->number ? a->number : ""));
}

static an_code
edit(struct cli *cli, const struct device_args *a, const char *number, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct one one = {.d = &d, .number = number, .subscriber = a->subscriber};
    const struct { const char *given; const char **member; } texts[] = {
        {a->model, &one.device.model}, {a->uri, &one.device.uri}, {a->carrier, &one.device.carrier}, {a->phone, &one.device.phone},
        {a->account, &one.device.account},
        {a->place, &one.device.place}, {a->note, &one.device.note},
    };

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(an_store_read(d.instance->store, find_one, &one, reterr));
    for (size_t i = 0; i < AN_COUNT(texts); i++)
        if (texts[i].given != NULL)
            *texts[i].member = texts[i].given;
    if (a->subscriber != NULL)
        one.device.subscriber = one.subscriber_id;
    return an_service_device_edit(&d.desk, &one.device, reterr);
}

int
cmd_device_edit(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    an_code code = edit(cli, options, args[0], &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s}", "number", args[0]));
}

static an_code
change_state(struct cli *cli, const struct device_args *a, const char *number, const char *state, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    return an_service_device_state(&d.desk, number, state, a->reason ? a->reason : "", reterr);
}

int
cmd_device_state(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    an_code code = change_state(cli, options, args[0], args[1], &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s, s:s}", "number", args[0], "state", args[1]));
}

/* ---- many ---- */
static an_code
add_row(void *context, const struct an_device *device, struct an_err *reterr)
{
    struct reg_rows *rows = context;

    (void)reterr;
    json_array_append_new(rows->rows, device_json(device));
    rows->cursor = an_arena_str(rows->d->arena, an_bytes_of_str(device->number));
    return AN_OK;
}

/* "CB000001" = a person; "agency:H53.6"; "cuc". */
static an_code
read_holder(struct reg_rows *rows, struct an_tx *tx, const char *holder, struct an_device_page *page,
            struct an_err *reterr)
{
    struct an_agency agency = {0};
    struct an_person person = {0};

    if (strcmp(holder, "cuc") == 0 || strcmp(holder, "buu-chinh") == 0) {
        page->holder_kind = holder;
        return AN_OK;
    }
    if (strncmp(holder, "agency:", 7) == 0) {
        AN_TRY(an_agency_find_code(tx, holder + 7, rows->d->arena, &agency, NULL, reterr));
        page->holder_kind = "agency";
        page->holder = agency.id;
        return AN_OK;
    }
    AN_TRY(an_person_find_number(tx, holder, rows->d->arena, &person, reterr));
    page->holder_kind = "person";
    page->holder = person.id;
    return AN_OK;
}

static an_code
read_rows(struct reg_rows *rows, struct an_tx *tx, struct an_err *reterr)
{
    const struct device_args *a = rows->options;
    struct an_device_page page = {.state = a->state, .after = rows->page.cursor, .limit = rows->page.limit,
                                  .agency = rows->page.agency};
    struct an_subscriber subscriber = {0};

    if (a->subscriber != NULL)
        AN_TRY(an_subscriber_find_number(tx, a->subscriber, rows->d->arena, &subscriber, reterr));
    page.subscriber = subscriber.id;
    if (a->holder != NULL)
        AN_TRY(read_holder(rows, tx, a->holder, &page, reterr));
    AN_TRY(an_device_list(tx, &page, add_row, rows, reterr));
    if (json_array_size(rows->rows) < (page.limit ? page.limit : 50))
        rows->cursor = NULL;
    return AN_OK;
}

static void
print_row(FILE *out, const json_t *row)
{
    fprintf(out, "%-20s %-10s ", reg_word(row, "number"), reg_word(row, "kind"));
    cli_cell(out, reg_word(row, "state_vi"), 15);
    fprintf(out, "%s %s\n", reg_word(row, "holder_kind"), reg_word(row, "holder"));
}

int
cmd_device_list(struct cli *cli, const void *options, char **args, int count)
{
    static const struct reg_list list = {"devices", "device.list", read_rows, print_row};
    const struct device_args *a = options;
    const struct reg_ask ask = {a->dir, a->as, NULL, a->agency, a->cursor, a->limit, a};

    (void)args, (void)count;
    return reg_list(cli, &list, &ask);
}

/* ---- the tokens ---- */
static an_code
prepare(struct cli *cli, const struct device_args *a, const char *uri, json_t *out, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    char number[64];
    int64_t id = 0;

    AN_TRY(cli_need("model", a->model, reterr));
    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(an_service_device_prepare(&d.desk, uri, a->model, &id, number, reterr));
    json_object_set_new(out, "number", json_string(number));
    return AN_OK;
}

int
cmd_device_prepare(struct cli *cli, const void *options, char **args, int count)
{
    json_t *out = json_object();
    struct an_err err = {0};
    an_code code = prepare(cli, options, args[0], out, &err);

    (void)count;
    return reg_done(cli, code, &err, out);
}

static struct an_pin_source
pin_source(const char *file)
{
    return file ? an_pin_from_file(file) : an_pin_from_terminal();
}

static an_code
restore(struct cli *cli, const struct device_args *a, const char *number, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    AN_CLEANUP(an_secret_free) struct an_secret *pin = NULL;
    struct an_pin_source fresh = pin_source(a->new_pin_file), so = {0};

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(fresh.ask(fresh.context, SAY(cli, "mã PIN mới", "new PIN"), AN_PIN_OK, &pin, reterr));
    if (a->so_pin_file != NULL)
        so = an_pin_from_file(a->so_pin_file);
    return an_service_device_restore(&d.desk, number, pin, so, reterr);
}

int
cmd_device_restore(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    an_code code = restore(cli, options, args[0], &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s, s:s}", "number", args[0], "state", "dang-dung"));
}

static an_code
wipe(struct cli *cli, const struct device_args *a, const char *number, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct an_pin_source so = {0};

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    if (a->so_pin_file != NULL)
        so = an_pin_from_file(a->so_pin_file);
    return an_service_device_wipe(&d.desk, number, so, reterr);
}

int
cmd_device_wipe(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    an_code code = wipe(cli, options, args[0], &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s, s:s}", "number", args[0], "state", "chua-dung"));
}
