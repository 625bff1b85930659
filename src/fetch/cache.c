/* Answers kept between runs: one file per URL, JSON and the body; written under another name, then renamed. */
#include "base/file.h"
#include "fetch/internal.h"
#include "proc/json.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_SUFFIX ".answer"
#define CACHE_HEAD_BYTES_MAX 16384

void
an_cached_free(struct an_cached *cached)
{
    free(cached->etag);
    free(cached->last_modified);
    free(cached->type);
    an_file_close(&cached->file);
    *cached = (struct an_cached){.file = AN_FILE_NONE};
}

/* FNV-1a, twice with other bases: only a file name. The URL stands in the file and is compared. */
static char *
name_of(const char *folder, const char *url)
{
    uint64_t a = UINT64_C(0xcbf29ce484222325), b = UINT64_C(0x6c62272e07bb0142);

    for (const char *at = url; *at != '\0'; at++) {
        a = (a ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
        b = (b ^ (uint8_t)*at) * UINT64_C(0x100000001b3) + 0x9d;
    }
    return an_asprintf("%s/%016llx%016llx" CACHE_SUFFIX, folder, (unsigned long long)a, (unsigned long long)b);
}

static char *
dup_member(const json_t *root, const char *key)
{
    const char *value = json_string_value(json_object_get(root, key));

    return value ? an_strdup(value) : NULL;
}

static bool
read_entry(const char *url, struct an_cached *cached)
{
    an_bytes all = cached->file.bytes;
    size_t end = an_bytes_find(an_bytes_slice(all, 0, CACHE_HEAD_BYTES_MAX), AN_LIT("\n"), 0);
    AN_CLEANUP(an_json_free) json_t *root = NULL;
    const char *kept_url = "";
    json_int_t expires = 0, length = -1;

    if (end == SIZE_MAX || an_json_parse(an_bytes_slice(all, 0, end), &root, NULL) != AN_OK)
        return false;
    if (json_unpack(root, "{s:s, s:I, s:I}", "url", &kept_url, "expires", &expires, "length", &length) != 0)
        return false;
    cached->body = an_bytes_slice(all, end + 1, SIZE_MAX);
    if (strcmp(kept_url, url) != 0 || length < 1 || (size_t)length != cached->body.len)
        return false;
    cached->expires = expires;
    cached->etag = dup_member(root, "etag");
    cached->last_modified = dup_member(root, "last_modified");
    cached->type = dup_member(root, "type");
    return true;
}

bool
an_cache_find(const char *folder, const char *url, struct an_cached *ret)
{
    AN_CLEANUP(an_free_ptr) char *path = name_of(folder, url);
    struct an_cached cached = {.file = AN_FILE_NONE};

    if (an_file_open(path, AN_FETCH_CACHED_BYTES_MAX + CACHE_HEAD_BYTES_MAX, &cached.file, NULL) != AN_OK)
        return false;
    if (!read_entry(url, &cached)) {
        an_cached_free(&cached);
        return false;
    }
    *ret = cached;
    return true;
}

void
an_cache_put(const char *folder, const char *url, const struct an_cached *what)
{
    AN_CLEANUP(an_free_ptr) char *path = name_of(folder, url);
    AN_CLEANUP(an_output_discard) struct an_output out = AN_OUTPUT_NONE;
    AN_CLEANUP(an_buf_free) struct an_buf head = an_buf_new(CACHE_HEAD_BYTES_MAX);
    AN_CLEANUP(an_json_free)
    json_t *root = json_pack("{s:s, s:I, s:I, s:s*, s:s*, s:s*}", "url", url, "expires", (json_int_t)what->expires,
                             "length", (json_int_t)what->body.len, "etag", what->etag, "last_modified",
                             what->last_modified, "type", what->type);

    if (root == NULL || what->body.len == 0 || what->body.len > AN_FETCH_CACHED_BYTES_MAX)
        return;
    an_json_write(&head, root);
    an_buf_byte(&head, '\n');
    if (!an_buf_ok(&head) || an_output_open(path, &out, NULL) != AN_OK)
        return;
    if (an_output_write(&out, an_buf_view(&head), NULL) == AN_OK && an_output_write(&out, what->body, NULL) == AN_OK)
        (void)!an_output_commit(&out, NULL);
}

void
an_cache_prune(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    struct stat st;
    int64_t oldest = an_time_now() - (int64_t)AN_FETCH_CACHED_DAYS_MAX * 86400;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);
        if (len < sizeof(CACHE_SUFFIX) || strcmp(entry->d_name + len - sizeof(CACHE_SUFFIX) + 1, CACHE_SUFFIX) != 0)
            continue;
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime < oldest)
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir != NULL)
        closedir(dir);
}
