/*
 * What changed between the bytes a signature covers and the current state. The work starts from the objects that later
 * revisions list; each must be explained by a rule, or it is forbidden. Nothing else of the document is compared.
 */
#include "pdf/diff.h"

#include "base/map.h"

#include <stdlib.h>

#define SAME_DEPTH 24

struct change *
an_diff_change(const struct diff *diff, uint32_t num)
{
    struct change *change = num ? an_map_find_u64(diff->by_num, num) : NULL;

    return change && !change->is_same ? change : NULL;
}

bool
an_diff_permits(const struct diff *diff, enum an_pdf_change_class class_)
{
    switch (class_) {
    case AN_PDF_CHANGE_DSS:
    case AN_PDF_CHANGE_TIMESTAMP:
    case AN_PDF_CHANGE_METADATA:
    case AN_PDF_CHANGE_UNREACHABLE:
        return true;
    case AN_PDF_CHANGE_SIGNATURE:
        return diff->docmdp != 1;
    case AN_PDF_CHANGE_FORM: /* only where a certification says so: an approval signature stands for what was seen */
        return diff->docmdp >= 2;
    case AN_PDF_CHANGE_ANNOTATION:
        return diff->docmdp == 3;
    case AN_PDF_CHANGE_FORBIDDEN:
        break;
    }
    return false;
}

void
an_diff_claim(struct diff *diff, struct change *change, enum an_pdf_change_class class_, bool allowed, an_code why)
{
    (void)diff;
    if (change == NULL || (change->is_claimed && (!change->allowed || allowed)))
        return;
    change->is_claimed = true;
    change->allowed = allowed;
    change->class_ = class_;
    change->why = why;
}

void
an_diff_forbid(struct diff *diff, struct change *change, an_code why)
{
    an_diff_claim(diff, change, AN_PDF_CHANGE_FORBIDDEN, false, why);
}

struct claim_walk {
    struct diff *diff;
    enum an_pdf_change_class class_;
    bool allowed;
    an_code why;
    unsigned depth;
};

static void
claim_ref(void *user, uint32_t num)
{
    struct claim_walk *walk = user;
    struct change *change = an_diff_change(walk->diff, num);

    if (change == NULL || !change->is_new || change->is_claimed || walk->depth > 256)
        return;
    an_diff_claim(walk->diff, change, walk->class_, walk->allowed, walk->why);
    walk->depth++;
    an_pdf_each_ref(change->b, claim_ref, walk);
    walk->depth--;
}

void
an_diff_claim_tree(struct diff *diff, const struct an_pdf_obj *value, enum an_pdf_change_class class_, bool allowed,
                   an_code why)
{
    struct claim_walk walk = {diff, class_, allowed, why, 0};

    if (value)
        an_pdf_each_ref(value, claim_ref, &walk);
}

void
an_diff_report(struct diff *diff, an_code why, uint32_t num, uint64_t offset, size_t revision)
{
    *finding_list_push(&diff->out) = (struct an_pdf_finding){
        .class_ = AN_PDF_CHANGE_FORBIDDEN,
        .num = num,
        .offset = offset,
        .revision = revision,
        .why = why,
        .path = num ? an_diff_path(diff, num) : an_strdup(""),
    };
}

const struct an_pdf_obj *
an_diff_old(struct diff *diff, const struct an_pdf_obj *dict, const char *key)
{
    return an_pdf_at(diff->pdf, diff->old, dict, key);
}

const struct an_pdf_obj *
an_diff_now(struct diff *diff, const struct an_pdf_obj *dict, const char *key)
{
    return an_pdf_at(diff->pdf, diff->now, dict, key);
}

/* ---- comparing values of the two states ---- */

