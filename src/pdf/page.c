#include "pdf/internal.h"

#include <math.h>

#define WALK_MAX 5000000 /* nodes of a page tree looked at in one walk */

/* One look-up in the page tree. */
struct walk {
    struct an_pdf *pdf;
    size_t revision, index, seen; /* seen: pages passed */
    size_t nodes;
    uint32_t trail[AN_LIMIT_PDF_PAGE_DEPTH]; /* object numbers above, against cycles */
    const struct an_pdf_obj *above[AN_LIMIT_PDF_PAGE_DEPTH];
    size_t depth;
    bool trust_count;
    const struct an_pdf_obj *found;
    uint32_t found_num;
    uint16_t found_gen;
    size_t found_depth;
};

static bool
is_leaf(struct walk *walk, const struct an_pdf_obj *node)
{
    return an_pdf_at(walk->pdf, walk->revision, node, "Kids")->kind != AN_PDF_ARRAY;
}

static bool
is_on_trail(const struct walk *walk, uint32_t num)
{
    for (size_t i = 0; i < walk->depth; i++)
        if (num && walk->trail[i] == num)
            return true;
    return false;
}

static size_t
stated_count(struct walk *walk, const struct an_pdf_obj *node)
{
    int64_t count;

    return an_pdf_int(an_pdf_at(walk->pdf, walk->revision, node, "Count"), &count) && count >= 0 ? (size_t)count
                                                                                                 : SIZE_MAX;
}

static void walk_node(struct walk *walk, const struct an_pdf_obj *ref, const struct an_pdf_obj *node);

static void
walk_kids(struct walk *walk, const struct an_pdf_obj *kids)
{
    for (size_t i = 0; i < kids->u.array.count && !walk->found; i++) {
        const struct an_pdf_obj *ref = &kids->u.array.items[i];
        const struct an_pdf_obj *kid = an_pdf_resolve(walk->pdf, walk->revision, ref);
        uint32_t num = ref->kind == AN_PDF_REF ? ref->u.ref.num : 0;

        if (kid->kind != AN_PDF_DICT || is_on_trail(walk, num) || ++walk->nodes > WALK_MAX)
            continue;
        if (walk->trust_count && !is_leaf(walk, kid)) {
            size_t count = stated_count(walk, kid);

            if (count != SIZE_MAX && walk->index >= walk->seen && count <= walk->index - walk->seen) {
                walk->seen += count;
                continue;
            }
        }
        walk_node(walk, ref, kid);
    }
}

static void
walk_node(struct walk *walk, const struct an_pdf_obj *ref, const struct an_pdf_obj *node)
{
    if (is_leaf(walk, node)) {
        if (walk->seen++ == walk->index) {
            walk->found = node;
            walk->found_num = ref && ref->kind == AN_PDF_REF ? ref->u.ref.num : 0;
            walk->found_gen = ref && ref->kind == AN_PDF_REF ? ref->u.ref.gen : 0;
            walk->found_depth = walk->depth;
        }
        return;
    }
    if (walk->depth >= AN_LIMIT_PDF_PAGE_DEPTH)
        return;
    walk->trail[walk->depth] = ref && ref->kind == AN_PDF_REF ? ref->u.ref.num : 0;
    walk->above[walk->depth] = node;
    walk->depth++;
    walk_kids(walk, an_pdf_at(walk->pdf, walk->revision, node, "Kids"));
    if (!walk->found)
        walk->depth--;
}

/* A node whose /Count equals its number of kids has only leaves: the kid is found by arithmetic. */
static bool
find_flat(struct walk *walk, const struct an_pdf_obj *root)
{
    const struct an_pdf_obj *kids = an_pdf_at(walk->pdf, walk->revision, root, "Kids"), *ref, *kid;

    if (kids->kind != AN_PDF_ARRAY || kids->u.array.count != stated_count(walk, root) ||
        walk->index >= kids->u.array.count)
        return false;
    ref = &kids->u.array.items[walk->index];
    kid = an_pdf_resolve(walk->pdf, walk->revision, ref);
    if (kid->kind != AN_PDF_DICT || !is_leaf(walk, kid) || ref->kind != AN_PDF_REF)
        return false;
    if (!an_pdf_equal(an_pdf_at(walk->pdf, walk->revision, kid, "Parent"), root))
        return false;
    walk->above[0] = root;
    walk->found = kid;
    walk->found_num = ref->u.ref.num;
    walk->found_gen = ref->u.ref.gen;
    walk->found_depth = walk->depth = 1;
    return true;
}

