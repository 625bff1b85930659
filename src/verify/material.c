/* Certificates and status information known while one file is verified; every object once, shared through the
 * verifier. */
#include "verify/internal.h"

void
an_material_add_cert(struct an_material *material, struct an_verifier *verifier, struct an_cert *cert)
{
    cert = an_verifier_intern_cert(verifier, cert);
    if (material->certs.count < AN_LIMIT_VERIFY_CERTS)
        an_certs_add(&material->certs, cert);
    an_cert_unref(&cert);
}

void
an_material_add_crl(struct an_material *material, struct an_verifier *verifier, struct an_crl *crl)
{
    crl = an_verifier_intern_crl(verifier, crl);
    for (size_t i = 0; i < material->crls.count; i++) {
        if (material->crls.items[i] == crl) {
            an_crl_unref(&crl);
            return;
        }
    }
    if (material->crls.count < AN_LIMIT_VERIFY_STATUS)
        *an_crls_push(&material->crls) = an_crl_ref(crl);
    an_crl_unref(&crl);
}

void
an_material_add_ocsp(struct an_material *material, struct an_verifier *verifier, struct an_ocsp *ocsp)
{
    ocsp = an_verifier_intern_ocsp(verifier, ocsp);
    for (size_t i = 0; i < material->ocsps.count; i++) {
        if (material->ocsps.items[i] == ocsp) {
            an_ocsp_unref(&ocsp);
            return;
        }
    }
    if (material->ocsps.count < AN_LIMIT_VERIFY_STATUS)
        *an_ocsps_push(&material->ocsps) = an_ocsp_ref(ocsp);
    an_ocsp_unref(&ocsp);
}

void
an_material_add_cms(struct an_material *material, struct an_verifier *verifier, const struct an_cms *cms)
{
    for (size_t i = 0; i < cms->certs.count; i++)
        an_material_add_cert(material, verifier, cms->certs.items[i]);
    for (size_t i = 0; i < cms->crls.count; i++)
        an_material_add_crl(material, verifier, cms->crls.items[i]);
    for (size_t i = 0; i < cms->ocsps.count; i++)
        an_material_add_ocsp(material, verifier, cms->ocsps.items[i]);
}

/* What the caller gave. These sets live longer than the file and are large at times: references only, no search. */
void
an_material_add_options(struct an_material *material, const struct an_verify_options *options)
{
    if (options->untrusted) {
        size_t count = options->untrusted->count;

        material->certs.items = an_grow(material->certs.items, count + 16, sizeof(*material->certs.items));
        material->certs.capacity = count + 16;
        for (size_t i = 0; i < count; i++)
            material->certs.items[material->certs.count++] = an_cert_ref(options->untrusted->items[i]);
    }
    for (size_t i = 0; options->crls && i < options->crls->count; i++)
        *an_crls_push(&material->crls) = an_crl_ref(options->crls->items[i]);
    for (size_t i = 0; options->ocsps && i < options->ocsps->count; i++)
        *an_ocsps_push(&material->ocsps) = an_ocsp_ref(options->ocsps->items[i]);
}

void
an_material_done(struct an_material *material)
{
    an_certs_done(&material->certs);
    an_crls_unref(&material->crls);
    an_ocsps_unref(&material->ocsps);
}
