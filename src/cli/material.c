#include "cli/material.h"

#include "asn1/oid.h"
#include "base/file.h"
#include "base/map.h"
#include "cms/cms.h"

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

/* A PKCS#7 bundle (.p7b, .p7c): SignedData that nobody signed, as CAs hand out chains and lists. */
bool
material_is_bundle(an_bytes content)
{
    an_bytes head = an_bytes_slice(content, 0, 32);

    if (content.len > 0 && content.ptr[0] == AN_DER_SEQUENCE)
        return an_bytes_find(head, AN_OID_SIGNED_DATA, 0) != SIZE_MAX;
    return an_bytes_find(content, AN_LIT("-----BEGIN PKCS7-----"), 0) != SIZE_MAX ||
           an_bytes_find(content, AN_LIT("-----BEGIN CMS-----"), 0) != SIZE_MAX;
}

/* What of its certificates, lists or answers is asked for; false when there is none. */
static bool
take_from_bundle(enum kind kind, const struct an_cms *cms, struct parsed *ret)
{
    struct parsed all = {.certs = cms->certs, .crls = cms->crls, .ocsps = cms->ocsps};

    if (kind != KIND_CERTS)
        all.certs = (struct an_certs){0};
    if (kind != KIND_CRLS)
        all.crls = (struct an_crls){0};
    if (kind != KIND_OCSPS)
        all.ocsps = (struct an_ocsps){0};
    parsed_append(&all, ret);
    return all.certs.count + all.crls.count + all.ocsps.count > 0;
}

static an_code
read_bundle(enum kind kind, an_bytes content, struct parsed *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CRL_BYTES);
    AN_CLEANUP(an_cms_free) struct an_cms *cms = NULL;
    char label[64];
    size_t at = 0;

    if (content.ptr[0] != AN_DER_SEQUENCE) {
        if (!an_pem_next(content, &at, &der, label))
            AN_FAIL(reterr, AN_E_PEM, "byte %zu", at);
        content = an_buf_view(&der);
    }
    AN_TRY(an_cms_parse(content, &cms, reterr));
    if (cms->skipped > 0)
        AN_FAIL(reterr, AN_E_CLI_MATERIAL, "%zu", cms->skipped);
    if (!take_from_bundle(kind, cms, ret))
        AN_FAIL(reterr, AN_E_CLI_MATERIAL, "PKCS#7");
    return AN_OK;
}

static an_code
read_certs(an_bytes content, struct parsed *ret, struct an_err *reterr)
{
    return an_certs_read(&ret->certs, content, reterr);
}

static an_code
add_crl(struct an_crls *set, an_bytes der, struct an_err *reterr)
{
    struct an_crl *crl = NULL;

    AN_TRY(an_crl_parse(der, &crl, reterr));
    *an_crls_push(set) = crl;
    return AN_OK;
}

/* Every list of the file is read, also behind one that is broken: it may be the one that revokes. */
static an_code
read_crls(an_bytes content, struct parsed *ret, struct an_err *reterr)
{
    char label[64];
    size_t at = 0, found = 0;
    an_code code = AN_OK;

    for (;;) {
        AN_CLEANUP(an_buf_free) struct an_buf der = an_buf_new(AN_LIMIT_CRL_BYTES);
        if (!an_pem_next(content, &at, &der, label))
            break;
        if (strcmp(label, "X509 CRL") != 0 && label[0] != '\0')
            continue;
        if (code == AN_OK)
            code = add_crl(&ret->crls, an_buf_view(&der), reterr);
        else
            (void)!add_crl(&ret->crls, an_buf_view(&der), NULL);
        found++;
    }
    AN_TRY(code);
    if (at < content.len && found > 0)
        AN_FAIL(reterr, AN_E_DER_TRAILING, "byte %zu", at);
    if (found == 0)
        AN_FAIL(reterr, AN_E_CLI_MATERIAL, "%zu byte", content.len);
    return AN_OK;
}

static an_code
read_ocsps(an_bytes content, struct parsed *ret, struct an_err *reterr)
{
    struct an_ocsp *ocsp = NULL;

    AN_TRY(an_ocsp_parse(content, &ocsp, reterr));
    *an_ocsps_push(&ret->ocsps) = ocsp;
    return AN_OK;
}

