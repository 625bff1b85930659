#include "service/certification/ceremony_paper.h"

#include "base/file.h"
#include "proc/json.h"
#include "proc/layout.h"
#include "service/registration/desk.h"
#include "sign/sign.h"
#include "verify/verify.h"

#include <jansson.h>
#include <stdio.h>

#define NAME_LINE "\npaper: "

/* ---- laying out ---- */
static json_t *
take_pair(const char *key, char *value)
{
    json_t *pair = json_pack("[s, s]", key, value);

    free(value);
    return pair;
}

static char *
take_hex(const uint8_t sha256[static 32])
{
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(80);

    an_buf_hex(&hex, AN_BYTES(sha256, 32));
    return an_buf_take_str(&hex);
}

struct voices { int64_t matter; json_t *table; };

static an_code
tell_voice(void *context, const struct an_voted *vote, struct an_err *reterr)
{
    struct voices *voices = context;
    char at[AN_TIME_TEXT_MAX];

    (void)reterr;
    if (vote->approves)
        json_array_append_new(voices->table,
                              take_pair("Phê duyệt kịch bản / Script approved",
                                        an_asprintf("%s (%s), %s", vote->person, vote->role,
                                                    an_time_format_vn(vote->at, at))));
    return AN_OK;
}

static an_code
read_voices(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct voices *voices = context;

    json_array_clear(voices->table);
    return an_matter_votes(tx, voices->matter, tell_voice, voices, reterr);
}

static an_code
facts_table(struct an_instance *instance, const struct ceremony_facts *facts, json_t **ret, struct an_err *reterr)
{
    struct voices voices = {.matter = facts->matter, .table = json_array()};
    json_t *table = json_array();

    json_array_append_new(table, take_pair("Bản cài đặt / Instance",
                                           an_asprintf("%s, %s", instance->config.name, instance->config.instance)));
    json_array_append_new(table, take_pair("Kịch bản / Script", an_asprintf("%s, %s", facts->id, facts->script)));
    json_array_append_new(table, take_pair("SHA-256 của kịch bản / of the script", take_hex(facts->script_sha256)));
    json_array_append_new(table, take_pair("Người thực hiện / Carried out by",
                                           an_asprintf("%s (%s)", facts->actor->id, facts->actor->role)));
    an_code code = an_store_read(instance->store, read_voices, &voices, reterr);
    json_array_extend(table, voices.table);
    json_decref(voices.table);
    *ret = table;
    return code;
}

static an_code
lay_out(const struct ceremony_facts *facts, json_t *table, json_t *rows, struct an_buf *ret_pdf, struct an_err *reterr)
{
    AN_CLEANUP(an_child_stop) struct an_child *child = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf json = an_buf_new(AN_LIMIT_MESSAGE_BYTES);
    AN_CLEANUP(an_json_free) json_t *root = json_pack(
        "{s:s, s:s, s:s, s:s, s:[{s:O}, {s:s}, {s:[s, s, s], s:[i, i, i], s:O}, {s:s}]}", "kind", "bao-cao", "title",
        facts->vi, "author", "Ấn Tín", "subtitle", facts->en, "blocks", "table", table, "heading",
        "Các bước đã thực hiện / Steps carried out", "columns", "TT", "Thời điểm / Time", "Nội dung / What", "widths",
        2, 11, 22, "rows", rows, "small",
        "Những người phê duyệt biên bản ký số vào tệp này và vào bản văn bản của nó. "
        "Those who approve this transcript sign this file and its text.");

    if (root == NULL)
        AN_FAIL(reterr, AN_E_UTF8, "%s", facts->script);
    an_json_write(&json, root);
    AN_TRY(an_child_start("antin-layout", &child, reterr));
    return an_layout_document(child, an_buf_view(&json), ret_pdf, reterr);
}

an_code
ceremony_lay_out(struct an_instance *instance, const struct ceremony_facts *facts, json_t *rows, struct an_buf *ret_pdf,
                 struct an_err *reterr)
{
    json_t *table = NULL;
    an_code code = facts_table(instance, facts, &table, reterr);

    if (code == AN_OK)
        code = lay_out(facts, table, rows, ret_pdf, reterr);
    json_decref(table);
    json_decref(rows);
    return code;
}

/* ---- the line that ties text and page ---- */
static void
paper_line(an_bytes pdf, struct an_buf *out)
{
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(AN_SHA256, pdf, digest);
    an_buf_printf(out, NAME_LINE "%zu byte, sha256 ", pdf.len);
    an_buf_hex(out, AN_BYTES(digest, 32));
    an_buf_byte(out, '\n');
}

void
ceremony_name_paper(an_bytes pdf, struct an_buf *text)
{
    paper_line(pdf, text);
}

/* Where the last such line begins; text.len when there is none. */
static size_t
find_line(an_bytes text)
{
    static const size_t len = sizeof(NAME_LINE) - 1;

    for (size_t at = text.len; at-- > 0;)
        if (text.len - at >= len && memcmp(text.ptr + at, NAME_LINE, len) == 0)
            return at;
    return text.len;
}

bool
ceremony_has_paper(an_bytes text)
{
    return find_line(text) != text.len;
}

