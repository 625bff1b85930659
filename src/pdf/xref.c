#include "pdf/internal.h"
#include "pdf/refs.h"

#include <stdlib.h>

#define ENTRY 20         /* bytes of a well-formed table line (7.5.4) */
#define TAIL_WINDOW 2048 /* where "startxref" is looked for first */
#define RUNS_MAX 1000000

AN_VEC(run_vec, struct an_pdf_run);

/* ---- classic tables ---- */

/* "nnnnnnnnnn ggggg n" at a position. */
static bool
read_line(struct an_pdf *pdf, uint64_t at, struct an_pdf_spot *ret)
{
    const uint8_t *p;
    uint64_t offset = 0;
    uint32_t gen = 0;

    if (pdf->file.len < 18 || at > pdf->file.len - 18)
        return false;
    p = pdf->file.ptr + at;
    for (int i = 0; i < 10; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        offset = offset * 10 + (uint64_t)(p[i] - '0');
    }
    for (int i = 11; i < 16; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        gen = gen * 10 + (uint32_t)(p[i] - '0');
    }
    if (p[10] != ' ' || p[16] != ' ' || (p[17] != 'n' && p[17] != 'f'))
        return false;
    *ret = (struct an_pdf_spot){.gen = gen > UINT16_MAX ? UINT16_MAX : (uint16_t)gen};
    ret->where = p[17] == 'n' && offset != 0 ? AN_PDF_IN_FILE : AN_PDF_FREE;
    ret->offset = p[17] == 'n' ? offset + pdf->bias : offset;
    return true;
}

/* One line of any shape: "offset generation n|f" separated by white space. */
static bool
read_loose_line(struct an_pdf *pdf, size_t *at, struct an_pdf_spot *ret)
{
    size_t i = an_pdf_skip_space(pdf->file, *at);
    uint64_t offset, gen;

    if (!an_pdf_read_uint(pdf->file, &i, &offset))
        return false;
    i = an_pdf_skip_space(pdf->file, i);
    if (!an_pdf_read_uint(pdf->file, &i, &gen))
        return false;
    i = an_pdf_skip_space(pdf->file, i);
    if (i >= pdf->file.len || (pdf->file.ptr[i] != 'n' && pdf->file.ptr[i] != 'f'))
        return false;
    *ret = (struct an_pdf_spot){.gen = gen > UINT16_MAX ? UINT16_MAX : (uint16_t)gen};
    ret->where = pdf->file.ptr[i] == 'n' && offset != 0 ? AN_PDF_IN_FILE : AN_PDF_FREE;
    ret->offset = ret->where == AN_PDF_IN_FILE ? offset + pdf->bias : offset;
    *at = i + 1;
    return true;
}

/* Reads the lines of a run one by one; returns where they end. */
static size_t
parse_run(struct an_pdf *pdf, struct an_pdf_run *run)
{
    size_t at = (size_t)run->at;
    uint64_t most = (pdf->file.len - at) / 5 + 1;
    uint32_t count = run->count < most ? run->count : (uint32_t)most, i;

    run->entries = an_arena_alloc(pdf->arena, (size_t)count * sizeof(*run->entries));
    if (run->entries == NULL) {
        run->count = 0;
        return at;
    }
    for (i = 0; i < count; i++)
        if (!read_loose_line(pdf, &at, &run->entries[i]))
            break;
    if (i < run->count)
        an_pdf_fault_note(pdf, AN_N_PDF_XREF_REPAIRED, 0, at);
    run->count = i;
    return at;
}

/* Decides by the first and the last line whether the run can be read by arithmetic. */
static size_t
measure_run(struct an_pdf *pdf, struct an_pdf_run *run)
{
    struct an_pdf_spot spot;
    size_t end, after;
    uint64_t len = (uint64_t)run->count * ENTRY;

    if (run->count == 0)
        return (size_t)run->at;
    if (len <= pdf->file.len - run->at && read_line(pdf, run->at, &spot) &&
        read_line(pdf, run->at + len - ENTRY, &spot)) {
        end = (size_t)(run->at + len);
        after = an_pdf_skip_space(pdf->file, end);
        if (after < pdf->file.len && after - end < 8 && (an_pdf_class[pdf->file.ptr[end - 1]] & AN_PDF_SPACE))
            return end;
    }
    return parse_run(pdf, run);
}

