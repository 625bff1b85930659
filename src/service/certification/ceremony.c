#include "service/certification/ceremony_paper.h"

#include "base/file.h"

#include <jansson.h>
#include <stdio.h>

#define SCRIPT_MAX ((size_t)256 * 1024)

struct step { const char *say, *roll, *request, *sign, *csr, *file; };
AN_VEC(step_list, struct step);
struct script { struct an_yaml_doc *doc; const char *id, *vi, *en; int64_t needed; const struct an_yaml_node *list;
               struct step_list steps; uint8_t sha256[32]; };

static void
script_done(struct script *script)
{
    an_yaml_free(&script->doc);
    step_list_done(&script->steps);
}

/* Each step does one thing at most. */
static an_code
check_step(const struct script *script, const struct an_yaml_node *node, const struct step *step, struct an_err *reterr)
{
    int things = (step->roll != NULL) + (step->request != NULL) + (step->sign != NULL);

    if (things > 1 || ((step->request != NULL || step->sign != NULL) && step->file == NULL) ||
        (step->sign != NULL) != (step->csr != NULL))
        return an_yaml_fail(script->doc, node, reterr, AN_E_CEREMONY, "say, roll | request file | sign csr file");
    return AN_OK;
}

static an_code
read_script(const char *path, struct script *ret, struct an_err *reterr)
{
    static const struct an_yaml_field FIELDS[] = {
        {"id", AN_FIELD_TEXT, true, offsetof(struct script, id), NULL}, {"vi", AN_FIELD_TEXT, true, offsetof(struct script, vi), NULL}, {"en", AN_FIELD_TEXT, true, offsetof(struct script, en), NULL},
        {"needed", AN_FIELD_INT64, true, offsetof(struct script, needed), NULL}, {"steps", AN_FIELD_LIST, true, offsetof(struct script, list), NULL},
    };
    static const struct an_yaml_field STEP[] = {
        {"say", AN_FIELD_TEXT, true, offsetof(struct step, say), NULL}, {"roll", AN_FIELD_TEXT, false, offsetof(struct step, roll), NULL},
        {"request", AN_FIELD_TEXT, false, offsetof(struct step, request), NULL}, {"sign", AN_FIELD_TEXT, false, offsetof(struct step, sign), NULL},
        {"csr", AN_FIELD_TEXT, false, offsetof(struct step, csr), NULL}, {"file", AN_FIELD_TEXT, false, offsetof(struct step, file), NULL},
    };
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(SCRIPT_MAX);
    uint8_t digest[AN_DIGEST_MAX];

    AN_TRY(an_file_read(path, SCRIPT_MAX, &text, reterr));
    an_hash_once(AN_SHA256, an_buf_view(&text), digest);
    memcpy(ret->sha256, digest, 32);
    AN_TRY(an_yaml_parse(an_buf_view(&text), path, NULL, &ret->doc, reterr));
    AN_TRY(an_yaml_read_fields(ret->doc, ret->doc->root, FIELDS, AN_COUNT(FIELDS), ret, reterr));
    for (const struct an_yaml_node *node = ret->list->first; node; node = node->next) {
        struct step *step = step_list_push(&ret->steps);
        AN_TRY(an_yaml_read_fields(ret->doc, node, STEP, AN_COUNT(STEP), step, reterr));
        AN_TRY(check_step(ret, node, step, reterr));
    }
    return AN_OK;
}

/* ---- the two matters ---- */
/* proposer NULL: the one that was opened, whoever asked for it. */
static an_code
open_matter(struct an_instance *instance, const struct script *script, const char *act, const uint8_t facts[32],
            const char *proposer, struct an_ceremony_state *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *object = an_asprintf("ceremony:%s", script->id);
    struct an_matter matter = {.act = act, .object = object, .proposer = proposer, .needed = script->needed};

    memcpy(matter.facts, facts, 32);
    AN_TRY(an_decide_open(instance, &matter, &ret->matter, reterr));
    return an_decide_find(instance, ret->matter, &ret->state, reterr);
}

an_code
an_ceremony_open(struct an_instance *instance, const char *path, const char *proposer, struct an_ceremony_state *ret,
                 struct an_err *reterr)
{
    AN_CLEANUP(script_done) struct script script = {0};

    AN_TRY(read_script(path, &script, reterr));
    return open_matter(instance, &script, "ceremony.run", script.sha256, proposer, ret, reterr);
}

/* ---- carrying out ---- */
static void
say_hash(struct an_buf *out, const char *what, an_bytes bytes)
{
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(AN_SHA256, bytes, digest);
    an_buf_printf(out, "    %s: sha256 ", what);
    an_buf_hex(out, AN_BYTES(digest, 32));
    an_buf_byte(out, '\n');
}