static bool
same_data(struct diff *diff, const struct an_pdf_obj *a, const struct an_pdf_obj *b)
{
    AN_CLEANUP(an_buf_free) struct an_buf x = an_buf_new(AN_LIMIT_PDF_STREAM), y = an_buf_new(AN_LIMIT_PDF_STREAM);

    if (!an_pdf_is_encrypted(diff->pdf))
        return an_bytes_eq(an_pdf_stream_raw(diff->pdf, a), an_pdf_stream_raw(diff->pdf, b));
    if (a->data_offset == b->data_offset && a->data_len == b->data_len)
        return true;
    /* Encrypted anew, equal data have other bytes. */
    return an_pdf_stream_data(diff->pdf, a, AN_LIMIT_PDF_STREAM, &x, NULL) == AN_OK &&
           an_pdf_stream_data(diff->pdf, b, AN_LIMIT_PDF_STREAM, &y, NULL) == AN_OK &&
           an_bytes_eq(an_buf_view(&x), an_buf_view(&y));
}

static bool same_values(struct diff *diff, const struct an_pdf_obj *a, const struct an_pdf_obj *b, unsigned depth);

static bool
covers(struct diff *diff, const struct an_pdf_obj *a, const struct an_pdf_obj *b, unsigned depth, bool a_is_old)
{
    for (size_t i = 0; i < a->u.dict.count; i++) {
        const struct an_pdf_obj *x = &a->u.dict.entries[i].value, *y = NULL;

        if (a->kind == AN_PDF_STREAM && an_bytes_eq(a->u.dict.entries[i].key, AN_LIT("Length")))
            continue;
        for (size_t j = b->u.dict.count; j-- > 0 && y == NULL;)
            if (an_bytes_eq(b->u.dict.entries[j].key, a->u.dict.entries[i].key))
                y = &b->u.dict.entries[j].value;
        y = y ? y : &an_pdf_null;
        if (!(a_is_old ? same_values(diff, x, y, depth) : same_values(diff, y, x, depth)))
            return false;
    }
    return true;
}

static bool
same_arrays(struct diff *diff, const struct an_pdf_obj *a, const struct an_pdf_obj *b, unsigned depth)
{
    if (a->u.array.count != b->u.array.count)
        return false;
    for (size_t i = 0; i < a->u.array.count; i++)
        if (!same_values(diff, &a->u.array.items[i], &b->u.array.items[i], depth))
            return false;
    return true;
}

static bool
same_values(struct diff *diff, const struct an_pdf_obj *a, const struct an_pdf_obj *b, unsigned depth)
{
    if (a->kind == AN_PDF_REF && b->kind == AN_PDF_REF && a->u.ref.num == b->u.ref.num)
        return a->u.ref.gen == b->u.ref.gen;
    if (depth > SAME_DEPTH)
        return false;
    if (a->kind == AN_PDF_REF || b->kind == AN_PDF_REF) {
        a = an_pdf_resolve(diff->pdf, diff->old, a);
        b = an_pdf_resolve(diff->pdf, diff->now, b);
    }
    if (a->kind != b->kind || (a->kind != AN_PDF_ARRAY && a->kind != AN_PDF_DICT && a->kind != AN_PDF_STREAM))
        return an_pdf_equal(a, b);
    if (a->kind == AN_PDF_ARRAY)
        return same_arrays(diff, a, b, depth + 1);
    return covers(diff, a, b, depth + 1, true) && covers(diff, b, a, depth + 1, false) &&
           (a->kind != AN_PDF_STREAM || same_data(diff, a, b));
}

bool
an_diff_same(struct diff *diff, const struct an_pdf_obj *a, const struct an_pdf_obj *b)
{
    return same_values(diff, a ? a : &an_pdf_null, b ? b : &an_pdf_null, 0);
}

bool
an_diff_equal_objects(struct diff *diff, const struct an_pdf_obj *a, const struct an_pdf_obj *b)
{
    if (a->kind == AN_PDF_STREAM && b->kind == AN_PDF_STREAM)
        return covers(diff, a, b, SAME_DEPTH - 4, true) && covers(diff, b, a, SAME_DEPTH - 4, false) &&
               same_data(diff, a, b);
    return an_pdf_equal(a, b);
}

