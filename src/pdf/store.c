/* Objects by number: found through the cross-reference, parsed once per place in the file. */
#include "base/map.h"
#include "pdf/internal.h"

#define NEST_MAX 24    /* objects read while reading an object: a /Length, an object stream, its /Length */
#define NEAR 128       /* bytes around a wrong offset where the object is looked for */
#define HISTORY_FROM 3 /* revisions from which on a table of places pays */
#define HISTORY_MAX 500000
#define BLOCKS_MAX ((size_t)1024 * 1024 * 1024)

an_bytes
an_pdf_keep_block(struct an_pdf *pdf, struct an_buf *block)
{
    struct an_buf *kept;

    if (!an_buf_ok(block) || block->len > BLOCKS_MAX - pdf->block_bytes)
        return AN_NONE;
    kept = an_pdf_block_vec_push(&pdf->blocks);
    *kept = *block;
    pdf->block_bytes += block->capacity;
    *block = an_buf_new(0);
    return an_buf_view(kept);
}

/* ---- where an object stands ---- */

struct place {
    size_t section;
    struct an_pdf_spot spot;
    struct place *older;
};

static void
remember_run(struct an_pdf *pdf, size_t index, struct an_pdf_section *section, const struct an_pdf_run *run)
{
    for (uint32_t i = 0; i < run->count; i++) {
        struct place *place, *first;
        struct an_pdf_spot spot;

        if (!an_pdf_section_find(pdf, section, run->first + i, &spot))
            continue;
        first = an_map_find_u64(pdf->history, run->first + i);
        for (place = first; place && place->older; place = place->older)
            ;
        if (place && place->section == index) /* listed twice in one section */
            continue;
        struct place *added = an_arena_alloc(pdf->arena, sizeof(*added));

        if (added == NULL)
            return;
        *added = (struct place){.section = index, .spot = spot};
        if (place)
            place->older = added;
        else
            an_map_put_u64(pdf->history, run->first + i, added);
    }
}

void
an_pdf_history_build(struct an_pdf *pdf)
{
    size_t total = 0;

    if (pdf->history || an_pdf_latest(pdf) < HISTORY_FROM || pdf->has_whole)
        return;
    for (size_t i = 0; i < pdf->parts.items[0].newest; i++)
        for (size_t j = 0; j < pdf->sections.items[i]->run_count; j++)
            total += pdf->sections.items[i]->runs[j].count;
    if (total > HISTORY_MAX)
        return;
    pdf->history = an_map_new();
    for (size_t i = 0; i < pdf->parts.items[0].newest; i++) {
        struct an_pdf_section *section = pdf->sections.items[i];

        for (size_t j = 0; j < section->run_count; j++)
            remember_run(pdf, i, section, &section->runs[j]);
        for (size_t j = 0; section->hybrid && j < section->hybrid->run_count; j++)
            remember_run(pdf, i, section, &section->hybrid->runs[j]);
    }
}

void
an_pdf_history_drop(struct an_pdf *pdf)
{
    an_map_free(&pdf->history);
}

static bool
find_in_history(struct an_pdf *pdf, size_t first, uint32_t num, struct an_pdf_spot *ret)
{
    for (const struct place *place = an_map_find_u64(pdf->history, num); place; place = place->older)
        if (place->section >= first) {
            *ret = place->spot;
            return true;
        }
    return false;
}

struct an_pdf_spot
an_pdf_find_spot(struct an_pdf *pdf, size_t revision, uint32_t num)
{
    bool was_rebuilt = pdf->is_rebuilt;
    struct an_pdf_spot spot = {0};
    struct an_pdf_section *section;

    size_t start = an_pdf_section_first(pdf, revision);

    if (pdf->history) {
        if (find_in_history(pdf, start, num, &spot))
            return spot;
        start = start > pdf->parts.items[0].newest ? start : pdf->parts.items[0].newest;
    }
    for (size_t i = start; (section = an_pdf_section_at(pdf, i)) != NULL; i++)
        if (an_pdf_section_find(pdf, section, num, &spot) || section->is_whole)
            return spot;
    if (was_rebuilt != pdf->is_rebuilt) /* the chain broke while we followed it */
        return an_pdf_find_spot(pdf, AN_PDF_NOW, num);
    return spot;
}

