/* Rules for the trailer, the catalog, the validation store and metadata. */
#include "pdf/diff.h"

#include "base/map.h"

#define SIZE_GAP_MAX 65536 /* numbers looked at one by one when /Size goes back */

/* The catalog is named by the newest trailer of a state that has /Root. */
static const struct an_pdf_obj *
root_ref(struct diff *diff, size_t revision)
{
    const struct an_pdf_section *section;

    for (size_t i = an_pdf_section_first(diff->pdf, revision); (section = an_pdf_section_at(diff->pdf, i)) != NULL;
         i++) {
        const struct an_pdf_obj *root = an_pdf_dict_find(section->trailer, "Root");

        if (root)
            return root;
    }
    return &an_pdf_null;
}

/* ---- information dictionary ---- */

static bool
is_from_trailer(struct diff *diff, uint32_t from, const struct an_pdf_obj *referrer, uint32_t num, void *user)
{
    (void)diff;
    (void)user;
    return from == 0 && an_diff_only_under(referrer, "Info", num);
}

struct owner {
    uint32_t num;
};

static bool
is_from_owner(struct diff *diff, uint32_t from, const struct an_pdf_obj *referrer, uint32_t num, void *user)
{
    const struct owner *owner = user;

    (void)diff;
    (void)referrer;
    (void)num;
    return from == owner->num;
}

static void
rule_info(struct diff *diff, const struct an_pdf_obj *old_ref, const struct an_pdf_obj *new_ref)
{
    const struct an_pdf_obj *value = an_pdf_resolve(diff->pdf, diff->now, new_ref);
    struct change *change = an_diff_change(diff, ref_num(new_ref));

    (void)old_ref;
    if (change && (change->is_new || an_diff_only_from(diff, change->num, is_from_trailer, NULL)) &&
        value->kind == AN_PDF_DICT)
        an_diff_claim(diff, change, AN_PDF_CHANGE_METADATA, true, AN_V_PDF_METADATA);
    an_diff_claim_tree(diff, value, AN_PDF_CHANGE_METADATA, true, AN_V_PDF_METADATA);
    /* Values that are objects of their own. */
    for (size_t i = 0; value->kind == AN_PDF_DICT && i < value->u.dict.count;
         i++) {
        struct change *part = an_diff_change(diff, ref_num(&value->u.dict.entries[i].value));
        struct owner owner = {ref_num(new_ref)};

        if (part && !part->is_new && part->b->kind == AN_PDF_STRING &&
            an_diff_only_from(diff, part->num, is_from_owner, &owner))
            an_diff_claim(diff, part, AN_PDF_CHANGE_METADATA, true, AN_V_PDF_METADATA);
    }
}

/* ---- trailer ---- */

static bool
hides_objects(struct diff *diff)
{
    int64_t before = 0, after = 0;

    (void)an_pdf_int(an_pdf_dict_find(an_pdf_trailer(diff->pdf, diff->old), "Size"), &before);
    (void)an_pdf_int(an_pdf_dict_find(an_pdf_trailer(diff->pdf, diff->now), "Size"), &after);
    if (before - after > SIZE_GAP_MAX)
        return true;
    for (int64_t num = after > 0 ? after : 1; num < before; num++) { /* readers ignore objects at and above /Size */
        struct an_pdf_spot spot = an_pdf_find_spot(diff->pdf, diff->old, (uint32_t)num);

        if (spot.where == AN_PDF_IN_FILE || spot.where == AN_PDF_IN_STREAM)
            return true;
    }
    return false;
}

static const struct an_pdf_obj *
first_id(struct diff *diff, size_t revision)
{
    const struct an_pdf_obj *id = an_pdf_at(diff->pdf, revision, an_pdf_trailer(diff->pdf, revision), "ID");

    return id->kind == AN_PDF_ARRAY && id->u.array.count ? &id->u.array.items[0] : &an_pdf_null;
}

