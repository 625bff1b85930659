/*
 * Notices: what somebody is told, written in the same transaction as the act it tells of, and the letters that carry
 * them. A letter stays in the outbox until a mail server has taken it; it goes out at least once, always with the same
 * Message-ID.
 */
#pragma once

#include "base/time.h"
#include "store/store.h"

struct an_notice {
    const char *key;      /* said once: "request:12:executed", "certificate:0A1B:expiry:90" */
    const char *kind;     /* "request.executed", "reminder.expiry" */
    const char *about;    /* "request:12", "certificate:0A1B" */
    const char *to_role;  /* who, by role: "qltt", "trung-tam" */
    const char *to_name;
    const char *address;  /* e-mail; "" = none known: to be told by hand */
    const char *subject, *body; /* UTF-8, lines end with LF */
    const char *citation;
    const uint8_t *document; /* 32 octets, SHA-256 of a signed letter in documents/; NULL = none */
    an_time at;
};
/* host: the right side of the Message-ID. Said before: nothing happens, *ret_id is 0. */
an_code an_notice_add(struct an_tx *tx, const struct an_notice *notice, const char *host, int64_t *ret_id,
                      struct an_err *reterr) AN_MUST_USE;

enum an_letter_state { AN_LETTER_NONE = -1, AN_LETTER_WAITING = 0, AN_LETTER_SENT, AN_LETTER_REFUSED, AN_LETTER_ASIDE };
const char *an_letter_state_name(int state, bool english);

struct an_notice_line {
    int64_t id;
    const char *kind, *about, *to_role, *to_name, *address, *subject;
    an_time created_at;
    int letter; /* enum an_letter_state */
    int64_t tries;
    an_time next_at, sent_at;
    const char *error;
    const char *body, *citation, *message_id; /* an_notice_find only */
    bool has_document; uint8_t document[32];  /* likewise */
};
typedef an_code (*an_notice_fn)(void *context, const struct an_notice_line *line, struct an_err *reterr);
/* Newest first; about NULL = all; before: ids below this, 0 = newest. */
an_code an_notice_each(struct an_tx *tx, const char *about, int64_t before, size_t limit, an_notice_fn each,
                       void *context,
                       struct an_err *reterr) AN_MUST_USE;
/* AN_E_NOTICE_UNKNOWN. */
an_code an_notice_find(struct an_tx *tx, int64_t id, an_notice_fn each, void *context,
                       struct an_err *reterr) AN_MUST_USE;

/* ---- sending ---- */
struct an_letter {
    int64_t id, notice, tries;
    const char *message_id, *address, *name, *subject, *body;
    bool has_document; uint8_t document[32];
    an_time created_at;
};
/* The next letter that is due, taken for owner for some minutes; *ret_found false when there is none. Texts in the
 * arena. */
an_code an_outbox_take(struct an_tx *tx, const char *owner, an_time now, struct an_arena *arena, struct an_letter *ret,
                       bool *ret_found,
                       struct an_err *reterr) AN_MUST_USE;
/* What became of it. code AN_OK: sent. AN_E_MAIL_REFUSED, AN_E_MAIL_ADDRESS: kept, and shown as refused. Anything else:
 * later, after a wait that doubles up to an hour, for ever. */
an_code an_outbox_done(struct an_tx *tx, const struct an_letter *letter, const char *owner, an_code code,
                       const char *error, an_time now,
                       struct an_err *reterr) AN_MUST_USE;
/* A letter that waits or was refused: once more now; or set aside, with the reason. AN_E_NOTICE_LETTER: it is sent,
 * none, or in hand at this moment. */
an_code an_outbox_again(struct an_tx *tx, int64_t notice, an_time now, struct an_err *reterr) AN_MUST_USE;
an_code an_outbox_set_aside(struct an_tx *tx, int64_t notice, const char *reason, an_time now,
                            struct an_err *reterr) AN_MUST_USE;
an_code an_outbox_count(struct an_tx *tx, enum an_letter_state state, int64_t *ret, struct an_err *reterr) AN_MUST_USE;

/* The letter as RFC 5322 with MIME: from "name <address>", UTF-8 in base64, the attachment (AN_NONE = none) as a
 * PDF. */
struct an_letter_form {
    const char *from, *from_name;
    const struct an_letter *letter;
    an_bytes attachment;
    const char *attachment_name;
};
an_code an_letter_write(const struct an_letter_form *form, struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;

/* Up to which moment a daily work has looked; AN_TIME_NONE = never. */
an_code an_notice_job_find(struct an_tx *tx, const char *name, an_time *ret, struct an_err *reterr) AN_MUST_USE;
an_code an_notice_job_put(struct an_tx *tx, const char *name, an_time until, an_time now,
                          struct an_err *reterr) AN_MUST_USE;
