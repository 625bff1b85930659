#include "service/certification/status_internal.h"

#include "service/instance/checkpoint.h"

#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>

#define CHANGES_MAX 10000 /* as the statement has it */

void
status_say(const struct an_status *status, const char *event, const char *fmt, ...)
{
    char detail[512];
    va_list args;

    if (status->log == NULL)
        return;
    va_start(args, fmt);
    vsnprintf(detail, sizeof(detail), fmt, args);
    va_end(args);
    status->log(status->log_context, event, detail);
}

/* ---- opening ---- */
static an_code
note_number(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    *(int64_t *)context = an_row_int(row, 0);
    return AN_OK;
}

static an_code
read_last(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_tx_one(tx, AN_SQL_REVOCATION_LAST, NULL, 0, note_number, context, NULL, reterr);
}

an_code
an_status_open(struct an_instance *instance, struct an_keys *keys, an_status_log_fn log, void *context,
               struct an_status **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *last_file = an_instance_path(instance, "run/clock-last");
    struct an_status *status = AN_NEW(struct an_status);
    an_code code;

    *status = (struct an_status){.instance = instance, .keys = keys, .log = log, .log_context = context,
                                 .lists_until = AN_TIME_NONE};
    pthread_mutex_init(&status->refresh_lock, NULL);
    pthread_mutex_init(&status->set_lock, NULL);
    code = an_config_read_serve(&instance->config, &status->serve, reterr);
    if (code == AN_OK)
        code = an_config_read_stamp(&instance->config, &status->stamp, reterr);
    if (code == AN_OK)
        code = an_status_watch_open(instance->dir, &status->watch, reterr);
    if (code == AN_OK) {
        status->seen = an_status_watch_count(status->watch);
        code = an_store_read(instance->store, read_last, &status->sequence, reterr);
    }
    if (code == AN_OK) /* first: what is added meanwhile is seen at the next look */
        code = status_set_mark(status, status->mark, reterr);
    if (code == AN_OK)
        code = status_set_load(status, &status->set, reterr);
    status->clock = an_clock_new(&(struct an_clock_rules){.check = (enum an_clock_check)status->stamp.check,
                                                          .file = status->stamp.clock_file, .last_file = last_file,
                                                          .offset_ms_max = status->stamp.offset_ms_max,
                                                          .file_seconds_max = status->stamp.clock_file_seconds});
    status->answers = an_answers_new((size_t)status->serve.ocsp_cache_mb << 20);
    if (code != AN_OK) {
        an_status_close(&status);
        return code;
    }
    if (!an_clock_is_proven((enum an_clock_check)status->stamp.check))
        status_say(status, "clock.unproven",
                   "nobody vouches for the clock; production needs time_stamp: clock: kernel or file");
    *ret = status;
    return AN_OK;
}

void
an_status_close(struct an_status **status)
{
    struct an_status *own = *status;

    if (own == NULL)
        return;
    status_set_drop(own->set);
    an_status_watch_close(&own->watch);
    an_answers_free(&own->answers);
    an_clock_free(&own->clock);
    pthread_mutex_destroy(&own->refresh_lock);
    pthread_mutex_destroy(&own->set_lock);
    free(own->lists);
    free(own);
    *status = NULL;
}

const struct an_config_serve *
an_status_config(const struct an_status *status)
{
    return &status->serve;
}

/* ---- changes ---- */
struct changes { struct an_status *status; int64_t sequence; size_t count; };

static an_code
drop_answers(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct changes *changes = context;

    (void)reterr;
    changes->sequence = an_row_int(row, 0);
    changes->count++;
    an_answers_drop(changes->status->answers, an_row_int(row, 1), an_row_blob(row, 2));
    return AN_OK;
}

static an_code
read_changes(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct changes *changes = context;
    const struct an_value from[] = {AN_V_INT(changes->status->sequence)};

    changes->count = 0;
    return an_tx_each(tx, AN_SQL_REVOCATION_SINCE, from, AN_COUNT(from), drop_answers, changes, reterr);
}

