/*
 * The register: agencies, people with their posts and roles, subscribers, key-storage devices with their custody, and
 * the records that stand behind it. Every function works in a transaction of its caller (store/), so that what belongs
 * together is one commit; who may do what is decided above, in service/.
 *
 * Conventions. Moments are an_time; a period runs from `since` up to, not including, `until`; AN_TIME_NONE = open, not
 * known. Ids are those of the store; 0 = none. Texts read from the store live in the arena that is passed; NULL in a
 * struct that is written reads as "". Names are NFC and searched without diacritics.
 */
#pragma once

#include "base/time.h"
#include "store/store.h"

/* ---- identifiers of agencies: QĐ 20/2020/QĐ-TTg Điều 4 (code.c) ---- */
#define AN_AGENCY_CODE_MAX 35
enum an_code_form { AN_CODE_WRONG = 0, AN_CODE_CURRENT, AN_CODE_LEGACY /* "000.00.05.H53": input only */ };
enum an_code_form an_agency_code_form(an_bytes code);
/* What the register writes: a current code as it stands, a legacy one turned around ("H53.05"); AN_E_AGENCY_CODE. */
an_code an_agency_code_normalise(an_bytes code, char ret[static AN_AGENCY_CODE_MAX + 1],
                                 struct an_err *reterr) AN_MUST_USE;

/* ---- agencies (agency.c) ---- */
struct an_agency {
    int64_t id, superior, successor;
    const char *code;          /* "" = none */
    const char *name, *superior_name;
    const char *hierarchy;     /* "state", "party" */
    const char *address, *province, *tax_code, *budget_code, *email, *email_domain;
    const char *regulation;    /* "" = its superior's */
    int64_t seal_um;           /* diameter in micrometres: 36 mm = 36000; 0 = not known */
    const char *seal_document;
    const char *state;         /* "active", "merged", "dissolved" */
    an_time since, until;
};
/* Checks and adds; the code must be free. AN_E_AGENCY_CODE, _TAKEN, _FIELD, _UNKNOWN (superior). */
an_code an_agency_add(struct an_tx *tx, const struct an_agency *agency, int64_t *ret_id,
                      struct an_err *reterr) AN_MUST_USE;
/* Writes every field but code and state; AN_E_AGENCY_LOOP when the superior stands below it. */
an_code an_agency_edit(struct an_tx *tx, const struct an_agency *agency, struct an_err *reterr) AN_MUST_USE;
/* One that is no more, as a list from elsewhere tells: its state ("merged" with its successor, "dissolved"), its end,
 * its code closed. */
an_code an_agency_close(struct an_tx *tx, const struct an_agency *agency, const char *basis,
                        struct an_err *reterr) AN_MUST_USE;
/* A code that it had before: closed, and never given away. */
an_code an_agency_add_closed(struct an_tx *tx, int64_t id, const char *code, const char *basis, an_time until,
                             struct an_err *reterr) AN_MUST_USE;
/* By its code, or by its name when exactly one is called so. AN_E_AGENCY_UNKNOWN. */
an_code an_agency_find_named(struct an_tx *tx, const char *text, int64_t *ret_id, struct an_err *reterr) AN_MUST_USE;
an_code an_agency_find(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_agency *ret,
                       struct an_err *reterr) AN_MUST_USE;
/* By any code it ever had (*ret_closed tells), or "#ID". AN_E_AGENCY_UNKNOWN. */
an_code an_agency_find_code(struct an_tx *tx, const char *code, struct an_arena *arena, struct an_agency *ret,
                            bool *ret_closed,
                            struct an_err *reterr) AN_MUST_USE;
/* Closes the code it has and gives it another one (QĐ 09/2025 Điều 2). */
an_code an_agency_change_code(struct an_tx *tx, int64_t id, const char *code, const char *basis, an_time at,
                              struct an_err *reterr) AN_MUST_USE;
/* Is it the other one, or anywhere below it? */
an_code an_agency_is_below(struct an_tx *tx, int64_t id, int64_t other, bool *ret, struct an_err *reterr) AN_MUST_USE;
/* The regulation that binds it, its own or its nearest superior's; "" = the instance's. */
an_code an_agency_regulation(struct an_tx *tx, int64_t id, struct an_arena *arena, const char **ret,
                             struct an_err *reterr) AN_MUST_USE;

