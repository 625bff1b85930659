#include "token/internal.h"

an_code
an_signer_open(const char *uri, struct an_pin_source pin, struct an_signer **ret, struct an_err *reterr)
{
    if (strncmp(uri, "pkcs11:", 7) == 0)
        return an_p11_signer_open(uri, pin, ret, reterr);
    if (strncmp(uri, "file://", 7) == 0)
        return an_soft_signer_open(uri + 7, pin, ret, reterr);
    return an_soft_signer_open(strncmp(uri, "file:", 5) == 0 ? uri + 5 : uri, pin, ret, reterr);
}

void
an_signer_close(struct an_signer **signer)
{
    if (*signer != NULL)
        (*signer)->ops->close(*signer);
    *signer = NULL;
}

an_code
an_signer_set_key(struct an_signer *signer, struct an_err *reterr)
{
    AN_TRY(an_pubkey_parse(an_buf_view(&signer->spki), &signer->pubkey, reterr));
    signer->info.kind = an_pubkey_kind(signer->pubkey);
    signer->info.bits = an_pubkey_bits(signer->pubkey);
    return AN_OK;
}

void
an_signer_done(struct an_signer *signer)
{
    an_buf_free(&signer->spki);
    an_buf_free(&signer->certificate);
    an_pubkey_unref(&signer->pubkey);
}

const struct an_signer_info *
an_signer_info(const struct an_signer *signer)
{
    return &signer->info;
}

an_bytes
an_signer_spki(const struct an_signer *signer)
{
    return an_buf_view(&signer->spki);
}

/* A DER integer of n octets of value takes n + 1 octets at most and a header of 2 (3 from 128 octets on). */
static size_t
ecdsa_size_max(size_t field)
{
    size_t integer = field + 1 + (field + 1 < 128 ? 2 : 3);
    size_t both = 2 * integer;

    return both + (both < 128 ? 2 : both < 256 ? 3 : 4);
}

size_t
an_signer_size_max(const struct an_signer *signer)
{
    size_t field = ((size_t)signer->info.bits + 7) / 8;

    switch (signer->info.kind) {
    case AN_KEY_EC:
    case AN_KEY_DSA:
        return ecdsa_size_max(field);
    case AN_KEY_ED25519:
        return 64;
    case AN_KEY_ED448:
        return 114;
    case AN_KEY_RSA:
    case AN_KEY_RSA_PSS:
    case AN_KEY_UNKNOWN:
        break;
    }
    return field;
}

an_code
an_signer_sign(struct an_signer *signer, const struct an_scheme *scheme, an_bytes digest, struct an_buf *out,
               struct an_err *reterr)
{
    return signer->ops->sign(signer, scheme, digest, out, reterr);
}

void
an_signer_sign_many(struct an_signer *signer, const struct an_scheme *scheme, struct an_signing *all, size_t count)
{
    if (signer->ops->sign_many != NULL) {
        signer->ops->sign_many(signer, scheme, all, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        all[i].code = signer->ops->sign(signer, scheme, all[i].digest, all[i].out, all[i].reterr);
}
