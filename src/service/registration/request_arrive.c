/*
 * The signed form on arrival: verify/ says whether the signature is valid, the register whether its certificate is that
 * of the head of the agency that files, and the hash in the signed file whether it is this very dossier.
 */
#include "service/registration/request_internal.h"

#include "base/file.h"
#include "pdf/pdf.h"
#include "service/registration/papers.h"

#include <stdio.h>

/* /Keywords of the first revision: what was laid out, before anybody appended anything. */
static bool
holds_digest(an_bytes file, const uint8_t digest[static 32])
{
    struct an_pdf_open open = {0};
    AN_CLEANUP(an_pdf_free) struct an_pdf *pdf = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf want = an_buf_new(200), said = an_buf_new(4096);
    const struct an_pdf_obj *words;

    if (an_pdf_open(file, &open, &pdf, NULL) != AN_OK)
        return false;
    words = an_pdf_at(pdf, 0, an_pdf_at(pdf, 0, an_pdf_trailer(pdf, 0), "Info"), "Keywords");
    if (words->kind != AN_PDF_STRING)
        return false;
    if (!an_pdf_text_of(words, &said))
        return false;
    an_buf_str(&want, "antin-dossier-sha256:");
    an_buf_hex(&want, AN_BYTES(digest, 32));
    return an_bytes_eq(an_buf_view(&said), an_buf_view(&want));
}

/* The signer must be the head by the register, at the moment of the signature. */
static an_code
is_head(struct an_tx *tx, const struct an_dossier *request, const struct an_cert *cert, struct an_arena *arena,
        bool *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *serial = an_desk_serial(cert);
    struct an_subscriber_cert link = {0};
    struct an_subscriber subscriber = {0};
    struct an_agency agency;
    struct an_post head = {0};
    bool closed = false;

    AN_TRY(an_subscriber_of_cert(tx, serial, arena, &link, reterr));
    if (link.subscriber != 0)
        AN_TRY(an_subscriber_find(tx, link.subscriber, arena, &subscriber, reterr));
    AN_TRY(an_agency_find_code(tx, request->agency, arena, &agency, &closed, reterr));
    AN_TRY(an_agency_head(tx, agency.id, request->signed_at, arena, &head, reterr));
    *ret = subscriber.person != 0 && head.id != 0 && head.person == subscriber.person;
    return AN_OK;
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

/* The certificate's state in the store, which is newer than any list. */
static an_code
is_in_force(struct an_tx *tx, const struct an_cert *cert, bool *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *serial = an_desk_serial(cert);
    struct request_cert facts = {0};

    AN_TRY(request_find_cert(tx, serial, &facts, reterr));
    *ret = facts.found && facts.status == 0;
    return AN_OK;
}

static an_code
judge(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request, struct an_arena *arena,
      const struct an_file *file,
      struct an_check_facts *facts, struct an_err *reterr)
{
    struct an_report report = {0};
    const struct an_signature_report *signature;
    bool in_force = false;
    an_code code = verify_file(desk, file, &report, reterr);

    if (code == AN_E_VERIFY_FORMAT || code == AN_E_VERIFY_UNSIGNED) {
        facts->document_detail = "không có chữ ký số";
        return AN_OK;
    }
    AN_TRY(code);
    signature = report.signature_count > 0 ? &report.signatures[0] : NULL;
    if (signature != NULL && signature->cert != NULL) {
        code = is_head(tx, request, signature->cert, arena, &facts->document_is_head, reterr);
        if (code == AN_OK)
            code = is_in_force(tx, signature->cert, &in_force, reterr);
        facts->document_detail = an_arena_str(arena, an_bytes_of_str(signature->signer ? signature->signer : ""));
    }
    facts->document_is_valid = in_force && report.indication == AN_TOTAL_PASSED && report.word == AN_WORD_VALID;
    facts->document_matches = holds_digest(file->bytes, request->digest);
    an_report_done(&report);
    return code;
}

an_code
request_verify(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request, struct an_arena *arena,
               struct an_check_facts *facts, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_paper_path(desk->instance, request->document);
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;

    facts->has_document = true;
    facts->is_paper = strcmp(request->signed_by, "paper") == 0;
    facts->document_detail = "";
    if (facts->is_paper)
        return AN_OK;
    AN_TRY(an_file_open(path, AN_LIMIT_PAPER_BYTES, &file, reterr));
    return judge(desk, tx, request, arena, &file, facts, reterr);
}
