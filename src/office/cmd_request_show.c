/* request list | show, notice list | show | run */
#include "office/actor.h"
#include "office/request_seat.h"

#include "base/limits.h"
#include "proc/json.h"

static char *
short_time(an_time at)
{
    char text[AN_TIME_TEXT_MAX];

    return an_asprintf("%.10s", an_time_format_vn(at, text));
}

/* ---- lists ---- */
struct listing {
    struct seat *seat;
    struct an_request_query query;
    struct an_request_sight sight;
    json_t *rows;
    size_t count;
    int64_t last; /* id of the last line */
    char *next; /* where a search by name or by deadline goes on */
};

static void
listing_done(struct listing *l)
{
    json_decref(l->rows);
    free(l->next);
}

static an_code
list_line(void *context, const struct an_request_line *line, struct an_err *reterr)
{
    struct listing *l = context;
    struct cli *cli = l->seat->cli;
    AN_CLEANUP(an_free_ptr) char *due = short_time(line->due_at);

    (void)reterr;
    l->count++;
    l->last = line->id;
    if (line->cursor != NULL) {
        free(l->next);
        l->next = an_strdup(line->cursor);
    }
    if (!an_request_sees(&l->sight, line))
        return AN_OK;
    if (cli->json)
        json_array_append_new(l->rows, json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:b}", "id",
                                                 (json_int_t)line->id, "kind",
                                                 an_request_kind_id(line->kind), "state",
                                                 an_request_state_id(line->state), "agency", line->agency, "addressee",
                                                 line->addressee, "number", line->number, "created",
                                                 seat_time(line->created_at), "received",
                                                 seat_time(line->received_at), "due", seat_time(line->due_at), "closed",
                                                 seat_time(line->closed_at), "urgent",
                                                 (int)line->urgent));
    if (cli->json)
        return AN_OK;
    fprintf(cli->out, "%-8lld ", (long long)line->id);
    cli_cell(cli->out, an_request_kind_name(line->kind, cli->english), 36);
    cli_cell(cli->out, an_request_state_name(line->state, cli->english), 26);
    fprintf(cli->out, "%-16s %-10s %-10s %s\n", line->agency, line->addressee, due, line->number);
    return AN_OK;
}

static an_code
list_work(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct listing *l = context;

    return an_request_each(tx, &l->query, list_line, l, reterr);
}

static an_code
read_query(const struct request_args *a, struct an_request_query *ret, struct an_err *reterr)
{
    *ret = (struct an_request_query){.agency = a->agency, .addressee = a->addressee, .subject = a->subject_one,
                                     .name = a->name, .after = a->after,
                                     .overdue_at = a->overdue ? an_time_now() : AN_TIME_NONE, .before = a->before,
                                     .limit = a->limit > 0 && a->limit < 10000 ? (size_t)a->limit : 50};
    if (a->state == NULL)
        return AN_OK;
    ret->state = an_request_state_find(a->state);
    if (ret->state == 0)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "--state %.40s", a->state);
    return AN_OK;
}

static void
say_list(struct listing *l)
{
    struct cli *cli = l->seat->cli;
    bool more = l->count > 0 && l->count == l->query.limit;
    const char *next = more ? l->next : NULL;

    if (cli->json)
        report_print_json(cli->out, json_pack("{s:O, s:s?}", "requests", l->rows, "next", next));
    else if (next != NULL)
        fprintf(cli->out, "--after \"%s\"\n", next);
    else if (more)
        fprintf(cli->out, "--before %lld\n", (long long)l->last);
}

int
cmd_request_list(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    AN_CLEANUP(listing_done) struct listing l = {.seat = &seat, .rows = json_array()};
    struct an_err err = {0};

    (void)args;
    (void)count;
    if (seat_open(cli, options, &seat, &err) != AN_OK || read_query(options, &l.query, &err) != AN_OK ||
        an_request_look(&seat.desk, &l.query, &l.sight, &err) != AN_OK ||
        an_store_read(seat.instance->replica, list_work, &l, &err) != AN_OK)
        return cli_fail(cli, &err);
    say_list(&l);
    return 0;
}

/* ---- one dossier ---- */
struct showing {
    struct seat *seat;
    int64_t id;
    struct an_arena *arena;
    struct an_dossier request;
    struct an_request_item *items;
    size_t count;
    json_t *content, *history;
};

