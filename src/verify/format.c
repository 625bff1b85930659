/* What kind of signed document is it? By content, never by name. One row per format: see internal.h. */
#include "verify/internal.h"

#define HEAD_BYTES 8192

static const struct {
    const char *name;
    bool (*detect)(an_bytes head);
    an_code (*verify)(struct an_job *job, struct an_err *reterr);
} formats[] = {
    {"ERS", an_record_detect, an_record_verify}, /* before CMS: DER too */
    {"CMS", an_cms_detect, an_cms_verify}, /* before PDF: a PDF may be inside */
    {"PDF", an_pdf_detect, an_pdf_verify},
    {"MIME", an_mime_detect, an_mime_verify},
    {"XML", an_xml_detect, an_xml_verify},
    {"ASiC", an_asic_detect, an_asic_verify},
};

static an_code
read_signatures(struct an_job *job, struct an_err *reterr)
{
    an_bytes head = an_bytes_slice(job->file->bytes, 0, HEAD_BYTES);

    for (size_t i = 0; i < AN_COUNT(formats); i++)
        if (formats[i].detect(head))
            return formats[i].verify(job, reterr);
    AN_FAIL(reterr, AN_E_VERIFY_FORMAT, "neither PDF, CMS, XML, container nor signed mail");
}

an_code
an_verify_file(struct an_verifier *verifier, const struct an_file *file, const struct an_verify_options *options,
               struct an_report *ret, struct an_err *reterr)
{
    struct an_report report = {.word = AN_WORD_NOT_ENOUGH};
    struct an_job job = {.verifier = verifier, .file = file, .options = options, .report = &report,
                         .exists_since = AN_TIME_NONE};
    const char *policy = options->policy;
    an_code code;

    if (!policy)
        policy = options->anchors && options->anchors->count ? "noi-bo" : "cong-vu";
    AN_TRY(an_verifier_policy(verifier, policy, &job.policy, reterr));
    job.now = options->at == AN_TIME_NONE ? an_time_now() : options->at;
    an_material_add_options(&job.material, options);
    code = read_signatures(&job, reterr);
    if (an_file_check_same(file, NULL) != AN_OK) /* whatever was found, it was not found in one document */
        code = an_file_check_same(file, reterr);
    if (code == AN_OK) {
        an_report_conclude(&report);
        an_keep_material(&job);
        *ret = report;
    } else {
        an_report_done(&report);
    }
    an_certs_done(&job.anchors);
    an_material_done(&job.material);
    an_poes_done(&job.poes);
    return code;
}
