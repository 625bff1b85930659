/* Before something ends, and when it has: reminders as the regulation has them (90, 60, 30 days, 0 = it has ended; Bình
 * Thuận Điều 19.5b: one month). Each once: the notice's key says about what, for which day, how long before, to
  * whom. */
#include "service/registration/request_internal.h"

#include "service/registration/mail.h"

#include <stdio.h>

#define RULES_MAX 16
#define DAY 86400
#define PAST_DAYS 30 /* how long back what has ended is told of */

struct rule {
    char event[32], citation[80], to[8][32];
    /* lower: that of the next reminder of the same event: who is told late is told by the nearest alone */
    int64_t days, lower;
    size_t to_count;
};
/* What ends: a certificate, a person's service, a post. */
struct ending {
    char about[120], name[200], email[256], subject[32]; /* subject: number of the subscriber; "" = a person */
    int64_t agency;
    an_time at;
};
AN_VEC(endings, struct ending);

struct reminding {
    const struct an_desk *desk;
    struct rule rules[RULES_MAX];
    size_t count;
    const struct rule *rule;
    struct endings endings;
    struct an_arena *arena;
    size_t told;
};

static void
keep_rule(void *context, const struct an_reminder *reminder)
{
    struct reminding *r = context;
    struct rule *rule = &r->rules[r->count];

    if (r->count == RULES_MAX)
        return;
    r->count++;
    snprintf(rule->event, sizeof(rule->event), "%s", reminder->event);
    snprintf(rule->citation, sizeof(rule->citation), "%s", reminder->citation ? reminder->citation : "");
    rule->days = reminder->days_before;
    for (size_t i = 0; i < reminder->to_count && i < AN_COUNT(rule->to); i++)
        snprintf(rule->to[rule->to_count++], sizeof(rule->to[0]), "%s", reminder->to[i]);
}

/* A shorter reminder of the same event ends the band of this one. */
static void
find_bands(struct reminding *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct rule *rule = &r->rules[i];
        rule->lower = rule->days > 0 ? 0 : -PAST_DAYS;
        for (size_t k = 0; k < r->count; k++)
            if (strcmp(r->rules[k].event, rule->event) == 0 && r->rules[k].days < rule->days &&
                r->rules[k].days > rule->lower)
                rule->lower = r->rules[k].days;
    }
}

static an_code
take_certificate(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct reminding *r = context;
    struct ending *ending = endings_push(&r->endings);
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(100);

    (void)reterr;
    an_buf_hex(&hex, an_row_blob(row, 0));
    snprintf(ending->about, sizeof(ending->about), "certificate:%.*s", AN_FMT(an_buf_view(&hex)));
    snprintf(ending->subject, sizeof(ending->subject), "%s", an_row_text(row, 1));
    ending->at = an_row_int(row, 2);
    return AN_OK;
}

static an_code
take_person(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct reminding *r = context;
    struct ending *ending = endings_push(&r->endings);

    (void)reterr;
    snprintf(ending->about, sizeof(ending->about), "person:%s", an_row_text(row, 0));
    snprintf(ending->name, sizeof(ending->name), "%s", an_row_text(row, 1));
    snprintf(ending->email, sizeof(ending->email), "%s", an_row_text(row, 2));
    ending->agency = an_row_int(row, 3);
    ending->at = an_row_int(row, 4);
    return AN_OK;
}

