/* Acts on agencies, people and subscribers. */
#include "service/registration/registry.h"

#include <stdio.h>

/* ---- agencies ---- */
struct agency_act {
    const struct an_agency *agency;
    int64_t id;
    const char *code, *basis;
};

static an_code
add_agency(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    struct agency_act *in = act->context;

    snprintf(act->object, sizeof(act->object), "agency:%s", in->agency->code ? in->agency->code : "");
    AN_TRY(an_registry_require(tx, act->desk, "agency.add", in->agency->superior, reterr));
    AN_TRY(an_agency_add(tx, in->agency, &in->id, reterr));
    snprintf(act->object, sizeof(act->object), "agency:#%lld", (long long)in->id);
    return AN_OK;
}

static an_code
edit_agency(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct agency_act *in = act->context;

    snprintf(act->object, sizeof(act->object), "agency:#%lld", (long long)in->agency->id);
    AN_TRY(an_registry_require(tx, act->desk, "agency.edit", in->agency->id, reterr));
    return an_agency_edit(tx, in->agency, reterr);
}

static an_code
change_code(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct agency_act *in = act->context;

    snprintf(act->object, sizeof(act->object), "agency:#%lld", (long long)in->id);
    snprintf(act->citation, sizeof(act->citation), "qd-20-2020/4");
    AN_TRY(an_registry_require(tx, act->desk, "agency.code", in->id, reterr));
    return an_agency_change_code(tx, in->id, in->code, in->basis, act->desk->at, reterr);
}

an_code
an_registry_add_agency(const struct an_desk *desk, const struct an_agency *agency, int64_t *ret_id,
                       struct an_err *reterr)
{
    struct agency_act in = {.agency = agency};

    AN_TRY(an_registry_do(desk, "agency.add", add_agency, &in, reterr));
    *ret_id = in.id;
    return AN_OK;
}

an_code
an_registry_edit_agency(const struct an_desk *desk, const struct an_agency *agency, struct an_err *reterr)
{
    struct agency_act in = {.agency = agency};

    return an_registry_do(desk, "agency.edit", edit_agency, &in, reterr);
}

an_code
an_registry_change_code(const struct an_desk *desk, int64_t agency, const char *code, const char *basis,
                        struct an_err *reterr)
{
    struct agency_act in = {.id = agency, .code = code, .basis = basis};

    return an_registry_do(desk, "agency.code", change_code, &in, reterr);
}

/* ---- people ---- */
struct person_act {
    const struct an_person *person;
    int64_t id;
    char number[32];
    const char *state, *role;
    an_time at;
    const struct an_post *post;
    const struct an_duty *duty;
};

/* Loads him, names him as the object, and asks whether he may be touched. */
static an_code
take_person(struct an_registry_act *act, struct an_tx *tx, int64_t id, const char *what, struct an_person *ret,
            struct an_err *reterr)
{
    AN_TRY(an_person_find(tx, id, act->arena, ret, reterr));
    snprintf(act->object, sizeof(act->object), "person:%s", ret->number);
    return an_registry_require(tx, act->desk, what, ret->agency, reterr);
}

static an_code
add_person(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    struct person_act *in = act->context;

    snprintf(act->object, sizeof(act->object), "person:%s", in->person->number ? in->person->number : "");
    AN_TRY(an_registry_require(tx, act->desk, "person.add", in->person->agency, reterr));
    AN_TRY(an_person_add(tx, in->person, &in->id, in->number, reterr));
    snprintf(act->object, sizeof(act->object), "person:%s", in->number);
    return AN_OK;
}

static an_code
edit_person(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct person_act *in = act->context;
    struct an_person before = {0};

    AN_TRY(take_person(act, tx, in->person->id, "person.edit", &before, reterr));
    return an_person_edit(tx, in->person, reterr);
}

static an_code
end_person(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct person_act *in = act->context;
    struct an_person before = {0};

    AN_TRY(take_person(act, tx, in->id, "person.end", &before, reterr));
    snprintf(act->citation, sizeof(act->citation), "nd-68-2024/17");
    snprintf(act->detail, sizeof(act->detail), "{\"state\":\"%s\"}", in->state);
    return an_person_end(tx, in->id, in->state, in->at, reterr);
}

