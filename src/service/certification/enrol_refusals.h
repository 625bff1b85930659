/*
 * What enrolment refused, told to the audit log in a measured way: of each party the first few in an hour one by one,
 * the rest as one event with their number. So an attempt is always seen, and nobody, by replaying what he overheard or
 * by guessing, can make the log grow faster than a few rows an hour.
 */
#pragma once

#include "enrol/enrol.h"
#include "store/store.h"

struct an_refusals;
struct an_refusals *an_refusals_new(void);
void an_refusals_free(struct an_refusals **refusals);
/* Thread-safe. is_claimed: the party's name is only what a stranger says. What cannot be written now is counted and
 * told later. */
void an_refusals_note(struct an_refusals *refusals, struct an_store *store, const struct an_enrol_party *party,
                      const char *protocol,
                      const struct an_err *err, an_time now);
/* Tells what was only counted in hours that are over; all of it when is_last. */
void an_refusals_tell(struct an_refusals *refusals, struct an_store *store, an_time now, bool is_last);
/* "certificate:SERIAL", "enrolment:REFERENCE", or the peer's address of a stranger. */
void an_enrol_party_name(const struct an_enrol_party *party, char *ret, size_t size);
