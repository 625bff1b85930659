/*
 * Files: read by mapping, written under a temporary name, synced, then renamed, so that a reader sees the old file
 * or the new one and never a part. Temporary files are removed on every way out that can be caught.
 */
#pragma once

#include "base/err.h"

#include <time.h>

/* A whole file, mapped read-only. A view into it is valid until an_file_close. */
struct an_file {
    an_bytes bytes;
    int fd; /* stays open, for streaming reads that must not grow the resident set */
    void *mapping; /* of a long file; NULL when it was read */
    uint8_t *room; /* of a short one */
    struct timespec written; /* when it was last written, as it was opened */
};

/* Opens a regular file. Errors: AN_E_FILE_OPEN (missing, unreadable), AN_E_FILE_KIND (a directory, a device),
 * AN_E_FILE_EMPTY, AN_E_LIMIT when larger than bytes_max (0 = unlimited). */
an_code an_file_open(const char *path, uint64_t bytes_max, struct an_file *ret, struct an_err *reterr) AN_MUST_USE;
/* Is it still the file that was opened? AN_E_FILE_CHANGED when it was shortened or written since: what was read is
 * neither the old content nor the new. To be asked before anything is concluded from a file of other people. */
an_code an_file_check_same(const struct an_file *file, struct an_err *reterr) AN_MUST_USE;
/* From now on a mapped file that somebody shortens reads as zeros behind its new end, where it would end the program
 * (SIGBUS); an_file_check_same tells. Once, at the start of a program. */
void an_file_guard(void);
void an_file_guard_add(const void *mapping, size_t len); /* for an_file_open, an_file_close */
void an_file_guard_remove(const void *mapping);
void an_file_close(struct an_file *file); /* also for AN_CLEANUP on a zeroed struct with fd = -1 or from open */
#define AN_FILE_NONE ((struct an_file){.fd = -1})

/* A small file as memory of its own, for things that change under us or come from a pipe ("-" is standard input). */
struct an_buf;
an_code an_file_read(const char *path, size_t bytes_max, struct an_buf *ret, struct an_err *reterr) AN_MUST_USE;

/* One file being written. */
struct an_output {
    int fd;
    char *path, *temporary;
};

an_code an_output_open(const char *path, struct an_output *ret, struct an_err *reterr) AN_MUST_USE;
an_code an_output_write(struct an_output *out, an_bytes bytes, struct an_err *reterr) AN_MUST_USE;
/* Syncs, renames over the final name, syncs the folder. After success the file is there for good. */
an_code an_output_commit(struct an_output *out, struct an_err *reterr) AN_MUST_USE;
/* The same for several outputs with one sync of their file system: for batches. All or, on failure, none renamed. */
an_code an_output_commit_group(struct an_output *const *outs, size_t count, struct an_err *reterr) AN_MUST_USE;
void an_output_discard(struct an_output *out); /* nothing remains; harmless after commit; for AN_CLEANUP */
#define AN_OUTPUT_NONE ((struct an_output){.fd = -1})

/* The three steps in one, for small content. mode: permission bits, e.g. 0644, 0600 for keys. */
an_code an_file_write(const char *path, an_bytes content, unsigned mode, struct an_err *reterr) AN_MUST_USE;
/* Creates a folder and its parents (0700 for new ones when is_private). */
an_code an_dir_make(const char *path, bool is_private, struct an_err *reterr) AN_MUST_USE;

/* Called by signal handlers and by an_die_*: async-signal-safe. */
void an_file_remove_temporaries(void);
