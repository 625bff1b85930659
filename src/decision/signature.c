/* The signature of a person under a statement, made and checked. */
#include "decision/decision.h"

#include "cms/cms.h"

#define SIGNATURE_MAX ((size_t)64 * 1024)

static struct an_scheme
scheme_of(const struct an_signer *signer)
{
    const struct an_signer_info *info = an_signer_info(signer);

    if (info->kind == AN_KEY_EC)
        return (struct an_scheme){.kind = AN_SIG_ECDSA, .digest = info->bits > 384 ? AN_SHA512
                                  : info->bits > 256 ? AN_SHA384 : AN_SHA256};
    return (struct an_scheme){.kind = AN_SIG_RSA_PKCS1, .digest = AN_SHA256};
}

an_code
an_decision_sign(an_bytes statement, struct an_cert *cert, struct an_signer *signer, struct an_buf *ret,
                 struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf attributes = an_buf_new(SIGNATURE_MAX);
    AN_CLEANUP(an_buf_free) struct an_buf signature = an_buf_new(SIGNATURE_MAX);
    struct an_cms_plan plan = {.signer = cert, .scheme = scheme_of(signer), .signing_time = AN_TIME_NONE,
                               .signing_certificate_v2 = true};
    uint8_t content[AN_DIGEST_MAX], digest[AN_DIGEST_MAX];

    if (!an_bytes_eq(cert->spki, an_signer_spki(signer)))
        AN_FAIL(reterr, AN_E_DECISION_SIGNER, "%s", an_signer_info(signer)->label);
    an_hash_once(plan.scheme.digest, statement, content);
    plan.content_digest = AN_BYTES(content, an_digest_size(plan.scheme.digest));
    AN_TRY(an_cms_prepare(&plan, &attributes, reterr));
    an_hash_once(plan.scheme.digest, an_buf_view(&attributes), digest);
    AN_TRY(an_signer_sign(signer, &plan.scheme, AN_BYTES(digest, an_digest_size(plan.scheme.digest)), &signature,
                          reterr));
    return an_cms_finish(&plan, an_buf_view(&attributes), an_buf_view(&signature), AN_NONE, ret, reterr);
}

/* ---- checking ---- */
static bool
is_pinned(const struct an_decision_trust *trust, const struct an_cert *cert, an_time at)
{
    return trust->pinned != NULL && an_certs_find_hash(trust->pinned, cert->sha256) != NULL && at >= cert->not_before &&
           at <= cert->not_after;
}

static an_code
check_path(struct an_cert *cert, const struct an_cms *cms, const struct an_decision_trust *trust, an_time at,
           struct an_err *reterr)
{
    struct an_certs untrusted = {0};
    struct an_path_params params = {.anchors = trust->anchors, .untrusted = &untrusted, .crls = trust->crls,
                                    .ocsps = trust->ocsps, .at = at,
                                    .status_at = AN_TIME_NONE, .now = AN_TIME_NONE, .freshness_max = -1,
                                    .revocation = trust->revocation};
    struct an_path_result result = {0};
    an_code code = AN_OK;

    if (trust->anchors == NULL || trust->anchors->count == 0)
        AN_FAIL(reterr, AN_E_DECISION_SIGNER, "%s", "no anchor");
    for (size_t i = 0; i < cms->certs.count; i++)
        an_certs_add(&untrusted, cms->certs.items[i]);
    for (size_t i = 0; trust->untrusted != NULL && i < trust->untrusted->count; i++)
        an_certs_add(&untrusted, trust->untrusted->items[i]);
    an_path_validate(cert, &params, &result);
    if (!result.valid)
        code = an_err_set(reterr, AN_E_DECISION_SIGNER, "%s %s", an_message_find(result.why)->en, result.detail);
    an_path_result_done(&result);
    an_certs_done(&untrusted);
    return code;
}

static an_code
check_parsed(an_bytes statement, const struct an_cms *cms, const struct an_decision_trust *trust, an_time at,
             struct an_cert **ret, struct an_err *reterr)
{
    const struct an_cms_signer *signer = cms->signers;
    struct an_cert *cert;

    if (cms->signer_count != 1 || cms->content.len != 0 || signer->ess_hash.len == 0 ||
        signer->digest == AN_DIGEST_NONE || signer->digest == AN_MD5 || signer->digest == AN_SHA1)
        AN_FAIL(reterr, AN_E_DECISION_SIGNATURE, "%s", "SignerInfo");
    cert = an_cms_signer_cert(cms, signer, trust->pinned);
    if (cert == NULL)
        AN_FAIL(reterr, AN_E_DECISION_SIGNER, "%s", "certificate");
    if (an_cms_check_over(signer, cert, AN_BYTES("\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01", 9), statement,
                          reterr) != AN_OK)
        AN_FAIL(reterr, AN_E_DECISION_SIGNATURE, "%s", "signature");
    if (cert->has_key_usage && (cert->key_usage & (AN_KU_DIGITAL_SIGNATURE | AN_KU_NON_REPUDIATION)) == 0)
        AN_FAIL(reterr, AN_E_DECISION_SIGNER, "%s", "keyUsage");
    if (!is_pinned(trust, cert, at))
        AN_TRY(check_path(cert, cms, trust, at, reterr));
    *ret = an_cert_ref(cert);
    return AN_OK;
}

an_code
an_decision_check(an_bytes statement, an_bytes cms, const struct an_decision_trust *trust, an_time at,
                  struct an_cert **ret_signer, struct an_err *reterr)
{
    struct an_cms *parsed = NULL;
    an_code code;

    if (cms.len > SIGNATURE_MAX || an_cms_parse(cms, &parsed, reterr) != AN_OK)
        AN_FAIL(reterr, AN_E_DECISION_SIGNATURE, "CMS");
    code = check_parsed(statement, parsed, trust, at, ret_signer, reterr);
    an_cms_free(&parsed);
    return code;
}