/* The page itself first, then its ancestors (7.7.3.4). */
static const struct an_pdf_obj *
inherited(const struct walk *walk, const char *key)
{
    const struct an_pdf_obj *value = an_pdf_dict_find(walk->found, key);

    for (size_t i = walk->found_depth; value == NULL && i-- > 0;)
        value = an_pdf_dict_find(walk->above[i], key);
    return value;
}

static void
fill_page(struct walk *walk, struct an_pdf_page *ret)
{
    int64_t rotate = 0;
    double unit = 0;
    struct an_pdf_page page = {.num = walk->found_num, .gen = walk->found_gen, .dict = walk->found, .user_unit = 1};

    if (!an_pdf_rect_of(walk->pdf, walk->revision, inherited(walk, "MediaBox"), &page.media) ||
        page.media.x1 - page.media.x0 <= 0 || page.media.y1 - page.media.y0 <= 0)
        page.media = (struct an_pdf_rect){0, 0, 612, 792}; /* what readers fall back to */
    page.crop = page.media;
    if (an_pdf_rect_of(walk->pdf, walk->revision, inherited(walk, "CropBox"), &page.crop)) {
        page.crop.x0 = fmax(page.crop.x0, page.media.x0);
        page.crop.y0 = fmax(page.crop.y0, page.media.y0);
        page.crop.x1 = fmin(page.crop.x1, page.media.x1);
        page.crop.y1 = fmin(page.crop.y1, page.media.y1);
        if (page.crop.x1 <= page.crop.x0 || page.crop.y1 <= page.crop.y0)
            page.crop = page.media;
    }
    if (an_pdf_int(an_pdf_resolve(walk->pdf, walk->revision, inherited(walk, "Rotate")), &rotate))
        page.rotate = (int)(((rotate % 360) + 360) % 360 / 90 * 90);
    if (an_pdf_number(an_pdf_at(walk->pdf, walk->revision, walk->found, "UserUnit"), &unit) && unit > 0)
        page.user_unit = unit;
    *ret = page;
}

static const struct an_pdf_obj *
tree_root(struct an_pdf *pdf, size_t revision, const struct an_pdf_obj **ret_ref)
{
    const struct an_pdf_obj *catalog = an_pdf_catalog(pdf, revision);

    *ret_ref = an_pdf_dict_find(catalog, "Pages");
    return an_pdf_resolve(pdf, revision, *ret_ref);
}

an_code
an_pdf_page(struct an_pdf *pdf, size_t revision, size_t index, struct an_pdf_page *ret, struct an_err *reterr)
{
    const struct an_pdf_obj *ref, *root = tree_root(pdf, revision, &ref);
    struct walk walk = {.pdf = pdf, .revision = revision, .index = index, .trust_count = true};

    if (root->kind != AN_PDF_DICT)
        AN_FAIL(reterr, AN_E_PDF_PAGE, "page tree");
    if (!find_flat(&walk, root))
        walk_node(&walk, ref, root);
    if (!walk.found) { /* counts that lie: look at every node */
        walk = (struct walk){.pdf = pdf, .revision = revision, .index = index};
        walk_node(&walk, ref, root);
        if (walk.found)
            an_pdf_fault_note(pdf, AN_N_PDF_PAGE_COUNT, 0, 0);
    }
    if (!walk.found)
        AN_FAIL(reterr, AN_E_PDF_PAGE, "page %zu of %zu", index + 1, walk.seen);
    fill_page(&walk, ret);
    return AN_OK;
}

