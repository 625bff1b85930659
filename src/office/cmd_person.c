/* antin person: adds, lists, shows (masked), changes, gives posts and roles. */
#include "office/registry_desk.h"

static an_code
take_options(struct reg_desk *d, const struct registry_args *a, struct an_person *person, struct an_err *reterr)
{
    const struct { const char *given; const char **member; } texts[] = {
        {a->name, &person->name}, {a->number, &person->number}, {a->identity, &person->identity}, {a->identity_place, &person->identity_place},
        {a->email, &person->email}, {a->phone, &person->phone},
    };
    const struct { const char *option, *given; an_time *member; } days[] = {
        {"born", a->born, &person->born}, {"identity-issued", a->identity_issued, &person->identity_issued}, {"since", a->since, &person->since},
        {"retires", a->retires, &person->retires},
    };

    for (size_t i = 0; i < AN_COUNT(texts); i++)
        if (texts[i].given != NULL)
            *texts[i].member = texts[i].given;
    for (size_t i = 0; i < AN_COUNT(days); i++)
        if (days[i].given != NULL)
            AN_TRY(reg_day(days[i].option, days[i].given, days[i].member, reterr));
    return a->agency ? reg_agency_id(d, a->agency, &person->agency, reterr) : AN_OK;
}

static an_code
add(struct cli *cli, const struct registry_args *a, json_t *out, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct an_person person = {.born = AN_TIME_NONE, .identity_issued = AN_TIME_NONE, .since = AN_TIME_NONE,
                               .retires = AN_TIME_NONE};
    char number[32];
    int64_t id = 0;

    AN_TRY(cli_need("name", a->name, reterr));
    AN_TRY(cli_need("agency", a->agency, reterr));
    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(take_options(&d, a, &person, reterr));
    AN_TRY(an_registry_add_person(&d.desk, &person, &id, number, reterr));
    json_object_set_new(out, "number", json_string(number));
    return AN_OK;
}

int
cmd_person_add(struct cli *cli, const void *options, char **args, int count)
{
    json_t *out = json_object();
    struct an_err err = {0};
    an_code code = add(cli, options, out, &err);

    (void)args, (void)count;
    return reg_done(cli, code, &err, out);
}

/* ---- one ---- */
struct story {
    struct reg_desk *d;
    int64_t person;
    json_t *posts, *duties;
};

static an_code
note_post(void *context, const struct an_post *post, struct an_err *reterr)
{
    struct story *story = context;

    (void)reterr;
    json_array_append_new(story->posts, json_pack("{s:s, s:s, s:s, s:b, s:s, s:o, s:o}", "title", post->title, "agency",
                                                  post->agency_name, "authority",
                                                  post->authority, "head", (int)post->is_head, "document",
                                                  post->document, "since",
                                                  reg_day_json(post->since), "until", reg_day_json(post->until)));
    return AN_OK;
}

static an_code
note_duty(void *context, const struct an_duty *duty, struct an_err *reterr)
{
    struct story *story = context;

    (void)reterr;
    json_array_append_new(story->duties, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "role", duty->role, "agency",
                                                   duty->agency_name, "basis", duty->basis,
                                                   "document", duty->document, "since", reg_day_json(duty->since),
                                                   "until", reg_day_json(duty->until)));
    return AN_OK;
}

static an_code
read_story(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct story *story = context;

    json_array_clear(story->posts);
    json_array_clear(story->duties);
    AN_TRY(an_post_each(tx, story->person, note_post, story, reterr));
    return an_duty_each(tx, story->person, note_duty, story, reterr);
}

static an_code
show(struct cli *cli, const struct registry_args *a, const char *number, json_t **ret, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct story story = {.d = &d};
    struct an_person person = {0};

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(an_registry_show_person(&d.desk, number, a->reveal, d.arena, &person, reterr));
    *ret = reg_person_json(&person);
    story.person = person.id;
    story.posts = json_array();
    story.duties = json_array();
    json_object_set_new(*ret, "posts", story.posts);
    json_object_set_new(*ret, "roles", story.duties);
    return an_store_read(d.instance->replica, read_story, &story, reterr);
}

int
cmd_person_show(struct cli *cli, const void *options, char **args, int count)
{
    json_t *out = NULL;
    struct an_err err = {0};
    an_code code = show(cli, options, args[0], &out, &err);

    (void)count;
    return reg_done(cli, code, &err, out);
}

struct loading {
    struct reg_desk *d;
    const char *number;
    struct an_person person;
};

static an_code
load(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct loading *loading = context;

    return an_person_find_number(tx, loading->number, loading->d->arena, &loading->person, reterr);
}

static an_code
edit(struct cli *cli, const struct registry_args *a, const char *number, json_t *out, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct loading loading = {.d = &d, .number = number};
    int64_t agency;

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(an_store_read(d.instance->store, load, &loading, reterr));
    agency = loading.person.agency;
    AN_TRY(take_options(&d, a, &loading.person, reterr));
    loading.person.agency = agency; /* moving is a transfer, with its document */
    AN_TRY(an_registry_edit_person(&d.desk, &loading.person, reterr));
    json_object_set_new(out, "number", json_string(number));
    return AN_OK;
}

int
cmd_person_edit(struct cli *cli, const void *options, char **args, int count)
{
    json_t *out = json_object();
    struct an_err err = {0};
    an_code code = edit(cli, options, args[0], out, &err);

    (void)count;
    return reg_done(cli, code, &err, out);
}

