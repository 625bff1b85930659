/*
 * Makes one call fail: loaded with LD_PRELOAD, told by FAULT_CALL=name and FAULT_AT=n which one. FAULT_COUNT=file gets the
 * number of calls that were seen, so that the driver knows how far to go.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *wanted;
static unsigned long fail_at, seen;
static int ready;

__attribute__((constructor)) static void
start(void)
{
    const char *at = getenv("FAULT_AT");

    wanted = getenv("FAULT_CALL");
    fail_at = at ? strtoul(at, NULL, 10) : 0;
    ready = wanted != NULL;
}

__attribute__((destructor)) static void
finish(void)
{
    const char *path = getenv("FAULT_COUNT");
    FILE *out;

    ready = 0;
    out = path ? fopen(path, "w") : NULL;
    if (out != NULL) {
        fprintf(out, "%lu\n", seen);
        fclose(out);
    }
}

/* True when this call of that name is the one to fail. */
static int
fails(const char *name)
{
    if (!ready || strcmp(wanted, name) != 0)
        return 0;
    return __atomic_add_fetch(&seen, 1, __ATOMIC_RELAXED) == fail_at;
}

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);

void *
malloc(size_t size)
{
    if (fails("malloc")) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
    if (fails("calloc")) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
    if (fails("realloc")) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(old, size);
}

#define NEXT(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))
#define FAULT(type, name, errnum, failure, parameters, arguments, ...)                                                 \
    type name parameters;                                                                                              \
    type name parameters                                                                                               \
    {                                                                                                                  \
        static type(*real)(__VA_ARGS__);                                                                               \
        if (real == NULL)                                                                                              \
            real = NEXT(type, name, __VA_ARGS__);                                                                      \
        if (fails(#name)) {                                                                                            \
            errno = (errnum);                                                                                          \
            return (failure);                                                                                          \
        }                                                                                                              \
        return real arguments;                                                                                         \
    }

FAULT(ssize_t, write, ENOSPC, -1, (int fd, const void *p, size_t n), (fd, p, n), int, const void *, size_t)
FAULT(ssize_t, pwrite64, ENOSPC, -1, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at), int, const void *, size_t, off64_t)
FAULT(ssize_t, pread64, EIO, -1, (int fd, void *p, size_t n, off64_t at), (fd, p, n, at), int, void *, size_t, off64_t)
FAULT(ssize_t, read, EIO, -1, (int fd, void *p, size_t n), (fd, p, n), int, void *, size_t)
FAULT(int, fdatasync, EIO, -1, (int fd), (fd), int)
FAULT(int, syncfs, EIO, -1, (int fd), (fd), int)
FAULT(int, rename, EACCES, -1, (const char *a, const char *b), (a, b), const char *, const char *)
FAULT(int, flock, ENOLCK, -1, (int fd, int operation), (fd, operation), int, int)
FAULT(void *, mmap64, ENOMEM, MAP_FAILED, (void *a, size_t n, int p, int f, int fd, off64_t o), (a, n, p, f, fd, o), void *, size_t, int, int, int, off64_t)
FAULT(int, EVP_PKEY_sign, 0, 0, (void *c, unsigned char *s, size_t *n, const unsigned char *t, size_t m), (c, s, n, t, m), void *, unsigned char *, size_t *, const unsigned char *, size_t)
FAULT(int, EVP_DigestInit_ex, 0, 0, (void *c, const void *t, void *e), (c, t, e), void *, const void *, void *)
FAULT(int, EVP_DigestUpdate, 0, 0, (void *c, const void *p, size_t n), (c, p, n), void *, const void *, size_t)
FAULT(int, EVP_DigestFinal_ex, 0, 0, (void *c, unsigned char *o, unsigned *n), (c, o, n), void *, unsigned char *, unsigned *)
FAULT(int, RAND_bytes, 0, 0, (unsigned char *o, int n), (o, n), unsigned char *, int)
