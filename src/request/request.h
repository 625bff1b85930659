/*
 * Requests for certification (yêu cầu chứng thực, NĐ 68/2024 Điều 3, 4): the dossier that the directly managing agency
 * files for one or many subscribers, the states it goes through, the decision on each of its items, and what was done
 * for it.
 *
 * Everything works in the caller's transaction; who may do what, on which article, is asked of regulation/ by service/.
 * The table of moves (state.c) is the only place that says what may follow what.
 */
#pragma once

#include "base/time.h"
#include "store/store.h"

enum an_request_kind { AN_REQUEST_NEW = 1, AN_REQUEST_RENEW, AN_REQUEST_CHANGE, AN_REQUEST_REVOKE, AN_REQUEST_RECOVER };
#define AN_REQUEST_KINDS 5

/* Numbers are in the store: for ever. */
enum an_request_state {
    AN_REQUEST_DRAFT = 1,
    AN_REQUEST_SIGNED = 2,
    AN_REQUEST_LISTED = 3,     /* Bình Thuận Điều 17.1: the list waits for the manager of subscribers */
    AN_REQUEST_SENT = 4,
    AN_REQUEST_CHECKING = 5,
    AN_REQUEST_SUPPLEMENT = 6,
    AN_REQUEST_REFUSED = 7,
    AN_REQUEST_ACCEPTED = 8,
    AN_REQUEST_EXECUTING = 9,
    AN_REQUEST_EXECUTED = 10,
    AN_REQUEST_NOTIFIED = 11,
    AN_REQUEST_AWAITING = 12,  /* devices wait to be handed over */
    AN_REQUEST_HANDED_OVER = 13,
    AN_REQUEST_WITHDRAWN = 14,
};
#define AN_REQUEST_STATES 15

enum an_request_act {
    AN_REQUEST_ACT_EDIT = 0, AN_REQUEST_ACT_SIGN, AN_REQUEST_ACT_SEND, AN_REQUEST_ACT_SEND_LIST,
    AN_REQUEST_ACT_APPROVE_LIST, AN_REQUEST_ACT_RECEIVE,
    AN_REQUEST_ACT_RETURN, AN_REQUEST_ACT_SUPPLEMENT, AN_REQUEST_ACT_REFUSE, AN_REQUEST_ACT_ACCEPT,
    AN_REQUEST_ACT_DECIDE,
    AN_REQUEST_ACT_BEGIN, AN_REQUEST_ACT_REFUSE_ALL, AN_REQUEST_ACT_FINISH, AN_REQUEST_ACT_NOTIFY,
    AN_REQUEST_ACT_EXPECT,
    AN_REQUEST_ACT_HANDOVER, AN_REQUEST_ACT_WITHDRAW,
    AN_REQUEST_ACTS
};
/* Whose act it is. */
enum an_request_who { AN_REQUEST_BY_AGENCY = 0, AN_REQUEST_BY_HEAD, AN_REQUEST_BY_LIST_MANAGER, AN_REQUEST_BY_AUTHORITY,
                     AN_REQUEST_BY_SYSTEM };

/* One row of the table of moves. */
struct an_request_move {
    enum an_request_act act;
    uint32_t from;               /* bits: 1u << state */
    enum an_request_state to;    /* 0 = the state stays */
    enum an_request_who who;
    const char *action;          /* in the audit log and the glossary: "request.send" */
};
const struct an_request_move *an_request_move_find(enum an_request_act act);
/* May this act follow this state? */
bool an_request_may_follow(enum an_request_state state, enum an_request_act act);
bool an_request_is_closed(enum an_request_state state);
/* "Đang kiểm tra hồ sơ"; "checking". */
const char *an_request_state_name(enum an_request_state state, bool english);
const char *an_request_state_id(enum an_request_state state);
enum an_request_state an_request_state_find(const char *id); /* 0 = none */
/* "renew"; the act in the regulations is "request." and this. */
const char *an_request_kind_id(enum an_request_kind kind);
const char *an_request_kind_name(enum an_request_kind kind, bool english);

/* ---- the dossier ---- */
/* What one item is about. Texts are borrowed from the caller; "" = not said. */
struct an_request_item {
    int64_t place; /* from 1 */
    int state;     /* enum an_item_state */
    const char *subject, *name, *email;
    const char *certificate; /* serial, hex */
    const char *device, *ground;
    uint8_t facts[32];
    int64_t matter; /* 0 = none yet */
    an_time decided_at;
    const char *decided_by, *reason, *result;
};
enum an_item_state { AN_ITEM_OPEN = 0, AN_ITEM_APPROVED, AN_ITEM_REFUSED, AN_ITEM_DONE };
const char *an_item_state_name(int state, bool english);

