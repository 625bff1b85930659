#include "pdf/refs.h"

#include "base/map.h"

#include <stdlib.h>

#define MENTIONS_MAX 4000000
#define OBJECTS_MAX ((size_t)20000000)

struct layout {
    bool is_known;
    struct an_pdf_layout_fault_vec faults;
};

struct an_pdf_refs {
    struct an_map *paths;
    struct layout *layouts; /* one for each revision */
    size_t layout_count;
    struct an_map *lists; /* number → struct an_pdf_mention_vec *; its keys are the numbers of interest */
    size_t mentions, objects;
};

/* The object version being read. */
struct reading {
    struct an_pdf *pdf;
    struct an_pdf_refs *refs;
    struct an_arena *scratch;
    struct an_pdf_mention here;
    bool collecting; /* first pass: numbers of interest; second: mentions of them */
};

void
an_pdf_each_ref(const struct an_pdf_obj *obj, an_pdf_ref_fn *fn, void *user)
{
    if (obj->kind == AN_PDF_REF) {
        fn(user, obj->u.ref.num);
    } else if (obj->kind == AN_PDF_ARRAY) {
        for (size_t i = 0; i < obj->u.array.count; i++)
            an_pdf_each_ref(&obj->u.array.items[i], fn, user);
    } else if (obj->kind == AN_PDF_DICT || obj->kind == AN_PDF_STREAM) {
        for (size_t i = 0; i < obj->u.dict.count; i++)
            an_pdf_each_ref(&obj->u.dict.entries[i].value, fn, user);
    }
}

struct search {
    uint32_t num;
    bool found;
};

static void
compare_ref(void *user, uint32_t num)
{
    struct search *search = user;

    search->found = search->found || num == search->num;
}

bool
an_pdf_mentions(const struct an_pdf_obj *obj, uint32_t num)
{
    struct search search = {.num = num};

    an_pdf_each_ref(obj, compare_ref, &search);
    return search.found;
}

bool
an_pdf_spot_equal(const struct an_pdf_spot *a, const struct an_pdf_spot *b)
{
    if (a->where != b->where)
        return (a->where == AN_PDF_NOWHERE || a->where == AN_PDF_FREE) &&
               (b->where == AN_PDF_NOWHERE || b->where == AN_PDF_FREE);
    if (a->where == AN_PDF_IN_FILE)
        return a->offset == b->offset;
    return a->where != AN_PDF_IN_STREAM || (a->container == b->container && a->offset == b->offset);
}

static void
want(struct an_pdf_refs *refs, uint32_t num)
{
    if (num && an_map_find_u64(refs->lists, num) == NULL)
        an_map_put_u64(refs->lists, num, AN_NEW(struct an_pdf_mention_vec));
}

static void
take_ref(void *user, uint32_t num)
{
    struct reading *reading = user;
    struct an_pdf_mention_vec *list;

    if (reading->collecting) {
        want(reading->refs, num);
        return;
    }
    list = an_map_find_u64(reading->refs->lists, num);
    if (list == NULL || reading->refs->mentions > MENTIONS_MAX)
        return;
    if (list->count) { /* one version mentions it several times */
        const struct an_pdf_mention *last = &list->items[list->count - 1];

        if (last->from == reading->here.from && an_pdf_spot_equal(&last->spot, &reading->here.spot))
            return;
    }
    *an_pdf_mention_vec_push(list) = reading->here;
    reading->refs->mentions++;
}

static void
read_in_file(struct reading *reading, size_t revision, const struct an_pdf_change *change)
{
    const struct an_pdf_obj *obj;

    an_arena_reset(reading->scratch);
    reading->pdf->is_scanning = true;
    obj = an_pdf_parse_indirect(reading->pdf, reading->scratch, revision, change->offset, false);
    reading->pdf->is_scanning = false;
    if (obj == NULL || obj->num != change->num) {
        /* found elsewhere by repair: as the rest of the reader sees it */
        obj = an_pdf_object(reading->pdf, revision, change->num);
    }
    if (obj->kind == AN_PDF_STREAM && an_pdf_is_name(an_pdf_dict_find(obj, "Type"), "XRef"))
        return; /* read as the trailer of its revision */
    reading->here =
        (struct an_pdf_mention){change->num, {.where = AN_PDF_IN_FILE, .offset = change->offset, .gen = change->gen}};
    an_pdf_each_ref(obj, take_ref, reading);
}

