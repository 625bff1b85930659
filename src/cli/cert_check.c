#include "cli/cert_check.h"

#include "base/file.h"
#include "cli/report.h"
#include "verify/path_policy.h"

/* What a reason proves. A path that is wrong stays wrong; one that lacks an issuer or a status may yet be completed. */
static const struct {
    an_code first, last;
    enum an_indication indication;
    const char *sub;
} meaning_table[] = {
    {AN_OK, AN_OK, AN_TOTAL_PASSED, NULL},
    {AN_V_PATH_NO_ISSUER, AN_V_PATH_NO_ISSUER, AN_INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND"},
    {AN_V_PATH_SIGNATURE, AN_V_PATH_SIGNATURE, AN_TOTAL_FAILED, "CERTIFICATE_CHAIN_GENERAL_FAILURE"},
    {AN_V_PATH_EXPIRED, AN_V_PATH_EXPIRED, AN_TOTAL_FAILED, "EXPIRED"},
    {AN_V_PATH_NOT_YET_VALID, AN_V_PATH_NOT_YET_VALID, AN_TOTAL_FAILED, "NOT_YET_VALID"},
    {AN_V_PATH_ALGORITHM, AN_V_PATH_ALGORITHM, AN_INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE"},
    {AN_V_PATH_LIMIT, AN_V_PATH_LIMIT, AN_INDETERMINATE, "GENERIC"},
    {AN_V_PATH_EXTENSION, AN_V_PATH_EXTENSION, AN_TOTAL_FAILED, "CERTIFICATE_CHAIN_GENERAL_FAILURE"},
    {AN_V_PATH_PROFILE, AN_V_PATH_PROFILE, AN_TOTAL_FAILED, "CERTIFICATE_CHAIN_GENERAL_FAILURE"},
    {AN_V_PATH_NOT_CA, AN_V_PATH_LIMIT - 1, AN_TOTAL_FAILED, "CHAIN_CONSTRAINTS_FAILURE"},
    {AN_V_PATH_REVOKED, AN_V_PATH_ON_HOLD, AN_TOTAL_FAILED, "REVOKED"},
    {AN_V_STATUS_NONE, AN_V_STATUS_BASE, AN_INDETERMINATE, "TRY_LATER"},
    {AN_E_DER_TAG, AN_E_CERT_EXTENSION_TWICE, AN_TOTAL_FAILED, "FORMAT_FAILURE"},
};
static const char *const reason_table[] = {
    "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
    "superseded",    "cessationOfOperation", "certificateHold", "7",
    "removeFromCRL", "privilegeWithdrawn",   "aACompromise",
};
static const char *const status_table[] = {[AN_STATUS_NONE] = "none",
                                           [AN_STATUS_GOOD] = "good",
                                           [AN_STATUS_REVOKED] = "revoked",
                                           [AN_STATUS_UNKNOWN] = "unknown"};

static enum an_indication
meaning_of(an_code why, const char **ret_sub)
{
    for (size_t i = 0; i < AN_COUNT(meaning_table); i++)
        if (why >= meaning_table[i].first && why <= meaning_table[i].last) {
            *ret_sub = meaning_table[i].sub;
            return meaning_table[i].indication;
        }
    *ret_sub = "GENERIC";
    return AN_INDETERMINATE;
}

/* ---- the certificate asked about ---- */
/* Does it claim to be a certificate? One that claims so and is malformed gets a verdict; anything else is not our
 * file. */
static bool
is_like_certificate(an_bytes content)
{
    an_bytes value, inner;

    if (an_bytes_find(content, AN_LIT("-----BEGIN CERTIFICATE-----"), 0) != SIZE_MAX)
        return true;
    return an_der_take(&content, AN_DER_SEQUENCE, &value, NULL) == AN_OK &&
           an_der_take(&value, AN_DER_SEQUENCE, &inner, NULL) == AN_OK &&
           an_der_take(&value, AN_DER_SEQUENCE, &inner, NULL) == AN_OK && an_der_peek(value) == AN_DER_BIT_STRING;
}

/* A PKCS#7 bundle has no order: the certificate that issued none of the others is the one that is meant. */
static void
put_leaf_first(struct an_certs *certs)
{
    for (size_t i = 0; i < certs->count; i++) {
        struct an_cert *cert = certs->items[i];
        size_t issued = 0;

        for (size_t k = 0; k < certs->count; k++)
            issued += k != i && an_name_eq(certs->items[k]->issuer, cert->subject);
        if (issued > 0 || cert->is_ca)
            continue;
        certs->items[i] = certs->items[0];
        certs->items[0] = cert;
        return;
    }
}

/* The first certificate of the file; others in it may help to build the path. *ret_malformed: why it cannot be read. */
static an_code
load_leaf(const char *path, struct an_certs *ret, an_code *ret_malformed, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    struct an_err err = {0};
    an_code code = an_file_open(path, AN_LIMIT_CMS_BYTES, &file, &err);

    if (code == AN_OK)
        code = material_cert_bytes(file.bytes, ret, &err);
    if (code == AN_OK && ret->count > 1 && material_is_bundle(file.bytes))
        put_leaf_first(ret);
    if (code == AN_OK || (ret->count > 0 && code != AN_E_DER_TRAILING))
        return AN_OK;
    if (code >= AN_E_DER_TAG && code <= AN_E_CERT_EXTENSION_TWICE && code != AN_E_PEM &&
        is_like_certificate(file.bytes)) {
        *ret_malformed = code;
        return AN_OK;
    }
    an_err_name_file(&err, path);
    if (reterr != NULL)
        *reterr = err;
    return code;
}

/* ---- the answer ---- */
static json_t *
name_text(an_bytes name)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(8192);

    an_name_text(name, &text);
    return report_text_json(an_buf_view(&text));
}

static json_t *
status_json(struct cli *cli, const struct an_cert *cert, const struct an_status_result *status)
{
    bool revoked = status->status == AN_STATUS_REVOKED;
    size_t reason = (size_t)status->reason;

    return json_pack(
        "{s:o, s:s, s:o, s:s?, s:o, s:o, s:s?, s:o}", "subject", name_text(cert->subject), "status",
        status_table[status->status], "revoked_at", report_time_json(revoked ? status->revoked_at : AN_TIME_NONE),
        "reason", revoked && reason < AN_COUNT(reason_table) ? reason_table[reason] : NULL, "this_update",
        report_time_json(status->status == AN_STATUS_NONE ? AN_TIME_NONE : status->this_update), "next_update",
        report_time_json(status->status == AN_STATUS_NONE ? AN_TIME_NONE : status->next_update), "source",
        status->crl    ? "crl"
        : status->ocsp ? "ocsp"
                       : NULL,
        "why", status->why != AN_OK ? report_message_json(cli, status->why, NULL) : json_null());
}

static json_t *
why_json(struct cli *cli, an_code why, const struct an_path_result *result)
{
    json_t *json;

    if (why == AN_OK)
        return json_null();
    json = report_message_json(cli, why, result->detail);
    if (result->at < result->chain_count) {
        json_object_set_new(json, "certificate", json_integer((json_int_t)result->at));
        json_object_set_new(json, "subject", name_text(result->chain[result->at]->subject));
    }
    return json;
}

/* A file that was named and could not be read: the first one stands for all. */
static void
note_unread(struct cli *cli, const struct material_bad *bad, json_t *notes)
{
    AN_CLEANUP(an_free_ptr) char *detail = an_asprintf("%s: %s", bad->first.file, bad->first.detail);

    if (bad->count > 0)
        json_array_append_new(notes, report_message_json(cli, bad->first.code, detail));
}

static json_t *
notes_json(struct cli *cli, const struct an_path_result *result, const struct material *material)
{
    json_t *notes = json_array();

    note_unread(cli, &material->bad_certs, notes);
    note_unread(cli, &material->bad_status, notes);
    for (size_t i = 0; i < result->chain_count; i++) {
        an_code quirks[16];
        size_t count = an_cert_quirks(result->chain[i], quirks, AN_COUNT(quirks));
        for (size_t k = 0; k < count && k < AN_COUNT(quirks); k++) {
            json_t *note = report_message_json(cli, quirks[k], NULL);
            json_object_set_new(note, "certificate", json_integer((json_int_t)i));
            json_array_append_new(notes, note);
        }
    }
    return notes;
}

static json_t *
answer_json(struct cli *cli, const char *file, const char *policy, an_time at, an_code why,
            const struct an_path_result *result, const struct material *material, enum an_indication *ret_indication)
{
    json_t *chain = json_array(), *policies = json_array(), *status = json_array();
    const char *sub = NULL;

    *ret_indication = meaning_of(why, &sub);
    for (size_t i = 0; i < result->chain_count; i++)
        json_array_append_new(chain, report_cert_json(result->chain[i]));
    for (size_t i = 0; result->status != NULL && i + 1 < result->chain_count; i++)
        json_array_append_new(status, status_json(cli, result->chain[i], &result->status[i]));
    for (size_t i = 0; i < result->policy_count; i++)
        json_array_append_new(policies, json_string(result->policies[i]));
    return json_pack("{s:o, s:s, s:s?, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "file",
                     report_text_json(an_bytes_of_str(file)), "indication", indication_text(*ret_indication),
                     "subindication", sub, "why", why_json(cli, why, result), "at", report_time_json(at), "policy",
                     policy, "chain", chain, "policies", policies, "status", status, "notes", notes_json(cli, result, material));
}

/* ---- the question ---- */
/* A list that was given and cannot be read may be the one that revokes: what it leaves open is not good. */
static an_code
judge_unread(const struct an_path_result *result, const struct material *material, const char *revocation)
{
    if (!result->valid || material->bad_status.count == 0 || strcmp(revocation, "none") == 0)
        return result->why;
    for (size_t i = 0; i + 1 < result->chain_count; i++)
        if (result->status == NULL || result->status[i].status != AN_STATUS_GOOD)
            return AN_V_STATUS_MALFORMED;
    return AN_OK;
}

static an_code
ask(const struct cert_checker *checker, const struct cert_verify_args *args, struct an_certs *leaves,
    struct material *material, an_time at, struct an_path_result *ret, an_code *ret_why, struct an_err *reterr)
{
    struct an_path_policy policy = {0};
    struct an_path_request request = {
        .leaf = leaves->items[0],
        .anchors = &policy.anchors,
        .untrusted = &material->untrusted,
        .crls = &material->crls,
        .ocsps = &material->ocsps,
        .at = at,
        .policy_oids = args->policy_oid.items,
        .policy_count = args->policy_oid.count,
        .explicit_policy = args->explicit_policy,
        .inhibit_mapping = args->inhibit_mapping,
        .inhibit_any_policy = args->inhibit_any_policy,
        .purpose = args->purpose,
        .names = args->name.items,
        .name_count = args->name.count,
        .fetch = checker->fetch,
    };
    an_code code;

    for (size_t i = 1; i < leaves->count; i++)
        an_certs_add(&material->untrusted, leaves->items[i]);
    code = an_verifier_path_policy(checker->verifier, args->policy ? args->policy : "rfc5280", &material->anchors,
                                   &material->untrusted, &policy, reterr);
    if (code == AN_OK) {
        request.revocation = args->revocation ? args->revocation : policy.revocation;
        request.algorithms = policy.algorithms;
        request.lenient = !policy.strict;
        code = an_path_request_run(&request, ret, reterr);
    }
    if (code == AN_OK)
        *ret_why = judge_unread(ret, material, request.revocation);
    an_certs_done(&policy.anchors);
    return code;
}

an_code
cert_check(struct cli *cli, const struct cert_checker *checker, const char *file, const struct cert_verify_args *args,
           enum an_indication *ret_indication, json_t **ret_json, struct an_err *reterr)
{
    AN_CLEANUP(material_done) struct material material = {0};
    AN_CLEANUP(an_certs_done) struct an_certs leaves = {0};
    const struct material_paths paths = {&args->trust, &args->untrusted, &args->crl, &args->ocsp};
    struct an_path_result result = {0};
    an_code why = AN_OK;
    an_time at;

    AN_TRY(material_time(args->at, &at, reterr));
    if (at == AN_TIME_NONE)
        at = an_time_now();
    AN_TRY(material_load(checker->cache, &paths, true, &material, reterr));
    AN_TRY(load_leaf(file, &leaves, &why, reterr));
    if (why == AN_OK)
        AN_TRY(ask(checker, args, &leaves, &material, at, &result, &why, reterr));
    *ret_json = answer_json(cli, file, args->policy ? args->policy : "rfc5280", at, why, &result, &material, ret_indication);
    an_path_result_done(&result);
    return AN_OK;
}
