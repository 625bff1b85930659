/* What the form shows, gathered from the register: nobody types a name or a number twice. */
#include "service/registration/request_internal.h"

#include "base/utf8.h"
#include "crypto/crypto.h"
#include "proc/json.h"

#include <stdio.h>

/* What is known about one subscriber while its row is written. */
struct subject {
    struct an_subscriber subscriber;
    struct an_person person; /* id 0 = not a person */
    struct an_agency agency;
    struct an_post post;
    struct an_device device; /* id 0 = none */
    char certificate[80];
};

const char *
request_text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void
put(json_t *row, const char *key, const char *text)
{
    json_object_set_new(row, key, json_string(text ? text : ""));
}

static void
put_day(json_t *row, const char *key, an_time day)
{
    char text[32] = "";
    struct an_date date = an_date_of(day, 7 * 60);

    if (day != AN_TIME_NONE)
        snprintf(text, sizeof(text), "%02d/%02d/%04d", date.day, date.month, date.year);
    put(row, key, text);
}

/* "số; ngày cấp, nơi cấp" in one cell, as Mẫu 01 has it. */
static void
put_identity(json_t *row, const char *key, const struct an_person *person)
{
    struct an_date date = an_date_of(person->identity_issued, 7 * 60);
    AN_CLEANUP(an_free_ptr) char *text = person->identity_issued == AN_TIME_NONE
        ? an_strdup(person->identity)
        : an_asprintf("%s; %02d/%02d/%04d, %s", person->identity, date.day, date.month, date.year,
                      person->identity_place);

    put(row, key, person->identity[0] ? text : "");
}

static an_code
find_receiver(const struct an_desk *desk, struct an_tx *tx, const char *number, struct an_arena *arena, json_t *fields,
              struct an_err *reterr)
{
    struct an_person person;
    struct an_post post = {0};
    struct an_agency agency;
    AN_CLEANUP(an_free_ptr) char *issued = NULL;

    AN_TRY(an_person_find_number(tx, number ? number : desk->number, arena, &person, reterr));
    AN_TRY(an_post_at(tx, person.id, 0, desk->at, arena, &post, reterr));
    AN_TRY(an_agency_find(tx, person.agency, arena, &agency, reterr));
    put(fields, "receiver_name", person.name);
    put(fields, "receiver_id", person.identity);
    if (person.identity_issued != AN_TIME_NONE) {
        struct an_date date = an_date_of(person.identity_issued, 7 * 60);
        issued = an_asprintf("%02d/%02d/%04d, %s", date.day, date.month, date.year, person.identity_place);
    }
    put(fields, "receiver_id_issued", issued);
    put(fields, "receiver_title", post.id ? post.title : "");
    put(fields, "receiver_phone", person.phone);
    put(fields, "receiver_email", person.email);
    put(fields, "receiver_address", agency.address);
    put(fields, "receiver_workplace", agency.name);
    return AN_OK;
}

static bool
wants_sim(const struct an_request_spec *spec)
{
    return spec->kind == AN_REQUEST_NEW && spec->device_kind != NULL && strcmp(spec->device_kind, "sim-pki") == 0;
}

/* The SIM that is entered for him and not in use yet. */
static an_code
find_ready_sim(struct an_tx *tx, struct an_arena *arena, struct subject *s, struct an_err *reterr)
{
    char number[64];

    AN_TRY(an_device_free(tx, "sim-pki", s->subscriber.id, number, reterr));
    if (number[0] == '\0')
        return AN_OK;
    return an_device_find_number(tx, number, arena, &s->device, reterr);
}

