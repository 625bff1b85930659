/*
 * DSA keys that leave their parameters to the issuer's certificate (RFC 3279 2.3.2, RFC 5280 6.1.4 (e)). Signatures
 * are checked while the path is built from below, before it is known which issuer will stand above: the parameters
 * are taken from an issuer whose signature on the certificate is right, and the finished path is asked whether it is
 * that one.
 */
#include "x509/path_internal.h"

static const uint8_t dsa_oid[] = {0x2A, 0x86, 0x48, 0xCE, 0x38, 0x04, 0x01};

/* Takes a SubjectPublicKeyInfo apart; false when it is not a DSA key. */
static bool
read_dsa_key(an_bytes spki, an_bytes *ret_parameters, an_bytes *ret_key)
{
    an_bytes in, algorithm, oid;

    if (!an_path_open(spki, &in) || an_der_take(&in, AN_DER_SEQUENCE, &algorithm, NULL) != AN_OK ||
        an_der_take(&algorithm, AN_DER_OID, &oid, NULL) != AN_OK)
        return false;
    *ret_parameters = algorithm;
    *ret_key = in;
    return an_bytes_eq(oid, AN_BYTES(dsa_oid, sizeof(dsa_oid)));
}

static struct an_pubkey *
join_key(an_bytes parameters, an_bytes key)
{
    struct an_buf buf AN_CLEANUP(an_buf_free) = an_buf_new(AN_LIMIT_CERT_BYTES);
    struct an_der_out out = AN_DER_OUT(&buf);
    struct an_pubkey *joined = NULL;

    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put(&out, AN_DER_OID, AN_BYTES(dsa_oid, sizeof(dsa_oid)));
    an_der_put_raw(&out, parameters);
    an_der_close(&out);
    an_der_put_raw(&out, key);
    an_der_close(&out);
    if (!an_buf_ok(&buf) || an_pubkey_parse(an_buf_view(&buf), &joined, NULL) != AN_OK)
        return NULL;
    return joined;
}

static struct path_inherited_key *
find_inherited(const struct path_shared *shared, const struct an_cert *cert)
{
    for (size_t i = 0; i < shared->inherited.count; i++)
        if (shared->inherited.items[i].cert == cert)
            return &shared->inherited.items[i];
    return NULL;
}

/* The parameters that a signer of this certificate has or has inherited; AN_NONE when it has none. */
static an_bytes
parameters_of(struct path_shared *shared, struct an_cert *cert)
{
    const struct path_inherited_key *inherited;
    an_bytes parameters, key;

    if (!read_dsa_key(cert->spki, &parameters, &key))
        return AN_NONE;
    if (parameters.len > 0)
        return parameters;
    inherited = an_path_key(shared, cert) ? find_inherited(shared, cert) : NULL;
    return inherited ? inherited->parameters : AN_NONE;
}

/* Recursion ends: each level puts its certificate into shared->inherited before it looks above. */
static struct an_pubkey *
inherit(struct path_shared *shared, struct an_cert *cert, an_bytes key)
{
    struct path_inherited_key result = {.cert = cert};
    size_t at = shared->inherited.count;

    if (at >= AN_LIMIT_PATH_DEPTH)
        return NULL;
    *path_inherited_keys_push(&shared->inherited) = result;
    for (size_t i = 0; i < shared->pool.count && !result.key; i++) {
        struct an_cert *source = shared->pool.items[i]->cert;

        if (source == cert || !an_name_eq(source->subject, cert->issuer))
            continue;
        result.parameters = parameters_of(shared, source);
        if (!result.parameters.len || !an_path_cert_signed_by(shared, cert, source))
            continue;
        result.source = source;
        result.key = join_key(result.parameters, key);
    }
    shared->inherited.items[at] = result;
    return result.key;
}

struct an_pubkey *
an_path_key(struct path_shared *shared, struct an_cert *cert)
{
    struct an_pubkey *own = an_cert_key(cert);
    const struct path_inherited_key *inherited;
    an_bytes parameters, key;

    if (own)
        return own;
    inherited = find_inherited(shared, cert);
    if (inherited)
        return inherited->key;
    if (!read_dsa_key(cert->spki, &parameters, &key) || parameters.len > 0)
        return NULL;
    return inherit(shared, cert, key);
}

bool
an_path_key_comes_from(const struct path_shared *shared, const struct an_cert *cert, const struct an_cert *issuer)
{
    const struct path_inherited_key *inherited = find_inherited(shared, cert);

    return !inherited || !inherited->source || an_bytes_eq(inherited->source->spki, issuer->spki);
}

void
an_path_inherited_keys_free(struct path_shared *shared)
{
    for (size_t i = 0; i < shared->inherited.count; i++)
        an_pubkey_unref(&shared->inherited.items[i].key);
    path_inherited_keys_done(&shared->inherited);
}
