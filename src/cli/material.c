#include "cli/material.h"

#include "base/file.h"
#include "base/map.h"

#include <dirent.h>
#include <sys/stat.h>

void
material_done(struct material *m)
{
    an_certs_done(&m->anchors);
    an_certs_done(&m->untrusted);
    an_crls_unref(&m->crls);
    an_ocsps_unref(&m->ocsps);
}

/* ---- one file ---- */
enum kind { KIND_CERTS, KIND_CRLS, KIND_OCSPS };

struct parsed {
    struct an_certs certs;
    struct an_crls crls;
    struct an_ocsps ocsps;
};

static void
parsed_done(struct parsed *parsed)
{
    an_certs_done(&parsed->certs);
    an_crls_unref(&parsed->crls);
    an_ocsps_unref(&parsed->ocsps);
}

static void
parsed_append(const struct parsed *from, struct parsed *to)
{
    for (size_t i = 0; i < from->certs.count; i++)
        an_certs_add(&to->certs, from->certs.items[i]);
    for (size_t i = 0; i < from->crls.count; i++)
        *an_crls_push(&to->crls) = an_crl_ref(from->crls.items[i]);
    for (size_t i = 0; i < from->ocsps.count; i++)
        *an_ocsps_push(&to->ocsps) = an_ocsp_ref(from->ocsps.items[i]);
}

static an_code
read_certs(const char *path, struct parsed *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;

    AN_TRY(an_file_open(path, AN_LIMIT_CMS_BYTES, &file, reterr));
    return an_certs_read(&ret->certs, file.bytes, reterr);
}

static an_code
add_crl(struct an_crls *set, an_bytes der, struct an_err *reterr)
{
    struct an_crl *crl = NULL;

    AN_TRY(an_crl_parse(der, &crl, reterr));
    *an_crls_push(set) = crl;
    return AN_OK;
}

static an_code
read_crls(const char *path, struct parsed *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    char label[64];
    size_t at = 0, found = 0;

    AN_TRY(an_file_open(path, AN_LIMIT_CRL_BYTES, &file, reterr));
    for (;;) {
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CRL_BYTES);
        if (!an_pem_next(file.bytes, &at, &der, label))
            break;
        if (strcmp(label, "X509 CRL") != 0 && label[0] != '\0')
            continue;
        AN_TRY(add_crl(&ret->crls, an_buf_view(&der), reterr));
        found++;
    }
    if (found == 0)
        AN_FAIL(reterr, AN_E_CLI_MATERIAL, "%s", path);
    return AN_OK;
}

static an_code
read_ocsps(const char *path, struct parsed *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    struct an_ocsp *ocsp = NULL;

    AN_TRY(an_file_open(path, AN_LIMIT_OCSP_BYTES, &file, reterr));
    AN_TRY(an_ocsp_parse(file.bytes, &ocsp, reterr));
    *an_ocsps_push(&ret->ocsps) = ocsp;
    return AN_OK;
}

static an_code
read_file(enum kind kind, const char *path, struct parsed *ret, struct an_err *reterr)
{
    static an_code (*const readers[])(const char *, struct parsed *, struct an_err *) = {
        [KIND_CERTS] = read_certs, [KIND_CRLS] = read_crls, [KIND_OCSPS] = read_ocsps};
    an_code code = readers[kind](path, ret, reterr);

    if (code != AN_OK)
        an_err_name_file(reterr, path);
    return code;
}

/* ---- files read before ---- */
struct cached {
    struct timespec changed;
    off_t size;
    ino_t inode;
    an_code code;
    struct an_err err;
    struct parsed parsed;
};

struct material_cache {
    struct an_map *files;
};

static void
cache_empty(struct material_cache *cache)
{
    for (size_t i = 0; i < an_map_count(cache->files); i++) {
        struct cached *entry = an_map_value(cache->files, i);
        parsed_done(&entry->parsed);
        free(entry);
    }
    an_map_free(&cache->files);
}

struct material_cache *
material_cache_new(void)
{
    struct material_cache *cache = AN_NEW(struct material_cache);

    cache->files = an_map_new();
    return cache;
}

void
material_cache_free(struct material_cache **cache)
{
    if (*cache == NULL)
        return;
    cache_empty(*cache);
    free(*cache);
    *cache = NULL;
}

static bool
is_same_file(const struct cached *entry, const struct stat *st)
{
    return entry->inode == st->st_ino && entry->size == st->st_size && entry->changed.tv_sec == st->st_mtim.tv_sec &&
           entry->changed.tv_nsec == st->st_mtim.tv_nsec;
}

static struct cached *
cache_entry(struct material_cache *cache, an_bytes key)
{
    struct cached *entry = an_map_find(cache->files, key);

    if (entry != NULL)
        return entry;
    if (an_map_count(cache->files) >= AN_LIMIT_MATERIAL_CACHE) { /* full: begins again */
        cache_empty(cache);
        cache->files = an_map_new();
    }
    entry = AN_NEW(struct cached);
    an_map_put(cache->files, key, entry);
    return entry;
}

