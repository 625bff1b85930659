/*
 * Writing a record: a folder that travels with the document (TT 41/2017 Điều 9 khoản 1) and is destroyed with it (Điều
 * 10). Each piece lies under its own digest; the manifest names them all, what was asked, and what came out.
 */
#include "report/internal.h"

#include "base/buf.h"
#include "base/file.h"

#define POLICY_BYTES_MAX ((size_t)4 * 1024 * 1024)

const struct evidence_place evidence_places[EVIDENCE_KINDS] = {
    [EVIDENCE_ANCHOR] = {"anchor", "anchors", "cer"},
    [EVIDENCE_CERTIFICATE] = {"certificate", "certificates", "cer"},
    [EVIDENCE_CRL] = {"crl", "crls", "crl"},
    [EVIDENCE_OCSP] = {"ocsp", "ocsps", "ors"},
    [EVIDENCE_TIME_STAMP] = {"time-stamp", "time-stamps", "tst"},
    [EVIDENCE_POLICY] = {"policy", "policies", "yaml"},
};

void
evidence_hex(const uint8_t hash[static 32], char ret[static 65])
{
    for (size_t i = 0; i < 32; i++)
        snprintf(ret + 2 * i, 3, "%02x", hash[i]);
}

void
evidence_digest(const json_t *manifest, char ret[static 65])
{
    json_t *copy = json_copy((json_t *)(uintptr_t)manifest);
    uint8_t digest[AN_DIGEST_MAX];
    char *text;

    json_object_del(copy, "digest");
    text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(copy);
    if (!text)
        an_die_memory();
    an_hash_once(AN_SHA256, an_bytes_of_str(text), digest);
    free(text);
    evidence_hex(digest, ret);
}

static json_t *
time_json(an_time when)
{
    char text[AN_TIME_TEXT_MAX];

    return when == AN_TIME_NONE ? json_null() : json_string(an_time_format_vn(when, text));
}

json_t *
evidence_verdict(const struct an_report *report)
{
    json_t *signatures = json_array();

    for (size_t i = 0; i < report->signature_count; i++) {
        const struct an_signature_report *s = &report->signatures[i];
        json_array_append_new(signatures,
                              json_pack("{s:o, s:s, s:s, s:i, s:o, s:o}", "field", report_string(s->field),
                                        "indication", report_indication(s->indication), "subindication",
                                        s->sub_indication ? s->sub_indication : "", "word", (int)s->word, "signer",
                                        report_string(s->signer), "best_time", time_json(s->best_time)));
    }
    return json_pack("{s:s, s:i, s:i, s:o}", "indication", report_indication(report->indication), "word",
                     (int)report->word, "legal_effect", (int)report->legal_effect, "signatures", signatures);
}

/* ---- pieces ---- */
struct writer {
    const char *folder;
    json_t *pieces;
    char *ids[EVIDENCE_KINDS]; /* folders made */
};

static an_code
write_piece(struct writer *writer, enum evidence_kind kind, an_bytes bytes, const char *name, struct an_err *reterr)
{
    const struct evidence_place *place = &evidence_places[kind];
    uint8_t digest[AN_DIGEST_MAX];
    char hex[65];

    an_hash_once(AN_SHA256, bytes, digest);
    evidence_hex(digest, hex);
    AN_CLEANUP(an_free_ptr) char *inner = an_asprintf("%s/%s.%s", place->folder, name ? name : hex, place->suffix);
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", writer->folder, inner);
    if (!writer->ids[kind]) {
        writer->ids[kind] = an_asprintf("%s/%s", writer->folder, place->folder);
        AN_TRY(an_dir_make(writer->ids[kind], false, reterr));
    }
    AN_TRY(an_file_write(path, bytes, 0644, reterr));
    json_array_append_new(writer->pieces, json_pack("{s:s, s:s, s:s, s:I}", "kind", place->kind, "file", inner,
                                                    "sha256", hex, "bytes", (json_int_t)bytes.len));
    return AN_OK;
}