static const struct event {
    const char *event;
    bool has_ended;
    const char *what, *subject;
    enum an_sql statement;
    /* looks only at what was not looked at; the others are few, and their notices' keys keep them to one */
    bool by_job;
    an_row_fn take;
} event_table[] = {
    {"certificate-expiry", false, "expiry", "Chứng thư chữ ký số sắp hết hạn", AN_SQL_REQUEST_CERTIFICATE_ENDING, true, take_certificate},
    {"certificate-expiry", true, "expired", "Chứng thư chữ ký số đã hết hạn: thu hồi, bàn giao thiết bị lưu khóa bí mật", AN_SQL_REQUEST_CERTIFICATE_ENDING, true, take_certificate},
    {"retirement", false, "retirement", "Sắp nghỉ hưu, nghỉ việc: thu hồi chứng thư và thiết bị", AN_SQL_REQUEST_RETIRING, false, take_person},
    {"retirement", true, "retired", "Đã nghỉ hưu, thôi việc, từ trần: thu hồi chứng thư và thiết bị", AN_SQL_REQUEST_RETIRED, false, take_person},
    {"transfer", false, "transfer", "Sắp chuyển vị trí, cơ quan công tác: thay đổi hoặc thu hồi chứng thư", AN_SQL_REQUEST_TRANSFERRING, false, take_person},
    {"transfer", true, "transferred", "Đã chuyển vị trí, cơ quan công tác: thay đổi hoặc thu hồi chứng thư", AN_SQL_REQUEST_TRANSFERRING, false, take_person},
};

/* Who and where, for a certificate: its subscriber; who keeps the device of an agency or a service when that has no
 * address of its own. False: it is nobody's in this register. */
static an_code
find_subscriber(struct an_tx *tx, struct reminding *r, struct ending *ending, bool *ret_found, struct an_err *reterr)
{
    struct an_subscriber subscriber;
    struct an_person manager = {.email = ""};
    an_code code;

    *ret_found = ending->agency != 0;
    if (*ret_found || ending->subject[0] == '\0')
        return AN_OK;
    code = an_subscriber_find_number(tx, ending->subject, r->arena, &subscriber, reterr);
    if (code == AN_E_SUBSCRIBER_UNKNOWN)
        return AN_OK;
    if (code == AN_OK && subscriber.email[0] == '\0' && subscriber.manager != 0)
        code = an_person_find(tx, subscriber.manager, r->arena, &manager, reterr);
    if (code != AN_OK)
        return code;
    snprintf(ending->name, sizeof(ending->name), "%s", subscriber.name);
    snprintf(ending->email, sizeof(ending->email), "%s", subscriber.email[0] != '\0' ? subscriber.email
             : manager.email);
    ending->agency = subscriber.agency;
    *ret_found = true;
    return AN_OK;
}

static an_code
print_holding(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    an_buf_printf(context, "- %s %s\n", an_row_text(row, 0), an_row_text(row, 1));
    return AN_OK;
}

/* What the letter says: who or what, the day, and of a person what he keeps: his own, and the agency's that needs
 * another keeper. */
static an_code
print_body(struct an_tx *tx, const struct reminding *r, const struct event *event, const struct ending *ending,
           struct an_buf *body, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf cite = an_buf_new(2048), held = an_buf_new(16384);
    struct an_date day = an_date_of(ending->at, 7 * 60);
    const char *number = strchr(ending->about, ':') + 1;
    const struct an_value value = an_v_text(number);

    an_buf_printf(body, "%s: %s (%s), ngày %02d/%02d/%04d.\n", event->subject, ending->name, ending->about, day.day,
                  day.month, day.year);
    if (event->take == take_person)
        AN_TRY(an_tx_each(tx, AN_SQL_REQUEST_HOLDINGS, &value, 1, print_holding, &held, reterr));
    if (held.len > 0)
        an_buf_printf(body, "Thuê bao và thiết bị đang quản lý:\n%.*s", AN_FMT(an_buf_view(&held)));
    if (r->rule->citation[0] != '\0') {
        an_citation_text(r->desk->instance->regulations, r->rule->citation, false, &cite);
        an_buf_printf(body, "Căn cứ: %.*s.\n", AN_FMT(an_buf_view(&cite)));
    }
    an_buf_byte(body, 0);
    return AN_OK;
}

static an_code
tell_one(struct an_tx *tx, struct reminding *r, size_t event, const struct ending *ending, const char *role,
         struct an_err *reterr)
{
    struct an_agency agency;
    bool subscriber = strcmp(role, "thue-bao") == 0, closed = false;
    const char *code = subscriber || strcmp(role, "qltt") == 0 ||
        strcmp(role, "thu-truong") == 0 ? "" : an_config_body(&r->desk->instance->config, role);
    AN_CLEANUP(an_free_ptr) char *key = an_asprintf("%s:%s:%lld:%lld:%s", ending->about, event_table[event].what,
                                                    (long long)ending->at,
                                                    /* another day is another reminder */
                                                    (long long)r->rule->days, role);
    AN_CLEANUP(an_free_ptr) char *kind = an_asprintf("reminder.%s", event_table[event].what);
    AN_CLEANUP(an_buf_free) struct an_buf body = an_buf_new(32768);
    int64_t id = 0;

