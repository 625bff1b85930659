/* Stream filters (ISO 32000-2, 7.4). Home of zlib. Image filters are not decoded. */
#include "pdf/internal.h"

#define ZLIB_CONST 1 /* its input is read only */
#include <limits.h>
#include <zlib.h>

#define CHAIN_MAX 16
#define CHUNK ((size_t)64 * 1024)

static an_code
fail_filter(const char *what, struct an_err *reterr)
{
    AN_FAIL(reterr, AN_E_PDF_FILTER, "%s", what);
}

static an_code
check_room(const struct an_buf *out, const char *what, struct an_err *reterr)
{
    if (!an_buf_ok(out))
        AN_FAIL(reterr, AN_E_LIMIT, "%s: more than %zu bytes", what, out->max);
    return AN_OK;
}

/* Runs inflate until the input ends. Damaged or truncated data give what could be decoded, as readers do. */
static int
inflate_all(z_stream *zip, an_bytes in, struct an_buf *out)
{
    int status = Z_OK;
    size_t fed = 0;

    while (status == Z_OK) {
        uint8_t *room;
        size_t before = out->len, want = in.len < CHUNK / 8 ? in.len * 4 + 256 : CHUNK;

        if (zip->avail_in == 0 && fed < in.len) {
            size_t part = in.len - fed > UINT_MAX / 2 ? UINT_MAX / 2 : in.len - fed;

            zip->next_in = (z_const Bytef *)(in.ptr + fed);
            zip->avail_in = (uInt)part;
            fed += part;
        }
        if (out->max - out->len < want)
            want = out->max - out->len + 1; /* one more byte than allowed shows the limit was passed */
        room = an_buf_extend(out, want);
        if (room == NULL)
            return Z_MEM_ERROR;
        zip->next_out = room;
        zip->avail_out = (uInt)want;
        status = inflate(zip, Z_NO_FLUSH);
        out->len = before + want - zip->avail_out;
        if (status == Z_OK && zip->avail_in == 0 && fed == in.len && zip->avail_out != 0)
            break;
    }
    return status;
}

static an_code
undo_flate(an_bytes in, struct an_buf *out, struct an_err *reterr)
{
    z_stream zip = {0};
    int status;

    while (in.len && (an_pdf_class[in.ptr[0]] & AN_PDF_SPACE)) /* stray line ends before the data */
        in = AN_BYTES(in.ptr + 1, in.len - 1);
    if (inflateInit(&zip) != Z_OK)
        return fail_filter("FlateDecode", reterr);
    status = inflate_all(&zip, in, out);
    inflateEnd(&zip);
    if (status == Z_MEM_ERROR)
        AN_FAIL(reterr, AN_E_LIMIT, "FlateDecode: more than %zu bytes", out->max);
    if (status == Z_DATA_ERROR && out->len == 0 && in.len > 2) { /* bad zlib header: try the bare deflate data */
        zip = (z_stream){0};
        if (inflateInit2(&zip, -MAX_WBITS) != Z_OK)
            return fail_filter("FlateDecode", reterr);
        status = inflate_all(&zip, AN_BYTES(in.ptr + 2, in.len - 2), out);
        inflateEnd(&zip);
    }
    if (out->len == 0 && in.len > 8 && status != Z_STREAM_END)
        return fail_filter("FlateDecode", reterr);
    return AN_OK;
}

/* ---- LZW ---- */

struct lzw {
    uint16_t prefix[4096];
    uint8_t last[4096], first[4096];
    uint16_t length[4096];
    unsigned next, bits;
};

static void
lzw_reset(struct lzw *lzw)
{
    lzw->next = 258;
    lzw->bits = 9;
}

static void
lzw_emit(const struct lzw *lzw, unsigned code, struct an_buf *out)
{
    size_t len = lzw->length[code];
    uint8_t *to = an_buf_extend(out, len);

    while (to && len-- > 0) {
        to[len] = lzw->last[code];
        code = lzw->prefix[code];
    }
}

static void
lzw_add(struct lzw *lzw, unsigned previous, uint8_t byte)
{
    if (lzw->next >= 4096)
        return;
    lzw->prefix[lzw->next] = (uint16_t)previous;
    lzw->last[lzw->next] = byte;
    lzw->first[lzw->next] = lzw->first[previous];
    lzw->length[lzw->next] = (uint16_t)(lzw->length[previous] + 1);
    lzw->next++;
}