static an_code
find_subject(const struct an_desk *desk, struct an_tx *tx, const struct an_request_spec *spec,
             const struct an_request_subject *said, struct an_arena *arena, struct subject *s, struct an_err *reterr)
{
    struct an_subscriber_cert link = {0};

    if (said->subject == NULL || said->subject[0] == '\0')
        AN_FAIL(reterr, AN_E_REQUEST_SUBJECT, "--subject");
    AN_TRY(an_subscriber_find_number(tx, said->subject, arena, &s->subscriber, reterr));
    AN_TRY(an_agency_find(tx, s->subscriber.agency, arena, &s->agency, reterr));
    if (s->subscriber.person != 0) {
        AN_TRY(an_person_find(tx, s->subscriber.person, arena, &s->person, reterr));
        AN_TRY(an_post_at(tx, s->person.id, 0, desk->at, arena, &s->post, reterr));
    }
    if (said->certificate != NULL && said->certificate[0] != '\0')
        snprintf(s->certificate, sizeof(s->certificate), "%.79s", said->certificate);
    else
        AN_TRY(request_newest_cert(tx, s->subscriber.id, s->certificate, reterr));
    if (said->device != NULL && said->device[0] != '\0')
        return an_device_find_number(tx, said->device, arena, &s->device, reterr);
    if (wants_sim(spec))
        return find_ready_sim(tx, arena, s, reterr);
    if (s->certificate[0] == '\0')
        return AN_OK;
    AN_TRY(an_subscriber_of_cert(tx, s->certificate, arena, &link, reterr));
    return link.device != 0 ? an_device_find(tx, link.device, arena, &s->device, reterr) : AN_OK;
}

static const struct { const char *id, *vi; } change_table[] = {
    {"email", "Địa chỉ thư điện tử công vụ"}, {"agency", "Cơ quan, tổ chức công tác"}, {"name", "Tên"},
    {"address", "Địa chỉ"}, {"version", "Phiên bản"}, {"feature", "Tính năng"},
};

static const char *
change_label(const char *what)
{
    for (size_t i = 0; what != NULL && i < AN_COUNT(change_table); i++)
        if (strcmp(change_table[i].id, what) == 0)
            return change_table[i].vi;
    return what;
}

/* A SIM: Mẫu 01 has its carrier, Mẫu 04 its number beside the certificate's. */
static void
put_sim(json_t *row, enum an_request_kind kind, const struct subject *s)
{
    AN_CLEANUP(an_free_ptr) char *both = an_asprintf("%s; %s", s->certificate, s->device.phone ? s->device.phone : "");

    put(row, "sim_pki", s->device.carrier);
    if (kind != AN_REQUEST_NEW)
        put(row, "certificate_shown", both);
}

/* All columns that any of the forms has, each form takes its own; and what the officers' signatures over the row are
 * to fix beside what the form shows. */
static json_t *
build_row(enum an_request_kind kind, const char *device_kind, const struct an_request_subject *said,
          const struct subject *s, const char *ground_name)
{
    json_t *row = json_object();

    put(row, "kind", an_request_kind_id(kind));
    put(row, "subscriber_kind", s->subscriber.kind);
    put(row, "device_kind", device_kind);
    put(row, "subject", s->subscriber.number);
    put(row, "name", s->subscriber.name);
    put(row, "email", s->subscriber.email);
    put(row, "workplace", s->agency.name);
    put(row, "superior", s->agency.superior_name);
    put(row, "hierarchy", s->agency.hierarchy);
    put(row, "province", s->agency.province);
    put(row, "certificate", kind == AN_REQUEST_NEW ? "" : s->certificate);
    put(row, "device", kind == AN_REQUEST_NEW ? "" : s->device.number);
    if (s->person.id != 0) {
        put_day(row, "birth", s->person.born);
        put_identity(row, "id_number", &s->person);
        put(row, "phone", s->person.phone);
        put(row, "title", s->post.id ? s->post.title : "");
    } else {
        put(row, "address", s->agency.address);
        put(row, "tax_code", s->agency.tax_code);
        put(row, "budget_code", s->agency.budget_code);
        put(row, "purpose", s->subscriber.label);
    }
    put(row, "certificate_shown", kind == AN_REQUEST_NEW ? "" : s->certificate);
    if (s->device.id != 0 && strcmp(s->device.kind, "sim-pki") == 0)
        put_sim(row, kind, s);
    if (kind == AN_REQUEST_NEW)
        put(row, "old_certificate", s->certificate);
    if (kind == AN_REQUEST_RENEW || kind == AN_REQUEST_CHANGE) {
        put(row, "is_renew", kind == AN_REQUEST_RENEW ? "x" : "");
        put(row, "is_change", kind == AN_REQUEST_CHANGE ? "x" : "");
        put(row, "what", said->what);
        put(row, "change_what", change_label(said->what));
        put(row, "change_to", said->to);
    }
    if (kind == AN_REQUEST_REVOKE) {
        put(row, "ground", said->ground);
        put(row, "reason", ground_name);
    }
    return row;
}

