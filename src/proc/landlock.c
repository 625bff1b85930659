/* Landlock through its system calls: which folders a process may still reach. Linux 5.13 and later. */
#include "proc/internal.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Rights and network control that came after the headers of Debian 12; the kernel tells which it knows. */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */

#define RIGHTS_OF_ABI_1 (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1)
#define RIGHTS_TO_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_TO_WRITE                                                                                                \
    (RIGHTS_TO_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |   \
     LANDLOCK_ACCESS_FS_MAKE_DIR | RIGHT_TRUNCATE)
#define RIGHTS_OF_A_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE)

static uint64_t
rights_of_abi(long abi)
{
    uint64_t rights = RIGHTS_OF_ABI_1;

    if (abi >= 2)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        rights |= RIGHT_TRUNCATE;
    if (abi >= 5)
        rights |= RIGHT_IOCTL_DEV;
    return rights;
}

static bool
allow_path(int ruleset, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    struct stat st;
    bool done;

    if (rule.parent_fd < 0)
        return true; /* a folder that this system does not have gives nothing to allow */
    if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.allowed_access &= RIGHTS_OF_A_FILE;
    done = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(rule.parent_fd);
    return done;
}

bool
an_landlock_enter(const struct an_sandbox *what)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct landlock_ruleset_attr attributes = {.handled_access_fs = rights_of_abi(abi)};
    int ruleset;
    bool done = true;

    if (abi < 1)
        return false;
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
    if (ruleset < 0)
        return false;
    for (size_t i = 0; i < what->read_count; i++)
        done = allow_path(ruleset, what->read_paths[i], RIGHTS_TO_READ & attributes.handled_access_fs) && done;
    for (size_t i = 0; i < what->write_count; i++)
        done = allow_path(ruleset, what->write_paths[i], RIGHTS_TO_WRITE & attributes.handled_access_fs) && done;
    done = done && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    return done;
}
