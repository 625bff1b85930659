/*
 * Facts for the report of ETSI TS 119 102-2 (4.3.12): which certificate is revoked and what says so; which algorithm
 * was the weakest that was judged, whether it is good enough, and until when.
 */
#include "verify/internal.h"

void
an_fact_revoked(struct an_cert_verdict *verdict, struct an_cert *cert, const struct an_status_result *status)
{
    if (verdict->revoked.cert || status->status != AN_STATUS_REVOKED)
        return;
    verdict->revoked = (struct an_revoked_fact){.cert = an_cert_ref(cert), .at = status->revoked_at,
                                                .reason = (int)status->reason};
    if (status->crl)
        verdict->revoked.crl = an_crl_ref(status->crl);
    if (status->ocsp)
        verdict->revoked.ocsp = an_ocsp_ref(status->ocsp);
}

void
an_fact_revoked_done(struct an_revoked_fact *fact)
{
    an_cert_unref(&fact->cert);
    an_crl_unref(&fact->crl);
    an_ocsp_unref(&fact->ocsp);
}

static bool
judge_scheme(const struct an_case *sig, const struct an_scheme *scheme, struct an_cert *signer,
             struct an_crypto_fact *ret)
{
    struct an_pubkey *key = an_cert_key(signer);

    if (!key)
        return false;
    ret->scheme = *scheme;
    ret->is_secure = an_verify_algorithm(sig->job->policy, scheme, an_pubkey_kind(key), an_pubkey_bits(key),
                                         sig->best_time, signer) == AN_OK;
    ret->good_until = an_verify_good_until(sig->job->policy, scheme, an_pubkey_kind(key), an_pubkey_bits(key), signer);
    return true;
}

/* The first certificate whose own signature is too weak, else the signature itself. */
static void
find_crypto(const struct an_case *sig, struct an_crypto_fact *ret)
{
    const struct an_path_result *path = sig->verdict.path ? &sig->verdict.path->result : NULL;

    for (size_t i = 0; path && sig->verdict.class_ == AN_CERT_ALGORITHM && i + 1 < path->chain_count; i++) {
        if (!judge_scheme(sig, &path->chain[i]->scheme, path->chain[i + 1], ret) || ret->is_secure)
            continue;
        ret->cert = an_cert_ref(path->chain[i]);
        return;
    }
    ret->is_known = judge_scheme(sig, &sig->scheme, sig->cert, ret);
}

void
an_facts_add(struct an_case *sig)
{
    struct an_crypto_fact *crypto = &sig->report->crypto;

    sig->report->revoked = sig->verdict.revoked;
    sig->verdict.revoked = (struct an_revoked_fact){0};
    if (!sig->job->options->keep_evidence || !sig->cert)
        return;
    find_crypto(sig, crypto);
    crypto->is_known = crypto->is_known || crypto->cert;
}