void
an_diff_rule_trailer(struct diff *diff)
{
    const struct an_pdf_obj *a = an_pdf_trailer(diff->pdf, diff->old), *b = an_pdf_trailer(diff->pdf, diff->now);
    const struct an_pdf_obj *old_root = root_ref(diff, diff->old), *new_root = root_ref(diff, diff->now);
    uint64_t at = an_pdf_revision_at(diff->pdf, diff->now)->xref_offset;

    /* A new catalog is judged like a changed one; an old object that becomes the catalog is an attack. */
    if (!an_pdf_equal(old_root, new_root) &&
        !(an_diff_change(diff, ref_num(new_root)) && an_diff_change(diff, ref_num(new_root))->is_new))
        an_diff_report(diff, AN_V_PDF_ROOT, ref_num(new_root), at, diff->now);
    if (!an_diff_same(diff, an_pdf_dict_find(a, "Encrypt"), an_pdf_dict_find(b, "Encrypt")))
        an_diff_report(diff, AN_V_PDF_TRAILER, ref_num(an_pdf_dict_find(b, "Encrypt")), at, diff->now);
    if (an_pdf_is_encrypted(diff->pdf) && !an_pdf_equal(first_id(diff, diff->old), first_id(diff, diff->now)))
        an_diff_report(diff, AN_V_PDF_TRAILER, 0, at, diff->now);
    if (hides_objects(diff))
        an_diff_report(diff, AN_V_PDF_TRAILER, 0, at, diff->now);
    rule_info(diff, an_pdf_dict_find(a, "Info"), an_pdf_dict_find(b, "Info"));
}

/* ---- validation store ---- */

struct store {
    struct diff *diff;
    struct an_map *nums;
    unsigned depth;
};

static void
collect_store(void *user, uint32_t num)
{
    struct store *store = user;
    const struct an_pdf_obj *obj;

    if (an_map_find_u64(store->nums, num) || store->depth > 4)
        return;
    an_map_put_u64(store->nums, num, store);
    obj = an_pdf_object(store->diff->pdf, store->diff->old, num);
    store->depth++;
    if (obj->kind != AN_PDF_STREAM)
        an_pdf_each_ref(obj, collect_store, store);
    store->depth--;
}

static bool
is_from_store(struct diff *diff, uint32_t from, const struct an_pdf_obj *referrer, uint32_t num, void *user)
{
    const struct store *store = user;

    if (an_map_find_u64(store->nums, from))
        return true;
    return from == ref_num(root_ref(diff, diff->old)) && an_diff_only_under(referrer, "DSS", num);
}

static void
rule_store(struct diff *diff, const struct an_pdf_obj *a, const struct an_pdf_obj *b, struct change *holder)
{
    AN_CLEANUP(an_map_free) struct an_map *nums = an_map_new();
    struct store store = {.diff = diff, .nums = nums};

    if (!an_diff_same(diff, a, b))
        an_diff_claim(diff, holder, AN_PDF_CHANGE_DSS, true, AN_V_PDF_DSS);
    if (a && a->kind != AN_PDF_NULL && (b == NULL || b->kind == AN_PDF_NULL)) {
        an_diff_forbid(diff, holder, AN_V_PDF_CATALOG);
        return;
    }
    if (b == NULL)
        return;
    an_diff_claim_tree(diff, b, AN_PDF_CHANGE_DSS, true, AN_V_PDF_DSS);
    if (a)
        an_pdf_each_ref(a, collect_store, &store);
    for (size_t i = 0; i < an_map_count(nums); i++) {
        uint64_t num = 0;
        an_bytes key = an_map_key(nums, i);
        struct change *change;

        memcpy(&num, key.ptr, key.len < sizeof num ? key.len : sizeof num);
        change = an_diff_change(diff, (uint32_t)num);
        if (change == NULL || change->is_new || !an_diff_only_from(diff, change->num, is_from_store, &store))
            continue;
        an_diff_claim(diff, change, AN_PDF_CHANGE_DSS, true, AN_V_PDF_DSS);
        an_diff_claim_tree(diff, change->b, AN_PDF_CHANGE_DSS, true, AN_V_PDF_DSS);
    }
}

/* ---- catalog ---- */

static bool
is_from_catalog(struct diff *diff, uint32_t from, const struct an_pdf_obj *referrer, uint32_t num, void *user)
{
    return from == ref_num(root_ref(diff, diff->old)) && an_diff_only_under(referrer, user, num);
}

static void
rule_metadata(struct diff *diff, const struct an_pdf_obj *b)
{
    static char key[] = "Metadata";
    struct change *change = an_diff_change(diff, ref_num(b));

    if (change && !change->is_gone && (change->is_new || an_diff_only_from(diff, change->num, is_from_catalog, key)) &&
        change->b->kind == AN_PDF_STREAM && an_pdf_is_name(an_pdf_dict_find(change->b, "Type"), "Metadata"))
        an_diff_claim(diff, change, AN_PDF_CHANGE_METADATA, true, AN_V_PDF_METADATA);
    else if (change)
        an_diff_forbid(diff, change, AN_V_PDF_CATALOG);
}

