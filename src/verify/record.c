/*
 * Evidence records (RFC 4998, RFC 6283): chains of archive time-stamps over hash trees, renewed before they weaken.
 * Each time-stamp is compared with the root of its hash tree, which must hold the data objects (first chain), the
 * time-stamp before (renewal), or the data objects with everything before (a new chain with a new algorithm). Without
 * the data the trees and the renewals are still checked, but nothing is proven.
 */
#include <stdio.h>

#include "verify/record.h"

#define OBJECTS_MAX 256 /* data objects of one record */

struct hash { uint8_t octets[AN_DIGEST_MAX]; };
struct walk {
    struct an_case *sig;
    const struct an_ers *ers;
    const struct an_ers_object *objects; size_t object_count;
    struct hash *roots;      /* of each time-stamp, in the order of sig->stamps from `first` on */
    bool *known;             /* the root follows from data, or from what came before */
    size_t first;
    bool is_broken;
    char detail[120];
};

bool
an_record_detect(an_bytes head)
{
    size_t at = 2;

    if (head.len < 16 || head.ptr[0] != AN_DER_SEQUENCE)
        return false;
    if (head.ptr[1] & 0x80)
        at += head.ptr[1] & 0x7F;
    return at + 4 < 12 && memcmp(head.ptr + at, "\2\1\1\x30", 4) == 0;
}

/* ---- hash trees ---- */
static int
compare_hashes(const void *a, const void *b)
{
    const an_bytes *left = a, *right = b;

    return an_bytes_cmp(*left, *right);
}

static bool
contains(const struct an_ers_group *group, an_bytes wanted)
{
    for (size_t i = 0; wanted.len && i < group->count; i++)
        if (an_bytes_eq(group->hashes[i], wanted))
            return true;
    return false;
}

/* A node: its hashes in ascending order, hashed together; a single one stands for itself. */
static void
join(an_bytes *items, size_t count, enum an_digest digest, struct hash *ret)
{
    struct an_hash *hash;

    if (count == 1) {
        memmove(ret->octets, items[0].ptr, items[0].len);
        return;
    }
    qsort(items, count, sizeof(*items), compare_hashes);
    hash = an_hash_new(digest);
    for (size_t i = 0; i < count; i++)
        an_hash_update(hash, items[i]);
    an_hash_final(hash, ret->octets);
    an_hash_free(&hash);
}

/* One level: its own hashes and the one that comes up from below. False when it is malformed. */
static bool
climb(const struct an_ers_group *group, enum an_digest digest, bool has_below, struct hash *ret)
{
    size_t size = an_digest_size(digest), count = 0;
    an_bytes *items = an_new_array(group->count + 1, sizeof(*items));
    struct hash below = *ret;
    bool ok = true;

    if (has_below)
        items[count++] = AN_BYTES(below.octets, size);
    for (size_t i = 0; i < group->count; i++) {
        items[count++] = group->hashes[i];
        ok = ok && group->hashes[i].len == size;
    }
    ok = ok && count > 0;
    if (ok)
        join(items, count, digest, ret);
    free(items);
    return ok;
}

static bool
find_root(const struct an_ers_stamp *stamp, enum an_digest digest, struct hash *ret)
{
    for (size_t i = 0; i < stamp->group_count; i++)
        if (!climb(&stamp->groups[i], digest, i > 0, ret))
            return false;
    return stamp->group_count > 0;
}

/* ---- what the first time-stamp of a chain must hold ---- */
static bool
hash_object(const struct an_ers_object *object, enum an_digest digest, struct hash *ret)
{
    if (object->bytes.ptr) {
        an_hash_once(digest, object->bytes, ret->octets);
        return true;
    }
    for (size_t i = 0; i < object->digest_count; i++)
        if (object->digests[i].digest == (int)digest && object->digests[i].value.len == an_digest_size(digest)) {
            memcpy(ret->octets, object->digests[i].value.ptr, object->digests[i].value.len);
            return true;
        }
    return false;
}

/* In DER a later chain holds each object hashed together with the chains before (RFC 4998, 5.2); in XML both stand side
 * by side (RFC 6283, 4.2.2). */
static void
bind_before(const struct an_ers *ers, const struct an_ers_chain *chain, size_t size, struct hash *hash)
{
    uint8_t both[AN_DIGEST_MAX * 2];

    if (ers->is_xml || !chain->before.len || chain->before.len != size)
        return;
    memcpy(both, hash->octets, size);
    memcpy(both + size, chain->before.ptr, size);
    an_hash_once((enum an_digest)chain->digest, AN_BYTES(both, size * 2), hash->octets);
}

