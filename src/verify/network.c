/* Why something that lies on the network is missing: said beside the signature whose certificates named the address. */
#include "verify/internal.h"

#define FAILURES_MAX 8 /* of one certificate */

static bool
is_said(const struct an_signature_report *report, const struct an_err *err)
{
    for (size_t i = 0; i < report->finding_count; i++)
        if (report->findings[i].code == err->code && strcmp(report->findings[i].detail, err->detail) == 0)
            return true;
    return false;
}

static void
add_failures_of(const struct an_job *job, struct an_signature_report *report, struct an_cert *cert)
{
    const an_path_fetch *fetch = &job->options->fetch;
    struct an_err failures[FAILURES_MAX];
    size_t count = fetch->failures != NULL && cert != NULL ? fetch->failures(fetch->context, cert, failures,
            FAILURES_MAX) : 0;

    for (size_t i = 0; i < count; i++)
        if (!is_said(report, &failures[i]))
            an_finding_add(report, "network", AN_FINDING_NOTE, failures[i].code, "%s", failures[i].detail);
}

void
an_network_add_case(const struct an_case *sig)
{
    add_failures_of(sig->job, sig->report, sig->cert);
    for (size_t i = 0; i < sig->report->chain_count; i++)
        add_failures_of(sig->job, sig->report, sig->report->chain[i]);
    for (size_t i = 0; i < sig->stamps.count; i++)
        add_failures_of(sig->job, sig->report, sig->stamps.items[i].cert);
}