static an_code
write_pem(const char *path, const char *label, an_bytes der, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf pem = an_buf_new(AN_LIMIT_CERT_BYTES * 2);

    an_pem_write(&pem, label, der);
    return an_file_write(path, an_buf_view(&pem), 0644, reterr);
}

static an_code
do_request(struct an_instance *instance, const struct step *step, struct an_buf *out, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf csr = an_buf_new(AN_LIMIT_CERT_BYTES);

    AN_TRY(an_authority_request(instance, step->request, NULL, &csr, reterr));
    AN_TRY(write_pem(step->file, "CERTIFICATE REQUEST", an_buf_view(&csr), reterr));
    say_hash(out, step->file, an_buf_view(&csr));
    return AN_OK;
}

static an_code
do_sign(struct an_instance *instance, const struct step *step, const struct an_reliance *reliance,
        const struct an_actor *actor, struct an_buf *out, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_buf_free) struct an_buf csr = an_buf_new(AN_LIMIT_CERT_BYTES);
    AN_CLEANUP(an_cert_unref) struct an_cert *cert = NULL;
    char label[64];
    size_t at = 0;

    AN_TRY(an_file_read(step->csr, AN_LIMIT_CERT_BYTES, &text, reterr));
    if (!an_pem_next(an_buf_view(&text), &at, &csr, label))
        AN_FAIL(reterr, AN_E_CSR_PARSE, "%s", step->csr);
    say_hash(out, step->csr, an_buf_view(&csr));
    AN_TRY(an_authority_sign(instance, step->sign, "trung-gian", an_buf_view(&csr), reliance, actor, &cert, reterr));
    AN_TRY(write_pem(step->file, "CERTIFICATE", cert->der, reterr));
    say_hash(out, step->file, cert->der);
    return AN_OK;
}

static an_code
do_step(struct an_instance *instance, const struct step *step, const struct an_reliance *reliance,
        const struct an_actor *actor, struct an_buf *out, struct an_err *reterr)
{
    char name[80];

    if (step->request != NULL)
        return do_request(instance, step, out, reterr);
    if (step->sign != NULL)
        return do_sign(instance, step, reliance, actor, out, reterr);
    if (step->roll == NULL)
        return AN_OK;
    AN_TRY(an_authority_roll(instance, step->roll, reliance, actor, name, reterr));
    an_buf_printf(out, "    %s → %s\n", step->roll, name);
    return AN_OK;
}

/* One step, told in the text and as a row of the page: its number, when it began, what was said and came of it. */
static an_code
tell_step(struct an_instance *instance, const struct step *step, size_t number, const struct an_reliance *reliance,
          const struct an_actor *actor, struct an_buf *text, json_t *rows, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf came = an_buf_new(16 * 1024);
    AN_CLEANUP(an_free_ptr) char *place = an_asprintf("%zu", number), *what = NULL;
    char at[AN_TIME_TEXT_MAX];

    an_buf_printf(text, "%zu. %s  %s\n", number, an_time_format_vn(an_time_now(), at), step->say);
    AN_TRY(do_step(instance, step, reliance, actor, &came, reterr));
    an_buf_append(text, an_buf_view(&came));
    what = an_asprintf("%s%s%.*s", step->say, came.len > 0 ? "\n" : "", came.len > 0 ? (int)came.len - 1 : 0,
                       came.len > 0 ? (const char *)came.ptr : "");
    json_array_append_new(rows, json_pack("[s, s, s]", place, at, what));
    return AN_OK;
}

static void
write_head(const struct script *script, const struct an_instance *instance, const struct an_actor *actor,
           struct an_buf *out)
{
    an_buf_printf(out, "%s / %s\n%s\ninstance: %s\nscript: %s sha256 ", script->vi, script->en, script->id,
                  instance->config.instance, script->doc->name);
    an_buf_hex(out, AN_BYTES(script->sha256, 32));
    an_buf_printf(out, "\ncarried out by: %s (%s)\n\n", actor->id, actor->role);
}

/* The quorum of the script stands before anything is done. */
static an_code
require_approval(struct an_instance *instance, const struct script *script, const char *object,
                 struct an_reliance *ret, struct an_err *reterr)
{
    struct an_ceremony_state approved;

    AN_TRY(open_matter(instance, script, "ceremony.run", script->sha256, NULL, &approved, reterr));
    if (approved.state.sealed_at == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_DECISION_OPEN, "%lld/%lld", (long long)approved.state.approvals,
                (long long)approved.state.needed);
    /* what the script does was decided with it */
    *ret = (struct an_reliance){.act = "ceremony.run", .object = object, .matter = approved.matter};
    memcpy(ret->facts, script->sha256, 32);
    return AN_OK;
}

