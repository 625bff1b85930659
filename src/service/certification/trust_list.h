/*
 * The list of authorities in the form that official clients read (gca.ctl): a JSON object with Version, ListIdentifier,
 * SequenceNumber, ThisUpdate, NextUpdate and "Cerificates" (so spelt there), each a certificate in base64. The form
 * carries no signature of its own: one stands beside it, detached CMS, in gca.ctl.p7s
 * (docs/decisions/065-trust-list.md).
 */
#pragma once

#include "cms/cms.h"
#include "store/store.h"
#include "token/token.h"

struct an_trust_list {
    int64_t version, sequence;
    char identifier[256];
    an_time this_update, next_update;
    struct an_certs certs; /* owned */
};
void an_trust_list_done(struct an_trust_list *list); /* also for AN_CLEANUP */
void an_trust_list_write(const struct an_trust_list *list, struct an_buf *ret);
/* Also as others write it: "Certificates" rightly spelt, moments as /Date(milliseconds)/, a byte order mark.
 * AN_E_TRUST_LIST. */
an_code an_trust_list_parse(an_bytes json, struct an_trust_list *ret, struct an_err *reterr) AN_MUST_USE;
/* The signature beside it, against the certificate of who signed: AN_OK, or AN_V_CMS_*. Trust in that certificate is
 * the caller's. */
an_code an_trust_list_check(an_bytes json, an_bytes signature, struct an_cert **ret_signer,
                            struct an_err *reterr) AN_MUST_USE;

/* The list in force: the one of the store while it is fresh and names the same authorities, otherwise the next
 * number. */
struct an_trust_publisher {
    struct an_store *store;
    const char *identifier;   /* ListIdentifier: the instance's address */
    struct an_signer *signer; /* NULL = the signature is left out */
    struct an_cert *signer_cert;
    const struct an_certs *chain; /* of signer_cert */
    uint32_t days;            /* between ThisUpdate and NextUpdate */
};
an_code an_trust_list_current(const struct an_trust_publisher *publisher, an_time now, struct an_buf *ret_list,
                              struct an_buf *ret_signature,
                              struct an_err *reterr) AN_MUST_USE;