/* Of the anchors given, those that can end a path of this document. */
static an_code
write_anchors(struct writer *writer, const struct an_certs *anchors, const struct an_certs *used, bool whole,
              struct an_err *reterr)
{
    for (size_t i = 0; anchors && i < anchors->count; i++)
        if (whole || an_certs_find_hash(used, anchors->items[i]->sha256))
            AN_TRY(write_piece(writer, EVIDENCE_ANCHOR, anchors->items[i]->der, NULL, reterr));
    return AN_OK;
}

static an_code
write_stamps(struct writer *writer, const struct an_report *report, struct an_err *reterr)
{
    for (size_t i = 0; i < report->signature_count; i++)
        for (size_t k = 0; k < report->signatures[i].time_stamp_count; k++) {
            const struct an_time_stamp_report *t = &report->signatures[i].time_stamps[k];
            if (t->token_len &&
                !(k > 0 && t->token_len == t[-1].token_len && memcmp(t->token, t[-1].token, t->token_len) == 0))
                AN_TRY(write_piece(writer, EVIDENCE_TIME_STAMP, AN_BYTES(t->token, t->token_len), NULL, reterr));
        }
    return AN_OK;
}

static an_code
write_policy(struct writer *writer, const struct an_report_context *context, const char *id, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(POLICY_BYTES_MAX);
    AN_CLEANUP(an_free_ptr) char *path = an_policy_path(context->regulations, id);

    AN_TRY(an_file_read(path, POLICY_BYTES_MAX, &text, reterr));
    return write_piece(writer, EVIDENCE_POLICY, an_buf_view(&text), id, reterr);
}

static an_code
write_pieces(struct writer *writer, const struct an_report_context *context, const struct an_report_paper *paper,
             const struct an_verify_options *options, bool whole, struct an_err *reterr)
{
    AN_CLEANUP(report_selection_done) struct report_selection used;

    report_select(paper->report, whole, &used);
    AN_TRY(write_anchors(writer, options->anchors, &used.certs, whole, reterr));
    for (size_t i = 0; i < used.certs.count; i++)
        AN_TRY(write_piece(writer, EVIDENCE_CERTIFICATE, used.certs.items[i]->der, NULL, reterr));
    for (size_t i = 0; i < used.crls.count; i++)
        AN_TRY(write_piece(writer, EVIDENCE_CRL, used.crls.items[i]->der, NULL, reterr));
    for (size_t i = 0; i < used.ocsps.count; i++)
        AN_TRY(write_piece(writer, EVIDENCE_OCSP, used.ocsps.items[i]->der, NULL, reterr));
    AN_TRY(write_stamps(writer, paper->report, reterr));
    return write_policy(writer, context, paper->policy, reterr);
}

/* ---- the manifest ---- */
/* certificatePolicies of a certificate: under which rules it was issued (quy chế chứng thực). */
static json_t *
practice_json(const struct an_cert *cert)
{
    const struct an_extension *extension = an_cert_extension(cert, "2.5.29.32");
    an_bytes value = extension ? extension->value : AN_NONE, list, info, oid;
    json_t *all = json_array();

    if (!extension || an_der_take(&value, AN_DER_SEQUENCE, &list, NULL) != AN_OK)
        return all;
    while (list.len && an_der_take(&list, AN_DER_SEQUENCE, &info, NULL) == AN_OK &&
           an_der_take(&info, AN_DER_OID, &oid, NULL) == AN_OK) {
        AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(512);
        an_oid_text(oid, &text);
        json_array_append_new(all, json_stringn(text.len ? (const char *)text.ptr : "", text.len));
    }
    return all;
}