static an_code
show_event(void *context, const struct an_request_event *event, struct an_err *reterr)
{
    struct showing *s = context;

    (void)reterr;
    json_array_append_new(s->history, json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "at", seat_time(event->at),
                                                "act", event->act, "actor", event->actor,
                                                "role", event->role, "from", an_request_state_id(event->from), "to",
                                                an_request_state_id(event->to),
                                                "citation", event->citation, "detail",
                                                report_text_json(an_bytes_of_str(event->detail))));
    return AN_OK;
}

static an_code
show_work(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct showing *s = context;

    AN_TRY(an_request_find(tx, s->id, s->arena, &s->request, reterr));
    AN_TRY(an_request_items(tx, s->id, s->arena, &s->items, &s->count, reterr));
    AN_TRY(an_json_parse(an_bytes_of_str(s->request.content), &s->content, reterr));
    return an_request_history(tx, s->id, show_event, s, reterr);
}

/* A cell of the item's row in the form. */
static const char *
row_text(const struct showing *s, size_t i, const char *key)
{
    const char *text = json_string_value(json_object_get(json_array_get(json_object_get(s->content, "rows"),
                                                                        (size_t)s->items[i].place - 1), key));

    return text ? text : "";
}

static json_t *
items_json(const struct showing *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->count; i++) {
        const struct an_request_item *item = &s->items[i];
        json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "item",
                                              (json_int_t)item->place, "state",
                                              an_item_state_name(item->state, true), "subject", item->subject, "name",
                                              item->name, "email", item->email,
                                              "certificate", item->certificate, "device", item->device, "ground",
                                              item->ground, "reason", item->reason,
                                              "result", item->result));
        json_t *added = json_array_get(list, i);
        json_object_set_new(added, "change_what", json_string(row_text(s, i, "what")));
        json_object_set_new(added, "change_to", json_string(row_text(s, i, "change_to")));
        json_object_set_new(added, "decided_by", json_string(item->decided_by));
        json_object_set_new(added, "decided", seat_time(item->decided_at));
    }
    return list;
}

static void
print_show_json(struct cli *cli, struct showing *s)
{
    const struct an_dossier *r = &s->request;
    json_t *root = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:s}", "id",
                             (json_int_t)r->id, "kind", an_request_kind_id(r->kind), "state",
                             an_request_state_id(r->state), "state_vi", an_request_state_name(r->state, false),
                             "regulation", r->regulation, "agency", r->agency,
                             "addressee", r->addressee, "form", r->form, "number", r->number, "device_kind",
                             r->device_kind, "round", (json_int_t)r->round,
                             "urgent", (int)r->urgent, "reason", r->reason);

    json_object_set_new(root, "digest", report_hex_json(AN_BYTES(r->digest, 32)));
    json_object_set_new(root, "document", r->has_document ? report_hex_json(AN_BYTES(r->document, 32)) : json_null());
    json_object_set_new(root, "sent", seat_time(r->sent_at));
    json_object_set_new(root, "received", seat_time(r->received_at));
    json_object_set_new(root, "valid", seat_time(r->valid_at));
    json_object_set_new(root, "due", seat_time(r->due_at));
    json_object_set_new(root, "closed", seat_time(r->closed_at));
    json_object_set_new(root, "items", items_json(s));
    json_object_set(root, "history", s->history);
    report_print_json(cli->out, root);
}

/* What lies before who decides: whose, by which certificate and device, what changes to what, why it is withdrawn. */
static void
print_item(struct cli *cli, const struct showing *s, size_t i)
{
    const struct an_request_item *item = &s->items[i];
    const char *what = row_text(s, i, "what");
    const struct { const char *vi, *en, *text; } cells[] = {
        {"chứng thư", "certificate", item->certificate}, {"thiết bị", "device", item->device}, {"thay đổi", "changes", what},
        {"thành", "to", what[0] ? row_text(s, i, "change_to") : ""}, {"lý do", "ground", item->ground}, {"kết quả", "result", item->result},
        {"người quyết định", "decided by", item->decided_by}, {"ghi chú", "note", item->reason}};

    fprintf(cli->out, "  %lld. %s  %s <%s>  %s", (long long)item->place, item->subject, item->name, item->email,
            an_item_state_name(item->state, cli->english));
    for (size_t k = 0; k < AN_COUNT(cells); k++)
        if (cells[k].text[0] != '\0')
            fprintf(cli->out, "%s%s: %s", k ? "; " : "  ", SAY(cli, cells[k].vi, cells[k].en), cells[k].text);
    fputc('\n', cli->out);
}