/* What lies before who decides on the item: its row, as it stands. */
void
request_row_digest(const json_t *row, uint8_t ret[static 32])
{
    char *text = json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS);
    uint8_t digest[AN_DIGEST_MAX];

    if (text == NULL)
        an_die_memory();
    an_hash_once(AN_SHA256, an_bytes_of_str(text), digest);
    memcpy(ret, digest, 32);
    free(text);
}

static const char *
keep(struct an_arena *arena, const char *text)
{
    return an_arena_str(arena, an_bytes_of_str(text ? text : ""));
}

static void
fill_item(struct request_paper *paper, size_t i, enum an_request_kind kind, const struct an_request_subject *said,
          const struct subject *s,
          const json_t *row)
{
    struct an_request_item *item = &paper->items[i];
    bool new_mail = kind == AN_REQUEST_CHANGE && said->what != NULL && strcmp(said->what, "email") == 0 &&
        said->to != NULL;

    item->place = (int64_t)i + 1;
    item->subject = keep(paper->arena, s->subscriber.number);
    item->name = keep(paper->arena, s->subscriber.name);
    item->email = keep(paper->arena, new_mail ? said->to : s->subscriber.email);
    item->certificate = keep(paper->arena, kind == AN_REQUEST_NEW ? "" : s->certificate);
    item->device = keep(paper->arena, kind == AN_REQUEST_NEW ? "" : s->device.number);
    item->ground = keep(paper->arena, kind == AN_REQUEST_REVOKE ? said->ground : "");
    request_row_digest(row, item->facts);
}

/* "person" for a person; a second device of an agency is an agency's. */
static const char *
subject_kind(const char *subscriber_kind)
{
    return strcmp(subscriber_kind, "agency-second") == 0 ? "agency" : subscriber_kind;
}

/* The ground in words; an id that is none stays as it is, and the check refuses it. */
static const char *
ground_words(const struct an_rules *rules, const char *id)
{
    const struct an_ground *ground = NULL;

    return id != NULL && an_rules_ground(rules, id, &ground, NULL) == AN_OK ? ground->vi : id;
}

/* A person's or an agency's key lives on a device that is handed over; a machine may keep its own. */
static an_code
check_self_enrol(const struct request_paper *paper, struct an_err *reterr)
{
    const struct an_dossier *r = &paper->request;

    if (strcmp(r->device_kind, "self-enrol") == 0 &&
        (r->kind != AN_REQUEST_NEW || strcmp(r->subject_kind, "device-service-software") != 0))
        AN_FAIL(reterr, AN_E_REQUEST_SELF_ENROL, "%s", r->subject_kind);
    return AN_OK;
}

static an_code
compose_rows(const struct an_desk *desk, struct an_tx *tx, const struct an_request_spec *spec,
             const struct an_rules *rules,
             struct request_paper *paper, json_t *rows, struct an_err *reterr)
{
    for (size_t i = 0; i < spec->count; i++) {
        struct subject s = {0};
        json_t *row;

        AN_TRY(find_subject(desk, tx, spec, &spec->subjects[i], paper->arena, &s, reterr));
        if (i == 0 && paper->request.subject_kind == NULL)
            paper->request.subject_kind = keep(paper->arena, subject_kind(s.subscriber.kind));
        if (i == 0 && paper->request.device_kind == NULL)
            paper->request.device_kind = keep(paper->arena, s.device.id ? s.device.kind : "pki-token");
        if (strcmp(subject_kind(s.subscriber.kind), paper->request.subject_kind) != 0)
            AN_FAIL(reterr, AN_E_REQUEST_MIXED, "%s: %s ≠ %s", s.subscriber.number, s.subscriber.kind,
                    paper->request.subject_kind);
        row = build_row(spec->kind, paper->request.device_kind, &spec->subjects[i], &s,
                        ground_words(rules, spec->subjects[i].ground));
        json_array_append_new(rows, row);
        fill_item(paper, i, spec->kind, &spec->subjects[i], &s, row);
    }
    return AN_OK;
}