static bool
holds_object(const struct an_ers *ers, const struct an_ers_chain *chain, const struct an_ers_object *objects, size_t at)
{
    const struct an_ers_group *group = &chain->stamps[0].groups[0];
    size_t size = an_digest_size((enum an_digest)chain->digest);
    struct hash hash;

    if (ers->is_xml && at < chain->object_count && contains(group, chain->objects[at]))
        return true;
    if (!hash_object(&objects[at], (enum an_digest)chain->digest, &hash))
        return false;
    bind_before(ers, chain, size, &hash);
    return contains(group, AN_BYTES(hash.octets, size));
}

/* Without a tree the time-stamp is over the one object itself. */
static bool
root_of_object(const struct an_ers *ers, const struct an_ers_chain *chain, const struct an_ers_object *objects,
               size_t count,
               an_bytes imprint, struct hash *ret)
{
    size_t size = an_digest_size((enum an_digest)chain->digest);

    if (count != 1 || !hash_object(&objects[0], (enum an_digest)chain->digest, ret))
        return false;
    if (ers->is_xml && chain->object_count && chain->objects[0].len == size && an_bytes_eq(chain->objects[0], imprint))
        memcpy(ret->octets, chain->objects[0].ptr, size);
    bind_before(ers, chain, size, ret);
    if (ers->is_xml && chain->before.len == size) {
        struct hash own = *ret;
        an_bytes both[] = {AN_BYTES(own.octets, size), chain->before};

        join(both, 2, (enum an_digest)chain->digest, ret);
    }
    return true;
}

static bool
chain_holds(const struct an_ers *ers, const struct an_ers_chain *chain, const struct an_ers_object *objects,
            size_t count)
{
    const struct an_ers_group *group = chain->stamps[0].groups;

    for (size_t i = 0; i < count; i++)
        if (!holds_object(ers, chain, objects, i))
            return false;
    /* A group of several is complete (RFC 4998, 4.3): nothing else may stand in the first list. */
    return ers->is_xml || count < 2 || group->count == count;
}

static bool
is_usable(const struct an_ers_chain *chain)
{
    return chain->stamp_count && chain->digest > AN_DIGEST_NONE && an_digest_size((enum an_digest)chain->digest) > 0;
}

bool
an_record_holds(const struct an_ers *ers, const struct an_ers_object *objects, size_t count)
{
    const struct an_ers_chain *chain = ers->chains;
    struct an_tst *tst = NULL;
    struct hash root;
    bool held;

    if (!ers->chain_count || !is_usable(chain) || !count)
        return false;
    if (chain->stamps[0].group_count)
        return chain_holds(ers, chain, objects, count);
    held = an_tst_parse(chain->stamps[0].token, &tst, NULL) == AN_OK &&
           root_of_object(ers, chain, objects, count, tst->imprint, &root) &&
           an_bytes_eq(tst->imprint, AN_BYTES(root.octets, an_digest_size((enum an_digest)chain->digest)));
    an_tst_free(&tst);
    return held;
}

/* ---- walking ---- */
static void
break_walk(struct walk *walk, const char *why, size_t chain, size_t stamp)
{
    if (!walk->is_broken)
        snprintf(walk->detail, sizeof(walk->detail), "%s (%zu.%zu)", why, chain + 1, stamp + 1);
    walk->is_broken = true;
}

/* True when the root is what must have been stamped; false when the data is not known. */
static bool
plan_first(struct walk *walk, const struct an_ers_chain *chain, size_t at, an_bytes imprint, struct hash *ret)
{
    const struct an_ers_stamp *stamp = &chain->stamps[0];

    if (!stamp->group_count)
        return root_of_object(walk->ers, chain, walk->objects, walk->object_count, imprint, ret);
    if (at > 0 && walk->ers->is_xml && !contains(&stamp->groups[0], chain->before))
        break_walk(walk, "ArchiveTimeStampChain", at, 0);
    if (walk->object_count && !chain_holds(walk->ers, chain, walk->objects, walk->object_count))
        break_walk(walk, "data object", at, 0);
    if (!find_root(stamp, (enum an_digest)chain->digest, ret))
        break_walk(walk, "HashTree", at, 0);
    return walk->object_count > 0;
}

static bool
plan_renewal(struct walk *walk, const struct an_ers_chain *chain, size_t at, size_t number, struct hash *ret)
{
    const struct an_ers_stamp *stamp = &chain->stamps[number];
    an_bytes before = chain->stamps[number - 1].self;

    if (stamp->group_count) {
        if (!contains(&stamp->groups[0], before))
            break_walk(walk, "ArchiveTimeStamp", at, number);
        if (!find_root(stamp, (enum an_digest)chain->digest, ret))
            break_walk(walk, "HashTree", at, number);
    } else if (before.len == an_digest_size((enum an_digest)chain->digest)) {
        memcpy(ret->octets, before.ptr, before.len);
    } else {
        break_walk(walk, "ArchiveTimeStamp", at, number);
    }
    return true;
}