static const struct {
    an_code (*read)(an_bytes, struct parsed *, struct an_err *);
    size_t bytes_max;
    const char *suffixes; /* of files that say by their name that they are of this kind */
} kind_table[] = {
    [KIND_CERTS] = {read_certs, AN_LIMIT_CMS_BYTES, ""},
    [KIND_CRLS] = {read_crls, AN_LIMIT_CRL_BYTES, ".crl "},
    [KIND_OCSPS] = {read_ocsps, AN_LIMIT_OCSP_BYTES, ".ocsp .ors "},
};

static an_code
read_content(enum kind kind, an_bytes content, struct parsed *ret, struct an_err *reterr)
{
    return material_is_bundle(content) ? read_bundle(kind, content, ret, reterr)
                                       : kind_table[kind].read(content, ret, reterr);
}

static an_code
read_file(enum kind kind, const char *path, struct parsed *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_file_close) struct an_file file = AN_FILE_NONE;
    an_code code = an_file_open(path, kind_table[kind].bytes_max, &file, reterr);

    if (code == AN_OK)
        code = read_content(kind, file.bytes, ret, reterr);
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

static bool
claims_kind(enum kind kind, const char *name)
{
    const char *dot = strrchr(name, '.'), *suffix = dot ? strcasestr(kind_table[kind].suffixes, dot) : NULL;

    return suffix != NULL && suffix[strlen(dot)] == ' ';
}

/* A file of a folder: one of another kind is passed over; one that cannot be read though its name says that it is a
 * list or an answer may be the one that revokes, and is reported like a file named by the person. */
static an_code
load_entry(struct material_cache *cache, enum kind kind, const char *path, struct parsed *ret, struct an_err *reterr)
{
    struct an_err err = {0};
    struct stat st;
    an_code code = AN_OK;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        code = load_file(cache, kind, path, ret, &err);
    if (code == AN_OK || !claims_kind(kind, path))
        return AN_OK;
    if (reterr != NULL)
        *reterr = err;
    return code;
}

/* A folder's files in the order of their names, so that the same folder always gives the same answer. */
static an_code
load_path(struct material_cache *cache, enum kind kind, const char *path, struct parsed *ret, struct an_err *reterr)
{
    struct stat st;
    struct dirent **entries = NULL;
    an_code code = AN_OK;
    int count;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return load_file(cache, kind, path, ret, reterr);
    count = scandir(path, &entries, is_visible, alphasort);
    for (int i = 0; i < count; i++) {
        char *name = an_asprintf("%s/%s", path, entries[i]->d_name);
        an_code outcome = load_entry(cache, kind, name, ret, code == AN_OK ? reterr : NULL);
        if (code == AN_OK)
            code = outcome;
        free(name);
        free(entries[i]);
    }
    free(entries);
    return code;
}

/* ---- all of it ---- */
static an_code
load_list(struct material_cache *cache, enum kind kind, const struct opt_list *list, struct material_bad *bad,
          struct parsed *ret, struct an_err *reterr)
{
    for (size_t i = 0; i < list->count; i++) {
        struct an_err err = {0};
        an_code code = load_path(cache, kind, list->items[i], ret, &err);
        if (code != AN_OK && (bad == NULL || an_message_find(code)->kind != AN_KIND_DATA)) {
            if (reterr != NULL)
                *reterr = err;
            return code;
        }
        if (code != AN_OK && bad->count++ == 0)
            bad->first = err;
    }
    return AN_OK;
}

an_code
material_load(struct material_cache *cache, const struct material_paths *paths, bool tolerant, struct material *ret,
              struct an_err *reterr)
{
    struct material_bad *bad_certs = tolerant ? &ret->bad_certs : NULL;
    struct material_bad *bad_status = tolerant ? &ret->bad_status : NULL;
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
material_cert_bytes(an_bytes content, struct an_certs *set, struct an_err *reterr)
{
    struct parsed parsed = {.certs = *set};
    an_code code = read_content(KIND_CERTS, content, &parsed, reterr);

    *set = parsed.certs;
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