static an_code
run_lzw(struct lzw *lzw, an_bytes in, unsigned early, struct an_buf *out)
{
    uint32_t window = 0;
    unsigned have = 0;
    int previous = -1;

    for (size_t i = 0; i < in.len && an_buf_ok(out);) {
        unsigned code;

        while (have < lzw->bits && i < in.len) {
            window = window << 8 | in.ptr[i++];
            have += 8;
        }
        if (have < lzw->bits)
            break;
        have -= lzw->bits;
        code = (window >> have) & ((1u << lzw->bits) - 1);
        if (code == 257)
            break;
        if (code == 256) {
            lzw_reset(lzw);
            previous = -1;
            continue;
        }
        if (code > lzw->next || (code == lzw->next && previous < 0) || (code >= 258 && previous < 0))
            return AN_E_PDF_FILTER;
        if (previous >= 0)
            lzw_add(lzw, (unsigned)previous, code == lzw->next ? lzw->first[previous] : lzw->first[code]);
        if (code >= lzw->next)
            return AN_E_PDF_FILTER;
        lzw_emit(lzw, code, out);
        previous = (int)code;
        if (lzw->next + early >= (1u << lzw->bits) && lzw->bits < 12)
            lzw->bits++;
    }
    return AN_OK;
}

static an_code
undo_lzw(an_bytes in, unsigned early, struct an_buf *out, struct an_err *reterr)
{
    struct lzw *lzw = AN_NEW(struct lzw);
    an_code code;

    for (unsigned i = 0; i < 256; i++) {
        lzw->last[i] = lzw->first[i] = (uint8_t)i;
        lzw->length[i] = 1;
    }
    lzw_reset(lzw);
    code = run_lzw(lzw, in, early, out);
    free(lzw);
    AN_TRY(check_room(out, "LZWDecode", reterr));
    return code == AN_OK || out->len ? AN_OK : fail_filter("LZWDecode", reterr);
}

/* ---- ASCII and run length ---- */

static an_code
undo_ascii_hex(an_bytes in, struct an_buf *out, struct an_err *reterr)
{
    int high = -1;

    for (size_t i = 0; i < in.len && in.ptr[i] != '>'; i++) {
        uint8_t c = in.ptr[i];
        int value = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;

        if (value < 0)
            continue;
        if (high >= 0)
            an_buf_byte(out, (uint8_t)(high << 4 | value));
        high = high >= 0 ? -1 : value;
    }
    if (high >= 0)
        an_buf_byte(out, (uint8_t)(high << 4));
    return check_room(out, "ASCIIHexDecode", reterr);
}

static void
put_group(struct an_buf *out, uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        an_buf_byte(out, (uint8_t)(value >> (24 - 8 * i)));
}

static an_code
undo_ascii85(an_bytes in, struct an_buf *out, struct an_err *reterr)
{
    uint64_t value = 0;
    unsigned count = 0;

    for (size_t i = 0; i < in.len && in.ptr[i] != '~'; i++) {
        uint8_t c = in.ptr[i];

        if (c == 'z' && count == 0) {
            put_group(out, 0, 4);
        } else if (c >= '!' && c <= 'u') {
            value = value * 85 + (c - '!');
            if (++count == 5) {
                put_group(out, value, 4);
                value = count = 0;
            }
        }
    }
    if (count > 1) {
        for (unsigned i = count; i < 5; i++)
            value = value * 85 + 84;
        put_group(out, value, count - 1);
    }
    return check_room(out, "ASCII85Decode", reterr);
}

static an_code
undo_run_length(an_bytes in, struct an_buf *out, struct an_err *reterr)
{
    size_t i = 0;

    while (i < in.len && in.ptr[i] != 128 && an_buf_ok(out)) {
        unsigned head = in.ptr[i++];

        if (head < 128) {
            an_buf_append(out, an_bytes_slice(in, i, head + 1u));
            i += head + 1u;
        } else if (i < in.len) {
            uint8_t *run = an_buf_extend(out, 257u - head);

            if (run)
                memset(run, in.ptr[i], 257u - head);
            i++;
        }
    }
    return check_room(out, "RunLengthDecode", reterr);
}

/* ---- predictors (7.4.4.4) ---- */

struct predictor {
    size_t row, pixel; /* bytes */
    int colors, bits, kind;
};

static uint8_t
paeth(int a, int b, int c)
{
    int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);

    if (pa <= pb && pa <= pc)
        return (uint8_t)a;
    return (uint8_t)(pb <= pc ? b : c);
}