/* Some writers number the first section from 1 although its first line is the head of the free list. */
static void
shift_run(struct an_pdf *pdf, const struct an_pdf_section *section, struct an_pdf_run *run)
{
    struct an_pdf_spot spot;

    if (section->run_count != 0 || run->first == 0 || run->count == 0)
        return;
    spot = an_pdf_run_spot(pdf, section, run, 0);
    if (spot.where == AN_PDF_FREE && spot.gen == UINT16_MAX && spot.offset == 0) {
        an_pdf_fault_note(pdf, AN_N_PDF_XREF_REPAIRED, run->first, section->offset);
        run->first = 0;
    }
}

static void
take_runs(struct an_pdf *pdf, struct an_pdf_section *section, struct run_vec *runs)
{
    uint64_t next = 0;

    section->runs = an_arena_alloc(pdf->arena, (runs->count + 1) * sizeof(*runs->items));
    section->run_count = section->runs ? runs->count : 0;
    section->is_sorted = true;
    for (size_t i = 0; i < section->run_count; i++) {
        section->runs[i] = runs->items[i];
        section->is_sorted = section->is_sorted && runs->items[i].first >= next;
        next = (uint64_t)runs->items[i].first + runs->items[i].count;
    }
    run_vec_done(runs);
}

static bool
read_run_head(struct an_pdf *pdf, size_t *at, struct an_pdf_run *ret)
{
    uint64_t first, count;

    *at = an_pdf_skip_space(pdf->file, *at);
    if (!an_pdf_read_uint(pdf->file, at, &first))
        return false;
    *at = an_pdf_skip_space(pdf->file, *at);
    if (!an_pdf_read_uint(pdf->file, at, &count))
        return false;
    if (first > AN_LIMIT_PDF_OBJECTS || count > AN_LIMIT_PDF_OBJECTS)
        return false;
    *at = an_pdf_skip_space(pdf->file, *at);
    *ret = (struct an_pdf_run){.first = (uint32_t)first, .count = (uint32_t)count, .at = *at};
    return true;
}

static an_code
read_table(struct an_pdf *pdf, struct an_pdf_section *section, size_t at, struct an_err *reterr)
{
    struct run_vec runs = {0};
    struct an_pdf_parser parser = {.pdf = pdf, .arena = pdf->arena, .in = pdf->file};
    struct an_pdf_obj *trailer;

    for (;;) {
        struct an_pdf_run run;
        size_t peek = an_pdf_skip_space(pdf->file, at);

        if (pdf->file.len - peek >= 7 && memcmp(pdf->file.ptr + peek, "trailer", 7) == 0) {
            at = peek + 7;
            break;
        }
        if (runs.count >= RUNS_MAX || !read_run_head(pdf, &at, &run)) {
            run_vec_done(&runs);
            AN_FAIL(reterr, AN_E_PDF_XREF, "offset %zu: malformed cross-reference table", peek);
        }
        at = measure_run(pdf, &run);
        section->run_count = runs.count;
        shift_run(pdf, section, &run);
        *run_vec_push(&runs) = run;
    }
    take_runs(pdf, section, &runs);
    parser.at = at;
    trailer = an_arena_alloc(pdf->arena, sizeof(*trailer));
    if (trailer == NULL || !an_pdf_parse_value(&parser, trailer) || trailer->kind != AN_PDF_DICT)
        AN_FAIL(reterr, AN_E_PDF_XREF, "offset %zu: trailer dictionary", at);
    section->trailer = trailer;
    section->body_end = parser.at;
    return AN_OK;
}

/* ---- cross-reference streams ---- */