static an_code
carry_out(struct an_instance *instance, const struct script *script, const struct an_reliance *reliance,
          const struct an_actor *actor, struct an_ceremony_told *ret, struct an_err *reterr)
{
    const struct ceremony_facts facts = {.vi = script->vi, .en = script->en, .id = script->id,
                                         .script = script->doc->name, .script_sha256 = script->sha256, .actor = actor,
                                         .matter = reliance->matter};
    json_t *rows = json_array();
    an_code code = AN_OK;

    write_head(script, instance, actor, &ret->text);
    for (size_t i = 0; i < script->steps.count && code == AN_OK; i++)
        code = tell_step(instance, &script->steps.items[i], i + 1, reliance, actor, &ret->text, rows, reterr);
    if (code != AN_OK) {
        json_decref(rows);
        return code;
    }
    AN_TRY(ceremony_lay_out(instance, &facts, rows, &ret->paper, reterr));
    ceremony_name_paper(an_buf_view(&ret->paper), &ret->text);
    return an_buf_ok(&ret->text) ? AN_OK : an_err_set(reterr, AN_E_LIMIT, "transcript");
}

an_code
an_ceremony_run(struct an_instance *instance, const char *path, const struct an_actor *actor,
                struct an_ceremony_told *ret, struct an_err *reterr)
{
    AN_CLEANUP(script_done) struct script script = {0};
    AN_CLEANUP(an_free_ptr) char *object = NULL;
    struct an_reliance reliance;
    uint8_t digest[AN_DIGEST_MAX];

    AN_TRY(read_script(path, &script, reterr));
    object = an_asprintf("ceremony:%s", script.id);
    AN_TRY(require_approval(instance, &script, object, &reliance, reterr));
    AN_TRY(carry_out(instance, &script, &reliance, actor, ret, reterr));
    an_hash_once(AN_SHA256, an_buf_view(&ret->text), digest);
    return open_matter(instance, &script, "ceremony.transcript", digest, actor->id, &ret->state, reterr);
}

void
an_ceremony_told_done(struct an_ceremony_told *told)
{
    an_buf_free(&told->text);
    an_buf_free(&told->paper);
}

/* ---- after it ---- */
static an_code
find_transcript(struct an_instance *instance, const struct script *script, an_bytes text, struct an_ceremony_state *ret,
                struct an_err *reterr)
{
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(AN_SHA256, text, digest);
    return open_matter(instance, script, "ceremony.transcript", digest, NULL, ret, reterr);
}

an_code
an_ceremony_sign(struct an_instance *instance, const char *path, const struct an_ceremony_files *files,
                 const struct an_decide_vote *vote, struct an_ceremony_state *ret, struct an_err *reterr)
{
    AN_CLEANUP(script_done) struct script script = {0};
    struct an_decide_vote what = *vote;

    AN_TRY(read_script(path, &script, reterr));
    AN_TRY(find_transcript(instance, &script, files->text, ret, reterr));
    what.matter = ret->matter;
    if (ceremony_has_paper(files->text))
        AN_TRY(ceremony_match_paper(files->text, files->paper, reterr));
    AN_TRY(an_decide_vote(instance, &what, &ret->state, reterr)); /* whoever may not vote leaves no mark on the page */
    if (ceremony_has_paper(files->text) && !vote->refuses)
        AN_TRY(ceremony_sign_paper(instance, files->text, files->paper, vote->cert, vote->signer, reterr));
    return AN_OK;
}

an_code
an_ceremony_close(struct an_instance *instance, const char *path, const struct an_ceremony_files *files,
                  struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(script_done) struct script script = {0};
    struct an_ceremony_state before, after;

    AN_TRY(read_script(path, &script, reterr));
    AN_TRY(open_matter(instance, &script, "ceremony.run", script.sha256, NULL, &before, reterr));
    AN_TRY(find_transcript(instance, &script, files->text, &after, reterr));
    if (after.state.sealed_at == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_DECISION_OPEN, "%lld/%lld", (long long)after.state.approvals,
                (long long)after.state.needed);
    if (ceremony_has_paper(files->text))
        AN_TRY(ceremony_check_paper(instance, files->text, files->paper, after.matter, reterr));
    an_buf_append(ret, files->text);
    an_buf_str(ret, "\n");
    AN_TRY(an_decide_export(instance, before.matter, ret, reterr));
    an_buf_str(ret, "\n");
    return an_decide_export(instance, after.matter, ret, reterr);
}
