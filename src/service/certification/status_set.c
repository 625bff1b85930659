/* The authorities of the store, with their keys. */
#include "service/certification/status_internal.h"

#define LOOK_SECONDS 5
#define CHAIN_MAX 8

static void
free_authority(struct status_authority *authority)
{
    an_signer_close(&authority->crl_signer);
    an_signer_close(&authority->ocsp_signer);
    an_signer_close(&authority->stamp_signer);
    an_cert_unref(&authority->cert);
    an_cert_unref(&authority->ocsp_cert);
    an_certs_done(&authority->chain);
    free(authority->name);
    free(authority->key);
    free(authority->ocsp_key);
    free(authority->base_url);
}

void
status_set_drop(struct status_set *set)
{
    if (set == NULL || __atomic_sub_fetch(&set->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (size_t i = 0; i < set->count; i++)
        free_authority(&set->items[i]);
    free(set->items);
    free(set->responders);
    free(set);
}

struct status_set *
status_set_take(struct an_status *status)
{
    struct status_set *set;

    pthread_mutex_lock(&status->set_lock);
    set = status->set;
    __atomic_add_fetch(&set->refs, 1, __ATOMIC_ACQ_REL);
    pthread_mutex_unlock(&status->set_lock);
    return set;
}

static an_code
read_authority(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct status_set *set = context;
    struct status_authority *authority;

    set->items = an_grow(set->items, set->count + 1, sizeof(*set->items));
    authority = &set->items[set->count++];
    *authority = (struct status_authority){.id = an_row_int(row, 0), .name = an_strdup(an_row_text(row, 1)),
                                           .is_tsa = strcmp(an_row_text(row, 2), "tsa") == 0,
                                           .key = an_strdup(an_row_text(row, 4)),
                                           .ocsp_key = an_strdup(an_row_text(row, 6)),
                                           .base_url = an_strdup(an_row_text(row, 7)), .partitions = an_row_int(row, 8),
                                           .parent = an_row_int(row, 9)};
    AN_TRY(an_cert_parse(an_row_blob(row, 3), &authority->cert, reterr));
    return an_row_is_null(row, 5) ? AN_OK : an_cert_parse(an_row_blob(row, 5), &authority->ocsp_cert, reterr);
}

static an_code
read_authorities(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct status_set *set = context;

    for (size_t i = 0; i < set->count; i++)
        free_authority(&set->items[i]);
    set->count = 0;
    return an_tx_each(tx, AN_SQL_STATUS_AUTHORITIES, NULL, 0, read_authority, set, reterr);
}

/* A key that is not in the list is kept elsewhere (an offline root); one whose token is away comes back. */
static struct an_signer *
open_signer(struct an_status *status, struct status_authority *authority, const char *key, enum an_key_purpose purpose)
{
    struct an_signer *signer = NULL;
    struct an_err err = {0};
    an_code code;

    if (key[0] == '\0')
        return NULL;
    if (status->keys_are_lost) { /* one wait is enough */
        authority->lacks_key = true;
        return NULL;
    }
    code = an_signer_of_keys(status->keys, key, purpose, &signer, &err);
    if (code == AN_E_KEYS_NAME && purpose == AN_PURPOSE_OCSP && authority->ocsp_cert != NULL)
        status_say(status, "key.unknown", "%s: status of %s is not answered here", key, authority->name);
    if (code != AN_OK && code != AN_E_KEYS_NAME && code != AN_E_KEYS_PURPOSE) {
        authority->lacks_key = true;
        status->keys_are_lost = code == AN_E_KEYS_LOST;
        status_say(status, "key.away", "%s: %s: %s", key, an_message_find(code)->symbol, err.detail);
    }
    return signer;
}

static void
open_keys(struct an_status *status, struct status_authority *authority)
{
    struct an_err err = {0};

    if (authority->is_tsa) {
        authority->stamp_signer = open_signer(status, authority, authority->key, AN_PURPOSE_TIME_STAMP);
        return;
    }
    authority->crl_signer = open_signer(status, authority, authority->key, AN_PURPOSE_CRL);
    authority->ocsp_signer = open_signer(status, authority, authority->ocsp_cert ? authority->ocsp_key : authority->key,
                                         AN_PURPOSE_OCSP);
    if (authority->ocsp_signer == NULL)
        return;
    authority->respond = (struct an_respond_authority){.id = authority->id, .issuer = authority->cert,
                                                       .signer = authority->ocsp_cert ? authority->ocsp_cert
                                                       : authority->cert, .key = authority->ocsp_signer};
    if (an_respond_prepare(&authority->respond, &err) != AN_OK) {
        status_say(status, "ocsp.unfit", "%s: %s: %s", authority->name, an_message_find(err.code)->symbol, err.detail);
        an_signer_close(&authority->ocsp_signer);
    }
}

static const struct status_authority *
find_authority(const struct status_set *set, int64_t id)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i].id == id)
            return &set->items[i];
    return NULL;
}