static an_code
add_post(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct person_act *in = act->context;
    struct an_person person = {0};
    int64_t id = 0;

    AN_TRY(take_person(act, tx, in->post->person, "person.post", &person, reterr));
    AN_TRY(an_registry_require(tx, act->desk, "person.post", in->post->agency, reterr));
    return an_post_add(tx, in->post, &id, reterr);
}

struct open_post {
    int64_t agency, id, count;
    const char *title;
    an_time at;
};

static an_code
find_open_post(void *context, const struct an_post *post, struct an_err *reterr)
{
    struct open_post *open = context;

    (void)reterr;
    if (post->since >= open->at || (post->until != AN_TIME_NONE && post->until <= open->at) ||
        (open->agency != 0 && post->agency != open->agency) ||
        (open->title != NULL && strcmp(open->title, post->title) != 0))
        return AN_OK;
    open->id = post->id;
    open->agency = post->agency;
    open->count++;
    return AN_OK;
}

static an_code
end_post(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct person_act *in = act->context;
    struct open_post open = {.agency = in->post->agency, .title = in->post->title, .at = in->at};
    struct an_person person = {0};

    AN_TRY(take_person(act, tx, in->post->person, "person.post", &person, reterr));
    AN_TRY(an_post_each(tx, in->post->person, find_open_post, &open, reterr));
    if (open.count != 1)
        AN_FAIL(reterr, AN_E_REGISTRY_POST, "%s: %lld", person.number, (long long)open.count);
    AN_TRY(an_registry_require(tx, act->desk, "person.post", open.agency, reterr));
    snprintf(act->detail, sizeof(act->detail), "{\"ended\":%lld}", (long long)open.id);
    return an_post_end(tx, open.id, in->at, reterr);
}

an_code
an_registry_end_post(const struct an_desk *desk, int64_t person, int64_t agency, const char *title, an_time at,
                     struct an_err *reterr)
{
    const struct an_post post = {.person = person, .agency = agency, .title = title};
    struct person_act in = {.post = &post, .at = at};

    return an_registry_do(desk, "person.post", end_post, &in, reterr);
}

an_code
an_registry_add_person(const struct an_desk *desk, const struct an_person *person, int64_t *ret_id,
                       char ret_number[static 32], struct an_err *reterr)
{
    struct person_act in = {.person = person};

    AN_TRY(an_registry_do(desk, "person.add", add_person, &in, reterr));
    *ret_id = in.id;
    memcpy(ret_number, in.number, sizeof(in.number));
    return AN_OK;
}

an_code
an_registry_edit_person(const struct an_desk *desk, const struct an_person *person, struct an_err *reterr)
{
    struct person_act in = {.person = person};

    return an_registry_do(desk, "person.edit", edit_person, &in, reterr);
}

an_code
an_registry_end_person(const struct an_desk *desk, int64_t person, const char *state, an_time at, struct an_err *reterr)
{
    struct person_act in = {.id = person, .state = state, .at = at};

    return an_registry_do(desk, "person.end", end_person, &in, reterr);
}

an_code
an_registry_add_post(const struct an_desk *desk, const struct an_post *post, struct an_err *reterr)
{
    struct person_act in = {.post = post};

    return an_registry_do(desk, "person.post", add_post, &in, reterr);
}

/* ---- roles: nobody gives what is not his to give ---- */
static const struct { const char *giver, *roles; } grant_table[] = {
    {"cuc", "*"},
    {"so-khcn", "thue-bao nguoi-co-tham-quyen van-thu phu-trach-cntt thu-truong qltt so-khcn ubnd-tinh co-yeu luu-tru kiem-tra"},
    {"nguoi-quan-ly-thue-bao", "thue-bao nguoi-co-tham-quyen van-thu phu-trach-cntt thu-truong qltt nguoi-quan-ly-thue-bao co-yeu luu-tru kiem-tra"},
    {"qltt", "thue-bao nguoi-co-tham-quyen van-thu phu-trach-cntt thu-truong luu-tru"},
};