/* Where the texts name no form (Bình Thuận rests on TT 08/2016, whose annex was not read) the fields of today's are
 * asked for. */
static const struct { enum an_request_kind kind; const char *subject, *form; } form_table[] = {
    {AN_REQUEST_NEW, "person", "nd-68-2024/mau-01"}, {AN_REQUEST_NEW, "agency", "nd-68-2024/mau-02"}, {AN_REQUEST_NEW, "device-service-software", "nd-68-2024/mau-03"},
    {AN_REQUEST_RENEW, NULL, "nd-68-2024/mau-04"}, {AN_REQUEST_CHANGE, NULL, "nd-68-2024/mau-04"}, {AN_REQUEST_REVOKE, NULL, "nd-68-2024/mau-05"},
    {AN_REQUEST_RECOVER, NULL, "nd-68-2024/mau-06"},
};

static const char *
usual_form(enum an_request_kind kind, const char *subject)
{
    for (size_t i = 0; i < AN_COUNT(form_table); i++)
        if (form_table[i].kind == kind && (form_table[i].subject == NULL ||
                                           strcmp(form_table[i].subject, subject) == 0))
            return form_table[i].form;
    return NULL;
}

/* The regulation says which form (of TT 185/2019, which has one for the applicant and one for the agency, the agency's:
 * the later one) and to whom; who decides himself files with the authority above. */
static an_code
choose_form(const struct an_desk *desk, const struct an_request_spec *spec, struct request_paper *paper,
            struct an_err *reterr)
{
    AN_CLEANUP(an_answer_free) struct an_answer *answer = NULL;
    char act[40];
    struct an_question question = {.regulation = paper->request.regulation, .on_utc = desk->at, .act = act,
                                   .actor = desk->role,
                                   .subject = paper->request.subject_kind, .device = paper->request.device_kind};

    snprintf(act, sizeof(act), "request.%s", an_request_kind_id(spec->kind));
    AN_TRY(an_regulation_explain(desk->instance->regulations, &question, &answer, reterr));
    const char *form = answer->form_count > 0 ? answer->forms[answer->form_count - 1].citation : usual_form(spec->kind,
            paper->request.subject_kind);
    const char *to = answer->authority == NULL || strcmp(answer->authority, desk->role) == 0 ? "cuc"
            : answer->authority;
    if (form == NULL)
        AN_FAIL(reterr, AN_E_REQUEST_FORM, "%s %s", paper->request.regulation, act);
    paper->request.form = keep(paper->arena, form);
    paper->request.form_citation = keep(paper->arena, answer->form_count > 0 ? form : "");
    paper->request.addressee = keep(paper->arena, spec->addressee ? spec->addressee : to);
    return AN_OK;
}

/* What the body is called to which the letter goes: by its name in the register, else by what its role is called. */
static an_code
name_addressee(const struct an_desk *desk, struct an_tx *tx, const struct request_paper *paper, const char **ret,
               struct an_err *reterr)
{
    const char *role = paper->request.addressee;
    struct an_agency body = {0};
    bool is_found = false;

    AN_TRY(request_find_body(desk, tx, &paper->request, role, paper->arena, &body, &is_found, reterr));
    *ret = is_found ? body.name : an_word_name(desk->instance->regulations, AN_WORD_ROLE, role, false);
    return AN_OK;
}

