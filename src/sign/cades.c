/* CAdES over any file: detached (.p7s) or attached (.p7m), B-B and B-T (EN 319 122-1). */
#include "sign/internal.h"

#include "base/file.h"

an_code
an_sign_cades(struct an_sign_session *session, const char *in_path, const char *out_path, bool attached,
              struct an_sign_result *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_buf_free) struct an_buf cms = an_buf_new(AN_BUF_UNLIMITED);
    uint8_t digest[AN_DIGEST_MAX];
    struct an_cms_plan plan;
    struct an_range whole;

    *ret = (struct an_sign_result){.signing_time = an_time_now()};
    AN_TRY(an_file_open(in_path, 0, &file, reterr));
    whole = (struct an_range){0, file.bytes.len};
    sign_plan_init(session, &plan);
    AN_TRY(an_hash_file_ranges(plan.scheme.digest, file.fd, &whole, 1, digest, reterr));
    plan.content_digest = AN_BYTES(digest, an_digest_size(plan.scheme.digest));
    plan.content = attached ? file.bytes : AN_NONE;
    plan.signing_time = ret->signing_time; /* CAdES wants the attribute that PAdES forbids */
    AN_TRY(sign_make_cms(session, &plan, &cms, &ret->downgraded, reterr));
    ret->level = ret->downgraded || session->setup.level == AN_LEVEL_B_B ? AN_LEVEL_B_B : AN_LEVEL_B_T;
    ret->bytes_added = cms.len;
    if (an_file_check_same(&file, NULL) != AN_OK)
        AN_FAIL(reterr, AN_E_SIGN_CHANGED, "%s", in_path);
    return an_file_write(out_path, an_buf_view(&cms), 0644, reterr);
}
