/* Who is told what about a dossier; and the daily work: reminders, overdue dossiers, what a crash left, letters. */
#include "service/registration/request_internal.h"

#include "service/certification/certify.h"
#include "service/registration/mail.h"
#include "service/registration/registry.h"

#include <stdio.h>

#define LATE_AT_ONCE 1000 /* told of in one transaction */

const char *
request_mail_host(const struct an_instance *instance)
{
    struct an_config_mail mail;
    const char *at;

    if (an_config_read_mail(&instance->config, &mail, NULL) != AN_OK)
        return "localhost";
    at = strchr(mail.from, '@');
    return at != NULL && at[1] != '\0' ? at + 1 : "localhost";
}

an_code
request_find_body(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request, const char *role,
                  struct an_arena *arena, struct an_agency *ret, bool *ret_found, struct an_err *reterr)
{
    const char *code = strcmp(role, "qltt") == 0 || strcmp(role, "sender") == 0 || strcmp(role, "thu-truong") == 0
        ? request->agency : an_config_body(&desk->instance->config, role);
    bool closed = false;

    *ret_found = code[0] != '\0';
    return *ret_found ? an_agency_find_code(tx, code, arena, ret, &closed, reterr) : AN_OK;
}

an_code
request_notify(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request,
               const struct request_word *word, struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    struct an_agency agency = {0};
    const char *kind_name = an_request_kind_name(request->kind, false);
    AN_CLEANUP(an_free_ptr) char *key = an_asprintf("request:%lld:%lld:%s%s%s:%s", (long long)request->id,
                                                    (long long)request->round, word->what, word->part ? ":" : "",
                                                    word->part ? word->part : "", word->role);
    AN_CLEANUP(an_free_ptr) char *kind = an_asprintf("request.%s", word->what);
    AN_CLEANUP(an_free_ptr) char *about = an_asprintf("request:%lld", (long long)request->id);
    bool has_number = request->number[0] != '\0'; /* a draft that waits for one */
    AN_CLEANUP(an_free_ptr) char *title = an_asprintf("%s (%s%s%s)", word->subject, request->number,
                                                      has_number ? ", " : "", kind_name);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(512 * 1024), cite = an_buf_new(2048);
    bool found = false;
    int64_t id = 0;

    AN_TRY(request_find_body(desk, tx, request, word->role, arena, &agency, &found, reterr));
    if (word->citation[0] != '\0')
        an_citation_text(desk->instance->regulations, word->citation, false, &cite);
    an_buf_printf(&text, "Kính gửi: %s\n\nHồ sơ %s%s%s(%s), mã request:%lld.\n%s\n", found ? agency.name : word->role,
                  has_number ? "số " : "", request->number, has_number ? " " : "", kind_name, (long long)request->id,
                  word->body);
    if (cite.len > 0)
        an_buf_printf(&text, "\nCăn cứ: %.*s.\n", AN_FMT(an_buf_view(&cite)));
    an_buf_byte(&text, 0);
    struct an_notice notice = {.key = key, .kind = kind, .about = about, .to_role = word->role,
                               .to_name = found ? agency.name : "", .address = found ? agency.email : "",
                               .subject = title, .body = (const char *)text.ptr, .citation = word->citation,
                               .document = word->document, .at = desk->at};
    return an_notice_add(tx, &notice, request_mail_host(desk->instance), &id, reterr);
}

/* ---- the daily work ---- */
struct daily {
    struct an_instance *instance;
    struct an_desk desk;
    an_time now;
    struct an_arena *arena;
    int64_t *ids;
    size_t count, capacity;
    size_t told;
};

static void
daily_done(struct daily *d)
{
    an_arena_free(&d->arena);
    free(d->ids);
}

static an_code
gather_id(void *context, const struct an_request_line *line, struct an_err *reterr)
{
    struct daily *d = context;

    (void)reterr;
    if (d->count == d->capacity) {
        d->capacity = d->capacity ? d->capacity * 2 : 64;
        d->ids = an_grow(d->ids, d->capacity, sizeof(*d->ids));
    }
    d->ids[d->count++] = line->id;
    return AN_OK;
}

