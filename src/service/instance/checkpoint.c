#include "service/instance/checkpoint.h"

#include <stdlib.h>
#include <unistd.h>

#include "audit/audit.h"
#include "base/file.h"
#include "base/limits.h"
#include "ca/ca.h"
#include "ca/register.h"
#include "fetch/fetch.h"
#include "keys/keys.h"
#include "service/instance/own_signer.h"
#include "sign/timestamp.h"

an_code
an_checkpoint_init(struct an_instance *instance, const struct an_init_plan *plan, struct an_err *reterr)
{
    return an_own_signer_init(instance, AN_OWN_AUDIT, plan, reterr);
}

/* ---- when ---- */
struct state { int64_t size, signed_size, signed_at, first_at; };

static an_code
take_last(void *context, const struct an_row *row, struct an_err *reterr)
{
    struct state *state = context;

    (void)reterr;
    state->signed_size = an_row_int(row, 0);
    state->signed_at = an_row_int(row, 1);
    return AN_OK;
}

static an_code
look_at_state(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct state *state = context;

    AN_TRY(an_tx_int(tx, AN_SQL_AUDIT_EVENT_LAST, NULL, 0, &state->size, reterr));
    return an_tx_one(tx, AN_SQL_AUDIT_CHECKPOINT_LAST, NULL, 0, take_last, state, NULL, reterr);
}

an_code
an_checkpoint_is_due(struct an_instance *instance, bool *ret, bool *ret_stamped, struct an_err *reterr)
{
    struct an_config_audit config;
    struct state state = {0};

    AN_TRY(an_config_read_audit(&instance->config, &config, reterr));
    AN_TRY(an_store_read(instance->store, look_at_state, &state, reterr));
    *ret_stamped = config.tsa != NULL;
    *ret = state.size - state.signed_size >= config.checkpoint_events ||
           (state.size > state.signed_size && an_time_now() - state.signed_at >= config.checkpoint_minutes * 60);
    return AN_OK;
}

/* ---- signing ---- */
static an_code
sign_head(struct an_instance *instance, struct an_signer *signer, struct an_cert *cert, const struct an_certs *chain,
          int64_t *ret_size, bool *ret_stamped,
          struct an_err *reterr)
{
    struct an_audit_signing signing = {.instance = instance->config.instance, .signer = signer, .cert = cert,
                                       .chain = chain};
    struct an_tsa_client client = {.tries = 2, .timeout_ms = 30000};
    struct an_config_audit config;
    an_code code;

    AN_TRY(an_config_read_audit(&instance->config, &config, reterr));
    *ret_stamped = config.tsa != NULL;
    if (config.tsa != NULL) {
        const struct an_fetch_rules rules = {.allow_private = config.tsa_private};

        AN_TRY(an_fetcher_start(&rules, &client.fetcher, reterr));
        client.url = config.tsa;
        signing.stamp = an_tsa_client_stamp;
        signing.stamp_context = &client;
    }
    code = an_audit_checkpoint(instance->store, &signing, ret_size, reterr);
    an_fetcher_stop(&client.fetcher);
    return code;
}

/* ---- the head that is kept beside the store ---- */
#define KEPT_NAME "run/audit-head" /* "SIZE ROOT" */
#define KEPT_BYTES 128

static void
write_kept(int64_t size, const uint8_t root[static 32], struct an_buf *out)
{
    an_buf_printf(out, "%lld ", (long long)size);
    an_buf_hex(out, AN_BYTES(root, 32));
    an_buf_byte(out, '\n');
}

static an_code
keep_head(struct an_instance *instance, int64_t size, struct an_err *reterr)
{
    AN_CLEANUP(an_free_ptr) char *path = an_instance_path(instance, KEPT_NAME);
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(KEPT_BYTES);
    uint8_t root[32];

    if (size == 0)
        return AN_OK;
    AN_TRY(an_audit_root(instance->store, size, root, reterr));
    write_kept(size, root, &text);
    return an_file_write(path, an_buf_view(&text), 0600, reterr);
}

/* True when the log begins with the events of the kept head, or none was kept. *ret_size = its size; what cannot be
 * read was tampered with. */
