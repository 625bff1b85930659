/* Revoking, holding, releasing, expiring. */
#include "service/certification/certify_internal.h"

#include <stdio.h>

#include "ca/revocation.h"

#define EXPIRE_AT_ONCE 500 /* rows a commit: others wait for no longer than that takes */

an_code
certify_status_in(struct an_tx *tx, const struct an_certificate *certificate, enum an_certificate_status to,
                  const struct an_ground *ground, an_time invalid_since, an_time now,
                  struct an_err *reterr)
{
    static const enum an_status_kind kinds[] = {[AN_CERTIFICATE_GOOD] = AN_STATUS_RELEASE,
                                                [AN_CERTIFICATE_REVOKED] = AN_STATUS_REVOKE,
                                                [AN_CERTIFICATE_HELD] = AN_STATUS_HOLD};
    const struct an_status_change change = {.authority = certificate->authority, .partition = certificate->partition,
                                            .serial = certificate->serial, .kind = kinds[to],
                                            .reason = ground ? ground->reason : AN_REASON_UNSPECIFIED, .at = now,
                                            .invalidity_date = invalid_since};

    AN_TRY(an_register_set_status(tx, certificate->id, certificate->status, to, now, ground, reterr));
    return an_revocation_record(tx, &change, reterr);
}

struct withdrawing {
    struct an_certifier *certifier;
    const struct an_withdraw *what;
    const char *act, *citation;
    enum an_certificate_status to;
    const struct an_ground *ground;
    an_bytes serial;
    an_time now;
};

/* From which status it may go to which. */
static an_code
check_change(const struct an_certificate *certificate, enum an_certificate_status to, struct an_err *reterr)
{
    enum an_certificate_status from = certificate->status;
    bool may = to == AN_CERTIFICATE_GOOD ? from == AN_CERTIFICATE_HELD : to == AN_CERTIFICATE_HELD
            ? from == AN_CERTIFICATE_GOOD : from == AN_CERTIFICATE_GOOD || from == AN_CERTIFICATE_HELD;

    if (!may)
        AN_FAIL(reterr, AN_E_CERTIFY_STATUS, "%s → %s", an_certificate_status_name(from),
                an_certificate_status_name(to));
    return AN_OK;
}

static an_code
withdraw_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct withdrawing *w = context;
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_CERT_BYTES * 4);
    const struct an_reliance *reliance = w->what->reliance;
    struct an_certificate certificate;
    const char *ground = w->ground ? w->ground->id : "";
    char detail[128];
    struct an_quorum quorum;
    bool is_new = false;

    AN_TRY(an_quorum_load(tx, &quorum, reterr));
    AN_TRY(an_quorum_require(&quorum, w->act, reliance, reterr));
    AN_TRY(certify_rely(tx, reliance, reterr));
    AN_TRY(an_register_find(tx, w->serial, arena, &certificate, reterr));
    AN_TRY(an_register_act(tx, w->what->request_key, certificate.id, w->act, ground, reliance ? reliance->matter : 0,
                           w->now, &is_new, reterr));
    if (!is_new)
        return AN_OK;
    AN_TRY(check_change(&certificate, w->to, reterr));
    AN_TRY(certify_status_in(tx, &certificate, w->to, w->ground, w->what->invalid_since, w->now, reterr));
    snprintf(detail, sizeof(detail), "{\"ground\":\"%s\",\"reason\":\"%s\"}", ground,
             w->ground ? an_reason_name(w->ground->reason) : "removeFromCRL");
    return certify_audit(tx, w->act, &w->what->actor, certificate.serial, w->ground ? w->ground->citation : w->citation,
                         detail, w->now, reterr);
}

static an_code
withdraw(struct an_certifier *certifier, const struct an_withdraw *what, const char *act, enum an_certificate_status to,
         const char *ground, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf serial = an_buf_new(AN_LIMIT_SERIAL_BYTES);
    struct withdrawing w = {.certifier = certifier, .what = what, .act = act, .to = to, .now = an_time_now()};

    AN_TRY(certify_check_key(what->request_key, reterr));
    AN_TRY(an_rules_require(certifier->rules, act, what->actor.role, &w.citation, reterr));
    if (ground != NULL)
        AN_TRY(an_rules_ground(certifier->rules, ground, &w.ground, reterr));
    if (to == AN_CERTIFICATE_REVOKED && (w.ground == NULL || w.ground->reason == AN_REASON_HOLD))
        AN_FAIL(reterr, AN_E_CA_GROUND, "%s", ground ? ground : "-");
    if (to == AN_CERTIFICATE_HELD && w.ground->reason != AN_REASON_HOLD)
        AN_FAIL(reterr, AN_E_CA_GROUND, "%s", ground);
    AN_TRY(an_serial_parse(what->serial, &serial, reterr));
    w.serial = an_buf_view(&serial);
    AN_TRY(an_store_write(certifier->setup.store, withdraw_in, &w, reterr));
    if (certifier->setup.announce != NULL)
        certifier->setup.announce(certifier->setup.announce_context);
    return AN_OK;
}