static void
walk_stamp(struct walk *walk, size_t at, size_t number)
{
    const struct an_ers_chain *chain = &walk->ers->chains[at];
    struct an_stamps *stamps = &walk->sig->stamps;
    size_t slot = stamps->count - walk->first, size = an_digest_size((enum an_digest)chain->digest);
    struct hash root = {{0}};
    const struct an_tst *tst;
    bool has_root;

    an_stamp_read(walk->sig->job, stamps, AN_STAMP_ARCHIVE, chain->stamps[number].token);
    if (stamps->count == walk->first + slot) {
        break_walk(walk, "TimeStampToken", at, number);
        return;
    }
    tst = stamps->items[walk->first + slot].tst;
    walk->known[slot] = number ? plan_renewal(walk, chain, at, number, &root)
                               : plan_first(walk, chain, at, tst ? tst->imprint : AN_NONE, &root);
    walk->roots[slot] = root;
    has_root = walk->known[slot] || chain->stamps[number].group_count;
    /* What is not in the tree cannot have been stamped, whatever the token says. */
    if (has_root && (!tst || (int)tst->digest != chain->digest ||
                     !an_bytes_eq(tst->imprint, AN_BYTES(root.octets, size))))
        break_walk(walk, "messageImprint", at, number);
}

static void
prove_before(struct walk *walk, size_t by)
{
    struct an_stamps *stamps = &walk->sig->stamps;
    an_time time = stamps->items[by].tst->gen_time;

    for (size_t i = walk->first; i < by; i++) {
        const struct an_stamp *older = &stamps->items[i];

        if (!older->tst || older->tst->gen_time > time)
            continue;
        an_poe_add(&walk->sig->job->poes, older->id, time);
        an_poe_add_material(&walk->sig->job->poes,
                            &(struct an_material){older->tst->cms->certs, older->tst->cms->crls,
                                                  older->tst->cms->ocsps}, time);
    }
}

/* The newest first: each proves the ones before it. */
static void
judge_stamps(struct walk *walk)
{
    struct an_stamps *stamps = &walk->sig->stamps;
    struct an_job *job = walk->sig->job;

    for (size_t i = stamps->count; i-- > walk->first;) {
        struct an_stamp *stamp = &stamps->items[i];
        size_t size = stamp->tst ? an_digest_size(stamp->tst->digest) : 0;

        an_stamp_judge(job, stamp, walk->known[i - walk->first] ? AN_BYTES(walk->roots[i - walk->first].octets, size)
                       : AN_NONE);
        if (stamp->status == AN_FINDING_PASSED && stamp->tst->gen_time <= job->now && !walk->is_broken)
            prove_before(walk, i);
    }
}

/* False when there is nothing to walk. */
static bool
walk_record(struct walk *walk)
{
    const struct an_ers *ers = walk->ers;

    walk->first = walk->sig->stamps.count;
    walk->roots = an_new_array(AN_LIMIT_VERIFY_STAMPS + 1, sizeof(*walk->roots));
    walk->known = an_new_array(AN_LIMIT_VERIFY_STAMPS + 1, sizeof(*walk->known));
    for (size_t i = 0; i < ers->chain_count && !walk->is_broken; i++) {
        if (!is_usable(&ers->chains[i]))
            break_walk(walk, "ArchiveTimeStampChain", i, 0);
        for (size_t j = 0; j < ers->chains[i].stamp_count && !walk->is_broken; j++)
            walk_stamp(walk, i, j);
    }
    judge_stamps(walk);
    free(walk->roots);
    free(walk->known);
    return ers->chain_count > 0;
}

/* The fault may lie in a later chain; the verdict of the record is that of its first time-stamp. */
static void
break_stamp(struct an_stamp *stamp, an_code why, const char *detail)
{
    an_stamp_fail(stamp, AN_SUB_HASH_FAILURE, why, detail);
}

static void
break_record(struct an_case *sig, an_code why, const char *detail)
{
    if (sig->stamps.count)
        break_stamp(&sig->stamps.items[0], why, detail);
    else
        an_step_set(&sig->structure, AN_FINDING_FAILED, why, "%.180s", detail);
}