static an_code
read_widths(struct an_pdf_section *section, struct an_err *reterr)
{
    const struct an_pdf_obj *widths = an_pdf_dict_find(section->trailer, "W");
    unsigned total = 0;

    if (widths == NULL || widths->kind != AN_PDF_ARRAY || widths->u.array.count < 3)
        AN_FAIL(reterr, AN_E_PDF_XREF, "offset %llu: /W", (unsigned long long)section->offset);
    for (size_t i = 0; i < 3; i++) {
        int64_t width;

        if (!an_pdf_int(&widths->u.array.items[i], &width) || width < 0 || width > 8)
            AN_FAIL(reterr, AN_E_PDF_XREF, "offset %llu: /W", (unsigned long long)section->offset);
        section->width[i] = (unsigned)width;
        total += (unsigned)width;
    }
    if (total == 0)
        AN_FAIL(reterr, AN_E_PDF_XREF, "offset %llu: /W", (unsigned long long)section->offset);
    return AN_OK;
}

static void
read_index(struct an_pdf *pdf, struct an_pdf_section *section)
{
    const struct an_pdf_obj *index = an_pdf_dict_find(section->trailer, "Index");
    unsigned stride = section->width[0] + section->width[1] + section->width[2];
    uint64_t have = section->data.len / stride, used = 0;
    struct run_vec runs = {0};
    int64_t first = 0, count = (int64_t)have, size = 0;

    if (index == NULL || index->kind != AN_PDF_ARRAY) {
        if (an_pdf_int(an_pdf_dict_find(section->trailer, "Size"), &size) && size >= 0 && size < count)
            count = size;
        *run_vec_push(&runs) =
            (struct an_pdf_run){.count = (uint32_t)(count > AN_LIMIT_PDF_OBJECTS ? AN_LIMIT_PDF_OBJECTS : count)};
        take_runs(pdf, section, &runs);
        return;
    }
    for (size_t i = 0; i + 1 < index->u.array.count && used < have; i += 2) {
        if (!an_pdf_int(&index->u.array.items[i], &first) || !an_pdf_int(&index->u.array.items[i + 1], &count))
            break;
        if (first < 0 || count < 0 || first > AN_LIMIT_PDF_OBJECTS)
            break;
        if ((uint64_t)count > have - used)
            count = (int64_t)(have - used);
        if (count > AN_LIMIT_PDF_OBJECTS)
            count = AN_LIMIT_PDF_OBJECTS;
        *run_vec_push(&runs) =
            (struct an_pdf_run){.first = (uint32_t)first, .count = (uint32_t)count, .at = used * stride};
        used += (uint64_t)count;
    }
    take_runs(pdf, section, &runs);
}

static an_code
read_xref_stream(struct an_pdf *pdf, struct an_pdf_section *section, size_t at, struct an_err *reterr)
{
    const struct an_pdf_obj *stream = an_pdf_parse_indirect(pdf, pdf->arena, AN_PDF_NOW, at, false);
    AN_CLEANUP(an_buf_free) struct an_buf data = an_buf_new(AN_LIMIT_PDF_STREAM);

    if (stream == NULL || stream->kind != AN_PDF_STREAM ||
        !(an_pdf_is_name(an_pdf_dict_find(stream, "Type"), "XRef") || an_pdf_dict_find(stream, "W")))
        AN_FAIL(reterr, AN_E_PDF_XREF, "offset %zu: no cross-reference here", at);
    section->is_stream = true;
    section->trailer = stream;
    section->body_end = stream->end;
    AN_TRY(read_widths(section, reterr));
    AN_TRY(an_pdf_stream_data(pdf, stream, AN_LIMIT_PDF_STREAM, &data, reterr));
    section->data = an_pdf_keep_block(pdf, &data);
    read_index(pdf, section);
    return AN_OK;
}

/* ---- sections ---- */

