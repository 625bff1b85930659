/*
 * What appending in place can leave when the power fails or the process is killed: a tail behind the last whole
 * revision. Before the first byte is appended the old length and the digest of the file's end are written beside it and
 * synced; they go when the signature is whole on disk. The next run that signs the file in place cuts it back by them
 * (docs/decisions/005).
 */
#include "sign/internal.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define JOURNAL_BYTES_MAX 4096
#define END_BYTES ((size_t)64 * 1024) /* of the end that must be as it was: trailer and cross-references */

static char *
journal_of(const char *path)
{
    return an_asprintf("%s" AN_SIGN_JOURNAL, path);
}

/* SHA-256 of the last bytes before size, in hexadecimal; NULL when they cannot be read. */
static char *
digest_end(int fd, uint64_t size)
{
    size_t len = size < END_BYTES ? (size_t)size : END_BYTES;
    struct an_range range = {size - len, len};
    uint8_t digest[AN_DIGEST_MAX];
    struct an_buf hex = an_buf_new(128);

    if (an_hash_file_ranges(AN_SHA256, fd, &range, 1, digest, NULL) != AN_OK)
        return NULL;
    an_buf_hex(&hex, AN_BYTES(digest, 32));
    return an_buf_take_str(&hex);
}

an_code
sign_journal_begin(const char *path, int fd, uint64_t size, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *name = journal_of(path);
    AN_CLEANUP(an_free_ptr) char *end = digest_end(fd, size);
    AN_CLEANUP(an_free_ptr) char *text = NULL;

    if (end == NULL)
        return an_err_set_errno(reterr, AN_E_FILE_READ, errno, "%s", path);
    text = an_asprintf("%llu %s\n", (unsigned long long)size, end);
    return an_file_write(name, an_bytes_of_str(text), 0600, reterr);
}

void
sign_journal_end(const char *path)
{
    AN_CLEANUP(an_free_ptr) char *name = journal_of(path);

    (void)unlink(name);
}

/* "size digest"; false when it was cut short itself: then nothing was appended yet. */
static bool
read_journal(const char *name, uint64_t *ret_size, char **ret_end)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(JOURNAL_BYTES_MAX);
    const char *end;
    char *after;

    if (an_file_read(name, JOURNAL_BYTES_MAX, &text, NULL) != AN_OK)
        return false;
    an_buf_byte(&text, '\0');
    end = (const char *)text.ptr;
    *ret_size = strtoull(end, &after, 10);
    if (after == end || *after != ' ' || strlen(after + 1) != 65 || after[65] != '\n')
        return false;
    *ret_end = an_strdup_bytes(AN_BYTES(after + 1, 64));
    return *ret_size > 0;
}

an_code
sign_journal_recover(const char *path, bool *ret_recovered, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *name = journal_of(path);
    AN_CLEANUP(an_free_ptr) char *wanted = NULL;
    AN_CLEANUP(an_free_ptr) char *found = NULL;
    uint64_t size = 0;
    off_t now;
    int fd;

    *ret_recovered = false;
    if (access(name, F_OK) != 0)
        return AN_OK;
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return an_err_set_errno(reterr, AN_E_FILE_OPEN, errno, "%s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) { /* another run is at it, and alive */
        close(fd);
        return AN_OK;
    }
    now = lseek(fd, 0, SEEK_END);
    /* Another file of the same name, or one that somebody has changed since: not ours to cut. */
    if (read_journal(name, &size, &wanted) && now > 0 && (uint64_t)now >= size &&
        (found = digest_end(fd, size)) != NULL && strcmp(found, wanted) == 0 &&
        ((uint64_t)now == size || ftruncate(fd, (off_t)size) == 0) && fdatasync(fd) == 0)
        *ret_recovered = (uint64_t)now > size;
    close(fd);
    (void)unlink(name);
    return AN_OK;
}