/* TT 41/2017 Điều 9 khoản 1, one row for each signature: where each thing that must be kept stands. */
static json_t *
list_json(const struct an_report *report)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < report->signature_count; i++) {
        const struct an_signature_report *s = &report->signatures[i];
        AN_CLEANUP(an_buf_free) struct an_buf subject = an_buf_new(8192);
        json_t *certificates = json_array();
        char hex[65];

        for (size_t k = 0; k < s->chain_count; k++) {
            evidence_hex(s->chain[k]->sha256, hex);
            json_array_append_new(certificates, json_string(hex));
        }
        if (s->cert)
            an_name_text(s->cert->subject, &subject);
        json_array_append_new(rows, json_pack("{s:o, s:o, s:o, s:o, s:i}", "field", report_string(s->field),
                                              "certificates", certificates, "certification_practice",
                                              s->cert ? practice_json(s->cert) : json_array(), "responsible",
                                              json_stringn(subject.len ? (const char *)subject.ptr : "", subject.len),
                                              "time_stamps", (int)s->time_stamp_count));
    }
    return rows;
}

static json_t *
question_json(const struct an_report_paper *paper, const struct an_verify_options *options)
{
    json_t *oids = json_array();
    char hex[65] = "";

    for (size_t i = 0; i < options->policy_count; i++)
        json_array_append_new(oids, json_string(options->policy_oids[i]));
    if (options->content.len) {
        uint8_t digest[AN_DIGEST_MAX];
        an_hash_once(AN_SHA256, options->content, digest);
        evidence_hex(digest, hex);
    }
    return json_pack("{s:o, s:s, s:b, s:o, s:b, s:b, s:b, s:i, s:b, s:s}", "at", time_json(paper->at), "policy",
                     paper->policy, "anchors", (int)(options->anchors != NULL), "policy_oids", oids, "explicit_policy",
                     (int)options->explicit_policy, "inhibit_mapping", (int)options->inhibit_mapping,
                     "inhibit_any_policy", (int)options->inhibit_any_policy, "revocation", options->revocation,
                     "online", (int)(options->fetch.crls != NULL), "content_sha256", hex);
}

static an_code
write_manifest(const struct writer *writer, const struct an_report_paper *paper,
               const struct an_verify_options *options, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/" EVIDENCE_MANIFEST, writer->folder);
    char document[65], digest[65], *text;
    json_t *root;
    an_code code;

    evidence_hex(paper->sha256, document);
    root = json_pack("{s:s, s:s, s:s, s:{s:o, s:s, s:I}, s:o, s:o, s:o, s:O}", "format", EVIDENCE_FORMAT, "program",
                     "antin", "version", AN_VERSION, "document", "file", report_string(report_file_name(paper->file)),
                     "sha256", document, "bytes", (json_int_t)paper->bytes, "question", question_json(paper, options),
                     "verdict", evidence_verdict(paper->report), "tt-41-2017/9/1", list_json(paper->report), "pieces",
                     writer->pieces);
    evidence_digest(root, digest);
    json_object_set_new(root, "digest", json_string(digest));
    text = json_dumps(root, JSON_INDENT(1));
    json_decref(root);
    if (!text)
        an_die_memory();
    code = an_file_write(path, an_bytes_of_str(text), 0644, reterr);
    free(text);
    return code;
}

an_code
an_evidence_save(const struct an_report_context *context, const struct an_report_paper *paper,
                 const struct an_verify_options *options, bool whole, const char *folder, struct an_err *reterr)
{
    struct writer writer = {.folder = folder, .pieces = json_array()};
    an_code code = an_dir_make(folder, false, reterr);

    if (code == AN_OK)
        code = write_pieces(&writer, context, paper, options, whole, reterr);
    if (code == AN_OK) /* last: a record without a manifest is none */
        code = write_manifest(&writer, paper, options, reterr);
    for (size_t i = 0; i < EVIDENCE_KINDS; i++)
        free(writer.ids[i]);
    json_decref(writer.pieces);
    return code;
}
