/*
 * Who sits at the desk: a person of the register, in a role he holds at that moment. Everything a person does is asked
 * of the regulation in that role and goes into the audit log under that number.
 */
#pragma once

#include "registry/registry.h"
#include "service/instance/instance.h"
#include "verify/verify.h"

struct an_desk {
    struct an_instance *instance;
    int64_t person, agency; /* the agency for which the role is held */
    char number[32], name[200], role[40], agency_code[AN_AGENCY_CODE_MAX + 1];
    an_time at;
};
/* as: "CB000001/qltt"; the role may be left out when the person has one alone. at AN_TIME_NONE = now. AN_E_DESK_PERSON
 * (unknown, or no longer in office), AN_E_DESK_ROLE (not held, or several: the detail names them). */
an_code an_desk_open(struct an_instance *instance, const char *as, an_time at, struct an_desk *ret,
                     struct an_err *reterr) AN_MUST_USE;

/* What signatures are checked against here: the roots and intermediates of this instance, and its revocation lists as
 * published. */
struct an_desk_trust {
    struct an_certs anchors, untrusted;
    struct an_crls crls;
};
an_code an_desk_trust_load(const struct an_instance *instance, struct an_desk_trust *ret,
                           struct an_err *reterr) AN_MUST_USE;
void an_desk_trust_done(struct an_desk_trust *trust); /* also for AN_CLEANUP */

/*
 * A certificate as the store knows it, which is newer than any list. It counts as ours only when the register holds
 * this very one, octet by octet: a serial number alone proves nothing, anybody can write one into a certificate of his
 * own.
 */
struct an_desk_cert {
    bool is_ours, is_good;  /* good: ours, and neither revoked, held nor expired by the store */
    int64_t subscriber, person; /* whose it is; 0 = nobody's (an agency's is no person's), or not ours */
};
an_code an_desk_cert_look(struct an_tx *tx, const struct an_cert *cert, struct an_desk_cert *ret,
                          struct an_err *reterr) AN_MUST_USE;
/* The serial number as the register and the commands write it: lower-case hexadecimal. */
char *an_desk_serial(const struct an_cert *cert) AN_MUST_USE;
