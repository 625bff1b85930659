/*
 * After a merger or a transfer: drafts for the certificates that no longer fit (NĐ 68/2024 Điều 15, 17). The people's
 * are changed, by the agency they are in now; where the regulation knows no such request they are revoked, to be issued
 * anew. Those of an agency that is no more, and of its services, are revoked by its successor. The head of that agency
 * signs; nothing is sent by itself.
 */
#include "service/registration/request_internal.h"

#include "base/limits.h"
#include "registry/reorganise.h"

#include <stdio.h>

/* One draft: which request, for which kind of subscriber, on which ground. */
static const struct group {
    enum an_request_kind kind;
    const char *subject, *ground;
} groups[] = {
    {AN_REQUEST_CHANGE, "person", NULL},
    {AN_REQUEST_REVOKE, "person", "chuyen-cong-tac"},
    {AN_REQUEST_REVOKE, "agency", "giai-the"},
    {AN_REQUEST_REVOKE, "device-service-software", "ngung-hoat-dong"},
};

/* A dossier speaks of one kind of device (check.c, device.kind); a certificate on none goes with the first. */
static const char *const device_kinds[] = {"pki-token", "sim-pki", "hsm"};

AN_VEC(subject_vec, struct an_request_subject);
struct preparing {
    struct an_desk desk; /* of the agency that files; nobody sits there yet */
    int64_t reorganisation;
    struct an_arena *arena;
    struct an_agency into;
    struct an_post head;
    const char *receiver, *regulation;
    bool changes_people; /* the regulation knows a request for it */
    struct subject_vec subjects[AN_COUNT(groups)][AN_COUNT(device_kinds)];
};

static void
preparing_done(struct preparing *p)
{
    for (size_t i = 0; i < AN_COUNT(groups); i++)
        for (size_t d = 0; d < AN_COUNT(device_kinds); d++)
            subject_vec_done(&p->subjects[i][d]);
    an_arena_free(&p->arena);
}

static const char *
keep(struct preparing *p, const char *text)
{
    const char *kept = an_arena_str(p->arena, an_bytes_of_str(text));

    if (kept == NULL)
        an_die_memory(); /* the arena holds a list of the largest agency */
    return kept;
}

/* ---- what no longer fits ---- */
static bool
is_for(const struct preparing *p, const struct group *group, const char *kind)
{
    if (strcmp(group->subject, "person") == 0)
        return strcmp(kind, "person") == 0 && (group->kind == AN_REQUEST_CHANGE) == p->changes_people;
    return strncmp(kind, group->subject, strlen(group->subject)) == 0; /* "agency-second" is an agency's */
}

struct certs {
    struct preparing *p;
    struct an_subscriber_cert items[16];
    size_t count;
};

static an_code
gather_cert(void *context, const struct an_subscriber_cert *cert, struct an_err *reterr)
{
    struct certs *certs = context;

    (void)reterr;
    if (certs->count < AN_COUNT(certs->items))
        certs->items[certs->count++] = (struct an_subscriber_cert){.serial = keep(certs->p, cert->serial),
                                                                    .device = cert->device};
    return AN_OK;
}

static an_code
find_device_kind(struct preparing *p, struct an_tx *tx, int64_t id, size_t *ret, struct an_err *reterr)
{
    struct an_device device = {0};

    *ret = 0;
    if (id == 0)
        return AN_OK;
    AN_TRY(an_device_find(tx, id, p->arena, &device, reterr));
    for (size_t d = 0; d < AN_COUNT(device_kinds); d++)
        if (strcmp(device.kind, device_kinds[d]) == 0)
            *ret = d;
    return AN_OK;
}

/* One that is held, or was renewed or changed already, is not changed; whatever is in force can be revoked. */
static void
add_certificate(struct preparing *p, const struct an_subscriber *subscriber, const char *serial, bool may_change,
                size_t device)
{
    for (size_t g = 0; g < AN_COUNT(groups); g++) {
        bool changes = groups[g].kind == AN_REQUEST_CHANGE;
        if (!is_for(p, &groups[g], subscriber->kind) || (changes && !may_change))
            continue;
        *subject_vec_push(&p->subjects[g][device]) = (struct an_request_subject){
            .subject = subscriber->number, .certificate = serial, .ground = groups[g].ground,
            .what = changes ? "agency" : NULL, .to = changes ? p->into.name : NULL};
    }
}

