#include "cases.h"

#include <stdio.h>
#include <unistd.h>

const char *
vectors_folder(void)
{
    const char *folder = getenv("ANTIN_VECTORS");

    return folder && access(folder, R_OK) == 0 ? folder : NULL;
}

const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

size_t
each_case(const char *manifest, case_fn fn, void *context)
{
    char *path = an_asprintf("%s/%s.jsonl", vectors_folder(), manifest);
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0, count = 0;

    while (file && getline(&line, &size, file) > 0) {
        json_t *row = json_loads(line, 0, NULL);

        if (row) {
            fn(context, row);
            count++;
        }
        json_decref(row);
    }
    free(line);
    if (file)
        fclose(file);
    free(path);
    return count;
}

static bool
read_vector(const char *name, struct an_buf *ret)
{
    char *path = an_asprintf("%s/%s", vectors_folder(), name);
    an_code code = an_file_read(path, (size_t)64 * 1024 * 1024, ret, NULL);

    free(path);
    return code == AN_OK;
}

static void
add_certs(const json_t *names, struct an_certs *ret)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        struct an_buf content = an_buf_new((size_t)64 * 1024 * 1024);

        if (read_vector(json_string_value(json_array_get(names, i)), &content) &&
            an_certs_read(ret, an_buf_view(&content), NULL) != AN_OK)
            fprintf(stderr, "# cannot read %s\n", json_string_value(json_array_get(names, i)));
        an_buf_free(&content);
    }
}

static void
add_crls(const json_t *names, struct an_crls *ret)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        struct an_buf content = an_buf_new((size_t)64 * 1024 * 1024), der = an_buf_new((size_t)64 * 1024 * 1024);
        struct an_crl *crl = NULL;
        char label[64];
        size_t at = 0;

        if (read_vector(json_string_value(json_array_get(names, i)), &content)) {
            bool is_pem = an_pem_next(an_buf_view(&content), &at, &der, label);

            if (an_crl_parse(is_pem ? an_buf_view(&der) : an_buf_view(&content), &crl, NULL) == AN_OK)
                *an_crls_push(ret) = crl;
        }
        an_buf_free(&content);
        an_buf_free(&der);
    }
}

static bool
is_failed_stamp(const struct an_signature_report *row)
{
    if (row->is_time_stamp)
        return row->indication == AN_TOTAL_FAILED;
    for (size_t i = 0; i < row->time_stamp_count; i++)
        if (row->time_stamps[i].indication == AN_TOTAL_FAILED)
            return true;
    return false;
}

/* Neither broken nor shown to be intact: no content, no certificate, no usable key. */
static bool
is_unproven(const struct an_signature_report *row)
{
    for (size_t i = 0; i < row->finding_count; i++)
        if ((strcmp(row->findings[i].rule, "signature.value") == 0 ||
             strcmp(row->findings[i].rule, "signature.integrity") == 0) &&
            row->findings[i].status == AN_FINDING_INDETERMINATE)
            return true;
    return false;
}

static size_t
count_signatures(const struct an_report *report)
{
    size_t count = 0;

    for (size_t i = 0; i < report->signature_count; i++)
        count += !report->signatures[i].is_time_stamp;
    return count;
}

/* How a reader of the report would call it. */
static const char *
class_of(const struct case_result *result)
{
    const struct an_report *report = &result->report;
    const char *class_ = "intact";

    if (result->code == AN_E_VERIFY_UNSIGNED)
        return "no-signature";
    if (result->code != AN_OK)
        return "error";
    for (size_t i = 0; i < report->signature_count; i++)
        if (!report->signatures[i].is_time_stamp && report->signatures[i].word == AN_WORD_BROKEN)
            return "broken";
    for (size_t i = 0; i < report->signature_count; i++)
        if (report->signatures[i].word == AN_WORD_MODIFIED)
            return "modified";
    if (!count_signatures(report))
        return "no-signature";
    for (size_t i = 0; i < report->signature_count; i++) {
        if (is_failed_stamp(&report->signatures[i]))
            class_ = "timestamp-bad";
        else if (is_unproven(&report->signatures[i]) && strcmp(class_, "intact") == 0)
            class_ = "unproven";
    }
    return class_;
}

static void
take_policies(const json_t *extra, struct an_verify_options *options, const char **oids)
{
    const json_t *set = json_object_get(extra, "user_initial_policy_set");

    for (size_t i = 0; i < json_array_size(set) && i < 8; i++) {
        const char *oid = json_string_value(json_array_get(set, i));

        if (oid && oid[0] >= '0' && oid[0] <= '2')
            oids[options->policy_count++] = oid;
    }
    options->policy_oids = oids;
    options->explicit_policy = json_is_true(json_object_get(extra, "initial_explicit_policy"));
    options->inhibit_mapping = json_is_true(json_object_get(extra, "initial_policy_mapping_inhibit"));
    options->inhibit_any_policy = json_is_true(json_object_get(extra, "initial_any_policy_inhibit"));
    if (strcmp(text_of(extra, "revocation"), "require") == 0)
        options->revocation = AN_REVOCATION_REQUIRE + 1;
}

