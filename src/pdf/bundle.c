/*
 * Groups of objects with fixed content that a file holds once: the picture of a seal, the subset of a font. A later
 * signature refers to the ones that are there, after comparing every byte.
 */
#include "pdf/append.h"

#include <stdio.h>

void
an_pdf_bundle_done(struct an_pdf_bundle *bundle)
{
    for (size_t i = 0; i < AN_PDF_BUNDLE_MAX; i++) {
        an_buf_free(&bundle->parts[i].dict);
        an_buf_free(&bundle->parts[i].data);
    }
    bundle->count = 0;
}

void
an_pdf_bundle_seal(struct an_pdf_bundle *bundle)
{
    struct an_hash *hash = an_hash_new(AN_SHA256);
    uint8_t digest[AN_DIGEST_MAX];

    AN_ASSERT(bundle->count > 0 && bundle->count <= AN_PDF_BUNDLE_MAX);
    for (size_t i = 0; i < bundle->count; i++) {
        an_hash_update(hash, an_buf_view(&bundle->parts[i].dict));
        an_hash_update(hash, an_buf_view(&bundle->parts[i].data));
    }
    an_hash_final(hash, digest);
    an_hash_free(&hash);
    for (size_t i = 0; i < 16; i++)
        snprintf(bundle->marker + 2 * i, 3, "%02x", digest[i]);
    an_buf_printf(&bundle->parts[bundle->count - 1].dict, "/AnTinDigest/%s", bundle->marker);
}

/* Writes the dictionary with its references and strings filled in; first: number of part 0. */
static void
fill_in(struct an_pdf_append *append, an_bytes dict, uint32_t first)
{
    for (size_t i = 0; i < dict.len; i++) {
        if (dict.ptr[i] == 1 && i + 1 < dict.len) {
            an_pdf_emit_ref(append->out, first + dict.ptr[++i], 0);
        } else if (dict.ptr[i] == 2) {
            size_t end = an_bytes_find(dict, AN_LIT("\x02"), i + 1);

            AN_ASSERT(end != SIZE_MAX);
            an_pdf_emit_string(append, AN_BYTES(dict.ptr + i + 1, end - i - 1));
            i = end;
        } else {
            an_buf_byte(append->out, dict.ptr[i]);
        }
    }
}

static void
write_part(struct an_pdf_append *append, const struct an_pdf_piece *part, uint32_t num, uint32_t first)
{
    AN_CLEANUP(an_buf_free) struct an_buf dict = an_buf_new(AN_BUF_UNLIMITED);
    struct an_buf *out = append->out;

    if (part->is_stream) {
        append->out = &dict;
        fill_in(append, an_buf_view(&part->dict), first);
        append->out = out;
        an_pdf_append_stream(append, num, an_buf_view(&dict), an_buf_view(&part->data));
        return;
    }
    an_pdf_append_open(append, num, 0);
    an_buf_str(append->out, "<<");
    fill_in(append, an_buf_view(&part->dict), first);
    an_buf_str(append->out, ">>");
    an_pdf_append_close(append);
}

uint32_t
an_pdf_bundle_write(struct an_pdf_append *append, const struct an_pdf_bundle *bundle)
{
    uint32_t first = append->next_num;

    append->next_num += (uint32_t)bundle->count;
    for (size_t i = 0; i < bundle->count; i++)
        write_part(append, &bundle->parts[i], first + (uint32_t)i, first);
    return first + (uint32_t)bundle->count - 1;
}

/* The object in the file, from its dictionary on, is what would be written now. */
static bool
piece_is_at(struct an_pdf_append *append, const struct an_pdf_piece *part, uint32_t num, uint32_t first)
{
    AN_CLEANUP(an_buf_free) struct an_buf again = an_buf_new(AN_BUF_UNLIMITED);
    const struct an_pdf_obj *there = an_pdf_object(append->pdf, AN_PDF_NOW, num);
    struct an_pdf_append rehearsal = *append;
    an_bytes want;
    bool same;

    if (there->container != 0 || there->gen != 0 ||
        there->kind != (part->is_stream ? AN_PDF_STREAM : AN_PDF_DICT))
        return false;
    rehearsal.out = &again;
    rehearsal.written = (struct an_pdf_writtens){0};
    rehearsal.holes = (struct an_pdf_holes){0};
    write_part(&rehearsal, part, num, first);
    an_pdf_append_done(&rehearsal);
    want = an_buf_view(&again);
    want = an_bytes_slice(want, an_bytes_find(want, AN_LIT("<<"), 0), want.len);
    same = an_bytes_eq(an_bytes_slice(an_pdf_file(append->pdf), there->offset, want.len), want);
    return same && rehearsal.failed == AN_OK;
}

bool
an_pdf_bundle_is_at(struct an_pdf_append *append, const struct an_pdf_bundle *bundle, uint32_t num)
{
    uint32_t first = num - (uint32_t)bundle->count + 1;

    if (num < bundle->count)
        return false;
    for (size_t i = bundle->count; i-- > 0;)
        if (!piece_is_at(append, &bundle->parts[i], first + (uint32_t)i, first))
            return false;
    return true;
}
