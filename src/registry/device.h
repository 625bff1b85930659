/*
 * Key-storage devices (thiết bị lưu khóa bí mật): what each is, its state, who holds it, and the unbroken chain of
 * hands it went through: Cục → (tổ chức cơ yếu | bưu chính | trực tiếp) → cơ quan quản lý trực tiếp → thuê bao → … →
 * Cục. Each link stands on a signed record; a wrong giver, a gap or a change of state that is not in the table is
 * refused here, and by the database itself (sql/migrations/0005-registry.sql).
 */
#pragma once

#include "registry/registry.h"

/* ---- states ---- */
struct an_device_state { const char *id, *vi, *en; };
extern const struct an_device_state an_device_states[]; /* chua-dung, dang-dung, bi-khoa, hong, that-lac, da-thu-hoi */
extern const size_t an_device_state_count;
const struct an_device_state *an_device_state_find(const char *id); /* NULL when there is none */

/* ---- devices (device.c) ---- */
struct an_device {
    int64_t id;
    const char *kind;    /* "pki-token", "sim-pki", "hsm" */
    const char *number;  /* số hiệu thiết bị */
    const char *model;   /* id in devices/models.yaml */
    const char *uri;     /* of its token, when at hand; never a PIN */
    const char *carrier; /* of a SIM: "Viettel", "Vinaphone", "Mobifone"; with "/cs" the number in use is converted */
    const char *phone, *account;
    int64_t subscriber;
    const char *state;
    int64_t event, link;
    const char *holder_kind; /* "cuc", "co-yeu", "buu-chinh", "agency", "person" */
    int64_t holder;          /* agency or person; 0 = cuc, buu-chinh */
    const char *place, *note;
    const char *holder_name, *subscriber_number, *subscriber_name; /* read only */
};
/* "Viettel", "Viettel/cs" (the number in use is converted), as the column SIM PKI of Mẫu 01 has it; AN_E_DEVICE_SIM. */
an_code an_sim_parse(const char *text, const char **ret_carrier, bool *ret_converts, struct an_err *reterr) AN_MUST_USE;
/* Enters the register at Cục, state chua-dung. AN_E_DEVICE_FIELD, _SIM (also: the number is the subscriber's own, in
 * use, and the carrier lacks "/cs"), _TAKEN. */
an_code an_device_add(struct an_tx *tx, const struct an_device *device, const char *actor, an_time at, int64_t *ret_id,
                      struct an_err *reterr) AN_MUST_USE;
/* Writes model, uri, carrier, phone, account, subscriber, place, note. AN_E_DEVICE_FIELD, _SIM. */
an_code an_device_edit(struct an_tx *tx, const struct an_device *device, struct an_err *reterr) AN_MUST_USE;
an_code an_device_find(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_device *ret,
                       struct an_err *reterr) AN_MUST_USE;
an_code an_device_find_number(struct an_tx *tx, const char *number, struct an_arena *arena, struct an_device *ret,
                              struct an_err *reterr) AN_MUST_USE;
/* One that is not in use yet: the subscriber's, else one that is nobody's; "" = none. The caller's, 64 bytes. */
an_code an_device_free(struct an_tx *tx, const char *kind, int64_t subscriber, char ret_number[static 64],
                       struct an_err *reterr) AN_MUST_USE;
typedef an_code (*an_device_fn)(void *context, const struct an_device *device, struct an_err *reterr);
struct an_device_page {
    const char *state;       /* NULL = any */
    const char *holder_kind; /* NULL = anybody's */
    int64_t holder, subscriber; /* subscriber 0 = any */
    int64_t agency;             /* what it or one of its people holds; 0 = any */
    size_t limit;
    const char *after;       /* number of the last device of the page before; NULL = from the start */
};
an_code an_device_list(struct an_tx *tx, const struct an_device_page *page, an_device_fn each, void *context,
                       struct an_err *reterr) AN_MUST_USE;