static bool
is_plain_dict(const struct an_pdf_obj *obj)
{
    if (obj->kind == AN_PDF_STREAM || obj->kind == AN_PDF_REF)
        return false;
    for (size_t i = 0; obj->kind == AN_PDF_DICT && i < obj->u.dict.count; i++)
        if (!is_plain_dict(&obj->u.dict.entries[i].value))
            return false;
    return true;
}

/* Only developer extensions: names, numbers, strings. */
static void
rule_extensions(struct diff *diff, const struct an_pdf_obj *b, struct change *holder)
{
    struct change *own = an_diff_holder(diff, b, holder);
    const struct an_pdf_obj *value = an_pdf_resolve(diff->pdf, diff->now, b);

    static char key[] = "Extensions";

    if (value->kind != AN_PDF_DICT ||
        (own && own != holder && !own->is_new && !an_diff_only_from(diff, own->num, is_from_catalog, key))) {
        an_diff_forbid(diff, own ? own : holder, AN_V_PDF_CATALOG);
        return;
    }
    an_diff_claim(diff, holder, AN_PDF_CHANGE_SIGNATURE, true, AN_V_PDF_EXTENSIONS);
    an_diff_claim(diff, own, AN_PDF_CHANGE_SIGNATURE, true, AN_V_PDF_EXTENSIONS);
    an_diff_claim_tree(diff, b, AN_PDF_CHANGE_SIGNATURE, true, AN_V_PDF_EXTENSIONS);
}

static bool
is_version_up(const struct an_pdf_obj *a, const struct an_pdf_obj *b)
{
    if (b->kind != AN_PDF_NAME || b->u.text.len != 3)
        return false;
    return a->kind != AN_PDF_NAME || an_bytes_cmp(a->u.text, b->u.text) <= 0;
}

static an_code
catalog_fault(an_bytes key)
{
    if (is_key(key, "OpenAction") || is_key(key, "AA") || is_key(key, "Names"))
        return AN_V_PDF_SCRIPT;
    if (is_key(key, "Pages"))
        return AN_V_PDF_PAGE_TREE;
    return is_key(key, "Perms") ? AN_V_PDF_PERMS : AN_V_PDF_CATALOG;
}

static void
judge_catalog_key(struct diff *diff, struct change *change, an_bytes key, const struct an_pdf_obj *a,
                  const struct an_pdf_obj *b, void *user)
{
    (void)user;
    if (is_key(key, "AcroForm") || is_key(key, "DSS"))
        return; /* have rules of their own */
    if (is_key(key, "Extensions"))
        rule_extensions(diff, b, change);
    else if (is_key(key, "Version") && is_version_up(a, b))
        an_diff_claim(diff, change, AN_PDF_CHANGE_SIGNATURE, true, AN_V_PDF_EXTENSIONS);
    else if (is_key(key, "Metadata"))
        an_diff_claim(diff, change, AN_PDF_CHANGE_METADATA, true, AN_V_PDF_METADATA);
    else if (is_key(key, "MarkInfo") && is_plain_dict(b))
        an_diff_claim(diff, change, AN_PDF_CHANGE_METADATA, true, AN_V_PDF_METADATA);
    else
        an_diff_forbid(diff, change, catalog_fault(key));
}

void
an_diff_rule_catalog(struct diff *diff)
{
    const struct an_pdf_obj *a = an_pdf_catalog(diff->pdf, diff->old), *b = an_pdf_catalog(diff->pdf, diff->now);
    struct change *change = an_diff_change(diff, ref_num(root_ref(diff, diff->now)));
    const struct an_pdf_obj *new_extensions = an_pdf_dict_find(b, "Extensions");

    rule_store(diff, an_pdf_dict_find(a, "DSS"), an_pdf_dict_find(b, "DSS"), change);
    an_diff_rule_form(diff, an_pdf_dict_find(a, "AcroForm"), an_pdf_dict_find(b, "AcroForm"), change);
    rule_metadata(diff, an_pdf_dict_find(b, "Metadata"));
    if (an_diff_change(diff, ref_num(new_extensions)))
        rule_extensions(diff, new_extensions, NULL);
    if (change == NULL)
        return;
    an_diff_each_key(diff, change, a, b, judge_catalog_key, NULL);
    if (!change->is_claimed) /* written again in other words */
        an_diff_claim(diff, change, AN_PDF_CHANGE_SIGNATURE, true, AN_V_PDF_REWRITTEN);
}