static void
read_named(const json_t *detached, struct case_files *files)
{
    for (size_t i = 0; i < json_array_size(detached) && i < AN_COUNT(files->named); i++) {
        const char *path = json_string_value(json_array_get(detached, i)), *slash = strrchr(path, '/');

        files->named_bytes[i] = an_buf_new((size_t)64 * 1024 * 1024);
        read_vector(path, &files->named_bytes[i]);
        files->named[i] = (struct an_named_content){slash ? slash + 1 : path, an_buf_view(&files->named_bytes[i])};
        files->named_count = i + 1;
    }
}

/* The line of a table that starts with this identifier and a tab, without both; AN_NONE when there is none. */
static an_bytes
find_line(an_bytes table, const char *id)
{
    char *key = an_asprintf("\n%s\t", id);
    size_t at = an_bytes_find(table, an_bytes_of_str(key), 0), end;
    an_bytes line = AN_NONE;

    if (at != SIZE_MAX) {
        at += strlen(key);
        end = an_bytes_find(table, AN_LIT("\n"), at);
        line = an_bytes_slice(table, at, (end == SIZE_MAX ? table.len : end) - at);
    }
    free(key);
    return line;
}

static an_bytes
find_row(const char *variable, const char *id, struct an_buf *table)
{
    const char *path = getenv(variable);

    *table = an_buf_new((size_t)1024 * 1024);
    if (!path || an_file_read(path, (size_t)1024 * 1024, table, NULL) != AN_OK)
        return AN_NONE;
    return find_line(an_buf_view(table), id);
}

/* contents.tsv: what another suite signed in memory. True when this case has such a content. */
static bool
read_published(const char *id, struct an_buf *ret)
{
    struct an_buf table;
    an_bytes row = find_row("ANTIN_CONTENTS", id, &table);
    size_t tab = an_bytes_find(row, AN_LIT("\t"), 0);
    an_bytes content = tab != SIZE_MAX ? an_bytes_slice(row, tab + 1, row.len - tab - 1) : AN_NONE;

    if (tab == SIZE_MAX)
        content = AN_NONE;
    else if (an_bytes_starts_with(content, AN_LIT("hex:")))
        an_hex_decode(ret, an_bytes_slice(content, 4, content.len - 4));
    else
        an_buf_append(ret, content);
    an_buf_free(&table);
    return tab != SIZE_MAX;
}

static void
read_files(const json_t *row, struct case_files *files)
{
    const json_t *extra = json_object_get(row, "extra");
    const json_t *detached = json_object_get(extra, "detached");

    *files = (struct case_files){.content = an_buf_new((size_t)64 * 1024 * 1024)};
    add_certs(json_object_get(row, "anchor"), &files->anchors);
    add_certs(json_object_get(extra, "intermediates"), &files->untrusted);
    add_crls(json_object_get(extra, "crls"), &files->crls);
    if (read_published(text_of(row, "id"), &files->content))
        return;
    if (json_array_size(detached) > 1)
        read_named(detached, files);
    else if (json_array_size(detached))
        read_vector(json_string_value(json_array_get(detached, 0)), &files->content);
    else if (text_of(extra, "content")[0])
        read_vector(text_of(extra, "content"), &files->content);
}

static void
files_done(struct case_files *files)
{
    an_certs_done(&files->anchors);
    an_certs_done(&files->untrusted);
    an_crls_unref(&files->crls);
    an_ocsps_unref(&files->ocsps);
    an_buf_free(&files->content);
    for (size_t i = 0; i < files->named_count; i++)
        an_buf_free(&files->named_bytes[i]);
}

void
run_case(struct an_verifier *verifier, const json_t *row, const char *policy, struct case_result *ret)
{
    struct case_files files;
    struct an_verify_options options = {.policy = policy, .content_fd = -1, .at = AN_TIME_NONE};
    const char *oids[8], *time = text_of(row, "time");
    char *path = an_asprintf("%s/%s", vectors_folder(), text_of(row, "file"));
    struct an_file file = AN_FILE_NONE;

    *ret = (struct case_result){0};
    read_files(row, &files);
    options.anchors = &files.anchors;
    options.untrusted = &files.untrusted;
    options.crls = &files.crls;
    options.ocsps = &files.ocsps;
    options.content = files.content.len ? an_buf_view(&files.content) : AN_NONE;
    options.named = files.named;
    options.named_count = files.named_count;
    if (time[0])
        options.at = an_time_parse(an_bytes_of_str(time));
    take_policies(json_object_get(row, "extra"), &options, oids);
    ret->code = an_file_open(path, 0, &file, &ret->err);
    if (ret->code == AN_OK)
        ret->code = an_verify_file(verifier, &file, &options, &ret->report, &ret->err);
    ret->class_ = class_of(ret);
    an_file_close(&file);
    files_done(&files);
    free(path);
}

void
case_result_done(struct case_result *result)
{
    an_report_done(&result->report);
}

enum exception
exception_of(const char *id)
{
    static const struct { const char *word; enum exception kind; } kinds[] = {
        {"said\t", EXCEPT_SAID}, {"silent\t", EXCEPT_SILENT}, {"absent\t", EXCEPT_ABSENT}, {"other\t", EXCEPT_OTHER},
    };
    enum exception found = EXCEPT_NONE;
    struct an_buf table;
    an_bytes row = find_row("ANTIN_EXCEPTIONS", id, &table);

    for (size_t i = 0; i < AN_COUNT(kinds); i++)
        if (an_bytes_starts_with(row, an_bytes_of_str(kinds[i].word)))
            found = kinds[i].kind;
    an_buf_free(&table);
    return found;
}
