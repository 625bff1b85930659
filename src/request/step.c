/* What stands beside a move: dates, the signed form, what a dossier holds against others, decisions on items. */
#include "request/internal.h"

#include <stdio.h>

static an_code
run_one(struct an_tx *tx, enum an_sql statement, const struct an_value *values, size_t count, int64_t id,
        struct an_err *reterr)
{
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, statement, values, count, &changed, reterr));
    if (changed != 1)
        AN_FAIL(reterr, AN_E_REQUEST_UNKNOWN, "request:%lld", (long long)id);
    return AN_OK;
}

an_code
an_request_set_signed(struct an_tx *tx, int64_t id, const uint8_t document[static 32], const char *signer, an_time at,
                      struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_BLOB(AN_BYTES(document, 32)), AN_V_INT(at), an_v_text(signer)};

    return run_one(tx, AN_SQL_REQUEST_SET_SIGNED, values, AN_COUNT(values), id, reterr);
}

an_code
an_request_set_sent(struct an_tx *tx, int64_t id, an_time at, struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(at)};

    return run_one(tx, AN_SQL_REQUEST_SET_SENT, values, AN_COUNT(values), id, reterr);
}

an_code
an_request_set_received(struct an_tx *tx, int64_t id, an_time received, an_time valid, an_time due,
                        struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(received), request_v_time(valid), request_v_time(due)};

    return run_one(tx, AN_SQL_REQUEST_SET_RECEIVED, values, AN_COUNT(values), id, reterr);
}

an_code
an_request_set_supplement(struct an_tx *tx, int64_t id, const char *reason, struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), an_v_text(reason)};

    return run_one(tx, AN_SQL_REQUEST_SET_SUPPLEMENT, values, AN_COUNT(values), id, reterr);
}

an_code
an_request_set_addressee(struct an_tx *tx, int64_t id, const char *addressee, struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), an_v_text(addressee)};

    return run_one(tx, AN_SQL_REQUEST_SET_ADDRESSEE, values, AN_COUNT(values), id, reterr);
}

an_code
an_request_close(struct an_tx *tx, int64_t id, const char *reason, an_time at, struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(at), an_v_text(reason)};

    AN_TRY(run_one(tx, AN_SQL_REQUEST_SET_CLOSED, values, AN_COUNT(values), id, reterr));
    return an_tx_run(tx, AN_SQL_REQUEST_OPEN_DELETE, values, 1, NULL, reterr);
}

an_code
an_request_set_escalated(struct an_tx *tx, int64_t id, an_time at, bool *ret_changed, struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(at)};
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_REQUEST_SET_ESCALATED, values, AN_COUNT(values), &changed, reterr));
    *ret_changed = changed == 1;
    return AN_OK;
}

/* ---- what is held against other open requests ---- */
/* A renewal and a change concern the same certificate and go into one form (Mẫu 04), so they share a key; a revocation
 * may always be asked for beside them, once. */
static char *
open_key(const struct an_dossier *request, const struct an_request_item *item)
{
    switch (request->kind) {
    case AN_REQUEST_NEW:
        return an_asprintf("new:%s:%s", item->subject, item->certificate[0] ? item->certificate : request->device_kind);
    case AN_REQUEST_RENEW:
    case AN_REQUEST_CHANGE:
        return an_asprintf("content:%s", item->certificate);
    case AN_REQUEST_REVOKE:
        return an_asprintf("revoke:%s", item->certificate);
    case AN_REQUEST_RECOVER:
        break;
    }
    return an_asprintf("recover:%s", item->device);
}

static an_code
take_holder(void *context, const struct an_row *row, struct an_err *reterr)
{
    (void)reterr;
    *(int64_t *)context = an_row_int(row, 0);
    return AN_OK;
}

an_code
an_request_holder(struct an_tx *tx, const struct an_dossier *request, const struct an_request_item *item, int64_t *ret,
                  struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *key = open_key(request, item);
    struct an_value values[] = {an_v_text(key)};
    int64_t holder = 0;

    AN_TRY(an_tx_one(tx, AN_SQL_REQUEST_OPEN_FIND, values, AN_COUNT(values), take_holder, &holder, NULL, reterr));
    *ret = holder == request->id ? 0 : holder;
    return AN_OK;
}

an_code
an_request_claim(struct an_tx *tx, const struct an_dossier *request, const struct an_request_item *items, size_t count,
                 struct an_err *reterr)
{
    for (size_t i = 0; i < count; i++) {
        AN_CLEANUP(an_free_ptr) char *key = open_key(request, &items[i]);
        struct an_value values[] = {an_v_text(key), AN_V_INT(request->id), AN_V_INT(items[i].place)};
        int64_t holder = 0;

        AN_TRY(an_tx_one(tx, AN_SQL_REQUEST_OPEN_FIND, values, 1, take_holder, &holder, NULL, reterr));
        if (holder == request->id)
            continue; /* a second round */
        if (holder != 0)
            AN_FAIL(reterr, AN_E_REQUEST_DUPLICATE, "%s: request:%lld", items[i].name, (long long)holder);
        AN_TRY(an_tx_run(tx, AN_SQL_REQUEST_OPEN_INSERT, values, AN_COUNT(values), NULL, reterr));
    }
    return AN_OK;
}

/* ---- items ---- */
an_code
an_request_item_set_matter(struct an_tx *tx, int64_t id, int64_t place, int64_t matter, struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(place), AN_V_INT(matter)};
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_REQUEST_ITEM_SET_MATTER, values, AN_COUNT(values), &changed, reterr));
    if (changed != 1)
        AN_FAIL(reterr, AN_E_REQUEST_DECIDED, "request:%lld/item:%lld", (long long)id, (long long)place);
    return AN_OK;
}

an_code
an_request_item_decide(struct an_tx *tx, int64_t id, int64_t place, bool approve, const char *by, const char *reason,
                       an_time at,
                       struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(place), AN_V_INT(approve ? AN_ITEM_APPROVED : AN_ITEM_REFUSED),
                                AN_V_INT(at), an_v_text(by), an_v_text(reason)};
    int64_t changed = 0;

    AN_TRY(an_tx_run(tx, AN_SQL_REQUEST_ITEM_DECIDE, values, AN_COUNT(values), &changed, reterr));
    if (changed != 1)
        AN_FAIL(reterr, AN_E_REQUEST_DECIDED, "request:%lld/item:%lld", (long long)id, (long long)place);
    return approve ? AN_OK : an_tx_run(tx, AN_SQL_REQUEST_OPEN_DELETE_ITEM, values, 2, NULL, reterr);
}

an_code
an_request_item_fetched(struct an_tx *tx, int64_t id, int64_t place, const char *serial, struct an_err *reterr)
{
    const struct an_value values[] = {AN_V_INT(id), AN_V_INT(place), an_v_text(serial)};

    return an_tx_run(tx, AN_SQL_REQUEST_ITEM_FETCHED, values, AN_COUNT(values), NULL, reterr);
}

an_code
an_request_item_count(struct an_tx *tx, int64_t id, int state, int64_t *ret, struct an_err *reterr)
{
    struct an_value values[] = {AN_V_INT(id), AN_V_INT(state)};

    return an_tx_int(tx, AN_SQL_REQUEST_ITEM_COUNT, values, AN_COUNT(values), ret, reterr);
}
