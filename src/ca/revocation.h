/*
 * What becomes of certificates: one append-ordered table carries revocation lists and status answers. Whoever changes a
 * certificate's status records it here in the same transaction, and announces it after the commit.
 */
#pragma once

#include "store/store.h"
#include "x509/status.h"

enum an_status_kind { AN_STATUS_REVOKE = 0, AN_STATUS_HOLD, AN_STATUS_RELEASE };
struct an_status_change {
    int64_t authority;
    int64_t partition;       /* of the certificate; 0 = none */
    an_bytes serial;         /* INTEGER content */
    enum an_status_kind kind;
    enum an_crl_reason reason; /* of a revocation; a hold and a release bring their own */
    an_time at;
    an_time invalidity_date; /* AN_TIME_NONE = not said */
};
/* AN_E_CA_STATUS when the change does not follow from what stands there: only what is held is released, what is revoked
 * stays so. */
an_code an_revocation_record(struct an_tx *tx, const struct an_status_change *change,
                             struct an_err *reterr) AN_MUST_USE;

/*
 * A counter in DIR/run/status, mapped by every process that answers: it looks at the table before its next answer when
 * the number has moved. Failing to announce delays (they look every second anyway), it loses nothing.
 */
void an_status_announce(const char *instance_dir);
struct an_status_watch;
an_code an_status_watch_open(const char *instance_dir, struct an_status_watch **ret, struct an_err *reterr) AN_MUST_USE;
uint64_t an_status_watch_count(const struct an_status_watch *watch); /* one load from memory */
void an_status_watch_close(struct an_status_watch **watch);
