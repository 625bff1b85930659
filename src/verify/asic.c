/*
 * Containers (EN 319 162-1): ASiC-S and ASiC-E with CAdES or XAdES, and their relatives (BDOC, signed OpenDocument).
 * antin-xml unpacks; here it is decided which file signs what, in asic_proof.c what proves what. A container in which
 * the two do not agree is refused, and a file that no signature covers is said to be so.
 */
#include <strings.h>

#include "verify/asic.h"

bool
an_asic_detect(an_bytes head)
{
    return an_bytes_starts_with(head, AN_LIT("PK\3\4"));
}

/* ---- what each file is ---- */
static bool
ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), tail = strlen(end);

    return len >= tail && strcasecmp(text + len - tail, end) == 0;
}

static enum asic_kind
kind_of(const char *name)
{
    const char *base = name + strlen("META-INF/");

    if (strcmp(name, "mimetype") == 0)
        return ASIC_MIMETYPE;
    if (strncasecmp(name, "META-INF/", strlen("META-INF/")) != 0)
        return ASIC_DATA;
    if (strncasecmp(base, "ASiC", 4) == 0 && strcasestr(base, "Manifest") && ends_with(base, ".xml"))
        return ASIC_MANIFEST;
    if (strcasestr(base, "signature") && (ends_with(base, ".p7s") || ends_with(base, ".p7m")))
        return ASIC_CMS;
    if (strcasestr(base, "signature") && ends_with(base, ".xml"))
        return ASIC_XML;
    if (strcasestr(base, "evidencerecord") && (ends_with(base, ".ers") || ends_with(base, ".xml")))
        return ASIC_RECORD;
    return ends_with(base, ".tst") ? ASIC_STAMP : ASIC_OTHER;
}

static void
classify(struct asic *container)
{
    const struct an_zip *zip = container->zip;

    container->files = an_new_array(zip->count + 1, sizeof(*container->files));
    container->parts = an_new_array(zip->count + 1, sizeof(*container->parts));
    container->count = zip->count;
    for (size_t i = 0; i < zip->count; i++) {
        struct asic_file *file = &container->files[i];

        file->entry = &zip->entries[i];
        file->kind = kind_of(zip->entries[i].name);
        file->exists_since = AN_TIME_NONE;
        container->data_count += file->kind == ASIC_DATA;
        container->parts[i] = (struct an_xml_part){zip->entries[i].name, zip->entries[i].bytes};
        if (file->kind == ASIC_MIMETYPE)
            container->is_simple = an_bytes_find(file->entry->bytes, AN_LIT("asic-s+zip"), 0) != SIZE_MAX;
    }
}

static struct asic_file *
find_file(struct asic *container, const char *name)
{
    if (strncmp(name, "./", 2) == 0)
        name += 2;
    for (size_t i = 0; i < container->count; i++)
        if (strcmp(container->files[i].entry->name, name) == 0)
            return &container->files[i];
    return NULL;
}

static size_t
count_kind(const struct asic *container, enum asic_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < container->count; i++)
        count += container->files[i].kind == kind;
    return count;
}

static void
break_container(struct asic *container, an_code code, const char *detail)
{
    if (container->step.status != AN_FINDING_FAILED)
        an_step_set(&container->step, AN_FINDING_FAILED, code, "%.180s", detail);
}

/* ---- manifests ---- */
static an_code
read_manifests(struct asic *container, struct an_err *reterr)
{
    for (size_t i = 0; i < container->count; i++) {
        struct asic_file *file = &container->files[i];
        struct an_err err = {0};
        an_code code;

        if (file->kind != ASIC_MANIFEST)
            continue;
        code = an_manifest_read(container->job->verifier->xml, file->entry->bytes, &file->manifest, &err);
        if (code != AN_OK && code != AN_E_XML_PARSE) {
            if (reterr)
                *reterr = err;
            return code;
        }
    }
    return AN_OK;
}

