/*
 * Digests of signed ranges. All signatures of a file begin with the same bytes, up to the first value that one of them
 * leaves out: these are digested once, however many signatures and time-stamps there are.
 */
#include "verify/pdf_reader.h"

#define HASH_MAPPED_MAX ((uint64_t)4 * 1024 * 1024) /* larger ranges are streamed: mapped pages would count as ours */

static bool
range_is_inside(const struct an_pdf_row *row, uint64_t size)
{
    const uint64_t *range = row->field->byte_range;

    return row->field->has_byte_range && range[0] <= size && range[1] <= size - range[0] && range[2] <= size &&
           range[3] <= size - range[2];
}

/* How many bytes all ranges that begin the file have in common. */
static uint64_t
common_length(const struct an_pdf_reader *reader)
{
    uint64_t least = UINT64_MAX;

    for (size_t i = 0; i < reader->count; i++) {
        const struct an_pdf_row *row = &reader->rows[i];

        if (range_is_inside(row, reader->job->file->bytes.len) && row->field->byte_range[0] == 0 &&
            row->field->byte_range[1] < least)
            least = row->field->byte_range[1];
    }
    return least;
}

/* The digest of what is in common, to go on from; the caller frees. */
static struct an_hash *
begin_hash(struct an_pdf_reader *reader, enum an_digest digest, uint64_t *ret_done)
{
    if (reader->count < 2) {
        *ret_done = 0;
        return an_hash_new(digest);
    }
    if (!reader->common || reader->common_digest != digest) {
        an_hash_free(&reader->common);
        reader->common = an_hash_new(digest);
        reader->common_digest = digest;
        reader->common_len = common_length(reader);
        an_hash_update(reader->common, an_bytes_slice(reader->job->file->bytes, 0, reader->common_len));
    }
    *ret_done = reader->common_len;
    return an_hash_dup(reader->common);
}

static void
digest_mapped(struct an_pdf_reader *reader, const uint64_t *range, enum an_digest digest, uint8_t *ret)
{
    an_bytes file = reader->job->file->bytes;
    struct an_hash *hash;
    uint64_t done = 0;

    hash = range[0] == 0 ? begin_hash(reader, digest, &done) : an_hash_new(digest);
    an_hash_update(hash, an_bytes_slice(file, range[0] + done, range[1] - done));
    an_hash_update(hash, an_bytes_slice(file, range[2], range[3]));
    an_hash_final(hash, ret);
    an_hash_free(&hash);
}

bool
an_pdf_range_digest(struct an_pdf_reader *reader, const struct an_pdf_row *row, enum an_digest digest,
                    uint8_t ret[static AN_DIGEST_MAX])
{
    const struct an_file *file = reader->job->file;
    const uint64_t *range = row->field->byte_range;

    if (digest == AN_DIGEST_NONE || !range_is_inside(row, file->bytes.len))
        return false;
    if (file->fd >= 0 && range[1] + range[3] > HASH_MAPPED_MAX) {
        struct an_range ranges[2] = {{range[0], range[1]}, {range[2], range[3]}};

        return an_hash_file_ranges(digest, file->fd, ranges, 2, ret, NULL) == AN_OK;
    }
    digest_mapped(reader, range, digest, ret);
    return true;
}
