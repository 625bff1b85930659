/*
 * The status of one certificate from what is at hand: OCSP answers first (they speak of one certificate), then CRLs.
 * "Revoked" from either wins over "good" from the other, unless it is a hold that a newer answer has lifted.
 */
#include "x509/path_internal.h"

/* A server's clock may run ahead of ours by this much, in seconds. */
#define CLOCK_SKEW 300

an_time
an_status_clock(const struct an_path_params *params)
{
    return params->now == AN_TIME_NONE || params->now == 0 ? params->at : params->now;
}

an_code
an_status_fresh(const struct an_path_params *params, an_time this_update, an_time next_update)
{
    an_time clock = an_status_clock(params);
    int64_t grace = params->freshness_max > 0 ? params->freshness_max : 0;

    if (this_update > clock + CLOCK_SKEW)
        return AN_V_STATUS_FUTURE;
    if (next_update != AN_TIME_NONE)
        return clock > next_update && clock - next_update > grace ? AN_V_STATUS_STALE : AN_OK;
    return params->freshness_max > 0 && clock - this_update > grace ? AN_V_STATUS_STALE : AN_OK;
}

void
an_status_copy(struct an_status_result *to, const struct an_status_result *from)
{
    *to = *from;
    if (to->crl)
        an_crl_ref(to->crl);
    if (to->ocsp)
        an_ocsp_ref(to->ocsp);
}

void
an_status_result_done(struct an_status_result *result)
{
    if (result->crl)
        an_crl_unref(&result->crl);
    if (result->ocsp)
        an_ocsp_unref(&result->ocsp);
    *result = (struct an_status_result){0};
}

struct status_question {
    struct path_shared *shared;
    struct an_cert *cert, *issuer, *anchor;
};

/* A good OCSP answer does not hide a list that says otherwise. */
static void
confirm_by_crl(const struct status_question *q, struct an_status_result *ret)
{
    struct an_status_result listed = {.status = AN_STATUS_UNKNOWN, .why = AN_V_STATUS_NONE};

    if (!an_status_is_listed(q->shared, q->cert))
        return;
    an_status_by_crl(q->shared, q->cert, q->issuer, q->anchor, &listed);
    if (listed.status == AN_STATUS_REVOKED &&
        (listed.reason != AN_REASON_HOLD || listed.this_update > ret->this_update)) {
        an_status_result_done(ret);
        *ret = listed;
        return;
    }
    an_status_result_done(&listed);
}

/* ret comes in as UNKNOWN; the first specific reason stays when nothing decides. */
static void
ask_what_is_at_hand(const struct status_question *q, struct an_status_result *ret)
{
    an_code why;

    an_status_by_ocsp(q->shared, q->cert, q->issuer, q->anchor, ret);
    if (ret->status == AN_STATUS_GOOD) {
        confirm_by_crl(q, ret);
        return;
    }
    if (ret->status != AN_STATUS_UNKNOWN)
        return;
    why = ret->why;
    an_status_by_crl(q->shared, q->cert, q->issuer, q->anchor, ret);
    if (ret->status == AN_STATUS_UNKNOWN && ret->why == AN_V_STATUS_NONE)
        ret->why = why;
}

static bool
fetch_ocsps(const struct status_question *q)
{
    const struct an_path_fetch *fetch = &q->shared->params->fetch;
    struct an_ocsps found AN_CLEANUP(an_ocsps_unref) = {0};

    if (!fetch->ocsps || !fetch->ocsps(fetch->context, q->cert, q->issuer, &found))
        return false;
    for (size_t i = 0; i < found.count; i++)
        *an_ocsps_push(&q->shared->fetched_ocsps) = an_ocsp_ref(found.items[i]);
    return found.count > 0;
}

static bool
fetch_crls(const struct status_question *q)
{
    const struct an_path_fetch *fetch = &q->shared->params->fetch;
    struct an_crls found AN_CLEANUP(an_crls_unref) = {0};

    if (!fetch->crls || !fetch->crls(fetch->context, q->cert, &found))
        return false;
    for (size_t i = 0; i < found.count; i++)
        *an_crls_push(&q->shared->fetched_crls) = an_crl_ref(found.items[i]);
    return found.count > 0;
}

static void
decide(const struct status_question *q, struct an_status_result *ret)
{
    ask_what_is_at_hand(q, ret);
    if (ret->status == AN_STATUS_UNKNOWN && fetch_ocsps(q))
        ask_what_is_at_hand(q, ret);
    if (ret->status == AN_STATUS_UNKNOWN && fetch_crls(q))
        ask_what_is_at_hand(q, ret);
}

static bool
recall(const struct path_shared *shared, const struct an_cert *cert, const struct an_cert *issuer,
       struct an_status_result *ret)
{
    for (size_t i = 0; i < shared->statuses.count; i++) {
        const struct path_status_memo *memo = &shared->statuses.items[i];

        if (memo->cert != cert || memo->issuer != issuer)
            continue;
        if (memo->in_progress) /* its own status is being asked for below: no answer can come from here */
            *ret = (struct an_status_result){.status = AN_STATUS_UNKNOWN, .why = AN_V_STATUS_ISSUER};
        else
            an_status_copy(ret, &memo->result);
        return true;
    }
    return false;
}

void
an_status_decide(struct path_shared *shared, struct an_cert *cert, struct an_cert *issuer, struct an_cert *anchor,
                 struct an_status_result *ret)
{
    struct status_question q = {shared, cert, issuer, anchor};
    size_t at;

    if (recall(shared, cert, issuer, ret))
        return;
    *ret = (struct an_status_result){.status = AN_STATUS_UNKNOWN, .why = AN_V_STATUS_NONE};
    if (shared->statuses_left == 0 || shared->nesting >= AN_LIMIT_STATUS_NESTING) {
        shared->limit_reached = true;
        ret->why = AN_V_PATH_LIMIT;
        return;
    }
    shared->statuses_left--;
    shared->nesting++;
    at = shared->statuses.count;
    *path_status_memos_push(&shared->statuses) =
        (struct path_status_memo){.cert = cert, .issuer = issuer, .in_progress = true};
    decide(&q, ret);
    shared->nesting--;
    shared->statuses.items[at].in_progress = false;
    if (ret->status != AN_STATUS_UNKNOWN || shared->nesting == 0)
        an_status_copy(&shared->statuses.items[at].result, ret);
    else
        shared->statuses.items[at].cert = NULL; /* undecided inside a cycle: may be decided from elsewhere */
}

void
an_status_check(struct an_cert *cert, struct an_cert *issuer, const struct an_path_params *params,
                struct an_status_result *ret)
{
    struct path_shared shared AN_CLEANUP(an_path_shared_done);

    an_path_shared_init(&shared, params);
    an_status_decide(&shared, cert, issuer, NULL, ret);
}
