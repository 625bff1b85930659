/* A damaged cross-reference rebuilt by scanning the whole file: only for files without signatures. */
#include "base/map.h"
#include "pdf/internal.h"

#include <stdlib.h>

struct found {
    uint32_t num;
    uint16_t gen;
    uint32_t container;
    uint64_t offset;
    uint64_t order;
};
AN_VEC(found_vec, struct found);
AN_VEC(num_vec, uint32_t);

struct scan {
    struct an_pdf *pdf;
    struct an_arena *scratch; /* objects looked at while scanning, forgotten at once */
    struct found_vec found;
    struct num_vec containers;
    uint64_t trailer_at, trailer_stream_at, catalog_at; /* 0 = none */
    bool has_encrypt;
};

bool
an_pdf_looks_signed(struct an_pdf *pdf)
{
    if (!pdf->was_checked_signed)
        pdf->looks_signed = an_bytes_find(pdf->file, AN_LIT("/ByteRange"), 0) != SIZE_MAX;
    pdf->was_checked_signed = true;
    return pdf->looks_signed;
}

static void
look_at(struct scan *scan, const struct an_pdf_obj *obj, uint64_t offset)
{
    const struct an_pdf_obj *type = an_pdf_dict_find(obj, "Type");

    if (an_pdf_is_name(type, "Catalog"))
        scan->catalog_at = obj->num;
    else if (an_pdf_is_name(type, "ObjStm") && obj->kind == AN_PDF_STREAM)
        *num_vec_push(&scan->containers) = obj->num;
    else if (an_pdf_is_name(type, "XRef") && an_pdf_dict_find(obj, "Root"))
        scan->trailer_stream_at = offset;
}

/* Where the digits "num gen " before an "obj" begin; SIZE_MAX when this is no object head. */
static size_t
head_start(an_bytes in, size_t obj_at)
{
    size_t i = obj_at, digits;

    for (int part = 0; part < 2; part++) {
        size_t spaces = i;

        while (i > 0 && (an_pdf_class[in.ptr[i - 1]] & AN_PDF_SPACE))
            i--;
        if (spaces == i && part == 1)
            return SIZE_MAX;
        digits = i;
        while (i > 0 && (an_pdf_class[in.ptr[i - 1]] & AN_PDF_DIGIT) && digits - i < 11)
            i--;
        if (digits == i)
            return SIZE_MAX;
    }
    return i;
}

/* Records the object at `start`; returns where scanning goes on. */
static size_t
take_object(struct scan *scan, size_t start, size_t after_obj)
{
    struct an_pdf *pdf = scan->pdf;
    struct an_pdf_obj *obj;
    size_t next = after_obj;

    an_arena_reset(scan->scratch);
    obj = an_pdf_parse_indirect(pdf, scan->scratch, AN_PDF_NOW, start, false);
    if (obj == NULL || obj->num > AN_LIMIT_PDF_OBJECTS)
        return next;
    *found_vec_push(&scan->found) = (struct found){.num = obj->num, .gen = obj->gen, .offset = start, .order = start};
    look_at(scan, obj, start);
    if (obj->kind == AN_PDF_STREAM)
        next = (size_t)(obj->data_offset + obj->data_len);
    return next > after_obj ? next : after_obj;
}

static void
take_trailer(struct scan *scan, size_t at)
{
    struct an_pdf_parser parser = {.pdf = scan->pdf, .arena = scan->scratch, .in = scan->pdf->file, .at = at};
    struct an_pdf_obj dict;

    an_arena_reset(scan->scratch);
    if (an_pdf_parse_value(&parser, &dict) && an_pdf_dict_find(&dict, "Root"))
        scan->trailer_at = at;
}