static const struct an_pdf_obj *
find_bytes(const struct an_pdf_obj *dict, an_bytes key)
{
    for (size_t i = dict->kind == AN_PDF_DICT || dict->kind == AN_PDF_STREAM ? dict->u.dict.count : 0; i-- > 0;)
        if (an_bytes_eq(dict->u.dict.entries[i].key, key))
            return &dict->u.dict.entries[i].value;
    return NULL;
}

void
an_diff_each_key(struct diff *diff, struct change *change, const struct an_pdf_obj *a, const struct an_pdf_obj *b,
                 an_diff_key_fn *fn, void *user)
{
    for (size_t i = 0; (a->kind == AN_PDF_DICT || a->kind == AN_PDF_STREAM) && i < a->u.dict.count; i++) {
        const struct an_pdf_entry *entry = &a->u.dict.entries[i];
        const struct an_pdf_obj *other = find_bytes(b, entry->key);

        if (!an_diff_same(diff, &entry->value, other))
            fn(diff, change, entry->key, &entry->value, other ? other : &an_pdf_null, user);
        else if (other)
            an_diff_claim_tree(diff, other, AN_PDF_CHANGE_SIGNATURE, true, AN_V_PDF_REWRITTEN);
    }
    for (size_t i = 0; (b->kind == AN_PDF_DICT || b->kind == AN_PDF_STREAM) && i < b->u.dict.count; i++) {
        const struct an_pdf_entry *entry = &b->u.dict.entries[i];

        if (find_bytes(a, entry->key) == NULL && entry->value.kind != AN_PDF_NULL)
            fn(diff, change, entry->key, &an_pdf_null, &entry->value, user);
    }
}

struct change *
an_diff_holder(struct diff *diff, const struct an_pdf_obj *ref, struct change *parent)
{
    return ref && ref->kind == AN_PDF_REF ? an_diff_change(diff, ref->u.ref.num) : parent;
}

/* ---- who mentions what ---- */

bool
an_diff_only_under(const struct an_pdf_obj *dict, const char *key, uint32_t num)
{
    size_t len = strlen(key);

    if (dict->kind != AN_PDF_DICT && dict->kind != AN_PDF_STREAM)
        return false;
    for (size_t i = 0; i < dict->u.dict.count; i++) {
        const struct an_pdf_entry *entry = &dict->u.dict.entries[i];

        if ((entry->key.len != len || memcmp(entry->key.ptr, key, len) != 0) && an_pdf_mentions(&entry->value, num))
            return false;
    }
    return true;
}

bool
an_diff_only_from(struct diff *diff, uint32_t num, an_diff_accept_fn *accepts, void *user)
{
    const struct an_pdf_mention_vec *mentions = an_pdf_refs_of(diff->pdf, num);

    for (size_t i = 0; mentions && i < mentions->count; i++) {
        const struct an_pdf_mention *mention = &mentions->items[i];
        const struct an_pdf_obj *referrer;

        if (!an_pdf_mention_is_current(diff->pdf, mention, diff->old))
            continue;
        referrer =
            mention->from ? an_pdf_object(diff->pdf, diff->old, mention->from) : an_pdf_trailer(diff->pdf, diff->old);
        if (!accepts(diff, mention->from, referrer, num, user))
            return false;
    }
    return true;
}

/* Readers know /Root, /Info and /Encrypt of a trailer; some writers leave other references there that lead nowhere. */
static bool
is_in_use(struct diff *diff, const struct an_pdf_mention *mention, uint32_t num, size_t revision)
{
    static const char *const keys[] = {"Root", "Info", "Encrypt"};
    const struct an_pdf_obj *trailer;

    if (mention->from == num || !an_pdf_mention_is_current(diff->pdf, mention, revision))
        return false;
    trailer = mention->from ? NULL : an_pdf_trailer(diff->pdf, revision);
    for (size_t i = 0; trailer && i < AN_COUNT(keys); i++) {
        const struct an_pdf_obj *value = an_pdf_dict_find(trailer, keys[i]);

        if (value && an_pdf_mentions(value, num))
            return true;
    }
    return trailer == NULL;
}

