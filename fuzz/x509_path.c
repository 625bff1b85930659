/*
 * Path validation on bytes: the input is a run of DER values. The first certificate is the leaf, the second the anchor,
 * the others are at hand; what is not a certificate is tried as a CRL and as an OCSP answer.
 */
#include "x509/path.h"

#define ITEMS_MAX 48

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pile {
    struct an_certs anchors, untrusted;
    struct an_crls crls;
    struct an_ocsps ocsps;
    struct an_cert *leaf;
};

static void
add_cert(struct pile *pile, struct an_cert *cert)
{
    if (!pile->leaf)
        pile->leaf = an_cert_ref(cert);
    else
        an_certs_add(pile->anchors.count == 0 ? &pile->anchors : &pile->untrusted, cert);
    an_cert_unref(&cert);
}

static void
add_value(struct pile *pile, an_bytes der)
{
    struct an_cert *cert;
    struct an_crl *crl;
    struct an_ocsp *ocsp;

    if (an_cert_parse(der, &cert, NULL) == AN_OK)
        add_cert(pile, cert);
    else if (an_crl_parse(der, &crl, NULL) == AN_OK)
        *an_crls_push(&pile->crls) = crl;
    else if (an_ocsp_parse(der, &ocsp, NULL) == AN_OK)
        *an_ocsps_push(&pile->ocsps) = ocsp;
}

static void
validate(const struct pile *pile, enum an_revocation_mode revocation, bool strict)
{
    static const char *const policies[] = {"2.16.840.1.101.3.2.1.48.1"};
    static const struct an_name_want names[] = {{"dns", "example.com"}};
    struct an_path_params params = {
        .anchors = &pile->anchors, .untrusted = &pile->untrusted, .crls = &pile->crls, .ocsps = &pile->ocsps,
        .at = 1800000000, .status_at = AN_TIME_NONE, .now = AN_TIME_NONE, .freshness_max = -1, .revocation = revocation,
        .policy_oids = policies, .policy_count = strict ? 1 : 0, .explicit_policy = strict,
        .names = names, .name_count = strict ? 1 : 0, .purpose = strict ? "1.3.6.1.5.5.7.3.1" : NULL,
        .strict = strict, .ignore_validity = !strict,
    };
    struct an_path_result result;

    an_path_validate(pile->leaf, &params, &result);
    if (result.valid != (result.why == AN_OK) || (result.valid && result.chain_count == 0))
        __builtin_trap();
    an_path_result_done(&result);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pile pile = {0};
    an_bytes in = AN_BYTES(data, size), whole, value;
    int tag;

    for (size_t i = 0; i < ITEMS_MAX && in.len > 0 && an_der_any(&in, &tag, &whole, &value, NULL) == AN_OK; i++)
        add_value(&pile, whole);
    if (pile.leaf) {
        validate(&pile, AN_REVOCATION_REQUIRE, false);
        validate(&pile, AN_REVOCATION_IF_AVAILABLE, true);
        an_cert_unref(&pile.leaf);
    }
    an_certs_done(&pile.anchors);
    an_certs_done(&pile.untrusted);
    an_crls_unref(&pile.crls);
    an_ocsps_unref(&pile.ocsps);
    return 0;
}
