/*
 * SoftHSM2 rewrites the files of its tokens in place: token.object at every login, an object when one of its attributes
 * changes. Whoever is killed in that moment leaves an empty file, and the token with all its keys is gone. So a synced
 * copy of each whole file stands beside it (NAME.kept, which SoftHSM2 does not read), and what is no longer whole is
 * written anew from it before the module looks. Both take the module's own lock on the file.
 */
#include "token/internal.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OBJECT ".object"
#define KEPT ".kept"
#define KINDS 5
#define FILE_BYTES_MAX ((size_t)1 << 20) /* one object; a certificate is the largest */
#define GENERATION 8 /* bytes at the beginning that count the writings; a login changes nothing else */

/* ---- what a whole file is ---- */
static bool
take_number(an_bytes *in, uint64_t *ret)
{
    if (in->len < 8)
        return false;
    *ret = 0;
    for (size_t i = 0; i < 8; i++)
        *ret = *ret << 8 | in->ptr[i];
    *in = AN_BYTES(in->ptr + 8, in->len - 8);
    return true;
}

/* Attributes of a file: type, kind, value, each number of 8 bytes; 0 when it is not whole. A boolean has 1 byte, a
 * number 8, bytes and attribute lists tell their length, a list of mechanisms how many numbers follow. */
static size_t
count_attributes(an_bytes in)
{
    size_t count = 0;
    uint64_t skipped;

    if (!take_number(&in, &skipped))
        return 0;
    for (; in.len > 0; count++) {
        uint64_t type, kind, len = 0;
        if (!take_number(&in, &type) || !take_number(&in, &kind) || kind < 1 || kind > KINDS)
            return 0;
        if (kind >= 3 && (!take_number(&in, &len) || len > FILE_BYTES_MAX))
            return 0;
        len = kind == 1 ? 1 : kind == 2 ? 8 : kind == 5 ? len * 8 : len;
        if (len > in.len)
            return 0;
        in = AN_BYTES(in.ptr + len, in.len - (size_t)len);
    }
    return count;
}

/* ---- one file ---- */
static bool
lock_and_read(const char *path, bool is_write, int *ret_fd, struct an_buf *ret)
{
    struct flock lock = {.l_type = is_write ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
    int fd = open(path, (is_write ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC);
    uint8_t block[4096];
    ssize_t got = 0;

    *ret_fd = fd;
    if (fd < 0 || fcntl(fd, F_SETLKW, &lock) != 0)
        return false;
    while ((got = read(fd, block, sizeof(block))) > 0)
        an_buf_append(ret, AN_BYTES(block, (size_t)got));
    return got == 0 && an_buf_ok(ret);
}

static void
close_file(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* In place, since others may be waiting for their lock on this very file. A kill in between is mended by the next
 * one. */
static bool
write_anew(int fd, an_bytes bytes)
{
    size_t done = 0;

    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
        return false;
    while (done < bytes.len) {
        ssize_t put = write(fd, bytes.ptr + done, bytes.len - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        done += (size_t)put;
    }
    return fsync(fd) == 0;
}

static void
read_kept(const char *path, struct an_buf *ret)
{
    AN_CLEANUP(an_free_ptr) char *kept = an_asprintf("%s" KEPT, path);

    if (access(kept, R_OK) != 0 || an_file_read(kept, FILE_BYTES_MAX, ret, NULL) != AN_OK)
        an_buf_reset(ret);
}

static an_code
mend_file(const char *path, size_t *count, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf now = an_buf_new(FILE_BYTES_MAX), kept = an_buf_new(FILE_BYTES_MAX);
    AN_CLEANUP(close_file) int fd = -1;
    bool is_read = lock_and_read(path, true, &fd, &now);
    size_t wanted;

    read_kept(path, &kept);
    wanted = count_attributes(an_buf_view(&kept));
    /* attributes are added, never taken away */
    if (fd < 0 || wanted == 0 || (is_read && count_attributes(an_buf_view(&now)) >= wanted))
        return AN_OK;
    if (!write_anew(fd, an_buf_view(&kept)))
        AN_FAIL(reterr, AN_E_FILE_WRITE, "%s: %s", path, strerror(errno));
    (*count)++;
    return AN_OK;
}

static an_code
keep_file(const char *path, size_t *count, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf now = an_buf_new(FILE_BYTES_MAX), kept = an_buf_new(FILE_BYTES_MAX);
    AN_CLEANUP(an_free_ptr) char *name = an_asprintf("%s" KEPT, path);
    AN_CLEANUP(close_file) int fd = -1;
    an_bytes a, b;

    if (!lock_and_read(path, false, &fd, &now))
        return AN_OK;
    read_kept(path, &kept);
    a = an_buf_view(&now);
    b = an_buf_view(&kept);
    if (count_attributes(a) == 0 || count_attributes(a) < count_attributes(b))
        return AN_OK;
    if (a.len == b.len && memcmp(a.ptr + GENERATION, b.ptr + GENERATION, a.len - GENERATION) == 0)
        return AN_OK;
    (*count)++;
    return an_file_write(name, a, 0600, reterr);
}

/* A key that was destroyed leaves no copy. */
static an_code
forget_file(const char *path, size_t *count, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *object = an_strdup(path);

    object[strlen(path) - strlen(KEPT)] = '\0';
    if (access(object, F_OK) == 0 || errno != ENOENT || unlink(path) == 0)
        return AN_OK;
    (void)count;
    AN_FAIL(reterr, AN_E_FILE_WRITE, "%s: %s", path, strerror(errno));
}

/* ---- all files of a store ---- */
typedef an_code (*file_fn)(const char *path, size_t *count, struct an_err *reterr);

static bool
ends_in(const char *name, const char *end)
{
    size_t a = strlen(name), b = strlen(end);

    return a > b && strcmp(name + a - b, end) == 0;
}

static an_code
each_file(const char *folder, const char *end, file_fn fn, size_t *count, struct an_err *reterr)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    an_code code = AN_OK;

    while (dir != NULL && code == AN_OK && (entry = readdir(dir)) != NULL) {
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", folder, entry->d_name);
        if (ends_in(entry->d_name, end))
            code = fn(path, count, reterr);
    }
    if (dir != NULL)
        closedir(dir);
    return code;
}

/* Every token of the store; one that cannot be mended does not keep the others from it. */
static an_code
each_token(const char *store, const char *end, file_fn fn, size_t *count, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *tokens = an_asprintf("%s/tokens", store);
    DIR *dir = opendir(tokens);
    const struct dirent *entry;
    an_code first = AN_OK;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        AN_CLEANUP(an_free_ptr) char *folder = an_asprintf("%s/%s", tokens, entry->d_name);
        struct an_err err = {0};
        an_code code = entry->d_name[0] == '.' ? AN_OK : each_file(folder, end, fn, count, &err);
        if (first == AN_OK && code != AN_OK) {
            first = code;
            if (reterr != NULL)
                *reterr = err;
        }
    }
    if (dir != NULL)
        closedir(dir);
    return first;
}

an_code
an_softhsm_mend(const char *dir, size_t *ret_count, struct an_err *reterr)
{
    *ret_count = 0;
    return each_token(dir, OBJECT, mend_file, ret_count, reterr);
}

an_code
an_softhsm_keep(const char *dir, struct an_err *reterr)
{
    size_t count = 0;

    AN_TRY(each_token(dir, KEPT, forget_file, &count, reterr));
    return each_token(dir, OBJECT, keep_file, &count, reterr);
}
