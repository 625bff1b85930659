/*
 * Who looks at dossiers and letters: both name people (Luật 91/2025/QH15; decision 115). Each look is told to the log,
 * as refusals are. Who sees his own agency alone gets of a list what is that one's.
 */
#include "service/registration/registry.h"
#include "service/registration/request.h"

#include <stdio.h>

/* ---- which agency ---- */
struct finding {
    int64_t request;
    const char *code; /* of the agency, when no request is named */
    struct an_arena *arena;
    struct an_agency agency;
};

static an_code
find_agency(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct finding *f = context;
    struct an_dossier request;
    bool closed = false;

    if (f->request != 0)
        AN_TRY(an_request_find(tx, f->request, f->arena, &request, reterr));
    return an_agency_find_code(tx, f->request != 0 ? request.agency : f->code, f->arena, &f->agency, &closed, reterr);
}

an_code
an_request_look_at(const struct an_desk *desk, int64_t id, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REQUEST_ARENA);
    struct finding f = {.request = id, .arena = arena};
    char object[64];

    AN_TRY(an_store_read(desk->instance->store, find_agency, &f, reterr));
    snprintf(object, sizeof(object), "request:%lld", (long long)id);
    return an_registry_look_at(desk, "request.show", object, f.agency.id, 0, reterr);
}

an_code
an_request_look(const struct an_desk *desk, struct an_request_query *query, struct an_request_sight *ret,
                struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REQUEST_ARENA);
    struct finding f = {.code = query->agency, .arena = arena};
    bool everywhere = an_registry_is_everywhere(desk, "request.list");

    *ret = (struct an_request_sight){.everywhere = everywhere};
    if (query->agency != NULL)
        AN_TRY(an_store_read(desk->instance->store, find_agency, &f, reterr));
    AN_TRY(an_registry_look(desk, "request.list", &f.agency.id, reterr));
    if (everywhere)
        return AN_OK;
    snprintf(ret->agency, sizeof(ret->agency), "%s", query->agency ? query->agency : desk->agency_code);
    if (query->name == NULL && query->subject == NULL && query->state == 0 && query->overdue_at == AN_TIME_NONE)
        query->agency = ret->agency; /* by the index of the agency */
    return AN_OK;
}

bool
an_request_sees(const struct an_request_sight *sight, const struct an_request_line *line)
{
    return sight->everywhere || strcmp(line->agency, sight->agency) == 0;
}

/* ---- letters ---- */
struct sighting { const struct an_desk *desk; struct an_notice_sight *sight; struct an_arena *arena; };

static an_code
read_sight(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct sighting *in = context;
    struct an_agency agency = {0};
    struct an_person person = {0};

    AN_TRY(an_agency_find(tx, in->desk->agency, in->arena, &agency, reterr));
    AN_TRY(an_person_find(tx, in->desk->person, in->arena, &person, reterr));
    snprintf(in->sight->name, sizeof(in->sight->name), "%s", agency.name);
    snprintf(in->sight->address, sizeof(in->sight->address), "%s", agency.email);
    snprintf(in->sight->own, sizeof(in->sight->own), "%s", person.email);
    return AN_OK;
}

an_code
an_notice_look(const struct an_desk *desk, struct an_notice_sight *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_REQUEST_ARENA);
    struct sighting in = {desk, ret, arena};
    int64_t agency = 0;

    *ret = (struct an_notice_sight){.everywhere = an_registry_is_everywhere(desk, "notice.list")};
    AN_TRY(an_registry_look(desk, "notice.list", &agency, reterr));
    return ret->everywhere ? AN_OK : an_store_read(desk->instance->store, read_sight, &in, reterr);
}

/* What went to his agency, or to him. */
bool
an_notice_sees(const struct an_notice_sight *sight, const struct an_notice_line *line)
{
    if (sight->everywhere || strcmp(line->to_name, sight->name) == 0)
        return true;
    return line->address[0] != '\0' && (strcmp(line->address, sight->address) == 0 ||
                                        strcmp(line->address, sight->own) == 0);
}