/* ---- pages of a list: by name, each page as fast as the first ---- */
#define AN_PAGE_MAX 500
struct an_page {
    const char *text;   /* what is searched: the beginning of any word of a name, and what follows it; NULL = all */
    int64_t agency;     /* 0 = all */
    size_t limit;       /* 0 = 50 */
    const char *cursor; /* NULL = from the start; what the page before answered */
};
typedef an_code (*an_agency_fn)(void *context, const struct an_agency *agency, struct an_err *reterr);
/* ret_cursor: NULL at the end, else in the arena. */
an_code an_agency_list(struct an_tx *tx, const struct an_page *page, struct an_arena *arena, an_agency_fn each,
                       void *context,
                       const char **ret_cursor, struct an_err *reterr) AN_MUST_USE;

/* ---- people (person.c) ---- */
struct an_person {
    int64_t id, agency;
    const char *number;   /* handle in the register, "CB000001"; never the personal identifier */
    const char *name, *agency_name;
    an_time born;
    const char *identity; /* số định danh cá nhân: personal data (Luật 91/2025/QH15), as born and phone are */
    an_time identity_issued;
    const char *identity_place, *email, *phone;
    const char *state;    /* "active", "retired", "left", "deceased" */
    an_time since, until, retires;
};
/* number NULL or "": the next one. state NULL = active; otherwise its agency may be closed. AN_E_PERSON_EMAIL when the
 * address is not official, AN_E_PERSON_IDENTITY, AN_E_PERSON_TAKEN, AN_E_PERSON_FIELD. *ret_number: 32 bytes. */
an_code an_person_add(struct an_tx *tx, const struct an_person *person, int64_t *ret_id, char ret_number[static 32],
                      struct an_err *reterr) AN_MUST_USE;
/* Writes name, dates, identity, e-mail, phone, retires. */
an_code an_person_edit(struct an_tx *tx, const struct an_person *person, struct an_err *reterr) AN_MUST_USE;
an_code an_person_find(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_person *ret,
                       struct an_err *reterr) AN_MUST_USE;
an_code an_person_find_number(struct an_tx *tx, const char *number, struct an_arena *arena, struct an_person *ret,
                              struct an_err *reterr) AN_MUST_USE;
/* Retirement, leaving, death: posts and roles end with it. */
an_code an_person_end(struct an_tx *tx, int64_t id, const char *state, an_time at, struct an_err *reterr) AN_MUST_USE;
typedef an_code (*an_person_fn)(void *context, const struct an_person *person, struct an_err *reterr);
an_code an_person_list(struct an_tx *tx, const struct an_page *page, struct an_arena *arena, an_person_fn each,
                       void *context,
                       const char **ret_cursor, struct an_err *reterr) AN_MUST_USE;
/* Only addresses of State and Party bodies (NĐ 68/2024 Mẫu 01): domains official everywhere, or the agency's own. The
 * first are a parameter of the instance's regulation, said once, before anything is done with the register. */
void an_email_set_official(const char *domains);
an_code an_email_check(struct an_tx *tx, const char *email, int64_t agency, struct an_err *reterr) AN_MUST_USE;

/* ---- posts and roles (post.c) ---- */
struct an_post {
    int64_t id, person, agency;
    const char *title;     /* "Giám đốc Sở" */
    const char *authority; /* "", "TM", "KT", "TL", "TUQ", "Q" */
    bool is_head;
    const char *document;  /* decision of appointment */
    an_time since, until;
    const char *person_name, *person_number, *agency_name; /* read only */
};
an_code an_post_add(struct an_tx *tx, const struct an_post *post, int64_t *ret_id, struct an_err *reterr) AN_MUST_USE;
an_code an_post_end(struct an_tx *tx, int64_t id, an_time at, struct an_err *reterr) AN_MUST_USE;
typedef an_code (*an_post_fn)(void *context, const struct an_post *post, struct an_err *reterr);
an_code an_post_each(struct an_tx *tx, int64_t person, an_post_fn each, void *context,
                     struct an_err *reterr) AN_MUST_USE;
/* The post a person holds at an agency (0 = anywhere) at a moment, and who heads an agency then; ret->id 0 = nobody. */
an_code an_post_at(struct an_tx *tx, int64_t person, int64_t agency, an_time at, struct an_arena *arena,
                   struct an_post *ret,
                   struct an_err *reterr) AN_MUST_USE;
an_code an_agency_head(struct an_tx *tx, int64_t agency, an_time at, struct an_arena *arena, struct an_post *ret,
                       struct an_err *reterr) AN_MUST_USE;
