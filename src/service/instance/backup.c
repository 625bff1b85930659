/* Backup and restore: the files and the manifest. The store's own part: an_store_dump, an_store_load. */
#include "service/instance/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/time.h"
#include "crypto/crypto.h"

#define DUMP "store.dump"
#define MANIFEST "manifest.json"
#define FORMAT "antin-backup 1"

/* What belongs to an instance beside its store. What is not named here is not taken: run/ is of the moment, pins/ and
 * keys in files are secret. */
static const struct { const char *name; bool with_tokens; } parts[] = {
    {"antin.yaml", false}, {"softhsm2.conf", true}, {"keys/keys.json", false}, {"public", false}, {"documents", false}, {"outbox", false}, {"tokens", true},
};

/* ---- trees of files ---- */
typedef an_code (*file_fn)(void *context, const char *rel, struct an_err *reterr);

static an_code
each_file(const char *base, const char *rel, file_fn each, void *context, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", base, rel);
    struct stat info;
    struct dirent **list = NULL;
    an_code code = AN_OK;
    int count;

    if (lstat(path, &info) != 0)
        return AN_OK; /* not every instance has it */
    if (S_ISREG(info.st_mode))
        return each(context, rel, reterr);
    if (!S_ISDIR(info.st_mode))
        return AN_OK;
    count = scandir(path, &list, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        AN_CLEANUP(an_free_ptr) char *inner = an_asprintf("%s/%s", rel, list[i]->d_name);

        if (code == AN_OK && strcmp(list[i]->d_name, ".") != 0 && strcmp(list[i]->d_name, "..") != 0)
            code = each_file(base, inner, each, context, reterr);
        free(list[i]);
    }
    free(list);
    return count < 0 ? an_err_set_errno(reterr, AN_E_FILE_OPEN, errno, "%s", path) : code;
}

static an_code
make_parent(const char *path, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *parent = an_strdup(path);

    *strrchr(parent, '/') = 0;
    return an_dir_make(parent, true, reterr);
}

static an_code
copy_file(const char *from, const char *to, struct an_err *reterr)
{
    struct an_file file = AN_FILE_NONE;
    struct stat info;
    an_code code;

    AN_TRY(make_parent(to, reterr));
    if (stat(from, &info) == 0 && info.st_size == 0)
        return an_file_write(to, AN_NONE, info.st_mode & 0777, reterr);
    AN_TRY(an_file_open(from, 0, &file, reterr));
    code = fstat(file.fd, &info) == 0 ? an_file_write(to, file.bytes, info.st_mode & 0777, reterr) : an_err_set(reterr,
            AN_E_FILE_OPEN, "%s", from);
    an_file_close(&file);
    return code;
}

struct copying { const char *from, *to; json_t *files; struct an_backup_report *report; };

static an_code
add_to_manifest(struct copying *copying, const char *rel, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", copying->to, rel);
    AN_CLEANUP(an_buf_free) struct an_buf hex = an_buf_new(128);
    uint8_t digest[AN_DIGEST_MAX];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    an_code code;

    if (fd < 0 || fstat(fd, &info) != 0)
        return an_err_set_errno(reterr, AN_E_FILE_OPEN, errno, "%s", path);
    code = an_hash_file_ranges(AN_SHA256, fd, &(struct an_range){0, (uint64_t)info.st_size}, 1, digest, reterr);
    close(fd);
    if (code != AN_OK)
        return code;
    an_buf_hex(&hex, AN_BYTES(digest, 32));
    json_array_append_new(copying->files, json_pack("{s:s, s:I, s:s%}", "name", rel, "size", (json_int_t)info.st_size,
                                                    "sha256", hex.ptr, hex.len));
    copying->report->files++;
    copying->report->bytes += (uint64_t)info.st_size;
    return AN_OK;
}

