/*
 * OCSP, RFC 6960. An answer is believed when it is signed by the issuer itself or by a responder that the issuer has
 * certified directly with id-kp-OCSPSigning (4.2.2.2), is about this certificate (issuer name, issuer key, serial), is
 * successful, and is neither stale nor from the future.
 */
#include "x509/path_internal.h"

#define OID_OCSP_SIGNING "1.3.6.1.5.5.7.3.9"

struct ocsp_question {
    struct path_shared *shared;
    struct an_cert *cert, *issuer, *anchor;
};

static bool
is_responder(const struct an_ocsp *ocsp, const struct an_cert *cert)
{
    uint8_t digest[AN_DIGEST_MAX];

    if (ocsp->responder_name.len)
        return an_name_eq(ocsp->responder_name, cert->subject);
    an_hash_once(AN_SHA1, cert->key_bits, digest);
    return an_bytes_eq(ocsp->responder_key, AN_BYTES(digest, 20));
}

static bool
is_signed_by(struct path_shared *shared, const struct an_ocsp *ocsp, struct an_cert *signer)
{
    return an_path_data_signed_by(shared, ocsp, &ocsp->scheme, ocsp->tbs, ocsp->signature, signer);
}

/* In force when it answered; and still, when the question is about a moment after the answer. */
static bool
is_in_force(const struct an_path_params *params, const struct an_ocsp *ocsp, const struct an_cert *responder)
{
    an_time when = params->at > ocsp->produced_at ? params->at : ocsp->produced_at;

    return params->ignore_validity || (when >= responder->not_before && when <= responder->not_after);
}

/* id-pkix-ocsp-nocheck: good for its whole life. Without it the responder's own status counts when it is known. */
static bool
is_revoked_responder(const struct ocsp_question *q, struct an_cert *responder, const struct path_node *node)
{
    struct an_status_result status = {0};
    bool is_revoked;

    if (node->ext[PATH_EXT_NO_CHECK])
        return false;
    an_status_decide(q->shared, responder, q->issuer, q->anchor, &status);
    is_revoked = status.status == AN_STATUS_REVOKED;
    an_status_result_done(&status);
    return is_revoked;
}

static an_code
check_delegate(const struct ocsp_question *q, const struct an_ocsp *ocsp, struct an_cert *responder)
{
    struct path_node node = {.cert = responder};

    if (!an_cert_has_eku(responder, OID_OCSP_SIGNING) || !an_name_eq(responder->issuer, q->issuer->subject))
        return AN_V_STATUS_ISSUER;
    an_path_node_classify(&node);
    if (node.unknown_critical || node.duplicate)
        return AN_V_STATUS_ISSUER;
    if (responder->has_key_usage && !(responder->key_usage & (AN_KU_DIGITAL_SIGNATURE | AN_KU_NON_REPUDIATION)))
        return AN_V_STATUS_ISSUER;
    if (!is_in_force(q->shared->params, ocsp, responder))
        return AN_V_STATUS_ISSUER;
    if (!is_signed_by(q->shared, ocsp, responder))
        return AN_V_STATUS_SIGNATURE;
    if (!an_path_cert_signed_by(q->shared, responder, q->issuer))
        return AN_V_STATUS_ISSUER;
    AN_TRY(an_path_algorithm_check(q->shared, &responder->scheme, q->issuer));
    AN_TRY(an_path_algorithm_check(q->shared, &ocsp->scheme, responder));
    return is_revoked_responder(q, responder, &node) ? AN_V_STATUS_ISSUER : AN_OK;
}

static an_code
check_delegates(const struct ocsp_question *q, const struct an_ocsp *ocsp, const struct an_certs *certs, an_code why)
{
    for (size_t i = 0; certs && i < certs->count && i < AN_LIMIT_CMS_CERTS; i++) {
        an_code code;

        if (an_path_same_entity(certs->items[i], q->issuer) || !is_responder(ocsp, certs->items[i]))
            continue;
        code = check_delegate(q, ocsp, certs->items[i]);
        if (code == AN_OK)
            return AN_OK;
        why = code;
    }
    return why;
}

static an_code
check_signer(const struct ocsp_question *q, const struct an_ocsp *ocsp)
{
    an_code why = AN_V_STATUS_ISSUER;

    if (is_responder(ocsp, q->issuer)) {
        if (is_signed_by(q->shared, ocsp, q->issuer))
            return an_path_algorithm_check(q->shared, &ocsp->scheme, q->issuer);
        why = AN_V_STATUS_SIGNATURE;
    }
    why = check_delegates(q, ocsp, &ocsp->certs, why);
    if (why != AN_OK)
        why = check_delegates(q, ocsp, q->shared->params->untrusted, why);
    return why;
}

