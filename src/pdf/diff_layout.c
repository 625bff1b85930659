/* What the bytes behind a signature look like: whole revisions, listed objects, nothing else. */
#include "pdf/diff.h"

#include <stdlib.h>

struct span {
    uint64_t from, to;
};
AN_VEC(span_vec, struct span);

static void
add_fault(struct an_pdf_layout_fault_vec *faults, an_code why, uint32_t num, uint64_t offset)
{
    *an_pdf_layout_fault_vec_push(faults) = (struct an_pdf_layout_fault){why, num, offset};
}

static bool
is_blank(struct an_pdf *pdf, uint64_t from, uint64_t to)
{
    while (from < to && from < pdf->file.len && (an_pdf_class[pdf->file.ptr[from]] & AN_PDF_SPACE))
        from++;
    return from >= to || from >= pdf->file.len;
}

void
an_diff_check_tail(struct diff *diff)
{
    uint64_t end = an_pdf_revision_at(diff->pdf, diff->now)->end;

    if (!is_blank(diff->pdf, end, diff->pdf->file.len))
        an_diff_report(diff, AN_V_PDF_TAIL, 0, end, diff->now);
}

/* White space, comments (the marker of binary content, %%EOF) and stray keywords are harmless between objects. */
static bool
is_harmless(struct an_pdf *pdf, uint64_t from, uint64_t to)
{
    an_bytes in = AN_BYTES(pdf->file.ptr, to < pdf->file.len ? to : pdf->file.len);
    size_t at = an_pdf_skip_space(in, (size_t)from);

    while (at < in.len) {
        size_t before = at;
        uint64_t ignored;

        if (!an_pdf_read_word(in, &at, "endobj") && !an_pdf_read_word(in, &at, "endstream") &&
            !an_pdf_read_word(in, &at, "startxref"))
            (void)an_pdf_read_uint(in, &at, &ignored);
        if (at == before)
            return false;
        at = an_pdf_skip_space(in, at);
    }
    return true;
}

static int
by_start(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    return (x->from > y->from) - (x->from < y->from);
}

static void
add_span(struct span_vec *spans, uint64_t from, uint64_t to)
{
    *span_vec_push(spans) = (struct span){from, to};
}

static void
add_sections(struct an_pdf *pdf, size_t revision, struct span_vec *spans)
{
    const struct an_pdf_part *part = &pdf->parts.items[revision];

    for (size_t i = part->newest; i <= part->oldest; i++) {
        const struct an_pdf_section *section = pdf->sections.items[i];

        add_span(spans, section->offset, section->body_end);
        if (section->hybrid)
            add_span(spans, section->hybrid->offset, section->hybrid->body_end);
    }
}

/* Every byte of a later revision belongs to an object it lists, or to its cross-reference. Others could be picked up by
 * a reader that rebuilds the file. */
static void
check_gaps(struct an_pdf *pdf, struct an_pdf_layout_fault_vec *faults, size_t revision,
           const struct an_pdf_change *listed, size_t count)
{
    uint64_t start = an_pdf_revision_at(pdf, revision - 1)->end, end = an_pdf_revision_at(pdf, revision)->end,
             at = start;
    struct span_vec spans = {0};

    for (size_t i = 0; i < count; i++)
        if (!listed[i].is_free && listed[i].container == 0 && listed[i].offset >= start && listed[i].offset < end) {
            struct an_pdf_spot spot = {.where = AN_PDF_IN_FILE, .offset = listed[i].offset};
            const struct an_pdf_obj *obj = an_pdf_object_at(pdf, revision, listed[i].num, &spot);

            add_span(&spans, listed[i].offset, obj->end > listed[i].offset ? obj->end : listed[i].offset);
        }
    add_sections(pdf, revision, &spans);
    if (spans.count)
        qsort(spans.items, spans.count, sizeof(*spans.items), by_start);
    for (size_t i = 0; i < spans.count; i++) {
        if (spans.items[i].from > at && !is_harmless(pdf, at, spans.items[i].from))
            add_fault(faults, AN_V_PDF_STRAY, 0, at);
        at = spans.items[i].to > at ? spans.items[i].to : at;
    }
    if (!is_harmless(pdf, at, end))
        add_fault(faults, AN_V_PDF_STRAY, 0, at);
    span_vec_done(&spans);
}

/* Objects in an object stream that the cross-reference does not list are as hidden as bytes between objects. */
static void
check_packed(struct an_pdf *pdf, struct an_pdf_layout_fault_vec *faults, size_t revision,
             const struct an_pdf_change *listed, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct an_pdf_obj *obj =
            listed[i].is_free || listed[i].container ? NULL : an_pdf_object(pdf, revision, listed[i].num);
        const struct an_pdf_container *container = NULL;

        if (an_pdf_is_name(an_pdf_dict_find(obj, "Type"), "ObjStm"))
            container = an_pdf_container_at(pdf, revision, listed[i].num);
        for (uint32_t j = 0; container && j < container->count; j++) {
            struct an_pdf_spot spot = an_pdf_find_spot(pdf, revision, container->nums[j]);

            if (spot.where != AN_PDF_IN_STREAM || spot.container != listed[i].num)
                add_fault(faults, AN_V_PDF_STRAY, container->nums[j], listed[i].offset);
        }
    }
}

/* The same number twice in one section with different places: readers choose differently. */
static void
check_doubles(struct an_pdf_layout_fault_vec *faults, const struct an_pdf_change *listed, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct an_pdf_change *a = &listed[i - 1], *b = &listed[i];

        if (a->num == b->num && !a->is_free && !b->is_free && (a->offset != b->offset || a->container != b->container))
            add_fault(faults, AN_V_PDF_AMBIGUOUS, b->num, b->container ? 0 : b->offset);
    }
}

