#include "base/file.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names of temporary files that exist now; a fixed table so that a signal handler may read it. */
#define TEMPORARIES_MAX 64
static char *volatile temporaries[TEMPORARIES_MAX];
static pthread_mutex_t temporaries_lock = PTHREAD_MUTEX_INITIALIZER;

static void
remember_temporary(char *name)
{
    pthread_mutex_lock(&temporaries_lock);
    for (size_t i = 0; i < TEMPORARIES_MAX; i++)
        if (temporaries[i] == NULL) {
            temporaries[i] = name;
            break;
        }
    pthread_mutex_unlock(&temporaries_lock);
}

static void
forget_temporary(const char *name)
{
    pthread_mutex_lock(&temporaries_lock);
    for (size_t i = 0; i < TEMPORARIES_MAX; i++)
        if (temporaries[i] == name)
            temporaries[i] = NULL;
    pthread_mutex_unlock(&temporaries_lock);
}

void
an_file_remove_temporaries(void)
{
    for (size_t i = 0; i < TEMPORARIES_MAX; i++)
        if (temporaries[i] != NULL)
            unlink(temporaries[i]);
}

static an_code
check_kind(int fd, const char *path, uint64_t bytes_max, uint64_t *ret_size, struct timespec *ret_written,
           struct an_err *reterr)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return an_err_set_errno(reterr, AN_E_FILE_OPEN, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        AN_FAIL(reterr, AN_E_FILE_KIND, "%s", path);
    if (st.st_size == 0)
        AN_FAIL(reterr, AN_E_FILE_EMPTY, "%s", path);
    if (bytes_max != 0 && (uint64_t)st.st_size > bytes_max)
        AN_FAIL(reterr, AN_E_LIMIT, "%s: %llu > %llu byte", path, (unsigned long long)st.st_size,
                (unsigned long long)bytes_max);
    *ret_size = (uint64_t)st.st_size;
    *ret_written = st.st_mtim;
    return AN_OK;
}

/*
 * A small file is read: taking a mapping away again interrupts every other core on which the process runs. A few rooms
 * are kept for the next files, so that memory is not given back and asked for in turn.
 */
#define ROOM_BYTES ((size_t)256 * 1024)
#define ROOMS_KEPT 4
static uint8_t *rooms[ROOMS_KEPT]; /* atomic: those that are free */

static uint8_t *
take_room(void)
{
    uint8_t *room;

    for (size_t i = 0; i < ROOMS_KEPT; i++)
        if ((room = __atomic_exchange_n(&rooms[i], NULL, __ATOMIC_ACQ_REL)) != NULL)
            return room;
    room = malloc(ROOM_BYTES); /* not zeroed: only what is read is looked at */
    if (room == NULL)
        an_die_memory();
    return room;
}

static void
give_room(uint8_t *room, size_t used)
{
    an_wipe(room, used); /* the file may be a key */
    for (size_t i = 0; i < ROOMS_KEPT && room != NULL; i++)
        room = __atomic_exchange_n(&rooms[i], room, __ATOMIC_ACQ_REL);
    free(room);
}

/* False when the file is not there as long as it was a moment ago: then it is mapped, like a long one. */
static bool
read_small(int fd, uint64_t size, struct an_file *ret)
{
    uint8_t *room;

    if (size > ROOM_BYTES)
        return false;
    room = take_room();
    for (size_t have = 0; have < size;) {
        ssize_t got = pread(fd, room + have, (size_t)size - have, (off_t)have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            give_room(room, have);
            return false;
        }
        have += (size_t)got;
    }
    *ret = (struct an_file){.bytes = AN_BYTES(room, size), .fd = fd, .room = room};
    return true;
}