/* What was changed since the last look is forgotten here. The count is taken before: a change announced meanwhile is
 * looked for again. */
an_code
status_refresh(struct an_status *status, struct an_err *reterr)
{
    uint64_t count = an_status_watch_count(status->watch);
    struct changes changes = {.status = status, .count = CHANGES_MAX};
    an_code code = AN_OK;

    pthread_mutex_lock(&status->refresh_lock);
    changes.sequence = status->sequence;
    while (code == AN_OK && changes.count == CHANGES_MAX) {
        code = an_store_read(status->instance->store, read_changes, &changes, reterr);
        if (code == AN_OK)
            status->sequence = changes.sequence;
    }
    if (code == AN_OK)
        __atomic_store_n(&status->seen, count, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&status->refresh_lock);
    return code;
}

static bool
is_fresh(const struct an_status *status)
{
    return an_status_watch_count(status->watch) == __atomic_load_n(&status->seen, __ATOMIC_ACQUIRE);
}

/* ---- status of one certificate ---- */
struct lookup { int64_t authority; an_bytes serial; struct an_known_status *known; struct an_buf *answer;
               an_time next_update; };

static an_code
note_status(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct an_known_status *known = ((struct lookup *)context)->known;
    int64_t status = an_row_int(row, 0);

    (void)reterr;
    known->is_issued = true;
    known->is_revoked = status == 1 || status == 2;
    known->at = an_row_int(row, 1);
    known->reason = status == 2 ? AN_REASON_HOLD : (enum an_crl_reason)an_row_int(row, 2);
    return AN_OK;
}

/* context: the transaction in which all requests of a round are looked up. */
static an_code
find_status(void *context, int64_t authority, an_bytes serial, struct an_known_status *ret, struct an_err *reterr)
{
    struct an_tx *tx = context;
    const struct an_value who[] = {AN_V_BLOB(serial), AN_V_INT(authority)};
    struct lookup lookup = {.known = ret};
    bool found = false;

    *ret = (struct an_known_status){0};
    AN_TRY(an_tx_one(tx, AN_SQL_STATUS_CERTIFICATE, who, AN_COUNT(who), note_status, &lookup, &found, reterr));
    if (!found)
        AN_TRY(an_tx_one(tx, AN_SQL_STATUS_AUTHORITY_CERTIFICATE, who, AN_COUNT(who), NULL, NULL, &ret->is_issued,
                         reterr));
    return AN_OK;
}

/* ---- answers signed beforehand ---- */
static an_code
note_answer(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct lookup *lookup = context;

    (void)reterr;
    lookup->next_update = an_row_int(row, 0);
    an_buf_append(lookup->answer, an_row_blob(row, 1));
    return AN_OK;
}

static an_code
read_answer(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct lookup *lookup = context;
    const struct an_value who[] = {AN_V_INT(lookup->authority), AN_V_BLOB(lookup->serial)};

    an_buf_reset(lookup->answer);
    return an_tx_one(tx, AN_SQL_OCSP_ANSWER_FIND, who, AN_COUNT(who), note_answer, context, NULL, reterr);
}

/* The CertID as it was asked must be the one that was answered, and the signer the one of today: answers that an
 * earlier one made beforehand are true, but who renews a signer wants to see the new one at once. */
static bool
fits(an_bytes answer, an_bytes request, const struct an_respond_authority *responder)
{
    struct an_ocsp_query query;
    an_bytes nonce;
    size_t count = 0;

    return an_ocsp_request_parse(request, &query, 1, &count, &nonce, NULL) == AN_OK && count == 1 &&
           an_bytes_find(answer, query.cert_id, 0) != SIZE_MAX &&
           (responder->signer == responder->issuer ||
            an_bytes_find(answer, responder->signer->der, 0) != SIZE_MAX);
}