static bool
is_object_here(struct an_pdf *pdf, uint64_t offset, uint32_t num)
{
    struct an_pdf_parser parser = {.pdf = pdf, .in = pdf->file, .at = (size_t)offset};
    uint32_t found;
    uint16_t gen;

    return offset < pdf->file.len && an_pdf_parse_head(&parser, &found, &gen) && found == num;
}

/* A wrong offset: the object may begin a few bytes before or after. */
static bool
find_near(struct an_pdf *pdf, uint64_t offset, uint32_t num, uint64_t *ret)
{
    uint64_t low = offset > NEAR ? offset - NEAR : 0;
    uint64_t high = offset + NEAR < pdf->file.len ? offset + NEAR : pdf->file.len;

    for (uint64_t at = low; at < high; at++) {
        bool starts = at == 0 || !(an_pdf_class[pdf->file.ptr[at - 1]] & AN_PDF_DIGIT);

        if (starts && (an_pdf_class[pdf->file.ptr[at]] & AN_PDF_DIGIT) && is_object_here(pdf, at, num)) {
            *ret = at;
            return true;
        }
    }
    return false;
}

static const struct an_pdf_obj *
read_in_file(struct an_pdf *pdf, size_t revision, uint64_t offset)
{
    struct an_pdf_obj *obj = an_map_find_u64(pdf->objects, offset * 2);

    if (obj || pdf->depth >= NEST_MAX)
        return obj;
    bool was_scanning = pdf->is_scanning; /* what is kept is read in full */

    pdf->depth++;
    pdf->is_scanning = false;
    obj = an_pdf_parse_indirect(pdf, pdf->arena, revision, offset, pdf->crypt != NULL);
    pdf->is_scanning = was_scanning;
    pdf->depth--;
    if (obj)
        an_map_put_u64(pdf->objects, offset * 2, obj);
    return obj;
}

static const struct an_pdf_obj *
object_in_file(struct an_pdf *pdf, size_t revision, uint32_t num, const struct an_pdf_spot *spot)
{
    const struct an_pdf_obj *obj;
    struct an_pdf_spot again;
    uint64_t offset = spot->offset;

    if (!is_object_here(pdf, offset, num)) {
        if (find_near(pdf, offset, num, &offset)) {
            an_pdf_fault_note(pdf, AN_N_PDF_XREF_REPAIRED, num, offset);
        } else if (!pdf->is_rebuilt && an_pdf_rebuild(pdf, NULL) == AN_OK) {
            again = an_pdf_find_spot(pdf, AN_PDF_NOW, num);
            return an_pdf_object_at(pdf, AN_PDF_NOW, num, &again);
        } else {
            an_pdf_fault_note(pdf, AN_N_PDF_OBJECT_MISSING, num, spot->offset);
            return &an_pdf_null;
        }
    }
    obj = read_in_file(pdf, revision, offset);
    return obj ? obj : &an_pdf_null;
}

/* ---- object streams (7.5.7) ---- */

static struct an_pdf_container *
read_container(struct an_pdf *pdf, const struct an_pdf_obj *stream)
{
    AN_CLEANUP(an_buf_free) struct an_buf data = an_buf_new(AN_LIMIT_PDF_STREAM);
    struct an_pdf_container *container = an_arena_alloc(pdf->arena, sizeof(*container));
    int64_t count, first;
    size_t at = 0;

    if (container == NULL || stream->kind != AN_PDF_STREAM ||
        !an_pdf_int(an_pdf_at(pdf, AN_PDF_NOW, stream, "N"), &count) ||
        !an_pdf_int(an_pdf_at(pdf, AN_PDF_NOW, stream, "First"), &first) || count < 0 || first < 0)
        return NULL;
    if (an_pdf_stream_data(pdf, stream, AN_LIMIT_PDF_STREAM, &data, NULL) != AN_OK || (uint64_t)first > data.len)
        return NULL;
    if ((uint64_t)count > data.len / 2)
        count = (int64_t)(data.len / 2);
    container->data = an_pdf_keep_block(pdf, &data);
    container->nums = an_arena_alloc(pdf->arena, (size_t)count * 2 * sizeof(uint32_t) + 1);
    if (container->nums == NULL)
        return NULL;
    container->offsets = container->nums + count;
    for (; container->count < (uint64_t)count; container->count++) {
        uint64_t num, offset;

        at = an_pdf_skip_space(container->data, at);
        if (!an_pdf_read_uint(container->data, &at, &num) || num > UINT32_MAX)
            break;
        at = an_pdf_skip_space(container->data, at);
        if (!an_pdf_read_uint(container->data, &at, &offset) || offset > container->data.len - (uint64_t)first)
            break;
        container->nums[container->count] = (uint32_t)num;
        container->offsets[container->count] = (uint32_t)((uint64_t)first + offset);
    }
    return container;
}