static bool
fits_kept(struct an_instance *instance, int64_t *ret_size)
{
    AN_CLEANUP(an_free_ptr) char *path = an_instance_path(instance, KEPT_NAME);
    AN_CLEANUP(an_buf_free) struct an_buf kept = an_buf_new(KEPT_BYTES), again = an_buf_new(KEPT_BYTES);
    uint8_t root[32];

    *ret_size = 0;
    if (access(path, F_OK) != 0)
        return true;
    if (an_file_read(path, KEPT_BYTES - 1, &kept, NULL) != AN_OK)
        return false;
    an_buf_byte(&kept, 0);
    *ret_size = strtoll((const char *)kept.ptr, NULL, 10);
    if (*ret_size < 1 || an_audit_root(instance->store, *ret_size, root, NULL) != AN_OK)
        return false;
    write_kept(*ret_size, root, &again);
    an_buf_byte(&again, 0);
    return an_bytes_eq(an_buf_view(&kept), an_buf_view(&again));
}

/* A row that somebody put into the register by hand was issued by none of the authorities. */
static an_code
gather_signers(void *context, struct an_tx *tx, struct an_err *reterr)
{
    AN_CLEANUP(an_authorities_done) struct an_authorities authorities = {0};
    AN_CLEANUP(an_certs_done) struct an_certs found = {0};
    struct an_certs *ret = context;

    an_certs_done(ret);
    AN_TRY(an_own_signer_all(tx, AN_OWN_AUDIT, &found, reterr));
    AN_TRY(an_authorities_load(tx, &authorities, reterr));
    for (size_t i = 0; i < found.count; i++)
        for (size_t k = 0; k < authorities.count; k++)
            if (an_cert_signed_by(found.items[i], authorities.items[k].cert))
                an_certs_add(ret, found.items[i]);
    return AN_OK;
}

an_code
an_checkpoint_signers(struct an_instance *instance, struct an_certs *ret, struct an_err *reterr)
{
    return an_store_read(instance->store, gather_signers, ret, reterr);
}

an_code
an_checkpoint_verify(struct an_instance *instance, const struct an_certs *signers, struct an_audit_report *ret,
                     struct an_err *reterr)
{
    AN_CLEANUP(an_certs_done) struct an_certs registered = {0};
    int64_t kept = 0;

    if (signers == NULL)
        AN_TRY(an_checkpoint_signers(instance, &registered, reterr));
    AN_TRY(an_audit_verify(instance->store, signers ? signers : &registered, ret, reterr));
    if (fits_kept(instance, &kept))
        return AN_OK;
    ret->findings = an_grow(ret->findings, ret->finding_count + 1, sizeof(*ret->findings));
    ret->findings[ret->finding_count++] = (struct an_audit_finding){AN_AUDIT_KEPT, 1, kept};
    return AN_OK;
}

struct audit_signer { struct an_cert *cert; struct an_certs chain; };

static void
audit_signer_done(struct audit_signer *signer)
{
    an_cert_unref(&signer->cert);
    an_certs_done(&signer->chain);
}

static an_code
find_signer(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct audit_signer *found = context;
    AN_CLEANUP(an_authorities_done) struct an_authorities authorities = {0};

    audit_signer_done(found);
    AN_TRY(an_own_signer_find(tx, AN_OWN_AUDIT, &found->cert, reterr));
    AN_TRY(an_authorities_load(tx, &authorities, reterr));
    for (size_t i = 0; found->cert != NULL && i < authorities.count; i++)
        if (an_cert_signed_by(found->cert, authorities.items[i].cert))
            an_certs_add(&found->chain, authorities.items[i].cert);
    return AN_OK;
}

an_code
an_checkpoint_make(struct an_instance *instance, struct an_keys *keys, int64_t *ret_size, bool *ret_stamped,
                   struct an_err *reterr)
{
    AN_CLEANUP(audit_signer_done) struct audit_signer found = {0};
    const char *name = an_own_signer_name(AN_OWN_AUDIT);
    struct an_keys *own = NULL;
    struct an_signer *signer = NULL;
    an_code code;

    AN_TRY(an_store_read(instance->store, find_signer, &found, reterr));
    if (found.cert == NULL)
        AN_FAIL(reterr, AN_E_CHECKPOINT_SIGNER, "%s", name);
    if (keys == NULL)
        AN_TRY(an_keys_open(instance->dir, &own, reterr));
    code = an_signer_of_keys(keys ? keys : own, name, AN_PURPOSE_AUDIT, &signer, reterr);
    if (code == AN_OK)
        code = sign_head(instance, signer, found.cert, &found.chain, ret_size, ret_stamped, reterr);
    if (code == AN_OK)
        code = keep_head(instance, *ret_size, reterr);
    an_signer_close(&signer);
    an_keys_close(&own);
    return code;
}
