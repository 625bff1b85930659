/* What the files of proc/ share. */
#pragma once

#include "proc/frame.h"

/* Landlock, where the kernel has it: true when the calling process is confined. */
bool an_landlock_enter(const struct an_sandbox *what);