/* What a stamp carries for those who check it: the certificates above, without the root, which they must have
 * anyway. */
static void
build_chain(const struct status_set *set, struct status_authority *authority)
{
    const struct status_authority *above = find_authority(set, authority->parent);

    for (int i = 0; i < CHAIN_MAX && above != NULL && above->parent != 0; i++) {
        an_certs_add(&authority->chain, above->cert);
        above = find_authority(set, above->parent);
    }
}

an_code
status_set_load(struct an_status *status, struct status_set **ret, struct an_err *reterr)
{
    struct status_set *set = AN_NEW(struct status_set);
    an_code code;

    set->refs = 1;
    code = an_store_read(status->instance->store, read_authorities, set, reterr);
    if (code != AN_OK) {
        status_set_drop(set);
        return code;
    }
    status->keys_are_lost = false;
    set->responders = an_new_array(set->count + 1, sizeof(const struct an_respond_authority *));
    for (size_t i = 0; i < set->count; i++) {
        struct status_authority *authority = &set->items[i];
        open_keys(status, authority);
        set->lacking += authority->lacks_key;
        if (authority->ocsp_signer != NULL)
            set->responders[set->responder_count++] = &authority->respond;
        if (authority->is_tsa && authority->stamp_signer != NULL) { /* the newest */
            build_chain(set, authority);
            set->stamper = authority;
        }
    }
    *ret = set;
    return AN_OK;
}

static an_code
note_mark(void *context, const struct an_row *row, struct an_err *reterr)
{
    int64_t *mark = context;

    (void)reterr;
    for (size_t i = 0; i < 4; i++)
        mark[i] = an_row_int(row, i);
    return AN_OK;
}

static an_code
read_mark(void *context, struct an_tx *tx, struct an_err *reterr)
{
    return an_tx_one(tx, AN_SQL_STATUS_AUTHORITIES_MARK, NULL, 0, note_mark, context, NULL, reterr);
}

an_code
status_set_mark(struct an_status *status, int64_t ret[static 4], struct an_err *reterr)
{
    return an_store_read(status->instance->store, read_mark, ret, reterr);
}

void
status_set_refresh(struct an_status *status, an_time now)
{
    struct status_set *set = NULL, *before;
    int64_t mark[4] = {0};
    struct an_err err = {0};
    bool is_other;

    if (now - status->looked_at < LOOK_SECONDS)
        return;
    status->looked_at = now;
    if (status_set_mark(status, mark, &err) != AN_OK)
        return;
    is_other = memcmp(mark, status->mark, sizeof(mark)) != 0;
    if (is_other && status->tell != NULL) { /* our key process may not know the new key: answers go on as they are */
        status->tell(AN_STATUS_AUTHORITIES);
        return;
    }
    if (!is_other && status->set->lacking == 0)
        return;
    if (status_set_load(status, &set, &err) != AN_OK)
        return;
    memcpy(status->mark, mark, sizeof(mark));
    pthread_mutex_lock(&status->set_lock);
    before = status->set;
    status->set = set;
    pthread_mutex_unlock(&status->set_lock);
    status_set_drop(before);
    an_answers_drop_all(status->answers);
    status_say(status, "authorities", "%zu, %zu without a key", set->count, set->lacking);
}
