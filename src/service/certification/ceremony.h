/*
 * A key ceremony: a script (YAML) whose steps are approved by officers before, carried out in order, told in a
 * transcript, and the transcript approved again by the same quorum. Both approvals are matters
 * (service/certification/decide.h): CMS signatures over the hashes of script and transcript. The transcript is a text
 * and a page: the text ends with the page's hash, and who approves the text signs the page.
 *
 *     id: goc-2026
 *     vi: Lễ tạo khóa gốc
 *     en: Root key ceremony
 *     needed: 2
 *     steps:
 *       - {say: "…"}                                   read out, confirmed by those present
 *       - {roll: goc, say: "…"}                        a new key for a line
 *       - {request: nha-nuoc, file: out.pem, say: "…"} key and request of an authority, as a file
 *       - {sign: goc, csr: in.pem, file: out.pem, say: "…"} the certificate for a request
 */
#pragma once

#include "service/certification/certification.h"
#include "service/certification/decide.h"

struct an_ceremony_state { int64_t matter; struct an_matter_state state; };
/* Puts the script up for approval. */
an_code an_ceremony_open(struct an_instance *instance, const char *script, const char *proposer,
                         struct an_ceremony_state *ret, struct an_err *reterr) AN_MUST_USE;
/* What was done: the text, and the page (PDF, not signed yet) that the text names. Both buffers are the caller's, with
 * the maximum they are made with. */
struct an_ceremony_told { struct an_buf text, paper; struct an_ceremony_state state; };
void an_ceremony_told_done(struct an_ceremony_told *told); /* also for AN_CLEANUP */
/* Once approved: carries the steps out, writes the transcript, puts it up for approval. AN_E_DECISION_OPEN before. */
an_code an_ceremony_run(struct an_instance *instance, const char *script, const struct an_actor *actor,
                        struct an_ceremony_told *ret, struct an_err *reterr) AN_MUST_USE;
struct an_ceremony_files { an_bytes text; const char *paper; }; /* paper: where the page is, signed in place */
/* A person signs the page and votes on the transcript; what is done already is left as it is. vote->matter is not
 * read. AN_E_CEREMONY_PAPER: not the page that the text names. */
an_code an_ceremony_sign(struct an_instance *instance, const char *script, const struct an_ceremony_files *files,
                         const struct an_decide_vote *vote, struct an_ceremony_state *ret,
                         struct an_err *reterr) AN_MUST_USE;
/* The text with the approvals of script and transcript behind it; AN_E_CEREMONY_PAPER unless everybody who approved it
 * signed the page. */
an_code an_ceremony_close(struct an_instance *instance, const char *script, const struct an_ceremony_files *files,
                          struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
