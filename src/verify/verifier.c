/*
 * The verifier: what thousands of files share. Certificates and status lists are kept once by the hash of their bytes,
 * so that keys are parsed once and revocation lists indexed once; validated paths are kept by everything they depend
 * on. All caches are bounded: a full one is emptied and starts again.
 */
#include "proc/xml.h"
#include "verify/internal.h"

#define PATH_LIFE_S 3600 /* a path is not answered from memory for longer than this */

static void
unref_path(void *value)
{
    struct an_path_entry *entry = value;

    an_path_entry_unref(&entry);
}

static void
unref_cert(void *value)
{
    struct an_cert *cert = value;

    an_cert_unref(&cert);
}

static void
unref_crl(void *value)
{
    struct an_crl *crl = value;

    an_crl_unref(&crl);
}

static void
unref_ocsp(void *value)
{
    struct an_ocsp *ocsp = value;

    an_ocsp_unref(&ocsp);
}

static void
cache_empty(struct an_cache *cache, void (*unref)(void *))
{
    for (size_t i = 0; cache->map && i < an_map_count(cache->map); i++)
        if (an_map_value(cache->map, i))
            unref(an_map_value(cache->map, i));
    an_map_free(&cache->map);
}

/* Keeps value (the reference is taken over). */
static void
cache_put(struct an_cache *cache, an_bytes key, void *value, void (*unref)(void *))
{
    void *older;

    if (cache->map && an_map_count(cache->map) >= AN_LIMIT_VERIFY_CACHE)
        cache_empty(cache, unref);
    if (!cache->map)
        cache->map = an_map_new();
    older = an_map_find(cache->map, key);
    if (older)
        unref(older);
    an_map_put(cache->map, key, value);
}

static void *
cache_find(const struct an_cache *cache, an_bytes key)
{
    return cache->map ? an_map_find(cache->map, key) : NULL;
}

an_code
an_verifier_new(const char *data_dir, struct an_verifier **ret, struct an_err *reterr)
{
    struct an_regulations *regulations;
    struct an_verifier *verifier;

    AN_TRY(an_regulations_open(data_dir, &regulations, reterr));
    verifier = AN_NEW(struct an_verifier);
    verifier->regulations = regulations;
    verifier->xml = an_xml_reader_new(0);
    pthread_mutex_init(&verifier->lock, NULL);
    *ret = verifier;
    return AN_OK;
}

void
an_verifier_free(struct an_verifier **verifier)
{
    struct an_verifier *gone = *verifier;

    if (!gone)
        return;
    cache_empty(&gone->paths, unref_path);
    cache_empty(&gone->certs, unref_cert);
    cache_empty(&gone->crls, unref_crl);
    cache_empty(&gone->ocsps, unref_ocsp);
    an_regulations_close(&gone->regulations);
    an_xml_reader_free(&gone->xml);
    pthread_mutex_destroy(&gone->lock);
    free(gone);
    *verifier = NULL;
}

an_code
an_verifier_policy(struct an_verifier *verifier, const char *id, const struct an_policy **ret, struct an_err *reterr)
{
    an_code code;

    /* Policies are read when first asked for. */
    pthread_mutex_lock(&verifier->lock);
    code = an_policy_find(verifier->regulations, id, ret, reterr);
    pthread_mutex_unlock(&verifier->lock);
    return code;
}

/* ---- one object for equal bytes: the answer is borrowed by whoever holds the argument or adds a reference at once
 * ---- */
struct an_cert *
an_verifier_intern_cert(struct an_verifier *verifier, struct an_cert *cert)
{
    an_bytes key = AN_BYTES(cert->sha256, sizeof(cert->sha256));
    struct an_cert *known;

    pthread_mutex_lock(&verifier->lock);
    known = cache_find(&verifier->certs, key);
    if (!known) {
        known = an_cert_ref(cert);
        cache_put(&verifier->certs, key, known, unref_cert);
    }
    known = an_cert_ref(known);
    pthread_mutex_unlock(&verifier->lock);
    return known;
}