static an_code
read_overdue(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct daily *d = context;

    d->count = 0;
    return an_request_each_untold(tx, d->now, LATE_AT_ONCE, gather_id, d, reterr);
}

static an_code
read_sent(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct daily *d = context;
    struct an_request_query query = {.state = AN_REQUEST_SENT, .overdue_at = AN_TIME_NONE, .limit = 10000};

    d->count = 0;
    return an_request_each(tx, &query, gather_id, d, reterr);
}

/* Once for each dossier: to the body that is late, and to who filed. */
static an_code
write_overdue(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct daily *d = context;

    d->told = 0;
    for (size_t i = 0; i < d->count; i++) {
        struct an_dossier request;
        bool changed = false;
        AN_TRY(an_request_set_escalated(tx, d->ids[i], d->now, &changed, reterr));
        if (!changed)
            continue;
        an_arena_reset(d->arena);
        AN_TRY(an_request_find(tx, d->ids[i], d->arena, &request, reterr));
        struct request_word word = {.role = request.addressee, .what = "overdue", .subject = "Hồ sơ quá hạn giải quyết",
                                    .body = "Hồ sơ đã quá thời hạn giải quyết theo quy định.",
                                    .citation = request.form_citation};
        AN_TRY(request_notify(&d->desk, tx, &request, &word, reterr));
        word.role = "qltt";
        word.body = "Hồ sơ đã quá thời hạn giải quyết theo quy định; cơ quan giải quyết đã được nhắc.";
        AN_TRY(request_notify(&d->desk, tx, &request, &word, reterr));
        d->told++;
    }
    return AN_OK;
}

/* Those that are told of are told: what is read next is the rest. */
static an_code
tell_overdue(struct daily *d, size_t *ret_told, struct an_err *reterr)
{
    do {
        AN_TRY(an_store_read(d->instance->store, read_overdue, d, reterr));
        if (d->count > 0)
            AN_TRY(an_store_write(d->instance->store, write_overdue, d, reterr));
        *ret_told += d->count > 0 ? d->told : 0;
    } while (d->count == LATE_AT_ONCE);
    return AN_OK;
}

/* What was sent and not looked at yet: a crash came between. */
static an_code
receive_rest(struct daily *d, struct an_err *reterr)
{
    AN_TRY(an_store_read(d->instance->store, read_sent, d, reterr));
    for (size_t i = 0; i < d->count; i++) {
        struct an_request_sent sent = {0};
        an_code code = an_request_receive(d->instance, d->ids[i], d->now, &sent, reterr);
        if (code != AN_OK && code != AN_E_REQUEST_STATE)
            return code;
    }
    return AN_OK;
}

/* What is written to everybody is for those who keep everybody's register. */
static an_code
begin_run(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr)
{
    snprintf(act->object, sizeof(act->object), "notice");
    return act->desk->person != 0 ? an_registry_require(tx, act->desk, act->action, 0, reterr) : AN_OK;
}

an_code
an_notice_run(const struct an_desk *desk, struct an_notice_ran *ret, struct an_err *reterr)
{
    struct an_instance *instance = desk->instance;
    an_time now = desk->at;
    AN_CLEANUP(daily_done) struct daily d = {.instance = instance, .now = now,
                                             .arena = an_arena_new(REQUEST_ARENA_BYTES),
                                             .desk = {.instance = instance, .number = "system", .at = now}};
    struct an_mail_round round = {0};

    *ret = (struct an_notice_ran){0};
    AN_TRY(an_registry_do(desk, "notice.run", begin_run, NULL, reterr));
    AN_TRY(receive_rest(&d, reterr));
    AN_TRY(tell_overdue(&d, &ret->overdue, reterr));
    AN_TRY(request_remind(&d.desk, &ret->reminders, reterr));
    AN_TRY(an_certify_expire(instance->store, now, &ret->expired, reterr)); /* after it was told of */
    AN_TRY(an_mail_run(instance, now, &round, reterr));
    ret->sent = round.sent;
    ret->refused = round.refused;
    ret->later = round.later;
    return AN_OK;
}