/* Pages before a kid of a node; SIZE_MAX when it is not among its kids or counts are missing. */
static size_t
pages_before(struct walk *walk, const struct an_pdf_obj *node, uint32_t num)
{
    const struct an_pdf_obj *kids = an_pdf_at(walk->pdf, walk->revision, node, "Kids");
    size_t before = 0;
    bool is_flat;

    if (kids->kind != AN_PDF_ARRAY)
        return SIZE_MAX;
    is_flat = kids->u.array.count == stated_count(walk, node);
    for (size_t i = 0; i < kids->u.array.count; i++) {
        const struct an_pdf_obj *ref = &kids->u.array.items[i], *kid;
        size_t count = 1;

        if (ref->kind == AN_PDF_REF && ref->u.ref.num == num)
            return before;
        if (!is_flat) {
            kid = an_pdf_resolve(walk->pdf, walk->revision, ref);
            count = is_leaf(walk, kid) ? kid->kind == AN_PDF_DICT : stated_count(walk, kid);
        }
        if (count > WALK_MAX)
            return SIZE_MAX;
        before += count;
    }
    return SIZE_MAX;
}

an_code
an_pdf_page_find(struct an_pdf *pdf, size_t revision, uint32_t num, size_t *ret_index, struct an_pdf_page *ret,
                 struct an_err *reterr)
{
    struct walk walk = {.pdf = pdf, .revision = revision};
    const struct an_pdf_obj *node = an_pdf_object(pdf, revision, num);
    size_t index = 0, count = 0;

    for (int depth = 0; depth < AN_LIMIT_PDF_PAGE_DEPTH && index != SIZE_MAX; depth++) { /* upwards, by the counts */
        const struct an_pdf_obj *parent = an_pdf_at(pdf, revision, node, "Parent");
        size_t before;

        if (parent->kind != AN_PDF_DICT)
            break;
        before = pages_before(&walk, parent, node->num);
        index = before == SIZE_MAX ? SIZE_MAX : index + before;
        node = parent;
    }
    if (index != SIZE_MAX && an_pdf_page(pdf, revision, index, ret, NULL) == AN_OK && ret->num == num) {
        *ret_index = index;
        return AN_OK;
    }
    AN_TRY(an_pdf_page_count(pdf, revision, &count, reterr));
    for (index = count; index-- > 0;)
        if (an_pdf_page(pdf, revision, index, ret, NULL) == AN_OK && ret->num == num) {
            *ret_index = index;
            return AN_OK;
        }
    AN_FAIL(reterr, AN_E_PDF_PAGE, "page object %u", num);
}

/* Pages really reachable. A node whose /Count equals its number of kids is believed without reading the kids. */
static size_t
count_pages(struct walk *walk, const struct an_pdf_obj *ref, const struct an_pdf_obj *node)
{
    const struct an_pdf_obj *kids = an_pdf_at(walk->pdf, walk->revision, node, "Kids");
    uint32_t num = ref && ref->kind == AN_PDF_REF ? ref->u.ref.num : 0;
    size_t total = 0;

    if (kids->kind != AN_PDF_ARRAY)
        return 1;
    if (kids->u.array.count > 1 && kids->u.array.count == stated_count(walk, node))
        return kids->u.array.count;
    if (walk->depth >= AN_LIMIT_PDF_PAGE_DEPTH || is_on_trail(walk, num))
        return 0;
    walk->trail[walk->depth++] = num;
    for (size_t i = 0; i < kids->u.array.count && ++walk->nodes < WALK_MAX; i++) {
        const struct an_pdf_obj *kid = an_pdf_resolve(walk->pdf, walk->revision, &kids->u.array.items[i]);

        if (kid->kind == AN_PDF_DICT)
            total += count_pages(walk, &kids->u.array.items[i], kid);
    }
    walk->depth--;
    return total;
}

an_code
an_pdf_page_count(struct an_pdf *pdf, size_t revision, size_t *ret, struct an_err *reterr)
{
    const struct an_pdf_obj *ref, *root = tree_root(pdf, revision, &ref);
    struct walk walk = {.pdf = pdf, .revision = revision};

    if (root->kind != AN_PDF_DICT)
        AN_FAIL(reterr, AN_E_PDF_PAGE, "page tree");
    *ret = count_pages(&walk, ref, root);
    if (*ret != stated_count(&walk, root))
        an_pdf_fault_note(pdf, AN_N_PDF_PAGE_COUNT, 0, 0);
    return AN_OK;
}

