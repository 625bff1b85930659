#include "service/certification/enrol_refusals.h"

#include <pthread.h>
#include <stdio.h>

#include "audit/audit.h"
#include "base/limits.h"
#include "enrol/approval.h"

#define PARTIES_MAX 64 /* more at once are one, called strangers */
#define HOUR 3600
#define STRANGERS "strangers"

/* One party in one hour. */
struct refused_party {
    char name[160];
    an_time since;
    unsigned told, counted;
    int code; /* the last that was only counted */
    char protocol[8];
};
struct an_refusals {
    pthread_mutex_t lock;
    struct refused_party parties[PARTIES_MAX]; /* the last one: strangers */
};

struct an_refusals *
an_refusals_new(void)
{
    struct an_refusals *refusals = AN_NEW(struct an_refusals);

    pthread_mutex_init(&refusals->lock, NULL);
    snprintf(refusals->parties[PARTIES_MAX - 1].name, sizeof(refusals->parties[0].name), STRANGERS);
    return refusals;
}

void
an_refusals_free(struct an_refusals **refusals)
{
    if (*refusals == NULL)
        return;
    pthread_mutex_destroy(&(*refusals)->lock);
    free(*refusals);
    *refusals = NULL;
}

void
an_enrol_party_name(const struct an_enrol_party *party, char *ret, size_t size)
{
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(2 * AN_LIMIT_SERIAL_BYTES + 1);

    if (party->cert != NULL) {
        an_buf_hex(&hex, party->cert->serial);
        snprintf(ret, size, "certificate:%.*s", AN_FMT(an_buf_view(&hex)));
    } else if (party->reference.len > 0) {
        snprintf(ret, size, "enrolment:%.*s", AN_FMT(party->reference));
    } else {
        snprintf(ret, size, "%s", party->peer != NULL && party->peer[0] != '\0' ? party->peer : "?");
    }
}

/* ---- who it was ---- */
static const an_code wrong_secrets[] = {AN_E_CMP_PROTECTION, AN_E_EST_SECRET};

static bool
is_wrong_secret(const struct an_enrol_party *party, an_code code)
{
    bool is_one = false;

    for (size_t i = 0; i < AN_COUNT(wrong_secrets); i++)
        is_one = is_one || wrong_secrets[i] == code;
    /* the reference is one of ours: its secret was compared */
    return is_one && party->cert == NULL && party->reference.len > 0;
}

/* Whose refusals are counted together. A stranger who tries a reference does not use up what its owner may say. */
static void
slot_name(const struct an_enrol_party *party, an_code code, char *ret, size_t size)
{
    char name[150];

    an_enrol_party_name(party, name, sizeof(name));
    if (is_wrong_secret(party, code))
        snprintf(ret, size, "?%s", name);
    else if (party->is_proved || code == AN_E_ENROL_REVOKED)
        snprintf(ret, size, "%s", name);
    else
        snprintf(ret, size, STRANGERS);
}

static bool
is_over(const struct refused_party *party, an_time now)
{
    return now >= party->since + HOUR || now < party->since;
}

/* Its own place, a free one, one of an hour in which nothing was left untold; else that of strangers. */
static struct refused_party *
find_slot(struct an_refusals *refusals, const char *name, an_time now)
{
    struct refused_party *free_one = NULL;

    for (size_t i = 0; i < PARTIES_MAX; i++) {
        struct refused_party *party = &refusals->parties[i];
        if (strcmp(party->name, name) == 0)
            return party;
        if (i < PARTIES_MAX - 1 && (party->name[0] == '\0' || (is_over(party, now) && party->counted == 0)))
            free_one = party;
    }
    if (free_one == NULL)
        return &refusals->parties[PARTIES_MAX - 1];
    *free_one = (struct refused_party){.since = now};
    snprintf(free_one->name, sizeof(free_one->name), "%s", name);
    return free_one;
}

/* True when this one is to be written by itself. */
static bool
count_one(struct an_refusals *refusals, const char *name, const char *protocol, an_code code, an_time now)
{
    struct refused_party *party;
    bool is_told;

    pthread_mutex_lock(&refusals->lock);
    party = find_slot(refusals, name, now);
    if (is_over(party, now) && party->counted == 0) {
        party->told = 0;
        party->since = now;
    }
    is_told = !is_over(party, now) && party->told < AN_LIMIT_ENROL_TOLD;
    if (is_told) {
        party->told++;
    } else {
        party->counted++;
        party->code = (int)code;
        snprintf(party->protocol, sizeof(party->protocol), "%s", protocol);
    }
    pthread_mutex_unlock(&refusals->lock);
    return is_told;
}

/* ---- writing ---- */
struct refusal_job { an_bytes reference; struct an_audit_event event; bool is_told, is_wrong_secret; };

static an_code
refusal_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct refusal_job *job = context;
    bool counts;

    if (job->is_wrong_secret)
        AN_TRY(an_approval_failed(tx, job->reference, &counts, reterr));
    return job->is_told ? an_audit_append(tx, &job->event, reterr) : AN_OK;
}

void
an_refusals_note(struct an_refusals *refusals, struct an_store *store, const struct an_enrol_party *party,
                 const char *protocol,
                 const struct an_err *err, an_time now)
{
    char actor[160], slot[160], detail[100];
    struct refusal_job job = {.reference = party->reference, .is_wrong_secret = is_wrong_secret(party, err->code)};
    const struct an_enrol_party stranger = {.peer = party->peer};

    slot_name(party, err->code, slot, sizeof(slot));
    job.is_told = count_one(refusals, slot, protocol, err->code, now);
    if (!job.is_told) /* not a row, not a commit: a flood costs the database nothing */
        return;
    an_enrol_party_name(strcmp(slot, STRANGERS) == 0 ? &stranger : party, actor, sizeof(actor));
    snprintf(detail, sizeof(detail), "{\"protocol\":\"%s\",\"code\":%d}", protocol, (int)err->code);
    job.event = (struct an_audit_event){.at = now, .action = "enrolment.refuse", .actor = actor, .role = "",
                                        .object = actor, .outcome = "refused",
                                        .citation = an_message_find(err->code)->cite, .detail = detail};
    (void)!an_store_write(store, refusal_in, &job, NULL);
}

static bool
take_untold(struct an_refusals *refusals, size_t at, an_time now, bool is_last, struct refused_party *ret)
{
    struct refused_party *party = &refusals->parties[at];
    bool is_due;

    pthread_mutex_lock(&refusals->lock);
    is_due = party->counted != 0 && (is_last || is_over(party, now));
    if (is_due) {
        *ret = *party;
        party->counted = party->told = 0;
        party->since = now;
    }
    pthread_mutex_unlock(&refusals->lock);
    return is_due;
}

void
an_refusals_tell(struct an_refusals *refusals, struct an_store *store, an_time now, bool is_last)
{
    struct refused_party party;
    char detail[160];

    for (size_t i = 0; i < PARTIES_MAX; i++) {
        if (!take_untold(refusals, i, now, is_last, &party))
            continue;
        const char *name = party.name[0] == '?' ? party.name + 1 : party.name;
        struct refusal_job job = {.is_told = true, .event = {.at = now, .action = "enrolment.refuse", .actor = name,
                                                             .role = "", .object = name,
                                                             .outcome = "refused", .citation = "", .detail = detail}};
        snprintf(detail, sizeof(detail), "{\"protocol\":\"%s\",\"code\":%d,\"count\":%u,\"since\":%lld}",
                 party.protocol, party.code, party.counted,
                 (long long)party.since);
        (void)!an_store_write(store, refusal_in, &job, NULL);
    }
}
