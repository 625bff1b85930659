/* The writer's connection writes SQLite's log in large pieces. */
#pragma once

/* The name of the VFS for sqlite3_open_v2, for a connection that syncs each commit (synchronous=FULL): only then is all
 * that others may read written before they are told of it. NULL: there is none, SQLite's own does as well. */
const char *log_vfs(void);
struct sqlite3;
/* When no transaction is open: what one that was undone has left is not written any more, since by now the place may be
 * another process's. Before each transaction, and before the connection is closed. */
void log_forget(struct sqlite3 *db);
