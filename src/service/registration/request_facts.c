/* What is known about a dossier and each of its items, gathered in one transaction for the checks. */
#include "service/registration/request_internal.h"

#include "proc/json.h"

#include <stdio.h>

void
request_facts_done(struct request_facts *facts)
{
    an_json_free(&facts->content);
    an_rules_free(&facts->rules);
    an_profiles_free(&facts->profiles);
}

static const char *const change_cases[][2] = { /* NĐ 68/2024 Điều 15: by kind of subscriber */
    {"person", "agency"}, {"person", "email"},
    {"agency", "name"}, {"agency", "address"},
    {"device-service-software", "name"}, {"device-service-software", "version"}, {"device-service-software", "feature"},
};

static bool
is_change_case(const char *subject_kind, const char *what)
{
    for (size_t i = 0; i < AN_COUNT(change_cases); i++)
        if (strcmp(change_cases[i][0], subject_kind) == 0 && strcmp(change_cases[i][1], what) == 0)
            return true;
    return false;
}

static an_code
gather_certificate(const struct an_desk *desk, struct an_tx *tx, struct an_check_item *item,
                   const struct an_subscriber *subscriber,
                   struct an_arena *arena, struct an_err *reterr)
{
    struct request_cert cert = {0};
    struct an_subscriber_cert link = {0};

    if (item->item->certificate[0] == '\0')
        return AN_OK;
    AN_TRY(request_find_cert(tx, item->item->certificate, &cert, reterr));
    AN_TRY(an_subscriber_of_cert(tx, item->item->certificate, arena, &link, reterr));
    item->has_certificate = cert.found;
    item->certificate_is_own = link.subscriber == subscriber->id;
    item->certificate_status = cert.status;
    if (cert.found && cert.status == 0 && cert.not_after <= desk->at)
        item->certificate_status = 3;
    item->days_left = cert.found ? (cert.not_after - desk->at) / 86400 : 0;
    item->renewals = cert.renewals;
    return AN_OK;
}

struct finding_record {
    bool found;
};

static an_code
see_record(void *context, const struct an_record *record, struct an_err *reterr)
{
    struct finding_record *finding = context;

    (void)reterr;
    if (strcmp(record->step, "device.report-lost") == 0 && strcmp(record->state, "void") != 0 &&
        strcmp(record->state, "draft") != 0)
        finding->found = true;
    return AN_OK;
}

static an_code
gather_device(struct an_tx *tx, struct an_check_item *item, const struct an_subscriber *subscriber,
              struct an_arena *arena, struct an_err *reterr)
{
    struct an_device device = {0};
    struct finding_record finding = {0};

    if (item->item->device[0] == '\0')
        return AN_OK;
    AN_TRY(an_device_find_number(tx, item->item->device, arena, &device, reterr));
    item->has_device = true;
    item->device_is_own = device.subscriber == subscriber->id;
    item->device_kind = device.kind;
    item->device_state = device.state;
    if (item->ground_needs_record) {
        AN_TRY(an_record_each(tx, device.id, see_record, &finding, reterr));
        item->has_record = finding.found;
    }
    return AN_OK;
}

/* Of a person, an agency, a device: "all" or this kind. */
static bool
ground_is_for(const struct an_ground *ground, const char *subject_kind)
{
    return strcmp(ground->subject, "all") == 0 || strncmp(subject_kind, ground->subject, strlen(ground->subject)) == 0;
}

static void
gather_ground(const struct an_rules *rules, const struct an_dossier *request, struct an_check_item *item)
{
    const struct an_ground *ground = NULL;

    if (item->item->ground[0] == '\0' || an_rules_ground(rules, item->item->ground, &ground, NULL) != AN_OK)
        return;
    item->ground_is_known = ground_is_for(ground, request->subject_kind);
    item->ground_citation = ground->citation;
    item->ground_needs_record = request_ground_needs_record(item->item->ground) && item->item->device[0] != '\0';
}

/* Any other change is entered when it was carried out. */
static an_code
gather_change(struct an_tx *tx, struct an_check_item *item, const struct an_subscriber *subscriber,
              struct an_arena *arena, struct an_err *reterr)
{
    struct an_agency agency;

    item->change_is_entered = strcmp(item->change_what, "agency") != 0;
    if (item->change_is_entered)
        return AN_OK;
    AN_TRY(an_agency_find(tx, subscriber->agency, arena, &agency, reterr));
    item->change_is_entered = strcmp(agency.code, item->change_to) == 0 || strcmp(agency.name, item->change_to) == 0;
    return AN_OK;
}