/* Names in manifests are URIs: percent-encoded UTF-8. */
struct asic_file *
asic_find(struct asic *container, const char *uri)
{
    struct an_buf decoded = an_buf_new(8192);
    struct asic_file *found;
    char *name;

    for (const char *at = uri; *at; at++) {
        char hex[3] = {0};

        if (*at == '%' && strspn(at + 1, "0123456789abcdefABCDEF") >= 2) {
            memcpy(hex, at + 1, 2);
            an_buf_byte(&decoded, (uint8_t)strtoul(hex, NULL, 16));
            at += 2;
        } else {
            an_buf_byte(&decoded, (uint8_t)*at);
        }
    }
    name = an_buf_take_str(&decoded);
    found = find_file(container, uri);
    if (!found)
        found = find_file(container, name);
    /* encoded as forms are: only when nothing is called so */
    for (char *at = strchr(name, '+'); at; at = strchr(at, '+'))
        *at = ' ';
    if (!found)
        found = find_file(container, name);
    free(name);
    return found;
}

/* Every file that the manifest names must be there with the digest that was signed. */
static void
check_manifest(struct asic *container, const struct an_manifest *manifest, struct an_step *step)
{
    uint8_t digest[AN_DIGEST_MAX];

    if (!manifest->count)
        an_step_set(step, AN_FINDING_FAILED, AN_V_ASIC_STRUCTURE, "%s", "ASiCManifest without DataObjectReference");
    for (size_t i = 0; i < manifest->count; i++) {
        const struct an_manifest_entry *entry = &manifest->entries[i];
        struct asic_file *file = asic_find(container, entry->uri);

        if (!file || entry->digest <= AN_DIGEST_NONE || entry->digest > AN_RIPEMD160) {
            an_step_set(step, AN_FINDING_FAILED, AN_V_ASIC_MANIFEST, "%.180s", entry->uri);
            continue;
        }
        an_hash_once((enum an_digest)entry->digest, file->entry->bytes, digest);
        if (!an_bytes_eq(AN_BYTES(digest, an_digest_size((enum an_digest)entry->digest)), entry->value))
            an_step_set(step, AN_FINDING_FAILED, AN_V_ASIC_MANIFEST, "%.180s", entry->uri);
    }
}

struct asic_file *
asic_manifest_of(struct asic *container, const struct asic_file *signature)
{
    for (size_t i = 0; i < container->count; i++)
        if (container->files[i].manifest &&
            asic_find(container, container->files[i].manifest->sig_uri) == signature)
            return &container->files[i];
    return NULL;
}

static struct asic_file *
only_data(struct asic *container)
{
    for (size_t i = 0; i < container->count && container->data_count == 1; i++)
        if (container->files[i].kind == ASIC_DATA)
            return &container->files[i];
    return NULL;
}

/* ---- signature files ---- */
/* A CMS object signs its manifest, or in ASiC-S the one data object. */
static an_code
verify_cms_file(struct asic *container, struct asic_file *file, struct an_step *ret_step, struct an_err *reterr)
{
    struct asic_file *manifest = asic_manifest_of(container, file), *data = manifest ? manifest : only_data(container);
    struct an_step step = container->step;
    an_code code;

    if (manifest && step.status != AN_FINDING_FAILED)
        check_manifest(container, manifest->manifest, &step);
    else if (!data && step.status != AN_FINDING_FAILED)
        an_step_set(&step, AN_FINDING_FAILED, AN_V_ASIC_STRUCTURE, "%.100s: no manifest, %zu data objects",
                    file->entry->name, container->data_count);
    if (data)
        data->covered = true;
    container->job->container = &step;
    code = an_cms_verify_object(container->job, file->entry->bytes, data ? data->entry->bytes : AN_LIT(""), "CAdES",
                                reterr);
    container->job->container = NULL;
    *ret_step = step;
    return code;
}

static an_code
verify_xml_file(struct asic *container, struct asic_file *file, struct an_err *reterr)
{
    an_code code;

    container->job->container = container->step.status == AN_FINDING_FAILED ? &container->step : NULL;
    code = an_xml_verify_object(container->job, file->entry->bytes, container->parts, container->zip->count, reterr);
    container->job->container = NULL;
    return code;
}