/* ---- inside a signature ---- */
void
an_record_seal(struct an_case *sig, const struct an_ers *ers, const struct an_ers_object *objects, size_t count,
               const struct an_material *covered)
{
    struct walk walk = {.sig = sig, .ers = ers, .objects = objects, .object_count = count};
    struct an_job *job = sig->job;

    if (!walk_record(&walk) || sig->stamps.count == walk.first) {
        an_finding_add(sig->report, "signature.evidence-record", AN_FINDING_NOTE, AN_V_RECORD_BROKEN, "%s",
                       "EvidenceRecord");
        return;
    }
    if (walk.is_broken)
        break_stamp(&sig->stamps.items[walk.first], AN_V_RECORD_BROKEN, walk.detail);
    for (size_t i = walk.first; i < sig->stamps.count; i++) {
        const struct an_stamp *stamp = &sig->stamps.items[i];

        if (stamp->status != AN_FINDING_PASSED || walk.is_broken || stamp->tst->gen_time > job->now)
            continue;
        if (covered)
            an_poe_add_material(&job->poes, covered, stamp->tst->gen_time);
        for (size_t j = 0; j < walk.first; j++)
            if (sig->stamps.items[j].tst && sig->stamps.items[j].tst->gen_time <= stamp->tst->gen_time)
                an_poe_add(&job->poes, sig->stamps.items[j].id, stamp->tst->gen_time);
    }
}

/* ---- as a row of the report: the first time-stamp is the moment that is proven ---- */
static void
verify_row(struct an_job *job, const struct an_ers *ers, bool is_read, const struct an_ers_object *objects,
           const struct an_record_data *data)
{
    struct an_case sig;
    struct walk walk = {.sig = &sig, .ers = ers, .objects = objects, .object_count = data->count};

    an_report_reserve(job, 1);
    an_case_begin(&sig, job, "ERS");
    sig.report->field = an_asprintf("#%zu", job->report->signature_count);
    sig.report->is_time_stamp = true;
    an_verify_anchors(job->policy, job->options, &job->material.certs, &job->anchors);
    if (!is_read || !walk_record(&walk))
        an_step_set(&sig.structure, AN_FINDING_FAILED, AN_V_FORMAT_BAD, "%s", "EvidenceRecord");
    else if (job->container && job->container->status == AN_FINDING_FAILED)
        break_record(&sig, job->container->code, job->container->detail);
    else if (walk.is_broken)
        break_record(&sig, AN_V_RECORD_BROKEN, walk.detail);
    else if (data->digest != AN_DIGEST_NONE && ers->chains[0].digest != (int)data->digest)
        break_record(&sig, AN_V_ASIC_MANIFEST, an_digest_name(data->digest));
    an_case_conclude_stamp(&sig);
    an_case_done(&sig);
}

static an_code
read_record(struct an_job *job, an_bytes record, bool xml, const struct an_ers_object *objects, size_t count,
            struct an_arena **ret_arena, struct an_ers *ret, bool *ret_read, struct an_err *reterr)
{
    struct an_xml_part *parts = an_new_array(count + 1, sizeof(*parts));
    struct an_ers *read = NULL;
    an_code code = AN_OK;

    for (size_t i = 0; i < count; i++)
        parts[i] = (struct an_xml_part){"", objects[i].bytes};
    if (xml)
        code = an_xml_record_read(job->verifier->xml, record, parts, count, &read, ret_arena, reterr);
    free(parts);
    if (code == AN_E_XML_PARSE) /* no record in it: a verdict, not a failure */
        code = AN_OK;
    if (!*ret_arena)
        *ret_arena = an_arena_new(AN_LIMIT_CMS_BYTES * 2);
    *ret_read = xml ? read != NULL : an_ers_parse(record, *ret_arena, ret);
    if (read)
        *ret = *read;
    return code;
}

an_code
an_record_verify_object(struct an_job *job, an_bytes record, bool xml, const struct an_record_data *data,
                        struct an_err *reterr)
{
    struct an_ers_object *rows;
    struct an_arena *arena = NULL;
    struct an_ers ers = {0};
    bool is_read = false;
    an_code code;

    if (data->count > OBJECTS_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu data objects", data->count);
    rows = an_new_array(data->count + 1, sizeof(*rows));
    for (size_t i = 0; i < data->count; i++)
        rows[i].bytes = data->objects[i].ptr ? data->objects[i] : AN_LIT("");
    code = read_record(job, record, xml, rows, data->count, &arena, &ers, &is_read, reterr);
    if (code == AN_OK)
        verify_row(job, &ers, is_read, rows, data);
    an_arena_free(&arena);
    free(rows);
    return code;
}

an_code
an_record_verify(struct an_job *job, struct an_err *reterr)
{
    const struct an_verify_options *options = job->options;
    an_bytes *objects = an_new_array(options->named_count + 1, sizeof(*objects));
    bool xml = job->file->bytes.ptr[0] != AN_DER_SEQUENCE;
    size_t count = 0;
    an_code code;

    for (size_t i = 0; i < options->named_count; i++)
        objects[count++] = options->named[i].bytes;
    if (!count && options->content.ptr)
        objects[count++] = options->content;
    code = an_record_verify_object(job, job->file->bytes, xml, &(struct an_record_data){objects, count, AN_DIGEST_NONE},
                                   reterr);
    free(objects);
    return code;
}
