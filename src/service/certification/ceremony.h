/*
 * A key ceremony: a script (YAML) whose steps are approved by officers before, carried out in order, told in a
 * transcript, and the transcript approved again by the same quorum. Both approvals are matters
 * (service/certification/decide.h): CMS signatures over the hashes of script and transcript.
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
/* Once approved: carries the steps out, writes the transcript, puts it up for approval (*ret). AN_E_DECISION_OPEN
 * before. */
an_code an_ceremony_run(struct an_instance *instance, const char *script, const struct an_actor *actor,
                        struct an_buf *ret_transcript, struct an_ceremony_state *ret,
                        struct an_err *reterr) AN_MUST_USE;
/* The transcript with the approvals of script and transcript behind it. */
an_code an_ceremony_close(struct an_instance *instance, const char *script, an_bytes transcript, struct an_buf *ret,
                          struct an_err *reterr) AN_MUST_USE;