struct an_crl *
an_verifier_intern_crl(struct an_verifier *verifier, struct an_crl *crl)
{
    uint8_t id[32];
    struct an_crl *known;

    an_poe_id(crl->der, id);
    pthread_mutex_lock(&verifier->lock);
    known = cache_find(&verifier->crls, AN_BYTES(id, sizeof(id)));
    if (!known) {
        known = an_crl_ref(crl);
        cache_put(&verifier->crls, AN_BYTES(id, sizeof(id)), known, unref_crl);
    }
    known = an_crl_ref(known);
    pthread_mutex_unlock(&verifier->lock);
    return known;
}

struct an_ocsp *
an_verifier_intern_ocsp(struct an_verifier *verifier, struct an_ocsp *ocsp)
{
    uint8_t id[32];
    struct an_ocsp *known;

    an_poe_id(ocsp->der, id);
    pthread_mutex_lock(&verifier->lock);
    known = cache_find(&verifier->ocsps, AN_BYTES(id, sizeof(id)));
    if (!known) {
        known = an_ocsp_ref(ocsp);
        cache_put(&verifier->ocsps, AN_BYTES(id, sizeof(id)), known, unref_ocsp);
    }
    known = an_ocsp_ref(known);
    pthread_mutex_unlock(&verifier->lock);
    return known;
}

/* ---- the same from bytes: what is known is not parsed again ---- */
struct an_cert *
an_verifier_cert(struct an_verifier *verifier, an_bytes der)
{
    uint8_t id[32];
    struct an_cert *known, *parsed = NULL;

    an_poe_id(der, id);
    pthread_mutex_lock(&verifier->lock);
    known = cache_find(&verifier->certs, AN_BYTES(id, sizeof(id)));
    if (known)
        an_cert_ref(known);
    pthread_mutex_unlock(&verifier->lock);
    if (known || an_cert_parse(der, &parsed, NULL) != AN_OK)
        return known;
    known = an_verifier_intern_cert(verifier, parsed);
    an_cert_unref(&parsed);
    return known;
}

struct an_crl *
an_verifier_crl(struct an_verifier *verifier, an_bytes der)
{
    uint8_t id[32];
    struct an_crl *known, *parsed = NULL;

    an_poe_id(der, id);
    pthread_mutex_lock(&verifier->lock);
    known = cache_find(&verifier->crls, AN_BYTES(id, sizeof(id)));
    if (known)
        an_crl_ref(known);
    pthread_mutex_unlock(&verifier->lock);
    if (known || an_crl_parse(der, &parsed, NULL) != AN_OK)
        return known;
    known = an_verifier_intern_crl(verifier, parsed);
    an_crl_unref(&parsed);
    return known;
}

struct an_ocsp *
an_verifier_ocsp(struct an_verifier *verifier, an_bytes der)
{
    uint8_t id[32];
    struct an_ocsp *known, *parsed = NULL;

    an_poe_id(der, id);
    pthread_mutex_lock(&verifier->lock);
    known = cache_find(&verifier->ocsps, AN_BYTES(id, sizeof(id)));
    if (known)
        an_ocsp_ref(known);
    pthread_mutex_unlock(&verifier->lock);
    if (known || an_ocsp_parse(der, &parsed, NULL) != AN_OK)
        return known;
    known = an_verifier_intern_ocsp(verifier, parsed);
    an_ocsp_unref(&parsed);
    return known;
}

