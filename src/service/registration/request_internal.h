/* Between the files of service/request*. */
#pragma once

#include "service/registration/request.h"

#include "ca/ground.h"
#include "registry/device.h"

#include <jansson.h>

#define REQUEST_ARENA_BYTES ((size_t)64 * 1024 * 1024)

/* A certificate as the dossier needs it. */
struct request_cert {
    bool found, is_followed; /* followed: renewed or changed already */
    int status; /* 0 good, 1 revoked, 2 hold, 3 expired */
    an_time not_after, since; /* since: it is revoked or held */
    int64_t renewals;
    char subscriber[32], device[64];
};
an_code request_find_cert(struct an_tx *tx, const char *serial, struct request_cert *ret,
                          struct an_err *reterr) AN_MUST_USE;
/* The newest certificate in force of a subscriber; "" = none. */
an_code request_newest_cert(struct an_tx *tx, int64_t subscriber, char ret_serial[static 80],
                            struct an_err *reterr) AN_MUST_USE;

/* ---- request_ground.c: beside what ca/ground.h says ---- */
bool request_ground_needs_record(const char *id); /* a record that confirms the loss */
bool request_ground_is_emergency(const char *id); /* the certificate is held at once */

/* ---- request_token.c: the subscriber's device ---- */
struct request_token {
    const struct an_instance *instance;
    const char *pin_dir; /* NULL = DIR/pins: user-NUMBER.pin, so-NUMBER.pin */
    const char *module;  /* of devices without a URI of their own; NULL = the instance's SoftHSM store */
    const struct an_device *device;
};
an_code request_token_prepare(const struct request_token *token, struct an_err *reterr) AN_MUST_USE;
/* The key of this identifier, made when it is not there; its SubjectPublicKeyInfo is appended. */
an_code request_token_key(const struct request_token *token, an_bytes id, struct an_buf *ret_spki,
                          struct an_err *reterr) AN_MUST_USE;
an_code request_token_write(const struct request_token *token, const struct an_cert *cert,
                            struct an_err *reterr) AN_MUST_USE;
an_code request_token_recover(const struct request_token *token, struct an_err *reterr) AN_MUST_USE;

/* ---- request_content.c: what the form shows, from the register ---- */
struct request_paper {
    struct an_arena *arena;
    struct an_dossier request;       /* texts in the arena; content filled */
    struct an_request_item *items;
    size_t count;
};
an_code request_compose(const struct an_desk *desk, struct an_tx *tx, const struct an_request_spec *spec,
                        struct request_paper *ret,
                        struct an_err *reterr) AN_MUST_USE;
/* SHA-256 of an item's row, one spelling of it: what the officers sign. */
void request_row_digest(const json_t *row, uint8_t ret[static 32]);
/* The text at a path "rows/3/email" is asked by key: "" when absent. */
const char *request_text_at(const json_t *object, const char *key);

/* ---- request_facts.c: what is known, for the checks ---- */
struct request_facts {
    struct an_profiles *profiles;
    struct an_rules *rules;
    struct an_check_facts facts;
    json_t *content;
};
an_code request_gather(const struct an_desk *desk, struct an_tx *tx, struct an_arena *arena,
                       const struct an_dossier *request,
                       struct an_request_item *items, size_t count, struct request_facts *ret,
                       struct an_err *reterr) AN_MUST_USE;
void request_facts_done(struct request_facts *facts);

/* ---- request_form.c: the letter ---- */
/* Which labels of the form stay empty: of its fields, and of each row; texts in the arena. */
an_code request_missing(const struct an_dossier *request, const json_t *content, struct an_arena *arena,
                        const char **ret_fields,
                        const char **ret_rows, size_t count, struct an_err *reterr) AN_MUST_USE;
/* The form as a PDF, not signed, dated so; the same dossier, head and time give the same bytes. */
an_code request_lay_out(const struct an_dossier *request, const struct an_post *head, an_time at,
                        struct an_buf *ret_pdf, struct an_err *reterr) AN_MUST_USE;
/* A letter of an authority: a notice with reasons. number "" = room is left for it. */
struct request_letter {
    const char *number, *subject, *to;
    const char *const *lines;
    size_t count;
    const struct an_agency *agency; /* whose letter it is */
    const struct an_post *signer, *head;
};
an_code request_lay_out_letter(const struct an_desk *desk, const struct request_letter *letter, struct an_buf *ret_pdf,
                               struct an_err *reterr) AN_MUST_USE;
/* Signs a PDF with a person's key and keeps it among the papers. */
an_code request_sign_pdf(const struct an_desk *desk, an_bytes pdf, const struct an_person_key *key,
                         const char *near_text,
                         uint8_t ret_hash[static 32], struct an_err *reterr) AN_MUST_USE;
/* Whose certificate is it? AN_E_REQUEST_SIGNER when it is not the desk's own person's, or not in force. */
an_code request_check_signer(const struct an_desk *desk, struct an_tx *tx, const struct an_cert *cert,
                             struct an_err *reterr) AN_MUST_USE;

/* ---- request_arrive.c ---- */
/* What verification found of the signed form: valid, by the head of the agency, over this very dossier. */
an_code request_verify(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request,
                       struct an_arena *arena,
                       struct an_check_facts *facts, struct an_err *reterr) AN_MUST_USE;