an_code
an_certify_revoke(struct an_certifier *certifier, const struct an_withdraw *what, struct an_err *reterr)
{
    return withdraw(certifier, what, "certificate.revoke", AN_CERTIFICATE_REVOKED, what->ground, reterr);
}

an_code
an_certify_hold(struct an_certifier *certifier, const struct an_withdraw *what, struct an_err *reterr)
{
    return withdraw(certifier, what, "certificate.hold", AN_CERTIFICATE_HELD, what->ground ? what->ground : "tam-dung",
                    reterr);
}

an_code
an_certify_release(struct an_certifier *certifier, const struct an_withdraw *what, struct an_err *reterr)
{
    return withdraw(certifier, what, "certificate.release", AN_CERTIFICATE_GOOD, NULL, reterr);
}

/* ---- the end of a certificate ---- */
struct expiring { int64_t ids[EXPIRE_AT_ONCE]; size_t count; an_time now; const char *citation; };

static an_code
keep_id(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct expiring *e = context;

    (void)reterr;
    e->ids[e->count++] = an_row_int(row, 0);
    return AN_OK;
}

static an_code
expire_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    static const struct an_actor nobody = {"system", "he-thong"};
    struct expiring *e = context;

    e->count = 0;
    AN_TRY(an_tx_each(tx, AN_SQL_CERTIFICATE_EXPIRED, (const struct an_value[]){AN_V_INT(e->now),
            AN_V_INT(EXPIRE_AT_ONCE)}, 2, keep_id, e, reterr));
    for (size_t i = 0; i < e->count; i++) {
        AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(AN_LIMIT_CERT_BYTES * 4);
        struct an_certificate certificate;
        AN_TRY(an_register_by_id(tx, e->ids[i], arena, &certificate, reterr));
        AN_TRY(an_register_set_status(tx, certificate.id, certificate.status, AN_CERTIFICATE_EXPIRED, e->now, NULL,
                                      reterr));
        AN_TRY(certify_audit(tx, "certificate.expire", &nobody, certificate.serial, e->citation, "", e->now, reterr));
    }
    return AN_OK;
}

an_code
an_certify_expire(struct an_store *store, an_time now, int64_t *ret_count, struct an_err *reterr)
{
    AN_CLEANUP(an_profiles_free) struct an_profiles *profiles = NULL;
    AN_CLEANUP(an_rules_free) struct an_rules *rules = NULL;
    struct expiring e = {.now = now};

    *ret_count = 0;
    AN_TRY(an_profiles_open(NULL, &profiles, reterr));
    AN_TRY(an_rules_open(profiles, &rules, reterr));
    AN_TRY(an_rules_require(rules, "certificate.expire", "he-thong", &e.citation, reterr));
    do {
        AN_TRY(an_store_write(store, expire_in, &e, reterr));
        *ret_count += (int64_t)e.count;
    } while (e.count == EXPIRE_AT_ONCE);
    return AN_OK;
}

/* ---- looking ---- */
struct finding { an_bytes serial; struct an_arena *arena; struct an_certificate *ret; };

static an_code
find_in(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct finding *f = context;

    return an_register_find(tx, f->serial, f->arena, f->ret, reterr);
}

an_code
an_certify_find(struct an_certifier *certifier, const char *serial, struct an_arena *arena, struct an_certificate *ret,
                struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf octets = an_buf_new(AN_LIMIT_SERIAL_BYTES);
    struct finding f = {.arena = arena, .ret = ret};

    AN_TRY(an_serial_parse(serial, &octets, reterr));
    f.serial = an_buf_view(&octets);
    return an_store_read(certifier->setup.store, find_in, &f, reterr);
}
