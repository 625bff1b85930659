/* What the functions of `antin ca …` share: the instance opened, who acts, what the act rests on. */
#pragma once

#include "office/actor.h"
#include "office/ca_cmd.h"
#include "service/certification/certification.h"

struct ca_office {
    struct an_instance *instance;
    struct an_certification *certification; /* NULL until ca_office_open */
    struct an_actor actor;
    struct office_actor who; /* what actor points into */
    char request_key[129];
    struct an_reliance relied, *reliance; /* NULL = nothing */
    struct an_arena *arena;
};
/* role: when --as names none. */
an_code ca_office_open(struct ca_office *ret, const struct ca_args *args, const char *role,
                       struct an_err *reterr) AN_MUST_USE;
/* The same without keys: for looking. */
an_code ca_office_look(struct ca_office *ret, const struct ca_args *args, const char *role,
                       struct an_err *reterr) AN_MUST_USE;
/* The matter that is relied on must be about this very act on this very object ("certificate:SERIAL" of a serial
 * number). facts: what was decided, of which the matter holds the hash; AN_NONE when act and object say all of it. */
an_code ca_rely(struct ca_office *office, const char *act, const char *object, an_bytes facts,
                struct an_err *reterr) AN_MUST_USE;
an_code ca_rely_serial(struct ca_office *office, const char *act, const char *serial,
                       struct an_err *reterr) AN_MUST_USE;
void ca_office_close(struct ca_office *office);

struct an_pin_source ca_pin(const struct ca_args *args);
an_code ca_moment(const char *text, const char *option, an_time *ret, struct an_err *reterr) AN_MUST_USE;
an_code ca_read_cert(const char *path, struct an_cert **ret, struct an_err *reterr) AN_MUST_USE;
