/*
 * Mergers of agencies and transfers of people: everything that goes with them in one commit, told line by line before
 * (dry run) and after, and undone as a whole when people erred. A merged agency's code is closed with its successor (QĐ
 * 09/2025 Điều 2); its certificates are to be revoked (NĐ 68/2024 Điều 17), those of its people to be changed (Điều
 * 15): both are listed.
 */
#pragma once

#include "registry/registry.h"

struct an_reorganisation {
    const int64_t *from; /* merge: the agencies that go */
    size_t from_count;
    int64_t person;      /* transfer: who goes */
    int64_t into;        /* the successor; the new agency */
    an_time effective;
    const char *document;
    const char *title;   /* transfer: the new post; NULL = none */
    const char *actor;
    bool dry_run;
};
/* One line of what happens. */
struct an_reorganisation_line {
    /* "agency", "unit" (a subordinate), "person", "post", "role", "subscriber", "subscriber-ended", "revoke", "change",
     * "device" */
    const char *kind;
    const char *what;   /* number, code or serial */
    const char *name;
};
typedef an_code (*an_reorganisation_fn)(void *context, const struct an_reorganisation_line *line,
                                        struct an_err *reterr);
/* *ret_id 0 after a dry run. AN_E_AGENCY_CLOSED, AN_E_REORGANISATION (into itself, or below one that goes). */
an_code an_agency_merge(struct an_tx *tx, const struct an_reorganisation *plan, an_reorganisation_fn each,
                        void *context, int64_t *ret_id,
                        struct an_err *reterr) AN_MUST_USE;
an_code an_person_transfer(struct an_tx *tx, const struct an_reorganisation *plan, an_reorganisation_fn each,
                           void *context, int64_t *ret_id,
                           struct an_err *reterr) AN_MUST_USE;
/* Puts back every row as it was; AN_E_REORGANISATION when it was undone, or something was changed since that stands
 * against it. */
an_code an_reorganisation_undo(struct an_tx *tx, int64_t id, const char *actor, an_time at,
                               struct an_err *reterr) AN_MUST_USE;
/* The subscribers that moved with it or ended. */
typedef an_code (*an_moved_fn)(void *context, int64_t subscriber, struct an_err *reterr);
an_code an_reorganisation_subscribers(struct an_tx *tx, int64_t id, an_moved_fn each, void *context,
                                      struct an_err *reterr) AN_MUST_USE;
/* "merge" or "transfer", and the agency into which. */
an_code an_reorganisation_find(struct an_tx *tx, int64_t id, struct an_arena *arena, const char **ret_kind,
                               int64_t *ret_agency, bool *ret_undone,
                               struct an_err *reterr) AN_MUST_USE;
