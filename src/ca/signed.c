#include "ca/internal.h"

#define SIGNED_OVERHEAD 8192 /* algorithm, signature and headers; a PSS signature of RSA-16384 fits */

struct an_scheme
an_ca_scheme(const struct an_signer *key)
{
    const struct an_signer_info *info = an_signer_info(key);

    switch (info->kind) {
    case AN_KEY_EC:
        return (struct an_scheme){.kind = AN_SIG_ECDSA,
                                  .digest = info->bits > 384 ? AN_SHA512 : info->bits > 256 ? AN_SHA384 : AN_SHA256};
    case AN_KEY_ED25519:
    case AN_KEY_ED448:
        return (struct an_scheme){.kind = AN_SIG_EDDSA};
    case AN_KEY_RSA_PSS:
        return (struct an_scheme){.kind = AN_SIG_RSA_PSS, .digest = AN_SHA256, .mgf_digest = AN_SHA256, .salt_len = 32};
    case AN_KEY_DSA:
        return (struct an_scheme){.kind = AN_SIG_DSA, .digest = AN_SHA256};
    case AN_KEY_RSA:
    case AN_KEY_UNKNOWN:
        break;
    }
    return (struct an_scheme){.kind = AN_SIG_RSA_PKCS1, .digest = AN_SHA256};
}

void
an_ca_put_algorithm(struct an_der_out *out, const struct an_signer *key)
{
    struct an_scheme scheme = an_ca_scheme(key);

    an_scheme_write_for(out, &scheme, an_signer_info(key)->kind);
}

an_code
an_ca_sign(struct an_signer *key, an_bytes tbs, an_bytes extra, struct an_buf *ret, struct an_err *reterr)
{
    AN_CLEANUP(an_buf_free) struct an_buf signature = an_buf_new(SIGNED_OVERHEAD);
    struct an_scheme scheme = an_ca_scheme(key);
    struct an_der_out out = AN_DER_OUT(ret);
    uint8_t digest[AN_DIGEST_MAX];

    if (scheme.kind == AN_SIG_EDDSA) {
        AN_TRY(an_signer_sign(key, &scheme, tbs, &signature, reterr));
    } else {
        an_hash_once(scheme.digest, tbs, digest);
        AN_TRY(an_signer_sign(key, &scheme, AN_BYTES(digest, an_digest_size(scheme.digest)), &signature, reterr));
    }
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_raw(&out, tbs);
    an_ca_put_algorithm(&out, key);
    an_der_put_bits(&out, an_buf_view(&signature), 0);
    an_der_put_raw(&out, extra);
    an_der_close(&out);
    if (!an_buf_ok(ret))
        AN_FAIL(reterr, AN_E_LIMIT, "%zu byte", tbs.len);
    return AN_OK;
}

an_code
an_ca_check_key(const struct an_cert *cert, const struct an_signer *key, uint32_t usage, an_code code, struct an_err *reterr)
{
    if (!an_bytes_eq(cert->spki, an_signer_spki(key)))
        AN_FAIL(reterr, code, "subjectPublicKeyInfo: %s", an_signer_info(key)->label);
    if (usage != 0 && cert->has_key_usage && (cert->key_usage & usage) == 0)
        AN_FAIL(reterr, code, "keyUsage");
    return AN_OK;
}

void
an_ca_key_id(an_bytes key_bits, uint8_t ret[static AN_DIGEST_MAX])
{
    an_hash_once(AN_SHA1, key_bits, ret);
}