static bool
find_beforehand(struct an_status *status, const struct status_set *set, an_bytes request, an_time now,
                struct an_buf *ret, struct an_respond_note *note)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(AN_LIMIT_OCSP_BYTES);
    struct lookup lookup = {.serial = an_respond_serial(request), .answer = &answer};

    for (size_t i = 0; lookup.serial.len != 0 && i < set->responder_count; i++) {
        lookup.authority = set->responders[i]->id;
        if (an_store_read(status->instance->store, read_answer, &lookup, NULL) != AN_OK || answer.len == 0 ||
            lookup.next_update - now < status->serve.ocsp_minutes * 30 ||
            !fits(an_buf_view(&answer), request, set->responders[i]))
            continue;
        const struct an_cert *signer = set->responders[i]->signer; /* as an_respond_until cut it when it was made */
        *note = (struct an_respond_note){.may_keep = true, .authority = lookup.authority, .serial = lookup.serial,
                                         .next_update = lookup.next_update < signer->not_after ? lookup.next_update
                                         : signer->not_after,
                                         .this_update = lookup.next_update - status->serve.ocsp_minutes * 60};
        an_buf_append(ret, an_buf_view(&answer));
        return true;
    }
    return false;
}

/* ---- answering ---- */
/* Requests of one round that nothing kept answers. */
struct round {
    struct an_status *status;
    struct status_set *set;
    struct an_respond_draft *drafts;
    size_t count;
    an_time now;
};

/* May be run again from its start. */
static an_code
draft_all(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct round *round = context;
    struct an_responder responder = {.authorities = round->set->responders, .count = round->set->responder_count,
                                     .find = find_status, .context = tx,
                                     .fresh_seconds = round->status->serve.ocsp_minutes * 60};

    for (size_t i = 0; i < round->count; i++) {
        an_respond_draft_done(&round->drafts[i]);
        an_buf_reset(round->drafts[i].ret);
        AN_TRY(an_respond_draft(&responder, round->now, &round->drafts[i], reterr));
    }
    return AN_OK;
}

/* Fills answers, which were empty, and what they say. */
static void
sign_round(struct round *round)
{
    struct an_err err = {0};
    an_code code = an_store_read(round->status->instance->store, draft_all, round, &err);

    if (code == AN_OK)
        an_respond_finish(round->drafts, round->count);
    for (size_t i = 0; i < round->count; i++) {
        struct an_respond_draft *draft = &round->drafts[i];
        if (code != AN_OK) {
            draft->code = code;
            draft->err = err;
        }
        __atomic_add_fetch(draft->code == AN_OK && draft->note.status == AN_RESPOND_DONE
                           ? &round->status->signed_answers : &round->status->refused, 1, __ATOMIC_RELAXED);
        an_respond_draft_done(draft);
    }
}

static void
put_date(struct an_buf *out, const char *name, an_time when)
{
    static const char days[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
                                       "Dec"};
    struct an_date date = an_date_of(when, 0);

    an_buf_printf(out, "%s: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", name, days[when / 86400 % 7], date.day,
                  months[date.month - 1], date.year, date.hour,
                  date.minute, date.second);
}