static void
check_order(struct diff *diff, size_t revision)
{
    const struct an_pdf_part *part = &diff->pdf->parts.items[revision];
    uint64_t previous = an_pdf_revision_at(diff->pdf, revision - 1)->end;

    for (size_t i = part->newest; i <= part->oldest; i++) {
        const struct an_pdf_section *section = diff->pdf->sections.items[i];
        uint64_t end = an_pdf_revision_at(diff->pdf, revision)->end;

        if (section->offset < previous && end > diff->signed_end)
            an_diff_report(diff, AN_V_PDF_XREF_ORDER, 0, section->offset, revision);
    }
}

/* An object in an object stream that came after the signature. */
static bool
is_packed_later(struct diff *diff, uint32_t num)
{
    const struct change *change = an_diff_change(diff, num);

    return change && change->after.where == AN_PDF_IN_STREAM && !an_pdf_spot_equal(&change->before, &change->after);
}

/* Repairs that were needed to read what came after the signed bytes: other readers may repair otherwise. */
void
an_diff_check_faults(struct diff *diff)
{
    for (size_t i = 0; i < diff->pdf->faults.count; i++) {
        const struct an_pdf_fault *fault = &diff->pdf->faults.items[i];

        if (fault->offset >= diff->pdf->file.len ||
            (fault->offset < diff->signed_end && !(fault->offset == 0 && is_packed_later(diff, fault->num))))
            continue;
        if (fault->code == AN_N_PDF_XREF_REPAIRED || fault->code == AN_N_PDF_OBJECT_MISSING ||
            fault->code == AN_N_PDF_PREV)
            an_diff_report(diff, AN_V_PDF_XREF_BROKEN, fault->num, fault->offset, diff->now);
        else if (fault->code == AN_N_PDF_DUPLICATE_KEY || fault->code == AN_N_PDF_STREAM_LENGTH)
            an_diff_report(diff, AN_V_PDF_AMBIGUOUS, fault->num, fault->offset, diff->now);
    }
}

/* A signed revision with two cross-references of its own: if they disagree, readers see different documents, and what
 * changed afterwards depends on the reader. */
static bool
is_mixed(const struct an_pdf *pdf, size_t revision)
{
    const struct an_pdf_part *part = &pdf->parts.items[revision];

    for (size_t i = part->newest; i <= part->oldest; i++)
        if (pdf->sections.items[i]->hybrid)
            return true;
    return false;
}

/* The faults of one revision, found once however many signatures it follows. */
static an_code
list_faults(struct an_pdf *pdf, size_t revision, struct an_pdf_layout_fault_vec **ret, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) struct an_pdf_change *listed = NULL;
    bool is_known;
    size_t count = 0;

    *ret = an_pdf_refs_layout(pdf, revision, &is_known);
    if (is_known)
        return AN_OK;
    AN_TRY(an_pdf_revision_changes(pdf, revision, &listed, &count, reterr));
    check_doubles(*ret, listed, count);
    if (revision == 0)
        return AN_OK;
    check_gaps(pdf, *ret, revision, listed, count);
    check_packed(pdf, *ret, revision, listed, count);
    return AN_OK;
}

an_code
an_diff_check_layout(struct diff *diff, struct an_err *reterr)
{
    for (size_t revision = diff->old; revision <= diff->now; revision++) {
        struct an_pdf_layout_fault_vec *faults;

        if (revision == diff->old && !is_mixed(diff->pdf, revision))
            continue;
        AN_TRY(list_faults(diff->pdf, revision, &faults, reterr));
        for (size_t i = 0; i < faults->count; i++)
            if (revision > diff->old || faults->items[i].why == AN_V_PDF_AMBIGUOUS)
                an_diff_report(diff, faults->items[i].why, faults->items[i].num, faults->items[i].offset, revision);
        if (revision > diff->old)
            check_order(diff, revision);
    }
    if (diff->pdf->chain_broken && diff->pdf->chain_fault >= diff->signed_end)
        an_diff_report(diff, AN_V_PDF_XREF_BROKEN, 0, diff->pdf->chain_fault, diff->now);
    return AN_OK;
}

/* A later cross-reference may list only what stands behind the signed bytes, or what it listed there before. */
static void
check_spot(struct diff *diff, struct change *change)
{
    const struct an_pdf_spot *spot = &change->after;
    struct an_pdf_parser parser = {.pdf = diff->pdf, .in = diff->pdf->file, .at = (size_t)spot->offset};
    uint32_t num;
    uint16_t gen = spot->gen;

    if (an_pdf_spot_equal(&change->before, spot) || change->is_gone)
        return;
    if (spot->where == AN_PDF_IN_STREAM) {
        struct an_pdf_spot holder = an_pdf_find_spot(diff->pdf, diff->now, spot->container);

        if (holder.where != AN_PDF_IN_FILE || holder.offset < diff->signed_end)
            an_diff_forbid(diff, change, AN_V_PDF_REPOINTED);
        return;
    }
    if (spot->offset < diff->signed_end)
        an_diff_forbid(diff, change, AN_V_PDF_REPOINTED);
    else if (spot->offset < diff->pdf->file.len && (!an_pdf_parse_head(&parser, &num, &gen) || num != change->num))
        an_diff_forbid(diff, change, AN_V_PDF_XREF_BROKEN);
    else if (gen != spot->gen || (!change->is_new && change->before.gen != spot->gen))
        an_diff_forbid(diff, change, AN_V_PDF_GENERATION);
}

void
an_diff_check_spots(struct diff *diff)
{
    for (size_t i = 0; i < diff->changes.count; i++)
        check_spot(diff, &diff->changes.items[i]);
}
