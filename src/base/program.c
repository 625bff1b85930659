#include "base/program.h"

#include "base/mem.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static char own[PATH_MAX]; /* the folder of our executable; "" when it cannot be known (no /proc) */
static bool in_build;
static char *data;
static pthread_once_t looked = PTHREAD_ONCE_INIT;

size_t
an_cores(void)
{
    cpu_set_t set;
    long online;

    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return (size_t)CPU_COUNT(&set);
    online = sysconf(_SC_NPROCESSORS_ONLN); /* more than a set can name */
    return online > 0 ? (size_t)online : 1;
}

static bool
is_readable(const char *path)
{
    return access(path, R_OK) == 0;
}

/* Relative to the program first: an installation may be moved as a whole. */
static char *
find_data(void)
{
    static const char *const beside[] = {"../share/antin", "../../share/antin"}; /* from bin/, from libexec/antin/ */

    if (in_build)
        return an_strdup(AN_SOURCE_DIR);
    for (size_t i = 0; own[0] != '\0' && i < AN_COUNT(beside); i++) {
        char *path = an_asprintf("%s/%s", own, beside[i]);
        if (is_readable(path))
            return path;
        free(path);
    }
    return an_strdup(AN_DATA_DIR);
}

static void
look_around(void)
{
    const size_t build_len = strlen(AN_BUILD_DIR);
    ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
    char *slash;

    own[len > 0 ? len : 0] = '\0';
    slash = strrchr(own, '/');
    if (slash != NULL)
        *slash = '\0';
    in_build = strncmp(own, AN_BUILD_DIR, build_len) == 0 && (own[build_len] == '\0' || own[build_len] == '/');
    data = find_data();
}

const char *
an_program_data(void)
{
    pthread_once(&looked, look_around);
    return data;
}

char *
an_program_find(const char *name)
{
    const char *folders[] = {own, AN_BUILD_DIR, AN_LIBEXEC_DIR};
    AN_CLEANUP(an_free_ptr) char *moved = NULL;

    pthread_once(&looked, look_around);
    if (strchr(name, '/') != NULL)
        return NULL;
    moved = an_asprintf("%s/../libexec/antin", own);
    if (!in_build) /* else: tests stand in folders below the programs */
        folders[1] = moved;
    for (size_t i = own[0] == '\0' ? 2 : 0; i < AN_COUNT(folders); i++) {
        char *path = an_asprintf("%s/%s", folders[i], name);
        if (is_readable(path))
            return path;
        free(path);
    }
    return NULL;
}
