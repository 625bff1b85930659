/* A hand-over written down: who gives what to whom, on which form, as a PDF that both sides will sign. */
#include "service/registration/device.h"

#include "base/limits.h"
#include "proc/layout.h"
#include "regulation/explain.h"
#include "report/form.h"

#include <stdio.h>

struct party {
    const char *kind;   /* of the holder: "agency", "person" … */
    int64_t id;
    int64_t agency;     /* which agency that is */
    struct an_person signer;
    struct an_post post;
};

AN_VEC(record_devices, struct an_device);
AN_VEC(record_serials, const char *);
struct drafting {
    const struct an_desk *desk;
    const struct an_handover *in;
    struct an_arena *arena;
    struct record_devices devices;
    struct record_serials serials;
    struct party giver, taker;
    struct an_agency agency;    /* whose paper it is: the managing agency's */
    const char *superior, *regulation, *subject_kind;
    bool to_other;
    char number[32], form[128], citation[128];
    an_bytes pdf;
    int64_t id;
};

static void
drafting_done(struct drafting *d)
{
    record_devices_done(&d->devices);
    record_serials_done(&d->serials);
    an_arena_free(&d->arena);
}

/* ---- who ---- */
static an_code
read_to(struct an_tx *tx, struct drafting *d, struct an_err *reterr)
{
    static const struct { const char *prefix, *kind; } kinds[] = {{"agency:", "agency"}, {"co-yeu:", "co-yeu"}};
    const char *to = d->in->to ? d->in->to : "";
    struct an_person person = {0};
    struct an_agency agency = {0};

    if (strcmp(to, "cuc") == 0 || strcmp(to, "buu-chinh") == 0) {
        d->taker.kind = to;
        return AN_OK;
    }
    for (size_t i = 0; i < AN_COUNT(kinds); i++) {
        if (strncmp(to, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
            continue;
        AN_TRY(an_agency_find_code(tx, to + strlen(kinds[i].prefix), d->arena, &agency, NULL, reterr));
        d->taker = (struct party){.kind = kinds[i].kind, .id = agency.id, .agency = agency.id};
        return AN_OK;
    }
    AN_TRY(an_person_find_number(tx, to, d->arena, &person, reterr));
    d->taker = (struct party){.kind = "person", .id = person.id, .agency = person.agency};
    return AN_OK;
}

static an_code
read_signer(struct an_tx *tx, struct drafting *d, struct party *party, const char *number, struct an_err *reterr)
{
    if (strcmp(party->kind, "person") == 0) {
        AN_TRY(an_person_find(tx, party->id, d->arena, &party->signer, reterr));
        if (number != NULL && strcmp(number, party->signer.number) != 0)
            AN_FAIL(reterr, AN_E_RECORD_SIGNER, "%s ≠ %s", number, party->signer.number);
    } else if (number != NULL || d->desk->person != 0) {
        AN_TRY(an_person_find_number(tx, number ? number : d->desk->number, d->arena, &party->signer, reterr));
    } else {
        AN_FAIL(reterr, AN_E_RECORD_SIGNER, "%s", party->kind);
    }
    if (strcmp(party->signer.state, "active") != 0)
        AN_FAIL(reterr, AN_E_RECORD_SIGNER, "%s: %s", party->signer.number, party->signer.state);
    return an_post_at(tx, party->signer.id, 0, d->desk->at, d->arena, &party->post, reterr);
}

static an_code
read_giver(struct an_tx *tx, struct drafting *d, struct an_err *reterr)
{
    const struct an_device *first = &d->devices.items[0];
    struct an_person person = {0};

    d->giver = (struct party){.kind = first->holder_kind, .id = first->holder, .agency = first->holder};
    for (size_t i = 1; i < d->devices.count; i++)
        if (strcmp(d->devices.items[i].holder_kind, first->holder_kind) != 0 ||
            d->devices.items[i].holder != first->holder)
            AN_FAIL(reterr, AN_E_CUSTODY_HOLDER, "%s: %s %s", d->devices.items[i].number,
                    d->devices.items[i].holder_kind, d->devices.items[i].holder_name);
    if (strcmp(d->giver.kind, "person") == 0) {
        AN_TRY(an_person_find(tx, d->giver.id, d->arena, &person, reterr));
        d->giver.agency = person.agency;
    }
    return AN_OK;
}

/* ---- what ---- */
static an_code
keep_serial(void *context, const struct an_subscriber_cert *cert, struct an_err *reterr)
{
    struct drafting *d = context;

    (void)reterr;
    if (d->serials.items[d->serials.count - 1] == NULL)
        d->serials.items[d->serials.count - 1] = an_arena_str(d->arena, an_bytes_of_str(cert->serial));
    return AN_OK;
}

static an_code
read_devices(struct an_tx *tx, struct drafting *d, struct an_err *reterr)
{
    if (d->in->device_count == 0 || d->in->device_count > AN_LIMIT_RECORD_DEVICES)
        AN_FAIL(reterr, AN_E_LIMIT, "1–%d", AN_LIMIT_RECORD_DEVICES);
    d->devices.count = d->serials.count = 0;
    for (size_t i = 0; i < d->in->device_count; i++) {
        struct an_device *device = record_devices_push(&d->devices);
        AN_TRY(an_device_find_number(tx, d->in->devices[i], d->arena, device, reterr));
        *record_serials_push(&d->serials) = NULL;
        AN_TRY(an_subscriber_certs(tx, 0, device->id, keep_serial, d, reterr));
    }
    return AN_OK;
}

/* Is the taker the one for whom the device was made? */
static an_code
read_subject(struct an_tx *tx, struct drafting *d, struct an_err *reterr)
{
    const struct an_device *device = &d->devices.items[0];
    struct an_subscriber subscriber = {0};

    if (device->subscriber == 0)
        return AN_OK;
    AN_TRY(an_subscriber_find(tx, device->subscriber, d->arena, &subscriber, reterr));
    d->subject_kind = subscriber.kind;
    d->to_other = strcmp(d->taker.kind, "person") == 0 && strcmp(subscriber.kind, "person") == 0 &&
        subscriber.person != d->taker.id;
    return AN_OK;
}

static an_code
gather(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct drafting *d = context;
    int64_t agency;

    AN_TRY(read_devices(tx, d, reterr));
    AN_TRY(read_to(tx, d, reterr));
    AN_TRY(read_giver(tx, d, reterr));
    agency = d->giver.agency ? d->giver.agency : d->taker.agency;
    AN_TRY(an_registry_require(tx, d->desk, "device.record", agency, reterr));
    AN_TRY(read_subject(tx, d, reterr));
    if (d->in->paper == NULL) {
        AN_TRY(read_signer(tx, d, &d->giver, d->in->giver, reterr));
        AN_TRY(read_signer(tx, d, &d->taker, d->in->taker, reterr));
    }
    if (d->in->paper == NULL && d->giver.signer.id == d->taker.signer.id)
        AN_FAIL(reterr, AN_E_RECORD_SIGNER, "%s", d->giver.signer.number);
    d->regulation = "";
    if (agency == 0)
        return AN_OK;
    AN_TRY(an_agency_find(tx, agency, d->arena, &d->agency, reterr));
    return an_agency_regulation(tx, agency, d->arena, &d->regulation, reterr);
}

/* ---- which form: what the regulation answers, else the one of the decree ---- */
static an_code
choose_form(struct drafting *d, struct an_err *reterr)
{
    static const struct { const char *step, *form; } forms[] = {
        {"device.handover", "nd-68-2024/mau-07"}, {"device.custody-change", "tt-185-2019/mau-14"}, {"device.return", "nd-68-2024/mau-08"},
        {"device.report-lost", "nd-68-2024/mau-09"},
    };
    AN_CLEANUP(an_answer_free) struct an_answer *answer = NULL;

    for (size_t i = 0; i < AN_COUNT(forms); i++)
        if (strcmp(forms[i].step, d->in->step) == 0)
            snprintf(d->form, sizeof(d->form), "%s", forms[i].form);
    if (d->form[0] == '\0')
        AN_FAIL(reterr, AN_E_RECORD_STEP, "%s", d->in->step);
    AN_TRY(an_service_device_explain(d->desk, d->in->step, &d->devices.items[0], d->subject_kind, d->regulation,
                                     d->to_other, d->in->permission != NULL,
                                     &answer, reterr));
    if (answer->form_count > 0)
        snprintf(d->form, sizeof(d->form), "%s", answer->forms[0].citation);
    if (answer->citation_count > 0)
        snprintf(d->citation, sizeof(d->citation), "%s", answer->citations[0]);
    return AN_OK;
}

/* ---- the paper ---- */
static const struct { const char *id, *vi; } way_words[] = {{"truc-tiep", "Trực tiếp"},
                                                            {"co-yeu", "Qua tổ chức cơ yếu"},
                                                            {"buu-chinh", "Dịch vụ bưu chính công ích"}};
static const struct { const char *id, *vi; } kind_words[] = {{"pki-token", "PKI Token"}, {"sim-pki", "SIM PKI"},
                                                             {"hsm", "HSM"}};

static const char *
mask_identity(struct drafting *d, const char *identity)
{
    struct an_person masked = {.identity = identity, .phone = "", .born = AN_TIME_NONE};

    an_person_mask(&masked, d->arena); /* the record goes from hand to hand: it names people, not their whole number */
    return masked.identity;
}

static void
fill_row(const struct drafting *d, size_t at, struct an_form_value row[static 6])
{
    const struct an_device *device = &d->devices.items[at];
    const struct an_device_state *state = an_device_state_find(device->state);
    const char *kind = device->kind;

    for (size_t i = 0; i < AN_COUNT(kind_words); i++)
        if (strcmp(kind_words[i].id, device->kind) == 0)
            kind = kind_words[i].vi;
    row[0] = (struct an_form_value){"cert_name", device->subscriber_name[0] ? device->subscriber_name
                                    : "(chưa có chứng thư)"};
    row[1] = (struct an_form_value){"cert_serial", d->serials.items[at] ? d->serials.items[at] : ""};
    row[2] = (struct an_form_value){"device_kind", kind};
    row[3] = (struct an_form_value){"device_number", device->number};
    row[4] = (struct an_form_value){"condition", state ? state->vi : device->state};
    row[5] = (struct an_form_value){"note", device->note};
}

static const char *
post_title(const struct party *party)
{
    return party->post.id ? party->post.title : "Cán bộ";
}

static an_code
write_json(struct drafting *d, const struct an_form *form, struct an_buf *json, struct an_err *reterr)
{
    struct an_date day = an_date_of(d->desk->at, 7 * 60);
    AN_CLEANUP(an_free_ptr) char *date = an_asprintf("ngày %02d tháng %02d năm %d", day.day, day.month, day.year);
    AN_CLEANUP(an_free_ptr) char *place_date = an_asprintf("%s, %s", d->agency.province &&
                                                           d->agency.province[0] ? d->agency.province : "Hà Nội", date);
    AN_CLEANUP(an_free_ptr) struct an_form_value *cells = an_new_array(d->devices.count * 6, sizeof(*cells));
    AN_CLEANUP(an_free_ptr) struct an_form_values *rows = an_new_array(d->devices.count, sizeof(*rows));
    const char *way = d->in->way ? d->in->way : "truc-tiep", *reason = d->in->permission ? d->in->permission
            : d->in->reason ? d->in->reason : "";

    for (size_t i = 0; i < AN_COUNT(way_words); i++)
        if (strcmp(way_words[i].id, way) == 0)
            way = way_words[i].vi;
    for (size_t i = 0; i < d->devices.count; i++) {
        fill_row(d, i, cells + 6 * i);
        rows[i] = (struct an_form_values){cells + 6 * i, 6};
    }
    const struct an_form_value values[] = {
        {"parent_agency", d->agency.superior_name}, {"agency", d->agency.name ? d->agency.name : d->desk->instance->config.name}, {"number", d->number},
        {"place_date", place_date}, {"date_text", date}, {"place", d->in->place ? d->in->place : "trụ sở cơ quan"},
        {"giver_name", d->giver.signer.name}, {"giver_post", post_title(&d->giver)}, {"giver_agency", d->giver.signer.agency_name},
        {"giver_id", mask_identity(d, d->giver.signer.identity)}, {"taker_name", d->taker.signer.name}, {"taker_post", post_title(&d->taker)},
        {"taker_agency", d->taker.signer.agency_name}, {"taker_id", mask_identity(d, d->taker.signer.identity)}, {"way", way}, {"reason", reason},
    };
    const struct an_form_signature signatures[] = {
        {.key = "giver", .lines = {post_title(&d->giver)}, .line_count = 1, .name = d->giver.signer.name},
        {.key = "taker", .lines = {post_title(&d->taker)}, .line_count = 1, .name = d->taker.signer.name},
    };
    const struct an_form_data data = {.values = {values, AN_COUNT(values)}, .rows = rows, .row_count = d->devices.count,
                                      .signatures = signatures, .signature_count = 2};
    return an_form_write(form, &data, json, reterr);
}

static an_code
lay_out(struct drafting *d, struct an_buf *pdf, struct an_err *reterr)
{
    AN_CLEANUP(an_form_free) struct an_form *form = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf json = an_buf_new(AN_LIMIT_RECORD_BYTES);
    AN_CLEANUP(an_child_stop) struct an_child *child = NULL;

    AN_TRY(an_form_load(NULL, d->form, &form, reterr));
    AN_TRY(write_json(d, form, &json, reterr));
    AN_TRY(an_child_start("antin-layout", &child, reterr));
    return an_layout_document(child, an_buf_view(&json), pdf, reterr);
}

/* ---- into the register ---- */
static an_code
add_record(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    struct drafting *d = act->context;
    AN_CLEANUP(an_free_ptr) int64_t *ids = an_new_array(d->devices.count, sizeof(*ids));
    const struct an_record record = {
        .number = d->number, .form = d->form, .medium = d->in->paper ? "paper" : "electronic", .at = d->desk->at,
        .place = d->in->place,
        .giver_kind = d->giver.kind, .giver = d->giver.id, .taker_kind = d->taker.kind, .taker = d->taker.id,
        .giver_signer = d->giver.signer.id,
        .taker_signer = d->taker.signer.id, .way = d->in->way ? d->in->way : "truc-tiep",
        .reason = d->in->permission ? d->in->permission : d->in->reason, .step = d->in->step,
        .made_by = d->desk->number,
    };

    for (size_t i = 0; i < d->devices.count; i++)
        ids[i] = d->devices.items[i].id;
    snprintf(act->object, sizeof(act->object), "record:%s", d->number);
    snprintf(act->citation, sizeof(act->citation), "%s", d->citation);
    snprintf(act->detail, sizeof(act->detail), "{\"step\":\"%.40s\",\"devices\":%zu,\"medium\":\"%s\"}", d->in->step,
             d->devices.count, record.medium);
    AN_TRY(an_registry_require(tx, act->desk, "device.record", d->giver.agency ? d->giver.agency : d->taker.agency,
                               reterr));
    return an_record_add(tx, &record, d->pdf, ids, d->devices.count, &d->id, reterr);
}

struct numbering {
    int64_t next;
};

static an_code
take_number(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct numbering *numbering = context;

    return an_tx_next(tx, "device-record", &numbering->next, reterr);
}

an_code
an_service_record_draft(const struct an_desk *desk, const struct an_handover *handover, int64_t *ret_id,
                        char ret_number[static 32], struct an_err *reterr)
{
    AN_CLEANUP(drafting_done) struct drafting d = {.desk = desk, .in = handover,
                                                   .arena = an_arena_new(AN_LIMIT_REGISTRY_ARENA)};
    AN_CLEANUP(an_buf_free) struct an_buf pdf = an_buf_new(AN_LIMIT_RECORD_BYTES);
    struct numbering numbering = {0};

    AN_TRY(an_store_read(desk->instance->store, gather, &d, reterr));
    AN_TRY(choose_form(&d, reterr));
    if (handover->paper != NULL) {
        if (strlen(handover->paper) >= sizeof(d.number))
            AN_FAIL(reterr, AN_E_LIMIT, "%zu", strlen(handover->paper));
        snprintf(d.number, sizeof(d.number), "%s", handover->paper);
    } else {
        AN_TRY(an_store_write(desk->instance->store, take_number, &numbering, reterr));
        snprintf(d.number, sizeof(d.number), "%04lld/BBBG", (long long)numbering.next);
        AN_TRY(lay_out(&d, &pdf, reterr));
        d.pdf = an_buf_view(&pdf);
    }
    AN_TRY(an_registry_do(desk, "device.record", add_record, &d, reterr));
    *ret_id = d.id;
    memcpy(ret_number, d.number, sizeof(d.number));
    return AN_OK;
}
