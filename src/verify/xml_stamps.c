/* Time-stamps in XAdES: archive time-stamps newest first, each proving what it covers; then the others. */
#include "verify/xml_reader.h"

static enum an_stamp_kind
kind_of(enum an_xml_stamp_kind kind)
{
    switch (kind) {
    case AN_XML_STAMP_CONTENT:
        return AN_STAMP_CONTENT;
    case AN_XML_STAMP_SIGNATURE:
        return AN_STAMP_SIGNATURE;
    default:
        return AN_STAMP_ARCHIVE;
    }
}

void
an_xml_read_stamps(struct an_xml_case *row)
{
    const struct an_xml_signature *signature = row->signature;

    /* One for one: an_xml_judge_stamps finds the data by position. */
    for (size_t i = 0; i < signature->stamp_count; i++) {
        size_t before = row->sig.stamps.count;

        an_stamp_read(row->sig.job, &row->sig.stamps, kind_of(signature->stamps[i].kind), signature->stamps[i].token);
        if (row->sig.stamps.count == before)
            break;
        row->sig.stamps.items[before].is_extended =
            signature->stamps[i].kind == AN_XML_STAMP_REFS || signature->stamps[i].kind == AN_XML_STAMP_REFS_ONLY;
        row->sig.stamps.items[before].is_aside = signature->stamps[i].kind == AN_XML_STAMP_REFS_ONLY;
    }
}

static an_bytes
covered_digest(const struct an_xml_case *row, size_t at)
{
    const struct an_xml_stamp *given = &row->signature->stamps[at];
    const struct an_tst *tst = row->sig.stamps.items[at].tst;

    if (at >= row->signature->stamp_count) /* of an evidence record: judged already */
        return AN_NONE;
    for (size_t i = 0; tst && i < given->digest_count; i++)
        if (given->digests[i].digest == (int)tst->digest)
            return given->digests[i].value;
    return AN_NONE;
}

static void
prove(struct an_xml_case *row, const struct an_stamp *by)
{
    struct an_poes *poes = &row->sig.job->poes;
    an_time time = by->tst->gen_time;
    uint8_t id[32];

    an_poe_id(row->sig.signature, id);
    an_poe_add(poes, id, time);
    if (!by->is_extended) /* references are not the certificates and lists themselves */
        an_poe_add_material(poes, &row->own, time);
    for (size_t i = 0; &row->sig.stamps.items[i] != by; i++) {
        const struct an_stamp *stamp = &row->sig.stamps.items[i];

        if (stamp->tst && stamp->tst->gen_time <= time && (!by->is_extended || stamp->kind == AN_STAMP_SIGNATURE))
            an_poe_add(poes, stamp->id, time);
    }
}

static size_t
newest_unjudged(const struct an_stamps *stamps)
{
    size_t newest = SIZE_MAX;

    for (size_t i = 0; i < stamps->count; i++)
        if (stamps->items[i].kind == AN_STAMP_ARCHIVE && !stamps->items[i].judged && stamps->items[i].tst &&
            (newest == SIZE_MAX || stamps->items[i].tst->gen_time > stamps->items[newest].tst->gen_time))
            newest = i;
    return newest;
}

void
an_xml_judge_stamps(struct an_xml_case *row)
{
    struct an_stamps *stamps = &row->sig.stamps;
    size_t at;

    while ((at = newest_unjudged(stamps)) != SIZE_MAX) {
        struct an_stamp *stamp = &stamps->items[at];

        an_stamp_judge(row->sig.job, stamp, covered_digest(row, at));
        if (stamp->status == AN_FINDING_PASSED && stamp->tst->gen_time <= row->sig.job->now && !stamp->is_aside)
            prove(row, stamp);
    }
    for (size_t i = 0; i < stamps->count; i++)
        an_stamp_judge(row->sig.job, &stamps->items[i], covered_digest(row, i));
}

void
an_xml_judge_seals(struct an_xml_case *row)
{
    for (size_t i = 0; i < row->signature->seal_count; i++) {
        const struct an_xml_seal *seal = &row->signature->seals[i];
        struct an_ers_object object = {.digests = seal->digests, .digest_count = seal->digest_count};
        struct an_arena *arena = an_arena_new(AN_LIMIT_CMS_BYTES * 2);
        struct an_ers parsed = {0};

        if (seal->record || an_ers_parse(seal->asn1, arena, &parsed))
            an_record_seal(&row->sig, seal->record ? seal->record : &parsed, &object, seal->digest_count ? 1 : 0,
                           &row->own);
        else
            an_finding_add(row->sig.report, "signature.evidence-record", AN_FINDING_NOTE, AN_V_RECORD_BROKEN, "%s",
                           "EvidenceRecord");
        an_arena_free(&arena);
    }
}
