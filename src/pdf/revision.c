/* Revisions: which cross-reference sections make up which state of the file. */
#include "pdf/internal.h"

#include <stdlib.h>

/* Where a section's own "%%EOF" ends, its line end included. The search stays near. */
static uint64_t
section_end(struct an_pdf *pdf, const struct an_pdf_section *section)
{
    an_bytes near = an_bytes_slice(pdf->file, 0, (size_t)(section->body_end + 1024));
    size_t at = an_bytes_find(near, AN_LIT("startxref"), (size_t)section->body_end), eof;
    uint64_t ignored;

    if (at == SIZE_MAX)
        return section->body_end;
    at = an_pdf_skip_space(pdf->file, at + 9);
    (void)an_pdf_read_uint(pdf->file, &at, &ignored);
    near = an_bytes_slice(pdf->file, 0, at + 1024);
    eof = an_bytes_find(near, AN_LIT("%%EOF"), at);
    if (eof == SIZE_MAX)
        return at;
    at = eof + 5;
    if (at < pdf->file.len && pdf->file.ptr[at] == '\r')
        at++;
    if (at < pdf->file.len && pdf->file.ptr[at] == '\n')
        at++;
    return at;
}

static bool
starts_linearized(struct an_pdf *pdf)
{
    an_bytes head = an_bytes_slice(pdf->file, (size_t)pdf->header, 1024);

    return an_bytes_find(head, AN_LIT("/Linearized"), 0) != SIZE_MAX;
}

/* A linearized file's first-page section points "back" to the main one, which stands later in the file. */
static bool
is_linearized_pair(struct an_pdf *pdf, size_t newer)
{
    const struct an_pdf_section *first, *main;

    if (newer + 2 != pdf->sections.count)
        return false;
    first = pdf->sections.items[newer];
    main = pdf->sections.items[newer + 1];
    return main->offset > first->offset && starts_linearized(pdf);
}

size_t
an_pdf_latest(struct an_pdf *pdf)
{
    size_t oldest;

    if (pdf->parts.count)
        return pdf->parts.count - 1;
    while (an_pdf_section_at(pdf, pdf->sections.count))
        ;
    oldest = pdf->sections.count;
    while (oldest > 0) {
        size_t newest = oldest - 1;
        struct an_pdf_part *part = an_pdf_part_vec_push(&pdf->parts);
        uint64_t end;

        part->oldest = newest;
        if (newest > 0 && is_linearized_pair(pdf, newest - 1))
            newest--;
        part->newest = newest;
        part->revision.trailer = pdf->sections.items[newest]->trailer;
        part->revision.xref_offset = pdf->sections.items[newest]->offset;
        part->revision.end = section_end(pdf, pdf->sections.items[newest]);
        end = newest != part->oldest ? section_end(pdf, pdf->sections.items[part->oldest]) : 0;
        if (end > part->revision.end)
            part->revision.end = end;
        if (pdf->is_rebuilt)
            part->revision.end = pdf->file.len;
        oldest = newest;
    }
    return pdf->parts.count ? pdf->parts.count - 1 : 0;
}

const struct an_pdf_revision *
an_pdf_revision_at(struct an_pdf *pdf, size_t revision)
{
    size_t latest = an_pdf_latest(pdf);

    return &pdf->parts.items[revision > latest ? latest : revision].revision;
}

size_t
an_pdf_section_first(struct an_pdf *pdf, size_t revision)
{
    if (revision == AN_PDF_NOW)
        return 0;
    if (revision >= an_pdf_latest(pdf))
        return 0;
    return pdf->parts.items[revision].newest;
}

const struct an_pdf_obj *
an_pdf_trailer(struct an_pdf *pdf, size_t revision)
{
    const struct an_pdf_section *section = an_pdf_section_at(pdf, an_pdf_section_first(pdf, revision));

    return section ? section->trailer : &an_pdf_null;
}

/* A trailer without /Root: an older one has it (readers differ, so this is rare and noted by the caller). */
const struct an_pdf_obj *
an_pdf_catalog(struct an_pdf *pdf, size_t revision)
{
    const struct an_pdf_section *section;

    for (size_t i = an_pdf_section_first(pdf, revision); (section = an_pdf_section_at(pdf, i)) != NULL; i++) {
        const struct an_pdf_obj *root = an_pdf_dict_find(section->trailer, "Root");

        if (root)
            return an_pdf_resolve(pdf, revision, root);
    }
    return &an_pdf_null;
}

AN_VEC(change_vec, struct an_pdf_change);

static void
list_section(struct an_pdf *pdf, struct an_pdf_section *section, struct change_vec *changes)
{
    for (size_t i = 0; i < section->run_count; i++) {
        struct an_pdf_run *run = &section->runs[i];

        for (uint32_t at = 0; at < run->count; at++) {
            struct an_pdf_spot spot = an_pdf_run_spot(pdf, section, run, at);

            if (spot.where == AN_PDF_NOWHERE)
                continue;
            *change_vec_push(changes) = (struct an_pdf_change){
                .num = run->first + at,
                .gen = spot.gen,
                .is_free = spot.where == AN_PDF_FREE,
                .offset = spot.offset,
                .container = spot.container,
            };
        }
    }
    if (section->hybrid)
        list_section(pdf, section->hybrid, changes);
}