/* The table at the head of an object stream, then each object that is listed as standing there. */
static void
read_packed(struct reading *reading, an_bytes data, size_t first, size_t count, uint32_t container)
{
    struct an_pdf_parser parser = {.pdf = reading->pdf, .arena = reading->scratch, .in = data, .container = container};
    size_t table = 0;

    for (size_t i = 0; i < count; i++) {
        struct an_pdf_obj obj;
        uint64_t num, offset;

        table = an_pdf_skip_space(data, table);
        if (!an_pdf_read_uint(data, &table, &num) || num > UINT32_MAX)
            return;
        table = an_pdf_skip_space(data, table);
        if (!an_pdf_read_uint(data, &table, &offset) || offset > data.len - first)
            return;
        an_arena_reset(reading->scratch);
        parser.at = first + (size_t)offset;
        parser.is_odd = true; /* faults were noted when the object was used */
        reading->here = (struct an_pdf_mention){
            (uint32_t)num,
            {.where = AN_PDF_IN_STREAM, .container = container, .offset = i},
        };
        if (an_pdf_parse_value(&parser, &obj))
            an_pdf_each_ref(&obj, take_ref, reading);
    }
}

static void
read_container(struct reading *reading, size_t revision, uint32_t num)
{
    AN_CLEANUP(an_buf_free) struct an_buf data = an_buf_new(AN_LIMIT_PDF_STREAM);
    struct an_pdf_spot spot = an_pdf_find_spot(reading->pdf, revision, num);
    const struct an_pdf_obj *stream;
    int64_t first = 0, count = 0;

    if (spot.where != AN_PDF_IN_FILE)
        return;
    an_arena_reset(reading->scratch);
    stream = an_pdf_parse_indirect(reading->pdf, reading->scratch, revision, spot.offset, false);
    if (stream == NULL || stream->kind != AN_PDF_STREAM)
        return;
    if (!an_pdf_int(an_pdf_at(reading->pdf, revision, stream, "First"), &first) || first < 0 ||
        !an_pdf_int(an_pdf_at(reading->pdf, revision, stream, "N"), &count) || count < 0)
        return;
    if (an_pdf_stream_data(reading->pdf, stream, AN_LIMIT_PDF_STREAM, &data, NULL) != AN_OK ||
        (uint64_t)first > data.len)
        return;
    read_packed(reading, an_buf_view(&data), (size_t)first, (size_t)count, num);
}

static int
by_container(const void *a, const void *b)
{
    const struct an_pdf_change *x = a, *y = b;

    if (x->container != y->container)
        return x->container < y->container ? -1 : 1;
    return (x->num > y->num) - (x->num < y->num);
}

static an_code
read_revision(struct reading *reading, size_t revision, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) struct an_pdf_change *changes = NULL;
    size_t count = 0;

    AN_TRY(an_pdf_revision_changes(reading->pdf, revision, &changes, &count, reterr));
    reading->refs->objects += count;
    if (reading->refs->objects > OBJECTS_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "more than %zu objects to compare", OBJECTS_MAX);
    if (count)
        qsort(changes, count, sizeof(*changes), by_container);
    for (size_t i = 0; i < count; i++) {
        if (reading->collecting)
            want(reading->refs, changes[i].num);
        if (changes[i].is_free)
            continue;
        if (changes[i].container == 0)
            read_in_file(reading, revision, &changes[i]);
        else if (i == 0 || changes[i].container != changes[i - 1].container)
            read_container(reading, revision, changes[i].container);
        if (reading->collecting && revision)
            an_pdf_each_ref(an_pdf_object(reading->pdf, revision - 1, changes[i].num), take_ref, reading);
    }
    reading->here = (struct an_pdf_mention){0, {.where = AN_PDF_IN_FILE, .offset = revision}};
    an_pdf_each_ref(an_pdf_trailer(reading->pdf, revision), take_ref, reading);
    return AN_OK;
}