static void
read_links(struct an_pdf *pdf, struct an_pdf_section *section)
{
    int64_t value;
    struct an_pdf_section *hybrid;
    an_code code;

    if (an_pdf_int(an_pdf_dict_find(section->trailer, "Prev"), &value) && value > 0) {
        section->has_prev = true;
        section->prev = (uint64_t)value + pdf->bias;
    }
    if (section->is_stream || !an_pdf_int(an_pdf_dict_find(section->trailer, "XRefStm"), &value) || value <= 0)
        return;
    if (pdf->is_in_hybrid) /* a table where a stream should stand, leading back to itself */
        return;
    pdf->is_in_hybrid = true;
    code = an_pdf_section_read(pdf, (uint64_t)value + pdf->bias, &hybrid, NULL);
    pdf->is_in_hybrid = false;
    if (code == AN_OK && hybrid->is_stream) {
        section->hybrid = hybrid;
        an_pdf_fault_note(pdf, AN_N_PDF_HYBRID, 0, section->offset);
    } else {
        an_pdf_fault_note(pdf, AN_N_PDF_XREF_REPAIRED, 0, section->offset);
    }
}

an_code
an_pdf_section_read(struct an_pdf *pdf, uint64_t offset, struct an_pdf_section **ret, struct an_err *reterr)
{
    struct an_pdf_section *section = an_arena_alloc(pdf->arena, sizeof(*section));
    size_t at;

    if (section == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "cross-reference sections");
    if (offset >= pdf->file.len)
        AN_FAIL(reterr, AN_E_PDF_XREF, "offset %llu is outside the file", (unsigned long long)offset);
    at = an_pdf_skip_space(pdf->file, (size_t)offset);
    section->offset = at;
    section->startxref = offset - pdf->bias;
    if (pdf->file.len - at >= 4 && memcmp(pdf->file.ptr + at, "xref", 4) == 0)
        AN_TRY(read_table(pdf, section, at + 4, reterr));
    else
        AN_TRY(read_xref_stream(pdf, section, at, reterr));
    read_links(pdf, section);
    *ret = section;
    return AN_OK;
}

static uint64_t
be_value(const uint8_t *p, unsigned width)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < width; i++)
        value = value << 8 | p[i];
    return value;
}

static struct an_pdf_spot
stream_spot(struct an_pdf *pdf, const struct an_pdf_section *section, uint64_t position)
{
    const unsigned *w = section->width;
    const uint8_t *p = section->data.ptr + position;
    uint64_t type, second, third;
    struct an_pdf_spot spot = {0};

    if (position > section->data.len || section->data.len - position < w[0] + w[1] + w[2])
        return spot;
    type = 1; /* the default when the field has no width */
    if (w[0] != 0)
        type = be_value(p, w[0]);
    second = be_value(p + w[0], w[1]);
    third = be_value(p + w[0] + w[1], w[2]);
    if (type == 2) {
        spot.where = second > UINT32_MAX ? AN_PDF_FREE : AN_PDF_IN_STREAM;
        spot.container = (uint32_t)second;
        spot.offset = third;
        return spot;
    }
    spot.gen = third > UINT16_MAX ? UINT16_MAX : (uint16_t)third;
    spot.where = type == 1 && second != 0 ? AN_PDF_IN_FILE : AN_PDF_FREE;
    spot.offset = type == 1 ? second + pdf->bias : second;
    return spot;
}

struct an_pdf_spot
an_pdf_run_spot(struct an_pdf *pdf, const struct an_pdf_section *section, struct an_pdf_run *run, uint32_t at)
{
    struct an_pdf_spot spot = {0};

    if (section->is_stream)
        return stream_spot(pdf, section,
                           run->at + (uint64_t)at * (section->width[0] + section->width[1] + section->width[2]));
    if (run->entries == NULL && read_line(pdf, run->at + (uint64_t)at * ENTRY, &spot))
        return spot;
    if (run->entries == NULL) /* a line in the middle has another length */
        parse_run(pdf, run);
    return at < run->count ? run->entries[at] : spot;
}