static an_code
cached_file(struct material_cache *cache, enum kind kind, const char *path, const struct stat *st, struct parsed *ret,
            struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *key = an_asprintf("%d%s", (int)kind, path);
    struct cached *entry = cache_entry(cache, an_bytes_of_str(key));

    if (!is_same_file(entry, st)) {
        parsed_done(&entry->parsed);
        entry->err = (struct an_err){0};
        entry->code = read_file(kind, path, &entry->parsed, &entry->err);
        entry->changed = st->st_mtim;
        entry->size = st->st_size;
        entry->inode = st->st_ino;
    }
    if (entry->code != AN_OK && reterr != NULL)
        *reterr = entry->err;
    parsed_append(&entry->parsed, ret);
    return entry->code;
}

/* ---- a file or a folder ---- */
static int
is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static an_code
load_file(struct material_cache *cache, enum kind kind, const char *path, struct parsed *ret, struct an_err *reterr)
{
    struct stat st;

    if (cache == NULL || stat(path, &st) != 0)
        return read_file(kind, path, ret, reterr);
    return cached_file(cache, kind, path, &st, ret, reterr);
}

/* A folder's files in the order of their names, so that the same folder always gives the same answer; a file in it
 * that is of another kind is passed over, a file named by the person is not. */
static an_code
load_path(struct material_cache *cache, enum kind kind, const char *path, struct parsed *ret, struct an_err *reterr)
{
    struct stat st;
    struct dirent **entries = NULL;
    int count;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return load_file(cache, kind, path, ret, reterr);
    count = scandir(path, &entries, is_visible, alphasort);
    for (int i = 0; i < count; i++) {
        char *name = an_asprintf("%s/%s", path, entries[i]->d_name);
        struct an_err ignored = {0};
        if (stat(name, &st) == 0 && S_ISREG(st.st_mode) && load_file(cache, kind, name, ret, &ignored) != AN_OK)
            ignored.code = AN_OK;
        free(name);
        free(entries[i]);
    }
    free(entries);
    return AN_OK;
}

/* ---- all of it ---- */
static an_code
load_list(struct material_cache *cache, enum kind kind, const struct opt_list *list, size_t *bad, struct parsed *ret,
          struct an_err *reterr)
{
    for (size_t i = 0; i < list->count; i++) {
        struct an_err err = {0};
        an_code code = load_path(cache, kind, list->items[i], ret, &err);
        if (code != AN_OK && (bad == NULL || an_message_find(code)->kind != AN_KIND_DATA)) {
            if (reterr != NULL)
                *reterr = err;
            return code;
        }
        if (code != AN_OK)
            ++*bad;
    }
    return AN_OK;
}

an_code
material_load(struct material_cache *cache, const struct material_paths *paths, bool tolerant, struct material *ret,
              struct an_err *reterr)
{
    size_t *bad_certs = tolerant ? &ret->bad_certs : NULL, *bad_status = tolerant ? &ret->bad_status : NULL;
    struct parsed trusted = {0}, other = {0};
    an_code code = load_list(cache, KIND_CERTS, paths->trust, bad_certs, &trusted, reterr);

    if (code == AN_OK)
        code = load_list(cache, KIND_CERTS, paths->untrusted, bad_certs, &other, reterr);
    if (code == AN_OK)
        code = load_list(cache, KIND_CRLS, paths->crl, bad_status, &other, reterr);
    if (code == AN_OK)
        code = load_list(cache, KIND_OCSPS, paths->ocsp, bad_status, &other, reterr);
    ret->anchors = trusted.certs;
    ret->untrusted = other.certs;
    ret->crls = other.crls;
    ret->ocsps = other.ocsps;
    return code;
}

an_code
material_certs(const char *path, struct an_certs *set, struct an_err *reterr)
{
    struct parsed parsed = {.certs = *set};
    an_code code = load_path(NULL, KIND_CERTS, path, &parsed, reterr);

    *set = parsed.certs;
    return code;
}

an_code
material_crls(const char *path, struct an_crls *set, struct an_err *reterr)
{
    struct parsed parsed = {.crls = *set};
    an_code code = load_path(NULL, KIND_CRLS, path, &parsed, reterr);

    *set = parsed.crls;
    return code;
}

an_code
material_ocsps(const char *path, struct an_ocsps *set, struct an_err *reterr)
{
    struct parsed parsed = {.ocsps = *set};
    an_code code = load_path(NULL, KIND_OCSPS, path, &parsed, reterr);

    *set = parsed.ocsps;
    return code;
}

an_code
material_password(const char *path, struct an_secret **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf content = an_buf_new(4096);
    size_t len;

    if (path == NULL)
        return AN_OK;
    AN_TRY(an_file_read(path, 4096, &content, reterr));
    for (len = 0; len < content.len && content.ptr[len] != '\n' && content.ptr[len] != '\r';)
        len++;
    *ret = an_secret_from(AN_BYTES(content.ptr, len));
    if (content.ptr != NULL)
        an_wipe(content.ptr, content.len);
    return AN_OK;
}

an_code
material_time(const char *text, an_time *ret, struct an_err *reterr)
{
    *ret = AN_TIME_NONE;
    if (text == NULL)
        return AN_OK;
    *ret = an_time_parse(an_bytes_of_str(text));
    if (*ret == AN_TIME_NONE)
        AN_FAIL(reterr, AN_E_CLI_VALUE, "%s", text);
    return AN_OK;
}
