/* What the tests of this room share: the shipped data, opened once. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regulation/policy.h"

static struct an_regulations *regs __attribute__((unused));

static inline int
open_all(void **state)
{
    (void)state;
    return an_regulations_open(AN_SOURCE_DIR, &regs, NULL) != AN_OK;
}

static inline int
close_all(void **state)
{
    (void)state;
    an_regulations_close(&regs);
    return 0;
}
