/*
 * What decided, kept for a record: the caller saves it beside the document and can have the verdict again from it
 * (TT 41/2017 Điều 9). Answers of the network count in the same way as what was in the file.
 */
#include "verify/internal.h"

static bool
is_asked(const struct an_job *job)
{
    return job->options->keep_evidence;
}

void
an_keep_status(struct an_job *job, const struct an_status_result *status)
{
    if (!is_asked(job))
        return;
    if (status->crl)
        an_material_add_crl(&job->material, job->verifier, status->crl);
    if (status->ocsp)
        an_material_add_ocsp(&job->material, job->verifier, status->ocsp);
}

void
an_keep_path(struct an_job *job, const struct an_path_result *path)
{
    if (!is_asked(job))
        return;
    for (size_t i = 0; i < path->chain_count; i++)
        an_material_add_cert(&job->material, job->verifier, path->chain[i]);
    for (size_t i = 0; path->status && i + 1 < path->chain_count; i++)
        an_keep_status(job, &path->status[i]);
}

static uint8_t *
dup_bytes(an_bytes bytes, size_t *ret_len)
{
    uint8_t *copy = bytes.len ? an_new_array(bytes.len, 1) : NULL;

    if (copy)
        memcpy(copy, bytes.ptr, bytes.len);
    *ret_len = bytes.len;
    return copy;
}

void
an_keep_value(struct an_case *sig)
{
    if (is_asked(sig->job))
        sig->report->value = dup_bytes(sig->signature, &sig->report->value_len);
}

void
an_keep_token(const struct an_job *job, struct an_time_stamp_report *row, const struct an_stamp *stamp)
{
    if (is_asked(job) && stamp->tst)
        row->token = dup_bytes(stamp->tst->cms->der, &row->token_len);
}

/* The sets change hands. */
void
an_keep_material(struct an_job *job)
{
    if (!is_asked(job))
        return;
    for (size_t i = 0; i < job->anchors.count; i++)
        an_material_add_cert(&job->material, job->verifier, job->anchors.items[i]);
    job->report->certs = job->material.certs;
    job->report->crls = job->material.crls;
    job->report->ocsps = job->material.ocsps;
    job->material = (struct an_material){0};
}

void
an_keep_done(struct an_report *report)
{
    an_certs_done(&report->certs);
    an_crls_unref(&report->crls);
    an_ocsps_unref(&report->ocsps);
}