struct an_pdf_container *
an_pdf_container_at(struct an_pdf *pdf, size_t revision, uint32_t num)
{
    struct an_pdf_spot spot = an_pdf_find_spot(pdf, revision, num);
    const struct an_pdf_obj *stream;
    struct an_pdf_container *container;

    if (spot.where != AN_PDF_IN_FILE || pdf->depth >= NEST_MAX)
        return NULL; /* an object stream never stands in another one */
    pdf->depth++;
    stream = an_pdf_object_at(pdf, revision, num, &spot);
    container = stream->kind == AN_PDF_STREAM ? an_map_find_u64(pdf->containers, stream->data_offset) : NULL;
    if (container == NULL && stream->kind == AN_PDF_STREAM) {
        container = read_container(pdf, stream);
        if (container)
            an_map_put_u64(pdf->containers, stream->data_offset, container);
    }
    pdf->depth--;
    return container;
}

static const struct an_pdf_obj *
read_in_container(struct an_pdf *pdf, const struct an_pdf_container *container, uint32_t container_num, uint32_t index)
{
    uint64_t key = ((uint64_t)(uintptr_t)(container->offsets + index) << 1) | 1;
    struct an_pdf_obj *obj = an_map_find_u64(pdf->objects, key);
    struct an_pdf_parser parser = {.pdf = pdf, .arena = pdf->arena, .in = container->data};

    if (obj)
        return obj;
    parser.at = container->offsets[index];
    parser.container = container_num;
    parser.num = container->nums[index];
    obj = an_arena_alloc(pdf->arena, sizeof(*obj));
    if (obj == NULL)
        return &an_pdf_null;
    if (!an_pdf_parse_value(&parser, obj))
        *obj = an_pdf_null;
    obj->num = parser.num;
    obj->container = container_num;
    an_map_put_u64(pdf->objects, key, obj);
    return obj;
}

static const struct an_pdf_obj *
object_in_container(struct an_pdf *pdf, size_t revision, uint32_t num, const struct an_pdf_spot *spot)
{
    const struct an_pdf_container *container = an_pdf_container_at(pdf, revision, spot->container);
    uint32_t index = spot->offset < UINT32_MAX ? (uint32_t)spot->offset : UINT32_MAX;

    if (container == NULL) {
        an_pdf_fault_note(pdf, AN_N_PDF_OBJECT_MISSING, num, 0);
        return &an_pdf_null;
    }
    if (index >= container->count || container->nums[index] != num) {
        an_pdf_fault_note(pdf, AN_N_PDF_XREF_REPAIRED, num, 0);
        for (index = 0; index < container->count && container->nums[index] != num; index++)
            ;
        if (index == container->count)
            return &an_pdf_null;
    }
    return read_in_container(pdf, container, spot->container, index);
}

const struct an_pdf_obj *
an_pdf_object_brief(struct an_pdf *pdf, struct an_arena *arena, uint32_t num)
{
    struct an_pdf_spot spot = an_pdf_find_spot(pdf, AN_PDF_NOW, num);
    const struct an_pdf_obj *obj = NULL;

    if (spot.where == AN_PDF_IN_FILE && !an_map_find_u64(pdf->objects, spot.offset * 2))
        obj = an_pdf_parse_indirect(pdf, arena, AN_PDF_NOW, spot.offset, pdf->crypt != NULL);
    return obj && obj->num == num ? obj : an_pdf_object_at(pdf, AN_PDF_NOW, num, &spot);
}

const struct an_pdf_obj *
an_pdf_object_at(struct an_pdf *pdf, size_t revision, uint32_t num, const struct an_pdf_spot *spot)
{
    if (spot->where == AN_PDF_IN_FILE)
        return object_in_file(pdf, revision, num, spot);
    if (spot->where == AN_PDF_IN_STREAM)
        return object_in_container(pdf, revision, num, spot);
    return &an_pdf_null;
}