static an_code
read_all(struct reading *reading, struct an_err *reterr)
{
    size_t latest = an_pdf_latest(reading->pdf);

    reading->collecting = true;
    for (size_t i = 1; i <= latest; i++)
        AN_TRY(read_revision(reading, i, reterr));
    reading->collecting = false;
    reading->refs->objects = 0;
    for (size_t i = 0; i <= latest; i++)
        AN_TRY(read_revision(reading, i, reterr));
    if (reading->refs->mentions > MENTIONS_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "more than %d references to compare", MENTIONS_MAX);
    return AN_OK;
}

an_code
an_pdf_refs_build(struct an_pdf *pdf, struct an_err *reterr)
{
    struct reading reading = {.pdf = pdf};
    an_code code;

    if (pdf->refs)
        return AN_OK;
    reading.refs = AN_NEW(struct an_pdf_refs);
    an_pdf_history_build(pdf);
    reading.refs->lists = an_map_new();
    reading.refs->paths = an_map_new();
    reading.refs->layout_count = an_pdf_latest(pdf) + 1;
    reading.refs->layouts = an_new_array(reading.refs->layout_count, sizeof(struct layout));
    reading.scratch = an_arena_new(AN_LIMIT_PDF_ARENA);
    code = read_all(&reading, reterr);
    an_arena_free(&reading.scratch);
    if (code != AN_OK) {
        an_pdf_refs_free(&reading.refs);
        return code;
    }
    pdf->refs = reading.refs;
    return AN_OK;
}

void
an_pdf_refs_free(struct an_pdf_refs **address)
{
    struct an_pdf_refs *refs = *address;

    if (refs == NULL)
        return;
    for (size_t i = 0; i < an_map_count(refs->lists); i++) {
        struct an_pdf_mention_vec *list = an_map_value(refs->lists, i);

        an_pdf_mention_vec_done(list);
        free(list);
    }
    for (size_t i = 0; i < an_map_count(refs->paths); i++)
        free(an_map_value(refs->paths, i));
    for (size_t i = 0; i < refs->layout_count; i++)
        an_pdf_layout_fault_vec_done(&refs->layouts[i].faults);
    an_map_free(&refs->paths);
    an_map_free(&refs->lists);
    free(refs->layouts);
    free(refs);
    *address = NULL;
}

const char *
an_pdf_refs_path(const struct an_pdf *pdf, uint32_t num)
{
    return pdf->refs ? an_map_find_u64(pdf->refs->paths, num) : NULL;
}

void
an_pdf_refs_keep_path(struct an_pdf *pdf, uint32_t num, const char *path)
{
    if (pdf->refs && an_map_find_u64(pdf->refs->paths, num) == NULL)
        an_map_put_u64(pdf->refs->paths, num, an_strdup(path));
}

struct an_pdf_layout_fault_vec *
an_pdf_refs_layout(struct an_pdf *pdf, size_t revision, bool *ret_known)
{
    struct layout *layout = &pdf->refs->layouts[revision];

    *ret_known = layout->is_known;
    layout->is_known = true;
    return &layout->faults;
}

const struct an_pdf_mention_vec *
an_pdf_refs_of(const struct an_pdf *pdf, uint32_t num)
{
    const struct an_pdf_mention_vec *list = pdf->refs ? an_map_find_u64(pdf->refs->lists, num) : NULL;

    return list && list->count ? list : NULL;
}

bool
an_pdf_mention_is_current(struct an_pdf *pdf, const struct an_pdf_mention *mention, size_t revision)
{
    struct an_pdf_spot spot;

    if (mention->from == 0)
        return mention->spot.offset == (revision == AN_PDF_NOW ? an_pdf_latest(pdf) : revision);
    spot = an_pdf_find_spot(pdf, revision, mention->from);
    return an_pdf_spot_equal(&spot, &mention->spot);
}