bool
an_diff_is_mentioned(struct diff *diff, uint32_t num, size_t revision)
{
    const struct an_pdf_mention_vec *mentions = an_pdf_refs_of(diff->pdf, num);

    for (size_t i = 0; mentions && i < mentions->count; i++)
        if (is_in_use(diff, &mentions->items[i], num, revision))
            return true;
    return false;
}

/* Whether something that counts leads to an unexplained object now: anything but other unexplained objects that nothing
 * leads to. Objects of the signed state are taken to be in use. */
static bool
is_reached(struct diff *diff, uint32_t num, struct an_map *seen, unsigned depth)
{
    const struct an_pdf_mention_vec *mentions = an_pdf_refs_of(diff->pdf, num);

    if (depth > 64)
        return true;
    an_map_put_u64(seen, num, diff);
    for (size_t i = 0; mentions && i < mentions->count; i++) {
        uint32_t from = mentions->items[i].from;
        const struct change *change = an_diff_change(diff, from);

        if (!is_in_use(diff, &mentions->items[i], num, diff->now))
            continue;
        if (from == 0 || change == NULL || (change->is_claimed && change->class_ != AN_PDF_CHANGE_UNREACHABLE))
            return true;
        if (!an_map_find_u64(seen, from) && is_reached(diff, from, seen, depth + 1))
            return true;
    }
    return false;
}

/* ---- collecting ---- */

static void
add_change(struct diff *diff, uint32_t num, size_t revision)
{
    struct change *change;

    if (num == 0 || an_map_find_u64(diff->by_num, num))
        return;
    an_map_put_u64(diff->by_num, num, diff); /* a place holder: the list still moves */
    change = change_list_push(&diff->changes);
    change->num = num;
    change->revision = revision;
}

static bool
is_structure(const struct an_pdf_obj *obj)
{
    const struct an_pdf_obj *type = obj->kind == AN_PDF_STREAM ? an_pdf_dict_find(obj, "Type") : NULL;

    return an_pdf_is_name(type, "XRef") || an_pdf_is_name(type, "ObjStm");
}

static void
fill_change(struct diff *diff, struct change *change)
{
    change->before = an_pdf_find_spot(diff->pdf, diff->old, change->num);
    change->after = an_pdf_find_spot(diff->pdf, diff->now, change->num);
    change->is_new = change->before.where == AN_PDF_NOWHERE || change->before.where == AN_PDF_FREE;
    change->is_gone = change->after.where == AN_PDF_NOWHERE || change->after.where == AN_PDF_FREE;
    if (an_pdf_spot_equal(&change->before, &change->after)) {
        change->is_same = true;
        return;
    }
    change->a = an_pdf_object(diff->pdf, diff->old, change->num);
    change->b = an_pdf_object(diff->pdf, diff->now, change->num);
    change->is_same = !change->is_new && !change->is_gone && an_diff_equal_objects(diff, change->a, change->b);
}

static an_code
collect(struct diff *diff, struct an_err *reterr)
{
    for (size_t revision = diff->now; revision > diff->old; revision--) {
        AN_CLEANUP(an_free_ptr) struct an_pdf_change *listed = NULL;
        size_t count = 0;

        AN_TRY(an_pdf_revision_changes(diff->pdf, revision, &listed, &count, reterr));
        for (size_t i = 0; i < count; i++)
            add_change(diff, listed[i].num, revision);
    }
    for (size_t i = 0; i < diff->changes.count; i++) {
        fill_change(diff, &diff->changes.items[i]);
        an_map_put_u64(diff->by_num, diff->changes.items[i].num, &diff->changes.items[i]);
    }
    return AN_OK;
}

/* ---- judging ---- */

