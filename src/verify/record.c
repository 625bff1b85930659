/*
 * Evidence records (RFC 4998): chains of archive time-stamps over hash trees, renewed before they weaken. Each time-stamp is
 * compared with the root of its reduced hash tree, which must hold the data objects (first chain), the time-stamp before
 * (renewal), or the data objects with everything before (a new chain with a new algorithm).
 */
#include <stdio.h>

#include "verify/record.h"

#define OBJECTS_MAX 256 /* data objects of one record */
#define CHAINS_MAX 64

struct hash { uint8_t octets[AN_DIGEST_MAX]; };
struct archive_stamp {
    enum an_digest digest;
    an_bytes tree;  /* content of reducedHashtree; ptr NULL = none */
    an_bytes token; /* whole ContentInfo */
};
struct record {
    struct an_case *sig;
    const an_bytes *objects; size_t object_count;
    struct an_buf before;    /* the chains already walked, encoded */
    bool is_broken;
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

/* One partial tree: its own hashes and the one that comes up from below. False when it is malformed. */
static bool
read_partial(an_bytes list, enum an_digest digest, an_bytes below, an_bytes *items, size_t *ret_count)
{
    size_t count = 0;

    if (below.len)
        items[count++] = below;
    while (list.len) {
        an_bytes item;

        if (count == OBJECTS_MAX || an_der_take(&list, AN_DER_OCTET_STRING, &item, NULL) != AN_OK ||
            item.len != an_digest_size(digest))
            return false;
        items[count++] = item;
    }
    *ret_count = count;
    return count > 0;
}

static bool
contains(const an_bytes *items, size_t count, an_bytes wanted)
{
    for (size_t i = 0; i < count; i++)
        if (an_bytes_eq(items[i], wanted))
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

/* The root over what must be in it; only: nothing else may stand in the first list (4.3: the group is complete). */
static bool
find_root(const struct archive_stamp *stamp, const struct hash *wanted, size_t wanted_count, bool only, struct hash *ret)
{
    size_t size = an_digest_size(stamp->digest), count = 0;
    an_bytes tree = stamp->tree, list, *items;
    bool ok = true, first = true;

    if (!tree.ptr) {
        *ret = wanted[0];
        return wanted_count == 1;
    }
    items = an_new_array(OBJECTS_MAX + 1, sizeof(*items));
    while (ok && tree.len) {
        struct hash below = *ret;

        ok = an_der_take(&tree, AN_DER_SEQUENCE, &list, NULL) == AN_OK &&
             read_partial(list, stamp->digest, first ? AN_NONE : AN_BYTES(below.octets, size), items, &count);
        for (size_t i = 0; first && ok && i < wanted_count; i++)
            ok = contains(items, count, AN_BYTES(wanted[i].octets, size));
        ok = ok && !(first && only && wanted_count > 1 && count != wanted_count);
        if (ok)
            join(items, count, stamp->digest, ret);
        first = false;
    }
    free(items);
    return ok && !first;
}

/* ---- reading ---- */
static enum an_digest
imprint_digest(an_bytes token)
{
    struct an_tst *tst = NULL;
    enum an_digest digest = an_tst_parse(token, &tst, NULL) == AN_OK ? tst->digest : AN_DIGEST_NONE;

    an_tst_free(&tst);
    return digest;
}

/* The algorithm identifier under [0] IMPLICIT has lost its tag: it is put back. */
static enum an_digest
tagged_digest(an_bytes content)
{
    struct an_buf whole = an_buf_new(256);
    struct an_der_out out = AN_DER_OUT(&whole);
    enum an_digest digest = AN_DIGEST_NONE;

    an_der_put(&out, AN_DER_SEQUENCE, content);
    if (!an_buf_ok(&whole) || an_digest_parse(an_buf_view(&whole), &digest, NULL) != AN_OK)
        digest = AN_DIGEST_NONE;
    an_buf_free(&whole);
    return digest;
}

static bool
read_stamp(an_bytes *chain, struct archive_stamp *ret)
{
    an_bytes body, part;

    *ret = (struct archive_stamp){0};
    if (an_der_take(chain, AN_DER_SEQUENCE, &body, NULL) != AN_OK)
        return false;
    if (an_der_try(&body, AN_DER_CONTEXT_CONSTRUCTED(0), &part))
        ret->digest = tagged_digest(part);
    an_der_try(&body, AN_DER_CONTEXT_CONSTRUCTED(1), &part);
    an_der_try(&body, AN_DER_CONTEXT_CONSTRUCTED(2), &ret->tree);
    if (an_der_take_whole(&body, AN_DER_SEQUENCE, &ret->token, NULL) != AN_OK || body.len)
        return false;
    if (ret->digest == AN_DIGEST_NONE)
        ret->digest = imprint_digest(ret->token);
    return ret->digest != AN_DIGEST_NONE;
}

/* ---- walking ---- */
static void
add_stamp(struct record *record, const struct archive_stamp *stamp, bool has_data, const struct hash *root, bool in_tree)
{
    struct an_stamps *stamps = &record->sig->stamps;
    size_t before = stamps->count, size = an_digest_size(stamp->digest);
    struct an_stamp *added;

    an_stamp_read(record->sig->job, stamps, AN_STAMP_ARCHIVE, stamp->token);
    if (stamps->count == before) {
        record->is_broken = true;
        return;
    }
    added = &stamps->items[before];
    /* What is not in the tree cannot have been stamped, whatever the token says. */
    record->is_broken = record->is_broken || (has_data && (!in_tree || !added->tst || added->tst->digest != stamp->digest ||
                                                           !an_bytes_eq(added->tst->imprint, AN_BYTES(root->octets, size))));
    an_stamp_judge(record->sig->job, added, has_data && in_tree ? AN_BYTES(root->octets, size) : AN_NONE);
}

/* The hashes of the data objects; in a later chain together with all chains before (5.2). */
static void
hash_objects(const struct record *record, enum an_digest digest, struct hash *ret)
{
    uint8_t chains[AN_DIGEST_MAX], both[AN_DIGEST_MAX * 2];
    struct an_buf sequence = an_buf_new(AN_LIMIT_CMS_BYTES);
    struct an_der_out out = AN_DER_OUT(&sequence);
    size_t size = an_digest_size(digest);

    an_der_put(&out, AN_DER_SEQUENCE, an_buf_view(&record->before));
    an_hash_once(digest, an_buf_view(&sequence), chains);
    for (size_t i = 0; i < record->object_count; i++) {
        an_hash_once(digest, record->objects[i], ret[i].octets);
        if (!record->before.len)
            continue;
        memcpy(both, ret[i].octets, size);
        memcpy(both + size, chains, size);
        an_hash_once(digest, AN_BYTES(both, size * 2), ret[i].octets);
    }
    an_buf_free(&sequence);
}

static void
walk_chain(struct record *record, an_bytes chain)
{
    struct hash *wanted = an_new_array(OBJECTS_MAX, sizeof(*wanted)), root = {{0}}, previous;
    struct archive_stamp stamp, last = {0};

    for (bool first = true; chain.len && !record->is_broken; first = false) {
        bool in_tree;

        if (!read_stamp(&chain, &stamp) || (!first && stamp.digest != last.digest)) {
            record->is_broken = true;
            break;
        }
        if (first) {
            hash_objects(record, stamp.digest, wanted);
            in_tree = record->object_count && find_root(&stamp, wanted, record->object_count, true, &root);
        } else {
            an_hash_once(stamp.digest, last.token, previous.octets);
            in_tree = find_root(&stamp, &previous, 1, false, &root);
        }
        add_stamp(record, &stamp, !first || record->object_count, &root, in_tree);
        last = stamp;
    }
    free(wanted);
}

/* EvidenceRecord ::= SEQUENCE { version, digestAlgorithms, [0]?, [1]?, SEQUENCE OF SEQUENCE OF ArchiveTimeStamp } */
static bool
walk_record(struct record *record, an_bytes der)
{
    an_bytes body, part, chains, whole, chain;
    int64_t version;
    size_t count = 0;
    int tag;

    if (an_der_take(&der, AN_DER_SEQUENCE, &body, NULL) != AN_OK || an_der_int64(&body, &version, NULL) != AN_OK ||
        an_der_take(&body, AN_DER_SEQUENCE, &part, NULL) != AN_OK)
        return false;
    an_der_try(&body, AN_DER_CONTEXT_CONSTRUCTED(0), &part);
    an_der_try(&body, AN_DER_CONTEXT_CONSTRUCTED(1), &part);
    if (an_der_take(&body, AN_DER_SEQUENCE, &chains, NULL) != AN_OK || !chains.len)
        return false;
    while (chains.len && !record->is_broken && count++ < CHAINS_MAX) {
        if (an_der_any(&chains, &tag, &whole, &chain, NULL) != AN_OK || tag != AN_DER_SEQUENCE || !chain.len)
            return false;
        walk_chain(record, chain);
        an_buf_append(&record->before, whole);
    }
    return record->sig->stamps.count > 0 && !chains.len;
}

/* ---- as a row of the report: the first time-stamp is the moment that is proven ---- */
/* The fault may lie in a later chain; the verdict is that of the row, which is its first time-stamp. */
static void
break_record(struct an_case *sig, an_code why, const char *detail)
{
    struct an_stamp *first = sig->stamps.items;

    if (!sig->stamps.count) {
        an_step_set(&sig->structure, AN_FINDING_FAILED, why, "%.180s", detail);
        return;
    }
    first->status = AN_FINDING_FAILED;
    first->sub = AN_SUB_HASH_FAILURE;
    first->why = why;
    snprintf(first->detail, sizeof(first->detail), "%.180s", detail);
}

an_code
an_record_verify_object(struct an_job *job, an_bytes der, const an_bytes *objects, size_t count, struct an_err *reterr)
{
    struct an_case sig;
    struct record record = {.sig = &sig, .objects = objects, .object_count = count,
                            .before = an_buf_new(AN_LIMIT_CMS_BYTES)};

    if (count > OBJECTS_MAX)
        AN_FAIL(reterr, AN_E_LIMIT, "%zu data objects", count);
    an_report_reserve(job, 1);
    an_case_begin(&sig, job, "ERS");
    sig.report->field = an_asprintf("#%zu", job->report->signature_count);
    sig.report->is_time_stamp = true;
    an_verify_anchors(job->policy, job->options, &job->material.certs, &job->anchors);
    if (!walk_record(&record, der) && !record.is_broken)
        an_step_set(&sig.structure, AN_FINDING_FAILED, AN_V_FORMAT_BAD, "%s", "EvidenceRecord");
    else if (job->container && job->container->status == AN_FINDING_FAILED)
        break_record(&sig, job->container->code, job->container->detail);
    else if (record.is_broken)
        break_record(&sig, AN_V_RECORD_BROKEN, "");
    an_case_conclude_stamp(&sig);
    an_case_done(&sig);
    an_buf_free(&record.before);
    return AN_OK;
}

an_code
an_record_verify(struct an_job *job, struct an_err *reterr)
{
    const struct an_verify_options *options = job->options;
    an_bytes *objects = an_new_array(options->named_count + 1, sizeof(*objects));
    size_t count = 0;
    an_code code;

    for (size_t i = 0; i < options->named_count; i++)
        objects[count++] = options->named[i].bytes;
    if (!count && options->content.ptr)
        objects[count++] = options->content;
    code = an_record_verify_object(job, job->file->bytes, objects, count, reterr);
    free(objects);
    return code;
}