static an_code
copy_and_note(void *context, const char *rel, struct an_err *reterr)
{
    struct copying *copying = context;
    AN_CLEANUP(an_free_ptr) char *from = an_asprintf("%s/%s", copying->from, rel),
                                  *to = an_asprintf("%s/%s", copying->to, rel);

    AN_TRY(copy_file(from, to, reterr));
    return add_to_manifest(copying, rel, reterr);
}

/* Files, then folders from the inside out. */
static void
remove_tree(const char *dir)
{
    struct dirent **list = NULL;
    int count = scandir(dir, &list, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/%s", dir, list[i]->d_name);
        bool inner = strcmp(list[i]->d_name, ".") != 0 && strcmp(list[i]->d_name, "..") != 0;

        if (inner && unlink(path) != 0)
            remove_tree(path);
        free(list[i]);
    }
    free(list);
    rmdir(dir);
}

/* ---- verifying by restoring ---- */
static void
ignore_fault(void *context, const char *invariant, const char *what)
{
    snprintf(context, AN_DETAIL_MAX / 2, "%s: %s", invariant, what);
}

static an_code
check_copy(const char *url, struct an_backup_report *report, struct an_err *reterr)
{
    struct an_audit_report audit = {0};
    struct an_store *store = NULL;
    char what[AN_DETAIL_MAX / 2] = "";
    size_t faults = 0;
    an_code code;

    AN_TRY(an_store_open(url, AN_STORE_READ_ONLY, 2, &store, reterr));
    code = an_store_check(store, ignore_fault, what, &faults, reterr);
    if (code == AN_OK)
        code = an_audit_verify(store, NULL, &audit, reterr);
    an_store_close(&store);
    if (code == AN_OK && faults > 0)
        code = an_err_set(reterr, AN_E_BACKUP_CHECK, "%s", what);
    else if (code == AN_OK && audit.finding_count > 0)
        code = an_err_set(reterr, AN_E_BACKUP_CHECK, "audit log, event %lld", (long long)audit.findings[0].first);
    report->events = audit.size;
    memcpy(report->root, audit.root, sizeof(report->root));
    an_audit_report_done(&audit);
    return code;
}

/* A scratch file beside the dump; or, in PostgreSQL, a scratch schema of the same database. */
static an_code
restore_scratch(struct an_instance *instance, const char *dump, struct an_backup_report *report, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *database = an_instance_database(instance->dir, instance->config.database);
    AN_CLEANUP(an_free_ptr) char *scratch = NULL, *file = an_asprintf("%s.scratch", dump);
    an_code code;

    if (an_store_engine(instance->store) == AN_STORE_SQLITE)
        scratch = an_asprintf("sqlite:%s", file);
    else
        AN_TRY(an_store_scratch_new(database, &scratch, reterr));
    code = an_store_load(scratch, dump, reterr);
    if (code == AN_OK)
        code = check_copy(scratch, report, reterr);
    if (an_store_engine(instance->store) == AN_STORE_POSTGRESQL)
        an_store_scratch_drop(database, scratch);
    for (size_t i = 0; i < 3; i++) {
        AN_CLEANUP(an_free_ptr) char *part = an_asprintf("%s%s", file, (const char *const[]){"", "-wal", "-shm"}[i]);

        unlink(part);
    }
    return code;
}

/* ---- backup ---- */
static an_code
note_backup(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct an_audit_event event = {.at = an_time_now(), .action = context, .actor = "system",
                                         .object = "instance", .outcome = "done"};

    return an_audit_append(tx, &event, reterr);
}

