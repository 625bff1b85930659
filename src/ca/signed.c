#include "ca/internal.h"

#define ALGORITHM_BYTES 192 /* the longest (PSS) has 67; and what is put around it, status answers' forty octets, too */
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

static an_code
put_signed(const struct an_signer *key, const struct an_ca_signed *one, an_bytes signature)
{
    struct an_der_out out = AN_DER_OUT(one->ret);

    an_buf_reserve(one->ret, one->tbs.len + signature.len + one->extra.len + ALGORITHM_BYTES);
    an_der_open(&out, AN_DER_SEQUENCE);
    an_der_put_raw(&out, one->tbs);
    an_ca_put_algorithm(&out, key);
    an_der_put_bits(&out, signature, 0);
    an_der_put_raw(&out, one->extra);
    an_der_close(&out);
    return an_buf_ok(one->ret) ? AN_OK : an_err_set(one->reterr, AN_E_LIMIT, "%zu byte", one->tbs.len);
}

void
an_ca_sign_many(struct an_signer *key, struct an_ca_signed *all, size_t count)
{
    struct an_scheme scheme = an_ca_scheme(key);
    AN_UNZEROED struct an_signing signings[AN_SIGNINGS_MAX];
    AN_UNZEROED struct an_buf signatures[AN_SIGNINGS_MAX];
    AN_UNZEROED uint8_t digests[AN_SIGNINGS_MAX][AN_DIGEST_MAX];

    for (size_t i = 0; i < count; i++) {
        signatures[i] = an_buf_new(SIGNED_OVERHEAD);
        signings[i] = (struct an_signing){.digest = all[i].tbs, .out = &signatures[i], .reterr = all[i].reterr};
        if (scheme.kind == AN_SIG_EDDSA)
            continue;
        an_hash_once(scheme.digest, all[i].tbs, digests[i]);
        signings[i].digest = AN_BYTES(digests[i], an_digest_size(scheme.digest));
    }
    an_signer_sign_many(key, &scheme, signings, count);
    for (size_t i = 0; i < count; i++) {
        all[i].code = signings[i].code == AN_OK ? put_signed(key, &all[i], an_buf_view(&signatures[i]))
                : signings[i].code;
        an_buf_free(&signatures[i]);
    }
}

an_code
an_ca_sign(struct an_signer *key, an_bytes tbs, an_bytes extra, struct an_buf *ret, struct an_err *reterr)
{
    struct an_ca_signed one = {.tbs = tbs, .extra = extra, .ret = ret, .reterr = reterr};

    an_ca_sign_many(key, &one, 1);
    return one.code;
}

void
an_ca_keep_first_error(void *context, const struct an_lint *lint)
{
    const struct an_lint **first = context;

    if (lint->severity == AN_LINT_ERROR && *first == NULL)
        *first = lint;
}

an_code
an_ca_lint_made(void (*lint)(an_bytes der, const struct an_lint_plan *plan), an_bytes der, const struct an_cert *issuer,
                struct an_err *reterr)
{
    const struct an_lint *first = NULL;

    lint(der, &(struct an_lint_plan){.issuer = issuer, .each = an_ca_keep_first_error, .context = &first});
    if (first != NULL)
        AN_FAIL(reterr, AN_E_CA_LINT_ANSWER, "%s: %s (%s)", first->id, first->vi, first->source);
    return AN_OK;
}

an_code
an_ca_check_key(const struct an_cert *cert, const struct an_signer *key, uint32_t usage, an_code code,
                struct an_err *reterr)
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