/* ---- validated paths ---- */
void
an_path_entry_unref(struct an_path_entry **entry)
{
    struct an_path_entry *gone = *entry;

    *entry = NULL;
    if (!gone || __atomic_sub_fetch(&gone->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    an_path_result_done(&gone->result);
    an_crls_unref(&gone->crls);
    an_ocsps_unref(&gone->ocsps);
    free(gone);
}

static void
narrow(struct an_path_entry *entry, an_time from, an_time until)
{
    if (from != AN_TIME_NONE && from > entry->from)
        entry->from = from;
    if (until != AN_TIME_NONE && until < entry->until)
        entry->until = until;
}

/* A valid path stays valid while all its certificates and status answers are current; a refusal only for that
 * second. */
static void
find_life(struct an_path_entry *entry, an_time at)
{
    const struct an_path_result *result = &entry->result;

    entry->from = result->valid ? at - PATH_LIFE_S : at;
    entry->until = result->valid ? at + PATH_LIFE_S : at;
    if (!result->valid)
        return;
    for (size_t i = 0; i < result->chain_count; i++)
        narrow(entry, result->chain[i]->not_before, result->chain[i]->not_after);
    for (size_t i = 0; result->status && i + 1 < result->chain_count; i++)
        narrow(entry, result->status[i].this_update, result->status[i].next_update);
    if (entry->from > at || entry->until < at) /* freshness was stretched by policy: this moment only */
        entry->from = entry->until = at;
}

static void
hash_certs(struct an_hash *hash, const struct an_certs *certs)
{
    size_t count = certs ? certs->count : 0;

    an_hash_update(hash, AN_BYTES(&count, sizeof(count)));
    for (size_t i = 0; i < count; i++)
        an_hash_update(hash, AN_BYTES(certs->items[i]->sha256, 32));
}

static void
path_key(struct an_cert *leaf, const struct an_path_params *params, an_bytes salt, uint8_t ret[AN_DIGEST_MAX])
{
    struct an_hash *hash = an_hash_new(AN_SHA256);
    size_t counts[2] = {params->crls ? params->crls->count : 0, params->ocsps ? params->ocsps->count : 0};

    an_hash_update(hash, AN_BYTES(leaf->sha256, 32));
    an_hash_update(hash, salt);
    an_hash_update(hash, AN_BYTES(counts, sizeof(counts)));
    hash_certs(hash, params->anchors);
    hash_certs(hash, params->untrusted);
    if (counts[0])
        an_hash_update(hash, AN_BYTES(params->crls->items, counts[0] * sizeof(params->crls->items[0])));
    if (counts[1])
        an_hash_update(hash, AN_BYTES(params->ocsps->items, counts[1] * sizeof(params->ocsps->items[0])));
    an_hash_final(hash, ret);
    an_hash_free(&hash);
}

static struct an_path_entry *
path_build(struct an_cert *leaf, const struct an_path_params *params)
{
    struct an_path_entry *entry = AN_NEW(struct an_path_entry);

    entry->refs = 1;
    an_path_validate(leaf, params, &entry->result);
    find_life(entry, params->at);
    /* The key holds addresses of lists: as long as the entry lives they must not be used for other lists. */
    for (size_t i = 0; params->crls && i < params->crls->count; i++)
        *an_crls_push(&entry->crls) = an_crl_ref(params->crls->items[i]);
    for (size_t i = 0; params->ocsps && i < params->ocsps->count; i++)
        *an_ocsps_push(&entry->ocsps) = an_ocsp_ref(params->ocsps->items[i]);
    return entry;
}

struct an_path_entry *
an_verifier_path(struct an_verifier *verifier, struct an_cert *leaf, const struct an_path_params *params, an_bytes salt)
{
    uint8_t key[AN_DIGEST_MAX];
    struct an_path_entry *entry;

    path_key(leaf, params, salt, key);
    pthread_mutex_lock(&verifier->lock);
    entry = cache_find(&verifier->paths, AN_BYTES(key, 32));
    if (entry && params->at >= entry->from && params->at <= entry->until) {
        __atomic_add_fetch(&entry->refs, 1, __ATOMIC_RELAXED);
        pthread_mutex_unlock(&verifier->lock);
        return entry;
    }
    pthread_mutex_unlock(&verifier->lock);

    entry = path_build(leaf, params);
    __atomic_add_fetch(&entry->refs, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&verifier->lock);
    cache_put(&verifier->paths, AN_BYTES(key, 32), entry, unref_path);
    pthread_mutex_unlock(&verifier->lock);
    return entry;
}
