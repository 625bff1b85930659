/*
 * What a person does to the register: authorised by his role, carried out and told to the audit log in one commit.
 * Refusals are told too. Who may: decision 076; what is personal data and who sees it: decision 077.
 */
#pragma once

#include "registry/registry.h"
#include "service/registration/desk.h"

/* As an_desk_open; "NUMBER/thue-bao" for anybody in office who acts for himself (the role may be left out by who holds
 * none); and "system", for setting up, as long as nobody holds any role (AN_E_REGISTRY_SETUP afterwards). */
an_code an_registry_seat(struct an_instance *instance, const char *as, struct an_desk *ret,
                         struct an_err *reterr) AN_MUST_USE;
/* May who sits there do this to what belongs to that agency (0 = to none in particular)? act: "agency.edit" … of the
 * table in registry_may.c. AN_E_REGISTRY_MAY. */
an_code an_registry_require(struct an_tx *tx, const struct an_desk *desk, const char *act, int64_t agency,
                            struct an_err *reterr) AN_MUST_USE;
/*
 * Looking at what tells of people (decision 115): told to the log, as refusals are. A list: *agency 0 = everywhere,
 * which for a role that sees its own alone becomes its own. One entry: agency is the one it belongs to, owner the
 * person whose it is, who always may. AN_E_REGISTRY_PERSONAL.
 */
bool an_registry_is_everywhere(const struct an_desk *desk, const char *act);
an_code an_registry_look(const struct an_desk *desk, const char *act, int64_t *agency,
                         struct an_err *reterr) AN_MUST_USE;
an_code an_registry_look_at(const struct an_desk *desk, const char *act, const char *object, int64_t agency,
                            int64_t owner,
                            struct an_err *reterr) AN_MUST_USE;
/* One event of the audit log by who sits there. detail: JSON or NULL. */
an_code an_registry_tell(struct an_tx *tx, const struct an_desk *desk, const char *action, const char *object,
                         const char *citation,
                         const char *detail, struct an_err *reterr) AN_MUST_USE;

/*
 * One act: run is called in a write transaction, authorises with the agency concerned, names the object and does it;
 * the event is added for it. When it is refused (AN_KIND_REFUSED), that is told in a commit of its own.
 */
struct an_registry_act {
    const struct an_desk *desk;
    const char *action;         /* "person.add" */
    struct an_arena *arena;     /* of one run */
    char object[160], citation[128], detail[512]; /* filled by run; citation and detail may stay "" */
    void *context;
};
typedef an_code (*an_registry_run)(struct an_registry_act *act, struct an_tx *tx, struct an_err *reterr);
an_code an_registry_do(const struct an_desk *desk, const char *action, an_registry_run run, void *context,
                       struct an_err *reterr) AN_MUST_USE;

/* ---- agencies ---- */
an_code an_registry_add_agency(const struct an_desk *desk, const struct an_agency *agency, int64_t *ret_id,
                               struct an_err *reterr) AN_MUST_USE;
an_code an_registry_edit_agency(const struct an_desk *desk, const struct an_agency *agency,
                                struct an_err *reterr) AN_MUST_USE;
an_code an_registry_change_code(const struct an_desk *desk, int64_t agency, const char *code, const char *basis,
                                struct an_err *reterr) AN_MUST_USE;

/* ---- people ---- */
an_code an_registry_add_person(const struct an_desk *desk, const struct an_person *person, int64_t *ret_id,
                               char ret_number[static 32],
                               struct an_err *reterr) AN_MUST_USE;
an_code an_registry_edit_person(const struct an_desk *desk, const struct an_person *person,
                                struct an_err *reterr) AN_MUST_USE;
an_code an_registry_end_person(const struct an_desk *desk, int64_t person, const char *state, an_time at,
                               struct an_err *reterr) AN_MUST_USE;
/* The post he holds there now (agency 0 = the only one he has); its number to look it up. AN_E_REGISTRY_POST. */
an_code an_registry_end_post(const struct an_desk *desk, int64_t person, int64_t agency, const char *title, an_time at,
                             struct an_err *reterr) AN_MUST_USE;
an_code an_registry_add_post(const struct an_desk *desk, const struct an_post *post, struct an_err *reterr) AN_MUST_USE;
/* AN_E_REGISTRY_GRANT: nobody gives a role that is not his to give. */
an_code an_registry_add_duty(const struct an_desk *desk, const struct an_duty *duty, struct an_err *reterr) AN_MUST_USE;
an_code an_registry_require_grant(const struct an_desk *desk, const char *role, struct an_err *reterr) AN_MUST_USE;
an_code an_registry_end_duty(const struct an_desk *desk, int64_t person, const char *role, an_time at,
                             struct an_err *reterr) AN_MUST_USE;
/* reveal: the whole of his personal data, which only he and those who answer for it see; otherwise masked. The log
 * tells of both. */
an_code an_registry_show_person(const struct an_desk *desk, const char *number, bool reveal, struct an_arena *arena,
                                struct an_person *ret,
                                struct an_err *reterr) AN_MUST_USE;
/* "*********001"; a year alone; "*******678". In the arena. */
const char *an_mask_tail(const char *text, size_t shown, struct an_arena *arena);
void an_person_mask(struct an_person *person, struct an_arena *arena);

/* ---- subscribers ---- */
an_code an_registry_add_subscriber(const struct an_desk *desk, const struct an_subscriber *subscriber, int64_t *ret_id,
                                   char ret_number[static 32], struct an_err *reterr) AN_MUST_USE;
an_code an_registry_edit_subscriber(const struct an_desk *desk, const struct an_subscriber *subscriber,
                                    struct an_err *reterr) AN_MUST_USE;
an_code an_registry_end_subscriber(const struct an_desk *desk, int64_t subscriber, an_time at,
                                   struct an_err *reterr) AN_MUST_USE;