/* An evidence record protects the files that its manifest names, or the one data object. */
static an_code
verify_record_file(struct asic *container, struct asic_file *file, struct an_step *ret_step, struct an_err *reterr)
{
    struct asic_file *manifest = asic_manifest_of(container, file), *data = only_data(container);
    size_t room = manifest ? manifest->manifest->count : 1, count = 0;
    an_bytes *objects = an_new_array(room, sizeof(*objects));
    struct an_record_data group = {.objects = objects};
    struct an_step step = container->step;
    an_code code;

    /* The one data object is not to be told from the others: what the record protects is not known. */
    if (container->is_simple && container->data_count != 1)
        step = (struct an_step){0};
    else if (manifest && step.status != AN_FINDING_FAILED)
        check_manifest(container, manifest->manifest, &step);
    container->job->container = &step;
    for (size_t i = 0; manifest && i < manifest->manifest->count; i++) {
        const struct asic_file *named = asic_find(container, manifest->manifest->entries[i].uri);

        group.digest = (enum an_digest)manifest->manifest->entries[i].digest;
        if (named)
            objects[count++] = named->entry->bytes;
    }
    if (!manifest && data)
        objects[count++] = data->entry->bytes;
    group.count = manifest && count < manifest->manifest->count ? 0 : count;
    code = an_record_verify_object(container->job, file->entry->bytes, ends_with(file->entry->name, ".xml"), &group,
                                   reterr);
    container->job->container = NULL;
    *ret_step = step;
    free(objects);
    return code;
}

/* What a manifest names, when a signature stands behind it. A time-stamp says only when a file existed, not who answers
 * for it: it counts where nobody signed anything. */
static void
cover_by_manifest(struct asic *container, const struct an_manifest *manifest, bool has_signers)
{
    const struct asic_file *by = asic_find(container, manifest->sig_uri);

    if (!by || (has_signers ? by->kind != ASIC_CMS : by->kind != ASIC_STAMP && by->kind != ASIC_RECORD))
        return;
    for (size_t i = 0; i < manifest->count; i++) {
        struct asic_file *file = asic_find(container, manifest->entries[i].uri);

        if (file)
            file->covered = true;
    }
}

/* What the references of XML signatures name; asked before anything is judged. */
static void
cover_by_reference(struct asic *container, const struct an_xml_document *document)
{
    for (size_t i = 0; i < document->signature_count; i++)
        for (size_t j = 0; j < document->signatures[i].reference_count; j++) {
            struct asic_file *file = asic_find(container, document->signatures[i].references[j].uri);

            if (file)
                file->covered = true;
        }
}

static an_code
find_covered(struct asic *container, struct an_err *reterr)
{
    bool has_signers = count_kind(container, ASIC_CMS) + count_kind(container, ASIC_XML) > 0;

    for (size_t i = 0; i < container->count; i++) {
        struct asic_file *file = &container->files[i];
        struct an_xml_document *document = NULL;

        if (file->manifest)
            cover_by_manifest(container, file->manifest, has_signers);
        if (file->kind != ASIC_XML)
            continue;
        AN_TRY(an_xml_read(container->job->verifier->xml, file->entry->bytes, NULL, 0, &document, reterr));
        cover_by_reference(container, document);
        an_xml_document_free(&document);
    }
    return AN_OK;
}

/* ---- the container as a whole ---- */
static void
check_structure(struct asic *container)
{
    if (container->is_simple && container->data_count != 1)
        break_container(container, AN_V_ASIC_STRUCTURE, "ASiC-S holds one data object");
    if (container->is_simple && count_kind(container, ASIC_CMS) + count_kind(container, ASIC_XML) > 1)
        break_container(container, AN_V_ASIC_STRUCTURE, "ASiC-S holds one signature file");
}

