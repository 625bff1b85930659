/*
 * A person may give a folder of a thousand lists; a record holds those that speak of the certificates that count: the
 * chains, those who stamp time and answer for status, and their issuers.
 */
#include "report/internal.h"

static bool
is_authority(const struct an_cert *cert)
{
    return an_cert_has_eku(cert, "1.3.6.1.5.5.7.3.8") || an_cert_has_eku(cert, "1.3.6.1.5.5.7.3.9") ||
           (!cert->is_ca && cert->has_key_usage && (cert->key_usage & AN_KU_CRL_SIGN));
}

static void
begin(const struct an_report *report, struct an_certs *ret)
{
    for (size_t i = 0; i < report->signature_count; i++) {
        const struct an_signature_report *s = &report->signatures[i];

        if (s->cert)
            an_certs_add(ret, s->cert);
        for (size_t k = 0; k < s->chain_count; k++)
            an_certs_add(ret, s->chain[k]);
    }
    for (size_t i = 0; i < report->certs.count; i++)
        if (is_authority(report->certs.items[i]))
            an_certs_add(ret, report->certs.items[i]);
}

/* Issuers, and theirs; the set grows while it is walked. */
static void
close_upwards(const struct an_report *report, struct an_certs *ret)
{
    for (size_t i = 0; i < ret->count; i++)
        for (size_t k = 0; k < report->certs.count; k++)
            if (an_name_eq(report->certs.items[k]->subject, ret->items[i]->issuer))
                an_certs_add(ret, report->certs.items[k]);
}

static bool
speaks_of(const struct an_ocsp *ocsp, const struct an_certs *certs)
{
    for (size_t i = 0; i < certs->count; i++)
        for (size_t k = 0; k < certs->count; k++)
            if (an_name_eq(certs->items[k]->subject, certs->items[i]->issuer) &&
                an_ocsp_find(ocsp, certs->items[i], certs->items[k]))
                return true;
    return false;
}

static bool
is_issuer(an_bytes name, const struct an_certs *certs)
{
    for (size_t i = 0; i < certs->count; i++)
        if (an_name_eq(certs->items[i]->subject, name) || an_name_eq(certs->items[i]->issuer, name))
            return true;
    return false;
}

void
report_select(const struct an_report *report, bool whole, struct report_selection *ret)
{
    *ret = (struct report_selection){0};
    begin(report, &ret->certs);
    close_upwards(report, &ret->certs);
    for (size_t i = 0; i < report->crls.count; i++)
        if (whole || report->crls.items[i]->is_indirect || is_issuer(report->crls.items[i]->issuer, &ret->certs))
            *an_crls_push(&ret->crls) = an_crl_ref(report->crls.items[i]);
    for (size_t i = 0; i < report->ocsps.count; i++)
        if (whole || speaks_of(report->ocsps.items[i], &ret->certs))
            *an_ocsps_push(&ret->ocsps) = an_ocsp_ref(report->ocsps.items[i]);
    for (size_t i = 0; whole && i < report->certs.count; i++)
        an_certs_add(&ret->certs, report->certs.items[i]);
}

void
report_selection_done(struct report_selection *selection)
{
    an_certs_done(&selection->certs);
    an_crls_unref(&selection->crls);
    an_ocsps_unref(&selection->ocsps);
}