static void
undo_png_row(uint8_t *row, const uint8_t *above, const struct predictor *with, uint8_t type)
{
    for (size_t i = 0; i < with->row; i++) {
        int left = i >= with->pixel ? row[i - with->pixel] : 0, up = above ? above[i] : 0;
        int corner = above && i >= with->pixel ? above[i - with->pixel] : 0;
        int add = 0;

        if (type == 1)
            add = left;
        else if (type == 2)
            add = up;
        else if (type == 3)
            add = (left + up) / 2;
        else if (type == 4)
            add = paeth(left, up, corner);
        row[i] = (uint8_t)(row[i] + add);
    }
}

/* In place: a row loses its leading type byte. A short last row is padded by nothing. */
static void
undo_png(struct an_buf *data, const struct predictor *with)
{
    size_t from = 0, to = 0;

    while (from < data->len) {
        uint8_t type = data->ptr[from++];
        size_t have = data->len - from < with->row ? data->len - from : with->row;
        struct predictor part = *with;

        part.row = have;
        memmove(data->ptr + to, data->ptr + from, have);
        undo_png_row(data->ptr + to, to >= with->row ? data->ptr + to - with->row : NULL, &part, type);
        from += have;
        to += have;
    }
    data->len = to;
}

static void
undo_tiff_bits(uint8_t *row, const struct predictor *with)
{
    size_t samples = with->row * 8 / (size_t)with->bits;
    unsigned mask = (1u << with->bits) - 1, left[32] = {0};

    for (size_t i = 0; i < samples; i++) {
        size_t bit = i * (size_t)with->bits, color = i % (size_t)with->colors;
        unsigned shift = 8u - (unsigned)with->bits - (unsigned)(bit & 7);

        left[color] = (left[color] + ((unsigned)row[bit >> 3] >> shift)) & mask;
        row[bit >> 3] = (uint8_t)((row[bit >> 3] & ~(mask << shift)) | left[color] << shift);
    }
}

static void
undo_tiff(struct an_buf *data, const struct predictor *with)
{
    for (size_t at = 0; at + with->row <= data->len; at += with->row) {
        uint8_t *row = data->ptr + at;

        if (with->bits < 8) {
            undo_tiff_bits(row, with);
        } else if (with->bits == 8) {
            for (size_t i = with->pixel; i < with->row; i++)
                row[i] = (uint8_t)(row[i] + row[i - with->pixel]);
        } else {
            for (size_t i = with->pixel; i + 1 < with->row; i += 2) {
                unsigned sum = (unsigned)(row[i] << 8 | row[i + 1]) +
                               (unsigned)(row[i - with->pixel] << 8 | row[i - with->pixel + 1]);

                row[i] = (uint8_t)(sum >> 8);
                row[i + 1] = (uint8_t)sum;
            }
        }
    }
}

static int64_t
parm_int(struct an_pdf *pdf, const struct an_pdf_obj *parms, const char *key, int64_t otherwise)
{
    int64_t value = otherwise;

    return an_pdf_int(an_pdf_at(pdf, AN_PDF_NOW, parms, key), &value) ? value : otherwise;
}

static an_code
undo_predictor(struct an_pdf *pdf, const struct an_pdf_obj *parms, struct an_buf *data, struct an_err *reterr)
{
    int64_t kind = parm_int(pdf, parms, "Predictor", 1), colors = parm_int(pdf, parms, "Colors", 1);
    int64_t bits = parm_int(pdf, parms, "BitsPerComponent", 8), columns = parm_int(pdf, parms, "Columns", 1);
    struct predictor with;

    if (kind < 2)
        return AN_OK;
    if (colors < 1 || colors > 32 || columns < 1 || columns > INT32_MAX / 64 ||
        (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16))
        return fail_filter("predictor parameters", reterr);
    with = (struct predictor){.colors = (int)colors, .bits = (int)bits, .kind = (int)kind};
    with.row = (size_t)((colors * bits * columns + 7) / 8);
    with.pixel = (size_t)((colors * bits + 7) / 8);
    if (kind >= 10)
        undo_png(data, &with);
    else
        undo_tiff(data, &with);
    return AN_OK;
}

/* ---- the chain ---- */

static bool
is_filter(an_bytes name, const char *full, const char *abbreviation)
{
    return an_bytes_eq_str(name, full) || an_bytes_eq_str(name, abbreviation);
}

an_code
an_pdf_filter_undo(const struct an_pdf_filter *filter, struct an_pdf *pdf, an_bytes in, size_t bytes_max,
                   struct an_buf *out, struct an_err *reterr)
{
    size_t ratio_max = in.len < SIZE_MAX / AN_LIMIT_PDF_RATIO - 4096 ? in.len * AN_LIMIT_PDF_RATIO + 4096 : SIZE_MAX;
    bool is_flate = is_filter(filter->name, "FlateDecode", "Fl");