static an_code
add_subscriber(struct preparing *p, struct an_tx *tx, int64_t id, struct an_err *reterr)
{
    struct an_subscriber subscriber = {0};
    struct certs certs = {.p = p};

    AN_TRY(an_subscriber_find(tx, id, p->arena, &subscriber, reterr));
    if (p->receiver == NULL && subscriber.person_number != NULL && subscriber.person_number[0] != '\0')
        p->receiver = subscriber.person_number;
    AN_TRY(an_subscriber_certs(tx, id, 0, gather_cert, &certs, reterr));
    for (size_t i = 0; i < certs.count; i++) {
        struct request_cert cert;
        size_t device = 0;
        AN_TRY(request_find_cert(tx, certs.items[i].serial, &cert, reterr));
        AN_TRY(find_device_kind(p, tx, certs.items[i].device, &device, reterr));
        bool is_good = cert.found && cert.not_after > p->desk.at && cert.status == 0;
        if (is_good || (cert.found && cert.status == 2))
            add_certificate(p, &subscriber, certs.items[i].serial, is_good && !cert.is_followed, device);
    }
    return AN_OK;
}

/* Which subscribers moved or ended. */
struct moved {
    int64_t *ids;
    size_t count, capacity;
};

static an_code
take_moved(void *context, int64_t subscriber, struct an_err *reterr)
{
    struct moved *moved = context;

    (void)reterr;
    if (moved->count == moved->capacity) {
        moved->capacity = moved->capacity ? moved->capacity * 2 : 64;
        moved->ids = an_grow(moved->ids, moved->capacity, sizeof(*moved->ids));
    }
    moved->ids[moved->count++] = subscriber;
    return AN_OK;
}

static an_code
ask_change(struct preparing *p, struct an_err *reterr)
{
    AN_CLEANUP(an_answer_free) struct an_answer *answer = NULL;
    const struct an_question question = {.regulation = p->regulation, .on_utc = p->desk.at, .act = "request.change",
                                         .actor = "qltt", .subject = "person"};

    AN_TRY(an_regulation_explain(p->desk.instance->regulations, &question, &answer, reterr));
    p->changes_people = answer->allowed == AN_ALLOWED_YES;
    return AN_OK;
}

static an_code
read_reorganisation(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct preparing *p = context;
    const char *kind = NULL;
    struct moved moved = {0};
    bool is_undone = false;
    an_code code;

    AN_TRY(an_reorganisation_find(tx, p->reorganisation, p->arena, &kind, &p->desk.agency, &is_undone, reterr));
    if (is_undone)
        AN_FAIL(reterr, AN_E_REORGANISATION, "#%lld", (long long)p->reorganisation);
    AN_TRY(an_agency_find(tx, p->desk.agency, p->arena, &p->into, reterr));
    AN_TRY(an_agency_regulation(tx, p->desk.agency, p->arena, &p->regulation, reterr));
    if (p->regulation[0] == '\0')
        p->regulation = p->desk.instance->config.regulation;
    AN_TRY(an_agency_head(tx, p->desk.agency, p->desk.at, p->arena, &p->head, reterr));
    if (p->head.id != 0)
        p->receiver = p->head.person_number;
    AN_TRY(ask_change(p, reterr));
    code = an_reorganisation_subscribers(tx, p->reorganisation, take_moved, &moved, reterr);
    for (size_t i = 0; code == AN_OK && i < moved.count; i++)
        code = add_subscriber(p, tx, moved.ids[i], reterr);
    free(moved.ids);
    return code;
}

/* ---- the drafts ---- */
static char *
filing_key(int64_t reorganisation, const struct group *group, const char *device, size_t part)
{
    return an_asprintf("reorganisation:%lld:%s:%s:%s:%zu", (long long)reorganisation, an_request_kind_id(group->kind),
                       group->subject, device, part);
}

struct telling {
    struct preparing *p;
    int64_t id;
};

static an_code
tell_prepared(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct telling *t = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    const struct an_post *head = &t->p->head;
    AN_CLEANUP(an_free_ptr) char *body = an_asprintf(
        "Hồ sơ được lập sẵn sau khi sáp nhập hoặc điều chuyển, chờ %s%s%s cho số, ký và gửi: antin request sign %lld.",
        head->id ? head->person_name : "người đứng đầu cơ quan", head->id ? ", " : "", head->id ? head->title : "",
        (long long)t->id);
    struct request_word word = {.role = "qltt", .what = "prepared", .subject = "Hồ sơ lập sẵn chờ ký", .body = body};
    struct an_dossier request;

    AN_TRY(an_request_find(tx, t->id, arena, &request, reterr));
    word.citation = request.form_citation;
    return request_notify(&t->p->desk, tx, &request, &word, reterr);
}