struct an_dossier {
    int64_t id;
    const char *key;
    enum an_request_kind kind;
    enum an_request_state state;
    const char *regulation, *agency, *addressee, *subject_kind, *device_kind, *form, *form_citation, *number;
    int64_t round;
    bool urgent;
    const char *content; /* canonical JSON */
    uint8_t digest[32];
    bool has_document; uint8_t document[32];
    const char *reason, *created_by, *signed_by;
    /* AN_TIME_NONE = not */
    an_time created_at, signed_at, sent_at, received_at, valid_at, due_at, escalated_at, closed_at;
};
/* Who does something, when, and on which article: for the dossier's own history and the audit log, in one
 * transaction. */
struct an_request_deed {
    const char *actor, *role, *citation;
    const char *detail; /* one sentence or ""; no personal data */
    an_time at;
};
/* A new draft with its items; the digest is made here. The same key again: the dossier that is there, *ret_is_new
 * false. AN_E_REQUEST_KEY when it is there with another content. */
an_code an_request_create(struct an_tx *tx, const struct an_dossier *request, const struct an_request_item *items,
                          size_t count,
                          const struct an_request_deed *deed, int64_t *ret_id, bool *ret_is_new,
                          struct an_err *reterr) AN_MUST_USE;
/* Another content for a draft, a signed draft or a dossier to be supplemented: it must be signed anew. */
an_code an_request_rewrite(struct an_tx *tx, int64_t id, const struct an_dossier *request,
                           const struct an_request_item *items, size_t count,
                           const struct an_request_deed *deed, struct an_err *reterr) AN_MUST_USE;
/* By its filing key; 0 = none. */
an_code an_request_find_key(struct an_tx *tx, const char *key, int64_t *ret_id, struct an_err *reterr) AN_MUST_USE;
/* Texts live in the arena. AN_E_REQUEST_UNKNOWN. */
an_code an_request_find(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_dossier *ret,
                        struct an_err *reterr) AN_MUST_USE;
an_code an_request_items(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_request_item **ret,
                         size_t *ret_count,
                         struct an_err *reterr) AN_MUST_USE;

/* Moves the dossier by a row of the table and tells its history. AN_E_REQUEST_STATE when the act does not follow the
 * state it is in; the state is looked at and changed in one statement, so of two who come together one fails. */
an_code an_request_move(struct an_tx *tx, const struct an_dossier *request, enum an_request_act act,
                        const struct an_request_deed *deed,
                        struct an_err *reterr) AN_MUST_USE;
/* What stands beside a move, each in the same transaction. */
an_code an_request_set_signed(struct an_tx *tx, int64_t id, const uint8_t document[static 32], const char *signer,
                              an_time at,
                              struct an_err *reterr) AN_MUST_USE;
/* Holds what the items are about against other open requests until the dossier is closed. AN_E_REQUEST_DUPLICATE names
 * the other. */
an_code an_request_claim(struct an_tx *tx, const struct an_dossier *request, const struct an_request_item *items,
                         size_t count,
                         struct an_err *reterr) AN_MUST_USE;
/* Which other open request is about the same as this item; 0 = none. */
an_code an_request_holder(struct an_tx *tx, const struct an_dossier *request, const struct an_request_item *item,
                          int64_t *ret,
                          struct an_err *reterr) AN_MUST_USE;
an_code an_request_set_sent(struct an_tx *tx, int64_t id, an_time at, struct an_err *reterr) AN_MUST_USE;
/* Receipt of a dossier that was found valid: the clock runs. */
an_code an_request_set_received(struct an_tx *tx, int64_t id, an_time received, an_time valid, an_time due,
                                struct an_err *reterr) AN_MUST_USE;
an_code an_request_set_supplement(struct an_tx *tx, int64_t id, const char *reason, struct an_err *reterr) AN_MUST_USE;
an_code an_request_set_addressee(struct an_tx *tx, int64_t id, const char *addressee,
                                 struct an_err *reterr) AN_MUST_USE;
/* Ends it: what it held is free again. */
an_code an_request_close(struct an_tx *tx, int64_t id, const char *reason, an_time at,
                         struct an_err *reterr) AN_MUST_USE;
an_code an_request_set_escalated(struct an_tx *tx, int64_t id, an_time at, bool *ret_changed,
                                 struct an_err *reterr) AN_MUST_USE;

/* ---- items ---- */
/* The matter (decision/) that decides an item. */
an_code an_request_item_set_matter(struct an_tx *tx, int64_t id, int64_t place, int64_t matter,
                                   struct an_err *reterr) AN_MUST_USE;
