/*
 * Proofs of existence (EN 319 102-1, 5.6.2.3): a time-stamp proves that what it covers existed at its time. Objects are
 * known by the SHA-256 of their bytes, so it does not matter where a copy stands.
 */
#include "verify/internal.h"

void
an_poe_id(an_bytes object, uint8_t ret[static 32])
{
    uint8_t digest[AN_DIGEST_MAX];

    an_hash_once(AN_SHA256, object, digest);
    memcpy(ret, digest, 32);
}

void
an_poe_add(struct an_poes *poes, const uint8_t id[static 32], an_time time)
{
    uintptr_t at;

    if (!poes->index)
        poes->index = an_map_new();
    /* The list may move when it grows: the index keeps positions + 1, not addresses. */
    at = (uintptr_t)an_map_find(poes->index, AN_BYTES(id, 32));
    if (at) {
        struct an_poe *known = &poes->list.items[at - 1];

        if (time < known->time)
            known->time = time;
        return;
    }
    struct an_poe *row = an_poe_list_push(&poes->list);

    memcpy(row->id, id, 32);
    row->time = time;
    an_map_put(poes->index, AN_BYTES(id, 32), (void *)(uintptr_t)poes->list.count);
}

an_time
an_poe_find(const struct an_poes *poes, const uint8_t id[static 32], an_time otherwise)
{
    uintptr_t at = poes->index ? (uintptr_t)an_map_find(poes->index, AN_BYTES(id, 32)) : 0;

    return at ? poes->list.items[at - 1].time : otherwise;
}

void
an_poe_add_material(struct an_poes *poes, const struct an_material *material, an_time time)
{
    uint8_t id[32];

    for (size_t i = 0; i < material->certs.count; i++)
        an_poe_add(poes, material->certs.items[i]->sha256, time);
    for (size_t i = 0; i < material->crls.count; i++) {
        an_poe_id(material->crls.items[i]->der, id);
        an_poe_add(poes, id, time);
    }
    for (size_t i = 0; i < material->ocsps.count; i++) {
        an_poe_id(material->ocsps.items[i]->der, id);
        an_poe_add(poes, id, time);
    }
}

void
an_poe_begin_file(struct an_job *job, an_time exists_since)
{
    job->exists_since = exists_since;
    job->mark = (struct an_material_mark){job->material.certs.count, job->material.crls.count,
                                          job->material.ocsps.count};
}

void
an_poe_take_file(struct an_job *job, const struct an_material *own)
{
    struct an_material fresh = job->material;

    if (job->exists_since == AN_TIME_NONE)
        return;
    if (own)
        an_poe_add_material(&job->poes, own, job->exists_since);
    fresh.certs.items += job->mark.certs;
    fresh.certs.count -= job->mark.certs;
    fresh.crls.items += job->mark.crls;
    fresh.crls.count -= job->mark.crls;
    fresh.ocsps.items += job->mark.ocsps;
    fresh.ocsps.count -= job->mark.ocsps;
    an_poe_add_material(&job->poes, &fresh, job->exists_since);
}

void
an_poes_done(struct an_poes *poes)
{
    an_poe_list_done(&poes->list);
    an_map_free(&poes->index);
}