static an_code
find_prepared(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct { const char *key; int64_t id; } *look = context;

    return an_request_find_key(tx, look->key, &look->id, reterr);
}

static an_code
draft_part(struct preparing *p, size_t g, size_t d, size_t from, an_request_prepared_fn each, void *context,
           struct an_err *reterr)
{
    const struct group *group = &groups[g];
    const struct subject_vec *subjects = &p->subjects[g][d];
    AN_CLEANUP(an_free_ptr) char *key = filing_key(p->reorganisation, group, device_kinds[d],
                                                   from / AN_LIMIT_REQUEST_ITEMS);
    size_t left = subjects->count - from;
    struct { const char *key; int64_t id; } look = {.key = key};
    const struct an_request_spec spec = {.kind = group->kind, .agency = p->into.code, .key = key,
                                         .receiver = p->receiver, .subject_kind = group->subject,
                                         .device_kind = device_kinds[d],
                                         .subjects = subjects->items + from,
                                         .count = left < AN_LIMIT_REQUEST_ITEMS ? left : AN_LIMIT_REQUEST_ITEMS};
    struct an_request_drafted drafted = {0};
    struct telling telling = {.p = p};

    AN_TRY(an_store_read(p->desk.instance->store, find_prepared, &look, reterr));
    drafted.id = look.id; /* prepared before: people may have worked on it */
    if (look.id == 0)
        AN_TRY(an_request_draft(&p->desk, &spec, 0, &drafted, reterr));
    telling.id = drafted.id;
    if (look.id == 0)
        AN_TRY(an_store_write(p->desk.instance->store, tell_prepared, &telling, reterr));
    const struct an_request_prepared one = {.id = drafted.id, .kind = group->kind, .count = spec.count,
                                            .agency = p->into.code, .is_new = look.id == 0,
                                            .head = p->head.id ? p->head.person_number : ""};
    return each(context, &one, reterr);
}

an_code
an_request_prepare(const struct an_desk *desk, int64_t reorganisation, an_request_prepared_fn each, void *context,
                   struct an_err *reterr)
{
    AN_CLEANUP(preparing_done) struct preparing p = {
        .desk = {.instance = desk->instance, .number = "system", .role = "qltt", .at = desk->at},
        .reorganisation = reorganisation, .arena = an_arena_new(REQUEST_ARENA_BYTES)};

    AN_TRY(an_store_read(desk->instance->store, read_reorganisation, &p, reterr));
    if (p.receiver == NULL)
        p.receiver = desk->number;
    for (size_t g = 0; g < AN_COUNT(groups); g++)
        for (size_t d = 0; d < AN_COUNT(device_kinds); d++)
            for (size_t from = 0; from < p.subjects[g][d].count; from += AN_LIMIT_REQUEST_ITEMS)
                AN_TRY(draft_part(&p, g, d, from, each, context, reterr));
    return AN_OK;
}

/* ---- undone: what was prepared and not sent is withdrawn ---- */
static an_code
withdraw_part(struct an_tx *tx, const char *key, const struct an_request_deed *deed, bool *ret_found,
              struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(REQUEST_ARENA_BYTES);
    struct an_dossier request;
    int64_t id = 0;

    AN_TRY(an_request_find_key(tx, key, &id, reterr));
    *ret_found = id != 0;
    if (id == 0)
        return AN_OK;
    AN_TRY(an_request_find(tx, id, arena, &request, reterr));
    if (request.state != AN_REQUEST_DRAFT && request.state != AN_REQUEST_SIGNED)
        return AN_OK;
    AN_TRY(an_request_move(tx, &request, AN_REQUEST_ACT_WITHDRAW, deed, reterr));
    return an_request_close(tx, id, deed->detail, deed->at, reterr);
}

an_code
request_withdraw_prepared(const struct an_desk *desk, struct an_tx *tx, int64_t reorganisation, struct an_err *reterr)
{
    struct an_request_deed deed = {.actor = desk->number, .role = desk->role, .citation = "",
                                   .detail = "hoàn tác sáp nhập, điều chuyển", .at = desk->at};

    for (size_t i = 0; i < AN_COUNT(groups) * AN_COUNT(device_kinds); i++) {
        bool found = true;
        for (size_t part = 0; found; part++) {
            AN_CLEANUP(an_free_ptr) char *key = filing_key(reorganisation, &groups[i / AN_COUNT(device_kinds)],
                                                           device_kinds[i % AN_COUNT(device_kinds)], part);
            AN_TRY(withdraw_part(tx, key, &deed, &found, reterr));
        }
    }
    return AN_OK;
}
