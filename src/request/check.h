/*
 * What must hold before a dossier is sent, and again when it arrives: a table of checks (check.c). Each says what it
 * looked at, whether it holds, and on which article it rests. The facts are gathered by service/ from the register, the
 * store of certificates and the form; the checks change nothing and know no store.
 */
#pragma once

#include "regulation/explain.h"
#include "request/request.h"

/* What is known of one item. */
struct an_check_item {
    const struct an_request_item *item;
    bool is_managed;          /* the subscriber belongs to the filing agency or one below it */
    bool is_mail_official;    /* by the register: official everywhere, or the agency's own domain */
    bool has_certificate;     /* of which the rest is known */
    bool certificate_is_own;  /* the subscriber's */
    int certificate_status;   /* 0 good, 1 revoked, 2 hold, 3 expired */
    int64_t days_left, renewals;
    bool has_device, device_is_own;
    const char *device_kind, *device_state; /* "bi-khoa" */
    int64_t open_request;     /* another that is about the same; 0 = none */
    const char *change_what, *change_to; /* "email", the new value */
    bool change_is_case;      /* NĐ 68/2024 Điều 15 names it for this kind of subscriber */
    bool change_is_entered;   /* of an agency: the person's move stands in the register */
    bool ground_is_known, ground_needs_record, has_record;
    const char *ground_citation;
    const char *missing;      /* labels of the form's cells that are empty; "" = none */
    const char *sim;          /* "Viettel/cs": the column SIM PKI of Mẫu 01; "" = none */
};
struct an_check_facts {
    struct an_regulations *regulations;
    const struct an_dossier *request;
    an_time at;
    const char *role;         /* of who files: "qltt" */
    const char *addressee;    /* to whom it goes */
    bool is_forwarded;        /* by who approved the list: the authority above is right then */
    const char *missing;      /* labels of the form's fields that are empty */
    struct an_check_item *items;
    size_t count;
    /* of the signed form; only when it was signed */
    bool has_document, is_paper, may_be_paper; /* hand-signed and sealed: only an agency's first certificate */
    bool document_is_valid, document_is_head, document_matches;
    const char *document_detail;
};

struct an_check_finding {
    const char *rule;     /* "email.official" */
    bool holds;
    an_code code;         /* words and citation: messages/request.def */
    const char *citation; /* the regulation's own when it says more than the message's */
    const char *detail;   /* facts */
    int64_t place;        /* 0 = the dossier */
};
typedef void (*an_check_fn)(void *context, const struct an_check_finding *finding);
/* Runs every check that concerns this kind of request; *ret_failed counts what does not hold. Fails only when the
 * regulations cannot be read. ret_answer: what binds the dossier as a whole, the caller's; may be NULL. */
an_code an_request_check(const struct an_check_facts *facts, an_check_fn each, void *context, size_t *ret_failed,
                         struct an_answer **ret_answer, struct an_err *reterr) AN_MUST_USE;
