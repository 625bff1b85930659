/*
 * Somebody else shortens or rewrites a file while a program reads it: loaded with LD_PRELOAD. At the CUT_AT-th call of
 * CUT_CALL after the program has opened CUT_FILE, that file gets CUT_SIZE bytes; with CUT_SIZE=same its last byte is
 * written anew in place of that.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static unsigned long seen;
static int is_open;

static void
rewrite_end(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat st;
    char last;

    /* The clock of the file system moves in steps of some milliseconds: the writing must not fall into the same one. */
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    if (fstat(fd, &st) == 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && pwrite(fd, &last, 1, st.st_size - 1) == 1)
        fsync(fd);
    close(fd);
}

static void
note_call(const char *name)
{
    const char *wanted = getenv("CUT_CALL"), *at = getenv("CUT_AT"), *size = getenv("CUT_SIZE");

    if (!__atomic_load_n(&is_open, __ATOMIC_ACQUIRE) || wanted == NULL || at == NULL || size == NULL || strcmp(wanted, name) != 0 ||
        __atomic_add_fetch(&seen, 1, __ATOMIC_RELAXED) != strtoul(at, NULL, 10))
        return;
    if (strcmp(size, "same") == 0)
        rewrite_end(getenv("CUT_FILE"));
    else if (truncate(getenv("CUT_FILE"), strtol(size, NULL, 10)) != 0)
        abort();
}

#define WATCH(type, name, parameters, arguments, ...)                                                                  \
    type name parameters;                                                                                              \
    type name parameters                                                                                               \
    {                                                                                                                  \
        type (*real)(__VA_ARGS__) = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name);                                     \
        note_call(#name);                                                                                              \
        return real arguments;                                                                                         \
    }

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...);                                                                        \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);                \
        const char *victim = getenv("CUT_FILE");                                                                       \
        va_list more;                                                                                                  \
        int mode, fd;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode = flags & O_CREAT ? va_arg(more, int) : 0;                                                                \
        va_end(more);                                                                                                  \
        fd = real(path, flags, mode);                                                                                  \
        if (fd >= 0 && victim != NULL && strcmp(path, victim) == 0)                                                    \
            __atomic_store_n(&is_open, 1, __ATOMIC_RELEASE);                                                           \
        return fd;                                                                                                     \
    }

OPEN(open)
WATCH(int, madvise, (void *p, size_t n, int advice), (p, n, advice), void *, size_t, int)
WATCH(ssize_t, pread64, (int fd, void *p, size_t n, off64_t at), (fd, p, n, at), int, void *, size_t, off64_t)
WATCH(int, EVP_DigestUpdate, (void *c, const void *p, size_t n), (c, p, n), void *, const void *, size_t)
WATCH(int, EVP_PKEY_verify, (void *c, const unsigned char *s, size_t n, const unsigned char *t, size_t m), (c, s, n, t, m), void *,
      const unsigned char *, size_t, const unsigned char *, size_t)
WATCH(int, EVP_PKEY_sign, (void *c, unsigned char *s, size_t *n, const unsigned char *t, size_t m), (c, s, n, t, m), void *, unsigned char *,
      size_t *, const unsigned char *, size_t)
