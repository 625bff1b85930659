/*
 * The signed form on arrival. It is the form when its first revision is, octet by octet, what this program lays out of
 * the dossier for that head and that moment; verify/ says whether what was signed is unchanged, the register whether
 * the certificate is that of the head of the agency that files. What the page shows is thus what the machine does: a
 * file that only carries the dossier's hash, under other words, is not the form (decision 175).
 */
#include "service/registration/request_internal.h"

#include "ca/register.h"
#include "crypto/crypto.h"
#include "service/registration/papers.h"

#include <stdio.h>

/* The form as the head saw it before he signed. */
static an_code
is_form(const struct an_dossier *request, const struct an_post *head, an_bytes file, bool *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf form = an_buf_new(AN_LIMIT_PAPER_BYTES);
    uint8_t digest[AN_DIGEST_MAX];

    *ret = false;
    an_hash_once(AN_SHA256, an_bytes_of_str(request->content), digest);
    if (head->id == 0 || memcmp(digest, request->digest, 32) != 0)
        return AN_OK;
    AN_TRY(request_lay_out(request, head, request->signed_at, &form, reterr));
    *ret = file.len > form.len && memcmp(file.ptr, form.ptr, form.len) == 0;
    return AN_OK;
}

static an_code
find_head(struct an_tx *tx, const struct an_dossier *request, struct an_arena *arena, struct an_post *ret,
          struct an_err *reterr)
{
    struct an_agency agency;
    bool closed = false;

    AN_TRY(an_agency_find_code(tx, request->agency, arena, &agency, &closed, reterr));
    return an_agency_head(tx, agency.id, request->signed_at, arena, ret, reterr);
}

static an_code
verify_file(const struct an_desk *desk, const struct an_file *file, struct an_report *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_verifier_free) struct an_verifier *verifier = NULL;
    AN_CLEANUP(an_desk_trust_done) struct an_desk_trust trust = {0};
    struct an_verify_options options = {.at = desk->at, .content_fd = -1, .policy = "noi-bo",
                                        .revocation = AN_REVOCATION_IF_AVAILABLE + 1};

    AN_TRY(an_desk_trust_load(desk->instance, &trust, reterr));
    AN_TRY(an_verifier_new(NULL, &verifier, reterr));
    options.anchors = &trust.anchors;
    options.untrusted = &trust.untrusted;
    options.crls = &trust.crls;
    return an_verify_file(verifier, file, &options, ret, reterr);
}

/* One signature, the head's, over the whole file, under a certificate that the store holds and has not put out of use:
 * nobody has anything to add to a form that was signed. */
static an_code
judge_signature(struct an_tx *tx, const struct an_report *report, const struct an_post *head, struct an_arena *arena,
                struct an_check_facts *facts, struct an_err *reterr)
{
    const struct an_signature_report *signature = report->signature_count == 1 ? &report->signatures[0] : NULL;
    struct an_desk_cert whose = {0};

    if (signature == NULL || signature->cert == NULL)
        return AN_OK;
    AN_TRY(an_desk_cert_look(tx, signature->cert, &whose, reterr));
    facts->document_is_head = head->id != 0 && whose.person == head->person;
    facts->document_is_valid = whose.is_good && report->indication == AN_TOTAL_PASSED &&
        report->word == AN_WORD_VALID && strcmp(signature->coverage, "whole-file") == 0;
    facts->document_detail = an_arena_str(arena, an_bytes_of_str(signature->signer ? signature->signer : ""));
    return AN_OK;
}

static an_code
judge(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request, struct an_arena *arena,
      const struct an_file *file, struct an_check_facts *facts, struct an_err *reterr)
{
    struct an_report report = {0};
    struct an_post head = {0};
    an_code code = verify_file(desk, file, &report, reterr);

    if (code == AN_E_VERIFY_FORMAT || code == AN_E_VERIFY_UNSIGNED) {
        facts->document_detail = "không có chữ ký số";
        return AN_OK;
    }
    AN_TRY(code);
    code = find_head(tx, request, arena, &head, reterr);
    if (code == AN_OK)
        code = judge_signature(tx, &report, &head, arena, facts, reterr);
    an_report_done(&report);
    return code != AN_OK ? code : is_form(request, &head, file->bytes, &facts->document_matches, reterr);
}

an_code
request_verify(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request, struct an_arena *arena,
               struct an_check_facts *facts, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;

    facts->has_document = true;
    facts->is_paper = strcmp(request->signed_by, "paper") == 0;
    facts->document_detail = "";
    AN_TRY(an_paper_open(desk->instance, request->document, &file, reterr));
    return facts->is_paper ? AN_OK : judge(desk, tx, request, arena, &file, facts, reterr);
}

/* ---- looked at again, before anything is decided ---- */
/* A key that was not the head's alone signed nothing; one that was given up later had signed before. */
static bool
is_doubted(const struct an_certificate *cert, an_time signed_at)
{
    bool is_compromised = cert->reason == AN_REASON_KEY_COMPROMISE || cert->reason == AN_REASON_CA_COMPROMISE ||
        cert->reason == AN_REASON_AA_COMPROMISE;

    return cert->status == AN_CERTIFICATE_HELD ||
        (cert->status == AN_CERTIFICATE_REVOKED && (is_compromised || cert->revoked_at <= signed_at));
}

an_code
request_require_form(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request,
                     struct an_err *reterr)
{
    AN_CLEANUP(an_arena_free) struct an_arena *arena = an_arena_new(0);
    AN_CLEANUP(an_buf_free) struct an_buf serial = an_buf_new(AN_LIMIT_SERIAL_BYTES);
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    struct an_certificate cert;

    AN_TRY(an_paper_open(desk->instance, request->document, &file, reterr));
    if (strcmp(request->signed_by, "paper") == 0)
        return AN_OK;
    AN_TRY(an_serial_parse(request->signed_by, &serial, reterr));
    AN_TRY(an_register_find(tx, an_buf_view(&serial), arena, &cert, reterr));
    if (is_doubted(&cert, request->signed_at))
        AN_FAIL(reterr, AN_E_REQUEST_FORM_CERT, "%s: %s", request->signed_by, an_certificate_status_name(cert.status));
    return AN_OK;
}