static void
print_show(struct cli *cli, struct showing *s)
{
    const struct an_dossier *r = &s->request;
    AN_CLEANUP(an_free_ptr) char *due = short_time(r->due_at);
    AN_CLEANUP(an_free_ptr) char *form = seat_citation(cli, r->form_citation);
    size_t at;
    json_t *event;

    fprintf(cli->out, "request:%lld  %s  %s\n%s → %s  %s  %s%s\n%s\n", (long long)r->id,
            an_request_kind_name(r->kind, cli->english),
            an_request_state_name(r->state, cli->english), r->agency, r->addressee, r->number,
            due[0] ? SAY(cli, "hạn trước ", "due before ") : "", due, form);
    if (r->reason[0] != '\0')
        fprintf(cli->out, "%s\n", r->reason);
    for (size_t i = 0; i < s->count; i++)
        print_item(cli, s, i);
    json_array_foreach(s->history, at, event)
        fprintf(cli->out, "  %s  %-22s %s/%s  %s%s%s\n", json_string_value(json_object_get(event, "at")),
                json_string_value(json_object_get(event, "act")),
                json_string_value(json_object_get(event, "actor")), json_string_value(json_object_get(event, "role")),
                json_string_value(json_object_get(event, "citation")),
                json_string_length(json_object_get(event, "detail")) ? "  · " : "",
                json_string_value(json_object_get(event, "detail")));
}

int
cmd_request_show(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REQUEST_ARENA);
    struct showing s = {.seat = &seat, .arena = arena, .history = json_array()};
    struct an_err err = {0};
    an_code code = seat_number(args[0], &s.id, &err);

    (void)count;
    if (code == AN_OK)
        code = seat_open(cli, options, &seat, &err);
    if (code == AN_OK)
        code = an_request_look_at(&seat.desk, s.id, &err);
    if (code == AN_OK)
        code = an_store_read(seat.instance->replica, show_work, &s, &err);
    if (code == AN_OK && cli->json)
        print_show_json(cli, &s);
    else if (code == AN_OK)
        print_show(cli, &s);
    json_decref(s.content);
    json_decref(s.history);
    return code != AN_OK ? cli_fail(cli, &err) : 0;
}

/* ---- notices ---- */
struct noticing {
    struct seat *seat;
    const char *about;
    struct an_notice_sight sight;
    int64_t id, before;
    size_t limit;
    json_t *rows;
};

static json_t *
notice_json(const struct an_notice_line *line)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:I, s:o, s:o, s:s}", "id", (json_int_t)line->id,
                     "kind", line->kind, "about", line->about,
                     "role", line->to_role, "to", line->to_name, "address", line->address, "subject", line->subject,
                     "created", seat_time(line->created_at),
                     "letter", an_letter_state_name(line->letter, true), "tries", (json_int_t)line->tries, "next",
                     seat_time(line->next_at), "sent",
                     seat_time(line->sent_at), "error", line->error);
}

static an_code
notice_line(void *context, const struct an_notice_line *line, struct an_err *reterr)
{
    struct noticing *n = context;
    struct cli *cli = n->seat->cli;

    (void)reterr;
    if (!an_notice_sees(&n->sight, line))
        return AN_OK;
    if (cli->json)
        json_array_append_new(n->rows, notice_json(line));
    if (cli->json)
        return AN_OK;
    fprintf(cli->out, "%-6lld %-22s %-18s %-30s ", (long long)line->id, line->kind, line->about,
            line->address[0] ? line->address : line->to_role);
    cli_cell(cli->out, an_letter_state_name(line->letter, cli->english), 15);
    fprintf(cli->out, "%s\n", line->subject);
    return AN_OK;
}