/* An object stream that is gone, whose objects were all written elsewhere. */
static bool
is_emptied(struct diff *diff, const struct change *change)
{
    const struct an_pdf_container *container;

    if (!change->is_gone || !an_pdf_is_name(an_pdf_dict_find(change->a, "Type"), "ObjStm"))
        return false;
    container = an_pdf_container_at(diff->pdf, diff->old, change->num);
    for (uint32_t i = 0; container && i < container->count; i++) {
        struct an_pdf_spot spot = an_pdf_find_spot(diff->pdf, diff->now, container->nums[i]);

        if (spot.where == AN_PDF_IN_STREAM && spot.container == change->num)
            return false;
    }
    return container != NULL;
}

/* Cross-reference and object streams are new objects that nothing mentions: no change of the document. */
static bool
judge_structure(struct diff *diff, struct change *change)
{
    if (!is_structure(change->b) && !is_structure(change->a))
        return false;
    if (change->is_new && an_pdf_refs_of(diff->pdf, change->num) == NULL)
        change->is_same = true;
    else if ((an_pdf_is_name(an_pdf_dict_find(change->a, "Type"), "XRef") || is_emptied(diff, change)) &&
             !an_diff_is_mentioned(diff, change->num, diff->now))
        change->is_same = true;
    else
        an_diff_forbid(diff, change, AN_V_PDF_OBJECT_STREAM);
    return true;
}

static void
judge_existing(struct diff *diff, struct change *change)
{
    if (change->is_new || change->is_claimed || judge_structure(diff, change))
        return;
    if (an_diff_is_page(change->a))
        an_diff_rule_page(diff, change);
    else if (!an_diff_rule_field(diff, change) && !an_diff_rule_annotation(diff, change) &&
             !an_diff_rule_annots(diff, change))
        (void)an_diff_rule_appearance(diff, change);
}

/* A number that the signed state mentions, but that meant nothing then: what stands there now was put in afterwards. */
static void
judge_dangling(struct diff *diff, struct change *change)
{
    if (change->is_new && !change->is_gone && an_diff_is_mentioned(diff, change->num, diff->old))
        an_diff_forbid(diff, change, AN_V_PDF_DANGLING);
}

static void
judge_rest(struct diff *diff, struct change *change)
{
    AN_CLEANUP(an_map_free) struct an_map *seen = NULL;

    if (change->is_claimed || judge_structure(diff, change))
        return;
    seen = an_map_new();
    if (!is_reached(diff, change->num, seen, 0))
        an_diff_claim(diff, change, AN_PDF_CHANGE_UNREACHABLE, true, AN_V_PDF_UNREACHABLE);
    else
        an_diff_forbid(diff, change, an_diff_why_forbidden(diff, change));
}

static bool
is_value_of_field(struct diff *diff, uint32_t num)
{
    const struct an_pdf_mention_vec *mentions = an_pdf_refs_of(diff->pdf, num);

    for (size_t i = 0; mentions && i < mentions->count; i++) {
        uint32_t from = mentions->items[i].from;
        const struct an_pdf_obj *value;

        if (!from || !an_pdf_mention_is_current(diff->pdf, &mentions->items[i], diff->now))
            continue;
        value = an_pdf_dict_find(an_pdf_object(diff->pdf, diff->now, from), "V");
        if (value && ref_num(value) == num)
            return true;
    }
    return false;
}

/* A signature that no field shows any more: somebody signed here, and what says so was damaged or taken away. */
static void
judge_signature(struct diff *diff, struct change *change)
{
    if (change->is_new && !change->is_gone && an_pdf_dict_find(change->b, "ByteRange") &&
        an_pdf_dict_find(change->b, "Contents") &&
        !is_value_of_field(diff, change->num))
        an_diff_forbid(diff, change, AN_V_PDF_SIGNATURE_LOST);
}

