/*
 * What a person does with key-storage devices: the regulation that binds the agency says who may and on which form; the
 * record is laid out, signed by both sides with their own tokens, and with the second signature carried out and told to
 * the audit log.
 */
#pragma once

#include "registry/device.h"
#include "registry/model.h"
#include "service/registration/registry.h"

/* ---- the register ---- */
an_code an_service_device_add(const struct an_desk *desk, const struct an_device *device, int64_t *ret_id,
                              struct an_err *reterr) AN_MUST_USE;
an_code an_service_device_edit(const struct an_desk *desk, const struct an_device *device,
                               struct an_err *reterr) AN_MUST_USE;
/* Locked, broken, in use again, ready for the next holder. */
an_code an_service_device_state(const struct an_desk *desk, const char *number, const char *state, const char *reason,
                                struct an_err *reterr) AN_MUST_USE;

/* ---- looking (device_look.c) ---- */
/* The agency that answers for a device: its holder's; 0 = Cục's, or on its way. */
an_code an_service_holder_agency(struct an_tx *tx, const struct an_device *device, struct an_arena *arena, int64_t *ret,
                                 struct an_err *reterr) AN_MUST_USE;
/* May he look at it? Its holder, whose it is, and who keeps the register there: told to the log.
 * AN_E_REGISTRY_PERSONAL. */
an_code an_service_device_look(const struct an_desk *desk, const char *number, struct an_err *reterr) AN_MUST_USE;

/* The PDF as it is now, appended; empty on paper. Who signs it and who keeps the register of a side may. */
an_code an_service_record_paper(const struct an_desk *desk, int64_t record, struct an_buf *ret,
                                struct an_err *reterr) AN_MUST_USE;
/* Of a device; NULL = those that wait for a signature, of them the ones he may see. */
an_code an_service_record_list(const struct an_desk *desk, const char *device, an_record_fn each, void *context,
                               struct an_err *reterr) AN_MUST_USE;

/* ---- records (device_record.c) ---- */
struct an_handover {
    /* "device.handover", "device.custody-change", "device.return", "device.report-lost" */
    const char *step;
    const char *const *devices;    /* numbers */
    size_t device_count;
    const char *to;                /* "CB000002", "agency:H53.6", "co-yeu:H53.9", "buu-chinh", "cuc" */
    const char *giver, *taker;     /* who signs for each side, by number; NULL = the person himself, or who acts */
    const char *way;               /* "truc-tiep" (NULL), "co-yeu", "buu-chinh" */
    const char *place, *reason;
    const char *permission;        /* written permission of the competent person: its number */
    const char *paper;             /* number of a record on paper; NULL = an electronic one is made */
};
/* ret_number: 32 bytes. AN_E_FORBIDDEN with its article when the regulation does not allow it. */
an_code an_service_record_draft(const struct an_desk *desk, const struct an_handover *handover, int64_t *ret_id,
                                char ret_number[static 32],
                                struct an_err *reterr) AN_MUST_USE;

/* ---- signing a record (device_sign.c) ---- */
struct an_record_key {
    const char *uri;               /* the signer's own token: pkcs11:…, or a PKCS#8 file */
    const char *cert;              /* file; NULL = the one on the token */
    struct an_pin_source pin;
    an_bytes image;                /* PNG of the hand signature; AN_NONE = nothing is drawn */
};
/* By the person who sits there, when it is his turn. AN_E_RECORD_SIGNER (not his to sign), AN_E_RECORD_CERT (the
 * certificate is not his). *ret_done: with this signature the record was carried out. */
an_code an_service_record_sign(const struct an_desk *desk, int64_t record, const struct an_record_key *key,
                               bool *ret_done,
                               struct an_err *reterr) AN_MUST_USE;
an_code an_service_record_void(const struct an_desk *desk, int64_t record, struct an_err *reterr) AN_MUST_USE;

/* ---- the tokens themselves (device_token.c) ---- */
/* A blank token: initialised, an SO PIN and a first user PIN by the rule of its model, both in DIR/pins (0600) for the
 * sealed letter, and entered into the register. uri: where the blank token is. */
an_code an_service_device_prepare(const struct an_desk *desk, const char *uri, const char *model, int64_t *ret_id,
                                  char ret_number[static 64],
                                  struct an_err *reterr) AN_MUST_USE;
/* Khôi phục, by whom the regulation names (NĐ 68/2024 Điều 22): new_pin is checked by the model's rule, the SO PIN is
 * the one in DIR/pins unless so_pin asks somebody. */
an_code an_service_device_restore(const struct an_desk *desk, const char *number, const struct an_secret *new_pin,
                                  struct an_pin_source so_pin,
                                  struct an_err *reterr) AN_MUST_USE;
/* Everything on a token that came back is destroyed; it is ready for the next holder. */
an_code an_service_device_wipe(const struct an_desk *desk, const char *number, struct an_pin_source so_pin,
                               struct an_err *reterr) AN_MUST_USE;
/* Where the token of a device is: its own URI; else in the module named ("pkcs11:?module-path=…" gets the device's number
 * as label), else in the instance's own SoftHSM store, DIR/devices. ret: the caller's. AN_E_TOKEN_MODULE. */
an_code an_service_token_uri(const struct an_instance *instance, const struct an_device *device, const char *module,
                             char **ret, struct an_err *reterr) AN_MUST_USE;
/* DIR/pins/so-NUMBER.pin; the caller's. */
char *an_service_so_pin_path(const struct an_instance *instance, const char *number) AN_MUST_USE;

/* The question an act on a device puts to the regulation that binds the agency, and what it answers (not allowed:
 * AN_E_FORBIDDEN). */
struct an_answer;
an_code an_service_device_explain(const struct an_desk *desk, const char *act, const struct an_device *device,
                                  const char *subject,
                                  const char *regulation, bool to_other, bool permitted, struct an_answer **ret,
                                  struct an_err *reterr) AN_MUST_USE;
