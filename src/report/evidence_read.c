/* Reading a record: every piece must be what the manifest says; then the verdict is computed again from it alone. */
#include "report/internal.h"

#include "base/buf.h"
#include "base/file.h"
#include "proc/json.h"

#define MANIFEST_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct an_evidence {
    json_t *manifest;
    char *folder;
    struct an_certs anchors, certs;
    struct an_crls crls;
    struct an_ocsps ocsps;
    struct an_verifier *verifier; /* reads the policy from the record */
    an_time at;
    const char **oids;
};

static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* ---- pieces ---- */
static enum evidence_kind
kind_of(const char *kind)
{
    size_t i = 0;

    while (i < EVIDENCE_KINDS && strcmp(evidence_places[i].kind, kind) != 0)
        i++;
    return (enum evidence_kind)i;
}

/* Nothing in a manifest can lead out of its folder: a name is what its kind and digest (a policy: its id) make it. */
static bool
is_own_name(const json_t *piece, enum evidence_kind kind)
{
    const struct evidence_place *place = &evidence_places[kind];
    const char *name = kind == EVIDENCE_POLICY ? NULL : text_of(piece, "sha256"), *file = text_of(piece, "file");
    AN_CLEANUP(an_free_ptr) char *want = NULL;

    if (name) {
        want = an_asprintf("%s/%s.%s", place->folder, name, place->suffix);
        return strcmp(want, file) == 0;
    }
    return strncmp(file, "policies/", 9) == 0 &&
           strspn(file + 9, "abcdefghijklmnopqrstuvwxyz0123456789-") + 5 == strlen(file + 9) &&
           strcmp(file + strlen(file) - 5, ".yaml") == 0;
}

static an_code
take_piece(struct an_evidence *evidence, enum evidence_kind kind, an_bytes bytes, struct an_err *reterr)
{
    struct an_crl *crl;
    struct an_ocsp *ocsp;

    switch (kind) {
    case EVIDENCE_ANCHOR:
        return an_certs_read(&evidence->anchors, bytes, reterr);
    case EVIDENCE_CERTIFICATE:
        return an_certs_read(&evidence->certs, bytes, reterr);
    case EVIDENCE_CRL:
        AN_TRY(an_crl_parse(bytes, &crl, reterr));
        *an_crls_push(&evidence->crls) = crl;
        return AN_OK;
    case EVIDENCE_OCSP:
        AN_TRY(an_ocsp_parse(bytes, &ocsp, reterr));
        *an_ocsps_push(&evidence->ocsps) = ocsp;
        return AN_OK;
    default:
        return AN_OK; /* time-stamps are in the document; the policy is read by its own reader */
    }
}

static an_code
read_piece(struct an_evidence *evidence, const json_t *piece, struct an_err *reterr)
{
    enum evidence_kind kind = kind_of(text_of(piece, "kind"));
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    AN_CLEANUP(an_free_ptr) char *path = NULL;
    uint8_t digest[AN_DIGEST_MAX];
    char hex[65];

    if (kind == EVIDENCE_KINDS || !is_own_name(piece, kind))
        AN_FAIL(reterr, AN_E_EVIDENCE_FORMAT, "pieces: %.100s", text_of(piece, "file"));
    path = an_asprintf("%s/%s", evidence->folder, text_of(piece, "file"));
    if (an_file_open(path, AN_LIMIT_CRL_BYTES, &file, NULL) != AN_OK)
        AN_FAIL(reterr, AN_E_EVIDENCE_TAMPERED, "%.200s: cannot be read", text_of(piece, "file"));
    an_hash_once(AN_SHA256, file.bytes, digest);
    evidence_hex(digest, hex);
    if (strcmp(hex, text_of(piece, "sha256")) != 0)
        AN_FAIL(reterr, AN_E_EVIDENCE_TAMPERED, "%.200s", text_of(piece, "file"));
    return take_piece(evidence, kind, file.bytes, reterr);
}

static an_code
read_pieces(struct an_evidence *evidence, struct an_err *reterr)
{
    const json_t *pieces = json_object_get(evidence->manifest, "pieces");
    AN_CLEANUP(an_free_ptr) char *policies = an_asprintf("%s/policies", evidence->folder);

    if (!json_is_array(pieces) || json_array_size(pieces) > EVIDENCE_PIECES_MAX)
        AN_FAIL(reterr, AN_E_EVIDENCE_FORMAT, "pieces: not a list of at most %d", EVIDENCE_PIECES_MAX);
    for (size_t i = 0; i < json_array_size(pieces); i++)
        AN_TRY(read_piece(evidence, json_array_get(pieces, i), reterr));
    return an_verifier_new(policies, &evidence->verifier, reterr);
}