static bool
may_grant(const struct an_desk *desk, const char *role)
{
    if (desk->person == 0)
        return true; /* setting up */
    for (size_t i = 0; i < AN_COUNT(grant_table); i++) {
        const char *at = strstr(grant_table[i].roles, role);
        size_t len = strlen(role);
        if (strcmp(grant_table[i].giver, desk->role) != 0)
            continue;
        if (strcmp(grant_table[i].roles, "*") == 0)
            return true;
        for (; at != NULL; at = strstr(at + 1, role))
            if ((at == grant_table[i].roles || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
                return true;
    }
    return false;
}

an_code
an_registry_require_grant(const struct an_desk *desk, const char *role, struct an_err *reterr)
{
    if (!may_grant(desk, role))
        AN_FAIL(reterr, AN_E_REGISTRY_GRANT, "%s: %.40s", desk->role, role);
    return AN_OK;
}

static an_code
add_duty(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct person_act *in = act->context;
    struct an_person person = {0};
    int64_t id = 0;

    AN_TRY(take_person(act, tx, in->duty->person, "person.role", &person, reterr));
    AN_TRY(an_registry_require(tx, act->desk, "person.role", in->duty->agency, reterr));
    AN_TRY(an_registry_require_grant(act->desk, in->duty->role ? in->duty->role : "", reterr));
    snprintf(act->detail, sizeof(act->detail), "{\"role\":\"%.40s\",\"agency\":%lld}", in->duty->role,
             (long long)in->duty->agency);
    return an_duty_add(tx, in->duty, &id, reterr);
}

an_code
an_registry_add_duty(const struct an_desk *desk, const struct an_duty *duty, struct an_err *reterr)
{
    struct person_act in = {.duty = duty};

    return an_registry_do(desk, "person.role", add_duty, &in, reterr);
}

struct open_duty {
    const char *role;
    an_time at;
    int64_t id, agency;
};

static an_code
find_open_duty(void *context, const struct an_duty *duty, struct an_err *reterr)
{
    struct open_duty *open = context;

    (void)reterr;
    if (strcmp(duty->role, open->role) == 0 && duty->since < open->at &&
        (duty->until == AN_TIME_NONE || duty->until > open->at)) {
        open->id = duty->id;
        open->agency = duty->agency;
    }
    return AN_OK;
}

static an_code
end_duty(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct person_act *in = act->context;
    struct open_duty open = {.role = in->role, .at = in->at};
    struct an_person person = {0};

    AN_TRY(take_person(act, tx, in->id, "person.role", &person, reterr));
    AN_TRY(an_duty_each(tx, in->id, find_open_duty, &open, reterr));
    if (open.id == 0 || !may_grant(act->desk, in->role))
        AN_FAIL(reterr, AN_E_REGISTRY_GRANT, "%s: %s", act->desk->role, in->role);
    AN_TRY(an_registry_require(tx, act->desk, "person.role", open.agency, reterr));
    snprintf(act->detail, sizeof(act->detail), "{\"ended\":\"%.40s\"}", in->role);
    return an_duty_end(tx, open.id, in->at, reterr);
}

an_code
an_registry_end_duty(const struct an_desk *desk, int64_t person, const char *role, an_time at, struct an_err *reterr)
{
    struct person_act in = {.id = person, .role = role, .at = at};

    return an_registry_do(desk, "person.role", end_duty, &in, reterr);
}

/* ---- personal data ---- */
const char *
an_mask_tail(const char *text, size_t shown, struct an_arena *arena)
{
    size_t len = strlen(text);
    char *masked = an_arena_str(arena, an_bytes_of_str(text));

    for (size_t i = 0; masked != NULL && i + shown < len; i++)
        masked[i] = '*';
    return masked ? masked : "";
}

void
an_person_mask(struct an_person *person, struct an_arena *arena)
{
    struct an_date born = an_date_of(person->born != AN_TIME_NONE ? person->born : 0, 7 * 60);

    person->identity = an_mask_tail(person->identity, 3, arena);
    person->phone = an_mask_tail(person->phone, 3, arena);
    person->identity_place = "";
    person->identity_issued = AN_TIME_NONE;
    if (person->born != AN_TIME_NONE) {
        const struct an_date year = {.year = born.year, .month = 1, .day = 1};
        person->born = an_time_of_date(&year, 7 * 60);
    }
}

struct showing {
    const char *number;
    struct an_arena *arena;
    struct an_person *ret;
};

static an_code
show_person(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    struct showing *showing = act->context;

    snprintf(act->object, sizeof(act->object), "person:%.40s", showing->number);
    snprintf(act->citation, sizeof(act->citation), "luat-bvdlcn-2025");
    AN_TRY(an_person_find_number(tx, showing->number, showing->arena, showing->ret, reterr));
    return showing->ret->id == act->desk->person ? AN_OK : an_registry_require(tx, act->desk, act->action,
            showing->ret->agency, reterr);
}

an_code
an_registry_show_person(const struct an_desk *desk, const char *number, bool reveal, struct an_arena *arena,
                        struct an_person *ret, struct an_err *reterr)
{
    struct showing showing = {number, arena, ret};
    struct an_person nobody = {0};
    an_code code = an_registry_do(desk, reveal ? "person.read" : "person.show", show_person, &showing, reterr);

    if (code == AN_OK && !reveal)
        an_person_mask(ret, arena);
    if (code != AN_OK)
        *ret = nobody; /* nothing of what was looked up on the way to a refusal */
    return code;
}

/* ---- subscribers ---- */
struct subscriber_act {
    const struct an_subscriber *subscriber;
    int64_t id;
    char number[32];
    an_time at;
};

static an_code
add_subscriber(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    struct subscriber_act *in = act->context;
    struct an_person person = {.agency = in->subscriber->agency};

    snprintf(act->object, sizeof(act->object), "subscriber:");
    if (in->subscriber->person != 0)
        AN_TRY(an_person_find(tx, in->subscriber->person, act->arena, &person, reterr));
    AN_TRY(an_registry_require(tx, act->desk, "subscriber.add", person.agency, reterr));
    struct an_subscriber subscriber = *in->subscriber;
    subscriber.agency = person.agency;
    AN_TRY(an_subscriber_add(tx, &subscriber, &in->id, in->number, reterr));
    snprintf(act->object, sizeof(act->object), "subscriber:%s", in->number);
    return AN_OK;
}

static an_code
edit_subscriber(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct subscriber_act *in = act->context;
    struct an_subscriber before = {0};

    AN_TRY(an_subscriber_find(tx, in->subscriber->id, act->arena, &before, reterr));
    snprintf(act->object, sizeof(act->object), "subscriber:%s", before.number);
    AN_TRY(an_registry_require(tx, act->desk, "subscriber.edit", before.agency, reterr));
    AN_TRY(an_registry_require(tx, act->desk, "subscriber.edit", in->subscriber->agency, reterr));
    return an_subscriber_edit(tx, in->subscriber, reterr);
}

static an_code
end_subscriber(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    const struct subscriber_act *in = act->context;
    struct an_subscriber before = {0};

    AN_TRY(an_subscriber_find(tx, in->id, act->arena, &before, reterr));
    snprintf(act->object, sizeof(act->object), "subscriber:%s", before.number);
    AN_TRY(an_registry_require(tx, act->desk, "subscriber.end", before.agency, reterr));
    return an_subscriber_end(tx, in->id, in->at, reterr);
}

an_code
an_registry_add_subscriber(const struct an_desk *desk, const struct an_subscriber *subscriber, int64_t *ret_id,
                           char ret_number[static 32],
                           struct an_err *reterr)
{
    struct subscriber_act in = {.subscriber = subscriber};

    AN_TRY(an_registry_do(desk, "subscriber.add", add_subscriber, &in, reterr));
    *ret_id = in.id;
    memcpy(ret_number, in.number, sizeof(in.number));
    return AN_OK;
}

an_code
an_registry_edit_subscriber(const struct an_desk *desk, const struct an_subscriber *subscriber, struct an_err *reterr)
{
    struct subscriber_act in = {.subscriber = subscriber};

    return an_registry_do(desk, "subscriber.edit", edit_subscriber, &in, reterr);
}

an_code
an_registry_end_subscriber(const struct an_desk *desk, int64_t subscriber, an_time at, struct an_err *reterr)
{
    struct subscriber_act in = {.id = subscriber, .at = at};

    return an_registry_do(desk, "subscriber.end", end_subscriber, &in, reterr);
}