/* Decided once, by whom it says: AN_E_REQUEST_DECIDED for who comes second. */
an_code an_request_item_decide(struct an_tx *tx, int64_t id, int64_t place, bool approve, const char *by,
                               const char *reason, an_time at,
                               struct an_err *reterr) AN_MUST_USE;
/* A machine fetched the certificate of an item that is done; the first one stays. No such item: nothing happens. */
an_code an_request_item_fetched(struct an_tx *tx, int64_t id, int64_t place, const char *serial,
                                struct an_err *reterr) AN_MUST_USE;
an_code an_request_item_count(struct an_tx *tx, int64_t id, int state, int64_t *ret, struct an_err *reterr) AN_MUST_USE;

/* ---- execution: once, and resumed after a crash (execute.c) ---- */
struct an_execution {
    int64_t place, step, attempts;
    char owner[80];
    an_time owner_until, started_at, finished_at;
    char device[64];
};
/* The intent: written in the transaction that approves, before anything is done. */
an_code an_execution_plan(struct an_tx *tx, int64_t id, int64_t place, an_time at, struct an_err *reterr) AN_MUST_USE;
an_code an_execution_find(struct an_tx *tx, int64_t id, int64_t place, struct an_execution *ret, bool *ret_found,
                          struct an_err *reterr) AN_MUST_USE;
/* "machine:pid:start": who this process is. Another process of this machine can tell whether it lives. */
void an_execution_owner(char ret[static 80]);
/* Takes it when nobody has it, its owner is dead, or his time is over. *ret_taken false: somebody works on it, or it is
 * done. */
an_code an_execution_take(struct an_tx *tx, int64_t id, int64_t place, const char *owner, an_time now,
                          struct an_execution *ret,
                          bool *ret_taken, struct an_err *reterr) AN_MUST_USE;
/* AN_E_REQUEST_OWNER when it is no longer ours. */
an_code an_execution_step(struct an_tx *tx, int64_t id, int64_t place, const char *owner, int64_t step,
                          const char *device, an_time now,
                          struct an_err *reterr) AN_MUST_USE;
/* Failed for now: the next one goes on at this step. */
an_code an_execution_give(struct an_tx *tx, int64_t id, int64_t place, const char *owner, const char *error,
                          struct an_err *reterr) AN_MUST_USE;
/* Done: the item too. */
an_code an_execution_finish(struct an_tx *tx, int64_t id, int64_t place, const char *owner, int64_t step,
                            const char *device, const char *result,
                            an_time now, struct an_err *reterr) AN_MUST_USE;

/* ---- lists: newest first (of a name: by name; what is late: by deadline), by pages; each in time that does not grow
 * with the register, so only what has an index of its own is asked together (question_table in list.c):
 * AN_E_REQUEST_QUESTION for anything else ---- */
struct an_request_query {
    const char *agency, *addressee, *subject; /* NULL = any */
    const char *name;                   /* beginning of a subscriber's name; marks do not matter */
    /* of a search by name or of what is late: the cursor of the last line before; NULL = from the first */
    const char *after;
    enum an_request_state state;        /* 0 = any; with addressee: needed */
    an_time overdue_at;                 /* AN_TIME_NONE = no matter */
    int64_t before;                     /* ids below this; 0 = from the newest */
    size_t limit;                       /* 0 = 50 */
};
struct an_request_line {
    int64_t id;
    enum an_request_kind kind;
    enum an_request_state state;
    const char *agency, *addressee, *number, *form;
    an_time created_at, received_at, due_at, closed_at;
    bool urgent;
    const char *cursor; /* of a search by name or of what is late, else NULL */
};
typedef an_code (*an_request_line_fn)(void *context, const struct an_request_line *line, struct an_err *reterr);
an_code an_request_each(struct an_tx *tx, const struct an_request_query *query, an_request_line_fn each, void *context,
                        struct an_err *reterr) AN_MUST_USE;
/* Up to limit dossiers that are late at this moment and not escalated yet, by deadline. */
an_code an_request_each_untold(struct an_tx *tx, an_time now, size_t limit, an_request_line_fn each, void *context,
                               struct an_err *reterr) AN_MUST_USE;

/* ---- history ---- */
struct an_request_event {
    int64_t seq;
    an_time at;
    const char *act, *actor, *role, *citation, *detail;
    enum an_request_state from, to;
};
typedef an_code (*an_request_event_fn)(void *context, const struct an_request_event *event, struct an_err *reterr);
an_code an_request_history(struct an_tx *tx, int64_t id, an_request_event_fn each, void *context,
                           struct an_err *reterr) AN_MUST_USE;
