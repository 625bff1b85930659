/* Who acts at the certification services: --as WHO[/ROLE]. At registers and requests the same option names a person of
 * the register. */
#pragma once

#include "service/certification/certify.h"

struct office_actor { char id[80], role[48]; };
/* as NULL = the user of the machine, since no other login stands between him and the store; "system" while setting up.
 * usual_role: when none is named. What is returned points into ret. AN_E_CLI_VALUE when a name is too long. */
an_code office_actor_of(const char *as, const char *usual_role, struct office_actor *ret, struct an_actor *ret_actor,
                        struct an_err *reterr) AN_MUST_USE;
