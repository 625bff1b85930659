/*
 * Proofs of existence in containers (EN 319 162-1, A.5 to A.7): a time-stamp over an ASiCArchiveManifest and an
 * evidence record prove that every file which the manifest names existed at their time: its signatures, certificates,
 * lists and time-stamps.
 */
#include "verify/asic.h"

static bool
is_prover(const struct asic_file *file)
{
    return file->kind == ASIC_STAMP || file->kind == ASIC_RECORD;
}

static bool
is_signed_file(const struct asic_file *file)
{
    return is_prover(file) || file->kind == ASIC_CMS || file->kind == ASIC_XML;
}

static bool
names(struct asic *container, const struct asic_file *prover, const struct asic_file *file)
{
    const struct asic_file *manifest = asic_manifest_of(container, prover);

    for (size_t i = 0; manifest && i < manifest->manifest->count; i++)
        if (asic_find(container, manifest->manifest->entries[i].uri) == file)
            return true;
    return false;
}

static bool
waits(struct asic *container, const struct asic_file *file)
{
    for (size_t i = 0; i < container->count; i++) {
        const struct asic_file *prover = &container->files[i];

        if (prover != file && !prover->judged && is_prover(prover) && names(container, prover, file))
            return true;
    }
    return false;
}

/* What nothing unjudged covers; when they cover each other in a ring, the first. */
struct asic_file *
asic_next(struct asic *container)
{
    struct asic_file *first = NULL;

    for (size_t i = 0; i < container->count; i++) {
        struct asic_file *file = &container->files[i];

        if (file->judged || !is_signed_file(file))
            continue;
        if (!first)
            first = file;
        if (!waits(container, file))
            return file;
    }
    return first;
}

void
asic_prove(struct asic *container, const struct asic_file *file, size_t first, bool is_manifest_right)
{
    const struct an_report *report = container->job->report;
    const struct asic_file *manifest = is_prover(file) ? asic_manifest_of(container, file) : NULL;
    const struct an_signature_report *row = report->signature_count > first ? &report->signatures[first] : NULL;
    bool proves = row && is_manifest_right && row->indication == AN_TOTAL_PASSED && row->best_time != AN_TIME_NONE &&
                  row->best_time <= container->job->now;

    for (size_t i = 0; manifest && row && i < manifest->manifest->count; i++) {
        struct asic_file *named = asic_find(container, manifest->manifest->entries[i].uri);

        if (!named || named == file)
            continue;
        named->is_sealed = named->is_sealed || (is_manifest_right && row->indication != AN_TOTAL_FAILED);
        if (proves && (named->exists_since == AN_TIME_NONE || row->best_time < named->exists_since))
            named->exists_since = row->best_time;
    }
}

/* Long-term material that something newer seals. */
void
asic_settle_levels(const struct asic_file *file, struct an_report *report, size_t first)
{
    for (size_t i = first; file->is_sealed && i < report->signature_count; i++)
        if (strcmp(report->signatures[i].level, "B-LT") == 0)
            report->signatures[i].level = "B-LTA";
}

void
asic_order_rows(struct an_report *report)
{
    struct an_signature_report *rows = an_new_array(report->signature_count + 1, sizeof(*rows));
    size_t count = 0;

    for (int stamps = 0; stamps < 2; stamps++)
        for (size_t i = 0; i < report->signature_count; i++)
            if (report->signatures[i].is_time_stamp == (stamps == 1))
                rows[count++] = report->signatures[i];
    if (count)
        memcpy(report->signatures, rows, count * sizeof(*rows));
    free(rows);
}