/* ---- posts, roles, leaving ---- */
static an_code
period(const struct registry_args *a, an_time now, an_time *since, an_time *until, struct an_err *reterr)
{
    AN_TRY(reg_day("since", a->since, since, reterr));
    AN_TRY(reg_day("until", a->until, until, reterr));
    if (*since == AN_TIME_NONE)
        *since = now;
    return AN_OK;
}

static an_code
give_post(struct cli *cli, const struct registry_args *a, const char *number, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct an_post post = {.title = a->title, .authority = a->authority, .is_head = a->head, .document = a->document};

    AN_TRY(cli_need("title", a->title, reterr));
    AN_TRY(cli_need("agency", a->agency, reterr));
    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(period(a, d.desk.at, &post.since, &post.until, reterr));
    AN_TRY(reg_person_id(&d, number, &post.person, reterr));
    AN_TRY(reg_agency_id(&d, a->agency, &post.agency, reterr));
    return an_registry_add_post(&d.desk, &post, reterr);
}

static an_code
end_post(struct cli *cli, const struct registry_args *a, const char *number, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    int64_t person = 0, agency = 0;
    an_time at;

    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(reg_day("on", a->on, &at, reterr));
    AN_TRY(reg_person_id(&d, number, &person, reterr));
    AN_TRY(reg_agency_id(&d, a->agency, &agency, reterr));
    return an_registry_end_post(&d.desk, person, agency, a->title, at == AN_TIME_NONE ? d.desk.at : at, reterr);
}

int
cmd_person_end_post(struct cli *cli, const void *options, char **args, int count)
{
    struct an_err err = {0};
    an_code code = end_post(cli, options, args[0], &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s, s:b}", "number", args[0], "ended", 1));
}

int
cmd_person_post(struct cli *cli, const void *options, char **args, int count)
{
    const struct registry_args *a = options;
    struct an_err err = {0};
    an_code code = give_post(cli, a, args[0], &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s, s:s}", "number", args[0], "title", a->title ? a->title : ""));
}

static an_code
give_role(struct cli *cli, const struct registry_args *a, const char *number, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    struct an_duty duty = {.role = a->role, .basis = a->basis ? a->basis : a->document ? "delegation" : "post",
                           .document = a->document};

    AN_TRY(cli_need("role", a->role, reterr));
    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(reg_person_id(&d, number, &duty.person, reterr));
    if (a->end)
        return an_registry_end_duty(&d.desk, duty.person, a->role, d.desk.at, reterr);
    AN_TRY(cli_need("agency", a->agency, reterr));
    AN_TRY(period(a, d.desk.at, &duty.since, &duty.until, reterr));
    AN_TRY(reg_agency_id(&d, a->agency, &duty.agency, reterr));
    return an_registry_add_duty(&d.desk, &duty, reterr);
}

int
cmd_person_role(struct cli *cli, const void *options, char **args, int count)
{
    const struct registry_args *a = options;
    struct an_err err = {0};
    an_code code = give_role(cli, a, args[0], &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s, s:s, s:b}", "number", args[0], "role", a->role ? a->role : "",
                                               "ended", (int)a->end));
}

static an_code
end_person(struct cli *cli, const struct registry_args *a, const char *number, struct an_err *reterr)
{
    AN_CLEANUP(reg_desk_done) struct reg_desk d = {0};
    int64_t person = 0;
    an_time at;

    AN_TRY(cli_need("state", a->state, reterr));
    AN_TRY(reg_desk_open(cli, a->dir, a->as, &d, reterr));
    AN_TRY(reg_day("on", a->on, &at, reterr));
    AN_TRY(reg_person_id(&d, number, &person, reterr));
    return an_registry_end_person(&d.desk, person, a->state, at == AN_TIME_NONE ? d.desk.at : at, reterr);
}

int
cmd_person_end(struct cli *cli, const void *options, char **args, int count)
{
    const struct registry_args *a = options;
    struct an_err err = {0};
    an_code code = end_person(cli, a, args[0], &err);

    (void)count;
    return reg_done(cli, code, &err, json_pack("{s:s, s:s}", "number", args[0], "state", a->state ? a->state : ""));
}

/* ---- many: masked ---- */
static an_code
add_row(void *context, const struct an_person *person, struct an_err *reterr)
{
    struct reg_rows *rows = context;
    struct an_person masked = *person;

    (void)reterr;
    an_person_mask(&masked, rows->d->arena);
    json_array_append_new(rows->rows, reg_person_json(&masked));
    return AN_OK;
}

static an_code
read_rows(struct reg_rows *rows, struct an_tx *tx, struct an_err *reterr)
{
    return an_person_list(tx, &rows->page, rows->d->arena, add_row, rows, &rows->cursor, reterr);
}

static void
print_row(FILE *out, const json_t *row)
{
    fprintf(out, "%-10s %s · %s · %s\n", reg_word(row, "number"), reg_word(row, "name"), reg_word(row, "agency"),
            reg_word(row, "email"));
}

int
cmd_person_list(struct cli *cli, const void *options, char **args, int count)
{
    static const struct reg_list list = {"people", "person.list", read_rows, print_row};
    const struct registry_args *a = options;
    const struct reg_ask ask = {a->dir, a->as, a->text, a->agency, a->cursor, a->limit, a};

    (void)args, (void)count;
    return reg_list(cli, &list, &ask);
}
