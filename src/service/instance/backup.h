/*
 * Backup of an instance while it works, to a folder: the store in one snapshot, configuration, published and kept
 * files, and manifest.json with the digest of each. A backup is good only once it was restored somewhere:
 * an_backup_make does that before it says so. Private keys stay where they are; a SoftHSM2 token, whose objects are
 * encrypted under its PIN, may be taken along, PIN files never.
 */
#pragma once

#include "service/instance/instance.h"

struct an_backup_report {
    int64_t events;          /* of the audit log, verified again in the restored copy */
    uint8_t root[32];
    size_t files;
    uint64_t bytes;
};
/* out: a folder that does not exist yet; it appears whole or not at all. AN_E_BACKUP_CHECK: the copy does not hold what
 * it should (also: what is copied is damaged already). */
an_code an_backup_make(struct an_instance *instance, const char *out, bool with_tokens, struct an_backup_report *ret,
                       struct an_err *reterr) AN_MUST_USE;
/* dir: a folder that does not exist or is empty. database: NULL = as the backup has it (a PostgreSQL database must be
 * empty). */
an_code an_backup_restore(const char *backup, const char *dir, const char *database, struct an_backup_report *ret,
                          struct an_err *reterr) AN_MUST_USE;