static struct an_pdf_run *
find_run(struct an_pdf_section *section, uint32_t num)
{
    size_t low = 0, high = section->run_count;

    if (!section->is_sorted) {
        for (size_t i = 0; i < section->run_count; i++)
            if (num >= section->runs[i].first && num - section->runs[i].first < section->runs[i].count)
                return &section->runs[i];
        return NULL;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct an_pdf_run *run = &section->runs[middle];

        if (num < run->first)
            high = middle;
        else if (num - run->first >= run->count)
            low = middle + 1;
        else
            return run;
    }
    return NULL;
}

bool
an_pdf_section_find(struct an_pdf *pdf, struct an_pdf_section *section, uint32_t num, struct an_pdf_spot *ret)
{
    struct an_pdf_run *run = find_run(section, num);
    struct an_pdf_spot spot = {0};

    if (run)
        spot = an_pdf_run_spot(pdf, section, run, num - run->first);
    /* 7.5.8.4: objects hidden from old readers are free in the table and stand in the /XRefStm stream. */
    if ((spot.where == AN_PDF_NOWHERE || spot.where == AN_PDF_FREE) && section->hybrid) {
        struct an_pdf_spot hidden;

        if (an_pdf_section_find(pdf, section->hybrid, num, &hidden))
            spot = hidden;
    }
    if (spot.where == AN_PDF_NOWHERE)
        return false;
    *ret = spot;
    return true;
}

static bool
is_known_section(const struct an_pdf *pdf, uint64_t offset)
{
    for (size_t i = 0; i < pdf->sections.count; i++)
        if (pdf->sections.items[i]->offset == offset)
            return true;
    return false;
}

static void
break_chain(struct an_pdf *pdf, uint64_t offset)
{
    pdf->chain_done = pdf->chain_broken = true;
    pdf->chain_fault = offset;
    an_pdf_fault_note(pdf, AN_N_PDF_PREV, 0, offset);
    if (pdf->allow_rebuild && !pdf->is_rebuilt)
        (void)(an_pdf_rebuild(pdf, NULL) == AN_OK);
}

/* Reads the section before the oldest one known. While it is read, look-ups must do with what is known: its own /Length
 * may be a reference. */
static void
read_older(struct an_pdf *pdf)
{
    struct an_pdf_section *last = pdf->sections.items[pdf->sections.count - 1], *next;
    an_code code;

    if (!last->has_prev) {
        pdf->chain_done = true;
        return;
    }
    if (pdf->sections.count >= AN_LIMIT_PDF_REVISIONS || is_known_section(pdf, last->prev)) {
        pdf->chain_done = pdf->chain_broken = true;
        pdf->chain_fault = last->offset;
        an_pdf_fault_note(pdf, AN_N_PDF_PREV, 0, last->offset);
        return;
    }
    pdf->is_chaining = true;
    code = an_pdf_section_read(pdf, last->prev, &next, NULL);
    pdf->is_chaining = false;
    if (code != AN_OK)
        break_chain(pdf, last->prev);
    else
        *an_pdf_section_vec_push(&pdf->sections) = next;
}

struct an_pdf_section *
an_pdf_section_at(struct an_pdf *pdf, size_t index)
{
    while (pdf->sections.count && pdf->sections.count <= index && !pdf->chain_done && !pdf->is_chaining)
        read_older(pdf);
    return index < pdf->sections.count ? pdf->sections.items[index] : NULL;
}

/* Where the state before a section, which ended at `end` or later, says its cross-reference is. */
static bool
find_own_startxref(struct an_pdf *pdf, uint64_t end, uint64_t section, uint64_t *ret_offset)
{
    uint64_t skip = end > TAIL_WINDOW ? end - TAIL_WINDOW : 0, value;
    size_t at = an_bytes_rfind(an_bytes_slice(pdf->file, (size_t)skip, (size_t)(section - skip)), AN_LIT("startxref"));

    if (at == SIZE_MAX)
        return false;
    at = an_pdf_skip_space(pdf->file, (size_t)skip + at + 9);
    if (!an_pdf_read_uint(pdf->file, &at, &value) || value == 0 || value >= section)
        return false;
    *ret_offset = value + pdf->bias;
    return *ret_offset < section && !is_known_section(pdf, *ret_offset);
}

