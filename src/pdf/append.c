/*
 * One incremental update (ISO 32000-2, 7.5.6): objects, a cross-reference section in the style of the file, a
 * trailer. What stands in the file already is never touched; the same input gives the same bytes.
 */
#include "pdf/append.h"

#include "base/limits.h"

#include <inttypes.h>

#define CLASSIC_OFFSET_MAX UINT64_C(9999999999) /* ten digits */

an_code
an_pdf_append_begin(struct an_pdf_append *append, struct an_pdf *pdf, struct an_buf *out, struct an_err *reterr)
{
    an_bytes file = an_pdf_file(pdf);

    *append = (struct an_pdf_append){.pdf = pdf, .out = out, .base = file.len};
    an_pdf_tail(pdf, &append->tail);
    append->encrypts = an_pdf_is_encrypted(pdf);
    append->next_num = append->tail.next_num;
    if (append->next_num == 0 || append->next_num > AN_LIMIT_PDF_OBJECTS)
        AN_FAIL(reterr, AN_E_PDF_APPEND, "/Size %u", append->next_num);
    if (file.len > 0 && file.ptr[file.len - 1] != '\n' && file.ptr[file.len - 1] != '\r')
        an_buf_byte(out, '\n');
    return AN_OK;
}

void
an_pdf_append_done(struct an_pdf_append *append)
{
    an_pdf_writtens_done(&append->written);
    an_pdf_holes_done(&append->holes);
}

uint32_t
an_pdf_append_new(struct an_pdf_append *append)
{
    return append->next_num++;
}

uint64_t
an_pdf_append_position(const struct an_pdf_append *append)
{
    return append->base + append->out->len;
}

static void
note_written(struct an_pdf_append *append, uint32_t num, uint16_t gen)
{
    struct an_pdf_written *written = an_pdf_writtens_push(&append->written);

    written->num = num;
    written->gen = gen;
    written->offset = an_pdf_append_position(append) - append->tail.bias;
}

void
an_pdf_append_open(struct an_pdf_append *append, uint32_t num, uint16_t gen)
{
    note_written(append, num, gen);
    append->num = num;
    append->gen = gen;
    an_buf_printf(append->out, "%u %u obj\n", num, (unsigned)gen);
}

void
an_pdf_append_close(struct an_pdf_append *append)
{
    an_buf_str(append->out, "\nendobj\n");
}

void
an_pdf_append_skip(struct an_pdf_append *append, uint64_t offset, uint64_t len)
{
    *an_pdf_holes_push(&append->holes) = (struct an_range){offset - append->base, len};
}

void
an_pdf_append_stream(struct an_pdf_append *append, uint32_t num, an_bytes dict, an_bytes data)
{
    AN_CLEANUP(an_buf_free) struct an_buf cipher = an_buf_new(AN_BUF_UNLIMITED);

    if (append->encrypts && append->failed == AN_OK) {
        append->failed = an_pdf_crypt_stream(append->pdf, num, 0, data, &cipher, &append->err);
        data = an_buf_view(&cipher);
    }
    an_pdf_append_open(append, num, 0);
    an_buf_str(append->out, "<<");
    an_buf_append(append->out, dict);
    an_buf_printf(append->out, "/Length %zu>>\nstream\n", data.len);
    if (data.len > 4096)
        an_pdf_append_skip(append, an_pdf_append_position(append), data.len);
    an_buf_append(append->out, data);
    an_buf_str(append->out, "\nendstream");
    an_pdf_append_close(append);
}

/* ---- the end of a section ---- */
static int
compare_written(const void *a, const void *b)
{
    const struct an_pdf_written *left = a, *right = b;

    return (left->num > right->num) - (left->num < right->num);
}

static bool
is_written(const struct an_pdf_append *append, size_t own, uint32_t num)
{
    struct an_pdf_written wanted = {.num = num};

    return own > 0 &&
           bsearch(&wanted, append->written.items, own, sizeof append->written.items[0], compare_written) != NULL;
}

/* A rebuilt file has no section to point back to: the new one lists everything that is alive. */
static an_code
add_live_objects(struct an_pdf_append *append, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) struct an_pdf_change *live = NULL;
    size_t count = 0, own = append->written.count;

    AN_TRY(an_pdf_live_objects(append->pdf, &live, &count, reterr));
    if (own > 0)
        qsort(append->written.items, own, sizeof append->written.items[0], compare_written);
    for (size_t i = 0; i < count; i++) {
        if (live[i].is_free || live[i].num == 0 || is_written(append, own, live[i].num))
            continue;
        *an_pdf_writtens_push(&append->written) = (struct an_pdf_written){
            .num = live[i].num, .gen = live[i].gen, .container = live[i].container,
            .offset = live[i].container ? live[i].offset : live[i].offset - append->tail.bias};
        append->tail.is_stream = append->tail.is_stream || live[i].container != 0;
    }
    return AN_OK;
}