/* The size comes from the line, the line is then made again from the file's beginning: one spelling only. */
static an_code
check_beginning(an_bytes text, an_bytes file, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf line = an_buf_new(256);
    size_t at = find_line(text), size = 0;

    for (size_t i = at + sizeof(NAME_LINE) - 1; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        size = size > file.len ? size : size * 10 + (size_t)(text.ptr[i] - '0');
    if (size == 0 || size > file.len)
        AN_FAIL(reterr, AN_E_CEREMONY_PAPER, "%zu byte", file.len);
    paper_line(AN_BYTES(file.ptr, size), &line);
    if (!an_bytes_eq(an_buf_view(&line), AN_BYTES(text.ptr + at, text.len - at)))
        AN_FAIL(reterr, AN_E_CEREMONY_PAPER, "sha256");
    return AN_OK;
}

an_code
ceremony_match_paper(an_bytes text, const char *path, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;

    AN_TRY(an_file_open(path, AN_LIMIT_PAPER_BYTES, &file, reterr));
    return check_beginning(text, file.bytes, reterr);
}

/* ---- judging what is on it ---- */
/* An officer's certificate may come from anywhere: it counts as itself, as it does for votes. */
struct judging { struct an_desk_trust trust; struct an_verifier *verifier; struct an_report report; int64_t matter; };

static void
judging_done(struct judging *j)
{
    an_report_done(&j->report);
    an_verifier_free(&j->verifier);
    an_desk_trust_done(&j->trust);
}

static an_code
judge(struct judging *j, const struct an_file *file, struct an_err *reterr)
{
    struct an_verify_options options = {.at = AN_TIME_NONE, .content_fd = -1, .policy = "noi-bo",
                                        .anchors = &j->trust.anchors, .untrusted = &j->trust.untrusted,
                                        .crls = &j->trust.crls, .revocation = AN_REVOCATION_NONE + 1};
    an_code code = an_verify_file(j->verifier, file, &options, &j->report, reterr);

    if (code != AN_E_VERIFY_UNSIGNED)
        return code;
    *reterr = (struct an_err){0};
    return AN_OK;
}

static bool
is_signed_by(const struct an_report *report, an_bytes certificate)
{
    for (size_t i = 0; i < report->signature_count; i++)
        if (report->signatures[i].cert != NULL && an_bytes_eq(report->signatures[i].cert->der, certificate))
            return true;
    return false;
}

static an_code
open_paper(struct an_instance *instance, an_bytes text, const char *path, struct an_file *file, struct judging *j,
           struct an_err *reterr)
{
    AN_TRY(an_file_open(path, AN_LIMIT_PAPER_BYTES, file, reterr));
    AN_TRY(check_beginning(text, file->bytes, reterr));
    AN_TRY(an_desk_trust_load(instance, &j->trust, reterr));
    return an_verifier_new(NULL, &j->verifier, reterr);
}

/* ---- signing ---- */
static an_code
append_signature(const struct judging *j, const char *path, struct an_cert *cert, struct an_signer *signer,
                 struct an_err *reterr)
{
    AN_CLEANUP(an_sign_session_free) struct an_sign_session *session = NULL;
    const struct an_sign_setup setup = {.signer = signer, .cert = cert, .chain = &j->trust.untrusted,
                                        .anchors = &j->trust.anchors, .level = AN_LEVEL_B_B,
                                        .revocation = AN_REVOCATION_NONE};
    const struct an_sign_job job = {.in_path = path, .in_place = true};
    struct an_sign_result result = {0};

    AN_TRY(an_sign_session_new(&setup, &session, reterr));
    return an_sign_pdf(session, &job, &result, reterr);
}

an_code
ceremony_sign_paper(struct an_instance *instance, an_bytes text, const char *path, struct an_cert *cert,
                    struct an_signer *signer, struct an_err *reterr)
{
    AN_CLEANUP(judging_done) struct judging j = {0};
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;

    AN_TRY(open_paper(instance, text, path, &file, &j, reterr));
    an_certs_add(&j.trust.anchors, cert);
    AN_TRY(judge(&j, &file, reterr));
    if (is_signed_by(&j.report, cert->der))
        return AN_OK;
    return append_signature(&j, path, cert, signer, reterr);
}

/* ---- the whole quorum ---- */
static an_code
trust_voice(void *context, const struct an_voted *vote, struct an_err *reterr)
{
    struct judging *j = context;
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;

    AN_TRY(an_cert_parse(vote->certificate, &cert, reterr));
    an_certs_add(&j->trust.anchors, cert);
    return AN_OK;
}

static an_code
see_voice(void *context, const struct an_voted *vote, struct an_err *reterr)
{
    struct judging *j = context;

    if (vote->approves && !is_signed_by(&j->report, vote->certificate))
        AN_FAIL(reterr, AN_E_CEREMONY_PAPER, "%s: -", vote->person);
    return AN_OK;
}

static an_code
trust_voices(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct judging *j = context;

    return an_matter_votes(tx, j->matter, trust_voice, j, reterr);
}

static an_code
see_voices(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct judging *j = context;

    return an_matter_votes(tx, j->matter, see_voice, j, reterr);
}

an_code
ceremony_check_paper(struct an_instance *instance, an_bytes text, const char *path, int64_t matter,
                     struct an_err *reterr)
{
    AN_CLEANUP(judging_done) struct judging j = {.matter = matter};
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;

    AN_TRY(open_paper(instance, text, path, &file, &j, reterr));
    AN_TRY(an_store_read(instance->store, trust_voices, &j, reterr));
    AN_TRY(judge(&j, &file, reterr));
    for (size_t i = 0; i < j.report.signature_count; i++)
        if (j.report.signatures[i].indication != AN_TOTAL_PASSED)
            AN_FAIL(reterr, AN_E_CEREMONY_PAPER, "%s: %s", j.report.signatures[i].signer,
                    j.report.signatures[i].sub_indication);
    return an_store_read(instance->store, see_voices, &j, reterr);
}