struct an_duty {
    int64_t id, person, agency;
    const char *role;     /* "qltt", "van-thu", "so-khcn" … (docs/glossary.md) */
    const char *basis;    /* "post", "delegation" */
    const char *document; /* of a delegation: its number; AN_E_DUTY_DOCUMENT without */
    an_time since, until;
    const char *agency_name; /* read only */
};
an_code an_duty_add(struct an_tx *tx, const struct an_duty *duty, int64_t *ret_id, struct an_err *reterr) AN_MUST_USE;
an_code an_duty_end(struct an_tx *tx, int64_t id, an_time at, struct an_err *reterr) AN_MUST_USE;
typedef an_code (*an_duty_fn)(void *context, const struct an_duty *duty, struct an_err *reterr);
an_code an_duty_each(struct an_tx *tx, int64_t person, an_duty_fn each, void *context,
                     struct an_err *reterr) AN_MUST_USE;
/* Does the person hold the role at that moment for that agency: at it or at one above it? agency 0 = at any.
 * *ret_agency (may be NULL): where. */
an_code an_registry_may(struct an_tx *tx, int64_t person, const char *role, int64_t agency, an_time at, bool *ret,
                        int64_t *ret_agency,
                        struct an_err *reterr) AN_MUST_USE;

/* ---- subscribers (subscriber.c) ---- */
struct an_subscriber {
    int64_t id, agency, person, manager;
    const char *number; /* "TB000001" */
    const char *kind;   /* "person", "agency", "agency-second", "device-service-software" */
    const char *name;   /* of a person, an agency: theirs */
    const char *label;  /* of a second device: where it is used; of a service: what it is */
    const char *email, *state; /* "active", "ended" */
    an_time since, until;
    const char *agency_name, *person_number; /* read only */
};
/* name and e-mail of a person or an agency are taken from the register. AN_E_SUBSCRIBER_KIND, _TAKEN. */
an_code an_subscriber_add(struct an_tx *tx, const struct an_subscriber *subscriber, int64_t *ret_id,
                          char ret_number[static 32],
                          struct an_err *reterr) AN_MUST_USE;
/* Writes agency, name, label, e-mail, manager. */
an_code an_subscriber_edit(struct an_tx *tx, const struct an_subscriber *subscriber, struct an_err *reterr) AN_MUST_USE;
an_code an_subscriber_end(struct an_tx *tx, int64_t id, an_time at, struct an_err *reterr) AN_MUST_USE;
an_code an_subscriber_find(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_subscriber *ret,
                           struct an_err *reterr) AN_MUST_USE;
an_code an_subscriber_find_number(struct an_tx *tx, const char *number, struct an_arena *arena,
                                  struct an_subscriber *ret,
                                  struct an_err *reterr) AN_MUST_USE;
/* The active one of a person; ret->id 0 = none. */
an_code an_subscriber_of_person(struct an_tx *tx, int64_t person, struct an_arena *arena, struct an_subscriber *ret,
                                struct an_err *reterr) AN_MUST_USE;
typedef an_code (*an_subscriber_fn)(void *context, const struct an_subscriber *subscriber, struct an_err *reterr);
an_code an_subscriber_list(struct an_tx *tx, const struct an_page *page, struct an_arena *arena, an_subscriber_fn each,
                           void *context,
                           const char **ret_cursor, struct an_err *reterr) AN_MUST_USE;
/* Certificates, several for one subscriber; serial: lower-case hexadecimal. */
struct an_subscriber_cert {
    const char *serial, *object_id; /* CKA_ID on the device */
    int64_t subscriber, device;
    an_time since;
};
an_code an_subscriber_link_cert(struct an_tx *tx, const struct an_subscriber_cert *cert,
                                struct an_err *reterr) AN_MUST_USE;
typedef an_code (*an_subscriber_cert_fn)(void *context, const struct an_subscriber_cert *cert, struct an_err *reterr);
/* Of a subscriber, of a device (the other 0), the newest first. */
an_code an_subscriber_certs(struct an_tx *tx, int64_t subscriber, int64_t device, an_subscriber_cert_fn each,
                            void *context,
                            struct an_err *reterr) AN_MUST_USE;
/* Whose is it? ret->subscriber 0 = not linked. */
an_code an_subscriber_of_cert(struct an_tx *tx, const char *serial, struct an_arena *arena,
                              struct an_subscriber_cert *ret,
                              struct an_err *reterr) AN_MUST_USE;