/* A file beside signed ones that no signature covers: it came from anyone. */
static void
check_uncovered(struct asic *container)
{
    for (size_t i = 0; i < container->count; i++) {
        const struct asic_file *file = &container->files[i];

        if (file->kind != ASIC_DATA || file->covered || container->step.status == AN_FINDING_FAILED ||
            (container->data_count == 1 && !count_kind(container, ASIC_MANIFEST)))
            continue;
        an_step_set(&container->step, AN_FINDING_INDETERMINATE, AN_V_ASIC_PART, "%.180s", file->entry->name);
    }
}

static void
tell_uncovered(struct asic *container)
{
    struct an_report *report = container->job->report;

    if (container->step.status != AN_FINDING_INDETERMINATE)
        return;
    for (size_t i = 0; i < report->signature_count; i++) {
        struct an_signature_report *row = &report->signatures[i];

        an_finding_add(row, "container.coverage", AN_FINDING_INDETERMINATE, AN_V_ASIC_PART, "%s",
                       container->step.detail);
        if (row->indication != AN_TOTAL_PASSED)
            continue;
        row->indication = AN_INDETERMINATE;
        row->sub_indication = an_sub_name(AN_SUB_SIG_CONSTRAINTS_FAILURE);
        row->word = AN_WORD_NOT_ENOUGH;
    }
}

static an_code
verify_one(struct asic *container, struct asic_file *file, struct an_err *reterr)
{
    struct an_job *job = container->job;
    size_t first = job->report->signature_count;
    struct an_step step = {0};
    an_code code = AN_OK;

    file->judged = true;
    an_poe_begin_file(job, file->exists_since);
    if (file->kind == ASIC_XML)
        code = verify_xml_file(container, file, reterr);
    else if (file->kind == ASIC_RECORD)
        code = verify_record_file(container, file, &step, reterr);
    else
        code = verify_cms_file(container, file, &step, reterr);
    an_poe_begin_file(job, AN_TIME_NONE);
    if (code == AN_E_VERIFY_UNSIGNED && job->report->signature_count)
        code = AN_OK;
    if (code == AN_OK) {
        asic_settle_levels(file, job->report, first);
        asic_prove(container, file, first, step.status != AN_FINDING_FAILED);
    }
    return code;
}

static an_code
verify_files(struct asic *container, struct an_err *reterr)
{
    struct asic_file *file;

    while ((file = asic_next(container)))
        AN_TRY(verify_one(container, file, reterr));
    asic_order_rows(container->job->report);
    return AN_OK;
}

static an_code
verify_container(struct asic *container, struct an_err *reterr)
{
    size_t signatures = count_kind(container, ASIC_CMS) + count_kind(container, ASIC_XML) +
                        count_kind(container, ASIC_STAMP) + count_kind(container, ASIC_RECORD);

    if (!signatures && !count_kind(container, ASIC_MIMETYPE) && !count_kind(container, ASIC_OTHER) &&
        !count_kind(container, ASIC_MANIFEST))
        AN_FAIL(reterr, AN_E_VERIFY_FORMAT, "a ZIP without signatures");
    if (!signatures)
        AN_FAIL(reterr, AN_E_VERIFY_UNSIGNED, "container without signatures");
    if (signatures > AN_LIMIT_XML_SIGNATURES)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu signature files", signatures);
    AN_TRY(read_manifests(container, reterr));
    AN_TRY(find_covered(container, reterr));
    check_structure(container);
    check_uncovered(container);
    AN_TRY(verify_files(container, reterr));
    tell_uncovered(container);
    an_effect_conclude(container->job, false);
    return AN_OK;
}

an_code
an_asic_verify(struct an_job *job, struct an_err *reterr)
{
    struct asic container = {.job = job};
    an_code code;

    AN_TRY(an_zip_read(job->verifier->xml, job->file->bytes, &container.zip, reterr));
    job->in_container = true;
    classify(&container);
    code = verify_container(&container, reterr);
    for (size_t i = 0; i < container.count; i++)
        an_manifest_free(&container.files[i].manifest);
    free(container.files);
    free(container.parts);
    an_zip_free(&container.zip);
    return code;
}
