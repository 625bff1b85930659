/* Certificate extensions, RFC 5280 4.2. */
#include "ca/internal.h"

#define KEY_ID_SIZE 20

void
an_ca_open_extension(struct an_der_out *out, const char *oid, bool critical)
{
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_oid(out, oid);
    if (critical)
        an_der_put_bool(out, true);
    an_der_open(out, AN_DER_OCTET_STRING);
}

void
an_ca_close_extension(struct an_der_out *out)
{
    an_der_close(out);
    an_der_close(out);
}

static void
put_basic_constraints(struct an_der_out *out, const struct an_profile *profile)
{
    if (!profile->is_ca)
        return;
    an_ca_open_extension(out, "2.5.29.19", true);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_bool(out, true);
    if (profile->path_len >= 0)
        an_der_put_int(out, profile->path_len);
    an_der_close(out);
    an_ca_close_extension(out);
}

/* Bit 0 is the highest bit of the first octet; DER cuts zero bits at the end. All our usages fit one octet. */
static void
put_key_usage(struct an_der_out *out, uint32_t usage)
{
    uint8_t octet = 0;
    unsigned unused = 0;

    for (unsigned bit = 0; bit < 8; bit++)
        if (usage & (1u << bit))
            octet = (uint8_t)(octet | (0x80u >> bit));
    while (octet != 0 && ((unsigned)octet >> unused & 1u) == 0)
        unused++;
    an_ca_open_extension(out, "2.5.29.15", true);
    an_der_put_bits(out, AN_BYTES(&octet, 1), unused);
    an_ca_close_extension(out);
}

static void
put_extended_usage(struct an_der_out *out, const struct an_profile *profile)
{
    if (profile->eku_count == 0)
        return;
    an_ca_open_extension(out, "2.5.29.37", profile->eku_critical);
    an_der_open(out, AN_DER_SEQUENCE);
    for (size_t i = 0; i < profile->eku_count; i++)
        an_der_put_oid(out, profile->eku[i]);
    an_der_close(out);
    an_ca_close_extension(out);
}

static void
put_subject_key(struct an_der_out *out, an_bytes key_bits)
{
    uint8_t id[AN_DIGEST_MAX];

    an_ca_key_id(key_bits, id);
    an_ca_open_extension(out, "2.5.29.14", false);
    an_der_put(out, AN_DER_OCTET_STRING, AN_BYTES(id, KEY_ID_SIZE));
    an_ca_close_extension(out);
}

void
an_ca_put_authority_key(struct an_der_out *out, const struct an_cert *issuer)
{
    uint8_t id[AN_DIGEST_MAX];

    an_ca_key_id(issuer->key_bits, id);
    an_ca_open_extension(out, "2.5.29.35", false);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put(out, AN_DER_CONTEXT(0), issuer->ski.len ? issuer->ski : AN_BYTES(id, KEY_ID_SIZE));
    an_der_close(out);
    an_ca_close_extension(out);
}

static void
put_access(struct an_der_out *out, const char *method, const char *url)
{
    if (url == NULL)
        return;
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_oid(out, method);
    an_der_put(out, AN_DER_CONTEXT(6), an_bytes_of_str(url));
    an_der_close(out);
}

static void
put_authority_access(struct an_der_out *out, const struct an_places *places)
{
    if (places->issuer_url == NULL && places->ocsp_url == NULL)
        return;
    an_ca_open_extension(out, "1.3.6.1.5.5.7.1.1", false);
    an_der_open(out, AN_DER_SEQUENCE);
    put_access(out, "1.3.6.1.5.5.7.48.2", places->issuer_url);
    put_access(out, "1.3.6.1.5.5.7.48.1", places->ocsp_url);
    an_der_close(out);
    an_ca_close_extension(out);
}

/* cRLDistributionPoints, or freshestCRL, which has the same form (RFC 5280 4.2.1.15). */
static void
put_crl_point(struct an_der_out *out, const char *oid, const char *url)
{
    if (url == NULL)
        return;
    an_ca_open_extension(out, oid, false);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0)); /* distributionPoint */
    an_der_open(out, AN_DER_CONTEXT_CONSTRUCTED(0)); /* fullName */
    an_der_put(out, AN_DER_CONTEXT(6), an_bytes_of_str(url));
    for (int i = 0; i < 4; i++)
        an_der_close(out);
    an_ca_close_extension(out);
}

static void
put_policy(struct an_der_out *out, const char *oid, const char *cps_url)
{
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put_oid(out, oid);
    if (cps_url != NULL) {
        an_der_open(out, AN_DER_SEQUENCE);
        an_der_open(out, AN_DER_SEQUENCE);
        an_der_put_oid(out, "1.3.6.1.5.5.7.2.1");
        an_der_put(out, AN_DER_IA5_STRING, an_bytes_of_str(cps_url));
        an_der_close(out);
        an_der_close(out);
    }
    an_der_close(out);
}

static void
put_policies(struct an_der_out *out, const struct an_profile *profile, const char *cps_url)
{
    if (profile->policy_count == 0)
        return;
    an_ca_open_extension(out, "2.5.29.32", false);
    an_der_open(out, AN_DER_SEQUENCE);
    for (size_t i = 0; i < profile->policy_count; i++)
        put_policy(out, profile->policies[i], cps_url);
    an_der_close(out);
    an_ca_close_extension(out);
}

static void
put_alternative_name(struct an_der_out *out, const char *email)
{
    if (email == NULL || *email == '\0')
        return;
    an_ca_open_extension(out, "2.5.29.17", false);
    an_der_open(out, AN_DER_SEQUENCE);
    an_der_put(out, AN_DER_CONTEXT(1), an_bytes_of_str(email));
    an_der_close(out);
    an_ca_close_extension(out);
}

void
an_ca_put_fixed_extensions(struct an_der_out *out, const struct an_profile *profile, const struct an_places *places,
                           const struct an_cert *issuer)
{
    put_basic_constraints(out, profile);
    put_extended_usage(out, profile);
    if (issuer != NULL)
        an_ca_put_authority_key(out, issuer);
    if (profile->has_urls) {
        put_authority_access(out, places);
        put_crl_point(out, "2.5.29.46", places->delta_url);
    }
    put_policies(out, profile, places->cps_url);
    if (profile->no_check) {
        an_ca_open_extension(out, "1.3.6.1.5.5.7.48.1.5", false);
        an_der_put_null(out);
        an_ca_close_extension(out);
    }
}

void
an_ca_put_subject_extensions(struct an_der_out *out, uint32_t key_usage, an_bytes key_bits, const char *crl_url,
                             const char *email)
{
    put_key_usage(out, key_usage);
    put_subject_key(out, key_bits);
    put_crl_point(out, "2.5.29.31", crl_url);
    put_alternative_name(out, email);
}