void
an_status_etag(an_bytes answer, char ret[static 33])
{
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(AN_SHA256, answer, digest);
    for (size_t i = 0; i < 16; i++)
        snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static void
keep_answer(struct an_status *status, const struct an_respond_note *note, an_bytes request, an_bytes answer,
            uint64_t mark)
{
    AN_CLEANUP(an_buf_free) struct an_buf headers = an_buf_new(512);
    char etag[33];

    an_status_etag(answer, etag);
    put_date(&headers, "Last-Modified", note->this_update);
    put_date(&headers, "Expires", note->next_update);
    an_buf_printf(&headers, "ETag: \"%s\"\r\n", etag);
    an_answers_put(status->answers, &(struct an_answer_kept){.authority = note->authority, .serial = note->serial,
                                                             .request = request, .answer = answer,
                                                             .headers = an_buf_view(&headers),
                                                             .this_update = note->this_update,
                                                             .next_update = note->next_update}, mark);
}

struct found { struct an_buf *ret; struct an_respond_note *note; };

static void
take_found(void *context, const struct an_answer_kept *kept)
{
    const struct found *found = context;

    an_buf_append(found->ret, kept->answer);
    *found->note = (struct an_respond_note){.may_keep = true, .authority = kept->authority,
                                            .this_update = kept->this_update, .next_update = kept->next_update};
}

static bool
find_kept(struct an_status *status, an_bytes request, an_time now, struct an_buf *ret, struct an_respond_note *note)
{
    struct found found = {ret, note};
    an_bytes serial = an_respond_serial(request);

    if (serial.len == 0 || !an_answers_find(status->answers, serial, request, now, take_found, &found))
        return false;
    note->serial = serial;
    return true;
}

static void
end_turn(struct an_status *status, struct an_status_turn *turn, uint64_t mark)
{
    if (turn->code == AN_OK) {
        if (turn->note.may_keep)
            keep_answer(status, &turn->note, turn->request, an_buf_view(turn->ret), mark);
        return;
    }
    an_buf_reset(turn->ret);
    turn->note = (struct an_respond_note){.status = AN_RESPOND_INTERNAL};
    an_respond_refuse(AN_RESPOND_INTERNAL, turn->ret);
}

/* What nobody kept and nobody signed beforehand is signed now, all together. */
static void
answer_open(struct an_status *status, struct an_status_turn *const *open, size_t count, an_time now)
{
    AN_UNZEROED struct an_respond_draft drafts[AN_SIGNINGS_MAX]; /* the first round.count are filled */
    struct an_status_turn *left[AN_SIGNINGS_MAX];
    struct round round = {.status = status, .set = status_set_take(status), .drafts = drafts, .now = now};
    uint64_t mark = an_answers_mark(status->answers);

    for (size_t i = 0; i < count; i++) {
        if (find_beforehand(status, round.set, open[i]->request, now, open[i]->ret, &open[i]->note)) {
            end_turn(status, open[i], mark);
            continue;
        }
        drafts[round.count] = (struct an_respond_draft){.request = open[i]->request, .ret = open[i]->ret};
        left[round.count++] = open[i];
    }
    if (round.count != 0)
        sign_round(&round);
    for (size_t i = 0; i < round.count; i++) {
        /* cppcheck-suppress uninitvar ; filled where round.count grew */
        left[i]->code = drafts[i].code;
        left[i]->note = drafts[i].note;
        if (drafts[i].code != AN_OK)
            left[i]->err = drafts[i].err;
        end_turn(status, left[i], mark);
    }
    status_set_drop(round.set);
}

void
an_status_answer_many(struct an_status *status, struct an_status_turn *turns, size_t count)
{
    struct an_status_turn *open[AN_SIGNINGS_MAX];
    struct an_err err = {0};
    an_time now = an_time_now();
    an_code code = is_fresh(status) ? AN_OK : status_refresh(status, &err);
    size_t many = 0;

    for (size_t i = 0; i < count; i++) {
        turns[i].code = code;
        turns[i].note = (struct an_respond_note){0};
        if (code != AN_OK) {
            turns[i].err = err;
            end_turn(status, &turns[i], 0);
        } else if (!find_kept(status, turns[i].request, now, turns[i].ret, &turns[i].note)) {
            open[many++] = &turns[i];
        }
    }
    if (many != 0)
        answer_open(status, open, many, now);
}

an_code
an_status_answer(struct an_status *status, an_bytes request, struct an_buf *ret, struct an_respond_note *ret_note,
                 struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf answer = an_buf_new(AN_LIMIT_OCSP_BYTES);
    struct an_status_turn turn = {.request = request, .ret = &answer};

    an_status_answer_many(status, &turn, 1);
    an_buf_append(ret, an_buf_view(&answer));
    *ret_note = turn.note;
    return turn.code == AN_OK ? AN_OK : an_err_set(reterr, turn.code, "%s", turn.err.detail);
}

struct taking { an_status_take_fn take; void *context; an_time now; };

static void
take_kept(void *context, const struct an_answer_kept *kept)
{
    const struct taking *taking = context;

    taking->take(taking->context, kept->headers, kept->answer, kept->next_update - taking->now);
}

bool
an_status_quick(struct an_status *status, an_bytes request, an_time now, an_status_take_fn take, void *context)
{
    struct taking taking = {.take = take, .context = context, .now = now};
    an_bytes serial;

    if (!is_fresh(status))
        return false;
    serial = an_respond_serial(request);
    if (serial.len == 0 || !an_answers_find(status->answers, serial, request, now, take_kept, &taking))
        return false;
    __atomic_add_fetch(&status->quick, 1, __ATOMIC_RELAXED);
    return true;
}

/* ---- stamps ---- */
void
an_status_stamp_many(struct an_status *status, struct an_tsa_turn *turns, size_t count)
{
    struct status_set *set = status_set_take(status);

    if (set->stamper == NULL)
        for (size_t i = 0; i < count; i++)
            turns[i].code = an_err_set(&turns[i].err, AN_E_TSA_SETUP, "no time-stamping authority with its key");
    else
        an_tsa_answer_many(&(struct an_tsa){.key = set->stamper->stamp_signer, .cert = set->stamper->cert,
                                            .chain = &set->stamper->chain,
                                            .policy_oid = status->stamp.policy,
                                            .accuracy_ms = status->stamp.accuracy_ms,
                                            .ordering = status->stamp.ordering},
                           status->clock, turns, count);
    for (size_t i = 0; i < count && set->stamper != NULL; i++)
        __atomic_add_fetch(turns[i].code == AN_OK ? &status->stamps : &status->stamp_refusals, 1, __ATOMIC_RELAXED);
    status_set_drop(set);
}

/* ---- the rest ---- */
void
an_status_delegate(struct an_status *status, void (*tell)(enum an_status_word word))
{
    status->tell = tell;
}

/* The head of the audit log is signed when it is due; looked at once a minute. Without a signer there is nothing to
 * do. */
static void
tick_checkpoint(struct an_status *status, an_time now)
{
    struct an_err err = {0};
    bool due = false, is_stamped = false;
    int64_t size;
    an_code code;

    if (now - status->checkpoint_looked_at < 60)
        return;
    status->checkpoint_looked_at = now;
    code = an_checkpoint_is_due(status->instance, &due, &is_stamped, &err);
    if (code == AN_OK && due && is_stamped && status->tell != NULL)
        status->tell(AN_STATUS_CHECKPOINT);
    else if (code == AN_OK && due)
        code = an_checkpoint_make(status->instance, status->keys, &size, &is_stamped, &err);
    if (code != AN_OK && code != AN_E_CHECKPOINT_SIGNER)
        status_say(status, "audit", "%s: %s", an_message_find(code)->symbol, err.detail);
}

void
an_status_tick(struct an_status *status)
{
    an_time now = an_time_now();
    struct an_err err = {0};

    if (status_refresh(status, &err) != AN_OK)
        status_say(status, "store", "%s: %s", an_message_find(err.code)->symbol, err.detail);
    status_set_refresh(status, now);
    status_lists_tick(status, now);
    tick_checkpoint(status, now);
}

bool
an_status_certificate(struct an_status *status, const char *name, struct an_buf *ret)
{
    struct status_set *set = status_set_take(status);
    bool found = false;

    for (size_t i = 0; i < set->count && !found; i++) {
        found = strcmp(set->items[i].name, name) == 0;
        if (found)
            an_buf_append(ret, set->items[i].cert->der);
    }
    status_set_drop(set);
    return found;
}

void
an_status_note_token(struct an_status *status, bool hangs)
{
    __atomic_store_n(&status->token_hangs, hangs, __ATOMIC_RELAXED);
}

void
an_status_health(struct an_status *status, struct an_status_health *ret)
{
    struct status_set *set = status_set_take(status);
    an_time now;
    int now_ms;

    *ret = (struct an_status_health){.authorities = set->count, .without_key = set->lacking,
                                     .has_stamping = set->stamper != NULL,
                                     .is_clock_proven = an_clock_is_proven((enum an_clock_check)status->stamp.check),
                                     .token_hangs = __atomic_load_n(&status->token_hangs, __ATOMIC_RELAXED),
                                     .answers_kept = an_answers_count(status->answers),
                                     .lists_until = __atomic_load_n(&status->lists_until, __ATOMIC_ACQUIRE)};
    ret->clock.code = an_clock_read(status->clock, &now, &now_ms, &ret->clock);
    status_set_drop(set);
}

void
an_status_metrics(struct an_status *status, struct an_buf *out)
{
    struct an_status_health health;
    const struct { const char *name, *type; const uint64_t *value; } counters[] = {
        {"antin_ocsp_kept_total", "counter", &status->quick}, {"antin_ocsp_signed_total", "counter", &status->signed_answers},
        {"antin_ocsp_refused_total", "counter", &status->refused}, {"antin_stamps_total", "counter", &status->stamps},
        {"antin_stamp_refusals_total", "counter", &status->stamp_refusals},
    };

    an_status_health(status, &health);
    for (size_t i = 0; i < AN_COUNT(counters); i++)
        an_buf_printf(out, "# TYPE %s %s\n%s %llu\n", counters[i].name, counters[i].type, counters[i].name,
                      (unsigned long long)__atomic_load_n(counters[i].value, __ATOMIC_RELAXED));
    an_buf_printf(out,
                  "# TYPE antin_ocsp_answers gauge\nantin_ocsp_answers %zu\n# TYPE antin_authorities gauge\nantin_authorities %zu\n"
                       "# TYPE antin_authorities_without_key gauge\nantin_authorities_without_key %zu\n"
                       "# TYPE antin_token_hangs gauge\nantin_token_hangs %d\n# TYPE antin_clock_trusted gauge\nantin_clock_trusted %d\n",
                  health.answers_kept, health.authorities, health.without_key, health.token_hangs,
                  health.clock.code == AN_OK);
    if (health.lists_until != AN_TIME_NONE)
        an_buf_printf(out, "# TYPE antin_crl_next_update_seconds gauge\nantin_crl_next_update_seconds %lld\n",
                      (long long)health.lists_until);
}

/* ---- first answers ---- */
an_code
an_status_first_make(struct an_status *status, int64_t authority, an_bytes serial, an_time now, struct an_buf *ret,
                     struct an_err *reterr)
{
    struct status_set *set = status_set_take(status);
    an_code code = AN_OK;

    for (size_t i = 0; i < set->responder_count; i++)
        if (set->responders[i]->id == authority)
            code = an_respond_beforehand(set->responders[i], serial, now, status->serve.ocsp_minutes * 60, ret, reterr);
    status_set_drop(set);
    return code; /* an authority that nobody answers for gets none */
}

an_code
an_status_first_put(struct an_status *status, struct an_tx *tx, int64_t certificate, an_bytes answer, an_time now,
                    struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(certificate), AN_V_INT(now + status->serve.ocsp_minutes * 60),
                                      AN_V_BLOB(answer)};

    return answer.len == 0 ? AN_OK : an_tx_run(tx, AN_SQL_OCSP_ANSWER_INSERT, values, AN_COUNT(values), NULL, reterr);
}