/* Gaps in a table that stands alone are free objects. */
static void
add_gaps(struct an_pdf_append *append)
{
    size_t count = append->written.count;
    uint32_t next = 0;

    qsort(append->written.items, count, sizeof append->written.items[0], compare_written);
    for (size_t i = 0; i < count; i++) {
        uint32_t num = append->written.items[i].num;

        for (; next < num && append->written.count < 4 * count + 4096; next++)
            *an_pdf_writtens_push(&append->written) =
                (struct an_pdf_written){.num = next, .gen = next == 0 ? 65535 : 0, .is_free = true};
        next = num + 1;
    }
}

/* The second part of /ID says which version of the file this is: a digest of what makes the version, so that signing
 * stays reproducible. The hole for the signature and long streams do not count. */
static void
version_digest(struct an_pdf_append *append, an_bytes first, an_bytes second, uint8_t digest[static AN_DIGEST_MAX])
{
    struct an_hash *hash = an_hash_new(AN_SHA256);
    uint64_t at = 0;

    an_hash_update(hash, first);
    an_hash_update(hash, second);
    an_hash_update(hash, AN_BYTES(&append->base, sizeof append->base));
    for (size_t i = 0; i < append->holes.count; i++) {
        const struct an_range *hole = &append->holes.items[i];

        an_hash_update(hash, AN_BYTES(append->out->ptr + at, hole->offset - at));
        at = hole->offset + hole->len;
    }
    an_hash_update(hash, AN_BYTES(append->out->ptr + at, append->out->len - at));
    an_hash_final(hash, digest);
    an_hash_free(&hash);
}

static void
emit_id(struct an_pdf_append *append)
{
    const struct an_pdf_obj *trailer = an_pdf_trailer(append->pdf, AN_PDF_NOW);
    const struct an_pdf_obj *id = an_pdf_at(append->pdf, AN_PDF_NOW, trailer, "ID");
    uint8_t digest[AN_DIGEST_MAX];
    an_bytes first, second;

    if (id->kind != AN_PDF_ARRAY || id->u.array.count < 2 || id->u.array.items[0].kind != AN_PDF_STRING ||
        id->u.array.items[1].kind != AN_PDF_STRING)
        return;
    first = id->u.array.items[0].u.text;
    second = id->u.array.items[1].u.text;
    version_digest(append, first, second, digest);
    an_buf_str(append->out, "/ID[<");
    an_buf_hex(append->out, first);
    an_buf_str(append->out, "><");
    an_buf_hex(append->out, AN_BYTES(digest, 16));
    an_buf_str(append->out, ">]");
}

/* What the trailer of a section says beside its cross-reference: everything the newest one said, carried over. */
static void
emit_trailer_entries(struct an_pdf_append *append)
{
    static const char *const not_carried[] = {"Size", "Prev", "XRefStm", "ID", "Type", "W", "Index", "Length",
                                              "Filter", "DecodeParms", "F", "FFilter", "FDecodeParms", "DL", NULL};

    append->quiet = true;
    an_buf_printf(append->out, "/Size %u", append->next_num);
    an_pdf_emit_entries(append, an_pdf_trailer(append->pdf, AN_PDF_NOW), not_carried);
    if (!append->tail.is_rebuilt)
        an_buf_printf(append->out, "/Prev %" PRIu64, append->tail.startxref);
    emit_id(append);
    append->quiet = false;
}

/* Length of the run of consecutive numbers that starts at item from. */
static size_t
run_at(const struct an_pdf_writtens *written, size_t from)
{
    size_t n = 1;

    while (from + n < written->count && written->items[from + n].num == written->items[from].num + n)
        n++;
    return n;
}

