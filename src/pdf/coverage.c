/* Structural faults of one signature: what its byte range and /Contents must look like (ISO 32000-2, 12.8.1). */
#include "pdf/internal.h"

/* The four numbers stand in the file as plain digits: what other readers could take for something else is refused. */
static bool
is_plainly_written(const struct an_pdf *pdf, const struct an_pdf_sigfield *field)
{
    const struct an_pdf_obj *array = an_pdf_dict_find(field->value, "ByteRange");

    if (array == NULL || array->kind != AN_PDF_ARRAY || array->container)
        return false;
    for (size_t i = 0; i < array->u.array.count; i++) {
        const struct an_pdf_obj *item = &array->u.array.items[i];

        for (uint64_t at = item->offset; at < item->end && at < pdf->file.len; at++)
            if (!(an_pdf_class[pdf->file.ptr[at]] & AN_PDF_DIGIT))
                return false;
    }
    return true;
}

static an_code
check_range(const struct an_pdf *pdf, const struct an_pdf_sigfield *field, struct an_err *reterr)
{
    const uint64_t *range = field->byte_range;

    if (!field->has_byte_range)
        AN_FAIL(reterr,
                field->byte_range_count && field->byte_range_count != 4 ? AN_V_PDF_RANGE_COUNT : AN_V_PDF_NO_RANGE,
                "%s: /ByteRange", field->name);
    if (field->byte_range_count != 4)
        AN_FAIL(reterr, AN_V_PDF_RANGE_COUNT, "%s: %zu", field->name, field->byte_range_count);
    if (!is_plainly_written(pdf, field))
        AN_FAIL(reterr, AN_V_PDF_NO_RANGE, "%s: /ByteRange is not four plain numbers", field->name);
    if (range[0] != 0)
        AN_FAIL(reterr, AN_V_PDF_RANGE_START, "%s: %llu", field->name, (unsigned long long)range[0]);
    if (range[1] > pdf->file.len || range[2] > pdf->file.len || range[3] > pdf->file.len - range[2] ||
        range[2] < range[1])
        AN_FAIL(reterr, AN_V_PDF_RANGE_OUTSIDE, "%s: [%llu %llu %llu %llu], %zu bytes", field->name,
                (unsigned long long)range[0], (unsigned long long)range[1], (unsigned long long)range[2],
                (unsigned long long)range[3], pdf->file.len);
    return AN_OK;
}

/* "<", hexadecimal digits, ">"; white space between them can hide nothing. */
static bool
is_clean_hex(an_bytes gap)
{
    static const bool is_digit[256] = {
        ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true, ['6'] = true, ['7'] = true,
        ['8'] = true, ['9'] = true, ['A'] = true, ['B'] = true, ['C'] = true, ['D'] = true, ['E'] = true, ['F'] = true,
        ['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true,
    };
    unsigned is_foreign = 0;

    if (gap.len < 2 || gap.ptr[0] != '<' || gap.ptr[gap.len - 1] != '>')
        return false;
    for (size_t i = 1; i + 1 < gap.len; i++) {
        uint8_t c = gap.ptr[i];

        /* no early way out: it is clean nearly always, and the loop is faster so */
        is_foreign |= (unsigned)(!is_digit[c] & !(an_pdf_class[c] & AN_PDF_SPACE));
    }
    return !is_foreign;
}

static bool
is_all_zero(an_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.ptr[i] != 0)
            return false;
    return true;
}

static an_code
check_gap(const struct an_pdf *pdf, const struct an_pdf_sigfield *field, struct an_err *reterr)
{
    uint64_t from = field->byte_range[1], to = field->byte_range[2];

    if (field->contents.len == 0 || is_all_zero(field->contents))
        AN_FAIL(reterr, AN_V_PDF_CONTENTS_EMPTY, "%s: %zu bytes", field->name, field->contents.len);
    if (field->contents_offset != from || field->contents_end != to)
        AN_FAIL(reterr, AN_V_PDF_RANGE_GAP, "%s: gap %llu-%llu, /Contents %llu-%llu", field->name,
                (unsigned long long)from, (unsigned long long)to, (unsigned long long)field->contents_offset,
                (unsigned long long)field->contents_end);
    if (field->contents.ptr[0] != 0x30 &&
        field->contents.ptr[0] != 0x04) /* a SEQUENCE; an OCTET STRING of the oldest kind */
        AN_FAIL(reterr, AN_V_PDF_CONTENTS_GARBAGE, "%s: no DER in /Contents", field->name);
    if (!is_clean_hex(an_bytes_slice(pdf->file, (size_t)from, (size_t)(to - from))))
        AN_FAIL(reterr, AN_V_PDF_CONTENTS_GARBAGE, "%s: offset %llu", field->name, (unsigned long long)from);
    return AN_OK;
}

/* Signatures follow one another: what one leaves out must lie wholly inside or wholly behind what the other covers. */
static an_code
check_others(const struct an_pdf_sigfields *all, size_t index, struct an_err *reterr)
{
    const struct an_pdf_sigfield *field = &all->items[index];
    uint64_t end = field->byte_range[2] + field->byte_range[3];

    for (size_t i = 0; i < all->count; i++) {
        const struct an_pdf_sigfield *other = &all->items[i];

        if (i == index || other->value == NULL)
            continue;
        if (other->value == field->value)
            AN_FAIL(reterr, AN_V_PDF_VALUE_SHARED, "%s, %s", field->name, other->name);
        if (!other->has_byte_range)
            continue;
        if (other->byte_range[1] == field->byte_range[1])
            AN_FAIL(reterr, AN_V_PDF_RANGE_OVERLAP, "%s, %s", field->name, other->name);
        if (other->byte_range[1] < end && other->byte_range[2] > end)
            AN_FAIL(reterr, AN_V_PDF_RANGE_OVERLAP, "%s, %s", field->name, other->name);
        if (other->byte_range[1] < field->byte_range[2] && other->byte_range[2] > field->byte_range[1])
            AN_FAIL(reterr, AN_V_PDF_RANGE_OVERLAP, "%s, %s", field->name, other->name);
    }
    return AN_OK;
}

an_code
an_pdf_check_coverage(struct an_pdf *pdf, const struct an_pdf_sigfields *all, size_t index, bool *ret_covers_file,
                      struct an_err *reterr)
{
    const struct an_pdf_sigfield *field = &all->items[index];
    uint64_t end;

    *ret_covers_file = false;
    if (field->value == NULL)
        AN_FAIL(reterr, AN_V_PDF_NO_RANGE, "%s: no signature", field->name);
    AN_TRY(check_range(pdf, field, reterr));
    AN_TRY(check_gap(pdf, field, reterr));
    AN_TRY(check_others(all, index, reterr));
    end = field->byte_range[2] + field->byte_range[3];
    if (field->revision < 0)
        AN_FAIL(reterr, AN_V_PDF_RANGE_END, "%s: offset %llu", field->name, (unsigned long long)end);
    *ret_covers_file = end == pdf->file.len;
    return AN_OK;
}