static an_code
read_manifest(struct an_evidence *evidence, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/" EVIDENCE_MANIFEST, evidence->folder);
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    struct an_err err = {0};
    char digest[65];

    if (an_file_open(path, MANIFEST_BYTES_MAX, &file, &err) != AN_OK)
        AN_FAIL(reterr, AN_E_EVIDENCE_MISSING, "%.300s", path);
    if (an_json_parse(file.bytes, &evidence->manifest, &err) != AN_OK)
        AN_FAIL(reterr, AN_E_EVIDENCE_FORMAT, "%.300s", err.detail);
    if (strcmp(text_of(evidence->manifest, "format"), EVIDENCE_FORMAT) != 0)
        AN_FAIL(reterr, AN_E_EVIDENCE_FORMAT, "format: %.60s", text_of(evidence->manifest, "format"));
    evidence_digest(evidence->manifest, digest);
    if (strcmp(digest, text_of(evidence->manifest, "digest")) != 0)
        AN_FAIL(reterr, AN_E_EVIDENCE_TAMPERED, EVIDENCE_MANIFEST);
    evidence->at = an_time_parse(an_bytes_of_str(text_of(json_object_get(evidence->manifest, "question"), "at")));
    if (evidence->at == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_EVIDENCE_FORMAT, "question: at");
    return AN_OK;
}

an_code
an_evidence_open(const char *folder, struct an_evidence **ret, struct an_err *reterr)
{
    struct an_evidence *evidence = AN_NEW(struct an_evidence);
    an_code code;

    evidence->folder = an_strdup(folder);
    code = read_manifest(evidence, reterr);
    if (code == AN_OK)
        code = read_pieces(evidence, reterr);
    if (code == AN_OK)
        *ret = evidence;
    else
        an_evidence_free(&evidence);
    return code;
}

void
an_evidence_free(struct an_evidence **evidence)
{
    struct an_evidence *gone = *evidence;

    if (!gone)
        return;
    json_decref(gone->manifest);
    an_certs_done(&gone->anchors);
    an_certs_done(&gone->certs);
    an_crls_unref(&gone->crls);
    an_ocsps_unref(&gone->ocsps);
    an_verifier_free(&gone->verifier);
    free(gone->oids);
    free(gone->folder);
    free(gone);
    *evidence = NULL;
}

an_time
an_evidence_time(const struct an_evidence *evidence)
{
    return evidence->at;
}

const char *
an_evidence_policy(const struct an_evidence *evidence)
{
    return text_of(json_object_get(evidence->manifest, "question"), "policy");
}

/* ---- the verdict again ---- */
static struct an_verify_options
options_of(struct an_evidence *evidence, const struct an_secret *password, const struct an_file *content)
{
    const json_t *question = json_object_get(evidence->manifest, "question"),
                 *oids = json_object_get(question, "policy_oids");
    size_t count = json_array_size(oids);

    free(evidence->oids);
    evidence->oids = an_new_array(count + 1, sizeof(*evidence->oids));
    for (size_t i = 0; i < count; i++)
        evidence->oids[i] =
            json_string_value(json_array_get(oids, i)) ? json_string_value(json_array_get(oids, i)) : "";
    return (struct an_verify_options){
        .anchors = json_is_true(json_object_get(question, "anchors")) ? &evidence->anchors : NULL,
        .untrusted = &evidence->certs,
        .crls = &evidence->crls,
        .ocsps = &evidence->ocsps,
        .at = evidence->at,
        .policy = text_of(question, "policy"),
        .password = password,
        .content = content ? content->bytes : AN_NONE,
        .content_fd = content ? content->fd : -1,
        .policy_oids = evidence->oids,
        .policy_count = count,
        .explicit_policy = json_is_true(json_object_get(question, "explicit_policy")),
        .inhibit_mapping = json_is_true(json_object_get(question, "inhibit_mapping")),
        .inhibit_any_policy = json_is_true(json_object_get(question, "inhibit_any_policy")),
        .revocation = (int)json_integer_value(json_object_get(question, "revocation")),
        .keep_evidence = true,
    };
}

static an_code
check_document(const struct an_evidence *evidence, const struct an_file *file, struct an_err *reterr)
{
    uint8_t digest[AN_DIGEST_MAX];
    char hex[65];

    an_hash_once(AN_SHA256, file->bytes, digest);
    evidence_hex(digest, hex);
    if (strcmp(hex, text_of(json_object_get(evidence->manifest, "document"), "sha256")) != 0)
        AN_FAIL(reterr, AN_E_EVIDENCE_DOCUMENT, "SHA-256 %s", hex);
    return AN_OK;
}

an_code
an_evidence_verify(struct an_evidence *evidence, const struct an_file *file, const struct an_secret *password,
                   const struct an_file *content, struct an_report *ret, struct an_err *reterr)
{
    struct an_verify_options options = options_of(evidence, password, content);
    const json_t *recorded = json_object_get(evidence->manifest, "verdict");
    json_t *verdict;
    bool same;

    AN_TRY(check_document(evidence, file, reterr));
    AN_TRY(an_verify_file(evidence->verifier, file, &options, ret, reterr));
    verdict = evidence_verdict(ret);
    same = json_equal(verdict, recorded);
    json_decref(verdict);
    if (!same)
        AN_FAIL(reterr, AN_E_EVIDENCE_DIFFERS, "%s, recorded %.40s", report_indication(ret->indication),
                text_of(recorded, "indication"));
    return AN_OK;
}