an_code
an_file_open(const char *path, uint64_t bytes_max, struct an_file *ret, struct an_err *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* NONBLOCK: a FIFO must not hang us */
    struct timespec written = {0};
    uint64_t size = 0;
    void *mapping;
    an_code code;

    if (fd < 0)
        return an_err_set_errno(reterr, AN_E_FILE_OPEN, errno, "%s", path);
    code = check_kind(fd, path, bytes_max, &size, &written, reterr);
    if (code != AN_OK) {
        close(fd);
        return code;
    }
    if (read_small(fd, size, ret)) {
        ret->written = written;
        return AN_OK;
    }
    mapping = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapping == MAP_FAILED) {
        code = an_err_set_errno(reterr, AN_E_FILE_OPEN, errno, "%s", path);
        close(fd);
        return code;
    }
    /* Random access: read-ahead around every touched page would make memory grow with the file. */
    (void)madvise(mapping, size, MADV_RANDOM);
    an_file_guard_add(mapping, size);
    *ret = (struct an_file){.bytes = AN_BYTES(mapping, size), .fd = fd, .mapping = mapping, .written = written};
    return AN_OK;
}

void
an_file_close(struct an_file *file)
{
    if (file->mapping != NULL) {
        an_file_guard_remove(file->mapping);
        munmap(file->mapping, file->bytes.len);
    }
    if (file->room != NULL)
        give_room(file->room, file->bytes.len);
    if (file->fd >= 0)
        close(file->fd);
    *file = AN_FILE_NONE;
}

/* A FIFO that nobody writes into must not hang us: it is opened at once, and is empty; one that somebody writes into is
 * waited for. */
static int
open_to_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd >= 0)
        (void)fcntl(fd, F_SETFL, 0);
    return fd;
}

an_code
an_file_read(const char *path, size_t bytes_max, struct an_buf *ret, struct an_err *reterr)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open_to_read(path);
    struct an_buf content = an_buf_new(bytes_max);
    an_code code = AN_OK;

    if (fd < 0)
        return an_err_set_errno(reterr, AN_E_FILE_OPEN, errno, "%s", path);
    for (;;) {
        uint8_t chunk[16384];
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            code = an_err_set_errno(reterr, errno == EISDIR ? AN_E_FILE_KIND : AN_E_FILE_OPEN, errno, "%s", path);
        if (got <= 0)
            break;
        an_buf_append(&content, AN_BYTES(chunk, (size_t)got));
        an_wipe(chunk, (size_t)got); /* the file may be a PIN or a key */
        if (!an_buf_ok(&content)) {
            code = an_err_set(reterr, AN_E_LIMIT, "%s: > %zu byte", path, bytes_max);
            break;
        }
    }
    if (!is_stdin)
        close(fd);
    if (code != AN_OK) {
        if (content.ptr != NULL)
            an_wipe(content.ptr, content.len);
        an_buf_free(&content);
        return code;
    }
    *ret = content;
    return AN_OK;
}

/* A temporary file that nobody holds any more: its process was killed. Taken away when it is a plain file of ours. */
static bool
remove_stale(const char *temporary)
{
    int fd = open(temporary, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    bool is_stale = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        flock(fd, LOCK_EX | LOCK_NB) == 0;

    if (is_stale)
        is_stale = unlink(temporary) == 0;
    if (fd >= 0)
        close(fd);
    return is_stale;
}

/* Held for as long as the file is open: another run tells by it that the name is in use. Between making and locking
 * another run may have taken it for stale: then it has no name left, and another is made. */
static bool
lock_new(int fd)
{
    struct stat st;

    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return false; /* a file system without locks has no stale names either: none can be told */
    return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

/* One fixed name an output, so that what a killed run left is found by the next; a random one while another run has
 * it. */
static int
open_temporary(const char *path, char **ret_name)
{
    int fd;

    *ret_name = an_asprintf("%s.antin-new", path);
    for (int tries = 0; tries < 4; tries++) {
        fd = open(*ret_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0 && lock_new(fd))
            return fd;
        if (fd >= 0)
            close(fd);
        else if (errno != EEXIST || !remove_stale(*ret_name))
            break;
    }
    free(*ret_name);
    *ret_name = an_asprintf("%s.antin-XXXXXX", path);
    fd = mkostemp(*ret_name, O_CLOEXEC);
    return fd;
}

an_code
an_output_open(const char *path, struct an_output *ret, struct an_err *reterr)
{
    struct an_output out = {.fd = -1, .path = an_strdup(path), .temporary = NULL};
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        free(out.path);
        AN_FAIL(reterr, AN_E_FILE_KIND, "%s", path);
    }
    out.fd = open_temporary(path, &out.temporary);
    if (out.fd < 0) {
        an_code code = an_err_set_errno(reterr, AN_E_FILE_CREATE, errno, "%s", path);
        free(out.path);
        free(out.temporary);
        return code;
    }
    remember_temporary(out.temporary);
    (void)fchmod(out.fd, 0644);
    *ret = out;
    return AN_OK;
}

an_code
an_output_write(struct an_output *out, an_bytes bytes, struct an_err *reterr)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t put = write(out->fd, bytes.ptr + done, bytes.len - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return an_err_set_errno(reterr, AN_E_FILE_WRITE, errno, "%s", out->path);
        done += (size_t)put;
    }
    return AN_OK;
}