    *out = an_buf_new(bytes_max < ratio_max ? bytes_max : ratio_max);
    if (is_flate)
        AN_TRY(undo_flate(in, out, reterr));
    else if (is_filter(filter->name, "LZWDecode", "LZW"))
        AN_TRY(undo_lzw(in, parm_int(pdf, filter->parms, "EarlyChange", 1) ? 1 : 0, out, reterr));
    else if (is_filter(filter->name, "ASCIIHexDecode", "AHx"))
        return undo_ascii_hex(in, out, reterr);
    else if (is_filter(filter->name, "ASCII85Decode", "A85"))
        return undo_ascii85(in, out, reterr);
    else if (is_filter(filter->name, "RunLengthDecode", "RL"))
        return undo_run_length(in, out, reterr);
    else
        AN_FAIL(reterr, AN_E_PDF_FILTER, "%.*s", AN_FMT(an_bytes_slice(filter->name, 0, 64)));
    return filter->parms ? undo_predictor(pdf, filter->parms, out, reterr) : AN_OK;
}

/* Filters of a stream in the order they are undone; /Crypt is the business of decryption. */
static an_code
list_filters(struct an_pdf *pdf, const struct an_pdf_obj *stream, struct an_pdf_filter *ret, size_t *ret_count,
             struct an_err *reterr)
{
    const struct an_pdf_obj *names =
        an_pdf_at(pdf, AN_PDF_NOW, stream, an_pdf_dict_find(stream, "Filter") ? "Filter" : "F");
    const struct an_pdf_obj *parms =
        an_pdf_at(pdf, AN_PDF_NOW, stream, an_pdf_dict_find(stream, "DecodeParms") ? "DecodeParms" : "DP");
    size_t count = names->kind == AN_PDF_ARRAY ? names->u.array.count : names->kind == AN_PDF_NAME;

    if (count > CHAIN_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu filters on one stream", count);
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct an_pdf_obj *name =
            names->kind == AN_PDF_ARRAY ? an_pdf_resolve(pdf, AN_PDF_NOW, &names->u.array.items[i]) : names;
        const struct an_pdf_obj *parm = parms;

        if (parms->kind == AN_PDF_ARRAY)
            parm = i < parms->u.array.count ? an_pdf_resolve(pdf, AN_PDF_NOW, &parms->u.array.items[i]) : &an_pdf_null;
        if (name->kind != AN_PDF_NAME)
            return fail_filter("filter name", reterr);
        if (an_bytes_eq_str(name->u.text, "Crypt"))
            continue;
        ret[*ret_count].name = name->u.text;
        ret[(*ret_count)++].parms = parm->kind == AN_PDF_DICT ? parm : NULL;
    }
    return AN_OK;
}

an_bytes
an_pdf_stream_raw(struct an_pdf *pdf, const struct an_pdf_obj *stream)
{
    if (stream == NULL || stream->kind != AN_PDF_STREAM)
        return AN_NONE;
    return an_bytes_slice(pdf->file, (size_t)stream->data_offset, (size_t)stream->data_len);
}

an_code
an_pdf_stream_data(struct an_pdf *pdf, const struct an_pdf_obj *stream, size_t bytes_max, struct an_buf *ret,
                   struct an_err *reterr)
{
    struct an_pdf_filter filters[CHAIN_MAX];
    size_t count = 0;
    an_bytes raw = an_pdf_stream_raw(pdf, stream);
    AN_CLEANUP(an_buf_free) struct an_buf data = an_buf_new(raw.len + 64);

    if (stream == NULL || stream->kind != AN_PDF_STREAM)
        return fail_filter("not a stream", reterr);
    AN_TRY(list_filters(pdf, stream, filters, &count, reterr));
    if (an_pdf_stream_is_crypted(pdf, stream)) {
        AN_TRY(an_pdf_decrypt_stream(pdf, stream, raw, &data, reterr));
        raw = an_buf_view(&data);
    } else if (count == 0) {
        data = an_buf_new(bytes_max);
        an_buf_append(&data, raw);
        AN_TRY(check_room(&data, "stream", reterr));
    }
    for (size_t i = 0; i < count; i++) {
        AN_CLEANUP(an_buf_free) struct an_buf next = {0};

        AN_TRY(an_pdf_filter_undo(&filters[i], pdf, i ? an_buf_view(&data) : raw, bytes_max, &next, reterr));
        an_buf_free(&data);
        data = next;
        next = an_buf_new(0);
    }
    an_buf_free(ret);
    *ret = data;
    data = an_buf_new(0);
    return AN_OK;
}