/* A document time-stamp alone may come at every level; the form that takes it in changes with it. */
static void
find_main_class(struct diff *diff)
{
    bool has_timestamp = false, has_signature = false;

    for (size_t i = 0; i < diff->changes.count; i++) {
        const struct an_pdf_obj *b = diff->changes.items[i].b;

        if (diff->changes.items[i].is_same || !diff->changes.items[i].is_new || !an_pdf_dict_find(b, "ByteRange"))
            continue;
        if (an_pdf_is_name(an_pdf_dict_find(b, "Type"), "DocTimeStamp") ||
            an_pdf_is_name(an_pdf_dict_find(b, "SubFilter"), "ETSI.RFC3161"))
            has_timestamp = true;
        else
            has_signature = true;
    }
    diff->main_class = has_timestamp && !has_signature ? AN_PDF_CHANGE_TIMESTAMP : AN_PDF_CHANGE_SIGNATURE;
}

static void
judge(struct diff *diff)
{
    struct change *items = diff->changes.items;
    size_t count = diff->changes.count;

    an_diff_check_spots(diff);
    an_diff_check_faults(diff);
    find_main_class(diff);
    an_diff_rule_trailer(diff);
    an_diff_rule_catalog(diff);
    for (size_t i = 0; i < count; i++)
        if (!items[i].is_same)
            judge_dangling(diff, &items[i]);
    for (size_t i = 0; i < count; i++)
        if (!items[i].is_same)
            judge_existing(diff, &items[i]);
    for (size_t i = 0; i < count; i++)
        if (!items[i].is_same)
            judge_rest(diff, &items[i]);
    for (size_t i = 0; i < count; i++)
        if (!items[i].is_same)
            judge_signature(diff, &items[i]);
}

static void
publish(struct diff *diff, struct an_pdf_diff *ret)
{
    for (size_t i = 0; i < diff->changes.count; i++) {
        const struct change *change = &diff->changes.items[i];

        if (change->is_same && !change->is_claimed)
            continue;
        if (!change->is_new && change->is_gone && change->before.where == AN_PDF_NOWHERE)
            continue;
        *finding_list_push(&diff->out) = (struct an_pdf_finding){
            .class_ = change->class_,
            .allowed = change->allowed,
            .num = change->num,
            .revision = change->revision,
            .offset = change->after.where == AN_PDF_IN_FILE ? change->after.offset : 0,
            .why = change->why,
            .path = an_diff_path(diff, change->num),
        };
    }
    for (size_t i = 0; i < diff->out.count; i++) {
        ret->any_forbidden = ret->any_forbidden || !diff->out.items[i].allowed;
        ret->any_allowed = ret->any_allowed || diff->out.items[i].allowed;
    }
    ret->items = diff->out.items;
    ret->count = diff->out.count;
}

static an_code
run(struct diff *diff, struct an_err *reterr)
{
    if (diff->old < diff->now) {
        AN_TRY(an_pdf_refs_build(diff->pdf, reterr));
        AN_TRY(an_diff_check_layout(diff, reterr));
        AN_TRY(collect(diff, reterr));
        judge(diff);
    }
    an_diff_check_tail(diff);
    return AN_OK;
}

an_code
an_pdf_diff(struct an_pdf *pdf, size_t revision, int docmdp, struct an_pdf_diff *ret, struct an_err *reterr)
{
    struct diff diff = {.pdf = pdf, .old = revision, .docmdp = docmdp, .now = an_pdf_latest(pdf)};
    an_code code;

    if (revision > diff.now)
        AN_FAIL(reterr, AN_E_PDF_REVISION, "%zu of %zu", revision, diff.now + 1);
    *ret = (struct an_pdf_diff){0};
    diff.signed_end = an_pdf_revision_at(pdf, revision)->end;
    diff.by_num = an_map_new();
    code = run(&diff, reterr);
    if (code == AN_OK) {
        publish(&diff, ret);
    } else {
        struct an_pdf_diff part = {.items = diff.out.items, .count = diff.out.count};

        an_pdf_diff_done(&part);
    }
    change_list_done(&diff.changes);
    an_map_free(&diff.by_num);
    return code;
}

void
an_pdf_diff_done(struct an_pdf_diff *diff)
{
    for (size_t i = 0; i < diff->count; i++)
        free(diff->items[i].path);
    free(diff->items);
    *diff = (struct an_pdf_diff){0};
}
