/*
 * What people do with requests for certification: each function asks the regulation whether this person may, in this
 * role, does it in one transaction, and writes who did what on which article into the dossier's history and the audit
 * log. NĐ 68/2024 Điều 4, 10–22 and the five regulations' articles on requests.
 */
#pragma once

#include "request/check.h"
#include "request/notice.h"
#include "request/request.h"
#include "service/registration/desk.h"
#include "token/token.h"

/* ---- drafting ---- */
/* One subscriber of the list. NULL = not said. */
struct an_request_subject {
    const char *subject;     /* number of the subscriber, "TB000001" */
    const char *certificate; /* serial; NULL = the newest in force */
    const char *device;      /* number */
    const char *what, *to;   /* of a change: "email", "agency", "name", "address", "version", "feature" */
    const char *ground;      /* of a revocation: an id of the grounds */
};
struct an_request_spec {
    enum an_request_kind kind;
    const char *agency;      /* code; NULL = the desk's */
    const char *addressee;   /* role; NULL = as the regulation says */
    const char *subject_kind; /* "person"; NULL = that of the first subject */
    const char *device_kind; /* NULL = that of the first device, else "pki-token";
                              * "self-enrol": a machine makes its key and fetches the certificate (CMP, EST) */
    const char *number;      /* number and symbol of the letter; NULL = blank until it is numbered */
    const char *key;         /* idempotency; NULL = a new one */
    const char *receiver;    /* number of the person who receives devices or helps; NULL = who sits at the desk */
    const char *regulation;  /* NULL = the one that binds the agency; another is refused (AN_E_REQUEST_REGULATION) */
    bool urgent;
    const struct an_request_subject *subjects;
    size_t count;
};
struct an_request_drafted {
    int64_t id;
    bool is_new;
};
/* id 0 = a new dossier; else the draft, or the dossier to be supplemented, is written anew. */
an_code an_request_draft(const struct an_desk *desk, const struct an_request_spec *spec, int64_t id,
                         struct an_request_drafted *ret,
                         struct an_err *reterr) AN_MUST_USE;
/* A list: CSV (comma or semicolon) or the first sheet of a workbook, whose first line names the columns: subject,
 * certificate, device, what, to, ground. */
struct an_request_list {
    struct an_arena *arena;
    struct an_request_subject *subjects;
    size_t count;
};
an_code an_request_list_parse(an_bytes text, struct an_request_list *ret, struct an_err *reterr) AN_MUST_USE;
an_code an_request_list_read(const char *path, struct an_request_list *ret, struct an_err *reterr) AN_MUST_USE;
void an_request_list_done(struct an_request_list *list);

/* After a merger or a transfer: drafts for the certificates that no longer fit, which the head of the agency signs; the
 * agency is told. Again: those that are there. */
struct an_request_prepared {
    int64_t id;
    enum an_request_kind kind;
    size_t count;             /* of items */
    const char *agency, *head; /* code; number of who signs, "" = nobody heads it by the register */
    bool is_new;
};
typedef an_code (*an_request_prepared_fn)(void *context, const struct an_request_prepared *prepared,
                                          struct an_err *reterr);
an_code an_request_prepare(const struct an_desk *desk, int64_t reorganisation, an_request_prepared_fn each,
                           void *context, struct an_err *reterr) AN_MUST_USE;

/* Everything that is wrong with it, each with its article. */
an_code an_request_check_all(const struct an_desk *desk, int64_t id, an_check_fn each, void *context,
                             size_t *ret_failed,
                             struct an_err *reterr) AN_MUST_USE;

/* ---- signing and sending ---- */
struct an_person_key {
    struct an_signer *signer;
    struct an_cert *cert;
    an_bytes image_png; /* of the hand signature; AN_NONE = the signature is not shown */
};
/* Number and symbol of a letter that has none yet, before it is signed. */
an_code an_request_number(const struct an_desk *desk, int64_t id, const char *number,
                          struct an_err *reterr) AN_MUST_USE;
/* Lays the form out and signs it; the signer is the head of the agency by the register. paper: a scan of the letter
 * signed by hand and sealed (only an agency's first request); then key is NULL. */
an_code an_request_sign(const struct an_desk *desk, int64_t id, const struct an_person_key *key, const char *paper,
                        struct an_err *reterr) AN_MUST_USE;
/* Checks everything and sends; then the other side receives. AN_E_REQUEST_CHECK: not sent; each check was told to
 * `each`. */
struct an_request_sent {
    bool is_listed, is_returned;
    an_time due_at;
    bool due_unconfirmed;
};
an_code an_request_send(const struct an_desk *desk, int64_t id, an_check_fn each, void *context,
                        struct an_request_sent *ret,
                        struct an_err *reterr) AN_MUST_USE;
/* The other side's first look, by itself: the signed form is verified and compared with the dossier, and the clock
 * runs, or the dossier goes back with what is wrong. Done with sending; `an_notice_run` does it for what a crash left
 * in between. */
an_code an_request_receive(struct an_instance *instance, int64_t id, an_time at, struct an_request_sent *ret,
                           struct an_err *reterr) AN_MUST_USE;
an_code an_request_withdraw(const struct an_desk *desk, int64_t id, const char *reason,
                            struct an_err *reterr) AN_MUST_USE;

