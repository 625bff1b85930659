/* The table of checks, and how findings come out of it. */
#include "ca/lint_internal.h"

static const struct an_lint lint_table[] = {
#define LINT(symbol, id, kind, severity, source, vi, en) [LINT_##symbol] = {id, AN_LINT_##kind, AN_LINT_##severity, source, vi, en},
#include "ca/lint.def"
#undef LINT
};

size_t
an_lint_count(void)
{
    return AN_COUNT(lint_table);
}

const struct an_lint *
an_lint_at(size_t place)
{
    return place < AN_COUNT(lint_table) ? &lint_table[place] : NULL;
}

void
lint_report(const struct lint_run *run)
{
    for (size_t i = 0; i < AN_COUNT(run->found); i++)
        for (uint64_t left = run->found[i]; left != 0; left &= left - 1)
            run->plan->each(run->plan->context, &lint_table[i * 64 + (size_t)__builtin_ctzll(left)]);
}

/* The first element inside tells: tbsCertificate, TBSCertList, responseStatus, PKIStatusInfo or contentType. */
enum an_lint_kind
an_lint_guess(an_bytes der)
{
    an_bytes in, first, value;
    int tag = 0;

    if (an_der_take(&der, AN_DER_SEQUENCE, &in, NULL) != AN_OK || an_der_any(&in, &tag, NULL, &first, NULL) != AN_OK)
        return AN_LINT_ANY;
    if (tag == AN_DER_ENUMERATED)
        return AN_LINT_OCSP;
    if (tag == AN_DER_OID)
        return AN_LINT_TOKEN;
    if (tag != AN_DER_SEQUENCE || an_der_any(&first, &tag, NULL, &value, NULL) != AN_OK)
        return AN_LINT_ANY;
    if (tag == AN_DER_CONTEXT_CONSTRUCTED(0))
        return AN_LINT_CERT;
    if (tag != AN_DER_INTEGER || first.len == 0)
        return tag == AN_DER_INTEGER ? AN_LINT_TOKEN : tag == AN_DER_SEQUENCE ? AN_LINT_CRL : AN_LINT_ANY;
    /* version, then an algorithm and two names: a list has a time in third place, a v1 certificate a Name. */
    for (int i = 0; i < 2; i++)
        if (an_der_any(&first, &tag, NULL, &value, NULL) != AN_OK)
            return AN_LINT_TOKEN;
    return an_der_peek(first) == AN_DER_UTC_TIME || an_der_peek(first) == AN_DER_GENERALIZED_TIME ? AN_LINT_CRL
            : AN_LINT_CERT;
}