static void
scan_file(struct scan *scan)
{
    an_bytes in = scan->pdf->file;
    size_t at = 0, trailer = an_bytes_find(in, AN_LIT("trailer"), 0);

    while ((at = an_bytes_find(in, AN_LIT("obj"), at)) != SIZE_MAX) {
        size_t start = head_start(in, at);

        at = start == SIZE_MAX ? at + 3 : take_object(scan, start, at + 3);
    }
    for (; trailer != SIZE_MAX; trailer = an_bytes_find(in, AN_LIT("trailer"), trailer))
        take_trailer(scan, trailer += 7);
}

static int
by_number_then_order(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    if (x->num != y->num)
        return x->num < y->num ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Sorted, the last of each number wins; runs of consecutive numbers. */
static struct an_pdf_section *
build_section(struct scan *scan)
{
    struct an_pdf *pdf = scan->pdf;
    struct an_pdf_section *section = an_arena_alloc(pdf->arena, sizeof(*section));
    struct an_pdf_spot *spots = an_arena_alloc(pdf->arena, (scan->found.count + 1) * sizeof(*spots));
    struct an_pdf_run *runs = an_arena_alloc(pdf->arena, (scan->found.count + 1) * sizeof(*runs));
    size_t used = 0;

    if (section == NULL || spots == NULL || runs == NULL)
        return NULL;
    if (scan->found.count)
        qsort(scan->found.items, scan->found.count, sizeof(*scan->found.items), by_number_then_order);
    for (size_t i = 0; i < scan->found.count; i++) {
        const struct found *found = &scan->found.items[i];

        if (i + 1 < scan->found.count && scan->found.items[i + 1].num == found->num)
            continue;
        if (section->run_count == 0 ||
            runs[section->run_count - 1].first + runs[section->run_count - 1].count != found->num)
            runs[section->run_count++] = (struct an_pdf_run){.first = found->num, .entries = spots + used};
        runs[section->run_count - 1].count++;
        spots[used++] = (struct an_pdf_spot){
            .where = found->container ? AN_PDF_IN_STREAM : AN_PDF_IN_FILE,
            .gen = found->gen,
            .container = found->container,
            .offset = found->offset,
        };
    }
    section->runs = runs;
    section->is_sorted = true;
    section->trailer = &an_pdf_null;
    return section;
}

static const struct an_pdf_obj *
make_trailer(struct an_pdf *pdf, uint32_t catalog)
{
    struct an_pdf_obj *trailer = an_arena_alloc(pdf->arena, sizeof(*trailer));
    struct an_pdf_entry *entry = an_arena_alloc(pdf->arena, sizeof(*entry));

    if (trailer == NULL || entry == NULL)
        return &an_pdf_null;
    entry->key = AN_LIT("Root");
    entry->value.kind = AN_PDF_REF;
    entry->value.u.ref.num = catalog;
    trailer->kind = AN_PDF_DICT;
    trailer->u.dict.entries = entry;
    trailer->u.dict.count = 1;
    return trailer;
}

static const struct an_pdf_obj *
choose_trailer(struct scan *scan)
{
    struct an_pdf *pdf = scan->pdf;
    struct an_pdf_obj *trailer = an_arena_alloc(pdf->arena, sizeof(*trailer));
    struct an_pdf_parser parser = {.pdf = pdf, .arena = pdf->arena, .in = pdf->file, .at = (size_t)scan->trailer_at};

    if (scan->trailer_at && scan->trailer_at >= scan->trailer_stream_at && trailer &&
        an_pdf_parse_value(&parser, trailer))
        return trailer;
    if (scan->trailer_stream_at) {
        struct an_pdf_obj *stream = an_pdf_parse_indirect(pdf, pdf->arena, AN_PDF_NOW, scan->trailer_stream_at, false);

        if (stream)
            return stream;
    }
    return scan->catalog_at ? make_trailer(pdf, (uint32_t)scan->catalog_at) : &an_pdf_null;
}

static void
install(struct an_pdf *pdf, struct an_pdf_section *section)
{
    an_pdf_history_drop(pdf);
    pdf->sections.count = 0;
    *an_pdf_section_vec_push(&pdf->sections) = section;
    pdf->parts.count = 0;
    pdf->chain_done = true;
}

/* Objects inside object streams: as new as the stream that holds them. */
static void
take_containers(struct scan *scan)
{
    struct an_pdf *pdf = scan->pdf;

    for (size_t i = 0; i < scan->containers.count; i++) {
        uint32_t num = scan->containers.items[i];
        const struct an_pdf_container *container = an_pdf_container_at(pdf, AN_PDF_NOW, num);
        struct an_pdf_spot spot = an_pdf_find_spot(pdf, AN_PDF_NOW, num);

        for (uint32_t at = 0; container && at < container->count; at++) {
            const struct an_pdf_obj *obj;
            struct an_pdf_spot inside = {.where = AN_PDF_IN_STREAM, .container = num, .offset = at};

            if (container->nums[at] > AN_LIMIT_PDF_OBJECTS)
                continue;
            *found_vec_push(&scan->found) = (struct found){
                .num = container->nums[at],
                .container = num,
                .offset = at,
                .order = spot.offset,
            };
            if (scan->trailer_at || scan->trailer_stream_at)
                continue;
            obj = an_pdf_object_at(pdf, AN_PDF_NOW, container->nums[at], &inside);
            if (an_pdf_is_name(an_pdf_dict_find(obj, "Type"), "Catalog"))
                scan->catalog_at = container->nums[at];
        }
    }
}

static an_code
rebuild_with(struct scan *scan, struct an_err *reterr)
{
    struct an_pdf *pdf = scan->pdf;
    struct an_pdf_section *section;
    const struct an_pdf_obj *root;

    scan_file(scan);
    section = build_section(scan);
    if (section == NULL)
        AN_FAIL(reterr, AN_E_LIMIT, "objects in a damaged file");
    if (scan->found.count == 0)
        AN_FAIL(reterr, AN_E_PDF_XREF, "no objects in the file");
    pdf->bias = 0;
    install(pdf, section);
    section->trailer = choose_trailer(scan);
    if (an_pdf_dict_find(section->trailer, "Encrypt") && pdf->crypt == NULL)
        AN_TRY(an_pdf_crypt_open(pdf, pdf->password, reterr));
    if (scan->containers.count) {
        take_containers(scan);
        section = build_section(scan);
        if (section == NULL)
            AN_FAIL(reterr, AN_E_LIMIT, "objects in a damaged file");
        section->trailer = choose_trailer(scan);
        install(pdf, section);
    }
    root = an_pdf_catalog(pdf, AN_PDF_NOW);
    if (root->kind != AN_PDF_DICT && scan->catalog_at)
        section->trailer = make_trailer(pdf, (uint32_t)scan->catalog_at);
    return AN_OK;
}

an_code
an_pdf_rebuild(struct an_pdf *pdf, struct an_err *reterr)
{
    struct scan scan = {.pdf = pdf};
    an_code code;

    if (!pdf->allow_rebuild || pdf->is_rebuilt || pdf->rebuild_failed || pdf->is_rebuilding)
        AN_FAIL(reterr, AN_E_PDF_XREF, "offset %llu", (unsigned long long)pdf->startxref_at);
    if (an_pdf_looks_signed(pdf))
        AN_FAIL(reterr, AN_E_PDF_XREF, "offset %llu: the file has signatures and is not rebuilt",
                (unsigned long long)pdf->startxref_at);
    pdf->is_rebuilding = true;
    scan.scratch = an_arena_new(AN_LIMIT_PDF_ARENA);
    code = rebuild_with(&scan, reterr);
    an_arena_free(&scan.scratch);
    found_vec_done(&scan.found);
    num_vec_done(&scan.containers);
    pdf->is_rebuilding = false;
    pdf->is_rebuilt = code == AN_OK;
    pdf->rebuild_failed = code != AN_OK;
    if (code == AN_OK)
        an_pdf_fault_note(pdf, AN_N_PDF_REBUILT, 0, 0);
    return code;
}