static void
sync_folder_of(const char *path)
{
    char *folder = an_strdup(path);
    char *slash = strrchr(folder, '/');
    int fd;

    if (slash != NULL)
        slash[slash == folder ? 1 : 0] = '\0';
    fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(folder);
}

/* Renames what has been synced; the file is then in place. */
static an_code
put_in_place(struct an_output *out, struct an_err *reterr)
{
    if (close(out->fd) != 0) {
        out->fd = -1;
        return an_err_set_errno(reterr, AN_E_FILE_WRITE, errno, "%s", out->path);
    }
    out->fd = -1;
    if (rename(out->temporary, out->path) != 0)
        return an_err_set_errno(reterr, AN_E_FILE_CREATE, errno, "%s", out->path);
    forget_temporary(out->temporary);
    free(out->temporary);
    out->temporary = NULL;
    return AN_OK;
}

an_code
an_output_commit(struct an_output *out, struct an_err *reterr)
{
    if (fdatasync(out->fd) != 0)
        return an_err_set_errno(reterr, AN_E_FILE_WRITE, errno, "%s", out->path);
    AN_TRY(put_in_place(out, reterr));
    sync_folder_of(out->path);
    free(out->path);
    out->path = NULL;
    return AN_OK;
}

an_code
an_output_commit_group(struct an_output *const *outs, size_t count, struct an_err *reterr)
{
    const char *folder = NULL;

    /* One flush for all: a flush each would make the disk, not the key, the limit of a batch. */
    for (size_t i = 0; i < count; i++)
        (void)sync_file_range(outs[i]->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    if (count > 0 && syncfs(outs[0]->fd) != 0)
        return an_err_set_errno(reterr, AN_E_FILE_WRITE, errno, "%s", outs[0]->path);
    for (size_t i = 0; i < count; i++) {
        AN_TRY(put_in_place(outs[i], reterr));
        folder = outs[i]->path;
    }
    if (folder != NULL)
        sync_folder_of(folder);
    return AN_OK;
}

void
an_output_discard(struct an_output *out)
{
    if (out->fd >= 0)
        close(out->fd);
    if (out->temporary != NULL) {
        unlink(out->temporary);
        forget_temporary(out->temporary);
    }
    free(out->temporary);
    free(out->path);
    *out = AN_OUTPUT_NONE;
}

an_code
an_file_write(const char *path, an_bytes content, unsigned mode, struct an_err *reterr)
{
    AN_CLEANUP(an_output_discard) struct an_output out = AN_OUTPUT_NONE;

    AN_TRY(an_output_open(path, &out, reterr));
    if (fchmod(out.fd, mode) != 0)
        return an_err_set_errno(reterr, AN_E_FILE_CREATE, errno, "%s", path);
    AN_TRY(an_output_write(&out, content, reterr));
    return an_output_commit(&out, reterr);
}

an_code
an_dir_make(const char *path, bool is_private, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *partial = an_strdup(path);
    mode_t mode = is_private ? 0700 : 0755;

    for (char *at = partial + 1; *partial != '\0'; at++) {
        char kept = *at;
        if (kept != '/' && kept != '\0')
            continue;
        *at = '\0';
        if (mkdir(partial, mode) != 0 && errno != EEXIST)
            return an_err_set_errno(reterr, AN_E_FILE_CREATE, errno, "%s", partial);
        *at = kept;
        if (kept == '\0')
            break;
    }
    return AN_OK;
}
