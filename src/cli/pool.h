/* Many files, several threads, answers in order, progress on the terminal. */
#pragma once

#include "cli/cli.h"

/* One item; what it prints to out appears in the order of the items. */
typedef void (*pool_fn)(void *context, size_t index, FILE *out);
/* unit: how many files one item stands for, for the progress line. threads 0 = one for each processor. Shows progress
 * (count, rate, time left) on stderr when it is a terminal and there are many. */
void pool_run(size_t count, size_t unit, long threads, FILE *out, pool_fn each, void *context);
/* Set by SIGINT and SIGTERM once pool_run has been called: no new item is begun. */
bool pool_interrupted(void);

/* Folders among the names become their files, sorted; the result is owned. */
void pool_expand(char **names, int count, char ***ret, size_t *ret_count);
void pool_expand_done(char **names, size_t count);