bool
an_pdf_adopt_older(struct an_pdf *pdf, uint64_t end)
{
    struct an_pdf_section *last, *older;
    uint64_t offset;
    an_code code;

    while (an_pdf_section_at(pdf, pdf->sections.count))
        ;
    last = pdf->sections.count ? pdf->sections.items[pdf->sections.count - 1] : NULL;
    if (last == NULL || last->has_prev || last->offset < end || pdf->is_rebuilt || pdf->chain_broken ||
        pdf->sections.count >= AN_LIMIT_PDF_REVISIONS || end > pdf->file.len ||
        !an_pdf_dict_find(last->trailer, "Root") || !find_own_startxref(pdf, end, last->offset, &offset))
        return false;
    pdf->is_chaining = true;
    code = an_pdf_section_read(pdf, offset, &older, NULL);
    pdf->is_chaining = false;
    if (code != AN_OK)
        return false;
    last->is_whole = pdf->has_whole = true;
    *an_pdf_section_vec_push(&pdf->sections) = older;
    pdf->chain_done = false;
    pdf->parts.count = 0; /* the revisions are counted anew */
    an_pdf_history_drop(pdf);
    an_pdf_refs_free(&pdf->refs);
    return true;
}

/* ---- opening ---- */

static bool
find_startxref(struct an_pdf *pdf, uint64_t *ret_value)
{
    size_t skip = pdf->file.len > TAIL_WINDOW ? pdf->file.len - TAIL_WINDOW : 0;
    size_t at = an_bytes_rfind(an_bytes_slice(pdf->file, skip, TAIL_WINDOW), AN_LIT("startxref"));

    if (at == SIZE_MAX && skip) {
        skip = 0;
        at = an_bytes_rfind(pdf->file, AN_LIT("startxref"));
    }
    if (at == SIZE_MAX)
        return false;
    pdf->startxref_at = at + skip;
    at = an_pdf_skip_space(pdf->file, at + skip + 9);
    return an_pdf_read_uint(pdf->file, &at, ret_value);
}

static an_code
open_at(struct an_pdf *pdf, uint64_t offset, struct an_err *reterr)
{
    struct an_pdf_section *section;

    AN_TRY(an_pdf_section_read(pdf, offset, &section, reterr));
    *an_pdf_section_vec_push(&pdf->sections) = section;
    return AN_OK;
}

/* The number after startxref is off: the table nearest before the keyword is meant. */
static an_code
open_near(struct an_pdf *pdf, struct an_err *reterr)
{
    size_t at = (size_t)pdf->startxref_at;

    for (int tries = 0; tries < 4; tries++) {
        at = an_bytes_rfind(AN_BYTES(pdf->file.ptr, at), AN_LIT("xref"));
        if (at == SIZE_MAX)
            break;
        if (at > 0 && pdf->file.ptr[at - 1] == 't') /* "startxref" */
            continue;
        AN_TRY(open_at(pdf, at, reterr));
        an_pdf_fault_note(pdf, AN_N_PDF_XREF_REPAIRED, 0, pdf->startxref_at);
        return AN_OK;
    }
    AN_FAIL(reterr, AN_E_PDF_XREF, "offset %llu: startxref", (unsigned long long)pdf->startxref_at);
}

an_code
an_pdf_xref_open(struct an_pdf *pdf, struct an_err *reterr)
{
    uint64_t value = 0;

    if (!find_startxref(pdf, &value))
        AN_FAIL(reterr, AN_E_PDF_XREF, "offset %zu: no startxref", pdf->file.len);
    pdf->bias = pdf->header;
    if (value && open_at(pdf, value + pdf->bias, reterr) == AN_OK)
        return AN_OK;
    pdf->bias = 0;
    if (value && pdf->header && open_at(pdf, value, reterr) == AN_OK)
        return AN_OK;
    return open_near(pdf, reterr);
}