static an_code
compose_content(const struct an_agency *agency, const char *to, struct request_paper *paper, json_t *fields,
                json_t *rows, struct an_err *reterr)
{
    const struct an_dossier *r = &paper->request;
    AN_CLEANUP(an_json_free) json_t *root =
        json_pack("{s:{s:s, s:s, s:s, s:s}, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O, s:O}", "agency", "code",
                  agency->code, "name", agency->name,
                  "parent", agency->superior_name ? agency->superior_name : "", "province", agency->province,
                  "addressee", r->addressee, "to", to,
                  "kind", an_request_kind_id(r->kind), "regulation", r->regulation, "subject_kind", r->subject_kind,
                  "device_kind", r->device_kind,
                  "form", r->form, "number", r->number, "fields", fields, "rows", rows);
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

    if (text == NULL)
        AN_FAIL(reterr, AN_E_UTF8, "content");
    paper->request.content = keep(paper->arena, text);
    free(text);
    if (paper->request.content == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "content");
    return AN_OK;
}

static an_code
make_key(const char *said, char **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(40);
    uint8_t random[12];

    if (said != NULL) {
        *ret = an_strdup(said);
        return AN_OK;
    }
    AN_TRY(an_random(random, sizeof(random), reterr));
    an_buf_hex(&hex, AN_BYTES(random, sizeof(random)));
    *ret = an_buf_take_str(&hex);
    return AN_OK;
}

static an_code
find_filing_agency(const struct an_desk *desk, struct an_tx *tx, const struct an_request_spec *spec,
                   struct an_arena *arena,
                   struct an_agency *ret, struct an_err *reterr)
{
    bool closed = false;

    if (spec->agency == NULL)
        return an_agency_find(tx, desk->agency, arena, ret, reterr);
    return an_agency_find_code(tx, spec->agency, arena, ret, &closed, reterr);
}

an_code
request_compose(const struct an_desk *desk, struct an_tx *tx, const struct an_request_spec *spec,
                struct request_paper *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_json_free) json_t *fields = json_object();
    AN_CLEANUP(an_json_free) json_t *rows = json_array();
    AN_CLEANUP(an_free_ptr) char *key = NULL;
    AN_CLEANUP(an_profiles_free) struct an_profiles *profiles = NULL;
    AN_CLEANUP(an_rules_free) struct an_rules *rules = NULL;
    struct an_agency agency;
    const char *regulation = "", *to;

    if (spec->count < 1 || spec->count > AN_LIMIT_REQUEST_ITEMS)
        AN_FAIL(reterr, AN_E_REQUEST_EMPTY, "%zu", spec->count);
    AN_TRY(make_key(spec->key, &key, reterr));
    AN_TRY(find_filing_agency(desk, tx, spec, ret->arena, &agency, reterr));
    AN_TRY(an_agency_regulation(tx, agency.id, ret->arena, &regulation, reterr));
    if (regulation[0] == '\0')
        regulation = desk->instance->config.regulation;
    if (spec->regulation != NULL && strcmp(spec->regulation, regulation) != 0) /* nobody chooses who decides on him */
        AN_FAIL(reterr, AN_E_REQUEST_REGULATION, "%s: %s", agency.code, regulation);
    ret->items = an_arena_alloc(ret->arena, spec->count * sizeof(*ret->items));
    ret->count = spec->count;
    ret->request = (struct an_dossier){
        .key = keep(ret->arena, key), .kind = spec->kind, .regulation = keep(ret->arena, regulation),
        .agency = keep(ret->arena, agency.code), .number = keep(ret->arena, spec->number ? spec->number : ""),
        .urgent = spec->urgent,
        .subject_kind = spec->subject_kind ? keep(ret->arena, spec->subject_kind) : NULL,
        .device_kind = spec->device_kind ? keep(ret->arena, spec->device_kind) : NULL,
    };
    AN_TRY(find_receiver(desk, tx, spec->receiver, ret->arena, fields, reterr));
    AN_TRY(an_profiles_open(NULL, &profiles, reterr));
    AN_TRY(an_rules_open(profiles, &rules, reterr));
    AN_TRY(compose_rows(desk, tx, spec, rules, ret, rows, reterr));
    AN_TRY(check_self_enrol(ret, reterr));
    AN_TRY(choose_form(desk, spec, ret, reterr));
    AN_TRY(name_addressee(desk, tx, ret, &to, reterr));
    return compose_content(&agency, to, ret, fields, rows, reterr);
}
