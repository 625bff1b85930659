/*
 * Mapped files that somebody shortens. Reading behind the new end raises SIGBUS, which ends a program unless it is
 * prepared: here the rest of the mapping is replaced by zeros, the fact is remembered, and whoever used the file asks
 * at the end whether it is still the one that was opened.
 */
#include "base/file.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Mappings at one time: a document a thread, and a few lists. One that finds no place is not guarded. */
#define GUARDED_MAX 256

static struct guarded {
    uintptr_t start; /* atomic; 0 = free */
    size_t len;
    bool is_cut;
} guarded[GUARDED_MAX];
static uintptr_t page_size;

/* Async-signal-safe: atomic loads, one system call. */
static void
on_bus_error(int number, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr;

    (void)context;
    for (size_t i = 0; i < GUARDED_MAX; i++) {
        uintptr_t start = __atomic_load_n(&guarded[i].start, __ATOMIC_ACQUIRE), page = at & ~(page_size - 1);

        if (start == 0 || at < start || at - start >= guarded[i].len)
            continue;
        if (mmap((void *)page, guarded[i].len - (page - start), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                 0) == MAP_FAILED)
            break;
        __atomic_store_n(&guarded[i].is_cut, true, __ATOMIC_RELEASE);
        return;
    }
    an_file_remove_temporaries();
    signal(number, SIG_DFL); /* the instruction is tried again, and ends the program */
}

void
an_file_guard(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

void
an_file_guard_add(const void *mapping, size_t len)
{
    for (size_t i = 0; i < GUARDED_MAX; i++) {
        uintptr_t none = 0;

        /* Claimed with an address that no fault has; the length stands before the true one is published. */
        if (!__atomic_compare_exchange_n(&guarded[i].start, &none, UINTPTR_MAX, false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_RELAXED))
            continue;
        guarded[i].len = len;
        __atomic_store_n(&guarded[i].is_cut, false, __ATOMIC_RELAXED);
        __atomic_store_n(&guarded[i].start, (uintptr_t)mapping, __ATOMIC_RELEASE);
        return;
    }
}

static struct guarded *
find_guarded(const void *mapping)
{
    for (size_t i = 0; mapping != NULL && i < GUARDED_MAX; i++)
        if (__atomic_load_n(&guarded[i].start, __ATOMIC_ACQUIRE) == (uintptr_t)mapping)
            return &guarded[i];
    return NULL;
}

void
an_file_guard_remove(const void *mapping)
{
    struct guarded *found = find_guarded(mapping);

    if (found != NULL)
        __atomic_store_n(&found->start, 0, __ATOMIC_RELEASE);
}

an_code
an_file_check_same(const struct an_file *file, struct an_err *reterr)
{
    const struct guarded *found = find_guarded(file->mapping);
    struct stat now;

    if (found != NULL && __atomic_load_n(&found->is_cut, __ATOMIC_ACQUIRE))
        AN_FAIL(reterr, AN_E_FILE_CHANGED, "%zu byte", file->bytes.len);
    if (file->fd < 0 || file->written.tv_sec == 0 || fstat(file->fd, &now) != 0)
        return AN_OK; /* not opened by an_file_open */
    if ((uint64_t)now.st_size != file->bytes.len || now.st_mtim.tv_sec != file->written.tv_sec ||
        now.st_mtim.tv_nsec != file->written.tv_nsec)
        AN_FAIL(reterr, AN_E_FILE_CHANGED, "%zu -> %llu byte", file->bytes.len, (unsigned long long)now.st_size);
    return AN_OK;
}
