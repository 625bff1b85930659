/* Folding the log of SQLite's writer, see sqlite_fold.c. */
#pragma once

#include "store/internal.h"

struct fold;
struct sqlite3;
/* Of the writer's connection, for as long as it is open. */
struct fold *fold_start(struct sqlite3 *db, const char *path);
void fold_stop(struct fold **fold); /* before its connection is closed */