/* AN_E_DEVICE_STATE when the table has no such change. */
an_code an_device_change_state(struct an_tx *tx, int64_t id, const char *state, const char *actor, an_time at,
                               const char *reason,
                               struct an_err *reterr) AN_MUST_USE;
struct an_device_event {
    int64_t seq;
    const char *state_from, *state_to, *actor, *reason;
    an_time at;
};
typedef an_code (*an_device_event_fn)(void *context, const struct an_device_event *event, struct an_err *reterr);
an_code an_device_events(struct an_tx *tx, int64_t id, an_device_event_fn each, void *context,
                         struct an_err *reterr) AN_MUST_USE;

/* ---- records (record.c) ---- */
struct an_record {
    int64_t id;
    const char *number, *form;      /* "0001/BBBG"; citation of the form */
    const char *medium, *state;     /* "electronic", "paper"; "draft", "half-signed", "signed", "void" */
    an_time at;
    const char *place;
    const char *giver_kind, *taker_kind;
    int64_t giver, taker;
    int64_t giver_signer, taker_signer; /* people; 0 on paper */
    an_time giver_signed, taker_signed;
    const char *way;                /* "truc-tiep", "co-yeu", "buu-chinh" */
    const char *reason;
    /* "device.handover", "device.custody-change", "device.return", "device.report-lost" */
    const char *step;
    const char *made_by;
};
/* A draft with its PDF, or a paper record that is signed already (pdf AN_NONE). devices: ids. AN_E_RECORD_STEP. */
an_code an_record_add(struct an_tx *tx, const struct an_record *record, an_bytes pdf, const int64_t *devices,
                      size_t count, int64_t *ret_id,
                      struct an_err *reterr) AN_MUST_USE;
an_code an_record_find(struct an_tx *tx, int64_t id, struct an_arena *arena, struct an_record *ret,
                       struct an_err *reterr) AN_MUST_USE;
/* The PDF as it is now; empty on paper. */
an_code an_record_pdf(struct an_tx *tx, int64_t id, struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;
/* Keeps the PDF with one more signature: the giver's first, then the taker's. before: SHA-256 of the PDF that was
 * signed, so that two who sign at once do not lose one signature (AN_E_RECORD_STATE). With the second signature the
 * record is carried out: custody, states, subscriber. */
an_code an_record_signed(struct an_tx *tx, int64_t id, bool by_giver, const uint8_t before[static 32], an_bytes pdf,
                         const char *actor,
                         an_time at, struct an_err *reterr) AN_MUST_USE;
an_code an_record_void(struct an_tx *tx, int64_t id, struct an_err *reterr) AN_MUST_USE; /* not when it is signed */
typedef an_code (*an_record_fn)(void *context, const struct an_record *record, struct an_err *reterr);
/* Of a device; 0 = those that wait for a signature. */
an_code an_record_each(struct an_tx *tx, int64_t device, an_record_fn each, void *context,
                       struct an_err *reterr) AN_MUST_USE;
an_code an_record_devices(struct an_tx *tx, int64_t id, an_device_fn each, void *context,
                          struct an_err *reterr) AN_MUST_USE;

/* ---- custody (custody.c) ---- */
struct an_custody {
    int64_t device, seq;
    const char *giver_kind, *taker_kind;
    int64_t giver, taker;
    an_time at;
    const char *way;
    int64_t record;
    const char *record_number, *giver_name, *taker_name; /* read only */
};
/* AN_E_CUSTODY_HOLDER (the giver does not hold it: names who does), AN_E_CUSTODY_STEP, AN_E_RECORD_STATE. */
an_code an_custody_add(struct an_tx *tx, const struct an_custody *link, struct an_err *reterr) AN_MUST_USE;
typedef an_code (*an_custody_fn)(void *context, const struct an_custody *link, struct an_err *reterr);
an_code an_custody_each(struct an_tx *tx, int64_t device, an_custody_fn each, void *context,
                        struct an_err *reterr) AN_MUST_USE;