static an_code
emit_table(struct an_pdf_append *append, struct an_err *reterr)
{
    const struct an_pdf_writtens *written = &append->written;

    an_buf_str(append->out, "xref\n");
    for (size_t at = 0; at < written->count;) {
        size_t run = run_at(written, at);

        an_buf_printf(append->out, "%u %zu\n", written->items[at].num, run);
        for (size_t end = at + run; at < end; at++) {
            const struct an_pdf_written *item = &written->items[at];

            if (item->offset > CLASSIC_OFFSET_MAX)
                AN_FAIL(reterr, AN_E_PDF_OFFSET, "object %u at byte %" PRIu64, item->num, item->offset);
            an_buf_printf(append->out, "%010" PRIu64 " %05u %c\r\n", item->offset, (unsigned)item->gen,
                          item->is_free ? 'f' : 'n');
        }
    }
    an_buf_str(append->out, "trailer\n<<");
    emit_trailer_entries(append);
    an_buf_str(append->out, ">>\n");
    return AN_OK;
}

static void
put_wide(struct an_buf *out, uint64_t value, int width)
{
    for (int shift = (width - 1) * 8; shift >= 0; shift -= 8)
        an_buf_byte(out, (uint8_t)(value >> shift));
}

/* Widths of the second and third column that hold every entry. */
static void
column_widths(const struct an_pdf_writtens *written, int *ret_second, int *ret_third)
{
    uint64_t second = 0, third = 0;

    for (size_t i = 0; i < written->count; i++) {
        const struct an_pdf_written *item = &written->items[i];
        uint64_t two = item->container ? item->container : item->offset,
                 three = item->container ? item->offset : item->gen;

        second = two > second ? two : second;
        third = three > third ? three : third;
    }
    for (*ret_second = 1; *ret_second < 8 && second >> (8 * *ret_second); ++*ret_second)
        ;
    for (*ret_third = 1; *ret_third < 8 && third >> (8 * *ret_third); ++*ret_third)
        ;
}

static void
put_rows(const struct an_pdf_writtens *written, int second, int third, struct an_buf *rows)
{
    for (size_t i = 0; i < written->count; i++) {
        const struct an_pdf_written *item = &written->items[i];

        an_buf_byte(rows, item->is_free ? 0 : item->container ? 2 : 1);
        put_wide(rows, item->container ? item->container : item->offset, second);
        put_wide(rows, item->container ? item->offset : item->gen, third);
    }
}

static void
emit_index(struct an_pdf_append *append)
{
    an_buf_str(append->out, "/Index[");
    for (size_t at = 0; at < append->written.count;) {
        size_t run = run_at(&append->written, at);

        an_buf_printf(append->out, at ? " %u %zu" : "%u %zu", append->written.items[at].num, run);
        at += run;
    }
    an_buf_byte(append->out, ']');
}

/* A cross-reference stream; it lists itself too and is never encrypted. */
static void
emit_xref_stream(struct an_pdf_append *append)
{
    AN_CLEANUP(an_buf_free) struct an_buf rows = an_buf_new(AN_BUF_UNLIMITED), packed = an_buf_new(AN_BUF_UNLIMITED);
    int second, third;
    bool pack;

    column_widths(&append->written, &second, &third);
    put_rows(&append->written, second, third, &rows);
    pack = an_pdf_deflate(&packed, an_buf_view(&rows), 9) && packed.len + 20 < rows.len;
    an_buf_printf(append->out, "<</Type/XRef/W[1 %d %d]", second, third);
    emit_index(append);
    emit_trailer_entries(append);
    an_buf_printf(append->out, "%s/Length %zu>>\nstream\n", pack ? "/Filter/FlateDecode" : "",
                  pack ? packed.len : rows.len);
    an_buf_append(append->out, an_buf_view(pack ? &packed : &rows));
    an_buf_str(append->out, "\nendstream");
    an_pdf_append_close(append);
}

an_code
an_pdf_append_end(struct an_pdf_append *append, struct an_err *reterr)
{
    uint64_t at;

    if (append->failed != AN_OK)
        AN_FAIL(reterr, append->failed, "%s", append->err.detail);
    if (append->tail.is_rebuilt)
        AN_TRY(add_live_objects(append, reterr));
    if (append->tail.is_rebuilt && !append->tail.is_stream)
        add_gaps(append);
    at = an_pdf_append_position(append) - append->tail.bias;
    if (append->tail.is_stream)
        an_pdf_append_open(append, an_pdf_append_new(append), 0);
    qsort(append->written.items, append->written.count, sizeof append->written.items[0], compare_written);
    if (append->tail.is_stream)
        emit_xref_stream(append);
    else
        AN_TRY(emit_table(append, reterr));
    an_buf_printf(append->out, "startxref\n%" PRIu64 "\n%%%%EOF\n", at);
    if (!an_buf_ok(append->out))
        AN_FAIL(reterr, AN_E_LIMIT, "the update is larger than %zu bytes", append->out->max);
    return AN_OK;
}
