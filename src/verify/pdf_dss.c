/* The Document Security Store (EN 319 142-1, 5.4): material for the verdict, and what document time-stamps prove. */
#include "verify/pdf_reader.h"

/* One DER object of the store, through the verifier's memory: a list that was seen before is not parsed again. */
static void
add_cert(struct an_pdf_reader *reader, an_bytes der)
{
    struct an_cert *cert = an_verifier_cert(reader->job->verifier, der);

    if (cert)
        an_material_add_cert(&reader->dss, reader->job->verifier, cert);
    an_cert_unref(&cert);
}

static void
add_crl(struct an_pdf_reader *reader, an_bytes der)
{
    struct an_crl *crl = an_verifier_crl(reader->job->verifier, der);

    if (crl)
        an_material_add_crl(&reader->dss, reader->job->verifier, crl);
    an_crl_unref(&crl);
}

static void
add_ocsp(struct an_pdf_reader *reader, an_bytes der)
{
    struct an_ocsp *ocsp = an_verifier_ocsp(reader->job->verifier, der);

    if (ocsp)
        an_material_add_ocsp(&reader->dss, reader->job->verifier, ocsp);
    an_ocsp_unref(&ocsp);
}

static void
share(struct an_material *to, struct an_verifier *verifier, const struct an_material *from)
{
    for (size_t i = 0; i < from->certs.count; i++)
        an_material_add_cert(to, verifier, from->certs.items[i]);
    for (size_t i = 0; i < from->crls.count; i++)
        an_material_add_crl(to, verifier, from->crls.items[i]);
    for (size_t i = 0; i < from->ocsps.count; i++)
        an_material_add_ocsp(to, verifier, from->ocsps.items[i]);
}

void
an_pdf_read_dss(struct an_pdf_reader *reader)
{
    struct an_pdf_dss_data data = {0};

    /* A store that cannot be read is as none: what is missing then shows in the certificate's verdict. */
    if (an_pdf_dss_read(reader->pdf, AN_PDF_NOW, &data, NULL) != AN_OK)
        return;
    for (size_t i = 0; i < data.cert_count; i++)
        add_cert(reader, data.certs[i]);
    for (size_t i = 0; i < data.crl_count; i++)
        add_crl(reader, data.crls[i]);
    for (size_t i = 0; i < data.ocsp_count; i++)
        add_ocsp(reader, data.ocsps[i]);
    an_pdf_dss_data_done(&data);
    share(&reader->job->material, reader->job->verifier, &reader->dss);
}

void
an_pdf_dss_done(struct an_pdf_reader *reader)
{
    an_material_done(&reader->dss);
}

static void
prove_bytes(struct an_poes *poes, const an_bytes *objects, size_t count, an_time time)
{
    uint8_t id[32];

    for (size_t i = 0; i < count; i++) {
        an_poe_id(objects[i], id);
        an_poe_add(poes, id, time);
    }
}

static void
prove_row(struct an_poes *poes, const struct an_pdf_row *row, an_time time)
{
    const struct an_case *sig = &row->sig;

    prove_bytes(poes, &sig->signature, sig->signature.len ? 1 : 0, time);
    for (size_t i = 0; i < sig->stamps.count; i++) {
        const struct an_stamp *stamp = &sig->stamps.items[i];

        an_poe_add(poes, stamp->id, time);
        if (stamp->tst)
            an_poe_add_material(poes, &(struct an_material){stamp->tst->cms->certs, stamp->tst->cms->crls,
                                                            stamp->tst->cms->ocsps}, time);
    }
    if (row->cms)
        an_poe_add_material(poes, &(struct an_material){row->cms->certs, row->cms->crls, row->cms->ocsps}, time);
}

static uint64_t
range_end(const struct an_pdf_row *row)
{
    return row->field->byte_range[2] + row->field->byte_range[3];
}

void
an_pdf_prove(struct an_pdf_reader *reader, const struct an_pdf_row *stamp, an_time time)
{
    struct an_poes *poes = &reader->job->poes;
    struct an_pdf_dss_data data = {0};

    for (size_t i = 0; i < reader->count; i++)
        if (&reader->rows[i] != stamp && reader->rows[i].covered && range_end(&reader->rows[i]) < range_end(stamp))
            prove_row(poes, &reader->rows[i], time);
    if (stamp->field->revision < 0)
        return;
    if (an_pdf_dss_same(reader->pdf, (size_t)stamp->field->revision, AN_PDF_NOW)) { /* read already */
        an_poe_add_material(poes, &reader->dss, time);
        return;
    }
    if (an_pdf_dss_read(reader->pdf, (size_t)stamp->field->revision, &data, NULL) != AN_OK)
        return;
    prove_bytes(poes, data.certs, data.cert_count, time);
    prove_bytes(poes, data.crls, data.crl_count, time);
    prove_bytes(poes, data.ocsps, data.ocsp_count, time);
    an_pdf_dss_data_done(&data);
}

static bool
speaks_of(const struct an_crls *crls, const struct an_ocsps *ocsps, const struct an_certs *certs,
          const struct an_cert *cert)
{
    for (size_t i = 0; i < crls->count; i++)
        if (an_name_eq(crls->items[i]->issuer, cert->issuer))
            return true;
    for (size_t i = 0; i < ocsps->count; i++)
        for (size_t j = 0; j < certs->count; j++)
            if (an_name_eq(certs->items[j]->subject, cert->issuer) &&
                an_ocsp_find(ocsps->items[i], cert, certs->items[j]))
                return true;
    return false;
}

bool
an_pdf_has_status(const struct an_pdf_reader *reader, const struct an_pdf_row *row)
{
    const struct an_cert *cert = row->sig.cert;
    const struct an_certs *certs = &reader->job->material.certs;

    if (!cert)
        return false;
    if (speaks_of(&reader->dss.crls, &reader->dss.ocsps, certs, cert))
        return true;
    return row->cms && speaks_of(&row->cms->crls, &row->cms->ocsps, certs, cert);
}