static an_code
write_manifest(struct an_instance *instance, struct copying *copying, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/" MANIFEST, copying->to), *text = NULL;
    AN_CLEANUP(an_buf_free) struct an_buf root = an_buf_new(128);
    char at[AN_TIME_TEXT_MAX];
    json_t *json;

    an_buf_hex(&root, AN_BYTES(copying->report->root, 32));
    json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s%, s:O}", "format", FORMAT, "instance",
                     instance->config.instance, "program", AN_VERSION, "engine",
                     an_store_engine(instance->store) == AN_STORE_SQLITE ? "sqlite" : "postgresql", "at",
                     an_time_format_utc(an_time_now(), at),
                     "audit_size", (json_int_t)copying->report->events, "audit_root", root.ptr, root.len, "files",
                     copying->files);
    text = json_dumps(json, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(json);
    if (text == NULL)
        AN_FAIL(reterr, AN_E_INTERNAL, "manifest");
    return an_file_write(path, an_bytes_of_str(text), 0600, reterr);
}

static an_code
fill_backup(struct an_instance *instance, bool with_tokens, struct copying *copying, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *dump = an_asprintf("%s/" DUMP, copying->to);

    AN_TRY(an_store_dump(instance->store, dump, reterr));
    AN_TRY(restore_scratch(instance, dump, copying->report, reterr));
    AN_TRY(add_to_manifest(copying, DUMP, reterr));
    for (size_t i = 0; i < AN_COUNT(parts); i++)
        if (with_tokens || !parts[i].with_tokens)
            AN_TRY(each_file(instance->dir, parts[i].name, copy_and_note, copying, reterr));
    return write_manifest(instance, copying, reterr);
}

an_code
an_backup_make(struct an_instance *instance, const char *out, bool with_tokens, struct an_backup_report *ret,
               struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *partial = an_asprintf("%s.partial", out);
    struct copying copying = {instance->dir, partial, json_array(), ret};
    an_code code;

    *ret = (struct an_backup_report){0};
    if (access(out, F_OK) == 0)
        code = an_err_set_errno(reterr, AN_E_FILE_CREATE, EEXIST, "%s", out);
    else
        code = an_store_write(instance->store, note_backup, (void *)(uintptr_t)"backup.make", reterr);
    if (code == AN_OK) {
        remove_tree(partial);
        code = an_dir_make(partial, true, reterr);
    }
    if (code == AN_OK)
        code = fill_backup(instance, with_tokens, &copying, reterr);
    if (code == AN_OK && rename(partial, out) != 0)
        code = an_err_set_errno(reterr, AN_E_FILE_CREATE, errno, "%s", out);
    if (code != AN_OK && code != AN_E_FILE_CREATE)
        remove_tree(partial);
    json_decref(copying.files);
    return code;
}

/* ---- restore ---- */
static an_code
load_manifest(const char *backup, json_t **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/" MANIFEST, backup);
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    const char *format = json_string_value(json_object_get(json, "format"));

    if (format == NULL || strcmp(format, FORMAT) != 0 || !json_is_array(json_object_get(json, "files"))) {
        json_decref(json);
        return an_err_set(reterr, AN_E_BACKUP_FORM, "%s", path);
    }
    *ret = json;
    return AN_OK;
}

/* A name in a manifest leads nowhere but into the folder. */
static bool
is_inside(const char *name)
{
    return name != NULL && name[0] != 0 && name[0] != '/' && strcmp(name, "..") != 0 && strncmp(name, "../", 3) != 0 &&
           strstr(name, "/../") == NULL &&
           (strlen(name) < 3 || strcmp(name + strlen(name) - 3, "/..") != 0);
}

static an_code
copy_listed(const char *backup, const char *dir, const json_t *manifest, struct an_backup_report *report,
            struct an_err *reterr)
{
    struct copying copying = {backup, dir, json_array(), report};
    const json_t *file;
    an_code code = AN_OK;
    size_t i;

    json_array_foreach(json_object_get(manifest, "files"), i, file) {
        const char *name = json_string_value(json_object_get(file, "name")),
                    *digest = json_string_value(json_object_get(file, "sha256"));

        code = is_inside(name) && digest != NULL ? copy_and_note(&copying, name, reterr) : an_err_set(reterr,
                AN_E_BACKUP_FORM, "manifest");
        if (code == AN_OK && strcmp(json_string_value(json_object_get(json_array_get(copying.files, i), "sha256")),
                                    digest) != 0)
            code = an_err_set(reterr, AN_E_BACKUP_CHECK, "%s", name);
        if (code != AN_OK)
            break;
    }
    json_decref(copying.files);
    return code;
}