static void
list_left_out(struct an_pdf *pdf, struct an_pdf_section *whole, struct an_pdf_section *older,
              struct change_vec *changes)
{
    for (size_t i = 0; i < older->run_count; i++)
        for (uint32_t at = 0; at < older->runs[i].count; at++) {
            struct an_pdf_spot spot;

            if (!an_pdf_section_find(pdf, whole, older->runs[i].first + at, &spot))
                *change_vec_push(changes) = (struct an_pdf_change){.num = older->runs[i].first + at, .is_free = true};
        }
    if (older->hybrid)
        list_left_out(pdf, whole, older->hybrid, changes);
}

/* A section that lists everything anew takes away what it does not list. */
static void
list_taken_away(struct an_pdf *pdf, size_t index, struct change_vec *changes)
{
    struct an_pdf_section *whole = pdf->sections.items[index], *older;

    for (size_t i = index + 1; whole->is_whole && (older = an_pdf_section_at(pdf, i)) != NULL; i++)
        list_left_out(pdf, whole, older, changes);
}

static int
by_number(const void *a, const void *b)
{
    const struct an_pdf_change *x = a, *y = b;

    return (x->num > y->num) - (x->num < y->num);
}

an_code
an_pdf_revision_changes(struct an_pdf *pdf, size_t revision, struct an_pdf_change **ret, size_t *ret_count,
                        struct an_err *reterr)
{
    size_t latest = an_pdf_latest(pdf);
    struct change_vec changes = {0};
    const struct an_pdf_part *part;

    if (revision == AN_PDF_NOW)
        revision = latest;
    if (revision > latest)
        AN_FAIL(reterr, AN_E_PDF_REVISION, "%zu of %zu", revision, latest + 1);
    part = &pdf->parts.items[revision];
    for (size_t i = part->newest; i <= part->oldest; i++) {
        list_section(pdf, pdf->sections.items[i], &changes);
        list_taken_away(pdf, i, &changes);
    }
    if (changes.count)
        qsort(changes.items, changes.count, sizeof(*changes.items), by_number);
    *ret = changes.items;
    *ret_count = changes.count;
    return AN_OK;
}

/* ---- for the writer ---- */

void
an_pdf_tail(struct an_pdf *pdf, struct an_pdf_tail *ret)
{
    const struct an_pdf_section *section = pdf->sections.items[0];
    int64_t size = 0;
    uint64_t next;

    (void)an_pdf_int(an_pdf_dict_find(section->trailer, "Size"), &size);
    next = size > 0 && size <= AN_LIMIT_PDF_OBJECTS ? (uint64_t)size : 1;
    for (size_t i = 0; i < pdf->sections.count; i++)
        for (size_t j = 0; j < pdf->sections.items[i]->run_count; j++) {
            const struct an_pdf_run *run = &pdf->sections.items[i]->runs[j];

            if (run->count && (uint64_t)run->first + run->count > next)
                next = (uint64_t)run->first + run->count;
        }
    *ret = (struct an_pdf_tail){
        .startxref = section->startxref,
        .bias = pdf->bias,
        .is_stream = section->is_stream,
        .is_rebuilt = pdf->is_rebuilt,
        .next_num = (uint32_t)next,
    };
}

/* Older entries first, so that of several for one number the last in a stable order is the newest. */
static int
by_number_then_age(const void *a, const void *b)
{
    const struct an_pdf_change *x = *(const struct an_pdf_change *const *)a,
                               *y = *(const struct an_pdf_change *const *)b;

    if (x->num != y->num)
        return x->num < y->num ? -1 : 1;
    return (x > y) - (x < y);
}

static void
keep_newest(const struct change_vec *all, struct change_vec *live)
{
    const struct an_pdf_change **order = an_new_array(all->count, sizeof(*order));

    for (size_t i = 0; i < all->count; i++)
        order[i] = &all->items[i];
    qsort(order, all->count, sizeof(const struct an_pdf_change *), by_number_then_age);
    for (size_t i = 0; i < all->count; i++)
        if ((i == 0 || order[i]->num != order[i - 1]->num) &&
            !order[i]->is_free) /* newest sections were listed first */
            *change_vec_push(live) = *order[i];
    free(order);
}

an_code
an_pdf_live_objects(struct an_pdf *pdf, struct an_pdf_change **ret, size_t *ret_count, struct an_err *reterr)
{
    struct change_vec all = {0}, live = {0};
    struct an_pdf_section *section;

    for (size_t i = 0; (section = an_pdf_section_at(pdf, i)) != NULL; i++) {
        list_section(pdf, section, &all);
        if (all.count > AN_LIMIT_PDF_OBJECTS) {
            change_vec_done(&all);
            AN_FAIL(reterr, AN_E_LIMIT, "more than %u objects", AN_LIMIT_PDF_OBJECTS);
        }
        if (section->is_whole)
            break;
    }
    keep_newest(&all, &live);
    change_vec_done(&all);
    *ret = live.items;
    *ret_count = live.count;
    return AN_OK;
}
