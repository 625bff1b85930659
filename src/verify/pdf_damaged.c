/*
 * A PDF whose structure cannot be read any more but that shows a signature in its bytes (cut short, a bit flipped in
 * the cross-reference): "the file is malformed" would hide what the clerk has to know, that a signed document was
 * damaged.
 */
#include <sys/mman.h>

#include "verify/pdf_reader.h"

#define SEEN_MAX 64
#define WINDOW ((size_t)8 * 1024 * 1024) /* a multiple of every page size */

static bool
is_space(uint8_t c)
{
    return c == ' ' || c == '\r' || c == '\n' || c == '\t' || c == '\f' || c == 0;
}

/* "/ByteRange" followed by "[": a signature dictionary, not a word in some text. */
static bool
is_range(an_bytes file, size_t at)
{
    at += sizeof("/ByteRange") - 1;
    while (at < file.len && is_space(file.ptr[at]))
        at++;
    return at < file.len && file.ptr[at] == '[';
}

/* A window at a time, each given back: memory does not grow with the file. */
static size_t
count_ranges(const struct an_file *file, size_t *offsets)
{
    const size_t word = sizeof("/ByteRange") - 1;
    size_t count = 0;

    for (size_t start = 0; start < file->bytes.len && count < SEEN_MAX; start += WINDOW) {
        an_bytes window = an_bytes_slice(file->bytes, start, WINDOW + word - 1);
        size_t at = 0;

        while (count < SEEN_MAX && (at = an_bytes_find(window, AN_LIT("/ByteRange"), at)) != SIZE_MAX) {
            if (is_range(file->bytes, start + at))
                offsets[count++] = start + at;
            at++;
        }
        /* Never past the end: what lies behind the mapping may be anything, a library's data too. */
        if (file->mapping && file->bytes.ptr == file->mapping && file->bytes.len > WINDOW)
            (void)madvise((uint8_t *)file->mapping + start, an_bytes_slice(file->bytes, start, WINDOW).len,
                          MADV_DONTNEED);
    }
    return count;
}

bool
an_pdf_report_damaged(struct an_job *job, an_code why, const char *detail, size_t rights)
{
    size_t offsets[SEEN_MAX];
    size_t count = count_ranges(job->file, offsets);

    if (count <= rights) /* those of usage rights are no signatures of anybody's */
        return false;
    an_report_reserve(job, count);
    for (size_t i = 0; i < count; i++) {
        struct an_case sig;

        an_case_begin(&sig, job, "PDF");
        sig.report->field = an_asprintf("#%zu", i + 1);
        an_step_set(&sig.structure, AN_FINDING_FAILED, AN_V_FORMAT_DAMAGED, "offset %zu; %.60s: %.80s", offsets[i],
                    an_message_find(why)->en, detail);
        an_step_set(&sig.data, AN_FINDING_SKIPPED, AN_V_DATA_MISSING, "%s", "");
        an_case_conclude(&sig);
        an_case_done(&sig);
    }
    an_effect_conclude(job, false);
    return true;
}
