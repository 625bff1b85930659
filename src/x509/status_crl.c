/*
 * Revocation by CRL, RFC 5280 6.3.3: for each distribution point of the certificate, and for the one assumed when they
 * do not decide, every list at hand that is in scope, newest first, with its delta. Cheap questions come first; the
 * signature of a list, which means hashing all of it, comes last.
 */
#include "x509/path_internal.h"

struct crl_question {
    struct path_shared *shared;
    struct an_cert *cert, *issuer, *anchor;
    struct an_crl **lists; /* complete and delta, newest first */
    size_t list_count;
    uint32_t reasons; /* reasons_mask: covered so far */
    struct an_status_result *result;
    an_code why;
};

static void
note_why(struct crl_question *q, an_code why)
{
    if (q->why == AN_V_STATUS_NONE || q->why == AN_V_STATUS_SCOPE)
        q->why = why;
}

/* ---- the list itself ---- */
static const struct an_extension *
find_unknown_critical(const struct an_crl *crl)
{
    /* issuerAltName 18, cRLNumber 20, deltaCRLIndicator 27, issuingDistributionPoint 28, AKI 35, freshestCRL 46 */
    static const uint8_t known[] = {18, 20, 27, 28, 35, 46};

    for (size_t i = 0; i < crl->extension_count; i++) {
        const struct an_extension *extension = &crl->extensions[i];
        bool is_known = false;

        if (!extension->critical)
            continue;
        if (extension->oid.len == 3 && extension->oid.ptr[0] == 0x55 && extension->oid.ptr[1] == 0x1D)
            is_known = memchr(known, extension->oid.ptr[2], sizeof(known)) != NULL;
        if (!is_known)
            return extension;
    }
    return NULL;
}

static const struct an_extension *
find_extension(const struct an_crl *crl, uint8_t arc)
{
    for (size_t i = 0; i < crl->extension_count; i++) {
        an_bytes oid = crl->extensions[i].oid;

        if (oid.len == 3 && oid.ptr[0] == 0x55 && oid.ptr[1] == 0x1D && oid.ptr[2] == arc)
            return &crl->extensions[i];
    }
    return NULL;
}

/* §5 for conforming CRL issuers: version 2, nextUpdate, key identifier and number, criticality. */
static bool
breaks_profile(const struct an_crl *crl)
{
    const struct an_extension *number = find_extension(crl, 20), *aki = find_extension(crl, 35);
    const struct an_extension *delta = find_extension(crl, 27), *idp = find_extension(crl, 28);

    return crl->version < 2 || crl->next_update == AN_TIME_NONE || !number || number->critical || !aki ||
           aki->critical || (delta && !delta->critical) || (idp && !idp->critical);
}

static an_code
check_list(const struct crl_question *q, const struct an_crl *crl)
{
    if (find_unknown_critical(crl) || crl->entries_have_unknown_critical)
        return AN_V_STATUS_CRITICAL;
    return q->shared->params->strict && breaks_profile(crl) ? AN_V_STATUS_MALFORMED : AN_OK;
}

/* ---- who signed it: 6.3.3 (f), (g) ---- */
static bool
may_sign_crls(const struct an_cert *cert)
{
    return !cert->has_key_usage || (cert->key_usage & AN_KU_CRL_SIGN);
}

static bool
is_likely_signer(const struct an_crl *crl, const struct an_cert *cert)
{
    return !crl->aki_key.len || !cert->ski.len || an_bytes_eq(crl->aki_key, cert->ski);
}

/* A list is hashed whole to check it: what was found right is kept with the list, for the thousands of validations that
 * ask the same one. */