    if (code[0] != '\0')
        AN_TRY(an_agency_find_code(tx, code, r->arena, &agency, &closed, reterr));
    else
        AN_TRY(an_agency_find(tx, ending->agency, r->arena, &agency, reterr));
    AN_TRY(print_body(tx, r, &event_table[event], ending, &body, reterr));
    struct an_notice notice = {.key = key, .kind = kind, .about = ending->about, .to_role = role,
                               .to_name = subscriber ? ending->name : agency.name,
                               .address = subscriber ? ending->email : agency.email,
                               .subject = event_table[event].subject,
                               .body = (const char *)body.ptr, .citation = r->rule->citation, .at = r->desk->at};
    AN_TRY(an_notice_add(tx, &notice, request_mail_host(r->desk->instance), &id, reterr));
    r->told += id != 0;
    return AN_OK;
}

static an_code
tell_rule(struct an_tx *tx, struct reminding *r, size_t event, struct an_err *reterr)
{
    for (size_t i = 0; i < r->endings.count; i++) {
        bool found = false;
        an_arena_reset(r->arena);
        AN_TRY(find_subscriber(tx, r, &r->endings.items[i], &found, reterr));
        for (size_t to = 0; found && to < r->rule->to_count; to++)
            AN_TRY(tell_one(tx, r, event, &r->endings.items[i], r->rule->to[to], reterr));
    }
    return AN_OK;
}

/* One kind of ending within the band of a rule. seen: up to where the last run looked; AN_TIME_NONE = there was
 * none. */
static an_code
run_event(struct an_tx *tx, struct reminding *r, size_t event, an_time seen, struct an_err *reterr)
{
    const struct event *row = &event_table[event];
    an_time from = r->desk->at + r->rule->lower * DAY, until = r->desk->at + r->rule->days * DAY;
    an_time past = seen == AN_TIME_NONE ? from : seen;
    struct an_value values[] = {AN_V_INT(from), AN_V_INT(until), AN_V_INT(past), AN_V_INT(past - r->rule->days * DAY)};

    r->endings.count = 0;
    AN_TRY(an_tx_each(tx, row->statement, values, row->by_job ? 4 : 2, row->take, r, reterr));
    return tell_rule(tx, r, event, reterr);
}

/* What has come within the band of the rule. */
static an_code
run_rule(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct reminding *r = context;
    AN_CLEANUP(an_free_ptr) char *job = an_asprintf("reminder:%s:%lld", r->rule->event, (long long)r->rule->days);
    an_time seen = AN_TIME_NONE;

    r->told = 0;
    AN_TRY(an_notice_job_find(tx, job, &seen, reterr));
    for (size_t event = 0; event < AN_COUNT(event_table); event++)
        if (strcmp(event_table[event].event, r->rule->event) == 0 &&
            event_table[event].has_ended == (r->rule->days == 0))
            AN_TRY(run_event(tx, r, event, seen, reterr));
    return an_notice_job_put(tx, job, r->desk->at + r->rule->days * DAY, r->desk->at, reterr);
}

an_code
request_remind(const struct an_desk *desk, size_t *ret_told, struct an_err *reterr)
{
    struct reminding r = {.desk = desk, .arena = an_arena_new(0)};
    an_code code = an_reminder_each(desk->instance->regulations, desk->instance->config.regulation, desk->at, keep_rule,
                                    &r, reterr);

    *ret_told = 0;
    find_bands(&r);
    for (size_t i = 0; i < r.count && code == AN_OK; i++) {
        r.rule = &r.rules[i];
        code = an_store_write(desk->instance->store, run_rule, &r, reterr);
        *ret_told += code == AN_OK ? r.told : 0;
    }
    endings_done(&r.endings);
    an_arena_free(&r.arena);
    return code;
}