/* ---- every page ---- */

struct tour {
    struct walk walk;
    an_pdf_page_visit visit;
    void *context;
    struct an_arena *arena; /* of the leaf at hand */
    uint8_t *seen;          /* objects, one bit each: a tree that repeats them must not be walked for ever */
    uint32_t limit;
};

static bool
was_seen(struct tour *tour, uint32_t num)
{
    uint8_t bit = (uint8_t)(1u << (num & 7));
    bool seen = num >= tour->limit || (tour->seen[num >> 3] & bit);

    if (!seen)
        tour->seen[num >> 3] |= bit;
    return seen;
}

static an_code
visit_leaf(struct tour *tour, const struct an_pdf_obj *ref, const struct an_pdf_obj *leaf, struct an_err *reterr)
{
    struct walk *walk = &tour->walk;
    struct an_pdf_page page;

    walk->found = leaf;
    walk->found_num = ref && ref->kind == AN_PDF_REF ? ref->u.ref.num : 0;
    walk->found_gen = ref && ref->kind == AN_PDF_REF ? ref->u.ref.gen : 0;
    walk->found_depth = walk->depth;
    fill_page(walk, &page);
    return tour->visit(tour->context, &page, inherited(walk, "Resources"), reterr);
}

static an_code
visit_node(struct tour *tour, const struct an_pdf_obj *ref, const struct an_pdf_obj *node, struct an_err *reterr)
{
    struct walk *walk = &tour->walk;
    const struct an_pdf_obj *kids = an_pdf_at(walk->pdf, walk->revision, node, "Kids");
    size_t depth = walk->depth;

    if (kids->kind != AN_PDF_ARRAY)
        return visit_leaf(tour, ref, node, reterr);
    if (depth >= AN_LIMIT_PDF_PAGE_DEPTH)
        AN_FAIL(reterr, AN_E_LIMIT, "page tree deeper than %d", AN_LIMIT_PDF_PAGE_DEPTH);
    walk->trail[depth] = ref && ref->kind == AN_PDF_REF ? ref->u.ref.num : 0;
    walk->above[depth] = node;
    for (size_t i = 0; i < kids->u.array.count; i++) {
        const struct an_pdf_obj *kid_ref = &kids->u.array.items[i], *kid = kid_ref;
        uint32_t num = kid_ref->kind == AN_PDF_REF ? kid_ref->u.ref.num : 0;

        walk->depth = depth + 1;
        an_arena_reset(tour->arena);
        if (num && was_seen(tour, num))
            continue;
        if (num)
            kid = an_pdf_object_brief(walk->pdf, tour->arena, num);
        if (kid->kind != AN_PDF_DICT)
            continue;
        if (num && !is_leaf(walk, kid)) /* a branch must outlive its leaves */
            kid = an_pdf_object(walk->pdf, walk->revision, num);
        AN_TRY(visit_node(tour, kid_ref, kid, reterr));
    }
    walk->depth = depth;
    return AN_OK;
}

an_code
an_pdf_pages_each(struct an_pdf *pdf, an_pdf_page_visit visit, void *context, struct an_err *reterr)
{
    const struct an_pdf_obj *ref, *root = tree_root(pdf, AN_PDF_NOW, &ref);
    struct tour tour = {.walk = {.pdf = pdf, .revision = AN_PDF_NOW}, .visit = visit, .context = context};
    struct an_pdf_tail tail;
    an_code code;

    if (root->kind != AN_PDF_DICT)
        AN_FAIL(reterr, AN_E_PDF_PAGE, "page tree");
    an_pdf_tail(pdf, &tail);
    tour.limit = tail.next_num;
    tour.seen = an_new_array(tour.limit / 8 + 1, 1);
    if (ref->kind == AN_PDF_REF)
        (void)was_seen(&tour, ref->u.ref.num);
    tour.arena = an_arena_new(AN_LIMIT_PDF_ARENA);
    code = visit_node(&tour, ref, root, reterr);
    an_arena_free(&tour.arena);
    free(tour.seen);
    return code;
}
