/* What the files of this room share. */
#pragma once

#include "asn1/oid.h"
#include "cms/cms.h"

#include "base/mem.h"

/* ---- reading ---- */
/* One SignerInfo (content of the SEQUENCE) of cms. */
an_code an_cms_read_signer(an_bytes in, struct an_cms_signer *signer, struct an_err *reterr);
/* Fills message_digest … ess_serial from the signed attributes. */
an_code an_cms_read_attributes(struct an_cms_signer *signer, struct an_err *reterr);
/* Adds what attributes carry of certificates and status (CAdES values, Adobe's archival attribute) to the sets of
 * cms. */
void an_cms_collect_values(struct an_cms *cms, const struct an_cms_signer *signer);
/* CertificateSet and RevocationInfoChoices (content). */
an_code an_cms_collect_certs(struct an_cms *cms, an_bytes set, struct an_err *reterr);
an_code an_cms_collect_revocation(struct an_cms *cms, an_bytes set, struct an_err *reterr);
/* The single value of an attribute, whole; AN_NONE when there is none or more than one. */
an_bytes an_cms_single_value(const struct an_cms_attribute *attribute);