static bool
is_signed_by(const struct crl_question *q, struct an_crl *crl, struct an_cert *signer)
{
    uint8_t key[AN_DIGEST_MAX], *known = __atomic_load_n(&crl->signed_by, __ATOMIC_ACQUIRE), *mine;

    an_hash_once(AN_SHA256, signer->spki, key);
    if (known && memcmp(known, key, 32) == 0)
        return true;
    if (!an_path_data_signed_by(q->shared, crl, &crl->scheme, crl->tbs, crl->signature, signer))
        return false;
    if (!an_cert_key(signer))
        return true; /* its parameters came from this path: not the key's own */
    mine = an_new_array(32, 1);
    memcpy(mine, key, 32);
    known = NULL;
    if (!__atomic_compare_exchange_n(&crl->signed_by, &known, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        free(mine);
    return true;
}

static an_code
try_signer(const struct crl_question *q, const struct status_dp *dp, struct an_crl *crl, struct an_cert *signer)
{
    if (!is_signed_by(q, crl, signer))
        return AN_V_STATUS_SIGNATURE;
    if (!may_sign_crls(signer))
        return AN_V_STATUS_ISSUER;
    AN_TRY(an_path_algorithm_check(q->shared, &crl->scheme, signer));
    if (signer == q->issuer || an_path_same_entity(signer, q->issuer))
        return AN_OK;
    /* The CA has said, in cRLIssuer of this very certificate, that its holder keeps the list it stands on
     * (PKITS 4.14.30). */
    if (signer == q->cert && dp->has_crl_issuer)
        return AN_OK;
    return an_path_signer_is_valid(q->shared, signer, q->anchor) ? AN_OK : AN_V_STATUS_ISSUER;
}

/* Likely signers (by key identifier) first: a wrong guess means hashing the whole list for nothing. */
static an_code
find_signer(const struct crl_question *q, const struct status_dp *dp, struct an_crl *crl, struct an_cert **ret)
{
    const struct path_nodes *pool = &q->shared->pool;
    an_code why = AN_V_STATUS_ISSUER, code;
    bool issuer_named = an_name_eq(crl->issuer, q->issuer->subject);

    *ret = q->issuer;
    if (issuer_named && is_likely_signer(crl, q->issuer) && (why = try_signer(q, dp, crl, q->issuer)) == AN_OK)
        return AN_OK;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < pool->count; i++) {
            struct an_cert *signer = pool->items[i]->cert;

            if (signer == q->issuer || is_likely_signer(crl, signer) != (pass == 0) ||
                !an_name_eq(signer->subject, crl->issuer))
                continue;
            code = try_signer(q, dp, crl, signer);
            *ret = signer;
            if (code == AN_OK)
                return AN_OK;
            if (code != AN_V_STATUS_SIGNATURE || why == AN_V_STATUS_ISSUER)
                why = code;
        }
    *ret = q->issuer;
    if (issuer_named && !is_likely_signer(crl, q->issuer))
        return try_signer(q, dp, crl, q->issuer);
    return why;
}

/* ---- delta lists: 6.3.3 (c), (h) ---- */
static int
compare_numbers(an_bytes a, an_bytes b)
{
    while (a.len > 0 && a.ptr[0] == 0)
        a = AN_BYTES(a.ptr + 1, a.len - 1);
    while (b.len > 0 && b.ptr[0] == 0)
        b = AN_BYTES(b.ptr + 1, b.len - 1);
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return an_bytes_cmp(a, b);
}

static bool
is_delta_of(const struct an_crl *delta, const struct an_crl *crl)
{
    if (!delta->base_number.len || !delta->number.len || !crl->number.len)
        return false;
    return an_name_eq(delta->issuer, crl->issuer) && an_bytes_eq(delta->idp, crl->idp) &&
           an_bytes_eq(delta->aki_key, crl->aki_key) && compare_numbers(crl->number, delta->base_number) >= 0 &&
           compare_numbers(crl->number, delta->number) < 0;
}

static struct an_crl *
find_delta(const struct crl_question *q, const struct an_crl *crl, struct an_cert *signer)
{
    const struct an_path_params *params = q->shared->params;

    for (size_t i = 0; i < q->list_count; i++) {
        struct an_crl *delta = q->lists[i];

        if (!is_delta_of(delta, crl) || check_list(q, delta) != AN_OK)
            continue;
        if (an_status_fresh(params, delta->this_update, delta->next_update) != AN_OK)
            continue;
        if (is_signed_by(q, delta, signer))
            return delta;
    }
    return NULL;
}

/* A delta in force that stands on a newer complete list than this one: what is missing is that list. */
static bool
lacks_base(const struct crl_question *q, const struct an_crl *crl)
{
    const struct an_path_params *params = q->shared->params;

    for (size_t i = 0; i < q->list_count; i++) {
        const struct an_crl *delta = q->lists[i];

        if (delta->base_number.len && compare_numbers(crl->number, delta->base_number) < 0 &&
            an_name_eq(delta->issuer, crl->issuer) &&
            an_status_fresh(params, delta->this_update, delta->next_update) == AN_OK)
            return true;
    }
    return false;
}

/* ---- looking the certificate up: 6.3.3 (i)–(k) ---- */
static an_code
look_up(const struct crl_question *q, struct an_crl *crl, bool *ret_found, struct an_crl_entry *ret)
{
    *ret_found = an_crl_find(crl, q->cert->issuer, q->cert->serial, ret);
    return *ret_found && ret->has_unknown_critical ? AN_V_STATUS_CRITICAL : AN_OK;
}

static void
accept(struct crl_question *q, struct an_crl *crl, const struct an_crl_entry *entry)
{
    const struct an_path_params *params = q->shared->params;
    an_time until = params->status_at == AN_TIME_NONE || params->status_at == 0 ? params->at : params->status_at;
    struct an_status_result *result = q->result;

    if (result->status == AN_STATUS_UNKNOWN || entry) {
        an_status_result_done(result);
        result->crl = an_crl_ref(crl);
        result->this_update = crl->this_update;
        result->next_update = crl->next_update;
    }
    result->status = AN_STATUS_GOOD;
    if (!entry)
        return;
    result->revoked_at = entry->revoked_at;
    result->reason = entry->reason;
    if (entry->revoked_at <= until)
        result->status = AN_STATUS_REVOKED;
}

static an_code
decide_by(struct crl_question *q, struct an_crl *crl, struct an_crl *delta)
{
    struct an_crl_entry entry;
    bool found = false;

    if (delta) {
        AN_TRY(look_up(q, delta, &found, &entry));
        if (found) {
            accept(q, delta, entry.reason == AN_REASON_REMOVE_FROM_CRL ? NULL : &entry);
            return AN_OK;
        }
    }
    AN_TRY(look_up(q, crl, &found, &entry));
    /* "Removed" is a word of delta lists (5.3.1): who stands on a complete list is revoked, whatever is said there. */
    accept(q, delta && !found ? delta : crl, found ? &entry : NULL);
    return AN_OK;
}

/* ---- one list for one distribution point ---- */
static an_code
check_scope(const struct crl_question *q, const struct status_dp *dp, const struct an_crl *crl, struct status_idp *ret)
{
    *ret = (struct status_idp){.reasons = STATUS_REASONS_ALL};
    if (crl->idp.len > 0 && !an_status_idp_parse(crl->idp, ret))
        return AN_V_STATUS_MALFORMED;
    if (!an_status_issuer_matches(dp, q->cert, crl, ret->is_indirect))
        return AN_V_STATUS_NONE; /* it is about other certificates altogether */
    if (ret->only_attribute || (ret->only_user && q->cert->is_ca) || (ret->only_ca && !q->cert->is_ca))
        return AN_V_STATUS_SCOPE;
    return an_status_dp_matches(q->shared, dp, ret, q->cert, crl) ? AN_OK : AN_V_STATUS_SCOPE;
}

static an_code
consider_list(struct crl_question *q, const struct status_dp *dp, struct an_crl *crl)
{
    struct status_idp idp;
    struct an_cert *signer;
    struct an_crl *delta;
    an_code fresh;

    AN_TRY(check_scope(q, dp, crl, &idp));
    idp.reasons &= dp->reasons;
    if (!(idp.reasons & ~q->reasons))
        return AN_OK; /* (e): nothing new */
    AN_TRY(check_list(q, crl));
    fresh = an_status_fresh(q->shared->params, crl->this_update, crl->next_update);
    if (fresh == AN_V_STATUS_FUTURE)
        return fresh;
    AN_TRY(find_signer(q, dp, crl, &signer));
    delta = find_delta(q, crl, signer);
    if (!delta && fresh != AN_OK)
        return lacks_base(q, crl) ? AN_V_STATUS_BASE : fresh;
    AN_TRY(decide_by(q, crl, delta));
    q->reasons |= idp.reasons;
    return AN_OK;
}

static bool
is_decided(const struct crl_question *q)
{
    return q->result->status == AN_STATUS_REVOKED || q->reasons == STATUS_REASONS_ALL;
}

static void
consider_point(struct crl_question *q, const struct status_dp *dp)
{
    for (size_t i = 0; i < q->list_count && !is_decided(q); i++) {
        an_code why;

        if (q->lists[i]->base_number.len > 0)
            continue;
        why = consider_list(q, dp, q->lists[i]);
        if (why != AN_OK && why != AN_V_STATUS_NONE)
            note_why(q, why);
    }
}

static void
consider_points(struct crl_question *q)
{
    struct path_node node = {.cert = q->cert};
    const struct status_dp assumed = {.reasons = STATUS_REASONS_ALL};
    struct status_dp dp;
    an_bytes in = AN_NONE;

    an_path_node_classify(&node);
    if (node.ext[PATH_EXT_CRL_DP])
        in = node.ext[PATH_EXT_CRL_DP]->value;
    if (in.len > 0 && !an_path_open(in, &in))
        in = AN_NONE;
    while (in.len > 0 && !is_decided(q) && an_status_dp_next(&in, &dp))
        consider_point(q, &dp);
    consider_point(q, &assumed);
}

/* ---- the lists at hand ---- */
static int
compare_age(const void *a, const void *b)
{
    an_time x = (*(struct an_crl *const *)a)->this_update, y = (*(struct an_crl *const *)b)->this_update;

    return (x < y) - (x > y);
}

static void
gather_lists(struct crl_question *q)
{
    const struct an_crls *sets[] = {q->shared->params->crls, &q->shared->fetched_crls};
    size_t capacity = 0;

    for (size_t i = 0; i < AN_COUNT(sets); i++)
        capacity += sets[i] ? sets[i]->count : 0;
    q->lists = an_arena_alloc(q->shared->arena, (capacity + 1) * sizeof(*q->lists));
    for (size_t i = 0; i < AN_COUNT(sets); i++)
        for (size_t j = 0; sets[i] && j < sets[i]->count; j++)
            q->lists[q->list_count++] = sets[i]->items[j];
    if (q->list_count > 1)
        qsort(q->lists, q->list_count, sizeof(struct an_crl *), compare_age);
}

/* Only a delta of this issuer, and nothing it could stand on? */
static bool
has_lone_delta(const struct crl_question *q)
{
    for (size_t i = 0; i < q->list_count; i++)
        if (q->lists[i]->base_number.len > 0 && an_name_eq(q->lists[i]->issuer, q->cert->issuer))
            return true;
    return false;
}

void
an_status_by_crl(struct path_shared *shared, struct an_cert *cert, struct an_cert *issuer, struct an_cert *anchor,
                 struct an_status_result *ret)
{
    struct crl_question q = {.shared = shared, .cert = cert, .issuer = issuer, .anchor = anchor, .result = ret,
                             .why = AN_V_STATUS_NONE};

    gather_lists(&q);
    consider_points(&q);
    if (is_decided(&q))
        return;
    if (q.reasons != 0)
        q.why = AN_V_STATUS_REASONS;
    else if (q.why == AN_V_STATUS_NONE && has_lone_delta(&q))
        q.why = AN_V_STATUS_BASE;
    an_status_result_done(ret);
    ret->status = AN_STATUS_UNKNOWN;
    ret->why = q.why;
}

bool
an_status_is_listed(struct path_shared *shared, struct an_cert *cert)
{
    const struct an_crls *sets[] = {shared->params->crls, &shared->fetched_crls};
    struct an_crl_entry entry;

    for (size_t i = 0; i < AN_COUNT(sets); i++)
        for (size_t j = 0; sets[i] && j < sets[i]->count; j++) {
            struct an_crl *crl = sets[i]->items[j];

            if (an_crl_find(crl, cert->issuer, cert->serial, &entry) &&
                (entry.reason != AN_REASON_REMOVE_FROM_CRL || crl->base_number.len == 0))
                return true;
        }
    return false;
}
