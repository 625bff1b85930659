/* How an object is reached, for people: "/Root/Pages/Kids[0]/Contents". */
#include "pdf/diff.h"

#include "base/map.h"

#include <stdlib.h>

#define STEPS_MAX 32
#define PATH_MAX_BYTES 1000

/* Appends "/Key[3]" steps that lead to the first mention of num in obj. */
static bool
find_step(const struct an_pdf_obj *obj, uint32_t num, struct an_buf *out)
{
    size_t len = out->len;

    if (obj->kind == AN_PDF_REF)
        return obj->u.ref.num == num;
    if (obj->kind == AN_PDF_ARRAY)
        for (size_t i = 0; i < obj->u.array.count; i++) {
            an_buf_printf(out, "[%zu]", i);
            if (find_step(&obj->u.array.items[i], num, out))
                return true;
            out->len = len;
        }
    if (obj->kind == AN_PDF_DICT || obj->kind == AN_PDF_STREAM)
        for (size_t i = 0; i < obj->u.dict.count; i++) {
            const struct an_pdf_entry *entry = &obj->u.dict.entries[i];

            an_buf_printf(out, "/%.*s", AN_FMT(an_bytes_slice(entry->key, 0, 64)));
            if (!an_bytes_eq(entry->key, AN_LIT("Parent")) && !an_bytes_eq(entry->key, AN_LIT("P")) &&
                find_step(&entry->value, num, out))
                return true;
            out->len = len;
        }
    return false;
}

struct climb {
    struct diff *diff;
    size_t revision;
    struct an_map *seen;
    char *steps[STEPS_MAX]; /* from the object upwards */
    size_t count;
};

/* Takes the step from a referrer down to num; false when it is only a back link. */
static bool
take_step(struct climb *climb, const struct an_pdf_obj *referrer, uint32_t num)
{
    struct an_buf step = an_buf_new(PATH_MAX_BYTES);

    if (!find_step(referrer, num, &step)) {
        an_buf_free(&step);
        return false;
    }
    climb->steps[climb->count++] = an_buf_take_str(&step);
    return true;
}

/* The page tree is climbed by /Parent: pages are mentioned from everywhere. */
static uint32_t
climb_parent(struct climb *climb, const struct an_pdf_obj *obj, uint32_t num)
{
    const struct an_pdf_obj *ref = an_pdf_dict_find(obj, "Parent");
    const struct an_pdf_obj *parent = an_pdf_resolve(climb->diff->pdf, climb->revision, ref);

    if (ref == NULL || ref->kind != AN_PDF_REF || an_map_find_u64(climb->seen, ref->u.ref.num) ||
        !take_step(climb, parent, num))
        return 0;
    return ref->u.ref.num;
}

/* One level up: the number of the object that leads here, 0 at the top or when it is not known. */
static uint32_t
climb_once(struct climb *climb, uint32_t num, bool *ret_at_top)
{
    struct diff *diff = climb->diff;
    const struct an_pdf_obj *obj = an_pdf_object(diff->pdf, climb->revision, num);
    const struct an_pdf_mention_vec *mentions = an_pdf_refs_of(diff->pdf, num);
    uint32_t parent = climb_parent(climb, obj, num);

    if (parent)
        return parent;
    if (take_step(climb, an_pdf_trailer(diff->pdf, climb->revision), num)) {
        *ret_at_top = true;
        return 0;
    }
    if (an_pdf_mentions(an_pdf_catalog(diff->pdf, climb->revision), num)) {
        const struct an_pdf_obj *root = an_pdf_dict_find(an_pdf_trailer(diff->pdf, climb->revision), "Root");

        if (root && root->kind == AN_PDF_REF && take_step(climb, an_pdf_catalog(diff->pdf, climb->revision), num))
            return root->u.ref.num;
    }
    for (size_t i = 0; mentions && i < mentions->count; i++) {
        uint32_t from = mentions->items[i].from;

        if (from == 0 || an_map_find_u64(climb->seen, from) ||
            !an_pdf_mention_is_current(diff->pdf, &mentions->items[i], climb->revision))
            continue;
        if (take_step(climb, an_pdf_object(diff->pdf, climb->revision, from), num))
            return from;
    }
    return 0;
}

static char *
join(struct climb *climb, uint32_t top, bool at_top)
{
    struct an_buf path = an_buf_new(PATH_MAX_BYTES);

    if (!at_top)
        an_buf_printf(&path, "%u 0 obj", top);
    for (size_t i = climb->count; i-- > 0;) {
        an_buf_str(&path, climb->steps[i]);
        free(climb->steps[i]);
    }
    return an_buf_take_str(&path);
}

char *
an_diff_path(struct diff *diff, uint32_t num)
{
    AN_CLEANUP(an_map_free) struct an_map *seen = an_map_new();
    struct climb climb = {.diff = diff, .revision = diff->now, .seen = seen};
    const struct change *change = an_diff_change(diff, num);
    const char *known = an_pdf_refs_path(diff->pdf, num);
    uint32_t wanted = num;
    bool at_top = false;
    char *path;

    if (known)
        return an_strdup(known);

    if (change && change->is_gone)
        climb.revision = diff->old;
    while (climb.count < STEPS_MAX) {
        uint32_t parent;

        an_map_put_u64(seen, num, diff);
        parent = climb_once(&climb, num, &at_top);
        if (parent == 0)
            break;
        num = parent;
    }
    path = join(&climb, num, at_top);
    an_pdf_refs_keep_path(diff->pdf, wanted, path);
    return path;
}