/* Another database than the backup was made from: its line in the configuration is written anew. */
static an_code
set_database(const char *dir, const char *database, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/antin.yaml", dir);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(AN_LIMIT_YAML_BYTES),
                                          changed = an_buf_new(AN_LIMIT_YAML_BYTES + 4096);
    size_t start, end;

    AN_TRY(an_file_read(path, AN_LIMIT_YAML_BYTES, &text, reterr));
    start = an_bytes_find(an_buf_view(&text), AN_LIT("\ndatabase:"), 0);
    end = start == SIZE_MAX ? SIZE_MAX : an_bytes_find(an_buf_view(&text), AN_LIT("\n"), start + 1);
    if (end == SIZE_MAX || strpbrk(database, "\"\\\n\r") != NULL)
        AN_FAIL(reterr, AN_E_CONFIG_VALUE, "database");
    an_buf_append(&changed, AN_BYTES(text.ptr, start));
    an_buf_printf(&changed, "\ndatabase: \"%s\"", database);
    an_buf_append(&changed, AN_BYTES(text.ptr + end, text.len - end));
    return an_file_write(path, an_buf_view(&changed), 0640, reterr);
}

static an_code
load_store(const char *dir, struct an_backup_report *report, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_asprintf("%s/antin.yaml", dir), *dump = an_asprintf("%s/" DUMP, dir),
                                  *url = NULL;
    struct an_config config = {0};
    an_code code;

    AN_TRY(an_config_load(path, &config, reterr));
    url = an_instance_database(dir, config.database);
    code = an_store_load(url, dump, reterr);
    if (code == AN_OK)
        code = check_copy(url, report, reterr);
    an_config_done(&config);
    unlink(dump);
    return code;
}

static an_code
restore_into(const char *backup, const char *dir, const char *database, const json_t *manifest,
             struct an_backup_report *report, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf root = an_buf_new(128);
    struct an_instance *instance = NULL;
    an_code code;

    AN_TRY(copy_listed(backup, dir, manifest, report, reterr));
    if (database != NULL)
        AN_TRY(set_database(dir, database, reterr));
    AN_TRY(load_store(dir, report, reterr));
    an_buf_hex(&root, AN_BYTES(report->root, 32));
    an_buf_byte(&root, 0);
    if (strcmp((const char *)root.ptr, json_string_value(json_object_get(manifest, "audit_root"))
               ? json_string_value(json_object_get(manifest, "audit_root")) : "") != 0)
        AN_FAIL(reterr, AN_E_BACKUP_CHECK, "audit log");
    AN_TRY(an_instance_open(dir, 0, &instance, reterr));
    code = an_instance_make_folders(dir, reterr);
    if (code == AN_OK)
        code = an_store_write(instance->store, note_backup, (void *)(uintptr_t)"backup.restore", reterr);
    an_instance_close(&instance);
    return code;
}

an_code
an_backup_restore(const char *backup, const char *dir, const char *database, struct an_backup_report *ret,
                  struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *full = NULL;
    json_t *manifest = NULL;
    an_code code;

    *ret = (struct an_backup_report){0};
    AN_TRY(load_manifest(backup, &manifest, reterr));
    code = an_dir_make(dir, true, reterr);
    full = code == AN_OK ? realpath(dir, NULL) : NULL;
    if (code == AN_OK && (full == NULL || !an_instance_folder_is_empty(full)))
        code = an_err_set(reterr, AN_E_INSTANCE_FOLDER, "%s", dir);
    if (code == AN_OK)
        code = restore_into(backup, full, database, manifest, ret, reterr);
    json_decref(manifest);
    return code;
}