/* The filing agency's, or of one below it; what a merged agency left is its successor's. */
static an_code
gather_managed(struct an_tx *tx, const struct an_subscriber *subscriber, int64_t agency, struct an_arena *arena,
               struct an_check_item *item, struct an_err *reterr)
{
    struct an_agency left;

    AN_TRY(an_agency_is_below(tx, subscriber->agency, agency, &item->is_managed, reterr));
    for (int64_t id = subscriber->agency; !item->is_managed && id != 0; id = left.successor) {
        AN_TRY(an_agency_find(tx, id, arena, &left, reterr));
        if (left.successor == 0 || strcmp(left.state, "merged") != 0)
            return AN_OK;
        AN_TRY(an_agency_is_below(tx, left.successor, agency, &item->is_managed, reterr));
    }
    return AN_OK;
}

static an_code
gather_item(const struct an_desk *desk, struct an_tx *tx, struct an_arena *arena, const struct an_dossier *request,
            const json_t *row,
            const struct an_rules *rules, int64_t agency, struct an_check_item *item, struct an_err *reterr)
{
    struct an_subscriber subscriber;

    item->change_what = request_text_at(row, "what");
    item->change_to = request_text_at(row, "change_to");
    item->sim = request_text_at(row, "sim_pki");
    item->change_is_case = is_change_case(request->subject_kind, item->change_what);
    item->device_kind = item->device_state = item->ground_citation = "";
    AN_TRY(an_subscriber_find_number(tx, item->item->subject, arena, &subscriber, reterr));
    AN_TRY(gather_managed(tx, &subscriber, agency, arena, item, reterr));
    item->is_mail_official = an_email_check(tx, item->item->email, agency, NULL) == AN_OK;
    gather_ground(rules, request, item);
    AN_TRY(gather_change(tx, item, &subscriber, arena, reterr));
    AN_TRY(gather_certificate(desk, tx, item, &subscriber, arena, reterr));
    AN_TRY(gather_device(tx, item, &subscriber, arena, reterr));
    return an_request_holder(tx, request, item->item, &item->open_request, reterr);
}

static an_code
gather_items(const struct an_desk *desk, struct an_tx *tx, struct an_arena *arena, const struct an_dossier *request,
             struct request_facts *f, struct an_err *reterr)
{
    const json_t *rows = json_object_get(f->content, "rows");
    struct an_agency agency;
    bool closed = false;

    AN_TRY(an_agency_find_code(tx, request->agency, arena, &agency, &closed, reterr));
    for (size_t i = 0; i < f->facts.count; i++)
        AN_TRY(gather_item(desk, tx, arena, request, json_array_get(rows, i), f->rules, agency.id, &f->facts.items[i],
                           reterr));
    return AN_OK;
}

static an_code
gather_missing(struct an_arena *arena, const struct an_dossier *request, struct request_facts *f, struct an_err *reterr)
{
    const char **rows = an_arena_alloc(arena, (f->facts.count + 1) * sizeof(*rows));

    if (rows == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "items");
    AN_TRY(request_missing(request, f->content, arena, &f->facts.missing, rows, f->facts.count, reterr));
    for (size_t i = 0; i < f->facts.count; i++)
        f->facts.items[i].missing = rows[i];
    return AN_OK;
}

an_code
request_gather(const struct an_desk *desk, struct an_tx *tx, struct an_arena *arena, const struct an_dossier *request,
               struct an_request_item *items, size_t count, struct request_facts *ret, struct an_err *reterr)
{
    struct an_check_item *list = an_arena_alloc(arena, (count + 1) * sizeof(*list));

    if (list == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu items", count);
    for (size_t i = 0; i < count; i++)
        list[i].item = &items[i];
    ret->facts = (struct an_check_facts){.regulations = desk->instance->regulations, .request = request, .at = desk->at,
                                         .role = desk->role,
                                         .addressee = request->addressee, .items = list, .count = count,
                                         .document_detail = ""};
    AN_TRY(an_json_parse(an_bytes_of_str(request->content), &ret->content, reterr));
    AN_TRY(an_profiles_open(NULL, &ret->profiles, reterr));
    AN_TRY(an_rules_open(ret->profiles, &ret->rules, reterr));
    AN_TRY(gather_items(desk, tx, arena, request, ret, reterr));
    return gather_missing(arena, request, ret, reterr);
}
