/*
 * Where our own files are. A program run from its build folder uses that folder and the source tree; an installed one
 * uses only what was installed with it, never a folder that happens to lie where it was once built.
 */
#pragma once

#include "base/bytes.h"

/* A helper program or module of ours, by its plain name; NULL when it is nowhere. The caller frees. */
char *an_program_find(const char *name) AN_MUST_USE;
/* Processors that this process may use: all of the machine, or those that it was given. At least 1. */
size_t an_cores(void);
/* The folder that holds regulations/, policies/ and samples/. Never NULL; need not exist. */
const char *an_program_data(void);