static an_code
notice_whole(void *context, const struct an_notice_line *line, struct an_err *reterr)
{
    struct noticing *n = context;
    struct cli *cli = n->seat->cli;

    if (!an_notice_sees(&n->sight, line))
        AN_FAIL(reterr, AN_E_REGISTRY_PERSONAL, "%s: notice.show", n->seat->desk.role);
    if (!cli->json) {
        fprintf(cli->out, "%s → %s <%s> (%s)\n%s\n\n%s\n", line->kind, line->to_name, line->address,
                an_letter_state_name(line->letter, cli->english),
                line->subject, line->body);
        return AN_OK;
    }
    json_t *row = notice_json(line);
    json_object_set_new(row, "body", report_text_json(an_bytes_of_str(line->body)));
    json_object_set_new(row, "citation", json_string(line->citation));
    json_object_set_new(row, "message_id", json_string(line->message_id));
    json_object_set_new(row, "document", line->has_document ? report_hex_json(AN_BYTES(line->document, 32))
                        : json_null());
    json_array_append_new(n->rows, row);
    return AN_OK;
}

static an_code
notice_work(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct noticing *n = context;

    if (n->id != 0)
        return an_notice_find(tx, n->id, notice_whole, n, reterr);
    return an_notice_each(tx, n->about, n->before, n->limit, notice_line, n, reterr);
}

static int
run_notices(struct cli *cli, const struct request_args *a, const char *id)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    struct noticing n = {.seat = &seat, .about = a->about, .before = a->before, .limit = a->limit > 0 ? (size_t)a->limit
                         : 50, .rows = json_array()};
    struct an_err err = {0};
    an_code code = id ? seat_number(id, &n.id, &err) : AN_OK;

    if (code == AN_OK)
        code = seat_open(cli, a, &seat, &err);
    if (code == AN_OK)
        code = an_notice_look(&seat.desk, &n.sight, &err);
    if (code == AN_OK)
        code = an_store_read(seat.instance->replica, notice_work, &n, &err);
    if (code == AN_OK && cli->json)
        report_print_json(cli->out, json_pack("{s:O}", "notices", n.rows));
    json_decref(n.rows);
    return code != AN_OK ? cli_fail(cli, &err) : 0;
}

int
cmd_notice_list(struct cli *cli, const void *options, char **args, int count)
{
    (void)args;
    (void)count;
    return run_notices(cli, options, NULL);
}

int
cmd_notice_show(struct cli *cli, const void *options, char **args, int count)
{
    (void)count;
    return run_notices(cli, options, args[0]);
}

/* Without a person it is the timer of the machine, in the name of the user it runs as. */
static an_code
open_runner(struct cli *cli, const struct request_args *a, struct seat *seat, struct an_err *reterr)
{
    struct office_actor who;
    struct an_actor actor;

    if (a->as != NULL && strcmp(a->as, "system") != 0)
        return seat_open(cli, a, seat, reterr);
    AN_TRY(seat_open_instance(cli, a, seat, reterr));
    AN_TRY(office_actor_of(a->as, "he-thong", &who, &actor, reterr));
    seat->desk = (struct an_desk){.instance = seat->instance, .at = an_time_now()};
    snprintf(seat->desk.number, sizeof(seat->desk.number), "%.31s", actor.id);
    snprintf(seat->desk.role, sizeof(seat->desk.role), "%.39s", actor.role);
    return AN_OK;
}

int
cmd_notice_run(struct cli *cli, const void *options, char **args, int count)
{
    AN_CLEANUP(seat_close) struct seat seat = {0};
    struct an_notice_ran ran = {0};
    struct an_err err = {0};

    (void)args;
    (void)count;
    if (open_runner(cli, options, &seat, &err) != AN_OK || an_notice_run(&seat.desk, &ran, &err) != AN_OK)
        return cli_fail(cli, &err);
    if (cli->json)
        report_print_json(cli->out, json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "reminders", (json_int_t)ran.reminders,
                                              "overdue", (json_int_t)ran.overdue, "expired",
                                              (json_int_t)ran.expired, "sent", (json_int_t)ran.sent, "refused",
                                              (json_int_t)ran.refused, "later", (json_int_t)ran.later));
    else if (!cli->quiet)
        fprintf(cli->out,
                SAY(cli, "nhắc hạn %zu, quá hạn %zu, chứng thư hết hạn %lld; thư: đã gửi %zu, bị từ chối %zu, gửi lại sau %zu\n",
                              "reminders %zu, overdue %zu, expired certificates %lld; letters: sent %zu, refused %zu, to be sent later %zu\n"),
                ran.reminders, ran.overdue, (long long)ran.expired, ran.sent, ran.refused, ran.later);
    return 0;
}