/* ---- deciding ---- */
an_code an_request_accept(const struct an_desk *desk, int64_t id, struct an_err *reterr) AN_MUST_USE;
an_code an_request_supplement(const struct an_desk *desk, int64_t id, const char *reason,
                              struct an_err *reterr) AN_MUST_USE;
/* The letter as a PDF at path: the signed one, or what is printed to be signed by hand and sealed. */
an_code an_request_save_paper(const struct an_desk *desk, int64_t id, const char *path,
                              struct an_err *reterr) AN_MUST_USE;
/* The whole dossier, with a written reason: a letter signed by who refuses. number: of the letter; NULL = room is left
 * for it. */
an_code an_request_refuse(const struct an_desk *desk, int64_t id, const char *reason, const char *number,
                          const struct an_person_key *key, struct an_err *reterr) AN_MUST_USE;
/* Bình Thuận Điều 17.1: the manager of subscribers approves the list, item by item; then it goes on to the
 * authority. */
/* places: NULL = all that are open. Each decision is the officer's own signature over the item. *ret_decided: how many
 * items are now decided for good; those that need a second officer wait. AN_E_REQUEST_DECIDED when somebody else was
 * first. */
typedef void (*an_request_progress_fn)(void *context, size_t done, size_t count); /* of a list that takes time */
struct an_request_verdict {
    const int64_t *places;
    size_t count;
    bool approve;
    const char *reason; /* of a refusal: needed */
    const char *number; /* of the letter that refuses; NULL = room is left for it */
    an_request_progress_fn progress; /* may be NULL */
    void *context;
};
an_code an_request_decide(const struct an_desk *desk, int64_t id, const struct an_request_verdict *verdict,
                          const struct an_person_key *key,
                          size_t *ret_decided, struct an_err *reterr) AN_MUST_USE;

/* ---- carrying out, telling, handing over ---- */
/* Where tokens are made for new subscribers and which PINs they get first. */
struct an_request_tokens {
    /* where devices without a URI of their own are: "pkcs11:?module-path=…", or for one device alone its slot or token;
     * kept in the register. NULL = the instance's own SoftHSM store. */
    const char *uri;
    const char *pin_dir;    /* where first PINs and SO PINs of devices are kept (files of mode 0600); NULL = DIR/pins */
    an_request_progress_fn progress; /* may be NULL */
    void *context;
};
/* Everything that is approved and not done yet; what fails is said and tried again next time. Safe to run anywhere, at
 * any time, by several at once. */
struct an_request_done {
    size_t done, failed, busy;
};
an_code an_request_execute(const struct an_desk *desk, int64_t id, const struct an_request_tokens *tokens,
                           struct an_request_done *ret,
                           struct an_err *reterr) AN_MUST_USE;
an_code an_request_handover(const struct an_desk *desk, int64_t id, const char *record,
                            struct an_err *reterr) AN_MUST_USE;

/* Loss or a suspected leak: the certificate is held at once and a dossier for its revocation lies ready for
 * signature. */
an_code an_request_emergency(const struct an_desk *desk, const char *certificate, const char *ground,
                             struct an_request_drafted *ret,
                             struct an_err *reterr) AN_MUST_USE;

/* ---- looking (request_look.c): told to the log; AN_E_REGISTRY_PERSONAL ---- */
an_code an_request_look_at(const struct an_desk *desk, int64_t id, struct an_err *reterr) AN_MUST_USE;
/* Who sees one agency alone: its lines, of a list of everything by the agency's own index. query->agency may then point
 * into ret. */
struct an_request_sight {
    bool everywhere;
    char agency[AN_AGENCY_CODE_MAX + 1];
};
an_code an_request_look(const struct an_desk *desk, struct an_request_query *query, struct an_request_sight *ret,
                        struct an_err *reterr) AN_MUST_USE;
bool an_request_sees(const struct an_request_sight *sight, const struct an_request_line *line);
/* Letters: who does not see everything sees what went to his agency or to him. */
struct an_notice_sight {
    bool everywhere;
    char name[512], address[256], own[256];
};
an_code an_notice_look(const struct an_desk *desk, struct an_notice_sight *ret, struct an_err *reterr) AN_MUST_USE;
bool an_notice_sees(const struct an_notice_sight *sight, const struct an_notice_line *line);

/* ---- notices ---- */
struct an_notice_ran {
    size_t reminders, overdue, sent, refused, later;
    int64_t expired; /* certificates that are over, and now say so */
};
/* A letter that a mail server refused, or that waits: once more at the next run; or not any more, for a reason that is
 * kept. AN_E_NOTICE_LETTER; told to the log. */
an_code an_notice_resend(const struct an_desk *desk, int64_t notice, struct an_err *reterr) AN_MUST_USE;
an_code an_notice_set_aside(const struct an_desk *desk, int64_t notice, const char *reason,
                            struct an_err *reterr) AN_MUST_USE;
/* The daily work: reminders, overdue dossiers, certificates that are over, and the letters that wait. Any number of
 * times, by any number of processes. Who starts it is asked for his right and told to the log: a person at his desk, or
 * (desk->person 0) the timer of the machine. */
an_code an_notice_run(const struct an_desk *desk, struct an_notice_ran *ret,
                      struct an_err *reterr) AN_MUST_USE;
