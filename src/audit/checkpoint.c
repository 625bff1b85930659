/* Signing the head of the log. */
#include <stdio.h>

#include "audit/internal.h"
#include "base/limits.h"
#include "cms/cms.h"
#include "token/token.h"

struct look {
    struct head head;
    int64_t last; /* size at the last checkpoint */
};

static an_code
look_at_head(void *context, struct an_tx *tx, struct an_err *reterr)
{
    struct look *look = context;

    *look = (struct look){0};
    AN_TRY(an_tx_one(tx, AN_SQL_AUDIT_HEAD_FIND, NULL, 0, take_head, &look->head, NULL, reterr));
    return an_tx_int(tx, AN_SQL_AUDIT_CHECKPOINT_LAST, NULL, 0, &look->last, reterr);
}

static struct an_scheme
scheme_of(const struct an_signer_info *key)
{
    enum an_digest digest = key->kind == AN_KEY_EC && key->bits > 384 ? AN_SHA512 : key->kind == AN_KEY_EC &&
        key->bits > 256 ? AN_SHA384 : AN_SHA256;

    switch (key->kind) {
    case AN_KEY_EC: return (struct an_scheme){.kind = AN_SIG_ECDSA, .digest = digest};
    case AN_KEY_ED25519:
    case AN_KEY_ED448: return (struct an_scheme){.kind = AN_SIG_EDDSA, .digest = key->kind == AN_KEY_ED448 ? AN_SHAKE256
                                                 : AN_SHA512};
    case AN_KEY_RSA_PSS: return (struct an_scheme){.kind = AN_SIG_RSA_PSS, .digest = AN_SHA256, .mgf_digest = AN_SHA256,
                                                   .salt_len = 32};
    default: return (struct an_scheme){.kind = AN_SIG_RSA_PKCS1, .digest = AN_SHA256};
    }
}

static an_code
sign_statement(const struct an_audit_signing *signing, an_time at, an_bytes text, struct an_buf *ret,
               struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf attributes = an_buf_new(64 * 1024), value = an_buf_new(8192),
                                          token = an_buf_new(AN_LIMIT_TSP_BYTES);
    struct an_cms_plan plan = {.signer = signing->cert, .chain = signing->chain,
                               .scheme = scheme_of(an_signer_info(signing->signer)),
                               .signing_time = at, .signing_certificate_v2 = true};
    uint8_t content[AN_DIGEST_MAX], digest[AN_DIGEST_MAX];
    an_bytes to_sign;

    an_hash_once(plan.scheme.digest, text, content);
    plan.content_digest = AN_BYTES(content, an_digest_size(plan.scheme.digest));
    AN_TRY(an_cms_prepare(&plan, &attributes, reterr));
    to_sign = an_buf_view(&attributes);
    if (plan.scheme.kind != AN_SIG_EDDSA) {
        an_hash_once(plan.scheme.digest, to_sign, digest);
        to_sign = AN_BYTES(digest, an_digest_size(plan.scheme.digest));
    }
    AN_TRY(an_signer_sign(signing->signer, &plan.scheme, to_sign, &value, reterr));
    if (signing->stamp != NULL) {
        an_hash_once(AN_SHA256, an_buf_view(&value), digest);
        AN_TRY(signing->stamp(signing->stamp_context, AN_SHA256, AN_BYTES(digest, 32), &token, reterr));
    }
    return an_cms_finish(&plan, an_buf_view(&attributes), an_buf_view(&value), an_buf_view(&token), ret, reterr);
}

struct checkpoint { int64_t size; an_time at; an_bytes text, signature; bool stamped; };

static an_code
put_checkpoint(void *context, struct an_tx *tx, struct an_err *reterr)
{
    const struct checkpoint *c = context;
    const struct an_value values[] = {AN_V_INT(c->size), AN_V_INT(c->at), AN_V_BLOB(c->text), AN_V_BLOB(c->signature),
                                      AN_V_INT(c->stamped)};

    return an_tx_run(tx, AN_SQL_AUDIT_CHECKPOINT_INSERT, values, AN_COUNT(values), NULL, reterr);
}

an_code
an_audit_checkpoint(struct an_store *store, const struct an_audit_signing *signing, int64_t *ret_size,
                    struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf text = an_buf_new(4096), signature = an_buf_new(AN_LIMIT_AUDIT_CHECKPOINT);
    AN_CLEANUP(free_hash) struct an_hash *hash = an_hash_new(AN_SHA256);
    struct statement statement = {.at = an_time_now()};
    struct checkpoint checkpoint;
    struct look look;

    AN_TRY(an_store_read(store, look_at_head, &look, reterr));
    *ret_size = 0;
    if ((int64_t)look.head.frontier.size == look.last)
        return AN_OK;
    snprintf(statement.instance, sizeof(statement.instance), "%s", signing->instance);
    statement.size = (int64_t)look.head.frontier.size;
    memcpy(statement.chain, look.head.chain, HASH_SIZE);
    frontier_root(&look.head.frontier, hash, statement.root);
    statement_write(&statement, &text);
    AN_TRY(sign_statement(signing, statement.at, an_buf_view(&text), &signature, reterr));
    checkpoint = (struct checkpoint){statement.size, statement.at, an_buf_view(&text), an_buf_view(&signature),
                                     signing->stamp != NULL};
    AN_TRY(an_store_write(store, put_checkpoint, &checkpoint, reterr));
    *ret_size = statement.size;
    return AN_OK;
}