/* Before an officer accepts or approves: the paper is still the one that arrived, and nothing has come to light since
 * about the certificate it was signed with. AN_E_PAPER_CHANGED, AN_E_REQUEST_FORM_CERT. */
an_code request_require_form(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request,
                             struct an_err *reterr) AN_MUST_USE;

/* An agency's first request comes on paper: none of its certificates is in force, nor has its head one. */
an_code request_may_be_paper(struct an_tx *tx, int64_t agency, an_time at, struct an_arena *arena, bool *ret,
                             struct an_err *reterr) AN_MUST_USE;

/* ---- request_notice.c ---- */
/* The agency behind a role: who filed, or the body that the configuration names. */
an_code request_find_body(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request,
                          const char *role, struct an_arena *arena, struct an_agency *ret, bool *ret_found,
                          struct an_err *reterr) AN_MUST_USE;

/* ---- request_rule.c: what the regulation says ---- */
struct request_rule {
    struct an_answer *answer;
    const char *citation; /* the most specific; "" = none */
};
/* Asks for "request.KIND" by this role; AN_E_FORBIDDEN with the article when it says no. */
an_code request_rule_of(const struct an_desk *desk, const struct an_dossier *request, const char *role,
                        struct request_rule *ret,
                        struct an_err *reterr) AN_MUST_USE;
void request_rule_done(struct request_rule *rule);
/* Only who decides: the desk's role must be the dossier's addressee, and the regulation must name it. */
an_code request_require_authority(const struct an_desk *desk, const struct an_dossier *request,
                                  struct request_rule *ret, struct an_err *reterr) AN_MUST_USE;
/* A number of the regulation; fallback when no text defines it. */
int64_t request_parameter(const struct an_desk *desk, const struct an_dossier *request, const char *name,
                          int64_t fallback);
struct an_request_deed request_deed(const struct an_desk *desk, const char *citation, const char *detail);

/* ---- request_enrol.c: the machine makes and keeps its key, and fetches its certificate itself ---- */
bool request_is_self_enrol(const struct an_dossier *request);
struct an_name_part; /* ca/profile.h */
struct an_reliance;  /* service/certification/certify.h */
struct request_enrolment {
    const char *item, *authority, *email, *subscriber, *agency;
    const struct an_name_part *subject;
    size_t subject_count;
    const struct an_reliance *reliance;
};
/* The allowance, in the caller's transaction; the same item again changes nothing. */
an_code request_allow_enrolment(struct an_tx *tx, const struct request_enrolment *what,
                                struct an_err *reterr) AN_MUST_USE;
/* What the managing agency is told then: each item's reference and its last day, never a secret. */
an_code request_enrolment_text(struct an_tx *tx, const struct an_dossier *request, struct an_arena *arena,
                               struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;

/* What the managing agency is told when everything is done; the caller frees. */
char *request_result_text(const struct an_desk *desk, const struct an_dossier *request, bool hands_over) AN_MUST_USE;

/* ---- request_remind.c: before something ends ---- */
an_code request_remind(const struct an_desk *desk, size_t *ret_told, struct an_err *reterr) AN_MUST_USE;

/* ---- request_notice.c ---- */
/* Host part of the sender's address: the right side of every Message-ID. */
const char *request_mail_host(const struct an_instance *instance);
/* What a role is told about a dossier: the agency that files, the body that decides, the Centre. Once for each role,
 * round, what and part. */
struct request_word {
    const char *role;        /* "qltt" = who filed */
    const char *what;        /* "refused" */
    const char *part;        /* which of several of one round; NULL = the only one */
    const char *subject, *body;
    const uint8_t *document; /* the paper beside it; NULL = none */
    const char *citation;    /* "" = none */
};
an_code request_notify(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request,
                       const struct request_word *word, struct an_err *reterr) AN_MUST_USE;

/* ---- request_decide.c ---- */
/* The dossier, for who decides on it now: its addressee, or the manager while the list lies before him. */
an_code request_find_to_decide(const struct an_desk *desk, struct an_tx *tx, int64_t id, struct an_arena *arena,
                               struct an_dossier *ret, struct request_rule *ret_rule,
                               struct an_err *reterr) AN_MUST_USE;

/* ---- request_prepare.c ---- */
an_code request_withdraw_prepared(const struct an_desk *desk, struct an_tx *tx, int64_t reorganisation,
                                  struct an_err *reterr) AN_MUST_USE;

/* ---- request_refuse.c ---- */
/* Which items: places NULL = those that are open. */
bool request_is_wanted(const struct an_request_verdict *verdict, int64_t place);
/* The letter that refuses items, with the reason, signed by who refuses and kept among the papers; lines for the
 * notice beside it are appended to text, the places ("2,3") to part. */
struct request_refusal {
    uint8_t document[32];
    struct an_buf text, part;
};
an_code request_write_refusal(const struct an_desk *desk, int64_t id, const struct an_request_verdict *verdict,
                              const struct an_person_key *key, struct request_refusal *ret,
                              struct an_err *reterr) AN_MUST_USE;
void request_refusal_done(struct request_refusal *refusal);
an_code request_tell_refusal(const struct an_desk *desk, struct an_tx *tx, const struct an_dossier *request,
                             const struct request_refusal *refusal, const char *citation,
                             struct an_err *reterr) AN_MUST_USE;