/* An answer with this serial number under another issuer is worth naming: a mistake, or an attempt. */
static an_code
explain_no_match(const struct an_ocsp *ocsp, const struct an_cert *cert)
{
    for (size_t i = 0; i < ocsp->single_count; i++)
        if (an_bytes_eq(ocsp->singles[i].serial, cert->serial))
            return AN_V_STATUS_ISSUER;
    return AN_V_STATUS_NONE;
}

/* The response as a whole; its answers are judged one by one. */
static an_code
judge_response(const struct ocsp_question *q, const struct an_ocsp *ocsp)
{
    if (ocsp->response_status != 0)
        return AN_V_STATUS_RESPONSE;
    if (!an_ocsp_find(ocsp, q->cert, q->issuer))
        return explain_no_match(ocsp, q->cert);
    AN_TRY(check_signer(q, ocsp));
    if (ocsp->has_unknown_critical)
        return AN_V_STATUS_CRITICAL;
    if (an_status_fresh(q->shared->params, ocsp->produced_at, AN_TIME_NONE) == AN_V_STATUS_FUTURE)
        return AN_V_STATUS_FUTURE;
    return AN_OK;
}

static an_code
judge_single(const struct ocsp_question *q, const struct an_ocsp_single *single)
{
    if (single->has_unknown_critical)
        return AN_V_STATUS_CRITICAL;
    AN_TRY(an_status_fresh(q->shared->params, single->this_update, single->next_update));
    return single->status == AN_OCSP_UNKNOWN ? AN_V_STATUS_UNKNOWN : AN_OK;
}

static bool
is_revoked_by(const struct an_path_params *params, const struct an_ocsp_single *single)
{
    an_time until = params->status_at == AN_TIME_NONE || params->status_at == 0 ? params->at : params->status_at;

    return single->status == AN_OCSP_REVOKED && single->revoked_at <= until;
}

/* Of several answers the newest counts, but only a hold is ever lifted. */
static bool
says_more(const struct ocsp_question *q, const struct an_ocsp_single *single, const struct an_status_result *than)
{
    bool revokes = is_revoked_by(q->shared->params, single);

    if (than->status == AN_STATUS_UNKNOWN)
        return true;
    if (than->status == AN_STATUS_REVOKED && than->reason != AN_REASON_HOLD)
        return false;
    if (revokes && single->reason != AN_REASON_HOLD)
        return true;
    return single->this_update > than->this_update || (revokes && single->this_update == than->this_update);
}

static void
accept(const struct ocsp_question *q, struct an_ocsp *ocsp, const struct an_ocsp_single *single,
       struct an_status_result *ret)
{
    an_status_result_done(ret);
    ret->status = is_revoked_by(q->shared->params, single) ? AN_STATUS_REVOKED : AN_STATUS_GOOD;
    if (single->status == AN_OCSP_REVOKED) {
        ret->revoked_at = single->revoked_at;
        ret->reason = single->reason;
    }
    ret->this_update = single->this_update;
    ret->next_update = single->next_update;
    ret->ocsp = an_ocsp_ref(ocsp);
}

static void
consider_response(const struct ocsp_question *q, struct an_ocsp *ocsp, struct an_status_result *ret)
{
    const struct an_ocsp_single *single;
    an_code why = judge_response(q, ocsp);
    size_t at = 0;

    while (why == AN_OK && (single = an_ocsp_next(ocsp, q->cert, q->issuer, &at)) != NULL) {
        an_code code = judge_single(q, single);

        if (code == AN_OK && says_more(q, single, ret))
            accept(q, ocsp, single, ret);
        else if (code != AN_OK && ret->status == AN_STATUS_UNKNOWN && ret->why == AN_V_STATUS_NONE)
            ret->why = code;
    }
    if (why != AN_OK && ret->status == AN_STATUS_UNKNOWN && ret->why == AN_V_STATUS_NONE)
        ret->why = why;
}

static void
consider(const struct ocsp_question *q, const struct an_ocsps *set, struct an_status_result *ret)
{
    for (size_t i = 0; set && i < set->count; i++)
        consider_response(q, set->items[i], ret);
}

void
an_status_by_ocsp(struct path_shared *shared, struct an_cert *cert, struct an_cert *issuer, struct an_cert *anchor,
                  struct an_status_result *ret)
{
    struct ocsp_question q = {shared, cert, issuer, anchor};

    consider(&q, shared->params->ocsps, ret);
    consider(&q, &shared->fetched_ocsps, ret);
}
