/* Certification requests (PKCS#10, RFC 2986), parsed once. A request proves that its maker holds the key:
 * an_csr_check. */
#pragma once

#include "x509/cert.h"

struct an_csr {
    /* all views point into der, which the object owns */
    an_bytes der, info;  /* info: CertificationRequestInfo, whole: what is signed */
    an_bytes subject;    /* whole Name, DER; may be an empty SEQUENCE */
    an_bytes spki;       /* whole SubjectPublicKeyInfo */
    an_bytes attributes; /* content of [0] */
    an_bytes challenge;  /* challengePassword (RFC 2985 5.4.1) as it was sent: content octets; AN_NONE when absent */
    struct an_extension *extensions; /* of extensionRequest (RFC 2985 5.4.2) */
    size_t extension_count;
    struct an_scheme scheme; /* kind AN_SIG_UNKNOWN when the algorithm is not known */
    an_bytes signature;
};

/* One DER request, copied; AN_E_CSR_PARSE names the field. Parsing is not believing. */
an_code an_csr_parse(an_bytes der, struct an_csr **ret, struct an_err *reterr) AN_MUST_USE;
void an_csr_free(struct an_csr **csr);
/* Proof of possession: the request's own key made its signature, with a digest that still resists collisions.
 * AN_E_CSR_SIGNATURE, or AN_E_KEY_* when the key cannot be read. */
an_code an_csr_check(const struct an_csr *csr, struct an_err *reterr) AN_MUST_USE;
/* content octets, asn1/oid.h */
const struct an_extension *an_csr_find_extension(const struct an_csr *csr, an_bytes oid);
/* Does the key of this SubjectPublicKeyInfo make the signature of message? SHA-1 and MD5 never count. */
an_code an_possession_check(an_bytes spki, const struct an_scheme *scheme, an_bytes message, an_bytes signature,
                            struct an_err *reterr) AN_MUST_USE;
